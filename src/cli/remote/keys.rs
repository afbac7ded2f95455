//! Idempotency keys for rows that are handed over to a server: the same row of the same source has the same key,
//! today and after a kill.
//!
//! # Why
//! *Derived, not written down for each*: a key is a digest of a secret of this account, the source and the row. A run
//! that was killed anywhere and is begun again sends the same keys, and there is no journal that could be behind.
//!
//! *Of a secret, not of the row alone*: the ledger holds a digest of each key for anybody to read, and a key that
//! could be computed would tell who guesses a row whether it was taken in.

use crate::archive::keep::random;
use crate::cli::CommandError;
use crate::record::digest::{Digest, Hasher, hex};
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The file of the secret.
const FILE: &str = "idempotency.secret";

/// What keys are made of.
pub struct Keys(Zeroizing<[u8; 32]>);

impl Keys {
    /// The keys of this account; the first time makes them.
    pub fn of_account() -> Result<Keys, CommandError> {
        let folder = folder(|name| std::env::var_os(name)).ok_or_else(|| {
            CommandError::usage(
                "không biết ghi mã chống trùng vào đâu; đặt VANKHO_STATE là một thư mục giữ lâu dài".into(),
                "there is no place for the secret of idempotency keys; set VANKHO_STATE to a folder that stays".into(),
            )
        })?;
        let fault = |source| CommandError::File { path: folder.join(FILE).display().to_string(), source };
        Keys::open(&folder).map_err(fault)
    }

    fn open(folder: &Path) -> io::Result<Keys> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(FILE);
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => make(folder, &path)?,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let read = Zeroizing::new(fs::read(&path)?);
        let secret = <[u8; 32]>::try_from(&read[..]);
        let secret = secret.map_err(|_| io::Error::new(ErrorKind::InvalidData, "it does not hold 32 bytes"))?;
        Ok(Keys(Zeroizing::new(secret)))
    }

    /// The key of a row of a source.
    pub fn key(&self, source: &str, row: &Digest) -> String {
        let mut hasher = Hasher::default();
        hasher.update(b"vankho: a row that is handed over\0");
        hasher.update(&self.0[..]);
        hasher.update(&(source.len() as u64).to_be_bytes());
        hasher.update(source.as_bytes());
        hasher.update(&row.0);
        hex(&hasher.finish().0)
    }
}

/// Where the secret lies.
fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = set("VANKHO_STATE");
    own.or_else(|| Some(set("XDG_STATE_HOME")?.join("vankho")))
        .or_else(|| Some(set("HOME")?.join(".local/state/vankho")))
}

/// Makes the secret; where another process was first, its secret stands.
///
/// If we stop here, a file lies beside it that nobody reads: a key is used only once the secret is under its name.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    let failed = |_| io::Error::other("the system gives no random bytes");
    let part = folder.join(format!("{FILE}.{}", hex(&random::<8>().map_err(failed)?)));
    let secret = Zeroizing::new(random::<32>().map_err(failed)?);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(&secret[..])?;
    file.sync_all()?;
    let linked = fs::hard_link(&part, path);
    rustix::fs::unlink(&part)?;
    File::open(folder)?.sync_all()?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_key_and_shares_it_with_no_other() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("state/vankho");
        let (first, again) = (Keys::open(&folder).unwrap(), Keys::open(&folder).unwrap());
        let rows = [Digest::of(b"a"), Digest::of(b"b")];
        assert_eq!(first.key("/m.jsonl", &rows[0]), again.key("/m.jsonl", &rows[0]));
        assert_ne!(first.key("/m.jsonl", &rows[0]), first.key("/m.jsonl", &rows[1]));
        assert_ne!(first.key("/m.jsonl", &rows[0]), first.key("/n.jsonl", &rows[0]));
        let stranger = Keys::open(&place.path().join("another")).unwrap();
        assert_ne!(first.key("/m.jsonl", &rows[0]), stranger.key("/m.jsonl", &rows[0]));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing lies beside it");
        fs::write(folder.join(FILE), "short").unwrap();
        assert!(Keys::open(&folder).is_err(), "a secret that was cut short would give other keys");
    }

    #[test]
    fn the_secret_lies_where_state_lies() {
        let with = |pairs: &'static [(&str, &str)]| {
            folder(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
        };
        assert_eq!(with(&[("HOME", "/h"), ("VANKHO_STATE", "/s")]), Some("/s".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_STATE_HOME", "/x")]), Some("/x/vankho".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_STATE_HOME", "")]), Some("/h/.local/state/vankho".into()));
        assert_eq!(with(&[]), None);
    }
}

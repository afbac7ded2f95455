//! What a witness must not forget: its key, and what it cosigned last of each archive.
//!
//! ```text
//! witness.key            the secret key (0600), as PRIVATE+KEY+name+id+base64 of 0x04 and 32 bytes
//! witness.vkey           the public key, for those who ask and those who verify
//! logs/<sha256>          the checkpoint that was cosigned last, by the SHA-256 of its origin
//! refused/<sha256>       offers that an archive signed and that contradict: perhaps a fork
//! lock                   held by the one process that cosigns
//! ```
//!
//! # Why
//! *A folder that was lost or brought back from a backup gets a new key*: with the old one the witness might cosign a
//! tree that is not the one it saw. So nothing here is meant to be backed up but for reading.

use crate::ledger::cosignature::{Cosigner, WitnessKey};
use crate::record::digest::Digest;
use crate::witness::{WitnessError, judge::State};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const KEY: &str = "witness.key";
const PUBLIC: &str = "witness.vkey";
const LOGS: &str = "logs";
const REFUSED: &str = "refused";
const LOCK: &str = "lock";
/// Contradicting offers that are kept; one is enough to prove a fork.
const REFUSED_MAX: usize = 100;

/// A witness's folder, taken for this process.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    _lock: fs::File,
}

/// The name under which an archive's state is kept and asked for.
pub fn name_of(origin: &str) -> String {
    Digest::of(origin.as_bytes()).to_string()
}

fn disk(path: &Path, source: io::Error) -> WitnessError {
    WitnessError::Disk { path: path.to_owned(), source }
}

/// Makes a witness and gives its public key.
pub fn init(root: &Path, name: &str, seed: &Zeroizing<[u8; 32]>) -> Result<WitnessKey, WitnessError> {
    let cosigner = Cosigner::from_seed(name, seed).ok_or_else(|| WitnessError::Name(name.into()))?;
    let key = root.join(KEY);
    if key.exists() {
        return Err(WitnessError::Exists(root.to_owned()));
    }
    for folder in [root.to_owned(), root.join(LOGS), root.join(REFUSED)] {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| disk(&folder, error))?;
    }
    let public = format!("{}\n", cosigner.public());
    // If we stop between the two, there is no key and this is done again. The key goes last.
    write(root, PUBLIC, public.as_bytes(), 0o644).map_err(|error| disk(root, error))?;
    write(root, KEY, cosigner.to_secret_text().as_bytes(), 0o600).map_err(|error| disk(&key, error))?;
    let above = root.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(above).and_then(|above| above.sync_all()).map_err(|error| disk(above, error))?;
    Ok(cosigner.public().clone())
}

/// Puts bytes under a name, durably and whole.
///
/// If we stop here, what was there stands or what was meant to; a draft that was left is written over.
fn write(root: &Path, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let path = root.join(name);
    let draft = path.with_extension("draft");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    fs::File::open(path.parent().unwrap_or(root))?.sync_all()
}

impl Folder {
    /// Takes the folder: two processes would each cosign what the other does not know of.
    pub fn open(root: &Path) -> Result<(Folder, Cosigner), WitnessError> {
        let path = root.join(KEY);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(WitnessError::Nobody(root.to_owned()));
            }
            Err(error) => return Err(disk(&path, error)),
        };
        let cosigner = Cosigner::from_secret_text(&text);
        let cosigner = cosigner.ok_or_else(|| WitnessError::Unusable { path, why: "no key of a witness".into() })?;
        let path = root.join(LOCK);
        let lock = fs::File::create(&path).map_err(|error| disk(&path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok((Folder { root: root.to_owned(), _lock: lock }, cosigner)),
            Err(fs::TryLockError::WouldBlock) => Err(WitnessError::InUse(root.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(disk(&path, error)),
        }
    }

    /// What was cosigned last of an archive. What is there and cannot be read is no reason to begin anew.
    pub fn state(&self, origin: &str, us: &WitnessKey) -> Result<State, WitnessError> {
        let path = self.root.join(LOGS).join(name_of(origin));
        let note = match fs::read_to_string(&path) {
            Ok(note) => note,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::EMPTY),
            Err(error) => return Err(disk(&path, error)),
        };
        // A process that was killed may have put it there without bringing its name onto the disk.
        let folder = self.root.join(LOGS);
        let synced = fs::File::open(&path).and_then(|file| file.sync_all());
        let synced = synced.and_then(|()| fs::File::open(&folder)?.sync_all());
        synced.map_err(|error| disk(&path, error))?;
        let state = State::of_note(&note, us).filter(|_| note.split('\n').next() == Some(origin));
        state.ok_or_else(|| WitnessError::Unusable { path, why: "no checkpoint that this witness cosigned".into() })
    }

    /// Keeps what is about to be said.
    ///
    /// If we stop here, what was there stands or what was meant to, and nobody was told.
    pub async fn keep(&self, origin: &str, note: &str) -> io::Result<()> {
        let (root, name, note) = (self.root.join(LOGS), name_of(origin), note.to_owned());
        let kept = tokio::task::spawn_blocking(move || write(&root, &name, note.as_bytes(), 0o644)).await;
        kept.map_err(io::Error::other)?
    }

    /// Keeps an offer that contradicts, if there are not many yet.
    pub async fn keep_refused(&self, body: &str) -> io::Result<()> {
        let (root, body) = (self.root.join(REFUSED), body.to_owned());
        let keep = move || {
            let name = Digest::of(body.as_bytes()).to_string();
            if root.join(&name).exists() || fs::read_dir(&root)?.count() >= REFUSED_MAX {
                return Ok(());
            }
            write(&root, &name, body.as_bytes(), 0o644)
        };
        tokio::task::spawn_blocking(keep).await.map_err(io::Error::other)?
    }
}

//! What a backup holds beside the archive: the desk as it was at one moment, and the signing keys.

use crate::archive::{
    ArchiveError,
    place::{DESK, Folders, disk},
    rebuild::forget,
};
use crate::desk::snapshot;
use crate::ledger::{keys::Signer, note::VerifyingKey};
use crate::record::{
    backup::{Kept, Run},
    digest::{Digest, Hasher},
};
use crate::store::{PIECE_BYTES, Place, StoreError, local};
use bytes::Bytes;
use futures::TryStreamExt;
use std::{
    fs,
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};
use zeroize::Zeroizing;

/// Where the desks of a backup lie, and its keys.
const DESKS: &str = "desk";
const SECRETS: &str = "secret";

pub fn desk(sha256: Digest) -> String {
    format!("{DESKS}/{sha256}.db")
}

pub fn secret(fingerprint: Digest) -> String {
    format!("{SECRETS}/{fingerprint}.key")
}

/// The desk at one moment. Its file has no name any more: it is gone when this is.
pub struct DeskCopy {
    file: fs::File,
    kept: Kept,
}

/// Copies the desk in a folder; `None` where there is none.
pub async fn copy_desk(folder: &Path) -> Result<Option<DeskCopy>, ArchiveError> {
    let (from, to) = (folder.join(DESK), folder.join("snapshot.db"));
    if !from.exists() {
        return Ok(None);
    }
    let above = folder.to_owned();
    let locked = tokio::task::spawn_blocking(move || local::lock(&above, "snapshot.lock")).await;
    let _one = locked.map_err(|_| ArchiveError::Stopped("the copy of the desk died".into()))??;
    forget(&to)?;
    if let Err(error) = snapshot::snapshot(&from, &to).await {
        forget(&to)?;
        let (place, desk) = (folder.display(), from.display());
        return Err(ArchiveError::Place(format!(
            "không sao được {desk}: {error}; giải phóng chỗ ở {place} rồi chạy lại / {desk} cannot be copied; make room in {place}, then run this again"
        )));
    }
    let read = || -> io::Result<DeskCopy> {
        let (mut file, mut hasher, mut piece) = (fs::File::open(&to)?, Hasher::default(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut piece)? {
                0 => break,
                read => hasher.update(&piece[..read]),
            }
        }
        file.rewind()?;
        let size = hasher.size;
        Ok(DeskCopy { file, kept: Kept { sha256: hasher.finish(), size } })
    };
    let copy = read().map_err(|error| disk(&to, error));
    forget(&to)?;
    copy.map(Some)
}

impl DeskCopy {
    /// Puts it into a backup, where only this account reads if that can be had, and reads it back.
    ///
    /// If we stop here, it is there or it is not; no run names it yet.
    pub async fn put(mut self, backup: &Place) -> Result<Kept, ArchiveError> {
        let path = desk(self.kept.sha256);
        backup.private(DESKS)?;
        if backup.digest(&path).await.is_ok_and(|(found, _)| found == self.kept.sha256) {
            return Ok(self.kept);
        }
        let (mut staged, mut piece) = (backup.stage(&path).await?, vec![0; PIECE_BYTES]);
        loop {
            match self.file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => staged.write(&piece[..read]).await?,
                Err(error) => {
                    staged.abort().await;
                    return Err(disk(Path::new(DESK), error));
                }
            }
        }
        staged.finish().await?;
        match backup.digest(&path).await? {
            (found, _) if found == self.kept.sha256 => Ok(self.kept),
            _ => Err(StoreError::Differs { path }.into()),
        }
    }
}

/// Puts the keys in a folder into a backup, where nobody else can read them; their fingerprints.
///
/// If we stop here, some are there, and no run names them yet.
pub async fn put_secrets(folder: &Path, backup: &Place) -> Result<Vec<Digest>, ArchiveError> {
    let mut keys = Vec::new();
    // The next key is there while the key is changed.
    for name in ["signing.key", "next.key"] {
        let path = folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => keys.push(read(&Zeroizing::new(text), &path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(disk(&path, error)),
        }
    }
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    if !backup.private(SECRETS)? {
        return Err(others_read(backup));
    }
    let mut fingerprints = Vec::new();
    for key in keys {
        let fingerprint = key.verifying_key().fingerprint();
        let (path, text) = (secret(fingerprint), key.to_secret_text());
        backup.keep(&path, Bytes::copy_from_slice(text.as_bytes())).await?;
        if let Some(root) = backup.folder() {
            let path = root.join(&path);
            let closed = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
            closed.map_err(|error| disk(&path, error))?;
        }
        fingerprints.push(fingerprint);
    }
    Ok(fingerprints)
}

fn others_read(backup: &Place) -> ArchiveError {
    let name = backup.name();
    ArchiveError::Place(match backup.folder() {
        Some(root) => {
            let secret = root.join(SECRETS);
            let secret = secret.display();
            format!(
                "người khác đọc được {secret}: chmod 700 {secret}, hoặc sao lưu không kèm khóa với --without-keys / others can read {secret}: chmod 700 {secret}, or leave the keys out with --without-keys"
            )
        }
        None => format!(
            "không biết ai đọc được {name}: sao lưu không kèm khóa với --without-keys, và giữ secret/ ở nơi khác / nobody can tell who reads {name}: leave the keys out with --without-keys, and keep secret/ elsewhere"
        ),
    })
}

fn read(text: &str, path: &Path) -> Result<Signer, ArchiveError> {
    Signer::from_secret_text(text.trim_end())
        .map_err(|_| ArchiveError::Place(format!("{} is no signing key; bring it back from a backup", path.display())))
}

/// The key that signs what comes next, out of a backup; `None` where it is not there.
pub async fn key_in(backup: &Place, wanted: &VerifyingKey) -> Result<Option<Signer>, ArchiveError> {
    let path = secret(wanted.fingerprint());
    let bytes = match backup.read(&path).await {
        Ok(bytes) => bytes,
        Err(StoreError::Absent(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let signer = std::str::from_utf8(&bytes).ok().and_then(|text| Signer::from_secret_text(text.trim_end()).ok());
    Ok(signer.filter(|signer| signer.verifying_key() == wanted))
}

/// The same out of a folder where keys were kept apart, whatever they are called there.
pub fn key_at(folder: &Path, wanted: &VerifyingKey) -> Result<Option<Signer>, ArchiveError> {
    for entry in fs::read_dir(folder).map_err(|error| disk(folder, error))? {
        let path = entry.map_err(|error| disk(folder, error))?.path();
        let Ok(text) = fs::read_to_string(&path).map(Zeroizing::new) else { continue };
        let signer = Signer::from_secret_text(text.trim_end()).ok();
        if let Some(signer) = signer.filter(|signer| signer.verifying_key() == wanted) {
            return Ok(Some(signer));
        }
    }
    Ok(None)
}

/// Puts the key into a data folder, for this account alone.
///
/// If we stop here, there is a draft that is written over, or the whole key.
pub fn restore_key(folders: &Folders, signer: &Signer) -> Result<(), ArchiveError> {
    let (path, draft) = (folders.key(), folders.secret.join("signing.new"));
    let write = || -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folders.secret)?;
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(signer.to_secret_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        fs::File::open(&folders.secret)?.sync_all()
    };
    write().map_err(|error| disk(&path, error))
}

/// Puts the desk of the newest run that has one into a folder; whether there was one.
///
/// If we stop here, there is a draft that is written over, or the whole desk.
pub async fn restore_desk(backup: &Place, runs: &[Run], folder: &Path) -> Result<bool, ArchiveError> {
    fs::create_dir_all(folder).map_err(|error| disk(folder, error))?;
    let (path, draft) = (folder.join(DESK), folder.join("desk.new"));
    for kept in runs.iter().rev().filter_map(|run| run.desk) {
        if !take_desk(backup, kept, &draft).await? || !snapshot::is_sound(&draft).await {
            tracing::error!(place = backup.name(), "a desk of the backup is gone or damaged; an older one is taken");
            continue;
        }
        // What another restore left must not be read into this one.
        for beside in ["desk.db-wal", "desk.db-shm"] {
            forget(&folder.join(beside))?;
        }
        fs::rename(&draft, &path).map_err(|error| disk(&path, error))?;
        local::sync_folder(folder)?;
        return Ok(true);
    }
    forget(&draft)?;
    Ok(false)
}

/// Copies a desk out of a backup, hashed on its way; false where it is not as the run says.
pub async fn take_desk(backup: &Place, kept: Kept, to: &Path) -> Result<bool, ArchiveError> {
    let mut pieces = match backup.read_pieces(&desk(kept.sha256)).await {
        Ok(pieces) => pieces,
        Err(StoreError::Absent(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let create = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to);
    let (mut file, mut hasher) = (create.map_err(|error| disk(to, error))?, Hasher::default());
    while let Some(piece) = pieces.try_next().await? {
        hasher.update(&piece);
        file.write_all(&piece).map_err(|error| disk(to, error))?;
    }
    file.sync_all().map_err(|error| disk(to, error))?;
    Ok(hasher.finish() == kept.sha256)
}

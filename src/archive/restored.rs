//! An archive that came out of a backup, and of which nobody has said yet that it is *the* archive.
//!
//! # Why
//! *A restored archive and a living original are a fork in waiting.* Both have the key, both would sign what comes
//! next, and each would call the other a forger. So nothing is written to a restored archive until somebody vouches
//! that the original is gone: `vankho promote` then begins a new epoch there, and commits that the original may still
//! make are told for what they are, as those of any primary that was lost.
//!
//! *The mark is never taken away.* It names the epoch that was restored, and means nothing any more once the ledger has
//! a later one.

use crate::archive::{ArchiveError, keys, place};
use crate::ledger::{primacy::Primacy, published};
use crate::record::{entry::Instant, id::ActorId};
use crate::store::{Store, StoreError, local};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The mark's file in the data folder.
pub const MARK: &str = "restored.json";

/// What says of a folder that it is a backup.
pub const BACKUP: &str = "backup/README.txt";

/// What came out of which backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    pub archive: ActorId,
    pub origin: String,
    /// Where the backup was.
    pub from: String,
    pub began: Instant,
    /// Who decided the order of entries at the end of what is restored, and in which epoch.
    pub place: u32,
    pub epoch: u32,
    /// All of it is there, and was verified.
    pub whole: bool,
}

fn file(data: &Path) -> PathBuf {
    data.join(MARK)
}

/// The mark of a data folder, if it was restored.
pub fn read(data: &Path) -> Result<Option<Restored>, ArchiveError> {
    match fs::read(file(data)) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(mark) => Ok(Some(mark)),
            Err(_) => Err(ArchiveError::Damaged(file(data).display().to_string())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(place::disk(&file(data), error)),
    }
}

/// Puts the mark down.
///
/// If we stop here, the old one stands or the new one.
pub fn write(data: &Path, mark: &Restored) -> Result<(), ArchiveError> {
    let (path, draft) = (file(data), data.join(format!("{MARK}.new")));
    let text = serde_json::to_string(mark).map_err(|fault| ArchiveError::Damaged(fault.to_string()))? + "\n";
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    };
    write().map_err(|error| place::disk(&path, error))?;
    Ok(local::sync_folder(data)?)
}

/// Does the archive wait for somebody to vouch that its original is gone?
pub fn waits(data: &Path, now: Primacy) -> Result<bool, ArchiveError> {
    match read(data)? {
        Some(mark) if !mark.whole => Err(unfinished(&mark)),
        Some(mark) => Ok(now.epoch <= mark.epoch),
        None => Ok(false),
    }
}

/// Refuses a folder in which a restore has not come to its end, and a backup, which is to stay what it is.
pub fn expect_finished(data: &Path) -> Result<(), ArchiveError> {
    if data.join(BACKUP).exists() {
        let data = data.display();
        return Err(ArchiveError::Place(format!(
            "{data} is a backup: `vankho restore {data} --data DIR` brings the archive back, `vankho verify archive` judges it"
        )));
    }
    match read(data)? {
        Some(mark) if !mark.whole => Err(unfinished(&mark)),
        _ => Ok(()),
    }
}

/// Refuses to go on where nobody has vouched yet.
pub async fn expect_promoted(data: &Path, store: &Store) -> Result<(), ArchiveError> {
    let Some(mark) = read(data)? else { return Ok(()) };
    let now = match keys(store).await {
        Ok(keys) => published::tip(store, &keys).await?.1,
        Err(ArchiveError::Store(StoreError::Absent(_))) => Primacy::FIRST,
        Err(error) => return Err(error),
    };
    if now.epoch > mark.epoch {
        return Ok(());
    }
    let Restored { from, place, .. } = mark;
    Err(ArchiveError::Place(format!(
        "this archive was restored from {from}, and nothing is written to it until somebody vouches that its original is gone for good or cut off: `vankho promote --place {place} --old-is-gone --known FILE`, FILE being the newest receipt or checkpoint that anybody holds; to look at it only, `vankho verify archive`"
    )))
}

fn unfinished(mark: &Restored) -> ArchiveError {
    let from = &mark.from;
    ArchiveError::Place(format!(
        "the restore from {from} was interrupted or found damage; run `vankho restore` again, from there or from another backup of this archive: it goes on"
    ))
}

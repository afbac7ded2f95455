//! The published log (C2SP tlog-tiles), and receipts judged on request.
//!
//! # Why
//! *The path in the address is the path in the place*, after it was found to be one that the specification
//! has: whatever else lies under `log/` is not given out here.

use crate::archive::{Archive, ArchiveError};
use crate::evidence::cosigned;
use crate::ledger::tile::{self, Resource};
use crate::record::digest::Digest;
use crate::store::{StoreError, layout};
use crate::verify::receipt::verify_receipt;
use bytes::Bytes;

/// What a path of the published log leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Changes as the log grows.
    Checkpoint,
    /// Hashes; a full one never changes.
    Tile { full: bool },
    /// The entries themselves.
    Entries { full: bool },
}

/// Which part of the log a path (below `/log/`) names; `None` where the specification has none.
pub fn part(path: &str) -> Option<Part> {
    if path == "checkpoint" {
        return Some(Part::Checkpoint);
    }
    match tile::parse_path(&format!("log/{path}"))? {
        Resource::Tile(tile) => Some(Part::Tile { full: tile.is_full() }),
        Resource::Bundle(bundle) => Some(Part::Entries { full: bundle.is_full() }),
    }
}

/// The bytes of a part. `None` where the log is not so long, or the partial tile has become a full one. The checkpoint
/// comes with what witnesses have added.
pub async fn published(archive: &Archive, path: &str) -> Result<Option<Bytes>, ArchiveError> {
    match archive.store.read(&format!("log/{path}")).await {
        Ok(bytes) if part(path) == Some(Part::Checkpoint) => Ok(Some(with_cosignatures(archive, bytes).await)),
        Ok(bytes) => Ok(Some(bytes)),
        Err(StoreError::Absent(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The newest checkpoint as it was cosigned: nobody waits for witnesses, and nothing that they do hides the newest.
async fn with_cosignatures(archive: &Archive, newest: Bytes) -> Bytes {
    let stated = std::str::from_utf8(&newest).ok().and_then(|note| archive.ledger.read_checkpoint(note).ok());
    let Some(stated) = stated.filter(|_| !archive.witnesses.is_empty()) else { return newest };
    match cosigned::at(archive, stated.size).await {
        Ok(Some(cosigned)) if cosigned.checkpoint == stated => cosigned.note.into(),
        _ => newest,
    }
}

/// The file of public keys.
pub async fn keys(archive: &Archive) -> Result<Bytes, ArchiveError> {
    Ok(archive.store.read(layout::KEYS).await?)
}

/// What a receipt comes to, under this archive's own public keys.
#[derive(Debug, Clone)]
pub struct Judged {
    /// 0 holds, 1 evidence of tampering, 2 incomplete, 3 cannot be checked.
    pub outcome: u8,
    pub vi: String,
    pub en: String,
}

/// Judges a receipt, its description and a file by its digest.
pub async fn judge(
    archive: &Archive,
    receipt: &[u8],
    description: Option<&[u8]>,
    file: Option<Digest>,
) -> Result<Judged, ArchiveError> {
    let keys = keys(archive).await?;
    let verdict = verify_receipt(receipt, &keys, description, file);
    Ok(Judged { outcome: verdict.outcome.exit_code(), vi: verdict.vietnamese, en: verdict.english })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_specification_lead_anywhere() {
        for (path, expected) in [
            ("checkpoint", Some(Part::Checkpoint)),
            ("tile/0/000", Some(Part::Tile { full: true })),
            ("tile/3/x001/x234/067.p/255", Some(Part::Tile { full: false })),
            ("tile/entries/x001/067", Some(Part::Entries { full: true })),
            ("tile/entries/000.p/1", Some(Part::Entries { full: false })),
            ("tile/64/000", None),
            ("tile/00/000", None),
            ("tile/0/0000", None),
            ("tile/0/x000/x001", None),
            ("tile/0/000.p/256", None),
            ("tile/0/000.p/0", None),
            ("tile/0/000.p/1/2", None),
            ("tile/0/../../keys/archive.keys", None),
            ("commits/00000000000000000000", None),
            ("checkpoints/1", None),
            ("", None),
        ] {
            assert_eq!(part(path), expected, "{path}");
        }
    }
}

//! Evidence: what a depositor, a court or a successor archive takes along.
//!
//! # Why
//! *A receipt comes with the description that its entry names*, salt included: without it the digest in the
//! ledger proves that something was taken in, and not what. It is made anew on every request, against the
//! newest checkpoint, so there is nothing to store and nothing to lose; where witnesses have cosigned one that covers
//! the entry, against that one, with their lines.

pub mod cosigned;
pub mod published;
pub mod witnesses;

use crate::archive::{Archive, ArchiveError};
use crate::ledger::log::LedgerError;
use crate::record::id::RecordId;
use cosigned::Cosigned;

/// A receipt with the description that its entry names: all that checking needs besides the file and the
/// archive's public keys.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub receipt: String,
    /// RFC 8785 JSON, byte for byte as it was hashed.
    pub description: Vec<u8>,
}

/// The receipt of a record's accession (`latest` false) or of its description in force. `None` where the archive has
/// no such record.
pub async fn receipt(archive: &Archive, record: RecordId, latest: bool) -> Result<Option<Evidence>, ArchiveError> {
    let life = archive.catalog.life(record).await?;
    let mut named = life.iter().filter_map(|happened| Some((happened.seq, happened.description?)));
    let Some((seq, digest)) = (if latest { named.next_back() } else { named.next() }) else { return Ok(None) };
    let Some(described) = archive.description_of(record, digest).await? else { return Ok(None) };
    let description = described.description.to_bytes().map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    Ok(Some(Evidence { receipt: prove(archive, seq).await?, description }))
}

/// The receipt of an entry: under the checkpoint that most witnesses cosigned, else under the newest.
pub async fn prove(archive: &Archive, seq: u64) -> Result<String, ArchiveError> {
    let Some(Cosigned { checkpoint, note, .. }) = cosigned::covering(archive, seq).await? else {
        return archive.prove(seq).await;
    };
    match archive.ledger.prove_under(seq, checkpoint.size, checkpoint.root, note).await {
        Ok(receipt) => Ok(receipt.encode()),
        // What was cosigned is not what is here; `vankho verify archive` and the witness say so too.
        Err(LedgerError::Damaged { .. }) => archive.prove(seq).await,
        Err(error) => Err(error.into()),
    }
}

//! Evidence: what a depositor, a court or a successor archive takes along.
//!
//! # Why
//! *A receipt comes with the description that its entry names*, salt included: without it the digest in the
//! ledger proves that something was taken in, and not what. It is made anew on every request, against the
//! newest checkpoint, so there is nothing to store and nothing to lose; where witnesses have cosigned one that covers
//! the entry, against that one, with their lines; and, when asked for the time, against the first one that an authority
//! stamped, with its token.

pub mod audits;
pub mod cosigned;
pub mod published;
pub mod timestamps;
pub mod witnesses;

use crate::archive::{Archive, ArchiveError};
use crate::ledger::{checkpoint::Checkpoint, log::LedgerError};
use crate::record::id::RecordId;
use crate::store::{StoreError, layout};
use bytes::Bytes;
use cosigned::Cosigned;
use reqwest::{Client, Url, redirect};
use std::time::Duration;

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
    let Some((seq, description)) = named(archive, record, latest).await? else { return Ok(None) };
    Ok(Some(Evidence { receipt: prove(archive, seq).await?, description }))
}

/// Evidence with what a timestamping authority said of the checkpoint that the receipt is under.
#[derive(Debug, Clone)]
pub struct Timely {
    pub evidence: Evidence,
    /// RFC 3161, as the authority sent it.
    pub token: Bytes,
}

/// The same under the first checkpoint that has the entry and that was timestamped. `None` where there is no such record,
/// or no timestamp yet.
pub async fn timely(archive: &Archive, record: RecordId, latest: bool) -> Result<Option<Timely>, ArchiveError> {
    let Some((seq, description)) = named(archive, record, latest).await? else { return Ok(None) };
    let Some(stamped) = archive.catalog.timestamp_over(seq).await? else { return Ok(None) };
    let size = stamped.size;
    let note = archive.store.read_as(&layout::checkpoint(size), stamped.checkpoint).await?;
    let own = String::from_utf8(note.to_vec()).map_err(|_| ArchiveError::Damaged(layout::checkpoint(size)))?;
    let checkpoint = archive.ledger.read_checkpoint(&own)?;
    let cosigned = cosigned::at(archive, size).await?.filter(|cosigned| cosigned.checkpoint == checkpoint);
    let note = cosigned.map_or(own, |cosigned| cosigned.note);
    let receipt = archive.ledger.prove_under(seq, size, checkpoint.root, note).await?.encode();
    let token = archive.store.read_as(&layout::token(size, &stamped.authority), stamped.token).await?;
    Ok(Some(Timely { evidence: Evidence { receipt, description }, token }))
}

/// The entry of a record's accession, or of its description in force, and that description.
async fn named(archive: &Archive, record: RecordId, latest: bool) -> Result<Option<(u64, Vec<u8>)>, ArchiveError> {
    let life = archive.catalog.life(record).await?;
    let mut named = life.iter().filter_map(|happened| Some((happened.seq, happened.description?)));
    let Some((seq, digest)) = (if latest { named.next_back() } else { named.next() }) else { return Ok(None) };
    let Some(described) = archive.description_of(record, digest).await? else { return Ok(None) };
    let description = described.description.to_bytes().map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    Ok(Some((seq, description)))
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

/// The checkpoint that is published, and its note.
async fn newest(archive: &Archive) -> Result<Option<(Checkpoint, String)>, ArchiveError> {
    let bytes = match archive.store.read(layout::CHECKPOINT).await {
        Err(StoreError::Absent(_)) => return Ok(None),
        bytes => bytes?,
    };
    let note = String::from_utf8(bytes.to_vec()).map_err(|_| ArchiveError::Damaged(layout::CHECKPOINT.into()))?;
    Ok(Some((archive.ledger.read_checkpoint(&note)?, note)))
}

/// Who asks another machine: no redirects, no longer than a limit, and past every proxy where it is this machine.
fn client(url: &Url, limit_ms: u64) -> Result<Client, reqwest::Error> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let client = Client::builder().timeout(Duration::from_millis(limit_ms.max(1))).redirect(redirect::Policy::none());
    if here { client.no_proxy().build() } else { client.build() }
}

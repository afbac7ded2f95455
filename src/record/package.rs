//! What a depositor hands over for one record, before anything is kept: the door brings it to `ingest`.

use crate::record::{digest::Digest, finding::Finding, id::RecordId, metadata::Metadata};
use std::path::PathBuf;

/// One row of a manifest, or one file of a folder.
#[derive(Clone, Debug)]
pub struct Package {
    /// Counted from 1 in the order of the source.
    pub row: u64,
    /// Tells this row from every other of its source, and is the same when the source is read again:
    /// the key under which the client's journal keeps the row's idempotency key.
    pub identity: Digest,
    pub metadata: Metadata,
    pub components: Vec<Source>,
    /// Warnings travel with the record; any error stops this row and nothing else.
    pub findings: Vec<Finding>,
}

/// The promise under which a package is handed over, however often: its idempotency key and the record it
/// will become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    pub key: [u8; 32],
    pub record: RecordId,
}

/// Where the bytes of a component come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file at a path; `name` is its name as the manifest gave it, `expected` the depositor's digest.
    File { path: PathBuf, name: String, expected: Option<Digest> },
    /// Text given in the row itself.
    Text { text: String },
    /// A page that the archive itself made, under the name of a file.
    Page { name: String, html: String },
}

impl Source {
    /// Bytes that wait in memory.
    pub fn held_bytes(&self) -> usize {
        match self {
            Source::File { .. } => 0,
            Source::Text { text } => text.len(),
            Source::Page { html, .. } => html.len(),
        }
    }
}

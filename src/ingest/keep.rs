//! Keeping: components and description durable on the required number of replicas, read back, hashed.

use crate::archive::{Archive, ArchiveError, keep::Described};
use crate::ingest::{
    seal::{Marks, Sealed},
    stage::Held,
};
use crate::record::finding::Finding;
use futures::{TryStreamExt, future::join, stream};

/// Components of one record that are written at once.
const AT_ONCE: usize = 8;

/// A record that only waits for its entry.
pub struct Kept<'a> {
    pub described: Described,
    pub findings: Vec<Finding>,
    /// Dropped when the entry is committed.
    _marks: Marks<'a>,
}

/// Writes and reads back everything that the entry will name.
///
/// If we stop here, a record folder holds what no entry names; its intent has it swept.
pub async fn keep<'a>(archive: &Archive, sealed: Sealed<'a>) -> Result<Kept<'a>, ArchiveError> {
    let Sealed { description, held, findings, marks } = sealed;
    let record = description.record;
    let components =
        stream::iter(held.into_iter().map(Ok)).try_for_each_concurrent(AT_ONCE, |(digest, held)| async move {
            match held {
                Held::InMemory(bytes) => archive.keep_bytes(record, digest, bytes).await,
                Held::InStaging(path) => archive.keep_staged(record, &path, digest).await,
            }
        });
    let (components, described) = join(components, archive.keep_description(description)).await;
    components?;
    Ok(Kept { described: described?, findings, _marks: marks })
}

//! Keeping: components and description durable on the required number of replicas, read back, hashed.

use crate::archive::{Archive, ArchiveError, keep::Described};
use crate::ingest::{
    seal::{Marks, Sealed},
    stage::Held,
};
use crate::record::{digest::Digest, finding::Finding, id::RecordId};
use futures::{FutureExt, TryStreamExt, future::join, stream};

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
    // Boxed: of a nameless one the compiler cannot tell that it may move between threads.
    let writes = held.into_iter().map(|(digest, held)| Ok(write(archive, record, digest, held).boxed()));
    let components = stream::iter(writes).try_buffer_unordered(AT_ONCE).try_collect::<()>();
    let (components, described) = join(components, archive.keep_description(description)).await;
    components?;
    Ok(Kept { described: described?, findings, _marks: marks })
}

async fn write(archive: &Archive, record: RecordId, digest: Digest, held: Held) -> Result<(), ArchiveError> {
    match held {
        Held::InMemory(bytes) => archive.keep_bytes(record, digest, bytes).await,
        Held::InStaging(path) => archive.keep_staged(record, &path, digest).await,
    }
}

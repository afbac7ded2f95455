//! Does the archive hold this file? Asked by digest, answered as far as the asker may see.

use crate::access::may_see;
use crate::archive::{Archive, ArchiveError};
use crate::record::{access::Reader, digest::Digest, id::RecordId};

/// A record that holds the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    pub record: RecordId,
    pub component: u32,
    pub subject: String,
}

/// Records told at most.
const HOLDINGS_MAX: u32 = 100;

/// The records that hold a component with this digest and that the reader may see.
pub async fn holding(archive: &Archive, reader: &Reader, digest: Digest) -> Result<Vec<Holding>, ArchiveError> {
    let mut found = Vec::new();
    for (record, component) in archive.catalog.holders(digest, HOLDINGS_MAX).await? {
        let known = archive.catalog.record(record).await?;
        found.extend(known.filter(|known| may_see(reader, known)).map(|known| Holding {
            record,
            component,
            subject: known.subject,
        }));
    }
    Ok(found)
}

//! Orders are carried out, and holds on saved searches catch what arrives later.

use crate::access::{self, ask};
use crate::archive::{Archive, ArchiveError};
use crate::disposition::{
    DispositionError,
    execution::{self, Resumed, Why},
    holds,
};
use crate::record::{access::Reader, hold::Scope, id::RecordId};
use std::time::Duration;

/// Hits that are asked for at once.
const PAGE: usize = 1000;
/// Between two rounds where nothing was to be done.
const PAUSE: Duration = Duration::from_secs(30);
/// And where something waits for a place that is away, a hold or a person.
const PAUSE_PENDING: Duration = Duration::from_secs(300);

/// Runs until it is dropped.
pub async fn rounds(archive: &Archive) {
    let mut caught = u64::MAX;
    loop {
        if let Err(error) = catch(archive, &mut caught).await {
            tracing::warn!(%error, "what holds should catch could not be looked for; it is looked for again");
        }
        let pause = match execution::resume(archive).await {
            Ok(resumed) => {
                tell(&resumed);
                if resumed.pending.is_empty() { PAUSE } else { PAUSE_PENDING }
            }
            Err(error) => {
                tracing::warn!(%error, "a round of disposition ended early; it begins again");
                PAUSE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Everything that words find, as an archivist finds it.
pub async fn found(archive: &Archive, words: &str) -> Result<Vec<RecordId>, ArchiveError> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let question = ask::Question { text: words.into(), limit: PAGE, cursor, ..ask::Question::default() };
        let query = ask::query(question, Reader::Archivist);
        let query = query.map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
        let page = access::search(archive, query, false).await?;
        found.extend(page.found.into_iter().map(|one| one.known.record));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

/// Has every hold that is in force lie on what it should: after a stop, and where something came since the last look.
///
/// If we stop here, the next look asks the same.
async fn catch(archive: &Archive, caught: &mut u64) -> Result<(), DispositionError> {
    let size = archive.catalog.applied();
    if size == *caught {
        return Ok(());
    }
    // What is committed and not found yet is caught once it is.
    archive.settle().await?;
    for known in archive.catalog.holds().await?.iter().filter(|known| known.released.is_none()) {
        let whole = known.scope != "search" && known.placed > 0;
        let Some((hold, _)) = (if whole { None } else { holds::hold(archive, known.hold).await? }) else { continue };
        let found = match &hold.scope {
            Scope::Search { query, .. } => found(archive, query).await?,
            _ => Vec::new(),
        };
        let placed = holds::catch(archive, known.hold, &found).await?;
        if placed > 0 {
            tracing::info!(hold.id = %known.hold, placed, "a hold caught what it should lie on");
        }
    }
    *caught = size;
    Ok(())
}

fn tell(resumed: &Resumed) {
    metrics::gauge!("vankho_orders_pending").set(resumed.pending.len() as f64);
    metrics::counter!("vankho_records_destroyed_total").increment(resumed.certified);
    for pending in &resumed.pending {
        let of = pending.of;
        match &pending.why {
            Why::NotCertified(why) => tracing::warn!(?of, why = why.as_str(), "an order has no certificate yet"),
            Why::Refused(why) => tracing::warn!(?of, why = why.as_str(), "an order cannot be finished"),
            Why::Failed(error) => tracing::warn!(?of, %error, "an order could not be carried out now"),
        }
    }
}

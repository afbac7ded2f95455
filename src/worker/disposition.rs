//! Orders are carried out, and holds on saved searches catch what arrives later.

use crate::access::saved;
use crate::archive::Archive;
use crate::disposition::{
    DispositionError,
    execution::{self, Resumed, Why},
    holds,
};
use crate::record::{access::Reader, hold::Scope, id::HoldId};
use crate::worker::dossiers;
use std::{collections::BTreeSet, time::Duration};

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(30);

/// How far holds have been looked after.
#[derive(Default)]
struct Caught {
    /// Entries that the catalog had applied at the last look.
    size: Option<u64>,
    /// Saved searches that are not meant for later arrivals, and lie on all that they found.
    done: BTreeSet<HoldId>,
}

/// Runs until it is dropped.
pub async fn rounds(archive: &Archive) {
    let (mut caught, mut pending, mut kept) = (Caught::default(), 0, dossiers::Kept::default());
    loop {
        if let Err(error) = dossiers::keep(archive, &mut kept).await {
            tracing::warn!(%error, "the papers of a closed case are not kept yet; it is tried again");
        }
        if let Err(error) = catch(archive, &mut caught).await {
            tracing::warn!(%error, "what holds should catch could not be looked for; it is looked for again");
        }
        match execution::resume(archive).await {
            Ok(resumed) => {
                // What has been said and has not changed is not said again.
                if resumed.certified > 0 || resumed.pending.len() != pending {
                    tell(&resumed);
                }
                pending = resumed.pending.len();
                metrics::gauge!("vankho_orders_pending").set(pending as f64);
                metrics::counter!("vankho_records_destroyed_total").increment(resumed.certified);
            }
            Err(error) => tracing::warn!(%error, "a round of disposition ended early; it begins again"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Has every hold that is in force lie on what it should: after a stop, and where something came since the last look.
///
/// If we stop here, the next look asks the same.
async fn catch(archive: &Archive, caught: &mut Caught) -> Result<(), DispositionError> {
    let size = archive.catalog.applied();
    if caught.size == Some(size) {
        return Ok(());
    }
    // What is committed and not found yet is caught once it is.
    archive.settle().await?;
    for known in archive.catalog.holds().await?.iter().filter(|known| known.released.is_none()) {
        if caught.done.contains(&known.hold) || (known.scope != "search" && known.placed > 0) {
            continue;
        }
        let Some((hold, _)) = holds::hold(archive, known.hold).await? else { continue };
        let found = match &hold.scope {
            Scope::Search { query, .. } => match saved::found(archive, query, Reader::Archivist).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(hold.id = %known.hold, %error, "what a hold should catch could not be looked for");
                    continue;
                }
            },
            _ => Vec::new(),
        };
        let placed = holds::catch(archive, known.hold, &found).await?;
        if matches!(hold.scope, Scope::Search { later_arrivals: false, .. }) {
            caught.done.insert(known.hold);
        }
        if placed > 0 {
            tracing::info!(hold.id = %known.hold, placed, "a hold caught what it should lie on");
        }
    }
    caught.size = Some(size);
    Ok(())
}

fn tell(resumed: &Resumed) {
    for pending in &resumed.pending {
        let of = &pending.of;
        match &pending.why {
            Why::NotCertified(why) => tracing::warn!(%of, why = why.as_str(), "an order has no certificate yet"),
            Why::Refused(why) => tracing::warn!(%of, why = why.as_str(), "an order cannot be finished"),
            Why::Failed(error) => tracing::warn!(%of, %error, "an order could not be carried out now"),
        }
    }
}

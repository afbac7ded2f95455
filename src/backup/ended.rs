//! Which records were ordered to end, by the commits at places that have them.

use crate::ledger::{commit::Commit, keys::KeyFile};
use crate::record::{entry::Entry, id::RecordId};
use crate::store::{Place, layout};
use std::{collections::HashSet, ops::Range};

/// The records that the entries of a range order to end, each commit from whichever place has it. What cannot be read ends
/// it: whoever follows the ledger says what is wrong.
pub async fn ended(places: &[Place], keys: &KeyFile, entries: Range<u64>) -> HashSet<RecordId> {
    let (mut base, mut ended) = (entries.start, HashSet::new());
    while base < entries.end {
        let Some(commit) = commit(places, keys, base).await else { break };
        ended.extend(ended_by(&commit.entries));
        base = commit.size;
    }
    ended
}

async fn commit(places: &[Place], keys: &KeyFile, base: u64) -> Option<Commit> {
    for place in places {
        if let Ok(bytes) = place.read(&layout::commit(base)).await
            && let Ok(commit) = Commit::parse(&bytes, base, keys)
        {
            return Some(commit);
        }
    }
    None
}

/// The records that these entries order to end.
pub fn ended_by(entries: &[Vec<u8>]) -> impl Iterator<Item = RecordId> {
    let orders = entries.iter().filter(|bytes| Entry::may_tell(bytes, "_ordered\""));
    orders.filter_map(|bytes| Entry::from_bytes(bytes).ok()?.event.ends())
}

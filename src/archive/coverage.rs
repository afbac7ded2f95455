//! Coverage: how long the byte has gone unread that nobody has read for the longest time, at every place.
//!
//! # Why
//! *The beginning of the last round that came to its end.* Every byte was read in it or later, so none has gone
//! unread for longer. Where no round has ended, the first accession counts: what is taken in is read back.

use crate::archive::{Archive, ArchiveError};
use crate::record::{entry::Instant, fixity::Round};
use crate::store::Standing;

/// What is known of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    pub place: u32,
    pub name: String,
    /// No byte there has gone unread since before this; `None` where there is none.
    pub unread_since: Option<Instant>,
    pub round: Option<Round>,
    /// Does it answer, so that rounds can go on there?
    pub answers: bool,
}

impl Coverage {
    /// Seconds for which the oldest unread byte has gone unread.
    pub fn age_seconds(&self, now: Instant) -> u64 {
        self.unread_since.map_or(0, |since| (now.micros() - since.micros()).max(0) as u64 / 1_000_000)
    }
}

impl Archive {
    /// Every place, the primary first.
    pub async fn coverage(&self) -> Result<Vec<Coverage>, ArchiveError> {
        let first = self.catalog.records(0, 1).await?.first().map(|known| known.at);
        let primary = (self.store.number(), self.store.primary().name().to_owned(), true);
        let replicas = self.store.replicas().all().iter().map(|replica| {
            let answers = replica.standing() == Standing::Taking;
            (replica.number, replica.place.name().to_owned(), answers)
        });
        let mut coverage = Vec::new();
        for (place, name, answers) in std::iter::once(primary).chain(replicas) {
            let fixity = self.desk.fixity(place).await?;
            let unread_since = fixity.whole.or(first);
            coverage.push(Coverage { place, name, unread_since, round: fixity.round, answers });
        }
        Ok(coverage)
    }
}

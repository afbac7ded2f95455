//! What a replica holds of the ledger: a beginning of ours, or another history.
//!
//! # Why
//! *Another history is left alone.* Commits that only one place has are evidence of a primary that was lost and
//! came back. They are told, never merged, and nothing is written over them.
//!
//! *Damage is no history.* What cannot be a commit of anybody's, or says what ours says over altered entries, is written
//! anew, once; a second time it is told.

use crate::archive::{ArchiveError, heal::Healing};
use crate::ledger::{
    commit::Commit,
    log::{Committed, Ledger, LedgerError},
};
use crate::store::{Place, Replica, StoreError, layout};

impl Healing {
    /// The ledger as the replica has it. What cannot be a commit of anybody's is made good again.
    pub(in crate::archive) async fn ledger_of(&self, replica: &Replica) -> Result<Ledger, ArchiveError> {
        let place = &replica.place;
        let theirs = match self.ledger.at(place.clone()).await {
            Err(LedgerError::Damaged { .. }) => {
                place.discard(layout::CHECKPOINT).await?;
                self.ledger.at(place.clone()).await?
            }
            theirs => theirs?,
        };
        let mut mended = None;
        loop {
            match theirs.catch_up().await {
                Ok(Some(_)) => {}
                // Written anew, and still no commit that can follow there: what is before it is not ours.
                Err(LedgerError::Damaged { path, fault }) if mended.as_ref() == Some(&path) => {
                    return Err(LedgerError::Damaged { path, fault }.into());
                }
                Ok(None) => return Ok(theirs),
                Err(LedgerError::Damaged { path, fault }) => {
                    let mut replay = self.ledger.replay_from(theirs.size()).await?;
                    let ours = replay.next().await?;
                    let Some(ours) = ours.filter(|ours| ours.base == theirs.size()) else {
                        return Err(LedgerError::Damaged { path, fault }.into());
                    };
                    if self.is_another(place, &path, &ours).await? {
                        return Err(LedgerError::Damaged { path, fault }.into());
                    }
                    tracing::warn!(place = place.name(), path, "a damaged commit of a replica is written anew");
                    place.keep(&path, ours.bytes).await?;
                    mended = Some(path);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does an object hold another commit than ours that was signed by this archive? One of ours whose entries are
    /// altered is damage.
    async fn is_another(&self, place: &Place, path: &str, ours: &Committed) -> Result<bool, ArchiveError> {
        let theirs = Commit::parse(&place.read(path).await?, ours.base, self.ledger.keys());
        Ok(theirs.is_ok_and(|theirs| (theirs.size, theirs.root) != (ours.size, ours.root)))
    }

    /// Are the commits of a replica a beginning of ours? If not, it is told, and left alone.
    pub(in crate::archive) async fn is_ours(&self, replica: &Replica, theirs: &Ledger) -> Result<bool, ArchiveError> {
        let (ours, size) = (self.ledger.size(), theirs.size());
        if size > ours && self.store.primary().has(&layout::commit(ours)).await? {
            // Another process committed it, and we shall hear of it.
            return Ok(replica.compare(self.store.primary(), self.store.replicas().newest()).await?);
        }
        let tip = theirs.tip_checkpoint();
        if size == 0 || size <= ours && self.ledger.follows(&tip).await? {
            return Ok(true);
        }
        let (from, why) = self.strays(replica, size).await?;
        replica.diverges(from, &why);
        Ok(false)
    }

    /// What only the replica has, from the end back to where it was the same as ours: where it begins, and in words.
    async fn strays(&self, replica: &Replica, size: u64) -> Result<(u64, String), ArchiveError> {
        let (mut from, mut commits, mut entries) = (size, 0, 0);
        while let Some(base) = replica.place.commit_before(from).await? {
            let path = layout::commit(base);
            let bytes = replica.place.read(&path).await?;
            let same = match self.store.primary().read(&path).await {
                Ok(ours) => ours == bytes,
                Err(StoreError::Absent(_)) => false,
                Err(error) => return Err(error.into()),
            };
            if same {
                break;
            }
            let theirs = Commit::parse(&bytes, base, self.ledger.keys());
            let theirs = theirs.map_err(|fault| ArchiveError::Damaged(format!("{path}: {fault}")))?;
            (from, commits, entries) = (base, commits + 1, entries + theirs.entries.len());
        }
        let why = format!(
            "from size {from} on it has {entries} entries in {commits} commits that no other place has; they are not merged"
        );
        Ok((from, why))
    }
}

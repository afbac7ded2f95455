//! Before a commit is created: is the storage still what this process believes that it is?
//!
//! # Why
//! *A disk that goes back takes the lock with it.* The commit object is the only lock, and at a primary that came back as
//! an older copy of itself it is free again where somebody has committed. So what the next commit would stand on, and
//! what would stand beside it, is asked for before it is created: a commit that is created cannot be taken back, for
//! somebody may have gone on from it.
//!
//! *The other places know.* A commit is at the primary before it is anywhere else. Where another place has one at this
//! size, and the primary has none, the primary lost it. They are asked while the primary is, and one question costs less
//! than the fsync that follows; a primary that is alone has nobody to ask.

use crate::ledger::{
    commit::Commit,
    log::{Ledger, LedgerError, SECURE_ATTEMPTS, SECURE_PAUSE},
    primacy::Primacy,
};
use crate::store::{StoreError, layout};
use bytes::Bytes;
use futures::future::join;

/// The same of whichever commit is missing.
const WENT_BACK: &str = "the storage went back to an earlier state";

impl Ledger {
    /// Is there room for a commit after those that begin at `before`? False where another writer was first: catch up.
    pub(in crate::ledger) async fn has_room(
        &self,
        base: u64,
        before: Option<u64>,
        primacy: Primacy,
    ) -> Result<bool, LedgerError> {
        let (stands, ahead) = join(self.expect_commit(before), self.ahead(base)).await;
        stands?;
        let (path, ahead) = (layout::commit(base), ahead?);
        if ahead.is_empty() {
            return Ok(true);
        }
        if self.store.has(&path).await? {
            return Ok(false);
        }
        for bytes in ahead {
            match Commit::parse(&bytes, base, &self.keys).map(|theirs| theirs.primacy) {
                // What a promotion left behind. Healing tells it.
                Ok(theirs) if theirs.epoch < primacy.epoch => {}
                Ok(now) if now.epoch > primacy.epoch => {
                    return Err(LedgerError::NotPrimary { place: self.store.number(), now });
                }
                _ => {
                    return Err(LedgerError::bad(
                        path,
                        format!("another place has it and the primary has not: {WENT_BACK}"),
                    ));
                }
            }
        }
        Ok(true)
    }

    /// Is the commit still there that the next one follows? A disk that went back under a process that writes would get
    /// a chain with a hole in it.
    async fn expect_commit(&self, base: Option<u64>) -> Result<(), LedgerError> {
        let Some(path) = base.map(layout::commit) else { return Ok(()) };
        match self.store.has(&path).await? {
            true => Ok(()),
            false => Err(LedgerError::bad(path, format!("it was there and is gone: {WENT_BACK}"))),
        }
    }

    /// What other places hold where the next commit is to be. They are asked as often as a commit is offered to them.
    async fn ahead(&self, base: u64) -> Result<Vec<Bytes>, StoreError> {
        for _ in 1..SECURE_ATTEMPTS {
            match self.store.replicas().ahead(base).await {
                Err(error @ StoreError::TooFew { .. }) => {
                    tracing::warn!(base, %error, "too few places can be asked for a commit; they are asked again");
                    tokio::time::sleep(SECURE_PAUSE).await;
                }
                asked => return asked,
            }
        }
        self.store.replicas().ahead(base).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        edge::Edge,
        keys::{KeyFile, Signer},
        log::Appended,
        merkle::leaf_hash,
    };
    use crate::record::id::ActorId;
    use crate::store::{Place, Replicas, Store, identity::Identity};
    use std::{sync::Arc, time::Duration};
    use zeroize::Zeroizing;

    const PATIENCE: Duration = Duration::from_secs(1);

    fn signer() -> Arc<Signer> {
        Arc::new(Signer::from_seed("example.vn/kho", &Zeroizing::new([3; 32])).unwrap())
    }

    fn memory() -> Place {
        Store::memory().primary().clone()
    }

    /// A ledger of one entry in two places, of which both must hold it.
    async fn ledger() -> (Ledger, Place, Place) {
        let (primary, other, signer) = (memory(), memory(), signer());
        let replicas = Replicas::new(vec![(2, other.clone())], 2, PATIENCE);
        let archive = ActorId::new(0, [2; 10]);
        replicas.all()[0].is(Identity { archive, origin: signer.origin().into(), replica: 2, epoch: 1 });
        replicas.all()[0].takes();
        let keys = KeyFile::founding(signer.verifying_key().clone());
        let ledger = Ledger::open(Store::of(primary.clone(), 1, replicas), signer, keys).await.unwrap();
        assert!(matches!(ledger.append(vec![b"first".to_vec()]).await, Ok(Appended::Committed(_))));
        (ledger, primary, other)
    }

    /// What another process commits after the first entry.
    fn another(primacy: Primacy) -> Bytes {
        let (mut edge, entries) = (Edge::default(), vec![b"second".to_vec()]);
        [b"first".as_slice(), b"second"].iter().for_each(|entry| edge.append(leaf_hash(entry)));
        Commit { base: 1, entries, size: 2, root: edge.root(), primacy }.encode(&signer()).into()
    }

    #[tokio::test]
    async fn nothing_is_created_beside_what_another_place_has() {
        let second = |epoch| Primacy { replica: 1, epoch };
        for (theirs, told) in [
            (another(second(1)), "the storage went back"),
            (another(second(2)), "decides the order of entries now"),
            (Bytes::from_static(b"damaged"), "the storage went back"),
        ] {
            let (ledger, primary, other) = ledger().await;
            other.keep(&layout::commit(1), theirs).await.unwrap();
            let refused = ledger.append(vec![b"late".to_vec()]).await.unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
            assert!(!primary.has(&layout::commit(1)).await.unwrap(), "nothing is beside it");
        }
    }

    #[tokio::test]
    async fn what_was_taken_for_another_history_is_asked_where_it_parts() {
        let (ledger, primary, other) = ledger().await;
        other.keep(&layout::commit(1), another(Primacy::FIRST)).await.unwrap();
        ledger.store.replicas().all()[0].diverges(1, "a round found it ahead of a primary that went back");
        let refused = ledger.append(vec![b"late".to_vec()]).await.unwrap_err().to_string();
        assert!(refused.contains(WENT_BACK), "{refused}");
        assert!(!primary.has(&layout::commit(1)).await.unwrap());
    }

    #[tokio::test]
    async fn whoever_was_first_at_the_primary_has_won() {
        let (ledger, primary, other) = ledger().await;
        for place in [&primary, &other] {
            place.keep(&layout::commit(1), another(Primacy::FIRST)).await.unwrap();
        }
        assert!(matches!(ledger.append(vec![b"late".to_vec()]).await, Ok(Appended::LostRace)));
    }

    #[tokio::test]
    async fn nothing_is_created_where_too_few_places_can_be_asked() {
        let (ledger, primary, _) = ledger().await;
        ledger.store.replicas().all()[0].diverges(7, "for this test");
        let refused = ledger.append(vec![b"late".to_vec()]).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Store(StoreError::TooFew { held: 1, required: 2, .. })), "{refused}");
        assert!(!primary.has(&layout::commit(1)).await.unwrap());
    }
}

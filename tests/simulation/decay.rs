//! Decay: a bit that changes on a disk by itself, and the readings that find it.

use crate::life::Life;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use vankho::{
    archive::Archive,
    evidence::audits,
    fixity::{self, Step},
    record::sampling::Terms,
    store::{Standing, layout, replicas::Pace},
};

/// Steps of one round at most: a life has few records.
const STEPS_MAX: usize = 100;

impl Life {
    /// A bit flips in something that is kept, where another place must have it right.
    pub async fn decay(&mut self) {
        let number = 1 + self.chance.below(self.disks.len() as u64) as u32;
        if !self.model.may_lose(number) {
            return;
        }
        let objects = self.disk(number).objects();
        let mut kept: Vec<ObjectMeta> = objects.list(Some(&layout::RECORDS.into())).try_collect().await.unwrap();
        kept.sort_by(|one, other| one.location.cmp(&other.location));
        if kept.is_empty() {
            return;
        }
        let at = kept.swap_remove(self.chance.below(kept.len() as u64) as usize).location;
        let mut bytes = objects.get(&at).await.unwrap().bytes().await.unwrap().to_vec();
        let bit = self.chance.below(8 * bytes.len() as u64) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
        objects.put(&at, bytes.into()).await.unwrap();
        self.model.decayed.insert(number);
        self.decays = true;
        self.tell(format!("a bit of {at} flips at place {number}"));
    }

    /// Everything is read again at every place; what is whole then may decay again.
    pub async fn read_again(&mut self, n: usize) {
        if !self.open(n).await {
            return;
        }
        let Some((archive, _)) = &self.machines[n].open else { return };
        let whole = whole(archive).await;
        self.model.decayed.retain(|number| !whole.contains(number));
        self.tell(format!("machine {n} reads everything again: {whole:?} are whole"));
    }

    /// A sample is drawn, read and reported.
    pub async fn audit(&mut self, n: usize) {
        if !self.open(n).await {
            return;
        }
        let Some((archive, _)) = &self.machines[n].open else { return };
        let terms = Terms::of_shares(0.2, 0.9).unwrap();
        let ended = audits::audit(archive, archive.operator, None, terms, &|_, _| {}).await;
        let told = ended.map_or_else(|error| error.to_string(), |ended| format!("{ended:?}"));
        self.tell(format!("machine {n} audits: {told}"));
    }
}

/// The places that hold everything as it was kept: a second round finds nothing.
pub async fn whole(archive: &Archive) -> Vec<u32> {
    let Ok(debts) = archive.healing.debts().await else { return Vec::new() };
    let owes = |number| {
        debts.iter().any(|debt| debt.number == number && (debt.entries > 0 || debt.standing != Standing::Taking))
    };
    let mut whole = Vec::new();
    for (number, _) in archive.places() {
        let found = (round(archive, number).await, round(archive, number).await);
        if found.1 == Some(0) && !owes(number) {
            whole.push(number);
        }
    }
    whole
}

/// A round at a place, to its end: what it found; `None` where it could not be ended.
async fn round(archive: &Archive, number: u32) -> Option<u64> {
    for _ in 0..STEPS_MAX {
        match fixity::step(archive, number, &mut Pace::of(u64::MAX)).await {
            Ok(Step::GoesOn { .. }) => {}
            Ok(Step::Ended { round, .. }) => return Some(round.faults),
            Ok(Step::Away) | Err(_) => return None,
        }
    }
    None
}

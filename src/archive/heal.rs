//! Healing: what a replica missed is brought to it, and what it holds is compared.
//!
//! # Why
//! *From a mark on.* The desk keeps for every replica how many entries it is known to hold with all that they
//! name; what lies behind the mark is the debt that `vankho status` shows, and an interrupted round goes on from
//! there. What this process wrote and read back is not read again.
//!
//! *The ledger of a replica is a ledger.* Opened over the replica, it checks the replica's own commits, tells
//! whether they are a beginning of ours, and publishes tiles and checkpoint there as it does at the primary.
//! Superseded partial tiles and the checkpoints between were refused: they can be made again from the commits.
//!
//! *Another history is left alone.* Commits that only one place has are evidence of a primary that was lost and
//! came back. They are told, never merged, and nothing is written over them.

use crate::archive::{ArchiveError, place};
use crate::config::Storage;
use crate::desk::Desk;
use crate::ledger::{
    commit::Commit,
    log::{Ledger, LedgerError},
};
use crate::record::{
    description::Description,
    digest::Digest,
    entry::{Entry, Event},
};
use crate::store::{
    Place, Store, StoreError,
    identity::Identity,
    layout,
    replicas::{Pace, Replica, Standing, copy},
};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// The mark is put down after so many entries, so that little is done twice.
const MARK_ENTRIES: u64 = 1000;

/// What healing needs.
#[derive(Clone, Debug)]
pub struct Healing {
    pub store: Store,
    pub ledger: Arc<Ledger>,
    pub desk: Desk,
    pub bytes_per_second_max: u64,
    /// One round at a time in this process: two would write one object at once, and take each other's for a failure.
    one: Arc<Mutex<()>>,
}

/// How a replica stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    pub number: u32,
    pub name: String,
    pub standing: Standing,
    /// Entries that it is not known to hold with all that they name.
    pub entries: u64,
    pub why: Option<String>,
}

impl Healing {
    pub fn new(store: &Store, ledger: &Arc<Ledger>, desk: &Desk, storage: &Storage) -> Healing {
        let bytes_per_second_max = storage.heal_bytes_per_second_max;
        let (store, ledger, desk) = (store.clone(), ledger.clone(), desk.clone());
        Healing { store, ledger, desk, bytes_per_second_max, one: Arc::default() }
    }

    /// Asks every replica that has not said yet who it is, so that it takes writes from the first on.
    pub async fn introduce(&self) {
        let introduce = |replica: &Arc<Replica>| {
            let replica = replica.clone();
            async move {
                let known = match self.desk.healed(replica.number).await {
                    Ok(known) => known.is_some(),
                    Err(error) => return replica.rests(&error.to_string()),
                };
                match tokio::time::timeout(self.store.replicas().patience(), self.join(&replica, known)).await {
                    Ok(Ok(())) => replica.takes(),
                    Ok(Err(error)) => replica.rests(&error.to_string()),
                    Err(_) => replica.rests(&StoreError::slow(replica.place.name()).to_string()),
                }
            }
        };
        let unknown = self.store.replicas().all().iter().filter(|replica| {
            let told = replica.told();
            told.standing == Standing::Resting && told.why.is_none()
        });
        join_all(unknown.map(introduce)).await;
    }

    /// Heals every so often, for as long as the archive is open.
    pub async fn run(self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.round(&|_, _| {}).await;
        }
    }

    /// Brings every replica up to date as far as it can be; what cannot be stays a debt. `tell` hears the number of a
    /// replica and how many entries it holds.
    pub async fn round(&self, tell: &(dyn Fn(u32, u64) + Send + Sync)) {
        let _one = self.one.lock().await;
        let heal = |replica: &Arc<Replica>| {
            let replica = replica.clone();
            async move {
                if let Err(error) = self.heal(&replica, tell).await {
                    replica.rests(&error.to_string());
                }
            }
        };
        join_all(self.store.replicas().all().iter().map(heal)).await;
    }

    /// What every replica is behind.
    pub async fn debts(&self) -> Result<Vec<Debt>, ArchiveError> {
        let (mut debts, size) = (Vec::new(), self.ledger.size());
        for replica in self.store.replicas().all() {
            let healed = self.desk.healed(replica.number).await?.unwrap_or(0);
            let told = replica.told();
            let entries = size.saturating_sub(healed);
            debts.push(Debt { number: told.number, name: told.name, standing: told.standing, entries, why: told.why });
        }
        Ok(debts)
    }

    /// Heals one replica, and says why where that cannot be.
    pub async fn make_whole(&self, number: u32, tell: &(dyn Fn(u32, u64) + Send + Sync)) -> Result<(), ArchiveError> {
        let _one = self.one.lock().await;
        let replica = self.store.replicas().all().iter().find(|replica| replica.number == number);
        let replica =
            replica.ok_or_else(|| ArchiveError::Place(format!("place {number} is no replica that answers")))?;
        self.heal(replica, tell).await?;
        let told = replica.told();
        match told.standing {
            Standing::Taking => Ok(()),
            _ => Err(ArchiveError::Place(format!("{}: {}", told.name, told.why.unwrap_or_default()))),
        }
    }

    /// If we stop here, the mark stands where all before it is whole, and the next round goes on.
    async fn heal(&self, replica: &Replica, tell: &(dyn Fn(u32, u64) + Send + Sync)) -> Result<(), ArchiveError> {
        let known = self.desk.healed(replica.number).await?;
        let mut healed = known.unwrap_or(0);
        if replica.standing() == Standing::Taking && healed == self.ledger.size() {
            replica.is_whole();
            return Ok(());
        }
        self.join(replica, known.is_some()).await?;
        let theirs = self.ledger_of(replica).await?;
        if !self.is_ours(replica, &theirs).await? {
            return Ok(());
        }
        replica.takes();
        let (mut replay, mut pace) = (self.ledger.replay_from(healed).await?, Pace::of(self.bytes_per_second_max));
        let (mut marked, mut documents) = (healed, false);
        while let Some(commit) = replay.next().await? {
            for bytes in &commit.entries {
                documents |= self.entry(replica, bytes, &mut pace).await?;
            }
            let path = layout::commit(commit.base);
            let bytes = self.store.primary().read(&path).await?;
            // A commit goes last: a replica's ledger names nothing that the replica was not given.
            replica.secure(&path, bytes).await?;
            healed = commit.size;
            if healed >= marked + MARK_ENTRIES {
                if documents {
                    self.documents(replica, &mut pace).await?;
                    documents = false;
                }
                self.desk.set_healed(replica.number, healed).await?;
                marked = healed;
                tell(replica.number, healed);
            }
        }
        if documents {
            self.documents(replica, &mut pace).await?;
        }
        while theirs.size() < healed && theirs.catch_up().await?.is_some() {}
        theirs.publish().await?;
        self.desk.set_healed(replica.number, healed).await?;
        replica.is_whole();
        tell(replica.number, healed);
        Ok(())
    }

    /// Who the replica is: an empty place joins, unless it was not empty before.
    async fn join(&self, replica: &Replica, known: bool) -> Result<(), ArchiveError> {
        let primary = self.store.primary().identity().await?;
        let primary = primary.ok_or_else(|| ArchiveError::Damaged(layout::PLACE.into()))?;
        let identity = Identity { replica: replica.number, epoch: self.ledger.primacy().epoch, ..primary };
        let name = replica.place.name();
        if known && replica.place.identity().await?.is_none() {
            let advice = "mount it, or heal it anew with `vankho heal --anew`";
            return Err(ArchiveError::Place(format!("{name} is empty and was not; {advice}")));
        }
        let there = replica.place.join(&identity).await?;
        if there.replica != replica.number {
            let (number, other) = (replica.number, there.replica);
            return Err(ArchiveError::Place(format!(
                "{name} stands as place {number} and is place {other}; put it where it belongs in storage.places"
            )));
        }
        Ok(())
    }

    /// The ledger as the replica has it. What cannot be a commit of anybody's is made good again.
    async fn ledger_of(&self, replica: &Replica) -> Result<Ledger, ArchiveError> {
        let place = &replica.place;
        let theirs = match self.ledger.at(place.clone()).await {
            Err(LedgerError::Damaged { .. }) => {
                place.discard(layout::CHECKPOINT).await?;
                self.ledger.at(place.clone()).await?
            }
            theirs => theirs?,
        };
        loop {
            match theirs.catch_up().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(theirs),
                Err(LedgerError::Damaged { path, .. }) if !self.is_a_commit(place, &path, theirs.size()).await? => {
                    tracing::warn!(place = place.name(), path, "a damaged commit of a replica is written anew");
                    place.keep(&path, self.store.primary().read(&path).await?).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does an object hold a commit that was signed by this archive?
    async fn is_a_commit(&self, place: &Place, path: &str, base: u64) -> Result<bool, ArchiveError> {
        let bytes = place.read(path).await?;
        Ok(Commit::parse(&bytes, base, self.ledger.keys()).is_ok())
    }

    /// Are the commits of a replica a beginning of ours? If not, it is told, and left alone.
    async fn is_ours(&self, replica: &Replica, theirs: &Ledger) -> Result<bool, ArchiveError> {
        let (ours, size) = (self.ledger.size(), theirs.size());
        if size > ours && self.store.primary().has(&layout::commit(ours)).await? {
            // Another process committed it, and we shall hear of it.
            return Ok(false);
        }
        let tip = self.ledger.read_checkpoint(&theirs.checkpoint())?;
        if size == 0 || size <= ours && self.ledger.follows(&tip).await? {
            return Ok(true);
        }
        replica.diverges(&self.strays(replica, size).await?);
        Ok(false)
    }

    /// What only the replica has, in words.
    async fn strays(&self, replica: &Replica, size: u64) -> Result<String, ArchiveError> {
        let (mut base, mut fork) = (0, None);
        let (mut commits, mut entries) = (0, 0);
        while base < size {
            let path = layout::commit(base);
            let bytes = replica.place.read(&path).await?;
            let theirs = Commit::parse(&bytes, base, self.ledger.keys());
            let theirs = theirs.map_err(|fault| ArchiveError::Damaged(format!("{path}: {fault}")))?;
            let same = match self.store.primary().read(&path).await {
                Ok(ours) => ours == bytes,
                Err(StoreError::Absent(_)) => false,
                Err(error) => return Err(error.into()),
            };
            if fork.is_some() || !same {
                fork = fork.or(Some(base));
                (commits, entries) = (commits + 1, entries + theirs.entries.len());
            }
            base = theirs.size;
        }
        let from = fork.unwrap_or(size);
        Ok(format!(
            "from size {from} on it has {entries} entries in {commits} commits that no other place has; they are not merged"
        ))
    }

    /// Everything that an entry names; says whether it is about documents.
    async fn entry(&self, replica: &Replica, bytes: &[u8], pace: &mut Pace) -> Result<bool, ArchiveError> {
        let entry = Entry::from_bytes(bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        let (Some(record), Some(digest)) = (entry.event.record(), entry.event.description()) else {
            return Ok(matches!(entry.event, Event::Founded { .. } | Event::Refreshed { .. }));
        };
        let path = layout::description(record, digest);
        self.ensure(replica, &path, digest, pace).await?;
        let description = match self.store.read(&path).await {
            Ok(bytes) => Description::from_bytes(&bytes).ok(),
            Err(StoreError::Absent(_)) => None,
            Err(error) => return Err(error.into()),
        };
        for component in description.iter().flat_map(|description| &description.components) {
            self.ensure(replica, &layout::component(record, component.sha256), component.sha256, pace).await?;
        }
        Ok(false)
    }

    /// The self-description in force.
    async fn documents(&self, replica: &Replica, pace: &mut Pace) -> Result<(), ArchiveError> {
        for (path, digest) in place::in_force(&self.ledger).await? {
            if path != layout::PLACE {
                self.ensure(replica, &path, digest, pace).await?;
            }
        }
        Ok(())
    }

    /// An object at the replica, with the right digest, from whichever place has it so.
    async fn ensure(&self, replica: &Replica, path: &str, digest: Digest, pace: &mut Pace) -> Result<(), ArchiveError> {
        if replica.forgets(path) {
            return Ok(());
        }
        match replica.place.digest(path).await {
            Ok((found, size)) => {
                pace.wait(size as usize).await;
                if found == digest {
                    return Ok(());
                }
                tracing::warn!(
                    place = replica.place.name(),
                    path,
                    "an object of a replica is altered and is written anew"
                );
            }
            Err(StoreError::Absent(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let others = self.store.replicas().all().iter().filter(|other| other.number != replica.number);
        let others = others.filter(|other| other.standing() == Standing::Taking).map(|other| &other.place);
        for source in std::iter::once(self.store.primary()).chain(others) {
            match copy(source, &replica.place, path, digest, pace).await {
                Ok(()) => return Ok(()),
                // Who is to blame? A source that has it right has done its part.
                Err(error) if source.digest(path).await.is_ok_and(|(found, _)| found == digest) => {
                    return Err(error.into());
                }
                Err(_) => {}
            }
        }
        tracing::error!(path, "no place has this object as it was kept; run `vankho verify archive`");
        Ok(())
    }
}

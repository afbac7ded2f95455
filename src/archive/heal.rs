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
//! *The mark is of this desk, the disk is what it is.* A disk that comes back as an older copy of itself, and ends
//! before the mark, is compared from the first entry on: the copy may be from before it was whole.
//!
//! *The last steps are taken while nobody else writes commits there.* Otherwise one that is on its way when a round
//! ends would be missing at the replica, and with it every later one.
//!
//! *Another history is left alone* (`archive/astray.rs`).

use crate::archive::{ArchiveError, destroy, place};
use crate::catalog::Catalog;
use crate::config::Storage;
use crate::desk::Desk;
use crate::ledger::log::Ledger;
use crate::record::{
    description::Description,
    digest::Digest,
    entry::{Entry, Event},
    id::RecordId,
};
use crate::store::{
    Link, Listed, Replica, Standing, Store, StoreError,
    identity::Identity,
    layout,
    replicas::{Pace, copy, lacks},
};
use futures::{TryStreamExt, future::join_all};
use std::{collections::HashMap, sync::Arc, time::Duration};
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
    /// Which records ended; where no catalog is at hand, the ledger is asked.
    catalog: Option<Catalog>,
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
    pub fn new(
        store: &Store,
        ledger: &Arc<Ledger>,
        (catalog, desk): (Option<&Catalog>, &Desk),
        storage: &Storage,
    ) -> Healing {
        let bytes_per_second_max = storage.heal_bytes_per_second_max;
        let (store, ledger, desk) = (store.clone(), ledger.clone(), desk.clone());
        Healing { store, ledger, desk, bytes_per_second_max, catalog: catalog.cloned(), one: Arc::default() }
    }

    /// The entry that orders a record to end, where there is one.
    async fn ended(&self, record: RecordId) -> Result<Option<u64>, ArchiveError> {
        match &self.catalog {
            Some(catalog) => Ok(catalog.ended(record).await?.map(|ended| ended.seq)),
            None => destroy::ordered_by(&self.ledger, record).await,
        }
    }

    /// Asks every replica that has not said yet who it is, and holds it against the primary, so that it counts from
    /// the first write on. Where too few do, what they lack is brought to them before anything else.
    pub async fn introduce(&self, tell: &(dyn Fn(u32, u64) + Send + Sync)) {
        let introduce = |replica: &Arc<Replica>| {
            let replica = replica.clone();
            async move {
                match tokio::time::timeout(self.store.replicas().patience(), self.meet(&replica)).await {
                    Ok(Ok(true)) => {}
                    Ok(Ok(false)) => replica.rests("it lacks entries, and is healed"),
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
        if !self.store.replicas().suffice() {
            self.round(tell).await;
        }
    }

    /// Does a place have all our commits?
    ///
    /// If we stop here, it has joined or it has not, and the next round does the rest.
    async fn meet(&self, replica: &Replica) -> Result<bool, ArchiveError> {
        let known = self.desk.healed(replica.number).await?;
        self.join(replica, known.is_some()).await?;
        let (mark, primary) = (known.unwrap_or(0), self.store.primary());
        if mark > 0 && replica.place.commit_before(mark).await? != primary.commit_before(mark).await? {
            // An older copy of itself: commits are brought there from now on, and what they name would be taken for
            // there too. If we stop here, the next round compares it from the first entry on, which is what it needs.
            self.desk.set_healed(replica.number, 0).await?;
        }
        Ok(replica.compare(primary, self.store.replicas().newest()).await?)
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
        if let Err(error) = self.complete().await {
            tracing::warn!(%error, "the primary may lack what it missed before it was promoted; it is tried again");
        }
    }

    /// A primary that was promoted may lack what it had not been given as a replica: another place has it.
    ///
    /// If we stop here, the mark stands where all before it is whole, and the next round begins there.
    async fn complete(&self) -> Result<(), ArchiveError> {
        let (number, primary) = (self.store.number(), self.store.primary());
        // A place that nobody has healed has decided from the first entry on, and has all that it accepted.
        let Some(mark) = self.desk.healed(number).await?.filter(|mark| *mark < self.ledger.size()) else {
            return Ok(());
        };
        let (mut replay, mut waiting, mut missed) = (self.ledger.replay_from(mark).await?, Vec::new(), Vec::new());
        while let Some(commit) = replay.next().await? {
            let promotes = |bytes: &Vec<u8>| match Entry::from_bytes(bytes).map(|entry| entry.event) {
                Ok(Event::Promoted { replica, .. }) => replica == number,
                _ => false,
            };
            let promoted = commit.entries.iter().any(promotes);
            waiting.extend(commit.entries);
            if promoted {
                missed.append(&mut waiting);
            }
        }
        let (itself, mut pace) = (Replica::new(number, primary.clone()), Pace::of(self.bytes_per_second_max));
        let mut whole = true;
        for bytes in &missed {
            whole &= self.entry(&itself, bytes, &mut pace).await?;
        }
        if !whole {
            return Ok(());
        }
        Ok(self.desk.set_healed(number, self.ledger.size()).await?)
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
        let primary = self.store.primary();
        if replica.standing() == Standing::Taking
            && known == Some(self.ledger.size())
            && replica.compare(primary, self.store.replicas().newest()).await?
        {
            replica.is_whole();
            return Ok(());
        }
        if replica.is_astray(primary).await? {
            return Ok(());
        }
        self.join(replica, known.is_some()).await?;
        let theirs = self.ledger_of(replica).await?;
        if !self.is_ours(replica, &theirs).await? {
            return Ok(());
        }
        let mark = known.filter(|mark| *mark <= theirs.size());
        if mark.is_none() {
            replica.forgets_all();
        }
        replica.promises(primary).await?;
        replica.takes();
        let mut pace = Pace::of(self.bytes_per_second_max);
        let healed = self.bring(replica, mark.unwrap_or(0), &mut pace, tell).await?;
        while theirs.catch_up().await?.is_some() {}
        theirs.publish().await?;
        self.desk.set_healed(replica.number, healed).await?;
        replica.is_whole();
        tell(replica.number, healed);
        self.cosignatures(replica).await
    }

    /// Brings every entry from a size on, with all that it names; answers to where that is whole.
    ///
    /// If we stop here, the mark stands where all before it is whole, and the next round goes on.
    async fn bring(
        &self,
        replica: &Replica,
        from: u64,
        pace: &mut Pace,
        tell: &(dyn Fn(u32, u64) + Send + Sync),
    ) -> Result<u64, ArchiveError> {
        // A process that has just opened may not have caught up yet.
        let (primary, mut healed) = (self.store.primary(), from.min(self.ledger.size()));
        let mut before = if healed == 0 { None } else { primary.commit_before(healed).await? };
        let (mut replay, mut marked, mut documents) = (self.ledger.replay_from(healed).await?, healed, false);
        // The first commit that names something which no place has: the mark stays before it.
        let mut lacking = None;
        let mut order = None;
        loop {
            let Some(commit) = replay.beyond().await? else {
                // Once more while nobody else writes commits there.
                match order {
                    Some(_) => break,
                    None => order = Some(replica.order().await),
                }
                continue;
            };
            if !self.named(replica, &commit.entries, &mut documents, pace).await? {
                lacking = lacking.or(Some(commit.base));
            }
            let link = Link { base: commit.base, size: commit.size, before };
            // A commit goes last: a replica's ledger names nothing that the replica was not given.
            let follows = match &order {
                Some(order) => replica.follow(order, primary, link, commit.bytes).await?,
                None => replica.secure(primary, link, commit.bytes).await?,
            };
            if !follows {
                return Ok(lacking.unwrap_or(healed));
            }
            (before, healed) = (Some(commit.base), commit.size);
            if healed >= marked + MARK_ENTRIES && lacking.is_none() {
                self.desk.set_healed(replica.number, healed).await?;
                marked = healed;
                tell(replica.number, healed);
            }
        }
        replica.follows_to(healed);
        Ok(lacking.unwrap_or(healed))
    }

    /// Everything that the entries of a commit name, at a replica; false where some of it is at no place that answers.
    async fn named(
        &self,
        replica: &Replica,
        entries: &[Vec<u8>],
        documents: &mut bool,
        pace: &mut Pace,
    ) -> Result<bool, ArchiveError> {
        let mut whole = true;
        for bytes in entries {
            whole &= self.entry(replica, bytes, pace).await?;
        }
        // Those in force, once: of older ones nothing is kept.
        let describes = |bytes: &Vec<u8>| Entry::from_bytes(bytes).is_ok_and(|entry| entry.event.documents().is_some());
        if !*documents && entries.iter().any(describes) {
            whole &= self.documents(replica, pace).await?;
            *documents = true;
        }
        Ok(whole)
    }

    /// Who the replica is: an empty place joins, unless it was not empty before.
    async fn join(&self, replica: &Replica, known: bool) -> Result<(), ArchiveError> {
        let primary = self.store.primary().identity().await?;
        let primary = primary.ok_or_else(|| ArchiveError::Damaged(layout::PLACE.into()))?;
        // The first place joined when the archive was founded, also where its disk is another one now.
        let epoch = if replica.number == 1 { 1 } else { self.ledger.primacy().epoch };
        let identity = Identity { replica: replica.number, epoch, ..primary };
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
        replica.is(there);
        Ok(())
    }

    /// Everything that an entry names, at a replica; false where some of it is at no place that answers.
    async fn entry(&self, replica: &Replica, bytes: &[u8], pace: &mut Pace) -> Result<bool, ArchiveError> {
        let entry = Entry::from_bytes(bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        if let Event::Timestamped { size, checkpoint, authority, token, chain, .. } = &entry.event {
            let (at, beside) = (layout::token(*size, authority), layout::chain(*size, authority));
            return Ok(self.ensure(replica, &layout::checkpoint(*size), *checkpoint, pace).await?
                & self.ensure(replica, &beside, *chain, pace).await?
                & self.ensure(replica, &at, *token, pace).await?);
        }
        if let Some((record, digest)) = entry.event.stub() {
            return self.ensure(replica, &layout::stub(record, digest), digest, pace).await;
        }
        let Some((unit, digest)) = entry.event.names() else { return Ok(true) };
        if let Some(record) = unit.record()
            && let Some(order) = self.ended(record).await?
        {
            // Nothing of it is brought; what a disk that went back has again goes by the same order.
            destroy::empty(&self.ledger, order, &replica.place).await?;
            return Ok(true);
        }
        let path = layout::description(unit, digest);
        let mut whole = self.ensure(replica, &path, digest, pace).await?;
        if unit.record().is_none() {
            return Ok(whole);
        }
        let description = match self.store.read_as(&path, digest).await {
            Ok(bytes) => Description::from_bytes(&bytes).ok(),
            Err(StoreError::Absent(_) | StoreError::Differs { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        for component in description.iter().flat_map(|description| &description.components) {
            whole &= self.ensure(replica, &layout::component(unit, component.sha256), component.sha256, pace).await?;
        }
        Ok(whole)
    }

    /// What witnesses have said, which cannot be made again from the commits.
    ///
    /// If we stop here, some of it is there, and the next round brings the rest.
    async fn cosignatures(&self, replica: &Replica) -> Result<(), ArchiveError> {
        let primary = self.store.primary();
        let there: Vec<Listed> = replica.place.list(layout::COSIGNATURES)?.try_collect().await?;
        let there: HashMap<String, u64> = there.into_iter().map(|listed| (listed.path, listed.size)).collect();
        let mut ours = primary.list(layout::COSIGNATURES)?;
        // A line more makes it longer; what is altered there is for `verify archive` to find.
        while let Some(listed) = ours.try_next().await? {
            if there.get(&listed.path) != Some(&listed.size) {
                replica.place.keep(&listed.path, primary.read(&listed.path).await?).await?;
            }
        }
        Ok(())
    }

    /// The self-description in force; false where some of it is at no place that answers.
    async fn documents(&self, replica: &Replica, pace: &mut Pace) -> Result<bool, ArchiveError> {
        let mut whole = true;
        for (path, digest) in place::in_force(&self.ledger).await? {
            whole &= path == layout::PLACE || self.ensure(replica, &path, digest, pace).await?;
        }
        Ok(whole)
    }

    /// An object at the replica, with the right digest, from whichever place has it so; false where none has.
    async fn ensure(
        &self,
        replica: &Replica,
        path: &str,
        digest: Digest,
        pace: &mut Pace,
    ) -> Result<bool, ArchiveError> {
        if replica.forgets(path) {
            return Ok(true);
        }
        match replica.place.digest(path).await {
            Ok((found, size)) => {
                pace.wait(size as usize).await;
                if found == digest {
                    return Ok(true);
                }
                tracing::warn!(
                    place = replica.place.name(),
                    path = layout::without_digests(path),
                    "an object of a replica is altered and is written anew"
                );
            }
            Err(StoreError::Absent(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let others = self.store.replicas().all().iter().filter(|other| other.number != replica.number);
        // Whoever it comes from, it is hashed on its way; a place that is away is not waited for.
        let others = others.filter(|other| other.is_known() && other.standing() != Standing::Resting);
        let others = others.map(|other| &other.place);
        for source in std::iter::once(self.store.primary()).chain(others) {
            let Err(error) = copy(source, &replica.place, path, digest, pace).await else { return Ok(true) };
            if !lacks(source, path, digest).await? {
                // It has it right, or was misread: whatever failed may not fail the next time.
                return Err(error.into());
            }
        }
        let path = layout::without_digests(path);
        tracing::error!(path, "no place has this object as it was kept; run `vankho verify archive`");
        Ok(false)
    }
}

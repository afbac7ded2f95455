//! Sweeping: what a process left that died while it was writing is discarded by the next one that starts.
//!
//! # Why
//! *Intents.* A process says, durably, which record folders it may be writing into before it writes there.
//! After a crash the next one opens these folders, and only these, and discards what no entry and no
//! description names. Ages were refused as the rule: they leave litter for days, and `verify` could not
//! tell a crash of this morning from a file that somebody slipped in.
//!
//! *Whose intents?* All of them, where nobody else on this machine has the place open. Where somebody has, a
//! desk's own, for whoever holds `derived/` knows that its predecessor is dead, and those older than
//! `ingest.staging_age_days_max`; but a record that another desk's intent names too is left alone, because that
//! desk may be describing it, and its own intent stands.
//!
//! *Listed first, then the intents, then the ledger.* A file that was listed had its intent before it was
//! written. So either that intent still stands when we look for it, or what it was for is committed, and the
//! ledger names the file.

use crate::archive::{ArchiveError, apply, apply::Derived, destroy};
use crate::ledger::log::Ledger;
use crate::record::{id::ActorId, unit::Unit};
use crate::store::{Listed, StoreError, layout, local};
use bytes::Bytes;
use futures::TryStreamExt;
use std::collections::{HashMap, HashSet};
use tokio::sync::Mutex;

/// How often an intent is read until two readings agree.
const READINGS_MAX: usize = 6;

/// What sweeping needs to know.
pub struct Sweep<'a> {
    pub derived: &'a Derived,
    pub ledger: &'a Ledger,
    /// Whose intents are those of a dead predecessor.
    pub operator: ActorId,
    /// What is older than this is nobody's any more: seconds since 1970.
    pub oldest: i64,
    /// No other process has the place open.
    pub alone: bool,
    /// What others promised, by the paths of their intents: an intent says one thing as long as it stands.
    pub promised: Mutex<HashMap<String, HashSet<Unit>>>,
}

impl Sweep<'_> {
    /// Discards writes under way, what intents name and nothing else does, and staging past its age.
    ///
    /// If we stop here, the intents stand and the rest is swept the next time.
    pub async fn run(&self) -> Result<(), ArchiveError> {
        let store = &self.derived.store;
        if self.alone {
            self.leftovers()?;
        }
        let intents = self.intents().await?;
        for intent in intents.iter().filter(|one| self.is_ours(one)) {
            let Some(text) = self.read(intent).await? else { continue };
            let mut swept = true;
            for line in String::from_utf8_lossy(&text).lines() {
                match layout::unit_intended(line) {
                    Some(unit) => swept &= self.unit(unit).await?,
                    None => swept &= self.other(line).await? || intent.modified < self.oldest,
                }
            }
            if swept {
                store.discard(&intent.path).await?;
            }
        }
        let staged: Vec<_> = store.list(layout::STAGING)?.try_collect().await?;
        let old = |staged: &&Listed| {
            let kept = layout::LOCKS.contains(&staged.path.as_str()) || staged.path.starts_with(layout::INTENTS);
            staged.modified < self.oldest && !kept
        };
        for old in staged.iter().filter(old) {
            store.discard(&old.path).await?;
        }
        Ok(())
    }

    /// Is this an intent of somebody who is dead?
    fn is_ours(&self, intent: &Listed) -> bool {
        let mine = format!("{}/", layout::intents(self.operator));
        self.alone || intent.path.starts_with(&mine) || intent.modified < self.oldest
    }

    /// The intents at every place that answers: one that decided before may have some that this one was never told.
    async fn intents(&self) -> Result<Vec<Listed>, ArchiveError> {
        let store = &self.derived.store;
        let mut intents: Vec<_> = store.list(layout::INTENTS)?.try_collect().await?;
        intents.extend(store.replicas().listed(layout::INTENTS).await);
        intents.sort_by(|one, other| one.path.cmp(&other.path));
        intents.dedup_by(|one, other| one.path == other.path);
        Ok(intents)
    }

    /// What an intent says, in two readings that agree: one that was misread would be taken for fulfilled. `None` where
    /// it has been fulfilled meanwhile.
    async fn read(&self, intent: &Listed) -> Result<Option<Bytes>, ArchiveError> {
        let store = &self.derived.store;
        let mut last = None;
        for _ in 0..READINGS_MAX {
            let now = match store.primary().read(&intent.path).await {
                Ok(text) => Some(text),
                Err(StoreError::Absent(_)) => store.replicas().read(&intent.path).await,
                Err(error) => return Err(error.into()),
            };
            if now.is_none() || now == last {
                return Ok(now);
            }
            last = now;
        }
        Err(StoreError::Differs { path: intent.path.clone() }.into())
    }

    /// Does somebody who may be alive say that they are writing into a unit's folder?
    async fn named_by_others(&self, unit: Unit) -> Result<bool, ArchiveError> {
        if self.alone {
            return Ok(false);
        }
        // Which of them stand is asked for each unit anew, for a file may have been written since; what they say is not.
        let mut promised = self.promised.lock().await;
        for intent in self.intents().await?.into_iter().filter(|one| !self.is_ours(one)) {
            if !promised.contains_key(&intent.path) {
                let Some(text) = self.read(&intent).await? else { continue };
                let units = String::from_utf8_lossy(&text).lines().filter_map(layout::unit_intended).collect();
                promised.insert(intent.path.clone(), units);
            }
            if promised.get(&intent.path).is_some_and(|units| units.contains(&unit)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes under way outside of records, which no intent names.
    fn leftovers(&self) -> Result<(), ArchiveError> {
        for root in self.derived.store.folders() {
            let top = local::names(root, "")?.into_iter().filter(|name| local::is_leftover(name));
            let mut leftovers: Vec<String> = top.collect();
            for folder in ["log", "keys", "schemas", layout::STAGING] {
                leftovers.extend(local::leftovers(root, folder)?);
            }
            leftovers.iter().try_for_each(|leftover| local::remove(root, leftover))?;
        }
        Ok(())
    }

    /// Drops a stub, a certificate or a file of a timestamp that no entry names.
    async fn other(&self, path: &str) -> Result<bool, ArchiveError> {
        let Some((record, digest)) = layout::stub_of(path) else { return self.timestamp(path).await };
        self.derived.catch_up(self.ledger).await?;
        let ended = self.derived.catalog.ended(record).await?;
        if ended.is_some_and(|ended| ended.stub == digest || ended.certificate == Some(digest)) {
            return Ok(true);
        }
        let store = &self.derived.store;
        store.primary().discard(path).await?;
        // Where a replica cannot be asked, the intent stands until it can be.
        Ok(store.replicas().discard(path).await.is_ok())
    }

    /// Drops a file of a timestamp that no entry names; says whether that could be done, which it cannot where the path
    /// is of none. If we stop here, the intent stands and it is done again.
    async fn timestamp(&self, path: &str) -> Result<bool, ArchiveError> {
        let Some((size, authority)) = layout::timestamp_of(path) else { return Ok(false) };
        self.derived.catch_up(self.ledger).await?;
        if self.derived.catalog.timestamp_at(size, &authority).await?.is_some() {
            return Ok(true);
        }
        let store = &self.derived.store;
        store.primary().discard(path).await?;
        // Where a replica cannot be asked, the intent stands until it can be.
        Ok(store.replicas().discard(path).await.is_ok())
    }

    /// Empties a unit's folder of what nothing names; says whether that could be done. If we stop here, the
    /// intent stands and it is done again.
    async fn unit(&self, unit: Unit) -> Result<bool, ArchiveError> {
        let store = &self.derived.store;
        let folder = layout::unit(unit);
        let mut listed: Vec<_> = store.list(&folder)?.try_collect().await?;
        // Where a replica cannot be asked, the intent stands until it can be.
        let everywhere = match store.replicas().list(&folder).await {
            Ok(there) => {
                listed.extend(there);
                true
            }
            Err(_) => false,
        };
        if self.named_by_others(unit).await? {
            return Ok(false);
        }
        self.derived.catch_up(self.ledger).await?;
        if let Some(record) = unit.record()
            && let Some(ended) = self.derived.catalog.ended(record).await?
        {
            // Whoever was writing had not heard of the order. A replica is emptied when it is healed or looked at.
            destroy::empty(self.ledger, ended.seq, store.primary()).await?;
            return Ok(true);
        }
        if let Some(record) = unit.record() {
            let staged: Vec<_> = store.list(&layout::staging(record))?.try_collect().await?;
            for one in staged {
                store.discard(&one.path).await?;
            }
        }
        for root in store.folders() {
            for leftover in local::leftovers(root, &folder)? {
                local::remove(root, &leftover)?;
            }
            // Whoever made the folder may have died before its name was on the disk; who finds it takes it as it is.
            local::sync_parent(&root.join(&folder))?;
        }
        if listed.is_empty() {
            return Ok(everywhere);
        }
        let Some(named) = self.named(unit).await? else {
            // What it named cannot be told from an orphan, and a damaged record must not lose more.
            tracing::warn!(unit.id = %unit, "a description is gone, its folder is not swept; run `vankho verify archive`");
            return Ok(everywhere);
        };
        for orphan in listed.iter().filter(|listed| !named.contains(&listed.path)) {
            tracing::info!(unit.id = %unit, "an orphan of a crash is discarded");
            store.primary().discard(&orphan.path).await?;
            if everywhere {
                store.replicas().discard(&orphan.path).await?;
            }
        }
        Ok(everywhere)
    }

    /// Every path in a unit's folder that an entry or a description names; `None` where a description that
    /// an entry names cannot be read.
    async fn named(&self, unit: Unit) -> Result<Option<HashSet<String>>, ArchiveError> {
        let mut named = HashSet::new();
        let life = self.derived.catalog.life(unit).await?;
        for digest in life.into_iter().filter_map(|happened| happened.description) {
            named.insert(layout::description(unit, digest));
            let Unit::Record(record) = unit else { continue };
            let description = match apply::description(&self.derived.store, record, digest).await {
                Ok(Some(description)) => description,
                Ok(None) | Err(ArchiveError::Damaged(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            let components = description.components.iter();
            named.extend(components.map(|component| layout::component(record, component.sha256)));
        }
        Ok(Some(named))
    }
}

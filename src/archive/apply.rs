//! Truth to derived: committed entries into catalog and index. The live path, start-up and rebuild all
//! come through [`Derived::apply`].

use crate::archive::{
    ArchiveError,
    feed::{Changed, Feed, Step},
};
use crate::catalog::{Applied, Catalog};
use crate::ledger::{log::Ledger, merkle::EMPTY_ROOT};
use crate::record::{
    described::Described,
    description::Description,
    digest::Digest,
    entry::{Entry, Event},
    id::RecordId,
    unit::Unit,
};
use crate::store::{Store, StoreError, layout};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Everything that is derived from the ledger, and the sizes it has applied.
#[derive(Clone, Debug)]
pub struct Derived {
    pub store: Store,
    pub catalog: Catalog,
    pub feed: Feed,
}

/// Entries folded at once while catching up.
const FOLD_ENTRIES: usize = 2048;
/// Descriptions read at once.
const READS: usize = 16;

impl Derived {
    /// Applies entries that follow those applied before.
    pub async fn apply(&self, applied: Vec<Applied>, root: Digest) -> Result<(), ArchiveError> {
        self.catalog.apply(&applied, root).await?;
        self.give(&applied).await
    }

    /// Gives the index what it has not seen; the last description of each record in the batch counts.
    async fn give(&self, applied: &[Applied]) -> Result<(), ArchiveError> {
        let Some(last) = applied.last() else { return Ok(()) };
        let mut changed: HashMap<RecordId, Changed> = HashMap::new();
        for Applied { seq, entry, description } in applied {
            let read = description.as_ref().and_then(Described::record).cloned();
            let (Some(record), Some(description)) = (entry.event.record(), read) else { continue };
            // A record that was accessioned in an earlier batch keeps its place in the order of accession.
            let first = match (changed.get(&record), &entry.event) {
                (Some(earlier), _) => earlier.seq,
                (None, Event::Accessioned { .. }) => *seq,
                (None, _) => self.catalog.record(record).await?.map_or(*seq, |known| known.seq),
            };
            changed.insert(record, Changed { record, seq: first, description });
        }
        let ended: Vec<RecordId> = applied.iter().filter_map(|applied| applied.entry.event.ends()).collect();
        let mut records: Vec<_> = changed.into_values().filter(|one| !ended.contains(&one.record)).collect();
        records.sort_by_key(|one| one.seq);
        self.feed.give(Step { applied: last.seq + 1, records, ended }).await
    }

    /// Takes in a record whose description could not be read when its entry was applied, and can be now.
    ///
    /// If we stop here, catalog or index lack it as before: the next look takes it in, or a rebuild.
    pub async fn supply(&self, ledger: &Ledger, record: RecordId) -> Result<(), ArchiveError> {
        let life = self.catalog.life(record).await?;
        let begun = life.iter().find(|one| one.event == "accessioned").map(|one| one.seq);
        let newest = life.iter().rev().find_map(|one| Some((one.seq, one.description?)));
        let (Some(begun), Some((seq, mut digest))) = (begun, newest) else { return Ok(()) };
        let bytes = ledger.entry(seq).await?;
        let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        let mut supplied = false;
        while let Some(read) = undamaged(description(&self.store, record, digest).await)?.map(Arc::new) {
            let applied = Applied { seq, entry: entry.clone(), description: Some(read.clone().into()) };
            supplied = supplied || self.catalog.supply(applied).await?;
            if !supplied {
                break;
            }
            tracing::info!(record.id = %record, "a record whose description could not be read before is known now");
            let changed = Changed { record, seq: begun, description: read };
            self.feed.give(Step { applied: 0, records: vec![changed], ended: Vec::new() }).await?;
            // Whoever described it anew meanwhile may have given theirs before this.
            match self.catalog.record(record).await? {
                Some(known) if known.description != digest => digest = known.description,
                _ => break,
            }
        }
        Ok(())
    }

    /// Takes in every commit that the ledger has not seen, through the same fold as everything else.
    pub async fn catch_up(&self, ledger: &Ledger) -> Result<(), ArchiveError> {
        while let Some(committed) = ledger.catch_up().await? {
            let loaded = load(&self.store, committed.base, &committed.entries).await?;
            self.apply(loaded.applied, committed.root).await?;
        }
        Ok(())
    }

    /// Gives catalog and index the committed entries that they have not applied, from the commits.
    /// `tell` hears how far it is. Answers how many descriptions were left out because they are gone or damaged.
    pub async fn replay(&self, ledger: &Ledger, index_applied: u64, tell: &Tell) -> Result<u64, ArchiveError> {
        let (catalog_applied, mut left_out) = (self.catalog.applied(), HashSet::new());
        let mut replay = ledger.replay_from(catalog_applied.min(index_applied)).await?;
        let mut more = true;
        while more {
            let (mut base, mut entries, mut root) = (None, Vec::new(), EMPTY_ROOT);
            while entries.len() < FOLD_ENTRIES && more {
                match replay.next().await? {
                    Some(commit) => {
                        (base, root) = (base.or(Some(commit.base)), commit.root);
                        entries.extend(commit.entries);
                    }
                    None => more = false,
                }
            }
            let Some(base) = base else { break };
            let Loaded { mut applied, left_out: some } = load(&self.store, base, &entries).await?;
            left_out.extend(some);
            // That nothing is left of what was ordered to end is lawful.
            for record in applied.iter().filter_map(|applied| applied.entry.event.ends()) {
                left_out.remove(&Unit::Record(record));
            }
            self.catalog.apply(applied.get(past(base, catalog_applied)..).unwrap_or_default(), root).await?;
            applied.drain(..past(base, index_applied).min(applied.len()));
            self.give(&applied).await?;
            tell(base + entries.len() as u64);
        }
        for unit in &left_out {
            tracing::warn!(unit.id = %unit, "a description is gone; run `vankho verify archive`");
        }
        Ok(left_out.len() as u64)
    }
}

/// How many of the entries from `base` on have been applied already.
fn past(base: u64, applied: u64) -> usize {
    applied.saturating_sub(base) as usize
}

/// Hears how many entries have been applied.
pub type Tell = dyn Fn(u64) + Send + Sync;

/// Entries with what they name.
struct Loaded {
    applied: Vec<Applied>,
    /// What was asked for and is gone or damaged.
    left_out: Vec<Unit>,
}

/// Reads what entries name. Of several descriptions of one record only the last is read. A description
/// that is gone or damaged leaves its record out; whether that is lawful is for `verify` to say.
async fn load(store: &Store, base: u64, entries: &[Vec<u8>]) -> Result<Loaded, ArchiveError> {
    let mut read = Vec::with_capacity(entries.len());
    let (mut last, mut ended): (HashMap<Unit, u64>, HashSet<Unit>) = Default::default();
    for (seq, bytes) in (base..).zip(entries) {
        let entry = Entry::from_bytes(bytes).map_err(|fault| ArchiveError::Damaged(format!("entry {seq}: {fault}")))?;
        // What says nothing new of a record does not hide what an earlier entry said.
        if let Some((unit, _)) = entry.event.names() {
            last.insert(unit, seq);
        }
        ended.extend(entry.event.ends().map(Unit::Record));
        read.push((seq, entry));
    }
    let (last, ended) = (&last, &ended);
    let fetch = |(seq, entry): (u64, Entry)| async move {
        // Every version of a schedule is a row of its own.
        let counts = |unit: &Unit| last.get(unit) == Some(&seq) || matches!(unit, Unit::Schedule(_));
        let wanted = entry.event.names().filter(|(unit, _)| counts(unit) && !ended.contains(unit));
        let description = match wanted {
            Some((unit, digest)) => undamaged(described_quietly(store, unit, digest).await)?,
            None => None,
        };
        let left_out = wanted.map(|(unit, _)| unit).filter(|_| description.is_none());
        Ok::<_, ArchiveError>((Applied { seq, entry, description }, left_out))
    };
    let mut fetched = futures::stream::iter(read).map(fetch).buffered(READS);
    let mut loaded = Loaded { applied: Vec::with_capacity(entries.len()), left_out: Vec::new() };
    while let Some((applied, left_out)) = fetched.try_next().await? {
        loaded.applied.push(applied);
        loaded.left_out.extend(left_out);
    }
    Ok(loaded)
}

/// A description that is damaged is as good as gone: one record is hidden, and not the whole archive.
pub fn undamaged<T>(read: Result<Option<T>, ArchiveError>) -> Result<Option<T>, ArchiveError> {
    match read {
        Err(error @ ArchiveError::Damaged(_)) => {
            tracing::warn!(%error, "a description is damaged");
            Ok(None)
        }
        read => read,
    }
}

/// The description of a record as the ledger names it; `None` where it is gone.
pub async fn description(store: &Store, record: RecordId, digest: Digest) -> Result<Option<Description>, ArchiveError> {
    let Some(bytes) = described_bytes(store, record.into(), digest).await? else {
        tracing::warn!(record.id = %record, "a description is gone; run `vankho verify archive`");
        return Ok(None);
    };
    let read = Description::from_bytes(&bytes);
    let fault = |fault| ArchiveError::Damaged(format!("{}: {fault}", layout::description(record, digest)));
    read.map(Some).map_err(fault)
}

/// The same of any unit.
pub async fn described(store: &Store, unit: Unit, digest: Digest) -> Result<Option<Described>, ArchiveError> {
    let read = described_quietly(store, unit, digest).await?;
    if read.is_none() {
        tracing::warn!(unit.id = %unit, "a description is gone; run `vankho verify archive`");
    }
    Ok(read)
}

/// The same, where it may be gone lawfully.
pub async fn described_quietly(store: &Store, unit: Unit, digest: Digest) -> Result<Option<Described>, ArchiveError> {
    let Some(bytes) = described_bytes(store, unit, digest).await? else { return Ok(None) };
    let read = Described::read(unit, &bytes);
    read.map(Some).map_err(|fault| ArchiveError::Damaged(format!("{}: {fault}", layout::description(unit, digest))))
}

async fn described_bytes(store: &Store, unit: Unit, digest: Digest) -> Result<Option<Bytes>, ArchiveError> {
    match store.read_as(&layout::description(unit, digest), digest).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StoreError::Differs { path }) => Err(ArchiveError::Damaged(path)),
        Err(StoreError::Absent(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

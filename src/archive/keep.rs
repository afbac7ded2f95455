//! Keeping components and descriptions, and cleaning up after whoever died while doing so.
//!
//! # Why
//! *Intents.* A process says, durably, which record folders it may be writing into before it writes there.
//! After a crash the next one opens these folders, and only these, and discards what no entry and no
//! description names. Ages were refused as the rule: they leave litter for days, and `verify` could not
//! tell a crash of this morning from a file that somebody slipped in.
//!
//! *Whose intents?* A desk's own: whoever holds `derived/` knows that its predecessor is dead. All of them, where
//! nobody else on this machine has the place open. Another desk's intents that may be alive are
//! left alone until they are older than `ingest.staging_age_days_max`.

use crate::archive::{Archive, ArchiveError, apply};
use crate::record::{
    description::Description,
    digest::Digest,
    id::{IntentId, RecordId},
};
use crate::store::{Listed, Store, layout, local};
use bytes::Bytes;
use futures::TryStreamExt;
use std::{collections::HashSet, sync::Arc};

/// A promise to clean up: as long as it stands, these folders may hold what nothing names.
#[derive(Debug)]
#[must_use = "an intent that is not fulfilled makes the next start sweep its folders"]
pub struct Intent {
    path: String,
}

/// A description that is durable and was read back.
#[derive(Debug, Clone)]
pub struct Described {
    pub digest: Digest,
    pub description: Arc<Description>,
}

impl Archive {
    /// Says which record folders will be written into. If we stop after this, the next start sweeps them.
    pub async fn intend(&self, records: &[RecordId]) -> Result<Intent, ArchiveError> {
        let id = IntentId::new(self.clock.now().millis(), random()?);
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        let path = layout::intent(self.operator, id);
        self.store.keep(&path, Bytes::from(lines)).await?;
        Ok(Intent { path })
    }

    /// The folders of an intent hold nothing any more that an entry does not name. If we stop before this, they
    /// are swept in vain.
    pub async fn fulfil(&self, intent: Intent) -> Result<(), ArchiveError> {
        Ok(self.store.discard(&intent.path).await?)
    }

    /// Keeps bytes that are in memory as a component. An intent must name the record: if we stop here, it has
    /// the bytes discarded.
    pub async fn keep_bytes(&self, record: RecordId, digest: Digest, bytes: Bytes) -> Result<(), ArchiveError> {
        Ok(self.store.keep(&layout::component(record, digest), bytes).await?)
    }

    /// Keeps a staged object as a component. An intent must name the record: if we stop here, it has the bytes
    /// discarded under either name.
    pub async fn keep_staged(&self, record: RecordId, staged: &str, digest: Digest) -> Result<(), ArchiveError> {
        Ok(self.store.settle(staged, &layout::component(record, digest), digest).await?)
    }

    /// Keeps a description. An intent must name the record: if we stop here, it has the description discarded.
    pub async fn keep_description(&self, description: Description) -> Result<Described, ArchiveError> {
        let bytes = description.to_bytes().map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
        let digest = Digest::of(&bytes);
        self.store.keep(&layout::description(description.record, digest), bytes.into()).await?;
        Ok(Described { digest, description: Arc::new(description) })
    }

    /// The description in force of a record.
    pub async fn description(&self, record: RecordId) -> Result<Option<Described>, ArchiveError> {
        let Some(known) = self.catalog.record(record).await? else { return Ok(None) };
        self.description_of(record, known.description).await
    }

    /// A description of a record, hashed again as it is read.
    pub async fn description_of(&self, record: RecordId, digest: Digest) -> Result<Option<Described>, ArchiveError> {
        let read = apply::description(&self.store, record, digest).await?;
        Ok(read.map(|description| Described { digest, description: Arc::new(description) }))
    }

    /// Discards what a crash left: writes under way, folders named by intents, staging past its age. `alone`
    /// says that no other process has the place open.
    pub(crate) async fn sweep(&self, alone: bool) -> Result<(), ArchiveError> {
        if let (Some(root), true) = (self.store.folder(), alone) {
            let top = local::names(root, "")?.into_iter().filter(|name| local::is_leftover(name));
            let mut leftovers: Vec<String> = top.collect();
            for folder in ["log", "keys", "schemas", layout::STAGING] {
                leftovers.extend(local::leftovers(root, folder)?);
            }
            leftovers.iter().try_for_each(|leftover| local::remove(root, leftover))?;
        }
        let mine = format!("{}/", layout::intents(self.operator));
        let oldest = (self.clock.now().micros() / 1_000_000) - self.config.ingest.staging_age_days_max as i64 * 86_400;
        let intents: Vec<_> = self.store.list(layout::INTENTS)?.try_collect().await?;
        for intent in intents.iter().filter(|one| alone || one.path.starts_with(&mine) || one.modified < oldest) {
            let text = self.store.read(&intent.path).await?;
            for record in String::from_utf8_lossy(&text).lines().filter_map(|line| line.parse().ok()) {
                self.sweep_record(record).await?;
            }
            // If we stop here, the intent stands and its folders are swept once more.
            self.store.discard(&intent.path).await?;
        }
        let staged: Vec<_> = self.store.list(layout::STAGING)?.try_collect().await?;
        let old = |staged: &&Listed| staged.modified < oldest && !layout::LOCKS.contains(&staged.path.as_str());
        for old in staged.iter().filter(old) {
            self.store.discard(&old.path).await?;
        }
        Ok(())
    }

    /// Empties a record folder of what nothing names. If we stop here, the intent stands and it is done again.
    async fn sweep_record(&self, record: RecordId) -> Result<(), ArchiveError> {
        discard_all(&self.store, &layout::staging(record)).await?;
        if let Some(root) = self.store.folder() {
            for leftover in local::leftovers(root, &layout::record(record))? {
                local::remove(root, &leftover)?;
            }
        }
        let listed: Vec<_> = self.store.list(&layout::record(record))?.try_collect().await?;
        if listed.is_empty() {
            return Ok(());
        }
        let Some(named) = self.named(record).await? else {
            // What it named cannot be told from an orphan, and a damaged record must not lose more.
            tracing::warn!(record.id = %record, "a description is gone, its record is not swept; run `vankho verify archive`");
            return Ok(());
        };
        for orphan in listed.iter().filter(|listed| !named.contains(&listed.path)) {
            tracing::info!(record.id = %record, "an orphan of a crash is discarded");
            self.store.discard(&orphan.path).await?;
        }
        Ok(())
    }

    /// Every path in a record's folder that an entry or a description names; `None` where a description that
    /// an entry names cannot be read.
    async fn named(&self, record: RecordId) -> Result<Option<HashSet<String>>, ArchiveError> {
        let mut named = HashSet::new();
        for digest in self.catalog.life(record).await?.into_iter().filter_map(|happened| happened.description) {
            named.insert(layout::description(record, digest));
            let described = match self.description_of(record, digest).await {
                Ok(Some(described)) => described,
                Ok(None) | Err(ArchiveError::Damaged(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            let components = described.description.components.iter();
            named.extend(components.map(|component| layout::component(record, component.sha256)));
        }
        Ok(Some(named))
    }
}

/// If we stop here, the intent stands and the rest goes the next time.
async fn discard_all(store: &Store, folder: &str) -> Result<(), ArchiveError> {
    let listed: Vec<_> = store.list(folder)?.try_collect().await?;
    for one in listed {
        store.discard(&one.path).await?;
    }
    Ok(())
}

/// Bytes that nobody can guess, from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], ArchiveError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ArchiveError::Stopped("the system gives no random bytes".into()))?;
    Ok(bytes)
}

//! Keeping components and descriptions: durable and read back, under an intent that names their folder.
use crate::archive::{Answered, Archive, ArchiveError, Proposal, apply, request};
use crate::record::{
    described::Described as Told,
    description::Description,
    digest::Digest,
    disposition::refusal::Refusal,
    entry::Event,
    id::{ActorId, IntentId, RecordId},
    unit::Unit,
};
use crate::store::{StoreError, layout};
use bytes::Bytes;
use std::sync::Arc;

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
        self.promise(records.iter().map(|record| format!("{record}\n")).collect()).await
    }

    /// The same of a unit of any kind.
    pub async fn intend_unit(&self, unit: Unit) -> Result<Intent, ArchiveError> {
        self.promise(format!("{}\n", layout::intended(unit))).await
    }

    /// Says which files beside the records will be written. If we stop after this, the next start drops those that no
    /// entry names.
    pub async fn intend_files(&self, paths: &[&str]) -> Result<Intent, ArchiveError> {
        self.promise(paths.iter().map(|path| format!("{path}\n")).collect()).await
    }

    /// If we stop here, the next start looks where nothing was written.
    async fn promise(&self, lines: String) -> Result<Intent, ArchiveError> {
        let path = layout::intent(self.operator, IntentId::new(self.clock.now().millis(), random()?));
        self.store.keep(&path, Bytes::from(lines)).await?;
        Ok(Intent { path })
    }

    /// The folders of an intent hold nothing any more that an entry does not name. If we stop before this, they
    /// are swept in vain.
    pub async fn fulfil(&self, intent: Intent) -> Result<(), ArchiveError> {
        Ok(self.store.discard(&intent.path).await?)
    }

    /// From the order on nothing of a record is kept any more (W6).
    async fn expect_here(&self, record: RecordId) -> Result<(), ArchiveError> {
        match self.catalog.ended(record).await? {
            None => Ok(()),
            Some(_) => Err(ArchiveError::Conflict(Refusal::TooLate.to_string())),
        }
    }

    /// Keeps bytes that are in memory as a component. An intent must name the record: if we stop here, it has
    /// the bytes discarded.
    pub async fn keep_bytes(&self, record: RecordId, digest: Digest, bytes: Bytes) -> Result<(), ArchiveError> {
        self.expect_here(record).await?;
        Ok(self.store.keep(&layout::component(record, digest), bytes).await?)
    }

    /// Keeps a staged object as a component. An intent must name the record: if we stop here, it has the bytes
    /// discarded under either name.
    pub async fn keep_staged(&self, record: RecordId, staged: &str, digest: Digest) -> Result<(), ArchiveError> {
        self.expect_here(record).await?;
        Ok(self.store.settle(staged, &layout::component(record, digest), digest).await?)
    }

    /// Keeps a description. An intent must name the record: if we stop here, it has the description discarded.
    pub async fn keep_description(&self, description: Description) -> Result<Described, ArchiveError> {
        self.expect_here(description.record).await?;
        let bytes = description.to_bytes().map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
        let digest = Digest::of(&bytes);
        self.store.keep(&layout::description(description.record, digest), bytes.into()).await?;
        Ok(Described { digest, description: Arc::new(description) })
    }

    /// Keeps the description of a unit that is no record, in the bytes that are its name. An intent must name the unit:
    /// if we stop here, it has the description discarded.
    pub async fn keep_unit(&self, unit: Unit, description: Vec<u8>) -> Result<Digest, ArchiveError> {
        if let Some(record) = unit.record() {
            self.expect_here(record).await?;
        }
        let digest = Digest::of(&description);
        self.store.keep(&layout::description(unit, digest), description.into()).await?;
        Ok(digest)
    }

    /// Keeps a description, of a unit of any kind, and commits the event that names it.
    ///
    /// If we stop here, an intent has the folder swept, or the entry is there and names it.
    pub async fn keep_described(
        &self,
        by: ActorId,
        (told, bytes): (Told, Vec<u8>),
        event: impl FnOnce(Unit, Digest) -> Event,
    ) -> Result<Answered, ArchiveError> {
        let unit = told.unit();
        let intent = self.intend_unit(unit).await?;
        let description = self.keep_unit(unit, bytes).await?;
        let (event, request) = (event(unit, description), request(by, &random()?));
        let answered = self.commit(Proposal { by, request, event, description: Some(told) }).await?;
        self.fulfil(intent).await?;
        Ok(answered)
    }

    /// The description in force of a record.
    pub async fn description(&self, record: RecordId) -> Result<Option<Described>, ArchiveError> {
        let Some(known) = self.catalog.record(record).await? else { return Ok(None) };
        self.description_of(record, known.description).await
    }

    /// A stub or a certificate, hashed again as it is read; `None` where it is gone.
    pub async fn kept_stub(&self, record: RecordId, digest: Digest) -> Result<Option<Bytes>, ArchiveError> {
        match self.store.read_as(&layout::stub(record, digest), digest).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::Absent(_)) => Ok(None),
            Err(StoreError::Differs { path }) => Err(ArchiveError::Damaged(path)),
            Err(error) => Err(error.into()),
        }
    }

    /// A description of any unit, hashed again as it is read; `None` where it is gone.
    pub async fn described(&self, unit: Unit, digest: Digest) -> Result<Option<Told>, ArchiveError> {
        apply::described(&self.store, unit, digest).await
    }

    /// A description of a record, hashed again as it is read.
    pub async fn description_of(&self, record: RecordId, digest: Digest) -> Result<Option<Described>, ArchiveError> {
        let read = apply::description(&self.store, record, digest).await?;
        Ok(read.map(|description| Described { digest, description: Arc::new(description) }))
    }
}

/// Bytes that nobody can guess, from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], ArchiveError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ArchiveError::Stopped("the system gives no random bytes".into()))?;
    Ok(bytes)
}

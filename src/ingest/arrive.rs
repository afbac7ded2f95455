//! A package that arrives over a wire: each component is hashed and held or staged while its bytes come in.
//!
//! # Why
//! *Record folders are promised ahead, for many packages at once*: an intent of its own for each would cost a
//! small package as much as everything else about it. What is left of a promise that grew old is given back,
//! because an identifier tells the time of intake.
//!
//! *No journal here.* The key stays with the client; the ledger knows which requests were answered. A package
//! that arrives twice at once is two folders and one entry, and the folder that lost is swept.

use crate::archive::{Archive, ArchiveError, request};
use crate::ingest::{
    Fate, Shared, accession,
    seal::UnderWay,
    stage::{HEAD_BYTES, HELD_COMPONENTS, Held, Look, Looked, Staged, StagedComponent, abort, give_back, stage},
};
use crate::record::{
    digest::Digest,
    finding::{Code, Finding},
    id::{ActorId, RecordId},
    package::Package,
};
use crate::store::layout;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// Record folders that share one intent.
const PROMISED: usize = 64;
/// A promise that is older is given back.
const PROMISE_AGE_MAX: Duration = Duration::from_secs(10);

/// Where packages arrive, as long as an archive is open.
#[derive(Default)]
pub struct Intake {
    under_way: UnderWay,
    promised: Mutex<Option<Promised>>,
}

struct Promised {
    records: Vec<RecordId>,
    share: Arc<Shared>,
    made: Instant,
}

/// A package under way: its description is known, its components come in one after the other.
pub struct Arriving<'a> {
    archive: &'a Archive,
    intake: &'a Intake,
    by: ActorId,
    request: Digest,
    package: Package,
    record: RecordId,
    share: Arc<Shared>,
    components: Vec<StagedComponent>,
    /// How many components came, kept or refused.
    came: usize,
    budget: u64,
}

impl Intake {
    /// What an earlier call of the same actor with the same key came to.
    pub async fn answered(
        &self,
        archive: &Archive,
        by: ActorId,
        key: &[u8; 32],
    ) -> Result<Option<(Fate, u64)>, ArchiveError> {
        let request = request(by, key);
        let Some(seq) = archive.catalog.answered(&[request]).await?.get(&request).copied() else { return Ok(None) };
        let record = archive.catalog.record_of(seq).await?;
        let record = record.ok_or_else(|| ArchiveError::Conflict("that key answered another request".into()))?;
        let receipt = archive.prove(seq).await?;
        Ok(Some((Fate::Kept { record, receipt, before: true, findings: Vec::new() }, seq)))
    }

    /// Begins a package whose own components are those that will arrive.
    pub async fn begin<'a>(
        &'a self,
        archive: &'a Archive,
        by: ActorId,
        key: &[u8; 32],
        package: Package,
    ) -> Result<Arriving<'a>, ArchiveError> {
        let (record, share) = self.folder(archive).await?;
        let budget = HELD_COMPONENTS * archive.config.ingest.held_bytes_max;
        let request = request(by, key);
        Ok(Arriving {
            archive,
            intake: self,
            by,
            request,
            package,
            record,
            share,
            components: Vec::new(),
            came: 0,
            budget,
        })
    }

    /// A record folder that an intent names, and its share in that intent.
    ///
    /// If we stop here, the intent has folders swept that hold nothing.
    async fn folder(&self, archive: &Archive) -> Result<(RecordId, Arc<Shared>), ArchiveError> {
        let mut promised = self.promised.lock().await;
        if let Some(old) = promised.take_if(|old| old.made.elapsed() > PROMISE_AGE_MAX) {
            for _ in &old.records {
                old.share.done(archive).await?;
            }
        }
        if let Some(found) = promised.as_mut()
            && let Some(record) = found.records.pop()
        {
            return Ok((record, found.share.clone()));
        }
        let mut records = Vec::with_capacity(PROMISED);
        for _ in 0..PROMISED {
            records.push(archive.new_record()?);
        }
        let intent = archive.intend(&records).await?;
        let share = Arc::new(Shared { intent: std::sync::Mutex::new(Some(intent)), left: AtomicUsize::new(PROMISED) });
        let first = records.pop().map_or_else(|| archive.new_record(), Ok)?;
        *promised = Some(Promised { records, share: share.clone(), made: Instant::now() });
        Ok((first, share))
    }
}

/// Why a component did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError<E> {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The wire broke.
    #[error("the component did not arrive whole")]
    Wire(E),
}

impl Arriving<'_> {
    /// Takes one component in as it arrives. What is wrong with it becomes a finding.
    ///
    /// If we stop here, staging holds bytes that an intent names.
    pub async fn component<E>(
        &mut self,
        name: String,
        expected: Option<Digest>,
        pieces: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), ArrivalError<E>> {
        self.came += 1;
        let limits = &self.archive.config.ingest;
        let (held_max, ordinal) = (self.budget.min(limits.held_bytes_max) as usize, self.components.len() as u32 + 1);
        let path = layout::staged(self.record, ordinal);
        let (mut look, mut head, mut large) = (Look::default(), BytesMut::new(), None);
        let mut pieces = std::pin::pin!(pieces);
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    abort(large).await;
                    return Err(ArrivalError::Wire(error));
                }
            };
            look.push(&piece);
            if look.size() > limits.component_bytes_max {
                abort(large).await;
                self.refuse(Code::ComponentTooLarge, &name, &format!("> {}", limits.component_bytes_max));
                return Ok(());
            }
            if large.is_none() && head.len() + piece.len() > held_max {
                let mut begun = self.archive.store.stage(&path).await.map_err(ArchiveError::from)?;
                begun.write(&head).await.map_err(ArchiveError::from)?;
                large = Some(begun);
            }
            match large.as_mut() {
                Some(large) => {
                    let room = HEAD_BYTES.saturating_sub(head.len()).min(piece.len());
                    head.extend_from_slice(&piece[..room]);
                    large.write(&piece).await.map_err(ArchiveError::from)?;
                }
                None => head.extend_from_slice(&piece),
            }
        }
        let Looked { size, sha256, format, mark } = look.finish(&head);
        if size == 0 || expected.is_some_and(|expected| expected != sha256) {
            abort(large).await;
            let code = if size == 0 { Code::EmptyComponent } else { Code::DigestMismatch };
            self.refuse(code, &name, &format!("{size} bytes"));
            return Ok(());
        }
        let held = match large {
            None => Held::InMemory(head.freeze()),
            Some(large) => {
                large.finish().await.map_err(ArchiveError::from)?;
                Held::InStaging(path)
            }
        };
        if let Held::InMemory(bytes) = &held {
            self.budget = self.budget.saturating_sub(bytes.len() as u64);
        }
        self.components.push(StagedComponent { name: Some(name), sha256, size, format, mark, held });
        Ok(())
    }

    /// Notes what is wrong with the package besides what its description and its components tell.
    pub fn refuse(&mut self, code: Code, field: &str, detail: &str) {
        let told: String = field.chars().take(200).collect();
        self.package.findings.push(Finding::new(code, 1, &told).with_detail(detail));
    }

    /// The wire broke: what was staged is given back.
    ///
    /// If we stop here, an intent names the rest.
    pub async fn abandon(self) -> Result<(), ArchiveError> {
        give_back(self.archive, self.components).await?;
        self.share.done(self.archive).await
    }

    /// Everything has arrived: the rest of the way, and the entry's number.
    pub async fn keep(self) -> Result<(Fate, Option<u64>), ArchiveError> {
        let Arriving {
            archive, intake, by, request, mut package, record, share, components: mut arrived, came, ..
        } = self;
        let unread = package.findings.iter().any(|finding| finding.code == Code::MalformedRow);
        if came == 0 && package.components.is_empty() && !unread {
            // Where the reader of a manifest has it.
            package.findings.insert(0, Finding::new(Code::NoComponent, 1, "components"));
        }
        let mut staged = match stage(archive, package, record).await? {
            Ok(staged) => staged,
            Err(findings) => {
                give_back(archive, arrived).await?;
                share.done(archive).await?;
                return Ok((Fate::Refused(findings), None));
            }
        };
        arrived.append(&mut staged.components);
        let staged = Staged { components: arrived, ..staged };
        let (fate, seq) = accession(archive, by, request, staged, &intake.under_way).await?;
        match &fate {
            // The same request was under way twice: what this one wrote is left to the intent.
            Fate::Kept { record: kept, .. } if *kept != record => {}
            _ => share.done(archive).await?,
        }
        Ok((fate, Some(seq)))
    }
}

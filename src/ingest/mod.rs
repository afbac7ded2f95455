//! From what was handed over to what is kept: `receive stage seal keep receipt`.
//!
//! Each step consumes the value before it, so the wrong order does not compile:
//! `Package → stage → Staged → seal → Sealed → keep → Kept → commit(Accessioned) → receipt`.
//! Bytes are hashed while they stream into staging.
//!
//! # Why
//! *A promise a row.* Before a row is staged, its idempotency key and record identifier are in the desk's
//! journal and its record folder is in an intent. Killed anywhere and run again, the same row is the same
//! request: it is neither lost nor doubled.
//!
//! *A bad package is findings, not an error.* An error here means that the archive could not do its part.

pub mod arrive;
mod keep;
pub mod pieces;
mod seal;
mod stage;

use crate::archive::{Answered, Archive, ArchiveError, Proposal, keep::Intent, keep::random, request};
use crate::record::{
    digest::Digest,
    entry::Event,
    finding::{Code, Finding},
    id::{ActorId, RecordId},
    package::{Package, Promise, Source},
};
use futures::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use seal::UnderWay;
use stage::Staged;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What became of a row.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub row: u64,
    pub external_id: Option<String>,
    pub fate: Fate,
}

/// Kept or refused.
#[derive(Debug, Clone)]
pub enum Fate {
    /// The archive has taken responsibility; anybody can check the receipt.
    Kept {
        record: RecordId,
        receipt: String,
        /// Kept by an earlier run; this one only fetched the receipt.
        before: bool,
        /// Warnings.
        findings: Vec<Finding>,
    },
    /// Nothing of this row was kept.
    Refused(Vec<Finding>),
}

/// Takes one package in: the whole way, read aloud.
pub async fn ingest(
    archive: &Archive,
    package: Package,
    promise: Promise,
    under_way: &UnderWay,
) -> Result<Fate, ArchiveError> {
    let request = request(archive.operator, &promise.key);
    let staged = match stage::stage(archive, package, promise.record).await? {
        Ok(staged) => staged,
        Err(findings) => return Ok(Fate::Refused(findings)),
    };
    let (fate, _) = accession(archive, archive.operator, request, staged, under_way).await?;
    Ok(fate)
}

/// The second half of the way, for whoever acts: sealed, kept, committed, and the entry's number.
async fn accession(
    archive: &Archive,
    by: ActorId,
    request: Digest,
    staged: Staged,
    under_way: &UnderWay,
) -> Result<(Fate, u64), ArchiveError> {
    let mine = staged.record;
    let sealed = seal::seal(archive, staged, under_way).await?;
    let kept = keep::keep(archive, sealed).await?;
    let event = Event::Accessioned { record: mine, description: kept.described.digest };
    let description = Some(kept.described.description.into());
    let Answered { seq, before } = archive.commit(Proposal { by, request, event, description }).await?;
    // The same request may have been answered meanwhile, with another record.
    let record = if before { archive.catalog.record_of(seq).await?.unwrap_or(mine) } else { mine };
    Ok((receipt(archive, record, seq, record != mine, kept.findings).await?, seq))
}

async fn receipt(
    archive: &Archive,
    record: RecordId,
    seq: u64,
    before: bool,
    findings: Vec<Finding>,
) -> Result<Fate, ArchiveError> {
    Ok(Fate::Kept { record, receipt: archive.prove(seq).await?, before, findings })
}

/// Rows that share one journal entry and one intent.
const ROWS_PROMISED: usize = 64;
/// Text that such rows bring along in memory.
const TEXT_PROMISED: usize = 8 << 20;
/// So many rows in a row that the archive could not keep: the disk is full, or worse.
const NOT_KEPT_MAX: usize = 20;

/// Takes in everything that a source hands over, `ingest.concurrency` rows at a time. `source` names it
/// in the journal: the same name finds the same promises again. `hear` is told of every row, as it ends.
/// Dropping the future cancels; running again resumes.
pub async fn receive(
    archive: &Archive,
    source: &str,
    packages: impl Stream<Item = Package> + Send,
    hear: &mut (dyn FnMut(Outcome) + Send),
) -> Result<(), ArchiveError> {
    let under_way = UnderWay::default();
    let rows = promised(archive, source, packages);
    let one = |row: Promised| take(archive, row, &under_way);
    let mut outcomes = std::pin::pin!(rows.map_ok(one).try_buffer_unordered(archive.config.ingest.concurrency));
    let mut not_kept = 0;
    while let Some((outcome, failure)) = outcomes.try_next().await? {
        hear(outcome);
        not_kept = if failure.is_some() { not_kept + 1 } else { 0 };
        match failure {
            Some(ArchiveError::Stopped(_)) => return failure.map_or(Ok(()), Err),
            Some(_) if not_kept >= NOT_KEPT_MAX => return failure.map_or(Ok(()), Err),
            _ => {}
        }
    }
    Ok(())
}

/// Every row with its promise. In a box, so that whoever awaits it can be sent to another thread.
fn promised<'a>(
    archive: &'a Archive,
    source: &'a str,
    packages: impl Stream<Item = Package> + Send + 'a,
) -> BoxStream<'a, Result<Promised, ArchiveError>> {
    let chunks = chunks(packages).then(move |rows| promise(archive, source, rows));
    chunks.map_ok(|rows| stream::iter(rows).map(Ok)).try_flatten().boxed()
}

/// Rows in groups: of [`ROWS_PROMISED`], or of as many as hold [`TEXT_PROMISED`] bytes of text.
fn chunks(packages: impl Stream<Item = Package> + Send) -> impl Stream<Item = Vec<Package>> + Send {
    let packages = Box::pin(packages.fuse());
    stream::unfold(packages, |mut packages| async move {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < ROWS_PROMISED && bytes < TEXT_PROMISED {
            let Some(package) = packages.next().await else { break };
            bytes += package.components.iter().map(Source::held_bytes).sum::<usize>();
            rows.push(package);
        }
        (!rows.is_empty()).then_some((rows, packages))
    })
}

/// A row with its promise, and its share in the intent.
struct Promised {
    package: Package,
    promise: Promise,
    /// The entry of an earlier run that kept this row.
    answered: Option<u64>,
    intent: Arc<Shared>,
}

/// An intent that several rows share: it is fulfilled when the last of them ended well.
struct Shared {
    intent: std::sync::Mutex<Option<Intent>>,
    left: AtomicUsize,
}

impl Shared {
    /// One more that shares it ended well; the last one fulfils it.
    async fn done(&self, archive: &Archive) -> Result<(), ArchiveError> {
        let last = self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        let intent = self.intent.lock().ok().and_then(|mut held| if last { held.take() } else { None });
        match intent {
            Some(intent) => archive.fulfil(intent).await,
            None => Ok(()),
        }
    }
}

/// If we stop here, promises and intent stand: the next run finds the one, the next start sweeps the other.
async fn promise(archive: &Archive, source: &str, rows: Vec<Package>) -> Result<Vec<Promised>, ArchiveError> {
    let identities: Vec<Digest> = rows.iter().map(|package| package.identity).collect();
    let mut fresh = Vec::with_capacity(rows.len());
    for _ in &rows {
        fresh.push(Promise { key: random()?, record: archive.new_record()? });
    }
    let mut fresh = fresh.into_iter();
    let none = Promise { key: [0; 32], record: archive.new_record()? };
    let promises = archive.desk.promises(source, &identities, || fresh.next().unwrap_or(none)).await?;
    let requests: Vec<Digest> = promises.iter().map(|promise| request(archive.operator, &promise.key)).collect();
    let answered = archive.catalog.answered(&requests).await?;
    // What is kept already is not written again: its folder is nobody's to sweep.
    let new = promises.iter().zip(&requests).filter(|(_, request)| !answered.contains_key(request));
    let records: Vec<RecordId> = new.map(|(promise, _)| promise.record).collect();
    let intent = if records.is_empty() { None } else { Some(archive.intend(&records).await?) };
    let intent = Arc::new(Shared { intent: std::sync::Mutex::new(intent), left: AtomicUsize::new(rows.len()) });
    let promised = |((package, promise), request)| {
        let answered = answered.get(request).copied();
        Promised { package, promise, answered, intent: intent.clone() }
    };
    Ok(rows.into_iter().zip(promises).zip(&requests).map(promised).collect())
}

async fn take(
    archive: &Archive,
    row: Promised,
    under_way: &UnderWay,
) -> Result<(Outcome, Option<ArchiveError>), ArchiveError> {
    let (number, external_id) = (row.package.row, row.package.metadata.external_id.clone());
    let done = match row.answered {
        Some(seq) => receipt(archive, row.promise.record, seq, true, Vec::new()).await,
        None => ingest(archive, row.package, row.promise, under_way).await,
    };
    let (fate, failure) = match done {
        Ok(fate) => (fate, None),
        Err(error) => {
            tracing::warn!(row = number, record.id = %row.promise.record, %error, "a row was not kept");
            let finding = Finding::new(Code::NotKept, number, "").with_detail(cause_first(&error));
            (Fate::Refused(vec![finding]), Some(error))
        }
    };
    // A row that failed may have left something: its share is never given back, and the folder is swept.
    if failure.is_none() {
        row.intent.done(archive).await?;
    }
    Ok((Outcome { row: number, external_id, fate }, failure))
}

/// An error with its innermost cause first: a detail is cut, and "No space left on device" is what helps.
fn cause_first(error: &dyn std::error::Error) -> String {
    let whole = error.to_string();
    let cause = std::iter::successors(error.source(), |error| error.source()).last().map(ToString::to_string);
    match cause {
        Some(cause) if !whole.starts_with(&cause) => format!("{cause}: {whole}"),
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn the_cause_of_what_was_not_kept_is_not_cut_off() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let told = full.to_string();
        let error = ArchiveError::from(StoreError::Disk { path: "a".repeat(400), source: full });
        let finding = Finding::new(Code::NotKept, 1, "").with_detail(cause_first(&error));
        assert!(finding.detail.is_some_and(|detail| detail.starts_with(&format!("{told}: the disk failed at aaa"))));
        assert_eq!(cause_first(&ArchiveError::Damaged("x".into())), ArchiveError::Damaged("x".into()).to_string());
    }
}

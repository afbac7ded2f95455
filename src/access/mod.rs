//! Finding and reading: `search open read`.
//!
//! # Why
//! Permission is asked where the answer is made: a search carries its reader into the index, and opening a
//! record asks the same pure rule again, so that a guessed identifier opens nothing.
//!
//! Who is shown a record that is not public is noted, durably, before they are shown it ([`note`]): what cannot be noted
//! is not shown.

pub mod answer;
pub mod ask;
pub mod holding;
pub mod pages;
pub mod saved;

use crate::archive::{Archive, ArchiveError, apply, feed, keep::Described};
use crate::catalog::Known;
use crate::index::{
    query::{Facets, Hits, Query},
    snippet::{self, Snippet},
};
use crate::record::{
    access::{Access, Reader},
    actor::Actor,
    consultation::Consultation,
    digest::{Digest, Hasher},
    id::RecordId,
    text,
};
use crate::store::{StoreError, layout};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// One hit with what a list of hits shows of it.
#[derive(Debug, Clone)]
pub struct Found {
    pub known: Known,
    pub score: f32,
    /// Whether it is in force, as the depositor stated it; known where the description was read for a snippet.
    pub validity: Option<String>,
    /// The words around the first good place, where the query has words.
    pub snippet: Option<Snippet>,
}

/// A page of hits.
#[derive(Debug, Clone)]
pub struct Page {
    pub found: Vec<Found>,
    /// All that match and that the reader may see.
    pub total: u64,
    pub facets: Facets,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The ledger size that this answer reflects.
    pub applied: u64,
}

/// Characters of a snippet.
const SNIPPET_CHARS: usize = 240;
/// Text of one record that is looked through for its snippet.
const SNIPPET_TEXT_BYTES: u64 = 4 << 20;

/// Searches. `snippets` says whether to read the texts of the hits for the words around.
pub async fn search(archive: &Archive, mut query: Query, snippets: bool) -> Result<Page, ArchiveError> {
    query.filters.agency = names(archive, query.filters.agency).await?;
    let (index, text, reader) = (archive.index.clone(), query.text.clone(), query.reader.clone());
    let hits = tokio::task::spawn_blocking(move || index.search(&query)).await;
    let hits: Hits = hits.map_err(|_| ArchiveError::Stopped("the search died".into()))??;
    let mut found = Vec::with_capacity(hits.hits.len());
    for hit in &hits.hits {
        // A record that the catalog does not know yet was committed between the two answers.
        let Some(known) = archive.catalog.record(hit.record).await? else { continue };
        // The index lags: who may see the record is asked again of what is shown of it now.
        if !may_see(&reader, &known) {
            continue;
        }
        let (validity, snippet) = if snippets { read_for(archive, &known, &text).await? } else { (None, None) };
        found.push(Found { known, score: hit.score, validity, snippet });
    }
    let next = hits.next.map(|cursor| cursor.to_string());
    Ok(Page { found, total: hits.total, facets: hits.facets, next, applied: hits.applied })
}

/// An agency under every name that its records may bear: a search by today's name finds what those before issued. The
/// name that was typed stays the first.
async fn names(archive: &Archive, mut typed: Vec<String>) -> Result<Vec<String>, ArchiveError> {
    let Some(name) = typed.first().cloned() else { return Ok(typed) };
    let Some(agencies) = apply::undamaged(archive.agencies().await)? else { return Ok(typed) };
    for named in agencies.names_behind(&name) {
        if !typed.iter().any(|known| known == named.name) {
            typed.push(named.name.to_owned());
        }
    }
    Ok(typed)
}

/// What a hit shows besides what the catalog knows: whether it is in force, and the words around.
async fn read_for(
    archive: &Archive,
    known: &Known,
    text: &str,
) -> Result<(Option<String>, Option<Snippet>), ArchiveError> {
    let described = archive.description_of(known.record, known.description).await;
    let Some(described) = apply::undamaged(described)? else { return Ok((None, None)) };
    let validity = described.description.metadata.validity.clone();
    if text.trim().is_empty() {
        return Ok((validity, None));
    }
    let texts = feed::texts(&archive.store, &described.description, SNIPPET_TEXT_BYTES).await?;
    Ok((validity, texts.iter().find_map(|one| snippet::snippet(text, one, SNIPPET_CHARS))))
}

/// Opened records of a page in the order of their accession, and where the next page begins.
pub struct Listed {
    pub opened: Vec<(u64, Described)>,
    /// What the reader may see and whose description is damaged or gone.
    pub left_out: Vec<(RecordId, Digest)>,
    pub next: Option<u64>,
}

/// The records that a reader may see, `limit` looked at from entry `from` on.
pub async fn list(archive: &Archive, reader: &Reader, from: u64, limit: u32) -> Result<Listed, ArchiveError> {
    let known = archive.catalog.records(from, limit).await?;
    let next = known.last().filter(|_| known.len() as u32 == limit).map(|last| last.seq + 1);
    let (mut opened, mut left_out) = (Vec::with_capacity(known.len()), Vec::new());
    // What may be seen is asked of the catalog first: it knows, also of what is damaged.
    for one in known.into_iter().filter(|one| may_see(reader, one)) {
        let described = archive.description_of(one.record, one.description).await;
        match apply::undamaged(described)? {
            Some(described) if may_read(reader, &described) => opened.push((one.seq, described)),
            Some(_) => {}
            None => left_out.push((one.record, one.description)),
        }
    }
    Ok(Listed { opened, left_out, next })
}

/// The records with this depositor's identifier that a reader may see.
pub async fn named(archive: &Archive, reader: &Reader, external_id: &str) -> Result<Vec<RecordId>, ArchiveError> {
    let known = archive.catalog.by_external_id(&text::line(external_id)).await?;
    Ok(known.iter().filter(|known| may_see(reader, known)).map(|known| known.record).collect())
}

/// The rule, as the catalog knows a record.
fn may_see(reader: &Reader, known: &Known) -> bool {
    // What is hidden has no level at all.
    let level = Access::read(&known.access);
    level.is_some_and(|level| reader.may_read(level, known.agency.as_deref(), known.custodian.as_deref()))
}

/// The rule, as a description says.
fn may_read(reader: &Reader, described: &Described) -> bool {
    let told = &described.description.metadata;
    let level = described.description.access();
    level.is_some_and(|level| reader.may_read(level, told.agency.as_deref(), told.custodian.as_deref()))
}

/// Opens a record for a reader. `None` where there is none, and just so where the reader may not see it.
pub async fn open(archive: &Archive, reader: &Reader, record: RecordId) -> Result<Option<Described>, ArchiveError> {
    let Some(described) = archive.description(record).await? else { return Ok(None) };
    Ok(may_read(reader, &described).then_some(described))
}

/// Notes that somebody is about to be shown a record, or to take a component of it, where it is not public.
///
/// If we stop here, it is noted or it is not; whoever asked was shown nothing.
pub async fn note(archive: &Archive, by: &Actor, record: RecordId, component: Option<u32>) -> Result<(), ArchiveError> {
    let known = archive.catalog.record(record).await?;
    let access = known.and_then(|known| Access::read(&known.access)).unwrap_or(Access::Secret);
    if !Consultation::is_noted(access) {
        return Ok(());
    }
    let one = Consultation { at: archive.clock.now(), by: by.id, record, component, access };
    Ok(archive.desk.note_consultation(&one).await?)
}

/// A component of an opened record, as it lies in its place.
fn component(opened: &Described, ordinal: u32) -> Option<(String, Digest)> {
    let component = opened.description.components.iter().find(|component| component.ordinal == ordinal)?;
    Some((layout::component(opened.description.record, component.sha256), component.sha256))
}

/// What is named and gone is damage, and not a failure that passes.
fn gone(error: StoreError) -> ArchiveError {
    match error {
        StoreError::Absent(path) => ArchiveError::Damaged(path),
        error => error.into(),
    }
}

/// Streams a component of an opened record, hashing it again: the stream ends in an error where the bytes
/// are not what the description says.
pub async fn read(
    archive: &Archive,
    opened: &Described,
    ordinal: u32,
) -> Result<Option<BoxStream<'static, Result<Bytes, StoreError>>>, ArchiveError> {
    let Some((path, expected)) = component(opened, ordinal) else { return Ok(None) };
    let pieces = archive.store.read_pieces(&path).await.map_err(gone)?;
    let hasher = Arc::new(Mutex::new(Hasher::default()));
    let seen = hasher.clone();
    let pieces = pieces.inspect_ok(move |piece| seen.lock().unwrap_or_else(PoisonError::into_inner).update(piece));
    let verdict = futures::stream::once(async move {
        let whole = std::mem::take(&mut *hasher.lock().unwrap_or_else(PoisonError::into_inner));
        if whole.finish() == expected { Ok(Bytes::new()) } else { Err(StoreError::Differs { path }) }
    });
    Ok(Some(pieces.chain(verdict).boxed()))
}

/// Streams a range of a component as it lies there: only the whole can be compared with its digest.
pub async fn read_range(
    archive: &Archive,
    opened: &Described,
    ordinal: u32,
    range: Range<u64>,
) -> Result<Option<BoxStream<'static, Result<Bytes, StoreError>>>, ArchiveError> {
    let Some((path, _)) = component(opened, ordinal) else { return Ok(None) };
    Ok(Some(archive.store.read_range(&path, range).await.map_err(gone)?))
}

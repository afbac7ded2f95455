//! Finding and reading: `search open read`.
//!
//! # Why
//! Permission is asked where the answer is made: a search carries its reader into the index, and opening a
//! record asks the same pure rule again, so that a guessed identifier opens nothing.

pub mod ask;

use crate::archive::{Archive, ArchiveError, apply, feed, keep::Described};
use crate::catalog::Known;
use crate::index::{
    query::{Facets, Hits, Query},
    snippet::{self, Snippet},
};
use crate::record::{
    access::{Access, Reader},
    digest::Hasher,
    id::RecordId,
};
use crate::store::{StoreError, layout};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use std::sync::{Arc, Mutex, PoisonError};

/// One hit with what a list of hits shows of it.
#[derive(Debug, Clone)]
pub struct Found {
    pub known: Known,
    pub score: f32,
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
pub async fn search(archive: &Archive, query: Query, snippets: bool) -> Result<Page, ArchiveError> {
    let (index, text, reader) = (archive.index.clone(), query.text.clone(), query.reader.clone());
    let hits = tokio::task::spawn_blocking(move || index.search(&query)).await;
    let hits: Hits = hits.map_err(|_| ArchiveError::Stopped("the search died".into()))??;
    let mut found = Vec::with_capacity(hits.hits.len());
    for hit in &hits.hits {
        // A record that the catalog does not know yet was committed between the two answers.
        let Some(known) = archive.catalog.record(hit.record).await? else { continue };
        // The index lags: who may see the record is asked again of what is shown of it now.
        let level = Access::read(&known.access).unwrap_or(Access::Secret);
        if !reader.may_read(level, known.agency.as_deref(), known.custodian.as_deref()) {
            continue;
        }
        let snippet = if snippets { snippet(archive, &known, &text).await? } else { None };
        found.push(Found { known, score: hit.score, snippet });
    }
    let next = hits.next.map(|cursor| cursor.to_string());
    Ok(Page { found, total: hits.total, facets: hits.facets, next, applied: hits.applied })
}

async fn snippet(archive: &Archive, known: &Known, text: &str) -> Result<Option<Snippet>, ArchiveError> {
    let described = archive.description_of(known.record, known.description).await;
    let Some(described) = apply::undamaged(described)? else { return Ok(None) };
    let texts = feed::texts(&archive.store, &described.description, SNIPPET_TEXT_BYTES).await?;
    Ok(texts.iter().find_map(|one| snippet::snippet(text, one, SNIPPET_CHARS)))
}

/// Opened records of a page in the order of their accession, and where the next page begins.
pub struct Listed {
    pub opened: Vec<(u64, Described)>,
    pub next: Option<u64>,
}

/// The records that a reader may see, `limit` looked at from entry `from` on. What is damaged is left out:
/// `verify` tells.
pub async fn list(archive: &Archive, reader: &Reader, from: u64, limit: u32) -> Result<Listed, ArchiveError> {
    let known = archive.catalog.records(from, limit).await?;
    let next = known.last().filter(|_| known.len() as u32 == limit).map(|last| last.seq + 1);
    let mut opened = Vec::with_capacity(known.len());
    for one in known {
        let found = open(archive, reader, one.record).await;
        if let Some(found) = apply::undamaged(found)? {
            opened.push((one.seq, found));
        }
    }
    Ok(Listed { opened, next })
}

/// Opens a record for a reader. `None` where there is none, and just so where the reader may not see it.
pub async fn open(archive: &Archive, reader: &Reader, record: RecordId) -> Result<Option<Described>, ArchiveError> {
    let Some(described) = archive.description(record).await? else { return Ok(None) };
    let told = &described.description.metadata;
    let may = reader.may_read(told.access, told.agency.as_deref(), told.custodian.as_deref());
    Ok(may.then_some(described))
}

/// Streams a component of an opened record, hashing it again: the stream ends in an error where the bytes
/// are not what the description says.
pub async fn read(
    archive: &Archive,
    opened: &Described,
    ordinal: u32,
) -> Result<Option<impl Stream<Item = Result<Bytes, StoreError>> + use<>>, ArchiveError> {
    let component = opened.description.components.iter().find(|component| component.ordinal == ordinal);
    let Some(component) = component else { return Ok(None) };
    let (expected, path) = (component.sha256, layout::component(opened.description.record, component.sha256));
    let pieces = archive.store.read_pieces(&path).await?;
    let hasher = Arc::new(Mutex::new(Hasher::default()));
    let seen = hasher.clone();
    let pieces = pieces.inspect_ok(move |piece| seen.lock().unwrap_or_else(PoisonError::into_inner).update(piece));
    let verdict = futures::stream::once(async move {
        let whole = std::mem::take(&mut *hasher.lock().unwrap_or_else(PoisonError::into_inner));
        if whole.finish() == expected { Ok(Bytes::new()) } else { Err(StoreError::Differs { path }) }
    });
    Ok(Some(pieces.chain(verdict)))
}

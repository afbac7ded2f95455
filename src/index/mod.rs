//! Which records speak of this? Full-text search in the process, fed by the archive from the ledger.
//!
//! The index is derived: it holds identifiers, keys and lists of terms, never a text, and may be thrown away and
//! rebuilt. It never opens the store. The archive calls [`Index::put`] and [`Index::remove`] as it applies
//! entries, and [`Index::commit`] with the size of the ledger that it has applied; start-up asks
//! [`Index::applied`] and goes on from there.
//!
//! Reading order: `analysis` (syllables), `references` (numbers), `schema` (what is kept), `query` (what is
//! asked), `plan` (what that comes down to), `search` and `walk` (the answer), `snippet` (the words around a hit).
//!
//! # Why
//! - Permission is part of the query ([`Query::reader`] has no default), checked before anything is counted.
//! - Every node holds the whole index and follows the ledger; a search cluster could stand behind these same
//!   functions, so there is no trait of our own in front of them.
//! - A page after a page is found by the key of the last hit. Between two commits nothing is doubled or left out;
//!   a commit in between may move a hit across the cut when hits are sorted by relevance.
//! - How rare a word is, and so the *order* of hits and their scores, is counted over all records, hidden ones too:
//!   counting for each reader apart would cost a pass over every list. What matches, totals, facets and pages do
//!   not depend on it.
//! - Refused: a word segmenter (pairs of syllables find more, without a dictionary); stored text and stored
//!   snippets (a destroyed record must leave nothing); a relevance threshold by rarity (it would tell
//!   what hidden records hold).

mod analysis;
mod references;
mod backlog;
mod schema;
pub mod query;
mod plan;
mod snapshot;
mod lists;
mod collect;
mod walk;
mod search;
pub mod snippet;
#[cfg(test)]
mod tests;

use crate::config;
use crate::index::{
    backlog::Backlog,
    query::{Hits, Query},
    schema::{Entry, Fields},
    snapshot::Snapshot,
};
use crate::record::{id::RecordId, metadata::Metadata};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tantivy::directory::{MmapDirectory, error::LockError};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

/// The least memory that the writer works with.
const WRITER_BYTES_MIN: usize = 16 << 20;
/// Deleted documents of a segment, as a share, from which on it is merged.
const DELETED_SHARE_MAX: f32 = 0.2;

/// How often and after which pause a segment that is being merged is looked at again.
const PURGE_TRIES_MAX: usize = 1500;
const PURGE_WAIT: Duration = Duration::from_millis(20);

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another version wrote it, or its files are damaged: throw it away and apply the ledger again.
    #[error("the index cannot be used and must be rebuilt: {0}")]
    NeedsRebuild(String),
    /// Another process writes to it.
    #[error("the index is in use by another process")]
    Busy,
    #[error("the index cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// The index library refused; after this the index must be opened again.
    #[error("the index failed: {0}")]
    Failed(TantivyError),
}

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> IndexError {
        match error {
            TantivyError::DataCorruption(damage) => IndexError::NeedsRebuild(format!("{damage:?}")),
            TantivyError::IncompatibleIndex(found) => IndexError::NeedsRebuild(format!("{found:?}")),
            TantivyError::LockFailure(LockError::LockBusy, _) => IndexError::Busy,
            // What stopped it was told when it happened; the library's guess here is that it may have been a panic.
            TantivyError::ErrorInThread(_) => IndexError::Io(std::io::Error::other("its writer has stopped")),
            other => IndexError::Failed(other),
        }
    }
}

/// What an error means while opening: what cannot be read for any other reason than the machine's is damaged.
fn unusable(error: TantivyError) -> IndexError {
    match error {
        TantivyError::IoError(ref io) if matches!(io.kind(), ErrorKind::PermissionDenied | ErrorKind::StorageFull) => {
            IndexError::Failed(error)
        }
        TantivyError::LockFailure(..) | TantivyError::OpenDirectoryError(_) | TantivyError::OpenWriteError(_) => {
            error.into()
        }
        damaged => IndexError::NeedsRebuild(damaged.to_string()),
    }
}

/// A record as it is handed in.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    pub record: RecordId,
    /// Order of accession.
    pub seq: u64,
    pub metadata: &'a Metadata,
    /// What was read of its components, pages parted by form feeds.
    pub text: &'a [&'a str],
}

/// The index. All methods may be called from any thread; searches never wait for writing.
pub struct Index {
    fields: Fields,
    /// Read for handing in, written for committing.
    writer: RwLock<IndexWriter<Entry>>,
    reader: IndexReader,
    snapshot: RwLock<Arc<Snapshot>>,
    /// Records handed in since the last commit, by number.
    pending: Mutex<HashSet<u128>>,
    backlog: Arc<Backlog>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// Opens the index in this directory, or an empty one; without a directory it lives in memory.
    pub fn open(dir: Option<&Path>, config: &config::Index) -> Result<Index, IndexError> {
        // The library panics on some damage; to a caller that can rebuild it is all the same.
        catch_unwind(AssertUnwindSafe(|| Index::open_unguarded(dir, config)))
            .unwrap_or_else(|_| Err(IndexError::NeedsRebuild("its files are damaged".into())))
    }

    /// Throws away what is in this directory and opens an empty index.
    pub fn recreate(dir: &Path, config: &config::Index) -> Result<Index, IndexError> {
        if dir.exists() {
            std::fs::remove_dir_all(dir)?;
        }
        Index::open(Some(dir), config)
    }

    fn open_unguarded(dir: Option<&Path>, config: &config::Index) -> Result<Index, IndexError> {
        let (schema, fields) = schema::schema();
        let mut index = match dir {
            None => tantivy::Index::create_in_ram(schema.clone()),
            Some(dir) => {
                std::fs::create_dir_all(dir)?;
                let directory = MmapDirectory::open(dir).map_err(TantivyError::from)?;
                let exists = tantivy::Index::exists(&directory).map_err(TantivyError::from)?;
                let opened = match exists {
                    true => tantivy::Index::open(directory),
                    false => tantivy::Index::create(directory, schema.clone(), Default::default()),
                };
                opened.map_err(unusable)?
            }
        };
        if index.schema() != schema {
            return Err(IndexError::NeedsRebuild("another version of the analysis wrote it".into()));
        }
        index.set_tokenizers(schema::tokenizers());
        let bytes = (config.writer_bytes / config.threads.max(1)).max(WRITER_BYTES_MIN);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(config.threads.max(1))
            .memory_budget_per_thread(bytes)
            .num_merge_threads(1)
            .build();
        let writer = index.writer_with_options(options)?;
        // A killed process may have written deletions that no commit names; the next would write the same names.
        writer.garbage_collect_files().wait()?;
        // The library numbers what is done from the number of the last commit on, and a merge applies deletions up to
        // that number. The first of all, if it were a deletion, would be applied to some segments of a merge that is due
        // and forgotten for those that the last commit had deletions in: a record would stand there twice.
        writer.run([])?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_SHARE_MAX);
        writer.set_merge_policy(Box::new(policy));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader: IndexReader = reader.map_err(unusable)?;
        let payload = index.load_metas()?.payload;
        let applied = payload.map_or(Ok(0), |size| size.parse());
        let applied = applied.map_err(|_| IndexError::NeedsRebuild("its commit names no size of the ledger".into()))?;
        let snapshot = Snapshot::open(reader.searcher(), &fields, applied, &[])?;
        Ok(Index {
            fields,
            writer: RwLock::new(writer),
            reader,
            snapshot: RwLock::new(Arc::new(snapshot)),
            pending: Mutex::new(HashSet::new()),
            backlog: Backlog::new(config.writer_bytes),
        })
    }

    /// The size of the ledger that searches reflect.
    pub fn applied(&self) -> u64 {
        self.snapshot().applied
    }

    /// Hands in a record; it takes the place of what was handed in of it before. Visible after a commit.
    pub fn put(&self, document: &Document<'_>) -> Result<(), IndexError> {
        let Document { record, seq, metadata, text } = document;
        let entry = Entry::new(&self.fields, record, *seq, metadata, text);
        let claim = self.backlog.claim(entry.bytes());
        let id = schema::id_number(record);
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        // A deletion costs a look into every segment at the commit, and a new record has nothing to delete.
        if !locked(&self.pending).insert(id) || self.holds(id)? {
            writer.delete_term(self.term(id));
        }
        writer.add_document(entry.holding(claim))?;
        Ok(())
    }

    /// Takes a record out. Gone from searches after a commit, from the files after [`Index::forget_traces`].
    pub fn remove(&self, record: &RecordId) -> Result<(), IndexError> {
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        writer.delete_term(self.term(schema::id_number(record)));
        Ok(())
    }

    /// Forgets everything.
    pub fn clear(&self) -> Result<(), IndexError> {
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        writer.delete_all_documents()?;
        drop(writer);
        self.commit(0)
    }

    /// Makes everything handed in durable and visible, together with the size of the ledger it comes from.
    pub fn commit(&self, applied: u64) -> Result<(), IndexError> {
        let mut writer = self.writer.write().unwrap_or_else(PoisonError::into_inner);
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&applied.to_string());
        // If we stop here, the commit before stands, with its size of the ledger, and its successors are applied again.
        commit.commit()?;
        locked(&self.pending).clear();
        self.reload(applied)
    }

    /// Rewrites every segment that holds removed records, so that nothing of them is left in the files.
    pub fn forget_traces(&self) -> Result<(), IndexError> {
        let mut writer = self.writer.write().unwrap_or_else(PoisonError::into_inner);
        // A segment may be away in a merge, which drops the removed records too; then its successor is looked at.
        let mut tries = 0;
        loop {
            let metas = writer.index().searchable_segment_metas()?;
            let Some(dirty) = metas.iter().find(|meta| meta.num_deleted_docs() > 0) else { break };
            if let Err(error) = writer.merge(&[dirty.id()]).wait() {
                tries += 1;
                if tries > PURGE_TRIES_MAX {
                    return Err(error.into());
                }
                std::thread::sleep(PURGE_WAIT);
            }
        }
        self.reload(self.applied())?;
        writer.garbage_collect_files().wait()?;
        Ok(())
    }

    /// Answers a query from the last commit.
    pub fn search(&self, query: &Query) -> Result<Hits, IndexError> {
        search::search(&self.snapshot(), &self.fields, query)
    }

    fn term(&self, id: u128) -> Term {
        Term::from_field_bytes(self.fields.record, &id.to_be_bytes())
    }

    /// Whether the last commit has the record, alive or not.
    fn holds(&self, id: u128) -> Result<bool, IndexError> {
        Ok(self.snapshot().searcher.doc_freq(&self.term(id))? > 0)
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reload(&self, applied: u64) -> Result<(), IndexError> {
        self.reader.reload()?;
        let before = self.snapshot();
        let snapshot = Snapshot::open(self.reader.searcher(), &self.fields, applied, &before.parts)?;
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(())
    }
}

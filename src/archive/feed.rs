//! Feeding the index: records go in as they are applied, and become visible at most one interval later.
//!
//! # Why
//! The catalog is applied before a commit is answered, because the next batch is validated against it. The
//! index may lag: its answers carry the size that it has applied, and after a crash it is given the rest.

use crate::archive::ArchiveError;
use crate::index::{Document, Index};
use crate::record::{description::Description, id::RecordId};
use crate::store::{Store, StoreError, layout};
use futures::{StreamExt, TryStreamExt, stream};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

/// Records to be indexed, and the ledger size that the index has applied when they are in.
#[derive(Debug)]
pub struct Step {
    pub applied: u64,
    pub records: Vec<Changed>,
    /// Records that are ordered to end: the index has nothing of them from here on.
    pub ended: Vec<RecordId>,
}

/// A record whose description is new.
#[derive(Debug, Clone)]
pub struct Changed {
    pub record: RecordId,
    /// The entry that accessioned it, or the newest entry where that is not at hand.
    pub seq: u64,
    pub description: Arc<Description>,
}

enum Message {
    Step(Step),
    Flush(oneshot::Sender<Result<(), ArchiveError>>),
}

/// The way into the index.
#[derive(Clone, Debug)]
pub struct Feed {
    to: mpsc::Sender<Message>,
}

/// Steps that may wait. A full queue slows the writer down; it never grows the memory.
const STEPS_WAITING_MAX: usize = 8;
/// Components read at once for one step.
const READS: usize = 8;
/// Texts that wait to be indexed together.
const READY_BYTES: usize = 16 << 20;

impl Feed {
    /// Starts the task that owns the writing side of the index; it ends when no feed is left.
    pub fn start(index: Arc<Index>, store: Store, interval: Duration, text_bytes_max: u64) -> (Feed, JoinHandle<()>) {
        let (to, from) = mpsc::channel(STEPS_WAITING_MAX);
        let feeder = Feeder { index, store, interval, text_bytes_max, dirty: None, applied: 0, ended: HashSet::new() };
        (Feed { to }, tokio::spawn(feeder.run(from)))
    }

    /// Hands a step over.
    pub async fn give(&self, step: Step) -> Result<(), ArchiveError> {
        self.to.send(Message::Step(step)).await.map_err(|_| ArchiveError::Stopped("the index has stopped".into()))
    }

    /// Waits until everything given so far is visible to searches.
    pub async fn flush(&self) -> Result<(), ArchiveError> {
        let (done, answer) = oneshot::channel();
        let stopped = || ArchiveError::Stopped("the index has stopped".into());
        self.to.send(Message::Flush(done)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

struct Feeder {
    index: Arc<Index>,
    store: Store,
    interval: Duration,
    text_bytes_max: u64,
    /// Since when something waits to become visible.
    dirty: Option<Instant>,
    applied: u64,
    /// What ended while this process ran: what somebody had read before must not come in after.
    ended: HashSet<RecordId>,
}

impl Feeder {
    async fn run(mut self, mut from: mpsc::Receiver<Message>) {
        loop {
            let message = match self.dirty {
                None => from.recv().await.map(Some),
                Some(since) => match tokio::time::timeout_at(since + self.interval, from.recv()).await {
                    Ok(message) => message.map(Some),
                    Err(_) => Some(None),
                },
            };
            let done = match message {
                None => break,
                Some(None) => self.commit().await,
                Some(Some(Message::Step(step))) => self.take(step).await,
                Some(Some(Message::Flush(answer))) => match self.commit().await {
                    // Who asked may be gone; the flush is done all the same.
                    Ok(()) => {
                        answer.send(Ok(())).ok();
                        Ok(())
                    }
                    // Who asked hears that the index has stopped.
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = done {
                // The index keeps the size it has applied; opening the archive gives it the rest.
                tracing::error!(%error, "the index has stopped; open the archive again, or run `vankho rebuild`");
                return;
            }
        }
        if let Err(error) = self.commit().await {
            tracing::warn!(%error, "the newest records become visible when the archive is opened again");
        }
    }

    async fn take(&mut self, step: Step) -> Result<(), ArchiveError> {
        let (store, max) = (&self.store, self.text_bytes_max);
        let read = |changed: Changed| async move {
            let texts = texts(store, &changed.description, max).await?;
            Ok::<_, ArchiveError>((changed, texts))
        };
        self.ended.extend(&step.ended);
        let here = step.records.into_iter().filter(|one| !self.ended.contains(&one.record));
        let here: Vec<Changed> = here.collect();
        let mut read = stream::iter(here).map(read).buffered(READS);
        // What is read is indexed before much more is read: a step may hold any number of large texts.
        let (mut ready, mut bytes) = (Vec::new(), 0);
        while let Some((changed, texts)) = read.try_next().await? {
            bytes += texts.iter().map(String::len).sum::<usize>();
            ready.push((changed, texts));
            if bytes >= READY_BYTES {
                put(&self.index, std::mem::take(&mut ready)).await?;
                bytes = 0;
            }
        }
        drop(read);
        put(&self.index, ready).await?;
        if !step.ended.is_empty() {
            let (index, ended) = (self.index.clone(), step.ended);
            blocking(move || Ok(ended.iter().try_for_each(|record| index.remove(record))?)).await?;
        }
        // What is supplied late says nothing new of how far we are.
        self.applied = self.applied.max(step.applied);
        let since = *self.dirty.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.interval { self.commit().await } else { Ok(()) }
    }

    async fn commit(&mut self) -> Result<(), ArchiveError> {
        if self.dirty.take().is_some() {
            let (index, applied) = (self.index.clone(), self.applied);
            blocking(move || Ok(index.commit(applied)?)).await?;
        }
        Ok(())
    }
}

/// Indexes records whose texts are at hand.
async fn put(index: &Arc<Index>, ready: Vec<(Changed, Vec<String>)>) -> Result<(), ArchiveError> {
    let index = index.clone();
    blocking(move || {
        for (changed, texts) in &ready {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let metadata = &changed.description.metadata;
            match changed.description.shows() {
                true => index.put(&Document { record: changed.record, seq: changed.seq, metadata, text: &texts })?,
                // What may bear a secrecy mark is found by nobody.
                false => index.remove(&changed.record)?,
            }
        }
        Ok(())
    })
    .await
}

async fn blocking(work: impl FnOnce() -> Result<(), ArchiveError> + Send + 'static) -> Result<(), ArchiveError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ArchiveError::Stopped("the index writer died".into()))?
}

/// The texts of a record, hashed again: pages parted by form feeds. Text past the limit is not indexed; a
/// text that is gone or damaged is for `verify` to report and does not hide the record.
pub async fn texts(store: &Store, description: &Description, bytes_max: u64) -> Result<Vec<String>, ArchiveError> {
    let (mut texts, mut left) = (Vec::new(), bytes_max);
    for component in description.texts() {
        if component.size > left {
            tracing::warn!(record.id = %description.record, "the text is too large to be indexed whole");
            break;
        }
        match store.read_as(&layout::component(description.record, component.sha256), component.sha256).await {
            Ok(bytes) => {
                left -= component.size.min(left);
                texts.push(String::from_utf8_lossy(&bytes).into_owned());
            }
            Err(StoreError::Differs { .. }) => tracing::warn!(record.id = %description.record, "a text is damaged"),
            Err(StoreError::Absent(_)) => tracing::warn!(record.id = %description.record, "a text is gone"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(texts)
}

//! The other places that hold the archive's tree: written along with the primary, and healed.
//!
//! # Why
//! *As many as are required, and no more, are waited for.* A replica that is slower goes on in the background;
//! one that fails rests until it has been healed, and what it missed is a debt that everybody can see. Where
//! the required number cannot be reached without it, it is asked all the same.
//!
//! *Nothing is believed of a replica that it has not shown.* What this process wrote there and read back is
//! remembered; everything else is read and compared before the debt is called paid (`archive/heal.rs`).
//!
//! *The first bytes stand.* A commit that a replica has with other bytes is evidence of another history, a
//! primary that came back for one: the replica is left alone from then on, and people are told.

use crate::record::digest::{Digest, Hasher};
use crate::store::{Listed, Place, StoreError};
use bytes::Bytes;
use futures::{TryStreamExt, future::join_all, stream::BoxStream};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

/// Writes to one replica that may be under way; one that is slower than that rests.
const UNDER_WAY_MAX: u32 = 64;
/// Objects of one replica that are remembered as written by this process and read back.
const REMEMBERED_MAX: usize = 1 << 20;

/// The replicas of an archive, and how many of them must hold what counts.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    all: Arc<[Arc<Replica>]>,
    required: usize,
    patience: Duration,
}

/// One replica.
#[derive(Debug)]
pub struct Replica {
    /// Which of the archive's places it is.
    pub number: u32,
    pub place: Place,
    state: Mutex<State>,
    under_way: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    /// Its `place.json` is the one that it has to have.
    identified: bool,
    standing: Standing,
    why: Option<String>,
    /// Written here by this process, read back, and not healed past yet: the beginnings of the paths' digests.
    written: HashSet<u128>,
}

/// What may be expected of a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has not said yet who it is, or it failed and has not been healed since.
    #[default]
    Resting,
    /// It takes every write.
    Taking,
    /// It holds another history: nothing is written there until somebody has decided.
    Diverged,
}

/// What people are told of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub number: u32,
    pub name: String,
    pub standing: Standing,
    pub why: Option<String>,
}

impl Replica {
    pub fn new(number: u32, place: Place) -> Replica {
        let under_way = Arc::new(Semaphore::new(UNDER_WAY_MAX as usize));
        Replica { number, place, state: Mutex::default(), under_way }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn told(&self) -> Told {
        let state = self.state();
        let (name, why) = (self.place.name().into(), state.why.clone());
        Told { number: self.number, name, standing: state.standing, why }
    }

    /// It has said who it is: from now on it takes every write.
    pub fn takes(&self) {
        let mut state = self.state();
        state.identified = true;
        if state.standing == Standing::Resting {
            state.standing = Standing::Taking;
        }
    }

    pub fn standing(&self) -> Standing {
        self.state().standing
    }

    /// All that it missed has been made good.
    pub fn is_whole(&self) {
        self.state().why = None;
    }

    /// It failed, or was too slow: it rests until it has been healed.
    pub fn rests(&self, why: &str) {
        let mut state = self.state();
        if state.standing == Standing::Taking || state.why.is_none() {
            tracing::warn!(place = self.place.name(), %why, "a replica fell behind; it is healed when it answers again");
        }
        state.why = Some(why.to_owned());
        if state.standing == Standing::Taking {
            state.standing = Standing::Resting;
        }
    }

    /// It holds another history: nothing more is written there.
    pub fn diverges(&self, why: &str) {
        let mut state = self.state();
        if state.standing != Standing::Diverged {
            tracing::error!(place = self.place.name(), why, "a replica holds another history and is left alone");
        }
        state.standing = Standing::Diverged;
        state.why = Some(why.to_owned());
    }

    /// Was an object written there by this process, and read back? It is asked once: what has been healed past need
    /// not be remembered.
    pub fn forgets(&self, path: &str) -> bool {
        self.state().written.remove(&mark(path))
    }

    fn remembers(&self, path: &str) {
        let mut state = self.state();
        if state.written.len() < REMEMBERED_MAX {
            state.written.insert(mark(path));
        }
    }

    fn takes_writes(&self, also_resting: bool) -> bool {
        let state = self.state();
        match state.standing {
            Standing::Taking => true,
            Standing::Resting => also_resting && state.identified,
            Standing::Diverged => false,
        }
    }

    /// A commit as the primary has it; other bytes that are there stand, and are told.
    ///
    /// If we stop here, it is there or it is not: healing looks again.
    pub async fn secure(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        match self.place.read(path).await {
            Ok(found) if found == bytes => self.place.sync(path),
            Ok(_) => {
                self.diverges(&format!("{path} has other bytes there than at the primary"));
                Err(StoreError::Differs { path: path.into() })
            }
            Err(StoreError::Absent(_)) => self.place.keep(path, bytes).await,
            Err(error) => Err(error),
        }
    }
}

fn mark(path: &str) -> u128 {
    let Digest(bytes) = Digest::of(path.as_bytes());
    bytes.iter().take(16).fold(0, |mark, byte| mark << 8 | u128::from(*byte))
}

impl Replicas {
    /// `required` counts the primary; `patience` is how long one small write may take.
    pub fn new(places: Vec<(u32, Place)>, required: usize, patience: Duration) -> Replicas {
        let all = places.into_iter().map(|(number, place)| Arc::new(Replica::new(number, place))).collect();
        Replicas { all, required: required.saturating_sub(1), patience }
    }

    /// How long one small write may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    pub fn all(&self) -> &[Arc<Replica>] {
        &self.all
    }

    /// Brings an object to the replicas; answers when as many as are required hold it.
    ///
    /// If we stop here, some have it and some do not.
    pub async fn keep(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let work = |replica: Arc<Replica>, path: String| {
            let bytes = bytes.clone();
            async move { replica.place.keep(&path, bytes).await }
        };
        self.each(path, Some(self.patience), work).await
    }

    /// Brings a commit to the replicas: [`Replica::secure`].
    pub async fn secure(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let work = |replica: Arc<Replica>, path: String| {
            let bytes = bytes.clone();
            async move { replica.secure(&path, bytes).await }
        };
        self.each(path, Some(self.patience), work).await
    }

    /// Brings an object that the primary has, and that is too large to be held, to the replicas.
    pub async fn copy(&self, from: &Place, path: &str, digest: Digest) -> Result<(), StoreError> {
        let work = |replica: Arc<Replica>, path: String| {
            let from = from.clone();
            async move { copy(&from, &replica.place, &path, digest, &mut Pace::of(u64::MAX)).await }
        };
        self.each(path, None, work).await
    }

    async fn each<W>(
        &self,
        path: &str,
        patience: Option<Duration>,
        work: impl Fn(Arc<Replica>, String) -> W,
    ) -> Result<(), StoreError>
    where
        W: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let taking = self.all.iter().filter(|replica| replica.takes_writes(false)).count();
        let also_resting = taking < self.required;
        let (tell, mut heard) = mpsc::unbounded_channel();
        for replica in self.all.iter().filter(|replica| replica.takes_writes(also_resting)) {
            let permit = match replica.under_way.clone().try_acquire_owned() {
                Ok(permit) => permit,
                // Those that are waited for take their turn; others have been too slow for too long.
                Err(_) if self.required > 0 => match replica.under_way.clone().acquire_owned().await {
                    Ok(permit) => permit,
                    Err(_) => continue,
                },
                Err(_) => {
                    replica.rests(&StoreError::slow(path).to_string());
                    continue;
                }
            };
            let (replica, tell, path) = (replica.clone(), tell.clone(), path.to_owned());
            let work = work(replica.clone(), path.clone());
            tokio::spawn(async move {
                let done = match patience {
                    Some(patience) => {
                        tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(StoreError::slow(&path)))
                    }
                    None => work.await,
                };
                match &done {
                    Ok(()) => replica.remembers(&path),
                    Err(error) => replica.rests(&error.to_string()),
                }
                drop(permit);
                // Nobody waits any more where the number was reached before.
                tell.send(done.err().map(|error| error.to_string())).ok();
            });
        }
        drop(tell);
        let (mut held, mut why) = (0, None);
        while held < self.required {
            match heard.recv().await {
                Some(None) => held += 1,
                Some(failure) => why = failure.or(why),
                None => {
                    let why = why.unwrap_or_else(|| "no other place can be reached".into());
                    let (held, required) = (held + 1, self.required + 1);
                    return Err(StoreError::TooFew { path: path.into(), held, required, why });
                }
            }
        }
        Ok(())
    }

    /// The bytes of an object at the first replica that has it.
    pub async fn read(&self, path: &str) -> Option<Bytes> {
        for replica in self.all.iter().filter(|replica| replica.takes_writes(true)) {
            if let Ok(Ok(bytes)) = tokio::time::timeout(self.patience, replica.place.read(path)).await {
                return Some(bytes);
            }
        }
        None
    }

    /// As much of a range of it as there is, in pieces.
    pub async fn read_range(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Option<BoxStream<'static, Result<Bytes, StoreError>>> {
        for replica in self.all.iter().filter(|replica| replica.takes_writes(true)) {
            let pieces = replica.place.read_range(path, range.clone());
            if let Ok(Ok(pieces)) = tokio::time::timeout(self.patience, pieces).await {
                return Some(pieces);
            }
        }
        None
    }

    /// Everything under a folder of each replica. An error means that some could not be asked.
    pub async fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        let mut listed = Vec::new();
        for replica in self.joined() {
            if replica.standing() == Standing::Resting {
                return Err(StoreError::slow(folder));
            }
            let some = replica.place.list(folder)?.try_collect::<Vec<_>>();
            match tokio::time::timeout(self.patience, some).await {
                Ok(some) => listed.extend(some?),
                Err(_) => return Err(StoreError::slow(folder)),
            }
        }
        Ok(listed)
    }

    /// Drops an object at every replica. An error means that some may still have it.
    ///
    /// If we stop here, some have it still; the intent that named it stands.
    pub async fn discard(&self, path: &str) -> Result<(), StoreError> {
        let done = self.joined().map(|replica| async move {
            if replica.standing() == Standing::Resting {
                return Err(StoreError::slow(path));
            }
            let done = tokio::time::timeout(self.patience, replica.place.discard(path)).await;
            done.unwrap_or_else(|_| Err(StoreError::slow(path)))
        });
        join_all(done).await.into_iter().collect()
    }

    /// Those that may hold something of ours: all but another history.
    fn joined(&self) -> impl Iterator<Item = &Arc<Replica>> {
        self.all.iter().filter(|replica| replica.told().standing != Standing::Diverged)
    }

    /// Waits until nothing is under way to any replica, for as long as one write may take.
    pub async fn settle(&self) {
        let waits = self.all.iter().map(|replica| replica.under_way.acquire_many(UNDER_WAY_MAX));
        // What is not through by then is found wanting by the next round of healing.
        tokio::time::timeout(self.patience, join_all(waits)).await.ok();
    }
}

/// So many bytes in a second at most.
#[derive(Debug)]
pub struct Pace {
    bytes_per_second_max: u64,
    began: Instant,
    bytes: u64,
}

impl Pace {
    pub fn of(bytes_per_second_max: u64) -> Pace {
        Pace { bytes_per_second_max, began: Instant::now(), bytes: 0 }
    }

    /// Waits until so many bytes more may have passed.
    pub async fn wait(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let due = Duration::from_secs_f64(self.bytes as f64 / self.bytes_per_second_max as f64);
        if let Some(early) = due.checked_sub(self.began.elapsed()) {
            tokio::time::sleep(early).await;
        }
    }
}

/// Copies an object from place to place, hashing what is read and reading back what was written.
///
/// If we stop here, the object is there or it is not: no half of it has its name.
pub async fn copy(from: &Place, to: &Place, path: &str, digest: Digest, pace: &mut Pace) -> Result<(), StoreError> {
    let (mut pieces, mut staged) = (from.read_pieces(path).await?, to.stage(path).await?);
    let mut hasher = Hasher::default();
    loop {
        match pieces.try_next().await {
            Ok(Some(piece)) => {
                hasher.update(&piece);
                pace.wait(piece.len()).await;
                staged.write(&piece).await?;
            }
            Ok(None) => break,
            Err(error) => {
                staged.abort().await;
                return Err(error);
            }
        }
    }
    if hasher.finish() != digest {
        staged.abort().await;
        return Err(StoreError::Differs { path: path.into() });
    }
    staged.finish().await?;
    match to.digest(path).await? {
        (found, _) if found == digest => Ok(()),
        _ => Err(StoreError::Differs { path: path.into() }),
    }
}

//! The other places that hold the archive's tree: written along with the primary, and healed.
//!
//! # Why
//! *As many as are required, and no more, are waited for.* A replica that is slower goes on in the background;
//! one that fails rests until it has been healed, and what it missed is a debt that everybody can see. Where
//! the required number cannot be reached without it, it is asked all the same.
//!
//! *A promise is waited for everywhere.* An intent names what is about to be written: at a place that had the one
//! without the other, nobody who goes on from there would know what to sweep.
//!
//! *Nothing is believed of a replica that it has not shown.* What this process wrote there and read back is
//! remembered; everything else is read and compared before the debt is called paid (`archive/heal.rs`).
//!
//! *What lies at a place that was not compared does not count.* A disk that comes back may be an older copy of
//! itself, or hold another history: a place counts only from the moment on at which its commits were held against
//! ours (`store/replica.rs`), and after every failure they are held against ours again.

use crate::record::digest::{Digest, Hasher};
use crate::store::{
    Link, Listed, Place, StoreError, layout,
    replica::{Replica, Standing, UNDER_WAY_MAX},
};
use bytes::Bytes;
use futures::{TryStreamExt, future::join_all, stream::BoxStream};
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

/// Who is waited for when an object is brought to the replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// As many as are required.
    Required,
    /// Every one that counts: none of them lacks it any more.
    All,
}

/// The replicas of an archive, and how many of them must hold what counts.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    all: Arc<[Arc<Replica>]>,
    required: usize,
    patience: Duration,
    /// The newest commit that this process has taken in.
    newest: Arc<Mutex<Option<Link>>>,
}

impl Replicas {
    /// `required` counts the primary; `patience` is how long one small write may take.
    pub fn new(places: Vec<(u32, Place)>, required: usize, patience: Duration) -> Replicas {
        let all = places.into_iter().map(|(number, place)| Arc::new(Replica::new(number, place))).collect();
        Replicas { all, required: required.saturating_sub(1), patience, newest: Arc::default() }
    }

    /// The newest commit that this process has taken in: what a place must have to count.
    pub fn newest(&self) -> Option<Link> {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process has taken a commit in.
    pub fn grows(&self, newest: Link) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(newest);
    }

    /// Do as many places count as are required?
    pub fn suffice(&self) -> bool {
        self.all.iter().filter(|replica| replica.standing() == Standing::Taking).count() >= self.required
    }

    /// How long one small write may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    pub fn all(&self) -> &[Arc<Replica>] {
        &self.all
    }

    /// Brings an object to the replicas; answers when those that are waited for hold it, as many as are required at least.
    ///
    /// If we stop here, some have it and some do not.
    pub async fn keep(&self, primary: &Place, path: &str, bytes: Bytes, awaited: Awaited) -> Result<(), StoreError> {
        let work = |replica: Arc<Replica>, path: String| {
            let bytes = bytes.clone();
            async move { replica.place.keep(&path, bytes).await.map(|()| true) }
        };
        self.each(primary, path, Some(self.patience), awaited, work).await
    }

    /// What other places hold of a commit that the primary is about to get: nothing, unless somebody was first there or
    /// its disk went back. Where fewer answer than are required, what is created now could not be acknowledged.
    pub async fn ahead(&self, base: u64) -> Result<Vec<Bytes>, StoreError> {
        if self.required == 0 {
            return Ok(Vec::new());
        }
        let (path, too_few) = (layout::commit(base), !self.suffice());
        let ask = |replica: &Arc<Replica>| {
            let (replica, path) = (replica.clone(), path.clone());
            async move {
                let read = tokio::time::timeout(self.patience, replica.place.read(&path)).await;
                match read.unwrap_or_else(|_| Err(StoreError::slow(&path))) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(StoreError::Absent(_)) => Ok(None),
                    Err(error) => {
                        replica.rests(&error.to_string());
                        Err(error.to_string())
                    }
                }
            }
        };
        let asked = self.all.iter().filter(|replica| replica.may_be_ahead(base, too_few));
        let (mut answered, mut found, mut why) = (0, Vec::new(), None);
        for answer in join_all(asked.map(ask)).await {
            match answer {
                Ok(bytes) => {
                    answered += 1;
                    found.extend(bytes);
                }
                Err(failure) => why = Some(failure),
            }
        }
        if answered < self.required && found.is_empty() {
            return Err(self.too_few(&path, answered, why));
        }
        Ok(found)
    }

    /// So many places besides the primary hold, or can be asked for, an object.
    fn too_few(&self, path: &str, held: usize, why: Option<String>) -> StoreError {
        let why = why.or_else(|| self.all.iter().find_map(|replica| replica.told().why));
        let why = why.unwrap_or_else(|| "no other place can be reached".into());
        StoreError::TooFew { path: path.into(), held: held + 1, required: self.required + 1, why }
    }

    /// Brings a commit to the replicas: [`Replica::secure`].
    pub async fn secure(&self, primary: &Place, link: Link, bytes: Bytes) -> Result<(), StoreError> {
        let work = |replica: Arc<Replica>, _| {
            let (bytes, primary) = (bytes.clone(), primary.clone());
            async move { replica.secure(&primary, link, bytes).await }
        };
        self.each(primary, &link.path(), Some(self.patience), Awaited::Required, work).await
    }

    /// Brings an object that the primary has, and that is too large to be held, to the replicas.
    pub async fn copy(&self, primary: &Place, path: &str, digest: Digest) -> Result<(), StoreError> {
        let work = |replica: Arc<Replica>, path: String| {
            let from = primary.clone();
            async move { copy(&from, &replica.place, &path, digest, &mut Pace::of(u64::MAX)).await.map(|_| true) }
        };
        self.each(primary, path, None, Awaited::Required, work).await
    }

    /// Holds the places that rest against the primary, where those that count are too few.
    async fn wake(&self, primary: &Place) {
        if self.suffice() {
            return;
        }
        let resting = self.all.iter().filter(|replica| replica.standing() == Standing::Resting);
        join_all(resting.map(|replica| replica.wake(primary, self.newest(), self.patience))).await;
    }

    /// Does some work at every replica that counts; it answers whether the object is held there now.
    async fn each<W>(
        &self,
        primary: &Place,
        path: &str,
        patience: Option<Duration>,
        awaited: Awaited,
        work: impl Fn(Arc<Replica>, String) -> W,
    ) -> Result<(), StoreError>
    where
        W: Future<Output = Result<bool, StoreError>> + Send + 'static,
    {
        self.wake(primary).await;
        let (tell, mut heard) = mpsc::unbounded_channel();
        for replica in self.all.iter().filter(|replica| replica.standing() == Standing::Taking) {
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
                    Ok(true) => replica.remembers(&path),
                    Ok(false) => {}
                    Err(error) => replica.rests(&error.to_string()),
                }
                drop(permit);
                // Nobody waits any more where the number was reached before.
                tell.send(done.map_err(|error| error.to_string())).ok();
            });
        }
        drop(tell);
        let (mut held, mut why) = (0, None);
        while held < self.required || awaited == Awaited::All {
            match heard.recv().await {
                Some(Ok(holds)) => held += usize::from(holds),
                Some(Err(failure)) => why = Some(failure),
                None if held >= self.required => break,
                None => return Err(self.too_few(path, held, why)),
            }
        }
        Ok(())
    }

    /// Those whose bytes may be asked for: whoever asks hashes them.
    fn readable(&self) -> impl Iterator<Item = &Arc<Replica>> {
        self.all.iter().filter(|replica| replica.is_known() && replica.standing() != Standing::Diverged)
    }

    /// The bytes of an object at the first replica that has it.
    pub async fn read(&self, path: &str) -> Option<Bytes> {
        for replica in self.readable() {
            if let Ok(Ok(bytes)) = tokio::time::timeout(self.patience, replica.place.read(path)).await {
                return Some(bytes);
            }
        }
        None
    }

    /// The bytes with a digest, from the first replica that has them so.
    pub async fn read_as(&self, path: &str, digest: Digest) -> Option<Bytes> {
        for replica in self.readable() {
            match tokio::time::timeout(self.patience, replica.place.read(path)).await {
                Ok(Ok(bytes)) if Digest::of(&bytes) == digest => return Some(bytes),
                _ => {}
            }
        }
        None
    }

    /// As much of a range of an object as there is, in pieces, from the first replica that has it.
    pub async fn read_range(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Option<BoxStream<'static, Result<Bytes, StoreError>>> {
        for replica in self.readable() {
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

    /// Everything under a folder of those replicas that count and answer.
    pub async fn listed(&self, folder: &str) -> Vec<Listed> {
        let mut listed = Vec::new();
        for replica in self.all.iter().filter(|replica| replica.standing() == Standing::Taking) {
            let some = async { replica.place.list(folder)?.try_collect::<Vec<_>>().await };
            listed
                .extend(tokio::time::timeout(self.patience, some).await.ok().and_then(Result::ok).unwrap_or_default());
        }
        listed
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

/// Copies an object from place to place, hashing what is read and reading back what was written; tells its size.
///
/// If we stop here, the object is there or it is not: no half of it has its name.
pub async fn copy(from: &Place, to: &Place, path: &str, digest: Digest, pace: &mut Pace) -> Result<u64, StoreError> {
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
        (found, bytes) if found == digest => Ok(bytes),
        _ => Err(StoreError::Differs { path: path.into() }),
    }
}

/// Does a place not have an object, or have it altered? An altered one is so each time that it is read.
pub async fn lacks(place: &Place, path: &str, digest: Digest) -> Result<bool, StoreError> {
    match (place.digest(path).await, place.digest(path).await) {
        (Err(StoreError::Absent(_)), Err(StoreError::Absent(_))) => Ok(true),
        (Ok((once, _)), Ok((again, _))) => Ok(once == again && once != digest),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

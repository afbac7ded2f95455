//! Given a place, where are the bytes? The only user of `object_store`.
//!
//! A [`Place`] is a tree of plain objects: a folder on disk (fsync'ed), a prefix of a bucket, or memory for
//! tests. A [`Store`] is the primary place and its replicas. Everything that is written is read back and
//! compared before anybody is told that it is there.
//!
//! # Why
//! *No port of our own.* `ObjectStore` is the port already: memory, disk and every fault wrapper speak it.
//!
//! *Traps of the local disk (object_store 0.14), and what is done about each:*
//! 1. it does not fsync unless built `with_fsync(true)`: [`Place::local`] always does;
//! 2. deletes: [`Place::discard`] syncs the parent folder itself;
//! 3. a create writes `x#1`, links it to `x` and unlinks it; a crash leaves `x#1`, which `list` hides and
//!    `delete` refuses: [`local::leftovers`] finds and removes it with the plain file API;
//! 4. `AlreadyExists` after a kill proves nothing about the disk: [`Place::create`] opens, syncs and compares,
//!    and [`Place::sync`] does it for whoever finds an object that another process may have left;
//! 5. an object that a failed write may yet have put there: the outcome is read back, never guessed;
//! 6. multipart has no create-only mode and no digest of ours: the stream is hashed here and read back;
//! 7. to read a small object whole it goes to another thread twice, and every write here is read back: whole
//!    objects are read with the plain file API, on one trip;
//! 8. two writers that need one new folder: the second sees it before the first has synced its parent. So
//!    the folders that are shared between records are made, and synced, once, at `init`.

pub mod destroy;
pub mod identity;
pub mod layout;
pub mod local;
pub mod place;
mod probe;
pub mod replica;
pub mod replicas;
mod url;

use crate::record::digest::Digest;
use crate::store::layout::without_digests;
use bytes::Bytes;
use futures::{future::join, stream::BoxStream};
use object_store::{ObjectStore, memory::InMemory};
use std::{ops::Range, path::Path, sync::Arc};

pub use place::{Place, Upload};
pub use replica::{Link, Replica, Standing};
pub use replicas::{Awaited, Replicas};

/// What can go wrong between us and the bytes. In words it names the record and no digest: logs and answers show it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is nothing at {}", without_digests(.0))]
    Absent(String),
    #[error("{} does not hold what was written to it", without_digests(.path))]
    Differs { path: String },
    #[error("{0:?} is no path inside an archive")]
    BadPath(String),
    #[error(
        "of several writers that created one object at once {winners} were told that it is theirs: this storage cannot hold an archive's primary place, only a replica; choose a local disk or an S3 server that keeps create-if-absent"
    )]
    NoLock { winners: usize },
    #[error(
        "{} is held by {held} of the {required} places that must hold it ({}); see `vankho status`, it is tried again",
        without_digests(.path), without_digests(.why)
    )]
    TooFew { path: String, held: usize, required: usize, why: String },
    #[error("{name} is no storage that can be used: {why}; see [storage] in deploy/config.example.toml")]
    NotStorage { name: String, why: String },
    #[error(
        "the storage failed at {}: {}; check the address in storage.places, the network and the keys in the environment",
        without_digests(.path), without_digests(&.source.to_string())
    )]
    Failed { path: String, source: object_store::Error },
    #[error("the disk failed at {}: {source}; check space, permissions and the disk itself", without_digests(.path))]
    Disk { path: String, source: std::io::Error },
}

impl StoreError {
    /// A place that does not answer.
    pub fn slow(path: &str) -> StoreError {
        let source = std::io::Error::new(std::io::ErrorKind::TimedOut, "it does not answer in time");
        StoreError::Disk { path: path.into(), source }
    }
}

/// What became of a create.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// The object is ours and durable.
    New,
    /// Somebody was first; these are their bytes, durable.
    AlreadyThere(Bytes),
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    pub path: String,
    pub size: u64,
    /// Seconds since 1970 of the last change.
    pub modified: i64,
}

/// How many bytes are read or written at a time when a component is too large to be held.
pub const PIECE_BYTES: usize = 4 << 20;

/// How often an object that is not what it should be is read again.
const READ_AGAIN: usize = 5;

/// Every place that holds the archive's tree, as one: what counts is written to the primary and to as many
/// replicas as are required before anybody is told.
#[derive(Clone, Debug)]
pub struct Store {
    primary: Place,
    /// Which of the archive's places the primary is.
    number: u32,
    replicas: Replicas,
}

/// Where an object has to be.
enum Reach {
    /// At the primary: bytes on their way, what is published of the log, the identity of the place.
    Primary,
    /// At as many places as are required.
    Required,
}

fn reach(path: &str) -> Reach {
    let under = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let published = under("log") && !under(layout::COMMITS) && !under(layout::TIMESTAMPS);
    let on_their_way = under(layout::STAGING) && !under(layout::INTENTS);
    if on_their_way || published || path == layout::PLACE { Reach::Primary } else { Reach::Required }
}

/// Is the name of an object a digest of its bytes, so that any place may answer for it?
fn is_of_a_unit(path: &str) -> bool {
    layout::kind_of(path).is_some() || layout::stub_of(path).is_some()
}

impl Store {
    /// A folder on this machine's disk, alone.
    pub fn local(root: &Path) -> Result<Store, StoreError> {
        Ok(Store::at(Place::local(root)?))
    }

    /// A place in memory, for tests.
    pub fn memory() -> Store {
        Store::over(Arc::new(InMemory::new()))
    }

    /// Any object store, alone: a fault wrapper of the tests, for one.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Store {
        Store::at(Place::over(objects, "memory"))
    }

    /// One place, alone.
    pub fn at(place: Place) -> Store {
        Store { primary: place, number: 1, replicas: Replicas::default() }
    }

    /// A primary with its number, and its replicas.
    pub fn of(primary: Place, number: u32, replicas: Replicas) -> Store {
        Store { primary, number, replicas }
    }

    pub fn primary(&self) -> &Place {
        &self.primary
    }

    /// Which of the archive's places the primary is; the first is 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn replicas(&self) -> &Replicas {
        &self.replicas
    }

    /// The folder on disk, where the primary is one.
    pub fn folder(&self) -> Option<&Path> {
        self.primary.folder()
    }

    /// Every folder on a disk: the primary's, and those of replicas that can be reached.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        let replicas = self.replicas.all().iter().filter(|replica| replica.standing() == Standing::Taking);
        std::iter::once(&self.primary).chain(replicas.map(|replica| &replica.place)).filter_map(Place::folder)
    }

    /// Makes the folders that records share, durably. Needed once, on a disk only.
    pub fn prepare(&self) -> Result<(), StoreError> {
        self.primary.prepare()
    }

    /// Writes an object whose name follows from its bytes wherever it has to be, reads it back and compares.
    ///
    /// If we stop here, an object lies there that nothing names; writing it again is harmless.
    pub async fn keep(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        match reach(path) {
            Reach::Primary => self.primary.keep(path, bytes).await,
            Reach::Required => {
                let promise = path.strip_prefix(layout::INTENTS).is_some_and(|rest| rest.starts_with('/'));
                let awaited = if promise { Awaited::All } else { Awaited::Required };
                let there = self.replicas.keep(&self.primary, path, bytes.clone(), awaited);
                let (here, there) = join(self.primary.keep(path, bytes), there).await;
                here.and(there)
            }
        }
    }

    /// Creates an object at the primary that must not be there yet: [`Place::create`].
    pub async fn create(&self, path: &str, bytes: Bytes) -> Result<Created, StoreError> {
        self.primary.create(path, bytes).await
    }

    /// Makes sure that a commit that lies at the primary is durable there and at as many replicas as are required,
    /// after all before it and with the same bytes. One that a replica has with other bytes is left as it is.
    ///
    /// If we stop here, it is at fewer places than it has to be: whoever finds it does this again.
    pub async fn secure(&self, link: Link, bytes: Bytes) -> Result<(), StoreError> {
        self.primary.sync(&link.path())?;
        self.replicate(link, bytes).await
    }

    /// The same for a commit that has just been created.
    ///
    /// If we stop here, it is at fewer places than it has to be: whoever finds it does this again.
    pub async fn replicate(&self, link: Link, bytes: Bytes) -> Result<(), StoreError> {
        self.replicas.secure(&self.primary, link, bytes).await
    }

    /// Puts bytes in the place of an object at the primary, where `may` says so: [`Place::replace`].
    pub async fn replace(
        &self,
        path: &str,
        bytes: Bytes,
        may: impl Fn(Option<&[u8]>) -> bool + Send,
    ) -> Result<bool, StoreError> {
        self.primary.replace(path, bytes, may).await
    }

    /// The whole object. Where the primary cannot give a component or a description, a replica may: whoever
    /// asks hashes it.
    pub async fn read(&self, path: &str) -> Result<Bytes, StoreError> {
        match self.primary.read(path).await {
            Err(failure) if is_of_a_unit(path) => match self.replicas.read(path).await {
                Some(bytes) => Ok(bytes),
                None => Err(failure),
            },
            answer => answer,
        }
    }

    /// The whole object with a digest, from whichever place gives it so: what one reading gets wrong another may not.
    pub async fn read_as(&self, path: &str, digest: Digest) -> Result<Bytes, StoreError> {
        let first = self.read(path).await?;
        if Digest::of(&first) == digest {
            return Ok(first);
        }
        for _ in 0..READ_AGAIN {
            let again = self.primary.read(path).await;
            if let Some(bytes) = again.ok().filter(|bytes| Digest::of(bytes) == digest) {
                return Ok(bytes);
            }
        }
        let elsewhere = self.replicas.read_as(path, digest).await;
        elsewhere.ok_or_else(|| StoreError::Differs { path: path.into() })
    }

    /// The object in pieces of [`PIECE_BYTES`], for components that are too large to be held.
    pub async fn read_pieces(&self, path: &str) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        self.read_range(path, 0..u64::MAX).await
    }

    /// As much of a range as the object has, in such pieces.
    pub async fn read_range(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        match self.primary.read_range(path, range.clone()).await {
            Err(failure) if is_of_a_unit(path) => match self.replicas.read_range(path, range).await {
                Some(pieces) => Ok(pieces),
                None => Err(failure),
            },
            answer => answer,
        }
    }

    /// Reads an object at the primary to its end and says what it is: digest and size.
    pub async fn digest(&self, path: &str) -> Result<(Digest, u64), StoreError> {
        self.primary.digest(path).await
    }

    /// Is there an object at the primary?
    pub async fn has(&self, path: &str) -> Result<bool, StoreError> {
        self.primary.has(path).await
    }

    /// Everything under a folder of the primary, in no order.
    pub fn list(&self, folder: &str) -> Result<BoxStream<'static, Result<Listed, StoreError>>, StoreError> {
        self.primary.list(folder)
    }

    /// Everything under a folder of the primary, also what a listing hides.
    pub async fn everything(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        self.primary.everything(folder).await
    }

    /// The names directly under a folder of the primary; folders end in `/`.
    pub async fn names(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        self.primary.names(folder).await
    }

    /// Begins an object of unknown length in staging.
    pub async fn stage(&self, path: &str) -> Result<Upload, StoreError> {
        self.primary.stage(path).await
    }

    /// Moves a staged object to its name, durably, reads it back against its digest, and brings it to the
    /// replicas.
    ///
    /// If we stop here, the bytes lie under one name or the other, and at some replicas; an intent names their
    /// folder.
    pub async fn settle(&self, staged: &str, path: &str, digest: Digest) -> Result<(), StoreError> {
        self.primary.settle(staged, path, digest).await?;
        self.replicas.copy(&self.primary, path, digest).await
    }

    /// Drops an object that is not kept, wherever it may be: staging, leftovers, orphans, superseded tiles.
    /// Absent is fine. An error means that some place may still have it.
    pub async fn discard(&self, path: &str) -> Result<(), StoreError> {
        self.primary.discard(path).await?;
        match reach(path) {
            Reach::Required if is_of_a_unit(path) => self.replicas.discard(path).await,
            // An intent that stands at a replica is swept in vain, should that ever be the primary.
            Reach::Required => {
                self.replicas.discard(path).await.ok();
                Ok(())
            }
            Reach::Primary => Ok(()),
        }
    }
}

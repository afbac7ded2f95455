//! Given a place, where are the bytes? The only user of `object_store`.
//!
//! A [`Store`] is a tree of plain objects: a folder on disk (fsync'ed), or memory for tests. Everything
//! that is written is read back and compared before anybody is told that it is there.
//!
//! # Why
//! *No port of our own.* `ObjectStore` is the port already: memory, disk and every fault wrapper speak it.
//!
//! *Traps of the local disk (object_store 0.14), and what is done about each:*
//! 1. it does not fsync unless built `with_fsync(true)`: [`Store::local`] always does;
//! 2. deletes: [`Store::discard`] syncs the parent folder itself;
//! 3. a create writes `x#1`, links it to `x` and unlinks it; a crash leaves `x#1`, which `list` hides and
//!    `delete` refuses: [`local::leftovers`] finds and removes it with the plain file API;
//! 4. `AlreadyExists` after a kill proves nothing about the disk: [`Store::create`] opens, syncs and compares,
//!    and [`Store::sync`] does it for whoever finds an object that another process may have left;
//! 5. an object that a failed write may yet have put there: the outcome is read back, never guessed;
//! 6. multipart has no create-only mode and no digest of ours: the stream is hashed here and read back;
//! 7. to read a small object whole it goes to another thread twice, and every write here is read back: whole
//!    objects are read with the plain file API, on one trip;
//! 8. two writers that need one new folder: the second sees it before the first has synced its parent. So
//!    the folders that are shared between records are made, and synced, once, at `init`.

pub mod layout;
pub mod local;
mod probe;

use crate::record::digest::{Digest, Hasher};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion, memory::InMemory,
    path::Path as ObjectPath,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// How many bytes are read or written at a time when a component is too large to be held.
pub const PIECE_BYTES: usize = 4 << 20;

/// One place that holds the archive's tree.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    local: Option<PathBuf>,
}

/// What can go wrong between us and the bytes.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is nothing at {0}")]
    Absent(String),
    #[error("{path} does not hold what was written to it")]
    Differs { path: String },
    #[error("{0:?} is no path inside an archive")]
    BadPath(String),
    #[error(
        "of several writers that created one object at once {winners} were told that it is theirs: this storage cannot hold an archive's primary place; choose a local disk"
    )]
    NoLock { winners: usize },
    #[error("the storage failed at {path}: {source}")]
    Failed { path: String, source: object_store::Error },
    #[error("the disk failed at {path}: {source}; check space, permissions and the disk itself")]
    Disk { path: String, source: std::io::Error },
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

impl Store {
    /// A folder on this machine's disk. Every write is fsync'ed, its folder included.
    pub fn local(root: &Path) -> Result<Store, StoreError> {
        let objects = object_store::local::LocalFileSystem::new_with_prefix(root)
            .map_err(|source| StoreError::Failed { path: root.display().to_string(), source })?
            .with_fsync(true);
        Ok(Store { objects: Arc::new(objects), local: Some(root.to_owned()) })
    }

    /// A place in memory, for tests.
    pub fn memory() -> Store {
        Store::over(Arc::new(InMemory::new()))
    }

    /// Any object store: a fault wrapper of the tests, for one.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Store {
        Store { objects, local: None }
    }

    /// The folder on disk, where the place is one.
    pub fn folder(&self) -> Option<&Path> {
        self.local.as_deref()
    }

    /// Makes the folders that records share, durably. Needed once, on a disk only.
    pub fn prepare(&self) -> Result<(), StoreError> {
        match &self.local {
            Some(root) => local::prepare(root),
            None => Ok(()),
        }
    }

    /// Writes an object whose name follows from its bytes, reads it back and compares.
    ///
    /// If we stop here, an object lies there that nothing names; writing it again is harmless.
    pub async fn keep(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let at = object_path(path)?;
        let written = self.objects.put(&at, PutPayload::from_bytes(bytes.clone())).await;
        match (written, self.read(path).await) {
            (Ok(_), Ok(found)) if found == bytes => Ok(()),
            (Ok(_), Ok(_) | Err(StoreError::Absent(_))) => Err(StoreError::Differs { path: path.into() }),
            (Err(source), _) => Err(StoreError::Failed { path: path.into(), source }),
            (Ok(_), Err(error)) => Err(error),
        }
    }

    /// Creates an object that must not be there yet. Exactly one of any number of writers gets
    /// [`Created::New`]. An outcome that the storage could not tell is read back; if even that fails, the
    /// error is final for this process: it must stop and open the archive anew. On a disk every failure is
    /// final ([`StoreError::Disk`]): after a failed fsync the kernel may show bytes that it will never write.
    pub async fn create(&self, path: &str, bytes: Bytes) -> Result<Created, StoreError> {
        let at = object_path(path)?;
        let answer = self.objects.put_opts(&at, PutPayload::from_bytes(bytes.clone()), PutMode::Create.into()).await;
        let failure = match answer {
            // If we stop here, the object is durable and nobody was told: opening replays it.
            Ok(_) if self.read(path).await? == bytes => return Ok(Created::New),
            Ok(_) => return Err(StoreError::Differs { path: path.into() }),
            Err(failure) => failure,
        };
        if self.local.is_some() && !matches!(failure, object_store::Error::AlreadyExists { .. }) {
            return Err(StoreError::Disk { path: path.into(), source: std::io::Error::other(failure) });
        }
        match self.read(path).await {
            Ok(found) => {
                // Who was first may not have synced before being killed: do it for them.
                self.sync(path)?;
                Ok(if found == bytes { Created::New } else { Created::AlreadyThere(found) })
            }
            Err(StoreError::Absent(_)) => Err(StoreError::Failed { path: path.into(), source: failure }),
            Err(error) => Err(error),
        }
    }

    /// Puts bytes in the place of an object, where `may` says so of what is there; answers whether it did.
    /// Nobody else can replace it in between: a lock on a disk, a conditional write elsewhere.
    ///
    /// If we stop here, what was there stands or what was meant to: whoever publishes next looks again.
    pub async fn replace(
        &self,
        path: &str,
        bytes: Bytes,
        may: impl Fn(Option<&[u8]>) -> bool + Send,
    ) -> Result<bool, StoreError> {
        if let Some(root) = self.local.clone() {
            let locked = tokio::task::spawn_blocking(move || local::lock(&root, layout::PUBLISHING)).await;
            let died = |error| StoreError::Disk { path: path.into(), source: std::io::Error::other(error) };
            let _lock = locked.map_err(died)??;
            let there = self.read(path).await;
            return match there {
                Ok(there) if !may(Some(&there)) => Ok(false),
                Err(StoreError::Absent(_)) if !may(None) => Ok(false),
                Ok(_) | Err(StoreError::Absent(_)) => self.keep(path, bytes).await.map(|()| true),
                Err(error) => Err(error),
            };
        }
        let at = object_path(path)?;
        loop {
            let (there, mode) = match self.objects.get(&at).await {
                Ok(got) => {
                    let (e_tag, version) = (got.meta.e_tag.clone(), got.meta.version.clone());
                    let there = got.bytes().await.map_err(|source| failed(path, source))?;
                    (Some(there), PutMode::Update(UpdateVersion { e_tag, version }))
                }
                Err(object_store::Error::NotFound { .. }) => (None, PutMode::Create),
                Err(source) => return Err(failed(path, source)),
            };
            if !may(there.as_deref()) {
                return Ok(false);
            }
            match self.objects.put_opts(&at, PutPayload::from_bytes(bytes.clone()), mode.into()).await {
                Ok(_) => return Ok(true),
                // Somebody else was first: look again.
                Err(object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. }) => {}
                Err(source) => return Err(failed(path, source)),
            }
        }
    }

    /// The whole object.
    pub async fn read(&self, path: &str) -> Result<Bytes, StoreError> {
        let at = object_path(path)?;
        if let Some(root) = &self.local {
            return local::read(root.join(path), path).await;
        }
        let got = self.objects.get(&at).await.map_err(|source| failed(path, source))?;
        got.bytes().await.map_err(|source| failed(path, source))
    }

    /// The object in pieces of [`PIECE_BYTES`], for components that are too large to be held.
    pub async fn read_pieces(&self, path: &str) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let at = object_path(path)?;
        let size = self.objects.head(&at).await.map_err(|source| failed(path, source))?.size;
        let (objects, path) = (self.objects.clone(), path.to_owned());
        let starts = futures::stream::iter((0..size).step_by(PIECE_BYTES));
        let pieces = starts.then(move |start| {
            let (objects, at, path) = (objects.clone(), at.clone(), path.clone());
            async move {
                let end = size.min(start + PIECE_BYTES as u64);
                objects.get_range(&at, start..end).await.map_err(|source| failed(&path, source))
            }
        });
        Ok(pieces.boxed())
    }

    /// Reads an object to its end and says what it is: digest and size.
    pub async fn digest(&self, path: &str) -> Result<(Digest, u64), StoreError> {
        let mut pieces = self.read_pieces(path).await?;
        let mut hasher = Hasher::default();
        while let Some(piece) = pieces.try_next().await? {
            // A piece is hashed where it is: handing it to another thread costs more than it saves.
            hasher.update(&piece);
        }
        let size = hasher.size;
        Ok((hasher.finish(), size))
    }

    /// Is there an object?
    pub async fn has(&self, path: &str) -> Result<bool, StoreError> {
        match self.objects.head(&object_path(path)?).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(failed(path, source)),
        }
    }

    /// Everything under a folder, in no order.
    pub fn list(&self, folder: &str) -> Result<BoxStream<'static, Result<Listed, StoreError>>, StoreError> {
        let prefix = if folder.is_empty() { None } else { Some(object_path(folder)?) };
        let place = folder.to_owned();
        let listed = self.objects.list(prefix.as_ref()).map(move |meta| {
            let meta = meta.map_err(|source| failed(&place, source))?;
            let modified = meta.last_modified.timestamp();
            Ok(Listed { path: meta.location.as_ref().to_owned(), size: meta.size, modified })
        });
        Ok(listed.boxed())
    }

    /// Everything under a folder, also what a listing hides: links, odd names, writes that died half-way.
    pub async fn everything(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        match &self.local {
            Some(root) => local::walk(root, folder),
            None => self.list(folder)?.try_collect().await,
        }
    }

    /// The names directly under a folder; folders end in `/`.
    pub async fn names(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        if let Some(root) = &self.local {
            return local::names(root, folder);
        }
        let prefix = if folder.is_empty() { None } else { Some(object_path(folder)?) };
        let listed =
            self.objects.list_with_delimiter(prefix.as_ref()).await.map_err(|source| failed(folder, source))?;
        let name = |path: &ObjectPath| path.filename().unwrap_or_default().to_owned();
        let folders = listed.common_prefixes.iter().map(|path| name(path) + "/");
        Ok(folders.chain(listed.objects.iter().map(|meta| name(&meta.location))).collect())
    }

    /// Begins an object of unknown length in staging.
    pub async fn stage(&self, path: &str) -> Result<Upload, StoreError> {
        let at = object_path(path)?;
        let upload = self.objects.put_multipart(&at).await.map_err(|source| failed(path, source))?;
        Ok(Upload { upload, path: path.into(), held: Vec::new() })
    }

    /// Moves a staged object to its name, durably, and reads it back against its digest.
    ///
    /// If we stop here, the bytes lie under one name or the other; an intent names their folder.
    pub async fn settle(&self, staged: &str, path: &str, digest: Digest) -> Result<(), StoreError> {
        let (from, to) = (object_path(staged)?, object_path(path)?);
        self.objects.rename(&from, &to).await.map_err(|source| failed(path, source))?;
        match self.digest(path).await? {
            (found, _) if found == digest => Ok(()),
            _ => Err(StoreError::Differs { path: path.into() }),
        }
    }

    /// Drops an object that is not kept: staging, leftovers, superseded tiles. Absent is fine.
    pub async fn discard(&self, path: &str) -> Result<(), StoreError> {
        match self.objects.delete(&object_path(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(source) => return Err(failed(path, source)),
        }
        match &self.local {
            Some(root) => local::sync_parent(&root.join(path)),
            None => Ok(()),
        }
    }

    /// Brings an object that is there, and its name, onto the disk: seeing it after a kill proves nothing.
    pub fn sync(&self, path: &str) -> Result<(), StoreError> {
        match &self.local {
            Some(root) => local::sync(&root.join(path)),
            None => Ok(()),
        }
    }
}

/// An object being written piece by piece.
#[derive(Debug)]
pub struct Upload {
    upload: Box<dyn MultipartUpload>,
    path: String,
    held: Vec<u8>,
}

impl Upload {
    /// Adds bytes; at most two pieces are held in memory.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let piece = std::mem::replace(&mut self.held, Vec::with_capacity(PIECE_BYTES));
        self.upload.put_part(piece.into()).await.map_err(|source| failed(&self.path, source))
    }

    /// Ends the object; it is durable afterwards.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        if !self.held.is_empty() {
            self.flush().await?;
        }
        self.upload.complete().await.map(drop).map_err(|source| failed(&self.path, source))
    }

    /// Gives up; what was written is dropped.
    pub async fn abort(mut self) {
        // A staged rest that cannot be dropped now is swept with its intent.
        self.upload.abort().await.ok();
    }
}

/// A path as the object store takes it: UTF-8 kept, `..`, `//` and control characters refused.
fn object_path(path: &str) -> Result<ObjectPath, StoreError> {
    ObjectPath::parse(path).map_err(|_| StoreError::BadPath(path.into()))
}

fn failed(path: &str, source: object_store::Error) -> StoreError {
    match source {
        object_store::Error::NotFound { .. } => StoreError::Absent(path.into()),
        source => StoreError::Failed { path: path.into(), source },
    }
}

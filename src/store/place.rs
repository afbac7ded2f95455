//! One place: a tree of plain objects, in a folder (fsync'ed) or behind any object store.

use crate::record::digest::{Digest, Hasher};
use crate::store::{Created, Listed, PIECE_BYTES, StoreError, layout, local};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion, local::LocalFileSystem,
    path::Path as ObjectPath, prefix::PrefixStore,
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A part of a large object in a bucket. All but the last are of one size, as some services want, of 5 MiB at
/// least, and there are 10,000 at most: so a component in a bucket has 156 GiB at most.
const PART_BYTES: usize = 16 << 20;
/// A commit is looked for so many entries before its end; larger ones are found as well, in more time.
const COMMIT_ENTRIES_LIKELY: u64 = 4096;
/// Services copy objects up to this size by themselves.
const COPY_BYTES_MAX: u64 = 5 << 30;

/// One place that holds the archive's tree.
#[derive(Clone, Debug)]
pub struct Place {
    pub(in crate::store) objects: Arc<dyn ObjectStore>,
    local: Option<PathBuf>,
    name: Arc<str>,
}

impl Place {
    /// A folder on this machine's disk, which need not be there yet: its disk may be mounted later. Every write
    /// is fsync'ed, its folder included.
    pub fn local(root: &Path) -> Result<Place, StoreError> {
        let (name, disk) =
            (root.display().to_string(), |source| StoreError::Disk { path: root.display().to_string(), source });
        let absolute = std::path::absolute(root).map_err(disk)?;
        let objects: Arc<dyn ObjectStore> = match absolute.canonicalize() {
            Ok(_) => {
                let objects = LocalFileSystem::new_with_prefix(root).map_err(|source| failed(&name, source))?;
                Arc::new(objects.with_fsync(true))
            }
            Err(_) => {
                let inside = absolute.to_str().map(|path| path.trim_matches('/'));
                let prefix = object_path(inside.ok_or_else(|| StoreError::BadPath(name.clone()))?)?;
                Arc::new(PrefixStore::new(LocalFileSystem::new().with_fsync(true), prefix))
            }
        };
        Ok(Place { objects, local: Some(root.to_owned()), name: name.into() })
    }

    /// Any object store, under the name that people are told.
    pub fn over(objects: Arc<dyn ObjectStore>, name: &str) -> Place {
        Place { objects, local: None, name: name.into() }
    }

    /// The tree that lies in a folder of this place.
    pub fn inside(&self, folder: &str) -> Result<Place, StoreError> {
        if let Some(root) = &self.local {
            return Place::local(&root.join(folder));
        }
        let (address, settings) = self.name.split_once('?').unwrap_or((&self.name, ""));
        let settings = if settings.is_empty() { String::new() } else { format!("?{settings}") };
        let name = format!("{}/{folder}{settings}", address.trim_end_matches('/'));
        Ok(Place::over(Arc::new(PrefixStore::new(self.objects.clone(), object_path(folder)?)), &name))
    }

    /// Makes a folder that only this account reads; false where nobody can tell, as of a bucket, or where others do.
    pub fn private(&self, folder: &str) -> Result<bool, StoreError> {
        match &self.local {
            Some(root) => local::private(&root.join(folder)),
            None => Ok(false),
        }
    }

    /// What people are told of where this is; no secret is in it.
    pub fn name(&self) -> &str {
        &self.name
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
        self.read_range(path, 0..u64::MAX).await
    }

    /// As much of a range as the object has, in such pieces.
    pub async fn read_range(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let at = object_path(path)?;
        let size = self.size(path).await?.min(range.end);
        let (objects, path) = (self.objects.clone(), path.to_owned());
        let starts = futures::stream::iter((range.start..size).step_by(PIECE_BYTES));
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
        let at = object_path(path)?;
        self.expect_plain(path)?;
        match self.objects.head(&at).await {
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

    /// Where the newest commit begins that begins before a size. It lies close before it, so on a disk the places
    /// where it can be are looked at, and elsewhere the listing begins there.
    pub async fn commit_before(&self, size: u64) -> Result<Option<u64>, StoreError> {
        let from = size.saturating_sub(COMMIT_ENTRIES_LIKELY);
        if let Some(root) = &self.local
            && let Some(base) = (from..size).rev().find(|base| root.join(layout::commit(*base)).exists())
        {
            return Ok(Some(base));
        }
        let base = |path: &str| path.rsplit('/').next()?.parse::<u64>().ok().filter(|base| *base < size);
        let folder = object_path(layout::COMMITS)?;
        // What is listed lies after the offset, and the first commit after none.
        let first = (size > 0 && self.has(&layout::commit(from)).await?).then_some(from);
        for (offset, near) in [(object_path(&layout::commit(from))?, first), (folder.clone(), None)] {
            let listed = self.objects.list_with_offset(Some(&folder), &offset);
            let newest = listed
                .try_fold(near, |newest, meta| futures::future::ready(Ok(newest.max(base(meta.location.as_ref())))));
            if let Some(base) = newest.await.map_err(|source| failed(layout::COMMITS, source))? {
                return Ok(Some(base));
            }
        }
        Ok(None)
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
        let piece = if self.local.is_some() { PIECE_BYTES } else { PART_BYTES };
        Ok(Upload { upload, path: path.into(), held: Vec::new(), piece })
    }

    /// Moves a staged object to its name, durably, and reads it back against its digest.
    ///
    /// If we stop here, the bytes lie under one name or the other; an intent names their folder.
    pub async fn settle(&self, staged: &str, path: &str, digest: Digest) -> Result<(), StoreError> {
        let (from, to) = (object_path(staged)?, object_path(path)?);
        if self.local.is_none() && self.size(staged).await? >= COPY_BYTES_MAX {
            let (mut pieces, mut upload) = (self.read_pieces(staged).await?, self.stage(path).await?);
            while let Some(piece) = pieces.try_next().await? {
                upload.write(&piece).await?;
            }
            upload.finish().await?;
            self.discard(staged).await?;
        } else {
            self.objects.rename(&from, &to).await.map_err(|source| failed(path, source))?;
        }
        match self.digest(path).await? {
            (found, _) if found == digest => Ok(()),
            _ => Err(StoreError::Differs { path: path.into() }),
        }
    }

    /// Puts an object under another name as well, in the place of what is there.
    ///
    /// If we stop here, it has one name or both.
    pub async fn set_aside(&self, path: &str, aside: &str) -> Result<(), StoreError> {
        self.objects.copy(&object_path(path)?, &object_path(aside)?).await.map_err(|source| failed(path, source))
    }

    async fn size(&self, path: &str) -> Result<u64, StoreError> {
        let at = object_path(path)?;
        self.expect_plain(path)?;
        self.objects.head(&at).await.map(|meta| meta.size).map_err(|source| failed(path, source))
    }

    /// On a disk, that no pipe, device or link lies where an object should.
    fn expect_plain(&self, path: &str) -> Result<(), StoreError> {
        let Some(root) = &self.local else { return Ok(()) };
        local::expect_plain(&root.join(path)).map_err(|source| StoreError::Disk { path: path.into(), source })
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
    piece: usize,
}

impl Upload {
    /// Adds bytes; at most two pieces are held in memory.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while self.held.len() + bytes.len() >= self.piece {
            let (now, later) = bytes.split_at(self.piece - self.held.len());
            self.held.extend_from_slice(now);
            self.flush().await?;
            bytes = later;
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let piece = std::mem::take(&mut self.held);
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

/// A path as the object store takes it: UTF-8 kept, `..`, `//`, control characters and a slash at either end refused,
/// with which the same path would lead out of a folder on disk.
pub(in crate::store) fn object_path(path: &str) -> Result<ObjectPath, StoreError> {
    let bad = || StoreError::BadPath(path.into());
    let parsed = ObjectPath::parse(path).map_err(|_| bad())?;
    if parsed.as_ref() == path { Ok(parsed) } else { Err(bad()) }
}

pub(in crate::store) fn failed(path: &str, source: object_store::Error) -> StoreError {
    match source {
        object_store::Error::NotFound { .. } => StoreError::Absent(path.into()),
        source => StoreError::Failed { path: path.into(), source },
    }
}

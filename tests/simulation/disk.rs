//! The disk of a place, which may be away, come back as it was a while ago, or empty; and the bugs that are planted
//! between a process and its disks, for the simulation to find.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, memory::InMemory,
    path::Path,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use vankho::store::layout;

/// A mistake that the archive does not make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// What is written at the second place is never kept there, and read back from memory.
    SkippedReplica,
    /// A commit is on the disks before the objects of its records are.
    ReorderedWrite,
    /// Where the log ends is taken from a listing of a while ago, and what lies beyond is written over.
    StaleListAccepted,
}

/// The disk of one place.
#[derive(Debug)]
pub struct Disk {
    /// The number of the place.
    pub number: u32,
    up: AtomicBool,
    objects: Mutex<Arc<InMemory>>,
    /// What was on it a while ago.
    before: Mutex<Option<InMemory>>,
}

impl Disk {
    pub fn new(number: u32) -> Arc<Disk> {
        let (up, objects) = (AtomicBool::new(true), Mutex::default());
        Arc::new(Disk { number, up, objects, before: Mutex::default() })
    }

    pub fn objects(&self) -> Arc<InMemory> {
        self.objects.lock().unwrap().clone()
    }

    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    pub fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }

    /// Remembers what is on it now.
    pub fn photograph(&self) {
        *self.before.lock().unwrap() = Some(self.objects().fork());
    }

    /// It is what it was when it was remembered; false where it never was.
    pub fn goes_back(&self) -> bool {
        let before = self.before.lock().unwrap().as_ref().map(InMemory::fork);
        before.map(|before| *self.objects.lock().unwrap() = Arc::new(before)).is_some()
    }

    /// Does it say which place of the archive it is?
    pub async fn has_identity(&self) -> bool {
        let at = object_store::path::Path::from(vankho::store::layout::PLACE);
        self.objects().head(&at).await.is_ok()
    }

    /// It is replaced by an empty one.
    pub fn is_emptied(&self) {
        *self.objects.lock().unwrap() = Arc::default();
        *self.before.lock().unwrap() = None;
    }
}

/// A disk as one process sees it.
#[derive(Debug)]
pub struct Mount {
    disk: Arc<Disk>,
    bug: Option<Bug>,
    /// What a process with a bug has in memory only.
    memory: Option<Arc<InMemory>>,
    late: Mutex<BTreeMap<Path, PutPayload>>,
    unseen: Mutex<BTreeSet<Path>>,
}

impl Mount {
    pub fn of(disk: &Arc<Disk>, bug: Option<Bug>) -> Mount {
        let skipped = bug == Some(Bug::SkippedReplica) && disk.number == 2;
        let memory = skipped.then(|| Arc::new(disk.objects().fork()));
        Mount { disk: disk.clone(), bug, memory, late: Mutex::default(), unseen: Mutex::default() }
    }

    /// With [`Bug::StaleListAccepted`]: the newest commit was not there yet when somebody listed.
    pub async fn list_commits(&self) {
        if self.bug == Some(Bug::StaleListAccepted) {
            let commits: Vec<ObjectMeta> =
                self.disk.objects().list(Some(&layout::COMMITS.into())).try_collect().await.unwrap();
            let newest = commits.into_iter().map(|meta| meta.location).max();
            self.unseen.lock().unwrap().extend(newest.filter(|newest| newest.as_ref() != layout::commit(0)));
        }
    }

    fn inner(&self) -> Result<Arc<InMemory>> {
        match (self.disk.is_up(), &self.memory) {
            (false, _) => Err(Error::Generic { store: "disk", source: "it is not there".into() }),
            (true, Some(memory)) => Ok(memory.clone()),
            (true, None) => Ok(self.disk.objects()),
        }
    }

    /// What a process with [`Bug::ReorderedWrite`] writes late is written with whatever it writes next.
    async fn late_writes(&self, inner: &InMemory) -> Result<()> {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for (path, payload) in late {
            inner.put(&path, payload).await?;
        }
        Ok(())
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("disk")
    }
}

#[async_trait]
impl ObjectStore for Mount {
    async fn put_opts(&self, location: &Path, payload: PutPayload, mut opts: PutOptions) -> Result<PutResult> {
        let inner = self.inner()?;
        if self.bug == Some(Bug::ReorderedWrite) {
            if location.as_ref().starts_with(layout::RECORDS) {
                self.late.lock().unwrap().insert(location.clone(), payload);
                return Ok(PutResult { e_tag: None, version: None, extensions: Default::default() });
            }
            if !location.as_ref().starts_with(layout::COMMITS) {
                self.late_writes(&inner).await?;
            }
        }
        if self.unseen.lock().unwrap().remove(location) {
            opts.mode = PutMode::Overwrite;
        }
        inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner()?.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let inner = self.inner()?;
        if self.unseen.lock().unwrap().contains(location) {
            return Err(Error::NotFound { path: location.to_string(), source: "it is not in the list".into() });
        }
        let late = self.late.lock().unwrap().get(location).cloned();
        if let Some(payload) = late {
            // Read back from memory, as a process would that believes itself.
            let memory = InMemory::new();
            memory.put(location, payload).await?;
            return memory.get_opts(location, options).await;
        }
        inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.inner() {
            Ok(inner) => inner.delete_stream(locations),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.inner() {
            Ok(inner) => inner.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner()?.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner()?.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner()?.rename_opts(from, to, options).await
    }
}

//! An object store that fails as it is told to: every step that would change what survives a power cut is
//! counted, and any of them can fail, with or without its effect, once or for good.

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
    memory::InMemory, path::Path,
};
use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// What becomes of the step that fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Fails and is not kept.
    NotKept,
    /// Fails and is kept all the same.
    Kept,
    /// A move that has copied and not removed.
    Half,
}

/// Which step fails, how, and whether the process dies with it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub at: usize,
    pub effect: Effect,
    pub dies: bool,
}

#[derive(Debug, Default)]
struct Shared {
    steps: Mutex<Vec<String>>,
    dead: AtomicBool,
}

/// The wrapper: `plan` is carried out over `inner`, whose bytes survive.
#[derive(Clone, Debug)]
pub struct Faulty {
    inner: Arc<InMemory>,
    plan: Option<Plan>,
    /// Says yes to everybody who creates, as some storage does.
    lockless: bool,
    shared: Arc<Shared>,
}

/// What a step does.
enum Turn {
    Goes,
    Fails(Effect),
}

impl Faulty {
    pub fn new(inner: Arc<InMemory>, plan: Option<Plan>) -> Faulty {
        Faulty { inner, plan, lockless: false, shared: Arc::default() }
    }

    /// Storage that lets any number of writers create one object.
    pub fn lockless() -> Faulty {
        Faulty { lockless: true, ..Faulty::new(Arc::default(), None) }
    }

    /// Every step so far: what, and on which kind of path.
    pub fn steps(&self) -> Vec<String> {
        self.shared.steps.lock().unwrap().clone()
    }

    /// The process is gone: nothing that is left of it reaches the storage any more.
    pub fn kill(&self) {
        self.shared.dead.store(true, Ordering::SeqCst);
    }

    fn turn(&self, what: &str, path: &Path) -> Result<Turn> {
        self.living()?;
        let mut steps = self.shared.steps.lock().unwrap();
        let at = steps.len();
        steps.push(format!("{what} {}", class(path.as_ref())));
        match self.plan {
            Some(plan) if plan.at == at => {
                if plan.dies {
                    self.kill();
                }
                Ok(Turn::Fails(plan.effect))
            }
            _ => Ok(Turn::Goes),
        }
    }

    fn living(&self) -> Result<()> {
        if self.shared.dead.load(Ordering::SeqCst) { Err(failure()) } else { Ok(()) }
    }
}

fn failure() -> Error {
    Error::Generic { store: "faulty", source: "the storage failed".into() }
}

/// A path without what differs from run to run.
fn class(path: &str) -> String {
    let part = |part: &str| match part.len() {
        36 => "<id>".into(),
        64 => "<sha256>".into(),
        69 if part.ends_with(".json") => "<sha256>.json".into(),
        2 => "<aa>".into(),
        _ => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<String>>().join("/")
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, mut opts: PutOptions) -> Result<PutResult> {
        let what = if matches!(opts.mode, PutMode::Create) { "create" } else { "put" };
        if self.lockless {
            opts.mode = PutMode::Overwrite;
        }
        match self.turn(what, location)? {
            Turn::Goes => self.inner.put_opts(location, payload, opts).await,
            Turn::Fails(Effect::NotKept) => Err(failure()),
            Turn::Fails(_) => {
                self.inner.put_opts(location, payload, opts).await?;
                Err(failure())
            }
        }
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        match self.turn("begin", location)? {
            Turn::Goes => {
                let inner = self.inner.put_multipart_opts(location, opts).await?;
                Ok(Box::new(FaultyUpload { faulty: self.clone(), location: location.clone(), inner }))
            }
            Turn::Fails(_) => Err(failure()),
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.living()?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let faulty = self.clone();
        let delete = move |location: Result<Path>| {
            let faulty = faulty.clone();
            async move {
                let location = location?;
                match faulty.turn("delete", &location)? {
                    Turn::Goes => faulty.inner.delete(&location).await.map(|()| location),
                    Turn::Fails(Effect::NotKept) => Err(failure()),
                    Turn::Fails(_) => {
                        faulty.inner.delete(&location).await?;
                        Err(failure())
                    }
                }
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.living() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.living()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        match self.turn("copy", to)? {
            Turn::Goes => self.inner.copy_opts(from, to, options).await,
            Turn::Fails(Effect::NotKept) => Err(failure()),
            Turn::Fails(_) => {
                self.inner.copy_opts(from, to, options).await?;
                Err(failure())
            }
        }
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        match self.turn("rename", to)? {
            Turn::Goes => self.inner.rename_opts(from, to, options).await,
            Turn::Fails(Effect::NotKept) => Err(failure()),
            Turn::Fails(Effect::Half) => {
                self.inner.copy(from, to).await?;
                Err(failure())
            }
            Turn::Fails(Effect::Kept) => {
                self.inner.rename_opts(from, to, options).await?;
                Err(failure())
            }
        }
    }
}

#[derive(Debug)]
struct FaultyUpload {
    faulty: Faulty,
    location: Path,
    inner: Box<dyn MultipartUpload>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match self.faulty.turn("part", &self.location) {
            Ok(Turn::Goes) => self.inner.put_part(data),
            Ok(Turn::Fails(_)) | Err(_) => Box::pin(async { Err(failure()) }),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        match self.faulty.turn("complete", &self.location)? {
            Turn::Goes => self.inner.complete().await,
            Turn::Fails(Effect::NotKept) => Err(failure()),
            Turn::Fails(_) => {
                self.inner.complete().await?;
                Err(failure())
            }
        }
    }

    async fn abort(&mut self) -> Result<()> {
        self.faulty.living()?;
        self.inner.abort().await
    }
}

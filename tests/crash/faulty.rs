//! An object store that fails as it is told to, over any other.
//!
//! Every step that would change what survives a power cut is counted over all places of one process, and any of
//! them can fail, with or without its effect, once or with the death of the process: that is a [`Plan`]. Or things
//! go wrong by themselves, now and then, as a seed has it: that is [`Weather`].

use crate::world::Chance;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
    memory::InMemory, path::Path,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
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

/// What can be wrong with storage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    ErrorBefore,
    ErrorAfter,
    Slow,
    Truncated,
    WrongBytes,
    /// Says that an object is gone, and it is not.
    LyingDelete,
    /// A listing of a while ago.
    StaleList,
    /// Somebody is said to have been first: a 409 of a create, and nothing landed.
    Spurious409,
    /// A condition is said not to hold, and it does.
    Spurious412,
    /// No space for this and the next few writes.
    FullDisk,
}

impl Fault {
    pub const ALL: [Fault; 10] = [
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::Slow,
        Fault::Truncated,
        Fault::WrongBytes,
        Fault::LyingDelete,
        Fault::StaleList,
        Fault::Spurious409,
        Fault::Spurious412,
        Fault::FullDisk,
    ];
}

/// Bad weather: of so many requests one suffers, by one of these.
#[derive(Clone, Debug)]
pub struct Weather {
    pub seed: u64,
    pub one_in: u64,
    pub kinds: Vec<Fault>,
}

/// How long something slow takes, and how many writes a full disk refuses.
const SLOW: Duration = Duration::from_millis(3);
const FULL_WRITES: u64 = 4;

#[derive(Debug, Default)]
struct Shared {
    plan: Option<Plan>,
    steps: Mutex<Vec<String>>,
    dead: AtomicBool,
    weather: Mutex<Option<(Chance, Weather)>>,
    /// Writes that a full disk will still refuse.
    full: Mutex<u64>,
    struck: Mutex<BTreeMap<Fault, usize>>,
}

/// One process, whatever number of places it uses.
#[derive(Clone, Debug, Default)]
pub struct Process(Arc<Shared>);

impl Process {
    pub fn new(plan: Option<Plan>, weather: Option<Weather>) -> Process {
        let weather = Mutex::new(weather.map(|weather| (Chance(weather.seed), weather)));
        Process(Arc::new(Shared { plan, weather, ..Shared::default() }))
    }

    /// The process is gone: nothing that is left of it reaches the storage any more.
    pub fn kill(&self) {
        self.0.dead.store(true, Ordering::SeqCst);
    }

    pub fn is_dead(&self) -> bool {
        self.0.dead.load(Ordering::SeqCst)
    }

    /// Every step so far: what, and on which kind of path.
    pub fn steps(&self) -> Vec<String> {
        self.0.steps.lock().unwrap().clone()
    }

    /// How often which fault struck.
    pub fn struck(&self) -> BTreeMap<Fault, usize> {
        self.0.struck.lock().unwrap().clone()
    }

    fn living(&self) -> Result<()> {
        if self.is_dead() { Err(failure("the process is gone")) } else { Ok(()) }
    }

    /// What the plan has for this step.
    fn turn(&self, what: &str, path: &Path) -> Result<Turn> {
        self.living()?;
        let mut steps = self.0.steps.lock().unwrap();
        let at = steps.len();
        steps.push(format!("{what} {}", class(path.as_ref())));
        match self.0.plan {
            Some(plan) if plan.at == at => {
                if plan.dies {
                    self.kill();
                }
                Ok(Turn::Fails(plan.effect))
            }
            _ => Ok(Turn::Goes),
        }
    }

    /// What the weather has for a request that such faults can befall.
    fn strikes(&self, possible: &[Fault]) -> Option<Fault> {
        let mut weather = self.0.weather.lock().unwrap();
        let (chance, weather) = weather.as_mut()?;
        let possible: Vec<&Fault> = possible.iter().filter(|fault| weather.kinds.contains(fault)).collect();
        if possible.is_empty() || chance.below(weather.one_in) != 0 {
            return None;
        }
        let fault = *possible[chance.below(possible.len() as u64) as usize];
        *self.0.struck.lock().unwrap().entry(fault).or_default() += 1;
        Some(fault)
    }

    /// What happens to a write: by the plan, by a full disk, by the weather.
    async fn write(&self, what: &str, path: &Path, also: &[Fault]) -> Result<Turn> {
        let turn = self.turn(what, path)?;
        if let Turn::Fails(_) = turn {
            return Ok(turn);
        }
        let refused = {
            let mut full = self.0.full.lock().unwrap();
            let refused = *full > 0;
            *full = full.saturating_sub(1);
            refused
        };
        if refused {
            return Err(no_space());
        }
        let faults = [&[Fault::ErrorBefore, Fault::ErrorAfter, Fault::Slow, Fault::FullDisk], also].concat();
        match self.strikes(&faults) {
            None => Ok(Turn::Goes),
            Some(Fault::Slow) => {
                tokio::time::sleep(SLOW).await;
                Ok(Turn::Goes)
            }
            Some(Fault::FullDisk) => {
                *self.0.full.lock().unwrap() = FULL_WRITES;
                Err(no_space())
            }
            Some(Fault::ErrorBefore) => Ok(Turn::Fails(Effect::NotKept)),
            Some(Fault::ErrorAfter) => Ok(Turn::Fails(Effect::Kept)),
            Some(fault) => Ok(Turn::Lies(fault)),
        }
    }

    /// What happens to a reading.
    async fn read(&self, also: &[Fault]) -> Result<Option<Fault>> {
        self.living()?;
        match self.strikes(&[&[Fault::ErrorBefore, Fault::Slow], also].concat()) {
            Some(Fault::ErrorBefore) => Err(failure("the storage failed")),
            Some(Fault::Slow) => {
                tokio::time::sleep(SLOW).await;
                Ok(None)
            }
            fault => Ok(fault),
        }
    }
}

/// What a step does.
enum Turn {
    Goes,
    Fails(Effect),
    Lies(Fault),
}

/// The wrapper: what the process is to suffer befalls it over `inner`, whose bytes survive.
#[derive(Clone, Debug)]
pub struct Faulty {
    inner: Arc<dyn ObjectStore>,
    process: Process,
    /// Says yes to everybody who creates, as some storage does.
    lockless: bool,
}

impl Faulty {
    pub fn new(inner: Arc<dyn ObjectStore>, plan: Option<Plan>) -> Faulty {
        Faulty::of(inner, &Process::new(plan, None))
    }

    /// One of the places of a process.
    pub fn of(inner: Arc<dyn ObjectStore>, process: &Process) -> Faulty {
        Faulty { inner, process: process.clone(), lockless: false }
    }

    /// Storage that lets any number of writers create one object.
    pub fn lockless() -> Faulty {
        Faulty { lockless: true, ..Faulty::new(Arc::new(InMemory::new()), None) }
    }

    /// Every step so far: what, and on which kind of path.
    pub fn steps(&self) -> Vec<String> {
        self.process.steps()
    }

    /// The process is gone: nothing that is left of it reaches the storage any more.
    pub fn kill(&self) {
        self.process.kill();
    }
}

fn failure(why: &'static str) -> Error {
    Error::Generic { store: "faulty", source: why.into() }
}

fn no_space() -> Error {
    Error::Generic { store: "faulty", source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)) }
}

/// What a server says that is wrong about a condition.
fn spurious(fault: Fault, path: &Path) -> Error {
    let (path, source) = (path.to_string(), "spurious".into());
    match fault {
        Fault::Spurious412 => Error::Precondition { path, source },
        _ => Error::AlreadyExists { path, source },
    }
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
        let (what, lies): (_, &[Fault]) = match opts.mode {
            PutMode::Create => ("create", &[Fault::Spurious409, Fault::Spurious412]),
            PutMode::Update(_) => ("put", &[Fault::Spurious412]),
            PutMode::Overwrite => ("put", &[]),
        };
        if self.lockless {
            opts.mode = PutMode::Overwrite;
        }
        match self.process.write(what, location, lies).await? {
            Turn::Goes => self.inner.put_opts(location, payload, opts).await,
            Turn::Lies(fault) => Err(spurious(fault, location)),
            Turn::Fails(Effect::NotKept) => Err(failure("the storage failed")),
            Turn::Fails(_) => {
                self.inner.put_opts(location, payload, opts).await?;
                Err(failure("the storage failed"))
            }
        }
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        match self.process.turn("begin", location)? {
            Turn::Goes => {
                let inner = self.inner.put_multipart_opts(location, opts).await?;
                Ok(Box::new(FaultyUpload { process: self.process.clone(), location: location.clone(), inner }))
            }
            _ => Err(failure("the storage failed")),
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let bytes_too = !options.head;
        let fault = self.process.read(if bytes_too { &[Fault::Truncated, Fault::WrongBytes] } else { &[] }).await?;
        let got = self.inner.get_opts(location, options).await?;
        let Some(fault) = fault else { return Ok(got) };
        let (meta, range, attributes, extensions) =
            (got.meta.clone(), got.range.clone(), got.attributes.clone(), got.extensions.clone());
        let mut bytes = got.bytes().await?.to_vec();
        match (fault, bytes.len()) {
            (_, 0) => {}
            (Fault::Truncated, length) => bytes.truncate(length / 2),
            (_, length) => bytes[length / 2] ^= 1,
        }
        let payload = GetResultPayload::Stream(futures::stream::once(async { Ok(Bytes::from(bytes)) }).boxed());
        Ok(GetResult { payload, meta, range, attributes, extensions })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let faulty = self.clone();
        let delete = move |location: Result<Path>| {
            let faulty = faulty.clone();
            async move {
                let location = location?;
                match faulty.process.write("delete", &location, &[Fault::LyingDelete]).await? {
                    Turn::Goes => faulty.inner.delete(&location).await.map(|()| location),
                    Turn::Lies(_) => Ok(location),
                    Turn::Fails(Effect::NotKept) => Err(failure("the storage failed")),
                    Turn::Fails(_) => {
                        faulty.inner.delete(&location).await?;
                        Err(failure("the storage failed"))
                    }
                }
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (process, inner) = (self.process.clone(), self.inner.list(prefix));
        let listed = async move {
            let fault = process.read(&[Fault::StaleList]).await?;
            Ok::<_, Error>(match fault {
                None => inner,
                Some(_) => {
                    let mut all: Vec<ObjectMeta> = inner.try_collect().await?;
                    // Without the newest: they were not there yet.
                    all.sort_by_key(|meta| meta.last_modified);
                    all.truncate(all.len() - all.len().div_ceil(4));
                    futures::stream::iter(all).map(Ok).boxed()
                }
            })
        };
        futures::stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.process.read(&[]).await?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        match self.process.write("copy", to, &[]).await? {
            Turn::Fails(Effect::NotKept) | Turn::Lies(_) => Err(failure("the storage failed")),
            Turn::Goes => self.inner.copy_opts(from, to, options).await,
            Turn::Fails(_) => {
                self.inner.copy_opts(from, to, options).await?;
                Err(failure("the storage failed"))
            }
        }
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        match self.process.write("rename", to, &[]).await? {
            Turn::Goes => self.inner.rename_opts(from, to, options).await,
            Turn::Fails(Effect::NotKept) | Turn::Lies(_) => Err(failure("the storage failed")),
            Turn::Fails(Effect::Half) => {
                self.inner.copy(from, to).await?;
                Err(failure("the storage failed"))
            }
            Turn::Fails(Effect::Kept) => {
                self.inner.rename_opts(from, to, options).await?;
                Err(failure("the storage failed"))
            }
        }
    }
}

#[derive(Debug)]
struct FaultyUpload {
    process: Process,
    location: Path,
    inner: Box<dyn MultipartUpload>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match self.process.turn("part", &self.location) {
            Ok(Turn::Goes) => self.inner.put_part(data),
            _ => Box::pin(async { Err(failure("the storage failed")) }),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        match self.process.write("complete", &self.location, &[]).await? {
            Turn::Goes => self.inner.complete().await,
            Turn::Fails(Effect::NotKept) | Turn::Lies(_) => Err(failure("the storage failed")),
            Turn::Fails(_) => {
                self.inner.complete().await?;
                Err(failure("the storage failed"))
            }
        }
    }

    async fn abort(&mut self) -> Result<()> {
        self.process.living()?;
        self.inner.abort().await
    }
}

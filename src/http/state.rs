//! What every handler is given: the open archive, if it is open, and the limits of the door.
//!
//! # Why
//! *Whoever works with the archive holds it by a share of their own, for one request.* When the archive stops
//! itself, the supervisor takes it away, waits until the last share is gone and only then opens it again: two
//! at once would each apply entries to one catalog. Meanwhile requests are told to come back.

use crate::archive::{Archive, ArchiveError, Clock};
use crate::config::Config;
use crate::desk::password::Attempts;
use crate::ingest::arrive::Intake;
use futures::future::BoxFuture;
use std::{
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// An open archive and what belongs to its being open.
pub struct Open {
    pub archive: Archive,
    pub intake: Intake,
}

/// What runs beside the requests as long as an archive is open; dropped before it closes.
pub type Rounds = Arc<dyn Fn(Arc<Open>) -> BoxFuture<'static, ()> + Send + Sync>;

/// The door.
pub struct Door {
    pub config: Config,
    pub clock: Clock,
    pub attempts: Attempts,
    /// Requests that may be under way.
    pub requests: Arc<Semaphore>,
    /// Packages that may arrive at once, and how many wait for that.
    pub arrivals: Semaphore,
    pub waiting: AtomicUsize,
    data: PathBuf,
    rounds: Rounds,
    open: RwLock<Option<Arc<Open>>>,
    look: Notify,
    stopping: AtomicBool,
    /// What is open is of no use any more.
    anew: AtomicBool,
}

/// How often the supervisor looks whether the archive has stopped, unasked.
const LOOK: Duration = Duration::from_millis(500);
const BACKOFF_FIRST: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

impl Door {
    pub fn new(data: PathBuf, config: Config, clock: Clock, rounds: Rounds) -> Arc<Door> {
        Arc::new(Door {
            requests: Arc::new(Semaphore::new(config.server.concurrency)),
            arrivals: Semaphore::new(config.server.intake_concurrency),
            waiting: AtomicUsize::new(0),
            attempts: Attempts::default(),
            config,
            clock,
            data,
            rounds,
            open: RwLock::new(None),
            look: Notify::new(),
            stopping: AtomicBool::new(false),
            anew: AtomicBool::new(false),
        })
    }

    /// The archive, if it is open.
    pub fn open(&self) -> Option<Arc<Open>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).clone();
        open.filter(|open| !open.archive.has_stopped() && !self.anew.load(Ordering::SeqCst))
    }

    fn set(&self, open: Option<Arc<Open>>) -> Option<Arc<Open>> {
        std::mem::replace(&mut *self.open.write().unwrap_or_else(PoisonError::into_inner), open)
    }

    /// Derived files have changed under the open archive: have it closed and opened again.
    pub fn open_anew(&self) {
        self.anew.store(true, Ordering::SeqCst);
        self.look.notify_one();
    }

    /// Somebody saw the archive stop: have it looked at now.
    pub fn look(&self) {
        self.look.notify_one();
    }

    /// Ends the supervisor; it closes the archive before it returns.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.look.notify_one();
    }

    /// Opens the archive for the first time: what is wrong with it is told at once.
    pub async fn start(&self) -> Result<JoinHandle<()>, ArchiveError> {
        let open = self.open_archive().await?;
        Ok(self.put(open))
    }

    async fn open_archive(&self) -> Result<Archive, ArchiveError> {
        Archive::open(&self.data, self.config.clone(), self.clock.clone(), &|_| {}).await
    }

    fn put(&self, archive: Archive) -> JoinHandle<()> {
        let open = Arc::new(Open { archive, intake: Intake::default() });
        let rounds = tokio::spawn((self.rounds)(open.clone()));
        self.anew.store(false, Ordering::SeqCst);
        self.set(Some(open));
        rounds
    }

    /// Keeps the archive open until [`Door::stop`].
    pub async fn supervise(&self, mut rounds: JoinHandle<()>) {
        loop {
            timeout(LOOK, self.look.notified()).await.ok();
            let stopping = self.stopping.load(Ordering::SeqCst);
            if !stopping && self.open().is_some() {
                continue;
            }
            rounds.abort();
            (&mut rounds).await.ok();
            if let Some(open) = self.set(None) {
                self.close(open, stopping).await;
            }
            if stopping {
                return;
            }
            match self.reopened().await {
                Some(begun) => rounds = begun,
                None => return,
            }
        }
    }

    /// Waits until nobody holds the archive any more, then closes it. Who holds it on and on while the server
    /// stops is cut off: what was acknowledged is durable.
    async fn close(&self, open: Arc<Open>, stopping: bool) {
        let (mut open, mut waited) = (open, Duration::ZERO);
        let most = Duration::from_secs(self.config.server.stop_seconds_max);
        let pause = Duration::from_millis(10);
        loop {
            match Arc::try_unwrap(open) {
                Ok(Open { archive, .. }) => {
                    if let Err(error) = archive.close().await {
                        tracing::warn!(%error, "the archive did not close in order; opening it mends that");
                    }
                    return;
                }
                Err(_) if stopping && waited > most => {
                    tracing::warn!("somebody still reads; the archive is left as a crash would leave it");
                    return;
                }
                Err(held) => open = held,
            }
            sleep(pause).await;
            waited += pause;
        }
    }

    /// Opens again and again, ever more slowly; `None` when the server stops.
    async fn reopened(&self) -> Option<JoinHandle<()>> {
        let mut pause = BACKOFF_FIRST;
        loop {
            match self.open_archive().await {
                Ok(archive) => {
                    tracing::warn!("the archive is open again");
                    return Some(self.put(archive));
                }
                Err(error) => tracing::error!(%error, "the archive does not open; trying again"),
            }
            timeout(pause, self.look.notified()).await.ok();
            if self.stopping.load(Ordering::SeqCst) {
                return None;
            }
            pause = BACKOFF_MAX.min(pause * 2);
        }
    }
}

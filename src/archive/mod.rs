//! The hub: holds store, ledger, catalog, index and desk, and is **the one place that changes anything**.
//!
//! `open` an archive, `keep` components and descriptions, `commit` an entry that names them, `prove` it.
//! Flows are built from these; none of them touches the ledger's writing side or the index's.
//!
//! The write order (W1 to W7 of the house) is kept here: components durable and read back, then the
//! commit object, then catalog and index, then the answer.
//!
//! # Why
//! *Start-up is not special.* Opening replays what the derived stores have not applied through the same
//! fold that the live path uses, and sweeps what a crash left. There is no recovery mode.
//!
//! *One process owns `derived/`.* Two would each apply entries to one catalog; the second is told so.

pub mod agencies;
pub mod apply;
mod astray;
pub mod audits;
pub mod clock;
pub mod commit;
pub mod coverage;
pub mod destroy;
mod facts;
pub mod feed;
pub mod fold;
pub mod heal;
pub mod keep;
pub mod order;
pub mod place;
pub mod places;
pub mod promote;
pub mod rebuild;
pub mod repair;
pub mod restored;
pub mod rotate;
pub mod sweep;
pub mod timestamps;
pub mod witnesses;

use crate::archive::{
    apply::Derived, commit::Writer, feed::Feed, heal::Healing, place::Folders, places::Places, sweep::Sweep,
};
use crate::catalog::{Catalog, CatalogError};
use crate::config::Config;
use crate::desk::{Desk, DeskError};
use crate::index::{Index, IndexError};
use crate::ledger::{
    keys::{KeyFile, Signer},
    log::{Ledger, LedgerError},
};
use crate::record::{
    digest::Digest,
    entry::{Entry, Event},
    id::{ActorId, RecordId},
};
use crate::store::{Store, StoreError, layout, local};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};

pub use clock::Clock;
pub use commit::{Answered, Proposal, request};

/// An open archive.
pub struct Archive {
    pub store: Store,
    pub ledger: Arc<Ledger>,
    pub catalog: Catalog,
    pub index: Arc<Index>,
    pub desk: Desk,
    pub clock: Clock,
    pub config: Config,
    pub healing: Healing,
    /// Who cosigns checkpoints.
    pub witnesses: Vec<witnesses::Witness>,
    /// Who timestamps them.
    pub authorities: Vec<timestamps::Authority>,
    reasons: timestamps::Reasons,
    auditing: audits::UnderWay,
    agencies_read: agencies::ReadLast,
    /// Who acts at this machine's command line.
    pub operator: ActorId,
    /// The parts of its data folder, where it was opened in one.
    pub folders: Option<Folders>,
    writer: Writer,
    feed: Feed,
    tasks: Tasks,
    /// Held as long as the archive is open: one process owns `derived/`.
    _lock: Option<fs::File>,
    /// Held as long as the archive is open: who starts meanwhile does not sweep.
    _alive: Option<fs::File>,
}

/// What runs as long as the archive is open.
struct Tasks {
    writer: Option<JoinHandle<()>>,
    feeder: Option<JoinHandle<()>>,
    publisher: Option<JoinHandle<()>>,
    healer: Option<JoinHandle<()>>,
    enough: Arc<Notify>,
}

impl Tasks {
    /// Lets a round of publishing end and has no other begin: what it writes must not come after what
    /// closing writes.
    async fn publisher_ends(&mut self) {
        self.enough.notify_one();
        ended(self.publisher.take()).await;
    }
}

/// A task that died has nothing more to do either.
async fn ended(task: Option<JoinHandle<()>>) {
    if let Some(task) = task {
        task.await.ok();
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        // Writer and feeder end by themselves when nobody can ask them any more.
        for task in self.publisher.iter().chain(&self.healer) {
            task.abort();
        }
    }
}

/// What can go wrong in an archive, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error("{}", advised(.0))]
    Index(#[from] IndexError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The place is not what the command needs.
    #[error("{0}")]
    Place(String),
    /// The world changed since the caller looked.
    #[error("{0}")]
    Conflict(String),
    /// This process can do no more; open the archive again.
    #[error("{0}; open the archive again")]
    Stopped(String),
    /// Something kept is not what it was.
    #[error("{} is damaged; run `vankho verify archive`", layout::without_digests(.0))]
    Damaged(String),
}

/// What to do about an index that is no use any more.
fn advised(error: &IndexError) -> String {
    match error {
        IndexError::Busy => error.to_string(),
        IndexError::NeedsRebuild(_) => format!("{error}; run `vankho rebuild`, nothing is lost"),
        IndexError::Io(_) | IndexError::Failed(_) => {
            format!("{error}; check space and permissions, then run `vankho rebuild`; nothing is lost")
        }
    }
}

/// What bringing the self-description up to date came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refreshed {
    /// The entry that records it; `None` where nothing is new.
    pub entry: Option<u64>,
    /// Documents that were gone or altered before, and are now as this program has them.
    pub restored: Vec<String>,
}

/// What an archive is made of.
pub struct Parts {
    pub store: Store,
    pub signer: Signer,
    pub catalog: Catalog,
    pub index: Index,
    pub desk: Desk,
    pub clock: Clock,
    pub config: Config,
    pub lock: Option<fs::File>,
}

impl Archive {
    /// Opens the archive in a data folder. `tell` hears how many entries have been applied to derived
    /// stores that were behind.
    pub async fn open(data: &Path, config: Config, clock: Clock, tell: &apply::Tell) -> Result<Archive, ArchiveError> {
        restored::expect_finished(data)?;
        let folders = Folders::of(data);
        let store = Places::configured(data, &config.storage)?.open(&folders).await?;
        restored::expect_promoted(data, &store).await?;
        // Backups leave staging out.
        let staging = store.folder().map(|folder| folder.join(layout::STAGING));
        for folder in [&folders.derived, &folders.desk].into_iter().chain(&staging) {
            fs::create_dir_all(folder).map_err(|error| place::disk(folder, error))?;
        }
        let lock = Some(lock(&folders.derived).await?);
        // An earlier version may have made fewer folders. If we stop here, the next start makes the rest.
        store.prepare()?;
        if store.folder().is_none() {
            // A bucket may have been moved to another service since.
            place::probe(&store, &clock).await?;
        }
        let desk = Desk::open(Some(&folders.desk.join(place::DESK))).await?;
        rotate::go_on(&folders, &store, &desk, &clock).await?;
        let parts = Parts {
            store,
            signer: folders.signer()?,
            catalog: Catalog::open(Some(&folders.derived.join(rebuild::CATALOG))).await?,
            index: Index::open(Some(&folders.derived.join(rebuild::INDEX)), &config.index)?,
            desk,
            clock,
            config,
            lock,
        };
        Ok(Archive { folders: Some(folders), ..Archive::start(parts, tell).await? })
    }

    /// Brings the parts to one state and starts the tasks that keep them there.
    pub async fn start(parts: Parts, tell: &apply::Tell) -> Result<Archive, ArchiveError> {
        let Parts { store, signer, catalog, index, desk, clock, config, lock } = parts;
        let witnesses = witnesses::configured(&config.evidence)?;
        catalog.read_as(config.retention.reading).await?;
        let authorities = timestamps::configured(&config.evidence)?;
        let keys = keys(&store).await?;
        let ledger = Arc::new(Ledger::open(store.clone(), Arc::new(signer), keys).await?);
        let healing = Healing::new(&store, &ledger, (Some(&catalog), &desk), &config.storage);
        healing.introduce(&|_, _| {}).await;
        while ledger.catch_up().await?.is_some() {}
        let applied = catalog.applied().max(index.applied());
        let left_behind = applied > ledger.size() && left_behind(&ledger, &catalog).await?;
        refuse_rollback(&ledger, &desk, if left_behind { 0 } else { applied }).await?;
        forget_another_history(&ledger, &catalog, &index, left_behind).await?;
        let index_applied = index.applied();
        let index = Arc::new(index);
        let interval = Duration::from_millis(config.index.commit_interval_ms);
        let (feed, feeder) = Feed::start(index.clone(), store.clone(), interval, config.content.text_bytes_max);
        let derived = Derived { store: store.clone(), catalog: catalog.clone(), feed: feed.clone() };
        derived.replay(&ledger, index_applied, tell).await?;
        feed.flush().await?;
        let operator = desk.operator(ActorId::new(clock.now().millis(), keep::random()?)).await?;
        // Nobody of this process writes yet, so that what is swept can be nobody's but a dead one's.
        let (alive, alone) = living(&store).await?;
        let oldest = clock.now().micros() / 1_000_000 - config.ingest.staging_age_days_max as i64 * 86_400;
        let promised = Default::default();
        Sweep { derived: &derived, ledger: &ledger, operator, oldest, alone, promised }.run().await?;
        if let (true, Some(alive), Some(root)) = (alone, &alive, store.folder()) {
            local::share(alive, root)?;
        }
        let (writer, committing) = Writer::start(ledger.clone(), derived, clock.clone(), &config.ledger);
        let (enough, interval_ms) = (Arc::new(Notify::new()), config.ledger.publish_interval_ms);
        let publisher = tokio::spawn(publish(ledger.clone(), desk.clone(), interval_ms, enough.clone()));
        let interval = Duration::from_millis(config.storage.heal_interval_ms);
        let healer = (!store.replicas().all().is_empty()).then(|| tokio::spawn(healing.clone().run(interval)));
        let tasks =
            Tasks { writer: Some(committing), feeder: Some(feeder), publisher: Some(publisher), healer, enough };
        Ok(Archive {
            store,
            ledger,
            catalog,
            index,
            desk,
            clock,
            config,
            healing,
            witnesses,
            authorities,
            reasons: Default::default(),
            auditing: Default::default(),
            agencies_read: Default::default(),
            operator,
            folders: None,
            writer,
            feed,
            tasks,
            _lock: lock,
            _alive: alive,
        })
    }

    /// Commits an entry. What it names must be durable and read back.
    pub async fn commit(&self, proposal: Proposal) -> Result<Answered, ArchiveError> {
        self.writer.commit(proposal).await
    }

    /// How many proposals wait for their turn: whoever is in no hurry yields.
    pub fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// Has the writer given up? Whoever holds the archive closes it and opens it again.
    pub fn has_stopped(&self) -> bool {
        self.writer.has_stopped()
    }

    /// The receipt of a committed entry, against the newest checkpoint.
    pub async fn prove(&self, seq: u64) -> Result<String, ArchiveError> {
        Ok(self.ledger.prove(seq).await?.encode())
    }

    /// A new record identifier.
    pub fn new_record(&self) -> Result<RecordId, ArchiveError> {
        Ok(RecordId::new(self.clock.now().millis(), keep::random()?))
    }

    /// Waits until everything committed so far is found by searches.
    pub async fn settle(&self) -> Result<(), ArchiveError> {
        self.feed.flush().await
    }

    /// Brings the self-description up to date with this program and records it.
    pub async fn refresh(&self) -> Result<Refreshed, ArchiveError> {
        let before = place::in_force(&self.ledger).await?;
        let mut restored = Vec::new();
        for (path, digest) in &before {
            if !self.store.read_document(path).await.is_ok_and(|bytes| Digest::of(&bytes) == *digest) {
                restored.push(path.clone());
            }
        }
        let mut documents = place::documents();
        for path in [layout::PLACE, layout::KEYS] {
            // What somebody slipped in must not be blessed.
            if restored.iter().any(|altered| altered == path) {
                return Err(ArchiveError::Damaged(path.into()));
            }
            documents.push((path.into(), self.store.read_document(path).await?));
        }
        let documents = place::write_documents(&self.store, &documents).await?;
        if documents == before {
            return Ok(Refreshed { entry: None, restored });
        }
        let entry = self.note(Event::Refreshed { documents }).await?;
        Ok(Refreshed { entry: Some(entry.seq), restored })
    }

    /// Publishes what is committed, without waiting for its turn.
    pub async fn publish(&self) -> Result<(), ArchiveError> {
        publish_once(&self.ledger, &self.desk).await
    }

    /// Publishes, makes everything visible and closes the files. When it returns, nothing of this archive
    /// runs any more and another process may open it.
    pub async fn close(self) -> Result<(), ArchiveError> {
        let Archive { store, ledger, catalog, index, desk, healing, config, writer, feed, mut tasks, .. } = self;
        // The writer first: a commit that is under way is answered, published and found.
        drop(writer);
        ended(tasks.writer.take()).await;
        tasks.publisher_ends().await;
        let flushed = feed.flush().await;
        let published = publish_once(&ledger, &desk).await;
        if let Some(healer) = tasks.healer.take() {
            healer.abort();
            store.replicas().settle().await;
            // What is whole now need not be looked at by the next process. A large debt is healed by it.
            let patience = Duration::from_millis(config.storage.patience_ms);
            tokio::time::timeout(patience, healing.round(&|_, _| {})).await.ok();
        }
        drop(feed);
        ended(tasks.feeder.take()).await;
        catalog.close().await;
        desk.close().await;
        drop(index);
        flushed.and(published)
    }
}

/// This process's share in the lock of the living, and whether it is alone.
async fn living(store: &Store) -> Result<(Option<fs::File>, bool), ArchiveError> {
    let Some(root) = store.folder().map(Path::to_owned) else { return Ok((None, false)) };
    let held = tokio::task::spawn_blocking(move || local::live(&root)).await;
    let (alive, alone) = held.map_err(|_| ArchiveError::Stopped("the start died".into()))??;
    Ok((Some(alive), alone))
}

/// The public keys of an archive, from the archive itself.
pub async fn keys(store: &Store) -> Result<KeyFile, ArchiveError> {
    let bytes = store.read(layout::KEYS).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ArchiveError::Damaged(layout::KEYS.into()))?;
    text.parse().map_err(|_| ArchiveError::Damaged(layout::KEYS.into()))
}

/// How long the lock is asked for, and the pause between. A child of the process that has just let go, one that reads
/// documents for one, holds it too between its fork and its exec.
const LOCK_TRIES: usize = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Takes `derived/` for this process.
pub(crate) async fn lock(derived: &Path) -> Result<fs::File, ArchiveError> {
    let path = derived.join("lock");
    let file = fs::File::create(&path).map_err(|error| place::disk(&path, error))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(fs::TryLockError::Error(error)) => return Err(place::disk(&path, error)),
        }
    }
    let advice = "another vankho process owns this archive's derived/; wait for it to end";
    Err(ArchiveError::Place(advice.into()))
}

/// Refuses to write where the store holds less than was once known to be committed.
async fn refuse_rollback(ledger: &Ledger, desk: &Desk, applied: u64) -> Result<(), ArchiveError> {
    let size = ledger.size();
    let refuse = |known: u64| {
        let advice = "bring the missing part of log/ back from a replica or a backup, or, where it is lost for good and whoever is responsible takes the loss, `vankho promote --place N --old-is-gone --accept-loss`";
        Err(ArchiveError::Place(format!(
            "the ledger holds {size} entries and {known} were committed: rollback; {advice}"
        )))
    };
    if size == 0 || applied > size {
        return refuse(applied.max(1));
    }
    let remembered = match desk.checkpoint().await? {
        Some((_, note)) => Some(ledger.read_checkpoint(&note)?),
        None => None,
    };
    for known in remembered.into_iter().chain(ledger.published().await?) {
        if known.size > size {
            return refuse(known.size);
        }
        if !ledger.follows(&known).await? {
            let known = known.size;
            let fault = format!("the ledger: it does not go on from its checkpoint of size {known}");
            return Err(ArchiveError::Damaged(fault));
        }
    }
    Ok(())
}

/// Did a promotion that this machine has not heard of leave behind what it applied last? Then the storage lost nothing:
/// somebody vouched that the old primary was gone, and the ledger says so.
async fn left_behind(ledger: &Ledger, catalog: &Catalog) -> Result<bool, ArchiveError> {
    let (mut replay, mut last) = (ledger.replay_from(0).await?, None);
    while let Some(commit) = replay.next().await? {
        let first = commit.entries.first().and_then(|bytes| Entry::from_bytes(bytes).ok());
        last = first.filter(|entry| matches!(entry.event, Event::Promoted { .. })).or(last);
    }
    let Some(promotion) = last else { return Ok(false) };
    Ok(catalog.grounds(&[promotion.request], &[]).await?.answered.is_empty())
}

/// Catalog and index may have applied commits of a primary that was lost and that no other place had.
async fn forget_another_history(
    ledger: &Ledger,
    catalog: &Catalog,
    index: &Index,
    left_behind: bool,
) -> Result<(), ArchiveError> {
    let applied = catalog.applied();
    let nothing = applied == 0 && index.applied() == 0;
    if !left_behind && (nothing || catalog.stands_on(ledger.root_at(applied).await?).await?) {
        return Ok(());
    }
    tracing::warn!(applied, "catalog and index do not follow from the ledger, they are built anew");
    catalog.clear().await?;
    Ok(index.clear()?)
}

async fn publish(ledger: Arc<Ledger>, desk: Desk, interval_ms: u64, enough: Arc<Notify>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(interval_ms.max(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = enough.notified() => return,
        }
        if let Err(error) = publish_once(&ledger, &desk).await {
            // Commits stand without it; the next round tries again.
            tracing::warn!(%error, "the log could not be published yet");
        }
    }
}

async fn publish_once(ledger: &Ledger, desk: &Desk) -> Result<(), ArchiveError> {
    if let Some((size, note)) = ledger.publish().await? {
        desk.remember(size, &note).await?;
    }
    Ok(())
}

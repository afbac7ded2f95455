//! The one place that changes the ledger: proposals in, committed entries out.
//!
//! # Why
//! *Batching needs no timer.* While one commit is in flight the next batch collects; a lone writer waits
//! for nobody and a crowd shares one fsync.
//!
//! *Validated against what is true at that size.* A batch is judged by one catalog state and by its own
//! earlier entries; whoever loses the race for a size catches up and is judged again.

use crate::archive::{
    ArchiveError, Clock,
    apply::Derived,
    fold::{Fold, Trial},
};
use crate::catalog::{Applied, Catalog, Grounds};
use crate::config;
use crate::ledger::log::{Appended, Committed, Ledger, LedgerError};
use crate::record::{
    described::Described,
    digest::Digest,
    disposition::refusal::Refusal,
    entry::{Entry, Event, Instant, NotAnEntry},
    hold::HoldRefusal,
    id::{ActorId, HoldId},
    unit::Unit,
};
use std::{
    collections::{HashMap, HashSet, hash_map},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::MissedTickBehavior,
};

/// Something that somebody wants to be in the ledger.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub by: ActorId,
    /// SHA-256 of actor and idempotency key.
    pub request: Digest,
    pub event: Event,
    /// The description that the event names: durable already, read back.
    pub description: Option<Described>,
}

/// The request that a repeated call of the same actor with the same key makes.
pub fn request(by: ActorId, key: &[u8; 32]) -> Digest {
    Digest::of(&[by.to_string().as_bytes(), b"\n", key].concat())
}

/// The entry that answers a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    pub seq: u64,
    /// It answered the same request before.
    pub before: bool,
}

/// Why an order to destroy is not given.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The rules do not let it be, by what the ledger says.
    #[error("{0}")]
    Refused(Refusal),
}

type Answer = Result<Answered, OrderError>;

/// The way to the writer.
#[derive(Debug)]
pub struct Writer {
    to: mpsc::Sender<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    proposal: Proposal,
    /// What an order to destroy is judged by.
    fold: Option<Arc<Fold>>,
    answer: oneshot::Sender<Answer>,
}

impl Writer {
    /// Starts the task that commits; it ends when no writer is left.
    pub fn start(
        ledger: Arc<Ledger>,
        derived: Derived,
        clock: Clock,
        config: &config::Ledger,
    ) -> (Writer, JoinHandle<()>) {
        let batch_max = config.batch_entries_max;
        let interval = Duration::from_millis(config.catch_up_interval_ms.max(1));
        let (to, from) = mpsc::channel(batch_max);
        (Writer { to }, tokio::spawn(Loop { ledger, derived, clock, batch_max, interval }.run(from)))
    }

    /// How many proposals wait for their turn.
    pub fn waiting(&self) -> usize {
        self.to.max_capacity() - self.to.capacity()
    }

    /// Has the task that commits ended?
    pub fn has_stopped(&self) -> bool {
        self.to.is_closed()
    }

    /// Commits a proposal, together with whatever else is waiting.
    pub async fn commit(&self, proposal: Proposal) -> Result<Answered, ArchiveError> {
        self.answered(proposal, None).await.map_err(|refusal| match refusal {
            OrderError::Archive(error) => error,
            OrderError::Refused(refusal) => ArchiveError::Conflict(refusal.to_string()),
        })
    }

    /// Commits an order to destroy, judged by what a fold over the ledger says at that moment.
    pub async fn order(&self, proposal: Proposal, fold: Arc<Fold>) -> Answer {
        self.answered(proposal, Some(fold)).await
    }

    async fn answered(&self, proposal: Proposal, fold: Option<Arc<Fold>>) -> Answer {
        let stopped = || ArchiveError::Stopped("the writer has stopped".into());
        let (answer, answered) = oneshot::channel();
        self.to.send(Waiting { proposal, fold, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

struct Loop {
    ledger: Arc<Ledger>,
    derived: Derived,
    clock: Clock,
    batch_max: usize,
    /// Between two looks at what other processes committed.
    interval: Duration,
}

impl Loop {
    async fn run(self, mut from: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::new();
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                received = from.recv_many(&mut batch, self.batch_max) => match received {
                    0 => return,
                    _ => self.commit(std::mem::take(&mut batch)).await,
                },
                _ = ticks.tick() => self.look().await,
            };
            if let Err(error) = done {
                // What the storage did is unknown: this process must not write again. Dropping the queue
                // tells everybody who waits.
                tracing::error!(%error, "the writer has stopped; open the archive again");
                return;
            }
        }
    }

    /// Takes in what other processes committed, and hears whether another place decides now.
    async fn look(&self) -> Result<(), ArchiveError> {
        match self.derived.catch_up(&self.ledger).await {
            // Storage that cannot be reached for a while: nothing is half done, the next look asks again.
            Err(ArchiveError::Store(error) | ArchiveError::Ledger(LedgerError::Store(error))) => {
                tracing::warn!(%error, "what other processes committed cannot be seen; it is asked for again");
                Ok(())
            }
            Err(error) => Err(error),
            Ok(()) => Ok(self.ledger.expect_primary()?),
        }
    }

    async fn commit(&self, mut waiting: Vec<Waiting>) -> Result<(), ArchiveError> {
        loop {
            let now = self.clock.now().max(self.derived.catalog.newest());
            let judged = judge(&self.derived.catalog, waiting, now).await?;
            if judged.is_empty() {
                return Ok(());
            }
            let entries = judged.iter().map(|(_, _, bytes)| bytes.clone()).collect();
            // If we stop here, the commit object is there or it is not: opening replays it, and the same requests
            // find their answer or are made again.
            match self.ledger.append(entries).await? {
                Appended::Committed(committed) => return self.answer(committed, judged).await,
                // Somebody else was first at this size: take theirs in, then judge again.
                Appended::LostRace => {
                    self.derived.catch_up(&self.ledger).await?;
                    waiting = judged.into_iter().map(|(waiting, _, _)| waiting).collect();
                }
            }
        }
    }

    async fn answer(&self, committed: Committed, judged: Vec<Judged>) -> Result<(), ArchiveError> {
        let mut applied = Vec::with_capacity(judged.len());
        let mut answers = Vec::with_capacity(judged.len());
        for (seq, (waiting, entry, _)) in (committed.base..).zip(judged) {
            applied.push(Applied { seq, entry, description: waiting.proposal.description });
            answers.push((seq, waiting.answer));
        }
        // If we stop here, the batch is committed and nobody was told: the same requests find it.
        self.derived.apply(applied, committed.root).await?;
        for (seq, answer) in answers {
            // Who asked may be gone; the entry stands.
            answer.send(Ok(Answered { seq, before: false })).ok();
        }
        Ok(())
    }
}

type Judged = (Waiting, Entry, Vec<u8>);

/// Answers what is answered already or cannot be, and makes entries of the rest.
async fn judge(catalog: &Catalog, waiting: Vec<Waiting>, at: Instant) -> Result<Vec<Judged>, ArchiveError> {
    let requests: Vec<Digest> = waiting.iter().map(|one| one.proposal.request).collect();
    let events = || waiting.iter().map(|one| &one.proposal.event);
    let holds: Vec<HoldId> = events().filter_map(hold).collect();
    let units: Vec<Unit> = events().filter_map(Event::unit).chain(holds.iter().map(|hold| (*hold).into())).collect();
    let mut grounds = catalog.grounds(&requests, &units).await?;
    if !holds.is_empty() {
        grounds.asked = catalog.asked(&holds).await?;
    }
    // Orders come first: a fold has read what is committed, and nothing of this batch.
    let mut waiting = waiting;
    waiting.sort_by_key(|one| one.proposal.event.ends().is_none());
    let (mut judged, mut seen) = (Vec::with_capacity(waiting.len()), HashSet::new());
    // One fold is asked once for a batch: what it admits counts for what comes after.
    let mut trials: HashMap<usize, Trial> = HashMap::new();
    for one in waiting {
        let Proposal { by, request, event, .. } = &one.proposal;
        if let Some(seq) = grounds.answered.get(request) {
            one.answer.send(Ok(Answered { seq: *seq, before: true })).ok();
            continue;
        }
        let verdict = match seen.insert(*request) {
            true => match ordered(&mut trials, &one, at).await {
                Ok(()) => permitted(&mut grounds, &one.proposal).map_err(OrderError::from),
                refused => refused,
            },
            false => Err(ArchiveError::Conflict("the same request is under way".into()).into()),
        };
        let entry = Entry { at, by: *by, request: *request, event: event.clone(), v: 1 };
        let malformed = |fault: NotAnEntry| OrderError::from(ArchiveError::Conflict(fault.to_string()));
        match verdict.and_then(|()| entry.to_bytes().map_err(malformed)) {
            Ok(bytes) => judged.push((one, entry, bytes)),
            Err(refusal) => {
                one.answer.send(Err(refusal)).ok();
            }
        }
    }
    Ok(judged)
}

/// An order to destroy is judged by the ledger itself; nothing else is asked of it.
async fn ordered(trials: &mut HashMap<usize, Trial>, one: &Waiting, at: Instant) -> Result<(), OrderError> {
    let event = &one.proposal.event;
    if event.ends().is_none() {
        return Ok(());
    }
    let Some(fold) = &one.fold else {
        return Err(ArchiveError::Conflict("an order to destroy needs a fold over the ledger".into()).into());
    };
    let trial = match trials.entry(Arc::as_ptr(fold) as usize) {
        hash_map::Entry::Occupied(trial) => trial.into_mut(),
        hash_map::Entry::Vacant(none) => none.insert(fold.trial().await?),
    };
    trial.admit(event, one.proposal.by, at).map_err(OrderError::Refused)
}

/// The hold that an event places or releases.
fn hold(event: &Event) -> Option<HoldId> {
    match event {
        Event::HoldPlaced { hold, .. } | Event::HoldReleased { unit: Unit::Hold(hold), .. } => Some(*hold),
        _ => None,
    }
}

/// May this event follow what the catalog knows and the earlier entries of the batch?
fn permitted(grounds: &mut Grounds, proposal: &Proposal) -> Result<(), ArchiveError> {
    let event = &proposal.event;
    if let Some(unit) = event.unit()
        && let Some(certified) = grounds.ended.get_mut(&unit)
    {
        // From the order on nothing more happens to a record but its end, once.
        let ends = matches!(event, Event::Destroyed { .. } | Event::Expelled { .. });
        if !ends || std::mem::replace(certified, true) {
            return Err(ArchiveError::Conflict(Refusal::TooLate.to_string()));
        }
        return Ok(());
    }
    let refused = match event {
        Event::Destroyed { .. } | Event::Expelled { .. } => Some(Refusal::NotOrdered.to_string()),
        Event::HoldReleased { unit: Unit::Hold(hold), .. } => match grounds.asked.get(hold) {
            Some((_, true)) => Some(HoldRefusal::AlreadyReleased.to_string()),
            Some((asked_by, false)) if *asked_by == proposal.by => Some(HoldRefusal::SamePerson.to_string()),
            _ => None,
        },
        Event::HoldPlaced { hold, .. } if grounds.asked.get(hold).is_some_and(|(_, released)| *released) => {
            Some(HoldRefusal::AlreadyReleased.to_string())
        }
        Event::HoldPlaced { unit, hold, .. } if !grounds.knows(*unit) || !grounds.knows((*hold).into()) => {
            Some(Refusal::NotKnown.to_string())
        }
        _ => None,
    };
    if let Some(why) = refused {
        return Err(ArchiveError::Conflict(why));
    }
    if let Event::HoldReleased { unit: Unit::Hold(hold), .. } = event {
        grounds.asked.entry(*hold).and_modify(|(_, released)| *released = true);
    }
    if let Some(record) = event.ends() {
        grounds.ended.insert(record.into(), false);
    }
    let Some((unit, description)) = event.names() else { return Ok(()) };
    if grounds.current.get(&unit).copied() != event.replaces() {
        let kind = unit.kind().as_str();
        return Err(ArchiveError::Conflict(format!("{kind} {unit} was changed by somebody else; read it again")));
    }
    grounds.current.insert(unit, description);
    Ok(())
}

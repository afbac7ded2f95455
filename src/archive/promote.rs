//! Another primary: the place that decides the order of entries is lost, or is to be another one.
//!
//! # Why
//! *Where the old primary answers, the promotion is a commit there.* It is still the lock: nobody can commit beside
//! it, and every process that writes there sees the promotion and opens the archive again.
//!
//! *Where it does not, somebody has to say that it is gone.* Nothing here can tell a place that is lost from one
//! that only we cannot reach, and two primaries at once would be two truths.
//!
//! *From the longest chain that can be found.* Every place that answers is asked, and every receipt that is shown;
//! what is shorter than something that was given out is refused, because entries would be lost.
//!
//! *A loss is taken only where somebody says so.* Where one place is enough, a primary may die with what it alone had, and
//! this desk, or a receipt, knows it. Nothing here can find it again, and an archive that nobody may open any more helps
//! nobody either. So who vouches that the old primary is gone may take the loss as well: a new epoch begins in the ledger,
//! also where the place decides already, and the checkpoint, which is the proof of what was lost, stays at the desk.
//!
//! *A restored archive is promoted where it stands.* Its original may come back, as any lost primary may: a new epoch
//! tells the two apart (`archive/restored.rs`).
//!
//! *A primary that lacks entries which another place has* went back, or was promoted and has not heard of it yet: to
//! promote it is to bring it what it lacks.

use crate::archive::{
    ArchiveError, Clock,
    heal::Healing,
    keep::random,
    keys,
    place::{self, DESK, Folders},
    places::{Asked, Places, lacks},
    request, restored,
};
use crate::config::Config;
use crate::desk::Desk;
use crate::ledger::{
    checkpoint::Checkpoint,
    keys::Signer,
    log::{Appended, Ledger},
    primacy::Primacy,
};
use crate::record::{
    entry::{Entry, Event},
    id::ActorId,
};
use crate::store::Store;
use std::{path::Path, sync::Arc};

/// What is to become of which archive.
pub struct Promotion<'a> {
    pub data: &'a Path,
    pub config: &'a Config,
    pub clock: &'a Clock,
    /// The place that is to decide.
    pub to: u32,
    /// Somebody vouches that the primary is gone for good, or cut off from everybody who writes.
    pub old_is_gone: bool,
    /// And that what only it had, of what was given out, is given up.
    pub loss_is_taken: bool,
    /// Checkpoints that were given out: signed notes, or receipts.
    pub known: Vec<String>,
}

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promoted {
    pub primacy: Primacy,
    /// The entry that says so.
    pub seq: u64,
    /// The most entries that a checkpoint stands on which was given out and does not hold any more.
    pub lost: Option<u64>,
}

impl Promotion<'_> {
    /// Makes another place the primary.
    ///
    /// If we stop here, the entry is there or it is not. Done again, it goes on from there.
    pub async fn run(self, tell: &(dyn Fn(u32, u64) + Send + Sync)) -> Result<Promoted, ArchiveError> {
        let folders = Folders::of(self.data);
        let places = Places::configured(self.data, &self.config.storage)?;
        std::fs::create_dir_all(&folders.derived).map_err(|error| place::disk(&folders.derived, error))?;
        let _lock = crate::archive::lock(&folders.derived).await?;
        let desk = Desk::open(Some(&folders.desk.join(DESK))).await?;
        let (signer, asked) = (Arc::new(folders.signer()?), places.ask().await);
        let promoted = self.among(&places, &asked, signer, &desk, tell).await;
        desk.close().await;
        promoted
    }

    /// The same with everything at hand.
    pub async fn among(
        &self,
        places: &Places,
        asked: &[Asked],
        signer: Arc<Signer>,
        desk: &Desk,
        tell: &(dyn Fn(u32, u64) + Send + Sync),
    ) -> Result<Promoted, ArchiveError> {
        let (now, longest) = newest(asked, self.to)?;
        let lacking = lacks(now.replica, asked).await?.is_some();
        let waits = restored::waits(self.data, now)?;
        self.judge(asked, now, lacking, waits)?;
        let old = answering(asked, now.replica).map(|_| now.replica).filter(|_| !lacking);
        // The chain to go on from: the old primary's own, or, where that is gone, the longest that is left.
        let from = old.unwrap_or(longest);
        let silent: Vec<u32> = asked.iter().filter(|one| one.tip.is_err()).map(|one| one.number).collect();
        let mut healing = self.at(places.store(from, asked, &silent)?, signer.clone(), desk, tell).await?;
        let lost = self.lost(&healing.ledger, desk, &silent).await?;
        if from != self.to {
            healing.make_whole(self.to, tell).await?;
        }
        if now.replica == self.to && !waits && lost.is_none() {
            // It decides already, and has all that it lacked.
            return Ok(Promoted { primacy: now, seq: healing.ledger.size().saturating_sub(1), lost });
        }
        // A primary must keep create-if-absent.
        place::probe(&Store::at(places.number(self.to)?.clone()), self.clock).await?;
        if old.is_none() {
            if desk.healed(self.to).await?.is_none() {
                // Nobody here knows what it holds: all of it is compared.
                desk.set_healed(self.to, 0).await?;
            }
            healing = self.at(places.store(self.to, asked, &silent)?, signer, desk, tell).await?;
        }
        let promoted = Promoted { lost, ..self.commit(&healing.ledger, now, desk).await? };
        if let Some((_, note)) = desk.checkpoint().await?
            && holds(&healing.ledger, &note).await?.is_err()
        {
            // If we stop here, the epoch has begun and the desk refuses still: done again, it begins another one.
            desk.take_losses().await?;
        }
        // Whatever place is left takes the entry now, so that nobody goes on there under the old primary.
        healing.round(tell).await;
        Ok(promoted)
    }

    /// The ledger at one place, with the others that answered as its replicas.
    async fn at(
        &self,
        store: Store,
        signer: Arc<Signer>,
        desk: &Desk,
        tell: &(dyn Fn(u32, u64) + Send + Sync),
    ) -> Result<Healing, ArchiveError> {
        let ledger = Arc::new(Ledger::open(store.clone(), signer, keys(&store).await?).await?);
        let healing = Healing::new(&store, &ledger, (None, desk), &self.config.storage);
        healing.introduce(tell).await;
        while ledger.catch_up().await?.is_some() {}
        Ok(healing)
    }

    /// May the place decide? `waits` says that all of this was restored from a backup.
    fn judge(&self, asked: &[Asked], now: Primacy, lacking: bool, waits: bool) -> Result<(), ArchiveError> {
        if waits && !self.old_is_gone {
            let advice = "where that is gone for good, or cut off from everybody who writes, say so with --old-is-gone";
            return Err(ArchiveError::Place(format!("the archive was restored and its original may live; {advice}")));
        }
        if self.loss_is_taken && !self.old_is_gone {
            return Err(ArchiveError::Place("a loss is taken only together with --old-is-gone".into()));
        }
        if now.replica == self.to && !lacking && !waits && !self.loss_is_taken {
            return Err(ArchiveError::Place(format!("place {} is the primary already", self.to)));
        }
        if let Some(Err(error)) = asked.iter().find(|one| one.number == self.to).map(|one| &one.tip) {
            return Err(ArchiveError::Place(format!("place {} cannot be used: {error}", self.to)));
        }
        let usable = answering(asked, now.replica).is_some() && (!lacking || now.replica == self.to);
        if !usable && !self.old_is_gone {
            let why = if lacking { "lacks entries that another place has" } else { "does not answer" };
            let advice = "where it is gone for good, or cut off from everybody who writes, say so with --old-is-gone";
            let number = now.replica;
            return Err(ArchiveError::Place(format!("place {number} is the primary and {why}; {advice}")));
        }
        Ok(())
    }

    /// What was given out, or is known to this desk, must be in the chain, unless the loss is taken: so many entries the
    /// largest of these checkpoints stands on that is not.
    async fn lost(&self, ledger: &Ledger, desk: &Desk, silent: &[u32]) -> Result<Option<u64>, ArchiveError> {
        let remembered = desk.checkpoint().await?.map(|(_, note)| note);
        let (size, mut lost) = (ledger.size(), None);
        for note in self.known.iter().chain(&remembered) {
            let Err(known) = holds(ledger, note).await? else { continue };
            if !self.loss_is_taken {
                let advice = "a place that has the rest must be found first; where it is lost for good, and whoever is responsible takes the loss, say so with --accept-loss";
                return Err(ArchiveError::Place(format!(
                    "a checkpoint over {known} entries was given out, and the longest ledger here, of {size}, does not hold it; {advice}"
                )));
            }
            lost = lost.max(Some(known));
        }
        if let Some(known) = lost {
            tracing::error!(
                given_out = known,
                entries = size,
                places.silent = ?silent,
                "entries that were given out are lost, and somebody took the loss: keep the checkpoint, and tell everybody who holds a receipt of them"
            );
        }
        Ok(lost)
    }

    /// If we stop here, the promotion is in the ledger or it is not: who opens the archive next sees which.
    async fn commit(&self, ledger: &Ledger, before: Primacy, desk: &Desk) -> Result<Promoted, ArchiveError> {
        let by = desk.operator(ActorId::new(self.clock.now().millis(), random()?)).await?;
        let primacy = Primacy { replica: self.to, epoch: before.epoch + 1 };
        let event = Event::Promoted { replica: primacy.replica, epoch: primacy.epoch };
        let request = request(by, &random()?);
        loop {
            let last = ledger.entry(ledger.size().saturating_sub(1)).await?;
            let last = Entry::from_bytes(&last).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
            let entry = Entry { at: self.clock.now().max(last.at), by, request, event: event.clone(), v: 1 };
            let bytes = entry.to_bytes().map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
            match ledger.append(vec![bytes]).await? {
                Appended::Committed(committed) => return Ok(Promoted { primacy, seq: committed.base, lost: None }),
                // Somebody still writes there: after theirs.
                Appended::LostRace => while ledger.catch_up().await?.is_some() {},
            }
            if ledger.primacy() != before {
                return Err(ArchiveError::Conflict(format!("{} decides meanwhile", ledger.primacy())));
            }
        }
    }
}

/// Who decides now, and which place has the longest ledger of those that answer.
fn newest(asked: &[Asked], to: u32) -> Result<(Primacy, u32), ArchiveError> {
    let tips = asked.iter().filter_map(|one| Some((one.number, one.tip.as_ref().ok()?.as_ref()?)));
    let newest = tips.max_by_key(|(number, tip)| (tip.primacy.epoch, tip.size, *number == to));
    match newest {
        Some((longest, tip)) => Ok((tip.primacy, longest)),
        None => Err(ArchiveError::Place("no place of the archive can be read; see storage.places".into())),
    }
}

/// A place that answered, and holds the archive.
fn answering(asked: &[Asked], number: u32) -> Option<&Asked> {
    asked.iter().find(|one| one.number == number && matches!(one.tip, Ok(Some(_))))
}

/// Does a ledger hold what a checkpoint stands on? If not, so many entries that is.
async fn holds(ledger: &Ledger, note: &str) -> Result<Result<(), u64>, ArchiveError> {
    let known = checkpoint_in(ledger, note)?;
    let holds = known.size <= ledger.size() && ledger.follows(&known).await?;
    Ok(if holds { Ok(()) } else { Err(known.size) })
}

/// The checkpoint in a signed note, or at the end of a receipt.
fn checkpoint_in(ledger: &Ledger, text: &str) -> Result<Checkpoint, ArchiveError> {
    let start = text.find(&format!("{}\n", ledger.origin())).unwrap_or(0);
    Ok(ledger.read_checkpoint(&text[start..])?)
}

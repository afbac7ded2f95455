//! Carrying an order out: everything is emptied, looked at again, and certified. **The only caller of the store's
//! `destroy`.**
//!
//! `order (from its entry) → forgotten → emptied → absent → certificate → destroyed`.
//!
//! # Why
//! *Nothing has to be remembered.* Each step asks what is there and takes it away; a process that stops anywhere leaves an
//! order without a certificate, and whoever opens the archive next does the same steps again.
//!
//! *A place that cannot be reached is no place that was emptied.* Then there is no certificate, and the order stays
//! pending for everybody to see.

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::catalog::{CatalogError, ends::Ended, holds::Placement};
use crate::ledger::log::Ledger;
use crate::record::{
    digest::Digest,
    disposition::{
        basis::Basis,
        case::{Appraisal, Decision},
        certificate::{
            ALWAYS, Absence, Certificate, Emptied, Forgotten, Held, HoldCheck, Limit, NotCertified, Order as Ordered,
            Remains, Review, SCHEMA, Window,
        },
    },
    document::{Document, Salt},
    entry::{Entry, Event},
    id::RecordId,
};
use crate::store::{Place, Standing, destroy::Order, layout};
use std::time::Duration;

/// How often the catalog's log is emptied until nobody reads old pages, and the pause between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// What a certificate tells beside what is seen when the order is carried out.
#[derive(Clone, Debug)]
pub struct Papers {
    pub basis: Basis,
    pub review: Option<Review>,
    pub appraisal: Option<Appraisal>,
    pub decision: Option<Decision>,
}

/// What carrying an order out came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destroyed {
    Certified {
        certificate: Digest,
        entry: u64,
    },
    /// The order stands, and is carried out again.
    Pending {
        why: NotCertified,
    },
}

impl Archive {
    /// Carries an order out, from the entry that gave it.
    pub async fn destroy(&self, ended: &Ended, papers: Papers) -> Result<Destroyed, ArchiveError> {
        if let (Some(certificate), Some(entry)) = (ended.certificate, ended.certified) {
            return Ok(Destroyed::Certified { certificate, entry });
        }
        let (order, entry) = ordered(&self.ledger, ended.seq).await?;
        let holds = self.holds_of(ended).await?;
        let forgotten = self.forget(order.record()).await?;
        // If we stop here, some places are empty; the order has no certificate, and this begins again.
        let mut places = Vec::new();
        for (number, place, reached) in self.every_place() {
            if reached
                && self.is_there(number, &place).await
                && let Ok(taken) = place.destroy(&order).await
            {
                let at = self.clock.now();
                places.push(Emptied { place: number, objects: taken.objects, leftovers: taken.leftovers, at });
            }
        }
        let absence = self.absence(order.record()).await;
        let certificate = Certificate {
            schema: SCHEMA.into(),
            salt: Salt::new(random()?),
            origin: self.ledger.origin().to_owned(),
            record: order.record(),
            stub: ended.stub,
            basis: papers.basis,
            review: papers.review,
            appraisal: papers.appraisal,
            decision: papers.decision,
            order: Ordered { entry: order.seq(), at: entry.at, by: entry.by },
            holds,
            places,
            forgotten,
            absence,
            windows: self.windows().await?,
            limits: self.limits(),
            made_by: concat!("vankho ", env!("CARGO_PKG_VERSION")).into(),
        };
        let numbers: Vec<u32> = self.every_place().into_iter().map(|(number, ..)| number).collect();
        match certificate.check(&numbers) {
            Ok(()) => self.certify(&entry, certificate).await,
            Err(why) => Ok(Destroyed::Pending { why }),
        }
    }

    /// Empties the folder of a record that ended once more, at one place: what was brought back by a disk that went back, or
    /// written by somebody who had not heard of the order. Answers how much there was.
    ///
    /// If we stop here, some of it is gone, and the next look takes the rest.
    pub async fn empty_again(&self, ended: &Ended, place: &Place) -> Result<u64, ArchiveError> {
        empty(&self.ledger, ended.seq, place).await
    }

    /// Index, catalog and desk keep nothing of it: segments that held it are written anew, and the catalog's log is emptied.
    ///
    /// If we stop here, some of them have; the order has no certificate.
    async fn forget(&self, record: RecordId) -> Result<Vec<Forgotten>, ArchiveError> {
        let mut forgotten = Vec::new();
        self.feed.flush().await?;
        let index = self.index.clone();
        let purged = tokio::task::spawn_blocking(move || index.forget_traces()).await;
        purged.map_err(|_| ArchiveError::Stopped("the index writer died".into()))??;
        forgotten.push(Forgotten { held: Held::Index, at: self.clock.now() });
        for tried in 1..=TRIES {
            match self.catalog.forget_traces().await {
                Err(CatalogError::Busy) if tried < TRIES => tokio::time::sleep(PAUSE).await,
                done => {
                    done?;
                    break;
                }
            }
        }
        forgotten.push(Forgotten { held: Held::Catalog, at: self.clock.now() });
        // The desk knows records by their identifiers, and by the words with which a wrong deposit was asked back; what was
        // staged goes with each place.
        self.desk.forget_withdrawal(record).await?;
        forgotten.push(Forgotten { held: Held::Desk, at: self.clock.now() });
        forgotten.push(Forgotten { held: Held::Staging, at: self.clock.now() });
        Ok(forgotten)
    }

    /// Every place that the archive has, and whether it can be reached now.
    fn every_place(&self) -> Vec<(u32, Place, bool)> {
        let replicas = self.store.replicas().all().iter();
        let replicas = replicas.map(|one| (one.number, one.place.clone(), one.standing() != Standing::Resting));
        std::iter::once((self.store.number(), self.store.primary().clone(), true)).chain(replicas).collect()
    }

    /// Does the place say that it is the one of this number? A folder on which nothing is mounted is empty, and was not
    /// emptied.
    async fn is_there(&self, number: u32, place: &Place) -> bool {
        place.identity().await.is_ok_and(|there| there.is_some_and(|there| there.replica == number))
    }

    /// Every place that can be reached is listed again.
    async fn absence(&self, record: RecordId) -> Absence {
        let (mut places, mut found) = (Vec::new(), 0);
        for (number, place, reached) in self.every_place() {
            if reached
                && self.is_there(number, &place).await
                && let Ok(listed) = place.of_record(record).await
            {
                places.push(number);
                found += listed.len() as u64;
            }
        }
        Absence { at: self.clock.now(), places, found }
    }

    /// The holds that lay on the record and, as long as its description can still be read, on its file and fonds. Whether
    /// one stops the order the fold has judged.
    async fn holds_of(&self, ended: &Ended) -> Result<HoldCheck, ArchiveError> {
        let mut placed = self.catalog.holds_ever_on(ended.record.into()).await?;
        let life = self.catalog.life(ended.record).await?;
        if let Some(digest) = life.iter().rev().find_map(|happened| happened.description)
            && let Ok(Some(told)) = self.description_of(ended.record, digest).await
        {
            let said = &told.description.metadata;
            for file in self.catalog.files_of_code(said.file.as_deref().unwrap_or_default()).await? {
                let on = self.catalog.holds_ever_on(file.file.into()).await?;
                placed.extend(on.into_iter().filter(|one| one.unit.record().is_none()));
            }
            for fonds in self.catalog.fonds_of_code(said.fonds.as_deref().unwrap_or_default()).await? {
                placed.extend(self.catalog.holds_ever_on(fonds.fonds.into()).await?);
            }
        }
        placed.sort_by_key(|one| one.seq);
        placed.dedup_by_key(|one| one.seq);
        let before: Vec<_> = placed.iter().filter(|one| one.seq < ended.seq).collect();
        let was_released = |one: &&&Placement| one.released.is_some_and(|seq| seq < ended.seq);
        let released = before.iter().filter(was_released).count();
        let count = |some: usize| u32::try_from(some).unwrap_or(u32::MAX);
        let in_force = if ended.expelled { count(before.len() - released) } else { 0 };
        Ok(HoldCheck { entries: ended.seq, released: count(released), in_force })
    }

    /// What still holds the bytes for a while.
    async fn windows(&self) -> Result<Vec<Window>, ArchiveError> {
        let last = self.desk.backups().await?.last;
        Ok(last.map(|last| Window { of: Remains::Backup, name: Some(last.to), until: None }).into_iter().collect())
    }

    fn limits(&self) -> Vec<Limit> {
        let bucket = self.every_place().iter().any(|(_, place, _)| place.folder().is_none());
        let mut limits = ALWAYS.to_vec();
        limits.extend(bucket.then_some(Limit::Versions));
        limits
    }

    /// Keeps the certificate and commits the event that names it.
    ///
    /// If we stop here, an intent has a certificate discarded that no entry names, and the order is carried out again.
    async fn certify(&self, order: &Entry, certificate: Certificate) -> Result<Destroyed, ArchiveError> {
        let bytes = certificate.to_bytes().map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
        let (record, digest) = (certificate.record, Digest::of(&bytes));
        let path = layout::stub(record, digest);
        let intent = self.intend_files(&[&path]).await?;
        self.store.keep(&path, bytes.into()).await?;
        let event = match order.event {
            Event::ExpulsionOrdered { .. } => Event::Expelled { record, certificate: digest },
            _ => Event::Destroyed { record, certificate: digest },
        };
        let answered = self.note(event).await?;
        self.fulfil(intent).await?;
        tracing::info!(record.id = %record, entry.seq = answered.seq, "an order to destroy is carried out and certified");
        Ok(Destroyed::Certified { certificate: digest, entry: answered.seq })
    }
}

/// Takes away what lies at a place under the record that an entry ordered to end; answers how much that was.
///
/// If we stop here, some of it is gone, and the next look takes the rest.
pub async fn empty(ledger: &Ledger, seq: u64, place: &Place) -> Result<u64, ArchiveError> {
    let (order, _) = ordered(ledger, seq).await?;
    let taken = take_away(&order, place).await?;
    if taken > 0 {
        tracing::warn!(record.id = %order.record(), "something of a record that ended was there again, and is gone");
    }
    Ok(taken)
}

/// The same by a committed entry that whoever asks has read, with its number: beside a backup no ledger is open.
///
/// If we stop here, some of it is gone, and the next look takes the rest.
pub async fn empty_by(seq: u64, entry: &Entry, place: &Place) -> Result<u64, ArchiveError> {
    match Order::of(seq, entry) {
        Some(order) => take_away(&order, place).await,
        None => Ok(0),
    }
}

async fn take_away(order: &Order, place: &Place) -> Result<u64, ArchiveError> {
    if place.of_record(order.record()).await?.is_empty() {
        return Ok(0);
    }
    let taken = place.destroy(order).await?;
    Ok(taken.objects + taken.leftovers)
}

/// The order that an entry gave, and that entry.
async fn ordered(ledger: &Ledger, seq: u64) -> Result<(Order, Entry), ArchiveError> {
    let bytes = ledger.entry(seq).await?;
    let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    let order = Order::of(seq, &entry);
    let order = order.ok_or_else(|| ArchiveError::Conflict(format!("entry {seq} orders nothing to be destroyed")))?;
    Ok((order, entry))
}

/// The entry that orders a record to end, by the ledger alone: it is read to its end.
pub async fn ordered_by(ledger: &Ledger, record: RecordId) -> Result<Option<u64>, ArchiveError> {
    let mut replay = ledger.replay_from(0).await?;
    while let Some(commit) = replay.next().await? {
        for (seq, bytes) in (commit.base..).zip(&commit.entries) {
            if Entry::may_tell(bytes, "_ordered\"")
                && Entry::from_bytes(bytes).is_ok_and(|entry| entry.event.ends() == Some(record))
            {
                return Ok(Some(seq));
            }
        }
    }
    Ok(None)
}

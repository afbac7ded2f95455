//! Repairing: what a place does not hold as it was kept comes from another place that does.
//!
//! # Why
//! *The finding first.* That an object was damaged is in the ledger before anything is written over it, and what was
//! found in its place is set aside in staging for whoever wants to know how it came to be.
//!
//! *Lost is said only by those who asked everybody.* A place that is away may have it: until it answers, the damage
//! stands and the next round asks again.

use crate::archive::{Answered, Archive, ArchiveError, Proposal, apply::Derived, keep::random, request};
use crate::record::{
    digest::Digest,
    entry::{Damage, Entry, Event},
    id::{ActorId, RecordId},
    unit::Unit,
};
use crate::store::{
    Place, Standing, StoreError, layout,
    replicas::{Pace, copy},
};

/// An object of a unit's folder, as the ledger has it named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub unit: Unit,
    /// The description that names it.
    pub named_by: Digest,
    /// Its ordinal there; 0 is the description itself.
    pub component: u32,
    pub path: String,
    pub digest: Digest,
}

/// What became of a damaged object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mended {
    /// From the place of this number.
    From(u32),
    /// A place that may have it does not answer.
    Waiting,
    /// No place has it.
    Lost,
    /// It is of a record that was ordered to end meanwhile.
    Ended,
}

impl Archive {
    /// The places that are expected to hold everything, with their numbers: the primary first.
    pub fn places(&self) -> Vec<(u32, Place)> {
        let replicas = self.store.replicas().all().iter().filter(|replica| replica.standing() == Standing::Taking);
        let replicas = replicas.map(|replica| (replica.number, replica.place.clone()));
        std::iter::once((self.store.number(), self.store.primary().clone())).chain(replicas).collect()
    }

    /// Puts an object back that a place does not hold as it was kept.
    ///
    /// If we stop anywhere here, the place has it or has not: the next round finds what it has.
    pub async fn repair(&self, object: &Object, number: u32, fault: Damage) -> Result<Mended, ArchiveError> {
        let Object { unit, named_by, component, .. } = *object;
        if let Unit::Record(record) = unit
            && self.catalog.ended(record).await?.is_some()
        {
            // Nothing of it is brought back.
            return Ok(Mended::Ended);
        }
        let loss = Event::Lost { unit, named_by, component };
        let lost = self.is_lost(object, &loss).await?;
        if !lost {
            self.note(Event::Damaged { unit, named_by, component, place: number, fault }).await?;
        }
        let places = self.places();
        let Some((_, place)) = places.iter().find(|(n, _)| *n == number) else { return Ok(Mended::Waiting) };
        self.set_aside(object, number, place, fault).await;
        let mut away = self.store.replicas().all().iter().any(|replica| replica.standing() == Standing::Resting);
        let mut pace = Pace::of(self.config.fixity.bytes_per_second_max);
        for (source, from) in places.iter().filter(|(n, _)| *n != number) {
            match copy(from, place, &object.path, object.digest, &mut pace).await {
                Ok(_) => {
                    self.note(Event::Repaired { unit, named_by, component, place: number, source: *source }).await?;
                    return Ok(Mended::From(*source));
                }
                Err(StoreError::Absent(_) | StoreError::Differs { .. }) => {}
                Err(_) => {
                    tracing::warn!(unit.id = %unit, from = source, to = number, "a repair failed, and is tried again");
                    away = true;
                }
            }
        }
        if away {
            return Ok(Mended::Waiting);
        }
        if !lost {
            self.note(loss).await?;
        }
        tracing::error!(unit.id = %unit, component, "lost: no place holds it as it was kept; bring it back from a backup");
        Ok(Mended::Lost)
    }

    /// Takes in a record that the catalog lacks, now that its description can be read.
    pub async fn supply(&self, record: RecordId) -> Result<(), ArchiveError> {
        let (store, catalog, feed) = (self.store.clone(), self.catalog.clone(), self.feed.clone());
        Derived { store, catalog, feed }.supply(&self.ledger, record).await
    }

    /// Does the ledger say of this object that it is lost, and not that it came back since?
    async fn is_lost(&self, object: &Object, loss: &Event) -> Result<bool, ArchiveError> {
        let (life, mut lost) = (self.catalog.life(object.unit).await?, false);
        for happened in life.iter().filter(|one| ["lost", "repaired"].contains(&one.event.as_str())) {
            let bytes = self.ledger.entry(happened.seq).await?;
            let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
            match entry.event {
                Event::Repaired { named_by, component, .. } => {
                    lost &= (named_by, component) != (object.named_by, object.component);
                }
                event => lost |= event == *loss,
            }
        }
        Ok(lost)
    }

    /// Keeps what was found in the place of an object, for as long as staging keeps anything.
    async fn set_aside(&self, object: &Object, number: u32, place: &Place, fault: Damage) {
        if fault != Damage::Altered {
            return;
        }
        let aside = layout::damaged(object.unit, object.component, number);
        if place.set_aside(&object.path, &aside).await.is_err() {
            tracing::warn!(unit.id = %object.unit, "what was found in the place of a component is not set aside");
        }
    }

    /// Commits what happened, by the archive itself.
    pub async fn note(&self, event: Event) -> Result<Answered, ArchiveError> {
        self.note_by(self.operator, event).await
    }

    /// The same, by somebody.
    pub async fn note_by(&self, by: ActorId, event: Event) -> Result<Answered, ArchiveError> {
        let request = request(by, &random()?);
        self.commit(Proposal { by, request, event, description: None }).await
    }
}

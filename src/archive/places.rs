//! The places of an archive: which of them decides the order of entries, and which are its replicas.
//!
//! # Why
//! *The ledger knows who is the primary, the configuration does not.* Every commit says it, so each place is
//! asked for its last commits, and the newest epoch that any of them has seen holds. A process that is started
//! with an old primary that came back does not go on there.
//!
//! *A place is a number.* It stands in `storage.places` for good and in its own `place.json`; a bucket that says
//! another number, or another archive, is a slip that is caught before anything is written.

use crate::archive::{ArchiveError, keys, place::Folders};
use crate::config::Storage;
use crate::ledger::{primacy::Primacy, published};
use crate::store::{Place, Replicas, Store, StoreError, identity::Identity, layout};
use futures::future::join_all;
use std::{path::Path, time::Duration};

/// How long a place may take to say how far its ledger goes.
const ASKING: Duration = Duration::from_secs(20);

/// Every place that is configured, by its number.
#[derive(Debug)]
pub struct Places {
    all: Vec<(u32, Place)>,
    storage: Storage,
}

/// How far the ledger of one place goes, and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    pub identity: Identity,
    pub size: u64,
    pub primacy: Primacy,
}

/// What a place answered; `None` where it holds no archive.
pub struct Asked {
    pub number: u32,
    pub place: Place,
    pub tip: Result<Option<Tip>, ArchiveError>,
}

impl Places {
    /// Those of `[storage]`; folders that are relative lie in the data folder.
    pub fn configured(data: &Path, storage: &Storage) -> Result<Places, ArchiveError> {
        let mut all = Vec::new();
        for (number, address) in (1..).zip(&storage.places) {
            if !address.is_empty() {
                all.push((number, Place::by_address(address, data)?));
            }
        }
        Ok(Places { all, storage: storage.clone() })
    }

    /// Places that are at hand, by their numbers.
    pub fn of(all: Vec<(u32, Place)>, storage: &Storage) -> Places {
        Places { all, storage: storage.clone() }
    }

    /// The place in which the archive is founded.
    pub fn founding(&self) -> Result<&Place, ArchiveError> {
        self.number(1)
    }

    /// The place of a number.
    pub fn number(&self, number: u32) -> Result<&Place, ArchiveError> {
        let found = self.all.iter().find(|(other, _)| *other == number).map(|(_, place)| place);
        found.ok_or_else(|| ArchiveError::Place(format!("storage.places has no place {number}")))
    }

    /// The archive that is there, for a process that has a signing key and may write.
    pub async fn open(&self, folders: &Folders) -> Result<Store, ArchiveError> {
        if let [(number, place)] = &self.all[..] {
            if place.folder() == Some(folders.archive.as_path()) {
                folders.expect_archive()?;
            } else if place.identity().await?.is_none() || !place.has(&layout::commit(0)).await? {
                return Err(none(place.name()));
            }
            return Ok(Store::of(place.clone(), *number, Replicas::default()));
        }
        let asked = self.ask().await;
        let primary = primary(&asked)?;
        if let Some(longer) = lacks(primary, &asked).await? {
            let (name, other) = (self.number(primary)?.name(), self.number(longer)?.name());
            let advice = format!("`vankho promote --place {primary}` brings it back");
            return Err(ArchiveError::Place(format!(
                "place {primary} ({name}) decides the order of entries and lacks some that place {longer} ({other}) has: it went back, or a promotion was interrupted; {advice}, where nothing writes meanwhile"
            )));
        }
        self.store(primary, &asked, &[])
    }

    /// One place, to be read alone: that of a number, or the one that decides.
    pub async fn alone(&self, number: Option<u32>) -> Result<Store, ArchiveError> {
        let number = match (number, &self.all[..]) {
            (Some(number), _) => number,
            (None, [(number, _)]) => *number,
            _ => primary(&self.ask().await)?,
        };
        Ok(Store::of(self.number(number)?.clone(), number, Replicas::default()))
    }

    /// A primary with its replicas, but for places that are lost. Those that did not answer rest; healing introduces
    /// the others, and only then does what is written there count.
    pub fn store(&self, primary: u32, asked: &[Asked], lost: &[u32]) -> Result<Store, ArchiveError> {
        let there = |number: &u32| *number != primary && !lost.contains(number);
        let others = self.all.iter().filter(|(number, _)| there(number)).cloned().collect();
        let patience = Duration::from_millis(self.storage.patience_ms);
        let replicas = Replicas::new(others, self.storage.required, patience);
        let ours = tip_of(asked, primary).and_then(|tip| tip.as_ref().ok()?.as_ref());
        for replica in replicas.all() {
            match tip_of(asked, replica.number) {
                Some(Ok(Some(tip))) if ours.is_some_and(|ours| tip.identity.is_of(&ours.identity)) => {
                    replica.is(tip.identity.clone());
                }
                Some(Err(why)) => replica.rests(&why.to_string()),
                _ => {}
            }
        }
        Ok(Store::of(self.number(primary)?.clone(), primary, replicas))
    }

    /// Asks every place at once.
    pub async fn ask(&self) -> Vec<Asked> {
        let ask = |(number, place): &(u32, Place)| {
            let (number, place) = (*number, place.clone());
            async move {
                let tip = tokio::time::timeout(ASKING, tip(number, &place)).await;
                let tip = tip.unwrap_or_else(|_| Err(StoreError::slow(place.name()).into()));
                Asked { number, place, tip }
            }
        };
        join_all(self.all.iter().map(ask)).await
    }
}

/// The place that has entries which the primary lacks, if there is one: a primary is never behind, unless its disk
/// went back, or its promotion was interrupted.
pub async fn lacks(primary: u32, asked: &[Asked]) -> Result<Option<u32>, ArchiveError> {
    let tips = asked.iter().filter_map(|one| Some((one, one.tip.as_ref().ok()?.as_ref()?)));
    let Some((longest, tip)) = tips.max_by_key(|(one, tip)| (tip.primacy.epoch, tip.size, one.number == primary))
    else {
        return Ok(None);
    };
    let Some(Ok(Some(ours))) = tip_of(asked, primary) else { return Ok(None) };
    if longest.number == primary || tip.size <= ours.size {
        return Ok(None);
    }
    // It was asked a moment earlier, and may have grown since.
    let grown = match asked.iter().find(|one| one.number == primary) {
        Some(one) => one.place.has(&layout::commit(ours.size)).await?,
        None => false,
    };
    Ok((!grown).then_some(longest.number))
}

/// What a place answered.
fn tip_of(asked: &[Asked], number: u32) -> Option<&Result<Option<Tip>, ArchiveError>> {
    asked.iter().find(|one| one.number == number).map(|one| &one.tip)
}

fn none(place: &str) -> ArchiveError {
    let advice = "make one with `vankho init --data DIR --origin NAME`";
    ArchiveError::Place(format!("there is no archive at {place}; {advice}"))
}

/// Which place decides, by what all of them say.
fn primary(asked: &[Asked]) -> Result<u32, ArchiveError> {
    let tips = asked.iter().filter_map(|asked| asked.tip.as_ref().ok()?.as_ref());
    let Some(newest) = tips.max_by_key(|tip| (tip.primacy.epoch, tip.size)) else {
        let unanswered = asked.iter().find_map(|asked| asked.tip.as_ref().err().map(ToString::to_string));
        let names: Vec<_> = asked.iter().map(|asked| asked.place.name()).collect();
        let names = names.join(", ");
        return Err(match unanswered {
            Some(why) => ArchiveError::Place(format!("no place of the archive can be read ({names}): {why}")),
            None => none(&names),
        });
    };
    let ours = &newest.identity;
    let stranger = |asked: &&Asked| {
        let tip = asked.tip.as_ref().ok().and_then(Option::as_ref);
        tip.is_some_and(|tip| !tip.identity.is_of(ours))
    };
    if let Some(stranger) = asked.iter().find(stranger) {
        let name = stranger.place.name();
        return Err(ArchiveError::Place(format!(
            "{name} holds another archive than the other places; see storage.places"
        )));
    }
    let number = newest.primacy.replica;
    let why = match tip_of(asked, number) {
        Some(Ok(Some(_))) => return Ok(number),
        Some(Ok(None)) => "there is no archive at it any more".into(),
        Some(Err(error)) => error.to_string(),
        None => "storage.places does not name it".into(),
    };
    let advice = "bring it back, or, where it is gone for good, make another the primary with `vankho promote`";
    Err(ArchiveError::Place(format!("place {number} decides the order of entries and cannot be used: {why}; {advice}")))
}

/// How far the ledger of a place goes; `None` where it holds no archive.
async fn tip(number: u32, place: &Place) -> Result<Option<Tip>, ArchiveError> {
    let Some(identity) = place.identity().await? else { return Ok(None) };
    if identity.replica != number {
        let (name, other) = (place.name(), identity.replica);
        let advice = "put it where it belongs in storage.places";
        return Err(ArchiveError::Place(format!("{name} stands as place {number} and is place {other}; {advice}")));
    }
    let store = Store::at(place.clone());
    let keys = match keys(&store).await {
        // A replica that has joined and was not healed yet.
        Err(ArchiveError::Store(StoreError::Absent(_))) => return Ok(None),
        keys => keys?,
    };
    let (size, primacy) = published::tip(&store, &keys).await?;
    Ok((size > 0).then_some(Tip { identity, size, primacy }))
}

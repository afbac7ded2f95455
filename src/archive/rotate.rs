//! Another signing key: the old one is lost, known to others, or has served long enough.
//!
//! `next key → key file → commit and checkpoint under both keys → swap`
//!
//! # Why
//! *The next key is on disk before anything names it*, and lies there until it has taken the old one's place: whoever
//! opens the archive and finds it goes on with the rotation, wherever it was interrupted.
//!
//! *Commit and checkpoint carry both signatures.* A program that knows the old key alone still reads them, learns that
//! it was retired, and stops; who has only the old key file sees that the old key vouches for what comes after it.
//!
//! *From that size on the old key counts for nothing.* What it signs of smaller trees cannot be told from what it signed
//! when it was ours: for that there are witnesses and timestamps.
//!
//! *A key that is lost vouches for nothing*: then the new key alone signs, and people must be told by other ways.

use crate::archive::{
    ArchiveError, Clock,
    keep::random,
    keys,
    place::{self, DESK, Folders},
    places::Places,
    request, restored,
};
use crate::config::Config;
use crate::desk::Desk;
use crate::ledger::{
    keys::{KeyFile, Signer},
    log::{Appended, Committed, Ledger},
};
use crate::record::{
    digest::Digest,
    entry::{Entry, Event},
    id::ActorId,
};
use crate::store::{Store, layout};
use bytes::Bytes;
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

/// Which archive gets another key.
pub struct Rotation<'a> {
    pub data: &'a Path,
    pub config: &'a Config,
    pub clock: &'a Clock,
    /// Nobody has the old key any more.
    pub old_is_lost: bool,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Checkpoints of this size are signed by both keys, larger ones by the new one.
    pub size: u64,
    /// The public keys, to be given to everybody who verifies.
    pub keys: String,
}

/// What the entries about a rotation need.
struct Entries {
    by: ActorId,
    /// The fingerprint of the new key.
    key: Digest,
    documents: BTreeMap<String, Digest>,
}

impl Rotation<'_> {
    /// Gives the archive another key. Nobody else may have it open on this machine.
    ///
    /// If we stop here, done again, or when the archive is opened, it goes on.
    pub async fn run(self) -> Result<Rotated, ArchiveError> {
        let folders = Folders::of(self.data);
        fs::create_dir_all(&folders.derived).map_err(|error| place::disk(&folders.derived, error))?;
        let _lock = crate::archive::lock(&folders.derived).await?;
        let store = Places::configured(self.data, &self.config.storage)?.open(&folders).await?;
        if !self.old_is_lost {
            restored::expect_promoted(self.data, &store).await?;
        }
        let old = match (folders.key().exists(), self.old_is_lost) {
            (true, false) => Some(folders.signer()?),
            (false, true) => None,
            (true, true) => {
                let key = folders.key();
                let advice = "it can sign for the new one: leave --old-is-lost out";
                return Err(ArchiveError::Place(format!("the signing key is there, at {}; {advice}", key.display())));
            }
            (false, false) => {
                let advice = "bring it back from a backup or, where nobody has it any more, say so with --old-is-lost";
                return Err(ArchiveError::Place(format!("{} is gone; {advice}", folders.key().display())));
            }
        };
        let desk = Desk::open(Some(&folders.desk.join(DESK))).await?;
        let rotated = rotate(&folders, &store, old, &desk, self.clock).await;
        desk.close().await;
        rotated
    }
}

/// Goes on with a rotation that was begun, if there is one.
pub async fn go_on(folders: &Folders, store: &Store, desk: &Desk, clock: &Clock) -> Result<(), ArchiveError> {
    if !folders.next_key().exists() {
        return Ok(());
    }
    let old = folders.key().exists().then(|| folders.signer()).transpose()?;
    let rotated = rotate(folders, store, old, desk, clock).await?;
    tracing::warn!(entries = rotated.size, "a change of the signing key that was interrupted is completed");
    Ok(())
}

/// If we stop here, the next key is on disk, and whoever opens the archive goes on.
async fn rotate(
    folders: &Folders,
    store: &Store,
    old: Option<Signer>,
    desk: &Desk,
    clock: &Clock,
) -> Result<Rotated, ArchiveError> {
    let there = keys(store).await?;
    let next = place::next_signer(folders, there.origin())?;
    let before = there.before(next.verifying_key());
    let old = old.filter(|old| old.verifying_key() != next.verifying_key());
    let key = next.verifying_key().fingerprint();
    let signer = Arc::new(next.together_with(old));
    // Until the size is known from which the new key signs, either may have signed anything.
    let ledger = Ledger::open(store.clone(), signer, before.either(key_of(folders)?)).await?;
    while ledger.catch_up().await?.is_some() {}
    let size = match rotated_at(&ledger, key).await? {
        Some(size) => size,
        None => {
            let by = desk.operator(ActorId::new(clock.now().millis(), random()?)).await?;
            let documents = place::in_force(&ledger).await?;
            commit(store, &ledger, &before, Entries { by, key, documents }, clock).await?
        }
    };
    let keys = before.followed_by(key_of(folders)?, size);
    store.keep(layout::KEYS, Bytes::from(keys.to_string())).await?;
    ledger.publish().await?;
    place::swap_keys(folders)?;
    Ok(Rotated { size, keys: keys.to_string() })
}

fn key_of(folders: &Folders) -> Result<crate::ledger::note::VerifyingKey, ArchiveError> {
    Ok(place::read_signer(&folders.next_key())?.verifying_key().clone())
}

/// Where the entry is that names the new key: the size after its commit.
async fn rotated_at(ledger: &Ledger, key: Digest) -> Result<Option<u64>, ArchiveError> {
    let mut replay = ledger.replay_from(0).await?;
    while let Some(Committed { entries, size, .. }) = replay.next().await? {
        let names =
            |bytes: &Vec<u8>| Entry::from_bytes(bytes).is_ok_and(|entry| entry.event == Event::KeyRotated { key });
        if entries.iter().any(names) {
            return Ok(Some(size));
        }
    }
    Ok(None)
}

/// Writes the key file for the size at which the entries will end, and commits them.
///
/// If we stop here, the next key is on disk, and whoever opens the archive does the rest.
async fn commit(
    store: &Store,
    ledger: &Ledger,
    before: &KeyFile,
    mut entries: Entries,
    clock: &Clock,
) -> Result<u64, ArchiveError> {
    let next = ledger.keys().lines().last().map(|line| line.key.clone());
    let next = next.ok_or_else(|| ArchiveError::Damaged(layout::KEYS.into()))?;
    let (first, second) = (request(entries.by, &random()?), request(entries.by, &random()?));
    loop {
        let size = ledger.size() + 2;
        let file = Bytes::from(before.followed_by(next.clone(), size).to_string());
        store.keep(layout::KEYS, file.clone()).await?;
        entries.documents.insert(layout::KEYS.into(), Digest::of(&file));
        let last = ledger.entry(ledger.size().saturating_sub(1)).await?;
        let last = Entry::from_bytes(&last).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        let at = clock.now().max(last.at);
        let (key, documents) = (entries.key, entries.documents.clone());
        let both = [(first, Event::KeyRotated { key }), (second, Event::Refreshed { documents })];
        let lines = both.map(|(request, event)| Entry { at, by: entries.by, request, event, v: 1 }.to_bytes());
        let lines = lines.into_iter().collect::<Result<Vec<_>, _>>();
        match ledger.append(lines.map_err(|fault| ArchiveError::Conflict(fault.to_string()))?).await? {
            Appended::Committed(committed) => return Ok(committed.size),
            // Another server still writes there: after theirs.
            Appended::LostRace => while ledger.catch_up().await?.is_some() {},
        }
    }
}

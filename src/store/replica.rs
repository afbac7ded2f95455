//! One replica: who it is, whether it counts, and the chain of commits that it holds.
//!
//! # Why
//! *A chain without holes.* A commit is written at a replica only after the one before it, the same as at the
//! primary. So whoever finds one commit of ours there knows that all before it are there too: to compare a place
//! is to read one object, and what a lost primary had acknowledged can be followed from the first entry on at
//! every place that counted.
//!
//! *The first bytes stand.* A commit that a replica has with other bytes is evidence of another history, a
//! primary that came back for one: the replica is left alone from then on, and people are told.

use crate::record::digest::Digest;
use crate::store::{Listed, Place, StoreError, identity::Identity, layout};
use bytes::Bytes;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Writes to one replica that may be under way; one that is slower than that rests.
pub(in crate::store) const UNDER_WAY_MAX: u32 = 64;
/// Objects of one replica that are remembered as written by this process and read back.
const REMEMBERED_MAX: usize = 1 << 20;

/// A commit in the chain of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The size at which it begins: its name.
    pub base: u64,
    /// The size at which the next one begins.
    pub size: u64,
    /// Where the one before it begins; the first has none.
    pub before: Option<u64>,
}

impl Link {
    pub fn path(&self) -> String {
        layout::commit(self.base)
    }
}

/// One replica.
#[derive(Debug)]
pub struct Replica {
    /// Which of the archive's places it is.
    pub number: u32,
    pub place: Place,
    state: Mutex<State>,
    /// One writer of commits at a time.
    order: tokio::sync::Mutex<()>,
    pub(in crate::store) under_way: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    /// Who it said it is, and that is whom we expect.
    identity: Option<Identity>,
    standing: Standing,
    why: Option<String>,
    /// The size to which its commits are known to be ours; `None` where they were not compared since it was
    /// reached, or where it is still being brought up to date.
    chain: Option<u64>,
    /// The first commit of another history that it was seen to hold.
    stray: Option<u64>,
    /// Written here by this process, read back, and not healed past yet: the beginnings of the paths' digests.
    written: HashSet<u128>,
}

/// What may be expected of a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was not compared since it was reached, or it failed since: what is there does not count.
    #[default]
    Resting,
    /// What it holds is ours, and it takes every write.
    Taking,
    /// It holds another history: nothing is written there until somebody has decided.
    Diverged,
}

/// What people are told of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub number: u32,
    pub name: String,
    pub standing: Standing,
    pub why: Option<String>,
}

/// Held by the one who writes commits at a replica.
pub struct Order<'a> {
    _one: tokio::sync::MutexGuard<'a, ()>,
}

impl Replica {
    pub fn new(number: u32, place: Place) -> Replica {
        let under_way = Arc::new(Semaphore::new(UNDER_WAY_MAX as usize));
        Replica { number, place, state: Mutex::default(), order: tokio::sync::Mutex::default(), under_way }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn told(&self) -> Told {
        let state = self.state();
        let (name, why) = (self.place.name().into(), state.why.clone());
        Told { number: self.number, name, standing: state.standing, why }
    }

    pub fn standing(&self) -> Standing {
        self.state().standing
    }

    /// It has said who it is, and that is whom we expect.
    pub fn is(&self, identity: Identity) {
        self.state().identity = Some(identity);
    }

    /// Has it said who it is?
    pub fn is_known(&self) -> bool {
        self.state().identity.is_some()
    }

    /// What it holds of the ledger is a beginning of ours: it takes every write while it is brought up to date.
    pub fn takes(&self) {
        let mut state = self.state();
        if state.standing == Standing::Resting {
            state.standing = Standing::Taking;
        }
    }

    /// Its commits are ours up to a size, and no other is there: what is written there from now on counts.
    pub fn follows_to(&self, size: u64) {
        let mut state = self.state();
        if state.standing != Standing::Diverged {
            (state.standing, state.chain, state.why) = (Standing::Taking, Some(size), None);
        }
    }

    /// All that it missed has been made good.
    pub fn is_whole(&self) {
        self.state().why = None;
    }

    /// It failed, or was too slow, or lacks something: it rests until it has been compared again. What was written
    /// there is not taken for granted any more either: another disk may answer under the same name.
    pub fn rests(&self, why: &str) {
        let mut state = self.state();
        if state.standing == Standing::Diverged {
            return;
        }
        if state.standing == Standing::Taking || state.why.is_none() {
            tracing::warn!(place = self.place.name(), %why, "a replica fell behind; it is healed when it answers again");
        }
        (state.standing, state.chain, state.why) = (Standing::Resting, None, Some(why.to_owned()));
        state.written.clear();
    }

    /// It holds another history from a commit on: nothing more is written there.
    pub fn diverges(&self, stray: u64, why: &str) {
        let mut state = self.state();
        if state.standing != Standing::Diverged {
            tracing::error!(place = self.place.name(), why, "a replica holds another history and is left alone");
        }
        (state.standing, state.chain) = (Standing::Diverged, None);
        (state.stray, state.why) = (Some(stray), Some(why.to_owned()));
    }

    /// Does it still hold the commit of another history that was seen there? If not, it may be compared anew.
    pub async fn is_astray(&self, primary: &Place) -> Result<bool, StoreError> {
        let (standing, stray) = {
            let state = self.state();
            (state.standing, state.stray)
        };
        let (Standing::Diverged, Some(stray)) = (standing, stray) else { return Ok(false) };
        let path = layout::commit(stray);
        let gone = match self.place.read(&path).await {
            Err(StoreError::Absent(_)) => true,
            theirs => has(primary, &path, &theirs?).await?,
        };
        if gone {
            let mut state = self.state();
            (state.standing, state.stray) = (Standing::Resting, None);
        }
        Ok(!gone)
    }

    /// Was an object written there by this process, and read back? It is asked once: what has been healed past need
    /// not be remembered.
    pub fn forgets(&self, path: &str) -> bool {
        self.state().written.remove(&mark(path))
    }

    /// Nothing that was written there is taken for granted: the disk is another one, or an older copy of itself.
    pub fn forgets_all(&self) {
        self.state().written.clear();
    }

    pub(in crate::store) fn remembers(&self, path: &str) {
        let mut state = self.state();
        // One that failed meanwhile has to show everything again.
        if state.standing == Standing::Taking && state.written.len() < REMEMBERED_MAX {
            state.written.insert(mark(path));
        }
    }

    /// May it have a commit that begins at a size, and that the primary lacks? One that rests is asked where too few
    /// count, and another history where it parts from ours: a primary that went back makes one of what was right.
    pub(in crate::store) fn may_be_ahead(&self, base: u64, too_few: bool) -> bool {
        let state = self.state();
        match state.standing {
            Standing::Taking => true,
            Standing::Resting => too_few && state.identity.is_some(),
            Standing::Diverged => state.stray == Some(base),
        }
    }

    /// Compares a place that rests; if it has all our commits, it counts again.
    pub(in crate::store) async fn wake(&self, primary: &Place, newest: Option<Link>, patience: Duration) {
        match tokio::time::timeout(patience, self.compare(primary, newest)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.rests(&error.to_string()),
            Err(_) => self.rests(&StoreError::slow(self.place.name()).to_string()),
        }
    }

    /// Is it the place that it was, with our commits to the newest one, and none besides? Then it counts.
    pub async fn compare(&self, primary: &Place, newest: Option<Link>) -> Result<bool, StoreError> {
        let known = self.state().identity.clone();
        // Where this process knows of no commit yet, nothing can be held against ours.
        let Some(Link { base, size, .. }) = newest else { return Ok(false) };
        if known.is_none() || self.place.identity().await? != known {
            return Ok(false);
        }
        let _one = self.order.lock().await;
        if !self.shares(primary, base).await? {
            return Ok(false);
        }
        let next = layout::commit(size);
        let alone = match self.place.read(&next).await {
            Err(StoreError::Absent(_)) => false,
            theirs => !has(primary, &next, &theirs?).await?,
        };
        if !alone {
            self.promises(primary).await?;
            self.follows_to(size);
        }
        Ok(!alone)
    }

    /// What is promised at the primary is promised here, before anything is written here that it may be about.
    ///
    /// If we stop here, some intents stand here and are swept in vain.
    pub async fn promises(&self, primary: &Place) -> Result<(), StoreError> {
        let intents: Vec<Listed> = primary.list(layout::INTENTS)?.try_collect().await?;
        for intent in intents {
            match primary.read(&intent.path).await {
                Ok(text) => self.place.keep(&intent.path, text).await?,
                // It has been fulfilled.
                Err(StoreError::Absent(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does it have the commit that begins at a size, as the primary has it?
    async fn shares(&self, primary: &Place, base: u64) -> Result<bool, StoreError> {
        let path = layout::commit(base);
        match self.place.read(&path).await {
            Err(StoreError::Absent(_)) => Ok(false),
            theirs => has(primary, &path, &theirs?).await,
        }
    }

    /// Waits until nobody else writes commits there.
    pub async fn order(&self) -> Order<'_> {
        Order { _one: self.order.lock().await }
    }

    /// A commit as the primary has it, after all before it; whether it is there now. Other bytes that are there
    /// stand.
    ///
    /// If we stop here, it is there or it is not: healing looks again.
    pub async fn secure(&self, primary: &Place, link: Link, bytes: Bytes) -> Result<bool, StoreError> {
        let order = self.order().await;
        self.follow(&order, primary, link, bytes).await
    }

    /// The same for whoever has the turn.
    ///
    /// If we stop here, it is there or it is not: healing looks again.
    pub async fn follow(&self, _: &Order<'_>, primary: &Place, link: Link, bytes: Bytes) -> Result<bool, StoreError> {
        let path = link.path();
        match self.place.read(&path).await {
            Ok(found) if found == bytes => self.place.sync(&path)?,
            // Another history, or damage: healing tells which.
            Ok(_) => return Err(StoreError::Differs { path }),
            Err(StoreError::Absent(_)) => {
                let chain = self.state().chain;
                let follows = match link.before {
                    // It was compared, and might have been emptied since.
                    Some(before) if chain == Some(link.base) => self.place.has(&layout::commit(before)).await?,
                    Some(before) => self.shares(primary, before).await?,
                    None => true,
                };
                if !follows {
                    if chain.is_some() {
                        self.rests("it lacks commits that it had or should have");
                    }
                    return Ok(false);
                }
                self.place.keep(&path, bytes).await?;
            }
            Err(error) => return Err(error),
        }
        let mut state = self.state();
        if state.chain == Some(link.base) {
            state.chain = Some(link.size);
        }
        Ok(true)
    }
}

/// Does a place have these bytes there?
async fn has(place: &Place, path: &str, bytes: &[u8]) -> Result<bool, StoreError> {
    match place.read(path).await {
        Ok(found) => Ok(found == bytes),
        Err(StoreError::Absent(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn mark(path: &str) -> u128 {
    let Digest(bytes) = Digest::of(path.as_bytes());
    bytes.iter().take(16).fold(0, |mark, byte| mark << 8 | u128::from(*byte))
}

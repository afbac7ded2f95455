//! The log over a store: append, catch up, publish, prove.
//!
//! # Why
//! Recovery and normal running share code: [`Ledger::advance`] takes a commit in whether this process just
//! made it or found it at start-up. The commit object is the only lock; the loser of a race has signed
//! nothing that could be taken for a fork, because the note in a commit is not a checkpoint.

use crate::ledger::{
    checkpoint::Checkpoint,
    commit::{self, Commit},
    edge::Edge,
    keys::{KeyFile, Signer},
    merkle::{self, Plan, leaf_hash},
    primacy::Primacy,
    proof::Receipt,
    published::{node_in_store, published, state_at},
    tile::{self, Bundle, TILE_WIDTH, Tile},
};
use crate::record::digest::Digest;
use crate::store::{Created, Link, Place, Store, StoreError, layout};
use bytes::Bytes;
use futures::TryStreamExt;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The ledger of one archive, as its writer sees it.
#[derive(Debug)]
pub struct Ledger {
    pub(in crate::ledger) store: Store,
    signer: Arc<Signer>,
    pub(in crate::ledger) keys: KeyFile,
    state: Mutex<State>,
    /// One publication at a time in this process.
    publishing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
pub(in crate::ledger) struct State {
    pub edge: Edge,
    /// Who was the primary at the last commit.
    pub primacy: Primacy,
    /// Where the last commit begins.
    pub last: Option<u64>,
    /// The entries of the bundles that are not full and published yet, from `bundle_start` on.
    pub bundle: Vec<Vec<u8>>,
    pub bundle_start: u64,
    pub published: u64,
}

impl State {
    /// Before the first entry.
    const fn empty() -> State {
        let primacy = Primacy::FIRST;
        State { edge: Edge::EMPTY, primacy, last: None, bundle: Vec::new(), bundle_start: 0, published: 0 }
    }
}

/// What can go wrong with the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{path} is damaged: {fault}; run `vankho verify archive`")]
    Damaged { path: String, fault: String },
    #[error("{0} is not in memory any more; open the archive again")]
    NotHeld(String),
    /// Signing with it would make a ledger that nobody can check.
    #[error("the signing key is not the one that {} names last; bring this archive's own secret/ back", layout::KEYS)]
    WrongKey,
    /// Another process has changed it.
    #[error("the signing key was changed: bring this archive's new secret/ here and open the archive again")]
    KeyRetired,
    #[error("the ledger has no entry {0}")]
    NoSuchEntry(u64),
    #[error("{now} decides the order of entries now, not place {place}; open the archive again")]
    NotPrimary { place: u32, now: Primacy },
    /// Nobody knows whether the commit landed: this process must not write again.
    #[error("whether the commit at size {base} was kept is unknown ({source}); open the archive again")]
    UnknownOutcome { base: u64, source: StoreError },
}

impl LedgerError {
    pub(in crate::ledger) fn bad(path: String, fault: impl std::fmt::Display) -> LedgerError {
        LedgerError::Damaged { path, fault: fault.to_string() }
    }
}

/// A batch that is committed.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The entry at `entries[0]` has this sequence number.
    pub base: u64,
    pub entries: Vec<Vec<u8>>,
    /// How many entries there are with this batch.
    pub size: u64,
    /// The root after it.
    pub root: Digest,
    /// The commit object, checked against the tree: what may be written elsewhere.
    pub bytes: Bytes,
}

/// What became of an append.
#[derive(Debug)]
pub enum Appended {
    Committed(Committed),
    /// Another writer was first: catch up, validate again, try again.
    LostRace,
}

/// How many entries a bundle holds.
pub(in crate::ledger) const WIDTH: u64 = TILE_WIDTH as u64;

/// How often the same bytes are offered before an unknown outcome ends this process's writing.
const CREATE_ATTEMPTS: usize = 3;
/// How often a commit is offered to the replicas before this process ends its writing, and the pause between.
pub(in crate::ledger) const SECURE_ATTEMPTS: usize = 3;
pub(in crate::ledger) const SECURE_PAUSE: Duration = Duration::from_millis(500);

impl Ledger {
    /// Opens the ledger at its published checkpoint; commits past it are taken in by [`Ledger::catch_up`].
    /// Tiles that are missing or damaged are made again from the commits.
    pub async fn open(store: Store, signer: Arc<Signer>, keys: KeyFile) -> Result<Ledger, LedgerError> {
        let in_use = keys.lines().last().filter(|line| line.to.is_none());
        if in_use.is_none_or(|line| line.key != *signer.verifying_key()) {
            return Err(LedgerError::WrongKey);
        }
        let state = match published(&store, &keys).await? {
            Some(checkpoint) => match state_at(&store, &keys, &checkpoint).await {
                Ok(state) => state,
                Err(fault) => {
                    tracing::warn!(size = checkpoint.size, %fault, "tiles cannot be used, replaying every commit");
                    State::empty()
                }
            },
            None => State::empty(),
        };
        if let Some(base) = state.last {
            // Those before it are not needed: it is never written again.
            store.replicas().grows(Link { base, size: state.edge.size(), before: None });
        }
        Ok(Ledger { store, signer, keys, state: Mutex::new(state), publishing: tokio::sync::Mutex::new(()) })
    }

    /// The same archive's ledger as another of its places has it.
    pub async fn at(&self, place: Place) -> Result<Ledger, LedgerError> {
        Ledger::open(Store::at(place), self.signer.clone(), self.keys.clone()).await
    }

    /// Who was the primary at the last commit that is here.
    pub fn primacy(&self) -> Primacy {
        self.state().primacy
    }

    /// Does this process write where the order of entries is decided?
    pub fn expect_primary(&self) -> Result<(), LedgerError> {
        let (place, now) = (self.store.number(), self.primacy());
        if now.replica == place { Ok(()) } else { Err(LedgerError::NotPrimary { place, now }) }
    }

    /// How many entries are committed, as far as this process has caught up.
    pub fn size(&self) -> u64 {
        self.state().edge.size()
    }

    /// What a checkpoint over everything committed would say. Nobody signs it: that may be for an earlier key to do.
    pub fn tip_checkpoint(&self) -> Checkpoint {
        let state = self.state();
        Checkpoint { origin: self.origin().to_owned(), size: state.edge.size(), root: state.edge.root() }
    }

    /// The origin line, which is also the name of the key.
    pub fn origin(&self) -> &str {
        self.signer.origin()
    }

    /// The public keys of the archive.
    pub fn keys(&self) -> &KeyFile {
        &self.keys
    }

    /// Takes in the next commit that is in the store and not here yet, from whichever process.
    pub async fn catch_up(&self) -> Result<Option<Committed>, LedgerError> {
        let base = self.size();
        let bytes = match self.store.read(&layout::commit(base)).await {
            Ok(bytes) => bytes,
            Err(StoreError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let commit =
            Commit::parse(&bytes, base, &self.keys).map_err(|fault| LedgerError::bad(layout::commit(base), fault))?;
        // What was read wrongly must not be written anywhere. Who made it may have died before it was on every disk;
        // a receipt may rest on it from now on.
        let (edge, link) = self.next(&commit)?;
        self.store.secure(link, bytes.clone()).await?;
        self.advance(commit, edge, bytes).map(Some)
    }

    /// Commits entries after the ones that are here. Returns when the commit object is durable in as many places
    /// as are required.
    pub async fn append(&self, entries: Vec<Vec<u8>>) -> Result<Appended, LedgerError> {
        let (mut edge, primacy, before) = self.tip();
        let base = edge.size();
        let next = primacy.after(&entries);
        let next = next.ok_or_else(|| LedgerError::bad(layout::commit(base), "an entry promotes that may not"))?;
        // A promotion is made where the order was decided until now, or, where that is lost, at the new primary.
        if next == primacy {
            self.expect_primary()?;
        }
        if !self.has_room(base, before, primacy).await? {
            return Ok(Appended::LostRace);
        }
        entries.iter().for_each(|entry| edge.append(leaf_hash(entry)));
        let commit = Commit { base, entries, size: edge.size(), root: edge.root(), primacy: next };
        let (path, bytes) = (layout::commit(base), Bytes::from(commit.encode(&self.signer)));
        // If we stop here, nothing is committed: the components are orphans of an intent.
        for attempt in 1..=CREATE_ATTEMPTS {
            match self.store.create(&path, bytes.clone()).await {
                Ok(Created::New) => {
                    self.secure(Link { base, size: commit.size, before }, bytes.clone()).await?;
                    return Ok(Appended::Committed(self.advance(commit, edge, bytes)?));
                }
                Ok(Created::AlreadyThere(_)) => return Ok(Appended::LostRace),
                // The storage says no and shows nothing; the write may yet land, so only these bytes may follow.
                Err(error @ StoreError::Failed { .. }) if attempt < CREATE_ATTEMPTS => {
                    tracing::warn!(base, %error, "commit is tried again");
                }
                Err(error) => return Err(LedgerError::UnknownOutcome { base, source: error }),
            }
        }
        Ok(Appended::LostRace)
    }

    /// Brings a commit that is at the primary to the replicas that are required.
    ///
    /// If we stop here, it is at too few places and nobody was told: opening secures it before anything else.
    async fn secure(&self, link: Link, bytes: Bytes) -> Result<(), LedgerError> {
        let base = link.base;
        for attempt in 1..=SECURE_ATTEMPTS {
            match self.store.replicate(link, bytes.clone()).await {
                Ok(()) => return Ok(()),
                Err(error @ StoreError::TooFew { .. }) if attempt < SECURE_ATTEMPTS => {
                    tracing::warn!(base, %error, "a commit is not at as many places as are required; it is tried again");
                    tokio::time::sleep(SECURE_PAUSE).await;
                }
                Err(source) => return Err(LedgerError::UnknownOutcome { base, source }),
            }
        }
        Ok(())
    }

    /// The tree with a commit that was found, and its place in the chain.
    fn next(&self, commit: &Commit) -> Result<(Edge, Link), LedgerError> {
        let state = self.state();
        let (mut edge, damaged) = (state.edge.clone(), |fault| LedgerError::bad(layout::commit(commit.base), fault));
        commit.entries.iter().for_each(|entry| edge.append(leaf_hash(entry)));
        if (state.edge.size(), edge.size(), edge.root()) != (commit.base, commit.size, commit.root) {
            return Err(damaged("its root does not follow from its entries"));
        }
        if state.primacy.after(&commit.entries) != Some(commit.primacy) {
            return Err(damaged("it was made at a place that was not the primary"));
        }
        if commit::new_keys(&commit.entries).any(|key| self.keys.find(key).is_none()) {
            return Err(LedgerError::KeyRetired);
        }
        Ok((edge, Link { base: commit.base, size: commit.size, before: state.last }))
    }

    /// The one way the tree grows: a commit made here or found in the store.
    fn advance(&self, commit: Commit, edge: Edge, bytes: Bytes) -> Result<Committed, LedgerError> {
        let Commit { base, entries, size, root, primacy } = commit;
        let mut state = self.state();
        if state.edge.size() != base {
            return Err(LedgerError::bad(layout::commit(base), "the tree has grown meanwhile"));
        }
        self.store.replicas().grows(Link { base, size, before: state.last });
        (state.edge, state.primacy, state.last) = (edge, primacy, Some(base));
        state.bundle.extend(entries.iter().cloned());
        Ok(Committed { base, size, root, entries, bytes })
    }

    /// Publishes bundles, tiles, then the checkpoint, which only ever replaces a smaller one.
    /// Returns the size and the signed note, or `None` where nothing is new. Superseded partial tiles go last.
    pub async fn publish(&self) -> Result<Option<(u64, String)>, LedgerError> {
        let _one = self.publishing.lock().await;
        let state = self.state().clone();
        let size = state.edge.size();
        if size <= state.published {
            return Ok(None);
        }
        if !self.published_elsewhere(size).await? {
            // Another process that is further on removes what it supersedes, also while we write it.
            match self.write_out(&state).await {
                Err(_) if self.published_elsewhere(size).await? => {}
                written => written?,
            }
        }
        let note = self.sign(&state.edge);
        let mut state = self.state();
        state.published = size;
        state.edge.forget_full_tiles(size);
        let full = size / WIDTH * WIDTH;
        let done = (full - state.bundle_start) as usize;
        state.bundle.drain(..done);
        state.bundle_start = full;
        Ok(Some((size, note)))
    }

    /// The checkpoint that is published, by whichever process.
    pub async fn published(&self) -> Result<Option<Checkpoint>, LedgerError> {
        published(&self.store, &self.keys).await
    }

    /// Has another process published at least as much?
    async fn published_elsewhere(&self, size: u64) -> Result<bool, LedgerError> {
        let there = self.published().await?;
        Ok(there.is_some_and(|checkpoint| checkpoint.size >= size))
    }

    /// If we stop anywhere here, the old checkpoint stands and its tiles are still there.
    async fn write_out(&self, State { edge, bundle, bundle_start, published, .. }: &State) -> Result<(), LedgerError> {
        let size = edge.size();
        let publication = tile::tiles_for(*published, size);
        for Bundle { n, width } in &publication.bundles {
            let start = (n * WIDTH - bundle_start) as usize;
            let entries = bundle.get(start..start + usize::from(*width)).and_then(tile::encode_bundle);
            let path = Bundle { n: *n, width: *width }.path();
            let bytes = entries.ok_or_else(|| LedgerError::NotHeld(path.clone()))?;
            self.store.keep(&path, bytes.into()).await?;
        }
        for tile in &publication.tiles {
            let hashes = edge.tile(tile.level, tile.n).and_then(|hashes| hashes.get(..usize::from(tile.width)));
            let hashes = hashes.ok_or_else(|| LedgerError::NotHeld(tile.path()))?;
            self.store.keep(&tile.path(), tile::encode_hashes(hashes).into()).await?;
        }
        let checkpoint = Bytes::from(self.sign(edge));
        self.store.keep(&layout::checkpoint(size), checkpoint.clone()).await?;
        let smaller = |there: Option<&[u8]>| {
            let note = there.and_then(|bytes| std::str::from_utf8(bytes).ok());
            let there = note.and_then(|note| self.keys.open_checkpoint(note).ok());
            there.is_none_or(|checkpoint| checkpoint.size < size)
        };
        if !self.store.replace(layout::CHECKPOINT, checkpoint, smaller).await? {
            return Ok(());
        }
        for folder in publication.superseded() {
            let partials: Vec<_> = self.store.list(&folder)?.try_collect().await?;
            for partial in partials {
                self.store.discard(&partial.path).await?;
            }
        }
        Ok(())
    }

    /// The receipt of an entry in the tree that this process has caught up with. It is checked before it is
    /// handed out: where a published tile or bundle is gone or damaged, it is made again from the commits.
    pub async fn prove(&self, index: u64) -> Result<Receipt, LedgerError> {
        let edge = self.state().edge.clone();
        self.prove_under(index, edge.size(), edge.root(), self.sign(&edge)).await
    }

    /// The same under an older checkpoint of this tree, whose note was cosigned since.
    pub async fn prove_under(
        &self,
        index: u64,
        size: u64,
        root: Digest,
        checkpoint_note: String,
    ) -> Result<Receipt, LedgerError> {
        let path = match self.path_of(index, size, root).await {
            Err(LedgerError::Damaged { .. } | LedgerError::Store(StoreError::Absent(_))) => {
                tracing::warn!(entry.seq = index, "tiles are damaged, they are made again from the commits");
                self.mend().await?;
                self.path_of(index, size, root).await?
            }
            answer => answer?,
        };
        Ok(Receipt { entry: self.entry(index).await?, index, path, checkpoint_note })
    }

    async fn path_of(&self, index: u64, size: u64, root: Digest) -> Result<Vec<Digest>, LedgerError> {
        let edge = self.state().edge.clone();
        let plan = merkle::inclusion_plan(index, size).filter(|_| size <= edge.size());
        let plan = plan.ok_or(LedgerError::NoSuchEntry(index))?;
        let (entry, path) = (self.entry(index).await?, self.assemble(&edge, &plan).await?);
        match merkle::verify_inclusion(leaf_hash(&entry), index, size, &path, root) {
            true => Ok(path),
            false => Err(LedgerError::bad(format!("the log at entry {index}"), "its tiles do not give the root")),
        }
    }

    /// Makes every published full tile and bundle again that is not what the commits give.
    ///
    /// If we stop here, some are mended and the rest is found wanting again.
    async fn mend(&self) -> Result<(), LedgerError> {
        let _one = self.publishing.lock().await;
        let published = self.state().published;
        let (mut replay, mut entries, mut n) = (self.replay_from(0).await?, Vec::new(), 0);
        while let Some(commit) = replay.next().await? {
            let mut made = Vec::new();
            for entry in commit.entries {
                entries.push(entry);
                if entries.len() as u64 == WIDTH {
                    let bundle = Bundle { n, width: TILE_WIDTH };
                    made.push((
                        bundle.path(),
                        tile::encode_bundle(&entries).unwrap_or_default(),
                        published / WIDTH > n,
                    ));
                    entries.clear();
                    n += 1;
                }
            }
            for (level, n, hashes) in replay.full_tiles.drain(..) {
                let there = (published >> (8 * u32::from(level))) / WIDTH > n;
                made.push((Tile { level, n, width: TILE_WIDTH }.path(), tile::encode_hashes(&hashes), there));
            }
            for (path, bytes, _) in made.into_iter().filter(|(.., published)| *published) {
                if !self.store.read(&path).await.is_ok_and(|found| found == bytes) {
                    self.store.keep(&path, bytes.into()).await?;
                }
            }
        }
        Ok(())
    }

    /// Does the tree that is here begin with the one of an older checkpoint?
    pub async fn follows(&self, older: &Checkpoint) -> Result<bool, LedgerError> {
        let edge = self.state().edge.clone();
        Ok(self.consistency((older.size, older.root), (edge.size(), edge.root())).await?.is_some())
    }

    /// The proof that a tree of ours, size and root, begins with an older one; `None` where it does not.
    pub async fn consistency(
        &self,
        (old, old_root): (u64, Digest),
        (new, new_root): (u64, Digest),
    ) -> Result<Option<Vec<Digest>>, LedgerError> {
        let edge = self.state().edge.clone();
        let Some(plan) = merkle::consistency_plan(old, new).filter(|_| new <= edge.size()) else { return Ok(None) };
        let path = self.assemble(&edge, &plan).await?;
        Ok(Some(path).filter(|path| merkle::verify_consistency(old, old_root, new, new_root, path)))
    }

    /// Reads a checkpoint note under the keys of this archive.
    pub fn read_checkpoint(&self, note: &str) -> Result<Checkpoint, LedgerError> {
        self.keys.open_checkpoint(note).map_err(|fault| LedgerError::bad(layout::CHECKPOINT.into(), fault))
    }

    async fn assemble(&self, edge: &Edge, plan: &Plan) -> Result<Vec<Digest>, LedgerError> {
        let mut hashes = Vec::with_capacity(plan.nodes().len());
        for node in plan.nodes() {
            hashes.push(match edge.node(*node) {
                Some(hash) => hash,
                None => node_in_store(&self.store, *node).await?,
            });
        }
        Ok(plan.assemble(&hashes))
    }

    /// The tree, who was the primary at the last commit, and where that begins.
    fn tip(&self) -> (Edge, Primacy, Option<u64>) {
        let state = self.state();
        (state.edge.clone(), state.primacy, state.last)
    }

    /// Signs the report of an audit, as of now.
    pub fn sign_audit(&self, report: Digest) -> Option<String> {
        self.signer.sign_audit(self.size(), report)
    }

    pub(in crate::ledger) fn sign(&self, edge: &Edge) -> String {
        self.signer.sign_checkpoint(edge.size(), edge.root())
    }

    pub(in crate::ledger) fn state(&self) -> MutexGuard<'_, State> {
        // The state is replaced whole; a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The log: every commit from the first, the tree that they make, and every file that is published of it.

use crate::ledger::{
    commit::{self, Commit},
    edge::Edge,
    keys::KeyFile,
    merkle::leaf_hash,
    primacy::Primacy,
    tile::{self, Bundle, Resource, TILE_WIDTH, Tile},
};
use crate::record::{
    digest::Digest,
    entry::{Entry, Event, Instant},
    id::RecordId,
    stamp::Stamped,
    unit::{self, Unit},
};
use crate::store::{Store, StoreError, layout};
use crate::verify::{
    archive::{Findings, Kind, Tell, Trusted},
    sequence::{Ends, Sequence},
    signed::Signed,
    timestamps::{self, Bound, verify_timestamps},
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the ledger says of everything else.
#[derive(Debug, Default)]
pub struct Log {
    /// Who was the primary at the last commit.
    pub primacy: Option<Primacy>,
    /// The self-description in force.
    pub documents: BTreeMap<String, Digest>,
    /// Every description of every unit, by its kind and by the shard of its identifier: 49 bytes each, which is what
    /// this audit needs in memory.
    pub named: BTreeMap<(unit::Kind, String), Vec<(Unit, Digest)>>,
    /// Every record that was ordered to end, by its shard.
    pub ended: BTreeMap<String, Ends>,
}

struct Walk<'a> {
    store: &'a Store,
    findings: &'a Findings,
    edge: Edge,
    /// The entries of the bundle that is not full yet.
    bundle: Vec<Vec<u8>>,
    signed: Signed<'a>,
    /// Tiles and bundles of which there is more, or less, than the checkpoint needs; see [`ahead`].
    ahead: HashSet<String>,
    /// Those of them that are full by the commits.
    full_now: HashMap<String, Full>,
    primacy: Primacy,
    newest: Option<Instant>,
    sequence: Sequence,
    requests: HashSet<[u8; 16]>,
    stamps: Vec<Stamped>,
    /// What audits pledged: the entry, the path of its commit, and the state of the ledger.
    pledges: Vec<(u64, String, u64, Digest)>,
    /// Where each commit ends.
    bounds: Vec<Bound>,
    log: Log,
}

/// A tile or a bundle as the commits give it.
enum Full {
    Hashes(Vec<Digest>),
    Entries(Vec<Vec<u8>>),
}

const WIDTH: u64 = TILE_WIDTH as u64;

/// Follows the commits by size, never by listing, then accounts for every file under `log/`.
pub(crate) async fn verify_log(
    store: &Store,
    keys: &KeyFile,
    trusted: &Trusted,
    findings: &Findings,
    tell: &Tell,
) -> Log {
    let listed = match store.everything("log").await {
        Ok(listed) => listed.into_iter().map(|listed| listed.path).collect::<Vec<_>>(),
        Err(error) => {
            findings.store("log", &error);
            Vec::new()
        }
    };
    let signed = Signed::read(store, keys, trusted, findings, &listed).await;
    let ahead = listed.iter().filter_map(|path| ahead(path, signed.published)).collect();
    let mut walk = Walk {
        store,
        findings,
        edge: Edge::default(),
        bundle: Vec::new(),
        signed,
        ahead,
        full_now: HashMap::new(),
        primacy: Primacy::FIRST,
        newest: None,
        sequence: Sequence::default(),
        requests: HashSet::new(),
        stamps: Vec::new(),
        pledges: Vec::new(),
        bounds: Vec::new(),
        log: Log::default(),
    };
    let mut known = HashSet::from([layout::CHECKPOINT.to_owned()]);
    walk.commits(keys, &mut known, tell).await;
    walk.signed.missed(walk.edge.size());
    walk.pledged();
    walk.expected_files(&mut known);
    known.extend(timestamps::files(&walk.stamps));
    verify_timestamps(store, &walk.stamps, &walk.bounds, trusted.authorities.as_ref(), findings).await;
    for path in &listed {
        if known.contains(path) {
            continue;
        }
        walk.other_file(path).await;
    }
    walk.partials().await;
    let listed: HashSet<String> = listed.into_iter().collect();
    for path in known.difference(&listed) {
        // A living archive may have written it after we listed.
        if !store.has(path).await.unwrap_or(false) {
            findings.fault(path, Kind::Missing, "the published log needs it");
        }
    }
    findings.change(|report| report.entries = walk.edge.size());
    walk.log.primacy = Some(walk.primacy);
    walk.log.ended = walk.sequence.ended;
    walk.log
}

/// The folder of partials of a tile or bundle that is there and that the checkpoint does not settle: a partial
/// one, which may have become full since, or a full one that was written before the checkpoint that needs
/// it. Publishing can die in between, so these are held against the commits themselves.
fn ahead(path: &str, published: u64) -> Option<String> {
    match tile::parse_path(path)? {
        Resource::Tile(tile) => {
            let hashes = published.checked_shr(8 * u32::from(tile.level)).unwrap_or(0);
            let settled = tile.is_full() && hashes / WIDTH > tile.n;
            (!settled).then(|| tile.partials_folder())
        }
        Resource::Bundle(bundle) => {
            let settled = bundle.is_full() && published / WIDTH > bundle.n;
            (!settled).then(|| bundle.partials_folder())
        }
    }
}

/// Is this a path that the log gives to a file?
fn has_a_name(path: &str) -> bool {
    let is_number = |text: &str| text.parse::<u64>().is_ok_and(|number| number.to_string() == text);
    let is_commit =
        |path: &str| path.rsplit('/').next().and_then(|n| n.parse().ok()).map(layout::commit).as_deref() == Some(path);
    let of_size = |folder: &str| {
        let size = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        size.is_some_and(is_number)
    };
    let stamped = layout::timestamp_of(path).is_some();
    let signed = stamped || path == layout::CHECKPOINT || of_size(layout::CHECKPOINTS) || of_size(layout::COSIGNATURES);
    signed || is_commit(path) || tile::parse_path(path).is_some()
}

/// What commits past a size say: what a living archive has done since we looked.
#[derive(Debug, Default)]
pub(crate) struct Since {
    /// The units that they are about.
    pub units: HashSet<Unit>,
    /// Stubs and certificates that they name, by their paths.
    pub stubs: HashSet<String>,
    /// Records that they ordered to end.
    pub ended: HashSet<RecordId>,
}

/// Reads the commits past a size.
pub(crate) async fn committed_since(store: &Store, keys: &KeyFile, size: u64) -> Since {
    let (mut base, mut since) = (size, Since::default());
    while let Ok(bytes) = store.read(&layout::commit(base)).await {
        let Ok(commit) = Commit::parse(&bytes, base, keys) else { break };
        for event in commit.entries.iter().filter_map(|entry| Entry::from_bytes(entry).ok()).map(|entry| entry.event) {
            since.units.extend(event.unit());
            since.stubs.extend(event.stub().map(|(record, digest)| layout::stub(record, digest)));
            since.ended.extend(event.ends());
        }
        base = commit.size;
    }
    since
}

impl Walk<'_> {
    async fn commits(&mut self, keys: &KeyFile, known: &mut HashSet<String>, tell: &Tell) {
        loop {
            let (base, path) = (self.edge.size(), layout::commit(self.edge.size()));
            let bytes = match self.store.read(&path).await {
                Ok(bytes) => bytes,
                Err(StoreError::Absent(_)) if base >= self.signed.published && base > 0 => return,
                Err(error) => return self.findings.store(&path, &error),
            };
            known.insert(path.clone());
            let commit = match Commit::parse(&bytes, base, keys) {
                Ok(commit) => commit,
                Err(fault) => return self.findings.fault(&path, Kind::Altered, fault),
            };
            if self.primacy.after(&commit.entries) != Some(commit.primacy) {
                let detail = format!("it was made under {}, and {} was in force", commit.primacy, self.primacy);
                self.findings.fault(&path, Kind::Altered, detail);
            }
            self.primacy = commit.primacy;
            if commit::new_keys(&commit.entries).any(|key| keys.find(key).is_none_or(|line| line.from != commit.size)) {
                let detail = "it changes the signing key, and the file of public keys does not say so";
                self.findings.fault(&path, Kind::Altered, detail);
            }
            for (seq, entry) in (base..).zip(commit.entries) {
                self.entry(seq, entry, &path).await;
            }
            if self.edge.root() != commit.root {
                return self.findings.fault(&path, Kind::Altered, "its root does not follow from its entries");
            }
            let (size, root) = (commit.size, commit.root);
            self.bounds.extend(self.newest.map(|last| Bound { size, root, last, next: None }));
            self.signed.commit_ends(size, root, known).await;
            tell(self.edge.size(), self.signed.published.max(self.edge.size()));
        }
    }

    async fn entry(&mut self, seq: u64, bytes: Vec<u8>, path: &str) {
        self.edge.append(leaf_hash(&bytes));
        self.signed.compare(&self.edge);
        match Entry::from_bytes(&bytes) {
            Ok(entry) => self.fold(seq, entry, path),
            Err(fault) => self.findings.fault(path, Kind::Altered, format!("entry {seq}: {fault}")),
        }
        self.bundle.push(bytes);
        if self.bundle.len() as u64 == WIDTH {
            self.full_tiles().await;
            self.bundle.clear();
        }
    }

    /// What follows from an entry, and whether it may follow.
    fn fold(&mut self, seq: u64, entry: Entry, path: &str) {
        let wrong = |detail: &str| self.findings.fault(path, Kind::Altered, format!("entry {seq}: {detail}"));
        if self.newest.is_some_and(|newest| entry.at < newest) {
            wrong("it is earlier than the entry before it");
        }
        self.newest = Some(entry.at);
        if let Some(bound) = self.bounds.last_mut().filter(|bound| bound.size == seq) {
            bound.next = Some(entry.at);
        }
        self.stamps.extend(Stamped::of(seq, &entry.event));
        let mut short = [0; 16];
        short.copy_from_slice(&entry.request.0[..16]);
        if !self.requests.insert(short) {
            wrong("its request was answered by an earlier entry");
        }
        if let Event::AuditPledged { size, root, .. } = entry.event {
            self.pledges.push((seq, path.to_owned(), size, root));
        }
        let follows = self.sequence.take(seq, &entry.event);
        if !follows {
            wrong("it cannot follow what is before it");
        }
        if let Some((unit, description)) = entry.event.names() {
            self.log.named.entry((unit.kind(), unit.shard())).or_default().push((unit, description));
        }
        if let Event::Founded { documents } | Event::Refreshed { documents } = entry.event {
            self.log.documents = documents;
        }
    }

    /// What audits pledged is a state that the ledger had.
    fn pledged(&self) {
        for (seq, path, size, root) in &self.pledges {
            let bound = self.bounds.binary_search_by_key(size, |bound| bound.size).ok();
            if bound.is_none_or(|n| self.bounds[n].root != *root) {
                let detail = format!("entry {seq}: it pledges an audit of a state that the ledger never had");
                self.findings.fault(path, Kind::Altered, detail);
            }
        }
    }

    /// Compares the tiles and the bundle that have just become full with those that are published.
    async fn full_tiles(&mut self) {
        let n = self.edge.size() / WIDTH - 1;
        let bundle = Bundle { n, width: TILE_WIDTH };
        if self.signed.published >= (n + 1) * WIDTH {
            let bytes = tile::encode_bundle(&self.bundle).unwrap_or_default();
            self.compare(&bundle.path(), &bytes).await;
        }
        if self.ahead.contains(&bundle.partials_folder()) {
            self.full_now.insert(bundle.partials_folder(), Full::Entries(self.bundle.clone()));
        }
        for (level, n, hashes) in self.edge.drain_full_tiles() {
            let tile = Tile { level, n, width: TILE_WIDTH };
            if (self.signed.published >> (8 * u32::from(level))) / WIDTH > n {
                self.compare(&tile.path(), &tile::encode_hashes(&hashes)).await;
            }
            if self.ahead.contains(&tile.partials_folder()) {
                self.full_now.insert(tile.partials_folder(), Full::Hashes(hashes));
            }
        }
    }

    async fn compare(&self, path: &str, expected: &[u8]) {
        match self.store.read(path).await {
            Ok(bytes) if bytes == expected => {}
            Ok(_) => self.findings.fault(path, Kind::Altered, "it is not what the commits give"),
            Err(error) => self.findings.store(path, &error),
        }
    }

    /// Every full tile and bundle of the published size, compared already, and its last partial ones.
    fn expected_files(&self, known: &mut HashSet<String>) {
        let published = self.signed.published;
        if self.edge.size() < published {
            return;
        }
        let publication = tile::tiles_for(0, published);
        known.extend(publication.tiles.iter().filter(|tile| tile.is_full()).map(Tile::path));
        known.extend(publication.bundles.iter().filter(|bundle| bundle.is_full()).map(Bundle::path));
    }

    /// A file under `log/` that has not been accounted for: a partial tile, or one published since.
    async fn other_file(&self, path: &str) {
        let expected = match tile::parse_path(path) {
            Some(Resource::Tile(tile)) => self.hashes(&tile),
            Some(Resource::Bundle(bundle)) => self.entries(&bundle),
            None => None,
        };
        match expected {
            // It was listed and is gone: superseded meanwhile. What the checkpoint stands on, `partials` asks for.
            Some(_) if !self.store.has(path).await.unwrap_or(true) => {}
            Some(expected) => self.compare(path, &expected).await,
            None => self.findings.unnamed_or_leftover(path, has_a_name),
        }
    }

    /// The partial tiles of the published size: what the checkpoint stands on until they are full.
    async fn partials(&self) {
        let tiles = tile::partials(self.signed.published);
        let bundle = |tile: &Tile| (tile.level == 0).then(|| Bundle { n: tile.n, width: tile.width }.path());
        let paths: Vec<String> = tiles.iter().flat_map(|tile| [Some(tile.path()), bundle(tile)]).flatten().collect();
        for path in &paths {
            if let Err(error) = self.store.read(path).await
                && self.signed.is_in_force().await
            {
                self.findings.store(path, &error);
            }
        }
    }

    /// A tile as the commits give it, as wide as it is asked for.
    fn hashes(&self, tile: &Tile) -> Option<Vec<u8>> {
        let held = match self.full_now.get(&tile.partials_folder()) {
            Some(Full::Hashes(hashes)) => Some(hashes.as_slice()),
            _ => self.edge.tile(tile.level, tile.n),
        };
        held?.get(..usize::from(tile.width)).map(tile::encode_hashes)
    }

    /// A bundle as the commits give it, as wide as it is asked for.
    fn entries(&self, bundle: &Bundle) -> Option<Vec<u8>> {
        let held = match self.full_now.get(&bundle.partials_folder()) {
            Some(Full::Entries(entries)) => Some(entries.as_slice()),
            _ if bundle.n == self.edge.size() / WIDTH => Some(self.bundle.as_slice()),
            _ => None,
        };
        held?.get(..usize::from(bundle.width)).and_then(tile::encode_bundle)
    }
}

//! The published log (C2SP tlog-tiles) from its first entry to its newest checkpoint, wherever it is read from: does
//! the signed root follow from the hashes, the hashes from the entries, and from what was known before?
//!
//! # Why
//! *Hashes alone are enough for the root*: who may not read the entries can still tell that nothing that was there
//! has been taken away or changed. What could not be seen is said.
//!
//! *A part of a tile may have become a whole one meanwhile*: the log goes on while it is read.

use crate::ledger::{
    checkpoint::Checkpoint,
    edge::Edge,
    keys::KeyFile,
    merkle::leaf_hash,
    tile::{self, Bundle, TILE_WIDTH, Tile},
};
use crate::record::{
    digest::Digest,
    entry::{Entry, Instant},
};
use crate::store::layout;
use crate::verify::{
    Outcome,
    archive::{Fault, Kind, Tell},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde::Serialize;

/// What is found under a path of the log.
pub enum Part {
    Bytes(Bytes),
    Absent,
    /// It is there, and not for everybody.
    Withheld,
}

/// What following a published log came to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Followed {
    pub origin: String,
    pub size: u64,
    /// The root that is signed, in hexadecimal digits.
    pub root: Option<Digest>,
    /// Entries that were read themselves; of the others the hashes were.
    pub entries_seen: u64,
    /// Earlier states of the log, known from elsewhere, that it goes on from.
    pub known: u64,
    pub faults: Vec<Fault>,
}

impl Followed {
    /// The answer that the exit code gives.
    pub fn outcome(&self) -> Outcome {
        match &self.faults[..] {
            [] => Outcome::Holds,
            faults if faults.iter().all(|fault| fault.kind == Kind::Unreadable) => Outcome::Incomplete,
            _ => Outcome::Tampered,
        }
    }

    fn fault(&mut self, path: &str, kind: Kind, detail: impl ToString) {
        self.faults.push(Fault { path: path.into(), kind, detail: detail.to_string() });
    }
}

/// Tiles that are asked for at once.
const AT_ONCE: usize = 16;

/// Follows a log from its first entry. `known` are states that were signed earlier, from receipts or checkpoints that
/// somebody kept; `read` gives what is under a path (`log/…`), and its error ends the matter.
pub async fn follow<E>(
    keys: &KeyFile,
    known: &[Checkpoint],
    read: impl AsyncFn(&str) -> Result<Part, E>,
    tell: &Tell,
) -> Result<Followed, E> {
    let mut followed = Followed::default();
    let checkpoint = match read(layout::CHECKPOINT).await? {
        Part::Bytes(bytes) => std::str::from_utf8(&bytes).ok().and_then(|note| keys.open_checkpoint(note).ok()),
        _ => {
            followed.fault(layout::CHECKPOINT, Kind::Missing, "nothing is there");
            return Ok(followed);
        }
    };
    let Some(checkpoint) = checkpoint else {
        followed.fault(layout::CHECKPOINT, Kind::Altered, "no signature of the archive holds");
        return Ok(followed);
    };
    (followed.origin, followed.size, followed.root) =
        (checkpoint.origin.clone(), checkpoint.size, Some(checkpoint.root));
    for state in known.iter().filter(|state| state.size > checkpoint.size || state.origin != checkpoint.origin) {
        let detail = format!("{} had {} entries before, this log has {}", state.origin, state.size, checkpoint.size);
        followed.fault(layout::CHECKPOINT, Kind::Altered, detail);
    }
    let mut walk = Walk { edge: Edge::default(), newest: None, known, followed };
    let widths = tile::tiles_for(0, checkpoint.size).tiles.into_iter().filter(|tile| tile.level == 0);
    let read = &read;
    let row = async |tile: Tile| (tile, leaves(read, tile).await);
    let mut rows = std::pin::pin!(stream::iter(widths).map(row).buffered(AT_ONCE));
    while let Some((tile, row)) = rows.next().await {
        let (hashes, bundle) = row?;
        if !walk.row(tile, hashes, bundle) {
            return Ok(walk.followed);
        }
        walk.full_tiles(read).await?;
        tell(walk.edge.size(), checkpoint.size);
    }
    walk.partials(checkpoint.size, read).await?;
    if walk.edge.root() != checkpoint.root {
        let detail = "the signed root does not follow from the hashes: a fork";
        walk.followed.fault(layout::CHECKPOINT, Kind::Altered, detail);
    }
    Ok(walk.followed)
}

/// A tile of leaves and the bundle of its entries.
async fn leaves<E>(read: &impl AsyncFn(&str) -> Result<Part, E>, tile: Tile) -> Result<(Part, Part), E> {
    let bundle = Bundle { n: tile.n, width: tile.width };
    let hashes = part(read, &tile.path(), &Tile { width: TILE_WIDTH, ..tile }.path()).await?;
    Ok((hashes, part(read, &bundle.path(), &Bundle { width: TILE_WIDTH, ..bundle }.path()).await?))
}

/// What is under a path, or under the one that has taken its place.
async fn part<E>(read: &impl AsyncFn(&str) -> Result<Part, E>, path: &str, full: &str) -> Result<Part, E> {
    match read(path).await? {
        Part::Absent if path != full => read(full).await,
        part => Ok(part),
    }
}

/// As many hashes of a tile as are asked for; a fuller one has more.
fn hashes(bytes: &[u8], width: u16) -> Option<Vec<Digest>> {
    tile::decode_hashes(bytes.get(..usize::from(width) * 32)?, width)
}

struct Walk<'a> {
    edge: Edge,
    newest: Option<Instant>,
    known: &'a [Checkpoint],
    followed: Followed,
}

impl Walk<'_> {
    /// Adds up to 256 leaves; false where the log cannot be followed any further.
    fn row(&mut self, tile: Tile, row: Part, bundle: Part) -> bool {
        let row = match row {
            Part::Bytes(bytes) => hashes(&bytes, tile.width),
            _ => {
                self.followed.fault(&tile.path(), Kind::Missing, "nothing is there");
                return false;
            }
        };
        let Some(row) = row else {
            self.followed.fault(&tile.path(), Kind::Altered, "it has not as many hashes as it must");
            return false;
        };
        let path = Bundle { n: tile.n, width: tile.width }.path();
        match bundle {
            Part::Withheld => {}
            Part::Absent => self.followed.fault(&path, Kind::Missing, "nothing is there"),
            Part::Bytes(bytes) => self.entries(&path, &bytes, &row),
        }
        for leaf in row {
            self.edge.append(leaf);
            for state in self.known.iter().filter(|state| state.size == self.edge.size()) {
                match state.root == self.edge.root() {
                    true => self.followed.known += 1,
                    false => {
                        let detail = format!("at {} entries it is not what was signed then: a fork", state.size);
                        self.followed.fault(layout::CHECKPOINT, Kind::Altered, detail);
                    }
                }
            }
        }
        true
    }

    /// Compares entries with their hashes, and looks whether each may follow the one before.
    fn entries(&mut self, path: &str, bytes: &[u8], row: &[Digest]) {
        let Some(entries) = first_entries(bytes, row.len()) else {
            return self.followed.fault(path, Kind::Altered, "it does not hold as many entries as it must");
        };
        for (seq, (entry, leaf)) in (self.edge.size()..).zip(entries.iter().zip(row)) {
            if leaf_hash(entry) != *leaf {
                self.followed.fault(path, Kind::Altered, format!("entry {seq}: its hash is not the one in the tree"));
                continue;
            }
            match Entry::from_bytes(entry) {
                Err(fault) => self.followed.fault(path, Kind::Altered, format!("entry {seq}: {fault}")),
                Ok(read) if self.newest.is_some_and(|newest| read.at < newest) => {
                    let detail = format!("entry {seq}: it is earlier than the entry before it");
                    self.followed.fault(path, Kind::Altered, detail);
                }
                Ok(read) => self.newest = Some(read.at),
            }
            self.followed.entries_seen += 1;
        }
    }

    /// Compares the tiles above the leaves that have just become full with those that are published.
    async fn full_tiles<E>(&mut self, read: &impl AsyncFn(&str) -> Result<Part, E>) -> Result<(), E> {
        for (level, n, row) in self.edge.drain_full_tiles().into_iter().filter(|(level, ..)| *level > 0) {
            let path = Tile { level, n, width: TILE_WIDTH }.path();
            let found = read(&path).await?;
            self.compare(&path, found, &row);
        }
        Ok(())
    }

    /// Compares the last, partial tiles above the leaves.
    async fn partials<E>(&mut self, size: u64, read: &impl AsyncFn(&str) -> Result<Part, E>) -> Result<(), E> {
        for tile in tile::partials(size).into_iter().filter(|tile| tile.level > 0) {
            let found = part(read, &tile.path(), &Tile { width: TILE_WIDTH, ..tile }.path()).await?;
            let row = self.edge.tile(tile.level, tile.n).unwrap_or_default().to_vec();
            self.compare(&tile.path(), found, &row);
        }
        Ok(())
    }

    fn compare(&mut self, path: &str, found: Part, row: &[Digest]) {
        match found {
            Part::Bytes(bytes) if bytes.starts_with(&tile::encode_hashes(row)) => {}
            Part::Bytes(_) => self.followed.fault(path, Kind::Altered, "it does not follow from the hashes below it"),
            _ => self.followed.fault(path, Kind::Missing, "nothing is there"),
        }
    }
}

/// The first entries of a bundle, which may have become a fuller one since.
fn first_entries(bytes: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let (mut rest, mut entries) = (bytes, Vec::with_capacity(count));
    while entries.len() < count {
        let (length, later) = rest.split_first_chunk::<2>()?;
        let (entry, later) = later.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        rest = later;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::keys::Signer;
    use crate::record::{entry::Event, id::ActorId, id::RecordId};
    use std::{collections::HashMap, convert::Infallible};
    use zeroize::Zeroizing;

    struct Log {
        parts: HashMap<String, Vec<u8>>,
        keys: KeyFile,
        /// The checkpoint of every size.
        states: Vec<Checkpoint>,
    }

    /// A log of `size` entries as a server publishes it.
    fn log(size: u64) -> Log {
        let signer = Signer::from_seed("log.example.vn", &Zeroizing::new([7; 32])).unwrap();
        let keys = KeyFile::founding(signer.verifying_key().clone());
        let (mut edge, mut entries, mut states) = (Edge::default(), Vec::new(), Vec::new());
        for n in 0..size {
            let event =
                Event::Accessioned { record: RecordId::new(n, [1; 10]), description: Digest::of(&n.to_be_bytes()) };
            let at = Instant::from_micros(1_763_877_600_000_000 + n as i64);
            let entry = Entry { at, by: ActorId::new(0, [2; 10]), request: Digest::of(b"r"), event, v: 1 };
            let entry = entry.to_bytes().unwrap();
            edge.append(leaf_hash(&entry));
            entries.push(entry);
            let state = signer.sign_checkpoint(n + 1, edge.root());
            states.push(keys.open_checkpoint(&state).unwrap());
        }
        let mut parts = HashMap::new();
        for tile in tile::tiles_for(0, size).tiles {
            let full = edge.full_tiles().find(|(level, n, _)| (*level, *n) == (tile.level, tile.n));
            let row = full.map_or_else(|| edge.tile(tile.level, tile.n).unwrap().to_vec(), |(_, _, row)| row.to_vec());
            parts.insert(tile.path(), tile::encode_hashes(&row));
            if tile.level == 0 {
                let from = tile.n as usize * 256;
                let bundle = tile::encode_bundle(&entries[from..from + usize::from(tile.width)]).unwrap();
                parts.insert(Bundle { n: tile.n, width: tile.width }.path(), bundle);
            }
        }
        parts.insert(layout::CHECKPOINT.into(), signer.sign_checkpoint(size, edge.root()).into_bytes());
        Log { parts, keys, states }
    }

    async fn followed(log: &Log, known: &[Checkpoint], withheld: bool) -> Followed {
        let read = async |path: &str| {
            Ok::<_, Infallible>(match log.parts.get(path) {
                _ if withheld && path.contains("entries") => Part::Withheld,
                Some(bytes) => Part::Bytes(bytes.clone().into()),
                None => Part::Absent,
            })
        };
        follow(&log.keys, known, read, &|_, _| {}).await.unwrap()
    }

    #[tokio::test]
    async fn a_log_is_followed_with_and_without_its_entries() {
        for size in [1, 255, 256, 257, 700] {
            let log = log(size);
            let known =
                [log.states[0].clone(), log.states[size as usize / 2].clone(), log.states[size as usize - 1].clone()];
            for withheld in [false, true] {
                let done = followed(&log, &known, withheld).await;
                assert_eq!(done.faults, [], "{size}");
                assert_eq!((done.size, done.known), (size, 3));
                assert_eq!(done.entries_seen, if withheld { 0 } else { size });
                assert_eq!(done.outcome(), Outcome::Holds);
            }
        }
    }

    #[tokio::test]
    async fn whatever_is_changed_or_taken_away_is_found() {
        let whole = log(300);
        for path in whole.parts.keys() {
            for at in [0, 40] {
                let mut log = log(300);
                let bytes = log.parts.get_mut(path).unwrap();
                let at = at.min(bytes.len() - 1);
                bytes[at] ^= 1;
                assert_eq!(followed(&log, &[], false).await.outcome(), Outcome::Tampered, "{path} at {at}");
            }
            let mut log = log(300);
            log.parts.remove(path);
            assert_eq!(followed(&log, &[], false).await.outcome(), Outcome::Tampered, "{path} is gone");
        }
    }

    #[tokio::test]
    async fn a_log_that_was_rolled_back_or_written_anew_is_found_by_what_was_kept() {
        let (short, long) = (log(100), log(300));
        assert_eq!(followed(&short, &long.states[299..], true).await.outcome(), Outcome::Tampered, "rolled back");
        let mut forked = long.states[99].clone();
        forked.root = Digest::of(b"another history");
        assert_eq!(followed(&long, &[forked], true).await.outcome(), Outcome::Tampered, "written anew");
        // A part of a tile that has become a whole one since the checkpoint was signed.
        let mut grown = log(256);
        let checkpoint = log(255).parts.remove(layout::CHECKPOINT).unwrap();
        grown.parts.insert(layout::CHECKPOINT.into(), checkpoint);
        assert_eq!(followed(&grown, &grown.states[254..255], false).await.outcome(), Outcome::Holds);
    }
}

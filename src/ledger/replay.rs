//! Reading what is committed again: an entry, or commits, each checked against the tree that they make.

use crate::ledger::{
    commit::Commit,
    edge::Edge,
    log::{Committed, Ledger, LedgerError},
    merkle::leaf_hash,
    published::{entry_in_bundle, full_tile},
    tile::{self, Tile},
};
use crate::record::digest::Digest;
use crate::store::{StoreError, layout};
use std::collections::HashMap;

/// Reads commits again from some size on, and checks each against the tree that they make.
#[derive(Debug)]
pub struct Replay<'a> {
    ledger: &'a Ledger,
    pub(in crate::ledger) edge: Edge,
    /// The tiles that the last commit made full: level, number, hashes.
    pub(in crate::ledger) full_tiles: Vec<(u8, u64, Vec<Digest>)>,
}

impl Ledger {
    /// A replay that begins at the end of a commit.
    pub async fn replay_from(&self, size: u64) -> Result<Replay<'_>, LedgerError> {
        let edge = self.state().edge.clone();
        let mut hashes = HashMap::new();
        for Tile { level, n, width } in tile::partials(size) {
            let row = match edge.tile(level, n) {
                Some(row) => row.to_vec(),
                None => full_tile(&self.store, level, n).await?,
            };
            hashes.insert(level, row.get(..usize::from(width)).unwrap_or_default().to_vec());
        }
        let edge = Edge::from_tiles(size, |level| hashes.get(&level).cloned().unwrap_or_default());
        let edge = edge.ok_or(LedgerError::NoSuchEntry(size))?;
        Ok(Replay { ledger: self, edge, full_tiles: Vec::new() })
    }

    /// The root that the tree had when it had so many entries: at the end of a commit.
    pub async fn root_at(&self, size: u64) -> Result<Digest, LedgerError> {
        Ok(self.replay_from(size).await?.edge.root())
    }

    /// The bytes of one committed entry.
    pub async fn entry(&self, seq: u64) -> Result<Vec<u8>, LedgerError> {
        let (held, published, size) = {
            let state = self.state();
            let held = seq.checked_sub(state.bundle_start).and_then(|at| state.bundle.get(at as usize).cloned());
            (held, state.published, state.edge.size())
        };
        match held {
            Some(entry) => Ok(entry),
            None if seq < size => entry_in_bundle(&self.store, seq, published).await,
            None => Err(LedgerError::NoSuchEntry(seq)),
        }
    }

    /// The checkpoint of a state that the tree had at the end of a commit, signed again: with the same key the same bytes.
    pub async fn note_at(&self, size: u64) -> Result<String, LedgerError> {
        Ok(self.sign(&self.replay_from(size).await?.edge))
    }
}

impl Replay<'_> {
    /// The next commit; `None` at the end of what the ledger has caught up with.
    pub async fn next(&mut self) -> Result<Option<Committed>, LedgerError> {
        if self.edge.size() >= self.ledger.size() { Ok(None) } else { self.beyond().await }
    }

    /// The next commit, also one that the ledger has not caught up with; `None` where there is none yet.
    pub async fn beyond(&mut self) -> Result<Option<Committed>, LedgerError> {
        let base = self.edge.size();
        let path = layout::commit(base);
        let bytes = match self.ledger.store.read(&path).await {
            Err(StoreError::Absent(_)) if base >= self.ledger.size() => return Ok(None),
            bytes => bytes?,
        };
        let commit =
            Commit::parse(&bytes, base, &self.ledger.keys).map_err(|fault| LedgerError::bad(path.clone(), fault))?;
        commit.entries.iter().for_each(|entry| self.edge.append(leaf_hash(entry)));
        self.full_tiles = self.edge.drain_full_tiles();
        if self.edge.root() != commit.root {
            return Err(LedgerError::bad(path, "its root does not follow from its entries"));
        }
        Ok(Some(Committed { base, size: commit.size, root: commit.root, entries: commit.entries, bytes }))
    }
}

//! A ledger as somebody follows it who has the public keys alone: commit after commit, with the tiles that they make.
//!
//! # Why
//! *Nothing is signed here.* Whoever carries a ledger somewhere else, into a backup or out of one, writes what was
//! signed when it was written; a secret is not needed for it, and may be lost just then.
//!
//! *Tiles are made from the commits*, and not copied: what the ledger does not name by its digest is worth making anew.

use crate::ledger::{
    commit::{self, Commit},
    edge::Edge,
    keys::KeyFile,
    log::LedgerError,
    merkle::leaf_hash,
    primacy::Primacy,
    published::{published, state_at},
    tile::{self, Bundle, TILE_WIDTH, Tile},
};
use crate::record::digest::Digest;
use crate::store::{Store, layout};
use bytes::Bytes;

/// An object of the published log: its path and its bytes.
pub type Part = (String, Bytes);

/// The tree up to some commit.
#[derive(Clone, Debug)]
pub struct Follower {
    keys: KeyFile,
    edge: Edge,
    primacy: Primacy,
    /// Where the last commit begins.
    last: Option<u64>,
    /// The entries of the bundle that is not full yet.
    bundle: Vec<Vec<u8>>,
}

/// A commit that may follow, and the tree with it.
#[derive(Debug)]
pub struct Following {
    pub commit: Commit,
    edge: Edge,
}

impl Follower {
    /// Before the first entry.
    pub fn new(keys: KeyFile) -> Follower {
        Follower { keys, edge: Edge::EMPTY, primacy: Primacy::FIRST, last: None, bundle: Vec::new() }
    }

    /// At what is published at a place, where that is no more than so many entries; else before the first entry.
    pub async fn at(store: &Store, keys: KeyFile, entries: u64) -> Follower {
        let there = match published(store, &keys).await {
            Ok(Some(checkpoint)) if checkpoint.size <= entries => state_at(store, &keys, &checkpoint).await.ok(),
            _ => None,
        };
        match there {
            Some(state) => {
                let (edge, primacy, last, bundle) = (state.edge, state.primacy, state.last, state.bundle);
                Follower { keys, edge, primacy, last, bundle }
            }
            None => Follower::new(keys),
        }
    }

    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    pub fn root(&self) -> Digest {
        self.edge.root()
    }

    /// Who was the primary at the last commit.
    pub fn primacy(&self) -> Primacy {
        self.primacy
    }

    /// Where the last commit begins.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    pub fn keys(&self) -> &KeyFile {
        &self.keys
    }

    /// Reads bytes as the commit that comes next, and holds them against the tree.
    pub fn next(&self, bytes: &[u8]) -> Result<Following, LedgerError> {
        let base = self.size();
        let wrong = |fault: &dyn std::fmt::Display| LedgerError::bad(layout::commit(base), fault);
        let commit = Commit::parse(bytes, base, &self.keys).map_err(|fault| wrong(&fault))?;
        let mut edge = self.edge.clone();
        commit.entries.iter().for_each(|entry| edge.append(leaf_hash(entry)));
        if edge.root() != commit.root {
            return Err(wrong(&"its root does not follow from its entries"));
        }
        if self.primacy.after(&commit.entries) != Some(commit.primacy) {
            return Err(wrong(&"it was made at a place that was not the primary"));
        }
        if commit::new_keys(&commit.entries).any(|key| self.keys.find(key).is_none()) {
            return Err(LedgerError::KeyRetired);
        }
        Ok(Following { commit, edge })
    }

    /// Takes it in; gives the tiles and bundles that it makes full.
    pub fn take(&mut self, Following { commit, edge }: Following) -> Vec<Part> {
        let mut full = Vec::new();
        let mut n = commit.base / u64::from(TILE_WIDTH);
        for entry in commit.entries {
            self.bundle.push(entry);
            if self.bundle.len() == usize::from(TILE_WIDTH) {
                let bundle = Bundle { n, width: TILE_WIDTH };
                full.push((bundle.path(), tile::encode_bundle(&self.bundle).unwrap_or_default().into()));
                self.bundle.clear();
                n += 1;
            }
        }
        (self.edge, self.primacy, self.last) = (edge, commit.primacy, Some(commit.base));
        let tiles = self.edge.drain_full_tiles().into_iter();
        full.extend(tiles.map(|(level, n, hashes)| {
            (Tile { level, n, width: TILE_WIDTH }.path(), tile::encode_hashes(&hashes).into())
        }));
        full
    }

    /// The partial tiles, and the bundle, that a checkpoint of this size stands on.
    pub fn partials(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for tile in tile::partials(self.size()) {
            let hashes = self.edge.tile(tile.level, tile.n).unwrap_or_default();
            if tile.level == 0 {
                let bundle = Bundle { n: tile.n, width: tile.width };
                parts.push((bundle.path(), tile::encode_bundle(&self.bundle).unwrap_or_default().into()));
            }
            parts.push((tile.path(), tile::encode_hashes(hashes).into()));
        }
        parts
    }
}

/// The folder of the partial tiles or bundles that a full one takes the place of.
pub fn superseded_by(path: &str) -> Option<String> {
    match tile::parse_path(path)? {
        tile::Resource::Tile(tile) => tile.is_full().then(|| tile.partials_folder()),
        tile::Resource::Bundle(bundle) => bundle.is_full().then(|| bundle.partials_folder()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        keys::Signer,
        log::{Appended, Ledger},
    };
    use std::{collections::BTreeMap, sync::Arc};
    use zeroize::Zeroizing;

    /// What a follower makes is what the ledger publishes, from whatever size on.
    #[tokio::test]
    async fn the_tiles_are_those_of_the_ledger() {
        let signer = Arc::new(Signer::from_seed("example.vn/kho", &Zeroizing::new([1; 32])).unwrap());
        let keys = KeyFile::founding(signer.verifying_key().clone());
        let store = Store::memory();
        let ledger = Ledger::open(store.clone(), signer.clone(), keys.clone()).await.unwrap();
        let (mut follower, mut made) = (Follower::new(keys.clone()), BTreeMap::new());
        for (round, count) in [3_u64, 250, 10, 300, 1, 212].into_iter().enumerate() {
            let entries = (0..count).map(|n| format!("{{\"n\":\"{round}-{n}\"}}").into_bytes()).collect();
            let Appended::Committed(committed) = ledger.append(entries).await.unwrap() else { panic!("a lost race") };
            ledger.publish().await.unwrap();
            let following = follower.next(&committed.bytes).unwrap();
            assert!(follower.next(&committed.bytes[1..]).is_err());
            made.extend(follower.take(following));
            assert_eq!((follower.size(), follower.root()), (committed.size, committed.root));
            for (path, bytes) in
                made.iter().map(|(path, bytes)| (path.clone(), bytes.clone())).chain(follower.partials())
            {
                assert_eq!(store.read(&path).await.unwrap(), bytes, "{path}");
            }
            let again = Follower::at(&store, keys.clone(), committed.size).await;
            assert_eq!(
                (again.size(), again.root(), again.partials()),
                (follower.size(), follower.root(), follower.partials())
            );
            assert_eq!(Follower::at(&store, keys.clone(), committed.size - 1).await.size(), 0);
        }
        assert_eq!(superseded_by("log/tile/0/001").as_deref(), Some("log/tile/0/001.p"));
        assert_eq!(superseded_by("log/tile/0/001.p/3"), None);
    }
}

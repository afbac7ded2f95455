//! What a place has of the log: its checkpoint, tiles and bundles, read and checked.

use crate::ledger::{
    checkpoint::Checkpoint,
    commit::Commit,
    edge::Edge,
    keys::KeyFile,
    log::{LedgerError, State, WIDTH},
    merkle::{Node, leaf_hash},
    primacy::Primacy,
    tile::{self, Bundle, TILE_WIDTH, Tile},
};
use crate::record::digest::Digest;
use crate::store::{Place, Store, StoreError, layout};
use std::collections::HashMap;

/// The published checkpoint, if there is one.
pub async fn published(store: &Store, keys: &KeyFile) -> Result<Option<Checkpoint>, LedgerError> {
    let bytes = match store.read(layout::CHECKPOINT).await {
        Ok(bytes) => bytes,
        Err(StoreError::Absent(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bad = |fault: String| LedgerError::bad(layout::CHECKPOINT.into(), fault);
    let note = std::str::from_utf8(&bytes).map_err(|_| bad("it is not UTF-8".into()))?;
    keys.open_checkpoint(note).map(Some).map_err(|fault| bad(fault.to_string()))
}

/// The right edge and the last bundle, as published under a checkpoint.
pub(in crate::ledger) async fn state_at(
    store: &Store,
    keys: &KeyFile,
    checkpoint: &Checkpoint,
) -> Result<State, LedgerError> {
    let size = checkpoint.size;
    let (last, primacy) = primacy_at(store.primary(), keys, size).await?;
    let mut hashes = HashMap::new();
    for tile in tile::partials(size) {
        hashes
            .insert(tile.level, tile::decode_hashes(&store.read(&tile.path()).await?, tile.width).unwrap_or_default());
    }
    let edge = Edge::from_tiles(size, |level| hashes.get(&level).cloned().unwrap_or_default());
    let edge = edge.filter(|edge| edge.root() == checkpoint.root);
    let edge = edge.ok_or_else(|| LedgerError::bad(layout::CHECKPOINT.into(), "the tiles do not give its root"))?;
    let bundle_start = size / WIDTH * WIDTH;
    let bundle = match size - bundle_start {
        0 => Vec::new(),
        _ => bundle(store, bundle_start / WIDTH, size).await?,
    };
    // It is published again, with what comes after it.
    let leaves: Vec<Digest> = bundle.iter().map(|entry| leaf_hash(entry)).collect();
    if hashes.get(&0).map_or(0, Vec::len) != leaves.len() || hashes.get(&0).is_some_and(|hashes| *hashes != leaves) {
        return Err(LedgerError::bad(layout::CHECKPOINT.into(), "the last entries are not those of its tiles"));
    }
    Ok(State { edge, primacy, last: Some(last), bundle, bundle_start, published: size })
}

/// Where the commit begins that ends at a size, and who was the primary.
async fn primacy_at(place: &Place, keys: &KeyFile, size: u64) -> Result<(u64, Primacy), LedgerError> {
    let base = place.commit_before(size).await?;
    let path = layout::commit(base.ok_or_else(|| LedgerError::bad(layout::COMMITS.into(), "there is none"))?);
    let base = base.unwrap_or_default();
    let commit = Commit::parse(&place.read(&path).await?, base, keys);
    let commit = commit.map_err(|fault| LedgerError::bad(path.clone(), fault))?;
    if commit.size != size {
        return Err(LedgerError::bad(path, format!("no commit ends at {size}")));
    }
    Ok((base, commit.primacy))
}

/// The entries of a bundle in a published tree of `size` entries.
pub async fn bundle(store: &Store, n: u64, size: u64) -> Result<Vec<Vec<u8>>, LedgerError> {
    let bundle = Bundle { n, width: (size - n * WIDTH).min(WIDTH) as u16 };
    let entries = tile::decode_bundle(&store.read(&bundle.path()).await?, bundle.width);
    entries.ok_or_else(|| LedgerError::bad(bundle.path(), "it is no bundle of that many entries"))
}

pub(in crate::ledger) async fn entry_in_bundle(
    store: &Store,
    seq: u64,
    published: u64,
) -> Result<Vec<u8>, LedgerError> {
    let entries = bundle(store, seq / WIDTH, published).await?;
    entries.into_iter().nth((seq % WIDTH) as usize).ok_or(LedgerError::NoSuchEntry(seq))
}

/// How far the commits of a place go, and who was the primary at the last one. What is published of the log only
/// tells where to begin.
pub async fn tip(store: &Store, keys: &KeyFile) -> Result<(u64, Primacy), LedgerError> {
    let published = published(store, keys).await.ok().flatten().map_or(0, |checkpoint| checkpoint.size);
    let (mut size, mut primacy) = match published {
        0 => (0, Primacy::FIRST),
        size => {
            primacy_at(store.primary(), keys, size).await.map_or((0, Primacy::FIRST), |(_, primacy)| (size, primacy))
        }
    };
    loop {
        let path = layout::commit(size);
        let bytes = match store.read(&path).await {
            Ok(bytes) => bytes,
            Err(StoreError::Absent(_)) => return Ok((size, primacy)),
            Err(error) => return Err(error.into()),
        };
        let commit = Commit::parse(&bytes, size, keys).map_err(|fault| LedgerError::bad(path, fault))?;
        (size, primacy) = (commit.size, commit.primacy);
    }
}

/// A full tile that is published.
pub(in crate::ledger) async fn full_tile(store: &Store, level: u8, n: u64) -> Result<Vec<Digest>, LedgerError> {
    let tile = Tile { level, n, width: TILE_WIDTH };
    let hashes = tile::decode_hashes(&store.read(&tile.path()).await?, tile.width);
    hashes.ok_or_else(|| LedgerError::bad(tile.path(), "it is no full tile"))
}

/// A node below a full tile that is published and no longer held.
pub(in crate::ledger) async fn node_in_store(store: &Store, node: Node) -> Result<Digest, LedgerError> {
    let place = tile::tile_of(node);
    let hash = tile::node_in_tile(node, &full_tile(store, place.level, place.n).await?);
    hash.ok_or(LedgerError::NoSuchEntry(node.index))
}

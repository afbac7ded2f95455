//! Tree, tiles and edge against `ct-merkle` and `tlog_tiles`.

use crate::place::Tree;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tlog_tiles::{HashReader, TileHashReader, TileReader};
use vankho::ledger::edge::Edge;
use vankho::ledger::{merkle, tile};
use vankho::record::digest::Digest;

fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|i| format!("entry {i}").into_bytes()).collect()
}

fn joined(path: &[Digest]) -> Vec<u8> {
    tile::encode_hashes(path)
}

// A function and not a closure: rustc 1.95 lets a closure that changes an argument of more than two words
// change the caller's value (rust-lang/rust#155241).
fn flipped(mut digest: Digest, bit: usize) -> Digest {
    digest.0[bit / 8] ^= 1 << (bit % 8);
    digest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_are_those_of_ct_merkle(size in 1u64..600, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let entries = entries(size);
        let mut theirs = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        entries.iter().for_each(|entry| theirs.push(entry.clone()));
        let ours = Tree::of(&entries);
        let root = ours.root(size);
        prop_assert_eq!(root.0.to_vec(), theirs.root().as_bytes().to_vec());
        prop_assert_eq!(ours.edge().root(), root);

        let index = a.index(size as usize);
        let path = ours.assemble(&merkle::inclusion_plan(index as u64, size).unwrap());
        prop_assert_eq!(joined(&path), theirs.prove_inclusion(index).as_bytes().to_vec());
        prop_assert!(merkle::verify_inclusion(ours.leaves[index], index as u64, size, &path, root));

        let old = 1 + b.index(size as usize) as u64;
        let path = ours.assemble(&merkle::consistency_plan(old, size).unwrap());
        if old < size {
            prop_assert_eq!(joined(&path), theirs.prove_consistency((size - old) as usize).as_bytes().to_vec());
        }
        prop_assert!(merkle::verify_consistency(old, ours.root(old), size, root, &path));
    }

    /// A proof in which anything was changed proves nothing, and checking it never panics.
    #[test]
    fn changed_proofs_are_refused(
        size in 2u64..300, at in any::<prop::sample::Index>(), which in any::<prop::sample::Index>(),
        bit in 0usize..256, other in any::<u64>(), noise in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let tree = Tree::of(&entries(size));
        let (index, root) = (at.index(size as usize) as u64, tree.root(size));
        let leaf = tree.leaves[index as usize];
        let path = tree.assemble(&merkle::inclusion_plan(index, size).unwrap());
        let mut wrong = path.clone();
        let place = which.index(path.len());
        wrong[place] = flipped(path[place], bit);
        prop_assert!(!merkle::verify_inclusion(leaf, index, size, &wrong, root));
        prop_assert!(!merkle::verify_inclusion(flipped(leaf, bit), index, size, &path, root));
        prop_assert!(!merkle::verify_inclusion(leaf, index, size, &path, flipped(root, bit)));
        prop_assert!(other == index || !merkle::verify_inclusion(leaf, other, size, &path, root));
        let noise: Vec<Digest> = noise.into_iter().map(Digest).collect();
        prop_assert!(!merkle::verify_inclusion(leaf, other, other.wrapping_add(1), &noise, root));

        let old = 1 + index.min(size - 2);
        let path = tree.assemble(&merkle::consistency_plan(old, size).unwrap());
        let old_root = tree.root(old);
        let mut wrong = path.clone();
        let place = which.index(path.len());
        wrong[place] = flipped(path[place], bit);
        prop_assert!(!merkle::verify_consistency(old, old_root, size, root, &wrong));
        prop_assert!(!merkle::verify_consistency(old, flipped(old_root, bit), size, root, &path));
        prop_assert!(!merkle::verify_consistency(old, old_root, size, flipped(root, bit), &path));
        prop_assert!(!merkle::verify_consistency(old, old_root, other, root, &noise));
    }

    #[test]
    fn paths_are_those_of_tlog_tiles(level in 0u8..64, n in any::<u64>(), shift in 0u32..64, width in 1u16..=256) {
        let n = n >> shift;
        let theirs = tlog_tiles::Tile::new(8, level, n, width.into(), false).path();
        let ours = tile::Tile { level, n, width };
        prop_assert_eq!(ours.path(), theirs.replacen("tile/8/", "log/tile/", 1));
        prop_assert_eq!(tile::parse_path(&ours.path()), Some(tile::Resource::Tile(ours)));
        let theirs = tlog_tiles::Tile::new(8, level, n, width.into(), true).path();
        let ours = tile::Bundle { n, width };
        prop_assert_eq!(ours.path(), theirs.replacen("tile/8/data", "log/tile/entries", 1));
        prop_assert_eq!(tile::parse_path(&ours.path()), Some(tile::Resource::Bundle(ours)));
    }

    #[test]
    fn publications_are_those_of_tlog_tiles(old in 0u64..200_000, more in 0u64..140_000) {
        let theirs = tlog_tiles::Tile::new_tiles(8, old, old + more);
        let theirs: Vec<_> = theirs.iter().map(|t| (t.level(), t.level_index(), t.width())).collect();
        let ours = tile::tiles_for(old, old + more);
        let ours: Vec<_> = ours.tiles.iter().map(|t| (t.level, t.n, u32::from(t.width))).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn any_path_is_read_or_refused(path in "log/tile/[0-9a-z]{0,8}/[x0-9/]{0,12}(\\.p/[0-9]{0,4})?") {
        match tile::parse_path(&path) {
            Some(tile::Resource::Tile(read)) => prop_assert_eq!(read.path(), path),
            Some(tile::Resource::Bundle(read)) => prop_assert_eq!(read.path(), path),
            None => {}
        }
    }

    #[test]
    fn any_bundle_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600), width in 0u16..=256) {
        if let Some(entries) = tile::decode_bundle(&bytes, width) {
            prop_assert_eq!(tile::encode_bundle(&entries).unwrap(), bytes);
        }
    }
}

/// What a publisher has written: tiles by level and number, the widest of each.
#[derive(Default)]
struct Place(BTreeMap<(u8, u64), Vec<Digest>>);

impl TileReader for Place {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |t: &tlog_tiles::Tile| {
            let hashes = self.0.get(&(t.level(), t.level_index())).ok_or(tlog_tiles::Error::InvalidTile)?;
            Ok(tile::encode_hashes(&hashes[..t.width() as usize]))
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

/// A log that grows in uneven steps, is dropped and loaded again, and is read by another's reader.
#[test]
fn a_log_published_in_steps_is_read_by_tlog_tiles() {
    let steps = [1, 2, 7, 255, 256, 257, 300, 511, 512, 1000, 5_000, 65_535, 65_536, 65_537, 70_000];
    let tree = Tree::of(&entries(70_000));
    let (mut place, mut edge, mut published) = (Place::default(), Edge::default(), 0u64);
    for size in steps {
        tree.leaves[published as usize..size as usize].iter().for_each(|leaf| edge.append(*leaf));
        for t in tile::tiles_for(published, size).tiles {
            let hashes = edge.tile(t.level, t.n).unwrap().to_vec();
            assert_eq!(hashes.len(), usize::from(t.width));
            if let Some(before) = place.0.insert((t.level, t.n), hashes.clone()) {
                assert!(hashes.starts_with(&before));
            }
        }
        published = size;
        edge.drain_full_tiles();
        let partial = |level: u8| {
            let t = tile::partials(size).into_iter().find(|t| t.level == level).unwrap();
            place.0[&(t.level, t.n)][..usize::from(t.width)].to_vec()
        };
        edge = Edge::from_tiles(size, partial).unwrap();
        let root = edge.root();
        assert_eq!(root, tree.root(size));

        let reader = TileHashReader::new(size, tlog_tiles::Hash(root.0), &place);
        for index in [0, size / 3, size / 2, size - 1] {
            let theirs = tlog_tiles::prove_record(size, index, &reader).unwrap();
            let ours = tree.assemble(&merkle::inclusion_plan(index, size).unwrap());
            assert!(theirs.iter().map(|hash| hash.0).eq(ours.iter().map(|hash| hash.0)), "{index} of {size}");
            // A node is found in the tile that holds it.
            let plan = merkle::inclusion_plan(index, size).unwrap();
            for node in plan.nodes() {
                let at = tile::tile_of(*node);
                let found = tile::node_in_tile(*node, &place.0[&(at.level, at.n)]);
                assert_eq!(found, Some(tree.node(node)));
            }
        }
        for old in [1, size.div_ceil(3), size - size / 4] {
            let theirs = tlog_tiles::prove_tree(size, old, &reader).unwrap();
            let ours = tree.assemble(&merkle::consistency_plan(old, size).unwrap());
            assert!(theirs.iter().map(|hash| hash.0).eq(ours.iter().map(|hash| hash.0)), "{old} of {size}");
        }
        let leaf = reader.read_hashes(&[tlog_tiles::stored_hash_index(0, size - 1)]).unwrap();
        assert_eq!(leaf[0].0, tree.leaves[size as usize - 1].0);
    }
}

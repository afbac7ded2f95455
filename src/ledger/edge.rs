//! The right edge of the tree: all that is needed to append, and nothing of what lies further left.

use crate::ledger::{
    merkle::{self, Node},
    tile::{self, TILE_WIDTH, Tile},
};
use crate::record::digest::Digest;
use std::sync::Arc;

/// The last tile of every level, in memory, and the full tiles that no publisher has taken yet.
///
/// A clone copies at most 8 KiB a level: a batch is tried on a clone and dropped if its commit loses.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    size: u64,
    /// The hashes of each level's partial tile; fewer than 256 each.
    partial: Vec<Vec<Digest>>,
    full: Vec<(u8, u64, Arc<Vec<Digest>>)>,
}

impl Edge {
    /// Before the first leaf.
    pub const EMPTY: Edge = Edge { size: 0, partial: Vec::new(), full: Vec::new() };

    /// The edge of a published tree, from its partial tiles ([`tile::partials`] says which). `None` where a
    /// tile has not the width that the size demands. Whether the hashes are the right ones only
    /// [`Edge::root`] tells, against a signed checkpoint.
    pub fn from_tiles(size: u64, tile_at: impl Fn(u8) -> Vec<Digest>) -> Option<Edge> {
        let mut partial = Vec::new();
        for Tile { level, width, .. } in tile::partials(size) {
            let hashes = tile_at(level);
            if hashes.len() != usize::from(width) {
                return None;
            }
            partial.resize(usize::from(level), Vec::new());
            partial.push(hashes);
        }
        Some(Edge { size, partial, full: Vec::new() })
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf, given as its [`merkle::leaf_hash`].
    pub fn append(&mut self, leaf: Digest) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0.. {
            if self.partial.len() == level {
                self.partial.push(Vec::new());
            }
            let row = &mut self.partial[level];
            row.push(hash);
            if row.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let tile = std::mem::take(row);
            let Some(root) = merkle::perfect_root(&tile) else { return };
            // Now that the tile is full, its number is the count of full tiles at this level, less one.
            let n = (self.size >> (8 * (level + 1))) - 1;
            self.full.push((level as u8, n, Arc::new(tile)));
            hash = root;
        }
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        // Every subtree that ends at the right edge is made of hashes in partial tiles.
        let plan = merkle::root_plan(self.size);
        let hashes: Vec<Digest> = plan.nodes().iter().filter_map(|n| self.node(*n)).collect();
        plan.assemble(&hashes).first().copied().unwrap_or(merkle::EMPTY_ROOT)
    }

    /// The hash of a perfect subtree, if what is held here tells it.
    pub fn node(&self, node: Node) -> Option<Digest> {
        let place = tile::tile_of(node);
        tile::node_in_tile(node, self.tile(place.level, place.n)?)
    }

    /// The hashes of a tile, as far as they are known: the partial one, or a full one not yet drained.
    pub fn tile(&self, level: u8, n: u64) -> Option<&[Digest]> {
        let last = self.size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
        if n == last {
            return self.partial.get(usize::from(level)).map(Vec::as_slice);
        }
        let held = self.full.iter().find(|(l, m, _)| (*l, *m) == (level, n))?;
        Some(&held.2)
    }

    /// The full tiles completed since they were last drained: level, number, 256 hashes.
    pub fn full_tiles(&self) -> impl Iterator<Item = (u8, u64, &[Digest])> {
        self.full.iter().map(|(level, n, hashes)| (*level, *n, hashes.as_slice()))
    }

    /// Lets go of the full tiles that lie wholly in a tree of `size` leaves, which is published.
    pub fn forget_full_tiles(&mut self, size: u64) {
        self.full.retain(|(level, n, _)| (size >> (8 * u32::from(*level))) / u64::from(TILE_WIDTH) <= *n);
    }

    /// Takes those full tiles out: they are written, and can be read from the place.
    pub fn drain_full_tiles(&mut self) -> Vec<(u8, u64, Vec<Digest>)> {
        let taken = std::mem::take(&mut self.full);
        taken.into_iter().map(|(level, n, hashes)| (level, n, Arc::unwrap_or_clone(hashes))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Grows a tree past two tile levels and rebuilds its edge from tiles at many sizes.
    #[test]
    fn an_edge_grows_and_is_loaded_again() {
        let mut edge = Edge::default();
        assert_eq!((edge.size(), edge.root()), (0, merkle::EMPTY_ROOT));
        let mut written = BTreeMap::new();
        for i in 0..70_000u64 {
            edge.append(merkle::leaf_hash(&i.to_be_bytes()));
            if i % 1009 == 0 || edge.size().is_multiple_of(256) || i > 69_990 {
                let again = Edge::from_tiles(edge.size(), |level| edge.partial[usize::from(level)].clone()).unwrap();
                assert_eq!((again.size(), again.root()), (edge.size(), edge.root()));
                for (level, n, hashes) in edge.drain_full_tiles() {
                    assert_eq!(hashes.len(), 256);
                    assert_eq!(written.insert((level, n), hashes), None);
                }
            }
        }
        assert_eq!(edge.full_tiles().count(), 0);
        let full = tile::tiles_for(0, 70_000).tiles.into_iter().filter(Tile::is_full);
        assert!(full.map(|t| (t.level, t.n)).eq(written.keys().copied()));
        // The root of the whole as the tree's definition has it, from the leaves alone.
        let leaves: Vec<Digest> = (0..70_000u64).map(|i| merkle::leaf_hash(&i.to_be_bytes())).collect();
        let plan = merkle::root_plan(70_000);
        let node = |n: &Node| {
            let from = (n.index << n.level) as usize;
            merkle::perfect_root(&leaves[from..from + (1 << n.level)]).unwrap()
        };
        assert_eq!(plan.assemble(&plan.nodes().iter().map(node).collect::<Vec<_>>()), [edge.root()]);
    }

    #[test]
    fn held_tiles_answer_until_drained() {
        let mut edge = Edge::default();
        (0..300u16).for_each(|i| edge.append(merkle::leaf_hash(&i.to_be_bytes())));
        let node = Node { level: 7, index: 0 };
        let before = edge.node(node);
        assert!(before.is_some() && edge.full_tiles().count() == 1);
        let trial = edge.clone();
        assert_eq!(edge.drain_full_tiles().len(), 1);
        assert_eq!((edge.node(node), trial.node(node)), (None, before));
        assert!(edge.node(Node { level: 8, index: 0 }).is_some());
        assert_eq!((edge.node(Node { level: 8, index: 1 }), edge.node(Node { level: 63, index: 1 })), (None, None));
        assert_eq!(edge.node(Node { level: 0, index: 300 }), None);
        assert!(Edge::from_tiles(300, |_| vec![]).is_none());
        let size_256 = Edge::from_tiles(256, |level| vec![edge.partial[usize::from(level)][0]]).unwrap();
        assert_eq!(size_256.partial[0], []);
    }
}

//! The Merkle tree of RFC 6962 over SHA-256: hashes, which nodes a proof is made of, and checking proofs.

use crate::record::digest::{Digest, Hasher};

/// The root of a tree without leaves: SHA-256 of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Digest = Digest([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// The hash of one entry: SHA-256 of 0x00 and its bytes.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(&[0x00]);
    hasher.update(entry);
    hasher.finish()
}

/// The hash over two subtrees: SHA-256 of 0x01, left and right.
pub fn node_hash(left: Digest, right: Digest) -> Digest {
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Digest::of(&bytes)
}

/// The root of a perfect subtree from its hashes, whose number is a power of two; `None` otherwise.
pub fn perfect_root(hashes: &[Digest]) -> Option<Digest> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs.iter().map(|[left, right]| node_hash(*left, *right)).collect();
    }
    row.first().copied()
}

/// A perfect subtree: `2^level` leaves, beginning with leaf `index * 2^level`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Node {
    pub level: u8,
    pub index: u64,
}

/// Which perfect subtrees a proof is made of, so that a caller that reads from afar can fetch them all
/// and then [`Plan::assemble`] the proof.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    nodes: Vec<Node>,
    /// How many of `nodes`, in order, make each hash of the proof.
    parts: Vec<usize>,
}

impl Plan {
    /// The nodes to fetch, in the order in which [`Plan::assemble`] wants their hashes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The proof, from the hashes of [`Plan::nodes`] in their order.
    ///
    /// # Panics
    /// Where there are not as many hashes as nodes: a mistake of the caller.
    pub fn assemble(&self, hashes: &[Digest]) -> Vec<Digest> {
        assert_eq!(hashes.len(), self.nodes.len(), "one hash for each node of the plan");
        let mut rest = hashes;
        let part = |count: &usize| {
            let (mine, later) = rest.split_at(*count);
            rest = later;
            mine.iter().rev().copied().reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_ROOT)
        };
        self.parts.iter().map(part).collect()
    }

    /// Adds the hash over leaves `from..to`. `from` is always a multiple of the largest power of two that
    /// fits, as it is for every subtree of RFC 6962.
    fn push(&mut self, mut from: u64, to: u64) {
        let before = self.nodes.len();
        while from < to {
            let level = (to - from).ilog2();
            self.nodes.push(Node { level: level as u8, index: from >> level });
            from += 1 << level;
        }
        self.parts.push(self.nodes.len() - before);
    }
}

/// The largest power of two smaller than `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The inclusion proof of leaf `index` in a tree of `size` leaves (RFC 6962, section 2.1.1), the leaf's
/// sibling first. `None` where the tree has no such leaf.
pub fn inclusion_plan(index: u64, size: u64) -> Option<Plan> {
    if index >= size {
        return None;
    }
    let (mut from, mut to) = (0, size);
    let mut siblings = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            siblings.push((middle, to));
            to = middle;
        } else {
            siblings.push((from, middle));
            from = middle;
        }
    }
    Some(plan_upwards(siblings))
}

/// The proof that the tree of `new` leaves begins with that of `old` leaves (RFC 6962, section 2.1.2). It
/// is empty for equal sizes and for `old` 0. `None` where `old` is larger than `new`.
pub fn consistency_plan(old: u64, new: u64) -> Option<Plan> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Plan::default());
    }
    let (mut from, mut to) = (0, new);
    let mut siblings = Vec::new();
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            siblings.push((middle, to));
            to = middle;
        } else {
            siblings.push((from, middle));
            from = middle;
        }
    }
    // Where the old tree is itself this subtree, the verifier holds its root already.
    if from > 0 {
        siblings.push((from, to));
    }
    Some(plan_upwards(siblings))
}

/// The root of a tree of `size` leaves: a proof of exactly one hash.
pub fn root_plan(size: u64) -> Plan {
    let mut plan = Plan::default();
    plan.push(0, size);
    plan
}

fn plan_upwards(siblings: Vec<(u64, u64)>) -> Plan {
    let mut plan = Plan::default();
    siblings.into_iter().rev().for_each(|(from, to)| plan.push(from, to));
    plan
}

/// Does `path` prove that the tree of `size` leaves under `root` holds `leaf` at `index`? (RFC 9162,
/// section 2.1.3.2.) A path of the wrong length proves nothing.
pub fn verify_inclusion(leaf: Digest, index: u64, size: u64, path: &[Digest], root: Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(*sibling, hash);
            // The last node of a row without a sibling rises as it is.
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == root
}

/// Does `path` prove that the tree of `new` leaves begins with the tree of `old` leaves? (RFC 9162,
/// section 2.1.4.2; every tree begins with the empty one.) A path of the wrong length proves nothing.
pub fn verify_consistency(old: u64, old_root: Digest, new: u64, new_root: Digest, path: &[Digest]) -> bool {
    let known = |size: u64, root: Digest| size > 0 || root == EMPTY_ROOT;
    if old > new || !known(old, old_root) || !known(new, new_root) {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return path.is_empty();
    }
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (first, rest) = match path.split_first() {
        None => return false,
        // The old tree is a perfect subtree of the new one: the proof starts from its root.
        Some(_) if old.is_power_of_two() => (old_root, path),
        Some((first, rest)) => (*first, rest),
    };
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(*sibling, old_hash);
            new_hash = node_hash(*sibling, new_hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(new_hash, *sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight leaves that tests of RFC 6962 trees share, and the roots of their trees.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaves() -> Vec<Digest> {
        LEAVES.iter().map(|l| leaf_hash(&crate::record::digest::unhex(l).unwrap())).collect()
    }

    fn hashes(plan: &Plan, leaves: &[Digest]) -> Vec<Digest> {
        let node = |n: &Node| {
            let from = (n.index << n.level) as usize;
            perfect_root(&leaves[from..from + (1 << n.level)]).unwrap()
        };
        plan.assemble(&plan.nodes().iter().map(node).collect::<Vec<_>>())
    }

    #[test]
    fn known_roots() {
        assert_eq!(hashes(&root_plan(0), &[]), [EMPTY_ROOT]);
        assert_eq!(EMPTY_ROOT, Digest::of(b""));
        for (size, root) in (1..).zip(ROOTS) {
            assert_eq!(hashes(&root_plan(size), &leaves()), [root.parse().unwrap()], "{size}");
        }
    }

    #[test]
    fn every_small_proof_holds_and_no_other_length_does() {
        let leaves: Vec<Digest> = (0u8..41).map(|i| leaf_hash(&[i])).collect();
        let root = |size: u64| hashes(&root_plan(size), &leaves)[0];
        for new in 0..=40u64 {
            for index in 0..new {
                let mut path = hashes(&inclusion_plan(index, new).unwrap(), &leaves);
                let leaf = leaves[index as usize];
                assert!(verify_inclusion(leaf, index, new, &path, root(new)));
                path.push(EMPTY_ROOT);
                assert!(!verify_inclusion(leaf, index, new, &path, root(new)));
                path.truncate(path.len().saturating_sub(2));
                assert!(new == 1 || !verify_inclusion(leaf, index, new, &path, root(new)));
            }
            for old in 0..=new {
                let mut path = hashes(&consistency_plan(old, new).unwrap(), &leaves);
                assert!(verify_consistency(old, root(old), new, root(new), &path), "{old} {new}");
                assert!(!verify_consistency(old, root(old + 1), new, root(new), &path));
                path.push(EMPTY_ROOT);
                assert!(!verify_consistency(old, root(old), new, root(new), &path));
                path.truncate(path.len().saturating_sub(2));
                assert!(old == 0 || old == new || !verify_consistency(old, root(old), new, root(new), &path));
            }
        }
    }

    #[test]
    fn nonsense_is_refused_without_panic() {
        let leaf = leaf_hash(b"");
        assert!(!verify_inclusion(leaf, 1, 1, &[], leaf) && !verify_inclusion(leaf, 0, 0, &[], EMPTY_ROOT));
        assert!(!verify_inclusion(leaf, u64::MAX - 1, u64::MAX, &[leaf; 70], leaf));
        assert!(!verify_consistency(3, leaf, 2, leaf, &[]) && !verify_consistency(0, leaf, 2, leaf, &[]));
        assert!(!verify_consistency(1, leaf, u64::MAX, leaf, &[leaf; 70]));
        assert!(!verify_consistency(0, leaf, 0, leaf, &[]) && !verify_consistency(1, leaf, 2, leaf, &[]));
        assert_eq!((inclusion_plan(1, 1), consistency_plan(2, 1)), (None, None));
        assert_eq!(inclusion_plan(u64::MAX - 1, u64::MAX).unwrap().parts.len(), 63);
        assert_eq!(perfect_root(&[leaf; 3]), None);
    }
}

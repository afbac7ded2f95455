//! What an archive promises, without anything of how it keeps it.

use crate::world::Acknowledged;
use std::collections::{BTreeSet, HashSet};
use vankho::record::id::RecordId;

/// What has been promised in one life, and what may have been lost.
#[derive(Debug)]
pub struct Model {
    /// How many places must hold what counts.
    pub required: usize,
    pub acknowledged: Vec<Acknowledged>,
    /// Places whose disk was emptied, or went back, and that were not seen whole since.
    pub hurt: BTreeSet<u32>,
    /// Places on whose disk something changed by itself, and that were not read as a whole since.
    pub decayed: BTreeSet<u32>,
}

/// What is found in the end.
#[derive(Debug, Default)]
pub struct Found {
    /// Records in the one history that goes on.
    pub kept: HashSet<RecordId>,
    /// Records in commits that only one place has, and that are reported there.
    pub strays: HashSet<RecordId>,
    /// Everything else that does not hold.
    pub faults: Vec<String>,
}

impl Model {
    pub fn new(required: usize) -> Model {
        Model { required, acknowledged: Vec::new(), hurt: BTreeSet::new(), decayed: BTreeSet::new() }
    }

    /// May the disk of a place be lost now? As many may be as are required besides one, once anything was promised.
    pub fn may_lose(&self, place: u32) -> bool {
        if self.acknowledged.is_empty() {
            return false;
        }
        let mut hurt: BTreeSet<u32> = self.hurt.union(&self.decayed).copied().collect();
        hurt.insert(place);
        hurt.len() < self.required
    }

    /// Every place was seen whole, but for these.
    pub fn seen_whole(&mut self, but_for: &BTreeSet<u32>) {
        self.hurt.retain(|place| but_for.contains(place));
    }

    /// What is promised and does not hold.
    pub fn judge(&self, found: &Found) -> Vec<String> {
        let mut faults = found.faults.clone();
        for one in &self.acknowledged {
            // Where one place is enough, a promotion without the old primary leaves behind what it alone had: that
            // must be told, and lie there.
            let left_behind = self.required == 1 && found.strays.contains(&one.record);
            if !found.kept.contains(&one.record) && !left_behind {
                faults.push(format!("{} was acknowledged as {} and is lost", one.external_id, one.record));
            }
        }
        faults
    }
}

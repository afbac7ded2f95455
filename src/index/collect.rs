//! What is kept of the documents that match: the best of them, how many, and which values they have.

use crate::index::lists::SCORE_UNIT;
use crate::index::query::{Counts, Facets, Key, Sort};
use crate::index::{
    schema::FACETS,
    snapshot::{Part, value},
};
use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap},
};
use tantivy::DocId;

/// Values of one facet that are given out.
const VALUES_MAX: usize = 200;

/// The best documents that come after a key.
pub struct Top {
    sort: Sort,
    limit: usize,
    after: Option<Key>,
    kept: BinaryHeap<Reverse<Key>>,
    /// Whether something that comes after was left out.
    pub more: bool,
}

impl Top {
    pub fn new(sort: Sort, limit: usize, after: Option<Key>) -> Top {
        Top { sort, limit, after, kept: BinaryHeap::new(), more: false }
    }

    /// What a document of this tier must reach to be kept: `None` where nothing it can reach is enough.
    pub fn bar(&self, tier: u8) -> Option<u32> {
        if self.sort != Sort::Relevance || self.kept.len() < self.limit {
            return Some(0);
        }
        let worst = self.kept.peek()?.0.primary;
        match u64::from(tier).cmp(&(worst >> 32)) {
            Ordering::Less => None,
            Ordering::Equal => Some(worst as u32),
            Ordering::Greater => Some(0),
        }
    }

    /// The primary key of a score: tiers before scores.
    pub fn relevance(tier: u8, score: u32) -> u64 {
        u64::from(tier) << 32 | u64::from(score)
    }

    /// The score behind the key of a hit by relevance, with room for one tier above the other.
    pub fn score(key: &Key) -> f32 {
        key.primary as u32 as f32 / SCORE_UNIT + (key.primary >> 32) as f32 * 10_000.0
    }

    /// Something that comes after this page was left out unseen.
    pub fn leave_out(&mut self) {
        self.more = true;
    }

    /// Keeps a document if it is among the best; tells whether it was.
    pub fn offer(&mut self, part: &Part, doc: DocId, relevance: u64) -> bool {
        let seq = value(&part.seq, doc);
        let issued = || value(&part.first_day, doc);
        let primary = match self.sort {
            Sort::Relevance => relevance,
            Sort::Newest => seq,
            Sort::IssuedNewest => issued(),
            Sort::IssuedOldest => issued().checked_sub(1).map_or(0, |day| u64::from(u32::MAX) - day),
        };
        let full = self.kept.len() >= self.limit;
        if full && self.kept.peek().is_none_or(|worst| primary < worst.0.primary) {
            // Above the bar of the page before, it would not come after; below this one's, it does.
            self.more |= self.after.is_none_or(|after| primary <= after.primary);
            return false;
        }
        let key = Key { primary, seq, id: part.id(doc) };
        if self.after.is_some_and(|after| key >= after) {
            return false;
        }
        self.kept.push(Reverse(key));
        if self.kept.len() > self.limit {
            self.kept.pop();
            self.more = true;
        }
        true
    }

    /// Best first.
    pub fn into_keys(self) -> Vec<Key> {
        self.kept.into_sorted_vec().into_iter().map(|Reverse(key)| key).collect()
    }
}

/// Counts of facet values over all segments.
#[derive(Default)]
pub struct Tally {
    counts: [HashMap<String, u64>; FACETS.len()],
}

impl Tally {
    /// Counts the values of one segment's matching documents.
    pub fn add(&mut self, part: &Part, docs: &[DocId]) {
        for (facet, sum) in part.facets.iter().zip(&mut self.counts) {
            let counts = facet.count(docs);
            for (name, count) in facet.names().iter().zip(counts).filter(|(name, count)| *count > 0 && !name.is_empty())
            {
                match sum.get_mut(name) {
                    Some(total) => *total += count,
                    None => drop(sum.insert(name.clone(), count)),
                }
            }
        }
    }

    pub fn into_facets(self) -> Facets {
        let [agency, kind, year, fonds, field, access] = self.counts.map(|counts| {
            let mut counts: Counts = counts.into_iter().collect();
            counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            counts.truncate(VALUES_MAX);
            counts
        });
        Facets { agency, kind, year, fonds, field, access }
    }
}

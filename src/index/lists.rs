//! The lists of documents that a query reads in one segment, and how they are walked.
//!
//! *Pouring* reads a list through and adds it to a window of documents; *asking* looks up single documents,
//! always in increasing order. Which of the two happens is a matter of cost alone.

use crate::index::{
    IndexError, schema,
    snapshot::{Part, value},
};
use crate::record::access::Access;
use tantivy::columnar::Column;
use tantivy::fastfield::AliveBitSet;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, Postings, SegmentPostings};
use tantivy::{DocId, DocSet};

/// Documents of one window.
pub const WINDOW: u32 = 4096;
/// How soon more of the same word stops to help, and how much length counts against a text (BM25).
pub const K1: f32 = 1.5;
const B: f32 = 0.95;
/// Scores are whole numbers of this unit: sums of them do not depend on the order of adding, so a record has
/// the same score on every page.
pub const SCORE_UNIT: f32 = 16_384.0;
/// Set in a window's count when a reference number was hit: matches whatever the words say.
pub const NUMBER_HIT: u8 = 128;

/// BM25 with a table for the 256 lengths that a document can have.
#[derive(Clone)]
pub struct Lengths {
    reader: FieldNormReader,
    factors: Box<[f32; 256]>,
}

impl Lengths {
    pub fn new(reader: FieldNormReader, average: f32) -> Lengths {
        let mut factors = Box::new([0.0; 256]);
        for (id, factor) in factors.iter_mut().enumerate() {
            *factor = K1 * (1.0 - B + B * FieldNormReader::id_to_fieldnorm(id as u8) as f32 / average.max(1.0));
        }
        Lengths { reader, factors }
    }

    /// Between 0 and 1: how much of the term's weight this document earns.
    #[inline]
    fn share(&self, doc: DocId, frequency: u32) -> f32 {
        let frequency = frequency as f32;
        frequency / (frequency + self.factors[self.reader.fieldnorm_id(doc) as usize])
    }
}

/// What a document earns by being on a list of candidates.
#[derive(Clone, Copy)]
pub enum Worth {
    /// One of the syllables that a record must have.
    Syllable,
    /// A reference number: a match whatever the words say. The tier puts it before everything of a lower tier.
    Number { tier: u8, score: u32 },
    /// Nothing: the list only says which documents to look at.
    Nothing,
}

/// Scores, counts and tiers of the documents of one window.
pub struct Window {
    pub base: DocId,
    /// In units of [`SCORE_UNIT`].
    pub scores: Vec<u32>,
    pub counts: Vec<u8>,
    pub tiers: Vec<u8>,
    pub touched: Vec<u64>,
}

impl Window {
    pub fn new() -> Window {
        let size = WINDOW as usize;
        Window {
            base: 0,
            scores: vec![0; size],
            counts: vec![0; size],
            tiers: vec![0; size],
            touched: vec![0; size / 64],
        }
    }

    pub fn clear(&mut self, base: DocId) {
        self.base = base;
        self.scores.fill(0);
        self.counts.fill(0);
        self.tiers.fill(0);
        self.touched.fill(0);
    }

    #[inline]
    fn touch(&mut self, place: usize) {
        self.touched[place / 64] |= 1 << (place % 64);
    }

    /// Touches every document of the window that is below a bound.
    pub fn touch_below(&mut self, end: DocId) {
        (0..end.saturating_sub(self.base).min(WINDOW)).for_each(|place| self.touch(place as usize));
    }
}

/// A list of candidates, or of what candidates must have.
pub struct Flow {
    walk: Blocks,
    pub worth: Worth,
    /// Whether its documents are looked at; otherwise it only adds to those of other lists.
    pub drives: bool,
}

impl Flow {
    pub fn new(postings: BlockSegmentPostings, worth: Worth, drives: bool) -> Flow {
        Flow { walk: Blocks { postings, at: 0 }, worth, drives }
    }

    /// The next document, if there is one.
    pub fn doc(&mut self) -> Option<DocId> {
        self.walk.doc()
    }

    /// Reads all documents of the window.
    pub fn pour(&mut self, window: &mut Window) {
        let (Flow { walk, worth, drives }, base) = (self, window.base);
        if !*drives {
            walk.seek(base);
        }
        walk.each_below(base + WINDOW, |docs, _| {
            let places = docs.iter().map(|doc| (doc - base) as usize);
            match *worth {
                Worth::Syllable => places.clone().for_each(|place| window.counts[place] += 1),
                Worth::Number { tier, score } => places.clone().for_each(|place| {
                    window.scores[place] += score;
                    window.counts[place] |= NUMBER_HIT;
                    window.tiers[place] = window.tiers[place].max(tier);
                }),
                Worth::Nothing => {}
            }
            if *drives {
                places.for_each(|place| window.touch(place));
            }
        });
    }
}

/// A list that ranks.
pub struct Ranked {
    walk: Blocks,
    weight: f32,
    lengths: usize,
    /// The most that it can give.
    pub bound: u32,
}

impl Ranked {
    pub fn new(postings: BlockSegmentPostings, weight: f32, lengths: usize) -> Ranked {
        let weight = weight * SCORE_UNIT;
        Ranked { walk: Blocks { postings, at: 0 }, weight, lengths, bound: weight.ceil() as u32 }
    }

    /// Documents on it.
    pub fn documents(&self) -> u32 {
        self.walk.postings.doc_freq()
    }

    /// Adds what it gives to every document of the window.
    pub fn pour(&mut self, window: &mut Window, lengths: &[Lengths]) {
        let (weight, lengths) = (self.weight, &lengths[self.lengths]);
        self.walk.seek(window.base);
        self.walk.each_below(window.base + WINDOW, |docs, frequencies| {
            for (doc, frequency) in docs.iter().zip(frequencies) {
                window.scores[(doc - window.base) as usize] += (weight * lengths.share(*doc, *frequency)) as u32;
            }
        });
    }

    /// What it gives to one document; documents must be asked for in increasing order.
    #[inline]
    pub fn ask(&mut self, doc: DocId, lengths: &[Lengths]) -> u32 {
        self.walk.seek(doc);
        if self.walk.doc() != Some(doc) {
            return 0;
        }
        let frequency = self.walk.postings.freq(self.walk.at);
        (self.weight * lengths[self.lengths].share(doc, frequency)) as u32
    }
}

/// A list, block by block.
struct Blocks {
    postings: BlockSegmentPostings,
    at: usize,
}

impl Blocks {
    #[inline]
    fn doc(&mut self) -> Option<DocId> {
        if self.at >= self.postings.block_len() {
            self.postings.advance();
            self.at = 0;
        }
        self.postings.docs().get(self.at).copied()
    }

    /// Goes to the first document from `target` on; `target` must not fall.
    #[inline]
    fn seek(&mut self, target: DocId) {
        if self.doc().is_some_and(|doc| doc < target) {
            self.at += 1;
            if self.doc().is_some_and(|doc| doc < target) {
                self.at = self.postings.seek(target);
            }
        }
    }

    /// Hands on the documents below a bound with their frequencies, in slices.
    #[inline]
    fn each_below(&mut self, end: DocId, mut sink: impl FnMut(&[DocId], &[u32])) {
        while self.doc().is_some_and(|doc| doc < end) {
            let docs = &self.postings.docs()[self.at..];
            let read = if docs[docs.len() - 1] < end { docs.len() } else { docs.partition_point(|doc| *doc < end) };
            let frequencies = self.postings.freqs().get(self.at..).unwrap_or(&[]);
            sink(&docs[..read], &frequencies[..read.min(frequencies.len())]);
            self.at += read;
        }
    }
}

/// Whether a list has a document; documents must be asked for in increasing order.
#[inline]
pub fn has(postings: &mut SegmentPostings, doc: DocId) -> bool {
    postings.doc() <= doc && postings.seek(doc) == doc
}

/// Terms that must follow each other.
pub struct Phrase {
    terms: Vec<SegmentPostings>,
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Phrase {
    pub fn new(terms: Vec<SegmentPostings>) -> Phrase {
        Phrase { terms, starts: vec![], places: vec![] }
    }

    pub fn holds(&mut self, doc: DocId) -> bool {
        if !self.terms.iter_mut().all(|term| has(term, doc)) {
            return false;
        }
        let Some((first, rest)) = self.terms.split_first_mut() else { return true };
        first.positions(&mut self.starts);
        for (n, term) in rest.iter_mut().enumerate() {
            term.positions(&mut self.places);
            let (places, mut at) = (&self.places, 0);
            self.starts.retain(|start| {
                let wanted = start + n as u32 + 1;
                while places.get(at).is_some_and(|place| *place < wanted) {
                    at += 1;
                }
                places.get(at) == Some(&wanted)
            });
        }
        !self.starts.is_empty()
    }
}

/// What a document must be besides matching: alive, permitted, within the filters.
pub struct Fence<'a> {
    pub alive: Option<&'a AliveBitSet>,
    pub part: &'a Part,
    /// Bit per level: readable whoever holds it.
    pub levels: u8,
    /// Conditional records of the reader's own agency.
    pub own: Option<SegmentPostings>,
    /// Only this level.
    pub level: Option<u8>,
    /// Of each of these one list must have the document.
    pub facts: Vec<Vec<SegmentPostings>>,
    /// One of them must have it, unless there is none.
    pub numbers: Option<Vec<SegmentPostings>>,
    /// First and last day of issue.
    pub issued: Option<(u64, u64)>,
}

impl Fence<'_> {
    /// Documents must be asked for in increasing order.
    pub fn admits(&mut self, doc: DocId) -> bool {
        self.alive.is_none_or(|alive| alive.is_alive(doc))
            && self.permits(doc)
            && self.facts.iter_mut().all(|lists| lists.iter_mut().any(|list| has(list, doc)))
            && self.numbers.as_mut().is_none_or(|lists| lists.iter_mut().any(|list| has(list, doc)))
            && self.issued.is_none_or(|(from, to)| overlaps(&self.part.first_day, &self.part.last_day, doc, from, to))
    }

    /// The rule of `Reader::may_read`, in the terms of its view.
    fn permits(&mut self, doc: DocId) -> bool {
        let level = self.part.levels[doc as usize];
        let conditional = schema::level(Access::Conditional);
        let open = self.levels & (1 << level) != 0;
        let own = level == conditional && self.own.as_mut().is_some_and(|list| has(list, doc));
        (open || own) && self.level.is_none_or(|only| only == level)
    }
}

fn overlaps(first: &Column<u64>, last: &Column<u64>, doc: DocId, from: u64, to: u64) -> bool {
    let (first, last) = (value(first, doc), value(last, doc));
    first != 0 && first <= to && last >= from
}

/// Reads a list without frequencies; `None` where the segment has no such term.
pub fn plain(
    index: &tantivy::InvertedIndexReader,
    field: tantivy::schema::Field,
    term: &str,
) -> Result<Option<SegmentPostings>, IndexError> {
    let term = tantivy::Term::from_field_text(field, term);
    Ok(index.read_postings(&term, tantivy::schema::IndexRecordOption::Basic)?)
}

//! One pass over one segment, in windows of documents.
//!
//! Per window: the lists that name candidates are poured; candidates pass the count of syllables, the fence
//! (alive, permitted, filtered) and the phrases; what is left is counted and kept for facets; and of that, only
//! what can still get onto the page is ranked.
//!
//! # Why
//! The library's own boolean query scores every record that has any of the words, which for ten common
//! syllables is nearly every record. Here a record that lacks more than it may of the query's syllables
//! is never looked at: it must have at least one of the rarest, so only those lists are walked, and
//! the longest are asked about what is left. The fence stands before counting, so nothing that the
//! reader may not see adds to a total, a facet or a page.

use crate::index::collect::Top;
use crate::index::lists::{
    Fence, Flow, Lengths, NUMBER_HIT, Phrase, Ranked, SCORE_UNIT, WINDOW, Window, Worth, has, plain,
};
use crate::index::query::Sort;
use crate::index::{IndexError, references, schema, search::Run, snapshot::Part};
use crate::record::access::View;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Term};

/// A list is poured when it is at most this many times as long as the candidates; else it is probed.
const POUR_RATIO: u64 = 6;
/// What naming the reference number in its text adds to a record's score.
const MENTION_SCORE: f32 = 25.0;

/// The lists of one query in one segment.
pub struct Walk<'a> {
    part: &'a Part,
    documents: DocId,
    required: u8,
    ranked: bool,
    lengths: Vec<Lengths>,
    flows: Vec<Flow>,
    /// Syllables whose lists are too long to pour; the shortest first.
    asked: Vec<SegmentPostings>,
    /// What ranks, by what it can give, most first.
    ranks: Vec<Ranked>,
    phrases: Vec<Phrase>,
    fence: Fence<'a>,
    /// Every document is a candidate.
    all: bool,
}

/// What names the candidates, cheapest first to be told.
enum Drivers {
    All,
    /// Places in the plan's terms.
    Words(Vec<usize>),
    /// Lists of which every match is in one.
    Lists(Vec<String>, tantivy::schema::Field, Arc<tantivy::InvertedIndexReader>),
    Nothing,
}

impl<'a> Walk<'a> {
    /// `None` where nothing of this segment can match.
    pub fn new(run: &Run<'a>, segment: usize) -> Result<Option<Walk<'a>>, IndexError> {
        let part: &'a Part = &run.snapshot.parts[segment];
        let reader = run.snapshot.searcher.segment_reader(segment as u32);
        let Some(fence) = fence(run, part, reader.alive_bitset())? else { return Ok(None) };
        let Some(phrases) = phrases(run, part)? else { return Ok(None) };
        let length = |norms: &tantivy::fieldnorm::FieldNormReader, average| Lengths::new(norms.clone(), average);
        let [words, pairs, subject] = run.averages;
        let lengths = vec![
            length(&part.words_norms, words),
            length(&part.pairs_norms, pairs),
            length(&part.subject_norms, subject),
        ];
        let mut walk = Walk {
            part,
            documents: reader.max_doc(),
            required: run.required as u8,
            ranked: run.sort == Sort::Relevance,
            lengths,
            flows: vec![],
            asked: vec![],
            ranks: vec![],
            phrases,
            fence,
            all: false,
        };
        let numbers = walk.add_numbers(run, run.plan.phrases.is_empty())?;
        let (drivers, candidates) = drivers(run, part, segment, numbers)?;
        let words = match drivers {
            Drivers::Nothing if numbers == 0 => return Ok(None),
            Drivers::Nothing => vec![],
            Drivers::Words(words) => words,
            Drivers::All => {
                walk.all = true;
                vec![]
            }
            Drivers::Lists(terms, field, index) => {
                walk.flows.iter_mut().for_each(|flow| flow.drives = false);
                let others = walk.flows.len();
                for term in terms {
                    let term = Term::from_field_text(field, &term);
                    let list = index.read_block_postings(&term, IndexRecordOption::Basic)?;
                    walk.flows.extend(list.map(|list| Flow::new(list, Worth::Nothing, true)));
                }
                if walk.flows.len() == others {
                    return Ok(None);
                }
                vec![]
            }
        };
        walk.add_terms(run, segment, &words, candidates + numbers)?;
        Ok(Some(walk))
    }

    /// The lists of reference numbers: their bearers, and who mentions them. Returns how many documents.
    fn add_numbers(&mut self, run: &Run<'_>, drives: bool) -> Result<u64, IndexError> {
        let mut documents = 0;
        let mut add = |index: &tantivy::InvertedIndexReader, field, term: &str, worth| {
            let list = index.read_block_postings(&Term::from_field_text(field, term), IndexRecordOption::Basic)?;
            if let Some(list) = list {
                documents += u64::from(list.doc_freq());
                self.flows.push(Flow::new(list, worth, drives));
            }
            Ok::<(), IndexError>(())
        };
        for number in &run.plan.numbers {
            let worth = Worth::Number { tier: number.tier, score: 0 };
            add(&self.part.number, run.fields.number, &number.term, worth)?;
            if let Some(key) = &number.mentioned {
                add(
                    &self.part.mentions,
                    run.fields.mentions,
                    key,
                    Worth::Number { tier: 0, score: (MENTION_SCORE * SCORE_UNIT) as u32 },
                )?;
            }
        }
        Ok(documents)
    }

    /// The lists of syllables that count, and of everything that ranks.
    fn add_terms(
        &mut self,
        run: &Run<'_>,
        segment: usize,
        drivers: &[usize],
        candidates: u64,
    ) -> Result<(), IndexError> {
        let mut asked: Vec<(u32, SegmentPostings)> = vec![];
        for (n, scored) in run.plan.scored.iter().enumerate() {
            let Some(info) = &run.infos[n][segment] else { continue };
            let (index, drives) = (self.part.index(scored.place), drivers.contains(&n));
            if drives || (scored.counts && u64::from(info.doc_freq) <= candidates.saturating_mul(POUR_RATIO)) {
                let list = index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
                self.flows.push(Flow::new(list, Worth::Syllable, drives));
            } else if scored.counts {
                asked.push((info.doc_freq, index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?));
            }
            if self.ranked {
                let list = index.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
                self.ranks.push(Ranked::new(list, run.weights[n], scored.place as usize));
            }
        }
        asked.sort_by_key(|(documents, _)| *documents);
        self.asked = asked.into_iter().map(|(_, list)| list).collect();
        self.ranks.sort_by_key(|list| Reverse(list.bound));
        Ok(())
    }

    /// Walks the segment; returns how many documents match.
    pub fn run(mut self, top: &mut Top, matched: &mut Option<Vec<DocId>>) -> u64 {
        let (mut window, mut total, mut base) = (Window::new(), 0, 0);
        while let Some(start) = self.next_start(base) {
            window.clear(start);
            for flow in &mut self.flows {
                flow.pour(&mut window);
            }
            if self.all {
                window.touch_below(self.documents);
            }
            let found = self.match_window(&window);
            total += found.len() as u64;
            if let Some(docs) = matched {
                docs.extend_from_slice(&found);
            }
            match self.ranked {
                true => self.rank_window(&mut window, &found, top),
                false => found.iter().for_each(|doc| {
                    top.offer(self.part, *doc, 0);
                }),
            }
            base = start + WINDOW;
        }
        total
    }

    fn next_start(&mut self, base: DocId) -> Option<DocId> {
        if self.all {
            return (base < self.documents).then_some(base);
        }
        self.flows.iter_mut().filter(|flow| flow.drives).filter_map(Flow::doc).min()
    }

    /// The documents of the window that match and may be seen.
    fn match_window(&mut self, window: &Window) -> Vec<DocId> {
        let mut found = vec![];
        for (block, bits) in window.touched.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let place = block * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if self.matches(window.base + place as DocId, window.counts[place]) {
                    found.push(window.base + place as DocId);
                }
            }
        }
        found
    }

    #[inline]
    fn matches(&mut self, doc: DocId, mut count: u8) -> bool {
        let required = if count & NUMBER_HIT != 0 { 0 } else { self.required };
        let mut left = self.asked.len() as u8;
        if count.saturating_add(left) < required || !self.fence.admits(doc) {
            return false;
        }
        for list in &mut self.asked {
            if count >= required || count + left < required {
                break;
            }
            left -= 1;
            count += u8::from(has(list, doc));
        }
        count >= required && self.phrases.iter_mut().all(|phrase| phrase.holds(doc))
    }

    /// Offers to the page what can still get onto it.
    ///
    /// Lists that even together cannot lift a record onto the page are not poured; they are asked about the
    /// records that the others have lifted near enough.
    fn rank_window(&mut self, window: &mut Window, found: &[DocId], top: &mut Top) {
        if found.is_empty() {
            return;
        }
        let bar = top.bar(0).unwrap_or(u32::MAX);
        // What all lists from here on can give together.
        let mut rest: Vec<u32> = self.ranks.iter().map(|list| list.bound).collect();
        (0..rest.len().saturating_sub(1)).rev().for_each(|n| rest[n] = rest[n].saturating_add(rest[n + 1]));
        let mut asked: Vec<usize> = vec![];
        for (n, list) in self.ranks.iter_mut().enumerate() {
            let here = u64::from(list.documents()) * u64::from(WINDOW) / u64::from(self.documents.max(WINDOW));
            if rest[n] < bar || here > found.len() as u64 * POUR_RATIO {
                asked.push(n);
            } else {
                list.pour(window, &self.lengths);
            }
        }
        let mut rest: Vec<u32> = asked.iter().map(|n| self.ranks[*n].bound).collect();
        (0..rest.len().saturating_sub(1)).rev().for_each(|n| rest[n] = rest[n].saturating_add(rest[n + 1]));
        let mut bar = top.bar(0);
        'documents: for doc in found {
            let place = (doc - window.base) as usize;
            let (mut score, tier) = (window.scores[place], window.tiers[place]);
            let bar_here = if tier == 0 { bar } else { top.bar(tier) };
            for (n, rest) in asked.iter().zip(&rest) {
                if bar_here.is_none_or(|bar| score.saturating_add(*rest) < bar) {
                    top.leave_out();
                    continue 'documents;
                }
                score += self.ranks[*n].ask(*doc, &self.lengths);
            }
            if top.offer(self.part, *doc, Top::relevance(tier, score)) {
                bar = top.bar(0);
            }
        }
    }
}

/// Which lists name the candidates, and about how many they will be.
fn drivers(run: &Run<'_>, part: &Part, segment: usize, numbers: u64) -> Result<(Drivers, u64), IndexError> {
    let mut lists = vec![];
    for terms in facts(run) {
        lists.push((terms, run.fields.fact, part.fact.clone()));
    }
    for term in run.plan.phrases.iter().flatten() {
        lists.push((vec![term.clone()], run.fields.words, part.words.clone()));
    }
    let mut shortest = None;
    for (terms, field, index) in lists {
        let mut documents = 0;
        for term in &terms {
            documents += u64::from(index.doc_freq(&Term::from_field_text(field, term))?);
        }
        if shortest.as_ref().is_none_or(|(_, least)| documents < *least) {
            shortest = Some((Drivers::Lists(terms, field, index), documents));
        }
    }
    let documents = u64::from(run.snapshot.searcher.segment_reader(segment as u32).max_doc());
    let otherwise = if run.plan.is_empty() { (Drivers::All, documents) } else { words(run, segment) };
    match shortest {
        // A phrase must be there; a filter drives only where it is the shorter way.
        Some(list) if !run.plan.phrases.is_empty() || list.1 <= otherwise.1 + numbers => Ok(list),
        _ => Ok(otherwise),
    }
}

/// The rarest words, so many that a record without any of them lacks too many.
fn words(run: &Run<'_>, segment: usize) -> (Drivers, u64) {
    let counting = run.plan.scored.iter().enumerate().filter(|(_, scored)| scored.counts);
    let documents = |info: &Option<TermInfo>| info.as_ref().map_or(0, |info| u64::from(info.doc_freq));
    let mut words: Vec<(u64, usize)> = counting.map(|(n, _)| (documents(&run.infos[n][segment]), n)).collect();
    words.sort_unstable();
    words.truncate(words.len() + 1 - run.required.clamp(1, words.len().max(1)));
    let candidates = words.iter().map(|(documents, _)| documents).sum();
    match candidates {
        0 => (Drivers::Nothing, 0),
        _ => (Drivers::Words(words.into_iter().map(|(_, n)| n).collect()), candidates),
    }
}

/// The terms of the filters by value: of each filter one must be there.
fn facts(run: &Run<'_>) -> Vec<Vec<String>> {
    let filters = &run.query.filters;
    let kinds = [('t', &filters.kind), ('f', &filters.fonds), ('h', &filters.file), ('l', &filters.field)];
    let single = kinds.into_iter().filter_map(|(kind, value)| Some(vec![schema::fact(kind, value.as_ref()?)]));
    // Names that are one without case and diacritics are one list.
    let agencies: BTreeSet<String> = filters.agency.iter().map(|name| schema::fact('a', name)).collect();
    Some(agencies.into_iter().collect::<Vec<_>>()).filter(|names| !names.is_empty()).into_iter().chain(single).collect()
}

/// The fence of one segment; `None` where a filter has no record here at all.
fn fence<'a>(
    run: &Run<'_>,
    part: &'a Part,
    alive: Option<&'a tantivy::fastfield::AliveBitSet>,
) -> Result<Option<Fence<'a>>, IndexError> {
    let bit = |level: &_| 1u8 << schema::level(*level);
    let (levels, own) = match run.query.reader.view() {
        View::Levels(levels) => (levels.iter().map(bit).sum(), None),
        View::PublicOrAgency(key) => {
            (bit(&crate::record::access::Access::Public), plain(&part.holder, run.fields.holder, &key)?)
        }
    };
    let filters = &run.query.filters;
    let mut required = vec![];
    for terms in facts(run) {
        let mut lists = vec![];
        for term in terms {
            lists.extend(plain(&part.fact, run.fields.fact, &term)?);
        }
        if lists.is_empty() {
            return Ok(None);
        }
        required.push(lists);
    }
    let mut numbers = filters.number.is_some().then(Vec::new);
    for term in filters.number.iter().flat_map(|typed| references::of_filter(typed)) {
        if let (Some(lists), Some(list)) = (&mut numbers, plain(&part.number, run.fields.number, &term)?) {
            lists.push(list);
        }
    }
    let issued = (filters.issued_from.is_some() || filters.issued_to.is_some())
        .then(|| (filters.issued_from.unwrap_or(0).into(), filters.issued_to.unwrap_or(u32::MAX).into()));
    let level = filters.access.map(schema::level);
    Ok(Some(Fence { alive, part, levels, own, level, facts: required, numbers, issued }))
}

/// The phrases in one segment; `None` where a term of one is missing.
fn phrases(run: &Run<'_>, part: &Part) -> Result<Option<Vec<Phrase>>, IndexError> {
    let mut phrases = vec![];
    for terms in &run.plan.phrases {
        let mut lists: Vec<SegmentPostings> = vec![];
        for term in terms {
            let term = Term::from_field_text(run.fields.words, term);
            let Some(list) = part.words.read_postings(&term, IndexRecordOption::WithFreqsAndPositions)? else {
                return Ok(None);
            };
            lists.push(list);
        }
        phrases.push(Phrase::new(lists));
    }
    Ok(Some(phrases))
}

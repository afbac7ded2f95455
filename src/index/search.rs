//! Answering a query from one committed state: statistics, rules of matching, the page.

use crate::index::collect::{Tally, Top};
use crate::index::plan::{Place, Plan, Rule};
use crate::index::query::{Cursor, Hit, Hits, LIMIT_MAX, Query, Sort};
use crate::index::{IndexError, lists, schema, schema::Fields, snapshot::Snapshot, walk::Walk};
use tantivy::Term;
use tantivy::postings::TermInfo;
use tantivy::schema::Field;

/// A query on its way through the segments.
pub struct Run<'a> {
    pub snapshot: &'a Snapshot,
    pub fields: &'a Fields,
    pub query: &'a Query,
    pub plan: &'a Plan,
    pub sort: Sort,
    /// Different syllables that a record must have.
    pub required: usize,
    /// The most that each of the plan's terms can give, by its rarity.
    pub weights: Vec<f32>,
    /// Where each term stands in each segment.
    pub infos: Vec<Vec<Option<TermInfo>>>,
    /// Average lengths of words, pairs and subject.
    pub averages: [f32; 3],
}

/// Answers a query from one committed state.
pub fn search(snapshot: &Snapshot, fields: &Fields, query: &Query) -> Result<Hits, IndexError> {
    let plan = Plan::of(&query.text);
    let mut run = Run::new(snapshot, fields, query, &plan)?;
    let mut hits = Hits { applied: snapshot.applied, ..Hits::default() };
    let mut tried = None;
    for rule in query.cursor.map_or(Rule::ALL.to_vec(), |cursor| vec![cursor.rule]) {
        run.required = rule.required(plan.syllables);
        if hits.total == 0 && tried != Some(run.required) {
            hits = run.answer(rule)?;
            tried = Some(run.required);
        }
    }
    Ok(hits)
}

impl<'a> Run<'a> {
    fn new(
        snapshot: &'a Snapshot,
        fields: &'a Fields,
        query: &'a Query,
        plan: &'a Plan,
    ) -> Result<Run<'a>, IndexError> {
        let (documents, averages) = (snapshot.alive, snapshot.averages());
        let by_newest = plan.is_empty() && query.sort == Sort::Relevance;
        let sort = if by_newest { Sort::Newest } else { query.sort };
        let (weights, infos) = (vec![], vec![]);
        let mut run = Run { snapshot, fields, query, plan, sort, required: 0, weights, infos, averages };
        for scored in &plan.scored {
            let term = Term::from_field_text(run.field(scored.place), &scored.term);
            let infos = snapshot.parts.iter().map(|part| part.index(scored.place).get_term_info(&term));
            let infos = infos.collect::<Result<Vec<_>, _>>()?;
            let having = snapshot.having(scored.place, &infos)?;
            let rarity = (1.0 + (documents as f32 - having as f32 + 0.5).max(0.0) / (having as f32 + 0.5)).ln();
            run.weights.push(scored.weight * rarity * (1.0 + lists::K1));
            run.infos.push(infos);
        }
        Ok(run)
    }

    pub fn field(&self, place: Place) -> Field {
        match place {
            Place::Words => self.fields.words,
            Place::Pairs => self.fields.pairs,
            Place::Subject => self.fields.subject,
        }
    }

    /// The page, the total and the facets under one rule of matching.
    fn answer(&self, rule: Rule) -> Result<Hits, IndexError> {
        let mut top = Top::new(self.sort, self.query.limit.min(LIMIT_MAX), self.query.cursor.map(|cursor| cursor.last));
        let (mut total, mut tally) = (0, Tally::default());
        for (n, part) in self.snapshot.parts.iter().enumerate() {
            let mut matched = self.query.facets.then(Vec::new);
            if let Some(walk) = Walk::new(self, n)? {
                total += walk.run(&mut top, &mut matched);
            }
            if let Some(docs) = matched {
                tally.add(part, &docs);
            }
        }
        let more = top.more;
        let keys = top.into_keys();
        let next = keys.last().filter(|_| more).map(|last| Cursor { last: *last, rule, of: self.query.mark() });
        let score = |key| if self.sort == Sort::Relevance { Top::score(key) } else { 0.0 };
        let hits = keys.iter().filter_map(|key| Some(Hit { record: schema::id_of(key.id)?, score: score(key) }));
        let hits = hits.collect();
        Ok(Hits { hits, total, facets: tally.into_facets(), next, applied: self.snapshot.applied })
    }
}

//! One committed state of the index, opened for reading.
//!
//! # Why
//! Columns, lengths and the names of facet values are opened once for a segment, not once for a query;
//! segments never change, so a new state takes over those that it shares with the one before.
//!
//! Statistics (how many records, how long, how many with a term) count what is alive and nothing else. The
//! library's own count what a newer description took the place of until a merge happens to drop it, and round
//! when it does: then the
//! same records would rank otherwise after a rebuild.

use crate::index::{
    IndexError,
    plan::Place,
    schema::{FACETS, Fields, column},
};
use crate::record::access::Access;
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};
use tantivy::columnar::{Column, ColumnIndex, StrColumn};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, InvertedIndexReader, Searcher, SegmentReader, index::SegmentId};

/// A committed state.
pub struct Snapshot {
    pub searcher: Searcher,
    pub parts: Vec<Arc<Part>>,
    /// The size of the ledger that it reflects.
    pub applied: u64,
    /// The documents of each segment that are gone, ascending.
    gone: Vec<Vec<DocId>>,
    /// Records that are alive, and the tokens of their words, pairs and subject, as rounded for ranking.
    pub alive: u64,
    tokens: [u64; 3],
}

/// What searching reads of one segment.
pub struct Part {
    id: SegmentId,
    pub words: Arc<InvertedIndexReader>,
    pub pairs: Arc<InvertedIndexReader>,
    pub subject: Arc<InvertedIndexReader>,
    pub number: Arc<InvertedIndexReader>,
    pub mentions: Arc<InvertedIndexReader>,
    pub holder: Arc<InvertedIndexReader>,
    pub fact: Arc<InvertedIndexReader>,
    pub words_norms: FieldNormReader,
    pub pairs_norms: FieldNormReader,
    pub subject_norms: FieldNormReader,
    /// The tokens of its words, pairs and subject, as rounded for ranking, those of documents that are gone included.
    tokens: [u64; 3],
    /// The access level of each document, in memory: every candidate is held to it.
    pub levels: Vec<u8>,
    pub seq: Column<u64>,
    pub first_day: Column<u64>,
    pub last_day: Column<u64>,
    id_high: Column<u64>,
    id_low: Column<u64>,
    pub facets: Vec<FacetColumn>,
}

/// A facet's values in one segment.
pub struct FacetColumn {
    column: StrColumn,
    names: OnceLock<Vec<String>>,
}

impl Snapshot {
    /// Opens the state that the searcher sees, reusing the open segments of the one before.
    pub fn open(
        searcher: Searcher,
        fields: &Fields,
        applied: u64,
        before: &[Arc<Part>],
    ) -> Result<Snapshot, IndexError> {
        let known: HashMap<SegmentId, &Arc<Part>> = before.iter().map(|part| (part.id, part)).collect();
        let open = |reader: &SegmentReader| match known.get(&reader.segment_id()) {
            Some(part) => Ok(Arc::clone(part)),
            None => Part::open(reader, fields).map(Arc::new),
        };
        let parts = searcher.segment_readers().iter().map(open).collect::<Result<Vec<_>, IndexError>>()?;
        let gone: Vec<Vec<DocId>> = searcher.segment_readers().iter().map(gone).collect();
        let alive = searcher.segment_readers().iter().map(|reader| u64::from(reader.num_docs())).sum();
        let mut tokens = [0; 3];
        for (part, gone) in parts.iter().zip(&gone) {
            let lost = part.norms().map(|norms| gone.iter().map(|doc| u64::from(norms.fieldnorm(*doc))).sum::<u64>());
            for ((sum, all), lost) in tokens.iter_mut().zip(part.tokens).zip(lost) {
                *sum += all - lost;
            }
        }
        Ok(Snapshot { searcher, parts, applied, gone, alive, tokens })
    }

    /// How long the words, the pairs and the subject of a record are on average.
    pub fn averages(&self) -> [f32; 3] {
        self.tokens.map(|tokens| tokens as f32 / self.alive.max(1) as f32)
    }

    /// How many records that are alive have a term.
    pub fn having(&self, place: Place, infos: &[Option<TermInfo>]) -> Result<u64, IndexError> {
        let mut having = 0;
        for ((part, gone), info) in self.parts.iter().zip(&self.gone).zip(infos) {
            let Some(info) = info else { continue };
            having += u64::from(info.doc_freq);
            if gone.is_empty() {
                continue;
            }
            let index = part.index(place);
            let mut postings = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            for doc in gone {
                let found = if postings.doc() < *doc { postings.seek(*doc) } else { postings.doc() };
                having -= u64::from(found == *doc);
            }
        }
        Ok(having)
    }
}

/// The documents of a segment that are gone, ascending.
fn gone(reader: &SegmentReader) -> Vec<DocId> {
    match reader.alive_bitset() {
        Some(alive) => (0..reader.max_doc()).filter(|doc| !alive.is_alive(*doc)).collect(),
        None => Vec::new(),
    }
}

impl Part {
    fn open(reader: &SegmentReader, fields: &Fields) -> Result<Part, IndexError> {
        let columns = reader.fast_fields();
        let facets = FACETS.iter().map(|name| {
            let column = columns.str(&format!("facet_{name}"))?;
            let column =
                column.unwrap_or_else(|| StrColumn::wrap(tantivy::columnar::BytesColumn::empty(reader.max_doc())));
            Ok::<_, IndexError>(FacetColumn { column, names: OnceLock::new() })
        });
        let norms = [fields.words, fields.pairs, fields.subject].map(|field| reader.get_fieldnorms_reader(field));
        let [words_norms, pairs_norms, subject_norms] = norms;
        let (words_norms, pairs_norms, subject_norms) = (words_norms?, pairs_norms?, subject_norms?);
        let sum = |norms: &FieldNormReader| (0..reader.max_doc()).map(|doc| u64::from(norms.fieldnorm(doc))).sum();
        Ok(Part {
            id: reader.segment_id(),
            tokens: [&words_norms, &pairs_norms, &subject_norms].map(sum),
            words: reader.inverted_index(fields.words)?,
            pairs: reader.inverted_index(fields.pairs)?,
            subject: reader.inverted_index(fields.subject)?,
            number: reader.inverted_index(fields.number)?,
            mentions: reader.inverted_index(fields.mentions)?,
            holder: reader.inverted_index(fields.holder)?,
            fact: reader.inverted_index(fields.fact)?,
            words_norms,
            pairs_norms,
            subject_norms,
            levels: levels(&columns.u64(column::LEVEL)?, reader.max_doc()),
            seq: columns.u64(column::SEQ)?,
            first_day: columns.u64(column::FIRST_DAY)?,
            last_day: columns.u64(column::LAST_DAY)?,
            id_high: columns.u64(column::ID_HIGH)?,
            id_low: columns.u64(column::ID_LOW)?,
            facets: facets.collect::<Result<_, _>>()?,
        })
    }

    fn norms(&self) -> [&FieldNormReader; 3] {
        [&self.words_norms, &self.pairs_norms, &self.subject_norms]
    }

    /// The lists of a place.
    pub fn index(&self, place: Place) -> &InvertedIndexReader {
        match place {
            Place::Words => &self.words,
            Place::Pairs => &self.pairs,
            Place::Subject => &self.subject,
        }
    }

    /// The identifier of a document, as a number.
    pub fn id(&self, doc: DocId) -> u128 {
        u128::from(value(&self.id_high, doc)) << 64 | u128::from(value(&self.id_low, doc))
    }
}

/// A level that is none of ours is read as the strictest.
fn levels(column: &Column<u64>, documents: DocId) -> Vec<u8> {
    let strictest = crate::index::schema::level(Access::Secret);
    let level = |doc| column.first(doc).and_then(|level| u8::try_from(level).ok());
    (0..documents).map(|doc| level(doc).unwrap_or(strictest).min(strictest)).collect()
}

/// The value of a column that every document has.
#[inline]
pub fn value(column: &Column<u64>, doc: DocId) -> u64 {
    match column.index {
        ColumnIndex::Full => column.values.get_val(doc),
        _ => column.first(doc).unwrap_or(0),
    }
}

impl FacetColumn {
    /// Counts the values of these documents, by place in [`FacetColumn::names`].
    pub fn count(&self, docs: &[DocId]) -> Vec<u64> {
        let mut counts = vec![0; self.column.num_terms()];
        let ords = self.column.ords();
        if !matches!(ords.index, ColumnIndex::Full) {
            for ord in docs.iter().filter_map(|doc| ords.first(*doc)) {
                counts[ord as usize] += 1;
            }
            return counts;
        }
        let mut buffer = [0u64; 256];
        for docs in docs.chunks(buffer.len()) {
            let buffer = &mut buffer[..docs.len()];
            ords.values.get_vals(docs, buffer);
            for ord in buffer {
                counts[*ord as usize] += 1;
            }
        }
        counts
    }

    /// The values in the order of their places.
    pub fn names(&self) -> &[String] {
        self.names.get_or_init(|| {
            let mut names = Vec::with_capacity(self.column.num_terms());
            if let Ok(mut stream) = self.column.dictionary().stream() {
                while stream.advance() {
                    names.push(String::from_utf8_lossy(stream.key()).into_owned());
                }
            }
            names.resize(self.column.num_terms(), String::new());
            names
        })
    }
}

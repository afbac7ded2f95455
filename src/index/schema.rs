//! What the index holds of a record, and in which form.
//!
//! | field | form | for |
//! |---|---|---|
//! | `record` | 16 bytes | replacing and removing |
//! | `words` | syllables of everything, with places | matching, ranking, phrases |
//! | `pairs` | neighbouring syllables of everything | ranking |
//! | `subject` | syllables of the subject alone | ranking |
//! | `number` | keys of the record's own number | its bearers first |
//! | `mentions` | keys of numbers in its text | who speaks of it |
//! | `holder` | agency keys of agency and custodian | permission |
//! | `fact` | folded values to filter by | filters |
//! | columns | access level, dates, order, identifier, facet values | permission, sorting, counting |
//!
//! # Why
//! No text is stored: an answer is an identifier, and the words around a hit come from the archive, which
//! hashes what it reads. So a destroyed record leaves nothing here to read back.

use crate::index::{
    analysis::{Reading, Take, script},
    backlog::Claim,
    references,
};
use crate::record::{access, id::RecordId, metadata::Metadata, text};
use std::collections::BTreeSet;
use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf, Value};
use tantivy::schema::{BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::TokenizerManager;

/// Counts up with every change of analysis or of what is written: an index of another version is rebuilt.
const VERSION: u32 = 1;

/// Facets in the order of [`Fields::facets`].
pub const FACETS: [&str; 6] = ["agency", "type", "year", "fonds", "field", "access"];

/// The columns that sort and fence.
pub mod column {
    pub const LEVEL: &str = "level";
    pub const SEQ: &str = "seq";
    pub const FIRST_DAY: &str = "first_day";
    pub const LAST_DAY: &str = "last_day";
    pub const ID_HIGH: &str = "id_high";
    pub const ID_LOW: &str = "id_low";
}

/// The fields, by handle.
#[derive(Clone, Copy)]
pub struct Fields {
    pub record: Field,
    pub words: Field,
    pub pairs: Field,
    pub subject: Field,
    pub number: Field,
    pub mentions: Field,
    pub holder: Field,
    pub fact: Field,
    columns: [Field; 6],
    facets: [Field; 6],
}

fn tokenizer_name(take: &str) -> String {
    format!("{take}.v{VERSION}")
}

/// The schema of this version.
pub fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let analysed = |take: &str, option| {
        let indexing = TextFieldIndexing::default().set_tokenizer(&tokenizer_name(take)).set_index_option(option);
        TextOptions::default().set_indexing_options(indexing)
    };
    let raw = || {
        let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
        TextOptions::default().set_indexing_options(indexing.set_index_option(IndexRecordOption::Basic))
    };
    let column = || NumericOptions::default().set_fast();
    let facet = || TextOptions::default().set_fast("raw");
    let fields = Fields {
        record: builder.add_bytes_field("record", BytesOptions::default().set_indexed()),
        words: builder.add_text_field("words", analysed("words", IndexRecordOption::WithFreqsAndPositions)),
        pairs: builder.add_text_field("pairs", analysed("pairs", IndexRecordOption::WithFreqs)),
        subject: builder.add_text_field("subject", analysed("words", IndexRecordOption::WithFreqs)),
        number: builder.add_text_field("number", raw()),
        mentions: builder.add_text_field("mentions", raw()),
        holder: builder.add_text_field("holder", raw()),
        fact: builder.add_text_field("fact", raw()),
        columns: [column::LEVEL, column::SEQ, column::FIRST_DAY, column::LAST_DAY, column::ID_HIGH, column::ID_LOW]
            .map(|name| builder.add_u64_field(name, column())),
        facets: FACETS.map(|name| builder.add_text_field(&format!("facet_{name}"), facet())),
    };
    (builder.build(), fields)
}

/// The readers of scripts, under the names that the schema gives them.
pub fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    for (name, take) in [("words", Take::Words), ("pairs", Take::Pairs)] {
        manager.register(&tokenizer_name(name), Reading(take));
    }
    manager
}

/// The number by which a level is kept in its column.
pub fn level(level: access::Access) -> u8 {
    match level {
        access::Access::Public => 0,
        access::Access::Conditional => 1,
        access::Access::Secret => 2,
    }
}

/// A filterable value as a term: its kind, and the value without case, diacritics and doubled spaces.
pub fn fact(kind: char, value: &str) -> String {
    format!("{kind}:{}", text::fold(&text::line(value)))
}

/// The identifier as a number and back.
pub fn id_number(record: &RecordId) -> u128 {
    u128::from_str_radix(&record.to_string().replace('-', ""), 16).unwrap_or(0)
}

pub fn id_of(number: u128) -> Option<RecordId> {
    let digits = format!("{number:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-").parse().ok()
}

/// One value of an entry.
#[derive(Clone, Debug)]
enum Kept {
    Bytes([u8; 16]),
    Text(String),
    Number(u64),
    /// The script of that place in [`Entry::scripts`].
    Script(usize),
}

/// A record as the index takes it in.
pub struct Entry {
    values: Vec<(Field, Kept)>,
    scripts: Vec<String>,
    /// Given back when the writer has taken the entry in.
    _claim: Option<Claim>,
}

impl Entry {
    /// Analyses a record. The subject comes first, so that `words` knows it as part of the text.
    pub fn new(fields: &Fields, record: &RecordId, seq: u64, metadata: &Metadata, texts: &[&str]) -> Entry {
        let mut entry = Entry { values: vec![], scripts: vec![], _claim: None };
        entry.put_facts(fields, metadata);
        let id = id_number(record);
        entry.values.push((fields.record, Kept::Bytes(id.to_be_bytes())));
        let (first, last) = metadata.issued.map_or((0, 0), |date| date.span());
        let columns = [level(metadata.access).into(), seq, first.into(), last.into(), (id >> 64) as u64, id as u64];
        entry.values.extend(fields.columns.iter().zip(columns).map(|(field, value)| (*field, Kept::Number(value))));
        entry.put_script(fields, script(&metadata.subject));
        entry.values.push((fields.subject, Kept::Script(0)));
        entry.put_script(fields, script(&said_of(metadata)));
        let mut mentions = BTreeSet::new();
        for text in std::iter::once(metadata.subject.as_str()).chain(texts.iter().copied()) {
            references::in_text(text, &mut mentions);
        }
        entry.values.extend(mentions.into_iter().map(|key| (fields.mentions, Kept::Text(key))));
        for text in texts {
            entry.put_script(fields, script(text));
        }
        entry
    }

    pub fn holding(mut self, claim: Claim) -> Entry {
        self._claim = Some(claim);
        self
    }

    /// Memory it takes while it waits.
    pub fn bytes(&self) -> usize {
        1024 + self.scripts.iter().map(String::len).sum::<usize>()
    }

    fn put_script(&mut self, fields: &Fields, script: String) {
        let place = self.scripts.len();
        self.scripts.push(script);
        self.values.push((fields.words, Kept::Script(place)));
        self.values.push((fields.pairs, Kept::Script(place)));
    }

    fn put_facts(&mut self, fields: &Fields, metadata: &Metadata) {
        let mut put = |field: Field, value: String| self.values.push((field, Kept::Text(value)));
        for term in references::of_record(metadata) {
            put(fields.number, term);
        }
        for holder in [&metadata.agency, &metadata.custodian].into_iter().flatten() {
            put(fields.holder, access::agency_key(holder));
        }
        let facts = [
            ('a', &metadata.agency),
            ('t', &metadata.kind),
            ('f', &metadata.fonds),
            ('h', &metadata.file),
            ('l', &metadata.field),
        ];
        for (kind, value) in facts.into_iter().filter_map(|(kind, value)| Some((kind, value.as_ref()?))) {
            put(fields.fact, fact(kind, value));
        }
        let value = |value: &Option<String>| value.as_deref().map(text::line).unwrap_or_default();
        let year = metadata.issued.map(|date| format!("{:04}", date.year)).unwrap_or_default();
        let facets = [
            value(&metadata.agency),
            value(&metadata.kind),
            year,
            value(&metadata.fonds),
            value(&metadata.field),
            metadata.access.as_str().to_owned(),
        ];
        for (field, value) in fields.facets.iter().zip(facets) {
            put(*field, value);
        }
    }
}

/// What else is said of a record besides its subject, to be found by words.
fn said_of(metadata: &Metadata) -> String {
    let number = [&metadata.number, &metadata.notation].map(|part| part.as_deref().unwrap_or("")).join("/");
    let said = [
        &metadata.kind,
        &metadata.agency,
        &metadata.drafting_agency,
        &metadata.custodian,
        &metadata.field,
        &metadata.code,
        &metadata.external_id,
        &metadata.information_sign,
        &metadata.annotations,
        &metadata.note,
    ];
    let said = said.into_iter().flatten().chain(&metadata.keywords).chain(&metadata.procedures);
    said.fold(number, |all, part| all + "\n" + part)
}

/// A value as the index library reads it.
#[derive(Clone, Debug)]
pub struct Leaf<'a>(ReferenceValueLeaf<'a>);

impl<'a> Value<'a> for Leaf<'a> {
    type ArrayIter = std::iter::Empty<Leaf<'a>>;
    type ObjectIter = std::iter::Empty<(&'a str, Leaf<'a>)>;

    fn as_value(&self) -> ReferenceValue<'a, Leaf<'a>> {
        self.0.clone().into()
    }
}

impl tantivy::Document for Entry {
    type Value<'a> = Leaf<'a>;
    type FieldsValuesIter<'a> = Box<dyn Iterator<Item = (Field, Leaf<'a>)> + 'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        Box::new(self.values.iter().map(|(field, kept)| {
            let leaf = match kept {
                Kept::Bytes(bytes) => ReferenceValueLeaf::Bytes(bytes),
                Kept::Text(text) => ReferenceValueLeaf::Str(text),
                Kept::Number(number) => ReferenceValueLeaf::U64(*number),
                Kept::Script(place) => ReferenceValueLeaf::Str(&self.scripts[*place]),
            };
            (*field, Leaf(leaf))
        }))
    }
}

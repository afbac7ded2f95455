//! What somebody asks, and what is answered.

use crate::index::plan::Rule;
use crate::record::access::{Access, Reader};
use crate::record::digest::Digest;
use crate::record::id::RecordId;
use std::{fmt, str::FromStr};

/// Hits of one page at most.
pub const LIMIT_MAX: usize = 1000;

/// One question to the index. The reader is part of it: there is no search without permission.
#[derive(Clone, Debug)]
pub struct Query {
    /// Words, "phrases in quotes", reference numbers; empty for everything that the filters leave.
    pub text: String,
    pub filters: Filters,
    pub reader: Reader,
    pub sort: Sort,
    /// Hits wanted, at most [`LIMIT_MAX`].
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// Whether to count facet values.
    pub facets: bool,
}

impl Query {
    /// Twenty hits by relevance, without filters.
    pub fn new(text: &str, reader: Reader) -> Query {
        let (filters, sort) = (Filters::default(), Sort::Relevance);
        Query { text: text.to_owned(), filters, reader, sort, limit: 20, cursor: None, facets: false }
    }

    /// The same, going on where a page of it ended. The end of another question's page is a place in another
    /// list: pages from there would have gaps that nobody sees.
    pub fn after(mut self, cursor: &str) -> Result<Query, NotACursor> {
        let cursor: Cursor = cursor.parse()?;
        self.cursor = Some(cursor);
        if cursor.of == self.mark() { Ok(self) } else { Err(NotACursor) }
    }

    /// Stands for all that decides which hits there are and in which order.
    pub(in crate::index) fn mark(&self) -> u32 {
        // Of the names the one that was typed: who bore which before may become known between two pages.
        let agency = self.filters.agency.iter().take(1).cloned().collect();
        let filters = Filters { agency, ..self.filters.clone() };
        let asked = format!("{:?}", (&self.text, &filters, &self.reader, self.sort));
        let [a, b, c, d, ..] = Digest::of(asked.as_bytes()).0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// Filters; each one that is set must hold. Values are compared without case, diacritics and doubled spaces.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// A reference number, its beginning, or the number alone.
    pub number: Option<String>,
    /// Names of agencies, of which one must have issued the record: the one that was typed, then those that its bearers
    /// and whoever came before them have borne. None where it is not asked for.
    pub agency: Vec<String>,
    /// Tên loại văn bản.
    pub kind: Option<String>,
    pub fonds: Option<String>,
    pub file: Option<String>,
    /// Lĩnh vực.
    pub field: Option<String>,
    pub access: Option<Access>,
    /// First and last day of issue as `YYYYMMDD`; a date that is only a year or a month counts where it overlaps.
    pub issued_from: Option<u32>,
    pub issued_to: Option<u32>,
}

/// The order of hits. Equal ones follow by accession, latest first, then by identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    #[default]
    Relevance,
    /// By date of issue; undated records come last in both directions.
    IssuedNewest,
    IssuedOldest,
    /// By accession, latest first.
    Newest,
}

/// The place of a hit in its order: larger comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Key {
    pub primary: u64,
    pub seq: u64,
    pub id: u128,
}

/// The end of a page of one question's hits. Opaque outside; as text it is 74 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    pub(in crate::index) last: Key,
    pub(in crate::index) rule: Rule,
    /// The question, as [`Query::mark`] has it.
    pub(in crate::index) of: u32,
}

/// Not a cursor that this archive gave out for this question.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a place in the list of hits of this question; ask the same again, or start without it")]
pub struct NotACursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}{:032x}", self.last.primary, self.last.seq, self.last.id)?;
        write!(f, "{:02x}{:08x}", self.rule as u8, self.of)
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Cursor, NotACursor> {
        let plain = text.len() == 74 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(NotACursor);
        }
        let number = |range| u128::from_str_radix(&text[range], 16).map_err(|_| NotACursor);
        let rule = Rule::ALL.into_iter().find(|r| number(64..66) == Ok(*r as u128)).ok_or(NotACursor)?;
        let (primary, seq, of) = (number(0..16)? as u64, number(16..32)? as u64, number(66..74)? as u32);
        Ok(Cursor { last: Key { primary, seq, id: number(32..64)? }, rule, of })
    }
}

/// A hit: a record and how well it answers (comparable within one answer only).
#[derive(Clone, PartialEq, Debug)]
pub struct Hit {
    pub record: RecordId,
    pub score: f32,
}

/// Values of one facet with the number of matching records that have them, most frequent first.
pub type Counts = Vec<(String, u64)>;

/// Counts over everything that matches and may be seen. Records without a value are not counted.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facets {
    pub agency: Counts,
    pub kind: Counts,
    pub year: Counts,
    pub fonds: Counts,
    pub field: Counts,
    pub access: Counts,
}

/// An answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hits {
    pub hits: Vec<Hit>,
    /// All that match and may be seen, on every page.
    pub total: u64,
    /// Empty unless asked for.
    pub facets: Facets,
    /// Where the next page starts; `None` on the last.
    pub next: Option<Cursor>,
    /// The size of the ledger that this answer reflects.
    pub applied: u64,
}

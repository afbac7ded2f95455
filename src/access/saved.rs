//! A saved search, run to its end: what a hold on one lies on.
//!
//! # Why
//! *Written as the address of a search is*: `agency=…&from=2020`, so that what was looked at before can be kept as it is;
//! text without a name is words. A name that no search has is refused: a condition that is not understood would hold
//! something else than was meant.
//!
//! *By the rights of who asks*: how many records a hold catches must not tell of what somebody may not see.

use crate::access::{
    self,
    ask::{self, Question, QuestionError},
};
use crate::archive::{Archive, ArchiveError};
use crate::index::query::LIMIT_MAX;
use crate::record::{access::Reader, id::RecordId};

/// Records that a search may find where all of them are asked for.
pub const FOUND_MAX: u64 = 100_000;

/// Why a saved search was not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// A name that no search has.
    #[error("{0}: phép tìm không có điều kiện này / {0}: no search has this condition")]
    Name(String),
    #[error("phép tìm không có điều kiện / the search has no condition")]
    Empty,
    #[error("{0} > {FOUND_MAX}")]
    TooMany(u64),
}

/// Reads a saved search.
pub fn read(saved: &str) -> Result<Question, SavedError> {
    let saved = saved.trim().trim_start_matches('?');
    let mut question = Question { limit: LIMIT_MAX, sort: Some("newest".into()), ..Question::default() };
    if !saved.contains('=') {
        question.text = saved.into();
        return if saved.is_empty() { Err(SavedError::Empty) } else { Ok(question) };
    }
    let mut conditions = 0;
    for (name, value) in form_urlencoded::parse(saved.as_bytes()) {
        let value = value.trim().to_owned();
        if value.is_empty() {
            continue;
        }
        conditions += 1;
        match name.as_ref() {
            "q" => question.text = value,
            "number" => question.number = Some(value),
            "agency" => question.agency = Some(value),
            "type" => question.kind = Some(value),
            "fonds" => question.fonds = Some(value),
            "file" => question.file = Some(value),
            "field" => question.field = Some(value),
            "access" => question.access = Some(value),
            "from" => question.from = Some(value),
            "to" => question.to = Some(value),
            // How hits are shown is no condition.
            "sort" | "limit" | "cursor" | "facets" | "snippets" => conditions -= 1,
            other => return Err(SavedError::Name(other.to_owned())),
        }
    }
    if conditions == 0 { Err(SavedError::Empty) } else { Ok(question) }
}

/// Every record that a saved search finds for a reader, with all that was committed before.
pub async fn found(archive: &Archive, saved: &str, reader: Reader) -> Result<Vec<RecordId>, SavedError> {
    let question = read(saved)?;
    archive.settle().await?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let query = ask::query(Question { cursor, ..question.clone() }, reader.clone())?;
        let page = access::search(archive, query, false).await?;
        if page.total > FOUND_MAX {
            return Err(SavedError::TooMany(page.total));
        }
        found.extend(page.found.iter().map(|hit| hit.known.record));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_search_is_words_or_named_conditions() {
        assert_eq!(read("  đất đai ").unwrap().text, "đất đai");
        let read_whole = read("?agency=S%E1%BB%9F%20N%E1%BB%99i%20v%E1%BB%A5&from=2020&limit=5").unwrap();
        assert_eq!((read_whole.agency.as_deref(), read_whole.from.as_deref()), (Some("Sở Nội vụ"), Some("2020")));
        assert_eq!(read_whole.limit, LIMIT_MAX);
        for empty in ["", "?", "q=", "q=+&agency=", "limit=5&sort=newest"] {
            assert!(matches!(read(empty), Err(SavedError::Empty)), "{empty:?} would hold everything");
        }
        assert!(matches!(read("agencies=x"), Err(SavedError::Name(name)) if name == "agencies"));
    }
}

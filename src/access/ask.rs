//! A question as people and programs type it, read into one that the index answers.

use crate::index::query::{Filters, LIMIT_MAX, Query, Sort};
use crate::record::{
    access::{Access, Reader},
    date::PartialDate,
};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Question {
    pub text: String,
    pub number: Option<String>,
    pub agency: Option<String>,
    pub kind: Option<String>,
    pub fonds: Option<String>,
    pub file: Option<String>,
    pub field: Option<String>,
    pub access: Option<String>,
    /// First and last day of issue: 2026, 2026-05, 15/05/2026.
    pub from: Option<String>,
    pub to: Option<String>,
    /// `relevance`, `issued_newest`, `issued_oldest`, `newest`.
    pub sort: Option<String>,
    pub limit: usize,
    pub cursor: Option<String>,
    pub facets: bool,
}

/// Which part of a question is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuestionError {
    #[error("a day is written 2026, 2026-05 or 2026-05-15")]
    Day,
    #[error("an access level is public, conditional or secret")]
    Access,
    #[error("an order is relevance, issued_newest, issued_oldest or newest")]
    Order,
    #[error("a page holds 1 to 1000 records")]
    Limit,
    #[error("that cursor belongs to another question")]
    Cursor,
}

/// The query of a question, with the rights of its reader.
pub fn query(question: Question, reader: Reader) -> Result<Query, QuestionError> {
    if !(1..=LIMIT_MAX).contains(&question.limit) {
        return Err(QuestionError::Limit);
    }
    let typed = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let day = |text: Option<String>, last: bool| match typed(text) {
        Some(text) => match PartialDate::read(&text) {
            Ok(date) => Ok(Some(if last { date.span().1 } else { date.span().0 })),
            Err(_) => Err(QuestionError::Day),
        },
        None => Ok(None),
    };
    let access = typed(question.access).map(|text| Access::read(&text).ok_or(QuestionError::Access)).transpose()?;
    let filters = Filters {
        number: typed(question.number),
        agency: typed(question.agency),
        kind: typed(question.kind),
        fonds: typed(question.fonds),
        file: typed(question.file),
        field: typed(question.field),
        access,
        issued_from: day(question.from, false)?,
        issued_to: day(question.to, true)?,
    };
    let sort = match typed(question.sort).as_deref() {
        None | Some("relevance") => Sort::Relevance,
        Some("issued_newest") => Sort::IssuedNewest,
        Some("issued_oldest") => Sort::IssuedOldest,
        Some("newest") => Sort::Newest,
        Some(_) => return Err(QuestionError::Order),
    };
    let (limit, facets) = (question.limit, question.facets);
    let query = Query { filters, sort, limit, facets, ..Query::new(&question.text, reader) };
    match typed(question.cursor) {
        Some(cursor) => query.after(&cursor).map_err(|_| QuestionError::Cursor),
        None => Ok(query),
    }
}

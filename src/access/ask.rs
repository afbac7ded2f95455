//! A question as people and programs type it, read into one that the index answers.

use crate::index::query::{Filters, LIMIT_MAX, Query, Sort};
use crate::record::{
    access::{Access, Reader},
    date::PartialDate,
};
use serde::Serialize;

/// What was typed, under the names that the API has for it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Question {
    #[serde(rename = "q")]
    pub text: String,
    pub number: Option<String>,
    pub agency: Option<String>,
    #[serde(rename = "type")]
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

/// Which part of a question is none, and what would be one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuestionError {
    #[error(
        "{0}: không phải là ngày; viết 2026, 05/2026 hoặc 15/05/2026 / {0}: a date is written 2026, 2026-05 or 2026-05-15"
    )]
    Day(String),
    #[error(
        "{0}: mức độ tiếp cận là công khai, có điều kiện hoặc mật / {0}: an access level is public, conditional or secret"
    )]
    Access(String),
    #[error(
        "{0}: thứ tự là relevance, issued_newest, issued_oldest hoặc newest / {0}: an order is relevance, issued_newest, issued_oldest or newest"
    )]
    Order(String),
    #[error(
        "số tài liệu trên một trang ít nhất là 1, nhiều nhất là {max}; trang sau xem bằng cursor / a page holds at least 1 and at most {max} records; a cursor asks for the next page", max = LIMIT_MAX
    )]
    Limit,
    #[error(
        "cursor phải là giá trị mà trang trước của cùng câu hỏi, bộ lọc và thứ tự đã trả về / a cursor is what the page before of the same question, filters and order ended with"
    )]
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
            Err(_) => Err(QuestionError::Day(text)),
        },
        None => Ok(None),
    };
    let level = |text: String| Access::read(&text).ok_or(QuestionError::Access(text));
    let access = typed(question.access).map(level).transpose()?;
    let filters = Filters {
        number: typed(question.number),
        agency: typed(question.agency).into_iter().collect(),
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
        Some(other) => return Err(QuestionError::Order(other.to_owned())),
    };
    let (limit, facets) = (question.limit, question.facets);
    let query = Query { filters, sort, limit, facets, ..Query::new(&question.text, reader) };
    match typed(question.cursor) {
        Some(cursor) => query.after(&cursor).map_err(|_| QuestionError::Cursor),
        None => Ok(query),
    }
}

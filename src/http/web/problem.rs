//! What went wrong, as a page.

use crate::http::{
    error::{self, Trouble},
    language::Language,
    web::{Visit, html},
};
use askama::Template;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "problem.html")]
struct Page<'a> {
    visit: Visit,
    title: &'a str,
    next: &'a str,
}

/// The page of a problem. Who is logged in is not asked again: that may be what does not work.
pub fn page(trouble: &Trouble, language: Language) -> Response {
    let visit = Visit { language, actor: None, here: "/".into() };
    let (title, next) = (trouble.kind.title(language), error::next(trouble, language));
    html(&Page { visit, title, next }).unwrap_or_else(IntoResponse::into_response)
}

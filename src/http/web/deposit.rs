//! Handing over several files at once. The page holds the form; its script speaks to the API.

use crate::http::{
    error::{Kind, Trouble},
    web::{Visit, html},
};
use crate::record::codes::{self, Code};
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "deposit.html")]
struct Page {
    visit: Visit,
    types: &'static [Code],
    languages: &'static [Code],
}

/// The form, for those who may hand over.
pub async fn page(visit: Visit) -> Result<Response, Trouble> {
    if !visit.may_deposit() {
        return Err(Kind::Forbidden.into());
    }
    html(&Page { visit, types: &codes::TYPES, languages: &codes::LANGUAGES })
}

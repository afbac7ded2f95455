//! `/search`: which records speak of this.

use crate::access::{
    self,
    answer::Hits,
    ask::{self, Question},
};
use crate::http::{
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
    state::Door,
};
use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Words, "phrases in quotes", reference numbers; with or without diacritics.
    #[serde(default)]
    q: String,
    /// Number and notation: 48/QĐ-UBND.
    number: Option<String>,
    /// Issuing agency.
    agency: Option<String>,
    /// Type of document: Quyết định.
    #[serde(rename = "type")]
    kind: Option<String>,
    fonds: Option<String>,
    /// File (hồ sơ).
    file: Option<String>,
    /// Field of work (lĩnh vực).
    field: Option<String>,
    /// public, conditional or secret.
    access: Option<String>,
    /// Issued on this day or later: 2026, 2026-05, 2026-05-15.
    from: Option<String>,
    /// Issued on this day or earlier.
    to: Option<String>,
    /// relevance, issued_newest, issued_oldest or newest.
    sort: Option<String>,
    /// Records on a page, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// Count agencies, types, years, fonds, fields and access levels.
    #[serde(default)]
    facets: bool,
    /// Show the words around the first good place.
    #[serde(default)]
    snippets: bool,
}

/// Find records
#[utoipa::path(
    get, path = "/api/v1/search", tag = "search", params(Asked),
    responses(
        (status = 200, description = "A page of hits", body = Hits),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn search(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let question = Question {
        text: asked.q,
        number: asked.number,
        agency: asked.agency,
        kind: asked.kind,
        fonds: asked.fonds,
        file: asked.file,
        field: asked.field,
        access: asked.access,
        from: asked.from,
        to: asked.to,
        sort: asked.sort,
        limit: asked.limit.unwrap_or(door.config.server.page_size),
        cursor: asked.cursor,
        facets: asked.facets,
    };
    let query = ask::query(question, who.0.reader()).map_err(|_| Trouble::from(Kind::NotAQuestion))?;
    let page = access::search(&open.archive, query, asked.snippets).await?;
    Ok(Json(Hits::from(page)).into_response())
}

//! `/status`: how much there is.

use crate::archive::ArchiveError;
use crate::http::{
    error::{Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::actor::Act;
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct StatusOut {
    /// The name of the log.
    origin: String,
    entries: u64,
    records: u64,
    /// Records that wait to be read.
    waiting: u64,
}

/// How much there is
#[utoipa::path(
    get, path = "/api/v1/status", tag = "status",
    responses(
        (status = 200, description = "Counts", body = StatusOut),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn status(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must(Act::Watch)?;
    let archive = &open.archive;
    let counts = archive.catalog.counts().await.map_err(ArchiveError::from)?;
    let (origin, entries) = (archive.ledger.origin().to_owned(), archive.ledger.size());
    Ok(Json(StatusOut { origin, entries, records: counts.records, waiting: counts.waiting }).into_response())
}

//! `/findings`: what is wrong with a description, before anything is handed over.

use crate::exchange::posted;
use crate::http::{
    error::{FindingOut, Problem, Trouble},
    identity::Who,
    language::Language,
    state::Door,
};
use crate::record::actor::Act;
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is wrong.
#[derive(Serialize, ToSchema)]
pub struct Checked {
    /// Whether a package with this description would be taken in, as far as the description goes.
    acceptable: bool,
    findings: Vec<FindingOut>,
}

/// Check a description without keeping anything
#[utoipa::path(
    post, path = "/api/v1/findings", tag = "records",
    request_body(content = Object, description = "The fields of a manifest's row (schemas/README.md)", content_type = "application/json"),
    responses(
        (status = 200, description = "What is wrong with it", body = Checked),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn check(
    State(door): State<Arc<Door>>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Deposit)?;
    let findings = posted::read(&body, &door.config.ingest).package.findings;
    let acceptable = !findings.iter().any(|finding| finding.severity == crate::record::finding::Severity::Error);
    let language = Language::of(&headers);
    let findings = findings.iter().map(|finding| FindingOut::of(finding, language)).collect();
    Ok(Json(Checked { acceptable, findings }).into_response())
}

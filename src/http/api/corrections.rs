//! `/records/{record}/description` and `/records/{record}/move`: a record is described anew, or moved into another file.

use crate::access;
use crate::arrangement;
use crate::http::{
    api::{self, Acted, files::RevisionOut},
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
};
use crate::record::{actor::Act, id::FileId, metadata::Metadata};
use axum::{
    Json,
    extract::Path,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use utoipa::ToSchema;

/// Describe a record anew
///
/// A correction: the description before stays, and so do the components. File and fonds are not described but moved.
#[utoipa::path(
    put, path = "/api/v1/records/{record}/description", tag = "arrangement",
    params(("record" = String, Path, description = "Its identifier")),
    request_body(content = Object, description = "`metadata` of schemas/record.v1.json", content_type = "application/json"),
    responses(
        (status = 200, description = "Described", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn describe(
    Held(open): Held,
    who: Who,
    Path(record): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let (record, metadata) = (api::record(&record)?, api::read::<Metadata>(&body)?);
    access::open(&open.archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    let arranged = arrangement::describe_record(&open.archive, &who.arranging(), record, metadata).await?;
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

/// Where a record goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Moving {
    /// The identifier of the file.
    file: String,
    reason: String,
}

/// Move a record into another file
///
/// Out of an open file into an open file, for a reason.
#[utoipa::path(
    post, path = "/api/v1/records/{record}/move", tag = "arrangement", request_body = Moving,
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Moved", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn move_into(
    Held(open): Held,
    who: Who,
    Path(record): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let (record, moving) = (api::record(&record)?, api::read::<Moving>(&body)?);
    let file: FileId = moving.file.parse().map_err(|_| Kind::Malformed)?;
    access::open(&open.archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    let arranged = arrangement::move_record(&open.archive, &who.arranging(), record, file, &moving.reason).await?;
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

/// What was changed in the description of a record, the oldest first
#[utoipa::path(
    get, path = "/api/v1/records/{record}/changes", tag = "arrangement",
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Its descriptions, and what each changed", body = Vec<RevisionOut>),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn changes(
    Held(open): Held,
    who: Who,
    Path(record): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let record = api::record(&record)?;
    access::open(&open.archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    access::note(&open.archive, &who.0, record, None).await?;
    let revisions = arrangement::differences(&open.archive, record.into()).await?;
    let language = Language::of(&headers);
    let told: Vec<RevisionOut> = revisions.into_iter().map(|one| RevisionOut::of(one, language)).collect();
    Ok(Json(told).into_response())
}

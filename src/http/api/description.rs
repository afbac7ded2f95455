//! `/records/{record}/descriptions`: what was said of a record, and when; the exact bytes of each.

use crate::access::{
    self,
    answer::{self, Said},
};
use crate::archive::ArchiveError;
use crate::http::{
    api,
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::digest::Digest;
use axum::{
    Json,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

/// The history of a record's description, oldest first
#[utoipa::path(
    get, path = "/api/v1/records/{record}/descriptions", tag = "records",
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The descriptions", body = Vec<Said>),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn history(Held(open): Held, who: Who, Path(record): Path<String>) -> Result<Response, Trouble> {
    let said = answer::history(&open.archive, &who.0.reader(), api::record(&record)?).await?;
    Ok(Json(said.ok_or(Kind::NotFound)?).into_response())
}

/// The exact bytes of one description (RFC 8785), as the ledger names them
#[utoipa::path(
    get, path = "/api/v1/records/{record}/descriptions/{sha256}", tag = "records",
    params(
        ("record" = String, Path, description = "The record's identifier"),
        ("sha256" = String, Path, description = "The description's SHA-256"),
    ),
    responses(
        (status = 200, description = "The description", body = Object, content_type = "application/json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn bytes(
    Held(open): Held,
    who: Who,
    Path((record, sha256)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let (archive, record) = (&open.archive, api::record(&record)?);
    let digest: Digest = sha256.parse().map_err(|_| Kind::NotFound)?;
    access::open(archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    let life = archive.catalog.life(record).await.map_err(ArchiveError::from)?;
    if !life.iter().any(|happened| happened.description == Some(digest)) {
        return Err(Kind::NotFound.into());
    }
    access::note(archive, &who.0, record, None).await?;
    let described = archive.description_of(record, digest).await?.ok_or(Kind::NotFound)?;
    let bytes = described.description.to_bytes().map_err(|_| Kind::Failed)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

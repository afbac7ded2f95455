//! `/fonds`: all records of one creator; opened, closed on its last day, listed.

use crate::archive::ArchiveError;
use crate::arrangement;
use crate::http::{
    api::{self, Acted},
    error::{CREATED, Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
};
use crate::record::{
    actor::Act,
    fonds::{About, Closed},
    id::FondsId,
};
use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Every fonds.
#[derive(Serialize, ToSchema)]
pub struct AllFonds {
    fonds: Vec<FondsOut>,
}

#[derive(Serialize, ToSchema)]
pub struct FondsOut {
    fonds: String,
    code: String,
    name: String,
    /// The code of the agency whose records they are.
    creator: String,
    /// Its last day.
    closed: Option<String>,
}

/// List every fonds
#[utoipa::path(
    get, path = "/api/v1/fonds", tag = "arrangement",
    responses(
        (status = 200, description = "Every fonds, by code", body = AllFonds),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let all = open.archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let fonds = all.into_iter().map(|one| FondsOut {
        fonds: one.fonds.to_string(),
        code: one.code,
        name: one.name,
        creator: one.creator,
        closed: one.closed,
    });
    Ok(Json(AllFonds { fonds: fonds.collect() }).into_response())
}

/// Open a fonds
#[utoipa::path(
    post, path = "/api/v1/fonds", tag = "arrangement",
    request_body(content = Object, description = "What is said of it: `about` of schemas/fonds.v1.json", content_type = "application/json"),
    responses(
        (status = 201, description = "Opened", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn open(Held(open): Held, who: Who, headers: HeaderMap, body: Bytes) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let about: About = api::read(&body)?;
    let arranged = arrangement::open_fonds(&open.archive, &who.arranging(), about, None).await?;
    let place = [(header::LOCATION, format!("/api/v1/fonds/{}", arranged.unit))];
    Ok((CREATED, place, Json(Acted::arranged(&arranged, Language::of(&headers)))).into_response())
}

/// What is said of a fonds
#[derive(Serialize, ToSchema)]
pub struct OneFonds {
    /// The SHA-256 of the description in force.
    description: String,
    /// schemas/fonds.v1.json, without its salt.
    #[schema(value_type = Object)]
    fonds: Value,
}

/// Show a fonds
#[utoipa::path(
    get, path = "/api/v1/fonds/{fonds}", tag = "arrangement",
    params(("fonds" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Its description in force", body = OneFonds),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(Held(open): Held, who: Who, Path(fonds): Path<String>) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let id: FondsId = api::id(&fonds)?;
    let (fonds, digest) = arrangement::fonds(&open.archive, id).await?.ok_or(Kind::NotFound)?;
    Ok(Json(OneFonds { description: digest.to_string(), fonds: api::shown(&*fonds)? }).into_response())
}

/// Close a fonds on its last day
#[utoipa::path(
    post, path = "/api/v1/fonds/{fonds}/close", tag = "arrangement",
    params(("fonds" = String, Path, description = "Its identifier")),
    request_body(content = Object, description = "`on`: its last day; `reason`", content_type = "application/json"),
    responses(
        (status = 200, description = "Closed", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn close(
    Held(open): Held,
    who: Who,
    Path(fonds): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let (id, closed): (FondsId, Closed) = (api::id(&fonds)?, api::read(&body)?);
    let arranged = arrangement::close_fonds(&open.archive, &who.arranging(), id, closed).await?;
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

//! `/agencies`: the register of agencies by day, and who manages the records of a fonds.

use crate::arrangement;
use crate::exchange::lists;
use crate::http::{
    api::{self, Acted, plans::unread},
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
};
use crate::record::{
    actor::Act,
    agencies::custody::{Custodian, Share},
    date::PartialDate,
    id::FondsId,
};
use axum::{
    Json,
    extract::{Path, Query},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// As it was on this day; of the agencies all names that they ever had where nothing is said, of custodians today's.
    #[param(value_type = Option<String>, example = "2025-06-30")]
    on: Option<PartialDate>,
}

/// The register of agencies.
#[derive(Serialize, ToSchema)]
pub struct Register {
    /// `agencies` of schemas/register.v1.json: a row for each name of an agency.
    #[schema(value_type = Vec<Object>)]
    agencies: Vec<Value>,
    /// `levels` of the same.
    #[schema(value_type = Vec<Object>)]
    levels: Vec<Value>,
}

/// Show the register of agencies
#[utoipa::path(
    get, path = "/api/v1/agencies", tag = "arrangement", params(Day),
    responses(
        (status = 200, description = "The agencies; none where the archive has no register", body = Register),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who, Query(day): Query<Day>) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let Some(agencies) = open.archive.agencies().await? else {
        return Ok(Json(Register { agencies: Vec::new(), levels: Vec::new() }).into_response());
    };
    let register = agencies.register();
    let there = register.agencies.iter().filter(|one| day.on.is_none_or(|on| agencies.at(&one.code, on) == Some(one)));
    let (agencies, levels) = (there.map(|one| json!(one)).collect(), register.levels.iter().map(|one| json!(one)));
    Ok(Json(Register { agencies, levels: levels.collect() }).into_response())
}

/// Take a register in
///
/// JSON as schemas/register.v1.json says, TSV or CSV. No code that the register before has may be left out.
#[utoipa::path(
    put, path = "/api/v1/agencies", tag = "arrangement",
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 200, description = "In force", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn take(Held(open): Held, who: Who, headers: HeaderMap, body: Bytes) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let before = open.archive.register().await?;
    let draft = lists::register(&body, before.as_ref().map(|(before, _)| &**before)).map_err(unread)?;
    let arranged = arrangement::take_register(&open.archive, &who.arranging(), draft).await?;
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

/// Who manages the records of a fonds on a day; absent where nobody knows.
#[derive(Serialize, ToSchema)]
pub struct Custodians {
    on: String,
    permanent: Option<CustodianOut>,
    limited: Option<CustodianOut>,
}

#[derive(Serialize, ToSchema)]
pub struct CustodianOut {
    /// Its code.
    agency: String,
    /// `creator`, `assigned`, `historical_archive` or `until_assigned`.
    #[schema(value_type = String)]
    because: Value,
    /// The decision, where one says so.
    source: Option<String>,
}

impl From<Custodian> for CustodianOut {
    fn from(one: Custodian) -> CustodianOut {
        CustodianOut { agency: one.agency.to_string(), because: json!(one.because), source: one.source }
    }
}

/// Show who manages the records of a fonds
#[utoipa::path(
    get, path = "/api/v1/fonds/{fonds}/custodians", tag = "arrangement",
    params(("fonds" = String, Path, description = "Its identifier"), Day),
    responses(
        (status = 200, description = "Of permanent records, and of those of limited periods", body = Custodians),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn custodians(
    Held(open): Held,
    who: Who,
    Path(fonds): Path<String>,
    Query(day): Query<Day>,
) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let (archive, id): (_, FondsId) = (&open.archive, api::id(&fonds)?);
    let today = || archive.clock.now().day().parse().map_err(|_| Trouble::from(Kind::Failed));
    let on = day.on.map_or_else(today, Ok)?;
    let permanent = arrangement::custodian_at(archive, id, on, Share::Permanent).await?;
    let limited = arrangement::custodian_at(archive, id, on, Share::Limited).await?;
    let told =
        Custodians { on: on.to_string(), permanent: permanent.map(Into::into), limited: limited.map(Into::into) };
    Ok(Json(told).into_response())
}

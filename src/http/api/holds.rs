//! `/holds`: legal stops on disposition; placed, looked at, released by another person.
//!
//! # Why
//! *A search is run to its end before the hold is placed*, by the rights of who places it: the hold lies on the records
//! that were found, one by one, and what the search finds later is asked for in rounds where the hold says so.

use crate::access::saved::{self, SavedError};
use crate::archive::ArchiveError;
use crate::disposition::holds::{self, HoldAsked};
use crate::http::{
    api::{self, Acted},
    error::{CREATED, Kind, Problem, Rule, Trouble, trouble},
    identity::{Held, Who},
};
use crate::record::{
    actor::Act,
    hold::{HoldRefusal, Reason, Scope},
    id::{ActorId, HoldId},
};
use axum::{
    Json,
    extract::{Path, Query},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Every hold.
#[derive(Serialize, ToSchema)]
pub struct Holds {
    holds: Vec<HoldOut>,
}

#[derive(Serialize, ToSchema)]
pub struct HoldOut {
    hold: String,
    /// When it was placed, in UTC.
    at: String,
    /// record, file, fonds or search.
    scope: String,
    authority: String,
    reason: String,
    asked_by: String,
    /// When it was released.
    released: Option<String>,
    /// On how many units it lies.
    placed: u64,
}

/// List the holds
#[utoipa::path(
    get, path = "/api/v1/holds", tag = "disposition",
    responses(
        (status = 200, description = "Every hold, the newest first", body = Holds),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let holds = open.archive.catalog.holds().await.map_err(ArchiveError::from)?;
    let holds = holds.into_iter().map(|one| HoldOut {
        hold: one.hold.to_string(),
        at: one.at.to_string(),
        scope: one.scope,
        authority: one.authority,
        reason: one.reason.as_str().into(),
        asked_by: one.asked_by.to_string(),
        released: one.released.map(|at| at.to_string()),
        placed: one.placed,
    });
    Ok(Json(Holds { holds: holds.collect() }).into_response())
}

/// A hold that is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// Who may demand it, with the number of its document.
    authority: String,
    /// litigation, investigation, inspection, complaint, request, research or authority.
    #[schema(value_type = String)]
    reason: Reason,
    /// The reason in words.
    reason_text: String,
    /// `{"of":"record","record":…}`, `{"of":"file","file":…}`, `{"of":"fonds","fonds":…}` or
    /// `{"of":"search","query":…,"later_arrivals":…}` with a query as the address of a search has it.
    #[schema(value_type = Object)]
    scope: Scope,
    /// The account of who asked for it, where it is not who places it: that person will not release it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    asked_by: Option<ActorId>,
}

/// Place a hold
#[utoipa::path(
    post, path = "/api/v1/holds", tag = "disposition", request_body = NewHold,
    responses(
        (status = 201, description = "Placed", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn place(Held(open): Held, who: Who, body: Bytes) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let NewHold { authority, reason, reason_text, scope, asked_by } = api::read(&body)?;
    // Whoever never was here could release nothing, and would hinder nobody from releasing it.
    if let Some(id) = asked_by {
        let accounts = open.archive.desk.accounts().await.map_err(ArchiveError::from)?;
        accounts.iter().find(|account| account.actor.id == id).ok_or(Kind::Malformed)?;
    }
    let found = match &scope {
        Scope::Search { query, .. } => saved::found(&open.archive, query, who.0.reader()).await?,
        _ => Vec::new(),
    };
    let asked = HoldAsked { authority, reason, reason_text, scope, asked_by };
    // A task of its own: who hangs up does not leave a hold that lies on half of what was found.
    let acting = who.disposing(None);
    let placed = tokio::spawn(async move { holds::place_hold(&open.archive, &acting, asked, &found).await }).await;
    let done = placed.map_err(|_| Trouble::from(Kind::Failed))??;
    let place = [(header::LOCATION, format!("/api/v1/holds/{}", done.unit))];
    Ok((CREATED, place, Json(Acted::done(&done))).into_response())
}

impl From<SavedError> for Trouble {
    fn from(error: SavedError) -> Trouble {
        let empty = HoldRefusal::EmptySearch;
        match error {
            SavedError::Archive(error) => error.into(),
            SavedError::Question(_) | SavedError::Name(_) => Kind::NotAQuestion.into(),
            SavedError::Empty => {
                let rule = Rule { code: empty.as_str(), vi: empty.vi(), en: empty.en() };
                Trouble { rule: Some(rule), ..trouble(Kind::Held) }
            }
            SavedError::TooMany(_) => Kind::TooManyFound.into(),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Where it lies, from this entry on: `next` of the page before.
    #[serde(default)]
    #[param(minimum = 0, maximum = 9007199254740991_i64)]
    from: u64,
    /// So many places, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A hold, and where it lies.
#[derive(Serialize, ToSchema)]
pub struct OneHold {
    /// schemas/hold.v1.json, without its salt.
    #[schema(value_type = Object)]
    hold: Value,
    /// The SHA-256 of the description in force.
    description: String,
    placements: Vec<PlacementOut>,
    /// Where the next page begins.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct PlacementOut {
    /// record, file or fonds.
    kind: String,
    unit: String,
    /// The entry that placed it there.
    entry: u64,
    at: String,
    /// The entry that released it.
    released: Option<u64>,
}

/// Show a hold
#[utoipa::path(
    get, path = "/api/v1/holds/{hold}", tag = "disposition",
    params(("hold" = String, Path, description = "Its identifier"), Part),
    responses(
        (status = 200, description = "The hold, and a page of where it lies", body = OneHold),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    Held(open): Held,
    who: Who,
    Path(hold): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let (id, limit): (HoldId, u32) = (api::id(&hold)?, api::page_limit(part.limit)?);
    if i64::try_from(part.from).is_err() {
        return Err(Kind::NotAQuestion.into());
    }
    let (hold, digest) = holds::hold(&open.archive, id).await?.ok_or(Kind::NotFound)?;
    let placed = open.archive.catalog.placements(id, part.from, limit).await.map_err(ArchiveError::from)?;
    let next = placed.last().filter(|_| placed.len() as u32 == limit).map(|last| last.seq + 1);
    let placements = placed.iter().map(|one| PlacementOut {
        kind: one.unit.kind().as_str().into(),
        unit: one.unit.to_string(),
        entry: one.seq,
        at: one.at.to_string(),
        released: one.released,
    });
    let (placements, description) = (placements.collect(), digest.to_string());
    Ok(Json(OneHold { hold: api::shown(&*hold)?, description, placements, next }).into_response())
}

/// Why a hold is released.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Released {
    reason: String,
}

/// Release a hold
///
/// Not by who asked for it.
#[utoipa::path(
    post, path = "/api/v1/holds/{hold}/release", tag = "disposition", request_body = Released,
    params(("hold" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Released", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn release(Held(open): Held, who: Who, Path(hold): Path<String>, body: Bytes) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let (id, asked): (HoldId, Released) = (api::id(&hold)?, api::read(&body)?);
    let done = holds::release_hold(&open.archive, &who.disposing(None), id, &asked.reason).await?;
    Ok(Json(Acted::done(&done)).into_response())
}

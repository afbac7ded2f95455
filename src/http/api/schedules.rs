//! `/schedules`: the retention schedules (bảng thời hạn lưu trữ), their versions, their approval, and what a change of one
//! would move. How they come in is told in [`crate::http::api::imports`].

use crate::archive::ArchiveError;
use crate::disposition::{due, schedules};
use crate::http::{
    api::{self, Acted, imports},
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::{
    actor::Act,
    id::ScheduleId,
    retention::{change::Change, day::Day, schedule::Class},
};
use axum::{
    Json,
    extract::{Path, Query},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Schedules, or versions of one.
#[derive(Serialize, ToSchema)]
pub struct Schedules {
    schedules: Vec<ScheduleOut>,
}

#[derive(Serialize, ToSchema)]
pub struct ScheduleOut {
    schedule: String,
    version: u32,
    /// The SHA-256 of its description.
    description: String,
    title: String,
    /// The number of the legal source.
    source: Option<String>,
    /// The first day on which it is in force.
    from: String,
    /// The first on which it is not any more.
    until: Option<String>,
    /// Nothing can be destroyed by it.
    incomplete: bool,
    /// The decision by which it was approved.
    approved: Option<String>,
    /// How many classes it has.
    classes: u32,
    /// Do due dates follow from this version?
    rules: bool,
}

/// What the catalog knows of a version, as it is answered.
macro_rules! told {
    ($known:expr, $ruling:expr) => {{
        let known = $known;
        ScheduleOut {
            schedule: known.schedule.to_string(),
            rules: $ruling == Some(known.version),
            version: known.version,
            description: known.description.to_string(),
            title: known.title,
            source: known.source,
            from: known.from,
            until: known.until,
            incomplete: known.incomplete,
            approved: known.approved,
            classes: known.classes,
        }
    }};
}

/// List the schedules
///
/// Each in its newest version.
#[utoipa::path(
    get, path = "/api/v1/schedules", tag = "retention",
    responses(
        (status = 200, description = "Every schedule, by title", body = Schedules),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let catalog = &open.archive.catalog;
    let mut schedules = Vec::new();
    for known in catalog.schedules().await.map_err(ArchiveError::from)? {
        let ruling = catalog.ruling(known.schedule).await.map_err(ArchiveError::from)?;
        schedules.push(told!(known, ruling.as_ref().map(|ruling| ruling.version)));
    }
    Ok(Json(Schedules { schedules }).into_response())
}

/// The versions of a schedule, the oldest first
#[utoipa::path(
    get, path = "/api/v1/schedules/{schedule}", tag = "retention",
    params(("schedule" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Its versions", body = Schedules),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn versions(Held(open): Held, who: Who, Path(schedule): Path<String>) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let (id, catalog): (ScheduleId, _) = (api::id(&schedule)?, &open.archive.catalog);
    let versions = catalog.versions(id).await.map_err(ArchiveError::from)?;
    if versions.is_empty() {
        return Err(Kind::NotFound.into());
    }
    let ruling = catalog.ruling(id).await.map_err(ArchiveError::from)?.map(|ruling| ruling.version);
    let schedules = versions.into_iter().map(|known| told!(known, ruling)).collect();
    Ok(Json(Schedules { schedules }).into_response())
}

/// One version of a schedule, with its classes.
#[derive(Serialize, ToSchema)]
pub struct OneVersion {
    /// The SHA-256 of its description.
    description: String,
    /// schemas/schedule.v1.json, without its salt.
    #[schema(value_type = Object)]
    schedule: Value,
}

/// Show a version of a schedule with its classes
#[utoipa::path(
    get, path = "/api/v1/schedules/{schedule}/versions/{version}", tag = "retention",
    params(
        ("schedule" = String, Path, description = "Its identifier"),
        ("version" = u32, Path, description = "Counted from 1", minimum = 1),
    ),
    responses(
        (status = 200, description = "The version", body = OneVersion),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn version(
    Held(open): Held,
    who: Who,
    Path((schedule, version)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let (id, version): (ScheduleId, u32) = (api::id(&schedule)?, api::id(&version)?);
    let (schedule, digest) = schedules::version(&open.archive, id, version).await?.ok_or(Kind::NotFound)?;
    Ok(Json(OneVersion { description: digest.to_string(), schedule: api::shown(&*schedule)? }).into_response())
}

/// The head's decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Its number, `15/QĐ-SNV`.
    decision: String,
    /// Its day.
    #[schema(value_type = String, example = "2026-05-15")]
    on: Day,
}

/// Approve the newest version of a schedule
///
/// The head does, and not who drafted it; due dates follow from it at once.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/approve", tag = "retention", request_body = Approved,
    params(("schedule" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Approved", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn approve(
    Held(open): Held,
    who: Who,
    Path(schedule): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let (id, asked): (ScheduleId, Approved) = (api::id(&schedule)?, api::read(&body)?);
    let (who, decision) = (who.disposing(None), asked.decision.trim());
    let done = schedules::approve_schedule(&open.archive, &who, id, decision, asked.on).await?;
    Ok(Json(Acted::done(&done)).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// json or csv.
    #[param(pattern = "^(json|csv)$")]
    format: Option<String>,
}

impl Format {
    /// Is a spreadsheet asked for?
    pub fn is_csv(&self) -> Result<bool, Trouble> {
        match self.format.as_deref() {
            None | Some("json") => Ok(false),
            Some("csv") => Ok(true),
            Some(_) => Err(Kind::NotAQuestion.into()),
        }
    }
}

/// What a change would move.
#[derive(Serialize, ToSchema)]
pub struct Simulated {
    /// Records and bytes: all that were looked at, and of these what moves, earlier, later, what is due at once or no more.
    #[schema(value_type = Object)]
    totals: Value,
    /// Groups that move together: class and due date before and after, records and bytes.
    #[schema(value_type = Vec<Object>)]
    moves: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Classes {
    classes: Vec<Class>,
}

/// See what other classes of a schedule would move
///
/// Nothing is changed. The body is a table as it is imported, or `{"classes": […]}` as a version has them.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/simulate", tag = "retention",
    params(("schedule" = String, Path, description = "Its identifier"), Format),
    request_body(content(
        (String = "text/plain"),
        (Object = "application/json"),
    )),
    responses(
        (status = 200, description = "What would move", content(
            (Simulated = "application/json"),
            (String = "text/csv"),
        )),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn simulate(
    Held(open): Held,
    who: Who,
    Path(schedule): Path<String>,
    Query(format): Query<Format>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let (id, csv): (ScheduleId, bool) = (api::id(&schedule)?, format.is_csv()?);
    schedules::schedule(&open.archive, id).await?.ok_or(Kind::NotFound)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let classes = match kind.starts_with("application/json") {
        true => api::read::<Classes>(&body)?.classes,
        false => imports::read(&open, &body).await?.classes,
    };
    let change = due::simulate(&open.archive, id, &classes).await?;
    if csv {
        return Ok(api::csv("simulation", rows(&change)));
    }
    let value = |value: Result<Value, serde_json::Error>| value.map_err(|_| Trouble::from(Kind::Failed));
    let totals = value(serde_json::to_value(change.totals()))?;
    let moves = value(serde_json::to_value(change.moves()))?;
    Ok(Json(Simulated { totals, moves }).into_response())
}

fn rows(change: &Change) -> impl Iterator<Item = Vec<String>> + use<> {
    let head = ["class_before", "class_after", "due_before", "due_after", "records", "bytes"].map(str::to_owned);
    let moves = change.moves().into_iter().map(|one| {
        let (before, after) = (one.before.to_string(), one.after.to_string());
        vec![one.class_before, one.class_after, before, after, one.records.to_string(), one.bytes.to_string()]
    });
    std::iter::once(head.to_vec()).chain(moves)
}

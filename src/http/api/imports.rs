//! `/schedules`, coming in: a table as people keep it becomes a new schedule or the next version of one; and those that
//! come with the program.
//!
//! # Why
//! *The table is the body, its head is in the address*: a spreadsheet is handed over as it is, and what it does not say,
//! its title, its legal source, from when it is in force, is asked for beside it.
//!
//! *Incomplete unless somebody says otherwise*: nothing can be destroyed by a schedule until a person has held it against
//! the print.

use crate::archive::ArchiveError;
use crate::disposition::schedules;
use crate::exchange::{
    schedule::{self, Imported},
    shipped,
};
use crate::http::{
    api::{self, Acted},
    error::{CREATED, Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
    ruled,
    state::Open,
};
use crate::record::{
    actor::Act,
    date::PartialDate,
    finding::Severity,
    id::ScheduleId,
    retention::{
        day::Day,
        schedule::{Draft, LegalSource},
    },
};
use axum::{
    Json,
    extract::{Path, Query},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::path::Path as File;
use utoipa::{IntoParams, ToSchema};

/// The largest table.
pub use crate::exchange::schedule::BYTES_MAX;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Tên bảng thời hạn lưu trữ.
    title: String,
    /// The legal source: its number, `10/2022/TT-BNV`.
    number: Option<String>,
    /// Its title.
    source: Option<String>,
    /// The day on which it was issued.
    #[param(value_type = Option<String>, example = "2022-12-19")]
    issued: Option<PartialDate>,
    /// Who issued it.
    agency: Option<String>,
    /// The first day on which the schedule is in force.
    #[param(value_type = String, example = "2023-02-15")]
    from: Day,
    /// The first day on which it is not any more.
    #[param(value_type = Option<String>)]
    until: Option<Day>,
    /// Rows are missing, or were not compared with the source: true where nothing is said.
    incomplete: Option<bool>,
    note: Option<String>,
}

impl Head {
    fn draft(self, imported: Imported) -> Draft {
        let Head { title, number, source, issued, agency, from, until, incomplete, note } = self;
        let source = match (number, issued) {
            (Some(number), Some(issued)) => {
                let (title, agency) = (source.unwrap_or_default(), agency.unwrap_or_default());
                Some(LegalSource { number, title, issued, agency })
            }
            _ => None,
        };
        let (incomplete, classes) = (incomplete.unwrap_or(true), imported.classes);
        Draft { title, source, from, until, incomplete, note, classes }
    }
}

/// Import a schedule
///
/// TSV, CSV or XLSX, one class a row; the first row names the columns. A row with an error stops the import; warnings come
/// with the answer. The schedule is not approved yet.
#[utoipa::path(
    post, path = "/api/v1/schedules", tag = "retention", params(Head),
    request_body(content(
        (String = "text/plain"),
        (Vec<u8> = "application/octet-stream"),
    )),
    responses(
        (status = 201, description = "Version 1, not approved", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn import(
    Held(open): Held,
    who: Who,
    Query(head): Query<Head>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let imported = read(&open, &body).await?;
    let findings = ruled::told_rules(&imported.flaws, Language::of(&headers));
    let done = schedules::open_schedule(&open.archive, &who.disposing(None), head.draft(imported)).await?;
    let place = [(header::LOCATION, format!("/api/v1/schedules/{}", done.unit))];
    Ok((CREATED, place, Json(Acted { findings, ..Acted::done(&done) })).into_response())
}

/// Import the next version of a schedule
///
/// The versions before stay, and rule until this one is approved.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/versions", tag = "retention",
    params(("schedule" = String, Path, description = "Its identifier"), Head),
    request_body(content(
        (String = "text/plain"),
        (Vec<u8> = "application/octet-stream"),
    )),
    responses(
        (status = 201, description = "The next version, not approved", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn revise(
    Held(open): Held,
    who: Who,
    Path(schedule): Path<String>,
    Query(head): Query<Head>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let id: ScheduleId = api::id(&schedule)?;
    let imported = read(&open, &body).await?;
    let findings = ruled::told_rules(&imported.flaws, Language::of(&headers));
    let done = schedules::revise_schedule(&open.archive, &who.disposing(None), id, head.draft(imported)).await?;
    let place = [(header::LOCATION, format!("/api/v1/schedules/{}", done.unit))];
    Ok((CREATED, place, Json(Acted { findings, ..Acted::done(&done) })).into_response())
}

/// Reads a table; what is wrong with one of its rows stops all of it, for a schedule with holes would be followed.
pub async fn read(open: &Open, body: &[u8]) -> Result<Imported, Trouble> {
    // The running program, also where an upgrade has replaced its file.
    let read = schedule::read(File::new("/proc/self/exe"), body, &open.archive.config.content).await;
    let imported = read.map_err(|error| ArchiveError::Stopped(error.to_string()))?;
    let broken = imported.flaws.iter().any(|flaw| flaw.severity == Severity::Error);
    if broken { Err(ruled::flawed(&imported.flaws)) } else { Ok(imported) }
}

/// The schedules that come with the program.
#[derive(Serialize, ToSchema)]
pub struct Shipped {
    shipped: Vec<ShippedOut>,
}

#[derive(Serialize, ToSchema)]
pub struct ShippedOut {
    /// By which it is taken over, from 1.
    number: usize,
    title: String,
    /// The number of the legal source.
    source: Option<String>,
    from: String,
    until: Option<String>,
    incomplete: bool,
    note: Option<String>,
    classes: usize,
}

/// List the schedules that come with the program
///
/// Drafts, for an agency to complete and to approve.
#[utoipa::path(
    get, path = "/api/v1/schedules/shipped", tag = "retention",
    responses(
        (status = 200, description = "The drafts", body = Shipped),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn shipped(who: Who) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let shipped = (1..).zip(drafts()?).map(|(number, draft)| ShippedOut {
        number,
        title: draft.title,
        source: draft.source.map(|source| source.number),
        from: draft.from.to_string(),
        until: draft.until.map(|until| until.to_string()),
        incomplete: draft.incomplete,
        note: draft.note,
        classes: draft.classes.len(),
    });
    Ok(Json(Shipped { shipped: shipped.collect() }).into_response())
}

/// Take over a schedule that comes with the program
#[utoipa::path(
    post, path = "/api/v1/schedules/shipped/{number}", tag = "retention",
    params(("number" = u32, Path, description = "Its number in the list", minimum = 1)),
    responses(
        (status = 201, description = "Version 1, not approved", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn take(Held(open): Held, who: Who, Path(number): Path<String>) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let number: usize = api::id(&number)?;
    let draft = number.checked_sub(1).map(|at| drafts().map(|all| all.into_iter().nth(at))).transpose()?.flatten();
    let draft = draft.ok_or(Kind::NotFound)?;
    let done = schedules::open_schedule(&open.archive, &who.disposing(None), draft).await?;
    let place = [(header::LOCATION, format!("/api/v1/schedules/{}", done.unit))];
    Ok((CREATED, place, Json(Acted::done(&done))).into_response())
}

fn drafts() -> Result<Vec<Draft>, Trouble> {
    shipped::schedules().map_err(|error| {
        tracing::error!(%error, "a schedule that comes with the program cannot be read");
        Kind::Failed.into()
    })
}

//! `/due`: what falls due and when, why, how much of it in which year, and what goes to a historical archive.

use crate::access;
use crate::archive::ArchiveError;
use crate::disposition::{
    due::{self, DueFilter, DueUnit},
    transfers,
};
use crate::http::{
    api::{self, files, schedules::Format},
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
    state::Open,
};
use crate::record::{
    access::Reader,
    actor::Act,
    disposition::transfer::Transfer,
    entry::Instant,
    retention::{day::Day, derivation::Derivation},
    unit::{Kind as UnitKind, Unit},
};
use axum::{
    Json,
    extract::{Path, Query},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Due on this day or earlier; today where nothing is said.
    #[param(example = "2026-12-31")]
    until: Option<String>,
    /// The code of the fonds.
    fonds: Option<String>,
    /// The identifier of the schedule.
    schedule: Option<String>,
    /// The code of the class.
    class: Option<String>,
    /// file or record.
    kind: Option<String>,
    /// Only what is on hold, or only what is not.
    held: Option<bool>,
    /// Only what stands on the list of an open case, or only what does not.
    considered: Option<bool>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// So many of them, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Units whose transfer is told at once.
const TRANSFERS_MAX: usize = 1000;

/// A page of what is due.
#[derive(Serialize, ToSchema)]
pub struct DueList {
    due: Vec<DueOut>,
    /// Where the next page begins.
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DueOut {
    /// file, or record where it is loose.
    kind: String,
    unit: String,
    code: Option<String>,
    /// Left out where the reader may not read it.
    title: Option<String>,
    fonds: Option<String>,
    agency: Option<String>,
    schedule: Option<String>,
    class: Option<String>,
    /// on:2025-01-01, never, or waiting: and what for.
    due: String,
    records: u64,
    bytes: u64,
    held: bool,
    /// The open case on whose list it stands.
    case: Option<String>,
    access: String,
}

impl DueOut {
    fn of(unit: DueUnit, reader: &Reader) -> DueOut {
        let may = api::may_learn(reader, &unit.access, unit.agency.as_deref(), None);
        DueOut {
            kind: unit.unit.kind().as_str().into(),
            unit: unit.unit.to_string(),
            code: unit.code,
            title: may.then_some(unit.title),
            fonds: unit.fonds,
            agency: unit.agency,
            schedule: unit.schedule.map(|id| id.to_string()),
            class: unit.class,
            due: unit.due.to_string(),
            records: unit.records,
            bytes: unit.bytes,
            held: unit.held,
            case: unit.case.map(|id| id.to_string()),
            access: unit.access,
        }
    }
}

/// List what is due
#[utoipa::path(
    get, path = "/api/v1/due", tag = "retention", params(Asked),
    responses(
        (status = 200, description = "A page, the longest due first", body = DueList),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let today = Day::in_vietnam(open.archive.clock.now());
    let kind = asked.kind.as_deref().map(kind).transpose().map_err(|_| Trouble::from(Kind::NotAQuestion))?;
    let filter = DueFilter {
        until: api::value(asked.until.as_deref())?.unwrap_or(today),
        fonds: asked.fonds,
        schedule: api::value(asked.schedule.as_deref())?,
        class: asked.class,
        kind,
        held: asked.held,
        considered: asked.considered,
    };
    let (after, limit) = (api::value(asked.cursor.as_deref())?, api::page_limit(asked.limit)?);
    let listed = open.archive.catalog.due_list(&filter, after.as_ref(), limit).await;
    let (units, next) = listed.map_err(ArchiveError::from)?;
    let reader = who.0.reader();
    let due = units.into_iter().map(|unit| DueOut::of(unit, &reader)).collect();
    Ok(Json(DueList { due, next: next.map(|mark| mark.to_string()) }).into_response())
}

/// What falls due is a file or a record.
fn kind(text: &str) -> Result<UnitKind, Trouble> {
    let kinds = [UnitKind::File, UnitKind::Record];
    kinds.into_iter().find(|kind| kind.as_str() == text).ok_or(Kind::NotFound.into())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// With what was known then: a moment in UTC, or the end of a day in Vietnam.
    #[param(example = "2026-05-15")]
    at: Option<String>,
}

/// Why something is due when it is.
#[derive(Serialize, ToSchema)]
pub struct Explained {
    due: String,
    /// schemas/derivation.v1.json
    #[schema(value_type = Object)]
    derivation: Derivation,
    /// The same in sentences, in the language of the request.
    lines: Vec<String>,
}

/// Explain a due date
///
/// Which class of which version, counted from what, how, under which holds; also with what was known on another day.
#[utoipa::path(
    get, path = "/api/v1/due/{kind}/{unit}", tag = "retention",
    params(
        ("kind" = String, Path, description = "file or record"),
        ("unit" = String, Path, description = "Its identifier"),
        AsOf,
    ),
    responses(
        (status = 200, description = "How the date came about", body = Explained),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn explain(
    Held(open): Held,
    who: Who,
    Path((of, unit)): Path<(String, String)>,
    Query(as_of): Query<AsOf>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let unit = kind(&of)?.unit(&unit).map_err(|_| Kind::NotFound)?;
    let at = as_of.at.as_deref().map(moment).transpose()?;
    expect_readable(&open, &who, unit).await?;
    let derivation = due::explain(&open.archive, unit, at).await?.ok_or(Kind::NotFound)?;
    let lines = match Language::of(&headers) {
        Language::Vi => derivation.lines_vi(),
        Language::En => derivation.lines_en(),
    };
    Ok(Json(Explained { due: derivation.due.to_string(), derivation, lines }).into_response())
}

/// What one may not read is not there.
async fn expect_readable(open: &Open, who: &Who, unit: Unit) -> Result<(), Trouble> {
    match unit {
        Unit::File(id) => files::readable(open, &who.0, id).await.map(drop),
        Unit::Record(id) => {
            access::open(&open.archive, &who.0.reader(), id).await?.map(drop).ok_or(Kind::NotFound.into())
        }
        _ => Err(Kind::NotFound.into()),
    }
}

/// A moment, or the last one of a day in Vietnam.
fn moment(text: &str) -> Result<Instant, Trouble> {
    let whole = |day: Day| format!("{day}T16:59:59.999999Z").parse();
    let read = text.parse().or_else(|_| text.parse::<Day>().map_or_else(|_| "".parse(), whole));
    read.map_err(|_| Kind::NotAQuestion.into())
}

/// How much falls due in which year.
#[derive(Serialize, ToSchema)]
pub struct Forecast {
    falling: Vec<FallingOut>,
}

#[derive(Serialize, ToSchema)]
pub struct FallingOut {
    /// None of what never falls due, or waits.
    year: Option<i16>,
    /// on, never or waiting.
    due: String,
    schedule: Option<String>,
    class: Option<String>,
    fonds: Option<String>,
    agency: Option<String>,
    records: u64,
    bytes: u64,
}

/// Forecast how much falls due
#[utoipa::path(
    get, path = "/api/v1/due/forecast", tag = "retention", params(Format),
    responses(
        (status = 200, description = "Records and bytes by year, class, fonds and agency", content(
            (Forecast = "application/json"),
            (String = "text/csv"),
        )),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn forecast(Held(open): Held, who: Who, Query(format): Query<Format>) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let csv = format.is_csv()?;
    let falling = due::forecast(&open.archive).await?.into_iter().map(|one| FallingOut {
        year: one.year,
        due: one.due,
        schedule: one.schedule.map(|id| id.to_string()),
        class: one.class,
        fonds: one.fonds,
        agency: one.agency,
        records: one.records,
        bytes: one.bytes,
    });
    let falling: Vec<FallingOut> = falling.collect();
    if !csv {
        return Ok(Json(Forecast { falling }).into_response());
    }
    let head = ["year", "due", "schedule", "class", "fonds", "agency", "records", "bytes"].map(str::to_owned);
    let rows = falling.into_iter().map(|one| {
        let texts = [one.schedule, one.class, one.fonds, one.agency].map(Option::unwrap_or_default);
        let [schedule, class, fonds, agency] = texts;
        let year = one.year.map_or(String::new(), |year| year.to_string());
        vec![year, one.due, schedule, class, fonds, agency, one.records.to_string(), one.bytes.to_string()]
    });
    Ok(api::csv("forecast", std::iter::once(head.to_vec()).chain(rows)))
}

/// What is permanent, and when it is due at the historical archive.
#[derive(Serialize, ToSchema)]
pub struct Transfers {
    transfers: Vec<TransferOut>,
}

#[derive(Serialize, ToSchema)]
pub struct TransferOut {
    unit: DueOut,
    /// `state`: marked, waits, due or overdue; `until`, `by` as days, and how many `days`.
    #[schema(value_type = Object)]
    transfer: Value,
}

/// List what is to be handed over to the historical archive
#[utoipa::path(
    get, path = "/api/v1/due/transfers", tag = "retention",
    responses(
        (status = 200, description = "Permanent units, and how their transfer stands", body = Transfers),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn handed_over(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let reader = who.0.reader();
    let transfers = transfers::transfers(&open.archive, TRANSFERS_MAX).await?;
    let transfers = transfers
        .into_iter()
        .map(|(unit, transfer)| TransferOut { unit: DueOut::of(unit, &reader), transfer: stands(&transfer) });
    Ok(Json(Transfers { transfers: transfers.collect() }).into_response())
}

fn stands(transfer: &Transfer) -> Value {
    let day = |day: u32| format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100);
    match transfer {
        Transfer::Marked => serde_json::json!({"state": "marked"}),
        Transfer::Waits { until } => serde_json::json!({"state": "waits", "until": day(*until)}),
        Transfer::Due { by, days } => serde_json::json!({"state": "due", "by": day(*by), "days": days}),
        Transfer::Overdue { by, days } => serde_json::json!({"state": "overdue", "by": day(*by), "days": days}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_asked_by_its_end_in_vietnam() {
        let end = moment("2026-05-15").unwrap();
        assert_eq!(end.to_string(), "2026-05-15T16:59:59.999999Z");
        assert_eq!(Day::in_vietnam(end).to_string(), "2026-05-15");
        assert_eq!(moment("2026-05-15T01:02:03.000000Z").unwrap().to_string(), "2026-05-15T01:02:03.000000Z");
        assert!(moment("2026").is_err() && moment("").is_err());
    }
}

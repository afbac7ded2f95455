//! `/plans`: lists of files of a year (danh mục hồ sơ), from a table to the files that they open.
//!
//! # Why
//! *Of a fonds whose files one may not read no list is told*: its titles are those of files that nobody has judged yet.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement::{self, PlanDraft};
use crate::exchange::lists;
use crate::http::{
    api::{self, Acted},
    error::{CREATED, FindingOut, Kind, Problem, Rule, Trouble, Wrong},
    identity::{Held, Who},
    language::Language,
    ruled,
};
use crate::record::{
    actor::Act,
    date::PartialDate,
    finding::Severity,
    id::{FileId, FondsId, PlanId},
    plan::FilePlan,
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
use std::{collections::HashMap, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// The largest table.
pub use crate::exchange::lists::BYTES_MAX;

/// Every list of files that the reader may read.
#[derive(Serialize, ToSchema)]
pub struct Plans {
    plans: Vec<PlanOut>,
}

#[derive(Serialize, ToSchema)]
pub struct PlanOut {
    plan: String,
    /// The identifier of the fonds.
    fonds: String,
    year: u16,
    /// The code of the agency whose list it is.
    agency: String,
    /// The decision that issued it; absent of a draft.
    approved: Option<String>,
    files: u32,
}

/// List the lists of files
#[utoipa::path(
    get, path = "/api/v1/plans", tag = "arrangement",
    responses(
        (status = 200, description = "The lists, the newest year first", body = Plans),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let creators = creators(&open.archive).await?;
    let plans = open.archive.catalog.plans().await.map_err(ArchiveError::from)?;
    let plans = plans.into_iter().filter(|one| learns(&who, &creators, one.fonds)).map(|one| PlanOut {
        plan: one.plan.to_string(),
        fonds: one.fonds.to_string(),
        year: one.year,
        agency: one.agency,
        approved: one.approved,
        files: one.files,
    });
    Ok(Json(Plans { plans: plans.collect() }).into_response())
}

/// The creators of the fonds.
async fn creators(archive: &Archive) -> Result<HashMap<FondsId, String>, Trouble> {
    let all = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    Ok(all.into_iter().map(|one| (one.fonds, one.creator)).collect())
}

fn learns(who: &Who, creators: &HashMap<FondsId, String>, fonds: FondsId) -> bool {
    let creator = creators.get(&fonds).map(String::as_str);
    creator.is_some() && api::may_learn(&who.0.reader(), "conditional", creator, None)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The year whose files they are.
    #[param(minimum = 1, maximum = 9999)]
    year: u16,
    /// The code of the agency whose list it is; the creator of the fonds where nothing is said.
    agency: Option<String>,
}

/// Draft the list of a year
///
/// TSV or CSV, one file a row; the first row names the columns, code and title must be there. A row that has neither a
/// period nor a maker is a heading. A row that cannot be read stops all of it.
#[utoipa::path(
    post, path = "/api/v1/fonds/{fonds}/plans", tag = "arrangement",
    params(("fonds" = String, Path, description = "The identifier of the fonds"), Head),
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 201, description = "A draft", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn open(
    Held(open): Held,
    who: Who,
    Path(fonds): Path<String>,
    Query(head): Query<Head>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let fonds: FondsId = api::id(&fonds)?;
    let creators = creators(&open.archive).await?;
    let creator = creators.get(&fonds).filter(|_| learns(&who, &creators, fonds)).ok_or(Kind::NotFound)?;
    let agency = head.agency.as_ref().unwrap_or(creator).parse().map_err(|_| Trouble::from(Kind::NotAQuestion))?;
    let (headings, files) = lists::plan(&body).map_err(unread)?;
    let draft = PlanDraft { fonds, year: year(head.year)?, agency, headings, files };
    let arranged = arrangement::open_plan(&open.archive, &who.arranging(), draft).await?;
    let place = [(header::LOCATION, format!("/api/v1/plans/{}", arranged.unit))];
    Ok((CREATED, place, Json(Acted::arranged(&arranged, Language::of(&headers)))).into_response())
}

/// A year that a date can have.
fn year(asked: u16) -> Result<u16, Trouble> {
    if (1..=9999).contains(&asked) { Ok(asked) } else { Err(Kind::NotAQuestion.into()) }
}

/// What could not be read of a table, each row as a finding.
pub fn unread(wrong: Vec<lists::Wrong>) -> Trouble {
    let rule = Rule {
        code: "unread",
        vi: "không đọc được; sửa rồi gửi lại cả danh sách",
        en: "it cannot be read; mend it and send the whole list again",
    };
    let told =
        |one: &lists::Wrong| Wrong { rule, severity: Severity::Error, field: None, detail: Some(one.to_string()) };
    Trouble { flaws: wrong.iter().take(FLAWS_TOLD).map(told).collect(), ..Kind::Flawed.into() }
}

/// So many flaws of one table are told.
const FLAWS_TOLD: usize = 1000;

/// A list of files.
#[derive(Serialize, ToSchema)]
pub struct OnePlan {
    /// The SHA-256 of the description in force.
    description: String,
    /// schemas/plan.v1.json, without its salt.
    #[schema(value_type = Object)]
    plan: Value,
    /// What people should look at.
    findings: Vec<FindingOut>,
}

/// Show a list of files
#[utoipa::path(
    get, path = "/api/v1/plans/{plan}", tag = "arrangement",
    params(("plan" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Its description in force", body = OnePlan),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    Held(open): Held,
    who: Who,
    Path(plan): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let (plan, description) = readable(&open.archive, &who, api::id(&plan)?).await?;
    let findings = ruled::told(&plan.check(), Language::of(&headers));
    Ok(Json(OnePlan { description, plan: api::shown(&*plan)?, findings }).into_response())
}

/// A list that the reader may read, and the digest of its description.
async fn readable(archive: &Archive, who: &Who, id: PlanId) -> Result<(Arc<FilePlan>, String), Trouble> {
    let (plan, digest) = arrangement::plan(archive, id).await?.ok_or(Kind::NotFound)?;
    if !learns(who, &creators(archive).await?, plan.fonds) {
        return Err(Kind::NotFound.into());
    }
    Ok((plan, digest.to_string()))
}

/// Describe a list anew from a table
///
/// An issued list is a draft again, until the head issues it.
#[utoipa::path(
    put, path = "/api/v1/plans/{plan}/table", tag = "arrangement",
    params(("plan" = String, Path, description = "Its identifier")),
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 200, description = "Described", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn describe(
    Held(open): Held,
    who: Who,
    Path(plan): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let id: PlanId = api::id(&plan)?;
    readable(&open.archive, &who, id).await?;
    let (headings, files) = lists::plan(&body).map_err(unread)?;
    let arranged = arrangement::describe_plan(&open.archive, &who.arranging(), id, headings, files).await?;
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

/// What is done with a list.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum PlanAct {
    /// The head issues it by a decision, whose day has come.
    Approve {
        decision: String,
        #[schema(value_type = String, example = "2026-01-05")]
        on: PartialDate,
    },
    /// The list of another year begins as a copy.
    Copy {
        #[schema(minimum = 1, maximum = 9999)]
        year: u16,
    },
}

/// Issue a list, or copy it for another year
#[utoipa::path(
    post, path = "/api/v1/plans/{plan}/acts", tag = "arrangement",
    params(("plan" = String, Path, description = "Its identifier")),
    request_body(content = PlanAct, content_type = "application/json"),
    responses(
        (status = 200, description = "Done; of a copy the unit is the new list", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn act(
    Held(open): Held,
    who: Who,
    Path(plan): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let (archive, id, asked): (_, PlanId, PlanAct) = (&open.archive, api::id(&plan)?, api::read(&body)?);
    readable(archive, &who, id).await?;
    let by = who.arranging();
    let arranged = match asked {
        PlanAct::Approve { decision, on } => arrangement::approve_plan(archive, &by, id, &decision, on).await?,
        PlanAct::Copy { year: of } => arrangement::copy_plan(archive, &by, id, year(of)?).await?,
    };
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

/// What became of the rows of an issued list.
#[derive(Serialize, ToSchema)]
pub struct OpenedOut {
    opened: Vec<PlannedFile>,
    /// Open before, whoever opened them.
    there: Vec<PlannedFile>,
    /// Not opened, and why.
    left: Vec<LeftOut>,
}

#[derive(Serialize, ToSchema)]
pub struct PlannedFile {
    code: String,
    file: String,
}

#[derive(Serialize, ToSchema)]
pub struct LeftOut {
    code: String,
    findings: Vec<FindingOut>,
}

/// Open every file of an issued list that is not open yet
///
/// Asked again, no file is opened twice.
#[utoipa::path(
    post, path = "/api/v1/plans/{plan}/files", tag = "arrangement",
    params(("plan" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "What became of its rows", body = OpenedOut),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn files(
    Held(open): Held,
    who: Who,
    Path(plan): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let id: PlanId = api::id(&plan)?;
    readable(&open.archive, &who, id).await?;
    let done = arrangement::open_planned(&open.archive, &who.arranging(), id).await?;
    let told = |files: Vec<(String, FileId)>| -> Vec<PlannedFile> {
        files.into_iter().map(|(code, file)| PlannedFile { code, file: file.to_string() }).collect()
    };
    let language = Language::of(&headers);
    let left = done.left.into_iter().map(|(code, flaws)| LeftOut { code, findings: ruled::told(&flaws, language) });
    Ok(Json(OpenedOut { opened: told(done.opened), there: told(done.there), left: left.collect() }).into_response())
}

//! `/cases`: what a disposal council reviews, what the head decides, and the order.
//!
//! # Why
//! *Every step is one act with a name* ([`crate::record::disposition::act::Act`]), sent to one address: what may be done now
//! is a rule of the case, not a set of addresses.
//!
//! *Deciding asks for the password again*, in the body: a token that was stolen, or a browser that was left open, destroys
//! nothing.

use crate::archive::ArchiveError;
use crate::disposition::{cases, execution};
use crate::http::{
    api::{self, Acted, Password},
    error::{CREATED, Kind, Problem, Trouble},
    identity::{self, Held, Who},
    state::{Door, Open},
};
use crate::record::{
    actor::Act as May,
    disposition::{
        act::Act,
        case::{self, Appraisal, Council, Ground, Outcome, Paper, Votes},
    },
    id::{CaseId, RecordId},
};
use axum::{
    Json,
    extract::{ConnectInfo, Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc};
use utoipa::ToSchema;

/// Every case.
#[derive(Serialize, ToSchema)]
pub struct Cases {
    cases: Vec<CaseOut>,
}

#[derive(Serialize, ToSchema)]
pub struct CaseOut {
    case: String,
    /// When it was last changed, in UTC.
    at: String,
    agency: String,
    /// listed, council, reviewed, proposed, appraised, decided or closed.
    #[schema(value_type = String)]
    stage: case::Stage,
    /// How many units are on its list.
    listed: u32,
    decided_on: Option<String>,
}

/// List the cases
#[utoipa::path(
    get, path = "/api/v1/cases", tag = "disposition",
    responses(
        (status = 200, description = "Every case, the newest first", body = Cases),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn all(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must(May::Dispose)?;
    let cases = open.archive.catalog.cases().await.map_err(ArchiveError::from)?;
    let cases = cases.into_iter().map(|one| CaseOut {
        case: one.case.to_string(),
        at: one.at.to_string(),
        agency: one.agency,
        stage: one.stage,
        listed: one.listed,
        decided_on: one.decided_on.map(|at| at.to_string()),
    });
    Ok(Json(Cases { cases: cases.collect() }).into_response())
}

/// A case that is to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// Whose records.
    agency: String,
    /// Does the agency hand over to a historical archive? Then an appraisal is needed.
    to_historical: bool,
}

/// Open a case
#[utoipa::path(
    post, path = "/api/v1/cases", tag = "disposition", request_body = NewCase,
    responses(
        (status = 201, description = "Opened, with an empty list", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn open(Held(open): Held, who: Who, body: Bytes) -> Result<Response, Trouble> {
    who.must(May::Dispose)?;
    let NewCase { agency, to_historical } = api::read(&body)?;
    let done = cases::open_case(&open.archive, &who.disposing(None), agency.trim(), to_historical).await?;
    let place = [(header::LOCATION, format!("/api/v1/cases/{}", done.unit))];
    Ok((CREATED, place, Json(Acted::done(&done))).into_response())
}

/// A case, and how its units are named.
#[derive(Serialize, ToSchema)]
pub struct OneCase {
    /// The SHA-256 of the description in force.
    description: String,
    /// schemas/case.v1.json, without its salt.
    #[schema(value_type = Object)]
    case: Value,
    units: Vec<UnitOut>,
}

#[derive(Serialize, ToSchema)]
pub struct UnitOut {
    /// `{"file":…}` or `{"record":…}`.
    #[schema(value_type = Object)]
    unit: case::Unit,
    code: Option<String>,
    /// Left out where the reader may not read it, and where it is gone.
    title: Option<String>,
    /// Where it stands, in Vietnamese and in English.
    status: [&'static str; 2],
}

/// Show a case
#[utoipa::path(
    get, path = "/api/v1/cases/{case}", tag = "disposition",
    params(("case" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The case as it stands", body = OneCase),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(Held(open): Held, who: Who, Path(case): Path<String>) -> Result<Response, Trouble> {
    who.must(May::Dispose)?;
    let (case, digest) = cases::case(&open.archive, api::id(&case)?).await?.ok_or(Kind::NotFound)?;
    let (reader, mut units) = (who.0.reader(), Vec::with_capacity(case.listed.len()));
    for listed in &case.listed {
        let known = open.archive.catalog.due_of(cases::unit_of(listed.unit)).await.map_err(ArchiveError::from)?;
        let (code, title) = known.map_or((None, None), |known| {
            let may = api::may_learn(&reader, &known.access, known.agency.as_deref(), None);
            (known.code, may.then_some(known.title))
        });
        let (vi, en) = listed.status();
        units.push(UnitOut { unit: listed.unit, code, title, status: [vi, en] });
    }
    Ok(Json(OneCase { description: digest.to_string(), case: api::shown(&*case)?, units }).into_response())
}

/// One act on a case.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum CaseAct {
    /// Puts a unit on the list because its period has ended, or because a person found it to be a duplicate.
    List {
        #[schema(value_type = Object)]
        unit: case::Unit,
        /// The record that stays.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        duplicate_of: Option<RecordId>,
    },
    TakeOff {
        #[schema(value_type = Object)]
        unit: case::Unit,
        reason: String,
    },
    SetUpCouncil {
        #[schema(value_type = Object)]
        council: Council,
    },
    Opine {
        #[schema(value_type = Object)]
        unit: case::Unit,
        #[schema(value_type = Object)]
        outcome: Outcome,
        reason: String,
    },
    EndReview {
        #[schema(value_type = Object)]
        minutes: Paper,
    },
    Propose {
        #[schema(value_type = Object)]
        unit: case::Unit,
        #[schema(value_type = Object)]
        outcome: Outcome,
        reason: String,
        #[schema(value_type = Object)]
        votes: Votes,
    },
    Reconsider {
        reason: String,
    },
    Appraise {
        #[schema(value_type = Object)]
        appraisal: Appraisal,
        reason: String,
    },
    /// The head decides as was proposed, but keeps the spared units longer.
    Decide {
        #[schema(value_type = Object)]
        paper: Paper,
        #[serde(default)]
        #[schema(value_type = Vec<Object>)]
        spared: Vec<case::Unit>,
        #[serde(default)]
        reason: String,
        /// The head's own, once more.
        #[schema(value_type = String)]
        password: Password,
    },
    SendBack {
        reason: String,
    },
    HandOver {
        #[schema(value_type = Object)]
        minutes: Paper,
    },
    Spare {
        #[schema(value_type = Object)]
        unit: case::Unit,
        reason: String,
    },
    Close {
        #[schema(value_type = Object)]
        minutes: Paper,
    },
}

/// Act on a case
///
/// What the case does not allow at its stage, or does not allow this person, is refused with the code of the rule.
#[utoipa::path(
    post, path = "/api/v1/cases/{case}/acts", tag = "disposition", request_body = CaseAct,
    params(("case" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Done", body = Acted),
        (status = 409, description = "A rule does not let it be done; `code` says which", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn act(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    who: Who,
    Path(case): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(May::Dispose)?;
    let (id, asked): (CaseId, CaseAct) = (api::id(&case)?, api::read(&body)?);
    cases::case(&open.archive, id).await?.ok_or(Kind::NotFound)?;
    let (act, password) = read(&open, &who, asked).await?;
    let authenticated = match password {
        Some(Password(given)) => Some(identity::again(&door, &open, &who.0, given, from.ip()).await?),
        None => None,
    };
    let done = cases::act(&open.archive, &who.disposing(authenticated), id, act).await?;
    Ok(Json(Acted::done(&done)).into_response())
}

/// The act that is asked for, and the password where it needs one.
async fn read(open: &Open, who: &Who, asked: CaseAct) -> Result<(Act, Option<Password>), Trouble> {
    let act = match asked {
        CaseAct::Decide { paper, spared, reason, password } => {
            return Ok((Act::Decide { paper, spared, reason }, Some(password)));
        }
        CaseAct::List { unit, duplicate_of } => {
            let ground = match duplicate_of {
                Some(kept) => Ground::Duplicate { kept, found_by: who.0.id },
                None => cases::ground(&open.archive, unit).await?,
            };
            Act::List { unit, ground }
        }
        CaseAct::TakeOff { unit, reason } => Act::TakeOff { unit, reason },
        CaseAct::SetUpCouncil { council } => Act::SetUpCouncil { council },
        CaseAct::Opine { unit, outcome, reason } => Act::Opine { unit, outcome, reason },
        CaseAct::EndReview { minutes } => Act::EndReview { minutes },
        CaseAct::Propose { unit, outcome, reason, votes } => Act::Propose { unit, outcome, reason, votes },
        CaseAct::Reconsider { reason } => Act::Reconsider { reason },
        CaseAct::Appraise { appraisal, reason } => Act::Appraise { appraisal, reason },
        CaseAct::SendBack { reason } => Act::SendBack { reason },
        CaseAct::HandOver { minutes } => Act::HandOver { minutes },
        CaseAct::Spare { unit, reason } => Act::Spare { unit, reason },
        CaseAct::Close { minutes } => Act::Close { minutes },
    };
    Ok((act, None))
}

/// What is ordered to be destroyed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    #[schema(value_type = Object)]
    unit: case::Unit,
}

/// Order the destruction of a unit
///
/// The point of no return: what was decided is in the ledger when this is answered, and is carried out from then on.
#[utoipa::path(
    post, path = "/api/v1/cases/{case}/orders", tag = "disposition", request_body = Ordered,
    params(("case" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Ordered", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn order(Held(open): Held, who: Who, Path(case): Path<String>, body: Bytes) -> Result<Response, Trouble> {
    who.must(May::Dispose)?;
    let (id, asked): (CaseId, Ordered) = (api::id(&case)?, api::read(&body)?);
    cases::case(&open.archive, id).await?.ok_or(Kind::NotFound)?;
    // A task of its own: who hangs up does not leave half of a unit ordered until the next round.
    let acting = who.disposing(None);
    let ordered = tokio::spawn(async move { execution::order(&open.archive, &acting, id, asked.unit).await }).await;
    let done = ordered.map_err(|_| Trouble::from(Kind::Failed))??;
    Ok(Json(Acted::done(&done)).into_response())
}

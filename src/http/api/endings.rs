//! `/records/{record}/certificate`, `/stub`, `/withdrawal`: what remains of a record that ended, and the way out for a wrong
//! deposit.
//!
//! # Why
//! *A stub tells a title*, so it is shown to whoever may read what its agency keeps conditionally; a certificate tells none.
//!
//! *A withdrawal is asked for here and kept at the desk* until a second person confirms it with a password: then it is an
//! order in the ledger, with both of them.

use crate::access;
use crate::archive::ArchiveError;
use crate::disposition::{DispositionError, execution};
use crate::http::{
    api::{self, Acted, Password},
    error::{ACCEPTED, Kind, Problem, Trouble},
    identity::{self, Held, Who},
    state::Door,
};
use crate::record::{
    access::Access,
    actor::Act,
    disposition::{
        refusal::Refusal,
        withdrawal::{Asked, Mistake, in_time},
    },
    document::Document,
    id::RecordId,
};
use axum::{
    Json,
    extract::{ConnectInfo, Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::Arc};
use utoipa::ToSchema;

/// Take the certificate of a destroyed record
///
/// Byte for byte as the ledger names it (schemas/certificate.v1.json). 404 while there is none.
#[utoipa::path(
    get, path = "/api/v1/records/{record}/certificate", tag = "disposition",
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The certificate", body = Object, content_type = "application/json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn certificate(Held(open): Held, who: Who, Path(record): Path<String>) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let certificate = execution::certificate(&open.archive, api::record(&record)?).await?.ok_or(Kind::NotFound)?;
    exact(&certificate)
}

/// Take the stub of a destroyed record
///
/// What is left of it, byte for byte as the ledger names it (schemas/stub.v1.json).
#[utoipa::path(
    get, path = "/api/v1/records/{record}/stub", tag = "disposition",
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The stub", body = Object, content_type = "application/json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn stub(Held(open): Held, who: Who, Path(record): Path<String>) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let stub = execution::stub(&open.archive, api::record(&record)?).await?.ok_or(Kind::NotFound)?;
    // The level that the record had went with it: it is taken for what most records are.
    let told = stub.identity.as_ref();
    let may = told.is_none_or(|told| who.0.reader().may_read(Access::Conditional, told.agency.as_deref(), None));
    if may { exact(&stub) } else { Err(Kind::NotFound.into()) }
}

fn exact(document: &impl Document) -> Result<Response, Trouble> {
    let bytes = document.to_bytes().map_err(|_| Trouble::from(Kind::Failed))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// Why a deposit is to be withdrawn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// wrong_place, not_issued, not_a_record or twice.
    #[schema(value_type = String)]
    mistake: Mistake,
    reason: String,
}

/// A withdrawal that somebody asked for.
#[derive(Serialize, ToSchema)]
pub struct WithdrawalOut {
    record: String,
    #[schema(value_type = String)]
    mistake: Mistake,
    reason: String,
    /// The account of who asked.
    asked_by: String,
    /// When, in UTC.
    at: String,
}

impl WithdrawalOut {
    fn of(asked: Asked) -> WithdrawalOut {
        let (record, asked_by, at) = (asked.record.to_string(), asked.by.to_string(), asked.at.to_string());
        WithdrawalOut { record, mistake: asked.mistake, reason: asked.reason, asked_by, at }
    }
}

/// Ask for a wrong deposit to be withdrawn
///
/// Within days of the accession; a second person confirms. Who asked first stays who asked.
#[utoipa::path(
    post, path = "/api/v1/records/{record}/withdrawal", tag = "disposition", request_body = Withdrawal,
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 202, description = "Asked; nothing happens until a second person confirms", body = WithdrawalOut),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ask(Held(open): Held, who: Who, Path(record): Path<String>, body: Bytes) -> Result<Response, Trouble> {
    who.must_either(Act::Deposit, Act::Dispose)?;
    let (record, Withdrawal { mistake, reason }) = (api::record(&record)?, api::read(&body)?);
    let archive = &open.archive;
    access::open(archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    if reason.trim().is_empty() {
        return Err(DispositionError::Refused(Refusal::NoReason).into());
    }
    let known = archive.catalog.record(record).await.map_err(ArchiveError::from)?.ok_or(Kind::NotFound)?;
    // What cannot be confirmed any more is refused now, and not to the second person.
    if !in_time(known.at, archive.config.disposition.withdrawal_days_max, archive.clock.now()) {
        return Err(DispositionError::Refused(Refusal::WithdrawalTooLate).into());
    }
    let asked = Asked { record, mistake, reason: reason.trim().into(), by: who.0.id, at: archive.clock.now() };
    archive.desk.ask_withdrawal(&asked).await.map_err(ArchiveError::from)?;
    let asked = archive.desk.withdrawal(record).await.map_err(ArchiveError::from)?.ok_or(Kind::Failed)?;
    Ok((ACCEPTED, Json(WithdrawalOut::of(asked))).into_response())
}

/// Withdrawals that wait for a second person.
#[derive(Serialize, ToSchema)]
pub struct Withdrawals {
    withdrawals: Vec<WithdrawalOut>,
}

/// List the withdrawals that wait for a second person
#[utoipa::path(
    get, path = "/api/v1/withdrawals", tag = "disposition",
    responses(
        (status = 200, description = "The oldest first", body = Withdrawals),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn waiting(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let asked = open.archive.desk.withdrawals().await.map_err(ArchiveError::from)?;
    // The reason of another's deposit may tell what it was: it is shown to whoever may read the record.
    let mut withdrawals = Vec::new();
    for one in asked {
        if access::open(&open.archive, &who.0.reader(), one.record).await?.is_some() {
            withdrawals.push(WithdrawalOut::of(one));
        }
    }
    Ok(Json(Withdrawals { withdrawals }).into_response())
}

/// That the second person agrees.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Their own, once more.
    #[schema(value_type = String)]
    password: Password,
}

/// Confirm a withdrawal
///
/// Not by who asked. It cannot be undone: the record goes by the path of destruction.
#[utoipa::path(
    post, path = "/api/v1/records/{record}/withdrawal/confirm", tag = "disposition", request_body = Confirmed,
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Ordered", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn confirm(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    who: Who,
    Path(record): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let (record, Confirmed { password }): (RecordId, _) = (api::record(&record)?, api::read(&body)?);
    let asked = open.archive.desk.withdrawal(record).await.map_err(ArchiveError::from)?.ok_or(Kind::NotFound)?;
    let authenticated = identity::again(&door, &open, &who.0, password.0, from.ip()).await?;
    let done = execution::withdraw(&open.archive, &who.disposing(Some(authenticated)), &asked).await?;
    // If we stop here, it is asked still; who confirms again learns that it is ordered.
    open.archive.desk.forget_withdrawal(record).await.map_err(ArchiveError::from)?;
    Ok(Json(Acted::done(&done)).into_response())
}

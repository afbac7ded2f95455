//! `/audits`: have the archive audited, see what came of it, take the report.
//!
//! # Why
//! *The answer is the pledge.* It is in the ledger before anything is looked at; the audit itself takes as long as the
//! sample needs, and goes on when nobody waits for it.

use crate::access;
use crate::evidence::audits::{
    self,
    told::{self, Told},
};
use crate::http::{
    error::{ACCEPTED, Kind, Problem, Trouble},
    identity::{Held, Who},
    state::Open,
};
use crate::record::{
    actor::{Act, Actor},
    digest::Digest,
    sampling::{Terms, read_nonce},
};
use axum::{
    Json,
    extract::{Path, Query},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// Characters of a nonce.
pub const NONCE_CHARS_MAX: usize = 200;

/// What is asked of an audit; what is left out is as the archive has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What the auditor brings: 64 hexadecimal digits as they are, of any other text its SHA-256 is taken. Where it is left
    /// out, the archive draws one itself.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub nonce: Option<String>,
    /// The share of bad entries that is tolerated, in parts of a million.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 999_999)]
    pub share_ppm: Option<u32>,
    /// How likely a larger share is found, in parts of a million.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 999_999)]
    pub confidence_ppm: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Audits that were pledged before this entry.
    #[param(minimum = 0, maximum = 9007199254740991_i64)]
    before: Option<u64>,
    /// So many of them, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Audits, the newest first.
#[derive(Serialize, ToSchema)]
pub struct Audits {
    audits: Vec<Told>,
}

/// Have a sample audited
///
/// The sample follows from the newest cosigned checkpoint and the nonce. The pledge is in the ledger when this is answered;
/// ask for the audit until it has ended. The same terms again, while it is open, are the same audit.
#[utoipa::path(
    post, path = "/api/v1/audits", tag = "evidence", request_body = Asked,
    responses(
        (status = 202, description = "Pledged", body = Told),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn pledge(Held(open): Held, who: Who, body: Bytes) -> Result<Response, Trouble> {
    who.must(Act::Challenge)?;
    // A list would be read as the members in their order.
    let members: Option<Map<String, Value>> = serde_json::from_slice(&body).ok();
    let asked: Option<Asked> = members.and_then(|members| serde_json::from_value(Value::Object(members)).ok());
    let asked = asked.ok_or(Kind::Malformed)?;
    let told = pledged(&open, &who.0, asked).await?;
    let place = [(header::LOCATION, format!("/api/v1/audits/{}", told.audit))];
    Ok((ACCEPTED, place, Json(told)).into_response())
}

/// Pledges what somebody asks for, who may.
pub async fn pledged(open: &Open, actor: &Actor, asked: Asked) -> Result<Told, Trouble> {
    let archive = &open.archive;
    let usual = archive.config.audit.terms().map_err(|_| Trouble::from(Kind::Malformed))?;
    let (share, confidence) = (asked.share_ppm, asked.confidence_ppm);
    let terms = Terms::new(share.unwrap_or(usual.share_ppm()), confidence.unwrap_or(usual.confidence_ppm()));
    let terms = terms.map_err(|_| Trouble::from(Kind::Malformed))?;
    let nonce = asked.nonce.as_deref().map(nonce).transpose()?;
    if audits::are_many(archive).await? {
        return Err(Kind::Busy.into());
    }
    let pledged = audits::pledge(archive, actor.id, nonce, terms).await?;
    told::one(archive, pledged.seq).await?.ok_or(Kind::Failed.into())
}

fn nonce(typed: &str) -> Result<Digest, Trouble> {
    let length = typed.trim().chars().count();
    if (1..=NONCE_CHARS_MAX).contains(&length) { Ok(read_nonce(typed)) } else { Err(Kind::Malformed.into()) }
}

/// List the audits
///
/// All that were pledged, those that did not end among them, with what was found and what became of it.
#[utoipa::path(
    get, path = "/api/v1/audits", tag = "evidence", params(Part),
    responses(
        (status = 200, description = "Audits, the newest first", body = Audits),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who, Query(part): Query<Part>) -> Result<Response, Trouble> {
    who.must(Act::Watch)?;
    let limit = part.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(Kind::NotAQuestion.into());
    }
    let audits = told::list(&open.archive, part.before.unwrap_or(u64::MAX), limit).await?;
    Ok(Json(Audits { audits: audits.into_iter().map(|told| for_actor(told, &who.0)).collect() }).into_response())
}

/// The report's record is named to those who may read it.
pub fn for_actor(told: Told, actor: &Actor) -> Told {
    if actor.role.may(Act::Challenge) { told } else { told.without_record() }
}

/// How an audit stands
#[utoipa::path(
    get, path = "/api/v1/audits/{audit}", tag = "evidence",
    params(("audit" = u64, Path, description = "The entry that pledged it", minimum = 0, maximum = 9007199254740991_i64)),
    responses(
        (status = 200, description = "How it stands", body = Told),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(Held(open): Held, who: Who, Path(audit): Path<String>) -> Result<Response, Trouble> {
    who.must(Act::Watch)?;
    let told = told::one(&open.archive, number(&audit)?).await?.ok_or(Kind::NotFound)?;
    Ok(Json(for_actor(told, &who.0)).into_response())
}

/// Take the report of an audit
///
/// Byte for byte as it is kept (schemas/audit.v1.json); `vankho audit recheck` judges it on another machine.
#[utoipa::path(
    get, path = "/api/v1/audits/{audit}/report", tag = "evidence",
    params(("audit" = u64, Path, description = "The entry that pledged it", minimum = 0, maximum = 9007199254740991_i64)),
    responses(
        (status = 200, description = "The report, signed", content_type = "application/json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn report(Held(open): Held, who: Who, Path(audit): Path<String>) -> Result<Response, Trouble> {
    who.must(Act::Challenge)?;
    let audit = number(&audit)?;
    let bytes = readable(&open, &who.0, audit).await?.ok_or(Kind::NotFound)?;
    let name = format!("attachment; filename=\"audit-{audit}.json\"");
    Ok(([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)], bytes)
        .into_response())
}

/// The report of an audit, where the actor may read the record that it is; then that they do is noted.
pub async fn readable(open: &Open, by: &Actor, audit: u64) -> Result<Option<Bytes>, Trouble> {
    let archive = &open.archive;
    let Some((record, bytes)) = audits::report(archive, audit).await? else { return Ok(None) };
    if access::open(archive, &by.reader(), record).await?.is_none() {
        return Ok(None);
    }
    access::note(archive, by, record, Some(1)).await?;
    Ok(Some(bytes))
}

/// The number of an audit in an address: what is none names no audit.
pub fn number(text: &str) -> Result<u64, Trouble> {
    text.parse().map_err(|_| Kind::NotFound.into())
}

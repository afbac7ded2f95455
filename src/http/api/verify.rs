//! `/verify/receipt`: what a receipt comes to, judged here.
//!
//! # Why
//! A convenience: the answer is worth as much as this server. Who doubts it takes `vankho verify receipt`,
//! `verify.sh` or `verify.py` and a key file from elsewhere.

use crate::evidence::published;
use crate::http::{
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
};
use crate::record::digest::Digest;
use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The receipt, as it was given out.
    receipt: String,
    /// The description that came with it, byte for byte.
    #[serde(default)]
    description: Option<String>,
    /// The SHA-256 of the file.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    file_sha256: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct VerdictOut {
    /// 0 holds, 1 evidence of tampering, 2 incomplete, 3 cannot be checked.
    #[schema(minimum = 0, maximum = 3)]
    outcome: u8,
    /// What was checked, what failed and what to do, in the language of the request.
    text: String,
}

/// Judge a receipt
#[utoipa::path(
    post, path = "/api/v1/verify/receipt", tag = "evidence", request_body = Given,
    responses(
        (status = 200, description = "The verdict", body = VerdictOut),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn receipt(
    Held(open): Held,
    _who: Who,
    headers: HeaderMap,
    given: Result<Json<Given>, JsonRejection>,
) -> Result<Response, Trouble> {
    let Json(given) = given.map_err(|refusal| crate::http::error::of_refusal(refusal.status()))?;
    let file: Option<Digest> = given.file_sha256.map(|text| text.parse().map_err(|_| Kind::Malformed)).transpose()?;
    let description = given.description.as_ref().map(|text| text.as_bytes());
    let judged = published::judge(&open.archive, given.receipt.as_bytes(), description, file).await?;
    let text = Language::of(&headers).say(&judged.vi, &judged.en).to_owned();
    Ok(Json(VerdictOut { outcome: judged.outcome, text }).into_response())
}

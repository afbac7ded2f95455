//! `/holdings`: is a file kept here? It is named by its digest; nothing is uploaded.
//!
//! # Why
//! *Asked in a body and not in an address*: addresses lie in logs, and a digest tells of a file that follows a form
//! what is in it.

use crate::access::holding::{Holding, holding};
use crate::http::{
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::digest::Digest;
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sought {
    /// SHA-256 of the file, 64 hexadecimal digits.
    sha256: String,
}

/// What is kept of it.
#[derive(Serialize, ToSchema)]
pub struct Kept {
    holdings: Vec<HoldingOut>,
}

#[derive(Serialize, ToSchema)]
pub struct HoldingOut {
    record: String,
    /// The component's ordinal in the record.
    component: u32,
    subject: String,
}

impl From<Holding> for HoldingOut {
    fn from(Holding { record, component, subject }: Holding) -> HoldingOut {
        HoldingOut { record: record.to_string(), component, subject }
    }
}

/// Is this file kept here?
///
/// The records that hold a file with this digest, as far as the asker may see them; none where nothing is kept, and just
/// so where the asker may not see it.
#[utoipa::path(
    post, path = "/api/v1/holdings", tag = "records", request_body = Sought,
    responses(
        (status = 200, description = "The records that hold it", body = Kept),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn holdings(Held(open): Held, who: Who, body: Bytes) -> Result<Response, Trouble> {
    let sought: Option<Sought> = serde_json::from_slice(&body).ok();
    let digest: Option<Digest> = sought.and_then(|sought| sought.sha256.to_lowercase().parse().ok());
    let found = holding(&open.archive, &who.0.reader(), digest.ok_or(Kind::Malformed)?).await?;
    Ok(Json(Kept { holdings: found.into_iter().map(HoldingOut::from).collect() }).into_response())
}

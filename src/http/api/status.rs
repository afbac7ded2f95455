//! `/status`: how much there is, and how the replicas stand.

use crate::access::answer::{self, State};
use crate::http::{
    error::{Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::actor::Act;
use axum::{
    Json,
    response::{IntoResponse, Response},
};

/// How much there is, and how the replicas stand
#[utoipa::path(
    get, path = "/api/v1/status", tag = "status",
    responses(
        (status = 200, description = "Counts and replicas", body = State),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn status(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must(Act::Watch)?;
    Ok(Json(answer::state(&open.archive).await?).into_response())
}

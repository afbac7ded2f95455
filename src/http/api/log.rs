//! `/log/`: the ledger as C2SP tlog-tiles, for anybody who wants to follow it.

use crate::evidence::published::{self, Part};
use crate::http::{
    error::{Kind, Problem, Trouble},
    identity::{Held, Perhaps},
    state::Door,
};
use crate::record::actor::Act;
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

const UNCHANGING: &str = "public, max-age=31536000, immutable";

/// The newest checkpoint, a signed note
#[utoipa::path(
    get, path = "/log/checkpoint", tag = "log", security(()),
    responses(
        (status = 200, description = "The checkpoint", body = String, content_type = "text/plain"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn checkpoint(State(door): State<Arc<Door>>, held: Held, perhaps: Perhaps) -> Result<Response, Trouble> {
    part(&door, held, perhaps, "checkpoint").await
}

/// The archive's public keys
///
/// Who keeps them from an earlier day, or has them from elsewhere, need not believe this answer.
#[utoipa::path(
    get, path = "/log/keys", tag = "log", security(()),
    responses(
        (status = 200, description = "The keys", body = String, content_type = "text/plain"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn keys(Held(open): Held) -> Result<Response, Trouble> {
    let bytes = published::keys(&open.archive).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], bytes)
        .into_response())
}

/// A tile of hashes, or a bundle of entries (`entries/…`, for auditors)
#[utoipa::path(
    get, path = "/log/tile/{*path}", tag = "log",
    params(("path" = String, Path, description = "`<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`")),
    responses(
        (status = 200, description = "The tile", content_type = "application/octet-stream"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn tile(
    State(door): State<Arc<Door>>,
    held: Held,
    perhaps: Perhaps,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    part(&door, held, perhaps, &format!("tile/{path}")).await
}

async fn part(door: &Door, Held(open): Held, Perhaps(actor): Perhaps, path: &str) -> Result<Response, Trouble> {
    let part = published::part(path).ok_or(Kind::NotFound)?;
    if matches!(part, Part::Entries { .. }) && !door.config.server.entries_public {
        let actor = actor.ok_or(Kind::Unknown)?;
        if !actor.role.may(Act::Audit) {
            return Err(Kind::Forbidden.into());
        }
    }
    let bytes = published::published(&open.archive, path).await?.ok_or(Kind::NotFound)?;
    let (kind, cache) = match part {
        Part::Checkpoint => ("text/plain; charset=utf-8", "no-cache"),
        Part::Tile { full: true } => ("application/octet-stream", UNCHANGING),
        Part::Entries { full: true } if door.config.server.entries_public => ("application/octet-stream", UNCHANGING),
        Part::Tile { .. } | Part::Entries { .. } => ("application/octet-stream", "private, no-cache"),
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], bytes).into_response())
}

//! `/records/{record}/secrecy`: a mark of secrecy is suspected, confirmed, refuted, and what bears one is ordered out.
//!
//! # Why
//! *Whoever sees a mark may hide the record at once*; that it is taken away everywhere takes two people and a password.

use crate::access;
use crate::disposition::secrets;
use crate::http::{
    api::{self, Acted, Password},
    error::{Kind, Problem, Trouble},
    identity::{self, Held, Who},
    state::Door,
};
use crate::record::{actor::Act, secrecy::Level};
use axum::{
    Json,
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use std::{net::SocketAddr, sync::Arc};
use utoipa::ToSchema;

/// One act about a mark. The levels are secret (MẬT), higher (TỐI MẬT) and highest (TUYỆT MẬT).
#[derive(Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum SecrecyAct {
    /// The record is shown to nobody from here on.
    Suspect {
        #[schema(value_type = String)]
        level: Level,
    },
    Confirm {
        #[schema(value_type = String)]
        level: Level,
    },
    /// It is no mark, or was lifted.
    Refute { reason: String },
    /// The second person's order; it cannot be undone.
    Expel {
        /// Their own, once more.
        #[schema(value_type = String)]
        password: Password,
    },
}

/// Act about a mark of secrecy
#[utoipa::path(
    post, path = "/api/v1/records/{record}/secrecy", tag = "disposition", request_body = SecrecyAct,
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Done", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn act(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    who: Who,
    Path(record): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let (record, asked) = (api::record(&record)?, api::read::<SecrecyAct>(&body)?);
    let archive = &open.archive;
    let done = match asked {
        SecrecyAct::Suspect { level } => {
            // What one may not read one cannot have seen.
            access::open(archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
            secrets::suspect(archive, &who.disposing(None), record, level).await?
        }
        SecrecyAct::Confirm { level } => {
            who.must(Act::Dispose)?;
            secrets::confirm(archive, &who.disposing(None), record, level).await?
        }
        SecrecyAct::Refute { reason } => {
            who.must(Act::Dispose)?;
            secrets::refute(archive, &who.disposing(None), record, &reason).await?
        }
        SecrecyAct::Expel { password } => {
            who.must(Act::Dispose)?;
            let authenticated = identity::again(&door, &open, &who.0, password.0, from.ip()).await?;
            secrets::expel(archive, &who.disposing(Some(authenticated)), record).await?
        }
    };
    Ok(Json(Acted::done(&done)).into_response())
}

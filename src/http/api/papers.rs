//! `/cases/{case}/papers/{paper}`: the papers of a destruction, filled in from what the case says, each one page to print.
//!
//! # Why
//! *A paper names, a case knows identifiers*: names of people and titles are looked up here, by the rights of who prints.
//! What they may not read is left for somebody else to fill in.

use crate::disposition::cases;
use crate::exchange::dossier::gather;
use crate::http::{
    api,
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::actor::Act;
use axum::{
    extract::{Path, Query},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// Cơ quan chủ quản: the agency above.
    parent: Option<String>,
    /// Địa danh.
    place: Option<String>,
    /// Tên phông.
    fonds: Option<String>,
}

/// Print a paper of a case
///
/// One page of HTML, fit for A4: 1-danh-muc, 2-thuyet-minh, 3-quyet-dinh-hoi-dong, 4-bien-ban-hop, 5-van-ban-tham-dinh,
/// 6-quyet-dinh-huy, 7-bien-ban-ban-giao or 8-bien-ban-huy. What is not known yet is dots.
#[utoipa::path(
    get, path = "/api/v1/cases/{case}/papers/{paper}", tag = "disposition",
    params(
        ("case" = String, Path, description = "Its identifier"),
        ("paper" = String, Path, description = "The name of the paper"),
        Issued,
    ),
    responses(
        (status = 200, description = "The paper", body = String, content_type = "text/html"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    Held(open): Held,
    who: Who,
    Path((case, paper)): Path<(String, String)>,
    Query(issued): Query<Issued>,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let (case, _) = cases::case(&open.archive, api::id(&case)?).await?.ok_or(Kind::NotFound)?;
    let Issued { parent, place, fonds } = issued;
    let issued = gather::Issued { parent, place, fonds };
    let papers = gather::papers(&open.archive, &case, issued, Some(&who.0.reader())).await?;
    let (_, page) = papers.into_iter().find(|(name, _)| *name == paper).ok_or(Kind::NotFound)?;
    Ok(([api::PAGE_POLICY], Html(page)).into_response())
}

//! Cases: their list with what each waits for, and the form that opens one.

use crate::archive::{Archive, ArchiveError};
use crate::disposition::cases;
use crate::http::{
    error::Trouble,
    identity::Held,
    state::Door,
    web::{
        Visit, case, case_acts, html, led_to, show,
        told::{self, Told},
    },
};
use crate::record::{
    actor::{Act, Role},
    disposition::case::Stage,
};
use askama::Template;
use axum::{
    Form, Router,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use std::sync::Arc;

pub fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/cases", get(list).post(open))
        .route("/cases/{case}", get(case::page))
        .route("/cases/{case}/act", post(case_acts::act))
}

#[derive(Template)]
#[template(path = "cases.html")]
struct List {
    visit: Visit,
    told: Option<Told>,
    opens: bool,
    agency: String,
    cases: Vec<Row>,
}

struct Row {
    id: String,
    agency: String,
    at: String,
    stage: String,
    closed: bool,
    awaited: String,
    listed: String,
    decided: Option<String>,
}

/// What a stage is called.
pub fn stage(stage: Stage, visit: &Visit) -> &str {
    match stage {
        Stage::Listed => visit.say("Lập danh mục", "Listing"),
        Stage::Council => visit.say("Hội đồng xem xét", "Council reviews"),
        Stage::Reviewed => visit.say("Đã họp", "Council has met"),
        Stage::Proposed => visit.say("Đã kiến nghị", "Proposed"),
        Stage::Appraised => visit.say("Đã thẩm định", "Appraised"),
        Stage::Decided => visit.say("Đã quyết định", "Decided"),
        Stage::Closed => visit.say("Kết thúc", "Closed"),
    }
}

/// What is awaited at a stage.
pub fn awaited(stage: Stage, visit: &Visit) -> &str {
    match stage {
        Stage::Listed => visit.say("đưa vào danh mục, lập Hội đồng xét hủy", "listing, and a council"),
        Stage::Council => visit.say("ý kiến và biên bản họp của Hội đồng", "opinions, and minutes of the council"),
        Stage::Reviewed => visit.say("kiến nghị của chủ tịch Hội đồng", "the chair's proposals"),
        Stage::Proposed => {
            visit.say("thẩm định (nếu phải có) hoặc quyết định", "an appraisal where needed, or a decision")
        }
        Stage::Appraised => visit.say("quyết định của người đứng đầu", "the decision of the head"),
        Stage::Decided => visit.say("bàn giao, hủy, biên bản hủy", "handing over, destruction, its minutes"),
        Stage::Closed => "",
    }
}

async fn list(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    listed(&open.archive, visit, None).await
}

async fn listed(archive: &Archive, visit: Visit, told: Option<Told>) -> Result<Response, Trouble> {
    let actor = told::must(&visit, Act::Dispose)?;
    let (opens, agency) = (matches!(actor.role, Role::Archivist | Role::RecordsClerk), actor.agency.clone());
    let known = archive.catalog.cases().await.map_err(ArchiveError::from)?;
    let cases = known.into_iter().map(|one| Row {
        id: one.case.to_string(),
        agency: one.agency,
        at: show::time(one.at),
        stage: stage(one.stage, &visit).into(),
        closed: one.stage == Stage::Closed,
        awaited: awaited(one.stage, &visit).into(),
        listed: show::count(u64::from(one.listed), visit.language),
        decided: one.decided_on.map(show::time),
    });
    html(&List { opens, agency, cases: cases.collect(), told, visit })
}

#[derive(Deserialize)]
struct New {
    agency: String,
    to_historical: Option<String>,
}

async fn open(Held(open): Held, visit: Visit, Form(given): Form<New>) -> Result<Response, Trouble> {
    let who = told::party(told::must(&visit, Act::Dispose)?);
    match cases::open_case(&open.archive, &who, given.agency.trim(), given.to_historical.is_some()).await {
        Ok(done) => Ok(led_to(&format!("/cases/{}", done.unit))),
        Err(error) => {
            let told = told::disposed(error, &visit)?;
            listed(&open.archive, visit, Some(told)).await
        }
    }
}

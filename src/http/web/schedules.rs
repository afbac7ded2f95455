//! Schedules: the list, a new one from a table, those that come with the program.

use crate::archive::{Archive, ArchiveError};
use crate::disposition;
use crate::exchange::shipped;
use crate::http::{
    error::{self, Kind, Trouble},
    identity::Held,
    state::Door,
    web::{
        Visit, html, led_to,
        schedule_sent::{self, Sent},
        show,
        told::{self, Told},
    },
};
use crate::record::{
    actor::{Act, Actor, Role},
    retention::schedule::Draft,
};
use askama::Template;
use axum::{
    Form,
    extract::{Multipart, State},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "schedules.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    drafts: bool,
    schedules: Vec<Row>,
    shipped: Vec<Shipped>,
    given: Sent,
}

struct Row {
    id: String,
    title: String,
    source: String,
    from: String,
    until: Option<String>,
    version: u32,
    classes: String,
    incomplete: bool,
    approved: bool,
    /// The version that counts, where it is another than the newest.
    ruling: Option<u32>,
}

struct Shipped {
    number: usize,
    title: String,
    classes: usize,
    note: String,
}

/// Who drafts schedules: the pure rule stands in the flow, this shows the forms or not.
pub fn drafts(actor: &Actor) -> bool {
    matches!(actor.role, Role::Archivist | Role::RecordsClerk | Role::Head)
}

/// The list.
pub async fn page(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    shown(&open.archive, visit, Sent::default(), None).await
}

/// A new schedule from a table: looked at, or taken in.
pub async fn import(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    form: Multipart,
) -> Result<Response, Trouble> {
    let who = told::party(told::must(&visit, Act::Dispose)?);
    let mut sent = schedule_sent::sent(form, &door).await?;
    let imported = schedule_sent::imported(&sent, &open.archive.config.content, &visit).await?;
    let draft = match (imported, sent.head(&visit)) {
        (Err(told), _) | (_, Err(told)) => return shown(&open.archive, visit, sent.kept(), Some(told)).await,
        (Ok(imported), Ok(head)) => {
            let looked = schedule_sent::looked(&imported, &visit);
            if sent.only_looks() || !looked.good {
                return shown(&open.archive, visit, sent.kept(), Some(looked)).await;
            }
            Draft { classes: imported.classes, ..head }
        }
    };
    opened(&open.archive, visit, &who, draft, sent.kept()).await
}

/// Which of those that come with the program.
#[derive(Deserialize)]
pub struct Taken {
    number: usize,
}

/// Takes over a schedule that comes with the program, as a draft to complete and to approve.
pub async fn take(Held(open): Held, visit: Visit, Form(given): Form<Taken>) -> Result<Response, Trouble> {
    let who = told::party(told::must(&visit, Act::Dispose)?);
    let draft = ready()?.into_iter().nth(given.number).ok_or(Kind::NotFound)?;
    opened(&open.archive, visit, &who, draft, Sent::default()).await
}

async fn opened(
    archive: &Archive,
    visit: Visit,
    who: &disposition::Who,
    draft: Draft,
    given: Sent,
) -> Result<Response, Trouble> {
    match disposition::open_schedule(archive, who, draft).await {
        Ok(done) => Ok(led_to(&format!("/schedules/{}", done.unit))),
        Err(error) => {
            let told = told::disposed(error, &visit)?;
            shown(archive, visit, given, Some(told)).await
        }
    }
}

fn ready() -> Result<Vec<Draft>, Trouble> {
    shipped::schedules().map_err(|error| {
        tracing::error!(%error, "a schedule that came with the program cannot be read");
        error::trouble(Kind::Failed)
    })
}

async fn shown(archive: &Archive, visit: Visit, given: Sent, told: Option<Told>) -> Result<Response, Trouble> {
    let drafts = drafts(told::must(&visit, Act::Dispose)?);
    let mut schedules = Vec::new();
    for one in archive.catalog.schedules().await.map_err(ArchiveError::from)? {
        let ruling = archive.catalog.ruling(one.schedule).await.map_err(ArchiveError::from)?;
        schedules.push(Row {
            id: one.schedule.to_string(),
            title: one.title,
            source: one.source.unwrap_or_default(),
            from: show::day(&one.from),
            until: one.until.map(|day| show::day(&day)),
            version: one.version,
            classes: show::count(u64::from(one.classes), visit.language),
            incomplete: one.incomplete,
            approved: one.approved.is_some(),
            ruling: ruling.map(|ruling| ruling.version).filter(|version| *version != one.version),
        });
    }
    let shipped = ready()?.into_iter().enumerate().map(|(number, draft)| Shipped {
        number,
        classes: draft.classes.len(),
        note: draft.note.unwrap_or_default(),
        title: draft.title,
    });
    html(&Page { shipped: shipped.collect(), schedules, drafts, given, told, visit })
}

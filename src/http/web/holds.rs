//! Holds: their list, the form that places one, and what one lies on.
//!
//! # Why
//! *A file or a fonds may be named by its code*, which is what stands on paper before a clerk; identifiers are for programs.
//! What the visitor may not read is not found, as everywhere.

use crate::access::{
    self,
    saved::{self, SavedError},
};
use crate::archive::{Archive, ArchiveError};
use crate::disposition::{
    holds,
    holds::{HoldAsked, Placement},
};
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    state::Door,
    web::{
        Visit, case, due, html, led_to, show,
        told::{self, Seeing, Told},
    },
};
use crate::record::{
    access::Reader,
    actor::{Act, Actor, Role},
    hold::{HoldRefusal, Reason, Scope},
    id::{ActorId, HoldId},
    unit::Unit,
};
use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc};

/// Places of a hold on one page.
const SHOWN: u32 = 100;

pub fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/holds", get(list).post(place))
        .route("/holds/{hold}", get(one))
        .route("/holds/{hold}/release", post(release))
}

#[derive(Template)]
#[template(path = "holds.html")]
struct List {
    visit: Visit,
    told: Option<Told>,
    /// May the visitor place one?
    keeps: bool,
    given: Given,
    reasons: Vec<(&'static str, &'static str)>,
    people: Vec<(String, String)>,
    holds: Vec<Row>,
    in_force: usize,
}

struct Row {
    id: String,
    at: String,
    scope: String,
    authority: String,
    reason: String,
    placed: String,
    released: Option<String>,
}

/// What the form of a hold sends; an address may fill it in beforehand.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Given {
    authority: String,
    reason: String,
    reason_text: String,
    /// record, file, fonds or search.
    of: String,
    /// An identifier, a code, or the conditions of a search.
    what: String,
    later: Option<String>,
    asked_by: String,
}

/// Who places and releases.
fn keeps(actor: &Actor) -> bool {
    matches!(actor.role, Role::Archivist | Role::RecordsClerk | Role::Head)
}

async fn list(Held(open): Held, visit: Visit, Query(given): Query<Given>) -> Result<Response, Trouble> {
    told::must(&visit, Act::Dispose)?;
    listed(&open.archive, visit, given, None).await
}

async fn listed(archive: &Archive, visit: Visit, given: Given, told: Option<Told>) -> Result<Response, Trouble> {
    let actor = told::must(&visit, Act::Dispose)?;
    let (keeps, me) = (keeps(actor), actor.id);
    let mut known = archive.catalog.holds().await.map_err(ArchiveError::from)?;
    // What is in force first; each part the newest first, as it came.
    known.sort_by_key(|one| one.released.is_some());
    let in_force = known.iter().filter(|one| one.released.is_none()).count();
    let holds = known.into_iter().map(|one| Row {
        id: one.hold.to_string(),
        at: show::time(one.at),
        scope: scope_name(&one.scope, &visit).into(),
        authority: one.authority,
        reason: visit.say(one.reason.vi(), one.reason.en()).into(),
        placed: show::count(one.placed, visit.language),
        released: one.released.map(show::time),
    });
    let holds = holds.collect();
    let reasons = Reason::ALL.iter().map(|one| (one.as_str(), if is_vi(&visit) { one.vi() } else { one.en() }));
    let people = case::people(archive).await?.into_iter().filter(|one| one.id != me);
    let people = people.map(|one| (one.id.to_string(), one.shown(&visit))).collect();
    html(&List { keeps, given, reasons: reasons.collect(), people, holds, in_force, told, visit })
}

fn is_vi(visit: &Visit) -> bool {
    visit.language == crate::http::language::Language::Vi
}

fn scope_name<'a>(scope: &str, visit: &'a Visit) -> &'a str {
    match scope {
        "record" => visit.say("tài liệu", "record"),
        "file" => visit.say("hồ sơ", "file"),
        "fonds" => visit.say("phông", "fonds"),
        _ => visit.say("phép tìm", "search"),
    }
}

async fn place(Held(open): Held, visit: Visit, Form(given): Form<Given>) -> Result<Response, Trouble> {
    let actor = told::must(&visit, Act::Dispose)?;
    let (who, reader) = (told::party(actor), actor.reader());
    let not_found = visit.say(
        "Không tìm thấy tài liệu, hồ sơ hay phông này trong phạm vi được đọc; kiểm tra lại mã.",
        "There is no such record, file or fonds that you may read; check the code.",
    );
    let Some(scope) = scope(&open.archive, &visit, &given).await? else {
        let told = Told::bad(not_found);
        return listed(&open.archive, visit, given, Some(told)).await;
    };
    let Some(reason) = Reason::ALL.iter().copied().find(|one| one.as_str() == given.reason) else {
        let told = Told::bad(visit.say("Chọn lý do tạm dừng hủy.", "Choose the reason of the hold."));
        return listed(&open.archive, visit, given, Some(told)).await;
    };
    let asked_by = match given.asked_by.as_str() {
        "" => None,
        id => Some(id.parse::<ActorId>().map_err(|_| Trouble::from(Kind::Malformed))?),
    };
    if let Some(id) = asked_by {
        case::people(&open.archive).await?.into_iter().find(|one| one.id == id).ok_or(Kind::Malformed)?;
    }
    let found = match &scope {
        Scope::Search { query, .. } => match found(&open.archive, query, reader, &visit).await? {
            Ok(found) => found,
            Err(told) => return listed(&open.archive, visit, given, Some(told)).await,
        },
        _ => Vec::new(),
    };
    let (authority, reason_text) = (given.authority.clone(), given.reason_text.clone());
    let asked = HoldAsked { authority, reason, reason_text, scope, asked_by };
    // A task of its own: who leaves the page does not leave a hold that lies on half of what was found.
    let acting = open.clone();
    let placed = tokio::spawn(async move { holds::place_hold(&acting.archive, &who, asked, &found).await }).await;
    match placed.map_err(|_| Trouble::from(Kind::Failed))? {
        Ok(done) => Ok(led_to(&format!("/holds/{}", done.unit))),
        Err(error) => {
            let told = told::disposed(error, &visit)?;
            listed(&open.archive, visit, given, Some(told)).await
        }
    }
}

/// What a search finds for a reader, or why it is none.
async fn found(
    archive: &Archive,
    query: &str,
    reader: Reader,
    visit: &Visit,
) -> Result<Result<Vec<crate::record::id::RecordId>, Told>, Trouble> {
    let text = match saved::found(archive, query, reader).await {
        Ok(found) => return Ok(Ok(found)),
        Err(SavedError::Archive(error)) => return Err(error.into()),
        Err(SavedError::Empty) => visit.say(HoldRefusal::EmptySearch.vi(), HoldRefusal::EmptySearch.en()),
        Err(SavedError::TooMany(_)) => visit.say(
            "Phép tìm trúng quá nhiều tài liệu; thu hẹp điều kiện, hoặc tạm dừng hủy cả hồ sơ hay cả phông.",
            "The search finds too many records; narrow it, or hold the whole file or fonds.",
        ),
        Err(SavedError::Question(_) | SavedError::Name(_)) => visit.say(
            "Phép tìm không đọc được; nhập từ khóa, hoặc chép phần sau dấu ? của địa chỉ trang tìm kiếm.",
            "The search cannot be read; type words, or copy what follows the ? in the address of a search.",
        ),
    };
    Ok(Err(Told::bad(text)))
}

/// What is to be held; `None` where the visitor may not know of it.
async fn scope(archive: &Archive, visit: &Visit, given: &Given) -> Result<Option<Scope>, Trouble> {
    let (what, catalog) = (given.what.trim(), &archive.catalog);
    Ok(match given.of.as_str() {
        "search" => Some(Scope::Search { query: what.into(), later_arrivals: given.later.is_some() }),
        "record" => match what.parse() {
            Ok(record) => access::open(archive, &visit.reader(), record).await?.map(|_| Scope::Record { record }),
            Err(_) => None,
        },
        "file" => {
            let file = match what.parse() {
                Ok(file) => Some(file),
                Err(_) => {
                    let files = catalog.files_of_code(what).await.map_err(ArchiveError::from)?;
                    // A code that several files bear names none of them.
                    if let [one] = &files[..] { Some(one.file) } else { None }
                }
            };
            let Some(file) = file else { return Ok(None) };
            let known = catalog.due_of(Unit::File(file)).await.map_err(ArchiveError::from)?;
            let seeing = Seeing::of(archive, visit).await?;
            known.filter(|known| due::sees(&seeing, known)).map(|_| Scope::File { file })
        }
        "fonds" => {
            let all = catalog.fonds().await.map_err(ArchiveError::from)?;
            let named = all.into_iter().find(|one| one.code == what || one.fonds.to_string() == what);
            named.map(|one| Scope::Fonds { fonds: one.fonds })
        }
        _ => None,
    })
}

#[derive(Template)]
#[template(path = "hold.html")]
struct One {
    visit: Visit,
    told: Option<Told>,
    id: String,
    authority: String,
    reason: String,
    reason_text: String,
    scope: String,
    query: Option<(String, bool)>,
    at: String,
    asked_by: String,
    placed_by: String,
    released: Option<ReleasedShown>,
    /// May the visitor release it, and are they another than who asked?
    keeps: bool,
    other: bool,
    placed: String,
    units: Vec<PlacedRow>,
    next: Option<u64>,
}

struct ReleasedShown {
    by: String,
    at: String,
    reason: String,
}

struct PlacedRow {
    kind: String,
    link: Option<String>,
    name: String,
    entry: u64,
    at: String,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    from: u64,
}

async fn one(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, Trouble> {
    shown(&open.archive, visit, told::id(&id)?, part.from, None).await
}

async fn shown(
    archive: &Archive,
    visit: Visit,
    id: HoldId,
    from: u64,
    told: Option<Told>,
) -> Result<Response, Trouble> {
    let actor = told::must(&visit, Act::Dispose)?;
    let read = holds::hold(archive, id).await.map_err(|error| told::unread(error, &visit))?;
    let (hold, _) = read.ok_or(Kind::NotFound)?;
    let known = archive.catalog.hold(id).await.map_err(ArchiveError::from)?.ok_or(Kind::NotFound)?;
    let from = from.min(i64::MAX as u64);
    let placements = archive.catalog.placements(id, from, SHOWN).await.map_err(ArchiveError::from)?;
    let next = placements.last().filter(|_| placements.len() as u32 == SHOWN).map(|last| last.seq + 1);
    let names = case::names(archive).await?;
    let name = |id: ActorId| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let (keeps, other) = (keeps(actor), hold.asked_by != actor.id);
    let query = match &hold.scope {
        Scope::Search { query, later_arrivals } => Some((query.clone(), *later_arrivals)),
        _ => None,
    };
    let page = One {
        told,
        id: id.to_string(),
        authority: hold.authority.clone(),
        reason: visit.say(hold.reason.vi(), hold.reason.en()).into(),
        reason_text: hold.reason_text.clone(),
        scope: scope_name(&known.scope, &visit).into(),
        query,
        at: show::time(known.at),
        asked_by: name(hold.asked_by),
        placed_by: name(hold.placed_by),
        released: hold.released.as_ref().map(|released| ReleasedShown {
            by: name(released.by),
            at: known.released.map(show::time).unwrap_or_default(),
            reason: released.reason.clone(),
        }),
        keeps,
        other,
        placed: show::count(known.placed, visit.language),
        units: rows(archive, &visit, placements).await?,
        next,
        visit,
    };
    html(&page)
}

async fn rows(archive: &Archive, visit: &Visit, placements: Vec<Placement>) -> Result<Vec<PlacedRow>, Trouble> {
    let seeing = Seeing::of(archive, visit).await?;
    let fonds = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let fonds: HashMap<String, String> = fonds.into_iter().map(|one| (one.fonds.to_string(), one.name)).collect();
    let mut rows = Vec::with_capacity(placements.len());
    for one in placements {
        let id = one.unit.to_string();
        let known = archive.catalog.due_of(one.unit).await.map_err(ArchiveError::from)?;
        let title = known.filter(|known| due::sees(&seeing, known)).map(|known| known.title);
        let title = title.or_else(|| fonds.get(&id).cloned());
        let (kind, part) = match one.unit {
            Unit::File(_) => ("file", "files"),
            Unit::Fonds(_) => ("fonds", "fonds"),
            _ => ("record", "records"),
        };
        rows.push(PlacedRow {
            kind: scope_name(kind, visit).into(),
            link: title.is_some().then(|| format!("/{part}/{id}")),
            name: title.unwrap_or(id),
            entry: one.seq,
            at: show::time(one.at),
        });
    }
    Ok(rows)
}

#[derive(Deserialize)]
struct Releasing {
    #[serde(default)]
    reason: String,
}

async fn release(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Form(given): Form<Releasing>,
) -> Result<Response, Trouble> {
    let (who, id) = (told::party(told::must(&visit, Act::Dispose)?), told::id(&id)?);
    match holds::release_hold(&open.archive, &who, id, &given.reason).await {
        Ok(_) => Ok(led_to(&format!("/holds/{id}"))),
        Err(error) => {
            let told = told::disposed(error, &visit)?;
            shown(&open.archive, visit, id, 0, Some(told)).await
        }
    }
}

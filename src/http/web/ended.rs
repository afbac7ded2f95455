//! What is said of a record that ended or may have to: destroyed, on hold, of a suspected secrecy mark, deposited wrongly.
//!
//! # Why
//! *Of what is destroyed everybody learns that it was, when and under which case*, and no more: the stub tells a title, which
//! is for those who take part in disposition and could read what its agency keeps conditionally.
//!
//! *A suspected mark hides everything*: who may judge it learns that it is suspected, and by whom, and goes to the paper; the
//! title may be what is secret.

use crate::access;
use crate::archive::{Archive, ArchiveError};
use crate::disposition::{self, DispositionError, execution, secrets};
use crate::http::{
    api,
    error::{GONE, Kind, Said, Trouble},
    identity::{self, Held},
    state::Door,
    web::{
        Visit, case, html, led_to, show,
        told::{self, Told},
    },
};
use crate::record::{
    access::Access,
    actor::{Act, Role},
    disposition::{
        refusal::Refusal,
        withdrawal::{Asked, Mistake, in_time},
    },
    id::RecordId,
    secrecy::{Level, Secrecy, Suspect},
};
use askama::Template;
use axum::{
    Form, Router,
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use std::{net::SocketAddr, sync::Arc};
use zeroize::Zeroizing;

pub fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/records/{record}/secrecy", post(secrecy))
        .route("/records/{record}/withdrawal", post(withdrawal))
}

#[derive(Template)]
#[template(path = "ended.html")]
struct Gone {
    visit: Visit,
    record: String,
    at: String,
    case: Option<String>,
    /// May the visitor open the case?
    disposes: bool,
    expelled: bool,
    entry: u64,
    certified: bool,
    why: Option<String>,
    /// Subject, and what else identifies it; empty where nothing is told.
    told: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "marked.html")]
struct Marked {
    visit: Visit,
    record: String,
    level: &'static str,
    by: String,
    /// suspected, confirmed or ordered.
    state: &'static str,
    /// Did the visitor confirm it?
    own: bool,
    levels: Vec<(&'static str, &'static str)>,
}

/// What is said in the place of a record that cannot be opened; `None` where it is simply not there for the visitor.
pub async fn instead(archive: &Archive, visit: Visit, record: RecordId) -> Result<Option<Response>, Trouble> {
    if archive.catalog.ended(record).await.map_err(ArchiveError::from)?.is_some() {
        return gone(archive, visit, record).await.map(Some);
    }
    marked(archive, visit, record).await
}

async fn gone(archive: &Archive, visit: Visit, record: RecordId) -> Result<Response, Trouble> {
    let ended = archive.catalog.ended(record).await.map_err(ArchiveError::from)?.ok_or(Kind::NotFound)?;
    let disposes = told::may(&visit, Act::Dispose);
    let (mut told, mut why) = (Vec::new(), None);
    if disposes && let Some(stub) = execution::stub(archive, record).await? {
        let (vi, en) = stub.basis.name();
        why = Some(visit.say(vi, en).to_owned());
        // The level that the record had went with it: it is taken for what most records are.
        let reader = visit.reader();
        let may = |agency: Option<&str>| reader.may_read(Access::Conditional, agency, None);
        if let Some(one) = stub.identity.filter(|one| may(one.agency.as_deref())) {
            let vi = visit.language.as_str() == "vi";
            let say = |vi_text, en_text| if vi { vi_text } else { en_text };
            let number = show::number(one.number.as_deref(), one.notation.as_deref());
            let rows = [
                (say("Trích yếu", "Title"), one.subject),
                (say("Số, ký hiệu", "Number"), number),
                (say("Ngày", "Day"), one.issued.map(|day| show::day(&day.to_string())).unwrap_or_default()),
                (say("Cơ quan ban hành", "Agency"), one.agency.unwrap_or_default()),
                (say("Phông", "Fonds"), one.fonds.unwrap_or_default()),
                (say("Hồ sơ", "File"), one.file.unwrap_or_default()),
            ];
            told.extend(rows.into_iter().filter(|(_, value)| !value.is_empty()));
        }
    }
    let page = Gone {
        record: record.to_string(),
        at: show::time(ended.at),
        case: ended.case.map(|case| case.to_string()),
        disposes,
        expelled: ended.expelled,
        entry: ended.seq,
        certified: ended.certificate.is_some(),
        why,
        told,
        visit,
    };
    let mut response = (GONE, html(&page)?).into_response();
    response.extensions_mut().insert(Said);
    Ok(response)
}

/// May the visitor judge a mark on a record of this agency?
fn judges(visit: &Visit, agency: Option<&str>) -> bool {
    let keeps = visit.actor.as_ref().is_some_and(|actor| matches!(actor.role, Role::Archivist | Role::Head));
    keeps && visit.reader().may_read(Access::Conditional, agency, None)
}

async fn marked(archive: &Archive, visit: Visit, record: RecordId) -> Result<Option<Response>, Trouble> {
    let Some(described) = archive.description(record).await? else { return Ok(None) };
    let secrecy = described.description.secrecy.clone().unwrap_or_default();
    if secrecy.shows() || !judges(&visit, described.description.metadata.agency.as_deref()) {
        return Ok(None);
    }
    let names = case::names(archive).await?;
    let name = |id| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    let me = visit.actor.as_ref().map(|actor| actor.id);
    let (state, level, by, own) = match &secrecy {
        Secrecy::Suspected { level, by: Suspect::Actor(by) } => ("suspected", level, name(by), false),
        Secrecy::Suspected { level, by: Suspect::Program } => {
            ("suspected", level, visit.say("chương trình nhận dạng", "the recogniser").to_owned(), false)
        }
        Secrecy::Confirmed { level, by } => ("confirmed", level, name(by), Some(*by) == me),
        Secrecy::Ordered { level, by, .. } => ("ordered", level, name(by), false),
        _ => return Ok(None),
    };
    let levels = Level::ALL.iter().map(|one| (one.as_str(), one.vi())).collect();
    let level = level.vi();
    html(&Marked { record: record.to_string(), level, by, state, own, levels, visit }).map(Some)
}

/// What stands above a record that can be read.
pub struct Standing {
    /// The holds in force, with who demands each where the visitor may know.
    pub holds: Vec<(String, String)>,
    /// May the visitor open a hold, and place one?
    pub disposes: bool,
    pub levels: Vec<(&'static str, &'static str)>,
    pub mistakes: Vec<(&'static str, String)>,
    pub withdrawal: Option<Waiting>,
    /// May the visitor ask for a withdrawal?
    pub asks: bool,
    pub suspects: bool,
}

/// A wrong deposit that waits for its second person.
pub struct Waiting {
    pub by: String,
    pub at: String,
    pub mistake: String,
    pub reason: String,
    /// May the visitor confirm it?
    pub confirms: bool,
}

/// How a record stands that the visitor may read.
pub async fn standing(archive: &Archive, visit: &Visit, record: RecordId) -> Result<Standing, Trouble> {
    let disposes = told::may(visit, Act::Dispose);
    let mut holds = Vec::new();
    for placed in archive.catalog.holds_on(record.into()).await.map_err(ArchiveError::from)? {
        let id = placed.hold.to_string();
        if holds.iter().any(|(known, _)| *known == id) {
            continue;
        }
        let known = archive.catalog.hold(placed.hold).await.map_err(ArchiveError::from)?;
        holds.push((id, known.map(|known| known.authority).unwrap_or_default()));
    }
    let known = archive.catalog.record(record).await.map_err(ArchiveError::from)?;
    let days = archive.config.disposition.withdrawal_days_max;
    let early = known.is_some_and(|known| in_time(known.at, days, archive.clock.now()));
    let asked = archive.desk.withdrawal(record).await.map_err(ArchiveError::from)?;
    let part = told::may(visit, Act::Deposit) || disposes;
    let names = case::names(archive).await?;
    let say = |one: &Mistake| visit.say(one.vi(), one.en()).to_owned();
    let actor = visit.actor.as_ref();
    let withdrawal = asked.filter(|_| part).map(|asked| Waiting {
        by: names.get(&asked.by).cloned().unwrap_or_else(|| asked.by.to_string()),
        at: show::time(asked.at),
        mistake: say(&asked.mistake),
        reason: asked.reason,
        confirms: actor.is_some_and(|actor| actor.id != asked.by && matches!(actor.role, Role::Archivist | Role::Head)),
    });
    Ok(Standing {
        holds,
        disposes,
        levels: Level::ALL.iter().map(|one| (one.as_str(), one.vi())).collect(),
        mistakes: Mistake::ALL.iter().map(|one| (one.as_str(), say(one))).collect(),
        asks: part && early && withdrawal.is_none(),
        withdrawal,
        suspects: actor.is_some_and(|actor| actor.role != Role::Administrator),
    })
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    visit: Visit,
    told: Option<Told>,
    back: String,
}

/// Leads back to the record, or tells why not.
fn came(
    done: Result<disposition::Done, DispositionError>,
    visit: Visit,
    record: RecordId,
) -> Result<Response, Trouble> {
    match done {
        Ok(_) => Ok(led_to(&format!("/records/{record}"))),
        Err(error) => {
            let told = told::disposed(error, &visit)?;
            refused(visit, record, told)
        }
    }
}

fn refused(visit: Visit, record: RecordId, told: Told) -> Result<Response, Trouble> {
    html(&Refused { visit, told: Some(told), back: format!("/records/{record}") })
}

fn wrong_password(visit: &Visit) -> Told {
    Told::bad(visit.say(
        "Mật khẩu không đúng; nhập lại mật khẩu của chính tài khoản này. Chưa có gì thay đổi.",
        "The password is wrong; give that of this very account. Nothing was changed.",
    ))
}

#[derive(Deserialize)]
struct Mark {
    act: String,
    level: Option<Level>,
    #[serde(default)]
    reason: String,
    #[serde(default, deserialize_with = "secret")]
    password: Zeroizing<String>,
}

fn secret<'de, D: serde::Deserializer<'de>>(given: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(given).map(Zeroizing::new)
}

async fn secrecy(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    visit: Visit,
    Path(record): Path<String>,
    Form(given): Form<Mark>,
) -> Result<Response, Trouble> {
    let (record, archive) = (api::record(&record)?, &open.archive);
    let actor = visit.actor.clone().ok_or(Kind::Unknown)?;
    let mut who = told::party(&actor);
    if given.act == "suspect" {
        // What one may not read one cannot have seen.
        access::open(archive, &visit.reader(), record).await?.ok_or(Kind::NotFound)?;
        let done = secrets::suspect(archive, &who, record, given.level.ok_or(Kind::Malformed)?).await;
        return match done {
            // From now on it is hidden, and where it was there is nothing to come back to.
            Ok(_) => Ok(led_to("/")),
            Err(error) => came(Err(error), visit, record),
        };
    }
    let described = archive.description(record).await?.ok_or(Kind::NotFound)?;
    if !judges(&visit, described.description.metadata.agency.as_deref()) {
        return Err(Kind::NotFound.into());
    }
    let done = match given.act.as_str() {
        "confirm" => secrets::confirm(archive, &who, record, given.level.ok_or(Kind::Malformed)?).await,
        "refute" => secrets::refute(archive, &who, record, &given.reason).await,
        "expel" => {
            who.authenticated = identity::confirmed(&door, &open, &actor, given.password, from.ip()).await?;
            if who.authenticated.is_none() {
                let told = wrong_password(&visit);
                return refused(visit, record, told);
            }
            secrets::expel(archive, &who, record).await
        }
        _ => return Err(Kind::Malformed.into()),
    };
    came(done, visit, record)
}

#[derive(Deserialize)]
struct Wrong {
    act: String,
    mistake: Option<Mistake>,
    #[serde(default)]
    reason: String,
    #[serde(default, deserialize_with = "secret")]
    password: Zeroizing<String>,
}

async fn withdrawal(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    visit: Visit,
    Path(record): Path<String>,
    Form(given): Form<Wrong>,
) -> Result<Response, Trouble> {
    let (record, archive) = (api::record(&record)?, &open.archive);
    let actor = told::must(&visit, Act::Dispose).or_else(|_| told::must(&visit, Act::Deposit))?.clone();
    access::open(archive, &visit.reader(), record).await?.ok_or(Kind::NotFound)?;
    if given.act == "ask" {
        if given.reason.trim().is_empty() {
            return came(Err(Refusal::NoReason.into()), visit, record);
        }
        let known = archive.catalog.record(record).await.map_err(ArchiveError::from)?.ok_or(Kind::NotFound)?;
        let now = archive.clock.now();
        // What cannot be confirmed any more is refused now, and not to the second person.
        if !in_time(known.at, archive.config.disposition.withdrawal_days_max, now) {
            return came(Err(Refusal::WithdrawalTooLate.into()), visit, record);
        }
        let mistake = given.mistake.ok_or(Kind::Malformed)?;
        let asked = Asked { record, mistake, reason: given.reason.trim().into(), by: actor.id, at: now };
        archive.desk.ask_withdrawal(&asked).await.map_err(ArchiveError::from)?;
        return Ok(led_to(&format!("/records/{record}")));
    }
    told::must(&visit, Act::Dispose)?;
    let asked = archive.desk.withdrawal(record).await.map_err(ArchiveError::from)?.ok_or(Kind::NotFound)?;
    let mut who = told::party(&actor);
    who.authenticated = identity::confirmed(&door, &open, &actor, given.password, from.ip()).await?;
    if who.authenticated.is_none() {
        let told = wrong_password(&visit);
        return refused(visit, record, told);
    }
    let done = execution::withdraw(archive, &who, &asked).await;
    if done.is_ok() {
        // If we stop here, it is asked still; who confirms again learns that it is ordered.
        archive.desk.forget_withdrawal(record).await.map_err(ArchiveError::from)?;
    }
    came(done, visit, record)
}

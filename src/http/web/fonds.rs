//! Fonds: their list, and the tree of one: years, headings, files.
//!
//! # Why
//! *A page of the tree is a page of codes*: files stand in the order of their codes, in which the year comes first, so that
//! years stay together over the pages of a large fonds.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement;
use crate::catalog::arranged::KnownFile;
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    web::{
        Visit,
        file_edit::{self, Given},
        html, led_to, show,
        told::{self, Seeing, Told},
    },
};
use crate::record::{
    actor::{Act, Actor, Role},
    date::PartialDate,
    file::About,
    fonds::{self, Closed},
    id::{FileId, FondsId},
    overdue::{Limits, overdue},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Files on one page of the tree.
const FILES_SHOWN: u32 = 200;

#[derive(Template)]
#[template(path = "fonds_list.html")]
struct List {
    visit: Visit,
    told: Option<Told>,
    /// May the visitor open fonds?
    keeps: bool,
    fonds: Vec<FondsRow>,
}

struct FondsRow {
    id: String,
    code: String,
    name: String,
    creator: String,
    closed: Option<String>,
}

/// What the form of a new fonds sends.
#[derive(Deserialize)]
pub struct NewFonds {
    code: String,
    name: String,
    creator: String,
    kind: fonds::Kind,
    #[serde(default)]
    history: String,
}

/// The list.
pub async fn list(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    told::must_see_files(&visit)?;
    listed(&open.archive, visit, None).await
}

async fn listed(archive: &Archive, visit: Visit, told: Option<Told>) -> Result<Response, Trouble> {
    let known = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let fonds = known.into_iter().map(|one| FondsRow {
        id: one.fonds.to_string(),
        code: one.code,
        name: one.name,
        creator: one.creator,
        closed: one.closed.map(|day| show::day(&day)),
    });
    let keeps = visit.actor.as_ref().is_some_and(|actor| actor.role == Role::Archivist);
    html(&List { fonds: fonds.collect(), keeps, told, visit })
}

/// Opens a fonds.
pub async fn open(Held(open): Held, visit: Visit, Form(given): Form<NewFonds>) -> Result<Response, Trouble> {
    let who = told::who(told::must(&visit, Act::Arrange)?);
    let Ok(creator) = given.creator.trim().parse() else {
        let text = "Mã cơ quan hình thành phông không đúng dạng: chữ, số, dấu chấm, gạch ngang (H49.64).";
        let told = Told::bad(visit.say(text, "The creator's code is letters, digits, dots and hyphens (H49.64)."));
        return listed(&open.archive, visit, Some(told)).await;
    };
    let about = fonds::About {
        code: given.code.trim().to_owned(),
        name: given.name.trim().to_owned(),
        kind: given.kind,
        creator,
        custodians: Vec::new(),
        history: file_edit::filled(&given.history),
        started: None,
        ended: None,
        groups: Vec::new(),
        languages: Vec::new(),
        security_copy: None,
        note: None,
        closed: None,
    };
    match arrangement::open_fonds(&open.archive, &who, about, None).await {
        Ok(done) => Ok(led_to(&format!("/fonds/{}", done.unit))),
        Err(error) => {
            let told = told::arranged(error, &visit)?;
            listed(&open.archive, visit, Some(told)).await
        }
    }
}

#[derive(Template)]
#[template(path = "fonds.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    id: String,
    code: String,
    name: String,
    kind: String,
    creator: String,
    history: Option<String>,
    closed: Option<(String, String)>,
    /// May the visitor close it, and open files in it?
    keeps: bool,
    makes: bool,
    /// The visitor's own name, for who makes a new file.
    me: String,
    today: String,
    years: Vec<Year>,
    late: usize,
    next: Option<String>,
}

struct Year {
    name: String,
    files: String,
    headings: Vec<Heading>,
}

struct Heading {
    name: String,
    files: Vec<FileRow>,
}

struct FileRow {
    id: String,
    code: String,
    title: String,
    state: &'static str,
    state_name: String,
    maker: String,
    records: String,
    class: String,
    due: String,
    /// Days past the last day of handing over, or the reminder before it.
    late: Option<String>,
    reminder: Option<String>,
}

#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: String,
}

/// One fonds.
pub async fn one(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Result<Response, Trouble> {
    told::must_see_files(&visit)?;
    shown(&open.archive, visit, told::id(&id)?, &after, None).await
}

/// Closes a fonds.
pub async fn close(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Form(given): Form<ClosedGiven>,
) -> Result<Response, Trouble> {
    let (who, id) = (told::who(told::must(&visit, Act::Arrange)?), told::id(&id)?);
    let told = match PartialDate::read(&given.on) {
        Err(_) => Told::bad(visit.say("Ngày viết 30/6/2025.", "Write the day as 30/6/2025.")),
        Ok(on) => match arrangement::close_fonds(&open.archive, &who, id, Closed { on, reason: given.reason }).await {
            Ok(_) => return Ok(led_to(&format!("/fonds/{id}"))),
            Err(error) => told::arranged(error, &visit)?,
        },
    };
    shown(&open.archive, visit, id, "", Some(told)).await
}

/// What the form of a closing sends.
#[derive(Deserialize)]
pub struct ClosedGiven {
    on: String,
    reason: String,
}

/// Opens a file in a fonds.
pub async fn open_file(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    let (actor, id) = (told::must(&visit, Act::Arrange)?, told::id(&id)?);
    let opened = open.archive.clock.now().day().parse().ok();
    // Who opens a file for somebody else does not become its maker.
    let own = given.maker().is_none_or(|maker| maker == actor.name);
    let begun =
        About { opened, maker: Some(actor.name.clone()), maker_id: own.then_some(actor.id), ..About::default() };
    let told = match file_edit::about(&open.archive, &given, begun).await? {
        Err(wrong) => file_edit::wrong(wrong, &visit),
        Ok(about) => match arrangement::open_file(&open.archive, &told::who(actor), id, about).await {
            Ok(done) => return Ok(led_to(&format!("/files/{}", done.unit))),
            Err(error) => told::arranged(error, &visit)?,
        },
    };
    shown(&open.archive, visit, id, "", Some(told)).await
}

async fn shown(
    archive: &Archive,
    visit: Visit,
    id: FondsId,
    after: &str,
    told: Option<Told>,
) -> Result<Response, Trouble> {
    let found = arrangement::fonds(archive, id).await;
    let found = found.or_else(|error| told::arranged(error, &visit).map(|_| None))?;
    let (fonds, _) = found.ok_or(Kind::NotFound)?;
    let known = archive.catalog.files(id, after, FILES_SHOWN).await.map_err(ArchiveError::from)?;
    let last = known.last().filter(|_| known.len() == FILES_SHOWN as usize);
    let next = last.map(|last| last.code.clone().unwrap_or_else(|| last.file.to_string()));
    let next = next.map(|after| format!("/fonds/{id}?{}", show::pairs(&[("after", &after)])));
    let actor = visit.actor.as_ref().ok_or(Kind::Unknown)?;
    let files = seen(archive, &visit, actor, &fonds.about.code, known).await?;
    let (years, late) = tree(archive, &visit, &files).await?;
    let about = &fonds.about;
    let kind_en = about.kind.as_str().replace("gathered", "gathered records");
    let page = Page {
        id: id.to_string(),
        code: about.code.clone(),
        name: about.name.clone(),
        kind: visit.say(about.kind.vi(), &kind_en).to_owned(),
        creator: about.creator.to_string(),
        history: about.history.clone(),
        closed: about.closed.as_ref().map(|end| (show::day(&end.on.to_string()), end.reason.clone())),
        keeps: actor.role == Role::Archivist && about.closed.is_none(),
        makes: matches!(actor.role, Role::Depositor | Role::RecordsClerk | Role::Archivist),
        me: actor.name.clone(),
        today: show::day(&archive.clock.now().day()),
        years,
        late,
        next,
        told,
        visit,
    };
    html(&page)
}

/// The files that the visitor may read, with their descriptions.
async fn seen(
    archive: &Archive,
    visit: &Visit,
    actor: &Actor,
    code: &str,
    known: Vec<KnownFile>,
) -> Result<Vec<(KnownFile, About)>, Trouble> {
    let seeing = Seeing::of(archive, visit).await?;
    let mut files = Vec::with_capacity(known.len());
    for one in known {
        let read = arrangement::file(archive, one.file).await;
        let Some((file, _)) = read.or_else(|error| told::arranged(error, visit).map(|_| None))? else { continue };
        if seeing.file(&file.about, Some(code), actor) {
            files.push((one, file.about.clone()));
        }
    }
    Ok(files)
}

/// Years and headings, the newest year first, and how many files are late.
async fn tree(archive: &Archive, visit: &Visit, files: &[(KnownFile, About)]) -> Result<(Vec<Year>, usize), Trouble> {
    let today: Option<PartialDate> = archive.clock.now().day().parse().ok();
    let told = files.iter().map(|(known, about)| (known.file, known.state, about));
    let debts = today.map(|today| overdue(told, today, &Limits::default())).unwrap_or_default();
    let late: BTreeMap<FileId, i64> = debts
        .iter()
        .flat_map(|debt| debt.overdue.iter().chain(&debt.reminders))
        .map(|due| (due.file, due.late_days))
        .collect();
    let mut years: BTreeMap<Option<i16>, BTreeMap<String, Vec<FileRow>>> = BTreeMap::new();
    for (known, about) in files {
        let year = about.started.or(about.opened).map(|date| date.year);
        let row = row(archive, visit, known, about, late.get(&known.file).copied()).await?;
        let heading = about.heading.clone().unwrap_or_default();
        years.entry(year).or_default().entry(heading).or_default().push(row);
    }
    let years = years.into_iter().rev().map(|(year, headings)| {
        let files: usize = headings.values().map(Vec::len).sum();
        Year {
            name: year.map_or_else(|| visit.say("Chưa rõ năm", "Year unknown").to_owned(), |year| year.to_string()),
            files: show::count(files as u64, visit.language),
            headings: headings.into_iter().map(|(name, files)| Heading { name, files }).collect(),
        }
    });
    Ok((years.collect(), late.values().filter(|days| **days > 0).count()))
}

async fn row(
    archive: &Archive,
    visit: &Visit,
    known: &KnownFile,
    about: &About,
    late: Option<i64>,
) -> Result<FileRow, Trouble> {
    let due = archive.catalog.due_of(known.file.into()).await.map_err(ArchiveError::from)?;
    let days = |days: i64| format!("{} {}", days.abs(), visit.say("ngày", "days"));
    let maker: Vec<&str> = [about.maker.as_deref(), about.unit.as_deref()].into_iter().flatten().collect();
    let term = crate::record::term::words(about.retention_code.as_deref(), about.retention_years);
    Ok(FileRow {
        id: known.file.to_string(),
        code: about.code.clone().unwrap_or_default(),
        title: about.title.clone(),
        state: known.state.as_str(),
        state_name: visit.say(known.state.vi(), known.state.en()).to_owned(),
        maker: maker.join(", "),
        records: due.as_ref().map_or_else(String::new, |due| told::much(due.records, due.bytes, visit)),
        class: about.class.as_ref().map_or(term, |class| class.class.clone()),
        due: due.map_or_else(String::new, |known| told::due(&known.due, visit)),
        late: late.filter(|late| *late > 0).map(days),
        reminder: late.filter(|late| *late <= 0).map(days),
    })
}

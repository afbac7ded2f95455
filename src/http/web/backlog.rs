//! Backlog work (chỉnh lý): all of it, and one work: what is not placed yet, the files of the draft, what was taken out,
//! the approval in one act, and carrying it out.
//!
//! # Why
//! *What is left to do stands first*, as a list to tick: a clerk goes through a heap of papers, not through a form for each.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement::{self, Arranged, ArrangementError, CarriedOut, Work};
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    web::{
        Visit,
        file_edit::filled,
        html, led_to,
        plans::{Within, sees, within},
        show,
        told::{self, FlawShown, Seeing, Told},
    },
};
use crate::record::{
    access::Access,
    actor::{Act, Role},
    backlog::{Backlog, BacklogState, Because, Rejected},
    codes,
    date::PartialDate,
    file::About,
    file_state::Who,
    id::{BacklogId, FondsId, RecordId},
    term,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, RawForm},
    response::Response,
};
use serde::Deserialize;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Records that are shown to be placed, and the most that are placed at once.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "backlogs.html")]
struct List {
    visit: Visit,
    told: Option<Told>,
    keeps: bool,
    works: Vec<Row>,
    fonds: Vec<(String, String)>,
}

struct Row {
    id: String,
    title: String,
    code: String,
    state: String,
    files: u32,
    placed: u32,
    rejected: u32,
}

/// All works.
pub async fn list(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    listed(&open.archive, visit, None).await
}

async fn listed(archive: &Archive, visit: Visit, told: Option<Told>) -> Result<Response, Trouble> {
    let keeps = told::must_see_files(&visit)?.role == Role::Archivist;
    let seeing = Seeing::of(archive, &visit).await?;
    let known = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let seen: Vec<_> = known.into_iter().filter(|fonds| sees(&seeing, &fonds.code)).collect();
    let works = archive.catalog.backlogs().await.map_err(ArchiveError::from)?;
    let works = works.into_iter().filter_map(|one| {
        let fonds = seen.iter().find(|fonds| fonds.fonds == one.fonds)?;
        Some(Row {
            id: one.backlog.to_string(),
            title: one.title,
            code: fonds.code.clone(),
            state: visit.say(one.state.vi(), one.state.en()).to_owned(),
            files: one.files,
            placed: one.placed,
            rejected: one.rejected,
        })
    });
    let works = works.collect();
    let fonds = seen.iter().map(|fonds| (fonds.fonds.to_string(), format!("{} · {}", fonds.code, fonds.name)));
    html(&List { works, fonds: fonds.collect(), keeps, told, visit })
}

/// What the form of a new work sends.
#[derive(Deserialize)]
pub struct NewWork {
    fonds: String,
    title: String,
}

/// Opens a work.
pub async fn open(Held(open): Held, visit: Visit, Form(given): Form<NewWork>) -> Result<Response, Trouble> {
    let (archive, who) = (&open.archive, told::who(told::must(&visit, Act::Arrange)?));
    let of: FondsId = told::id(&given.fonds)?;
    within(archive, &visit, of).await?;
    match arrangement::open_backlog(archive, &who, of, &given.title).await {
        Ok(done) => Ok(led_to(&format!("/backlog/{}", done.unit))),
        Err(error) => {
            let told = told::arranged(error, &visit)?;
            listed(archive, visit, Some(told)).await
        }
    }
}

#[derive(Template)]
#[template(path = "backlog.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    id: String,
    title: String,
    fonds: Within,
    state: String,
    draft: bool,
    approved: Option<(String, String)>,
    committed: bool,
    keeps: bool,
    issues: bool,
    history: String,
    scheme: String,
    /// Not placed yet, and how many more of them there are.
    left: Vec<RecordShown>,
    more: usize,
    files: Vec<FileShown>,
    rejected: Vec<(RecordShown, String)>,
    because: Vec<(&'static str, String)>,
    retentions: Vec<(&'static str, &'static str)>,
    flaws: Vec<FlawShown>,
}

struct FileShown {
    code: String,
    title: String,
    term: String,
    records: Vec<RecordShown>,
}

/// A record; without a title where the visitor may not read it.
#[derive(Clone)]
struct RecordShown {
    id: String,
    title: String,
    number: String,
    issued: String,
}

/// One work.
pub async fn one(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    shown(&open.archive, visit, told::id(&id)?, None).await
}

/// What a form of a work sends.
#[derive(Default)]
struct Asked {
    fields: HashMap<String, String>,
    records: Vec<RecordId>,
}

impl Asked {
    fn of(body: &[u8]) -> Result<Asked, Trouble> {
        let mut asked = Asked::default();
        for (name, value) in form_urlencoded::parse(body) {
            match name.as_ref() {
                "record" if asked.records.len() >= SHOWN => return Err(Kind::Malformed.into()),
                "record" => asked.records.push(value.parse().map_err(|_| Trouble::from(Kind::Malformed))?),
                name => drop(asked.fields.insert(name.to_owned(), value.into_owned())),
            }
        }
        Ok(asked)
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Something is done with a work.
pub async fn act(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    RawForm(body): RawForm,
) -> Result<Response, Trouble> {
    let (archive, id): (&Archive, BacklogId) = (&open.archive, told::id(&id)?);
    let who = told::who(told::must(&visit, Act::Arrange).or_else(|_| told::must(&visit, Act::Dispose))?);
    let (work, _) = readable(archive, &visit, id).await?;
    let asked = Asked::of(&body)?;
    let told = match asked.field("act") {
        "describe" => {
            let (history, scheme) = (filled(asked.field("history")), filled(asked.field("scheme")));
            let work = Work { history, scheme, ..Work::from(&*work) };
            outcome(arrangement::describe_backlog(archive, &who, id, work).await, &visit)?
        }
        "place" => match about(&asked, &visit) {
            Err(told) => Some(told),
            Ok(about) => outcome(arrangement::place_in_draft(archive, &who, id, about, &asked.records).await, &visit)?,
        },
        "reject" => rejected(archive, &visit, &who, id, &asked).await?,
        "approve" => match PartialDate::read(asked.field("on")) {
            Err(_) => Some(Told::bad(visit.say("Ngày quyết định viết 05/01/2026.", "Write the day as 05/01/2026."))),
            Ok(on) => {
                outcome(arrangement::approve_backlog(archive, &who, id, asked.field("decision"), on).await, &visit)?
            }
        },
        "reopen" => outcome(arrangement::reopen_backlog(archive, &who, id).await, &visit)?,
        "carry_out" => Some(carried_out(arrangement::carry_out(archive, &who, id).await, &visit)?),
        _ => return Err(Kind::Malformed.into()),
    };
    match told {
        None => Ok(led_to(&format!("/backlog/{id}"))),
        told => shown(archive, visit, id, told).await,
    }
}

/// Why it was not done; nothing where it was.
fn outcome(done: Result<Arranged, ArrangementError>, visit: &Visit) -> Result<Option<Told>, Trouble> {
    done.map(|_| None).or_else(|error| told::arranged(error, visit).map(Some))
}

fn carried_out(done: Result<CarriedOut, ArrangementError>, visit: &Visit) -> Result<Told, Trouble> {
    match done {
        Ok(CarriedOut { opened, moved, .. }) => Ok(Told::good(match visit.say("vi", "en") {
            "vi" => format!("Đã mở {opened} hồ sơ, xếp {moved} tài liệu."),
            _ => format!("{opened} files were opened, {moved} records were moved."),
        })),
        Err(error) => told::arranged(error, visit),
    }
}

/// The file that ticked records are placed in.
fn about(asked: &Asked, visit: &Visit) -> Result<About, Told> {
    if asked.records.is_empty() {
        return Err(nothing(visit));
    }
    let day = |name: &str| {
        let read = filled(asked.field(name)).map(|typed| PartialDate::read(&typed)).transpose();
        read.map_err(|_| {
            Told::bad(visit.say("Ngày viết 30/6/2025, hoặc chỉ năm.", "Write a day as 30/6/2025, or a year."))
        })
    };
    let years = filled(asked.field("years")).map(|typed| typed.trim().parse()).transpose();
    let years = years.map_err(|_| Told::bad(visit.say("Số năm lưu trữ là một số.", "The years are a number.")))?;
    let retention = filled(asked.field("retention")).or(years.map(|_: u32| "07".into()));
    Ok(About {
        code: filled(asked.field("code")),
        title: asked.field("title").trim().to_owned(),
        retention_code: retention,
        retention_years: years,
        languages: vec!["01".into()],
        started: day("started")?,
        ended: day("ended")?,
        heading: filled(asked.field("heading")),
        ..About::default()
    })
}

fn nothing(visit: &Visit) -> Told {
    Told::bad(visit.say("Chưa đánh dấu tài liệu nào.", "No record was ticked."))
}

/// Ticked records are taken out, each with the same reason.
async fn rejected(
    archive: &Archive,
    visit: &Visit,
    who: &Who,
    id: BacklogId,
    asked: &Asked,
) -> Result<Option<Told>, Trouble> {
    let because = BECAUSE.into_iter().find(|one| key(*one) == asked.field("because")).ok_or(Kind::Malformed)?;
    if asked.records.is_empty() {
        return Ok(Some(nothing(visit)));
    }
    for record in &asked.records {
        let one = Rejected { record: *record, because, reason: asked.field("reason").trim().to_owned() };
        if let Some(told) = outcome(arrangement::reject(archive, who, id, one).await, visit)? {
            return Ok(Some(told));
        }
    }
    Ok(None)
}

const BECAUSE: [Because; 4] = [Because::Duplicate, Because::Expired, Because::Foreign, Because::Reference];

fn key(because: Because) -> &'static str {
    match because {
        Because::Duplicate => "duplicate",
        Because::Expired => "expired",
        Because::Foreign => "foreign",
        Because::Reference => "reference",
    }
}

/// A work that the visitor may read, and its fonds.
async fn readable(archive: &Archive, visit: &Visit, id: BacklogId) -> Result<(Arc<Backlog>, Within), Trouble> {
    let read = arrangement::backlog(archive, id).await;
    let read = read.or_else(|error| told::arranged(error, visit).map(|_| None))?;
    let (work, _) = read.ok_or(Kind::NotFound)?;
    let fonds = within(archive, visit, work.fonds).await?;
    Ok((work, fonds))
}

async fn shown(archive: &Archive, visit: Visit, id: BacklogId, told: Option<Told>) -> Result<Response, Trouble> {
    let role = told::must_see_files(&visit)?.role;
    let (work, fonds) = readable(archive, &visit, id).await?;
    let seeing = Seeing::of(archive, &visit).await?;
    let scope = arrangement::scope(archive, &work).await;
    let scope = scope.or_else(|error| told::arranged(error, &visit).map(|_| Vec::new()))?;
    let named: HashSet<RecordId> = work.files.iter().flat_map(|file| file.records.iter().copied()).collect();
    let named: HashSet<RecordId> = named.into_iter().chain(work.rejected.iter().map(|one| one.record)).collect();
    let unplaced: Vec<RecordId> = scope.iter().copied().filter(|record| !named.contains(record)).collect();
    let mut files = Vec::with_capacity(work.files.len());
    for file in &work.files {
        files.push(FileShown {
            code: file.about.code.clone().unwrap_or_default(),
            title: file.about.title.clone(),
            term: term::words(file.about.retention_code.as_deref(), file.about.retention_years),
            records: records(archive, &seeing, &visit, &file.records).await?,
        });
    }
    let out: Vec<RecordId> = work.rejected.iter().map(|one| one.record).collect();
    let reasons =
        work.rejected.iter().map(|one| format!("{}: {}", visit.say(one.because.vi(), one.because.en()), one.reason));
    let rejected = records(archive, &seeing, &visit, &out).await?.into_iter().zip(reasons).collect();
    let flaws = if work.state == BacklogState::Committed { Vec::new() } else { work.check(&scope) };
    let approval = work.approval.as_ref();
    html(&Page {
        id: id.to_string(),
        title: work.title.clone(),
        fonds,
        state: visit.say(work.state.vi(), work.state.en()).to_owned(),
        draft: work.state == BacklogState::Draft,
        approved: approval.map(|one| (one.decision.clone(), show::day(&one.on.to_string()))),
        committed: work.state == BacklogState::Committed,
        keeps: role == Role::Archivist,
        issues: role == Role::Head && work.state == BacklogState::Draft,
        history: work.history.clone().unwrap_or_default(),
        scheme: work.scheme.clone().unwrap_or_default(),
        left: records(archive, &seeing, &visit, &unplaced[..unplaced.len().min(SHOWN)]).await?,
        more: unplaced.len().saturating_sub(SHOWN),
        files,
        rejected,
        because: BECAUSE.into_iter().map(|one| (key(one), visit.say(one.vi(), one.en()).to_owned())).collect(),
        retentions: codes::RETENTIONS.to_vec(),
        flaws: told::flaws(&flaws, &visit),
        told,
        visit,
    })
}

async fn records(
    archive: &Archive,
    seeing: &Seeing,
    visit: &Visit,
    ids: &[RecordId],
) -> Result<Vec<RecordShown>, Trouble> {
    let mut shown = Vec::with_capacity(ids.len());
    for id in ids {
        let known = archive.catalog.record(*id).await.map_err(ArchiveError::from)?;
        let known = known.filter(|known| {
            let access = Access::read(&known.access).unwrap_or(Access::Secret);
            seeing.sees(access, known.fonds.as_deref(), known.agency.as_deref())
        });
        let hidden = visit.say("không thuộc quyền đọc", "not yours to read");
        shown.push(RecordShown {
            id: id.to_string(),
            title: known.as_ref().map_or(hidden, |known| &known.subject).to_owned(),
            number: known
                .as_ref()
                .map_or_else(String::new, |known| show::number(known.number.as_deref(), known.notation.as_deref())),
            issued: known.and_then(|known| known.issued).map(|day| show::day(&day)).unwrap_or_default(),
        });
    }
    Ok(shown)
}

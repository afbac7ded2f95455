//! A file: what is said of it, what may be done next, what is missing, what is in it, how long it lives and why.
//!
//! # Why
//! *The acts are those of the rule*: each is tried on [`after`] with the visitor's role, so that no button is shown that
//! would be refused for the state or the role.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement;
use crate::disposition;
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    language::Language,
    web::{
        Visit, html, led_to, search, show,
        told::{self, FlawShown, Seeing, Told},
    },
};
use crate::record::{
    access::Reader,
    actor::{Act, Actor},
    closing::{Inside, check_closing},
    codes,
    component::Role,
    description::Description,
    fields::Shape,
    file::{About, FILE_FIELDS, File},
    file_state::{FileAct, FileState, Who, after},
    fonds::Fonds,
    id::{ActorId, FileId},
};
use askama::Template;
use axum::{Form, extract::Path, response::Response};
use serde::Deserialize;
use std::{collections::HashSet, sync::Arc};

#[derive(Template)]
#[template(path = "file.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    id: String,
    title: String,
    fonds: String,
    fonds_name: String,
    code: Option<String>,
    state: &'static str,
    state_name: String,
    access: &'static str,
    level: String,
    reasons: Vec<String>,
    acts: Vec<ActShown>,
    describes: bool,
    flaws: Vec<FlawShown>,
    records: Vec<RecordRow>,
    rows: Vec<(String, String)>,
    due: Option<String>,
    derivation: Vec<String>,
    holds: Vec<HoldShown>,
    /// May the visitor see holds and cases?
    disposes: bool,
    cases: Vec<String>,
    history: Vec<Revised>,
}

struct ActShown {
    name: &'static str,
    label: String,
    /// What is asked for: a reason, several, or nothing.
    asks: Option<String>,
    hint: String,
    main: bool,
}

struct RecordRow {
    ordinal: String,
    link: String,
    subject: String,
    told: String,
    class: String,
}

struct HoldShown {
    id: String,
    since: String,
}

struct Revised {
    at: String,
    event: String,
    entry: u64,
    changes: Vec<String>,
    reasons: Vec<String>,
}

/// What a form sends: the act, and why.
#[derive(Deserialize)]
pub struct Given {
    act: String,
    #[serde(default)]
    reason: String,
}

/// The page.
pub async fn page(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    shown(&open.archive, visit, told::id(&id)?, None).await
}

/// Does something by which the state changes.
pub async fn act(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    let (archive, id) = (&open.archive, told::id(&id)?);
    let actor = told::must(&visit, Act::Arrange)?;
    readable(archive, &visit, id).await?;
    let reasons: Vec<String> = given.reason.lines().map(|line| line.trim().to_owned()).collect();
    let reasons: Vec<String> = reasons.into_iter().filter(|reason| !reason.is_empty()).collect();
    let act = match given.act.as_str() {
        "close" => FileAct::Close,
        "reopen" => FileAct::Reopen { reason: &given.reason },
        "submit" => FileAct::Submit,
        "withdraw" => FileAct::Withdraw,
        "return" => FileAct::Return { reasons: &reasons },
        // Who submitted it is read from the ledger.
        "accept" => FileAct::Accept { submitted_by: actor.id },
        _ => return Err(Kind::Malformed.into()),
    };
    match arrangement::act(archive, &told::who(actor), id, &act).await {
        Ok(_) => Ok(led_to(&format!("/files/{id}"))),
        Err(error) => {
            let told = told::arranged(error, &visit)?;
            shown(archive, visit, id, Some(told)).await
        }
    }
}

/// A file with its fonds; not found where the visitor may not read it.
pub async fn readable(archive: &Archive, visit: &Visit, id: FileId) -> Result<(Arc<File>, Arc<Fonds>), Trouble> {
    let actor = told::must_see_files(visit)?;
    let none = |error| told::arranged(error, visit).map(|_| None);
    let (file, _) = arrangement::file(archive, id).await.or_else(none)?.ok_or(Kind::NotFound)?;
    let none = |error| told::arranged(error, visit).map(|_| None);
    let (fonds, _) = arrangement::fonds(archive, file.fonds).await.or_else(none)?.ok_or(Kind::NotFound)?;
    let seeing = Seeing::of(archive, visit).await?;
    if !seeing.file(&file.about, Some(&fonds.about.code), actor) {
        return Err(Kind::NotFound.into());
    }
    Ok((file, fonds))
}

/// The records in a file that the visitor may read, and how those are called that they may not.
pub async fn records(
    archive: &Archive,
    visit: &Visit,
    about: &About,
) -> Result<(Vec<Arc<Description>>, HashSet<String>), Trouble> {
    let inside = arrangement::inside(archive, about).await;
    let inside = inside.or_else(|error| told::arranged(error, visit).map(|_| Vec::new()))?;
    let reader = visit.reader();
    let (seen, hidden): (Vec<_>, Vec<_>) = inside.into_iter().partition(|record| reads(&reader, record));
    Ok((seen, hidden.into_iter().map(|record| record.record.to_string()).collect()))
}

fn reads(reader: &Reader, record: &Description) -> bool {
    let metadata = &record.metadata;
    reader.may_read(metadata.access, metadata.agency.as_deref(), metadata.custodian.as_deref())
}

/// A record as lists of a file look at it.
pub fn inside(record: &Description) -> Inside<'_> {
    let components = record.components.iter().filter(|one| one.role == Role::Original).count();
    Inside { record: record.record, metadata: &record.metadata, components, retention_years: None }
}

async fn shown(archive: &Archive, visit: Visit, id: FileId, told: Option<Told>) -> Result<Response, Trouble> {
    let (file, fonds) = readable(archive, &visit, id).await?;
    let (records, hidden) = records(archive, &visit, &file.about).await?;
    let actor = visit.actor.as_ref().ok_or(Kind::Unknown)?;
    let about = &file.about;
    let disposes = told::may(&visit, Act::Dispose);
    let holds = archive.catalog.holds_on(id.into()).await.map_err(ArchiveError::from)?;
    let mut holds: Vec<HoldShown> =
        holds.into_iter().map(|on| HoldShown { id: on.hold.to_string(), since: show::time(on.at) }).collect();
    holds.dedup_by(|a, b| a.id == b.id);
    let cases = archive.catalog.cases_of(id.into()).await.map_err(ArchiveError::from)?;
    let (due, derivation) = derivation(archive, &visit, id).await?;
    let page = Page {
        id: id.to_string(),
        title: about.title.clone(),
        fonds: file.fonds.to_string(),
        fonds_name: fonds.about.name.clone(),
        code: about.code.clone(),
        state: file.state.as_str(),
        state_name: visit.say(file.state.vi(), file.state.en()).to_owned(),
        access: about.access.as_str(),
        level: search::level(about.access.as_str(), visit.language).to_owned(),
        reasons: about.reasons.clone(),
        acts: acts(file.state, actor, &visit),
        describes: after(Some(file.state), &FileAct::Describe, &told::who(actor)).is_ok(),
        flaws: missing(&file, &records, &hidden, &visit),
        records: records.iter().map(|record| row(record)).collect(),
        rows: rows(about, visit.language),
        due,
        derivation,
        holds,
        disposes,
        cases: cases.iter().map(ToString::to_string).collect(),
        history: history(archive, &visit, id).await?,
        told,
        visit,
    };
    html(&page)
}

/// The acts that may follow, for this role.
fn acts(state: FileState, actor: &Actor, visit: &Visit) -> Vec<ActShown> {
    let who: Who = told::who(actor);
    let some = ["…".to_owned()];
    // Whoever submitted is somebody else here; if not, the act itself says so.
    let submitted_by = ActorId::new(0, [0; 10]);
    let why = || Some(visit.say("Lý do", "Reason").to_owned());
    let whys = || Some(visit.say("Các lý do, mỗi dòng một lý do", "Reasons, one a line").to_owned());
    let all = [
        ("close", FileAct::Close, ("Kết thúc hồ sơ", "Close"), None),
        ("submit", FileAct::Submit, ("Nộp lưu", "Submit to the archive"), None),
        ("accept", FileAct::Accept { submitted_by }, ("Tiếp nhận", "Accept"), None),
        ("return", FileAct::Return { reasons: &some }, ("Trả lại", "Give back"), whys()),
        ("withdraw", FileAct::Withdraw, ("Rút lại", "Withdraw"), None),
        ("reopen", FileAct::Reopen { reason: "…" }, ("Mở lại", "Reopen"), why()),
    ];
    let allowed = all.into_iter().filter(|(_, act, ..)| after(Some(state), act, &who).is_ok());
    allowed
        .map(|(name, _, (vi, en), asks)| ActShown {
            name,
            label: visit.say(vi, en).to_owned(),
            asks,
            hint: hint(name, visit).to_owned(),
            main: matches!(name, "close" | "submit" | "accept"),
        })
        .collect()
}

fn hint<'a>(act: &str, visit: &'a Visit) -> &'a str {
    match act {
        "close" => visit.say(
            "Khi công việc đã xong: kho đếm tài liệu, kiểm tra thiếu sót, rồi không nhận thêm.",
            "When the work has ended: the records are counted and looked through, and no more come in.",
        ),
        "submit" => visit.say("Chuyển cho lưu trữ cơ quan kiểm tra.", "Hands it to the archive, which checks it."),
        "accept" => visit.say(
            "Người nhận phải khác người nộp; biên bản giao nhận có hai chữ ký.",
            "By another person than who submitted it: the minutes have two signatures.",
        ),
        _ => "",
    }
}

/// What stops or hinders its closing; nothing once the archive has it.
fn missing(file: &File, records: &[Arc<Description>], hidden: &HashSet<String>, visit: &Visit) -> Vec<FlawShown> {
    // With records that the visitor may not read the counts would tell of them.
    if file.state.is_handed_over() || !hidden.is_empty() {
        return Vec::new();
    }
    let looked: Vec<Inside<'_>> = records.iter().map(|record| inside(record)).collect();
    told::flaws(&check_closing(&file.about, &looked), visit)
}

fn row(record: &Description) -> RecordRow {
    let metadata = &record.metadata;
    let number = show::number(metadata.number.as_deref(), metadata.notation.as_deref());
    let issued = metadata.issued.map(|date| show::day(&date.to_string()));
    let told = [metadata.kind.clone(), Some(number), metadata.agency.clone(), issued];
    let told: Vec<String> = told.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    RecordRow {
        ordinal: metadata.file_ordinal.map(|ordinal| ordinal.to_string()).unwrap_or_default(),
        link: format!("/records/{}", record.record),
        subject: metadata.subject.clone(),
        told: told.join(" · "),
        class: metadata.class.as_ref().map(|class| class.class.clone()).unwrap_or_default(),
    }
}

/// The fields that are set, under the names of the circular.
fn rows(about: &About, language: Language) -> Vec<(String, String)> {
    let shown = FILE_FIELDS
        .iter()
        .filter(|field| !matches!(field.name, "title" | "access" | "maker_id" | "shared" | "class" | "reasons"));
    let told = shown.filter_map(|field| {
        let value = (field.value)(about)?;
        let named = |code: &str| {
            let name = field.list.and_then(|(_, list)| codes::name(list, code));
            name.unwrap_or(code).to_owned()
        };
        let value = match field.shape {
            Shape::Date => show::day(&value),
            Shape::Flag if value == "true" => language.say("Có", "Yes").to_owned(),
            Shape::Flag => language.say("Không", "No").to_owned(),
            _ if field.list.is_some() => value.split("; ").map(named).collect::<Vec<_>>().join("; "),
            _ => value.into_owned(),
        };
        Some((language.say(field.vi, &english(field.name)).to_owned(), value))
    });
    let class = about.class.as_ref().map(|class| {
        (language.say("Mục trong bảng thời hạn", "Class").to_owned(), format!("{} (v{})", class.class, class.version))
    });
    let facts = about.facts.iter().map(|fact| {
        let name = language.say("Mốc tính", "Fact that starts a clock").to_owned();
        let when = show::day(&fact.when.to_string());
        (name, format!("{when}: {}", language.say(&fact.trigger.vi(), &fact.trigger.en())))
    });
    told.chain(class).chain(facts).collect()
}

fn english(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The due day, and how it came about, a sentence a line.
async fn derivation(archive: &Archive, visit: &Visit, id: FileId) -> Result<(Option<String>, Vec<String>), Trouble> {
    let explained = disposition::explain(archive, id.into(), None).await;
    let Some(derivation) = explained.map_err(|error| told::unread(error, visit))? else {
        return Ok((None, Vec::new()));
    };
    let lines = if visit.language == Language::Vi { derivation.lines_vi() } else { derivation.lines_en() };
    Ok((Some(told::due(&derivation.due, visit)), lines))
}

async fn history(archive: &Archive, visit: &Visit, id: FileId) -> Result<Vec<Revised>, Trouble> {
    let revisions = arrangement::differences(archive, id.into()).await;
    let revisions = revisions.or_else(|error| told::arranged(error, visit).map(|_| Vec::new()))?;
    let line = |change: &crate::record::difference::Change| {
        if visit.language == Language::Vi { change.line_vi() } else { change.line_en() }
    };
    let mut last: Vec<String> = Vec::new();
    let mut shown: Vec<Revised> = Vec::with_capacity(revisions.len());
    for one in revisions {
        // A reason stands in every description until another takes its place; it is told where it is new.
        let reasons = if one.reasons == last { Vec::new() } else { one.reasons.clone() };
        last = one.reasons;
        shown.push(Revised {
            at: show::time(one.at),
            event: show::event(&one.event, visit.language).to_owned(),
            entry: one.entry,
            changes: one.changes.iter().map(line).collect(),
            reasons,
        });
    }
    shown.reverse();
    Ok(shown)
}

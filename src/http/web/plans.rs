//! Lists of files of a year (danh mục hồ sơ): read from a table, copied for the next year, issued by the head, opened file
//! by file, printed.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement::{self, OpenedFiles, PlanDraft};
use crate::exchange::{forms, lists};
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    state::Door,
    web::{
        Visit,
        agencies::read,
        file_forms::printed,
        html, led_to,
        schedule_sent::{self, Sent},
        show,
        told::{self, FlawShown, Seeing, Told},
    },
};
use crate::record::{
    access::Access,
    actor::{Act, Role},
    date::PartialDate,
    file_state::Who,
    form::{self, Head},
    id::{FondsId, PlanId},
    plan::{FilePlan, Planned},
    term,
};
use askama::Template;
use axum::{
    Form,
    extract::{Multipart, Path, State},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "plans.html")]
struct List {
    visit: Visit,
    told: Option<Told>,
    drafts: bool,
    plans: Vec<Row>,
    /// Identifier and name of each fonds that is open.
    fonds: Vec<(String, String)>,
    year: String,
}

struct Row {
    id: String,
    code: String,
    name: String,
    year: u16,
    files: String,
    approved: Option<String>,
}

/// Who drafts lists: the rule stands in the flow, this shows the forms or not.
fn drafts(role: Role) -> bool {
    matches!(role, Role::RecordsClerk | Role::Archivist)
}

/// May the visitor read the list of a fonds? Its titles are those of files that nobody has looked at yet.
pub fn sees(seeing: &Seeing, code: &str) -> bool {
    seeing.sees(Access::Conditional, Some(code), None)
}

/// Every list.
pub async fn page(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    listed(&open.archive, visit, None).await
}

async fn listed(archive: &Archive, visit: Visit, told: Option<Told>) -> Result<Response, Trouble> {
    let drafts = drafts(told::must_see_files(&visit)?.role);
    let seeing = Seeing::of(archive, &visit).await?;
    let known = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let of = |id: FondsId| known.iter().find(|fonds| fonds.fonds == id && sees(&seeing, &fonds.code));
    let plans = archive.catalog.plans().await.map_err(ArchiveError::from)?;
    let plans = plans.into_iter().filter_map(|one| {
        let fonds = of(one.fonds)?;
        Some(Row {
            id: one.plan.to_string(),
            code: fonds.code.clone(),
            name: fonds.name.clone(),
            year: one.year,
            files: show::count(u64::from(one.files), visit.language),
            approved: one.approved,
        })
    });
    let plans = plans.collect();
    let open = known.iter().filter(|fonds| fonds.closed.is_none() && sees(&seeing, &fonds.code));
    let fonds = open.map(|fonds| (fonds.fonds.to_string(), format!("{} · {}", fonds.code, fonds.name))).collect();
    let year = archive.clock.now().day().chars().take(4).collect();
    html(&List { plans, fonds, year, drafts, told, visit })
}

/// The list of a year from a table.
pub async fn import(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    form: Multipart,
) -> Result<Response, Trouble> {
    let (archive, who) = (&open.archive, told::who(told::must(&visit, Act::Arrange)?));
    let sent = schedule_sent::sent(form, &door).await?;
    let told = match draft(archive, &sent, &visit).await? {
        Err(told) => told,
        Ok(draft) => match arrangement::open_plan(archive, &who, draft).await {
            Ok(done) => return Ok(led_to(&format!("/plans/{}", done.unit))),
            Err(error) => told::arranged(error, &visit)?,
        },
    };
    listed(archive, visit, Some(told)).await
}

async fn draft(archive: &Archive, sent: &Sent, visit: &Visit) -> Result<Result<PlanDraft, Told>, Trouble> {
    let fonds: FondsId = told::id(sent.field("fonds"))?;
    let known = within(archive, visit, fonds).await?;
    let Some(year) = year(sent.field("year")) else {
        return Ok(Err(Told::bad(visit.say("Năm viết 2026.", "Write the year as 2026."))));
    };
    let typed = Some(sent.field("agency").trim()).filter(|typed| !typed.is_empty()).unwrap_or(&known.creator);
    let Ok(agency) = typed.parse() else {
        let text = "Mã cơ quan không đúng dạng: chữ, số, dấu chấm, gạch ngang (H49.64).";
        return Ok(Err(Told::bad(visit.say(text, "An agency's code is letters, digits, dots and hyphens (H49.64)."))));
    };
    let rows = read(sent, visit, lists::plan);
    Ok(rows.map(|(headings, files)| PlanDraft { fonds, year, agency, headings, files }))
}

/// A year as it is typed.
fn year(typed: &str) -> Option<u16> {
    typed.trim().parse().ok().filter(|year| (1..=9999).contains(year))
}

/// A fonds, as its lists tell it.
pub struct Within {
    pub id: FondsId,
    pub code: String,
    pub name: String,
    pub creator: String,
}

/// The fonds of a list that the visitor may read; of another nothing is told.
pub async fn within(archive: &Archive, visit: &Visit, id: FondsId) -> Result<Within, Trouble> {
    let seeing = Seeing::of(archive, visit).await?;
    let known = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let found = known.into_iter().find(|fonds| fonds.fonds == id && sees(&seeing, &fonds.code));
    let found = found.map(|one| Within { id, code: one.code, name: one.name, creator: one.creator });
    found.ok_or(Kind::NotFound.into())
}

#[derive(Template)]
#[template(path = "plan.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    id: String,
    fonds: String,
    code: String,
    name: String,
    year: u16,
    agency: String,
    /// The decision and its day.
    approved: Option<(String, String)>,
    drafts: bool,
    issues: bool,
    headings: Vec<HeadingShown>,
    flaws: Vec<FlawShown>,
    next: u16,
}

struct HeadingShown {
    name: String,
    files: Vec<FileShown>,
}

struct FileShown {
    code: String,
    title: String,
    term: String,
    maker: String,
    note: String,
    /// The file that it has become.
    opened: Option<String>,
}

/// One list.
pub async fn one(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    shown(&open.archive, visit, told::id(&id)?, None).await
}

/// What a form on the page of a list sends.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    act: String,
    decision: String,
    on: String,
    year: String,
}

/// A list is issued, copied, or its files are opened.
pub async fn act(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Response, Trouble> {
    let (archive, id): (&Archive, PlanId) = (&open.archive, told::id(&id)?);
    let who = told::who(told::must(&visit, Act::Arrange).or_else(|_| told::must(&visit, Act::Dispose))?);
    readable(archive, &visit, id).await?;
    let told = match asked.act.as_str() {
        "approve" => match PartialDate::read(&asked.on) {
            Err(_) => Err(Told::bad(visit.say("Ngày quyết định viết 05/01/2026.", "Write the day as 05/01/2026."))),
            Ok(on) => match arrangement::approve_plan(archive, &who, id, &asked.decision, on).await {
                Ok(_) => Ok(format!("/plans/{id}")),
                Err(error) => Err(told::arranged(error, &visit)?),
            },
        },
        "copy" => match year(&asked.year) {
            None => Err(Told::bad(visit.say("Năm viết 2027.", "Write the year as 2027."))),
            Some(year) => match arrangement::copy_plan(archive, &who, id, year).await {
                Ok(done) => Ok(format!("/plans/{}", done.unit)),
                Err(error) => Err(told::arranged(error, &visit)?),
            },
        },
        "open" => Err(opened(archive, &visit, &who, id).await?),
        _ => return Err(Kind::Malformed.into()),
    };
    match told {
        Ok(path) => Ok(led_to(&path)),
        Err(told) => shown(archive, visit, id, Some(told)).await,
    }
}

async fn opened(archive: &Archive, visit: &Visit, who: &Who, id: PlanId) -> Result<Told, Trouble> {
    let OpenedFiles { opened, there, left } = match arrangement::open_planned(archive, who, id).await {
        Ok(done) => done,
        Err(error) => return told::arranged(error, visit),
    };
    let count = |files: usize| show::count(files as u64, visit.language);
    let (new, old, not) = (count(opened.len()), count(there.len()), count(left.len()));
    let text = match visit.say("vi", "en") {
        "vi" => format!("Đã mở {new} hồ sơ; {old} hồ sơ đã có từ trước; {not} hồ sơ chưa mở được."),
        _ => format!("{new} files were opened; {old} were there before; {not} could not be opened."),
    };
    let flaws = left.iter().flat_map(|(code, found)| {
        let under = move |flaw: FlawShown| FlawShown { place: format!("{code} {}", flaw.place), ..flaw };
        told::flaws(found, visit).into_iter().map(under)
    });
    Ok(Told { good: left.is_empty(), text, flaws: flaws.collect() })
}

/// A table takes the place of what a list says; issued, it is a draft again.
pub async fn describe(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    form: Multipart,
) -> Result<Response, Trouble> {
    let (archive, id): (&Archive, PlanId) = (&open.archive, told::id(&id)?);
    let who = told::who(told::must(&visit, Act::Arrange)?);
    readable(archive, &visit, id).await?;
    let sent = schedule_sent::sent(form, &door).await?;
    let told = match read(&sent, &visit, lists::plan) {
        Err(told) => told,
        Ok((headings, files)) => match arrangement::describe_plan(archive, &who, id, headings, files).await {
            Ok(_) => return Ok(led_to(&format!("/plans/{id}"))),
            Err(error) => told::arranged(error, &visit)?,
        },
    };
    shown(archive, visit, id, Some(told)).await
}

/// The list as it is printed (NĐ 30/2020/NĐ-CP Annex V).
pub async fn print(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    told::must_see_files(&visit)?;
    let (plan, _) = readable(&open.archive, &visit, told::id(&id)?).await?;
    let head = Head::of_plan(&plan, open.archive.agencies().await?.as_deref(), "……".into());
    Ok(printed(forms::plan(&head, &form::plan(&plan, &head.agency))))
}

/// A list that the visitor may read, and its fonds.
async fn readable(archive: &Archive, visit: &Visit, id: PlanId) -> Result<(Arc<FilePlan>, Within), Trouble> {
    let read = arrangement::plan(archive, id).await;
    let read = read.or_else(|error| told::arranged(error, visit).map(|_| None))?;
    let (plan, _) = read.ok_or(Kind::NotFound)?;
    let fonds = within(archive, visit, plan.fonds).await?;
    Ok((plan, fonds))
}

async fn shown(archive: &Archive, visit: Visit, id: PlanId, told: Option<Told>) -> Result<Response, Trouble> {
    let role = told::must_see_files(&visit)?.role;
    let (plan, fonds) = readable(archive, &visit, id).await?;
    let mut headings: Vec<HeadingShown> = Vec::new();
    for file in &plan.files {
        let name = match plan.headings.iter().find(|heading| Some(&heading.code) == file.heading.as_ref()) {
            Some(heading) => format!("{} {}", heading.code, heading.title),
            None => file.heading.clone().unwrap_or_default(),
        };
        let row = row(archive, &plan, file).await?;
        match headings.iter_mut().find(|heading| heading.name == name) {
            Some(heading) => heading.files.push(row),
            None => headings.push(HeadingShown { name, files: vec![row] }),
        }
    }
    let approved = plan.approval.as_ref();
    html(&Page {
        id: id.to_string(),
        fonds: fonds.id.to_string(),
        code: fonds.code,
        name: fonds.name,
        year: plan.year,
        agency: plan.agency.to_string(),
        approved: approved.map(|approval| (approval.decision.clone(), show::day(&approval.on.to_string()))),
        drafts: drafts(role),
        issues: role == Role::Head && approved.is_none(),
        headings,
        flaws: told::flaws(&plan.check(), &visit),
        next: plan.year.saturating_add(1),
        told,
        visit,
    })
}

async fn row(archive: &Archive, plan: &FilePlan, file: &Planned) -> Result<FileShown, Trouble> {
    // Nothing is opened by what nobody has issued.
    let opened = match plan.approval {
        Some(_) => archive.catalog.files_of_code(&file.code).await.map_err(ArchiveError::from)?,
        None => Vec::new(),
    };
    let maker: Vec<&str> = [file.maker.as_deref(), file.unit.as_deref()].into_iter().flatten().collect();
    Ok(FileShown {
        code: file.code.clone(),
        title: file.title.clone(),
        term: term::words(file.retention_code.as_deref(), file.retention_years),
        maker: maker.join(", "),
        note: file.note.clone().unwrap_or_default(),
        opened: opened.iter().find(|known| known.fonds == plan.fonds).map(|known| known.file.to_string()),
    })
}

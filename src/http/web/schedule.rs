//! One schedule: its classes, its versions, its approval, its next version and what that would move.

use crate::archive::{Archive, ArchiveError};
use crate::disposition;
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    state::Door,
    web::{
        Visit, html, led_to,
        schedule_sent::{self, Sent},
        schedules::drafts,
        show,
        told::{self, Told},
    },
};
use crate::record::{
    actor::{Act, Role},
    date::PartialDate,
    id::ScheduleId,
    retention::{
        change::{Change, Tally},
        day::Day,
        schedule::{Action, Class, Draft, Schedule},
    },
    text,
};
use askama::Template;
use axum::{
    Form,
    extract::{Multipart, Path, Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;

/// The largest moves that a page shows; all of them are in the table that is kept as a file.
const MOVES_SHOWN: usize = 30;

#[derive(Template)]
#[template(path = "schedule.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    id: String,
    schedule: Arc<Schedule>,
    from: String,
    until: Option<String>,
    /// Decision and day.
    approved: Option<(String, String)>,
    versions: Vec<Version>,
    newest: bool,
    asked: Asked,
    classes: Vec<Row>,
    all: usize,
    drafts: bool,
    approves: bool,
    moved: Option<Moved>,
}

impl Page {
    fn source(&self) -> String {
        let source = self.schedule.source.as_ref();
        source.map_or_else(String::new, |source| {
            let issued = show::day(&source.issued.to_string());
            format!("{} ({issued}, {}): {}", source.number, source.agency, source.title)
        })
    }
}

struct Version {
    number: u32,
    from: String,
    classes: u32,
    approved: bool,
    incomplete: bool,
    here: bool,
}

struct Row {
    group: String,
    code: String,
    title: String,
    subtitle: Option<String>,
    period: String,
    trigger: Option<String>,
    action: String,
    note: Option<String>,
}

/// What a simulation came to.
struct Moved {
    totals: Vec<(String, String)>,
    moves: Vec<MoveShown>,
    groups: usize,
}

struct MoveShown {
    class: String,
    before: String,
    after: String,
    much: String,
}

/// Which version, and which of its classes.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    version: String,
    q: String,
    action: String,
}

/// The page.
pub async fn page(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    shown(&open.archive, visit, told::id(&id)?, asked, None, None).await
}

/// What the form of an approval sends.
#[derive(Deserialize)]
pub struct Approved {
    decision: String,
    on: String,
}

/// The head approves the newest version.
pub async fn approve(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Form(given): Form<Approved>,
) -> Result<Response, Trouble> {
    let (archive, id) = (&open.archive, told::id(&id)?);
    let who = told::party(told::must(&visit, Act::Dispose)?);
    let on = PartialDate::read(&given.on).ok().and_then(|on| on.to_string().parse::<Day>().ok());
    let told = match on {
        None => {
            Told::bad(visit.say("Ngày quyết định viết 15/05/2026.", "Write the day of the decision as 15/05/2026."))
        }
        Some(on) => match disposition::approve_schedule(archive, &who, id, &given.decision, on).await {
            Ok(_) => return Ok(led_to(&format!("/schedules/{id}"))),
            Err(error) => told::disposed(error, &visit)?,
        },
    };
    shown(archive, visit, id, Asked::default(), Some(told), None).await
}

/// What is done with the table of a next version: simulated, kept as a table of moves, or drafted.
pub async fn next(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    form: Multipart,
) -> Result<Response, Trouble> {
    let (archive, id): (&Archive, ScheduleId) = (&open.archive, told::id(&id)?);
    let who = told::party(told::must(&visit, Act::Dispose)?);
    let sent = schedule_sent::sent(form, &door).await?;
    let newest = newest(archive, &visit, id).await?;
    let (classes, looked) = match rows(archive, &visit, &sent, &newest).await? {
        Ok(rows) => rows,
        Err(told) => return shown(archive, visit, id, Asked::default(), Some(told), None).await,
    };
    if sent.field("do") == "revise" {
        let draft = match revised(&newest, &sent, classes, &visit) {
            Ok(draft) => draft,
            Err(told) => return shown(archive, visit, id, Asked::default(), Some(told), None).await,
        };
        return match disposition::revise_schedule(archive, &who, id, draft).await {
            Ok(_) => Ok(led_to(&format!("/schedules/{id}"))),
            Err(error) => {
                let told = told::disposed(error, &visit)?;
                shown(archive, visit, id, Asked::default(), Some(told), None).await
            }
        };
    }
    let change = disposition::simulate(archive, id, &classes).await;
    let change = change.map_err(|error| told::unread(error, &visit))?;
    if sent.field("do") == "csv" {
        return Ok((told::csv_file(&format!("simulation-{id}.csv")), csv(&change)).into_response());
    }
    let moved = moved(&change, &visit);
    shown(archive, visit, id, Asked::default(), looked, Some(moved)).await
}

/// The classes of the file that was sent, with what is to be looked at; without a file those of the newest version.
async fn rows(
    archive: &Archive,
    visit: &Visit,
    sent: &Sent,
    newest: &Schedule,
) -> Result<Result<(Vec<Class>, Option<Told>), Told>, Trouble> {
    if sent.file.is_none() && sent.field("do") != "revise" {
        return Ok(Ok((newest.classes.clone(), None)));
    }
    let imported = match schedule_sent::imported(sent, &archive.config.content, visit).await? {
        Ok(imported) => imported,
        Err(told) => return Ok(Err(told)),
    };
    let looked = schedule_sent::looked(&imported, visit);
    Ok(if looked.good { Ok((imported.classes, Some(looked))) } else { Err(looked) })
}

/// The next version: the head as before, but for what the form tells.
fn revised(newest: &Schedule, sent: &Sent, classes: Vec<Class>, visit: &Visit) -> Result<Draft, Told> {
    let from = PartialDate::read(sent.field("from"));
    let wrong = "Ngày có hiệu lực của phiên bản mới viết 15/02/2026.";
    let from =
        from.map_err(|_| Told::bad(visit.say(wrong, "Write the first day of the next version as 15/02/2026.")))?;
    Ok(Draft {
        title: newest.title.clone(),
        source: newest.source.clone(),
        from: Day::first_of(from),
        until: None,
        incomplete: sent.field("incomplete") == "1",
        note: newest.note.clone(),
        classes,
    })
}

async fn newest(archive: &Archive, visit: &Visit, id: ScheduleId) -> Result<Arc<Schedule>, Trouble> {
    let found = disposition::schedule(archive, id).await.map_err(|error| told::unread(error, visit))?;
    Ok(found.ok_or(Kind::NotFound)?.0)
}

async fn shown(
    archive: &Archive,
    visit: Visit,
    id: ScheduleId,
    asked: Asked,
    told: Option<Told>,
    moved: Option<Moved>,
) -> Result<Response, Trouble> {
    let actor = told::must(&visit, Act::Dispose)?;
    let newest = newest(archive, &visit, id).await?;
    let schedule = match asked.version.parse::<u32>() {
        Ok(version) if version != newest.version => {
            let found = disposition::version(archive, id, version).await;
            found.map_err(|error| told::unread(error, &visit))?.ok_or(Kind::NotFound)?.0
        }
        _ => newest.clone(),
    };
    let known = archive.catalog.versions(id).await.map_err(ArchiveError::from)?;
    let versions = known.into_iter().map(|one| Version {
        number: one.version,
        from: show::day(&one.from),
        classes: one.classes,
        approved: one.approved.is_some(),
        incomplete: one.incomplete,
        here: one.version == schedule.version,
    });
    let approval = schedule.approved.as_ref();
    let page = Page {
        id: id.to_string(),
        from: schedule.from.shown(),
        until: schedule.until.map(|day| day.shown()),
        approved: approval.map(|approval| (approval.decision.clone(), approval.on.shown())),
        versions: versions.collect(),
        newest: schedule.version == newest.version,
        classes: matching(&schedule.classes, &asked, &visit),
        all: schedule.classes.len(),
        drafts: drafts(actor),
        approves: actor.role == Role::Head && newest.approved.is_none(),
        asked,
        schedule,
        moved,
        told,
        visit,
    };
    html(&page)
}

/// The classes that answer the filter: words of code, group or title, and an action.
fn matching(classes: &[Class], asked: &Asked, visit: &Visit) -> Vec<Row> {
    let words = text::fold(asked.q.trim());
    let found = classes.iter().filter(|class| {
        let told =
            format!("{} {} {} {}", class.code, class.group, class.title, class.subtitle.as_deref().unwrap_or(""));
        let named = words.is_empty() || text::fold(&told).contains(&words);
        named && (asked.action.is_empty() || action(class.action) == asked.action)
    });
    let row = |class: &Class| Row {
        group: class.group.clone(),
        code: class.code.clone(),
        title: class.title.clone(),
        subtitle: class.subtitle.clone(),
        period: visit.say(&class.period.vi(), &class.period.en()).to_owned(),
        trigger: class.period.counted(class.trigger).map(|(trigger, _)| visit.say(&trigger.vi(), &trigger.en()).into()),
        action: visit.say(class.action.vi(), class.action.en()).to_owned(),
        note: class.note.clone(),
    };
    found.map(row).collect()
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Destroy => "destroy",
        Action::Transfer => "transfer",
        Action::Review => "review",
    }
}

fn moved(change: &Change, visit: &Visit) -> Moved {
    let totals = change.totals();
    let much = |tally: Tally| told::much(tally.records, tally.bytes, visit);
    let row = |vi: &str, en: &str, tally: Tally| (visit.say(vi, en).to_owned(), much(tally));
    let mut moves = change.moves();
    let groups = moves.len();
    moves.sort_by_key(|one| std::cmp::Reverse((one.records, one.bytes)));
    let shown = moves.into_iter().take(MOVES_SHOWN).map(|one| MoveShown {
        class: match one.class_before == one.class_after {
            true => one.class_before,
            false => format!("{} → {}", one.class_before, one.class_after),
        },
        before: told::due(&one.before, visit),
        after: told::due(&one.after, visit),
        much: told::much(one.records, one.bytes, visit),
    });
    Moved {
        moves: shown.collect(),
        totals: vec![
            row("Đã xem xét", "Looked at", totals.seen),
            row("Thay đổi", "Moved", totals.moved),
            row("Hết thời hạn sớm hơn", "Due earlier", totals.earlier),
            row("Hết thời hạn muộn hơn", "Due later", totals.later),
            row("Hết thời hạn ngay", "Due at once", totals.due_at_once),
            row("Không còn hết thời hạn", "Due no more", totals.due_no_more),
        ],
        groups,
    }
}

fn csv(change: &Change) -> String {
    let heads = ["class_before", "class_after", "before", "after", "records", "bytes"];
    let mut table = format!("{}{}", told::BYTE_ORDER_MARK, told::csv(heads));
    for one in change.moves() {
        let (before, after) = (one.before.to_string(), one.after.to_string());
        let (records, bytes) = (one.records.to_string(), one.bytes.to_string());
        table.push_str(&told::csv(
            [&one.class_before, &one.class_after, &before, &after, &records, &bytes].map(String::as_str),
        ));
    }
    table
}

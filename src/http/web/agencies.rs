//! The register of agencies: who was there on a day, at which level, under which name, and who manages whose records.
//!
//! # Why
//! *A day is always asked for*: three levels until 30/6/2025 and two since are two answers to one question, and a page that
//! mixed them would be right on no day.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement;
use crate::exchange::lists;
use crate::http::{
    error::Trouble,
    identity::Held,
    state::Door,
    web::{
        Visit, html, led_to,
        schedule_sent::{self, Sent},
        show,
        told::{self, FlawShown, Told},
    },
};
use crate::record::{
    actor::{Act, Role},
    agencies::{Agencies, Agency, AgencyCode, custody::Share},
    date::PartialDate,
};
use askama::Template;
use axum::{
    extract::{Multipart, Query, State},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "agencies.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    /// The day that is asked for, as it is typed.
    on: String,
    /// May the visitor give the archive another register?
    keeps: bool,
    levels: Vec<LevelShown>,
    custody: Vec<Custody>,
}

struct LevelShown {
    name: String,
    source: String,
    agencies: Vec<AgencyShown>,
}

struct AgencyShown {
    code: String,
    name: String,
    parent: String,
    from: String,
    until: String,
    before: String,
    after: String,
}

/// Who manages the records of a fonds on that day.
struct Custody {
    id: String,
    code: String,
    name: String,
    permanent: String,
    limited: String,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    on: String,
}

/// The page.
pub async fn page(Held(open): Held, visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    shown(&open.archive, visit, asked.on, None).await
}

/// Takes a register in: JSON, or a table of its agencies.
pub async fn take(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    form: Multipart,
) -> Result<Response, Trouble> {
    let (archive, who) = (&open.archive, told::who(told::must(&visit, Act::Arrange)?));
    let sent = schedule_sent::sent(form, &door).await?;
    let before = archive.register().await?;
    let told = match read(&sent, &visit, |bytes| lists::register(bytes, before.as_ref().map(|(before, _)| &**before))) {
        Err(told) => told,
        Ok(draft) => match arrangement::take_register(archive, &who, draft).await {
            Ok(_) => return Ok(led_to("/agencies")),
            Err(error) => told::arranged(error, &visit)?,
        },
    };
    shown(archive, visit, String::new(), Some(told)).await
}

/// What the file of a form says, by a reader of lists; else what is wrong with it, row by row.
pub fn read<T>(
    sent: &Sent,
    visit: &Visit,
    reader: impl FnOnce(&[u8]) -> Result<T, Vec<lists::Wrong>>,
) -> Result<T, Told> {
    let none = "Chưa chọn tệp; chọn tệp rồi gửi lại.";
    let bytes = sent.file.as_ref().ok_or_else(|| Told::bad(visit.say(none, "No file was chosen; choose one.")))?;
    reader(bytes).map_err(|wrong| {
        let flaw = |one: &lists::Wrong| {
            let (vi, en) = one.said();
            FlawShown { severity: "error", place: String::new(), text: visit.say(&vi, &en).to_owned() }
        };
        let text = "Tệp chưa đọc được; sửa các dòng dưới đây rồi gửi lại. Chưa có gì thay đổi.";
        let told =
            Told::bad(visit.say(text, "The file cannot be read; mend these and send it again. Nothing was changed."));
        Told { flaws: wrong.iter().take(FLAWS_SHOWN).map(flaw).collect(), ..told }
    })
}

/// So many flaws of one file are told.
const FLAWS_SHOWN: usize = 200;

async fn shown(archive: &Archive, visit: Visit, asked: String, told: Option<Told>) -> Result<Response, Trouble> {
    let actor = told::must_see_files(&visit)?;
    let keeps = actor.role == Role::Archivist;
    let today = archive.clock.now().day();
    let typed = if asked.trim().is_empty() { today.clone() } else { asked };
    let (on, told) = match (PartialDate::read(&typed), PartialDate::read(&today)) {
        (Ok(on), _) => (Some(on), told),
        (Err(_), today) => {
            let bad = Told::bad(visit.say("Ngày viết 30/6/2025.", "Write the day as 30/6/2025."));
            (today.ok(), told.or(Some(bad)))
        }
    };
    let agencies = archive.agencies().await?;
    let (mut levels, mut custody) = (Vec::new(), Vec::new());
    if let Some(on) = on {
        if let Some(agencies) = &agencies {
            levels = by_level(agencies, on);
        }
        custody = custodians(archive, &visit, on, agencies.as_deref()).await?;
    }
    let on = on.map(|on| show::day(&on.to_string())).unwrap_or_default();
    html(&Page { on, keeps, levels, custody, told, visit })
}

fn by_level(agencies: &Agencies, on: PartialDate) -> Vec<LevelShown> {
    let there = |agency: &&Agency| agencies.at(&agency.code, on) == Some(*agency);
    let all: Vec<&Agency> = agencies.register().agencies.iter().filter(there).collect();
    let levels = agencies.register().levels.iter().map(|level| {
        let at = all.iter().filter(|agency| agency.level == level.code);
        LevelShown {
            name: level.vi.clone(),
            source: level.source.clone(),
            agencies: at.map(|agency| row(agencies, agency, on)).collect(),
        }
    });
    levels.filter(|level| !level.agencies.is_empty()).collect()
}

fn row(agencies: &Agencies, agency: &Agency, on: PartialDate) -> AgencyShown {
    let day = |day: Option<PartialDate>| day.map(|day| show::day(&day.to_string())).unwrap_or_default();
    let names = |codes: Vec<AgencyCode>| {
        codes.iter().map(|code| named(Some(agencies), code, on)).collect::<Vec<_>>().join("; ")
    };
    AgencyShown {
        code: agency.code.to_string(),
        name: agency.name.clone(),
        parent: agency.parent.as_ref().map(|parent| named(Some(agencies), parent, on)).unwrap_or_default(),
        from: day(agency.from),
        until: day(agency.until),
        before: names(agencies.predecessors_of(&agency.code)),
        after: names(agencies.successors_of(&agency.code, on)),
    }
}

/// The name on a day, else the last one, else the code.
fn named(agencies: Option<&Agencies>, code: &AgencyCode, on: PartialDate) -> String {
    let name = agencies.and_then(|agencies| {
        agencies.name_at(code, on).or_else(|| agencies.rows(code).next_back().map(|agency| agency.name.as_str()))
    });
    name.unwrap_or(code.as_str()).to_owned()
}

async fn custodians(
    archive: &Archive,
    visit: &Visit,
    on: PartialDate,
    agencies: Option<&Agencies>,
) -> Result<Vec<Custody>, Trouble> {
    let mut all = Vec::new();
    for fonds in archive.catalog.fonds().await.map_err(ArchiveError::from)? {
        let mut told = [String::new(), String::new()];
        for (share, told) in [Share::Permanent, Share::Limited].into_iter().zip(&mut told) {
            let custodian = arrangement::custodian_at(archive, fonds.fonds, on, share).await;
            let custodian = custodian.or_else(|error| told::arranged(error, visit).map(|_| None))?;
            *told = custodian.map_or_else(
                || visit.say("chưa rõ", "unknown").to_owned(),
                |one| {
                    let because = visit.say(one.because.vi(), one.because.en());
                    let source = one.source.map(|source| format!(", {source}")).unwrap_or_default();
                    format!("{} ({because}{source})", named(agencies, &one.agency, on))
                },
            );
        }
        let [permanent, limited] = told;
        all.push(Custody { id: fonds.fonds.to_string(), code: fonds.code, name: fonds.name, permanent, limited });
    }
    Ok(all)
}

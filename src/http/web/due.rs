//! What is due: the list with its filters, and how its units come on the list of a case.
//!
//! # Why
//! *The list is the catalog's, the ground is not*: for each unit that is put on the list of a case the flow counts anew from
//! the descriptions, and refuses what is not due by them. What was refused is told, what was listed stays listed.

use crate::archive::{Archive, ArchiveError};
use crate::disposition::{
    self,
    due::{DueFilter, DueUnit},
};
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    web::{
        Visit, html, show,
        told::{self, FlawShown, Seeing, Told},
    },
};
use crate::record::{
    access::Access,
    actor::Act,
    date::PartialDate,
    disposition::{
        act::Act as CaseAct,
        case::{Stage, Unit as Listable},
    },
    id::CaseId,
    retention::day::Day,
    unit::Kind as UnitKind,
};
use askama::Template;
use axum::{
    extract::{Query, RawForm},
    response::Response,
};
use serde::Deserialize;
use std::collections::HashMap;

/// Units on one page, and in one request.
const SHOWN: u32 = 100;

#[derive(Template)]
#[template(path = "due.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    asked: Asked,
    until: String,
    units: Vec<Row>,
    total: String,
    schedules: Vec<(String, String)>,
    fonds: Vec<(String, String)>,
    /// Cases whose list is open.
    cases: Vec<(String, String)>,
    /// What the form of the list comes back to.
    here: String,
    next: Option<String>,
}

struct Row {
    /// `file:<id>`, as the check box sends it.
    key: String,
    link: String,
    loose: bool,
    code: String,
    title: String,
    fonds: String,
    class: String,
    due: String,
    much: String,
    held: bool,
    case: Option<String>,
}

/// The filters. Everything may be left out.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    until: String,
    fonds: String,
    schedule: String,
    class: String,
    kind: String,
    held: String,
    considered: String,
    after: String,
}

impl Asked {
    /// The address of the same question from a place on.
    fn from(&self, after: &str) -> String {
        let pairs = [
            ("until", self.until.as_str()),
            ("fonds", &self.fonds),
            ("schedule", &self.schedule),
            ("class", &self.class),
            ("kind", &self.kind),
            ("held", &self.held),
            ("considered", &self.considered),
            ("after", after),
        ];
        format!("/due?{}", show::pairs(&pairs))
    }

    fn filter(&self, today: Day) -> Option<DueFilter> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let until = given(&self.until).map(|day| PartialDate::read(&day)).transpose().ok()?;
        Some(DueFilter {
            until: until.map_or(today, Day::last_of),
            fonds: given(&self.fonds),
            schedule: given(&self.schedule).map(|id| id.parse()).transpose().ok()?,
            class: given(&self.class),
            kind: match self.kind.as_str() {
                "file" => Some(UnitKind::File),
                "record" => Some(UnitKind::Record),
                _ => None,
            },
            held: flag(&self.held),
            considered: flag(&self.considered),
        })
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// The list.
pub async fn page(Held(open): Held, visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    told::must(&visit, Act::Dispose)?;
    shown(&open.archive, visit, asked, None).await
}

/// Puts units on the list of a case.
pub async fn list(Held(open): Held, visit: Visit, RawForm(body): RawForm) -> Result<Response, Trouble> {
    let (archive, who) = (&open.archive, told::party(told::must(&visit, Act::Dispose)?));
    let (mut case, mut asked, mut units) = (None::<CaseId>, Asked::default(), Vec::new());
    for (name, value) in form_urlencoded::parse(&body) {
        match name.as_ref() {
            "case" => case = value.parse().ok(),
            "unit" => units.push(unit(&value).ok_or(Kind::Malformed)?),
            "back" => asked = back(&value),
            _ => {}
        }
    }
    let told = match case {
        _ if units.len() > SHOWN as usize => return Err(Kind::Malformed.into()),
        None => Told::bad(visit.say("Chưa chọn hồ sơ xét hủy.", "No case was chosen.")),
        Some(_) if units.is_empty() => Told::bad(visit.say("Chưa đánh dấu hồ sơ nào.", "Nothing was checked.")),
        Some(case) => listed(archive, &visit, &who, case, &units).await?,
    };
    shown(archive, visit, asked, Some(told)).await
}

/// A unit as a check box names it.
fn unit(key: &str) -> Option<Listable> {
    match key.split_once(':')? {
        ("file", id) => id.parse().ok().map(Listable::File),
        ("record", id) => id.parse().ok().map(Listable::Record),
        _ => None,
    }
}

/// The filters that the form carried along.
fn back(address: &str) -> Asked {
    let question = address.split_once('?').map_or("", |(_, question)| question);
    let pairs: HashMap<String, String> = form_urlencoded::parse(question.as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.get(name).cloned().unwrap_or_default();
    Asked {
        until: value("until"),
        fonds: value("fonds"),
        schedule: value("schedule"),
        class: value("class"),
        kind: value("kind"),
        held: value("held"),
        considered: value("considered"),
        after: value("after"),
    }
}

/// One act for each unit, in one description of the case.
async fn listed(
    archive: &Archive,
    visit: &Visit,
    who: &disposition::Who,
    case: CaseId,
    units: &[Listable],
) -> Result<Told, Trouble> {
    let seeing = Seeing::of(archive, visit).await?;
    let (mut flaws, mut places, mut acts) = (Vec::new(), Vec::new(), Vec::new());
    let mut refuse = |error, place: String| {
        let text = told::disposed(error, visit)?.text;
        flaws.push(FlawShown { severity: "error", place, text });
        Ok::<_, Trouble>(())
    };
    for unit in units {
        let whole = disposition::cases::unit_of(*unit);
        let known = archive.catalog.due_of(whole).await.map_err(ArchiveError::from)?;
        let known = known.filter(|known| sees(&seeing, known)).ok_or(Kind::NotFound)?;
        let place = known.code.unwrap_or(known.title);
        match disposition::cases::ground(archive, *unit).await {
            Ok(ground) => {
                acts.push(CaseAct::List { unit: *unit, ground });
                places.push(place);
            }
            Err(error) => refuse(error, place)?,
        }
    }
    let mut done = 0_usize;
    if !acts.is_empty() {
        match disposition::cases::each(archive, who, case, acts).await {
            Ok(came) => {
                for (came, place) in came.into_iter().zip(places) {
                    match came {
                        Ok(_) => done += 1,
                        Err(error) => refuse(error, place)?,
                    }
                }
            }
            Err(error) => refuse(error, String::new())?,
        }
    }
    let said = visit.say("đơn vị đã vào danh sách xét hủy", "units were put on the list of the case");
    let refused = visit.say("không đưa vào được", "were not");
    let text = match flaws.len() {
        0 => format!("{done} {said}."),
        wrong => format!("{done} {said}; {wrong} {refused}:"),
    };
    Ok(Told { good: flaws.is_empty(), text, flaws })
}

/// May the visitor read what is due?
pub fn sees(seeing: &Seeing, one: &DueUnit) -> bool {
    let access = Access::read(&one.access).unwrap_or(Access::Secret);
    seeing.sees(access, one.fonds.as_deref(), one.agency.as_deref())
}

async fn shown(archive: &Archive, visit: Visit, asked: Asked, told: Option<Told>) -> Result<Response, Trouble> {
    let today = Day::in_vietnam(archive.clock.now());
    let (filter, mut told) = match asked.filter(today) {
        Some(filter) => (filter, told),
        None => {
            let wrong = "Điều kiện không đọc được; ngày viết 31/12/2026, 12/2026 hoặc 2026.";
            let wrong = visit.say(wrong, "A filter cannot be read; write days as 31/12/2026, 12/2026 or 2026.");
            (DueFilter::on(today), Some(Told::bad(wrong)))
        }
    };
    let after = asked.after.parse().ok();
    let (units, next) = archive.catalog.due_list(&filter, after.as_ref(), SHOWN).await.map_err(ArchiveError::from)?;
    let seeing = Seeing::of(archive, &visit).await?;
    let units: Vec<Row> = units.into_iter().filter(|one| sees(&seeing, one)).map(|one| row(one, &visit)).collect();
    if units.is_empty() && next.is_some() && told.is_none() {
        told = Some(Told::good(visit.say(
            "Trang này không có gì trong phạm vi được đọc; xem trang tiếp.",
            "Nothing on this page that you may read; see the next.",
        )));
    }
    let schedules = archive.catalog.schedules().await.map_err(ArchiveError::from)?;
    let fonds = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let cases = archive.catalog.cases().await.map_err(ArchiveError::from)?;
    let open = cases
        .into_iter()
        .filter(|case| case.stage == Stage::Listed)
        .map(|case| (case.case.to_string(), format!("{} · {} · {}", case.agency, show::time(case.at), case.listed)));
    let page = Page {
        until: filter.until.shown(),
        total: show::count(units.len() as u64, visit.language),
        units,
        schedules: schedules.into_iter().map(|one| (one.schedule.to_string(), one.title)).collect(),
        fonds: fonds.into_iter().map(|one| (one.code, one.name)).collect(),
        cases: open.collect(),
        here: asked.from(&asked.after),
        next: next.map(|mark| asked.from(&mark.to_string())),
        asked,
        told,
        visit,
    };
    html(&page)
}

fn row(one: DueUnit, visit: &Visit) -> Row {
    let loose = one.unit.record().is_some();
    Row {
        key: format!("{}:{}", one.unit.kind().as_str(), one.unit),
        link: format!("/{}/{}", one.unit.kind().folder(), one.unit),
        loose,
        code: one.code.unwrap_or_default(),
        title: one.title,
        fonds: one.fonds.unwrap_or_default(),
        class: one.class.unwrap_or_default(),
        due: match one.due {
            crate::record::retention::clock::Due::On(day) => day.shown(),
            other => told::due(&other, visit),
        },
        much: told::much(one.records, one.bytes, visit),
        held: one.held,
        case: one.case.map(|case| case.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_comes_back_as_it_was() {
        let asked = Asked { until: "2026".into(), fonds: "A&B".into(), held: "no".into(), ..Asked::default() };
        let address = asked.from("7.x");
        assert_eq!(address, "/due?until=2026&fonds=A%26B&held=no&after=7.x");
        assert_eq!(back(&address).from("7.x"), address);
        assert_eq!(back("nonsense").from(""), "/due?");
    }

    #[test]
    fn what_cannot_be_read_is_no_filter() {
        let today = "2026-11-27".parse().unwrap();
        assert_eq!(Asked::default().filter(today), Some(DueFilter::on(today)));
        let year = Asked { until: "2027".into(), ..Asked::default() };
        assert_eq!(year.filter(today).unwrap().until.to_string(), "2027-12-31");
        assert_eq!(Asked { until: "mai".into(), ..Asked::default() }.filter(today), None);
        assert_eq!(Asked { schedule: "x".into(), ..Asked::default() }.filter(today), None);
        assert_eq!(unit("fonds:x"), None);
    }
}

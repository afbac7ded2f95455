//! The description of a file as a form: what people type becomes what is said of the file.
//!
//! # Why
//! *The class brings its period*: the circular's code and the years follow from the class that is chosen, so that the two
//! never contradict each other.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement;
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    web::{
        Visit, file, html, led_to, show,
        told::{self, Told},
    },
};
use crate::record::{
    access::Access,
    actor::Act,
    codes::{self, Code},
    date::PartialDate,
    file::About,
    id::FileId,
    retention::trigger::{Told as Fact, Trigger},
    term::ClassRef,
};
use askama::Template;
use axum::{Form, extract::Path, response::Response};
use serde::Deserialize;

/// What the form sends. Everything may be left out.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub struct Given {
    title: String,
    code: String,
    heading: String,
    maker: String,
    unit: String,
    started: String,
    ended: String,
    access: String,
    keywords: String,
    language: String,
    class: String,
    facts: String,
    sheets: String,
    physical_condition: String,
    origin: String,
    paper_code: String,
    paper_place: String,
    loose_reason: String,
    note: String,
    /// Was the whole form sent? The short one that opens a file leaves the rest as it is.
    whole: String,
}

/// The field that nobody can read.
pub struct Unread(&'static str, &'static str);

/// What is left of a text without its margins; `None` of an empty one.
pub fn filled(text: &str) -> Option<String> {
    Some(text.trim().replace("\r\n", "\n")).filter(|text| !text.is_empty())
}

/// What is to be said of an unread field.
pub fn wrong(Unread(vi, en): Unread, visit: &Visit) -> Told {
    Told::bad(format!("{} {}", visit.say("Không đọc được:", "This cannot be read:"), visit.say(vi, en)))
}

impl Given {
    /// The maker, where one is named.
    pub fn maker(&self) -> Option<&str> {
        Some(self.maker.trim()).filter(|maker| !maker.is_empty())
    }

    fn of(about: &About) -> Given {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let date = |value: Option<PartialDate>| value.map(|date| show::day(&date.to_string())).unwrap_or_default();
        let fact = |fact: &Fact| format!("{} {}", show::day(&fact.when.to_string()), fact.trigger.vi());
        Given {
            title: about.title.clone(),
            code: text(&about.code),
            heading: text(&about.heading),
            maker: text(&about.maker),
            unit: text(&about.unit),
            started: date(about.started),
            ended: date(about.ended),
            access: about.access.as_str().into(),
            keywords: about.keywords.join("; "),
            language: about.languages.first().cloned().unwrap_or_default(),
            class: about.class.as_ref().map(key).unwrap_or_default(),
            facts: about.facts.iter().map(fact).collect::<Vec<_>>().join("\n"),
            sheets: about.sheets.map(|sheets| sheets.to_string()).unwrap_or_default(),
            physical_condition: text(&about.physical_condition),
            origin: text(&about.origin),
            paper_code: text(&about.paper_code),
            paper_place: text(&about.paper_place),
            loose_reason: text(&about.loose_reason),
            note: text(&about.note),
            whole: "1".into(),
        }
    }
}

/// A class as the list of the form names it.
fn key(class: &ClassRef) -> String {
    format!("{}/{}/{}", class.schedule, class.version, class.class)
}

fn class(key: &str) -> Option<ClassRef> {
    let mut parts = key.splitn(3, '/');
    let (schedule, version, class) = (parts.next()?, parts.next()?, parts.next()?);
    Some(ClassRef { schedule: schedule.parse().ok()?, version: version.parse().ok()?, class: class.into() })
}

fn date(text: &str, vi: &'static str, en: &'static str) -> Result<Option<PartialDate>, Unread> {
    filled(text).map(|text| PartialDate::read(&text)).transpose().map_err(|_| Unread(vi, en))
}

/// A fact a line: the day, then what happened on it.
fn facts(text: &str) -> Option<Vec<Fact>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines.map(|line| {
        let (when, trigger) = line.split_once(char::is_whitespace)?;
        Some(Fact { trigger: Trigger::read(trigger).ok()?, when: PartialDate::read(when).ok()? })
    });
    told.collect()
}

/// What is said of a file after the form, from what was said before.
pub async fn about(archive: &Archive, given: &Given, before: About) -> Result<Result<About, Unread>, Trouble> {
    let mut about = match typed(given, before) {
        Ok(about) => about,
        Err(unread) => return Ok(Err(unread)),
    };
    if given.whole.is_empty() {
        return Ok(Ok(about));
    }
    let chosen = filled(&given.class).map(|key| class(&key));
    let known = match &chosen {
        None => None,
        Some(None) => return Ok(Err(Unread("mục trong bảng thời hạn", "the class"))),
        Some(Some(class)) => {
            let classes = archive.catalog.classes(class.schedule, class.version).await.map_err(ArchiveError::from)?;
            let known = classes.into_iter().find(|known| known.code == class.class);
            Some(known.ok_or(Kind::Malformed)?)
        }
    };
    about.class = chosen.flatten();
    if let Some(known) = known {
        let term = known.period.maintenance();
        about.retention_code = Some(term.code.into());
        about.retention_years = term.years.map(u32::from);
    }
    Ok(Ok(about))
}

fn typed(given: &Given, before: About) -> Result<About, Unread> {
    let access = match given.access.as_str() {
        "" => before.access,
        other => Access::read(other).ok_or(Unread("mức độ tiếp cận", "the access level"))?,
    };
    let short = About {
        title: given.title.trim().to_owned(),
        code: filled(&given.code),
        heading: filled(&given.heading),
        unit: filled(&given.unit),
        started: date(
            &given.started,
            "thời gian bắt đầu: 15/05/2026, 05/2026, 2026",
            "the beginning: 15/05/2026, 05/2026, 2026",
        )?,
        access,
        // Another maker by name is another person.
        maker_id: before.maker_id.filter(|_| filled(&given.maker) == before.maker || given.maker.trim().is_empty()),
        maker: filled(&given.maker).or(before.maker),
        ..before
    };
    if given.whole.is_empty() {
        return Ok(short);
    }
    let sheets = filled(&given.sheets).map(|sheets| sheets.parse()).transpose();
    let keywords = given.keywords.split([';', '\n']).filter_map(filled).collect();
    Ok(About {
        ended: date(
            &given.ended,
            "thời gian kết thúc: 15/05/2026, 05/2026, 2026",
            "the end: 15/05/2026, 05/2026, 2026",
        )?,
        keywords,
        languages: languages(given, &short),
        facts: facts(&given.facts).ok_or(Unread(
            "mốc tính: mỗi dòng một ngày rồi sự việc, như 31/12/2020 công trình hết tuổi thọ",
            "facts: a day and what happened a line, as 31/12/2020 construction_ended",
        ))?,
        sheets: sheets.map_err(|_| Unread("số lượng tờ", "the number of sheets"))?,
        physical_condition: filled(&given.physical_condition),
        origin: filled(&given.origin),
        paper_code: filled(&given.paper_code),
        paper_place: filled(&given.paper_place),
        loose_reason: filled(&given.loose_reason),
        note: filled(&given.note),
        ..short
    })
}

/// The form shows one language; what stands behind the first stays.
fn languages(given: &Given, before: &About) -> Vec<String> {
    let Some(first) = filled(&given.language) else { return Vec::new() };
    if before.languages.first() == Some(&first) { before.languages.clone() } else { vec![first] }
}

#[derive(Template)]
#[template(path = "file_edit.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    id: String,
    given: Given,
    schedules: Vec<Choices>,
    languages: &'static [Code],
    conditions: &'static [Code],
    origins: &'static [Code],
}

/// The classes of a schedule.
struct Choices {
    name: String,
    classes: Vec<(String, String)>,
}

/// The form.
pub async fn page(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    told::must(&visit, Act::Arrange)?;
    let id = told::id(&id)?;
    let (file, _) = file::readable(&open.archive, &visit, id).await?;
    let given = Given::of(&file.about);
    form(&open.archive, visit, id, given, None).await
}

/// Describes the file anew.
pub async fn describe(
    Held(open): Held,
    visit: Visit,
    Path(id): Path<String>,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    let (archive, id) = (&open.archive, told::id(&id)?);
    let actor = told::must(&visit, Act::Arrange)?;
    let (file, _) = file::readable(archive, &visit, id).await?;
    let given = Given { whole: "1".into(), ..given };
    let told = match about(archive, &given, file.about.clone()).await? {
        Err(unread) => wrong(unread, &visit),
        Ok(about) => match arrangement::describe_file(archive, &told::who(actor), id, about).await {
            Ok(_) => return Ok(led_to(&format!("/files/{id}"))),
            Err(error) => told::arranged(error, &visit)?,
        },
    };
    form(archive, visit, id, given, Some(told)).await
}

async fn form(
    archive: &Archive,
    visit: Visit,
    id: FileId,
    given: Given,
    told: Option<Told>,
) -> Result<Response, Trouble> {
    let schedules = choices(archive, &visit, &given.class).await?;
    html(&Page {
        id: id.to_string(),
        told,
        given,
        schedules,
        languages: &codes::LANGUAGES,
        conditions: &codes::CONDITIONS,
        origins: &codes::ORIGINS,
        visit,
    })
}

/// The classes that can be chosen: of every schedule the version that rules, else its newest. What is chosen already
/// stays a choice.
async fn choices(archive: &Archive, visit: &Visit, chosen: &str) -> Result<Vec<Choices>, Trouble> {
    let mut choices = Vec::new();
    for newest in archive.catalog.schedules().await.map_err(ArchiveError::from)? {
        let ruling = archive.catalog.ruling(newest.schedule).await.map_err(ArchiveError::from)?;
        let version = ruling.unwrap_or(newest);
        let classes = archive.catalog.classes(version.schedule, version.version).await.map_err(ArchiveError::from)?;
        let named = classes.into_iter().map(|class| {
            let period = visit.say(&class.period.vi(), &class.period.en()).to_owned();
            let title = class.subtitle.map_or(class.title.clone(), |subtitle| format!("{} – {subtitle}", class.title));
            let of = ClassRef { schedule: version.schedule, version: version.version, class: class.code.clone() };
            (key(&of), format!("{} {title} ({period})", class.code))
        });
        choices.push(Choices { name: version.title.clone(), classes: named.collect() });
    }
    let known = choices.iter().any(|one| one.classes.iter().any(|(key, _)| key == chosen));
    if let Some(class) = class(chosen).filter(|_| !known) {
        let name = visit.say("Phiên bản trước", "An earlier version").to_owned();
        choices
            .insert(0, Choices { name, classes: vec![(key(&class), format!("{} (v{})", class.class, class.version))] });
    }
    Ok(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_stays_and_what_cannot_be_read_is_named() {
        let before = About { note: Some("giữ".into()), title: "cũ".into(), ..About::default() };
        let short = Given { title: " Hồ sơ mới ".into(), started: "5/2026".into(), ..Given::default() };
        let after = typed(&short, before.clone()).ok().unwrap();
        assert_eq!((after.title.as_str(), after.note.as_deref()), ("Hồ sơ mới", Some("giữ")));
        assert_eq!(after.started, "2026-05".parse().ok());
        let unread = Given { started: "hôm qua".into(), ..short.clone() };
        assert!(typed(&unread, before.clone()).is_err());
        // The whole form says what it shows: an empty field is taken back.
        let whole = Given { whole: "1".into(), facts: "31/12/2020 construction_ended".into(), ..short };
        let after = typed(&whole, before).ok().unwrap();
        assert_eq!((after.note, after.facts.len()), (None, 1));
        assert_eq!(facts("31/12/2020"), None);
    }

    #[test]
    fn a_form_shows_what_it_reads() {
        let about = About {
            title: "Hồ sơ".into(),
            ended: "2024-05-15".parse().ok(),
            keywords: vec!["đất".into(), "nhà".into()],
            facts: facts("2020 construction_ended").unwrap(),
            ..About::default()
        };
        assert_eq!(typed(&Given::of(&about), about.clone()).ok().unwrap(), about);
    }
}

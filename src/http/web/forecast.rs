//! How much falls due when: bars by year, the same as a table, CSV and JSON, and what goes to the historical archive.
//!
//! # Why
//! *Figures are of what one may read*: an official sees those of their own agency, whoever keeps or tests the archive sees
//! all. The figures themselves name nothing but classes and fonds.

use crate::archive::Archive;
use crate::catalog::retention::Falling;
use crate::disposition;
use crate::http::{
    error::Trouble,
    identity::Held,
    web::{
        Visit, due, html,
        plot::{self, Plot},
        show,
        told::{self, Seeing},
    },
};
use crate::record::{access::Access, actor::Act, day, disposition::transfer::Transfer, retention::day::Day};
use askama::Template;
use axum::{
    Json,
    extract::Query,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Years that have a bar of their own.
const YEARS_SHOWN: i16 = 20;
/// Groups that have a colour of their own; the rest are one.
const GROUPS_SHOWN: usize = 6;
/// Transfers that are told.
const TRANSFERS_SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "forecast.html")]
struct Page {
    visit: Visit,
    by: &'static str,
    of: &'static str,
    plot: Plot,
    groups: Vec<String>,
    table: Vec<(String, Vec<String>, String)>,
    never: String,
    waiting: String,
}

/// What the bars are parted by, and what they count.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    by: String,
    of: String,
}

/// The figures that the visitor may see.
async fn falling(archive: &Archive, visit: &Visit) -> Result<Vec<Falling>, Trouble> {
    told::must(visit, Act::Dispose)?;
    let all = disposition::forecast(archive).await.map_err(|error| told::unread(error, visit))?;
    let seeing = Seeing::of(archive, visit).await?;
    let seen = |one: &Falling| seeing.sees(Access::Conditional, one.fonds.as_deref(), one.agency.as_deref());
    Ok(all.into_iter().filter(seen).collect())
}

/// The page.
pub async fn page(Held(open): Held, visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let falling = falling(&open.archive, &visit).await?;
    let this_year = Day::in_vietnam(open.archive.clock.now()).year();
    let by = ["fonds", "agency"].into_iter().find(|by| *by == asked.by).unwrap_or("class");
    let of = if asked.of == "bytes" { "bytes" } else { "records" };
    let (groups, bars) = bars(&falling, (by, of), this_year, &visit);
    let value = |value: u64| match of {
        "bytes" => show::size(value, visit.language),
        _ => show::count(value, visit.language),
    };
    let plot = plot::plot(&bars, |year, group, number| format!("{year}, {}: {}", groups[group], value(number)), value);
    let table = bars.iter().map(|(year, parts)| {
        (year.clone(), parts.iter().map(|part| value(*part)).collect(), value(parts.iter().sum()))
    });
    let sum = |due: &str| {
        let those = falling.iter().filter(|one| one.due == due);
        let (records, bytes) = those.fold((0, 0), |(records, bytes), one| (records + one.records, bytes + one.bytes));
        told::much(records, bytes, &visit)
    };
    let page =
        Page { by, of, table: table.collect(), never: sum("never"), waiting: sum("waiting"), plot, groups, visit };
    html(&page)
}

/// The bars: what was due before this year, each of the next years, and what comes later; each parted by group, the largest
/// groups first.
fn bars(
    falling: &[Falling],
    (by, of): (&str, &str),
    this_year: i16,
    visit: &Visit,
) -> (Vec<String>, Vec<(String, Vec<u64>)>) {
    let none = visit.say("(không ghi)", "(not told)");
    let name = |one: &Falling| {
        let named = match by {
            "fonds" => one.fonds.clone(),
            "agency" => one.agency.clone(),
            _ => one.class.clone(),
        };
        named.unwrap_or_else(|| none.to_owned())
    };
    let amount = |one: &Falling| if of == "bytes" { one.bytes } else { one.records };
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for one in falling.iter().filter(|one| one.year.is_some()) {
        *sums.entry(name(one)).or_default() += amount(one);
    }
    let mut groups: Vec<(String, u64)> = sums.into_iter().collect();
    groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = groups.len() > GROUPS_SHOWN;
    let mut groups: Vec<String> = groups.into_iter().take(GROUPS_SHOWN).map(|(name, _)| name).collect();
    if more {
        groups.push(visit.say("Các mục còn lại", "All others").to_owned());
    }
    let last = this_year.saturating_add(YEARS_SHOWN - 1);
    let mut bars: BTreeMap<i16, Vec<u64>> =
        (this_year - 1..=last + 1).map(|year| (year, vec![0; groups.len()])).collect();
    for one in falling {
        let Some(year) = one.year else { continue };
        let name = name(one);
        let group = groups.iter().position(|group| *group == name).unwrap_or(groups.len().saturating_sub(1));
        let bar = bars.get_mut(&year.clamp(this_year - 1, last + 1)).and_then(|parts| parts.get_mut(group));
        if let Some(part) = bar {
            *part += amount(one);
        }
    }
    let named = bars.into_iter().map(|(year, parts)| match year {
        year if year < this_year => (visit.say("Trước", "Before").to_owned(), parts),
        year if year > last => (visit.say("Sau", "Later").to_owned(), parts),
        year => (year.to_string(), parts),
    });
    (groups, named.collect())
}

/// The same figures for programs.
#[derive(Serialize)]
struct Figure {
    year: Option<i16>,
    due: String,
    schedule: Option<String>,
    class: Option<String>,
    fonds: Option<String>,
    agency: Option<String>,
    records: u64,
    bytes: u64,
}

/// The figures as JSON.
pub async fn json(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    let figures = falling(&open.archive, &visit).await?.into_iter().map(|one| Figure {
        year: one.year,
        due: one.due,
        schedule: one.schedule.map(|id| id.to_string()),
        class: one.class,
        fonds: one.fonds,
        agency: one.agency,
        records: one.records,
        bytes: one.bytes,
    });
    Ok(Json(figures.collect::<Vec<_>>()).into_response())
}

/// The figures as a table.
pub async fn csv(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    let heads = ["year", "due", "schedule", "class", "fonds", "agency", "records", "bytes"];
    let mut table = format!("{}{}", told::BYTE_ORDER_MARK, told::csv(heads));
    for one in falling(&open.archive, &visit).await? {
        let text = |value: Option<String>| value.unwrap_or_default();
        let cells = [
            text(one.year.map(|year| year.to_string())),
            one.due,
            text(one.schedule.map(|id| id.to_string())),
            text(one.class),
            text(one.fonds),
            text(one.agency),
            one.records.to_string(),
            one.bytes.to_string(),
        ];
        table.push_str(&told::csv(cells.iter().map(String::as_str)));
    }
    Ok((told::csv_file("forecast.csv"), table).into_response())
}

#[derive(Template)]
#[template(path = "transfers.html")]
struct Transfers {
    visit: Visit,
    units: Vec<Row>,
}

struct Row {
    link: String,
    code: String,
    title: String,
    fonds: String,
    much: String,
    tone: &'static str,
    stands: String,
}

/// What is permanent and due at the historical archive.
pub async fn transfers(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    told::must(&visit, Act::Dispose)?;
    let archive = &open.archive;
    let found = disposition::transfers(archive, TRANSFERS_SHOWN).await;
    let found = found.map_err(|error| told::unread(error, &visit))?;
    let seeing = Seeing::of(archive, &visit).await?;
    let mut seen: Vec<_> = found.into_iter().filter(|(one, _)| due::sees(&seeing, one)).collect();
    seen.sort_by_key(|(_, transfer)| std::cmp::Reverse(*transfer));
    let units = seen.into_iter().map(|(one, transfer)| {
        let (tone, stands) = stands(transfer, &visit);
        Row {
            link: format!("/{}/{}", one.unit.kind().folder(), one.unit),
            code: one.code.unwrap_or_default(),
            title: one.title,
            fonds: one.fonds.unwrap_or_default(),
            much: told::much(one.records, one.bytes, &visit),
            tone,
            stands,
        }
    });
    html(&Transfers { units: units.collect(), visit })
}

fn stands(transfer: Transfer, visit: &Visit) -> (&'static str, String) {
    let shown = |number: u32| day::date(number).map(|date| show::day(&date.to_string())).unwrap_or_default();
    match transfer {
        Transfer::Marked => ("partly", visit.say("chờ giải mật", "waits until its secrecy mark is lifted").to_owned()),
        Transfer::Waits { until } => {
            ("", format!("{} {}", visit.say("đăng ký từ ngày", "to be registered from"), shown(until)))
        }
        Transfer::Due { by, days } => {
            let said = visit.say("đăng ký và nộp trước ngày", "to be registered and handed over by");
            ("partly", format!("{said} {} ({days} {})", shown(by), visit.say("ngày nữa", "days left")))
        }
        Transfer::Overdue { by, days } => {
            let said = visit.say("quá hạn nộp từ ngày", "overdue since");
            ("ended", format!("{said} {} ({days} {})", shown(by), visit.say("ngày", "days")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::language::Language;

    fn one(year: Option<i16>, class: &str, records: u64) -> Falling {
        let due = if year.is_some() { "on" } else { "never" }.to_owned();
        let (schedule, fonds, agency) = (None, None, None);
        Falling { year, due, schedule, class: Some(class.into()), fonds, agency, records, bytes: records * 10 }
    }

    #[test]
    fn every_record_that_falls_due_stands_in_one_bar() {
        let mut falling: Vec<Falling> = (0..9).map(|n| one(Some(2020 + 5 * n), &format!("{n}"), 1)).collect();
        falling.push(one(Some(2027), "8", 5));
        falling.push(one(None, "9", 100));
        let visit = Visit { language: Language::En, actor: None, here: "/due/forecast".into() };
        let (groups, bars) = bars(&falling, ("class", "records"), 2026, &visit);
        assert_eq!((groups.len(), groups[0].as_str()), (GROUPS_SHOWN + 1, "8"));
        assert_eq!(bars.len(), 22);
        assert_eq!(bars.iter().flat_map(|(_, parts)| parts).sum::<u64>(), 14);
        assert_eq!((bars[0].0.as_str(), bars[21].0.as_str()), ("Before", "Later"));
        assert_eq!(bars[0].1.iter().sum::<u64>(), 2, "2020 and 2025");
        assert_eq!(bars[2].1[0], 5);
    }
}

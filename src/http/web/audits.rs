//! Audits: the list with its figures, the form that asks for one, and a report fit for printing.

use crate::access;
use crate::evidence::audits::told::{self, Told};
use crate::http::{
    api::audits::{self as api, Asked},
    error::{Kind, Trouble},
    identity::Held,
    state::Open,
    web::{Visit, html, led_to, show},
};
use crate::record::{
    actor::Act,
    audit::{Found, Mending, NonceBy, Report, Signed, percent},
    entry::{Damage, Entry},
    sampling::{WHOLE_PPM, seen_ppm},
};
use askama::Template;
use axum::{Form, extract::Path, response::Response};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Audits on the page.
const SHOWN: u32 = 200;
/// Entries of a sample that are told one by one.
const ENTRIES_SHOWN: usize = 3_000;

#[derive(Template)]
#[template(path = "audits.html")]
struct Page {
    visit: Visit,
    /// May the visitor ask for an audit, and read the reports?
    may_ask: bool,
    audits: Vec<Row>,
    figures: Figures,
}

/// What all that ended came to.
#[derive(Default)]
struct Figures {
    ended: u64,
    open: u64,
    faults: u64,
    repaired: u64,
    lost: u64,
}

struct Row {
    audit: u64,
    pledged: String,
    sample: String,
    size: String,
    share: String,
    confidence: String,
    own_nonce: bool,
    under_way: bool,
    done: u64,
    outcome: Option<told::Outcome>,
}

fn row(visit: &Visit, told: Told) -> Row {
    Row {
        audit: told.audit,
        pledged: told.pledged.parse().map_or(told.pledged.clone(), show::time),
        sample: show::count(told.sample, visit.language),
        size: show::count(told.size, visit.language),
        share: percent(told.share_ppm),
        confidence: percent(told.confidence_ppm),
        own_nonce: told.nonce_by == NonceBy::Archive.as_str(),
        under_way: told.state == "under_way",
        done: told.done.unwrap_or(0),
        outcome: told.outcome,
    }
}

fn figures(audits: &[Row]) -> Figures {
    let mut figures = Figures::default();
    for audit in audits {
        match &audit.outcome {
            None => figures.open += 1,
            Some(outcome) => {
                figures.ended += 1;
                figures.faults += outcome.faults;
                figures.repaired += outcome.repaired;
                figures.lost += outcome.lost;
            }
        }
    }
    figures
}

fn may(visit: &Visit, act: Act) -> bool {
    visit.actor.as_ref().is_some_and(|actor| actor.role.may(act))
}

/// The list.
pub async fn page(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    if !may(&visit, Act::Watch) {
        return Err(Kind::Forbidden.into());
    }
    let audits = told::list(&open.archive, u64::MAX, SHOWN).await?;
    let audits: Vec<Row> = audits.into_iter().map(|told| row(&visit, told)).collect();
    html(&Page { may_ask: may(&visit, Act::Challenge), figures: figures(&audits), audits, visit })
}

/// What the form sends: the nonce, and one of the usual terms.
#[derive(Deserialize)]
pub struct Given {
    #[serde(default)]
    nonce: String,
    share_ppm: u32,
    confidence_ppm: u32,
}

/// Asks for an audit.
pub async fn pledge(Held(open): Held, visit: Visit, Form(given): Form<Given>) -> Result<Response, Trouble> {
    let Some(actor) = visit.actor.as_ref().filter(|actor| actor.role.may(Act::Challenge)) else {
        return Err(Kind::Forbidden.into());
    };
    let Given { nonce, share_ppm, confidence_ppm } = given;
    let nonce = Some(nonce).filter(|nonce| !nonce.trim().is_empty());
    let asked = Asked { nonce, share_ppm: Some(share_ppm), confidence_ppm: Some(confidence_ppm) };
    let told = api::pledged(&open, actor, asked).await?;
    Ok(led_to(&format!("/audits/{}", told.audit)))
}

#[derive(Template)]
#[template(path = "audit.html")]
struct One {
    visit: Visit,
    row: Row,
    root: String,
    nonce: String,
    /// `None` where it has not ended, or the visitor may not read it.
    report: Option<Sheet>,
}

/// A report as it is printed.
struct Sheet {
    origin: String,
    began: String,
    ended: String,
    witnesses: u32,
    places: String,
    away: String,
    withheld: u64,
    described: String,
    objects: String,
    bytes: String,
    /// What the entries that name a description show of such entries.
    shows: String,
    findings: Vec<Line>,
    entries: Vec<Drawn>,
    limits: Vec<String>,
    sha256: String,
    made_by: String,
}

/// A finding.
struct Line {
    index: u64,
    /// Where the visitor may see it.
    record: Option<String>,
    component: u32,
    place: u32,
    fault: String,
    outcome: String,
}

/// An entry of the sample.
struct Drawn {
    index: u64,
    event: String,
    objects: usize,
    whole: bool,
}

/// An audit, and its report.
pub async fn one(Held(open): Held, visit: Visit, Path(audit): Path<String>) -> Result<Response, Trouble> {
    if !may(&visit, Act::Watch) {
        return Err(Kind::Forbidden.into());
    }
    let audit = api::number(&audit)?;
    let told = told::one(&open.archive, audit).await?.ok_or(Kind::NotFound)?;
    let (root, nonce) = (told.root.clone(), told.nonce.clone());
    let report = match &visit.actor {
        Some(actor) if actor.role.may(Act::Challenge) => api::readable(&open, actor, audit).await?,
        _ => None,
    };
    let report = report.and_then(|bytes| Signed::from_bytes(&bytes).ok());
    let report = match report {
        Some(signed) => Some(sheet(&open, &visit, &signed.report).await?),
        None => None,
    };
    html(&One { row: row(&visit, told), root, nonce, report, visit })
}

async fn sheet(open: &Open, visit: &Visit, report: &Report) -> Result<Sheet, Trouble> {
    let language = visit.language;
    let numbers = |places: &[u32]| places.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let mut findings = Vec::with_capacity(report.findings.len().min(ENTRIES_SHOWN));
    for found in report.findings.iter().take(ENTRIES_SHOWN) {
        findings.push(line(open, visit, report, found).await?);
    }
    let bad: BTreeSet<u64> = report.findings.iter().map(|found| found.index).collect();
    let drawn = report.entries.iter().take(ENTRIES_SHOWN).map(|one| {
        let read = one.entry.as_ref().and_then(|entry| Entry::from_bytes(entry.as_bytes()).ok());
        let event = read.map(|entry| show::event(entry.event.name(), language).to_owned());
        Drawn {
            index: one.index,
            event: event.unwrap_or_else(|| visit.say("(tài liệu mật)", "(secret)").to_owned()),
            objects: one.objects.len(),
            whole: !bad.contains(&one.index),
        }
    });
    let described = report.totals.described;
    // Where every entry was drawn, nothing is left to be missed.
    let all = report.entries.len() as u64 == report.size;
    let shows = if all { WHOLE_PPM } else { seen_ppm(report.share_ppm, described) };
    Ok(Sheet {
        origin: report.origin.clone(),
        began: show::time(report.began),
        ended: show::time(report.ended),
        witnesses: report.witnesses,
        places: numbers(&report.places),
        away: numbers(&report.away),
        withheld: report.totals.withheld,
        described: show::count(described, language),
        objects: show::count(report.totals.objects, language),
        bytes: show::size(report.totals.bytes, language),
        shows: percent(shows),
        findings,
        entries: drawn.collect(),
        limits: report.limits().into_iter().map(|(vi, en)| visit.say(vi, en).to_owned()).collect(),
        sha256: report.digest().map(|digest| digest.to_string()).unwrap_or_default(),
        made_by: report.made_by.clone(),
    })
}

async fn line(open: &Open, visit: &Visit, report: &Report, found: &Found) -> Result<Line, Trouble> {
    // The sample is in the order of the ledger.
    let at = report.entries.binary_search_by_key(&found.index, |one| one.index).ok();
    let entry = at.and_then(|at| report.entries[at].entry.as_ref());
    let record = entry.and_then(|entry| Entry::from_bytes(entry.as_bytes()).ok()?.event.record());
    let mut seen = None;
    if let Some(record) = record {
        // The description may be what is damaged: what cannot be opened is not shown either.
        let opened = access::open(&open.archive, &visit.reader(), record).await.unwrap_or_default();
        seen = opened.map(|_| record.to_string());
    }
    let fault = match found.fault {
        Damage::Altered => visit.say("bị thay đổi", "altered"),
        Damage::Missing => visit.say("bị mất", "missing"),
        Damage::Unreadable => visit.say("không đọc được", "cannot be read"),
    };
    let outcome = match found.outcome {
        Mending::Repaired => visit.say("đã phục hồi", "repaired"),
        Mending::Waiting => visit.say("chờ nơi lưu khác", "waits for another place"),
        Mending::Lost => visit.say("MẤT, lấy lại từ bản sao lưu", "LOST, bring it back from a backup"),
    };
    Ok(Line {
        index: found.index,
        record: seen,
        component: found.component,
        place: found.place,
        fault: fault.into(),
        outcome: outcome.into(),
    })
}

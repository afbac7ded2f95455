//! `/cases/{case}/papers/{paper}`: the papers of a destruction, filled in from what the case says, each one page to print.
//!
//! # Why
//! *A paper names, a case knows identifiers*: names of people and titles are looked up here, by the rights of who prints.
//! What they may not read is left for somebody else to fill in.

use crate::archive::ArchiveError;
use crate::arrangement;
use crate::disposition::{cases, execution};
use crate::exchange::dossier::{
    Row,
    fill::{self, Told},
    minutes::Annexed,
    paper::Issuer,
};
use crate::http::{
    api,
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
    state::Open,
};
use crate::record::{
    access::{Access, Reader},
    actor::Act,
    disposition::{
        basis::Basis,
        case::{Case, Ground, Listed, Unit},
        certificate::Limit,
        stub::Stub,
    },
    id::ActorId,
};
use axum::{
    extract::{Path, Query},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::IntoParams;

/// Orders that are read at once.
const PAGE: u32 = 1000;
/// What is written in by hand.
const DOTS: &str = "…………";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// Cơ quan chủ quản: the agency above.
    parent: Option<String>,
    /// Địa danh.
    place: Option<String>,
    /// Tên phông.
    fonds: Option<String>,
}

/// Print a paper of a case
///
/// One page of HTML, fit for A4: 1-danh-muc, 2-thuyet-minh, 3-quyet-dinh-hoi-dong, 4-bien-ban-hop, 5-van-ban-tham-dinh,
/// 6-quyet-dinh-huy, 7-bien-ban-ban-giao or 8-bien-ban-huy. What is not known yet is dots.
#[utoipa::path(
    get, path = "/api/v1/cases/{case}/papers/{paper}", tag = "disposition",
    params(
        ("case" = String, Path, description = "Its identifier"),
        ("paper" = String, Path, description = "The name of the paper"),
        Issued,
    ),
    responses(
        (status = 200, description = "The paper", body = String, content_type = "text/html"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    Held(open): Held,
    who: Who,
    Path((case, paper)): Path<(String, String)>,
    Query(issued): Query<Issued>,
) -> Result<Response, Trouble> {
    who.must(Act::Dispose)?;
    let (case, _) = cases::case(&open.archive, api::id(&case)?).await?.ok_or(Kind::NotFound)?;
    let papers = filled(&open, &case, issued, &who.0.reader()).await?;
    let (_, page) = papers.into_iter().find(|(name, _)| *name == paper).ok_or(Kind::NotFound)?;
    Ok(([api::PAGE_POLICY], Html(page)).into_response())
}

async fn filled(
    open: &Open,
    case: &Case,
    issued: Issued,
    reader: &Reader,
) -> Result<Vec<(&'static str, String)>, Trouble> {
    let archive = &open.archive;
    let mut rows = BTreeMap::new();
    for listed in &case.listed {
        rows.insert(listed.unit, row(open, listed, reader).await?);
    }
    let (mut certificates, mut limits, mut from) = (Vec::new(), BTreeSet::new(), 0);
    loop {
        let page = archive.catalog.ends(from, PAGE).await.map_err(ArchiveError::from)?;
        let Some(last) = page.last() else { break };
        from = last.seq + 1;
        for ended in page.iter().filter(|ended| ended.case == Some(case.case)) {
            if let Some(stub) = execution::stub(archive, ended.record).await?
                && let Basis::Disposition { unit, .. } = &stub.basis
            {
                rows.entry(*unit).and_modify(|row| add(row, *unit, &stub, reader));
            }
            let Some((digest, entry)) = ended.certificate.zip(ended.certified) else { continue };
            certificates.push(Annexed { record: ended.record.to_string(), certificate: digest.to_string(), entry });
            let certificate = execution::certificate(archive, ended.record).await?;
            limits.extend(certificate.into_iter().flat_map(|certificate| certificate.limits));
        }
    }
    let Issued { parent, place, fonds } = issued;
    let place = place.unwrap_or_else(|| DOTS.into());
    Ok(fill::papers(&Told {
        case,
        issuer: Issuer { parent, agency: case.agency.clone(), place },
        fonds: fonds.unwrap_or_else(|| case.agency.clone()),
        today: archive.clock.now().day().parse().map_err(|_| Trouble::from(Kind::Failed))?,
        people: people(open).await?,
        rows,
        schedules: schedules(open, case).await?,
        certificates,
        limits: limits.iter().map(Limit::vi).map(str::to_owned).collect(),
        execution_days_max: archive.config.disposition.execution_days_max,
    }))
}

/// What a unit is, as far as it is here and the reader may know.
async fn row(open: &Open, listed: &Listed, reader: &Reader) -> Result<Row, Trouble> {
    let archive = &open.archive;
    let unit = cases::unit_of(listed.unit);
    let mut row = Row {
        code: unit.to_string(),
        title: DOTS.into(),
        years: String::new(),
        period: period(open, &listed.ground).await?,
        ground: fill::ground(&listed.ground),
        records: 0,
        pages: 0,
        bytes: 0,
        note: listed.status().0.into(),
    };
    let Some(known) = archive.catalog.due_of(unit).await.map_err(ArchiveError::from)? else { return Ok(row) };
    (row.records, row.bytes) = (known.records, known.bytes);
    row.code = known.code.unwrap_or(row.code);
    if !api::may_learn(reader, &known.access, known.agency.as_deref(), None) {
        return Ok(row);
    }
    row.title = known.title;
    if let Unit::File(file) = listed.unit
        && let Some((file, _)) = arrangement::file(archive, file).await?
    {
        let days = [file.about.started, file.about.ended].into_iter().flatten();
        row.years = days.map(|day| day.year.to_string()).collect::<Vec<_>>().join("–");
        row.pages = file.about.pages.map_or(0, u64::from);
    }
    Ok(row)
}

/// What a record that is gone was, in the row of its unit.
fn add(row: &mut Row, unit: Unit, stub: &Stub, reader: &Reader) {
    row.records = row.records.saturating_add(1);
    row.bytes = row.bytes.saturating_add(stub.bytes);
    let Some(identity) = stub.identity.as_ref().filter(|_| matches!(unit, Unit::Record(_))) else { return };
    if reader.may_read(Access::Conditional, identity.agency.as_deref(), None) {
        row.title = identity.subject.clone();
        row.years = identity.issued.map(|day| day.year.to_string()).unwrap_or_default();
    }
    row.code = identity.code.clone().unwrap_or_else(|| row.code.clone());
}

/// The period of the class by which a unit is due.
async fn period(open: &Open, ground: &Ground) -> Result<String, Trouble> {
    let Ground::Expired { schedule, version, class, .. } = ground else { return Ok(String::new()) };
    let catalog = &open.archive.catalog;
    let versions = catalog.versions(*schedule).await.map_err(ArchiveError::from)?;
    let Some(known) = versions.iter().find(|known| known.description == *version) else { return Ok(String::new()) };
    let classes = catalog.classes(*schedule, known.version).await.map_err(ArchiveError::from)?;
    Ok(classes.iter().find(|known| known.code == *class).map(|known| known.period.vi()).unwrap_or_default())
}

/// The schedules by which the units of a case are due, a line each.
async fn schedules(open: &Open, case: &Case) -> Result<Vec<String>, Trouble> {
    let of = |listed: &Listed| match &listed.ground {
        Ground::Expired { schedule, version, .. } => Some((*schedule, *version)),
        Ground::Duplicate { .. } => None,
    };
    let mut lines = Vec::new();
    for (schedule, version) in case.listed.iter().filter_map(of).collect::<BTreeSet<_>>() {
        let versions = open.archive.catalog.versions(schedule).await.map_err(ArchiveError::from)?;
        let named = versions.into_iter().find(|known| known.description == version).map(|known| {
            let source = known.source.map(|source| format!(" ({source})")).unwrap_or_default();
            format!("{}{source}, phiên bản {}", known.title, known.version)
        });
        lines.extend(named);
    }
    Ok(lines)
}

/// Names of accounts, and what they are here.
async fn people(open: &Open) -> Result<BTreeMap<ActorId, (String, String)>, Trouble> {
    let accounts = open.archive.desk.accounts().await.map_err(ArchiveError::from)?;
    Ok(accounts.into_iter().map(|one| (one.actor.id, (one.actor.name, one.actor.role.vi().to_owned()))).collect())
}

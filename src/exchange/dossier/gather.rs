//! What the papers of a case are made of, looked up: names of people, what units are or were, schedules, certificates.
//!
//! # Why
//! *One way for every door*: a paper that is printed in a page, written by a command or kept as a record says the same of
//! the same case. What whoever prints may not read is left as dots, for somebody else to fill in.

use crate::archive::{Archive, ArchiveError};
use crate::catalog::ends::Ended;
use crate::exchange::dossier::{
    Row,
    fill::{self, Told},
    minutes::Annexed,
    paper::Issuer,
};
use crate::record::{
    access::{Access, Reader},
    described::Described,
    disposition::{
        basis::Basis,
        case::{Case, Ground, Listed, Unit},
        certificate::{Certificate, Limit},
        stub::Stub,
    },
    document::Document,
    id::ActorId,
    unit,
};
use std::collections::{BTreeMap, BTreeSet};

/// Orders that are read at once.
const PAGE: u32 = 1000;
/// What is written in by hand.
const DOTS: &str = "…………";

/// Whose papers they are.
#[derive(Clone, Debug, Default)]
pub struct Issued {
    /// Cơ quan chủ quản: the agency above.
    pub parent: Option<String>,
    /// Địa danh.
    pub place: Option<String>,
    /// Tên phông.
    pub fonds: Option<String>,
}

/// The eight papers of a case: the name of each, and its page. `reader` is who prints; `None` is the archive itself.
pub async fn papers(
    archive: &Archive,
    case: &Case,
    issued: Issued,
    reader: Option<&Reader>,
) -> Result<Vec<(&'static str, String)>, ArchiveError> {
    let mut rows = BTreeMap::new();
    for listed in &case.listed {
        rows.insert(listed.unit, row(archive, listed, reader).await?);
    }
    let (mut certificates, mut limits) = (Vec::new(), BTreeSet::new());
    for (ended, stub) in ended_by(archive, case).await? {
        if let Basis::Disposition { unit, .. } = &stub.basis {
            rows.entry(*unit).and_modify(|row| add(row, *unit, &stub, reader));
        }
        let Some((digest, entry)) = ended.certificate.zip(ended.certified) else { continue };
        certificates.push(Annexed { record: ended.record.to_string(), certificate: digest.to_string(), entry });
        if let Some(bytes) = archive.kept_stub(ended.record, digest).await? {
            let read = Certificate::from_bytes(&bytes);
            limits.extend(read.map_err(|fault| ArchiveError::Damaged(fault.to_string()))?.limits);
        }
    }
    let Issued { parent, place, fonds } = issued;
    let today = archive.clock.now().day();
    let today = today.parse().map_err(|_| ArchiveError::Conflict(format!("the clock says {today}")))?;
    Ok(fill::papers(&Told {
        case,
        issuer: Issuer { parent, agency: case.agency.clone(), place: place.unwrap_or_else(|| DOTS.into()) },
        fonds: fonds.unwrap_or_else(|| case.agency.clone()),
        today,
        people: people(archive).await?,
        rows,
        schedules: schedules(archive, case).await?,
        certificates,
        limits: limits.iter().map(Limit::vi).map(str::to_owned).collect(),
        execution_days_max: archive.config.disposition.execution_days_max,
    }))
}

/// What was ordered by a case, and what is left of it.
async fn ended_by(archive: &Archive, case: &Case) -> Result<Vec<(Ended, Stub)>, ArchiveError> {
    let (mut ends, mut from) = (Vec::new(), 0);
    loop {
        let page = archive.catalog.ends(from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(ends) };
        from = last.seq + 1;
        for ended in page.into_iter().filter(|ended| ended.case == Some(case.case)) {
            let Some(bytes) = archive.kept_stub(ended.record, ended.stub).await? else { continue };
            let stub = Stub::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
            ends.push((ended, stub));
        }
    }
}

/// What a unit is, as far as it is here and the reader may know. Of one that is ordered, what came into it since was not
/// decided on, and is not counted.
async fn row(archive: &Archive, listed: &Listed, reader: Option<&Reader>) -> Result<Row, ArchiveError> {
    let unit = match listed.unit {
        Unit::File(file) => unit::Unit::File(file),
        Unit::Record(record) => unit::Unit::Record(record),
    };
    let mut row = Row {
        code: unit.to_string(),
        title: DOTS.into(),
        years: String::new(),
        period: period(archive, &listed.ground).await?,
        ground: fill::ground(&listed.ground),
        records: 0,
        pages: 0,
        bytes: 0,
        note: listed.status().0.into(),
    };
    let Some(known) = archive.catalog.due_of(unit).await? else { return Ok(row) };
    if listed.ordered.is_none() {
        (row.records, row.bytes) = (known.records, known.bytes);
    }
    row.code = known.code.unwrap_or(row.code);
    let access = Access::read(&known.access).unwrap_or(Access::Secret);
    if reader.is_some_and(|reader| !reader.may_read(access, known.agency.as_deref(), None)) {
        return Ok(row);
    }
    row.title = known.title;
    if let Unit::File(file) = listed.unit
        && let Some(opened) = archive.catalog.unit(file.into()).await?
        && let Some(Described::File(file)) = archive.described(file.into(), opened.description).await?
    {
        let days = [file.about.started, file.about.ended].into_iter().flatten();
        row.years = days.map(|day| day.year.to_string()).collect::<Vec<_>>().join("–");
        row.pages = file.about.pages.map_or(0, u64::from);
    }
    Ok(row)
}

/// What a record that is gone was, in the row of its unit.
fn add(row: &mut Row, unit: Unit, stub: &Stub, reader: Option<&Reader>) {
    row.records = row.records.saturating_add(1);
    row.bytes = row.bytes.saturating_add(stub.bytes);
    let Some(identity) = stub.identity.as_ref().filter(|_| matches!(unit, Unit::Record(_))) else { return };
    if reader.is_none_or(|reader| reader.may_read(Access::Conditional, identity.agency.as_deref(), None)) {
        row.title = identity.subject.clone();
        row.years = identity.issued.map(|day| day.year.to_string()).unwrap_or_default();
    }
    row.code = identity.code.clone().unwrap_or_else(|| row.code.clone());
}

/// The period of the class by which a unit is due.
async fn period(archive: &Archive, ground: &Ground) -> Result<String, ArchiveError> {
    let Ground::Expired { schedule, version, class, .. } = ground else { return Ok(String::new()) };
    let versions = archive.catalog.versions(*schedule).await?;
    let Some(known) = versions.iter().find(|known| known.description == *version) else { return Ok(String::new()) };
    let classes = archive.catalog.classes(*schedule, known.version).await?;
    Ok(classes.iter().find(|known| known.code == *class).map(|known| known.period.vi()).unwrap_or_default())
}

/// The schedules by which the units of a case are due.
async fn schedules(archive: &Archive, case: &Case) -> Result<Vec<String>, ArchiveError> {
    let of = |listed: &Listed| match &listed.ground {
        Ground::Expired { schedule, version, .. } => Some((*schedule, *version)),
        Ground::Duplicate { .. } => None,
    };
    let mut lines = Vec::new();
    for (schedule, version) in case.listed.iter().filter_map(of).collect::<BTreeSet<_>>() {
        let versions = archive.catalog.versions(schedule).await?;
        lines.extend(versions.into_iter().find(|known| known.description == version).map(|known| {
            let source = known.source.map(|source| format!(" ({source})")).unwrap_or_default();
            format!("{}{source}, phiên bản {}", known.title, known.version)
        }));
    }
    Ok(lines)
}

/// Names of accounts, and what they are here.
async fn people(archive: &Archive) -> Result<BTreeMap<ActorId, (String, String)>, ArchiveError> {
    let accounts = archive.desk.accounts().await.map_err(ArchiveError::from)?;
    Ok(accounts.into_iter().map(|one| (one.actor.id, (one.actor.name, one.actor.role.vi().to_owned()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        disposition::stub::{Identity, SCHEMA},
        document::Salt,
        entry::Instant,
        id::{CaseId, FileId, RecordId, ScheduleId},
    };

    #[test]
    fn what_is_gone_is_told_by_its_stub() {
        let (record, file) = (RecordId::new(0, [1; 10]), FileId::new(0, [2; 10]));
        let (due, version) = ("2026-01-01".parse().unwrap(), crate::record::digest::Digest::of(b"v"));
        let ground = Ground::Expired { due, schedule: ScheduleId::new(0, [3; 10]), version, class: "12".into() };
        let paper = crate::record::disposition::case::Paper { number: None, day: due, record: None };
        let (case, decided_by) = (CaseId::new(0, [4; 10]), ActorId::new(0, [9; 10]));
        let basis = Basis::Disposition { case, unit: Unit::File(file), ground, decision: paper, decided_by };
        let identity = Identity {
            subject: "Kế hoạch năm 2010".into(),
            code: None,
            number: None,
            notation: None,
            issued: Some("2010-03-01".parse().unwrap()),
            agency: None,
            type_code: None,
            fonds: None,
            file: None,
            retention_code: None,
        };
        let stub = Stub {
            schema: SCHEMA.into(),
            salt: Salt::new([1; 32]),
            record,
            accessioned: Instant::from_micros(0),
            components: 1,
            bytes: 30,
            basis,
            identity: Some(identity),
        };
        let row = || Row {
            code: "H1".into(),
            title: "Hồ sơ".into(),
            years: "2010".into(),
            period: String::new(),
            ground: String::new(),
            records: 1,
            pages: 0,
            bytes: 12,
            note: String::new(),
        };
        for (unit, title) in [(Unit::File(file), "Hồ sơ"), (Unit::Record(record), "Kế hoạch năm 2010")] {
            let mut row = row();
            add(&mut row, unit, &stub, None);
            assert_eq!((row.records, row.bytes, row.title.as_str()), (2, 42, title), "{unit:?}");
        }
    }
}

//! The papers of a case, looked up and written into a folder as HTML.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement;
use crate::catalog::ends::Ended;
use crate::cli::{CommandError, disposed::broken, show::Screen};
use crate::disposition::{cases, execution};
use crate::exchange::dossier::{
    Row,
    fill::{self, Told},
    minutes::Annexed,
    paper::Issuer,
};
use crate::record::{
    disposition::{
        basis::Basis,
        case::{Case, Ground, Listed, Stage, Unit},
        certificate::Limit,
        stub::Stub,
    },
    id::ActorId,
};
use clap::Args;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Orders that are read at once.
const PAGE: u32 = 1000;

/// Whose papers they are.
#[derive(Args)]
pub struct Issued {
    /// The agency above / Cơ quan chủ quản
    #[arg(long)]
    parent: Option<String>,
    /// Where / Địa danh
    #[arg(long, default_value = "…………")]
    place: String,
    /// The name of the fonds / Tên phông
    #[arg(long)]
    fonds: Option<String>,
}

/// Writes the eight papers; what is there under these names is replaced.
pub async fn write(
    screen: &Screen,
    archive: &Archive,
    case: &Case,
    (folder, issued): (&PathBuf, &Issued),
) -> Result<ExitCode, CommandError> {
    let papers = filled(archive, case, issued).await?;
    let file = |path: &Path| {
        let path = path.display().to_string();
        move |source| CommandError::File { path, source }
    };
    std::fs::create_dir_all(folder).map_err(file(folder))?;
    for (name, page) in papers {
        // If we stop here, some are written; the command writes them all again.
        let path = folder.join(format!("{name}.html"));
        std::fs::write(&path, page).map_err(file(&path))?;
        screen.answer(|| json!({"paper": name, "path": path}), || path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}

async fn filled(archive: &Archive, case: &Case, issued: &Issued) -> Result<Vec<(&'static str, String)>, CommandError> {
    let ends = ended_by(archive, case).await?;
    let mut rows = BTreeMap::new();
    for listed in &case.listed {
        rows.insert(listed.unit, row(archive, listed).await?);
    }
    for (_, stub) in &ends {
        if let Basis::Disposition { unit, .. } = &stub.basis {
            rows.entry(*unit).and_modify(|row| add(row, *unit, stub));
        }
    }
    let annexed = |(ended, _): &(Ended, Stub)| {
        let (certificate, entry) = ended.certificate.zip(ended.certified)?;
        Some(Annexed { record: ended.record.to_string(), certificate: certificate.to_string(), entry })
    };
    let mut limits = BTreeSet::new();
    for (ended, _) in ends.iter().filter(|(ended, _)| ended.certificate.is_some()) {
        let certificate = execution::certificate(archive, ended.record).await.map_err(broken)?;
        limits.extend(certificate.into_iter().flat_map(|certificate| certificate.limits));
    }
    let today = archive.clock.now().day();
    let today = today.parse().map_err(|_| ArchiveError::Conflict(format!("the clock says {today}")))?;
    let Issued { parent, place, fonds } = issued;
    Ok(fill::papers(&Told {
        case,
        issuer: Issuer { parent: parent.clone(), agency: case.agency.clone(), place: place.clone() },
        fonds: fonds.clone().unwrap_or_else(|| case.agency.clone()),
        today,
        people: people(archive).await?,
        rows,
        schedules: schedules(archive, case).await?,
        certificates: ends.iter().filter_map(annexed).collect(),
        limits: limits.iter().map(Limit::vi).map(str::to_owned).collect(),
        execution_days_max: archive.config.disposition.execution_days_max,
    }))
}

/// What was ordered by a case, and what is left of it.
async fn ended_by(archive: &Archive, case: &Case) -> Result<Vec<(Ended, Stub)>, CommandError> {
    let (mut ends, mut from) = (Vec::new(), 0);
    loop {
        let page = archive.catalog.ends(from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(ends) };
        from = last.seq + 1;
        for ended in page.into_iter().filter(|ended| ended.case == Some(case.case)) {
            let stub = execution::stub(archive, ended.record).await.map_err(broken)?;
            ends.extend(stub.map(|stub| (ended, stub)));
        }
    }
}

/// What a unit is, as far as it is here.
async fn row(archive: &Archive, listed: &Listed) -> Result<Row, CommandError> {
    let due = archive.catalog.due_of(cases::unit_of(listed.unit)).await?;
    let (records, bytes) = due.map_or((0, 0), |due| (due.records, due.bytes));
    let mut row = Row {
        code: cases::unit_of(listed.unit).to_string(),
        title: String::new(),
        years: String::new(),
        period: period(archive, &listed.ground).await?,
        ground: fill::ground(&listed.ground),
        records,
        pages: 0,
        bytes,
        note: listed.status().0.into(),
    };
    match listed.unit {
        Unit::File(file) => {
            let read = arrangement::file(archive, file).await;
            let read = read.map_err(|error| CommandError::Usage(error.to_string()))?;
            if let Some((file, _)) = read {
                let years: Vec<String> = [file.about.started, file.about.ended]
                    .into_iter()
                    .flatten()
                    .map(|day| day.year.to_string())
                    .collect();
                row.code = file.about.code.clone().unwrap_or(row.code);
                (row.title, row.years) = (file.about.title.clone(), years.join("–"));
                row.pages = file.about.pages.map_or(0, u64::from);
            }
        }
        Unit::Record(record) => {
            if let Some(described) = archive.description(record).await? {
                let said = &described.description.metadata;
                row.code = said.code.clone().unwrap_or(row.code);
                row.title = said.subject.clone();
                row.years = said.issued.map(|day| day.year.to_string()).unwrap_or_default();
                row.pages = said.pages.map_or(0, u64::from);
            }
        }
    }
    Ok(row)
}

/// What a record that is gone was, in the row of its unit.
fn add(row: &mut Row, unit: Unit, stub: &Stub) {
    row.records = row.records.saturating_add(1);
    row.bytes = row.bytes.saturating_add(stub.bytes);
    if let (Unit::Record(_), Some(identity)) = (unit, &stub.identity) {
        row.title = identity.subject.clone();
        row.code = identity.code.clone().unwrap_or_else(|| row.code.clone());
        row.years = identity.issued.map(|day| day.year.to_string()).unwrap_or_default();
    }
}

/// The period of the class by which a unit is due.
async fn period(archive: &Archive, ground: &Ground) -> Result<String, CommandError> {
    let Ground::Expired { schedule, version, class, .. } = ground else { return Ok(String::new()) };
    let versions = archive.catalog.versions(*schedule).await?;
    let Some(known) = versions.iter().find(|known| known.description == *version) else { return Ok(String::new()) };
    let classes = archive.catalog.classes(*schedule, known.version).await?;
    Ok(classes.iter().find(|known| known.code == *class).map(|known| known.period.vi()).unwrap_or_default())
}

/// The schedules by which the units of a case are due.
async fn schedules(archive: &Archive, case: &Case) -> Result<Vec<String>, CommandError> {
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
async fn people(archive: &Archive) -> Result<BTreeMap<ActorId, (String, String)>, CommandError> {
    let accounts = archive.desk.accounts().await.map_err(ArchiveError::from)?;
    Ok(accounts.into_iter().map(|one| (one.actor.id, (one.actor.name, one.actor.role.vi().to_owned()))).collect())
}

/// How far a case is.
pub fn stage(screen: &Screen, stage: Stage) -> &'static str {
    match stage {
        Stage::Listed => screen.say("lập danh mục", "being listed"),
        Stage::Council => screen.say("Hội đồng đang xem xét", "before the council"),
        Stage::Reviewed => screen.say("đã họp Hội đồng", "reviewed"),
        Stage::Proposed => screen.say("đã kiến nghị", "proposed"),
        Stage::Appraised => screen.say("đã thẩm định", "appraised"),
        Stage::Decided => screen.say("đã quyết định, đang thực hiện", "decided, being executed"),
        Stage::Closed => screen.say("đã kết thúc", "closed"),
    }
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
            add(&mut row, unit, &stub);
            assert_eq!((row.records, row.bytes, row.title.as_str()), (2, 42, title), "{unit:?}");
        }
    }
}

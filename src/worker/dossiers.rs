//! The papers of a case that is closed are kept as records: the dossier of a destruction, with a period of its own.
//!
//! # Why
//! *A paper is a record like any other*, hashed, proved and found; a page that is made anew each time would say tomorrow
//! what nobody signed today. What was signed by hand is scanned and deposited beside it.
//!
//! *Once, by its identifier*: each paper has one that follows from its case, so that a round that was stopped, or a second
//! process, finds what is there. The desk's journal gives the same promise for the same paper.

use crate::archive::{Archive, ArchiveError};
use crate::disposition::{DispositionError, cases};
use crate::exchange::dossier::gather::{self, Issued};
use crate::ingest::{self, Fate};
use crate::record::{
    access::Access,
    digest::Digest,
    disposition::{
        case::{Case, Paper, Stage},
        refusal::Refusal,
    },
    id::CaseId,
    metadata::Metadata,
    package::{Package, Source},
    retention::period::Period,
};
use futures::stream;
use std::collections::BTreeSet;

/// What the desk's journal calls it.
const SOURCE: &str = "dossiers";

/// Cases of which all is known to be kept.
#[derive(Default)]
pub struct Kept(BTreeSet<CaseId>);

/// Keeps what is not kept yet of the papers of closed cases. The first error is answered, once all were looked at.
///
/// If we stop here, some papers are records; the next round hands all of them over, and each is kept once.
pub async fn keep(archive: &Archive, kept: &mut Kept) -> Result<(), DispositionError> {
    let mut failed = None;
    for known in archive.catalog.cases().await? {
        if known.stage != Stage::Closed || kept.0.contains(&known.case) {
            continue;
        }
        match keep_papers(archive, known.case).await {
            Ok(()) => {
                kept.0.insert(known.case);
            }
            // The others go on.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The papers of one case.
async fn keep_papers(archive: &Archive, id: CaseId) -> Result<(), DispositionError> {
    let (case, _) = cases::case(archive, id).await?.ok_or(Refusal::NotKnown)?;
    let (years, access) = (archive.config.disposition.dossier_years, access(archive, &case).await?);
    let mut packages = Vec::new();
    let papers = gather::papers(archive, &case, Issued::default(), None).await?;
    for (number, (name, html)) in (1..).zip(papers) {
        let package = package(&case, (number, name), html, (years, access));
        let id = package.metadata.external_id.as_deref().unwrap_or_default();
        let named = archive.catalog.by_external_id(id).await?;
        // Somebody else's record may have been given the same identifier: it is no paper.
        if !named.iter().any(|known| known.subject == package.metadata.subject) {
            packages.push(package);
        }
    }
    let (wanted, mut done) = (packages.len(), 0);
    let mut hear = |outcome: ingest::Outcome| done += usize::from(matches!(outcome.fate, Fate::Kept { .. }));
    ingest::receive(archive, SOURCE, stream::iter(packages), &mut hear).await?;
    if done < wanted {
        return Err(ArchiveError::Conflict(format!("{done} of {wanted} papers of a case were kept")).into());
    }
    if wanted > 0 {
        tracing::info!(case.id = %id, papers = wanted, "the papers of a closed case are kept as records");
    }
    Ok(())
}

/// The papers name every unit of the case: who may not read one of those may not read them.
async fn access(archive: &Archive, case: &Case) -> Result<Access, DispositionError> {
    for listed in &case.listed {
        let known = archive.catalog.due_of(cases::unit_of(listed.unit)).await?;
        let level = known.map(|known| Access::read(&known.access).unwrap_or(Access::Secret));
        if level == Some(Access::Secret) {
            return Ok(Access::Secret);
        }
    }
    Ok(Access::Conditional)
}

/// What each paper is called, and of which type of document it is.
const NAMES: [(&str, &str); 8] = [
    ("Danh mục tài liệu hết thời hạn lưu trữ, tài liệu trùng lặp", "Danh mục"),
    ("Thuyết minh tài liệu hết thời hạn lưu trữ, tài liệu trùng lặp", "Thuyết minh"),
    ("Quyết định thành lập Hội đồng xét hủy tài liệu", "Quyết định"),
    ("Biên bản họp Hội đồng xét hủy tài liệu", "Biên bản"),
    ("Văn bản thẩm định tài liệu hết thời hạn lưu trữ", "Công văn"),
    ("Quyết định hủy tài liệu", "Quyết định"),
    ("Biên bản bàn giao tài liệu hủy", "Biên bản"),
    ("Biên bản hủy tài liệu", "Biên bản"),
];

fn package(case: &Case, (number, name): (usize, &str), html: String, (years, access): (u16, Access)) -> Package {
    let id = case.case.to_string();
    let (subject, kind) = NAMES.get(number.wrapping_sub(1)).copied().unwrap_or((name, ""));
    let paper = said(case, number);
    let period = Period::Years(years).maintenance();
    let short: String = id.chars().skip(24).collect();
    let metadata = Metadata {
        subject: format!("{subject} (hồ sơ xét hủy {id})"),
        external_id: Some(format!("huy-{short}-{number}")),
        number: paper.and_then(|paper| paper.number.clone()),
        issued: paper.map(|paper| paper.day),
        agency: Some(case.agency.clone()),
        kind: Some(kind.to_owned()).filter(|kind| !kind.is_empty()),
        languages: vec!["01".into()],
        access,
        origin: Some("01".into()),
        retention_code: Some(period.code.into()),
        note: Some(format!("Lưu ít nhất {years} năm kể từ khi hủy (Luật Lưu trữ 01/2011/QH13 điều 28).")),
        loose_reason: Some(format!("Thành phần của hồ sơ hủy tài liệu {id}")),
        ..Metadata::default()
    };
    let identity = Digest::of(format!("{id} {name}").as_bytes());
    let components = vec![Source::Page { name: format!("{name}.html"), html }];
    Package { row: number as u64, identity, metadata, components, findings: Vec::new() }
}

/// What the case says of a paper: its number and its day.
fn said(case: &Case, number: usize) -> Option<&Paper> {
    match number {
        3 => case.council.as_ref().map(|council| &council.paper),
        4 => case.minutes.as_ref(),
        5 => case.appraisal.as_ref().map(|appraisal| &appraisal.paper),
        6 => case.decision.as_ref().map(|decision| &decision.paper),
        7 => case.handover.as_ref(),
        8 => case.destruction.as_ref(),
        _ => None,
    }
}

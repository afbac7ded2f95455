//! The list of files of a year: drafted, copied for the next year, issued by the head, and opened file by file.
//!
//! ```text
//! draft ─open─► draft ─describe─► draft ─approve─► issued ─open_planned─► its files are open
//!   ▲                                                 │
//!   └────────────────── describe ─────────────────────┘
//! ```
//!
//! # Why
//! *A row opens one file, however often it is asked.* The identifier of the file follows from the issued list and the code
//! of the row, under the list's salt: who asks again, who goes on after a stop, and two who ask at once name the same file,
//! and the ledger takes it once. A code that a file of the fonds has already is not opened a second time.

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::arrangement::{Arranged, ArrangementError, expect_sound, files::file, fonds::fonds, salt};
use crate::record::{
    actor::Role,
    agencies::AgencyCode,
    arranging::Refusal,
    date::PartialDate,
    described::Described,
    digest::Digest,
    document::Document,
    entry::{Event, Instant},
    file::{File, check_file},
    file_state::{FileAct, Who, after},
    flaw::{Code, Flaw, stops},
    id::{FileId, FondsId, PlanId},
    plan::{FilePlan, Heading, Planned},
    unit::Unit,
};
use std::sync::Arc;

/// What a list says, without what the archive knows of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanDraft {
    pub fonds: FondsId,
    pub year: u16,
    pub agency: AgencyCode,
    pub headings: Vec<Heading>,
    pub files: Vec<Planned>,
}

/// What became of the rows of an issued list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenedFiles {
    /// Opened just now, by code.
    pub opened: Vec<(String, FileId)>,
    /// Open before, whoever opened them.
    pub there: Vec<(String, FileId)>,
    /// Not opened, and why.
    pub left: Vec<(String, Vec<Flaw>)>,
}

/// The description in force of a list of files, and its digest.
pub async fn plan(archive: &Archive, id: PlanId) -> Result<Option<(Arc<FilePlan>, Digest)>, ArrangementError> {
    let Some(known) = archive.catalog.unit(id.into()).await? else { return Ok(None) };
    let read = archive.described(id.into(), known.description).await?;
    Ok(read.and_then(|read| match read {
        Described::Plan(plan) => Some((plan, known.description)),
        _ => None,
    }))
}

/// Opens the list of a year: one for a fonds and a year.
pub async fn open_plan(archive: &Archive, who: &Who, draft: PlanDraft) -> Result<Arranged, ArrangementError> {
    expect_drafter(who)?;
    let PlanDraft { fonds: of, year, agency, headings, files } = draft;
    let plan = PlanId::new(archive.clock.now().millis(), random()?);
    let schema = FilePlan::SCHEMA.into();
    let salt = salt()?;
    let new = FilePlan { schema, plan, fonds: of, year, agency, replaces: None, salt, headings, files, approval: None };
    keep_new(archive, who, new).await
}

/// Describes a list anew. What was issued is a draft again, until the head issues it.
pub async fn describe_plan(
    archive: &Archive,
    who: &Who,
    id: PlanId,
    headings: Vec<Heading>,
    files: Vec<Planned>,
) -> Result<Arranged, ArrangementError> {
    expect_drafter(who)?;
    let (before, replaces) = plan(archive, id).await?.ok_or(Refusal::NotThere)?;
    let (salt, replaces_it) = (salt()?, Some(replaces));
    let next = FilePlan { headings, files, salt, replaces: replaces_it, approval: None, ..(*before).clone() };
    let flaws = expect_sound(next.check())?;
    let told = (Described::Plan(Arc::new(next.clone())), next.to_bytes()?);
    let event = |unit, description| Event::Described { unit, description, replaces };
    let entry = archive.keep_described(who.id, told, event).await?.seq;
    Ok(Arranged { unit: id.into(), entry, flaws })
}

/// The list of another year as a copy of one: a draft, whose codes and titles carry that year.
pub async fn copy_plan(archive: &Archive, who: &Who, id: PlanId, year: u16) -> Result<Arranged, ArrangementError> {
    expect_drafter(who)?;
    let (before, _) = plan(archive, id).await?.ok_or(Refusal::NotThere)?;
    let copy = PlanId::new(archive.clock.now().millis(), random()?);
    keep_new(archive, who, before.copy_for(year, copy, salt()?)).await
}

/// The head issues a list by a decision, whose day has come (NĐ 30/2020/NĐ-CP art. 28).
pub async fn approve_plan(
    archive: &Archive,
    who: &Who,
    id: PlanId,
    decision: &str,
    on: PartialDate,
) -> Result<Arranged, ArrangementError> {
    let (before, replaces) = plan(archive, id).await?.ok_or(Refusal::NotThere)?;
    let approved = before.approved(who, decision.trim(), on)?;
    expect_come(archive, on)?;
    let next = FilePlan { replaces: Some(replaces), salt: salt()?, ..approved };
    let flaws = next.check();
    let told = (Described::Plan(Arc::new(next.clone())), next.to_bytes()?);
    let event = |unit, description| Event::Approved { unit, description, replaces };
    let entry = archive.keep_described(who.id, told, event).await?.seq;
    Ok(Arranged { unit: id.into(), entry, flaws })
}

/// Opens every file of an issued list that is not open yet, each with title, maker, period and class.
///
/// If we stop here, some files are open and some are not; asked again, the others are opened.
pub async fn open_planned(archive: &Archive, who: &Who, id: PlanId) -> Result<OpenedFiles, ArrangementError> {
    after(None, &FileAct::Open, who)?;
    let (plan, digest) = plan(archive, id).await?.ok_or(Refusal::NotThere)?;
    plan.approval.as_ref().ok_or(Refusal::NotNow)?;
    let issued = issued_at(archive, id, digest).await?;
    // Files of another year begin with it, whenever somebody comes to open them.
    let today: Option<PartialDate> = archive.clock.now().day().parse().ok();
    let whole_year = PartialDate { year: plan.year as i16, month: None, day: None };
    let on = today.filter(|today| today.year == whole_year.year).unwrap_or(whole_year);
    let (within, _) = fonds(archive, plan.fonds).await?.ok_or(Refusal::NotThere)?;
    within.about.takes(on)?;
    let mut done = OpenedFiles::default();
    for row in &plan.files {
        let there = archive.catalog.files_of_code(&row.code).await?;
        let (own, others): (Vec<_>, Vec<_>) = there.iter().partition(|known| known.fonds == plan.fonds);
        if let Some(known) = own.first() {
            done.there.push((row.code.clone(), known.file));
            continue;
        }
        let opened = plan.open(row, file_id(&plan, row, issued), salt()?, on)?;
        let mut flaws = check_file(&opened.about);
        flaws.extend(others.first().map(|_| Flaw::new(Code::DuplicateCode, "code").with_detail(&row.code)));
        if stops(&flaws) {
            done.left.push((row.code.clone(), flaws));
            continue;
        }
        let named = (row.code.clone(), opened.file);
        let list = if open_row(archive, who, opened).await? { &mut done.opened } else { &mut done.there };
        list.push(named);
    }
    Ok(done)
}

/// Opens the file of a row; answers whether it was not opened by somebody else meanwhile.
async fn open_row(archive: &Archive, who: &Who, opened: File) -> Result<bool, ArrangementError> {
    let mut refused = None;
    // Who is refused for another of the same batch asks again: by then that one is known, or was not committed.
    for _ in 0..2 {
        let told = (Described::File(Arc::new(opened.clone())), opened.to_bytes()?);
        let kept = archive.keep_described(who.id, told, |unit, description| Event::Opened { unit, description }).await;
        match kept {
            Ok(_) => return Ok(true),
            Err(_) if file(archive, opened.file).await?.is_some() => return Ok(false),
            Err(error @ ArchiveError::Conflict(_)) => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    refused.map_or(Ok(false), |error| Err(error.into()))
}

/// The file that a row of an issued list opens.
fn file_id(plan: &FilePlan, row: &Planned, issued: Instant) -> FileId {
    let digest = Digest::of(format!("{}\n{}\n{}", plan.plan, plan.salt, row.code).as_bytes());
    let mut chance = [0; 10];
    chance.copy_from_slice(&digest.0[..10]);
    FileId::new(issued.millis(), chance)
}

/// When the description in force of a list was committed.
async fn issued_at(archive: &Archive, id: PlanId, description: Digest) -> Result<Instant, ArrangementError> {
    let life = archive.catalog.life(id).await?;
    let told = life.iter().rev().find(|happened| happened.description == Some(description));
    Ok(told.ok_or(Refusal::NotThere)?.at)
}

/// A decision of a day to come is none yet.
pub(in crate::arrangement) fn expect_come(archive: &Archive, on: PartialDate) -> Result<(), Refusal> {
    let today: Option<PartialDate> = archive.clock.now().day().parse().ok();
    let to_come = today.is_some_and(|today| on.span().0 > today.span().1);
    if to_come { Err(Refusal::NoDecision) } else { Ok(()) }
}

/// A new list: none of that fonds and year is there, and its agency is one that the register has.
async fn keep_new(archive: &Archive, who: &Who, new: FilePlan) -> Result<Arranged, ArrangementError> {
    fonds(archive, new.fonds).await?.ok_or(Refusal::NotThere)?;
    let known = archive.catalog.plans().await?;
    if known.iter().any(|known| (known.fonds, known.year) == (new.fonds, new.year)) {
        return Err(Refusal::AlreadyThere.into());
    }
    let mut flaws = new.check();
    if archive.agencies().await?.is_some_and(|agencies| agencies.rows(&new.agency).next().is_none()) {
        flaws.push(Flaw::new(Code::UnknownAgency, "agency").with_detail(&new.agency));
    }
    let flaws = expect_sound(flaws)?;
    let unit: Unit = new.plan.into();
    let told = (Described::Plan(Arc::new(new.clone())), new.to_bytes()?);
    let kept = archive.keep_described(who.id, told, |unit, description| Event::Opened { unit, description }).await?;
    Ok(Arranged { unit, entry: kept.seq, flaws })
}

/// Who drafts the list: the records office (NĐ 30/2020/NĐ-CP art. 28); a head issues it.
fn expect_drafter(who: &Who) -> Result<(), Refusal> {
    let drafts = matches!(who.role, Role::RecordsClerk | Role::Archivist);
    if drafts { Ok(()) } else { Err(Refusal::NotYourRole) }
}

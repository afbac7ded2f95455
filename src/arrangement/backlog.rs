//! Backlog work (chỉnh lý) on a fonds: drafted, approved in one act, and carried out.
//!
//! ```text
//! open ─► describe, place, reject … ─► approve (a head) ─► carry_out: files are opened, records moved ─► committed
//! ```
//!
//! # Why
//! *What the work is about* ([`scope`]): every record of the fonds that lies in no file, and what the draft names besides.
//! So nothing loose is forgotten, a fonds that is in good order is not taken apart for a few loose records, and a work that
//! was stopped in the middle is judged as it was when it began.
//!
//! *Judged whole, then done one by one*: before the first file is opened every move is asked whether it may be. The state
//! that says it is done comes last.

use crate::archive::{Archive, keep::random};
use crate::arrangement::{
    Arranged, ArrangementError, expect_sound,
    files::{doubled, file},
    fonds::fonds,
    plans::expect_come,
    records::{expect_movable, in_force, place_record},
    salt,
};
use crate::record::{
    actor::Role,
    arranging::Refusal,
    backlog::{Backlog, BacklogAct, BacklogState, Proposed, Rejected},
    date::PartialDate,
    described::Described,
    digest::Digest,
    document::Document,
    entry::Event,
    file::{About, File, check_file},
    file_state::{FileState, Who},
    flaw::{Code, Flaw, stops},
    fonds::Fonds,
    id::{BacklogId, FileId, FondsId, RecordId},
    plan::Approval,
};
use futures::StreamExt;
use std::{collections::BTreeSet, sync::Arc};

/// Records that are looked at at once.
const PAGE: u32 = 500;
/// Moves that wait for the ledger together.
const TOGETHER: usize = 16;

/// What a draft says, without what the archive knows of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Work {
    pub title: String,
    pub history: Option<String>,
    pub scheme: Option<String>,
    pub files: Vec<Proposed>,
    pub rejected: Vec<Rejected>,
}

impl From<&Backlog> for Work {
    fn from(told: &Backlog) -> Work {
        let Backlog { title, history, scheme, files, rejected, .. } = told.clone();
        Work { title, history, scheme, files, rejected }
    }
}

/// What carrying out came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CarriedOut {
    /// The entry that says it is done.
    pub entry: u64,
    /// Files that were opened by this.
    pub opened: u64,
    /// Records that were moved by this.
    pub moved: u64,
}

/// The description in force of backlog work, and its digest.
pub async fn backlog(archive: &Archive, id: BacklogId) -> Result<Option<(Arc<Backlog>, Digest)>, ArrangementError> {
    let Some(known) = archive.catalog.unit(id.into()).await? else { return Ok(None) };
    let read = archive.described(id.into(), known.description).await?;
    Ok(read.and_then(|read| match read {
        Described::Backlog(backlog) => Some((backlog, known.description)),
        _ => None,
    }))
}

/// Opens work on a fonds, led by whoever opens it.
pub async fn open_backlog(
    archive: &Archive,
    who: &Who,
    of: FondsId,
    title: &str,
) -> Result<Arranged, ArrangementError> {
    if who.role != Role::Archivist {
        return Err(Refusal::NotYourRole.into());
    }
    fonds(archive, of).await?.ok_or(Refusal::NotThere)?;
    if title.trim().is_empty() {
        return Err(ArrangementError::Flawed(vec![Flaw::new(Code::TitleMissing, "title")]));
    }
    let id = BacklogId::new(archive.clock.now().millis(), random()?);
    let new = Backlog {
        schema: Backlog::SCHEMA.into(),
        backlog: id,
        fonds: of,
        replaces: None,
        salt: salt()?,
        title: title.trim().into(),
        by: who.id,
        history: None,
        scheme: None,
        files: Vec::new(),
        rejected: Vec::new(),
        state: BacklogState::Draft,
        approval: None,
    };
    let told = (Described::Backlog(Arc::new(new.clone())), new.to_bytes()?);
    let kept = archive.keep_described(who.id, told, |unit, description| Event::Opened { unit, description }).await?;
    Ok(Arranged { unit: id.into(), entry: kept.seq, flaws: missing(archive, &new).await? })
}

/// Describes a draft anew. It may be wrong for months; what is missing is told.
pub async fn describe_backlog(
    archive: &Archive,
    who: &Who,
    id: BacklogId,
    work: Work,
) -> Result<Arranged, ArrangementError> {
    let (before, replaces) = backlog(archive, id).await?.ok_or(Refusal::NotThere)?;
    let after = before.after(&BacklogAct::Revise, who, &[])?;
    let Work { title, history, scheme, files, rejected } = work;
    follow(archive, who, replaces, Backlog { title, history, scheme, files, rejected, ..after }).await
}

/// Puts records into a file of the draft: a new one, or, where it has the code of one that is open, into that. They leave
/// where the draft had them.
pub async fn place_in_draft(
    archive: &Archive,
    who: &Who,
    id: BacklogId,
    about: About,
    records: &[RecordId],
) -> Result<Arranged, ArrangementError> {
    let (before, _) = backlog(archive, id).await?.ok_or(Refusal::NotThere)?;
    let mut work = Work::from(&*before);
    take_out(&mut work, records);
    let same = |file: &&mut Proposed| about.code.is_some() && file.about.code == about.code;
    match work.files.iter_mut().find(same) {
        Some(file) => file.records.extend(records),
        None => {
            let file = file_for(archive, before.fonds, &about).await?;
            work.files.push(Proposed { file, about, records: records.to_vec() });
        }
    }
    work.files.retain(|file| !file.records.is_empty());
    describe_backlog(archive, who, id, work).await
}

/// Takes a record out of the work (loại ra), for a reason. It goes the way of disposition, and stays where it is.
pub async fn reject(
    archive: &Archive,
    who: &Who,
    id: BacklogId,
    rejected: Rejected,
) -> Result<Arranged, ArrangementError> {
    if rejected.reason.trim().is_empty() {
        return Err(Refusal::NoReason.into());
    }
    let (before, _) = backlog(archive, id).await?.ok_or(Refusal::NotThere)?;
    let mut work = Work::from(&*before);
    take_out(&mut work, &[rejected.record]);
    work.files.retain(|file| !file.records.is_empty());
    work.rejected.push(rejected);
    describe_backlog(archive, who, id, work).await
}

/// A head approves the whole draft in one act, by a decision whose day has come.
pub async fn approve_backlog(
    archive: &Archive,
    who: &Who,
    id: BacklogId,
    decision: &str,
    on: PartialDate,
) -> Result<Arranged, ArrangementError> {
    let (before, replaces) = backlog(archive, id).await?.ok_or(Refusal::NotThere)?;
    expect_come(archive, on)?;
    let decision = decision.trim().to_owned();
    let act = BacklogAct::Approve(Approval { by: who.id, decision, on });
    let after = judged(archive, &before, &act, who).await?;
    let next = Backlog { replaces: Some(replaces), salt: salt()?, ..after };
    let told = (Described::Backlog(Arc::new(next.clone())), next.to_bytes()?);
    let event = |unit, description| Event::Approved { unit, description, replaces };
    let entry = archive.keep_described(who.id, told, event).await?.seq;
    Ok(Arranged { unit: id.into(), entry, flaws: Vec::new() })
}

/// Makes a draft of what was approved, before it is carried out.
pub async fn reopen_backlog(archive: &Archive, who: &Who, id: BacklogId) -> Result<Arranged, ArrangementError> {
    let (before, replaces) = backlog(archive, id).await?.ok_or(Refusal::NotThere)?;
    let after = before.after(&BacklogAct::Reopen, who, &[])?;
    follow(archive, who, replaces, after).await
}

/// Carries out what was approved: files are opened, records moved, and it is said that it is done.
///
/// If we stop here, some files are open and some records lie in them; carried out again, the others follow, and nothing is
/// done twice.
pub async fn carry_out(archive: &Archive, who: &Who, id: BacklogId) -> Result<CarriedOut, ArrangementError> {
    let (before, replaces) = backlog(archive, id).await?.ok_or(Refusal::NotThere)?;
    let done = judged(archive, &before, &BacklogAct::Commit, who).await?;
    let (within, _) = fonds(archive, before.fonds).await?.ok_or(Refusal::NotThere)?;
    let files = targets(archive, &before, &within).await?;
    let mut moves = Vec::new();
    for (proposed, (target, _)) in before.files.iter().zip(&files) {
        for (record, ordinal) in proposed.records.iter().zip(1..) {
            let told = in_force(archive, *record).await?;
            if told.description.metadata.file != target.about.code {
                expect_movable(archive, &told.description.metadata, target).await?;
                moves.push((*record, target, ordinal));
            }
        }
    }
    let mut opened = 0;
    for (target, _) in files.iter().filter(|(_, there)| !there) {
        let told = (Described::File(Arc::new(target.clone())), target.to_bytes()?);
        archive.keep_described(who.id, told, |unit, description| Event::Opened { unit, description }).await?;
        opened += 1;
    }
    let decision = before.approval.as_ref().map(|approval| approval.decision.as_str()).unwrap_or_default();
    let reason = format!("Chỉnh lý theo {decision}");
    let moved = moves.len() as u64;
    let mut placing = Vec::with_capacity(moves.len());
    for (record, target, ordinal) in moves {
        placing.push(place_record(archive, who, record, (target, Some(ordinal)), &reason));
    }
    // Those that are under way end, also where one is refused.
    let ended: Vec<_> = futures::stream::iter(placing).buffer_unordered(TOGETHER).collect().await;
    for placed in ended {
        placed?;
    }
    let arranged = follow(archive, who, replaces, done).await?;
    Ok(CarriedOut { entry: arranged.entry, opened, moved })
}

/// The records that work is about: those of its fonds that lie in no file, and those that the draft names and that are of
/// the fonds.
pub async fn scope(archive: &Archive, told: &Backlog) -> Result<Vec<RecordId>, ArrangementError> {
    let (within, _) = fonds(archive, told.fonds).await?.ok_or(Refusal::NotThere)?;
    let (mut found, mut from) = (BTreeSet::new(), 0);
    loop {
        let page = archive.catalog.loose(&within.about.code, from, PAGE).await?;
        let Some(last) = page.last() else { break };
        from = last.seq + 1;
        found.extend(page.iter().map(|known| known.record));
    }
    let placed = told.files.iter().flat_map(|file| &file.records);
    for record in placed.chain(told.rejected.iter().map(|rejected| &rejected.record)) {
        let known = archive.catalog.record(*record).await?;
        let own = known.is_some_and(|known| known.fonds.as_ref() == Some(&within.about.code));
        found.extend(own.then_some(*record));
    }
    Ok(found.into_iter().collect())
}

/// What the rule says of an act; what is missing, where it says no for that.
async fn judged(archive: &Archive, before: &Backlog, act: &BacklogAct, who: &Who) -> Result<Backlog, ArrangementError> {
    let scope = scope(archive, before).await?;
    match before.after(act, who, &scope) {
        Ok(after) => {
            expect_sound(codes(archive, before).await?)?;
            Ok(after)
        }
        Err(Refusal::Flawed) => Err(ArrangementError::Flawed(before.check(&scope))),
        Err(refusal) => Err(refusal.into()),
    }
}

/// What a draft still lacks.
async fn missing(archive: &Archive, told: &Backlog) -> Result<Vec<Flaw>, ArrangementError> {
    let mut flaws = told.check(&scope(archive, told).await?);
    flaws.extend(codes(archive, told).await?);
    Ok(flaws)
}

/// A file without a code takes no record, and a code is one file's.
async fn codes(archive: &Archive, told: &Backlog) -> Result<Vec<Flaw>, ArrangementError> {
    let mut flaws = Vec::new();
    for proposed in &told.files {
        if proposed.about.code.is_none() {
            flaws.push(Flaw::new(Code::CodeMissing, proposed.file));
        }
        flaws.extend(doubled(archive, &proposed.about, Some(proposed.file)).await?);
    }
    Ok(flaws)
}

/// The files of a draft as they are, or as they will be opened; and whether they are there.
async fn targets(archive: &Archive, told: &Backlog, within: &Fonds) -> Result<Vec<(File, bool)>, ArrangementError> {
    let mut files = Vec::with_capacity(told.files.len());
    let mut flaws = Vec::new();
    for Proposed { file: id, about, .. } in &told.files {
        if let Some((there, _)) = file(archive, *id).await? {
            files.push(((*there).clone(), true));
            continue;
        }
        if let Some(started) = about.started {
            within.about.takes(started)?;
        }
        flaws.extend(check_file(about));
        let (schema, state) = (File::SCHEMA.into(), FileState::Open);
        let new =
            File { schema, file: *id, fonds: told.fonds, replaces: None, salt: salt()?, state, about: about.clone() };
        files.push((new, false));
    }
    if stops(&flaws) { Err(ArrangementError::Flawed(flaws)) } else { Ok(files) }
}

/// The file that has a code in a fonds, or a new one.
async fn file_for(archive: &Archive, of: FondsId, about: &About) -> Result<FileId, ArrangementError> {
    if let Some(code) = &about.code {
        let there = archive.catalog.files_of_code(code).await?;
        if let Some(known) = there.iter().find(|known| known.fonds == of) {
            return Ok(known.file);
        }
    }
    Ok(FileId::new(archive.clock.now().millis(), random()?))
}

/// Takes records out of wherever a draft has them.
fn take_out(work: &mut Work, records: &[RecordId]) {
    for file in &mut work.files {
        file.records.retain(|record| !records.contains(record));
    }
    work.rejected.retain(|rejected| !records.contains(&rejected.record));
}

/// Keeps the description that comes after one.
async fn follow(archive: &Archive, who: &Who, replaces: Digest, after: Backlog) -> Result<Arranged, ArrangementError> {
    let next = Backlog { replaces: Some(replaces), salt: salt()?, ..after };
    let flaws = missing(archive, &next).await?;
    let told = (Described::Backlog(Arc::new(next.clone())), next.to_bytes()?);
    let event = |unit, description| Event::Described { unit, description, replaces };
    let entry = archive.keep_described(who.id, told, event).await?.seq;
    Ok(Arranged { unit: next.backlog.into(), entry, flaws })
}

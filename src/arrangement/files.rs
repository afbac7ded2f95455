//! A file (hồ sơ) is opened in a fonds, described, closed, opened again, handed over, given back or taken.

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::arrangement::{Arranged, ArrangementError, expect_sound, fonds::fonds, salt};
use crate::record::{
    arranging::Refusal,
    closing::{Inside, check_closing},
    described::Described,
    description::Description,
    digest::Digest,
    document::Document,
    entry::{Entry, Event},
    file::{About, File, check_file},
    file_state::{FileAct, FileState, Who, after},
    flaw::{Code, Flaw},
    id::{ActorId, FileId, FondsId},
};
use std::sync::Arc;

/// Records of a file that are read at once.
const PAGE: u32 = 500;

/// The description in force of a file, and its digest.
pub async fn file(archive: &Archive, id: FileId) -> Result<Option<(Arc<File>, Digest)>, ArrangementError> {
    let Some(known) = archive.catalog.unit(id.into()).await? else { return Ok(None) };
    let read = archive.described(id.into(), known.description).await?;
    Ok(read.and_then(|read| match read {
        Described::File(file) => Some((file, known.description)),
        _ => None,
    }))
}

/// Opens a file.
pub async fn open_file(archive: &Archive, who: &Who, of: FondsId, about: About) -> Result<Arranged, ArrangementError> {
    let state = after(None, &FileAct::Open, who)?;
    let (within, _) = fonds(archive, of).await?.ok_or(Refusal::NotThere)?;
    if let Some(started) = about.started {
        within.about.takes(started)?;
    }
    let mut flaws = check_file(&about);
    flaws.extend(within.about.check_file(&about));
    flaws.extend(doubled(archive, &about, None).await?);
    let flaws = expect_sound(flaws)?;
    let id = FileId::new(archive.clock.now().millis(), random()?);
    let schema = File::SCHEMA.into();
    let opened = File { schema, file: id, fonds: of, replaces: None, salt: salt()?, state, about };
    let told = (Described::File(Arc::new(opened.clone())), opened.to_bytes()?);
    let answered =
        archive.keep_described(who.id, told, |unit, description| Event::Opened { unit, description }).await?;
    Ok(Arranged { unit: id.into(), entry: answered.seq, flaws })
}

/// Describes a file anew.
pub async fn describe_file(
    archive: &Archive,
    who: &Who,
    id: FileId,
    about: About,
) -> Result<Arranged, ArrangementError> {
    let (before, replaces) = file(archive, id).await?.ok_or(Refusal::NotThere)?;
    let state = after(Some(before.state), &FileAct::Describe, who)?;
    let mut flaws = check_file(&about);
    flaws.extend(doubled(archive, &about, Some(id)).await?);
    let flaws = expect_sound(flaws)?;
    let entry = follow(archive, who, (&before, replaces), (state, about)).await?;
    Ok(Arranged { unit: id.into(), entry, flaws })
}

/// Does something with a file by which its state changes. Where it is closed or submitted, what is in it is looked at
/// first, and what nobody could mend later stops it.
pub async fn act(archive: &Archive, who: &Who, id: FileId, act: &FileAct<'_>) -> Result<Arranged, ArrangementError> {
    let (before, replaces) = file(archive, id).await?.ok_or(Refusal::NotThere)?;
    let act = match act {
        FileAct::Accept { .. } => &FileAct::Accept { submitted_by: submitter(archive, id).await?.unwrap_or(who.id) },
        other => other,
    };
    let state = after(Some(before.state), act, who)?;
    let mut about = before.about.clone();
    let flaws = match act {
        FileAct::Close | FileAct::Submit => {
            let records = inside(archive, &about).await?;
            about.records = u32::try_from(records.len()).ok();
            about.pages = records.iter().map(|record| record.metadata.pages).sum();
            let looked: Vec<Inside<'_>> = records.iter().map(|record| looked_at(record)).collect();
            expect_sound(check_closing(&about, &looked))?
        }
        _ => Vec::new(),
    };
    match act {
        FileAct::Close => about.closed = archive.clock.now().day().parse().ok(),
        FileAct::Reopen { reason } => about.reasons = vec![reason.trim().to_owned()],
        FileAct::Return { reasons } => about.reasons = reasons.to_vec(),
        FileAct::Accept { .. } => about.reasons = Vec::new(),
        _ => {}
    }
    let entry = follow(archive, who, (&before, replaces), (state, about)).await?;
    Ok(Arranged { unit: id.into(), entry, flaws })
}

/// The descriptions in force of the records that lie in a file, in the order of their accession.
pub async fn inside(archive: &Archive, about: &About) -> Result<Vec<Arc<Description>>, ArrangementError> {
    let Some(code) = &about.code else { return Ok(Vec::new()) };
    let (mut records, mut from) = (Vec::new(), 0);
    loop {
        let page = archive.catalog.in_file(code, from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(records) };
        from = last.seq + 1;
        for known in &page {
            let read = archive.description_of(known.record, known.description).await?;
            records.extend(read.map(|read| read.description));
        }
    }
}

fn looked_at(record: &Description) -> Inside<'_> {
    let components = record.components.iter().filter(|component| component.made_from.is_none()).count();
    Inside { record: record.record, metadata: &record.metadata, components, retention_years: None }
}

/// Another file has the same code.
pub(in crate::arrangement) async fn doubled(
    archive: &Archive,
    about: &About,
    but: Option<FileId>,
) -> Result<Option<Flaw>, ArrangementError> {
    let Some(code) = &about.code else { return Ok(None) };
    let others = archive.catalog.files_of_code(code).await?;
    let other = others.iter().find(|other| Some(other.file) != but);
    Ok(other.map(|_| Flaw::new(Code::DuplicateCode, "code").with_detail(code)))
}

/// Who submitted a file last: by the entry that says so.
async fn submitter(archive: &Archive, id: FileId) -> Result<Option<ActorId>, ArrangementError> {
    for happened in archive.catalog.life(id).await?.into_iter().rev() {
        let Some(digest) = happened.description else { continue };
        if let Some(Described::File(file)) = archive.described(id.into(), digest).await?
            && file.state == FileState::Submitted
        {
            let bytes = archive.ledger.entry(happened.seq).await.map_err(ArchiveError::from)?;
            let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
            return Ok(Some(entry.by));
        }
    }
    Ok(None)
}

/// Keeps the description that comes after one. The name of the event follows from the two states.
async fn follow(
    archive: &Archive,
    who: &Who,
    (before, replaces): (&File, Digest),
    (state, about): (FileState, About),
) -> Result<u64, ArrangementError> {
    let next = File { replaces: Some(replaces), salt: salt()?, state, about, ..before.clone() };
    let told = (Described::File(Arc::new(next.clone())), next.to_bytes()?);
    let was_open = before.state.is_open();
    let event = |unit, description| match (was_open, state.is_open()) {
        (true, false) => Event::Closed { unit, description, replaces },
        (false, true) => Event::Reopened { unit, description, replaces },
        _ => Event::Described { unit, description, replaces },
    };
    Ok(archive.keep_described(who.id, told, event).await?.seq)
}

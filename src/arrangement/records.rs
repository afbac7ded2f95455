//! A record is described anew, and moved into another file.
//!
//! # Why
//! *A correction takes nothing away.* The description before stays, named by the one that takes its place; components are
//! as they were, for what was handed over is not corrected.
//!
//! *Where a record lies is moved and not described*: a move has a reason and an event of its own, so that nobody leaves a
//! file by a slip of the pen.

use crate::archive::{Archive, keep::Described as Kept};
use crate::arrangement::{Arranged, ArrangementError, expect_sound, files::file, fonds::fonds, salt};
use crate::record::{
    actor::Role,
    arranging::Refusal,
    described::Described,
    description::{Description, NotADescription},
    document::NotADocument,
    entry::Event,
    fields,
    file::File,
    file_state::Who,
    finding::{self, Finding},
    flaw::{Code, Flaw},
    fonds::Fonds,
    id::{FileId, RecordId},
    metadata::Metadata,
};
use std::sync::Arc;

/// Describes a record anew: a correction. The file and the fonds that it lies in stay, whatever is said of them.
pub async fn describe_record(
    archive: &Archive,
    who: &Who,
    id: RecordId,
    metadata: Metadata,
) -> Result<Arranged, ArrangementError> {
    expect_maker(who)?;
    let before = in_force(archive, id).await?;
    if let Some(file) = lies_in(archive, &before.description.metadata).await?
        && !file.state.is_open()
        && who.role != Role::Archivist
    {
        return Err(Refusal::NotNow.into());
    }
    let said = &before.description.metadata;
    let metadata = Metadata { file: said.file.clone(), fonds: said.fonds.clone(), ..metadata };
    let flaws = expect_sound(fields::check(&metadata, 0).iter().filter_map(flaw).collect())?;
    let event = |unit, description| Event::Described { unit, description, replaces: before.digest };
    let told = following(&before, metadata, Vec::new())?;
    let answered = archive.keep_described(who.id, told, event).await?;
    Ok(Arranged { unit: id.into(), entry: answered.seq, flaws })
}

/// Moves a record into an open file, for a reason that stands in its new description.
pub async fn move_record(
    archive: &Archive,
    who: &Who,
    id: RecordId,
    into: FileId,
    reason: &str,
) -> Result<Arranged, ArrangementError> {
    expect_maker(who)?;
    let (to, _) = file(archive, into).await?.ok_or(Refusal::NotThere)?;
    place_record(archive, who, id, (&to, None), reason).await
}

/// The same into a file that was read, at a place in it.
pub(in crate::arrangement) async fn place_record(
    archive: &Archive,
    who: &Who,
    id: RecordId,
    (to, ordinal): (&File, Option<u32>),
    reason: &str,
) -> Result<Arranged, ArrangementError> {
    expect_maker(who)?;
    if reason.trim().is_empty() {
        return Err(Refusal::NoReason.into());
    }
    let before = in_force(archive, id).await?;
    let said = &before.description.metadata;
    let home = expect_movable(archive, said, to).await?;
    let Some(code) = to.about.code.clone() else {
        return Err(ArrangementError::Flawed(vec![Flaw::new(Code::CodeMissing, "code")]));
    };
    let (file, fonds) = (Some(code), Some(home.about.code.clone()));
    let metadata = Metadata { file, fonds, file_ordinal: ordinal, loose_reason: None, ..said.clone() };
    let event = |_, description| Event::Moved { record: id, description, replaces: before.digest };
    let told = following(&before, metadata, vec![reason.trim().to_owned()])?;
    let answered = archive.keep_described(who.id, told, event).await?;
    Ok(Arranged { unit: id.into(), entry: answered.seq, flaws: Vec::new() })
}

/// May a record be moved into a file, which may be about to be opened? Answers the fonds of that.
pub(in crate::arrangement) async fn expect_movable(
    archive: &Archive,
    said: &Metadata,
    to: &File,
) -> Result<Arc<Fonds>, ArrangementError> {
    let from = lies_in(archive, said).await?;
    if from.as_ref().is_some_and(|from| from.file == to.file) {
        return Err(Refusal::AlreadyThere.into());
    }
    // What is closed neither takes in nor gives away, whoever asks: it is opened again first.
    if !to.state.is_open() || from.as_ref().is_some_and(|from| !from.state.is_open()) {
        return Err(Refusal::NotNow.into());
    }
    let (home, _) = fonds(archive, to.fonds).await?.ok_or(Refusal::NotThere)?;
    expect_not_merged(archive, said, from.as_deref(), &home).await?;
    if let Some(issued) = said.issued {
        home.about.takes(issued)?;
    }
    Ok(home)
}

/// Who describes and moves records: who makes files (NĐ 30/2020/NĐ-CP art. 28–30).
fn expect_maker(who: &Who) -> Result<(), Refusal> {
    let makes = matches!(who.role, Role::Depositor | Role::RecordsClerk | Role::Archivist);
    if makes { Ok(()) } else { Err(Refusal::NotYourRole) }
}

/// The description in force. What may bear a secrecy mark is not there for anybody.
pub(in crate::arrangement) async fn in_force(archive: &Archive, id: RecordId) -> Result<Kept, ArrangementError> {
    let described = archive.description(id).await?.filter(|described| described.description.shows());
    Ok(described.ok_or(Refusal::NotThere)?)
}

/// The file whose code a record names.
async fn lies_in(archive: &Archive, metadata: &Metadata) -> Result<Option<Arc<File>>, ArrangementError> {
    let Some(code) = &metadata.file else { return Ok(None) };
    let Some(known) = archive.catalog.files_of_code(code).await?.into_iter().next() else { return Ok(None) };
    Ok(file(archive, known.file).await?.map(|(file, _)| file))
}

/// Records of an ended agency stay in its own fonds (TT 06/2025/TT-BNV art. 40). The register of agencies tells who goes on
/// with its work; where there is none that could, nothing leaves a closed fonds for that of another creator.
async fn expect_not_merged(
    archive: &Archive,
    said: &Metadata,
    from: Option<&File>,
    to: &Fonds,
) -> Result<(), ArrangementError> {
    let known = match (from, &said.fonds) {
        (Some(from), _) => Some(from.fonds),
        (None, Some(code)) => archive.catalog.fonds_of_code(code).await?.first().map(|known| known.fonds),
        (None, None) => None,
    };
    let Some(id) = known.filter(|id| *id != to.fonds) else { return Ok(()) };
    let Some((from, _)) = fonds(archive, id).await? else { return Ok(()) };
    if let Some(agencies) = archive.agencies().await? {
        return Ok(from.about.may_move_to(&to.about, &agencies)?);
    }
    let ended = from.about.closed.is_some() && from.about.creator != to.about.creator;
    if ended { Err(Refusal::NeverMerged.into()) } else { Ok(()) }
}

/// The description that comes after one, under a salt of its own.
fn following(
    before: &Kept,
    metadata: Metadata,
    reasons: Vec<String>,
) -> Result<(Described, Vec<u8>), ArrangementError> {
    let (replaces, salt) = (Some(before.digest), salt()?.to_string());
    let next = Description { replaces, salt, metadata, reasons, ..(*before.description).clone() };
    let bytes = next.to_bytes().map_err(not_a_document)?;
    Ok((Described::Record(Arc::new(next)), bytes))
}

fn not_a_document(why: NotADescription) -> NotADocument {
    match why {
        NotADescription::Json(source) => NotADocument::Json { schema: "record.v1", source },
        NotADescription::Schema(named) => NotADocument::Schema { named, read: "record.v1" },
        NotADescription::NotCanonical => NotADocument::NotCanonical,
    }
}

/// A finding of the table of fields as a flaw: here nothing is handed over, and nothing travels with the record.
fn flaw(finding: &Finding) -> Option<Flaw> {
    let code = match finding.code {
        finding::Code::NoSubject => Code::TitleMissing,
        finding::Code::Missing => Code::FieldMissing,
        finding::Code::TooLong => Code::FieldTooLong,
        finding::Code::OutsideCodeList => Code::OutsideList,
        finding::Code::SecretAccess => Code::SecretFile,
        _ => return None,
    };
    let flaw = Flaw::new(code, finding.field.as_deref().unwrap_or("metadata"));
    Some(match &finding.detail {
        Some(detail) => flaw.with_detail(detail),
        None => flaw,
    })
}

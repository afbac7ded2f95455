//! What became of a unit, description by description, as people read it.

use crate::archive::Archive;
use crate::arrangement::ArrangementError;
use crate::record::{
    described::Described,
    difference::{Change, of_files, of_fonds, of_records},
    digest::Digest,
    entry::Instant,
    unit::Unit,
};

/// One description in the life of a unit, and what it changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    pub entry: u64,
    pub at: Instant,
    /// The name of the event: `described`, `closed`, `moved`.
    pub event: String,
    pub description: Digest,
    /// What is not as it was in the description before; empty of the first.
    pub changes: Vec<Change>,
    /// Why: of a file that was reopened or given back, of a record that was moved.
    pub reasons: Vec<String>,
}

/// The descriptions of a fonds, a file or a record, the oldest first. What is gone with a destroyed description is passed
/// over.
pub async fn differences(archive: &Archive, unit: Unit) -> Result<Vec<Revision>, ArrangementError> {
    let mut revisions = Vec::new();
    let mut before: Option<Described> = None;
    for happened in archive.catalog.life(unit).await? {
        let Some(description) = happened.description else { continue };
        let Some(told) = archive.described(unit, description).await? else { continue };
        let changes = before.as_ref().map_or(Vec::new(), |before| changed(before, &told));
        let reasons = reasons(&told);
        let (entry, at, event) = (happened.seq, happened.at, happened.event);
        revisions.push(Revision { entry, at, event, description, changes, reasons });
        before = Some(told);
    }
    Ok(revisions)
}

fn changed(before: &Described, after: &Described) -> Vec<Change> {
    match (before, after) {
        (Described::Record(before), Described::Record(after)) => of_records(before, after),
        (Described::File(before), Described::File(after)) => of_files(before, after),
        (Described::Fonds(before), Described::Fonds(after)) => of_fonds(before, after),
        _ => Vec::new(),
    }
}

fn reasons(told: &Described) -> Vec<String> {
    match told {
        Described::Record(record) => record.reasons.clone(),
        Described::File(file) => file.about.reasons.clone(),
        _ => Vec::new(),
    }
}

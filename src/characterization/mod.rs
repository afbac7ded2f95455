//! Reading what was kept: format and text of each original, as renditions beside it.
//!
//! # Why
//! *The queue is derived.* A record waits to be read as long as its description names an original with
//! neither a rendition nor a reason why there is none; the catalog counts them. Killed anywhere, the next
//! round finds the same records waiting and nothing done twice in effect.
//!
//! *What cannot be read is archived all the same*, marked so, with the reason. Scans are marked
//! `no_text_layer`; recognising them comes with OCR and begins from that mark.

use crate::archive::{Archive, ArchiveError, Proposal, apply, keep::Described, keep::random, request};
use crate::catalog::Known;
use crate::content::{self, Outcome};
use crate::record::{
    component::{Component, Format, PLAIN_TEXT, Role, Unread},
    digest::{Digest, hex},
    entry::Event,
    id::RecordId,
    secrecy_mark,
};
use crate::store::{StoreError, layout};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use std::{fs::File, path::Path};

/// What became of a record that waited.
#[derive(Debug, Clone)]
pub struct Characterized {
    pub record: RecordId,
    /// Pages that gave text.
    pub pages: u64,
    /// Originals without text, and why.
    pub unread: Vec<Unread>,
}

/// How a record fared in a round.
enum Round {
    Read(Characterized),
    /// It is damaged: `verify` tells, and it waits until it is repaired.
    Passed,
    /// Somebody described the record meanwhile: it still waits, and the next round reads it.
    LostRace,
}

/// Records that share one intent.
const ROUND_RECORDS: u32 = 32;

/// Reads everything that waits, `content.processes` children at a time. `reader` is the program that runs
/// as the reading child. `hear` is told of every record as it ends. Dropping the future cancels.
pub async fn read_waiting(
    archive: &Archive,
    reader: &Path,
    hear: &mut (dyn FnMut(Characterized) + Send),
) -> Result<(), ArchiveError> {
    let mut from = 0;
    loop {
        let waiting = archive.catalog.waiting(from, ROUND_RECORDS).await?;
        let Some(last) = waiting.last() else { return Ok(()) };
        from = last.seq + 1;
        let records: Vec<RecordId> = waiting.iter().map(|known| known.record).collect();
        let intent = archive.intend(&records).await?;
        let read = stream::iter(waiting).map(|known| unless_it_changed(archive, reader, known));
        let mut read = std::pin::pin!(read.buffer_unordered(archive.config.content.processes));
        let mut lost = false;
        while let Some(done) = read.try_next().await? {
            match done {
                Round::Read(told) => hear(told),
                Round::Passed => {}
                Round::LostRace => lost = true,
            }
        }
        // Who lost a race has written what nothing names: the intent stands until the next start sweeps it.
        if !lost {
            archive.fulfil(intent).await?;
        }
    }
}

/// One record; whoever described it anew, or ordered it to end, was first.
async fn unless_it_changed(archive: &Archive, reader: &Path, known: Known) -> Result<Round, ArchiveError> {
    match characterize(archive, reader, known).await {
        Err(ArchiveError::Conflict(_)) => Ok(Round::LostRace),
        done => done,
    }
}

/// One record: read, keep the renditions, describe, commit.
async fn characterize(archive: &Archive, reader: &Path, known: Known) -> Result<Round, ArchiveError> {
    let described = archive.description(known.record).await;
    let Some(Described { digest: replaces, description }) = apply::undamaged(described)? else {
        return Ok(Round::Passed);
    };
    let mut next = (*description).clone();
    let mut told = Characterized { record: known.record, pages: 0, unread: Vec::new() };
    let waiting: Vec<u32> = description.unread_yet().map(|component| component.ordinal).collect();
    for ordinal in waiting {
        let Some(at) = next.components.iter().position(|component| component.ordinal == ordinal) else { continue };
        let Some(reading) = read_one(archive, reader, known.record, &next.components[at]).await? else {
            tracing::warn!(record.id = %known.record, "an original is gone or damaged; run `vankho verify archive`");
            return Ok(Round::Passed);
        };
        next.components[at].format = reading.format;
        match reading.outcome {
            Outcome::Unread(why) => {
                next.components[at].unread = Some(why);
                told.unread.push(why);
            }
            Outcome::Read { text, pages, .. } => {
                told.pages += u64::from(pages);
                if let Some(mark) = secrecy_mark::find(&text) {
                    // Suspicion is enough to hide: nobody finds or reads it until a person has looked.
                    next.secrecy = Some(next.secrecy.unwrap_or_default().seen(mark.level));
                }
                let rendition = keep_text(archive, known.record, text).await?;
                let (ordinal_text, made_from, made_by) = (next.next_ordinal(), Some(ordinal), Some(reading.made_by));
                next.components.push(Component { ordinal: ordinal_text, made_from, made_by, ..rendition });
            }
        }
    }
    next.replaces = Some(replaces);
    next.salt = hex(&random::<32>()?);
    // If we stop here, the renditions are orphans of an intent and the record still waits.
    let described = archive.keep_description(next).await?;
    let event = Event::Characterized { record: known.record, description: described.digest, replaces };
    let request = request(archive.operator, &random()?);
    let proposal = Proposal { by: archive.operator, request, event, description: Some(described.description.into()) };
    archive.commit(proposal).await?;
    Ok(Round::Read(told))
}

async fn keep_text(archive: &Archive, record: RecordId, text: String) -> Result<Component, ArchiveError> {
    let bytes = Bytes::from(text);
    let (sha256, size) = (Digest::of(&bytes), bytes.len() as u64);
    archive.keep_bytes(record, sha256, bytes).await?;
    let format = Format { mime: PLAIN_TEXT.into() };
    let (ordinal, role) = (0, Role::Text);
    Ok(Component {
        ordinal,
        sha256,
        size,
        format,
        role,
        original_name: None,
        made_from: None,
        made_by: None,
        unread: None,
    })
}

/// Reads an original that is what its description says; `None` where it is not.
async fn read_one(
    archive: &Archive,
    reader: &Path,
    record: RecordId,
    component: &Component,
) -> Result<Option<content::Reading>, ArchiveError> {
    let path = layout::component(record, component.sha256);
    match archive.store.digest(&path).await {
        Ok((found, _)) if found == component.sha256 => {}
        Ok(_) | Err(StoreError::Absent(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let input = match archive.store.folder() {
        Some(root) => File::open(root.join(&path)),
        None => content::input(&archive.store.read(&path).await?),
    };
    let input = input.map_err(|source| StoreError::Disk { path, source })?;
    let read = content::read(reader, input, &component.format, &archive.config.content).await;
    read.map(Some).map_err(|error| ArchiveError::Stopped(error.to_string()))
}

//! What witnesses have cosigned, as it is kept in the archive and given out again.
//!
//! `log/cosignatures/<size>` is the checkpoint of that size, the archive's own lines, and those of its witnesses. It is
//! read again each time: a line that does not hold is not given out.

use crate::archive::{Archive, ArchiveError, witnesses::Witness};
use crate::ledger::{checkpoint::Checkpoint, note::Note};
use crate::store::{Standing, StoreError, layout};
use bytes::Bytes;

/// A cosigned checkpoint: what it says, its note, and how many witnesses signed.
#[derive(Clone, Debug)]
pub struct Cosigned {
    pub checkpoint: Checkpoint,
    pub note: String,
    pub witnesses: usize,
}

/// A checkpoint of a size with every line that holds; `None` where no witness has cosigned it.
pub async fn at(archive: &Archive, size: u64) -> Result<Option<Cosigned>, ArchiveError> {
    let bytes = match archive.store.read(&layout::cosigned(size)).await {
        Err(StoreError::Absent(_)) => return Ok(None),
        bytes => bytes?,
    };
    let read = std::str::from_utf8(&bytes).ok().and_then(|text| holding(archive, text));
    Ok(read.filter(|cosigned| cosigned.checkpoint.size == size && cosigned.witnesses > 0))
}

/// What holds of a note: the archive's own lines, and those of witnesses that are known.
fn holding(archive: &Archive, text: &str) -> Option<Cosigned> {
    let checkpoint = archive.ledger.read_checkpoint(text).ok()?;
    let note = Note::parse(text).ok()?;
    let mut kept = format!("{}\n", note.text());
    let mut witnesses = 0;
    note.lines().iter().filter(|line| line.name == checkpoint.origin).for_each(|line| kept += &line.to_string());
    for Witness { key, .. } in &archive.witnesses {
        let mut own = note.lines().iter().filter(|line| key.is_named(line.name, line.id)).map(ToString::to_string);
        // The last one that holds is the newest.
        let holds = |line: &String| {
            let alone = format!("{}\n{line}", note.text());
            Note::parse(&alone).is_ok_and(|alone| key.cosigned(&alone).is_ok_and(|time| time.is_some()))
        };
        if let Some(line) = own.rfind(holds) {
            kept += &line;
            witnesses += 1;
        }
    }
    Some(Cosigned { checkpoint, note: kept, witnesses })
}

/// When a witness cosigned a checkpoint, by what is kept.
pub async fn by(archive: &Archive, witness: &Witness, checkpoint: &Checkpoint) -> Result<Option<u64>, ArchiveError> {
    let there = at(archive, checkpoint.size).await?.filter(|there| there.checkpoint == *checkpoint);
    let note = there.map(|there| there.note);
    let read = note.as_deref().and_then(|note| Note::parse(note).ok());
    Ok(read.and_then(|note| witness.key.cosigned(&note).ok().flatten()))
}

/// Keeps a witness's line beside those that are there and hold.
///
/// If we stop here, what was there stands or what was meant to; the witness is asked again.
pub async fn keep(archive: &Archive, size: u64, checkpoint_note: &str, line: &str) -> Result<(), ArchiveError> {
    let path = layout::cosigned(size);
    loop {
        let there = match archive.store.read(&path).await {
            Ok(bytes) => Some(bytes),
            Err(StoreError::Absent(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let text = there.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        // Another history's note would be damage: the one that is published takes its place.
        let same = |text: &&str| text.split("\n\n").next() == checkpoint_note.split("\n\n").next();
        let base = text.filter(same).unwrap_or(checkpoint_note);
        let merged = holding(archive, &format!("{base}{line}")).map(|cosigned| Bytes::from(cosigned.note));
        let merged = merged.ok_or_else(|| ArchiveError::Damaged(layout::CHECKPOINT.into()))?;
        if archive.store.replace(&path, merged.clone(), |found| found == there.as_deref()).await? {
            spread(archive, &path, merged).await;
            return Ok(());
        }
    }
}

/// Brings it to the replicas that take every write. One that misses it is given it when it is healed.
async fn spread(archive: &Archive, path: &str, bytes: Bytes) {
    let replicas = archive.store.replicas();
    for replica in replicas.all().iter().filter(|replica| replica.standing() == Standing::Taking) {
        let kept = tokio::time::timeout(replicas.patience(), replica.place.keep(path, bytes.clone())).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::warn!(place = replica.place.name(), path, "a replica lacks cosignatures until it is healed");
        }
    }
}

/// The checkpoint under which an entry is best proved: the one that most witnesses cosigned, the newest of equals.
/// `None` where no witness has cosigned one that covers it.
pub async fn covering(archive: &Archive, seq: u64) -> Result<Option<Cosigned>, ArchiveError> {
    let mut best: Option<Cosigned> = None;
    for size in sizes(archive).await?.into_iter().filter(|size| seq < *size) {
        match readable(archive, size).await {
            Some(found) if best.as_ref().is_none_or(|best| best.witnesses <= found.witnesses) => best = Some(found),
            _ => {}
        }
    }
    Ok(best)
}

/// The newest checkpoint that so many witnesses cosigned; `None` where there is none.
pub async fn newest_by(archive: &Archive, witnesses: usize) -> Result<Option<Cosigned>, ArchiveError> {
    for size in sizes(archive).await?.into_iter().rev() {
        if let Some(found) = readable(archive, size).await.filter(|found| found.witnesses >= witnesses) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The sizes that witnesses cosigned last, the smallest first.
async fn sizes(archive: &Archive) -> Result<Vec<u64>, ArchiveError> {
    let mut sizes = Vec::new();
    for Witness { key, .. } in &archive.witnesses {
        sizes.push(archive.desk.heard(&key.to_string()).await?.size);
    }
    sizes.sort_unstable();
    sizes.dedup();
    sizes.retain(|size| (1..=archive.ledger.size()).contains(size));
    Ok(sizes)
}

/// A checkpoint with its cosignatures, if they can be read: evidence without cosignatures is evidence.
async fn readable(archive: &Archive, size: u64) -> Option<Cosigned> {
    let read = at(archive, size).await;
    read.unwrap_or_else(|error| {
        tracing::warn!(size, %error, "cosignatures cannot be read");
        None
    })
}

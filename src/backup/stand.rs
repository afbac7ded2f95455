//! The ledger as it stands at one moment, for somebody who only has the public keys.

use crate::archive::ArchiveError;
use crate::ledger::{checkpoint::Checkpoint, keys::KeyFile, primacy::Primacy, published};
use crate::store::{Place, Store, StoreError, layout};
use bytes::Bytes;
use std::time::Duration;

/// How often a change of the signing key that is under way is waited for, and the pause between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// How far the ledger goes, and by which keys it is read.
pub struct Stand {
    /// The newest checkpoint that was published; it is no further than the commits.
    pub checkpoint: Option<(Checkpoint, Bytes)>,
    /// Everything that was acknowledged before is in so many entries.
    pub entries: u64,
    pub primacy: Primacy,
    pub keys: (KeyFile, Bytes),
}

impl Stand {
    /// Asks the primary of a store.
    pub async fn of(store: &Store) -> Result<Stand, ArchiveError> {
        let mut why = None;
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let (keys, bytes) = keys(store).await?;
            // First the checkpoint, then the commits: these are never behind it.
            let checkpoint = checkpoint(store, &keys).await?;
            match published::tip(store, &keys).await {
                Ok((entries, primacy)) if keys.lines().last().is_some_and(|line| line.from <= entries) => {
                    return Ok(Stand { checkpoint, entries, primacy, keys: (keys, bytes) });
                }
                // The file is written before the commit that the next key begins with.
                Ok(_) => {}
                // Or the commit was made after the file was read.
                Err(error) => why = Some(error),
            }
        }
        Err(match why {
            Some(error) => error.into(),
            None => ArchiveError::Conflict(
                "the signing key is being changed, or a change of it was interrupted; open the archive (`vankho status`) so that it is completed, then run this again".into(),
            ),
        })
    }
}

/// The public keys, from the first place that has a file of them.
async fn keys(store: &Store) -> Result<(KeyFile, Bytes), ArchiveError> {
    let replicas = store.replicas().all().iter().filter(|replica| replica.is_known()).map(|replica| &replica.place);
    for place in std::iter::once(store.primary()).chain(replicas) {
        if let Some(read) = keys_at(place).await {
            return Ok(read);
        }
    }
    Err(ArchiveError::Damaged(layout::KEYS.into()))
}

async fn keys_at(place: &Place) -> Option<(KeyFile, Bytes)> {
    let bytes = place.read(layout::KEYS).await.ok()?;
    let keys = std::str::from_utf8(&bytes).ok()?.parse().ok()?;
    Some((keys, bytes))
}

/// The newest checkpoint; none where nothing was published yet, or what is there was not signed by the archive.
async fn checkpoint(store: &Store, keys: &KeyFile) -> Result<Option<(Checkpoint, Bytes)>, ArchiveError> {
    let bytes = match store.read(layout::CHECKPOINT).await {
        Ok(bytes) => bytes,
        Err(StoreError::Absent(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let read = std::str::from_utf8(&bytes).ok().and_then(|note| keys.open_checkpoint(note).ok());
    Ok(read.map(|checkpoint| (checkpoint, bytes)))
}

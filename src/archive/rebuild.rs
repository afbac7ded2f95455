//! Rebuild: a new catalog and a new index from the ledger and the descriptions, beside the old, then a swap.
//!
//! Nothing here reads the old ones, and nothing is read by OCR again: texts are components.

use crate::archive::{
    ArchiveError,
    apply::{Derived, Tell},
    feed::Feed,
    keys, lock, place,
    place::Folders,
    places::Places,
};
use crate::catalog::Catalog;
use crate::config::{self, Config};
use crate::index::Index;
use crate::ledger::log::Ledger;
use std::{fs, io, path::Path, sync::Arc, time::Duration};

/// The catalog's file in `derived/`.
pub const CATALOG: &str = "catalog.db";
/// The index's folder in `derived/`.
pub const INDEX: &str = "index";

/// Memory of each thread that writes the index anew.
const WRITER_BYTES: usize = 96 << 20;

/// What a rebuild came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    pub entries: u64,
    /// Descriptions that are gone or damaged: their records are left out, `verify` names them.
    pub left_out: u64,
}

/// Rebuilds what is derived. Interrupted, it leaves the old ones.
pub async fn rebuild(data: &Path, config: &Config, tell: &Tell) -> Result<Rebuilt, ArchiveError> {
    let folders = Folders::of(data);
    let store = Places::configured(data, &config.storage)?.open(&folders).await?;
    fs::create_dir_all(&folders.derived).map_err(|error| place::disk(&folders.derived, error))?;
    let _lock = lock(&folders.derived).await?;
    let fresh = folders.derived.join("new");
    forget(&fresh)?;
    fs::create_dir_all(&fresh).map_err(|error| place::disk(&fresh, error))?;
    let ledger = Ledger::open(store.clone(), Arc::new(folders.signer()?), keys(&store).await?).await?;
    while ledger.catch_up().await?.is_some() {}
    let catalog = Catalog::open(Some(&fresh.join(CATALOG))).await?;
    catalog.read_as(config.retention.reading).await?;
    let index = Arc::new(Index::open(Some(&fresh.join(INDEX)), &hurried(&config.index))?);
    // Nobody searches it yet: one commit at the end is enough.
    let (feed, feeder) = Feed::start(index, store.clone(), Duration::from_secs(3600), config.content.text_bytes_max);
    let derived = Derived { store, catalog, feed };
    let left_out = derived.replay(&ledger, 0, tell).await?;
    derived.feed.flush().await?;
    derived.catalog.close().await;
    // The index is moved only when nobody writes to it any more.
    drop(derived);
    feeder.await.ok();
    // If we stop between these, opening finds a part missing and fills it from the ledger.
    for part in [CATALOG, "catalog.db-wal", "catalog.db-shm", INDEX] {
        forget(&folders.derived.join(part))?;
    }
    for part in [CATALOG, INDEX] {
        let (from, to) = (fresh.join(part), folders.derived.join(part));
        fs::rename(&from, &to).map_err(|error| place::disk(&to, error))?;
    }
    forget(&fresh)?;
    Ok(Rebuilt { entries: ledger.size(), left_out })
}

/// A rebuild has the machine for itself: every core writes, and few segments are left to merge.
fn hurried(index: &config::Index) -> config::Index {
    let threads = std::thread::available_parallelism().map_or(index.threads, |cores| cores.get().min(4));
    let writer_bytes = index.writer_bytes.max(WRITER_BYTES * threads);
    config::Index { threads: index.threads.max(threads), writer_bytes, ..index.clone() }
}

/// Takes away what can be made again. Absent is fine.
pub fn forget(path: &Path) -> Result<(), ArchiveError> {
    let done = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(place::disk(path, error)),
        _ => Ok(()),
    }
}

//! The runs of a backup: what each came to, and what of earlier ones may go.

use crate::archive::ArchiveError;
use crate::backup::parts;
use crate::record::{backup::Run, digest::Digest};
use crate::store::{Created, Place};
use bytes::Bytes;
use std::collections::HashSet;

/// Where they lie.
const RUNS: &str = "backup/runs";
/// The desks of so many runs are kept: what is wrong with a desk may be found late.
const DESKS: usize = 7;

fn path(number: u64) -> String {
    format!("{RUNS}/{number:08}.json")
}

/// Every run that was finished, oldest first. One that cannot be read is passed over, and told.
pub async fn all(backup: &Place) -> Result<Vec<Run>, ArchiveError> {
    let mut names = backup.names(RUNS).await?;
    names.sort();
    let mut runs = Vec::with_capacity(names.len());
    for name in names.iter().filter(|name| name.ends_with(".json")) {
        let bytes = backup.read(&format!("{RUNS}/{name}")).await?;
        match serde_json::from_slice::<Run>(&bytes) {
            Ok(run) => runs.push(run),
            Err(fault) => tracing::error!(place = backup.name(), name, %fault, "a run of a backup cannot be read"),
        }
    }
    Ok(runs)
}

/// The newest run.
pub async fn newest(backup: &Place) -> Result<Run, ArchiveError> {
    let name = backup.name();
    all(backup).await?.pop().ok_or_else(|| {
        ArchiveError::Place(format!(
            "{name} không có bản sao lưu nào đã xong; kiểm tra đường dẫn, gắn lại ổ đĩa / {name} holds no finished backup; check the path, mount the disk, or finish it with `vankho backup`"
        ))
    })
}

/// Writes what a run came to, under the next number; with that the run is finished.
///
/// If we stop here, it is or it is not; what it carried is there in any case.
pub async fn put(backup: &Place, mut run: Run) -> Result<Run, ArchiveError> {
    let before = all(backup).await?;
    run.number = before.last().map_or(1, |last| last.number + 1);
    loop {
        let text = serde_json::to_string(&run).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        match backup.create(&path(run.number), Bytes::from(text + "\n")).await? {
            Created::New => break,
            // Another process was first, in a bucket, or one that cannot be read has the number.
            Created::AlreadyThere(_) => run.number += 1,
        }
    }
    forget(backup, &before, &run).await?;
    Ok(run)
}

/// Drops desks of long ago, and keys that were changed since: of the old key no copy is to be left.
///
/// If we stop here, some are still there, and the next run drops them.
async fn forget(backup: &Place, before: &[Run], newest: &Run) -> Result<(), ArchiveError> {
    let recent = before.iter().rev().take(DESKS - 1).chain([newest]);
    let recent: HashSet<Digest> = recent.filter_map(|run| Some(run.desk?.sha256)).collect();
    let desks: HashSet<Digest> = before.iter().filter_map(|run| Some(run.desk?.sha256)).collect();
    for gone in desks.difference(&recent) {
        backup.discard(&parts::desk(*gone)).await?;
    }
    let keys: HashSet<Digest> = before.iter().flat_map(|run| run.keys.iter().copied()).collect();
    for gone in keys.iter().filter(|key| !newest.keys.is_empty() && !newest.keys.contains(key)) {
        backup.discard(&parts::secret(*gone)).await?;
    }
    Ok(())
}

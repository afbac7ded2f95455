//! Two places, what is kept in each, and what the ledger says of it.

use std::{
    fs,
    path::{Path, PathBuf},
};
use vankho::{
    archive::Archive,
    record::entry::{Entry, Event},
};

pub const PLACES: [(&str, u32); 2] = [("archive", 1), ("two", 2)];

/// Every component and description at a place.
pub fn objects(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![place.join("records")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Everything that happened.
pub async fn events(archive: &Archive) -> Vec<Event> {
    let mut replay = archive.ledger.replay_from(0).await.unwrap();
    let mut events = Vec::new();
    while let Some(commit) = replay.next().await.unwrap() {
        events.extend(commit.entries.iter().map(|bytes| Entry::from_bytes(bytes).unwrap().event));
    }
    events
}

//! What the object store cannot do on a local disk: folders, syncing what is there, and the `x#1` that a
//! crash in the middle of a create leaves behind.

use crate::record::unit::Kind;
use crate::store::{Listed, StoreError, layout};
use bytes::Bytes;
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Behind the name of what no place is made of.
const NO_FILE: &str = " (not a regular file)";

/// A whole file, as one piece of work where blocking is allowed.
pub async fn read(file: PathBuf, path: &str) -> Result<Bytes, StoreError> {
    let read = tokio::task::spawn_blocking(move || expect_plain(&file).and_then(|()| fs::read(file)));
    let read = read.await.map_err(io::Error::other);
    match read.flatten() {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {
            Err(StoreError::Absent(path.into()))
        }
        Err(source) => Err(StoreError::Disk { path: path.into(), source }),
    }
}

/// Refuses what somebody put in the place of a file: a named pipe would be waited for, a device has no end, a link
/// leads to what is not ours. That nothing is there, or a folder, is told by whoever reads.
pub fn expect_plain(file: &Path) -> io::Result<()> {
    match fs::symlink_metadata(file) {
        Ok(about) if !about.is_file() && !about.is_dir() => Err(io::Error::other("it is no regular file")),
        _ => Ok(()),
    }
}

/// Makes the shared folders, and brings them and their names onto the disk.
pub fn prepare(root: &Path) -> Result<(), StoreError> {
    let folders = layout::folders();
    // They are made in this order: where the last one is, an earlier version has not made fewer.
    if folders.last().is_some_and(|last| root.join(last).is_dir()) {
        return Ok(());
    }
    for folder in folders {
        let path = root.join(folder);
        fs::create_dir_all(&path).map_err(|source| disk(&path, source))?;
    }
    let mut parents = vec![root.to_owned()];
    parents.extend(["log", "log/tile", "log/commits", "staging"].map(|folder| root.join(folder)));
    parents.extend(Kind::ALL.map(|kind| root.join(kind.folder())));
    parents.push(root.join(layout::STUBS));
    parents.iter().try_for_each(|folder| sync_folder(folder))
}

/// Makes a folder for this account alone, with those above it; says whether it is, for it may have been there.
pub fn private(folder: &Path) -> Result<bool, StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| disk(folder, source))?;
    sync_parent(folder)?;
    let about = fs::metadata(folder).map_err(|source| disk(folder, source))?;
    Ok(about.permissions().mode() & 0o077 == 0)
}

/// Brings a file that is there, and its name in its folder, onto the disk.
pub fn sync(path: &Path) -> Result<(), StoreError> {
    fs::File::open(path).and_then(|file| file.sync_all()).map_err(|source| disk(path, source))?;
    sync_parent(path)
}

/// Brings the names in a file's folder onto the disk.
pub fn sync_parent(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        // Nothing to sync where the whole folder is gone.
        Some(folder) if folder.exists() => sync_folder(folder),
        _ => Ok(()),
    }
}

/// Brings the names in a folder onto the disk.
pub fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| disk(folder, source))
}

/// Every `x#<n>` under a folder of the place: writes that were under way when a process died. Paths are
/// relative to `root`.
pub fn leftovers(root: &Path, folder: &str) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(path) = folders.pop() {
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(disk(&path, source)),
        };
        for entry in entries {
            let entry = entry.map_err(|source| disk(&path, source))?;
            let kind = entry.file_type().map_err(|source| disk(&entry.path(), source))?;
            let name = entry.file_name();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if name.to_str().is_some_and(is_leftover)
                && let Ok(inside) = entry.path().strip_prefix(root)
            {
                found.push(inside.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

/// Removes one leftover, durably. One that is gone meanwhile is fine.
pub fn remove(root: &Path, path: &str) -> Result<(), StoreError> {
    let path = root.join(path);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(disk(&path, source)),
        _ => sync_parent(&path),
    }
}

/// Is this the name of a write under way, `x#<n>`?
pub fn is_leftover(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(stem, n)| !stem.is_empty() && !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Opens a file that is only locked, never read.
fn lock_file(root: &Path, name: &str) -> Result<(fs::File, PathBuf), StoreError> {
    let path = root.join(name);
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    file.map(|file| (file, path.clone())).map_err(|source| disk(&path, source))
}

/// Waits for a lock that one process holds at a time; dropping the file gives it back. Blocks.
pub fn lock(root: &Path, name: &str) -> Result<fs::File, StoreError> {
    let (file, path) = lock_file(root, name)?;
    file.lock().map_err(|source| disk(&path, source))?;
    Ok(file)
}

/// This process's share in the lock of the living; while the first value is held, nobody sweeps. The
/// second says whether nobody else was alive: then the lock is ours alone until [`share`] is called. Blocks.
pub fn live(root: &Path) -> Result<(fs::File, bool), StoreError> {
    let (file, path) = lock_file(root, layout::ALIVE)?;
    match file.try_lock() {
        Ok(()) => Ok((file, true)),
        Err(fs::TryLockError::WouldBlock) => {
            file.lock_shared().map_err(|source| disk(&path, source))?;
            Ok((file, false))
        }
        Err(fs::TryLockError::Error(source)) => Err(disk(&path, source)),
    }
}

/// From alone to one of several. Whoever sweeps in between finds nothing of ours.
pub fn share(file: &fs::File, root: &Path) -> Result<(), StoreError> {
    let shared = file.unlock().and_then(|()| file.lock_shared());
    shared.map_err(|source| disk(&root.join(layout::ALIVE), source))
}

fn disk(path: &Path, source: io::Error) -> StoreError {
    StoreError::Disk { path: path.display().to_string(), source }
}

/// Everything under a folder of the place that is not a folder itself, whatever it is and however it is
/// named: what `list` would hide is what somebody slipped in. Paths are relative to `root`.
pub fn walk(root: &Path, folder: &str) -> Result<Vec<Listed>, StoreError> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(path) = folders.pop() {
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(disk(&path, source)),
        };
        for entry in entries {
            let entry = entry.map_err(|source| disk(&path, source))?;
            let about = match entry.metadata() {
                Ok(about) => about,
                // A living archive moves what it was writing while we look.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(disk(&entry.path(), source)),
            };
            if about.is_dir() {
                folders.push(entry.path());
            } else if let Ok(inside) = entry.path().strip_prefix(root) {
                let path = inside.to_string_lossy().into_owned();
                let link = if about.is_file() { "" } else { NO_FILE };
                found.push(Listed { path: path + link, size: about.len(), modified: 0 });
            }
        }
    }
    Ok(found)
}

/// The names directly under a folder of the place, folders with a `/` behind, and what is no regular file with words
/// that say so. A name that is not UTF-8 stands as no folder: nothing could be asked for under it.
pub fn names(root: &Path, folder: &str) -> Result<Vec<String>, StoreError> {
    let path = root.join(folder);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(disk(&path, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| disk(&path, source))?;
        let kind = entry.file_type().map_err(|source| disk(&entry.path(), source))?;
        names.push(match entry.file_name().into_string() {
            Ok(name) if kind.is_dir() => name + "/",
            Ok(name) if kind.is_file() => name,
            Ok(name) => name + NO_FILE,
            Err(odd) => odd.to_string_lossy().into_owned() + NO_FILE,
        });
    }
    Ok(names)
}

//! A record as plain files: its components under their original names, its description, its receipt.

use crate::archive::{Archive, ArchiveError, keep::Described};
use crate::exchange::export::{export_folder, export_names};
use crate::store::{StoreError, layout};
use futures::TryStreamExt;
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::io::AsyncWriteExt;

/// Writes an opened record into a folder of its own under `to`, and tells which. A record that is there
/// already is left alone.
///
/// If we stop here, half an export lies under its other name, and the next export begins that record anew.
pub async fn export_record(archive: &Archive, opened: &Described, to: &Path) -> Result<PathBuf, ArchiveError> {
    let description = &opened.description;
    let folder = to.join(export_folder(description));
    if folder.exists() {
        return Ok(folder);
    }
    // Half an export must not be taken for one. Its name is added to and not cut at a dot, which notations
    // have: what is left of one could be a stranger's folder.
    let part = folder.with_added_extension("part");
    let at = |path: &Path, source| ArchiveError::from(StoreError::Disk { path: path.display().to_string(), source });
    match tokio::fs::remove_dir_all(&part).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&part, error)),
        _ => tokio::fs::create_dir_all(&part).await.map_err(|error| at(&part, error))?,
    }
    for (component, (_, name)) in description.components.iter().zip(export_names(description)) {
        let path = part.join(name);
        let source = layout::component(description.record, component.sha256);
        let mut pieces = archive.store.read_pieces(&source).await?;
        let mut hasher = crate::record::digest::Hasher::default();
        let mut file = tokio::fs::File::create_new(&path).await.map_err(|error| at(&path, error))?;
        while let Some(piece) = pieces.try_next().await? {
            hasher.update(&piece);
            file.write_all(&piece).await.map_err(|error| at(&path, error))?;
        }
        file.flush().await.map_err(|error| at(&path, error))?;
        if hasher.finish() != component.sha256 {
            return Err(ArchiveError::Damaged(source));
        }
    }
    let bytes = description.to_bytes().map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    let life = archive.catalog.life(description.record).await?;
    let described = life.iter().find(|happened| happened.description == Some(opened.digest));
    let mut files = vec![("description.json", bytes)];
    if let Some(happened) = described {
        files.push(("receipt.txt", archive.prove(happened.seq).await?.into_bytes()));
    }
    for (name, bytes) in files {
        let path = part.join(name);
        tokio::fs::write(&path, bytes).await.map_err(|error| at(&path, error))?;
    }
    tokio::fs::rename(&part, &folder).await.map_err(|error| at(&folder, error))?;
    Ok(folder)
}

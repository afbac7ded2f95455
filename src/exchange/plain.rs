//! A record as plain files: its components under their original names, its description, its receipt.
//!
//! # Why
//! *A folder that is there is compared, not believed.* The description may have been corrected since, and
//! anybody may have changed a file. What differs is written anew beside it and put in its place in one step:
//! half an export never has the final name.
//!
//! *Only our own is replaced*: a folder whose description names the same record. Anything else under that name
//! is somebody's, and is left to them.

use crate::archive::{Archive, ArchiveError, keep::Described};
use crate::exchange::export::{export_folder, export_names};
use crate::record::{
    component::Component,
    description::Description,
    digest::{Digest, Hasher},
    id::RecordId,
};
use crate::store::{StoreError, layout};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    fs,
    io::{AsyncReadExt, AsyncWriteExt},
};

const DESCRIPTION: &str = "description.json";
const RECEIPT: &str = "receipt.txt";

/// Where a record lies now.
pub struct Exported {
    pub folder: PathBuf,
    /// An earlier export had written it, and it is what is in force.
    pub already_there: bool,
}

/// What is to lie in the folder, wherever it comes from.
pub struct Wanted {
    /// The description in force, and its bytes as they are kept.
    pub description: Arc<Description>,
    pub bytes: Vec<u8>,
    /// Against the newest checkpoint; `None` where no entry names this description.
    pub receipt: Option<String>,
}

/// Writes an opened record of an archive into a folder of its own under `to`.
pub async fn export_record(archive: &Archive, opened: &Described, to: &Path) -> Result<Exported, ArchiveError> {
    let description = &opened.description;
    let life = archive.catalog.life(description.record).await?;
    let receipt = match life.iter().find(|happened| happened.description == Some(opened.digest)) {
        Some(happened) => Some(archive.prove(happened.seq).await?),
        None => None,
    };
    let bytes = description.to_bytes().map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    let wanted = Wanted { description: description.clone(), bytes, receipt };
    let read = async |component: &Component| {
        let pieces = archive.store.read_pieces(&layout::component(description.record, component.sha256)).await?;
        Ok::<_, ArchiveError>(pieces.map_err(ArchiveError::from).boxed())
    };
    export(&wanted, to, read).await
}

/// Writes a record into a folder of its own under `to`; `read` gives the bytes of a component, which are hashed here.
///
/// If we stop here, half an export lies under its other name, and the next export begins that record anew.
pub async fn export<E: From<ArchiveError>>(
    wanted: &Wanted,
    to: &Path,
    read: impl AsyncFn(&Component) -> Result<BoxStream<'static, Result<Bytes, E>>, E>,
) -> Result<Exported, E> {
    let folder = to.join(export_folder(&wanted.description));
    // The name is added to and not cut at a dot, which notations have: what is left of one could be a
    // stranger's folder.
    let part = folder.with_added_extension("part");
    let names: Vec<String> = export_names(&wanted.description).into_iter().map(|(_, name)| name).collect();
    if is_there(&folder, wanted, &names).await {
        renew_receipt(&folder, &part, wanted).await?;
        return Ok(Exported { folder, already_there: true });
    }
    let record = wanted.description.record;
    if is_anothers(&folder, record).await? {
        let place = folder.display();
        return Err(ArchiveError::Place(format!(
            "{place}: không phải do lệnh này xuất ra, hoặc {DESCRIPTION} trong đó đã bị sửa; dời đi rồi chạy lại / not an export of this record, or its {DESCRIPTION} was altered; move it away, then run again"
        ))
        .into());
    }
    if let Err(error) = write(wanted, &names, &part, read).await {
        fs::remove_dir_all(&part).await.ok();
        return Err(error);
    }
    put_in_place(&part, &folder, record).await?;
    Ok(Exported { folder, already_there: false })
}

/// Whether a folder holds the description in force and every component as it says. What cannot be read is not
/// there.
async fn is_there(folder: &Path, wanted: &Wanted, names: &[String]) -> bool {
    let same = async |name: &str, expected| digest(&folder.join(name)).await.is_ok_and(|digest| digest == expected);
    if !same(DESCRIPTION, Digest::of(&wanted.bytes)).await {
        return false;
    }
    for (component, name) in wanted.description.components.iter().zip(names) {
        if !same(name, component.sha256).await {
            return false;
        }
    }
    true
}

async fn digest(path: &Path) -> io::Result<Digest> {
    let (mut file, mut hasher, mut piece) = (fs::File::open(path).await?, Hasher::default(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece).await? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&piece[..read]),
        }
    }
}

/// A receipt is of the ledger as it was that day: one that is not of today, or that somebody changed, gives way.
/// If we stop here, the receipt is the one or the other.
async fn renew_receipt(folder: &Path, part: &Path, wanted: &Wanted) -> Result<(), ArchiveError> {
    let Some(receipt) = &wanted.receipt else { return Ok(()) };
    let path = folder.join(RECEIPT);
    if fs::read(&path).await.is_ok_and(|there| there == receipt.as_bytes()) {
        return Ok(());
    }
    begin(part).await?;
    let renewed = part.join(RECEIPT);
    fs::write(&renewed, receipt).await.map_err(|error| at(&renewed, error))?;
    fs::rename(&renewed, &path).await.map_err(|error| at(&path, error))?;
    fs::remove_dir_all(part).await.map_err(|error| at(part, error))
}

/// Whether something lies there that is no export of this record; an empty folder is nothing.
async fn is_anothers(folder: &Path, record: RecordId) -> Result<bool, ArchiveError> {
    if fs::symlink_metadata(folder).await.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(false);
    }
    let mut within = fs::read_dir(folder).await.map_err(|error| at(folder, error))?;
    let empty = within.next_entry().await.map_err(|error| at(folder, error))?.is_none();
    Ok(!empty && !is_export_of(folder, record).await)
}

async fn is_export_of(folder: &Path, record: RecordId) -> bool {
    let Ok(bytes) = fs::read(folder.join(DESCRIPTION)).await else { return false };
    let read = serde_json::from_slice::<serde_json::Value>(&bytes);
    read.is_ok_and(|read| read["record"] == record.to_string())
}

/// An empty folder under the other name. What an export left there that was stopped is nobody's.
async fn begin(part: &Path) -> Result<(), ArchiveError> {
    match fs::remove_dir_all(part).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(part, error)),
        _ => fs::create_dir_all(part).await.map_err(|error| at(part, error)),
    }
}

async fn write<E: From<ArchiveError>>(
    wanted: &Wanted,
    names: &[String],
    part: &Path,
    read: impl AsyncFn(&Component) -> Result<BoxStream<'static, Result<Bytes, E>>, E>,
) -> Result<(), E> {
    begin(part).await?;
    for (component, name) in wanted.description.components.iter().zip(names) {
        let path = part.join(name);
        let mut pieces = read(component).await?;
        let mut hasher = Hasher::default();
        let mut file = fs::File::create_new(&path).await.map_err(|error| at(&path, error))?;
        while let Some(piece) = pieces.try_next().await? {
            hasher.update(&piece);
            file.write_all(&piece).await.map_err(|error| at(&path, error))?;
        }
        file.flush().await.map_err(|error| at(&path, error))?;
        if hasher.finish() != component.sha256 {
            let source = layout::component(wanted.description.record, component.sha256);
            return Err(ArchiveError::Damaged(source).into());
        }
    }
    let receipt = wanted.receipt.as_ref().map(|receipt| (RECEIPT, receipt.as_bytes()));
    for (name, bytes) in [Some((DESCRIPTION, &wanted.bytes[..])), receipt].into_iter().flatten() {
        let path = part.join(name);
        fs::write(&path, bytes).await.map_err(|error| at(&path, error))?;
    }
    Ok(())
}

/// Gives a whole export its final name; what had it before, which is ours, goes.
///
/// If we stop here, the old one lies beside the new one, under another name; the next export takes it away.
async fn put_in_place(part: &Path, folder: &Path, record: RecordId) -> Result<(), ArchiveError> {
    let old = folder.with_added_extension("old");
    if is_export_of(folder, record).await {
        match renameat_with(CWD, part, CWD, folder, RenameFlags::EXCHANGE) {
            Ok(()) => fs::remove_dir_all(part).await.map_err(|error| at(part, error))?,
            // Network and foreign file systems know no exchange.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                discard_old(&old, record).await?;
                fs::rename(folder, &old).await.map_err(|error| at(&old, error))?;
                fs::rename(part, folder).await.map_err(|error| at(folder, error))?;
            }
            Err(error) => return Err(at(folder, error.into())),
        }
    } else {
        fs::rename(part, folder).await.map_err(|error| at(folder, error))?;
    }
    discard_old(&old, record).await
}

/// Takes away what a replaced export was called for a moment.
async fn discard_old(old: &Path, record: RecordId) -> Result<(), ArchiveError> {
    if !is_export_of(old, record).await {
        return Ok(());
    }
    fs::remove_dir_all(old).await.map_err(|error| at(old, error))
}

fn at(path: &Path, source: io::Error) -> ArchiveError {
    StoreError::Disk { path: path.display().to_string(), source }.into()
}

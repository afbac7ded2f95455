//! Backups (bản sao lưu): the archive, the desk and the keys in another place, brought back from there, and the proof
//! that they can be.
//!
//! `begin → keys → desk as it is now → ledger as it stands → carry → desk → run`: what a backup holds is
//!
//! | path | what |
//! |---|---|
//! | `archive/` | the archive's tree, as every place has it, without `staging/`: `vankho verify archive --data BACKUP` |
//! | `desk/<sha256>.db` | the desk as it was when a run began; those of the last few runs |
//! | `secret/<fingerprint>.key` | the signing key, where it is not kept apart |
//! | `backup/runs/<number>.json` | what each run came to; a run without one was not finished |
//! | `backup/mark.json` | how far the tree is known to be whole |
//!
//! # Why
//! *A backup is an archive.* Whoever has it needs no program of ours to read it, and it is judged by the verifiers that
//! judge any archive. A container of our own was refused: in twenty years somebody would have to open it.
//!
//! *The desk is older than the ledger, never newer.* It knows the largest checkpoint that was committed, and an archive
//! that is behind its desk is a rollback: so the desk is copied first and named last, by the run.
//!
//! *It runs beside a serving archive* and takes no lock of its: a commit never changes, and what it names was there
//! before it.
//!
//! *Keys go only where nobody else reads*, and never into a bucket, of which that cannot be known. Where they are kept
//! apart (QCVN 12:2026/BCA asks that of level 3 and above), a restore is told where they are.
//!
//! *It forgets with the archive.* Of a record that was ordered to end the next run leaves nothing but stub and certificate;
//! until then a certificate names the backup among what still holds the bytes. A place that lets nothing be taken away is
//! no place for a backup of ours.
//!
//! *It signs nothing*, so that an archive whose key is lost can still be backed up.

mod carry;
pub mod drill;
mod ended;
mod parts;
pub mod restore;
pub mod runs;
mod stand;

use crate::archive::{Archive, ArchiveError, Clock, places::Places, restored};
use crate::backup::{carry::Load, stand::Stand};
use crate::record::{
    backup::{Last, RUN, Run},
    id::ActorId,
};
use crate::store::{Created, Place, Store, StoreError, identity::Identity, layout, local};
use bytes::Bytes;
use std::{fs, path::Path};

pub use carry::Tell;

/// The archive's tree in a backup.
pub const TREE: &str = "archive";
/// What is known of the backup itself.
const ABOUT: &str = "backup";
const README: &str = restored::BACKUP;
const MARK: &str = "backup/mark.json";
/// Held by whoever writes a backup in a folder.
const LOCK: &str = "backup/lock";

const ABOUT_IT: &str = "Bản sao lưu của một kho lưu trữ Vankho. archive/ là kho; đọc archive/README.txt trước.\n\
Kiểm tra: vankho verify archive --data THƯ_MỤC_NÀY. Khôi phục: vankho restore THƯ_MỤC_NÀY --data THƯ_MỤC_MỚI.\n\n\
A backup of a Vankho archive. archive/ is the archive; read archive/README.txt first.\n\
To check it: vankho verify archive --data THIS_FOLDER. To bring it back: vankho restore THIS_FOLDER --data NEW_FOLDER.\n";

/// What is backed up.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub store: &'a Store,
    /// The folder of the desk.
    pub desk: Option<&'a Path>,
    /// The folder of the signing keys; `None` leaves them out.
    pub secret: Option<&'a Path>,
    /// Who has it made.
    pub by: Option<ActorId>,
}

/// How it is backed up.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Everything in the backup is read again, not only what is new.
    pub verify_all: bool,
    /// There was a backup in this place: that it is empty now is a disk that is not mounted.
    pub known: bool,
    pub bytes_per_second_max: u64,
}

/// Brings a backup up to date with an archive.
///
/// If we stop anywhere here, the backup is that of the last run that was finished, and some of the next one; done again,
/// it goes on.
pub async fn run(source: &Source<'_>, to: &Place, how: How, clock: &Clock, tell: &Tell) -> Result<Run, ArchiveError> {
    attempt(source, to, how, clock, tell).await.map_err(|error| advised(to, error))
}

async fn attempt(source: &Source<'_>, to: &Place, how: How, clock: &Clock, tell: &Tell) -> Result<Run, ArchiveError> {
    let (began, identity) = (clock.now(), identity(source.store).await?);
    let _lock = begin(to, how.known).await?;
    let tree = joined(to, &identity).await?;
    let keys = match source.secret {
        Some(folder) => parts::put_secrets(folder, to).await?,
        None => Vec::new(),
    };
    let desk = match source.desk {
        Some(folder) => parts::copy_desk(folder).await?,
        None => None,
    };
    let stand = Stand::of(source.store).await?;
    let load = Load {
        from: source.store,
        entries: stand.entries,
        checkpoint: stand.checkpoint,
        keys: stand.keys,
        to: &tree,
        marks: (to, MARK),
        all: how.verify_all,
        bytes_per_second_max: how.bytes_per_second_max,
    };
    let carried = load.carry(tell).await?;
    let desk = match desk {
        Some(desk) => Some(desk.put(to).await?),
        None => None,
    };
    let run = Run {
        schema: RUN.into(),
        number: 0,
        archive: identity.archive,
        origin: identity.origin,
        program: concat!("vankho ", env!("CARGO_PKG_VERSION")).into(),
        by: source.by,
        began,
        ended: clock.now(),
        entries: stand.entries,
        root: carried.root,
        objects: carried.objects,
        bytes: carried.bytes,
        desk,
        keys,
        not_carried: carried.lacking.into_iter().collect(),
    };
    runs::put(to, run).await
}

/// Which archive it is, in the founding form: a backup stands for the whole archive, not for one of its places.
async fn identity(store: &Store) -> Result<Identity, ArchiveError> {
    let identity = store.primary().identity().await?;
    let identity = identity.ok_or_else(|| ArchiveError::Damaged(layout::PLACE.into()))?;
    Ok(identity.founding())
}

/// Takes an empty place, or one that holds a backup, for this process.
///
/// If we stop here, the place is empty, or says that it is a backup, and nothing is in it yet.
async fn begin(to: &Place, known: bool) -> Result<Option<fs::File>, ArchiveError> {
    let (name, about) = (to.name(), format!("{ABOUT}/"));
    let names = to.names("").await?;
    if names.is_empty() && known {
        return Err(ArchiveError::Place(format!(
            "{name} trống, mà trước đây có bản sao lưu: gắn lại ổ đĩa, hoặc thêm --anew để bắt đầu lại / {name} is empty and held a backup: mount it, or begin anew with --anew"
        )));
    }
    if names.iter().any(|other| *other != about) && !to.has(README).await? {
        return Err(ArchiveError::Place(format!(
            "{name} không trống và không phải là bản sao lưu; chọn thư mục trống / {name} is not empty and holds no backup; name an empty folder"
        )));
    }
    // What is made here is for this account alone; a folder that was there stays as it was.
    to.private("")?;
    let lock = match to.folder() {
        Some(root) => Some(alone(root, name)?),
        None => None,
    };
    if !to.has(README).await? {
        to.keep(README, Bytes::from_static(ABOUT_IT.as_bytes())).await?;
    }
    Ok(lock)
}

/// One process at a time writes a backup in a folder; what one that died was writing is swept.
fn alone(root: &Path, name: &str) -> Result<fs::File, ArchiveError> {
    local::private(&root.join(ABOUT))?;
    let path = root.join(LOCK);
    let disk = |source| StoreError::Disk { path: path.display().to_string(), source };
    let lock = fs::File::create(&path).map_err(disk)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            return Err(ArchiveError::Place(format!(
                "một tiến trình khác đang sao lưu vào {name}; chờ nó xong / another process writes a backup to {name}; wait for it to end"
            )));
        }
        Err(fs::TryLockError::Error(source)) => return Err(disk(source).into()),
    }
    for leftover in local::leftovers(root, "")? {
        local::remove(root, &leftover)?;
    }
    Ok(lock)
}

/// The tree in a backup, which says that it is this archive's.
async fn joined(to: &Place, identity: &Identity) -> Result<Place, ArchiveError> {
    let tree = to.inside(TREE)?;
    let there = claim(&tree, identity).await?;
    if there != *identity {
        let (name, origin) = (to.name(), there.origin);
        return Err(ArchiveError::Place(format!(
            "{name} là bản sao lưu của kho khác ({origin}); chọn thư mục khác / {name} is a backup of another archive ({origin}); name another folder"
        )));
    }
    Ok(tree)
}

/// Says in a place that is ours to write whose place it is; tells whose it was already.
///
/// If we stop here, it says so or not, and nothing else lies there.
async fn claim(place: &Place, identity: &Identity) -> Result<Identity, ArchiveError> {
    if let Some(there) = place.identity().await? {
        return Ok(there);
    }
    place.prepare()?;
    match place.create(layout::PLACE, identity.to_bytes()).await? {
        Created::New => Ok(identity.clone()),
        Created::AlreadyThere(bytes) => {
            Identity::from_bytes(&bytes).ok_or_else(|| ArchiveError::Damaged(layout::PLACE.into()))
        }
    }
}

/// Says what to do about storage that failed.
fn advised(to: &Place, error: ArchiveError) -> ArchiveError {
    match error {
        ArchiveError::Store(failure) => ArchiveError::Place(format!(
            "{failure}. Bản sao lưu trước vẫn nguyên: giải phóng chỗ ở {0} hoặc nối lại nơi không trả lời, rồi chạy lại lệnh này, nó làm tiếp / what was finished before is untouched: make room at {0}, or bring back what does not answer, then run the same command again, it goes on",
            to.name()
        )),
        error => error,
    }
}

/// Refuses a backup inside of what it is a backup of, or around it.
pub fn refuse_inside(to: &Place, data: &Path, store: &Store) -> Result<(), ArchiveError> {
    let Some(to_folder) = to.folder() else { return Ok(()) };
    // What is not there yet lies where its parents do.
    let real = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let there = path.ancestors().find_map(|above| Some((above.to_owned(), above.canonicalize().ok()?)));
        match there {
            Some((above, real)) => real.join(path.strip_prefix(&above).unwrap_or(Path::new(""))),
            None => path,
        }
    };
    let there = real(to_folder);
    for ours in std::iter::once(data).chain(store.folders()) {
        let ours = real(ours);
        if there.starts_with(&ours) || ours.starts_with(&there) {
            let (to, ours) = (to.name(), ours.display());
            return Err(ArchiveError::Place(format!(
                "{to} và {ours} nằm trong nhau; chọn thư mục ở ổ đĩa khác / {to} and {ours} lie within each other; name a folder on another disk"
            )));
        }
    }
    Ok(())
}

/// Backs an open archive up as its configuration has it, and remembers what came of it.
pub async fn of(archive: &Archive) -> Result<Run, ArchiveError> {
    let Some(folders) = &archive.folders else {
        return Err(ArchiveError::Place("this archive has no data folder to be backed up from".into()));
    };
    let wanted = &archive.config.backup;
    let data = folders.archive.parent().unwrap_or(Path::new("."));
    let to = Place::by_address(&wanted.to, data)?;
    refuse_inside(&to, data, &archive.store)?;
    let mut remembered = archive.desk.backups().await?;
    let secret = wanted.keys.then_some(folders.secret.as_path());
    let source = Source { store: &archive.store, desk: Some(&folders.desk), secret, by: Some(archive.operator) };
    let known = remembered.last.as_ref().is_some_and(|last| last.to == to.name());
    let how = How { verify_all: false, known, bytes_per_second_max: wanted.bytes_per_second_max };
    let made = run(&source, &to, how, &archive.clock, &|_, _| {}).await;
    match &made {
        Ok(run) => (remembered.last, remembered.why) = (Some(last(run, &to)), None),
        Err(error) => remembered.why = Some(error.to_string()),
    }
    archive.desk.set_backups(&remembered).await?;
    made
}

/// What is remembered of a run.
pub fn last(run: &Run, to: &Place) -> Last {
    Last { to: to.name().into(), began: run.began, entries: run.entries, not_carried: run.not_carried.len() as u64 }
}

/// The archive of a data folder, to be read beside whoever serves it.
pub async fn beside(data: &Path, config: &crate::config::Config) -> Result<Store, ArchiveError> {
    let folders = crate::archive::place::Folders::of(data);
    Places::configured(data, &config.storage)?.open(&folders).await
}

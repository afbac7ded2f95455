//! Founding an archive: the folders, the key, the self-description, the first entry.
//!
//! An archive outlives its software, so the knowledge of how to read and check it is written into it, and
//! its first entry holds the digest of every line of that.

use crate::archive::{ArchiveError, Clock, keep::random, places::Places, request, restored};
use crate::config::Storage;
use crate::ledger::{
    keys::{KeyFile, Signer},
    log::{Appended, Ledger},
};
use crate::record::{
    digest::Digest,
    entry::{Entry, Event},
    id::ActorId,
    unit::Kind,
};
use crate::store::{self, Created, Store, StoreError, identity::Identity, layout, local};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// What `init` writes into every archive, besides its keys and its identity.
pub const DOCUMENTS: &[(&str, &str)] = &[
    ("README.txt", include_str!("place/README.txt")),
    ("FORMAT.md", include_str!("place/FORMAT.md")),
    ("verify.sh", include_str!("place/verify.sh")),
    ("verify.py", include_str!("place/verify.py")),
    ("schemas/README.md", include_str!("../../schemas/README.md")),
    ("schemas/record.v1.json", include_str!("../../schemas/record.v1.json")),
    ("schemas/fonds.v1.json", include_str!("../../schemas/fonds.v1.json")),
    ("schemas/file.v1.json", include_str!("../../schemas/file.v1.json")),
    ("schemas/plan.v1.json", include_str!("../../schemas/plan.v1.json")),
    ("schemas/backlog.v1.json", include_str!("../../schemas/backlog.v1.json")),
    ("schemas/register.v1.json", include_str!("../../schemas/register.v1.json")),
    ("schemas/schedule.v1.json", include_str!("../../schemas/schedule.v1.json")),
    ("schemas/hold.v1.json", include_str!("../../schemas/hold.v1.json")),
    ("schemas/case.v1.json", include_str!("../../schemas/case.v1.json")),
    ("schemas/stub.v1.json", include_str!("../../schemas/stub.v1.json")),
    ("schemas/certificate.v1.json", include_str!("../../schemas/certificate.v1.json")),
    ("schemas/derivation.v1.json", include_str!("../../schemas/derivation.v1.json")),
    ("schemas/entry.v1.json", include_str!("../../schemas/entry.v1.json")),
    ("schemas/consultation.v1.json", include_str!("../../schemas/consultation.v1.json")),
    ("schemas/audit.v1.json", include_str!("../../schemas/audit.v1.json")),
    ("schemas/drill.v1.json", include_str!("../../schemas/drill.v1.json")),
];

/// The desk's file in `desk/`.
pub const DESK: &str = "desk.db";

/// Where the parts of a data folder lie.
#[derive(Clone, Debug)]
pub struct Folders {
    pub archive: PathBuf,
    pub derived: PathBuf,
    pub desk: PathBuf,
    pub secret: PathBuf,
}

impl Folders {
    /// The parts of `--data DIR`.
    pub fn of(data: &Path) -> Folders {
        let part = |name| data.join(name);
        Folders { archive: part("archive"), derived: part("derived"), desk: part("desk"), secret: part("secret") }
    }

    /// Where the signing key lies.
    pub fn key(&self) -> PathBuf {
        self.secret.join("signing.key")
    }

    /// Where the key lies that is to follow it, while it is changed.
    pub fn next_key(&self) -> PathBuf {
        self.secret.join("next.key")
    }

    /// Refuses a place that is no archive.
    pub fn expect_archive(&self) -> Result<(), ArchiveError> {
        let place = self.archive.display();
        let [identity, founding] = [layout::PLACE, &layout::commit(0)].map(|path| self.archive.join(path).is_file());
        let advice = "`vankho init --data DIR --origin NAME`";
        let why = match (identity, founding) {
            (true, true) => return Ok(()),
            _ if self.has_lived() => return Err(self.lost()),
            (false, _) => format!("there is no archive at {place}; make one with {advice}"),
            (true, false) => format!("the founding of the archive at {place} was interrupted; end it with {advice}"),
        };
        Err(ArchiveError::Place(why))
    }

    /// Was there an archive here once? Anything but an interrupted founding tells.
    fn has_lived(&self) -> bool {
        let filled = |folder: PathBuf| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        let shards = fs::read_dir(self.archive.join(layout::RECORDS)).into_iter().flatten().flatten();
        let commits = fs::read_dir(self.archive.join(layout::COMMITS)).into_iter().flatten().flatten();
        commits.into_iter().any(|entry| !entry.file_name().to_str().is_some_and(local::is_leftover))
            || self.archive.join(layout::CHECKPOINT).exists()
            || self.desk.join(DESK).exists()
            || shards.into_iter().any(|shard| filled(shard.path()))
    }

    /// Founding again would sign a second history with the same key.
    fn lost(&self) -> ArchiveError {
        let place = self.archive.display();
        ArchiveError::Place(format!(
            "there was an archive at {place}, and {} or {} is gone; bring it back from a replica or a backup, nothing was changed",
            layout::PLACE,
            layout::commit(0)
        ))
    }

    /// The key that signs.
    pub fn signer(&self) -> Result<Signer, ArchiveError> {
        read_signer(&self.key())
    }
}

/// A signing key from its file.
pub fn read_signer(path: &Path) -> Result<Signer, ArchiveError> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| disk(path, error))?);
    Signer::from_secret_text(text.trim_end())
        .map_err(|_| ArchiveError::Place(format!("{} is no signing key; bring it back from a backup", path.display())))
}

/// Founds an archive in a folder. A founding that was interrupted is completed; an archive that is there
/// is refused.
pub async fn init(data: &Path, storage: &Storage, origin: &str, clock: &Clock) -> Result<(), ArchiveError> {
    check_origin(origin)?;
    restored::expect_finished(data)?;
    let (folders, places) = (Folders::of(data), Places::configured(data, storage)?);
    let place = places.founding()?.clone();
    if place.folder() != Some(folders.archive.as_path()) {
        expect_empty(&place).await?;
    }
    if folders.archive.join(layout::commit(0)).exists() {
        return Err(ArchiveError::Place(format!("there is an archive at {} already", folders.archive.display())));
    }
    if folders.has_lived() {
        return Err(folders.lost());
    }
    let above = data.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    for folder in [&folders.derived, &folders.desk].into_iter().map(PathBuf::as_path).chain(place.folder()) {
        fs::create_dir_all(folder).map_err(|error| disk(folder, error))?;
    }
    let signer = new_key(&folders, origin)?;
    // The archive and its key hang on these names. If we stop here, `init` goes on from here.
    for folder in data.ancestors().take_while(|folder| *folder != above).chain([data, above]) {
        local::sync_folder(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    }
    // Again, now that its folder is there.
    let store = Store::at(places.founding()?.clone());
    probe(&store, clock).await?;
    found(&store, signer, clock).await
}

/// Asks whether the primary keeps create-if-absent.
pub async fn probe(store: &Store, clock: &Clock) -> Result<(), ArchiveError> {
    let id = ActorId::new(clock.now().millis(), random()?);
    Ok(store.primary().probe(&format!("{}/probe/{id}", layout::STAGING)).await?)
}

/// A bucket, or a folder that is not the data folder's own, holds nothing, or what an interrupted founding left.
async fn expect_empty(place: &store::Place) -> Result<(), ArchiveError> {
    let name = place.name();
    if place.has(&layout::commit(0)).await? {
        return Err(ArchiveError::Place(format!("there is an archive at {name} already")));
    }
    let ours = ["place.json", "keys/", "log/", "schemas/", "staging/", "stubs/"];
    let of_units = |name: &str| Kind::ALL.iter().any(|kind| name.strip_suffix('/') == Some(kind.folder()));
    let ours = |name: &String| {
        ours.contains(&name.as_str()) || of_units(name) || DOCUMENTS.iter().any(|(path, _)| path == name)
    };
    match place.names("").await?.into_iter().find(|name| !ours(name)) {
        Some(other) => {
            Err(ArchiveError::Place(format!("{name} holds {other}; an archive is founded in an empty place")))
        }
        None => Ok(()),
    }
}

/// Writes everything that an empty place needs. Each step can be done again.
pub async fn found(store: &Store, signer: Signer, clock: &Clock) -> Result<(), ArchiveError> {
    store.prepare()?;
    if let Some(root) = store.folder() {
        // What an interrupted founding was writing would lie there for ever: nothing else looks at these places.
        for leftover in local::leftovers(root, "")? {
            local::remove(root, &leftover)?;
        }
    }
    let (origin, keys) = (signer.origin().to_owned(), KeyFile::founding(signer.verifying_key().clone()));
    let archive = ActorId::new(clock.now().millis(), random()?);
    let place = Identity { archive, origin: origin.clone(), replica: 1, epoch: 1 }.to_bytes();
    // If we stop anywhere before the first entry, `init` goes on from here: nothing is an archive yet.
    let place = match store.create(layout::PLACE, place.clone()).await? {
        Created::New => place,
        Created::AlreadyThere(bytes) => bytes,
    };
    let mut documents = documents();
    documents.push((layout::PLACE.into(), place));
    documents.push((layout::KEYS.into(), Bytes::from(keys.to_string())));
    let digests = write_documents(store, &documents).await?;
    let ledger = Ledger::open(store.clone(), Arc::new(signer), keys).await?;
    // Empty, and nobody has committed meanwhile: an archive is founded once.
    if ledger.size() == 0 && ledger.catch_up().await?.is_none() {
        let by = ActorId::new(clock.now().millis(), random()?);
        let event = Event::Founded { documents: digests };
        let entry = Entry { at: clock.now(), by, request: request(by, &random()?), event, v: 1 };
        let bytes = entry.to_bytes().map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        if let Appended::LostRace = ledger.append(vec![bytes]).await? {
            return Err(ArchiveError::Place("somebody else is founding this archive".into()));
        }
    }
    ledger.publish().await?;
    Ok(())
}

/// The self-description as this program has it.
pub fn documents() -> Vec<(String, Bytes)> {
    DOCUMENTS.iter().map(|(path, text)| (path.to_string(), Bytes::from_static(text.as_bytes()))).collect()
}

/// The digests of the self-description that the ledger names: those of its last entry about it, at the primary.
pub async fn in_force(ledger: &Ledger) -> Result<BTreeMap<String, Digest>, ArchiveError> {
    let (mut replay, mut in_force) = (ledger.replay_from(0).await?, BTreeMap::new());
    while let Some(commit) = replay.beyond().await? {
        for bytes in &commit.entries {
            let entry = Entry::from_bytes(bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
            in_force = entry.event.documents().cloned().unwrap_or(in_force);
        }
    }
    Ok(in_force)
}

/// Writes documents where they differ from what is there, and tells the digest of each.
///
/// If we stop here, some are new and no entry names them: `init`, or `init --refresh`, done again writes the rest.
pub async fn write_documents(
    store: &Store,
    documents: &[(String, Bytes)],
) -> Result<BTreeMap<String, Digest>, ArchiveError> {
    let mut digests = BTreeMap::new();
    for (path, bytes) in documents {
        let there = match store.read(path).await {
            Ok(found) => found == bytes,
            Err(StoreError::Absent(_)) => false,
            Err(error) => return Err(error.into()),
        };
        if !there {
            store.keep(path, bytes.clone()).await?;
        }
        digests.insert(path.clone(), Digest::of(bytes));
    }
    Ok(digests)
}

fn check_origin(origin: &str) -> Result<(), ArchiveError> {
    let plain = origin.chars().all(|c| c.is_ascii_graphic() && c != '+');
    if origin.is_empty() || origin.len() > 200 || !plain || origin.contains("://") {
        let advice =
            "an origin is a name without scheme, spaces and +, such as archive.example.vn/log; it never changes";
        return Err(ArchiveError::Place(advice.into()));
    }
    Ok(())
}

/// Makes the signing key, readable to this account only, or takes the one that an interrupted founding left.
///
/// If we stop here, there is a draft that is written over, or the whole key, which the next founding takes.
fn new_key(folders: &Folders, origin: &str) -> Result<Signer, ArchiveError> {
    made_key(folders, &folders.key(), origin)
}

/// Makes the key that is to follow, or takes the one that an interrupted change left.
pub fn next_signer(folders: &Folders, origin: &str) -> Result<Signer, ArchiveError> {
    made_key(folders, &folders.next_key(), origin)
}

/// The next key takes the place of the old one, which is gone then.
///
/// If we stop here, it has or it has not: then the next start does it.
pub fn swap_keys(folders: &Folders) -> Result<(), ArchiveError> {
    let swap = || -> io::Result<()> {
        fs::rename(folders.next_key(), folders.key())?;
        fs::File::open(&folders.secret)?.sync_all()
    };
    swap().map_err(|error| disk(&folders.key(), error))
}

/// Makes a key, or takes the one that is there. If we stop here, there is a draft that is written over, or the whole key.
fn made_key(folders: &Folders, path: &Path, origin: &str) -> Result<Signer, ArchiveError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folders.secret)
        .map_err(|error| disk(&folders.secret, error))?;
    if path.exists() {
        let signer = read_signer(path)?;
        return match signer.origin() == origin {
            true => Ok(signer),
            false => Err(ArchiveError::Place(format!("{} was made for origin {}", path.display(), signer.origin()))),
        };
    }
    let signer = Signer::from_seed(origin, &Zeroizing::new(random()?));
    let signer = signer.ok_or_else(|| ArchiveError::Place("that origin cannot name a key".into()))?;
    let write = || -> io::Result<()> {
        // Under another name until it is whole: half a key must not be taken for one.
        let draft = path.with_extension("new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(signer.to_secret_text().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        fs::File::open(&folders.secret)?.sync_all()
    };
    write().map_err(|error| disk(path, error))?;
    Ok(signer)
}

pub(crate) fn disk(path: &Path, source: io::Error) -> ArchiveError {
    StoreError::Disk { path: path.display().to_string(), source }.into()
}

//! Out of a backup into an empty data folder: carried, verified, and put down as restored.
//!
//! `mark → place → carry → desk and key → verify → mark → rebuild`
//!
//! # Why
//! *Into an empty folder alone.* What lies in a folder that is not may be all that is left of the original.
//!
//! *The place is the one that decided the order of entries*, under its own number, so that the ledger goes on there.
//! Where another place of the archive still holds it, that is to be promoted: it has at least as much.
//!
//! *What is damaged in the backup is not restored.* The rest is, and is told; another backup may have what is missing,
//! and is restored into the same folder.
//!
//! *Nothing is written to it afterwards* until somebody vouches that the original is gone (`archive/restored.rs`): a
//! restore that is only a test signs nothing.

use crate::archive::{
    ArchiveError, Clock, lock,
    place::{DESK, Folders, disk},
    places::Places,
    rebuild::{Rebuilt, rebuild},
    restored::{self, Restored},
    timestamps, witnesses,
};
use crate::backup::{TREE, advised, carry::Load, claim, parts, runs, stand::Stand};
use crate::config::Config;
use crate::desk::Desk;
use crate::ledger::{
    authority::Certificates,
    checkpoint::Checkpoint,
    keys::{KeyFile, Signer},
    proof::Receipt,
    published,
};
use crate::record::backup::{Lacking, Run};
use crate::store::{Place, Replicas, Store, identity::Identity, local};
use crate::verify::archive::{Kind, Report, Scope, Trusted, audit};
use std::{collections::BTreeSet, fs, io, path::Path, sync::Arc};

/// Where the mark lies of how far the place is restored.
const MARK: &str = "restoring.json";

/// What a restore is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Carrying,
    Verifying,
    Rebuilding,
}

/// Hears what is being done, and how much of how much.
pub type Tell = Arc<dyn Fn(Doing, u64, u64) + Send + Sync>;

/// What was given out and has to be in the ledger, with its name.
type Known = Vec<(String, Checkpoint)>;
/// What stands on entries that were acknowledged after the backup, and how many they are.
type Lost = Vec<(String, u64)>;

/// What is brought back, and where to.
pub struct Restoration<'a> {
    pub from: &'a Place,
    pub data: &'a Path,
    pub config: &'a Config,
    /// Those of the configuration.
    pub places: &'a Places,
    pub clock: &'a Clock,
    /// The folder where the signing key was kept apart.
    pub secret: Option<&'a Path>,
    /// The archive's public keys, obtained from elsewhere.
    pub keys: Option<KeyFile>,
    /// Receipts and checkpoints that were given out, with their names: what they stand on should be there.
    pub known: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug)]
pub struct Brought {
    /// The newest run of the backup.
    pub run: Run,
    /// The number of the place.
    pub place: u32,
    pub entries: u64,
    pub objects: u64,
    pub bytes: u64,
    /// What of it the backup lacks, or has damaged.
    pub lacking: BTreeSet<Lacking>,
    /// Which of what was shown stands on entries that were acknowledged after the backup, and how many they are.
    pub lost: Lost,
    pub report: Report,
    /// The log holds and nothing is altered: the archive can be used, with what is lacking.
    pub whole: bool,
    pub desk: bool,
    pub key: bool,
    pub rebuilt: Option<Rebuilt>,
}

impl Restoration<'_> {
    /// Brings the archive back.
    ///
    /// If we stop anywhere here, nothing opens what lies in the folder; done again, it goes on.
    pub async fn run(&self, tell: &Tell) -> Result<Brought, ArchiveError> {
        let runs = runs::all(self.from).await?;
        let run = match runs.last() {
            Some(run) => run.clone(),
            None => runs::newest(self.from).await?,
        };
        let backup = Store::at(self.from.inside(TREE)?);
        let stand = self.stand(&backup, &run).await?;
        let (known, lost) = self.known(&stand)?;
        let folders = Folders::of(self.data);
        let mark = self.begin(&folders, &run, &stand)?;
        let held = lock(&folders.derived).await?;
        let target = self.target(&folders, &run, &stand).await?;
        let marks = Place::local(self.data)?;
        let load = Load {
            from: &backup,
            entries: stand.entries,
            checkpoint: stand.checkpoint,
            keys: stand.keys.clone(),
            to: &target,
            marks: (&marks, MARK),
            all: false,
            bytes_per_second_max: u64::MAX,
        };
        let moved = tell.clone();
        let carried = load.carry(&move |done, of| moved(Doing::Carrying, done, of)).await;
        let carried = carried.map_err(|error| advised(&target, error))?;
        let desk = self.desk(&runs, &folders).await?;
        let key = self.key(&stand.keys.0).await?;
        if let Some(signer) = &key {
            parts::restore_key(&folders, signer)?;
        }
        let place = stand.primacy.replica;
        let report = self.verify(&target, place, known, tell).await?;
        let whole = report.faults.iter().all(|fault| {
            fault.kind == Kind::Unchecked || fault.kind == Kind::Missing && !fault.path.starts_with("log/")
        });
        if whole {
            restored::write(self.data, &Restored { whole, ..mark })?;
        }
        drop(held);
        let key = key.is_some();
        let rebuilt = match whole && key {
            true => self.rebuild(stand.entries, tell).await,
            false => None,
        };
        let (entries, objects, bytes, lacking) = (stand.entries, carried.objects, carried.bytes, carried.lacking);
        Ok(Brought { run, place, entries, objects, bytes, lacking, lost, report, whole, desk, key, rebuilt })
    }

    /// The ledger in the backup, which is at least what its newest run says.
    async fn stand(&self, backup: &Store, run: &Run) -> Result<Stand, ArchiveError> {
        let name = self.from.name();
        let damaged = |error: ArchiveError| {
            ArchiveError::Place(format!(
                "{name}: sổ cái trong bản sao lưu bị hỏng, dùng bản khác / the ledger in this backup is damaged, take another one ({error})"
            ))
        };
        let mut stand = Stand::of(backup).await.map_err(damaged)?;
        if let Some(keys) = &self.keys {
            stand.keys.0 = keys.clone();
            (stand.entries, stand.primacy) = published::tip(backup, keys).await?;
        }
        if stand.entries < run.entries {
            let (has, says) = (stand.entries, run.entries);
            return Err(ArchiveError::Place(format!(
                "{name} chỉ còn {has} trong {says} sự kiện: bản sao lưu bị hỏng, dùng bản khác / {name} holds {has} of the {says} entries that it should: this backup is damaged, take another one"
            )));
        }
        Ok(stand)
    }

    /// What was given out: what the ledger has to hold, and what was acknowledged after the backup.
    fn known(&self, stand: &Stand) -> Result<(Known, Lost), ArchiveError> {
        let (mut known, mut lost) = (Vec::new(), Vec::new());
        for (name, text) in &self.known {
            let note = Receipt::parse(text).map(|receipt| receipt.checkpoint_note);
            let read = stand.keys.0.open_checkpoint(note.as_deref().unwrap_or(text));
            let checkpoint = read.map_err(|fault| {
                ArchiveError::Place(format!(
                    "{name}: không phải là biên nhận hay điểm kiểm tra mà kho đã ký / no receipt or checkpoint that the archive signed ({fault})"
                ))
            })?;
            match checkpoint.size.checked_sub(stand.entries) {
                Some(more) if more > 0 => lost.push((name.clone(), more)),
                _ => known.push((name.clone(), checkpoint)),
            }
        }
        Ok((known, lost))
    }

    /// Takes an empty folder, or goes on with one.
    ///
    /// If we stop here, the folder is empty, or marked, and nothing opens it.
    fn begin(&self, folders: &Folders, run: &Run, stand: &Stand) -> Result<Restored, ArchiveError> {
        let data = self.data.display();
        let mark = match restored::read(self.data)? {
            Some(mark) if mark.archive != run.archive => {
                return Err(ArchiveError::Place(format!(
                    "{data} đang khôi phục một kho khác / {data} holds what was restored of another archive; name an empty folder"
                )));
            }
            Some(mark) => mark,
            None if !is_empty(self.data)? => {
                return Err(ArchiveError::Place(format!(
                    "{data} không trống; chỉ khôi phục vào thư mục trống / {data} is not empty; an archive is restored into an empty folder"
                )));
            }
            None => Restored {
                archive: run.archive,
                origin: run.origin.clone(),
                from: self.from.name().into(),
                began: self.clock.now(),
                place: stand.primacy.replica,
                epoch: stand.primacy.epoch,
                whole: false,
            },
        };
        let primacy = (stand.primacy.replica, stand.primacy.epoch);
        if (mark.place, mark.epoch) != primacy {
            return Err(ArchiveError::Place(format!(
                "{data} được khôi phục từ lúc nơi lưu khác làm bản chính, hoặc đã được đưa vào sử dụng / {data} was restored from a time when another place was the primary, or is in use by now; name an empty folder"
            )));
        }
        fs::create_dir_all(self.data).map_err(|error| disk(self.data, error))?;
        restored::write(self.data, &mark)?;
        fs::create_dir_all(&folders.derived).map_err(|error| disk(&folders.derived, error))?;
        Ok(mark)
    }

    /// The place that is written: the one that decided the order of entries, where no other holds the archive.
    async fn target(&self, folders: &Folders, run: &Run, stand: &Stand) -> Result<Place, ArchiveError> {
        let (number, epoch) = (stand.primacy.replica, stand.primacy.epoch);
        let Ok(place) = self.places.number(number) else {
            let folder = folders.archive.display();
            return Err(ArchiveError::Place(format!(
                "nơi lưu số {number} là bản chính; ghi {folder} vào storage.places ở vị trí thứ {number} / place {number} decided the order of entries; name {folder} in storage.places as number {number}, with \"\" for those before it that are gone"
            )));
        };
        for other in self.places.ask().await.into_iter().filter(|other| other.number != number) {
            let name = other.place.name();
            match other.tip {
                Ok(None) => {}
                Ok(Some(tip)) => {
                    return Err(ArchiveError::Place(format!(
                        "nơi lưu {0} ({name}) vẫn giữ kho này với {1} sự kiện; đưa nó lên làm bản chính / place {0} ({name}) still holds this archive, with {1} entries: `vankho promote --place {0} --old-is-gone` brings more back than this backup",
                        other.number, tip.size
                    )));
                }
                Err(error) => {
                    return Err(ArchiveError::Place(format!(
                        "{name}: {error}; nối lại, hoặc ghi \"\" thay cho nó trong storage.places nếu đã mất hẳn / bring it back, or put \"\" in its place in storage.places where it is gone for good"
                    )));
                }
            }
        }
        let epoch = if number == 1 { 1 } else { epoch };
        let identity = Identity { archive: run.archive, origin: run.origin.clone(), replica: number, epoch };
        if place.identity().await?.is_none() && !is_ours(place, self.data).await? {
            let name = place.name();
            return Err(ArchiveError::Place(format!("{name} không trống / {name} is not empty, and holds no archive")));
        }
        let there = claim(place, &identity).await?;
        if there != identity {
            let name = place.name();
            return Err(ArchiveError::Place(format!(
                "{name} đang giữ kho khác / {name} holds another archive, or another of its places; see storage.places"
            )));
        }
        if let Some(root) = place.folder() {
            for leftover in local::leftovers(root, "")? {
                local::remove(root, &leftover)?;
            }
        }
        Ok(place.clone())
    }

    /// The desk, which knows nothing of what lies at these places.
    ///
    /// If we stop here, it is there or it is not, and is put there again.
    async fn desk(&self, runs: &[Run], folders: &Folders) -> Result<bool, ArchiveError> {
        let there = parts::restore_desk(self.from, runs, &folders.desk).await?;
        if there {
            let desk = Desk::open(Some(&folders.desk.join(DESK))).await?;
            let forgotten = desk.forget_all_healed().await;
            desk.close().await;
            forgotten?;
        }
        Ok(there)
    }

    /// The key that signs what comes next: from where it was kept apart, or from the backup.
    async fn key(&self, keys: &KeyFile) -> Result<Option<Signer>, ArchiveError> {
        let Some(wanted) = keys.lines().last().map(|line| &line.key) else { return Ok(None) };
        match self.secret {
            Some(folder) => match parts::key_at(folder, wanted)? {
                Some(signer) => Ok(Some(signer)),
                None => {
                    let folder = folder.display();
                    Err(ArchiveError::Place(format!(
                        "{folder} không có khóa ký hiện hành của kho; tìm bản mới hơn / {folder} has not the key that signs last; look for a newer copy of secret/, or leave --secret out"
                    )))
                }
            },
            None => parts::key_in(self.from, wanted).await,
        }
    }

    /// Everything in the place that was written, as `vankho verify archive` would.
    async fn verify(&self, target: &Place, number: u32, known: Known, tell: &Tell) -> Result<Report, ArchiveError> {
        let evidence = &self.config.evidence;
        let witnesses = witnesses::configured(evidence)?.into_iter().map(|witness| witness.key).collect();
        let authorities = timestamps::configured(evidence)?.into_iter().map(|one| one.certificates);
        let authorities = authorities.reduce(Certificates::and);
        let trusted = Trusted { keys: self.keys.clone(), known, witnesses, policy: None, authorities };
        let store = Store::of(target.clone(), number, Replicas::default());
        let moved = tell.clone();
        Ok(audit(&store, Scope::Archive, &trusted, &move |done, of| moved(Doing::Verifying, done, of)).await)
    }

    /// Catalog and index. Where they cannot be built now, the start after the promotion does it: a ledger that has to
    /// be at more places than there are yet, for one.
    async fn rebuild(&self, entries: u64, tell: &Tell) -> Option<Rebuilt> {
        let moved = tell.clone();
        let rebuilt = rebuild(self.data, self.config, &move |done| moved(Doing::Rebuilding, done, entries)).await;
        if let Err(error) = &rebuilt {
            tracing::warn!(%error, "catalog and index are built when the archive is opened");
        }
        rebuilt.ok()
    }
}

/// Does nothing lie in a folder? One that is not there is empty, and a mark that was never finished is nothing.
fn is_empty(folder: &Path) -> Result<bool, ArchiveError> {
    let draft = format!("{}.new", restored::MARK);
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == draft.as_str()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(disk(folder, error)),
    }
}

/// May a place that says nothing of itself be written? It is empty, or lies in the folder that is marked as ours.
async fn is_ours(place: &Place, data: &Path) -> Result<bool, ArchiveError> {
    let inside = place.folder().is_some_and(|folder| folder.starts_with(data));
    Ok(inside || place.names("").await?.is_empty())
}

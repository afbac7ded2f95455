//! A restore drill (diễn tập khôi phục): records that nobody chose are brought back from the newest backup, and the
//! whole of its ledger is held against the living one. The report is signed.
//!
//! `newest run → ledger → choose → bring back → desk and key → report`
//!
//! # Why
//! *The nonce is told*, and everybody can choose the same records from it again; before the drill nobody could.
//!
//! *Every commit of the backup is read*, so that the root over all entries is made anew and compared: that proves every
//! entry of every record that was drilled, and that the backup is of this history.
//!
//! *What was ordered to end is not drawn*, neither by the ledger of the backup nor by the living one: nobody brings it back.
//!
//! *Signed under a name of its own* (`<origin>/drill`): a report can be taken for nothing else.

use crate::archive::{
    Archive, ArchiveError, Clock,
    keep::random,
    place::{Folders, disk},
    rebuild::forget,
};
use crate::backup::{TREE, ended::ended as records_ended, ended::ended_by, identity, parts, runs, stand::Stand};
use crate::desk::snapshot;
use crate::ledger::follow::Follower;
use crate::record::{
    backup::{DRILL, DRILL_KIND, Drill, DrillFault, Drilled, LastDrill, Part, Run, chosen},
    description::Description,
    digest::{Digest, hex},
    entry::{Damage, Entry, Event},
    id::{ActorId, RecordId},
};
use crate::store::{
    Place, Store, StoreError, layout,
    replicas::{Pace, copy, lacks},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// Hears how many records are brought back of how many.
pub type Tell = dyn Fn(u64, u64) + Send + Sync;

/// What is drilled.
pub struct Drilling<'a> {
    pub from: &'a Place,
    /// The living archive.
    pub store: &'a Store,
    pub folders: &'a Folders,
    pub by: Option<ActorId>,
    /// How many records.
    pub records: u64,
    pub bytes_per_second_max: u64,
}

/// What the ledger in the backup says.
struct Told {
    follower: Follower,
    /// It ends where the living ledger has the same commit.
    ours: bool,
    /// Every accession in order, but of records that were ordered to end: the record and its entry.
    records: Vec<(RecordId, u64)>,
    descriptions: HashMap<RecordId, Vec<Digest>>,
}

impl Drilling<'_> {
    /// Holds a drill; the report, and the same signed.
    pub async fn run(&self, clock: &Clock, tell: &Tell) -> Result<(Drill, String), ArchiveError> {
        let (began, signer) = (clock.now(), self.folders.signer()?);
        let run = runs::newest(self.from).await?;
        let identity = identity(self.store).await?;
        if run.archive != identity.archive {
            let name = self.from.name();
            return Err(ArchiveError::Place(format!(
                "{name} là bản sao lưu của kho khác / {name} is a backup of another archive; name this one's"
            )));
        }
        let stand = Stand::of(self.store).await?;
        let told = self.ledger(&stand).await?;
        let nonce = random()?;
        let (folder, _lock) = begin(&self.folders.derived)?;
        let drilled = self.drilled(&told, &nonce, &folder, tell).await;
        let parts = self.parts(&run, &told, &folder).await;
        forget(&folder)?;
        let (drilled, (desk, keys)) = (drilled?, parts?);
        let (entries, root) = (told.follower.size(), told.follower.root());
        let faults = drilled.iter().map(|one| one.faults.len() as u64).sum();
        let usable = desk != Part::Damaged && keys != Part::Damaged;
        let passed = faults == 0 && usable && told.ours && entries >= run.entries;
        let report = Drill {
            schema: DRILL.into(),
            archive: identity.archive,
            origin: identity.origin,
            program: run_by(),
            by: self.by,
            began,
            ended: clock.now(),
            run: run.number,
            run_began: run.began,
            ledger: stand.entries,
            entries,
            root,
            nonce: hex(&nonce),
            records: told.records.len() as u64,
            asked: self.records,
            drilled,
            desk,
            keys,
            faults,
            passed,
        };
        let text = serde_json_canonicalizer::to_string(&report);
        let text = text.map_err(|fault| ArchiveError::Damaged(fault.to_string()))? + "\n";
        let signed = signer.sign_report(DRILL_KIND, &text);
        let signed = signed.ok_or_else(|| ArchiveError::Damaged("the report of a drill cannot be signed".into()))?;
        Ok((report, signed))
    }

    /// Every commit in the backup, by the keys of the living archive.
    async fn ledger(&self, stand: &Stand) -> Result<Told, ArchiveError> {
        let tree = self.from.inside(TREE)?;
        let mut follower = Follower::new(stand.keys.0.clone());
        let (mut records, mut descriptions) = (Vec::new(), HashMap::<RecordId, Vec<Digest>>::new());
        let (mut last, mut ended) = (None, HashSet::new());
        loop {
            let base = follower.size();
            let bytes = match tree.read(&layout::commit(base)).await {
                Ok(bytes) => bytes,
                Err(StoreError::Absent(_)) => break,
                Err(error) => return Err(error.into()),
            };
            // What cannot follow ends the ledger of the backup, and the drill is not passed.
            let Ok(following) = follower.next(&bytes) else {
                last = None;
                break;
            };
            ended.extend(ended_by(&following.commit.entries));
            for (seq, entry) in (base..).zip(&following.commit.entries) {
                let Ok(entry) = Entry::from_bytes(entry) else { continue };
                if let Event::Accessioned { record, .. } = &entry.event {
                    records.push((*record, seq));
                }
                if let (Some(record), Some(description)) = (entry.event.record(), entry.event.description()) {
                    descriptions.entry(record).or_default().push(description);
                }
            }
            last = Some((base, bytes));
            follower.take(following);
        }
        let ours = match last {
            Some((base, bytes)) => match self.store.read(&layout::commit(base)).await {
                Ok(ours) => ours == bytes,
                Err(StoreError::Absent(_)) => false,
                Err(error) => return Err(error.into()),
            },
            None => false,
        };
        if ours {
            let since = follower.size()..stand.entries;
            ended.extend(records_ended(&[self.store.primary().clone()], &stand.keys.0, since).await);
        }
        records.retain(|(record, _)| !ended.contains(record));
        Ok(Told { follower, ours, records, descriptions })
    }

    /// The records that the nonce chooses, brought back into a folder.
    async fn drilled(
        &self,
        told: &Told,
        nonce: &[u8; 32],
        folder: &Path,
        tell: &Tell,
    ) -> Result<Vec<Drilled>, ArchiveError> {
        let (tree, to) = (self.from.inside(TREE)?, Place::local(folder)?);
        let mut back = Back { tree, to, pace: Pace::of(self.bytes_per_second_max.max(1)) };
        let picked = chosen(nonce, told.records.len() as u64, self.records);
        let (mut drilled, all) = (Vec::with_capacity(picked.len()), picked.len() as u64);
        for (done, number) in (1..).zip(picked) {
            let Some((record, entry)) = told.records.get(number as usize).copied() else { continue };
            let descriptions = told.descriptions.get(&record).map(Vec::as_slice).unwrap_or_default();
            let mut one = Drilled { record, entry, objects: 0, bytes: 0, faults: Vec::new() };
            back.record(&mut one, descriptions).await?;
            drilled.push(one);
            tell(done, all);
        }
        Ok(drilled)
    }

    /// The desk, and the key that signed last when the run was made.
    async fn parts(&self, run: &Run, told: &Told, folder: &Path) -> Result<(Part, Part), ArchiveError> {
        let found = |whole: bool| if whole { Part::Whole } else { Part::Damaged };
        let desk = match run.desk {
            Some(kept) => {
                let file = folder.join("desk.db");
                found(parts::take_desk(self.from, kept, &file).await? && snapshot::is_sound(&file).await)
            }
            None => Part::Apart,
        };
        let keys = match (run.keys.is_empty(), told.follower.keys().key_for(run.entries)) {
            (true, _) => Part::Apart,
            (false, Some(wanted)) => found(parts::key_in(self.from, wanted).await?.is_some()),
            (false, None) => Part::Damaged,
        };
        Ok((desk, keys))
    }
}

/// Records on their way back.
struct Back {
    tree: Place,
    to: Place,
    pace: Pace,
}

impl Back {
    /// Everything that the ledger names of one record.
    async fn record(&mut self, one: &mut Drilled, descriptions: &[Digest]) -> Result<(), ArchiveError> {
        let mut components = BTreeMap::new();
        for digest in descriptions {
            let path = layout::description(one.record, *digest);
            if !self.object(one, 0, &path, *digest).await? {
                continue;
            }
            let bytes = self.to.read(&path).await?;
            let Ok(description) = Description::from_bytes(&bytes) else { continue };
            components.extend(description.components.iter().map(|part| (part.sha256, part.ordinal)));
        }
        for (digest, ordinal) in components {
            self.object(one, ordinal, &layout::component(one.record, digest), digest).await?;
        }
        Ok(())
    }

    /// One object; false where it does not come back as the ledger names it.
    async fn object(
        &mut self,
        one: &mut Drilled,
        component: u32,
        path: &str,
        digest: Digest,
    ) -> Result<bool, ArchiveError> {
        let failure = match copy(&self.tree, &self.to, path, digest, &mut self.pace).await {
            Ok(bytes) => {
                (one.objects, one.bytes) = (one.objects + 1, one.bytes + bytes);
                return Ok(true);
            }
            Err(failure) => failure,
        };
        let fault = match lacks(&self.tree, path, digest).await {
            Ok(true) if self.tree.has(path).await? => Damage::Altered,
            Ok(true) => Damage::Missing,
            Err(_) => Damage::Unreadable,
            // The backup has it right: it is this machine that has no room for it.
            Ok(false) => return Err(failure.into()),
        };
        one.faults.push(DrillFault { component, fault });
        Ok(false)
    }
}

fn run_by() -> String {
    concat!("vankho ", env!("CARGO_PKG_VERSION")).into()
}

/// An empty folder in `derived/`, for one drill at a time.
fn begin(derived: &Path) -> Result<(PathBuf, fs::File), ArchiveError> {
    let (folder, lock) = (derived.join("drill"), derived.join("drill.lock"));
    fs::create_dir_all(derived).map_err(|error| disk(derived, error))?;
    let held = fs::File::create(&lock).map_err(|error| disk(&lock, error))?;
    held.try_lock().map_err(|_| {
        ArchiveError::Place("một cuộc diễn tập khác đang chạy / another drill is being held; wait for it to end".into())
    })?;
    forget(&folder)?;
    crate::store::local::private(&folder)?;
    Ok((folder, held))
}

/// Holds a drill of an open archive as its configuration has it, and remembers what came of it.
pub async fn of(archive: &Archive) -> Result<Drill, ArchiveError> {
    let Some(folders) = &archive.folders else {
        return Err(ArchiveError::Place("this archive has no data folder to hold a drill in".into()));
    };
    let wanted = &archive.config.backup;
    let from = Place::by_address(&wanted.to, folders.archive.parent().unwrap_or(Path::new(".")))?;
    let drilling = Drilling {
        from: &from,
        store: &archive.store,
        folders,
        by: Some(archive.operator),
        records: u64::from(wanted.drill_records),
        bytes_per_second_max: wanted.bytes_per_second_max,
    };
    let held = drilling.run(&archive.clock, &|_, _| {}).await;
    let mut remembered = archive.desk.backups().await?;
    match &held {
        Ok((drill, report)) => (remembered.drill, remembered.drill_why) = (Some(last(drill, report)), None),
        Err(error) => remembered.drill_why = Some(error.to_string()),
    }
    archive.desk.set_backups(&remembered).await?;
    held.map(|(drill, _)| drill)
}

/// What is remembered of a drill.
pub fn last(drill: &Drill, report: &str) -> LastDrill {
    LastDrill { ended: drill.ended, passed: drill.passed, report: report.into() }
}

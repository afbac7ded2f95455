//! One life: two machines, one to three places, and whatever a seed has happen to them.

use crate::{
    disk::{Bug, Disk, Mount},
    faulty::{Effect, Fault, Faulty, Plan, Process, Weather},
    model::Model,
    world::{Acknowledged, Chance, folder, signer},
};
use futures::stream;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tempfile::TempDir;
use vankho::{
    archive::{Archive, ArchiveError, Clock, Parts, place, place::Folders, places::Places, promote::Promotion},
    catalog::Catalog,
    config::Config,
    desk::Desk,
    index::Index,
    ingest::{self, Fate},
    record::{
        digest::Digest,
        metadata::Metadata,
        package::{Package, Source},
    },
    store::{Place, Standing, Store},
};

/// A machine with catalog, index and desk of its own.
pub struct Machine {
    pub folder: TempDir,
    pub open: Option<(Archive, Process)>,
    /// Rows that were handed over and not acknowledged: they are handed over again.
    pub pending: Vec<Package>,
}

impl Machine {
    pub fn new() -> Machine {
        Machine { folder: folder(), open: None, pending: Vec::new() }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub struct Life {
    pub chance: Chance,
    pub disks: Vec<Arc<Disk>>,
    pub machines: [Machine; 2],
    pub config: Config,
    pub micros: Arc<AtomicI64>,
    bug: Option<Bug>,
    /// Nothing goes wrong by itself.
    pub calm: bool,
    pub rows: usize,
    pub litter: bool,
    /// A promotion went on without the old primary.
    pub without_old: bool,
    /// Something decayed on a disk.
    pub decays: bool,
    pub model: Model,
    /// What happened, for people.
    pub told: Vec<String>,
}

/// Lives a life and says what is wrong in the end, and what happened in it.
///
/// With `two_required`, two places at least must hold what counts, as in lives with a bug.
pub async fn live(seed: u64, two_required: bool, bug: Option<Bug>) -> (Vec<String>, Vec<String>) {
    let mut life = Life::new(seed, two_required, bug).await;
    if two_required {
        // Each machine opens what the other has written.
        for n in [0, 1, 0] {
            life.take_in(&[n]).await;
            life.kill(n).await;
        }
    }
    let steps = 4 + life.chance.below(14);
    for _ in 0..steps {
        life.step().await;
    }
    let found = life.ends().await;
    (life.model.judge(&found), life.told)
}

fn config(places: u64, required: usize) -> Config {
    let mut config = Config::default();
    config.storage.places = (1..=places).map(|number| format!("place {number}")).collect();
    config.storage.required = required;
    config.storage.heal_interval_ms = 3_600_000;
    config.storage.patience_ms = 5000;
    config.ledger.publish_interval_ms = 3_600_000;
    config.ledger.catch_up_interval_ms = 50;
    config.ingest.concurrency = 2;
    config.index.writer_bytes = 16 << 20;
    config
}

fn row(n: usize) -> Package {
    let external_id = format!("r{n}");
    let text = format!("Quyết định số {n} về việc phê duyệt kế hoạch năm {}", 2000 + n);
    Package {
        row: n as u64,
        identity: Digest::of(external_id.as_bytes()),
        metadata: Metadata {
            subject: format!("quyết định {n}"),
            external_id: Some(external_id),
            ..Metadata::default()
        },
        components: vec![Source::Text { text }],
        findings: Vec::new(),
    }
}

impl Life {
    async fn new(seed: u64, two_required: bool, bug: Option<Bug>) -> Life {
        let mut chance = Chance(seed);
        let places = if two_required { 2 + chance.below(2) } else { 1 + chance.below(3) };
        let required = if two_required { 2 } else { 1 + chance.below(places.min(2)) as usize };
        Life::founded(chance, places, required, bug).await
    }

    /// An archive in its first place, and nobody who has opened it.
    pub async fn founded(chance: Chance, places: u64, required: usize, bug: Option<Bug>) -> Life {
        let life = Life {
            chance,
            disks: (1..=places as u32).map(Disk::new).collect(),
            machines: [Machine::new(), Machine::new()],
            config: config(places, required),
            micros: Arc::new(AtomicI64::new(1_780_000_000_000_000)),
            bug,
            calm: false,
            rows: 0,
            litter: false,
            without_old: false,
            decays: false,
            model: Model::new(required),
            told: vec![format!("{places} places, {required} required")],
        };
        let objects = life.disks[0].objects();
        place::found(&Store::over(objects), signer(), &life.clock()).await.unwrap();
        life
    }

    pub fn clock(&self) -> Clock {
        Clock::Moved(self.micros.clone())
    }

    pub fn tell(&mut self, what: String) {
        self.told.push(what);
    }

    pub fn disk(&self, number: u32) -> &Arc<Disk> {
        &self.disks[number as usize - 1]
    }

    /// Every place as a process sees it.
    async fn places(&self, process: &Process, bug: Option<Bug>) -> Places {
        let mut all = Vec::new();
        for disk in &self.disks {
            let mount = Mount::of(disk, bug);
            mount.list_commits().await;
            let objects = Faulty::of(Arc::new(mount), process);
            all.push((disk.number, Place::over(Arc::new(objects), &format!("place {}", disk.number))));
        }
        Places::of(all, &self.config.storage)
    }

    /// What is to go wrong in the next process: nothing, its death at some step, or bad weather.
    fn doom(&mut self) -> Process {
        if self.calm {
            return Process::default();
        }
        match self.chance.below(10) {
            0..5 => Process::new(None, None),
            5..8 => {
                let effect = [Effect::NotKept, Effect::Kept, Effect::Half][self.chance.below(3) as usize];
                let plan = Plan { at: self.chance.below(70) as usize, effect, dies: true };
                self.tell(format!("a process that dies at step {} ({effect:?})", plan.at));
                Process::new(Some(plan), None)
            }
            _ => {
                let kinds = Fault::ALL.to_vec();
                let weather = Weather { seed: self.chance.next(), one_in: 15 + self.chance.below(60), kinds };
                self.tell(format!("bad weather, one in {}", weather.one_in));
                Process::new(None, Some(weather))
            }
        }
    }

    pub async fn start(&self, machine: &Machine, process: &Process, bug: Option<Bug>) -> Result<Archive, ArchiveError> {
        let store = self.places(process, bug).await.open(&Folders::of(machine.folder.path())).await?;
        let parts = Parts {
            store,
            signer: signer(),
            catalog: Catalog::open(Some(&machine.file("catalog.db"))).await?,
            index: Index::open(None, &self.config.index)?,
            desk: Desk::open(Some(&machine.file("desk.db"))).await?,
            clock: self.clock(),
            config: self.config.clone(),
            lock: None,
        };
        Archive::start(parts, &|_| {}).await
    }

    pub async fn open(&mut self, n: usize) -> bool {
        if self.machines[n].open.as_ref().is_some_and(|(archive, process)| archive.has_stopped() || process.is_dead()) {
            self.kill(n).await;
        }
        if self.machines[n].open.is_some() {
            return true;
        }
        let process = self.doom();
        match self.start(&self.machines[n], &process, self.bug).await {
            Ok(archive) => {
                self.tell(format!(
                    "machine {n} opens: {} entries at place {}",
                    archive.ledger.size(),
                    archive.store.number()
                ));
                self.machines[n].open = Some((archive, process));
                true
            }
            Err(error) => {
                process.kill();
                self.weathered(&process);
                self.tell(format!("machine {n} cannot open: {error}"));
                false
            }
        }
    }

    /// Ends a process as kill -9 does: nothing of it reaches the disks any more.
    pub async fn kill(&mut self, n: usize) {
        let Some((archive, process)) = self.machines[n].open.take() else { return };
        process.kill();
        self.weathered(&process);
        self.tell(format!("machine {n} is killed after {} steps, {:?}", process.steps().len(), process.struck()));
        let (catalog, desk) = (archive.catalog.clone(), archive.desk.clone());
        drop(archive);
        catalog.close().await;
        desk.close().await;
    }

    async fn step(&mut self) {
        let n = self.chance.below(2) as usize;
        match self.chance.below(108) {
            0..38 => self.take_in(&[n]).await,
            38..48 => self.take_in(&[0, 1]).await,
            48..58 => self.kill(n).await,
            58..64 => {
                if let Some((archive, process)) = self.machines[n].open.take() {
                    let done = archive.close().await;
                    process.kill();
                    self.weathered(&process);
                    self.tell(format!("machine {n} closes: {done:?}"));
                }
            }
            64..76 => {
                let number = 1 + self.chance.below(self.disks.len() as u64) as u32;
                let up = !self.disk(number).is_up();
                self.disk(number).set_up(up);
                self.tell(format!("place {number} is {}", if up { "there again" } else { "gone" }));
            }
            76..80 => self.disks.iter().for_each(|disk| disk.photograph()),
            80..84 => self.hurt().await,
            84..90 => self.heal(n).await,
            90..96 => self.promote(n).await,
            96..98 => {
                self.kill(n).await;
                for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
                    std::fs::remove_file(self.machines[n].file(name)).ok();
                }
                self.tell(format!("machine {n} loses its catalog"));
            }
            100..104 => self.decay().await,
            104..107 => self.read_again(n).await,
            107 => self.audit(n).await,
            _ => {
                let hours = self.chance.below(100) as i64 - 20;
                self.micros.fetch_add(hours * 3_600_000_000, Ordering::SeqCst);
                self.tell(format!("the clock jumps by {hours} hours"));
            }
        }
    }

    /// Rows go in at one machine, or at both at once.
    pub async fn take_in(&mut self, machines: &[usize]) {
        let mut given = Vec::new();
        for n in machines {
            let mut rows = std::mem::take(&mut self.machines[*n].pending);
            for _ in 0..1 + self.chance.below(3) {
                self.rows += 1;
                rows.push(row(self.rows));
            }
            self.machines[*n].pending = rows.clone();
            if self.open(*n).await {
                given.push((*n, rows));
            }
        }
        let works = given.into_iter().filter_map(|(n, rows)| {
            let (archive, _) = self.machines[n].open.as_ref()?;
            Some(async move {
                let mut heard = Vec::new();
                let mut hear = |outcome: ingest::Outcome| {
                    if let Fate::Kept { record, receipt, .. } = outcome.fate {
                        let external_id = outcome.external_id.unwrap_or_default();
                        heard.push(Acknowledged { external_id, record, receipt });
                    }
                };
                let done = ingest::receive(archive, "life", stream::iter(rows), &mut hear).await;
                (n, heard, done)
            })
        });
        for (n, heard, done) in futures::future::join_all(works).await {
            let ids: Vec<&str> = heard.iter().map(|one| one.external_id.as_str()).collect();
            let told = format!(
                "machine {n} acknowledges {ids:?} {}",
                done.err().map_or(String::new(), |error| error.to_string())
            );
            let given = |row: &Package| ids.contains(&row.metadata.external_id.as_deref().unwrap_or_default());
            self.machines[n].pending.retain(|row| !given(row));
            self.model.acknowledged.extend(heard);
            self.tell(told);
        }
    }

    /// The disk of a place is lost, or goes back, where that may be.
    async fn hurt(&mut self) {
        let number = 1 + self.chance.below(self.disks.len() as u64) as u32;
        if !self.model.may_lose(number) {
            return;
        }
        let empty = self.chance.below(2) == 0;
        if empty {
            self.replace(number).await;
        } else if !self.disk(number).goes_back() {
            return;
        } else if !self.disk(number).has_identity().await {
            // To what it was before it joined: to the archive an empty disk, which somebody has to speak for.
            self.replace(number).await;
        }
        self.model.hurt.insert(number);
        if !empty {
            // What had decayed then has again.
            self.model.decayed.insert(number);
        }
        self.tell(format!("place {number} {}", if empty { "is replaced by an empty disk" } else { "goes back" }));
    }

    /// Somebody puts an empty disk in, and says so at both machines.
    pub async fn replace(&self, number: u32) {
        self.disk(number).is_emptied();
        for n in 0..2 {
            match &self.machines[n].open {
                Some((archive, _)) => archive.desk.forget_healed(number).await.unwrap(),
                None => {
                    let desk = Desk::open(Some(&self.machines[n].file("desk.db"))).await.unwrap();
                    desk.forget_healed(number).await.unwrap();
                    desk.close().await;
                }
            }
        }
    }

    /// A round of healing; whatever was hurt and is whole now may be lost again.
    async fn heal(&mut self, n: usize) {
        if !self.open(n).await {
            return;
        }
        let Some((archive, _)) = &self.machines[n].open else { return };
        archive.healing.round(&|_, _| {}).await;
        let Ok(debts) = archive.healing.debts().await else { return };
        let owing = debts.iter().filter(|debt| debt.standing != Standing::Taking || debt.entries > 0);
        let owing: BTreeSet<u32> = owing.map(|debt| debt.number).collect();
        let primary = archive.store.number();
        // A primary that went back is not seen whole by anybody's healing.
        let but_for: BTreeSet<u32> = owing.iter().copied().chain([primary]).collect();
        self.model.seen_whole(&but_for);
        self.tell(format!("machine {n} heals, {owing:?} owe"));
    }

    async fn promote(&mut self, n: usize) {
        self.kill(n).await;
        let to = 1 + self.chance.below(self.disks.len() as u64) as u32;
        let process = self.doom();
        let old_is_gone = self.disks.iter().any(|disk| !disk.is_up());
        let told = self.promote_to(n, to, old_is_gone, false, &process).await;
        self.without_old |= told.is_ok() && old_is_gone;
        process.kill();
        self.weathered(&process);
        self.tell(format!("place {to} is promoted: {told:?}"));
    }

    /// Where a delete or a listing lied, something may lie there that nobody looks for any more.
    fn weathered(&mut self, process: &Process) {
        self.litter |= [Fault::LyingDelete, Fault::StaleList].iter().any(|fault| process.struck().contains_key(fault));
    }

    pub async fn promote_to(
        &self,
        n: usize,
        to: u32,
        old_is_gone: bool,
        loss_is_taken: bool,
        process: &Process,
    ) -> Result<u64, ArchiveError> {
        let places = self.places(process, self.bug).await;
        let desk = Desk::open(Some(&self.machines[n].file("desk.db"))).await?;
        let (asked, clock) = (places.ask().await, self.clock());
        let (data, config, known) = (self.machines[n].folder.path(), &self.config, Vec::new());
        let promotion = Promotion { data, config, clock: &clock, to, old_is_gone, loss_is_taken, known };
        let promoted = promotion.among(&places, &asked, Arc::new(signer()), &desk, &|_, _| {}).await;
        desk.close().await;
        promoted.map(|promoted| promoted.seq)
    }
}

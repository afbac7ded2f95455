//! What an archive does with itself fails at every durable step, kept and not kept, once and with the death of the process:
//! a fixity round that repairs, an audit from its pledge to its report, the papers of a closed case, another signing key.
//! Whatever is left, the archive opens, what was begun is done, once, and everything can be verified.
//!
//! A usual run takes some of the steps, which `VANKHO_SEED` chooses; `VANKHO_FULL=1` takes all, with every loss.

use crate::{
    disposing::{ARCHIVIST, decided, deposit, entries, forget, order_all, paper, said, settled, text, who, years_pass},
    disposition::{Left, block, copied, drawn, open, run_all, seed, store_of},
    faulty::Process,
    world::{ORIGIN, World, folder, row, signer},
};
use object_store::{ObjectStoreExt, memory::InMemory};
use std::{collections::BTreeSet, fs, sync::Arc, time::Instant};
use vankho::{
    archive::{
        Archive, Parts,
        place::{self, Folders},
        rotate,
    },
    catalog::Catalog,
    desk::Desk,
    disposition,
    evidence::audits,
    fixity::{self, Step},
    index::Index,
    ledger::keys::KeyFile,
    record::{
        audit::Signed,
        disposition::act::Act as OfCase,
        entry::{Entry, Event},
        id::{CaseId, RecordId},
        sampling::{Terms, read_nonce},
    },
    store::{Place, Replicas, Store, layout, replicas::Pace},
    verify::{
        Outcome,
        archive::verify_archive,
        audit::{Given, recheck},
    },
    worker::dossiers::{self, Kept},
};

type Failure = Box<dyn std::error::Error>;

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    /// A round at each of two places, of which the second has two objects that are not as they were kept.
    Fixity,
    /// The same found by an audit.
    Audit,
    /// The eight papers of a closed case become records.
    Papers,
    /// Another key signs, at two places.
    Rotation,
}

/// Papers of a case.
const PAPERS: usize = 8;
/// Records that are taken in before a round, an audit or a change of the key.
const ROWS: usize = 3;

/// An archive before the act, as every life begins.
struct Prepared {
    act: Act,
    world: World,
    /// The second place, where there are two.
    second: Option<Arc<InMemory>>,
    /// The case that is closed, and the records that went with it.
    closed: Option<(CaseId, Vec<RecordId>)>,
}

impl Prepared {
    async fn of(act: Act) -> Prepared {
        let mut world = World::founded().await;
        world.config.ingest.concurrency = 1;
        world.config.storage.heal_interval_ms = 3_600_000;
        let second = (act != Act::Papers).then(|| Arc::new(InMemory::new()));
        world.config.storage.required = if second.is_some() { 2 } else { 1 };
        let archive = open(&world, second.as_ref(), &Process::default()).await.unwrap();
        archive.healing.round(&|_, _| {}).await;
        let closed = match act {
            Act::Papers => Some(closed(&world, &archive).await),
            Act::Fixity | Act::Audit | Act::Rotation => {
                let of = |n: usize| row(&n.to_string(), &format!("văn bản {n}"), &format!(r#""text":"toàn văn {n}""#));
                let manifest = world.file("m.jsonl", (0..ROWS).map(of).collect::<String>());
                world.ingest_all(&archive, &manifest).await;
                None
            }
        };
        archive.publish().await.unwrap();
        archive.store.replicas().settle().await;
        archive.healing.round(&|_, _| {}).await;
        archive.close().await.unwrap();
        match &second {
            Some(second) if act != Act::Rotation => damage(second).await,
            _ => {}
        }
        if act == Act::Rotation {
            // The next key is on disk, as the first step of a change leaves it.
            let folders = Folders::of(world.data.path());
            fs::create_dir_all(&folders.secret).unwrap();
            fs::write(folders.key(), signer().to_secret_text().as_bytes()).unwrap();
            place::next_signer(&folders, ORIGIN).unwrap();
        }
        Prepared { act, world, second, closed }
    }

    /// The same again, for one life.
    fn again(&self) -> Prepared {
        let world = copied(&self.world);
        let (from, to) = (Folders::of(self.world.data.path()).secret, Folders::of(world.data.path()).secret);
        for entry in fs::read_dir(from).into_iter().flatten().flatten() {
            fs::create_dir_all(&to).unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
        let second = self.second.as_ref().map(|objects| Arc::new(objects.fork()));
        Prepared { act: self.act, world, second, closed: self.closed.clone() }
    }

    /// The archive as a process opens it: a change of its key that was begun goes on.
    async fn opened(&self, process: &Process) -> Result<Archive, Failure> {
        let world = &self.world;
        if self.act != Act::Rotation {
            return Ok(open(world, self.second.as_ref(), process).await?);
        }
        let (data, folders) = (world.data.path(), Folders::of(world.data.path()));
        let store = store_of(world, self.second.as_ref(), process).await?;
        let desk = Desk::open(Some(&data.join("desk.db"))).await?;
        if let Err(error) = rotate::go_on(&folders, &store, &desk, &world.clock()).await {
            desk.close().await;
            return Err(error.into());
        }
        let parts = Parts {
            store,
            signer: folders.signer()?,
            catalog: Catalog::open(Some(&data.join("catalog.db"))).await?,
            index: Index::open(None, &world.config.index)?,
            desk,
            clock: world.clock(),
            config: world.config.clone(),
            lock: None,
        };
        Ok(Archive::start(parts, &|_| {}).await?)
    }

    /// A process on it: what the plan has for it befalls it.
    async fn live(&self, process: &Process) -> Result<(), Failure> {
        let archive = self.opened(process).await?;
        let done = self.acts(&archive).await;
        let closed = archive.close().await;
        done?;
        Ok(closed?)
    }

    /// The act, unless it was done before.
    async fn acts(&self, archive: &Archive) -> Result<(), Failure> {
        match self.act {
            Act::Fixity => rounds(archive).await?,
            Act::Audit => {
                let pledged = match archive.catalog.audits(u64::MAX, 1).await?.pop() {
                    Some(audit) => audit.pledged,
                    None => {
                        let (terms, nonce) = (Terms::new(10_000, 950_000)?, read_nonce("số của hôm nay"));
                        audits::pledge(archive, archive.operator, Some(nonce), terms).await?
                    }
                };
                audits::carry_out(archive, &pledged, &|_, _| {}).await?;
            }
            Act::Papers => dossiers::keep(archive, &mut Kept::default()).await?,
            // It was done before anybody could act.
            Act::Rotation => {}
        }
        Ok(archive.publish().await?)
    }

    /// What the next process finds, does, and leaves: every fault of it.
    async fn recovers(self, left: Left) -> Vec<String> {
        if left != Left::Everything {
            self.world.lose_catalog();
        }
        if left == Left::NoDesk {
            self.world.lose_desk();
        }
        // Twice: what the first leaves for the next round, the next round does.
        for round in 0..2 {
            if let Err(error) = self.live(&Process::default()).await {
                return vec![format!("it cannot go on, {round}: {error}")];
            }
        }
        let mut faults = self.ended().await;
        if let Some((_, going)) = &self.closed {
            if left == Left::NoDesk {
                self.world.age().await;
            }
            forget(&self.world, going);
            faults.extend(self.world.faults().await);
        }
        faults
    }

    /// What was to happen did, once, and every place holds.
    async fn ended(&self) -> Vec<String> {
        let archive = match self.opened(&Process::default()).await {
            Ok(archive) => archive,
            Err(error) => return vec![format!("it cannot be opened: {error}")],
        };
        let told = entries(&archive).await;
        let mut faults = match self.act {
            Act::Fixity => self.checked(&archive, &told).await,
            Act::Audit => self.audited(&archive, &told).await,
            Act::Papers => self.papers(&archive).await,
            Act::Rotation => self.rotated(&archive, &told).await,
        };
        archive.publish().await.unwrap();
        archive.store.replicas().settle().await;
        archive.healing.round(&|_, _| {}).await;
        archive.close().await.unwrap();
        if self.closed.is_some() {
            // The whole world is asked afterwards.
            return faults;
        }
        let first = self.world.objects.as_ref().unwrap();
        for (number, objects) in (1..).zip(std::iter::once(first).chain(&self.second)) {
            let store = Store::of(Place::over(objects.clone(), "place"), number, Replicas::default());
            let report = verify_archive(&store, &[], &|_, _| {}).await;
            if report.outcome() != Outcome::Holds {
                faults.push(format!("place {number}: {:?}", report.faults));
            }
        }
        faults
    }

    /// Both rounds ended, nothing is called lost, and every record is still known.
    async fn checked(&self, archive: &Archive, told: &[Entry]) -> Vec<String> {
        let mut faults = Vec::new();
        for number in [1, 2] {
            let of_place = |event: &Event| matches!(event, Event::FixityChecked { place, .. } if *place == number);
            if count(told, of_place) == 0 {
                faults.push(format!("no round ended at place {number}"));
            }
        }
        faults.extend(self.known(archive, told, ROWS).await);
        faults
    }

    /// One pledge, one report that holds and conceals nothing, one end.
    async fn audited(&self, archive: &Archive, told: &[Entry]) -> Vec<String> {
        let mut faults = self.known(archive, told, ROWS + 1).await;
        let pledges = count(told, |event| matches!(event, Event::AuditPledged { .. }));
        let ends = count(told, |event| matches!(event, Event::Audited { .. }));
        if (pledges, ends) != (1, 1) {
            faults.push(format!("{pledges} audits were pledged and {ends} ended"));
        }
        let pledged = archive.catalog.audits(u64::MAX, 1).await.unwrap().pop();
        let report = match pledged {
            Some(audit) => audits::report(archive, audit.pledged.seq).await.unwrap(),
            None => None,
        };
        let Some((_, report)) = report else {
            faults.push("there is no report".into());
            return faults;
        };
        let keys = archive.store.read(layout::KEYS).await.unwrap();
        let given = Given { report: &report, keys: &keys, policy: None, nonce: None };
        let verdict = recheck(&given, None, &|_, _| {}).await;
        if verdict.outcome != Outcome::Holds {
            faults.push(format!("the report: {}", verdict.english));
        }
        let damaged: BTreeSet<String> = told.iter().filter_map(|entry| damaged(&entry.event)).collect();
        let said = Signed::from_bytes(&report).unwrap().report.totals.faults;
        if said < damaged.len() as u64 {
            faults.push(format!("the report tells of {said} faults, the ledger of {damaged:?}"));
        }
        // What could not be repaired at once is, by the rounds.
        faults.extend(rounds(archive).await.err().map(|error| error.to_string()));
        faults
    }

    /// Each paper of the case is one record.
    async fn papers(&self, archive: &Archive) -> Vec<String> {
        let (case, _) = self.closed.as_ref().unwrap();
        let (short, mut faults) = (case.to_string().chars().skip(24).collect::<String>(), Vec::new());
        for number in 1..=PAPERS {
            let found = archive.catalog.by_external_id(&format!("huy-{short}-{number}")).await.unwrap();
            if found.len() != 1 {
                faults.push(format!("paper {number} is {} records", found.len()));
            }
        }
        faults
    }

    /// The key was changed once, the new one signs, and the old one opens nothing.
    async fn rotated(&self, archive: &Archive, told: &[Entry]) -> Vec<String> {
        let (mut faults, folders) = (Vec::new(), Folders::of(self.world.data.path()));
        let times = count(told, |event| matches!(event, Event::KeyRotated { .. }));
        if times != 1 || folders.next_key().exists() {
            let next = folders.next_key().exists();
            faults.push(format!("the key was changed {times} times, and another one waits: {next}"));
        }
        let keys = String::from_utf8(archive.store.read(layout::KEYS).await.unwrap().to_vec()).unwrap();
        let lines = keys.parse::<KeyFile>().unwrap().lines().len();
        if lines != 2 {
            faults.push(format!("the file of keys has {lines}"));
        }
        let name = format!("sau {}", archive.ledger.size());
        let taken = deposit(&self.world, archive, &name, vec![(said(&name), text("Văn bản sau khi đổi khóa"))]).await;
        faults.extend(taken.err().map(|error| format!("the new key does not sign: {error}")));
        let (store, fresh) =
            (store_of(&self.world, self.second.as_ref(), &Process::default()).await.unwrap(), folder());
        if self.world.open_store(store, fresh.path()).await.is_ok() {
            faults.push("the old key still opens it".into());
        }
        faults
    }

    /// So many records are known, and none is called lost.
    async fn known(&self, archive: &Archive, told: &[Entry], expected: usize) -> Vec<String> {
        let known = archive.catalog.records(0, u32::MAX).await.unwrap().len();
        let lost = count(told, |event| matches!(event, Event::Lost { .. }));
        if (known, lost) == (expected, 0) { vec![] } else { vec![format!("{known} records are known, {lost} lost")] }
    }
}

/// A case of which everything is destroyed and told.
async fn closed(world: &World, archive: &Archive) -> (CaseId, Vec<RecordId>) {
    let settled = settled(world, archive).await;
    years_pass(world, 11);
    let case = decided(archive, &settled.units()).await;
    order_all(archive, case, &settled.units()).await;
    let close = OfCase::Close { minutes: paper(archive, "03/BB-HTL") };
    disposition::cases::act(archive, &who(archive, ARCHIVIST), case, close).await.unwrap();
    (case, settled.going().to_vec())
}

/// One component is another one, and one description is gone.
async fn damage(objects: &Arc<InMemory>) {
    let kept = Store::over(objects.clone()).everything(layout::RECORDS).await.unwrap();
    let paths = || kept.iter().map(|one| one.path.as_str());
    let component = paths().find(|path| !path.ends_with(".json")).unwrap();
    let description = paths().rfind(|path| path.ends_with(".json")).unwrap();
    objects.put(&component.into(), "khác".into()).await.unwrap();
    objects.delete(&description.into()).await.unwrap();
}

/// A round at each place, to its end.
async fn rounds(archive: &Archive) -> Result<(), Failure> {
    for number in [1, 2] {
        let mut pace = Pace::of(u64::MAX);
        loop {
            match fixity::step(archive, number, &mut pace).await? {
                Step::GoesOn { .. } => {}
                Step::Ended { .. } => break,
                Step::Away => return Err(format!("place {number} does not answer").into()),
            }
        }
    }
    Ok(())
}

fn count(told: &[Entry], is: impl Fn(&Event) -> bool) -> usize {
    told.iter().filter(|entry| is(&entry.event)).count()
}

/// The object that was found damaged, and where.
fn damaged(event: &Event) -> Option<String> {
    match event {
        Event::Damaged { unit, named_by, component, place, .. } => {
            Some(format!("{unit} {named_by} {component} at {place}"))
        }
        _ => None,
    }
}

/// The steps of a life without faults, which holds.
fn reference(prepared: &Prepared) -> Vec<String> {
    block(async {
        let (life, process) = (prepared.again(), Process::default());
        life.live(&process).await.unwrap();
        let steps = process.steps();
        process.kill();
        if matches!(life.act, Act::Fixity | Act::Audit) {
            let archive = life.opened(&Process::default()).await.unwrap();
            let told = entries(&archive).await;
            let repaired = count(&told, |event| matches!(event, Event::Repaired { .. }));
            assert_eq!((count(&told, |event| damaged(event).is_some()), repaired), (2, 2), "both are found");
            archive.close().await.unwrap();
        }
        let faults = life.recovers(Left::Everything).await;
        assert!(faults.is_empty(), "without any fault: {faults:?}");
        steps
    })
}

fn every_step_may_fail(act: Act, parts: &[&str], one_in: usize) {
    let began = Instant::now();
    let prepared = block(Prepared::of(act));
    let steps = reference(&prepared);
    for part in parts {
        assert!(steps.iter().any(|step| step.contains(part)), "no step of {part} is among {steps:?}");
    }
    let mut cases = drawn(&steps, one_in);
    // Of what the desk knows of a place that it lost, healing speaks elsewhere.
    cases.retain(|(_, left)| prepared.second.is_none() || *left != Left::NoDesk);
    run_all(&cases, &steps, &|(plan, left)| {
        let life = prepared.again();
        block(async {
            let process = Process::new(Some(*plan), None);
            // What it says is of no interest: what it leaves is.
            life.live(&process).await.ok();
            process.kill();
            life.recovers(*left).await
        })
    });
    eprintln!("{act:?}: {} durable steps, {} cases, seed {}, {:?}", steps.len(), cases.len(), seed(), began.elapsed());
}

#[test]
fn every_step_of_a_fixity_round_that_repairs_may_fail() {
    every_step_may_fail(Act::Fixity, &["commits", "records"], 5);
}

#[test]
fn every_step_of_an_audit_may_fail() {
    every_step_may_fail(Act::Audit, &["commits", "records", "checkpoints"], 7);
}

#[test]
fn every_step_of_keeping_the_papers_of_a_case_may_fail() {
    every_step_may_fail(Act::Papers, &["commits", "records", "intents"], 10);
}

#[test]
fn every_step_of_a_change_of_the_key_may_fail() {
    every_step_may_fail(Act::Rotation, &["commits", layout::KEYS], 3);
}

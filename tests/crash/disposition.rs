//! Holds and destruction fail at every durable step, kept and not kept, once and with the death of the process: whatever
//! is left, the next process goes on, every order is carried out once, and everything can be verified.
//!
//! A usual run takes a third of the steps, which `VANKHO_SEED` chooses; `VANKHO_FULL=1` takes all, with every loss.

use crate::{
    disposing::{ARCHIVIST, SECOND, Settled, decided, ends, entries, forget, order, settled, who, years_pass},
    faulty::{Effect, Faulty, Plan, Process},
    world::World,
};
use object_store::{ObjectStore, memory::InMemory};
use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use vankho::{
    archive::{Archive, ArchiveError, place::Folders, places::Places},
    disposition::{DispositionError, cases, execution, holds},
    record::{
        disposition::refusal::Refusal,
        entry::{Entry, Event},
        hold::{Reason, Scope},
        id::{CaseId, HoldId, RecordId},
        unit::Unit,
    },
    store::{Place, Replicas, Store, layout},
    verify::{Outcome, archive::verify_archive},
};

/// What a crash leaves beside the bytes of the places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    Everything,
    NoCatalog,
    NoDesk,
}

/// An archive with a decided case, as every life begins.
struct Prepared {
    world: World,
    /// The second place, where there are two.
    second: Option<Arc<InMemory>>,
    settled: Settled,
    case: CaseId,
}

pub fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

impl Prepared {
    async fn of(places: usize) -> Prepared {
        let mut world = World::founded().await;
        world.config.ingest.concurrency = 1;
        world.config.storage.heal_interval_ms = 3_600_000;
        world.config.storage.required = places;
        let second = (places == 2).then(|| Arc::new(InMemory::new()));
        let archive = open(&world, second.as_ref(), &Process::default()).await.unwrap();
        archive.healing.round(&|_, _| {}).await;
        let settled = settled(&world, &archive).await;
        world.characterize(&archive).await.unwrap();
        years_pass(&world, 11);
        let case = decided(&archive, &settled.units()).await;
        archive.publish().await.unwrap();
        archive.store.replicas().settle().await;
        archive.close().await.unwrap();
        Prepared { world, second, settled, case }
    }

    /// The same again, for one life.
    fn again(&self) -> Prepared {
        let world = copied(&self.world);
        let second = self.second.as_ref().map(|objects| Arc::new(objects.fork()));
        Prepared { world, second, settled: self.settled.clone(), case: self.case }
    }

    /// A process on it: what the plan has for it befalls it.
    async fn live(&self, process: &Process) -> Result<(), DispositionError> {
        let archive = open(&self.world, self.second.as_ref(), process).await?;
        let done = self.acts(&archive).await;
        let closed = archive.close().await;
        done?;
        Ok(closed?)
    }

    /// Placing a hold, releasing it, ordering, destroying and certifying: each unless it was done before.
    async fn acts(&self, archive: &Archive) -> Result<(), DispositionError> {
        let found = [self.settled.loose, self.settled.inside[0]];
        let hold = match archive.catalog.holds().await?.first() {
            Some(known) => known.hold,
            None => self.place(archive, &found).await?,
        };
        // What a stop left unplaced.
        holds::catch(archive, hold, &found).await?;
        let known = archive.catalog.hold(hold).await?.unwrap();
        if known.released.is_none() {
            for unit in self.settled.units() {
                match order(archive, self.case, unit).await {
                    Ok(done) => panic!("{unit:?} was ordered while it was on hold: {done:?}"),
                    Err(DispositionError::Refused(Refusal::OnHold)) => {}
                    Err(error) => return Err(error),
                }
            }
            holds::release_hold(archive, &who(archive, SECOND), hold, "Vụ án đã kết thúc").await?;
        }
        // What a stop left half ordered or half destroyed.
        execution::resume(archive).await?;
        let (described, _) = cases::case(archive, self.case).await?.unwrap();
        for unit in self.settled.units() {
            if described.find(unit).unwrap().ordered.is_none() {
                order(archive, self.case, unit).await?;
            }
        }
        execution::resume(archive).await?;
        archive.publish().await?;
        Ok(())
    }

    async fn place(&self, archive: &Archive, found: &[RecordId]) -> Result<HoldId, DispositionError> {
        let asked = holds::HoldAsked {
            authority: "Tòa án nhân dân khu vực 1".into(),
            reason: Reason::Litigation,
            reason_text: "Đang giải quyết vụ án".into(),
            scope: Scope::Search { query: "kế hoạch".into(), later_arrivals: true },
            asked_by: None,
        };
        let placed = holds::place_hold(archive, &who(archive, ARCHIVIST), asked, found).await?;
        let Unit::Hold(hold) = placed.unit else { panic!("{placed:?}") };
        Ok(hold)
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
                return vec![format!("it cannot go on, {round}: {error:?}")];
            }
        }
        if left == Left::NoDesk {
            self.world.age().await;
        }
        let mut faults = self.ended().await;
        forget(&self.world, &self.settled.going());
        match &self.second {
            None => faults.extend(self.world.faults().await),
            Some(second) => {
                for (number, objects) in [(1, self.world.objects.as_ref().unwrap()), (2, second)] {
                    let place = Place::over(objects.clone(), "place");
                    let store = Store::of(place, number, Replicas::default());
                    let report = verify_archive(&store, &[], &|_, _| {}).await;
                    if report.outcome() != Outcome::Holds {
                        faults.push(format!("place {number}: {:?}", report.faults));
                    }
                }
            }
        }
        faults
    }

    /// Everything that was to happen did, once.
    async fn ended(&self) -> Vec<String> {
        let archive = match open(&self.world, self.second.as_ref(), &Process::default()).await {
            Ok(archive) => archive,
            Err(error) => return vec![format!("it cannot be opened: {error}")],
        };
        archive.store.replicas().settle().await;
        archive.healing.round(&|_, _| {}).await;
        let places: Vec<u32> = if self.second.is_some() { vec![1, 2] } else { vec![1] };
        let (mut faults, told) = (Vec::new(), entries(&archive).await);
        for record in self.settled.going() {
            let times = ends(&told, record);
            if times != (1, 1) {
                faults.push(format!("{record} was ordered and ended {times:?} times"));
            }
            match execution::certificate(&archive, record).await {
                Ok(Some(certificate)) => {
                    faults.extend(certificate.check(&places).err().map(|why| format!("{record}: {why:?}")));
                }
                other => faults.push(format!("{record} has no certificate: {other:?}")),
            }
            let objects = [self.world.objects.as_ref(), self.second.as_ref()];
            for objects in objects.into_iter().flatten() {
                let store = Store::over(objects.clone());
                let left = store.everything(&layout::unit(record)).await.unwrap();
                faults.extend(left.iter().map(|one| format!("{} is left", one.path)));
                let stubs = store.everything(&layout::stubs(record)).await.unwrap();
                if stubs.len() != 2 {
                    faults.push(format!("{record}: a stub and a certificate, and not {} of them", stubs.len()));
                }
            }
        }
        faults.extend(self.holds(&told));
        let (case, _) = cases::case(&archive, self.case).await.unwrap().unwrap();
        let untold = case.listed.iter().filter(|listed| listed.certificates.is_empty());
        faults.extend(untold.map(|listed| format!("the case is not told of {:?}", listed.unit)));
        if !archive.catalog.orders_open().await.unwrap().is_empty() {
            faults.push("an order is still open".into());
        }
        archive.close().await.unwrap();
        faults
    }

    /// One hold, on each of what it found once, released once, and before every order.
    fn holds(&self, told: &[Entry]) -> Vec<String> {
        let at = |is: &dyn Fn(&Event) -> bool| -> Vec<usize> {
            (0..told.len()).filter(|seq| is(&told[*seq].event)).collect()
        };
        let released = at(&|event| matches!(event, Event::HoldReleased { .. }));
        let ordered = at(&|event| event.ends().is_some());
        let mut faults = Vec::new();
        for record in [self.settled.loose, self.settled.inside[0]] {
            let placed = at(&|event| matches!(event, Event::HoldPlaced { unit, .. } if *unit == Unit::Record(record)));
            if placed.len() != 1 || released.len() != 1 || placed[0] > released[0] {
                faults.push(format!("a hold on {record} was placed at {placed:?} and released at {released:?}"));
            }
        }
        if ordered.iter().any(|seq| released.first().is_none_or(|released| released > seq)) {
            faults.push(format!("ordered at {ordered:?}, and released at {released:?}"));
        }
        faults
    }
}

/// A world in memory as another one is now.
pub fn copied(from: &World) -> World {
    let mut world = World::memory();
    world.config = from.config.clone();
    world.objects = from.objects.as_ref().map(|objects| Arc::new(objects.fork()));
    world.micros.store(from.micros.load(Ordering::SeqCst), Ordering::SeqCst);
    for entry in fs::read_dir(from.data.path()).unwrap().flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), world.data.path().join(entry.file_name())).unwrap();
        }
    }
    *world.acknowledged.lock().unwrap() = from.acknowledged.lock().unwrap().clone();
    world
}

/// A process over one place or two; it dies at every place at once.
pub async fn open(world: &World, second: Option<&Arc<InMemory>>, process: &Process) -> Result<Archive, ArchiveError> {
    world.open_store(store_of(world, second, process).await?, world.data.path()).await
}

/// What such a process reads and writes.
pub async fn store_of(world: &World, second: Option<&Arc<InMemory>>, process: &Process) -> Result<Store, ArchiveError> {
    let faulty = |objects: &Arc<InMemory>| -> Arc<dyn ObjectStore> { Arc::new(Faulty::of(objects.clone(), process)) };
    let first = world.objects.as_ref().unwrap();
    let Some(second) = second else { return Ok(Store::over(faulty(first))) };
    let all = vec![(1, Place::over(faulty(first), "place 1")), (2, Place::over(faulty(second), "place 2"))];
    Places::of(all, &world.config.storage).open(&Folders::of(world.data.path())).await
}

/// The steps of a life without faults, which holds.
fn reference(prepared: &Prepared) -> Vec<String> {
    block(async {
        let (life, process) = (prepared.again(), Process::default());
        life.live(&process).await.unwrap();
        let steps = process.steps();
        process.kill();
        let faults = life.recovers(Left::Everything).await;
        assert!(faults.is_empty(), "without any fault: {faults:?}");
        steps
    })
}

pub type Case = (Plan, Left);

/// Every case, by as many threads as there are processors; what a life ends with is told by `one`.
pub fn run_all(cases: &[Case], steps: &[String], one: &(dyn Fn(&Case) -> Vec<String> + Sync)) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(case)));
                    let faults = told.unwrap_or_else(|_| vec!["it panicked".into()]);
                    if !faults.is_empty() {
                        let named = format!("{case:?} {:?}:\n    {}", steps.get(case.0.at), faults.join("\n    "));
                        failures.lock().unwrap().push(named);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let shown = failures.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {} cases fail:\n{shown}", failures.len(), cases.len());
}

/// A life that a plan befalls, and what the next process makes of it.
fn lives_on(prepared: &Prepared, (plan, left): &Case) -> Vec<String> {
    let life = prepared.again();
    block(async {
        let process = Process::new(Some(*plan), None);
        // What it says is of no interest: what it leaves is.
        life.live(&process).await.ok();
        process.kill();
        life.recovers(*left).await
    })
}

pub fn full() -> bool {
    std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1")
}

pub fn seed() -> usize {
    std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Every effect of every step that is taken. Of what else may be lost a usual run takes one for each, in turn.
pub fn drawn(steps: &[String], one_in: usize) -> Vec<Case> {
    let (all, mut cases) = (full(), Vec::new());
    let losses = [Left::Everything, Left::NoCatalog, Left::NoDesk];
    for at in (0..steps.len()).filter(|at| all || (at + seed()).is_multiple_of(one_in)) {
        let mut effects = vec![Effect::NotKept, Effect::Kept];
        if steps[at].starts_with("rename") {
            effects.push(Effect::Half);
        }
        for (n, effect) in effects.into_iter().enumerate() {
            for dies in [false, true] {
                let plan = Plan { at, effect, dies };
                match all {
                    true => cases.extend(losses.map(|left| (plan, left))),
                    false => cases.push((plan, losses[(at + 2 * n + usize::from(dies)) % 3])),
                }
            }
        }
    }
    cases
}

#[test]
fn every_step_from_a_hold_to_a_certificate_may_fail() {
    let began = Instant::now();
    let prepared = block(Prepared::of(1));
    let steps = reference(&prepared);
    for part in ["stubs", "commits", "records", "holds", "cases"] {
        assert!(steps.iter().any(|step| step.contains(part)), "no step of {part} is among {steps:?}");
    }
    let cases = drawn(&steps, 3);
    run_all(&cases, &steps, &|case| lives_on(&prepared, case));
    eprintln!("{} durable steps, {} cases, seed {}, {:?}", steps.len(), cases.len(), seed(), began.elapsed());
}

/// Two places must have everything, and each is emptied.
#[test]
fn every_step_may_fail_at_two_places() {
    let began = Instant::now();
    let prepared = block(Prepared::of(2));
    let steps = reference(&prepared);
    let mut cases = drawn(&steps, 7);
    // Of what the desk knows of a place that it lost, healing speaks elsewhere.
    cases.retain(|(_, left)| *left != Left::NoDesk);
    run_all(&cases, &steps, &|case| lives_on(&prepared, case));
    eprintln!("{} durable steps, {} cases, seed {}, {:?}", steps.len(), cases.len(), seed(), began.elapsed());
}

/// A life with two crashes, and one in which every process dies a step later than the one before: it ends all the same,
/// and every order is carried out once.
#[test]
fn a_life_of_many_crashes_ends_with_one_certificate_each() {
    let prepared = block(Prepared::of(1));
    let steps = reference(&prepared);
    let stride = if full() { 1 } else { 5 };
    let life = prepared.again();
    let faults = block(async {
        for at in (seed() % stride..steps.len()).step_by(stride) {
            let process = Process::new(Some(Plan { at, effect: Effect::Kept, dies: true }), None);
            life.live(&process).await.ok();
            process.kill();
        }
        life.recovers(Left::NoCatalog).await
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The question can say no: a certified record of which something is left, an order without its end, one too many.
#[test]
fn the_check_turns_red() {
    let prepared = block(Prepared::of(1));
    let life = prepared.again();
    let record = life.settled.loose;
    let faults = block(async {
        life.live(&Process::default()).await.unwrap();
        let objects = life.world.objects.clone().unwrap();
        let path = layout::component(record, vankho::record::digest::Digest::of(b"left"));
        object_store::ObjectStoreExt::put(&*objects, &path.as_str().into(), "left".into()).await.unwrap();
        life.ended().await
    });
    assert!(faults.iter().any(|fault| fault.contains("is left")), "{faults:?}");
    let life = prepared.again();
    let faults = block(async {
        let archive = open(&life.world, None, &Process::default()).await.unwrap();
        order(&archive, life.case, life.settled.units()[1]).await.unwrap();
        archive.close().await.unwrap();
        life.ended().await
    });
    assert!(faults.iter().any(|fault| fault.contains("no certificate")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("ended (1, 0) times")), "{faults:?}");
}

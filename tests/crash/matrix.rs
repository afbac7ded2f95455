//! The fault matrix: every durable step of a life fails, kept and not kept, once and with the death of the
//! process. The list of steps comes from a run without faults, so that a new step is tested the day it is
//! written.
//!
//! `VANKHO_SEED` moves the sample of double crashes, `VANKHO_FULL=1` takes many of them.

use crate::faulty::{Effect, Faulty, Plan};
use crate::world::{Chance, World, docx, pdf, row, signer};
use object_store::{ObjectStore, ObjectStoreExt};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use vankho::{
    archive::{ArchiveError, place},
    ingest::Fate,
    ledger::keys::Signer,
    store::{Store, layout},
};

/// What a crash leaves beside the bytes of the place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Left {
    /// Catalog and desk as they were.
    Everything,
    /// The catalog is lost and comes back from the ledger.
    NoCatalog,
    /// The desk is lost too: nobody can go on with the same ingest, and nothing acknowledged is lost.
    NoDesk,
}

struct Life {
    world: World,
    manifest: PathBuf,
}

impl Life {
    fn new() -> Life {
        let mut world = World::memory();
        // One row after the other: the steps come in one order.
        world.config.ingest.concurrency = 1;
        world.config.ingest.held_bytes_max = 1000;
        world.file("a.docx", docx("Giấy phép"));
        world.file("b.pdf", pdf("hello"));
        world.file("large.bin", vec![3; 5000]);
        world.file("larger.bin", vec![4; 5 << 20]);
        let manifest = row("text", "toàn văn", r#""text":"hello""#)
            + &row("small", "tệp nhỏ", r#""components":["b.pdf"]"#)
            + &row("large", "tệp lớn và tệp nhỏ", r#""components":["large.bin","a.docx","larger.bin"]"#)
            + &row("alike", "giống tệp trước", r#""components":["b.pdf"]"#);
        let manifest = world.file("m.jsonl", manifest);
        Life { world, manifest }
    }

    /// From nothing to an archive with everything in it. Whatever goes wrong ends it where it is.
    async fn live(&self, objects: Arc<dyn ObjectStore>, strict: bool) -> Result<(), ArchiveError> {
        let world = &self.world;
        let store = Store::over(objects.clone());
        if !store.has(&layout::commit(0)).await? {
            place::found(&store, signer(), &world.clock()).await?;
        }
        let archive = world.open_over(objects, world.data.path()).await?;
        let (outcomes, done) = world.ingest(&archive, &self.manifest).await;
        done?;
        archive.ledger.publish().await?;
        world.characterize(&archive).await?;
        if strict {
            for outcome in &outcomes {
                assert!(matches!(outcome.fate, Fate::Kept { .. }), "{outcome:?}");
            }
            assert_eq!(outcomes.len(), 4);
        }
        archive.close().await
    }

    /// Lives until the plan strikes; what the process held is gone afterwards.
    async fn crash(&self, plan: Plan) -> Vec<String> {
        let objects = self.world.objects.clone().unwrap();
        let faulty = Faulty::new(objects, Some(plan));
        // What it says is of no interest: what it leaves is.
        self.live(Arc::new(faulty.clone()), false).await.ok();
        faulty.kill();
        faulty.steps()
    }

    fn lose(&self, left: Left) {
        if left != Left::Everything {
            self.world.lose_catalog();
        }
        if left == Left::NoDesk {
            self.world.lose_desk();
        }
    }

    /// The next process finds what is left, goes on, and everything holds.
    async fn recover(&self, left: Left) -> Vec<String> {
        self.lose(left);
        let objects: Arc<dyn ObjectStore> = self.world.objects.clone().unwrap();
        let founded = Store::over(objects.clone()).has(&layout::commit(0)).await.unwrap();
        if (left != Left::NoDesk || !founded)
            && let Err(error) = self.live(objects, true).await
        {
            return vec![format!("cannot go on: {error}")];
        }
        if left == Left::NoDesk {
            // A desk that never comes back could still be alive somewhere: its leftovers wait for their age.
            self.world.age().await;
        }
        self.world.faults().await
    }
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The steps of a life without faults.
fn reference() -> Vec<String> {
    let life = Life::new();
    let faulty = Faulty::new(life.world.objects.clone().unwrap(), None);
    block(async {
        life.live(Arc::new(faulty.clone()), true).await.unwrap();
        life.world.check().await;
    });
    faulty.steps()
}

type Case = (Vec<Plan>, Left);

fn run(case: &Case, steps: &[String]) -> Result<(), String> {
    let (plans, left) = case;
    let life = Life::new();
    let faults = block(async {
        for plan in plans {
            life.crash(*plan).await;
        }
        life.recover(*left).await
    });
    let named: Vec<_> = plans.iter().map(|plan| (plan, steps.get(plan.at))).collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("{named:?} {left:?}:\n    {}", faults.join("\n    "))) }
}

fn run_all(cases: &[Case], steps: &[String]) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let told = std::panic::catch_unwind(|| run(case, steps));
                    if let Err(failure) = told.unwrap_or_else(|_| Err(format!("{case:?}: panicked"))) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let shown = failures.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {} cases fail:\n{shown}", failures.len(), cases.len());
}

#[test]
fn every_step_of_a_life_may_fail() {
    let (began, steps) = (Instant::now(), reference());
    let classes: BTreeSet<&String> = steps.iter().collect();
    let mut cases: Vec<Case> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let effects = [Effect::NotKept, Effect::Kept, Effect::Half];
        for effect in effects.into_iter().filter(|effect| *effect != Effect::Half || step.starts_with("rename")) {
            for dies in [false, true] {
                for left in [Left::Everything, Left::NoCatalog, Left::NoDesk] {
                    cases.push((vec![Plan { at, effect, dies }], left));
                }
            }
        }
    }
    run_all(&cases, &steps);
    let (steps, cases, took) = (steps.len(), cases.len(), began.elapsed());
    eprintln!(
        "{steps} durable steps of {} kinds, {cases} cases, nothing lost, nothing doubled, {took:?}",
        classes.len()
    );
}

#[test]
fn a_second_crash_while_recovering_from_the_first() {
    let steps = reference();
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let count = if std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1") { 10_000 } else { 150 };
    let mut chance = Chance(seed);
    let mut plan = || {
        let effect = [Effect::NotKept, Effect::Kept, Effect::Half][chance.below(3) as usize];
        Plan { at: chance.below(steps.len() as u64) as usize, effect, dies: true }
    };
    let cases: Vec<Case> = (0..count)
        .map(|n| ((0..2 + n % 3).map(|_| plan()).collect(), [Left::Everything, Left::NoCatalog][n % 2]))
        .collect();
    run_all(&cases, &steps);
    eprintln!("{} lives with two to four crashes each, seed {seed}", cases.len());
}

/// The question itself must be able to say no: each of these lies is one that it has to see.
#[test]
fn the_check_turns_red() {
    let whole = || {
        let life = Life::new();
        let objects = life.world.objects.clone().unwrap();
        block(async {
            life.live(objects.clone(), true).await.unwrap();
            life.world.check().await;
        });
        (life, objects)
    };
    // A storage that said yes, showed the bytes, and did not have them after the power cut.
    let (life, objects) = whole();
    let record = life.world.acknowledged.lock().unwrap()[1].record;
    let faults = block(async {
        let folder = Store::over(objects.clone()).everything(&layout::unit(record)).await.unwrap();
        let component = folder.iter().find(|listed| !listed.path.ends_with(".json")).unwrap();
        objects.delete(&component.path.as_str().into()).await.unwrap();
        life.world.faults().await
    });
    assert!(faults.iter().any(|fault| fault.contains("missing")), "{faults:?}");
    // A whole archive, consistent in itself, from which an acknowledged record is gone.
    let (life, objects) = whole();
    let faults = block(async {
        let store = Store::over(objects.clone());
        for listed in store.everything("").await.unwrap() {
            objects.delete(&listed.path.as_str().into()).await.unwrap();
        }
        life.lose(Left::NoDesk);
        place::found(&store, signer(), &life.world.clock()).await.unwrap();
        life.world.faults().await
    });
    assert!(faults.iter().any(|fault| fault.contains("was acknowledged")), "{faults:?}");
    // The same rows under other promises.
    let (life, objects) = whole();
    let faults = block(async {
        life.lose(Left::NoDesk);
        life.live(objects, true).await.unwrap();
        life.world.faults().await
    });
    assert!(faults.iter().any(|fault| fault.contains("is doubled")), "{faults:?}");
    // Keys that are not the archive's.
    let (life, objects) = whole();
    let faults = block(async {
        let stranger = Signer::from_seed(crate::world::ORIGIN, &zeroize::Zeroizing::new([8; 32])).unwrap();
        let keys = vankho::ledger::keys::KeyFile::founding(stranger.verifying_key().clone()).to_string();
        objects.put(&layout::KEYS.into(), keys.into()).await.unwrap();
        life.world.faults().await
    });
    assert!(!faults.is_empty());
}

/// Storage that keeps no create-if-absent is told from storage that does.
#[tokio::test(flavor = "multi_thread")]
async fn storage_without_a_lock_is_refused() {
    let folder = crate::world::folder();
    for fit in [Store::local(folder.path()).unwrap(), World::memory().store()] {
        fit.primary().probe("staging/probe").await.unwrap();
        assert!(fit.everything("staging").await.unwrap().is_empty(), "the probe leaves nothing");
    }
    let refused = Store::over(Arc::new(Faulty::lockless())).primary().probe("staging/probe").await.unwrap_err();
    assert!(refused.to_string().contains("primary place"), "{refused}");
}

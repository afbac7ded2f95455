//! Every durable step of healing, of promotion and of a start that builds its catalog anew fails: kept and not kept,
//! once and with the death of the process. The list of steps comes from a run without faults.
//!
//! A usual run takes each step once, with an effect that `VANKHO_SEED` draws; `VANKHO_FULL=1` takes all of them.

use crate::{
    faulty::{Effect, Plan, Process},
    life::Life,
    lives::{full, number},
    world::Chance,
};
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    /// A place comes back, and is brought up to date.
    Heal,
    /// Another place becomes the primary while the old one answers.
    Promote,
    /// Another place becomes the primary because the old one is gone; it comes back later.
    Replace,
    /// The catalog is lost, and the last commit may not be where it has to be.
    Rebuild,
}

/// Three places of which two are required; the third has missed something.
async fn prepared(flow: Flow) -> Life {
    let mut life = Life::founded(Chance(7), 3, 2, None).await;
    life.calm = true;
    life.take_in(&[0, 1]).await;
    life.disk(3).set_up(false);
    life.take_in(&[0]).await;
    life.take_in(&[1]).await;
    for n in 0..2 {
        life.kill(n).await;
    }
    life.disk(3).set_up(true);
    match flow {
        Flow::Replace => life.disk(1).set_up(false),
        Flow::Rebuild => {
            for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
                std::fs::remove_file(life.machines[0].file(name)).unwrap_or_default();
            }
        }
        Flow::Heal | Flow::Promote => {}
    }
    life
}

/// What the flow says is of no interest here: what it leaves is.
async fn run(life: &Life, flow: Flow, process: &Process) -> bool {
    match flow {
        Flow::Promote | Flow::Replace => {
            let old_is_gone = flow == Flow::Replace;
            life.promote_to(0, 2, old_is_gone, false, process).await.is_ok()
        }
        Flow::Heal | Flow::Rebuild => match life.start(&life.machines[0], process, None).await {
            Ok(archive) => {
                archive.healing.round(&|_, _| {}).await;
                archive.close().await.is_ok()
            }
            Err(_) => false,
        },
    }
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn case(flow: Flow, plan: Option<Plan>) -> (Vec<String>, Vec<String>) {
    block(async {
        let mut life = prepared(flow).await;
        assert!(life.model.acknowledged.len() >= 4, "{:?}", life.told);
        let process = Process::new(plan, None);
        let done = run(&life, flow, &process).await;
        assert!(done || plan.is_some(), "{flow:?} fails by itself");
        process.kill();
        // A second time, without faults, as people do; where it was done before, it says so.
        run(&life, flow, &Process::default()).await;
        let found = life.ends().await;
        (life.model.judge(&found), process.steps())
    })
}

fn every_step_may_fail(flow: Flow) {
    let (faults, steps) = case(flow, None);
    assert!(faults.is_empty(), "{flow:?} without faults: {faults:?}");
    let mut chance = Chance(number("VANKHO_SEED").unwrap_or(1));
    let mut plans = Vec::new();
    for at in 0..steps.len() {
        let mut all = Vec::new();
        for effect in [Effect::NotKept, Effect::Kept] {
            all.extend([true, false].map(|dies| Plan { at, effect, dies }));
        }
        match full() {
            true => plans.extend(all),
            false => plans.push(all[chance.below(all.len() as u64) as usize]),
        }
    }
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let told = std::panic::catch_unwind(|| case(flow, Some(*plan)).0);
                    let faults = told.unwrap_or_else(|_| vec!["it panicked".into()]);
                    if !faults.is_empty() {
                        let step = steps.get(plan.at);
                        failures.lock().unwrap().push(format!("{plan:?} {step:?}: {}", faults.join("\n    ")));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let shown = failures.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{flow:?}: {} of {} cases fail:\n{shown}", failures.len(), plans.len());
    eprintln!("{flow:?}: {} durable steps, {} cases", steps.len(), plans.len());
}

#[test]
fn of_healing() {
    every_step_may_fail(Flow::Heal);
}

#[test]
fn of_a_promotion() {
    every_step_may_fail(Flow::Promote);
}

#[test]
fn of_a_promotion_without_the_old_primary() {
    every_step_may_fail(Flow::Replace);
}

#[test]
fn of_a_start_without_catalog() {
    every_step_may_fail(Flow::Rebuild);
}

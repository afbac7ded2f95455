//! Many lives, and lives with a bug in them.

use crate::{disk::Bug, life::live};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A life that takes longer goes round in circles.
const LONGEST: Duration = Duration::from_secs(120);
/// Lives at once: most of them wait.
const AT_ONCE: usize = 12;

pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

pub fn full() -> bool {
    number("VANKHO_FULL") == Some(1)
}

/// The seed of the first life.
fn first() -> u64 {
    number("VANKHO_SEED").unwrap_or(1).wrapping_mul(1_000_003)
}

fn one(seed: u64, two_required: bool, bug: Option<Bug>) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(LONGEST, live(seed, two_required, bug)).await });
    let (faults, told) = ended.unwrap_or_else(|_| (vec!["it does not end".into()], Vec::new()));
    runtime.shutdown_background();
    if number("VANKHO_TOLD").is_some() {
        eprintln!("life {seed}:\n  {}\n  => {faults:?}", told.join("\n  "));
    }
    faults
}

/// Lives so many lives; which of them broke a promise. With `until_one`, it ends with the first.
fn run(count: u64, bug: Option<Bug>, until_one: bool) -> Vec<(u64, Vec<String>)> {
    let (next, enough, broken) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !enough.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= count {
                        return;
                    }
                    let seed = first().wrapping_add(n);
                    let told = std::panic::catch_unwind(|| one(seed, bug.is_some(), bug));
                    let faults = told.unwrap_or_else(|_| vec!["it panicked".into()]);
                    if !faults.is_empty() {
                        broken.lock().unwrap().push((seed, faults));
                        enough.fetch_or(until_one, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    broken.into_inner().unwrap()
}

#[test]
fn no_life_breaks_a_promise() {
    if let Some(seed) = number("VANKHO_LIFE") {
        let faults = one(seed, false, None);
        assert!(faults.is_empty(), "{}", faults.join("\n  "));
        return;
    }
    let (began, count) = (Instant::now(), number("VANKHO_LIVES").unwrap_or(if full() { 10_000 } else { 500 }));
    let broken = run(count, None, false);
    for (seed, faults) in broken.iter().take(10) {
        eprintln!(
            "VANKHO_LIFE={seed} VANKHO_TOLD=1 cargo test --release --test simulation -- no_life\n  {}",
            faults.join("\n  ")
        );
    }
    assert!(broken.is_empty(), "{} of {count} lives broke a promise", broken.len());
    let took = began.elapsed();
    eprintln!("{count} lives, no promise broken, {:.0} lives a second", count as f64 / took.as_secs_f64());
}

/// A life with a bug must be seen to be wrong, and soon.
fn is_caught(bug: Bug) {
    let broken = run(500, Some(bug), true);
    let Some((seed, faults)) = broken.first() else { panic!("{bug:?} goes unseen in 500 lives") };
    let without = one(*seed, true, None);
    assert!(without.is_empty(), "life {seed} is wrong without the bug too: {without:?}");
    eprintln!("{bug:?} is caught in life {seed}: {}", faults[0]);
}

#[test]
fn a_skipped_replica_is_caught() {
    is_caught(Bug::SkippedReplica);
}

#[test]
fn a_reordered_write_is_caught() {
    is_caught(Bug::ReorderedWrite);
}

#[test]
fn an_accepted_stale_list_is_caught() {
    is_caught(Bug::StaleListAccepted);
}

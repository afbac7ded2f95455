//! kill -9 of the real process at seeded moments. `VANKHO_KILLS` says how often (15), `VANKHO_SEED` when,
//! `VANKHO_KILL_MANIFEST` names another manifest than the one made here.

use crate::{
    process::{acknowledged, check, command, init, kill, manifest, run, succeeds},
    world::{Acknowledged, Chance},
};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

const ROWS: usize = 300;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn kills() -> u64 {
    number("VANKHO_KILLS", 15)
}

fn chance(salt: u64) -> Chance {
    Chance(number("VANKHO_SEED", 1) ^ salt)
}

/// A data folder on a real disk where there is one: `target/` is on it.
fn place() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_taking_in() {
    let inbox = place();
    let given = std::env::var_os("VANKHO_KILL_MANIFEST").map(PathBuf::from);
    let manifest = given.clone().unwrap_or_else(|| manifest(inbox.path(), ROWS));
    let rows = std::fs::read_to_string(&manifest).unwrap().lines().count();
    let arguments = ["ingest", "--manifest", manifest.to_str().unwrap()];
    // How long a run takes that nobody disturbs.
    let whole = {
        let data = place();
        init(data.path());
        let began = Instant::now();
        succeeds(data.path(), &arguments);
        began.elapsed()
    };
    let (mut chance, mut done, mut lives, mut said) = (chance(0x1), 0, 0, 0);
    while done < kills() {
        let data = place();
        init(data.path());
        let mut all: Vec<Acknowledged> = Vec::new();
        lives += 1;
        loop {
            if done >= kills() {
                let output = succeeds(data.path(), &arguments);
                all.extend(acknowledged(&output.stdout));
                break;
            }
            let after = Duration::from_micros(chance.below(whole.as_micros() as u64));
            let mut child = command(data.path(), &arguments).spawn().unwrap();
            // The pipe is read while it runs, or a long run would wait for us.
            let out = child.stdout.take().unwrap();
            let reader = std::thread::spawn(move || {
                let mut text = Vec::new();
                std::io::Read::read_to_end(&mut { out }, &mut text).unwrap();
                text
            });
            std::thread::sleep(after);
            let ended = child.try_wait().unwrap();
            let output = kill(child);
            all.extend(acknowledged(&reader.join().unwrap()));
            if let Some(status) = ended {
                assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
                break;
            }
            done += 1;
            // An audit right after the crash, before anybody has cleaned up, sees nothing wrong.
            let audit = run(data.path(), &["verify", "archive"]);
            assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stdout));
        }
        check(data.path(), &all).await;
        succeeds(data.path(), &["verify", "archive"]);
        let status = succeeds(data.path(), &["status"]);
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        if given.is_none() {
            assert_eq!(status["records"].as_u64(), Some(rows as u64), "every row has one record");
            assert_eq!(status["waiting"].as_u64(), Some(0));
        }
        said += all.len();
    }
    eprintln!(
        "{done} kills while taking in {rows} rows ({whole:?} undisturbed), {lives} archives, {said} acknowledgements, none lost"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_founding() {
    let mut chance = chance(0x2);
    for _ in 0..kills() {
        let data = place();
        let arguments = ["init", "--origin", crate::world::ORIGIN];
        for _ in 0..3 {
            let child = command(data.path(), &arguments).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(chance.below(150_000)));
            kill(child);
        }
        let again = run(data.path(), &arguments);
        let told = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(again.status.code() == Some(0) || told.contains("already"), "{told}");
        succeeds(data.path(), &["status"]);
        succeeds(data.path(), &["verify", "archive"]);
        check(data.path(), &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_reading_and_rebuilding() {
    let (inbox, data, mut chance) = (place(), place(), chance(0x3));
    let manifest = manifest(inbox.path(), ROWS);
    init(data.path());
    let taken = succeeds(data.path(), &["ingest", "--no-read", "--manifest", manifest.to_str().unwrap()]);
    let all = acknowledged(&taken.stdout);
    assert_eq!(all.len(), ROWS);
    for (arguments, longest) in [(["characterize"].as_slice(), 700_000), (["rebuild"].as_slice(), 300_000)] {
        for _ in 0..kills() {
            let child = command(data.path(), arguments).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(chance.below(longest)));
            kill(child);
            let audit = run(data.path(), &["verify", "archive"]);
            assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stdout));
            let found = succeeds(data.path(), &["search", "toàn văn số 13"]);
            assert!(String::from_utf8_lossy(&found.stdout).contains("văn bản 13"));
        }
        succeeds(data.path(), arguments);
        check(data.path(), &all).await;
    }
}

//! The primary is lost in the middle of a commit, with real processes: nothing acknowledged is lost, and what the old
//! primary alone has is told when it comes back.

use crate::{
    process::{acknowledged, command, manifest},
    world::{Acknowledged, ORIGIN, docx},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    time::{Duration, Instant},
};
use vankho::{
    store::layout,
    verify::{Outcome, receipt::verify_receipt},
};

const ROWS: usize = 120;

fn with_places(mut command: Command) -> Command {
    command.env("VANKHO_STORAGE__PLACES", "archive two three").env("VANKHO_STORAGE__REQUIRED", "2");
    // One entry a commit: as many moments as there are rows.
    command.env("VANKHO_LEDGER__BATCH_ENTRIES_MAX", "1");
    command
}

fn run(data: &Path, arguments: &[&str]) -> process::Output {
    with_places(command(data, arguments)).output().unwrap()
}

fn succeeds(data: &Path, arguments: &[&str]) -> process::Output {
    let output = run(data, arguments);
    let told = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told:?}");
    output
}

fn commits(place: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(place.join(layout::COMMITS)).into_iter().flatten().flatten();
    names.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name.len() == 20).collect()
}

/// Sends a signal, and waits until the process does nothing more.
fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// Takes in until a commit lies at the primary and nowhere else, and kills in that moment. What was acknowledged.
fn killed_in_mid_commit(data: &Path, manifest: &Path) -> Option<Vec<Acknowledged>> {
    let mut command = with_places(command(data, &["ingest", "--no-read", "--manifest", manifest.to_str().unwrap()]));
    let (place, began) = (|name: &str| data.join(name), Instant::now());
    let mut child = command.spawn().unwrap();
    let alone = || {
        let ours = commits(&place("archive"));
        let others = &commits(&place("two")) | &commits(&place("three"));
        // The founding comes to the others when the archive is first opened.
        !others.is_empty() && ours.difference(&others).next().is_some()
    };
    while child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(120) {
        if !alone() {
            continue;
        }
        signal(child.id(), "-STOP");
        std::thread::sleep(Duration::from_millis(20));
        if alone() {
            child.kill().unwrap();
            return Some(acknowledged(&child.wait_with_output().unwrap().stdout));
        }
        signal(child.id(), "-CONT");
    }
    child.kill().ok();
    child.wait().unwrap();
    None
}

fn standing(data: &Path, place: u64) -> Value {
    let heal: Value = serde_json::from_slice(&run(data, &["heal"]).stdout).unwrap();
    let replicas = heal["replicas"].as_array().unwrap().clone();
    replicas.into_iter().find(|replica| replica["place"].as_u64() == Some(place)).unwrap()
}

#[test]
fn is_lost_in_mid_commit_and_comes_back() {
    let (inbox, above) = (crate::world::folder(), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
    let manifest = manifest(inbox.path(), ROWS);
    let mut found = None;
    for attempt in 0..10 {
        let data = above.path().join(format!("kho{attempt}"));
        succeeds(&data, &["init", "--origin", ORIGIN]);
        if let Some(heard) = killed_in_mid_commit(&data, &manifest) {
            found = Some((data, heard));
            break;
        }
    }
    let (data, mut heard) = found.expect("no commit was ever seen at the primary alone");
    let away: PathBuf = data.join("archive.away");
    fs::rename(data.join("archive"), &away).unwrap();
    // Its disk cannot be read: nothing is begun anew there.
    fs::write(data.join("archive"), b"no folder").unwrap();
    let refused = run(&data, &["status"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("vankho promote"), "{refused:?}");
    succeeds(&data, &["promote", "--place", "2", "--old-is-gone"]);
    // The rows that were under way are handed over again, and others come.
    heard.extend(acknowledged(
        &succeeds(&data, &["ingest", "--no-read", "--manifest", manifest.to_str().unwrap()]).stdout,
    ));
    let late = inbox.path().join("late");
    fs::create_dir(&late).unwrap();
    fs::write(late.join("late.docx"), docx("muộn")).unwrap();
    fs::remove_file(data.join("archive")).unwrap();
    fs::rename(&away, data.join("archive")).unwrap();
    let old = standing(&data, 1);
    assert_eq!(old["standing"], "diverged", "the old primary alone has a commit: {old}");
    assert!(old["why"].as_str().unwrap().contains("not merged"), "{old}");
    heard.extend(acknowledged(&succeeds(&data, &["ingest", "--no-read", late.to_str().unwrap()]).stdout));
    let third = standing(&data, 3);
    assert_eq!((third["standing"].as_str(), third["behind"].as_u64()), (Some("taking"), Some(0)), "{third}");
    holds(&data, &heard);
}

/// Every acknowledged record is there, with a receipt that opens, at both places that go on, which have one history.
fn holds(data: &Path, heard: &[Acknowledged]) {
    assert!(heard.len() >= ROWS, "{}", heard.len());
    for place in ["2", "3"] {
        succeeds(data, &["verify", "archive", "--place", place]);
    }
    assert_eq!(commits(&data.join("two")), commits(&data.join("three")));
    for name in commits(&data.join("two")) {
        let read = |place: &str| fs::read(data.join(place).join(layout::COMMITS).join(&name)).unwrap();
        assert_eq!(read("two"), read("three"), "{name}");
    }
    let log: String = commits(&data.join("two"))
        .iter()
        .map(|name| fs::read_to_string(data.join("two").join(layout::COMMITS).join(name)).unwrap())
        .collect();
    let keys = fs::read(data.join("two").join(layout::KEYS)).unwrap();
    for one in heard {
        assert!(log.contains(&one.record.to_string()), "{} was acknowledged and is lost", one.external_id);
        // Without description and file the answer is not whole; nothing contradicts it.
        let verdict = verify_receipt(one.receipt.as_bytes(), &keys, None, None);
        assert_eq!(verdict.outcome, Outcome::Incomplete, "{}: {}", one.external_id, verdict.english);
    }
}

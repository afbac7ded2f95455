//! A backup and a restore fail at every durable step, kept and not kept, once and with the death of the process, and
//! under kill -9: done again they are whole, what was backed up before is untouched, and so is the original.

use crate::{
    faulty::{Effect, Faulty, Plan},
    process::{command, init, kill, manifest, run, succeeds},
    world::{Chance, World, docx, folder, pdf, row},
};
use futures::TryStreamExt;
use object_store::{ObjectStore, memory::InMemory};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use vankho::{
    archive::{ArchiveError, places::Places},
    backup::{
        self, How, Source,
        restore::{Brought, Restoration, Tell},
        runs,
    },
    record::{backup::Run, digest::Digest},
    store::{Place, Store},
    verify::{Outcome, archive::verify_archive},
};

/// An archive in memory with rows of several kinds.
async fn lived_in() -> World {
    let mut world = World::founded().await;
    world.config.ingest.concurrency = 1;
    take_in(&world, "một").await;
    world
}

async fn take_in(world: &World, name: &str) {
    world.file("a.docx", docx("Giấy phép"));
    world.file("b.pdf", pdf("hello"));
    world.file("large.bin", vec![3; 100_000]);
    let rows = row(&format!("{name} 1"), "toàn văn", r#""text":"hello""#)
        + &row(&format!("{name} 2"), "tệp lớn và tệp nhỏ", r#""components":["large.bin","a.docx"]"#)
        + &row(&format!("{name} 3"), "tệp nhỏ", r#""components":["b.pdf"]"#);
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file(&format!("{name}.jsonl"), rows)).await;
    archive.close().await.unwrap();
}

async fn back_up(world: &World, objects: Arc<dyn ObjectStore>) -> Result<Run, ArchiveError> {
    let (store, to) = (world.store(), Place::over(objects, "backup"));
    let source = Source { store: &store, desk: Some(world.data.path()), secret: None, by: None };
    let how = How { verify_all: false, known: false, bytes_per_second_max: u64::MAX };
    backup::run(&source, &to, how, &world.clock(), &|_, _| {}).await
}

async fn bring_back(
    world: &World,
    backup: &Arc<InMemory>,
    objects: Arc<dyn ObjectStore>,
    data: &Path,
) -> Result<Brought, ArchiveError> {
    let places = Places::of(vec![(1, Place::over(objects, "target"))], &world.config.storage);
    let (from, clock, config) = (Place::over(backup.clone(), "backup"), world.clock(), &world.config);
    let restoration = Restoration {
        from: &from,
        data,
        config,
        places: &places,
        clock: &clock,
        secret: None,
        keys: None,
        known: Vec::new(),
    };
    restoration.run(&quiet()).await
}

fn quiet() -> Tell {
    Arc::new(|_, _, _| {})
}

/// Every object with its digest.
async fn all(objects: &Arc<InMemory>) -> BTreeMap<String, Digest> {
    let place = Place::over(objects.clone(), "memory");
    let listed: Vec<_> = place.list("").unwrap().try_collect().await.unwrap();
    let mut all = BTreeMap::new();
    for one in listed {
        all.insert(one.path.clone(), place.digest(&one.path).await.unwrap().0);
    }
    all
}

async fn holds(tree: Place) -> Result<u64, String> {
    let report = verify_archive(&Store::at(tree), &[], &|_, _| {}).await;
    match (report.outcome(), &report.under_way[..]) {
        (Outcome::Holds, []) => Ok(report.entries),
        _ => Err(format!("{:?} {:?}", report.faults, report.under_way)),
    }
}

fn tree(backup: &Arc<InMemory>) -> Place {
    Place::over(backup.clone(), "backup").inside(backup::TREE).unwrap()
}

/// A copy of what lies somewhere.
async fn copied(objects: &Arc<InMemory>) -> Arc<InMemory> {
    let copy = Arc::new(InMemory::new());
    let (from, to) = (Place::over(objects.clone(), "from"), Place::over(copy.clone(), "to"));
    for path in all(objects).await.into_keys() {
        to.keep(&path, from.read(&path).await.unwrap()).await.unwrap();
    }
    copy
}

fn effects(step: &str) -> impl Iterator<Item = (Effect, bool)> + use<> {
    let effects = [Effect::NotKept, Effect::Kept, Effect::Half];
    let renames = step.starts_with("rename");
    let effects = effects.into_iter().filter(move |effect| *effect != Effect::Half || renames);
    effects.flat_map(|effect| [(effect, false), (effect, true)])
}

/// A usual run takes a part of the steps, which `VANKHO_SEED` chooses; `VANKHO_FULL=1` takes all.
fn taken(at: usize, of: usize) -> bool {
    let full = std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1");
    let seed: usize = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    full || (at + seed).is_multiple_of(of)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_backup_may_fail() {
    let world = lived_in().await;
    let empty = Arc::new(InMemory::new());
    let first = copied(&empty).await;
    back_up(&world, first.clone()).await.unwrap();
    let before = holds(tree(&first)).await.unwrap();
    take_in(&world, "hai").await;
    let original = all(world.objects.as_ref().unwrap()).await;
    let (mut cases, mut failures) = (0, Vec::new());
    // The first one, and one that goes on from another.
    for (name, begun) in [("first", &empty), ("second", &first)] {
        let reference = {
            let faulty = Faulty::new(copied(begun).await, None);
            back_up(&world, Arc::new(faulty.clone())).await.unwrap();
            faulty.steps()
        };
        assert!(reference.len() > 30, "{reference:?}");
        assert!(reference.iter().any(|step| step.contains("backup/runs")), "{reference:?}");
        for (at, step) in reference.iter().enumerate().filter(|(at, _)| taken(*at, 2)) {
            for (effect, dies) in effects(step) {
                let objects = copied(begun).await;
                let faulty = Faulty::new(objects.clone(), Some(Plan { at, effect, dies }));
                back_up(&world, Arc::new(faulty.clone())).await.ok();
                faulty.kill();
                let named = format!("{name}: {step} {effect:?} dies: {dies}");
                let place = Place::over(objects.clone(), "backup");
                // What was finished before is still there, with all that it names.
                let finished = runs::all(&place).await.unwrap();
                if let (Some(run), Err(why)) = (finished.last(), shorter_holds(&objects).await) {
                    failures.push(format!("{named}: run {} is not whole any more: {why}", run.number));
                }
                if name == "second" && finished.is_empty() {
                    failures.push(format!("{named}: the first run is gone"));
                }
                match back_up(&world, objects.clone()).await {
                    Ok(run) if run.not_carried.is_empty() => match holds(tree(&objects)).await {
                        Ok(entries) if entries == run.entries && entries > before => {}
                        other => failures.push(format!("{named}: {other:?}")),
                    },
                    other => failures.push(format!("{named}: done again: {other:?}")),
                }
                cases += 1;
            }
        }
    }
    assert_eq!(all(world.objects.as_ref().unwrap()).await, original, "a backup changes nothing");
    assert!(failures.is_empty(), "{} of {cases} cases fail:\n{}", failures.len(), failures.join("\n"));
    world.check().await;
    eprintln!("{cases} cases of a backup");
}

/// What lies in a backup that was interrupted is an archive, but for what was not published or described yet.
async fn shorter_holds(objects: &Arc<InMemory>) -> Result<(), String> {
    let report = verify_archive(&Store::at(tree(objects)), &[], &|_, _| {}).await;
    // Objects of the next commit lie there already; nothing that is named is missing or altered.
    let missing: Vec<_> = report
        .faults
        .iter()
        .filter(|fault| fault.kind != vankho::verify::archive::Kind::Unknown)
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(missing.join("; ")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_restore_may_fail() {
    let world = lived_in().await;
    let backup = Arc::new(InMemory::new());
    let run = back_up(&world, backup.clone()).await.unwrap();
    let original = all(&backup).await;
    let reference = {
        let (objects, data) = (Arc::new(InMemory::new()), folder());
        let faulty = Faulty::new(objects.clone(), None);
        let brought = bring_back(&world, &backup, Arc::new(faulty.clone()), data.path()).await.unwrap();
        assert!(brought.whole && brought.desk, "{brought:?}");
        assert_eq!(holds(Place::over(objects, "target")).await, Ok(run.entries));
        faulty.steps()
    };
    assert!(reference.len() > 20, "{reference:?}");
    let (mut cases, mut failures) = (0, Vec::new());
    for (at, step) in reference.iter().enumerate().filter(|(at, _)| taken(*at, 2)) {
        for (effect, dies) in effects(step) {
            let (objects, data) = (Arc::new(InMemory::new()), folder());
            let faulty = Faulty::new(objects.clone(), Some(Plan { at, effect, dies }));
            let first = bring_back(&world, &backup, Arc::new(faulty.clone()), data.path()).await;
            faulty.kill();
            let named = format!("{step} {effect:?} dies: {dies}");
            if first.is_ok_and(|brought| brought.whole && !brought.lacking.is_empty()) {
                failures.push(format!("{named}: it says that something is lacking"));
            }
            match bring_back(&world, &backup, objects.clone(), data.path()).await {
                Ok(brought) if brought.whole && brought.lacking.is_empty() => {
                    match holds(Place::over(objects.clone(), "target")).await {
                        Ok(entries) if entries == run.entries => {}
                        other => failures.push(format!("{named}: {other:?}")),
                    }
                }
                other => failures.push(format!("{named}: done again: {other:?}")),
            }
            cases += 1;
        }
    }
    assert_eq!(all(&backup).await, original, "a restore changes nothing in the backup");
    assert!(failures.is_empty(), "{} of {cases} cases fail:\n{}", failures.len(), failures.join("\n"));
    eprintln!("{cases} cases of a restore");
}

/// Runs a command and kills it after a while, again and again, then to its end.
fn killed(data: &Path, arguments: &[&str], chance: &mut Chance) {
    let kills = if std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1") { 30 } else { 6 };
    for _ in 0..kills {
        let child = command(data, arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(5 + chance.below(250)));
        kill(child);
    }
    succeeds(data, arguments);
}

#[test]
fn killed_in_the_middle_they_go_on() {
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (inbox, above) = (folder(), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
    let (data, backup, back) = (above.path().join("kho"), above.path().join("backup"), above.path().join("back"));
    let (backup_name, mut chance) = (backup.display().to_string(), Chance(seed));
    init(&data);
    let manifest = manifest(inbox.path(), 120).display().to_string();
    succeeds(&data, &["ingest", "--no-read", "--manifest", &manifest]);
    killed(&data, &["backup", &backup_name], &mut chance);
    succeeds(&backup, &["verify", "archive"]);
    killed(&back, &["restore", &backup_name], &mut chance);
    succeeds(&back, &["verify", "archive"]);
    let refused = run(&back, &["ingest", "--no-read", "--manifest", &manifest]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("vankho promote"), "{refused:?}");
    killed_promotion(&back, &mut chance);
    // The same rows under the same promises of the desk that came back: nothing is doubled.
    succeeds(&back, &["ingest", "--no-read", "--manifest", &manifest]);
    let status = succeeds(&back, &["status"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["records"], 120, "{status}");
    succeeds(&data, &["verify", "archive"]);
    succeeds(&back, &["verify", "archive"]);
}

/// The vouching, killed: it is in the ledger or not, and then it is done again.
fn killed_promotion(data: &Path, chance: &mut Chance) {
    let arguments = ["promote", "--place", "1", "--old-is-gone"];
    for _ in 0..3 {
        let child = command(data, &arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(5 + chance.below(60)));
        kill(child);
    }
    let done = run(data, &arguments);
    let already = String::from_utf8_lossy(&done.stderr).contains("already");
    assert!(done.status.code() == Some(0) || already, "{done:?}");
}

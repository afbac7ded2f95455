//! Backups, what comes back from them, and drills.

use crate::{
    authority::Authority,
    place::vankho,
    small::Small,
    world::{PROGRAM, World, docx, examine, folder, pdf, row},
};
use object_store::memory::InMemory;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};
use tempfile::TempDir;
use vankho::{
    access::answer,
    archive::{
        Archive, ArchiveError, Parts, place::Folders, places::Places, promote::Promotion, restored, rotate::Rotation,
    },
    backup::{
        self, How, Source,
        drill::{self, Drilling},
        restore::{Brought, Restoration, Tell},
        runs,
    },
    catalog::Catalog,
    desk::Desk,
    evidence::timestamps,
    index::Index,
    ledger::{authority::Certificates, checkpoint::Checkpoint, cosignature::Cosigner, keys::KeyFile},
    record::{
        actor::{Actor, Role},
        backup::{DRILL_KIND, Drill, Part, Run, chosen},
        digest::{Digest, unhex},
        entry::Damage,
        id::ActorId,
    },
    store::{Place, Replicas, Store, layout},
    verify::{
        Outcome,
        archive::{Report, Scope, Trusted, audit, verify_archive},
        receipt::verify_receipt,
    },
};
use zeroize::Zeroizing;

/// An archive with every kind of thing in it, read, and somebody who has an account.
async fn lived_in() -> World {
    let world = World::on_disk().await;
    world.file("a.docx", docx("Giấy phép xây dựng"));
    world.file("b.pdf", pdf("hello"));
    world.file("large.bin", vec![4; 5 << 20]);
    let rows = row("1", "toàn văn", r#""text":"thủ tục hành chính""#)
        + &row("2", "tệp nhỏ", r#""components":["a.docx"],"number":"48","notation":"QĐ-UBND""#)
        + &row("3", "tệp lớn", r#""components":["b.pdf","large.bin"],"access":"public""#);
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    world.characterize(&archive).await.unwrap();
    let id = ActorId::new(1, [3; 10]);
    let lan = Actor { id, name: "lan".into(), role: Role::Archivist, agency: "Sở Nội vụ".into() };
    assert!(archive.desk.add_account(&lan, "hash").await.unwrap());
    archive.close().await.unwrap();
    world
}

async fn take_in(world: &World, name: &str) {
    let archive = world.open().await.unwrap();
    hand_over(world, &archive, name).await;
    archive.close().await.unwrap();
}

async fn hand_over(world: &World, archive: &Archive, name: &str) {
    world.file(&format!("{name}/{name}.txt"), format!("Quyết định {name} về việc phê duyệt kế hoạch"));
    world.ingest_all(archive, &world.inbox.path().join(name)).await;
}

fn place(at: &Path) -> Place {
    Place::local(at).unwrap()
}

/// How it is asked for.
#[derive(Clone, Copy)]
struct Ask {
    keys: bool,
    all: bool,
    known: bool,
}

const USUAL: Ask = Ask { keys: true, all: false, known: false };

async fn back_up(world: &World, to: &Place, ask: Ask) -> Result<Run, String> {
    let data = world.data.path();
    let (desk, secret) = (data.join("desk"), data.join("secret"));
    let made = async {
        let store = backup::beside(data, &world.config).await?;
        backup::refuse_inside(to, data, &store)?;
        let source = Source { store: &store, desk: Some(&desk), secret: ask.keys.then_some(&*secret), by: None };
        let how = How { verify_all: ask.all, known: ask.known, bytes_per_second_max: u64::MAX };
        backup::run(&source, to, how, &world.clock(), &|_, _| {}).await
    };
    made.await.map_err(|error: ArchiveError| error.to_string())
}

fn quiet() -> Tell {
    Arc::new(|_, _, _| {})
}

struct Back<'a> {
    secret: Option<&'a Path>,
    known: Vec<(String, String)>,
}

const PLAIN: Back<'static> = Back { secret: None, known: Vec::new() };

async fn bring_back(world: &World, from: &Place, data: &Path, how: Back<'_>) -> Result<Brought, String> {
    let (config, clock) = (&world.config, &world.clock());
    let places = Places::configured(data, &config.storage).unwrap();
    let Back { secret, known } = how;
    let restoration = Restoration { from, data, config, places: &places, clock, secret, keys: None, known };
    restoration.run(&quiet()).await.map_err(|error| error.to_string())
}

async fn judged(tree: &Path) -> Report {
    verify_archive(&Store::local(tree).unwrap(), &[], &|_, _| {}).await
}

async fn holds(backup: &Path) {
    let report = judged(&backup.join("archive")).await;
    assert_eq!((report.outcome(), &report.faults[..], &report.under_way[..]), (Outcome::Holds, &[][..], &[][..]));
}

async fn hold_drill(world: &World, from: &Place, records: u64) -> (Drill, String) {
    let (store, folders) =
        (backup::beside(world.data.path(), &world.config).await.unwrap(), Folders::of(world.data.path()));
    let drilling =
        Drilling { from, store: &store, folders: &folders, by: None, records, bytes_per_second_max: u64::MAX };
    drilling.run(&world.clock(), &|_, _| {}).await.unwrap()
}

/// Every file under a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found
}

/// The archive of a data folder as it lies there, with the derived stores that lie there.
async fn opened_as_it_is(world: &World, data: &Path) -> Archive {
    let folders = Folders::of(data);
    let parts = Parts {
        store: Store::local(&folders.archive).unwrap(),
        signer: folders.signer().unwrap(),
        catalog: Catalog::open(Some(&folders.derived.join("catalog.db"))).await.unwrap(),
        index: Index::open(Some(&folders.derived.join("index")), &world.config.index).unwrap(),
        desk: Desk::open(Some(&folders.desk.join("desk.db"))).await.unwrap(),
        clock: world.clock(),
        config: world.config.clone(),
        lock: None,
    };
    Archive::start(parts, &|_| {}).await.unwrap()
}

/// A world around a data folder.
fn around(world: &World, data: TempDir) -> World {
    let mut other = World::memory();
    (other.objects, other.data, other.config) = (None, data, world.config.clone());
    other.micros = world.micros.clone();
    *other.acknowledged.lock().unwrap() = world.acknowledged.lock().unwrap().clone();
    other
}

async fn promote(world: &World, to: u32, known: Vec<String>, old_is_gone: bool) -> Result<u32, String> {
    let (data, config, clock) = (world.data.path(), &world.config, &world.clock());
    let promoted =
        Promotion { data, config, clock, to, old_is_gone, loss_is_taken: false, known }.run(&|_, _| {}).await;
    promoted.map(|promoted| promoted.primacy.epoch).map_err(|error| error.to_string())
}

async fn refusal(world: &World) -> String {
    world.open().await.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restored_answers_the_same_and_waits_for_somebody_to_vouch() {
    let world = lived_in().await;
    let (disk, data) = (folder(), folder());
    let to = place(disk.path());
    let run = back_up(&world, &to, USUAL).await.unwrap();
    assert!(run.desk.is_some() && run.keys.len() == 1 && run.not_carried.is_empty() && run.bytes > 5 << 20, "{run:?}");
    holds(disk.path()).await;
    let opened = vankho(disk.path(), &["status"]);
    assert!(told(&opened).contains("is a backup"), "{}", told(&opened));
    let script = world.archive_folder().join("verify.py");
    let judged = Command::new("python3").arg(script).arg("archive").arg(disk.path().join("archive")).output().unwrap();
    assert_eq!(judged.status.code(), Some(0), "{judged:?}");

    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert!(brought.whole && brought.key && brought.desk && brought.lacking.is_empty(), "{brought:?}");
    assert_eq!(brought.report.outcome(), Outcome::Holds);
    let secret = fs::metadata(data.path().join("secret/signing.key")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);

    let original = world.open().await.unwrap();
    let restored = opened_as_it_is(&world, data.path()).await;
    let acknowledged = world.acknowledged.lock().unwrap().clone();
    assert_eq!(examine(&restored, &original, &acknowledged).await, Vec::<String>::new());
    assert_eq!(restored.ledger.tip_checkpoint(), original.ledger.tip_checkpoint());
    let names: Vec<String> = restored.desk.accounts().await.unwrap().into_iter().map(|one| one.actor.name).collect();
    assert_eq!(names, ["lan"]);
    restored.close().await.unwrap();
    original.close().await.unwrap();

    // Nothing is written to it before somebody vouches that the original is gone.
    let newest = acknowledged.last().unwrap().receipt.clone();
    let other = around(&world, data);
    assert!(refusal(&other).await.contains("vankho promote --place 1 --old-is-gone"), "{}", refusal(&other).await);
    let clock = other.clock();
    let rotation = Rotation { data: other.data.path(), config: &other.config, clock: &clock, old_is_lost: false };
    assert!(rotation.run().await.is_err_and(|error| error.to_string().contains("vankho promote")));
    let told = promote(&other, 1, Vec::new(), false).await.unwrap_err();
    assert!(told.contains("--old-is-gone"), "{told}");
    assert_eq!(promote(&other, 1, vec![newest], true).await, Ok(2));
    assert!(promote(&other, 1, Vec::new(), true).await.unwrap_err().contains("already"), "once");
    take_in(&other, "mới").await;
    other.check().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_is_brought_and_the_rest_is_not_written_again() {
    let world = lived_in().await;
    let disk = folder();
    let to = place(disk.path());
    let first = back_up(&world, &to, USUAL).await.unwrap();
    let component = world.acknowledged.lock().unwrap()[1].record;
    let old = files(&disk.path().join("archive").join(layout::unit(component)));
    let inodes = |files: &BTreeMap<PathBuf, Vec<u8>>| {
        files.keys().map(|path| fs::metadata(path).unwrap().ino()).collect::<Vec<_>>()
    };
    let before = inodes(&old);
    let nothing = back_up(&world, &to, Ask { known: true, ..USUAL }).await.unwrap();
    assert_eq!((nothing.number, nothing.objects, nothing.entries), (2, 0, first.entries));
    take_in(&world, "mới").await;
    let third = back_up(&world, &to, USUAL).await.unwrap();
    // A component and its description.
    assert_eq!((third.number, third.objects, third.entries), (3, 2, first.entries + 1));
    assert_eq!(inodes(&old), before);
    holds(disk.path()).await;
    // Damage before the mark is found by whoever asks for all of it.
    let (path, bytes) = old.iter().next().unwrap();
    fs::write(path, "altered").unwrap();
    fs::remove_file(disk.path().join("archive").join(layout::commit(1))).unwrap();
    fs::write(disk.path().join("archive/verify.py"), "altered").unwrap();
    fs::write(disk.path().join("archive/log/checkpoint"), "altered").unwrap();
    assert_eq!(judged(&disk.path().join("archive")).await.outcome(), Outcome::Tampered);
    let all = back_up(&world, &to, Ask { all: true, ..USUAL }).await.unwrap();
    assert_eq!((all.objects, &fs::read(path).unwrap()), (2, bytes));
    holds(disk.path()).await;
    let listed = runs::all(&to).await.unwrap();
    assert_eq!(listed.iter().map(|run| run.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(listed[3], all);
    world.check().await;
}

/// More entries than a tile holds: tiles become full between two runs.
#[tokio::test(flavor = "multi_thread")]
async fn tiles_that_became_full_take_the_place_of_partial_ones() {
    let world = World::on_disk().await;
    let disk = folder();
    let to = place(disk.path());
    for (from, until) in [(0, 150), (150, 300), (300, 530)] {
        let rows: String =
            (from..until).map(|n| row(&n.to_string(), &format!("văn bản {n}"), r#""text":"x""#)).collect();
        let archive = world.open().await.unwrap();
        world.ingest_all(&archive, &world.file(&format!("{from}.jsonl"), rows)).await;
        archive.close().await.unwrap();
        back_up(&world, &to, USUAL).await.unwrap();
        holds(disk.path()).await;
    }
    let partials = |tree: PathBuf| {
        let all = files(&tree.join("log/tile"));
        let mut all: Vec<_> = all.keys().map(|path| path.strip_prefix(&tree).unwrap().to_owned()).collect();
        all.retain(|path| path.to_string_lossy().contains(".p/"));
        all.iter().map(|path| path.parent().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(partials(disk.path().join("archive")), partials(world.archive_folder()), "superseded ones are gone");
    let data = folder();
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert_eq!((brought.report.outcome(), brought.report.records), (Outcome::Holds, 530));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_rows_are_taken_in_nothing_acknowledged_before_it_began_is_missing() {
    let world = World::on_disk().await;
    let disk = folder();
    let to = place(disk.path());
    let archive = world.open().await.unwrap();
    let rows: String = (0..1200).map(|n| row(&n.to_string(), &format!("văn bản {n}"), r#""text":"x""#)).collect();
    let manifest = world.file("m.jsonl", rows);
    let backups = async {
        let (mut seen, mut afterwards) = (Vec::new(), 0);
        // At least one that begins while some rows are acknowledged, and some that are made after all of them are.
        while afterwards < 2 {
            let before = world.acknowledged.lock().unwrap().clone();
            afterwards += usize::from(before.len() == 1200);
            archive.publish().await.unwrap();
            let run = back_up(&world, &to, USUAL).await.unwrap();
            seen.push((before, run));
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        seen
    };
    let (outcomes, seen) = tokio::join!(world.ingest(&archive, &manifest), backups);
    outcomes.1.unwrap();
    assert!(seen.iter().any(|(before, _)| !before.is_empty() && before.len() < 1200), "it never ran beside the intake");
    for (before, run) in &seen {
        for one in before {
            let receipt = vankho::ledger::proof::Receipt::parse(&one.receipt).unwrap();
            assert!(receipt.index < run.entries, "{} was acknowledged before run {}", one.external_id, run.number);
        }
    }
    holds(disk.path()).await;
    let data = folder();
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert_eq!(brought.report.outcome(), Outcome::Holds, "{:?}", brought.report.faults);
    let restored = opened_as_it_is(&world, data.path()).await;
    for one in &seen.last().unwrap().0 {
        assert!(restored.catalog.record(one.record).await.unwrap().is_some(), "{}", one.external_id);
    }
    restored.close().await.unwrap();
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_place_has_altered_comes_from_another_and_what_none_has_is_told() {
    let world = World::in_places(&["archive", "two"], 2).await;
    take_in(&world, "một").await;
    take_in(&world, "hai").await;
    let record = world.acknowledged.lock().unwrap()[0].record;
    let at = |place: &str| {
        let folder = world.data.path().join(place).join(layout::unit(record));
        let mut all: Vec<_> = files(&folder).into_keys().collect();
        all.retain(|path| path.extension().is_none());
        all.remove(0)
    };
    let (here, there) = (at("archive"), at("two"));
    let right = fs::read(&here).unwrap();
    fs::write(&here, "altered").unwrap();
    let commit = world.archive_folder().join(layout::commit(1));
    let commit_right = fs::read(&commit).unwrap();
    fs::write(&commit, "altered").unwrap();
    let disk = folder();
    let to = place(disk.path());
    assert_eq!(back_up(&world, &to, USUAL).await.unwrap().not_carried, []);
    let carried = disk.path().join("archive").join(here.strip_prefix(world.archive_folder()).unwrap());
    assert_eq!(fs::read(&carried).unwrap(), right, "from the replica, and never the altered one");
    fs::write(&commit, commit_right).unwrap();
    holds(disk.path()).await;

    // No place has it right: it is told, the rest is carried, and damage is not.
    fs::remove_file(&there).unwrap();
    let other = folder();
    let to = place(other.path());
    let run = back_up(&world, &to, USUAL).await.unwrap();
    assert_eq!(run.not_carried.len(), 1, "{run:?}");
    assert!(run.not_carried[0].path.starts_with(&layout::unit(record)));
    let carried = other.path().join("archive").join(here.strip_prefix(world.archive_folder()).unwrap());
    assert!(!carried.exists());
    let report = judged(&other.path().join("archive")).await;
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    let data = folder();
    let mut alone = world.config.clone();
    alone.storage.places.truncate(1);
    alone.storage.required = 1;
    let places = Places::configured(data.path(), &alone.storage).unwrap();
    let clock = world.clock();
    let restoration = Restoration {
        from: &to,
        data: data.path(),
        config: &alone,
        places: &places,
        clock: &clock,
        secret: None,
        keys: None,
        known: Vec::new(),
    };
    let brought = restoration.run(&quiet()).await.unwrap();
    assert!(brought.whole && brought.lacking.len() == 1, "the rest can be used: {brought:?}");
    // It came back at one place: the next run has it, though its entry is long past the mark.
    fs::write(&there, &right).unwrap();
    let run = back_up(&world, &to, USUAL).await.unwrap();
    assert_eq!((run.not_carried.len(), run.objects), (0, 1));
    holds(other.path()).await;
    // Another backup adds what was missing to what was restored.
    let brought = restoration.run(&quiet()).await.unwrap();
    assert_eq!((brought.lacking.len(), brought.report.outcome()), (0, Outcome::Holds));
    fs::write(&here, &right).unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_backup_is_found_by_a_drill_and_by_a_restore() {
    let world = lived_in().await;
    let (disk, second) = (folder(), folder());
    let (to, other) = (place(disk.path()), place(second.path()));
    back_up(&world, &to, USUAL).await.unwrap();
    back_up(&world, &other, USUAL).await.unwrap();
    let (drill, report) = hold_drill(&world, &to, 100).await;
    assert!(drill.passed && drill.faults == 0 && drill.drilled.len() == 3, "{drill:?}");
    assert_eq!((drill.desk, drill.keys, drill.records), (Part::Whole, Part::Whole, 3));
    let keys: KeyFile = fs::read_to_string(world.archive_folder().join(layout::KEYS)).unwrap().parse().unwrap();
    let said = keys.open_report(DRILL_KIND, &report, drill.ledger).unwrap();
    assert_eq!(serde_json::from_str::<Drill>(said).unwrap(), drill);
    assert!(!world.data.path().join("derived/drill").exists(), "nothing of it is left");

    let record = world.acknowledged.lock().unwrap()[2].record;
    let tree = disk.path().join("archive");
    let whole = files(disk.path());
    let component =
        files(&tree.join(layout::unit(record))).into_keys().find(|path| path.extension().is_none()).unwrap();
    let desk = files(&disk.path().join("desk")).into_keys().next().unwrap();
    let key = files(&disk.path().join("secret")).into_keys().next().unwrap();
    let commits = fs::read_dir(tree.join(layout::COMMITS)).unwrap();
    let newest = commits.map(|one| one.unwrap().file_name().into_string().unwrap()).max().unwrap();
    let last = tree.join(layout::COMMITS).join(newest);
    for (broken, altered) in [
        (&component, true),
        (&component, false),
        (&desk, true),
        (&desk, false),
        (&key, true),
        (&last, true),
        (&last, false),
    ] {
        match altered {
            true => {
                let mut bytes = fs::read(broken).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(broken, bytes).unwrap();
            }
            false => fs::remove_file(broken).unwrap(),
        }
        let (drill, report) = hold_drill(&world, &to, 100).await;
        assert!(!drill.passed, "{broken:?}: {drill:?}");
        assert!(keys.open_report(DRILL_KIND, &report, drill.ledger).is_ok());
        let expected = if altered { Damage::Altered } else { Damage::Missing };
        match broken {
            _ if *broken == component => {
                let faults: Vec<_> =
                    drill.drilled.iter().flat_map(|one| &one.faults).map(|fault| fault.fault).collect();
                assert_eq!((faults, drill.faults), (vec![expected], 1));
            }
            _ if *broken == desk => assert_eq!(drill.desk, Part::Damaged),
            _ if *broken == key => assert_eq!(drill.keys, Part::Damaged),
            _ => {}
        }
        let data = folder();
        let brought = bring_back(&world, &to, data.path(), PLAIN).await;
        match brought {
            Ok(brought) if *broken == component => {
                assert!(brought.whole && brought.lacking.len() == 1, "{brought:?}");
                assert_eq!(brought.report.faults.len(), 1, "what is damaged is not restored");
                // Another backup has it.
                let brought = bring_back(&world, &other, data.path(), PLAIN).await.unwrap();
                assert_eq!((brought.lacking.len(), brought.report.outcome()), (0, Outcome::Holds));
            }
            Ok(brought) if *broken == desk => assert!(brought.whole && !brought.desk, "{brought:?}"),
            Ok(brought) => assert!(*broken == key && brought.whole && !brought.key, "{broken:?}: {brought:?}"),
            Err(told) => assert!(*broken == last && told.contains("damaged"), "{broken:?}: {told}"),
        }
        for (path, bytes) in &whole {
            fs::write(path, bytes).unwrap();
        }
        holds(disk.path()).await;
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_can_choose_the_records_of_a_drill_again() {
    let world = World::on_disk().await;
    let rows: String = (0..40).map(|n| row(&n.to_string(), &format!("văn bản {n}"), r#""text":"x""#)).collect();
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    let accessions: Vec<_> =
        archive.catalog.records(0, u32::MAX).await.unwrap().into_iter().map(|one| one.record).collect();
    archive.close().await.unwrap();
    let disk = folder();
    let to = place(disk.path());
    back_up(&world, &to, USUAL).await.unwrap();
    let (one, _) = hold_drill(&world, &to, 10).await;
    let (two, _) = hold_drill(&world, &to, 10).await;
    assert_ne!(one.nonce, two.nonce);
    for drill in [one, two] {
        assert!(drill.passed && drill.drilled.len() == 10, "{drill:?}");
        let nonce: [u8; 32] = unhex(&drill.nonce).unwrap().try_into().unwrap();
        let again: Vec<_> = chosen(&nonce, 40, 10).into_iter().map(|n| accessions[n as usize]).collect();
        assert_eq!(again, drill.drilled.iter().map(|one| one.record).collect::<Vec<_>>());
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_go_only_where_nobody_else_reads() {
    let world = lived_in().await;
    let disk = folder();
    let (to, secret) = (place(disk.path()), disk.path().join("secret"));
    fs::create_dir(disk.path().join("backup")).unwrap();
    fs::create_dir(&secret).unwrap();
    fs::write(disk.path().join("backup/README.txt"), "x").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o755)).unwrap();
    let told = back_up(&world, &to, USUAL).await.unwrap_err();
    assert!(told.contains("chmod 700") && told.contains("--without-keys"), "{told}");
    assert_eq!(fs::read_dir(&secret).unwrap().count(), 0);
    let run = back_up(&world, &to, Ask { keys: false, ..USUAL }).await.unwrap();
    assert!(run.keys.is_empty() && run.desk.is_some());
    let (drill, _) = hold_drill(&world, &to, 1).await;
    assert!(drill.passed && drill.keys == Part::Apart, "{drill:?}");

    // Without the key it comes back as far as it can; with it from elsewhere, whole.
    let data = folder();
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert!(brought.whole && !brought.key && brought.rebuilt.is_none(), "{brought:?}");
    let empty = folder();
    let told = bring_back(&world, &to, data.path(), Back { secret: Some(empty.path()), ..PLAIN }).await.unwrap_err();
    assert!(told.contains("--secret"), "{told}");
    let apart = world.data.path().join("secret");
    let brought = bring_back(&world, &to, data.path(), Back { secret: Some(&apart), ..PLAIN }).await.unwrap();
    assert!(brought.key && brought.rebuilt.is_some(), "{brought:?}");

    fs::set_permissions(&secret, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(back_up(&world, &to, USUAL).await.unwrap().keys.len(), 1);
    for path in files(&secret).keys() {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // What is made by the backup is private by itself; a bucket never is.
    let fresh = folder();
    let made = fresh.path().join("new/backup");
    back_up(&world, &place(&made), USUAL).await.unwrap();
    assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700);
    let bucket = Place::over(Arc::new(InMemory::new()), "s3://kho/backup?region=hn");
    let told = back_up(&world, &bucket, USUAL).await.unwrap_err();
    assert!(told.contains("--without-keys"), "{told}");
    let run = back_up(&world, &bucket, Ask { keys: false, ..USUAL }).await.unwrap();
    assert!(run.desk.is_some());
    let (again, data) = (back_up(&world, &bucket, Ask { keys: false, ..USUAL }).await.unwrap(), folder());
    assert_eq!((again.number, again.objects), (2, 0));
    let brought = bring_back(&world, &bucket, data.path(), Back { secret: Some(&apart), ..PLAIN }).await.unwrap();
    assert!(brought.whole && brought.key && brought.desk, "{brought:?}");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_the_key_the_old_one_is_in_no_backup() {
    let world = lived_in().await;
    let disk = folder();
    let to = place(disk.path());
    let old = back_up(&world, &to, USUAL).await.unwrap().keys;
    let before = world.acknowledged.lock().unwrap()[0].receipt.clone();
    let clock = world.clock();
    let rotation = Rotation { data: world.data.path(), config: &world.config, clock: &clock, old_is_lost: false };
    let keys = rotation.run().await.unwrap().keys;
    take_in(&world, "mới").await;
    let new = back_up(&world, &to, USUAL).await.unwrap().keys;
    assert!(new.len() == 1 && new != old);
    let left: Vec<_> = files(&disk.path().join("secret")).into_keys().collect();
    assert_eq!(left, [disk.path().join(format!("secret/{}.key", new[0]))]);
    holds(disk.path()).await;
    let (drill, _) = hold_drill(&world, &to, 100).await;
    assert!(drill.passed, "{drill:?}");
    let data = folder();
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert!(brought.key && brought.report.outcome() == Outcome::Holds, "{brought:?}");
    assert_eq!(fs::read_to_string(data.path().join("archive").join(layout::KEYS)).unwrap(), keys);
    assert_eq!(verify_receipt(before.as_bytes(), keys.as_bytes(), None, None).outcome, Outcome::Incomplete);
    let other = around(&world, data);
    promote(&other, 1, vec![before], true).await.unwrap();
    take_in(&other, "sau").await;
    other.check().await;

    // A change that was interrupted before its commit: the file of keys is ahead of the ledger.
    let file = world.archive_folder().join(layout::KEYS);
    let whole = fs::read(&file).unwrap();
    let ahead: KeyFile = std::str::from_utf8(&whole).unwrap().parse().unwrap();
    let next = vankho::ledger::keys::Signer::from_seed(crate::world::ORIGIN, &Zeroizing::new([9; 32])).unwrap();
    fs::write(&file, ahead.followed_by(next.verifying_key().clone(), 1000).to_string()).unwrap();
    let told = back_up(&world, &to, USUAL).await.unwrap_err();
    assert!(told.contains("vankho status"), "{told}");
    fs::write(&file, whole).unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timestamps_and_cosignatures_come_along() {
    let mut world = World::on_disk().await;
    let authority = Authority::start(&world.micros, "ec", 3000);
    world.config.evidence.authorities = vec![authority.configured("thu")];
    take_in(&world, "một").await;
    let archive = world.open().await.unwrap();
    for (_, stamped) in timestamps::once(&archive).await {
        stamped.unwrap();
    }
    archive.close().await.unwrap();
    // What a witness says of the newest checkpoint.
    let note = fs::read_to_string(world.archive_folder().join(layout::CHECKPOINT)).unwrap();
    let size = Checkpoint::unverified(&note).unwrap().size;
    let witness = Cosigner::from_seed("witness.example.vn", &Zeroizing::new([5; 32])).unwrap();
    let body = note.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let cosigned = note.clone() + &witness.cosign(&body, 1_780_000_000).unwrap();
    let path = layout::cosigned(size);
    fs::write(world.archive_folder().join(&path), &cosigned).unwrap();

    let (disk, data) = (folder(), folder());
    let to = place(disk.path());
    back_up(&world, &to, USUAL).await.unwrap();
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert!(brought.whole, "{brought:?}");
    let trusted = Trusted {
        authorities: Some(Certificates::parse(&fs::read(authority.root()).unwrap()).unwrap()),
        witnesses: vec![witness.public().clone()],
        ..Trusted::default()
    };
    for tree in [disk.path().join("archive"), data.path().join("archive")] {
        let report = audit(&Store::local(&tree).unwrap(), Scope::Archive, &trusted, &|_, _| {}).await;
        assert_eq!((report.outcome(), &report.faults[..]), (Outcome::Holds, &[][..]), "{tree:?}");
        assert_eq!(files(&tree.join(layout::TIMESTAMPS)).len(), 2);
        assert_eq!(fs::read_to_string(tree.join(&path)).unwrap(), cosigned);
    }
    // Another line makes it longer, and is brought; what nobody signed is told and left.
    let other = Cosigner::from_seed("other.example.vn", &Zeroizing::new([6; 32])).unwrap();
    let longer = cosigned.clone() + &other.cosign(&body, 1_780_000_001).unwrap();
    fs::write(world.archive_folder().join(&path), &longer).unwrap();
    assert_eq!(back_up(&world, &to, USUAL).await.unwrap().not_carried, []);
    assert_eq!(fs::read_to_string(disk.path().join("archive").join(&path)).unwrap(), longer);
    fs::write(world.archive_folder().join(&path), longer.clone() + "x").unwrap();
    assert_eq!(back_up(&world, &to, USUAL).await.unwrap().not_carried.len(), 1);
    assert_eq!(fs::read_to_string(disk.path().join("archive").join(&path)).unwrap(), longer);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_places_are_refused_and_nothing_is_written_there() {
    let world = lived_in().await;
    let strangers = folder();
    fs::write(strangers.path().join("theirs.txt"), "theirs").unwrap();
    let told = back_up(&world, &place(strangers.path()), USUAL).await.unwrap_err();
    assert!(told.contains("not empty"), "{told}");
    assert_eq!(files(strangers.path()).len(), 1);
    let data = world.data.path();
    for within in [data.to_owned(), data.join("archive"), data.join("backup"), data.parent().unwrap().to_owned()] {
        let told = back_up(&world, &place(&within), USUAL).await.unwrap_err();
        assert!(told.contains("within each other"), "{within:?}: {told}");
    }
    assert!(!data.join("backup").exists());
    // A disk that is not mounted.
    let disk = folder();
    let to = place(disk.path());
    let told = back_up(&world, &to, Ask { known: true, ..USUAL }).await.unwrap_err();
    assert!(told.contains("mount it") && told.contains("--anew"), "{told}");
    back_up(&world, &to, USUAL).await.unwrap();
    let told = {
        let _one = fs::File::open(disk.path().join("backup/lock")).unwrap();
        _one.lock().unwrap();
        back_up(&world, &to, USUAL).await.unwrap_err()
    };
    assert!(told.contains("another process"), "{told}");
    // Another archive's backup, and another history of this one.
    let other = World::on_disk().await;
    let before = files(disk.path());
    let told = back_up(&other, &to, USUAL).await.unwrap_err();
    assert!(told.contains("another archive"), "{told}");
    let earlier = folder();
    crate::place::copy(&data.join("archive"), &earlier.path().join("archive"));
    take_in(&world, "mới").await;
    back_up(&world, &to, USUAL).await.unwrap();
    let later = files(&disk.path().join("archive"));
    assert!(later.len() > before.keys().filter(|path| path.starts_with(disk.path().join("archive"))).count());
    let store = Store::local(&earlier.path().join("archive")).unwrap();
    let source = Source { store: &store, desk: None, secret: None, by: None };
    let how = How { verify_all: false, known: false, bytes_per_second_max: u64::MAX };
    let told = backup::run(&source, &to, how, &world.clock(), &|_, _| {}).await.unwrap_err().to_string();
    assert!(told.contains("went back"), "{told}");
    assert_eq!(files(&disk.path().join("archive")), later, "nothing is written over");

    // Restored into an empty folder alone, from a backup alone, and not where the archive lives.
    for (from, into, words) in [
        (strangers.path(), folder().path(), "no finished backup"),
        (disk.path(), strangers.path(), "not empty"),
        (disk.path(), data, "not empty"),
    ] {
        let told = bring_back(&world, &place(from), into, PLAIN).await.unwrap_err();
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(files(strangers.path()).len(), 1);
    let into = folder();
    bring_back(&world, &to, into.path(), PLAIN).await.unwrap();
    let disk_of_other = folder();
    take_in(&other, "khác").await;
    back_up(&other, &place(disk_of_other.path()), USUAL).await.unwrap();
    let told = bring_back(&other, &place(disk_of_other.path()), into.path(), PLAIN).await.unwrap_err();
    assert!(told.contains("another archive"), "{told}");
    other.check().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_left_is_promoted_and_not_restored_over() {
    let mut world = World::in_places(&["archive", "two"], 2).await;
    take_in(&world, "một").await;
    let disk = folder();
    let to = place(disk.path());
    back_up(&world, &to, USUAL).await.unwrap();
    let data = folder();
    world.config.storage.places[1] = world.data.path().join("two").display().to_string();
    let told = bring_back(&world, &to, data.path(), PLAIN).await.unwrap_err();
    assert!(told.contains("vankho promote --place 2 --old-is-gone"), "{told}");
    world.config.storage.places[1] = "two".into();
    // Both are lost: the primary comes back, and the replica is filled when somebody has vouched.
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert!(brought.whole, "{brought:?}");
    let other = around(&world, data);
    assert!(refusal(&other).await.contains("--old-is-gone"));
    promote(&other, 1, Vec::new(), true).await.unwrap();
    take_in(&other, "hai").await;
    let two = Store::of(place(&other.data.path().join("two")), 2, Replicas::default());
    assert_eq!(verify_archive(&two, &[], &|_, _| {}).await.outcome(), Outcome::Holds);
    other.check().await;

    // A backup from the time of another primary comes back under that number.
    promote(&world, 2, Vec::new(), false).await.unwrap();
    back_up(&world, &to, USUAL).await.unwrap();
    let data = folder();
    world.config.storage.places = vec!["archive".into()];
    world.config.storage.required = 1;
    let told = bring_back(&world, &to, data.path(), PLAIN).await.unwrap_err();
    assert!(told.contains("as number 2"), "{told}");
    world.config.storage.places = vec![String::new(), "archive".into()];
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert_eq!((brought.place, brought.report.outcome()), (2, Outcome::Holds), "{:?}", brought.report.faults);
    let third = around(&world, data);
    assert_eq!(promote(&third, 2, Vec::new(), true).await, Ok(3));
    take_in(&third, "ba").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_after_the_backup_is_told() {
    let world = lived_in().await;
    let (disk, data) = (folder(), folder());
    let to = place(disk.path());
    back_up(&world, &to, USUAL).await.unwrap();
    take_in(&world, "sau").await;
    take_in(&world, "sau nữa").await;
    let acknowledged = world.acknowledged.lock().unwrap().clone();
    let known = |n: usize| (format!("receipt {n}"), acknowledged[n].receipt.clone());
    let last = acknowledged.len() - 1;
    let brought =
        bring_back(&world, &to, data.path(), Back { known: vec![known(0), known(last)], ..PLAIN }).await.unwrap();
    assert_eq!(brought.lost, [(format!("receipt {last}"), 2)]);
    assert!(brought.whole && brought.report.outcome() == Outcome::Holds, "{brought:?}");
    let told = bring_back(&world, &to, data.path(), Back { known: vec![("x".into(), "y".into())], ..PLAIN }).await;
    assert!(told.unwrap_err().contains("no receipt"));
    let other = around(&world, data);
    let told = promote(&other, 1, vec![acknowledged[last].receipt.clone()], true).await.unwrap_err();
    assert!(told.contains("was given out"), "{told}");
    // A newer backup goes into the same folder.
    back_up(&world, &to, USUAL).await.unwrap();
    let brought = bring_back(&world, &to, other.data.path(), Back { known: vec![known(last)], ..PLAIN }).await.unwrap();
    assert_eq!((brought.lost.len(), brought.report.outcome()), (0, Outcome::Holds));
    promote(&other, 1, vec![acknowledged[last].receipt.clone()], true).await.unwrap();
    // In use from now on: no backup goes over it.
    take_in(&world, "ở nơi khác").await;
    back_up(&world, &to, USUAL).await.unwrap();
    let told = bring_back(&world, &to, other.data.path(), PLAIN).await.unwrap_err();
    assert!(told.contains("holds entries") || told.contains("in use"), "{told}");
    other.check().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_calendar_of_an_open_archive_and_told_by_status() {
    let mut world = lived_in().await;
    let disk = folder();
    let to = disk.path().join("sao lưu");
    world.config.backup.to = to.display().to_string();
    let archive = world.open().await.unwrap();
    let state = async |archive: &Archive| answer::state(archive).await.unwrap().backup.unwrap();
    let none = state(&archive).await;
    assert!(none.at.is_none() && none.overdue && none.drill_overdue, "{none:?}");
    let run = backup::of(&archive).await.unwrap();
    let one = state(&archive).await;
    assert_eq!((one.at, one.behind, one.overdue), (Some(run.began.to_string()), 0, false));
    assert!(drill::of(&archive).await.unwrap().passed);
    hand_over(&world, &archive, "mới").await;
    let two = state(&archive).await;
    assert_eq!((two.behind, two.passed, two.drill_overdue), (1, Some(true), false));
    world.micros.fetch_add(49 * 3_600_000_000, std::sync::atomic::Ordering::SeqCst);
    assert!(state(&archive).await.overdue);
    // The disk is away: that is told, and the next attempt begins nothing anew there.
    fs::rename(&to, disk.path().join("away")).unwrap();
    let told = backup::of(&archive).await.unwrap_err().to_string();
    assert!(told.contains("mount it"), "{told}");
    assert!(state(&archive).await.why.unwrap().contains("mount it"));
    assert!(!to.exists() || fs::read_dir(&to).unwrap().next().is_none());
    assert!(drill::of(&archive).await.is_err());
    assert!(state(&archive).await.drill_why.is_some());
    fs::remove_dir(&to).ok();
    fs::rename(disk.path().join("away"), &to).unwrap();
    backup::of(&archive).await.unwrap();
    assert!(drill::of(&archive).await.unwrap().passed);
    let whole = state(&archive).await;
    assert_eq!((whole.why, whole.drill_why, whole.behind, whole.overdue), (None, None, 0, false));
    archive.close().await.unwrap();
    holds(&to).await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_room_is_all_it_needs() {
    let world = lived_in().await;
    let disk = folder();
    let small = Small(disk.path());
    small.mount("size=4m");
    let to = place(disk.path());
    let told = back_up(&world, &to, USUAL).await.unwrap_err();
    assert!(told.contains("make room") && told.contains("giải phóng chỗ"), "{told}");
    assert!(runs::all(&to).await.unwrap().is_empty(), "it was not finished, and does not say so");
    small.mount("remount,size=64m");
    back_up(&world, &to, USUAL).await.unwrap();
    holds(disk.path()).await;
    // The other way round.
    let data = folder();
    let small = Small(data.path());
    small.mount("size=4m");
    let told = bring_back(&world, &to, data.path(), PLAIN).await.unwrap_err();
    assert!(told.contains("make room"), "{told}");
    let opened = Archive::open(data.path(), world.config.clone(), world.clock(), &|_| {}).await;
    let told = opened.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("run `vankho restore` again") || told.contains("was interrupted"), "{told}");
    small.mount("remount,size=256m");
    let brought = bring_back(&world, &to, data.path(), PLAIN).await.unwrap();
    assert!(brought.whole && brought.report.outcome() == Outcome::Holds, "{brought:?}");
    drop(small);
    world.check().await;
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// What the runbook says is done here, word by word.
#[tokio::test(flavor = "multi_thread")]
async fn the_runbook_is_rehearsed() {
    let runbook = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/runbook.md")).unwrap();
    let world = lived_in().await;
    let (data, above) = (world.data.path(), folder());
    let at = |name: &str| above.path().join(name).display().to_string();
    let (backup, second, new, report) = (at("A"), at("B"), at("DIR"), at("FILE"));
    let receipt = world.file("receipt", &world.acknowledged.lock().unwrap()[0].receipt).display().to_string();
    let keyfile =
        world.file("keys", fs::read(world.archive_folder().join(layout::KEYS)).unwrap()).display().to_string();
    let run = |data: &Path, said: &str, arguments: &[&str], code: i32, words: &[&str]| {
        assert!(said.is_empty() || runbook.contains(said), "the runbook does not say: {said}");
        let output = vankho(data, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", told(&output));
        for word in words {
            assert!(told(&output).contains(word), "{arguments:?}: {word}: {}", told(&output));
        }
    };
    let restored = PathBuf::from(&new);
    run(data, "`vankho backup A`", &["backup", &backup], 0, &["Backed up to", "SIGNING KEY"]);
    run(data, "`--without-keys`", &["backup", "--without-keys", &second], 0, &["WITHOUT the signing key"]);
    run(data, "`vankho backup --verify-all A`", &["backup", "--verify-all", &backup], 0, &["0 objects written"]);
    run(data, "`vankho backup list`", &["backup", "list", &backup], 0, &["1: ", "2: ", "with the signing key"]);
    run(
        data,
        "`vankho backup drill --report FILE`",
        &["backup", "drill", "--report", &report, &backup],
        0,
        &["PASSED", "Nonce"],
    );
    run(data, "`vankho verify drill FILE KEYFILE`", &["verify", "drill", &report, &keyfile], 0, &["PASSED", "signed"]);
    let forged = fs::read_to_string(&report).unwrap().replace("\"faults\":0", "\"faults\":1");
    fs::write(at("forged"), forged).unwrap();
    run(data, "", &["verify", "drill", &at("forged"), &keyfile], 1, &["DOES NOT HOLD"]);
    run(data, "`vankho status`", &["status"], 0, &["Backup at ", "0 entries since", "passed"]);
    let at_backup = "`vankho verify archive --data BACKUP`";
    run(Path::new(&backup), at_backup, &["verify", "archive"], 0, &["HOLDS"]);
    let said = "`vankho restore BACKUP --data DIR --known FILE`";
    run(&restored, said, &["restore", &backup, "--known", &receipt], 0, &["HOLDS", "vankho promote --place 1"]);
    run(&restored, "", &["status"], 2, &["vankho promote --place 1"]);
    run(&restored, "`vankho verify archive --data DIR`", &["verify", "archive"], 0, &["HOLDS"]);
    run(&restored, "`vankho rebuild`", &["rebuild"], 0, &[]);
    let said = "`vankho promote --data DIR --place N --old-is-gone --known FILE`";
    run(&restored, said, &["promote", "--place", "1", "--old-is-gone", "--known", &receipt], 0, &["epoch 2"]);
    run(&restored, "", &["status"], 0, &["3 records"]);
    let apart = data.join("secret").display().to_string();
    let elsewhere = PathBuf::from(at("DIR2"));
    run(&elsewhere, "", &["restore", &second], 0, &["Without the signing key"]);
    run(&elsewhere, "`--secret DIR`", &["restore", &second, "--secret", &apart], 0, &["HOLDS"]);
    run(&elsewhere, "", &["restore", &at("nothing")], 2, &["no finished backup"]);
    // In Vietnamese as well, and as JSON for scripts.
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(["--language", "vi", "--data"]).arg(data).args(["backup", &backup]);
    assert!(told(&command.output().unwrap()).contains("KHÓA KÝ"));
    let output = vankho(data, &["--json", "backup", &backup]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["run"]["number"], 4, "{answer}");
    let mark = restored::read(&restored).unwrap().unwrap();
    assert_eq!((mark.place, mark.epoch, mark.whole), (1, 1, true));
    assert_eq!(
        Digest::of(&fs::read(&keyfile).unwrap()),
        Digest::of(&fs::read(restored.join("archive").join(layout::KEYS)).unwrap())
    );
    world.check().await;
}

/// A server that is ended with the test.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_backs_itself_up_and_another_backup_is_made_beside_it() {
    use std::io::BufRead;
    let world = lived_in().await;
    let (data, above) = (world.data.path(), folder());
    let (to, second) = (above.path().join("A"), above.path().join("B"));
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("VANKHO_BACKUP__TO", &to).args(["--json", "--data"]).arg(data);
    command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(std::process::Stdio::piped());
    let mut server = Server(command.spawn().unwrap());
    let mut line = String::new();
    std::io::BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = serde_json::from_str::<serde_json::Value>(&line).unwrap()["url"].as_str().unwrap().to_owned();
    let began = std::time::Instant::now();
    loop {
        let metrics = reqwest::get(format!("{}/metrics", url.trim_end_matches('/'))).await.unwrap();
        if metrics.text().await.unwrap().contains("vankho_backup_age_seconds") {
            break;
        }
        assert!(began.elapsed().as_secs() < 60, "no backup was made");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let made = vankho(data, &["backup", &second.display().to_string()]);
    assert_eq!(made.status.code(), Some(0), "{}", told(&made));
    drop(server);
    for backup in [&to, &second] {
        holds(backup).await;
        assert_eq!(runs::all(&place(backup)).await.unwrap().len(), 1);
    }
    world.check().await;
}

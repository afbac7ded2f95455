//! Whatever somebody does to a file of the archive, the audit names that file.
//!
//! Every byte of a tiny archive is flipped when `VANKHO_FULL=1`, a seeded slice otherwise
//! (`VANKHO_SEED` moves it).

use crate::world::{Chance, World, docx, folder, pdf, row};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::symlink},
    path::{Path, PathBuf},
    sync::Mutex,
    time::Instant,
};
use vankho::{
    store::Store,
    verify::{
        Outcome,
        archive::{Report, verify_archive},
    },
};

/// Bytes flipped in a default run.
const SLICE: u64 = 6000;

fn full() -> bool {
    std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1")
}

fn seed() -> u64 {
    std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Few records of every kind, published several times.
async fn tiny() -> World {
    let world = World::on_disk().await;
    world.file("a.docx", docx("Giấy phép xây dựng"));
    world.file("b.pdf", pdf("hello"));
    let archive = world.open().await.unwrap();
    let both = r#""components":["a.docx","b.pdf"]"#;
    world.ingest_all(&archive, &world.file("1.jsonl", row("1", "hai tệp", both))).await;
    archive.close().await.unwrap();
    let archive = world.open().await.unwrap();
    world.characterize(&archive).await.unwrap();
    world.ingest_all(&archive, &world.file("2.jsonl", row("2", "toàn văn", r#""text":"nội dung""#))).await;
    archive.close().await.unwrap();
    world
}

/// More than two full tiles, several commits, partial tiles.
async fn larger() -> World {
    let mut world = World::on_disk().await;
    world.config.ledger.batch_entries_max = 50;
    for (name, from, to) in [("1.jsonl", 0, 300), ("2.jsonl", 300, 640)] {
        let rows: String =
            (from..to).map(|n| row(&n.to_string(), &format!("số {n}"), r#""text":"nội dung""#)).collect();
        let archive = world.open().await.unwrap();
        world.ingest_all(&archive, &world.file(name, rows)).await;
        archive.close().await.unwrap();
    }
    world
}

pub fn files(root: &Path) -> (Vec<String>, Vec<PathBuf>) {
    let (mut files, mut seen, mut folders) = (Vec::new(), Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            match path.is_dir() {
                true if inside == "staging" => {}
                true => folders.push(path),
                false => files.push(inside),
            }
        }
        seen.push(folder);
    }
    files.sort();
    (files, seen)
}

async fn audit(root: &Path) -> Report {
    verify_archive(&Store::local(root).unwrap(), &[], &|_, _| {}).await
}

/// The audit of a place does not hold and names the file.
fn names(report: &Report, path: &str) -> Result<(), String> {
    let named = report.faults.iter().any(|fault| fault.path == path);
    match (report.outcome(), named) {
        (Outcome::Tampered | Outcome::Incomplete, true) => Ok(()),
        (outcome, _) => Err(format!("{path}: {outcome:?}, {:?} {:?}", report.faults, report.under_way)),
    }
}

/// Work on copies of a place, one a core; `work` gets a copy and a share of the cases.
fn on_copies<T: Send + Sync>(
    world: &World,
    cases: &[T],
    work: impl Fn(&Path, &T) -> Result<(), String> + Sync,
) -> usize {
    let (failures, next) = (Mutex::new(Vec::new()), Mutex::new(0usize));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let copy = folder();
                crate::place::copy(&world.archive_folder(), copy.path());
                loop {
                    let at = {
                        let mut next = next.lock().unwrap();
                        *next += 1;
                        *next - 1
                    };
                    let Some(case) = cases.get(at) else { return };
                    if let Err(failure) = work(copy.path(), case) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} not found:\n{}",
        failures.len(),
        cases.len(),
        failures[..failures.len().min(20)].join("\n")
    );
    cases.len()
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn flip(root: &Path, (path, at, bit): &(String, u64, u8)) -> Result<(), String> {
    let file = root.join(path);
    let bytes = fs::read(&file).unwrap();
    let mut flipped = bytes.clone();
    flipped[*at as usize] ^= 1 << bit;
    fs::write(&file, &flipped).unwrap();
    let told = names(&block(audit(root)), path).map_err(|told| format!("byte {at} bit {bit} of {told}"));
    fs::write(&file, &bytes).unwrap();
    told
}

fn flips(world: &World, count: Option<u64>) -> Vec<(String, u64, u8)> {
    let (root, mut chance) = (world.archive_folder(), Chance(seed()));
    let mut all = Vec::new();
    for path in files(&root).0 {
        let size = fs::metadata(root.join(&path)).unwrap().len();
        all.extend((0..size).map(|at| (path.clone(), at, chance.below(8) as u8)));
    }
    if let Some(count) = count.filter(|count| *count < all.len() as u64) {
        all = (0..count).map(|_| all[chance.below(all.len() as u64) as usize].clone()).collect();
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_byte_of_a_tiny_archive_is_found() {
    let world = tiny().await;
    assert_eq!(audit(&world.archive_folder()).await.faults, []);
    // The log and the records have few bytes and the documents many: of the former every one is flipped.
    let (small, large): (Vec<_>, Vec<_>) = flips(&world, None)
        .into_iter()
        .partition(|(path, _, _)| path.starts_with("log") || path.starts_with("keys") || path == "place.json");
    let mut cases = if full() {
        [small, large].concat()
    } else {
        slice(small, SLICE / 2).into_iter().chain(slice(large, SLICE / 2)).collect()
    };
    cases.sort();
    let began = Instant::now();
    let done = on_copies(&world, &cases, flip);
    eprintln!("{done} flips, all found, in {:?}", began.elapsed());
    world.check().await;
}

fn slice(all: Vec<(String, u64, u8)>, count: u64) -> Vec<(String, u64, u8)> {
    let mut chance = Chance(seed() ^ 0xabc);
    if all.len() as u64 <= count {
        return all;
    }
    (0..count).map(|_| all[chance.below(all.len() as u64) as usize].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bytes_of_a_larger_archive_are_found() {
    let world = larger().await;
    assert_eq!(audit(&world.archive_folder()).await.faults, []);
    let mut cases = flips(&world, Some(if full() { 5000 } else { 150 }));
    // Most bytes are in records; the log gets a share of its own.
    let log: Vec<_> = flips(&world, None).into_iter().filter(|(path, _, _)| path.starts_with("log")).collect();
    cases.extend(slice(log, if full() { 5000 } else { 200 }));
    let done = on_copies(&world, &cases, flip);
    eprintln!("{done} flips, all found");
    world.check().await;
}

/// What may be gone without a loss: checkpoints and partial tiles that newer ones have superseded. They
/// can be made again byte for byte, and publishing itself removes the tiles.
fn superseded(root: &Path, path: &str) -> bool {
    let newest = fs::read_to_string(root.join("log/checkpoint")).unwrap();
    let size: u64 = newest.lines().nth(1).unwrap().parse().unwrap();
    let current: BTreeSet<String> = vankho::ledger::tile::partials(size)
        .iter()
        .flat_map(|tile| {
            let bundle = vankho::ledger::tile::Bundle { n: tile.n, width: tile.width };
            [Some(tile.path()), (tile.level == 0).then(|| bundle.path())]
        })
        .flatten()
        .collect();
    match path.strip_prefix("log/checkpoints/") {
        Some(of) => of != size.to_string(),
        None => path.contains(".p/") && !current.contains(path),
    }
}

/// Of the records at most some in a default run; of everything else every file.
fn removals(world: &World, records_max: usize) -> usize {
    let (root, mut chance) = (world.archive_folder(), Chance(seed() ^ 0xdef));
    let all = files(&root).0.into_iter().filter(|path| !superseded(&root, path));
    let (mut records, others): (Vec<_>, Vec<_>) = all.partition(|path| path.starts_with("records"));
    while !full() && records.len() > records_max {
        records.swap_remove(chance.below(records.len() as u64) as usize);
    }
    let cases = [records, others].concat();
    on_copies(world, &cases, |root, path| {
        let (file, away) = (root.join(path), root.join("staging/away"));
        fs::rename(&file, &away).unwrap();
        let told = names(&block(audit(root)), path).map_err(|told| format!("removed {told}"));
        fs::rename(&away, &file).unwrap();
        told
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_removed_file_is_found() {
    let tiny = tiny().await;
    let done = removals(&tiny, usize::MAX);
    tiny.check().await;
    let larger = larger().await;
    eprintln!("{done} and {} removals, all found", removals(&larger, 150));
    larger.check().await;
}

/// One way to slip something in: its name in a folder, and how it is made.
type Slipped = (OsString, fn(&Path));

fn slipped() -> Vec<Slipped> {
    let write = |path: &Path| fs::write(path, "slipped in").unwrap();
    vec![
        ("stray".into(), write),
        (".hidden".into(), write),
        ("empty".into(), |path| fs::write(path, "").unwrap()),
        ("stray#1".into(), write),
        (format!("{}.json", "0".repeat(64)).into(), write),
        ("link".into(), |path| symlink("/etc/hostname", path).unwrap()),
        ("link-to-folder".into(), |path| symlink("/etc", path).unwrap()),
        (OsString::from_vec(b"not-utf8-\xff".to_vec()), write),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_unknown_file_is_found() {
    let world = tiny().await;
    let root = world.archive_folder();
    let mut folders: Vec<PathBuf> =
        files(&root).1.iter().map(|path| path.strip_prefix(&root).unwrap().to_owned()).collect();
    // Of the shards of records those that hold something, and two that do not.
    let empty = |path: &PathBuf| path.starts_with("records") && fs::read_dir(root.join(path)).unwrap().count() == 0;
    let (bare, mut used): (Vec<_>, Vec<_>) = folders.drain(..).partition(empty);
    used.extend(bare.into_iter().take(2));
    let fresh = "records/ab/0198c5a2-7d5c-7000-8000-0000000000ab";
    used.extend([
        PathBuf::from("new/folder"),
        PathBuf::from(fresh),
        PathBuf::from("records/zz"),
        PathBuf::from("log/other"),
    ]);
    let cases: Vec<(PathBuf, Slipped)> =
        used.iter().flat_map(|folder| slipped().into_iter().map(move |one| (folder.clone(), one))).collect();
    let done = on_copies(&world, &cases, |root, (folder, (name, make))| {
        let existed = root.join(folder).is_dir();
        fs::create_dir_all(root.join(folder)).unwrap();
        let path = root.join(folder).join(name);
        make(&path);
        let report = block(audit(root));
        fs::remove_file(&path).unwrap();
        let mut made = folder.clone();
        while !existed && fs::remove_dir(root.join(&made)).is_ok() && made.pop() {}
        let wanted = folder.join(name).to_string_lossy().into_owned();
        let named = report.faults.iter().any(|fault| fault.path.starts_with(&wanted));
        match report.outcome() {
            Outcome::Tampered if named => Ok(()),
            outcome => Err(format!("{wanted}: {outcome:?} {:?} {:?}", report.faults, report.under_way)),
        }
    });
    eprintln!("{done} unknown files, all found");
    world.check().await;
}

/// Names that the form of a log has room for and that no log can ever reach: level 8 begins with entry 2^64.
#[tokio::test(flavor = "multi_thread")]
async fn tiles_above_every_tree_are_found() {
    let world = tiny().await;
    let root = world.archive_folder();
    for level in [8, 9, 62, 63] {
        for name in ["000", "255", "x001/x234/067", "000.p/1", "000.p/255"] {
            for bytes in [vec![], vec![0; 32], vec![0; 8192]] {
                let path = format!("log/tile/{level}/{name}");
                let file = root.join(&path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, &bytes).unwrap();
                let report = audit(&root).await;
                assert_eq!(report.outcome(), Outcome::Tampered, "{path}, {} bytes: {:?}", bytes.len(), report.faults);
                names(&report, &path).unwrap();
                if (level, name, bytes.len()) == (8, "000", 0) {
                    // And so says the program, to whoever asks it.
                    let told = crate::place::vankho(world.data.path(), &["verify", "archive"]);
                    let text = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
                    assert!(told.status.code() == Some(1) && text.contains(&path) && !text.contains("panic"), "{text}");
                }
                fs::remove_dir_all(root.join(format!("log/tile/{level}"))).unwrap();
            }
        }
    }
    assert_eq!(audit(&root).await.faults, []);
    world.check().await;
}

/// What a process that was killed leaves is told by name and is no fault: a half-written file beside the
/// name that it was for, and whatever lies in a folder that an intent names.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_leaves_is_a_note() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let record = archive.new_record().unwrap();
    let intent = archive.intend(&[record]).await.unwrap();
    let inside = format!("records/{}/{record}/half", record.shard());
    let written = [
        inside.as_str(),
        "log/checkpoint#1",
        "log/commits/00000000000000000001#1",
        "log/checkpoints/2#1",
        "log/tile/0/000.p/2#3",
    ];
    for path in written {
        fs::create_dir_all(world.archive_folder().join(path).parent().unwrap()).unwrap();
        fs::write(world.archive_folder().join(path), "half").unwrap();
    }
    let report = audit(&world.archive_folder()).await;
    assert_eq!((report.faults.as_slice(), report.outcome()), (&[][..], Outcome::Holds));
    for path in written {
        assert!(report.under_way.iter().any(|told| told == path), "{path}: {:?}", report.under_way);
    }
    drop(intent);
    archive.close().await.unwrap();
    world.check().await;
}

/// Publishing that dies anywhere between the first tile and the checkpoint leaves nothing to be called wrong.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_publication_is_no_fault() {
    let mut world = World::on_disk().await;
    world.config.ledger.batch_entries_max = 64;
    let rows = |from: usize, to: usize| -> String {
        (from..to).map(|n| row(&n.to_string(), &format!("số {n}"), r#""text":"nội dung""#)).collect()
    };
    let log = world.archive_folder().join("log");
    // Up to a size with partial tiles, then to one that ends with its tiles.
    for (name, from, to) in [("1.jsonl", 0, 200), ("2.jsonl", 200, 511), ("3.jsonl", 511, 800)] {
        let archive = world.open().await.unwrap();
        let before = folder();
        crate::place::copy(&log, before.path());
        world.ingest_all(&archive, &world.file(name, rows(from, to))).await;
        let report = audit(&world.archive_folder()).await;
        assert_eq!(report.faults, [], "committed and not published");
        archive.close().await.unwrap();
        let (after, _) = files(&log);
        // What was there before comes back beside what is new, and the old checkpoint is in force.
        for path in files(before.path()).0 {
            fs::create_dir_all(log.join(&path).parent().unwrap()).unwrap();
            fs::copy(before.path().join(&path), log.join(&path)).unwrap();
        }
        let mut new: Vec<_> =
            after.into_iter().filter(|path| path.starts_with("tile") && !before.path().join(path).exists()).collect();
        assert!(!new.is_empty());
        while let Some(path) = new.pop() {
            let report = audit(&world.archive_folder()).await;
            assert_eq!(report.faults, [], "with {path}");
            fs::remove_file(log.join(path)).unwrap();
        }
    }
    world.check().await;
}

//! The order of writes as the kernel sees it: before a row is acknowledged, everything that its receipt
//! depends on is fsync'ed, the names as well as the bytes.

use crate::{
    process::{manifest, succeeds},
    world::{PROGRAM, row},
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use vankho::{record::id::RecordId, store::layout};

const CALLS: &str = "trace=open,openat,openat2,creat,close,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,write,pwrite64,writev,pwritev,copy_file_range,sendfile,ftruncate,fallocate,unlink,unlinkat";

/// Runs a program under strace; the trace, and what it said.
fn traced(program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (String, String) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let trace = folder.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "200", "-e", CALLS, "-o"]).arg(&trace).arg(program).args(arguments);
    command.envs(environment.iter().copied()).stdin(Stdio::null());
    let output = command.output().expect("strace is missing: install it (apt-get install strace)");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "strace must be allowed to trace here: {told}");
    (fs::read_to_string(trace).unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Calls in the order in which they ended; a call that was interrupted by another thread's is put together.
fn calls(trace: &str) -> Vec<String> {
    let (mut begun, mut calls) = (HashMap::new(), Vec::new());
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start.to_owned());
        } else if let Some(end) = rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            calls.push(begun.remove(thread).unwrap_or_default() + end.1);
        } else {
            calls.push(rest.to_owned());
        }
    }
    calls
}

/// What an answer needs on the disk.
#[derive(Debug)]
enum Need {
    /// The file, its bytes and every name on the way to it.
    Whole(String),
    /// Every name on the way to it: others write into this file at any time.
    Name(String),
}

/// What would be on the disk if the power went now.
#[derive(Default)]
struct Disk {
    /// Which bytes a name stands for.
    names: HashMap<String, usize>,
    /// Bytes that were written since their last fsync.
    unsynced: HashSet<usize>,
    /// Names that were added or moved since the last fsync of their folder.
    unnamed: HashSet<String>,
    /// Folders that were made in this run.
    folders: HashSet<String>,
    files: usize,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The path in `9</a/b>`, or in `AT_FDCWD</x>, "/a/b"`.
fn descriptor(text: &str) -> Option<&str> {
    text.split_once('<')?.1.split_once('>').map(|(path, _)| path)
}

fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

impl Disk {
    fn hear(&mut self, call: &str) {
        let Some((name, rest)) = call.split_once('(') else { return };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { return };
        if result.starts_with('-') || result.starts_with('?') {
            return;
        }
        let paths = quoted(arguments);
        match name {
            "open" | "openat" | "openat2" | "creat" if arguments.contains("O_CREAT") => {
                let Some(path) = descriptor(result) else { return };
                if arguments.contains("O_EXCL") || !self.names.contains_key(path) {
                    self.files += 1;
                    self.names.insert(path.into(), self.files);
                    self.unsynced.insert(self.files);
                    self.unnamed.insert(path.into());
                }
            }
            "write" | "pwrite64" | "writev" | "pwritev" | "ftruncate" | "fallocate" | "sendfile" => {
                if let Some(file) = descriptor(arguments).and_then(|path| self.names.get(path)) {
                    self.unsynced.insert(*file);
                }
            }
            "copy_file_range" => {
                let to = arguments.split(", ").nth(2).and_then(descriptor);
                if let Some(file) = to.and_then(|path| self.names.get(path)) {
                    self.unsynced.insert(*file);
                }
            }
            "fsync" | "fdatasync" => {
                let Some(path) = descriptor(arguments) else { return };
                if let Some(file) = self.names.get(path) {
                    self.unsynced.remove(file);
                }
                self.unnamed.retain(|name| parent(name) != path);
            }
            "rename" | "renameat" | "renameat2" | "link" | "linkat" => {
                let [from, to] = paths[..] else { return };
                let file =
                    if name.starts_with("rename") { self.names.remove(from) } else { self.names.get(from).copied() };
                if let Some(file) = file {
                    self.names.insert(to.into(), file);
                    self.unnamed.insert(to.into());
                }
            }
            "mkdir" | "mkdirat" => {
                let [path] = paths[..] else { return };
                self.folders.insert(path.into());
                self.unnamed.insert(path.into());
            }
            _ => {}
        }
    }

    /// What is not safe of what an answer needs.
    fn doubts(&self, need: &Need) -> Vec<String> {
        let (Need::Whole(path) | Need::Name(path)) = need;
        let Some(file) = self.names.get(path) else { return vec![format!("{path} was not written")] };
        let mut doubts = Vec::new();
        if matches!(need, Need::Whole(_)) && self.unsynced.contains(file) {
            doubts.push(format!("{path}: its bytes were not fsync'ed"));
        }
        if self.unnamed.contains(path) {
            doubts.push(format!("{path}: its name was not fsync'ed in {}", parent(path)));
        }
        let mut folder = parent(path);
        while self.folders.contains(folder) {
            if self.unnamed.contains(folder) {
                doubts.push(format!("{folder}: the folder's name was not fsync'ed in {}", parent(folder)));
            }
            folder = parent(folder);
        }
        doubts
    }
}

/// What each answer depended on and was not safe when it was given. `needs` tells the files of a record.
fn doubts(trace: &str, needs: &dyn Fn(&str) -> Vec<Need>) -> (usize, BTreeSet<String>) {
    let (mut disk, mut answers, mut doubts) = (Disk::default(), 0, BTreeSet::new());
    for call in calls(trace) {
        disk.hear(&call);
        let answer = call.starts_with("write(1<").then(|| call.split_once(r#"\"record\":\""#)).flatten();
        let Some((_, rest)) = answer else { continue };
        let record = &rest[..36];
        answers += 1;
        for need in needs(record) {
            doubts.extend(disk.doubts(&need).into_iter().map(|doubt| format!("answer {answers}: {doubt}")));
        }
    }
    (answers, doubts)
}

/// Everything in the archive that the receipt of an accession depends on, as it lies there afterwards: the
/// record, the log from its first commit to the one that names the record, the place and its keys.
fn depends(archive: &Path, record: &str) -> Vec<Need> {
    let id: RecordId = record.parse().unwrap();
    let folder = archive.join(layout::unit(id));
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(paths.len() >= 2, "a component and a description");
    let commits = fs::read_dir(archive.join(layout::COMMITS)).unwrap().map(|entry| entry.unwrap().path());
    let mut commits: Vec<PathBuf> = commits.collect();
    // Their names are the sizes before them: in the order of names, each goes on from the one before it.
    commits.sort();
    let names = |path: &PathBuf| fs::read_to_string(path).unwrap().contains(record);
    assert_eq!(commits.iter().filter(|path| names(path)).count(), 1, "one commit names it");
    commits.truncate(1 + commits.iter().position(names).unwrap());
    assert!(commits[0].ends_with(layout::commit(0)) && commits.len() > 1, "the founding comes first");
    paths.extend(commits);
    paths.extend([layout::PLACE, layout::KEYS].map(|path| archive.join(path)));
    paths.into_iter().map(|path| Need::Whole(path.display().to_string())).collect()
}

/// The same in a whole data folder: with the key that signs, and the desk, without whose journal a row that is
/// handed over again would be taken in twice.
fn depends_in(data: &Path, record: &str) -> Vec<Need> {
    let at = |path: &str| data.join(path).display().to_string();
    let mut needs = depends(&data.join("archive"), record);
    needs.push(Need::Whole(at("secret/signing.key")));
    needs.extend(["desk/desk.db", "desk/desk.db-wal"].map(|path| Need::Name(at(path))));
    needs
}

fn place() -> tempfile::TempDir {
    tempfile::tempdir_in(fs::canonicalize(env!("CARGO_TARGET_TMPDIR")).unwrap()).unwrap()
}

#[test]
fn everything_is_on_disk_before_the_answer() {
    let (inbox, above) = (place(), place());
    let manifest = manifest(inbox.path(), 40);
    // The data folder itself is made by the founding, so its name is new too.
    let data = above.path().join("kho");
    let (at, manifest) = (data.to_str().unwrap(), manifest.to_str().unwrap());
    let environment = [("VANKHO_INGEST__CONCURRENCY", "4"), ("TOKIO_WORKER_THREADS", "2")];
    let run = |arguments: &[&str]| {
        traced(Path::new(PROGRAM), &[["--json", "--data", at].as_slice(), arguments].concat(), &environment).0
    };
    // One disk hears both, the founding and the taking in.
    let trace =
        run(&["init", "--origin", crate::world::ORIGIN]) + &run(&["ingest", "--no-read", "--manifest", manifest]);
    let needs = |record: &str| depends_in(&data, record);
    assert_eq!(doubts(&trace, &needs), (40, BTreeSet::new()));
    // The same trace without its fsyncs is what a careless program would leave.
    type Careless = fn(&str) -> bool;
    let careless: [(&str, Careless); 4] = [
        ("no fsync at all", |line| line.contains("sync(")),
        ("none of folders", |line| line.contains("sync(") && !line.contains('#')),
        ("none of commits", |line| line.contains("sync(") && line.contains("log/commits")),
        ("none of files", |line| line.contains("sync(") && line.contains('#')),
    ];
    for (what, careless) in careless {
        let kept: String = trace.lines().filter(|line| !careless(line)).map(|line| format!("{line}\n")).collect();
        let (answers, found) = doubts(&kept, &needs);
        assert!(answers == 40 && found.len() >= 40, "{what}: {} doubts", found.len());
    }
    succeeds(&data, &["verify", "archive"]);
}

const CARELESS: &str = "VANKHO_TEST_CARELESS";

/// The whole way of a record over a store that does not fsync, as a process to be traced.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below, in a process of its own"]
async fn a_careless_process() {
    let Some(data) = std::env::var_os(CARELESS).map(PathBuf::from) else { panic!("{CARELESS} names no folder") };
    let archive = data.join("archive");
    fs::create_dir_all(&archive).unwrap();
    let objects = object_store::local::LocalFileSystem::new_with_prefix(&archive).unwrap();
    let mut world = crate::world::World::memory();
    world.config.ingest.concurrency = 1;
    let store = vankho::store::Store::over(std::sync::Arc::new(objects));
    vankho::archive::place::found(&store, crate::world::signer(), &world.clock()).await.unwrap();
    let manifest = world.file("m.jsonl", row("1", "một", r#""text":"một""#) + &row("2", "hai", r#""text":"hai""#));
    let objects = object_store::local::LocalFileSystem::new_with_prefix(&archive).unwrap();
    let open = world.open_over(std::sync::Arc::new(objects), world.data.path()).await.unwrap();
    world.ingest_all(&open, &manifest).await;
    for one in world.acknowledged.lock().unwrap().iter() {
        use std::io::Write;
        writeln!(std::io::stdout(), "{{\"record\":\"{}\"}}", one.record).unwrap();
    }
}

#[test]
fn a_process_that_does_not_fsync_is_found_out() {
    let data = place();
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "durable::a_careless_process", "--ignored", "--nocapture"];
    let (trace, said) = traced(&program, &arguments, &[(CARELESS, data.path().to_str().unwrap())]);
    let archive = data.path().join("archive");
    let (answers, found) = doubts(&trace, &|record| depends(&archive, record));
    assert_eq!(answers, 2, "{said}");
    assert!(found.iter().any(|doubt| doubt.contains("its bytes were not")), "{found:?}");
    assert!(found.iter().any(|doubt| doubt.contains("its name was not")), "{found:?}");
}

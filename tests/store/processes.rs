//! Several processes on one S3 server, each with catalog, index and desk of its own, and no leader.

use crate::{
    server::Server,
    world::{Acknowledged, Chance, ORIGIN, PROGRAM, examine, folder, row},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use vankho::{
    archive::{
        Archive, Clock, Parts,
        place::{DESK, Folders},
        rebuild::{CATALOG, INDEX},
    },
    catalog::Catalog,
    config::Config,
    desk::Desk,
    exchange,
    index::Index,
    ingest::{self, Fate},
    store::Store,
};

pub const PREFIX: &str = "tỉnh/kho";

pub fn full() -> bool {
    std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1")
}

fn command(server: &Server, data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().envs(Server::keys()).env("VANKHO_STORAGE__PLACES", server.address(PREFIX));
    command.args(["--json", "--language", "en", "--data"]).arg(data).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

pub fn succeeds(server: &Server, data: &Path, arguments: &[&str]) -> Output {
    let output = command(server, data, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// An archive in a bucket, and so many processes' data folders: whoever may write has the signing key.
pub fn found(server: &Server, processes: usize) -> Vec<TempDir> {
    let datas: Vec<TempDir> = (0..processes).map(|_| folder()).collect();
    succeeds(server, datas[0].path(), &["init", "--origin", ORIGIN]);
    for data in &datas[1..] {
        fs::create_dir(data.path().join("secret")).unwrap();
        fs::copy(datas[0].path().join("secret/signing.key"), data.path().join("secret/signing.key")).unwrap();
    }
    datas
}

fn manifest(inbox: &Path, name: &str, rows: usize) -> PathBuf {
    let text: String = (0..rows)
        .map(|n| {
            row(&format!("{name}-{n}"), &format!("văn bản {name} {n}"), &format!(r#""text":"toàn văn {name} số {n}""#))
        })
        .collect();
    let path = inbox.join(format!("{name}.jsonl"));
    fs::write(&path, text).unwrap();
    path
}

/// A process that takes in, and all that it acknowledges.
struct Run {
    child: Child,
    heard: JoinHandle<Vec<Acknowledged>>,
}

impl Run {
    fn of(server: &Server, data: &Path, manifest: &Path) -> Run {
        let mut child = command(server, data, &["ingest", &manifest.display().to_string()]).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let heard = std::thread::spawn(move || {
            out.lines().map_while(Result::ok).filter_map(|line| acknowledged(&line)).collect()
        });
        Run { child, heard }
    }

    /// Whether it is through, and what it acknowledged; an error of its own is told.
    fn end(mut self, kill: bool) -> (bool, Vec<Acknowledged>) {
        if kill {
            self.child.kill().ok();
        }
        let output = self.child.wait_with_output().unwrap();
        let heard = self.heard.join().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(kill || output.status.code() == Some(0), "{told}");
        (output.status.code() == Some(0), heard)
    }
}

fn acknowledged(line: &str) -> Option<Acknowledged> {
    // The last line of a killed process may be half a line.
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| Some(line.get(name)?.as_str()?.to_owned());
    let record = text("record")?.parse().unwrap();
    Some(Acknowledged { external_id: text("external_id")?, record, receipt: text("receipt")? })
}

/// The archive as a process finds it that has this data folder.
async fn open(store: Store, data: &Path, config: Config) -> Archive {
    let folders = Folders::of(data);
    let (derived, desk) = (&folders.derived, folders.desk.join(DESK));
    for folder in [derived, &folders.desk] {
        fs::create_dir_all(folder).unwrap();
    }
    let parts = Parts {
        store,
        signer: folders.signer().unwrap(),
        catalog: Catalog::open(Some(&derived.join(CATALOG))).await.unwrap(),
        index: Index::open(Some(&derived.join(INDEX)), &config.index).unwrap(),
        desk: Desk::open(Some(&desk)).await.unwrap(),
        clock: Clock::System,
        config,
        lock: None,
    };
    Archive::start(parts, &|_| {}).await.unwrap()
}

/// Every process's catalog and index against ones that are built anew from the bucket, and every receipt.
pub fn check(server: &Server, datas: &[impl AsRef<Path>], acknowledged: &[Acknowledged]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (n, data) in datas.iter().enumerate() {
            let fresh = folder();
            let secret = fresh.path().join("secret");
            fs::create_dir(&secret).unwrap();
            fs::copy(data.as_ref().join("secret/signing.key"), secret.join("signing.key")).unwrap();
            // The bucket as the server has it on its disk: to list it is a matter of the server, and not of ours.
            let store = || Store::local(&server.folder(PREFIX)).unwrap();
            let live = open(store(), data.as_ref(), Config::default()).await;
            let rebuilt = open(store(), fresh.path(), Config::default()).await;
            let faults = examine(&live, &rebuilt, acknowledged).await;
            assert!(faults.is_empty(), "process {n}:\n  {}", faults.join("\n  "));
            rebuilt.close().await.unwrap();
            live.close().await.unwrap();
        }
    });
}

#[test]
fn processes_that_are_killed_at_random_never_fork_the_log() {
    let (server, inbox) = (Server::start(), folder());
    let datas = found(&server, 3);
    // Killed servers take in far more (`served`); here each process goes on by the journal of its own desk.
    let (rows, kills) = if full() { (1_000, 20) } else { (50, 4) };
    let manifests: Vec<PathBuf> = (0..3).map(|n| manifest(inbox.path(), &format!("p{n}"), rows)).collect();
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (mut chance, mut killed, mut heard) = (Chance(seed), 0, Vec::new());
    let start = |n: usize| Some(Run::of(&server, datas[n].path(), &manifests[n]));
    let mut running: Vec<Option<Run>> = (0..3).map(start).collect();
    while running.iter().any(Option::is_some) {
        std::thread::sleep(Duration::from_millis(50 + chance.below(500)));
        let victim = chance.below(3) as usize;
        for (n, slot) in running.iter_mut().enumerate() {
            let gone = slot.as_mut().is_some_and(|run| run.child.try_wait().unwrap().is_some());
            let kill = n == victim && killed < kills && !gone;
            let Some(run) = slot.take_if(|_| gone || kill) else { continue };
            let (done, some) = run.end(kill);
            heard.extend(some);
            if !done {
                killed += 1;
                *slot = start(n);
            }
        }
    }
    let mut ids: Vec<&str> = heard.iter().map(|one| one.external_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3 * rows, "every row of every process is acknowledged in the end");
    succeeds(&server, datas[0].path(), &["verify", "archive"]);
    check(&server, &datas, &heard);
    eprintln!("{} rows by three processes, {killed} kills, seed {seed}", 3 * rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_commits_another_answers_within_a_second() {
    let (server, inbox) = (Server::start(), folder());
    let datas = found(&server, 2);
    let store = || Store::over(server.objects(PREFIX));
    let a = open(store(), datas[0].path(), Config::default()).await;
    let b = open(store(), datas[1].path(), Config::default()).await;
    let path = manifest(inbox.path(), "a", 20);
    let packages: Vec<_> = exchange::open(&path, &a.config.ingest).unwrap().collect();
    let mut kept = 0;
    let mut hear = |outcome: ingest::Outcome| kept += usize::from(matches!(outcome.fate, Fate::Kept { .. }));
    ingest::receive(&a, "a", futures::stream::iter(packages), &mut hear).await.unwrap();
    assert_eq!(kept, 20);
    let (size, began) = (a.ledger.size(), Instant::now());
    while b.catalog.applied() < size {
        assert!(began.elapsed() < Duration::from_secs(1), "{} of {size}", b.catalog.applied());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    a.close().await.unwrap();
    b.close().await.unwrap();
}

#[test]
fn a_server_that_goes_away_costs_nothing_that_was_acknowledged() {
    let (mut server, inbox) = (Server::start(), folder());
    let datas = found(&server, 1);
    let path = manifest(inbox.path(), "a", 300);
    let run = Run::of(&server, datas[0].path(), &path);
    std::thread::sleep(Duration::from_millis(600));
    server.stop();
    let began = Instant::now();
    let mut child = run.child;
    while child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(90) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{:?}: {told}", output.status);
    assert!(told.contains("network") || told.contains("open the archive again"), "{told}");
    let mut heard = run.heard.join().unwrap();
    server.resume();
    let (done, rest) = Run::of(&server, datas[0].path(), &path).end(false);
    heard.extend(rest);
    assert!(done && heard.len() >= 300);
    check(&server, &datas, &heard);
}

#[test]
fn a_wrong_key_and_a_wrong_address_are_told() {
    let server = Server::start();
    let datas = found(&server, 1);
    let refused =
        command(&server, datas[0].path(), &["status"]).env("VANKHO_TEST_SECRET_ACCESS_KEY", "wrong").output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("keys in the environment") && !told.contains("wrong"), "{told}");
    let refused = command(&server, datas[0].path(), &["status"])
        .env("VANKHO_STORAGE__PLACES", server.address("none"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("there is no archive at s3://kho/none"), "{told}");
    let again = command(&server, datas[0].path(), &["init", "--origin", ORIGIN]).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("already"), "{again:?}");
    let lax = Server::lax();
    let data = folder();
    let refused = command(&lax, data.path(), &["init", "--origin", ORIGIN]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("create-if-absent"), "{told}");
}

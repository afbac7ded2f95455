//! The corpus through the API: sixteen connections, the server killed in between, and the same answers as the direct way.
//!
//! A usual run takes a slice of each part, a full one everything; the server is killed 10 times, or 50.

use crate::{Corpus, fold};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

fn full() -> bool {
    std::env::var_os("VANKHO_FULL").is_some()
}

/// Of each part so many rows, spread over it; their paths stay as they are.
fn slice(corpus: &Corpus) -> Vec<(PathBuf, u64)> {
    let parts = &corpus.manifests;
    if full() {
        return parts.all().into_iter().cloned().collect();
    }
    let some = [(&parts.register, 700), (&parts.gazette, 40), (&parts.documents, 30), (&parts.articles, 900)];
    let cut = |((path, _), some): (&(PathBuf, u64), usize)| {
        let text = fs::read_to_string(path).unwrap();
        let step = text.lines().count().div_ceil(some).max(1);
        let lines: Vec<&str> = text.lines().step_by(step).collect();
        let slice = path.with_file_name(format!("slice-{}", path.file_name().unwrap().to_str().unwrap()));
        fs::write(&slice, lines.join("\n") + "\n").unwrap();
        (slice, lines.len() as u64)
    };
    some.into_iter().map(cut).collect()
}

fn vankho(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vankho"));
    command.env("VANKHO_PASSWORD", "một mật khẩu dài");
    command.arg("--data").arg(data).args(["--json", "--language", "en"]).args(arguments).output().unwrap()
}

fn succeeds(data: &Path, arguments: &[&str]) -> String {
    let output = vankho(data, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "vankho {}: {told}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// A server process that can be killed and goes on under its address.
struct Service {
    data: PathBuf,
    listen: String,
    child: Option<Child>,
}

impl Service {
    fn start(data: &Path) -> Service {
        let mut service = Service { data: data.to_owned(), listen: "127.0.0.1:0".into(), child: None };
        service.resume();
        service
    }

    fn resume(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vankho"));
        command.arg("--data").arg(&self.data).args(["--json", "serve", "--listen", &self.listen]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it says where it listens: {line:?}"));
        let at = said["url"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/');
        self.listen = at.to_owned();
        self.child = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn terminate(&mut self) {
        let mut child = self.child.take().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Somebody at another machine.
struct Afar {
    address: String,
    token: String,
    state: PathBuf,
}

impl Afar {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vankho"));
        command.env("VANKHO_TOKEN", &self.token).env("VANKHO_STATE", &self.state);
        command.args(["--json", "--language", "en", "--server", &self.address]).args(arguments).stdin(Stdio::null());
        command
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "vankho {}: {told}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Numbers by which a run can be repeated.
fn chance() -> impl FnMut(u64) -> u64 {
    let mut state: u64 = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1) | 1;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    }
}

pub fn the_same_through_the_api(corpus: &Corpus) {
    let manifests = slice(corpus);
    let rows: u64 = manifests.iter().map(|(_, rows)| rows).sum();
    let (direct, served) = (corpus.dir.path().join("direct"), corpus.dir.path().join("served"));
    for data in [&direct, &served] {
        succeeds(data, &["init", "--origin", "corpus.example.vn/log"]);
    }
    let began = Instant::now();
    for (manifest, _) in &manifests {
        vankho(&direct, &["ingest", "--manifest", manifest.to_str().unwrap()]);
    }
    println!("{rows} rows the direct way, read: {:.1} s", began.elapsed().as_secs_f64());
    succeeds(&served, &["actor", "add", "lan", "--role", "archivist", "--agency", "Sở Nội vụ"]);
    let token: Value = serde_json::from_str(&succeeds(&served, &["actor", "token", "lan"])).unwrap();
    let mut service = Service::start(&served);
    let afar = Afar {
        address: format!("http://{}", service.listen),
        token: token["token"].as_str().unwrap().into(),
        state: corpus.dir.path().join("state"),
    };
    hand_over(corpus, &manifests, &afar, &mut service);
    let status: Value = serde_json::from_str(&afar.succeeds(&["status"])).unwrap();
    let before: Value = serde_json::from_str(&succeeds(&direct, &["status"])).unwrap();
    assert_eq!(status["records"], before["records"], "nothing is missing and nothing is doubled");
    all_is_read(&afar);
    compare(corpus, &direct, &afar);
    service.terminate();
    let verified = vankho(&served, &["verify", "archive"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// Hands everything over while the server is killed again and again; every row is acknowledged.
fn hand_over(corpus: &Corpus, manifests: &[(PathBuf, u64)], afar: &Afar, service: &mut Service) {
    let (kills, mut chance) = (if full() { 50 } else { 10 }, chance());
    let (began, mut killed) = (Instant::now(), 0);
    for (n, (manifest, rows)) in manifests.iter().enumerate() {
        let words = ["ingest", "--manifest", manifest.to_str().unwrap(), "--connections", "16"];
        let told = corpus.dir.path().join(format!("told-{n}.jsonl"));
        let (out, errors) = (fs::File::create(&told).unwrap(), fs::File::create(told.with_extension("txt")).unwrap());
        let mut client = afar.command(&words).stdout(out).stderr(errors).spawn().unwrap();
        let share = kills * (n + 1) / manifests.len();
        let code = loop {
            if let Some(status) = client.try_wait().unwrap() {
                break status.code();
            }
            std::thread::sleep(Duration::from_millis(20 + chance(if full() { 2500 } else { 250 })));
            if killed < share && client.try_wait().unwrap().is_none() {
                service.kill();
                killed += 1;
                service.resume();
            }
        };
        let errors = fs::read_to_string(told.with_extension("txt")).unwrap();
        assert!(matches!(code, Some(0 | 1)), "{code:?}: {errors}");
        let lines: Vec<Value> =
            fs::read_to_string(&told).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut answered: BTreeMap<u64, bool> = BTreeMap::new();
        for line in &lines {
            let before = answered.insert(line["row"].as_u64().unwrap(), line["receipt"].is_string());
            assert_eq!(before, None, "a row is told once");
        }
        assert_eq!(answered.len() as u64, *rows);
        let refused: Vec<&Value> = lines.iter().filter(|line| !line["receipt"].is_string()).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
    let rows: u64 = manifests.iter().map(|(_, rows)| rows).sum();
    let seconds = began.elapsed().as_secs_f64();
    let seed = std::env::var("VANKHO_SEED").unwrap_or_else(|_| "1".into());
    println!(
        "{rows} rows over 16 connections in {seconds:.1} s, {killed} kills, seed {seed}: none missing, none doubled"
    );
    assert!(killed * 10 >= kills * 8, "{killed} kills of {kills}: the rows were too few");
}

/// Waits until the server has read every text.
fn all_is_read(afar: &Afar) {
    let began = Instant::now();
    loop {
        let status: Value = serde_json::from_str(&afar.succeeds(&["status"])).unwrap();
        let page: Value = serde_json::from_str(&afar.succeeds(&["search", "--limit", "1"])).unwrap();
        if status["waiting"] == 0 && page["applied"] == status["entries"] {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(1800), "{status}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The same questions to both: the same documents, in the same order where no two are equally good.
fn compare(corpus: &Corpus, direct: &Path, afar: &Afar) {
    let path = corpus.dir.path().join("api-questions.jsonl");
    let typed = |question: &Value| {
        let (qid, text) = (question["qid"].as_str().unwrap(), question["text"].as_str().unwrap());
        [json!({"qid": qid, "text": text}), json!({"qid": format!("{qid} folded"), "text": fold(text)})]
    };
    let lines: Vec<String> = corpus.queries.iter().flat_map(typed).map(|line| line.to_string()).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let words = ["search", "--limit", "10", "--queries", path.to_str().unwrap()];
    let (here, there) = (succeeds(direct, &words), afar.succeeds(&words));
    assert_eq!(here.lines().count(), lines.len());
    let (mut same, mut alike) = (0, 0);
    for (here, there) in here.lines().zip(there.lines()) {
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let (here, there) = (read(here), read(there));
        assert_eq!(here["qid"], there["qid"]);
        let ids = |answer: &Value| -> HashSet<String> {
            answer["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
        };
        same += usize::from(here == there);
        alike += usize::from(ids(&here) == ids(&there));
    }
    let share = |count: usize| count as f64 / lines.len() as f64;
    println!("{} questions: {:.4} the same, {:.4} the same but for order", lines.len(), share(same), share(alike));
    // Rows came in another order, so that records that are equally good stand in another order too.
    assert!(share(alike) >= 0.99 && share(same) >= 0.98, "{same} and {alike} of {}", lines.len());
    for question in corpus.queries.iter().take(50) {
        let words = ["search", "--facets", "--limit", "1", question["text"].as_str().unwrap()];
        let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let (here, there) = (read(succeeds(direct, &words)), read(afar.succeeds(&words)));
        assert_eq!((&here["total"], &here["facets"]), (&there["total"], &there["facets"]), "{question}");
    }
}

//! The witness program alone: real processes, offers made by hand, forks, kills and strangers.

use crate::tree::{Tree, accessioned, keys, signer};
use crate::world::{Chance, PROGRAM, folder};
use reqwest::Client;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use vankho::ledger::{
    cosignature::WitnessKey,
    keys::Signer,
    merkle,
    note::{Note, encode_base64},
};
use vankho::record::digest::Digest;

pub const ORIGIN: &str = "kho.example.vn/so-cai";

/// A witness: its folder, its key, and its process if it runs.
pub struct Witness {
    pub data: TempDir,
    pub key: WitnessKey,
    archives: Vec<PathBuf>,
    listen: String,
    child: Option<Child>,
    pub address: String,
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(["--json", "--language", "en", "--data"]).arg(data).arg("witness").args(arguments);
    command.stdin(Stdio::null());
    command
}

impl Witness {
    pub fn make(name: &str, archives: &[PathBuf]) -> Witness {
        let data = folder();
        let made = command(data.path(), &["init", "--name", name]).output().unwrap();
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        let said: Value = serde_json::from_slice(&made.stdout).unwrap();
        let key = said["key"].as_str().unwrap().parse().unwrap();
        let listen = "127.0.0.1:0".into();
        Witness { data, key, archives: archives.to_vec(), listen, child: None, address: String::new() }
    }

    fn serve(&self) -> Command {
        let mut command = command(self.data.path(), &["serve", "--listen", &self.listen]);
        self.archives.iter().for_each(|path| {
            command.arg("--archive").arg(path);
        });
        command
    }

    /// Starts it; from then on it listens where it did. False where it died before it said where.
    fn begin(&mut self, mut command: Command) -> bool {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.child = Some(child);
        let Ok(said) = serde_json::from_str::<Value>(&line) else { return false };
        self.address = said["url"].as_str().unwrap().trim_end_matches('/').to_owned();
        self.listen = self.address.trim_start_matches("http://").to_owned();
        true
    }

    pub fn resume(&mut self) {
        assert!(self.begin(self.serve()), "it says where it listens");
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    pub async fn offer(&self, body: impl Into<reqwest::Body>) -> reqwest::Result<(u16, String)> {
        let answer = client().post(format!("{}/add-checkpoint", self.address)).body(body).send().await?;
        let (status, kind) = (answer.status().as_u16(), answer.headers().get("content-type").cloned());
        assert_eq!(kind.unwrap() == "text/x.tlog.size", status == 409);
        Ok((status, answer.text().await?))
    }

    /// The checkpoint that it cosigned last, if there is one.
    pub async fn newest(&self, origin: &str) -> Option<String> {
        let hash = Digest::of(origin.as_bytes());
        let answer = client().get(format!("{}/{hash}/checkpoint", self.address)).send().await.unwrap();
        match answer.status().as_u16() {
            200 => Some(answer.text().await.unwrap()),
            404 => None,
            other => panic!("{other}"),
        }
    }

    /// Size and root that it cosigned last; its own line and the archive's hold.
    async fn state(&self, signer: &Signer) -> Option<(u64, Digest)> {
        let note = self.newest(signer.origin()).await?;
        let checkpoint = keys(signer).open_checkpoint(&note).unwrap();
        assert!(self.key.cosigned(&Note::parse(&note).unwrap()).unwrap().is_some());
        Some((checkpoint.size, checkpoint.root))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.kill();
    }
}

fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

/// A log in memory, which may be one of two histories.
struct Log {
    signer: Signer,
    tree: Tree,
}

impl Log {
    /// `size` entries; from `fork` on they are those of another history.
    fn of(size: u8, fork: u8) -> Log {
        let entries: Vec<Vec<u8>> = (0..size).map(|n| accessioned(if n < fork { n } else { 255 - n })).collect();
        Log { signer: signer(ORIGIN, 1), tree: Tree::of(&entries) }
    }

    fn note(&self, size: u64) -> String {
        self.signer.sign_checkpoint(size, self.tree.root(size))
    }

    fn offer(&self, old: u64, new: u64) -> String {
        let proof = self.tree.assemble(&merkle::consistency_plan(old, new).unwrap());
        let proof: String = proof.iter().map(|hash| encode_base64(&hash.0) + "\n").collect();
        format!("old {old}\n{proof}\n{}", self.note(new))
    }
}

/// A key file on disk, and a witness that follows that archive.
pub fn follower(name: &str, place: &Path) -> Witness {
    let path = place.join(format!("{}.keys", ORIGIN.replace('/', "-")));
    std::fs::write(&path, keys(&signer(ORIGIN, 1)).to_string()).unwrap();
    let mut witness = Witness::make(name, &[path]);
    witness.resume();
    witness
}

#[tokio::test]
async fn it_cosigns_what_goes_on_and_answers_as_the_specification_says() {
    let place = folder();
    let witness = follower("witness.example.vn/một", place.path());
    let log = Log::of(60, 60);
    assert_eq!(witness.newest(ORIGIN).await, None);
    assert_eq!(witness.newest("somebody.else").await, None);
    for (old, new) in [(0, 5), (5, 5), (5, 32), (32, 60)] {
        let (status, line) = witness.offer(log.offer(old, new)).await.unwrap();
        assert_eq!(status, 200, "{line}");
        let note = format!("{}{line}", log.note(new));
        let time = witness.key.cosigned(&Note::parse(&note).unwrap()).unwrap().unwrap();
        let now = vankho::archive::Clock::System.now().millis() / 1000;
        assert!(now.abs_diff(time) < 60, "{time}");
        assert_eq!(witness.newest(ORIGIN).await.unwrap(), note);
    }
    // The size that it has, however it is asked; and never a smaller tree.
    for (old, new) in [(0, 60), (32, 60), (5, 32), (0, 5), (0, 0)] {
        assert_eq!(witness.offer(log.offer(old, new)).await.unwrap(), (409, "60\n".into()), "{old} {new}");
    }
    let refused = |body: String| async { witness.offer(body).await.unwrap().0 };
    let honest = log.offer(60, 60);
    assert_eq!(refused(honest.replace("old 60", "old 61")).await, 400, "older than new");
    assert_eq!(refused(honest.replace("old 60", "old 060")).await, 400);
    assert_eq!(refused(String::new()).await, 400);
    assert_eq!(refused(honest.replace(ORIGIN, "kho.example.vn/khac")).await, 404);
    let stranger = Log { signer: signer(ORIGIN, 9), ..Log::of(60, 60) };
    assert_eq!(refused(stranger.offer(60, 60)).await, 403);
    let last = honest.trim_end().rsplit_once(' ').unwrap().1.to_owned();
    let forged = honest.replace(&last, &last.replacen(&last[20..22], "AA", 1));
    assert_eq!(refused(forged).await, 403, "a signature that does not hold");
    let long = Log::of(61, 61);
    let with_a_proof_too_much = long.offer(60, 61).replacen("\n\n", &format!("\n{}\n\n", encode_base64(&[7; 32])), 1);
    assert_eq!(refused(with_a_proof_too_much).await, 422);
    assert_eq!(refused(long.offer(60, 61)).await, 200);
}

/// Somebody has the archive's key and writes another history with it.
#[tokio::test]
async fn a_fork_shown_to_two_witnesses_is_caught() {
    let place = folder();
    let (one, two) = (follower("one.example.vn", place.path()), follower("two.example.vn", place.path()));
    let (honest, forged) = (Log::of(50, 50), Log::of(50, 20));
    assert_eq!(honest.tree.root(20), forged.tree.root(20));
    assert_ne!(honest.tree.root(30), forged.tree.root(30));
    for witness in [&one, &two] {
        assert_eq!(witness.offer(honest.offer(0, 30)).await.unwrap().0, 200);
    }
    for witness in [&one, &two] {
        for (body, expected) in [
            (forged.offer(30, 30), 422),
            (forged.offer(30, 50), 422),
            (forged.offer(20, 50), 409),
            (forged.offer(0, 30), 409),
            (forged.offer(0, 50), 409),
            (forged.offer(0, 50).replacen("old 0", "old 30", 1), 422),
        ] {
            assert_eq!(witness.offer(body).await.unwrap().0, expected);
            assert_eq!(witness.state(&honest.signer).await, Some((30, honest.tree.root(30))), "it keeps its own");
        }
        // The proof of the fork: another root of the same size, signed by the same key.
        let kept = std::fs::read_dir(witness.data.path().join("refused")).unwrap();
        let kept: Vec<String> = kept.map(|at| std::fs::read_to_string(at.unwrap().path()).unwrap()).collect();
        assert!(kept.contains(&forged.offer(30, 30)), "{}", kept.len());
        assert_eq!(witness.offer(honest.offer(30, 50)).await.unwrap().0, 200, "the honest history goes on");
    }
    // Where each was shown another history first, neither ever cosigns the other's.
    let (three, four) = (follower("three.example.vn", place.path()), follower("four.example.vn", place.path()));
    assert_eq!(three.offer(honest.offer(0, 40)).await.unwrap().0, 200);
    assert_eq!(four.offer(forged.offer(0, 40)).await.unwrap().0, 200);
    assert_eq!(four.offer(honest.offer(40, 40)).await.unwrap().0, 422);
    assert_eq!(three.offer(forged.offer(40, 40)).await.unwrap().0, 422);
}

#[tokio::test]
async fn what_it_cosigned_is_kept_over_restarts_and_one_process_has_the_folder() {
    let place = folder();
    let mut witness = follower("witness.example.vn", place.path());
    let log = Log::of(20, 20);
    assert_eq!(witness.offer(log.offer(0, 20)).await.unwrap().0, 200);
    let second = witness.serve().output().unwrap();
    assert_eq!(second.status.code(), Some(3), "{}", String::from_utf8_lossy(&second.stderr));
    witness.kill();
    witness.resume();
    assert_eq!(witness.state(&log.signer).await, Some((20, log.tree.root(20))));
    assert_eq!(witness.offer(log.offer(0, 5)).await.unwrap(), (409, "20\n".into()), "a rolled-back checkpoint");
    assert_eq!(witness.offer(Log::of(20, 3).offer(20, 20)).await.unwrap().0, 422);
    witness.kill();
    // What is there and cannot be read is no reason to begin anew.
    let state = witness.data.path().join("logs").join(Digest::of(ORIGIN.as_bytes()).to_string());
    let good = std::fs::read_to_string(&state).unwrap();
    for wrong in ["", &good[..good.len() - 2], &good.replacen("\n20\n", "\n10\n", 1), &log.note(20)] {
        std::fs::write(&state, wrong).unwrap();
        let refused = witness.serve().output().unwrap();
        assert_eq!(refused.status.code(), Some(3), "{wrong}");
    }
    std::fs::write(&state, &good).unwrap();
    witness.resume();
    let again = command(witness.data.path(), &["init", "--name", "witness.example.vn"]).output().unwrap();
    assert_eq!(again.status.code(), Some(3), "a witness is not made twice");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &witness.data.path().join("witness.key").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_key_that_was_followed_by_another_no_longer_speaks_for_the_archive() {
    let place = folder();
    let path = place.path().join("archive.keys");
    let (old, new) = (signer(ORIGIN, 1), signer(ORIGIN, 2));
    std::fs::write(&path, format!("{} 0 10\n{} 10 -\n", old.verifying_key(), new.verifying_key())).unwrap();
    let mut witness = Witness::make("witness.example.vn", &[path]);
    witness.resume();
    let (by_old, by_new) = (Log::of(30, 30), Log { signer: signer(ORIGIN, 2), ..Log::of(30, 30) });
    assert_eq!(witness.offer(by_new.offer(0, 9)).await.unwrap().0, 403);
    assert_eq!(witness.offer(by_old.offer(0, 10)).await.unwrap().0, 200);
    assert_eq!(witness.offer(by_old.offer(10, 11)).await.unwrap().0, 403, "a stolen key, after its time");
    assert_eq!(witness.offer(by_new.offer(10, 30)).await.unwrap().0, 200);
}

/// Killed before each call that touches the disk or the network, one after the other: what was answered is kept, and
/// what is kept is never gone back on.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_it_never_goes_back() {
    let place = folder();
    let mut witness = follower("witness.example.vn", place.path());
    let (log, forged) = (Log::of(250, 250), Log::of(250, 1));
    assert_eq!(witness.offer(log.offer(0, 2)).await.unwrap().0, 200);
    witness.kill();
    let (mut at, mut kept_and_not_said) = (2, 0);
    for calls in ["openat", "write", "fsync", "rename,renameat,renameat2", "sendto,sendmsg,writev"] {
        let mut survived = 0;
        for nth in 1..200 {
            // Where opening and writing is for other things as well, only some of the calls.
            if matches!(calls, "openat" | "write") && nth % 7 != 1 {
                continue;
            }
            let (serve, offered) = (witness.serve(), at + 1);
            let mut traced = Command::new("strace");
            traced.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
            traced.args(["-e", &format!("inject={calls}:signal=SIGKILL:when={nth}")]);
            traced.arg(serve.get_program()).args(serve.get_args()).env_clear().stdin(Stdio::null());
            let began = witness.begin(traced);
            let answer = match began {
                true => witness.offer(log.offer(at, offered)).await.ok(),
                false => None,
            };
            let died = !began || answer.is_none();
            if died {
                witness.child.take().unwrap().wait().unwrap();
            } else {
                // strace lets go of what it traces when it is killed, so the witness itself is ended.
                stop_traced(witness.child.take().unwrap());
            }
            witness.resume();
            let (size, root) = witness.state(&log.signer).await.unwrap();
            assert_eq!(root, log.tree.root(size), "{calls} {nth}");
            match &answer {
                Some((status, _)) => assert_eq!((*status, size), (200, offered), "{calls} {nth}: answered is kept"),
                None => assert!(size == at || size == offered, "{calls} {nth}: {size}"),
            }
            kept_and_not_said += u32::from(answer.is_none() && size == offered);
            assert_eq!(witness.offer(forged.offer(size, size)).await.unwrap().0, 422, "{calls} {nth}");
            assert_eq!(witness.offer(log.offer(0, 1)).await.unwrap(), (409, format!("{size}\n")), "{calls} {nth}");
            assert_eq!(witness.offer(log.offer(size, size)).await.unwrap().0, 200, "{calls} {nth}: the same again");
            at = size;
            witness.kill();
            survived = if died { 0 } else { survived + 1 };
            if survived == 2 || at >= 248 {
                break;
            }
        }
    }
    assert!(kept_and_not_said > 0, "it was killed between keeping and answering");
    eprintln!("{kept_and_not_said} times kept and not answered; at {at}");
}

/// What outlives a power cut as well: bytes and name are on the disk before the answer goes out.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_has_it_before_the_answer() {
    let place = folder();
    let mut witness = follower("witness.example.vn", place.path());
    witness.kill();
    let (serve, trace) = (witness.serve(), place.path().join("trace"));
    let mut traced = Command::new("strace");
    traced.args([
        "-f",
        "-qq",
        "-y",
        "-s",
        "200",
        "-e",
        "trace=fsync,rename,renameat,renameat2,sendto,sendmsg,writev",
        "-o",
    ]);
    traced.arg(&trace).arg(serve.get_program()).args(serve.get_args()).env_clear().stdin(Stdio::null());
    assert!(witness.begin(traced), "strace is missing: install it (apt-get install strace)");
    let log = Log::of(9, 9);
    assert_eq!(witness.offer(log.offer(0, 9)).await.unwrap().0, 200);
    stop_traced(witness.child.take().unwrap());
    let trace = std::fs::read_to_string(trace).unwrap();
    let lines: Vec<&str> = trace.lines().collect();
    let at = |what: &str, from: usize, holds: &dyn Fn(&str) -> bool| {
        let found = lines[from..].iter().position(|line| holds(line));
        from + found.unwrap_or_else(|| panic!("{what} after line {from}:\n{trace}"))
    };
    let synced = at("bytes synced", 0, &|line| line.contains("fsync(") && line.contains(".draft>"));
    let named = at("named", synced, &|line| line.contains("rename") && line.contains(".draft"));
    let kept = at("name synced", named, &|line| line.contains("fsync(") && line.contains("/logs>"));
    let said = at("answered", 0, &|line| line.contains("HTTP/1.1 200"));
    assert!(kept < said, "answered at line {said}, kept at {kept}:\n{trace}");
}

/// Ends the process that strace runs, and strace with it.
fn stop_traced(mut strace: Child) {
    let id = strace.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    for child in children.split_whitespace() {
        let child = rustix::process::Pid::from_raw(child.parse().unwrap()).unwrap();
        rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
    }
    strace.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_offers_at_once_are_cosigned_one_after_the_other() {
    let place = folder();
    let witness = follower("witness.example.vn", place.path());
    let log = Log::of(100, 100);
    let mut at = 0;
    for round in 0..5u64 {
        let offers = (1..=16).map(|n| (at + n, log.offer(at, at + n)));
        let answers = offers.map(|(size, body)| {
            let witness = &witness;
            async move { (size, witness.offer(body).await.unwrap()) }
        });
        let answers = futures::future::join_all(answers).await;
        let cosigned: Vec<u64> =
            answers.iter().filter(|(_, (status, _))| *status == 200).map(|(size, _)| *size).collect();
        // All go on from one size: the first wins, the others are told the new one.
        assert_eq!(cosigned.len(), 1, "{round}: {answers:?}");
        at = cosigned[0];
        assert!(
            answers.iter().all(|(_, (status, text))| *status == 200 || (*status, text) == (409, &format!("{at}\n")))
        );
        assert_eq!(witness.state(&log.signer).await, Some((at, log.tree.root(at))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_and_connections_are_answered_or_closed() {
    let place = folder();
    let mut witness = follower("witness.example.vn", place.path());
    let log = Log::of(30, 30);
    assert_eq!(witness.offer(log.offer(0, 20)).await.unwrap().0, 200);
    let honest = log.offer(20, 30).into_bytes();
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut chance = Chance(seed);
    for _ in 0..400 {
        let mut body = honest.clone();
        let at = chance.below(body.len() as u64) as usize;
        match chance.below(4) {
            0 => body.truncate(at),
            1 => body[at] ^= 1 << chance.below(8),
            2 => {
                let piece = body[at..].to_vec();
                body.splice(0..0, piece);
            }
            _ => drop(body.remove(at)),
        }
        let (status, _) = witness.offer(body.clone()).await.unwrap();
        // A change in the origin's line makes it another log; nothing else is cosigned.
        assert!(matches!(status, 400 | 403 | 404 | 409 | 422), "{status} {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(witness.offer(vec![0xff; 1000]).await.unwrap().0, 400);
    for size in [257 * 1024, 8 << 20] {
        // It may hang up before everything was sent.
        if let Ok((status, _)) = witness.offer(vec![b'a'; size]).await {
            assert_eq!(status, 413);
        }
    }
    let get = |path: &str| client().get(format!("{}{path}", witness.address)).send();
    for (path, status) in [("/add-checkpoint", 405), ("/", 404), ("/../../witness.key", 404), ("/x/checkpoint", 404)] {
        assert_eq!(get(path).await.unwrap().status().as_u16(), status, "{path}");
    }
    // Half a head, half a body, and nothing at all: closed in time, and the others do not wait.
    let host = witness.address.trim_start_matches("http://").to_owned();
    let began = Instant::now();
    let halves =
        ["", "POST /add-checkpoint HT", "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold"];
    let mut silent: Vec<TcpStream> = Vec::new();
    for half in halves.iter().cycle().take(90) {
        let mut stream = TcpStream::connect(&host).unwrap();
        stream.write_all(half.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        silent.push(stream);
    }
    assert_eq!(witness.offer(log.offer(20, 30)).await.unwrap().0, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits for those who are silent");
    let closed = tokio::task::spawn_blocking(move || {
        silent.iter_mut().for_each(|stream| drop(stream.read_to_end(&mut Vec::new())));
    });
    closed.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert!(witness.is_running());
    assert_eq!(witness.state(&log.signer).await, Some((30, log.tree.root(30))));
}

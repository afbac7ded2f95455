//! kill -9 of the real process at random moments: 15 of them, 100 when `VANKHO_FULL=1`; `VANKHO_SEED` says
//! when.
//!
//! Where `VANKHO_CORPUS` names real data, that is what is taken in: a part of it in a usual run, all of it in
//! a full one.

use crate::{
    convert,
    process::{acknowledged, check, command, init, kill, manifest, run, succeeds},
    world::{Acknowledged, Chance},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::Child,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Rows that are made here, where there is no real data.
const ROWS: usize = 300;

fn full() -> bool {
    std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1")
}

fn kills() -> usize {
    if full() { 100 } else { 15 }
}

/// Kills of one archive, one after the other, before it is held against what it promised.
fn kills_of_one() -> usize {
    if full() { 50 } else { 5 }
}

fn chance(salt: u64) -> Chance {
    Chance(std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1) ^ salt)
}

/// A data folder on a real disk where there is one: `target/` is on it.
fn place() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// What is taken in while it is killed, and how many rows that are.
fn given(inbox: &Path) -> (PathBuf, usize) {
    let Some(corpus) = convert::corpus() else { return (manifest(inbox, ROWS), ROWS) };
    let all = convert::write(&corpus, inbox);
    // A usual run takes of each part as much as goes in within seconds.
    let parts = [(&all.register, 1100), (&all.gazette, 40), (&all.documents, 22), (&all.articles, 500)];
    let mut rows = Vec::new();
    for ((path, _), some) in parts {
        let text = fs::read_to_string(path).unwrap();
        // Spread over each part: the first documents are all PDF.
        let step = if full() { 1 } else { text.lines().count().div_ceil(some) };
        rows.extend(text.lines().step_by(step).map(str::to_owned));
    }
    let path = inbox.join("all.jsonl");
    fs::write(&path, rows.join("\n") + "\n").unwrap();
    (path, rows.len())
}

/// The program while it takes in: every line that it answers, with the moment at which it came.
struct Run {
    child: Child,
    began: Instant,
    lines: Receiver<(Duration, Vec<u8>)>,
    errors: JoinHandle<Vec<u8>>,
}

impl Run {
    fn of(data: &Path, arguments: &[&str]) -> Run {
        let (began, (to, lines)) = (Instant::now(), channel());
        let mut child = command(data, arguments).spawn().unwrap();
        let (out, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        // The pipes are read while it runs, or a long run would wait for us.
        std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut line = Vec::new();
            while out.read_until(b'\n', &mut line).unwrap() > 0 {
                to.send((began.elapsed(), std::mem::take(&mut line))).ok();
            }
        });
        let errors = std::thread::spawn(move || {
            let mut told = Vec::new();
            errors.read_to_end(&mut told).unwrap();
            told
        });
        Run { child, began, lines, errors }
    }

    /// The next line, if it comes before a moment.
    fn next(&self, until: Option<Instant>) -> Result<(Duration, Vec<u8>), RecvTimeoutError> {
        match until {
            Some(until) => self.lines.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => self.lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Kills it, unless it is `gone`. What it had said and nobody had heard yet, and whether it was killed.
    fn end(mut self, gone: bool) -> (Vec<u8>, bool) {
        let ended = if gone { Some(self.child.wait().unwrap()) } else { self.child.try_wait().unwrap() };
        kill(self.child);
        let told = self.errors.join().unwrap();
        if let Some(status) = ended {
            assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&told));
        }
        (self.lines.iter().flat_map(|(_, line)| line).collect(), ended.is_none())
    }
}

/// When to kill: so many rows of the manifest have been answered, and so much time has gone by since.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Moment {
    rows: usize,
    after: Duration,
}

/// A run that nobody disturbs, against which moments are drawn: over all of it, the time after the last row,
/// when texts are read, included.
struct Undisturbed {
    /// When each row was answered.
    answers: Vec<Duration>,
    whole: Duration,
}

impl Undisturbed {
    fn run(arguments: &[&str]) -> Undisturbed {
        let data = place();
        init(data.path());
        let run = Run::of(data.path(), arguments);
        let mut answers = Vec::new();
        while let Ok((at, _)) = run.next(None) {
            answers.push(at);
        }
        let whole = run.began.elapsed();
        run.end(true);
        Undisturbed { answers, whole }
    }

    /// A moment in the `part`th of so many equal parts of the run.
    fn moment(&self, part: usize, parts: usize, chance: &mut Chance) -> Moment {
        let (whole, parts) = (self.whole.as_micros() as u64, parts as u64);
        let at = Duration::from_micros((whole * part as u64 + chance.below(whole)) / parts);
        let rows = self.answers.partition_point(|answer| *answer <= at);
        let before = rows.checked_sub(1).map_or(Duration::ZERO, |last| self.answers[last]);
        Moment { rows, after: at - before }
    }
}

/// What one archive has promised, over all the processes that worked on it.
#[derive(Default)]
struct Promised {
    /// The first and the latest acknowledgement of each row; how many there were.
    rows: HashMap<String, (Acknowledged, Acknowledged)>,
    said: usize,
}

impl Promised {
    fn hear(&mut self, stdout: &[u8]) {
        for one in acknowledged(stdout) {
            self.said += 1;
            let (first, latest) =
                self.rows.entry(one.external_id.clone()).or_insert_with(|| (one.clone(), one.clone()));
            assert_eq!(one.record, first.record, "{} was acknowledged as two records", one.external_id);
            *latest = one;
        }
    }

    fn all(&self) -> Vec<Acknowledged> {
        self.rows.values().flat_map(|(first, latest)| [first.clone(), latest.clone()]).collect()
    }
}

/// Runs until a moment has come and kills; false where the program had ended before. A run that goes on from
/// an earlier one answers the earlier rows again, so rows are counted from its beginning.
fn kill_at(moment: Moment, data: &Path, arguments: &[&str], promised: &mut Promised) -> bool {
    let run = Run::of(data, arguments);
    let (mut rows, mut until) = (0, (moment.rows == 0).then(|| run.began + moment.after));
    let gone = loop {
        match run.next(until) {
            Ok((_, line)) => promised.hear(&line),
            Err(fault) => break fault == RecvTimeoutError::Disconnected,
        }
        rows += 1;
        if rows == moment.rows {
            until = Some(Instant::now() + moment.after);
        }
    };
    let (rest, killed) = run.end(gone);
    promised.hear(&rest);
    killed
}

/// Everything that was promised is there, once, and is the same when it is built anew from the archive.
async fn holds(data: &Path, promised: &Promised, rows: usize) {
    assert_eq!(promised.rows.len(), rows, "every row is acknowledged");
    succeeds(data, &["verify", "archive"]);
    let status: Value = serde_json::from_slice(&succeeds(data, &["status"]).stdout).unwrap();
    assert_eq!(status["records"].as_u64(), Some(rows as u64), "every row has one record");
    assert_eq!(status["waiting"].as_u64(), Some(0), "and was read");
    let answers = || {
        let asked = ["", "quyết định", "thu tuc", "toàn văn số 13", "giấy phép"];
        asked.map(|words| succeeds(data, &["search", "--facets", "--limit", "100", words]).stdout)
    };
    let before = answers();
    succeeds(data, &["rebuild"]);
    assert!(before == answers(), "another answer after the rebuild");
    check(data, &promised.all()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_taking_in() {
    let (inbox, began) = (place(), Instant::now());
    let (manifest, rows) = given(inbox.path());
    let arguments = ["ingest", "--manifest", manifest.to_str().unwrap()];
    let undisturbed = Undisturbed::run(&arguments);
    assert_eq!(undisturbed.answers.len(), rows);
    let (mut chance, mut waiting) = (chance(0x1), (0..kills()).collect::<Vec<_>>());
    let (mut lives, mut killed, mut said, mut reading) = (0, 0, 0, 0);
    while !waiting.is_empty() {
        lives += 1;
        assert!(lives <= kills(), "so fast that moments never come: {waiting:?}");
        let data = place();
        init(data.path());
        let (mut promised, mut read) = (Promised::default(), Duration::ZERO);
        waiting.sort_unstable();
        let mine = waiting.iter().copied().step_by(waiting.len().div_ceil(kills_of_one())).collect::<Vec<_>>();
        for part in &mine {
            waiting.remove(waiting.iter().position(|other| other == part).unwrap());
        }
        for (nth, part) in mine.iter().enumerate() {
            let mut moment = undisturbed.moment(*part, kills(), &mut chance);
            if moment.rows == rows {
                // What was read before need not be read again.
                (moment.after, read) = (moment.after.saturating_sub(read), moment.after);
            }
            if !kill_at(moment, data.path(), &arguments, &mut promised) {
                // All was done before that moment and the later ones: others take their place, anywhere in a run.
                waiting.extend(mine[nth..].iter().map(|_| chance.below(kills() as u64) as usize));
                break;
            }
            killed += 1;
            reading += usize::from(moment.rows == rows);
            // An audit right after the crash, before anybody has cleaned up, sees nothing wrong.
            let audit = run(data.path(), &["verify", "archive"]);
            assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stdout));
        }
        promised.hear(&succeeds(data.path(), &arguments).stdout);
        holds(data.path(), &promised, rows).await;
        said += promised.said;
        let took = began.elapsed();
        eprintln!("{killed} of {} kills, {lives} archives held to their promises, {took:?}", kills());
    }
    assert!(reading > 0, "no kill after the last row, while texts are read");
    assert_eq!(killed, kills());
    let (whole, took) = (undisturbed.whole, began.elapsed());
    eprintln!(
        "{killed} kills while taking in {rows} rows ({whole:?} undisturbed), {reading} of them after the last row, \
         {lives} archives, {said} acknowledgements, none lost, {took:?}"
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

//! Archives with one thing changed, through `vankho verify` and `verify.py`: one answer, and never that it holds where
//! something else is meant. `VANKHO_FULL=1` asks all of them, else a slice; `VANKHO_SEED` moves it.

use crate::mutate::{Chance, Tally, changed, count, on_two};
use crate::rewrite::{History, Publish};
use crate::world::{PROGRAM, World, docx, folder, row};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use vankho::{
    archive::{Archive, place::Folders},
    evidence::audits,
    ledger::{cosignature::Cosigner, keys::Signer, tile},
    record::{digest::Digest, entry::Event, id::RecordId, sampling::Terms, unit},
    store::layout,
};
use zeroize::Zeroizing;

/// What the answer has to be, besides the same from both.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Must {
    Hold,
    NotHold,
    Agree,
}

/// What was done, the options of the question, and what must come of it.
pub struct Done {
    what: String,
    options: Vec<String>,
    must: Must,
}

impl Done {
    pub fn new(what: impl Into<String>, must: Must) -> Done {
        Done { what: what.into(), options: vec![], must }
    }

    fn with(mut self, option: &str, value: impl AsRef<Path>) -> Done {
        self.options.extend([option.to_owned(), value.as_ref().display().to_string()]);
        self
    }
}

/// An archive that is copied for every case, as it is and as it was before, and what somebody keeps of it elsewhere.
struct Given {
    /// `archive/` as it is.
    now: PathBuf,
    /// The same at its second checkpoint.
    before: PathBuf,
    keys: PathBuf,
    /// The newest checkpoint.
    known: PathBuf,
    /// The key of a witness, which must have cosigned; the same key, of which nothing is asked.
    policy: PathBuf,
    no_quorum: PathBuf,
    signer: Signer,
    history: History,
    files: Vec<String>,
    _kept: tempfile::TempDir,
}

fn witness() -> Cosigner {
    Cosigner::from_seed("witness.example.vn/w", &Zeroizing::new([9; 32])).unwrap()
}

/// Records of several kinds, read and not, with an audit, published several times, once cosigned.
async fn given() -> (World, Given) {
    let (world, kept) = (World::on_disk().await, folder());
    let at = |name: &str| kept.path().join(name);
    world.file("a.docx", docx("Giấy phép xây dựng"));
    for step in 0..3 {
        let archive = world.open().await.unwrap();
        match step {
            0 => drop(
                world.ingest_all(&archive, &world.file("1.jsonl", row("1", "một", r#""components":["a.docx"]"#))).await,
            ),
            1 => {
                world.characterize(&archive).await.unwrap();
                opened_units(&archive).await;
            }
            _ => {
                let rows = row("2", "hai", r#""text":"nội dung""#) + &row("3", "ba", r#""text":"nội dung khác""#);
                world.ingest_all(&archive, &world.file("2.jsonl", rows)).await;
                let terms = Terms::new(10_000, 950_000).unwrap();
                audits::audit(&archive, archive.operator, None, terms, &|_, _| {}).await.unwrap();
            }
        }
        archive.close().await.unwrap();
        if step == 1 {
            crate::place::copy(&world.archive_folder(), &at("before/archive"));
        }
    }
    let root = at("now/archive");
    crate::place::copy(&world.archive_folder(), &root);
    // A witness has seen the newest checkpoint.
    let note = fs::read_to_string(root.join(layout::CHECKPOINT)).unwrap();
    let body = format!("{}\n", note.split_once("\n\n").unwrap().0);
    let size: u64 = body.lines().nth(1).unwrap().parse().unwrap();
    fs::create_dir_all(root.join(layout::COSIGNATURES)).unwrap();
    fs::write(root.join(layout::cosigned(size)), note.clone() + &witness().cosign(&body, 1_790_000_000).unwrap())
        .unwrap();
    for (name, quorum) in [("policy", "w"), ("no-quorum", "none")] {
        fs::write(at(name), format!("witness w {}\nquorum {quorum}\n", witness().public())).unwrap();
    }
    fs::write(at("known"), note).unwrap();
    fs::copy(root.join(layout::KEYS), at("keys")).unwrap();
    for tree in ["now", "before"] {
        unit::Kind::ALL.iter().for_each(|kind| prune(&at(tree).join("archive").join(kind.folder())));
    }
    let given = Given {
        before: at("before/archive"),
        keys: at("keys"),
        known: at("known"),
        policy: at("policy"),
        no_quorum: at("no-quorum"),
        signer: Folders::of(world.data.path()).signer().unwrap(),
        history: History::read(&root),
        files: crate::tamper::files(&root).0,
        now: root,
        _kept: kept,
    };
    (world, given)
}

/// A file that was described anew and closed, and a hold.
pub async fn opened_units(archive: &Archive) {
    let id = |n: u8| RecordId::new(1_763_877_600_000, [n; 10]).to_string();
    let mut before = None;
    for (n, kind) in [unit::Kind::File, unit::Kind::File, unit::Kind::Hold, unit::Kind::File].into_iter().enumerate() {
        let unit = kind.unit(&id(kind as u8)).unwrap();
        let mut said = json!({"schema": kind.schema(), "salt": "5a".repeat(32), "title": format!("Hồ sơ {n}")});
        said[kind.as_str()] = unit.to_string().into();
        if let (Some(before), unit::Kind::File) = (before, kind) {
            said["replaces"] = serde_json::to_value::<Digest>(before).unwrap();
        }
        let intent = archive.intend_unit(unit).await.unwrap();
        let bytes = serde_json_canonicalizer::to_vec(&said).unwrap();
        let description = archive.keep_unit(unit, bytes).await.unwrap();
        let event = match (n, before) {
            (0 | 2, _) => Event::Opened { unit, description },
            (1, Some(replaces)) => Event::Described { unit, description, replaces },
            (_, replaces) => Event::Closed { unit, description, replaces: replaces.unwrap() },
        };
        archive.note(event).await.unwrap();
        archive.fulfil(intent).await.unwrap();
        before = if kind == unit::Kind::File { Some(description) } else { before };
    }
}

/// Empty shards say nothing, and would be copied for every case.
fn prune(records: &Path) {
    for shard in fs::read_dir(records).unwrap() {
        fs::remove_dir(shard.unwrap().path()).ok();
    }
}

/// Changes an archive in some way.
type Kind = fn(&Given, &Path, &mut Chance) -> Done;

const KINDS: [Kind; 12] =
    [bytes, bytes, bytes, replaced, slipped, exchanged, resigned, rewritten, strangers, checkpoints, cut, entries];

#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_agree_on_every_mutation() {
    let (world, given) = given().await;
    let tally = Tally::default();
    on_two(count(144, 1800), |n| {
        let copy = folder();
        let root = copy.path().join("archive");
        crate::place::copy(&given.now, &root);
        let mut chance = Chance::of(n);
        let mut done = KINDS[n % KINDS.len()](&given, &root, &mut chance);
        if !done.options.iter().any(|option| option == "--witnesses") {
            done = done.with("--witnesses", &given.policy);
        }
        judge(&tally, &root, &done, "archive", n);
        // What lies under log/ alone is judged by itself as well; there, whatever is wrong elsewhere is not seen.
        if chance.below(3) == 0 {
            done.must = Must::Agree;
            judge(&tally, &root, &done, "ledger", n);
        }
    });
    tally.tell("archives, two verifiers");
    world.check().await;
}

/// Every event, in form and out of it, where it may follow and where it may not.
#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_agree_on_every_event() {
    let (world, given) = given().await;
    let tally = Tally::default();
    let events = given.history.many();
    on_two(events, |n| {
        let (copy, mut history) = (folder(), given.history.clone());
        let root = copy.path().join("archive");
        crate::place::copy(&given.now, &root);
        let must = if history.append_next(n) == Some(true) { Must::Hold } else { Must::NotHold };
        history.write(&root, &given.signer, Publish::All);
        fs::remove_dir_all(root.join(layout::COSIGNATURES)).unwrap();
        let what = String::from_utf8_lossy(&history.batches.last().unwrap().join(&b' ')).into_owned();
        let done = Done::new(what, must).with("--witnesses", &given.no_quorum).with("--known", &given.known);
        judge(&tally, &root, &done, "archive", n);
    });
    assert!(events > 150, "{events}");
    tally.tell("events");
    world.check().await;
}

/// What is done to an archive.
pub type Change<'a> = &'a (dyn Fn(&Path) + Sync);

/// What may be done to an archive without a change of its meaning holds for both.
#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_agree_on_what_does_not_matter() {
    let (world, given) = given().await;
    let size = given.history.size();
    let good: [(&str, Change); 11] = [
        ("nothing", &|_| {}),
        ("no staging", &|root| fs::remove_dir_all(root.join("staging")).unwrap()),
        ("anything in staging", &|root| fs::write(root.join("staging/x"), "x").unwrap()),
        ("links and odd names in staging", &|root| {
            fs::create_dir_all(root.join("staging/intents/x")).unwrap();
            symlink("/etc/hostname", root.join("staging/intents/link")).unwrap();
            symlink("/nowhere", root.join("staging/intents/x/dead")).unwrap();
            fs::write(root.join("staging/intents/x/y#1"), [0xff, b'\n']).unwrap();
        }),
        ("an older checkpoint is gone", &|root| fs::remove_file(root.join("log/checkpoints/1")).unwrap()),
        ("the checkpoint lags behind", &|root| {
            fs::copy(root.join("log/checkpoints/2"), root.join(layout::CHECKPOINT)).unwrap();
        }),
        ("a stale partial tile is gone", &|root| fs::remove_file(root.join("log/tile/0/000.p/1")).unwrap()),
        ("half a checkpoint", &|root| fs::write(root.join("log/checkpoint#1"), "half").unwrap()),
        ("half a document", &|root| fs::write(root.join("FORMAT.md#12"), "half").unwrap()),
        ("an empty folder", &|root| fs::create_dir_all(root.join("records/ab/x/y")).unwrap()),
        ("a line by a stranger under the checkpoint", &|root| {
            let path = root.join(layout::checkpoint(size));
            let note = fs::read_to_string(&path).unwrap();
            fs::write(&path, note + "\u{2014} w AAAAAAE=\n").unwrap();
        }),
    ];
    let tally = Tally::default();
    on_two(good.len(), |n| {
        let copy = folder();
        let root = copy.path().join("archive");
        crate::place::copy(&given.now, &root);
        fs::create_dir_all(root.join("staging")).unwrap();
        (good[n].1)(&root);
        let done = Done::new(good[n].0, Must::Hold).with("--keys", &given.keys).with("--witnesses", &given.policy);
        judge(&tally, &root, &done.with("--known", &given.known), "archive", n);
    });
    tally.tell("archives that hold");
    world.check().await;
}

pub fn judge(tally: &Tally, root: &Path, done: &Done, scope: &str, n: usize) {
    let python = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/archive/place/verify.py"));
    let ours = ask(Command::new("timeout").arg("120").arg(PROGRAM), |command| {
        command.args(["--language", "en", "--data"]).arg(root.parent().unwrap()).args(["verify", scope]);
        command.args(&done.options);
    });
    let theirs = ask(Command::new("timeout").arg("120").arg("python3"), |command| {
        command.arg(python).arg(scope).arg(root).args(&done.options);
    });
    tally.answered(&format!("{scope}: {}", done.what), ours.0);
    let (agreed, holds) = (ours.0 == theirs.0 && ours.0 <= 3, ours.0 == 0);
    if !agreed || done.must == Must::Hold && !holds || done.must == Must::NotHold && holds {
        let Done { what, must, options } = done;
        tally.wrong(format!("case {n}, {scope}, {what} {options:?}: {must:?}\n{ours:?}\n{theirs:?}"));
    }
}

/// Exit code, above 3 where there was no answer, and what was said.
fn ask(command: &mut Command, more: impl Fn(&mut Command)) -> (u8, String) {
    more(command);
    let output = command.stdin(Stdio::null()).env_remove("VANKHO_CONFIG").output().unwrap();
    let code = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
    (code, String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).chars().take(2000).collect())
}

fn pick(given: &Given, chance: &mut Chance) -> String {
    // Most bytes are in documents that are compared by digest; the ledger is what can be changed in many ways.
    let log: Vec<&String> =
        given.files.iter().filter(|path| path.starts_with("log") || path.ends_with("keys")).collect();
    if chance.below(3) > 0 { (*chance.pick(&log)).clone() } else { chance.pick(&given.files).clone() }
}

/// Files that can be lost without a loss: older checkpoints, stale partial tiles, what witnesses signed (but for the
/// quorum, which is asked for here).
fn superseded(given: &Given, path: &str) -> bool {
    let size = given.history.size();
    let current = tile::partials(size)
        .iter()
        .any(|of| path == of.path() || of.level == 0 && path == tile::Bundle { n: of.n, width: of.width }.path());
    match path.strip_prefix("log/checkpoints/") {
        Some(of) => of != size.to_string(),
        None => path.contains(".p/") && !current,
    }
}

/// A signed note without the lines of strangers, and without repeated ones.
fn meant(note: &[u8]) -> Vec<&[u8]> {
    let dash = "\u{2014} ".as_bytes();
    let names = [crate::world::ORIGIN.as_bytes(), b"witness.example.vn"];
    let ours =
        |line: &&[u8]| line.strip_prefix(dash).is_none_or(|line| names.iter().any(|name| line.starts_with(name)));
    let (mut head, mut signatures): (Vec<&[u8]>, Vec<&[u8]>) =
        note.split(|byte| *byte == b'\n').filter(ours).partition(|line| !line.starts_with(dash));
    signatures.sort_unstable();
    signatures.dedup();
    head.append(&mut signatures);
    head
}

fn bytes(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let path = pick(given, chance);
    let before = fs::read(root.join(&path)).unwrap();
    let (what, after) = changed(&before, chance);
    fs::write(root.join(&path), &after).unwrap();
    let is_note = path.starts_with("log/checkpoint") || path.starts_with(layout::COSIGNATURES);
    let same = after == before || is_note && meant(&after) == meant(&before);
    Done::new(format!("bytes, {what}"), if same { Must::Agree } else { Must::NotHold })
}

/// A file is gone, or something else lies in its place.
fn replaced(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let path = pick(given, chance);
    let file = root.join(&path);
    let aside = root.join("staging/aside");
    fs::create_dir_all(root.join("staging")).unwrap();
    fs::rename(&file, &aside).unwrap();
    let kinds: [(&str, &dyn Fn()); 9] = [
        ("removed", &|| {}),
        ("a link to itself", &|| symlink(&aside, &file).unwrap()),
        ("a dead link", &|| symlink("/nowhere/at/all", &file).unwrap()),
        ("a link to a device", &|| symlink("/dev/zero", &file).unwrap()),
        ("a link to a folder", &|| symlink("/etc", &file).unwrap()),
        ("a folder", &|| fs::create_dir(&file).unwrap()),
        ("a folder with a file", &|| {
            fs::create_dir(&file).unwrap();
            fs::copy(&aside, file.join("inside")).unwrap();
        }),
        ("a named pipe", &|| assert!(Command::new("mkfifo").arg(&file).status().unwrap().success())),
        ("renamed", &|| {
            fs::copy(&aside, file.with_extension("other")).unwrap();
        }),
    ];
    let (what, replace) = chance.pick(&kinds);
    replace();
    let gone = matches!(*what, "removed" | "a folder");
    let must = if gone && superseded(given, &path) { Must::Hold } else { Must::NotHold };
    Done::new(format!("a file: {what}"), must)
}

/// Something that nothing names.
fn slipped(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let path = pick(given, chance);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let record = path.strip_prefix("records/").and_then(|rest| rest.split('/').nth(1)).unwrap_or("x");
    let stray = "0198c5a2-7d5c-7000-8000-0000000000ab";
    let names = [
        "stray".to_owned(),
        ".hidden".into(),
        "stray#1".into(),
        format!("{name}x"),
        format!("{name}#"),
        format!("{name}#x"),
        "7".into(),
        "00000000000000000099".into(),
        "000".into(),
        "255.p".into(),
        "x001".into(),
        "é".into(),
        " ".into(),
        "\u{1b}[2J".into(),
        "a\nb".into(),
        "(not a regular file)".into(),
    ];
    let at = match chance.below(8) {
        0 => PathBuf::from("new/folder").join(chance.pick(&names)),
        1 => PathBuf::from(format!("records/ab/{stray}")).join(chance.pick(&names)),
        2 => PathBuf::from("log/tile/9").join(chance.pick(&names)),
        3 => PathBuf::from(chance.pick(&names)),
        4 => PathBuf::from(format!("{}deep", "d/".repeat(300))),
        _ => PathBuf::from(folder).join(chance.pick(&names)),
    };
    let mut file = root.join(&at);
    // Something of that name may be there by right, such as the checkpoint of size 7.
    while file.exists() {
        file.as_mut_os_string().push("x");
    }
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::copy(root.join(&path), &file).unwrap();
    match chance.below(4) {
        // A process says that it is writing there: only in a folder of that record it is believed.
        0 => {
            fs::create_dir_all(root.join("staging/intents")).unwrap();
            fs::write(root.join("staging/intents/one"), format!("{record}\r\n{stray}\nx\n")).unwrap();
            Done::new("slipped in where an intent is", Must::Agree)
        }
        // A folder with a name that is not UTF-8.
        1 => {
            use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
            let odd = root.join(chance.pick(&["", "records", "log", "keys"])).join(OsStr::from_bytes(b"odd-\xff"));
            fs::create_dir_all(&odd).unwrap();
            fs::rename(&file, odd.join("stray")).unwrap();
            Done::new("slipped in under an odd name", Must::NotHold)
        }
        _ => Done::new("slipped in", Must::NotHold),
    }
}

/// Two files change places.
fn exchanged(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let (one, other) = (pick(given, chance), pick(given, chance));
    let [a, b] = [&one, &other].map(|path| fs::read(root.join(path)).unwrap());
    fs::write(root.join(&one), &b).unwrap();
    fs::write(root.join(&other), &a).unwrap();
    Done::new("two files exchanged", if a == b { Must::Agree } else { Must::NotHold })
}

/// One commit is signed anew with the archive's own key, and the rest left: it contradicts what is there.
fn resigned(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let mut history = given.history.clone();
    let n = chance.below(history.batches.len());
    let what = history.change(n, chance);
    let same = history.batches[n] == given.history.batches[n];
    history.write_commit(root, n, &given.signer);
    Done::new(format!("one commit, {what}"), if same { Must::Agree } else { Must::NotHold })
}

/// The whole ledger is written and signed anew with the archive's own key. It may fit itself; what was kept tells.
fn rewritten(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let mut history = given.history.clone();
    let n = chance.below(history.batches.len());
    let what = history.change(n, chance);
    let same = history.batches == given.history.batches;
    history.write(root, &given.signer, Publish::All);
    fs::remove_dir_all(root.join(layout::COSIGNATURES)).ok();
    let done = Done::new(format!("all anew, {what}"), Must::NotHold).with("--witnesses", &given.no_quorum);
    match chance.below(3) {
        _ if same => Done { must: Must::Agree, ..done },
        0 => Done { must: Must::Agree, ..done },
        _ => done.with("--known", &given.known),
    }
}

/// The whole archive as a stranger would make it: his key, his signatures, the digests of his documents.
fn strangers(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let stranger = Signer::from_seed(crate::world::ORIGIN, &Zeroizing::new([66; 32])).unwrap();
    let keys = vankho::ledger::keys::KeyFile::founding(stranger.verifying_key().clone()).to_string();
    let mut history = given.history.clone();
    let changed = chance.below(3);
    if changed > 0 {
        fs::write(root.join(layout::KEYS), &keys).unwrap();
    }
    if changed > 1 {
        history.name_document(layout::KEYS, keys.as_bytes());
        history.pledge_anew();
    }
    history.write(root, &stranger, Publish::All);
    fs::remove_dir_all(root.join(layout::COSIGNATURES)).ok();
    let done = Done::new("a stranger's", Must::NotHold).with("--witnesses", &given.no_quorum);
    match chance.below(2) {
        // Without a key from elsewhere nobody can tell.
        0 if changed == 2 => Done { must: Must::Hold, ..done },
        0 => done,
        _ => done.with("--keys", &given.keys),
    }
}

/// Checkpoints that the archive's key signed: of another tree, of no commit's end, rolled back.
fn checkpoints(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let size = given.history.size();
    let at = chance.below(size as usize + 3) as u64;
    let true_root = given.history.root(at.min(size));
    let forged = vankho::record::digest::Digest::of(b"another history");
    let root_at = if chance.below(2) == 0 { forged } else { true_root };
    let note = given.signer.sign_checkpoint(at, root_at);
    let fits = root_at == true_root && given.history.ends().contains(&at);
    let path = match chance.below(3) {
        0 => layout::CHECKPOINT.to_owned(),
        1 => layout::checkpoint(at),
        _ => layout::cosigned(at),
    };
    fs::write(root.join(&path), &note).unwrap();
    // The newest checkpoint has to be cosigned, and the newest that is published has its own file.
    let behind = path == layout::CHECKPOINT && at < size || path == layout::cosigned(size);
    let must = match fits {
        true if behind => Must::Agree,
        true => Must::Hold,
        false => Must::NotHold,
    };
    let what = if fits { "a checkpoint signed again" } else { "a checkpoint of another tree, signed" };
    Done::new(what, must)
}

/// The ledger is cut short, or the whole archive is as it was before.
fn cut(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let last = *given.history.ends().iter().rev().nth(1).unwrap();
    match chance.below(3) {
        0 => {
            fs::remove_file(root.join(layout::commit(last))).unwrap();
            Done::new("the last commit gone", Must::NotHold)
        }
        1 => {
            let mut history = given.history.clone();
            history.batches.pop();
            history.write(root, &given.signer, Publish::All);
            Done::new("a shorter ledger", Must::NotHold)
        }
        _ => {
            fs::remove_dir_all(root).unwrap();
            crate::place::copy(&given.before, root);
            let done = Done::new("rolled back", Must::NotHold).with("--witnesses", &given.no_quorum);
            if chance.below(3) == 0 { Done { must: Must::Hold, ..done } } else { done.with("--known", &given.known) }
        }
    }
}

/// One more commit with an entry of any event, in form and out of it, published or not.
fn entries(given: &Given, root: &Path, chance: &mut Chance) -> Done {
    let mut history = given.history.clone();
    let must = history.append(chance);
    let publish = if chance.below(2) == 0 { Publish::All } else { Publish::UpTo(given.history.size()) };
    history.write(root, &given.signer, publish);
    fs::remove_dir_all(root.join(layout::COSIGNATURES)).ok();
    let must = match must {
        Some(true) => Must::Hold,
        Some(false) => Must::NotHold,
        None => Must::Agree,
    };
    Done::new("one more entry", must).with("--witnesses", &given.no_quorum).with("--known", &given.known)
}

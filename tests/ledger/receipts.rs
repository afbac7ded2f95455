//! Receipts through all three verifiers: the library, `verify.sh` and `verify.py` give one exit code.

use crate::place::{FILE, ORIGIN, Tree, accessioned, description, entry, keys, record, signer};
use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use vankho::ledger::keys::Signer;
use vankho::ledger::note::encode_base64;
use vankho::ledger::proof::{FIRST_LINE, Receipt};
use vankho::record::{
    digest::Digest,
    entry::{Damage, Event},
    unit,
};
use vankho::verify::receipt::{Outside, verify_outside, verify_receipt};

/// What a person puts before a verifier.
#[derive(Clone)]
pub struct Question {
    pub receipt: Vec<u8>,
    pub file: Vec<u8>,
    pub keys: Vec<u8>,
    pub description: Option<Vec<u8>>,
    /// Which witnesses must have cosigned.
    pub policy: Option<Vec<u8>>,
}

impl Question {
    /// The receipt of record 4 among eleven.
    pub fn example() -> Question {
        Question::about(&signer(ORIGIN, 1), 4, 11)
    }

    fn about(signer: &Signer, number: u8, size: u8) -> Question {
        let entries: Vec<Vec<u8>> = (0..size).map(accessioned).collect();
        let receipt = Tree::of(&entries).receipt(signer, &entries[usize::from(number)], number.into());
        Question::with(signer, &receipt, Some(description(number).to_bytes().unwrap()))
    }

    /// An entry that stands in a ledger of three.
    fn of_entry(entry: &[u8], description: Option<Vec<u8>>) -> Question {
        let signer = signer(ORIGIN, 1);
        let entries = [b"first".to_vec(), entry.to_vec(), b"third".to_vec()];
        Question::with(&signer, &Tree::of(&entries).receipt(&signer, entry, 1), description)
    }

    fn with(signer: &Signer, receipt: &Receipt, description: Option<Vec<u8>>) -> Question {
        let (receipt, keys) = (receipt.encode().into_bytes(), keys(signer).to_string().into_bytes());
        Question { receipt, file: FILE.to_vec(), keys, description, policy: None }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.receipt.clone()).unwrap()
    }

    pub fn receipt(mut self, receipt: impl AsRef<[u8]>) -> Question {
        self.receipt = receipt.as_ref().to_vec();
        self
    }

    /// The receipt with one place written otherwise.
    pub fn replace(self, from: &str, to: &str) -> Question {
        let text = self.text();
        assert!(text.contains(from), "{from:?}");
        self.receipt(text.replacen(from, to, 1))
    }

    fn keys(mut self, keys: impl AsRef<[u8]>) -> Question {
        self.keys = keys.as_ref().to_vec();
        self
    }

    pub fn file(mut self, file: &[u8]) -> Question {
        self.file = file.to_vec();
        self
    }

    pub fn library(&self) -> u8 {
        let (policy, description) = (self.policy.as_deref(), self.description.as_deref());
        let file = Some(Digest::of(&self.file));
        let verdict = verify_outside(&self.receipt, &self.keys, Outside { policy, timestamp: None }, description, file);
        assert!(!verdict.english.is_empty() && !verdict.vietnamese.is_empty());
        verdict.outcome.exit_code()
    }

    /// The exit code of an offline verifier, and what it printed.
    fn ask(&self, program: &str, verifier: &str) -> (u8, String) {
        // Names that a careless script would trip over.
        let folder = tempfile::Builder::new().prefix("kho $(touch x) 'lưu trữ ").tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let mut command = Command::new(program);
        command.arg(place().join(verifier)).arg("receipt").current_dir(folder.path()).stderr(Stdio::null());
        command.arg(write("-biên nhận.tlog-proof", &self.receipt));
        command.arg(write("*; exit 0", &self.file));
        command.arg(write("archive.keys", &self.keys));
        if let Some(description) = &self.description {
            command.arg("--description").arg(write("mô tả.json", description));
        }
        if let Some(policy) = &self.policy {
            command.arg("--witnesses").arg(write("chứng kiến $(touch x)", policy));
        }
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        let given = 3 + usize::from(self.description.is_some()) + usize::from(self.policy.is_some());
        assert_eq!(left.len(), given, "something was written: {left:?}");
        (output.status.code().unwrap().try_into().unwrap(), said)
    }
}

/// Where the offline verifiers lie.
pub fn place() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/archive/place"))
}

/// All three give this answer to every case, and say so in two lines.
pub fn all_say(expected: u8, cases: Vec<(&str, Question)>) {
    let begins = [
        ("ĐÚNG: ", "HOLDS: "),
        ("KHÔNG ĐÚNG: ", "DOES NOT HOLD: "),
        ("CHƯA ĐỦ: ", "INCOMPLETE: "),
        ("KHÔNG KIỂM TRA ĐƯỢC: ", "CANNOT BE CHECKED: "),
    ][usize::from(expected)];
    for (name, question) in cases {
        assert_eq!(question.library(), expected, "vankho: {name}");
        for (program, verifier) in [("bash", "verify.sh"), ("python3", "verify.py")] {
            let (code, said) = question.ask(program, verifier);
            assert_eq!(code, expected, "{verifier}: {name}: {said}");
            let lines: Vec<&str> = said.lines().collect();
            let [vietnamese, english] = lines[..] else { panic!("{verifier}: {name}: {said}") };
            assert!(vietnamese.starts_with(begins.0) && english.starts_with(begins.1), "{verifier}: {name}: {said}");
        }
    }
}

#[test]
fn what_holds() {
    let example = Question::example();
    let old = signer(ORIGIN, 1);
    let new = signer(ORIGIN, 2);
    let followed = format!("# khóa công khai\n\n{} 0 11\n{} 11 -", old.verifying_key(), new.verifying_key());
    let second = new.sign_checkpoint(11, Tree::of(&(0..11).map(accessioned).collect::<Vec<_>>()).root(11));
    let second = second.rsplit_once("\n\n").unwrap().1;
    let long_witness = format!("\u{2014} witness.example/đá {}\n", encode_base64(&[7; 3000]));
    let document = description(3).to_bytes().unwrap();
    let replaces = Digest::of(b"before");
    let named = Digest::of(&document);
    let described = entry(Event::Described { unit: record(3).into(), description: named, replaces });
    let characterized = entry(Event::Characterized { record: record(3), description: named, replaces });
    all_say(
        0,
        vec![
            ("as it was given", example.clone()),
            ("the only entry", Question::about(&old, 0, 1)),
            ("the first of many", Question::about(&old, 0, 64)),
            ("the last of many, without sibling", Question::about(&old, 64, 65)),
            ("a key with a successor", example.clone().keys(&followed)),
            ("signed by both keys", example.clone().receipt(example.text() + second).keys(&followed)),
            ("signed by a key that the file does not have", example.clone().receipt(example.text() + second)),
            ("a witness's line", example.clone().receipt(example.text() + &long_witness)),
            ("a description after a correction", Question::of_entry(&described, Some(document.clone()))),
            ("a description after reading", Question::of_entry(&characterized, Some(document))),
            ("the other component", Question { file: b"other".to_vec(), ..example }),
        ],
    );
}

/// Of every kind of unit, with every event that names a description of it: the description stands for the file.
#[test]
fn any_event_of_any_unit() {
    let (replaces, id) = (Digest::of(b"before"), record(3).to_string());
    let (mut holds, mut refused) = (vec![], vec![]);
    for kind in unit::Kind::ALL {
        let (unit, name) = (kind.unit(&id).unwrap(), kind.as_str());
        let is_record = kind == unit::Kind::Record;
        let document = match is_record {
            true => description(3).to_bytes().unwrap(),
            false => serde_json_canonicalizer::to_vec(&serde_json::json!({
                (name): id, "salt": "5a".repeat(32), "schema": format!("{name}.v1"), "title": "Hồ sơ",
            }))
            .unwrap(),
        };
        let description = Digest::of(&document);
        let takes_in = matches!(kind, unit::Kind::File | unit::Kind::Fonds);
        let approved = matches!(kind, unit::Kind::Schedule | unit::Kind::Plan | unit::Kind::Backlog);
        for (event, may) in [
            (Event::Opened { unit, description }, !is_record),
            (Event::Described { unit, description, replaces }, true),
            (Event::Approved { unit, description, replaces }, approved),
            (Event::Closed { unit, description, replaces }, takes_in),
            (Event::Reopened { unit, description, replaces }, takes_in),
            (Event::Damaged { unit, named_by: description, component: 0, place: 1, fault: Damage::Missing }, true),
            (Event::Repaired { unit, named_by: description, component: 0, place: 1, source: 2 }, true),
            (Event::Lost { unit, named_by: description, component: 0 }, true),
        ] {
            let bytes = entry(event);
            let question = Question::of_entry(&bytes, Some(document.clone())).file(&document);
            if !may {
                refused.push((name, question));
                continue;
            }
            refused.push(("another file", question.clone().file(b"another")));
            holds.push((name, question));
        }
        let bytes = entry(Event::Lost { unit, named_by: description, component: 0 });
        // A kind that no description has, and what belongs to another.
        let other = unit::Kind::ALL[(kind as usize + 1) % unit::Kind::ALL.len()].as_str();
        let changed = |from: String, to: String| {
            let bytes = String::from_utf8(bytes.clone()).unwrap().replace(&from, &to);
            Question::of_entry(bytes.as_bytes(), Some(document.clone())).file(&document)
        };
        let unit = format!("\"{name}\":");
        refused.push(("no kind of unit", changed(unit.clone(), "\"shelf\":".into())));
        refused.push(("another kind", changed(unit, format!("\"{other}\":"))));
        refused.push(("too large a component", changed("\"component\":0".into(), "\"component\":4294967296".into())));
    }
    all_say(0, holds);
    all_say(1, refused);
}

#[test]
fn what_was_changed() {
    let q = Question::example;
    let text = q().text();
    let other = Question::about(&signer(ORIGIN, 1), 5, 11).text();
    let line = |text: &str, n: usize| text.lines().nth(n).unwrap().to_owned();
    let signature = format!("{}\n", text.lines().last().unwrap());
    // Lines 3 to 6 are the path, 8 to 10 the checkpoint, 12 the signature.
    let flip = |s: &str| {
        let mut bytes = s.as_bytes().to_vec();
        let at = bytes.len() / 2;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut cases: Vec<(&str, Question)> = vec![
        ("entry of another receipt", q().replace(&line(&text, 1), &line(&other, 1))),
        ("path of another receipt", q().replace(&line(&text, 3), &line(&other, 3))),
        ("index of another receipt", q().replace("index 4\n", "index 5\n")),
        ("index 0", q().replace("index 4\n", "index 0\n")),
        ("index at the size", q().replace("index 4\n", "index 11\n")),
        ("size changed", q().replace("\n11\n", "\n12\n")),
        ("size 0", q().replace("\n11\n", "\n0\n")),
        ("origin changed", q().replace(&format!("{ORIGIN}\n"), "kho.example.vn/khac\n")),
        ("signer's name changed", q().replace(&format!("\u{2014} {ORIGIN} "), "\u{2014} kho.example.vn/khac ")),
        ("two hashes swapped", {
            let (a, b) = (line(&text, 3), line(&text, 4));
            q().replace(&format!("{a}\n{b}\n"), &format!("{b}\n{a}\n"))
        }),
        ("a hash missing", q().replace(&format!("{}\n", line(&text, 4)), "")),
        ("a hash too many", q().replace(&line(&text, 4), &format!("{0}\n{0}", line(&text, 4)))),
        (
            "no path",
            q().receipt(format!(
                "{}\n{}\n{}\n\n{}",
                line(&text, 0),
                line(&text, 1),
                line(&text, 2),
                text.split_once("\n\n").unwrap().1
            )),
        ),
        ("checkpoint of the same size by a stranger", {
            let stranger = Question::about(&signer(ORIGIN, 9), 4, 11);
            q().receipt(stranger.receipt)
        }),
        ("checkpoint of another tree", q().replace(&line(&text, 10), &encode_base64(&Digest::of(b"forged").0))),
        ("a commit's note for a checkpoint", {
            let tree = Tree::of(&(0..11).map(accessioned).collect::<Vec<_>>());
            let note = signer(ORIGIN, 1).sign_commit(11, tree.root(11), vankho::ledger::primacy::Primacy::FIRST);
            q().receipt(format!("{}\n\n{note}", text.split_once("\n\n").unwrap().0))
        }),
        ("a false signature beside the right one", q().receipt(format!("{text}{}\n", flip(signature.trim_end())))),
    ];
    for (name, n) in [("entry", 1), ("path", 3), ("path end", 6), ("root", 10), ("signature", 12)] {
        cases.push((name, q().replace(&line(&text, n), &flip(&line(&text, n)))));
    }
    all_say(1, cases);
}

#[test]
fn sloppy_receipts() {
    let q = Question::example;
    let text = q().text();
    let last = text.lines().last().unwrap().to_owned();
    let hash = text.lines().nth(3).unwrap().to_owned();
    let lines = |n: usize| format!("{text}{}", "\u{2014} w AAAAAAE=\n".repeat(n));
    all_say(
        1,
        vec![
            ("carriage returns", q().receipt(text.replace('\n', "\r\n").replacen("\r\n", "\n", 1))),
            ("no last line feed", q().receipt(text.trim_end())),
            ("a line feed too many", q().receipt(format!("{text}\n"))),
            ("a line after the end", q().receipt(format!("{text}thêm\n"))),
            ("a NUL", q().receipt(format!("{text}\u{2014} w\0 AAAAAAE=\n"))),
            ("not UTF-8", q().receipt([text.as_bytes(), b"\xe2\x80\x94 w\xff AAAAAAE=\n"].concat())),
            ("a surrogate", q().receipt([text.as_bytes(), b"\xe2\x80\x94 w\xed\xa0\x80 AAAAAAE=\n"].concat())),
            ("overlong UTF-8", q().receipt([text.as_bytes(), b"\xe2\x80\x94 w\xc0\xaf AAAAAAE=\n"].concat())),
            ("unused bits of a hash", q().replace(&hash, &sloppy(&hash))),
            ("no padding", q().replace(&hash, hash.trim_end_matches('='))),
            ("too much padding", q().replace(&hash, &format!("{hash}="))),
            ("URL base64", q().replace(&last, &last.replace(['+', '/'], "-"))),
            ("white space in base64", q().replace(&hash, &format!("{} {}", &hash[..20], &hash[20..]))),
            ("white space after", q().replace(&hash, &format!("{hash} "))),
            ("a leading zero", q().replace("index 4\n", "index 04\n")),
            ("a sign", q().replace("index 4\n", "index +4\n")),
            ("octal", q().replace("\n11\n", "\n011\n")),
            ("hexadecimal", q().replace("\n11\n", "\n0xb\n")),
            ("more than 64 bits", q().replace("index 4\n", "index 18446744073709551620\n")),
            ("more than 18 digits", q().replace("\n11\n", "\n9000000000000000011\n")),
            ("a command for a number", q().replace("index 4\n", "index a[$(touch x)]\n")),
            ("a command for a size", q().replace("\n11\n", "\nx[$(touch x)]\n")),
            ("a command for a name", q().receipt(format!("{text}\u{2014} $(touch x) `touch`\n"))),
            ("no index", q().replace("index 4\n", "")),
            ("no extra", q().replace(&format!("{}\n", text.lines().nth(1).unwrap()), "")),
            ("empty extra", q().replace(text.lines().nth(1).unwrap(), "extra ")),
            ("an extension line", q().replace("=\n\n\u{2014}", "=\nextension\n\n\u{2014}")),
            ("an empty line in the note", q().replace("\n11\n", "\n11\n\n")),
            ("a hyphen for a dash", q().replace("\u{2014} ", "- ")),
            ("a name with a space that is none", q().receipt(format!("{text}\u{2014} w\u{2003}x AAAAAAE=\n"))),
            ("a name with a plus", q().receipt(format!("{text}\u{2014} w+x AAAAAAE=\n"))),
            ("an empty name", q().receipt(format!("{text}\u{2014}  AAAAAAE=\n"))),
            ("a signature of four bytes", q().receipt(format!("{text}\u{2014} w AAAAAA==\n"))),
            ("a signature with unused bits", q().receipt(format!("{text}\u{2014} w AAAAAAF=\n"))),
            ("a signature by the right key that is too short", q().replace(&last, &short(&last))),
            ("too many signatures", q().receipt(lines(100))),
            ("more than 256 KiB", q().receipt(format!("{text}\u{2014} w {}\n", encode_base64(&vec![0; 200_000])))),
            ("sixty-four hashes", q().replace(&hash, &vec![hash.as_str(); 64].join("\n"))),
        ],
    );
    all_say(0, vec![("ninety-nine witnesses", q().receipt(lines(99)))]);
}

/// The same hash, with a bit set in its base64 that no byte comes from.
fn sloppy(hash: &str) -> String {
    let last = hash.as_bytes()[42] as char;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    format!("{}{next}=", &hash[..42])
}

/// A signature line cut to 60 bytes of signature.
fn short(line: &str) -> String {
    let (name, signature) = line.rsplit_once(' ').unwrap();
    let bytes = vankho::ledger::note::decode_base64(signature).unwrap();
    format!("{name} {}", encode_base64(&bytes[..64]))
}

#[test]
fn wrong_files_descriptions_and_entries() {
    let example = Question::example();
    let described = |bytes: Vec<u8>| Question { description: Some(bytes), ..Question::example() };
    let document = description(4).to_bytes().unwrap();
    let changed = String::from_utf8(document.clone()).unwrap().replace("\"pages\":12", "\"pages\":13");
    // Descriptions that the ledger names and that are wrong all the same.
    let named = |bytes: Vec<u8>, number: u8| {
        let event = Event::Accessioned { record: record(number), description: Digest::of(&bytes) };
        Question::of_entry(&entry(event), Some(bytes))
    };
    let text = String::from_utf8(document.clone()).unwrap();
    let founded = entry(Event::Founded { documents: [("README.txt".to_owned(), Digest::of(b"r"))].into() });
    let line = |bytes: &[u8]| Question::of_entry(bytes, Some(document.clone()));
    let good = String::from_utf8(accessioned(4)).unwrap();
    all_say(
        1,
        vec![
            ("another file", Question { file: b"Forged".to_vec(), ..example.clone() }),
            ("a file cut short", Question { file: FILE[..FILE.len() - 1].to_vec(), ..example.clone() }),
            ("an empty file", Question { file: vec![], ..example.clone() }),
            ("another description", described(description(5).to_bytes().unwrap())),
            ("a changed description", described(changed.into_bytes())),
            ("a line feed after the description", described([document.as_slice(), b"\n"].concat())),
            ("an empty description", described(vec![])),
            ("a description of another record", named(document.clone(), 5)),
            ("a description with spaces", named(text.replacen(':', ": ", 1).into_bytes(), 4)),
            (
                "a description with a member twice",
                named(text.replacen('{', "{\"schema\":\"record.v1\",", 1).into_bytes(), 4),
            ),
            (
                "a description out of order",
                named(text.replacen("{\"components\"", "{\"z\":1,\"components\"", 1).into_bytes(), 4),
            ),
            ("a description with needless escapes", named(text.replacen('<', "\\u003c", 1).into_bytes(), 4)),
            ("a description with an escape that jq writes", named(text.replace('\u{7f}', "\\u007f").into_bytes(), 4)),
            ("two descriptions", named([document.clone(), document.clone()].concat(), 4)),
            ("a description of another schema", named(text.replacen("record.v1", "record.v2", 1).into_bytes(), 4)),
            ("a description that is no JSON", named(b"{".to_vec(), 4)),
            ("a deep description", named("[".repeat(5000).into_bytes(), 4)),
            ("a description that is a list", named(b"[]".to_vec(), 4)),
            (
                "a description without components",
                named(text.replacen("\"components\"", "\"component\"", 1).into_bytes(), 4),
            ),
            ("an entry of no record", line(&founded)),
            ("no entry at all", line(b"{\"v\":1}")),
            ("an entry with a space", line(good.replacen(',', ", ", 1).as_bytes())),
            ("an entry with a line feed", line(format!("{good}\n").as_bytes())),
            ("an entry with more", line(good.replacen('{', "{\"a\":1,", 1).as_bytes())),
            ("an entry of version 2", line(good.replacen("\"v\":1", "\"v\":2", 1).as_bytes())),
            ("an entry beyond ASCII", line(good.replacen("accessioned", "tiếp nhận", 1).as_bytes())),
            ("an entry that is too long", line(&[b'x'; 5000])),
            ("an entry with a NUL", line(b"\0")),
        ],
    );
}

#[test]
fn keys_that_do_not_fit() {
    let q = Question::example;
    let vkey = signer(ORIGIN, 1).verifying_key().to_string();
    let stranger = signer(ORIGIN, 9).verifying_key().to_string();
    let elsewhere = signer("kho.example.vn/khac", 1).verifying_key().to_string();
    all_say(
        1,
        vec![
            ("the key of a stranger", q().keys(format!("{stranger} 0 -\n"))),
            ("the same key under another name", q().keys(format!("{elsewhere} 0 -\n"))),
            ("a key that was retired before", q().keys(format!("{vkey} 0 10\n{stranger} 10 -\n"))),
            ("a key that came later", q().keys(format!("{vkey} 12 -\n"))),
            ("the right key retired, a stranger's in use", q().keys(format!("{vkey} 0 3\n{stranger} 3 -\n"))),
        ],
    );
    let weak = [[1u8; 1].as_slice(), &[1], &[0; 31]].concat();
    let id = Digest::of(&[ORIGIN.as_bytes(), b"\n", &weak].concat()).to_string();
    all_say(
        3,
        vec![
            ("no key", q().keys("")),
            ("only a comment", q().keys("# khóa\n")),
            ("no range", q().keys(&vkey)),
            ("carriage returns", q().keys(format!("{vkey} 0 -\r\n"))),
            ("a range backwards", q().keys(format!("{vkey} 9 3\n"))),
            ("a range beyond counting", q().keys(format!("{vkey} 0 99999999999999999999\n"))),
            ("a command for a range", q().keys(format!("{vkey} a[$(touch x)] -\n"))),
            ("two archives", q().keys(format!("{vkey} 0 -\n{elsewhere} 0 -\n"))),
            ("a wrong id", q().keys(format!("{} 0 -\n", vkey.replacen('+', "+0", 1)))),
            ("a changed id", q().keys(format!("{} 0 -\n", flip_id(&vkey)))),
            ("a key of small order", q().keys(format!("{ORIGIN}+{}+{} 0 -\n", &id[..8], encode_base64(&weak)))),
            ("not UTF-8", q().keys(b"# \xff\n")),
            ("not a key file", q().keys(b"\x89PNG\0\x1a\n")),
        ],
    );
}

fn flip_id(vkey: &str) -> String {
    let at = vkey.find('+').unwrap() + 1;
    let other = if &vkey[at..=at] == "0" { "1" } else { "0" };
    format!("{}{other}{}", &vkey[..at], &vkey[at + 1..])
}

#[test]
fn what_is_missing_or_was_mistaken() {
    let q = Question::example;
    all_say(2, vec![("no description", Question { description: None, ..q() })]);
    all_say(
        1,
        vec![(
            "no description and a false receipt",
            Question { description: None, ..q().replace("index 4\n", "index 5\n") },
        )],
    );
    all_say(
        3,
        vec![
            ("the file for the receipt", q().receipt(FILE)),
            ("nothing for the receipt", q().receipt("")),
            ("a later version of the form", q().replace("@v1", "@v2")),
            ("the first line and no more", q().receipt(FIRST_LINE)),
        ],
    );
    // Without a file, which only the library can be asked.
    let verdict = verify_receipt(&q().receipt, &q().keys, q().description.as_deref(), None);
    assert_eq!(verdict.outcome.exit_code(), 2);
}

#[test]
fn the_offline_verifiers_know_their_usage() {
    for (program, verifier) in [("bash", "verify.sh"), ("python3", "verify.py")] {
        let ask = |arguments: &[&str]| {
            let output = Command::new(program).arg(place().join(verifier)).args(arguments).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2, "{verifier} {arguments:?}");
            output.status.code().unwrap()
        };
        let me = place().join(verifier);
        let me = me.to_str().unwrap();
        for wrong in [
            &[][..],
            &["--help"],
            &["receipt"],
            &["receipt", me, me],
            &["receipt", me, me, me, "--description"],
            &["receipt", me, me, me, "--descriptio", me],
            &["receipt", me, me, me, "--description", me, me],
            &["receipt", "/nowhere/at/all", me, me],
            &["receipt", me, "/nowhere/at/all", me],
            &["receipt", me, "/", me],
            &["receipt", me, me, me, "--description", "/nowhere/at/all"],
            &["archive", "/"],
        ] {
            assert_eq!(ask(wrong), 3, "{verifier} {wrong:?}");
        }
    }
}

/// An answer that reaches nobody is none: neither 0, which would hold, nor 1, which would accuse.
#[test]
fn an_answer_that_cannot_be_written_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    };
    let example = Question::example();
    write("receipt", &example.receipt);
    write("file", &example.file);
    write("keys", &example.keys);
    write("description", &example.description.unwrap());
    write("forged", b"forged");
    for (program, verifier) in [("bash", "verify.sh"), ("python3", "verify.py")] {
        let ask = |file: &str, to: &str| {
            let line = format!("trap - PIPE; exec \"$@\" receipt receipt {file} keys --description description {to}");
            let mut command = Command::new("bash");
            command.args(["-c", &line, "-", program]).arg(place().join(verifier)).current_dir(folder.path());
            command
        };
        for (file, code) in [("file", 0), ("forged", 1)] {
            for (to, code) in [("", code), ("> /dev/full", 3), (">&-", 3)] {
                let output = ask(file, to).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!((output.status.code(), said.is_empty()), (Some(code), code != 3), "{verifier} {to}: {said}");
            }
            let mut child = ask(file, "").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            drop(child.stdout.take());
            assert_eq!(child.wait().unwrap().code(), Some(3), "{verifier}: nobody reads");
        }
    }
    // Python ends with 1 of its own accord, whatever went wrong.
    let script = format!("{}\nraise MemoryError\n", std::fs::read_to_string(place().join("verify.py")).unwrap());
    write("broken.py", script.replace("if __name__", "if False and __name__").as_bytes());
    let broken = Command::new("python3").arg("broken.py").current_dir(folder.path()).output().unwrap();
    assert_eq!(broken.status.code(), Some(3), "{}", String::from_utf8_lossy(&broken.stderr));
}

/// Cut anywhere, changed anywhere: never 0. Every place by the library, some by all three.
#[test]
fn no_cut_and_no_change_holds() {
    let example = Question::example();
    let bytes = &example.receipt;
    for at in 0..bytes.len() {
        assert_ne!(example.clone().receipt(&bytes[..at]).library(), 0, "cut at {at}");
        for change in [1u8, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            assert_ne!(example.clone().receipt(&changed).library(), 0, "{change} at {at}");
        }
    }
    let (mut cut, mut changed) = (vec![], vec![]);
    for at in (FIRST_LINE.len() + 1..bytes.len()).step_by(67) {
        cut.push(("cut", example.clone().receipt(&bytes[..at])));
        let mut other = bytes.clone();
        other[at] ^= 1;
        changed.push(("changed", example.clone().receipt(&other)));
    }
    all_say(1, cut);
    all_say(1, changed);
}

/// The bar: one receipt in less than 10 ms.
#[test]
fn a_receipt_is_judged_in_time() {
    let question = Question::about(&signer(ORIGIN, 1), 199, 250);
    let file = Digest::of(&question.file);
    let rounds = 100;
    let start = Instant::now();
    for _ in 0..rounds {
        let verdict = verify_receipt(&question.receipt, &question.keys, question.description.as_deref(), Some(file));
        assert_eq!(verdict.outcome.exit_code(), 0);
    }
    let one = start.elapsed() / rounds;
    println!("one receipt: {one:?}");
    assert!(one < Duration::from_millis(10), "{one:?}");
}

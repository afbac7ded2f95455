//! Receipts with one thing changed, through `vankho verify receipt`, `verify.sh` and `verify.py`: one answer, and never
//! that it holds where something else is meant. `VANKHO_FULL=1` asks all of them, else a slice; `VANKHO_SEED` moves it.

use crate::mutate::{Chance, Tally, changed, count, on_two, seed};
use crate::place::{FILE, ORIGIN, Tree, accessioned, description, entry, keys, record, signer};
use crate::receipts::{Question, place};
use crate::witnessed::{cosigned, policy};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use vankho::ledger::{keys::Signer, note::encode_base64};
use vankho::record::{digest::Digest, entry::Event};

/// What the answer has to be, besides the same from all three.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Must {
    /// The meaning is as it was.
    Hold,
    /// It was changed.
    NotHold,
    /// All that is asked is that they agree.
    Agree,
}

/// What is asked, what was done to it, and what must come of it.
type Case = (String, Question, Must);

#[test]
fn three_verifiers_agree_on_every_mutation() {
    let kinds: [fn(&mut Chance) -> Case; 12] = [
        |chance| bytes_of("receipt", chance),
        |chance| bytes_of("receipt", chance),
        |chance| bytes_of("receipt", chance),
        |chance| bytes_of("keys", chance),
        |chance| bytes_of("description", chance),
        |chance| bytes_of("file", chance),
        |chance| bytes_of("policy", chance),
        spliced,
        spliced,
        described_anew,
        entered_anew,
        signed_anew,
    ];
    let tally = Tally::default();
    on_two(count(144, 2400), |n| {
        let (name, question, must) = kinds[n % kinds.len()](&mut Chance::of(n));
        judge(&tally, &name, &question, must, n);
    });
    tally.tell("receipts, three verifiers");
}

/// What may be done to evidence without a change of its meaning holds everywhere.
#[test]
fn three_verifiers_agree_on_what_does_not_matter() {
    let q = Question::example;
    let vkey = signer(ORIGIN, 1).verifying_key().to_string();
    let stranger = signer(ORIGIN, 9).verifying_key().to_string();
    let with_keys = |keys: String| Question { keys: keys.into_bytes(), ..q() };
    let line = format!("{}\n", q().text().lines().last().unwrap());
    let under = |policy: &str| Question { policy: Some(policy.as_bytes().to_vec()), ..cosigned(&[1, 2], policy) };
    let extended = |more: Value| {
        let mut value: Value = serde_json::to_value(description(4)).unwrap();
        value["metadata"]["later"] = more;
        named(serde_json_canonicalizer::to_vec(&value).unwrap())
    };
    let good = [
        ("a comment in the key file", with_keys(format!("# khóa\n\n{vkey} 0 -\n"))),
        ("no last line feed in it", with_keys(format!("{vkey} 0 -"))),
        ("a key that ends at the size", with_keys(format!("{vkey} 0 11\n"))),
        ("a key that begins at the size", with_keys(format!("{vkey} 11 -\n"))),
        ("a key that follows", with_keys(format!("{vkey} 0 11\n{stranger} 11 -\n"))),
        ("a key twice", with_keys(format!("{vkey} 0 -\n{vkey} 3 -\n"))),
        ("a signature twice", q().receipt(q().text() + &line)),
        ("a line of a stranger", q().receipt(q().text() + "\u{2014} w AAAAAAE=\n")),
        ("a stranger before the signature", q().replace("\u{2014} ", "\u{2014} w AAAAAAE=\n\u{2014} ")),
        ("the other component", q().file(b"other")),
        ("white space in the policy", under(&policy("2").replace(' ', " \t "))),
        ("a comment in the policy", under(&format!("{}# hết", policy("2")))),
        ("a lower quorum", under(&policy("any"))),
        ("a member that is new", extended(json!([null, true, {"a_1": [9007199254740991_u64]}]))),
        ("an empty member", extended(json!({}))),
    ];
    let tally = Tally::default();
    on_two(good.len(), |n| judge(&tally, good[n].0, &good[n].1, Must::Hold, n));
    tally.tell("receipts that hold");
}

fn judge(tally: &Tally, name: &str, question: &Question, must: Must, n: usize) {
    let codes = ask(question);
    tally.answered(name, codes[0]);
    let agreed = codes.iter().all(|code| *code == codes[0]) && codes[0] <= 3;
    let holds = codes[0] == 0;
    if !agreed || must == Must::Hold && !holds || must == Must::NotHold && holds {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (receipt, keys) = (shown(&question.receipt), shown(&question.keys));
        let [description, policy] = [&question.description, &question.policy].map(|part| part.as_deref().map(shown));
        tally.wrong(format!(
            "case {n}, {name}: {codes:?} and {must:?}\n{receipt}\n{keys}\n{description:?}\n{policy:?}\n{}",
            shown(&question.file)
        ));
    }
}

/// The exit codes of the three; above 3 where one did not answer.
fn ask(question: &Question) -> [u8; 3] {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["receipt", "receipt", "file", "keys"];
    let mut write = |name: &'static str, bytes: &[u8], option: &[&'static str]| {
        fs::write(folder.path().join(name), bytes).unwrap();
        arguments.extend(option);
    };
    write("receipt", &question.receipt, &[]);
    write("file", &question.file, &[]);
    write("keys", &question.keys, &[]);
    if let Some(description) = &question.description {
        write("description", description, &["--description", "description"]);
    }
    if let Some(policy) = &question.policy {
        write("policy", policy, &["--witnesses", "policy"]);
    }
    let script = |name: &str| place().join(name).display().to_string();
    let (shell, python) = (script("verify.sh"), script("verify.py"));
    let programs: [&[&str]; 3] = [&[env!("CARGO_BIN_EXE_vankho"), "verify"], &["bash", &shell], &["python3", &python]];
    programs.map(|program| code(folder.path(), program, &arguments))
}

fn code(folder: &Path, program: &[&str], arguments: &[&str]) -> u8 {
    let mut command = Command::new("timeout");
    command.arg("120").args(program).args(arguments).current_dir(folder).stdin(Stdio::null());
    let output = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    output.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// One file with one thing changed.
fn bytes_of(file: &str, chance: &mut Chance) -> Case {
    let with_policy = file == "policy" || chance.below(4) == 0;
    let mut question = if with_policy { cosigned(&[1, 2], &policy("2")) } else { Question::example() };
    let bytes = match file {
        "receipt" => &mut question.receipt,
        "keys" => &mut question.keys,
        "file" => &mut question.file,
        "policy" => question.policy.as_mut().unwrap(),
        _ => question.description.as_mut().unwrap(),
    };
    let (what, other) = changed(bytes, chance);
    let same = match file {
        "receipt" => meant(&other) == meant(bytes),
        "keys" => has_key(&other),
        // Whoever asks says himself what he asks for.
        "policy" => true,
        _ => other == *bytes,
    };
    let must = if same { Must::Agree } else { Must::NotHold };
    *bytes = other;
    (format!("{file}: {what}"), question, must)
}

/// A receipt without what nobody reads: lines by strangers, and repeated ones.
fn meant(receipt: &[u8]) -> Vec<&[u8]> {
    let names = [ORIGIN, "witness-1.example.vn/đá", "witness-2.example.vn/đá"];
    let ours = |line: &&[u8]| {
        let line = line.strip_prefix("\u{2014} ".as_bytes());
        line.is_none_or(|line| names.iter().any(|name| line.starts_with(name.as_bytes())))
    };
    let (mut head, mut signatures): (Vec<&[u8]>, Vec<&[u8]>) =
        receipt.split(|byte| *byte == b'\n').filter(ours).partition(|line| !line.starts_with("\u{2014} ".as_bytes()));
    signatures.sort_unstable();
    signatures.dedup();
    head.append(&mut signatures);
    head
}

/// Does a key file still name the archive's key?
fn has_key(keys: &[u8]) -> bool {
    let vkey = signer(ORIGIN, 1).verifying_key().to_string();
    keys.split(|byte| *byte == b'\n').any(|line| line.starts_with(vkey.as_bytes()))
}

/// Parts of receipts that all hold, or are a stranger's, put together anew: a swapped proof, an entry of another place,
/// a checkpoint that was rolled back, a fork that the same key signed.
fn spliced(chance: &mut Chance) -> Case {
    let (own, stranger) = (signer(ORIGIN, 1), signer(ORIGIN, 9));
    let tree = |size: u8, forked: bool| -> Vec<Vec<u8>> {
        (0..size).map(|n| accessioned(if forked && n == 7 { 100 } else { n })).collect()
    };
    let of = |signer: &Signer, entries: &[Vec<u8>], index: usize| -> [String; 5] {
        let text = Tree::of(entries).receipt(signer, &entries[index], index as u64).encode();
        let (head, note) = text.split_once("\n\n").unwrap();
        let (body, signatures) = note.split_once("\n\n").unwrap();
        let lines: Vec<&str> = head.splitn(4, '\n').collect();
        let [_, extra, index, path] = lines[..] else { panic!("{head}") };
        [extra, index, path, body, signatures].map(str::to_owned)
    };
    let whole = [
        of(&own, &tree(11, false), 4),
        of(&own, &tree(12, false), 4),
        of(&own, &tree(9, false), 4),
        of(&own, &tree(11, true), 4),
        of(&own, &tree(11, false), 5),
        of(&stranger, &tree(11, false), 4),
        of(&stranger, &tree(11, true), 4),
    ];
    let parts: Vec<&String> = (0..5).map(|part| &whole[chance.below(whole.len())][part]).collect();
    let text =
        format!("c2sp.org/tlog-proof@v1\n{}\n{}\n{}\n\n{}\n\n{}", parts[0], parts[1], parts[2], parts[3], parts[4]);
    let holds = whole[..4].iter().any(|whole| whole.iter().eq(parts.iter().copied()));
    let must = if holds { Must::Hold } else { Must::NotHold };
    ("parts of several receipts".into(), Question::example().receipt(text), must)
}

/// A receipt for an entry, with the description that it names.
fn with_entry(line: &[u8], description: Vec<u8>) -> Question {
    let mut entries: Vec<Vec<u8>> = (0..11).map(accessioned).collect();
    entries[4] = line.to_vec();
    let receipt = Tree::of(&entries).receipt(&signer(ORIGIN, 1), line, 4).encode();
    Question { description: Some(description), ..Question::example().receipt(receipt) }
}

fn named(description: Vec<u8>) -> Question {
    let event = Event::Accessioned { record: record(4), description: Digest::of(&description) };
    with_entry(&entry(event), description)
}

/// A description in another form, which the ledger names all the same.
fn described_anew(chance: &mut Chance) -> Case {
    let mut value = serde_json::to_value(description(4)).unwrap();
    let values = || {
        let deep = |depth: usize| (0..depth).fold(json!(1), |inside, _| json!([inside]));
        [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!("x"),
            json!([]),
            json!({}),
            json!(9007199254740991_u64),
            json!(9007199254740992_u64),
            json!(18446744073709551615_u64),
            json!("5a".repeat(32)),
            json!("\u{7f}\u{80}\u{feff}\u{fffe}\u{2028}"),
            json!("\0\u{1f}\"\\/"),
            deep(20),
            deep(29),
            deep(30),
            deep(31),
            deep(32),
            deep(120),
            json!({"a": 1, "b": {"c": [null]}}),
        ]
    };
    let names =
        ["schema", "record", "salt", "replaces", "components", "metadata", "findings", "later", "A", "é", "x y", ""];
    let inside = ["ordinal", "sha256", "size", "format", "role", "original_name", "later", "Z"];
    match chance.below(4) {
        0 => value[*chance.pick(&names)] = chance.pick(&values()).clone(),
        1 => value["components"][chance.below(2)][*chance.pick(&inside)] = chance.pick(&values()).clone(),
        2 => drop(value.as_object_mut().unwrap().remove(*chance.pick(&names))),
        _ => value["metadata"]["subject"] = chance.pick(&values()).clone(),
    }
    let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
    let text = String::from_utf8(canonical).unwrap();
    let spellings: [fn(&str) -> String; 13] = [
        str::to_owned,
        str::to_owned,
        str::to_owned,
        str::to_owned,
        |text| format!("{text}\n"),
        |text| format!("\u{feff}{text}"),
        |text| text.replacen(':', ": ", 1),
        |text| text.replacen("\"pages\":12", "\"pages\":012", 1),
        |text| text.replacen("\"pages\":12", "\"pages\":-0", 1),
        |text| text.replacen("\"pages\":12", "\"pages\":12.0", 1),
        |text| text.replacen('{', "{\"schema\":\"record.v1\",", 1),
        |text| text.replacen('Đ', "\\ud800", 1),
        |text| text.replace('\u{7f}', "\\u007f"),
    ];
    let text = chance.pick(&spellings)(&text);
    ("a description of another form".into(), named(text.into_bytes()), Must::Agree)
}

/// An entry in another form, which stands in the ledger all the same.
fn entered_anew(chance: &mut Chance) -> Case {
    let document = description(4).to_bytes().unwrap();
    let mut value: Value = serde_json::from_slice(&accessioned(4)).unwrap();
    let moments = [
        "2024-02-29T00:00:00.000000Z",
        "2023-02-29T00:00:00.000000Z",
        "2000-02-29T23:59:59.999999Z",
        "1900-02-29T00:00:00.000000Z",
        "0000-01-01T00:00:00.000000Z",
        "0001-01-01T00:00:00.000000Z",
        "9998-12-31T23:59:59.999999Z",
        "9999-01-01T00:00:00.000000Z",
        "-00001-01-01T00:00:00.000000Z",
        "2026-13-01T00:00:00.000000Z",
        "2026-00-01T00:00:00.000000Z",
        "2026-04-31T00:00:00.000000Z",
        "2026-01-01T24:00:00.000000Z",
        "2026-01-01T00:60:00.000000Z",
        "2026-06-30T23:59:60.000000Z",
        "2026-08-09T08:09:08.090909Z",
        "2026-01-01T00:00:00.00000Z",
        "2026-01-01t00:00:00.000000z",
        "2026-01-01T00:00:00.000000+00:00",
        "٢٠٢٦-01-01T00:00:00.000000Z",
    ];
    let values =
        [json!(null), json!(1), json!(2), json!("1"), json!(""), json!([]), json!("5a".repeat(32)), json!(record(5))];
    let names = ["by", "description", "event", "record", "replaces", "request", "v", "more", "at"];
    match chance.below(5) {
        0 | 1 => value["at"] = json!(chance.pick(&moments)),
        2 => value[*chance.pick(&names)] = chance.pick(&values).clone(),
        3 => drop(value.as_object_mut().unwrap().remove(*chance.pick(&names))),
        _ => {
            value["event"] =
                json!(chance.pick(&["described", "characterized", "founded", "lost", "audited", "Accessioned"]));
            value["replaces"] = json!("5a".repeat(32));
        }
    }
    let mut line = serde_json_canonicalizer::to_vec(&value).unwrap();
    if chance.below(4) == 0 {
        line = changed(&line, chance).1;
    }
    ("an entry of another form".into(), with_entry(&line, document), Must::Agree)
}

/// Signatures and keys that are almost right.
fn signed_anew(chance: &mut Chance) -> Case {
    let q = Question::example;
    let text = q().text();
    let (own, other) = (signer(ORIGIN, 1), signer(ORIGIN, 2));
    let (body, last) = (text.split_once("\n\n").unwrap().0, text.lines().last().unwrap());
    let tree = Tree::of(&(0..11).map(accessioned).collect::<Vec<_>>());
    let signature = vankho::ledger::note::decode_base64(last.rsplit_once(' ').unwrap().1).unwrap();
    let line = |bytes: &[u8]| text.replace(last, &format!("\u{2014} {ORIGIN} {}", encode_base64(bytes)));
    // The order of the group, added to the second half: lenient rules would take it for the same signature.
    let order: [u8; 32] = std::array::from_fn(|n| {
        *[0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14]
            .get(n)
            .unwrap_or(&if n == 31 { 0x10 } else { 0 })
    });
    let mut above = signature.clone();
    let mut carry = 0;
    for (byte, more) in above[36..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    let small = [&signature[..4], &[1], &[0; 63]].concat();
    let cases: [(&str, Question); 9] = [
        ("the second half above the order", q().receipt(line(&above))),
        ("a signature of small order", q().receipt(line(&small))),
        ("no signature but zeros", q().receipt(line(&[&signature[..4], &[0; 64]].concat()))),
        ("half a signature", q().receipt(line(&signature[..36]))),
        ("a signature and a byte", q().receipt(line(&[&signature[..], &[0]].concat()))),
        ("by another key", q().receipt(format!("{body}\n\n{}", other.sign_checkpoint(11, tree.root(11))))),
        ("over another root", q().receipt(format!("{body}\n\n{}", own.sign_checkpoint(11, Digest::of(b"fork"))))),
        ("over an older size", q().receipt(format!("{body}\n\n{}", own.sign_checkpoint(10, tree.root(10))))),
        ("the wrong key", Question { keys: keys(&other).to_string().into_bytes(), ..q() }),
    ];
    let (name, question) = cases[chance.below(cases.len())].clone();
    (format!("signatures: {name}"), question, Must::NotHold)
}

/// One deliberate lie among the verifiers is seen: the test can turn red.
#[test]
fn a_verifier_that_disagrees_is_seen() {
    let tally = Tally::default();
    judge(&tally, "a receipt that holds", &Question::example(), Must::NotHold, 0);
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tally.tell("a lie"))).unwrap_err();
    assert!(told.downcast_ref::<String>().unwrap().contains("1 of 1 are wrong"), "seed {}", seed());
    assert_eq!(FILE, Question::example().file);
}

//! Receipts with cosignatures under a policy, through all three verifiers; and cosignatures as others read them.

use crate::place::{ORIGIN, Tree, accessioned, signer};
use crate::receipts::{Question, all_say, place};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use std::process::{Command, Stdio};
use vankho::ledger::{
    cosignature::Cosigner,
    merkle,
    note::{decode_base64, encode_base64},
};
use zeroize::Zeroizing;

const TIME: u64 = 1_790_000_000;

fn witness(n: u8) -> Cosigner {
    Cosigner::from_seed(&format!("witness-{n}.example.vn/đá"), &Zeroizing::new([100 + n; 32])).unwrap()
}

fn body() -> String {
    let text = Question::example().text();
    let note = text.split_once("\n\n").unwrap().1;
    format!("{}\n", note.split_once("\n\n").unwrap().0)
}

fn line(n: u8) -> String {
    witness(n).cosign(&body(), TIME + u64::from(n)).unwrap()
}

/// Witnesses 1 to 3, and a quorum of so many of them.
pub fn policy(count: &str) -> String {
    let lines: String = (1..=3).map(|n| format!("witness w{n} {}\n", witness(n).public())).collect();
    format!("# ba bên\n\n{lines}group \t g {count} w1 w2 w3 \nquorum g\n")
}

/// The example receipt, cosigned by some, under a policy.
pub fn cosigned(by: &[u8], policy: &str) -> Question {
    let lines: String = by.iter().map(|n| line(*n)).collect();
    let example = Question::example();
    let text = example.text() + &lines;
    Question { policy: Some(policy.as_bytes().to_vec()), ..example.receipt(text) }
}

#[test]
fn enough_witnesses_hold_and_too_few_do_not() {
    let two = policy("2");
    let nested = format!(
        "{}witness w4 {} https://w4.example/\ngroup a any w1 w2\ngroup b all w3 w4\ngroup both 2 a b\nquorum both",
        policy("2").split("group").next().unwrap(),
        witness(4).public()
    );
    let single = format!("witness $(touch\u{2003}x) {}\nquorum $(touch\u{2003}x)\n", witness(1).public());
    let stars = format!(
        "witness @ {}\nwitness * {}\ngroup [0] all @ *\nquorum [0]\n",
        witness(1).public(),
        witness(2).public()
    );
    all_say(
        0,
        vec![
            ("two of three", cosigned(&[1, 3], &two)),
            ("in another order", cosigned(&[3, 1], &two)),
            ("all", cosigned(&[1, 2, 3], &policy("all"))),
            ("any", cosigned(&[2], &policy("any"))),
            ("with a stranger", cosigned(&[9, 1, 2], &two)),
            ("the same twice", cosigned(&[1, 1, 2], &two)),
            ("groups of groups", cosigned(&[2, 3, 4], &nested)),
            ("one witness with a strange name", cosigned(&[1], &single)),
            ("names that a shell would open", cosigned(&[1, 2], &stars)),
            ("nobody is asked for", cosigned(&[], "quorum none")),
            ("nobody is asked for, and one is known", cosigned(&[], &policy("2").replace("quorum g", "quorum none"))),
        ],
    );
    all_say(
        2,
        vec![
            ("none", cosigned(&[], &two)),
            ("one of three", cosigned(&[2], &two)),
            ("one of three twice", cosigned(&[2, 2], &two)),
            ("strangers", cosigned(&[7, 8, 9], &two)),
            ("one group only", cosigned(&[1, 2, 3], &nested)),
            ("under another name", cosigned(&[1], &two).replace("witness-1.example", "witness-4.example")),
            ("too few and no description", Question { description: None, ..cosigned(&[2], &two) }),
        ],
    );
    all_say(
        1,
        vec![
            ("too few, and another file", cosigned(&[2], &two).file(b"forged")),
            ("too few, and a false index", cosigned(&[2], &two).replace("index 4\n", "index 5\n")),
            ("enough, and another file", cosigned(&[1, 2], &two).file(b"forged")),
        ],
    );
}

/// The payload of a line with something changed, behind the same name and id.
fn changed(n: u8, change: impl Fn(&mut Vec<u8>)) -> String {
    let text = line(n);
    let (head, payload) = text.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = decode_base64(payload).unwrap();
    change(&mut bytes);
    format!("{head} {}\n", encode_base64(&bytes))
}

#[test]
fn a_cosignature_that_does_not_hold_is_refused_even_where_enough_do() {
    let with = |line: String| {
        let question = cosigned(&[1, 3], &policy("2"));
        let text = question.text() + &line;
        question.receipt(text)
    };
    let other = witness(2).cosign(&body().replace("\n11\n", "\n12\n"), TIME).unwrap();
    let as_a_note = Question::example().text();
    let plain = as_a_note.lines().last().unwrap().rsplit_once(' ').unwrap().1.to_owned();
    let plain = decode_base64(&plain).unwrap();
    all_say(
        1,
        vec![
            ("another moment", with(changed(2, |bytes| bytes[11] ^= 1))),
            ("another signature", with(changed(2, |bytes| bytes[40] ^= 1))),
            ("over another tree", with(other)),
            ("no moment", with(changed(2, |bytes| bytes[4..12].fill(0)))),
            ("a moment beyond counting", with(changed(2, |bytes| bytes[4] = 0x80))),
            ("cut short", with(changed(2, |bytes| bytes.truncate(75)))),
            ("a byte too many", with(changed(2, |bytes| bytes.push(0)))),
            ("only a moment", with(changed(2, |bytes| bytes.truncate(12)))),
            ("one byte", with(changed(2, |bytes| bytes.truncate(5)))),
            (
                "the archive's own signature for a witness's",
                with(changed(2, |bytes| {
                    bytes.truncate(12);
                    bytes.extend_from_slice(&plain[4..]);
                })),
            ),
            ("a false one beside a true one of the same", with(changed(1, |bytes| bytes[40] ^= 1))),
        ],
    );
}

/// Changed anywhere in the lines of the witnesses: never 0, and the same for all. Every place by the library, some by all.
#[test]
fn no_change_of_a_cosignature_holds() {
    let question = cosigned(&[1, 2], &policy("2"));
    let from = Question::example().receipt.len();
    let mut by_code: [Vec<(&str, Question)>; 3] = Default::default();
    for at in from..question.receipt.len() {
        for change in [1u8, 0x20, 0x80] {
            let mut bytes = question.receipt.clone();
            bytes[at] ^= change;
            let other = question.clone().receipt(&bytes);
            let code = other.library();
            assert_ne!(code, 0, "{change} at {at}");
            if (at + usize::from(change)).is_multiple_of(23) {
                by_code[usize::from(code)].push(("changed", other));
            }
        }
        let cut = question.clone().receipt(&question.receipt[..at]);
        assert_ne!(cut.library(), 0, "cut at {at}");
    }
    for (code, cases) in by_code.into_iter().enumerate() {
        assert!(code == 0 || cases.len() > 2, "{code}: {}", cases.len());
        all_say(code as u8, cases);
    }
}

#[test]
fn policies_that_cannot_be_read() {
    let lines = policy("2").split("group").next().unwrap().to_owned();
    let under = |policy: &str| cosigned(&[1, 2, 3], policy);
    let w = |n: u8| witness(n).public().to_string();
    let raw = |bytes: &[u8]| Question { policy: Some(bytes.to_vec()), ..cosigned(&[1], "") };
    all_say(
        3,
        vec![
            ("nothing", under("")),
            ("no quorum", under(&lines)),
            ("a quorum of nobody", under(&format!("{lines}quorum w4\n"))),
            ("a quorum before", under(&format!("quorum w1\n{lines}"))),
            ("two quorums", under(&format!("{lines}quorum w1\nquorum w1\n"))),
            ("a quorum of two", under(&format!("{lines}quorum w1 w2\n"))),
            ("a name twice", under(&format!("{lines}witness w1 {}\nquorum w1\n", w(4)))),
            ("a key twice", under(&format!("{lines}witness w4 {}\nquorum w1\n", w(1)))),
            ("a witness called none", under(&format!("witness none {}\nquorum none\n", w(1)))),
            ("too many words", under(&format!("witness w1 {} a b\nquorum w1\n", w(1)))),
            ("more than there are", under(&policy("4"))),
            ("none of them", under(&policy("0"))),
            ("a leading zero", under(&policy("02"))),
            ("a command for a number", under(&policy("a[$(touch x)]"))),
            ("an empty group", under(&format!("{lines}group g any\nquorum g\n"))),
            ("an empty group of all", under(&format!("{lines}group g all\nquorum g\n"))),
            ("a member twice", under(&format!("{lines}group g 1 w1 w1\nquorum g\n"))),
            ("a member of two", under(&format!("{lines}group g 1 w1\ngroup h 1 w1\nquorum g\n"))),
            ("a member of itself", under(&format!("{lines}group g 1 g\nquorum g\n"))),
            ("a log", under(&format!("log {}\n{}", w(4), policy("2")))),
            ("something else", under(&format!("{lines}whatever\nquorum w1\n"))),
            (
                "the archive's key for a witness's",
                under(&format!("witness w {}\nquorum w\n", signer(ORIGIN, 1).verifying_key())),
            ),
            ("a changed id", under(&policy("2").replacen('+', "+0", 1))),
            ("carriage returns", under(&policy("2").replace('\n', "\r\n"))),
            ("a NUL", under(&format!("{}\0", policy("2")))),
            ("DEL", under(&format!("# \u{7f}\n{}", policy("2")))),
            ("not UTF-8", raw(&[policy("any").as_bytes(), b"# \xff\n"].concat())),
            ("longer than 64 KiB", under(&format!("{}{}", policy("2"), "# ".repeat(33_000)))),
        ],
    );
    let group = |n: usize| format!("group g{n} any {}\n", if n == 0 { "w1".into() } else { format!("g{}", n - 1) });
    let chain = |n: usize| {
        let groups: String = (0..n).map(group).collect();
        format!("witness w1 {}\n{groups}quorum w1\n", w(1))
    };
    all_say(3, vec![("257 names", under(&chain(256)))]);
    all_say(0, vec![("256 names", under(&chain(255)))]);
}

#[test]
fn the_offline_verifiers_take_the_options_in_any_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let question = cosigned(&[1, 2], &policy("2"));
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("receipt", &question.receipt);
    write("file", crate::place::FILE);
    write("keys", crate::place::keys(&signer(ORIGIN, 1)).to_string().as_bytes());
    write("description", question.description.as_deref().unwrap());
    write("policy", question.policy.as_deref().unwrap());
    for (program, verifier) in [("bash", "verify.sh"), ("python3", "verify.py")] {
        let ask = |options: &str| {
            let mut command = Command::new(program);
            command.arg(place().join(verifier)).args(["receipt", "receipt", "file", "keys"]);
            command.args(options.split(' ')).current_dir(folder.path()).stdout(Stdio::null());
            command.status().unwrap().code().unwrap()
        };
        for (options, code) in [
            ("--witnesses policy --description description", 0),
            ("--description description --witnesses policy", 0),
            ("--witnesses policy", 2),
            ("--witnesses policy --witnesses policy", 3),
            ("--witnesses policy --descriptions description", 3),
            ("--witnesses nowhere --description description", 3),
            ("--witnesses policy --description", 3),
        ] {
            assert_eq!(ask(options), code, "{verifier} {options}");
        }
    }
}

/// A verifier of cosignatures made of the one that `signed_note` has for plain notes.
struct Theirs {
    name: String,
    id: u32,
    plain: StandardVerifier,
}

impl Theirs {
    fn new(vkey: &str) -> Theirs {
        let (name, rest) = vkey.split_once('+').unwrap();
        let (id, key) = rest.split_once('+').unwrap();
        let mut key = decode_base64(key).unwrap();
        assert_eq!((key.len(), key[0]), (33, 4));
        key[0] = 1;
        let plain = format!("{name}+{:08x}+{}", signed_note::key_id(name, &key), encode_base64(&key));
        Theirs {
            name: name.into(),
            id: u32::from_str_radix(id, 16).unwrap(),
            plain: StandardVerifier::new(&plain).unwrap(),
        }
    }
}

impl Verifier for Theirs {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let Some((time, signature)) = signature.split_first_chunk::<8>() else { return false };
        let head = format!("cosignature/v1\ntime {}\n", u64::from_be_bytes(*time));
        self.plain.verify(&[head.as_bytes(), text].concat(), signature)
    }
}

#[test]
fn others_open_our_cosigned_checkpoints() {
    let example = Question::example().text();
    let note = example.split_once("\n\n").unwrap().1.to_owned() + &line(1) + &line(2);
    let read = Note::from_bytes(note.as_bytes()).unwrap();
    let known: Vec<Box<dyn Verifier>> = vec![
        Box::new(StandardVerifier::new(&signer(ORIGIN, 1).verifying_key().to_string()).unwrap()),
        Box::new(Theirs::new(&witness(1).public().to_string())),
    ];
    let (known, unknown) = read.verify(&VerifierList::new(known)).unwrap();
    assert_eq!((known.len(), unknown.len()), (2, 1));
    let forged = note.replacen("\n11\n", "\n12\n", 1);
    let forged = Note::from_bytes(forged.as_bytes()).unwrap();
    let only: Vec<Box<dyn Verifier>> = vec![Box::new(Theirs::new(&witness(1).public().to_string()))];
    assert!(forged.verify(&VerifierList::new(only)).is_err());
}

/// What we offer a witness, another implementation takes for a proof, and nothing else.
#[test]
fn others_take_our_consistency_proofs() {
    let entries: Vec<Vec<u8>> = (0..40).map(accessioned).collect();
    let tree = Tree::of(&entries);
    for new in 1..40u64 {
        for old in 1..=new {
            let path = Tree::assemble(&tree, &merkle::consistency_plan(old, new).unwrap());
            let theirs: Vec<tlog_tiles::Hash> = path.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect();
            let root = |size| tlog_tiles::Hash(tree.root(size).0);
            assert!(tlog_tiles::check_tree(&theirs, new, root(new), old, root(old)).is_ok(), "{old} {new}");
            if old < new {
                assert!(tlog_tiles::check_tree(&theirs, new, root(new), old, root(new)).is_err());
            }
        }
    }
}

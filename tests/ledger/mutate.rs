//! Evidence with one thing changed, drawn by a seed: what the verifiers are given in their tests against each other.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use unicode_normalization::UnicodeNormalization;

/// A small generator of numbers that a seed repeats.
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// That of case `n` of a run: any of them can be made again alone.
    pub fn of(n: usize) -> Chance {
        Chance(seed().wrapping_mul(0x1000_0001).wrapping_add(n as u64))
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

pub fn seed() -> u64 {
    std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// So many cases when all are asked for, else a slice.
pub fn count(slice: usize, all: usize) -> usize {
    if std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1") { all } else { slice }
}

/// A change of a file's bytes.
type Change = (&'static str, fn(&[u8], &mut Chance) -> Vec<u8>);

const CHANGES: &[Change] = &[
    ("a bit", |bytes, chance| at(bytes, chance, |byte, chance| vec![byte ^ 1 << chance.below(8)])),
    ("a byte", |bytes, chance| at(bytes, chance, |_, chance| vec![chance.below(256) as u8])),
    ("a field", field),
    ("a byte less", |bytes, chance| at(bytes, chance, |_, _| vec![])),
    ("a byte more", |bytes, chance| {
        let more: &[&[u8]] =
            &[b" ", b"\n", b"0", b"\0", b"=", b"+", b"#", b"\t", b"\x7f", b"\xc3", "\u{a0}".as_bytes()];
        at(bytes, chance, |byte, chance| [*chance.pick(more), &[byte]].concat())
    }),
    ("cut short", |bytes, chance| bytes[..chance.below(bytes.len())].to_vec()),
    ("emptied", |_, _| vec![]),
    ("longer", |bytes, chance| {
        let more: &[&[u8]] = &[b"\n", b" ", b"\0", b"# \n", "\u{2014} w AAAAAAE=\n".as_bytes(), bytes];
        [bytes, *chance.pick(more)].concat()
    }),
    ("a line less", |bytes, chance| {
        lines(bytes, chance, |lines, n, _| {
            lines.remove(n);
        })
    }),
    ("a line twice", |bytes, chance| lines(bytes, chance, |lines, n, m| lines.insert(m, lines[n]))),
    ("two lines swapped", |bytes, chance| lines(bytes, chance, |lines, n, m| lines.swap(n, m))),
    ("carriage returns", |bytes, _| replaced(bytes, "\n", "\r\n", usize::MAX)),
    ("decomposed", |bytes, _| String::from_utf8_lossy(bytes).nfd().collect::<String>().into_bytes()),
    ("a strange space", |bytes, chance| {
        let spaces = ["\u{a0}", "\u{3000}", "\u{2003}", "\u{200b}", "\t", "  ", ""];
        replaced(bytes, " ", spaces[chance.below(spaces.len())], 1)
    }),
    ("a number", number),
    ("sloppy base64", base64),
];

/// Bytes with one thing changed, and what it was.
pub fn changed(bytes: &[u8], chance: &mut Chance) -> (&'static str, Vec<u8>) {
    let (name, change) = chance.pick(CHANGES);
    (name, if bytes.is_empty() { b"\n".to_vec() } else { change(bytes, chance) })
}

fn at(bytes: &[u8], chance: &mut Chance, to: impl Fn(u8, &mut Chance) -> Vec<u8>) -> Vec<u8> {
    let at = chance.below(bytes.len());
    [&bytes[..at], &to(bytes[at], chance), &bytes[at + 1..]].concat()
}

fn lines(bytes: &[u8], chance: &mut Chance, change: impl Fn(&mut Vec<&[u8]>, usize, usize)) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let (n, m) = (chance.below(lines.len()), chance.below(lines.len()));
    change(&mut lines, n, m);
    lines.join(&b'\n')
}

fn replaced(bytes: &[u8], from: &str, to: &str, times: usize) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.replacen(from, to, times).into_bytes(),
        Err(_) => [bytes, b"\r"].concat(),
    }
}

/// Runs of bytes of one class, each from here to there.
fn runs(bytes: &[u8], is: impl Fn(&u8) -> bool, shortest: usize) -> Vec<(usize, usize)> {
    let (mut runs, mut begin) = (Vec::new(), None);
    for (n, byte) in bytes.iter().chain([&b'\n']).enumerate() {
        match (is(byte), begin) {
            (true, None) => begin = Some(n),
            (false, Some(from)) => {
                runs.extend((n - from >= shortest).then_some((from, n)));
                begin = None;
            }
            _ => {}
        }
    }
    runs
}

/// A value stays in form and becomes another one.
fn field(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let fields = runs(bytes, u8::is_ascii_alphanumeric, 1);
    if fields.is_empty() {
        return [bytes, b"0"].concat();
    }
    let (from, to) = *chance.pick(&fields);
    let at = from + chance.below(to - from);
    let classes: [&[u8]; 3] = [b"0123456789", b"abcdef", b"ABCDEFGHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz"];
    let class = classes.into_iter().find(|class| class.contains(&bytes[at])).unwrap();
    let others: Vec<u8> = class.iter().copied().filter(|other| *other != bytes[at]).collect();
    [&bytes[..at], &[*chance.pick(&others)], &bytes[at + 1..]].concat()
}

/// A number gets another spelling, or grows beyond what can be counted.
fn number(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let numbers = runs(bytes, u8::is_ascii_digit, 1);
    if numbers.is_empty() {
        return [bytes, b"1"].concat();
    }
    let (from, to) = *chance.pick(&numbers);
    let number = &bytes[from..to];
    let arabic: String = number.iter().map(|digit| char::from_u32(0x660 + u32::from(digit - b'0')).unwrap()).collect();
    let wide: String = number.iter().map(|digit| char::from_u32(0xff10 + u32::from(digit - b'0')).unwrap()).collect();
    let others = [
        [b"0", number].concat(),
        [b"+", number].concat(),
        [b"-", number].concat(),
        [number, b".0"].concat(),
        [number, b"e0"].concat(),
        [b"0x", number].concat(),
        [number, b"000000000000000000"].concat(),
        b"9223372036854775808".to_vec(),
        b"18446744073709551617".to_vec(),
        arabic.into_bytes(),
        wide.into_bytes(),
    ];
    [&bytes[..from], &others[chance.below(others.len())], &bytes[to..]].concat()
}

fn base64(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let texts = runs(bytes, |byte| ALPHABET.contains(byte), 20);
    if texts.is_empty() {
        return [bytes, b"="].concat();
    }
    let (from, to) = *chance.pick(&texts);
    let padding = bytes[to..].iter().take_while(|byte| **byte == b'=').count();
    let (text, rest) = (&bytes[from..to], &bytes[to + padding..]);
    // The last character has bits that no byte is made of, where there is padding.
    let last = ALPHABET.iter().position(|byte| *byte == text[text.len() - 1]).unwrap();
    let unused = ALPHABET[last ^ 1];
    let middle = text.len() / 2;
    let url: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b'-' } else { *byte }).collect();
    let other = match chance.below(6) {
        0 => [&text[..text.len() - 1], &[unused], &b"=="[..padding.min(2)]].concat(),
        1 => text.to_vec(),
        2 => [text, &b"=="[..padding.min(2)], b"="].concat(),
        3 => [&text[..middle], b" ", &text[middle..], &b"=="[..padding.min(2)]].concat(),
        4 => [&text[..middle], b"\n", &text[middle..], &b"=="[..padding.min(2)]].concat(),
        _ => [&url, &b"=="[..padding.min(2)]].concat(),
    };
    [&bytes[..from], &other, rest].concat()
}

/// What came of a run: how often which answer, by what was done; and all that must not be.
#[derive(Default)]
pub struct Tally {
    answers: Mutex<BTreeMap<(String, u8), usize>>,
    wrong: Mutex<Vec<String>>,
}

impl Tally {
    pub fn answered(&self, kind: &str, code: u8) {
        *self.answers.lock().unwrap().entry((kind.to_owned(), code)).or_default() += 1;
    }

    pub fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// Prints the counts; panics with what was wrong.
    pub fn tell(self, what: &str) {
        let (answers, wrong) = (self.answers.into_inner().unwrap(), self.wrong.into_inner().unwrap());
        let all: usize = answers.values().sum();
        println!("{what}: {all} mutations with seed {}", seed());
        for ((kind, code), count) in &answers {
            println!("  {kind}: {count} times {code}");
        }
        let shown = wrong[..wrong.len().min(10)].join("\n\n");
        assert!(wrong.is_empty(), "{} of {all} are wrong (seed {}):\n{shown}", wrong.len(), seed());
    }
}

/// Does the work for every case, on two threads.
pub fn on_two(cases: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= cases {
                        return;
                    }
                    work(n);
                }
            });
        }
    });
}

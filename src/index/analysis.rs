//! Vietnamese text as syllables: one pass over the text gives each syllable in two spellings.
//!
//! *Folded* is what is left when a Vietnamese keyboard is missing: `đường` is `duong`. *Exact* keeps the
//! diacritics, each as one upper-case letter: `đường` is `DUPngF`. Folded spellings have no upper case, so
//! both live in one field and can never be mistaken for each other; a syllable without diacritics has
//! no exact spelling at all.
//!
//! # Why
//! - The tone stands at the end of the exact spelling, so `hoà` and `hòa`, `quý` and `qúy` are one without
//!   a table of cases, and so are NFC and NFD without a pass of their own.
//! - The caller's thread analyses once, into a *script* (`folded\u{2}exact` or `folded`, parted by spaces);
//!   the index's own thread reads syllables and pairs of syllables off it by slicing, without analysing again.
//! - Pairs of neighbouring syllables do what a word segmenter would: measured on real questions they find
//!   more, and they need no dictionary.

use std::sync::LazyLock;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::char::decompose_canonical;

/// Longer runs of letters are cut: no syllable, number or code is this long, but encoded bytes are.
const SYLLABLE_BYTES_MAX: usize = 64;
/// Parts the two spellings of one syllable in a script.
const EXACT_MARK: char = '\u{2}';
const EXACT_BYTE: u8 = EXACT_MARK as u8;

/// A syllable where it was found.
pub struct Syllable<'a> {
    /// Lower case, without diacritics.
    pub folded: &'a str,
    /// With diacritics, tone last; `None` where it carries none.
    pub exact: Option<&'a str>,
    /// Bytes of the original text that it covers.
    pub start: usize,
    pub end: usize,
}

/// A precomposed letter taken apart; `base` 0 where the letter is none of ours.
#[derive(Clone, Copy, Default)]
struct Letter {
    base: u8,
    exact: u8,
    tone: u8,
}

/// Latin-1 to Latin Extended-B, and Latin Extended Additional, where every Vietnamese letter lives.
static LETTERS: LazyLock<Vec<Letter>> = LazyLock::new(|| (0xc0..0x250).chain(0x1e00..0x1f00).map(letter_of).collect());

fn letter_of(code: u32) -> Letter {
    let mut letter = Letter::default();
    let Some(c) = char::from_u32(code) else { return letter };
    if matches!(c, 'đ' | 'Đ' | 'ð' | 'Ð') {
        return Letter { base: b'd', exact: b'D', tone: 0 };
    }
    decompose_canonical(c, |part| {
        if part.is_ascii_alphabetic() {
            letter.base = part.to_ascii_lowercase() as u8;
            letter.exact = letter.base;
        } else if let Some(tone) = tone_of(part) {
            letter.tone = tone;
        } else {
            letter.exact = shaped(letter.exact, part);
        }
    });
    letter
}

/// The tone that a combining mark stands for, as the letter that types it in Telex.
fn tone_of(mark: char) -> Option<u8> {
    match mark {
        '\u{300}' | '\u{340}' => Some(b'F'),
        '\u{301}' | '\u{341}' => Some(b'S'),
        '\u{309}' => Some(b'R'),
        '\u{303}' => Some(b'X'),
        '\u{323}' => Some(b'J'),
        _ => None,
    }
}

/// The vowel under a circumflex, breve or horn; other marks change nothing.
fn shaped(vowel: u8, mark: char) -> u8 {
    match (vowel, mark) {
        (b'a', '\u{302}') => b'A',
        (b'a', '\u{306}') => b'B',
        (b'e', '\u{302}') => b'E',
        (b'o', '\u{302}') => b'O',
        (b'o', '\u{31b}') => b'P',
        (b'u', '\u{31b}') => b'U',
        _ => vowel,
    }
}

fn letter(c: char) -> Letter {
    let place = match c as u32 {
        code @ 0xc0..0x250 => code - 0xc0,
        code @ 0x1e00..0x1f00 => code - 0x1e00 + (0x250 - 0xc0),
        _ => return Letter::default(),
    };
    LETTERS[place as usize]
}

/// Chữ Hán and Nôm are written without spaces: each sign is a syllable of its own.
fn is_ideograph(c: char) -> bool {
    matches!(c as u32, 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3134f)
}

/// The syllable under way.
#[derive(Default)]
struct Draft {
    folded: String,
    exact: String,
    tone: u8,
    marked: bool,
    start: usize,
}

impl Draft {
    #[inline]
    fn push(&mut self, at: usize, base: u8, exact: u8) {
        if self.folded.is_empty() {
            self.start = at;
        }
        if self.folded.len() < SYLLABLE_BYTES_MAX {
            self.folded.push(base as char);
            self.exact.push(exact as char);
        }
    }

    fn push_letter(&mut self, at: usize, letter: Letter) {
        self.push(at, letter.base, letter.exact);
        self.marked |= letter.exact != letter.base || letter.tone != 0;
        self.tone = if letter.tone != 0 { letter.tone } else { self.tone };
    }

    /// A combining mark after its letter, as in NFD.
    fn push_mark(&mut self, mark: char) {
        if let Some(tone) = tone_of(mark) {
            (self.tone, self.marked) = (tone, true);
        } else if let Some(last) = self.exact.pop() {
            let shape = if last.is_ascii() { shaped(last as u8, mark) as char } else { last };
            self.marked |= shape != last;
            self.exact.push(shape);
        }
    }

    /// A letter of another script: lower case, and nothing more is known of it.
    fn push_other(&mut self, at: usize, c: char) {
        if self.folded.is_empty() {
            self.start = at;
        }
        if self.folded.len() < SYLLABLE_BYTES_MAX {
            self.folded.extend(c.to_lowercase());
            self.exact.extend(c.to_lowercase());
        }
    }

    #[inline]
    fn finish(&mut self, end: usize, sink: &mut impl FnMut(Syllable<'_>)) {
        if self.folded.is_empty() {
            return;
        }
        if self.tone != 0 {
            self.exact.push(self.tone as char);
        }
        let exact = self.marked.then_some(self.exact.as_str());
        sink(Syllable { folded: &self.folded, exact, start: self.start, end });
        self.folded.clear();
        self.exact.clear();
        (self.tone, self.marked) = (0, false);
    }
}

/// Gives every syllable of a text, in order.
pub fn syllables(text: &str, mut sink: impl FnMut(Syllable<'_>)) {
    let mut draft = Draft::default();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() {
            if byte.is_ascii_alphanumeric() {
                let lower = byte.to_ascii_lowercase();
                draft.push(at, lower, lower);
            } else {
                draft.finish(at, &mut sink);
            }
            at += 1;
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let letter = letter(c);
        if letter.base != 0 {
            draft.push_letter(at, letter);
        } else if matches!(c as u32, 0x300..0x370) {
            draft.push_mark(c);
        } else if is_ideograph(c) {
            draft.finish(at, &mut sink);
            draft.push_other(at, c);
            draft.finish(at + c.len_utf8(), &mut sink);
        } else if c.is_alphanumeric() {
            draft.push_other(at, c);
        } else if c != '\u{ad}' {
            draft.finish(at, &mut sink);
        }
        at += c.len_utf8();
    }
    draft.finish(bytes.len(), &mut sink);
}

/// The beginning of a text, cut between characters.
pub fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The script of a text: what the tokenizers of this module read.
pub fn script(text: &str) -> String {
    let mut script = String::with_capacity(text.len() + text.len() / 2);
    syllables(text, |syllable| {
        script.push_str(syllable.folded);
        if let Some(exact) = syllable.exact {
            script.push(EXACT_MARK);
            script.push_str(exact);
        }
        script.push(' ');
    });
    script
}

/// What a tokenizer takes off a script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Take {
    Words,
    Pairs,
}

/// Reads words or pairs off a script, folded and exact at one position.
#[derive(Clone)]
pub struct Reading(pub Take);

impl Tokenizer for Reading {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, script: &'a str) -> Stream<'a> {
        let token = Token { position: 0, ..Token::default() };
        let (previous, current) = (("", None), ("", None));
        Stream { take: self.0, rest: script, previous, current, exact_is_next: false, token, position: 0 }
    }
}

type Spellings<'a> = (&'a str, Option<&'a str>);

/// The tokens of one script. Each syllable gives its folded token, and right after it the exact one.
pub struct Stream<'a> {
    take: Take,
    rest: &'a str,
    previous: Spellings<'a>,
    current: Spellings<'a>,
    exact_is_next: bool,
    token: Token,
    position: usize,
}

impl Stream<'_> {
    fn next_syllable(&mut self) -> bool {
        let bytes = self.rest.as_bytes();
        let (mut mark, mut end) = (None, 0);
        loop {
            match bytes.get(end) {
                Some(b' ') => break,
                Some(&EXACT_BYTE) => mark = Some(end),
                Some(_) => {}
                None => return false,
            }
            end += 1;
        }
        self.previous = self.current;
        self.current = match mark {
            Some(mark) => (&self.rest[..mark], Some(&self.rest[mark + 1..end])),
            None => (&self.rest[..end], None),
        };
        self.rest = &self.rest[end + 1..];
        self.position += 1;
        true
    }

    fn set_pair(&mut self, first: &str, second: &str) {
        self.token.text.clear();
        self.token.text.push_str(first);
        self.token.text.push(' ');
        self.token.text.push_str(second);
    }

    /// The exact spelling of what the folded token was, if it has one.
    fn set_exact(&mut self) -> bool {
        match (self.take, self.previous, self.current) {
            (Take::Words, _, (_, Some(exact))) => {
                self.token.text.clear();
                self.token.text.push_str(exact);
            }
            (Take::Words, _, (_, None)) | (Take::Pairs, (_, None), (_, None)) => return false,
            (Take::Pairs, one, two) => self.set_pair(one.1.unwrap_or(one.0), two.1.unwrap_or(two.0)),
        }
        true
    }
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        if std::mem::take(&mut self.exact_is_next) && self.set_exact() {
            return true;
        }
        if !self.next_syllable() || (self.take == Take::Pairs && self.position == 1 && !self.next_syllable()) {
            return false;
        }
        self.exact_is_next = true;
        self.token.position = self.position - 1;
        match self.take {
            Take::Words => {
                self.token.text.clear();
                self.token.text.push_str(self.current.0);
            }
            Take::Pairs => self.set_pair(self.previous.0, self.current.0),
        }
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    fn spelled(text: &str) -> Vec<(String, Option<String>)> {
        let mut all = vec![];
        syllables(text, |s| all.push((s.folded.to_owned(), s.exact.map(str::to_owned))));
        all
    }

    fn one(text: &str) -> (String, Option<String>) {
        spelled(text).remove(0)
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        let text = "Số 48/QĐ-UBND: Ủy ban NHÂN DÂN đường ặ ễ ợ ữ khuỷu, 12a";
        let nfd: String = text.nfd().collect();
        assert_eq!(spelled(text), spelled(&nfd));
        assert_eq!(one("Ðường"), one("đường"), "U+00D0");
        for (old, new) in
            [("hoà", "hòa"), ("uỷ", "ủy"), ("hoá", "hóa"), ("khoẻ", "khỏe"), ("thuý", "thúy"), ("quý", "qúy")]
        {
            assert_eq!(one(old), one(new));
        }
        assert_eq!(one("Đường"), ("duong".into(), Some("DUPngF".into())));
        assert_ne!(one("dương"), one("đường"));
        assert_ne!(one("hoa"), one("hóa"));
        assert_eq!(one("QD-UBND"), ("qd".into(), None));
    }

    #[test]
    fn folding_agrees_with_the_fold_of_the_house() {
        let text = "Căn cứ Luật Tổ chức Chính quyền địa phương số 72/2025/QH15; Ất Ỹ ĐÐđð ÀẢÃÁẠ ỴỲ";
        let folded: Vec<String> = spelled(text).into_iter().map(|(folded, _)| folded).collect();
        let house = crate::record::text::fold(text);
        let house: Vec<&str> = house.split(|c: char| !c.is_alphanumeric()).filter(|s| !s.is_empty()).collect();
        assert_eq!(folded, house);
    }

    #[test]
    fn places_are_those_of_the_original() {
        let text: String = "xin «Hoà bình» nhé".nfd().collect();
        let mut found = vec![];
        syllables(&text, |s| found.push(&text[s.start..s.end]));
        assert_eq!(
            found.iter().map(|s| s.nfc().collect::<String>()).collect::<Vec<_>>(),
            ["xin", "Hoà", "bình", "nhé"]
        );
    }

    #[test]
    fn other_scripts_and_hostile_runs() {
        assert_eq!(spelled("大越史").len(), 3);
        assert_eq!(spelled("café Привет").len(), 2);
        assert_eq!(spelled("\u{301}\u{0}\u{feff} \u{323}").len(), 0);
        let long = "x".repeat(1 << 20);
        assert_eq!(one(&long).0.len(), SYLLABLE_BYTES_MAX);
        assert!(one(&"ế".repeat(1000)).0.len() <= SYLLABLE_BYTES_MAX);
    }

    fn taken(take: Take, text: &str) -> Vec<(usize, String)> {
        let (script, mut reading, mut tokens) = (script(text), Reading(take), vec![]);
        reading.token_stream(&script).process(&mut |t| tokens.push((t.position, t.text.clone())));
        tokens
    }

    #[test]
    fn words_and_pairs_in_both_spellings() {
        let owned = |all: &[(usize, &str)]| all.iter().map(|(p, t)| (*p, t.to_string())).collect::<Vec<_>>();
        assert_eq!(
            taken(Take::Words, "Đất vàng a"),
            owned(&[(0, "dat"), (0, "DAtS"), (1, "vang"), (1, "vangF"), (2, "a")])
        );
        assert_eq!(taken(Take::Pairs, "Đất a b"), owned(&[(1, "dat a"), (1, "DAtS a"), (2, "a b")]));
        assert!(taken(Take::Pairs, "a").is_empty());
    }
}

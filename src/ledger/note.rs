//! Signed notes as C2SP signed-note has them: a text, an empty line, lines of signatures. Ed25519 only.

use crate::record::digest::{Digest, hex};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use std::{fmt, str::FromStr};

/// Signature lines in one note at most; witnesses add theirs to a checkpoint.
pub const SIGNATURES_MAX: usize = 100;
/// The longest note, and the longest file of keys, in bytes: a verifier need not hold more.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;
/// The signature type of plain Ed25519 notes.
const ED25519: u8 = 0x01;
/// Em dash and space begin a signature line.
const DASH: &str = "\u{2014} ";

/// Why a note, or what is written in one, is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteFault {
    /// Not in the one form that is read.
    #[error("not in form: {0}")]
    Malformed(&'static str),
    /// No line is by a key that is known and in use at this size.
    #[error("no signature by a known key in use at this size")]
    UnknownKey,
    /// A line names a known key, but that key did not sign this text.
    #[error("a signature does not fit text and key")]
    BadSignature,
}

/// The bytes of base64 (RFC 4648, section 4) that encode to exactly this text again; else `None`.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (STANDARD.encode(&bytes) == text).then_some(bytes)
}

/// Bytes as base64 (RFC 4648, section 4), padded.
pub fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A digest from its 44 characters of base64.
pub fn decode_hash(text: &str) -> Option<Digest> {
    Some(Digest(decode_base64(text)?.try_into().ok()?))
}

/// A number as notes write it: decimal digits without leading zeros, and 18 of them at most, so that a
/// shell can count as far as this program does.
pub fn decode_number(text: &str) -> Option<u64> {
    let digits = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    (digits && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}

/// May this name a key? Not empty, no white space, no plus sign, no control character.
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c < ' ')
}

/// The key that checks signatures, with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyingKey {
    name: String,
    id: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// The SHA-256 of its text.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(self.to_string().as_bytes())
    }

    /// `None` where `name` cannot name a key.
    pub fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Option<VerifyingKey> {
        is_key_name(name).then(|| VerifyingKey { name: name.to_owned(), id: key_id(name, ED25519, &key), key })
    }

    /// The same key under another name, hence with another id.
    pub fn renamed(&self, name: &str) -> Option<VerifyingKey> {
        VerifyingKey::new(name, self.key)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256 over name, line feed, 0x01 and the public key.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    fn checks(&self, text: &str, signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        signature.is_ok_and(|s| self.key.verify_strict(text.as_bytes(), &s).is_ok())
    }
}

/// The first four bytes of SHA-256 over name, line feed, type and public key.
pub(in crate::ledger) fn key_id(name: &str, kind: u8, key: &ed25519_dalek::VerifyingKey) -> [u8; 4] {
    let all = [name.as_bytes(), &[b'\n', kind], key.as_bytes()].concat();
    let Digest([a, b, c, d, ..]) = Digest::of(&all);
    [a, b, c, d]
}

/// A vkey: `<name>+<id in hexadecimal digits>+<base64 of the type and the public key>`.
pub(in crate::ledger) fn write_vkey(name: &str, kind: u8, key: &ed25519_dalek::VerifyingKey) -> String {
    let bytes = [&[kind], key.as_bytes().as_slice()].concat();
    format!("{name}+{}+{}", hex(&key_id(name, kind, key)), encode_base64(&bytes))
}

/// Name and key of a vkey of this type; `None` where it is none, or not in its one spelling.
pub(in crate::ledger) fn read_vkey(vkey: &str, kind: u8) -> Option<(&str, ed25519_dalek::VerifyingKey)> {
    let (name, rest) = vkey.split_once('+')?;
    let bytes = decode_base64(rest.split_once('+')?.1)?;
    let (_, key) = bytes.split_first().filter(|(found, _)| **found == kind)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    // A key of small order would check almost any signature. Written again, it is the same text only if the id is
    // the right one and in lower case.
    let fit = is_key_name(name) && !key.is_weak() && write_vkey(name, kind, &key) == vkey;
    fit.then_some((name, key))
}

/// As a vkey.
impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write_vkey(&self.name, ED25519, &self.key))
    }
}

impl FromStr for VerifyingKey {
    type Err = NoteFault;
    fn from_str(vkey: &str) -> Result<VerifyingKey, NoteFault> {
        let malformed = NoteFault::Malformed("a vkey is name+id+base64 of an Ed25519 key");
        let (name, key) = read_vkey(vkey, ED25519).ok_or(malformed.clone())?;
        VerifyingKey::new(name, key).ok_or(malformed)
    }
}

/// Signs `text`, which ends in a line feed, and gives the signature line with its own line feed.
pub fn sign(text: &str, name: &VerifyingKey, key: &SigningKey) -> String {
    signature_text(&name.name, name.id, &key.sign(text.as_bytes()).to_bytes())
}

/// A signature line with its line feed.
pub(in crate::ledger) fn signature_text(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("{DASH}{name} {}\n", encode_base64(&[id.as_slice(), signature].concat()))
}

/// One signature line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    pub name: &'a str,
    pub id: [u8; 4],
    pub signature: Vec<u8>,
}

/// As it was read, with its line feed: there is one spelling only.
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&signature_text(self.name, self.id, &self.signature))
    }
}

/// A note that was read and not yet checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note<'a> {
    text: &'a str,
    lines: Vec<Line<'a>>,
}

impl<'a> Note<'a> {
    /// Reads a note's form. A line by an unknown key must be well-formed like any other.
    pub fn parse(note: &'a str) -> Result<Note<'a>, NoteFault> {
        if note.len() > NOTE_BYTES_MAX || note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteFault::Malformed("a control character in a note, or more than 256 KiB"));
        }
        let end = note.rfind("\n\n").ok_or(NoteFault::Malformed("no empty line before the signatures"))?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteFault::Malformed("the last line has no line feed"))?;
        let lines: Option<Vec<Line>> = lines.split('\n').take(SIGNATURES_MAX + 1).map(signature_line).collect();
        match lines.ok_or(NoteFault::Malformed("a line is no signature line"))? {
            many if many.len() > SIGNATURES_MAX => Err(NoteFault::Malformed("too many signatures")),
            lines => Ok(Note { text, lines }),
        }
    }

    /// The text that is signed, with its last line feed. Not to be believed before [`Note::check`].
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The signature lines, unchecked.
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// At least one of the keys signed, and no line that names one of them is wrong.
    pub fn check<'k>(&self, keys: impl IntoIterator<Item = &'k VerifyingKey>) -> Result<(), NoteFault> {
        let mut known = 0;
        for key in keys {
            for line in self.lines.iter().filter(|line| line.name == key.name && line.id == key.id) {
                if !key.checks(self.text, &line.signature) {
                    return Err(NoteFault::BadSignature);
                }
                known += 1;
            }
        }
        if known == 0 { Err(NoteFault::UnknownKey) } else { Ok(()) }
    }
}

fn signature_line(line: &str) -> Option<Line<'_>> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = decode_base64(signature)?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    let formed = is_key_name(name) && !signature.is_empty();
    formed.then(|| Line { name, id: *id, signature: signature.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the signed-note specification.
    const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification() {
        let key: VerifyingKey = VKEY.parse().unwrap();
        assert_eq!(
            (key.name(), hex(&key.id()).as_str(), key.to_string().as_str()),
            ("example.com/foo", "530d903a", VKEY)
        );
        let note = Note::parse(NOTE).unwrap();
        assert_eq!((note.text(), note.check([&key])), ("This is an example message.\n", Ok(())));
        let other = NOTE.replace("example message", "example massage");
        assert_eq!(Note::parse(&other).unwrap().check([&key]), Err(NoteFault::BadSignature));
        assert_eq!(note.check([&key.renamed("example.com/bar").unwrap()]), Err(NoteFault::UnknownKey));
        assert_eq!(note.check([]), Err(NoteFault::UnknownKey));
    }

    #[test]
    fn unknown_signatures_are_ignored_and_known_ones_must_all_hold() {
        let key: VerifyingKey = VKEY.parse().unwrap();
        let with_witness = format!("{NOTE}\u{2014} witness.example AAAAAAE=\n");
        assert_eq!(Note::parse(&with_witness).unwrap().check([&key]), Ok(()));
        let with_false = format!("{NOTE}\u{2014} example.com/foo Uw2QOgE=\n");
        assert_eq!(Note::parse(&with_false).unwrap().check([&key]), Err(NoteFault::BadSignature));
        let line = &NOTE[NOTE.find(DASH).unwrap()..];
        let many = |n| format!("t\n\n{}", line.repeat(n));
        assert!(Note::parse(&many(SIGNATURES_MAX)).is_ok() && Note::parse(&many(SIGNATURES_MAX + 1)).is_err());
    }

    #[test]
    fn sloppy_notes_are_refused() {
        for (from, to) in [
            ("IneyaQM=\n", "IneyaQM="),
            ("IneyaQM=\n", "IneyaQM\n"),
            ("IneyaQM=\n", "IneyaQN=\n"),
            ("IneyaQM=\n", "IneyaQM= \n"),
            ("IneyaQM=\n", "IneyaQM=\n\n"),
            ("IneyaQM=\n", "IneyaQM=\r\n"),
            ("\u{2014} ", "\u{2013} "),
            ("\u{2014} ", "\u{2014}  "),
            ("example.com/foo", "exa+mple.com/foo"),
            ("example.com/foo", "exa\u{a0}mple.com/foo"),
            (".\n\n", ".\n"),
            ("This", "Th\tis"),
        ] {
            let wrong = NOTE.replacen(from, to, 1);
            assert!(matches!(Note::parse(&wrong), Err(NoteFault::Malformed(_))), "{wrong}");
        }
        assert!(Note::parse("").is_err() && Note::parse("\n\n").is_err() && Note::parse("\n\n\n").is_err());
        assert!(Note::parse(&format!("{}{NOTE}", "long\n".repeat(NOTE_BYTES_MAX / 5))).is_err());
    }

    #[test]
    fn sloppy_keys_and_numbers_are_refused() {
        for (from, to) in [
            ("530d903a", "530D903A"),
            ("530d903a", "530d903b"),
            ("3U2k", "3U2"),
            ("+AekyeR", "+CekyeR"),
            ("/foo", "/ foo"),
        ] {
            assert!(VKEY.replacen(from, to, 1).parse::<VerifyingKey>().is_err(), "{to}");
        }
        assert!("".parse::<VerifyingKey>().is_err() && "a+b".parse::<VerifyingKey>().is_err());
        assert_eq!((decode_number("0"), decode_number("999999999999999999")), (Some(0), Some(999_999_999_999_999_999)));
        for wrong in ["", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "1000000000000000000", "١"] {
            assert_eq!(decode_number(wrong), None, "{wrong}");
        }
        assert_eq!(
            (decode_base64("YQ=="), decode_base64("YR=="), decode_base64("YQ")),
            (Some(b"a".to_vec()), None, None)
        );
    }
}

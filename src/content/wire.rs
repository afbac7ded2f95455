//! What the reading child says to its parent: frames of one tag byte, a length (four bytes, big-endian)
//! and that many bytes, on standard output.
//!
//! `F` format, `M` made by, `P` one page of text (any number), then `E` (pages left out, as a number) or
//! `U` (why it was not read). Anything else, or another order, is a child that cannot be trusted.

use crate::config;
use crate::content::{Outcome, Reading};
use crate::record::component::{Format, Unread};
use crate::record::text;
use std::io::Write;

const NAME_BYTES_MAX: usize = 255;

/// Why the child stops reading.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A verdict about the content.
    Unread(Unread),
    /// The parent is gone, or the input cannot be read.
    Io(std::io::Error),
}

impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        Stop::Unread(unread)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // The library says so where it asked for memory before it took it.
            std::io::ErrorKind::OutOfMemory => Stop::Unread(Unread::TookTooMuchMemory),
            _ => Stop::Io(error),
        }
    }
}

/// The child's end: pages go out as they are read.
pub(crate) struct Sender<'a> {
    out: &'a mut dyn Write,
    text_bytes_left: u64,
    pub pages: usize,
    pub pages_max: usize,
    /// Whether any page had a letter on it.
    pub any_text: bool,
}

impl<'a> Sender<'a> {
    pub fn new(out: &'a mut dyn Write, limits: &config::Content) -> Sender<'a> {
        let (text_bytes_left, pages_max) = (limits.text_bytes_max, limits.pages_max);
        Sender { out, text_bytes_left, pages: 0, pages_max, any_text: false }
    }

    /// Room for text that is still left, in bytes: more than that need not be gathered.
    pub fn text_bytes_left(&self) -> usize {
        usize::try_from(self.text_bytes_left).unwrap_or(usize::MAX)
    }

    pub fn begin(&mut self, mime: &str, made_by: &str) -> Result<(), Stop> {
        self.frame(b'F', mime.as_bytes())?;
        self.frame(b'M', made_by.as_bytes())
    }

    /// One page, in any form: it goes out as NFC, with `\n` for line ends and no other control but tab.
    pub fn page(&mut self, page: &str) -> Result<(), Stop> {
        let clean = clean(page);
        let bytes = clean.len() as u64 + u64::from(self.pages > 0);
        self.text_bytes_left = self.text_bytes_left.checked_sub(bytes).ok_or(Unread::TooMuchText)?;
        self.pages += 1;
        self.any_text |= clean.contains(|c: char| !c.is_whitespace());
        self.frame(b'P', clean.as_bytes())
    }

    pub fn end(&mut self, pages_left: usize) -> Result<(), Stop> {
        self.frame(b'E', pages_left.to_string().as_bytes())
    }

    pub fn unread(&mut self, why: Unread) -> Result<(), Stop> {
        self.frame(b'U', why.as_str().as_bytes())
    }

    fn frame(&mut self, tag: u8, bytes: &[u8]) -> Result<(), Stop> {
        let length = u32::try_from(bytes.len()).map_err(|_| Unread::TooMuchText)?;
        self.out.write_all(&[tag])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(bytes)?;
        Ok(self.out.flush()?)
    }
}

fn clean(page: &str) -> String {
    let mut composed = text::nfc(page);
    let odd = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{feff}';
    if composed.contains(odd) {
        composed = composed.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{85}'], "\n").replace(odd, "");
        // What stood between a letter and its mark is gone: compose again.
        composed = text::nfc(&composed);
    }
    composed
}

/// The child broke the protocol, or said more than it may.
#[derive(Debug, PartialEq)]
pub(crate) enum Violation {
    Protocol,
    TooMuchText,
}

/// The parent's end: takes the bytes as they come and holds no more than the text allowed.
pub(crate) struct Receiver {
    state: State,
    header: Vec<u8>,
    body: Vec<u8>,
    text: Vec<u8>,
    text_bytes_max: u64,
    pages: u32,
    pages_max: usize,
    format: Option<Format>,
    made_by: Option<String>,
    outcome: Option<Result<u32, Unread>>,
}

#[derive(Clone, Copy)]
enum State {
    Header,
    Body { tag: u8, left: usize, page_start: usize },
}

impl Receiver {
    pub fn new(limits: &config::Content) -> Receiver {
        Receiver {
            state: State::Header,
            header: Vec::with_capacity(5),
            body: Vec::new(),
            text: Vec::new(),
            text_bytes_max: limits.text_bytes_max,
            pages: 0,
            pages_max: limits.pages_max,
            format: None,
            made_by: None,
            outcome: None,
        }
    }

    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while !bytes.is_empty() {
            match self.state {
                State::Header => {
                    let (more, rest) = bytes.split_at(bytes.len().min(5 - self.header.len()));
                    self.header.extend_from_slice(more);
                    bytes = rest;
                    if let [tag, a, b, c, d] = self.header[..] {
                        self.header.clear();
                        self.begin(tag, u32::from_be_bytes([a, b, c, d]) as usize)?;
                    }
                }
                State::Body { tag, left, page_start } => {
                    let (more, rest) = bytes.split_at(bytes.len().min(left));
                    if tag == b'P' { &mut self.text } else { &mut self.body }.extend_from_slice(more);
                    bytes = rest;
                    self.state = State::Body { tag, left: left - more.len(), page_start };
                }
            }
            if let State::Body { tag, left: 0, page_start } = self.state {
                self.state = State::Header;
                self.end(tag, page_start)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, tag: u8, length: usize) -> Result<(), Violation> {
        let in_order = match tag {
            b'F' => self.format.is_none(),
            b'M' => self.format.is_some() && self.made_by.is_none(),
            b'P' => self.made_by.is_some() && (self.pages as usize) < self.pages_max,
            b'E' | b'U' => self.made_by.is_some(),
            _ => false,
        };
        if !in_order || self.outcome.is_some() || (tag != b'P' && length > NAME_BYTES_MAX) {
            return Err(Violation::Protocol);
        }
        if tag == b'P' {
            if self.text.len() as u64 + length as u64 + u64::from(self.pages > 0) > self.text_bytes_max {
                return Err(Violation::TooMuchText);
            }
            if self.pages > 0 {
                self.text.push(0x0c);
            }
        }
        self.body.clear();
        self.state = State::Body { tag, left: length, page_start: self.text.len() };
        Ok(())
    }

    fn end(&mut self, tag: u8, page_start: usize) -> Result<(), Violation> {
        let control = |b: &u8| (*b < 0x20 && *b != b'\n' && *b != b'\t') || *b == 0x7f;
        let bytes = if tag == b'P' { &self.text[page_start..] } else { &self.body[..] };
        let said = std::str::from_utf8(bytes).map_err(|_| Violation::Protocol)?;
        if bytes.iter().any(control) {
            return Err(Violation::Protocol);
        }
        match tag {
            b'F' if is_mime(said) => self.format = Some(Format { mime: said.to_owned() }),
            b'M' if !said.is_empty() => self.made_by = Some(said.to_owned()),
            b'P' => self.pages += 1,
            b'E' => self.outcome = Some(Ok(said.parse().map_err(|_| Violation::Protocol)?)),
            b'U' => {
                let word = serde_json::Value::from(said);
                self.outcome = Some(Err(serde_json::from_value(word).map_err(|_| Violation::Protocol)?));
            }
            _ => return Err(Violation::Protocol),
        }
        Ok(())
    }

    /// What came, once the child has closed its output; nothing if it did not come to an end.
    pub fn finish(self) -> Option<Reading> {
        let (State::Header, true) = (self.state, self.header.is_empty()) else { return None };
        let outcome = match self.outcome? {
            Ok(pages_left) => {
                let text = String::from_utf8(self.text).ok()?;
                Outcome::Read { text, pages: self.pages, pages_left }
            }
            Err(unread) => Outcome::Unread(unread),
        };
        Some(Reading { format: self.format?, made_by: self.made_by?, outcome })
    }

    /// What the child had found out before it stopped.
    pub fn format(&self) -> Option<&Format> {
        self.format.as_ref()
    }
}

fn is_mime(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/+-.;=".contains(&b);
    text.contains('/') && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> config::Content {
        config::Content { text_bytes_max: 40, pages_max: 3, ..config::Content::default() }
    }

    fn receive(bytes: &[u8], piece: usize) -> Result<Option<Reading>, Violation> {
        let mut receiver = Receiver::new(&limits());
        for piece in bytes.chunks(piece) {
            receiver.push(piece)?;
        }
        Ok(receiver.finish())
    }

    fn said(pages: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut sender = Sender::new(&mut bytes, &limits());
        sender.begin("application/pdf", "vankho").unwrap();
        pages.iter().for_each(|page| sender.page(page).unwrap());
        sender.end(7).unwrap();
        bytes
    }

    #[test]
    fn what_is_sent_arrives_clean_however_it_is_cut() {
        let bytes = said(&["a\r\nQuye\u{302}\u{301}t\u{c}\0", "", "QÐ"]);
        for piece in 1..bytes.len() {
            let reading = receive(&bytes, piece).unwrap().unwrap();
            assert_eq!(reading.format.mime, "application/pdf");
            let text = "a\nQuyết\u{c}\u{c}QĐ".to_owned();
            assert_eq!(reading.outcome, Outcome::Read { text, pages: 3, pages_left: 7 });
        }
        assert_eq!(receive(&bytes[..bytes.len() - 1], 4), Ok(None), "cut short");
    }

    #[test]
    fn more_than_allowed_is_refused_at_both_ends() {
        let long = "x".repeat(41);
        let mut bytes = Vec::new();
        let mut sender = Sender::new(&mut bytes, &limits());
        assert!(matches!(sender.page(&long), Err(Stop::Unread(Unread::TooMuchText))));
        let mut forged = said(&[]);
        forged.truncate(forged.len() - 6);
        let page = |length: u32| [forged.clone(), b"P".to_vec(), length.to_be_bytes().to_vec()].concat();
        assert_eq!(receive(&page(41), 3), Err(Violation::TooMuchText), "before a byte of it is held");
        assert_eq!(receive(&page(u32::MAX), 3), Err(Violation::TooMuchText));
        assert_eq!(receive(&said(&[]).repeat(2), 3), Err(Violation::Protocol));
        assert_eq!(receive(b"F\0\0\0\x04html", 3), Err(Violation::Protocol));
        assert_eq!(receive(b"U\0\0\0\x07corrupt", 3), Err(Violation::Protocol), "out of order");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_there_is_a_verdict(noise: Vec<u8>, at in 0usize..60, piece in 1usize..9) {
            let mut bytes = said(&["một", "hai"]);
            let at = at.min(bytes.len());
            bytes.splice(at..(at + noise.len()).min(bytes.len()), noise);
            let _ = receive(&bytes, piece);
        }
    }
}

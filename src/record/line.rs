//! The line of an entry, read by its places: those events that make up nearly all of a ledger.
//!
//! # Why
//! *A ledger of a million entries is judged in seconds.* To read an entry as JSON, write it again and compare takes
//! longer than all hashes of it. The forms here have one length each, and each value in them one spelling: a line that
//! fits is the line that would be written. Every other line is read as JSON.

use crate::record::{
    entry::{Entry, Event},
    id::RecordId,
    unit::Unit,
};
use std::str::FromStr;

struct Line<'a>(&'a str);

impl Line<'_> {
    fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// The value of so many characters behind this text.
    fn value<T: FromStr>(&mut self, before: &str, length: usize) -> Option<T> {
        self.skip(before)?;
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        value.parse().ok()
    }
}

const MOMENT: usize = 27;
const ID: usize = 36;
const DIGEST: usize = 64;

/// `None` where the line is of another form, or no entry.
pub(in crate::record) fn read(bytes: &[u8]) -> Option<Entry> {
    let mut line = Line(std::str::from_utf8(bytes).ok()?);
    let at = line.value(r#"{"at":""#, MOMENT)?;
    let by = line.value(r#"","by":""#, ID)?;
    let description = line.value(r#"","description":""#, DIGEST)?;
    line.skip(r#"","event":""#)?;
    let name = ["accessioned", "described", "characterized"].into_iter().find(|name| line.0.starts_with(name))?;
    line.skip(name)?;
    let record: RecordId = line.value(r#"","record":""#, ID)?;
    let event = if name == "accessioned" {
        Event::Accessioned { record, description }
    } else {
        let replaces = line.value(r#"","replaces":""#, DIGEST)?;
        match name {
            "described" => Event::Described { unit: Unit::Record(record), description, replaces },
            _ => Event::Characterized { record, description, replaces },
        }
    };
    let request = line.value(r#"","request":""#, DIGEST)?;
    (line.0 == r#"","v":1}"#).then_some(Entry { at, by, request, event, v: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{digest::Digest, id::ActorId};

    fn entries() -> Vec<Entry> {
        let (record, description) = (RecordId::new(1_763_877_600_000, [1; 10]), Digest::of(b"d"));
        let replaces = Digest::of(b"before");
        let events = [
            Event::Accessioned { record, description },
            Event::Described { unit: Unit::Record(record), description, replaces },
            Event::Characterized { record, description, replaces },
        ];
        let at = "2026-11-23T03:04:05.123456Z".parse().unwrap();
        let entry = |event| Entry { at, by: ActorId::new(0, [2; 10]), request: Digest::of(b"r"), event, v: 1 };
        events.into_iter().map(entry).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        for entry in entries() {
            assert_eq!(read(&entry.to_bytes().unwrap()), Some(entry));
        }
        let since = "2026-11-23T03:04:05.123456Z".parse().unwrap();
        let event = Event::FixityChecked { place: 1, since, to: 1, records: 0, components: 0, bytes: 0, faults: 0 };
        let other = Entry { event, ..entries().remove(0) };
        assert_eq!(read(&other.to_bytes().unwrap()), None, "it is read as JSON");
    }

    /// Whatever is changed or cut: what is read here is what is read as JSON and written again.
    #[test]
    fn nothing_else_is_read() {
        for bytes in entries().iter().map(|entry| entry.to_bytes().unwrap()) {
            for at in 0..bytes.len() {
                assert_eq!(read(&bytes[..at]), None, "cut at {at}");
                for change in [1, 2, 4, 8, 16, 32, 64, 128] {
                    let mut changed = bytes.clone();
                    changed[at] ^= change;
                    let again = read(&changed).map(|entry| entry.to_bytes().unwrap());
                    assert!(again.is_none_or(|again| again == changed), "{}", String::from_utf8_lossy(&changed));
                }
            }
            assert_eq!(read(&[&bytes[..], b" "].concat()), None);
        }
    }
}

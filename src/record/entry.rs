//! An entry (sự kiện): one event in the ledger, one line of RFC 8785 JSON, ASCII, at most 4 KiB.
//!
//! # Why
//! What cannot be destroyed must not be put where nothing is destroyed. An entry holds identifiers,
//! digests of salted descriptions, codes, counts and times: never content, a name, or a component's own
//! digest (templated documents can be guessed).

use crate::record::{
    audit::NonceBy,
    digest::Digest,
    id::{ActorId, CaseId, HoldId, RecordId},
    line,
    stamp::AuthorityCode,
    unit::Unit,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The longest entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = 4096;

/// The first whole number that not every reader of JSON can count to.
pub const WHOLE_MAX: u64 = 1 << 53;

/// A moment in UTC with microseconds, written `2026-11-23T03:04:05.123456Z` and in no other way; of the years 1 to
/// 9998, which every calendar of every verifier has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instant(i64);

/// Not a moment in the one accepted spelling.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a moment is written 2026-11-23T03:04:05.123456Z")]
pub struct NotAnInstant;

/// Vietnam's time, all year (house.md: UTC in storage, `+07:00` in the interface).
pub const HOURS_AHEAD: i8 = 7;

impl Instant {
    /// The day in Vietnam: `2026-11-23`.
    pub fn day(&self) -> String {
        let there = Instant(self.0.saturating_add(i64::from(HOURS_AHEAD) * 3_600_000_000));
        there.to_string().chars().take("2026-11-23".len()).collect()
    }

    /// From microseconds since 1970.
    pub fn from_micros(micros: i64) -> Instant {
        Instant(micros)
    }

    /// Microseconds since 1970.
    pub fn micros(&self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, as identifiers take them.
    pub fn millis(&self) -> u64 {
        (self.0 / 1000).max(0) as u64
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{moment:.6}")
    }
}

impl FromStr for Instant {
    type Err = NotAnInstant;
    fn from_str(text: &str) -> Result<Instant, NotAnInstant> {
        let year = text.get(..5).filter(|_| text.len() == "2026-11-23T03:04:05.123456Z".len());
        if year.is_none_or(|year| matches!(year, "0000-" | "9999-")) {
            return Err(NotAnInstant);
        }
        let moment: jiff::Timestamp = text.parse().map_err(|_| NotAnInstant)?;
        let read = Instant(moment.as_microsecond());
        if read.to_string() == text { Ok(read) } else { Err(NotAnInstant) }
    }
}

impl TryFrom<String> for Instant {
    type Error = NotAnInstant;
    fn try_from(text: String) -> Result<Instant, NotAnInstant> {
        text.parse()
    }
}

impl From<Instant> for String {
    fn from(moment: Instant) -> String {
        moment.to_string()
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The archive began. `documents`: its self-description, path and SHA-256.
    Founded { documents: BTreeMap<String, Digest> },
    /// The archive took responsibility for a record.
    Accessioned { record: RecordId, description: Digest },
    /// A fonds, a file or another unit that is no record began.
    Opened {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
    },
    /// A unit has a new description; `replaces` is the one it takes the place of.
    Described {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    /// Nothing more comes into a file or a fonds; the new description says since when, and why.
    Closed {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    /// It takes in again; the new description says why.
    Reopened {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    /// A record lies in another file from here on: the new description says in which.
    Moved { record: RecordId, description: Digest, replaces: Digest },
    /// A record was read: the new description names renditions, or says why there are none.
    Characterized { record: RecordId, description: Digest, replaces: Digest },
    /// The self-description was brought up to date.
    Refreshed { documents: BTreeMap<String, Digest> },
    /// Another place decides the order of entries from here on: which one, and the epoch that begins.
    Promoted { replica: u32, epoch: u32 },
    /// Everything that the entries before `to` name was read at a place and hashed again, from `since` on.
    FixityChecked {
        place: u32,
        since: Instant,
        #[serde(deserialize_with = "whole")]
        to: u64,
        #[serde(deserialize_with = "whole")]
        records: u64,
        #[serde(deserialize_with = "whole")]
        components: u64,
        #[serde(deserialize_with = "whole")]
        bytes: u64,
        #[serde(deserialize_with = "whole")]
        faults: u64,
    },
    /// A place does not hold what it should: a component of the description `named_by`, or, where `component` is 0,
    /// that description itself.
    Damaged {
        #[serde(flatten)]
        unit: Unit,
        named_by: Digest,
        component: u32,
        place: u32,
        fault: Damage,
    },
    /// It holds it again: from another place, hashed on its way and read back.
    Repaired {
        #[serde(flatten)]
        unit: Unit,
        named_by: Digest,
        component: u32,
        place: u32,
        source: u32,
    },
    /// No place holds it as it was kept.
    Lost {
        #[serde(flatten)]
        unit: Unit,
        named_by: Digest,
        component: u32,
    },
    /// Another key signs from the end of this commit on: the SHA-256 of its vkey. The entry after it names the new file
    /// of public keys.
    KeyRotated { key: Digest },
    /// A timestamping authority saw the signed checkpoint of the first `size` entries, whose bytes have the digest
    /// `checkpoint`, at `time`. Its certificate ends at `until`; `token` and `chain` are the digests of what it sent
    /// and of the certificates and revocation lists that it was judged by.
    Timestamped {
        #[serde(deserialize_with = "whole")]
        size: u64,
        checkpoint: Digest,
        authority: AuthorityCode,
        time: Instant,
        until: Instant,
        token: Digest,
        chain: Digest,
    },
    /// An audit is to be made, before anything is looked at: of the first `size` entries, whose root is `root`. The
    /// sample follows from their checkpoint and the nonce, its size from the share of bad entries that is tolerated and
    /// from the confidence, in parts of a million.
    AuditPledged {
        #[serde(deserialize_with = "whole")]
        size: u64,
        root: Digest,
        nonce: Digest,
        nonce_by: NonceBy,
        share_ppm: u32,
        confidence_ppm: u32,
    },
    /// The audit that the entry `pledge` pledged was made: its report is kept as `record`. So many entries were looked
    /// at, and so many faults found; so many of those were repaired, or are lost.
    Audited {
        record: RecordId,
        #[serde(deserialize_with = "whole")]
        pledge: u64,
        #[serde(deserialize_with = "whole")]
        entries: u64,
        #[serde(deserialize_with = "whole")]
        faults: u64,
        #[serde(deserialize_with = "whole")]
        repaired: u64,
        #[serde(deserialize_with = "whole")]
        lost: u64,
    },
    /// A head approved a version of a schedule: the new description says so, and by which decision.
    Approved {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    /// A hold lies on a record, a file or a fonds from here on. `asked_by` does not release it.
    HoldPlaced {
        #[serde(flatten)]
        unit: Unit,
        hold: HoldId,
        asked_by: ActorId,
    },
    /// A hold lies on nothing any more: the new description says why.
    HoldReleased {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    /// A disposal council met over a case, proposed, and the head decided: the new description says what.
    Reviewed {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    Proposed {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    Decided {
        #[serde(flatten)]
        unit: Unit,
        description: Digest,
        replaces: Digest,
    },
    /// The point of no return for a record: under a case, or as a wrong deposit that `asked_by` asked to withdraw.
    /// `stub` is what is kept of it.
    DestructionOrdered {
        record: RecordId,
        stub: Digest,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked_by: Option<ActorId>,
    },
    /// Nothing of a record is left at any place: its certificate says what was looked at.
    Destroyed { record: RecordId, certificate: Digest },
    /// A state secret is to be taken away everywhere: a second person's order.
    ExpulsionOrdered { record: RecordId, stub: Digest, confirmed_by: ActorId },
    /// It is.
    Expelled { record: RecordId, certificate: Digest },
}

/// A number that has one spelling for every reader of JSON.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(from)?;
    if number < WHOLE_MAX { Ok(number) } else { Err(de::Error::custom("a whole number is less than 2^53")) }
}

/// What is wrong with an object that a place should hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// Its digest is not its name.
    Altered,
    /// Nothing is there.
    Missing,
    /// The place answers, and not for this object.
    Unreadable,
}

/// One entry of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the archive's clock; never earlier than the entry before.
    pub at: Instant,
    /// Who.
    pub by: ActorId,
    /// SHA-256 of actor and idempotency key: a repeated request is the same request.
    pub request: Digest,
    #[serde(flatten)]
    pub event: Event,
    /// The version of this form.
    pub v: u32,
}

/// What bytes can be refused as an entry for.
#[derive(Debug, thiserror::Error)]
pub enum NotAnEntry {
    #[error("the entry is not JSON of version 1: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the entry is of version {0}; this program reads version 1")]
    Version(u32),
    #[error("the entry is about a unit that its event cannot be about")]
    Unit,
    #[error("the entry is not one line of RFC 8785 JSON in ASCII")]
    NotCanonical,
    #[error("the entry has {0} bytes, more than 4096")]
    TooLong(usize),
}

impl Entry {
    /// The bytes that are hashed: one line, no line feed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotAnEntry> {
        let bytes = serde_json_canonicalizer::to_vec(self)?;
        match bytes.len() {
            long if long > ENTRY_BYTES_MAX => Err(NotAnEntry::TooLong(long)),
            _ if !bytes.is_ascii() => Err(NotAnEntry::NotCanonical),
            _ => Ok(bytes),
        }
    }

    /// Can these bytes tell this event, `"event":"…"`, at all? Without reading them: they are JSON without spaces, so it
    /// cannot be said in another way, nor inside of a text.
    pub fn may_tell(bytes: &[u8], event: &str) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|line| line.contains(event))
    }

    /// Reads what [`Entry::to_bytes`] wrote, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Entry, NotAnEntry> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(NotAnEntry::TooLong(bytes.len()));
        }
        if let Some(entry) = line::read(bytes) {
            return Ok(entry);
        }
        let entry: Entry = serde_json::from_slice(bytes)?;
        if entry.v != 1 {
            return Err(NotAnEntry::Version(entry.v));
        }
        if !entry.event.is_of_its_unit() {
            return Err(NotAnEntry::Unit);
        }
        if entry.to_bytes()? != bytes {
            return Err(NotAnEntry::NotCanonical);
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::unit::Kind;

    fn example() -> Entry {
        let record = RecordId::new(1_763_877_600_000, [1; 10]);
        let event = Event::Accessioned { record, description: Digest::of(b"d") };
        let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
        Entry { at, by: ActorId::new(0, [2; 10]), request: Digest::of(b"r"), event, v: 1 }
    }

    #[test]
    fn an_entry_is_one_canonical_line() {
        let bytes = example().to_bytes().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            text.starts_with(r#"{"at":"2026-11-23T03:04:05.000000Z","by":""#) && text.ends_with(r#","v":1}"#),
            "{text}"
        );
        assert_eq!(Entry::from_bytes(&bytes).unwrap(), example());
    }

    #[test]
    fn an_event_is_about_the_units_that_it_can_be_about() {
        let (description, replaces, id) = (Digest::of(b"d"), Digest::of(b"r"), "019aaf1c-9b00-7707-8707-070707070707");
        for kind in Kind::ALL {
            let unit = kind.unit(id).unwrap();
            let takes_in = matches!(kind, Kind::Fonds | Kind::File);
            for (event, may) in [
                (Event::Opened { unit, description }, kind != Kind::Record),
                (Event::Described { unit, description, replaces }, true),
                (Event::Closed { unit, description, replaces }, takes_in),
                (Event::Reopened { unit, description, replaces }, takes_in),
                (Event::Lost { unit, named_by: replaces, component: 0 }, true),
            ] {
                let entry = Entry { event, ..example() };
                let bytes = entry.to_bytes().unwrap();
                assert!(String::from_utf8(bytes.clone()).unwrap().contains(&format!(r#""{}":"{id}""#, kind.as_str())));
                assert_eq!(Entry::from_bytes(&bytes).ok(), may.then_some(entry), "{kind:?}");
            }
        }
        let two = String::from_utf8(
            Entry { event: Event::Opened { unit: Kind::File.unit(id).unwrap(), description }, ..example() }
                .to_bytes()
                .unwrap(),
        );
        let two = two.unwrap().replace("\"request\"", &format!(r#""hold":"{id}","request""#));
        assert!(Entry::from_bytes(two.as_bytes()).is_err(), "it is about one unit");
    }

    #[test]
    fn nothing_else_is_an_entry() {
        let text = String::from_utf8(example().to_bytes().unwrap()).unwrap();
        for wrong in [
            text.replace(":1}", ":2}"),
            text.replace("\"v\":1", "\"v\": 1"),
            text.replace("05.000000Z", "05Z"),
            text.replace("\"v\"", "\"extra\":1,\"v\""),
            text.replace("accessioned", "forgotten"),
            format!("{text}\n"),
            format!("{}{}", text, " ".repeat(ENTRY_BYTES_MAX)),
            text.replace("2026-", "-02026-"),
            text.replace("2026-", "0000-"),
            text.replace("2026-", "9999-"),
            text.replace("-23T", "-31T"),
            text.replace(":05.", ":60."),
        ] {
            assert!(Entry::from_bytes(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_count_is_one_that_every_reader_has() {
        let checked = |bytes| {
            let since = example().at;
            let event = Event::FixityChecked { place: 1, since, to: 1, records: 1, components: 1, bytes, faults: 0 };
            Entry { event, ..example() }.to_bytes().unwrap()
        };
        assert!(Entry::from_bytes(&checked(WHOLE_MAX - 1)).is_ok());
        for bytes in [WHOLE_MAX, WHOLE_MAX + 2, 10_000_000_000_000_000] {
            assert!(Entry::from_bytes(&checked(bytes)).is_err(), "{bytes}");
        }
    }
}

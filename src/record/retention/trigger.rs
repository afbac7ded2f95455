//! Which fact starts the clock (mốc tính), and what it was seen in.
//!
//! Law 33/2024/QH15 art. 15 counts from the year in which the work ended. Schedules from before it also count from a
//! document that ceases to be in force, from the end of a construction or of equipment, or from an event.

use crate::record::{
    date::PartialDate,
    entry::Instant,
    retention::{day::Day, words},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const CODE_BYTES_MAX: usize = 32;

/// The short name of an event from which a period counts: 1 to 32 of `a` to `z`, digits and `_`, beginning with a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventCode([u8; CODE_BYTES_MAX]);

/// Not a trigger in its one spelling.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a trigger is work_ended, document_issued, document_ceased, construction_ended, equipment_ended or event:<code>, \
     the code being 1 to 32 of a to z, digits and _"
)]
pub struct NotATrigger;

impl EventCode {
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(CODE_BYTES_MAX);
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }
}

impl FromStr for EventCode {
    type Err = NotATrigger;
    fn from_str(text: &str) -> Result<EventCode, NotATrigger> {
        let formed = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !formed || !text.starts_with(|c: char| c.is_ascii_lowercase()) || text.len() > CODE_BYTES_MAX {
            return Err(NotATrigger);
        }
        let mut code = [0; CODE_BYTES_MAX];
        code[..text.len()].copy_from_slice(text.as_bytes());
        Ok(EventCode(code))
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for EventCode {
    type Error = NotATrigger;
    fn try_from(text: String) -> Result<EventCode, NotATrigger> {
        text.parse()
    }
}

impl From<EventCode> for String {
    fn from(code: EventCode) -> String {
        code.to_string()
    }
}

/// What a period counts from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Trigger {
    /// Năm kết thúc công việc: Law 33/2024 art. 15.
    WorkEnded,
    /// Ngày ban hành văn bản.
    DocumentIssued,
    /// Văn bản hết hiệu lực thi hành.
    DocumentCeased,
    /// Công trình hết tuổi thọ.
    ConstructionEnded,
    /// Thiết bị hết tuổi thọ.
    EquipmentEnded,
    /// Something that a schedule names.
    Event(EventCode),
}

/// The triggers that have no code of their own, in their one spelling.
const NAMED: [(Trigger, &str); 5] = [
    (Trigger::WorkEnded, "work_ended"),
    (Trigger::DocumentIssued, "document_issued"),
    (Trigger::DocumentCeased, "document_ceased"),
    (Trigger::ConstructionEnded, "construction_ended"),
    (Trigger::EquipmentEnded, "equipment_ended"),
];

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, NAMED.iter().find(|(named, _)| named == self)) {
            (Trigger::Event(code), _) => write!(f, "event:{code}"),
            (_, name) => f.write_str(name.map_or("", |(_, name)| name)),
        }
    }
}

impl FromStr for Trigger {
    type Err = NotATrigger;
    fn from_str(text: &str) -> Result<Trigger, NotATrigger> {
        if let Some(code) = text.strip_prefix("event:") {
            return Ok(Trigger::Event(code.parse()?));
        }
        NAMED.iter().find(|(_, name)| *name == text).map(|(trigger, _)| *trigger).ok_or(NotATrigger)
    }
}

impl TryFrom<String> for Trigger {
    type Error = NotATrigger;
    fn try_from(text: String) -> Result<Trigger, NotATrigger> {
        text.parse()
    }
}

impl From<Trigger> for String {
    fn from(trigger: Trigger) -> String {
        trigger.to_string()
    }
}

impl Trigger {
    /// What people type: our spelling, or the words of a schedule, with or without diacritics.
    pub fn read(typed: &str) -> Result<Trigger, NotATrigger> {
        typed.trim().parse().or_else(|_| words::trigger(typed).ok_or(NotATrigger))
    }

    /// In Vietnamese, as it stands after "kể từ".
    pub fn vi(&self) -> String {
        words::trigger_vi(self)
    }

    /// In English, as it stands after "counted from when".
    pub fn en(&self) -> String {
        words::trigger_en(self)
    }
}

/// When a fact happened: as exactly as a document says, or the moment of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum When {
    Date(PartialDate),
    Moment(Instant),
}

impl When {
    /// The last day that it can have been, in Vietnam.
    pub fn last_day(&self) -> Day {
        match self {
            When::Date(date) => Day::last_of(*date),
            When::Moment(moment) => Day::in_vietnam(*moment),
        }
    }
}

/// What a fact was seen in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Evidence {
    /// An entry of the ledger, by its number.
    Entry(u64),
    /// A field of the description in force.
    Field(String),
}

/// A fact that starts a clock, as a description tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    pub trigger: Trigger,
    pub when: PartialDate,
}

/// A fact that starts a clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    pub trigger: Trigger,
    pub when: When,
    pub evidence: Evidence,
    /// Since when the archive knows: the past is told with what was known then.
    pub known: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_has_one_spelling() {
        for text in NAMED.iter().map(|(_, name)| *name).chain(["event:contract_ended"]) {
            let trigger: Trigger = text.parse().unwrap();
            assert_eq!(trigger.to_string(), text);
            assert_eq!(serde_json::to_value(trigger).unwrap(), text);
        }
        let long = format!("event:{}", "a".repeat(33));
        for wrong in ["", "event:", "event:Hợp", "event:1a", "event:a-b", "WORK_ENDED", &long] {
            assert_eq!(wrong.parse::<Trigger>(), Err(NotATrigger), "{wrong}");
        }
        assert!(format!("event:{}", "a".repeat(32)).parse::<Trigger>().is_ok());
    }

    #[test]
    fn facts_happen_on_their_last_day() {
        let closed = When::Moment("2025-12-31T18:00:00.000000Z".parse().unwrap());
        assert_eq!(closed.last_day().to_string(), "2026-01-01");
        assert_eq!(When::Date("2025".parse().unwrap()).last_day().to_string(), "2025-12-31");
        for when in [closed, When::Date("2025-06".parse().unwrap())] {
            assert_eq!(serde_json::from_value::<When>(serde_json::to_value(when).unwrap()).unwrap(), when);
        }
    }
}

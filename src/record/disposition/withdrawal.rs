//! A wrong deposit (nộp nhầm): a record that should never have come is withdrawn, and its bytes go by the path of
//! destruction; the evidence stays.
//!
//! # Why
//! *Two people and little time.* This is the one way round the council, so it is narrow: one person asks and another
//! confirms, with a fresh log-in, within days of the accession. Later, a record that somebody calls a mistake is a record
//! whose period has not ended. A hold stops it as it stops everything.

use crate::record::{
    actor::Role,
    disposition::{act::Who, refusal::Refusal, rules::Rules},
    entry::Instant,
    id::{ActorId, HoldId, RecordId},
};
use serde::{Deserialize, Serialize};

/// What was wrong with a deposit, as a code that an entry may hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mistake {
    /// Handed over to the wrong archive or for the wrong agency.
    WrongPlace,
    /// A draft, or a version that was never issued.
    NotIssued,
    /// No record of any agency: a test, a private paper.
    NotARecord,
    /// Handed over twice in one delivery.
    Twice,
}

impl Mistake {
    pub const ALL: [Mistake; 4] = [Mistake::WrongPlace, Mistake::NotIssued, Mistake::NotARecord, Mistake::Twice];

    pub fn as_str(&self) -> &'static str {
        match self {
            Mistake::WrongPlace => "wrong_place",
            Mistake::NotIssued => "not_issued",
            Mistake::NotARecord => "not_a_record",
            Mistake::Twice => "twice",
        }
    }

    pub fn vi(&self) -> &'static str {
        match self {
            Mistake::WrongPlace => "nộp nhầm kho hoặc nhầm cơ quan",
            Mistake::NotIssued => "bản thảo hoặc bản chưa ban hành",
            Mistake::NotARecord => "không phải tài liệu lưu trữ",
            Mistake::Twice => "nộp hai lần trong một đợt",
        }
    }

    pub fn en(&self) -> &'static str {
        match self {
            Mistake::WrongPlace => "handed over to the wrong archive or for the wrong agency",
            Mistake::NotIssued => "a draft, or a version that was never issued",
            Mistake::NotARecord => "no record of any agency",
            Mistake::Twice => "handed over twice in one delivery",
        }
    }
}

/// That somebody asks for a deposit to be withdrawn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub record: RecordId,
    pub mistake: Mistake,
    pub reason: String,
    pub by: ActorId,
    pub at: Instant,
}

/// Is it within the days in which a deposit may be withdrawn?
pub fn in_time(accessioned: Instant, days_max: u16, at: Instant) -> bool {
    const DAY_MICROS: i64 = 86_400_000_000;
    at.micros().saturating_sub(accessioned.micros()) <= i64::from(days_max) * DAY_MICROS
}

/// May this second person confirm it? Then the order to destroy may be committed.
pub fn confirm(
    asked: &Asked,
    accessioned: Instant,
    holds: &[HoldId],
    who: &Who,
    rules: &Rules,
    at: Instant,
) -> Result<(), Refusal> {
    if !matches!(who.role, Role::Archivist | Role::Head) {
        return Err(Refusal::NotYours);
    }
    if asked.reason.trim().is_empty() {
        return Err(Refusal::NoReason);
    }
    match who {
        _ if who.actor == asked.by => Err(Refusal::SamePerson),
        _ if !who.is_fresh(rules.fresh_seconds_max, at) => Err(Refusal::NotFresh),
        _ if !holds.is_empty() => Err(Refusal::OnHold),
        _ if !in_time(accessioned, rules.withdrawal_days_max, at) => Err(Refusal::WithdrawalTooLate),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }

    /// The issue, "Wrong deposit": withdrawn with a reason and a second person.
    #[test]
    fn who_may_withdraw_a_wrong_deposit_and_until_when() {
        let at = |text: &str| format!("{text}.000000Z").parse::<Instant>().unwrap();
        let (came, now) = (at("2026-11-01T03:00:00"), at("2026-11-23T03:00:00"));
        let asked = |reason: &str| Asked {
            record: RecordId::new(0, [1; 10]),
            mistake: Mistake::WrongPlace,
            reason: reason.into(),
            by: actor(1),
            at: now,
        };
        let who = |n, role| Who { actor: actor(n), role, authenticated: Some(now) };
        let stale = Who { authenticated: Some(came), ..who(2, Role::Archivist) };
        let hold = [HoldId::new(0, [7; 10])];
        let why = "Tài liệu của Sở Tài chính";
        for (reason, who, holds, moment, expected) in [
            (why, who(2, Role::Archivist), &[][..], now, Ok(())),
            (why, who(2, Role::Head), &[], now, Ok(())),
            (why, who(1, Role::Archivist), &[], now, Err(Refusal::SamePerson)),
            (why, who(2, Role::Depositor), &[], now, Err(Refusal::NotYours)),
            (why, who(2, Role::Administrator), &[], now, Err(Refusal::NotYours)),
            (" ", who(2, Role::Archivist), &[], now, Err(Refusal::NoReason)),
            (why, stale, &[], now, Err(Refusal::NotFresh)),
            (why, who(2, Role::Archivist), &hold, now, Err(Refusal::OnHold)),
        ] {
            let found = confirm(&asked(reason), came, holds, &who, &Rules::default(), moment);
            assert_eq!(found, expected, "{reason} {who:?}");
        }
        for (moment, expected) in
            [("2026-12-01T03:00:00", true), ("2026-12-01T03:00:01", false), ("2027-01-01T00:00:00", false)]
        {
            assert_eq!(in_time(came, 30, at(moment)), expected, "{moment}");
        }
        for mistake in Mistake::ALL {
            assert_eq!(serde_json::to_value(mistake).unwrap(), mistake.as_str());
            assert!(mistake.vi() != mistake.en());
        }
    }
}

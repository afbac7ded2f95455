//! Timestamps in the ledger: what an entry says of one, and what it says of the times of other entries.
//!
//! # Why
//! *Half a minute is let pass.* An authority may tell whole seconds only, its clock and ours are not the same, and
//! entries are committed while it is asked. Who backdates by less has gained nothing.

use crate::record::{
    digest::Digest,
    entry::{Event, Instant},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far the time of an entry and that of a timestamp may contradict each other.
pub const TOLERANCE_MICROS: i64 = 30_000_000;

/// The short name that an archive gives to a timestamping authority: 1 to 32 of `a` to `z`, digits and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthorityCode(String);

/// Not a short name in that form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the code of an authority is 1 to 32 of a to z, digits and -")]
pub struct NotACode;

impl TryFrom<String> for AuthorityCode {
    type Error = NotACode;
    fn try_from(text: String) -> Result<AuthorityCode, NotACode> {
        let formed = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if formed && (1..=32).contains(&text.len()) { Ok(AuthorityCode(text)) } else { Err(NotACode) }
    }
}

impl From<AuthorityCode> for String {
    fn from(code: AuthorityCode) -> String {
        code.0
    }
}

impl fmt::Display for AuthorityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A timestamp that the ledger names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamped {
    /// The entry that names it.
    pub seq: u64,
    /// Entries of the tree whose checkpoint was stamped.
    pub size: u64,
    pub authority: AuthorityCode,
    pub time: Instant,
    /// When the certificate ends that signed.
    pub until: Instant,
    pub checkpoint: Digest,
    pub token: Digest,
    pub chain: Digest,
}

impl Stamped {
    /// What an entry says, where it is one of these.
    pub fn of(seq: u64, event: &Event) -> Option<Stamped> {
        let Event::Timestamped { size, checkpoint, authority, time, until, token, chain } = event else { return None };
        let (size, checkpoint, time, until, token, chain) = (*size, *checkpoint, *time, *until, *token, *chain);
        Some(Stamped { seq, size, authority: authority.clone(), time, until, checkpoint, token, chain })
    }

    /// Does a later timestamp renew this one: is it over a tree that names this one, and from before its certificate
    /// ended?
    pub fn is_renewed_by(&self, later: &Stamped) -> bool {
        later.size > self.seq && later.time < self.until
    }
}

/// Is an entry later than a timestamp over a tree that has it? Of its time whole seconds count, which every tool tells.
pub fn is_late(at: Instant, time: Instant) -> bool {
    let whole = time.micros().div_euclid(1_000_000).saturating_mul(1_000_000);
    at.micros() > whole.saturating_add(TOLERANCE_MICROS)
}

/// Is an entry earlier than a timestamp over a tree that did not have it yet: was it backdated?
pub fn is_backdated(at: Instant, time: Instant) -> bool {
    at.micros() < time.micros().saturating_sub(TOLERANCE_MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_authorities_are_short_and_plain() {
        for right in ["vgca", "tsa-2", "a", &"x".repeat(32)] {
            assert!(AuthorityCode::try_from(right.to_owned()).is_ok(), "{right}");
        }
        for wrong in ["", "VGCA", "a.b", "a/b", "a b", "\u{111}", &"x".repeat(33)] {
            assert!(AuthorityCode::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn entries_and_timestamps_contradict_each_other_or_not() {
        let (time, second) = (Instant::from_micros(1_763_877_600_000_000), 1_000_000);
        for (seconds, late, backdated) in
            [(0, false, false), (30, false, false), (31, true, false), (-30, false, false), (-31, false, true)]
        {
            let at = Instant::from_micros(time.micros() + seconds * second);
            assert_eq!((is_late(at, time), is_backdated(at, time)), (late, backdated), "{seconds} s");
        }
        assert!(!is_late(time, Instant::from_micros(i64::MAX)));
    }

    #[test]
    fn a_timestamp_is_renewed_by_one_that_covers_it_in_time() {
        let stamped = |seq, size, time, until| Stamped {
            seq,
            size,
            authority: AuthorityCode::try_from("a".to_owned()).unwrap(),
            time: Instant::from_micros(time),
            until: Instant::from_micros(until),
            checkpoint: Digest::of(b"c"),
            token: Digest::of(b"t"),
            chain: Digest::of(b"p"),
        };
        let old = stamped(10, 9, 100, 200);
        for (seq, size, time, renews) in
            [(12, 11, 150, true), (11, 10, 150, false), (12, 11, 199, true), (12, 11, 200, false)]
        {
            assert_eq!(old.is_renewed_by(&stamped(seq, size, time, 900)), renews, "{size} {time}");
        }
    }
}

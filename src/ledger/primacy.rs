//! Which place decides the order of entries, and in which epoch.
//!
//! # Why
//! A commit object is the lock on the order of all entries, at one place. When that place is lost another
//! takes over, and both may be up again one day: so every commit says, under its signature, at which place
//! it was created and in which epoch, and whoever reads two histories knows which one goes on.

use crate::ledger::note::{self, NoteFault};
use crate::record::entry::{Entry, Event};
use std::fmt;

/// The primary at the time of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Primacy {
    /// Which of the archive's places; the first is 1.
    pub replica: u32,
    /// Counts the primaries that this archive has had; the first is 1.
    pub epoch: u32,
}

impl Primacy {
    /// That of the place in which an archive is founded.
    pub const FIRST: Primacy = Primacy { replica: 1, epoch: 1 };

    /// The body of a commit's note: what a checkpoint has too, and the line `primary <replica> epoch <epoch>`.
    pub fn split(body: &str) -> Result<(&str, Primacy), NoteFault> {
        let malformed = || NoteFault::Malformed("a commit says `primary <replica> epoch <epoch>` in its last line");
        let before = body.strip_suffix('\n').and_then(|body| body.rfind('\n')).ok_or_else(malformed)?;
        let (checkpoint, line) = body.split_at(before + 1);
        let read = || {
            let (replica, epoch) = line.trim_end_matches('\n').strip_prefix("primary ")?.split_once(" epoch ")?;
            let number = |text| u32::try_from(note::decode_number(text)?).ok().filter(|number| *number > 0);
            Some(Primacy { replica: number(replica)?, epoch: number(epoch)? })
        };
        read().map(|primacy| (checkpoint, primacy)).ok_or_else(malformed)
    }

    /// What a commit of these entries has to say, where the one before it said this: the same, unless its first
    /// entry promotes another place and begins the next epoch. `None` where an entry promotes and may not.
    pub fn after(self, entries: &[Vec<u8>]) -> Option<Primacy> {
        let mut promoted = entries.iter().enumerate().filter_map(|(at, entry)| Some((at, promotion(entry)?)));
        match (promoted.next(), promoted.next()) {
            (None, _) => Some(self),
            (Some((0, next)), None) if Some(next.epoch) == self.epoch.checked_add(1) => Some(next),
            _ => None,
        }
    }
}

/// The primary that an entry names, where it promotes one.
fn promotion(entry: &[u8]) -> Option<Primacy> {
    if !Entry::may_tell(entry, r#""event":"promoted""#) {
        return None;
    }
    match Entry::from_bytes(entry).map(|entry| entry.event) {
        Ok(Event::Promoted { replica, epoch }) => Some(Primacy { replica, epoch }),
        // Epoch 0 follows nothing.
        _ => Some(Primacy { replica: 0, epoch: 0 }),
    }
}

impl fmt::Display for Primacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "primary {} epoch {}", self.replica, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{digest::Digest, entry::Instant, id::ActorId};

    #[test]
    fn the_last_line_says_who_was_the_primary() {
        let second = Primacy { replica: 3, epoch: 2 };
        assert_eq!(Primacy::split(&format!("a\nb\n{second}\n")), Ok(("a\nb\n", second)));
        for wrong in ["", "\n", "a\n", "a\nprimary 1 epoch 0\n", "a\nprimary 01 epoch 1\n", "a\nprimary 1 epoch 1"] {
            assert!(Primacy::split(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_an_entry_that_promotes_changes_the_primary() {
        let entry = |event| {
            let at = Instant::from_micros(1_763_877_600_000_000);
            let by = ActorId::new(1_763_877_600_000, [1; 10]);
            Entry { at, by, request: Digest::of(b"r"), event, v: 1 }.to_bytes().unwrap()
        };
        let plain = entry(Event::Refreshed { documents: [("promoted".into(), Digest::of(b"x"))].into() });
        let to = |replica, epoch| entry(Event::Promoted { replica, epoch });
        let third = Primacy { replica: 3, epoch: 2 };
        for (entries, expected) in [
            (vec![plain.clone(), plain.clone()], Some(Primacy::FIRST)),
            (vec![to(3, 2), plain.clone()], Some(third)),
            (vec![plain.clone(), to(3, 2)], None),
            (vec![to(3, 2), to(2, 3)], None),
            (vec![to(3, 3)], None),
            (vec![to(3, 1)], None),
            (vec![br#"{"event":"promoted"}"#.to_vec()], None),
        ] {
            assert_eq!(Primacy::FIRST.after(&entries), expected);
        }
        assert_eq!(third.after(&[to(1, 3)]), Some(Primacy { replica: 1, epoch: 3 }));
    }
}

//! Backups (bản sao lưu) and restore drills: what is written of each, and what is remembered of the newest.

use crate::record::{
    digest::{Digest, hex},
    entry::{Damage, Instant},
    id::{ActorId, RecordId},
};
use serde::{Deserialize, Serialize};

/// The name of the form of a run.
pub const RUN: &str = "backup.v1";
/// The name of the schema that the report of a drill follows (`schemas/drill.v1.json`).
pub const DRILL: &str = "drill.v1";
/// The kind of report under which it is signed.
pub const DRILL_KIND: &str = "drill";

/// What one run came to; it lies in the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Always [`RUN`].
    pub schema: String,
    /// Counts the runs into one backup; the first is 1.
    pub number: u64,
    pub archive: ActorId,
    pub origin: String,
    pub program: String,
    /// Who had it made, as the desk knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ActorId>,
    pub began: Instant,
    pub ended: Instant,
    /// The ledger as it stood when the run began: all that was acknowledged before is in it.
    pub entries: u64,
    pub root: Digest,
    /// Objects of the archive that this run wrote, and their bytes.
    pub objects: u64,
    pub bytes: u64,
    /// The desk as it was when the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<Kept>,
    /// The fingerprints of the signing keys that are in it.
    pub keys: Vec<Digest>,
    /// What no place had as the ledger names it, and what could not be told to be right.
    pub not_carried: Vec<Lacking>,
}

/// An object of the backup beside the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    pub sha256: Digest,
    pub size: u64,
}

/// An object that the ledger names and that is not there as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lacking {
    pub path: String,
    /// Its digest; none for what the ledger does not name by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// What the desk remembers of backups: what is due follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The newest backup that was finished.
    #[serde(default)]
    pub last: Option<Last>,
    /// Why the last attempt was not, where something was in the way.
    #[serde(default)]
    pub why: Option<String>,
    /// The last drill, and why a later one could not be held.
    #[serde(default)]
    pub drill: Option<LastDrill>,
    #[serde(default)]
    pub drill_why: Option<String>,
}

/// The newest backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    pub to: String,
    pub began: Instant,
    pub entries: u64,
    pub not_carried: u64,
}

/// The last drill, with its signed report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDrill {
    pub ended: Instant,
    pub passed: bool,
    pub report: String,
}

/// The report of a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// Always [`DRILL`].
    pub schema: String,
    pub archive: ActorId,
    pub origin: String,
    pub program: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ActorId>,
    pub began: Instant,
    pub ended: Instant,
    /// Which backup: the number of its newest run, and when that had begun.
    pub run: u64,
    pub run_began: Instant,
    /// Entries of the living ledger when the drill was held; the key that signs was in use then.
    pub ledger: u64,
    /// Entries of the ledger in the backup, every one of which was read and hashed, and the root that they give.
    pub entries: u64,
    pub root: Digest,
    /// From which the records were chosen: [`chosen`].
    pub nonce: String,
    /// How many records the backup holds, and how many were asked for.
    pub records: u64,
    pub asked: u64,
    pub drilled: Vec<Drilled>,
    pub desk: Part,
    pub keys: Part,
    /// Objects that were not as the ledger names them.
    pub faults: u64,
    pub passed: bool,
}

/// One record that was brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drilled {
    pub record: RecordId,
    /// The entry that accessioned it.
    pub entry: u64,
    /// Descriptions and components that came back with the digest that the ledger names, and their bytes.
    pub objects: u64,
    pub bytes: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<DrillFault>,
}

/// An object of a record that did not come back as it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillFault {
    /// Its ordinal; 0 is a description.
    pub component: u32,
    pub fault: Damage,
}

/// How a part of the backup beside the archive was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It is there and can be used.
    Whole,
    /// It is there and cannot be used.
    Damaged,
    /// The backup was made without it.
    Apart,
}

/// Which of so many records are chosen by a nonce, in the order in which they are taken: number `n` is the first eight
/// bytes of SHA-256 over the nonce's hexadecimal digits, `/` and a count from 0 on, taken as a number, modulo `of`;
/// those that were chosen before are passed over. Anybody can choose again, and nobody beforehand.
pub fn chosen(nonce: &[u8; 32], of: u64, wanted: u64) -> Vec<u64> {
    let nonce = hex(nonce);
    let mut chosen = Vec::new();
    if wanted >= of {
        return (0..of).collect();
    }
    let mut taken = std::collections::HashSet::new();
    for count in 0_u64.. {
        if chosen.len() as u64 >= wanted {
            break;
        }
        let Digest([a, b, c, d, e, f, g, h, ..]) = Digest::of(format!("{nonce}/{count}").as_bytes());
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % of;
        if taken.insert(number) {
            chosen.push(number);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_chooses_the_same_records_for_everybody() {
        let nonce = [7; 32];
        let picked = chosen(&nonce, 1000, 50);
        assert_eq!(picked, chosen(&nonce, 1000, 50));
        assert_ne!(picked, chosen(&[8; 32], 1000, 50));
        let distinct: std::collections::BTreeSet<_> = picked.iter().collect();
        assert_eq!((distinct.len(), picked.iter().all(|n| *n < 1000)), (50, true));
        assert_eq!(chosen(&nonce, 3, 50), [0, 1, 2]);
        assert_eq!(chosen(&nonce, 0, 50), Vec::<u64>::new());
        assert!(chosen(&nonce, 3, 0).is_empty());
    }
}

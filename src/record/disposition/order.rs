//! May this be committed? The fold over the ledger that decides on destruction at the moment of the commit.
//!
//! Every entry that matters here becomes a [`Fact`]; [`Standing::apply`] folds it in, and [`Standing::admit`] says whether
//! a fact may be the next one. A batch is judged fact by fact, each after the ones before it. What is fed need not be the
//! whole ledger: all facts that name a record, its files and fonds, their holds and their cases decide about that record.
//!
//! # Why
//! *From the ledger and from nothing else.* The catalog is a table that somebody can write to; the ledger is signed. What is
//! asked here is asked of identifiers, codes and the order of entries.
//!
//! *The order of entries is the whole answer.* A hold that was committed before `DestructionOrdered` stops it, one after it
//! is refused: there is no moment in between, since a writer that lost the race is judged again over what won it.
//!
//! *A decision is about what was looked at.* What was described, reclassified or moved after it was listed is listed anew:
//! its period may be another one now.

mod admit;

use crate::record::{
    digest::Digest,
    disposition::{
        act::{Lies, UnitFacts},
        case::Unit,
    },
    entry::Instant,
    hold::{On, Placed, Stay, covers},
    id::{ActorId, CaseId, FileId, HoldId, RecordId, ScheduleId},
};
use std::collections::{BTreeMap, BTreeSet};

/// Why a unit is listed, as an entry can say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Due on a day (`YYYYMMDD`) by a version of a schedule.
    Expired {
        due: u32,
        schedule: ScheduleId,
        version: Digest,
    },
    Duplicate {
        kept: RecordId,
        found_by: ActorId,
    },
}

/// What an entry says, as far as destruction hangs on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    Accessioned {
        record: RecordId,
    },
    /// A record came into a file or a fonds, or was taken out of it.
    Filed {
        record: RecordId,
        place: On,
    },
    Unfiled {
        record: RecordId,
        place: On,
    },
    /// A file or record was described anew or reclassified.
    Changed {
        unit: Unit,
    },
    ScheduleApproved {
        schedule: ScheduleId,
        version: Digest,
    },
    HoldPlaced {
        hold: HoldId,
        on: On,
        asked_by: ActorId,
    },
    HoldReleased {
        hold: HoldId,
    },
    CaseOpened {
        case: CaseId,
        needs_appraisal: bool,
    },
    Listed {
        case: CaseId,
        unit: Unit,
        why: Why,
    },
    CouncilSet {
        case: CaseId,
        people: Vec<ActorId>,
    },
    Reviewed {
        case: CaseId,
    },
    Proposed {
        case: CaseId,
        unit: Unit,
        destroy: bool,
    },
    Appraised {
        case: CaseId,
    },
    Decided {
        case: CaseId,
        unit: Unit,
        destroy: bool,
    },
    /// A wrong deposit: the entry is the second person's.
    Withdrawn {
        record: RecordId,
        asked_by: ActorId,
    },
    /// Under a case, or, where there is none, as a wrong deposit.
    DestructionOrdered {
        record: RecordId,
        case: Option<CaseId>,
    },
    Destroyed {
        record: RecordId,
    },
    /// State secrets: the entry is the second person's.
    ExpulsionOrdered {
        record: RecordId,
        confirmed_by: ActorId,
    },
    Expelled {
        record: RecordId,
    },
    Transferred {
        record: RecordId,
    },
}

/// How a record stands.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Record {
    accessioned: Instant,
    stays: Vec<Stay>,
    changed: u64,
    withdrawn: bool,
    end: End,
}

/// How a file stands.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct File {
    changed: u64,
    /// What lies in it now, whether it has ended or not.
    members: BTreeSet<RecordId>,
}

/// How far the end of a record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    None,
    Ordered,
    Destroyed,
    ExpulsionOrdered,
    Expelled,
    Transferred,
}

/// How a unit of a case stands.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Listed {
    why: Why,
    seq: u64,
    proposed: Option<bool>,
    decided: Option<(bool, ActorId)>,
}

/// How a case stands.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Case {
    needs_appraisal: bool,
    people: BTreeSet<ActorId>,
    reviewers: BTreeSet<ActorId>,
    met: bool,
    appraised: bool,
    units: BTreeMap<Unit, Listed>,
}

/// What follows from the facts so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Standing {
    /// Facts folded in.
    seq: u64,
    records: BTreeMap<RecordId, Record>,
    files: BTreeMap<FileId, File>,
    holds: Vec<Placed>,
    /// The newest approved version of each schedule.
    approved: BTreeMap<ScheduleId, Digest>,
    cases: BTreeMap<CaseId, Case>,
}

impl Standing {
    /// Folds in what was committed. It judges nothing: what is in the ledger has happened.
    pub fn apply(&mut self, fact: &Fact, by: ActorId, at: Instant) {
        self.seq += 1;
        let seq = self.seq;
        match fact {
            Fact::Accessioned { record } => {
                let (stays, changed, withdrawn, end) = (Vec::new(), seq, false, End::None);
                self.records.insert(*record, Record { accessioned: at, stays, changed, withdrawn, end });
            }
            Fact::Filed { record, place } => self.filed(*record, *place),
            Fact::Unfiled { record, place } => self.unfiled(*record, *place),
            Fact::Changed { unit: Unit::File(file) } => {
                self.files.entry(*file).or_default().changed = seq;
            }
            Fact::Changed { unit: Unit::Record(record) } => self.of(record, |record| record.changed = seq),
            Fact::ScheduleApproved { schedule, version } => {
                self.approved.insert(*schedule, *version);
            }
            Fact::HoldPlaced { hold, on, asked_by } => {
                self.holds.push(Placed { hold: *hold, on: *on, asked_by: *asked_by, seq, released: None });
            }
            Fact::HoldReleased { hold } => {
                let same = self.holds.iter_mut().filter(|placed| placed.hold == *hold);
                same.for_each(|placed| placed.released = placed.released.or(Some(seq)));
            }
            Fact::Withdrawn { record, .. } => self.of(record, |record| record.withdrawn = true),
            Fact::DestructionOrdered { record, .. } => self.of(record, |record| record.end = End::Ordered),
            Fact::Destroyed { record } => self.of(record, |record| record.end = End::Destroyed),
            Fact::ExpulsionOrdered { record, .. } => self.of(record, |record| record.end = End::ExpulsionOrdered),
            Fact::Expelled { record } => self.of(record, |record| record.end = End::Expelled),
            Fact::Transferred { record } => self.of(record, |record| record.end = End::Transferred),
            Fact::CaseOpened { .. }
            | Fact::Listed { .. }
            | Fact::CouncilSet { .. }
            | Fact::Reviewed { .. }
            | Fact::Proposed { .. }
            | Fact::Appraised { .. }
            | Fact::Decided { .. } => self.reviewed(fact, by),
        }
    }

    /// The facts of a case.
    fn reviewed(&mut self, fact: &Fact, by: ActorId) {
        let seq = self.seq;
        let mut case = |id: &CaseId, change: &dyn Fn(&mut Case)| change(self.cases.entry(*id).or_default());
        match fact {
            Fact::CaseOpened { case: id, needs_appraisal } => {
                case(id, &|case| case.needs_appraisal = *needs_appraisal);
            }
            // A list that changed, or another council, begins the review anew.
            Fact::Listed { case: id, unit, why } => case(id, &|case| {
                case.units.insert(*unit, Listed { why: *why, seq, proposed: None, decided: None });
                (case.met, case.appraised) = (false, false);
                if let Why::Duplicate { found_by, .. } = why {
                    case.reviewers.insert(*found_by);
                }
            }),
            Fact::CouncilSet { case: id, people } => case(id, &|case| {
                case.people = people.iter().copied().collect();
                case.reviewers.extend(people);
                (case.met, case.appraised) = (false, false);
                case.units.values_mut().for_each(|listed| (listed.proposed, listed.decided) = (None, None));
            }),
            Fact::Reviewed { case: id } => case(id, &|case| {
                case.met = true;
                case.reviewers.insert(by);
            }),
            Fact::Proposed { case: id, unit, destroy } => case(id, &|case| {
                case.appraised = false;
                case.reviewers.insert(by);
                if let Some(listed) = case.units.get_mut(unit) {
                    (listed.proposed, listed.decided) = (Some(*destroy), None);
                }
            }),
            Fact::Appraised { case: id } => case(id, &|case| case.appraised = true),
            Fact::Decided { case: id, unit, destroy } => case(id, &|case| {
                if let Some(listed) = case.units.get_mut(unit) {
                    listed.decided = Some((*destroy, by));
                }
            }),
            _ => {}
        }
    }

    fn of(&mut self, record: &RecordId, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.get_mut(record) {
            change(record);
        }
    }

    /// Whatever comes into a file or leaves it changes the file.
    fn filed(&mut self, record: RecordId, place: On) {
        let seq = self.seq;
        self.of(&record, |record| record.stays.push(Stay { place, from: seq, until: None }));
        if let On::File(file) = place {
            let file = self.files.entry(file).or_default();
            file.changed = seq;
            file.members.insert(record);
        }
    }

    fn unfiled(&mut self, record: RecordId, place: On) {
        let seq = self.seq;
        self.of(&record, |record| {
            let open = record.stays.iter_mut().filter(|stay| stay.place == place && stay.until.is_none());
            open.for_each(|stay| stay.until = Some(seq));
        });
        if let On::File(file) = place {
            let file = self.files.entry(file).or_default();
            file.changed = seq;
            file.members.remove(&record);
        }
    }

    /// Did somebody ask for a hold?
    pub fn asked_for(&self, hold: HoldId, by: ActorId) -> bool {
        self.holds.iter().any(|placed| placed.hold == hold && placed.asked_by == by)
    }

    /// Does a record lie in a place now, or is referred to from there?
    pub fn refers(&self, record: RecordId, place: On) -> bool {
        let stays = self.records.get(&record).map(|record| record.stays.as_slice()).unwrap_or_default();
        stays.iter().any(|stay| stay.place == place && stay.until.is_none())
    }

    /// The holds that cover a record.
    pub fn holds_on(&self, record: RecordId) -> Vec<HoldId> {
        self.records.get(&record).map_or_else(Vec::new, |known| covers(&self.holds, record, &known.stays))
    }

    /// The records of a unit that are still here.
    pub fn members(&self, unit: Unit) -> Vec<RecordId> {
        let here = |id: &RecordId| self.records.get(id).is_some_and(|record| record.end == End::None);
        let inside: Vec<RecordId> = match unit {
            Unit::Record(one) => vec![one],
            Unit::File(file) => self.files.get(&file).into_iter().flat_map(|file| &file.members).copied().collect(),
        };
        inside.into_iter().filter(here).collect()
    }

    /// What the case needs to know of a unit; `due` is what the clock of retention says of it now.
    pub fn unit_facts(&self, case: CaseId, unit: Unit, why: &Why, due: Option<u32>) -> UnitFacts {
        let holds: BTreeSet<HoldId> = self.members(unit).into_iter().flat_map(|id| self.holds_on(id)).collect();
        let listed = self.cases.get(&case).and_then(|case| case.units.get(&unit));
        let record = match unit {
            Unit::File(_) => None,
            Unit::Record(record) => self.records.get(&record),
        };
        let lies = match unit {
            Unit::File(_) => Lies::File,
            Unit::Record(_) if record.is_some_and(|record| files_of(record).next().is_some()) => Lies::InFile,
            Unit::Record(_) => Lies::Loose,
        };
        let (schedule_approved, kept_stays) = match why {
            Why::Expired { schedule, version, .. } => (self.approved.get(schedule) == Some(version), true),
            Why::Duplicate { kept, .. } => (true, self.stays(*kept)),
        };
        UnitFacts {
            lies,
            holds: holds.into_iter().collect(),
            due,
            schedule_approved,
            changed: listed.is_some_and(|listed| self.changed_since(unit, listed.seq)),
            listed_elsewhere: self.cases.iter().any(|(id, other)| *id != case && other.considers(unit)),
            gone: record.is_some_and(|record| record.end != End::None),
            kept_stays,
        }
    }
}

impl Case {
    /// Is the unit still being considered, or to be destroyed?
    fn considers(&self, unit: Unit) -> bool {
        self.units.get(&unit).is_some_and(|listed| listed.decided.is_none_or(|(destroy, _)| destroy))
    }
}

/// The files in which a record lies now.
fn files_of(record: &Record) -> impl Iterator<Item = FileId> {
    let open = record.stays.iter().filter(|stay| stay.until.is_none());
    open.filter_map(|stay| match stay.place {
        On::File(file) => Some(file),
        On::Record(_) | On::Fonds(_) => None,
    })
}

#[cfg(test)]
mod tests;

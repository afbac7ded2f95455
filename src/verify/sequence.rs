//! Which event may follow which: what began, what is in force, what was ordered to end.
//!
//! # Why
//! *By the ledger alone.* Nothing here is read from anywhere else, so that all verifiers can ask the same of every entry.

use crate::record::{
    digest::Digest,
    entry::Event,
    id::{HoldId, RecordId},
    unit::Unit,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Records that were ordered to end.
pub type Ends = BTreeMap<RecordId, End>;

/// How far it is with the end of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// The entry that ordered it.
    pub order: u64,
    /// What is kept of the record.
    pub stub: Digest,
    /// It was ordered out as a state secret, not to be destroyed.
    pub expelled: bool,
    /// What says that nothing of it is left.
    pub certificate: Option<Digest>,
}

/// What the events so far leave in force.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    /// The description of each unit.
    current: HashMap<Unit, Digest>,
    /// Pledges whose audit has not ended.
    audits_open: HashSet<u64>,
    /// Holds that lie on nothing any more.
    released: HashSet<HoldId>,
    /// By the shard of their identifiers.
    pub ended: BTreeMap<String, Ends>,
}

impl Sequence {
    /// Takes an event in, and tells whether it may follow those before it.
    pub fn take(&mut self, seq: u64, event: &Event) -> bool {
        let follows = self.follows(seq, event);
        match event {
            Event::AuditPledged { .. } => drop(self.audits_open.insert(seq)),
            Event::HoldReleased { unit: Unit::Hold(hold), .. } => drop(self.released.insert(*hold)),
            _ => {}
        }
        self.current.extend(event.names());
        follows
    }

    fn follows(&mut self, seq: u64, event: &Event) -> bool {
        let before = event.unit().and_then(|unit| self.current.get(&unit).copied());
        match event {
            Event::Destroyed { record, certificate } => return self.certified(*record, *certificate, false),
            Event::Expelled { record, certificate } => return self.certified(*record, *certificate, true),
            // From the order on nothing else is about the record.
            _ if event.record().is_some_and(|record| self.end(record).is_some()) => return false,
            _ => {}
        }
        match event {
            Event::Founded { .. } => seq == 0,
            Event::Refreshed { .. }
            | Event::Promoted { .. }
            | Event::FixityChecked { .. }
            | Event::KeyRotated { .. } => seq > 0,
            Event::Timestamped { size, .. } | Event::AuditPledged { size, .. } => (1..=seq).contains(size),
            Event::Audited { pledge, .. } => self.audits_open.remove(pledge) && before.is_some(),
            Event::Damaged { .. } | Event::Repaired { .. } | Event::Lost { .. } => before.is_some(),
            Event::Accessioned { .. } | Event::Opened { .. } => before.is_none(),
            Event::Described { replaces, .. }
            | Event::Closed { replaces, .. }
            | Event::Reopened { replaces, .. }
            | Event::Moved { replaces, .. }
            | Event::Characterized { replaces, .. }
            | Event::Approved { replaces, .. }
            | Event::HoldReleased { replaces, .. }
            | Event::Reviewed { replaces, .. }
            | Event::Proposed { replaces, .. }
            | Event::Decided { replaces, .. } => before == Some(*replaces),
            Event::HoldPlaced { hold, .. } => {
                before.is_some() && self.current.contains_key(&Unit::Hold(*hold)) && !self.released.contains(hold)
            }
            Event::DestructionOrdered { record, stub, .. } => {
                before.is_some() && self.ordered(*record, seq, *stub, false)
            }
            Event::ExpulsionOrdered { record, stub, .. } => before.is_some() && self.ordered(*record, seq, *stub, true),
            Event::Destroyed { .. } | Event::Expelled { .. } => false,
        }
    }

    fn end(&self, record: RecordId) -> Option<&End> {
        self.ended.get(&record.shard())?.get(&record)
    }

    /// The order is given, the first of its record.
    fn ordered(&mut self, record: RecordId, order: u64, stub: Digest, expelled: bool) -> bool {
        let end = End { order, stub, expelled, certificate: None };
        self.ended.entry(record.shard()).or_default().insert(record, end).is_none()
    }

    /// An order of this kind is carried out, once.
    fn certified(&mut self, record: RecordId, certificate: Digest, expelled: bool) -> bool {
        let end = self.ended.get_mut(&record.shard()).and_then(|ends| ends.get_mut(&record));
        match end.filter(|end| end.expelled == expelled && end.certificate.is_none()) {
            Some(end) => {
                end.certificate = Some(certificate);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        entry::Damage,
        id::{ActorId, CaseId, FileId, ScheduleId},
    };

    const RECORD: [u8; 10] = [1; 10];

    fn record() -> RecordId {
        RecordId::new(0, RECORD)
    }

    fn digest(n: u8) -> Digest {
        Digest::of(&[n])
    }

    fn hold() -> HoldId {
        HoldId::new(0, [3; 10])
    }

    fn actor() -> ActorId {
        ActorId::new(0, [9; 10])
    }

    fn taken_in() -> Event {
        Event::Accessioned { record: record(), description: digest(1) }
    }

    fn opened(unit: impl Into<Unit>, n: u8) -> Event {
        Event::Opened { unit: unit.into(), description: digest(n) }
    }

    fn placed(unit: impl Into<Unit>) -> Event {
        Event::HoldPlaced { unit: unit.into(), hold: hold(), asked_by: actor() }
    }

    fn released(n: u8, replaces: u8) -> Event {
        Event::HoldReleased { unit: hold().into(), description: digest(n), replaces: digest(replaces) }
    }

    fn destruction() -> Event {
        let case = Some(CaseId::new(0, [4; 10]));
        Event::DestructionOrdered { record: record(), stub: digest(20), case, asked_by: None }
    }

    fn expulsion() -> Event {
        Event::ExpulsionOrdered { record: record(), stub: digest(20), confirmed_by: actor() }
    }

    fn destroyed() -> Event {
        Event::Destroyed { record: record(), certificate: digest(21) }
    }

    fn expelled() -> Event {
        Event::Expelled { record: record(), certificate: digest(21) }
    }

    fn judged(events: &[Event]) -> Vec<bool> {
        let mut sequence = Sequence::default();
        (1..).zip(events).map(|(seq, event)| sequence.take(seq, event)).collect()
    }

    /// All but the last may follow, and the last may or may not.
    #[test]
    fn what_may_follow_what() {
        let file = FileId::new(0, [2; 10]);
        let (schedule, case) = (Unit::from(ScheduleId::new(0, [5; 10])), Unit::from(CaseId::new(0, [4; 10])));
        let (description, replaces) = (digest(2), digest(1));
        let other = RecordId::new(0, [7; 10]);
        let rows: Vec<(Vec<Event>, bool)> = vec![
            (vec![taken_in(), opened(hold(), 5), placed(record())], true),
            (vec![opened(file, 1), opened(hold(), 5), placed(file)], true),
            (vec![taken_in(), opened(hold(), 5), placed(record()), placed(record())], true),
            (vec![taken_in(), placed(record())], false),
            (vec![opened(hold(), 5), placed(record())], false),
            (vec![taken_in(), opened(hold(), 5), released(6, 5), placed(record())], false),
            (vec![taken_in(), opened(hold(), 5), destruction(), placed(record())], false),
            (vec![opened(hold(), 5), released(6, 5)], true),
            (vec![opened(hold(), 5), released(6, 4)], false),
            (vec![released(6, 5)], false),
            (vec![opened(schedule, 1), Event::Approved { unit: schedule, description, replaces }], true),
            (vec![opened(schedule, 3), Event::Approved { unit: schedule, description, replaces }], false),
            (vec![opened(case, 1), Event::Reviewed { unit: case, description, replaces }], true),
            (vec![opened(case, 1), Event::Proposed { unit: case, description, replaces }], true),
            (vec![opened(case, 1), Event::Decided { unit: case, description, replaces }], true),
            (vec![Event::Decided { unit: case, description, replaces }], false),
            (
                vec![
                    opened(case, 1),
                    Event::Reviewed { unit: case, description, replaces },
                    Event::Decided { unit: case, description: digest(3), replaces },
                ],
                false,
            ),
            (vec![destruction()], false),
            (vec![expulsion()], false),
            (vec![taken_in(), destruction()], true),
            (vec![taken_in(), expulsion()], true),
            (vec![taken_in(), destruction(), destruction()], false),
            (vec![taken_in(), destruction(), expulsion()], false),
            (vec![taken_in(), expulsion(), destruction()], false),
            (vec![taken_in(), destroyed()], false),
            (vec![taken_in(), expelled()], false),
            (vec![taken_in(), destruction(), destroyed()], true),
            (vec![taken_in(), expulsion(), expelled()], true),
            (vec![taken_in(), destruction(), expelled()], false),
            (vec![taken_in(), expulsion(), destroyed()], false),
            (vec![taken_in(), destruction(), destroyed(), destroyed()], false),
            (vec![taken_in(), destruction(), destroyed(), destruction()], false),
            (vec![taken_in(), destruction(), taken_in()], false),
            (vec![taken_in(), destruction(), destroyed(), taken_in()], false),
            (vec![taken_in(), destruction(), Event::Accessioned { record: other, description }], true),
        ];
        for (events, may) in rows {
            let judged = judged(&events);
            let (last, before) = judged.split_last().unwrap();
            assert!(before.iter().all(|one| *one) && *last == may, "{events:?}: {judged:?}");
        }
    }

    #[test]
    fn nothing_else_is_about_a_record_that_was_ordered_to_end() {
        let (unit, description, replaces) = (Unit::from(record()), digest(2), digest(1));
        let about = [
            Event::Described { unit, description, replaces },
            Event::Moved { record: record(), description, replaces },
            Event::Characterized { record: record(), description, replaces },
            Event::Damaged { unit, named_by: replaces, component: 1, place: 1, fault: Damage::Missing },
            Event::Repaired { unit, named_by: replaces, component: 1, place: 1, source: 2 },
            Event::Lost { unit, named_by: replaces, component: 1 },
        ];
        for event in about {
            assert_eq!(judged(&[taken_in(), event.clone()]), [true, true], "{event:?}");
            for order in [destruction(), expulsion()] {
                assert_eq!(judged(&[taken_in(), order, event.clone()]), [true, true, false], "{event:?}");
            }
        }
    }

    #[test]
    fn what_ended_is_known() {
        let mut sequence = Sequence::default();
        let known = |sequence: &Sequence| sequence.ended.values().flatten().map(|(id, end)| (*id, *end)).next();
        sequence.take(7, &destruction());
        assert_eq!(known(&sequence), None, "it never began");
        sequence.take(8, &taken_in());
        sequence.take(9, &destruction());
        let end = End { order: 9, stub: digest(20), expelled: false, certificate: None };
        assert_eq!(known(&sequence), Some((record(), end)));
        sequence.take(10, &destroyed());
        assert_eq!(known(&sequence), Some((record(), End { certificate: Some(digest(21)), ..end })));
    }
}

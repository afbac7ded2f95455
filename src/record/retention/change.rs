//! What would a change move? The pure part of a simulation: terms before and after, counted as they go by.
//!
//! # Why
//! A million records go through here, a unit at a time, and only counts stay: by class and by due date, before and after.
//! Their number has a limit, past which a new group is counted in the rest, so that memory stays bounded whatever the
//! schedule says; the totals hold nevertheless.

use crate::record::retention::{clock::Due, day::Day};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Groups that are told apart.
pub const GROUPS_MAX: usize = 100_000;

/// One unit, before and after.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub class_before: &'a str,
    pub class_after: &'a str,
    pub before: Due,
    pub after: Due,
    /// How many records it is: 1, or those of a file.
    pub records: u64,
    pub bytes: u64,
}

/// How many, and how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    pub records: u64,
    pub bytes: u64,
}

impl Tally {
    pub fn add(&mut self, records: u64, bytes: u64) {
        self.records = self.records.saturating_add(records);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// A group of records that move together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Move {
    pub class_before: String,
    pub class_after: String,
    pub before: Due,
    pub after: Due,
    pub records: u64,
    pub bytes: u64,
}

/// What it all comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Everything that was looked at.
    pub seen: Tally,
    /// What has another class or another due date.
    pub moved: Tally,
    /// Of these what becomes due earlier, and later.
    pub earlier: Tally,
    pub later: Tally,
    /// What was not due on the day of the question and is then.
    pub due_at_once: Tally,
    /// What was due and is not then.
    pub due_no_more: Tally,
    /// Moved, but in no group of its own: there were too many.
    pub rest: Tally,
}

/// Counts what moves. `today` is the day of the question: due by then means due at once.
#[derive(Debug)]
pub struct Change {
    today: Day,
    totals: Totals,
    names: HashMap<String, u32>,
    groups: HashMap<(u32, u32, Due, Due), Tally>,
}

impl Change {
    pub fn new(today: Day) -> Change {
        Change { today, totals: Totals::default(), names: HashMap::new(), groups: HashMap::new() }
    }

    /// Everything that an iterator gives.
    pub fn of<'a>(today: Day, rows: impl IntoIterator<Item = Row<'a>>) -> Change {
        let mut change = Change::new(today);
        rows.into_iter().for_each(|row| change.add(row));
        change
    }

    /// One more unit.
    pub fn add(&mut self, row: Row) {
        let Row { class_before, class_after, before, after, records, bytes } = row;
        let totals = &mut self.totals;
        totals.seen.add(records, bytes);
        if before == after && class_before == class_after {
            return;
        }
        totals.moved.add(records, bytes);
        match after.cmp(&before) {
            std::cmp::Ordering::Less => totals.earlier.add(records, bytes),
            std::cmp::Ordering::Greater => totals.later.add(records, bytes),
            std::cmp::Ordering::Equal => {}
        }
        match (before.is_due(self.today), after.is_due(self.today)) {
            (false, true) => totals.due_at_once.add(records, bytes),
            (true, false) => totals.due_no_more.add(records, bytes),
            _ => {}
        }
        let key = (self.number(class_before), self.number(class_after), before, after);
        let room = self.groups.len() < GROUPS_MAX;
        match self.groups.get_mut(&key) {
            Some(tally) => tally.add(records, bytes),
            None if room => {
                self.groups.insert(key, Tally { records, bytes });
            }
            None => self.totals.rest.add(records, bytes),
        }
    }

    /// Classes are few: each name is kept once. One that is new where there is no room is 0, and its group no new one.
    fn number(&mut self, class: &str) -> u32 {
        if let Some(number) = self.names.get(class) {
            return *number;
        }
        if self.names.len() >= GROUPS_MAX {
            return 0;
        }
        let number = self.names.len() as u32 + 1;
        self.names.insert(class.to_owned(), number);
        number
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The groups, by class and date: what is exported.
    pub fn moves(&self) -> Vec<Move> {
        let names: HashMap<u32, &str> = self.names.iter().map(|(name, number)| (*number, name.as_str())).collect();
        let name = |number: &u32| names.get(number).map_or(String::new(), |name| (*name).to_owned());
        let told = self.groups.iter().map(|((class_before, class_after, before, after), tally)| Move {
            class_before: name(class_before),
            class_after: name(class_after),
            before: *before,
            after: *after,
            records: tally.records,
            bytes: tally.bytes,
        });
        let mut moves: Vec<Move> = told.collect();
        let classes = |a: &Move, b: &Move| (&a.class_before, &a.class_after).cmp(&(&b.class_before, &b.class_after));
        moves.sort_by(|a, b| classes(a, b).then((a.before, a.after).cmp(&(b.before, b.after))));
        moves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(class: &'a str, before: &str, after: &str, bytes: u64) -> Row<'a> {
        let (before, after) = (before.parse().unwrap(), after.parse().unwrap());
        Row { class_before: class, class_after: class, before, after, records: 1, bytes }
    }

    #[test]
    fn what_a_change_moves() {
        let today = "2030-06-01".parse().unwrap();
        let again = Row { class_after: "1.03", records: 5, ..row("1.02", "never", "never", 7) };
        let change = Change::of(
            today,
            [
                row("1.01", "on:2031-01-01", "on:2031-01-01", 1),
                row("1.01", "on:2031-01-01", "on:2026-01-01", 10),
                row("1.01", "on:2031-01-01", "on:2026-01-01", 20),
                row("1.01", "on:2026-01-01", "on:2041-01-01", 40),
                row("1.01", "waiting:work_ended", "never", 80),
                again,
            ],
        );
        let tally = |records, bytes| Tally { records, bytes };
        let expected = Totals {
            seen: tally(10, 158),
            moved: tally(9, 157),
            earlier: tally(2, 30),
            later: tally(2, 120),
            due_at_once: tally(2, 30),
            due_no_more: tally(1, 40),
            rest: tally(0, 0),
        };
        assert_eq!(change.totals(), expected);
        let told: Vec<String> = change
            .moves()
            .iter()
            .map(|m| format!("{} {} {} {} {} {}", m.class_before, m.class_after, m.before, m.after, m.records, m.bytes))
            .collect();
        assert_eq!(
            told,
            [
                "1.01 1.01 on:2026-01-01 on:2041-01-01 1 40",
                "1.01 1.01 on:2031-01-01 on:2026-01-01 2 30",
                "1.01 1.01 waiting:work_ended never 1 80",
                "1.02 1.03 never never 5 7",
            ]
        );
    }

    #[test]
    fn memory_is_bounded_and_totals_hold() {
        let mut change = Change::new("2030-01-01".parse().unwrap());
        let after = Due::Never;
        for n in 0..GROUPS_MAX + 500 {
            let class = format!("c{n}");
            let before = Due::On(Day::january_first(2000));
            change.add(Row { class_before: &class, class_after: "z", before, after, records: 1, bytes: 1 });
        }
        let totals = change.totals();
        assert_eq!(totals.moved.records, (GROUPS_MAX + 500) as u64);
        let grouped: u64 = change.moves().iter().map(|group| group.records).sum();
        assert_eq!((change.moves().len(), grouped + totals.rest.records), (GROUPS_MAX, totals.moved.records));
    }
}

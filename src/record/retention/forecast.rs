//! How much falls due when: records and bytes by year, class and agency.

use crate::record::retention::{change::Tally, clock::Due, day::Day};
use serde::Serialize;
use std::collections::HashMap;

/// Groups that are told apart; what has no room is counted in the rest.
pub const GROUPS_MAX: usize = 200_000;

/// What falls due in one year, of one class and one agency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Falling {
    pub year: i16,
    pub class: String,
    pub agency: String,
    pub records: u64,
    pub bytes: u64,
}

/// Counts what falls due.
#[derive(Debug)]
pub struct Forecast {
    today: Day,
    /// Due by the day of the question.
    pub overdue: Tally,
    pub never: Tally,
    pub waiting: Tally,
    /// Falls due on a day, but in no group of its own.
    pub rest: Tally,
    names: HashMap<String, u32>,
    groups: HashMap<(i16, u32, u32), Tally>,
}

impl Forecast {
    pub fn new(today: Day) -> Forecast {
        let (overdue, never, waiting, rest) = Default::default();
        Forecast { today, overdue, never, waiting, rest, names: HashMap::new(), groups: HashMap::new() }
    }

    /// One more unit, of so many records and bytes. What is overdue falls under the year in which it became due.
    pub fn add(&mut self, due: Due, (class, agency): (&str, &str), records: u64, bytes: u64) {
        let day = match due {
            Due::Never => return self.never.add(records, bytes),
            Due::Waiting(_) => return self.waiting.add(records, bytes),
            Due::On(day) => day,
        };
        if due.is_due(self.today) {
            self.overdue.add(records, bytes);
        }
        let key = (day.year(), self.number(class), self.number(agency));
        let room = self.groups.len() < GROUPS_MAX;
        match self.groups.get_mut(&key) {
            Some(tally) => tally.add(records, bytes),
            None if room => {
                self.groups.insert(key, Tally { records, bytes });
            }
            None => self.rest.add(records, bytes),
        }
    }

    /// Each name is kept once; one that is new where there is no room is 0, and its group has no name.
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        if self.names.len() >= GROUPS_MAX {
            return 0;
        }
        let number = self.names.len() as u32 + 1;
        self.names.insert(name.to_owned(), number);
        number
    }

    /// By year, class and agency.
    pub fn falling(&self) -> Vec<Falling> {
        let names: HashMap<u32, &str> = self.names.iter().map(|(name, number)| (*number, name.as_str())).collect();
        let name = |number: &u32| names.get(number).map_or(String::new(), |name| (*name).to_owned());
        let told = self.groups.iter().map(|((year, class, agency), tally)| {
            let (records, bytes) = (tally.records, tally.bytes);
            Falling { year: *year, class: name(class), agency: name(agency), records, bytes }
        });
        let mut falling: Vec<Falling> = told.collect();
        falling.sort_by(|a, b| (a.year, &a.class, &a.agency).cmp(&(b.year, &b.class, &b.agency)));
        falling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_due_when() {
        let mut forecast = Forecast::new("2030-06-01".parse().unwrap());
        for (due, class, agency, bytes) in [
            ("on:2031-01-01", "1.02", "Sở Nội vụ", 1),
            ("on:2031-01-01", "1.02", "Sở Nội vụ", 2),
            ("on:2031-01-01", "1.02", "Sở Tài chính", 4),
            ("on:2030-01-01", "1.02", "Sở Nội vụ", 8),
            ("never", "1.01", "Sở Nội vụ", 16),
            ("waiting:work_ended", "1.02", "Sở Nội vụ", 32),
            ("waiting:class", "", "Sở Nội vụ", 64),
        ] {
            // One of them is a file of three records.
            let records = if bytes == 4 { 3 } else { 1 };
            forecast.add(due.parse().unwrap(), (class, agency), records, bytes);
        }
        let told: Vec<String> = forecast
            .falling()
            .iter()
            .map(|f| format!("{} {} {} {} {}", f.year, f.class, f.agency, f.records, f.bytes))
            .collect();
        assert_eq!(told, ["2030 1.02 Sở Nội vụ 1 8", "2031 1.02 Sở Nội vụ 2 3", "2031 1.02 Sở Tài chính 3 4"]);
        let tally = |records, bytes| Tally { records, bytes };
        assert_eq!((forecast.overdue, forecast.never, forecast.waiting), (tally(1, 8), tally(1, 16), tally(2, 96)));
    }
}

//! What ought to become of the files of a corpus, told a second time: years, holds and what the head spares, and nothing
//! else. It shares no code with the program: periods are read from the words of the printed table, and a year is a number.

use std::{collections::BTreeMap, fs, ops::RangeInclusive, path::Path};

/// How long a class lives: for ever, or so many years from what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lives {
    Forever,
    Counted { from: &'static str, years: i32 },
}

/// Something that happened in a year, and the year from which the archive knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    pub what: String,
    pub year: i32,
    pub told: i32,
}

/// A file, or a loose record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Unit {
    pub class: String,
    /// Classes that records in it have of their own.
    pub inside: Vec<String>,
    pub facts: Vec<Fact>,
    /// Years in which a hold stands: from the beginning of the first until the beginning of the second.
    pub holds: Vec<(i32, i32)>,
    /// Years in which the council or the head keeps it.
    pub spared: Vec<i32>,
}

/// Every class of the printed table, by the number that its place in its group gives it.
pub struct Model {
    classes: BTreeMap<String, Lives>,
}

impl Model {
    /// Reads the table: group, class, subclass, period.
    pub fn read(table: &Path) -> Model {
        let text = fs::read_to_string(table).unwrap_or_else(|error| panic!("{}: {error}", table.display()));
        let (mut classes, mut places) = (BTreeMap::new(), BTreeMap::<String, u32>::new());
        for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
            let cells: Vec<&str> = line.split('\t').collect();
            let place = places.entry(cells[0].to_owned()).or_default();
            *place += 1;
            classes.insert(format!("{}.{place:02}", cells[0]), lives(cells[3].trim()));
        }
        Model { classes }
    }

    pub fn len(&self) -> usize {
        self.classes.len()
    }

    pub fn lives(&self, class: &str) -> Lives {
        *self.classes.get(class).unwrap_or_else(|| panic!("the table has no class {class}"))
    }

    /// The year on whose first day the last of its periods is over, by what is known in a year. So many whole years after
    /// the year in which it happened: what ended in 2020 and lives 5 years is over on 1 January 2026.
    pub fn over(&self, unit: &Unit, known: i32) -> Option<i32> {
        let mut last = i32::MIN;
        for class in std::iter::once(&unit.class).chain(&unit.inside) {
            let Lives::Counted { from, years } = self.lives(class) else { return None };
            let told = unit.facts.iter().filter(|fact| fact.what == from && fact.told <= known);
            last = last.max(told.map(|fact| fact.year).max()? + years + 1);
        }
        Some(last)
    }

    pub fn is_due(&self, unit: &Unit, year: i32) -> bool {
        self.over(unit, year).is_some_and(|over| over <= year)
    }

    /// The year in which it is destroyed, if it is: the first in which it is due, free, and not spared.
    pub fn end(&self, unit: &Unit, years: RangeInclusive<i32>) -> Option<i32> {
        let free = |year: i32| !unit.holds.iter().any(|(from, until)| (*from..*until).contains(&year));
        years.into_iter().find(|year| self.is_due(unit, *year) && free(*year) && !unit.spared.contains(year))
    }
}

/// The words of the circular.
fn lives(words: &str) -> Lives {
    let counted = |from, years| Lives::Counted { from, years };
    match words {
        "Vĩnh viễn" => Lives::Forever,
        "Đến khi văn bản hết hiệu lực thi hành" => counted("document_ceased", 0),
        "Theo tuổi thọ công trình" => counted("construction_ended", 0),
        "Theo tuổi thọ thiết bị" => counted("equipment_ended", 0),
        words => {
            let (years, rest) = words.split_once(" năm").unwrap_or_else(|| panic!("{words} is no period"));
            let years = years.parse().unwrap_or_else(|_| panic!("{words} is no period"));
            match rest.trim() {
                "" => counted("work_ended", years),
                "sau khi chấm dứt Hợp đồng" => counted("event:contract_ended", years),
                rest => panic!("{rest} starts no clock"),
            }
        }
    }
}

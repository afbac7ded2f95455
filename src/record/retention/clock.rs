//! The clock: from a class and the facts to the day on which a record or a file becomes due.
//!
//! A record is *due* from the beginning of a day on: on that day its period is over.
//!
//! # Why
//! Three answers and no fourth: a day, never, or waiting for something that is named. They have one order, in which
//! waiting is longer than any day: what is not known keeps a record. So every rule of "the longer counts" is one
//! function, [`longest`].

use crate::record::retention::{
    day::Day,
    period::Period,
    trigger::{Fact, Trigger},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// On which day a period of years is over: the law counts years "from the year in which the work ended" (Law 33/2024
/// art. 15, TT 10/2022) and names no day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// So many whole years after the year of the end: over on 1 January of (year + n + 1). Never earlier than another.
    #[default]
    JanuaryFirst,
    /// The same, but the last day itself counts as over: 31 December of (year + n).
    DecemberLast,
    /// From day to day (as periods of years end in civil law): the day after the same day n years later; of 29 February
    /// after 28 February.
    Anniversary,
    /// The year of the end is the first of the n: over on 1 January of (year + n).
    FirstYearCounts,
}

impl Reading {
    pub const ALL: [Reading; 4] =
        [Reading::JanuaryFirst, Reading::DecemberLast, Reading::Anniversary, Reading::FirstYearCounts];

    pub fn as_str(&self) -> &'static str {
        match self {
            Reading::JanuaryFirst => "january_first",
            Reading::DecemberLast => "december_last",
            Reading::Anniversary => "anniversary",
            Reading::FirstYearCounts => "first_year_counts",
        }
    }

    /// The first day on which `years` years after `end` are over. Never the day of the end itself, whatever the reading.
    pub fn over(&self, end: Day, years: u16) -> Day {
        let last = i32::from(end.year()) + i32::from(years);
        let over = match self {
            Reading::JanuaryFirst => Day::january_first(last + 1),
            Reading::DecemberLast => Day::december_last(last),
            Reading::Anniversary => end.anniversary(years).next(),
            Reading::FirstYearCounts => Day::january_first(last),
        };
        over.max(end.next())
    }

    /// How it counts, in Vietnamese.
    pub fn vi(&self) -> &'static str {
        match self {
            Reading::JanuaryFirst => "đủ số năm tròn sau năm đó, hết thời hạn từ ngày 01 tháng 01 của năm tiếp theo",
            Reading::DecemberLast => "hết thời hạn vào ngày 31 tháng 12 của năm cuối",
            Reading::Anniversary => "tính theo ngày, hết thời hạn từ ngày kế tiếp ngày tương ứng của năm cuối",
            Reading::FirstYearCounts => "năm đó là năm thứ nhất, hết thời hạn từ ngày 01 tháng 01 sau năm cuối",
        }
    }

    /// How it counts, in English.
    pub fn en(&self) -> &'static str {
        match self {
            Reading::JanuaryFirst => "so many whole years after that year, over on 1 January of the next",
            Reading::DecemberLast => "over on 31 December of the last year",
            Reading::Anniversary => "from day to day, over on the day after the same day of the last year",
            Reading::FirstYearCounts => "that year is the first, over on 1 January after the last",
        }
    }
}

/// What a clock waits for before it can tell a day, the stronger later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Awaited {
    /// A fact that nobody has told of yet.
    Fact(Trigger),
    /// A class: nobody has said how long this lives.
    Class,
    /// The release of a hold.
    Release,
}

/// When something becomes due. The order is that of length: a day, a later day, waiting, never.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Due {
    On(Day),
    Waiting(Awaited),
    Never,
}

/// Not a due date in its one spelling.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a due date is never, on:YYYY-MM-DD, waiting:class, waiting:release or waiting:<trigger>")]
pub struct NotADue;

impl Due {
    /// Whether it is due on a day.
    pub fn is_due(&self, today: Day) -> bool {
        matches!(self, Due::On(day) if *day <= today)
    }

    /// The same while a hold stands: no earlier, whatever it was.
    pub fn held(self) -> Due {
        self.max(Due::Waiting(Awaited::Release))
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Due::On(day) => write!(f, "on:{day}"),
            Due::Waiting(Awaited::Fact(trigger)) => write!(f, "waiting:{trigger}"),
            Due::Waiting(Awaited::Class) => f.write_str("waiting:class"),
            Due::Waiting(Awaited::Release) => f.write_str("waiting:release"),
            Due::Never => f.write_str("never"),
        }
    }
}

impl FromStr for Due {
    type Err = NotADue;
    fn from_str(text: &str) -> Result<Due, NotADue> {
        match text.split_once(':') {
            None if text == "never" => Ok(Due::Never),
            Some(("on", day)) => day.parse().map(Due::On).map_err(|_| NotADue),
            Some(("waiting", "class")) => Ok(Due::Waiting(Awaited::Class)),
            Some(("waiting", "release")) => Ok(Due::Waiting(Awaited::Release)),
            Some(("waiting", fact)) => fact.parse().map(|fact| Due::Waiting(Awaited::Fact(fact))).map_err(|_| NotADue),
            _ => Err(NotADue),
        }
    }
}

impl TryFrom<String> for Due {
    type Error = NotADue;
    fn try_from(text: String) -> Result<Due, NotADue> {
        text.parse()
    }
}

impl From<Due> for String {
    fn from(due: Due) -> String {
        due.to_string()
    }
}

/// A due date with the fact that it was counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted<'a> {
    pub due: Due,
    pub from: Option<&'a Fact>,
    /// The years that were added; none where there was nothing to count.
    pub years: Option<u16>,
}

/// When a class with this period and trigger becomes due by what is known. Where a fact was told more than once (a file
/// that was closed, opened again and closed; an end date and a closing) the latest counts: the work had not ended before.
pub fn count<'a>(
    period: Period,
    trigger: Trigger,
    facts: impl IntoIterator<Item = &'a Fact>,
    reading: Reading,
) -> Counted<'a> {
    let Some((trigger, years)) = period.counted(trigger) else {
        return Counted { due: Due::Never, from: None, years: None };
    };
    let told = facts.into_iter().filter(|fact| fact.trigger == trigger);
    match told.map(|fact| (fact.when.last_day(), fact)).max_by_key(|(day, _)| *day) {
        None => Counted { due: Due::Waiting(Awaited::Fact(trigger)), from: None, years: Some(years) },
        Some((end, fact)) => Counted { due: Due::On(reading.over(end, years)), from: Some(fact), years: Some(years) },
    }
}

/// A file lives as long as its longest record (Law 33/2024 art. 15), and a record of several files as long as the
/// longest of them. Of nothing: nobody has said how long, so it waits for a class.
pub fn longest(dues: impl IntoIterator<Item = Due>) -> Due {
    dues.into_iter().max().unwrap_or(Due::Waiting(Awaited::Class))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::retention::trigger::{Evidence, When};

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn when(text: &str) -> When {
        text.parse().map(When::Moment).unwrap_or_else(|_| When::Date(text.parse().unwrap()))
    }

    fn fact(trigger: &str, at: &str) -> Fact {
        let known = "2026-11-27T00:00:00.000000Z".parse().unwrap();
        Fact { trigger: trigger.parse().unwrap(), when: when(at), evidence: Evidence::Entry(1), known }
    }

    /// Law 33/2024 art. 15: years count from the year in which the work ended. What each reading makes of it.
    #[test]
    fn readings_of_the_law() {
        for (end, years, january, december, anniversary, first) in [
            ("2020-05-15", 10, "2031-01-01", "2030-12-31", "2030-05-16", "2030-01-01"),
            ("2020-12-31", 10, "2031-01-01", "2030-12-31", "2031-01-01", "2030-01-01"),
            ("2020-01-01", 10, "2031-01-01", "2030-12-31", "2030-01-02", "2030-01-01"),
            // Leap days.
            ("2024-02-29", 5, "2030-01-01", "2029-12-31", "2029-03-01", "2029-01-01"),
            ("2024-02-29", 4, "2029-01-01", "2028-12-31", "2028-03-01", "2028-01-01"),
            ("2020-05-15", 70, "2091-01-01", "2090-12-31", "2090-05-16", "2090-01-01"),
            // No years at all, as of documents that cease to be in force: never on the day itself.
            ("2020-05-15", 0, "2021-01-01", "2020-12-31", "2020-05-16", "2020-05-16"),
            ("2020-12-31", 0, "2021-01-01", "2021-01-01", "2021-01-01", "2021-01-01"),
            ("9990-05-15", 70, "9999-12-31", "9999-12-31", "9999-12-31", "9999-12-31"),
        ] {
            let read = Reading::ALL.map(|reading| reading.over(day(end), years).to_string());
            assert_eq!(read, [january, december, anniversary, first], "{end} + {years}");
        }
        for reading in Reading::ALL {
            assert_eq!(serde_json::to_value(reading).unwrap(), reading.as_str());
        }
        assert_eq!(Reading::default(), Reading::JanuaryFirst, "the safe one");
    }

    /// The safe reading, by period, trigger and what is known.
    #[test]
    fn what_is_known_and_when_it_is_due() {
        let none: [(&str, &str); 0] = [];
        let due = |period: &str, trigger: &str, facts: &[(&str, &str)]| {
            let facts: Vec<Fact> = facts.iter().map(|(trigger, at)| fact(trigger, at)).collect();
            let counted = count(period.parse().unwrap(), trigger.parse().unwrap(), &facts, Reading::default());
            counted.due.to_string()
        };
        let ended = "work_ended";
        for (period, trigger, facts, expected) in [
            // Art. 15.1: permanent.
            ("permanent", ended, &[("work_ended", "1990")][..], "never"),
            // Art. 15.2, and a date known as a year, a month, a day.
            ("years:10", ended, &[("work_ended", "2020")], "on:2031-01-01"),
            ("years:10", ended, &[("work_ended", "2020-02")], "on:2031-01-01"),
            ("years:10", ended, &[("work_ended", "2020-02-29")], "on:2031-01-01"),
            // A file closed on 31/12 at 18:00 UTC is closed on 1/1 in Vietnam.
            ("years:10", ended, &[("work_ended", "2020-12-31T18:00:00.000000Z")], "on:2032-01-01"),
            ("years:10", ended, &[("work_ended", "2020-12-31T16:59:59.999999Z")], "on:2031-01-01"),
            // Closed, opened again and closed; an end date and a later closing.
            ("years:10", ended, &[("work_ended", "2020"), ("work_ended", "2019")], "on:2031-01-01"),
            // Missing dates: never due, and it says for what it waits.
            ("years:10", ended, &none, "waiting:work_ended"),
            ("years:10", ended, &[("document_issued", "2020")], "waiting:work_ended"),
            // Schedules from before 01/7/2025.
            ("years:5", "document_issued", &[("document_issued", "2020-06-01")], "on:2026-01-01"),
            ("while_in_force", ended, &[("work_ended", "2001")], "waiting:document_ceased"),
            ("while_in_force", ended, &[("document_ceased", "2023-02-15")], "on:2024-01-01"),
            ("life_of_work", ended, &none, "waiting:construction_ended"),
            ("life_of_work", ended, &[("construction_ended", "2024")], "on:2025-01-01"),
            ("life_of_equipment", ended, &[("equipment_ended", "2024-03")], "on:2025-01-01"),
            ("years_after:5:contract_ended", ended, &[("work_ended", "2001")], "waiting:event:contract_ended"),
            ("years_after:5:contract_ended", ended, &[("event:contract_ended", "2020")], "on:2026-01-01"),
            ("years_after:5:contract_ended", ended, &[("event:handed_over", "2020")], "waiting:event:contract_ended"),
        ] {
            assert_eq!(due(period, trigger, facts), expected, "{period} {facts:?}");
        }
    }

    /// Law 33/2024 art. 15: a file takes the longest period among its records.
    #[test]
    fn the_longest_counts() {
        for (dues, expected) in [
            (&["on:2031-01-01", "on:2026-01-01"][..], "on:2031-01-01"),
            (&["on:2031-01-01", "waiting:document_ceased"], "waiting:document_ceased"),
            (&["waiting:work_ended", "never", "on:2090-01-01"], "never"),
            (&["waiting:work_ended", "waiting:class"], "waiting:class"),
            (&["on:2031-01-01", "waiting:release"], "waiting:release"),
            (&[], "waiting:class"),
        ] {
            let read = dues.iter().map(|due| due.parse::<Due>().unwrap());
            assert_eq!(longest(read).to_string(), expected, "{dues:?}");
        }
    }

    #[test]
    fn due_from_its_day_on_and_never_while_held() {
        let due = Due::On(day("2031-01-01"));
        for (today, is_due) in [("2030-12-31", false), ("2031-01-01", true), ("2050-01-01", true)] {
            assert_eq!(due.is_due(day(today)), is_due, "{today}");
            assert!(!due.held().is_due(day(today)));
        }
        assert_eq!((Due::Never.held(), due.held().to_string()), (Due::Never, "waiting:release".into()));
        assert!(!Due::Never.is_due(Day::LAST) && !Due::Waiting(Awaited::Class).is_due(Day::LAST));
        for wrong in ["", "on:", "on:2031", "on:2031-01-1", "waiting", "waiting:x", "never:", "Never"] {
            assert_eq!(wrong.parse::<Due>(), Err(NotADue), "{wrong}");
        }
    }
}

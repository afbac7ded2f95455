//! A day of the calendar, and the days that a partial date and a moment mean in Vietnam.
//!
//! # Why
//! Everything here saturates at the last day of the calendar: a period that ends beyond it is never over by mistake, and
//! no rule has to think of an error that no archive will see.

use crate::record::{
    date::{NotADate, PartialDate},
    entry::{HOURS_AHEAD, Instant},
};
use jiff::{Timestamp, civil, tz};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A day, written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(civil::Date);

impl Day {
    /// The last day that can be told.
    pub const LAST: Day = Day(civil::Date::constant(9999, 12, 31));

    /// The day from which the Law of 2024 is in force (33/2024/QH15): 1 July 2025.
    pub const LAW_OF_2024: Day = Day(civil::Date::constant(2025, 7, 1));

    /// `None` where the calendar has no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Day> {
        let date = civil::Date::new(year, month, day).ok()?;
        (year >= 1).then_some(Day(date))
    }

    /// The last day that a date can mean: of what is not known the later is taken.
    pub fn last_of(date: PartialDate) -> Day {
        let (_, last) = date.span();
        let (month, day) = ((last / 100 % 100) as i8, (last % 100) as i8);
        Day::new(date.year, month, day).unwrap_or(Day::LAST)
    }

    /// The first day that a date can mean.
    pub fn first_of(date: PartialDate) -> Day {
        Day::new(date.year, date.month.unwrap_or(1), date.day.unwrap_or(1)).unwrap_or(Day::LAST)
    }

    /// The day that it is in Vietnam at a moment: at 18:00 UTC the next one has begun there.
    pub fn in_vietnam(moment: Instant) -> Day {
        let at = Timestamp::from_microsecond(moment.micros());
        let there = at.map(|at| tz::offset(HOURS_AHEAD).to_datetime(at).date());
        there.ok().filter(|date| date.year() >= 1).map_or(Day::LAST, Day)
    }

    pub fn year(&self) -> i16 {
        self.0.year()
    }

    /// 1 January of a year.
    pub fn january_first(year: i32) -> Day {
        i16::try_from(year.max(1)).ok().and_then(|year| Day::new(year, 1, 1)).unwrap_or(Day::LAST)
    }

    /// 31 December of a year.
    pub fn december_last(year: i32) -> Day {
        i16::try_from(year.max(1)).ok().and_then(|year| Day::new(year, 12, 31)).unwrap_or(Day::LAST)
    }

    /// The same day of the month so many years later; of 29 February the last day of February, where that year has
    /// no such day.
    pub fn anniversary(&self, years: u16) -> Day {
        let year = i16::try_from(i32::from(self.year()) + i32::from(years)).ok();
        let month = year.and_then(|year| civil::Date::new(year, self.0.month(), 1).ok());
        let day = month.and_then(|first| {
            civil::Date::new(first.year(), first.month(), self.0.day().min(first.days_in_month())).ok()
        });
        day.map_or(Day::LAST, Day)
    }

    /// The day after.
    pub fn next(&self) -> Day {
        self.0.tomorrow().map_or(Day::LAST, Day)
    }

    /// As people in Vietnam write it: `31/12/2026`.
    pub fn shown(&self) -> String {
        format!("{:02}/{:02}/{:04}", self.0.day(), self.0.month(), self.0.year())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Day {
    type Err = NotADate;
    fn from_str(text: &str) -> Result<Day, NotADate> {
        let date: PartialDate = text.parse()?;
        let (Some(month), Some(day)) = (date.month, date.day) else { return Err(NotADate) };
        Day::new(date.year, month, day).ok_or(NotADate)
    }
}

impl TryFrom<String> for Day {
    type Error = NotADate;
    fn try_from(text: String) -> Result<Day, NotADate> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn one_spelling() {
        assert_eq!(
            (day("2026-11-27").to_string(), day("2026-11-27").shown()),
            ("2026-11-27".into(), "27/11/2026".into())
        );
        for wrong in ["2026-11", "2026", "27/11/2026", "2026-02-29", "0000-01-01", ""] {
            assert_eq!(wrong.parse::<Day>(), Err(NotADate), "{wrong}");
        }
    }

    /// Of a date that is known as a year or a month the last possible day counts.
    #[test]
    fn the_last_day_that_a_date_can_mean() {
        for (date, last) in [
            ("2023", "2023-12-31"),
            ("2023-02", "2023-02-28"),
            ("2024-02", "2024-02-29"),
            ("2024-02-01", "2024-02-01"),
            ("9999", "9999-12-31"),
        ] {
            assert_eq!(Day::last_of(date.parse().unwrap()), day(last), "{date}");
        }
        let made = PartialDate { year: 2023, month: Some(2), day: Some(30) };
        assert_eq!(Day::last_of(made), Day::LAST, "a day that is none ends nothing");
    }

    /// Moments are kept in UTC; days are those of Vietnam (+07:00, all year).
    #[test]
    fn days_begin_in_vietnam() {
        for (moment, there) in [
            ("2025-12-31T18:00:00.000000Z", "2026-01-01"),
            ("2025-12-31T16:59:59.999999Z", "2025-12-31"),
            ("2025-12-31T17:00:00.000000Z", "2026-01-01"),
            ("2024-02-28T17:00:00.000000Z", "2024-02-29"),
            ("0001-01-01T00:00:00.000000Z", "0001-01-01"),
            ("9998-12-31T23:59:59.999999Z", "9999-01-01"),
        ] {
            assert_eq!(Day::in_vietnam(moment.parse().unwrap()), day(there), "{moment}");
        }
    }

    #[test]
    fn years_later() {
        for (from, years, then) in [
            ("2024-02-29", 1, "2025-02-28"),
            ("2024-02-29", 4, "2028-02-29"),
            ("2096-02-29", 4, "2100-02-28"),
            ("2024-12-31", 70, "2094-12-31"),
            ("2024-05-31", 0, "2024-05-31"),
            ("9990-05-31", 70, "9999-12-31"),
        ] {
            assert_eq!(day(from).anniversary(years), day(then), "{from} {years}");
        }
        assert_eq!((day("2024-02-28").next(), day("2023-12-31").next()), (day("2024-02-29"), day("2024-01-01")));
        assert_eq!(
            (Day::LAST.next(), Day::january_first(10_000), Day::december_last(70_000)),
            (Day::LAST, Day::LAST, Day::LAST)
        );
        assert_eq!((Day::january_first(0), Day::december_last(2026)), (day("0001-01-01"), day("2026-12-31")));
    }
}

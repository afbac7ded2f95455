//! Days as terms count them: numbers `YYYYMMDD` of the calendar of Vietnam, which sort as the days do.

use crate::record::entry::Instant;
use jiff::{ToSpan, civil};

/// The day in Vietnam that a moment lies in.
pub fn day_of(at: Instant) -> u32 {
    at.day().bytes().filter(u8::is_ascii_digit).fold(0, |day, digit| day * 10 + u32::from(digit - b'0'))
}

/// The day so many days later; `None` where the calendar has no such day.
pub fn plus(day: u32, days: u16) -> Option<u32> {
    number(civil_of(day)?.checked_add(i64::from(days).days()).ok()?)
}

/// The same day of the calendar so many months earlier, or the last of that month.
pub fn months_before(day: u32, months: u16) -> Option<u32> {
    number(civil_of(day)?.checked_sub(i64::from(months).months()).ok()?)
}

/// Days from one day to another; negative where the other has passed.
pub fn between(from: u32, to: u32) -> Option<i64> {
    civil_of(from)?.until(civil_of(to)?).ok().map(|span| i64::from(span.get_days()))
}

/// As officials write it: `23/11/2026`.
pub fn shown(day: u32) -> String {
    format!("{:02}/{:02}/{:04}", day % 100, day / 100 % 100, day / 10_000)
}

fn civil_of(day: u32) -> Option<civil::Date> {
    let part = |n: u32| i8::try_from(n).ok();
    civil::Date::new(i16::try_from(day / 10_000).ok()?, part(day / 100 % 100)?, part(day % 100)?).ok()
}

fn number(date: civil::Date) -> Option<u32> {
    let (year, month, day) =
        (u32::try_from(date.year()).ok()?, u32::try_from(date.month()).ok()?, u32::try_from(date.day()).ok()?);
    Some(year * 10_000 + month * 100 + day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_vietnam() {
        for (moment, day) in [
            ("2026-11-23T16:59:59.999999Z", 20261123),
            ("2026-11-23T17:00:00.000000Z", 20261124),
            ("2027-12-31T17:00:00.000000Z", 20280101),
        ] {
            assert_eq!(day_of(moment.parse().unwrap()), day, "{moment}");
        }
        assert_eq!(shown(20260105), "05/01/2026");
    }

    #[test]
    fn days_are_counted_over_ends_of_months_and_leap_days() {
        for (day, days, later) in [
            (20261123, 15, Some(20261208)),
            (20280228, 1, Some(20280229)),
            (20270228, 1, Some(20270301)),
            (20261231, 0, Some(20261231)),
            (20261301, 1, None),
            (20260231, 1, None),
            (0, 1, None),
        ] {
            assert_eq!(plus(day, days), later, "{day} + {days}");
            if let Some(later) = later {
                assert_eq!(between(day, later), Some(i64::from(days)));
                assert_eq!(between(later, day), Some(-i64::from(days)));
            }
        }
        assert_eq!(months_before(20311231, 12), Some(20301231));
        assert_eq!(months_before(20270331, 1), Some(20270228));
    }
}

//! Days as numbers `YYYYMMDD`, which sort as the days do ([`crate::record::date::PartialDate::span`] gives them): the
//! arithmetic of the calendar on them.

use crate::record::date::PartialDate;
use jiff::{Span, civil::Date};

/// The day of the calendar; `None` where it has no such day.
pub fn civil(day: u32) -> Option<Date> {
    let (year, month, of_month) = (day / 10_000, day / 100 % 100, day % 100);
    Date::new(year.try_into().ok()?, month.try_into().ok()?, of_month.try_into().ok()?).ok()
}

/// The number of a day of our era.
pub fn number(date: Date) -> u32 {
    u32::from(date.year().unsigned_abs()) * 10_000 + date.month() as u32 * 100 + date.day() as u32
}

/// So many days later (earlier where negative); the same day where the calendar ends.
pub fn plus_days(day: u32, days: i32) -> u32 {
    let later = civil(day).and_then(|date| date.checked_add(Span::new().try_days(days).ok()?).ok());
    later.map_or(day, number)
}

/// The same day so many years later; the last of February where it was the 29th and that year has none.
pub fn plus_years(day: u32, years: i16) -> u32 {
    let later = civil(day).and_then(|date| date.checked_add(Span::new().try_years(years).ok()?).ok());
    later.map_or(day, number)
}

/// From one day to another, negative where the second is before the first; 0 where either is no day.
pub fn between(from: u32, to: u32) -> i64 {
    let Some((from, to)) = civil(from).zip(civil(to)) else { return 0 };
    to.duration_since(from).as_hours() / 24
}

/// The day as a date that is known exactly.
pub fn date(day: u32) -> Option<PartialDate> {
    let date = civil(day)?;
    Some(PartialDate { year: date.year(), month: Some(date.month()), day: Some(date.day()) })
}

/// A date as Vietnamese forms write it, as exact as it is known: `30/06/2025`, `06/2025`, `2025` (NĐ 30/2020 Annex VI).
pub fn words(date: PartialDate) -> String {
    match (date.month, date.day) {
        (Some(month), Some(day)) => format!("{day:02}/{month:02}/{:04}", date.year),
        (Some(month), None) => format!("{month:02}/{:04}", date.year),
        _ => format!("{:04}", date.year),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_on_numbers() {
        for (day, days, later) in [
            (20250630, 1, 20250701),
            (20240228, 1, 20240229),
            (20251231, 1, 20260101),
            (20260101, -1, 20251231),
            (20260315, 60, 20260514),
            (99991231, 1, 99991231),
            (0, 1, 0),
        ] {
            assert_eq!(plus_days(day, days), later, "{day} {days}");
        }
        for (day, years, later) in [(20250630, 1, 20260630), (20240229, 1, 20250228), (20240229, 4, 20280229)] {
            assert_eq!(plus_years(day, years), later, "{day}");
        }
        for (from, to, days) in [(20250630, 20250701, 1), (20250701, 20250630, -1), (20240101, 20250101, 366)] {
            assert_eq!(between(from, to), days);
        }
        assert_eq!((civil(20250229), date(20250630)), (None, "2025-06-30".parse().ok()));
    }

    #[test]
    fn dates_as_forms_write_them() {
        for (stored, said) in [("2025-06-30", "30/06/2025"), ("2025-06", "06/2025"), ("2025", "2025")] {
            assert_eq!(words(stored.parse().unwrap()), said);
        }
    }
}

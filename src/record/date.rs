//! Dates as documents carry them: a year, a month or a day, never more exact than what was written.
//!
//! TT 05/2025 art. 4 allows `YYYY`, `MM/YYYY` and `DD/MM/YYYY`; scripts write `YYYY-MM-DD`.

use jiff::civil;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A date of known exactness, written `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate {
    pub year: i16,
    pub month: Option<i8>,
    pub day: Option<i8>,
}

/// Not a date of the calendar in one of the accepted forms.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is YYYY, YYYY-MM, YYYY-MM-DD, MM/YYYY or DD/MM/YYYY")]
pub struct NotADate;

impl PartialDate {
    /// Reads what people type: `2026`, `2026-05`, `2026-05-15`, `05/2026`, `15/5/2026`, `15-05-2026`.
    pub fn read(text: &str) -> Result<PartialDate, NotADate> {
        let parts: Vec<&str> = text.trim().split(['/', '-', '.']).map(str::trim).collect();
        if parts.iter().any(|p| p.is_empty() || !p.bytes().all(|b| b.is_ascii_digit())) {
            return Err(NotADate);
        }
        let (year, month, day) = match parts[..] {
            [y] if y.len() == 4 => (y, None, None),
            [y, m] if y.len() == 4 => (y, Some(m), None),
            [m, y] if y.len() == 4 => (y, Some(m), None),
            [y, m, d] if y.len() == 4 => (y, Some(m), Some(d)),
            [d, m, y] if y.len() == 4 => (y, Some(m), Some(d)),
            _ => return Err(NotADate),
        };
        let small = |part: Option<&str>| match part {
            Some(p) if p.len() <= 2 => p.parse::<i8>().map(Some).map_err(|_| NotADate),
            Some(_) => Err(NotADate),
            None => Ok(None),
        };
        let date = PartialDate { year: year.parse().map_err(|_| NotADate)?, month: small(month)?, day: small(day)? };
        date.first_day().map(|_| date).ok_or(NotADate)
    }

    /// The first day that the date can mean; `None` where the calendar has no such day.
    fn first_day(&self) -> Option<civil::Date> {
        (self.year >= 1).then_some(())?;
        civil::Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()
    }

    /// First and last day that the date can mean, as numbers `YYYYMMDD`, which sort as the days do.
    pub fn span(&self) -> (u32, u32) {
        let number = |m: i8, d: i8| self.year as u32 * 10_000 + m as u32 * 100 + d as u32;
        let (first, last) = (self.month.unwrap_or(1), self.month.unwrap_or(12));
        let last_day = civil::Date::new(self.year, last, 1).map_or(31, |d| d.days_in_month());
        (number(first, self.day.unwrap_or(1)), number(last, self.day.unwrap_or(last_day)))
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        self.month.map_or(Ok(()), |m| write!(f, "-{m:02}"))?;
        self.day.map_or(Ok(()), |d| write!(f, "-{d:02}"))
    }
}

impl FromStr for PartialDate {
    type Err = NotADate;
    /// The stored spelling only.
    fn from_str(text: &str) -> Result<PartialDate, NotADate> {
        let date = PartialDate::read(text)?;
        if date.to_string() == text { Ok(date) } else { Err(NotADate) }
    }
}

impl TryFrom<String> for PartialDate {
    type Error = NotADate;
    fn try_from(text: String) -> Result<PartialDate, NotADate> {
        text.parse()
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> String {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        for (typed, stored, first, last) in [
            ("2026", "2026", 20260101, 20261231),
            ("2024-02", "2024-02", 20240201, 20240229),
            ("02/2023", "2023-02", 20230201, 20230228),
            ("2026-05-15", "2026-05-15", 20260515, 20260515),
            (" 15/5/2026 ", "2026-05-15", 20260515, 20260515),
            ("01.07.2025", "2025-07-01", 20250701, 20250701),
        ] {
            let date = PartialDate::read(typed).unwrap_or_else(|_| panic!("{typed}"));
            assert_eq!((date.to_string().as_str(), date.span()), (stored, (first, last)));
            assert_eq!(stored.parse(), Ok(date));
        }
    }

    #[test]
    fn what_is_no_date() {
        for typed in
            ["", "26", "2026-13", "31/02/2026", "0000", "2026-5-15-1", "1/2", "năm 2026", "+2026", "2026-005-01"]
        {
            assert_eq!(PartialDate::read(typed), Err(NotADate), "{typed}");
        }
        assert_eq!("15/05/2026".parse::<PartialDate>(), Err(NotADate), "stored in one spelling only");
    }
}

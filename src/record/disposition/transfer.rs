//! When permanent records are due at the historical archive (lưu trữ lịch sử), and when people are told.
//!
//! Luật Lưu trữ 33/2024/QH15: within 5 years of the year in which they came to the current archive, within 30 where another
//! law says so; those with a secrecy mark only after it was lifted. Only permanent records are handed over. TT 05/2025/
//! TT-BNV: the transfer is registered 12 months ahead.

use crate::record::disposition::{days, rules::Rules};

/// What is known of a file, or of a loose record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permanent {
    /// The year in which it came to the current archive.
    pub received: u16,
    /// Does another law give it the longer term?
    pub special: bool,
    /// Does anything in it bear a secrecy mark that was not lifted?
    pub marked: bool,
}

/// Where a transfer stands on a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Transfer {
    /// A secrecy mark must be lifted first.
    Marked,
    /// Nothing is to be done yet: until the day on which it is to be registered.
    Waits { until: u32 },
    /// To be registered and prepared: so many days are left.
    Due { by: u32, days: i64 },
    /// So many days too late.
    Overdue { by: u32, days: i64 },
}

/// The last day of the last year: the year of receipt itself does not count.
pub fn due_by(of: &Permanent, rules: &Rules) -> u32 {
    let years = if of.special { rules.transfer_special_years_max } else { rules.transfer_years_max };
    (u32::from(of.received) + u32::from(years)) * 10_000 + 1231
}

/// Where the transfer of something permanent stands today; `None` where the calendar has no such day.
pub fn stands(of: &Permanent, today: u32, rules: &Rules) -> Option<Transfer> {
    if of.marked {
        return Some(Transfer::Marked);
    }
    let by = due_by(of, rules);
    let until = days::months_before(by, rules.transfer_registration_months)?;
    let days = days::between(today, by)?;
    Some(match today {
        today if today < until => Transfer::Waits { until },
        today if today <= by => Transfer::Due { by, days },
        _ => Transfer::Overdue { by, days: -days },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file handed over to the current archive in 2026 is due at the historical archive by the end of 2031.
    #[test]
    fn permanent_records_are_due_within_five_years() {
        let rules = Rules::default();
        let plain = Permanent { received: 2026, special: false, marked: false };
        let special = Permanent { special: true, ..plain };
        for (of, today, expected) in [
            (plain, 20301230, Transfer::Waits { until: 20301231 }),
            (plain, 20301231, Transfer::Due { by: 20311231, days: 365 }),
            (plain, 20311231, Transfer::Due { by: 20311231, days: 0 }),
            (plain, 20320101, Transfer::Overdue { by: 20311231, days: 1 }),
            (special, 20320101, Transfer::Waits { until: 20551231 }),
            (special, 20560201, Transfer::Due { by: 20561231, days: 334 }),
            (Permanent { marked: true, ..plain }, 20320101, Transfer::Marked),
        ] {
            assert_eq!(stands(&of, today, &rules), Some(expected), "{of:?} {today}");
        }
        assert_eq!(stands(&plain, 20321345, &rules), None);
    }
}

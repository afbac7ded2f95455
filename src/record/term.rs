//! How long a file or a record is kept, as descriptions and lists tell it: the circular's code, the real number of
//! years beside it, and the class of the schedule that both come from.
//!
//! # Why
//! TT 05/2025/TT-BNV has codes for seven periods only; 15, 5 and 2 years are all 07 (khác). A list that printed the
//! code would not say when the file may end, so the years stand beside it.

use crate::record::{codes, id::ScheduleId};
use serde::{Deserialize, Serialize};

/// A class (mục) of a schedule: which one, in which version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRef {
    pub schedule: ScheduleId,
    /// Counted from 1.
    pub version: u32,
    /// The code of the class.
    pub class: String,
}

impl std::fmt::Display for ClassRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} v{})", self.class, self.schedule, self.version)
    }
}

/// A period, so far as two of them can be compared: the order is that of their lengths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Term {
    Years(u32),
    Permanent,
}

impl Term {
    /// From the circular's code and the years beside it; `None` where neither tells a number, as for what lives as long
    /// as a building does.
    pub fn of(code: Option<&str>, years: Option<u32>) -> Option<Term> {
        match (code, years) {
            (Some("01"), _) => Some(Term::Permanent),
            (_, Some(years)) => Some(Term::Years(years)),
            (Some("02"), None) => Some(Term::Years(70)),
            (Some("03"), None) => Some(Term::Years(50)),
            (Some("04"), None) => Some(Term::Years(30)),
            (Some("05"), None) => Some(Term::Years(20)),
            (Some("06"), None) => Some(Term::Years(10)),
            _ => None,
        }
    }
}

/// The period in the words of the lists: `Vĩnh viễn`, `15 năm`; what is in no code list as it was given.
pub fn words(code: Option<&str>, years: Option<u32>) -> String {
    match (Term::of(code, years), code) {
        (Some(Term::Permanent), _) => "Vĩnh viễn".into(),
        (Some(Term::Years(years)), _) => format!("{years} năm"),
        (None, Some(code)) => codes::name(&codes::RETENTIONS, code).unwrap_or(code).into(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_years_and_words() {
        for (code, years, term, said) in [
            (Some("01"), None, Some(Term::Permanent), "Vĩnh viễn"),
            (Some("02"), None, Some(Term::Years(70)), "70 năm"),
            (Some("06"), None, Some(Term::Years(10)), "10 năm"),
            (Some("07"), Some(15), Some(Term::Years(15)), "15 năm"),
            (Some("07"), None, None, "Khác"),
            (Some("Theo tuổi thọ công trình"), None, None, "Theo tuổi thọ công trình"),
            (None, Some(5), Some(Term::Years(5)), "5 năm"),
            (None, None, None, ""),
        ] {
            assert_eq!(Term::of(code, years), term, "{code:?} {years:?}");
            assert_eq!(words(code, years), said);
        }
    }

    /// Law 33/2024/QH15 art. 15: a file takes the longest period of what is in it.
    #[test]
    fn the_order_is_that_of_lengths() {
        let longest = [Term::Years(70), Term::Permanent, Term::Years(2)].into_iter().max();
        assert_eq!(longest, Some(Term::Permanent));
        assert!(Term::Years(20) > Term::Years(15));
    }
}

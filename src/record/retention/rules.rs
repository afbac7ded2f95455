//! What the law leaves to be read, and its figures: settings, each with its article.
//!
//! # Why
//! Figures change with the next circular: they are told by whoever runs the archive, who finds the article beside each.
//! Those of a destruction stand in `crate::record::disposition::rules`. What is no setting: that nothing is destroyed without an approved version of a schedule, or while a hold stands.

use crate::record::retention::{clock::Reading, day::Day};
use serde::{Deserialize, Serialize};

/// The settings of retention.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// On which day a period of years is over.
    pub reading: Reading,
    /// From this day on schedules know permanent periods and numbers of years only.
    pub years_only_from: Day,
    /// The shortest and the longest period in such schedules.
    pub years_min: u16,
    pub years_max: u16,
}

/// What a setting rests on: its name, the article, and how sure we are of the figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ground {
    pub name: &'static str,
    pub article: &'static str,
    pub certainty: &'static str,
}

/// Every setting with what it rests on, in the order of [`Rules`].
pub const GROUNDS: [Ground; 4] = [
    Ground {
        name: "reading",
        article: "Luật Lưu trữ 33/2024/QH15 điều 15; TT 10/2022/TT-BNV",
        certainty: "the law counts from the year in which the work ended; on which day that ends is our reading",
    },
    Ground {
        name: "years_only_from",
        article: "Luật Lưu trữ 33/2024/QH15 điều 15, hiệu lực 01/7/2025",
        certainty: "seen in a copy of the text",
    },
    Ground {
        name: "years_min", article: "Luật Lưu trữ 33/2024/QH15 điều 15", certainty: "seen in a copy of the text"
    },
    Ground {
        name: "years_max", article: "Luật Lưu trữ 33/2024/QH15 điều 15", certainty: "seen in a copy of the text"
    },
];

impl Default for Rules {
    fn default() -> Rules {
        Rules { reading: Reading::JanuaryFirst, years_only_from: Day::LAW_OF_2024, years_min: 2, years_max: 70 }
    }
}

impl Rules {
    /// Settings that keep less, or ask more, than what they rest on: whoever set them so should know it.
    pub fn laxer_than_the_law(&self) -> Vec<&'static Ground> {
        let law = Rules::default();
        let laxer = [
            self.reading != law.reading,
            self.years_only_from > law.years_only_from,
            self.years_min < law.years_min,
            self.years_max > law.years_max,
        ];
        GROUNDS.iter().zip(laxer).filter(|(_, laxer)| *laxer).map(|(ground, _)| ground).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_law_and_what_is_laxer_is_told() {
        assert_eq!(Rules::default().laxer_than_the_law(), Vec::<&Ground>::new());
        assert_eq!(Rules { years_min: 5, years_max: 50, ..Rules::default() }.laxer_than_the_law().len(), 0);
        let lax = Rules { reading: Reading::FirstYearCounts, years_min: 1, years_max: 99, ..Rules::default() };
        let names: Vec<_> = lax.laxer_than_the_law().iter().map(|ground| ground.name).collect();
        assert_eq!(names, ["reading", "years_min", "years_max"]);
        assert!(serde_json::from_str::<Rules>(r#"{"years":2}"#).is_err(), "unknown keys are refused");
        assert_eq!(serde_json::from_str::<Rules>("{}").unwrap(), Rules::default());
    }

    #[test]
    fn every_setting_names_its_article() {
        let settings = serde_json::to_value(Rules::default()).unwrap();
        let names: Vec<&str> = settings.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, GROUNDS.map(|ground| ground.name));
        assert_eq!(settings["years_only_from"], "2025-07-01");
        assert!(serde_json::from_str::<Rules>(r#"{"approval":false}"#).is_err(), "approval is no setting");
    }
}

//! What the law leaves to be read, and its figures: settings, each with its article.
//!
//! # Why
//! Figures change with the next circular, and one of them is not known yet (the keeping time of the dossier of a
//! destruction under the Law of 2024): they are told by whoever runs the archive, who finds the article beside each.
//! What is no setting: that nothing is destroyed without an approved version of a schedule, or while a hold stands.

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
    /// How long the dossier of a destruction is kept.
    pub dossier_years_min: u16,
    /// A decision to destroy is carried out within so many days.
    pub execution_days_max: u16,
    /// Permanent records go to a historical archive within so many years of the year in which they came.
    pub transfer_years_max: u16,
}

/// What a setting rests on: its name, the article, and how sure we are of the figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ground {
    pub name: &'static str,
    pub article: &'static str,
    pub certainty: &'static str,
}

/// Every setting with what it rests on, in the order of [`Rules`].
pub const GROUNDS: [Ground; 7] = [
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
    Ground {
        name: "dossier_years_min",
        article: "Luật Lưu trữ 01/2011/QH13 điều 28",
        certainty: "seen for the Law of 2011; the figure under the Law of 2024 was not found",
    },
    Ground { name: "execution_days_max", article: "TT 06/2025/TT-BNV", certainty: "seen in extracts" },
    Ground {
        name: "transfer_years_max",
        article: "Luật Lưu trữ 33/2024/QH15 (nộp vào lưu trữ lịch sử)",
        certainty: "seen in extracts; up to 30 years where another law says so",
    },
];

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            reading: Reading::JanuaryFirst,
            years_only_from: Day::LAW_OF_2024,
            years_min: 2,
            years_max: 70,
            dossier_years_min: 20,
            execution_days_max: 15,
            transfer_years_max: 5,
        }
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
            self.dossier_years_min < law.dossier_years_min,
            self.execution_days_max > law.execution_days_max,
            self.transfer_years_max > law.transfer_years_max,
        ];
        GROUNDS.iter().zip(laxer).filter(|(_, laxer)| *laxer).map(|(ground, _)| ground).collect()
    }

    /// The day until which the dossier of a destruction is kept (Law 01/2011 art. 28: at least 20 years from the
    /// destruction): so many whole years after the year of the destruction.
    pub fn dossier_until(&self, destroyed: Day) -> Day {
        Reading::JanuaryFirst.over(destroyed, self.dossier_years_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_names_its_article() {
        let settings = serde_json::to_value(Rules::default()).unwrap();
        let names: Vec<&str> = settings.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, GROUNDS.map(|ground| ground.name));
        assert_eq!(settings["years_only_from"], "2025-07-01");
        assert!(serde_json::from_str::<Rules>(r#"{"approval":false}"#).is_err(), "approval is no setting");
        assert_eq!(serde_json::from_str::<Rules>(r#"{"dossier_years_min":30}"#).unwrap().dossier_years_min, 30);
    }

    #[test]
    fn who_asks_for_less_than_the_law_is_told() {
        assert_eq!(Rules::default().laxer_than_the_law(), Vec::<&Ground>::new());
        assert_eq!(Rules { dossier_years_min: 30, years_max: 50, ..Rules::default() }.laxer_than_the_law().len(), 0);
        let lax = Rules { dossier_years_min: 19, reading: Reading::Anniversary, ..Rules::default() };
        assert_eq!(
            lax.laxer_than_the_law().iter().map(|ground| ground.name).collect::<Vec<_>>(),
            ["reading", "dossier_years_min"]
        );
    }

    /// Law 01/2011 art. 28: the dossier of a destruction is kept for at least 20 years.
    #[test]
    fn a_dossier_is_kept_for_twenty_years_at_least() {
        for (destroyed, years, until) in
            [("2026-11-27", 20, "2047-01-01"), ("2026-01-01", 20, "2047-01-01"), ("2024-02-29", 30, "2055-01-01")]
        {
            let rules = Rules { dossier_years_min: years, ..Rules::default() };
            assert_eq!(rules.dossier_until(destroyed.parse().unwrap()).to_string(), until);
        }
    }
}

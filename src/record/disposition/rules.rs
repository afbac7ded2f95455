//! The figures of disposition, as settings with their source: where the law gives none that could be read, or may give
//! another tomorrow, a number in the code would be a rule that nobody made.

use crate::record::{
    refusal::refusals,
    retention::{clock::Reading, day::Day},
};
use serde::{Deserialize, Serialize};

/// Years that the papers of a destruction live at least (Luật Lưu trữ 01/2011/QH13 art. 28; the figure of 2024 was not
/// found in what could be read).
pub const DOSSIER_YEARS_MIN: u16 = 20;

/// The settings of disposition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// People of a council, its chair included. TT 06/2025/TT-BNV names the Hội đồng xét hủy; its size is from practice
    /// (chair, secretary from the archive, the unit whose records they are).
    pub council_people_min: u16,
    /// How old the head's last log-in may be when they decide (QCVN 12:2026/BCA: re-authentication for destruction).
    pub fresh_seconds_max: u32,
    /// Days from the decision to the end of its execution (TT 06/2025/TT-BNV: 15 days).
    pub execution_days_max: u16,
    /// Reminders begin so many days before that.
    pub execution_reminder_days: u16,
    /// Must the minutes of handing over (biên bản bàn giao) be there before anything is destroyed (TT 06/2025/TT-BNV)?
    pub handover_first: bool,
    /// Days after accession in which a wrong deposit may be withdrawn: later it is disposition like any other. The
    /// archive's own rule.
    pub withdrawal_days_max: u16,
    /// Years that the papers of a destruction live: at least [`DOSSIER_YEARS_MIN`].
    pub dossier_years: u16,
    /// Years after the year of transfer to the current archive in which permanent records go to the historical one (Luật
    /// Lưu trữ 33/2024/QH15: 5 years).
    pub transfer_years_max: u16,
    /// The same where another law says so: up to 30 years.
    pub transfer_special_years_max: u16,
    /// Months before that in which the transfer is to be registered (TT 05/2025/TT-BNV: 12 months ahead).
    pub transfer_registration_months: u16,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            council_people_min: 3,
            fresh_seconds_max: 300,
            execution_days_max: 15,
            execution_reminder_days: 5,
            handover_first: true,
            withdrawal_days_max: 30,
            dossier_years: DOSSIER_YEARS_MIN,
            transfer_years_max: 5,
            transfer_special_years_max: 30,
            transfer_registration_months: 12,
        }
    }
}

refusals! {
    /// Why settings are refused: they would allow what no reading of the law does.
    NotRules;
    CouncilOfOne "council_of_one"
        "Hội đồng xét hủy phải có ít nhất chủ tịch và một thành viên; đặt council_people_min từ 2 trở lên"
        "a council has a chair and at least one member; set council_people_min to 2 or more"
    NeverFresh "never_fresh"
        "xác thực lại phải trong vòng một giờ; đặt fresh_seconds_max từ 1 đến 3600"
        "a log-in is fresh for an hour at most; set fresh_seconds_max between 1 and 3600"
    TooSlow "too_slow"
        "quyết định hủy phải thực hiện trong 15 ngày; đặt execution_days_max từ 1 đến 15"
        "a decision is executed within 15 days; set execution_days_max between 1 and 15"
    DossierTooShort "dossier_too_short"
        "hồ sơ hủy phải lưu ít nhất 20 năm; đặt dossier_years từ 20 trở lên"
        "the papers of a destruction are kept for at least 20 years; set dossier_years to 20 or more"
}

impl Rules {
    /// Are these settings within what the law can be read to allow?
    pub fn check(&self) -> Result<(), NotRules> {
        match self {
            _ if self.council_people_min < 2 => Err(NotRules::CouncilOfOne),
            _ if !(1..=3600).contains(&self.fresh_seconds_max) => Err(NotRules::NeverFresh),
            _ if !(1..=15).contains(&self.execution_days_max) => Err(NotRules::TooSlow),
            _ if self.dossier_years < DOSSIER_YEARS_MIN => Err(NotRules::DossierTooShort),
            _ => Ok(()),
        }
    }

    /// The day until which the papers of a destruction are kept (Law 01/2011 art. 28: at least 20 years from the
    /// destruction): so many whole years after its year.
    pub fn dossier_until(&self, destroyed: Day) -> Day {
        Reading::JanuaryFirst.over(destroyed, self.dossier_years)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::refusal::assert_told;

    #[test]
    fn settings_stay_within_the_law() {
        let good = Rules::default();
        for (rules, expected) in [
            (good, Ok(())),
            (Rules { dossier_years: 70, execution_days_max: 10, ..good }, Ok(())),
            (Rules { council_people_min: 1, ..good }, Err(NotRules::CouncilOfOne)),
            (Rules { fresh_seconds_max: 0, ..good }, Err(NotRules::NeverFresh)),
            (Rules { fresh_seconds_max: 86_400, ..good }, Err(NotRules::NeverFresh)),
            (Rules { execution_days_max: 16, ..good }, Err(NotRules::TooSlow)),
            (Rules { execution_days_max: 0, ..good }, Err(NotRules::TooSlow)),
            (Rules { dossier_years: 19, ..good }, Err(NotRules::DossierTooShort)),
        ] {
            assert_eq!(rules.check(), expected, "{rules:?}");
        }
        assert_told(NotRules::ALL.iter().map(|one| (one.as_str(), one.vi(), one.en())));
        assert!(serde_json::from_str::<Rules>(r#"{"dossier_year":30}"#).is_err(), "unknown keys are refused");
        assert_eq!(serde_json::from_str::<Rules>("{}").unwrap(), good);
    }

    #[test]
    fn the_papers_of_a_destruction_live_for_twenty_whole_years() {
        for (destroyed, until) in
            [("2026-01-01", "2047-01-01"), ("2026-12-31", "2047-01-01"), ("2027-01-01", "2048-01-01")]
        {
            let day: Day = destroyed.parse().unwrap();
            assert_eq!(Rules::default().dossier_until(day).to_string(), until, "{destroyed}");
        }
    }
}

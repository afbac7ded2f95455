//! Who manages an agency's records at a date?
//!
//! While the agency lives, it does. When it has ended (TT 06/2025/TT-BNV art. 40.2) its papers go to the historical
//! archive of the province: what is permanent stays there, what is not goes to the body that the chairman of the
//! province assigns; digital records are taken out by account or agency code and handed to that archive.
//!
//! # Why
//! The successor is not asked: it goes on with the work, and manages the records only where it was assigned to. Where
//! nobody was assigned yet, what is not permanent lies at the historical archive too, and the answer says that it
//! waits.

use crate::record::{
    agencies::{Agencies, AgencyCode, span},
    date::PartialDate,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which of an agency's records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Vĩnh viễn.
    Permanent,
    /// Có thời hạn.
    Limited,
}

/// Somebody was told to manage records of an agency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Whose records.
    pub creator: AgencyCode,
    pub custodian: AgencyCode,
    /// Which of them; absent where all are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    pub from: PartialDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<PartialDate>,
    /// The decision that says so.
    pub source: String,
}

/// Why somebody manages records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// They are its own.
    Creator,
    /// A decision says so.
    Assigned,
    /// They are permanent and their agency has ended.
    HistoricalArchive,
    /// They are not permanent, their agency has ended and nobody was assigned yet.
    UntilAssigned,
}

impl Because {
    pub fn vi(&self) -> &'static str {
        match self {
            Because::Creator => "cơ quan hình thành",
            Because::Assigned => "được giao quản lý",
            Because::HistoricalArchive => "lưu trữ lịch sử",
            Because::UntilAssigned => "lưu trữ lịch sử giữ, chờ giao",
        }
    }

    pub fn en(&self) -> &'static str {
        match self {
            Because::Creator => "the creator",
            Because::Assigned => "assigned",
            Because::HistoricalArchive => "the historical archive",
            Because::UntilAssigned => "the historical archive, until somebody is assigned",
        }
    }
}

/// Who manages records, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Custodian {
    pub agency: AgencyCode,
    pub because: Because,
    /// The decision, where one says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Agencies {
    /// Who manages an agency's records at a date; `None` before the agency began, and where nobody is known.
    pub fn custodian_at(&self, creator: &AgencyCode, on: PartialDate, share: Share) -> Option<Custodian> {
        let last = on.span().1;
        let begun = self.rows(creator).next().is_some_and(|agency| agency.span().0 <= last);
        begun.then_some(())?;
        if let Some(assigned) = self.assigned(creator, on, share) {
            let (agency, source) = (assigned.custodian.clone(), Some(assigned.source.clone()));
            return Some(Custodian { agency, because: Because::Assigned, source });
        }
        let own = self.last_day(creator).is_none_or(|day| day >= last);
        let (agency, because) = match share {
            _ if own => (creator.clone(), Because::Creator),
            Share::Permanent => (self.historical_archive(creator, on)?.clone(), Because::HistoricalArchive),
            Share::Limited => (self.historical_archive(creator, on)?.clone(), Because::UntilAssigned),
        };
        Some(Custodian { agency, because, source: None })
    }

    /// The latest assignment in force whose custodian lives; what was said of one share goes before what was said of
    /// all.
    fn assigned(&self, creator: &AgencyCode, on: PartialDate, share: Share) -> Option<&Assignment> {
        let last = on.span().1;
        let in_force = self.register.custody.iter().filter(|assigned| {
            let (from, until) = span(Some(assigned.from), assigned.until);
            assigned.creator == *creator && from <= last && last <= until
        });
        in_force
            .filter(|assigned| assigned.share.is_none_or(|of| of == share))
            .filter(|assigned| self.at(&assigned.custodian, on).is_some())
            .max_by_key(|assigned| (assigned.share.is_some(), assigned.from))
    }

    /// The historical archive nearest to an agency: under its superior, or under that one's.
    pub fn historical_archive(&self, creator: &AgencyCode, on: PartialDate) -> Option<&AgencyCode> {
        let archives: Vec<&AgencyCode> = self
            .register
            .agencies
            .iter()
            .filter(|agency| agency.historical_archive && self.at(&agency.code, on) == Some(*agency))
            .map(|agency| &agency.code)
            .collect();
        let above = self.superiors(creator);
        above.iter().find_map(|above| archives.iter().find(|archive| self.superiors(archive).contains(above)).copied())
    }

    /// An agency and its superiors, the nearest first, as they were last.
    pub fn superiors<'a>(&'a self, code: &'a AgencyCode) -> Vec<&'a AgencyCode> {
        let (mut seen, mut above, mut next) = (BTreeSet::new(), Vec::new(), Some(code));
        while let Some(code) = next.filter(|code| seen.insert(*code)) {
            above.push(code);
            next = self.rows(code).next_back().and_then(|agency| agency.parent.as_ref());
        }
        above
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::agencies::tests::{changed, code, date, sample};

    fn assigned(share: Option<Share>, to: &str, from: &str) -> Assignment {
        let source = "Quyết định 100/QĐ-UBND ngày 10/01/2026".into();
        Assignment { creator: code("UBND-DM"), custodian: code(to), share, from: date(from), until: None, source }
    }

    /// TT 06/2025/TT-BNV art. 40.2.
    #[test]
    fn who_manages_the_records_of_an_ended_agency() {
        let mut register = sample().register;
        register.custody.push(assigned(Some(Share::Limited), "UBND-SM", "2026-01-10"));
        let agencies = Agencies::new(register);
        let (archive, limited) = ("LTLS-LH", Share::Limited);
        for (agency, on, share, who, because) in [
            ("UBND-DM", "2024-05-01", limited, "UBND-DM", Because::Creator),
            ("UBND-DM", "2025-06-30", Share::Permanent, "UBND-DM", Because::Creator),
            ("UBND-DM", "2025-07-01", Share::Permanent, archive, Because::HistoricalArchive),
            ("UBND-DM", "2025-07-01", limited, archive, Because::UntilAssigned),
            ("UBND-DM", "2026-01-09", limited, archive, Because::UntilAssigned),
            ("UBND-DM", "2026-01-10", limited, "UBND-SM", Because::Assigned),
            ("UBND-DM", "2026-01-10", Share::Permanent, archive, Because::HistoricalArchive),
            ("PNV-DM", "2026", Share::Permanent, archive, Because::HistoricalArchive),
            ("UBND-BC", "2026", limited, archive, Because::UntilAssigned),
            ("UBND-SM", "2026", limited, "UBND-SM", Because::Creator),
        ] {
            let found =
                agencies.custodian_at(&code(agency), date(on), share).unwrap_or_else(|| panic!("{agency} {on}"));
            assert_eq!((found.agency.as_str(), found.because), (who, because), "{agency} {on} {share:?}");
            assert_eq!(found.source.is_some(), because == Because::Assigned);
        }
    }

    #[test]
    fn nobody_before_the_beginning_and_nobody_unknown() {
        let agencies = sample();
        for (agency, on) in [("UBND-SM", "2025-06-30"), ("NOBODY", "2026")] {
            assert_eq!(agencies.custodian_at(&code(agency), date(on), Share::Limited), None, "{agency}");
        }
        let bare = changed("LTLS-LH", |agency| agency.historical_archive = false);
        assert_eq!(bare.custodian_at(&code("UBND-DM"), date("2026"), Share::Permanent), None);
    }

    #[test]
    fn the_later_word_counts_and_a_custodian_must_live() {
        let mut register = sample().register;
        register.custody.push(assigned(None, "SNV-LH", "2025-08-01"));
        register.custody.push(assigned(Some(Share::Limited), "UBND-SM", "2025-07-15"));
        register.custody.push(assigned(None, "UBND-BC", "2026-02-01"));
        let agencies = Agencies::new(register);
        for (on, share, who) in [
            ("2025-07-10", Share::Limited, "LTLS-LH"),
            ("2025-08-02", Share::Permanent, "SNV-LH"),
            ("2025-08-02", Share::Limited, "UBND-SM"),
            ("2026-03-01", Share::Permanent, "SNV-LH"),
        ] {
            let found = agencies.custodian_at(&code("UBND-DM"), date(on), share).map(|found| found.agency);
            assert_eq!(found, Some(code(who)), "{on} {share:?}");
        }
    }
}

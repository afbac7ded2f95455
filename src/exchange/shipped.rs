//! The schedules that come with the program: drafts, for an agency to complete and to approve.
//!
//! - TT 09/2011/TT-BNV, most of its rows, in force until 15/02/2023: for what was made under it.
//! - TT 10/2022/TT-BNV, the rows that are known, each with how sure it is.
//!
//! # Why
//! They are read by the same functions as every schedule that somebody hands over. Both are marked incomplete: nothing
//! can be destroyed by them until a person has held them against the print.

use crate::exchange::schedule;
use crate::record::{
    finding::Severity,
    retention::{
        day::Day,
        flaw::Flaw,
        schedule::{Draft, LegalSource},
    },
};
use serde::Deserialize;

/// The heads of the schedules, and their rows.
const SHIPPED: [(&str, &str); 2] = [
    (include_str!("schedules/tt-09-2011.json"), include_str!("schedules/tt-09-2011.tsv")),
    (include_str!("schedules/tt-10-2022.json"), include_str!("schedules/tt-10-2022.tsv")),
];

/// What a table of rows does not say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    title: String,
    source: LegalSource,
    from: Day,
    until: Option<Day>,
    incomplete: bool,
    note: Option<String>,
}

/// Why a schedule that was shipped cannot be read: never, where the tests passed.
#[derive(Debug, thiserror::Error)]
pub enum NotShipped {
    #[error("the head of a schedule that was shipped cannot be read: {0}")]
    Head(#[from] serde_json::Error),
    #[error("a row of a schedule that was shipped cannot be read: {}", .0.en)]
    Row(Box<Flaw>),
}

/// Every schedule that comes with the program, the oldest first.
pub fn schedules() -> Result<Vec<Draft>, NotShipped> {
    SHIPPED.iter().map(|(head, rows)| draft(head, rows)).collect()
}

fn draft(head: &str, rows: &str) -> Result<Draft, NotShipped> {
    let Head { title, source, from, until, incomplete, note } = serde_json::from_str(head)?;
    let imported = schedule::from_text(rows.as_bytes());
    if let Some(flaw) = imported.flaws.into_iter().find(|flaw| flaw.severity == Severity::Error) {
        return Err(NotShipped::Row(Box::new(flaw)));
    }
    Ok(Draft { title, source: Some(source), from, until, incomplete, note, classes: imported.classes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::document::{Document, Salt};
    use crate::record::{
        id::ScheduleId,
        retention::{check::check, flaw::FlawCode, period::Period, rules::Rules, schedule::Schedule},
    };
    use std::collections::BTreeMap;

    fn versions() -> Vec<Schedule> {
        let drafts = schedules().unwrap();
        drafts
            .into_iter()
            .map(|draft| draft.first_version(ScheduleId::new(0, [1; 10]), Salt::new([0x0a; 32])))
            .collect()
    }

    #[test]
    fn what_is_shipped_has_nothing_wrong_but_that_it_is_incomplete() {
        for schedule in versions() {
            let flaws: Vec<FlawCode> = check(&schedule, &Rules::default()).iter().map(|flaw| flaw.code).collect();
            assert_eq!(flaws, [FlawCode::Incomplete], "{}", schedule.title);
            assert!(!schedule.is_approved_on("2026-01-01".parse().unwrap()));
            assert_eq!(Schedule::from_bytes(&schedule.to_bytes().unwrap()).unwrap(), schedule);
        }
    }

    #[test]
    fn what_is_shipped_goes_out_and_comes_in_again() {
        for draft in schedules().unwrap() {
            assert_eq!(schedule::from_text(schedule::to_text(&draft.classes).as_bytes()).classes, draft.classes);
        }
    }

    #[test]
    fn the_schedule_of_2011_as_it_was() {
        let old = &versions()[0];
        let (last, first) = ("2023-02-14".parse().unwrap(), "2023-02-15".parse().unwrap());
        assert!(old.is_in_force_on(last) && !old.is_in_force_on(first) && versions()[1].is_in_force_on(first));
        let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
        for class in &old.classes {
            let kind = match class.period {
                Period::Permanent => "permanent",
                Period::Years(_) => "years",
                Period::YearsAfter { .. } => "years after",
                Period::WhileInForce => "in force",
                Period::LifeOfWork => "work",
                Period::LifeOfEquipment => "equipment",
            };
            *kinds.entry(kind).or_default() += 1;
        }
        assert_eq!(old.classes.len(), 153);
        assert_eq!((kinds["in force"], kinds["work"], kinds["equipment"], kinds["years after"]), (4, 1, 1, 1));
        for (code, title, period) in [
            ("1.01", "Tập văn bản gửi chung đến các cơ quan", "while_in_force"),
            ("1.07", "Kế hoạch, báo cáo công tác hàng năm", "years:10"),
            ("4.1.03", "Hợp đồng lao động vụ việc", "years_after:5:contract_ended"),
            ("6.05", "Hồ sơ công trình xây dựng cơ bản", "life_of_work"),
            ("14.3.02", "Công văn trao đổi về công tác Đoàn", "years:10"),
        ] {
            let class = old.class(code).unwrap_or_else(|| panic!("{code}"));
            assert_eq!((class.title.as_str(), class.period.to_string().as_str()), (title, period));
        }
    }

    #[test]
    fn every_row_of_the_draft_says_how_sure_it_is() {
        let draft = &versions()[1];
        assert_eq!(draft.classes.len(), 22);
        for class in &draft.classes {
            let note = class.note.as_deref().unwrap_or_default();
            assert!(["(SEEN)", "(2nd)", "(RECALL)"].iter().any(|mark| note.ends_with(mark)), "{}", class.code);
        }
    }
}

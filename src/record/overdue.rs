//! Files whose work has ended and that the archive has not got yet: by unit and person, with a reminder beforehand.
//!
//! Law 33/2024/QH15: to the current archive within one year at most, counted from the end of the work (NĐ 30/2020/NĐ-CP
//! art. 30). NĐ 30/2020/NĐ-CP Annex VI: a notice 30 days ahead. TT 05/2025/TT-BNV is said to ask for digitised files
//! within 60 days: that is a setting.
//!
//! # Why
//! An end known only as a month or a year is taken for its last day: a clerk is not told off for what nobody wrote
//! down more exactly. The year is the ceiling whatever is set: a setting can only make it shorter.

use crate::record::{date::PartialDate, day, file::About, file_state::FileState, id::FileId};
use serde::Serialize;
use std::collections::BTreeMap;

/// The law's ceiling.
const YEARS_MAX: i16 = 1;

/// How long after the end of the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For every file; `None` is the ceiling of the law.
    pub hand_over_days_max: Option<u16>,
    /// For digitised files (TT 05/2025/TT-BNV).
    pub digitised_days_max: Option<u16>,
    /// How long ahead the maker is reminded (NĐ 30/2020/NĐ-CP Annex VI).
    pub reminder_days: u16,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { hand_over_days_max: None, digitised_days_max: Some(60), reminder_days: 30 }
    }
}

/// A file that is due.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Due {
    pub file: FileId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub title: String,
    /// The last day to hand it over.
    pub due: PartialDate,
    /// Days since then; negative where it is only a reminder.
    pub late_days: i64,
}

/// What one person of one unit has to hand over, the latest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Debt {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    pub overdue: Vec<Due>,
    pub reminders: Vec<Due>,
}

/// The last day on which a file may be handed over; `None` while its work goes on.
pub fn due_on(about: &About, limits: &Limits) -> Option<u32> {
    let ended = about.ended?.span().1;
    let digitised = limits.digitised_days_max.filter(|_| about.origin.as_deref() == Some("02"));
    let set = [limits.hand_over_days_max, digitised].into_iter().flatten();
    let set = set.map(|days| day::plus_days(ended, i32::from(days)));
    set.chain([day::plus_years(ended, YEARS_MAX)]).min()
}

/// What is overdue or nearly so on a day.
pub fn overdue<'a>(
    files: impl IntoIterator<Item = (FileId, FileState, &'a About)>,
    today: PartialDate,
    limits: &Limits,
) -> Vec<Debt> {
    let today = today.span().1;
    let mut debts: BTreeMap<(Option<&str>, Option<&str>), Debt> = BTreeMap::new();
    for (file, state, about) in files {
        let Some(last) = due_on(about, limits).filter(|_| !state.is_handed_over()) else { continue };
        let Some(due) = day::date(last) else { continue };
        let late_days = day::between(last, today);
        if late_days < -i64::from(limits.reminder_days) {
            continue;
        }
        let (unit, maker) = (about.unit.clone(), about.maker.clone());
        let debt = debts.entry((about.unit.as_deref(), about.maker.as_deref())).or_insert_with(|| Debt {
            unit,
            maker,
            overdue: vec![],
            reminders: vec![],
        });
        let list = if late_days > 0 { &mut debt.overdue } else { &mut debt.reminders };
        list.push(Due { file, code: about.code.clone(), title: about.title.clone(), due, late_days });
    }
    let mut debts: Vec<Debt> = debts.into_values().collect();
    for debt in &mut debts {
        debt.overdue.sort_by_key(|due| (-due.late_days, due.file));
        debt.reminders.sort_by_key(|due| (-due.late_days, due.file));
    }
    debts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(ended: &str, origin: Option<&str>) -> About {
        About { ended: ended.parse().ok(), origin: origin.map(str::to_owned), ..About::default() }
    }

    /// Law 33/2024/QH15: a year at most; the 60 days of digitised files and an agency's own limit are settings.
    #[test]
    fn the_last_day_to_hand_over() {
        let (law, own) = (Limits { digitised_days_max: None, ..Limits::default() }, Limits::default());
        let month = Limits { hand_over_days_max: Some(30), ..own };
        let long = Limits { hand_over_days_max: Some(2000), ..own };
        for (ended, origin, limits, last) in [
            ("2025-06-30", None, &own, Some(20260630)),
            ("2024-02-29", None, &own, Some(20250228)),
            ("2025-06", None, &own, Some(20260630)),
            ("2025", None, &own, Some(20261231)),
            ("2025-06-30", Some("02"), &own, Some(20250829)),
            ("2025-06-30", Some("02"), &law, Some(20260630)),
            ("2025-06-30", Some("01"), &own, Some(20260630)),
            ("2025-06-30", None, &month, Some(20250730)),
            ("2025-06-30", Some("02"), &month, Some(20250730)),
            ("2025-06-30", None, &long, Some(20260630)),
            ("", None, &own, None),
        ] {
            assert_eq!(due_on(&about(ended, origin), limits), last, "{ended} {origin:?} {limits:?}");
        }
    }

    /// NĐ 30/2020/NĐ-CP Annex VI: 30 days ahead.
    #[test]
    fn reminders_come_thirty_days_ahead() {
        let file = about("2025-06-30", None);
        let id = FileId::new(0, [1; 10]);
        for (today, late, reminder) in [
            ("2026-05-30", None, None),
            ("2026-05-31", None, Some(-30)),
            ("2026-06-30", None, Some(0)),
            ("2026-07-01", Some(1), None),
            ("2027-06-30", Some(365), None),
        ] {
            let debts = overdue([(id, FileState::Closed, &file)], today.parse().unwrap(), &Limits::default());
            let days = |list: fn(&Debt) -> &Vec<Due>| debts.first().and_then(|d| list(d).first()).map(|d| d.late_days);
            assert_eq!((days(|d| &d.overdue), days(|d| &d.reminders)), (late, reminder), "{today}");
        }
        for state in FileState::ALL {
            let debts = overdue([(id, *state, &file)], "2027".parse().unwrap(), &Limits::default());
            assert_eq!(debts.is_empty(), state.is_handed_over(), "{state:?}");
        }
    }

    #[test]
    fn by_unit_and_person_the_latest_first() {
        let of = |unit: &str, maker: &str, ended: &str| About {
            unit: Some(unit.into()),
            maker: Some(maker.into()),
            ..about(ended, None)
        };
        let files = [
            of("Văn phòng", "Quách Thị Mai", "2024-05-01"),
            of("Phòng Cải cách hành chính", "Vi Thị Nhàn", "2024-01-01"),
            of("Văn phòng", "Quách Thị Mai", "2024-01-01"),
            of("Văn phòng", "Cao Văn Nghĩa", "2025-01-10"),
            of("Văn phòng", "Cao Văn Nghĩa", "2026-01-01"),
        ];
        let ids = (1..).map(|n| FileId::new(n, [0; 10]));
        let files = ids.zip(&files).map(|(id, about)| (id, FileState::Closed, about));
        let debts = overdue(files, "2026-01-01".parse().unwrap(), &Limits::default());
        let told: Vec<(&str, usize, usize)> = debts
            .iter()
            .map(|debt| (debt.maker.as_deref().unwrap(), debt.overdue.len(), debt.reminders.len()))
            .collect();
        assert_eq!(told, [("Vi Thị Nhàn", 1, 0), ("Cao Văn Nghĩa", 0, 1), ("Quách Thị Mai", 2, 0)]);
        let latest = &debts[2].overdue;
        assert!(latest[0].late_days > latest[1].late_days && latest[0].file == FileId::new(3, [0; 10]));
    }
}

//! A retention schedule (bảng thời hạn lưu trữ) as data: one version of it is one document.
//!
//! # Why
//! A rule that is data can be read, compared, dated and argued about; it is stored as every description is, as RFC 8785
//! with a salt, and named in the ledger by its digest. A version is never changed: another one takes its place and names
//! it, so that what was decided by the old one can still be explained.

use crate::record::{
    date::PartialDate,
    digest::Digest,
    document::{Document, Salt},
    id::{ActorId, ScheduleId},
    retention::{day::Day, period::Period, trigger::Trigger},
    text,
};
use serde::{Deserialize, Serialize};

/// The name of the schema that a schedule follows (`schemas/schedule.v1.json`).
pub const SCHEMA: &str = "schedule.v1";

/// One version of a schedule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub schedule: ScheduleId,
    /// Counts from 1.
    pub version: u32,
    /// The version that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    pub salt: Salt,
    pub title: String,
    /// The legal text that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<LegalSource>,
    /// The first day on which it is in force.
    pub from: Day,
    /// The first day on which it is not any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// Rows of the source are missing, or have not been compared with it: nothing can be destroyed by it.
    pub incomplete: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approval>,
    /// What is to be known of it: how sure its rows are, what was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub classes: Vec<Class>,
}

/// The legal text behind a schedule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalSource {
    /// `10/2022/TT-BNV`.
    pub number: String,
    pub title: String,
    pub issued: PartialDate,
    /// Who issued it.
    pub agency: String,
}

/// That the head approved a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The head.
    pub by: ActorId,
    /// The number of the decision, `15/QĐ-SNV`.
    pub decision: String,
    pub on: Day,
}

/// What a schedule says is to be done in the end. A council may propose otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Hủy.
    Destroy,
    /// Nộp vào lưu trữ lịch sử.
    Transfer,
    /// Xem xét lại.
    Review,
}

/// One row of a schedule (mục).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Names the class through all versions of its schedule.
    pub code: String,
    /// The group of the source, `12.1`.
    pub group: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    pub period: Period,
    /// What [`Period::Years`] count from; with other periods what they say themselves.
    pub trigger: Trigger,
    pub action: Action,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A schedule before it is anybody's: what is imported or shipped, without identity, salt and approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    pub title: String,
    pub source: Option<LegalSource>,
    pub from: Day,
    pub until: Option<Day>,
    pub incomplete: bool,
    pub note: Option<String>,
    pub classes: Vec<Class>,
}

impl Document for Schedule {
    const SCHEMA: &'static str = SCHEMA;
    fn schema(&self) -> &str {
        &self.schema
    }
}

impl Schedule {
    pub fn class(&self, code: &str) -> Option<&Class> {
        self.classes.iter().find(|class| class.code == code)
    }

    /// Whether it is in force on a day.
    pub fn is_in_force_on(&self, day: Day) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }

    /// Whether something may be destroyed by it on a day: approved by then, and complete. A schedule that is no longer
    /// in force still rules what was made under it.
    pub fn is_approved_on(&self, day: Day) -> bool {
        !self.incomplete && self.from <= day && self.approved.as_ref().is_some_and(|approval| approval.on <= day)
    }
}

/// Of several versions the one that rules on a day: the latest that is in force and approved by then.
pub fn ruling(versions: &[Schedule], day: Day) -> Option<&Schedule> {
    let ruling = versions.iter().filter(|version| version.is_in_force_on(day) && version.is_approved_on(day));
    ruling.max_by_key(|version| (version.from, version.version))
}

impl Draft {
    /// The first version of a schedule, which nobody has approved yet.
    pub fn first_version(self, schedule: ScheduleId, salt: Salt) -> Schedule {
        Schedule {
            schema: SCHEMA.into(),
            schedule,
            version: 1,
            replaces: None,
            salt,
            title: self.title,
            source: self.source,
            from: self.from,
            until: self.until,
            incomplete: self.incomplete,
            approved: None,
            note: self.note,
            classes: self.classes,
        }
    }
}

const ACTIONS: [(Action, &str, &str, &[&str]); 3] = [
    (Action::Destroy, "Hủy", "destroy", &["tieu huy", "huy tai lieu"]),
    (
        Action::Transfer,
        "Nộp vào lưu trữ lịch sử",
        "transfer to a historical archive",
        &["transfer", "nop luu", "nop luu tru lich su", "luu tru lich su"],
    ),
    (Action::Review, "Xem xét lại", "review", &["xem xet", "danh gia lai"]),
];

impl Action {
    pub const ALL: [Action; 3] = [Action::Destroy, Action::Transfer, Action::Review];

    /// Where a row names none: what is permanent goes to a historical archive, the rest is reviewed for destruction.
    pub fn of(period: Period) -> Action {
        if period == Period::Permanent { Action::Transfer } else { Action::Destroy }
    }

    /// Our word, or the Vietnamese one with or without diacritics.
    pub fn read(typed: &str) -> Option<Action> {
        let folded = text::fold(&text::line(typed));
        let named = |(_, vi, en, others): &&(Action, &str, &str, &[&str])| {
            text::fold(vi) == folded || *en == folded || others.contains(&folded.as_str())
        };
        ACTIONS.iter().find(named).map(|(action, ..)| *action)
    }

    pub fn vi(&self) -> &'static str {
        self.words().0
    }

    pub fn en(&self) -> &'static str {
        self.words().1
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Action::Destroy => (ACTIONS[0].1, ACTIONS[0].2),
            Action::Transfer => (ACTIONS[1].1, ACTIONS[1].2),
            Action::Review => (ACTIONS[2].1, ACTIONS[2].2),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::document::NotADocument;

    /// A schedule with nothing wrong: two classes, approved.
    pub fn example() -> Schedule {
        let class = |code: &str, title: &str, period: &str| {
            let period: Period = period.parse().unwrap();
            let (trigger, action) = (period.trigger(), Action::of(period));
            let (code, title) = (code.into(), title.into());
            Class { code, group: "1".into(), title, subtitle: None, period, trigger, action, note: None }
        };
        Schedule {
            schema: SCHEMA.into(),
            schedule: ScheduleId::new(1_763_877_600_000, [5; 10]),
            version: 2,
            replaces: Some(Digest::of(b"1")),
            salt: Salt::new([0x0a; 32]),
            title: "Bảng thời hạn lưu trữ của Sở Nội vụ".into(),
            source: Some(LegalSource {
                number: "08/2025/TT-BNV".into(),
                title: "Quy định thời hạn lưu trữ hồ sơ, tài liệu ngành Nội vụ".into(),
                issued: "2025-07-06".parse().unwrap(),
                agency: "Bộ Nội vụ".into(),
            }),
            from: "2025-08-01".parse().unwrap(),
            until: None,
            incomplete: false,
            approved: Some(Approval {
                by: ActorId::new(0, [2; 10]),
                decision: "15/QĐ-SNV".into(),
                on: "2025-09-01".parse().unwrap(),
            }),
            note: None,
            classes: vec![class("1.01", "Báo cáo năm", "permanent"), class("1.02", "Công văn trao đổi", "years:10")],
        }
    }

    #[test]
    fn bytes_have_one_form() {
        let bytes = example().to_bytes().unwrap();
        assert_eq!(Schedule::from_bytes(&bytes).unwrap(), example());
        let spaced = [&bytes[..], b"\n"].concat();
        assert!(matches!(Schedule::from_bytes(&spaced), Err(NotADocument::NotCanonical)));
        let text = String::from_utf8(bytes).unwrap();
        assert!(matches!(
            Schedule::from_bytes(text.replace(SCHEMA, "schedule.v2").as_bytes()),
            Err(NotADocument::Schema { .. })
        ));
        let other = text.replace("\"years:10\"", "\"years:010\"");
        assert!(matches!(Schedule::from_bytes(other.as_bytes()), Err(NotADocument::Json { .. })));
    }

    /// A version rules from its first day in force, once the head has approved it, and not while it is incomplete.
    #[test]
    fn which_version_rules() {
        let first = Schedule {
            version: 1,
            until: Some("2025-08-01".parse().unwrap()),
            from: "2020-01-01".parse().unwrap(),
            ..example()
        };
        let approved = |on: &str| example().approved.map(|approval| Approval { on: on.parse().unwrap(), ..approval });
        let first = Schedule { approved: approved("2020-02-01"), ..first };
        let draft = Schedule { version: 3, approved: None, ..example() };
        let incomplete = Schedule { version: 4, incomplete: true, ..example() };
        let all = [first, example(), draft, incomplete];
        for (day, version) in [
            ("2019-12-31", None),
            ("2020-01-15", None),
            ("2020-02-01", Some(1)),
            ("2025-07-31", Some(1)),
            ("2025-08-01", None),
            ("2025-09-01", Some(2)),
            ("2030-01-01", Some(2)),
        ] {
            assert_eq!(ruling(&all, day.parse().unwrap()).map(|s| s.version), version, "{day}");
        }
        assert!(all[0].is_approved_on("2030-01-01".parse().unwrap()), "it still rules what was made under it");
    }

    #[test]
    fn actions_as_people_type_them() {
        for (typed, action) in [
            ("Hủy", Some(Action::Destroy)),
            ("HUY", Some(Action::Destroy)),
            ("nộp vào lưu trữ lịch sử", Some(Action::Transfer)),
            ("transfer", Some(Action::Transfer)),
            ("review", Some(Action::Review)),
            ("", None),
            ("bán", None),
        ] {
            assert_eq!(Action::read(typed), action, "{typed}");
        }
        for action in Action::ALL {
            assert_eq!((Action::read(action.vi()), Action::read(action.en())), (Some(action), Some(action)));
        }
        assert_eq!(
            (Action::of(Period::Permanent), Action::of(Period::WhileInForce)),
            (Action::Transfer, Action::Destroy)
        );
    }
}

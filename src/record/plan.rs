//! The list of files of a year (danh mục hồ sơ): which files an agency means to make, under which headings, by whom,
//! for how long. The head approves it; next year's begins as a copy of it.
//!
//! NĐ 30/2020/NĐ-CP art. 28 and Annex V: the list is made at the beginning of the year and issued by the head; a file
//! that nobody foresaw is added under it.

use crate::record::{
    access::Access,
    actor::Role,
    agencies::AgencyCode,
    arranging::Refusal,
    date::PartialDate,
    digest::Digest,
    document::{Document, Salt},
    file::{About, File},
    file_state::{FileState, Who},
    filecode,
    flaw::{Code, Flaw, stops},
    id::{ActorId, FileId, FondsId, PlanId},
    term::ClassRef,
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A heading (đề mục): a field of work, or a unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// `VTLT`, or `I.1`.
    pub code: String,
    pub title: String,
    /// The heading that it stands under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A file that is to be made.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Số và ký hiệu hồ sơ.
    pub code: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// Thời hạn lưu trữ as a code 01–07.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_code: Option<String>,
    /// The real number of years beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_years: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassRef>,
    /// Người lập hồ sơ, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker_id: Option<ActorId>,
    /// Đơn vị.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The head issued the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub by: ActorId,
    /// Số, ký hiệu quyết định ban hành.
    pub decision: String,
    /// Its day.
    pub on: PartialDate,
}

/// The list of files of a year: schema `plan.v1`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePlan {
    pub schema: String,
    pub plan: PlanId,
    /// The fonds whose files they will be.
    pub fonds: FondsId,
    pub year: u16,
    pub agency: AgencyCode,
    /// The description that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    pub salt: Salt,
    pub headings: Vec<Heading>,
    pub files: Vec<Planned>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

impl Document for FilePlan {
    const SCHEMA: &'static str = "plan.v1";
    fn schema(&self) -> &str {
        &self.schema
    }
}

impl FilePlan {
    /// What is wrong with the list.
    pub fn check(&self) -> Vec<Flaw> {
        let mut flaws = self.check_headings();
        if self.files.is_empty() {
            flaws.push(Flaw::new(Code::NothingPlanned, self.year));
        }
        flaws.extend(filecode::doubled(self.files.iter().map(|file| (&file.title, file.code.as_str()))));
        for file in &self.files {
            flaws.extend(self.check_planned(file));
        }
        let told = |approval: &Approval| !approval.decision.trim().is_empty();
        if self.approval.as_ref().is_some_and(|approval| !told(approval)) {
            flaws.push(Flaw::new(Code::SourceMissing, "approval"));
        }
        flaws
    }

    fn check_headings(&self) -> Vec<Flaw> {
        let codes = self.headings.iter().map(|heading| (&heading.title, heading.code.as_str()));
        let mut flaws = filecode::doubled(codes);
        for heading in &self.headings {
            let (mut seen, mut above) = (HashSet::from([heading.code.as_str()]), heading.parent.as_deref());
            while let Some(code) = above {
                let Some(parent) = self.heading(code) else {
                    flaws.push(Flaw::new(Code::UnknownHeading, &heading.code).with_detail(code));
                    break;
                };
                if !seen.insert(&parent.code) {
                    flaws.push(Flaw::new(Code::HeadingLoop, &heading.code));
                    break;
                }
                above = parent.parent.as_deref();
            }
            if heading.title.trim().is_empty() {
                flaws.push(Flaw::new(Code::TitleMissing, &heading.code));
            }
        }
        flaws
    }

    fn check_planned(&self, file: &Planned) -> Vec<Flaw> {
        let flaw = |code| Flaw::new(code, &file.code);
        let empty = |text: &str| text.trim().is_empty();
        let another = file.code.split('.').find(|group| is_year(group));
        let retained = file.retention_code.is_some() || file.retention_years.is_some() || file.class.is_some();
        let wrong = [
            (empty(&file.code), Code::CodeMissing),
            (empty(&file.title), Code::TitleMissing),
            (another.is_some_and(|year| year != self.year.to_string()), Code::AnotherYear),
            (!retained, Code::RetentionMissing),
            (file.maker.as_deref().is_none_or(empty), Code::MakerMissing),
            (file.heading.as_deref().is_some_and(|code| self.heading(code).is_none()), Code::UnknownHeading),
        ];
        wrong.into_iter().filter(|(is_so, _)| *is_so).map(|(_, code)| flaw(code)).collect()
    }

    pub fn heading(&self, code: &str) -> Option<&Heading> {
        self.headings.iter().find(|heading| heading.code == code)
    }

    /// The list as the head issues it. Only the head does, of a list without errors, under a decision.
    pub fn approved(&self, who: &Who, decision: &str, on: PartialDate) -> Result<FilePlan, Refusal> {
        match (who.role, self.approval.is_some()) {
            (Role::Head, false) if decision.trim().is_empty() => Err(Refusal::NoDecision),
            (Role::Head, false) if stops(&self.check()) => Err(Refusal::Flawed),
            (Role::Head, false) => {
                let approval = Some(Approval { by: who.id, decision: decision.into(), on });
                Ok(FilePlan { approval, ..self.clone() })
            }
            (Role::Head, true) => Err(Refusal::NotNow),
            _ => Err(Refusal::NotYourRole),
        }
    }

    /// The list of another year, as a copy: nobody has approved it, and codes and titles that carry this list's year
    /// carry the other.
    pub fn copy_for(&self, year: u16, plan: PlanId, salt: Salt) -> FilePlan {
        let (old, new) = (self.year.to_string(), year.to_string());
        let renew = |text: &str| replace_number(text, &old, &new);
        let files = self.files.iter().map(|file| Planned {
            code: renew(&file.code),
            title: renew(&file.title),
            ..file.clone()
        });
        let files = files.collect();
        FilePlan { plan, year, files, salt, replaces: None, approval: None, ..self.clone() }
    }

    /// The file that a row opens, with title, maker and period. Only an approved list opens files.
    pub fn open(&self, planned: &Planned, file: FileId, salt: Salt, on: PartialDate) -> Result<File, Refusal> {
        self.approval.as_ref().ok_or(Refusal::NotNow)?;
        let row = planned.clone();
        let about = About {
            code: Some(row.code),
            title: row.title,
            retention_code: row.retention_code,
            retention_years: row.retention_years,
            class: row.class,
            access: Access::default(),
            started: Some(on),
            opened: Some(on),
            heading: row.heading,
            maker: row.maker,
            maker_id: row.maker_id,
            unit: row.unit,
            note: row.note,
            ..About::default()
        };
        let (schema, fonds, state) = (File::SCHEMA.into(), self.fonds, FileState::Open);
        Ok(File { schema, file, fonds, replaces: None, salt, state, about })
    }
}

fn is_year(group: &str) -> bool {
    group.len() == 4 && matches!(group.as_bytes(), [b'1' | b'2', b'0' | b'9', ..]) && group.parse::<u16>().is_ok()
}

/// The text with a number replaced wherever it stands for itself: 2025 in `năm 2025`, not in `12025`.
fn replace_number(text: &str, old: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, from) = rest.split_at(at);
        let after = from.get(old.len()..).unwrap_or_default();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let alone = !inside(before.chars().next_back().or(out.chars().next_back())) && !inside(after.chars().next());
        out.push_str(before);
        out.push_str(if alone { new } else { old });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::{
        document::assert_one_spelling,
        flaw::Code::{
            AnotherYear, CodeMissing, DuplicateCode, HeadingLoop, MakerMissing, NothingPlanned, RetentionMissing,
            SourceMissing, TitleMissing, UnknownHeading,
        },
    };

    pub fn planned(code: &str, title: &str, retention_code: &str, maker: &str) -> Planned {
        Planned {
            code: code.into(),
            title: title.into(),
            heading: code.split('.').nth(1).map(str::to_owned),
            retention_code: Some(retention_code.into()),
            maker: Some(maker.into()),
            ..Planned::default()
        }
    }

    /// The list of the sample archive's SNV-LH for 2025.
    pub fn plan() -> FilePlan {
        let heading = |code: &str, title: &str, parent: Option<&str>| Heading {
            code: code.into(),
            title: title.into(),
            parent: parent.map(str::to_owned),
        };
        FilePlan {
            schema: FilePlan::SCHEMA.into(),
            plan: PlanId::new(1_763_877_600_000, [6; 10]),
            fonds: FondsId::new(1_763_877_600_000, [8; 10]),
            year: 2025,
            agency: "SNV-LH".parse().unwrap(),
            replaces: None,
            salt: Salt::new([3; 32]),
            headings: vec![
                heading("VP", "Văn phòng", None),
                heading("VTLT", "Văn thư, lưu trữ", Some("VP")),
                heading("CCHC", "Cải cách hành chính", None),
            ],
            files: vec![
                planned("2025.VTLT.01", "Danh mục hồ sơ năm 2025", "05", "Quách Thị Mai"),
                planned("2025.VTLT.02", "Hồ sơ tập huấn cấp xã năm 2025", "06", "Cao Văn Nghĩa"),
                planned("2025.CCHC.01", "Báo cáo giải quyết thủ tục hành chính năm 2024", "05", "Vi Thị Nhàn"),
            ],
            approval: None,
        }
    }

    pub fn who(n: u8, role: Role) -> Who {
        Who { id: ActorId::new(0, [n; 10]), role }
    }

    fn on() -> PartialDate {
        "2025-01-09".parse().unwrap()
    }

    pub fn issued() -> FilePlan {
        plan().approved(&who(1, Role::Head), "12/QĐ-SNV", on()).unwrap()
    }

    #[test]
    fn a_list_has_one_spelling() {
        assert_one_spelling(&plan());
        assert_one_spelling(&issued());
    }

    #[test]
    fn what_is_wrong_with_a_list() {
        type Change = fn(&mut FilePlan);
        let cases: [(Change, &[Code]); 14] = [
            (|_| {}, &[]),
            (|p| p.files[0].heading = None, &[]),
            (|p| p.files.clear(), &[NothingPlanned]),
            (|p| p.files[1].code = "2025.vtlt.01".into(), &[DuplicateCode]),
            (|p| p.files[1].code = " ".into(), &[CodeMissing]),
            (|p| p.files[1].title = String::new(), &[TitleMissing]),
            (|p| p.files[1].code = "2024.VTLT.02".into(), &[AnotherYear]),
            (|p| p.files[1].retention_code = None, &[RetentionMissing]),
            (|p| (p.files[1].retention_code, p.files[1].retention_years) = (None, Some(15)), &[]),
            (|p| p.files[1].maker = None, &[MakerMissing]),
            (|p| p.files[1].heading = Some("KT".into()), &[UnknownHeading]),
            (|p| p.headings[1].parent = Some("XX".into()), &[UnknownHeading]),
            (|p| p.headings[0].parent = Some("VTLT".into()), &[HeadingLoop, HeadingLoop]),
            (
                |p| p.approval = Some(Approval { by: who(1, Role::Head).id, decision: " ".into(), on: on() }),
                &[SourceMissing],
            ),
        ];
        for (n, (change, expected)) in cases.into_iter().enumerate() {
            let mut plan = plan();
            change(&mut plan);
            let found: Vec<Code> = plan.check().into_iter().map(|flaw| flaw.code).collect();
            assert_eq!(found, expected, "case {n}");
        }
    }

    /// NĐ 30/2020/NĐ-CP art. 28: the head issues the list.
    #[test]
    fn only_the_head_approves_and_only_what_is_right() {
        for role in Role::ALL {
            let approved = plan().approved(&who(1, *role), "12/QĐ-SNV", on());
            assert_eq!(approved.is_ok(), *role == Role::Head, "{role:?}");
        }
        let head = who(1, Role::Head);
        assert_eq!(plan().approved(&head, " ", on()), Err(Refusal::NoDecision));
        assert_eq!(issued().approved(&head, "13/QĐ-SNV", on()), Err(Refusal::NotNow));
        let mut wrong = plan();
        wrong.files[0].title.clear();
        assert_eq!(wrong.approved(&head, "12/QĐ-SNV", on()), Err(Refusal::Flawed));
    }

    #[test]
    fn next_years_list_begins_as_a_copy() {
        let copy = issued().copy_for(2026, PlanId::new(0, [9; 10]), Salt::new([4; 32]));
        assert_eq!((copy.year, copy.approval.is_none(), copy.check()), (2026, true, vec![]));
        let codes: Vec<&str> = copy.files.iter().map(|file| file.code.as_str()).collect();
        assert_eq!(codes, ["2026.VTLT.01", "2026.VTLT.02", "2026.CCHC.01"]);
        let titles: Vec<&str> = copy.files.iter().map(|file| file.title.as_str()).collect();
        // What names an earlier year is left: whether it moves on too is for the person who reads it.
        let expected = [
            "Danh mục hồ sơ năm 2026",
            "Hồ sơ tập huấn cấp xã năm 2026",
            "Báo cáo giải quyết thủ tục hành chính năm 2024",
        ];
        assert_eq!(titles, expected);
        for (text, renewed) in [("2025", "2026"), ("12025", "12025"), ("20250", "20250"), ("20252025", "20252025")] {
            assert_eq!(replace_number(text, "2025", "2026"), renewed);
        }
    }

    #[test]
    fn an_approved_list_opens_files() {
        let (file, salt) = (FileId::new(1_763_877_600_000, [7; 10]), Salt::new([5; 32]));
        let row = plan().files.remove(0);
        assert_eq!(plan().open(&row, file, salt.clone(), on()), Err(Refusal::NotNow));
        let opened = issued().open(&row, file, salt, on()).unwrap();
        assert_eq!((opened.state, opened.fonds, opened.about.title), (FileState::Open, plan().fonds, row.title));
        assert_eq!((opened.about.maker, opened.about.started), (row.maker, Some(on())));
        assert_eq!(opened.about.retention_code, row.retention_code);
    }
}

//! A file (hồ sơ): the archival dossier, and the description of it that is kept: the 18 fields of the circular
//! (TT 05/2025/TT-BNV, Annexes I and III, `EAD`) under our names, plus what officials need to make, find and hand over.
//!
//! # Why
//! As with records ([`crate::record::fields`]) the circular's lengths and obligations are one table, and they are
//! warnings: only a missing title stops a file. What the archive can count or compose itself (how many records, the
//! code, whether a security copy is to be made) nobody is asked for. The state stands in the description, so that the
//! reasons of an act, which no ledger may hold, lie beside it.

use crate::record::{
    access::Access,
    codes,
    date::PartialDate,
    digest::Digest,
    document::{Document, Salt},
    fields::{Field, Need, Shape, Wrong, flag, joined, judge, one, row},
    file_state::FileState,
    filecode::FileCode,
    flaw::{Code, Flaw},
    id::{ActorId, FileId, FondsId, RecordId},
    retention::trigger::Told,
    term::ClassRef,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is said of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Mã hồ sơ (`fileCode`, S100).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Tiêu đề hồ sơ (`title`, S1000).
    pub title: String,
    /// Thời hạn lưu trữ (`maintenance`) as a code 01–07.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_code: Option<String>,
    /// Chế độ sử dụng (`mode`).
    pub access: Access,
    /// Ngôn ngữ, codes 01–11 (`language`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Thời gian bắt đầu (`startDate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<PartialDate>,
    /// Thời gian kết thúc (`endDate`): when the work ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<PartialDate>,
    /// Từ khóa (`keyword`, S100 together).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Tổng số tài liệu (`totalDoc`, N10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u32>,
    /// Số lượng tờ (`numberOfPaper`, N10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheets: Option<u32>,
    /// Số lượng trang (`numberOfPage`, N10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Tình trạng vật lý (`format`): 01 good, 02 normal, 03 damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_condition: Option<String>,
    /// Ký hiệu thông tin (`inforSign`, S30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information_sign: Option<String>,
    /// Mức độ tin cậy (`confidenceLevel`): 01 born digital, 02 digitised, 03 mixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Mã hồ sơ gốc giấy (`paperFileCode`, S100).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper_code: Option<String>,
    /// Chế độ dự phòng (`riskRecovery`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_copy: Option<bool>,
    /// Tình trạng dự phòng (`riskRecoveryStatus`): 01 it has been made, 02 not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_copy_status: Option<String>,
    /// Ghi chú (`description`, S2000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Đề mục trong danh mục hồ sơ: the heading (or series) that it stands under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// Người lập hồ sơ, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// And as an actor here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker_id: Option<ActorId>,
    /// Đơn vị lập hồ sơ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Ngày mở hồ sơ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<PartialDate>,
    /// Ngày kết thúc hồ sơ: when it was closed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<PartialDate>,
    /// Số năm lưu trữ: the real number beside the code, which has none for 15, 5 or 2 years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_years: Option<u32>,
    /// Mục trong bảng thời hạn lưu trữ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassRef>,
    /// What started or will start a clock, where no other field says it: the end of a construction, an event that a
    /// schedule names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Told>,
    /// Lý do: why it was reopened, or given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Vị trí tài liệu giấy: store, shelf, box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper_place: Option<String>,
    /// Lý do không lập hồ sơ: these are loose records (tài liệu rời), allowed for a reason only (TT 05/2025 art. 17.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loose_reason: Option<String>,
    /// Tài liệu dẫn chiếu: records of other files that belong here too. They are referred to, never copied, and leave
    /// with this description; each has one file that keeps it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<Shared>,
}

/// A record that another file keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    pub record: RecordId,
    /// Its place in this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u32>,
}

/// The description of a file: schema `file.v1`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub schema: String,
    pub file: FileId,
    pub fonds: FondsId,
    /// The description that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    pub salt: Salt,
    pub state: FileState,
    pub about: About,
}

impl Document for File {
    const SCHEMA: &'static str = "file.v1";
    fn schema(&self) -> &str {
        &self.schema
    }
}

const fn of_the_circular(
    name: &'static str,
    vi: &'static str,
    (element, length): (&'static str, usize),
    value: fn(&About) -> Option<Cow<'_, str>>,
) -> Field<About> {
    row(name, vi, value).element(element, length).at("file")
}

const DIGITISED: Need<About> =
    Need::PackageWhere("for packages, where `origin` is 02", |a: &About| a.origin.as_deref() == Some("02"));
const COPIED: Need<About> =
    Need::PackageWhere("for packages, where `security_copy` is true", |a: &About| a.security_copy == Some(true));

/// Every field, in the order of [`About`]. Elements and lengths: TT 05/2025/TT-BNV, Annexes I and III.
pub static FILE_FIELDS: [Field<About>; 30] = [
    of_the_circular("code", "Mã hồ sơ", ("fileCode", 100), |a| one(&a.code)).needed(Need::Package),
    of_the_circular("title", "Tiêu đề hồ sơ", ("title", 1000), |a| {
        Some(Cow::from(a.title.as_str())).filter(|title| !title.trim().is_empty())
    })
    .needed(Need::Record),
    of_the_circular("retention_code", "Thời hạn lưu trữ", ("maintenance", 100), |a| one(&a.retention_code))
        .needed(Need::Package)
        .of("RETENTIONS", &codes::RETENTIONS),
    of_the_circular("access", "Chế độ sử dụng", ("mode", 30), |a| Some(Cow::from(a.access.as_str())))
        .shaped(Shape::Level)
        .needed(Need::Made)
        .of("ACCESS", &codes::ACCESS),
    of_the_circular("language", "Ngôn ngữ", ("language", 100), |a| joined(&a.languages))
        .keyed("languages")
        .shaped(Shape::Lines)
        .needed(Need::Package)
        .of("LANGUAGES", &codes::LANGUAGES),
    of_the_circular("started", "Thời gian bắt đầu", ("startDate", 0), |a| date(a.started))
        .shaped(Shape::Date)
        .needed(Need::Package),
    of_the_circular("ended", "Thời gian kết thúc", ("endDate", 0), |a| date(a.ended))
        .shaped(Shape::Date)
        .needed(Need::Package),
    of_the_circular("keywords", "Từ khóa", ("keyword", 100), |a| joined(&a.keywords)).shaped(Shape::Lines),
    of_the_circular("records", "Tổng số tài liệu", ("totalDoc", 10), |a| count(a.records))
        .shaped(Shape::Count)
        .needed(Need::Made),
    of_the_circular("sheets", "Số lượng tờ", ("numberOfPaper", 10), |a| count(a.sheets))
        .shaped(Shape::Count)
        .needed(DIGITISED),
    of_the_circular("pages", "Số lượng trang", ("numberOfPage", 10), |a| count(a.pages))
        .shaped(Shape::Count)
        .needed(Need::Made),
    of_the_circular("physical_condition", "Tình trạng vật lý", ("format", 50), |a| one(&a.physical_condition))
        .of("CONDITIONS", &codes::CONDITIONS),
    of_the_circular("information_sign", "Ký hiệu thông tin", ("inforSign", 30), |a| one(&a.information_sign)),
    of_the_circular("origin", "Mức độ tin cậy", ("confidenceLevel", 40), |a| one(&a.origin))
        .of("ORIGINS", &codes::ORIGINS),
    of_the_circular("paper_code", "Mã hồ sơ gốc giấy", ("paperFileCode", 100), |a| one(&a.paper_code))
        .needed(DIGITISED),
    of_the_circular("security_copy", "Chế độ dự phòng", ("riskRecovery", 0), |a| flag(a.security_copy))
        .shaped(Shape::Flag)
        .needed(Need::Made),
    of_the_circular("security_copy_status", "Tình trạng dự phòng", ("riskRecoveryStatus", 2), |a| {
        one(&a.security_copy_status)
    })
    .needed(COPIED)
    .of("SECURITY_COPIES", &codes::SECURITY_COPIES),
    of_the_circular("note", "Ghi chú", ("description", 2000), |a| one(&a.note)).shaped(Shape::Text),
    row("heading", "Đề mục trong danh mục hồ sơ", |a: &About| one(&a.heading)),
    row("maker", "Người lập hồ sơ", |a: &About| one(&a.maker)),
    row("maker_id", "Tài khoản người lập hồ sơ", |a: &About| a.maker_id.map(|id| Cow::from(id.to_string()))),
    row("unit", "Đơn vị lập hồ sơ", |a: &About| one(&a.unit)),
    row("opened", "Ngày mở hồ sơ", |a: &About| date(a.opened)).shaped(Shape::Date),
    row("closed", "Ngày kết thúc hồ sơ", |a: &About| date(a.closed)).shaped(Shape::Date),
    row("retention_years", "Số năm lưu trữ", |a: &About| count(a.retention_years)).shaped(Shape::Count),
    row("class", "Mục trong bảng thời hạn lưu trữ", |a: &About| {
        a.class.as_ref().map(|class| Cow::from(class.to_string()))
    }),
    row("reasons", "Lý do", |a: &About| joined(&a.reasons)).shaped(Shape::Lines),
    row("paper_place", "Vị trí tài liệu giấy", |a: &About| one(&a.paper_place)),
    row("loose_reason", "Lý do không lập hồ sơ", |a: &About| one(&a.loose_reason)),
    row("shared", "Tài liệu dẫn chiếu", shared).shaped(Shape::Lines),
];

fn shared(about: &About) -> Option<Cow<'_, str>> {
    let line = |shared: &Shared| match shared.ordinal {
        Some(ordinal) => format!("{ordinal}: {}", shared.record),
        None => shared.record.to_string(),
    };
    let lines: Vec<String> = about.shared.iter().map(line).collect();
    (!lines.is_empty()).then(|| Cow::from(lines.join("; ")))
}

fn date(date: Option<PartialDate>) -> Option<Cow<'static, str>> {
    date.map(|date| Cow::from(date.to_string()))
}

fn count(count: Option<u32>) -> Option<Cow<'static, str>> {
    count.map(|count| Cow::from(count.to_string()))
}

/// What is wrong with a file's fields by the table.
pub fn check_file(about: &About) -> Vec<Flaw> {
    let flaw = |(name, wrong)| match wrong {
        Wrong::Needed => Flaw::new(Code::TitleMissing, name),
        Wrong::Missing => Flaw::new(Code::FieldMissing, name),
        Wrong::TooLong(long, limit) => Flaw::new(Code::FieldTooLong, name).with_detail(format!("{long} > {limit}")),
    };
    let mut flaws: Vec<Flaw> = judge(&FILE_FIELDS, about).map(flaw).collect();
    for field in FILE_FIELDS.iter().filter(|field| field.shape != Shape::Level) {
        let Some(((_, list), value)) = field.list.zip((field.value)(about)) else { continue };
        let outside = value.split("; ").find(|code| codes::name(list, code).is_none());
        flaws.extend(outside.map(|code| Flaw::new(Code::OutsideList, field.name).with_detail(code)));
    }
    if about.started.zip(about.ended).is_some_and(|(started, ended)| ended.span().1 < started.span().0) {
        flaws.push(Flaw::new(Code::EndsBeforeItBegins, "ended"));
    }
    if about.code.as_ref().is_some_and(|code| FileCode::complete(code, "0").is_err()) {
        flaws.push(Flaw::new(Code::MalformedCode, "code"));
    }
    if about.access == Access::Secret {
        flaws.push(Flaw::new(Code::SecretFile, "access"));
    }
    if about.loose_reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        flaws.push(Flaw::new(Code::ReasonMissing, "loose_reason"));
    }
    flaws
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::{document::assert_one_spelling, id::ScheduleId};

    /// Nothing wrong by the circular.
    pub fn whole() -> About {
        About {
            code: Some("H49.64.33.2001.160".into()),
            title: "Hồ sơ kiểm tra công tác văn thư, lưu trữ năm 2024".into(),
            retention_code: Some("05".into()),
            languages: vec!["01".into()],
            started: "2024-02-20".parse().ok(),
            ended: "2024-08-09".parse().ok(),
            ..About::default()
        }
    }

    pub fn full() -> About {
        let one = || Some("1".to_owned());
        About {
            keywords: vec!["1".into()],
            records: Some(5),
            sheets: Some(5),
            pages: Some(5),
            physical_condition: one(),
            information_sign: one(),
            origin: one(),
            paper_code: one(),
            security_copy: Some(true),
            security_copy_status: one(),
            note: one(),
            heading: one(),
            maker: Some("Cao Văn Nghĩa".into()),
            maker_id: Some(ActorId::new(0, [2; 10])),
            unit: one(),
            opened: "2024-02-20".parse().ok(),
            closed: "2024-08-30".parse().ok(),
            retention_years: Some(20),
            class: Some(ClassRef { schedule: ScheduleId::new(0, [3; 10]), version: 1, class: "1.7".into() }),
            reasons: vec!["1".into()],
            paper_place: one(),
            loose_reason: one(),
            shared: vec![Shared { record: RecordId::new(0, [9; 10]), ordinal: Some(6) }],
            ..whole()
        }
    }

    #[test]
    fn a_description_has_one_spelling() {
        let (file, fonds) = (FileId::new(1_763_877_600_000, [7; 10]), FondsId::new(1_763_877_600_000, [8; 10]));
        let salt = Salt::new([3; 32]);
        for (about, state) in [(whole(), FileState::Open), (full(), FileState::Accepted)] {
            let (schema, replaces) = (File::SCHEMA.into(), Some(Digest::of(b"x")));
            assert_one_spelling(&File { schema, file, fonds, replaces, salt: salt.clone(), state, about });
        }
    }

    #[test]
    fn the_table_has_the_fields_of_a_file_and_no_other() {
        let json = serde_json::to_value(full()).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(FILE_FIELDS.iter().map(|f| f.key).collect::<Vec<_>>(), keys);
        assert!(FILE_FIELDS.iter().all(|f| (f.value)(&full()).is_some()));
        assert_eq!(FILE_FIELDS.iter().filter(|f| f.circular.is_some()).count(), 18, "TT 05/2025, EAD");
    }

    #[test]
    fn what_the_table_finds() {
        type Change = fn(&mut About);
        let cases: [(Change, &[(Code, &str)]); 22] = [
            (|_| {}, &[]),
            (|a| a.title = "ệ".repeat(1000), &[]),
            (|a| a.languages = vec!["01".into(), "02".into()], &[]),
            (|a| (a.retention_code, a.retention_years) = (Some("07".into()), Some(15)), &[]),
            (|a| a.security_copy = Some(false), &[]),
            (|a| a.loose_reason = Some("Cơ quan không lập hồ sơ".into()), &[]),
            (|a| a.ended = "2024".parse().ok(), &[]),
            (|a| a.title = " ".into(), &[(Code::TitleMissing, "title")]),
            (|a| a.title = "ệ".repeat(1001), &[(Code::FieldTooLong, "title")]),
            (|a| a.code = None, &[(Code::FieldMissing, "code")]),
            (|a| a.code = Some("2025.VTLT.01".into()), &[]),
            (|a| a.code = Some("VTLT.01".into()), &[(Code::MalformedCode, "code")]),
            (|a| a.code = Some("1".repeat(101)), &[(Code::FieldTooLong, "code"), (Code::MalformedCode, "code")]),
            (|a| a.retention_code = Some("15 năm".into()), &[(Code::OutsideList, "retention_code")]),
            (|a| a.languages = vec!["01".into(), "ja".into()], &[(Code::OutsideList, "language")]),
            (|a| a.started = None, &[(Code::FieldMissing, "started")]),
            (|a| a.ended = "2023".parse().ok(), &[(Code::EndsBeforeItBegins, "ended")]),
            (|a| a.origin = Some("02".into()), &[(Code::FieldMissing, "sheets"), (Code::FieldMissing, "paper_code")]),
            (|a| a.security_copy = Some(true), &[(Code::FieldMissing, "security_copy_status")]),
            (|a| a.physical_condition = Some("4".into()), &[(Code::OutsideList, "physical_condition")]),
            (|a| a.access = Access::Secret, &[(Code::SecretFile, "access")]),
            (|a| a.loose_reason = Some(" ".into()), &[(Code::ReasonMissing, "loose_reason")]),
        ];
        for (n, (change, expected)) in cases.into_iter().enumerate() {
            let mut about = whole();
            change(&mut about);
            let found = check_file(&about);
            let found: Vec<(Code, &str)> = found.iter().map(|flaw| (flaw.code, flaw.place.as_str())).collect();
            assert_eq!(found, expected, "case {n}");
        }
    }
}

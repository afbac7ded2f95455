//! The fields of a record as one table: our name, the circular's, its length, whether packages need it,
//! its code list. [`check`] judges by it, `schemas/README.md` prints it.
//!
//! # Why
//! Lengths and obligations of TT 05/2025/TT-BNV change with the next circular; they stand in one place and
//! a test holds the document to it. They are warnings: the circular binds packages, not what may be kept,
//! so a value is never cut and nothing but a missing subject stops a record.

use crate::record::{
    access::Access,
    codes,
    finding::{Code, Finding},
    metadata::Metadata,
};
use std::borrow::Cow;

/// How a field is written in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A string of one line.
    Line,
    /// A string that may hold line feeds.
    Text,
    /// An array of lines; its length is counted with the lines joined by `; `.
    Lines,
    /// [`crate::record::date::PartialDate`].
    Date,
    /// A whole number from 1; its length is counted in digits.
    Count,
    /// `true` or `false`; the circular writes 1 and 0.
    Flag,
    /// `public`, `conditional` or `secret`.
    Level,
}

impl Shape {
    pub fn as_str(&self) -> &'static str {
        match self {
            Shape::Line => "line",
            Shape::Text => "text",
            Shape::Lines => "lines",
            Shape::Date => "date",
            Shape::Count => "count",
            Shape::Flag => "flag",
            Shape::Level => "level",
        }
    }
}

/// Who needs a field of a `T`.
pub enum Need<T = Metadata> {
    /// Nothing is kept without it.
    Record,
    /// The circular requires it of the depositor: its absence is a warning.
    Package,
    /// The same, but of some records only; the text says of which.
    PackageWhere(&'static str, fn(&T) -> bool),
    /// The circular requires it, and the archive knows it or can make it.
    Made,
    /// Nobody.
    Optional,
}

impl<T> Need<T> {
    pub fn as_str(&self) -> &'static str {
        match self {
            Need::Record => "always",
            Need::Package => "for packages",
            Need::PackageWhere(text, _) => text,
            Need::Made => "made by the archive",
            Need::Optional => "no",
        }
    }
}

/// One field of a `T`: of a record's metadata, of a file ([`crate::record::file`]), of a fonds.
pub struct Field<T = Metadata> {
    /// Its name in manifests and findings.
    pub name: &'static str,
    /// Its key in a description, which differs for `language` only.
    pub key: &'static str,
    pub vi: &'static str,
    /// The element of the circular, where it has one.
    pub circular: Option<&'static str>,
    /// Where the element stands: `document`, `file` or `package`; `fonds` is named without elements.
    pub level: &'static str,
    pub shape: Shape,
    /// The circular's limit in characters (in digits for counts).
    pub length: Option<usize>,
    pub need: Need<T>,
    /// The code list and its name in [`codes`].
    pub list: Option<(&'static str, &'static [codes::Code])>,
    /// What is said here; `None` where nothing is said.
    pub value: fn(&T) -> Option<Cow<'_, str>>,
}

/// A field that nobody asks for yet: the beginning of a row.
pub const fn row<T>(name: &'static str, vi: &'static str, value: fn(&T) -> Option<Cow<'_, str>>) -> Field<T> {
    let (circular, length, list) = (None, None, None);
    Field { name, key: name, vi, circular, level: "–", shape: Shape::Line, length, need: Need::Optional, list, value }
}

const fn field(name: &'static str, vi: &'static str, value: fn(&Metadata) -> Option<Cow<'_, str>>) -> Field {
    row(name, vi, value)
}

impl<T> Field<T> {
    /// Who asks for the field.
    pub fn source(&self) -> &'static str {
        match self.level {
            "document" => "TT 05/2025, EAD_doc",
            "file" => "TT 05/2025, EAD",
            "package" => "TT 05/2025, METS",
            "fonds" => "TT 05/2025, fonds",
            _ => "offices",
        }
    }

    pub const fn element(mut self, element: &'static str, length: usize) -> Field<T> {
        self.circular = Some(element);
        self.level = "document";
        self.length = if length == 0 { None } else { Some(length) };
        self
    }

    pub const fn at(mut self, level: &'static str) -> Field<T> {
        self.level = level;
        self
    }

    pub const fn needed(mut self, need: Need<T>) -> Field<T> {
        self.need = need;
        self
    }

    pub const fn shaped(mut self, shape: Shape) -> Field<T> {
        self.shape = shape;
        self
    }

    pub const fn of(mut self, name: &'static str, list: &'static [codes::Code]) -> Field<T> {
        self.list = Some((name, list));
        self
    }

    pub const fn keyed(mut self, key: &'static str) -> Field<T> {
        self.key = key;
        self
    }
}

/// A line as a value.
pub fn one(value: &Option<String>) -> Option<Cow<'_, str>> {
    value.as_deref().map(Cow::from)
}

/// Yes or no as a value.
pub fn flag(value: Option<bool>) -> Option<Cow<'static, str>> {
    value.map(|flag| Cow::from(if flag { "true" } else { "false" }))
}

/// A list as a value, with `; ` between its lines.
pub fn joined(values: &[String]) -> Option<Cow<'_, str>> {
    match values {
        [] => None,
        [only] => Some(Cow::from(only.as_str())),
        many => Some(Cow::from(many.join("; "))),
    }
}

/// Every field, in the order of [`Metadata`]. Elements and lengths: TT 05/2025/TT-BNV, Annexes I and III.
pub static FIELDS: [Field; 30] = [
    field("subject", "Trích yếu nội dung", |m| {
        Some(Cow::from(m.subject.as_str())).filter(|s| !s.trim().is_empty())
    })
    .element("subject", 500)
    .needed(Need::Record),
    field("external_id", "Mã định danh tài liệu", |m| one(&m.external_id)).element("docId", 25).needed(Need::Made),
    field("code", "Mã tài liệu", |m| one(&m.code)).element("docCode", 100).needed(Need::Made),
    field("number", "Số của tài liệu", |m| one(&m.number)).element("codeNumber", 11),
    field("notation", "Ký hiệu của tài liệu", |m| one(&m.notation)).element("codeNotation", 30),
    field("issued", "Ngày, tháng, năm tài liệu", |m| m.issued.map(|d| Cow::from(d.to_string())))
        .element("issuedDate", 0)
        .shaped(Shape::Date)
        .needed(Need::Package),
    field("agency", "Cơ quan, tổ chức ban hành", |m| one(&m.agency)).element("organName", 200).needed(Need::Package),
    field("drafting_agency", "Cơ quan tham mưu", |m| one(&m.drafting_agency)),
    field("custodian", "Cơ quan đang quản lý", |m| one(&m.custodian)),
    field("type", "Tên loại tài liệu", |m| one(&m.kind)).needed(Need::Package),
    field("type_code", "Mã tên loại tài liệu", |m| one(&m.type_code))
        .element("typeName", 10)
        .needed(Need::Made)
        .of("TYPES", &codes::TYPES),
    field("field", "Lĩnh vực", |m| one(&m.field)),
    field("procedures", "Mã thủ tục hành chính", |m| joined(&m.procedures)).shaped(Shape::Lines),
    field("language", "Ngôn ngữ", |m| joined(&m.languages))
        .keyed("languages")
        .element("language", 100)
        .shaped(Shape::Lines)
        .needed(Need::Package)
        .of("LANGUAGES", &codes::LANGUAGES),
    field("pages", "Số lượng trang", |m| m.pages.map(|n| Cow::from(n.to_string())))
        .element("numberOfPage", 4)
        .shaped(Shape::Count)
        .needed(Need::Package),
    field("access", "Mức độ tiếp cận", |m| Some(Cow::from(m.access.as_str())))
        .element("mode", 20)
        .shaped(Shape::Level)
        .needed(Need::Made)
        .of("ACCESS", &codes::ACCESS),
    field("fonds", "Mã phông", |m| one(&m.fonds)).element("IDENTIFICATIONCODE", 0).at("package"),
    field("file", "Mã hồ sơ", |m| one(&m.file)).element("arcFileCode", 100).at("file").needed(Need::Made),
    field("file_ordinal", "Số thứ tự trong hồ sơ", |m| m.file_ordinal.map(|n| Cow::from(n.to_string())))
        .element("docOrdinal", 0)
        .shaped(Shape::Count)
        .needed(Need::Made),
    field("keywords", "Từ khóa", |m| joined(&m.keywords)).element("keyword", 100).shaped(Shape::Lines),
    field("information_sign", "Ký hiệu thông tin", |m| one(&m.information_sign)).element("inforSign", 30),
    field("origin", "Mức độ tin cậy", |m| one(&m.origin)).element("confidenceLevel", 30).of("ORIGINS", &codes::ORIGINS),
    field("annotations", "Bút tích", |m| one(&m.annotations)).element("autograph", 2000).shaped(Shape::Text),
    field("physical_condition", "Tình trạng vật lý", |m| one(&m.physical_condition))
        .element("format", 50)
        .of("CONDITIONS", &codes::CONDITIONS),
    field("has_workflow", "Có tệp quy trình xử lý", |m| flag(m.has_workflow))
        .element("process", 0)
        .shaped(Shape::Flag)
        .needed(Need::Made),
    field("retention_code", "Thời hạn lưu trữ", |m| one(&m.retention_code))
        .element("maintenance", 100)
        .needed(Need::Made)
        .of("RETENTIONS", &codes::RETENTIONS),
    field("security_copy", "Chế độ dự phòng", |m| flag(m.security_copy))
        .element("riskRecovery", 0)
        .shaped(Shape::Flag)
        .needed(Need::Made),
    field("security_copy_status", "Tình trạng dự phòng", |m| one(&m.security_copy_status))
        .element("riskRecoveryStatus", 2)
        .needed(Need::PackageWhere("for packages, where `security_copy` is true", |m| m.security_copy == Some(true)))
        .of("SECURITY_COPIES", &codes::SECURITY_COPIES),
    field("note", "Ghi chú", |m| one(&m.note)).element("description", 500).shaped(Shape::Text),
    field("validity", "Hiệu lực", |m| one(&m.validity)),
];

/// What the table finds wrong with a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// Nothing is kept without it.
    Needed,
    /// The circular requires it.
    Missing,
    /// More characters than its limit.
    TooLong(usize, usize),
}

/// What is wrong by a table: each field gives at most one answer.
pub fn judge<'a, T>(
    fields: &'static [Field<T>],
    of: &'a T,
) -> impl Iterator<Item = (&'static str, Wrong)> + use<'a, T> {
    fields.iter().filter_map(move |field| {
        let wrong = match ((field.value)(of), &field.need) {
            (Some(value), _) => {
                // Bytes are never fewer than characters: most values need no count.
                let limit = field.length.filter(|limit| value.len() > *limit)?;
                let long = value.chars().count();
                (long > limit).then_some(Wrong::TooLong(long, limit))
            }
            (None, Need::Record) => Some(Wrong::Needed),
            (None, Need::Package) => Some(Wrong::Missing),
            (None, Need::PackageWhere(_, where_true)) => where_true(of).then_some(Wrong::Missing),
            (None, Need::Made | Need::Optional) => None,
        };
        wrong.map(|wrong| (field.name, wrong))
    })
}

/// What is wrong with a record's fields by the table.
pub fn check(metadata: &Metadata, row: u64) -> Vec<Finding> {
    let finding = |(name, wrong)| match wrong {
        Wrong::Needed => Finding::new(Code::NoSubject, row, name),
        Wrong::Missing => Finding::new(Code::Missing, row, name),
        Wrong::TooLong(long, limit) => Finding::new(Code::TooLong, row, name).with_detail(format!("{long} > {limit}")),
    };
    let mut findings: Vec<Finding> = judge(&FIELDS, metadata).map(finding).collect();
    for (name, value) in outside_lists(metadata) {
        findings.push(Finding::new(Code::OutsideCodeList, row, name).with_detail(value));
    }
    if metadata.access == Access::Secret {
        findings.push(Finding::new(Code::SecretAccess, row, "access"));
    }
    findings
}

/// Fields whose value is in no code list, with that value (the first of several).
fn outside_lists(metadata: &Metadata) -> Vec<(&'static str, &str)> {
    let unknown = |list: &'static [codes::Code]| move |value: &&str| codes::name(list, value).is_none();
    let kind = metadata.kind.as_deref().filter(|_| metadata.type_code.is_none());
    let language = metadata.languages.iter().map(String::as_str).find(unknown(&codes::LANGUAGES));
    let lists: [(&'static str, Option<&str>, &'static [codes::Code]); 5] = [
        ("type_code", metadata.type_code.as_deref(), &codes::TYPES),
        ("origin", metadata.origin.as_deref(), &codes::ORIGINS),
        ("physical_condition", metadata.physical_condition.as_deref(), &codes::CONDITIONS),
        ("retention_code", metadata.retention_code.as_deref(), &codes::RETENTIONS),
        ("security_copy_status", metadata.security_copy_status.as_deref(), &codes::SECURITY_COPIES),
    ];
    let coded = lists.into_iter().filter_map(|(name, value, list)| Some((name, value.filter(unknown(list))?)));
    let named = [("type", kind), ("language", language)].into_iter().filter_map(|(name, value)| Some((name, value?)));
    named.chain(coded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing wrong by the circular.
    fn whole() -> Metadata {
        Metadata {
            subject: "Công bố thủ tục hành chính".into(),
            issued: Some("2026-05-15".parse().unwrap()),
            agency: Some("Sở Nội vụ".into()),
            kind: Some("Quyết định".into()),
            type_code: Some("02".into()),
            languages: vec!["01".into()],
            pages: Some(3),
            ..Metadata::default()
        }
    }

    #[test]
    fn what_the_table_finds() {
        type Change = fn(&mut Metadata);
        let ok: [Change; 9] = [
            |_| {},
            |m| m.subject = "ệ".repeat(500),
            |m| m.pages = Some(9999),
            |m| m.keywords = vec!["a".repeat(49), "b".repeat(49)],
            |m| m.retention_code = Some("07".into()),
            |m| m.languages = vec!["01".into(), "02".into()],
            |m| m.security_copy = Some(false),
            |m| (m.security_copy, m.security_copy_status) = (Some(true), Some("02".into())),
            |m| (m.origin, m.has_workflow) = (Some("01".into()), None),
        ];
        for (n, change) in ok.iter().enumerate() {
            let mut metadata = whole();
            change(&mut metadata);
            assert_eq!(check(&metadata, 1), vec![], "case {n}");
        }
        let wrong: [(Change, Code, &str); 21] = [
            (|m| m.subject = " ".into(), Code::NoSubject, "subject"),
            (|m| m.issued = None, Code::Missing, "issued"),
            (|m| m.agency = None, Code::Missing, "agency"),
            (|m| (m.kind, m.type_code) = (None, None), Code::Missing, "type"),
            (|m| m.languages = vec![], Code::Missing, "language"),
            (|m| m.pages = None, Code::Missing, "pages"),
            (|m| m.subject = "ệ".repeat(501), Code::TooLong, "subject"),
            (|m| m.agency = Some("x".repeat(201)), Code::TooLong, "agency"),
            (|m| m.number = Some("1".repeat(12)), Code::TooLong, "number"),
            (|m| m.notation = Some("x".repeat(31)), Code::TooLong, "notation"),
            (|m| m.external_id = Some("x".repeat(26)), Code::TooLong, "external_id"),
            (|m| m.pages = Some(10_000), Code::TooLong, "pages"),
            (|m| m.keywords = vec!["a".repeat(50), "b".repeat(49)], Code::TooLong, "keywords"),
            (|m| m.note = Some("x".repeat(501)), Code::TooLong, "note"),
            (|m| m.type_code = None, Code::OutsideCodeList, "type"),
            (|m| m.languages.push("ja".into()), Code::OutsideCodeList, "language"),
            (|m| m.origin = Some("04".into()), Code::OutsideCodeList, "origin"),
            (|m| m.retention_code = Some("15 năm".into()), Code::OutsideCodeList, "retention_code"),
            (|m| m.security_copy = Some(true), Code::Missing, "security_copy_status"),
            (|m| m.security_copy_status = Some("03".into()), Code::OutsideCodeList, "security_copy_status"),
            (|m| m.access = Access::Secret, Code::SecretAccess, "access"),
        ];
        for (change, code, field) in wrong {
            let mut metadata = whole();
            change(&mut metadata);
            let found = check(&metadata, 7);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].code, found[0].field.as_deref(), found[0].row), (code, Some(field), Some(7)));
        }
    }

    #[test]
    fn the_table_has_the_fields_of_a_record_and_no_other() {
        let full = Metadata {
            external_id: Some("1".into()),
            code: Some("1".into()),
            number: Some("1".into()),
            notation: Some("1".into()),
            drafting_agency: Some("1".into()),
            custodian: Some("1".into()),
            field: Some("1".into()),
            procedures: vec!["1".into()],
            fonds: Some("1".into()),
            file: Some("1".into()),
            file_ordinal: Some(1),
            keywords: vec!["1".into()],
            information_sign: Some("1".into()),
            origin: Some("1".into()),
            annotations: Some("1".into()),
            physical_condition: Some("1".into()),
            has_workflow: Some(true),
            retention_code: Some("1".into()),
            security_copy: Some(true),
            security_copy_status: Some("1".into()),
            note: Some("1".into()),
            validity: Some("1".into()),
            ..whole()
        };
        let json = serde_json::to_value(&full).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(FIELDS.iter().map(|f| f.key).collect::<Vec<_>>(), keys);
        assert!(FIELDS.iter().all(|f| (f.value)(&full).is_some()));
    }
}

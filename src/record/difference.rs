//! What did a correction change? Two descriptions of the same thing, field by field, in words that a clerk reads.
//!
//! # Why
//! The tables of fields ([`crate::record::fields`]) know every field's name and how it says its value: the difference is
//! read from them, so that a field that is added later is compared from its first day. Codes are shown with their
//! names, dates as people write them.

use crate::record::{
    access::Access,
    codes,
    component::Component,
    date::PartialDate,
    day,
    description::Description,
    fields::{FIELDS, Field, Shape},
    file::{FILE_FIELDS, File},
    fonds::{FONDS_FIELDS, Fonds},
};
use serde::Serialize;

/// One field that is not as it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// The field's name, `physical_condition`.
    pub name: &'static str,
    pub vi: &'static str,
    pub en: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Change {
    fn new(name: &'static str, vi: &'static str, before: Option<String>, after: Option<String>) -> Change {
        let (vi, en) = (vi, name.replace('_', " "));
        Change { name, vi, en, before, after }
    }

    /// `Số lượng trang: 3 → 4`.
    pub fn line_vi(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {before} → {after}", self.vi),
            (None, Some(after)) => format!("{}: thêm {after}", self.vi),
            (Some(before), None) => format!("{}: bỏ {before}", self.vi),
            (None, None) => self.vi.into(),
        }
    }

    /// `pages: 3 → 4`.
    pub fn line_en(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {before} → {after}", self.en),
            (None, Some(after)) => format!("{}: added {after}", self.en),
            (Some(before), None) => format!("{}: taken out {before}", self.en),
            (None, None) => self.en.clone(),
        }
    }
}

/// What differs between two of the same kind, in the order of the table.
pub fn difference<T>(fields: &[Field<T>], before: &T, after: &T) -> Vec<Change> {
    let changed = fields.iter().filter_map(|field| {
        let (was, is) = ((field.value)(before), (field.value)(after));
        let say = |value: std::borrow::Cow<'_, str>| said(field, &value);
        (was != is).then(|| Change::new(field.name, field.vi, was.map(say), is.map(say)))
    });
    changed.collect()
}

/// The same of two descriptions of a record: its fields, then its components.
pub fn of_records(before: &Description, after: &Description) -> Vec<Change> {
    let mut changes = difference(&FIELDS, &before.metadata, &after.metadata);
    let find = |all: &[Component], ordinal| all.iter().find(|c| c.ordinal == ordinal).map(component);
    let ordinals = before.components.iter().chain(&after.components).map(|c| c.ordinal);
    for ordinal in ordinals.collect::<std::collections::BTreeSet<u32>>() {
        let (was, is) = (find(&before.components, ordinal), find(&after.components, ordinal));
        if was != is {
            changes.push(Change::new("component", "Tệp", was, is));
        }
    }
    changes
}

/// The same of two descriptions of a file: its state first.
pub fn of_files(before: &File, after: &File) -> Vec<Change> {
    let mut changes = Vec::new();
    if before.state != after.state {
        let say = |file: &File| Some(file.state.vi().to_owned());
        changes.push(Change::new("state", "Trạng thái", say(before), say(after)));
    }
    if before.fonds != after.fonds {
        let say = |file: &File| Some(file.fonds.to_string());
        changes.push(Change::new("fonds", "Phông", say(before), say(after)));
    }
    changes.extend(difference(&FILE_FIELDS, &before.about, &after.about));
    changes
}

/// The same of two descriptions of a fonds.
pub fn of_fonds(before: &Fonds, after: &Fonds) -> Vec<Change> {
    difference(&FONDS_FIELDS, &before.about, &after.about)
}

/// A value as people read it: a code with its name, a date by day, month and year, yes and no in words.
fn said<T>(field: &Field<T>, value: &str) -> String {
    let named = |code: &str| match field.list.and_then(|(_, list)| codes::name(list, code)) {
        Some(name) => format!("{code} ({name})"),
        None => code.to_owned(),
    };
    match field.shape {
        Shape::Date => value.parse::<PartialDate>().map_or_else(|_| value.to_owned(), day::words),
        Shape::Flag if value == "true" => "có".into(),
        Shape::Flag => "không".into(),
        Shape::Level => {
            let level = [Access::Public, Access::Conditional, Access::Secret].iter().position(|a| a.as_str() == value);
            level.and_then(|n| codes::ACCESS.get(n)).map_or(value, |(_, name)| name).into()
        }
        Shape::Lines => value.split("; ").map(named).collect::<Vec<_>>().join("; "),
        Shape::Line | Shape::Text | Shape::Count => named(value),
    }
}

/// A component by what tells it from others: its ordinal, its name as it came, its format, the begin of its digest.
fn component(component: &Component) -> String {
    let name = component.original_name.as_deref().unwrap_or_default();
    let digest: String = component.sha256.to_string().chars().take(12).collect();
    let unread = if component.unread.is_some() { ", chưa đọc được" } else { "" };
    format!("{} {name} ({}, {digest}…{unread})", component.ordinal, component.format.mime).replace("  ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        component::{Format, Role},
        digest::Digest,
        document::{Document, Salt},
        file,
        file_state::FileState,
        fonds,
        id::{FileId, FondsId, RecordId},
        metadata::Metadata,
    };

    fn lines(changes: &[Change]) -> Vec<String> {
        changes.iter().map(Change::line_vi).collect()
    }

    #[test]
    fn a_record_field_by_field() {
        type Set = fn(&mut Metadata);
        let cases: [(Set, Set, &str, &str); 8] = [
            (|m| m.pages = Some(3), |m| m.pages = Some(4), "Số lượng trang: 3 → 4", "pages: 3 → 4"),
            (|_| {}, |m| m.note = Some("Bản chính".into()), "Ghi chú: thêm Bản chính", "note: added Bản chính"),
            (|m| m.field = Some("Nội vụ".into()), |_| {}, "Lĩnh vực: bỏ Nội vụ", "field: taken out Nội vụ"),
            (
                |m| m.issued = "2026-05-15".parse().ok(),
                |m| m.issued = "2026-05".parse().ok(),
                "Ngày, tháng, năm tài liệu: 15/05/2026 → 05/2026",
                "issued: 15/05/2026 → 05/2026",
            ),
            (
                |m| m.type_code = Some("02".into()),
                |m| m.type_code = Some("32".into()),
                "Mã tên loại tài liệu: 02 (Quyết định) → 32 (Khác)",
                "type code: 02 (Quyết định) → 32 (Khác)",
            ),
            (
                |m| m.languages = vec!["01".into()],
                |m| m.languages = vec!["01".into(), "ja".into()],
                "Ngôn ngữ: 01 (Tiếng Việt) → 01 (Tiếng Việt); ja",
                "language: 01 (Tiếng Việt) → 01 (Tiếng Việt); ja",
            ),
            (
                |m| m.access = Access::Public,
                |m| m.access = Access::Secret,
                "Mức độ tiếp cận: Công khai → Mật",
                "access: Công khai → Mật",
            ),
            (
                |m| m.security_copy = Some(false),
                |m| m.security_copy = Some(true),
                "Chế độ dự phòng: không → có",
                "security copy: không → có",
            ),
        ];
        for (before, after, vi, en) in cases {
            let (mut was, mut is) = (Metadata::default(), Metadata::default());
            before(&mut was);
            after(&mut is);
            let changes = difference(&FIELDS, &was, &is);
            assert_eq!(changes.len(), 1, "{changes:?}");
            assert_eq!((changes[0].line_vi().as_str(), changes[0].line_en().as_str()), (vi, en));
            assert_eq!(difference(&FIELDS, &was, &was), []);
        }
    }

    #[test]
    fn components_come_after_the_fields() {
        let one = |ordinal, bytes: &[u8]| Component {
            ordinal,
            sha256: Digest::of(bytes),
            size: 1,
            format: Format { mime: "application/pdf".into() },
            role: Role::Original,
            original_name: Some("48.pdf".into()),
            made_from: None,
            made_by: None,
            unread: None,
        };
        let before = Description {
            schema: crate::record::description::SCHEMA.into(),
            record: RecordId::new(0, [7; 10]),
            replaces: None,
            salt: "00".repeat(32),
            metadata: Metadata { subject: "a".into(), ..Metadata::default() },
            components: vec![one(1, b"x")],
            findings: vec![],
            reasons: Vec::new(),
            secrecy: None,
        };
        let metadata = Metadata { subject: "b".into(), ..Metadata::default() };
        let after = Description { metadata, components: vec![one(1, b"x"), one(2, b"y")], ..before.clone() };
        let digest: String = Digest::of(b"y").to_string().chars().take(12).collect();
        let expected =
            ["Trích yếu nội dung: a → b".to_owned(), format!("Tệp: thêm 2 48.pdf (application/pdf, {digest}…)")];
        assert_eq!(lines(&of_records(&before, &after)), expected);
    }

    #[test]
    fn a_file_and_a_fonds() {
        let before = File {
            schema: File::SCHEMA.into(),
            file: FileId::new(0, [1; 10]),
            fonds: FondsId::new(0, [2; 10]),
            replaces: None,
            salt: Salt::new([3; 32]),
            state: FileState::Closed,
            about: file::tests::whole(),
        };
        let about = file::About { reasons: vec!["Bổ sung văn bản".into()], ..before.about.clone() };
        let after = File { state: FileState::Reopened, about, salt: Salt::new([4; 32]), ..before.clone() };
        assert_eq!(
            lines(&of_files(&before, &after)),
            ["Trạng thái: đã kết thúc → mở lại", "Lý do: thêm Bổ sung văn bản"]
        );
        assert_eq!(of_files(&after, &after), []);
        let open = Fonds {
            schema: Fonds::SCHEMA.into(),
            fonds: FondsId::new(0, [2; 10]),
            replaces: None,
            salt: Salt::new([3; 32]),
            about: fonds::tests::of("UBND-DM"),
        };
        let mut closed = open.clone();
        let on = "2025-06-30".parse().unwrap();
        closed.about.closed = Some(fonds::Closed { on, reason: "Kết thúc hoạt động cấp huyện".into() });
        let expected = ["Trạng thái: đóng: thêm 2025-06-30: Kết thúc hoạt động cấp huyện"];
        assert_eq!(lines(&of_fonds(&open, &closed)), expected);
    }
}

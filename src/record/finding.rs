//! A finding (lỗi gói tin): one thing wrong in what was handed over: a code, a place, a text.
//!
//! Findings are data. A warning travels with the record; an error stops its row and nothing else.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Warning,
    Error,
}

macro_rules! findings {
    ($($variant:ident $code:literal $severity:ident $vi:literal $en:literal)*) => {
        /// What is wrong, as a code that never changes its meaning.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum Code {
            $(#[serde(rename = $code)] $variant,)*
        }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            pub fn as_str(&self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            pub fn severity(&self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }

            /// What is wrong and what to do, in Vietnamese.
            pub fn vi(&self) -> &'static str {
                match self { $(Code::$variant => $vi,)* }
            }

            /// What is wrong and what to do, in English.
            pub fn en(&self) -> &'static str {
                match self { $(Code::$variant => $en,)* }
            }
        }
    };
}

findings! {
    Missing "missing" Warning
        "thiếu trường mà TT 05/2025 yêu cầu cho gói tin; bổ sung khi có thể"
        "a field that TT 05/2025 requires for packages is missing; add it when it is known"
    TooLong "too_long" Warning
        "dài hơn giới hạn của TT 05/2025; rút gọn trước khi xuất gói tin"
        "longer than TT 05/2025 allows; shorten it before packages are made"
    OutsideCodeList "outside_code_list" Warning
        "giá trị không có trong danh mục mã; giữ nguyên như đã nhập"
        "the value is not in the code list; it was kept as given"
    MalformedNumber "malformed_number" Warning
        "số, ký hiệu không đúng dạng 48/QĐ-UBND; giữ nguyên như đã nhập"
        "number and notation do not look like 48/QĐ-UBND; kept as given"
    MalformedDate "malformed_date" Warning
        "ngày không đúng dạng YYYY, YYYY-MM hoặc YYYY-MM-DD (trong CSV cả dd/mm/yyyy); bỏ qua ngày này"
        "the date is not YYYY, YYYY-MM or YYYY-MM-DD (in CSV also dd/mm/yyyy); it was left out"
    MalformedValue "malformed_value" Warning
        "giá trị sai kiểu; bỏ qua giá trị này"
        "the value has the wrong type; it was left out"
    UnknownField "unknown_field" Warning
        "trường không có trong mẫu; bỏ qua trường này"
        "the template has no such field; it was left out"
    DuplicateNumber "duplicate_number" Warning
        "đã có tài liệu cùng số, ký hiệu, cơ quan và năm; kiểm tra có bị trùng không"
        "a record with the same number, notation, agency and year is already kept; check for a duplicate"
    DuplicateContent "duplicate_content" Warning
        "đã có tệp giống hệt; kiểm tra có bị trùng không"
        "an identical component is already kept; check for a duplicate"
    DuplicateExternalId "duplicate_external_id" Warning
        "đã có tài liệu khác mang mã này; nếu là bản sửa đổi hoặc nộp lại thì đối chiếu hai tài liệu, nếu không thì đổi mã"
        "another record with this identifier is already kept; if this is a corrected version, compare the two, else give it an identifier of its own"
    SecretAccess "secret_access" Warning
        "tài liệu mật không được đưa lên hệ thống nối mạng Internet; chỉ người được giao mới đọc được"
        "secret records must not be on a system connected to the Internet; only those named for them can read it"
    SecrecyMark "secrecy_mark" Warning
        "văn bản có dấu chỉ độ mật; tài liệu không hiện ra với ai cho đến khi có người xem lại; báo lưu trữ viên"
        "the text bears a mark of state secrecy; the record is shown to nobody until a person has looked; tell an archivist"
    NoComponent "no_component" Warning
        "chỉ có mô tả, không có tệp; nộp tệp khi có"
        "a description without a component; hand over the file when it is there"
    NoSubject "no_subject" Error
        "thiếu trích yếu; nhập trích yếu rồi nộp lại dòng này"
        "the subject is missing; fill it in and hand this row over again"
    DigestMismatch "digest_mismatch" Error
        "tệp không khớp mã băm SHA-256 đã khai; sao chép lại tệp rồi nộp lại"
        "the component does not match the stated SHA-256; copy the file anew and hand it over again"
    EmptyComponent "empty_component" Error
        "tệp rỗng (0 byte); quét hoặc xuất lại tệp rồi nộp lại"
        "the component is empty (0 bytes); scan or export it anew and hand it over again"
    UnreadableComponent "unreadable_component" Error
        "không đọc được tệp; kiểm tra đường dẫn, quyền đọc và ổ đĩa rồi nộp lại"
        "the component cannot be read; check path, permission and disk, then hand it over again"
    ComponentTooLarge "component_too_large" Error
        "tệp lớn hơn giới hạn đã cấu hình; tăng ingest.component_bytes_max hoặc chia nhỏ tệp"
        "the component is larger than configured; raise ingest.component_bytes_max or split it"
    NameEscapes "name_escapes" Error
        "đường dẫn tệp ra ngoài thư mục nộp; dùng đường dẫn tương đối bên trong thư mục"
        "the path leaves the folder that was handed over; use a relative path inside it"
    TooManyComponents "too_many_components" Error
        "quá nhiều tệp trong một tài liệu; chia thành nhiều tài liệu"
        "too many components in one record; split it into several records"
    MalformedRow "malformed_row" Error
        "không đọc được dòng này; sửa cho đúng định dạng UTF-8 JSON hoặc CSV rồi nộp lại"
        "the row cannot be read; mend it as UTF-8 JSON or CSV and hand it over again"
    RowTooLong "row_too_long" Error
        "dòng dài hơn giới hạn đã cấu hình; đưa văn bản ra tệp riêng rồi nộp lại"
        "the row is longer than configured; put the text into a file of its own and hand it over again"
    NotKept "not_kept" Error
        "kho chưa nhận được dòng này; nộp lại, dòng đã nhận sẽ không bị trùng"
        "the archive could not keep this row; run again, rows already kept are not doubled"
}

/// One thing wrong, with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// The row of the source, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The field, or the component's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to look at: the value, the limit, the other record. Never whole content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub vi: String,
    pub en: String,
}

/// A finding as it travels in a description: the code and its field, the texts are known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Finding {
    /// A finding about a field (or component) of a row.
    pub fn new(code: Code, row: u64, field: &str) -> Finding {
        let (vi, en) = (code.vi().into(), code.en().into());
        Finding { code, severity: code.severity(), row: Some(row), field: Some(field.into()), detail: None, vi, en }
    }

    /// The same with what to look at, cut to 200 characters.
    pub fn with_detail(mut self, detail: impl std::fmt::Display) -> Finding {
        self.detail = Some(detail.to_string().chars().take(200).collect());
        self
    }

    /// What travels with the record. Which other record it may be a duplicate of does not: who may read this one
    /// may not even know of that one.
    pub fn mark(&self) -> Mark {
        let names_another =
            matches!(self.code, Code::DuplicateNumber | Code::DuplicateContent | Code::DuplicateExternalId);
        let detail = if names_another { None } else { self.detail.clone() };
        Mark { code: self.code, field: self.field.clone(), detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_to_do_in_both_languages() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code:?} is told twice");
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.vi().len() > 20 && code.en().len() > 20 && code.vi() != code.en(), "{code:?}");
        }
    }
}

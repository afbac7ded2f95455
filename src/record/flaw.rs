//! A flaw (thiếu sót): one thing wrong in how records are arranged: in a register of agencies, a fonds, a file, a list
//! of files, backlog work. A code, a place, a text.
//!
//! # Why
//! A finding ([`crate::record::finding`]) is about a row that was handed over and travels with its record. A flaw is
//! about what people are still working on: it is told while they work and kept nowhere. An error stops the act
//! (closing, approval), a warning does not.

use crate::record::finding::Severity;
use serde::Serialize;

macro_rules! flaws {
    ($($variant:ident $code:literal $severity:ident $vi:literal $en:literal)*) => {
        /// What is wrong, as a code that never changes its meaning.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
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

flaws! {
    FieldMissing "field_missing" Warning
        "thiếu trường mà TT 05/2025 yêu cầu; bổ sung trước khi lập gói tin"
        "a field that TT 05/2025 requires is missing; add it before packages are made"
    TitleMissing "title_missing" Error
        "thiếu tiêu đề; nhập tiêu đề"
        "the title is missing; fill it in"
    NameMissing "name_missing" Error
        "thiếu tên gọi; nhập tên gọi đầy đủ"
        "the name is missing; fill in the whole name"
    CodeMissing "code_missing" Error
        "thiếu số, ký hiệu hoặc mã; nhập số, ký hiệu"
        "the code is missing; fill it in"
    FieldTooLong "field_too_long" Warning
        "dài hơn giới hạn của TT 05/2025; rút gọn trước khi lập gói tin"
        "longer than TT 05/2025 allows; shorten it before packages are made"
    OutsideList "outside_list" Warning
        "giá trị không có trong danh mục mã của TT 05/2025; chọn một mã trong danh mục"
        "the value is not in the code list of TT 05/2025; choose a code of the list"
    SecretFile "secret_file" Warning
        "hồ sơ mật không được đưa lên hệ thống nối mạng Internet; kiểm tra lại mức độ tiếp cận"
        "secret files must not be on a system connected to the Internet; check the access level"
    EndsBeforeItBegins "ends_before_it_begins" Error
        "ngày kết thúc trước ngày bắt đầu; sửa lại một trong hai ngày"
        "the last day is before the first; correct one of them"
    DuplicateCode "duplicate_code" Error
        "mã đã được dùng; đổi mã để mỗi mã chỉ một hồ sơ"
        "the code is used already; change it so that one code is one file"
    Alike "alike" Warning
        "đã có tài liệu cùng số, ký hiệu, cơ quan và năm; kiểm tra có bị trùng không"
        "another record has the same number, notation, agency and year; check for a duplicate"
    MalformedCode "malformed_code" Warning
        "mã không đúng dạng mã định danh cơ quan.năm.số và ký hiệu (H49.64.33.2001.160 hoặc 2001.160); kiểm tra lại mã"
        "the code does not look like agency.year.number and notation (H49.64.33.2001.160, or 2001.160); check it"
    UnknownAgency "unknown_agency" Error
        "cơ quan không có trong danh bạ; thêm cơ quan này hoặc sửa mã"
        "the register has no such agency; add it or correct the code"
    UnknownLevel "unknown_level" Error
        "cấp không có trong danh mục cấp; chọn một cấp có trong danh mục"
        "the register has no such level; choose one that it has"
    PastItsLevel "past_its_level" Error
        "cơ quan tồn tại ngoài thời gian của cấp (cấp huyện kết thúc ngày 30/6/2025); ghi ngày kết thúc"
        "the agency lives outside the time of its level (districts ended on 30/6/2025); give its last day"
    OverlappingNames "overlapping_names" Error
        "một mã có hai tên trong cùng một ngày; sửa ngày bắt đầu hoặc kết thúc"
        "one code has two names on the same day; correct when they begin or end"
    GapInNames "gap_in_names" Warning
        "có khoảng thời gian mã này không có tên; mã đã đóng không được dùng lại cho cơ quan khác"
        "there is a time when this code had no name; a closed code is not given to another agency"
    NoLastDay "no_last_day" Error
        "cơ quan có cơ quan kế thừa nhưng không có ngày kết thúc; ghi ngày kết thúc hoạt động"
        "the agency has a successor and no last day; give the last day"
    SuccessorGone "successor_gone" Error
        "cơ quan kế thừa không tồn tại ngay sau ngày kết thúc; kiểm tra ngày của hai cơ quan"
        "the successor does not exist on the day after the last day; check the days of both"
    OwnAncestor "own_ancestor" Error
        "cơ quan là tiền thân hoặc cấp trên của chính nó; sửa quan hệ giữa các cơ quan"
        "the agency is its own predecessor or its own superior; correct the relations"
    NoCustodian "no_custodian" Warning
        "chưa rõ ai quản lý tài liệu của cơ quan đã kết thúc (TT 06/2025 Điều 40); ghi lưu trữ lịch sử hoặc cơ quan được giao"
        "nobody is known to manage the records of the ended agency (TT 06/2025 art. 40); name the historical archive or the body assigned"
    SourceMissing "source_missing" Warning
        "thiếu căn cứ pháp lý; ghi số, ký hiệu văn bản"
        "the legal source is missing; give its number and notation"
    NotClosed "not_closed" Error
        "cơ quan hình thành phông đã kết thúc; đóng phông vào ngày cuối cùng của cơ quan"
        "the creator has ended; close the fonds on its last day"
    ClosedOnAnotherDay "closed_on_another_day" Error
        "ngày đóng phông khác ngày cuối cùng của cơ quan hình thành; sửa ngày đóng phông"
        "the fonds was closed on another day than the creator's last; correct the day"
    ReasonMissing "reason_missing" Error
        "thiếu lý do; ghi lý do"
        "the reason is missing; give it"
    OutOfOrder "out_of_order" Error
        "các mốc thời gian không theo thứ tự; sắp xếp lại theo ngày"
        "the entries do not follow each other in time; put them in the order of their days"
    OutsideFonds "outside_fonds" Warning
        "thời gian của hồ sơ ở ngoài thời gian của phông; kiểm tra hồ sơ có thuộc phông này không"
        "the file's time lies outside that of its fonds; check whether it belongs here"
    NotACount "not_a_count" Warning
        "số lượng ghi trong mô tả khác số lượng đếm được; sửa lại cho khớp"
        "the stated number differs from what was counted; make them agree"
    MakerMissing "maker_missing" Warning
        "chưa giao người lập hồ sơ; ghi người lập hồ sơ"
        "nobody is named to make the file; name its maker"
    RetentionMissing "retention_missing" Error
        "thiếu thời hạn lưu trữ hoặc mục trong bảng thời hạn lưu trữ; chọn mục"
        "the class of retention is missing; choose one of the schedule"
    RetentionTooShort "retention_too_short" Error
        "tài liệu trong hồ sơ có thời hạn lưu trữ dài hơn hồ sơ; hồ sơ phải lấy thời hạn dài nhất (Luật Lưu trữ 2024 Điều 15)"
        "a record inside lives longer than the file; the file takes the longest period (Law 33/2024 art. 15)"
    UnknownHeading "unknown_heading" Error
        "đề mục không có trong danh mục; thêm đề mục hoặc chọn đề mục khác"
        "the list has no such heading; add it or choose another"
    HeadingLoop "heading_loop" Error
        "đề mục nằm trong chính nó; sửa đề mục cấp trên"
        "the heading stands below itself; correct its parent"
    NothingPlanned "nothing_planned" Warning
        "danh mục chưa có hồ sơ nào; thêm hồ sơ dự kiến lập trong năm"
        "the list has no file yet; add those that the year will need"
    AnotherYear "another_year" Warning
        "số, ký hiệu hồ sơ mang năm khác với năm của danh mục; kiểm tra năm"
        "the file's code carries another year than the list; check the year"
    NothingInside "nothing_inside" Error
        "hồ sơ không có tài liệu; thêm tài liệu hoặc không lập hồ sơ này"
        "nothing is in the file; add records or do not make this file"
    OrdinalMissing "ordinal_missing" Warning
        "thiếu số thứ tự trong hồ sơ; kiểm tra có thiếu tài liệu không"
        "an ordinal is missing in the file; check whether a record is missing"
    OrdinalDoubled "ordinal_doubled" Error
        "hai tài liệu cùng một số thứ tự trong hồ sơ; đánh lại số thứ tự"
        "two records have the same ordinal in the file; number them anew"
    PagesMissing "pages_missing" Warning
        "tài liệu chưa ghi số trang; đếm và ghi số trang"
        "the record's pages are not counted; count them"
    OutsideFile "outside_file" Warning
        "ngày của tài liệu ở ngoài thời gian của hồ sơ; kiểm tra ngày hoặc tài liệu có thuộc hồ sơ không"
        "the record's date lies outside the file's time; check the date, or whether it belongs here"
    NoContent "no_content" Warning
        "tài liệu chỉ có mô tả, không có tệp; nộp tệp trước khi kết thúc hồ sơ"
        "the record is a description without a component; hand the component over before closing"
    NotPlaced "not_placed" Error
        "tài liệu chưa được xếp vào hồ sơ nào và chưa bị loại; xếp vào hồ sơ hoặc loại ra với lý do"
        "the record is in no file and was not rejected; place it, or reject it with a reason"
    PlacedTwice "placed_twice" Error
        "tài liệu được xếp hoặc loại nhiều lần; giữ lại một chỗ"
        "the record was placed or rejected more than once; keep one place"
    NotInScope "not_in_scope" Error
        "tài liệu không thuộc đợt chỉnh lý này; bỏ ra hoặc mở rộng phạm vi"
        "the record is not part of this work; take it out or widen the scope"
    HistoryMissing "history_missing" Warning
        "thiếu lịch sử đơn vị hình thành phông và lịch sử phông; viết trước khi chỉnh lý"
        "the history of creator and fonds is missing; write it before the work begins"
    SchemeMissing "scheme_missing" Warning
        "thiếu phương án phân loại, kế hoạch chỉnh lý; lập trước khi chỉnh lý"
        "the scheme and plan of arrangement are missing; make them before the work begins"
}

/// One flaw with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Flaw {
    pub code: Code,
    pub severity: Severity,
    /// What is flawed: a field, a code, an ordinal, an identifier.
    pub place: String,
    /// What to look at: the value, the limit, the other place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub vi: &'static str,
    pub en: &'static str,
}

impl Flaw {
    pub fn new(code: Code, place: impl std::fmt::Display) -> Flaw {
        let (vi, en) = (code.vi(), code.en());
        Flaw { code, severity: code.severity(), place: place.to_string(), detail: None, vi, en }
    }

    /// The same with what to look at, cut to 200 characters.
    pub fn with_detail(mut self, detail: impl std::fmt::Display) -> Flaw {
        self.detail = Some(detail.to_string().chars().take(200).collect());
        self
    }
}

/// Does any of them stop the act?
pub fn stops(flaws: &[Flaw]) -> bool {
    flaws.iter().any(|flaw| flaw.severity == Severity::Error)
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

    #[test]
    fn an_error_stops_and_a_warning_does_not() {
        let (warning, error) = (Flaw::new(Code::Alike, 3), Flaw::new(Code::TitleMissing, "title"));
        assert!(!stops(&[]) && !stops(std::slice::from_ref(&warning)) && stops(&[warning, error]));
    }
}

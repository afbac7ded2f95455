//! What is wrong with a schedule, as data: a code, a place, what to do in both languages.
//!
//! # Why
//! Not the codes of [`crate::record::finding`]: those travel in the descriptions of records and are part of their schema;
//! a schedule is judged before it is one.

use crate::record::finding::Severity;
use serde::{Deserialize, Serialize};

macro_rules! flaws {
    ($($variant:ident $code:literal $severity:ident $vi:literal $en:literal)*) => {
        /// What is wrong, as a code that never changes its meaning.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum FlawCode {
            $(#[serde(rename = $code)] $variant,)*
        }

        impl FlawCode {
            pub const ALL: &'static [FlawCode] = &[$(FlawCode::$variant),*];

            pub fn as_str(&self) -> &'static str {
                match self { $(FlawCode::$variant => $code,)* }
            }

            pub fn severity(&self) -> Severity {
                match self { $(FlawCode::$variant => Severity::$severity,)* }
            }

            /// What is wrong and what to do, in Vietnamese.
            pub fn vi(&self) -> &'static str {
                match self { $(FlawCode::$variant => $vi,)* }
            }

            /// What is wrong and what to do, in English.
            pub fn en(&self) -> &'static str {
                match self { $(FlawCode::$variant => $en,)* }
            }
        }
    };
}

flaws! {
    NoTitle "no_title" Error
        "bảng thời hạn chưa có tên; nhập tên"
        "the schedule has no title; give it one"
    NoSource "no_source" Error
        "thiếu căn cứ pháp lý (số, tên, ngày, cơ quan ban hành); bổ sung văn bản quy định"
        "the legal source is missing (number, title, date, issuing agency); name the text that says so"
    NoClasses "no_classes" Error
        "bảng thời hạn không có mục nào; nhập ít nhất một mục"
        "the schedule has no class; enter at least one"
    UntilBeforeFrom "until_before_from" Error
        "ngày hết hiệu lực không sau ngày có hiệu lực; sửa lại hai ngày"
        "the end of its force is not after its beginning; mend the two dates"
    FromBeforeIssued "from_before_issued" Warning
        "ngày có hiệu lực trước ngày ban hành; kiểm tra lại hai ngày"
        "it is in force before it was issued; check the two dates"
    ApprovedIncomplete "approved_incomplete" Error
        "bảng thời hạn chưa đầy đủ thì không được phê duyệt; đối chiếu đủ các mục rồi bỏ đánh dấu"
        "an incomplete schedule cannot be approved; complete its rows and take the mark away"
    Incomplete "incomplete" Warning
        "bảng thời hạn chưa đầy đủ: chưa hủy được tài liệu nào theo bảng này"
        "the schedule is incomplete: nothing can be destroyed by it"
    MalformedCode "malformed_code" Error
        "mã mục không đúng: 1 đến 32 ký tự gồm chữ không dấu, chữ số, dấu chấm, gạch ngang"
        "the code of a class is 1 to 32 of letters without diacritics, digits, full stop and hyphen"
    DuplicateCode "duplicate_code" Error
        "mã mục bị trùng; mỗi mục một mã"
        "two classes have this code; give each its own"
    NoClassTitle "no_class_title" Error
        "mục chưa có tên nhóm hồ sơ, tài liệu; nhập tên"
        "the class has no title; give it one"
    DuplicateTitle "duplicate_title" Warning
        "đã có mục cùng nhóm, cùng tên; kiểm tra có nhập hai lần không"
        "a class of the same group with the same title is there already; check whether it was entered twice"
    NoNumberOfYears "no_number_of_years" Error
        "từ 01/7/2025 thời hạn lưu trữ chỉ là vĩnh viễn hoặc số năm (Luật Lưu trữ 33/2024/QH15 điều 15); đổi sang số năm"
        "from 01/7/2025 a period is permanent or a number of years (Law 33/2024/QH15 art. 15); give a number of years"
    YearsOutside "years_outside" Error
        "số năm ngoài giới hạn của Luật Lưu trữ 33/2024/QH15 điều 15 (2 đến 70 năm); sửa số năm"
        "the years are outside what Law 33/2024/QH15 art. 15 allows (2 to 70); mend them"
    CountedOtherwise "counted_otherwise" Warning
        "Luật Lưu trữ 33/2024/QH15 điều 15 tính từ năm kết thúc công việc; kiểm tra lại mốc tính"
        "Law 33/2024/QH15 art. 15 counts from the year in which the work ended; check the trigger"
    TriggerMismatch "trigger_mismatch" Error
        "mốc tính không khớp với thời hạn lưu trữ; bỏ trống mốc tính hoặc sửa thời hạn"
        "the trigger contradicts the period; leave it out or mend the period"
    UnknownEvent "unknown_event" Warning
        "sự kiện chưa có trong danh mục; tài liệu chờ cho đến khi có người ghi nhận sự kiện này"
        "the event is in no list; records wait until somebody tells of it"
    PermanentDestroyed "permanent_destroyed" Error
        "tài liệu lưu trữ vĩnh viễn không thể có cách xử lý là hủy; sửa cách xử lý"
        "what is permanent cannot be destroyed in the end; mend the action"
    LimitedTransferred "limited_transferred" Warning
        "chỉ tài liệu lưu trữ vĩnh viễn được nộp vào lưu trữ lịch sử; kiểm tra lại cách xử lý"
        "only permanent records go to a historical archive; check the action"
    TooLong "too_long" Error
        "nội dung ô dài hơn giới hạn; rút gọn"
        "the text of the cell is too long; shorten it"
    MissingColumn "missing_column" Error
        "thiếu cột bắt buộc (tên nhóm hồ sơ, tài liệu; thời hạn lưu trữ); thêm cột rồi nhập lại"
        "a required column is missing (title, period); add it and import again"
    UnknownColumn "unknown_column" Warning
        "cột không có trong mẫu; bỏ qua cột này"
        "the template has no such column; it was left out"
    MalformedRow "malformed_row" Error
        "không đọc được dòng này; sửa dấu ngoặc kép và số cột rồi nhập lại"
        "the row cannot be read; mend its quotes and cells and import again"
    UnreadPeriod "unread_period" Error
        "không hiểu thời hạn lưu trữ; ghi như: Vĩnh viễn, 15 năm, 5 năm kể từ khi chấm dứt hợp đồng"
        "the period cannot be read; write it like: Vĩnh viễn, 15 năm, 5 năm kể từ khi chấm dứt hợp đồng"
    UnreadTrigger "unread_trigger" Error
        "không hiểu mốc tính; ghi như: kết thúc công việc, ban hành văn bản, hoặc tên sự kiện"
        "the trigger cannot be read; write it like: kết thúc công việc, ban hành văn bản, or name an event"
    UnreadAction "unread_action" Error
        "không hiểu cách xử lý; ghi một trong: Hủy, Nộp vào lưu trữ lịch sử, Xem xét lại"
        "the action cannot be read; write one of: destroy, transfer, review"
    ComposedCode "composed_code" Warning
        "mục chưa có mã, đã đặt theo nhóm và thứ tự dòng; ghi mã vào tệp để mã không đổi khi nhập lại"
        "the class has no code and got one of its group and place; write codes into the file, so that they stay the same"
    TooManyRows "too_many_rows" Error
        "quá nhiều dòng trong một bảng; chia thành nhiều bảng"
        "too many rows in one schedule; split it"
    UnreadFile "unread_file" Error
        "không đọc được tệp; lưu lại dạng XLSX không đặt mật khẩu, hoặc TSV, CSV dạng UTF-8"
        "the file cannot be read; save it as XLSX without a password, or as TSV or CSV in UTF-8"
}

/// One thing wrong, with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Flaw {
    pub code: FlawCode,
    pub severity: Severity,
    /// The row of the file that was imported, counted from 1, its header included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The code of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The value, the limit, the other class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub vi: String,
    pub en: String,
}

impl Flaw {
    pub fn new(code: FlawCode) -> Flaw {
        let (vi, en) = (code.vi().into(), code.en().into());
        Flaw { code, severity: code.severity(), row: None, class: None, detail: None, vi, en }
    }

    pub fn at_row(mut self, row: u64) -> Flaw {
        self.row = Some(row);
        self
    }

    pub fn of_class(mut self, class: &str) -> Flaw {
        self.class = Some(class.chars().take(50).collect());
        self
    }

    /// What to look at, cut to 200 characters.
    pub fn with_detail(mut self, detail: impl std::fmt::Display) -> Flaw {
        self.detail = Some(detail.to_string().chars().take(200).collect());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_to_do_in_both_languages() {
        let mut seen = std::collections::HashSet::new();
        for code in FlawCode::ALL {
            assert!(seen.insert(code.as_str()), "{code:?} is told twice");
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.vi().len() > 20 && code.en().len() > 20 && code.vi() != code.en(), "{code:?}");
        }
        let long = Flaw::new(FlawCode::TooLong).at_row(3).of_class("1.01").with_detail("ệ".repeat(300));
        assert_eq!(long.detail.unwrap().chars().count(), 200);
    }
}

//! Code lists of TT 05/2025/TT-BNV (Annexes I–V), as data: code, Vietnamese name.
//!
//! The lists lack what officials have: there is no code for luật, nghị định or thông tư. A value outside
//! a list is kept as it was given, without a code and with a finding; a package made of it writes khác.

use crate::record::text;

/// A row of a code list: the circular's code and its name.
pub type Code = (&'static str, &'static str);

/// Tên loại văn bản (`typeName`).
pub const TYPES: [Code; 32] = [
    ("01", "Nghị quyết"),
    ("02", "Quyết định"),
    ("03", "Chỉ thị"),
    ("04", "Quy chế"),
    ("05", "Quy định"),
    ("06", "Thông cáo"),
    ("07", "Thông báo"),
    ("08", "Hướng dẫn"),
    ("09", "Chương trình"),
    ("10", "Kế hoạch"),
    ("11", "Phương án"),
    ("12", "Đề án"),
    ("13", "Dự án"),
    ("14", "Báo cáo"),
    ("15", "Tờ trình"),
    ("16", "Giấy ủy quyền"),
    ("17", "Phiếu gửi"),
    ("18", "Phiếu chuyển"),
    ("19", "Phiếu báo"),
    ("20", "Biên bản"),
    ("21", "Hợp đồng"),
    ("22", "Công văn"),
    ("23", "Công điện"),
    ("24", "Bản ghi nhớ"),
    ("25", "Bản thỏa thuận"),
    ("26", "Giấy mời"),
    ("27", "Giấy giới thiệu"),
    ("28", "Giấy nghỉ phép"),
    ("29", "Thư công"),
    ("30", "Bản đồ"),
    ("31", "Bản vẽ kỹ thuật"),
    ("32", "Khác"),
];

/// Ngôn ngữ (`language`).
pub const LANGUAGES: [Code; 11] = [
    ("01", "Tiếng Việt"),
    ("02", "Tiếng Anh"),
    ("03", "Tiếng Pháp"),
    ("04", "Tiếng Nga"),
    ("05", "Tiếng Trung"),
    ("06", "Việt-Anh"),
    ("07", "Việt-Nga"),
    ("08", "Việt-Pháp"),
    ("09", "Hán Nôm"),
    ("10", "Việt-Trung"),
    ("11", "Khác"),
];

/// Mức độ tiếp cận (`mode`).
pub const ACCESS: [Code; 3] = [("01", "Công khai"), ("02", "Có điều kiện"), ("03", "Mật")];

/// Mức độ tin cậy (`confidenceLevel`).
pub const ORIGINS: [Code; 3] = [("01", "Gốc điện tử"), ("02", "Số hóa"), ("03", "Hỗn hợp")];

/// Tình trạng vật lý (`format`).
pub const CONDITIONS: [Code; 3] = [("01", "Tốt"), ("02", "Bình thường"), ("03", "Hỏng")];

/// Thời hạn lưu trữ (`maintenance`). 15, 5 and 2 years have no code of their own.
pub const RETENTIONS: [Code; 7] = [
    ("01", "Vĩnh viễn"),
    ("02", "70 năm"),
    ("03", "50 năm"),
    ("04", "30 năm"),
    ("05", "20 năm"),
    ("06", "10 năm"),
    ("07", "Khác"),
];

/// Tình trạng dự phòng (`riskRecoveryStatus`).
pub const SECURITY_COPIES: [Code; 2] = [("01", "Đã"), ("02", "Chưa")];

/// What people and programs type for a language besides its code and name.
const LANGUAGE_ALIASES: [(&str, &str); 11] = [
    ("vi", "01"),
    ("viet", "01"),
    ("vie", "01"),
    ("en", "02"),
    ("eng", "02"),
    ("fr", "03"),
    ("ru", "04"),
    ("zh", "05"),
    ("anh", "02"),
    ("phap", "03"),
    ("vi-en", "06"),
];

/// What people and programs type for yes and no besides the circular's 1 and 0.
const FLAGS: [(&str, bool); 8] = [
    ("1", true),
    ("0", false),
    ("true", true),
    ("false", false),
    ("co", true),
    ("khong", false),
    ("yes", true),
    ("no", false),
];

/// The type code for a code or a name as typed; `None` where the list has no such type.
pub fn type_code(typed: &str) -> Option<&'static str> {
    lookup(&TYPES, typed)
}

/// The language code for a code, a name or a usual abbreviation.
pub fn language_code(typed: &str) -> Option<&'static str> {
    let folded = text::fold(typed.trim());
    let alias = LANGUAGE_ALIASES.iter().find(|(alias, _)| *alias == folded).map(|(_, code)| *code);
    lookup(&LANGUAGES, typed).or(alias)
}

/// Yes or no as typed, however it is cased and with or without diacritics.
pub fn flag(typed: &str) -> Option<bool> {
    let folded = text::fold(&text::line(typed));
    FLAGS.iter().find(|(known, _)| *known == folded).map(|(_, flag)| *flag)
}

/// The name behind a code.
pub fn name(list: &[Code], code: &str) -> Option<&'static str> {
    list.iter().find(|(c, _)| *c == code).map(|(_, name)| *name)
}

/// The code for a code or a name as typed, however it is cased and with or without diacritics.
pub fn lookup(list: &[Code], typed: &str) -> Option<&'static str> {
    let folded = text::fold(&text::line(typed));
    list.iter().find(|(code, name)| *code == folded || text::fold(name) == folded).map(|(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_names_and_what_people_type() {
        for (typed, code) in [
            ("02", Some("02")),
            ("QUYẾT ĐỊNH", Some("02")),
            ("quyet dinh", Some("02")),
            ("Nghị định", None),
            ("", None),
        ] {
            assert_eq!(type_code(typed), code, "{typed}");
        }
        for (typed, yes) in [("Có", Some(true)), ("KHÔNG", Some(false)), ("1", Some(true)), ("2", None), ("", None)] {
            assert_eq!(flag(typed), yes, "{typed}");
        }
        for (typed, code) in [("vi", Some("01")), ("Tiếng Việt", Some("01")), ("02", Some("02")), ("xx", None)] {
            assert_eq!(language_code(typed), code, "{typed}");
        }
    }

    #[test]
    fn lists_count_from_one() {
        for list in [&TYPES[..], &LANGUAGES, &ACCESS, &ORIGINS, &CONDITIONS, &RETENTIONS, &SECURITY_COPIES] {
            for (n, (code, _)) in list.iter().enumerate() {
                assert_eq!(*code, format!("{:02}", n + 1));
            }
        }
    }
}

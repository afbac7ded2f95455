//! Danh mục (TT 06/2025/TT-BNV Annex II) and thuyết minh (Annex III): what is to be destroyed, and what kind of records that is.

use crate::exchange::dossier::{
    Row,
    paper::{self, Foot, Head},
};

/// Danh mục hồ sơ, tài liệu hết thời hạn lưu trữ, trùng lặp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    pub head: Head,
    /// Tên phông.
    pub fonds: String,
    /// Mã hồ sơ xử lý.
    pub case: String,
    pub rows: Vec<Row>,
    pub foot: Foot,
}

/// Prints the list.
pub fn print_list(list: &List) -> String {
    let about = "Hồ sơ, tài liệu hết thời hạn lưu trữ, trùng lặp xem xét hủy";
    let body = [
        paper::paragraph(&format!("Phông (công trình, sưu tập lưu trữ): {}", list.fonds)),
        paper::paragraph(&format!("Mã hồ sơ xử lý: {}", list.case)),
        paper::units(&list.rows),
        paper::total(&list.rows),
    ];
    paper::page(&list.head, "Danh mục", about, &body.concat(), &list.foot)
}

/// Bản thuyết minh tài liệu hết thời hạn lưu trữ, trùng lặp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    pub head: Head,
    pub fonds: String,
    pub case: String,
    /// Lịch sử hình thành: why these records exist, and how they were reviewed.
    pub origin: String,
    /// Thời gian của tài liệu: `2005–2015`.
    pub years: String,
    /// How many units of each kind: `hết thời hạn lưu trữ`, 12.
    pub grounds: Vec<(String, u64)>,
    /// What the records are of: groups of them, with what they tell.
    pub contents: Vec<String>,
    /// By which schedules their periods were told.
    pub schedules: Vec<String>,
    pub rows: Vec<Row>,
    pub foot: Foot,
}

/// Prints the explanation.
pub fn print_explanation(one: &Explanation) -> String {
    let about = "Về hồ sơ, tài liệu hết thời hạn lưu trữ, trùng lặp";
    let listed = |lines: &[String]| lines.iter().map(|line| paper::paragraph(&format!("- {line}"))).collect::<String>();
    let grounds = one.grounds.iter().map(|(ground, units)| vec![ground.clone(), paper::count(*units)]);
    let body = [
        paper::heading("1. Nguồn gốc, quá trình xét giá trị"),
        paper::paragraph(&format!("Phông: {}. Mã hồ sơ xử lý: {}.", one.fonds, one.case)),
        paper::paragraph(&one.origin),
        paper::paragraph(&format!("Thời gian của tài liệu: {}.", one.years)),
        paper::heading("2. Số lượng và lý do"),
        paper::table(&["Lý do", "Số hồ sơ (đơn vị)"], &grounds.collect::<Vec<_>>()),
        paper::total(&one.rows),
        paper::heading("3. Nội dung chủ yếu"),
        listed(&one.contents),
        paper::heading("4. Căn cứ xác định thời hạn lưu trữ"),
        listed(&one.schedules),
    ];
    paper::page(&one.head, "Bản thuyết minh", about, &body.concat(), &one.foot)
}

//! Văn bản thẩm định and quyết định hủy: what the competent body says, and what the head decides.

use crate::exchange::dossier::{
    Row,
    paper::{self, Foot, Head},
};

/// Văn bản thẩm định hồ sơ, tài liệu xem xét hủy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appraisal {
    pub head: Head,
    /// Kính gửi.
    pub to: String,
    /// The request that it answers: `Công văn số 20/SNV-VP ngày 01/11/2026`.
    pub request: String,
    pub case: String,
    pub agreed: Vec<Row>,
    /// What it does not agree to, each with why.
    pub not_agreed: Vec<(Row, String)>,
    pub foot: Foot,
}

/// Prints the appraisal.
pub fn print_appraisal(one: &Appraisal) -> String {
    let against = one
        .not_agreed
        .iter()
        .enumerate()
        .map(|(n, (row, why))| vec![(n + 1).to_string(), row.code.clone(), row.title.clone(), why.clone()]);
    let heads = ["STT", "Số, ký hiệu", "Tiêu đề", "Lý do"];
    let against = match one.not_agreed.is_empty() {
        true => paper::paragraph("Không có."),
        false => paper::table(&heads, &against.collect::<Vec<_>>()),
    };
    let body = [
        format!("<p style=\"text-align:center\">Kính gửi: {}</p>\n", paper::escape(&one.to)),
        paper::paragraph(&format!("Trả lời {}; mã hồ sơ xử lý {}.", one.request, one.case)),
        paper::heading("1. Thống nhất hủy các hồ sơ, tài liệu sau:"),
        paper::units(&one.agreed),
        paper::total(&one.agreed),
        paper::heading("2. Chưa thống nhất hủy, đề nghị Hội đồng xem xét lại:"),
        against,
    ];
    paper::page(&one.head, "Văn bản thẩm định", "Hồ sơ, tài liệu xem xét hủy", &body.concat(), &one.foot)
}

/// Quyết định hủy hồ sơ, tài liệu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DestructionDecision {
    pub head: Head,
    /// Who decides: `GIÁM ĐỐC SỞ NỘI VỤ`.
    pub authority: String,
    pub basis: Vec<String>,
    pub case: String,
    pub rows: Vec<Row>,
    /// What the council would destroy and the head keeps.
    pub spared: Vec<Row>,
    /// Who executes it.
    pub executed_by: String,
    /// The last day of the 15: `08/12/2026`.
    pub until: String,
    pub foot: Foot,
}

/// Prints the decision.
pub fn print_decision(one: &DestructionDecision) -> String {
    let spared = match one.spared.is_empty() {
        true => String::new(),
        false => paper::paragraph("Tiếp tục lưu trữ các hồ sơ, tài liệu sau:") + &paper::units(&one.spared),
    };
    let count = paper::count(one.rows.len() as u64);
    let body = [
        format!("<p class=\"b c\" style=\"text-align:center\">{}</p>\n", paper::escape(&one.authority)),
        paper::basis(&one.basis),
        "<p class=\"b\" style=\"text-align:center\">QUYẾT ĐỊNH:</p>\n".to_owned(),
        paper::heading(&format!("Điều 1. Hủy {count} hồ sơ (đơn vị) của hồ sơ xử lý {} như sau:", one.case)),
        paper::units(&one.rows),
        paper::total(&one.rows),
        spared,
        paper::heading("Điều 2. Tổ chức thực hiện"),
        paper::paragraph(&format!(
            "Giao {} thực hiện việc hủy, hoàn thành trước hết ngày {}; lập biên bản bàn giao, biên bản hủy kèm chứng nhận \
             kỹ thuật và lưu hồ sơ hủy theo quy định.",
            one.executed_by, one.until
        )),
        paper::heading("Điều 3. Các đơn vị, cá nhân liên quan chịu trách nhiệm thi hành Quyết định này."),
    ];
    paper::page(&one.head, "Quyết định", "Về việc hủy hồ sơ, tài liệu", &body.concat(), &one.foot)
}

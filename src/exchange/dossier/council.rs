//! Quyết định thành lập Hội đồng xét hủy, and biên bản họp: who reviews, and what they said.

use crate::exchange::dossier::{
    Person, Row,
    paper::{self, Foot, Head},
};

/// Quyết định thành lập Hội đồng xét hủy tài liệu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CouncilDecision {
    pub head: Head,
    /// Who decides: `GIÁM ĐỐC SỞ NỘI VỤ`.
    pub authority: String,
    pub basis: Vec<String>,
    pub case: String,
    pub council: Vec<Person>,
    pub foot: Foot,
}

/// Prints the decision.
pub fn print_decision(one: &CouncilDecision) -> String {
    let body = [
        format!("<p class=\"b c\" style=\"text-align:center\">{}</p>\n", paper::escape(&one.authority)),
        paper::basis(&one.basis),
        "<p class=\"b\" style=\"text-align:center\">QUYẾT ĐỊNH:</p>\n".to_owned(),
        paper::heading("Điều 1. Thành lập Hội đồng xét hủy tài liệu gồm:"),
        paper::people(&one.council),
        paper::heading("Điều 2. Nhiệm vụ"),
        paper::paragraph(&format!(
            "Hội đồng xem xét hồ sơ, tài liệu trong danh mục của hồ sơ xử lý {} và kiến nghị với người có thẩm quyền. \
             Hội đồng tự giải thể sau khi hoàn thành nhiệm vụ.",
            one.case
        )),
        paper::heading("Điều 3. Các thành viên Hội đồng và đơn vị liên quan chịu trách nhiệm thi hành Quyết định này."),
    ];
    paper::page(&one.head, "Quyết định", "Về việc thành lập Hội đồng xét hủy tài liệu", &body.concat(), &one.foot)
}

/// What one member said of a unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    pub name: String,
    /// `hủy`, `tiếp tục lưu trữ`.
    pub outcome: String,
    pub reason: String,
}

/// What the council came to on a unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reviewed {
    pub row: Row,
    pub opinions: Vec<Said>,
    pub outcome: String,
    pub reason: String,
    pub agree: u64,
    pub against: u64,
    pub abstained: u64,
}

/// Biên bản họp Hội đồng xét hủy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meeting {
    pub head: Head,
    pub case: String,
    /// `08 giờ 30, ngày 20/11/2026`.
    pub began: String,
    pub ended: String,
    pub place: String,
    pub present: Vec<Person>,
    pub absent: Vec<Person>,
    /// The deciding document by which the council was set up.
    pub set_up_by: String,
    pub reviewed: Vec<Reviewed>,
    pub foot: Foot,
}

/// Prints the minutes.
pub fn print_meeting(one: &Meeting) -> String {
    let about = "Họp Hội đồng xét hủy tài liệu";
    let opinions = one.reviewed.iter().enumerate().flat_map(|(n, unit)| {
        let cells = move |said: &Said| {
            let texts = [&unit.row.code, &unit.row.title, &said.name, &said.outcome, &said.reason].map(Clone::clone);
            [(n + 1).to_string()].into_iter().chain(texts).collect::<Vec<_>>()
        };
        unit.opinions.iter().map(cells)
    });
    let proposals = one.reviewed.iter().enumerate().map(|(n, unit)| {
        let texts = [&unit.row.code, &unit.row.title, &unit.outcome, &unit.reason].map(Clone::clone);
        let votes = [unit.agree, unit.against, unit.abstained].map(paper::count);
        [(n + 1).to_string()].into_iter().chain(texts).chain(votes).collect::<Vec<_>>()
    });
    let absent = match one.absent.is_empty() {
        true => paper::paragraph("Vắng: không."),
        false => paper::paragraph("Vắng:") + &paper::people(&one.absent),
    };
    let body = [
        paper::paragraph(&format!("Thời gian: từ {} đến {}. Địa điểm: {}.", one.began, one.ended, one.place)),
        paper::paragraph(&format!("Hội đồng được thành lập theo {}. Mã hồ sơ xử lý: {}.", one.set_up_by, one.case)),
        paper::heading("1. Thành phần"),
        paper::people(&one.present),
        absent,
        paper::heading("2. Ý kiến của các thành viên"),
        paper::table(
            &["STT", "Số, ký hiệu", "Tiêu đề", "Thành viên", "Ý kiến", "Lý do"],
            &opinions.collect::<Vec<_>>(),
        ),
        paper::heading("3. Kết quả biểu quyết và kiến nghị"),
        paper::table(
            &["STT", "Số, ký hiệu", "Tiêu đề", "Kiến nghị", "Lý do", "Tán thành", "Không tán thành", "Không có ý kiến"],
            &proposals.collect::<Vec<_>>(),
        ),
        paper::paragraph("Biên bản đã được đọc lại cho các thành viên cùng nghe và nhất trí ký tên."),
    ];
    paper::page(&one.head, "Biên bản", about, &body.concat(), &one.foot)
}

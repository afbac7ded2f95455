//! Biên bản bàn giao and biên bản hủy: what was handed over to be destroyed, and that it was.

use crate::exchange::dossier::{
    Person, Row,
    paper::{self, Foot, Head},
};

/// Biên bản bàn giao hồ sơ, tài liệu hủy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handover {
    pub head: Head,
    /// The decision that it executes: `Quyết định số 48/QĐ-SNV ngày 23/11/2026`.
    pub decision: String,
    pub case: String,
    pub place: String,
    pub giver: Person,
    pub taker: Person,
    pub rows: Vec<Row>,
    /// Copies that are drawn up: one for each side at least.
    pub copies: u64,
    pub foot: Foot,
}

/// Prints the minutes of handing over.
pub fn print_handover(one: &Handover) -> String {
    let copies = paper::count(one.copies);
    let body = [
        paper::paragraph(&format!("Thực hiện {}; mã hồ sơ xử lý {}.", one.decision, one.case)),
        paper::paragraph(&format!("Địa điểm: {}.", one.place)),
        paper::heading("Bên giao"),
        paper::people(std::slice::from_ref(&one.giver)),
        paper::heading("Bên nhận"),
        paper::people(std::slice::from_ref(&one.taker)),
        paper::heading("Hai bên bàn giao các hồ sơ, tài liệu sau để hủy:"),
        paper::units(&one.rows),
        paper::total(&one.rows),
        paper::paragraph(&format!("Biên bản được lập thành {copies} bản, mỗi bên giữ ít nhất một bản.")),
    ];
    paper::page(&one.head, "Biên bản", "Bàn giao hồ sơ, tài liệu hủy", &body.concat(), &one.foot)
}

/// A technical certificate that is annexed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annexed {
    pub record: String,
    /// SHA-256 of the certificate.
    pub certificate: String,
    /// The entry of the ledger that names it.
    pub entry: u64,
}

/// Biên bản hủy hồ sơ, tài liệu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destruction {
    pub head: Head,
    pub decision: String,
    pub case: String,
    pub began: String,
    pub ended: String,
    pub place: String,
    pub people: Vec<Person>,
    /// How it was done at every place, as the certificates say.
    pub method: String,
    pub rows: Vec<Row>,
    pub certificates: Vec<Annexed>,
    /// What the certificates do not cover, a line each.
    pub limits: Vec<String>,
    pub foot: Foot,
}

/// Prints the minutes of destruction.
pub fn print_destruction(one: &Destruction) -> String {
    let annexed = one.certificates.iter().enumerate().map(|(n, annexed)| {
        let entry = paper::count(annexed.entry);
        vec![(n + 1).to_string(), annexed.record.clone(), annexed.certificate.clone(), entry]
    });
    let limits: String = one.limits.iter().map(|limit| paper::paragraph(&format!("- {limit}"))).collect();
    let body = [
        paper::paragraph(&format!("Thực hiện {}; mã hồ sơ xử lý {}.", one.decision, one.case)),
        paper::paragraph(&format!("Thời gian: từ {} đến {}. Địa điểm: {}.", one.began, one.ended, one.place)),
        paper::heading("1. Thành phần"),
        paper::people(&one.people),
        paper::heading("2. Đã hủy các hồ sơ, tài liệu sau"),
        paper::units(&one.rows),
        paper::total(&one.rows),
        paper::paragraph(&format!("Phương pháp hủy: {}", one.method)),
        paper::heading("3. Chứng nhận kỹ thuật kèm theo"),
        paper::table(
            &["STT", "Mã tài liệu", "SHA-256 của chứng nhận", "Sự kiện trong sổ cái"],
            &annexed.collect::<Vec<_>>(),
        ),
        paper::heading("4. Những gì chứng nhận không bao gồm"),
        limits,
    ];
    paper::page(&one.head, "Biên bản", "Hủy hồ sơ, tài liệu", &body.concat(), &one.foot)
}

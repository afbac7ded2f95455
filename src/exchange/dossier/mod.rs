//! The papers of a destruction (hồ sơ hủy tài liệu), printed as people sign them.
//!
//! ```text
//! danh mục ─► thuyết minh ─► quyết định thành lập Hội đồng ─► biên bản họp ─► văn bản thẩm định
//!          ─► quyết định hủy ─► biên bản bàn giao ─► biên bản hủy
//! ```
//!
//! TT 06/2025/TT-BNV asks for them (list and explanation: Annexes II and III; the first five were seen in the text, the last
//! two come from practice); NĐ 30/2020/NĐ-CP Annex I gives their heads, dates and signatures. Each is plain data and one
//! function that prints it: one page of HTML with everything in it, for A4, without scripts.
//!
//! # Why
//! *Data in, text out.* Who calls looks up names and titles, for an identifier says nothing on paper; so nothing here can
//! read what it should not, and the same data prints the same page in twenty years.
//!
//! *Everything that came from outside is text.* Titles of records are written by strangers: each value is escaped where it is
//! put in, and characters that turn the direction of writing are shown as what they are.
//!
//! *No law is quoted that was not given.* The basis (căn cứ) of a decision is a list that the agency fills in.

pub mod council;
pub mod decision;
pub mod fill;
pub mod gather;
pub mod list;
pub mod minutes;
pub mod paper;

/// Somebody on a paper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub name: String,
    /// Chức vụ: `Trưởng phòng`.
    pub title: String,
    /// What they are here: `Chủ tịch Hội đồng`, `đại diện bên giao`.
    pub part: String,
}

/// One unit as the tables of all papers show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Số, ký hiệu hồ sơ or mã tài liệu.
    pub code: String,
    pub title: String,
    /// Thời gian tài liệu: `2010–2012`.
    pub years: String,
    /// Thời hạn lưu trữ: `10 năm`.
    pub period: String,
    /// Lý do: `hết thời hạn lưu trữ ngày 01/01/2023, mục 12`, `trùng với …`.
    pub ground: String,
    pub records: u64,
    pub pages: u64,
    pub bytes: u64,
    pub note: String,
}

#[cfg(test)]
mod tests;

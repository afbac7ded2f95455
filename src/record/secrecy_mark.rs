//! Secrecy marks in text: a line or a stamp of its own near the head of a page, and nothing in running text.
//!
//! NĐ 30/2020/NĐ-CP Annex I: the mark (cell 10a) stands under number and notation, or under the agency, in capitals, boxed.
//! In the text of a scan it is a line, or the part of one that stands apart from the rest by a gap.
//!
//! # Why
//! *"Bảo mật", "bí mật", "mật khẩu" and "giải mật" are everywhere in administrative language.* A word is a mark only where
//! nothing else stands with it. What is not near the head of a page is the text of a rule about marks, or a list of codes.
//!
//! *Careful in both directions.* A mark that is missed stays open for all to read; one that is imagined hides a record until
//! a person has looked. Texts of scans lose tone marks, so that `MÂT` and `TUYET MAT` in capitals are read as what they were;
//! `MẮT` and `MẶT` are other words and are not.

use crate::record::{secrecy::Level, text};

/// Lines at the head of a page, empty ones not counted, in which a mark is looked for.
const HEAD_LINES: usize = 20;
/// Bytes of a line that are looked at. A stamp has few.
const LINE_BYTES_MAX: usize = 4096;
/// Words that make another word with the `mật` after them, also over a gap or the end of a line. With their tone marks, for
/// `THÔNG BÁO` above a mark is not `BẢO`.
const COMPOUNDS: [&str; 8] = ["bảo", "bí", "giải", "không", "cẩn", "thân", "cơ", "độ"];
/// What stands before a mark that is named: `Độ mật: MẬT`.
const LABELS: [&str; 4] = ["do mat", "muc do mat", "dau do mat", "cap do mat"];

/// A mark, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub level: Level,
    /// Counted from 1, as form feeds part them.
    pub page: u32,
    /// Counted from 1 in its page.
    pub line: u32,
}

/// The highest mark in a text whose pages are parted by form feeds; of several such, the first.
pub fn find(pages: &str) -> Option<Mark> {
    let mut finder = Finder::default();
    finder.push(pages.as_bytes());
    finder.finish()
}

/// The same of a text that streams by: what is kept of it is one line, and of a line its beginning.
#[derive(Default)]
pub struct Finder {
    /// Pages and lines that are over, and lines of this page that were not empty.
    pages: u32,
    lines: u32,
    seen: usize,
    before: String,
    line: Vec<u8>,
    found: Option<Mark>,
}

impl Finder {
    /// The next piece.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let looking = self.seen < HEAD_LINES;
            let end = piece.iter().position(|byte| *byte == 0x0c || looking && *byte == b'\n');
            if looking {
                let here = &piece[..end.unwrap_or(piece.len())];
                self.line.extend_from_slice(&here[..here.len().min(LINE_BYTES_MAX - self.line.len())]);
            }
            let Some(end) = end else { return };
            self.end_line();
            if piece[end] == 0x0c {
                (self.lines, self.seen, self.pages) = (0, 0, self.pages + 1);
                self.before.clear();
            }
            piece = &piece[end + 1..];
        }
    }

    /// What was found, when everything was pushed.
    pub fn finish(mut self) -> Option<Mark> {
        self.end_line();
        self.found
    }

    fn end_line(&mut self) {
        self.lines += 1;
        let line = text::nfc(&String::from_utf8_lossy(&self.line));
        self.line.clear();
        if line.trim().is_empty() {
            return;
        }
        self.seen += 1;
        if let Some(level) = in_line(&line, &self.before)
            && self.found.is_none_or(|known| level > known.level)
        {
            self.found = Some(Mark { level, page: self.pages + 1, line: self.lines });
        }
        self.before = line;
    }
}

/// The mark that a line is, or that stands apart in it.
fn in_line(line: &str, before: &str) -> Option<Level> {
    let cells = cells(line);
    if let Some(level) = labelled(line).or_else(|| cells.iter().find_map(|cell| labelled(cell))) {
        return Some(level);
    }
    let mut found = None;
    for (n, cell) in cells.iter().enumerate() {
        let left = if n > 0 { cells[n - 1] } else { before };
        let level = stamp(cell, cells.len() == 1).and_then(|level| raised(level, left));
        found = found.max(level);
    }
    // A stamp whose words stand wide apart.
    found.max(cells.windows(2).find_map(|two| stamp(&two.join(" "), false)))
}

/// The parts of a line that stand apart: by a tab, two spaces or a rule.
fn cells(line: &str) -> Vec<&str> {
    let parts = line.split(['\t', '|', '│', '\u{2003}']).flat_map(|part| part.split("  "));
    parts.map(str::trim).filter(|part| part.chars().any(char::is_alphanumeric)).collect()
}

/// Is this all of a mark, however it is boxed, spaced or bracketed?
fn stamp(cell: &str, alone: bool) -> Option<Level> {
    let bare = cell.trim_matches(|c: char| !c.is_alphanumeric());
    let bare = without_copy_number(bare);
    let words: Vec<&str> = bare.split_whitespace().collect();
    // `M Ậ T`, as stamps are set wide.
    let spaced = words.len() > 2 && words.iter().all(|word| word.chars().count() == 1);
    let name = if spaced { words.concat() } else { words.join(" ") };
    let level = named(&name, spaced)?;
    let capitals = !name.chars().any(char::is_lowercase);
    // In small letters only where it has the line to itself, and begins like a name: `Tối mật`.
    let sentence = cell.ends_with(['.', ';', ',']) || cell.contains(['"', '“', '”']);
    let as_a_name = alone && !sentence && name.starts_with(char::is_uppercase) && name.to_lowercase().ends_with("mật");
    (capitals || as_a_name).then_some(level)
}

/// `TỐI MẬT Bản số: 03`: the number of the copy belongs to the stamp.
fn without_copy_number(bare: &str) -> &str {
    let at = ["Bản số", "BẢN SỐ", "bản số"].iter().find_map(|word| bare.find(word));
    at.filter(|at| *at > 0).map_or(bare, |at| bare[..at].trim_end_matches(|c: char| !c.is_alphanumeric()))
}

fn named(name: &str, spaced: bool) -> Option<Level> {
    let mat = |word: &str| {
        let upper = word.to_uppercase();
        matches!(upper.as_str(), "MẬT" | "MÂT" | "MẠT" | "MAT")
    };
    let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
    let folded = text::fold(name);
    match text::fold(first).as_str() {
        "" if spaced && folded == "tuyetmat" => Some(Level::Highest),
        "" if spaced && folded == "toimat" => Some(Level::Higher),
        "" if mat(last) => Some(Level::Secret),
        "toi" if mat(last) => Some(Level::Higher),
        "tuyet" if mat(last) => Some(Level::Highest),
        _ => None,
    }
}

/// What stands to the left, or on the line above, decides: `BÍ` before `MẬT` makes it a word, `TUYỆT` a higher mark.
fn raised(level: Level, left: &str) -> Option<Level> {
    let lower = left.to_lowercase();
    let said = lower.trim_end_matches(|c: char| !c.is_alphanumeric());
    let last = said.split_whitespace().next_back().unwrap_or_default();
    let is = |word: &&str| last == *word || (last.is_ascii() && last == text::fold(word));
    match level {
        Level::Secret if text::fold(said.trim()) == "tuyet" => Some(Level::Highest),
        Level::Secret if text::fold(said.trim()) == "toi" => Some(Level::Higher),
        Level::Secret if COMPOUNDS.iter().any(is) => None,
        level => Some(level),
    }
}

/// `Độ mật: MẬT`, `Độ mật: Tối mật`.
fn labelled(line: &str) -> Option<Level> {
    let (label, value) = line.split_once(':')?;
    let label = text::fold(&text::line(label));
    let value = value.split("  ").map(str::trim).find(|part| !part.is_empty())?;
    let name = value.trim_matches(|c: char| !c.is_alphanumeric());
    LABELS.contains(&label.trim_matches(|c: char| !c.is_alphanumeric())).then(|| named(name, false)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    const HEAD: &str = "ỦY BAN NHÂN DÂN TỈNH        CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n\
                        SỞ NỘI VỤ                   Độc lập - Tự do - Hạnh phúc\n";

    /// Heads as NĐ 30/2020/NĐ-CP Annex I and the texts of scans have them.
    #[test]
    fn marks_at_the_head_of_documents() {
        let rows: [(&str, Option<Level>); 33] = [
            // Under the number.
            ("Số: 05/BC-SNV          Hà Nội, ngày 05 tháng 6 năm 2026\nMẬT\nBÁO CÁO", Some(Level::Secret)),
            ("Số: 05/BC-SNV\nTỐI MẬT\n", Some(Level::Higher)),
            ("Số: 05/BC-SNV\nTUYỆT MẬT\n", Some(Level::Highest)),
            // Beside place and day, boxed, bracketed, starred, wide.
            ("MẬT                    Hà Nội, ngày 05 tháng 6 năm 2026", Some(Level::Secret)),
            ("Số: 05/BC-SNV\tTỐI MẬT", Some(Level::Higher)),
            ("| MẬT |", Some(Level::Secret)),
            ("[ TUYỆT MẬT ]", Some(Level::Highest)),
            ("*** MẬT ***", Some(Level::Secret)),
            ("M Ậ T", Some(Level::Secret)),
            ("T Ố I M Ậ T", Some(Level::Higher)),
            ("TUYỆT   MẬT", Some(Level::Highest)),
            ("TUYỆT\nMẬT", Some(Level::Highest)),
            ("TỐI MẬT Bản số: 03", Some(Level::Higher)),
            ("MẬT - Bản số 01", Some(Level::Secret)),
            ("Độ mật: Tối mật", Some(Level::Higher)),
            ("Mức độ mật: MẬT", Some(Level::Secret)),
            ("Tuyệt mật", Some(Level::Highest)),
            // As scans are read.
            ("MÂT", Some(Level::Secret)),
            ("TUYET MAT", Some(Level::Highest)),
            // What is no mark.
            ("QUY CHẾ BẢO MẬT", None),
            ("V/v bảo vệ bí mật nhà nước", None),
            ("VỀ BẢO VỆ BÍ  MẬT", None),
            ("QUY CHẾ BẢO\nMẬT", None),
            ("ĐÃ GIẢI MẬT", None),
            ("MẬT KHẨU", None),
            ("KHÔNG MẬT", None),
            ("THÔNG BÁO\nMẬT", Some(Level::Secret)),
            ("Số: 05/BC-SNV   Độ mật: MẬT", Some(Level::Secret)),
            ("BỆNH VIỆN MẮT\nMẮT", None),
            ("Độ mật: không", None),
            ("tài liệu có dấu\nmật.", None),
            ("chuyển giao bí mật nhà nước độ\n“Tuyệt mật”.", None),
            ("03     Mật", None),
        ];
        for (body, level) in rows {
            let page = format!("{HEAD}{body}\n\nNội dung văn bản.");
            let decomposed: String = page.nfd().collect();
            assert_eq!(find(&page).map(|mark| mark.level), level, "{body}");
            assert_eq!(find(&decomposed).map(|mark| mark.level), level, "NFD: {body}");
        }
    }

    /// Cut anywhere, in the middle of a character too, a text says the same.
    #[test]
    fn a_text_that_streams_by_says_the_same() {
        let long = format!("{}  MẬT\n", "x".repeat(LINE_BYTES_MAX));
        let second = format!("\u{feff}{HEAD}Nội dung.\r\n\u{c}\r\n2\r\nTỐI MẬT\r\nPhụ lục");
        for text in ["", "MẬT", "TUYỆT\nMẬT\n\u{c}", "BẢO\n\u{c}MẬT", &long, &second] {
            let whole = find(text);
            for size in 1..16 {
                let mut finder = Finder::default();
                text.as_bytes().chunks(size).for_each(|piece| finder.push(piece));
                assert_eq!(finder.finish(), whole, "{size}: {text}");
            }
        }
        assert_eq!(find(&second), Some(Mark { level: Level::Higher, page: 2, line: 3 }));
        assert_eq!(find(&long), None);
        assert_eq!(find("BẢO\n\u{c}MẬT").map(|mark| mark.page), Some(2), "a page begins anew");
    }

    #[test]
    fn a_mark_stands_near_the_head_of_any_page() {
        let far = format!("{HEAD}{}MẬT\n", "Dòng văn bản.\n\n".repeat(HEAD_LINES));
        assert_eq!(find(&far), None, "the middle of a page");
        let second = format!("{HEAD}Nội dung.\n\u{c}\n2\nTỐI MẬT\nPhụ lục");
        assert_eq!(find(&second), Some(Mark { level: Level::Higher, page: 2, line: 3 }));
        let both = format!("MẬT\n{HEAD}\u{c}TUYỆT MẬT\n");
        assert_eq!(find(&both), Some(Mark { level: Level::Highest, page: 2, line: 1 }), "the highest");
        assert_eq!(find(""), None);
        // Marks that a rule speaks of.
        for sentence in [
            "Điều 5. Dấu MẬT, TỐI MẬT, TUYỆT MẬT được đóng bằng mực đỏ.",
            "Văn bản có độ mật thì đóng dấu \"MẬT\" theo quy định.",
            "a) Độ mật gồm: Tuyệt mật, Tối mật, Mật;",
            "Mật độ xây dựng: 40%",
        ] {
            assert_eq!(find(&format!("{HEAD}{sentence}\n")), None, "{sentence}");
        }
    }
}

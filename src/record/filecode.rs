//! The codes of files and documents as the circular composes them (TT 05/2025/TT-BNV, Annexes I, III and IV), and read
//! back.
//!
//! ```text
//! file          H49.64.33 . 2001 . 160            agency, year of the file, number and notation
//! document id   H49.64.33 . 2001 . 160 . 1
//! document      H49.64.33 . 2001 . 160 . 0000001  the file's code and seven digits
//! archival      H49.12 . H49.64.33 . 2001 . 160   the archive before it; of a closed fonds the fonds' code for the agency's
//! paper         H49.12 . K1/G2/H14 . 160          archive, store/shelf/box, number of the paper file
//! ```
//!
//! # Why
//! Agencies' identifiers have dots themselves and so may notations. The year is what parts them: the first group of
//! four digits, which no identifier of an agency has (QĐ 20/2020/QĐ-TTg: a letter and two digits, then two digits).

use crate::record::{
    flaw::{Code, Flaw},
    id::RecordId,
    metadata::Metadata,
    number::likeness,
    text,
};
use std::collections::{HashMap, hash_map::Entry};
use std::fmt;

/// The largest ordinal that seven digits can write.
pub const ORDINAL_MAX: u32 = 9_999_999;
/// The circular's limit for every one of these codes, in characters.
pub const CODE_CHARS_MAX: usize = 100;

/// Not a code in the form of the circular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is agency.year.number and notation, as H49.64.33.2001.160, in at most 100 characters")]
pub struct NotACode;

/// Mã hồ sơ (`fileCode`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileCode {
    /// Mã định danh cơ quan; for a closed fonds its code (mã phông).
    pub of: String,
    /// Năm hình thành hồ sơ.
    pub year: u16,
    /// Số và ký hiệu hồ sơ.
    pub notation: String,
}

fn formed(part: &str) -> bool {
    let groups = part.split('.').all(|group| !group.is_empty());
    groups && !part.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn year(group: &str) -> Option<u16> {
    let digits = group.len() == 4 && group.bytes().all(|b| b.is_ascii_digit());
    group.parse().ok().filter(|year| digits && (1800..2200).contains(year))
}

impl FileCode {
    pub fn new(of: &str, year: u16, notation: &str) -> Result<FileCode, NotACode> {
        FileCode::read(&format!("{of}.{year:04}.{notation}"))
    }

    /// Reads a code; what stands around it is passed over.
    pub fn read(typed: &str) -> Result<FileCode, NotACode> {
        let code = text::line(typed);
        let groups: Vec<&str> = code.split('.').collect();
        let at = groups.iter().position(|group| year(group).is_some()).ok_or(NotACode)?;
        let (of, rest) = groups.split_at(at);
        let (year_of, notation) = rest.split_first().ok_or(NotACode)?;
        let (of, notation) = (of.join("."), notation.join("."));
        let short = code.chars().count() <= CODE_CHARS_MAX;
        let read = FileCode { of, year: year(year_of).ok_or(NotACode)?, notation };
        (short && formed(&read.of) && formed(&read.notation)).then_some(read).ok_or(NotACode)
    }

    /// Reads a code that may lack what stands before the year, as lists of files write it: `2025.VTLT.01`.
    pub fn complete(typed: &str, of: &str) -> Result<FileCode, NotACode> {
        FileCode::read(typed).or_else(|_| FileCode::read(&format!("{of}.{}", text::line(typed))))
    }

    /// Mã định danh tài liệu (`docId`): the code and the plain ordinal.
    pub fn document_id(&self, ordinal: u32) -> String {
        format!("{self}.{ordinal}")
    }

    /// Mã tài liệu (`docCode`); `None` where seven digits do not hold the ordinal.
    pub fn document(&self, ordinal: u32) -> Option<DocumentCode> {
        (1..=ORDINAL_MAX).contains(&ordinal).then(|| DocumentCode { file: self.clone(), ordinal })
    }
}

impl fmt::Display for FileCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}.{}", self.of, self.year, self.notation)
    }
}

/// Mã tài liệu (`docCode`): the file's code and seven digits, counted from 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DocumentCode {
    pub file: FileCode,
    pub ordinal: u32,
}

impl DocumentCode {
    pub fn read(typed: &str) -> Result<DocumentCode, NotACode> {
        let code = text::line(typed);
        let (file, digits) = code.rsplit_once('.').ok_or(NotACode)?;
        let seven = digits.len() == 7 && digits.bytes().all(|b| b.is_ascii_digit());
        let ordinal = digits.parse().map_err(|_| NotACode)?;
        let read = FileCode::read(file)?.document(ordinal).ok_or(NotACode)?;
        if seven { Ok(read) } else { Err(NotACode) }
    }
}

impl fmt::Display for DocumentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:07}", self.file, self.ordinal)
    }
}

/// Mã hồ sơ lưu trữ (`arcFileCode`): the archive's code before the file's, the inventory (mục lục số) behind it where
/// there is one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ArchivalCode {
    /// Mã cơ quan lưu trữ.
    pub archive: String,
    pub file: FileCode,
    pub inventory: Option<String>,
}

impl ArchivalCode {
    pub fn new(archive: &str, file: FileCode, inventory: Option<&str>) -> Result<ArchivalCode, NotACode> {
        let inventory = inventory.map(str::to_owned);
        let code = ArchivalCode { archive: archive.into(), file, inventory };
        let parts = formed(&code.archive) && code.inventory.as_deref().is_none_or(formed);
        (parts && code.to_string().chars().count() <= CODE_CHARS_MAX).then_some(code).ok_or(NotACode)
    }

    /// Reads a code of a known archive: nothing in it says where the archive's own ends, nor whether its last group is
    /// an inventory.
    pub fn read(typed: &str, archive: &str, inventory: Option<&str>) -> Result<ArchivalCode, NotACode> {
        let code = text::line(typed);
        let mut file = code.strip_prefix(archive).and_then(|rest| rest.strip_prefix('.')).ok_or(NotACode)?;
        if let Some(inventory) = inventory {
            file = file.strip_suffix(inventory).and_then(|rest| rest.strip_suffix('.')).ok_or(NotACode)?;
        }
        ArchivalCode::new(archive, FileCode::read(file)?, inventory)
    }

    /// Mã lưu trữ của tài liệu (`arcDocCode`): the archive's code, the file's, and seven digits.
    pub fn document(&self, ordinal: u32) -> Option<String> {
        self.file.document(ordinal).map(|code| format!("{}.{code}", self.archive))
    }
}

impl fmt::Display for ArchivalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.archive, self.file)?;
        self.inventory.as_ref().map_or(Ok(()), |inventory| write!(f, ".{inventory}"))
    }
}

/// Mã hồ sơ gốc giấy (`paperFileCode`): archive, place (store/shelf/box) and number of the paper file.
pub fn paper(archive: &str, place: &str, number: &str) -> Result<String, NotACode> {
    let code = format!("{archive}.{place}.{number}");
    let parts = [archive, place, number].iter().all(|part| !part.trim().is_empty());
    let good = parts && formed(&code) && code.chars().count() <= CODE_CHARS_MAX;
    good.then_some(code).ok_or(NotACode)
}

/// Mã gói tài liệu rời (`fileCode` of `SIP_tailieu`): agency, year, two digits of the delivery, seven of the number.
pub fn loose(of: &str, year: u16, delivery: u8, number: u32) -> Result<String, NotACode> {
    let fits = (1..=99).contains(&delivery) && (1..=ORDINAL_MAX).contains(&number);
    let code = FileCode::new(of, year, &format!("{delivery:02}.{number:07}"))?;
    fits.then(|| code.to_string()).ok_or(NotACode)
}

/// Codes that are used more than once, however they are cased: each use after the first is a flaw.
pub fn doubled<'a, I: fmt::Display>(codes: impl IntoIterator<Item = (I, &'a str)>) -> Vec<Flaw> {
    let mut first: HashMap<String, String> = HashMap::new();
    let mut flaws = Vec::new();
    for (of, code) in codes {
        let key = text::line(code).to_lowercase();
        match first.entry(key) {
            Entry::Occupied(other) => {
                let detail = format!("{of} = {}", other.get());
                flaws.push(Flaw::new(Code::DuplicateCode, code).with_detail(detail));
            }
            Entry::Vacant(free) => {
                free.insert(of.to_string());
            }
        }
    }
    flaws
}

/// Records that may be one ([`likeness`]): each after the first is a flaw that names the first.
pub fn alike<'a>(records: impl IntoIterator<Item = (RecordId, &'a Metadata)>) -> Vec<Flaw> {
    let mut first: HashMap<String, RecordId> = HashMap::new();
    let mut flaws = Vec::new();
    for (record, metadata) in records {
        let Some(key) = likeness(metadata) else { continue };
        let other = *first.entry(key).or_insert(record);
        if other != record {
            flaws.push(Flaw::new(Code::Alike, record).with_detail(other));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_files_and_back() {
        for (code, of, year, notation) in [
            ("H49.64.33.2001.160", "H49.64.33", 2001, "160"),
            ("H26.2025.VTLT.01", "H26", 2025, "VTLT.01"),
            ("UBND-DM.2019.GTNT.14", "UBND-DM", 2019, "GTNT.14"),
            ("001.03.08.H30.81.2024.K4.01.01.001", "001.03.08.H30.81", 2024, "K4.01.01.001"),
            ("000.00.18.H40.2018.160", "000.00.18.H40", 2018, "160"),
            ("H49.64.33.2001.2002", "H49.64.33", 2001, "2002"),
            ("H49.64.33.2001.15/VP-TH", "H49.64.33", 2001, "15/VP-TH"),
        ] {
            let read = FileCode::read(code).unwrap_or_else(|_| panic!("{code}"));
            assert_eq!((read.of.as_str(), read.year, read.notation.as_str()), (of, year, notation));
            assert_eq!(read.to_string(), code);
            assert_eq!(FileCode::new(of, year, notation), Ok(read));
        }
        for (code, whole) in [
            ("2025.VTLT.01", Some("H26.2025.VTLT.01")),
            ("2025.2024.01", Some("H26.2025.2024.01")),
            ("H49.2001.160", Some("H49.2001.160")),
            ("VTLT.01", None),
            ("160", None),
        ] {
            assert_eq!(FileCode::complete(code, "H26").ok().map(|code| code.to_string()).as_deref(), whole, "{code}");
        }
        let long = format!("H49.2001.{}", "1".repeat(92));
        for wrong in ["", "2001.160", "H49.64.33.160", "H49.2001", "H49..2001.1", "H49.2001.", "H49.2001.a b", &long] {
            assert_eq!(FileCode::read(wrong), Err(NotACode), "{wrong}");
        }
    }

    /// The package of a real agency: `docId` and `docCode` of its first document.
    #[test]
    fn codes_of_documents_and_back() {
        let file = FileCode::read("H49.64.33.2001.160").unwrap();
        assert_eq!(file.document_id(1), "H49.64.33.2001.160.1");
        for (ordinal, code) in [(1, "H49.64.33.2001.160.0000001"), (9_999_999, "H49.64.33.2001.160.9999999")] {
            let document = file.document(ordinal).unwrap();
            assert_eq!(document.to_string(), code);
            assert_eq!(DocumentCode::read(code), Ok(document));
        }
        assert_eq!((file.document(0), file.document(10_000_000)), (None, None));
        for wrong in ["H49.64.33.2001.160.1", "H49.64.33.2001.160.0000000", "H49.64.33.2001.160", "0000001"] {
            assert_eq!(DocumentCode::read(wrong), Err(NotACode), "{wrong}");
        }
    }

    #[test]
    fn codes_of_archives_and_back() {
        let file = FileCode::read("H49.64.33.2001.160").unwrap();
        let closed = FileCode::read("UBND-DM.2019.GTNT.14").unwrap();
        for (file, inventory, code, document) in [
            (&file, None, "H49.12.H49.64.33.2001.160", "H49.12.H49.64.33.2001.160.0000007"),
            (&closed, Some("02"), "H49.12.UBND-DM.2019.GTNT.14.02", "H49.12.UBND-DM.2019.GTNT.14.0000007"),
        ] {
            let archival = ArchivalCode::new("H49.12", file.clone(), inventory).unwrap();
            assert_eq!(archival.to_string(), code);
            assert_eq!(archival.document(7).as_deref(), Some(document));
            assert_eq!(ArchivalCode::read(code, "H49.12", inventory), Ok(archival));
        }
        for (code, archive, inventory) in
            [("H49.12.H49.2001.1", "H50", None), ("H49.12.H49.2001.1", "H49.12", Some("9")), ("H49.12", "H49.12", None)]
        {
            assert_eq!(ArchivalCode::read(code, archive, inventory), Err(NotACode), "{code}");
        }
    }

    #[test]
    fn codes_of_paper_and_of_loose_records() {
        assert_eq!(paper("H49.12", "K1/G2/H14", "160").as_deref(), Ok("H49.12.K1/G2/H14.160"));
        assert_eq!(paper("H49.12", " ", "160"), Err(NotACode));
        assert_eq!(loose("H49.64.33", 2026, 3, 15).as_deref(), Ok("H49.64.33.2026.03.0000015"));
        for (delivery, number) in [(0, 1), (100, 1), (1, 0), (1, 10_000_000)] {
            assert_eq!(loose("H49", 2026, delivery, number), Err(NotACode));
        }
    }

    /// NĐ 30/2020/NĐ-CP Annex VI: a warning where a code, or number, notation and agency, are there already.
    #[test]
    fn what_is_there_already_is_told() {
        let flaws = doubled([(1, "H49.2001.1"), (2, "H49.2001.2"), (3, " h49.2001.1 ")]);
        assert_eq!(flaws.len(), 1);
        assert_eq!((flaws[0].code, flaws[0].detail.as_deref()), (Code::DuplicateCode, Some("3 = 1")));
        let metadata = |number: &str| Metadata {
            number: Some(number.into()),
            notation: Some("QĐ-UBND".into()),
            agency: Some("Ủy ban nhân dân xã Sông Mơ".into()),
            issued: "2026-05-15".parse().ok(),
            ..Metadata::default()
        };
        let records = [metadata("12"), metadata("13"), metadata("012"), Metadata::default(), Metadata::default()];
        let ids = (1..).map(|n| RecordId::new(n, [0; 10]));
        let flaws = alike(ids.zip(&records));
        assert_eq!(flaws.len(), 1);
        assert_eq!((flaws[0].code, &flaws[0].place), (Code::Alike, &RecordId::new(3, [0; 10]).to_string()));
    }
}

//! Lists as people keep them in a spreadsheet, TSV or CSV: the files of a year (danh mục hồ sơ, NĐ 30/2020/NĐ-CP Annex V)
//! and the agencies of a register. The first row names the columns, in Vietnamese or English.
//!
//! # Why
//! - A row that cannot be read stops the whole list, and every such row is told at once: half a list of agencies would say
//!   that the others were not there.
//! - In a list of files a row that has neither a period nor a maker is a heading, as it is printed; the rows below stand
//!   under it until the next.

use crate::exchange::rows::{Framing, Rows, cells};
use crate::record::{
    agencies::{Agency, AgencyCode, Draft, Level, Register, levels},
    codes,
    date::PartialDate,
    plan::{Heading, Planned},
    retention::period::Period,
    text,
};
use std::collections::HashMap;

/// The largest file.
pub const BYTES_MAX: usize = 16 << 20;
/// Rows of one list.
const ROWS_MAX: usize = 100_000;

/// What is wrong with a list, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Wrong {
    #[error("danh sách phải là văn bản UTF-8 không quá {} MiB / a list is text in UTF-8 of at most {} MiB", BYTES_MAX >> 20, BYTES_MAX >> 20)]
    Unread,
    #[error(
        "không phải là danh bạ cơ quan theo schemas/register.v1.json ({0}) / no register of agencies as schemas/register.v1.json says ({0})"
    )]
    Json(String),
    #[error("thiếu cột {0} / the column {0} is missing")]
    Column(&'static str),
    #[error("dòng {0}: không tách được thành các ô / row {0}: it cannot be taken apart into cells")]
    Row(u64),
    #[error("dòng {row}, cột {column}: không đọc được {typed} / row {row}, column {column}: {typed} cannot be read")]
    Cell { row: u64, column: &'static str, typed: String },
    #[error("quá {ROWS_MAX} dòng / more than {ROWS_MAX} rows")]
    TooMany,
}

impl Wrong {
    /// In Vietnamese and in English.
    pub fn said(&self) -> (String, String) {
        let both = self.to_string();
        let (vi, en) = both.split_once(" / ").unwrap_or((&both, &both));
        (vi.to_owned(), en.to_owned())
    }
}

type Cells = HashMap<&'static str, String>;
/// A column: our name, and the names that its first row may have.
type Column = (&'static str, &'static [&'static str]);

const PLAN: [Column; 8] = [
    ("code", &["so, ky hieu ho so", "so va ky hieu ho so", "ky hieu ho so", "ma ho so", "ma"]),
    ("title", &["tieu de ho so", "tieu de"]),
    ("retention", &["thoi han luu tru", "thoi han bao quan", "thoi han"]),
    ("maker", &["nguoi lap ho so", "nguoi lap"]),
    ("unit", &["don vi", "don vi lap", "don vi lap ho so", "office"]),
    ("note", &["ghi chu"]),
    ("heading", &["de muc"]),
    ("parent", &["de muc tren"]),
];

const AGENCIES: [Column; 11] = [
    ("code", &["ma co quan", "ma"]),
    ("name", &["ten co quan", "ten"]),
    ("level", &["cap"]),
    ("identifier", &["ma dinh danh", "ma dinh danh dien tu"]),
    ("parent", &["co quan cap tren", "cap tren"]),
    ("from", &["tu ngay", "tu"]),
    ("until", &["den ngay", "den"]),
    ("predecessors", &["co quan tien than", "tien than"]),
    ("successors", &["co quan ke thua", "ke thua"]),
    ("historical_archive", &["luu tru lich su"]),
    ("source", &["can cu", "van ban"]),
];

/// The headings and files of a list of files.
pub fn plan(bytes: &[u8]) -> Result<(Vec<Heading>, Vec<Planned>), Vec<Wrong>> {
    let (mut headings, mut files, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut under: Option<String> = None;
    for (row, mut cells) in table(bytes, &PLAN, &["code", "title"])? {
        let (code, title) = (cells.remove("code").unwrap_or_default(), cells.remove("title").unwrap_or_default());
        if !cells.contains_key("retention") && !cells.contains_key("maker") {
            headings.push(Heading { code: code.clone(), title, parent: cells.remove("parent") });
            under = Some(code);
            continue;
        }
        let retention = cells.remove("retention");
        let (retention_code, retention_years) = match retention.as_deref().map(period) {
            None => (None, None),
            Some(Some((code, years))) => (Some(code), years),
            Some(None) => {
                let typed = retention.unwrap_or_default();
                wrong.push(Wrong::Cell { row, column: "retention", typed });
                continue;
            }
        };
        let heading = cells.remove("heading").or_else(|| under.clone());
        let (maker, unit, note) = (cells.remove("maker"), cells.remove("unit"), cells.remove("note"));
        let (class, maker_id) = (None, None);
        let file =
            Planned { code, title, heading, retention_code, retention_years, class, maker, maker_id, unit, note };
        files.push(file);
    }
    if wrong.is_empty() { Ok((headings, files)) } else { Err(wrong) }
}

/// The code 01 to 07 of a period, and the years beside it where it is no other.
fn period(typed: &str) -> Option<(String, Option<u32>)> {
    if let Some(code) = codes::lookup(&codes::RETENTIONS, typed) {
        return Some((code.into(), None));
    }
    let (period, _) = Period::read(typed).ok()?;
    let maintenance = period.maintenance();
    Some((maintenance.code.into(), maintenance.years.filter(|_| maintenance.code == "07").map(u32::from)))
}

/// A register of agencies as it is imported, JSON or a table. A table says nothing of levels, nor of who was told to manage
/// whose records: that stays as it was `before`.
pub fn register(bytes: &[u8], before: Option<&Register>) -> Result<Draft, Vec<Wrong>> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') {
        return Draft::read(text).map_err(|error| vec![Wrong::Json(error.to_string())]);
    }
    let draft = agencies(bytes)?;
    Ok(match before {
        Some(before) => Draft { levels: before.levels.clone(), custody: before.custody.clone(), ..draft },
        None => draft,
    })
}

/// A register of agencies, whose levels are those of local government ([`levels`]).
pub fn agencies(bytes: &[u8]) -> Result<Draft, Vec<Wrong>> {
    let (levels, mut agencies, mut wrong) = (levels(), Vec::new(), Vec::new());
    for (row, cells) in table(bytes, &AGENCIES, &["code", "name", "level"])? {
        match agency(cells, &levels) {
            Ok(agency) => agencies.push(agency),
            Err((column, typed)) => wrong.push(Wrong::Cell { row, column, typed }),
        }
    }
    if wrong.is_empty() { Ok(Draft { levels, agencies, custody: Vec::new() }) } else { Err(wrong) }
}

fn agency(mut cells: Cells, levels: &[Level]) -> Result<Agency, (&'static str, String)> {
    let code = |column: &'static str, typed: String| typed.parse::<AgencyCode>().map_err(|_| (column, typed));
    let mut taken = |column: &'static str| cells.remove(column).map(|typed| (column, typed));
    let one = |told: Option<(&'static str, String)>| told.map(|(column, typed)| code(column, typed)).transpose();
    let many = |told: Option<(&'static str, String)>| {
        let (column, typed) = told.unwrap_or_default();
        let parts = typed.split([';', ',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| code(column, part.to_owned())).collect::<Result<Vec<_>, _>>()
    };
    let day = |told: Option<(&'static str, String)>| match told {
        Some((column, typed)) => PartialDate::read(&typed).map(Some).map_err(|_| (column, typed)),
        None => Ok(None),
    };
    let own = one(taken("code"))?.ok_or_else(|| ("code", String::new()))?;
    let level = taken("level").map(|(_, typed)| typed).unwrap_or_default();
    let named = text::fold(&text::line(&level));
    let known = levels.iter().find(|known| known.code == named || text::fold(&known.vi).ends_with(&named));
    let level = known.filter(|_| !named.is_empty()).ok_or(("level", level))?.code.clone();
    let archive = taken("historical_archive").map(|(_, typed)| text::fold(&typed));
    Ok(Agency {
        code: own,
        name: taken("name").map(|(_, name)| name).unwrap_or_default(),
        level,
        identifier: one(taken("identifier"))?,
        parent: one(taken("parent"))?,
        from: day(taken("from"))?,
        until: day(taken("until"))?,
        predecessors: many(taken("predecessors"))?,
        successors: many(taken("successors"))?,
        historical_archive: archive.is_some_and(|typed| ["1", "x", "co", "yes", "true"].contains(&typed.as_str())),
        source: taken("source").map(|(_, source)| source),
    })
}

/// The rows of a table by our names of its columns; blank cells and blank rows are not there.
fn table(bytes: &[u8], columns: &[Column], needed: &[&'static str]) -> Result<Vec<(u64, Cells)>, Vec<Wrong>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > BYTES_MAX || std::str::from_utf8(bytes).is_err() || bytes.contains(&0) {
        return Err(vec![Wrong::Unread]);
    }
    let mut rows = Rows::new(bytes, Framing::Lines, BYTES_MAX as u64);
    if !matches!(rows.next_row(), Ok(Some(_))) {
        return Err(vec![Wrong::Column(needed.first().copied().unwrap_or_default())]);
    }
    let first = String::from_utf8_lossy(rows.bytes()).into_owned();
    let named = |delimiter: u8| -> Vec<Option<&'static str>> {
        cells(&first, delimiter).iter().map(|cell| column(cell, columns)).collect()
    };
    let known = |header: &Vec<Option<&'static str>>| header.iter().flatten().count();
    let (mut delimiter, mut header) = (b'\t', named(b'\t'));
    for other in [b';', b','] {
        let names = named(other);
        if known(&names) > known(&header) {
            (delimiter, header) = (other, names);
        }
    }
    let missing: Vec<Wrong> =
        needed.iter().filter(|name| !header.contains(&Some(**name))).map(|name| Wrong::Column(name)).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    rows.framed(Framing::Cells { delimiter });
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    // Reading from memory does not fail.
    while let Some(row) = rows.next_row().ok().flatten() {
        if row.broken.is_some() {
            wrong.push(Wrong::Row(row.lines.0));
            continue;
        }
        let text = String::from_utf8_lossy(rows.bytes()).into_owned();
        let told = cells(&text, delimiter).into_iter().zip(&header);
        let told = told.filter_map(|(cell, name)| Some((*name.as_ref()?, text::line(&cell))));
        let told: Cells = told.filter(|(_, cell)| !cell.is_empty()).collect();
        if !told.is_empty() {
            found.push((row.lines.0, told));
        }
        if found.len() > ROWS_MAX {
            return Err(vec![Wrong::TooMany]);
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// Our name of a column.
fn column(cell: &str, columns: &[Column]) -> Option<&'static str> {
    let typed = text::fold(&text::line(cell));
    let named = columns.iter().find(|(name, others)| *name == typed || others.contains(&typed.as_str()));
    named.map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_files_as_it_is_printed() {
        let text = "\"Số, ký hiệu hồ sơ\",Tiêu đề hồ sơ,Thời hạn lưu trữ,Người lập hồ sơ,Ghi chú\n\
                    VTLT,\"Văn thư, lưu trữ\",,,\n\
                    2025.VTLT.01,Danh mục hồ sơ năm 2025,20 năm,Quách Thị Mai,\n\
                    2025.VTLT.02,Hồ sơ tập huấn,15 năm,Cao Văn Nghĩa,Hằng năm\n";
        let (headings, files) = plan(text.as_bytes()).unwrap();
        assert_eq!((headings.len(), headings[0].title.as_str()), (1, "Văn thư, lưu trữ"));
        let told: Vec<_> = files
            .iter()
            .map(|file| (file.heading.as_deref(), file.retention_code.as_deref(), file.retention_years))
            .collect();
        assert_eq!(told, [(Some("VTLT"), Some("05"), None), (Some("VTLT"), Some("07"), Some(15))]);
        let wrong = plan("code,title,retention\n1,Hồ sơ,lâu\n".as_bytes()).unwrap_err();
        assert_eq!(wrong, [Wrong::Cell { row: 2, column: "retention", typed: "lâu".into() }]);
        assert_eq!(plan(b"title\nx\n").unwrap_err(), [Wrong::Column("code")]);
        assert_eq!(plan(b"\xff").unwrap_err(), [Wrong::Unread]);
    }

    #[test]
    fn a_register_as_a_table() {
        let text = "Mã cơ quan\tTên cơ quan\tCấp\tCấp trên\tTừ ngày\tTiền thân\tLưu trữ lịch sử\tCăn cứ\n\
                    UBND-DM\tỦy ban nhân dân huyện Đồng Mơ\thuyện\t\t\t\t\t\n\
                    UBND-SM\tỦy ban nhân dân xã Sông Mơ\tcấp xã\tUBND-LH\t01/07/2025\tUBND-DM; UBND-BC\t\tNQ 1\n\
                    LTLS-LH\tLưu trữ lịch sử\tprovince\t\t\t\tx\t\n";
        let draft = agencies(text.as_bytes()).unwrap();
        let told: Vec<_> = draft.agencies.iter().map(|one| (one.level.as_str(), one.predecessors.len())).collect();
        assert_eq!(told, [("district", 0), ("commune", 2), ("province", 0)]);
        assert_eq!(draft.agencies[1].from, "2025-07-01".parse().ok());
        assert!(draft.agencies[2].historical_archive && !draft.agencies[0].historical_archive);
        for (row, column, typed) in
            [("A B\tX\txã", "code", "A B"), ("AB\tX\tkhu", "level", "khu"), ("AB\tX\t", "level", "")]
        {
            let wrong = agencies(format!("code\tname\tlevel\n{row}\n").as_bytes()).unwrap_err();
            assert_eq!(wrong, [Wrong::Cell { row: 2, column, typed: typed.into() }]);
        }
    }
}

//! Schedules in and out: a table as people keep it, TSV, CSV or an Excel workbook, becomes classes and what is wrong with them.
//!
//! One row is one class. The first row names the columns, in Vietnamese or English; `Tên nhóm hồ sơ, tài liệu` and
//! `Thời hạn lưu trữ` must be there. Group and title may be left out where they are those of the row above, as in merged
//! cells. Of a workbook the first sheet is read that has such a first row.
//!
//! # Why
//! - Foreign bytes of a container are parsed by the reading child alone ([`crate::content`]); its answer is text, and
//!   text is all that is read here.
//! - A row with an error stops itself and nothing else; whoever imports sees all that is wrong at once.
//! - A class without a code gets one of its group and place. It is told, because it is another code when a row is put in
//!   before it: a schedule that is imported again should bring its codes.

use crate::config;
use crate::content::{self, ContentError, Outcome, format};
use crate::exchange::rows::{Framing, Rows, cells};
use crate::record::{
    component::{Format, PLAIN_TEXT},
    retention::{
        check::TEXT_CHARACTERS_MAX,
        flaw::{Flaw, FlawCode},
        period::Period,
        schedule::{Action, Class},
        trigger::Trigger,
    },
    text,
};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The largest file; the schedule of the whole state administration has 20 KiB.
pub const BYTES_MAX: usize = 8 << 20;
/// Rows of one schedule.
const ROWS_MAX: usize = 10_000;
/// Unknown columns that are told of.
const UNKNOWN_MAX: usize = 20;

/// What a file came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    pub classes: Vec<Class>,
    pub flaws: Vec<Flaw>,
}

impl Imported {
    fn refused(flaw: Flaw) -> Imported {
        Imported { classes: Vec::new(), flaws: vec![flaw] }
    }
}

/// Reads a file, whatever it is by its content; `program` is this program, which reads workbooks in a child process.
pub async fn read(program: &Path, bytes: &[u8], limits: &config::Content) -> Result<Imported, ContentError> {
    if bytes.len() > BYTES_MAX {
        return Ok(Imported::refused(Flaw::new(FlawCode::UnreadFile).with_detail(format!("> {BYTES_MAX} byte"))));
    }
    let mime = format::mime(&bytes[..bytes.len().min(format::HEAD_BYTES)], std::str::from_utf8(bytes).is_ok());
    if [PLAIN_TEXT, format::UTF16_TEXT].contains(&mime) || bytes.is_empty() {
        return Ok(from_text(bytes));
    }
    let input = content::input(bytes).map_err(ContentError::Start)?;
    let reading = content::read(program, input, &Format { mime: mime.into() }, limits).await?;
    Ok(from_outcome(&reading.format, reading.outcome))
}

/// What the reading child said of a workbook.
fn from_outcome(found: &Format, outcome: Outcome) -> Imported {
    let unread = |detail: &str| Imported::refused(Flaw::new(FlawCode::UnreadFile).with_detail(detail));
    match outcome {
        Outcome::Read { text, .. } if found.mime == format::XLSX => from_sheets(&text),
        Outcome::Read { .. } => unread(&found.mime),
        Outcome::Unread(why) => unread(why.as_str()),
    }
}

/// The first sheet whose first row names the columns. Cells are parted by tabs, and nothing is quoted.
fn from_sheets(text: &str) -> Imported {
    let mut first = None;
    for sheet in text.split('\u{c}') {
        let rows = sheet.lines().zip(1_u64..).filter(|(line, _)| !line.trim().is_empty());
        let mut rows =
            rows.map(|(line, row)| (row, Ok::<Vec<String>, String>(line.split('\t').map(str::to_owned).collect())));
        let Some((_, Ok(names))) = rows.next() else { continue };
        let header = Header::of(&names);
        if header.is_whole() {
            return table(&header, rows);
        }
        first = first.or(Some(header));
    }
    Imported { classes: Vec::new(), flaws: first.unwrap_or_else(|| Header::of(&[])).flaws() }
}

/// Reads TSV or CSV, whose delimiter is the one that makes most columns known.
pub fn from_text(bytes: &[u8]) -> Imported {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if std::str::from_utf8(bytes).is_err() || bytes.contains(&0) {
        return Imported::refused(Flaw::new(FlawCode::UnreadFile).with_detail("UTF-8"));
    }
    let mut rows = Rows::new(bytes, Framing::Lines, BYTES_MAX as u64);
    if !matches!(rows.next_row(), Ok(Some(_))) {
        return Imported { classes: Vec::new(), flaws: Header::of(&[]).flaws() };
    }
    let line = String::from_utf8_lossy(rows.bytes()).into_owned();
    let headers = [b'\t', b';', b','].map(|delimiter| (delimiter, Header::of(&cells(&line, delimiter))));
    let [first, others @ ..] = headers;
    let (delimiter, header) =
        others.into_iter().fold(first, |best, other| if other.1.known() > best.1.known() { other } else { best });
    if !header.is_whole() {
        return Imported { classes: Vec::new(), flaws: header.flaws() };
    }
    rows.framed(Framing::Cells { delimiter });
    let read = std::iter::from_fn(|| {
        // Reading from memory does not fail.
        let row = rows.next_row().ok().flatten()?;
        let broken = row.broken.map(|broken| format!("{broken:?}"));
        let text = String::from_utf8_lossy(rows.bytes()).into_owned();
        Some((row.lines.0, broken.map_or_else(|| Ok(cells(&text, delimiter)), Err)))
    });
    table(&header, read)
}

/// Classes as a table of the template, TSV, which reads back as it was.
pub fn to_text(classes: &[Class]) -> String {
    let names =
        "Mã\tNhóm\tTên nhóm hồ sơ, tài liệu\tChi tiết\tThời hạn lưu trữ\tMốc tính\tXử lý khi hết thời hạn\tGhi chú\n";
    let rows = classes.iter().map(|class| {
        let (subtitle, note) = (class.subtitle.as_deref(), class.note.as_deref());
        let (period, trigger, action) = (class.period.vi(), class.trigger.vi(), class.action.vi());
        let cells = [&class.code, &class.group, &class.title, subtitle.unwrap_or_default(), &period, &trigger, action];
        let cells = cells.into_iter().chain([note.unwrap_or_default()]).map(quoted);
        cells.collect::<Vec<_>>().join("\t") + "\n"
    });
    std::iter::once(names.to_owned()).chain(rows).collect()
}

/// A cell in quotes, where it holds what parts cells.
fn quoted(cell: &str) -> String {
    if cell.contains(['\t', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// A column of the template.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Column {
    Ordinal,
    Code,
    Group,
    Title,
    Subtitle,
    Period,
    Trigger,
    Action,
    Note,
}

/// The names of columns, without diacritics.
const COLUMNS: [(Column, &[&str]); 9] = [
    (Column::Ordinal, &["stt", "tt", "so tt", "so thu tu"]),
    (Column::Code, &["code", "ma", "ma muc"]),
    (Column::Group, &["group", "nhom"]),
    (
        Column::Title,
        &[
            "title",
            "class",
            "muc",
            "ten nhom ho so, tai lieu",
            "ten nhom ho so tai lieu",
            "ten loai ho so, tai lieu",
            "ten ho so, tai lieu",
        ],
    ),
    (Column::Subtitle, &["subtitle", "subclass", "chi tiet"]),
    (Column::Period, &["period", "thoi han", "thoi han luu tru", "thoi han bao quan", "thbq"]),
    (Column::Trigger, &["trigger", "moc tinh"]),
    (Column::Action, &["action", "xu ly", "cach xu ly", "xu ly khi het thoi han"]),
    (Column::Note, &["note", "ghi chu"]),
];

/// What the first row says.
struct Header {
    columns: Vec<Option<Column>>,
    unknown: Vec<String>,
}

impl Header {
    fn of(names: &[String]) -> Header {
        let (mut columns, mut unknown) = (Vec::new(), Vec::new());
        for name in names {
            let folded = text::fold(&text::line(name));
            let known = COLUMNS.iter().find(|(_, names)| names.contains(&folded.as_str())).map(|(column, _)| *column);
            // Of two columns with one name the first counts; the other is told as unknown.
            let known = known.filter(|column| !columns.contains(&Some(*column)));
            if known.is_none() && !folded.is_empty() && unknown.len() < UNKNOWN_MAX {
                unknown.push(text::line(name));
            }
            columns.push(known);
        }
        Header { columns, unknown }
    }

    fn known(&self) -> usize {
        self.columns.iter().flatten().count()
    }

    fn is_whole(&self) -> bool {
        [Column::Title, Column::Period].iter().all(|needed| self.columns.contains(&Some(*needed)))
    }

    fn flaws(&self) -> Vec<Flaw> {
        let missing = (!self.is_whole()).then(|| Flaw::new(FlawCode::MissingColumn).at_row(1));
        let unknown = self.unknown.iter().map(|name| Flaw::new(FlawCode::UnknownColumn).at_row(1).with_detail(name));
        missing.into_iter().chain(unknown).collect()
    }

    /// The cells of a row by column, in one line each; a row may be shorter than the header.
    fn cells(&self, row: &[String]) -> Result<HashMap<Column, String>, FlawCode> {
        if row.iter().skip(self.columns.len()).any(|cell| !cell.trim().is_empty()) {
            return Err(FlawCode::MalformedRow);
        }
        let named = self.columns.iter().zip(row).filter_map(|(column, cell)| Some(((*column)?, text::line(cell))));
        let cells: HashMap<Column, String> = named.filter(|(_, cell)| !cell.is_empty()).collect();
        let long = cells.values().any(|cell| cell.chars().count() > TEXT_CHARACTERS_MAX);
        if long { Err(FlawCode::TooLong) } else { Ok(cells) }
    }
}

/// The rows below a header; each with its number, and with its cells or why it has none.
fn table(header: &Header, rows: impl Iterator<Item = (u64, Result<Vec<String>, String>)>) -> Imported {
    let mut imported = Imported { classes: Vec::new(), flaws: header.flaws() };
    let mut above = Above::default();
    for (count, (row, read)) in rows.enumerate() {
        if count >= ROWS_MAX {
            imported.flaws.push(Flaw::new(FlawCode::TooManyRows).at_row(row).with_detail(ROWS_MAX));
            break;
        }
        let cells = read.map_err(|why| (FlawCode::MalformedRow, why));
        let cells = cells.and_then(|cells| header.cells(&cells).map_err(|code| (code, String::new())));
        match cells {
            Ok(cells) if cells.keys().all(|column| *column == Column::Ordinal) => {}
            Ok(cells) => above.class(cells, row, &mut imported),
            Err((code, why)) => {
                let flaw = Flaw::new(code).at_row(row);
                imported.flaws.push(if why.is_empty() { flaw } else { flaw.with_detail(why) });
            }
        }
    }
    name_the_nameless(&mut imported, &above.nameless);
    imported
}

/// What the row above said, for cells that were merged with it.
#[derive(Default)]
struct Above {
    group: String,
    title: String,
    /// The classes that have no code yet, with their rows.
    nameless: Vec<(usize, u64)>,
}

impl Above {
    fn class(&mut self, mut cells: HashMap<Column, String>, row: u64, imported: &mut Imported) {
        let mut flaws = Vec::new();
        if let Some(group) = cells.remove(&Column::Group) {
            if group != self.group {
                self.title.clear();
            }
            self.group = group;
        }
        let subtitle = cells.remove(&Column::Subtitle);
        match cells.remove(&Column::Title) {
            Some(title) => self.title = title,
            None if subtitle.is_some() && !self.title.is_empty() => {}
            None => flaws.push(Flaw::new(FlawCode::NoClassTitle)),
        }
        let (terms, found) = terms(&cells);
        flaws.extend(found);
        imported.flaws.extend(flaws.iter().cloned().map(|flaw| flaw.at_row(row)));
        let Some((period, trigger, action)) = terms.filter(|_| flaws.is_empty()) else { return };
        let code = cells.remove(&Column::Code).unwrap_or_default();
        if code.is_empty() {
            self.nameless.push((imported.classes.len(), row));
        }
        let (group, title, note) = (self.group.clone(), self.title.clone(), cells.remove(&Column::Note));
        imported.classes.push(Class { code, group, title, subtitle, period, trigger, action, note });
    }
}

type Terms = (Period, Trigger, Action);

/// Period, trigger and action of a row; what is left out follows from the period.
fn terms(cells: &HashMap<Column, String>) -> (Option<Terms>, Vec<Flaw>) {
    let mut flaws = Vec::new();
    let told = |column: Column| cells.get(&column).map(String::as_str);
    let words = told(Column::Period).unwrap_or_default();
    let Ok((period, in_words)) = Period::read(words) else {
        return (None, vec![Flaw::new(FlawCode::UnreadPeriod).with_detail(words)]);
    };
    let typed = told(Column::Trigger).map(|typed| Trigger::read(typed).map_err(|_| typed));
    let trigger = match (typed, in_words) {
        (Some(Err(typed)), _) => {
            flaws.push(Flaw::new(FlawCode::UnreadTrigger).with_detail(typed));
            period.trigger()
        }
        (Some(Ok(typed)), Some(in_words)) if typed != in_words => {
            flaws.push(Flaw::new(FlawCode::TriggerMismatch).with_detail(format!("{words}; {}", typed.vi())));
            typed
        }
        (Some(Ok(typed)), _) => typed,
        (None, in_words) => in_words.unwrap_or_else(|| period.trigger()),
    };
    let typed = told(Column::Action).unwrap_or_default();
    let action = if typed.is_empty() { Some(Action::of(period)) } else { Action::read(typed) };
    if action.is_none() {
        flaws.push(Flaw::new(FlawCode::UnreadAction).with_detail(typed));
    }
    (action.map(|action| (period, trigger, action)), flaws)
}

/// Codes for classes without one: their group and their place in it, past those that are taken.
fn name_the_nameless(imported: &mut Imported, nameless: &[(usize, u64)]) {
    let mut taken: HashSet<String> = imported.classes.iter().map(|class| class.code.clone()).collect();
    let (mut groups, mut counts): (HashMap<String, String>, HashMap<String, usize>) = Default::default();
    for (at, row) in nameless {
        let Some(class) = imported.classes.get_mut(*at) else { continue };
        let number = groups.len() + 1;
        let group = groups.entry(class.group.clone()).or_insert_with(|| group_code(&class.group, number)).clone();
        let count = counts.entry(group.clone()).or_default();
        let code = loop {
            *count += 1;
            let code = format!("{group}.{count:02}");
            if taken.insert(code.clone()) {
                break code;
            }
        };
        imported.flaws.push(Flaw::new(FlawCode::ComposedCode).at_row(*row).of_class(&code));
        class.code = code;
    }
}

/// `2.1` as it is; of a group that is told in words its number in the file.
fn group_code(group: &str, number: usize) -> String {
    let formed = group.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    if formed && (1..=20).contains(&group.len()) { group.to_owned() } else { format!("N{number}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::component::Unread;

    fn told(imported: &Imported) -> Vec<(&str, Option<u64>)> {
        imported.flaws.iter().map(|flaw| (flaw.code.as_str(), flaw.row)).collect()
    }

    fn classes(imported: &Imported) -> Vec<String> {
        let one = |c: &Class| {
            let subtitle = c.subtitle.as_deref().unwrap_or("–");
            format!(
                "{} | {} | {} | {subtitle} | {} | {} | {}",
                c.code,
                c.group,
                c.title,
                c.period,
                c.trigger,
                c.action.en()
            )
        };
        imported.classes.iter().map(one).collect()
    }

    #[test]
    fn a_table_as_people_keep_it() {
        let table = "STT;Mã;Nhóm;Tên nhóm hồ sơ, tài liệu;Chi tiết;THỜI HẠN LƯU TRỮ;Mốc tính;Xử lý khi hết thời hạn;Ghi chú\n\
            1;1.01;1;Báo cáo;Năm;Vĩnh viễn;;;\n\
            2;1.02;;;Quý;20 năm;;;xem lại\n\
            ;;;;;;;;\n\
            3;2.01;2;\"Hợp đồng; phụ lục\";;5 năm sau khi chấm dứt hợp đồng;;Xem xét lại;\n\
            4;2.02;2;Văn bản;;10 năm;ban hành văn bản;Hủy\n";
        for text in [table.to_owned(), format!("\u{feff}{table}"), table.replace('\n', "\r\n")] {
            let imported = from_text(text.as_bytes());
            assert_eq!(told(&imported), [], "{:?}", imported.flaws);
            assert_eq!(
                classes(&imported),
                [
                    "1.01 | 1 | Báo cáo | Năm | permanent | work_ended | transfer to a historical archive",
                    "1.02 | 1 | Báo cáo | Quý | years:20 | work_ended | destroy",
                    "2.01 | 2 | Hợp đồng; phụ lục | – | years_after:5:contract_ended | event:contract_ended | review",
                    "2.02 | 2 | Văn bản | – | years:10 | document_issued | destroy",
                ]
            );
            assert_eq!(imported.classes[1].note.as_deref(), Some("xem lại"));
        }
    }

    #[test]
    fn what_goes_out_comes_in_again() {
        let table = "code\tgroup\tclass\tsubclass\tperiod\ttrigger\taction\tnote\n\
            1.01\t1\tBáo cáo\tNăm\tpermanent\t\t\t\n\
            1.02\t1\tBáo cáo\tQuý\tyears:20\tdocument_issued\t\t\"xem \"\"Phụ lục\"\"\"\n\
            2.01\t2\t\"\"\"Hồ sơ\"\" hợp đồng\"\t\tyears_after:5:contract_ended\t\tXem xét lại\t\n\
            2.02\t2\tGiấy phép\t\tyears_after:5:cap_giay_phep\t\tHủy\t\n\
            2.03\t2\tCông trình\t\tlife_of_work\t\t\t\n";
        let imported = from_text(table.as_bytes());
        assert_eq!((told(&imported), imported.classes.len()), (vec![], 5), "{:?}", imported.flaws);
        let again = from_text(to_text(&imported.classes).as_bytes());
        assert_eq!((told(&again), &again.classes), (vec![], &imported.classes));
    }

    #[test]
    fn what_is_wrong_is_told_at_its_row() {
        let table = "class\tperiod\tmàu\ttrigger\taction\n\
            a\tlâu dài\t\t\t\n\
            \t5 năm\n\
            b\t5 năm\t\t…\t\n\
            c\t5 năm\t\t\tbán\n\
            d\t5 năm kể từ ngày ban hành\t\tkết thúc công việc\n\
            e\t5 năm\t\t\t\tx\n\
            \"f\t5 năm\n";
        let imported = from_text(table.as_bytes());
        let rows = [
            ("unknown_column", Some(1)),
            ("unread_period", Some(2)),
            ("no_class_title", Some(3)),
            ("unread_trigger", Some(4)),
            ("unread_action", Some(5)),
            ("trigger_mismatch", Some(6)),
            ("malformed_row", Some(7)),
            ("malformed_row", Some(8)),
        ];
        assert_eq!(told(&imported), rows);
        assert_eq!(classes(&imported), Vec::<String>::new());
        for (bytes, code) in [
            (&b""[..], "missing_column"),
            (b"\n\n", "missing_column"),
            (b"class\tnote\nx\ty\n", "missing_column"),
            (b"class\tperiod\n\xff\t5\n", "unread_file"),
            (b"class\tperiod\n\0\t5\n", "unread_file"),
            (b"\xff\xfec\0l\0", "unread_file"),
        ] {
            assert_eq!(from_text(bytes).flaws[0].code.as_str(), code);
        }
        let many = format!("class\tperiod\n{}", "a\tx\n".repeat(ROWS_MAX + 9));
        assert_eq!(told(&from_text(many.as_bytes())).last(), Some(&("too_many_rows", Some(ROWS_MAX as u64 + 2))));
    }

    #[test]
    fn classes_without_a_code_get_one() {
        let table = "code\tgroup\tclass\tperiod\n\t2.1\ta\t5 năm\n2.1.02\t2.1\tb\t5 năm\n\t2.1\tc\t5 năm\n\tNhóm khác\td\t5 năm\n";
        let imported = from_text(table.as_bytes());
        let codes: Vec<&str> = imported.classes.iter().map(|class| class.code.as_str()).collect();
        assert_eq!(codes, ["2.1.01", "2.1.02", "2.1.03", "N2.01"]);
        assert_eq!(
            told(&imported),
            [("composed_code", Some(2)), ("composed_code", Some(4)), ("composed_code", Some(5))]
        );
    }

    #[test]
    fn what_the_reading_child_says_of_a_workbook() {
        let xlsx = Format { mime: format::XLSX.into() };
        let read = |text: &str| Outcome::Read { text: text.into(), pages: 2, pages_left: 0 };
        let imported = from_outcome(&xlsx, read("Hướng dẫn\n\u{c}\nnhóm\tmục\tthời hạn\n\n1\t\"a\t5 năm\n1\tb\tx\n"));
        assert_eq!(classes(&imported), ["1.01 | 1 | \"a | – | years:5 | work_ended | destroy"]);
        assert_eq!(told(&imported), [("unread_period", Some(5)), ("composed_code", Some(4))]);
        assert_eq!(
            told(&from_outcome(&xlsx, read("Hướng dẫn\n"))),
            [("missing_column", Some(1)), ("unknown_column", Some(1))]
        );
        let locked = from_outcome(&xlsx, Outcome::Unread(Unread::Encrypted));
        assert_eq!(
            (told(&locked), locked.flaws[0].detail.as_deref()),
            (vec![("unread_file", None)], Some("encrypted"))
        );
        let docx = Format { mime: format::DOCX.into() };
        assert_eq!(told(&from_outcome(&docx, read("nhóm\tmục\tthời hạn"))), [("unread_file", None)]);
    }
}

//! What does this Excel workbook say? Its cells: a page a sheet, a line a row, a tab between columns.
//!
//! Rows and columns stand where they stand in the sheet, so that "row 12" means the same to whoever opens the workbook.
//! Formulas are what they came to when the workbook was saved. Sheets come in the order of their numbers.
//!
//! # Why
//! A table is read by the same child as every foreign document, and comes out as text: who needs its cells parts them at
//! the tabs. Not read: dates (they are numbers with a style), hidden marks, comments, charts.

use crate::content::office::{self, XML_PER_TEXT};
use crate::content::wire::{Sender, Stop};
use crate::record::component::Unread;
use quick_xml::events::{BytesStart, Event};
use std::io::{Read, Seek};
use zip::ZipArchive;

const SHARED: &str = "xl/sharedStrings.xml";
/// Columns that Excel has.
const COLUMNS_MAX: usize = 16_384;

/// Reads the sheets in an archive.
pub(crate) fn read<R: Read + Seek>(archive: &mut ZipArchive<R>, sender: &mut Sender) -> Result<(), Stop> {
    let names: Vec<String> =
        archive.file_names_raw().filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect();
    let number = |name: &str| name.strip_prefix("xl/worksheets/sheet")?.strip_suffix(".xml")?.parse::<u32>().ok();
    let mut sheets: Vec<(u32, &String)> = names.iter().filter_map(|name| Some((number(name)?, name))).collect();
    sheets.sort_unstable();
    if sheets.is_empty() {
        return Err(Unread::Corrupt.into());
    }
    let mut budget = (sender.text_bytes_left() as u64).saturating_mul(XML_PER_TEXT);
    let mut shared = Strings::default();
    if names.iter().any(|name| name == SHARED) {
        office::read_xml(archive, SHARED, &mut budget, |event| shared.take(event))?;
    }
    for (_, name) in sheets.iter().take(sender.pages_max) {
        let mut sheet = Sheet::new(&shared.all, sender.text_bytes_left());
        office::read_xml(archive, name, &mut budget, |event| sheet.take(event))?;
        sender.page(&sheet.text)?;
    }
    sender.end(sheets.len().saturating_sub(sender.pages_max))
}

/// The texts that cells refer to by number.
#[derive(Default)]
struct Strings {
    all: Vec<String>,
    one: String,
    marks: Marks,
}

/// Where characters are text: inside `t` or `v`, but not in the reading aid of East Asian text.
#[derive(Default)]
struct Marks {
    in_text: bool,
    in_aid: bool,
}

impl Marks {
    /// Text, if this event is some; the marks are set by what opens and closes.
    fn text(&mut self, event: &Event, into: &mut String) -> Result<(), Unread> {
        let reads = self.in_text && !self.in_aid;
        match event {
            Event::Start(element) => self.set(element.local_name().as_ref(), true),
            Event::End(element) => self.set(element.local_name().as_ref(), false),
            Event::Text(text) if reads => into.push_str(&text.xml10_content()),
            Event::CData(text) if reads => into.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if reads => into.extend(office::referred(name)),
            Event::DocType(_) => return Err(Unread::Corrupt),
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, name: &str, open: bool) {
        match name {
            "t" | "v" => self.in_text = open,
            "rPh" => self.in_aid = open,
            _ => {}
        }
    }
}

impl Strings {
    fn take(&mut self, event: Event) -> Result<(), Unread> {
        self.marks.text(&event, &mut self.one)?;
        let ends = match &event {
            Event::Empty(element) => element.local_name().as_ref() == "si",
            Event::End(element) => element.local_name().as_ref() == "si",
            _ => false,
        };
        if ends {
            self.all.push(std::mem::take(&mut self.one));
        }
        Ok(())
    }
}

/// What the value of a cell is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Shared,
    Text,
}

/// One sheet, as it comes out of the XML.
struct Sheet<'a> {
    shared: &'a [String],
    text_bytes_max: usize,
    text: String,
    /// Rows that are written, and the tabs of the one under way.
    rows: usize,
    tabs: usize,
    /// The cell under way: its column, from 0.
    column: usize,
    kind: Kind,
    value: String,
    marks: Marks,
}

impl Sheet<'_> {
    fn new(shared: &[String], text_bytes_max: usize) -> Sheet<'_> {
        let (text, value, marks) = (String::new(), String::new(), Marks::default());
        Sheet { shared, text_bytes_max, text, rows: 0, tabs: 0, column: 0, kind: Kind::Number, value, marks }
    }

    fn take(&mut self, event: Event) -> Result<(), Unread> {
        self.marks.text(&event, &mut self.value)?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                "row" => self.row_begins(element)?,
                "c" => self.cell_begins(element),
                _ => {}
            },
            Event::Empty(element) => match element.local_name().as_ref() {
                "row" => {
                    self.row_begins(element)?;
                    self.row_ends();
                }
                "c" => {
                    self.cell_begins(element);
                    self.column += 1;
                }
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "row" => self.row_ends(),
                "c" => self.cell_ends()?,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    /// Rows that are not in the XML are blank lines, so that the next one stands on its number.
    fn row_begins(&mut self, element: &BytesStart) -> Result<(), Unread> {
        let number = attribute(element, "r").and_then(|r| r.parse::<usize>().ok()).unwrap_or(self.rows + 1);
        let missing = number.saturating_sub(self.rows + 1);
        self.fits(missing)?;
        self.text.extend(std::iter::repeat_n('\n', missing));
        (self.rows, self.tabs, self.column) = (self.rows + missing, 0, 0);
        Ok(())
    }

    fn row_ends(&mut self) {
        self.text.push('\n');
        self.rows += 1;
    }

    fn cell_begins(&mut self, element: &BytesStart) {
        if let Some(column) = attribute(element, "r").as_deref().and_then(column) {
            self.column = column;
        }
        self.kind = match attribute(element, "t").as_deref() {
            None | Some("n") => Kind::Number,
            Some("s") => Kind::Shared,
            Some(_) => Kind::Text,
        };
        self.value.clear();
    }

    fn cell_ends(&mut self) -> Result<(), Unread> {
        let value = std::mem::take(&mut self.value);
        let shown = match self.kind {
            Kind::Text => value,
            Kind::Shared => {
                value.trim().parse().ok().and_then(|n: usize| self.shared.get(n)).cloned().unwrap_or_default()
            }
            Kind::Number => number(&value),
        };
        let missing = self.column.saturating_sub(self.tabs);
        self.fits(missing + shown.len())?;
        if !shown.is_empty() {
            self.text.extend(std::iter::repeat_n('\t', missing));
            self.tabs += missing;
            // What parts lines and cells stands in no cell.
            self.text.extend(shown.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        self.column += 1;
        Ok(())
    }

    /// Refused before it is written: a few numbers in the XML can ask for any length.
    fn fits(&self, more: usize) -> Result<(), Unread> {
        let bytes = self.text.len().saturating_add(more);
        if bytes >= self.text_bytes_max { Err(Unread::TooMuchText) } else { Ok(()) }
    }
}

/// A number as Excel shows it: `2.1000000000000001` is 2.1.
fn number(value: &str) -> String {
    let read = value.trim().parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() < 1e15);
    read.map_or_else(|| value.to_owned(), |number| number.to_string())
}

/// The column of `BC12`, from 0.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase).take(4);
    let column = letters.fold(0, |column, letter| column * 26 + usize::from(letter - b'A') + 1);
    (1..=COLUMNS_MAX).contains(&column).then(|| column - 1)
}

fn attribute(element: &BytesStart, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::content::Outcome;
    use crate::content::wire::Receiver;
    use quick_xml::Reader;
    use std::io::{Cursor, Write};
    use zip::write::SimpleFileOptions;

    fn sheet(xml: &str, shared: &[&str]) -> Result<String, Unread> {
        let shared: Vec<String> = shared.iter().map(|text| (*text).to_owned()).collect();
        let mut reader = Reader::from_reader(xml.as_bytes());
        let (mut sheet, mut buffer) = (Sheet::new(&shared, 1000), Vec::new());
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer).unwrap() {
                Event::Eof => return Ok(sheet.text),
                event => sheet.take(event)?,
            }
        }
    }

    #[test]
    fn cells_stand_where_they_stand() {
        let shared = ["Nhóm", "Vĩnh viễn"];
        for (xml, expected) in [
            (r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>"#, "Nhóm\t\tVĩnh viễn\n"),
            (r#"<row><c t="s"><v>0</v></c><c/><c><v>2.1000000000000001</v></c></row>"#, "Nhóm\t\t2.1\n"),
            (r#"<row r="3"><c r="B3"><v>15</v></c></row><row/><row r="5"/>"#, "\n\n\t15\n\n\n"),
            (
                r#"<row><c t="inlineStr"><is><r><t>a&amp;</t></r><r><t>b</t></r><rPh><t>x</t></rPh></is></c></row>"#,
                "a&b\n",
            ),
            (
                r#"<row><c t="str"><f>A1&amp;"x"</f><v>kết quả</v></c><c t="e"><v>#REF!</v></c></row>"#,
                "kết quả\t#REF!\n",
            ),
            ("<row><c t='inlineStr'><is><t>hai\ndòng\tvà ô</t></is></c></row>", "hai dòng và ô\n"),
            (r#"<row><c t="s"><v>9</v></c><c t="s"><v>x</v></c><c><v>không</v></c></row>"#, "\t\tkhông\n"),
        ] {
            assert_eq!(sheet(xml, &shared).as_deref(), Ok(expected), "{xml}");
        }
    }

    #[test]
    fn what_is_refused() {
        let long = "x".repeat(600);
        assert_eq!(sheet("<!DOCTYPE a [<!ENTITY b 'c'>]><row/>", &[]), Err(Unread::Corrupt));
        assert_eq!(sheet(r#"<row r="1048576"/>"#, &[]), Err(Unread::TooMuchText));
        assert_eq!(
            sheet(r#"<row r="18446744073709551615"><c r="XFD1"><v>1</v></c></row>"#, &[]),
            Err(Unread::TooMuchText)
        );
        assert_eq!(
            sheet(r#"<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>"#, &[&long]),
            Err(Unread::TooMuchText)
        );
        for (reference, expected) in [
            ("A1", Some(0)),
            ("BC12", Some(54)),
            ("XFD1", Some(16_383)),
            ("XFE1", None),
            ("AAAAA1", None),
            ("12", None),
        ] {
            assert_eq!(column(reference), expected, "{reference}");
        }
    }

    /// A workbook through the same words that the child says.
    fn read_workbook(members: &[(&str, &str)]) -> Option<Outcome> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        let (limits, mut said) = (config::Content::default(), Vec::new());
        let mut sender = Sender::new(&mut said, &limits);
        let begin = |sender: &mut Sender, mime: &str| sender.begin(mime, "test");
        match office::read_zip(writer.finish().unwrap(), "application/zip", &mut sender, begin) {
            Ok(()) => {}
            Err(Stop::Unread(why)) => sender.unread(why).unwrap(),
            Err(Stop::Io(error)) => panic!("{error}"),
        }
        let mut receiver = Receiver::new(&limits);
        receiver.push(&said).unwrap();
        receiver.finish().map(|reading| reading.outcome)
    }

    #[test]
    fn a_workbook_is_a_page_a_sheet() {
        let strings = r#"<sst><si><t>Vĩnh viễn</t></si><si><r><t>15 </t></r><r><t>năm</t></r></si><si/></sst>"#;
        let cell = |n: u32| {
            format!(r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>{n}</v></c></row></sheetData></worksheet>"#)
        };
        let (one, two) = (cell(0), cell(1));
        let members = [
            ("xl/workbook.xml", "<workbook/>"),
            ("xl/worksheets/sheet10.xml", two.as_str()),
            ("xl/worksheets/sheet2.xml", &one),
            (SHARED, strings),
        ];
        let text = "Vĩnh viễn\n\u{c}15 năm\n".to_owned();
        assert_eq!(read_workbook(&members), Some(Outcome::Read { text, pages: 2, pages_left: 0 }));
        assert_eq!(read_workbook(&members[..1]), Some(Outcome::Unread(Unread::Corrupt)), "no sheet");
        let cut = [members[0], ("xl/worksheets/sheet1.xml", "<!DOCTYPE x []><a/>")];
        assert_eq!(read_workbook(&cut), Some(Outcome::Unread(Unread::Corrupt)));
    }
}

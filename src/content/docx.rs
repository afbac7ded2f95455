//! What does this Word document say? Its paragraphs, tables, text boxes, headers, footers and notes.
//!
//! Pages part where Word parted them when it last saved (`w:lastRenderedPageBreak`) and at breaks that
//! were typed. Deleted and moved-away text is skipped, and so is the copy of each text box that is there
//! for older programs.
//!
//! # Why
//! A docx comes from anyone. XML with a document type is refused (Word refuses it, too), so there are no
//! entities to expand.
//! Not read: the numbers of automatic lists, which are nowhere in the text but counted by rules of their own.

use crate::content::office::{self, XML_PER_TEXT};
use crate::content::wire::{Sender, Stop};
use crate::record::component::Unread;
use quick_xml::events::{BytesStart, Event};
use std::io::{Read, Seek};
use zip::ZipArchive;

/// How deep elements may nest; real documents stay under 100.
const DEPTH_MAX: usize = 2000;
/// Headers, footers and the like that are read.
const PARTS_MAX: usize = 200;

/// Reads the document in an archive.
pub(crate) fn read<R: Read + Seek>(archive: &mut ZipArchive<R>, sender: &mut Sender) -> Result<(), Stop> {
    let mut names: Vec<String> =
        archive.file_names_raw().filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect();
    names.sort_unstable();
    let body = names.iter().find(|name| *name == "word/document.xml" || *name == "word/document2.xml");
    let body = body.ok_or(Unread::Corrupt)?.clone();
    let parts = |beginnings: &'static [&'static str]| {
        let part = |name: &str| {
            let rest = beginnings.iter().find_map(|beginning| name.strip_prefix("word/")?.strip_prefix(beginning));
            rest.and_then(|rest| rest.strip_suffix(".xml"))
                .is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
        };
        names.iter().filter(move |name| part(name)).take(PARTS_MAX)
    };
    let mut budget = (sender.text_bytes_left() as u64).saturating_mul(XML_PER_TEXT);
    let mut text_of = |name: &str| part_text(archive, name, sender.text_bytes_left(), &mut budget);
    let mut text = String::new();
    for name in parts(&["header"]) {
        push_line(&mut text, &text_of(name)?);
    }
    push_line(&mut text, &text_of(&body)?);
    for name in parts(&["footnotes", "endnotes", "footer"]) {
        push_line(&mut text, &text_of(name)?);
    }
    let mut pages = text.split('\u{c}');
    for page in pages.by_ref().take(sender.pages_max) {
        sender.page(page)?;
    }
    let has_media = names.iter().any(|name| name.starts_with("word/media/"));
    if !sender.any_text && has_media {
        // Scans pasted into Word.
        return Err(Unread::NoTextLayer.into());
    }
    sender.end(pages.count())
}

/// A part of its own line, unless there is nothing in it or it is there already: headers repeat.
fn push_line(text: &mut String, part: &str) {
    let part = part.trim_matches(['\n', ' ', '\t']);
    let is_new = part.len() > 500 || !text.contains(part);
    if !part.is_empty() && is_new {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    }
}

fn part_text<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    text_bytes_max: usize,
    budget: &mut u64,
) -> Result<String, Stop> {
    let mut body = Body { text_bytes_max, ..Body::default() };
    office::read_xml(archive, name, budget, |event| body.take(event))?;
    Ok(body.finish()?)
}

/// The text of one part, as it comes out of the XML.
#[derive(Default)]
struct Body {
    text: String,
    text_bytes_max: usize,
    depth: usize,
    /// Depth of the element whose content is skipped.
    skipped_from: Option<usize>,
    /// Inside `w:t`, the only place where characters are text.
    in_text: bool,
    /// Depth of `w:pPr`, where a tab is a tab stop.
    properties_from: Option<usize>,
}

impl Body {
    fn take(&mut self, event: Event) -> Result<(), Unread> {
        match event {
            Event::Start(element) => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(Unread::Corrupt);
                }
                self.open(&element);
            }
            Event::Empty(element) if self.skipped_from.is_none() => self.empty(&element),
            Event::End(element) => {
                self.close(element.local_name().as_ref());
                self.depth = self.depth.saturating_sub(1);
            }
            Event::Text(text) if self.reads() => self.text.push_str(&text.xml10_content()),
            Event::CData(text) if self.reads() => self.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if self.reads() => self.text.extend(office::referred(&name)),
            Event::DocType(_) => return Err(Unread::Corrupt),
            _ => {}
        }
        if self.text.len() > self.text_bytes_max { Err(Unread::TooMuchText) } else { Ok(()) }
    }

    fn reads(&self) -> bool {
        self.in_text && self.skipped_from.is_none()
    }

    fn open(&mut self, element: &BytesStart) {
        if self.skipped_from.is_some() {
            return;
        }
        match element.local_name().as_ref() {
            "del" | "moveFrom" | "Fallback" | "delText" | "instrText" | "rPr" => self.skipped_from = Some(self.depth),
            "pPr" | "sectPr" | "tblPr" => self.properties_from = self.properties_from.or(Some(self.depth)),
            "t" => self.in_text = true,
            // A text box stands in the middle of a paragraph; its text is its own.
            "txbxContent" => self.end_line(),
            _ => self.empty(element),
        }
    }

    /// Elements that stand for a character.
    fn empty(&mut self, element: &BytesStart) {
        if self.properties_from.is_some() {
            return;
        }
        match element.local_name().as_ref() {
            "tab" | "ptab" => self.text.push('\t'),
            "br" if is_page_break(element) => self.text.push('\u{c}'),
            "br" | "cr" => self.text.push('\n'),
            "noBreakHyphen" => self.text.push('-'),
            // Word notes it also where a typed break has just begun the page.
            "lastRenderedPageBreak" if !self.is_at_page_start() => self.text.push('\u{c}'),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if self.skipped_from == Some(self.depth) {
            self.skipped_from = None;
        }
        if self.properties_from == Some(self.depth) {
            self.properties_from = None;
        }
        if self.skipped_from.is_some() {
            return;
        }
        match name {
            "t" => self.in_text = false,
            "p" => self.text.push('\n'),
            "tc" => self.end_with('\t'),
            "tr" => self.end_with('\n'),
            _ => {}
        }
    }

    fn is_at_page_start(&self) -> bool {
        self.text.trim_end_matches([' ', '\n', '\t']).ends_with('\u{c}')
    }

    fn end_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(['\n', '\u{c}']) {
            self.text.push('\n');
        }
    }

    /// The end of a cell or row takes the place of the line end before it.
    fn end_with(&mut self, end: char) {
        if self.text.ends_with(['\n', '\t']) {
            self.text.pop();
        }
        self.text.push(end);
    }

    fn finish(self) -> Result<String, Unread> {
        // Cut off inside an element: not all of the text is here.
        if self.depth == 0 { Ok(self.text) } else { Err(Unread::Corrupt) }
    }
}

fn is_page_break(element: &BytesStart) -> bool {
    element.attributes().flatten().any(|a| a.key.local_name().as_ref() == "type" && a.value.as_ref() == "page")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quick_xml::Reader;

    fn text(xml: &str) -> Result<String, Unread> {
        let mut reader = Reader::from_reader(xml.as_bytes());
        let (mut body, mut buffer) = (Body { text_bytes_max: 1000, ..Body::default() }, Vec::new());
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer).unwrap() {
                Event::Eof => return body.finish(),
                event => body.take(event)?,
            }
        }
    }

    #[test]
    fn the_text_of_a_body() {
        for (xml, expected) in [
            ("<w:p><w:r><w:t>Số: </w:t><w:tab/><w:t>12&amp;13&#x1EBF;</w:t></w:r></w:p>", "Số: \t12&13ế\n"),
            (
                "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:br/><w:t>b</w:t></w:r></w:p>",
                "a\nb\n",
            ),
            ("<w:p><w:ins><w:r><w:t>mới</w:t></w:r></w:ins><w:del><w:r><w:t>cũ</w:t></w:r></w:del></w:p>", "mới\n"),
            (
                "<w:p><w:moveFrom><w:r><w:t>x</w:t></w:r></w:moveFrom><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>",
                "\n",
            ),
            (
                "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>A</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>B</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
                "A\tB\n",
            ),
            ("<p><r><t>1</t><br type='page'/></r></p><p><r><lastRenderedPageBreak/><t>2</t></r></p>", "1\u{c}\n2\n"),
            ("<p><r><t>1</t></r></p><p><r><lastRenderedPageBreak/><t>2</t></r></p>", "1\n\u{c}2\n"),
            (
                "<p><r><AlternateContent><Choice><txbxContent><p><r><t>hộp</t></r></p></txbxContent></Choice><Fallback><p><r><t>hộp</t></r></p></Fallback></AlternateContent></r></p>",
                "hộp\n\n",
            ),
            ("<p>not text<r><t>NĐ<noBreakHyphen/>CP&#12;&bomb;</t></r></p>", "NĐ-CP\n"),
        ] {
            assert_eq!(text(xml).as_deref(), Ok(expected), "{xml}");
        }
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(text("<!DOCTYPE a [<!ENTITY b 'c'>]><p/>"), Err(Unread::Corrupt));
        assert_eq!(text(&"<p>".repeat(DEPTH_MAX + 1)), Err(Unread::Corrupt));
        assert_eq!(text("<p><r><t>cut"), Err(Unread::Corrupt));
        assert_eq!(text(&format!("<t>{}</t>", "x".repeat(1001))), Err(Unread::TooMuchText));
    }
}

//! Documents made for the tests, sound and hostile.

use lopdf::{Document, EncryptionState, EncryptionVersion, Permissions};
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

/// Objects by number, from 1, put together with a cross-reference table and a trailer.
pub fn pdf(objects: &[String]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", bytes.len()).unwrap();
        bytes.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", index + 1).as_bytes());
    }
    let start = bytes.len();
    bytes.extend_from_slice(table.as_bytes());
    let size = objects.len() + 1;
    write!(bytes, "trailer\n<</Size {size} /Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").unwrap();
    bytes
}

pub fn stream(entries: &str, content: &str) -> String {
    format!("<<{entries} /Length {}>>\nstream\n{content}\nendstream", content.len())
}

/// The codes of a font in which every code is its own Unicode, as OCR programs write it.
pub fn hexadecimal(text: &str) -> String {
    text.encode_utf16().fold(String::from("<"), |hex, unit| hex + &format!("{unit:04x}")) + ">"
}

/// Objects of a document of these pages; text is hidden, as over a scan, one line a string.
pub fn pages(pages: &[&[&str]]) -> Vec<String> {
    let kids: Vec<String> = (0..pages.len()).map(|i| format!("{} 0 R", 6 + 2 * i)).collect();
    let map = "1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfrange <0000> <ffff> <0000> endbfrange";
    let mut objects = vec![
        "<</Type /Catalog /Pages 2 0 R>>".to_owned(),
        format!("<</Type /Pages /Kids [{}] /Count {} /Resources <</Font <</F 3 0 R>>>>>>", kids.join(" "), pages.len()),
        "<</Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 5 0 R>>"
            .to_owned(),
        "<</Type /Font /Subtype /CIDFontType2 /BaseFont /X /DW 500>>".to_owned(),
        stream("", map),
    ];
    for (index, lines) in pages.iter().enumerate() {
        let shown: String = lines.iter().map(|line| format!("{} Tj T* ", hexadecimal(line))).collect();
        objects.push(format!("<</Type /Page /Parent 2 0 R /Contents {} 0 R>>", 7 + 2 * index));
        objects.push(stream("", &format!("BT 3 Tr /F 12 Tf 14 TL 72 700 Td {shown}ET")));
    }
    objects
}

/// The same document, locked with a password.
pub fn encrypted(password: &str) -> Vec<u8> {
    let mut document = Document::load_mem(&pdf(&pages(&[&["khóa"]]))).unwrap();
    let id = lopdf::Object::string_literal("0123456789abcdef");
    document.trailer.set("ID", vec![id.clone(), id]);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "chủ",
        user_password: password,
        key_length: 128,
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// Writes what one member of a ZIP holds.
pub type Member<'a> = &'a dyn Fn(&mut dyn std::io::Write);

/// A ZIP of these members.
pub fn zip(members: &[(&str, Member)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_level(Some(1));
    for (name, write) in members {
        writer.start_file(*name, options).unwrap();
        write(&mut writer);
    }
    writer.finish().unwrap().into_inner()
}

/// A Word document with this body.
pub fn docx(body: &str) -> Vec<u8> {
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>"
    );
    word(&move |out| out.write_all(document.as_bytes()).unwrap())
}

/// A Word document whose main part is written by a function.
pub fn word(write: Member) -> Vec<u8> {
    let types = |out: &mut dyn std::io::Write| out.write_all(b"<Types/>").unwrap();
    zip(&[("[Content_Types].xml", &types), ("word/document.xml", write)])
}

pub fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

/// An Excel workbook with one sheet of this XML.
pub fn workbook(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let types = |out: &mut dyn std::io::Write| out.write_all(b"<Types/>").unwrap();
    let sheet = move |out: &mut dyn std::io::Write| out.write_all(sheet.as_bytes()).unwrap();
    let members: [(&str, Member); 3] =
        [("[Content_Types].xml", &types), ("xl/workbook.xml", &types), ("xl/worksheets/sheet1.xml", &sheet)];
    zip(&members)
}

//! What is this bitstream, and what does it say? Sound documents, hostile ones, and children that lie.

mod build;
mod corpus;
mod hostile;
mod liars;

use std::path::Path;
use std::time::{Duration, Instant};
use vankho::config;
use vankho::content::format::{HEAD_BYTES, Utf8Check, identify};
use vankho::content::{Outcome, Reading, input, read};
use vankho::exchange;
use vankho::record::component::{Format, Unread};

/// Limits of the tests: what takes longer or more is stopped.
pub fn limits() -> config::Content {
    config::Content {
        processes: 2,
        seconds_max: 3,
        memory_bytes_max: 512 << 20,
        text_bytes_max: 8 << 20,
        pages_max: 1000,
    }
}

pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_vankho"))
}

/// The format as ingest finds it out.
pub fn format_of(bytes: &[u8]) -> Format {
    let mut check = Utf8Check::default();
    check.push(bytes);
    identify(&bytes[..bytes.len().min(HEAD_BYTES)], check.is_text())
}

/// Reads and holds the reading to its time, whatever comes of it.
pub async fn reading(bytes: &[u8]) -> Reading {
    reading_as(bytes, &format_of(bytes)).await
}

pub async fn reading_as(bytes: &[u8], format: &Format) -> Reading {
    let began = Instant::now();
    let reading = read(program(), input(bytes).unwrap(), format, &limits()).await.unwrap();
    let most = Duration::from_secs(limits().seconds_max + 1);
    assert!(began.elapsed() < most, "{:?} took {:?}", reading.format, began.elapsed());
    reading
}

pub fn text(reading: &Reading) -> &str {
    match &reading.outcome {
        Outcome::Read { text, .. } => text,
        Outcome::Unread(why) => panic!("not read: {why:?} ({:?})", reading.format),
    }
}

fn unread(reading: &Reading) -> Option<Unread> {
    match reading.outcome {
        Outcome::Unread(why) => Some(why),
        Outcome::Read { .. } => None,
    }
}

#[tokio::test]
async fn a_hidden_text_layer_is_read_page_by_page() {
    let bytes = build::pdf(&build::pages(&[&["Số: 145/2026/NĐ-CP", "Quyết định"], &[], &["trang ba"]]));
    let reading = reading(&bytes).await;
    assert_eq!(reading.format.mime, "application/pdf");
    assert!(reading.made_by.starts_with("vankho ") && reading.made_by.contains("lopdf 0.47"), "{}", reading.made_by);
    let text = "Số: 145/2026/NĐ-CP\nQuyết định\u{c}\u{c}trang ba".to_owned();
    assert_eq!(reading.outcome, Outcome::Read { text, pages: 3, pages_left: 0 });
}

#[tokio::test]
async fn word_documents_are_read_with_what_surrounds_them() {
    let part = |text: &str| format!("<x xmlns:w=\"w\">{}</x>", build::paragraph(text));
    let (body, header, footer) = (part("Kính gửi"), part("UBND TỈNH"), part("Nơi nhận"));
    let write = |text: String| move |out: &mut dyn std::io::Write| out.write_all(text.as_bytes()).unwrap();
    let bytes = build::zip(&[
        ("_rels/.rels", &write(String::new())),
        ("word/document.xml", &write(body)),
        ("word/header1.xml", &write(header.clone())),
        ("word/header2.xml", &write(header)),
        ("word/footer1.xml", &write(footer)),
    ]);
    let reading = reading_as(&bytes, &Format { mime: "application/zip".into() }).await;
    assert_eq!(text(&reading), "UBND TỈNH\nKính gửi\nNơi nhận");
    assert!(reading.format.mime.ends_with("wordprocessingml.document"), "{:?}", reading.format);
}

#[tokio::test]
async fn text_becomes_nfc_whatever_it_came_as() {
    let nfd = "\u{feff}Quye\u{302}\u{301}t d\u{323}inh QÐ\r\nhai\u{c}trang 2";
    let clean = "Quyết dịnh QĐ\nhai\u{c}trang 2".replace("dịnh", "d\u{323}inh").replace("d\u{323}", "ḍ");
    let utf16: Vec<u8> = nfd.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let little: Vec<u8> = nfd.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [nfd.as_bytes(), &utf16, &little] {
        let reading = reading(bytes).await;
        assert_eq!(text(&reading), clean, "{:?}", reading.format);
    }
    let long = "một hai ba ".repeat(450_000);
    assert_eq!(text(&reading(long.as_bytes()).await), long, "5 MB in one line");
}

#[tokio::test]
async fn what_is_not_read_says_why() {
    let too_long = vec![b'x'; 9 << 20];
    let scan = [
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Kids [3 0 R] /Count 1>>",
        "<</Type /Page /Parent 2 0 R /Contents 4 0 R>>",
    ];
    let mut scan = scan.map(str::to_owned).to_vec();
    scan.push(build::stream("", "q 595 0 0 842 0 0 cm /Im0 Do Q"));
    let pasted = |out: &mut dyn std::io::Write| out.write_all(b"<d/>").unwrap();
    let pasted = build::zip(&[("word/document.xml", &pasted), ("word/media/image1.png", &pasted)]);
    let utf16_noise = b"\xff\xfe\x01\x00\x02\x00".to_vec();
    for (bytes, why) in [
        (Vec::new(), Unread::FormatNotRead),
        (b"\x89PNG\r\n\x1a\n\0\0".to_vec(), Unread::FormatNotRead),
        (b"Quy\xe9t".to_vec(), Unread::FormatNotRead),
        (b"PK\x03\x04 and no more".to_vec(), Unread::Corrupt),
        (build::zip(&[]), Unread::FormatNotRead),
        (build::encrypted("bí mật"), Unread::Encrypted),
        (build::pdf(&scan), Unread::NoTextLayer),
        (pasted, Unread::NoTextLayer),
        (too_long, Unread::TooMuchText),
        (utf16_noise, Unread::Corrupt),
    ] {
        let reading = reading(&bytes).await;
        assert_eq!(unread(&reading), Some(why), "{:?}", reading.format);
    }
    assert_eq!(text(&reading(&build::encrypted("")).await), "khóa", "only kept from being printed");
}

#[tokio::test]
async fn the_format_is_found_in_the_content_whatever_is_said() {
    let docx = Format { mime: vankho::content::format::DOCX.into() };
    let reading = reading_as(&build::pdf(&build::pages(&[&["đúng"]])), &docx).await;
    assert_eq!((reading.format.mime.as_str(), text(&reading)), ("application/pdf", "đúng"));
}

/// A schedule in a workbook is read by the child, and a hostile one costs its reader nothing but a finding.
#[tokio::test]
async fn a_schedule_in_a_workbook() {
    let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let row = |cells: [&str; 3]| format!("<row>{}</row>", cells.map(cell).concat());
    let rows = [row(["Nhóm", "Tên nhóm hồ sơ, tài liệu", "Thời hạn lưu trữ"]), row(["1", "Báo cáo năm", "Vĩnh viễn"])];
    let import = async |bytes: &[u8]| exchange::schedule::read(program(), bytes, &limits()).await.unwrap();
    let imported = import(&build::workbook(&rows.concat())).await;
    let [class] = &imported.classes[..] else { panic!("{imported:?}") };
    assert_eq!(
        (class.code.as_str(), class.title.as_str(), class.period.to_string().as_str()),
        ("1.01", "Báo cáo năm", "permanent")
    );
    let entities = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><row/>";
    for (bytes, why) in [
        (build::workbook("<row r=\"4294967295\"/>"), "too_much_text"),
        (build::workbook(entities), "corrupt"),
        (b"PK\x03\x04 and no more".to_vec(), "corrupt"),
        (build::pdf(&build::pages(&[&["đúng"]])), "application/pdf"),
    ] {
        let told = import(&bytes).await;
        assert_eq!((told.classes.len(), told.flaws[0].detail.as_deref()), (0, Some(why)), "{:?}", told.flaws);
    }
}

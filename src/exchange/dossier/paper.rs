//! The frame of a paper: head, body and foot as NĐ 30/2020/NĐ-CP Annex I has them, and how a value gets into it.

use crate::{
    exchange::dossier::{Person, Row},
    record::date::PartialDate,
};

/// Whose paper it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issuer {
    /// Cơ quan chủ quản, where there is one.
    pub parent: Option<String>,
    pub agency: String,
    /// Địa danh: `Hà Nội`.
    pub place: String,
}

/// What stands above the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    pub issuer: Issuer,
    /// `48/QĐ-SNV`; minutes and lists may have none.
    pub number: Option<String>,
    pub day: PartialDate,
}

/// Who signs, and by what power.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signer {
    /// `KT. GIÁM ĐỐC`, `TM. HỘI ĐỒNG`; empty where somebody signs for themselves.
    pub power: String,
    /// `PHÓ GIÁM ĐỐC`, `CHỦ TỊCH`.
    pub title: String,
    pub name: String,
}

/// What stands below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Foot {
    /// Nơi nhận, a line each.
    pub recipients: Vec<String>,
    /// From left to right.
    pub signers: Vec<Signer>,
}

/// A4 with the margins of NĐ 30/2020/NĐ-CP, page numbers top centre from the second page on.
const STYLE: &str = "@page{size:A4;margin:20mm 15mm 20mm 30mm;@top-center{content:counter(page)}}\
@page:first{@top-center{content:none}}\
body{font:13pt/1.4 'Times New Roman',Tinos,'Liberation Serif',serif;color:#000;margin:0}\
header,footer{display:flex;justify-content:space-between;gap:8mm}\
header>div{flex:0 1 auto}header>div:last-child{flex:none}header p,footer p{margin:0;text-align:center}header .c{font-size:12pt}\
.c{text-transform:uppercase}.b{font-weight:bold}.i{font-style:italic}\
.r::after{content:'';display:block;width:40%;margin:1mm auto;border-top:1px solid}\
h1{font-size:14pt;text-align:center;margin:8mm 0 0;text-transform:uppercase}\
h2{font-size:13pt;text-align:center;margin:0 0 6mm}h3{font-size:13pt;margin:4mm 0 1mm}\
table{border-collapse:collapse;width:calc(100% - 1px);font-size:11pt;margin:3mm 0}\
th,td{border:1px solid;padding:1mm;vertical-align:top}td{overflow-wrap:anywhere}\
thead{display:table-header-group}tr{break-inside:avoid}td.n{text-align:right;white-space:nowrap}\
p{margin:1.5mm 0;text-align:justify;overflow-wrap:anywhere}\
footer{margin-top:8mm;break-inside:avoid;align-items:flex-start}\
footer .s{min-width:45mm}footer .t p{text-align:left}footer .s .b:last-child{margin-top:22mm}\
footer .t{font-size:11pt}footer .t .b{font-size:12pt;font-style:italic}";

/// A value as text of HTML: nothing in it is markup, and nothing turns the direction of what stands after it.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || turns(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Marks, embeddings, overrides and isolates of direction.
fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// `ngày 05 tháng 6 năm 2026`: days below 10 and the first two months with a zero (NĐ 30/2020/NĐ-CP Annex I).
pub fn long_day(day: &PartialDate) -> String {
    let month = |m: i8| if m < 3 { format!("{m:02}") } else { m.to_string() };
    match (day.month, day.day) {
        (Some(m), Some(d)) => format!("ngày {d:02} tháng {} năm {}", month(m), day.year),
        (Some(m), None) => format!("tháng {} năm {}", month(m), day.year),
        (None, _) => format!("năm {}", day.year),
    }
}

/// `05/06/2026`.
pub fn short_day(day: &PartialDate) -> String {
    match (day.month, day.day) {
        (Some(m), Some(d)) => format!("{d:02}/{m:02}/{}", day.year),
        (Some(m), None) => format!("{m:02}/{}", day.year),
        (None, _) => day.year.to_string(),
    }
}

/// Thousands parted by dots: `12.345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let parted = digits.bytes().enumerate().flat_map(|(n, digit)| {
        let dot = (n > 0 && (digits.len() - n).is_multiple_of(3)).then_some('.');
        dot.into_iter().chain([char::from(digit)])
    });
    parted.collect()
}

/// A paragraph.
pub fn paragraph(value: &str) -> String {
    format!("<p>{}</p>\n", escape(value))
}

/// A heading inside of the body.
pub fn heading(value: &str) -> String {
    format!("<h3>{}</h3>\n", escape(value))
}

/// The basis of a decision: each in italics, with a semicolon, the last with a full stop.
pub fn basis(given: &[String]) -> String {
    let ends = |n: usize| if n + 1 == given.len() { "." } else { ";" };
    let lines = given.iter().enumerate();
    lines
        .map(|(n, one)| format!("<p class=\"i\">{}{}</p>\n", escape(one.trim_end_matches(['.', ';'])), ends(n)))
        .collect()
}

/// A table; what stands in a column of numbers is written to the right.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", escape(head))).collect();
    let cell = |value: &String| {
        let numeric = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let class = if numeric { " class=\"n\"" } else { "" };
        format!("<td{class}>{}</td>", escape(value))
    };
    let row = |cells: &Vec<String>| format!("<tr>{}</tr>\n", cells.iter().map(cell).collect::<String>());
    let rows: String = rows.iter().map(row).collect();
    format!("<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}

/// The table of units that most papers have.
pub fn units(rows: &[Row]) -> String {
    let heads = [
        "STT",
        "Số, ký hiệu",
        "Tiêu đề",
        "Thời gian",
        "Thời hạn lưu trữ",
        "Lý do",
        "Số tài liệu",
        "Số trang",
        "Ghi chú",
    ];
    let cells = |(n, row): (usize, &Row)| {
        let texts = [&row.code, &row.title, &row.years, &row.period, &row.ground].map(Clone::clone);
        let numbers = [count(row.records), count(row.pages)];
        let ordinal = [(n + 1).to_string()];
        ordinal.into_iter().chain(texts).chain(numbers).chain([row.note.clone()]).collect()
    };
    table(&heads, &rows.iter().enumerate().map(cells).collect::<Vec<_>>())
}

/// `Tổng số: 2 đơn vị, 15 tài liệu, 120 trang, 3.000 byte.`
pub fn total(rows: &[Row]) -> String {
    let sum = |of: fn(&Row) -> u64| count(rows.iter().map(of).fold(0, u64::saturating_add));
    let (units, records, pages) = (count(rows.len() as u64), sum(|row| row.records), sum(|row| row.pages));
    let bytes = sum(|row| row.bytes);
    paragraph(&format!("Tổng số: {units} hồ sơ (đơn vị), {records} tài liệu, {pages} trang, {bytes} byte."))
}

/// People, a line each: `1. Ông (bà) Nguyễn Văn An, Trưởng phòng: Chủ tịch Hội đồng`.
pub fn people(people: &[Person]) -> String {
    let line = |(n, one): (usize, &Person)| {
        paragraph(&format!("{}. Ông (bà) {}, {}: {}", n + 1, one.name, one.title, one.part))
    };
    people.iter().enumerate().map(line).collect()
}

/// The whole page. `kind` is the name of the type (tên loại), `about` its subject (trích yếu).
pub fn page(head: &Head, kind: &str, about: &str, body: &str, foot: &Foot) -> String {
    let issuer = &head.issuer;
    let parent =
        issuer.parent.as_deref().map(|name| format!("<p class=\"c\">{}</p>", escape(name))).unwrap_or_default();
    let number = head.number.as_deref().map(|number| format!("<p>Số: {}</p>", escape(number))).unwrap_or_default();
    let (agency, place, day) = (escape(&issuer.agency), escape(&issuer.place), long_day(&head.day));
    format!(
        "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<div>{parent}<p class=\"c b r\">{agency}</p>{number}</div>\n\
         <div><p class=\"b\">CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</p><p class=\"b r\">Độc lập - Tự do - Hạnh phúc</p>\
         <p class=\"i\">{place}, {day}</p></div>\n</header>\n<h1>{kind}</h1>\n<h2>{about}</h2>\n{body}{foot}</body>\n</html>\n",
        title = escape(&format!("{kind}: {about}")),
        kind = escape(kind),
        about = escape(about),
        foot = footer(foot),
    )
}

fn footer(foot: &Foot) -> String {
    let lines: String = foot.recipients.iter().map(|one| format!("<p>- {};</p>", escape(one))).collect();
    let recipients = match foot.recipients.is_empty() {
        true => String::new(),
        false => format!("<div class=\"t\"><p class=\"b\">Nơi nhận:</p>{lines}<p>- Lưu: VT, hồ sơ hủy.</p></div>\n"),
    };
    let signer = |one: &Signer| {
        let power =
            if one.power.is_empty() { String::new() } else { format!("<p class=\"b c\">{}</p>", escape(&one.power)) };
        let (title, name) = (escape(&one.title), escape(&one.name));
        format!("<div class=\"s\">{power}<p class=\"b c\">{title}</p><p class=\"b\">{name}</p></div>\n")
    };
    format!("<footer>\n{recipients}{}</footer>\n", foot.signers.iter().map(signer).collect::<String>())
}

//! What every printed page shares: the sheet, the national head, signatures (NĐ 30/2020/NĐ-CP Annex I).

use crate::record::{date::PartialDate, form::Head};

/// A4; margins 20, 15, 20 and 30 mm; Times New Roman; the page's number in the middle of the top, from the second on.
const STYLE: &str = "@page{size:A4;margin:20mm 15mm 20mm 30mm;@top-center{content:counter(page)}}\
@page:first{@top-center{content:none}}\
body{font:13pt/1.3 'Times New Roman',Times,serif;color:#000;background:#fff;margin:0 auto;max-width:165mm}\
section{break-after:page}section:last-of-type{break-after:auto}\
h1{font-size:14pt;text-align:center;margin:12pt 0 0}h2{font-size:14pt;text-align:center;margin:0 0 12pt}\
p{margin:4pt 0;text-align:justify}p.of{text-align:center}p.basis{font-style:italic}p.party{font-weight:bold}\
table{border-collapse:collapse;width:100%;margin:8pt 0;font-size:12pt}\
th,td{border:0.5pt solid #000;padding:3pt;vertical-align:top;overflow-wrap:anywhere}\
thead{display:table-header-group}tr{break-inside:avoid}td.heading{font-weight:bold}\
.pair{display:flex;justify-content:space-between;text-align:center;break-inside:avoid}.pair>div{width:48%}\
.pair p{text-align:center;margin:0}.caps{font-weight:bold}.motto{font-weight:bold;text-decoration:underline}\
.place,.hint{font-style:italic}.name{margin-top:60pt!important;font-weight:bold}";

/// Text as text, in an element or in an attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What HTML has no character for.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// An element with nothing but text inside.
pub fn element(tag: &'static str, class: &'static str, text: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<{tag}{class}>{}</{tag}>\n", escape(text))
}

/// A whole page.
pub fn page(title: &str, parts: &[String]) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n{}</body>\n</html>\n",
        parts.concat()
    )
}

/// Two columns: the agency with its number on the left, the nation with place and day on the right.
pub fn national(head: &Head) -> String {
    let line = |class, text: &str| element("p", class, text);
    let parent = head.parent.iter().map(|parent| line("", &parent.to_uppercase()));
    let number = head.number.iter().map(|number| line("", &format!("Số: {number}")));
    let left: String = parent.chain([line("caps", &head.agency.to_uppercase())]).chain(number).collect();
    let right = [
        line("caps", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"),
        line("motto", "Độc lập - Tự do - Hạnh phúc"),
        line("place", &format!("{}, {}", head.place, long(head.on))),
    ];
    pair(&[left, right.concat()])
}

/// Whoever signs, side by side: what they sign as, room for the signature, their name.
pub fn signatures(signers: &[(&str, &str)]) -> String {
    let column = |(as_whom, name): &(&str, &str)| {
        let hint = element("p", "hint", "(Ký và ghi rõ họ tên)");
        [element("p", "caps", as_whom), hint, element("p", "name", name)].concat()
    };
    let mut columns: Vec<String> = signers.iter().map(column).collect();
    if columns.len() == 1 {
        columns.insert(0, String::new());
    }
    pair(&columns)
}

fn pair(columns: &[String]) -> String {
    let columns: String = columns.iter().map(|column| format!("<div>{column}</div>\n")).collect();
    format!("<div class=\"pair\">\n{columns}</div>\n")
}

/// `ngày 27 tháng 6 năm 2025`: days under 10 and the months January and February with a zero before them (NĐ 30/2020
/// Annex I); dots where the day is to be filled in.
fn long(on: Option<PartialDate>) -> String {
    let dots = || "…".to_owned();
    let day = on.and_then(|on| on.day).map_or_else(dots, |day| format!("{day:02}"));
    let month = on.and_then(|on| on.month).map_or_else(dots, |month| match month {
        1 | 2 => format!("{month:02}"),
        _ => month.to_string(),
    });
    let year = on.map_or_else(dots, |on| on.year.to_string());
    format!("ngày {day} tháng {month} năm {year}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_as_documents_write_them() {
        for (on, said) in [
            ("2025-06-27", "ngày 27 tháng 6 năm 2025"),
            ("2025-02-03", "ngày 03 tháng 02 năm 2025"),
            ("2025-10", "ngày … tháng 10 năm 2025"),
            ("", "ngày … tháng … năm …"),
        ] {
            assert_eq!(long(on.parse().ok()), said);
        }
    }

    #[test]
    fn text_is_text() {
        assert_eq!(element("p", "of", "a<b>&\"'\u{0}"), "<p class=\"of\">a&lt;b&gt;&amp;&quot;&#39; </p>\n");
    }
}

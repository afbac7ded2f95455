//! Forms that are printed and signed: lists and minutes of NĐ 30/2020/NĐ-CP Annex V as one HTML page each.
//!
//! ```text
//! record::form::{plan, submission, documents, Minutes} ─► forms::… ─► one page, fit for A4
//! ```
//!
//! # Why
//! - A page needs nothing beside it: no script, no image, no font, no other file. It can be kept as it is.
//! - Every text is escaped where it is put in, by the one function that makes elements ([`page`]).
//! - What a form says is made in `record`; here it is only set.
//! - Refused: PDF (browsers print to it), and templates (a list is a table).

mod page;

use crate::exchange::forms::page::{element, national, page, signatures};
use crate::record::form::{Head, Minutes, Party, Row, Table};

/// Danh mục hồ sơ: it is an annex of the decision that issues it, and is signed there.
pub fn plan(head: &Head, table: &Table) -> String {
    page(table.title, &[national(head), list(table)])
}

/// Mục lục hồ sơ, tài liệu nộp lưu, signed by who made it.
pub fn submission(head: &Head, table: &Table) -> String {
    page(table.title, &[national(head), list(table), signatures(&[("Người lập", "")])])
}

/// Mục lục văn bản trong hồ sơ, signed by who made the file.
pub fn documents(head: &Head, table: &Table, maker: &str) -> String {
    page(table.title, &[national(head), list(table), signatures(&[("Người lập hồ sơ", maker)])])
}

/// Biên bản giao nhận hồ sơ, tài liệu: the same text twice, a page for each side.
pub fn minutes(head: &Head, minutes: &Minutes) -> String {
    let title = "BIÊN BẢN";
    let paragraph = |text: &str| element("p", "", text);
    let mut copy = vec![national(head), element("h1", "", title)];
    copy.push(element("h2", "", "Giao nhận hồ sơ, tài liệu"));
    copy.extend(minutes.bases.iter().map(|basis| element("p", "basis", &format!("Căn cứ {basis};"))));
    copy.push(paragraph("Chúng tôi gồm:"));
    copy.extend(party("BÊN GIAO", &minutes.giver));
    copy.extend(party("BÊN NHẬN", &minutes.taker));
    copy.push(paragraph("Thống nhất lập biên bản giao nhận tài liệu với những nội dung như sau:"));
    copy.extend(minutes.paragraphs().iter().map(|text| paragraph(text)));
    let name = |party: &Party| party.people.first().map(|(name, _)| name.clone()).unwrap_or_default();
    let (giver, taker) = (name(&minutes.giver), name(&minutes.taker));
    copy.push(signatures(&[("Đại diện bên giao", &giver), ("Đại diện bên nhận", &taker)]));
    let copy = format!("<section>{}</section>\n", copy.concat());
    page(&format!("{title} giao nhận hồ sơ, tài liệu"), &[copy.clone(), copy])
}

fn party(side: &str, party: &Party) -> Vec<String> {
    let mut lines = vec![element("p", "party", &format!("{side}: {}", party.agency))];
    lines.extend((1..).zip(&party.people).map(|(n, (name, position))| {
        let text = format!("{n}. Ông (bà): {name}. Chức vụ, chức danh: {position}");
        element("p", "", &text)
    }));
    lines
}

/// A table under its title.
fn list(table: &Table) -> String {
    let mut out = element("h1", "", table.title);
    out.extend(table.of.iter().map(|of| element("p", "of", of)));
    let heads: String = table.columns.iter().map(|name| element("th", "", name)).collect();
    let rows = table.rows.iter().map(|row| match row {
        Row::Heading(heading) => {
            // The width is a number, the text is escaped: nothing of the list's own gets into the tag.
            element("td", "", heading).replacen(
                "<td>",
                &format!("<td class=\"heading\" colspan=\"{}\">", table.columns.len()),
                1,
            )
        }
        Row::Cells(cells) => cells.iter().map(|cell| element("td", "", cell)).collect(),
    });
    let rows: String = rows.map(|cells| format!("<tr>{cells}</tr>\n")).collect();
    out.push_str(&format!("<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"));
    out.extend(table.sums.iter().map(|sum| element("p", "", sum)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::form::{DOCUMENT_COLUMNS, Electronic, PLAN_COLUMNS, Paper, SUBMISSION_COLUMNS};

    const HOSTILE: &str = "</td><script>alert('x')</script>&\"";

    fn head() -> Head {
        Head {
            parent: Some("Ủy ban nhân dân tỉnh Lam Hải".into()),
            agency: "Sở Nội vụ".into(),
            number: Some("9/BB-SNV".into()),
            place: "Lam Hải".into(),
            on: "2025-06-27".parse().ok(),
        }
    }

    fn table(title: &'static str, columns: &'static [&'static str]) -> Table {
        let cells = vec![HOSTILE.to_owned(); columns.len()];
        let rows = vec![Row::Heading(HOSTILE.into()), Row::Cells(cells)];
        Table { title, of: vec![HOSTILE.into()], columns, rows, sums: vec![HOSTILE.into()] }
    }

    fn party(n: u8) -> Party {
        Party {
            agency: format!("Bên {n} {HOSTILE}"), people: vec![(format!("Người {n} {HOSTILE}"), HOSTILE.into())]
        }
    }

    fn example() -> Minutes {
        Minutes {
            bases: vec![HOSTILE.into()],
            giver: party(1),
            taker: party(2),
            block: HOSTILE.into(),
            started: "2024".parse().ok(),
            ended: None,
            paper: Paper { boxes: 31, files: 251, decimetres: 45 },
            electronic: Electronic { files: 402, components: 3123 },
            condition: HOSTILE.into(),
        }
    }

    fn forms() -> [String; 4] {
        [
            plan(&head(), &table("DANH MỤC HỒ SƠ", &PLAN_COLUMNS)),
            submission(&head(), &table("MỤC LỤC HỒ SƠ, TÀI LIỆU NỘP LƯU", &SUBMISSION_COLUMNS)),
            documents(&head(), &table("MỤC LỤC VĂN BẢN TRONG HỒ SƠ", &DOCUMENT_COLUMNS), HOSTILE),
            minutes(&head(), &example()),
        ]
    }

    /// NĐ 30/2020/NĐ-CP Annex I and V.
    #[test]
    fn every_form_has_its_head_its_columns_and_its_signatures() {
        let [plan, submission, documents, minutes] = forms();
        for form in [&plan, &submission, &documents, &minutes] {
            for part in [
                "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
                "Độc lập - Tự do - Hạnh phúc",
                "ỦY BAN NHÂN DÂN TỈNH LAM HẢI",
                "SỞ NỘI VỤ",
                "Số: 9/BB-SNV",
                "Lam Hải, ngày 27 tháng 6 năm 2025",
            ] {
                assert!(form.contains(part), "{part}: {form}");
            }
        }
        for (form, columns) in
            [(&plan, &PLAN_COLUMNS[..]), (&submission, &SUBMISSION_COLUMNS), (&documents, &DOCUMENT_COLUMNS)]
        {
            assert!(columns.iter().all(|name| form.contains(&format!("<th>{name}</th>"))), "{form}");
        }
        assert!(documents.contains("Người lập hồ sơ") && submission.contains("Người lập") && !plan.contains("Ký và"));
        for part in [
            "Bên 1",
            "Bên 2",
            "Người 1",
            "Người 2",
            ": 31;",
            ": 251;",
            "4,5 mét",
            ": 402;",
            ": 3123.",
            "Đại diện bên nhận",
        ] {
            assert_eq!(minutes.matches(part).count() % 2, 0, "{part}: two copies");
            assert!(minutes.contains(part), "{part}");
        }
        assert_eq!(minutes.matches("<section>").count(), 2);
    }

    #[test]
    fn what_is_hostile_is_text() {
        for form in forms() {
            assert!(!form.contains("<script") && !form.contains("x')</"), "{form}");
            assert!(form.contains("&lt;/td&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
            for outside in ["http://", "https://", "src=", "@import", "url("] {
                assert!(!form.contains(outside), "a form needs nothing beside it: {outside}");
            }
        }
    }

    #[test]
    fn every_tag_is_closed() {
        for form in forms() {
            for tag in
                ["html", "head", "body", "table", "thead", "tbody", "tr", "td", "th", "p", "h1", "section", "div"]
            {
                let opened = form.matches(&format!("<{tag}>")).count() + form.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, form.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        }
    }
}

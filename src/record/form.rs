//! The lists and minutes of hand-over as pure data (NĐ 30/2020/NĐ-CP Annex V): heads with their Vietnamese names, rows,
//! and what stands around them. `exchange::forms` prints them.
//!
//! # Why
//! A list on paper, on a page and in a spreadsheet is the same list: its rows are made once, here, and whoever shows
//! them only escapes.

use crate::record::{
    agencies::{Agencies, AgencyCode},
    closing::Inside,
    date::PartialDate,
    day,
    file::About,
    metadata::Metadata,
    plan::FilePlan,
    term,
};

/// What a form says of whoever issues it (NĐ 30/2020/NĐ-CP Annex I).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Cơ quan cấp trên.
    pub parent: Option<String>,
    /// Cơ quan, đơn vị ban hành.
    pub agency: String,
    /// Số, ký hiệu, where the form has one.
    pub number: Option<String>,
    /// Địa danh.
    pub place: String,
    /// The day; absent where it is to be filled in by hand.
    pub on: Option<PartialDate>,
}

impl Head {
    /// Of the list of a year, under the names that the agencies have in that year.
    pub fn of_plan(plan: &FilePlan, agencies: Option<&Agencies>, place: String) -> Head {
        let on = PartialDate { year: plan.year as i16, month: None, day: None };
        let name = |code: &AgencyCode| agencies?.name_at(code, on).map(str::to_owned);
        let parent = agencies.and_then(|agencies| agencies.at(&plan.agency, on)?.parent.clone());
        let agency = name(&plan.agency).unwrap_or_else(|| plan.agency.to_string());
        let on = plan.approval.as_ref().map(|approval| approval.on);
        // The list is an annex: the number is that of the decision, and stands in its title.
        Head { parent: parent.as_ref().and_then(name), agency, number: None, place, on }
    }
}

/// A table: its title, the names of its columns, its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// `MỤC LỤC VĂN BẢN TRONG HỒ SƠ`.
    pub title: &'static str,
    /// What it is of.
    pub of: Vec<String>,
    pub columns: &'static [&'static str],
    pub rows: Vec<Row>,
    /// What is counted below.
    pub sums: Vec<String>,
}

/// A row: cells, or a heading over the whole width.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    Heading(String),
    Cells(Vec<String>),
}

/// Danh mục hồ sơ.
pub const PLAN_COLUMNS: [&str; 5] =
    ["Số, ký hiệu hồ sơ", "Tiêu đề hồ sơ", "Thời hạn lưu trữ", "Người lập hồ sơ", "Ghi chú"];
/// Mục lục hồ sơ, tài liệu nộp lưu.
pub const SUBMISSION_COLUMNS: [&str; 7] = [
    "STT",
    "Số, ký hiệu hồ sơ",
    "Tiêu đề hồ sơ",
    "Thời gian tài liệu",
    "Thời hạn lưu trữ",
    "Số tờ/Số trang",
    "Ghi chú",
];
/// Mục lục văn bản trong hồ sơ.
pub const DOCUMENT_COLUMNS: [&str; 7] = [
    "STT",
    "Số, ký hiệu văn bản",
    "Ngày, tháng, năm văn bản",
    "Tên loại và trích yếu nội dung văn bản",
    "Tác giả văn bản",
    "Tờ số/Trang số",
    "Ghi chú",
];

/// Danh mục hồ sơ: the rows under their headings, in the order of the list.
pub fn plan(plan: &FilePlan, agency: &str) -> Table {
    let row = |file: &crate::record::plan::Planned| {
        let retention = term::words(file.retention_code.as_deref(), file.retention_years);
        let maker = [file.unit.as_deref(), file.maker.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let note = file.note.clone().unwrap_or_default();
        Row::Cells(vec![file.code.clone(), file.title.clone(), retention, maker, note])
    };
    let under = |heading: &str| -> Vec<Row> {
        plan.files.iter().filter(|file| file.heading.as_deref() == Some(heading)).map(row).collect()
    };
    let mut rows = Vec::new();
    for heading in &plan.headings {
        rows.push(Row::Heading(format!("{}. {}", heading.code, heading.title)));
        rows.extend(under(&heading.code));
    }
    let known = |code: &str| plan.heading(code).is_some();
    let others = plan.files.iter().filter(|file| file.heading.as_deref().is_none_or(|code| !known(code)));
    rows.extend(others.map(row));
    let issued = plan.approval.as_ref().map(|approval| {
        format!("(Ban hành kèm theo Quyết định số {} ngày {})", approval.decision, day::words(approval.on))
    });
    let of = std::iter::once(format!("Năm {} của {agency}", plan.year)).chain(issued).collect();
    let sums = vec![format!("Bản danh mục này có {} hồ sơ.", plan.files.len())];
    Table { title: "DANH MỤC HỒ SƠ", of, columns: &PLAN_COLUMNS, rows, sums }
}

/// Mục lục hồ sơ, tài liệu nộp lưu.
pub fn submission(files: &[&About], unit: &str, year: u16) -> Table {
    let row = |(n, about): (usize, &&About)| {
        let cells = [
            (n + 1).to_string(),
            about.code.clone().unwrap_or_default(),
            about.title.clone(),
            span(about.started, about.ended),
            term::words(about.retention_code.as_deref(), about.retention_years),
            sheets_and_pages(about.sheets, about.pages),
            about.note.clone().unwrap_or_default(),
        ];
        Row::Cells(cells.into())
    };
    let rows = files.iter().enumerate().map(row).collect();
    let permanent = files.iter().filter(|about| about.retention_code.as_deref() == Some("01")).count();
    let sums = vec![format!(
        "Mục lục này gồm {} hồ sơ, trong đó có {permanent} hồ sơ lưu trữ vĩnh viễn và {} hồ sơ lưu trữ có thời hạn.",
        files.len(),
        files.len() - permanent
    )];
    let of = vec![format!("Năm {year} của {unit}")];
    Table { title: "MỤC LỤC HỒ SƠ, TÀI LIỆU NỘP LƯU", of, columns: &SUBMISSION_COLUMNS, rows, sums }
}

/// Mục lục văn bản trong hồ sơ, in the order of the ordinals; what has none stands last, in the order given, without a
/// number. Where none has one, they are counted.
pub fn documents(about: &About, records: &[Inside]) -> Table {
    let mut ordered: Vec<&Inside> = records.iter().collect();
    ordered.sort_by_key(|inside| inside.metadata.file_ordinal.unwrap_or(u32::MAX));
    let numbered = records.iter().any(|inside| inside.metadata.file_ordinal.is_some());
    let ordinal = |n: usize, m: &Metadata| match m.file_ordinal {
        Some(ordinal) => ordinal.to_string(),
        None if numbered => String::new(),
        None => (n + 1).to_string(),
    };
    let row = |(n, inside): (usize, &&Inside)| {
        let m: &Metadata = inside.metadata;
        let said = |value: &Option<String>| value.clone().unwrap_or_default();
        let number = [m.number.as_deref(), m.notation.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("/");
        let kind = m.kind.as_ref().map(|kind| format!("{kind}: ")).unwrap_or_default();
        let cells = [
            ordinal(n, m),
            number,
            m.issued.map(day::words).unwrap_or_default(),
            format!("{kind}{}", m.subject),
            said(&m.agency),
            sheets_and_pages(None, m.pages),
            said(&m.note),
        ];
        Row::Cells(cells.into())
    };
    let rows = ordered.iter().enumerate().map(row).collect();
    let pages: u64 = records.iter().filter_map(|inside| inside.metadata.pages).map(u64::from).sum();
    let sums = vec![format!("Hồ sơ gồm {} văn bản, tài liệu; {pages} trang.", records.len())];
    let code = about.code.as_ref().map(|code| format!("Số, ký hiệu hồ sơ: {code}"));
    let of = std::iter::once(about.title.clone()).chain(code).collect();
    Table { title: "MỤC LỤC VĂN BẢN TRONG HỒ SƠ", of, columns: &DOCUMENT_COLUMNS, rows, sums }
}

/// Who hands over, or takes over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Party {
    /// Cơ quan, đơn vị.
    pub agency: String,
    /// Names and positions of those who sign.
    pub people: Vec<(String, String)>,
}

/// Biên bản giao nhận hồ sơ, tài liệu: in two copies, one for each side.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Minutes {
    /// Căn cứ: the year's list of files, the plan of collecting.
    pub bases: Vec<String>,
    pub giver: Party,
    pub taker: Party,
    /// Tên khối tài liệu giao nộp.
    pub block: String,
    pub started: Option<PartialDate>,
    pub ended: Option<PartialDate>,
    pub paper: Paper,
    pub electronic: Electronic,
    /// Tình trạng tài liệu.
    pub condition: String,
}

/// What is handed over on paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Paper {
    pub boxes: u32,
    pub files: u32,
    /// Quy ra mét giá, in tenths of a metre.
    pub decimetres: u32,
}

/// What is handed over as electronic files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Electronic {
    pub files: u32,
    /// Tệp tin.
    pub components: u32,
}

impl Minutes {
    /// The paragraphs between the parties and the signatures.
    pub fn paragraphs(&self) -> Vec<String> {
        let (paper, electronic) = (self.paper, self.electronic);
        vec![
            format!("1. Tên khối tài liệu giao nộp: {}", self.block),
            format!("2. Thời gian của hồ sơ, tài liệu: {}", span(self.started, self.ended)),
            "3. Số lượng tài liệu:".into(),
            format!(
                "a) Đối với hồ sơ, tài liệu giấy: tổng số hộp (cặp): {}; tổng số hồ sơ: {}; quy ra mét giá: {},{} mét.",
                paper.boxes,
                paper.files,
                paper.decimetres / 10,
                paper.decimetres % 10
            ),
            format!(
                "b) Đối với hồ sơ, tài liệu điện tử: tổng số hồ sơ: {}; tổng số tệp tin trong hồ sơ: {}.",
                electronic.files, electronic.components
            ),
            format!("4. Tình trạng tài liệu giao nộp: {}", self.condition),
            "5. Mục lục hồ sơ, tài liệu nộp lưu kèm theo.".into(),
            "Biên bản này được lập thành hai bản; bên giao giữ một bản, bên nhận giữ một bản./.".into(),
        ]
    }
}

/// `20/02/2024 – 09/08/2024`; one date where only one is known, or both are the same.
fn span(started: Option<PartialDate>, ended: Option<PartialDate>) -> String {
    match (started, ended) {
        (Some(started), Some(ended)) if started != ended => format!("{} – {}", day::words(started), day::words(ended)),
        (Some(one), _) | (None, Some(one)) => day::words(one),
        (None, None) => String::new(),
    }
}

fn sheets_and_pages(sheets: Option<u32>, pages: Option<u32>) -> String {
    let sheets = sheets.map(|sheets| format!("{sheets} tờ"));
    let pages = pages.map(|pages| format!("{pages} trang"));
    [sheets, pages].into_iter().flatten().collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::{
        closing::tests::{file, inside, records},
        plan::tests::issued,
    };

    fn cells(table: &Table) -> Vec<Vec<&str>> {
        let all = table.rows.iter().map(|row| match row {
            Row::Heading(heading) => vec![heading.as_str()],
            Row::Cells(cells) => cells.iter().map(String::as_str).collect(),
        });
        let all: Vec<Vec<&str>> = all.collect();
        assert!(all.iter().all(|cells| cells.len() == 1 || cells.len() == table.columns.len()));
        all
    }

    #[test]
    fn the_list_of_files_stands_under_its_headings() {
        let table = plan(&issued(), "Sở Nội vụ tỉnh Lam Hải");
        let rows = cells(&table);
        assert_eq!(rows.len(), 6);
        assert_eq!((rows[0][0], rows[1][0]), ("VP. Văn phòng", "VTLT. Văn thư, lưu trữ"));
        assert_eq!(rows[2], ["2025.VTLT.01", "Danh mục hồ sơ năm 2025", "20 năm", "Quách Thị Mai", ""]);
        assert_eq!(table.of[1], "(Ban hành kèm theo Quyết định số 12/QĐ-SNV ngày 09/01/2025)");
        assert_eq!(table.sums, ["Bản danh mục này có 3 hồ sơ."]);
        let mut lost = issued();
        lost.files[0].heading = None;
        lost.files[1].heading = Some("XX".into());
        assert_eq!(cells(&plan(&lost, "x")).len(), 6, "no file is lost with its heading");
    }

    #[test]
    fn the_list_of_what_is_handed_over() {
        let about = About { sheets: Some(5), pages: Some(6), ..file() };
        let permanent = About { retention_code: Some("01".into()), ended: None, ..file() };
        let table = submission(&[&about, &permanent], "Phòng Văn thư", 2024);
        let rows = cells(&table);
        assert_eq!(rows[0][0..2], ["1", "H49.64.33.2001.160"]);
        assert_eq!(rows[0][3..6], ["20/02/2024 – 09/08/2024", "20 năm", "5 tờ / 6 trang"]);
        assert_eq!(rows[1][3..6], ["20/02/2024", "Vĩnh viễn", ""]);
        assert!(table.sums[0].contains("2 hồ sơ, trong đó có 1 hồ sơ lưu trữ vĩnh viễn và 1"), "{:?}", table.sums);
    }

    #[test]
    fn the_list_of_documents_follows_the_ordinals() {
        let mut records = records();
        records.swap(0, 2);
        records[1].file_ordinal = None;
        let table = documents(&file(), &inside(&records));
        let rows = cells(&table);
        assert_eq!(
            rows[0],
            [
                "1",
                "27/KH-SNV",
                "20/02/2024",
                "Kế hoạch: Kiểm tra công tác văn thư, lưu trữ năm 2024",
                "Sở Nội vụ tỉnh Lam Hải",
                "2 trang",
                ""
            ]
        );
        assert_eq!((rows[1][0], rows[2][0], rows[2][1]), ("3", "", "84/QĐ-SNV"));
        assert_eq!(table.sums, ["Hồ sơ gồm 3 văn bản, tài liệu; 6 trang."]);
        assert_eq!(table.of[1], "Số, ký hiệu hồ sơ: H49.64.33.2001.160");
    }

    pub fn minutes() -> Minutes {
        let party = |agency: &str, name: &str, position: &str| Party {
            agency: agency.into(),
            people: vec![(name.into(), position.into())],
        };
        Minutes {
            bases: vec!["Danh mục hồ sơ năm 2024".into()],
            giver: party("Phòng Cải cách hành chính", "Vi Thị Nhàn", "Chuyên viên"),
            taker: party("Lưu trữ hiện hành Sở Nội vụ", "Quách Thị Mai", "Lưu trữ viên"),
            block: "Hồ sơ năm 2024 của Phòng Cải cách hành chính".into(),
            started: "2024".parse().ok(),
            ended: "2024".parse().ok(),
            paper: Paper { boxes: 3, files: 25, decimetres: 4 },
            electronic: Electronic { files: 40, components: 312 },
            condition: "Tốt, đầy đủ".into(),
        }
    }

    /// NĐ 30/2020/NĐ-CP Annex V: what the minutes say.
    #[test]
    fn the_minutes_count_paper_and_electronic() {
        let said = minutes().paragraphs().join("\n");
        for part in [
            "Hồ sơ năm 2024 của Phòng",
            "tài liệu: 2024\n",
            "hộp (cặp): 3; tổng số hồ sơ: 25; quy ra mét giá: 0,4 mét",
            "tổng số hồ sơ: 40; tổng số tệp tin trong hồ sơ: 312",
            "Tốt, đầy đủ",
            "hai bản",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

//! The corpus as files: who made what in which year, by which rule it gets its class, and what is to happen to it in thirty
//! years. Everything follows from the data and the seed.

use crate::convert::rows;
use crate::retention_model::{Fact, Lives, Model, Unit};
use serde_json::Value;
use std::{collections::BTreeMap, ops::RangeInclusive, path::Path};

/// Letters of one text: what is destroyed need not be long.
const TEXT_CHARS_MAX: usize = 3_000;
/// Records of one file: in a slice, and of one volume of it where it is all of the corpus.
const SLICE_RECORDS_MAX: usize = 8;
const VOLUME_RECORDS_MAX: usize = 50;

/// A document of the corpus.
pub struct Row {
    pub id: String,
    pub subject: String,
    pub number: String,
    pub agency: String,
    pub kind: &'static str,
    pub year: i32,
    pub text: String,
}

/// A hold on one file, one of its records, or its whole fonds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    Unit,
    Record,
    Fonds,
}

/// A hold to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldPlan {
    pub on: On,
    pub from: i32,
    pub until: i32,
    /// Between the decision and the order, where it stops what was decided.
    pub late: bool,
}

/// A file, or a loose record, with what is to happen to it.
pub struct Plan {
    /// The place of its fonds among the agencies.
    pub fonds: usize,
    pub year: i32,
    pub kind: &'static str,
    /// Of the files that would have one code.
    pub volume: usize,
    pub rows: Vec<Row>,
    pub loose: bool,
    pub holds: Vec<HoldPlan>,
    /// The same for the model.
    pub unit: Unit,
}

/// Numbers that follow from the seed.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// Agencies by name, and the files of all or of about `records` records.
pub fn plan(
    corpus: &Path,
    model: &Model,
    chance: &mut Chance,
    records: Option<usize>,
    years: RangeInclusive<i32>,
) -> (Vec<String>, Vec<Plan>) {
    let mut groups: BTreeMap<(String, i32, &'static str, &'static str), Vec<Row>> = BTreeMap::new();
    for row in documents(corpus) {
        let class = class(row.kind, &row.subject);
        groups.entry((row.agency.clone(), row.year, row.kind, class)).or_default().push(row);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    if let Some(records) = records {
        for at in (1..groups.len()).rev() {
            groups.swap(at, chance.below(at + 1));
        }
        let mut room = records;
        for (_, rows) in &mut groups {
            rows.truncate(SLICE_RECORDS_MAX.min(room));
            room -= rows.len();
        }
        groups.retain(|(_, rows)| !rows.is_empty());
        groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    let mut agencies: Vec<String> = groups.iter().map(|((agency, ..), _)| agency.clone()).collect();
    agencies.dedup();
    let mut plans = Vec::new();
    let volumes = groups
        .into_iter()
        .flat_map(|(of, rows)| volumes(rows).into_iter().zip(1..).map(move |volume| (of.clone(), volume)));
    for ((agency, year, kind, class), (rows, volume)) in volumes {
        let fonds = agencies.iter().position(|one| *one == agency).expect("an agency of the list");
        let mut unit = Unit { class: class.to_owned(), ..Unit::default() };
        unit.facts.push(Fact { what: "work_ended".into(), year, told: *years.start() });
        unit.facts.extend(later(model.lives(class), chance, &years));
        let of_years = matches!(model.lives(class), Lives::Counted { from: "work_ended", .. });
        let loose = of_years && rows.len() == 1 && chance.one_in(3);
        // Something in it lives longer than the file by itself would.
        if !loose && chance.one_in(12) {
            unit.inside.push(["3.17", "3.11", "9.07"][chance.below(3)].into());
        }
        plans.push(Plan { fonds, year, kind, volume, rows, loose, holds: Vec::new(), unit });
    }
    for fonds in 0..agencies.len() {
        if chance.one_in(3) {
            let from = years.start() + chance.below(20) as i32;
            let hold = HoldPlan { on: On::Fonds, from, until: from + 1 + chance.below(3) as i32, late: false };
            plans.iter_mut().filter(|plan| plan.fonds == fonds).for_each(|plan| held(plan, hold));
        }
    }
    plans.iter_mut().for_each(|plan| fate(plan, model, chance, &years));
    (agencies, plans)
}

/// The records of a file in volumes (tập), of which each is a file.
fn volumes(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut volumes: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        match volumes.last_mut().filter(|volume| volume.len() < VOLUME_RECORDS_MAX) {
            Some(volume) => volume.push(row),
            None => volumes.push(vec![row]),
        }
    }
    volumes
}

/// What becomes of some of the files that come to an end: held before, stopped at the last moment, spared once.
fn fate(plan: &mut Plan, model: &Model, chance: &mut Chance, years: &RangeInclusive<i32>) {
    let Some(first) = model.end(&plan.unit, years.clone()) else { return };
    match chance.below(10) {
        0 | 1 => {
            let on = if plan.loose || chance.one_in(2) { On::Unit } else { On::Record };
            let from = (first - chance.below(4) as i32).max(*years.start());
            held(plan, HoldPlan { on, from, until: first + 1 + chance.below(6) as i32, late: false });
        }
        2 => held(plan, HoldPlan { on: On::Unit, from: first, until: first + 2, late: true }),
        3 => plan.unit.spared.push(first),
        _ => {}
    }
}

fn held(plan: &mut Plan, hold: HoldPlan) {
    plan.unit.holds.push((hold.from, hold.until));
    plan.holds.push(hold);
}

/// A fact that is told in some year, where the class waits for one: of some nobody ever tells.
fn later(lives: Lives, chance: &mut Chance, years: &RangeInclusive<i32>) -> Option<Fact> {
    let Lives::Counted { from, .. } = lives else { return None };
    if from == "work_ended" || chance.one_in(4) {
        return None;
    }
    let told = years.start() + 1 + chance.below(20) as i32;
    Some(Fact { what: from.into(), year: told - 1, told })
}

fn documents(corpus: &Path) -> Vec<Row> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for (name, titled) in
        [("articles.jsonl.gz", "doc_title"), ("gazette.jsonl.gz", "title"), ("registry.jsonl", "title")]
    {
        for row in rows(&corpus.join(name)) {
            let (number, title, part) = (text(&row, "number"), text(&row, titled), text(&row, "article"));
            let agency = Some(text(&row, "agency")).filter(|agency| !agency.trim().is_empty());
            let subject = if part.is_empty() {
                title.clone()
            } else {
                format!("{title}. Điều {part}. {}", text(&row, "title"))
            };
            let body = Some(text(&row, "text")).filter(|body| !body.is_empty()).unwrap_or_else(|| subject.clone());
            all.push(Row {
                id: text(&row, "id"),
                kind: kind(&number, &title),
                year: year(&text(&row, "date"), &number),
                agency: agency.unwrap_or_else(|| "Không rõ cơ quan".into()),
                text: body.chars().take(TEXT_CHARS_MAX).collect(),
                subject,
                number,
            });
        }
    }
    all
}

/// The year of the date, else the one that a number has; of the rest 2015.
fn year(date: &str, number: &str) -> i32 {
    let plausible = |year: &i32| (1990..=2026).contains(year);
    let dated = date.get(..4).and_then(|year| year.parse().ok()).filter(plausible);
    let numbered = || number.split('/').find_map(|part| part.parse().ok().filter(plausible));
    dated.or_else(numbered).unwrap_or(2015)
}

/// Type and its short form, which stands in the codes of files: by the number, else by how the title begins.
const KINDS: [(&str, &str, &str); 11] = [
    ("Quyết định", "QĐ-", "QD"),
    ("Kế hoạch", "KH-", "KH"),
    ("Báo cáo", "BC-", "BC"),
    ("Thông báo", "TB-", "TB"),
    ("Tờ trình", "TTR-", "TTR"),
    ("Chỉ thị", "CT-", "CT"),
    ("Nghị quyết", "NQ", "NQ"),
    ("Nghị định", "NĐ-", "ND"),
    ("Thông tư", "TT-", "TT"),
    ("Luật", "/QH", "L"),
    ("Công văn", "", "CV"),
];

fn kind(number: &str, title: &str) -> &'static str {
    let number = number.to_uppercase().replace('Ð', "Đ");
    let found =
        KINDS.iter().find(|(name, sign, _)| title.starts_with(name) || (!sign.is_empty() && number.contains(sign)));
    found.map_or("Công văn", |(name, ..)| name)
}

/// The short form of a type.
pub fn short(kind: &str) -> &'static str {
    KINDS.iter().find(|(name, ..)| *name == kind).map_or("CV", |(_, _, short)| short)
}

/// The class of a document: a rule over its type and the words of its title, which nobody would take for archivists' work.
fn class(kind: &str, title: &str) -> &'static str {
    let title = title.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| title.contains(word));
    match kind {
        _ if says(&["hợp đồng lao động"]) => "4.1.03",
        _ if says(&["khen thưởng", "thi đua"]) => "10.04",
        _ if says(&["khiếu nại", "tố cáo"]) => "9.07",
        _ if says(&["thanh tra"]) => "9.05",
        _ if says(&["bổ nhiệm", "điều động", "cán bộ"]) => "3.12",
        _ if says(&["ô tô", "máy móc", "thiết bị"]) => "12.2.01",
        "Luật" | "Nghị định" if says(&["đất đai", "đầu tư"]) => "2.1.01",
        "Luật" | "Nghị định" | "Nghị quyết" => "1.01",
        "Thông tư" => "3.01",
        "Quyết định" | "Công văn" if says(&["công trình", "nhà ở", "xây dựng"]) => "6.05",
        "Quyết định" if says(&["quy hoạch"]) => "2.1.02",
        "Kế hoạch" | "Báo cáo" if says(&["quý", "tháng", "tuần"]) => "1.12",
        "Kế hoạch" | "Báo cáo" => "1.16",
        "Thông báo" => "1.23",
        "Chỉ thị" | "Quyết định" => "12.1.07",
        "Tờ trình" => "2.2.05",
        _ if says(&["góp ý", "dự thảo"]) => "11.02",
        _ if says(&["thủ tục hành chính", "cải cách"]) => "12.1.01",
        _ if says(&["thông báo", "gửi", "đính chính"]) => "1.02",
        _ => "1.27",
    }
}

//! May a file be closed? What is missing in it, and what contradicts.
//!
//! NĐ 30/2020/NĐ-CP art. 29–30: when the work has ended, who made the file looks through it, completes and numbers it,
//! and lists its documents.
//!
//! # Why
//! What nobody could mend later is an error: an empty file, one without a class, a doubled ordinal, a period shorter
//! than that of something inside. A gap in the ordinals, a missing count of pages, a date outside the file's time may
//! have a reason that the program does not know: they are told, and the person decides.

use crate::record::{
    date::PartialDate,
    file::{About, check_file},
    filecode,
    flaw::{Code, Flaw},
    id::RecordId,
    metadata::Metadata,
    term::{Term, words},
};
use std::collections::BTreeMap;

/// A record in a file.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    pub record: RecordId,
    pub metadata: &'a Metadata,
    /// How many components it has.
    pub components: usize,
    /// The real number of years, where its code has none.
    pub retention_years: Option<u32>,
}

impl Inside<'_> {
    fn term(&self) -> Option<Term> {
        Term::of(self.metadata.retention_code.as_deref(), self.retention_years)
    }
}

/// Everything that is wrong with a file and what is in it, on the day when it is closed.
pub fn check_closing(about: &About, records: &[Inside]) -> Vec<Flaw> {
    let mut flaws = check_file(about);
    if records.is_empty() {
        flaws.push(Flaw::new(Code::NothingInside, &about.title));
    }
    if about.class.is_none() && about.retention_code.is_none() && about.retention_years.is_none() {
        flaws.push(Flaw::new(Code::RetentionMissing, "class"));
    }
    if about.maker.as_deref().is_none_or(|maker| maker.trim().is_empty()) {
        flaws.push(Flaw::new(Code::MakerMissing, "maker"));
    }
    flaws.extend(check_counts(about, records));
    flaws.extend(check_ordinals(records));
    flaws.extend(records.iter().flat_map(|inside| check_record(about, inside)));
    flaws.extend(check_period(about, records));
    flaws.extend(filecode::alike(records.iter().map(|inside| (inside.record, inside.metadata))));
    flaws
}

/// What was stated is what is there.
fn check_counts(about: &About, records: &[Inside]) -> Vec<Flaw> {
    let counted = u64::try_from(records.len()).ok();
    let pages: Option<u64> = records.iter().map(|inside| inside.metadata.pages.map(u64::from)).sum();
    let pairs = [("records", about.records, counted), ("pages", about.pages, pages)];
    let differ = pairs.into_iter().filter_map(|(name, stated, counted)| {
        let (stated, counted) = stated.zip(counted)?;
        (u64::from(stated) != counted)
            .then(|| Flaw::new(Code::NotACount, name).with_detail(format!("{stated}, {counted}")))
    });
    differ.collect()
}

/// Ordinals count from 1, without a gap and without a twin. Where no record has one there is nothing to compare.
fn check_ordinals(records: &[Inside]) -> Vec<Flaw> {
    let mut numbered: BTreeMap<u32, u32> = BTreeMap::new();
    let mut flaws = Vec::new();
    for inside in records {
        match inside.metadata.file_ordinal {
            Some(ordinal) => *numbered.entry(ordinal).or_default() += 1,
            None => flaws.push(Flaw::new(Code::OrdinalMissing, inside.record)),
        }
    }
    if numbered.is_empty() {
        return Vec::new();
    }
    let mut expected = 1;
    for (ordinal, times) in numbered {
        if ordinal > expected {
            let gap =
                if ordinal - expected == 1 { expected.to_string() } else { format!("{expected}–{}", ordinal - 1) };
            flaws.push(Flaw::new(Code::OrdinalMissing, gap));
        }
        if times > 1 {
            flaws.push(Flaw::new(Code::OrdinalDoubled, ordinal));
        }
        expected = ordinal.saturating_add(1);
    }
    flaws
}

fn check_record(about: &About, inside: &Inside) -> Vec<Flaw> {
    let flaw = |code| Flaw::new(code, inside.record);
    let mut flaws = Vec::new();
    if inside.components == 0 {
        flaws.push(flaw(Code::NoContent));
    }
    if inside.metadata.pages.is_none() {
        flaws.push(flaw(Code::PagesMissing));
    }
    let began = |date: PartialDate| date.span().0;
    let ended = |date: PartialDate| date.span().1;
    if let Some(issued) = inside.metadata.issued {
        let early = about.started.is_some_and(|started| ended(issued) < began(started));
        let late = about.ended.is_some_and(|last| began(issued) > ended(last));
        if early || late {
            flaws.push(flaw(Code::OutsideFile).with_detail(issued));
        }
    }
    flaws
}

/// Law 33/2024/QH15 art. 15: a file takes the longest period among its documents.
fn check_period(about: &About, records: &[Inside]) -> Option<Flaw> {
    let (longest, of) =
        records.iter().filter_map(|inside| Some((inside.term()?, inside))).max_by_key(|(term, _)| *term)?;
    let own = Term::of(about.retention_code.as_deref(), about.retention_years)?;
    let said = words(of.metadata.retention_code.as_deref(), of.retention_years);
    (longest > own).then(|| Flaw::new(Code::RetentionTooShort, of.record).with_detail(said))
}

/// The longest period of what is in a file; `None` where no record tells one.
pub fn longest(records: &[Inside]) -> Option<Term> {
    records.iter().filter_map(Inside::term).max()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::{
        file::tests::whole,
        flaw::{
            Code::{
                Alike, MakerMissing, NoContent, NotACount, NothingInside, OrdinalDoubled, OrdinalMissing, OutsideFile,
                PagesMissing, RetentionMissing, RetentionTooShort, TitleMissing,
            },
            stops,
        },
    };

    /// The sample archive's file 2024.KT.01: an inspection from plan to remedy.
    pub fn records() -> Vec<Metadata> {
        let record = |ordinal, number: &str, notation: &str, issued: &str, kind: &str, subject: &str| Metadata {
            subject: subject.into(),
            number: Some(number.into()),
            notation: Some(notation.into()),
            issued: issued.parse().ok(),
            agency: Some("Sở Nội vụ tỉnh Lam Hải".into()),
            kind: Some(kind.into()),
            pages: Some(2),
            file_ordinal: Some(ordinal),
            retention_code: Some("05".into()),
            ..Metadata::default()
        };
        vec![
            record(1, "27", "KH-SNV", "2024-02-20", "Kế hoạch", "Kiểm tra công tác văn thư, lưu trữ năm 2024"),
            record(2, "84", "QĐ-SNV", "2024-04-03", "Quyết định", "Thành lập Đoàn kiểm tra"),
            record(3, "02", "BB-ĐKT", "2024-04-24", "Biên bản", "Kiểm tra tại Ủy ban nhân dân huyện Đồng Mơ"),
        ]
    }

    pub fn inside(metadata: &[Metadata]) -> Vec<Inside<'_>> {
        let one = |(n, metadata)| Inside {
            record: RecordId::new(n, [0; 10]),
            metadata,
            components: 1,
            retention_years: None,
        };
        (1..).zip(metadata).map(one).collect()
    }

    pub fn file() -> About {
        About { maker: Some("Cao Văn Nghĩa".into()), ..whole() }
    }

    type Change = fn(&mut About, &mut Vec<Metadata>);

    #[test]
    fn what_a_file_lacks_when_it_is_closed() {
        let cases: [(Change, &[Code]); 22] = [
            (|_, _| {}, &[]),
            (|_, r| r.iter_mut().for_each(|r| r.file_ordinal = None), &[]),
            (|_, r| r[2].issued = None, &[]),
            (|_, r| r[2].issued = "2024".parse().ok(), &[]),
            (|_, r| r.clear(), &[NothingInside]),
            (|a, _| a.title.clear(), &[TitleMissing]),
            (|a, _| a.maker = None, &[MakerMissing]),
            (|a, _| a.records = Some(4), &[NotACount]),
            (|a, _| a.records = Some(3), &[]),
            (|a, _| a.pages = Some(7), &[NotACount]),
            (|_, r| r[1].file_ordinal = None, &[OrdinalMissing, OrdinalMissing]),
            (|_, r| r[2].file_ordinal = Some(6), &[OrdinalMissing]),
            (|_, r| r[0].file_ordinal = Some(4), &[OrdinalMissing]),
            (|_, r| r[1].file_ordinal = Some(1), &[OrdinalDoubled, OrdinalMissing]),
            (|_, r| r[1].pages = None, &[PagesMissing]),
            (|_, r| r[0].issued = "2023-12-31".parse().ok(), &[OutsideFile]),
            (|_, r| r[2].issued = "2025".parse().ok(), &[OutsideFile]),
            (|_, r| r[2] = Metadata { file_ordinal: Some(3), ..r[1].clone() }, &[Alike]),
            (|_, r| r[1].retention_code = Some("04".into()), &[RetentionTooShort]),
            (|_, r| r[1].retention_code = Some("01".into()), &[RetentionTooShort]),
            (|a, r| (a.retention_code, r[1].retention_code) = (Some("01".into()), Some("01".into())), &[]),
            (|_, r| r[1].retention_code = Some("06".into()), &[]),
        ];
        for (n, (change, expected)) in cases.into_iter().enumerate() {
            let (mut about, mut records) = (file(), records());
            change(&mut about, &mut records);
            let found: Vec<Code> = check_closing(&about, &inside(&records)).into_iter().map(|f| f.code).collect();
            assert_eq!(found, expected, "case {n}");
        }
    }

    #[test]
    fn what_has_no_component_or_no_class() {
        let records = records();
        let mut held = inside(&records);
        held[1].components = 0;
        let found: Vec<Code> = check_closing(&file(), &held).into_iter().map(|flaw| flaw.code).collect();
        assert_eq!(found, [NoContent]);
        let bare = About { retention_code: None, ..file() };
        let flaws = check_closing(&bare, &inside(&records));
        assert!(flaws.iter().any(|flaw| flaw.code == RetentionMissing) && stops(&flaws), "{flaws:?}");
    }

    #[test]
    fn gaps_are_named() {
        let mut records = records();
        (records[1].file_ordinal, records[2].file_ordinal) = (Some(3), Some(9));
        let flaws = check_closing(&file(), &inside(&records));
        let places: Vec<&str> = flaws.iter().map(|flaw| flaw.place.as_str()).collect();
        assert_eq!(places, ["2", "4–8"]);
    }

    /// Law 33/2024/QH15 art. 15, with the real number of years of what is 07 (khác).
    #[test]
    fn fifteen_years_are_less_than_twenty() {
        let mut records = records();
        records[0].retention_code = Some("07".into());
        let mut held = inside(&records);
        for (years, longer) in [(15, false), (20, false), (25, true)] {
            held[0].retention_years = Some(years);
            let found = check_closing(&file(), &held);
            assert_eq!(found.iter().any(|flaw| flaw.code == RetentionTooShort), longer, "{years}");
        }
        assert_eq!(longest(&held), Some(Term::Years(25)));
        assert_eq!(longest(&[]), None);
    }
}

//! A fonds (phông lưu trữ): all records of one creator, and the description of it that is kept.
//!
//! # Why
//! *A fonds has the life of its creator.* An ended agency's fonds is closed on its last day, and its records are never
//! merged into the successor's (TT 06/2025/TT-BNV art. 40): who decided is told by where the decision lies. Records of
//! that time that turn up later still come into the closed fonds.
//!
//! What the circular wants to know of a fonds (TT 05/2025/TT-BNV, master data) has no table of elements and lengths:
//! [`FONDS_FIELDS`] has names only.

use crate::record::{
    agencies::{
        Agencies, AgencyCode,
        custody::{Because, Custodian, Share},
    },
    arranging::Refusal,
    codes,
    date::PartialDate,
    day,
    digest::Digest,
    document::{Document, Salt},
    fields::{Field, Need, Shape, flag, joined, one, row},
    file,
    flaw::{Code, Flaw},
    id::FondsId,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What holds the records together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Phông: one creator.
    #[default]
    Fonds,
    /// Công trình: one work, as a bridge or a house.
    Work,
    /// Sưu tập: one subject or kind, gathered from anywhere.
    Gathered,
}

impl Kind {
    pub fn as_str(&self) -> &'static str {
        match self {
            Kind::Fonds => "fonds",
            Kind::Work => "work",
            Kind::Gathered => "gathered",
        }
    }

    pub fn vi(&self) -> &'static str {
        match self {
            Kind::Fonds => "phông",
            Kind::Work => "công trình",
            Kind::Gathered => "sưu tập",
        }
    }
}

/// Somebody managed the fonds from a day on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeping {
    pub agency: AgencyCode,
    pub from: PartialDate,
    /// The minutes or the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The end of a fonds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Its last day.
    pub on: PartialDate,
    pub reason: String,
}

/// What is said of a fonds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Mã phông.
    pub code: String,
    pub name: String,
    pub kind: Kind,
    /// Cơ quan hình thành.
    pub creator: AgencyCode,
    /// Cơ quan quản lý, the earliest first; empty where the register of agencies tells it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custodians: Vec<Keeping>,
    /// Lịch sử đơn vị hình thành phông.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Thời gian tài liệu: from when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<PartialDate>,
    /// And to when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<PartialDate>,
    /// Nhóm tài liệu chủ yếu.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Ngôn ngữ, codes 01–11.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Chế độ dự phòng.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_copy: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Trạng thái đóng; absent of an open fonds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// The description of a fonds: schema `fonds.v1`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fonds {
    pub schema: String,
    pub fonds: FondsId,
    /// The description that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    pub salt: Salt,
    pub about: About,
}

impl Document for Fonds {
    const SCHEMA: &'static str = "fonds.v1";
    fn schema(&self) -> &str {
        &self.schema
    }
}

/// Every field of a fonds, in the order of [`About`].
pub static FONDS_FIELDS: [Field<About>; 13] = [
    row("code", "Mã phông", |a: &About| text(&a.code)).needed(Need::Record).at("fonds"),
    row("name", "Tên phông", |a: &About| text(&a.name)).needed(Need::Record).at("fonds"),
    row("kind", "Loại", |a: &About| Some(Cow::from(a.kind.as_str()))),
    row("creator", "Cơ quan hình thành phông", |a: &About| text(a.creator.as_str())),
    row("custodians", "Cơ quan quản lý", kept).shaped(Shape::Lines),
    row("history", "Lịch sử đơn vị hình thành phông", |a: &About| one(&a.history)).shaped(Shape::Text).at("fonds"),
    row("started", "Thời gian tài liệu: từ", |a: &About| a.started.map(|d| Cow::from(d.to_string())))
        .shaped(Shape::Date)
        .at("fonds"),
    row("ended", "Thời gian tài liệu: đến", |a: &About| a.ended.map(|d| Cow::from(d.to_string())))
        .shaped(Shape::Date)
        .at("fonds"),
    row("groups", "Nhóm tài liệu chủ yếu", |a: &About| joined(&a.groups)).shaped(Shape::Lines).at("fonds"),
    row("language", "Ngôn ngữ", |a: &About| joined(&a.languages))
        .keyed("languages")
        .shaped(Shape::Lines)
        .of("LANGUAGES", &codes::LANGUAGES)
        .at("fonds"),
    row("security_copy", "Chế độ dự phòng", |a: &About| flag(a.security_copy)).shaped(Shape::Flag).at("fonds"),
    row("note", "Ghi chú", |a: &About| one(&a.note)).shaped(Shape::Text).at("fonds"),
    row("closed", "Trạng thái: đóng", ended).at("fonds"),
];

fn text(value: &str) -> Option<Cow<'_, str>> {
    Some(Cow::from(value)).filter(|text| !text.trim().is_empty())
}

fn kept(about: &About) -> Option<Cow<'_, str>> {
    let lines: Vec<String> = about.custodians.iter().map(|k| format!("{} từ {}", k.agency, k.from)).collect();
    (!lines.is_empty()).then(|| Cow::from(lines.join("; ")))
}

fn ended(about: &About) -> Option<Cow<'_, str>> {
    about.closed.as_ref().map(|closed| Cow::from(format!("{}: {}", closed.on, closed.reason)))
}

impl About {
    /// Who manages the fonds at a date: by its own history, else by the register (TT 06/2025/TT-BNV art. 40.2).
    pub fn custodian_at(&self, agencies: &Agencies, on: PartialDate, share: Share) -> Option<Custodian> {
        let begun = |keeping: &&Keeping| keeping.from.span().0 <= on.span().1;
        match self.custodians.iter().filter(begun).max_by_key(|keeping| keeping.from) {
            Some(keeping) => {
                let (agency, source) = (keeping.agency.clone(), keeping.source.clone());
                Some(Custodian { agency, because: Because::Assigned, source })
            }
            None => agencies.custodian_at(&self.creator, on, share),
        }
    }

    /// What is wrong with the description, by the register of agencies.
    pub fn check(&self, agencies: &Agencies) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if self.code.trim().is_empty() {
            flaws.push(Flaw::new(Code::CodeMissing, "code"));
        }
        if self.name.trim().is_empty() {
            flaws.push(Flaw::new(Code::NameMissing, "name"));
        }
        let named = std::iter::once(("creator", &self.creator));
        let named = named.chain(self.custodians.iter().map(|keeping| ("custodians", &keeping.agency)));
        let unknown = named.filter(|(_, code)| agencies.rows(code).next().is_none());
        flaws.extend(unknown.map(|(place, code)| Flaw::new(Code::UnknownAgency, place).with_detail(code)));
        if self.custodians.windows(2).any(|pair| matches!(pair, [first, second] if second.from <= first.from)) {
            flaws.push(Flaw::new(Code::OutOfOrder, "custodians"));
        }
        if self.started.zip(self.ended).is_some_and(|(started, ended)| ended.span().1 < started.span().0) {
            flaws.push(Flaw::new(Code::EndsBeforeItBegins, "ended"));
        }
        let outside = self.languages.iter().filter(|code| codes::name(&codes::LANGUAGES, code).is_none());
        flaws.extend(outside.map(|code| Flaw::new(Code::OutsideList, "language").with_detail(code)));
        flaws.extend(self.check_end(agencies));
        flaws
    }

    /// An ended agency's fonds is closed on its last day.
    fn check_end(&self, agencies: &Agencies) -> Option<Flaw> {
        let last = agencies.last_day(&self.creator).filter(|_| self.kind == Kind::Fonds);
        match (last, &self.closed) {
            (_, Some(closed)) if closed.reason.trim().is_empty() => Some(Flaw::new(Code::ReasonMissing, "closed")),
            (Some(last), Some(closed)) if closed.on.span().1 != last => {
                Some(Flaw::new(Code::ClosedOnAnotherDay, "closed").with_detail(last))
            }
            (Some(last), None) => Some(Flaw::new(Code::NotClosed, "closed").with_detail(last)),
            _ => None,
        }
    }

    /// The same closed on its creator's last day; `None` while the creator lives, or where that day is unknown.
    pub fn closed_with_its_creator(&self, agencies: &Agencies, reason: &str) -> Option<About> {
        let on = day::date(agencies.last_day(&self.creator)?)?;
        Some(About { closed: Some(Closed { on, reason: reason.into() }), ..self.clone() })
    }

    /// May a file that begins at a date be opened or filed here? A closed fonds takes what is of its own time.
    pub fn takes(&self, started: PartialDate) -> Result<(), Refusal> {
        match &self.closed {
            Some(closed) if started.span().0 > closed.on.span().1 => Err(Refusal::FondsClosed),
            _ => Ok(()),
        }
    }

    /// Does a file lie within the fonds' time?
    pub fn check_file(&self, file: &file::About) -> Option<Flaw> {
        let last = self.closed.as_ref().map(|closed| closed.on).into_iter().chain(self.ended);
        let last = last.map(|date| date.span().1).min();
        let late = file.started.zip(last).is_some_and(|(started, last)| started.span().0 > last);
        let early = file.ended.zip(self.started).is_some_and(|(ended, first)| ended.span().1 < first.span().0);
        (late || early).then(|| Flaw::new(Code::OutsideFonds, file.code.as_ref().unwrap_or(&file.title)))
    }

    /// May what lies here be moved into another fonds? Never from an ended agency's into one of whoever goes on with
    /// its work; what was filed in the wrong place goes back into its creator's own.
    pub fn may_move_to(&self, to: &About, agencies: &Agencies) -> Result<(), Refusal> {
        let ended = self.closed.is_some() || agencies.last_day(&self.creator).is_some();
        let successor = agencies.predecessors_of(&to.creator).contains(&self.creator);
        if ended && successor { Err(Refusal::NeverMerged) } else { Ok(()) }
    }
}

/// The fonds in which a record of an agency belongs: that of the agency itself, whoever came after it.
pub fn home<'a>(all: impl IntoIterator<Item = &'a About>, creator: &AgencyCode) -> Option<&'a About> {
    all.into_iter().find(|about| about.kind == Kind::Fonds && about.creator == *creator)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::{
        agencies::tests::{changed, code, date, sample},
        document::assert_one_spelling,
    };

    pub fn of(creator: &str) -> About {
        About {
            code: creator.into(),
            name: format!("Phông lưu trữ {creator}"),
            kind: Kind::Fonds,
            creator: code(creator),
            custodians: vec![],
            history: None,
            started: None,
            ended: None,
            groups: vec![],
            languages: vec!["01".into()],
            security_copy: None,
            note: None,
            closed: None,
        }
    }

    fn district() -> About {
        of("UBND-DM").closed_with_its_creator(&sample(), "Kết thúc hoạt động cấp huyện").unwrap()
    }

    #[test]
    fn a_description_has_one_spelling() {
        let (schema, fonds) = (Fonds::SCHEMA.into(), FondsId::new(1_763_877_600_000, [7; 10]));
        assert_one_spelling(&Fonds { schema, fonds, replaces: None, salt: Salt::new([3; 32]), about: district() });
    }

    #[test]
    fn the_table_has_the_fields_of_a_fonds_and_no_other() {
        let keeping = Keeping { agency: code("LTLS-LH"), from: date("2025-07-01"), source: None };
        let full = About {
            custodians: vec![keeping],
            history: Some("1".into()),
            started: Some(date("1997")),
            ended: Some(date("2025-06-30")),
            groups: vec!["1".into()],
            security_copy: Some(true),
            note: Some("1".into()),
            ..district()
        };
        let json = serde_json::to_value(&full).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(FONDS_FIELDS.iter().map(|f| f.key).collect::<Vec<_>>(), keys);
        assert!(FONDS_FIELDS.iter().all(|f| (f.value)(&full).is_some()));
    }

    /// TT 06/2025/TT-BNV art. 40: the district's fonds is closed on 30/6/2025.
    #[test]
    fn an_ended_agencys_fonds_is_closed_on_its_last_day() {
        let agencies = sample();
        assert_eq!(district().closed.unwrap().on, date("2025-06-30"));
        assert_eq!(of("UBND-SM").closed_with_its_creator(&agencies, "x"), None);
        type Change = fn(&mut About);
        let cases: [(&str, Change, Option<Code>); 12] = [
            ("UBND-DM", |_| {}, None),
            ("UBND-DM", |a| a.closed = None, Some(Code::NotClosed)),
            ("UBND-DM", |a| a.closed.as_mut().unwrap().on = date("2025-07-01"), Some(Code::ClosedOnAnotherDay)),
            ("UBND-DM", |a| a.closed.as_mut().unwrap().reason = " ".into(), Some(Code::ReasonMissing)),
            ("UBND-DM", |a| (a.kind, a.closed) = (Kind::Gathered, None), None),
            ("UBND-SM", |a| a.closed = None, None),
            ("UBND-XX", |a| a.closed = None, Some(Code::UnknownAgency)),
            ("UBND-DM", |a| a.code = String::new(), Some(Code::CodeMissing)),
            ("UBND-DM", |a| a.name = String::new(), Some(Code::NameMissing)),
            ("UBND-DM", |a| a.languages = vec!["vi".into()], Some(Code::OutsideList)),
            (
                "UBND-DM",
                |a| (a.started, a.ended) = (Some(date("2025")), Some(date("1997"))),
                Some(Code::EndsBeforeItBegins),
            ),
            (
                "UBND-DM",
                |a| {
                    let kept = |from| Keeping { agency: code("LTLS-LH"), from: date(from), source: None };
                    a.custodians = vec![kept("2026"), kept("2025-07-01")];
                },
                Some(Code::OutOfOrder),
            ),
        ];
        for (n, (creator, change, expected)) in cases.into_iter().enumerate() {
            let mut about = About { closed: district().closed, ..of(creator) };
            change(&mut about);
            let found: Vec<Code> = about.check(&agencies).into_iter().map(|flaw| flaw.code).collect();
            assert_eq!(found, Vec::from_iter(expected), "case {n}");
        }
    }

    #[test]
    fn a_closed_fonds_takes_what_is_of_its_time() {
        for (started, taken) in [
            ("2019", Ok(())),
            ("2025", Ok(())),
            ("2025-06-30", Ok(())),
            ("2025-07-01", Err(Refusal::FondsClosed)),
            ("2026", Err(Refusal::FondsClosed)),
        ] {
            assert_eq!(district().takes(date(started)), taken, "{started}");
            assert_eq!(of("UBND-SM").takes(date(started)), Ok(()));
        }
    }

    #[test]
    fn a_file_lies_within_the_time_of_its_fonds() {
        let about = About { started: Some(date("1997")), ..district() };
        for (started, ended, within) in [
            ("2019", "2025-06-30", true),
            ("2025", "2026", true),
            ("2025-07-01", "2026", false),
            ("1990", "1996-12-31", false),
            ("1990", "1997-01-01", true),
        ] {
            let file =
                file::About { started: started.parse().ok(), ended: ended.parse().ok(), ..file::About::default() };
            assert_eq!(about.check_file(&file).is_none(), within, "{started} {ended}");
            assert_eq!(of("UBND-SM").check_file(&file), None);
        }
    }

    #[test]
    fn nothing_is_merged_into_a_successors_fonds() {
        let agencies = sample();
        for (from, to, may) in [
            ("UBND-DM", "UBND-SM", Err(Refusal::NeverMerged)),
            ("UBND-BC", "UBND-SM", Err(Refusal::NeverMerged)),
            // What was filed in the wrong place goes home.
            ("UBND-SM", "UBND-DM", Ok(())),
            ("UBND-LH", "SNV-LH", Ok(())),
        ] {
            assert_eq!(of(from).may_move_to(&of(to), &agencies), may, "{from} {to}");
        }
        let later = changed("UBND-LH", |agency| agency.predecessors.push(code("UBND-SM")));
        assert_eq!(of("UBND-DM").may_move_to(&of("UBND-LH"), &later), Err(Refusal::NeverMerged), "through generations");
        let all = [of("UBND-SM"), district()];
        assert_eq!(home(&all, &code("UBND-DM")).unwrap().code, "UBND-DM");
        assert!(home(&all, &code("UBND-BC")).is_none());
    }

    #[test]
    fn who_manages_a_fonds() {
        let agencies = sample();
        let on =
            |about: &About, on| about.custodian_at(&agencies, date(on), Share::Permanent).map(|found| found.agency);
        assert_eq!(on(&district(), "2024"), Some(code("UBND-DM")));
        assert_eq!(on(&district(), "2026"), Some(code("LTLS-LH")));
        let keeping = Keeping { agency: code("SNV-LH"), from: date("2026-02-01"), source: None };
        let handed = About { custodians: vec![keeping], ..district() };
        assert_eq!(on(&handed, "2026-01-31"), Some(code("LTLS-LH")));
        assert_eq!(on(&handed, "2026-02-01"), Some(code("SNV-LH")));
    }
}

//! Which agencies are there, under which name, at which level, when? Dated data, no I/O.
//!
//! ```text
//! Register (register.v1, a kept document) ─► Agencies::new ─► name_at  custodian_at  successors_of  all_names  check
//! ```
//!
//! # Why
//! - One code has one row for each of its names: a renamed agency stays the same agency, and a record shows the name
//!   that was on its letterhead.
//! - Creator, successor and custodian are three things. The successor goes on with the work; the custodian manages the
//!   records; neither becomes the creator ([`custody`], TT 06/2025/TT-BNV art. 40.2).
//! - Levels are data with their law: three until 30/6/2025, two from 1/7/2025 ([`levels`]).
//! - A closed code stays valid inside the codes of old files for ever (QĐ 20/2020/QĐ-TTg, QĐ 09/2025/QĐ-TTg): rows are
//!   ended, never taken out.
//! - The register is a unit like any other: kept, salted, replaced by a newer one that names it. What is imported is a
//!   [`Draft`], which has neither identifier nor salt.
//! - Refused: one row with a list of names (dates of level, parent and source differ from name to name), and guessing
//!   an agency from a name that only looks alike.

pub mod check;
pub mod custody;
pub mod lineage;

use crate::record::{
    agencies::custody::Assignment,
    date::PartialDate,
    digest::Digest,
    document::{Document, Salt},
    id::RegisterId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The code of an agency in this archive: 1 to 35 letters, digits, `.`, `-` and `_` (QĐ 20/2020/QĐ-TTg: at most 35).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgencyCode(String);

/// Not a code in that form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the code of an agency is 1 to 35 letters, digits, `.`, `-` and `_`, and begins with a letter or digit")]
pub struct NotAnAgencyCode;

impl AgencyCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AgencyCode {
    type Error = NotAnAgencyCode;
    fn try_from(text: String) -> Result<AgencyCode, NotAnAgencyCode> {
        let formed = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if formed && begins && text.len() <= 35 { Ok(AgencyCode(text)) } else { Err(NotAnAgencyCode) }
    }
}

impl std::str::FromStr for AgencyCode {
    type Err = NotAnAgencyCode;
    fn from_str(text: &str) -> Result<AgencyCode, NotAnAgencyCode> {
        text.to_owned().try_into()
    }
}

impl From<AgencyCode> for String {
    fn from(code: AgencyCode) -> String {
        code.0
    }
}

impl fmt::Display for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A level (cấp) of agencies, and when there was one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    pub code: String,
    pub vi: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PartialDate>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<PartialDate>,
    /// The law.
    pub source: String,
}

/// One agency under one name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    pub code: AgencyCode,
    pub name: String,
    /// The code of a [`Level`].
    pub level: String,
    /// Mã định danh điện tử (QĐ 20/2020/QĐ-TTg, `H49.64.33`), where the agency has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<AgencyCode>,
    /// Cơ quan cấp trên.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<AgencyCode>,
    /// The first day under this name; absent where it is older than anybody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PartialDate>,
    /// The last day under this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<PartialDate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predecessors: Vec<AgencyCode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successors: Vec<AgencyCode>,
    /// Is this a historical archive (lưu trữ lịch sử)?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub historical_archive: bool,
    /// What set it up, renamed or ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Agency {
    /// First and last day under this name, as day numbers.
    pub fn span(&self) -> (u32, u32) {
        span(self.from, self.until)
    }
}

/// First and last day of what may have no beginning and no end.
fn span(from: Option<PartialDate>, until: Option<PartialDate>) -> (u32, u32) {
    (from.map_or(0, |date| date.span().0), until.map_or(u32::MAX, |date| date.span().1))
}

/// The register of agencies (danh bạ cơ quan): schema `register.v1`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    pub schema: String,
    pub register: RegisterId,
    /// The description that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    pub salt: Salt,
    pub levels: Vec<Level>,
    pub agencies: Vec<Agency>,
    /// Who was told to manage whose records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custody: Vec<Assignment>,
}

impl Document for Register {
    const SCHEMA: &'static str = "register.v1";
    fn schema(&self) -> &str {
        &self.schema
    }
}

/// A register as it is imported: what it says, and not yet which one it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    #[serde(default = "levels")]
    pub levels: Vec<Level>,
    pub agencies: Vec<Agency>,
    #[serde(default)]
    pub custody: Vec<Assignment>,
}

impl Draft {
    /// Nothing but the levels, and nobody at them: that of an archive which has told no register yet.
    pub fn empty() -> Draft {
        Draft { levels: levels(), agencies: Vec::new(), custody: Vec::new() }
    }

    /// What a document says, whether or not it says which register it is.
    pub fn read(text: &str) -> Result<Draft, serde_json::Error> {
        let mut value: serde_json::Value = serde_json::from_str(text)?;
        if let Some(members) = value.as_object_mut() {
            ["schema", "register", "replaces", "salt"].iter().for_each(|name| drop(members.remove(*name)));
        }
        serde_json::from_value(value)
    }

    /// The register that says so.
    pub fn register(self, register: RegisterId, salt: Salt) -> Register {
        let Draft { levels, agencies, custody } = self;
        Register { schema: Register::SCHEMA.into(), register, replaces: None, salt, levels, agencies, custody }
    }
}

impl From<&Register> for Draft {
    fn from(register: &Register) -> Draft {
        let Register { levels, agencies, custody, .. } = register.clone();
        Draft { levels, agencies, custody }
    }
}

/// The levels of local government: three until 30/6/2025, two from 1/7/2025.
pub fn levels() -> Vec<Level> {
    let date = |text: &str| text.parse().ok();
    let level = |code: &str, vi: &str, until, source: &str| {
        let (code, vi, source) = (code.into(), vi.into(), source.into());
        Level { code, vi, from: None, until, source }
    };
    let two = "Luật Tổ chức chính quyền địa phương 72/2025/QH15";
    vec![
        level("province", "cấp tỉnh", None, two),
        level("district", "cấp huyện", date("2025-06-30"), "Nghị quyết 203/2025/QH15"),
        level("commune", "cấp xã", None, two),
    ]
}

/// A register that is ready to be asked.
#[derive(Debug)]
pub struct Agencies {
    register: Draft,
    /// The rows of a code, in the order of their first days.
    rows: BTreeMap<AgencyCode, Vec<usize>>,
    before: BTreeMap<AgencyCode, BTreeSet<AgencyCode>>,
    after: BTreeMap<AgencyCode, BTreeSet<AgencyCode>>,
}

impl Agencies {
    /// A relation may be told at either end, or at both.
    pub fn new(register: Draft) -> Agencies {
        let mut rows: BTreeMap<AgencyCode, Vec<usize>> = BTreeMap::new();
        let (mut before, mut after): (BTreeMap<_, BTreeSet<_>>, BTreeMap<_, BTreeSet<_>>) = Default::default();
        let mut relate = |old: &AgencyCode, new: &AgencyCode| {
            before.entry(new.clone()).or_default().insert(old.clone());
            after.entry(old.clone()).or_default().insert(new.clone());
        };
        for (n, agency) in register.agencies.iter().enumerate() {
            rows.entry(agency.code.clone()).or_default().push(n);
            agency.predecessors.iter().for_each(|old| relate(old, &agency.code));
            agency.successors.iter().for_each(|new| relate(&agency.code, new));
        }
        for rows in rows.values_mut() {
            rows.sort_by_key(|n| register.agencies.get(*n).map(Agency::span));
        }
        Agencies { register, rows, before, after }
    }

    pub fn register(&self) -> &Draft {
        &self.register
    }

    /// The names that a code had, the oldest first.
    pub fn rows(&self, code: &AgencyCode) -> impl DoubleEndedIterator<Item = &Agency> {
        let rows = self.rows.get(code).map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter_map(|n| self.register.agencies.get(*n))
    }

    /// The agency as it was at a date; where the date is no exact day, as it was last in that time.
    pub fn at(&self, code: &AgencyCode, on: PartialDate) -> Option<&Agency> {
        let (first, last) = on.span();
        self.rows(code).rfind(|agency| agency.span().0 <= last && agency.span().1 >= first)
    }

    /// The name at a date: a record keeps the agency as it was at its date.
    pub fn name_at(&self, code: &AgencyCode, on: PartialDate) -> Option<&str> {
        self.at(code, on).map(|agency| agency.name.as_str())
    }

    /// The last day of an ended agency; `None` of one that lives, or that nobody knows.
    pub fn last_day(&self, code: &AgencyCode) -> Option<u32> {
        let last = self.rows(code).map(|agency| agency.span().1).max()?;
        (last != u32::MAX).then_some(last)
    }

    /// The level at a date, as a row of the register.
    pub fn level(&self, code: &str) -> Option<&Level> {
        self.register.levels.iter().find(|level| level.code == code)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::document::assert_one_spelling;

    pub fn code(text: &str) -> AgencyCode {
        text.parse().unwrap()
    }

    pub fn date(text: &str) -> PartialDate {
        text.parse().unwrap()
    }

    /// The sample archive's own register: a province, a district that ended with its office, two communes that became
    /// a third.
    pub fn sample() -> Agencies {
        Agencies::new(Draft::read(include_str!("../../../deploy/sample/agencies.json")).unwrap())
    }

    /// The same with one agency changed.
    pub fn changed(which: &str, change: impl FnOnce(&mut Agency)) -> Agencies {
        let mut register = sample().register;
        change(register.agencies.iter_mut().find(|agency| agency.code.as_str() == which).unwrap());
        Agencies::new(register)
    }

    #[test]
    fn codes_of_agencies() {
        for right in ["H49.64.33", "UBND-LH", "000.00.18.H40", "A", &"x".repeat(35)] {
            assert!(right.parse::<AgencyCode>().is_ok(), "{right}");
        }
        for wrong in ["", ".H49", "H49 64", "UBND/LH", "Đ01", &"x".repeat(36)] {
            assert_eq!(wrong.parse::<AgencyCode>(), Err(NotAnAgencyCode), "{wrong}");
        }
    }

    #[test]
    fn the_register_has_one_spelling() {
        let register = sample().register.register(RegisterId::new(0, [1; 10]), Salt::new([2; 32]));
        assert_one_spelling(&register);
        assert_eq!(Draft::from(&register), sample().register);
    }

    /// Three levels until 30/6/2025, two from 1/7/2025 (NQ 203/2025/QH15).
    #[test]
    fn levels_are_dated() {
        for (on, there) in [("2025-06-30", 3), ("2025-07-01", 2), ("1990", 3), ("2026", 2)] {
            let (first, last) = date(on).span();
            let levels = levels();
            let there_then = levels.iter().filter(|level| {
                let (from, until) = span(level.from, level.until);
                from <= last && until >= first
            });
            assert_eq!(there_then.count(), there, "{on}");
        }
        assert_eq!(sample().register.levels, levels());
        assert_eq!(sample().level("district").map(|level| level.vi.as_str()), Some("cấp huyện"));
    }

    #[test]
    fn an_agency_has_the_name_that_it_had_then() {
        let renamed = {
            let mut register = sample().register;
            let old = register.agencies.iter_mut().find(|agency| agency.code.as_str() == "SNV-LH").unwrap();
            let new = Agency { from: Some(date("2025-03-01")), ..old.clone() };
            (old.name, old.until) = ("Ban Tổ chức chính quyền tỉnh Lam Hải".into(), Some(date("2025-02-28")));
            register.agencies.insert(0, new);
            Agencies::new(register)
        };
        for (agency, on, name) in [
            ("SNV-LH", "2019-05-01", Some("Ban Tổ chức chính quyền tỉnh Lam Hải")),
            ("SNV-LH", "2025-02-28", Some("Ban Tổ chức chính quyền tỉnh Lam Hải")),
            ("SNV-LH", "2025-03-01", Some("Sở Nội vụ tỉnh Lam Hải")),
            ("SNV-LH", "2025", Some("Sở Nội vụ tỉnh Lam Hải")),
            ("UBND-DM", "2025-06-30", Some("Ủy ban nhân dân huyện Đồng Mơ")),
            ("UBND-DM", "2025", Some("Ủy ban nhân dân huyện Đồng Mơ")),
            ("UBND-DM", "2025-07-01", None),
            ("UBND-SM", "2025-06", None),
            ("UBND-SM", "2025-07", Some("Ủy ban nhân dân xã Sông Mơ")),
            ("NOBODY", "2025", None),
        ] {
            assert_eq!(renamed.name_at(&code(agency), date(on)), name, "{agency} {on}");
        }
        for (agency, last) in [("UBND-DM", Some(20250630)), ("UBND-SM", None), ("SNV-LH", None), ("NOBODY", None)] {
            assert_eq!(renamed.last_day(&code(agency)), last, "{agency}");
        }
    }
}

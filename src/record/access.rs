//! Who may read: the access level of a record (mức độ tiếp cận) against the person who asks.
//!
//! Law 33/2024/QH15 art. 24–26 and TT 05/2025 code list `mode`: 01 public, 02 conditional, 03 secret.
//!
//! # Why
//! The rule is one pure function, [`Reader::may_read`]. The index turns the same three cases into a
//! clause of the query ([`Reader::view`]); a table test holds the two to each other.

use crate::record::{codes, text};
use serde::{Deserialize, Serialize};

/// Access level (mức độ tiếp cận). Conditional unless somebody decided otherwise, never public by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Công khai.
    Public,
    /// Có điều kiện.
    #[default]
    Conditional,
    /// Mật: not for systems connected to the Internet; fenced here to those named for it.
    Secret,
}

impl Access {
    pub fn as_str(&self) -> &'static str {
        match self {
            Access::Public => "public",
            Access::Conditional => "conditional",
            Access::Secret => "secret",
        }
    }

    /// Reads our words, the circular's codes and its names, `cong khai` included; `None` for anything else.
    ///
    /// The higher secrecy marks are no access levels, but who types one here means at least secret.
    pub fn read(typed: &str) -> Option<Access> {
        let folded = text::fold(&text::line(typed));
        match codes::lookup(&codes::ACCESS, typed).unwrap_or(&folded) {
            "01" | "public" => Some(Access::Public),
            "02" | "conditional" => Some(Access::Conditional),
            "03" | "secret" | "toi mat" | "tuyet mat" => Some(Access::Secret),
            _ => None,
        }
    }
}

/// The person who asks, as far as the rule of access needs to know them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reader {
    /// Anybody: public records only.
    Anyone,
    /// An official: public records, and conditional ones of their own agency.
    Official { agency: String },
    /// An archivist or auditor of the archive: everything that is not secret.
    Archivist,
    /// Named for secret records too.
    Cleared,
}

/// What a reader may see, in the terms a query can filter by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum View {
    /// These levels, whatever the agency.
    Levels(&'static [Access]),
    /// Public records, and conditional ones whose agency or custodian has this key ([`agency_key`]).
    PublicOrAgency(String),
}

impl Reader {
    /// May this reader see a record of this level, made by this agency and now held by this custodian?
    pub fn may_read(&self, level: Access, agency: Option<&str>, custodian: Option<&str>) -> bool {
        match (self.view(), level) {
            (View::Levels(levels), _) => levels.contains(&level),
            (View::PublicOrAgency(_), Access::Public) => true,
            (View::PublicOrAgency(mine), Access::Conditional) => {
                [agency, custodian].into_iter().flatten().any(|theirs| agency_key(theirs) == mine)
            }
            (View::PublicOrAgency(_), Access::Secret) => false,
        }
    }

    /// The same rule as a filter.
    pub fn view(&self) -> View {
        match self {
            Reader::Anyone => View::Levels(&[Access::Public]),
            Reader::Official { agency } => View::PublicOrAgency(agency_key(agency)),
            Reader::Archivist => View::Levels(&[Access::Public, Access::Conditional]),
            Reader::Cleared => View::Levels(&[Access::Public, Access::Conditional, Access::Secret]),
        }
    }
}

/// One key for an agency's name however its case, spaces and tone marks were typed.
///
/// Diacritics are kept: two agencies may differ in nothing else, and a right must not leak between them.
pub fn agency_key(name: &str) -> String {
    crate::record::text::line(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_as_people_write_them() {
        for (typed, level) in [
            ("public", Some(Access::Public)),
            ("CÔNG KHAI", Some(Access::Public)),
            ("cong khai", Some(Access::Public)),
            (" 02 ", Some(Access::Conditional)),
            ("Có điều kiện", Some(Access::Conditional)),
            ("mật", Some(Access::Secret)),
            ("Tuyệt mật", Some(Access::Secret)),
            ("03", Some(Access::Secret)),
            ("không mật", None),
            ("", None),
            ("4", None),
        ] {
            assert_eq!(Access::read(typed), level, "{typed}");
        }
    }

    #[test]
    fn who_may_read_what() {
        let own = Reader::Official { agency: "Sở  NỘI VỤ".into() };
        let (a, b) = (Some("Sở Nội vụ"), Some("Sở Tài chính"));
        for (reader, level, agency, custodian, may) in [
            (&Reader::Anyone, Access::Public, a, None, true),
            (&Reader::Anyone, Access::Conditional, a, None, false),
            (&Reader::Anyone, Access::Secret, a, None, false),
            (&own, Access::Public, b, None, true),
            (&own, Access::Conditional, a, None, true),
            (&own, Access::Conditional, b, a, true),
            (&own, Access::Conditional, b, None, false),
            (&own, Access::Conditional, None, None, false),
            (&own, Access::Secret, a, a, false),
            (&Reader::Archivist, Access::Conditional, b, None, true),
            (&Reader::Archivist, Access::Secret, b, None, false),
            (&Reader::Cleared, Access::Secret, b, None, true),
        ] {
            assert_eq!(reader.may_read(level, agency, custodian), may, "{reader:?} {level:?} {agency:?} {custodian:?}");
        }
    }
}

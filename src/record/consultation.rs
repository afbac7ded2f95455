//! A consultation (lượt khai thác): somebody was shown a record that is not for everybody, or took a component of it.
//!
//! # Why
//! Who may read is decided from moment to moment; who did read must be told afterwards (NĐ 113/2025/NĐ-CP art. 22: the
//! history of use). The day's consultations are sealed as a record of their own, one for each access level: what is said
//! of secret records is for those who may see them.

use crate::record::{
    access::Access,
    digest::Digest,
    entry::Instant,
    id::{ActorId, RecordId},
    metadata::Metadata,
    package::{Package, Source},
};
use serde::{Deserialize, Serialize};

/// Lines of one component.
const LINES_MAX: usize = 20_000;
/// What the same actor does again within so many microseconds is the same consultation: a reader of PDF asks for a file
/// in many parts.
pub const SAME_MICROS: i64 = 600_000_000;

/// One consultation: a line of the day's log, RFC 8785. It names nobody and nothing but by identifiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consultation {
    /// When; for what the same actor did again shortly after, when it began.
    pub at: Instant,
    pub by: ActorId,
    pub record: RecordId,
    /// The component that was taken; none where the description, or the text on a page, was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<u32>,
    /// The access level that the record had then.
    pub access: Access,
}

impl Consultation {
    /// Public records are for everybody: nobody notes who reads them.
    pub fn is_noted(access: Access) -> bool {
        access != Access::Public
    }
}

/// The consultations of one day and one access level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// `2026-11-26`, in Vietnam.
    pub day: String,
    pub access: Access,
    pub consultations: Vec<Consultation>,
}

impl Day {
    /// What is handed over to be kept: packages of [`LINES_MAX`] lines at most, in the order in which they were noted.
    /// The same lines are the same packages, however often they are handed over.
    pub fn packages(&self) -> Result<Vec<Package>, serde_json::Error> {
        self.consultations.chunks(LINES_MAX).map(|some| self.package(some)).collect()
    }

    fn package(&self, some: &[Consultation]) -> Result<Package, serde_json::Error> {
        let lines: Result<Vec<String>, _> = some.iter().map(serde_json_canonicalizer::to_string).collect();
        let (text, day) = (lines?.join("\n") + "\n", &self.day);
        let (year, month, date) = (day.get(..4), day.get(5..7), day.get(8..));
        let shown = [date, month, year].map(Option::unwrap_or_default).join("/");
        let metadata = Metadata {
            subject: format!("Nhật ký khai thác tài liệu ngày {shown}"),
            issued: day.parse().ok(),
            access: self.access,
            ..Metadata::default()
        };
        let identity = Digest::of(format!("{day} {} {}", self.access.as_str(), Digest::of(text.as_bytes())).as_bytes());
        Ok(Package { row: 1, identity, metadata, components: vec![Source::Text { text }], findings: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_package_and_another_line_makes_another() {
        let one = |component| Consultation {
            at: "2026-11-26T03:04:05.000000Z".parse().unwrap(),
            by: ActorId::new(0, [2; 10]),
            record: RecordId::new(1_763_877_600_000, [1; 10]),
            component,
            access: Access::Secret,
        };
        let day = |consultations| Day { day: "2026-11-26".into(), access: Access::Secret, consultations };
        let two = day(vec![one(None), one(Some(3))]);
        let package = |day: &Day| day.packages().unwrap().remove(0);
        let [Source::Text { text }] = &package(&two).components[..] else { panic!("one text") };
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with(r#"{"access":"secret","at":"2026-11-26T03:04:05.000000Z","by":""#), "{lines:?}");
        assert!(!lines[0].contains("component") && lines[1].contains(r#""component":3"#), "{lines:?}");
        for (line, meant) in lines.iter().zip(&two.consultations) {
            assert_eq!(&serde_json::from_str::<Consultation>(line).unwrap(), meant);
        }
        let kept = package(&two);
        assert_eq!(kept.metadata.subject, "Nhật ký khai thác tài liệu ngày 26/11/2026");
        assert_eq!((kept.metadata.access, kept.metadata.issued.is_some()), (Access::Secret, true));
        assert_eq!(kept.identity, package(&two).identity);
        assert_ne!(kept.identity, package(&day(vec![one(None)])).identity);
        assert_eq!(day(vec![one(None); LINES_MAX + 1]).packages().unwrap().len(), 2);
        assert!(Consultation::is_noted(Access::Conditional) && !Consultation::is_noted(Access::Public));
    }
}

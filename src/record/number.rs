//! Number and notation of a document (số và ký hiệu), NĐ 30/2020 art. 8 and Annex I: `48/QĐ-UBND`.

use crate::record::{access::agency_key, metadata::Metadata, text};

/// A reference number taken apart: `48` and `QĐ-UBND`, or `162` and `2026/NĐ-CP`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    pub number: String,
    pub notation: String,
}

impl Reference {
    /// Splits what people write, `Số: 48 / QĐ - UBND` included; `None` where no number leads.
    pub fn read(typed: &str) -> Option<Reference> {
        let line = text::line(typed);
        let mut rest = line.as_str();
        for prefix in ["Số", "SỐ", "số", "So", "so"] {
            rest = rest.strip_prefix(prefix).unwrap_or(rest).trim_start_matches([':', ' ', '.']);
        }
        let compact: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
        let (number, notation) = compact.split_once('/')?;
        let digits = number.trim_end_matches(|c: char| c.is_alphabetic());
        let told = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && number.len() - digits.len() <= 4;
        (told && !notation.is_empty()).then(|| Reference { number: number.into(), notation: notation.into() })
    }
}

/// The key under which every spelling of one reference number meets: letters and digits, folded,
/// without leading zeros: `05/QĐ-UBND`, `5 qd ubnd` and `Số 05/QÐ-UBND` are all `5qdubnd`.
pub fn key(number: &str, notation: &str) -> String {
    let folded = text::fold(&format!("{number}{notation}"));
    let kept: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    kept.trim_start_matches('0').to_owned()
}

/// What makes two records look like one: the same number and notation, agency and year (NĐ 30/2020 art. 15 and
/// Annex VI ask for a warning). `None` where number, notation or year is unknown.
pub fn likeness(metadata: &Metadata) -> Option<String> {
    let number = key(metadata.number.as_deref()?, metadata.notation.as_deref()?);
    let agency = metadata.agency.as_deref().map(agency_key).unwrap_or_default();
    let year = metadata.issued?.year;
    Some(format!("{number}|{year}|{agency}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_registers_write_them() {
        for (typed, number, notation) in [
            ("48/QĐ-UBND", "48", "QĐ-UBND"),
            ("Số: 05/BNV-VP", "05", "BNV-VP"),
            ("162/2026/NĐ-CP", "162", "2026/NĐ-CP"),
            ("48 / QÐ - UBND", "48", "QĐ-UBND"),
            ("12a/TB-UBND", "12a", "TB-UBND"),
        ] {
            let read = Reference::read(typed).unwrap_or_else(|| panic!("{typed}"));
            assert_eq!((read.number.as_str(), read.notation.as_str()), (number, notation));
        }
        for typed in ["", "48", "QĐ-UBND", "/QĐ", "48/", "không số/QĐ"] {
            assert_eq!(Reference::read(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_spelling_meets_under_one_key() {
        for (number, notation) in [("05", "QĐ-UBND"), ("5", "qd ubnd"), ("5", "/QÐ-UBND"), ("5", "QĐUBND")] {
            assert_eq!(key(number, notation), "5qdubnd");
        }
    }

    #[test]
    fn alike_is_the_same_number_agency_and_year() {
        let record = |number: &str, agency: &str, issued: &str| Metadata {
            number: Some(number.into()),
            notation: Some("QĐ-UBND".into()),
            agency: Some(agency.into()),
            issued: issued.parse().ok(),
            ..Metadata::default()
        };
        let one = likeness(&record("05", "Sở Nội vụ", "2026-05-15"));
        for (number, agency, issued, alike) in [
            ("5", "SỞ nội vụ", "2026-06", true),
            ("5", "Sở Nội vụ", "2025-05-15", false),
            ("6", "Sở Nội vụ", "2026-05-15", false),
            ("5", "Sở Tài chính", "2026-05-15", false),
        ] {
            assert_eq!(likeness(&record(number, agency, issued)) == one, alike, "{number} {agency} {issued}");
        }
        assert_eq!(likeness(&Metadata { issued: None, ..record("5", "Sở Nội vụ", "2026") }), None);
    }
}

//! Number and notation of a document (số và ký hiệu), NĐ 30/2020 art. 8 and Annex I: `48/QĐ-UBND`.

use crate::record::text;

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
}

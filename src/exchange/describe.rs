//! From values as given to the fields of a record, with what is wrong beside them.

use crate::exchange::given::{Given, Values};
use crate::record::{
    access::Access,
    codes,
    date::PartialDate,
    fields,
    finding::{Code, Finding},
    metadata::Metadata,
    number::{self, Reference},
    text,
};

/// Fields of one line in which a bare number is as good as text: spreadsheets and scripts write `48`.
const MAY_BE_COUNTS: [&str; 5] = ["external_id", "code", "number", "file", "fonds"];

/// The fields of a record. What has the wrong form is left out or kept as given, and told.
pub fn metadata(values: &mut Values, row: u64, findings: &mut Vec<Finding>) -> Metadata {
    let unknown = std::mem::take(&mut values.unknown);
    findings.extend(unknown.iter().map(|key| Finding::new(Code::UnknownField, row, key)));
    let mut from = Fields { values, row, findings };
    let (kind, type_code) = from.kind();
    let (number, notation) = from.reference();
    let metadata = Metadata {
        subject: from.line("subject").unwrap_or_default(),
        external_id: from.line("external_id"),
        code: from.line("code"),
        number,
        notation,
        issued: from.date("issued"),
        agency: from.line("agency"),
        drafting_agency: from.line("drafting_agency"),
        custodian: from.line("custodian"),
        kind,
        type_code,
        field: from.line("field"),
        procedures: from.lines("procedures"),
        languages: from.languages(),
        pages: from.count("pages"),
        access: from.access(),
        fonds: from.line("fonds"),
        file: from.line("file"),
        file_ordinal: from.count("file_ordinal"),
        keywords: from.lines("keywords"),
        information_sign: from.line("information_sign"),
        origin: from.coded("origin", &codes::ORIGINS),
        annotations: from.text("annotations"),
        physical_condition: from.coded("physical_condition", &codes::CONDITIONS),
        has_workflow: from.flag("has_workflow"),
        retention_code: from.coded("retention_code", &codes::RETENTIONS),
        security_copy: from.flag("security_copy"),
        security_copy_status: from.coded("security_copy_status", &codes::SECURITY_COPIES),
        note: from.text("note"),
        validity: from.line("validity"),
        class: None,
        facts: Vec::new(),
        loose_reason: from.line("loose_reason"),
    };
    // A value that was there and could not be read is told once, not a second time as missing.
    let told: Vec<String> = findings.iter().filter_map(|f| f.field.clone()).collect();
    let again = |f: &Finding| f.code == Code::Missing && f.field.as_ref().is_some_and(|name| told.contains(name));
    findings.extend(fields::check(&metadata, row).into_iter().filter(|f| !again(f)));
    metadata
}

struct Fields<'a> {
    values: &'a mut Values,
    row: u64,
    findings: &'a mut Vec<Finding>,
}

impl Fields<'_> {
    fn tell(&mut self, code: Code, name: &str, detail: &str) {
        self.findings.push(Finding::new(code, self.row, name).with_detail(detail));
    }

    /// Text as given; anything else is told and left out.
    fn raw(&mut self, name: &'static str) -> Option<String> {
        match self.values.take(name) {
            Given::Nothing => None,
            Given::Text(text) => Some(text),
            Given::Count(count) if MAY_BE_COUNTS.contains(&name) => Some(count.to_string()),
            _ => {
                self.findings.push(Finding::new(Code::MalformedValue, self.row, name));
                None
            }
        }
    }

    fn line(&mut self, name: &'static str) -> Option<String> {
        self.raw(name).map(|text| text::line(&text)).filter(|line| !line.is_empty())
    }

    /// Text of several lines: NFC, with line feeds and tabs as its only control characters.
    fn text(&mut self, name: &'static str) -> Option<String> {
        let typed = text::nfc(&self.raw(name)?).replace("\r\n", "\n");
        let text = typed.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), " ");
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A list of lines, or one text whose parts are separated by semicolons.
    fn lines(&mut self, name: &'static str) -> Vec<String> {
        let typed = match self.values.take(name) {
            Given::Nothing => return Vec::new(),
            Given::Text(text) => text.split(';').map(str::to_owned).collect(),
            Given::List(list) => {
                let whole = list.len();
                let texts: Vec<String> = list.into_iter().filter_map(text_of).collect();
                if texts.len() < whole {
                    self.findings.push(Finding::new(Code::MalformedValue, self.row, name));
                }
                texts
            }
            _ => {
                self.findings.push(Finding::new(Code::MalformedValue, self.row, name));
                return Vec::new();
            }
        };
        typed.iter().map(|text| text::line(text)).filter(|line| !line.is_empty()).collect()
    }

    /// A date: in a sheet as people type it, from a program in the one spelling that sorts.
    fn date(&mut self, name: &'static str) -> Option<PartialDate> {
        let typed = match self.values.take(name) {
            Given::Nothing => return None,
            Given::Text(text) => text::line(&text),
            Given::Count(year) => year.to_string(),
            _ => {
                self.findings.push(Finding::new(Code::MalformedValue, self.row, name));
                return None;
            }
        };
        if typed.is_empty() {
            return None;
        }
        let read = if self.values.typed { PartialDate::read(&typed) } else { typed.parse() };
        read.map_err(|_| self.tell(Code::MalformedDate, name, &typed)).ok()
    }

    /// Number and notation, taken apart where they came as one. What cannot be taken apart stays as given.
    fn reference(&mut self) -> (Option<String>, Option<String>) {
        let (number, notation) = (self.line("number"), self.line("notation"));
        let Some(typed) = number else { return (None, notation) };
        if let Some(read) = Reference::read(&typed) {
            // Both columns may be there, the first holding the whole.
            let same = |given: &String| number::key("", given) == number::key("", &read.notation);
            if notation.as_ref().is_none_or(same) {
                return (Some(read.number), Some(read.notation));
            }
        }
        if !typed.starts_with(|c: char| c.is_ascii_digit()) || typed.contains('/') {
            self.tell(Code::MalformedNumber, "number", &typed);
        }
        (Some(typed), notation)
    }

    /// Name and code of the document's type; a code alone brings its name.
    fn kind(&mut self) -> (Option<String>, Option<String>) {
        let (typed, stated) = (self.line("type"), self.line("type_code"));
        let Some(typed) = typed.or_else(|| stated.clone()) else { return (None, None) };
        let code = codes::type_code(&typed);
        if stated.is_some_and(|stated| codes::type_code(&stated) != code) {
            self.findings.push(Finding::new(Code::MalformedValue, self.row, "type_code"));
        }
        let name = codes::name(&codes::TYPES, &typed).map(str::to_owned);
        (Some(name.unwrap_or(typed)), code.map(str::to_owned))
    }

    fn languages(&mut self) -> Vec<String> {
        let mut languages = Vec::new();
        for typed in self.lines("language") {
            let language = codes::language_code(&typed).map_or(typed, str::to_owned);
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        languages
    }

    /// A code of the list for its name or code; anything else stays as given, for `check` to tell.
    fn coded(&mut self, name: &'static str, list: &[codes::Code]) -> Option<String> {
        let typed = self.line(name)?;
        Some(codes::lookup(list, &typed).map_or(typed, str::to_owned))
    }

    /// A whole number from 1.
    fn count(&mut self, name: &'static str) -> Option<u32> {
        let count = match self.values.take(name) {
            Given::Nothing => return None,
            Given::Count(count) => u32::try_from(count).ok(),
            Given::Text(text) if text.trim().is_empty() => return None,
            Given::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        let count = count.filter(|count| *count > 0);
        if count.is_none() {
            self.findings.push(Finding::new(Code::MalformedValue, self.row, name));
        }
        count
    }

    /// Yes or no: `true` and `false`, the circular's 1 and 0, or the words people type.
    fn flag(&mut self, name: &'static str) -> Option<bool> {
        let flag = match self.values.take(name) {
            Given::Nothing => return None,
            Given::Flag(flag) => Some(flag),
            Given::Count(count) => codes::flag(&count.to_string()),
            Given::Text(text) if text.trim().is_empty() => return None,
            Given::Text(text) => codes::flag(&text),
            _ => None,
        };
        if flag.is_none() {
            self.findings.push(Finding::new(Code::MalformedValue, self.row, name));
        }
        flag
    }

    /// Conditional unless a known word says otherwise: a word nobody knows must not make a record public.
    fn access(&mut self) -> Access {
        let Some(typed) = self.line("access") else { return Access::default() };
        Access::read(&typed).unwrap_or_else(|| {
            self.tell(Code::OutsideCodeList, "access", &typed);
            Access::default()
        })
    }
}

/// Text, or a bare number of a code list.
fn text_of(given: Given) -> Option<String> {
    match given {
        Given::Text(text) => Some(text),
        Given::Count(count) => Some(count.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::given::from_json;
    use serde_json::{Value, json};

    /// What a row says, and its findings as `code field`. `whole` rows only tell what `extra` caused.
    fn read(extra: Value) -> (Value, Vec<String>) {
        read_as(false, extra)
    }

    fn read_as(typed: bool, extra: Value) -> (Value, Vec<String>) {
        let mut row =
            json!({"subject": "s", "type": "02", "issued": 2026, "agency": "a", "language": "vi", "pages": 1});
        row.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let mut findings = Vec::new();
        let mut values = Values { typed, ..from_json(&row.to_string()).unwrap() };
        let metadata = metadata(&mut values, 1, &mut findings);
        let told = findings.iter().map(|f| format!("{} {}", f.code.as_str(), f.field.as_deref().unwrap())).collect();
        (serde_json::to_value(metadata).unwrap(), told)
    }

    #[test]
    fn values_as_people_give_them() {
        for (given, field, expected) in [
            (json!({"subject": " a\u{0}\n b "}), "subject", json!("a b")),
            (json!({"type": "02"}), "type", json!("Quyết định")),
            (json!({"type": "QUYẾT ĐỊNH"}), "type", json!("QUYẾT ĐỊNH")),
            (json!({"type": "QUYẾT ĐỊNH"}), "type_code", json!("02")),
            (json!({"type": null, "type_code": "02"}), "type", json!("Quyết định")),
            (json!({"issued": " 2026-05-15 "}), "issued", json!("2026-05-15")),
            (json!({"issued": "2026-05"}), "issued", json!("2026-05")),
            (json!({"issued": 2026}), "issued", json!("2026")),
            (json!({"number": "48/QÐ-UBND"}), "notation", json!("QĐ-UBND")),
            (json!({"number": "48/QĐ-UBND", "notation": "qđ - ubnd"}), "notation", json!("QĐ-UBND")),
            (json!({"number": 48, "notation": "QĐ-UBND"}), "number", json!("48")),
            (json!({"number": "12a"}), "number", json!("12a")),
            (json!({"language": "vi;en; ;vi"}), "languages", json!(["01", "02"])),
            (json!({"pages": "12"}), "pages", json!(12)),
            (json!({"keywords": ["a ", "", "b"]}), "keywords", json!(["a", "b"])),
            (json!({"keywords": " a; b"}), "keywords", json!(["a", "b"])),
            (json!({"access": "CÔNG KHAI"}), "access", json!("public")),
            (json!({"access": ""}), "access", json!("conditional")),
            (json!({"origin": "số hóa", "retention_code": "70 năm"}), "origin", json!("02")),
            (json!({"file_ordinal": "7"}), "file_ordinal", json!(7)),
            (json!({"has_workflow": true}), "has_workflow", json!(true)),
            (json!({"has_workflow": 0}), "has_workflow", json!(false)),
            (json!({"security_copy": "Không"}), "security_copy", json!(false)),
            (json!({"security_copy": "có", "security_copy_status": "chưa"}), "security_copy_status", json!("02")),
            (json!({"security_copy": " "}), "security_copy", json!(null)),
            (json!({"note": " a\r\nb\u{0}\u{7}c "}), "note", json!("a\nb  c")),
            (json!({"note": "", "validity": "  "}), "note", json!(null)),
        ] {
            let (metadata, told) = read(given.clone());
            assert_eq!((metadata[field].clone(), told), (expected, vec![]), "{given}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_and_kept_or_left_out() {
        for (given, told, field, expected) in [
            (json!({"subject": 5}), vec!["malformed_value subject", "no_subject subject"], "subject", json!("")),
            (json!({"keywords": {}}), vec!["malformed_value keywords"], "keywords", json!(null)),
            (json!({"keywords": ["a", {}, true]}), vec!["malformed_value keywords"], "keywords", json!(["a"])),
            (json!({"agency": ["a"]}), vec!["malformed_value agency"], "agency", json!(null)),
            (json!({"pages": "mười"}), vec!["malformed_value pages"], "pages", json!(null)),
            (json!({"pages": -1}), vec!["malformed_value pages"], "pages", json!(null)),
            (json!({"pages": 5_000_000_000_u64}), vec!["malformed_value pages"], "pages", json!(null)),
            (json!({"issued": "15/05/2026"}), vec!["malformed_date issued"], "issued", json!(null)),
            (json!({"issued": "2026-02-31"}), vec!["malformed_date issued"], "issued", json!(null)),
            (json!({"number": "không số"}), vec!["malformed_number number"], "number", json!("không số")),
            (json!({"number": "4/A", "notation": "B"}), vec!["malformed_number number"], "notation", json!("B")),
            (json!({"type": "Nghị định"}), vec!["outside_code_list type"], "type_code", json!(null)),
            (json!({"type": "03", "type_code": "02"}), vec!["malformed_value type_code"], "type_code", json!("03")),
            (json!({"language": "ja"}), vec!["outside_code_list language"], "languages", json!(["ja"])),
            (json!({"access": "nội bộ"}), vec!["outside_code_list access"], "access", json!("conditional")),
            (json!({"access": true}), vec!["malformed_value access"], "access", json!("conditional")),
            (json!({"access": "mật"}), vec!["secret_access access"], "access", json!("secret")),
            (json!({"origin": "tốt"}), vec!["outside_code_list origin"], "origin", json!("tốt")),
            (json!({"file_ordinal": 0}), vec!["malformed_value file_ordinal"], "file_ordinal", json!(null)),
            (json!({"has_workflow": 2}), vec!["malformed_value has_workflow"], "has_workflow", json!(null)),
            (
                json!({"has_workflow": "quy trình.pdf"}),
                vec!["malformed_value has_workflow"],
                "has_workflow",
                json!(null),
            ),
            (json!({"security_copy": true}), vec!["missing security_copy_status"], "security_copy", json!(true)),
            (
                json!({"security_copy_status": "03"}),
                vec!["outside_code_list security_copy_status"],
                "security_copy_status",
                json!("03"),
            ),
            (json!({"Note": 1}), vec!["unknown_field Note"], "note", json!(null)),
            (json!({"pages": null}), vec!["missing pages"], "pages", json!(null)),
        ] {
            let (metadata, found) = read(given.clone());
            assert_eq!(
                (found, metadata[field].clone()),
                (told.iter().map(|s| s.to_string()).collect(), expected),
                "{given}"
            );
        }
    }

    #[test]
    fn dates_as_people_type_them_are_for_sheets() {
        for (given, stored) in [
            ("15/5/2026", "2026-05-15"),
            ("15-05-2026", "2026-05-15"),
            ("15.05.2026", "2026-05-15"),
            ("05/2026", "2026-05"),
            ("2026/5/15", "2026-05-15"),
            ("2026-5-15", "2026-05-15"),
        ] {
            let extra = json!({"issued": given});
            assert_eq!(read_as(true, extra.clone()).0["issued"], stored, "{given}");
            let (metadata, told) = read_as(false, extra);
            assert_eq!(
                (&metadata["issued"], told),
                (&json!(null), vec!["malformed_date issued".to_owned()]),
                "{given}"
            );
        }
        for given in ["31/02/2026", "tháng 5 năm 2026", "26"] {
            let (metadata, told) = read_as(true, json!({"issued": given}));
            assert_eq!(
                (&metadata["issued"], told),
                (&json!(null), vec!["malformed_date issued".to_owned()]),
                "{given}"
            );
        }
    }

    #[test]
    fn every_field_of_the_table_is_read() {
        for field in &fields::FIELDS {
            let value = match field.shape {
                fields::Shape::Date => json!("2026"),
                fields::Shape::Count => json!(7),
                fields::Shape::Flag => json!(false),
                fields::Shape::Level => json!("public"),
                fields::Shape::Lines => json!(["01"]),
                _ => json!("01"),
            };
            let given = if field.name == "type_code" {
                json!({"type": null, "type_code": value})
            } else {
                json!({field.name: value})
            };
            let (metadata, _) = read(given);
            assert!(!metadata[field.key].is_null() && metadata[field.key] != "conditional", "{}", field.name);
        }
    }
}

//! How long a class lives (thời hạn lưu trữ).
//!
//! Law 33/2024/QH15 art. 15 knows two kinds: permanent, and a number of years from 2 to 70. Schedules from before
//! 01/7/2025 also let a document live until it ceases to be in force, or as long as a construction or a piece of
//! equipment; [`crate::record::retention::check`] says where they may still.

use crate::record::{
    codes,
    retention::trigger::{EventCode, Trigger},
    text,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const YEARS_MAX: u16 = 999;

/// How long, in one spelling each: `permanent`, `years:15`, `while_in_force`, `life_of_work`, `life_of_equipment`,
/// `years_after:5:contract_ended`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Period {
    /// Vĩnh viễn.
    Permanent,
    /// So many years.
    Years(u16),
    /// Đến khi văn bản hết hiệu lực thi hành.
    WhileInForce,
    /// Theo tuổi thọ công trình.
    LifeOfWork,
    /// Theo tuổi thọ thiết bị.
    LifeOfEquipment,
    /// So many years after something happened.
    YearsAfter { years: u16, event: EventCode },
}

/// Not a period.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "thời hạn lưu trữ là \"Vĩnh viễn\", \"15 năm\", \"5 năm kể từ khi …\", \"Đến khi văn bản hết hiệu lực thi hành\", \
     \"Theo tuổi thọ công trình\" hoặc \"Theo tuổi thọ thiết bị\" / a period is permanent, a number of years, years after \
     an event, until the document ceases to be in force, or the life of the construction or of the equipment"
)]
pub struct NotAPeriod;

/// What packages write for a period (`maintenance`, TT 05/2025): a code, and beside it the real number of years, which
/// code 07 (khác) does not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Maintenance {
    pub code: &'static str,
    pub years: Option<u16>,
}

impl Period {
    /// What the years count from, and how many they are; `None` for what never ends. `trigger` is the class's own: it
    /// says from when [`Period::Years`] count, the other kinds say it themselves.
    pub fn counted(&self, trigger: Trigger) -> Option<(Trigger, u16)> {
        match self {
            Period::Permanent => None,
            Period::Years(years) => Some((trigger, *years)),
            Period::WhileInForce => Some((Trigger::DocumentCeased, 0)),
            Period::LifeOfWork => Some((Trigger::ConstructionEnded, 0)),
            Period::LifeOfEquipment => Some((Trigger::EquipmentEnded, 0)),
            Period::YearsAfter { years, event } => Some((Trigger::Event(*event), *years)),
        }
    }

    /// The trigger of a class with this period, where nobody names one: the year the work ended (art. 15).
    pub fn trigger(&self) -> Trigger {
        self.counted(Trigger::WorkEnded).map_or(Trigger::WorkEnded, |(trigger, _)| trigger)
    }

    /// The number of years, where the period is one.
    pub fn years(&self) -> Option<u16> {
        match self {
            Period::Years(years) | Period::YearsAfter { years, .. } => Some(*years),
            Period::Permanent | Period::WhileInForce | Period::LifeOfWork | Period::LifeOfEquipment => None,
        }
    }

    /// Code and years for packages. The code list names its periods, so the list itself is asked.
    pub fn maintenance(&self) -> Maintenance {
        let code = match self {
            Period::YearsAfter { .. } => None,
            other => codes::lookup(&codes::RETENTIONS, &other.vi()),
        };
        Maintenance { code: code.unwrap_or("07"), years: self.years() }
    }

    /// The period behind a code of a package; 07 needs the years beside it.
    pub fn of_maintenance(code: &str, years: Option<u16>) -> Option<Period> {
        let name = codes::name(&codes::RETENTIONS, code)?;
        let named = Period::read(name).ok().map(|(period, _)| period);
        named.or(years.filter(|years| (1..=YEARS_MAX).contains(years)).map(Period::Years))
    }

    /// Reads the words of a schedule, however they are cased, composed and spaced, or our own spelling. With "kể từ"
    /// comes what the years count from; "kể từ năm kết thúc công việc" is an ordinary number of years.
    pub fn read(typed: &str) -> Result<(Period, Option<Trigger>), NotAPeriod> {
        if let Ok(period) = typed.trim().parse() {
            return Ok((period, None));
        }
        let folded = text::fold(&text::line(typed));
        let words = folded.trim_end_matches(['.', ';', ',', '…']).trim();
        if let Some(period) = Period::named(words) {
            return Ok((period, None));
        }
        let digits = words.len() - words.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = words.split_at(digits);
        let years: u16 = number.parse().ok().filter(|years| (1..=YEARS_MAX).contains(years)).ok_or(NotAPeriod)?;
        let rest = rest.trim_start();
        let rest = ["nam", "years", "year"].iter().find_map(|unit| rest.strip_prefix(unit)).ok_or(NotAPeriod)?;
        if rest.is_empty() {
            return Ok((Period::Years(years), None));
        }
        // "5 nam trang" is no number of years: only what says from when may follow.
        let rest = rest.strip_prefix([' ', ',']).map(str::trim_start).ok_or(NotAPeriod)?;
        let rest = rest.trim_start_matches('(').trim_end_matches(')');
        let told = ["ke tu ", "tinh tu ", "sau ", "tu "].iter().any(|begin| rest.starts_with(begin));
        match Trigger::read(rest) {
            Ok(Trigger::Event(event)) if told => Ok((Period::YearsAfter { years, event }, None)),
            Ok(trigger) if told => Ok((Period::Years(years), Some(trigger))),
            _ => Err(NotAPeriod),
        }
    }

    fn named(words: &str) -> Option<Period> {
        let words = words.strip_prefix("theo ").unwrap_or(words);
        match words {
            "vinh vien" | "permanent" => Some(Period::Permanent),
            "tuoi tho cong trinh" | "tuoi tho cua cong trinh" => Some(Period::LifeOfWork),
            "tuoi tho thiet bi" | "tuoi tho cua thiet bi" => Some(Period::LifeOfEquipment),
            "den khi van ban het hieu luc thi hanh" | "den khi van ban het hieu luc" | "den khi het hieu luc" => {
                Some(Period::WhileInForce)
            }
            _ => None,
        }
    }

    /// In Vietnamese, as schedules write it.
    pub fn vi(&self) -> String {
        match self {
            Period::Permanent => "Vĩnh viễn".into(),
            Period::Years(years) => format!("{years} năm"),
            Period::WhileInForce => "Đến khi văn bản hết hiệu lực thi hành".into(),
            Period::LifeOfWork => "Theo tuổi thọ công trình".into(),
            Period::LifeOfEquipment => "Theo tuổi thọ thiết bị".into(),
            Period::YearsAfter { years, event } => format!("{years} năm kể từ khi {}", Trigger::Event(*event).vi()),
        }
    }

    /// In English.
    pub fn en(&self) -> String {
        let counted = |years: &u16| if *years == 1 { "1 year".to_owned() } else { format!("{years} years") };
        match self {
            Period::Permanent => "Permanent".into(),
            Period::Years(years) => counted(years),
            Period::WhileInForce => "Until the document ceases to be in force".into(),
            Period::LifeOfWork => "The life of the construction".into(),
            Period::LifeOfEquipment => "The life of the equipment".into(),
            Period::YearsAfter { years, event } => {
                format!("{} after {}", counted(years), Trigger::Event(*event).en())
            }
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::Permanent => f.write_str("permanent"),
            Period::Years(years) => write!(f, "years:{years}"),
            Period::WhileInForce => f.write_str("while_in_force"),
            Period::LifeOfWork => f.write_str("life_of_work"),
            Period::LifeOfEquipment => f.write_str("life_of_equipment"),
            Period::YearsAfter { years, event } => write!(f, "years_after:{years}:{event}"),
        }
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;
    /// The stored spelling only.
    fn from_str(text: &str) -> Result<Period, NotAPeriod> {
        let count =
            |text: &str| text.parse::<u16>().ok().filter(|years| (1..=YEARS_MAX).contains(years)).ok_or(NotAPeriod);
        let period = match text.split_once(':') {
            None => match text {
                "permanent" => Period::Permanent,
                "while_in_force" => Period::WhileInForce,
                "life_of_work" => Period::LifeOfWork,
                "life_of_equipment" => Period::LifeOfEquipment,
                _ => return Err(NotAPeriod),
            },
            Some(("years", years)) => Period::Years(count(years)?),
            Some(("years_after", rest)) => {
                let (years, event) = rest.split_once(':').ok_or(NotAPeriod)?;
                Period::YearsAfter { years: count(years)?, event: event.parse().map_err(|_| NotAPeriod)? }
            }
            Some(_) => return Err(NotAPeriod),
        };
        // `years:+5` and `years:05` are other spellings.
        if period.to_string() == text { Ok(period) } else { Err(NotAPeriod) }
    }
}

impl TryFrom<String> for Period {
    type Error = NotAPeriod;
    fn try_from(text: String) -> Result<Period, NotAPeriod> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn periods_as_schedules_write_them() {
        for (typed, period, trigger) in [
            ("Vĩnh viễn", "permanent", None),
            ("VĨNH  VIỄN", "permanent", None),
            ("15 năm", "years:15", None),
            ("05 năm", "years:5", None),
            ("70\u{a0}NĂM.", "years:70", None),
            ("10năm", "years:10", None),
            ("Theo tuổi thọ công trình", "life_of_work", None),
            ("tuổi thọ thiết bị", "life_of_equipment", None),
            ("Đến khi văn bản hết hiệu lực thi hành", "while_in_force", None),
            ("Đến khi văn bản hết hiệu lực", "while_in_force", None),
            ("5 năm sau khi chấm dứt Hợp đồng", "years_after:5:contract_ended", None),
            ("20 năm kể từ ngày phê duyệt quyết toán", "years_after:20:settlement_approved", None),
            ("20 năm (kể từ năm kết thúc công việc)", "years:20", Some("work_ended")),
            ("10 năm, kể từ ngày ban hành", "years:10", Some("document_issued")),
            ("20 năm kể từ ngày văn bản hết hiệu lực", "years:20", Some("document_ceased")),
            ("years:15", "years:15", None),
            ("15 years", "years:15", None),
        ] {
            let read = Period::read(typed).unwrap_or_else(|e| panic!("{typed}: {e}"));
            assert_eq!(
                (read.0.to_string().as_str(), read.1.map(|t| t.to_string()).as_deref()),
                (period, trigger),
                "{typed}"
            );
            assert_eq!(Period::read(&typed.nfd().collect::<String>()), Ok(read), "{typed}");
        }
        for wrong in [
            "",
            "năm",
            "0 năm",
            "1000 năm",
            "-5 năm",
            "7o năm",
            "lâu dài",
            "5 tháng",
            "5 năm trang",
            "15",
            "5 năm kể từ",
        ] {
            assert_eq!(Period::read(wrong), Err(NotAPeriod), "{wrong}");
        }
    }

    #[test]
    fn a_period_has_one_spelling() {
        for text in [
            "permanent",
            "years:1",
            "years:999",
            "while_in_force",
            "life_of_work",
            "life_of_equipment",
            "years_after:5:contract_ended",
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(serde_json::to_value(period).unwrap(), text);
            assert_eq!(Period::read(&period.vi()), Ok((period, None)), "{}", period.vi());
            assert_ne!(period.vi(), period.en());
        }
        for wrong in [
            "",
            "years",
            "years:",
            "years:0",
            "years:05",
            "years:+5",
            "years:1000",
            "years_after:5",
            "years_after:5:X",
            "Permanent",
        ] {
            assert_eq!(wrong.parse::<Period>(), Err(NotAPeriod), "{wrong}");
        }
    }

    /// TT 05/2025 lists 01 to 06; whatever else a schedule says is 07, with the years beside it.
    #[test]
    fn codes_for_packages_and_the_years_beside_them() {
        for (period, code, years) in [
            ("permanent", "01", None),
            ("years:70", "02", Some(70)),
            ("years:50", "03", Some(50)),
            ("years:30", "04", Some(30)),
            ("years:20", "05", Some(20)),
            ("years:10", "06", Some(10)),
            ("years:15", "07", Some(15)),
            ("years:5", "07", Some(5)),
            ("years:2", "07", Some(2)),
            ("while_in_force", "07", None),
            ("life_of_work", "07", None),
            ("years_after:20:contract_ended", "07", Some(20)),
        ] {
            let period: Period = period.parse().unwrap();
            assert_eq!(period.maintenance(), Maintenance { code, years }, "{period}");
            if matches!(period, Period::Permanent | Period::Years(_)) {
                assert_eq!(Period::of_maintenance(code, years), Some(period));
            }
        }
        for (code, years) in [("07", None), ("08", Some(5)), ("07", Some(0)), ("", None)] {
            assert_eq!(Period::of_maintenance(code, years), None, "{code} {years:?}");
        }
    }

    /// Law 33/2024 art. 15 counts from the year the work ended, where a schedule names nothing else.
    #[test]
    fn what_a_period_counts_from() {
        for (period, trigger, years) in [
            ("years:15", "document_issued", 15),
            ("while_in_force", "document_ceased", 0),
            ("life_of_work", "construction_ended", 0),
            ("life_of_equipment", "equipment_ended", 0),
            ("years_after:5:contract_ended", "event:contract_ended", 5),
        ] {
            let counted = period.parse::<Period>().unwrap().counted(Trigger::DocumentIssued).unwrap();
            assert_eq!((counted.0.to_string().as_str(), counted.1), (trigger, years), "{period}");
        }
        assert_eq!(Period::Permanent.counted(Trigger::WorkEnded), None);
        assert_eq!((Period::Years(5).trigger(), Period::Permanent.trigger()), (Trigger::WorkEnded, Trigger::WorkEnded));
    }
}

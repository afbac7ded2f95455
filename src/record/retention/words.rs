//! The words in which schedules tell what a period counts from, in Vietnamese and English.
//!
//! # Why
//! A schedule is typed by people from printed circulars: "5 năm sau khi chấm dứt Hợp đồng", "20 năm kể từ ngày phê duyệt
//! quyết toán". Words are compared without diacritics and without the little words before them. An event that the list
//! lacks gets a code from its own words: nothing is guessed, and nothing is due until somebody tells of that event.

use crate::record::{
    retention::trigger::{EventCode, Trigger},
    text,
};

/// Events that schedules name: code, Vietnamese, English, and other words for them without diacritics.
pub const EVENTS: [(&str, &str, &str, &[&str]); 6] = [
    (
        "contract_ended",
        "chấm dứt hợp đồng",
        "the contract ended",
        &["thanh ly hop dong", "ket thuc hop dong", "hop dong het hieu luc"],
    ),
    ("employment_ended", "nghỉ việc", "the employment ended", &["thoi viec", "cham dut hop dong lao dong"]),
    (
        "settlement_approved",
        "phê duyệt quyết toán",
        "the final settlement was approved",
        &["quyet toan duoc phe duyet"],
    ),
    ("handed_over", "bàn giao", "it was handed over", &["ban giao dua vao su dung"]),
    (
        "case_closed",
        "vụ việc được giải quyết xong",
        "the case was settled",
        &["giai quyet xong vu viec", "ket thuc vu viec"],
    ),
    ("replaced", "được thay thế", "it was replaced", &["co van ban thay the", "bi thay the"]),
];

/// A trigger with its words and other words for it without diacritics.
type Named = (Trigger, &'static str, &'static str, &'static [&'static str]);

const NAMED: [Named; 5] = [
    (
        Trigger::WorkEnded,
        "kết thúc công việc",
        "the work ended",
        &["cong viec ket thuc", "hoan thanh cong viec", "cong viec hoan thanh"],
    ),
    (
        Trigger::DocumentIssued,
        "ban hành văn bản",
        "the document was issued",
        &["ban hanh", "van ban duoc ban hanh", "ban hanh tai lieu"],
    ),
    (
        Trigger::DocumentCeased,
        "văn bản hết hiệu lực thi hành",
        "the document ceased to be in force",
        &["van ban het hieu luc", "het hieu luc thi hanh", "het hieu luc"],
    ),
    (Trigger::ConstructionEnded, "công trình hết tuổi thọ", "the construction ended", &["het tuoi tho cong trinh"]),
    (Trigger::EquipmentEnded, "thiết bị hết tuổi thọ", "the equipment ended", &["het tuoi tho thiet bi"]),
];

/// Little words before what is meant.
const BEFORE: [&str; 9] = ["ke", "tinh", "tu", "sau", "khi", "ngay", "nam", "luc", "thoi diem"];
/// How an event is told that has no words of its own but its code.
const EVENT: &str = "su kien ";

/// The trigger that these words mean; `None` where there are no words, or too many to make a code of.
pub fn trigger(typed: &str) -> Option<Trigger> {
    let folded = text::fold(&text::line(typed));
    let mut rest = folded.trim_end_matches(['.', ';', ',']).trim();
    loop {
        if let Some(code) = rest.strip_prefix(EVENT).and_then(|code| code.parse().ok()) {
            return Some(Trigger::Event(code));
        }
        let after = BEFORE.iter().find_map(|word| rest.strip_prefix(word)?.strip_prefix(' '));
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    if BEFORE.contains(&rest) {
        return None;
    }
    let named = NAMED.iter().find(|(_, vi, _, others)| text::fold(vi) == rest || others.contains(&rest));
    if let Some((trigger, ..)) = named {
        return Some(*trigger);
    }
    let event = EVENTS.iter().find(|(_, vi, _, others)| text::fold(vi) == rest || others.contains(&rest));
    let code = event.map_or_else(|| code_of(rest), |(code, ..)| code.parse().ok());
    code.map(Trigger::Event)
}

/// A code of the words themselves.
fn code_of(words: &str) -> Option<EventCode> {
    let parts: Vec<&str> =
        words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    parts.join("_").parse().ok()
}

/// Whether the list has this event.
pub fn is_known(code: &EventCode) -> bool {
    EVENTS.iter().any(|(known, ..)| *known == code.as_str())
}

/// A trigger in Vietnamese.
pub fn trigger_vi(trigger: &Trigger) -> String {
    words_of(trigger, |vi, _| vi, |code| format!("sự kiện {code}"))
}

/// A trigger in English.
pub fn trigger_en(trigger: &Trigger) -> String {
    words_of(trigger, |_, en| en, |code| format!("the event {code} happened"))
}

fn words_of(
    trigger: &Trigger,
    pick: fn(&'static str, &'static str) -> &'static str,
    unknown: fn(&EventCode) -> String,
) -> String {
    let known = match trigger {
        Trigger::Event(code) => {
            EVENTS.iter().find(|(known, ..)| *known == code.as_str()).map(|(_, vi, en, _)| pick(vi, en))
        }
        named => NAMED.iter().find(|(known, ..)| known == named).map(|(_, vi, en, _)| pick(vi, en)),
    };
    match (known, trigger) {
        (Some(words), _) => words.to_owned(),
        (None, Trigger::Event(code)) => unknown(code),
        (None, named) => named.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn words_as_schedules_have_them() {
        for (typed, read) in [
            ("kể từ năm kết thúc công việc", "work_ended"),
            ("Kết thúc công việc", "work_ended"),
            ("sau khi chấm dứt Hợp đồng", "event:contract_ended"),
            ("tính từ ngày thanh lý hợp đồng.", "event:contract_ended"),
            ("kể từ khi văn bản hết hiệu lực", "document_ceased"),
            ("ngày ban hành", "document_issued"),
            ("kể từ thời điểm phê duyệt quyết toán", "event:settlement_approved"),
            ("kể từ ngày cấp giấy phép", "event:cap_giay_phep"),
            ("sự kiện cap_giay_phep", "event:cap_giay_phep"),
        ] {
            assert_eq!(trigger(typed).map(|t| t.to_string()).as_deref(), Some(read), "{typed}");
            assert_eq!(trigger(&typed.nfd().collect::<String>()), trigger(typed), "{typed}");
        }
        let long = "kể từ khi cơ quan có thẩm quyền quyết định việc chuyển giao toàn bộ hồ sơ";
        for nothing in ["", "kể từ", "kể từ ngày ", "…", long] {
            assert_eq!(trigger(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn every_trigger_is_read_from_its_own_words() {
        let events = EVENTS.iter().map(|(code, ..)| Trigger::Event(code.parse().unwrap()));
        let unknown = ["cap_giay_phep", "nam", "ke"].map(|code| Trigger::Event(code.parse().unwrap()));
        for one in NAMED.iter().map(|(trigger, ..)| *trigger).chain(events).chain(unknown) {
            assert_eq!(trigger(&trigger_vi(&one)), Some(one), "{}", trigger_vi(&one));
            assert_ne!(trigger_vi(&one), trigger_en(&one));
        }
        assert!(is_known(&"contract_ended".parse().unwrap()) && !is_known(&"nam".parse().unwrap()));
    }
}

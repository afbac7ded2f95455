//! How values look on a page: days, times, sizes, links, marked text.

use crate::http::language::Language;
use crate::record::entry::{HOURS_AHEAD, Instant};
use jiff::{
    Timestamp,
    tz::{self, TimeZone},
};

/// A time as people of the agency read it: 15/05/2026 09:30.
pub fn time(at: Instant) -> String {
    let zone = TimeZone::fixed(tz::offset(HOURS_AHEAD));
    let time = Timestamp::from_microsecond(at.micros()).map(|time| time.to_zoned(zone));
    time.map_or_else(|_| at.to_string(), |time| time.strftime("%d/%m/%Y %H:%M").to_string())
}

/// A day as it is written in documents: 15/05/2026, 05/2026, 2026.
pub fn day(stored: &str) -> String {
    let mut parts: Vec<&str> = stored.split('-').collect();
    parts.reverse();
    parts.join("/")
}

/// Bytes as people read them, with the comma of Vietnamese.
pub fn size(bytes: u64, language: Language) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if value < 1000.0 || unit == "GB" {
            let text = if unit == "B" || value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") };
            return format!("{} {unit}", language.say(&text.replace('.', ","), &text));
        }
        value /= 1000.0;
    }
    bytes.to_string()
}

/// A number with the thousands parted: 12.345 in Vietnamese, 12,345 in English.
pub fn count(number: u64, language: Language) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push_str(language.say(".", ","));
        }
        text.push(digit);
    }
    text
}

/// What happened, in words.
pub fn event(name: &str, language: Language) -> &str {
    match name {
        "founded" => language.say("Lập kho", "Founded"),
        "refreshed" => language.say("Cập nhật phần tự mô tả", "Self-description brought up to date"),
        "accessioned" => language.say("Tiếp nhận", "Accessioned"),
        "described" => language.say("Sửa mô tả", "Described"),
        "opened" => language.say("Mở", "Opened"),
        "closed" => language.say("Kết thúc, đóng", "Closed"),
        "reopened" => language.say("Mở lại", "Reopened"),
        "moved" => language.say("Chuyển hồ sơ, phông", "Moved"),
        "approved" => language.say("Phê duyệt", "Approved"),
        "hold_placed" => language.say("Tạm dừng hủy", "Hold placed"),
        "hold_released" => language.say("Gỡ tạm dừng hủy", "Hold released"),
        "reviewed" => language.say("Xem xét", "Reviewed"),
        "proposed" => language.say("Đề nghị", "Proposed"),
        "decided" => language.say("Quyết định", "Decided"),
        "destruction_ordered" => language.say("Lệnh hủy", "Destruction ordered"),
        "destroyed" => language.say("Đã hủy", "Destroyed"),
        "expulsion_ordered" => language.say("Lệnh đưa ra khỏi kho", "Expulsion ordered"),
        "expelled" => language.say("Đã đưa ra khỏi kho", "Expelled"),
        "characterized" => language.say("Đọc nội dung tệp", "Characterized"),
        "promoted" => language.say("Đổi nơi giữ bản chính", "Another place promoted"),
        "fixity_checked" => language.say("Kiểm tra tính toàn vẹn", "Fixity checked"),
        "damaged" => language.say("Phát hiện hư hỏng", "Damaged"),
        "repaired" => language.say("Phục hồi", "Repaired"),
        "lost" => language.say("Mất, không nơi nào còn bản đúng", "Lost: no place holds it as it was"),
        "key_rotated" => language.say("Thay khóa ký", "Signing key changed"),
        "timestamped" => language.say("Được cấp dấu thời gian", "Timestamped"),
        "audit_pledged" => language.say("Cam kết kiểm tra", "Audit pledged"),
        "audited" => language.say("Đã kiểm tra", "Audited"),
        other => other,
    }
}

/// Number and notation as on the document: 48/QĐ-UBND.
pub fn number(number: Option<&str>, notation: Option<&str>) -> String {
    [number, notation].into_iter().flatten().collect::<Vec<_>>().join("/")
}

/// The part of an address after the question mark; what is empty is left out.
pub fn pairs(pairs: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    text.finish()
}

/// Text in pieces, and whether each answers the question.
pub fn marked(text: &str, highlights: &[(usize, usize)]) -> Vec<(String, bool)> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    for (from, to) in highlights {
        if let (Some(before), Some(inside)) = (text.get(at..*from), text.get(*from..*to)) {
            pieces.push((before.to_owned(), false));
            pieces.push((inside.to_owned(), true));
            at = *to;
        }
    }
    pieces.push((text.get(at..).unwrap_or_default().to_owned(), false));
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_people_write_them() {
        assert_eq!(time(Instant::from_micros(1_778_785_200_000_000)), "15/05/2026 02:00");
        assert_eq!(
            (day("2026-05-15"), day("2026-05"), day("2026")),
            ("15/05/2026".into(), "05/2026".into(), "2026".into())
        );
        for (bytes, vi) in
            [(0, "0 B"), (999, "999 B"), (1500, "1,5 KB"), (123_456_789, "123 MB"), (5_000_000_000_000, "5000 GB")]
        {
            assert_eq!(size(bytes, Language::Vi), vi);
        }
        assert_eq!(count(1_234_567, Language::Vi), "1.234.567");
        assert_eq!((count(999, Language::En), count(1000, Language::En)), ("999".into(), "1,000".into()));
        assert_eq!(number(Some("48"), Some("QĐ-UBND")), "48/QĐ-UBND");
        assert_eq!(number(None, Some("QĐ-UBND")), "QĐ-UBND");
        assert_eq!(pairs(&[("q", "đất & nhà"), ("to", ""), ("a", "1")]), "q=%C4%91%E1%BA%A5t+%26+nh%C3%A0&a=1");
    }

    #[test]
    fn marks_part_a_text_and_lose_nothing() {
        let text = "thu hồi đất";
        let pieces = marked(text, &[(0, 3), (text.len() - "đất".len(), text.len())]);
        assert_eq!(pieces.iter().map(|(piece, _)| piece.as_str()).collect::<String>(), text);
        assert_eq!(pieces.iter().filter(|(_, marked)| *marked).count(), 2);
        // Places that fall inside of a character are left unmarked.
        assert_eq!(marked("đ", &[(1, 2)]), [("đ".to_owned(), false)]);
    }
}

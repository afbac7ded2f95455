//! A derivation in words that a clerk can check with the schedule in the other hand.

use crate::record::{
    date::PartialDate,
    entry::{HOURS_AHEAD, Instant},
    retention::{
        clock::{Awaited, Due, Reading},
        derivation::{Counted, Derivation, Says, Term, Whence},
        trigger::{Evidence, When},
    },
};
use jiff::{Timestamp, tz};

impl Derivation {
    /// In Vietnamese, a sentence a line.
    pub fn lines_vi(&self) -> Vec<String> {
        let mut lines = vec![format!("Theo những gì đã biết lúc {} (giờ Việt Nam).", moment(self.as_of))];
        if let [decides, others @ ..] = &self.terms[..] {
            lines.extend(term_vi(decides, self.reading));
            for other in others {
                lines.push(format!("Ngoài ra, {}: {}.", class_vi(other), due_vi(&other.due)));
            }
            if self.terms_left > 0 {
                lines.push(format!("Còn {} mục khác có thời hạn không dài hơn.", self.terms_left));
            }
            if !others.is_empty() {
                lines.push("Áp dụng thời hạn dài nhất (Luật Lưu trữ 33/2024/QH15 điều 15).".into());
            }
        }
        for held in &self.holds {
            lines.push(format!("Tạm dừng hủy {}, lý do: {}.", held.hold, held.reason));
        }
        lines.push(format!("Kết luận: {}.", due_vi(&self.due)));
        if !self.obstacles.is_empty() {
            let why: Vec<&str> = self.obstacles.iter().map(|obstacle| obstacle.vi()).collect();
            lines.push(format!("Chưa được đề nghị hủy: {}.", why.join("; ")));
        }
        lines
    }

    /// In English, a sentence a line.
    pub fn lines_en(&self) -> Vec<String> {
        let mut lines = vec![format!("By what was known at {} (Vietnamese time).", moment(self.as_of))];
        if let [decides, others @ ..] = &self.terms[..] {
            lines.extend(term_en(decides, self.reading));
            for other in others {
                lines.push(format!("Besides, {}: {}.", class_en(other), due_en(&other.due)));
            }
            if self.terms_left > 0 {
                lines.push(format!("{} more classes are no longer than these.", self.terms_left));
            }
            if !others.is_empty() {
                lines.push("The longest counts (Law 33/2024/QH15 art. 15).".into());
            }
        }
        for held in &self.holds {
            lines.push(format!("Hold {}, reason: {}.", held.hold, held.reason));
        }
        lines.push(format!("So: {}.", due_en(&self.due)));
        if !self.obstacles.is_empty() {
            let why: Vec<&str> = self.obstacles.iter().map(|obstacle| obstacle.en()).collect();
            lines.push(format!("Not to be proposed for destruction: {}.", why.join("; ")));
        }
        lines
    }
}

/// When something is due, in Vietnamese.
pub fn due_vi(due: &Due) -> String {
    match due {
        Due::On(day) => format!("hết thời hạn lưu trữ từ ngày {}", day.shown()),
        Due::Never => "lưu trữ vĩnh viễn".into(),
        Due::Waiting(Awaited::Class) => "chưa hết thời hạn, chờ xác định thời hạn lưu trữ".into(),
        Due::Waiting(Awaited::Release) => "chưa hết thời hạn, chờ kết thúc tạm dừng hủy".into(),
        Due::Waiting(Awaited::Fact(trigger)) => format!("chưa hết thời hạn, chờ mốc tính: {}", trigger.vi()),
    }
}

/// When something is due, in English.
pub fn due_en(due: &Due) -> String {
    match due {
        Due::On(day) => format!("due from {} on", day.shown()),
        Due::Never => "permanent".into(),
        Due::Waiting(Awaited::Class) => "not due, waiting for a class".into(),
        Due::Waiting(Awaited::Release) => "not due, waiting for the release of a hold".into(),
        Due::Waiting(Awaited::Fact(trigger)) => format!("not due until it is known when {}", trigger.en()),
    }
}

fn term_vi(term: &Term, reading: Reading) -> Vec<String> {
    let approved = if term.approved { "đã được phê duyệt" } else { "chưa được phê duyệt" };
    let like = if term.corresponding {
        ", là mục tương ứng vì bảng không nêu loại tài liệu này"
    } else {
        ""
    };
    let mut lines = vec![format!("Áp dụng {} ({approved}){like}.", class_vi(term))];
    match &term.says {
        None => lines.push("Phiên bản này không có mục đó.".into()),
        Some(Says { period, trigger: Some(trigger), .. }) => {
            lines.push(format!("Thời hạn lưu trữ: {}; mốc tính: {}.", period.vi(), trigger.vi()));
        }
        Some(says) => lines.push(format!("Thời hạn lưu trữ: {}.", says.period.vi())),
    }
    if let Some(Counted { when, evidence, end, years, over }) = &term.counted {
        let seen = match evidence {
            Evidence::Entry(entry) => format!("sự kiện số {entry} trong sổ cái"),
            Evidence::Field(field) => format!("trường {field} trong mô tả"),
        };
        lines.push(format!("Căn cứ mốc tính: {seen}, ghi {}; tính là ngày {}.", shown(when), end.shown()));
        let (year, over) = (end.year(), over.shown());
        lines.push(format!("Cách tính: từ năm {year}, cộng {years} năm, {}: {over}.", reading.vi()));
    }
    lines
}

fn term_en(term: &Term, reading: Reading) -> Vec<String> {
    let approved = if term.approved { "approved" } else { "not approved" };
    let like = if term.corresponding { ", the corresponding one, for such documents are not listed" } else { "" };
    let mut lines = vec![format!("By {} ({approved}){like}.", class_en(term))];
    match &term.says {
        None => lines.push("That version has no such class.".into()),
        Some(Says { period, trigger: Some(trigger), .. }) => {
            lines.push(format!("Period: {}; counted from when {}.", period.en(), trigger.en()));
        }
        Some(says) => lines.push(format!("Period: {}.", says.period.en())),
    }
    if let Some(Counted { when, evidence, end, years, over }) = &term.counted {
        let seen = match evidence {
            Evidence::Entry(entry) => format!("entry {entry} of the ledger"),
            Evidence::Field(field) => format!("the field {field} of the description"),
        };
        lines.push(format!("Seen in {seen}, which says {}; taken as {}.", shown(when), end.shown()));
        let (year, over) = (end.year(), over.shown());
        lines.push(format!("Arithmetic: from {year}, plus {years} years, {}: {over}.", reading.en()));
    }
    lines
}

fn class_vi(term: &Term) -> String {
    let source = term.source.as_deref().map_or(String::new(), |number| format!(" theo {number}"));
    let whence = match &term.whence {
        Whence::Record(record) => format!("tài liệu {record}"),
        Whence::File(file) => format!("hồ sơ {file}"),
        Whence::Series(code) => format!("nhóm {code}"),
    };
    format!(
        "mục {}{} của bảng thời hạn lưu trữ{source}, phiên bản {}, xác định cho {whence}",
        term.class,
        title(term),
        term.version
    )
}

fn class_en(term: &Term) -> String {
    let source = term.source.as_deref().map_or(String::new(), |number| format!(" after {number}"));
    let whence = match &term.whence {
        Whence::Record(record) => format!("record {record}"),
        Whence::File(file) => format!("file {file}"),
        Whence::Series(code) => format!("series {code}"),
    };
    format!("class {}{} of the schedule{source}, version {}, given to {whence}", term.class, title(term), term.version)
}

fn title(term: &Term) -> String {
    match &term.says {
        None => String::new(),
        Some(Says { title, subtitle: Some(subtitle), .. }) => format!(" “{title} – {subtitle}”"),
        Some(Says { title, .. }) => format!(" “{title}”"),
    }
}

/// As people in Vietnam write it, no more exact than it is.
fn shown(when: &When) -> String {
    match when {
        When::Moment(at) => moment(*at),
        When::Date(PartialDate { year, month, day }) => {
            let day = day.map_or(String::new(), |day| format!("{day:02}/"));
            let month = month.map_or(String::new(), |month| format!("{month:02}/"));
            format!("{day}{month}{year:04}")
        }
    }
}

fn moment(at: Instant) -> String {
    let there = Timestamp::from_microsecond(at.micros()).map(|at| tz::offset(HOURS_AHEAD).to_datetime(at));
    there.map_or(at.to_string(), |there| {
        let (day, time) = (there.date(), there.time());
        format!("{:02}:{:02} {:02}/{:02}/{:04}", time.hour(), time.minute(), day.day(), day.month(), day.year())
    })
}

#[cfg(test)]
mod tests {
    use crate::record::{
        id::HoldId,
        retention::{
            derivation::{
                Assigned, Placed,
                tests::{ask, at, ended, of_file},
            },
            schedule::tests::example,
        },
    };

    #[test]
    fn words_that_a_clerk_can_check() {
        let (schedule, facts) = (example(), [ended("2025-12-31T18:00:00.000000Z", "2026-01-02")]);
        let unlisted = Assigned { corresponding: true, ..of_file(&schedule, "1.02", &facts) };
        let holds = [Placed {
            hold: HoldId::new(0, [9; 10]),
            reason: "lawsuit".into(),
            placed: at("2029-01-01"),
            released: None,
        }];
        let told = ask(&[unlisted], &holds, "2030-01-01");
        let vi = told.lines_vi();
        for (line, part) in [
            (0, "lúc 10:00 01/01/2030 (giờ Việt Nam)"),
            (1, "mục 1.02 “Công văn trao đổi” của bảng thời hạn lưu trữ theo 08/2025/TT-BNV, phiên bản 2"),
            (1, "(đã được phê duyệt), là mục tương ứng"),
            (2, "Thời hạn lưu trữ: 10 năm; mốc tính: kết thúc công việc."),
            (3, "sự kiện số 17 trong sổ cái, ghi 01:00 01/01/2026; tính là ngày 01/01/2026"),
            (4, "từ năm 2026, cộng 10 năm, đủ số năm tròn sau năm đó"),
            (4, ": 01/01/2037."),
            (5, "lý do: lawsuit."),
            (6, "Kết luận: hết thời hạn lưu trữ từ ngày 01/01/2037."),
            (7, "đang tạm dừng hủy; chưa hết thời hạn lưu trữ."),
        ] {
            assert!(vi[line].contains(part), "{part} in {vi:#?}");
        }
        let en = told.lines_en();
        assert_eq!(vi.len(), en.len());
        for (line, part) in [
            (1, "class 1.02 “Công văn trao đổi” of the schedule after 08/2025/TT-BNV, version 2"),
            (2, "Period: 10 years; counted from when the work ended."),
            (4, "from 2026, plus 10 years, so many whole years after that year"),
            (6, "So: due from 01/01/2037 on."),
        ] {
            assert!(en[line].contains(part), "{part} in {en:#?}");
        }
    }

    #[test]
    fn what_is_longest_what_is_missing_and_dates_as_they_are() {
        let (schedule, facts) = (example(), [ended("2025-06", "2026-01-02")]);
        let both = [of_file(&schedule, "1.02", &facts), of_file(&schedule, "1.01", &facts)];
        let vi = ask(&both, &[], "2030-01-01").lines_vi().join("\n");
        for part in [
            "Thời hạn lưu trữ: Vĩnh viễn.",
            "Ngoài ra, mục 1.02",
            "Áp dụng thời hạn dài nhất",
            "Kết luận: lưu trữ vĩnh viễn.",
        ] {
            assert!(vi.contains(part), "{part} in {vi}");
        }
        let one = ask(&both[..1], &[], "2030-01-01").lines_vi().join("\n");
        assert!(one.contains("ghi 06/2025; tính là ngày 30/06/2025"), "{one}");
        let waiting = ask(&[of_file(&schedule, "1.02", &[])], &[], "2030-01-01");
        assert!(waiting.lines_vi().join("\n").contains("chờ mốc tính: kết thúc công việc"));
        assert!(waiting.lines_en().join("\n").contains("not due until it is known when the work ended"));
        let nothing = ask(&[], &[], "2030-01-01");
        assert!(nothing.lines_vi()[1].contains("chờ xác định thời hạn lưu trữ"));
    }
}

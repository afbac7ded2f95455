//! An audit on demand (kiểm tra tính toàn vẹn đột xuất): what was pledged, what was seen, and the report.
//!
//! # Why
//! *The report answers with what only a reader of the bytes can know.* For each object it holds SHA-256 over the seed of
//! this audit, the salt of the description and the bytes: the seed was not known before, so that the bytes were read
//! since, and without the salt nobody can guess a templated document from its answer.
//!
//! *A record that is secret is proved and not shown.* The report is read by everybody who may read for their work; of a
//! secret record it holds the hash of the entry and no entry.

use crate::record::{
    digest::{Digest, Hasher},
    entry::{Damage, Entry, Event, HOURS_AHEAD, Instant},
    id::{ActorId, RecordId},
    sampling::{NotTerms, SAMPLE_MAX, Terms, WHOLE_PPM},
};
use jiff::{
    Span, Timestamp, civil,
    tz::{self, TimeZone},
};
use serde::{Deserialize, Serialize};

/// The name of the schema that a report follows (`schemas/audit.v1.json`).
pub const SCHEMA: &str = "audit.v1";
/// The longest report that is read, in bytes.
pub const REPORT_BYTES_MAX: u64 = 128 << 20;
/// Findings in a report at most: every object of a sample at a few places.
pub const FINDINGS_MAX: usize = 1_000_000;

/// Who brought the nonce.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonceBy {
    /// Whoever asked for the audit.
    Auditor,
    /// The archive drew it itself.
    Archive,
}

impl NonceBy {
    pub fn as_str(&self) -> &'static str {
        match self {
            NonceBy::Auditor => "auditor",
            NonceBy::Archive => "archive",
        }
    }

    pub fn read(name: &str) -> Option<NonceBy> {
        [NonceBy::Auditor, NonceBy::Archive].into_iter().find(|by| by.as_str() == name)
    }
}

/// An audit that was pledged, before anything was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pledged {
    /// The entry that says so, which is the audit's name.
    pub seq: u64,
    pub at: Instant,
    pub by: ActorId,
    /// The state of the ledger that is audited.
    pub size: u64,
    pub root: Digest,
    pub nonce: Digest,
    pub nonce_by: NonceBy,
    pub share_ppm: u32,
    pub confidence_ppm: u32,
}

impl Pledged {
    /// What an entry says, where it is one of these.
    pub fn of(seq: u64, entry: &Entry) -> Option<Pledged> {
        let Event::AuditPledged { size, root, nonce, nonce_by, share_ppm, confidence_ppm } = entry.event else {
            return None;
        };
        let (at, by) = (entry.at, entry.by);
        Some(Pledged { seq, at, by, size, root, nonce, nonce_by, share_ppm, confidence_ppm })
    }

    pub fn terms(&self) -> Result<Terms, NotTerms> {
        Terms::new(self.share_ppm, self.confidence_ppm)
    }
}

/// That an audit ended, and what it came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    pub seq: u64,
    pub at: Instant,
    pub pledge: u64,
    /// The record in which the report is kept.
    pub record: RecordId,
    pub entries: u64,
    pub faults: u64,
    pub repaired: u64,
    pub lost: u64,
}

impl Ended {
    /// What an entry says, where it is one of these.
    pub fn of(seq: u64, entry: &Entry) -> Option<Ended> {
        let Event::Audited { record, pledge, entries, faults, repaired, lost } = entry.event else { return None };
        Some(Ended { seq, at: entry.at, pledge, record, entries, faults, repaired, lost })
    }
}

/// A report with the archive's signature over it: the file that is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pub report: Report,
    /// A signed note under the key name `<origin>/audit`: the size of the ledger then, and the report's SHA-256.
    pub signature: String,
}

/// What an audit saw.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub origin: String,
    /// The entry that pledged the audit.
    pub pledge: u64,
    pub by: ActorId,
    pub nonce: Digest,
    pub nonce_by: NonceBy,
    pub share_ppm: u32,
    pub confidence_ppm: u32,
    /// The state of the ledger that was audited.
    pub size: u64,
    pub root: Digest,
    /// Its checkpoint, with the lines of the witnesses that cosigned it.
    pub checkpoint: String,
    pub witnesses: u32,
    /// The receipt of the pledge (C2SP tlog-proof), under a later checkpoint.
    pub receipt: String,
    /// That the tree of that checkpoint begins with the one that was audited.
    pub growth: Vec<Digest>,
    pub began: Instant,
    pub ended: Instant,
    /// The places at which every object was read.
    pub places: Vec<u32>,
    /// Those that did not answer.
    pub away: Vec<u32>,
    /// The sample, in the order of the ledger.
    pub entries: Vec<Sampled>,
    pub findings: Vec<Found>,
    pub totals: Totals,
    /// The software that made the report, with its version.
    pub made_by: String,
}

/// An entry of the sample.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    pub index: u64,
    /// The entry, byte for byte; absent where its record is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The hash of its leaf, where the entry is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<Digest>,
    /// The way from the leaf to the root.
    pub path: Vec<Digest>,
    /// The description that it names, and the components that this one names; none where it names no description.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Seen>,
}

/// An object, as the places had it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Its ordinal in the description; 0 is the description itself.
    pub component: u32,
    /// Absent where no place had it as it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// SHA-256 of seed, salt and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Digest>,
    /// The places that had it as it was kept.
    pub whole: Vec<u32>,
}

/// One thing that a place did not hold as it was kept, seen by the audit or by somebody else since it was pledged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The sampled entry.
    pub index: u64,
    pub component: u32,
    pub place: u32,
    pub fault: Damage,
    pub outcome: Mending,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mending {
    /// It came from another place.
    Repaired,
    /// A place that may have it does not answer.
    Waiting,
    /// No place has it.
    Lost,
}

/// What it all comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    pub entries: u64,
    /// Entries that are proved and not shown, for their records are secret.
    pub withheld: u64,
    /// Entries that name a description.
    pub described: u64,
    /// Descriptions and components, each as often as the sample names it.
    pub objects: u64,
    /// Of objects that were whole somewhere, once each.
    pub bytes: u64,
    pub faults: u64,
    pub repaired: u64,
    pub lost: u64,
}

impl Totals {
    /// What a sample and its findings come to.
    pub fn of(entries: &[Sampled], findings: &[Found]) -> Totals {
        let objects = || entries.iter().flat_map(|one| &one.objects);
        let often = |outcome: Mending| findings.iter().filter(|one| one.outcome == outcome).count() as u64;
        Totals {
            entries: entries.len() as u64,
            withheld: entries.iter().filter(|one| one.entry.is_none()).count() as u64,
            described: entries.iter().filter(|one| !one.objects.is_empty()).count() as u64,
            objects: objects().count() as u64,
            bytes: objects().filter_map(|one| one.bytes).fold(0, u64::saturating_add),
            faults: findings.len() as u64,
            repaired: often(Mending::Repaired),
            lost: often(Mending::Lost),
        }
    }
}

/// What bytes can be refused as a report for.
#[derive(Debug, thiserror::Error)]
pub enum NotAReport {
    #[error("it is no JSON of schema audit.v1: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it names schema {0:?}; this version reads audit.v1")]
    Schema(String),
    #[error("it is not in RFC 8785 form")]
    NotCanonical,
    #[error("it holds more entries, findings or bytes than any audit")]
    TooLarge,
}

impl Report {
    /// The digest that is signed: SHA-256 of the report as RFC 8785.
    pub fn digest(&self) -> Result<Digest, NotAReport> {
        Ok(Digest::of(&serde_json_canonicalizer::to_vec(self)?))
    }

    /// What this audit does not show, in Vietnamese and in English.
    pub fn limits(&self) -> Vec<(&'static str, &'static str)> {
        let mut limits = LIMITS.to_vec();
        limits.extend((self.nonce_by == NonceBy::Archive).then_some(OWN_NONCE));
        limits.extend((self.witnesses == 0).then_some(NO_WITNESS));
        limits.extend((self.totals.withheld > 0).then_some(WITHHELD));
        limits.extend((!self.away.is_empty()).then_some(AWAY));
        limits
    }
}

/// What no sample shows.
const LIMITS: [(&str, &str); 4] = [
    (
        "Không chứng minh mọi tài liệu còn nguyên: nếu tỷ lệ sự kiện hỏng nhỏ hơn mức nêu trên, mẫu có thể không chạm đến; `vankho verify archive` đọc toàn bộ.",
        "Not that everything is whole: where fewer entries than that share are bad, the sample may miss all of them; `vankho verify archive` reads everything.",
    ),
    (
        "Tỷ lệ tính trên sự kiện trong sổ cái, không tính trên tài liệu hay dung lượng.",
        "The share is one of entries of the ledger, not of records and not of bytes.",
    ),
    (
        "Không nói gì về những gì ghi sau điểm kiểm tra, chưa từng nộp, hay nội dung tài liệu có đúng sự thật không.",
        "Nothing of what was committed after the checkpoint, of what was never handed over, nor whether what documents say is true.",
    ),
    (
        "Mã của các byte đã đọc chỉ người có chính các byte đó mới đối chiếu được (`vankho audit recheck --bytes`); không có chúng, việc đã đọc là lời của kho.",
        "The answers can be checked by those who have the bytes (`vankho audit recheck --bytes`); without them, that they were read is the archive's word.",
    ),
];
const OWN_NONCE: (&str, &str) = (
    "Số ngẫu nhiên do chính kho chọn: không phải bằng chứng chống lại người vận hành kho.",
    "The archive drew the nonce itself: this is no evidence against whoever runs the archive.",
);
const NO_WITNESS: (&str, &str) = (
    "Chưa bên chứng kiến nào ký điểm kiểm tra: ai giữ khóa của kho có thể đã lập sổ cái khác cho lần kiểm tra này; hãy đối chiếu với các biên nhận đã giữ.",
    "No witness cosigned the checkpoint: whoever holds the archive's key could have made another ledger for this audit; hold it against receipts that were kept.",
);
const WITHHELD: (&str, &str) = (
    "Sự kiện của tài liệu mật chỉ được chứng minh là có trong sổ cái, không nêu nội dung.",
    "Entries of secret records are proved to be in the ledger, and not shown.",
);
const AWAY: (&str, &str) = (
    "Có nơi lưu không trả lời; nơi đó chưa được kiểm tra đầy đủ.",
    "A place did not answer; it was not audited in full.",
);

impl Signed {
    /// The bytes that are kept.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotAReport> {
        Ok(serde_json_canonicalizer::to_vec(self)?)
    }

    /// Reads kept bytes: exactly the canonical form, and no more of anything than an audit can have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Signed, NotAReport> {
        if bytes.len() as u64 > REPORT_BYTES_MAX {
            return Err(NotAReport::TooLarge);
        }
        let read: Signed = serde_json::from_slice(bytes)?;
        if read.report.schema != SCHEMA {
            return Err(NotAReport::Schema(read.report.schema));
        }
        if read.report.entries.len() as u64 > SAMPLE_MAX || read.report.findings.len() > FINDINGS_MAX {
            return Err(NotAReport::TooLarge);
        }
        if read.to_bytes()? != bytes {
            return Err(NotAReport::NotCanonical);
        }
        Ok(read)
    }
}

/// Begins the answer for an object: SHA-256 over the seed of the audit, the salt of the description, and the bytes that
/// are still to come.
pub fn asking(seed: Digest, salt: Digest) -> Hasher {
    let mut hasher = Hasher::default();
    hasher.update(&seed.0);
    hasher.update(&salt.0);
    hasher
}

/// A share for people: `1 %`, `0.1 %`.
pub fn percent(ppm: u32) -> String {
    let text = format!("{}.{:04}", ppm / (WHOLE_PPM / 100), ppm % (WHOLE_PPM / 100));
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// When an archive audits itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    #[default]
    Never,
    Daily,
    /// From Monday.
    Weekly,
    Monthly,
    Quarterly,
    Yearly,
}

impl Calendar {
    /// When the period began that a moment lies in, by the days of Vietnam; `None` where nothing is planned.
    pub fn began(&self, now: Instant) -> Option<Instant> {
        let zone = TimeZone::fixed(tz::offset(HOURS_AHEAD));
        let today = Timestamp::from_microsecond(now.micros()).ok()?.to_zoned(zone.clone()).date();
        let first = match self {
            Calendar::Never => return None,
            Calendar::Daily => today,
            Calendar::Weekly => {
                let days = i64::from(today.weekday().to_monday_zero_offset());
                today.checked_sub(Span::new().days(days)).ok()?
            }
            Calendar::Monthly => today.first_of_month(),
            Calendar::Quarterly => civil::Date::new(today.year(), (today.month() - 1) / 3 * 3 + 1, 1).ok()?,
            Calendar::Yearly => today.first_of_year(),
        };
        Some(Instant::from_micros(first.to_zoned(zone).ok()?.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_by_the_days_of_vietnam() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        // A Friday, half past six in the morning there.
        let now = at("2026-11-26T23:30:00.000000Z");
        for (calendar, began) in [
            (Calendar::Daily, "2026-11-26T17:00:00.000000Z"),
            (Calendar::Weekly, "2026-11-22T17:00:00.000000Z"),
            (Calendar::Monthly, "2026-10-31T17:00:00.000000Z"),
            (Calendar::Quarterly, "2026-09-30T17:00:00.000000Z"),
            (Calendar::Yearly, "2025-12-31T17:00:00.000000Z"),
        ] {
            assert_eq!(calendar.began(now), Some(at(began)), "{calendar:?}");
            assert_eq!(calendar.began(at(began)), Some(at(began)), "{calendar:?}");
        }
        assert_eq!(Calendar::Never.began(now), None);
    }

    #[test]
    fn shares_as_people_read_them() {
        for (ppm, text) in
            [(10_000, "1 %"), (1_000, "0.1 %"), (950_000, "95 %"), (999_999, "99.9999 %"), (1, "0.0001 %")]
        {
            assert_eq!(percent(ppm), text);
        }
    }

    #[test]
    fn totals_follow_from_what_they_are_of() {
        let seen =
            |component, bytes| Seen { component, bytes, answer: bytes.map(|_| Digest::of(b"a")), whole: vec![1] };
        let one = |index, entry: Option<&str>, objects| Sampled {
            index,
            entry: entry.map(str::to_owned),
            leaf: entry.is_none().then(|| Digest::of(b"l")),
            path: vec![],
            objects,
        };
        let entries = [
            one(0, Some("{}"), vec![]),
            one(3, Some("{}"), vec![seen(0, Some(100)), seen(1, Some(7))]),
            one(9, None, vec![seen(0, Some(5)), seen(2, None)]),
        ];
        let found = |component, outcome| Found { index: 9, component, place: 2, fault: Damage::Missing, outcome };
        let findings = [found(0, Mending::Repaired), found(2, Mending::Lost)];
        let expected =
            Totals { entries: 3, withheld: 1, described: 2, objects: 4, bytes: 112, faults: 2, repaired: 1, lost: 1 };
        assert_eq!(Totals::of(&entries, &findings), expected);
        assert_eq!(Totals::of(&[], &[]), Totals::default());
    }

    #[test]
    fn an_answer_needs_seed_salt_and_bytes() {
        let answer = |seed: &[u8], salt: &[u8], bytes: &[u8]| {
            let mut hasher = asking(Digest::of(seed), Digest::of(salt));
            hasher.update(bytes);
            hasher.finish()
        };
        let first = answer(b"s", b"t", b"b");
        assert_eq!(answer(b"s", b"t", b"b"), first);
        for other in [answer(b"x", b"t", b"b"), answer(b"s", b"x", b"b"), answer(b"s", b"t", b"x"), Digest::of(b"b")] {
            assert_ne!(other, first);
        }
    }
}

//! The technical certificate (chứng nhận kỹ thuật) of a destruction, annexed to the signed biên bản hủy.
//!
//! # Why
//! *Nobody can prove a negative.* So it does not say "destroyed everywhere": it says what was looked at, when, and what was
//! found, how long backups and logs of databases still hold the bytes, and what it does not cover. QCVN 12:2026/BCA refers
//! to NIST SP 800-88, under which clearing is what software can attest to, and no more.
//!
//! *It is refused rather than softened.* A place that could not be reached, an absence check that found something: then
//! there is no certificate, and the order stays pending for everybody to see.

use crate::record::{
    digest::Digest,
    disposition::{
        basis::Basis,
        case::{Appraisal, Council, Decision, Paper, Votes},
    },
    document::{Document, Salt},
    entry::Instant,
    id::{ActorId, RecordId},
    refusal::refusals,
};
use serde::{Deserialize, Serialize};

/// The name of the schema of a certificate (`schemas/certificate.v1.json`).
pub const SCHEMA: &str = "certificate.v1";

/// The certificate for one record; the ledger names it by digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub salt: Salt,
    /// The name of the log.
    pub origin: String,
    pub record: RecordId,
    /// What is left of it, by the digest of its bytes.
    pub stub: Digest,
    /// The rule and class, or what else it ended by.
    pub basis: Basis,
    /// Who reviewed it; absent where no case did: a wrong deposit, a state secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appraisal: Option<Appraisal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    pub order: Order,
    pub holds: HoldCheck,
    /// Every place of the archive, and what was taken away there.
    pub places: Vec<Emptied>,
    /// What is made anew from the ledger, and what the desk had: when each forgot it.
    pub forgotten: Vec<Forgotten>,
    pub absence: Absence,
    /// How long what else may still hold the bytes does so.
    pub windows: Vec<Window>,
    /// What this does not cover.
    pub limits: Vec<Limit>,
    /// The software that made it, with its version.
    pub made_by: String,
}

/// The review, with its actors.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub council: Council,
    /// Biên bản họp.
    pub minutes: Paper,
    pub reason: String,
    pub votes: Votes,
}

/// The entry that was the point of no return.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub entry: u64,
    pub at: Instant,
    pub by: ActorId,
}

/// That no hold was in force: by all entries before the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldCheck {
    /// Entries that were folded: all before the order.
    pub entries: u64,
    /// Holds that once covered the record and were released before.
    pub released: u32,
    /// Holds that were in force. No hold stops the expulsion of a state secret; they are told all the same.
    pub in_force: u32,
}

/// A place that was emptied of the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emptied {
    pub place: u32,
    /// Components, renditions and descriptions that were taken away, over all attempts.
    pub objects: u64,
    /// Leftovers of dead writes, and what lay in staging.
    pub leftovers: u64,
    pub at: Instant,
}

/// What can hold a part of a record beside the places.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    Catalog,
    Index,
    Desk,
    Staging,
}

impl Held {
    pub const ALL: [Held; 4] = [Held::Catalog, Held::Index, Held::Desk, Held::Staging];
}

/// That one of these forgot the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    pub held: Held,
    pub at: Instant,
}

/// The absence check: every place was listed again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    pub at: Instant,
    pub places: Vec<u32>,
    /// Objects of the record that were still found.
    pub found: u64,
}

/// Something that still holds the bytes for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub of: Remains,
    /// Which backup, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Until when; absent where somebody has to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// What still holds bytes after a place was emptied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remains {
    /// A backup (bản sao lưu), the desk's with it.
    Backup,
    /// A security copy (bản dự phòng, NĐ 113/2025/NĐ-CP chapter V).
    SecurityCopy,
    /// The write-ahead log of a database.
    WriteAheadLog,
    /// Rows of PostgreSQL that are dead and not yet overwritten.
    DeadTuples,
    /// Versions that a bucket keeps.
    Versions,
}

macro_rules! limits {
    ($($variant:ident $code:literal $vi:literal $en:literal)*) => {
        /// What a certificate does not cover.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Limit {
            $($variant,)*
        }

        impl Limit {
            pub const ALL: &'static [Limit] = &[$(Limit::$variant),*];

            pub fn as_str(&self) -> &'static str {
                match self { $(Limit::$variant => $code,)* }
            }

            pub fn vi(&self) -> &'static str {
                match self { $(Limit::$variant => $vi,)* }
            }

            pub fn en(&self) -> &'static str {
                match self { $(Limit::$variant => $en,)* }
            }
        }
    };
}

limits! {
    TakenOut "taken_out"
        "Bản đã xuất, tải về, in hoặc cấp cho người khác trước khi hủy."
        "What was exported, downloaded, printed or issued to others before."
    Media "media"
        "Dấu vết còn lại trên phương tiện lưu trữ (ổ cứng, SSD, băng từ) mà phần mềm không ghi đè được."
        "Traces on media (disks, flash, tapes) that software cannot overwrite."
    OutsideBackups "outside_backups"
        "Bản sao lưu do người khác tạo ngoài hệ thống này."
        "Backups that others made outside of this system."
    Versions "versions"
        "Các phiên bản đối tượng mà nhà cung cấp kho chứa giữ lại."
        "Versions of objects that the provider of a bucket keeps."
    Evidence "evidence"
        "Sự kiện trong sổ cái, bản trích lưu và chứng nhận này được giữ lại theo quy định."
        "Entries of the ledger, the stub and this certificate, which stay by law."
    Paper "paper"
        "Bản giấy và bản gốc ở nơi khác."
        "Paper, and originals kept elsewhere."
}

/// The limits that no certificate is without.
pub const ALWAYS: [Limit; 5] = [Limit::TakenOut, Limit::Media, Limit::OutsideBackups, Limit::Evidence, Limit::Paper];

refusals! {
    /// Why there is no certificate yet.
    NotCertified;
    PlaceLeft "place_left"
        "còn nơi lưu chưa được làm sạch hoặc chưa kiểm tra lại; nối lại nơi lưu đó, lệnh hủy sẽ tự tiếp tục"
        "a place was not emptied or not listed again; connect it, and the order resumes by itself"
    StillThere "still_there"
        "kiểm tra lại vẫn thấy tệp của tài liệu; chạy tiếp lệnh hủy rồi kiểm tra lại"
        "components of the record were still found; let the order run on, then check again"
    NotForgotten "not_forgotten"
        "danh mục, chỉ mục, bàn làm việc hoặc vùng tạm chưa quên tài liệu; chạy tiếp lệnh hủy"
        "catalog, index, desk or staging still hold something of it; let the order run on"
    WrongOrder "wrong_order"
        "thời điểm các bước không theo thứ tự: lệnh, làm sạch, kiểm tra; đối chiếu đồng hồ máy chủ"
        "the times do not follow each other: order, emptying, check; look at the clocks of the servers"
    HoldInForce "hold_in_force"
        "có lệnh tạm dừng hủy còn hiệu lực trước lệnh hủy; dừng lại và báo người phụ trách kho"
        "a hold was in force before the order; stop and tell whoever answers for the archive"
    NoReview "no_review"
        "thiếu Hội đồng, biên bản họp hoặc quyết định hủy; bổ sung từ hồ sơ xử lý"
        "council, minutes or decision are missing; take them from the case"
    NoLimits "no_limits"
        "chưa nêu những gì chứng nhận không bao gồm; thêm các giới hạn bắt buộc"
        "what the certificate does not cover is missing; add the limits that all have"
}

impl Document for Certificate {
    const SCHEMA: &'static str = SCHEMA;
    fn schema(&self) -> &str {
        &self.schema
    }
}

impl Certificate {
    /// May it be issued, in an archive with these places? What is incomplete stays an order that is pending.
    pub fn check(&self, places: &[u32]) -> Result<(), NotCertified> {
        let emptied = |place: &u32| self.places.iter().any(|one| one.place == *place);
        let held = |held: &Held| self.forgotten.iter().any(|one| one.held == *held);
        let disposed = matches!(self.basis, Basis::Disposition { .. });
        let expelled = matches!(self.basis, Basis::Expulsion { .. });
        let mut steps = self.places.iter().map(|one| one.at).chain(self.forgotten.iter().map(|one| one.at));
        match () {
            () if places.is_empty() || !places.iter().all(|one| emptied(one) && self.absence.places.contains(one)) => {
                Err(NotCertified::PlaceLeft)
            }
            () if self.absence.found > 0 => Err(NotCertified::StillThere),
            () if !Held::ALL.iter().all(held) => Err(NotCertified::NotForgotten),
            () if !steps.all(|at| self.order.at <= at && at <= self.absence.at) => Err(NotCertified::WrongOrder),
            () if self.holds.entries != self.order.entry => Err(NotCertified::WrongOrder),
            () if self.holds.in_force > 0 && !expelled => Err(NotCertified::HoldInForce),
            () if disposed && (self.review.is_none() || self.decision.is_none()) => Err(NotCertified::NoReview),
            () if !ALWAYS.iter().all(|limit| self.limits.contains(limit)) => Err(NotCertified::NoLimits),
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        disposition::{
            case::{Ground, Unit},
            withdrawal::Mistake,
        },
        id::{CaseId, ScheduleId},
        refusal::assert_told,
    };

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }

    fn at(second: i64) -> Instant {
        Instant::from_micros(1_763_877_600_000_000 + second * 1_000_000)
    }

    fn example() -> Certificate {
        let paper = |number: Option<&str>| Paper {
            number: number.map(str::to_owned),
            day: "2026-11-20".parse().unwrap(),
            record: None,
        };
        let (schedule, version) = (ScheduleId::new(0, [3; 10]), Digest::of(b"v"));
        let ground = Ground::Expired { due: "2026-01-01".parse().unwrap(), schedule, version, class: "12".into() };
        let (case, unit) = (CaseId::new(0, [4; 10]), Unit::Record(RecordId::new(0, [1; 10])));
        let decision =
            Decision { paper: paper(Some("50/QĐ-SNV")), by: actor(9), at: at(-100), authenticated: at(-160) };
        let council = Council { paper: paper(Some("31/QĐ-SNV")), chair: actor(1), members: vec![actor(2), actor(3)] };
        let votes = Votes { agree: 3, against: 0, abstained: 0 };
        Certificate {
            schema: SCHEMA.into(),
            salt: Salt::new([0x0a; 32]),
            origin: "kho.example.vn".into(),
            record: RecordId::new(0, [1; 10]),
            stub: Digest::of(b"stub"),
            basis: Basis::Disposition { case, unit, ground, decision: decision.paper.clone(), decided_by: actor(9) },
            review: Some(Review { council, minutes: paper(None), reason: "Hết giá trị".into(), votes }),
            appraisal: Some(Appraisal {
                paper: paper(Some("12/SNV")), authority: "Sở Nội vụ".into(), agreed: true
            }),
            decision: Some(decision),
            order: Order { entry: 120, at: at(0), by: actor(4) },
            holds: HoldCheck { entries: 120, released: 1, in_force: 0 },
            places: [1, 2].map(|place| Emptied { place, objects: 4, leftovers: 0, at: at(10) }).to_vec(),
            forgotten: Held::ALL.map(|held| Forgotten { held, at: at(5) }).to_vec(),
            absence: Absence { at: at(20), places: vec![1, 2], found: 0 },
            windows: vec![Window { of: Remains::Backup, name: Some("tháng 11".into()), until: Some(at(90_000)) }],
            limits: ALWAYS.to_vec(),
            made_by: "vankho 0.1.0".into(),
        }
    }

    /// `format.md`: each place emptied, the absence check with its time and result, what it does not cover.
    #[test]
    fn what_a_certificate_must_say() {
        assert_told(NotCertified::ALL.iter().map(|one| (one.as_str(), one.vi(), one.en())));
        let places = [1, 2];
        let row = |change: fn(&mut Certificate)| {
            let mut one = example();
            change(&mut one);
            one.check(&places).err()
        };
        type Change = fn(&mut Certificate);
        let rows: [(Change, Option<NotCertified>); 14] = [
            (|_| {}, None),
            (|c| c.places.truncate(1), Some(NotCertified::PlaceLeft)),
            (|c| c.absence.places = vec![1], Some(NotCertified::PlaceLeft)),
            (|c| c.absence.found = 1, Some(NotCertified::StillThere)),
            (|c| c.forgotten.truncate(3), Some(NotCertified::NotForgotten)),
            (|c| c.absence.at = at(9), Some(NotCertified::WrongOrder)),
            (|c| c.places[1].at = at(-1), Some(NotCertified::WrongOrder)),
            (|c| c.holds.entries = 119, Some(NotCertified::WrongOrder)),
            (|c| c.holds.in_force = 1, Some(NotCertified::HoldInForce)),
            (|c| c.review = None, Some(NotCertified::NoReview)),
            (|c| c.decision = None, Some(NotCertified::NoReview)),
            (|c| c.limits.truncate(4), Some(NotCertified::NoLimits)),
            (|c| c.windows.clear(), None),
            (|c| c.appraisal = None, None),
        ];
        for (n, (change, expected)) in rows.into_iter().enumerate() {
            assert_eq!(row(change), expected, "row {n}");
        }
        assert_eq!(example().check(&[]), Err(NotCertified::PlaceLeft), "an archive has a place");
        let (asked_by, confirmed_by) = (actor(1), actor(2));
        let basis =
            Basis::Withdrawal { mistake: Mistake::Twice, reason: "Nộp hai lần".into(), asked_by, confirmed_by };
        let wrong_deposit = Certificate { basis, review: None, appraisal: None, decision: None, ..example() };
        assert_eq!(wrong_deposit.check(&places), Ok(()), "no case reviews a wrong deposit");
        let level = crate::record::secrecy::Level::Secret;
        let basis = Basis::Expulsion { level, confirmed_by: actor(1), ordered_by: actor(2) };
        let holds = HoldCheck { in_force: 1, ..example().holds };
        let expelled = Certificate { basis, holds, review: None, appraisal: None, decision: None, ..example() };
        assert_eq!(expelled.check(&places), Ok(()), "no hold keeps a state secret here");
    }

    #[test]
    fn a_certificate_has_one_form_and_its_limits_two_languages() {
        let bytes = example().to_bytes().unwrap();
        assert_eq!(Certificate::from_bytes(&bytes).unwrap(), example());
        for limit in Limit::ALL {
            assert_eq!(serde_json::to_value(limit).unwrap(), limit.as_str());
            assert!(limit.vi() != limit.en());
        }
    }
}

//! A hold (tạm dừng hủy): a legal stop on disposition, and what it covers.
//!
//! NĐ 30/2020/NĐ-CP Annex VI asks that a system can freeze sets of documents on order (đóng băng, khóa hồ sơ); Luật Lưu
//! trữ 33/2024/QH15 art. 16 lets nothing be destroyed that something else still needs. The rest is the archive's own rule.
//!
//! # Why
//! *Nobody leaves a hold by being moved.* A hold on a file or a fonds covers what was in it when it was placed, what comes
//! later, and both also after they were moved elsewhere: else whoever wants a record destroyed moves it first.
//!
//! *A hold on a saved search is told record by record.* What a search finds depends on an index, which may be thrown away.
//! So each record that it catches gets an entry of its own, and from then on the search is not asked again.

use crate::record::{
    digest::Digest,
    document::{Document, NotADocument, Salt},
    id::{ActorId, FileId, FondsId, HoldId, RecordId},
    refusal::refusals,
};
use serde::{Deserialize, Serialize};

/// The name of the schema of a hold (`schemas/hold.v1.json`).
pub const SCHEMA: &str = "hold.v1";

macro_rules! reasons {
    ($($variant:ident $code:literal $vi:literal $en:literal)*) => {
        /// Why there is a hold, as a code that an entry may hold; the words of it stand in the description.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($variant,)*
        }

        impl Reason {
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),*];

            pub fn as_str(&self) -> &'static str {
                match self { $(Reason::$variant => $code,)* }
            }

            pub fn vi(&self) -> &'static str {
                match self { $(Reason::$variant => $vi,)* }
            }

            pub fn en(&self) -> &'static str {
                match self { $(Reason::$variant => $en,)* }
            }
        }
    };
}

reasons! {
    Litigation "litigation" "tố tụng, thi hành án" "court proceedings and their enforcement"
    Investigation "investigation" "điều tra" "criminal investigation"
    Inspection "inspection" "thanh tra, kiểm tra" "inspection by an authority"
    Complaint "complaint" "khiếu nại, tố cáo" "complaint or denunciation"
    Request "request" "yêu cầu cung cấp thông tin đang giải quyết" "a request for information that is open"
    Research "research" "đang xác định giá trị" "its value is being studied"
    Authority "authority" "yêu cầu khác của cơ quan có thẩm quyền" "another demand of a competent authority"
}

/// What a hold is on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    Record {
        record: RecordId,
    },
    File {
        file: FileId,
    },
    Fonds {
        fonds: FondsId,
    },
    /// Everything that a query finds; `later_arrivals`: and what it finds among what comes later.
    Search {
        query: String,
        later_arrivals: bool,
    },
}

/// That a hold was released.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    pub by: ActorId,
    pub reason: String,
}

/// The description of a hold; the ledger names it by digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub salt: Salt,
    pub hold: HoldId,
    /// The description that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    /// Who may demand it: the court, the inspectorate, the head of the agency; with the number of its document.
    pub authority: String,
    pub reason: Reason,
    pub reason_text: String,
    pub scope: Scope,
    /// Who asked for it, and who placed it; both may be the same person.
    pub asked_by: ActorId,
    pub placed_by: ActorId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Released>,
}

impl Document for Hold {
    const SCHEMA: &'static str = SCHEMA;
    fn schema(&self) -> &str {
        &self.schema
    }
}

refusals! {
    /// Why a hold is not placed or not released.
    HoldRefusal;
    TooLate "too_late"
        "lệnh hủy tài liệu này đã được ghi vào sổ cái, không thể tạm dừng nữa; báo ngay người ra quyết định hủy, xem chứng nhận kỹ thuật"
        "the order to destroy this record is in the ledger already, a hold comes too late; tell the head who decided and see the certificate"
    NoAuthority "no_authority"
        "chưa nêu cơ quan yêu cầu và lý do tạm dừng hủy; nhập cả hai rồi thử lại"
        "the authority or the reason of the hold is missing; give both and try again"
    EmptySearch "empty_search"
        "phép tìm đã lưu không có điều kiện nào nên sẽ tạm dừng toàn bộ kho; nhập điều kiện hoặc chọn phông"
        "the saved search has no condition and would hold everything; give a condition or choose a fonds"
    SamePerson "same_person"
        "người yêu cầu tạm dừng hủy không được tự gỡ; nhờ một người khác có thẩm quyền gỡ"
        "whoever asked for a hold does not release it; have another competent person release it"
    AlreadyReleased "already_released"
        "tạm dừng hủy này đã được gỡ; không cần làm gì, muốn dừng lại thì tạo lệnh mới"
        "this hold was released already; nothing is to be done, or place a new one"
    NoReleaseReason "no_release_reason"
        "chưa nêu lý do gỡ tạm dừng hủy; nhập lý do rồi thử lại"
        "the reason of the release is missing; give it and try again"
}

impl Hold {
    /// May it be placed as it is described? Issue of disposition: a hold has an authority and a reason code.
    pub fn placeable(&self) -> Result<(), HoldRefusal> {
        if [&self.authority, &self.reason_text].iter().any(|text| text.trim().is_empty()) {
            return Err(HoldRefusal::NoAuthority);
        }
        match &self.scope {
            Scope::Search { query, .. } if query.trim().is_empty() => Err(HoldRefusal::EmptySearch),
            _ => Ok(()),
        }
    }

    /// The description of the same hold, released. "Release needs a different person than the one who asked."
    pub fn release(&self, by: ActorId, reason: &str, salt: Salt) -> Result<Hold, HoldRefusal> {
        releasable(self.asked_by, self.released.is_some(), by)?;
        if reason.trim().is_empty() {
            return Err(HoldRefusal::NoReleaseReason);
        }
        let replaces = self.to_bytes().ok().map(|bytes| Digest::of(&bytes));
        let released = Some(Released { by, reason: reason.trim().into() });
        Ok(Hold { salt, replaces, released, ..self.clone() })
    }

    /// Is a record that its search finds to get an entry under this hold? `arrived_later`: after the hold was placed.
    /// "A hold on a saved search also catches later arrivals if so set."
    pub fn catches(&self, arrived_later: bool) -> bool {
        match self.scope {
            Scope::Search { later_arrivals, .. } => self.released.is_none() && (later_arrivals || !arrived_later),
            _ => false,
        }
    }

    /// The bytes' own name.
    pub fn digest(&self) -> Result<Digest, NotADocument> {
        Ok(Digest::of(&self.to_bytes()?))
    }
}

/// May this person release a hold that the other asked for?
pub fn releasable(asked_by: ActorId, released: bool, by: ActorId) -> Result<(), HoldRefusal> {
    match released {
        true => Err(HoldRefusal::AlreadyReleased),
        false if asked_by == by => Err(HoldRefusal::SamePerson),
        false => Ok(()),
    }
}

/// Where a hold lies, as the ledger can say it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum On {
    Record(RecordId),
    File(FileId),
    Fonds(FondsId),
}

/// One entry that placed a hold somewhere; a hold on a saved search has one for each record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed {
    pub hold: HoldId,
    pub on: On,
    pub asked_by: ActorId,
    /// The entry that placed it, and that which released it.
    pub seq: u64,
    pub released: Option<u64>,
}

/// That a record lay in a file or a fonds: from an entry on, and until another where it was moved away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    pub place: On,
    pub from: u64,
    pub until: Option<u64>,
}

/// The holds that cover a record. "A hold on a file or fonds covers its records at that moment and later arrivals": every
/// stay that had not ended when the hold was placed counts, whether it has ended since or not.
pub fn covers(holds: &[Placed], record: RecordId, stays: &[Stay]) -> Vec<HoldId> {
    let covered = |hold: &Placed| match hold.on {
        On::Record(held) => held == record,
        place => stays.iter().any(|stay| stay.place == place && stay.until.is_none_or(|until| until > hold.seq)),
    };
    let mut found: Vec<HoldId> = holds.iter().filter(|h| h.released.is_none() && covered(h)).map(|h| h.hold).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::refusal::assert_told;

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }

    fn hold(scope: Scope) -> Hold {
        Hold {
            schema: SCHEMA.into(),
            salt: Salt::new([0x0a; 32]),
            hold: HoldId::new(0, [9; 10]),
            replaces: None,
            authority: "Tòa án nhân dân khu vực 1, Quyết định số 12/2026/QĐ-TA".into(),
            reason: Reason::Litigation,
            reason_text: "Vụ án hành chính thụ lý số 45/2026".into(),
            scope,
            asked_by: actor(1),
            placed_by: actor(2),
            released: None,
        }
    }

    #[test]
    fn a_hold_has_one_form_and_every_reason_two_names() {
        let (record, file) = (RecordId::new(0, [1; 10]), FileId::new(0, [2; 10]));
        for scope in [
            Scope::Record { record },
            Scope::File { file },
            Scope::Fonds { fonds: FondsId::new(0, [3; 10]) },
            Scope::Search { query: "đất đai".into(), later_arrivals: true },
        ] {
            let bytes = hold(scope.clone()).to_bytes().unwrap();
            assert_eq!(Hold::from_bytes(&bytes).unwrap(), hold(scope));
        }
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert!(reason.vi() != reason.en());
        }
        assert_told(HoldRefusal::ALL.iter().map(|one| (one.as_str(), one.vi(), one.en())));
    }

    /// The issue: "with authority and reason code".
    #[test]
    fn a_hold_names_its_authority_and_reason() {
        let scope = Scope::Search { query: "đất đai".into(), later_arrivals: false };
        let all = Scope::Search { query: "  ".into(), later_arrivals: true };
        for (hold, expected) in [
            (hold(scope.clone()), Ok(())),
            (Hold { authority: " ".into(), ..hold(scope.clone()) }, Err(HoldRefusal::NoAuthority)),
            (Hold { reason_text: String::new(), ..hold(scope) }, Err(HoldRefusal::NoAuthority)),
            (hold(all), Err(HoldRefusal::EmptySearch)),
        ] {
            assert_eq!(hold.placeable(), expected, "{hold:?}");
        }
    }

    /// The issue: "release needs a different person than the one who asked".
    #[test]
    fn who_releases_a_hold() {
        let placed = hold(Scope::Record { record: RecordId::new(0, [1; 10]) });
        let salt = || Salt::new([0x0b; 32]);
        for (by, reason, expected) in [
            (actor(1), "Vụ án đã kết thúc", Some(HoldRefusal::SamePerson)),
            (actor(3), " ", Some(HoldRefusal::NoReleaseReason)),
            (actor(3), "Vụ án đã kết thúc", None),
            // Who placed it at another's demand may release it.
            (actor(2), "Vụ án đã kết thúc", None),
        ] {
            assert_eq!(placed.release(by, reason, salt()).err(), expected, "{by} {reason}");
        }
        let released = placed.release(actor(3), "Vụ án đã kết thúc", salt()).unwrap();
        assert_eq!(released.replaces, Some(placed.digest().unwrap()));
        assert_eq!(released.release(actor(3), "x", salt()).err(), Some(HoldRefusal::AlreadyReleased));
        assert_eq!(Hold::from_bytes(&released.to_bytes().unwrap()).unwrap(), released);
    }

    /// The issue: "covers its records at that moment and later arrivals"; "becomes one entry a record".
    #[test]
    fn what_a_hold_covers() {
        let record = RecordId::new(0, [1; 10]);
        let (file, other) = (On::File(FileId::new(0, [2; 10])), On::File(FileId::new(0, [3; 10])));
        let fonds = On::Fonds(FondsId::new(0, [4; 10]));
        let id = HoldId::new(0, [9; 10]);
        let held = |on| Placed { hold: id, on, asked_by: actor(1), seq: 10, released: None };
        let stay = |place, from, until| Stay { place, from, until };
        for (why, hold, stays, covered) in [
            ("on the record", held(On::Record(record)), vec![], true),
            ("on another", held(On::Record(RecordId::new(0, [7; 10]))), vec![], false),
            ("in the file at that moment", held(file), vec![stay(file, 5, None)], true),
            ("a later arrival", held(file), vec![stay(file, 15, None)], true),
            ("never in it", held(file), vec![stay(other, 5, None)], false),
            ("gone before", held(file), vec![stay(file, 5, Some(9)), stay(other, 9, None)], false),
            ("moved away after", held(file), vec![stay(file, 5, Some(12)), stay(other, 12, None)], true),
            ("came and went after", held(file), vec![stay(file, 15, Some(16))], true),
            ("in the fonds", held(fonds), vec![stay(file, 5, None), stay(fonds, 5, None)], true),
            ("released", Placed { released: Some(20), ..held(file) }, vec![stay(file, 5, None)], false),
        ] {
            let found = covers(&[hold], record, &stays);
            assert_eq!(found, if covered { vec![id] } else { vec![] }, "{why}");
        }
        let twice = [held(On::Record(record)), held(file)];
        assert_eq!(covers(&twice, record, &[stay(file, 5, None)]), [id], "one hold, told once");
    }

    #[test]
    fn which_records_of_a_search_get_an_entry() {
        let search = |later_arrivals| hold(Scope::Search { query: "đất đai".into(), later_arrivals });
        for (hold, arrived_later, expected) in [
            (search(true), false, true),
            (search(true), true, true),
            (search(false), false, true),
            (search(false), true, false),
            (search(true).release(actor(3), "xong", Salt::new([0x0b; 32])).unwrap(), true, false),
            (hold(Scope::Record { record: RecordId::new(0, [1; 10]) }), false, false),
        ] {
            assert_eq!(hold.catches(arrived_later), expected, "{:?} {arrived_later}", hold.scope);
        }
    }
}

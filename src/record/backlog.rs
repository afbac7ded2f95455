//! Backlog work (chỉnh lý) as a project: the history of the fonds, a scheme, a draft that regroups records into files,
//! a list of what is rejected with reasons; approved by the head, committed in one batch.
//!
//! ```text
//! Draft ─approve─► Approved ─commit─► Committed
//!   ▲                 │
//!   └──── reopen ─────┘
//! ```
//!
//! # Why
//! A draft moves nothing: it is a document about records, and can be wrong for months. Only what accounts for every
//! record of its scope exactly once, in a file or among the rejected, can be approved. What is rejected is not
//! destroyed here: it goes the way of disposition.

use crate::record::{
    actor::Role,
    arranging::Refusal,
    digest::Digest,
    document::{Document, Salt},
    file::About,
    file_state::Who,
    filecode,
    flaw::{Code, Flaw, stops},
    id::{ActorId, BacklogId, FileId, FondsId, RecordId},
    plan::Approval,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file that the draft makes: a new one, or more records for one that is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    pub file: FileId,
    pub about: About,
    /// In the order of their ordinals.
    pub records: Vec<RecordId>,
}

/// Why a record is taken out (loại ra).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Trùng lặp: another record says the same.
    Duplicate,
    /// Hết thời hạn lưu trữ.
    Expired,
    /// Không thuộc phông: it belongs in another's fonds.
    Foreign,
    /// Tư liệu tham khảo, bản nháp: no record of the work.
    Reference,
}

impl Because {
    pub fn vi(&self) -> &'static str {
        match self {
            Because::Duplicate => "trùng lặp",
            Because::Expired => "hết thời hạn lưu trữ",
            Because::Foreign => "không thuộc phông",
            Because::Reference => "tư liệu tham khảo",
        }
    }

    pub fn en(&self) -> &'static str {
        match self {
            Because::Duplicate => "duplicate",
            Because::Expired => "its period is over",
            Because::Foreign => "of another fonds",
            Because::Reference => "reference material",
        }
    }
}

/// A record that comes into no file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {
    pub record: RecordId,
    pub because: Because,
    /// The reason in words; of a duplicate, which one is kept.
    pub reason: String,
}

/// How far the work is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BacklogState {
    Draft,
    Approved,
    Committed,
}

impl BacklogState {
    pub const ALL: [BacklogState; 3] = [BacklogState::Draft, BacklogState::Approved, BacklogState::Committed];

    /// The name as it is stored.
    pub fn as_str(&self) -> &'static str {
        match self {
            BacklogState::Draft => "draft",
            BacklogState::Approved => "approved",
            BacklogState::Committed => "committed",
        }
    }

    pub fn vi(&self) -> &'static str {
        match self {
            BacklogState::Draft => "dự thảo",
            BacklogState::Approved => "đã phê duyệt",
            BacklogState::Committed => "đã thực hiện",
        }
    }

    pub fn en(&self) -> &'static str {
        match self {
            BacklogState::Draft => "draft",
            BacklogState::Approved => "approved",
            BacklogState::Committed => "carried out",
        }
    }
}

/// Backlog work on a fonds: schema `backlog.v1`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backlog {
    pub schema: String,
    pub backlog: BacklogId,
    pub fonds: FondsId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    pub salt: Salt,
    pub title: String,
    /// Who leads the work.
    pub by: ActorId,
    /// Lịch sử đơn vị hình thành phông và lịch sử phông.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Phương án phân loại và kế hoạch chỉnh lý.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    pub files: Vec<Proposed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
    pub state: BacklogState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

impl Document for Backlog {
    const SCHEMA: &'static str = "backlog.v1";
    fn schema(&self) -> &str {
        &self.schema
    }
}

/// What somebody does with backlog work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BacklogAct {
    /// A new draft of it.
    Revise,
    Approve(Approval),
    /// Back to a draft.
    Reopen,
    Commit,
}

impl Backlog {
    /// What is wrong with the draft, over the records that it is about.
    pub fn check(&self, scope: &[RecordId]) -> Vec<Flaw> {
        let mut places: BTreeMap<RecordId, u32> = scope.iter().map(|record| (*record, 0)).collect();
        let mut flaws = Vec::new();
        let told = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        if !told(&self.history) {
            flaws.push(Flaw::new(Code::HistoryMissing, "history"));
        }
        if !told(&self.scheme) {
            flaws.push(Flaw::new(Code::SchemeMissing, "scheme"));
        }
        let placed = self.files.iter().flat_map(|file| &file.records);
        for record in placed.chain(self.rejected.iter().map(|rejected| &rejected.record)) {
            match places.get_mut(record) {
                Some(times) => *times += 1,
                None => flaws.push(Flaw::new(Code::NotInScope, record)),
            }
        }
        for (record, times) in places {
            match times {
                0 => flaws.push(Flaw::new(Code::NotPlaced, record)),
                1 => {}
                _ => flaws.push(Flaw::new(Code::PlacedTwice, record).with_detail(times)),
            }
        }
        flaws.extend(self.files.iter().flat_map(check_proposed));
        let codes = self.files.iter().filter_map(|file| Some((&file.about.title, file.about.code.as_deref()?)));
        flaws.extend(filecode::doubled(codes));
        let silent = self.rejected.iter().filter(|rejected| rejected.reason.trim().is_empty());
        flaws.extend(silent.map(|rejected| Flaw::new(Code::ReasonMissing, rejected.record)));
        flaws
    }

    /// The work after an act, over the records that it is about. The archivist works and commits, the head approves,
    /// never one who led the work.
    pub fn after(&self, act: &BacklogAct, who: &Who, scope: &[RecordId]) -> Result<Backlog, Refusal> {
        use BacklogState::{Approved, Committed, Draft};
        let (needed, next, approval) = match (self.state, act) {
            (Draft, BacklogAct::Revise) => (Role::Archivist, Draft, None),
            (Draft, BacklogAct::Approve(approval)) => (Role::Head, Approved, Some(approval.clone())),
            (Approved, BacklogAct::Reopen) => (Role::Archivist, Draft, None),
            (Approved, BacklogAct::Commit) => (Role::Archivist, Committed, self.approval.clone()),
            _ => return Err(Refusal::NotNow),
        };
        if who.role != needed {
            return Err(Refusal::NotYourRole);
        }
        if let BacklogAct::Approve(approval) = act {
            if who.id == self.by || approval.by != who.id {
                return Err(Refusal::SamePerson);
            }
            if approval.decision.trim().is_empty() {
                return Err(Refusal::NoDecision);
            }
        }
        // The scope may have grown since the head looked: what is committed is judged once more.
        if next != Draft && stops(&self.check(scope)) {
            return Err(Refusal::Flawed);
        }
        Ok(Backlog { state: next, approval, ..self.clone() })
    }
}

fn check_proposed(file: &Proposed) -> Vec<Flaw> {
    let about = &file.about;
    let flaw = |code| Flaw::new(code, file.file);
    let retained = about.class.is_some() || about.retention_code.is_some() || about.retention_years.is_some();
    let wrong = [
        (about.title.trim().is_empty(), Code::TitleMissing),
        (file.records.is_empty(), Code::NothingInside),
        (!retained, Code::RetentionMissing),
    ];
    wrong.into_iter().filter(|(is_so, _)| *is_so).map(|(_, code)| flaw(code)).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::{
        document::assert_one_spelling,
        file::tests::whole,
        flaw::Code::{
            DuplicateCode, HistoryMissing, NotInScope, NotPlaced, NothingInside, PlacedTwice, ReasonMissing,
            RetentionMissing, SchemeMissing, TitleMissing,
        },
    };
    use BacklogState::{Approved, Committed, Draft};

    fn record(n: u64) -> RecordId {
        RecordId::new(n, [0; 10])
    }

    fn who(n: u8, role: Role) -> Who {
        Who { id: ActorId::new(0, [n; 10]), role }
    }

    pub fn backlog() -> Backlog {
        let file = |n: u8, code: &str, records: &[u64]| Proposed {
            file: FileId::new(1_763_877_600_000, [n; 10]),
            about: About { code: Some(code.into()), ..whole() },
            records: records.iter().map(|n| record(*n)).collect(),
        };
        let rejected =
            Rejected { record: record(5), because: Because::Duplicate, reason: "Trùng với bản 1".into() };
        Backlog {
            schema: Backlog::SCHEMA.into(),
            backlog: BacklogId::new(1_763_877_600_000, [6; 10]),
            fonds: FondsId::new(1_763_877_600_000, [8; 10]),
            replaces: None,
            salt: Salt::new([3; 32]),
            title: "Chỉnh lý phông Ủy ban nhân dân huyện Đồng Mơ".into(),
            by: who(1, Role::Archivist).id,
            history: Some("Huyện Đồng Mơ thành lập năm 1949.".into()),
            scheme: Some("Cơ cấu tổ chức – thời gian.".into()),
            files: vec![file(1, "UBND-DM.2019.GTNT.14", &[1, 2]), file(2, "UBND-DM.2019.GTNT.15", &[3, 4])],
            rejected: vec![rejected],
            state: Draft,
            approval: None,
        }
    }

    fn scope() -> Vec<RecordId> {
        (1..=5).map(record).collect()
    }

    fn approve() -> BacklogAct {
        let on = "2026-03-16".parse().unwrap();
        BacklogAct::Approve(Approval { by: who(2, Role::Head).id, decision: "45/QĐ-SNV".into(), on })
    }

    #[test]
    fn backlog_work_has_one_spelling() {
        assert_one_spelling(&backlog());
    }

    #[test]
    fn every_record_exactly_once_or_rejected() {
        type Change = fn(&mut Backlog);
        let cases: [(Change, &[Code]); 12] = [
            (|_| {}, &[]),
            (|b| b.files[0].records.truncate(1), &[NotPlaced]),
            (|b| b.rejected.clear(), &[NotPlaced]),
            (|b| b.files[1].records.push(record(1)), &[PlacedTwice]),
            (|b| b.files[1].records.push(record(5)), &[PlacedTwice]),
            (|b| b.files[1].records.push(record(9)), &[NotInScope]),
            (|b| b.rejected[0].reason = " ".into(), &[ReasonMissing]),
            (|b| b.files[0].about.title.clear(), &[TitleMissing]),
            (|b| b.files[0].about.retention_code = None, &[RetentionMissing]),
            (|b| b.files[1].about.code = b.files[0].about.code.clone(), &[DuplicateCode]),
            (|b| (b.history, b.scheme) = (None, Some(" ".into())), &[HistoryMissing, SchemeMissing]),
            (
                |b| {
                    let moved = std::mem::take(&mut b.files[1].records);
                    b.files[0].records.extend(moved);
                },
                &[NothingInside],
            ),
        ];
        for (n, (change, expected)) in cases.into_iter().enumerate() {
            let mut backlog = backlog();
            change(&mut backlog);
            let found: Vec<Code> = backlog.check(&scope()).into_iter().map(|flaw| flaw.code).collect();
            assert_eq!(found, expected, "case {n}");
        }
    }

    /// Every state × every act × every role.
    #[test]
    fn draft_approved_committed() {
        let acts = [BacklogAct::Revise, approve(), BacklogAct::Reopen, BacklogAct::Commit];
        for state in BacklogState::ALL {
            for act in &acts {
                let expected = match (state, act) {
                    (Draft, BacklogAct::Revise) => Some((Role::Archivist, Draft)),
                    (Draft, BacklogAct::Approve(_)) => Some((Role::Head, Approved)),
                    (Approved, BacklogAct::Reopen) => Some((Role::Archivist, Draft)),
                    (Approved, BacklogAct::Commit) => Some((Role::Archivist, Committed)),
                    _ => None,
                };
                for role in Role::ALL {
                    let after = Backlog { state, ..backlog() }.after(act, &who(2, *role), &scope());
                    let expected = match expected {
                        Some((needed, next)) if needed == *role => Ok(next),
                        Some(_) => Err(Refusal::NotYourRole),
                        None => Err(Refusal::NotNow),
                    };
                    assert_eq!(after.map(|after| after.state), expected, "{state:?} {act:?} {role:?}");
                }
            }
        }
    }

    #[test]
    fn an_approval_is_anothers_of_a_whole_draft_under_a_decision() {
        let (head, scope) = (who(2, Role::Head), scope());
        let approved = backlog().after(&approve(), &head, &scope).unwrap();
        assert_eq!(approved.approval.as_ref().map(|approval| approval.by), Some(head.id));
        let own = Backlog { by: head.id, ..backlog() };
        assert_eq!(own.after(&approve(), &head, &scope), Err(Refusal::SamePerson));
        assert_eq!(backlog().after(&approve(), &who(3, Role::Head), &scope), Err(Refusal::SamePerson));
        let BacklogAct::Approve(approval) = approve() else { panic!() };
        let silent = BacklogAct::Approve(Approval { decision: " ".into(), ..approval });
        assert_eq!(backlog().after(&silent, &head, &scope), Err(Refusal::NoDecision));
        let more: Vec<RecordId> = scope.iter().copied().chain([record(6)]).collect();
        assert_eq!(backlog().after(&approve(), &head, &more), Err(Refusal::Flawed));
        let archivist = who(1, Role::Archivist);
        assert_eq!(approved.after(&BacklogAct::Commit, &archivist, &more), Err(Refusal::Flawed), "one came in later");
        let reopened = approved.after(&BacklogAct::Reopen, &archivist, &more).unwrap();
        assert_eq!((reopened.state, reopened.approval), (Draft, None));
        assert_eq!(approved.after(&BacklogAct::Commit, &archivist, &scope).unwrap().state, Committed);
    }
}

//! The life of a file (hồ sơ), from its opening to its acceptance: which act follows which, and whose it is.
//!
//! ```text
//! open ─► Open ─close─► Closed ─submit─► Submitted ─accept─► Accepted
//!          ▲               │ ▲               │  │                │
//!        close          reopen └─withdraw────┘  └return─► Returned
//!          └── Reopened ◄──┴───────◄ reopen ─────────────────────┘
//! ```
//!
//! NĐ 30/2020/NĐ-CP art. 28–30: who does the work makes its file and hands it over; the archive checks it, and gives it
//! back or takes it.
//!
//! # Why
//! The rule is one pure function, [`after`]. Who checks is not who submitted: the minutes (biên bản giao nhận) have
//! two signatures.

use crate::record::{
    actor::Role,
    arranging::Refusal::{self, AlreadyThere, NoReason, NotNow, NotThere, NotYourRole, SamePerson},
    id::ActorId,
};
use serde::{Deserialize, Serialize};

macro_rules! states {
    ($($(#[$doc:meta])* $state:ident $name:literal $vi:literal $en:literal)*) => {
        /// Where a file is in its life.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FileState {
            $($(#[$doc])* $state,)*
        }

        impl FileState {
            pub const ALL: &'static [FileState] = &[$(FileState::$state),*];

            /// The name as it is stored.
            pub fn as_str(&self) -> &'static str {
                match self { $(FileState::$state => $name,)* }
            }

            pub fn vi(&self) -> &'static str {
                match self { $(FileState::$state => $vi,)* }
            }

            pub fn en(&self) -> &'static str {
                match self { $(FileState::$state => $en,)* }
            }
        }
    };
}

states! {
    /// Records come in.
    Open "open" "đang lập" "open"
    /// The work has ended.
    Closed "closed" "đã kết thúc" "closed"
    /// Open once more, for a reason.
    Reopened "reopened" "mở lại" "reopened"
    /// Handed over, and being checked.
    Submitted "submitted" "đã nộp, chờ kiểm tra" "submitted"
    /// Given back with reasons.
    Returned "returned" "trả lại" "returned"
    /// Taken into the current archive.
    Accepted "accepted" "đã tiếp nhận" "accepted"
}

impl FileState {
    /// May records come into the file, or leave it?
    pub fn is_open(&self) -> bool {
        matches!(self, FileState::Open | FileState::Reopened)
    }

    /// Has the archive got it, or is it about to?
    pub fn is_handed_over(&self) -> bool {
        matches!(self, FileState::Submitted | FileState::Accepted)
    }
}

/// What somebody does with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileAct<'a> {
    /// Mở hồ sơ.
    Open,
    /// Mô tả, đính chính: a new description.
    Describe,
    /// Kết thúc hồ sơ.
    Close,
    /// Mở lại.
    Reopen { reason: &'a str },
    /// Nộp lưu.
    Submit,
    /// Trả lại: every reason.
    Return { reasons: &'a [String] },
    /// Tiếp nhận: what this person submitted.
    Accept { submitted_by: ActorId },
    /// Rút lại.
    Withdraw,
}

/// Who acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who {
    pub id: ActorId,
    pub role: Role,
}

impl Who {
    /// Who makes files: who does the work, the records clerk, and the archivist in backlog work.
    fn makes(&self) -> bool {
        matches!(self.role, Role::Depositor | Role::RecordsClerk | Role::Archivist)
    }

    fn keeps(&self) -> bool {
        self.role == Role::Archivist
    }
}

/// The state after an act; `None` before a file was opened.
pub fn after(state: Option<FileState>, act: &FileAct, who: &Who) -> Result<FileState, Refusal> {
    use FileState::{Accepted, Closed, Open, Reopened, Returned, Submitted};
    let Some(state) = state else {
        return match act {
            FileAct::Open if who.makes() => Ok(Open),
            FileAct::Open => Err(NotYourRole),
            _ => Err(NotThere),
        };
    };
    let (next, may) = match (act, state) {
        (FileAct::Open, _) => return Err(AlreadyThere),
        // What the archive has taken is described by the archive; while it checks, nobody changes what it checks.
        (FileAct::Describe, Accepted) => (Accepted, who.keeps()),
        (FileAct::Describe, Open | Closed | Reopened | Returned) => (state, who.makes()),
        (FileAct::Close, Open | Reopened) => (Closed, who.makes()),
        (FileAct::Reopen { .. }, Closed | Returned) => (Reopened, who.makes()),
        (FileAct::Reopen { .. }, Accepted) => (Reopened, who.keeps()),
        (FileAct::Submit, Closed | Returned) => (Submitted, who.makes()),
        (FileAct::Withdraw, Submitted) => (Closed, who.makes()),
        (FileAct::Return { .. }, Submitted) => (Returned, who.keeps()),
        (FileAct::Accept { .. }, Submitted) => (Accepted, who.keeps()),
        _ => return Err(NotNow),
    };
    if !may {
        return Err(NotYourRole);
    }
    let empty = |text: &str| text.trim().is_empty();
    match act {
        FileAct::Reopen { reason } if empty(reason) => Err(NoReason),
        FileAct::Return { reasons } if reasons.iter().all(|reason| empty(reason)) => Err(NoReason),
        FileAct::Accept { submitted_by } if *submitted_by == who.id => Err(SamePerson),
        _ => Ok(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FileState::{Accepted, Closed, Open, Reopened, Returned, Submitted};

    fn who(n: u8, role: Role) -> Who {
        Who { id: ActorId::new(0, [n; 10]), role }
    }

    fn acts(reasons: &[String]) -> [FileAct<'_>; 8] {
        [
            FileAct::Open,
            FileAct::Describe,
            FileAct::Close,
            FileAct::Reopen { reason: "Bổ sung văn bản đến sau" },
            FileAct::Submit,
            FileAct::Return { reasons },
            FileAct::Accept { submitted_by: ActorId::new(0, [1; 10]) },
            FileAct::Withdraw,
        ]
    }

    /// Every state × every act × every role. M: who makes files may; A: only an archivist; –: nobody, now.
    #[test]
    fn which_act_follows_which() {
        let reasons = ["Thiếu trang 3".to_owned()];
        let (none, maker, keeper) = ((None, '-'), 'M', 'A');
        let m = |state| (Some(state), maker);
        let a = |state| (Some(state), keeper);
        // open, describe, close, reopen, submit, return, accept, withdraw
        let table = [
            (None, [m(Open), none, none, none, none, none, none, none]),
            (Some(Open), [none, m(Open), m(Closed), none, none, none, none, none]),
            (Some(Closed), [none, m(Closed), none, m(Reopened), m(Submitted), none, none, none]),
            (Some(Reopened), [none, m(Reopened), m(Closed), none, none, none, none, none]),
            (Some(Submitted), [none, none, none, none, none, a(Returned), a(Accepted), m(Closed)]),
            (Some(Returned), [none, m(Returned), none, m(Reopened), m(Submitted), none, none, none]),
            (Some(Accepted), [none, a(Accepted), none, a(Reopened), none, none, none, none]),
        ];
        assert_eq!(table.len(), FileState::ALL.len() + 1);
        for (state, row) in table {
            for (act, (next, whose)) in acts(&reasons).iter().zip(row) {
                for role in Role::ALL {
                    let makes = matches!(role, Role::Depositor | Role::RecordsClerk | Role::Archivist);
                    let may = (whose == 'M' && makes) || (whose == 'A' && *role == Role::Archivist);
                    let expected = match (next, state, act) {
                        (Some(next), ..) if may => Ok(next),
                        (Some(_), ..) => Err(NotYourRole),
                        (None, None, _) => Err(NotThere),
                        (None, Some(_), FileAct::Open) => Err(AlreadyThere),
                        (None, ..) => Err(NotNow),
                    };
                    assert_eq!(after(state, act, &who(9, *role)), expected, "{state:?} {act:?} {role:?}");
                }
            }
        }
    }

    #[test]
    fn reasons_are_given_and_nobody_accepts_what_is_their_own() {
        let archivist = who(9, Role::Archivist);
        let blank = [" ".to_owned()];
        for (state, act, expected) in [
            (Closed, FileAct::Reopen { reason: " " }, Err(NoReason)),
            (Accepted, FileAct::Reopen { reason: "" }, Err(NoReason)),
            (Submitted, FileAct::Return { reasons: &[] }, Err(NoReason)),
            (Submitted, FileAct::Return { reasons: &blank }, Err(NoReason)),
            (Submitted, FileAct::Accept { submitted_by: archivist.id }, Err(SamePerson)),
            (Submitted, FileAct::Accept { submitted_by: ActorId::new(0, [1; 10]) }, Ok(Accepted)),
        ] {
            assert_eq!(after(Some(state), &act, &archivist), expected, "{state:?} {act:?}");
        }
    }

    #[test]
    fn states_have_names() {
        for state in FileState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert!(!state.vi().is_empty() && !state.en().is_empty());
        }
        assert!(Open.is_open() && Reopened.is_open() && !Closed.is_open());
        assert!(Submitted.is_handed_over() && Accepted.is_handed_over() && !Returned.is_handed_over());
    }
}

//! State secrets (bí mật nhà nước): what happens when something may bear a secrecy mark.
//!
//! Luật Bảo vệ bí mật nhà nước 117/2025/QH15: state secrets are not on systems that are connected to the Internet; QCVN
//! 12:2026/BCA is not for systems that hold them. The marks are TUYỆT MẬT, TỐI MẬT and MẬT (NĐ 30/2020/NĐ-CP Annex I, cell
//! 10a). [`crate::record::secrecy_mark`] finds them in text.
//!
//! ```text
//!            ┌─► refuted (released, with a reason)
//! suspected ─┤
//!            └─► confirmed ─► ordered (another person) ─► expelled
//! ```
//!
//! # Why
//! *Suspicion is enough to hide, and not enough to destroy.* What may be secret is shown to nobody from that moment on;
//! that it is taken away everywhere takes two people, for it cannot be undone.
//!
//! *This is no disposition*: no period, no council, and no hold stops it. A hold keeps evidence; the evidence of a state
//! secret is with those who may keep it.

use crate::record::{actor::Role, disposition::act::Who, id::ActorId, refusal::refusals};
use serde::{Deserialize, Serialize};

/// A secrecy mark (độ mật). No access level: `Access::Secret` says who may read, this says that nobody may here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// MẬT.
    Secret,
    /// TỐI MẬT.
    Higher,
    /// TUYỆT MẬT.
    Highest,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Secret, Level::Higher, Level::Highest];

    pub fn as_str(&self) -> &'static str {
        match self {
            Level::Secret => "secret",
            Level::Higher => "higher",
            Level::Highest => "highest",
        }
    }

    /// As it is stamped.
    pub fn vi(&self) -> &'static str {
        match self {
            Level::Secret => "MẬT",
            Level::Higher => "TỐI MẬT",
            Level::Highest => "TUYỆT MẬT",
        }
    }
}

/// Who suspects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspect {
    /// The recogniser, on its own.
    Program,
    Actor(ActorId),
}

/// How far it is with a record.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Secrecy {
    /// Nobody suspects anything.
    #[default]
    Open,
    Suspected {
        level: Level,
        by: Suspect,
    },
    Confirmed {
        level: Level,
        by: ActorId,
    },
    Ordered {
        level: Level,
        confirmed_by: ActorId,
        by: ActorId,
    },
    Expelled {
        level: Level,
    },
    /// A person looked at this mark and found that it is none.
    Refuted {
        level: Level,
        by: ActorId,
        reason: String,
    },
}

/// What may be done about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// A program or a person sees a mark.
    Suspect {
        level: Level,
    },
    Confirm {
        level: Level,
    },
    /// It is no mark, or was lifted (giải mật).
    Refute {
        reason: String,
    },
    /// The second person's order.
    Order,
    /// It is gone from every place, and the backups that still hold it are listed.
    Expelled {
        backups_listed: bool,
    },
}

refusals! {
    /// Why nothing is done.
    SecrecyRefusal;
    NotSuspected "not_suspected"
        "tài liệu này không bị nghi ngờ; đánh dấu nghi ngờ trước"
        "nobody suspects this record; mark it as suspected first"
    NotConfirmed "not_confirmed"
        "chưa có người xác nhận dấu độ mật; xác nhận trước khi ra lệnh loại bỏ"
        "nobody has confirmed the mark; have it confirmed before it is ordered out"
    NotOrdered "not_ordered"
        "chưa có lệnh loại bỏ; ghi lệnh trước"
        "there is no order to expel it; commit the order first"
    SamePerson "same_person"
        "người xác nhận không được tự ra lệnh hoặc tự bác bỏ xác nhận của mình; nhờ người thứ hai"
        "whoever confirmed neither orders it out nor takes it back alone; have a second person do it"
    NotFresh "not_fresh"
        "cần xác thực lại trước khi ra lệnh; đăng nhập lại rồi tiếp tục"
        "the order needs a fresh log-in; log in again, then go on"
    NotYours "not_yours"
        "vai trò này không được làm việc này; nhờ lưu trữ viên hoặc người đứng đầu"
        "this role does not allow it; ask an archivist or the head"
    NoReason "no_reason"
        "chưa nêu lý do bác bỏ nghi ngờ; nhập lý do, ví dụ quyết định giải mật"
        "the reason is missing; give it, such as the decision that lifted the mark"
    NoBackups "no_backups"
        "chưa liệt kê các bản sao lưu còn chứa tài liệu; lập danh sách rồi hoàn tất"
        "the backups that still hold it are not listed; list them, then finish"
    TooLate "too_late"
        "lệnh loại bỏ đã ghi vào sổ cái, không thể dừng nữa; báo ngay người ra lệnh"
        "the order is in the ledger and cannot be stopped; tell the one who gave it at once"
}

impl Secrecy {
    /// May the record be found, read and copied, as far as this goes? From the first suspicion on it may not.
    pub fn shows(&self) -> bool {
        matches!(self, Secrecy::Open | Secrecy::Refuted { .. })
    }

    /// The same after the recogniser saw a mark. What a person refuted does not come back by itself; a higher mark is
    /// another one. Nothing is ever shown again by a program.
    pub fn seen(&self, level: Level) -> Secrecy {
        match self {
            Secrecy::Open => Secrecy::Suspected { level, by: Suspect::Program },
            Secrecy::Refuted { level: refuted, .. } if level > *refuted => {
                Secrecy::Suspected { level, by: Suspect::Program }
            }
            Secrecy::Suspected { level: known, by } => Secrecy::Suspected { level: level.max(*known), by: *by },
            other => other.clone(),
        }
    }

    /// The same after a person's act.
    pub fn after(&self, act: &Act, who: &Who, fresh: bool) -> Result<Secrecy, SecrecyRefusal> {
        let by = who.actor;
        let keeps = matches!(who.role, Role::Archivist | Role::Head);
        match (act, self) {
            // Whoever sees a mark may stop the record at once, except for who keeps the machine and reads nothing.
            _ if who.role == Role::Administrator => Err(SecrecyRefusal::NotYours),
            (Act::Suspect { level }, Secrecy::Open | Secrecy::Refuted { .. }) => {
                Ok(Secrecy::Suspected { level: *level, by: Suspect::Actor(by) })
            }
            (Act::Suspect { level }, Secrecy::Suspected { .. }) => Ok(self.seen(*level)),
            (Act::Suspect { .. }, other) => Ok(other.clone()),
            _ if !keeps => Err(SecrecyRefusal::NotYours),
            (_, Secrecy::Ordered { .. }) if !matches!(act, Act::Expelled { .. }) => Err(SecrecyRefusal::TooLate),
            (_, Secrecy::Expelled { .. }) => Err(SecrecyRefusal::TooLate),
            (Act::Confirm { level }, Secrecy::Suspected { .. }) => Ok(Secrecy::Confirmed { level: *level, by }),
            (Act::Confirm { .. }, _) => Err(SecrecyRefusal::NotSuspected),
            (Act::Refute { reason }, _) if reason.trim().is_empty() => Err(SecrecyRefusal::NoReason),
            (Act::Refute { .. } | Act::Order, Secrecy::Confirmed { by: confirmed, .. }) if *confirmed == by => {
                Err(SecrecyRefusal::SamePerson)
            }
            (Act::Refute { reason }, Secrecy::Suspected { level, .. } | Secrecy::Confirmed { level, .. }) => {
                Ok(Secrecy::Refuted { level: *level, by, reason: reason.trim().into() })
            }
            (Act::Refute { .. }, _) => Err(SecrecyRefusal::NotSuspected),
            (Act::Order, Secrecy::Confirmed { .. }) if !fresh => Err(SecrecyRefusal::NotFresh),
            (Act::Order, Secrecy::Confirmed { level, by: confirmed_by }) => {
                Ok(Secrecy::Ordered { level: *level, confirmed_by: *confirmed_by, by })
            }
            (Act::Order, _) => Err(SecrecyRefusal::NotConfirmed),
            (Act::Expelled { backups_listed: false }, Secrecy::Ordered { .. }) => Err(SecrecyRefusal::NoBackups),
            (Act::Expelled { .. }, Secrecy::Ordered { level, .. }) => Ok(Secrecy::Expelled { level: *level }),
            (Act::Expelled { .. }, _) => Err(SecrecyRefusal::NotOrdered),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::refusal::assert_told;

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }
    fn who(n: u8, role: Role) -> Who {
        Who { actor: actor(n), role, authenticated: None }
    }

    /// Bar 5 of the issue: suspected at once hides; confirmed needs two people to expel; refuted is released with a reason.
    #[test]
    fn what_becomes_of_a_suspicion() {
        assert_told(SecrecyRefusal::ALL.iter().map(|one| (one.as_str(), one.vi(), one.en())));
        let level = Level::Higher;
        let suspected = Secrecy::Suspected { level, by: Suspect::Program };
        let confirmed = Secrecy::Confirmed { level, by: actor(1) };
        let ordered = Secrecy::Ordered { level, confirmed_by: actor(1), by: actor(2) };
        let refuted = Secrecy::Refuted { level, by: actor(1), reason: "Đã giải mật".into() };
        let refute = |reason: &str| Act::Refute { reason: reason.into() };
        let listed = |backups_listed| Act::Expelled { backups_listed };
        let (one, two) = (who(1, Role::Archivist), who(2, Role::Head));
        let reader = who(5, Role::Official);
        let by_reader = Secrecy::Suspected { level, by: Suspect::Actor(actor(5)) };
        for (from, act, who, fresh, to) in [
            (&Secrecy::Open, Act::Suspect { level }, reader, false, Ok(by_reader.clone())),
            (&Secrecy::Open, Act::Suspect { level }, who(6, Role::Administrator), false, Err(SecrecyRefusal::NotYours)),
            (&refuted, Act::Suspect { level }, reader, false, Ok(by_reader)),
            (&confirmed, Act::Suspect { level: Level::Secret }, reader, false, Ok(confirmed.clone())),
            (&Secrecy::Open, Act::Confirm { level }, one, true, Err(SecrecyRefusal::NotSuspected)),
            (&suspected, Act::Confirm { level }, one, false, Ok(confirmed.clone())),
            (&suspected, Act::Confirm { level }, reader, false, Err(SecrecyRefusal::NotYours)),
            (&suspected, refute("Đã giải mật"), one, false, Ok(refuted.clone())),
            (&suspected, refute(" "), one, false, Err(SecrecyRefusal::NoReason)),
            (&suspected, Act::Order, two, true, Err(SecrecyRefusal::NotConfirmed)),
            (&confirmed, Act::Order, one, true, Err(SecrecyRefusal::SamePerson)),
            (&confirmed, Act::Order, two, false, Err(SecrecyRefusal::NotFresh)),
            (&confirmed, Act::Order, two, true, Ok(ordered.clone())),
            (&confirmed, refute("Nhầm"), one, true, Err(SecrecyRefusal::SamePerson)),
            (&ordered, refute("Nhầm"), one, true, Err(SecrecyRefusal::TooLate)),
            (&ordered, listed(false), one, true, Err(SecrecyRefusal::NoBackups)),
            (&ordered, listed(true), one, true, Ok(Secrecy::Expelled { level })),
            (&confirmed, listed(true), one, true, Err(SecrecyRefusal::NotOrdered)),
            (&Secrecy::Expelled { level }, refute("Nhầm"), one, true, Err(SecrecyRefusal::TooLate)),
        ] {
            assert_eq!(from.after(&act, &who, fresh), to, "{from:?} {act:?} {who:?}");
        }
    }

    #[test]
    fn what_may_be_shown() {
        let level = Level::Secret;
        let refuted = Secrecy::Refuted { level, by: actor(1), reason: "x".into() };
        for (state, shows) in [
            (Secrecy::Open, true),
            (refuted.clone(), true),
            (Secrecy::Suspected { level, by: Suspect::Program }, false),
            (Secrecy::Confirmed { level, by: actor(1) }, false),
            (Secrecy::Ordered { level, confirmed_by: actor(1), by: actor(2) }, false),
            (Secrecy::Expelled { level }, false),
        ] {
            assert_eq!(state.shows(), shows, "{state:?}");
            assert!(shows || !state.seen(Level::Highest).shows(), "no program shows it again: {state:?}");
            let written = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<Secrecy>(&written).unwrap(), state, "{written}");
        }
        assert!(!Secrecy::Open.seen(level).shows());
        assert!(refuted.seen(Level::Secret).shows(), "a person has looked at this mark");
        assert!(!refuted.seen(Level::Highest).shows(), "and not at that one");
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
            assert_eq!(crate::record::secrecy_mark::find(level.vi()).map(|mark| mark.level), Some(level));
        }
    }
}

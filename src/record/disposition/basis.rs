//! On what ground a record ended: what its stub and its certificate both say.

use crate::record::{
    disposition::{
        case::{Ground, Paper, Unit},
        withdrawal::Mistake,
    },
    id::{ActorId, CaseId},
    secrecy::Level,
};
use serde::{Deserialize, Serialize};

/// Why a record is not here any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Basis {
    /// Its period had ended, or another record was found to be the same: by a case, in which a head decided.
    Disposition {
        case: CaseId,
        /// The file with which it went, or the record itself.
        unit: Unit,
        /// The rule and class, or the record that stays.
        ground: Ground,
        /// Quyết định hủy.
        decision: Paper,
        decided_by: ActorId,
    },
    /// It was deposited by mistake.
    Withdrawal { mistake: Mistake, reason: String, asked_by: ActorId, confirmed_by: ActorId },
    /// It was a state secret, which must not be on such a system.
    Expulsion { level: Level, confirmed_by: ActorId, ordered_by: ActorId },
}

impl Basis {
    /// In Vietnamese and in English.
    pub fn name(&self) -> (&'static str, &'static str) {
        match self {
            Basis::Disposition { ground: Ground::Expired { .. }, .. } => {
                ("hết thời hạn lưu trữ", "its period had ended")
            }
            Basis::Disposition { ground: Ground::Duplicate { .. }, .. } => ("trùng lặp", "a duplicate"),
            Basis::Withdrawal { .. } => ("rút tài liệu nộp nhầm", "a wrong deposit"),
            Basis::Expulsion { .. } => ("loại bỏ tài liệu bí mật nhà nước", "a state secret"),
        }
    }
}

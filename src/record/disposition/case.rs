//! A case (hồ sơ xử lý): what one council reviews and one head decides, as it stands between two acts.
//!
//! TT 05/2025/TT-BNV art. 48–50: the system lists the expired and the duplicate, marks them "Xem xét hủy", the council
//! works inside the system, and the system keeps the full trace.
//!
//! # Why
//! *Who has ever reviewed is remembered for good.* A council can be set up anew and an opinion taken back; that somebody
//! took part stays, for the head who decides must be somebody who never did.

use crate::record::{
    date::PartialDate,
    digest::Digest,
    disposition::days,
    document::{Document, Salt},
    entry::Instant,
    id::{ActorId, CaseId, FileId, RecordId, ScheduleId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The name of the schema of a case (`schemas/case.v1.json`).
pub const SCHEMA: &str = "case.v1";

/// What is reviewed and destroyed as one: a file, or a single record where it is loose or a duplicate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    File(FileId),
    Record(RecordId),
}

/// Why a unit is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ground {
    /// Its period has ended: on which day, by which class of which approved version of a schedule.
    Expired { due: PartialDate, schedule: ScheduleId, version: Digest, class: String },
    /// A person found that another record is the same and stays. Equal bytes only suggest it.
    Duplicate { kept: RecordId, found_by: ActorId },
}

/// What is proposed and decided for a unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// Until a day, or until it is listed again.
    KeepLonger {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<PartialDate>,
    },
    Reclassify {
        schedule: ScheduleId,
        class: String,
    },
    /// To another archive, named as it calls itself.
    Transfer {
        to: String,
    },
    Destroy,
}

impl Outcome {
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::KeepLonger { .. } => "keep_longer",
            Outcome::Reclassify { .. } => "reclassify",
            Outcome::Transfer { .. } => "transfer",
            Outcome::Destroy => "destroy",
        }
    }

    pub fn vi(&self) -> &'static str {
        match self {
            Outcome::KeepLonger { .. } => "tiếp tục lưu trữ",
            Outcome::Reclassify { .. } => "phân loại lại",
            Outcome::Transfer { .. } => "chuyển giao",
            Outcome::Destroy => "hủy",
        }
    }

    pub fn en(&self) -> &'static str {
        match self {
            Outcome::KeepLonger { .. } => "keep longer",
            Outcome::Reclassify { .. } => "reclassify",
            Outcome::Transfer { .. } => "transfer",
            Outcome::Destroy => "destroy",
        }
    }
}

/// A paper of the dossier: its number and day, and the record in which it is kept, once it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// `15/QĐ-SNV`; minutes often have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    pub day: PartialDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
}

impl Paper {
    /// Is it told to the day?
    pub fn is_dated(&self) -> bool {
        self.day.day.is_some()
    }

    /// Does it have a number too, as decisions do?
    pub fn is_numbered(&self) -> bool {
        self.is_dated() && self.number.as_deref().is_some_and(|number| !number.trim().is_empty())
    }
}

/// The disposal council (Hội đồng xét hủy).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Council {
    /// The decision that set it up.
    pub paper: Paper,
    pub chair: ActorId,
    /// Without the chair.
    pub members: Vec<ActorId>,
}

impl Council {
    /// The chair first.
    pub fn people(&self) -> impl Iterator<Item = ActorId> {
        std::iter::once(self.chair).chain(self.members.iter().copied())
    }
}

/// What one member of the council thinks should become of a unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    pub by: ActorId,
    pub outcome: Outcome,
    pub reason: String,
}

/// How the council voted on a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Votes {
    pub agree: u16,
    pub against: u16,
    pub abstained: u16,
}

/// What the council proposes for a unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    pub outcome: Outcome,
    pub reason: String,
    pub votes: Votes,
}

/// One unit of the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub unit: Unit,
    pub ground: Ground,
    pub opinions: Vec<Opinion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    /// What the head decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered: Option<Instant>,
    /// The digests of the certificates, one for each of its records, once all of them are destroyed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Digest>,
}

impl Listed {
    pub fn is_to_be_destroyed(&self) -> bool {
        self.decided == Some(Outcome::Destroy)
    }

    /// Is it to be destroyed, and not certified yet?
    pub fn is_unfinished(&self) -> bool {
        self.is_to_be_destroyed() && self.certificates.is_empty()
    }

    /// Where the unit stands, in Vietnamese and in English.
    pub fn status(&self) -> (&'static str, &'static str) {
        match (&self.decided, self.ordered) {
            _ if !self.certificates.is_empty() => ("Đã hủy", "Destroyed"),
            (_, Some(_)) => ("Đang hủy", "Being destroyed"),
            (Some(Outcome::Destroy), None) => ("Chờ hủy", "To be destroyed"),
            (Some(outcome), None) => (outcome.vi(), outcome.en()),
            (None, None) => ("Xem xét hủy", "Considered for destruction"),
        }
    }
}

/// The appraisal of the competent body (văn bản thẩm định).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appraisal {
    pub paper: Paper,
    pub authority: String,
    pub agreed: bool,
}

/// The decision of the head (quyết định hủy).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    pub paper: Paper,
    pub by: ActorId,
    pub at: Instant,
    /// When the head had last shown who they are.
    pub authenticated: Instant,
}

/// How far a case is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The list is open.
    Listed,
    /// A council gives its opinions.
    Council,
    /// It has met; its proposals are written.
    Reviewed,
    /// Every unit has a proposal.
    Proposed,
    /// The competent body agrees.
    Appraised,
    /// The head has decided; what is to be destroyed is.
    Decided,
    Closed,
}

/// One act of the trace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    pub at: Instant,
    pub by: ActorId,
    pub act: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A case; the ledger names it by digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub salt: Salt,
    pub case: CaseId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    /// Whose records.
    pub agency: String,
    /// Does the agency hand over to a historical archive? Then an appraisal is needed: TT 06/2025/TT-BNV art. 16.3.b
    /// spares only the others.
    pub to_historical: bool,
    pub stage: Stage,
    pub listed: Vec<Listed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub council: Option<Council>,
    /// Everybody who ever reviewed: of any council, or who found a duplicate.
    pub reviewers: BTreeSet<ActorId>,
    /// Biên bản họp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<Paper>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appraisal: Option<Appraisal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Biên bản bàn giao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Paper>,
    /// Biên bản hủy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destruction: Option<Paper>,
    pub trace: Vec<Trace>,
}

impl Document for Case {
    const SCHEMA: &'static str = SCHEMA;
    fn schema(&self) -> &str {
        &self.schema
    }
}

impl Case {
    /// A case with an empty list.
    pub fn new(case: CaseId, agency: &str, to_historical: bool, salt: Salt) -> Case {
        Case {
            schema: SCHEMA.into(),
            salt,
            case,
            replaces: None,
            agency: agency.into(),
            to_historical,
            stage: Stage::Listed,
            listed: Vec::new(),
            council: None,
            reviewers: BTreeSet::new(),
            minutes: None,
            appraisal: None,
            decision: None,
            handover: None,
            destruction: None,
            trace: Vec::new(),
        }
    }

    /// The same case as the next description: names the one it takes the place of, under a salt of its own.
    pub fn following(self, replaced: Digest, salt: Salt) -> Case {
        Case { replaces: Some(replaced), salt, ..self }
    }

    pub fn find(&self, unit: Unit) -> Option<&Listed> {
        self.listed.iter().find(|listed| listed.unit == unit)
    }

    pub fn find_mut(&mut self, unit: Unit) -> Option<&mut Listed> {
        self.listed.iter_mut().find(|listed| listed.unit == unit)
    }

    /// Must the competent body have appraised it before the head decides?
    pub fn needs_appraisal(&self) -> bool {
        self.to_historical
    }

    /// The last day on which the decision may be executed: so many days after it (TT 06/2025/TT-BNV: 15). The day of the
    /// paper counts where it is earlier than the day on which it was entered here.
    pub fn execution_until(&self, days_max: u16) -> Option<u32> {
        let decision = self.decision.as_ref()?;
        days::plus(days::day_of(decision.at).min(decision.paper.day.span().0), days_max)
    }

    /// How the term of execution stands on a day, while something is still to be destroyed: days that are left, negative
    /// where it has passed; `None` before reminders begin and where nothing is to be done.
    pub fn execution_reminder(&self, today: u32, rules: &crate::record::disposition::rules::Rules) -> Option<i64> {
        let open = self.listed.iter().any(Listed::is_unfinished);
        let left = days::between(today, self.execution_until(rules.execution_days_max)?)?;
        (open && left <= i64::from(rules.execution_reminder_days)).then_some(left)
    }
}

//! What can be done to a case, by whom, and what must be known of its units to judge it.

use crate::record::{
    actor::Role,
    digest::Digest,
    disposition::{
        case::{Appraisal, Council, Ground, Outcome, Paper, Unit, Votes},
        rules::Rules,
    },
    entry::Instant,
    id::{ActorId, HoldId},
};
use std::collections::BTreeMap;

/// One act on a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Puts a unit on the list, or lists it anew after it changed.
    List {
        unit: Unit,
        ground: Ground,
    },
    TakeOff {
        unit: Unit,
        reason: String,
    },
    SetUpCouncil {
        council: Council,
    },
    /// One member's opinion; a second one takes the place of the first.
    Opine {
        unit: Unit,
        outcome: Outcome,
        reason: String,
    },
    /// The council has met.
    EndReview {
        minutes: Paper,
    },
    Propose {
        unit: Unit,
        outcome: Outcome,
        reason: String,
        votes: Votes,
    },
    /// The council takes it up again.
    Reconsider {
        reason: String,
    },
    Appraise {
        appraisal: Appraisal,
        reason: String,
    },
    /// The head decides as was proposed, but keeps the spared units longer.
    Decide {
        paper: Paper,
        spared: Vec<Unit>,
        reason: String,
    },
    /// The head sends it back to the council, before or instead of deciding.
    SendBack {
        reason: String,
    },
    HandOver {
        minutes: Paper,
    },
    /// The head leaves out a unit after the decision, before it is ordered.
    Spare {
        unit: Unit,
        reason: String,
    },
    /// The point of no return for a unit.
    Order {
        unit: Unit,
    },
    /// All of its records are: one certificate for each.
    Destroyed {
        unit: Unit,
        certificates: Vec<Digest>,
    },
    Close {
        minutes: Paper,
    },
}

impl Act {
    /// The name under which it stands in the trace.
    pub fn as_str(&self) -> &'static str {
        match self {
            Act::List { .. } => "list",
            Act::TakeOff { .. } => "take_off",
            Act::SetUpCouncil { .. } => "set_up_council",
            Act::Opine { .. } => "opine",
            Act::EndReview { .. } => "end_review",
            Act::Propose { .. } => "propose",
            Act::Reconsider { .. } => "reconsider",
            Act::Appraise { .. } => "appraise",
            Act::Decide { .. } => "decide",
            Act::SendBack { .. } => "send_back",
            Act::HandOver { .. } => "hand_over",
            Act::Spare { .. } => "spare",
            Act::Order { .. } => "order",
            Act::Destroyed { .. } => "destroyed",
            Act::Close { .. } => "close",
        }
    }

    /// The unit that it is about, where it is about one.
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Act::List { unit, .. }
            | Act::TakeOff { unit, .. }
            | Act::Opine { unit, .. }
            | Act::Propose { unit, .. }
            | Act::Spare { unit, .. }
            | Act::Order { unit }
            | Act::Destroyed { unit, .. } => Some(*unit),
            _ => None,
        }
    }

    /// Its reason, where it has one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Act::TakeOff { reason, .. }
            | Act::Opine { reason, .. }
            | Act::Propose { reason, .. }
            | Act::Reconsider { reason }
            | Act::Appraise { reason, .. }
            | Act::Decide { reason, .. }
            | Act::SendBack { reason }
            | Act::Spare { reason, .. } => Some(reason.trim()).filter(|reason| !reason.is_empty()),
            _ => None,
        }
    }
}

/// Who acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who {
    pub actor: ActorId,
    pub role: Role,
    /// When they last showed who they are; `None` for programs and keys.
    pub authenticated: Option<Instant>,
}

impl Who {
    /// Did they show who they are within so many seconds (re-authentication for destruction)? A time to come is none.
    pub fn is_fresh(&self, seconds_max: u32, at: Instant) -> bool {
        let ago = self.authenticated.map(|then| at.micros().saturating_sub(then.micros()));
        ago.is_some_and(|micros| (0..=i64::from(seconds_max) * 1_000_000).contains(&micros))
    }
}

/// How a unit lies in the archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lies {
    File,
    /// A record in no file.
    Loose,
    /// A record in a file.
    InFile,
}

/// What is known of a unit beside its case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnitFacts {
    pub lies: Lies,
    /// The holds that cover it or anything in it.
    pub holds: Vec<HoldId>,
    /// The day on which it falls due by what is known now; `None` where it never does or nobody knows.
    pub due: Option<u32>,
    /// Is the version of the schedule that its ground names approved, and the newest that is?
    pub schedule_approved: bool,
    /// Did its description, class or content change since it was listed?
    pub changed: bool,
    /// Is it on the list of another case that is open?
    pub listed_elsewhere: bool,
    /// Destroyed, transferred or expelled, all or in part.
    pub gone: bool,
    /// For a duplicate: is the record that stays here, and not listed for destruction itself?
    pub kept_stays: bool,
}

/// What an act is judged by.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub rules: &'a Rules,
    /// The units of the case, and the one that is to be listed.
    pub units: BTreeMap<Unit, UnitFacts>,
}

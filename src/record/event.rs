//! What an event is about, what it names, and what it takes the place of.
//!
//! # Why
//! One list for each question, and every event stands in it by name: whoever adds one is asked all of them.

use crate::record::{digest::Digest, entry::Event, id::RecordId, unit::Unit};
use std::collections::BTreeMap;

impl Event {
    /// The unit that this is about.
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Event::Accessioned { record, .. }
            | Event::Characterized { record, .. }
            | Event::Moved { record, .. }
            | Event::Audited { record, .. }
            | Event::DestructionOrdered { record, .. }
            | Event::Destroyed { record, .. }
            | Event::ExpulsionOrdered { record, .. }
            | Event::Expelled { record, .. } => Some(Unit::Record(*record)),
            Event::Opened { unit, .. }
            | Event::Described { unit, .. }
            | Event::Closed { unit, .. }
            | Event::Reopened { unit, .. }
            | Event::Damaged { unit, .. }
            | Event::Repaired { unit, .. }
            | Event::Lost { unit, .. }
            | Event::Approved { unit, .. }
            | Event::HoldPlaced { unit, .. }
            | Event::HoldReleased { unit, .. }
            | Event::Reviewed { unit, .. }
            | Event::Proposed { unit, .. }
            | Event::Decided { unit, .. } => Some(*unit),
            Event::Founded { .. }
            | Event::Refreshed { .. }
            | Event::Promoted { .. }
            | Event::FixityChecked { .. }
            | Event::KeyRotated { .. }
            | Event::Timestamped { .. }
            | Event::AuditPledged { .. } => None,
        }
    }

    /// The record that this is about.
    pub fn record(&self) -> Option<RecordId> {
        self.unit().and_then(|unit| unit.record())
    }

    /// The unit that this is about, and its description that is in force after this.
    pub fn names(&self) -> Option<(Unit, Digest)> {
        self.unit().zip(self.description())
    }

    /// The self-description that is in force after this.
    pub fn documents(&self) -> Option<&BTreeMap<String, Digest>> {
        match self {
            Event::Founded { documents } | Event::Refreshed { documents } => Some(documents),
            _ => None,
        }
    }

    /// The description that is in force after this.
    pub fn description(&self) -> Option<Digest> {
        match self {
            Event::Accessioned { description, .. }
            | Event::Opened { description, .. }
            | Event::Described { description, .. }
            | Event::Closed { description, .. }
            | Event::Reopened { description, .. }
            | Event::Moved { description, .. }
            | Event::Characterized { description, .. }
            | Event::Approved { description, .. }
            | Event::HoldReleased { description, .. }
            | Event::Reviewed { description, .. }
            | Event::Proposed { description, .. }
            | Event::Decided { description, .. } => Some(*description),
            Event::Founded { .. }
            | Event::Refreshed { .. }
            | Event::Promoted { .. }
            | Event::FixityChecked { .. }
            | Event::Damaged { .. }
            | Event::Repaired { .. }
            | Event::Lost { .. }
            | Event::KeyRotated { .. }
            | Event::Timestamped { .. }
            | Event::AuditPledged { .. }
            | Event::Audited { .. }
            | Event::HoldPlaced { .. }
            | Event::DestructionOrdered { .. }
            | Event::Destroyed { .. }
            | Event::ExpulsionOrdered { .. }
            | Event::Expelled { .. } => None,
        }
    }

    /// What is kept of a record that ends by this, or says that it has: its stub or its certificate, which lie in
    /// `stubs/`.
    pub fn stub(&self) -> Option<(RecordId, Digest)> {
        match self {
            Event::DestructionOrdered { record, stub, .. } | Event::ExpulsionOrdered { record, stub, .. } => {
                Some((*record, *stub))
            }
            Event::Destroyed { record, certificate } | Event::Expelled { record, certificate } => {
                Some((*record, *certificate))
            }
            _ => None,
        }
    }

    /// Does nothing of a record's content have to be there from here on? From the order on nothing is kept of it.
    pub fn ends(&self) -> Option<RecordId> {
        match self {
            Event::DestructionOrdered { record, .. } | Event::ExpulsionOrdered { record, .. } => Some(*record),
            _ => None,
        }
    }

    /// The unit that this is about, and the description that it names: the one that is in force after this, or the one
    /// that says what was damaged, repaired or lost, or what is kept of a record that ended.
    pub fn told_by(&self) -> Option<(Unit, Digest)> {
        match self {
            Event::Damaged { unit, named_by, .. }
            | Event::Repaired { unit, named_by, .. }
            | Event::Lost { unit, named_by, .. } => Some((*unit, *named_by)),
            _ => self.names().or_else(|| self.stub().map(|(record, digest)| (record.into(), digest))),
        }
    }

    /// The description that it takes the place of.
    pub fn replaces(&self) -> Option<Digest> {
        match self {
            Event::Described { replaces, .. }
            | Event::Closed { replaces, .. }
            | Event::Reopened { replaces, .. }
            | Event::Moved { replaces, .. }
            | Event::Characterized { replaces, .. }
            | Event::Approved { replaces, .. }
            | Event::HoldReleased { replaces, .. }
            | Event::Reviewed { replaces, .. }
            | Event::Proposed { replaces, .. }
            | Event::Decided { replaces, .. } => Some(*replaces),
            _ => None,
        }
    }

    /// Can it be about this kind of unit? A record is not opened, only what takes in closes, and an order is given either
    /// under a case or at somebody's asking.
    pub(in crate::record) fn is_of_its_unit(&self) -> bool {
        match self {
            Event::Opened { unit, .. } => unit.record().is_none(),
            Event::Closed { unit, .. } | Event::Reopened { unit, .. } => matches!(unit, Unit::Fonds(_) | Unit::File(_)),
            Event::Approved { unit, .. } => matches!(unit, Unit::Schedule(_) | Unit::Plan(_) | Unit::Backlog(_)),
            Event::HoldPlaced { unit, .. } => matches!(unit, Unit::Record(_) | Unit::File(_) | Unit::Fonds(_)),
            Event::HoldReleased { unit, .. } => matches!(unit, Unit::Hold(_)),
            Event::Reviewed { unit, .. } | Event::Proposed { unit, .. } | Event::Decided { unit, .. } => {
                matches!(unit, Unit::Case(_))
            }
            Event::DestructionOrdered { case, asked_by, .. } => case.is_some() != asked_by.is_some(),
            _ => true,
        }
    }

    /// The name of the event as it is stored.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Founded { .. } => "founded",
            Event::Accessioned { .. } => "accessioned",
            Event::Opened { .. } => "opened",
            Event::Described { .. } => "described",
            Event::Closed { .. } => "closed",
            Event::Reopened { .. } => "reopened",
            Event::Moved { .. } => "moved",
            Event::Characterized { .. } => "characterized",
            Event::Refreshed { .. } => "refreshed",
            Event::Promoted { .. } => "promoted",
            Event::FixityChecked { .. } => "fixity_checked",
            Event::Damaged { .. } => "damaged",
            Event::Repaired { .. } => "repaired",
            Event::Lost { .. } => "lost",
            Event::KeyRotated { .. } => "key_rotated",
            Event::Timestamped { .. } => "timestamped",
            Event::AuditPledged { .. } => "audit_pledged",
            Event::Audited { .. } => "audited",
            Event::Approved { .. } => "approved",
            Event::HoldPlaced { .. } => "hold_placed",
            Event::HoldReleased { .. } => "hold_released",
            Event::Reviewed { .. } => "reviewed",
            Event::Proposed { .. } => "proposed",
            Event::Decided { .. } => "decided",
            Event::DestructionOrdered { .. } => "destruction_ordered",
            Event::Destroyed { .. } => "destroyed",
            Event::ExpulsionOrdered { .. } => "expulsion_ordered",
            Event::Expelled { .. } => "expelled",
        }
    }
}

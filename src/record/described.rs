//! A description of any unit, read: what a catalog is folded from.

use crate::record::{
    agencies::Register,
    backlog::Backlog,
    description::{Description, NotADescription},
    disposition::case::Case,
    document::{Document, NotADocument},
    file::File,
    fonds::Fonds,
    hold::Hold,
    plan::FilePlan,
    retention::schedule::Schedule,
    unit::{Kind, Unit},
};
use std::sync::Arc;

/// A description by the kind of what it describes.
#[derive(Clone, PartialEq, Debug)]
pub enum Described {
    Record(Arc<Description>),
    Fonds(Arc<Fonds>),
    File(Arc<File>),
    Schedule(Arc<Schedule>),
    Hold(Arc<Hold>),
    Case(Arc<Case>),
    Plan(Arc<FilePlan>),
    Backlog(Arc<Backlog>),
    Register(Arc<Register>),
}

/// What bytes can be refused as a description of a unit for.
#[derive(Debug, thiserror::Error)]
pub enum NotDescribed {
    #[error(transparent)]
    Record(#[from] NotADescription),
    #[error(transparent)]
    Other(#[from] NotADocument),
    #[error("the description is of another unit")]
    Another,
}

impl Described {
    /// Reads the stored description of a unit.
    pub fn read(unit: Unit, bytes: &[u8]) -> Result<Described, NotDescribed> {
        let read = match unit.kind() {
            Kind::Record => Described::Record(Arc::new(Description::from_bytes(bytes)?)),
            Kind::Fonds => Described::Fonds(Arc::new(Fonds::from_bytes(bytes)?)),
            Kind::File => Described::File(Arc::new(File::from_bytes(bytes)?)),
            Kind::Schedule => Described::Schedule(Arc::new(Schedule::from_bytes(bytes)?)),
            Kind::Hold => Described::Hold(Arc::new(Hold::from_bytes(bytes)?)),
            Kind::Case => Described::Case(Arc::new(Case::from_bytes(bytes)?)),
            Kind::Plan => Described::Plan(Arc::new(FilePlan::from_bytes(bytes)?)),
            Kind::Backlog => Described::Backlog(Arc::new(Backlog::from_bytes(bytes)?)),
            Kind::Register => Described::Register(Arc::new(Register::from_bytes(bytes)?)),
        };
        if read.unit() == unit { Ok(read) } else { Err(NotDescribed::Another) }
    }

    /// What it describes.
    pub fn unit(&self) -> Unit {
        match self {
            Described::Record(one) => one.record.into(),
            Described::Fonds(one) => one.fonds.into(),
            Described::File(one) => one.file.into(),
            Described::Schedule(one) => one.schedule.into(),
            Described::Hold(one) => one.hold.into(),
            Described::Case(one) => one.case.into(),
            Described::Plan(one) => one.plan.into(),
            Described::Backlog(one) => one.backlog.into(),
            Described::Register(one) => one.register.into(),
        }
    }

    /// The description of a record, where it is one.
    pub fn record(&self) -> Option<&Arc<Description>> {
        match self {
            Described::Record(one) => Some(one),
            _ => None,
        }
    }
}

impl From<Arc<Description>> for Described {
    fn from(description: Arc<Description>) -> Described {
        Described::Record(description)
    }
}

//! Disposition: how long everything lives, and what becomes of it then.
//!
//! ```text
//! due ─► review ─► propose ─► decide (another person) ─► destroy ─► certify
//!  │        │          │           │                        │          │
//! due.rs   cases.rs: council,  the head, not one of    execution.rs   the certificate of
//!          opinions, votes     those who reviewed                     every record
//! ```
//!
//! - **due** ([`mod@due`], [`schedules`]): a schedule that a head approved says how long a class lives; the clock counts from
//!   what descriptions tell, and [`due::explain`] says how, for today and for any day in the past.
//! - **review, propose, decide** ([`cases`]): what is due is listed in a case; the council looks at each unit and proposes;
//!   the competent head, who took no part in it, decides.
//! - **destroy, certify** ([`execution`]): the order is committed, which is the point of no return; then every place is
//!   emptied and looked at again, and the certificate says what was done and what it does not cover.
//! - **transfer** ([`transfers`]): what is permanent goes to the historical archive in its time.
//! - **holds** ([`holds`]) stand across all of it until the order, and **secrets** ([`secrets`]) go another way: a record that
//!   must not be here is hidden at the first suspicion and expelled by two people.
//!
//! Each act is `read → judge → keep → commit`: what is in force is read, a pure rule of [`crate::record::retention`],
//! [`crate::record::disposition`], [`crate::record::hold`] or [`crate::record::secrecy`] judges it, the new description is kept
//! and the event that names it is committed.
//!
//! # Why
//! *Nothing is destroyed by a number in a database.* What falls due is found in the catalog, because there are many; before
//! anything is listed, decided or ordered it is counted again from the descriptions that the ledger names.
//!
//! *What cannot be undone is asked of the ledger.* Holds and approvals are folded from its entries at the order, under the
//! writer's own lock, and not from the catalog.
//!
//! *People decide, and not the same ones twice.* Who drafts a schedule does not approve it, who reviews does not decide, who
//! asks for a hold does not release it, who confirms a secret does not order it out.
//!
//! *Refused*: a setting that destroys without a case ("after so many days"), a shorter way for one record (there is one for
//! wrong deposits, which have a basis and a second person), and an undo: from the order on there is none, and none is shown.

pub mod cases;
pub mod due;
pub mod execution;
pub mod holds;
pub mod schedules;
pub mod secrets;
pub mod transfers;

use crate::archive::{ArchiveError, order::OrderError};
use crate::catalog::CatalogError;
use crate::record::{
    arranging, disposition::refusal::Refusal, document::NotADocument, hold::HoldRefusal, retention::flaw::Flaw,
    secrecy::SecrecyRefusal, unit::Unit,
};

pub use crate::record::disposition::act::Who;
pub use due::{due, explain, forecast, simulate};
pub use schedules::{approve_schedule, open_schedule, revise_schedule, schedule, version};
pub use transfers::transfers;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DispositionError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The rules of cases and destruction do not let it be done.
    #[error("{0}")]
    Refused(Refusal),
    /// The rules of holds do not.
    #[error("{0}")]
    Held(HoldRefusal),
    /// The rules of secrecy marks do not.
    #[error("{0}")]
    Secrecy(SecrecyRefusal),
    /// It is not there, not this person's, or lacks its decision.
    #[error("{0}")]
    Arranging(arranging::Refusal),
    /// A schedule has flaws that are to be mended first.
    #[error("{} thiếu sót / flaws", .0.len())]
    Flawed(Vec<Flaw>),
    #[error(transparent)]
    Document(#[from] NotADocument),
}

impl From<Refusal> for DispositionError {
    fn from(refusal: Refusal) -> DispositionError {
        DispositionError::Refused(refusal)
    }
}

impl From<HoldRefusal> for DispositionError {
    fn from(refusal: HoldRefusal) -> DispositionError {
        DispositionError::Held(refusal)
    }
}

impl From<SecrecyRefusal> for DispositionError {
    fn from(refusal: SecrecyRefusal) -> DispositionError {
        DispositionError::Secrecy(refusal)
    }
}

impl From<arranging::Refusal> for DispositionError {
    fn from(refusal: arranging::Refusal) -> DispositionError {
        DispositionError::Arranging(refusal)
    }
}

impl From<OrderError> for DispositionError {
    fn from(error: OrderError) -> DispositionError {
        match error {
            OrderError::Archive(error) => DispositionError::Archive(error),
            OrderError::Refused(refusal) => DispositionError::Refused(refusal),
        }
    }
}

/// What an act came to: what it was done to, and the entry that says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    pub unit: Unit,
    pub entry: u64,
}

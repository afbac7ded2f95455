//! Arrangement: fonds and files are opened, described, closed and handed over; records are described anew and moved; lists
//! of files, backlog work and the register of agencies are kept.
//!
//! `read → judge → keep → commit`: each act reads what is in force, asks the rule that has the article beside it
//! ([`crate::record::file_state::after`], [`crate::record::fonds`]), keeps the new description, and commits the event that
//! names it.
//!
//! # Why
//! *The rules are elsewhere.* Who may do what, and what is missing, are pure functions with tables under them; here is only
//! the way from what the archive knows to their answer.
//!
//! *The catalog lends, the ledger decides.* That a code is taken is read from the catalog; two who take it at once are
//! both let in, and the list of files shows them. What must never be doubled, a new description of the same one, is
//! refused by the commit.

mod backlog;
mod files;
mod fonds;
mod history;
mod overdue;
mod plans;
mod records;
mod register;

use crate::archive::{ArchiveError, keep::random};
use crate::catalog::CatalogError;
use crate::record::{
    arranging::Refusal,
    document::{NotADocument, Salt},
    flaw::{Flaw, stops},
    unit::Unit,
};

pub use backlog::{
    CarriedOut, Work, approve_backlog, backlog, carry_out, describe_backlog, open_backlog, place_in_draft, reject,
    reopen_backlog, scope,
};
pub use files::{act, describe_file, file, inside, open_file};
pub use fonds::{close_fonds, custodian_at, fonds, open_fonds, to_close};
pub use history::{Revision, differences};
pub use overdue::overdue;
pub use plans::{OpenedFiles, PlanDraft, approve_plan, copy_plan, describe_plan, open_plan, open_planned, plan};
pub use records::{describe_record, move_record};
pub use register::take_register;

/// Why something was not arranged.
#[derive(Debug, thiserror::Error)]
pub enum ArrangementError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The rules do not let it be done.
    #[error("{0}")]
    Refused(Refusal),
    /// These have to be mended first.
    #[error("{} thiếu sót / flaws", .0.len())]
    Flawed(Vec<Flaw>),
    #[error(transparent)]
    Document(#[from] NotADocument),
}

impl From<Refusal> for ArrangementError {
    fn from(refusal: Refusal) -> ArrangementError {
        ArrangementError::Refused(refusal)
    }
}

/// What an act came to: the entry, and what people should look at.
#[derive(Clone, PartialEq, Debug)]
pub struct Arranged {
    pub unit: Unit,
    pub entry: u64,
    pub flaws: Vec<Flaw>,
}

/// A salt that nobody can guess.
fn salt() -> Result<Salt, ArchiveError> {
    Ok(Salt::new(random()?))
}

/// Stops where one of these is an error.
fn expect_sound(flaws: Vec<Flaw>) -> Result<Vec<Flaw>, ArrangementError> {
    if stops(&flaws) { Err(ArrangementError::Flawed(flaws)) } else { Ok(flaws) }
}

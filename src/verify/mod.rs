//! Is what we hold what we said? Reads only.
//!
//! [`receipt`] judges one file by its receipt: no archive, no network, no clock.
//!
//! # Why
//! - **A verdict is a value, not an error.** Corrupt bytes are what this module is for; each comes back as
//!   a [`Verdict`] with a sentence that says what was checked and what to do.
//! - **It cannot see the archive, the catalog or the index**, so that it can judge them.
//! - **Doubt is never 0.** What cannot be checked is incomplete, and what contradicts a digest or a
//!   signature is evidence of tampering even if the cause was a mistake: the reader decides what it was.
//! - `verify.sh` and `verify.py`, which lie in every archive, judge by the same steps in the same order
//!   (`src/archive/place/`): receipts all three, whole archives `verify.py`. Tests hold them to the same exit codes
//!   (`tests/ledger/mutations.rs`, `tests/archive/mutations.rs`): what one of them accepts, all must.

pub mod archive;
pub mod audit;
pub mod description;
pub mod log;
pub mod policy;
pub mod published;
pub mod receipt;
pub mod records;
pub mod sequence;
mod signed;
mod stubs;
pub mod timestamps;

/// The four answers, with the exit codes that every verifier of an archive shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All that was asked was checked, and it holds.
    Holds,
    /// Something contradicts a signature or a digest.
    Tampered,
    /// Nothing contradicts, but something needed for the whole answer is missing.
    Incomplete,
    /// Not a question that can be answered: a wrong file in the wrong place.
    Usage,
}

impl Outcome {
    /// The exit code of a program that ends with this answer.
    pub fn exit_code(&self) -> u8 {
        match self {
            Outcome::Holds => 0,
            Outcome::Tampered => 1,
            Outcome::Incomplete => 2,
            Outcome::Usage => 3,
        }
    }
}

/// An answer, and in two languages what was checked, what failed and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub outcome: Outcome,
    pub english: String,
    pub vietnamese: String,
}

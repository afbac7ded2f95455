//! Fixity (tính toàn vẹn): how far a place has been read and hashed again.

use crate::record::entry::Instant;
use serde::{Deserialize, Serialize};

/// What is known of one place. Where it is lost, all of it is read anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When the last round that came to its end had begun: nothing has gone unread for longer.
    pub whole: Option<Instant>,
    /// The round that is under way.
    pub round: Option<Round>,
}

/// A round through everything that a place holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    pub began: Instant,
    /// The entries before this one are what it is about.
    pub to: u64,
    /// The first accession that has not been looked at.
    pub next: u64,
    pub records: u64,
    pub components: u64,
    pub bytes: u64,
    pub faults: u64,
}

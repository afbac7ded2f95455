//! Disposition (xử lý khi hết thời hạn): who ends the life of a record, in which steps, and what remains of it.
//!
//! ```text
//! listed ─► council ─► reviewed ─► proposed ─► (appraised) ─► decided ─► ordered ─► destroyed ─► closed
//!   │          ▲  ◄───────┴────────────┴──────────────┘ ways back, each with a reason
//!   └─ "Xem xét hủy": expired, or a duplicate that a person found
//! ```
//!
//! [`case::Case`] is the file of it and [`after::after`] the one function that changes it. [`order`] decides once more, at
//! the moment of the commit and from the ledger alone. [`withdrawal`] is for what was deposited by mistake; [`stub`] and
//! [`certificate`] are what remains. `crate::record::secrecy` is no disposition: what must not be here at all.
//!
//! # Why
//! *Two machines and not one.* The case speaks to people: it knows names, reasons, papers, and says what to do next. The
//! order speaks to nobody: it knows identifiers and the order of entries, so that a race, a second process or a
//! forgotten check in a page cannot destroy anything. A bug would have to be in both.
//!
//! *The council advises and the head decides* (TT 06/2025/TT-BNV, Hội đồng xét hủy). The head may spare what the council
//! would destroy. What the council would keep the head can only send back to it.
//!
//! *Refused: deciding by silence.* Nothing becomes destroyable because a date has passed; a date only lists it.

pub mod act;
pub mod after;
pub mod basis;
pub mod case;
pub mod certificate;
mod council;
pub mod days;
mod decision;
mod listing;
pub mod order;
pub mod refusal;
pub mod rules;
pub mod stub;
pub mod transfer;
pub mod withdrawal;

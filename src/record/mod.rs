//! What do we talk about? Pure types and pure rules.
//!
//! No I/O, no async, no clock: whoever calls brings the time, the random bytes and the text.
//! Everything else in the crate speaks in these words.
//!
//! # Why
//! A rule that needs a database to be tested is a rule nobody tests. Everything here is a value or a
//! function from values to values, and has a table test beside it.

pub mod access;
pub mod actor;
pub mod agencies;
pub mod arranging;
pub mod audit;
pub mod backlog;
pub mod backup;
pub mod closing;
pub mod codes;
pub mod component;
pub mod consultation;
pub mod date;
pub mod day;
pub mod described;
pub mod description;
pub mod difference;
pub mod digest;
pub mod disposition;
pub mod document;
pub mod entry;
mod event;
pub mod fields;
pub mod file;
pub mod file_state;
pub mod filecode;
pub mod finding;
pub mod fixity;
pub mod flaw;
pub mod fonds;
pub mod form;
pub mod hold;
pub mod id;
mod line;
pub mod metadata;
pub mod number;
pub mod overdue;
pub mod package;
pub mod plan;
pub mod refusal;
pub mod retention;
pub mod sampling;
pub mod secrecy;
pub mod secrecy_mark;
pub mod stamp;
pub mod term;
pub mod text;
pub mod unit;

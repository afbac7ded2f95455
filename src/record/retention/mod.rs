//! How long does it live, why, and who may end it? The rules of retention, as values and pure functions.
//!
//! A schedule (bảng thời hạn lưu trữ) is a versioned document with its legal source; its classes say how long ([`period`])
//! and from when ([`trigger`]). The clock ([`clock`]) turns a class and what is known of a file into the day on which it
//! becomes due ([`assign`] reads both out of descriptions); the derivation ([`derivation`]) says the same in words; [`change`] and [`forecast`] count what that means
//! for many.
//!
//! # Why
//! - *What is not known never makes anything due.* A missing date, an event that nobody told of, a class that nobody
//!   gave: each is a named thing that the clock waits for, and waiting is longer than any day.
//! - *The law is read where it can be seen.* Which day a period of years ends is a reading with a name ([`clock::Reading`]),
//!   the figures of the law are settings with their articles ([`rules::Rules`]); neither is a constant in a formula.
//! - *A hold and a longer record only ever lengthen*: both go through one function, the longest of what there is.
//! - Refused: expressions and scripts as rules (nobody can test what a schedule may say then), and a table of due dates
//!   that is computed at night (it is wrong all day).

pub mod assign;
pub mod change;
pub mod check;
pub mod clock;
pub mod day;
pub mod derivation;
pub mod explain;
pub mod flaw;
pub mod forecast;
pub mod gate;
pub mod period;
pub mod rules;
pub mod schedule;
pub mod trigger;
pub mod words;

#[cfg(test)]
mod tests;

//! The door over HTTP. `router` is its table of contents.
//!
//! Reading order: `state` (the open archive), `language`, `error` (what went wrong, in words), `ruled` (what rules
//! refuse), `identity` (who asks), `limits` (what every request passes), `parts` (forms as they arrive), `router`, `api` (one file a resource),
//! `web` (one file a page), `serve` (start and stop).
//!
//! # Why
//! *A handler asks a flow and shows its answer*; what may be read is decided in `access`, what is wrong with a
//! package in `exchange` and `ingest`. A record that one may not see answers exactly as one that is not there.

pub mod api;
pub mod error;
pub mod identity;
pub mod language;
mod limits;
mod parts;
pub mod router;
mod ruled;
pub mod serve;
pub mod state;
mod web;

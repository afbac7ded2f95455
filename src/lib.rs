//! Vankho (văn khố, "archive storehouse"): an electronic records archive.
//!
//! The archive is plain files in object storage plus one append-only, tamper-evident ledger; everything
//! else is derived from them and may be thrown away.
//!
//! # Invariants
//! 1. `record` does no I/O: every rule is a pure function with a table test.
//! 2. Only `archive::commit` appends to the ledger.
//! 3. `catalog` and `index` never open the store and never originate a fact. Delete both, run
//!    `vankho rebuild`, and every answer is the same. Start-up, the live path and rebuild run one `apply`.
//! 4. `verify` cannot see `archive`, `catalog` or `index`; it can judge them because it does not depend on them.
//! 5. The ledger holds digests of salted descriptions, identifiers, codes and times: never content, never a
//!    component's own digest, never personal text.
//! 6. Originals are never altered. Text is a rendition beside the original.
//! 7. Permission is part of the query, never a filter after paging.
//!
//! # Reading order
//! The order of the modules below is the order in which to read them, and the order of the table in
//! `tests/architecture.rs`: a module may import only what stands above it.

#![warn(clippy::dbg_macro, clippy::todo)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod record;

pub mod config;

pub mod store;

pub mod ledger;

pub mod verify;

pub mod witness;

pub mod content;

pub mod catalog;

pub mod index;

pub mod desk;

pub mod archive;

pub mod arrangement;

pub mod ingest;

pub mod characterization;

pub mod access;

pub mod fixity;

pub mod backup;

pub mod evidence;

pub mod disposition;

pub mod exchange;

pub mod http;

pub mod worker;

pub mod cli;

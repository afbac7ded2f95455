//! What happened, in what order, provably?
//!
//! The ledger (sổ cái) is an append-only Merkle tree over entries, one line of JSON each. It is stored as
//! C2SP has it, so that tools nobody here wrote can check it: tiles and entry bundles (tlog-tiles), a
//! checkpoint (tlog-checkpoint) that is a signed note (signed-note), receipts (tlog-proof). Hashes are
//! those of RFC 6962 over SHA-256, signatures Ed25519 (RFC 8032).
//!
//! In reading order: [`merkle`] (hashes and proofs), [`tile`] (where they lie), [`edge`] (all that
//! appending needs), [`note`], [`cosignature`] (what witnesses add), [`checkpoint`], [`keys`] (who says so),
//! [`commit`] (the lock), [`proof`] (the receipt), [`offer`] (what witnesses
//! are asked), [`timestamp`] and [`authority`] (what timestamping authorities say, and who they are).
//!
//! # Why
//! - **Planning is apart from fetching.** [`merkle`] names the nodes that a proof needs and never asks for
//!   them: the same rules serve a tree in memory, a folder and a bucket, without a trait or an `async`.
//! - **One spelling.** Everything that is read must be exactly what would be written: base64 that does not
//!   re-encode to itself, a leading zero, a carriage return, an extension line are refused. Two spellings
//!   of one receipt would be two files that both hold, and a place to hide something.
//! - **Numbers have 18 digits at most**, so that a shell with 64-bit signed arithmetic judges as we do.
//! - **A commit is signed under another name than a checkpoint**, with the same key. Two keys were refused:
//!   two secrets to back up, and nothing gained, for the name is part of both the key id and the text.
//! - **`verify_strict`**: signatures that hold only under lenient rules would split verifiers.
//! - Refused: a Merkle crate (they hash in memory, and ours is two hundred lines that an auditor can read),
//!   and any signature algorithm besides Ed25519 (an unknown signature line is ignored, so a later
//!   one can be added beside it).

pub mod merkle;

pub mod tile;

pub mod edge;

pub mod note;

pub mod cosignature;

pub mod checkpoint;

pub mod primacy;

pub mod keys;

pub mod commit;

pub mod proof;

pub mod offer;

mod timestamp_forms;

pub mod authority;

pub mod timestamp;

pub mod log;

mod room;

pub mod replay;

pub mod published;

pub mod follow;

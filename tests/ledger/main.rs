//! The ledger's pure parts against independent implementations, and its receipts through all three
//! verifiers.

mod mutate;
mod mutations;
mod notes;
mod place;
mod receipts;
mod tree;
mod vectors;
mod witnessed;

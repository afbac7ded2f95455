//! The archive as a whole. Every test here ends with `world.check()`.

mod arrangement;
mod audits;
mod authority;
mod backup;
mod command;
mod consultations;
mod damage;
mod disposing;
mod disposition;
mod disposition_holds;
mod disposition_refused;
mod disposition_secrets;
mod dossiers;
mod ended;
mod endings;
mod fixity;
mod fuzz;
mod hostile;
mod intake;
mod kept;
#[path = "../ledger/mutate.rs"]
mod mutate;
mod mutations;
mod place;
mod plans;
mod race;
mod replicas;
mod rewrite;
mod rights;
mod rotation;
mod sample;
mod scan;
mod schedules;
mod small;
mod soon;
mod tamper;
mod timestamps;
mod units;
#[allow(dead_code, reason = "each binary of tests uses its own part of the world")]
mod world;

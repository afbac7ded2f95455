//! The door over HTTP: a real server process, and a client that knows nothing of its inside.

mod arrangement;
mod audits;
mod deposit;
mod disposition;
mod ending;
mod hardship;
#[path = "../archive/kept.rs"]
#[allow(dead_code, reason = "here only what happened is asked")]
mod kept;
mod killed;
mod logs;
mod openapi;
mod refusals;
mod remote;
mod rights;
#[path = "../archive/scan.rs"]
#[allow(dead_code, reason = "the tests of the archive look at its segments too")]
mod scan;
mod service;
#[path = "../store/server.rs"]
#[allow(dead_code, reason = "the other tests of storage use more of it")]
mod server;
#[path = "../archive/small.rs"]
mod small;
#[path = "../ledger/place.rs"]
#[allow(dead_code, reason = "the tests of the ledger use more of it")]
mod tree;
mod witness;
mod witnessed;
#[path = "../archive/world.rs"]
#[allow(dead_code, reason = "each binary of tests uses its own part of the world")]
mod world;

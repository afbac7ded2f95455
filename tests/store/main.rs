//! What an archive asks of its storage: one suite over memory, disk and two S3 servers, and an archive on each.

mod conformance;
mod moto;
mod processes;
mod served;
#[allow(dead_code, reason = "the tests of the door use more of it")]
mod server;
#[path = "../http/service.rs"]
#[allow(dead_code, reason = "the tests of the door use more of it")]
mod service;
#[path = "../archive/world.rs"]
#[allow(dead_code, reason = "each binary of tests uses its own part of the world")]
mod world;

//! The pages: in a real Chromium, as people use them, and over plain HTTP, as strangers would.

mod arrangement;
mod browser;
mod disposal;
mod journey;
mod manners;
#[path = "../http/service.rs"]
#[allow(dead_code, reason = "the tests of the API use more of it")]
mod service;
#[path = "../archive/world.rs"]
#[allow(dead_code, reason = "each binary of tests uses its own part of the world")]
mod world;

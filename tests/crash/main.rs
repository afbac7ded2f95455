//! Nothing acknowledged is ever lost, whatever fails and whenever the process dies: the fault matrix, kill -9
//! of the real process, and the order of writes as the kernel sees it.

#[allow(dead_code, reason = "here it always answers")]
#[path = "../archive/authority.rs"]
mod authority;
mod acts;
mod backup;
#[allow(dead_code, reason = "of real data only what is taken in")]
#[path = "../corpus/convert.rs"]
mod convert;
#[allow(dead_code, reason = "the tests of the archive use all of it")]
#[path = "../archive/disposing.rs"]
mod disposing;
mod disposition;
mod durable;
#[allow(dead_code, reason = "the simulation uses another part of it")]
mod faulty;
mod kill;
mod matrix;
mod primary;
mod process;
mod stamps;
#[allow(dead_code, reason = "each binary of tests uses its own part of the world")]
#[path = "../archive/world.rs"]
mod world;

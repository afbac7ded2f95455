//! Random lives of an archive against a model of what it promises: every life is made from one seed, and a life in
//! which a promise is broken prints the line that repeats it.
//!
//! 500 lives in a usual run, 10,000 when `VANKHO_FULL=1`; `VANKHO_SEED` says where they begin, `VANKHO_LIVES` how
//! many there are. With `VANKHO_TOLD=1` each life tells what happened in it.

mod decay;
mod disk;
mod ending;
#[allow(dead_code, reason = "the crash matrix uses another part of it")]
#[path = "../crash/faulty.rs"]
mod faulty;
mod flows;
mod life;
mod lives;
mod model;
#[allow(dead_code, reason = "each binary of tests uses its own part of the world")]
#[path = "../archive/world.rs"]
mod world;

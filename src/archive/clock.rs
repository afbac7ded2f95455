//! The one clock. The only seam that exists for tests: time can be moved, everything else is real.

use crate::record::entry::Instant;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that a test moves: microseconds since 1970.
    Moved(Arc<AtomicI64>),
}

impl Clock {
    /// Now, in UTC. The only place that may ask the machine (clippy.toml refuses it elsewhere).
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> Instant {
        Instant::from_micros(match self {
            Clock::System => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
                Err(_) => 0,
            },
            Clock::Moved(micros) => micros.load(Ordering::SeqCst),
        })
    }
}

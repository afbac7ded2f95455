//! How much may wait between `put` and the index's own thread.
//!
//! # Why
//! The index library's queue holds ten thousand documents whatever their size; ten thousand long ones
//! would be gigabytes. So a document claims its bytes here, and gives them back when it was taken in.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes waiting, against a limit.
pub struct Backlog {
    waiting: Mutex<usize>,
    freed: Condvar,
    bytes_max: usize,
}

/// A share of the backlog; dropping it gives it back.
pub struct Claim {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Backlog {
    pub fn new(bytes_max: usize) -> Arc<Backlog> {
        Arc::new(Backlog { waiting: Mutex::new(0), freed: Condvar::new(), bytes_max })
    }

    /// Waits until there is room. A document larger than the limit goes through alone.
    pub fn claim(self: &Arc<Backlog>, bytes: usize) -> Claim {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting > 0 && *waiting + bytes > self.bytes_max {
            waiting = self.freed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        *waiting += bytes;
        Claim { backlog: self.clone(), bytes }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        *self.backlog.waiting.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.backlog.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_full_waits_and_what_is_too_large_goes_alone() {
        let backlog = Backlog::new(10);
        drop(backlog.claim(100));
        let held = backlog.claim(8);
        let waiting = {
            let backlog = backlog.clone();
            std::thread::spawn(move || drop(backlog.claim(5)))
        };
        drop(held);
        waiting.join().unwrap();
        assert_eq!(*backlog.waiting.lock().unwrap(), 0);
    }
}

//! The background rounds of an open archive: the texts of what was taken in, fixity, audits, backups, witnesses,
//! timestamps, what was consulted, and what was ordered to be destroyed.
//!
//! # Why
//! *A round asks what there is to do*, it is not told: killed anywhere, the next one finds the same. Dropping
//! the future ends it.

pub mod audits;
mod backup;
pub mod consultations;
pub mod disposition;
pub mod dossiers;
mod fixity;

use crate::archive::Archive;
use crate::characterization;
use crate::evidence::{timestamps, witnesses};
use std::{path::Path, time::Duration};

/// How long nothing is asked where nothing waited.
const PAUSE: Duration = Duration::from_secs(1);
/// And where the archive could not do its part.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);

/// Run until they are dropped.
pub async fn rounds(archive: &Archive) {
    tokio::join!(
        reading(archive),
        fixity::rounds(archive),
        audits::rounds(archive),
        backup::rounds(archive),
        witnesses::rounds(archive),
        timestamps::rounds(archive),
        consultations::rounds(archive),
        disposition::rounds(archive)
    );
}

async fn reading(archive: &Archive) {
    if !archive.config.server.characterize {
        return;
    }
    loop {
        // The running program, also where an upgrade has replaced its file.
        let mut hear = |read: characterization::Characterized| {
            tracing::info!(record.id = %read.record, pages = read.pages, "record read");
        };
        let round = characterization::read_waiting(archive, Path::new("/proc/self/exe"), &mut hear).await;
        let pause = match round {
            Ok(()) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "a round of reading ended early; it begins again");
                PAUSE_AFTER_ERROR
            }
        };
        tokio::time::sleep(pause).await;
    }
}

//! Rounds of audits: what was pledged and has not ended is carried out, and by the calendar the archive pledges one itself.
//!
//! # Why
//! *Whoever asks for an audit waits for its pledge alone.* What takes long is done here, one audit after the other; killed
//! anywhere, the next round finds the pledge.

use crate::archive::{Archive, ArchiveError};
use crate::evidence::audits;
use crate::record::{audit::Pledged, entry::Instant};
use std::time::Duration;

/// Between two looks whether an audit was pledged, or is due.
const PAUSE: Duration = Duration::from_millis(500);
/// After an audit that could not be carried out; it is tried again at least this often.
const BACKOFF_FIRST: Duration = Duration::from_secs(5);
const BACKOFF_MAX: Duration = Duration::from_secs(600);

/// Runs until it is dropped.
pub async fn rounds(archive: &Archive) {
    let mut backoff = BACKOFF_FIRST;
    loop {
        let pause = match round(archive).await {
            Ok(()) => {
                backoff = BACKOFF_FIRST;
                PAUSE
            }
            Err(error) => {
                tracing::warn!(%error, "an audit ended early; it is begun anew");
                backoff = BACKOFF_MAX.min(backoff * 2);
                backoff
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Pledges what is due, and carries out what is open.
pub async fn round(archive: &Archive) -> Result<(), ArchiveError> {
    let newest = archive.catalog.audits(u64::MAX, 1).await?.into_iter().next();
    let (now, pledged) = (archive.clock.now(), newest.map(|audit| audit.pledged));
    if let Some(pledged) = &pledged {
        let seconds = (now.micros() - pledged.at.micros()).max(0) / 1_000_000;
        metrics::gauge!("vankho_audit_age_seconds").set(seconds as f64);
    }
    if is_due(archive, now, pledged.as_ref())
        && let Ok(terms) = archive.config.audit.terms()
    {
        audits::pledge(archive, archive.operator, None, terms).await?;
    }
    let open = archive.catalog.audits_open().await?;
    metrics::gauge!("vankho_audits_open").set(open.len() as f64);
    for pledged in open {
        audits::carry_out(archive, &pledged, &|_, _| {}).await?;
    }
    Ok(())
}

/// Has the period begun, and no audit been pledged in it?
fn is_due(archive: &Archive, now: Instant, newest: Option<&Pledged>) -> bool {
    let began = archive.config.audit.calendar.began(now);
    began.is_some_and(|began| newest.is_none_or(|newest| newest.at < began))
}

//! The consultations of a day that is over, sealed as records.

use crate::archive::{Archive, ArchiveError};
use crate::ingest::{self, Fate};
use futures::stream;
use std::time::Duration;

/// Between two looks whether a day is over.
const PAUSE: Duration = Duration::from_secs(60);
/// What the desk's journal calls it.
const SOURCE: &str = "consultations";

/// Runs until it is dropped.
pub async fn rounds(archive: &Archive) {
    loop {
        if let Err(error) = seal(archive).await {
            tracing::warn!(%error, "the consultations of a day could not be sealed; it is tried again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// `noted → record → forgotten at the desk`, day by day.
///
/// If we stop here, the record is there or it is not; the next round hands the same lines over, and they are kept once.
pub async fn seal(archive: &Archive) -> Result<(), ArchiveError> {
    let today = archive.clock.now().day();
    while let Some((day, last)) = archive.desk.day_before(&today).await? {
        let packages = day.packages().map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
        let (wanted, mut kept) = (packages.len(), 0);
        let mut hear = |outcome: ingest::Outcome| kept += usize::from(matches!(outcome.fate, Fate::Kept { .. }));
        ingest::receive(archive, SOURCE, stream::iter(packages), &mut hear).await?;
        if kept < wanted {
            return Err(ArchiveError::Conflict(format!("{kept} of {wanted} parts of {} were kept", day.day)));
        }
        archive.desk.forget_consultations(&day, last).await?;
        metrics::counter!("vankho_consultations_sealed_total").increment(day.consultations.len() as u64);
        tracing::info!(day = day.day, consultations = day.consultations.len(), "the consultations of a day are sealed");
    }
    Ok(())
}

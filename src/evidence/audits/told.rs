//! Audits as they are shown: one shape for the API, for the command line, and for a command line that asks the API.

use crate::archive::{Archive, ArchiveError, audits::Progress};
use crate::catalog::audits::Audit;
use crate::record::audit::{Ended, Pledged};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An audit, as far as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// The entry that pledged it: its name.
    pub audit: u64,
    /// `pledged` and not begun, or interrupted; `under_way`; or `ended`.
    pub state: String,
    /// When it was pledged, in UTC.
    pub pledged: String,
    /// Who asked for it.
    pub by: String,
    /// Entries of the state that is audited, and its root.
    pub size: u64,
    pub root: String,
    pub nonce: String,
    /// Who brought it: `auditor` or `archive`.
    pub nonce_by: String,
    pub share_ppm: u32,
    pub confidence_ppm: u32,
    /// Entries of the sample.
    pub sample: u64,
    /// How many of them have been looked at, where it is under way.
    pub done: Option<u64>,
    /// What it came to, where it ended.
    pub outcome: Option<Outcome>,
}

/// What an audit came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// The entry that says so.
    pub entry: u64,
    /// When, in UTC.
    pub at: String,
    /// The record in which the report is kept; absent for those who may not read it.
    pub record: Option<String>,
    pub faults: u64,
    pub repaired: u64,
    pub lost: u64,
}

impl Told {
    fn of(Audit { pledged, ended }: Audit, progress: Option<Progress>) -> Told {
        let sample = pledged.terms().map_or(0, |terms| terms.size(pledged.size));
        let Pledged { seq, at, by, size, root, nonce, nonce_by, share_ppm, confidence_ppm } = pledged;
        let state = match (&ended, progress) {
            (Some(_), _) => "ended",
            (None, Some(_)) => "under_way",
            (None, None) => "pledged",
        };
        Told {
            audit: seq,
            state: state.into(),
            pledged: at.to_string(),
            by: by.to_string(),
            size,
            root: root.to_string(),
            nonce: nonce.to_string(),
            nonce_by: nonce_by.as_str().into(),
            share_ppm,
            confidence_ppm,
            sample,
            done: progress.filter(|_| ended.is_none()).map(|progress| progress.done),
            outcome: ended.map(Outcome::from),
        }
    }

    /// For those who may see that there are audits, and not their reports.
    pub fn without_record(mut self) -> Told {
        self.outcome.iter_mut().for_each(|outcome| outcome.record = None);
        self
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Outcome {
        let Ended { seq, at, record, faults, repaired, lost, .. } = ended;
        Outcome { entry: seq, at: at.to_string(), record: Some(record.to_string()), faults, repaired, lost }
    }
}

/// Audits that were pledged before an entry, the newest first.
pub async fn list(archive: &Archive, before: u64, limit: u32) -> Result<Vec<Told>, ArchiveError> {
    let audits = archive.catalog.audits(before, limit).await?;
    let told = |audit: Audit| {
        let progress = archive.audit_progress(audit.pledged.seq);
        Told::of(audit, progress)
    };
    Ok(audits.into_iter().map(told).collect())
}

/// The audit that an entry pledged; `None` where it pledged none.
pub async fn one(archive: &Archive, audit: u64) -> Result<Option<Told>, ArchiveError> {
    let found = archive.catalog.audit(audit).await?;
    Ok(found.map(|found| Told::of(found, archive.audit_progress(audit))))
}

//! Audits on demand: `pledge → draw → look → report → keep → Audited`.
//!
//! Reading order: this file (the flow), `look` (the sample, read at every place), `told` (how audits are shown).
//!
//! # Why
//! *Pledged before anything is looked at.* The pledge names the checkpoint, the nonce and the terms, in the ledger: nobody
//! can choose another state afterwards, and an audit that goes badly cannot be forgotten. From then on it is carried out,
//! or stands in the list as one that was not.
//!
//! *The ledger remembers for an audit that was interrupted.* It begins anew, and what was found and repaired since the
//! pledge is told in its report too, whoever found it: an audit is not made clean by breaking it off.
//!
//! *The newest checkpoint that enough witnesses cosigned*, where there are witnesses: what they have seen the archive
//! cannot take back. Where there are none, the newest, and the report says so.

mod look;
pub mod told;

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::evidence::{cosigned, newest, prove};
use crate::ledger::{checkpoint::Checkpoint, proof::Receipt};
use crate::record::{
    audit::{Ended, NonceBy, Pledged, Report, SCHEMA, Signed, Totals},
    description::Description,
    digest::Digest,
    entry::Event,
    id::{ActorId, RecordId},
    sampling::{self, Terms},
};
use crate::store::layout;
use bytes::Bytes;
use look::Asked;

/// Audits that may be open at once: more are told to come later.
const OPEN_MAX: usize = 16;
/// The software that makes reports.
const MADE_BY: &str = concat!("vankho ", env!("CARGO_PKG_VERSION"));

/// Hears how many entries of the sample have been looked at, and of how many.
pub type Tell = dyn Fn(u64, u64) + Send + Sync;

/// The state of the ledger that is audited.
struct State {
    checkpoint: Checkpoint,
    /// With the lines of the witnesses that cosigned it.
    note: String,
    witnesses: usize,
}

/// A whole audit: pledged, and carried out.
pub async fn audit(
    archive: &Archive,
    by: ActorId,
    nonce: Option<Digest>,
    terms: Terms,
    tell: &Tell,
) -> Result<Ended, ArchiveError> {
    let pledged = pledge(archive, by, nonce, terms).await?;
    carry_out(archive, &pledged, tell).await
}

/// Are there as many open audits as may be?
pub async fn are_many(archive: &Archive) -> Result<bool, ArchiveError> {
    Ok(archive.catalog.audits_open().await?.len() >= OPEN_MAX)
}

/// Pledges an audit. One that is open on the same terms is the same audit: who was interrupted goes on with it.
pub async fn pledge(
    archive: &Archive,
    by: ActorId,
    nonce: Option<Digest>,
    terms: Terms,
) -> Result<Pledged, ArchiveError> {
    let same = |open: &Pledged| {
        let drawn = nonce.map_or(open.nonce_by == NonceBy::Archive, |nonce| nonce == open.nonce);
        drawn && open.terms() == Ok(terms)
    };
    if let Some(open) = archive.catalog.audits_open().await?.into_iter().find(same) {
        return Ok(open);
    }
    archive.publish().await?;
    let State { checkpoint, note, .. } = state_now(archive).await?;
    let Checkpoint { size, root, .. } = checkpoint;
    let nonce_by = if nonce.is_some() { NonceBy::Auditor } else { NonceBy::Archive };
    let nonce = nonce.map_or_else(|| random().map(Digest), Ok)?;
    let (share_ppm, confidence_ppm) = (terms.share_ppm(), terms.confidence_ppm());
    let event = Event::AuditPledged { size, root, nonce, nonce_by, share_ppm, confidence_ppm };
    let seq = archive.pledge_audit(by, event, (size, own_lines(&note, &checkpoint.origin)?)).await?;
    tracing::info!(entry.seq = seq, size, "an audit is pledged");
    let audit = archive.catalog.audit(seq).await?;
    audit.map(|audit| audit.pledged).ok_or_else(|| ArchiveError::Damaged(format!("entry {seq}")))
}

/// Carries out what was pledged, to its end. One that has ended is answered with what it came to.
///
/// If we stop here, the pledge stands and it is begun anew; a report that is kept is found.
pub async fn carry_out(archive: &Archive, pledged: &Pledged, tell: &Tell) -> Result<Ended, ArchiveError> {
    let _shown = Shown { archive, pledge: pledged.seq };
    carried_out(archive, pledged, tell).await
}

/// That an audit is under way is shown for as long as it is, however it ends.
struct Shown<'a> {
    archive: &'a Archive,
    pledge: u64,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.archive.set_audit_progress(self.pledge, None);
    }
}

async fn carried_out(archive: &Archive, pledged: &Pledged, tell: &Tell) -> Result<Ended, ArchiveError> {
    if let Some(ended) = ended(archive, pledged.seq).await? {
        return Ok(ended);
    }
    let record = match archive.report_kept(pledged).await? {
        Some(record) => record,
        None => archive.keep_report(pledged, made(archive, pledged, tell).await?).await?,
    };
    let report = kept(archive, record).await?;
    let report = report.and_then(|bytes| Signed::from_bytes(&bytes).ok()).map(|signed| signed.report);
    let report = report.ok_or_else(|| ArchiveError::Damaged(layout::unit(record)))?;
    let entry = archive.end_audit(pledged, record, report.totals).await?;
    let Totals { entries, faults, lost, .. } = report.totals;
    metrics::counter!("vankho_audits_total").increment(1);
    metrics::counter!("vankho_audit_faults_total").increment(faults);
    tracing::info!(entry.seq = entry, pledge = pledged.seq, entries, faults, lost, "an audit ended");
    ended(archive, pledged.seq).await?.ok_or_else(|| ArchiveError::Damaged(format!("entry {entry}")))
}

async fn ended(archive: &Archive, pledge: u64) -> Result<Option<Ended>, ArchiveError> {
    Ok(archive.catalog.audit(pledge).await?.and_then(|audit| audit.ended))
}

/// The report of an audit, byte for byte as it is kept; `None` where it has not ended.
pub async fn report(archive: &Archive, pledge: u64) -> Result<Option<(RecordId, Bytes)>, ArchiveError> {
    let Some(ended) = ended(archive, pledge).await? else { return Ok(None) };
    Ok(kept(archive, ended.record).await?.map(|bytes| (ended.record, bytes)))
}

/// The report that a record holds: its first component.
async fn kept(archive: &Archive, record: RecordId) -> Result<Option<Bytes>, ArchiveError> {
    let Some(described) = archive.description(record).await? else { return Ok(None) };
    let Description { components, .. } = &*described.description;
    let Some(component) = components.iter().find(|component| component.ordinal == 1) else { return Ok(None) };
    Ok(Some(archive.store.read_as(&layout::component(record, component.sha256), component.sha256).await?))
}

/// The newest state that enough witnesses cosigned, else the newest that is published.
async fn state_now(archive: &Archive) -> Result<State, ArchiveError> {
    let required = archive.config.audit.witnesses_required.max(1);
    if let Some(cosigned) = cosigned::newest_by(archive, required).await? {
        let cosigned::Cosigned { checkpoint, note, witnesses } = cosigned;
        return Ok(State { checkpoint, note, witnesses });
    }
    let published = newest(archive).await?;
    let (checkpoint, note) = published.ok_or_else(|| ArchiveError::Damaged(layout::CHECKPOINT.into()))?;
    Ok(State { checkpoint, note, witnesses: 0 })
}

/// The state that was pledged, with every cosignature that there is by now.
async fn state_of(archive: &Archive, pledged: &Pledged) -> Result<State, ArchiveError> {
    let is_it = |checkpoint: &Checkpoint| (checkpoint.size, checkpoint.root) == (pledged.size, pledged.root);
    if let Some(cosigned) = cosigned::at(archive, pledged.size).await?
        && is_it(&cosigned.checkpoint)
    {
        let cosigned::Cosigned { checkpoint, note, witnesses } = cosigned;
        return Ok(State { checkpoint, note, witnesses });
    }
    let path = layout::checkpoint(pledged.size);
    let read = archive.store.read(&path).await.ok().and_then(|bytes| String::from_utf8(bytes.into()).ok());
    let note = match read.filter(|note| archive.ledger.read_checkpoint(note).is_ok()) {
        Some(note) => note,
        // An older checkpoint may be gone without a loss.
        None => archive.ledger.note_at(pledged.size).await?,
    };
    let checkpoint = archive.ledger.read_checkpoint(&note)?;
    if is_it(&checkpoint) { Ok(State { checkpoint, note, witnesses: 0 }) } else { Err(ArchiveError::Damaged(path)) }
}

/// A checkpoint without the lines of others: as it is published.
fn own_lines(note: &str, origin: &str) -> Result<Bytes, ArchiveError> {
    let read = crate::ledger::note::Note::parse(note);
    let read = read.map_err(|_| ArchiveError::Damaged(layout::CHECKPOINT.into()))?;
    let lines = read.lines().iter().filter(|line| line.name == origin).map(ToString::to_string);
    Ok(format!("{}\n{}", read.text(), lines.collect::<String>()).into())
}

/// Looks at the sample and makes the report of it, signed.
async fn made(archive: &Archive, pledged: &Pledged, tell: &Tell) -> Result<Bytes, ArchiveError> {
    let damaged = |fault: String| ArchiveError::Damaged(format!("entry {}: {fault}", pledged.seq));
    let terms = pledged.terms().map_err(|fault| damaged(fault.to_string()))?;
    let State { checkpoint, note, witnesses } = state_of(archive, pledged).await?;
    let seed = sampling::seed(&checkpoint.body(), pledged.nonce);
    let indices = sampling::draw(seed, checkpoint.size, terms.size(checkpoint.size));
    let began = archive.clock.now();
    let asked = Asked::new(archive, pledged, (checkpoint.size, checkpoint.root), seed);
    let looked = look::all(archive, &asked, indices, tell).await?;
    let receipt = prove(archive, pledged.seq).await?;
    let under = Receipt::parse(&receipt).map_err(|fault| damaged(fault.to_string()))?.checkpoint_note;
    let under = archive.ledger.read_checkpoint(&under)?;
    let growth = archive.ledger.consistency((pledged.size, pledged.root), (under.size, under.root)).await?;
    let report = Report {
        schema: SCHEMA.into(),
        origin: checkpoint.origin,
        pledge: pledged.seq,
        by: pledged.by,
        nonce: pledged.nonce,
        nonce_by: pledged.nonce_by,
        share_ppm: pledged.share_ppm,
        confidence_ppm: pledged.confidence_ppm,
        size: pledged.size,
        root: pledged.root,
        checkpoint: note,
        witnesses: u32::try_from(witnesses).unwrap_or(u32::MAX),
        receipt,
        growth: growth.ok_or_else(|| ArchiveError::Damaged(layout::checkpoint(pledged.size)))?,
        began,
        ended: archive.clock.now(),
        places: looked.places,
        away: looked.away,
        totals: Totals::of(&looked.entries, &looked.findings),
        entries: looked.entries,
        findings: looked.findings,
        made_by: MADE_BY.into(),
    };
    let digest = report.digest().map_err(|fault| damaged(fault.to_string()))?;
    let signature = archive.ledger.sign_audit(digest).ok_or_else(|| damaged("it cannot be signed".into()))?;
    let signed = Signed { signature, report };
    Ok(signed.to_bytes().map_err(|fault| damaged(fault.to_string()))?.into())
}

//! Audits: the pledge, how far each is, and how its report is kept.
//!
//! # Why
//! *A report is a record as any other*: with a description, at every place, found by searches, read by those who may. It
//! is kept in the name of whoever asked for the audit, under a request that follows from the pledge: two processes that
//! carry one audit out keep one report, and the second is answered with the first.

use crate::archive::{Archive, ArchiveError, Proposal, keep::random, request};
use crate::record::{
    audit::{Pledged, Totals},
    component::{Component, Format, Role, Unread},
    description::{Description, SCHEMA},
    digest::{Digest, hex},
    entry::{Event, Instant},
    id::{ActorId, RecordId},
    metadata::Metadata,
};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// How far an audit is, in entries of its sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    pub done: u64,
    pub of: u64,
}

/// The audits that this process carries out, by their pledges.
pub type UnderWay = Mutex<BTreeMap<u64, Progress>>;

/// What is said of a pledge: that its report is kept, and that the audit ended.
#[derive(Clone, Copy)]
enum Said {
    Kept,
    Ended,
}

impl Archive {
    /// How far an audit is; `None` where this process does not carry it out.
    pub fn audit_progress(&self, pledge: u64) -> Option<Progress> {
        self.auditing.lock().unwrap_or_else(PoisonError::into_inner).get(&pledge).copied()
    }

    /// Remembers how far an audit is, or that it is not carried out any more.
    pub fn set_audit_progress(&self, pledge: u64, progress: Option<Progress>) {
        let mut auditing = self.auditing.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Some(progress) => auditing.insert(pledge, progress),
            None => auditing.remove(&pledge),
        };
    }

    /// Commits that an audit is to be made, of a state whose checkpoint is this; answers the entry.
    ///
    /// If we stop here, the checkpoint lies under its size, as it should, and the entry is there or it is not.
    pub async fn pledge_audit(&self, by: ActorId, event: Event, note: (u64, Bytes)) -> Result<u64, ArchiveError> {
        self.keep_checkpoint(note).await?;
        let request = request(by, &random()?);
        Ok(self.commit(Proposal { by, request, event, description: None }).await?.seq)
    }

    /// The record in which the report of an audit is kept already.
    pub async fn report_kept(&self, pledged: &Pledged) -> Result<Option<RecordId>, ArchiveError> {
        let request = self.request_of(pledged, Said::Kept).await?;
        match self.catalog.answered(&[request]).await?.get(&request) {
            Some(seq) => Ok(self.catalog.record_of(*seq).await?),
            None => Ok(None),
        }
    }

    /// Keeps the report of an audit as a record: `intended → component → description → Accessioned`.
    ///
    /// If we stop here, an intent has the folder swept, or the entry is there and names it.
    pub async fn keep_report(&self, pledged: &Pledged, report: Bytes) -> Result<RecordId, ArchiveError> {
        let request = self.request_of(pledged, Said::Kept).await?;
        let (record, sha256, size) = (self.new_record()?, Digest::of(&report), report.len() as u64);
        let intent = self.intend(&[record]).await?;
        self.keep_bytes(record, sha256, report).await?;
        let description = described(record, pledged.seq, (sha256, size), self.clock.now())?;
        let described = self.keep_description(description).await?;
        let event = Event::Accessioned { record, description: described.digest };
        let proposal = Proposal { by: pledged.by, request, event, description: Some(described.description.into()) };
        let answered = self.commit(proposal).await?;
        if !answered.before {
            self.fulfil(intent).await?;
            return Ok(record);
        }
        // Another process was first: what this one wrote is left to the intent.
        let first = self.catalog.record_of(answered.seq).await?;
        first.ok_or_else(|| ArchiveError::Damaged(format!("entry {}", answered.seq)))
    }

    /// Commits that an audit was made.
    pub async fn end_audit(&self, pledged: &Pledged, record: RecordId, totals: Totals) -> Result<u64, ArchiveError> {
        let Totals { entries, faults, repaired, lost, .. } = totals;
        let event = Event::Audited { record, pledge: pledged.seq, entries, faults, repaired, lost };
        let request = self.request_of(pledged, Said::Ended).await?;
        Ok(self.commit(Proposal { by: pledged.by, request, event, description: None }).await?.seq)
    }

    /// The one request by which something is said of a pledge. It hangs on the pledge's own bytes, in which is a request
    /// that nobody could know before: no other act can have taken it.
    async fn request_of(&self, pledged: &Pledged, said: Said) -> Result<Digest, ArchiveError> {
        let what: &[u8] = match said {
            Said::Kept => b"report kept\n",
            Said::Ended => b"audit ended\n",
        };
        let entry = self.ledger.entry(pledged.seq).await?;
        Ok(request(pledged.by, &Digest::of(&[what, &entry].concat()).0))
    }
}

/// The description of a report.
fn described(
    record: RecordId,
    pledge: u64,
    (sha256, size): (Digest, u64),
    now: Instant,
) -> Result<Description, ArchiveError> {
    let metadata = Metadata {
        subject: format!("Báo cáo kiểm tra tính toàn vẹn của kho, theo sự kiện số {pledge}"),
        kind: Some("Báo cáo".into()),
        type_code: Some("14".into()),
        issued: now.day().parse().ok(),
        languages: vec!["01".into()],
        ..Metadata::default()
    };
    let component = Component {
        ordinal: 1,
        sha256,
        size,
        format: Format { mime: "application/json".into() },
        role: Role::Original,
        original_name: Some(format!("audit-{pledge}.json")),
        made_from: None,
        made_by: None,
        unread: Some(Unread::FormatNotRead),
    };
    let (salt, components) = (hex(&random::<32>()?), vec![component]);
    let (schema, findings) = (SCHEMA.into(), vec![]);
    Ok(Description {
        schema,
        record,
        replaces: None,
        salt,
        metadata,
        components,
        findings,
        reasons: Vec::new(),
        secrecy: None,
    })
}

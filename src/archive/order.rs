//! Orders to destroy: the point of no return.
//!
//! `judged → stub → ordered`: the ledger is folded and asked before anything is written; the stub, which the law keeps, is
//! durable before the entry that names it; and the writer asks the fold once more at the moment of the commit.
//!
//! # Why
//! *Asked twice.* The first time for the person, who hears why not before anything is written; the second time for
//! everybody else, since between the two a hold may come.

use crate::archive::{
    Archive, ArchiveError, Proposal,
    fold::{Fold, Interest},
    keep::random,
    request,
};
use crate::record::{
    disposition::{basis::Basis, case::Ground, refusal::Refusal, stub::Stub},
    document::{Document, Salt},
    entry::Event,
    id::{ActorId, CaseId, RecordId},
};
use crate::store::layout;
use futures::future::join_all;
use std::sync::Arc;

pub use crate::archive::commit::OrderError;

impl Archive {
    /// Orders the destruction of records of one unit of a case; answers the entries. Where one may not be destroyed, none
    /// is, unless a hold came between the question and the commit.
    ///
    /// If we stop here, some are ordered: who goes on orders the rest.
    pub async fn order_destruction(
        &self,
        by: ActorId,
        case: CaseId,
        records: &[(RecordId, Basis)],
    ) -> Result<Vec<u64>, OrderError> {
        let fold = self.fold(Some(case), records).await?;
        let event = |record, stub| Event::DestructionOrdered { record, stub, case: Some(case), asked_by: None };
        self.order(by, fold, records, event).await
    }

    /// Orders the destruction of a wrong deposit, which somebody else asked to withdraw.
    pub async fn order_withdrawal(
        &self,
        by: ActorId,
        record: RecordId,
        asked_by: ActorId,
        basis: Basis,
    ) -> Result<u64, OrderError> {
        let records = [(record, basis)];
        let fold = self.fold(None, &records).await?;
        let event = |record, stub| Event::DestructionOrdered { record, stub, case: None, asked_by: Some(asked_by) };
        let ordered = self.order(by, fold, &records, event).await?;
        ordered.first().copied().ok_or(OrderError::Refused(Refusal::NotKnown))
    }

    /// Orders a state secret out, which somebody else confirmed.
    pub async fn order_expulsion(
        &self,
        by: ActorId,
        record: RecordId,
        confirmed_by: ActorId,
        basis: Basis,
    ) -> Result<u64, OrderError> {
        let records = [(record, basis)];
        let fold = self.fold(None, &records).await?;
        let event = |record, stub| Event::ExpulsionOrdered { record, stub, confirmed_by };
        let ordered = self.order(by, fold, &records, event).await?;
        ordered.first().copied().ok_or(OrderError::Refused(Refusal::NotKnown))
    }

    /// A fold over all that the end of these records hangs on.
    async fn fold(&self, case: Option<CaseId>, records: &[(RecordId, Basis)]) -> Result<Arc<Fold>, ArchiveError> {
        let mut interest = Interest { case, ..Interest::default() };
        for (record, basis) in records {
            interest.records.insert(*record);
            interest.files.extend(self.catalog.file_of(*record).await?);
            interest.files.extend(self.catalog.sharing(*record).await?);
            if let Basis::Disposition { ground: Ground::Duplicate { kept, .. }, .. } = basis {
                interest.records.insert(*kept);
                interest.files.extend(self.catalog.file_of(*kept).await?);
            }
        }
        Ok(Arc::new(Fold::new(self, interest)))
    }

    async fn order(
        &self,
        by: ActorId,
        fold: Arc<Fold>,
        records: &[(RecordId, Basis)],
        event: impl Fn(RecordId, crate::record::digest::Digest) -> Event,
    ) -> Result<Vec<u64>, OrderError> {
        let mut stubs = Vec::new();
        for (record, basis) in records {
            let (Some(known), Some(told)) =
                (self.catalog.record(*record).await.map_err(ArchiveError::from)?, self.description(*record).await?)
            else {
                return Err(OrderError::Refused(Refusal::NotKnown));
            };
            let stub = Stub::of(&told.description, known.at, basis.clone(), Salt::new(random()?));
            let bytes = stub.to_bytes().map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
            stubs.push((*record, crate::record::digest::Digest::of(&bytes), bytes));
        }
        let mut trial = fold.trial().await?;
        let now = self.clock.now();
        for (record, digest, _) in &stubs {
            trial.admit(&event(*record, *digest), by, now).map_err(OrderError::Refused)?;
        }
        let paths: Vec<String> = stubs.iter().map(|(record, digest, _)| layout::stub(*record, *digest)).collect();
        let intent = self.intend_files(&paths.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let mut proposals = Vec::new();
        for ((record, digest, bytes), path) in stubs.into_iter().zip(&paths) {
            // If we stop here, the intent has the stubs discarded that no entry names.
            self.store.keep(path, bytes.into()).await.map_err(ArchiveError::from)?;
            let (event, request) = (event(record, digest), request(by, &random()?));
            proposals.push(Proposal { by, request, event, description: None });
        }
        let answers = join_all(proposals.into_iter().map(|one| self.writer.order(one, fold.clone()))).await;
        let mut ordered = Vec::new();
        for answer in answers {
            // Where one is refused its stub is swept with the intent, which stands.
            ordered.push(answer?.seq);
        }
        self.fulfil(intent).await?;
        Ok(ordered)
    }
}

//! The register of agencies, as whoever judges by it or searches by it asks.
//!
//! # Why
//! Reading a register of thousands of agencies and relating them takes longer than a search: what was read once stays,
//! under the digest of its description, and is read again when another is in force.

use crate::archive::{Archive, ArchiveError};
use crate::record::{
    agencies::{Agencies, Draft, Register},
    described::Described,
    digest::Digest,
};
use std::sync::{Arc, Mutex, PoisonError};

/// The register that was read last.
#[derive(Default)]
pub(in crate::archive) struct ReadLast(Mutex<Option<(Digest, Arc<Agencies>)>>);

impl Archive {
    /// The register in force, and its digest; `None` where the archive was told none.
    pub async fn register(&self) -> Result<Option<(Arc<Register>, Digest)>, ArchiveError> {
        let Some(known) = self.catalog.register().await? else { return Ok(None) };
        let read = self.described(known.unit, known.description).await?;
        Ok(read.and_then(|read| match read {
            Described::Register(register) => Some((register, known.description)),
            _ => None,
        }))
    }

    /// The same, ready to be asked.
    pub async fn agencies(&self) -> Result<Option<Arc<Agencies>>, ArchiveError> {
        let Some(known) = self.catalog.register().await? else { return Ok(None) };
        let last = self.agencies_read.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, agencies)) = last.filter(|(digest, _)| *digest == known.description) {
            return Ok(Some(agencies));
        }
        let Some((register, digest)) = self.register().await? else { return Ok(None) };
        let agencies = Arc::new(Agencies::new(Draft::from(&*register)));
        *self.agencies_read.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, agencies.clone()));
        Ok(Some(agencies))
    }
}

//! `place.json`: which place of which archive this is, written once and never changed.
//!
//! # Why
//! *Asked before anything is written.* A replica that is another archive's bucket, by a slip in the
//! configuration, must not be filled with ours: no object goes to a place that has not said who it is.
//!
//! *The founding form.* The ledger's first entry holds the digest of the first place's `place.json`. The file of
//! every other place differs from it in its two numbers alone, so it can be held against the same digest.

use crate::record::id::ActorId;
use crate::store::{Created, Place, Store, StoreError, layout};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The identity of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The same in every place of one archive.
    pub archive: ActorId,
    pub origin: String,
    /// Which of the archive's places this is; the first is 1.
    pub replica: u32,
    /// The epoch in which this place joined; the first is 1. A new primary begins a new epoch.
    pub epoch: u32,
}

impl Identity {
    pub fn from_bytes(bytes: &[u8]) -> Option<Identity> {
        serde_json::from_slice(bytes).ok()
    }

    pub fn to_bytes(&self) -> Bytes {
        // Strings and numbers can always be written.
        Bytes::from(serde_json::to_string(self).unwrap_or_default() + "\n")
    }

    /// Is this a place of the same archive?
    pub fn is_of(&self, other: &Identity) -> bool {
        self.archive == other.archive && self.origin == other.origin
    }

    /// The identity of the place in which the archive was founded.
    pub fn founding(&self) -> Identity {
        Identity { replica: 1, epoch: 1, ..self.clone() }
    }
}

impl Store {
    /// A document as the ledger names it: the identity of the place in its founding form.
    pub async fn read_document(&self, path: &str) -> Result<Bytes, StoreError> {
        let bytes = self.read(path).await?;
        let identity = if path == layout::PLACE { Identity::from_bytes(&bytes) } else { None };
        Ok(match identity {
            // Another spelling of the same identity is not what was written.
            Some(identity) if identity.to_bytes() == bytes => identity.founding().to_bytes(),
            _ => bytes,
        })
    }
}

impl Place {
    /// Who this place says it is; `None` where it has not been told.
    pub async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        let bytes = match self.read(layout::PLACE).await {
            Ok(bytes) => bytes,
            Err(StoreError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let foreign = || self.refused("its place.json is not one of ours");
        Identity::from_bytes(&bytes).map(Some).ok_or_else(foreign)
    }

    /// Tells an empty place who it is, or finds out; refuses the place of another archive.
    ///
    /// If we stop here, the place has its identity or not; whoever comes next finds out.
    pub async fn join(&self, identity: &Identity) -> Result<Identity, StoreError> {
        if let Some(there) = self.identity().await? {
            return if there.is_of(identity) {
                Ok(there)
            } else {
                Err(self.refused("it is a place of another archive"))
            };
        }
        if !self.names("").await?.is_empty() {
            return Err(self.refused("it is not empty, and holds no archive"));
        }
        self.prepare()?;
        match self.create(layout::PLACE, identity.to_bytes()).await? {
            Created::New => Ok(identity.clone()),
            Created::AlreadyThere(bytes) => match Identity::from_bytes(&bytes) {
                Some(there) if there.archive == identity.archive => Ok(there),
                _ => Err(self.refused("it is a place of another archive")),
            },
        }
    }

    fn refused(&self, why: &str) -> StoreError {
        StoreError::NotStorage { name: self.name().into(), why: why.into() }
    }
}

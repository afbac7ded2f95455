//! Is this storage fit to be the primary place of an archive? Creating an object that is there must fail.
//!
//! # Why
//! The commit object is the only lock on the order of the ledger, and storage that says yes to two creators
//! forks it in silence: some network file systems and some S3 servers do. So they are asked before anything
//! hangs on the answer, and by racing, because many keep the promise to one writer and break it to several.

use crate::store::{
    StoreError,
    place::{Place, failed, object_path},
};
use futures::future::join_all;
use object_store::{Error, ObjectStore, PutMode, PutPayload};

/// Creators of one object at once, and how often they race.
const CREATORS: u8 = 16;
const RACES: usize = 3;

impl Place {
    /// Races creators for fresh objects below a folder in staging; exactly one must win each time.
    ///
    /// If we stop here, staging holds an object of the probe.
    pub async fn probe(&self, folder: &str) -> Result<(), StoreError> {
        for race in 0..RACES {
            let path = format!("{folder}/{race}");
            let at = object_path(&path)?;
            let create = |n| self.objects.put_opts(&at, PutPayload::from(vec![n]), PutMode::Create.into());
            let mut winners = Vec::new();
            for (n, answer) in (0..CREATORS).zip(join_all((0..CREATORS).map(create)).await) {
                match answer {
                    Ok(_) => winners.push(n),
                    Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                    Err(error) => return Err(failed(&path, error)),
                }
            }
            let found = self.read(&path).await?;
            self.discard(&path).await?;
            if winners.len() != 1 || found[..] != winners[..] {
                return Err(StoreError::NoLock { winners: winners.len() });
            }
        }
        Ok(())
    }
}

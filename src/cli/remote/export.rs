//! Records of a server as plain files: the list first, then each file under its own address, hashed as it comes.

use crate::archive::ArchiveError;
use crate::cli::{
    CommandError,
    receipt::unknown,
    remote::{RemoteError, Server},
};
use crate::exchange::plain::{Exported, Wanted, export};
use crate::record::{component::Component, description::Description, digest::Digest, id::RecordId};
use crate::store::layout;
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use std::{path::Path, sync::Arc};

/// Records on a page of the list.
const PAGE: u32 = 500;

/// A page of what can be taken out.
#[derive(Deserialize)]
pub struct Takeable {
    pub records: Vec<Takable>,
    pub next: Option<u64>,
    /// Those whose description is damaged or gone.
    pub left_out: Vec<Takable>,
}

/// A record, and its description in force.
#[derive(Deserialize)]
pub struct Takable {
    pub record: RecordId,
    pub description_sha256: Digest,
}

impl Server {
    /// What can be taken out, from an entry on.
    pub async fn takeable(&self, from: u64) -> Result<Takeable, RemoteError> {
        let part = self.get("api/v1/export").query(&[("from", from), ("limit", PAGE.into())]);
        self.json(part).await
    }

    /// Writes one record into a folder of its own under `to`.
    pub async fn export_named(&self, typed: &str, to: &Path) -> Result<Exported, CommandError> {
        let record = self.named(typed).await?;
        let opened = self.opened(record).await?.ok_or_else(|| unknown(typed))?;
        let digest = opened.description_sha256.parse();
        self.export(record, digest.map_err(|_| self.not_understood("no digest of a description"))?, to).await
    }

    /// The same by its description in force.
    pub async fn export(&self, record: RecordId, digest: Digest, to: &Path) -> Result<Exported, CommandError> {
        let bytes: Vec<u8> = self.description(record, digest).await?.into();
        let description = Description::from_bytes(&bytes);
        let description = description.map_err(|_| ArchiveError::Damaged(layout::description(record, digest)))?;
        let receipt = Some(self.receipt(record, true, false).await?);
        let read = async |component: &Component| {
            let path = format!("api/v1/records/{record}/components/{}", component.ordinal);
            let response = self.ask(self.get(&path)).await?;
            // A server that finds bytes damaged when it has sent some of them breaks the connection.
            let kept = layout::component(record, component.sha256);
            let pieces = response.bytes_stream().map_err(move |_| ArchiveError::Damaged(kept.clone()).into());
            Ok::<_, CommandError>(pieces.boxed())
        };
        export(&Wanted { description: Arc::new(description), bytes, receipt }, to, read).await
    }
}

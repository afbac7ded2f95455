//! Audits of a server: asked for, waited for, and their reports with the bytes of the sample.

use crate::cli::{
    CommandError,
    audit::{created, put},
    remote::{RemoteError, Server, records::present},
};
use crate::evidence::audits::told::Told;
use crate::record::{
    description::Description,
    digest::{Digest, Hasher},
    id::RecordId,
};
use crate::store::layout;
use bytes::Bytes;
use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::json;
use std::{io::Write, path::Path, time::Duration};

/// Between two questions whether an audit has ended.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Listed {
    audits: Vec<Told>,
}

impl Server {
    /// Asks for an audit. The same terms again, while it is open, are the same audit.
    pub async fn pledge(
        &self,
        nonce: Option<&str>,
        share_ppm: Option<u32>,
        confidence_ppm: Option<u32>,
    ) -> Result<Told, RemoteError> {
        let asked = json!({"nonce": nonce, "share_ppm": share_ppm, "confidence_ppm": confidence_ppm});
        self.json(self.post("api/v1/audits").json(&asked)).await
    }

    /// Waits until an audit has ended.
    pub async fn audit_ended(&self, audit: u64, tell: &dyn Fn(u64, u64)) -> Result<(), RemoteError> {
        loop {
            let told: Told = self.json(self.get(&format!("api/v1/audits/{audit}"))).await?;
            if told.outcome.is_some() {
                return Ok(());
            }
            tell(told.done.unwrap_or(0), told.sample);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// An audit that has ended, and its report; `None` where there is none that we may see.
    pub async fn audit(&self, audit: u64) -> Result<Option<(Told, Bytes)>, RemoteError> {
        let path = format!("api/v1/audits/{audit}");
        let Some(told) = present(self.json(self.get(&path)).await)? else { return Ok(None) };
        let report = present(self.bytes(self.get(&format!("{path}/report"))).await)?;
        Ok(report.map(|report| (told, report)))
    }

    /// The newest audits.
    pub async fn audits(&self, limit: u32) -> Result<Vec<Told>, RemoteError> {
        let listed: Listed = self.json(self.get("api/v1/audits").query(&[("limit", limit)])).await?;
        Ok(listed.audits)
    }

    /// Writes a description and its components into a folder, under the paths of an archive. What the token may not read
    /// is left out.
    pub async fn sampled(&self, record: RecordId, named: Digest, to: &Path) -> Result<(), CommandError> {
        let Some(bytes) = present(self.description(record, named).await)? else { return Ok(()) };
        put(to, &layout::description(record, named), &bytes)?;
        let components = Description::from_bytes(&bytes).map(|description| description.components);
        for component in components.unwrap_or_default() {
            let address = format!("api/v1/records/{record}/components/{}", component.ordinal);
            let Some(answer) = present(self.ask(self.get(&address)).await)? else { continue };
            let path = layout::component(record, component.sha256);
            let (mut file, mut hasher) = (created(to, &path)?, Hasher::default());
            let mut pieces = answer.bytes_stream();
            // A server that finds bytes damaged when it has sent some of them breaks the connection.
            while let Ok(Some(piece)) = pieces.try_next().await {
                hasher.update(&piece);
                file.write_all(&piece).map_err(|source| CommandError::File { path: path.clone(), source })?;
            }
            if hasher.finish() != component.sha256 {
                tracing::warn!(record.id = %record, component = component.ordinal, "a component did not come whole");
            }
        }
        Ok(())
    }
}

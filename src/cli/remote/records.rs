//! Records of a server: which one is meant, its receipt with its description, questions.

use crate::access::{
    answer::{Hits, Opened, Said, State},
    ask::Question,
};
use crate::cli::{
    CommandError,
    receipt::{chosen, not_stamped, unknown},
    remote::{RemoteError, Server},
};
use crate::evidence::{Evidence, Timely};
use crate::record::{digest::Digest, id::RecordId, text};
use crate::verify::published::Part;
use bytes::Bytes;
use serde::Deserialize;

/// The records that bear a depositor's identifier.
#[derive(Deserialize)]
struct Bearers {
    records: Vec<RecordId>,
}

impl Server {
    /// A page of hits.
    pub async fn search(&self, question: &Question, snippets: bool) -> Result<Hits, RemoteError> {
        self.json(self.get("api/v1/search").query(question).query(&[("snippets", snippets)])).await
    }

    /// How much there is.
    pub async fn state(&self) -> Result<State, RemoteError> {
        self.json(self.get("api/v1/status")).await
    }

    /// The public keys as the server tells them.
    pub async fn public_keys(&self) -> Result<Bytes, RemoteError> {
        self.bytes(self.get("log/keys")).await
    }

    /// A part of the published log by its path in a place.
    pub async fn part(&self, path: &str) -> Result<Part, RemoteError> {
        match self.bytes(self.get(path)).await {
            Ok(bytes) => Ok(Part::Bytes(bytes)),
            Err(error) if error.is_absent() => Ok(Part::Absent),
            Err(error) if error.is_withheld() => Ok(Part::Withheld),
            Err(error) => Err(error),
        }
    }

    /// The record behind an identifier, as on the archive's own machine.
    pub async fn named(&self, typed: &str) -> Result<RecordId, CommandError> {
        let line = text::line(typed);
        let ours: Option<RecordId> = line.parse().ok();
        if let Some(record) = ours
            && self.opened(record).await?.is_some()
        {
            return Ok(record);
        }
        let bearers: Bearers = self.json(self.get("api/v1/records").query(&[("external_id", &line)])).await?;
        chosen(typed, ours, &bearers.records)
    }

    /// A record as it is known now; `None` where there is none that we may see.
    pub async fn opened(&self, record: RecordId) -> Result<Option<Opened>, RemoteError> {
        present(self.json(self.get(&format!("api/v1/records/{record}"))).await)
    }

    /// What was said of a record, oldest first.
    pub async fn history(&self, record: RecordId) -> Result<Option<Vec<Said>>, RemoteError> {
        present(self.json(self.get(&format!("api/v1/records/{record}/descriptions"))).await)
    }

    /// The receipt of a record, and the description that its entry names.
    pub async fn evidence(&self, typed: &str, latest: bool) -> Result<Evidence, CommandError> {
        self.taken(self.named(typed).await?, typed, latest, false).await
    }

    /// The same under the first checkpoint that was timestamped after, with its token.
    pub async fn timely(&self, typed: &str, latest: bool) -> Result<Timely, CommandError> {
        let record = self.named(typed).await?;
        let token = self.bytes(self.get(&format!("api/v1/records/{record}/timestamp")).query(&[("latest", latest)]));
        let absent = |error: RemoteError| if error.is_absent() { not_stamped(typed) } else { error.into() };
        let token = token.await.map_err(absent)?;
        Ok(Timely { evidence: self.taken(record, typed, latest, true).await?, token })
    }

    async fn taken(
        &self,
        record: RecordId,
        typed: &str,
        latest: bool,
        timestamped: bool,
    ) -> Result<Evidence, CommandError> {
        let absent = |error: RemoteError| if error.is_absent() { unknown(typed) } else { error.into() };
        let life = self.history(record).await?.unwrap_or_default();
        let said = if latest { life.last() } else { life.first() };
        let digest: Option<Digest> = said.and_then(|said| said.sha256.parse().ok());
        let digest = digest.ok_or_else(|| unknown(typed))?;
        let receipt = self.receipt(record, latest, timestamped).await.map_err(absent)?;
        Ok(Evidence { receipt, description: self.description(record, digest).await.map_err(absent)?.into() })
    }

    pub async fn receipt(&self, record: RecordId, latest: bool, timestamped: bool) -> Result<String, RemoteError> {
        let receipt = self.get(&format!("api/v1/records/{record}/receipt"));
        self.text(receipt.query(&[("latest", latest), ("timestamped", timestamped)])).await
    }

    /// The exact bytes of a description; others than its digest names are refused.
    pub async fn description(&self, record: RecordId, digest: Digest) -> Result<Bytes, RemoteError> {
        let bytes = self.bytes(self.get(&format!("api/v1/records/{record}/descriptions/{digest}"))).await?;
        match Digest::of(&bytes) == digest {
            true => Ok(bytes),
            false => Err(self.not_understood("a description does not have the digest that names it")),
        }
    }
}

/// What is there and that we may see.
pub fn present<T>(answer: Result<T, RemoteError>) -> Result<Option<T>, RemoteError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

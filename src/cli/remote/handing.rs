//! Packages to a server, many at once: each is sent until it is acknowledged or refused, under a key of its own.
//!
//! # Why
//! *What came of a row is told as on the archive's own machine*: what is wrong with it here is found here, the rest
//! is the server's answer, and both are the same findings.
//!
//! *What breaks is sent again*, the whole of it, under the same key; a server that had taken it in says so. Who gives
//! up is told to run the same command again.

use crate::cli::{
    CommandError,
    remote::{Failure, RemoteError, Server, Told, Waiting, keys::Keys},
};
use crate::exchange::Handed;
use crate::http::error::Kind;
use crate::ingest::{Fate, Outcome, pieces::Pieces};
use crate::record::{
    digest::{Digest, Hasher},
    finding::{Code, Finding, Severity},
    id::RecordId,
    package::{Package, Source},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{
    Body,
    header::{HeaderMap, HeaderName, HeaderValue},
    multipart::{Form, Part},
};
use serde::Deserialize;
use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How rows are handed over.
pub struct Handing {
    server: Server,
    keys: Keys,
    /// Names the source: the same name finds the same keys again.
    source: String,
    /// How long a row waits for a server that does not answer.
    patience: Duration,
    /// Components up to this size wait in memory.
    held_bytes_max: u64,
}

/// So many rows in a row that the server could not keep: its disk is full, or worse.
const NOT_KEPT_MAX: usize = 20;

/// How long a server is waited for that has never answered.
const INTRODUCTION: Duration = Duration::from_secs(5);

/// The archive has taken responsibility.
#[derive(Deserialize)]
struct Accepted {
    record: RecordId,
    receipt: String,
    repeated: bool,
    findings: Vec<Told>,
}

/// Why a package could not be sent: a component could not be read.
type Unread = (String, io::Error);

impl Handing {
    pub fn new(
        server: &Server,
        source: &Path,
        patience: Duration,
        held_bytes_max: u64,
    ) -> Result<Handing, CommandError> {
        let (server, source) = (server.clone(), source.display().to_string());
        Ok(Handing { server, keys: Keys::of_account()?, source, patience, held_bytes_max })
    }

    /// Is the server there, and may we hand over? Asked once, so that nobody waits for what will not come; one that
    /// is being started is waited for.
    pub async fn introduce(&self) -> Result<(), RemoteError> {
        let mut waiting = Waiting::new(INTRODUCTION);
        loop {
            let empty = self.server.post("api/v1/findings").json(&serde_json::json!({}));
            match self.server.once(empty).await {
                Ok(_) => return Ok(()),
                Err(Failure { again, broken, .. })
                    if (broken || again.is_some()) && waiting.pause(again.unwrap_or_default()).await => {}
                Err(failure) => return Err(failure.error),
            }
        }
    }

    /// Hands over everything, `connections` rows at a time. `hear` is told of every row, as it ends.
    pub async fn all(
        &self,
        rows: impl Stream<Item = Handed>,
        connections: usize,
        hear: &mut dyn FnMut(Outcome),
    ) -> Result<(), CommandError> {
        let mut outcomes = std::pin::pin!(rows.map(|row| self.one(row)).buffer_unordered(connections));
        let mut not_kept = 0;
        while let Some((outcome, failure)) = outcomes.next().await {
            let given_up = matches!(failure, Some(RemoteError::Unreachable { .. }));
            hear(outcome);
            not_kept = if failure.is_some() { not_kept + 1 } else { 0 };
            match failure {
                Some(error) if given_up || not_kept >= NOT_KEPT_MAX || error.is_withheld() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    async fn one(&self, row: Handed) -> (Outcome, Option<RemoteError>) {
        let Handed { package, description } = row;
        let (number, external_id) = (package.row, package.metadata.external_id.clone());
        let (fate, failure) = self.fate(package, description).await;
        (Outcome { row: number, external_id, fate }, failure)
    }

    async fn fate(&self, package: Package, description: String) -> (Fate, Option<RemoteError>) {
        let Package { row, identity, components, findings, .. } = package;
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return (Fate::Refused(findings), None);
        }
        let (key, description) = (self.keys.key(&self.source, &identity), bytes::Bytes::from(description));
        let mut waiting = Waiting::new(self.patience);
        loop {
            let failure = match self.send(&key, &description, &components).await {
                Ok(Ok(accepted)) => return (kept(accepted, row), None),
                Ok(Err(failure)) => failure,
                Err((name, error)) => {
                    let mut findings = findings;
                    findings.push(Finding::new(Code::UnreadableComponent, row, &name).with_detail(error));
                    return (Fate::Refused(findings), None);
                }
            };
            if let RemoteError::Refused { problem, .. } = &failure.error
                && problem.code == Kind::Refused.code()
            {
                return (Fate::Refused(problem.findings.iter().map(|told| finding(told, row)).collect()), None);
            }
            let again = failure.again.or(failure.broken.then_some(Duration::ZERO));
            let Some(after) = again else { return not_kept(row, failure.error) };
            if !waiting.pause(after).await {
                return not_kept(row, failure.error);
            }
        }
    }

    /// Sends a package once.
    async fn send(
        &self,
        key: &str,
        description: &bytes::Bytes,
        components: &[Source],
    ) -> Result<Result<Accepted, Failure>, Unread> {
        let text = Part::stream_with_length(Body::from(description.clone()), description.len() as u64);
        let (mut form, unread) = (Form::new().part("description", text), Arc::new(Mutex::new(None)));
        for source in components {
            let Source::File { path, name, expected } = source else { continue };
            let part = self.part(path, name, *expected, &unread).await.map_err(|error| (name.clone(), error))?;
            form = form.part("component", part.file_name(name.clone()));
        }
        let request = self.server.post("api/v1/records").header("Idempotency-Key", key).multipart(form);
        let done = self.server.once(request).await;
        if let Some(unread) = unread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(unread);
        }
        let response = match done {
            Ok(response) => response,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(match response.bytes().await {
            Err(error) => Err(self.server.broken(&error)),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| Failure {
                error: self.server.not_understood(&error.to_string()),
                again: None,
                broken: false,
            }),
        })
    }

    /// A component as a part of the form. A digest that nobody stated is stated here, so that what the wire changes
    /// is found; what fails while it is on its way is noted in `unread`.
    async fn part(
        &self,
        path: &Path,
        name: &str,
        expected: Option<Digest>,
        unread: &Arc<Mutex<Option<Unread>>>,
    ) -> io::Result<Part> {
        let mut pieces = Pieces::open(path.to_owned(), self.held_bytes_max).await?;
        if pieces.is_whole() {
            let bytes = pieces.next().await?.unwrap_or_default();
            let digest = expected.is_none().then(|| Digest::of(&bytes));
            let part = Part::stream_with_length(Body::from(bytes.clone()), bytes.len() as u64);
            return Ok(part.headers(stated(digest)));
        }
        let digest = match expected {
            Some(_) => None,
            None => Some(digest(pieces).await?),
        };
        let (pieces, unread, name) = (Pieces::open(path.to_owned(), 0).await?, unread.clone(), name.to_owned());
        let pieces = stream::try_unfold(pieces, async |mut pieces| {
            Ok::<_, io::Error>(pieces.next().await?.map(|piece| (piece, pieces)))
        });
        let pieces = pieces.map_err(move |error| {
            let told = io::Error::from(error.kind());
            *unread.lock().unwrap_or_else(PoisonError::into_inner) = Some((name.clone(), error));
            told
        });
        Ok(Part::stream(Body::wrap_stream(pieces)).headers(stated(digest)))
    }
}

async fn digest(mut pieces: Pieces) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    while let Some(piece) = pieces.next().await? {
        hasher.update(&piece);
    }
    Ok(hasher.finish())
}

/// `Content-Digest` (RFC 9530).
fn stated(digest: Option<Digest>) -> HeaderMap {
    let value = digest.map(|digest| format!("sha-256=:{}:", STANDARD.encode(digest.0)));
    let value = value.and_then(|value| HeaderValue::try_from(value).ok());
    value.map(|value| (HeaderName::from_static("content-digest"), value)).into_iter().collect()
}

fn kept(accepted: Accepted, row: u64) -> Fate {
    let Accepted { record, receipt, repeated: before, findings } = accepted;
    Fate::Kept { record, receipt, before, findings: findings.iter().map(|told| finding(told, row)).collect() }
}

/// What the archive could not keep, as on its own machine.
fn not_kept(row: u64, error: RemoteError) -> (Fate, Option<RemoteError>) {
    let detail = match &error {
        RemoteError::Refused { problem, .. } => format!("{}: {}", problem.code, problem.title),
        RemoteError::Unreachable { why, .. } | RemoteError::NotUnderstood { why, .. } => why.clone(),
    };
    tracing::warn!(row, %error, "a row was not kept");
    (Fate::Refused(vec![Finding::new(Code::NotKept, row, "").with_detail(detail)]), Some(error))
}

/// A finding of the server at its row here. One that this program does not know is told in the server's words.
fn finding(told: &Told, row: u64) -> Finding {
    let Told { code, severity, field, detail, text } = told;
    let known = serde_json::from_value::<Code>(code.clone().into());
    let mut finding = match &known {
        Ok(code) => Finding::new(*code, row, ""),
        Err(_) => {
            let unknown = Finding::new(Code::NotKept, row, "").with_detail(format!("{code}: {text}"));
            let severity = if severity == "warning" { Severity::Warning } else { Severity::Error };
            Finding { vi: text.clone(), en: text.clone(), severity, ..unknown }
        }
    };
    finding.field.clone_from(field);
    if known.is_ok() {
        finding.detail.clone_from(detail);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_back_as_they_were() {
        for ours in [
            Finding::new(Code::DuplicateContent, 7, "a.pdf").with_detail("019aaf1c"),
            Finding::new(Code::NoSubject, 7, "subject"),
        ] {
            let told = serde_json::json!({"code": ours.code, "severity": ours.severity, "field": ours.field, "detail": ours.detail, "text": ours.en});
            assert_eq!(finding(&serde_json::from_value(told).unwrap(), 7), ours);
        }
        let newer =
            Told { code: "newer".into(), severity: "warning".into(), field: None, detail: None, text: "x".into() };
        let newer = finding(&newer, 3);
        assert_eq!((newer.severity, newer.en.as_str(), newer.row), (Severity::Warning, "x", Some(3)));
    }
}

//! Cosignatures: each new checkpoint is offered to the witnesses, and what they say is kept.
//!
//! # Why
//! *A round asks what there is to do*: what is published, and what each witness cosigned last. Killed anywhere, the
//! next one finds the same, and a witness that has cosigned what was not kept cosigns it again.
//!
//! *Each witness has its own rounds*, so that one that is down keeps no other waiting; it is asked ever more slowly, and
//! what it has not cosigned is a debt that `vankho status` and the metrics show. Nothing that is taken in waits for it.
//!
//! *What a witness refuses is told loudly*: that it has seen a larger tree, or another one, means that this archive was
//! rolled back or that somebody else signs with its key.

use crate::archive::{Archive, ArchiveError, witnesses::Witness};
use crate::evidence::{client, cosigned, newest};
use crate::ledger::{checkpoint::Checkpoint, merkle::EMPTY_ROOT, note::Note, offer::Offer};
use crate::record::digest::Digest;
use futures::future::join_all;
use reqwest::{Client, Response, StatusCode, Url, header};
use std::time::Duration;

/// The longest answer of a witness that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// As much of it is told where it is no cosignature.
const TOLD_CHARS_MAX: usize = 200;
/// A witness that is down is asked again at least this often.
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// How often a witness may name the size from which it goes on, in one round.
const SIZES_MAX: usize = 3;

/// Why a witness has not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFault {
    #[error("it cannot be reached ({0})")]
    Away(String),
    #[error(
        "it has seen {0} entries and this archive has {1}: this archive was rolled back, or somebody else signs with its key; see deploy/runbook.md"
    )]
    SeenMore(u64, u64),
    #[error(
        "it has cosigned another history than this one ({0}): somebody else signs with this archive's key; see deploy/runbook.md"
    )]
    SeenOther(String),
    #[error("it answered {0} ({1})")]
    Refused(u16, String),
    #[error("its answer does not hold: {0}")]
    Answer(&'static str),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// What a witness said.
enum Said {
    /// Cosignature lines.
    Lines(String),
    /// It goes on from another size than it was offered.
    Size(u64),
}

/// Offers every new checkpoint to every witness, until it is dropped.
pub async fn rounds(archive: &Archive) {
    let interval = Duration::from_millis(archive.config.evidence.witness_interval_ms.max(1));
    let follow = async |witness: &Witness| {
        let (mut done, mut pause) = (None, interval);
        loop {
            match round(archive, witness, done).await {
                Ok(size) => (done, pause) = (size, interval),
                Err(_) => pause = (pause * 2).min(BACKOFF_MAX.max(interval)),
            }
            tokio::time::sleep(pause).await;
        }
    };
    join_all(archive.witnesses.iter().filter(|witness| witness.url.is_some()).map(follow)).await;
}

/// Offers the newest checkpoint to every witness once, and waits for what they say.
pub async fn once(archive: &Archive) {
    let asked = archive.witnesses.iter().filter(|witness| witness.url.is_some());
    join_all(asked.map(|witness| round(archive, witness, None))).await;
}

/// Offers the newest checkpoint to a witness, unless it is `done`. Answers the size that the witness has cosigned.
///
/// If we stop here, it has cosigned what we have not kept, or we have kept what is not noted: the next round finds out.
async fn round(archive: &Archive, witness: &Witness, done: Option<u64>) -> Result<Option<u64>, WitnessFault> {
    let key = witness.key.to_string();
    let mut heard = archive.desk.heard(&key).await.map_err(ArchiveError::from)?;
    let before = heard.clone();
    let answer = match offered(archive, witness, done, heard.size).await {
        Ok(None) => Ok(done),
        Ok(Some((size, time))) => {
            (heard.size, heard.time, heard.why) = (size, time, None);
            Ok(Some(size))
        }
        Err(fault) => {
            told(witness, &fault, before.why.as_ref());
            heard.why = Some(fault.to_string());
            Err(fault)
        }
    };
    if heard != before {
        archive.desk.hear(&key, &heard).await.map_err(ArchiveError::from)?;
    }
    let behind = archive.ledger.size().saturating_sub(heard.size);
    metrics::gauge!("vankho_witness_behind_entries", "witness" => witness.key.name().to_owned()).set(behind as f64);
    answer
}

/// A failure is counted each time and told once.
fn told(witness: &Witness, fault: &WitnessFault, before: Option<&String>) {
    let name = witness.key.name();
    metrics::counter!("vankho_witness_failures_total", "witness" => name.to_owned()).increment(1);
    if before == Some(&fault.to_string()) {
        return;
    }
    match fault {
        WitnessFault::SeenMore(..) | WitnessFault::SeenOther(_) => {
            tracing::error!(witness = name, %fault, "a witness contradicts this archive");
        }
        fault => tracing::warn!(witness = name, %fault, "a witness has not cosigned; it is asked again"),
    }
}

/// The size that was cosigned and the moment that was stated; `None` where there is nothing to do.
async fn offered(
    archive: &Archive,
    witness: &Witness,
    done: Option<u64>,
    heard: u64,
) -> Result<Option<(u64, u64)>, WitnessFault> {
    let Some((checkpoint, note)) = newest(archive).await? else { return Ok(None) };
    if done == Some(checkpoint.size) {
        return Ok(None);
    }
    if let Some(time) = cosigned::by(archive, witness, &checkpoint).await? {
        return Ok(Some((checkpoint.size, time)));
    }
    let Some((line, time)) = asked(archive, witness, heard, &checkpoint, &note).await? else { return Ok(None) };
    cosigned::keep(archive, checkpoint.size, &note, &line).await?;
    metrics::counter!("vankho_cosignatures_total", "witness" => witness.key.name().to_owned()).increment(1);
    Ok(Some((checkpoint.size, time)))
}

/// Offers a checkpoint until the witness cosigns it. `None` where this archive has grown meanwhile.
async fn asked(
    archive: &Archive,
    witness: &Witness,
    heard: u64,
    checkpoint: &Checkpoint,
    note: &str,
) -> Result<Option<(String, u64)>, WitnessFault> {
    let client = spoken(archive, witness)?;
    let mut old = heard.min(checkpoint.size);
    for _ in 0..SIZES_MAX {
        let proof = proof(archive, old, checkpoint).await?;
        let offer = Offer { old, proof, checkpoint_note: note.to_owned() };
        match client.offer(&offer).await? {
            Said::Lines(lines) => return line(witness, note, &lines).map(Some),
            Said::Size(size) if size <= checkpoint.size => old = size,
            Said::Size(size) => {
                let ours = newest(archive).await?.map_or(0, |(newer, _)| newer.size).max(archive.ledger.size());
                return if size <= ours { Ok(None) } else { Err(WitnessFault::SeenMore(size, ours)) };
            }
        }
    }
    Err(WitnessFault::Answer("it names another size each time"))
}

/// The proof that the checkpoint's tree begins with the one of `old` entries.
async fn proof(archive: &Archive, old: u64, checkpoint: &Checkpoint) -> Result<Vec<Digest>, ArchiveError> {
    let root = match old {
        0 => EMPTY_ROOT,
        old if old == checkpoint.size => checkpoint.root,
        old => archive.ledger.root_at(old).await?,
    };
    let proof = archive.ledger.consistency((old, root), (checkpoint.size, checkpoint.root)).await?;
    proof.ok_or_else(|| {
        ArchiveError::Damaged(format!("the log: its tiles do not lead from size {old} to its checkpoint"))
    })
}

/// The witness's line of an answer, which may have others, and the moment that it states.
fn line(witness: &Witness, note: &str, lines: &str) -> Result<(String, u64), WitnessFault> {
    let text = note.split_once("\n\n").map(|(text, _)| format!("{text}\n\n{lines}"));
    let text = text.ok_or(WitnessFault::Answer("there is no checkpoint"))?;
    let read = Note::parse(&text).map_err(|_| WitnessFault::Answer("it is no list of signature lines"))?;
    let time = witness.key.cosigned(&read).map_err(|_| WitnessFault::Answer("the signature does not fit"))?;
    let time = time.ok_or(WitnessFault::Answer("the witness has another key than in evidence.witnesses"))?;
    let mut own = read.lines().iter().filter(|line| witness.key.is_named(line.name, line.id));
    Ok((own.next_back().map(ToString::to_string).unwrap_or_default(), time))
}

/// A witness as it is spoken to.
struct Spoken {
    client: Client,
    url: Url,
}

fn spoken(archive: &Archive, witness: &Witness) -> Result<Spoken, WitnessFault> {
    let url = format!("{}/add-checkpoint", witness.url.as_deref().unwrap_or_default().trim_end_matches('/'));
    let url = Url::parse(&url).map_err(|error| WitnessFault::Away(error.to_string()))?;
    let client = client(&url, archive.config.evidence.witness_timeout_ms);
    let client = client.map_err(|error| WitnessFault::Away(error.to_string()))?;
    Ok(Spoken { client, url })
}

impl Spoken {
    async fn offer(&self, offer: &Offer) -> Result<Said, WitnessFault> {
        let away = |error: reqwest::Error| WitnessFault::Away(error.without_url().to_string());
        let response = self.client.post(self.url.clone()).body(offer.encode()).send().await.map_err(away)?;
        let (status, kind) = (response.status(), response.headers().get(header::CONTENT_TYPE).cloned());
        let text = bounded(response).await.map_err(away)?;
        match status {
            StatusCode::OK => Ok(Said::Lines(text)),
            StatusCode::CONFLICT if kind.is_some_and(|kind| kind == "text/x.tlog.size") => {
                let size = text.strip_suffix('\n').and_then(crate::ledger::note::decode_number);
                size.map(Said::Size).ok_or(WitnessFault::Answer("it is no size"))
            }
            StatusCode::UNPROCESSABLE_ENTITY => Err(WitnessFault::SeenOther(short(&text))),
            status => Err(WitnessFault::Refused(status.as_u16(), short(&text))),
        }
    }
}

/// As much of an answer as is read.
async fn bounded(mut response: Response) -> Result<String, reqwest::Error> {
    let mut all = Vec::new();
    while let Some(piece) = response.chunk().await? {
        let room = ANSWER_BYTES_MAX - all.len();
        all.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() >= room {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&all).into_owned())
}

/// What a stranger said, as far as it is told.
fn short(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(TOLD_CHARS_MAX).collect()
}

//! Timestamps: an authority is asked to stamp the newest checkpoint, and what it says is judged, kept and named.
//!
//! # Why
//! *One stamp for everything.* The checkpoint signs the whole tree, so one token says of every entry before it that it
//! was there at that moment, and of every earlier token too: a new token over a larger tree renews the old ones before
//! their certificates end, and nothing else has to be renewed.
//!
//! *Judged before it is kept*, by the rules by which it will be judged in forty years, with what has been revoked by
//! then fetched and kept beside it. A token that would not hold is no evidence, and says so today.
//!
//! *A clock that is wrong is told.* A token that is far from this machine's time is not kept: entries would seem
//! backdated by it, or it by them.
//!
//! *An authority that is down stops nothing.* What it has not seen is a debt in `vankho status` and the metrics.

use crate::archive::{Archive, ArchiveError, keep::random, timestamps::Authority};
use crate::evidence::{client, newest};
use crate::ledger::{
    authority::{Certificates, Distrust},
    timestamp::{self, TOKEN_BYTES_MAX, Token, TokenFault},
};
use crate::record::{digest::Digest, entry::Instant};
use bytes::Bytes;
use futures::future::join_all;
use reqwest::{Url, header};
use std::time::Duration;

/// The longest revocation list that is kept, in bytes.
const LIST_BYTES_MAX: usize = 8 << 20;
/// Between two looks whether something is due.
const PAUSE: Duration = Duration::from_secs(10);
/// An authority that is down is asked again at least this often.
const BACKOFF_MAX: Duration = Duration::from_secs(600);
/// How far this machine's clock and that of an authority may be apart, and how long an answer may take.
const APART_MICROS_MAX: i64 = 10_000_000;
/// How often another process may be first, in one round.
const RACES_MAX: usize = 3;

/// Why there is no timestamp.
#[derive(Debug, thiserror::Error)]
pub enum StampFault {
    #[error("it cannot be reached ({0})")]
    Away(String),
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("its answer does not hold: {0}")]
    Token(#[from] TokenFault),
    #[error("its revocation list cannot be used: {0}")]
    List(Distrust),
    #[error("it says {said}, and the clock here says {here}: set the clock of this machine right")]
    Apart { said: Instant, here: Instant },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Asks every authority whenever it is due, until it is dropped.
pub async fn rounds(archive: &Archive) {
    let follow = async |authority: &Authority| {
        let mut pause = PAUSE;
        loop {
            match round(archive, authority).await {
                Ok(_) => pause = PAUSE,
                Err(_) => pause = (pause * 2).min(BACKOFF_MAX),
            }
            tokio::time::sleep(pause).await;
        }
    };
    join_all(archive.authorities.iter().filter(|authority| authority.url.is_some()).map(follow)).await;
}

/// Asks every authority at once for a timestamp of the newest checkpoint; answers the entries that name them.
pub async fn once(archive: &Archive) -> Vec<(String, Result<Option<u64>, StampFault>)> {
    let asked = archive.authorities.iter().filter(|authority| authority.url.is_some());
    let asked = asked.map(async |authority| (authority.code.to_string(), told(archive, authority, true).await));
    join_all(asked).await
}

/// Asks an authority if it is due; answers the entry that names its timestamp.
pub async fn round(archive: &Archive, authority: &Authority) -> Result<Option<u64>, StampFault> {
    let due = is_due(archive, authority).await?;
    let stamped = if due { told(archive, authority, false).await } else { Ok(None) };
    let last = archive.catalog.last_timestamp(&authority.code).await.map_err(ArchiveError::from)?;
    let age = last.map_or(0, |last| archive.clock.now().micros() - last.time.micros()) / 1_000_000;
    metrics::gauge!("vankho_timestamp_age_seconds", "authority" => authority.code.to_string()).set(age as f64);
    stamped
}

/// Hourly when the archive grew, daily when it did not.
async fn is_due(archive: &Archive, authority: &Authority) -> Result<bool, ArchiveError> {
    let Some(last) = archive.catalog.last_timestamp(&authority.code).await? else { return Ok(true) };
    let (evidence, now) = (&archive.config.evidence, archive.clock.now().micros());
    let seconds = u64::try_from((now - last.time.micros()) / 1_000_000).unwrap_or(0);
    if seconds < evidence.timestamp_seconds {
        return Ok(false);
    }
    let grown = archive.catalog.entries_but_timestamps(last.size, archive.ledger.size()).await? > 0;
    Ok(grown || seconds >= evidence.timestamp_idle_seconds)
}

/// Has the newest checkpoint stamped. A failure is counted each time and told once.
async fn told(archive: &Archive, authority: &Authority, asked: bool) -> Result<Option<u64>, StampFault> {
    let code = authority.code.to_string();
    match stamp(archive, authority, asked).await {
        Ok(entry) => {
            archive.reason(&authority.code, None);
            if let Some(entry) = entry {
                metrics::counter!("vankho_timestamps_total", "authority" => code.clone()).increment(1);
                tracing::info!(authority = code, entry.seq = entry, "a checkpoint was timestamped");
            }
            Ok(entry)
        }
        Err(fault) => {
            metrics::counter!("vankho_timestamp_failures_total", "authority" => code.clone()).increment(1);
            if archive.reason(&authority.code, Some(fault.to_string())) {
                tracing::warn!(authority = code, %fault, "no timestamp; the authority is asked again");
            }
            Err(fault)
        }
    }
}

/// `published → asked → judged → kept → Timestamped`. `None` where nothing is published, or this size is stamped.
///
/// If we stop here, a token lies there that no entry names: the next start drops it.
async fn stamp(archive: &Archive, authority: &Authority, asked: bool) -> Result<Option<u64>, StampFault> {
    if asked {
        archive.publish().await?;
    }
    let Some((checkpoint, note)) = newest(archive).await? else { return Ok(None) };
    let note = Bytes::from(note);
    let there = archive.catalog.timestamp_at(checkpoint.size, &authority.code).await.map_err(ArchiveError::from)?;
    if there.is_some() {
        return Ok(None);
    }
    let message = Digest::of(&note);
    for _ in 0..RACES_MAX {
        let (there, beside) = archive.token_there(checkpoint.size, &authority.code).await?;
        // What another process has put there may be a while old.
        let apart = if there.is_some() { i64::MAX } else { APART_MICROS_MAX };
        let token = match there {
            Some(token) => token,
            None => asked_for(archive, authority, message).await?,
        };
        let trusted = match &beside {
            Some(chain) => {
                let beside = Certificates::parse(chain).map_err(StampFault::List)?;
                authority.certificates.clone().with_others(&beside)
            }
            None => with_lists(archive, authority).await?,
        };
        let read = Token::read(&token)?;
        let stamp = read.verify(message, &trusted)?;
        let here = archive.clock.now();
        let ahead = stamp.time.micros() - here.micros();
        if ahead > APART_MICROS_MAX || -ahead > apart {
            return Err(StampFault::Apart { said: stamp.time, here });
        }
        let chain = beside.unwrap_or_else(|| Bytes::from(trusted.with_brought(&read.brought).to_pem()));
        let kept = archive.keep_token((checkpoint.size, note.clone()), &authority.code, token, chain).await?;
        if let Some(kept) = kept {
            return Ok(Some(archive.note_token(kept, message, (stamp.time, stamp.until)).await?));
        }
    }
    Ok(None)
}

/// Sends a request with a nonce; the answer is of it.
async fn asked_for(archive: &Archive, authority: &Authority, message: Digest) -> Result<Bytes, StampFault> {
    let nonce = random()?;
    let request = timestamp::request(message, &nonce).ok_or(TokenFault::Malformed("the request"))?;
    let url = authority.url.as_deref().unwrap_or_default();
    let answer = fetched(archive, url, Some(request), TOKEN_BYTES_MAX).await?;
    Token::read(&answer)?.answers(&nonce)?;
    Ok(answer)
}

/// What an authority is judged by: its certificates, and what it has revoked by now.
async fn with_lists(archive: &Archive, authority: &Authority) -> Result<Certificates, StampFault> {
    let mut trusted = authority.certificates.clone();
    for url in &authority.revocations {
        let list = fetched(archive, url, None, LIST_BYTES_MAX).await?;
        trusted = trusted.with_list(&list).map_err(StampFault::List)?;
    }
    Ok(trusted)
}

/// Asks an address: with a body where there is a request, else for what lies there.
async fn fetched(
    archive: &Archive,
    address: &str,
    request: Option<Vec<u8>>,
    bytes_max: usize,
) -> Result<Bytes, StampFault> {
    let away = |error: reqwest::Error| StampFault::Away(error.without_url().to_string());
    let url = Url::parse(address).map_err(|error| StampFault::Away(error.to_string()))?;
    let client = client(&url, archive.config.evidence.authority_timeout_ms).map_err(away)?;
    let asking = match request {
        Some(body) => client.post(url).header(header::CONTENT_TYPE, "application/timestamp-query").body(body),
        None => client.get(url),
    };
    let mut response = asking.send().await.map_err(away)?;
    if !response.status().is_success() {
        return Err(StampFault::Status(response.status().as_u16()));
    }
    let mut all = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(away)? {
        all.extend_from_slice(&piece);
        if all.len() > bytes_max {
            return Err(StampFault::TooLong(bytes_max));
        }
    }
    Ok(all.into())
}

//! Verifying a receipt: of a record that is kept here, or from files that somebody brings.
//!
//! # Why
//! *Bytes are hashed as they come and not kept*: to be told whether a file is the one, nobody has to hand it
//! over. *The verdict is worth as much as this server*, and the page says how to do without it.

use crate::access;
use crate::evidence::{self, published};
use crate::http::{
    api,
    error::{Kind, Trouble},
    identity::Held,
    parts,
    state::{Door, Open},
    web::{Visit, html},
};
use crate::record::{
    component::Role,
    digest::{Digest, Hasher},
};
use askama::Template;
use axum::{
    extract::{Multipart, Query, State, multipart::Field, multipart::MultipartRejection},
    http::HeaderMap,
    response::Response,
};
use futures::TryStreamExt;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

#[derive(Template)]
#[template(path = "verify.html")]
struct Page {
    visit: Visit,
    /// The record whose receipt was verified as it is kept here.
    record: Option<String>,
    verdicts: Vec<Verdict>,
}

struct Verdict {
    /// What it is about: a component's name.
    of: Option<String>,
    outcome: u8,
    lines: Vec<String>,
}

#[derive(Deserialize)]
pub struct Asked {
    record: Option<String>,
}

/// The most that a receipt and a description may have; both are small.
const SMALL_BYTES_MAX: usize = 1 << 20;

/// The form; with a record, the verdict on what is kept of it.
pub async fn page(Held(open): Held, visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let verdicts = match &asked.record {
        Some(record) => kept(&open, &visit, record).await?,
        None => Vec::new(),
    };
    html(&Page { visit, record: asked.record, verdicts })
}

/// The receipt of a kept record, and every original of it read from the storage again.
async fn kept(open: &Open, visit: &Visit, record: &str) -> Result<Vec<Verdict>, Trouble> {
    let (archive, record) = (&open.archive, api::record(record)?);
    let opened = access::open(archive, &visit.reader(), record).await?.ok_or(Kind::NotFound)?;
    let evidence = evidence::receipt(archive, record, false).await?.ok_or(Kind::NotFound)?;
    let originals = opened.description.components.iter().filter(|one| one.role == Role::Original);
    let mut verdicts = Vec::new();
    for component in originals {
        let mut hasher = Hasher::default();
        // The bytes as they are: whether they are those of the receipt is what is judged.
        if let Ok(Some(pieces)) = access::read(archive, &opened, component.ordinal).await {
            let mut pieces = std::pin::pin!(pieces);
            while let Ok(Some(piece)) = pieces.try_next().await {
                hasher.update(&piece);
            }
        }
        let of = component.original_name.clone().or_else(|| Some(component.ordinal.to_string()));
        verdicts.push(judged(open, visit, of, &evidence, Some(hasher.finish())).await?);
    }
    if verdicts.is_empty() {
        verdicts.push(judged(open, visit, None, &evidence, None).await?);
    }
    Ok(verdicts)
}

async fn judged(
    open: &Open,
    visit: &Visit,
    of: Option<String>,
    evidence: &evidence::Evidence,
    file: Option<Digest>,
) -> Result<Verdict, Trouble> {
    let judged =
        published::judge(&open.archive, evidence.receipt.as_bytes(), Some(&evidence.description), file).await?;
    Ok(verdict(visit, of, judged))
}

fn verdict(visit: &Visit, of: Option<String>, judged: published::Judged) -> Verdict {
    let text = visit.say(&judged.vi, &judged.en);
    Verdict { of, outcome: judged.outcome, lines: text.lines().map(str::to_owned).collect() }
}

/// The verdict on what somebody brings.
pub async fn judge(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Trouble> {
    let mut form = form.map_err(|_| Trouble::from(Kind::WrongType))?;
    parts::must_fit(&headers, door.config.server.body_bytes_max)?;
    let pause = Duration::from_secs(door.config.server.request_timeout_seconds);
    let (mut receipt, mut description, mut file, mut of) = (Vec::new(), None, None, None);
    while let Some(part) = parts::next_part(&mut form, pause).await? {
        let name = part.file_name().map(str::to_owned).filter(|name| !name.is_empty());
        match part.name() {
            Some("receipt") => receipt = parts::whole(part, SMALL_BYTES_MAX, pause).await?.to_vec(),
            // A browser sends an empty part for a file that was not chosen.
            Some("description") if name.is_some() => {
                description = Some(parts::whole(part, SMALL_BYTES_MAX, pause).await?);
            }
            Some("file") if name.is_some() => (file, of) = (Some(hashed(part, pause).await?), name),
            _ => drop(parts::whole(part, 0, pause).await),
        }
    }
    let judged = published::judge(&open.archive, &receipt, description.as_deref(), file).await?;
    let verdicts = vec![verdict(&visit, of, judged)];
    html(&Page { visit, record: None, verdicts })
}

async fn hashed(part: Field<'_>, pause: Duration) -> Result<Digest, Trouble> {
    let mut hasher = Hasher::default();
    let mut pieces = std::pin::pin!(parts::pieces(part, pause));
    while let Some(piece) = pieces.try_next().await? {
        hasher.update(&piece);
    }
    Ok(hasher.finish())
}

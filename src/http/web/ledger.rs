//! The ledger, entry by entry, newest first: for auditors, or for everybody who is logged in where entries are public.

use crate::archive::ArchiveError;
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    state::Door,
    web::{Visit, html, show},
};
use crate::record::{actor::Act, entry::Entry};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

/// Entries on a page.
const PAGE: u64 = 50;

#[derive(Template)]
#[template(path = "ledger.html")]
struct Page {
    visit: Visit,
    origin: String,
    size: String,
    entries: Vec<Shown>,
    /// Where the pages of newer and of older entries begin.
    newer: Option<u64>,
    older: Option<u64>,
}

struct Shown {
    seq: u64,
    at: String,
    event: String,
    record: Option<String>,
    /// The entry itself, byte for byte.
    line: String,
}

#[derive(Deserialize)]
pub struct Asked {
    /// Entries before this one.
    before: Option<u64>,
}

/// The page.
pub async fn page(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let audits = visit.actor.as_ref().is_some_and(|actor| actor.role.may(Act::Audit));
    if !audits && !door.config.server.entries_public {
        return Err(Kind::Forbidden.into());
    }
    let ledger = &open.archive.ledger;
    let size = ledger.size();
    let before = asked.before.unwrap_or(size).min(size);
    let from = before.saturating_sub(PAGE);
    let mut entries = Vec::new();
    for seq in (from..before).rev() {
        let bytes = ledger.entry(seq).await.map_err(ArchiveError::from)?;
        let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        entries.push(Shown {
            seq,
            at: show::time(entry.at),
            event: show::event(entry.event.name(), visit.language).to_owned(),
            record: entry.event.record().map(|record| record.to_string()),
            line: String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
    let page = Page {
        origin: ledger.origin().to_owned(),
        size: show::count(size, visit.language),
        entries,
        newer: (before < size).then(|| (before + PAGE).min(size)),
        older: (from > 0).then_some(from),
        visit,
    };
    html(&page)
}

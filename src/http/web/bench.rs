//! The auditor's bench: is a file kept here, and how does the archive stand?

use crate::access::answer::{self, State};
use crate::http::{
    error::Trouble,
    identity::Held,
    web::{Visit, html, show},
};
use crate::record::{actor::Act, entry::Instant};
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "bench.html")]
struct Page {
    visit: Visit,
    /// `None` where the visitor may not see how the archive runs.
    standing: Option<Standing>,
    /// May the visitor read the ledger?
    audits: bool,
}

struct Standing {
    entries: String,
    records: String,
    waiting: u64,
    orders_pending: u64,
    places: Vec<Place>,
    /// Witnesses and authorities.
    outsiders: Vec<Outsider>,
}

/// How far a place was read again, and what it lacks.
struct Place {
    name: String,
    primary: bool,
    /// Entries that it is behind, for replicas.
    behind: Option<u64>,
    why: Option<String>,
    /// Days since the oldest unread byte was read.
    days: Option<u64>,
    objective: u32,
    overdue: bool,
}

struct Outsider {
    name: String,
    authority: bool,
    size: u64,
    at: Option<String>,
    behind: u64,
    /// When its certificate ends, where that is soon.
    ends: Option<String>,
    why: Option<String>,
}

/// The page.
pub async fn page(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    let may = |act| visit.actor.as_ref().is_some_and(|actor| actor.role.may(act));
    let (watches, audits) = (may(Act::Watch), may(Act::Audit));
    let standing = match watches {
        true => Some(standing(&visit, answer::state(&open.archive).await?, open.archive.clock.now())),
        false => None,
    };
    html(&Page { visit, standing, audits })
}

fn standing(visit: &Visit, state: State, now: Instant) -> Standing {
    let shown = |at: &str| at.parse().map_or_else(|_| at.to_owned(), show::time);
    let places = state.fixity.iter().map(|covered| {
        let replica = state.replicas.iter().find(|replica| replica.place == covered.place);
        let since = covered.unread_since.as_deref().and_then(|since| since.parse::<Instant>().ok());
        let days = since.map(|since| u64::try_from((now.micros() - since.micros()) / 86_400_000_000).unwrap_or(0));
        Place {
            name: covered.name.clone(),
            primary: covered.place == state.primary.place,
            behind: replica.map(|replica| replica.behind),
            why: replica.and_then(|replica| replica.why.clone()),
            days,
            objective: covered.objective_days,
            overdue: covered.overdue,
        }
    });
    let places = places.collect();
    let witnesses = state.witnesses.iter().filter(|one| one.asked).map(|one| Outsider {
        name: one.name.clone(),
        authority: false,
        size: one.cosigned,
        at: one.at.as_deref().map(shown),
        behind: one.behind,
        ends: None,
        why: one.why.clone(),
    });
    let authorities = state.authorities.iter().filter(|one| one.asked).map(|one| Outsider {
        name: one.code.clone(),
        authority: true,
        size: one.stamped,
        at: one.at.as_deref().map(shown),
        behind: one.behind,
        ends: one.until.as_deref().filter(|_| one.ending).map(shown),
        why: one.why.clone(),
    });
    Standing {
        entries: show::count(state.entries, visit.language),
        records: show::count(state.records, visit.language),
        waiting: state.waiting,
        orders_pending: state.orders_pending,
        places,
        outsiders: witnesses.chain(authorities).collect(),
    }
}

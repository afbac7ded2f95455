//! The pages: one file a page, its template beside it. [`routes`] is their table of contents.
//!
//! # Why
//! *Both languages stand side by side in the template*, where the eye compares them; a table of keys elsewhere
//! goes stale on one side.
//!
//! *A script stands only where no form can do it*: handing over several files at once, which tells how far it is and goes
//! on after a break; hashing a file that is not to leave the browser; checking a receipt without believing this server.
//! They speak to the API as any program does. Nothing comes from elsewhere: style, scripts and mark are parts of the
//! program.
//!
//! *Who is not logged in is led to the login and from there back*, where the API says 401.

mod agencies;
mod assets;
mod audits;
mod backlog;
mod bench;
mod case;
mod case_acts;
mod cases;
mod deposit;
mod due;
mod ended;
mod file;
mod file_edit;
mod file_forms;
mod fonds;
mod forecast;
mod holds;
mod ledger;
mod login;
mod overdue;
mod plans;
mod plot;
pub mod problem;
mod record;
mod schedule;
mod schedule_sent;
mod schedules;
mod search;
mod show;
mod told;
mod verify;

use crate::http::{
    error::{self, Kind, SEE_OTHER, Trouble},
    identity::Perhaps,
    language::Language,
    state::Door,
};
use crate::record::{
    access::Reader,
    actor::{Act, Actor},
};
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts},
    http::{HeaderValue, header, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use std::sync::Arc;

/// Every page. `body_bytes_max` is the most that a file whose receipt is verified may have.
pub fn routes(body_bytes_max: u64) -> Router<Arc<Door>> {
    let large = DefaultBodyLimit::max(usize::try_from(body_bytes_max).unwrap_or(usize::MAX));
    Router::new()
        .route("/", get(search::page))
        .route("/records/{record}", get(record::page))
        .route("/deposit", get(deposit::page))
        .route("/bench", get(bench::page))
        .route("/ledger", get(ledger::page))
        .route("/audits", get(audits::page).post(audits::pledge))
        .route("/audits/{audit}", get(audits::one))
        .merge(arrangement())
        .merge(retention())
        .merge(holds::routes())
        .merge(cases::routes())
        .merge(ended::routes())
        .route("/verify", get(verify::page).post(verify::judge).layer(large))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/language", post(login::speak))
        .route("/assets/{name}", get(assets::one))
}

/// The most that a table and the fields beside it have.
fn table() -> DefaultBodyLimit {
    DefaultBodyLimit::max(schedule_sent::TABLE_BYTES_MAX + (1 << 20))
}

/// Agencies, lists of files, fonds and files.
fn arrangement() -> Router<Arc<Door>> {
    Router::new()
        .route("/agencies", get(agencies::page).post(agencies::take).layer(table()))
        .route("/backlog", get(backlog::list).post(backlog::open))
        .route("/backlog/{work}", get(backlog::one))
        .route("/backlog/{work}/act", post(backlog::act))
        .route("/plans", get(plans::page).post(plans::import).layer(table()))
        .route("/plans/{plan}", get(plans::one))
        .route("/plans/{plan}/act", post(plans::act))
        .route("/plans/{plan}/table", post(plans::describe).layer(table()))
        .route("/plans/{plan}/print", get(plans::print))
        .route("/fonds", get(fonds::list).post(fonds::open))
        .route("/fonds/{fonds}", get(fonds::one))
        .route("/fonds/{fonds}/close", post(fonds::close))
        .route("/fonds/{fonds}/files", post(fonds::open_file))
        .route("/overdue", get(overdue::page))
        .route("/files/{file}", get(file::page))
        .route("/files/{file}/act", post(file::act))
        .route("/files/{file}/edit", get(file_edit::page).post(file_edit::describe))
        .route("/files/{file}/documents", get(file_forms::documents))
        .route("/files/{file}/minutes", get(file_forms::minutes))
}

/// Schedules, and what is due by them.
fn retention() -> Router<Arc<Door>> {
    Router::new()
        .route("/schedules", get(schedules::page).post(schedules::import).layer(table()))
        .route("/schedules/take", post(schedules::take))
        .route("/schedules/{schedule}", get(schedule::page))
        .route("/schedules/{schedule}/approve", post(schedule::approve))
        .route("/schedules/{schedule}/next", post(schedule::next).layer(table()))
        .route("/due", get(due::page).post(due::list))
        .route("/due/forecast", get(forecast::page))
        .route("/due/forecast.csv", get(forecast::csv))
        .route("/due/forecast.json", get(forecast::json))
        .route("/due/transfers", get(forecast::transfers))
}

/// Somebody's visit to a page: what the frame around every page shows.
pub struct Visit {
    pub language: Language,
    pub actor: Option<Actor>,
    /// Path and question of this page, to come back to.
    pub here: String,
}

impl Visit {
    /// One of two texts.
    pub fn say<'a>(&self, vi: &'a str, en: &'a str) -> &'a str {
        self.language.say(vi, en)
    }

    fn reader(&self) -> Reader {
        self.actor.as_ref().map_or(Reader::Anyone, Actor::reader)
    }

    fn may_deposit(&self) -> bool {
        self.actor.as_ref().is_some_and(|actor| actor.role.may(Act::Deposit))
    }

    fn may_arrange(&self) -> bool {
        told::must_see_files(self).is_ok()
    }

    fn may_dispose(&self) -> bool {
        told::may(self, Act::Dispose)
    }

    fn role(&self) -> String {
        let Some(actor) = &self.actor else { return String::new() };
        let english = actor.role.as_str().replace('_', " ");
        self.say(actor.role.vi(), &english).to_owned()
    }

    /// Is this a page of a part of the site?
    fn is_in(&self, part: &str) -> bool {
        let path = self.here.split('?').next().unwrap_or_default();
        path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn is_at(&self, path: &str) -> bool {
        self.here.split('?').next() == Some(path)
    }

    /// A visit without a name: the login itself.
    fn of(parts: &Parts, actor: Option<Actor>) -> Visit {
        let here = parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        Visit { language: Language::of(&parts.headers), actor, here }
    }
}

/// Only for those who are logged in; others are led to the login.
impl FromRequestParts<Arc<Door>> for Visit {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Visit, Response> {
        let perhaps = Perhaps::from_request_parts(parts, door).await.map_err(IntoResponse::into_response)?;
        let visit = Visit::of(parts, perhaps.0);
        if visit.actor.is_some() {
            return Ok(visit);
        }
        // What was being sent is gone with the login; the page that sent it is not.
        let back = if parts.method.is_safe() { visit.here } else { parts.uri.path().to_owned() };
        Err(led_to(&format!("/login?{}", show::pairs(&[("next", &back)]))))
    }
}

/// Leads a browser on to a path of this server.
fn led_to(path: &str) -> Response {
    match HeaderValue::try_from(path) {
        Ok(path) => (SEE_OTHER, [(header::LOCATION, path)]).into_response(),
        Err(_) => Trouble::from(Kind::Malformed).into_response(),
    }
}

/// A path of this server and nobody else's, from what a form carried along.
fn ours(path: &str) -> &str {
    let plain = path.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
    if plain && path.starts_with('/') && !path.starts_with("//") { path } else { "/" }
}

/// A rendered page.
fn html(page: &impl Template) -> Result<Response, Trouble> {
    match page.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            Err(error::trouble(Kind::Failed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for (path, ours_is) in [
            ("/records/1?q=a%20b", "/records/1?q=a%20b"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
        ] {
            assert_eq!(ours(path), ours_is, "{path}");
        }
    }
}

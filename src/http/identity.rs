//! Who stands at the door: a bearer token for programs, a login's cookie for browsers.
//!
//! # Why
//! *A cookie is sent by the browser whoever made it ask*, so that a request which changes something and comes
//! with a cookie must come from a page of ours: `SameSite=Strict`, and the `Origin` must be the `Host`. A
//! bearer token is sent by nobody who does not know it.

use crate::archive::keep::random;
use crate::desk::{accounts::Kind as Secret, password};
use crate::http::{
    error::{Kind, Trouble},
    language::cookie,
    state::{Door, Open},
};
use crate::record::{
    actor::{Act, Actor},
    digest::hex,
    disposition::act,
    entry::Instant,
    file_state,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
};
use std::{net::IpAddr, sync::Arc};
use zeroize::Zeroizing;

/// The cookie of a login.
pub const COOKIE: &str = "login";

/// The open archive, for one request.
pub struct Held(pub Arc<Open>);

impl FromRequestParts<Arc<Door>> for Held {
    type Rejection = Trouble;
    async fn from_request_parts(_: &mut Parts, door: &Arc<Door>) -> Result<Held, Trouble> {
        match door.open() {
            Some(open) => Ok(Held(open)),
            None => {
                door.look();
                Err(Kind::Away.into())
            }
        }
    }
}

/// The actor of a request.
pub struct Who(pub Actor);

impl Who {
    /// Refuses what the role may not do.
    pub fn must(&self, act: Act) -> Result<(), Trouble> {
        if self.0.role.may(act) { Ok(()) } else { Err(Kind::Forbidden.into()) }
    }

    /// Refuses who may do neither.
    pub fn must_either(&self, one: Act, other: Act) -> Result<(), Trouble> {
        self.must(one).or_else(|_| self.must(other))
    }

    /// Who acts on files and records, as the rules of arrangement ask.
    pub fn arranging(&self) -> file_state::Who {
        file_state::Who { id: self.0.id, role: self.0.role }
    }

    /// Who acts in disposition, as its rules ask; `authenticated` is when they last gave their password.
    pub fn disposing(&self, authenticated: Option<Instant>) -> act::Who {
        act::Who { actor: self.0.id, role: self.0.role, authenticated }
    }
}

impl FromRequestParts<Arc<Door>> for Who {
    type Rejection = Trouble;
    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Who, Trouble> {
        actor(parts, door).await?.map(Who).ok_or(Kind::Unknown.into())
    }
}

/// The actor of a request, if it has one: for what anybody may read.
pub struct Perhaps(pub Option<Actor>);

impl FromRequestParts<Arc<Door>> for Perhaps {
    type Rejection = Trouble;
    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Perhaps, Trouble> {
        Ok(Perhaps(actor(parts, door).await?))
    }
}

async fn actor(parts: &Parts, door: &Arc<Door>) -> Result<Option<Actor>, Trouble> {
    let Some((secret, kind)) = secret(&parts.headers) else { return Ok(None) };
    if kind == Secret::Session && !parts.method.is_safe() && !is_ours(&parts.method, &parts.headers) {
        return Err(Kind::Forbidden.into());
    }
    let Held(open) = match door.open() {
        Some(open) => Held(open),
        None => return Err(Kind::Away.into()),
    };
    let found = open.archive.desk.behind(secret, kind, door.clock.now()).await;
    Ok(found.map_err(crate::archive::ArchiveError::from)?)
}

fn secret(headers: &HeaderMap) -> Option<(&str, Secret)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some((token.trim(), Secret::Token));
    }
    cookie(headers, COOKIE).map(|login| (login, Secret::Session))
}

/// Was a request that changes something made by a page of this server?
pub fn is_ours(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (origin, host) = (text(header::ORIGIN), text(header::HOST));
    let same = origin.and_then(|origin| origin.split_once("://")).map(|(_, from)| from);
    same.is_some() && same == host
}

/// Logs somebody in: the value of the cookie, or how many seconds to wait, or nothing but "no".
pub enum Login {
    In(Actor, HeaderValue),
    Wrong,
    Wait(u64),
}

/// What a name and a password come to.
enum Shown {
    As(Actor),
    Wrong,
    Wait(u64),
}

/// Tries a name and a password that came from an address.
async fn shows(door: &Door, open: &Open, name: &str, given: Zeroizing<String>, from: IpAddr) -> Result<Shown, Trouble> {
    let who = [format!("name {}", crate::record::text::line(name).to_lowercase()), format!("address {from}")];
    if let Some(wait) = door.attempts.wait(&who) {
        return Ok(Shown::Wait(wait.as_secs() + 1));
    }
    if given.len() > password::PASSWORD_BYTES_MAX {
        return Ok(Shown::Wrong);
    }
    let failed = crate::archive::ArchiveError::from;
    let found = open.archive.desk.account(name).await.map_err(failed)?.filter(|(account, _)| !account.disabled);
    let (account, hash) = found.unzip();
    // Counted before it is tried: many at once are many attempts.
    door.attempts.failed(&who);
    let (true, Some(account)) = (password::matches(given, hash).await.map_err(failed)?, account) else {
        return Ok(Shown::Wrong);
    };
    door.attempts.succeeded(&who);
    Ok(Shown::As(account.actor))
}

/// Logs in with a name and a password that came from an address.
pub async fn log_in(
    door: &Door,
    open: &Open,
    name: &str,
    given: Zeroizing<String>,
    from: IpAddr,
) -> Result<Login, Trouble> {
    let actor = match shows(door, open, name, given, from).await? {
        Shown::As(actor) => actor,
        Shown::Wrong => return Ok(Login::Wrong),
        Shown::Wait(seconds) => return Ok(Login::Wait(seconds)),
    };
    let failed = crate::archive::ArchiveError::from;
    let login = Zeroizing::new(hex(&random::<32>()?));
    let seconds = i64::from(door.config.server.login_hours) * 3600;
    let expires = Instant::from_micros(door.clock.now().micros() + seconds * 1_000_000);
    open.archive.desk.add_key(actor.id, &login, Secret::Session, expires).await.map_err(failed)?;
    let value = format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}", *login);
    let value = HeaderValue::try_from(value).map_err(|_| Trouble::from(Kind::Failed))?;
    Ok(Login::In(actor, value))
}

/// Has an actor show once more who they are, for what cannot be undone: when they did. Attempts are counted as those of
/// a login.
pub async fn again(
    door: &Door,
    open: &Open,
    actor: &Actor,
    given: Zeroizing<String>,
    from: IpAddr,
) -> Result<Instant, Trouble> {
    match shows(door, open, &actor.name, given, from).await? {
        Shown::As(shown) if shown.id == actor.id => Ok(door.clock.now()),
        Shown::As(_) | Shown::Wrong => Err(Kind::WrongPassword.into()),
        Shown::Wait(seconds) => Err(Trouble { retry_seconds: Some(seconds), ..Kind::Busy.into() }),
    }
}

/// The same where a wrong password is an answer and no problem: `None`, so that a form can say so beside the field.
pub async fn confirmed(
    door: &Door,
    open: &Open,
    actor: &Actor,
    password: Zeroizing<String>,
    from: IpAddr,
) -> Result<Option<Instant>, Trouble> {
    match again(door, open, actor, password, from).await {
        Ok(at) => Ok(Some(at)),
        Err(trouble) if trouble.kind == Kind::WrongPassword => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Ends a login: the cookie that takes its place.
pub async fn log_out(door: &Door, open: &Open, headers: &HeaderMap) -> Result<HeaderValue, Trouble> {
    if let Some(login) = cookie(headers, COOKIE) {
        let forgotten = open.archive.desk.forget_key(login, door.clock.now()).await;
        forgotten.map_err(crate::archive::ArchiveError::from)?;
    }
    Ok(HeaderValue::from_static("login=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_changes_something_only_from_a_page_of_ours() {
        for (method, origin, ours) in [
            (Method::GET, None, true),
            (Method::POST, None, false),
            (Method::POST, Some("null"), false),
            (Method::POST, Some("http://evil.example"), false),
            (Method::POST, Some("http://127.0.0.1:80801"), false),
            (Method::POST, Some("http://127.0.0.1:8080"), true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_ours(&method, &headers), ours, "{method} {origin:?}");
        }
    }

    #[test]
    fn a_token_goes_before_a_cookie() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "login=c".parse().unwrap());
        assert_eq!(secret(&headers), Some(("c", Secret::Session)));
        headers.insert(header::AUTHORIZATION, "bearer t".parse().unwrap());
        assert_eq!(secret(&headers), Some(("t", Secret::Token)));
        headers.insert(header::AUTHORIZATION, "Basic t".parse().unwrap());
        assert_eq!(secret(&headers), None);
    }
}

//! Login, logout, and the language of the pages.
//!
//! # Why
//! *A login must come from a form of ours*, too: else a stranger's page could log a visitor in under the
//! stranger's name, and read later what was handed over.

use crate::http::{
    error::{Kind, Trouble},
    identity::{self, Held, Login, Perhaps, is_ours},
    language::COOKIE,
    state::Door,
    web::{Visit, html, led_to, ours},
};
use askama::Template;
use axum::{
    Form,
    extract::{ConnectInfo, Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
};
use serde::Deserialize;
use std::{net::SocketAddr, sync::Arc};
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    visit: Visit,
    next: String,
    name: String,
    /// Why the login before did not work.
    refused: Option<Refused>,
}

enum Refused {
    Wrong,
    /// Seconds to wait.
    Wait(u64),
}

#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// The form.
pub async fn page(
    Query(Next { next }): Query<Next>,
    Perhaps(actor): Perhaps,
    request: Request,
) -> Result<Response, Trouble> {
    if actor.is_some() {
        return Ok(led_to(ours(&next)));
    }
    let (parts, _) = request.into_parts();
    html(&Page { visit: Visit::of(&parts, None), next, name: String::new(), refused: None })
}

#[derive(Deserialize)]
pub struct Given {
    name: String,
    #[serde(deserialize_with = "secret")]
    password: Zeroizing<String>,
    #[serde(default)]
    next: String,
}

fn secret<'de, D: serde::Deserializer<'de>>(given: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(given).map(Zeroizing::new)
}

/// Logs in and leads on to where the visitor wanted to go.
pub async fn log_in(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    if !is_ours(&Method::POST, &headers) {
        return Err(Kind::Forbidden.into());
    }
    let Given { name, password, next } = given;
    let refused = match identity::log_in(&door, &open, &name, password, from.ip()).await? {
        Login::In(_, login) => {
            let mut response = led_to(ours(&next));
            response.headers_mut().insert(header::SET_COOKIE, login);
            return Ok(response);
        }
        Login::Wrong => Refused::Wrong,
        Login::Wait(seconds) => Refused::Wait(seconds),
    };
    let here = format!("/login?{}", crate::http::web::show::pairs(&[("next", ours(&next))]));
    let visit = Visit { language: crate::http::language::Language::of(&headers), actor: None, here };
    html(&Page { visit, next, name, refused: Some(refused) })
}

/// Logs out.
pub async fn log_out(State(door): State<Arc<Door>>, Held(open): Held, headers: HeaderMap) -> Result<Response, Trouble> {
    if !is_ours(&Method::POST, &headers) {
        return Err(Kind::Forbidden.into());
    }
    let gone = identity::log_out(&door, &open, &headers).await?;
    let mut response = led_to("/login");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    Ok(response)
}

#[derive(Deserialize)]
pub struct Chosen {
    language: String,
    #[serde(default)]
    next: String,
}

/// Remembers the language.
pub async fn speak(headers: HeaderMap, Form(chosen): Form<Chosen>) -> Result<Response, Trouble> {
    if !is_ours(&Method::POST, &headers) {
        return Err(Kind::Forbidden.into());
    }
    let language = if chosen.language == "en" { "en" } else { "vi" };
    let cookie = format!("{COOKIE}={language}; SameSite=Strict; HttpOnly; Path=/; Max-Age=31536000");
    let mut response = led_to(ours(&chosen.next));
    response.headers_mut().insert(header::SET_COOKIE, HeaderValue::try_from(cookie).map_err(|_| Kind::Failed)?);
    Ok(response)
}

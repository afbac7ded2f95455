//! What every request passes on its way in and out: a number, a turn, a time limit, strict headers, a line in
//! the log and a count.

use crate::archive::keep::random;
use crate::http::{
    error::{Kind, REQUEST_ID, Trouble},
    state::Door,
};
use crate::record::digest::hex;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Duration};

/// The number of a request: what the client calls it, if that is plain, else one of ours.
pub async fn numbered(mut request: Request, next: Next) -> Response {
    let plain = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=64).contains(&bytes.len()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let given = request.headers().get(REQUEST_ID).filter(plain).cloned();
    let made = || random::<12>().ok().and_then(|bytes| HeaderValue::try_from(hex(&bytes)).ok());
    let Some(number) = given.or_else(made) else { return Trouble::from(Kind::Failed).into_response() };
    request.headers_mut().insert(REQUEST_ID, number.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, number);
    response
}

/// Counts and logs what was answered; never what was asked for in words.
pub async fn told(request: Request, next: Next) -> Response {
    let begun = std::time::Instant::now();
    let path = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();
    let (method, number) = (known(request.method()), request.headers().get(REQUEST_ID).cloned());
    let response = next.run(request).await;
    let (status, seconds) = (response.status().as_u16(), begun.elapsed().as_secs_f64());
    let labels = [("method", method.to_owned()), ("path", path.clone()), ("status", status.to_string())];
    metrics::counter!("vankho_http_requests_total", &labels).increment(1);
    metrics::histogram!("vankho_http_request_seconds", "path" => path.clone()).record(seconds);
    let request_id = number.as_ref().and_then(|number| number.to_str().ok()).unwrap_or_default();
    tracing::info!(request.id = request_id, method, path, status, seconds, "request answered");
    response
}

/// Methods that are counted by name: others are made up by strangers and would be counted without end.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => "other",
    }
}

/// A turn for every request, and a limit on how long an answer may take to begin. Packages, and files whose
/// receipt is verified, arrive as long as their bytes keep coming; that limit is where they are read.
pub async fn bounded(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let Ok(_turn) = door.requests.clone().try_acquire_owned() else {
        return Trouble::from(Kind::Busy).into_response();
    };
    let path = request.uri().path();
    let arriving = request.method() == Method::POST && (path.ends_with("/records") || path == "/verify");
    let answer = if arriving {
        next.run(request).await
    } else {
        let limit = Duration::from_secs(door.config.server.request_timeout_seconds);
        let answer = tokio::time::timeout(limit, next.run(request)).await;
        answer.unwrap_or_else(|_| Trouble::from(Kind::TookTooLong).into_response())
    };
    if answer.extensions().get::<Trouble>().is_some_and(|trouble| trouble.anew) {
        door.open_anew();
    }
    answer
}

/// Headers under which a browser does nothing but show what it was sent. A handler may have set its own.
pub async fn strict(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: browsers then call the origin of our own forms `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
             font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What a handler that panicked answers; the panic itself is in the log of the process.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler ended in a panic");
    Trouble::from(Kind::Failed).into_response()
}

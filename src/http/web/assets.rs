//! Style, script and mark: parts of the program.

use crate::http::error::{Kind, NOT_MODIFIED, Trouble};
use crate::record::digest::Digest;
use axum::{
    extract::Path,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

const ASSETS: [(&str, &str, &str); 5] = [
    ("style.css", "text/css; charset=utf-8", include_str!("style.css")),
    ("deposit.js", "text/javascript; charset=utf-8", include_str!("deposit.js")),
    ("bench.js", "text/javascript; charset=utf-8", include_str!("bench.js")),
    ("verify.js", "text/javascript; charset=utf-8", include_str!("verify.js")),
    ("mark.svg", "image/svg+xml", include_str!("mark.svg")),
];

/// One of them. A browser asks each time whether it is still the same, so that a new program has a new face.
pub async fn one(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Trouble> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = found.ok_or(Kind::NotFound)?;
    let etag = format!("\"{}\"", Digest::of(text.as_bytes()));
    let has = headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == etag.as_bytes());
    let told = [(header::ETAG, etag), (header::CACHE_CONTROL, "no-cache".into())];
    if has {
        return Ok((NOT_MODIFIED, told).into_response());
    }
    Ok((told, [(header::CONTENT_TYPE, *kind)], *text).into_response())
}

//! `/records/{record}/components/{ordinal}`: the bytes, whole or a range of them.
//!
//! # Why
//! *The type is the one that we found in the bytes*, never the one that a depositor claimed, and anything that a
//! browser could run is handed out as a file to keep.
//!
//! *The last piece waits for the verdict.* Bytes are hashed again as they go out; an answer whose length is
//! known would look complete before that is done. Damaged bytes break the connection instead.

use crate::access;
use crate::archive::keep::Described;
use crate::http::{
    api,
    error::{Kind, NOT_MODIFIED, PARTIAL, Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::component::Component;
use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use std::ops::Range;

/// What a browser shows and does not run.
const SHOWN: [&str; 5] = ["application/pdf", "image/png", "image/jpeg", "image/tiff", "text/plain"];

/// A component's bytes
///
/// One byte range is served; the ETag is the component's SHA-256.
#[utoipa::path(
    get, path = "/api/v1/records/{record}/components/{ordinal}", tag = "records",
    params(
        ("record" = String, Path, description = "The record's identifier"),
        ("ordinal" = u32, Path, description = "The component's number in the description"),
        ("Range" = Option<String>, Header, description = "bytes=0-99"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag that the client has"),
        ("If-Range" = Option<String>, Header, description = "The ETag that the range belongs to"),
    ),
    responses(
        (status = 200, description = "The component, as the type that was found in it", content_type = "*/*"),
        (status = 206, description = "The range of it", content_type = "*/*"),
        (status = 304, description = "The client has it"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn bytes(
    Held(open): Held,
    who: Who,
    Path((record, ordinal)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (archive, record) = (&open.archive, api::record(&record)?);
    let ordinal: u32 = ordinal.parse().map_err(|_| Kind::NotFound)?;
    let opened = access::open(archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    let component = component(&opened, ordinal).ok_or(Kind::NotFound)?;
    let etag = format!("\"{}\"", component.sha256);
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH).is_some_and(|given| given == "*" || given.split(',').any(|one| one.trim() == etag)) {
        return Ok((NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    access::note(archive, &who.0, record, Some(ordinal)).await?;
    let same = text(header::IF_RANGE).is_none_or(|given| given == etag);
    let asked = text(header::RANGE).filter(|_| same).map_or(Asked::Whole, |text| read_range(text, component.size));
    let (range, partial) = match asked {
        Asked::Whole => (0..component.size, false),
        Asked::Range(range) => (range, true),
        Asked::Beyond => {
            let told = [(header::CONTENT_RANGE, format!("bytes */{}", component.size))];
            return Ok((told, Trouble::from(Kind::NoSuchRange)).into_response());
        }
    };
    // A part costs what it weighs; the whole is hashed on its way.
    let pieces = match partial && range != (0..component.size) {
        true => access::read_range(archive, &opened, ordinal, range.clone()).await?,
        false => access::read(archive, &opened, ordinal).await?,
    };
    let pieces = pieces.ok_or(Kind::NotFound)?;
    let length = range.end - range.start;
    let content_range = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), component.size);
    let mut response = Body::from_stream(held_back(pieces)).into_response();
    let shown = SHOWN.contains(&component.format.mime.split(';').next().unwrap_or_default().trim());
    let kind = if shown { component.format.mime.as_str() } else { "application/octet-stream" };
    let told = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, disposition(component)),
        (header::ETAG, etag),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    for (name, value) in told {
        response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| Kind::Failed)?);
    }
    if partial {
        *response.status_mut() = PARTIAL;
        response
            .headers_mut()
            .insert(header::CONTENT_RANGE, HeaderValue::try_from(content_range).map_err(|_| Kind::Failed)?);
    }
    Ok(response)
}

fn component(opened: &Described, ordinal: u32) -> Option<&Component> {
    opened.description.components.iter().find(|component| component.ordinal == ordinal)
}

/// What a Range header asks for.
#[derive(PartialEq, Eq, Debug)]
enum Asked {
    Whole,
    Range(Range<u64>),
    Beyond,
}

/// One range of bytes; anything else is answered with the whole.
fn read_range(text: &str, size: u64) -> Asked {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    let range = match (first.trim().parse::<u64>(), last.trim()) {
        (Ok(first), "") => first..size,
        (Ok(first), last) => match last.parse::<u64>() {
            Ok(last) if last >= first => first..size.min(last.saturating_add(1)),
            _ => return Asked::Whole,
        },
        (Err(_), last) if first.trim().is_empty() => match last.parse::<u64>() {
            Ok(length) => size - length.min(size)..size,
            Err(_) => return Asked::Whole,
        },
        _ => return Asked::Whole,
    };
    if range.start >= size || range.is_empty() { Asked::Beyond } else { Asked::Range(range) }
}

/// Gives every piece only when the next one has come; what is empty is passed over.
fn held_back<E>(pieces: impl Stream<Item = Result<Bytes, E>>) -> impl Stream<Item = Result<Bytes, E>> {
    let pieces = Box::pin(pieces);
    stream::unfold((pieces, None::<Bytes>, false), |(mut pieces, mut held, ended)| async move {
        if ended {
            return None;
        }
        loop {
            match pieces.next().await {
                None => return held.take().map(|last| (Ok(last), (pieces, None, true))),
                Some(Err(error)) => return Some((Err(error), (pieces, None, true))),
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(Ok(piece)) => {
                    if let Some(before) = held.replace(piece) {
                        return Some((Ok(before), (pieces, held, false)));
                    }
                }
            }
        }
    })
}

/// The name under which a browser keeps it (RFC 6266, RFC 8187).
fn disposition(component: &Component) -> String {
    let name = component.original_name.clone().unwrap_or_else(|| format!("component-{}.txt", component.ordinal));
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let plain: String =
        name.chars().map(|c| if c.is_ascii() && !matches!(c, '"' | '\\' | '%') { c } else { '_' }).collect();
    let coded: String = name
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_clients_ask_for_them() {
        for (text, asked) in [
            ("bytes=0-9", Asked::Range(0..10)),
            ("bytes=90-", Asked::Range(90..100)),
            ("bytes=90-1000", Asked::Range(90..100)),
            ("bytes=-10", Asked::Range(90..100)),
            ("bytes=-1000", Asked::Range(0..100)),
            ("bytes=99-18446744073709551615", Asked::Range(99..100)),
            ("bytes=100-", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=9-0", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("lines=0-1", Asked::Whole),
        ] {
            assert_eq!(read_range(text, 100), asked, "{text}");
        }
    }

    #[tokio::test]
    async fn the_last_piece_waits_for_the_verdict() {
        let pieces = |verdict: Result<Bytes, &'static str>| {
            stream::iter([Ok(Bytes::from("abc")), Ok(Bytes::from("def")), verdict])
        };
        let good: Vec<_> = held_back(pieces(Ok(Bytes::new()))).collect().await;
        assert_eq!(good, [Ok(Bytes::from("abc")), Ok(Bytes::from("def"))]);
        let bad: Vec<_> = held_back(pieces(Err("differs"))).collect().await;
        assert_eq!(bad, [Ok(Bytes::from("abc")), Err("differs")]);
    }
}

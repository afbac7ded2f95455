//! The parts of a form as they arrive, and how much may arrive.
//!
//! # Why
//! *A pause is bounded, and not the whole*: a large file over a slow line comes for hours, and who falls silent is
//! not waited for.

use crate::http::error::{self, Kind, Trouble};
use axum::{
    extract::{Multipart, multipart::Field},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use std::time::Duration;

/// Refuses a body that says itself that it is too large, before any of it is read.
pub fn must_fit(headers: &HeaderMap, bytes_max: u64) -> Result<(), Trouble> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > bytes_max => Err(Kind::TooLarge.into()),
        _ => Ok(()),
    }
}

/// The next part; who pauses too long is not waited for.
pub async fn next_part(form: &mut Multipart, pause: Duration) -> Result<Option<Field<'_>>, Trouble> {
    match tokio::time::timeout(pause, form.next_field()).await {
        Err(_) => Err(Kind::TookTooLong.into()),
        Ok(part) => part.map_err(|error| error::of_refusal(error.status())),
    }
}

/// The bytes of a part as they come; who pauses too long is not waited for.
pub fn pieces(part: Field<'_>, pause: Duration) -> impl Stream<Item = Result<Bytes, Trouble>> {
    stream::unfold(part, move |mut part| async move {
        let piece = match tokio::time::timeout(pause, part.chunk()).await {
            Err(_) => Err(Kind::TookTooLong.into()),
            Ok(piece) => piece.map_err(|error| error::of_refusal(error.status())).transpose()?,
        };
        Some((piece, part))
    })
}

/// All bytes of a part that has so many at most.
pub async fn whole(mut part: Field<'_>, bytes_max: usize, pause: Duration) -> Result<Bytes, Trouble> {
    let mut bytes = BytesMut::new();
    loop {
        match tokio::time::timeout(pause, part.chunk()).await {
            Err(_) => return Err(Kind::TookTooLong.into()),
            Ok(Err(error)) => return Err(error::of_refusal(error.status())),
            Ok(Ok(None)) => return Ok(bytes.freeze()),
            Ok(Ok(Some(piece))) if bytes.len() + piece.len() > bytes_max => {
                drop(piece);
                return Err(Kind::TooLarge.into());
            }
            Ok(Ok(Some(piece))) => bytes.extend_from_slice(&piece),
        }
    }
}

//! `/records`: hand a package over, open a record, take its receipt.

use crate::access::{
    self,
    answer::{self, Opened},
};
use crate::evidence;
use crate::exchange::posted::{self, Posted};
use crate::http::{
    api,
    error::{self, CREATED, FindingOut, Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
    parts::{self, next_part, pieces, whole},
    state::{Door, Open},
};
use crate::ingest::{
    Fate,
    arrive::{ArrivalError, Arriving},
};
use crate::record::{
    actor::{Act, Actor},
    digest::{Digest, unhex},
    finding::Code,
};
use axum::{
    Json,
    extract::{Multipart, Path, Query, State, multipart::MultipartRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use utoipa::{IntoParams, ToSchema};

/// A package. The parts must come in this order.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct PackageForm {
    /// The description: a JSON object with the fields of a manifest's row (schemas/README.md).
    #[schema(value_type = String, content_media_type = "application/json")]
    description: String,
    /// The components in order, each with a file name; Content-Digest (RFC 9530, sha-256) is compared.
    #[schema(value_type = Vec<String>, format = Binary)]
    component: Vec<Vec<u8>>,
}

/// The archive has taken responsibility.
#[derive(Serialize, ToSchema)]
pub struct Accepted {
    record: String,
    /// The number of the entry in the ledger, counted from 0.
    entry: u64,
    /// C2SP tlog-proof; keep it.
    receipt: String,
    /// An earlier request with this key was answered with the same record.
    repeated: bool,
    /// Warnings; they travel with the record.
    findings: Vec<FindingOut>,
}

/// Hand over a package
///
/// Bytes are hashed and staged while they arrive. The same key again answers with the same record.
#[utoipa::path(
    post, path = "/api/v1/records", tag = "records",
    params(("Idempotency-Key" = String, Header, pattern = "^([0-9A-Fa-f]{64}|[0-9A-Za-z_-]{42}[AEIMQUYcgkosw048]=?)$", description = "32 random bytes, base64url or hexadecimal; the same for every attempt")),
    request_body(content = PackageForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Taken in", body = Accepted),
        (status = 200, description = "Taken in by an earlier request with this key", body = Accepted),
        (status = 422, description = "The package has findings; nothing was kept", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many at once: come again after Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn deposit(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    who: Who,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Trouble> {
    who.must(Act::Deposit)?;
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).and_then(read_key);
    let key = key.ok_or(Kind::NoKey)?;
    let form = form.map_err(|_| Trouble::from(Kind::WrongType))?;
    parts::must_fit(&headers, door.config.server.body_bytes_max)?;
    let language = Language::of(&headers);
    // A task of its own: a depositor who hangs up after the last byte does not stop what is being written.
    let taken = tokio::spawn(take(door, open, who.0, key, form)).await;
    let (fate, entry) = taken.map_err(|_| Trouble::from(Kind::Failed))??;
    answer(fate, entry, language)
}

fn answer(fate: Fate, entry: Option<u64>, language: Language) -> Result<Response, Trouble> {
    match fate {
        Fate::Refused(findings) => Err(Trouble { findings, ..error::trouble(Kind::Refused) }),
        Fate::Kept { record, receipt, before, findings } => {
            let findings = findings.iter().map(|finding| FindingOut::of(finding, language)).collect();
            let place = [(header::LOCATION, format!("/api/v1/records/{record}"))];
            let entry = entry.unwrap_or_default();
            let accepted = Accepted { record: record.to_string(), entry, receipt, repeated: before, findings };
            match before {
                true => Ok((place, Json(accepted)).into_response()),
                false => Ok((CREATED, place, Json(accepted)).into_response()),
            }
        }
    }
}

/// An idempotency key: 32 bytes in hexadecimal digits or base64url.
fn read_key(text: &str) -> Option<[u8; 32]> {
    let bytes = match text.len() {
        64 => unhex(&text.to_ascii_lowercase())?,
        _ => URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?,
    };
    bytes.try_into().ok()
}

/// A turn among the packages that arrive, or word to come later.
async fn turn(door: &Door) -> Result<tokio::sync::SemaphorePermit<'_>, Trouble> {
    if let Ok(turn) = door.arrivals.try_acquire() {
        return Ok(turn);
    }
    let waiting = door.waiting.fetch_add(1, Ordering::SeqCst);
    let turn = match waiting < door.config.server.intake_queue {
        true => door.arrivals.acquire().await.map_err(|_| Trouble::from(Kind::Away)),
        false => Err(Kind::Busy.into()),
    };
    door.waiting.fetch_sub(1, Ordering::SeqCst);
    turn
}

async fn take(
    door: Arc<Door>,
    open: Arc<Open>,
    actor: Actor,
    key: [u8; 32],
    mut form: Multipart,
) -> Result<(Fate, Option<u64>), Trouble> {
    let _turn = turn(&door).await?;
    let Open { archive, intake } = &*open;
    let pause = Duration::from_secs(door.config.server.request_timeout_seconds);
    if let Some((fate, entry)) = intake.answered(archive, actor.id, &key).await? {
        // Whoever is still sending would see a broken connection in the place of the answer.
        while let Some(mut part) = next_part(&mut form, pause).await? {
            while tokio::time::timeout(pause, part.chunk()).await.is_ok_and(|piece| matches!(piece, Ok(Some(_)))) {}
        }
        return Ok((fate, Some(entry)));
    }
    let limits = &archive.config.ingest;
    let first = next_part(&mut form, pause).await?.filter(|part| part.name() == Some("description"));
    let description = whole(first.ok_or(Kind::Malformed)?, limits.row_bytes_max as usize, pause).await?;
    let Posted { package, expected } = posted::read(&description, limits);
    let mut arriving = intake.begin(archive, actor.id, &key, package).await?;
    let arrived = match components(&mut arriving, form, &expected, limits.components_max, pause).await {
        Ok(arrived) => arrived,
        Err(trouble) => {
            arriving.abandon().await?;
            return Err(trouble);
        }
    };
    if !expected.is_empty() && expected.len() != arrived {
        let detail = format!("{} named, {arrived} arrived", expected.len());
        arriving.refuse(Code::MalformedRow, "components", &detail);
    }
    let (fate, entry) = arriving.keep().await.inspect_err(|_| door.look())?;
    if let Fate::Kept { record, .. } = &fate {
        metrics::counter!("vankho_records_accessioned_total").increment(1);
        tracing::info!(record.id = %record, entry.seq = entry, "record accessioned");
    }
    Ok((fate, entry))
}

/// Takes the components in; how many came, those among them that were refused.
async fn components(
    arriving: &mut Arriving<'_>,
    mut form: Multipart,
    expected: &[Option<Digest>],
    components_max: usize,
    pause: Duration,
) -> Result<usize, Trouble> {
    let mut count = 0;
    while let Some(part) = next_part(&mut form, pause).await? {
        let (Some("component"), Some(name)) = (part.name(), part.file_name()) else {
            return Err(Kind::Malformed.into());
        };
        // The name alone: a path in it says where it lay with somebody else.
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        if count >= components_max {
            arriving.refuse(Code::TooManyComponents, "components", &format!("> {components_max}"));
            return Ok(expected.len().max(count));
        }
        let stated = match part.headers().get("content-digest") {
            Some(value) => Some(value.to_str().ok().and_then(read_digest).ok_or(Kind::Malformed)?),
            None => expected.get(count).copied().flatten(),
        };
        count += 1;
        match arriving.component(name, stated, pieces(part, pause)).await {
            Ok(()) => {}
            Err(ArrivalError::Wire(trouble)) => return Err(trouble),
            Err(ArrivalError::Archive(error)) => return Err(error.into()),
        }
    }
    Ok(count)
}

/// `sha-256=:…:` of RFC 9530.
fn read_digest(value: &str) -> Option<Digest> {
    let member = value.split(',').find_map(|member| member.trim().strip_prefix("sha-256=:"))?;
    let bytes = STANDARD.decode(member.strip_suffix(':')?).ok()?;
    Some(Digest(bytes.try_into().ok()?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// The depositor's identifier.
    external_id: String,
}

/// The records that bear an identifier.
#[derive(Serialize, ToSchema)]
pub struct Bearers {
    records: Vec<String>,
}

/// Find records by their depositor's identifier
#[utoipa::path(
    get, path = "/api/v1/records", tag = "records", params(Name),
    responses(
        (status = 200, description = "The records that bear it", body = Bearers),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn named(Held(open): Held, who: Who, Query(name): Query<Name>) -> Result<Response, Trouble> {
    let records = access::named(&open.archive, &who.0.reader(), &name.external_id).await?;
    Ok(Json(Bearers { records: records.iter().map(ToString::to_string).collect() }).into_response())
}

/// Open a record
#[utoipa::path(
    get, path = "/api/v1/records/{record}", tag = "records",
    params(("record" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The record", body = Opened),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(Held(open): Held, who: Who, Path(record): Path<String>) -> Result<Response, Trouble> {
    let (archive, record) = (&open.archive, api::record(&record)?);
    let opened = answer::opened(archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    access::note(archive, &who.0, record, None).await?;
    Ok(Json(opened).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Of the description in force instead of the accession.
    #[serde(default)]
    latest: bool,
    /// Under the first checkpoint that was timestamped after.
    #[serde(default)]
    timestamped: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// Of the description in force instead of the accession.
    #[serde(default)]
    latest: bool,
}

/// Take the receipt of a record
///
/// C2SP tlog-proof against the newest checkpoint. The description that its entry names is under its SHA-256.
#[utoipa::path(
    get, path = "/api/v1/records/{record}/receipt", tag = "records",
    params(("record" = String, Path, description = "Its identifier"), Which),
    responses(
        (status = 200, description = "The receipt", body = String, content_type = "text/plain"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn receipt(
    Held(open): Held,
    who: Who,
    Path(record): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Trouble> {
    let (archive, record) = (&open.archive, api::record(&record)?);
    access::open(archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    let found = match which.timestamped {
        true => evidence::timely(archive, record, which.latest).await?.map(|timely| timely.evidence),
        false => evidence::receipt(archive, record, which.latest).await?,
    };
    let name = format!("attachment; filename=\"{record}.receipt.txt\"");
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, found.ok_or(Kind::NotFound)?.receipt).into_response())
}

/// Take what a timestamping authority said
///
/// RFC 3161, over the checkpoint of the receipt that is taken with `timestamped=true`: its text and the archive's own
/// signature lines. 404 where no timestamp covers the record yet.
#[utoipa::path(
    get, path = "/api/v1/records/{record}/timestamp", tag = "records",
    params(("record" = String, Path, description = "Its identifier"), Of),
    responses(
        (status = 200, description = "TimeStampResp", content_type = "application/timestamp-reply"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn timestamp(
    Held(open): Held,
    who: Who,
    Path(record): Path<String>,
    Query(of): Query<Of>,
) -> Result<Response, Trouble> {
    let (archive, record) = (&open.archive, api::record(&record)?);
    access::open(archive, &who.0.reader(), record).await?.ok_or(Kind::NotFound)?;
    let timely = evidence::timely(archive, record, of.latest).await?.ok_or(Kind::NotFound)?;
    let name = format!("attachment; filename=\"{record}.tsr\"");
    let kind = "application/timestamp-reply".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], timely.token).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_one_of_two_spellings() {
        let key = [0xfb; 32];
        for text in
            ["fb".repeat(32), "FB".repeat(32), URL_SAFE_NO_PAD.encode(key), format!("{}=", URL_SAFE_NO_PAD.encode(key))]
        {
            assert_eq!(read_key(&text), Some(key), "{text}");
        }
        for text in
            ["", "abc", &"f".repeat(63), &"zz".repeat(32), &STANDARD.encode(key), &URL_SAFE_NO_PAD.encode([1; 31])]
        {
            assert_eq!(read_key(text), None, "{text}");
        }
    }

    #[test]
    fn a_content_digest_names_sha_256() {
        let digest = Digest::of(b"x");
        let value = format!("sha-512=:AAAA:, sha-256=:{}:", STANDARD.encode(digest.0));
        assert_eq!(read_digest(&value), Some(digest));
        for value in ["", "sha-256=abc", "sha-256=:AAAA:", "md5=:AAAA:"] {
            assert_eq!(read_digest(value), None, "{value}");
        }
    }
}

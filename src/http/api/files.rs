//! `/files`: files (hồ sơ) of a fonds, what lies in them, and what people do with them.
//!
//! # Why
//! *A file that one may not read is listed without its title*, so that numbers and places are found by whoever arranges,
//! and answers as one that is not there where it is asked for by itself. Who made a file reads it, whatever its agency.

use crate::archive::ArchiveError;
use crate::arrangement::{self, Revision};
use crate::http::{
    api::{self, Acted},
    error::{CREATED, Kind, Problem, Trouble},
    identity::{Held, Who},
    language::Language,
    state::Open,
};
use crate::record::{
    access::Access,
    actor::{Act, Actor, Role},
    file::{About, File},
    file_state::FileAct,
    id::{FileId, FondsId},
};
use axum::{
    Json,
    extract::{Path, Query},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Files whose codes come after this one: `next` of the page before.
    after: Option<String>,
    /// So many of them, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A page of the files of a fonds.
#[derive(Serialize, ToSchema)]
pub struct Files {
    files: Vec<FileListed>,
    /// Where the next page begins.
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct FileListed {
    file: String,
    code: Option<String>,
    /// Left out where the reader may not read the file.
    title: Option<String>,
    /// open, closed, reopened, submitted, returned or accepted.
    state: String,
    access: String,
    started: Option<String>,
    ended: Option<String>,
    closed: Option<String>,
    retention_code: Option<String>,
    retention_years: Option<u32>,
}

/// List the files of a fonds
#[utoipa::path(
    get, path = "/api/v1/fonds/{fonds}/files", tag = "arrangement",
    params(("fonds" = String, Path, description = "The identifier of the fonds"), Part),
    responses(
        (status = 200, description = "A page of files, by code", body = Files),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    Held(open): Held,
    who: Who,
    Path(fonds): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let (id, limit): (FondsId, u32) = (api::id(&fonds)?, api::page_limit(part.limit)?);
    let (fonds, _) = arrangement::fonds(&open.archive, id).await?.ok_or(Kind::NotFound)?;
    let after = part.after.as_deref().unwrap_or_default();
    let files = open.archive.catalog.files(id, after, limit).await.map_err(ArchiveError::from)?;
    let full = files.len() as u32 == limit;
    let last = files.last().filter(|_| full);
    let next = last.map(|last| last.code.clone().unwrap_or_else(|| last.file.to_string()));
    let (reader, creator) = (who.0.reader(), fonds.about.creator.as_str());
    let files = files.into_iter().map(|one| FileListed {
        title: api::may_learn(&reader, &one.access, Some(creator), None).then_some(one.title),
        file: one.file.to_string(),
        code: one.code,
        state: one.state.as_str().into(),
        access: one.access,
        started: one.started,
        ended: one.ended,
        closed: one.closed,
        retention_code: one.retention_code,
        retention_years: one.retention_years,
    });
    Ok(Json(Files { files: files.collect(), next }).into_response())
}

/// Open a file in a fonds
///
/// Who opens it in their own work is its maker, where the body names none.
#[utoipa::path(
    post, path = "/api/v1/fonds/{fonds}/files", tag = "arrangement",
    params(("fonds" = String, Path, description = "The identifier of the fonds")),
    request_body(content = Object, description = "What is said of it: `about` of schemas/file.v1.json", content_type = "application/json"),
    responses(
        (status = 201, description = "Opened", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn open(
    Held(open): Held,
    who: Who,
    Path(fonds): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let (id, mut about): (FondsId, About) = (api::id(&fonds)?, api::read(&body)?);
    if about.maker_id.is_none() && who.0.role != Role::Archivist {
        about.maker_id = Some(who.0.id);
    }
    let arranged = arrangement::open_file(&open.archive, &who.arranging(), id, about).await?;
    let place = [(header::LOCATION, format!("/api/v1/files/{}", arranged.unit))];
    Ok((CREATED, place, Json(Acted::arranged(&arranged, Language::of(&headers)))).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Inside {
    /// Records from this entry on: `next` of the page before.
    #[serde(default)]
    #[param(minimum = 0, maximum = 9007199254740991_i64)]
    from: u64,
    /// So many of them, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A file with what lies in it.
#[derive(Serialize, ToSchema)]
pub struct OneFile {
    /// The SHA-256 of the description in force.
    description: String,
    /// schemas/file.v1.json, without its salt.
    #[schema(value_type = Object)]
    file: Value,
    records: Vec<RecordOut>,
    /// Where the next page of records begins.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct RecordOut {
    record: String,
    entry: u64,
    /// Left out where the reader may not read the record.
    subject: Option<String>,
    access: String,
}

/// Show a file and what lies in it
#[utoipa::path(
    get, path = "/api/v1/files/{file}", tag = "arrangement",
    params(("file" = String, Path, description = "Its identifier"), Inside),
    responses(
        (status = 200, description = "Its description in force, and a page of its records", body = OneFile),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    Held(open): Held,
    who: Who,
    Path(file): Path<String>,
    Query(inside): Query<Inside>,
) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let limit = api::page_limit(inside.limit)?;
    if i64::try_from(inside.from).is_err() {
        return Err(Kind::NotAQuestion.into());
    }
    let file = readable(&open, &who.0, api::id(&file)?).await?;
    let known = open.archive.catalog.unit(file.file.into()).await.map_err(ArchiveError::from)?.ok_or(Kind::NotFound)?;
    let records = match &file.about.code {
        Some(code) => open.archive.catalog.in_file(code, inside.from, limit).await.map_err(ArchiveError::from)?,
        None => Vec::new(),
    };
    let next = records.last().filter(|_| records.len() as u32 == limit).map(|last| last.seq + 1);
    let reader = who.0.reader();
    let records = records.into_iter().map(|one| RecordOut {
        subject: api::may_learn(&reader, &one.access, one.agency.as_deref(), one.custodian.as_deref())
            .then_some(one.subject),
        record: one.record.to_string(),
        entry: one.seq,
        access: one.access,
    });
    let (description, records) = (known.description.to_string(), records.collect());
    Ok(Json(OneFile { description, file: api::shown(&*file)?, records, next }).into_response())
}

/// A file that an actor may read; any other is not there.
pub async fn readable(open: &Open, actor: &Actor, id: FileId) -> Result<Arc<File>, Trouble> {
    let (file, _) = arrangement::file(&open.archive, id).await?.ok_or(Kind::NotFound)?;
    let (fonds, _) = arrangement::fonds(&open.archive, file.fonds).await?.ok_or(Kind::NotFound)?;
    let about = &file.about;
    let own = about.maker_id == Some(actor.id) && about.access != Access::Secret;
    let may = own || actor.reader().may_read(about.access, Some(fonds.about.creator.as_str()), None);
    if may { Ok(file) } else { Err(Kind::NotFound.into()) }
}

/// Describe a file anew
///
/// What the archive fills in itself stays as it is where the body leaves it out: its maker, the days on which it was
/// opened and closed, how much is in it, why it was given back.
#[utoipa::path(
    put, path = "/api/v1/files/{file}", tag = "arrangement",
    params(("file" = String, Path, description = "Its identifier")),
    request_body(content = Object, description = "What is said of it: `about` of schemas/file.v1.json", content_type = "application/json"),
    responses(
        (status = 200, description = "Described", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn describe(
    Held(open): Held,
    who: Who,
    Path(file): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let (before, about) = (readable(&open, &who.0, api::id(&file)?).await?, api::read::<About>(&body)?);
    let was = before.about.clone();
    let about = About {
        maker_id: about.maker_id.or(was.maker_id),
        opened: about.opened.or(was.opened),
        closed: about.closed.or(was.closed),
        records: about.records.or(was.records),
        pages: about.pages.or(was.pages),
        reasons: if about.reasons.is_empty() { was.reasons } else { about.reasons },
        ..about
    };
    let arranged = arrangement::describe_file(&open.archive, &who.arranging(), before.file, about).await?;
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

/// What is done with a file.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum FileAsked {
    /// Kết thúc hồ sơ.
    Close {},
    /// Mở lại.
    Reopen { reason: String },
    /// Nộp lưu.
    Submit {},
    /// Rút lại.
    Withdraw {},
    /// Trả lại.
    Return { reasons: Vec<String> },
    /// Tiếp nhận: not by who submitted it.
    Accept {},
}

/// Do something with a file
///
/// Where it is closed or submitted, what is in it is looked through first.
#[utoipa::path(
    post, path = "/api/v1/files/{file}/acts", tag = "arrangement", request_body = FileAsked,
    params(("file" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Done", body = Acted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn act(
    Held(open): Held,
    who: Who,
    Path(file): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    who.must(Act::Arrange)?;
    let (file, asked) = (readable(&open, &who.0, api::id(&file)?).await?, api::read::<FileAsked>(&body)?);
    let act = match &asked {
        FileAsked::Close {} => FileAct::Close,
        FileAsked::Reopen { reason } => FileAct::Reopen { reason },
        FileAsked::Submit {} => FileAct::Submit,
        FileAsked::Withdraw {} => FileAct::Withdraw,
        FileAsked::Return { reasons } => FileAct::Return { reasons },
        // Who submitted it is read from the ledger by the act itself.
        FileAsked::Accept {} => FileAct::Accept { submitted_by: who.0.id },
    };
    let arranged = arrangement::act(&open.archive, &who.arranging(), file.file, &act).await?;
    Ok(Json(Acted::arranged(&arranged, Language::of(&headers))).into_response())
}

/// One description in the life of a unit.
#[derive(Serialize, ToSchema)]
pub struct RevisionOut {
    entry: u64,
    /// In UTC.
    at: String,
    /// The name of the event.
    event: String,
    /// The SHA-256 of the description.
    description: String,
    /// What it changed, in the language of the request.
    changes: Vec<String>,
    reasons: Vec<String>,
}

impl RevisionOut {
    pub fn of(revision: Revision, language: Language) -> RevisionOut {
        let line = |change: &crate::record::difference::Change| match language {
            Language::Vi => change.line_vi(),
            Language::En => change.line_en(),
        };
        RevisionOut {
            entry: revision.entry,
            at: revision.at.to_string(),
            event: revision.event,
            description: revision.description.to_string(),
            changes: revision.changes.iter().map(line).collect(),
            reasons: revision.reasons,
        }
    }
}

/// The history of a file, the oldest first
#[utoipa::path(
    get, path = "/api/v1/files/{file}/history", tag = "arrangement",
    params(("file" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Its descriptions, and what each changed", body = Vec<RevisionOut>),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn history(
    Held(open): Held,
    who: Who,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let file = readable(&open, &who.0, api::id(&file)?).await?;
    let revisions = arrangement::differences(&open.archive, file.file.into()).await?;
    let language = Language::of(&headers);
    let told: Vec<RevisionOut> = revisions.into_iter().map(|one| RevisionOut::of(one, language)).collect();
    Ok(Json(told).into_response())
}

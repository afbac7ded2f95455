//! `/export`: everything that one may take out, as a list of records with the files of each.
//!
//! # Why
//! *A list and no packed stream*: each file is fetched under its own address, so that a broken connection costs
//! one file and not the whole, and each is hashed on its own. The folders are those that `vankho export` writes on
//! the archive's own machine.

use crate::access;
use crate::exchange::export::{export_folder, export_names};
use crate::http::{
    error::{Kind, Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::actor::Act;
use axum::{
    Json,
    extract::Query,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Begin with the records of this entry.
    #[serde(default)]
    #[param(minimum = 0, maximum = 9007199254740991_i64)]
    from: u64,
    /// Records that are looked at, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A part of the list.
#[derive(Serialize, ToSchema)]
pub struct Takeable {
    records: Vec<RecordFiles>,
    /// Records whose description is damaged or gone; `vankho verify archive` tells more.
    left_out: Vec<LeftOut>,
    /// Where the next part begins.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct LeftOut {
    record: String,
    description_sha256: String,
}

#[derive(Serialize, ToSchema)]
pub struct RecordFiles {
    record: String,
    entry: u64,
    /// The folder that an export writes.
    folder: String,
    description_sha256: String,
    files: Vec<FileOut>,
}

#[derive(Serialize, ToSchema)]
pub struct FileOut {
    /// The name that an export gives it: safe, and unique in its folder.
    name: String,
    ordinal: u32,
    size: u64,
    sha256: String,
}

/// List what can be taken out
#[utoipa::path(
    get, path = "/api/v1/export", tag = "export", params(Part),
    responses(
        (status = 200, description = "A part of the list", body = Takeable),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who, Query(part): Query<Part>) -> Result<Response, Trouble> {
    who.must(Act::Export)?;
    let limit = part.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) || i64::try_from(part.from).is_err() {
        return Err(Kind::NotAQuestion.into());
    }
    let listed = access::list(&open.archive, &who.0.reader(), part.from, limit).await?;
    let records = listed.opened.iter().map(|(entry, opened)| {
        let description = &opened.description;
        let names = export_names(description);
        let file = |(component, (ordinal, name)): (&crate::record::component::Component, (u32, String))| FileOut {
            name,
            ordinal,
            size: component.size,
            sha256: component.sha256.to_string(),
        };
        RecordFiles {
            record: description.record.to_string(),
            entry: *entry,
            folder: export_folder(description),
            description_sha256: opened.digest.to_string(),
            files: description.components.iter().zip(names).map(file).collect(),
        }
    });
    let left_out = |(record, digest): &(crate::record::id::RecordId, crate::record::digest::Digest)| LeftOut {
        record: record.to_string(),
        description_sha256: digest.to_string(),
    };
    let left_out = listed.left_out.iter().map(left_out).collect();
    Ok(Json(Takeable { records: records.collect(), left_out, next: listed.next }).into_response())
}

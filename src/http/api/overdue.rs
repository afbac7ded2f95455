//! `/overdue`: files that were to be handed over, by unit and person.

use crate::archive::ArchiveError;
use crate::arrangement;
use crate::http::{
    api,
    error::{Problem, Trouble},
    identity::{Held, Who},
};
use crate::record::{
    access::Access,
    actor::Act,
    overdue::{Due, Limits},
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// What has not been handed over.
#[derive(Serialize, ToSchema)]
pub struct Overdue {
    debts: Vec<DebtOut>,
}

/// What one person of one unit has to hand over.
#[derive(Serialize, ToSchema)]
pub struct DebtOut {
    unit: Option<String>,
    maker: Option<String>,
    overdue: Vec<DueOut>,
    /// Those whose last day comes within 30 days.
    reminders: Vec<DueOut>,
}

#[derive(Serialize, ToSchema)]
pub struct DueOut {
    file: String,
    code: Option<String>,
    title: String,
    /// The last day.
    due: String,
    /// Days since then; negative before it.
    late_days: i64,
}

/// List the files that are to be handed over
///
/// Of files whose work has ended (NĐ 30/2020/NĐ-CP art. 30 and Annex VI); those that the reader may not read are left out.
#[utoipa::path(
    get, path = "/api/v1/overdue", tag = "arrangement",
    responses(
        (status = 200, description = "By unit and person", body = Overdue),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(Held(open): Held, who: Who) -> Result<Response, Trouble> {
    who.must_either(Act::Arrange, Act::Dispose)?;
    let (archive, reader) = (&open.archive, who.0.reader());
    let found = arrangement::overdue(archive, None, &Limits::default()).await?;
    let all = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let creators: HashMap<_, _> = all.into_iter().map(|one| (one.fonds, one.creator)).collect();
    let mut debts = Vec::new();
    for debt in found {
        let mut shown = [Vec::new(), Vec::new()];
        for (files, shown) in [debt.overdue, debt.reminders].into_iter().zip(&mut shown) {
            for due in files {
                let Some((file, _)) = arrangement::file(archive, due.file).await? else { continue };
                let creator = creators.get(&file.fonds).map(String::as_str);
                let own = file.about.maker_id == Some(who.0.id) && file.about.access != Access::Secret;
                if own || api::may_learn(&reader, file.about.access.as_str(), creator, None) {
                    shown.push(told(due));
                }
            }
        }
        let [overdue, reminders] = shown;
        if !overdue.is_empty() || !reminders.is_empty() {
            debts.push(DebtOut { unit: debt.unit, maker: debt.maker, overdue, reminders });
        }
    }
    Ok(Json(Overdue { debts }).into_response())
}

fn told(due: Due) -> DueOut {
    DueOut {
        file: due.file.to_string(),
        code: due.code,
        title: due.title,
        due: due.due.to_string(),
        late_days: due.late_days,
    }
}

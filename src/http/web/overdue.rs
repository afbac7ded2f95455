//! What has not been handed over to the archive: late files by unit and person, and those of which 30 days ahead is reminded.
//!
//! # Why
//! *Who may not read a file is not told that it is late*: its title can name a person.

use crate::archive::ArchiveError;
use crate::arrangement;
use crate::http::{
    error::Trouble,
    identity::Held,
    web::{
        Visit, html, show,
        told::{self, Seeing},
    },
};
use crate::record::overdue::{Due, Limits};
use askama::Template;
use axum::response::Response;
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "overdue.html")]
struct Page {
    visit: Visit,
    debts: Vec<DebtRow>,
}

/// What one person of one unit has to hand over.
struct DebtRow {
    unit: String,
    maker: String,
    files: Vec<Row>,
}

struct Row {
    id: String,
    code: String,
    title: String,
    due: String,
    days: i64,
    late: bool,
}

/// The page.
pub async fn page(Held(open): Held, visit: Visit) -> Result<Response, Trouble> {
    let actor = told::must_see_files(&visit)?;
    let archive = &open.archive;
    let read = arrangement::overdue(archive, None, &Limits::default()).await;
    let found = read.or_else(|error| told::arranged(error, &visit).map(|_| Vec::new()))?;
    let seeing = Seeing::of(archive, &visit).await?;
    let fonds = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
    let codes: HashMap<_, _> = fonds.into_iter().map(|one| (one.fonds, one.code)).collect();
    let mut debts = Vec::new();
    for debt in found {
        let mut files = Vec::new();
        for due in debt.overdue.iter().chain(&debt.reminders) {
            let read = arrangement::file(archive, due.file).await;
            let Some((file, _)) = read.or_else(|error| told::arranged(error, &visit).map(|_| None))? else { continue };
            if seeing.file(&file.about, codes.get(&file.fonds).map(String::as_str), actor) {
                files.push(row(due));
            }
        }
        if !files.is_empty() {
            debts.push(DebtRow { unit: debt.unit.unwrap_or_default(), maker: debt.maker.unwrap_or_default(), files });
        }
    }
    html(&Page { visit, debts })
}

fn row(due: &Due) -> Row {
    Row {
        id: due.file.to_string(),
        code: due.code.clone().unwrap_or_default(),
        title: due.title.clone(),
        due: show::day(&due.due.to_string()),
        days: due.late_days.abs(),
        late: due.late_days > 0,
    }
}

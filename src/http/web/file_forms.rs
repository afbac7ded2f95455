//! What is printed of a file: the list of its documents, the minutes of its hand-over (NĐ 30/2020/NĐ-CP Annex V).

use crate::exchange::forms;
use crate::http::{
    api,
    error::Trouble,
    identity::Held,
    web::{Visit, file, told},
};
use crate::record::{
    closing::Inside,
    file::File,
    fonds::Fonds,
    form::{self, Electronic, Head, Minutes, Paper, Party},
};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};

/// Mục lục văn bản: the documents that the visitor may read.
pub async fn documents(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let (file, fonds) = file::readable(&open.archive, &visit, told::id(&id)?).await?;
    let (records, _) = file::records(&open.archive, &visit, &file.about).await?;
    let looked: Vec<Inside<'_>> = records.iter().map(|record| file::inside(record)).collect();
    let table = form::documents(&file.about, &looked);
    let maker = file.about.maker.clone().unwrap_or_default();
    Ok(printed(forms::documents(&head(&fonds), &table, &maker)))
}

/// Biên bản giao nhận, with what the archive knows filled in; numbers, bases and positions are written by hand.
pub async fn minutes(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    let (file, fonds) = file::readable(&open.archive, &visit, told::id(&id)?).await?;
    let (records, _) = file::records(&open.archive, &visit, &file.about).await?;
    let components: usize = records.iter().map(|record| file::inside(record).components).sum();
    let taker = visit.actor.as_ref().map(|actor| actor.name.clone()).filter(|_| file.state.is_handed_over());
    Ok(printed(forms::minutes(&head(&fonds), &filled(&file, &fonds, components, taker))))
}

fn filled(file: &File, fonds: &Fonds, components: usize, taker: Option<String>) -> Minutes {
    let about = &file.about;
    let unknown = || "……".to_owned();
    let person = |name: Option<String>| vec![(name.unwrap_or_else(unknown), unknown())];
    Minutes {
        bases: Vec::new(),
        giver: Party {
            agency: about.unit.clone().unwrap_or_else(|| fonds.about.name.clone()),
            people: person(about.maker.clone()),
        },
        taker: Party { agency: fonds.about.name.clone(), people: person(taker) },
        block: about.title.clone(),
        started: about.started,
        ended: about.ended,
        // What is on paper is counted where it lies.
        paper: Paper { boxes: 0, files: u32::from(about.paper_code.is_some()), decimetres: 0 },
        electronic: Electronic { files: 1, components: u32::try_from(components).unwrap_or(u32::MAX) },
        condition: unknown(),
    }
}

fn head(fonds: &Fonds) -> Head {
    Head { agency: fonds.about.name.clone(), place: "……".into(), ..Head::default() }
}

/// A page with its style inside.
pub fn printed(page: String) -> Response {
    ([api::PAGE_POLICY], Html(page)).into_response()
}

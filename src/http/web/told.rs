//! What an act came to, as pages tell it, and what all pages of arrangement and retention ask.
//!
//! # Why
//! *Who is refused stays where they are*: the same page comes again with the rule's own words above it, so that a clerk
//! reads what to do beside the form that does it.
//!
//! *A title can name a person*: of a file that the reader may not read nothing is told, as of a record.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement::ArrangementError;
use crate::disposition::{self, DispositionError};
use crate::http::{
    error::{Kind, Trouble},
    web::{Visit, show},
};
use crate::record::{
    access::{Access, Reader},
    actor::{Act, Actor},
    arranging, file,
    file_state::Who,
    finding::Severity,
    flaw, retention,
};
use axum::http::{HeaderName, header};
use std::collections::HashMap;

/// What is told above a page.
pub struct Told {
    pub good: bool,
    pub text: String,
    pub flaws: Vec<FlawShown>,
}

/// One thing to be mended, with what to do.
pub struct FlawShown {
    pub severity: &'static str,
    pub place: String,
    pub text: String,
}

impl Told {
    pub fn good(text: impl Into<String>) -> Told {
        Told { good: true, text: text.into(), flaws: Vec::new() }
    }

    pub fn bad(text: impl Into<String>) -> Told {
        Told { good: false, text: text.into(), flaws: Vec::new() }
    }
}

/// Why something was not arranged; what is no refusal is a problem.
pub fn arranged(error: ArrangementError, visit: &Visit) -> Result<Told, Trouble> {
    match error {
        ArrangementError::Archive(error) => Err(error.into()),
        ArrangementError::Catalog(error) => Err(ArchiveError::from(error).into()),
        ArrangementError::Refused(arranging::Refusal::NotThere) => Err(Kind::NotFound.into()),
        ArrangementError::Refused(refusal) => Ok(Told::bad(visit.say(refusal.vi(), refusal.en()))),
        ArrangementError::Flawed(found) => Ok(Told { flaws: flaws(&found, visit), ..to_mend(visit) }),
        ArrangementError::Document(error) => Err(inside(&error)),
    }
}

/// Why something of retention or disposition was not done; what is no refusal is a problem.
pub fn disposed(error: DispositionError, visit: &Visit) -> Result<Told, Trouble> {
    match error {
        DispositionError::Archive(error) => Err(error.into()),
        DispositionError::Catalog(error) => Err(ArchiveError::from(error).into()),
        DispositionError::Arranging(arranging::Refusal::NotThere) => Err(Kind::NotFound.into()),
        DispositionError::Arranging(refusal) => Ok(Told::bad(visit.say(refusal.vi(), refusal.en()))),
        DispositionError::Refused(refusal) => Ok(Told::bad(visit.say(refusal.vi(), refusal.en()))),
        DispositionError::Held(refusal) => Ok(Told::bad(visit.say(refusal.vi(), refusal.en()))),
        DispositionError::Secrecy(refusal) => Ok(Told::bad(visit.say(refusal.vi(), refusal.en()))),
        DispositionError::Flawed(found) => Ok(Told { flaws: rule_flaws(&found, visit), ..to_mend(visit) }),
        DispositionError::Document(error) => Err(inside(&error)),
    }
}

/// The same where nothing was to be changed: a refusal is no answer there.
pub fn unread(error: DispositionError, visit: &Visit) -> Trouble {
    disposed(error, visit).err().unwrap_or(Kind::NotFound.into())
}

fn to_mend(visit: &Visit) -> Told {
    let text = "Còn thiếu sót phải sửa trước; chưa có gì thay đổi.";
    Told::bad(visit.say(text, "There are flaws to be mended first; nothing was changed."))
}

fn inside(error: &dyn std::error::Error) -> Trouble {
    tracing::error!(%error, "what was to be kept is no document");
    Kind::Failed.into()
}

/// Flaws of what was arranged, what stops it first.
pub fn flaws(found: &[flaw::Flaw], visit: &Visit) -> Vec<FlawShown> {
    let mut shown: Vec<FlawShown> = found
        .iter()
        .map(|flaw| {
            let severity = severity(flaw.severity);
            FlawShown {
                severity,
                place: place(&flaw.place, flaw.detail.as_deref()),
                text: visit.say(flaw.vi, flaw.en).into(),
            }
        })
        .collect();
    shown.sort_by_key(|flaw| flaw.severity);
    shown
}

/// Flaws of a schedule, each with its row and class.
pub fn rule_flaws(found: &[retention::flaw::Flaw], visit: &Visit) -> Vec<FlawShown> {
    let mut shown: Vec<FlawShown> = found
        .iter()
        .map(|flaw| {
            let row = flaw.row.map(|row| format!("{} {row}", visit.say("dòng", "row")));
            let class = flaw.class.as_ref().map(|class| format!("{} {class}", visit.say("mục", "class")));
            let at = row.into_iter().chain(class).collect::<Vec<_>>().join(", ");
            let place = place(&at, flaw.detail.as_deref());
            FlawShown { severity: severity(flaw.severity), place, text: visit.say(&flaw.vi, &flaw.en).into() }
        })
        .collect();
    shown.sort_by_key(|flaw| flaw.severity);
    shown
}

fn place(place: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) if place.is_empty() => detail.to_owned(),
        Some(detail) => format!("{place} ({detail})"),
        None => place.to_owned(),
    }
}

fn severity(severity: Severity) -> &'static str {
    if severity == Severity::Error { "error" } else { "warning" }
}

/// May the visitor do this?
pub fn may(visit: &Visit, act: Act) -> bool {
    visit.actor.as_ref().is_some_and(|actor| actor.role.may(act))
}

/// The actor, who may do this.
pub fn must(visit: &Visit, act: Act) -> Result<&Actor, Trouble> {
    visit.actor.as_ref().filter(|actor| actor.role.may(act)).ok_or(Kind::Forbidden.into())
}

/// Fonds and files are shown to those who arrange, and to those who take part in disposition.
pub fn must_see_files(visit: &Visit) -> Result<&Actor, Trouble> {
    must(visit, Act::Arrange).or_else(|_| must(visit, Act::Dispose))
}

/// As the rules of arrangement know who acts.
pub fn who(actor: &Actor) -> Who {
    Who { id: actor.id, role: actor.role }
}

/// As the rules of disposition do; nothing here asks for the password anew.
pub fn party(actor: &Actor) -> disposition::Who {
    disposition::Who { actor: actor.id, role: actor.role, authenticated: None }
}

/// What is not an identifier names nothing that is here.
pub fn id<T: std::str::FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| Kind::NotFound.into())
}

/// Whose files a visitor reads: the fonds by code, with the names under which their creators go.
pub struct Seeing {
    reader: Reader,
    fonds: HashMap<String, [String; 2]>,
}

impl Seeing {
    pub async fn of(archive: &Archive, visit: &Visit) -> Result<Seeing, Trouble> {
        let all = archive.catalog.fonds().await.map_err(ArchiveError::from)?;
        let fonds = all.into_iter().map(|one| (one.code, [one.creator, one.name])).collect();
        Ok(Seeing { reader: visit.reader(), fonds })
    }

    /// May something of this level be read, that lies in a fonds or is an agency's?
    pub fn sees(&self, access: Access, fonds: Option<&str>, agency: Option<&str>) -> bool {
        let [creator, name] = match fonds.and_then(|code| self.fonds.get(code)) {
            Some([creator, name]) => [Some(creator.as_str()), Some(name.as_str())],
            None => [None, None],
        };
        self.reader.may_read(access, creator, name) || self.reader.may_read(access, agency, None)
    }

    /// May a file be read? Who makes it may: it is theirs.
    pub fn file(&self, about: &file::About, fonds: Option<&str>, actor: &Actor) -> bool {
        let own = about.maker_id == Some(actor.id) && about.access != Access::Secret;
        own || self.sees(about.access, fonds, None)
    }
}

/// When something is due, in words.
pub fn due(due: &retention::clock::Due, visit: &Visit) -> String {
    use retention::explain::{due_en, due_vi};
    visit.say(&due_vi(due), &due_en(due)).to_owned()
}

/// So many records of so many bytes.
pub fn much(records: u64, bytes: u64, visit: &Visit) -> String {
    let (records, size) = (show::count(records, visit.language), show::size(bytes, visit.language));
    format!("{records} {} · {size}", visit.say("tài liệu", "records"))
}

/// One line of CSV. A cell that a spreadsheet would take for a formula is text.
pub fn csv<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cell = |cell: &str| {
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        format!("\"{}{}\"", if formula { "'" } else { "" }, cell.replace('"', "\"\""))
    };
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

/// The headers under which a browser keeps a table as a file; the mark tells spreadsheets that it is UTF-8.
pub fn csv_file(name: &str) -> [(HeaderName, String); 2] {
    let kept = format!("attachment; filename=\"{name}\"");
    [(header::CONTENT_TYPE, "text/csv; charset=utf-8".into()), (header::CONTENT_DISPOSITION, kept)]
}

/// Before the first line of a table that spreadsheets open.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_text_and_no_formulas() {
        assert_eq!(csv(["a\"b", "=1+1", "đất"]), "\"a\"\"b\",\"'=1+1\",\"đất\"\r\n");
    }
}

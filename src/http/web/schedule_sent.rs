//! A schedule as a form sends it: its head in fields, its rows as a table in a file.

use crate::config;
use crate::content::ContentError;
use crate::exchange::schedule::{self, Imported};
use crate::http::{
    error::{Kind, Trouble, trouble},
    parts::{next_part, whole},
    state::Door,
    web::{
        Visit,
        file_edit::filled,
        told::{self, Told},
    },
};
use crate::record::{
    date::PartialDate,
    finding::Severity,
    retention::{
        day::Day,
        schedule::{Draft, LegalSource},
    },
};
use axum::extract::Multipart;
use bytes::Bytes;
use std::{path::Path, time::Duration};

/// The largest table.
pub const TABLE_BYTES_MAX: usize = schedule::BYTES_MAX;
/// The longest value of a field.
const FIELD_BYTES_MAX: usize = 8 << 10;
/// Fields that are read.
const FIELDS_MAX: usize = 20;
/// This program, also after an upgrade has replaced its file.
const PROGRAM: &str = "/proc/self/exe";

/// What arrived.
#[derive(Default)]
pub struct Sent {
    fields: Vec<(String, String)>,
    pub file: Option<Bytes>,
}

/// Reads a form with a file.
pub async fn sent(mut form: Multipart, door: &Door) -> Result<Sent, Trouble> {
    let pause = Duration::from_secs(door.config.server.request_timeout_seconds);
    let mut sent = Sent::default();
    while let Some(part) = next_part(&mut form, pause).await? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" {
            let bytes = whole(part, TABLE_BYTES_MAX, pause).await?;
            // A browser sends an empty file where none was chosen.
            sent.file = Some(bytes).filter(|bytes| !bytes.is_empty());
            continue;
        }
        if sent.fields.len() >= FIELDS_MAX {
            return Err(Kind::Malformed.into());
        }
        let bytes = whole(part, FIELD_BYTES_MAX, pause).await?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| trouble(Kind::Malformed))?;
        sent.fields.push((name, text));
    }
    Ok(sent)
}

impl Sent {
    /// A field; empty where it was not sent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// Is nothing to be changed?
    pub fn only_looks(&self) -> bool {
        self.field("do") == "look"
    }

    /// The fields, to be shown again; a file is chosen anew.
    pub fn kept(&mut self) -> Sent {
        Sent { fields: std::mem::take(&mut self.fields), file: None }
    }

    /// The head of a schedule; what cannot be read is told.
    pub fn head(&self, visit: &Visit) -> Result<Draft, Told> {
        let day = |name: &str, vi: &str, en: &str| -> Result<Option<PartialDate>, Told> {
            let typed = filled(self.field(name));
            let read = typed.map(|typed| PartialDate::read(&typed)).transpose();
            read.map_err(|_| Told::bad(visit.say(vi, en)))
        };
        let from = day("from", "Ngày có hiệu lực viết 15/02/2023.", "Write the first day in force as 15/02/2023.")?;
        let from = from.map(Day::first_of);
        let none = "Thiếu ngày có hiệu lực; ghi ngày.";
        let from = from.ok_or_else(|| Told::bad(visit.say(none, "The first day in force is missing; give it.")))?;
        let until = day("until", "Ngày hết hiệu lực viết 15/02/2023.", "Write the end of its force as 15/02/2023.")?;
        let issued = day("source_issued", "Ngày ban hành viết 19/12/2022.", "Write the day of issue as 19/12/2022.")?;
        let number = filled(self.field("source_number"));
        let source = number.zip(issued).map(|(number, issued)| LegalSource {
            number,
            title: self.field("source_title").trim().to_owned(),
            issued,
            agency: self.field("source_agency").trim().to_owned(),
        });
        Ok(Draft {
            title: self.field("title").trim().to_owned(),
            source,
            from,
            until: until.map(Day::first_of),
            incomplete: self.field("incomplete") == "1",
            note: filled(self.field("note")),
            classes: Vec::new(),
        })
    }
}

/// The rows of the file that was sent; without a file it is told that there is none.
pub async fn imported(sent: &Sent, limits: &config::Content, visit: &Visit) -> Result<Result<Imported, Told>, Trouble> {
    let Some(bytes) = &sent.file else {
        return Ok(Err(Told::bad(
            visit.say("Chưa chọn tệp; chọn tệp rồi gửi lại.", "No file was chosen; choose one."),
        )));
    };
    match schedule::read(Path::new(PROGRAM), bytes, limits).await {
        Ok(imported) => Ok(Ok(imported)),
        Err(error) => Err(unread(&error)),
    }
}

fn unread(error: &ContentError) -> Trouble {
    tracing::error!(%error, "a table could not be read");
    trouble(Kind::Failed)
}

/// What the rows of a table came to: good where nothing in them stops it.
pub fn looked(imported: &Imported, visit: &Visit) -> Told {
    let errors = imported.flaws.iter().filter(|flaw| flaw.severity == Severity::Error).count();
    let (classes, good) = (imported.classes.len(), errors == 0);
    let said = visit.say("mục đọc được", "classes were read");
    let next = match good {
        true => visit.say("không có lỗi; chưa có gì thay đổi", "nothing is wrong; nothing was changed"),
        false => visit.say("sửa các lỗi dưới đây rồi nhập lại", "mend what is told below and import it again"),
    };
    Told { good, text: format!("{classes} {said}; {next}."), flaws: told::rule_flaws(&imported.flaws, visit) }
}

//! `vankho export`: records out as plain files.

use crate::access;
use crate::archive::{Archive, ArchiveError};
use crate::cli::{
    CommandError, Context, or_cancelled,
    receipt::{named, unknown},
    remote::{Server, export::Takable},
    show::{Bar, Screen},
};
use crate::exchange::plain::{Exported, export_record};
use crate::record::{access::Reader, id::RecordId};
use crate::store::{StoreError, layout};
use clap::Args;
use serde_json::{Value, json};
use std::{
    io,
    path::{Component, Path, PathBuf},
    process::ExitCode,
};

/// Write records out as plain files under their original names, with description and receipt
#[derive(Args)]
pub struct Export {
    /// Record identifier, or the depositor's own; leave it out with --all
    #[arg(required_unless_present = "all", value_name = "RECORD")]
    record: Option<String>,
    /// Folder to write into; run again to go on after an interruption, or to bring it up to date
    #[arg(value_name = "DIR")]
    to: Option<PathBuf>,
    /// Every record; those that are damaged are named and left out
    #[arg(long)]
    all: bool,
}

/// Records asked of the catalog at a time.
const PAGE: u32 = 500;

/// What an export came to.
#[derive(Default)]
struct Done {
    written: u64,
    already_there: u64,
    left_out: Vec<LeftOut>,
}

/// A record that could not be exported, where that is no reason to stop.
struct LeftOut {
    record: RecordId,
    path: Option<String>,
    why: String,
}

impl Export {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        // With --all the first word is the folder.
        let (record, to) = match (self.all, self.record, self.to) {
            (true, Some(to), None) => (None, PathBuf::from(to)),
            (false, Some(record), Some(to)) => (Some(record), to),
            _ => {
                return Err(CommandError::usage(
                    "vankho export RECORD DIR, hoặc vankho export --all DIR".into(),
                    "vankho export RECORD DIR, or vankho export --all DIR".into(),
                ));
            }
        };
        let screen = &context.screen;
        let done = match &context.server {
            Some(server) => from_server(server, record, &to, screen).await,
            None => {
                refuse_inside(&to, &context.data)?;
                from_archive(context, record, &to).await
            }
        };
        let (done, path) = done?;
        let path = path.display().to_string();
        screen.answer(|| done.json(&path), || done.text(screen, &path));
        Ok(ExitCode::from(u8::from(!done.left_out.is_empty())))
    }
}

impl Done {
    fn of(exported: &Exported) -> Done {
        let mut done = Done::default();
        done.add(exported);
        done
    }

    /// Notes what became of records; what is no reason to leave one out ends the matter.
    fn note(
        &mut self,
        exported: impl IntoIterator<Item = (RecordId, Result<Exported, CommandError>)>,
        screen: &Screen,
        bar: &Bar,
    ) -> Result<(), CommandError> {
        for (record, exported) in exported {
            match exported {
                Ok(exported) => self.add(&exported),
                Err(error) => {
                    let one = left_out(record, error)?;
                    let path = one.path.as_deref().unwrap_or_default();
                    let what = screen.say("không xuất được", "left out:");
                    bar.note(&format!("{what} {} {path}: {}", one.record, one.why));
                    self.left_out.push(one);
                }
            }
            bar.step();
        }
        Ok(())
    }

    fn add(&mut self, exported: &Exported) {
        match exported.already_there {
            true => self.already_there += 1,
            false => self.written += 1,
        }
    }

    fn json(&self, path: &str) -> Value {
        let left_out = |one: &LeftOut| json!({"record": one.record, "path": one.path, "why": one.why});
        let left_out: Vec<Value> = self.left_out.iter().map(left_out).collect();
        json!({"records": self.written, "already_there": self.already_there, "left_out": left_out, "path": path})
    }

    fn text(&self, screen: &Screen, path: &str) -> String {
        let Done { written, already_there, left_out } = self;
        let mut told = format!("{} {written}", screen.say("Đã xuất", "Exported"));
        if *already_there > 0 {
            told += &format!("; {already_there} {}", screen.say("đã có sẵn, còn nguyên", "already there"));
        }
        if !left_out.is_empty() {
            told += &format!("; {} {}", left_out.len(), screen.say("không xuất được", "left out"));
        }
        format!("{told} → {path}")
    }
}

async fn from_archive(context: &Context, record: Option<String>, to: &Path) -> Result<(Done, PathBuf), CommandError> {
    let screen = &context.screen;
    let archive = context.open().await?;
    let count = if record.is_some() { 1 } else { archive.catalog.counts().await?.records };
    let bar = screen.counting(screen.say("Xuất", "Exporting"), Some(count));
    let done = match record {
        Some(typed) => one(&archive, &typed, to).await,
        None => or_cancelled(all(&archive, to, screen, &bar)).await.map(|done| (done, to.to_owned())),
    };
    bar.finish();
    archive.close().await?;
    done
}

async fn from_server(
    server: &Server,
    record: Option<String>,
    to: &Path,
    screen: &Screen,
) -> Result<(Done, PathBuf), CommandError> {
    if let Some(typed) = record {
        let exported = or_cancelled(server.export_named(&typed, to)).await?;
        return Ok((Done::of(&exported), exported.folder));
    }
    let bar = screen.counting(screen.say("Xuất", "Exporting"), None);
    let done = or_cancelled(all_of_server(server, to, screen, &bar)).await;
    bar.finish();
    Ok((done?, to.to_owned()))
}

async fn all_of_server(server: &Server, to: &Path, screen: &Screen, bar: &Bar) -> Result<Done, CommandError> {
    let (mut from, mut done) = (Some(0), Done::default());
    while let Some(seq) = from {
        let page = server.takeable(seq).await?;
        let damaged = |one: &Takable| {
            let path = layout::description(one.record, one.description_sha256);
            (one.record, Err(ArchiveError::Damaged(path).into()))
        };
        let mut exported: Vec<(RecordId, Result<Exported, CommandError>)> = page.left_out.iter().map(damaged).collect();
        for Takable { record, description_sha256 } in page.records {
            exported.push((record, server.export(record, description_sha256, to).await));
            done.note(exported.drain(..), screen, bar)?;
        }
        done.note(exported.drain(..), screen, bar)?;
        from = page.next;
    }
    Ok(done)
}

async fn one(archive: &Archive, typed: &str, to: &Path) -> Result<(Done, PathBuf), CommandError> {
    let record = named(archive, typed).await?;
    // The operator of this machine holds the files themselves: what is exported here is everything.
    let opened = access::open(archive, &Reader::Cleared, record).await?;
    let exported = export_record(archive, &opened.ok_or_else(|| unknown(typed))?, to).await?;
    Ok((Done::of(&exported), exported.folder))
}

async fn all(archive: &Archive, to: &Path, screen: &Screen, bar: &Bar) -> Result<Done, CommandError> {
    let (mut from, mut done) = (0, Done::default());
    loop {
        let page = archive.catalog.records(from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(done) };
        from = last.seq + 1;
        for known in &page {
            let exported = match access::open(archive, &Reader::Cleared, known.record).await {
                Ok(Some(opened)) => export_record(archive, &opened, to).await,
                Ok(None) => Err(StoreError::Absent(layout::description(known.record, known.description)).into()),
                Err(error) => Err(error),
            };
            done.note([(known.record, exported.map_err(CommandError::from))], screen, bar)?;
        }
    }
}

/// What became of a record that is damaged, gone or has something in its way: the others have nothing to do with
/// that. Where the folder cannot be written or the archive can do no more, the error stands.
fn left_out(record: RecordId, error: CommandError) -> Result<LeftOut, CommandError> {
    let path = match &error {
        CommandError::Archive(ArchiveError::Damaged(path) | ArchiveError::Store(StoreError::Absent(path))) => {
            Some(path.clone())
        }
        CommandError::Archive(ArchiveError::Store(StoreError::Failed { path, .. })) => Some(path.clone()),
        CommandError::Archive(ArchiveError::Place(_) | ArchiveError::Ledger(_)) => None,
        CommandError::Remote(remote) if remote.is_lost() => None,
        _ => return Err(error),
    };
    Ok(LeftOut { record, path, why: error.to_string() })
}

/// An export inside the data folder would be taken for a part of the archive, or for what a crash left of one.
pub fn refuse_inside(to: &Path, data: &Path) -> Result<(), CommandError> {
    let Ok(data) = data.canonicalize() else { return Ok(()) };
    let place = resolved(to).map_err(|source| CommandError::File { path: to.display().to_string(), source })?;
    if !place.starts_with(&data) {
        return Ok(());
    }
    let (to, data) = (to.display(), data.display());
    Err(CommandError::usage(
        format!("{to} nằm trong thư mục dữ liệu của kho ({data}); chọn một thư mục ở ngoài"),
        format!("{to} is inside the archive's data folder ({data}); choose a folder outside it"),
    ))
}

/// Where a path leads, also where its end is not there yet.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut place = std::env::current_dir()?;
    for part in path.components() {
        match part {
            Component::ParentDir => drop(place.pop()),
            Component::CurDir => {}
            part => place.push(part),
        }
        place = place.canonicalize().unwrap_or(place);
    }
    Ok(place)
}

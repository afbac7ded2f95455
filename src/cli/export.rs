//! `vankho export`: records out as plain files.

use crate::access;
use crate::archive::Archive;
use crate::cli::{
    CommandError, Context, or_cancelled,
    receipt::{named, unknown},
    show::Bar,
};
use crate::exchange::plain::export_record;
use crate::record::{access::Reader, id::RecordId};
use clap::Args;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Write records out as plain files under their original names, with description and receipt
#[derive(Args)]
pub struct Export {
    /// Record identifier, or the depositor's own; leave it out with --all
    #[arg(required_unless_present = "all", value_name = "RECORD")]
    record: Option<String>,
    /// Folder to write into; run again to go on after an interruption
    #[arg(value_name = "DIR")]
    to: Option<PathBuf>,
    /// Every record
    #[arg(long)]
    all: bool,
}

/// Records asked of the catalog at a time.
const PAGE: u32 = 500;

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
        let archive = context.open().await?;
        let bar = screen.counting(screen.say("Xuất", "Exporting"), Some(archive.catalog.counts().await?.records));
        let done = match record {
            Some(typed) => match named(&archive, &typed).await {
                Ok(record) => one(&archive, record, &to, &typed).await.map(|path| (1, path)),
                Err(error) => Err(error),
            },
            None => or_cancelled(all(&archive, &to, &bar)).await.map(|count| (count, to)),
        };
        bar.finish();
        archive.close().await?;
        let (count, path) = done?;
        let path = path.display().to_string();
        screen.answer(
            || json!({"records": count, "path": path}),
            || format!("{} {count} → {path}", screen.say("Đã xuất", "Exported")),
        );
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(archive: &Archive, to: &Path, bar: &Bar) -> Result<u64, CommandError> {
    let (mut from, mut count) = (0, 0);
    loop {
        let page = archive.catalog.records(from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(count) };
        from = last.seq + 1;
        for known in &page {
            one(archive, known.record, to, "").await?;
            count += 1;
            bar.step();
        }
    }
}

async fn one(archive: &Archive, record: RecordId, to: &Path, typed: &str) -> Result<PathBuf, CommandError> {
    // The operator of this machine holds the files themselves: what is exported here is everything.
    let opened = access::open(archive, &Reader::Cleared, record).await?;
    Ok(export_record(archive, &opened.ok_or_else(|| unknown(typed))?, to).await?)
}

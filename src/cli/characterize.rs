//! `vankho characterize`: read what waits to be read.

use crate::archive::Archive;
use crate::characterization::{self, Characterized};
use crate::cli::{CommandError, Context, or_cancelled};
use clap::Args;
use serde_json::json;
use std::{path::Path, process::ExitCode};

/// Read what waits to be read: format and text
#[derive(Args)]
pub struct Characterize {}

impl Characterize {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = read(context, &archive, true).await;
        archive.close().await?;
        done.map(|_| ExitCode::SUCCESS)
    }
}

/// Reads everything that waits, under a progress bar; answers how many records could not be read whole.
pub async fn read(context: &Context, archive: &Archive, answer: bool) -> Result<u64, CommandError> {
    let screen = context.screen;
    let bar = screen.counting(screen.say("Đọc nội dung", "Reading"), Some(archive.catalog.counts().await?.waiting));
    let (mut read, mut unread) = (0u64, 0u64);
    let mut hear = |done: Characterized| {
        bar.step();
        read += 1;
        unread += u64::from(!done.unread.is_empty());
        if answer && screen.json {
            screen.answer(|| json!({"record": done.record, "pages": done.pages, "unread": done.unread}), String::new);
        }
    };
    // The running program, also where an upgrade has replaced its file.
    or_cancelled(characterization::read_waiting(archive, Path::new("/proc/self/exe"), &mut hear)).await?;
    bar.finish();
    if !screen.json && (answer || read > 0) {
        let text = match screen.say("vi", "en") {
            "vi" => format!("Đã đọc {read} tài liệu; {unread} chưa đọc được nội dung (vẫn được lưu trữ, có ghi lý do)"),
            _ => format!("{read} records read; {unread} gave no text (archived all the same, with the reason)"),
        };
        screen.answer(|| json!({}), || text);
    }
    Ok(unread)
}

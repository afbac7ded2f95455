//! `vankho receipt`: the evidence of one record.

use crate::archive::Archive;
use crate::cli::{CommandError, Context};
use crate::evidence;
use crate::record::{id::RecordId, text};
use clap::Args;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Print the receipt of a record
#[derive(Args)]
pub struct ReceiptOf {
    /// Record identifier, or the depositor's own identifier
    record: String,
    /// Write the description that the receipt proves into this file as well
    #[arg(long, value_name = "FILE")]
    description: Option<PathBuf>,
    /// Of the description in force instead of the accession
    #[arg(long)]
    latest: bool,
}

impl ReceiptOf {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let record = named(&archive, &self.record).await;
        let evidence = match record {
            Ok(record) => evidence::receipt(&archive, record, self.latest).await.map_err(CommandError::from),
            Err(error) => Err(error),
        };
        archive.close().await?;
        let evidence = evidence?.ok_or_else(|| unknown(&self.record))?;
        if let Some(path) = &self.description {
            let write = std::fs::write(path, &evidence.description);
            write.map_err(|source| CommandError::File { path: path.display().to_string(), source })?;
        }
        let description = String::from_utf8_lossy(&evidence.description).into_owned();
        let receipt = evidence.receipt;
        context
            .screen
            .answer(|| json!({"receipt": receipt, "description": description}), || receipt.trim_end().to_owned());
        Ok(ExitCode::SUCCESS)
    }
}

/// The record behind an identifier: ours, or the depositor's where only one record has it. Depositors have
/// UUIDs too, so what looks like one of ours and is none may be one of theirs.
pub async fn named(archive: &Archive, typed: &str) -> Result<RecordId, CommandError> {
    // As it was read at intake: keyboards of another system type NFD.
    let line = text::line(typed);
    let ours: Option<RecordId> = line.parse().ok();
    if let Some(record) = ours
        && archive.catalog.record(record).await?.is_some()
    {
        return Ok(record);
    }
    let known = archive.catalog.by_external_id(&line).await?;
    match &known[..] {
        [one] => Ok(one.record),
        // The catalog does not know a record whose description is gone; its entries are there all the same.
        [] => ours.ok_or_else(|| unknown(typed)),
        many => {
            let ids: Vec<String> = many.iter().map(|known| known.record.to_string()).collect();
            let ids = ids.join(", ");
            Err(CommandError::usage(
                format!("nhiều tài liệu có mã {typed}; dùng một trong các mã sau"),
                format!("{typed} names several records; use one of these: {ids}"),
            ))
        }
    }
}

pub fn unknown(typed: &str) -> CommandError {
    CommandError::usage(
        format!("không có tài liệu {typed}; tìm bằng `vankho search`"),
        format!("no record {typed}; `vankho search` finds records"),
    )
}

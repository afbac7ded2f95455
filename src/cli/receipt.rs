//! `vankho receipt`: the evidence of one record.

use crate::archive::Archive;
use crate::cli::{CommandError, Context};
use crate::evidence::{self, Evidence};
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
        let evidence = match &context.server {
            Some(server) => server.evidence(&self.record, self.latest).await?,
            None => self.evidence(context).await?,
        };
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

    async fn evidence(&self, context: &Context) -> Result<Evidence, CommandError> {
        let archive = context.open().await?;
        let evidence = match named(&archive, &self.record).await {
            Ok(record) => evidence::receipt(&archive, record, self.latest).await.map_err(CommandError::from),
            Err(error) => Err(error),
        };
        archive.close().await?;
        evidence?.ok_or_else(|| unknown(&self.record))
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
    chosen(typed, ours, &known.iter().map(|known| known.record).collect::<Vec<_>>())
}

/// The record that is meant, of those that bear the depositor's identifier.
pub fn chosen(typed: &str, ours: Option<RecordId>, bearers: &[RecordId]) -> Result<RecordId, CommandError> {
    match bearers {
        [one] => Ok(*one),
        // The catalog does not know a record whose description is gone; its entries are there all the same.
        [] => ours.ok_or_else(|| unknown(typed)),
        many => {
            let ids = many.iter().map(RecordId::to_string).collect::<Vec<_>>().join(", ");
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

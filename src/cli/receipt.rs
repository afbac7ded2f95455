//! `vankho receipt`: the evidence of one record.

use crate::archive::Archive;
use crate::cli::{CommandError, Context};
use crate::evidence::{self, Evidence, Timely};
use crate::record::{id::RecordId, text};
use bytes::Bytes;
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
    /// Under the first checkpoint that was timestamped after, whose token (RFC 3161) is written into this file
    #[arg(long, value_name = "TOKEN.tsr")]
    timestamp: Option<PathBuf>,
}

impl ReceiptOf {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (evidence, token) = match (&context.server, &self.timestamp) {
            (Some(server), None) => (server.evidence(&self.record, self.latest).await?, None),
            (Some(server), Some(_)) => of_timely(server.timely(&self.record, self.latest).await?),
            (None, _) => self.evidence(context).await?,
        };
        let write = |path: &PathBuf, bytes: &[u8]| {
            let written = std::fs::write(path, bytes);
            written.map_err(|source| CommandError::File { path: path.display().to_string(), source })
        };
        if let Some(path) = &self.description {
            write(path, &evidence.description)?;
        }
        if let (Some(path), Some(token)) = (&self.timestamp, token) {
            write(path, &token)?;
        }
        let description = String::from_utf8_lossy(&evidence.description).into_owned();
        let receipt = evidence.receipt;
        context
            .screen
            .answer(|| json!({"receipt": receipt, "description": description}), || receipt.trim_end().to_owned());
        Ok(ExitCode::SUCCESS)
    }

    async fn evidence(&self, context: &Context) -> Result<(Evidence, Option<Bytes>), CommandError> {
        let archive = context.open().await?;
        let evidence = self.taken(&archive).await;
        archive.close().await?;
        evidence
    }

    async fn taken(&self, archive: &Archive) -> Result<(Evidence, Option<Bytes>), CommandError> {
        let record = named(archive, &self.record).await?;
        if self.timestamp.is_some() {
            let timely = evidence::timely(archive, record, self.latest).await?;
            return Ok(of_timely(timely.ok_or_else(|| not_stamped(&self.record))?));
        }
        let evidence = evidence::receipt(archive, record, self.latest).await?;
        Ok((evidence.ok_or_else(|| unknown(&self.record))?, None))
    }
}

fn of_timely(Timely { evidence, token }: Timely) -> (Evidence, Option<Bytes>) {
    (evidence, Some(token))
}

pub fn not_stamped(typed: &str) -> CommandError {
    CommandError::usage(
        format!("tài liệu {typed} chưa có dấu thời gian; xem `vankho status`, hoặc chạy `vankho timestamp`"),
        format!("no timestamp covers record {typed} yet; see `vankho status`, or run `vankho timestamp`"),
    )
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

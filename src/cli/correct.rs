//! `vankho describe`, `vankho move`: a record is described anew, or moved into another file.

use crate::arrangement;
use crate::cli::{
    CommandError, Context,
    acting::{Told, arranger, told},
    reach::Reach,
};
use crate::record::{metadata::Metadata, unit::Kind};
use clap::Args;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Describe a record anew: the description before stays, and so do file and fonds
#[derive(Args)]
pub struct Describe {
    /// Record identifier, or the depositor's own identifier
    record: String,
    /// What is said of it: `metadata` of schemas/record.v1.json, which `vankho show --json` prints
    metadata: PathBuf,
}

/// Move a record out of an open file into an open file
#[derive(Args)]
pub struct Move {
    /// Record identifier, or the depositor's own identifier
    record: String,
    /// The code or identifier of the file / Hồ sơ nhận
    file: String,
    /// Why / Lý do
    #[arg(long)]
    reason: String,
}

impl Describe {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let path = self.metadata.display().to_string();
        let bytes = std::fs::read(&self.metadata);
        let bytes = bytes.map_err(|source| CommandError::File { path: path.clone(), source })?;
        let metadata: Metadata = serde_json::from_slice(&bytes).map_err(|error| {
            CommandError::usage(
                format!("{path}: không phải là mô tả theo schemas/record.v1.json ({error})"),
                format!("{path}: no metadata as schemas/record.v1.json says ({error})"),
            )
        })?;
        let reach = context.reach().await?;
        let done = described(context, &reach, &self.record, metadata).await;
        reach.close().await?;
        done
    }
}

async fn described(
    context: &Context,
    reach: &Reach,
    typed: &str,
    metadata: Metadata,
) -> Result<ExitCode, CommandError> {
    let record = reach.record(typed).await?;
    match reach {
        Reach::Here(archive) => {
            let who = arranger(archive);
            told(&context.screen, arrangement::describe_record(archive, &who, record, metadata).await)
        }
        Reach::There(server) => {
            let put = server.put(&format!("api/v1/records/{record}/description")).json(&metadata);
            told(&context.screen, server.act(Kind::Record, put).await.map(looked_at))
        }
    }
}

impl Move {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let reach = context.reach().await?;
        let done = self.carried_out(context, &reach).await;
        reach.close().await?;
        done
    }

    async fn carried_out(&self, context: &Context, reach: &Reach) -> Result<ExitCode, CommandError> {
        let (record, file) = (reach.record(&self.record).await?, reach.file_named(&self.file).await?);
        match reach {
            Reach::Here(archive) => {
                let who = arranger(archive);
                told(&context.screen, arrangement::move_record(archive, &who, record, file, &self.reason).await)
            }
            Reach::There(server) => {
                let (path, asked) =
                    (format!("api/v1/records/{record}/move"), json!({"file": file, "reason": self.reason}));
                told(&context.screen, server.act_with(Kind::Record, &path, &asked).await.map(looked_at))
            }
        }
    }
}

/// What is arranged is looked at, also where nothing was found.
fn looked_at(told: Told) -> Told {
    Told { flaws: Some(told.flaws.unwrap_or_default()), ..told }
}

//! `vankho agency`: the register of agencies (danh bạ cơ quan) is taken in and read; who manages a fonds is told.

use crate::archive::Archive;
use crate::arrangement;
use crate::cli::{
    CommandError, Context,
    acting::{arranger, broken, read_date, told},
    fonds,
    plan::unread,
    show::Screen,
};
use crate::exchange::lists;
use crate::record::{agencies::custody::Share, date::PartialDate};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

#[derive(Subcommand)]
pub enum AgencyCommand {
    /// Take the register in: JSON (schemas/register.v1.json), TSV or CSV / Nhập danh bạ cơ quan
    Import {
        /// The register, or a table of its agencies / Tệp danh bạ
        file: PathBuf,
    },
    /// List the agencies, each with its names and their time / Danh sách cơ quan
    List {
        /// Only as they were on this date / Tại ngày
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Who manages the records of a fonds on a date / Cơ quan đang quản lý phông
    Custodian(Custodian),
}

/// Who manages the records of a fonds
#[derive(Args)]
pub struct Custodian {
    /// The code of the fonds / Mã phông
    fonds: String,
    /// On this date; else today / Tại ngày
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
}

impl AgencyCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = self.carried_out(&context.screen, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, screen: &Screen, archive: &Archive) -> Result<ExitCode, CommandError> {
        match self {
            AgencyCommand::Import { file } => imported(screen, archive, file).await,
            AgencyCommand::List { on } => listed(screen, archive, on.as_deref().map(read_date).transpose()?).await,
            AgencyCommand::Custodian(asked) => asked.answered(screen, archive).await,
        }
    }
}

async fn imported(screen: &Screen, archive: &Archive, file: PathBuf) -> Result<ExitCode, CommandError> {
    let path = file.display().to_string();
    let bytes = std::fs::read(&file).map_err(|source| CommandError::File { path, source })?;
    let before = archive.register().await?;
    let draft = match lists::register(&bytes, before.as_ref().map(|(before, _)| &**before)) {
        Ok(draft) => draft,
        Err(wrong) => return Ok(unread(screen, &wrong)),
    };
    told(screen, arrangement::take_register(archive, &arranger(archive), draft).await)
}

async fn listed(screen: &Screen, archive: &Archive, on: Option<PartialDate>) -> Result<ExitCode, CommandError> {
    let Some(agencies) = archive.agencies().await? else {
        return Err(CommandError::usage(
            "kho chưa có danh bạ cơ quan; nhập bằng vankho agency import TỆP".into(),
            "the archive has no register of agencies; give it one with vankho agency import FILE".into(),
        ));
    };
    let there = |agency: &&crate::record::agencies::Agency| match on {
        Some(on) => agencies.at(&agency.code, on) == Some(*agency),
        None => true,
    };
    for agency in agencies.register().agencies.iter().filter(there) {
        screen.answer(
            || json!(agency),
            || {
                let day = |day: Option<PartialDate>| day.map(|day| day.to_string()).unwrap_or_default();
                let level = agencies.level(&agency.level).map(|level| level.vi.as_str()).unwrap_or("–");
                let (from, until) = (day(agency.from), day(agency.until));
                format!("{}\t{}\t{level}\t{from}–{until}", agency.code, agency.name)
            },
        );
    }
    Ok(ExitCode::SUCCESS)
}

impl Custodian {
    async fn answered(self, screen: &Screen, archive: &Archive) -> Result<ExitCode, CommandError> {
        let today = archive.clock.now().day();
        let on = read_date(self.on.as_deref().unwrap_or(&today))?;
        let id = fonds::named(archive, &self.fonds).await?.fonds;
        let mut found = false;
        for (share, vi, en) in [
            (Share::Permanent, "vĩnh viễn", "permanent records"),
            (Share::Limited, "có thời hạn", "records of limited periods"),
        ] {
            let custodian = arrangement::custodian_at(archive, id, on, share).await.map_err(broken)?;
            found |= custodian.is_some();
            screen.answer(
                || json!({"fonds": self.fonds, "on": on.to_string(), "share": share, "custodian": custodian}),
                || {
                    let told = custodian.as_ref().map_or_else(
                        || screen.say("chưa rõ", "unknown").to_owned(),
                        |one| {
                            let source = one.source.as_ref().map(|source| format!(", {source}")).unwrap_or_default();
                            format!("{} ({}{source})", one.agency, screen.say(one.because.vi(), one.because.en()))
                        },
                    );
                    format!("{}\t{}", screen.say(vi, en), told)
                },
            );
        }
        Ok(if found { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

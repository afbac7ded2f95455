//! `vankho fonds`: fonds are opened, closed and listed.

use crate::archive::Archive;
use crate::arrangement;
use crate::catalog::arranged::KnownFonds;
use crate::cli::{
    CommandError, Context,
    acting::{arranger, broken, read_date, told},
    reach::{Reach, only_here},
    show::Screen,
};
use crate::record::{
    agencies::{Agencies, Draft},
    fonds::{About, Closed, Kind},
    unit,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

#[derive(Subcommand)]
pub enum FondsCommand {
    /// Open a fonds / Mở phông
    Open(Box<Open>),
    /// Close a fonds on its last day / Đóng phông
    Close(Close),
    /// List every fonds / Danh sách phông
    List,
}

/// Open a fonds: all records of one creator
#[derive(Args)]
pub struct Open {
    /// Its code / Mã phông
    code: String,
    /// Its name / Tên phông
    #[arg(long)]
    name: String,
    /// The code of the agency whose records they are / Mã cơ quan hình thành phông
    #[arg(long)]
    creator: String,
    /// Another register of agencies than the archive's, by which the creator is judged / Danh bạ cơ quan
    #[arg(long, value_name = "FILE")]
    agencies: Option<PathBuf>,
    /// The history of the creator and of the fonds / Lịch sử đơn vị hình thành phông
    #[arg(long)]
    history: Option<String>,
    /// The first and the last date of its records / Thời gian tài liệu
    #[arg(long, value_name = "DATE")]
    started: Option<String>,
    #[arg(long, value_name = "DATE")]
    ended: Option<String>,
    /// Codes of languages, 01 to 11 / Ngôn ngữ
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<String>,
}

/// Close a fonds: nothing that began later comes in
#[derive(Args)]
pub struct Close {
    code: String,
    /// Its last day / Ngày đóng phông
    #[arg(long, value_name = "DATE")]
    on: String,
    /// Why / Lý do
    #[arg(long)]
    reason: String,
}

impl FondsCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let reach = context.reach().await?;
        let done = self.carried_out(&context.screen, &reach).await;
        reach.close().await?;
        done
    }

    async fn carried_out(self, screen: &Screen, reach: &Reach) -> Result<ExitCode, CommandError> {
        match (self, reach) {
            (FondsCommand::Open(open), Reach::Here(archive)) => {
                let agencies = open.agencies.as_ref().map(read_agencies).transpose()?;
                let (who, about) = (arranger(archive), (*open).about()?);
                told(screen, arrangement::open_fonds(archive, &who, about, agencies.as_ref()).await)
            }
            (FondsCommand::Open(open), Reach::There(server)) => {
                if open.agencies.is_some() {
                    return Err(only_here("fonds open --agencies"));
                }
                told(screen, server.act_with(unit::Kind::Fonds, "api/v1/fonds", &json!((*open).about()?)).await)
            }
            (FondsCommand::Close(Close { code, on, reason }), reach) => {
                let (closed, id) = (Closed { on: read_date(&on)?, reason }, reach.fonds(&code).await?);
                match reach {
                    Reach::Here(archive) => {
                        told(screen, arrangement::close_fonds(archive, &arranger(archive), id, closed).await)
                    }
                    Reach::There(server) => {
                        let path = format!("api/v1/fonds/{id}/close");
                        told(screen, server.act_with(unit::Kind::Fonds, &path, &json!(closed)).await)
                    }
                }
            }
            (FondsCommand::List, Reach::Here(archive)) => {
                let to_close = arrangement::to_close(archive).await.map_err(broken)?;
                for fonds in archive.catalog.fonds().await? {
                    let due = to_close.iter().find(|(known, _)| known.fonds == fonds.fonds);
                    listed(screen, &fonds, Some(due.map(|(_, day)| day.to_string())));
                }
                Ok(ExitCode::SUCCESS)
            }
            (FondsCommand::List, Reach::There(server)) => {
                server.fonds().await?.iter().for_each(|fonds| listed(screen, fonds, None));
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// A fonds of the list, and on which day it should have been closed; a server does not tell that.
fn listed(screen: &Screen, fonds: &KnownFonds, due: Option<Option<String>>) {
    let KnownFonds { fonds: id, code, name, creator, closed } = fonds;
    let mut row = json!({"fonds": id, "code": code, "name": name, "creator": creator, "closed": closed});
    if let Some(due) = &due {
        row["to_close"] = json!(due);
    }
    screen.answer(
        || row,
        || {
            let closed = closed.as_ref().map(|day| format!("\t{} {day}", screen.say("đóng", "closed")));
            let due = due.flatten().map(|day| {
                let said = screen.say("cơ quan đã kết thúc, cần đóng vào ngày", "creator ended, to be closed on");
                format!("\t{said} {day}")
            });
            format!("{code}\t{name}\t{creator}{}", closed.or(due).unwrap_or_default())
        },
    );
}

impl Open {
    fn about(self) -> Result<About, CommandError> {
        let Open { code, name, creator, history, started, ended, languages, .. } = self;
        let creator = creator.parse().map_err(|_| {
            CommandError::usage(
                "mã cơ quan gồm 1 đến 35 chữ cái không dấu, chữ số, dấu chấm và gạch nối".into(),
                "the code of an agency is 1 to 35 letters, digits, dots and hyphens".into(),
            )
        })?;
        Ok(About {
            code,
            name,
            kind: Kind::Fonds,
            creator,
            custodians: Vec::new(),
            history,
            started: started.as_deref().map(read_date).transpose()?,
            ended: ended.as_deref().map(read_date).transpose()?,
            groups: Vec::new(),
            languages,
            security_copy: None,
            note: None,
            closed: None,
        })
    }
}

fn read_agencies(path: &PathBuf) -> Result<Agencies, CommandError> {
    let file = |source| CommandError::File { path: path.display().to_string(), source };
    let text = std::fs::read_to_string(path).map_err(file)?;
    Draft::read(&text).map(Agencies::new).map_err(|_| {
        CommandError::usage(
            format!("{}: không phải là danh bạ cơ quan theo schemas/register.v1.json", path.display()),
            format!("{}: it is no register of agencies as schemas/register.v1.json says", path.display()),
        )
    })
}

/// The fonds that has a code.
pub async fn named(archive: &Archive, code: &str) -> Result<KnownFonds, CommandError> {
    archive.catalog.fonds_of_code(code).await?.into_iter().next().ok_or_else(|| unknown(code))
}

pub fn unknown(code: &str) -> CommandError {
    CommandError::usage(
        format!("không có phông nào mang mã {code}; xem vankho fonds list"),
        format!("no fonds has the code {code}; see vankho fonds list"),
    )
}

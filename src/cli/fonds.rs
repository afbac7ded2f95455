//! `vankho fonds`: fonds are opened, closed and listed.

use crate::archive::Archive;
use crate::arrangement::{self, Arranged, ArrangementError};
use crate::catalog::arranged::KnownFonds;
use crate::cli::{CommandError, Context, show::Screen};
use crate::record::{
    actor::Role,
    agencies::{Agencies, Draft},
    date::PartialDate,
    file_state::Who,
    flaw::Flaw,
    fonds::{About, Closed, Kind},
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
        let archive = context.open().await?;
        let done = self.carried_out(context, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let (screen, who) = (&context.screen, operator(archive));
        match self {
            FondsCommand::Open(open) => {
                let agencies = open.agencies.as_ref().map(read_agencies).transpose()?;
                let about = (*open).about()?;
                told(screen, arrangement::open_fonds(archive, &who, about, agencies.as_ref()).await)
            }
            FondsCommand::Close(Close { code, on, reason }) => {
                let closed = Closed { on: read_date(&on)?, reason };
                let id = named(archive, &code).await?.fonds;
                told(screen, arrangement::close_fonds(archive, &who, id, closed).await)
            }
            FondsCommand::List => {
                let to_close = arrangement::to_close(archive).await.map_err(broken)?;
                for fonds in archive.catalog.fonds().await? {
                    let due = to_close.iter().find(|(known, _)| known.fonds == fonds.fonds);
                    let due = due.map(|(_, day)| day.to_string());
                    let KnownFonds { fonds: id, code, name, creator, closed } = &fonds;
                    screen.answer(
                        || {
                            json!({"fonds": id, "code": code, "name": name, "creator": creator, "closed": closed,
                                "to_close": due})
                        },
                        || {
                            let closed = closed.as_ref().map(|day| format!("\t{} {day}", screen.say("đóng", "closed")));
                            let due = due.as_ref().map(|day| {
                                let said = screen
                                    .say("cơ quan đã kết thúc, cần đóng vào ngày", "creator ended, to be closed on");
                                format!("\t{said} {day}")
                            });
                            format!("{code}\t{name}\t{creator}{}", closed.or(due).unwrap_or_default())
                        },
                    );
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
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

/// Who acts at this machine's command line, as an archivist: whoever has its disk has the archive.
pub fn operator(archive: &Archive) -> Who {
    Who { id: archive.operator, role: Role::Archivist }
}

/// A date as people write it.
pub fn read_date(typed: &str) -> Result<PartialDate, CommandError> {
    PartialDate::read(typed).map_err(|_| {
        CommandError::usage(
            format!("{typed}: không phải là ngày; viết 2026, 05/2026 hoặc 15/05/2026"),
            format!("{typed}: a date is written 2026, 2026-05 or 2026-05-15"),
        )
    })
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
    archive.catalog.fonds_of_code(code).await?.into_iter().next().ok_or_else(|| {
        CommandError::usage(
            format!("không có phông nào mang mã {code}; xem vankho fonds list"),
            format!("no fonds has the code {code}; see vankho fonds list"),
        )
    })
}

/// What an act of arrangement came to: 0 done, 1 refused.
pub fn told(screen: &Screen, done: Result<Arranged, ArrangementError>) -> Result<ExitCode, CommandError> {
    match done {
        Ok(Arranged { unit, entry, flaws }) => {
            screen.answer(
                || json!({"unit": unit, "entry": entry, "flaws": flaws}),
                || {
                    let done = screen.say("Đã ghi vào sổ cái, sự kiện số", "In the ledger, entry");
                    let lines = flaws.iter().map(|flaw| line(screen, flaw));
                    std::iter::once(format!("{done} {entry}: {unit}")).chain(lines).collect::<Vec<_>>().join("\n")
                },
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => refused(screen, error),
    }
}

/// Why an act was refused, as an answer; what is no refusal is the command's own failure.
pub fn refused(screen: &Screen, error: ArrangementError) -> Result<ExitCode, CommandError> {
    match error {
        ArrangementError::Refused(refusal) => {
            let (vi, en) = (refusal.vi(), refusal.en());
            screen
                .answer(|| json!({"refused": refusal.as_str(), "vi": vi, "en": en}), || screen.say(vi, en).to_owned());
            Ok(ExitCode::from(1))
        }
        ArrangementError::Flawed(flaws) => {
            screen.answer(
                || json!({"refused": "flawed", "flaws": flaws}),
                || flaws.iter().map(|flaw| line(screen, flaw)).collect::<Vec<_>>().join("\n"),
            );
            Ok(ExitCode::from(1))
        }
        error => Err(broken(error)),
    }
}

/// What stops a command.
pub fn broken(error: ArrangementError) -> CommandError {
    match error {
        ArrangementError::Archive(error) => error.into(),
        ArrangementError::Catalog(error) => error.into(),
        error => CommandError::Usage(error.to_string()),
    }
}

/// A flaw, as a line for people.
pub fn line(screen: &Screen, flaw: &Flaw) -> String {
    let detail = flaw.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{}{detail}: {}", flaw.place, screen.say(flaw.vi, flaw.en))
}

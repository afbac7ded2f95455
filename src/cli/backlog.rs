//! `vankho backlog`: backlog work (chỉnh lý) is drafted, approved and carried out.

use crate::archive::Archive;
use crate::arrangement::{self, CarriedOut, Work};
use crate::catalog::lists::KnownBacklog;
use crate::cli::{
    CommandError, Context,
    acting::{arranger, broken, line, read_date, refused, told},
    fonds,
    plan::head_named,
    reach::id,
    receipt,
    show::Screen,
};
use crate::record::{
    access::Access,
    backlog::{Backlog, Because, Rejected},
    codes,
    file::About,
    id::{BacklogId, RecordId},
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::{process::ExitCode, sync::Arc};

#[derive(Subcommand)]
pub enum BacklogCommand {
    /// List all backlog work / Các dự án chỉnh lý
    List,
    /// Show work, what it still lacks and what nobody has placed yet / Xem dự án chỉnh lý
    Show { work: String },
    /// Open work on a fonds / Mở dự án chỉnh lý
    Open {
        /// The code of the fonds / Mã phông
        fonds: String,
        /// What it is called / Tên dự án
        #[arg(long)]
        title: String,
    },
    /// Write the history of the fonds and the scheme / Lịch sử phông, phương án phân loại
    Describe {
        work: String,
        #[arg(long)]
        title: Option<String>,
        /// The history of the creator and of the fonds / Lịch sử đơn vị hình thành phông và lịch sử phông
        #[arg(long)]
        history: Option<String>,
        /// The scheme and the plan of the work / Phương án phân loại, kế hoạch chỉnh lý
        #[arg(long)]
        scheme: Option<String>,
    },
    /// Put records into a file of the draft / Lập hồ sơ trong dự thảo
    Place(Box<Place>),
    /// Take a record out, for a reason / Loại tài liệu ra, ghi lý do
    Reject {
        work: String,
        record: String,
        #[arg(long, value_enum)]
        because: Reason,
        #[arg(long)]
        reason: String,
    },
    /// Approve the whole draft: a head, and not who leads the work / Phê duyệt
    Approve {
        work: String,
        /// The number of the decision / Số quyết định
        #[arg(long)]
        decision: String,
        /// Its day / Ngày quyết định
        #[arg(long, value_name = "DATE")]
        on: String,
        /// The account of the head, whose password is asked for / Tài khoản người đứng đầu
        #[arg(long = "as", value_name = "NAME")]
        head: String,
    },
    /// Make what was approved a draft again / Mở lại dự thảo
    Reopen { work: String },
    /// Open the files and move the records of what was approved / Thực hiện
    CarryOut { work: String },
}

/// Put records into a file of the draft: a new one, or one of the fonds that is open
#[derive(Args)]
pub struct Place {
    work: String,
    /// The records / Tài liệu
    #[arg(required = true)]
    records: Vec<String>,
    /// The code of the file / Mã hồ sơ
    #[arg(long)]
    code: String,
    /// Its title / Tiêu đề hồ sơ
    #[arg(long)]
    title: String,
    /// Code 01 to 07 of the period, or its name / Thời hạn lưu trữ
    #[arg(long, value_name = "CODE")]
    retention: Option<String>,
    /// The number of years, where the code has none / Số năm lưu trữ
    #[arg(long, value_name = "YEARS")]
    years: Option<u32>,
    /// When the work began, and when it ended / Thời gian bắt đầu, kết thúc
    #[arg(long, value_name = "DATE")]
    started: Option<String>,
    #[arg(long, value_name = "DATE")]
    ended: Option<String>,
    /// The heading / Đề mục
    #[arg(long)]
    heading: Option<String>,
}

/// Why a record is taken out
#[derive(Clone, Copy, ValueEnum)]
pub enum Reason {
    Duplicate,
    Expired,
    Foreign,
    Reference,
}

impl From<Reason> for Because {
    fn from(reason: Reason) -> Because {
        match reason {
            Reason::Duplicate => Because::Duplicate,
            Reason::Expired => Because::Expired,
            Reason::Foreign => Because::Foreign,
            Reason::Reference => Because::Reference,
        }
    }
}

impl BacklogCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = self.carried_out(context, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let (screen, who) = (&context.screen, arranger(archive));
        match self {
            BacklogCommand::List => listed(screen, archive).await,
            BacklogCommand::Show { work } => shown(screen, archive, &work).await,
            BacklogCommand::Open { fonds, title } => {
                let of = fonds::named(archive, &fonds).await?.fonds;
                told(screen, arrangement::open_backlog(archive, &who, of, &title).await)
            }
            BacklogCommand::Describe { work, title, history, scheme } => {
                let (id, before) = in_force(archive, &work).await?;
                let said = Work::from(&*before);
                let said = Work {
                    title: title.unwrap_or(said.title),
                    history: history.or(said.history),
                    scheme: scheme.or(said.scheme),
                    ..said
                };
                told(screen, arrangement::describe_backlog(archive, &who, id, said).await)
            }
            BacklogCommand::Place(place) => place.carried_out(screen, archive).await,
            BacklogCommand::Reject { work, record, because, reason } => {
                let record = receipt::named(archive, &record).await?;
                let rejected = Rejected { record, because: because.into(), reason };
                told(screen, arrangement::reject(archive, &who, named(&work)?, rejected).await)
            }
            BacklogCommand::Approve { work, decision, on, head } => {
                let (id, on) = (named(&work)?, read_date(&on)?);
                let head = head_named(context, archive, &head).await?;
                told(screen, arrangement::approve_backlog(archive, &head, id, &decision, on).await)
            }
            BacklogCommand::Reopen { work } => {
                told(screen, arrangement::reopen_backlog(archive, &who, named(&work)?).await)
            }
            BacklogCommand::CarryOut { work } => match arrangement::carry_out(archive, &who, named(&work)?).await {
                Ok(CarriedOut { entry, opened, moved }) => {
                    screen.answer(
                        || json!({"entry": entry, "opened": opened, "moved": moved}),
                        || match screen.say("vi", "en") {
                            "vi" => format!("Đã mở {opened} hồ sơ, xếp {moved} tài liệu; sự kiện số {entry}"),
                            _ => format!("{opened} files opened, {moved} records moved; entry {entry}"),
                        },
                    );
                    Ok(ExitCode::SUCCESS)
                }
                Err(error) => refused(screen, error),
            },
        }
    }
}

impl Place {
    async fn carried_out(self, screen: &Screen, archive: &Archive) -> Result<ExitCode, CommandError> {
        let mut records: Vec<RecordId> = Vec::with_capacity(self.records.len());
        for typed in &self.records {
            records.push(receipt::named(archive, typed).await?);
        }
        let retention = self.retention.as_deref();
        let retention = retention.map(|typed| codes::lookup(&codes::RETENTIONS, typed).unwrap_or(typed).to_owned());
        let about = About {
            code: Some(self.code),
            title: self.title,
            retention_code: retention.or(self.years.map(|_| "07".into())),
            retention_years: self.years,
            access: Access::default(),
            languages: vec!["01".into()],
            started: self.started.as_deref().map(read_date).transpose()?,
            ended: self.ended.as_deref().map(read_date).transpose()?,
            heading: self.heading,
            ..About::default()
        };
        let id = named(&self.work)?;
        told(screen, arrangement::place_in_draft(archive, &arranger(archive), id, about, &records).await)
    }
}

fn named(typed: &str) -> Result<BacklogId, CommandError> {
    id(typed, "backlog list")
}

async fn in_force(archive: &Archive, typed: &str) -> Result<(BacklogId, Arc<Backlog>), CommandError> {
    let id = named(typed)?;
    let read = arrangement::backlog(archive, id).await.map_err(broken)?;
    let (backlog, _) = read.ok_or_else(|| {
        CommandError::usage(
            format!("không có dự án chỉnh lý {typed}; xem vankho backlog list"),
            format!("there is no backlog work {typed}; see vankho backlog list"),
        )
    })?;
    Ok((id, backlog))
}

async fn listed(screen: &Screen, archive: &Archive) -> Result<ExitCode, CommandError> {
    let fonds = archive.catalog.fonds().await?;
    for known in archive.catalog.backlogs().await? {
        let KnownBacklog { backlog, fonds: of, title, state, files, placed, rejected } = &known;
        let code = fonds.iter().find(|fonds| fonds.fonds == *of).map(|fonds| fonds.code.as_str()).unwrap_or("–");
        screen.answer(
            || {
                json!({"backlog": backlog, "fonds": code, "title": title, "state": state, "files": files,
                    "placed": placed, "rejected": rejected})
            },
            || {
                let (placed, taken_out) = match screen.say("vi", "en") {
                    "vi" => (format!("{placed} tài liệu vào {files} hồ sơ"), format!("loại {rejected}")),
                    _ => (format!("{placed} records in {files} files"), format!("{rejected} taken out")),
                };
                format!("{backlog}\t{code}\t{title}\t{}\t{placed}, {taken_out}", screen.say(state.vi(), state.en()))
            },
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn shown(screen: &Screen, archive: &Archive, typed: &str) -> Result<ExitCode, CommandError> {
    let (_, told) = in_force(archive, typed).await?;
    let scope = arrangement::scope(archive, &told).await.map_err(broken)?;
    let flaws = told.check(&scope);
    screen.answer(
        || json!({"backlog": *told, "scope": scope, "flaws": flaws}),
        || {
            let mut lines = vec![format!("{}\t{}", told.title, screen.say(told.state.vi(), told.state.en()))];
            lines.extend([&told.history, &told.scheme].into_iter().flatten().cloned());
            for file in &told.files {
                lines.push(format!("{}\t{}", file.about.code.as_deref().unwrap_or("–"), file.about.title));
                lines.extend(file.records.iter().map(|record| format!("  {record}")));
            }
            lines.extend(told.rejected.iter().map(|rejected| {
                let out = screen.say("loại", "taken out");
                let because = screen.say(rejected.because.vi(), rejected.because.en());
                format!("{out}: {}\t{because}: {}", rejected.record, rejected.reason)
            }));
            lines.extend(flaws.iter().map(|flaw| line(screen, flaw)));
            lines.join("\n")
        },
    );
    Ok(ExitCode::SUCCESS)
}

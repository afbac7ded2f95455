//! `vankho file`: files (hồ sơ) are opened, closed, handed over and listed.

use crate::archive::Archive;
use crate::arrangement;
use crate::catalog::arranged::KnownFile;
use crate::cli::{
    CommandError, Context,
    fonds::{self, line, operator, read_date, told},
    schedule,
    show::Screen,
};
use crate::record::{
    access::Access,
    codes,
    file::{About, File, check_file},
    file_state::FileAct,
    overdue::{Debt, Limits},
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{process::ExitCode, sync::Arc};

#[derive(Subcommand)]
pub enum FileCommand {
    /// Open a file in a fonds / Mở hồ sơ
    Open(Box<Open>),
    /// List the files of a fonds / Danh sách hồ sơ của phông
    List {
        /// The code of the fonds / Mã phông
        fonds: String,
    },
    /// Show a file and what lies in it / Xem hồ sơ
    Show { code: String },
    /// Close a file: what is in it is looked through / Kết thúc hồ sơ
    Close { code: String },
    /// Open a file again / Mở lại hồ sơ
    Reopen {
        code: String,
        /// Why / Lý do
        #[arg(long)]
        reason: String,
    },
    /// Hand a file over to the archive / Nộp lưu
    Submit { code: String },
    /// Take back what was handed over / Rút lại
    Withdraw { code: String },
    /// Give a file back / Trả lại
    Return {
        code: String,
        /// Why; as often as there are reasons / Lý do
        #[arg(long = "reason", required = true)]
        reasons: Vec<String>,
    },
    /// Take a file into the archive: not who submitted it / Tiếp nhận
    Accept { code: String },
    /// Files that are late or soon due to be handed over, by unit and person / Hồ sơ quá hạn, sắp đến hạn nộp lưu
    Overdue {
        /// Only of this fonds / Mã phông
        fonds: Option<String>,
    },
    /// Give a file a class of a retention schedule / Xác định mục trong bảng thời hạn lưu trữ
    Classify {
        code: String,
        /// The schedule, or the number of its source / Bảng thời hạn
        #[arg(long, value_name = "ID")]
        schedule: String,
        /// The code of the class / Mã mục
        #[arg(long, value_name = "CODE")]
        class: String,
    },
}

/// Open a file in a fonds
#[derive(Args)]
pub struct Open {
    /// Its code: agency, year, number and notation / Mã hồ sơ
    code: String,
    /// The code of the fonds / Mã phông
    #[arg(long)]
    fonds: String,
    /// Its title / Tiêu đề hồ sơ
    #[arg(long)]
    title: String,
    /// When the work began, and when it ended / Thời gian bắt đầu, kết thúc
    #[arg(long, value_name = "DATE")]
    started: Option<String>,
    #[arg(long, value_name = "DATE")]
    ended: Option<String>,
    /// Code 01 to 07 of the period, or its name / Thời hạn lưu trữ
    #[arg(long, value_name = "CODE")]
    retention: Option<String>,
    /// The number of years, where the code has none / Số năm lưu trữ
    #[arg(long, value_name = "YEARS")]
    years: Option<u32>,
    /// public, conditional or secret / Mức độ tiếp cận
    #[arg(long, default_value = "conditional")]
    access: String,
    /// Codes of languages, 01 to 11 / Ngôn ngữ
    #[arg(long = "language", value_name = "CODE", default_value = "01")]
    languages: Vec<String>,
    /// The heading in the list of files / Đề mục
    #[arg(long)]
    heading: Option<String>,
    /// Who makes it, and in which unit / Người lập, đơn vị lập
    #[arg(long)]
    maker: Option<String>,
    #[arg(long)]
    office: Option<String>,
}

impl FileCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = self.carried_out(context, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let (screen, who) = (&context.screen, operator(archive));
        let (code, act) = match &self {
            FileCommand::Open(open) => {
                let of = fonds::named(archive, &open.fonds).await?.fonds;
                return told(screen, arrangement::open_file(archive, &who, of, open.about()?).await);
            }
            FileCommand::List { fonds } => return listed(screen, archive, fonds).await,
            FileCommand::Overdue { fonds } => return overdue(screen, archive, fonds.as_deref()).await,
            FileCommand::Show { code } => return shown(screen, archive, code).await,
            FileCommand::Close { code } => (code, FileAct::Close),
            FileCommand::Reopen { code, reason } => (code, FileAct::Reopen { reason }),
            FileCommand::Submit { code } => (code, FileAct::Submit),
            FileCommand::Withdraw { code } => (code, FileAct::Withdraw),
            FileCommand::Return { code, reasons } => (code, FileAct::Return { reasons }),
            FileCommand::Accept { code } => (code, FileAct::Accept { submitted_by: who.id }),
            FileCommand::Classify { code, schedule, class } => {
                return classified(screen, archive, code, (schedule, class)).await;
            }
        };
        let id = named(archive, code).await?.file;
        told(screen, arrangement::act(archive, &who, id, &act).await)
    }
}

impl Open {
    fn about(&self) -> Result<About, CommandError> {
        let access = Access::read(&self.access).ok_or_else(|| {
            CommandError::usage(
                "mức độ tiếp cận là công khai, có điều kiện hoặc mật".into(),
                "an access level is public, conditional or secret".into(),
            )
        })?;
        let retention = self.retention.as_deref();
        let retention = retention.map(|typed| codes::lookup(&codes::RETENTIONS, typed).unwrap_or(typed).to_owned());
        Ok(About {
            code: Some(self.code.clone()),
            title: self.title.clone(),
            retention_code: retention.or(self.years.map(|_| "07".into())),
            retention_years: self.years,
            access,
            languages: self.languages.clone(),
            started: self.started.as_deref().map(read_date).transpose()?,
            ended: self.ended.as_deref().map(read_date).transpose()?,
            heading: self.heading.clone(),
            maker: self.maker.clone(),
            unit: self.office.clone(),
            ..About::default()
        })
    }
}

/// The file that has a code.
async fn named(archive: &Archive, code: &str) -> Result<KnownFile, CommandError> {
    archive.catalog.files_of_code(code).await?.into_iter().next().ok_or_else(|| {
        CommandError::usage(
            format!("không có hồ sơ nào mang mã {code}; xem vankho file list MÃ_PHÔNG"),
            format!("no file has the code {code}; see vankho file list FONDS"),
        )
    })
}

async fn listed(screen: &Screen, archive: &Archive, of: &str) -> Result<ExitCode, CommandError> {
    const PAGE: u32 = 500;
    let (of, mut after) = (fonds::named(archive, of).await?.fonds, String::new());
    loop {
        let page = archive.catalog.files(of, &after, PAGE).await?;
        for file in &page {
            let KnownFile { file: id, code, title, state, started, ended, maker, .. } = file;
            screen.answer(
                || {
                    json!({"file": id, "code": code, "title": title, "state": state, "started": started,
                        "ended": ended, "maker": maker})
                },
                || {
                    let code = code.as_deref().unwrap_or("–");
                    format!("{code}\t{title}\t{}", screen.say(state.vi(), state.en()))
                },
            );
        }
        match page.last() {
            Some(file) => after = file.code.clone().unwrap_or_else(|| file.file.to_string()),
            None => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// The description in force of a file.
async fn read(archive: &Archive, known: &KnownFile) -> Result<Arc<File>, CommandError> {
    let read = arrangement::file(archive, known.file).await;
    let read = read.map_err(|error| CommandError::Usage(error.to_string()))?.map(|(file, _)| file);
    read.ok_or_else(|| {
        CommandError::usage(
            "không đọc được mô tả của hồ sơ; chạy vankho verify archive".into(),
            "the description of the file cannot be read; run vankho verify archive".into(),
        )
    })
}

/// Gives a file a class, and the period of that class as packages tell it.
async fn classified(
    screen: &Screen,
    archive: &Archive,
    code: &str,
    (schedule, class): (&str, &str),
) -> Result<ExitCode, CommandError> {
    let known = named(archive, code).await?;
    let before = read(archive, &known).await?;
    let (class, says) = schedule::class(archive, schedule, class).await?;
    let maintenance = says.period.maintenance();
    let about = About {
        class: Some(class),
        retention_code: Some(maintenance.code.into()),
        retention_years: maintenance.years.map(u32::from),
        ..before.about.clone()
    };
    told(screen, arrangement::describe_file(archive, &operator(archive), known.file, about).await)
}

async fn overdue(screen: &Screen, archive: &Archive, of: Option<&str>) -> Result<ExitCode, CommandError> {
    let of = match of {
        Some(code) => Some(fonds::named(archive, code).await?.fonds),
        None => None,
    };
    let debts = arrangement::overdue(archive, of, &Limits::default()).await.map_err(fonds::broken)?;
    for debt in &debts {
        screen.answer(|| json!(debt), || owed(screen, debt));
    }
    Ok(ExitCode::SUCCESS)
}

/// What one person has to hand over.
fn owed(screen: &Screen, debt: &Debt) -> String {
    let who = [debt.unit.as_deref(), debt.maker.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let mut lines =
        vec![if who.is_empty() { screen.say("chưa rõ người lập", "maker unknown").to_owned() } else { who }];
    lines.extend(debt.overdue.iter().chain(&debt.reminders).map(|due| {
        let code = due.code.as_deref().unwrap_or("–");
        let days = due.late_days.unsigned_abs();
        let stands = match (due.late_days > 0, screen.say("vi", "en")) {
            (true, "vi") => format!("quá hạn {days} ngày"),
            (true, _) => format!("{days} days late"),
            (false, "vi") => format!("còn {days} ngày"),
            (false, _) => format!("due in {days} days"),
        };
        format!("  {code}\t{}\t{}\t{stands}", due.title, due.due)
    }));
    lines.join("\n")
}

async fn shown(screen: &Screen, archive: &Archive, code: &str) -> Result<ExitCode, CommandError> {
    let known = named(archive, code).await?;
    let file = read(archive, &known).await?;
    let inside = arrangement::inside(archive, &file.about).await;
    let inside = inside.map_err(|error| CommandError::Usage(error.to_string()))?;
    let flaws = check_file(&file.about);
    screen.answer(
        || {
            let records: Vec<String> = inside.iter().map(|record| record.record.to_string()).collect();
            json!({"file": *file, "records": records, "flaws": flaws})
        },
        || {
            let state = screen.say(file.state.vi(), file.state.en());
            let mut lines = vec![format!("{code}\t{}\t{state}", file.about.title)];
            lines.extend(inside.iter().map(|record| {
                let issued = record.metadata.issued.map(|day| day.to_string()).unwrap_or_default();
                format!("  {issued}\t{}\t{}", record.metadata.subject, record.record)
            }));
            lines.extend(flaws.iter().map(|flaw| line(screen, flaw)));
            lines.join("\n")
        },
    );
    Ok(ExitCode::SUCCESS)
}

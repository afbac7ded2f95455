//! `vankho file`: files (hồ sơ) are opened, closed, handed over and listed.

use crate::archive::Archive;
use crate::arrangement;
use crate::catalog::arranged::KnownFile;
use crate::cli::{
    CommandError, Context,
    acting::{arranger, broken, line, read_date, told},
    fonds,
    reach::{Reach, no_file},
    schedule,
    show::Screen,
};
use crate::record::{
    access::Access,
    codes,
    file::{About, File, check_file},
    file_state::{FileAct, FileState},
    id::FileId,
    overdue::{Debt, Limits},
    unit::Kind,
};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
        let reach = context.reach().await?;
        let done = self.carried_out(&context.screen, &reach).await;
        reach.close().await?;
        done
    }

    async fn carried_out(self, screen: &Screen, reach: &Reach) -> Result<ExitCode, CommandError> {
        // The act, and the same as a server is asked; who accepts is who submitted until the ledger says who did.
        let (code, act, asked) = match &self {
            FileCommand::Open(open) => return open.carried_out(screen, reach).await,
            FileCommand::List { fonds } => return listed(screen, reach, fonds).await,
            FileCommand::Overdue { fonds } => {
                return overdue(screen, reach.here("file overdue")?, fonds.as_deref()).await;
            }
            FileCommand::Show { code } => return shown(screen, reach, code).await,
            FileCommand::Classify { code, schedule, class } => {
                return classified(screen, reach, code, (schedule, class)).await;
            }
            FileCommand::Close { code } => (code, Some(FileAct::Close), json!({"act": "close"})),
            FileCommand::Reopen { code, reason } => {
                (code, Some(FileAct::Reopen { reason }), json!({"act": "reopen", "reason": reason}))
            }
            FileCommand::Submit { code } => (code, Some(FileAct::Submit), json!({"act": "submit"})),
            FileCommand::Withdraw { code } => (code, Some(FileAct::Withdraw), json!({"act": "withdraw"})),
            FileCommand::Return { code, reasons } => {
                (code, Some(FileAct::Return { reasons }), json!({"act": "return", "reasons": reasons}))
            }
            FileCommand::Accept { code } => (code, None, json!({"act": "accept"})),
        };
        match reach {
            Reach::Here(archive) => {
                let (who, id) = (arranger(archive), named(archive, code).await?.file);
                let act = act.unwrap_or(FileAct::Accept { submitted_by: who.id });
                told(screen, arrangement::act(archive, &who, id, &act).await)
            }
            Reach::There(server) => {
                let path = format!("api/v1/files/{}/acts", reach.file_named(code).await?);
                told(screen, server.act_with(Kind::File, &path, &asked).await)
            }
        }
    }
}

impl Open {
    async fn carried_out(&self, screen: &Screen, reach: &Reach) -> Result<ExitCode, CommandError> {
        let (of, about) = (reach.fonds(&self.fonds).await?, self.about()?);
        match reach {
            Reach::Here(archive) => told(screen, arrangement::open_file(archive, &arranger(archive), of, about).await),
            Reach::There(server) => {
                told(screen, server.act_with(Kind::File, &format!("api/v1/fonds/{of}/files"), &json!(about)).await)
            }
        }
    }

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
    archive.catalog.files_of_code(code).await?.into_iter().next().ok_or_else(|| no_file(code))
}

/// A file of the list, as here and as a server tells it: without the title that one may not read, and without its maker.
#[derive(Serialize, Deserialize)]
struct Row {
    file: FileId,
    code: Option<String>,
    title: Option<String>,
    state: FileState,
    started: Option<String>,
    ended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maker: Option<Option<String>>,
}

async fn listed(screen: &Screen, reach: &Reach, of: &str) -> Result<ExitCode, CommandError> {
    const PAGE: u32 = 500;
    let (of, mut after) = (reach.fonds(of).await?, String::new());
    let tell = |row: Row| {
        screen.answer(
            || json!(row),
            || {
                let [code, title] = [&row.code, &row.title].map(|text| text.as_deref().unwrap_or("–"));
                format!("{code}\t{title}\t{}", screen.say(row.state.vi(), row.state.en()))
            },
        );
    };
    let archive = match reach {
        Reach::Here(archive) => archive,
        Reach::There(server) => {
            let rows: Vec<Row> = server.rows(&format!("api/v1/fonds/{of}/files"), "files", "after").await?;
            rows.into_iter().for_each(tell);
            return Ok(ExitCode::SUCCESS);
        }
    };
    loop {
        let page = archive.catalog.files(of, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(ExitCode::SUCCESS) };
        after = last.code.clone().unwrap_or_else(|| last.file.to_string());
        for KnownFile { file, code, title, state, started, ended, maker, .. } in page {
            tell(Row { file, code, title: Some(title), state, started, ended, maker: Some(maker) });
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
    reach: &Reach,
    code: &str,
    (schedule, class): (&str, &str),
) -> Result<ExitCode, CommandError> {
    let (id, before) = match reach {
        Reach::Here(archive) => {
            let known = named(archive, code).await?;
            (known.file, read(archive, &known).await?.about.clone())
        }
        Reach::There(server) => {
            let id = reach.file_named(code).await?;
            let shown = server.member(server.get(&format!("api/v1/files/{id}")), "file").await?;
            (id, server.kept::<File>(&shown)?.about)
        }
    };
    let (class, says) = schedule::class(reach, schedule, class).await?;
    let maintenance = says.period.maintenance();
    let about = About {
        class: Some(class),
        retention_code: Some(maintenance.code.into()),
        retention_years: maintenance.years.map(u32::from),
        ..before
    };
    match reach {
        Reach::Here(archive) => told(screen, arrangement::describe_file(archive, &arranger(archive), id, about).await),
        Reach::There(server) => {
            let put = server.put(&format!("api/v1/files/{id}")).json(&about);
            told(screen, server.act(Kind::File, put).await)
        }
    }
}

async fn overdue(screen: &Screen, archive: &Archive, of: Option<&str>) -> Result<ExitCode, CommandError> {
    let of = match of {
        Some(code) => Some(fonds::named(archive, code).await?.fonds),
        None => None,
    };
    let debts = arrangement::overdue(archive, of, &Limits::default()).await.map_err(broken)?;
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

/// A record that lies in a file: the day on which it was issued is not told by a server, nor what one may not read.
struct Inside {
    record: String,
    issued: String,
    subject: String,
}

/// The same as a server tells it.
#[derive(Deserialize)]
struct Listed {
    record: String,
    subject: Option<String>,
}

async fn shown(screen: &Screen, reach: &Reach, code: &str) -> Result<ExitCode, CommandError> {
    let (file, json, inside): (Arc<File>, Value, Vec<Inside>) = match reach {
        Reach::Here(archive) => {
            let file = read(archive, &named(archive, code).await?).await?;
            let inside = arrangement::inside(archive, &file.about).await;
            let inside = inside.map_err(|error| CommandError::Usage(error.to_string()))?;
            let inside = inside.iter().map(|record| Inside {
                record: record.record.to_string(),
                issued: record.metadata.issued.map(|day| day.to_string()).unwrap_or_default(),
                subject: record.metadata.subject.clone(),
            });
            let inside = inside.collect();
            let json = json!(*file);
            (file, json, inside)
        }
        Reach::There(server) => {
            let path = format!("api/v1/files/{}", reach.file_named(code).await?);
            let json = server.member(server.get(&path), "file").await?;
            let inside: Vec<Listed> = server.rows(&path, "records", "from").await?;
            let inside = inside.into_iter().map(|Listed { record, subject }| Inside {
                record,
                issued: String::new(),
                subject: subject.unwrap_or_else(|| "–".into()),
            });
            (Arc::new(server.kept(&json)?), json, inside.collect())
        }
    };
    let flaws = check_file(&file.about);
    screen.answer(
        || {
            let records: Vec<&str> = inside.iter().map(|record| record.record.as_str()).collect();
            json!({"file": json, "records": records, "flaws": flaws})
        },
        || {
            let state = screen.say(file.state.vi(), file.state.en());
            let mut lines = vec![format!("{code}\t{}\t{state}", file.about.title)];
            lines.extend(
                inside.iter().map(|Inside { record, issued, subject }| format!("  {issued}\t{subject}\t{record}")),
            );
            lines.extend(flaws.iter().map(|flaw| line(screen, flaw)));
            lines.join("\n")
        },
    );
    Ok(ExitCode::SUCCESS)
}

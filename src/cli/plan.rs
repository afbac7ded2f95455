//! `vankho plan`: lists of files of a year (danh mục hồ sơ) are imported, copied, issued, opened and printed.

use crate::archive::Archive;
use crate::arrangement::{self, ArrangementError, OpenedFiles, PlanDraft};
use crate::catalog::lists::KnownPlan;
use crate::cli::{
    CommandError, Context,
    acting::{arranger, broken, by_password, line, read_date, refused, told},
    fonds,
    show::{self, Screen},
};
use crate::exchange::{forms, lists};
use crate::record::{
    agencies::AgencyCode,
    file_state::Who,
    form::{self, Head},
    id::{FileId, PlanId},
    plan::FilePlan,
    term,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Subcommand)]
pub enum PlanCommand {
    /// List every list of files / Các danh mục hồ sơ
    List,
    /// Show a list and what is wrong with it / Xem danh mục hồ sơ
    Show(One),
    /// Read a table (TSV or CSV) into the list of a year, or into that list anew / Nhập danh mục hồ sơ
    Import(Import),
    /// Begin the list of another year as a copy / Sao danh mục sang năm khác
    Copy {
        #[command(flatten)]
        one: One,
        /// The other year; else the next / Năm
        #[arg(long)]
        to: Option<u16>,
    },
    /// Issue a list: the head's act / Ban hành danh mục hồ sơ
    Approve(Approve),
    /// Open every file of an issued list that is not open yet / Mở các hồ sơ trong danh mục
    Open(One),
    /// Print a list as its form, HTML / In danh mục hồ sơ
    Print {
        #[command(flatten)]
        one: One,
        /// The place that stands before the day / Địa danh
        #[arg(long, default_value = "……")]
        place: String,
    },
}

/// The list of a fonds and a year
#[derive(Args)]
pub struct One {
    /// The code of the fonds / Mã phông
    fonds: String,
    /// The year / Năm
    year: u16,
}

/// Read a table into the list of a year
#[derive(Args)]
pub struct Import {
    /// The code of the fonds / Mã phông
    fonds: String,
    /// The year / Năm
    year: u16,
    /// The table / Tệp danh mục
    file: PathBuf,
    /// The code of the agency whose list it is; else the creator of the fonds / Mã cơ quan
    #[arg(long, value_name = "CODE")]
    agency: Option<String>,
}

/// Issue a list
#[derive(Args)]
pub struct Approve {
    #[command(flatten)]
    one: One,
    /// The number of the decision / Số quyết định
    #[arg(long)]
    decision: String,
    /// Its day / Ngày quyết định
    #[arg(long, value_name = "DATE")]
    on: String,
    /// The account of the head, whose password is asked for / Tài khoản người đứng đầu
    #[arg(long = "as", value_name = "NAME")]
    head: String,
}

impl PlanCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = self.carried_out(context, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let (screen, who) = (&context.screen, arranger(archive));
        match self {
            PlanCommand::List => listed(screen, archive).await,
            PlanCommand::Show(one) => Ok(shown(screen, &*one.read(archive).await?)),
            PlanCommand::Import(import) => import.carried_out(screen, archive).await,
            PlanCommand::Copy { one, to } => {
                let known = one.named(archive).await?;
                let year = to.unwrap_or(known.year.saturating_add(1));
                told(screen, arrangement::copy_plan(archive, &who, known.plan, year).await)
            }
            PlanCommand::Approve(Approve { one, decision, on, head }) => {
                let id = one.named(archive).await?.plan;
                let head = head_named(context, archive, &head).await?;
                told(screen, arrangement::approve_plan(archive, &head, id, &decision, read_date(&on)?).await)
            }
            PlanCommand::Open(one) => {
                let id = one.named(archive).await?.plan;
                opened(screen, arrangement::open_planned(archive, &who, id).await)
            }
            PlanCommand::Print { one, place } => {
                let plan = one.read(archive).await?;
                let head = Head::of_plan(&plan, archive.agencies().await?.as_deref(), place);
                screen.line(forms::plan(&head, &form::plan(&plan, &head.agency)).trim_end());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl One {
    async fn named(&self, archive: &Archive) -> Result<KnownPlan, CommandError> {
        let of = fonds::named(archive, &self.fonds).await?.fonds;
        let plans = archive.catalog.plans().await?;
        plans.into_iter().find(|known| (known.fonds, known.year) == (of, self.year)).ok_or_else(|| self.unknown())
    }

    async fn read(&self, archive: &Archive) -> Result<Arc<FilePlan>, CommandError> {
        let id: PlanId = self.named(archive).await?.plan;
        let read = arrangement::plan(archive, id).await.map_err(broken)?;
        read.map(|(plan, _)| plan).ok_or_else(|| self.unknown())
    }

    fn unknown(&self) -> CommandError {
        let One { fonds, year } = self;
        CommandError::usage(
            format!("phông {fonds} chưa có danh mục hồ sơ năm {year}; xem vankho plan list"),
            format!("the fonds {fonds} has no list of files of {year}; see vankho plan list"),
        )
    }
}

impl Import {
    async fn carried_out(self, screen: &Screen, archive: &Archive) -> Result<ExitCode, CommandError> {
        let Import { fonds, year, file, agency } = self;
        let bytes =
            std::fs::read(&file).map_err(|source| CommandError::File { path: file.display().to_string(), source })?;
        let (headings, files) = match lists::plan(&bytes) {
            Ok(read) => read,
            Err(wrong) => return Ok(unread(screen, &wrong)),
        };
        let (who, known) = (arranger(archive), fonds::named(archive, &fonds).await?);
        let one = One { fonds, year };
        if let Ok(there) = one.named(archive).await {
            return told(screen, arrangement::describe_plan(archive, &who, there.plan, headings, files).await);
        }
        let code = agency.unwrap_or(known.creator);
        let agency: AgencyCode = code.parse().map_err(|_| {
            CommandError::usage(format!("{code}: không phải là mã cơ quan"), format!("{code} is no code of an agency"))
        })?;
        let draft = PlanDraft { fonds: known.fonds, year, agency, headings, files };
        told(screen, arrangement::open_plan(archive, &who, draft).await)
    }
}

/// What could not be read of a list, each as an answer of its own.
pub fn unread(screen: &Screen, wrong: &[lists::Wrong]) -> ExitCode {
    for one in wrong {
        screen.answer(|| json!({"unread": one.to_string()}), || one.to_string());
    }
    ExitCode::from(1)
}

/// A head who shows by a password who they are.
pub async fn head_named(context: &Context, archive: &Archive, name: &str) -> Result<Who, CommandError> {
    let shown = by_password(context, archive, name).await?;
    Ok(Who { id: shown.actor, role: shown.role })
}

async fn listed(screen: &Screen, archive: &Archive) -> Result<ExitCode, CommandError> {
    let fonds = archive.catalog.fonds().await?;
    for known in archive.catalog.plans().await? {
        let KnownPlan { plan, fonds: of, year, agency, approved, files } = &known;
        let code = fonds.iter().find(|fonds| fonds.fonds == *of).map(|fonds| fonds.code.as_str()).unwrap_or("–");
        screen.answer(
            || {
                json!({"plan": plan, "fonds": code, "year": year, "agency": agency, "approved": approved,
                    "files": files})
            },
            || {
                let (draft, of_them) = (screen.say("dự thảo", "draft"), screen.say("hồ sơ", "files"));
                format!("{code}\t{year}\t{files} {of_them}\t{}", approved.as_deref().unwrap_or(draft))
            },
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(screen: &Screen, plan: &FilePlan) -> ExitCode {
    let flaws = plan.check();
    screen.answer(
        || json!({"plan": plan, "flaws": flaws}),
        || {
            let issued = plan.approval.as_ref().map(|approval| format!("{} ({})", approval.decision, approval.on));
            let draft = || screen.say("dự thảo", "draft").to_owned();
            let mut lines = vec![format!("{}\t{}\t{}", plan.agency, plan.year, issued.unwrap_or_else(draft))];
            lines.extend(plan.files.iter().map(|file| {
                let maker = file.maker.as_deref().unwrap_or("–");
                let retention = term::words(file.retention_code.as_deref(), file.retention_years);
                format!("  {}\t{}\t{retention}\t{maker}", file.code, file.title)
            }));
            lines.extend(flaws.iter().map(|flaw| line(screen, flaw)));
            lines.join("\n")
        },
    );
    ExitCode::SUCCESS
}

/// What became of the rows: 0 where every file is open, 1 where some could not be opened.
fn opened(screen: &Screen, done: Result<OpenedFiles, ArrangementError>) -> Result<ExitCode, CommandError> {
    let done = match done {
        Ok(done) => done,
        Err(error) => return refused(screen, error),
    };
    let told = |files: &[(String, FileId)], json: &'static str, said: &str| {
        for (code, file) in files {
            screen.answer(|| json!({json: code, "file": file}), || format!("{code}\t{said}"));
        }
    };
    told(&done.opened, "opened", screen.say("đã mở", "opened"));
    told(&done.there, "there", screen.say("đã có từ trước", "there before"));
    for (code, flaws) in &done.left {
        screen.answer(
            || json!({"left": code, "flaws": flaws}),
            || flaws.iter().map(|flaw| format!("{code}\t{}", line(screen, flaw))).collect::<Vec<_>>().join("\n"),
        );
    }
    if done.left.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    show::tell(screen.say(
        "Sửa danh mục, ban hành lại rồi mở tiếp: hồ sơ đã mở không bị mở lần hai.",
        "Mend the list, have it issued again and go on: no file is opened twice.",
    ));
    Ok(ExitCode::from(1))
}

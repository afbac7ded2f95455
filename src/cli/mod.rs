//! The command line: one command, one file: parse, ask a flow, show.
//!
//! Exit codes: 0 done; 1 something was refused, or an audit found something; 2 the command could not do its
//! work; 3 it was not understood. `vankho verify` answers as every verifier of an archive does.
//!
//! # Why
//! *One runtime, made here.* The commands are async because the flows are; `verify receipt` needs neither
//! archive nor network, only a file to hash.

mod acting;
mod actor;
mod agency;
mod audit;
mod backlog;
mod backup;
mod case;
mod cases;
mod characterize;
mod correct;
mod due;
mod export;
mod file;
mod fixity;
mod fonds;
mod heading;
mod hold;
mod ingest;
mod key;
mod outsiders;
mod papers;
mod plan;
mod place;
mod places;
mod reach;
mod receipt;
mod record;
mod remote;
mod restore;
mod schedule;
mod search;
mod secret;
mod serve;
mod show;
mod verify;
mod whole;
mod withdrawal;
mod witness;

use crate::access::ask::QuestionError;
use crate::archive::{Archive, ArchiveError, Clock, place::Folders};
use crate::catalog::CatalogError;
use crate::config::{Config, ConfigError};
use crate::ledger::checkpoint::Checkpoint;
use crate::store::layout;
use crate::witness::WitnessError;
use clap::{CommandFactory, Parser, Subcommand};
use remote::Server;
use show::{Bar, Language, Screen};
use std::{io::Write, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};

/// Vankho (văn khố): an electronic records archive. Kho lưu trữ số.
#[derive(Parser)]
#[command(version, about, propagate_version = true, max_term_width = 100)]
struct Arguments {
    /// Configuration file; deploy/config.example.toml documents every key
    #[arg(long, global = true, env = "VANKHO_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The archive's data folder / Thư mục dữ liệu của kho
    #[arg(long, global = true, env = "VANKHO_DATA", value_name = "DIR", default_value = "vankho-data")]
    data: PathBuf,
    /// Ask this server instead of an archive on this disk; the token comes from VANKHO_TOKEN / Hỏi máy chủ này
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// For scripts: JSON, one object a line, no progress bars
    #[arg(long, global = true)]
    json: bool,
    /// Language of messages / Ngôn ngữ thông báo [default: from LANG]
    #[arg(long, global = true, value_enum, value_name = "vi|en")]
    language: Option<Language>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Found an archive, or bring its self-description up to date / Lập kho
    Init(place::Init),
    /// Take in a folder or a manifest of documents / Tiếp nhận tài liệu
    Ingest(ingest::Ingest),
    /// Read what waits to be read: format and text / Đọc nội dung tài liệu còn chờ
    Characterize(characterize::Characterize),
    /// Find records / Tìm tài liệu
    Search(Box<search::Search>),
    /// Show a record, or its history / Xem một tài liệu hoặc lịch sử mô tả của nó
    Show(record::Show),
    /// Describe a record anew / Mô tả lại một tài liệu
    Describe(correct::Describe),
    /// Move a record into another file / Chuyển tài liệu sang hồ sơ khác
    Move(correct::Move),
    /// Print the receipt of a record / In biên nhận của một tài liệu
    Receipt(receipt::ReceiptOf),
    /// Write records out as plain files / Xuất tài liệu ra tệp thường
    Export(export::Export),
    /// Check a receipt, or the whole archive / Kiểm tra biên nhận hoặc toàn bộ kho
    #[command(subcommand)]
    Verify(verify::Verify),
    /// Accounts: who may act / Tài khoản
    #[command(subcommand)]
    Actor(actor::ActorCommand),
    /// Fonds: opened, closed, listed / Phông lưu trữ
    #[command(subcommand)]
    Fonds(fonds::FondsCommand),
    /// Files: opened, closed, handed over, listed / Hồ sơ
    #[command(subcommand)]
    File(file::FileCommand),
    /// Lists of files of a year: imported, copied, issued, opened, printed / Danh mục hồ sơ
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Backlog work: drafted, approved, carried out / Chỉnh lý tài liệu
    #[command(subcommand)]
    Backlog(backlog::BacklogCommand),
    /// The register of agencies, and who manages a fonds / Danh bạ cơ quan
    #[command(subcommand)]
    Agency(agency::AgencyCommand),
    /// Retention schedules: imported, revised, approved, tried out / Bảng thời hạn lưu trữ
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// What falls due, when and why / Hồ sơ, tài liệu hết thời hạn lưu trữ
    #[command(subcommand)]
    Due(due::DueCommand),
    /// Holds: nothing of what they lie on is destroyed / Tạm dừng hủy
    Hold(Box<hold::HoldCommand>),
    /// Cases: what is due is reviewed, decided, destroyed / Hồ sơ xét hủy
    Case(Box<case::CaseCommand>),
    /// Wrong deposits: asked back by one, given up by another / Rút tài liệu nộp nhầm
    Withdrawal(Box<withdrawal::WithdrawalCommand>),
    /// Secrecy marks: suspected, confirmed, refuted, expelled / Dấu độ mật
    Secret(Box<secret::SecretCommand>),
    /// Serve the archive over HTTP / Phục vụ kho qua HTTP
    Serve(serve::Serve),
    /// For another agency: follow archives and cosign their checkpoints / Chứng kiến các kho
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
    /// Build catalog and index anew from the ledger / Dựng lại mục lục và chỉ mục
    Rebuild,
    /// How much there is, and how the replicas stand / Số liệu của kho và tình trạng các bản nhân
    Status,
    /// Bring every replica up to date / Đồng bộ các bản nhân
    Heal(places::Heal),
    /// Read and hash everything again, and repair it / Kiểm tra tính toàn vẹn và phục hồi
    Fixity(fixity::Fixity),
    /// Have a sample audited that neither side chose / Kiểm tra đột xuất một mẫu ngẫu nhiên
    Audit(Box<audit::Audit>),
    /// Back the archive up, list a backup, hold a restore drill / Sao lưu kho, diễn tập khôi phục
    Backup(backup::Backup),
    /// Bring an archive back from a backup / Khôi phục kho từ bản sao lưu
    Restore(restore::Restore),
    /// Ask the witnesses to cosign the newest checkpoint / Đề nghị bên chứng kiến ký
    Cosign(outsiders::Cosign),
    /// Ask the authorities to timestamp the newest checkpoint / Đề nghị cấp dấu thời gian
    Timestamp(outsiders::Timestamp),
    /// The signing key / Khóa ký
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Make another place the primary / Đưa bản nhân khác lên làm bản chính
    Promote(places::Promote),
    /// Shell completions / Gợi ý lệnh cho trình vỏ
    Completions { shell: clap_complete::Shell },
}

/// Why a command ended without doing its work; what is said of it here is said in both languages, because
/// the language may be what was not understood.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(
        "{0} / cấu hình không dùng được; sửa tệp cấu hình hoặc biến VANKHO_… rồi chạy lại / mend the file or the VANKHO_… variable, then run again"
    )]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] crate::http::serve::ServeError),
    #[error(transparent)]
    Exchange(#[from] crate::exchange::ExchangeError),
    #[error(transparent)]
    Remote(#[from] remote::RemoteError),
    #[error(
        "{path}: {source} / kiểm tra đường dẫn, quyền và ổ đĩa rồi chạy lại / check path, permission and disk, then run again"
    )]
    File { path: String, source: std::io::Error },
    #[error("{0}")]
    Usage(String),
    #[error("đã dừng; chạy lại lệnh này để tiếp tục / cancelled; run the same command again to go on")]
    Cancelled,
}

impl From<QuestionError> for CommandError {
    fn from(error: QuestionError) -> CommandError {
        CommandError::Usage(error.to_string())
    }
}

impl From<WitnessError> for CommandError {
    fn from(error: WitnessError) -> CommandError {
        match error {
            WitnessError::Disk { path, source } => CommandError::File { path: path.display().to_string(), source },
            error => CommandError::Usage(error.to_string()),
        }
    }
}

impl CommandError {
    /// What was asked cannot be done, and what can.
    fn usage(vi: String, en: String) -> CommandError {
        CommandError::Usage(format!("{vi} / {en}"))
    }
}

/// What every command is given.
struct Context {
    data: PathBuf,
    config: Config,
    screen: Screen,
    /// The server that is asked instead of the data folder.
    server: Option<Server>,
}

impl Context {
    async fn open(&self) -> Result<Archive, CommandError> {
        let (_bar, tell) = self.applying(self.screen.say("Bổ sung mục lục và chỉ mục", "Catching up"));
        Ok(Archive::open(&self.data, self.config.clone(), Clock::System, &tell).await?)
    }

    /// A bar for entries that are applied to catalog and index, and what moves it.
    fn applying(&self, what: &str) -> (Bar, impl Fn(u64) + Send + Sync + use<>) {
        // How many there are is asked of the newest checkpoint, for the eye alone: unverified, and behind the
        // ledger where the last run was killed.
        let note = std::fs::read_to_string(Folders::of(&self.data).archive.join(layout::CHECKPOINT));
        let size = note.ok().and_then(|note| Checkpoint::unverified(&note).ok()).map(|checkpoint| checkpoint.size);
        let bar = self.screen.counting(what, size);
        let moved = bar.clone();
        let tell = move |applied| match size {
            Some(size) => moved.set_of(applied, size),
            None => moved.set(applied),
        };
        (bar, tell)
    }
}

/// Parses, runs, answers the exit code.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let done = error.print();
            if error.use_stderr() {
                return ExitCode::from(3);
            }
            show::written(done.and_then(|()| std::io::stdout().flush()));
            return answered(ExitCode::SUCCESS);
        }
    };
    let config = match Config::read(arguments.config.as_deref(), std::env::vars()) {
        Ok(config) => config,
        Err(error) => return complain(&error.into()),
    };
    show::start_log(&config.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return complain(&CommandError::File { path: "runtime".into(), source }),
    };
    let screen = Screen::new(arguments.json, arguments.language);
    let server = match arguments.server.as_deref().map(Server::new).transpose() {
        Ok(server) => server,
        Err(error) => return complain(&error),
    };
    let context = Context { data: arguments.data, config, screen, server };
    let done = runtime.block_on(run(&context, arguments.command));
    // Readers of a component that hangs must not keep the program.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    answered(done.unwrap_or_else(|error| complain(&error)))
}

/// The exit code of a command, whose answer may have reached nobody.
fn answered(code: ExitCode) -> ExitCode {
    match show::lost() {
        Some(source) => complain(&CommandError::File { path: "stdout".into(), source }),
        None => code,
    }
}

/// What needs the disk, by its name.
fn only_here(command: &Command) -> Option<&'static str> {
    match command {
        Command::Init(_) => Some("init"),
        Command::Characterize(_) => Some("characterize"),
        Command::Verify(verify::Verify::Archive(_)) => Some("verify archive"),
        Command::Verify(verify::Verify::Ledger(_)) => Some("verify ledger"),
        Command::Actor(_) => Some("actor"),
        Command::Plan(_) => Some("plan"),
        Command::Backlog(_) => Some("backlog"),
        Command::Agency(_) => Some("agency"),
        Command::Serve(_) => Some("serve"),
        Command::Witness(_) => Some("witness"),
        Command::Rebuild => Some("rebuild"),
        Command::Heal(_) => Some("heal"),
        Command::Fixity(_) => Some("fixity"),
        Command::Backup(_) => Some("backup"),
        Command::Restore(_) => Some("restore"),
        Command::Promote(_) => Some("promote"),
        Command::Key(_) => Some("key"),
        Command::Cosign(_) => Some("cosign"),
        Command::Timestamp(_) => Some("timestamp"),
        Command::Ingest(_)
        | Command::Audit(_)
        | Command::Fonds(_)
        | Command::File(_)
        | Command::Schedule(_)
        | Command::Due(_)
        | Command::Hold(_)
        | Command::Case(_)
        | Command::Withdrawal(_)
        | Command::Secret(_)
        | Command::Search(_)
        | Command::Show(_)
        | Command::Describe(_)
        | Command::Move(_)
        | Command::Receipt(_)
        | Command::Export(_)
        | Command::Verify(_)
        | Command::Status
        | Command::Completions { .. } => None,
    }
}

async fn run(context: &Context, command: Command) -> Result<ExitCode, CommandError> {
    if let (Some(name), Some(_)) = (only_here(&command), &context.server) {
        return Err(reach::only_here(name));
    }
    match command {
        Command::Init(init) => init.run(context).await,
        Command::Ingest(ingest) => ingest.run(context).await,
        Command::Characterize(characterize) => characterize.run(context).await,
        Command::Search(search) => search.run(context).await,
        Command::Show(show) => show.run(context).await,
        Command::Describe(describe) => describe.run(context).await,
        Command::Move(into) => into.run(context).await,
        Command::Receipt(receipt) => receipt.run(context).await,
        Command::Export(export) => export.run(context).await,
        Command::Verify(verify) => verify.run(context).await,
        Command::Actor(actor) => actor.run(context).await,
        Command::Fonds(fonds) => fonds.run(context).await,
        Command::File(file) => file.run(context).await,
        Command::Plan(plan) => plan.run(context).await,
        Command::Backlog(backlog) => backlog.run(context).await,
        Command::Agency(agency) => agency.run(context).await,
        Command::Schedule(schedule) => schedule.run(context).await,
        Command::Due(due) => due.run(context).await,
        Command::Hold(hold) => hold.run(context).await,
        Command::Case(case) => case.run(context).await,
        Command::Withdrawal(withdrawal) => withdrawal.run(context).await,
        Command::Secret(secret) => secret.run(context).await,
        Command::Serve(serve) => serve.run(context).await,
        Command::Witness(witness) => witness.run(context).await,
        Command::Rebuild => place::rebuild(context).await,
        Command::Status => places::status(context).await,
        Command::Heal(heal) => heal.run(context).await,
        Command::Fixity(fixity) => fixity.run(context).await,
        Command::Audit(audit) => audit.run(context).await,
        Command::Backup(backup) => backup.run(context).await,
        Command::Restore(restore) => restore.run(context).await,
        Command::Promote(promote) => promote.run(context).await,
        Command::Key(key) => key.run(context).await,
        Command::Cosign(cosign) => cosign.run(context).await,
        Command::Timestamp(timestamp) => timestamp.run(context).await,
        Command::Completions { shell } => {
            // Into memory first: it does not expect that it cannot write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "vankho", &mut script);
            show::put(&script);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn complain(error: &CommandError) -> ExitCode {
    show::tell(&format!("vankho: {error}"));
    ExitCode::from(if matches!(error, CommandError::Usage(_) | CommandError::Config(_)) { 3 } else { 2 })
}

/// Ends when whoever runs the program has it end.
fn stopped() -> Result<impl Future<Output = ()> + Send, CommandError> {
    let file = |source| CommandError::File { path: "signals".into(), source };
    let mut end = signal(SignalKind::terminate()).map_err(file)?;
    Ok(async move {
        tokio::select! {
            _ = end.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}

/// Runs work until it ends or the operator presses Ctrl-C.
async fn or_cancelled<T, E: Into<CommandError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, CommandError> {
    tokio::select! {
        done = work => done.map_err(Into::into),
        _ = tokio::signal::ctrl_c() => Err(CommandError::Cancelled),
    }
}

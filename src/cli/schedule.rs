//! `vankho schedule`: retention schedules (bảng thời hạn lưu trữ) are imported, revised, approved, tried out and exported.

use crate::archive::Archive;
use crate::catalog::retention::KnownSchedule;
use crate::cli::{
    CommandError, Context,
    acting::{self, Undone, broken, by_password, line, operator, read_day, refused, token_says, told},
    heading::{self, Heading},
    reach::{Reach, no_schedule},
    remote::Server,
    show::Screen,
};
use crate::disposition;
use crate::exchange::{schedule, shipped};
use crate::record::{
    finding::Severity,
    id::ScheduleId,
    retention::{
        change::{Move, Totals},
        check::check,
        rules::Rules,
        schedule::{Class, Draft, Schedule},
    },
    term::ClassRef,
    unit::Kind,
};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

#[derive(Subcommand)]
pub enum ScheduleCommand {
    /// List every schedule / Danh sách bảng thời hạn lưu trữ
    List,
    /// Show a schedule and its classes / Xem bảng thời hạn lưu trữ
    Show(One),
    /// Read a table (TSV, CSV or Excel) into a new schedule / Nhập bảng thời hạn lưu trữ
    Import(Box<Import>),
    /// List the schedules that come with the program, or take one in / Bảng có sẵn trong phần mềm
    Shipped {
        /// The number of its source, as 10/2022/TT-BNV / Số văn bản
        name: Option<String>,
    },
    /// Draft the next version of a schedule / Soạn phiên bản tiếp theo
    Revise(Box<Revise>),
    /// Approve the newest version: a head, and not who drafted it / Phê duyệt
    Approve(Approve),
    /// What would move, if a table took the place of the classes / Thử thay đổi thời hạn
    Simulate {
        /// The schedule, or the number of its source / Bảng thời hạn
        schedule: String,
        /// The table / Tệp bảng
        file: PathBuf,
    },
    /// Print the classes as a table that can be imported again / Xuất bảng
    Export(One),
}

/// One schedule, or one version of it
#[derive(Args)]
pub struct One {
    /// The schedule, or the number of its source / Bảng thời hạn
    schedule: String,
    /// The number of a version; else the newest / Phiên bản số
    #[arg(long)]
    number: Option<u32>,
}

/// Read a table into a new schedule
#[derive(Args)]
pub struct Import {
    /// The table / Tệp bảng
    file: PathBuf,
    #[command(flatten)]
    heading: Heading,
}

/// Draft the next version; what is not told stays as it was
#[derive(Args)]
pub struct Revise {
    /// The schedule, or the number of its source / Bảng thời hạn
    schedule: String,
    /// The table of its classes; else they stay / Tệp bảng
    file: Option<PathBuf>,
    /// Every row was compared with the print / Đã đối chiếu đầy đủ
    #[arg(long, conflicts_with = "incomplete")]
    complete: bool,
    #[command(flatten)]
    heading: Heading,
}

/// Approve the newest version
#[derive(Args)]
pub struct Approve {
    /// The schedule, or the number of its source / Bảng thời hạn
    schedule: String,
    /// The number of the decision / Số quyết định
    #[arg(long)]
    decision: String,
    /// Its day / Ngày quyết định
    #[arg(long, value_name = "DAY")]
    on: String,
    /// The account of the head, whose password is asked for; with --server the token says who / Tài khoản người đứng đầu
    #[arg(long = "as", value_name = "NAME")]
    head: Option<String>,
}

/// A version as it is listed, here and by a server.
#[derive(Serialize, Deserialize)]
pub struct Version {
    pub schedule: ScheduleId,
    version: u32,
    title: String,
    /// The number of its legal source.
    pub source: Option<String>,
    from: String,
    until: Option<String>,
    incomplete: bool,
    approved: Option<String>,
    classes: u32,
    /// Do due dates follow from it? Told by a server.
    #[serde(default, skip_serializing)]
    rules: bool,
}

impl From<KnownSchedule> for Version {
    fn from(known: KnownSchedule) -> Version {
        let KnownSchedule { schedule, version, title, source, from, until, incomplete, approved, classes, .. } = known;
        Version { schedule, version, title, source, from, until, incomplete, approved, classes, rules: false }
    }
}

/// What a server says that a change would move.
#[derive(Deserialize)]
struct Simulated {
    totals: Totals,
    moves: Vec<Move>,
}

impl ScheduleCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let reach = context.reach().await?;
        let done = self.carried_out(context, &reach).await;
        reach.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, reach: &Reach) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        match self {
            ScheduleCommand::List => {
                let known: Vec<Version> = match reach {
                    Reach::Here(archive) => archive.catalog.schedules().await?.into_iter().map(Version::from).collect(),
                    Reach::There(server) => server.schedules().await?,
                };
                known.iter().for_each(|known| listed(screen, known));
                Ok(ExitCode::SUCCESS)
            }
            ScheduleCommand::Show(one) => {
                let (schedule, json) = one.read(reach).await?;
                let rules = match reach {
                    Reach::Here(archive) => archive.config.retention.clone(),
                    Reach::There(_) => Rules::default(),
                };
                Ok(shown(screen, &schedule, &json, &rules))
            }
            ScheduleCommand::Export(one) => {
                let (schedule, json) = one.read(reach).await?;
                screen.answer(|| json, || schedule::to_text(&schedule.classes).trim_end().to_owned());
                Ok(ExitCode::SUCCESS)
            }
            ScheduleCommand::Import(import) => {
                let Some(classes) = read_table(context, &import.file).await? else { return Ok(ExitCode::from(1)) };
                let draft = import.heading.draft(None, classes)?;
                match reach {
                    Reach::Here(archive) => {
                        told(screen, disposition::open_schedule(archive, &operator(archive), draft).await)
                    }
                    Reach::There(server) => told(screen, handed(server, "api/v1/schedules", &draft).await),
                }
            }
            ScheduleCommand::Shipped { name } => match reach {
                Reach::Here(archive) => taken(screen, archive, name.as_deref()).await,
                Reach::There(server) => taken_there(screen, server, name.as_deref()).await,
            },
            ScheduleCommand::Revise(revise) => revise.carried_out(context, reach).await,
            ScheduleCommand::Approve(approve) => approve.carried_out(context, reach).await,
            ScheduleCommand::Simulate { schedule, file } => {
                let id = reach.schedule(&schedule).await?;
                let Some(classes) = read_table(context, &file).await? else { return Ok(ExitCode::from(1)) };
                let change = match reach {
                    Reach::Here(archive) => disposition::simulate(archive, id, &classes)
                        .await
                        .map(|change| Simulated { totals: change.totals(), moves: change.moves() })
                        .map_err(Undone::from),
                    Reach::There(server) => {
                        let post = server.post(&format!("api/v1/schedules/{id}/simulate"));
                        server.once_json(post.json(&json!({"classes": classes}))).await.map_err(Undone::from)
                    }
                };
                match change {
                    Ok(change) => Ok(moved(screen, &change)),
                    Err(error) => refused(screen, error),
                }
            }
        }
    }
}

impl One {
    /// The version, and as it is shown for scripts.
    async fn read(&self, reach: &Reach) -> Result<(Arc<Schedule>, Value), CommandError> {
        let id = reach.schedule(&self.schedule).await?;
        version(reach, id, self.number).await?.ok_or_else(|| no_schedule(&self.schedule))
    }
}

/// A version of a schedule, else the newest; and as it is shown for scripts.
async fn version(
    reach: &Reach,
    id: ScheduleId,
    number: Option<u32>,
) -> Result<Option<(Arc<Schedule>, Value)>, CommandError> {
    match reach {
        Reach::Here(archive) => {
            let read = match number {
                Some(version) => disposition::version(archive, id, version).await,
                None => disposition::schedule(archive, id).await,
            };
            Ok(read.map_err(broken)?.map(|(schedule, _)| (schedule.clone(), json!(*schedule))))
        }
        Reach::There(server) => {
            let number = match number {
                Some(number) => Some(number),
                None => versions(server, id).await?.last().map(|one| one.version),
            };
            let Some(number) = number else { return Ok(None) };
            let question = server.get(&format!("api/v1/schedules/{id}/versions/{number}"));
            let shown = server.member(question, "schedule").await?;
            Ok(Some((Arc::new(server.kept(&shown)?), shown)))
        }
    }
}

/// The versions of a schedule, the oldest first.
async fn versions(server: &Server, id: ScheduleId) -> Result<Vec<Version>, CommandError> {
    Ok(server.all(&format!("api/v1/schedules/{id}"), "schedules").await?)
}

/// Hands a draft over to a server: its classes as a table, its head in the address. What is wrong with the table was told.
async fn handed(server: &Server, path: &str, draft: &Draft) -> Result<acting::Told, Undone> {
    let table = server.post(path).query(&heading::told(draft)).body(schedule::to_text(&draft.classes));
    let told = server.act(Kind::Schedule, table).await?;
    Ok(acting::Told { flaws: None, ..told })
}

impl Approve {
    async fn carried_out(self, context: &Context, reach: &Reach) -> Result<ExitCode, CommandError> {
        let Approve { schedule, decision, on, head } = self;
        let (id, on) = (reach.schedule(&schedule).await?, read_day(&on)?);
        match (reach, head) {
            (Reach::Here(archive), Some(head)) => {
                let head = by_password(context, archive, &head).await?;
                told(&context.screen, disposition::approve_schedule(archive, &head, id, &decision, on).await)
            }
            (Reach::Here(_), None) => Err(CommandError::usage(
                "thiếu tài khoản người đứng đầu; ghi --as TÊN_TÀI_KHOẢN".into(),
                "the account of the head is missing; give --as NAME".into(),
            )),
            (Reach::There(_), Some(_)) => Err(token_says()),
            (Reach::There(server), None) => {
                let (path, body) = (format!("api/v1/schedules/{id}/approve"), json!({"decision": decision, "on": on}));
                told(&context.screen, server.act_with(Kind::Schedule, &path, &body).await)
            }
        }
    }
}

impl Revise {
    async fn carried_out(self, context: &Context, reach: &Reach) -> Result<ExitCode, CommandError> {
        let one = One { schedule: self.schedule, number: None };
        let (before, _) = one.read(reach).await?;
        let classes = match &self.file {
            Some(file) => match read_table(context, file).await? {
                Some(classes) => classes,
                None => return Ok(ExitCode::from(1)),
            },
            None => before.classes.clone(),
        };
        let draft = self.heading.draft(Some(&before), classes)?;
        let draft = Draft { incomplete: draft.incomplete && !self.complete, ..draft };
        let (screen, id) = (&context.screen, before.schedule);
        match reach {
            Reach::Here(archive) => {
                told(screen, disposition::revise_schedule(archive, &operator(archive), id, draft).await)
            }
            Reach::There(server) => {
                told(screen, handed(server, &format!("api/v1/schedules/{id}/versions"), &draft).await)
            }
        }
    }
}

/// A class as a description names it, and what it says: of the version that rules, else of the newest.
pub async fn class(reach: &Reach, typed: &str, class: &str) -> Result<(ClassRef, Class), CommandError> {
    let id = reach.schedule(typed).await?;
    let ruling = match reach {
        Reach::Here(archive) => archive.catalog.ruling(id).await?.map(|known| known.version),
        Reach::There(server) => versions(server, id).await?.iter().find(|one| one.rules).map(|one| one.version),
    };
    for number in ruling.map(Some).into_iter().chain([None]) {
        let Some((version, _)) = version(reach, id, number).await? else { continue };
        if let Some(says) = version.class(class) {
            return Ok((ClassRef { schedule: id, version: version.version, class: class.into() }, says.clone()));
        }
    }
    Err(CommandError::usage(
        format!("bảng thời hạn lưu trữ không có mục {class}; xem vankho schedule show {typed}"),
        format!("the schedule has no class {class}; see vankho schedule show {typed}"),
    ))
}

/// Reads a table and tells what is wrong with it; `None` where that stops it.
async fn read_table(context: &Context, path: &Path) -> Result<Option<Vec<Class>>, CommandError> {
    let file = |source| CommandError::File { path: path.display().to_string(), source };
    let bytes = tokio::fs::read(path).await.map_err(file)?;
    let reading = schedule::read(Path::new("/proc/self/exe"), &bytes, &context.config.content).await;
    let imported = reading.map_err(|error| CommandError::Usage(error.to_string()))?;
    for flaw in &imported.flaws {
        context.screen.answer(|| json!({"flaw": flaw}), || line(&context.screen, flaw));
    }
    let stops = imported.flaws.iter().any(|flaw| flaw.severity == Severity::Error);
    Ok((!stops).then_some(imported.classes))
}

/// The schedules that come with the program; with a name one of them is taken in.
async fn taken(screen: &Screen, archive: &Archive, name: Option<&str>) -> Result<ExitCode, CommandError> {
    let drafts = shipped::schedules().map_err(|error| CommandError::Usage(error.to_string()))?;
    let number = |draft: &Draft| draft.source.as_ref().map(|source| source.number.clone()).unwrap_or_default();
    if let Some(name) = name {
        let draft = drafts.into_iter().find(|draft| number(draft) == name.trim()).ok_or_else(|| no_schedule(name))?;
        return told(screen, disposition::open_schedule(archive, &operator(archive), draft).await);
    }
    for draft in &drafts {
        let (number, classes) = (number(draft), draft.classes.len());
        screen.answer(
            || json!({"source": number, "title": draft.title, "from": draft.from, "until": draft.until, "classes": classes}),
            || format!("{number}\t{}\t{classes}", draft.title),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A schedule that comes with the program of a server.
#[derive(Deserialize)]
struct Shipped {
    number: usize,
    title: String,
    source: Option<String>,
    from: String,
    until: Option<String>,
    classes: usize,
}

/// The same at a server, whose program may bring others.
async fn taken_there(screen: &Screen, server: &Server, name: Option<&str>) -> Result<ExitCode, CommandError> {
    let shipped: Vec<Shipped> = server.all("api/v1/schedules/shipped", "shipped").await?;
    if let Some(name) = name {
        let meant = shipped.iter().find(|one| one.source.as_deref() == Some(name.trim()));
        let path = format!("api/v1/schedules/shipped/{}", meant.ok_or_else(|| no_schedule(name))?.number);
        return told(screen, server.act_with(Kind::Schedule, &path, &json!({})).await);
    }
    for Shipped { title, source, from, until, classes, .. } in &shipped {
        let source = source.as_deref().unwrap_or_default();
        screen.answer(
            || json!({"source": source, "title": title, "from": from, "until": until, "classes": classes}),
            || format!("{source}\t{title}\t{classes}"),
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(screen: &Screen, known: &Version) {
    let Version { schedule, version, title, source, incomplete, approved, classes, .. } = known;
    screen.answer(
        || json!(known),
        || {
            let state = state(screen, approved.is_some(), *incomplete);
            let source = source.as_deref().unwrap_or("–");
            format!("{schedule}\t{source}\tv{version}\t{title}\t{classes}\t{state}")
        },
    );
}

fn state(screen: &Screen, approved: bool, incomplete: bool) -> &'static str {
    match (approved, incomplete) {
        (_, true) => screen.say("chưa đầy đủ", "incomplete"),
        (true, false) => screen.say("đã phê duyệt", "approved"),
        (false, false) => screen.say("chưa phê duyệt", "not approved"),
    }
}

fn shown(screen: &Screen, schedule: &Schedule, json: &Value, rules: &Rules) -> ExitCode {
    let flaws = check(schedule, rules);
    screen.answer(
        || json!({"schedule": json, "flaws": flaws}),
        || {
            let state = state(screen, schedule.approved.is_some(), schedule.incomplete);
            let mut lines = vec![format!("{}\tv{}\t{state}", schedule.title, schedule.version)];
            lines.extend(schedule.classes.iter().map(|class| {
                let subtitle = class.subtitle.as_ref().map(|subtitle| format!(" – {subtitle}")).unwrap_or_default();
                let (vi, en) = (class.period.vi(), class.period.en());
                let period = if screen.say("vi", "en") == "vi" { vi } else { en };
                let action = screen.say(class.action.vi(), class.action.en());
                format!("  {}\t{}{subtitle}\t{period}\t{action}", class.code, class.title)
            }));
            lines.extend(flaws.iter().map(|flaw| line(screen, flaw)));
            lines.join("\n")
        },
    );
    ExitCode::SUCCESS
}

/// What a simulation came to: the groups that move, then the totals.
fn moved(screen: &Screen, Simulated { totals, moves }: &Simulated) -> ExitCode {
    for group in moves {
        screen.answer(
            || json!(group),
            || {
                let (before, after) = (group.before, group.after);
                format!("{}\t{before} → {after}\t{}\t{} byte", group.class_before, group.records, group.bytes)
            },
        );
    }
    screen.answer(
        || json!({"totals": totals}),
        || {
            let rows = [
                (screen.say("Đã xem", "Seen"), totals.seen),
                (screen.say("Thay đổi", "Moved"), totals.moved),
                (screen.say("Sớm hơn", "Earlier"), totals.earlier),
                (screen.say("Muộn hơn", "Later"), totals.later),
                (screen.say("Hết thời hạn ngay", "Due at once"), totals.due_at_once),
                (screen.say("Không còn hết thời hạn", "Due no more"), totals.due_no_more),
            ];
            rows.map(|(name, tally)| format!("{name}: {} ({} byte)", tally.records, tally.bytes)).join("\n")
        },
    );
    ExitCode::SUCCESS
}

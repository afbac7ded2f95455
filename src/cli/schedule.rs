//! `vankho schedule`: retention schedules (bảng thời hạn lưu trữ) are imported, revised, approved, tried out and exported.

use crate::archive::Archive;
use crate::catalog::retention::KnownSchedule;
use crate::cli::{
    CommandError, Context,
    disposed::{acting, broken, found, line, operator, read_day, refused, told},
    fonds::read_date,
    show::Screen,
};
use crate::disposition;
use crate::exchange::{schedule, shipped};
use crate::record::{
    finding::Severity,
    id::ScheduleId,
    retention::{
        change::Change,
        check::check,
        rules::Rules,
        schedule::{Class, Draft, LegalSource, Schedule},
    },
    term::ClassRef,
};
use clap::{Args, Subcommand};
use serde_json::json;
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

/// What a table of classes does not say
#[derive(Args, Default)]
struct Heading {
    /// Its title / Tên bảng
    #[arg(long)]
    title: Option<String>,
    /// The number of the legal text / Số văn bản
    #[arg(long, value_name = "NUMBER")]
    source: Option<String>,
    /// What the legal text is called / Tên văn bản
    #[arg(long, value_name = "TITLE")]
    source_title: Option<String>,
    /// Who issued it, and when / Cơ quan ban hành, ngày ban hành
    #[arg(long)]
    agency: Option<String>,
    #[arg(long, value_name = "DATE")]
    issued: Option<String>,
    /// The first day on which it is in force / Ngày có hiệu lực
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The first day on which it is not any more / Ngày hết hiệu lực
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// Rows are missing or not compared with the print: nothing can be destroyed by it / Chưa đầy đủ
    #[arg(long)]
    incomplete: bool,
    /// What is to be known of it / Ghi chú
    #[arg(long)]
    note: Option<String>,
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
    /// The account of the head, whose password is asked for / Tài khoản người đứng đầu
    #[arg(long = "as", value_name = "NAME")]
    head: String,
}

impl ScheduleCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = self.carried_out(context, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let (screen, who) = (&context.screen, operator(archive));
        match self {
            ScheduleCommand::List => {
                let known = archive.catalog.schedules().await?;
                known.iter().for_each(|known| listed(screen, known));
                Ok(ExitCode::SUCCESS)
            }
            ScheduleCommand::Show(one) => Ok(shown(screen, &*one.read(archive).await?, &archive.config.retention)),
            ScheduleCommand::Export(one) => {
                let schedule = one.read(archive).await?;
                screen.answer(|| json!(*schedule), || schedule::to_text(&schedule.classes).trim_end().to_owned());
                Ok(ExitCode::SUCCESS)
            }
            ScheduleCommand::Import(import) => {
                let Some(classes) = read_table(context, &import.file).await? else { return Ok(ExitCode::from(1)) };
                let draft = import.heading.draft(None, classes)?;
                told(screen, disposition::open_schedule(archive, &who, draft).await)
            }
            ScheduleCommand::Shipped { name } => taken(screen, archive, name.as_deref()).await,
            ScheduleCommand::Revise(revise) => revise.carried_out(context, archive).await,
            ScheduleCommand::Approve(Approve { schedule, decision, on, head }) => {
                let id = named(archive, &schedule).await?;
                let head = acting(context, archive, &head).await?;
                told(screen, disposition::approve_schedule(archive, &head, id, &decision, read_day(&on)?).await)
            }
            ScheduleCommand::Simulate { schedule, file } => {
                let id = named(archive, &schedule).await?;
                let Some(classes) = read_table(context, &file).await? else { return Ok(ExitCode::from(1)) };
                match disposition::simulate(archive, id, &classes).await {
                    Ok(change) => Ok(moved(screen, &change)),
                    Err(error) => refused(screen, error),
                }
            }
        }
    }
}

impl One {
    async fn read(&self, archive: &Archive) -> Result<Arc<Schedule>, CommandError> {
        let id = named(archive, &self.schedule).await?;
        let read = match self.number {
            Some(version) => disposition::version(archive, id, version).await,
            None => disposition::schedule(archive, id).await,
        };
        let read = read.map_err(broken)?.map(|(schedule, _)| schedule);
        read.ok_or_else(|| unknown(&self.schedule))
    }
}

impl Revise {
    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let one = One { schedule: self.schedule, number: None };
        let before = one.read(archive).await?;
        let classes = match &self.file {
            Some(file) => match read_table(context, file).await? {
                Some(classes) => classes,
                None => return Ok(ExitCode::from(1)),
            },
            None => before.classes.clone(),
        };
        let draft = self.heading.draft(Some(&before), classes)?;
        let draft = Draft { incomplete: draft.incomplete && !self.complete, ..draft };
        let revised = disposition::revise_schedule(archive, &operator(archive), before.schedule, draft).await;
        told(&context.screen, revised)
    }
}

impl Heading {
    /// The draft; what is not told is as it was before. A source of which only a part is known is one with flaws.
    fn draft(self, before: Option<&Schedule>, classes: Vec<Class>) -> Result<Draft, CommandError> {
        let was = before.and_then(|before| before.source.clone());
        let issued = self.issued.as_deref().map(read_date).transpose()?;
        let was_told = |told: Option<String>, was: fn(&LegalSource) -> &String, source: &Option<LegalSource>| {
            told.or_else(|| source.as_ref().map(|source| was(source).clone())).unwrap_or_default()
        };
        let source = issued.or(was.as_ref().map(|source| source.issued)).map(|issued| LegalSource {
            number: was_told(self.source, |source| &source.number, &was),
            title: was_told(self.source_title, |source| &source.title, &was),
            issued,
            agency: was_told(self.agency, |source| &source.agency, &was),
        });
        let from = self.from.as_deref().map(read_day).transpose()?.or(before.map(|before| before.from));
        let from = from.ok_or_else(|| {
            CommandError::usage(
                "thiếu ngày có hiệu lực; ghi --from NGÀY".into(),
                "the first day in force is missing; give --from DAY".into(),
            )
        })?;
        let until = self.until.as_deref().map(read_day).transpose()?.or(before.and_then(|before| before.until));
        Ok(Draft {
            title: self.title.or(before.map(|before| before.title.clone())).unwrap_or_default(),
            source,
            from,
            until,
            incomplete: self.incomplete || before.is_some_and(|before| before.incomplete),
            note: self.note.or(before.and_then(|before| before.note.clone())),
            classes,
        })
    }
}

fn unknown(typed: &str) -> CommandError {
    CommandError::usage(
        format!("không có bảng thời hạn lưu trữ {typed}; xem vankho schedule list"),
        format!("there is no schedule {typed}; see vankho schedule list"),
    )
}

/// The schedule that is meant: by its identifier, or by the number of its source where only one has it.
pub async fn named(archive: &Archive, typed: &str) -> Result<ScheduleId, CommandError> {
    let known = archive.catalog.schedules().await?;
    let meant =
        |known: &&KnownSchedule| known.schedule.to_string() == typed || known.source.as_deref() == Some(typed.trim());
    match &known.iter().filter(meant).collect::<Vec<_>>()[..] {
        [one] => Ok(one.schedule),
        _ => Err(unknown(typed)),
    }
}

/// A class as a description names it, and what it says: of the version that rules, else of the newest.
pub async fn class(archive: &Archive, typed: &str, class: &str) -> Result<(ClassRef, Class), CommandError> {
    let id = named(archive, typed).await?;
    let ruling = match archive.catalog.ruling(id).await? {
        Some(known) => disposition::version(archive, id, known.version).await.map_err(broken)?,
        None => None,
    };
    let newest = disposition::schedule(archive, id).await.map_err(broken)?;
    for (version, _) in [ruling, newest].into_iter().flatten() {
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
    imported.flaws.iter().for_each(|flaw| found(&context.screen, flaw));
    let stops = imported.flaws.iter().any(|flaw| flaw.severity == Severity::Error);
    Ok((!stops).then_some(imported.classes))
}

/// The schedules that come with the program; with a name one of them is taken in.
async fn taken(screen: &Screen, archive: &Archive, name: Option<&str>) -> Result<ExitCode, CommandError> {
    let drafts = shipped::schedules().map_err(|error| CommandError::Usage(error.to_string()))?;
    let number = |draft: &Draft| draft.source.as_ref().map(|source| source.number.clone()).unwrap_or_default();
    if let Some(name) = name {
        let draft = drafts.into_iter().find(|draft| number(draft) == name.trim()).ok_or_else(|| unknown(name))?;
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

fn listed(screen: &Screen, known: &KnownSchedule) {
    let KnownSchedule { schedule, version, title, source, from, until, incomplete, approved, classes, .. } = known;
    screen.answer(
        || {
            json!({"schedule": schedule, "version": version, "title": title, "source": source, "from": from,
                "until": until, "incomplete": incomplete, "approved": approved, "classes": classes})
        },
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

fn shown(screen: &Screen, schedule: &Schedule, rules: &Rules) -> ExitCode {
    let flaws = check(schedule, rules);
    screen.answer(
        || json!({"schedule": schedule, "flaws": flaws}),
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
fn moved(screen: &Screen, change: &Change) -> ExitCode {
    for group in change.moves() {
        screen.answer(
            || json!(group),
            || {
                let (before, after) = (group.before, group.after);
                format!("{}\t{before} → {after}\t{}\t{} byte", group.class_before, group.records, group.bytes)
            },
        );
    }
    let totals = change.totals();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::retention::{flaw::FlawCode, schedule::tests::example};

    /// What is not told stays as it was; a new schedule needs its first day, and lacks a source where none is told.
    #[test]
    fn what_a_heading_says_and_what_it_leaves() {
        let before = example();
        let kept = Heading::default().draft(Some(&before), before.classes.clone()).unwrap();
        let same = kept.first_version(before.schedule, before.salt.clone());
        let expected = Schedule { version: 1, replaces: None, approved: None, ..before.clone() };
        assert_eq!(same, expected);
        let told = Heading {
            title: Some("Bảng mới".into()),
            source: Some("9/2027/TT-BNV".into()),
            from: Some("01/01/2028".into()),
            until: Some("01/01/2030".into()),
            incomplete: true,
            ..Heading::default()
        };
        let draft = told.draft(Some(&before), Vec::new()).unwrap();
        let source = draft.source.unwrap();
        let was = before.source.clone().unwrap();
        assert_eq!((source.number.as_str(), source.issued, &source.agency), ("9/2027/TT-BNV", was.issued, &was.agency));
        assert_eq!(
            (draft.from.to_string().as_str(), draft.until.is_some(), draft.incomplete),
            ("2028-01-01", true, true)
        );
        assert!(Heading::default().draft(None, Vec::new()).is_err());
        let bare = Heading { from: Some("01/01/2028".into()), ..Heading::default() };
        let bare = bare.draft(None, before.classes.clone()).unwrap().first_version(before.schedule, before.salt);
        let flaws: Vec<FlawCode> = check(&bare, &Rules::default()).iter().map(|flaw| flaw.code).collect();
        assert_eq!(flaws, [FlawCode::NoTitle, FlawCode::NoSource]);
    }
}

//! `vankho backup`: into a backup; what is in one; a restore drill.

use crate::archive::{
    ArchiveError, Clock,
    keep::random,
    place::{DESK, Folders},
};
use crate::backup::{
    self, How, Source,
    drill::{self, Drilling},
    runs,
};
use crate::cli::{CommandError, Context, or_cancelled, show::Screen};
use crate::desk::Desk;
use crate::record::{
    backup::{Drill, Part, Remembered, Run},
    id::ActorId,
};
use crate::store::{Place, Store, layout::without_digests};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Back the archive up, with desk and keys; run again, it brings what is new
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Backup {
    #[command(subcommand)]
    what: Option<What>,
    /// A folder on another disk, or an address as in storage.places [default: backup.to]
    #[arg(value_name = "TO")]
    to: Option<String>,
    /// Leave the signing key out: it is kept apart
    #[arg(long)]
    without_keys: bool,
    /// Read everything in the backup again, and write anew what is not as it should be
    #[arg(long)]
    verify_all: bool,
    /// The place was filled before and is empty now: begin anew there
    #[arg(long)]
    anew: bool,
}

#[derive(Subcommand)]
enum What {
    /// What a backup holds, run by run / Liệt kê các lần sao lưu
    List(ListOf),
    /// Bring records picked at random back from a backup, and sign a report of it / Diễn tập khôi phục
    Drill(DrillOf),
}

/// Which backup
#[derive(Args)]
struct ListOf {
    /// The folder or address of the backup [default: backup.to]
    #[arg(value_name = "BACKUP")]
    from: Option<String>,
}

/// A restore drill
#[derive(Args)]
struct DrillOf {
    /// The folder or address of the backup [default: backup.to]
    #[arg(value_name = "BACKUP")]
    from: Option<String>,
    /// Records that are brought back [default: backup.drill_records]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    records: Option<u32>,
    /// Write the signed report into this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Backup {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        match self.what {
            Some(What::List(ListOf { from })) => list(context, &place(context, from)?).await,
            Some(What::Drill(drill)) => drill.run(context).await,
            None => {
                let to = place(context, self.to.clone())?;
                self.make(context, &to).await
            }
        }
    }

    async fn make(self, context: &Context, to: &Place) -> Result<ExitCode, CommandError> {
        let (screen, wanted) = (&context.screen, &context.config.backup);
        let folders = Folders::of(&context.data);
        let store = backup::beside(&context.data, &context.config).await?;
        backup::refuse_inside(to, &context.data, &store)?;
        let desk = opened(&folders).await?;
        let mut remembered = remembered(&desk).await?;
        let by = operator(&desk).await?;
        let secret = (wanted.keys && !self.without_keys).then_some(folders.secret.as_path());
        let source = Source { store: &store, desk: Some(&folders.desk), secret, by };
        let known = !self.anew && remembered.last.as_ref().is_some_and(|last| last.to == to.name());
        let bytes_per_second_max = wanted.bytes_per_second_max;
        let how = How { verify_all: self.verify_all, known, bytes_per_second_max };
        let bar = screen.counting(screen.say("Sao lưu", "Backing up"), Some(0));
        let moved = bar.clone();
        let tell = move |done, of| moved.set_of(done, of);
        let made = or_cancelled(backup::run(&source, to, how, &Clock::System, &tell)).await;
        bar.finish();
        match &made {
            Ok(run) => (remembered.last, remembered.why) = (Some(backup::last(run, to)), None),
            Err(CommandError::Cancelled) => {}
            Err(error) => remembered.why = Some(error.to_string()),
        }
        remember(desk, &remembered).await?;
        let run = made?;
        screen.answer(|| json!({"to": to.name(), "run": run}), || text(screen, to, &run));
        Ok(ExitCode::from(u8::from(!run.not_carried.is_empty())))
    }
}

/// Where a backup is; a relative folder lies where the command is called.
pub fn place(context: &Context, named: Option<String>) -> Result<Place, CommandError> {
    let (address, above) = match named {
        Some(address) => (address, PathBuf::from(".")),
        None => (context.config.backup.to.clone(), context.data.clone()),
    };
    if address.is_empty() {
        return Err(CommandError::usage(
            "cho biết nơi sao lưu: vankho backup NƠI, hoặc đặt backup.to".into(),
            "say where the backup is: vankho backup TO, or set backup.to".into(),
        ));
    }
    let above = std::path::absolute(&above).unwrap_or(above);
    // As it is told and remembered, wherever the command was called.
    let folder = |rest: &str| std::path::absolute(above.join(rest)).map(|path| path.display().to_string());
    let address = match address.contains("://") {
        true => address,
        false => folder(&address).map_err(|source| CommandError::File { path: address.clone(), source })?,
    };
    Ok(Place::by_address(&address, &above).map_err(ArchiveError::from)?)
}

/// The desk, where there is one: a backup does not make one.
async fn opened(folders: &Folders) -> Result<Option<Desk>, CommandError> {
    let file = folders.desk.join(DESK);
    match file.exists() {
        true => Ok(Some(Desk::open(Some(&file)).await.map_err(ArchiveError::from)?)),
        false => Ok(None),
    }
}

async fn remembered(desk: &Option<Desk>) -> Result<Remembered, CommandError> {
    match desk {
        Some(desk) => Ok(desk.backups().await.map_err(ArchiveError::from)?),
        None => Ok(Remembered::default()),
    }
}

async fn operator(desk: &Option<Desk>) -> Result<Option<ActorId>, CommandError> {
    let Some(desk) = desk else { return Ok(None) };
    let new = ActorId::new(Clock::System.now().millis(), random()?);
    Ok(Some(desk.operator(new).await.map_err(ArchiveError::from)?))
}

async fn remember(desk: Option<Desk>, remembered: &Remembered) -> Result<(), CommandError> {
    let Some(desk) = desk else { return Ok(()) };
    desk.set_backups(remembered).await.map_err(ArchiveError::from)?;
    desk.close().await;
    Ok(())
}

fn text(screen: &Screen, to: &Place, run: &Run) -> String {
    let Run { number, entries, objects, bytes, .. } = run;
    let name = to.name();
    let mut lines = vec![match screen.say("vi", "en") {
        "vi" => {
            format!("Đã sao lưu vào {name} (lần {number}): {entries} sự kiện, ghi mới {objects} tệp, {bytes} byte")
        }
        _ => {
            format!("Backed up to {name} (run {number}): {entries} entries, {objects} objects written, {bytes} bytes")
        }
    }];
    lines.push(match (run.desk.is_some(), run.keys.is_empty()) {
        (true, false) => screen.say(
            "Trong đó có: kho, bàn làm việc và KHÓA KÝ. Ai đọc được nó thì ký được thay kho: giữ kín như secret/.",
            "In it: the archive, the desk and the SIGNING KEY. Who reads it can sign for the archive: guard it as secret/.",
        ),
        (true, true) => screen.say(
            "Trong đó có: kho và bàn làm việc; KHÔNG có khóa ký. Sao lưu riêng secret/ trên phương tiện khác.",
            "In it: the archive and the desk, WITHOUT the signing key. Back secret/ up by itself, on another medium.",
        ),
        (false, false) => screen.say(
            "Trong đó có: kho và KHÓA KÝ; không có bàn làm việc (desk/ không có). Giữ kín như secret/.",
            "In it: the archive and the SIGNING KEY, without a desk (there is none). Guard it as secret/.",
        ),
        (false, true) => screen.say(
            "Trong đó có: kho; không có bàn làm việc và khóa ký.",
            "In it: the archive, without desk and signing key.",
        ),
    }.to_owned());
    lines.extend(run.not_carried.iter().map(|lacking| {
        let what = screen.say(
            "KHÔNG sao lưu được: không nơi lưu nào còn bản đúng; chạy vankho fixity",
            "NOT carried: no place has it as it was kept; run vankho fixity",
        );
        format!("{}: {what}", without_digests(&lacking.path))
    }));
    lines.join("\n")
}

async fn list(context: &Context, from: &Place) -> Result<ExitCode, CommandError> {
    let screen = &context.screen;
    let all = runs::all(from).await?;
    if all.is_empty() {
        runs::newest(from).await?;
    }
    for run in &all {
        screen.answer(|| json!(run), || line(screen, run));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(screen: &Screen, run: &Run) -> String {
    let Run { number, began, ended, entries, objects, bytes, .. } = run;
    let keys = match run.keys.is_empty() {
        true => screen.say("không kèm khóa", "without keys"),
        false => screen.say("kèm khóa ký", "with the signing key"),
    };
    let lacking = run.not_carried.len();
    match screen.say("vi", "en") {
        "vi" => format!(
            "{number}: {began} – {ended}, {entries} sự kiện, ghi mới {objects} tệp ({bytes} byte), {keys}, {lacking} tệp không sao lưu được"
        ),
        _ => format!(
            "{number}: {began} – {ended}, {entries} entries, {objects} objects written ({bytes} bytes), {keys}, {lacking} not carried"
        ),
    }
}

impl DrillOf {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (screen, wanted) = (&context.screen, &context.config.backup);
        let from = place(context, self.from)?;
        let folders = Folders::of(&context.data);
        let store: Store = backup::beside(&context.data, &context.config).await?;
        let desk = opened(&folders).await?;
        let by = operator(&desk).await?;
        let records = u64::from(self.records.unwrap_or(wanted.drill_records));
        let bytes_per_second_max = wanted.bytes_per_second_max;
        let drilling = Drilling { from: &from, store: &store, folders: &folders, by, records, bytes_per_second_max };
        let bar = screen.counting(screen.say("Diễn tập khôi phục", "Drilling"), Some(0));
        let moved = bar.clone();
        let tell = move |done, of| moved.set_of(done, of);
        let (drill, report) = or_cancelled(drilling.run(&Clock::System, &tell)).await?;
        bar.finish();
        let mut remembered = remembered(&desk).await?;
        (remembered.drill, remembered.drill_why) = (Some(drill::last(&drill, &report)), None);
        remember(desk, &remembered).await?;
        if let Some(path) = &self.report {
            write(path, &report)?;
        }
        screen.answer(|| json!({"drill": drill, "report": report}), || told(screen, &drill));
        Ok(ExitCode::from(u8::from(!drill.passed)))
    }
}

fn write(path: &Path, report: &str) -> Result<(), CommandError> {
    let failed = |source| CommandError::File { path: path.display().to_string(), source };
    std::fs::write(path, report).map_err(failed)
}

/// What a drill came to, for people.
pub fn told(screen: &Screen, drill: &Drill) -> String {
    let Drill { run, entries, nonce, faults, records, .. } = drill;
    let (picked, began) = (drill.drilled.len(), drill.run_began);
    let bytes: u64 = drill.drilled.iter().map(|one| one.bytes).sum();
    let mut lines = vec![match screen.say("vi", "en") {
        "vi" => format!(
            "Bản sao lưu lần {run} ({began}): {entries} sự kiện đã đối chiếu, khôi phục thử {picked}/{records} tài liệu, {bytes} byte, {faults} lỗi"
        ),
        _ => format!(
            "Run {run} ({began}): {entries} entries compared, {picked} of {records} records brought back, {bytes} bytes, {faults} faults"
        ),
    }];
    for one in drill.drilled.iter().filter(|one| !one.faults.is_empty()) {
        for fault in &one.faults {
            lines.push(format!("{} #{}: {}", one.record, fault.component, json!(fault.fault).as_str().unwrap_or("")));
        }
    }
    for (part, vi, en) in [(drill.desk, "bàn làm việc", "the desk"), (drill.keys, "khóa ký", "the signing key")] {
        let found = match part {
            Part::Whole => continue,
            Part::Damaged => screen.say("HỎNG hoặc mất", "DAMAGED or gone"),
            Part::Apart => screen.say("không có trong bản sao lưu này", "not in this backup"),
        };
        lines.push(format!("{}: {found}", if screen.say("vi", "en") == "vi" { vi } else { en }));
    }
    let number = screen.say("Số ngẫu nhiên", "Nonce");
    lines.push(format!("{number}: {nonce}"));
    lines.push(
        match drill.passed {
            true => screen.say("ĐẠT: khôi phục được từ bản sao lưu này", "PASSED: this backup can be restored"),
            false => screen.say(
                "KHÔNG ĐẠT: chạy vankho backup --verify-all, hoặc sao lưu vào nơi khác, rồi diễn tập lại",
                "NOT PASSED: run vankho backup --verify-all, or back up elsewhere, then hold another drill",
            ),
        }
        .to_owned(),
    );
    lines.join("\n")
}

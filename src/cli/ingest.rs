//! `vankho ingest`: a folder or a manifest into the archive, a receipt a row.

use crate::archive::Archive;
use crate::cli::{
    CommandError, Context, characterize, or_cancelled,
    remote::handing::Handing,
    show::{Bar, Screen},
};
use crate::exchange::{self, Packages, Progress};
use crate::ingest::{self, Fate, Outcome};
use crate::record::finding::{Finding, Severity};
use clap::Args;
use futures::{Stream, stream};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::sync::mpsc;

/// Take in a folder or a manifest of documents
#[derive(Args)]
pub struct Ingest {
    /// A folder: every file in it becomes a record
    #[arg(required_unless_present = "manifest", conflicts_with = "manifest")]
    folder: Option<PathBuf>,
    /// A manifest, .jsonl or .csv; component paths are relative to it
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Do not read texts now; `vankho characterize` does it later
    #[arg(long)]
    no_read: bool,
    /// With --server: rows that are sent at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// With --server: how long a row waits for a server that does not answer
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,
}

/// Refused rows that are shown to a person.
const SHOWN_MAX: u64 = 20;
/// Rows that are named for a code.
const NAMED_MAX: usize = 10;

impl Ingest {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let path = self.manifest.as_ref().or(self.folder.as_ref()).cloned().unwrap_or_default();
        let name =
            path.canonicalize().map_err(|source| CommandError::File { path: path.display().to_string(), source })?;
        let packages = exchange::open(&path, &context.config.ingest)?;
        let tally = match &context.server {
            Some(server) => {
                let held = context.config.ingest.held_bytes_max;
                let handing = Handing::new(server, &name, Duration::from_secs(self.patience), held)?;
                hand_over(context, &handing, &name, packages, self.connections.into()).await?
            }
            None => self.direct(context, &name, packages).await?,
        };
        tally.show(&context.screen);
        Ok(ExitCode::from(u8::from(tally.refused > 0)))
    }

    async fn direct(&self, context: &Context, name: &Path, packages: Packages) -> Result<Tally, CommandError> {
        let archive = context.open().await?;
        let took = take_in(context, &archive, name, packages).await;
        let read = match &took {
            Ok(_) if !self.no_read => characterize::read(context, &archive, false).await.map(drop),
            _ => Ok(()),
        };
        archive.settle().await?;
        archive.close().await?;
        let tally = took?;
        read?;
        Ok(tally)
    }
}

/// What a run came to.
#[derive(Default)]
struct Tally {
    kept: u64,
    before: u64,
    refused: u64,
    /// What was left where it is in a folder: hidden and temporary files, links, devices.
    passed_over: u64,
    /// Whether rows are the files of a folder.
    files: bool,
    codes: BTreeMap<&'static str, Told>,
}

/// What is told of a code.
struct Told {
    count: u64,
    what: &'static str,
    /// The first rows that have it: their numbers, with the path where the row is a file of a folder.
    rows: BTreeMap<u64, String>,
    /// Whether other rows have it too.
    more: bool,
}

async fn take_in(
    context: &Context,
    archive: &Archive,
    source: &Path,
    packages: Packages,
) -> Result<Tally, CommandError> {
    let mut hearing = Hearing::new(context.screen, &packages, source);
    let mut hear = |outcome: Outcome| hearing.hear(&outcome);
    let packages = ahead(packages);
    or_cancelled(ingest::receive(archive, &source.display().to_string(), packages, &mut hear)).await?;
    Ok(hearing.end())
}

/// The same to a server.
async fn hand_over(
    context: &Context,
    handing: &Handing,
    source: &Path,
    packages: Packages,
    connections: usize,
) -> Result<Tally, CommandError> {
    let mut hearing = Hearing::new(context.screen, &packages, source);
    let mut hear = |outcome: Outcome| hearing.hear(&outcome);
    let rows = ahead(packages.handed());
    or_cancelled(async {
        handing.introduce().await?;
        handing.all(rows, connections, &mut hear).await
    })
    .await?;
    Ok(hearing.end())
}

/// What is shown while rows end.
struct Hearing {
    screen: Screen,
    bar: Bar,
    progress: Progress,
    tally: Tally,
}

impl Hearing {
    fn new(screen: Screen, packages: &Packages, source: &Path) -> Hearing {
        let bar = screen.counting(screen.say("Tiếp nhận", "Taking in"), None);
        Hearing {
            screen,
            bar,
            progress: packages.progress(),
            tally: Tally { files: source.is_dir(), ..Tally::default() },
        }
    }

    fn hear(&mut self, outcome: &Outcome) {
        let Hearing { screen, bar, progress, tally } = self;
        tally.count(screen, outcome);
        match progress.rows_expected() {
            Some(expected) => bar.set_of(tally.all(), expected),
            None => bar.step(),
        }
        match (&outcome.fate, screen.json) {
            (_, true) => screen.answer(|| line(outcome), String::new),
            (Fate::Refused(findings), false) if tally.refused <= SHOWN_MAX => {
                reasons(findings).for_each(|finding| bar.note(&told(screen, finding)));
            }
            _ => {}
        }
    }

    fn end(self) -> Tally {
        self.bar.finish();
        Tally { passed_over: self.progress.skipped(), ..self.tally }
    }
}

/// Rows as a stream: the manifest is read where blocking is allowed, a little ahead.
fn ahead<T: Send + 'static>(rows: impl Iterator<Item = T> + Send + 'static) -> impl Stream<Item = T> + Send {
    let (to, from) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        for row in rows {
            if to.blocking_send(row).is_err() {
                return;
            }
        }
    });
    stream::unfold(from, |mut from| async move { from.recv().await.map(|row| (row, from)) })
}

fn line(outcome: &Outcome) -> Value {
    let (row, external_id) = (outcome.row, &outcome.external_id);
    match &outcome.fate {
        Fate::Kept { record, receipt, findings, .. } if findings.is_empty() => {
            json!({"row": row, "external_id": external_id, "record": record, "receipt": receipt})
        }
        Fate::Kept { record, receipt, findings, .. } => {
            json!({"row": row, "external_id": external_id, "record": record, "receipt": receipt, "findings": findings})
        }
        Fate::Refused(findings) => json!({"row": row, "external_id": external_id, "findings": findings}),
    }
}

/// What a row was refused for. Its warnings are of no use to a person before it is taken.
fn reasons(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.severity == Severity::Error)
}

fn told(screen: &Screen, finding: &Finding) -> String {
    let place = [finding.row.map(|row| row.to_string()), finding.field.clone(), finding.detail.clone()];
    let place: Vec<String> = place.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    format!("{} {}: {} [{}]", screen.say("dòng", "row"), place.join(", "), text(screen, finding), finding.code.as_str())
}

fn text(screen: &Screen, finding: &Finding) -> String {
    if screen.say("vi", "en") == "vi" { finding.vi.clone() } else { finding.en.clone() }
}

impl Tally {
    fn all(&self) -> u64 {
        self.kept + self.before + self.refused
    }

    fn count(&mut self, screen: &Screen, outcome: &Outcome) {
        let findings: Vec<&Finding> = match &outcome.fate {
            Fate::Kept { before, findings, .. } => {
                *(if *before { &mut self.before } else { &mut self.kept }) += 1;
                findings.iter().collect()
            }
            Fate::Refused(findings) => {
                self.refused += 1;
                reasons(findings).collect()
            }
        };
        for finding in findings {
            let what = screen.say(finding.code.vi(), finding.code.en());
            let new = || Told { count: 0, what, rows: BTreeMap::new(), more: false };
            let told = self.codes.entry(finding.code.as_str()).or_insert_with(new);
            told.count += 1;
            // Rows end in any order: the first ones are known at the end.
            let path = outcome.external_id.as_ref().filter(|_| self.files);
            told.rows.entry(outcome.row).or_insert_with(|| path.cloned().unwrap_or_else(|| outcome.row.to_string()));
            if told.rows.len() > NAMED_MAX {
                told.rows.pop_last();
                told.more = true;
            }
        }
    }

    /// What stands before the rows that are named.
    fn places(&self, screen: &Screen) -> &'static str {
        if self.files { screen.say("tệp", "files") } else { screen.say("dòng", "rows") }
    }

    /// The summary, for people; scripts have had their lines.
    fn show(&self, screen: &Screen) {
        if screen.json {
            return;
        }
        let Tally { kept, before, refused, passed_over, .. } = self;
        let mut text = match screen.say("vi", "en") {
            "vi" => format!("Đã nhận {kept} tài liệu; {before} đã nhận từ trước; {refused} bị trả lại"),
            _ => format!("{kept} records kept; {before} kept before; {refused} refused"),
        };
        if *passed_over > 0 {
            text += &match screen.say("vi", "en") {
                "vi" => format!(
                    "\n  Bỏ qua {passed_over} tệp hoặc thư mục ẩn, tạm hoặc là liên kết; cần tiếp nhận thì đổi tên hoặc thay liên kết bằng tệp"
                ),
                _ => format!(
                    "\n  {passed_over} hidden or temporary files or folders, or links, passed over; to take one in, rename it, or put the file in the place of the link"
                ),
            };
        }
        for (code, Told { count, what, rows, more }) in &self.codes {
            let rows = rows.values().map(String::as_str).chain(more.then_some("…")).collect::<Vec<_>>().join(", ");
            text += &format!("\n  {count} × {code} ({} {rows}): {what}", self.places(screen));
        }
        screen.answer(|| json!({}), || text);
    }
}

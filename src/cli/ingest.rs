//! `vankho ingest`: a folder or a manifest into the archive, a receipt a row.

use crate::archive::Archive;
use crate::cli::{CommandError, Context, characterize, or_cancelled, show::Screen};
use crate::exchange::{self, Packages};
use crate::ingest::{self, Fate, Outcome};
use crate::record::{
    finding::{Finding, Severity},
    package::Package,
};
use clap::Args;
use futures::{Stream, stream};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
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
}

/// Refused rows that are shown to a person.
const SHOWN_MAX: u64 = 20;
/// Rows that are named for a code.
const NAMED_MAX: usize = 10;

impl Ingest {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let path = self.manifest.or(self.folder).unwrap_or_default();
        let name =
            path.canonicalize().map_err(|source| CommandError::File { path: path.display().to_string(), source })?;
        let packages = exchange::open(&path, &context.config.ingest)?;
        let archive = context.open().await?;
        let took = take_in(context, &archive, &name, packages).await;
        let read = match &took {
            Ok(_) if !self.no_read => characterize::read(context, &archive, false).await.map(drop),
            _ => Ok(()),
        };
        archive.settle().await?;
        archive.close().await?;
        let tally = took?;
        read?;
        tally.show(&context.screen);
        Ok(ExitCode::from(u8::from(tally.refused > 0)))
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
    let (screen, progress) = (context.screen, packages.progress());
    let bar = screen.counting(screen.say("Tiếp nhận", "Taking in"), None);
    let mut tally = Tally { files: source.is_dir(), ..Tally::default() };
    let mut hear = |outcome: Outcome| {
        tally.count(&screen, &outcome);
        match progress.rows_expected() {
            Some(expected) => bar.set_of(tally.all(), expected),
            None => bar.step(),
        }
        match (&outcome.fate, screen.json) {
            (_, true) => screen.answer(|| line(&outcome), String::new),
            (Fate::Refused(findings), false) if tally.refused <= SHOWN_MAX => {
                reasons(findings).for_each(|finding| bar.note(&told(&screen, finding)));
            }
            _ => {}
        }
    };
    or_cancelled(ingest::receive(archive, &source.display().to_string(), streamed(packages), &mut hear)).await?;
    bar.finish();
    tally.passed_over = progress.skipped();
    Ok(tally)
}

/// Packages as a stream: the manifest is read where blocking is allowed, a little ahead.
fn streamed(packages: Packages) -> impl Stream<Item = Package> + Send {
    let (to, from) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        for package in packages {
            if to.blocking_send(package).is_err() {
                return;
            }
        }
    });
    stream::unfold(from, |mut from| async move { from.recv().await.map(|package| (package, from)) })
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

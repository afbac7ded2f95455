//! `vankho audit`: an audit on demand, the list of all, and a report rechecked on another machine.

use crate::archive::{Archive, ArchiveError};
use crate::cli::{
    CommandError, Context,
    export::refuse_inside,
    or_cancelled,
    remote::Server,
    show::Screen,
    verify::{read_file, said},
};
use crate::evidence::audits::{
    self,
    told::{self, Told},
};
use crate::record::{
    audit::{REPORT_BYTES_MAX, Report, Sampled, Signed, percent},
    description::Description,
    digest::Digest,
    entry::Entry,
    sampling::{NotTerms, Terms, read_nonce, read_share},
    unit::Unit,
};
use crate::store::{Store, layout};
use crate::verify::audit::{Given, recheck};
use bytes::Bytes;
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use serde_json::json;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Have a sample audited that neither side chose: it follows from the newest checkpoint and a nonce
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Audit {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Subcommand)]
enum What {
    /// Judge a report on another machine: signature, sample, proofs, and the bytes where they are given
    Recheck(Recheck),
    /// Every audit, the newest first: what was found, and what became of it
    List(List),
    /// The report of an audit that has ended
    Report(ReportOf),
}

/// A new audit
#[derive(Args)]
struct Asked {
    /// What the auditor brings, drawn by lot: 64 hexadecimal digits, or any text [default: the archive draws one]
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// The share of bad entries that is tolerated, such as 0.01 or 1% [default: audit.share]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    share: Option<u32>,
    /// How likely a larger share is found, such as 0.95 or 95% [default: audit.confidence]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    confidence: Option<u32>,
    #[command(flatten)]
    to: To,
}

/// Where it is written
#[derive(Args)]
struct To {
    /// Write the report into this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the sampled descriptions and components into this folder, as an archive has them
    #[arg(long, value_name = "DIR")]
    with_bytes: Option<PathBuf>,
}

/// The report of an audit
#[derive(Args)]
struct ReportOf {
    /// The entry that pledged it, as `vankho audit list` tells
    audit: u64,
    #[command(flatten)]
    to: To,
}

/// Every audit
#[derive(Args)]
struct List {
    /// So many of them
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// Judge a report: no archive, no network
#[derive(Args)]
struct Recheck {
    /// The report
    report: PathBuf,
    /// The archive's public keys, obtained from elsewhere
    keyfile: PathBuf,
    /// Where the bytes of the sample are: what --with-bytes wrote, or an archive
    #[arg(long, value_name = "DIR")]
    bytes: Option<PathBuf>,
    /// Which witnesses must have cosigned the checkpoint; FORMAT.md tells the form
    #[arg(long, visible_alias = "policy", value_name = "POLICYFILE")]
    witnesses: Option<PathBuf>,
    /// The nonce that was brought
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
}

fn share(typed: &str) -> Result<u32, String> {
    read_share(typed).ok_or_else(|| NotTerms::NotShares.to_string())
}

impl Audit {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        match self.what {
            Some(What::Recheck(recheck)) => recheck.run(context).await,
            Some(What::List(list)) => list.run(context).await,
            Some(What::Report(of)) => of.run(context).await,
            None => self.asked.run(context).await,
        }
    }
}

impl Asked {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (told, bytes) = match &context.server {
            Some(server) => self.afar(server, &context.screen).await?,
            None => self.here(context).await?,
        };
        Ok(answer(&context.screen, &told, &bytes))
    }

    async fn here(&self, context: &Context) -> Result<(Told, Bytes), CommandError> {
        let terms = self.terms(context)?;
        self.to.refuse_inside(&context.data)?;
        let archive = context.open().await?;
        let done = self.carried_out(&archive, terms, &context.screen).await;
        archive.close().await?;
        done
    }

    async fn carried_out(
        &self,
        archive: &Archive,
        terms: Terms,
        screen: &Screen,
    ) -> Result<(Told, Bytes), CommandError> {
        let nonce = self.nonce.as_deref().map(read_nonce);
        let pledged = audits::pledge(archive, archive.operator, nonce, terms).await?;
        let bar = screen.counting(screen.say("Kiểm tra mẫu", "Auditing"), Some(0));
        let tell = {
            let bar = bar.clone();
            move |done, of| bar.set_of(done, of)
        };
        or_cancelled(audits::carry_out(archive, &pledged, &tell)).await?;
        bar.finish();
        self.to.written(archive, pledged.seq).await
    }

    fn terms(&self, context: &Context) -> Result<Terms, CommandError> {
        let usual = context.config.audit.terms().map_err(not_terms)?;
        let (share, confidence) = (self.share.unwrap_or(usual.share_ppm()), self.confidence);
        Terms::new(share, confidence.unwrap_or(usual.confidence_ppm())).map_err(not_terms)
    }

    async fn afar(&self, server: &Server, screen: &Screen) -> Result<(Told, Bytes), CommandError> {
        let pledged = server.pledge(self.nonce.as_deref(), self.share, self.confidence).await?;
        let bar = screen.counting(screen.say("Kiểm tra mẫu", "Auditing"), Some(0));
        let tell = |done, of| bar.set_of(done, of);
        or_cancelled(server.audit_ended(pledged.audit, &tell)).await?;
        bar.finish();
        self.to.fetched(server, pledged.audit).await
    }
}

fn not_terms(fault: NotTerms) -> CommandError {
    let vietnamese = match fault {
        NotTerms::NotShares => "tỷ lệ và độ tin cậy nằm giữa 0 và 1, ví dụ 0.01 và 0.95",
        NotTerms::TooLarge => "mẫu lớn hơn 20000 sự kiện; chọn tỷ lệ lớn hơn, hoặc chạy `vankho verify archive`",
    };
    CommandError::usage(vietnamese.into(), fault.to_string())
}

pub fn no_report(audit: u64) -> CommandError {
    CommandError::usage(
        format!("không có báo cáo của lần kiểm tra {audit}; xem `vankho audit list`"),
        format!("there is no report of an audit {audit}; see `vankho audit list`"),
    )
}

impl ReportOf {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (told, bytes) = match &context.server {
            Some(server) => self.to.fetched(server, self.audit).await?,
            None => {
                self.to.refuse_inside(&context.data)?;
                let archive = context.open().await?;
                let written = self.to.written(&archive, self.audit).await;
                archive.close().await?;
                written?
            }
        };
        Ok(answer(&context.screen, &told, &bytes))
    }
}

impl To {
    fn refuse_inside(&self, data: &Path) -> Result<(), CommandError> {
        [&self.report, &self.with_bytes].into_iter().flatten().try_for_each(|to| refuse_inside(to, data))
    }

    /// An audit of this archive, written where it is wanted.
    async fn written(&self, archive: &Archive, audit: u64) -> Result<(Told, Bytes), CommandError> {
        let report = audits::report(archive, audit).await?;
        let (told, (_, bytes)) = told::one(archive, audit).await?.zip(report).ok_or_else(|| no_report(audit))?;
        self.put_report(&bytes)?;
        if let (Some(to), Some(report)) = (&self.with_bytes, read(&bytes)) {
            or_cancelled(copied(&archive.store, &report, to)).await?;
        }
        Ok((told, bytes))
    }

    /// The same of a server's, as far as the token reads.
    async fn fetched(&self, server: &Server, audit: u64) -> Result<(Told, Bytes), CommandError> {
        let (told, bytes) = server.audit(audit).await?.ok_or_else(|| no_report(audit))?;
        self.put_report(&bytes)?;
        if let (Some(to), Some(report)) = (&self.with_bytes, read(&bytes)) {
            or_cancelled(async {
                for (unit, description) in shown(&report) {
                    if let Some(record) = unit.record() {
                        server.sampled(record, description, to).await?;
                    }
                }
                Ok::<_, CommandError>(())
            })
            .await?;
        }
        Ok((told, bytes))
    }

    fn put_report(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let Some(path) = &self.report else { return Ok(()) };
        fs::write(path, bytes).map_err(|source| CommandError::File { path: path.display().to_string(), source })
    }
}

fn read(bytes: &[u8]) -> Option<Report> {
    Signed::from_bytes(bytes).ok().map(|signed| signed.report)
}

/// The units and descriptions that the sample shows.
fn shown(report: &Report) -> Vec<(Unit, Digest)> {
    let named = |one: &Sampled| Entry::from_bytes(one.entry.as_ref()?.as_bytes()).ok()?.event.names();
    report.entries.iter().filter_map(named).collect()
}

/// Writes what the sample names into a folder, under the paths of an archive. What no place has is left out.
async fn copied(store: &Store, report: &Report, to: &Path) -> Result<(), CommandError> {
    for (unit, named) in shown(report) {
        let path = layout::description(unit, named);
        let Ok(bytes) = store.read_as(&path, named).await else { continue };
        put(to, &path, &bytes)?;
        let components = Description::from_bytes(&bytes).map(|description| description.components);
        for component in components.unwrap_or_default() {
            let path = layout::component(unit, component.sha256);
            let Ok(mut pieces) = store.read_pieces(&path).await else { continue };
            let mut file = created(to, &path)?;
            while let Some(piece) = pieces.try_next().await.map_err(ArchiveError::from)? {
                file.write_all(&piece).map_err(|source| CommandError::File { path: path.clone(), source })?;
            }
        }
    }
    Ok(())
}

/// A file under a path of an archive, in a folder of its own.
pub fn created(to: &Path, path: &str) -> Result<fs::File, CommandError> {
    let at = to.join(path);
    let made = at.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::File::create(&at));
    made.map_err(|source| CommandError::File { path: at.display().to_string(), source })
}

pub fn put(to: &Path, path: &str, bytes: &[u8]) -> Result<(), CommandError> {
    let written = created(to, path)?.write_all(bytes);
    written.map_err(|source| CommandError::File { path: path.into(), source })
}

/// What an audit came to; 1 where it found anything, also if it is repaired.
fn answer(screen: &Screen, told: &Told, bytes: &[u8]) -> ExitCode {
    let report = read(bytes);
    screen.answer(
        || json!({"audit": told, "totals": report.as_ref().map(|report| report.totals)}),
        || summary(screen, told, report.as_ref()),
    );
    ExitCode::from(u8::from(told.outcome.as_ref().is_none_or(|outcome| outcome.faults > 0)))
}

fn summary(screen: &Screen, told: &Told, report: Option<&Report>) -> String {
    let mut lines = vec![line(screen, told)];
    for found in report.iter().flat_map(|report| &report.findings) {
        let (fault, outcome) = (json!(found.fault), json!(found.outcome));
        let [fault, outcome] = [fault, outcome].map(|word| word.as_str().unwrap_or_default().to_owned());
        lines.push(format!("  {} #{} @{}: {fault}, {outcome}", found.index, found.component, found.place));
    }
    if let Some(report) = report {
        lines.push(screen.say("Lần kiểm tra này không chứng minh:", "What this does not show:").into());
        lines.extend(report.limits().into_iter().map(|(vi, en)| format!("- {}", screen.say(vi, en))));
    }
    lines.join("\n")
}

/// An audit in a line.
fn line(screen: &Screen, told: &Told) -> String {
    let Told { audit, pledged, size, sample, share_ppm, confidence_ppm, nonce, done, outcome, .. } = told;
    let (share, confidence) = (percent(*share_ppm), percent(*confidence_ppm));
    let come_to = match (outcome, screen.say("vi", "en")) {
        (Some(it), "vi") => format!("{} lỗi, {} đã phục hồi, {} mất", it.faults, it.repaired, it.lost),
        (Some(it), _) => format!("{} faults, {} repaired, {} lost", it.faults, it.repaired, it.lost),
        (None, "vi") => format!("chưa xong ({} trên {sample})", done.unwrap_or(0)),
        (None, _) => format!("not ended ({} of {sample})", done.unwrap_or(0)),
    };
    match screen.say("vi", "en") {
        "vi" => format!(
            "{audit}: {pledged}, {sample} trên {size} sự kiện (tỷ lệ {share}, độ tin cậy {confidence}, số ngẫu nhiên \
             {nonce}): {come_to}"
        ),
        _ => format!(
            "{audit}: {pledged}, {sample} of {size} entries (share {share}, confidence {confidence}, nonce {nonce}): \
             {come_to}"
        ),
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        let audits = match &context.server {
            Some(server) => server.audits(self.limit).await?,
            None => {
                let archive = context.open().await?;
                let listed = told::list(&archive, u64::MAX, self.limit).await;
                archive.close().await?;
                listed?
            }
        };
        screen.answer(
            || json!({"audits": audits}),
            || match audits.is_empty() {
                true => screen.say("Chưa có lần kiểm tra nào", "There was no audit yet").into(),
                false => audits.iter().map(|told| line(screen, told)).collect::<Vec<_>>().join("\n"),
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

impl Recheck {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (screen, report) = (&context.screen, report_file(&self.report)?);
        let keys = read_file(&self.keyfile)?;
        let policy = self.witnesses.as_deref().map(read_file).transpose()?;
        let store = self.bytes.as_deref().map(bytes_of).transpose()?;
        let nonce = self.nonce.as_deref().map(read_nonce);
        let given = Given { report: &report, keys: &keys, policy: policy.as_deref(), nonce };
        let bar = screen.counting(screen.say("Đối chiếu", "Rechecking"), Some(0));
        let tell = {
            let bar = bar.clone();
            move |done, of| bar.set_of(done, of)
        };
        let judged = async { Ok::<_, CommandError>(recheck(&given, store.as_ref(), &tell).await) };
        let verdict = or_cancelled(judged).await?;
        bar.finish();
        Ok(said(screen, &verdict))
    }
}

/// A report that somebody handed over: no more of it is read than a report can have.
fn report_file(path: &Path) -> Result<Vec<u8>, CommandError> {
    match fs::metadata(path) {
        Ok(about) if about.len() > REPORT_BYTES_MAX => Err(CommandError::usage(
            format!("{}: lớn hơn mọi báo cáo kiểm tra", path.display()),
            format!("{}: it is larger than any report of an audit", path.display()),
        )),
        _ => read_file(path),
    }
}

/// Where descriptions and components lie: a folder that has `records/`, or a data folder.
fn bytes_of(path: &Path) -> Result<Store, CommandError> {
    let inside = path.join("archive");
    let place = [inside.as_path(), path].into_iter().find(|place| place.join(layout::RECORDS).is_dir());
    let place = place.ok_or_else(|| {
        let path = path.display();
        CommandError::usage(
            format!("{path}: không có thư mục records; chỉ thư mục mà --with-bytes đã ghi, hoặc một kho"),
            format!("{path}: there is no folder records; name what --with-bytes wrote, or an archive"),
        )
    })?;
    Ok(Store::local(place).map_err(ArchiveError::from)?)
}

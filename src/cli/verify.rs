//! `vankho verify`: offline, without opening the archive. Exit codes: 0 holds, 1 evidence of tampering,
//! 2 incomplete, 3 usage.

use crate::archive::{ArchiveError, places::Places};
use crate::cli::{CommandError, Context, backup::told, or_cancelled, show::Screen, whole::Whole};
use crate::ledger::{self, checkpoint::Checkpoint, keys::KeyFile};
use crate::record::{
    backup::{DRILL_KIND, Drill},
    digest::{Digest, Hasher},
};
use crate::store::{StoreError, layout};
use crate::verify::{
    Outcome, Verdict,
    archive::Scope,
    published::{Followed, Part, follow},
    receipt::{Outside, verify_outside},
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Subcommand)]
pub enum Verify {
    /// Every file of the archive: nothing lost, altered, or slipped in
    Archive(Whole),
    /// The ledger on this disk, from its first entry, without records: every commit, entry and signature
    Ledger(Whole),
    /// The published log: nothing taken away or changed since its first entry
    Log(Log),
    /// One file by its receipt: no archive, no network
    Receipt(Receipt),
    /// The report of a restore drill: who signed it, and what it says
    Drill(DrillReport),
}

/// The report of a restore drill
#[derive(Args)]
pub struct DrillReport {
    /// The report, as `vankho backup drill --report` writes it
    report: PathBuf,
    /// The archive's public keys, obtained from elsewhere
    keyfile: PathBuf,
}

/// The published log
#[derive(Args)]
pub struct Log {
    /// The archive's public keys, obtained from elsewhere [default: as the archive itself tells them]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Receipts or checkpoints that were kept: the log must go on from each of them
    #[arg(long, value_name = "FILE")]
    known: Vec<PathBuf>,
}

/// One file by its receipt
#[derive(Args)]
pub struct Receipt {
    /// The receipt
    receipt: PathBuf,
    /// The file that was taken in
    file: PathBuf,
    /// The archive's public keys, obtained from elsewhere; with --server it may be left out
    keyfile: Option<PathBuf>,
    /// The description that came with the receipt
    #[arg(long, value_name = "DESCRIPTION.json")]
    description: Option<PathBuf>,
    /// Which witnesses must have cosigned (C2SP tlog-policy): so many of so many; FORMAT.md tells the form
    #[arg(long, value_name = "POLICYFILE")]
    witnesses: Option<PathBuf>,
    /// What a timestamping authority sent (RFC 3161), as `vankho receipt --timestamp` gives it
    #[arg(long, value_name = "TOKEN.tsr", requires = "authorities")]
    timestamp: Option<PathBuf>,
    /// Certificates of the timestamping authorities that are trusted, PEM, obtained from them
    #[arg(long, value_name = "PEM", requires = "timestamp")]
    authorities: Option<PathBuf>,
}

impl Verify {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        match self {
            Verify::Archive(whole) => whole.run(context, Scope::Archive).await,
            Verify::Ledger(whole) => whole.run(context, Scope::Ledger).await,
            Verify::Log(log) => log.run(context).await,
            Verify::Receipt(receipt) => receipt.run(context).await,
            Verify::Drill(report) => report.run(context),
        }
    }
}

impl DrillReport {
    /// 0 where the archive signed it, 1 where it did not; whether the drill was passed is what the report says.
    fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (screen, bytes) = (&context.screen, read_file(&self.report)?);
        let keys = key_file(&read_file(&self.keyfile)?)?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let said = text.split_once("\n\n").map(|(said, _)| said).unwrap_or_default();
        let Ok(drill) = serde_json::from_str::<Drill>(said) else {
            return Err(CommandError::usage(
                "tệp này không phải là báo cáo diễn tập khôi phục".into(),
                "this file is no report of a restore drill".into(),
            ));
        };
        let signed = keys.open_report(DRILL_KIND, text, drill.ledger).is_ok();
        screen.answer(
            || json!({"outcome": u8::from(!signed), "signed": signed, "drill": drill}),
            || match signed {
                true => format!(
                    "{}\n{}",
                    screen.say("Kho đã ký báo cáo này:", "The archive signed this:"),
                    told(screen, &drill)
                ),
                false => screen
                    .say("KHÔNG ĐÚNG: kho không ký báo cáo này", "DOES NOT HOLD: the archive did not sign this report")
                    .into(),
            },
        );
        Ok(ExitCode::from(u8::from(!signed)))
    }
}

/// What an audit came to.
pub(in crate::cli) fn verdict(screen: &Screen, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => screen.say("ĐẠT: không có gì bị mất, bị sửa hay bị chèn vào", "HOLDS: nothing lost, altered, or slipped in"),
        Outcome::Tampered => screen.say(
            "KHÔNG ĐẠT: giữ nguyên hiện trạng, khôi phục các tệp nêu trên từ bản nhân hoặc bản sao lưu, rồi kiểm tra lại",
            "DOES NOT HOLD: keep things as they are, bring the files above back from a replica or a backup, then verify again",
        ),
        _ => screen.say(
            "CHƯA ĐỦ: có tệp không đọc được; kiểm tra quyền đọc và ổ đĩa rồi chạy lại",
            "INCOMPLETE: some files could not be read; check permissions and the disk, then run again",
        ),
    }
}

impl Log {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (screen, server) = (context.screen, context.server.as_ref());
        let store = match server {
            Some(_) => None,
            None => Some(Places::configured(&context.data, &context.config.storage)?.alone(None).await?),
        };
        let read = async |path: &str| match (server, &store) {
            (Some(server), _) => Ok(server.part(path).await?),
            (None, Some(store)) => match store.read(path).await {
                Ok(bytes) => Ok(Part::Bytes(bytes)),
                Err(StoreError::Absent(_)) => Ok(Part::Absent),
                Err(error) => Err(CommandError::from(ArchiveError::from(error))),
            },
            (None, None) => Ok(Part::Absent),
        };
        let keys = match (&self.keys, server, &store) {
            (Some(path), ..) => read_file(path)?,
            (None, Some(server), _) => server.public_keys().await?.into(),
            (None, None, Some(store)) => store.read(layout::KEYS).await.map_err(ArchiveError::from)?.into(),
            (None, None, None) => Vec::new(),
        };
        let keys = key_file(&keys)?;
        let known = self.known.iter().map(|path| state(path, &keys)).collect::<Result<Vec<_>, _>>()?;
        let bar = screen.counting(screen.say("Kiểm tra", "Verifying"), Some(0));
        let tell = {
            let bar = bar.clone();
            move |done, of| bar.set_of(done, of)
        };
        let followed = or_cancelled(follow(&keys, &known, read, &tell)).await?;
        bar.finish();
        let (outcome, own) = (followed.outcome(), self.keys.is_some());
        screen.answer(
            || json!({"outcome": outcome.exit_code(), "report": followed}),
            || log_text(&screen, &followed, own),
        );
        Ok(ExitCode::from(outcome.exit_code()))
    }
}

/// Public keys, as a file has them.
pub(in crate::cli) fn key_file(bytes: &[u8]) -> Result<KeyFile, CommandError> {
    std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<KeyFile>().ok()).ok_or_else(|| {
        CommandError::usage(
            "tệp khóa công khai không đọc được; đề nghị kho cấp lại keys/archive.keys".into(),
            "the file of public keys cannot be read; ask the archive for keys/archive.keys again".into(),
        )
    })
}

/// Said where the keys come from the place that they are to judge.
pub(in crate::cli) fn own_keys_told(screen: &Screen) -> &'static str {
    screen.say(
        "Khóa công khai do chính kho cung cấp; dùng --keys với tệp khóa có từ nguồn khác để chắc chắn",
        "The archive itself told the public keys; --keys with a file from elsewhere makes sure",
    )
}

/// A state of the ledger that somebody kept: a checkpoint, or the one in a receipt.
pub(in crate::cli) fn state(path: &Path, keys: &KeyFile) -> Result<Checkpoint, CommandError> {
    let bytes = read_file(path)?;
    // What is not UTF-8 is no note either.
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let note = ledger::proof::Receipt::parse(text).map(|receipt| receipt.checkpoint_note);
    keys.open_checkpoint(note.as_deref().unwrap_or(text)).map_err(|fault| {
        let path = path.display();
        CommandError::usage(
            format!("{path}: không phải là biên nhận hay điểm kiểm tra mà kho đã ký; kiểm tra tệp và khóa"),
            format!("{path}: no receipt or checkpoint that the archive signed ({fault}); check the file and the keys"),
        )
    })
}

fn log_text(screen: &Screen, followed: &Followed, own_keys: bool) -> String {
    let mut lines: Vec<String> = followed.faults.iter().map(ToString::to_string).collect();
    let Followed { origin, size, root, entries_seen, known, .. } = followed;
    lines.push(match screen.say("vi", "en") {
        "vi" => format!("{origin}: {size} sự kiện, đã đọc nội dung {entries_seen}; nối tiếp {known} trạng thái đã giữ"),
        _ => format!("{origin}: {size} entries, {entries_seen} of them read; it goes on from {known} kept states"),
    });
    lines.extend(root.map(|root| root.to_string()));
    if !own_keys {
        lines.push(own_keys_told(screen).to_owned());
    }
    lines.push(verdict(screen, followed.outcome()).to_owned());
    lines.join("\n")
}

pub(in crate::cli) fn read_file(path: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path).map_err(|source| usage(path, &source))
}

impl Receipt {
    async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        let receipt = read_file(&self.receipt)?;
        let keys = match (&self.keyfile, &context.server) {
            (Some(path), _) => read_file(path)?,
            (None, Some(server)) => server.public_keys().await?.into(),
            (None, None) => {
                return Err(CommandError::usage(
                    "thiếu tệp khóa công khai; đưa thêm tệp đó, hoặc hỏi máy chủ bằng --server".into(),
                    "the file of public keys is missing; name it, or ask a server with --server".into(),
                ));
            }
        };
        let description = self.description.as_deref().map(read_file).transpose()?;
        let policy = self.witnesses.as_deref().map(read_file).transpose()?;
        let timestamp = match (&self.timestamp, &self.authorities) {
            (Some(token), Some(pem)) => Some((read_file(token)?, read_file(pem)?)),
            _ => None,
        };
        let timestamp = timestamp.as_ref().map(|(token, pem)| (token.as_slice(), pem.as_slice()));
        let digest = digest(&self.file).map_err(|source| usage(&self.file, &source))?;
        let outside = Outside { policy: policy.as_deref(), timestamp };
        let verdict = verify_outside(&receipt, &keys, outside, description.as_deref(), Some(digest));
        Ok(said(screen, &verdict))
    }
}

/// What a receipt, or a report, came to.
pub(in crate::cli) fn said(screen: &Screen, Verdict { outcome, vietnamese, english }: &Verdict) -> ExitCode {
    let code = outcome.exit_code();
    screen.answer(
        || json!({"outcome": code, "vi": vietnamese, "en": english}),
        || if screen.say("vi", "en") == "vi" { vietnamese.clone() } else { english.clone() },
    );
    ExitCode::from(code)
}

/// A file that cannot be read is a question that cannot be asked.
fn usage(path: &Path, error: &std::io::Error) -> CommandError {
    let path = path.display();
    CommandError::usage(
        format!("{path}: không đọc được; kiểm tra đường dẫn và quyền đọc"),
        format!("{path}: {error}; check path and permission"),
    )
}

fn digest(path: &Path) -> std::io::Result<Digest> {
    let (mut file, mut hasher, mut piece) = (File::open(path)?, Hasher::default(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&piece[..read]),
        }
    }
}

//! `vankho verify`: offline, without opening the archive. Exit codes: 0 holds, 1 evidence of tampering,
//! 2 incomplete, 3 usage.

use crate::archive::places::Places;
use crate::cli::{CommandError, Context, or_cancelled, show::Screen};
use crate::record::digest::{Digest, Hasher};
use crate::verify::{
    Outcome,
    archive::{Report, verify_archive},
    receipt::verify_receipt,
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
    /// One file by its receipt: no archive, no network
    Receipt(Receipt),
}

/// Every file of the archive
#[derive(Args)]
pub struct Whole {
    /// Which of the places in storage.places [default: the one that decides the order of entries]
    #[arg(long, value_name = "NUMBER")]
    place: Option<u32>,
}

/// One file by its receipt
#[derive(Args)]
pub struct Receipt {
    /// The receipt
    receipt: PathBuf,
    /// The file that was taken in
    file: PathBuf,
    /// The archive's public keys, obtained from elsewhere
    keyfile: PathBuf,
    /// The description that came with the receipt
    #[arg(long, value_name = "DESCRIPTION.json")]
    description: Option<PathBuf>,
}

impl Verify {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        match self {
            Verify::Archive(Whole { place }) => archive(context, place).await,
            Verify::Receipt(receipt) => receipt.run(&context.screen),
        }
    }
}

async fn archive(context: &Context, number: Option<u32>) -> Result<ExitCode, CommandError> {
    let places = Places::configured(&context.data, &context.config.storage)?;
    let store = places.alone(number).await?;
    if let Some(place) = store.folder().filter(|folder| !folder.is_dir()) {
        let place = place.display();
        return Err(CommandError::usage(
            format!("không có kho tại {place}; --data chỉ thư mục dữ liệu của kho"),
            format!("there is no archive at {place}; --data names the archive's data folder"),
        ));
    }
    let screen = context.screen;
    let bar = screen.counting(screen.say("Kiểm tra", "Verifying"), Some(0));
    let tell = {
        let bar = bar.clone();
        move |done, of| bar.set_of(done, of)
    };
    let report = or_cancelled(async { Ok::<_, CommandError>(verify_archive(&store, &tell).await) }).await?;
    bar.finish();
    screen.answer(|| json!({"outcome": report.outcome().exit_code(), "report": report}), || text(&screen, &report));
    Ok(ExitCode::from(report.outcome().exit_code()))
}

fn text(screen: &Screen, report: &Report) -> String {
    let mut lines: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    for path in &report.under_way {
        lines.push(format!(
            "{path}: {}",
            screen.say("đang ghi dở, chưa thuộc kho", "a write under way, not part of the archive yet")
        ));
    }
    let Report { entries, records, components, bytes, .. } = report;
    lines.push(match screen.say("vi", "en") {
        "vi" => format!("{entries} sự kiện, {records} tài liệu, {components} tệp, {bytes} byte"),
        _ => format!("{entries} entries, {records} records, {components} components, {bytes} bytes"),
    });
    lines.push(match report.outcome() {
        Outcome::Holds => screen.say("ĐẠT: không có gì bị mất, bị sửa hay bị chèn vào", "HOLDS: nothing lost, altered, or slipped in"),
        Outcome::Tampered => screen.say(
            "KHÔNG ĐẠT: giữ nguyên hiện trạng, khôi phục các tệp nêu trên từ bản nhân hoặc bản sao lưu, rồi kiểm tra lại",
            "DOES NOT HOLD: keep things as they are, bring the files above back from a replica or a backup, then verify again",
        ),
        _ => screen.say(
            "CHƯA ĐỦ: có tệp không đọc được; kiểm tra quyền đọc và ổ đĩa rồi chạy lại",
            "INCOMPLETE: some files could not be read; check permissions and the disk, then run again",
        ),
    }.to_owned());
    lines.join("\n")
}

impl Receipt {
    fn run(self, screen: &Screen) -> Result<ExitCode, CommandError> {
        let read = |path: &Path| std::fs::read(path).map_err(|source| usage(path, &source));
        let (receipt, keys) = (read(&self.receipt)?, read(&self.keyfile)?);
        let description = self.description.as_deref().map(read).transpose()?;
        let digest = digest(&self.file).map_err(|source| usage(&self.file, &source))?;
        let verdict = verify_receipt(&receipt, &keys, description.as_deref(), Some(digest));
        let code = verdict.outcome.exit_code();
        screen.answer(
            || json!({"outcome": code, "vi": verdict.vietnamese, "en": verdict.english}),
            || match screen.say("vi", "en") {
                "vi" => verdict.vietnamese.clone(),
                _ => verdict.english.clone(),
            },
        );
        Ok(ExitCode::from(code))
    }
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

//! `vankho restore`: an archive out of a backup, into an empty data folder.

use crate::archive::{Clock, places::Places};
use crate::backup::restore::{Brought, Doing, Restoration, Tell};
use crate::cli::{CommandError, Context, backup, or_cancelled, show::Screen, verify};
use crate::store::layout::without_digests;
use clap::Args;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// Bring an archive back from a backup into an empty data folder, and verify it
#[derive(Args)]
pub struct Restore {
    /// The folder or address of the backup
    #[arg(value_name = "BACKUP")]
    from: String,
    /// The folder where the signing key was kept apart
    #[arg(long, value_name = "DIR")]
    secret: Option<PathBuf>,
    /// The archive's public keys, obtained from elsewhere [default: as the backup itself tells them]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Receipts or checkpoints that were given out: what was acknowledged after the backup is told
    #[arg(long, value_name = "FILE", visible_alias = "receipt")]
    known: Vec<PathBuf>,
}

impl Restore {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        let from = backup::place(context, Some(self.from))?;
        let keys = match &self.keys {
            Some(path) => Some(verify::key_file(&verify::read_file(path)?)?),
            None => None,
        };
        let mut known = Vec::new();
        for path in &self.known {
            let text = String::from_utf8_lossy(&verify::read_file(path)?).into_owned();
            known.push((path.display().to_string(), text));
        }
        let bars = [
            screen.say("Khôi phục", "Restoring"),
            screen.say("Kiểm tra", "Verifying"),
            screen.say("Dựng lại", "Rebuilding"),
        ];
        let bars = bars.map(|what| screen.counting(what, None));
        let moved = bars.clone();
        let tell: Tell = Arc::new(move |doing, done, of| {
            let [carrying, verifying, rebuilding] = &moved;
            match doing {
                Doing::Carrying => carrying.set_of(done, of),
                Doing::Verifying => {
                    carrying.finish();
                    verifying.set_of(done, of);
                }
                Doing::Rebuilding => {
                    verifying.finish();
                    rebuilding.set_of(done, of);
                }
            }
        });
        let places = Places::configured(&context.data, &context.config.storage)?;
        let restoration = Restoration {
            from: &from,
            data: &context.data,
            config: &context.config,
            places: &places,
            clock: &Clock::System,
            secret: self.secret.as_deref(),
            keys,
            known,
        };
        let brought = or_cancelled(restoration.run(&tell)).await?;
        bars.iter().for_each(|bar| bar.finish());
        let data = context.data.display().to_string();
        screen.answer(|| answer(&data, &brought), || text(screen, &data, &brought));
        Ok(ExitCode::from(u8::from(!brought.whole || !brought.lacking.is_empty() || !brought.lost.is_empty())))
    }
}

fn answer(data: &str, brought: &Brought) -> serde_json::Value {
    let Brought { run, place, entries, objects, bytes, lacking, lost, report, whole, desk, key, rebuilt } = brought;
    let lost: Vec<_> = lost.iter().map(|(name, entries)| json!({"known": name, "entries": entries})).collect();
    json!({
        "data": data, "run": run.number, "began": run.began, "place": place, "entries": entries, "objects": objects,
        "bytes": bytes, "lacking": lacking, "lost": lost, "outcome": report.outcome().exit_code(), "report": report,
        "whole": whole, "desk": desk, "key": key, "rebuilt": rebuilt.is_some(),
    })
}

fn text(screen: &Screen, data: &str, brought: &Brought) -> String {
    let Brought { run, place, entries, lacking, lost, report, whole, desk, key, .. } = brought;
    let vi = screen.say("vi", "en") == "vi";
    let mut lines: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    lines.extend(lacking.iter().map(|one| {
        let what = screen.say("bản sao lưu không có bản đúng", "the backup has not got it as it was kept");
        format!("{}: {what}", without_digests(&one.path))
    }));
    lines.push(match vi {
        true => format!("{data}: đã khôi phục {entries} sự kiện, bản sao lưu lần {} ({})", run.number, run.began),
        false => format!("{data}: {entries} entries restored, from run {} ({})", run.number, run.began),
    });
    for (name, more) in lost {
        lines.push(match vi {
            true => {
                format!("{name}: {more} sự kiện được ghi nhận sau lần sao lưu này và KHÔNG có ở đây; tìm bản mới hơn")
            }
            false => format!(
                "{name}: {more} entries were acknowledged after this backup and are NOT here; look for a newer one"
            ),
        });
    }
    if !desk {
        lines.push(
            screen
                .say(
                    "Không có bàn làm việc: tạo lại tài khoản, việc tiếp nhận dở dang phải nộp lại",
                    "Without a desk: accounts are made anew, and half-done intake is handed over again",
                )
                .into(),
        );
    }
    if !key {
        lines.push(
            screen
                .say(
                    "Không có khóa ký: khôi phục lại với --secret DIR, hoặc nếu không ai còn khóa, vankho key rotate --old-is-lost",
                    "Without the signing key: restore again with --secret DIR or, where nobody has it any more, vankho key rotate --old-is-lost",
                )
                .into(),
        );
    }
    lines.push(verify::verdict(screen, report.outcome()).to_owned());
    lines.push(match (whole, vi) {
        (true, true) => format!(
            "Chưa ghi gì vào kho này được: nếu kho gốc còn hoạt động, sẽ có hai lịch sử. Khi chắc chắn kho gốc đã mất hoặc đã cắt khỏi mạng: vankho promote --place {place} --old-is-gone --known TỆP (biên nhận hoặc điểm kiểm tra mới nhất)"
        ),
        (true, false) => format!(
            "Nothing is written to this archive yet: with a living original there would be two histories. Where that is gone for good or cut off: vankho promote --place {place} --old-is-gone --known FILE (the newest receipt or checkpoint that anybody holds)"
        ),
        (false, true) => "Chưa dùng được: khôi phục lại từ bản sao lưu khác vào cùng thư mục này".into(),
        (false, false) => "It cannot be used yet: restore from another backup into the same folder".into(),
    });
    lines.join("\n")
}

//! `vankho init`, `rebuild`: the archive as a whole.

use crate::archive::{
    Archive, Clock, Refreshed, place,
    rebuild::{self as build, Rebuilt},
};
use crate::cli::{CommandError, Context, or_cancelled};
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// Found an archive, or bring its self-description up to date
#[derive(Args)]
pub struct Init {
    /// The name of the log, for example archive.example.vn/log; given once, it never changes
    #[arg(long, required_unless_present = "refresh", conflicts_with = "refresh")]
    origin: Option<String>,
    /// Write this program's self-description into the archive and record it
    #[arg(long)]
    refresh: bool,
}

impl Init {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        let Some(origin) = self.origin else { return refresh(context).await };
        place::init(&context.data, &context.config.storage, &origin, &Clock::System).await?;
        let place = context.data.display().to_string();
        let key = context.data.join("archive/keys/archive.keys").display().to_string();
        screen.answer(
            || json!({"archive": place, "origin": origin, "public_keys": key}),
            || {
                let made = screen.say("Đã lập kho", "An archive was made at");
                let advice = screen.say(
                    "Gửi tệp khóa công khai này cho người khác giữ: biên nhận được kiểm tra bằng nó. Sao lưu thư mục secret/ ở nơi an toàn.",
                    "Give this file of public keys to others to keep: receipts are checked with it. Back up secret/ in a safe place.",
                );
                format!("{made} {place} ({origin})\n{key}\n{advice}")
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

async fn refresh(context: &Context) -> Result<ExitCode, CommandError> {
    let archive: Archive = context.open().await?;
    let Refreshed { entry, restored } = archive.refresh().await?;
    archive.close().await?;
    let screen = &context.screen;
    screen.answer(
        || json!({"entry": entry, "restored": restored}),
        || {
            let mut text = match entry {
                Some(seq) => {
                    let done =
                        screen.say("Đã cập nhật phần tự mô tả, sự kiện số", "The self-description is new, entry");
                    format!("{done} {seq}")
                }
                None => screen.say("Phần tự mô tả không có gì mới", "The self-description is that of before").into(),
            };
            for path in &restored {
                let told = screen.say(
                    "đã bị mất hoặc bị sửa, nay ghi lại; tìm hiểu vì sao",
                    "was gone or altered and is written anew; find out why",
                );
                text += &format!("\n{path}: {told}");
            }
            text
        },
    );
    Ok(ExitCode::from(u8::from(!restored.is_empty())))
}

/// `vankho rebuild`
pub async fn rebuild(context: &Context) -> Result<ExitCode, CommandError> {
    let screen = &context.screen;
    let (bar, tell) = context.applying(screen.say("Dựng lại", "Rebuilding"));
    let Rebuilt { entries, left_out } = or_cancelled(build::rebuild(&context.data, &context.config, &tell)).await?;
    bar.finish();
    screen.answer(
        || json!({"entries": entries, "left_out": left_out}),
        || {
            let done =
                screen.say("Đã dựng lại mục lục và chỉ mục; số sự kiện:", "Catalog and index are rebuilt; entries:");
            let missing = screen.say(
                "tài liệu không dựng lại được vì bản mô tả bị mất hoặc hỏng; chạy `vankho verify archive`",
                "records left out, because their description is gone or damaged; run `vankho verify archive`",
            );
            match left_out {
                0 => format!("{done} {entries}"),
                _ => format!("{done} {entries}\n{left_out} {missing}"),
            }
        },
    );
    Ok(ExitCode::from(u8::from(left_out > 0)))
}

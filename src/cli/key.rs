//! `vankho key`: another signing key.

use crate::archive::{
    Clock,
    rotate::{Rotated, Rotation},
};
use crate::cli::{CommandError, Context};
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Give the archive another signing key: the old one signs nothing from then on / Thay khóa ký
    Rotate(Rotate),
}

/// Give the archive another signing key
#[derive(Args)]
pub struct Rotate {
    /// Nobody has the old key any more: the new one alone signs, and people must be told by other ways
    #[arg(long)]
    old_is_lost: bool,
}

impl KeyCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let KeyCommand::Rotate(Rotate { old_is_lost }) = self;
        let rotation = Rotation { data: &context.data, config: &context.config, clock: &Clock::System, old_is_lost };
        let Rotated { size, keys } = rotation.run().await?;
        let screen = &context.screen;
        screen.answer(
            || json!({"size": size, "keys": keys}),
            || {
                let done = screen.say(
                    "Đã thay khóa ký. Từ kích thước sau, khóa cũ không còn giá trị:",
                    "The signing key was changed. From this size on the old one counts for nothing:",
                );
                let advice = screen.say(
                    "Gửi tệp khóa công khai mới cho mọi bên kiểm tra và bên chứng kiến, sao lưu lại secret/, hủy mọi bản của khóa cũ (xem deploy/runbook.md).",
                    "Give the new public keys to everybody who verifies and to the witnesses, back secret/ up again, destroy every copy of the old key (see deploy/runbook.md).",
                );
                format!("{done} {size}\n{}\n{advice}", keys.trim_end())
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

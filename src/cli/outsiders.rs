//! `vankho cosign`, `timestamp`: what others than the archive say of its newest checkpoint.

use crate::access::answer::{self, Stamping, Witnessing};
use crate::archive::Archive;
use crate::cli::{CommandError, Context, or_cancelled, show::Screen};
use crate::evidence::{timestamps, witnesses};
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// How a witness stands, in a line.
pub fn witnessing(screen: &Screen, witness: &Witnessing) -> String {
    let Witnessing { name, asked, cosigned, at, behind, why } = witness;
    let at = at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
    let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match (screen.say("vi", "en"), *asked) {
        ("vi", true) => format!("{name}: bên chứng kiến, đã ký đến {cosigned}{at}, còn {behind} sự kiện chưa ký{why}"),
        ("vi", false) => format!("{name}: bên chứng kiến trước đây, đã ký đến {cosigned}{at}"),
        (_, true) => format!("{name}: witness, cosigned up to {cosigned}{at}, {behind} entries not yet{why}"),
        (_, false) => format!("{name}: a witness of before, cosigned up to {cosigned}{at}"),
    }
}

/// How a timestamping authority stands, in a line.
pub fn stamping(screen: &Screen, authority: &Stamping) -> String {
    let Stamping { code, asked, stamped, at, until, ending, behind, why } = authority;
    let at = at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
    let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let until = until.as_deref().filter(|_| *ending).unwrap_or_default();
    let ends = match (screen.say("vi", "en"), *ending) {
        (_, false) => String::new(),
        ("vi", _) => format!("; chứng thư hết hạn {until}, cần chứng thư mới"),
        (_, _) => format!("; its certificate ends at {until}, another is needed"),
    };
    match (screen.say("vi", "en"), *asked) {
        ("vi", true) => {
            format!("{code}: cấp dấu thời gian, đã đóng đến {stamped}{at}, còn {behind} sự kiện chưa đóng{ends}{why}")
        }
        ("vi", false) => format!("{code}: cấp dấu thời gian trước đây, đã đóng đến {stamped}{at}{ends}"),
        (_, true) => {
            format!("{code}: timestamping authority, stamped up to {stamped}{at}, {behind} entries not yet{ends}{why}")
        }
        (_, false) => format!("{code}: a timestamping authority of before, stamped up to {stamped}{at}{ends}"),
    }
}

/// Ask the witnesses to cosign the newest checkpoint
#[derive(Args)]
pub struct Cosign {}

impl Cosign {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (archive, screen): (Archive, _) = (context.open().await?, &context.screen);
        let asked = or_cancelled(async {
            archive.publish().await?;
            witnesses::once(&archive).await;
            Ok::<_, CommandError>(answer::state(&archive).await?.witnesses)
        });
        let asked = asked.await;
        archive.close().await?;
        let asked: Vec<Witnessing> = asked?.into_iter().filter(|witness| witness.asked).collect();
        let signed = asked.iter().all(|witness| witness.behind == 0 && witness.why.is_none());
        screen.answer(
            || json!({"witnesses": asked}),
            || match asked.is_empty() {
                true => screen
                    .say("Kho chưa có bên chứng kiến nào; xem [evidence]", "The archive has no witness; see [evidence]")
                    .into(),
                false => asked.iter().map(|witness| witnessing(screen, witness)).collect::<Vec<_>>().join("\n"),
            },
        );
        Ok(ExitCode::from(u8::from(!signed)))
    }
}

/// Ask the timestamping authorities to stamp the newest checkpoint
#[derive(Args)]
pub struct Timestamp {}

impl Timestamp {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (archive, screen): (Archive, _) = (context.open().await?, &context.screen);
        let asked = or_cancelled(async {
            timestamps::once(&archive).await;
            Ok::<_, CommandError>(answer::state(&archive).await?.authorities)
        });
        let asked = asked.await;
        archive.close().await?;
        let asked: Vec<Stamping> = asked?.into_iter().filter(|authority| authority.asked).collect();
        let stamped = asked.iter().all(|authority| authority.behind == 0 && authority.why.is_none());
        screen.answer(
            || json!({"authorities": asked}),
            || match asked.is_empty() {
                true => screen
                    .say(
                        "Kho chưa có tổ chức cấp dấu thời gian nào; xem [evidence]",
                        "The archive has no timestamping authority; see [evidence]",
                    )
                    .into(),
                false => asked.iter().map(|authority| stamping(screen, authority)).collect::<Vec<_>>().join("\n"),
            },
        );
        Ok(ExitCode::from(u8::from(!stamped)))
    }
}

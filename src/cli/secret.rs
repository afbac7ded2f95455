//! `vankho secret`: what may bear a secrecy mark (độ mật) is hidden at once, and expelled by two people.

use crate::cli::{CommandError, Context, acting::Acting, actor, reach::Reach};
use crate::disposition::secrets;
use crate::record::{secrecy::Level, unit::Kind};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::process::ExitCode;

/// Secrecy marks, and in whose name.
#[derive(Args)]
pub struct SecretCommand {
    #[command(flatten)]
    acting: Acting,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A record may bear a mark: nobody finds or reads it from here on / Nghi có dấu độ mật
    Suspect {
        record: String,
        #[arg(long, value_enum, default_value_t = Mark::Secret)]
        level: Mark,
    },
    /// The mark is one / Xác nhận dấu độ mật
    Confirm {
        record: String,
        #[arg(long, value_enum)]
        level: Mark,
    },
    /// It is none, or was lifted: the record is shown again / Bác bỏ, hoặc đã giải mật
    Refute {
        record: String,
        /// Why / Lý do
        #[arg(long)]
        reason: String,
    },
    /// Order it out, everywhere and for good: not who confirmed / Loại bỏ khỏi kho
    Expel { record: String },
}

/// The marks of NĐ 30/2020/NĐ-CP.
#[derive(Clone, Copy, ValueEnum)]
enum Mark {
    /// MẬT
    Secret,
    /// TỐI MẬT
    Higher,
    /// TUYỆT MẬT
    Highest,
}

impl From<Mark> for Level {
    fn from(mark: Mark) -> Level {
        match mark {
            Mark::Secret => Level::Secret,
            Mark::Higher => Level::Higher,
            Mark::Highest => Level::Highest,
        }
    }
}

impl SecretCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        self.acting.expect_nobody(context)?;
        let reach = context.reach().await?;
        let done = self.carried_out(context, &reach).await;
        reach.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, reach: &Reach) -> Result<ExitCode, CommandError> {
        let SecretCommand { acting, what } = self;
        let (What::Suspect { record, .. }
        | What::Confirm { record, .. }
        | What::Refute { record, .. }
        | What::Expel { record }) = &what;
        let record = reach.record(record).await?;
        let archive = match reach {
            Reach::Here(archive) => archive,
            Reach::There(server) => {
                let asked = match what {
                    What::Suspect { level, .. } => json!({"act": "suspect", "level": Level::from(level)}),
                    What::Confirm { level, .. } => json!({"act": "confirm", "level": Level::from(level)}),
                    What::Refute { reason, .. } => json!({"act": "refute", "reason": reason}),
                    What::Expel { .. } => json!({"act": "expel", "password": *actor::ask(context)?}),
                };
                let path = format!("api/v1/records/{record}/secrecy");
                return acting.told(context, server.act_with(Kind::Record, &path, &asked).await);
            }
        };
        let who = acting.who(context, archive).await?;
        let done = match what {
            What::Suspect { level, .. } => secrets::suspect(archive, &who, record, level.into()).await,
            What::Confirm { level, .. } => secrets::confirm(archive, &who, record, level.into()).await,
            What::Refute { reason, .. } => secrets::refute(archive, &who, record, &reason).await,
            What::Expel { .. } => secrets::expel(archive, &who, record).await,
        };
        acting.told(context, done)
    }
}

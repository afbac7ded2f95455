//! `vankho withdrawal`: a wrong deposit is asked back by one person and given up by another.

use crate::archive::{Archive, ArchiveError};
use crate::cli::{CommandError, Context, acting::Acting, receipt, show::Screen};
use crate::disposition::{DispositionError, execution};
use crate::record::{
    disposition::{
        refusal::Refusal,
        withdrawal::{Asked, Mistake, in_time},
    },
    id::RecordId,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

/// Wrong deposits, and in whose name.
#[derive(Args)]
pub struct WithdrawalCommand {
    #[command(flatten)]
    acting: Acting,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Ask that a record that was deposited by mistake is withdrawn / Đề nghị rút tài liệu nộp nhầm
    Ask {
        record: String,
        /// wrong_place, not_issued, not_a_record, twice / Loại nhầm lẫn
        #[arg(long, value_name = "CODE")]
        mistake: String,
        /// Why / Lý do
        #[arg(long)]
        reason: String,
    },
    /// What waits for a second person / Đề nghị đang chờ
    List,
    /// Confirm it, and order it out: not who asked / Xác nhận
    Confirm { record: String },
    /// Nobody wants it any more / Bỏ đề nghị
    Forget { record: String },
}

impl WithdrawalCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = self.carried_out(context, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let (WithdrawalCommand { acting, what }, screen) = (self, &context.screen);
        match what {
            What::List => {
                for asked in archive.desk.withdrawals().await.map_err(ArchiveError::from)? {
                    let Asked { record, mistake, reason, by, at } = &asked;
                    screen.answer(
                        || json!({"record": record, "mistake": mistake, "reason": reason, "by": by, "at": at}),
                        || format!("{record}\t{}\t{}\t{reason}", at.day(), screen.say(mistake.vi(), mistake.en())),
                    );
                }
                Ok(ExitCode::SUCCESS)
            }
            What::Ask { record, mistake, reason } => {
                let mistake = read_mistake(&mistake)?;
                let record = receipt::named(archive, &record).await?;
                let who = acting.who(context, archive).await?;
                let asked = Asked { record, mistake, reason, by: who.actor, at: archive.clock.now() };
                ask(screen, archive, &acting, &asked).await
            }
            What::Confirm { record } => {
                let record = receipt::named(archive, &record).await?;
                let asked = archive.desk.withdrawal(record).await.map_err(ArchiveError::from)?;
                let asked = asked.ok_or_else(|| not_asked(record))?;
                let who = acting.who(context, archive).await?;
                let done = execution::withdraw(archive, &who, &asked).await;
                // If we stop here, it still waits at the desk, and is refused as ordered already.
                if done.is_ok() {
                    archive.desk.forget_withdrawal(record).await.map_err(ArchiveError::from)?;
                }
                acting.told(screen, done)
            }
            What::Forget { record } => {
                let record = receipt::named(archive, &record).await?;
                archive.desk.forget_withdrawal(record).await.map_err(ArchiveError::from)?;
                screen.answer(|| json!({"forgotten": record}), || record.to_string());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Notes the asking; what cannot be confirmed any more is refused now, and not to the second person.
async fn ask(screen: &Screen, archive: &Archive, acting: &Acting, asked: &Asked) -> Result<ExitCode, CommandError> {
    let refuse = |refusal: Refusal| acting.told(screen, Err(DispositionError::Refused(refusal)));
    if asked.reason.trim().is_empty() {
        return refuse(Refusal::NoReason);
    }
    let Some(known) = archive.catalog.record(asked.record).await? else { return refuse(Refusal::NotKnown) };
    if !in_time(known.at, archive.config.disposition.withdrawal_days_max, asked.at) {
        return refuse(Refusal::WithdrawalTooLate);
    }
    let noted = archive.desk.ask_withdrawal(asked).await.map_err(ArchiveError::from)?;
    screen.answer(
        || json!({"asked": asked.record, "new": noted}),
        || {
            let waits = screen.say("đang chờ người thứ hai xác nhận", "waits for a second person to confirm");
            format!("{}: {waits}", asked.record)
        },
    );
    Ok(ExitCode::SUCCESS)
}

fn not_asked(record: RecordId) -> CommandError {
    CommandError::usage(
        format!("chưa ai đề nghị rút tài liệu {record}; xem `vankho withdrawal list`"),
        format!("nobody asked to withdraw record {record}; see `vankho withdrawal list`"),
    )
}

fn read_mistake(typed: &str) -> Result<Mistake, CommandError> {
    Mistake::ALL.into_iter().find(|mistake| mistake.as_str() == typed).ok_or_else(|| {
        let all: Vec<String> = Mistake::ALL.iter().map(|one| format!("{} ({})", one.as_str(), one.vi())).collect();
        CommandError::usage(
            format!("{typed}: không phải là loại nhầm lẫn; chọn một trong: {}", all.join(", ")),
            format!("{typed} is no mistake; choose one of these"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_codes() {
        for mistake in Mistake::ALL {
            assert_eq!(read_mistake(mistake.as_str()).ok(), Some(mistake));
        }
        assert!(read_mistake("oops").is_err());
    }
}

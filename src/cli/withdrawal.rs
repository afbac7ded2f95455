//! `vankho withdrawal`: a wrong deposit is asked back by one person and given up by another.

use crate::archive::{Archive, ArchiveError};
use crate::cli::{
    CommandError, Context,
    acting::{Acting, refused},
    actor,
    reach::Reach,
    remote::Server,
    show::Screen,
};
use crate::disposition::{DispositionError, Done, execution};
use crate::record::{
    disposition::{
        refusal::Refusal,
        withdrawal::{Asked, Mistake, in_time},
    },
    entry::Instant,
    id::{ActorId, RecordId},
    unit::Kind,
};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
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
        self.acting.expect_nobody(context)?;
        let reach = context.reach().await?;
        let done = match &reach {
            Reach::Here(archive) => self.here(context, &reach, archive).await,
            Reach::There(server) => self.there(context, &reach, server).await,
        };
        reach.close().await?;
        done
    }

    async fn here(self, context: &Context, reach: &Reach, archive: &Archive) -> Result<ExitCode, CommandError> {
        let WithdrawalCommand { acting, what } = self;
        match what {
            What::List => {
                let asked = archive.desk.withdrawals().await.map_err(ArchiveError::from)?;
                asked.into_iter().for_each(|asked| listed(&context.screen, &Row::from(asked)));
                Ok(ExitCode::SUCCESS)
            }
            What::Ask { record, mistake, reason } => {
                let mistake = read_mistake(&mistake)?;
                let record = reach.record(&record).await?;
                let who = acting.who(context, archive).await?;
                let asked = Asked { record, mistake, reason, by: who.actor, at: archive.clock.now() };
                ask(context, archive, &acting, &asked).await
            }
            What::Confirm { record } => {
                let record = reach.record(&record).await?;
                let asked = archive.desk.withdrawal(record).await.map_err(ArchiveError::from)?;
                let asked = asked.ok_or_else(|| not_asked(record))?;
                let who = acting.who(context, archive).await?;
                let done = execution::withdraw(archive, &who, &asked).await;
                // If we stop here, it still waits at the desk, and is refused as ordered already.
                if done.is_ok() {
                    archive.desk.forget_withdrawal(record).await.map_err(ArchiveError::from)?;
                }
                acting.told(context, done)
            }
            What::Forget { record } => {
                let record = reach.record(&record).await?;
                archive.desk.forget_withdrawal(record).await.map_err(ArchiveError::from)?;
                context.screen.answer(|| json!({"forgotten": record}), || record.to_string());
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    async fn there(self, context: &Context, reach: &Reach, server: &Server) -> Result<ExitCode, CommandError> {
        let WithdrawalCommand { acting, what } = self;
        match what {
            What::List => {
                let rows: Vec<Row> = server.all("api/v1/withdrawals", "withdrawals").await?;
                rows.iter().for_each(|row| listed(&context.screen, row));
                Ok(ExitCode::SUCCESS)
            }
            What::Ask { record, mistake, reason } => {
                let (mistake, record) = (read_mistake(&mistake)?, reach.record(&record).await?);
                let asked = json!({"mistake": mistake, "reason": reason});
                let post = server.post(&format!("api/v1/records/{record}/withdrawal")).json(&asked);
                match server.once_json::<Row>(post).await {
                    Ok(row) => Ok(noted(&context.screen, row.record, None)),
                    Err(error) => refused(&context.screen, error),
                }
            }
            What::Confirm { record } => {
                let record = reach.record(&record).await?;
                let path = format!("api/v1/records/{record}/withdrawal/confirm");
                let password = json!({"password": *actor::ask(context)?});
                acting.told(context, server.act_with(Kind::Record, &path, &password).await)
            }
            What::Forget { .. } => reach.here("withdrawal forget").map(|_| ExitCode::SUCCESS),
        }
    }
}

/// One that waits for a second person, here and as a server tells it.
#[derive(Serialize, Deserialize)]
struct Row {
    record: RecordId,
    mistake: Mistake,
    reason: String,
    #[serde(alias = "asked_by")]
    by: ActorId,
    at: Instant,
}

impl From<Asked> for Row {
    fn from(Asked { record, mistake, reason, by, at }: Asked) -> Row {
        Row { record, mistake, reason, by, at }
    }
}

fn listed(screen: &Screen, row: &Row) {
    let Row { record, mistake, reason, at, .. } = row;
    screen.answer(
        || json!(row),
        || format!("{record}\t{}\t{}\t{reason}", at.day(), screen.say(mistake.vi(), mistake.en())),
    );
}

/// Notes the asking; what cannot be confirmed any more is refused now, and not to the second person.
async fn ask(context: &Context, archive: &Archive, acting: &Acting, asked: &Asked) -> Result<ExitCode, CommandError> {
    let refuse = |refusal: Refusal| acting.told(context, Err::<Done, _>(DispositionError::Refused(refusal)));
    if asked.reason.trim().is_empty() {
        return refuse(Refusal::NoReason);
    }
    let Some(known) = archive.catalog.record(asked.record).await? else { return refuse(Refusal::NotKnown) };
    if !in_time(known.at, archive.config.disposition.withdrawal_days_max, asked.at) {
        return refuse(Refusal::WithdrawalTooLate);
    }
    let new = archive.desk.ask_withdrawal(asked).await.map_err(ArchiveError::from)?;
    Ok(noted(&context.screen, asked.record, Some(new)))
}

/// That it is asked; a server does not tell whether it was asked before.
fn noted(screen: &Screen, record: RecordId, new: Option<bool>) -> ExitCode {
    let mut json = json!({"asked": record});
    if let Some(new) = new {
        json["new"] = json!(new);
    }
    let waits = screen.say("đang chờ người thứ hai xác nhận", "waits for a second person to confirm");
    screen.answer(|| json, || format!("{record}: {waits}"));
    ExitCode::SUCCESS
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

//! `vankho status`, `heal`, `promote`: the places of the archive and how they stand.

use crate::archive::{
    Archive, Clock,
    heal::Debt,
    promote::{Promoted, Promotion},
};
use crate::cli::{CommandError, Context, or_cancelled, show::Screen};
use crate::store::Standing;
use clap::Args;
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// `vankho status`
pub async fn status(context: &Context) -> Result<ExitCode, CommandError> {
    let archive = context.open().await?;
    let (counts, entries) = (archive.catalog.counts().await?, archive.ledger.size());
    let (origin, primary) = (archive.ledger.origin().to_owned(), archive.store.number());
    let (name, debts) = (archive.store.primary().name().to_owned(), archive.healing.debts().await?);
    archive.close().await?;
    let (screen, records, waiting) = (&context.screen, counts.records, counts.waiting);
    let replicas: Vec<Value> = debts.iter().map(told).collect();
    screen.answer(
        || {
            let primary = json!({"place": primary, "name": name});
            json!({"origin": origin, "entries": entries, "records": records, "waiting": waiting, "primary": primary, "replicas": replicas})
        },
        || {
            let mut lines = vec![match screen.say("vi", "en") {
                "vi" => format!("{origin}: {records} tài liệu, {waiting} chờ đọc nội dung, {entries} sự kiện"),
                _ => format!("{origin}: {records} records, {waiting} waiting to be read, {entries} entries"),
            }];
            if !debts.is_empty() {
                lines.push(format!("{primary} {name}: {}", screen.say("bản chính", "primary")));
            }
            lines.extend(debts.iter().map(|debt| line(screen, debt)));
            lines.join("\n")
        },
    );
    Ok(ExitCode::SUCCESS)
}

fn told(debt: &Debt) -> Value {
    let standing = match debt.standing {
        Standing::Taking => "taking",
        Standing::Resting => "resting",
        Standing::Diverged => "diverged",
    };
    json!({"place": debt.number, "name": debt.name, "standing": standing, "behind": debt.entries, "why": debt.why})
}

fn line(screen: &Screen, debt: &Debt) -> String {
    let Debt { number, name, standing, entries, why } = debt;
    let stands = match standing {
        Standing::Taking => screen.say("bản nhân", "replica"),
        Standing::Resting => screen.say("bản nhân đang tạm nghỉ", "replica, resting"),
        Standing::Diverged => screen.say(
            "giữ một lịch sử khác, không được ghi vào; giữ nguyên và tìm hiểu vì sao",
            "holds another history and is left alone; keep it as it is and find out why",
        ),
    };
    let behind = match screen.say("vi", "en") {
        "vi" => format!("còn thiếu {entries} sự kiện"),
        _ => format!("{entries} entries behind"),
    };
    let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{number} {name}: {stands}, {behind}{why}")
}

/// Bring every replica up to date
#[derive(Args)]
pub struct Heal {
    /// Compare everything of this replica anew, from the first entry on
    #[arg(long, value_name = "NUMBER")]
    anew: Option<u32>,
}

impl Heal {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let (archive, screen): (Archive, _) = (context.open().await?, &context.screen);
        if let Some(number) = self.anew {
            archive.desk.forget_healed(number).await.map_err(crate::archive::ArchiveError::from)?;
        }
        let bar = screen.counting(screen.say("Đồng bộ các bản nhân", "Healing"), Some(archive.ledger.size()));
        let moved = bar.clone();
        let tell = move |_, healed| moved.set(healed);
        or_cancelled(async {
            archive.healing.round(&tell).await;
            Ok::<_, CommandError>(())
        })
        .await?;
        bar.finish();
        let debts = archive.healing.debts().await?;
        archive.close().await?;
        let whole = debts.iter().all(|debt| debt.standing == Standing::Taking && debt.entries == 0);
        screen.answer(
            || json!({"replicas": debts.iter().map(told).collect::<Vec<_>>()}),
            || match debts.is_empty() {
                true => screen.say("Kho không có bản nhân nào", "The archive has no replica").into(),
                false => debts.iter().map(|debt| line(screen, debt)).collect::<Vec<_>>().join("\n"),
            },
        );
        Ok(ExitCode::from(u8::from(!whole)))
    }
}

/// Make another place the primary
#[derive(Args)]
pub struct Promote {
    /// The number of the place in storage.places
    #[arg(long, value_name = "NUMBER")]
    place: u32,
    /// The primary is gone for good, or cut off from everybody who writes
    #[arg(long)]
    old_is_gone: bool,
    /// Receipts or checkpoints that were given out: what they stand on must not be lost
    #[arg(long, value_name = "FILE")]
    known: Vec<PathBuf>,
}

impl Promote {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let screen = &context.screen;
        let read = |path: &PathBuf| {
            let path_text = path.display().to_string();
            std::fs::read_to_string(path).map_err(|source| CommandError::File { path: path_text, source })
        };
        let known = self.known.iter().map(read).collect::<Result<_, _>>()?;
        let bar = screen.counting(screen.say("Đồng bộ trước khi chuyển", "Making it whole first"), None);
        let moved = bar.clone();
        let tell = move |_, healed| moved.set(healed);
        let promotion = Promotion {
            data: &context.data,
            config: &context.config,
            clock: &Clock::System,
            to: self.place,
            old_is_gone: self.old_is_gone,
            known,
        };
        let Promoted { primacy, seq } = or_cancelled(promotion.run(&tell)).await?;
        bar.finish();
        screen.answer(
            || json!({"primary": primacy.replica, "epoch": primacy.epoch, "entry": seq}),
            || {
                let done = screen.say("Bản chính mới là nơi số", "The primary is now place");
                let entry = screen.say("sự kiện số", "entry");
                format!("{done} {} ({primacy}), {entry} {seq}", primacy.replica)
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

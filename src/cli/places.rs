//! `vankho status`, `heal`, `promote`: the places of the archive, and how they stand.

use crate::access::answer::{self, BackedUp, Covered, Laxer, Stands, State};
use crate::archive::{
    Archive, Clock,
    promote::{Promoted, Promotion},
};
use crate::cli::{
    CommandError, Context, or_cancelled,
    outsiders::{stamping, witnessing},
    show::Screen,
};
use crate::store::Standing;
use clap::Args;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// `vankho status`
pub async fn status(context: &Context) -> Result<ExitCode, CommandError> {
    let state = match &context.server {
        Some(server) => server.state().await?,
        None => {
            let archive = context.open().await?;
            let state = answer::state(&archive).await;
            archive.close().await?;
            state?
        }
    };
    let screen = &context.screen;
    screen.answer(|| json!(state), || text(screen, &state));
    Ok(ExitCode::SUCCESS)
}

fn text(screen: &Screen, state: &State) -> String {
    let State { origin, entries, records, waiting, primary, replicas, fixity, backup, witnesses, .. } = state;
    let mut lines = vec![match screen.say("vi", "en") {
        "vi" => format!("{origin}: {records} tài liệu, {waiting} chờ đọc nội dung, {entries} sự kiện"),
        _ => format!("{origin}: {records} records, {waiting} waiting to be read, {entries} entries"),
    }];
    if !replicas.is_empty() {
        lines.push(format!("{} {}: {}", primary.place, primary.name, screen.say("bản chính", "primary")));
    }
    lines.extend(replicas.iter().map(|replica| line(screen, replica)));
    lines.extend(fixity.iter().map(|covered| coverage(screen, covered)));
    lines.extend(backup.iter().map(|backup| backed_up(screen, backup)));
    lines.extend(witnesses.iter().map(|witness| witnessing(screen, witness)));
    lines.extend(state.authorities.iter().map(|authority| stamping(screen, authority)));
    if state.orders_pending > 0 {
        let pending = screen.say("lệnh hủy chưa hoàn tất", "orders to destroy not carried out yet");
        lines.push(format!("{} {pending}", state.orders_pending));
    }
    lines.extend(state.laxer.iter().map(|Laxer { setting, article }| match screen.say("vi", "en") {
        "vi" => format!("CẢNH BÁO: retention.{setting} lỏng hơn quy định ({article}); sửa lại cấu hình"),
        _ => format!("WARNING: retention.{setting} is laxer than the law ({article}); mend the configuration"),
    }));
    lines.join("\n")
}

fn line(screen: &Screen, replica: &Stands) -> String {
    let Stands { place, name, standing, behind, why } = replica;
    let stands = match standing {
        Standing::Taking => screen.say("bản nhân", "replica"),
        Standing::Resting => screen.say("bản nhân đang tạm nghỉ", "replica, resting"),
        Standing::Diverged => screen.say(
            "giữ một lịch sử khác, không được ghi vào; giữ nguyên và tìm hiểu vì sao",
            "holds another history and is left alone; keep it as it is and find out why",
        ),
    };
    let behind = match screen.say("vi", "en") {
        "vi" => format!("còn thiếu {behind} sự kiện"),
        _ => format!("{behind} entries behind"),
    };
    let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{place} {name}: {stands}, {behind}{why}")
}

fn coverage(screen: &Screen, covered: &Covered) -> String {
    let Covered { place, unread_since, objective_days, overdue, answers, records, .. } = covered;
    let since = unread_since.as_deref().unwrap_or("–");
    let mut line = match screen.say("vi", "en") {
        "vi" => format!("{place}: mọi byte đã được đọc lại từ {since} đến nay (mục tiêu: {objective_days} ngày)"),
        _ => format!("{place}: every byte was read again since {since} (objective: {objective_days} days)"),
    };
    if let Some(records) = records {
        line += &match screen.say("vi", "en") {
            "vi" => format!(", đang kiểm tra: {records} tài liệu"),
            _ => format!(", a round is under way: {records} records"),
        };
    }
    if *overdue {
        line += screen.say("; QUÁ HẠN: chạy vankho fixity", "; OVERDUE: run vankho fixity");
    }
    if !answers {
        line += screen.say("; không trả lời", "; does not answer");
    }
    line
}

fn backed_up(screen: &Screen, backup: &BackedUp) -> String {
    let BackedUp { to, behind, not_carried, .. } = backup;
    let vi = screen.say("vi", "en") == "vi";
    let mut line = match (&backup.at, vi) {
        (Some(at), true) => format!("Sao lưu ở {to}: {at}, sau đó có thêm {behind} sự kiện"),
        (Some(at), false) => format!("Backup at {to}: {at}, {behind} entries since then"),
        (None, true) => format!("Sao lưu ở {to}: chưa có"),
        (None, false) => format!("Backup at {to}: none yet"),
    };
    if *not_carried > 0 {
        line += &match vi {
            true => format!("; thiếu {not_carried} tệp"),
            false => format!("; {not_carried} objects are not in it"),
        };
    }
    if backup.overdue {
        line += screen.say("; QUÁ HẠN: chạy vankho backup", "; OVERDUE: run vankho backup");
    }
    line += &backup.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    line += &match (&backup.drilled, backup.passed, vi) {
        (Some(at), Some(true), true) => format!("; diễn tập khôi phục {at}: đạt"),
        (Some(at), Some(true), false) => format!("; restore drill of {at}: passed"),
        (Some(at), _, true) => format!("; diễn tập khôi phục {at}: KHÔNG ĐẠT"),
        (Some(at), _, false) => format!("; restore drill of {at}: NOT PASSED"),
        (None, ..) => screen.say("; chưa diễn tập khôi phục", "; no restore drill yet").into(),
    };
    if backup.drill_overdue {
        line += screen.say("; đến hạn diễn tập: chạy vankho backup drill", "; a drill is due: run vankho backup drill");
    }
    line + &backup.drill_why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
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
        let replicas: Vec<Stands> = archive.healing.debts().await?.into_iter().map(Stands::from).collect();
        archive.close().await?;
        let whole = replicas.iter().all(|replica| replica.standing == Standing::Taking && replica.behind == 0);
        screen.answer(
            || json!({"replicas": replicas}),
            || match replicas.is_empty() {
                true => screen.say("Kho không có bản nhân nào", "The archive has no replica").into(),
                false => replicas.iter().map(|replica| line(screen, replica)).collect::<Vec<_>>().join("\n"),
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
    /// And entries that were given out are lost with it: whoever is responsible takes the loss
    #[arg(long, requires = "old_is_gone")]
    accept_loss: bool,
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
            loss_is_taken: self.accept_loss,
            known,
        };
        let Promoted { primacy, seq, lost } = or_cancelled(promotion.run(&tell)).await?;
        bar.finish();
        screen.answer(
            || json!({"primary": primacy.replica, "epoch": primacy.epoch, "entry": seq, "lost": lost}),
            || {
                let done = screen.say("Bản chính mới là nơi số", "The primary is now place");
                let entry = screen.say("sự kiện số", "entry");
                let lost = lost.map(|known| loss(screen, known)).unwrap_or_default();
                format!("{done} {} ({primacy}), {entry} {seq}{lost}", primacy.replica)
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// What was given out over so many entries does not hold any more.
fn loss(screen: &Screen, known: u64) -> String {
    match screen.say("vi", "en") {
        "vi" => format!(
            "\nĐÃ MẤT: điểm kiểm tra đã cấp trên {known} sự kiện không còn khớp; giữ lại làm bằng chứng và báo cho mọi người giữ biên nhận"
        ),
        _ => format!(
            "\nLOST: a checkpoint that was given out over {known} entries does not hold any more; keep it as evidence, and tell everybody who holds a receipt"
        ),
    }
}

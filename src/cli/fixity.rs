//! `vankho fixity`: one whole round at every place, now.

use crate::archive::{Archive, ArchiveError, repair::Mended};
use crate::cli::{CommandError, Context, or_cancelled, show::Screen};
use crate::fixity::{self, Fault, Step};
use crate::record::{entry::Damage, fixity::Round};
use crate::store::replicas::Pace;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// Read and hash everything again, and repair it where a replica has it right
#[derive(Args)]
pub struct Fixity {
    /// Only this place; by default every place that answers
    #[arg(long, value_name = "NUMBER")]
    place: Option<u32>,
    /// Bytes that are read in a second [default: fixity.bytes_per_second_max]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    bytes_per_second_max: Option<u64>,
}

impl Fixity {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let budget = self.bytes_per_second_max.unwrap_or(context.config.fixity.bytes_per_second_max);
        let known = archive.coverage().await?;
        let wanted: Vec<_> = known.iter().filter(|one| self.place.is_none_or(|number| number == one.place)).collect();
        if let (Some(number), true) = (self.place, wanted.is_empty()) {
            archive.close().await?;
            return Err(CommandError::usage(
                format!("kho không có nơi lưu số {number}; xem vankho status"),
                format!("the archive has no place {number}; see vankho status"),
            ));
        }
        let mut code = 0;
        for one in wanted {
            let (screen, mut pace) = (&context.screen, Pace::of(budget));
            match or_cancelled(round(&archive, screen, one.place, &mut pace)).await? {
                Some(ended) => {
                    code = code.max(u8::from(ended.faults > 0));
                    screen.answer(|| json!({"place": one.place, "round": ended}), || said(screen, one.place, &ended));
                }
                None => {
                    code = 2;
                    let place = one.place;
                    screen.answer(
                        || json!({"place": place, "away": true}),
                        || match screen.say("vi", "en") {
                            "vi" => format!("{place} {}: không trả lời; chưa kiểm tra, vòng sau làm tiếp", one.name),
                            _ => format!("{place} {}: does not answer; the round goes on when it does", one.name),
                        },
                    );
                }
            }
        }
        archive.close().await?;
        Ok(ExitCode::from(code))
    }
}

/// The round at one place to its end; `None` where the place does not answer.
async fn round(
    archive: &Archive,
    screen: &Screen,
    number: u32,
    pace: &mut Pace,
) -> Result<Option<Round>, ArchiveError> {
    let what = screen.say("Kiểm tra tính toàn vẹn", "Fixity");
    let bar = screen.counting(what, Some(archive.catalog.counts().await?.records));
    loop {
        match fixity::step(archive, number, pace).await? {
            Step::GoesOn { round, found } => {
                bar.set(round.records);
                for fault in found {
                    screen.answer(|| told(number, &fault), || line(screen, number, &fault));
                }
            }
            Step::Ended { round, .. } => {
                bar.finish();
                return Ok(Some(round));
            }
            Step::Away => return Ok(None),
        }
    }
}

fn told(number: u32, fault: &Fault) -> serde_json::Value {
    let Fault { object, damage, mended } = fault;
    let (source, outcome) = match mended {
        Mended::From(source) => (Some(source), "repaired"),
        Mended::Waiting => (None, "waiting"),
        Mended::Lost => (None, "lost"),
        Mended::Ended => (None, "ended"),
    };
    let mut told = json!({
        "place": number, "component": object.component, "fault": damage, "outcome": outcome, "source": source,
    });
    told[object.unit.kind().as_str()] = object.unit.to_string().into();
    told
}

fn line(screen: &Screen, number: u32, fault: &Fault) -> String {
    let Fault { object, damage, mended } = fault;
    let damage = match damage {
        Damage::Altered => screen.say("đã bị thay đổi", "altered"),
        Damage::Missing => screen.say("bị mất", "missing"),
        Damage::Unreadable => screen.say("không đọc được", "cannot be read"),
    };
    let mended = match (mended, screen.say("vi", "en")) {
        (Mended::From(source), "vi") => format!("đã phục hồi từ nơi lưu {source}"),
        (Mended::From(source), _) => format!("repaired from place {source}"),
        (Mended::Waiting, "vi") => "chờ nơi lưu khác trả lời để phục hồi".into(),
        (Mended::Waiting, _) => "waits for another place to answer".into(),
        (Mended::Ended, "vi") => "tài liệu đã có lệnh hủy; không phục hồi".into(),
        (Mended::Ended, _) => "the record was ordered to end; nothing is brought back".into(),
        (Mended::Lost, "vi") => "MẤT: không nơi lưu nào còn bản đúng; lấy lại từ bản sao lưu".into(),
        (Mended::Lost, _) => "LOST: no place has it as it was kept; bring it back from a backup".into(),
    };
    format!("{number}: {} #{}: {damage}; {mended}", object.unit, object.component)
}

fn said(screen: &Screen, number: u32, round: &Round) -> String {
    let Round { records, components, bytes, faults, .. } = round;
    match screen.say("vi", "en") {
        "vi" => {
            format!("{number}: đã đọc lại {records} tài liệu, {components} tệp, {bytes} byte; {faults} lỗi")
        }
        _ => format!("{number}: {records} records, {components} components, {bytes} bytes read again; {faults} faults"),
    }
}

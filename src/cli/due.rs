//! `vankho due`: what falls due, when, and why.

use crate::archive::Archive;
use crate::catalog::retention::{DueFilter, DueUnit, Falling};
use crate::cli::{
    CommandError, Context,
    disposed::{broken, read_day},
    receipt, schedule,
    show::Screen,
};
use crate::disposition;
use crate::record::{
    disposition::{days, transfer::Transfer},
    entry::Instant,
    id::FileId,
    retention::{
        clock::Due,
        day::Day,
        explain::{due_en, due_vi},
    },
    unit::{Kind, Unit},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Rows that are read at once.
const PAGE: u32 = 500;

#[derive(Subcommand)]
pub enum DueCommand {
    /// List what is due by a day, the oldest first / Hồ sơ, tài liệu hết thời hạn lưu trữ
    List(Box<List>),
    /// Why something lives so long, today or on any day in the past / Vì sao, hết thời hạn khi nào
    Explain {
        /// The code of a file, or the identifier of a file or record / Mã hồ sơ hoặc mã tài liệu
        unit: String,
        /// With what was known on this day / Theo những gì đã biết ngày này
        #[arg(long, value_name = "DAY")]
        at: Option<String>,
    },
    /// How much falls due in which year / Dự báo khối lượng hết thời hạn theo năm
    Forecast {
        /// As CSV / Dạng CSV
        #[arg(long)]
        csv: bool,
    },
    /// Permanent records that go to the historical archive / Hồ sơ đến hạn nộp vào lưu trữ lịch sử
    Transfers {
        /// So many of them
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
}

/// What is due by a day
#[derive(Args)]
pub struct List {
    /// By this day; else by today / Đến ngày
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// The code of the fonds / Mã phông
    #[arg(long)]
    fonds: Option<String>,
    /// The schedule, or the number of its source / Bảng thời hạn
    #[arg(long, value_name = "ID")]
    schedule: Option<String>,
    /// The code of the class / Mã mục
    #[arg(long, value_name = "CODE")]
    class: Option<String>,
    /// Files, or loose records / Hồ sơ hoặc tài liệu rời
    #[arg(long, value_parser = ["file", "record"])]
    kind: Option<String>,
    /// Only what is on hold, or is not / Đang tạm dừng hủy
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    held: Option<bool>,
    /// Only what stands on the list of a case, or does not / Đang xem xét hủy
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    considered: Option<bool>,
}

impl DueCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let archive = context.open().await?;
        let done = self.carried_out(&context.screen, &archive).await;
        archive.close().await?;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn carried_out(self, screen: &Screen, archive: &Archive) -> Result<(), CommandError> {
        match self {
            DueCommand::List(list) => list.carried_out(screen, archive).await,
            DueCommand::Explain { unit, at } => explained(screen, archive, &unit, at.as_deref()).await,
            DueCommand::Forecast { csv } => {
                let falling = disposition::forecast(archive).await.map_err(broken)?;
                if csv && !screen.json {
                    screen.line(FALLING_COLUMNS);
                }
                for row in &falling {
                    screen.answer(
                        || falling_json(row),
                        || if csv { falling_csv(row) } else { falling_line(screen, row) },
                    );
                }
                Ok(())
            }
            DueCommand::Transfers { limit } => {
                let found = disposition::transfers(archive, limit as usize).await.map_err(broken)?;
                for (unit, stands) in &found {
                    let told = |mut json: Value| {
                        json["transfer"] = transfer_json(stands);
                        json
                    };
                    screen.answer(
                        || told(unit_json(unit)),
                        || format!("{}\t{}", unit_line(screen, unit), transfer_line(screen, stands)),
                    );
                }
                Ok(())
            }
        }
    }
}

impl List {
    async fn carried_out(self, screen: &Screen, archive: &Archive) -> Result<(), CommandError> {
        let until = self.until.as_deref().map(read_day).transpose()?;
        let schedule = match &self.schedule {
            Some(typed) => Some(schedule::named(archive, typed).await?),
            None => None,
        };
        let kind = self.kind.as_deref().map(|kind| if kind == "file" { Kind::File } else { Kind::Record });
        let filter = DueFilter {
            until: until.unwrap_or_else(|| Day::in_vietnam(archive.clock.now())),
            fonds: self.fonds,
            schedule,
            class: self.class,
            kind,
            held: self.held,
            considered: self.considered,
        };
        let mut after = None;
        loop {
            let (page, next) = archive.catalog.due_list(&filter, after.as_ref(), PAGE).await?;
            for unit in &page {
                screen.answer(|| unit_json(unit), || unit_line(screen, unit));
            }
            match next {
                Some(next) if !page.is_empty() => after = Some(next),
                _ => return Ok(()),
            }
        }
    }
}

/// Why something lives so long.
async fn explained(screen: &Screen, archive: &Archive, typed: &str, at: Option<&str>) -> Result<(), CommandError> {
    let as_of = at.map(|typed| read_day(typed).map(end_of)).transpose()?.flatten();
    let unit = named(archive, typed).await?;
    let told = disposition::explain(archive, unit, as_of).await.map_err(broken)?;
    let told = told.ok_or_else(|| {
        CommandError::usage(
            format!("{typed}: khi đó chưa có trong kho, hoặc mô tả đã bị hủy; xem vankho show --history"),
            format!("{typed}: it was not here then, or its description was destroyed; see vankho show --history"),
        )
    })?;
    let lines = || if screen.say("vi", "en") == "vi" { told.lines_vi() } else { told.lines_en() };
    screen.answer(|| json!(told), || lines().join("\n"));
    Ok(())
}

/// The last moment of a day in Vietnam.
fn end_of(day: Day) -> Option<Instant> {
    format!("{day}T16:59:59.999999Z").parse().ok()
}

/// A file by its code or identifier, else a record.
async fn named(archive: &Archive, typed: &str) -> Result<Unit, CommandError> {
    if let Some(file) = archive.catalog.files_of_code(typed.trim()).await?.first() {
        return Ok(file.file.into());
    }
    if let Ok(file) = typed.trim().parse::<FileId>()
        && archive.catalog.file(file).await?.is_some()
    {
        return Ok(file.into());
    }
    Ok(receipt::named(archive, typed).await?.into())
}

fn unit_json(unit: &DueUnit) -> Value {
    let DueUnit { unit, code, title, fonds, agency, schedule, class, due, records, bytes, held, case, access } = unit;
    json!({"unit": unit, "code": code, "title": title, "fonds": fonds, "agency": agency, "schedule": schedule,
        "class": class, "due": due, "records": records, "bytes": bytes, "held": held, "case": case, "access": access})
}

fn unit_line(screen: &Screen, unit: &DueUnit) -> String {
    let code = unit.code.clone().unwrap_or_else(|| unit.unit.to_string());
    let due = due_line(screen, &unit.due);
    let held = if unit.held { screen.say("\tđang tạm dừng hủy", "\ton hold") } else { "" };
    let case = if unit.case.is_some() { screen.say("\tđang xem xét hủy", "\tconsidered") } else { "" };
    format!("{code}\t{}\t{}\t{due}{held}{case}", unit.title, unit.class.as_deref().unwrap_or("–"))
}

fn due_line(screen: &Screen, due: &Due) -> String {
    if screen.say("vi", "en") == "vi" { due_vi(due) } else { due_en(due) }
}

fn transfer_json(stands: &Transfer) -> Value {
    match stands {
        Transfer::Marked => json!({"stands": "marked"}),
        Transfer::Waits { until } => json!({"stands": "waits", "until": until}),
        Transfer::Due { by, days } => json!({"stands": "due", "by": by, "days": days}),
        Transfer::Overdue { by, days } => json!({"stands": "overdue", "by": by, "days": days}),
    }
}

fn transfer_line(screen: &Screen, stands: &Transfer) -> String {
    let said = |vi, en, day: &u32| format!("{} {}", screen.say(vi, en), days::shown(*day));
    match stands {
        Transfer::Marked => screen.say("chờ giải mật", "waits for its mark to be lifted").to_owned(),
        Transfer::Waits { until } => said("đăng ký nộp lưu từ", "to be registered from", until),
        Transfer::Due { by, .. } => said("nộp trước hết ngày", "to be handed over by", by),
        Transfer::Overdue { by, .. } => said("quá hạn nộp từ", "overdue since", by),
    }
}

const FALLING_COLUMNS: &str = "year,due,schedule,class,fonds,agency,records,bytes";

fn falling_json(row: &Falling) -> Value {
    let Falling { year, due, schedule, class, fonds, agency, records, bytes } = row;
    json!({"year": year, "due": due, "schedule": schedule, "class": class, "fonds": fonds, "agency": agency,
        "records": records, "bytes": bytes})
}

fn falling_csv(row: &Falling) -> String {
    let Falling { year, due, schedule, class, fonds, agency, records, bytes } = row;
    let told = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
    let year = year.map(|year| year.to_string()).unwrap_or_default();
    let schedule = schedule.map(|schedule| schedule.to_string()).unwrap_or_default();
    let (due, class, fonds, agency) = (cell(due), told(class), told(fonds), told(agency));
    format!("{year},{due},{schedule},{class},{fonds},{agency},{records},{bytes}")
}

fn falling_line(screen: &Screen, row: &Falling) -> String {
    let when = match (row.year, row.due.as_str()) {
        (Some(year), _) => year.to_string(),
        (None, "never") => screen.say("vĩnh viễn", "permanent").to_owned(),
        (None, _) => screen.say("chờ", "waiting").to_owned(),
    };
    let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".into());
    format!("{when}\t{}\t{}\t{}\t{} byte", told(&row.class), told(&row.agency), row.records, row.bytes)
}

/// A cell of CSV (RFC 4180). What a spreadsheet would take for a formula is led by an apostrophe.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_no_spreadsheet_takes_for_more() {
        for (text, expected) in [
            ("Sở Nội vụ", "Sở Nội vụ"),
            ("Sở Nội vụ, tỉnh A", "\"Sở Nội vụ, tỉnh A\""),
            ("\"A\"", "\"\"\"A\"\"\""),
            ("=1+1", "'=1+1"),
            ("=1,1", "\"'=1,1\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text}");
        }
    }

    #[test]
    fn a_forecast_as_csv() {
        let row = Falling {
            year: Some(2031),
            due: "on".into(),
            schedule: None,
            class: Some("1.02".into()),
            fonds: None,
            agency: Some("Sở Nội vụ, tỉnh A".into()),
            records: 3,
            bytes: 10,
        };
        assert_eq!(falling_csv(&row), "2031,on,,1.02,,\"Sở Nội vụ, tỉnh A\",3,10");
        assert_eq!(
            falling_csv(&row).split(',').count(),
            FALLING_COLUMNS.split(',').count() + 1,
            "one of them in quotes"
        );
        let never = Falling { year: None, due: "never".into(), agency: None, ..row };
        assert_eq!(falling_csv(&never), ",never,,1.02,,,3,10");
    }

    /// A day of the past ends at midnight in Vietnam.
    #[test]
    fn the_end_of_a_day() {
        let day: Day = "2030-01-01".parse().unwrap();
        let end = end_of(day).unwrap();
        assert_eq!(Day::in_vietnam(end), day);
        assert_eq!(Day::in_vietnam(Instant::from_micros(end.micros() + 1)), day.next());
    }
}

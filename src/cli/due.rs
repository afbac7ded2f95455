//! `vankho due`: what falls due, when, and why.

use crate::catalog::retention::{DueFilter, DueUnit, Falling};
use crate::cli::{
    CommandError, Context,
    acting::{broken, read_day},
    reach::Reach,
    remote::{RemoteError, Server, records::present},
    show::Screen,
};
use crate::disposition::{self, cases};
use crate::record::{
    disposition::{days, transfer::Transfer},
    entry::Instant,
    id::{CaseId, ScheduleId},
    retention::{
        clock::Due,
        day::Day,
        derivation::Derivation,
        explain::{due_en, due_vi},
    },
    unit::{Kind, Unit},
};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Rows that are read at once.
const PAGE: u32 = 500;
/// Units whose transfer a server tells.
const TRANSFERS_MAX: usize = 1000;

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
        let reach = context.reach().await?;
        let done = self.carried_out(&context.screen, &reach).await;
        reach.close().await?;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn carried_out(self, screen: &Screen, reach: &Reach) -> Result<(), CommandError> {
        match self {
            DueCommand::List(list) => list.carried_out(screen, reach).await,
            DueCommand::Explain { unit, at } => explained(screen, reach, &unit, at.as_deref()).await,
            DueCommand::Forecast { csv } => {
                let falling = match reach {
                    Reach::Here(archive) => disposition::forecast(archive).await.map_err(broken)?,
                    Reach::There(server) => server.all("api/v1/due/forecast", "falling").await?,
                };
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
                let found = match reach {
                    Reach::Here(archive) => disposition::transfers(archive, limit as usize).await.map_err(broken)?,
                    Reach::There(server) => transfers_there(server, limit as usize).await?,
                };
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
    async fn carried_out(self, screen: &Screen, reach: &Reach) -> Result<(), CommandError> {
        let until = self.until.as_deref().map(read_day).transpose()?;
        let schedule = match &self.schedule {
            Some(typed) => Some(reach.schedule(typed).await?),
            None => None,
        };
        let archive = match reach {
            Reach::Here(archive) => archive,
            Reach::There(server) => {
                for unit in self.there(server, until, schedule).await? {
                    screen.answer(|| unit_json(&unit), || unit_line(screen, &unit));
                }
                return Ok(());
            }
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

    /// The list as a server tells it.
    async fn there(
        &self,
        server: &Server,
        until: Option<Day>,
        schedule: Option<ScheduleId>,
    ) -> Result<Vec<DueUnit>, RemoteError> {
        let asked: Vec<(&str, String)> = [
            ("until", until.map(|day| day.to_string())),
            ("fonds", self.fonds.clone()),
            ("schedule", schedule.map(|id| id.to_string())),
            ("class", self.class.clone()),
            ("kind", self.kind.clone()),
            ("held", self.held.map(|held| held.to_string())),
            ("considered", self.considered.map(|considered| considered.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
        let question = || server.get("api/v1/due").query(&asked);
        let rows: Vec<Row> = server.rows_of(&question, "due", "cursor").await?;
        rows.into_iter().map(|row| row.read(server)).collect()
    }
}

/// A unit as a server tells it: without the title that one may not read.
#[derive(Deserialize)]
struct Row {
    kind: String,
    unit: String,
    code: Option<String>,
    title: Option<String>,
    fonds: Option<String>,
    agency: Option<String>,
    schedule: Option<ScheduleId>,
    class: Option<String>,
    due: Due,
    records: u64,
    bytes: u64,
    held: bool,
    case: Option<CaseId>,
    access: String,
}

impl Row {
    fn read(self, server: &Server) -> Result<DueUnit, RemoteError> {
        let Row { kind, unit, code, title, fonds, agency, schedule, class, due, records, bytes, held, case, access } =
            self;
        // A unit is one member, named by its kind.
        let unit: Unit = server.read(serde_json::from_value(json!({ kind: unit })))?;
        let title = title.unwrap_or_default();
        Ok(DueUnit { unit, code, title, fonds, agency, schedule, class, due, records, bytes, held, case, access })
    }
}

/// What is permanent, as a server tells it.
#[derive(Deserialize)]
struct Permanent {
    unit: Row,
    transfer: Stands,
}

/// How its transfer stands, with days as people write them.
#[derive(Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Stands {
    Marked,
    Waits { until: Day },
    Due { by: Day, days: i64 },
    Overdue { by: Day, days: i64 },
}

impl From<Stands> for Transfer {
    fn from(stands: Stands) -> Transfer {
        let day = |day: Day| day.to_string().replace('-', "").parse::<u32>().unwrap_or_default();
        match stands {
            Stands::Marked => Transfer::Marked,
            Stands::Waits { until } => Transfer::Waits { until: day(until) },
            Stands::Due { by, days } => Transfer::Due { by: day(by), days },
            Stands::Overdue { by, days } => Transfer::Overdue { by: day(by), days },
        }
    }
}

async fn transfers_there(server: &Server, limit: usize) -> Result<Vec<(DueUnit, Transfer)>, CommandError> {
    if limit > TRANSFERS_MAX {
        return Err(CommandError::usage(
            format!("máy chủ chỉ trả lời {TRANSFERS_MAX} dòng; giảm --limit, hoặc chạy trên máy có kho"),
            format!("a server tells {TRANSFERS_MAX} rows; lower --limit, or run it where the archive is"),
        ));
    }
    let rows: Vec<Permanent> = server.all("api/v1/due/transfers", "transfers").await?;
    let told = |row: Permanent| Ok::<(DueUnit, Transfer), CommandError>((row.unit.read(server)?, row.transfer.into()));
    rows.into_iter().take(limit).map(told).collect()
}

/// Why something lives so long.
async fn explained(screen: &Screen, reach: &Reach, typed: &str, at: Option<&str>) -> Result<(), CommandError> {
    let at = at.map(read_day).transpose()?;
    let unit = reach.unit(typed).await?;
    let told: Option<Derivation> = match reach {
        Reach::Here(archive) => {
            disposition::explain(archive, cases::unit_of(unit), at.and_then(end_of)).await.map_err(broken)?
        }
        Reach::There(server) => {
            let unit = cases::unit_of(unit);
            let mut question = server.get(&format!("api/v1/due/{}/{unit}", unit.kind().as_str()));
            if let Some(day) = at {
                question = question.query(&[("at", day.to_string())]);
            }
            match present(server.member(question, "derivation").await)? {
                Some(derivation) => Some(server.read(serde_json::from_value(derivation))?),
                None => None,
            }
        }
    };
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

fn unit_json(unit: &DueUnit) -> Value {
    let DueUnit { unit, code, title, fonds, agency, schedule, class, due, records, bytes, held, case, access } = unit;
    // What one may not read has no title here.
    let title = Some(title).filter(|title| !title.is_empty());
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
    let said = |vi: &'static str, en, day: &u32| format!("{} {}", screen.say(vi, en), days::shown(*day));
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

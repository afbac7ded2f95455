//! `vankho hold`: holds (tạm dừng hủy) are placed, listed and released.

use crate::access::saved;
use crate::catalog::holds::KnownHold;
use crate::cli::{
    CommandError, Context,
    acting::{Acting, broken},
    reach::{Reach, id},
    show::Screen,
};
use crate::disposition::holds::{self, HoldAsked};
use crate::record::{
    access::Reader,
    entry::Instant,
    hold::{Hold, Reason, Scope},
    id::{ActorId, HoldId, RecordId},
    unit::{Kind, Unit},
};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{process::ExitCode, sync::Arc};

/// Placements that are read at once.
const PAGE: u32 = 500;

/// Holds, and in whose name.
#[derive(Args)]
pub struct HoldCommand {
    #[command(flatten)]
    acting: Acting,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List every hold, the newest first / Danh sách lệnh tạm dừng hủy
    List {
        /// Released ones too / Cả lệnh đã gỡ
        #[arg(long)]
        all: bool,
    },
    /// Show a hold and what it lies on / Xem một lệnh
    Show { hold: String },
    /// Place a hold: nothing of it is destroyed until it is released / Tạm dừng hủy
    Place(Box<Place>),
    /// Release a hold: not who asked for it / Gỡ tạm dừng hủy
    Release {
        hold: String,
        /// Why / Lý do
        #[arg(long)]
        reason: String,
    },
}

/// Place a hold
#[derive(Args)]
struct Place {
    /// Who demands it, with the number of the document / Cơ quan yêu cầu, số văn bản
    #[arg(long)]
    authority: String,
    /// litigation, investigation, inspection, complaint, request, research, authority / Loại lý do
    #[arg(long, value_name = "CODE")]
    reason: String,
    /// The reason in words / Lý do
    #[arg(long)]
    text: String,
    /// Who asked for it, where it is another: a name of an account / Người yêu cầu
    #[arg(long, value_name = "NAME")]
    asked_by: Option<String>,
    #[command(flatten)]
    on: On,
    /// And what the search finds among later arrivals / Cả tài liệu đến sau
    #[arg(long, requires = "search")]
    later: bool,
}

/// On what.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct On {
    /// A record / Tài liệu
    #[arg(long, value_name = "ID")]
    record: Option<String>,
    /// A file by its code or identifier / Hồ sơ
    #[arg(long, value_name = "CODE")]
    file: Option<String>,
    /// A fonds by its code / Phông
    #[arg(long, value_name = "CODE")]
    fonds: Option<String>,
    /// Everything that these words find / Kết quả tìm
    #[arg(long, value_name = "QUERY")]
    search: Option<String>,
}

impl HoldCommand {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        self.acting.expect_nobody(context)?;
        let reach = context.reach().await?;
        let done = self.carried_out(context, &reach).await;
        reach.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, reach: &Reach) -> Result<ExitCode, CommandError> {
        let HoldCommand { acting, what } = self;
        match what {
            What::List { all } => listed(&context.screen, reach, all).await,
            What::Show { hold } => shown(&context.screen, reach, id(&hold, "hold list")?).await,
            What::Place(place) => place.carried_out(context, reach, &acting).await,
            What::Release { hold, reason } => {
                let id: HoldId = id(&hold, "hold list")?;
                match reach {
                    Reach::Here(archive) => {
                        let who = acting.who(context, archive).await?;
                        acting.told(context, holds::release_hold(archive, &who, id, &reason).await)
                    }
                    Reach::There(server) => {
                        let path = format!("api/v1/holds/{id}/release");
                        acting.told(context, server.act_with(Kind::Hold, &path, &json!({"reason": reason})).await)
                    }
                }
            }
        }
    }
}

impl Place {
    async fn carried_out(self, context: &Context, reach: &Reach, acting: &Acting) -> Result<ExitCode, CommandError> {
        let reason = read_reason(&self.reason)?;
        let scope = self.on.scope(reach, self.later).await?;
        let asked_by = match &self.asked_by {
            Some(name) => Some(reach.actor(name).await?),
            None => None,
        };
        let Place { authority, text: reason_text, .. } = self;
        match reach {
            Reach::Here(archive) => {
                let found: Vec<RecordId> = match &scope {
                    Scope::Search { query, .. } => saved::found(archive, query, Reader::Archivist)
                        .await
                        .map_err(|error| CommandError::Usage(error.to_string()))?,
                    _ => Vec::new(),
                };
                let who = acting.who(context, archive).await?;
                let asked = HoldAsked { authority, reason, reason_text, scope, asked_by };
                acting.told(context, holds::place_hold(archive, &who, asked, &found).await)
            }
            Reach::There(server) => {
                let asked = json!({"authority": authority, "reason": reason, "reason_text": reason_text,
                    "scope": scope, "asked_by": asked_by});
                acting.told(context, server.act_with(Kind::Hold, "api/v1/holds", &asked).await)
            }
        }
    }
}

impl On {
    async fn scope(&self, reach: &Reach, later_arrivals: bool) -> Result<Scope, CommandError> {
        Ok(match (&self.record, &self.file, &self.fonds, &self.search) {
            (Some(typed), ..) => Scope::Record { record: reach.record(typed).await? },
            (_, Some(typed), ..) => Scope::File { file: reach.file_named(typed).await? },
            (_, _, Some(typed), _) => Scope::Fonds { fonds: reach.fonds(typed).await? },
            (.., search) => Scope::Search { query: search.clone().unwrap_or_default(), later_arrivals },
        })
    }
}

fn read_reason(typed: &str) -> Result<Reason, CommandError> {
    Reason::ALL.iter().find(|reason| reason.as_str() == typed).copied().ok_or_else(|| {
        let all: Vec<String> =
            Reason::ALL.iter().map(|reason| format!("{} ({})", reason.as_str(), reason.vi())).collect();
        CommandError::usage(
            format!("{typed}: không phải là loại lý do; chọn một trong: {}", all.join(", ")),
            format!("{typed} is no reason; choose one of these"),
        )
    })
}

/// A hold of the list, here and as a server tells it.
#[derive(Serialize, Deserialize)]
struct Row {
    hold: HoldId,
    at: Instant,
    scope: String,
    authority: String,
    reason: Reason,
    asked_by: ActorId,
    released: Option<Instant>,
    placed: u64,
}

impl From<KnownHold> for Row {
    fn from(known: KnownHold) -> Row {
        let KnownHold { hold, at, scope, authority, reason, asked_by, released, placed, .. } = known;
        Row { hold, at, scope, authority, reason, asked_by, released, placed }
    }
}

async fn listed(screen: &Screen, reach: &Reach, all: bool) -> Result<ExitCode, CommandError> {
    let rows: Vec<Row> = match reach {
        Reach::Here(archive) => archive.catalog.holds().await?.into_iter().map(Row::from).collect(),
        Reach::There(server) => server.all("api/v1/holds", "holds").await?,
    };
    for hold in rows.iter().filter(|hold| all || hold.released.is_none()) {
        let Row { hold: id, at, authority, reason, released, placed, .. } = hold;
        screen.answer(
            || json!(hold),
            || {
                let state = if released.is_some() { screen.say("đã gỡ", "released") } else { "" };
                let reason = screen.say(reason.vi(), reason.en());
                format!("{id}\t{}\t{authority}\t{reason}\t{placed}\t{state}", at.day())
            },
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// That a hold lies on something, as a server tells it.
#[derive(Deserialize)]
struct Placed {
    kind: String,
    unit: String,
    entry: u64,
    at: Instant,
    released: Option<u64>,
}

async fn shown(screen: &Screen, reach: &Reach, id: HoldId) -> Result<ExitCode, CommandError> {
    let (hold, json): (Arc<Hold>, Value) = match reach {
        Reach::Here(archive) => {
            let (hold, _) = holds::hold(archive, id).await.map_err(broken)?.ok_or_else(|| {
                CommandError::usage(
                    format!("không có lệnh tạm dừng hủy {id}; xem `vankho hold list`"),
                    format!("no hold {id}; see `vankho hold list`"),
                )
            })?;
            (hold.clone(), json!(*hold))
        }
        Reach::There(server) => {
            let json = server.member(server.get(&format!("api/v1/holds/{id}")), "hold").await?;
            (Arc::new(server.kept(&json)?), json)
        }
    };
    screen.answer(
        || json!({"hold": json}),
        || {
            let reason = screen.say(hold.reason.vi(), hold.reason.en());
            let released =
                hold.released.as_ref().map(|one| format!("\n{}: {}", screen.say("Đã gỡ", "Released"), one.reason));
            format!("{id}\t{}\t{reason}: {}{}", hold.authority, hold.reason_text, released.unwrap_or_default())
        },
    );
    let tell = |unit: Unit, entry: u64, at: Instant, released: Option<u64>| {
        let kind = screen.say(unit.kind().vi(), unit.kind().as_str());
        screen.answer(
            || json!({"placed": unit, "entry": entry, "at": at, "released": released}),
            || format!("  {kind}\t{unit}\t{entry}"),
        );
    };
    let archive = match reach {
        Reach::Here(archive) => archive,
        Reach::There(server) => {
            for Placed { kind, unit, entry, at, released } in
                server.rows(&format!("api/v1/holds/{id}"), "placements", "from").await?
            {
                tell(server.read(serde_json::from_value(json!({ kind: unit })))?, entry, at, released);
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut from = 0;
    loop {
        let page = archive.catalog.placements(id, from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(ExitCode::SUCCESS) };
        from = last.seq + 1;
        page.iter().for_each(|one| tell(one.unit, one.seq, one.at, one.released));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_codes() {
        for reason in Reason::ALL {
            assert_eq!(read_reason(reason.as_str()).ok(), Some(*reason));
        }
        assert!(read_reason("because").is_err());
    }
}

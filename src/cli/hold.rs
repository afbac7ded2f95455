//! `vankho hold`: holds (tạm dừng hủy) are placed, listed and released.

use crate::archive::Archive;
use crate::catalog::holds::KnownHold;
use crate::cli::{
    CommandError, Context,
    acting::{self, Acting},
    disposed::broken,
    fonds, receipt,
    show::Screen,
};
use crate::disposition::holds::{self, HoldAsked};
use crate::record::{
    hold::{Reason, Scope},
    id::{HoldId, RecordId},
};
use crate::worker::disposition::found;
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

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
        let archive = context.open().await?;
        let done = self.carried_out(context, &archive).await;
        archive.close().await?;
        done
    }

    async fn carried_out(self, context: &Context, archive: &Archive) -> Result<ExitCode, CommandError> {
        let HoldCommand { acting, what } = self;
        match what {
            What::List { all } => listed(&context.screen, archive, all).await,
            What::Show { hold } => shown(&context.screen, archive, acting::id(&hold, "hold list")?).await,
            What::Place(place) => place.carried_out(context, archive, &acting).await,
            What::Release { hold, reason } => {
                let (id, who) = (acting::id(&hold, "hold list")?, acting.who(context, archive).await?);
                acting.told(&context.screen, holds::release_hold(archive, &who, id, &reason).await)
            }
        }
    }
}

impl Place {
    async fn carried_out(
        self,
        context: &Context,
        archive: &Archive,
        acting: &Acting,
    ) -> Result<ExitCode, CommandError> {
        let reason = read_reason(&self.reason)?;
        let (scope, found) = self.on.scope(archive, self.later).await?;
        let asked_by = match &self.asked_by {
            Some(name) => Some(acting::actor(archive, name).await?),
            None => None,
        };
        let who = acting.who(context, archive).await?;
        let Place { authority, text: reason_text, .. } = self;
        let asked = HoldAsked { authority, reason, reason_text, scope, asked_by };
        acting.told(&context.screen, holds::place_hold(archive, &who, asked, &found).await)
    }
}

impl On {
    async fn scope(&self, archive: &Archive, later: bool) -> Result<(Scope, Vec<RecordId>), CommandError> {
        let scope = match (&self.record, &self.file, &self.fonds, &self.search) {
            (Some(typed), ..) => Scope::Record { record: receipt::named(archive, typed).await? },
            (_, Some(typed), ..) => match acting::file(archive, typed).await? {
                Some(file) => Scope::File { file },
                None => {
                    return Err(CommandError::usage(
                        format!("không có hồ sơ nào mang mã {typed}; xem vankho file list MÃ_PHÔNG"),
                        format!("no file has the code {typed}; see vankho file list FONDS"),
                    ));
                }
            },
            (_, _, Some(typed), _) => Scope::Fonds { fonds: fonds::named(archive, typed).await?.fonds },
            (.., search) => {
                let query = search.clone().unwrap_or_default();
                // An empty one would find everything; the rule of holds refuses it.
                let found = if query.trim().is_empty() { Vec::new() } else { found(archive, &query).await? };
                return Ok((Scope::Search { query, later_arrivals: later }, found));
            }
        };
        Ok((scope, Vec::new()))
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

async fn listed(screen: &Screen, archive: &Archive, all: bool) -> Result<ExitCode, CommandError> {
    for hold in archive.catalog.holds().await?.iter().filter(|hold| all || hold.released.is_none()) {
        let KnownHold { hold: id, at, scope, authority, reason, asked_by, released, placed, .. } = hold;
        screen.answer(
            || {
                json!({"hold": id, "at": at, "scope": scope, "authority": authority, "reason": reason,
                    "asked_by": asked_by, "released": released, "placed": placed})
            },
            || {
                let state = if released.is_some() { screen.say("đã gỡ", "released") } else { "" };
                let reason = screen.say(reason.vi(), reason.en());
                format!("{id}\t{}\t{authority}\t{reason}\t{placed}\t{state}", at.day())
            },
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn shown(screen: &Screen, archive: &Archive, id: HoldId) -> Result<ExitCode, CommandError> {
    let (hold, _) = holds::hold(archive, id).await.map_err(broken)?.ok_or_else(|| {
        CommandError::usage(
            format!("không có lệnh tạm dừng hủy {id}; xem `vankho hold list`"),
            format!("no hold {id}; see `vankho hold list`"),
        )
    })?;
    screen.answer(
        || json!({"hold": *hold}),
        || {
            let reason = screen.say(hold.reason.vi(), hold.reason.en());
            let released =
                hold.released.as_ref().map(|one| format!("\n{}: {}", screen.say("Đã gỡ", "Released"), one.reason));
            format!("{id}\t{}\t{reason}: {}{}", hold.authority, hold.reason_text, released.unwrap_or_default())
        },
    );
    let mut from = 0;
    loop {
        let page = archive.catalog.placements(id, from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(ExitCode::SUCCESS) };
        from = last.seq + 1;
        for one in &page {
            screen.answer(
                || json!({"placed": one.unit, "entry": one.seq, "at": one.at, "released": one.released}),
                || {
                    format!(
                        "  {}\t{}\t{}",
                        screen.say(one.unit.kind().vi(), one.unit.kind().as_str()),
                        one.unit,
                        one.seq
                    )
                },
            );
        }
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

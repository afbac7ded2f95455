//! Cases as `vankho case` lists and shows them, and as a server is asked to act on one.

use crate::catalog::holds::KnownCase;
use crate::cli::{
    CommandError, Context,
    acting::{self, Undone, broken},
    actor, papers,
    reach::Reach,
    remote::Server,
    show::Screen,
};
use crate::disposition::cases;
use crate::record::{
    disposition::{
        act::Act,
        case::{Case, Stage},
        days,
    },
    entry::Instant,
    id::CaseId,
    unit::Kind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{process::ExitCode, sync::Arc};

/// A case of the list, here and as a server tells it.
#[derive(Serialize, Deserialize)]
struct Row {
    case: CaseId,
    at: Instant,
    agency: String,
    stage: Stage,
    listed: u32,
    decided_on: Option<Instant>,
}

impl From<KnownCase> for Row {
    fn from(known: KnownCase) -> Row {
        let KnownCase { case, at, agency, stage, listed, decided_on, .. } = known;
        Row { case, at, agency, stage, listed, decided_on }
    }
}

pub async fn listed(screen: &Screen, reach: &Reach) -> Result<ExitCode, CommandError> {
    let rows: Vec<Row> = match reach {
        Reach::Here(archive) => archive.catalog.cases().await?.into_iter().map(Row::from).collect(),
        Reach::There(server) => server.all("api/v1/cases", "cases").await?,
    };
    for case in &rows {
        let Row { case: id, at, agency, stage, listed, .. } = case;
        screen.answer(
            || json!(case),
            || format!("{id}\t{}\t{agency}\t{}\t{listed}", at.day(), papers::stage(screen, *stage)),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A case as it stands; and as it is shown for scripts.
pub async fn in_force(reach: &Reach, id: CaseId) -> Result<(Arc<Case>, Value), CommandError> {
    match reach {
        Reach::Here(archive) => {
            let (case, _) = cases::case(archive, id).await.map_err(broken)?.ok_or_else(|| {
                CommandError::usage(
                    format!("không có hồ sơ xét hủy {id}; xem `vankho case list`"),
                    format!("no case {id}; see `vankho case list`"),
                )
            })?;
            let json = json!(*case);
            Ok((case, json))
        }
        Reach::There(server) => {
            let json = server.member(server.get(&format!("api/v1/cases/{id}")), "case").await?;
            Ok((Arc::new(server.kept(&json)?), json))
        }
    }
}

pub async fn shown(screen: &Screen, reach: &Reach, id: CaseId) -> Result<ExitCode, CommandError> {
    let (case, json) = in_force(reach, id).await?;
    let mut json = json!({"case": json});
    let mut until = None;
    // The days of execution are set where the archive is: a server does not tell them.
    if let Reach::Here(archive) = reach {
        let rules = &archive.config.disposition;
        until = case.execution_until(rules.execution_days_max);
        json["execution_until"] = json!(until);
        json["execution_days_left"] = json!(case.execution_reminder(days::day_of(archive.clock.now()), rules));
    }
    screen.answer(
        || json,
        || {
            let mut lines = vec![format!("{}\t{}\t{}", case.case, case.agency, papers::stage(screen, case.stage))];
            lines.extend(until.map(|day| {
                format!("{} {}", screen.say("Thực hiện trước hết ngày", "To be executed by"), days::shown(day))
            }));
            lines.extend(case.listed.iter().map(|listed| {
                let (vi, en) = listed.status();
                let opinions = listed.opinions.len();
                format!("  {}\t{}\t{opinions}", cases::unit_of(listed.unit), screen.say(vi, en))
            }));
            lines.join("\n")
        },
    );
    Ok(ExitCode::SUCCESS)
}

/// Sends an act on a case.
pub async fn ask(server: &Server, id: CaseId, asked: &Value) -> Result<acting::Told, Undone> {
    server.act_with(Kind::Case, &format!("api/v1/cases/{id}/acts"), asked).await
}

/// An act as a server is asked for it; who decides gives their password once more.
pub fn asked(context: &Context, act: &Act) -> Result<Value, CommandError> {
    let mut asked = match act {
        Act::TakeOff { unit, reason } | Act::Spare { unit, reason } => json!({"unit": unit, "reason": reason}),
        Act::SetUpCouncil { council } => json!({"council": council}),
        Act::Opine { unit, outcome, reason } => json!({"unit": unit, "outcome": outcome, "reason": reason}),
        Act::EndReview { minutes } | Act::HandOver { minutes } | Act::Close { minutes } => json!({"minutes": minutes}),
        Act::Propose { unit, outcome, reason, votes } => {
            json!({"unit": unit, "outcome": outcome, "reason": reason, "votes": votes})
        }
        Act::Reconsider { reason } | Act::SendBack { reason } => json!({"reason": reason}),
        Act::Appraise { appraisal, reason } => json!({"appraisal": appraisal, "reason": reason}),
        Act::Decide { paper, spared, reason } => {
            let password = actor::ask(context)?;
            json!({"paper": paper, "spared": spared, "reason": reason, "password": *password})
        }
        // Listed and ordered at addresses of their own, and what the archive does itself.
        Act::List { unit, .. } | Act::Order { unit } | Act::Destroyed { unit, .. } => json!({"unit": unit}),
    };
    asked["act"] = json!(act.as_str());
    Ok(asked)
}

//! What a case is after an act: the one function that changes a case, and who may do which act.

use crate::record::{
    actor::Role,
    disposition::{
        act::{Act, Facts, Who},
        case::{Case, Stage, Trace},
        council, decision, listing,
        refusal::Refusal,
    },
    entry::Instant,
};

/// The case after an act, or why it may not be done and what to do instead.
pub fn after(case: &Case, act: &Act, who: &Who, facts: &Facts, at: Instant) -> Result<Case, Refusal> {
    if case.stage == Stage::Closed {
        return Err(Refusal::Closed);
    }
    if !may(who.role, act) {
        return Err(Refusal::NotYours);
    }
    let mut next = case.clone();
    match act {
        Act::List { .. } | Act::TakeOff { .. } => listing::list(&mut next, act, facts, at)?,
        Act::SetUpCouncil { .. }
        | Act::Opine { .. }
        | Act::EndReview { .. }
        | Act::Propose { .. }
        | Act::Reconsider { .. }
        | Act::Appraise { .. } => council::review(&mut next, act, who, facts)?,
        Act::Decide { .. } | Act::SendBack { .. } | Act::Spare { .. } => {
            decision::decide(&mut next, act, who, facts, at)?;
        }
        Act::HandOver { .. } | Act::Order { .. } | Act::Destroyed { .. } | Act::Close { .. } => {
            decision::execute(&mut next, act, facts, at)?;
        }
    }
    let reason = act.reason().map(str::to_owned);
    next.trace.push(Trace { at, by: who.actor, act: act.as_str().into(), unit: act.unit(), reason });
    Ok(next)
}

/// Which roles do which acts. Being of the council is asked besides; the administrator of the machine does none of it.
fn may(role: Role, act: &Act) -> bool {
    match act {
        // Whoever is on the council gives an opinion, whatever they do otherwise.
        Act::Opine { .. } | Act::Propose { .. } | Act::Reconsider { .. } | Act::EndReview { .. } => {
            !matches!(role, Role::Administrator | Role::Auditor)
        }
        Act::Decide { .. } | Act::SendBack { .. } | Act::Spare { .. } => role == Role::Head,
        Act::SetUpCouncil { .. } => matches!(role, Role::Head | Role::Archivist | Role::RecordsClerk),
        Act::List { .. }
        | Act::TakeOff { .. }
        | Act::Appraise { .. }
        | Act::HandOver { .. }
        | Act::Order { .. }
        | Act::Destroyed { .. }
        | Act::Close { .. } => matches!(role, Role::Archivist | Role::RecordsClerk),
    }
}

#[cfg(test)]
mod tests;

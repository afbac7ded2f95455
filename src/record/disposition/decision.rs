//! The decision of the competent head, and its execution.
//!
//! TT 06/2025/TT-BNV: the head decides; pack and move, minutes of handing over, destruction, minutes of destruction, within
//! 15 days after the decision.

use crate::record::{
    digest::Digest,
    disposition::{
        act::{Act, Facts, Who},
        case::{Case, Decision, Listed, Outcome, Paper, Stage, Unit},
        council,
        listing::has_ground,
        refusal::Refusal,
    },
    entry::Instant,
};

/// An act of the head.
pub fn decide(case: &mut Case, act: &Act, who: &Who, facts: &Facts, at: Instant) -> Result<(), Refusal> {
    match act {
        Act::Decide { paper, spared, .. } => {
            let reason = if spared.is_empty() { Some("") } else { act.reason() };
            reason.ok_or(Refusal::NoReason)?;
            apart(case, who, facts, at)?;
            decided(case, paper, spared, facts, at)?;
            let (paper, authenticated) = (paper.clone(), who.authenticated.ok_or(Refusal::NotFresh)?);
            case.decision = Some(Decision { paper, by: who.actor, at, authenticated });
            case.stage = Stage::Decided;
            Ok(())
        }
        Act::SendBack { .. } => {
            act.reason().ok_or(Refusal::NoReason)?;
            council::reconsider(case)
        }
        Act::Spare { unit, .. } => {
            act.reason().ok_or(Refusal::NoReason)?;
            spare(case, *unit)
        }
        _ => Err(Refusal::NotThisStage),
    }
}

/// "The competent head decides, never one who reviewed, with re-authentication."
fn apart(case: &Case, who: &Who, facts: &Facts, at: Instant) -> Result<(), Refusal> {
    if case.reviewers.contains(&who.actor) {
        return Err(Refusal::Reviewer);
    }
    if !who.is_fresh(facts.rules.fresh_seconds_max, at) { Err(Refusal::NotFresh) } else { Ok(()) }
}

/// Every unit gets what the council proposed, but spared ones are kept longer. Nothing is decided to be destroyed that has
/// lost its ground since it was listed, or that is on hold: such a unit is spared, or the case goes back.
fn decided(case: &mut Case, paper: &Paper, spared: &[Unit], facts: &Facts, at: Instant) -> Result<(), Refusal> {
    match case.stage {
        Stage::Appraised => {}
        Stage::Proposed if case.needs_appraisal() => return Err(Refusal::NoAppraisal),
        Stage::Proposed => {}
        _ => return Err(Refusal::NotThisStage),
    }
    if !paper.is_numbered() {
        return Err(Refusal::NoPaper);
    }
    if spared.iter().any(|unit| case.find(*unit).is_none()) {
        return Err(Refusal::NotListed);
    }
    for listed in &mut case.listed {
        let proposal = listed.proposal.as_ref().ok_or(Refusal::NotProposed)?;
        let outcome = match spared.contains(&listed.unit) {
            true => Outcome::KeepLonger { until: None },
            false => proposal.outcome.clone(),
        };
        if outcome == Outcome::Destroy {
            let known = facts.units.get(&listed.unit).ok_or(Refusal::NotKnown)?;
            has_ground(&listed.ground, known, at)?;
            known.holds.is_empty().then_some(()).ok_or(Refusal::OnHold)?;
        }
        listed.decided = Some(outcome);
    }
    Ok(())
}

/// What was decided and is not ordered yet may still be left out: a hold came, or an error was seen.
fn spare(case: &mut Case, unit: Unit) -> Result<(), Refusal> {
    if case.stage != Stage::Decided {
        return Err(Refusal::NotThisStage);
    }
    let listed = case.find_mut(unit).ok_or(Refusal::NotListed)?;
    if listed.ordered.is_some() {
        return Err(Refusal::TooLate);
    }
    listed.decided = Some(Outcome::KeepLonger { until: None });
    Ok(())
}

/// An act of whoever executes the decision.
pub fn execute(case: &mut Case, act: &Act, facts: &Facts, at: Instant) -> Result<(), Refusal> {
    if case.stage != Stage::Decided {
        return Err(if matches!(act, Act::Order { .. }) { Refusal::NotDecided } else { Refusal::NotThisStage });
    }
    match act {
        Act::HandOver { minutes } => {
            minutes.is_dated().then_some(()).ok_or(Refusal::NoPaper)?;
            case.handover = Some(minutes.clone());
            Ok(())
        }
        Act::Order { unit } => order(case, *unit, facts, at),
        Act::Destroyed { unit, certificates } => destroyed(case, *unit, certificates),
        Act::Close { minutes } => close(case, minutes),
        _ => Err(Refusal::NotThisStage),
    }
}

/// The point of no return. Everything is asked once more; `crate::record::disposition::order` asks it again of the ledger
/// at the commit itself.
fn order(case: &mut Case, unit: Unit, facts: &Facts, at: Instant) -> Result<(), Refusal> {
    let handed_over = case.handover.is_some() || !facts.rules.handover_first;
    let listed = case.find_mut(unit).ok_or(Refusal::NotListed)?;
    if listed.ordered.is_some() {
        return Err(Refusal::AlreadyOrdered);
    }
    if !listed.is_to_be_destroyed() {
        return Err(Refusal::NotDecided);
    }
    let known = facts.units.get(&unit).ok_or(Refusal::NotKnown)?;
    known.holds.is_empty().then_some(()).ok_or(Refusal::OnHold)?;
    has_ground(&listed.ground, known, at)?;
    handed_over.then_some(()).ok_or(Refusal::NoHandover)?;
    listed.ordered = Some(at);
    Ok(())
}

fn destroyed(case: &mut Case, unit: Unit, certificates: &[Digest]) -> Result<(), Refusal> {
    let listed = case.find_mut(unit).ok_or(Refusal::NotListed)?;
    match listed.ordered {
        None => Err(Refusal::NotOrdered),
        Some(_) if !listed.certificates.is_empty() => Err(Refusal::AlreadyGone),
        Some(_) if certificates.is_empty() => Err(Refusal::Unfinished),
        Some(_) => {
            listed.certificates = certificates.to_vec();
            Ok(())
        }
    }
}

/// A case is closed with the minutes of destruction, when nothing is left to be destroyed; where nothing was, with those
/// of the meeting, which it has.
fn close(case: &mut Case, minutes: &Paper) -> Result<(), Refusal> {
    if case.listed.iter().any(Listed::is_unfinished) {
        return Err(Refusal::Unfinished);
    }
    minutes.is_dated().then_some(()).ok_or(Refusal::NoPaper)?;
    case.destruction = Some(minutes.clone());
    case.stage = Stage::Closed;
    Ok(())
}

//! The review: a council is set up, gives its opinions, meets, and proposes; the competent body appraises.
//!
//! TT 06/2025/TT-BNV: Hội đồng xét hủy; TT 05/2025/TT-BNV art. 49: it works inside the system.

use crate::record::{
    disposition::{
        act::{Act, Facts, Who},
        case::{Appraisal, Case, Council, Opinion, Outcome, Paper, Proposal, Stage, Unit, Votes},
        refusal::Refusal,
    },
    id::ActorId,
};
use std::collections::BTreeSet;

/// An act of the review.
pub fn review(case: &mut Case, act: &Act, who: &Who, facts: &Facts) -> Result<(), Refusal> {
    let reason = || act.reason().ok_or(Refusal::NoReason);
    match act {
        Act::SetUpCouncil { council } => set_up(case, council, facts),
        Act::Opine { unit, outcome, .. } => opine(case, *unit, outcome, reason()?, who),
        Act::EndReview { minutes } => end(case, minutes, who),
        Act::Propose { unit, outcome, votes, .. } => propose(case, *unit, outcome, (reason()?, *votes), who),
        Act::Reconsider { .. } => {
            reason()?;
            member_of(case, who.actor)?;
            reconsider(case)
        }
        Act::Appraise { appraisal, .. } => appraise(case, appraisal, act.reason()),
        _ => Err(Refusal::NotThisStage),
    }
}

/// A council has a chair and members, each once, and was set up by a decision with a number. Set up anew it begins anew;
/// who was of the former one stays a reviewer.
fn set_up(case: &mut Case, council: &Council, facts: &Facts) -> Result<(), Refusal> {
    if case.stage > Stage::Council {
        return Err(Refusal::NotThisStage);
    }
    if !council.paper.is_numbered() {
        return Err(Refusal::NoPaper);
    }
    let people: BTreeSet<ActorId> = council.people().collect();
    let enough = people.len() >= usize::from(facts.rules.council_people_min);
    if people.len() != council.members.len() + 1 || !enough {
        return Err(Refusal::NoCouncil);
    }
    case.reviewers.extend(people);
    case.listed.iter_mut().for_each(|listed| listed.opinions.clear());
    case.council = Some(council.clone());
    case.stage = Stage::Council;
    Ok(())
}

fn member_of(case: &Case, actor: ActorId) -> Result<&Council, Refusal> {
    let council = case.council.as_ref().ok_or(Refusal::NoCouncil)?;
    if council.people().any(|person| person == actor) { Ok(council) } else { Err(Refusal::NotOfTheCouncil) }
}

fn opine(case: &mut Case, unit: Unit, outcome: &Outcome, reason: &str, who: &Who) -> Result<(), Refusal> {
    member_of(case, who.actor)?;
    if case.stage != Stage::Council {
        return Err(Refusal::NotThisStage);
    }
    let listed = case.find_mut(unit).ok_or(Refusal::NotListed)?;
    listed.opinions.retain(|opinion| opinion.by != who.actor);
    listed.opinions.push(Opinion { by: who.actor, outcome: outcome.clone(), reason: reason.into() });
    Ok(())
}

/// The review ends when the council has met: with minutes of a day, and for every unit the opinion of the chair and of
/// more than half of the council.
fn end(case: &mut Case, minutes: &Paper, who: &Who) -> Result<(), Refusal> {
    let council = member_of(case, who.actor)?;
    if case.stage != Stage::Council {
        return Err(Refusal::NotThisStage);
    }
    if !minutes.is_dated() {
        return Err(Refusal::NoPaper);
    }
    let (chair, people) = (council.chair, council.members.len() + 1);
    let heard = |opinions: &[Opinion]| opinions.iter().any(|one| one.by == chair) && opinions.len() * 2 > people;
    if case.listed.is_empty() || !case.listed.iter().all(|listed| heard(&listed.opinions)) {
        return Err(Refusal::NotReviewed);
    }
    case.minutes = Some(minutes.clone());
    case.stage = Stage::Reviewed;
    Ok(())
}

/// The chair writes down what the council proposes, each with its reason and with how they voted: more than half of those
/// who voted agree, and nobody voted who is not of the council. With the last unit the case is proposed.
fn propose(
    case: &mut Case,
    unit: Unit,
    outcome: &Outcome,
    (reason, votes): (&str, Votes),
    who: &Who,
) -> Result<(), Refusal> {
    let council = member_of(case, who.actor)?;
    if council.chair != who.actor {
        return Err(Refusal::NotOfTheCouncil);
    }
    if !matches!(case.stage, Stage::Reviewed | Stage::Proposed) {
        return Err(Refusal::NotThisStage);
    }
    let cast = [votes.agree, votes.against, votes.abstained].map(usize::from).iter().sum::<usize>();
    if cast > council.members.len() + 1 || usize::from(votes.agree) * 2 <= cast {
        return Err(Refusal::NoVotes);
    }
    let listed = case.find_mut(unit).ok_or(Refusal::NotListed)?;
    listed.proposal = Some(Proposal { outcome: outcome.clone(), reason: reason.into(), votes });
    if case.listed.iter().all(|listed| listed.proposal.is_some()) {
        case.stage = Stage::Proposed;
    }
    Ok(())
}

/// Back to the council: what it had proposed, and what was said of that, is gone; its opinions are not.
pub fn reconsider(case: &mut Case) -> Result<(), Refusal> {
    if !matches!(case.stage, Stage::Reviewed | Stage::Proposed | Stage::Appraised) {
        return Err(Refusal::NotThisStage);
    }
    case.listed.iter_mut().for_each(|listed| listed.proposal = None);
    (case.minutes, case.appraisal, case.stage) = (None, None, Stage::Council);
    Ok(())
}

/// The appraisal (văn bản thẩm định) of the competent body. Where it does not agree, the council takes it up again.
fn appraise(case: &mut Case, appraisal: &Appraisal, reason: Option<&str>) -> Result<(), Refusal> {
    if case.stage != Stage::Proposed {
        return Err(Refusal::NotThisStage);
    }
    if !appraisal.paper.is_numbered() || appraisal.authority.trim().is_empty() {
        return Err(Refusal::NoPaper);
    }
    if !appraisal.agreed {
        reason.ok_or(Refusal::NoReason)?;
        return reconsider(case);
    }
    case.appraisal = Some(appraisal.clone());
    case.stage = Stage::Appraised;
    Ok(())
}

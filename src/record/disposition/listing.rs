//! The list of a case: what may stand on it.

use crate::record::{
    disposition::{
        act::{Act, Facts, Lies, UnitFacts},
        case::{Case, Ground, Listed, Stage, Unit},
        days::day_of,
        refusal::Refusal,
    },
    entry::Instant,
};

/// Puts a unit on the list, or takes one off.
pub fn list(case: &mut Case, act: &Act, facts: &Facts, at: Instant) -> Result<(), Refusal> {
    match act {
        Act::List { unit, ground } => add(case, *unit, ground, facts, at),
        Act::TakeOff { unit, .. } => {
            act.reason().ok_or(Refusal::NoReason)?;
            take_off(case, *unit)
        }
        _ => Err(Refusal::NotThisStage),
    }
}

/// The list is open until the council has met: what is added later was not reviewed. A unit that changed is listed anew
/// in its place, and the opinions on what it was are gone.
fn add(case: &mut Case, unit: Unit, ground: &Ground, facts: &Facts, at: Instant) -> Result<(), Refusal> {
    if case.stage > Stage::Council {
        return Err(Refusal::NotThisStage);
    }
    let known = facts.units.get(&unit).ok_or(Refusal::NotKnown)?;
    let renewed = case.find(unit).is_some();
    if (renewed && !known.changed) || known.listed_elsewhere {
        return Err(Refusal::AlreadyListed);
    }
    is_a_unit(unit, ground, known)?;
    // It is listed as it is now, so what changed before is no objection.
    has_ground(ground, &UnitFacts { changed: false, ..known.clone() }, at)?;
    no_circle(case, unit, ground)?;
    if let Ground::Duplicate { found_by, .. } = ground {
        case.reviewers.insert(*found_by);
    }
    case.listed.retain(|listed| listed.unit != unit);
    let (ground, opinions) = (ground.clone(), Vec::new());
    case.listed.push(Listed {
        unit,
        ground,
        opinions,
        proposal: None,
        decided: None,
        ordered: None,
        certificates: Vec::new(),
    });
    Ok(())
}

/// Of two records that are the same one stays: what stays for another is not listed itself, and what is listed does not
/// stay for another.
fn no_circle(case: &Case, unit: Unit, ground: &Ground) -> Result<(), Refusal> {
    let kept = |ground: &Ground| match ground {
        Ground::Duplicate { kept, .. } => Some(Unit::Record(*kept)),
        Ground::Expired { .. } => None,
    };
    let stays = case.listed.iter().any(|listed| listed.unit != unit && kept(&listed.ground) == Some(unit));
    let goes = kept(ground).is_some_and(|kept| case.find(kept).is_some());
    if stays || goes { Err(Refusal::KeptIsGoing) } else { Ok(()) }
}

/// Nothing is taken off once the council has met: then it has an outcome, or the head spares it.
fn take_off(case: &mut Case, unit: Unit) -> Result<(), Refusal> {
    if case.stage > Stage::Council {
        return Err(Refusal::NotThisStage);
    }
    case.find(unit).ok_or(Refusal::NotListed)?;
    case.listed.retain(|listed| listed.unit != unit);
    Ok(())
}

/// The unit is the file; a single record only where it is loose or a duplicate (TT 05/2025/TT-BNV art. 48–50: records are
/// disposed of by file; art. 17.2: loose records are the exception).
fn is_a_unit(unit: Unit, ground: &Ground, known: &UnitFacts) -> Result<(), Refusal> {
    match (unit, known.lies, ground) {
        (Unit::Record(record), _, Ground::Duplicate { kept, .. }) if record == *kept => Err(Refusal::NotADuplicate),
        (Unit::File(_), Lies::File, Ground::Expired { .. }) => Ok(()),
        (Unit::File(_), Lies::File, Ground::Duplicate { .. }) => Err(Refusal::NotADuplicate),
        (Unit::Record(_), Lies::Loose, _) | (Unit::Record(_), Lies::InFile, Ground::Duplicate { .. }) => Ok(()),
        (Unit::Record(_), Lies::InFile, Ground::Expired { .. }) => Err(Refusal::PartOfAFile),
        _ => Err(Refusal::NotKnown),
    }
}

/// Is there still a ground on which a unit may be destroyed? Asked when it is listed, decided and ordered.
///
/// Expired (Luật Lưu trữ 33/2024/QH15 art. 15, 16): by an approved version of a schedule, on a day that has passed, by the
/// ground's own word and by what the clock says now. Duplicate: a person's finding that names the one that stays, which
/// must be another record and not itself be going.
pub fn has_ground(ground: &Ground, known: &UnitFacts, at: Instant) -> Result<(), Refusal> {
    let today = day_of(at);
    match ground {
        _ if known.gone => Err(Refusal::AlreadyGone),
        _ if known.changed => Err(Refusal::ChangedSince),
        Ground::Expired { .. } if !known.schedule_approved => Err(Refusal::NoSchedule),
        Ground::Expired { due, .. } if due.span().1 > today || known.due.is_none_or(|day| day > today) => {
            Err(Refusal::NotDue)
        }
        Ground::Duplicate { .. } if !known.kept_stays => Err(Refusal::KeptIsGoing),
        Ground::Expired { .. } | Ground::Duplicate { .. } => Ok(()),
    }
}

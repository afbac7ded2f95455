//! Cases: what is due is listed, a council reviews and proposes, the head decides.
//!
//! `read → know → judge → keep → commit`: the case in force is read, what must be known of its units is asked of the catalog
//! and of the descriptions, [`after`] judges, and the new description of the case is committed under the name of the act.
//!
//! # Why
//! *Only what the act hangs on is asked.* An opinion hangs on nothing but the case; listing and ordering on one unit;
//! the decision on all that are to be destroyed by it. So a case of many units is not counted anew at every word.
//!
//! *Changed since is asked by moments here*, and by entries when the order is committed: this is for people, who should
//! hear it early; that one decides.

use crate::archive::{Archive, keep::random};
use crate::disposition::{DispositionError, Done, Who, due};
use crate::record::{
    actor::Role,
    described::Described,
    digest::Digest,
    disposition::{
        act::{Act, Facts, Lies, UnitFacts},
        after::after,
        case::{self, Case, Ground, Outcome},
        refusal::Refusal,
    },
    document::{Document, Salt},
    entry::{Event, Instant},
    id::{CaseId, FileId, RecordId},
    retention::{clock::Due, day::Day, gate::Obstacle},
    text,
    unit::Unit,
};
use std::{collections::BTreeMap, sync::Arc};

/// Units of a case at most: its description is kept anew with every act.
pub const UNITS_MAX: usize = 2000;

/// The description in force of a case, and its digest.
pub async fn case(archive: &Archive, id: CaseId) -> Result<Option<(Arc<Case>, Digest)>, DispositionError> {
    let Some(known) = archive.catalog.unit(id.into()).await? else { return Ok(None) };
    let read = archive.described(id.into(), known.description).await?;
    Ok(read.and_then(|read| match read {
        Described::Case(case) => Some((case, known.description)),
        _ => None,
    }))
}

/// Opens a case with an empty list. `to_historical`: the agency hands over to a historical archive, so the competent body
/// appraises before the head decides.
pub async fn open_case(
    archive: &Archive,
    who: &Who,
    agency: &str,
    to_historical: bool,
) -> Result<Done, DispositionError> {
    if !matches!(who.role, Role::Archivist | Role::RecordsClerk) {
        return Err(Refusal::NotYours.into());
    }
    let agency = text::line(agency);
    if agency.is_empty() {
        return Err(Refusal::NoAgency.into());
    }
    let id = CaseId::new(archive.clock.now().millis(), random()?);
    let opened = Case::new(id, &agency, to_historical, Salt::new(random()?));
    let told = (Described::Case(Arc::new(opened.clone())), opened.to_bytes()?);
    let event = |unit, description| Event::Opened { unit, description };
    let answered = archive.keep_described(who.actor, told, event).await?;
    Ok(Done { unit: id.into(), entry: answered.seq })
}

/// Does something with a case: everything but the order and its end, which
/// [`order`](crate::disposition::execution::order) and [`resume`](crate::disposition::execution::resume) do.
pub async fn act(archive: &Archive, who: &Who, id: CaseId, act: Act) -> Result<Done, DispositionError> {
    let mut came = each(archive, who, id, vec![act]).await?;
    match came.pop() {
        Some(Ok(done)) => Ok(done),
        Some(Err(error)) => Err(error),
        None => Err(Refusal::NotThisStage.into()),
    }
}

/// Does several things with a case, and says of each what came of it: what the rules let be done is one description and
/// one entry, for a list of hundreds would otherwise say all of itself hundreds of times.
///
/// If we stop here, all of that is done or nothing is.
pub async fn each(
    archive: &Archive,
    who: &Who,
    id: CaseId,
    acts: Vec<Act>,
) -> Result<Vec<Result<Done, DispositionError>>, DispositionError> {
    let (before, replaces) = case(archive, id).await?.ok_or(Refusal::NotKnown)?;
    let (mut next, mut refused, mut last) = ((*before).clone(), Vec::with_capacity(acts.len()), None);
    for act in acts {
        let act = signed(act, who);
        match applied(archive, &next, who, &act).await {
            Ok(after) => {
                (next, last) = (after, Some(act));
                refused.push(None);
            }
            Err(error @ (DispositionError::Archive(_) | DispositionError::Catalog(_))) => return Err(error),
            Err(refusal) => refused.push(Some(refusal)),
        }
    }
    let Some(last) = last else { return Ok(refused.into_iter().flatten().map(Err).collect()) };
    let done = follow(archive, who, (next, replaces), &last).await?;
    Ok(refused.into_iter().map(|refusal| refusal.map_or(Ok(done), Err)).collect())
}

async fn applied(archive: &Archive, before: &Case, who: &Who, act: &Act) -> Result<Case, DispositionError> {
    if matches!(act, Act::Order { .. } | Act::Destroyed { .. }) {
        return Err(Refusal::NotThisStage.into());
    }
    expect_room(before, act)?;
    judged(archive, before, who, act).await
}

/// The ground of a unit whose period is over, as it is due now: by the class that lives longest, in the version that
/// rules.
pub async fn ground(archive: &Archive, unit: case::Unit) -> Result<Ground, DispositionError> {
    if let case::Unit::File(file) = unit
        && archive.catalog.file(file).await?.is_some_and(|known| known.state.is_open())
    {
        // It still takes in: its work has not ended, whatever day it tells.
        return Err(Refusal::NotDue.into());
    }
    let derivation = due::explain(archive, unit_of(unit), None).await?.ok_or(Refusal::NotKnown)?;
    let (Due::On(day), Some(term)) = (derivation.due, derivation.terms.first()) else {
        return Err(Refusal::NotDue.into());
    };
    if derivation.obstacles.contains(&Obstacle::NotApproved) {
        return Err(Refusal::NoSchedule.into());
    }
    let ruling = archive.catalog.ruling(term.schedule).await?.filter(|ruling| ruling.version == term.version);
    let version = ruling.ok_or(Refusal::NoSchedule)?.description;
    let due = day.to_string().parse().map_err(|_| Refusal::NotDue)?;
    Ok(Ground::Expired { due, schedule: term.schedule, version, class: term.class.clone() })
}

/// A unit of a case as a unit of the archive.
pub fn unit_of(unit: case::Unit) -> Unit {
    match unit {
        case::Unit::File(file) => Unit::File(file),
        case::Unit::Record(record) => Unit::Record(record),
    }
}

/// The case after an act, by what is known now.
pub(in crate::disposition) async fn judged(
    archive: &Archive,
    before: &Case,
    who: &Who,
    act: &Act,
) -> Result<Case, DispositionError> {
    let mut units = BTreeMap::new();
    for (unit, ground) in hangs_on(before, act) {
        // What the archive does not have is left out, and refused as such.
        if let Some(known) = known(archive, before, unit, ground).await? {
            units.insert(unit, known);
        }
        let listed = matches!(act, Act::List { .. });
        if let (case::Unit::File(file), true) = (unit, listed)
            && archive.catalog.members(file).await?.is_empty()
        {
            return Err(Refusal::NothingInside.into());
        }
    }
    let facts = Facts { rules: &archive.config.disposition, units };
    Ok(after(before, act, who, &facts, due::now(archive))?)
}

/// Keeps a case that follows from one in force, and commits it under the name of the act.
///
/// If we stop here, an intent has the folder swept, or the entry is there and names it. Who acted on the same case
/// meanwhile was first: this one is refused, and looks again.
pub(in crate::disposition) async fn follow(
    archive: &Archive,
    who: &Who,
    (next, replaces): (Case, Digest),
    act: &Act,
) -> Result<Done, DispositionError> {
    let next = next.following(replaces, Salt::new(random()?));
    let (unit, bytes) = (next.case.into(), next.to_bytes()?);
    let told = (Described::Case(Arc::new(next)), bytes);
    let event = |unit, description| named(act, unit, description, replaces);
    let answered = archive.keep_described(who.actor, told, event).await?;
    Ok(Done { unit, entry: answered.seq })
}

/// The event that an act is.
fn named(act: &Act, unit: Unit, description: Digest, replaces: Digest) -> Event {
    match act {
        Act::EndReview { .. } => Event::Reviewed { unit, description, replaces },
        Act::Propose { .. } => Event::Proposed { unit, description, replaces },
        Act::Decide { .. } => Event::Decided { unit, description, replaces },
        _ => Event::Described { unit, description, replaces },
    }
}

/// Who lists a duplicate has found it: nobody is made a reviewer by another's word, and nobody stays out of it by one.
fn signed(act: Act, who: &Who) -> Act {
    match act {
        Act::List { unit, ground: Ground::Duplicate { kept, .. } } => {
            Act::List { unit, ground: Ground::Duplicate { kept, found_by: who.actor } }
        }
        act => act,
    }
}

fn expect_room(before: &Case, act: &Act) -> Result<(), Refusal> {
    match act {
        Act::List { unit, .. } if before.listed.len() >= UNITS_MAX && before.find(*unit).is_none() => {
            Err(Refusal::TooMany)
        }
        _ => Ok(()),
    }
}

/// The units of which an act wants to know something, each with its ground.
fn hangs_on<'a>(before: &'a Case, act: &'a Act) -> Vec<(case::Unit, &'a Ground)> {
    match act {
        Act::List { unit, ground } => vec![(*unit, ground)],
        Act::Order { unit } => before.find(*unit).map(|listed| (*unit, &listed.ground)).into_iter().collect(),
        Act::Decide { spared, .. } => {
            let goes = |listed: &&case::Listed| {
                let proposed = listed.proposal.as_ref().map(|proposal| &proposal.outcome);
                proposed == Some(&Outcome::Destroy) && !spared.contains(&listed.unit)
            };
            before.listed.iter().filter(goes).map(|listed| (listed.unit, &listed.ground)).collect()
        }
        _ => Vec::new(),
    }
}

/// What is known of a unit beside its case; `None` where the archive has no such thing.
async fn known(
    archive: &Archive,
    of: &Case,
    unit: case::Unit,
    ground: &Ground,
) -> Result<Option<UnitFacts>, DispositionError> {
    let Some((lies, gone)) = lies(archive, unit).await? else { return Ok(None) };
    let mut holds: Vec<_> = archive.catalog.holds_on(unit_of(unit)).await?.iter().map(|one| one.hold).collect();
    holds.sort();
    holds.dedup();
    let others = archive.catalog.cases_of(unit_of(unit)).await?;
    let mut facts = UnitFacts {
        lies,
        holds,
        due: None,
        schedule_approved: false,
        changed: changed(archive, of, unit).await?,
        listed_elsewhere: others.iter().any(|other| *other != of.case),
        gone,
        kept_stays: false,
    };
    match ground {
        Ground::Expired { schedule, version, .. } if !gone => {
            let derivation = due::explain(archive, unit_of(unit), None).await?.ok_or(Refusal::NotKnown)?;
            facts.due = match derivation.due {
                Due::On(day) => Some(number(day)),
                Due::Waiting(_) | Due::Never => None,
            };
            let ruling = archive.catalog.ruling(*schedule).await?;
            let rules = ruling.is_some_and(|ruling| ruling.description == *version);
            facts.schedule_approved = rules && !derivation.obstacles.contains(&Obstacle::NotApproved);
        }
        Ground::Expired { .. } => {}
        Ground::Duplicate { kept, .. } => facts.kept_stays = stays(archive, *kept).await?,
    }
    Ok(Some(facts))
}

/// How a unit lies here, and whether it has ended.
async fn lies(archive: &Archive, unit: case::Unit) -> Result<Option<(Lies, bool)>, DispositionError> {
    let record = match unit {
        case::Unit::File(file) => return Ok(archive.catalog.file(file).await?.map(|_| (Lies::File, false))),
        case::Unit::Record(record) => record,
    };
    if archive.catalog.ended(record).await?.is_some() {
        return Ok(Some((Lies::Loose, true)));
    }
    if archive.catalog.record(record).await?.is_none() {
        return Ok(None);
    }
    let lies_in = archive.catalog.file_of(record).await?.is_some();
    let in_file = lies_in || !archive.catalog.sharing(record).await?.is_empty();
    Ok(Some((if in_file { Lies::InFile } else { Lies::Loose }, false)))
}

/// Was anything of a unit described anew after it was listed?
async fn changed(archive: &Archive, of: &Case, unit: case::Unit) -> Result<bool, DispositionError> {
    let Some(listed) = listed_at(of, unit) else { return Ok(false) };
    let mut parts = vec![unit_of(unit)];
    if let case::Unit::File(file) = unit {
        parts.extend(archive.catalog.members(file).await?.into_iter().map(Unit::from));
    }
    for part in parts {
        let life = archive.catalog.life(part).await?;
        if life.iter().any(|happened| happened.description.is_some() && happened.at > listed) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When a unit was put on the list that it stands on.
fn listed_at(of: &Case, unit: case::Unit) -> Option<Instant> {
    of.find(unit)?;
    of.trace.iter().rev().find(|one| one.act == "list" && one.unit == Some(unit)).map(|one| one.at)
}

/// Is a record here, and not up for destruction itself, alone or with its file?
async fn stays(archive: &Archive, kept: RecordId) -> Result<bool, DispositionError> {
    if archive.catalog.record(kept).await?.is_none() || archive.catalog.ended(kept).await?.is_some() {
        return Ok(false);
    }
    if !archive.catalog.cases_of(kept.into()).await?.is_empty() {
        return Ok(false);
    }
    match archive.catalog.file_of(kept).await? {
        Some(file) => Ok(!is_going(archive, file).await?),
        None => Ok(true),
    }
}

/// Was it decided that a file is to be destroyed, in a case that is open?
pub(in crate::disposition) async fn is_going(archive: &Archive, file: FileId) -> Result<bool, DispositionError> {
    for id in archive.catalog.cases_of(file.into()).await? {
        let read = case(archive, id).await?;
        if read.is_some_and(|(case, _)| case.find(case::Unit::File(file)).is_some_and(case::Listed::is_to_be_destroyed))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As terms count days: `YYYYMMDD`.
fn number(day: Day) -> u32 {
    let digits = day.to_string();
    digits.bytes().filter(u8::is_ascii_digit).fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        disposition::case::{Listed, Paper, Proposal, Trace, Votes},
        id::{ActorId, ScheduleId},
    };

    fn file(n: u8) -> case::Unit {
        case::Unit::File(FileId::new(0, [n; 10]))
    }

    fn ground() -> Ground {
        let (due, schedule) = ("2026-01-01".parse().unwrap(), ScheduleId::new(0, [3; 10]));
        Ground::Expired { due, schedule, version: Digest::of(b"v"), class: "12".into() }
    }

    fn listed(n: u8, proposed: Option<Outcome>) -> Listed {
        let votes = Votes { agree: 3, against: 0, abstained: 0 };
        let proposal = proposed.map(|outcome| Proposal { outcome, reason: "Hết giá trị".into(), votes });
        Listed {
            unit: file(n),
            ground: ground(),
            opinions: vec![],
            proposal,
            decided: None,
            ordered: None,
            certificates: vec![],
        }
    }

    fn a_case(listed: Vec<Listed>) -> Case {
        Case { listed, ..Case::new(CaseId::new(0, [4; 10]), "Sở Nội vụ", false, Salt::new([1; 32])) }
    }

    fn paper() -> Paper {
        Paper { number: Some("50/QĐ-SNV".into()), day: "2026-11-20".parse().unwrap(), record: None }
    }

    #[test]
    fn an_act_asks_only_what_it_hangs_on() {
        let keep = || Some(Outcome::KeepLonger { until: None });
        let case =
            a_case(vec![listed(1, Some(Outcome::Destroy)), listed(2, keep()), listed(3, Some(Outcome::Destroy))]);
        let reason = || "Hết giá trị".to_owned();
        for (act, units) in [
            (Act::List { unit: file(9), ground: ground() }, vec![file(9)]),
            (Act::Order { unit: file(1) }, vec![file(1)]),
            (Act::Order { unit: file(9) }, vec![]),
            (Act::Decide { paper: paper(), spared: vec![], reason: reason() }, vec![file(1), file(3)]),
            (Act::Decide { paper: paper(), spared: vec![file(1)], reason: reason() }, vec![file(3)]),
            (Act::Opine { unit: file(1), outcome: Outcome::Destroy, reason: reason() }, vec![]),
            (Act::Close { minutes: paper() }, vec![]),
        ] {
            let asked: Vec<case::Unit> = hangs_on(&case, &act).into_iter().map(|(unit, _)| unit).collect();
            assert_eq!(asked, units, "{}", act.as_str());
        }
    }

    #[test]
    fn who_lists_a_duplicate_found_it() {
        let (kept, unit) = (RecordId::new(0, [7; 10]), case::Unit::Record(RecordId::new(0, [8; 10])));
        let who = Who { actor: ActorId::new(0, [1; 10]), role: Role::Archivist, authenticated: None };
        let found_by = |actor| Act::List { unit, ground: Ground::Duplicate { kept, found_by: actor } };
        assert_eq!(signed(found_by(ActorId::new(0, [2; 10])), &who), found_by(who.actor));
        let expired = || Act::List { unit, ground: ground() };
        assert_eq!(signed(expired(), &who), expired());
    }

    #[test]
    fn three_acts_have_events_of_their_own() {
        let (unit, description, replaces) = (CaseId::new(0, [4; 10]).into(), Digest::of(b"d"), Digest::of(b"r"));
        let votes = Votes { agree: 3, against: 0, abstained: 0 };
        let reason = || "Hết giá trị".to_owned();
        for (act, event) in [
            (Act::EndReview { minutes: paper() }, "reviewed"),
            (Act::Propose { unit: file(1), outcome: Outcome::Destroy, reason: reason(), votes }, "proposed"),
            (Act::Decide { paper: paper(), spared: vec![], reason: reason() }, "decided"),
            (Act::SendBack { reason: reason() }, "described"),
            (Act::Order { unit: file(1) }, "described"),
        ] {
            assert_eq!(named(&act, unit, description, replaces).name(), event);
        }
    }

    #[test]
    fn a_case_has_an_end_of_room_and_a_unit_that_is_on_it_stays() {
        let full = a_case(vec![listed(1, None); UNITS_MAX]);
        let list = |n| Act::List { unit: file(n), ground: ground() };
        assert_eq!(expect_room(&full, &list(1)), Ok(()));
        assert_eq!(expect_room(&full, &list(2)), Err(Refusal::TooMany));
        assert_eq!(expect_room(&a_case(vec![]), &list(2)), Ok(()));
    }

    #[test]
    fn since_when_a_unit_stands_on_the_list() {
        let at = |micros| Instant::from_micros(micros);
        let told = |micros, act: &str, n| Trace {
            at: at(micros),
            by: ActorId::new(0, [1; 10]),
            act: act.into(),
            unit: Some(file(n)),
            reason: None,
        };
        let trace = vec![told(1, "list", 1), told(2, "list", 2), told(3, "list", 1), told(4, "opine", 1)];
        let case = Case { trace, ..a_case(vec![listed(1, None), listed(2, None)]) };
        for (n, expected) in [(1, Some(at(3))), (2, Some(at(2))), (3, None)] {
            assert_eq!(listed_at(&case, file(n)), expected, "{n}");
        }
    }

    #[test]
    fn days_are_numbers_to_the_rules() {
        assert_eq!(number("2026-01-05".parse().unwrap()), 20_260_105);
    }
}

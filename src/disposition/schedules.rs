//! Schedules (bảng thời hạn lưu trữ) are drafted, revised and approved; every version stays.
//!
//! ```text
//! draft ─open─► version 1 ─approve─► version 1, approved ─revise─► version 2 ─approve─► …
//! ```
//!
//! A schedule is issued by the competent head (Luật Lưu trữ 33/2024/QH15 art. 15: periods are issued by decision), so its
//! approval is a head's, names the decision, and is given by another person than the one who drafted it.

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::disposition::{DispositionError, Done, Who};
use crate::record::{
    actor::Role,
    arranging::Refusal,
    described::Described,
    digest::Digest,
    document::{Document, Salt},
    entry::{Entry, Event, Instant},
    finding::Severity,
    id::{ActorId, ScheduleId},
    retention::{
        check::check,
        day::Day,
        flaw::Flaw,
        schedule::{Approval, Draft, Schedule},
    },
    unit::Unit,
};
use std::sync::Arc;

/// The newest description of a schedule, approved or not, and its digest.
pub async fn schedule(archive: &Archive, id: ScheduleId) -> Result<Option<(Arc<Schedule>, Digest)>, DispositionError> {
    let Some(known) = archive.catalog.unit(id.into()).await? else { return Ok(None) };
    read(archive, id, known.description).await
}

/// One version of a schedule, with its approval where it has one, and its digest.
pub async fn version(
    archive: &Archive,
    id: ScheduleId,
    version: u32,
) -> Result<Option<(Arc<Schedule>, Digest)>, DispositionError> {
    let known = archive.catalog.versions(id).await?.into_iter().find(|known| known.version == version);
    match known {
        Some(known) => read(archive, id, known.description).await,
        None => Ok(None),
    }
}

async fn read(
    archive: &Archive,
    id: ScheduleId,
    digest: Digest,
) -> Result<Option<(Arc<Schedule>, Digest)>, DispositionError> {
    let read = archive.described(id.into(), digest).await?;
    Ok(read.and_then(|read| match read {
        Described::Schedule(schedule) => Some((schedule, digest)),
        _ => None,
    }))
}

/// Every version as it was known at a moment, the oldest first: of one that was approved later, what was drafted.
pub(in crate::disposition) async fn versions_at(
    archive: &Archive,
    id: ScheduleId,
    as_of: Instant,
) -> Result<Vec<Schedule>, DispositionError> {
    let mut versions: Vec<Schedule> = Vec::new();
    for happened in archive.catalog.life(id).await?.into_iter().filter(|happened| happened.at <= as_of) {
        let Some(digest) = happened.description else { continue };
        let Some((schedule, _)) = read(archive, id, digest).await? else { continue };
        // Its approval takes the place of the draft.
        versions.retain(|version| version.version != schedule.version);
        versions.push(Arc::unwrap_or_clone(schedule));
    }
    Ok(versions)
}

/// Opens a schedule with its first version, which nobody has approved yet.
pub async fn open_schedule(archive: &Archive, who: &Who, draft: Draft) -> Result<Done, DispositionError> {
    expect_drafter(who)?;
    let id = ScheduleId::new(archive.clock.now().millis(), random()?);
    let first = draft.first_version(id, salt()?);
    expect_sound(archive, &first)?;
    keep(archive, who, first, |unit, description| Event::Opened { unit, description }).await
}

/// Drafts the next version of a schedule. What was approved rules on until this one is approved too.
pub async fn revise_schedule(
    archive: &Archive,
    who: &Who,
    id: ScheduleId,
    draft: Draft,
) -> Result<Done, DispositionError> {
    expect_drafter(who)?;
    let (before, replaces) = schedule(archive, id).await?.ok_or(Refusal::NotThere)?;
    let version = before.version.saturating_add(1);
    let next = Schedule { version, replaces: Some(replaces), ..draft.first_version(id, salt()?) };
    expect_sound(archive, &next)?;
    keep(archive, who, next, |unit, description| Event::Described { unit, description, replaces }).await
}

/// Approves the newest version of a schedule by a decision: the head's act, and not of one who drafted it. What is
/// incomplete is not approved.
pub async fn approve_schedule(
    archive: &Archive,
    who: &Who,
    id: ScheduleId,
    decision: &str,
    on: Day,
) -> Result<Done, DispositionError> {
    if who.role != Role::Head {
        return Err(Refusal::NotYourRole.into());
    }
    let (draft, replaces) = schedule(archive, id).await?.ok_or(Refusal::NotThere)?;
    let drafted_by = teller(archive, id, replaces).await?;
    let today = Day::in_vietnam(archive.clock.now());
    let approved = approve(&draft, replaces, (who.actor, drafted_by), (decision, on), today)?;
    let approved = Schedule { salt: salt()?, ..approved };
    expect_sound(archive, &approved)?;
    keep(archive, who, approved, |unit, description| Event::Approved { unit, description, replaces }).await
}

/// The same version, approved.
fn approve(
    draft: &Schedule,
    replaces: Digest,
    (by, drafted_by): (ActorId, Option<ActorId>),
    (decision, on): (&str, Day),
    today: Day,
) -> Result<Schedule, Refusal> {
    if draft.approved.is_some() {
        return Err(Refusal::NotNow);
    }
    // Of whom nobody knows that it is another it may be the same.
    if drafted_by.is_none_or(|drafter| drafter == by) {
        return Err(Refusal::SamePerson);
    }
    // A decision of a day to come is none yet.
    if decision.trim().is_empty() || on > today {
        return Err(Refusal::NoDecision);
    }
    let approved = Some(Approval { by, decision: decision.trim().into(), on });
    Ok(Schedule { approved, replaces: Some(replaces), ..draft.clone() })
}

/// Who committed the entry that names a description.
async fn teller(archive: &Archive, id: ScheduleId, description: Digest) -> Result<Option<ActorId>, DispositionError> {
    let life = archive.catalog.life(id).await?;
    let Some(told) = life.iter().rev().find(|happened| happened.description == Some(description)) else {
        return Ok(None);
    };
    let bytes = archive.ledger.entry(told.seq).await.map_err(ArchiveError::from)?;
    let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    Ok(Some(entry.by))
}

/// Keeps a version and commits the event that names it.
///
/// If we stop here, an intent has the folder swept, or the entry is there and names it.
async fn keep(
    archive: &Archive,
    who: &Who,
    version: Schedule,
    event: impl FnOnce(Unit, Digest) -> Event,
) -> Result<Done, DispositionError> {
    let (unit, bytes) = (version.schedule.into(), version.to_bytes()?);
    let told = (Described::Schedule(Arc::new(version)), bytes);
    let answered = archive.keep_described(who.actor, told, event).await?;
    Ok(Done { unit, entry: answered.seq })
}

fn salt() -> Result<Salt, ArchiveError> {
    Ok(Salt::new(random()?))
}

/// Drafts are made by those who keep records, and by the head.
fn expect_drafter(who: &Who) -> Result<(), Refusal> {
    let may = matches!(who.role, Role::Archivist | Role::RecordsClerk | Role::Head);
    if may { Ok(()) } else { Err(Refusal::NotYourRole) }
}

/// Stops where a flaw is an error; all of them are told, so that one look mends them all.
fn expect_sound(archive: &Archive, version: &Schedule) -> Result<(), DispositionError> {
    let flaws: Vec<Flaw> = check(version, &archive.config.retention);
    if flaws.iter().any(|flaw| flaw.severity == Severity::Error) {
        return Err(DispositionError::Flawed(flaws));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::retention::{flaw::FlawCode, rules::Rules, schedule::tests::example};

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }

    #[test]
    fn who_drafts_a_schedule() {
        for role in Role::ALL {
            let may = matches!(role, Role::Archivist | Role::RecordsClerk | Role::Head);
            let who = Who { actor: actor(1), role: *role, authenticated: None };
            assert_eq!(expect_drafter(&who).is_ok(), may, "{role:?}");
        }
    }

    /// The issue: approved by the head with number and date of the decision, another person than the drafter.
    #[test]
    fn what_an_approval_needs() {
        let draft = Schedule { approved: None, ..example() };
        let (head, clerk) = (actor(1), Some(actor(2)));
        let digest = Digest::of(b"draft");
        let today = "2026-11-27".parse().unwrap();
        for (draft, by, decision, on, expected) in [
            (&draft, (head, clerk), "15/QĐ-SNV", "2026-11-27", None),
            (&draft, (head, clerk), " 15/QĐ-SNV ", "2026-01-02", None),
            (&draft, (head, Some(head)), "15/QĐ-SNV", "2026-11-27", Some(Refusal::SamePerson)),
            (&draft, (head, None), "15/QĐ-SNV", "2026-11-27", Some(Refusal::SamePerson)),
            (&draft, (head, clerk), " ", "2026-11-27", Some(Refusal::NoDecision)),
            (&draft, (head, clerk), "15/QĐ-SNV", "2026-11-28", Some(Refusal::NoDecision)),
            (&example(), (head, clerk), "15/QĐ-SNV", "2026-11-27", Some(Refusal::NotNow)),
        ] {
            let on = on.parse().unwrap();
            let approved = approve(draft, digest, by, (decision, on), today);
            assert_eq!(approved.as_ref().err(), expected.as_ref(), "{by:?} {decision} {on}");
            let Ok(approved) = approved else { continue };
            assert_eq!(approved.approved, Some(Approval { by: head, decision: "15/QĐ-SNV".into(), on }));
            assert_eq!((approved.replaces, approved.version), (Some(digest), draft.version));
            assert_eq!(Schedule { approved: None, replaces: draft.replaces, ..approved }, *draft);
        }
        // What is incomplete is stopped as a flaw, with what to do.
        let incomplete = Schedule { incomplete: true, ..draft };
        let approved = approve(&incomplete, digest, (head, clerk), ("15/QĐ-SNV", today), today).unwrap();
        let flaws = check(&approved, &Rules::default());
        assert!(flaws.iter().any(|flaw| flaw.code == FlawCode::ApprovedIncomplete && flaw.severity == Severity::Error));
    }
}

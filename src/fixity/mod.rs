//! Fixity (tính toàn vẹn): what is kept is read and hashed again, at every place, and repaired where another place
//! has it right.
//!
//! `plan → check → repair → conclude`: a round goes through what lies at a place, in the order in which the ledger
//! began it, a few records at a time. Every finding and every repair is in the ledger, and so is the end of every round.
//!
//! # Why
//! *The desk keeps the mark, the ledger the outcome.* A round that is interrupted goes on; if the desk is lost, it
//! begins anew, which costs time and no knowledge.
//!
//! *A misreading is not damage.* An object that is not what it should be is read again before it counts, and a place
//! that does not answer at all is a debt, not a thousand findings.
//!
//! *What the ledger and the descriptions say, not what the catalog knows.* A round goes through all that entries began, and
//! the objects of a record are those that its descriptions name, read anew and hashed. A record whose description could
//! not be read when its entry was applied is not in the catalog: the round that finds it whole takes it in.

mod check;

use crate::archive::{
    Archive, ArchiveError,
    keep::random,
    repair::{Mended, Object},
};
use crate::catalog::units::Begun;
use crate::record::{
    entry::{Damage, Event},
    fixity::Round,
};
use crate::store::{Place, replicas::Pace};

/// Records, or other units, that are looked at before the mark is put down.
const RECORDS_STEP: u32 = 64;
/// Records of one step that are read at once.
const AT_ONCE: usize = 8;

/// One thing that a place did not hold as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub object: Object,
    pub damage: Damage,
    pub mended: Mended,
}

/// What some reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub records: u64,
    pub components: u64,
    pub bytes: u64,
    pub faults: Vec<Fault>,
}

/// Where a round stands after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to read.
    GoesOn { round: Round, found: Vec<Fault> },
    /// That was all; the entry that says so.
    Ended { round: Round, entry: u64 },
    /// The place does not answer, or is still being brought up to date.
    Away,
}

/// As much as the configuration lets be read in a second, counted from now on.
pub fn budget(archive: &Archive) -> Pace {
    Pace::of(archive.config.fixity.bytes_per_second_max)
}

/// One step of the round at a place: begins it, goes on with it, or ends it.
pub async fn step(archive: &Archive, number: u32, pace: &mut Pace) -> Result<Step, ArchiveError> {
    let Some(place) = place(archive, number) else { return Ok(Step::Away) };
    let round = plan(archive, number).await?;
    let begun = next(archive, &round).await?;
    if begun.is_empty() {
        return conclude(archive, number, round).await;
    }
    let Some(checked) = check::all(archive, number, &place, &begun, round.to, pace).await? else {
        return Ok(Step::Away);
    };
    let round = advance(archive, number, round, &begun, &checked).await?;
    Ok(Step::GoesOn { round, found: checked.faults })
}

/// Records, and other units, picked at random, at a place; `None` where it does not answer.
pub async fn sample(
    archive: &Archive,
    number: u32,
    records: u32,
    pace: &mut Pace,
) -> Result<Option<Checked>, ArchiveError> {
    let Some(place) = place(archive, number) else { return Ok(None) };
    let to = held(archive, number).await?;
    let mut picked = Vec::new();
    for _ in 0..records {
        let from = u64::from_be_bytes(random()?) % to.max(1);
        // Behind the last one it begins again with the first.
        let after = archive.catalog.beginnings(from, 1).await?.into_iter().find(|begun| begun.seq < to);
        picked.extend(match after {
            Some(begun) => Some(begun),
            None => archive.catalog.beginnings(0, 1).await?.pop(),
        });
    }
    picked.retain(|begun| begun.seq < to);
    check::all(archive, number, &place, &picked, to, pace).await
}

fn place(archive: &Archive, number: u32) -> Option<Place> {
    archive.places().into_iter().find(|(n, _)| *n == number).map(|(_, place)| place)
}

/// The entries before this one are at the place with all that they name, as far as is known.
async fn held(archive: &Archive, number: u32) -> Result<u64, ArchiveError> {
    let size = archive.catalog.applied();
    Ok(archive.desk.healed(number).await?.map_or(size, |healed| healed.min(size)))
}

/// The round that is under way, or a new one.
async fn plan(archive: &Archive, number: u32) -> Result<Round, ArchiveError> {
    let known = archive.desk.fixity(number).await?;
    if let Some(round) = known.round {
        return Ok(round);
    }
    let (began, to) = (archive.clock.now(), held(archive, number).await?);
    Ok(Round { began, to, next: 0, records: 0, components: 0, bytes: 0, faults: 0 })
}

/// What comes next.
async fn next(archive: &Archive, round: &Round) -> Result<Vec<Begun>, ArchiveError> {
    let mut begun = archive.catalog.beginnings(round.next, RECORDS_STEP).await?;
    begun.retain(|begun| begun.seq < round.to);
    Ok(begun)
}

/// Puts the mark down.
///
/// If we stop before this, the same records are looked at again.
async fn advance(
    archive: &Archive,
    number: u32,
    round: Round,
    begun: &[Begun],
    checked: &Checked,
) -> Result<Round, ArchiveError> {
    let round = Round {
        next: begun.last().map_or(round.next, |begun| begun.seq + 1),
        records: round.records + checked.records,
        components: round.components + checked.components,
        bytes: round.bytes + checked.bytes,
        faults: round.faults + checked.faults.len() as u64,
        ..round
    };
    let mut fixity = archive.desk.fixity(number).await?;
    fixity.round = Some(round.clone());
    archive.desk.set_fixity(number, &fixity).await?;
    Ok(round)
}

/// Says in the ledger what the round came to.
///
/// If we stop between the two, the round ends a second time.
async fn conclude(archive: &Archive, number: u32, round: Round) -> Result<Step, ArchiveError> {
    let Round { began, to, records, components, bytes, faults, .. } = round;
    let event = Event::FixityChecked { place: number, since: began, to, records, components, bytes, faults };
    let entry = archive.note(event).await?.seq;
    let mut fixity = archive.desk.fixity(number).await?;
    (fixity.whole, fixity.round) = (Some(began), None);
    archive.desk.set_fixity(number, &fixity).await?;
    Ok(Step::Ended { round, entry })
}

//! Holds are placed, catch what arrives later, and are released by another person.
//!
//! `asked → opened → placed`: the hold is described once, and every record, file or fonds that it lies on has an entry of
//! its own, for only what an entry says can be folded from the ledger at the moment of an order.
//!
//! # Why
//! *What a search finds is handed in*: this flow knows no index. Whoever asks searches, and what is found is placed record
//! by record; a record that was placed once stays under the hold, whatever the search says later.

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::catalog::CatalogError;
use crate::disposition::{DispositionError, Done, Who};
use crate::record::{
    actor::Role,
    arranging::Refusal,
    described::Described,
    digest::Digest,
    document::{Document, Salt},
    entry::Event,
    hold::{Hold, HoldRefusal, Reason, SCHEMA, Scope},
    id::{ActorId, HoldId, RecordId},
    text,
    unit::Unit,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{collections::BTreeSet, sync::Arc};

pub use crate::catalog::holds::Placement;

/// Placements that are read at once.
const PAGE: u32 = 1000;
/// Records on which a hold is placed at once: they share commits.
const AT_ONCE: usize = 64;

/// A hold that somebody asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldAsked {
    /// Who may demand it, with the number of its document.
    pub authority: String,
    pub reason: Reason,
    pub reason_text: String,
    pub scope: Scope,
    /// Who asked for it; whoever places it, where nobody else did.
    pub asked_by: Option<ActorId>,
}

/// The description in force of a hold, and its digest.
pub async fn hold(archive: &Archive, id: HoldId) -> Result<Option<(Arc<Hold>, Digest)>, DispositionError> {
    let Some(known) = archive.catalog.unit(id.into()).await? else { return Ok(None) };
    let read = archive.described(id.into(), known.description).await?;
    Ok(read.and_then(|read| match read {
        Described::Hold(hold) => Some((hold, known.description)),
        _ => None,
    }))
}

/// Places a hold. `found`: what the query of a saved search finds now.
///
/// If we stop here, the hold is open and lies on some of it or on nothing: [`catch`] places the rest.
pub async fn place_hold(
    archive: &Archive,
    who: &Who,
    asked: HoldAsked,
    found: &[RecordId],
) -> Result<Done, DispositionError> {
    expect_keeper(who)?;
    let id = HoldId::new(archive.clock.now().millis(), random()?);
    let hold = described(id, who, asked, Salt::new(random()?));
    hold.placeable()?;
    expect_there(archive, &hold.scope).await?;
    let told = (Described::Hold(Arc::new(hold.clone())), hold.to_bytes()?);
    let opened = archive.keep_described(who.actor, told, |unit, description| Event::Opened { unit, description });
    let entry = opened.await?.seq;
    match lies_on(&hold.scope) {
        Some(unit) => place(archive, &hold, unit).await?.then_some(()).ok_or(HoldRefusal::TooLate)?,
        None => {
            place_all(archive, &hold, found).await?;
        }
    }
    Ok(Done { unit: id.into(), entry })
}

/// Places a hold on what it should lie on and does not yet: what its search finds among later arrivals, where it is meant
/// for them, and what a stop left unplaced. Answers how many were placed.
pub async fn catch(archive: &Archive, id: HoldId, found: &[RecordId]) -> Result<u64, DispositionError> {
    let (hold, _) = hold(archive, id).await?.ok_or(Refusal::NotThere)?;
    let known = archive.catalog.hold(id).await?.ok_or(Refusal::NotThere)?;
    if hold.released.is_some() {
        return Ok(0);
    }
    let placed = placed(archive, id).await?;
    if let Some(unit) = lies_on(&hold.scope) {
        return Ok(u64::from(!placed.contains(&unit) && place(archive, &hold, unit).await?));
    }
    let mut caught = Vec::new();
    for record in found.iter().filter(|record| !placed.contains(&Unit::from(**record))) {
        let Some(record) = archive.catalog.record(*record).await? else { continue };
        caught.extend(hold.catches(record.at > known.at).then_some(record.record));
    }
    place_all(archive, &hold, &caught).await
}

/// Releases a hold: another person than the one who asked for it.
pub async fn release_hold(archive: &Archive, who: &Who, id: HoldId, reason: &str) -> Result<Done, DispositionError> {
    expect_keeper(who)?;
    let (before, replaces) = hold(archive, id).await?.ok_or(Refusal::NotThere)?;
    let released = before.release(who.actor, reason, Salt::new(random()?))?;
    let told = (Described::Hold(Arc::new(released.clone())), released.to_bytes()?);
    let event = |unit, description| Event::HoldReleased { unit, description, replaces };
    let answered = archive.keep_described(who.actor, told, event).await?;
    Ok(Done { unit: id.into(), entry: answered.seq })
}

/// Holds are placed and released by those who keep records, and by the head.
fn expect_keeper(who: &Who) -> Result<(), Refusal> {
    let keeps = matches!(who.role, Role::Archivist | Role::RecordsClerk | Role::Head);
    if keeps { Ok(()) } else { Err(Refusal::NotYourRole) }
}

fn described(hold: HoldId, who: &Who, asked: HoldAsked, salt: Salt) -> Hold {
    let HoldAsked { authority, reason, reason_text, scope, asked_by } = asked;
    let (authority, reason_text) = (text::line(&authority), reason_text.trim().to_owned());
    let (asked_by, placed_by) = (asked_by.unwrap_or(who.actor), who.actor);
    let (schema, replaces, released) = (SCHEMA.into(), None, None);
    Hold { schema, salt, hold, replaces, authority, reason, reason_text, scope, asked_by, placed_by, released }
}

/// The one unit that a hold lies on; a saved search has many.
fn lies_on(scope: &Scope) -> Option<Unit> {
    match scope {
        Scope::Record { record } => Some(Unit::Record(*record)),
        Scope::File { file } => Some(Unit::File(*file)),
        Scope::Fonds { fonds } => Some(Unit::Fonds(*fonds)),
        Scope::Search { .. } => None,
    }
}

/// What is not there cannot be held; what is ordered to end cannot be any more.
async fn expect_there(archive: &Archive, scope: &Scope) -> Result<(), DispositionError> {
    let there = match lies_on(scope) {
        Some(Unit::Record(record)) if archive.catalog.ended(record).await?.is_some() => {
            return Err(HoldRefusal::TooLate.into());
        }
        Some(Unit::Record(record)) => archive.catalog.record(record).await?.is_some(),
        Some(unit) => archive.catalog.unit(unit).await?.is_some(),
        None => true,
    };
    if there { Ok(()) } else { Err(Refusal::NotThere.into()) }
}

/// The units that a hold was placed on, now or once.
async fn placed(archive: &Archive, id: HoldId) -> Result<BTreeSet<Unit>, CatalogError> {
    let (mut placed, mut from) = (BTreeSet::new(), 0);
    loop {
        let page = archive.catalog.placements(id, from, PAGE).await?;
        let Some(last) = page.last() else { return Ok(placed) };
        from = last.seq + 1;
        placed.extend(page.iter().map(|one| one.unit));
    }
}

/// Places a hold on a unit; false where the record was ordered to end before.
///
/// If we stop here, it lies there or it does not; the next look finds which.
async fn place(archive: &Archive, hold: &Hold, unit: Unit) -> Result<bool, DispositionError> {
    let event = Event::HoldPlaced { unit, hold: hold.hold, asked_by: hold.asked_by };
    match (archive.note_by(hold.placed_by, event).await, unit) {
        (Ok(_), _) => Ok(true),
        // The order was first: the writer says only that it is so.
        (Err(ArchiveError::Conflict(_)), Unit::Record(record)) if archive.catalog.ended(record).await?.is_some() => {
            Ok(false)
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// The same of many records; answers how many are held now.
async fn place_all(archive: &Archive, hold: &Hold, found: &[RecordId]) -> Result<u64, DispositionError> {
    let records: BTreeSet<RecordId> = found.iter().copied().collect();
    let placing = stream::iter(records).map(|record| place(archive, hold, record.into())).buffer_unordered(AT_ONCE);
    placing.try_fold(0, |held, placed| async move { Ok(held + u64::from(placed)) }).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::id::{FileId, FondsId};

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }

    #[test]
    fn who_places_a_hold_and_in_whose_name() {
        for role in Role::ALL {
            let who = Who { actor: actor(1), role: *role, authenticated: None };
            let may = matches!(role, Role::Archivist | Role::RecordsClerk | Role::Head);
            assert_eq!(expect_keeper(&who).is_ok(), may, "{role:?}");
        }
        let who = Who { actor: actor(1), role: Role::Archivist, authenticated: None };
        for (asked_by, expected) in [(None, actor(1)), (Some(actor(2)), actor(2))] {
            let scope = Scope::Record { record: RecordId::new(0, [4; 10]) };
            let (authority, reason_text) = (" Tòa án  khu vực 1 ".to_owned(), " Vụ án 45/2026\n".to_owned());
            let asked = HoldAsked { authority, reason: Reason::Litigation, reason_text, scope, asked_by };
            let hold = described(HoldId::new(0, [9; 10]), &who, asked, Salt::new([1; 32]));
            assert_eq!((hold.asked_by, hold.placed_by), (expected, actor(1)));
            assert_eq!((hold.authority.as_str(), hold.reason_text.as_str()), ("Tòa án khu vực 1", "Vụ án 45/2026"));
            assert_eq!(hold.placeable(), Ok(()));
        }
    }

    #[test]
    fn what_a_hold_lies_on_by_one_entry() {
        let (record, file, fonds) = (RecordId::new(0, [1; 10]), FileId::new(0, [2; 10]), FondsId::new(0, [3; 10]));
        let search = Scope::Search { query: "đất đai".into(), later_arrivals: true };
        for (scope, unit) in [
            (Scope::Record { record }, Some(Unit::Record(record))),
            (Scope::File { file }, Some(Unit::File(file))),
            (Scope::Fonds { fonds }, Some(Unit::Fonds(fonds))),
            (search, None),
        ] {
            assert_eq!(lies_on(&scope), unit, "{scope:?}");
        }
    }
}

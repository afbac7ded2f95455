//! A fonds is opened, and closed on the last day of its creator.

use crate::archive::{Archive, keep::random};
use crate::arrangement::{Arranged, ArrangementError, expect_sound, salt};
use crate::catalog::arranged::KnownFonds;
use crate::record::{
    actor::Role,
    agencies::{
        Agencies, Draft,
        custody::{Custodian, Share},
    },
    arranging::Refusal,
    date::PartialDate,
    described::Described,
    digest::Digest,
    document::Document,
    entry::Event,
    file_state::Who,
    flaw::{Code, Flaw},
    fonds::{About, Closed, Fonds, Kind},
    id::FondsId,
};
use std::sync::Arc;

/// The description in force of a fonds, and its digest.
pub async fn fonds(archive: &Archive, id: FondsId) -> Result<Option<(Arc<Fonds>, Digest)>, ArrangementError> {
    let Some(known) = archive.catalog.unit(id.into()).await? else { return Ok(None) };
    let read = archive.described(id.into(), known.description).await?;
    Ok(read.and_then(|read| match read {
        Described::Fonds(fonds) => Some((fonds, known.description)),
        _ => None,
    }))
}

/// Opens a fonds. A creator that the register of agencies does not have is refused: that of the archive, or `agencies` in
/// its place. That an ended creator's fonds is not closed yet is told, for it is opened before it is closed.
pub async fn open_fonds(
    archive: &Archive,
    who: &Who,
    about: About,
    agencies: Option<&Agencies>,
) -> Result<Arranged, ArrangementError> {
    expect_keeper(who)?;
    let own = archive.agencies().await?;
    let mut flaws = match agencies.or(own.as_deref()) {
        Some(agencies) => about.check(agencies),
        // Nobody can say that a creator is unknown where no register is told.
        None => {
            let known = about.check(&Agencies::new(Draft::empty()));
            known.into_iter().filter(|flaw| flaw.code != Code::UnknownAgency).collect()
        }
    };
    if !archive.catalog.fonds_of_code(&about.code).await?.is_empty() {
        flaws.push(Flaw::new(Code::DuplicateCode, "code").with_detail(&about.code));
    }
    let (not_closed, flaws): (Vec<Flaw>, Vec<Flaw>) = flaws.into_iter().partition(|flaw| flaw.code == Code::NotClosed);
    let mut flaws = expect_sound(flaws)?;
    flaws.extend(not_closed);
    let id = FondsId::new(archive.clock.now().millis(), random()?);
    let fonds = Fonds { schema: Fonds::SCHEMA.into(), fonds: id, replaces: None, salt: salt()?, about };
    let told = (Described::Fonds(Arc::new(fonds.clone())), fonds.to_bytes()?);
    let answered =
        archive.keep_described(who.id, told, |unit, description| Event::Opened { unit, description }).await?;
    Ok(Arranged { unit: id.into(), entry: answered.seq, flaws })
}

/// Closes a fonds on a day; nothing that began later comes in (TT 06/2025/TT-BNV art. 40).
pub async fn close_fonds(
    archive: &Archive,
    who: &Who,
    id: FondsId,
    closed: Closed,
) -> Result<Arranged, ArrangementError> {
    expect_keeper(who)?;
    let (before, replaces) = fonds(archive, id).await?.ok_or(Refusal::NotThere)?;
    if before.about.closed.is_some() {
        return Err(Refusal::NotNow.into());
    }
    if closed.reason.trim().is_empty() {
        return Err(Refusal::NoReason.into());
    }
    let about = About { closed: Some(closed), ..before.about.clone() };
    if let Some(agencies) = archive.agencies().await? {
        let flaws = about.check(&agencies);
        expect_sound(flaws.into_iter().filter(|flaw| flaw.code == Code::ClosedOnAnotherDay).collect())?;
    }
    let after = Fonds { replaces: Some(replaces), salt: salt()?, about, ..(*before).clone() };
    let told = (Described::Fonds(Arc::new(after.clone())), after.to_bytes()?);
    let answered =
        archive.keep_described(who.id, told, |unit, description| Event::Closed { unit, description, replaces }).await?;
    Ok(Arranged { unit: id.into(), entry: answered.seq, flaws: Vec::new() })
}

/// The fonds whose creators have ended and which are not closed yet, each with the day on which it is to be closed.
pub async fn to_close(archive: &Archive) -> Result<Vec<(KnownFonds, PartialDate)>, ArrangementError> {
    let Some(agencies) = archive.agencies().await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for known in archive.catalog.fonds().await?.into_iter().filter(|known| known.closed.is_none()) {
        let Some((told, _)) = fonds(archive, known.fonds).await? else { continue };
        if told.about.kind != Kind::Fonds {
            continue;
        }
        let closed = told.about.closed_with_its_creator(&agencies, "").and_then(|about| about.closed);
        found.extend(closed.map(|closed| (known, closed.on)));
    }
    Ok(found)
}

/// Who manages a share of a fonds at a date: by its own history, else by the register (TT 06/2025/TT-BNV art. 40.2);
/// `None` where neither tells.
pub async fn custodian_at(
    archive: &Archive,
    id: FondsId,
    on: PartialDate,
    share: Share,
) -> Result<Option<Custodian>, ArrangementError> {
    let (told, _) = fonds(archive, id).await?.ok_or(Refusal::NotThere)?;
    let empty = || Arc::new(Agencies::new(Draft::empty()));
    let agencies = archive.agencies().await?.unwrap_or_else(empty);
    Ok(told.about.custodian_at(&agencies, on, share))
}

/// Fonds are the archivist's.
pub(in crate::arrangement) fn expect_keeper(who: &Who) -> Result<(), Refusal> {
    if who.role == Role::Archivist { Ok(()) } else { Err(Refusal::NotYourRole) }
}

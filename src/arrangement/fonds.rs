//! A fonds is opened, and closed on the last day of its creator.

use crate::archive::{Archive, keep::random};
use crate::arrangement::{Arranged, ArrangementError, expect_sound, salt};
use crate::record::{
    actor::Role,
    agencies::{Agencies, Register},
    arranging::Refusal,
    described::Described,
    digest::Digest,
    document::Document,
    entry::Event,
    file_state::Who,
    flaw::{Code, Flaw},
    fonds::{About, Closed, Fonds},
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

/// Opens a fonds. `agencies` is the register, where the archive has one: a creator that it does not have is refused.
pub async fn open_fonds(
    archive: &Archive,
    who: &Who,
    about: About,
    agencies: Option<&Agencies>,
) -> Result<Arranged, ArrangementError> {
    expect_keeper(who)?;
    let mut flaws = match agencies {
        Some(agencies) => about.check(agencies),
        // Nobody can say that a creator is unknown where no register is told.
        None => {
            let known = about.check(&Agencies::new(Register::empty()));
            known.into_iter().filter(|flaw| flaw.code != Code::UnknownAgency).collect()
        }
    };
    if !archive.catalog.fonds_of_code(&about.code).await?.is_empty() {
        flaws.push(Flaw::new(Code::DuplicateCode, "code").with_detail(&about.code));
    }
    let flaws = expect_sound(flaws)?;
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
    let after = Fonds { replaces: Some(replaces), salt: salt()?, about, ..(*before).clone() };
    let told = (Described::Fonds(Arc::new(after.clone())), after.to_bytes()?);
    let answered =
        archive.keep_described(who.id, told, |unit, description| Event::Closed { unit, description, replaces }).await?;
    Ok(Arranged { unit: id.into(), entry: answered.seq, flaws: Vec::new() })
}

/// Fonds are the archivist's.
fn expect_keeper(who: &Who) -> Result<(), Refusal> {
    if who.role == Role::Archivist { Ok(()) } else { Err(Refusal::NotYourRole) }
}

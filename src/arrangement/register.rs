//! The register of agencies (danh bạ cơ quan): taken in, and described anew. There is one.
//!
//! # Why
//! *Rows are ended, never taken out*: a code of an agency stays valid inside the codes of old files for ever, so a register
//! that lacks a code which the one before had is refused.

use crate::archive::{Archive, keep::random};
use crate::arrangement::{Arranged, ArrangementError, expect_sound, fonds::expect_keeper, salt};
use crate::record::{
    agencies::{Agencies, Draft, Register},
    described::Described,
    document::Document,
    entry::Event,
    file_state::Who,
    flaw::{Code, Flaw},
    id::RegisterId,
};
use std::sync::Arc;

/// Takes a register in: the first, or one that takes the place of the one in force.
pub async fn take_register(archive: &Archive, who: &Who, draft: Draft) -> Result<Arranged, ArrangementError> {
    expect_keeper(who)?;
    let before = archive.register().await?;
    let agencies = Agencies::new(draft.clone());
    let mut flaws = agencies.check();
    if let Some((before, _)) = &before {
        let gone = before.agencies.iter().filter(|old| agencies.rows(&old.code).next().is_none());
        flaws.extend(gone.map(|old| Flaw::new(Code::UnknownAgency, "agencies").with_detail(&old.code)));
    }
    let flaws = expect_sound(flaws)?;
    let id = match &before {
        Some((before, _)) => before.register,
        None => RegisterId::new(archive.clock.now().millis(), random()?),
    };
    let replaces = before.map(|(_, digest)| digest);
    let next = Register { replaces, ..draft.register(id, salt()?) };
    let told = (Described::Register(Arc::new(next.clone())), next.to_bytes()?);
    let event = |unit, description| match replaces {
        Some(replaces) => Event::Described { unit, description, replaces },
        None => Event::Opened { unit, description },
    };
    let entry = archive.keep_described(who.id, told, event).await?.seq;
    Ok(Arranged { unit: id.into(), entry, flaws })
}

//! State secrets: a record that may bear a secrecy mark is hidden at once, and expelled by two people.
//!
//! ```text
//! suspect ─► confirm ─► expel (another person) ─► resume
//!      └───────┴─► refute
//! ```
//!
//! # Why
//! *What is suspected stands in the description*, as everything that is said of a record: so it is in force for every reader
//! from the entry on, and a rebuild hides it just so. The order itself is an entry and no description: from there on nothing
//! is left to describe.

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::disposition::{DispositionError, Done, Who, due};
use crate::record::{
    described::Described,
    description::Description,
    digest::{Digest, hex},
    disposition::{basis::Basis, refusal::Refusal},
    entry::Event,
    id::RecordId,
    secrecy::{Act, Level, Secrecy},
};
use std::sync::Arc;

/// Somebody sees a mark: from this entry on the record is shown to nobody.
pub async fn suspect(archive: &Archive, who: &Who, record: RecordId, level: Level) -> Result<Done, DispositionError> {
    say(archive, who, record, &Act::Suspect { level }).await
}

/// The mark is one: an archivist's or the head's finding.
pub async fn confirm(archive: &Archive, who: &Who, record: RecordId, level: Level) -> Result<Done, DispositionError> {
    say(archive, who, record, &Act::Confirm { level }).await
}

/// It is none, or was lifted: the record is shown again.
pub async fn refute(archive: &Archive, who: &Who, record: RecordId, reason: &str) -> Result<Done, DispositionError> {
    say(archive, who, record, &Act::Refute { reason: reason.into() }).await
}

/// Orders it out: the second person, who has just shown who they are.
///
/// If we stop here, it is ordered or it is not; an order is carried out by
/// [`resume`](crate::disposition::execution::resume).
pub async fn expel(archive: &Archive, who: &Who, record: RecordId) -> Result<Done, DispositionError> {
    let (before, _) = described(archive, record).await?;
    let ordered = after(archive, &before, who, &Act::Order)?;
    let Secrecy::Ordered { level, confirmed_by, by } = ordered else { return Err(Refusal::NotThisStage.into()) };
    let basis = Basis::Expulsion { level, confirmed_by, ordered_by: by };
    let entry = archive.order_expulsion(who.actor, record, confirmed_by, basis).await?;
    Ok(Done { unit: record.into(), entry })
}

/// The description in force, and its digest; of what has ended nothing is said any more.
async fn described(archive: &Archive, record: RecordId) -> Result<(Arc<Description>, Digest), DispositionError> {
    if archive.catalog.ended(record).await?.is_some() {
        return Err(Refusal::AlreadyGone.into());
    }
    let read = archive.description(record).await?.ok_or(Refusal::NotKnown)?;
    Ok((read.description, read.digest))
}

fn after(archive: &Archive, before: &Description, who: &Who, act: &Act) -> Result<Secrecy, DispositionError> {
    let fresh = who.is_fresh(archive.config.disposition.fresh_seconds_max, due::now(archive));
    let secrecy = before.secrecy.clone().unwrap_or_default();
    Ok(secrecy.after(act, who, fresh)?)
}

/// Keeps what is known of a mark as a new description.
///
/// If we stop here, an intent has the folder swept, or the entry is there and names it.
async fn say(archive: &Archive, who: &Who, record: RecordId, act: &Act) -> Result<Done, DispositionError> {
    let (before, replaces) = described(archive, record).await?;
    let secrecy = after(archive, &before, who, act)?;
    if before.secrecy.as_ref() == Some(&secrecy) {
        let said = archive.catalog.life(record).await?.into_iter().rfind(|one| one.description == Some(replaces));
        let entry = said.ok_or(Refusal::NotKnown)?.seq;
        return Ok(Done { unit: record.into(), entry });
    }
    let next = marked(&before, replaces, secrecy, hex(&random::<32>()?));
    let bytes = next.to_bytes().map_err(|fault| ArchiveError::Conflict(fault.to_string()))?;
    let told = (Described::Record(Arc::new(next)), bytes);
    let event = |unit, description| Event::Described { unit, description, replaces };
    let answered = archive.keep_described(who.actor, told, event).await?;
    Ok(Done { unit: record.into(), entry: answered.seq })
}

/// The same record, with what is known of its mark.
fn marked(before: &Description, replaces: Digest, secrecy: Secrecy, salt: String) -> Description {
    Description { replaces: Some(replaces), salt, secrecy: Some(secrecy), ..before.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{description::SCHEMA, metadata::Metadata, secrecy::Suspect};
    use serde_json::json;

    #[test]
    fn a_mark_changes_nothing_else_and_hides() {
        let record = RecordId::new(0, [1; 10]);
        let metadata = Metadata { subject: "Kế hoạch".into(), ..Metadata::default() };
        let salt = "0a".repeat(32);
        let told = json!({"schema": SCHEMA, "record": record, "salt": salt, "metadata": metadata, "components": []});
        let before: Description = serde_json::from_value(told).unwrap();
        let suspected = Secrecy::Suspected { level: Level::Secret, by: Suspect::Program };
        let next = marked(&before, Digest::of(b"r"), suspected.clone(), "0b".repeat(32));
        assert!(before.shows() && !next.shows());
        assert_eq!((next.replaces, next.secrecy.clone()), (Some(Digest::of(b"r")), Some(suspected)));
        assert_ne!(next.salt, before.salt);
        assert_eq!(Description { replaces: None, salt: before.salt.clone(), secrecy: None, ..next }, before);
    }
}

//! The objects of records at one place: read, hashed, and repaired where they are not what they were kept as.

use crate::archive::{
    Archive, ArchiveError, apply,
    repair::{Mended, Object},
};
use crate::catalog::units::Begun;
use crate::fixity::{AT_ONCE, Checked, Fault};
use crate::record::{digest::Digest, entry::Damage, id::RecordId, unit::Unit};
use crate::store::{Place, StoreError, layout, replicas::Pace};
use futures::{StreamExt, TryStreamExt, stream};
use std::{collections::BTreeMap, time::Duration};

/// How often an object is read before what was read of it counts.
const READS: usize = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// What reading an object came to.
enum Verdict {
    /// So many bytes, as they were kept.
    Whole(u64),
    Damaged(Damage),
    /// The place does not answer.
    Away,
}

/// All that the entries before `to` name of some units; `None` where the place does not answer.
pub async fn all(
    archive: &Archive,
    number: u32,
    place: &Place,
    begun: &[Begun],
    to: u64,
    pace: &mut Pace,
) -> Result<Option<Checked>, ArchiveError> {
    let reads = stream::iter(begun.to_vec()).map(|begun| one(archive, number, place, begun, to));
    let mut reads = std::pin::pin!(reads.buffered(AT_ONCE));
    let mut all = Checked::default();
    while let Some(checked) = reads.try_next().await? {
        let Some(checked) = checked else { return Ok(None) };
        pace.wait(checked.bytes as usize).await;
        all.records += checked.records;
        all.components += checked.components;
        all.bytes += checked.bytes;
        all.faults.extend(checked.faults);
    }
    Ok(Some(all))
}

/// One unit: its descriptions, then what they name.
async fn one(
    archive: &Archive,
    number: u32,
    place: &Place,
    begun: Begun,
    to: u64,
) -> Result<Option<Checked>, ArchiveError> {
    let unit = begun.unit;
    if let Unit::Record(record) = unit
        && let Some(ended) = archive.catalog.ended(record).await?
    {
        // Its folder is empty, or is emptied under the same order; a place that does not answer is asked again.
        let emptied = archive.empty_again(&ended, place).await;
        return Ok(emptied.is_ok().then(Checked::default));
    }
    let mut checked = Checked { records: u64::from(unit.record().is_some()), ..Checked::default() };
    let life = archive.catalog.life(unit).await?;
    let described = life.into_iter().filter(|happened| happened.seq < to).filter_map(|happened| happened.description);
    let mut components = BTreeMap::new();
    for digest in described {
        let path = layout::description(unit, digest);
        let object = Object { unit, named_by: digest, component: 0, path, digest };
        if !look(archive, number, place, object, &mut checked).await? {
            return Ok(None);
        }
        if let Unit::Record(record) = unit {
            for object in named(archive, record, digest).await? {
                components.entry(object.digest).or_insert(object);
            }
        }
    }
    for object in components.into_values() {
        if !look(archive, number, place, object, &mut checked).await? {
            return Ok(None);
        }
        checked.components += 1;
    }
    if let (Unit::Record(record), false) = (unit, begun.known) {
        archive.supply(record).await?;
    }
    Ok(Some(checked))
}

/// The components that a description names, from whichever place has it as the ledger names it.
async fn named(archive: &Archive, record: RecordId, named_by: Digest) -> Result<Vec<Object>, ArchiveError> {
    let description = apply::undamaged(apply::description(&archive.store, record, named_by).await)?;
    let components = description.into_iter().flat_map(|description| description.components);
    let object = |component: crate::record::component::Component| {
        let (digest, path) = (component.sha256, layout::component(record, component.sha256));
        Object { unit: record.into(), named_by, component: component.ordinal, path, digest }
    };
    Ok(components.map(object).collect())
}

/// Looks at one object, and has it repaired; false where the place does not answer.
async fn look(
    archive: &Archive,
    number: u32,
    place: &Place,
    object: Object,
    checked: &mut Checked,
) -> Result<bool, ArchiveError> {
    let damage = match verdict(place, &object).await {
        Verdict::Whole(bytes) => {
            checked.bytes += bytes;
            return Ok(true);
        }
        Verdict::Away => return Ok(false),
        Verdict::Damaged(damage) => damage,
    };
    let mended = archive.repair(&object, number, damage).await?;
    if mended == Mended::Ended {
        return Ok(true);
    }
    tracing::warn!(
        unit.id = %object.unit, component = object.component, place = number, ?damage,
        repaired = matches!(mended, Mended::From(_)),
        "a place did not hold what it should"
    );
    checked.faults.push(Fault { object, damage, mended });
    Ok(true)
}

/// Reads an object, more than once where it is not what it should be.
async fn verdict(place: &Place, object: &Object) -> Verdict {
    let mut damage = Damage::Missing;
    for attempt in 0..READS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        damage = match place.digest(&object.path).await {
            Ok((found, bytes)) if found == object.digest => return Verdict::Whole(bytes),
            Ok(_) => Damage::Altered,
            Err(StoreError::Absent(_)) => Damage::Missing,
            Err(_) => Damage::Unreadable,
        };
    }
    // A place that does not say who it is has lost more than this.
    match place.identity().await {
        Ok(Some(_)) => Verdict::Damaged(damage),
        _ => Verdict::Away,
    }
}

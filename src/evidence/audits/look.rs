//! Looking at a sample: each entry proved, and what it names read at every place, hashed, and repaired where it is not
//! what it was kept as.

use crate::archive::{
    Archive, ArchiveError, apply,
    audits::Progress,
    repair::{Mended, Object},
};
use crate::evidence::audits::Tell;
use crate::ledger::merkle::leaf_hash;
use crate::record::{
    access::Access,
    audit::{Found, Mending, Pledged, Sampled, Seen, asking},
    description::Description,
    digest::{Digest, Hasher},
    entry::{Damage, Entry, Event},
    id::RecordId,
    unit::Unit,
};
use crate::store::{Place, Standing, StoreError, layout, replicas::Pace};
use crate::verify::description::Stated;
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Entries that are looked at at once.
const AT_ONCE: usize = 8;
/// How often an object is read before what was read of it counts.
const READS: usize = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// What a sample is looked at for.
pub struct Asked {
    pledge: u64,
    size: u64,
    root: Digest,
    seed: Digest,
    places: Vec<(u32, Place)>,
    /// Those that did not answer when we began.
    away: BTreeSet<u32>,
}

impl Asked {
    pub fn new(archive: &Archive, pledged: &Pledged, (size, root): (u64, Digest), seed: Digest) -> Asked {
        let replicas = archive.store.replicas().all().iter();
        let away = replicas.filter(|replica| replica.standing() != Standing::Taking).map(|replica| replica.number);
        Asked { pledge: pledged.seq, size, root, seed, places: archive.places(), away: away.collect() }
    }
}

/// What was seen of a sample.
pub struct Looked {
    pub entries: Vec<Sampled>,
    pub findings: Vec<Found>,
    /// Where everything was read.
    pub places: Vec<u32>,
    pub away: Vec<u32>,
}

/// An object at a place, by which one fault is told from another.
type Key = (Unit, Digest, u32, u32);

/// What was seen of one entry.
struct One {
    sampled: Sampled,
    bytes: u64,
    away: BTreeSet<u32>,
    found: Vec<(Key, Found)>,
    /// What the ledger tells of its objects since the pledge.
    told: Vec<(Key, Found)>,
}

/// Looks at all of it, a few entries at once.
pub async fn all(
    archive: &Archive,
    asked: &Asked,
    indices: BTreeSet<u64>,
    tell: &Tell,
) -> Result<Looked, ArchiveError> {
    let (of, mut done) = (indices.len() as u64, 0);
    archive.set_audit_progress(asked.pledge, Some(Progress { done, of }));
    let mut pace = Pace::of(archive.config.fixity.bytes_per_second_max);
    let mut looks = std::pin::pin!(stream::iter(indices).map(|index| one(archive, asked, index)).buffered(AT_ONCE));
    let (mut entries, mut found, mut told, mut away) = (Vec::new(), Vec::new(), Vec::new(), asked.away.clone());
    while let Some(one) = looks.try_next().await? {
        pace.wait(usize::try_from(one.bytes).unwrap_or(usize::MAX)).await;
        entries.push(one.sampled);
        found.extend(one.found);
        told.extend(one.told);
        away.extend(one.away);
        done += 1;
        archive.set_audit_progress(asked.pledge, Some(Progress { done, of }));
        tell(done, of);
    }
    // What an interrupted audit, or a round of fixity, found of the same objects since the pledge is told too, once.
    let mut keys: BTreeSet<Key> = found.iter().map(|(key, _)| *key).collect();
    found.extend(told.into_iter().filter(|(key, _)| keys.insert(*key)));
    let mut findings: Vec<Found> = found.into_iter().map(|(_, found)| found).collect();
    findings.sort_unstable();
    // Of a place that fell silent half-way nobody says that all was read there.
    for seen in entries.iter_mut().flat_map(|one| &mut one.objects) {
        seen.whole.retain(|place| !away.contains(place));
    }
    let places = asked.places.iter().map(|(number, _)| *number).filter(|number| !away.contains(number)).collect();
    Ok(Looked { entries, findings, places, away: away.into_iter().collect() })
}

/// One entry: its proof, then what it names.
async fn one(archive: &Archive, asked: &Asked, index: u64) -> Result<One, ArchiveError> {
    let receipt = archive.ledger.prove_under(index, asked.size, asked.root, String::new()).await?;
    let entry = Entry::from_bytes(&receipt.entry).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    let (mut objects, mut secret, mut salt) = (Vec::new(), false, None);
    if let Some(record) = entry.event.record() {
        let mut description = None;
        // Of a record that ended nothing is to be there; that it ended is an entry of its own.
        let ended = archive.catalog.ended(record).await?.is_some();
        if let Some(digest) = entry.event.description().filter(|_| !ended) {
            (objects, description) = named(archive, record, digest, index).await?;
        }
        salt = description.as_ref().and_then(|description| description.salt.parse().ok());
        secret = is_secret(archive, record, description.as_ref()).await?;
    } else if let Some((unit, digest)) = entry.event.names() {
        let path = layout::description(unit, digest);
        salt = archive.store.read_as(&path, digest).await.ok().and_then(|bytes| Stated::read(&bytes).ok()?.salt.into());
        objects = vec![(0, Object { unit, named_by: digest, component: 0, path, digest })];
    }
    let text = String::from_utf8(receipt.entry.clone()).ok().filter(|_| !secret);
    let leaf = text.is_none().then(|| leaf_hash(&receipt.entry));
    let sampled = Sampled { index, entry: text, leaf, path: receipt.path, objects: Vec::new() };
    let mut one = One { sampled, bytes: 0, away: BTreeSet::new(), found: Vec::new(), told: Vec::new() };
    for (ordinal, object) in &objects {
        let seen = seen(archive, asked, (*ordinal, object), salt, &mut one).await?;
        one.sampled.objects.push(seen);
    }
    if let Some(unit) = entry.event.unit().filter(|_| !objects.is_empty()) {
        one.told = told(archive, asked, unit, (index, &objects)).await?;
    }
    Ok(one)
}

/// May the report not show entries about this record? Of one that nobody knows any more nothing is shown either.
async fn is_secret(
    archive: &Archive,
    record: RecordId,
    description: Option<&Description>,
) -> Result<bool, ArchiveError> {
    let known = archive.catalog.record(record).await?;
    let now = known.is_none_or(|known| Access::read(&known.access).is_none_or(|access| access == Access::Secret));
    Ok(now || description.is_some_and(|told| told.access().is_none_or(|access| access == Access::Secret)))
}

/// The description that an entry names, and what it names, each with its ordinal there. An object is told in the ledger
/// by the first description that named it, as rounds of fixity do.
async fn named(
    archive: &Archive,
    record: RecordId,
    digest: Digest,
    seq: u64,
) -> Result<(Vec<(u32, Object)>, Option<Description>), ArchiveError> {
    let path = layout::description(record, digest);
    let mut objects = vec![(0, Object { unit: record.into(), named_by: digest, component: 0, path, digest })];
    let (mut first, mut own) = (BTreeMap::new(), None);
    let life = archive.catalog.life(record).await?;
    for named_by in life.iter().filter(|one| one.seq <= seq).filter_map(|one| one.description) {
        let read = apply::undamaged(apply::description(&archive.store, record, named_by).await)?;
        for component in read.iter().flat_map(|description| &description.components) {
            first.entry(component.sha256).or_insert((named_by, component.ordinal));
        }
        own = if named_by == digest { read } else { own };
    }
    for component in own.iter().flat_map(|description| &description.components) {
        let sha256 = component.sha256;
        let (named_by, ordinal) = first.get(&sha256).copied().unwrap_or((digest, component.ordinal));
        let path = layout::component(record, sha256);
        objects.push((
            component.ordinal,
            Object { unit: record.into(), named_by, component: ordinal, path, digest: sha256 },
        ));
    }
    Ok((objects, own))
}

/// An object at every place, repaired where it has to be.
async fn seen(
    archive: &Archive,
    asked: &Asked,
    (component, object): (u32, &Object),
    salt: Option<Digest>,
    one: &mut One,
) -> Result<Seen, ArchiveError> {
    let mut seen = Seen { component, bytes: None, answer: None, whole: Vec::new() };
    for (number, place) in &asked.places {
        let fault = match look(place, object, asking(asked.seed, salt.unwrap_or(object.digest))).await {
            Look::Away => {
                one.away.insert(*number);
                continue;
            }
            // The description was misread a moment ago: the audit is begun anew.
            Look::Whole(..) if salt.is_none() => return Err(ArchiveError::Damaged(object.path.clone())),
            Look::Whole(bytes, answer) => {
                (seen.bytes, seen.answer) = (Some(bytes), Some(answer));
                seen.whole.push(*number);
                one.bytes += bytes;
                continue;
            }
            Look::Damaged(fault) => fault,
        };
        let outcome = match archive.repair(object, *number, fault).await? {
            Mended::From(_) => Mending::Repaired,
            Mended::Waiting => Mending::Waiting,
            Mended::Lost => Mending::Lost,
            // It was ordered to end while we looked.
            Mended::Ended => continue,
        };
        tracing::warn!(
            unit.id = %object.unit, component, place = number, ?fault, ?outcome,
            "an audit found that a place did not hold what it should"
        );
        let key = (object.unit, object.named_by, object.component, *number);
        one.found.push((key, Found { index: one.sampled.index, component, place: *number, fault, outcome }));
    }
    Ok(seen)
}

/// What reading an object came to.
enum Look {
    /// So many bytes, as they were kept, and the answer.
    Whole(u64, Digest),
    Damaged(Damage),
    /// The place does not answer.
    Away,
}

/// Reads an object, more than once where it is not what it should be.
async fn look(place: &Place, object: &Object, asking: Hasher) -> Look {
    let mut damage = Damage::Missing;
    for attempt in 0..READS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        damage = match read(place, &object.path, asking.clone()).await {
            Ok((found, bytes, answer)) if found == object.digest => return Look::Whole(bytes, answer),
            Ok(_) => Damage::Altered,
            Err(StoreError::Absent(_)) => Damage::Missing,
            Err(_) => Damage::Unreadable,
        };
    }
    // A place that does not say who it is has lost more than this.
    match place.identity().await {
        Ok(Some(_)) => Look::Damaged(damage),
        _ => Look::Away,
    }
}

/// Digest, size and answer of an object, read once.
async fn read(place: &Place, path: &str, mut answer: Hasher) -> Result<(Digest, u64, Digest), StoreError> {
    let (mut pieces, mut plain) = (place.read_pieces(path).await?, Hasher::default());
    while let Some(piece) = pieces.try_next().await? {
        plain.update(&piece);
        answer.update(&piece);
    }
    let bytes = plain.size;
    Ok((plain.finish(), bytes, answer.finish()))
}

/// What the ledger tells of some objects since the pledge.
async fn told(
    archive: &Archive,
    asked: &Asked,
    unit: Unit,
    (index, objects): (u64, &[(u32, Object)]),
) -> Result<Vec<(Key, Found)>, ArchiveError> {
    let ours = |named_by: Digest, component: u32| {
        let is_it = |(_, object): &&(u32, Object)| (object.named_by, object.component) == (named_by, component);
        objects.iter().find(is_it).map(|(ordinal, _)| *ordinal)
    };
    let mut told: BTreeMap<Key, Found> = BTreeMap::new();
    for happened in archive.catalog.life(unit).await?.iter().filter(|happened| happened.seq > asked.pledge) {
        if !["damaged", "repaired", "lost"].contains(&happened.event.as_str()) {
            continue;
        }
        let bytes = archive.ledger.entry(happened.seq).await?;
        let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        match entry.event {
            Event::Damaged { named_by, component, place, fault, .. } => {
                if let Some(component_here) = ours(named_by, component) {
                    let outcome = Mending::Waiting;
                    let found = Found { index, component: component_here, place, fault, outcome };
                    told.insert((unit, named_by, component, place), found);
                }
            }
            Event::Repaired { named_by, component, place, .. } => {
                let found = told.get_mut(&(unit, named_by, component, place));
                found.into_iter().for_each(|found| found.outcome = Mending::Repaired);
            }
            Event::Lost { named_by, component, .. } => {
                let open = told.iter_mut().filter(|((_, by, of, _), found)| {
                    (*by, *of) == (named_by, component) && found.outcome == Mending::Waiting
                });
                open.for_each(|(_, found)| found.outcome = Mending::Lost);
            }
            _ => {}
        }
    }
    Ok(told.into_iter().collect())
}

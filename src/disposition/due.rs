//! When does it become due, and why? Asked of descriptions, for today or for any day in the past.
//!
//! [`explain`] reads what was in force at a moment: the description of the file or record, those of the records inside that
//! have a class of their own or of the files that a record lies in, every version of the schedules as it was known then,
//! and the holds that were ever placed. The rule is [`derivation::derive`]. What a file holds is asked of today: of a record
//! that has been moved away or destroyed since then the answer about the past no longer tells.
//!
//! # Why
//! *Twice counted.* Lists and figures come from the catalog, for they are of many; [`due`] and [`explain`] never believe
//! it, for by them something ends.
//!
//! *A class that nobody can read is longer than any.* A schedule that is gone, a version that lacks the class, a record
//! without a class in a file without one: each waits for a class.

use crate::archive::Archive;
pub use crate::catalog::retention::{DueFilter, DueUnit};
use crate::catalog::{
    Catalog, CatalogError,
    retention::{Clocked, Falling},
};
use crate::disposition::{DispositionError, schedules::versions_at};
use crate::record::{
    described::Described,
    description::Description,
    disposition::refusal::Refusal,
    document::Salt,
    entry::Instant,
    file::File,
    id::{FileId, HoldId, RecordId, ScheduleId},
    retention::{
        assign::{facts_inside, facts_of, facts_of_record, is_classed, ruling_class},
        change::{Change, Row},
        clock::{self, Awaited, Due, Reading},
        day::Day,
        derivation::{self, Asked, Assigned, Derivation, Placed, Whence},
        gate::Obstacle,
        rules::Rules,
        schedule::{self, Class, Schedule},
        trigger::Fact,
    },
    term::ClassRef,
    unit::Unit,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::{BTreeMap, HashMap, hash_map},
    sync::Arc,
};

/// Units that a simulation reads at once.
const PAGE: u32 = 1000;
/// Descriptions that are read at once.
const READS: usize = 16;

/// What was given to a file or a record and counts for it.
struct Known {
    of: Whence,
    given: Vec<Given>,
    /// Has all of it a class? What has none may live longer than what has one.
    classed: bool,
}

/// A class that was given to something, with what is known of it, before anybody has looked what it says.
struct Given {
    whence: Whence,
    class: ClassRef,
    known: Instant,
    facts: Vec<Fact>,
}

/// How the due date of a file or a record came about, with what was known at a moment; `None` where there was no such unit
/// then, or its description is gone.
pub async fn explain(
    archive: &Archive,
    unit: Unit,
    as_of: Option<Instant>,
) -> Result<Option<Derivation>, DispositionError> {
    let as_of = as_of.unwrap_or_else(|| now(archive));
    let known = match unit {
        Unit::File(file) => of_file(archive, file, as_of).await?,
        Unit::Record(record) => of_record(archive, record, as_of).await?,
        _ => None,
    };
    let Some(known) = known else { return Ok(None) };
    let mut versions: HashMap<ScheduleId, Vec<Schedule>> = HashMap::new();
    for Given { class, .. } in &known.given {
        if let hash_map::Entry::Vacant(none) = versions.entry(class.schedule) {
            none.insert(versions_at(archive, class.schedule, as_of).await?);
        }
    }
    let holds = ever_held(archive, unit).await?;
    Ok(Some(derived(&known, &versions, (&holds, as_of), &archive.config.retention)))
}

/// When it becomes due by what is known now. A hold does not move it.
pub async fn due(archive: &Archive, unit: Unit) -> Result<Due, DispositionError> {
    let explained = explain(archive, unit, None).await?;
    Ok(explained.ok_or(Refusal::NotKnown)?.due)
}

/// How much falls due when, as the catalog has it.
pub async fn forecast(archive: &Archive) -> Result<Vec<Falling>, DispositionError> {
    Ok(archive.catalog.falling().await?)
}

/// What would move, if these were the classes of a schedule. A class that they lack goes on by the version that has it.
pub async fn simulate(archive: &Archive, id: ScheduleId, classes: &[Class]) -> Result<Change, DispositionError> {
    let (today, reading) = (Day::in_vietnam(now(archive)), archive.config.retention.reading);
    Ok(moves(&archive.catalog, id, classes, (today, reading)).await?)
}

/// The same by what a catalog knows, on a day and by a reading of the law. A page of units is in memory at a time, and the
/// groups that [`Change`] tells apart.
pub async fn moves(
    catalog: &Catalog,
    id: ScheduleId,
    classes: &[Class],
    (today, reading): (Day, Reading),
) -> Result<Change, CatalogError> {
    let by_code: HashMap<&str, &Class> = classes.iter().map(|class| (class.code.as_str(), class)).collect();
    let (mut change, mut after) = (Change::new(today), String::new());
    loop {
        let page = catalog.clocked(id, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(change) };
        after = last.unit.to_string();
        page.iter().for_each(|unit| change.add(moved(unit, &by_code, reading)));
    }
}

/// One unit before and after.
fn moved<'a>(unit: &'a Clocked, by_code: &HashMap<&str, &Class>, reading: Reading) -> Row<'a> {
    let Clocked { class, due: before, records, bytes, .. } = unit;
    let says = by_code.get(class.as_str());
    let after = says.map_or(*before, |says| clock::count(says.period, says.trigger, &unit.facts, reading).due);
    Row { class_before: class, class_after: class, before: *before, after, records: *records, bytes: *bytes }
}

/// Now; entries that another machine's clock has put a little ahead are known as well.
pub(in crate::disposition) fn now(archive: &Archive) -> Instant {
    archive.clock.now().max(archive.catalog.newest())
}

/// The derivation of what was given, once everything is read.
fn derived(
    Known { of, given, classed }: &Known,
    versions: &HashMap<ScheduleId, Vec<Schedule>>,
    (holds, as_of): (&[Placed], Instant),
    rules: &Rules,
) -> Derivation {
    let unsaid: Vec<Schedule> = given.iter().map(|given| unsaid(&given.class, as_of)).collect();
    let assigned = given.iter().zip(&unsaid).map(|(given, unsaid)| {
        let Given { whence, class, known, facts } = given;
        let versions = versions.get(&class.schedule).map(Vec::as_slice).unwrap_or_default();
        let schedule = ruling_class(versions, class).map_or(unsaid, |(schedule, _)| schedule);
        Assigned { whence: whence.clone(), schedule, class: &class.class, corresponding: false, known: *known, facts }
    });
    let assigned: Vec<Assigned> = assigned.collect();
    let mut told = derivation::derive(&Asked { of: of.clone(), assigned: &assigned, holds, as_of, rules });
    if !classed {
        told.due = clock::longest([told.due, Due::Waiting(Awaited::Class)]);
        // In the order of the gate: what is held comes first.
        let at = told.obstacles.iter().take_while(|obstacle| matches!(obstacle, Obstacle::Held(_))).count();
        told.obstacles.retain(|obstacle| !matches!(obstacle, Obstacle::NoClass | Obstacle::NotDue));
        told.obstacles.insert(at, Obstacle::NoClass);
        told.obstacles.push(Obstacle::NotDue);
    }
    told
}

/// What stands for a version that nobody can read, or that lacks the class: it says nothing and is approved by nobody.
fn unsaid(named: &ClassRef, as_of: Instant) -> Schedule {
    Schedule {
        schema: schedule::SCHEMA.into(),
        schedule: named.schedule,
        version: named.version,
        replaces: None,
        salt: Salt::new([0; 32]),
        title: String::new(),
        source: None,
        from: Day::in_vietnam(as_of),
        until: None,
        incomplete: true,
        approved: None,
        note: None,
        classes: Vec::new(),
    }
}

/// The classes that count for a file: its own, and those of the records inside that have one.
async fn of_file(archive: &Archive, id: FileId, as_of: Instant) -> Result<Option<Known>, DispositionError> {
    let Some((file, known)) = file_at(archive, id, as_of).await? else { return Ok(None) };
    let (of, facts) = (Whence::File(id), facts_of(&file, known));
    let own = file.about.class.clone();
    let classed = own.is_some();
    let own = own.map(|class| Given { whence: of.clone(), class, known, facts: facts.clone() });
    let mut given: Vec<Given> = own.into_iter().collect();
    let members = archive.catalog.members(id).await?;
    let mut inside = stream::iter(members).map(|record| record_at(archive, record, as_of)).buffered(READS);
    let lay_in = |record: &Description| record.metadata.file.is_some() && record.metadata.file == file.about.code;
    while let Some(then) = inside.try_next().await? {
        let Some((then, known)) = then.filter(|(then, _)| lay_in(then)) else { continue };
        // Only a class and its facts stay in memory: a file may hold thousands of records.
        given.extend(then.metadata.class.clone().map(|class| {
            let facts = facts_inside(facts_of_record(&then.metadata, known), &facts);
            Given { whence: Whence::Record(then.record), class, known, facts }
        }));
    }
    Ok(Some(Known { of, given, classed }))
}

/// The classes that count for a record: its own, and those of the files that it lies in or that refer to it.
async fn of_record(archive: &Archive, id: RecordId, as_of: Instant) -> Result<Option<Known>, DispositionError> {
    let Some((record, known)) = record_at(archive, id, as_of).await? else { return Ok(None) };
    let (of, metadata) = (Whence::Record(id), &record.metadata);
    let files = lies_in(archive, &record, as_of).await?;
    let own = metadata.class.as_ref();
    let classed = is_classed(own, files.iter().map(|(file, _)| file.about.class.as_ref()));
    let (mut given, mut facts) = (Vec::new(), facts_of_record(metadata, known));
    for (file, known) in &files {
        let of_file = facts_of(file, *known);
        // Another file that refers to it may end earlier than the work that it comes from.
        if metadata.file.is_some() && file.about.code == metadata.file {
            facts = facts_inside(facts, &of_file);
        }
        let whence = Whence::File(file.file);
        let class = file.about.class.clone();
        given.extend(class.map(|class| Given { whence, class, known: *known, facts: of_file }));
    }
    given.extend(own.cloned().map(|class| Given { whence: of.clone(), class, known, facts }));
    Ok(Some(Known { of, given, classed }))
}

/// The files that a record lay in at a moment, or that referred to it.
async fn lies_in(
    archive: &Archive,
    record: &Description,
    as_of: Instant,
) -> Result<Vec<(Arc<File>, Instant)>, DispositionError> {
    let mut ids = archive.catalog.sharing(record.record).await?;
    let code = record.metadata.file.as_ref();
    if let Some(code) = code {
        ids.extend(archive.catalog.files_of_code(code).await?.into_iter().map(|known| known.file));
    }
    ids.sort();
    ids.dedup();
    let mut files = Vec::new();
    for id in ids {
        let then = file_at(archive, id, as_of).await?;
        files.extend(then.filter(|(file, _)| {
            let shares = file.about.shared.iter().any(|shared| shared.record == record.record);
            shares || (code.is_some() && file.about.code.as_ref() == code)
        }));
    }
    Ok(files)
}

/// The description of a unit that was in force at a moment, and since when.
async fn described_at(
    archive: &Archive,
    unit: Unit,
    as_of: Instant,
) -> Result<Option<(Described, Instant)>, DispositionError> {
    let life = archive.catalog.life(unit).await?;
    let then = life.iter().rev().filter(|happened| happened.at <= as_of);
    let Some((digest, at)) = then.filter_map(|happened| Some((happened.description?, happened.at))).next() else {
        return Ok(None);
    };
    Ok(archive.described(unit, digest).await?.map(|described| (described, at)))
}

async fn file_at(
    archive: &Archive,
    id: FileId,
    as_of: Instant,
) -> Result<Option<(Arc<File>, Instant)>, DispositionError> {
    Ok(match described_at(archive, id.into(), as_of).await? {
        Some((Described::File(file), at)) => Some((file, at)),
        _ => None,
    })
}

async fn record_at(
    archive: &Archive,
    id: RecordId,
    as_of: Instant,
) -> Result<Option<(Arc<Description>, Instant)>, DispositionError> {
    Ok(match described_at(archive, id.into(), as_of).await? {
        Some((Described::Record(record), at)) => Some((record, at)),
        _ => None,
    })
}

/// Every hold that ever covered a unit or anything in it. One that was placed on many records is told once, from the
/// first of them on.
async fn ever_held(archive: &Archive, unit: Unit) -> Result<Vec<Placed>, CatalogError> {
    let mut placed: BTreeMap<HoldId, Placed> = BTreeMap::new();
    for one in archive.catalog.holds_ever_on(unit).await? {
        if let Some(known) = placed.get_mut(&one.hold) {
            known.placed = known.placed.min(one.at);
            continue;
        }
        let reason = archive.catalog.hold(one.hold).await?.map(|known| known.reason.as_str().to_owned());
        let (hold, reason) = (one.hold, reason.unwrap_or_default());
        placed.insert(hold, Placed { hold, reason, placed: one.at, released: one.released_at });
    }
    Ok(placed.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::retention::{
        derivation::tests::{at, ended, file},
        schedule::tests::example,
    };

    fn record(n: u8) -> RecordId {
        RecordId::new(0, [n; 10])
    }

    fn given(whence: Whence, version: u32, class: &str, facts: &[Fact]) -> Given {
        let class = ClassRef { schedule: example().schedule, version, class: class.into() };
        Given { whence, class, known: at("2025-10-01"), facts: facts.to_vec() }
    }

    /// Law 33/2024/QH15 art. 15: a file lives as long as its longest record, and what nobody has said waits.
    #[test]
    fn what_was_given_is_ruled_by_the_versions_that_were_known() {
        let facts = [ended("2025", "2025-10-01")];
        let of = |class: &str| given(Whence::File(file()), 2, class, &facts);
        let inside = |class: &str, facts: &[Fact]| given(Whence::Record(record(4)), 2, class, facts);
        let draft = Schedule { approved: None, ..example() };
        let mut next = Schedule { version: 3, ..example() };
        next.classes[1].period = "years:20".parse().unwrap();
        let known = |versions: &[Schedule]| HashMap::from([(example().schedule, versions.to_vec())]);
        let later = [ended("2027", "2025-10-01")];
        let bare = vec![inside("1.02", &facts)];
        let forever = vec![inside("1.01", &facts)];
        for (why, given, versions, due, obstacles) in [
            ("approved", vec![of("1.02")], known(&[example()]), "on:2036-01-01", &[Obstacle::NotDue][..]),
            ("a newer version", vec![of("1.02")], known(&[example(), next]), "on:2046-01-01", &[Obstacle::NotDue]),
            ("a draft", vec![of("1.02")], known(&[draft]), "on:2036-01-01", &[Obstacle::NotApproved, Obstacle::NotDue]),
            (
                "permanent inside",
                vec![of("1.02"), inside("1.01", &facts)],
                known(&[example()]),
                "never",
                &[Obstacle::NotDue],
            ),
            (
                "later inside",
                vec![of("1.02"), inside("1.02", &later)],
                known(&[example()]),
                "on:2038-01-01",
                &[Obstacle::NotDue],
            ),
            (
                "no such class",
                vec![of("1.02"), inside("9.99", &facts)],
                known(&[example()]),
                "waiting:class",
                &[Obstacle::NoClass, Obstacle::NotApproved, Obstacle::NotDue],
            ),
            (
                "no such schedule",
                vec![of("1.02")],
                HashMap::new(),
                "waiting:class",
                &[Obstacle::NoClass, Obstacle::NotApproved, Obstacle::NotDue],
            ),
            ("nothing given", vec![], HashMap::new(), "waiting:class", &[Obstacle::NoClass, Obstacle::NotDue]),
            (
                "only a record has one",
                bare,
                known(&[example()]),
                "waiting:class",
                &[Obstacle::NoClass, Obstacle::NotDue],
            ),
            ("and lives for ever", forever, known(&[example()]), "never", &[Obstacle::NoClass, Obstacle::NotDue]),
        ] {
            let rules = Rules::default();
            let of = Whence::File(file());
            let known = Known { classed: given.iter().any(|given| given.whence == of), of, given };
            let told = derived(&known, &versions, (&[], at("2030-01-01")), &rules);
            assert_eq!((told.due.to_string().as_str(), &told.obstacles[..]), (due, obstacles), "{why}");
        }
    }

    #[test]
    fn what_a_change_of_a_class_moves() {
        let class = |period: &str| {
            let (code, period) = ("1.02".to_owned(), period.parse().unwrap());
            Class { code, period, ..example().classes[1].clone() }
        };
        let unit = |code: &str, facts: &[Fact], due: &str| Clocked {
            unit: file().into(),
            schedule: example().schedule,
            version: 2,
            class: code.into(),
            facts: facts.to_vec(),
            due: due.parse().unwrap(),
            records: 3,
            bytes: 10,
        };
        let facts = [ended("2025", "2025-10-01")];
        let [shorter, longer, never] = ["years:5", "years:20", "permanent"].map(class);
        for (classes, unit, expected) in [
            (&[&shorter][..], unit("1.02", &facts, "on:2036-01-01"), "on:2031-01-01"),
            (&[&longer], unit("1.02", &facts, "on:2036-01-01"), "on:2046-01-01"),
            (&[&never], unit("1.02", &facts, "on:2036-01-01"), "never"),
            (&[&shorter], unit("1.02", &[], "waiting:work_ended"), "waiting:work_ended"),
            // A class that is dropped goes on as it was.
            (&[&shorter], unit("1.01", &facts, "never"), "never"),
            (&[], unit("1.02", &facts, "on:2036-01-01"), "on:2036-01-01"),
        ] {
            let by_code = classes.iter().map(|class| (class.code.as_str(), *class)).collect();
            let row = moved(&unit, &by_code, Reading::JanuaryFirst);
            assert_eq!((row.after.to_string().as_str(), row.before), (expected, unit.due), "{}", unit.class);
            assert_eq!((row.records, row.bytes, row.class_after), (3, 10, unit.class.as_str()));
        }
    }
}

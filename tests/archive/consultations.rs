//! Who was shown what is not public: noted before it is shown, sealed as a record when the day is over.

use crate::world::{World, row};
use futures::TryStreamExt;
use std::sync::atomic::Ordering;
use vankho::{
    access,
    archive::Archive,
    record::{
        access::{Access, Reader},
        actor::{Actor, Role},
        consultation::Consultation,
        entry::Instant,
        id::{ActorId, RecordId},
    },
    worker::consultations::seal,
};

const DAY: i64 = 86_400_000_000;

fn auditor() -> Actor {
    let (id, name, agency) = (ActorId::new(7, [7; 10]), "kiểm tra viên".into(), "Sở Nội vụ".into());
    Actor { id, name, role: Role::Auditor, agency }
}

/// An archive with a record of each access level.
async fn three_levels(world: &World) -> (Archive, [RecordId; 3]) {
    let archive = world.open().await.unwrap();
    let levels = ["public", "conditional", "secret"];
    let rows =
        levels.map(|level| row(level, "một tài liệu", &format!(r#""access":"{level}","text":"văn bản {level}""#)));
    world.ingest_all(&archive, &world.file("m.jsonl", rows.concat())).await;
    let mut records = Vec::new();
    for level in levels {
        let known = archive.catalog.by_external_id(level).await.unwrap();
        records.push(known[0].record);
    }
    (archive, records.try_into().unwrap())
}

/// The logs that are sealed: their access level and their lines.
async fn sealed(archive: &Archive) -> Vec<(Access, Vec<Consultation>)> {
    let mut logs = Vec::new();
    for known in archive.catalog.records(0, 1000).await.unwrap() {
        if !known.subject.starts_with("Nhật ký khai thác") {
            continue;
        }
        let opened = access::open(archive, &Reader::Cleared, known.record).await.unwrap().unwrap();
        let pieces: Vec<_> = access::read(archive, &opened, 1).await.unwrap().unwrap().try_collect().await.unwrap();
        let text = String::from_utf8(pieces.concat()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        logs.push((opened.description.metadata.access, lines.collect()));
    }
    logs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_consultations_becomes_a_record_for_each_access_level() {
    let world = World::founded().await;
    let (archive, [public, conditional, secret]) = three_levels(&world).await;
    let (who, began) = (auditor(), archive.clock.now());
    for (record, component) in [(public, None), (conditional, None), (conditional, Some(1)), (secret, None)] {
        access::note(&archive, &who, record, component).await.unwrap();
        access::note(&archive, &who, record, component).await.unwrap();
    }
    seal(&archive).await.unwrap();
    assert_eq!(sealed(&archive).await, [], "the day is not over");
    world.micros.fetch_add(DAY, Ordering::SeqCst);
    seal(&archive).await.unwrap();
    let logs = sealed(&archive).await;
    let told = |record, component, access| (record, component, access);
    let seen = |lines: &[Consultation]| -> Vec<(RecordId, Option<u32>, Access)> {
        assert!(lines.iter().all(|line| line.by == who.id && line.at.micros() >= began.micros()));
        lines.iter().map(|line| told(line.record, line.component, line.access)).collect()
    };
    let [(Access::Conditional, ours), (Access::Secret, theirs)] = &logs[..] else { panic!("{logs:?}") };
    let level = Access::Conditional;
    assert_eq!(seen(ours), [told(conditional, None, level), told(conditional, Some(1), level)]);
    assert_eq!(seen(theirs), [told(secret, None, Access::Secret)]);
    // Sealed once, whoever looks again; what is said of secret records is for those who may see them.
    let entries = archive.ledger.size();
    seal(&archive).await.unwrap();
    assert_eq!(archive.ledger.size(), entries);
    let official = Reader::Official { agency: "Sở Nội vụ".into() };
    for known in archive.catalog.records(0, 1000).await.unwrap() {
        if known.subject.starts_with("Nhật ký khai thác") {
            assert!(access::open(&archive, &official, known.record).await.unwrap().is_none());
            let seen = access::open(&archive, &Reader::Archivist, known.record).await.unwrap().is_some();
            assert_eq!(seen, known.access == "conditional");
        }
    }
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_that_was_interrupted_is_one_record_and_what_came_late_another() {
    let world = World::founded().await;
    let (archive, [_, conditional, _]) = three_levels(&world).await;
    let (who, noted) = (auditor(), archive.clock.now());
    access::note(&archive, &who, conditional, None).await.unwrap();
    world.micros.fetch_add(DAY, Ordering::SeqCst);
    let (day, last) = archive.desk.day_before(&archive.clock.now().day()).await.unwrap().unwrap();
    assert_eq!(day.day, Instant::day(&noted));
    seal(&archive).await.unwrap();
    // It stopped after the record was kept and before the desk forgot.
    archive.desk.note_consultation(&day.consultations[0]).await.unwrap();
    seal(&archive).await.unwrap();
    assert_eq!(sealed(&archive).await.len(), 1);
    let late = Consultation { component: Some(1), ..day.consultations[0].clone() };
    archive.desk.note_consultation(&late).await.unwrap();
    seal(&archive).await.unwrap();
    let logs = sealed(&archive).await;
    assert_eq!((logs.len(), &logs[1].1), (2, &vec![late]));
    assert!(last > 0 && archive.desk.day_before("9999").await.unwrap().is_none());
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_noted_is_not_shown() {
    let world = World::founded().await;
    let (archive, [public, conditional, _]) = three_levels(&world).await;
    archive.desk.close().await;
    access::note(&archive, &auditor(), public, None).await.unwrap();
    assert!(access::note(&archive, &auditor(), conditional, None).await.is_err());
}

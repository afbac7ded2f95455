//! What is described and is no record: kept at every place, read again, repaired, and carried as records are.

use crate::{
    fixity::{outcome, round},
    kept::PLACES,
    mutations::opened_units,
    world::World,
};
use std::{fs, path::PathBuf};
use vankho::{
    archive::repair::Mended,
    catalog::units::Opened,
    index::query::Query,
    record::{access::Reader, entry::Damage, unit},
    store::layout,
    verify::Outcome,
};

async fn units(archive: &vankho::archive::Archive) -> Vec<Opened> {
    let mut units = archive.catalog.units(unit::Kind::File, 0, 100).await.unwrap();
    units.extend(archive.catalog.units(unit::Kind::Hold, 0, 100).await.unwrap());
    units
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_lies_at_every_place_and_is_repaired_there() {
    let world = World::in_places(&PLACES.map(|(name, _)| name), 2).await;
    let archive = world.open().await.unwrap();
    opened_units(&archive).await;
    let opened = units(&archive).await;
    assert_eq!(opened.len(), 2);
    // That they are at both places is known for certain when the archive is opened anew.
    archive.close().await.unwrap();
    let archive = world.open().await.unwrap();
    let path = |place: &str, one: &Opened| -> PathBuf {
        world.data.path().join(place).join(layout::description(one.unit, one.description))
    };
    for (name, number) in PLACES {
        for (one, fault) in opened.iter().zip([Damage::Missing, Damage::Altered]) {
            let kept = fs::read(path(name, one)).unwrap();
            match fault {
                Damage::Missing => fs::remove_file(path(name, one)).unwrap(),
                _ => fs::write(path(name, one), b"{}").unwrap(),
            }
            let (ended, found) = round(&archive, number).await.unwrap();
            let [found] = &found[..] else { panic!("{found:?}") };
            assert_eq!((found.object.unit, found.damage, found.mended), (one.unit, fault, Mended::From(3 - number)));
            assert_eq!((fs::read(path(name, one)).unwrap(), ended.records), (kept, 0));
        }
    }
    archive.close().await.unwrap();
    for (name, number) in PLACES {
        assert_eq!(outcome(&world, name, number).await, Outcome::Holds);
    }
    // A catalog that is built anew knows the same.
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    assert_eq!(units(&archive).await, opened);
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_an_intent_names_is_swept_of_what_no_entry_names() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    opened_units(&archive).await;
    let one = units(&archive).await.remove(0);
    let intent = archive.intend_unit(one.unit).await.unwrap();
    let orphan = archive.keep_unit(one.unit, b"{}".to_vec()).await.unwrap();
    drop(intent);
    archive.close().await.unwrap();
    let archive = world.open().await.unwrap();
    assert!(!archive.store.has(&layout::description(one.unit, orphan)).await.unwrap(), "nothing names it");
    assert!(archive.store.has(&layout::description(one.unit, one.description)).await.unwrap());
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_takes_in_a_record_that_could_not_be_read_when_the_catalog_was_built() {
    let world = World::in_places(&PLACES.map(|(name, _)| name), 2).await;
    let archive = world.open().await.unwrap();
    world.file("in/một.txt", "Quyết định về việc phê duyệt kế hoạch");
    world.ingest_all(&archive, &world.inbox.path().join("in")).await;
    let known = archive.catalog.records(0, 9).await.unwrap().remove(0);
    archive.close().await.unwrap();
    let of = |place: &str| world.data.path().join(place).join(layout::description(known.record, known.description));
    let kept = fs::read(of("archive")).unwrap();
    PLACES.iter().for_each(|(name, _)| fs::remove_file(of(name)).unwrap());
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    assert_eq!(archive.catalog.record(known.record).await.unwrap(), None);
    fs::write(of("two"), &kept).unwrap();
    let (_, found) = round(&archive, 1).await.unwrap();
    assert_eq!(found.iter().map(|one| one.mended).collect::<Vec<_>>(), [Mended::From(2)]);
    assert_eq!(archive.catalog.record(known.record).await.unwrap(), Some(known.clone()));
    archive.settle().await.unwrap();
    let hits = archive.index.search(&Query::new("phê duyệt kế hoạch", Reader::Cleared)).unwrap();
    assert_eq!(hits.total, 1, "it is found again");
    archive.close().await.unwrap();
    world.check().await;
}

//! What is kept is read again at every place: damage is found, told in the ledger, and repaired where another place
//! has it right.

use crate::{
    kept::{PLACES, events, objects},
    world::World,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use vankho::{
    archive::{Archive, repair::Mended},
    fixity::{self, Fault, Step},
    record::{
        entry::{Damage, Event},
        fixity::Round,
    },
    store::{Place, Replicas, Store, replicas::Pace},
    verify::{Outcome, archive::verify_archive},
};

async fn taken_in(required: usize) -> World {
    let world = World::in_places(&PLACES.map(|(name, _)| name), required).await;
    for name in ["một", "hai", "ba"] {
        world.file(&format!("in/{name}.txt"), format!("Quyết định {name} về việc phê duyệt kế hoạch"));
    }
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.inbox.path().join("in")).await;
    archive.close().await.unwrap();
    world
}

fn flip(path: &Path, bit: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(path, bytes).unwrap();
}

/// A path from `records/` on.
fn within(path: &Path) -> PathBuf {
    let parts: Vec<_> = path.components().collect();
    parts[parts.len() - 4..].iter().collect()
}

/// The round at a place to its end, with all that it found.
pub async fn round(archive: &Archive, place: u32) -> Option<(Round, Vec<Fault>)> {
    let (mut pace, mut all) = (Pace::of(u64::MAX), Vec::new());
    loop {
        match fixity::step(archive, place, &mut pace).await.unwrap() {
            Step::GoesOn { found, .. } => all.extend(found),
            Step::Ended { round, .. } => return Some((round, all)),
            Step::Away => return None,
        }
    }
}

pub async fn outcome(world: &World, place: &str, number: u32) -> Outcome {
    let store = Store::of(Place::local(&world.data.path().join(place)).unwrap(), number, Replicas::default());
    verify_archive(&store, &[], &|_, _| {}).await.outcome()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_over_what_is_whole_says_so_in_the_ledger() {
    let world = taken_in(2).await;
    let archive = world.open().await.unwrap();
    for (name, number) in PLACES {
        let (round, found) = round(&archive, number).await.unwrap();
        assert_eq!(found, []);
        let bytes: u64 = objects(&world.data.path().join(name)).iter().map(|path| path.metadata().unwrap().len()).sum();
        assert_eq!((round.records, round.bytes, round.faults), (3, bytes, 0), "{name}");
        assert!(matches!(
            events(&archive).await.last(),
            Some(Event::FixityChecked { place, records: 3, faults: 0, .. }) if *place == number
        ));
    }
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_of_every_place_that_is_altered_or_gone_is_found_and_repaired() {
    let world = taken_in(2).await;
    for (name, number) in PLACES {
        let place = world.data.path().join(name);
        for (n, path) in objects(&place).into_iter().enumerate() {
            let (kept, gone) = (fs::read(&path).unwrap(), n % 3 == 0);
            let fault = if gone { Damage::Missing } else { Damage::Altered };
            if gone {
                fs::remove_file(&path).unwrap()
            } else {
                flip(&path, n * 131 % (kept.len() * 8))
            }
            let damaged = fs::read(&path).ok();
            let archive = world.open().await.unwrap();
            let (_, found) = round(&archive, number).await.unwrap();
            let [one] = &found[..] else { panic!("{}: {found:?}", path.display()) };
            let other = 3 - number;
            assert_eq!((one.damage, one.mended), (fault, Mended::From(other)), "{}", path.display());
            assert!(place.join(&one.object.path) == path && fs::read(&path).unwrap() == kept, "{}", path.display());
            let (unit, component) = (one.object.unit, one.object.component);
            let aside = place.join(format!("staging/{unit}/damaged-{component}-at-{number}"));
            assert_eq!(fs::read(&aside).ok(), damaged, "what was found is set aside");
            fs::remove_file(aside).ok();
            let told = events(&archive).await;
            let [.., first, second, _] = &told[..] else { panic!() };
            let named_by = one.object.named_by;
            assert_eq!(*first, Event::Damaged { unit, named_by, component, place: number, fault });
            assert_eq!(*second, Event::Repaired { unit, named_by, component, place: number, source: other });
            archive.close().await.unwrap();
            assert_eq!(outcome(&world, name, number).await, Outcome::Holds);
        }
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_place_has_is_lost_once_and_the_rest_goes_on() {
    let world = taken_in(2).await;
    let [first, second] = PLACES.map(|(name, _)| objects(&world.data.path().join(name)));
    let component = first.iter().position(|path| path.extension().is_none()).unwrap();
    let kept = fs::read(&first[component]).unwrap();
    flip(&first[component], 5);
    fs::remove_file(&second[component]).unwrap();
    let archive = world.open().await.unwrap();
    for again in [false, true] {
        for (place, fault) in [(1, Damage::Altered), (2, Damage::Missing)] {
            let (round, found) = round(&archive, place).await.unwrap();
            assert_eq!((round.records, round.faults), (3, 1), "{again}");
            assert_eq!((found[0].damage, found[0].mended), (fault, Mended::Lost), "{again}");
        }
    }
    let told = events(&archive).await;
    let lost = told.iter().filter(|event| matches!(event, Event::Lost { .. })).count();
    let damaged = told.iter().filter(|event| matches!(event, Event::Damaged { .. })).count();
    assert_eq!((lost, damaged), (1, 1), "said once, however often it is looked at");
    // That something of a record is lost does not hide that more of it is.
    let described = |path: &&PathBuf| path.parent() == first[component].parent() && path.extension().is_some();
    let descriptions: Vec<(PathBuf, Vec<u8>)> =
        first.iter().filter(described).map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    for path in
        first.iter().chain(&second).filter(|path| descriptions.iter().any(|(one, _)| one.ends_with(within(path))))
    {
        fs::remove_file(path).unwrap();
    }
    for _ in 0..2 {
        round(&archive, 1).await.unwrap();
    }
    let lost = |event: &&Event| matches!(event, Event::Lost { component: 0, .. });
    assert_eq!(events(&archive).await.iter().filter(lost).count(), descriptions.len());
    for (path, bytes) in &descriptions {
        fs::write(path, bytes).unwrap();
    }
    // Brought back from elsewhere, it is whole again at both places.
    fs::write(&first[component], kept).unwrap();
    assert_eq!(round(&archive, 1).await.unwrap().1, []);
    let mended = round(&archive, 2).await.unwrap().1;
    assert!(mended.len() > descriptions.len() && mended.iter().all(|one| one.mended == Mended::From(1)), "{mended:?}");
    archive.close().await.unwrap();
    for (name, number) in PLACES {
        assert_eq!(outcome(&world, name, number).await, Outcome::Holds);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_away_is_a_debt_and_nothing_is_called_lost() {
    let world = taken_in(1).await;
    let two = world.data.path().join("two");
    let archive = world.open().await.unwrap();
    fs::rename(&two, world.data.path().join("away")).unwrap();
    fs::write(&two, b"no folder").unwrap();
    assert_eq!(round(&archive, 2).await, None);
    let damaged = objects(&world.data.path().join("archive")).into_iter().next().unwrap();
    flip(&damaged, 9);
    assert_eq!(round(&archive, 1).await.unwrap().1[0].mended, Mended::Waiting);
    assert!(!events(&archive).await.iter().any(|event| matches!(event, Event::Lost { .. })));
    archive.store.replicas().settle().await;
    let coverage = archive.coverage().await.unwrap();
    assert_eq!(coverage.iter().map(|one| (one.place, one.answers)).collect::<Vec<_>>(), [(1, true), (2, false)]);
    fs::remove_file(&two).unwrap();
    fs::rename(world.data.path().join("away"), &two).unwrap();
    archive.healing.round(&|_, _| {}).await;
    assert_eq!(round(&archive, 1).await.unwrap().1[0].mended, Mended::From(2));
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_is_cut_short_goes_on_and_the_clock_tells_how_old_the_last_one_is() {
    let world = World::in_places(&["archive"], 1).await;
    let rows: String =
        (0..150).map(|n| format!("{{\"subject\":\"văn bản {n}\",\"text\":\"toàn văn {n}\"}}\n")).collect();
    let manifest = world.file("in.jsonl", rows);
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &manifest).await;
    let age = |archive: Archive| async move {
        let (coverage, now) = (archive.coverage().await.unwrap(), archive.clock.now());
        (coverage[0].age_seconds(now), coverage[0].round.as_ref().map(|round| round.records), archive)
    };
    let day = 86_400_000_000;
    world.micros.fetch_add(day, std::sync::atomic::Ordering::SeqCst);
    let (before, none, archive) = age(archive).await;
    assert!(before >= 86_400 && none.is_none(), "{before}");
    let step = fixity::step(&archive, 1, &mut Pace::of(u64::MAX)).await.unwrap();
    assert!(matches!(step, Step::GoesOn { .. }), "{step:?}");
    archive.close().await.unwrap();
    let archive = world.open().await.unwrap();
    let (still, records, archive) = age(archive).await;
    assert!(still >= before && records == Some(64), "{still} {records:?}");
    let (ended, found) = round(&archive, 1).await.unwrap();
    assert_eq!((ended.records, found.len()), (150, 0), "nothing twice");
    let (after, none, archive) = age(archive).await;
    assert!(after < 3_600 && none.is_none(), "{after}");
    let checked = fixity::sample(&archive, 1, 40, &mut Pace::of(u64::MAX)).await.unwrap().unwrap();
    assert_eq!((checked.records, checked.faults.len()), (40, 0));
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_bytes_is_kept() {
    let world = World::in_places(&["archive"], 1).await;
    for n in 0..40u8 {
        world.file(&format!("in/{n}.bin"), vec![n; 50_000]);
    }
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.inbox.path().join("in")).await;
    let (mut pace, began) = (Pace::of(1_000_000), Instant::now());
    while !matches!(fixity::step(&archive, 1, &mut pace).await.unwrap(), Step::Ended { .. }) {}
    // 2 MB and a little of descriptions, at 1 MB a second.
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1_950) && took < Duration::from_millis(2_600), "{took:?}");
    archive.close().await.unwrap();
}

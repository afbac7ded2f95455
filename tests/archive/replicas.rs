//! An archive in several places: what counts is at as many as are required, what a place missed is made good, and
//! a place that is lost is replaced.

use crate::world::{ORIGIN, World};
use std::{fs, path::PathBuf};
use vankho::{
    archive::{
        Archive, ArchiveError,
        heal::Debt,
        place,
        promote::{Promoted, Promotion},
    },
    record::digest::Digest,
    store::{Place, Replicas, Standing, Store, layout},
    verify::{Outcome, archive::verify_archive},
};

fn path(world: &World, place: &str) -> PathBuf {
    world.data.path().join(place)
}

/// The disk of a place is not there: whatever is asked of it fails.
fn unmount(world: &World, place: &str) {
    fs::rename(path(world, place), path(world, &format!("{place}.away"))).unwrap();
    fs::write(path(world, place), b"no folder").unwrap();
}

fn mount(world: &World, place: &str) {
    fs::remove_file(path(world, place)).unwrap();
    fs::rename(path(world, &format!("{place}.away")), path(world, place)).unwrap();
}

/// A folder of documents named by what they are called.
fn documents(world: &World, names: &[&str]) -> PathBuf {
    for name in names {
        world.file(&format!("{}/{name}.txt", names.join("-")), format!("Quyết định {name} về việc phê duyệt kế hoạch"));
    }
    world.inbox.path().join(names.join("-"))
}

async fn take_in(world: &World, names: &[&str]) {
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &documents(world, names)).await;
    archive.close().await.unwrap();
}

async fn debts(archive: &Archive) -> Vec<Debt> {
    archive.healing.debts().await.unwrap()
}

async fn outcome(world: &World, place: &str, number: u32) -> Outcome {
    let store = Store::of(Place::local(&path(world, place)).unwrap(), number, Replicas::default());
    verify_archive(&store, &[], &|_, _| {}).await.outcome()
}

async fn promote(world: &World, to: u32, old_is_gone: bool, known: Vec<String>) -> Result<Promoted, ArchiveError> {
    promotion(world, to, old_is_gone, known, false).await
}

async fn promotion(
    world: &World,
    to: u32,
    old_is_gone: bool,
    known: Vec<String>,
    loss_is_taken: bool,
) -> Result<Promoted, ArchiveError> {
    let (data, config, clock) = (world.data.path(), &world.config, &world.clock());
    Promotion { data, config, clock, to, old_is_gone, loss_is_taken, known }.run(&|_, _| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_place_is_an_archive_that_holds() {
    let world = World::replicated(2).await;
    take_in(&world, &["một", "hai", "ba"]).await;
    for (place, number) in [("archive", 1), ("two", 2), ("three", 3)] {
        assert_eq!(outcome(&world, place, number).await, Outcome::Holds, "{place}");
    }
    assert_ne!(outcome(&world, "two", 3).await, Outcome::Holds, "a place that stands under another number");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_down_is_a_debt_that_heals() {
    let world = World::replicated(2).await;
    take_in(&world, &["một"]).await;
    let archive = world.open().await.unwrap();
    unmount(&world, "three");
    world.ingest_all(&archive, &documents(&world, &["hai", "ba"])).await;
    archive.healing.round(&|_, _| {}).await;
    let owed = debts(&archive).await;
    assert_eq!((owed[0].standing, owed[0].entries), (Standing::Taking, 0));
    assert!(owed[1].standing == Standing::Resting && owed[1].entries >= 2 && owed[1].why.is_some(), "{owed:?}");
    mount(&world, "three");
    archive.healing.round(&|_, _| {}).await;
    let owed = debts(&archive).await;
    assert!(owed.iter().all(|debt| debt.standing == Standing::Taking && debt.entries == 0), "{owed:?}");
    archive.close().await.unwrap();
    assert_eq!(outcome(&world, "three", 3).await, Outcome::Holds);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_that_too_few_places_hold() {
    let world = World::replicated(2).await;
    let archive = world.open().await.unwrap();
    unmount(&world, "two");
    unmount(&world, "three");
    let (outcomes, done) = world.ingest(&archive, &documents(&world, &["một"])).await;
    assert!(world.acknowledged.lock().unwrap().is_empty(), "{outcomes:?} {done:?}");
    assert!(format!("{outcomes:?} {done:?}").contains("TooFew"), "{outcomes:?} {done:?}");
    mount(&world, "two");
    mount(&world, "three");
    archive.healing.round(&|_, _| {}).await;
    world.ingest_all(&archive, &documents(&world, &["một"])).await;
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_compared_by_digest_and_made_good() {
    let world = World::replicated(1).await;
    take_in(&world, &["một", "hai"]).await;
    let record = world.acknowledged.lock().unwrap()[0].record;
    let folder = path(&world, "two").join(layout::unit(record));
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    fs::write(&files[0], b"altered").unwrap();
    fs::remove_file(&files[1]).unwrap();
    for damaged in ["verify.py", "log/checkpoint", "log/tile/0/000.p/3", &layout::commit(1)] {
        fs::write(path(&world, "two").join(damaged), b"altered").ok();
    }
    assert_eq!(outcome(&world, "two", 2).await, Outcome::Tampered);
    let archive = world.open().await.unwrap();
    archive.desk.forget_healed(2).await.unwrap();
    archive.healing.round(&|_, _| {}).await;
    assert!(debts(&archive).await.iter().all(|debt| debt.entries == 0 && debt.why.is_none()));
    archive.close().await.unwrap();
    assert_eq!(outcome(&world, "two", 2).await, Outcome::Holds);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_went_back_is_compared_from_the_first_entry_on() {
    let mut world = World::in_places(&["archive", "two"], 2).await;
    world.config.ledger.publish_interval_ms = 3_600_000;
    take_in(&world, &["một"]).await;
    let copied =
        std::process::Command::new("cp").arg("-a").args([path(&world, "two"), path(&world, "before")]).status();
    assert!(copied.unwrap().success());
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &documents(&world, &["hai", "ba"])).await;
    archive.healing.round(&|_, _| {}).await;
    assert!(debts(&archive).await.iter().all(|debt| debt.entries == 0), "known to be whole to here");
    // Killed, and nothing of this is published: the next process opens where the older copy ends too.
    drop(archive);
    fs::remove_dir_all(path(&world, "two")).unwrap();
    fs::rename(path(&world, "before"), path(&world, "two")).unwrap();
    let archive = loop {
        match world.open().await {
            Ok(archive) => break archive,
            // What was dropped lets go of its files in its own time.
            Err(ArchiveError::Index(_)) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    archive.healing.round(&|_, _| {}).await;
    let owed = debts(&archive).await;
    assert!(owed.iter().all(|debt| debt.standing == Standing::Taking && debt.entries == 0), "{owed:?}");
    archive.close().await.unwrap();
    assert_eq!(outcome(&world, "two", 2).await, Outcome::Holds);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lags_behind_a_primary_that_went_back_commits_nothing_beside_what_it_lost() {
    let mut world = World::in_places(&["archive", "two"], 2).await;
    // Nobody hears of what others commit unless they commit themselves.
    world.config.ledger.catch_up_interval_ms = 3_600_000;
    take_in(&world, &["một"]).await;
    let copied =
        std::process::Command::new("cp").arg("-a").args([path(&world, "archive"), path(&world, "before")]).status();
    assert!(copied.unwrap().success());
    let lagging = world.open_beside("beside").await.unwrap();
    let size = lagging.ledger.size();
    take_in(&world, &["hai"]).await;
    fs::remove_dir_all(path(&world, "archive")).unwrap();
    fs::rename(path(&world, "before"), path(&world, "archive")).unwrap();
    let (_, done) = world.ingest(&lagging, &documents(&world, &["ba"])).await;
    assert!(done.is_err(), "its place in the order is taken already");
    drop(lagging);
    assert!(!path(&world, "archive").join(layout::commit(size)).exists(), "no second history was begun");
    let refused = world.open().await.err().expect("it lacks what another place has").to_string();
    assert!(refused.contains("vankho promote --place 1"), "{refused}");
    promote(&world, 1, false, Vec::new()).await.unwrap();
    take_in(&world, &["ba"]).await;
    world.check().await;
    assert_eq!(outcome(&world, "archive", 1).await, Outcome::Holds);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_the_primary_lost_is_read_at_a_replica() {
    let world = World::replicated(2).await;
    take_in(&world, &["một"]).await;
    let record = world.acknowledged.lock().unwrap()[0].record;
    let folder = path(&world, "archive").join(layout::unit(record));
    for entry in fs::read_dir(&folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let archive = world.open().await.unwrap();
    let described = archive.description(record).await.unwrap().expect("the description is read at a replica");
    let component = &described.description.components[0];
    let bytes = archive.store.read(&layout::component(record, component.sha256)).await.unwrap();
    assert_eq!(Digest::of(&bytes), component.sha256);
    archive.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_primary_is_replaced_and_serves_as_a_replica_when_it_is_back() {
    let world = World::replicated(2).await;
    take_in(&world, &["một", "hai"]).await;
    unmount(&world, "archive");
    let refused = world.open().await.err().expect("nobody decides the order of entries").to_string();
    assert!(refused.contains("vankho promote"), "{refused}");
    let refused = promote(&world, 2, false, Vec::new()).await.unwrap_err().to_string();
    assert!(refused.contains("--old-is-gone"), "{refused}");
    let promoted = promote(&world, 2, true, Vec::new()).await.unwrap();
    assert_eq!((promoted.primacy.replica, promoted.primacy.epoch), (2, 2));
    take_in(&world, &["ba"]).await;
    world.check().await;
    mount(&world, "archive");
    world.check().await;
    let archive = world.open().await.unwrap();
    assert_eq!(archive.store.number(), 2, "the place that came back is a replica");
    archive.healing.round(&|_, _| {}).await;
    let owed = debts(&archive).await;
    assert!(owed.iter().all(|debt| debt.standing == Standing::Taking && debt.entries == 0), "{owed:?}");
    archive.close().await.unwrap();
    assert_eq!(outcome(&world, "archive", 1).await, Outcome::Holds);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_only_the_old_primary_has_are_told_and_never_merged() {
    let world = World::replicated(1).await;
    take_in(&world, &["một"]).await;
    let receipts_before = world.acknowledged.lock().unwrap().clone();
    for replica in ["two", "three"] {
        unmount(&world, replica);
    }
    // With one place required it is acknowledged, and lies at the primary alone; it is more than a promotion makes up for.
    take_in(&world, &["hai", "năm", "sáu"]).await;
    let late = world.acknowledged.lock().unwrap().last().unwrap().receipt.clone();
    for replica in ["two", "three"] {
        mount(&world, replica);
    }
    unmount(&world, "archive");
    world.lose_desk();
    let refused = promote(&world, 3, true, vec![late]).await.unwrap_err().to_string();
    assert!(refused.contains("was given out"), "a receipt is not forgotten: {refused}");
    promote(&world, 3, true, Vec::new()).await.unwrap();
    *world.acknowledged.lock().unwrap() = receipts_before;
    take_in(&world, &["ba"]).await;
    world.check().await;
    let strays = fs::read(path(&world, "archive.away").join(layout::commit(2))).unwrap();
    mount(&world, "archive");
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &documents(&world, &["bốn"])).await;
    archive.healing.round(&|_, _| {}).await;
    let owed = debts(&archive).await;
    let old = owed.iter().find(|debt| debt.number == 1).unwrap();
    assert_eq!(old.standing, Standing::Diverged, "{owed:?}");
    assert!(old.why.as_ref().unwrap().contains("3 entries in "), "{old:?}");
    archive.close().await.unwrap();
    assert_eq!(fs::read(path(&world, "archive").join(layout::commit(2))).unwrap(), strays, "evidence stands");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_taken_only_where_somebody_says_so_and_is_told() {
    let world = World::replicated(1).await;
    take_in(&world, &["một"]).await;
    let before = world.acknowledged.lock().unwrap().clone();
    for replica in ["two", "three"] {
        unmount(&world, replica);
    }
    take_in(&world, &["hai", "năm", "sáu"]).await;
    let late = world.acknowledged.lock().unwrap().last().unwrap().receipt.clone();
    for replica in ["two", "three"] {
        mount(&world, replica);
    }
    unmount(&world, "archive");
    let refused = promote(&world, 3, true, Vec::new()).await.unwrap_err().to_string();
    assert!(refused.contains("was given out") && refused.contains("--accept-loss"), "the desk knows: {refused}");
    let refused = promotion(&world, 3, false, Vec::new(), true).await.unwrap_err().to_string();
    assert!(refused.contains("--old-is-gone"), "{refused}");
    let taken = promotion(&world, 3, true, vec![late.clone()], true).await.unwrap();
    assert_eq!((taken.primacy.replica, taken.primacy.epoch), (3, 2));
    assert!(taken.lost.is_some_and(|lost| lost > taken.seq), "{taken:?}");
    *world.acknowledged.lock().unwrap() = before;
    take_in(&world, &["ba"]).await;
    world.check().await;
    // Another machine, whose desk knows of more: there it has to be said too, and the ledger tells it again.
    let archive = world.open().await.unwrap();
    assert!(archive.desk.losses().await.unwrap().iter().any(|(size, _)| Some(*size) <= taken.lost), "evidence stays");
    archive.desk.remember(1_000, &late[late.find(&format!("{ORIGIN}\n")).unwrap()..]).await.unwrap();
    archive.close().await.unwrap();
    assert!(world.open().await.is_err());
    let again = promotion(&world, 3, true, Vec::new(), true).await.unwrap();
    assert_eq!((again.primacy.replica, again.primacy.epoch), (3, 3));
    let nothing = promotion(&world, 3, true, Vec::new(), true).await.unwrap();
    assert_eq!((nothing.primacy, nothing.lost), (again.primacy, None), "nothing more is lost");
    take_in(&world, &["bốn"]).await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_is_changed_while_the_old_one_answers() {
    let world = World::replicated(2).await;
    take_in(&world, &["một"]).await;
    let lagging = world.open_beside("beside").await.unwrap();
    assert_eq!(promote(&world, 3, false, Vec::new()).await.unwrap().primacy.replica, 3);
    let (_, done) = world.ingest(&lagging, &documents(&world, &["hai"])).await;
    assert!(done.is_err(), "a process that wrote at the old primary has to open the archive again");
    drop(lagging);
    take_in(&world, &["hai"]).await;
    world.check().await;
    let again = promote(&world, 3, false, Vec::new()).await.unwrap_err().to_string();
    assert!(again.contains("already"), "{again}");
    promote(&world, 1, false, Vec::new()).await.unwrap();
    take_in(&world, &["ba"]).await;
    for (place, number) in [("archive", 1), ("two", 2), ("three", 3)] {
        assert_eq!(outcome(&world, place, number).await, Outcome::Holds, "{place}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_in_the_configuration_writes_nothing() {
    let mut world = World::replicated(1).await;
    take_in(&world, &["một"]).await;
    let stranger = World::on_disk().await;
    world.config.storage.places[2] = stranger.archive_folder().display().to_string();
    let archive = world.open().await.unwrap();
    archive.healing.round(&|_, _| {}).await;
    let owed = debts(&archive).await;
    assert_eq!(owed[1].standing, Standing::Resting, "another archive's place");
    assert!(owed[1].why.as_ref().unwrap().contains("another archive"), "{owed:?}");
    archive.close().await.unwrap();
    world.config.storage.places = ["archive", "three", "two"].map(String::from).into();
    let archive = world.open().await.unwrap();
    archive.healing.round(&|_, _| {}).await;
    let owed = debts(&archive).await;
    assert!(owed.iter().all(|debt| debt.standing == Standing::Resting), "{owed:?}");
    assert!(owed[0].why.as_ref().unwrap().contains("storage.places"), "{owed:?}");
    archive.close().await.unwrap();
    world.config.storage.places = ["archive", "two", "three"].map(String::from).into();
    fs::write(path(&world, "other"), b"").ok();
    let again = place::init(world.data.path(), &world.config.storage, ORIGIN, &world.clock()).await;
    assert!(again.is_err());
    stranger.check().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_disk_is_not_mounted_is_not_filled_anew() {
    let world = World::replicated(1).await;
    take_in(&world, &["một"]).await;
    fs::rename(path(&world, "two"), path(&world, "two.away")).unwrap();
    fs::create_dir(path(&world, "two")).unwrap();
    let archive = world.open().await.unwrap();
    archive.desk.set_healed(2, 1).await.unwrap();
    archive.healing.round(&|_, _| {}).await;
    assert_eq!(fs::read_dir(path(&world, "two")).unwrap().count(), 0);
    assert!(debts(&archive).await[0].why.as_ref().unwrap().contains("mount it"));
    archive.desk.forget_healed(2).await.unwrap();
    archive.healing.round(&|_, _| {}).await;
    archive.close().await.unwrap();
    assert_eq!(outcome(&world, "two", 2).await, Outcome::Holds, "somebody said that it is a new disk");
}

//! One thing is damaged: what does not hang on it goes on, and nothing that is wrong is handed out.

use crate::world::{World, docx, folder, row};
use std::{
    fs,
    path::{Path, PathBuf},
};
use vankho::{
    archive::Refreshed,
    record::id::RecordId,
    store::layout,
    verify::{self, receipt::verify_receipt},
};

/// The file of a record that ends so.
fn file_of(world: &World, record: RecordId, is: impl Fn(&Path) -> bool) -> PathBuf {
    let folder = fs::read_dir(world.archive_folder().join(layout::unit(record))).unwrap();
    folder.map(|entry| entry.unwrap().path()).find(|path| is(path)).unwrap()
}

fn is_description(path: &Path) -> bool {
    path.extension().is_some()
}

fn flip(path: &Path) -> Vec<u8> {
    let whole = fs::read(path).unwrap();
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    fs::write(path, altered).unwrap();
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_description_hides_its_record_and_no_other() {
    let world = World::on_disk().await;
    world.file("a.docx", docx("Giấy phép"));
    let archive = world.open().await.unwrap();
    let rows = row("1", "một", r#""components":["a.docx"]"#) + &row("2", "hai", r#""components":["a.docx"]"#);
    world.ingest_all(&archive, &world.file("1.jsonl", rows)).await;
    let record = archive.catalog.by_external_id("1").await.unwrap()[0].record;
    let description = file_of(&world, record, is_description);
    let whole = flip(&description);
    assert_eq!(world.characterize(&archive).await.unwrap(), 1, "the other record is read");
    archive.close().await.unwrap();
    let rebuilt = crate::place::vankho(world.data.path(), &["--json", "rebuild"]);
    let told = String::from_utf8(rebuilt.stdout).unwrap();
    assert_eq!((rebuilt.status.code(), told.contains(r#""left_out":1"#)), (Some(1), true), "{told}");
    let archive = world.open().await.unwrap();
    assert_eq!(archive.catalog.counts().await.unwrap().records, 1);
    archive.close().await.unwrap();
    fs::write(&description, whole).unwrap();
    let rebuilt = crate::place::vankho(world.data.path(), &["rebuild"]);
    assert_eq!(rebuilt.status.code(), Some(0));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_original_is_not_read_and_stops_nothing() {
    let world = World::on_disk().await;
    for name in ["a.docx", "b.docx"] {
        world.file(name, docx(name));
    }
    let archive = world.open().await.unwrap();
    let rows = row("1", "một", r#""components":["a.docx"]"#) + &row("2", "hai", r#""components":["b.docx"]"#);
    world.ingest_all(&archive, &world.file("1.jsonl", rows)).await;
    let record = archive.catalog.by_external_id("1").await.unwrap()[0].record;
    let original = file_of(&world, record, |path| !is_description(path));
    let whole = flip(&original);
    assert_eq!(world.characterize(&archive).await.unwrap(), 1, "altered: its text would be nobody's");
    fs::remove_file(&original).unwrap();
    assert_eq!(world.characterize(&archive).await.unwrap(), 0, "gone, and still waiting");
    fs::write(&original, whole).unwrap();
    assert_eq!(world.characterize(&archive).await.unwrap(), 1, "repaired, and read");
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_never_rests_on_a_damaged_tile() {
    let mut world = World::on_disk().await;
    world.config.ledger.batch_entries_max = 64;
    let archive = world.open().await.unwrap();
    let rows: String = (0..600).map(|n| row(&n.to_string(), &format!("số {n}"), r#""text":"nội dung""#)).collect();
    world.ingest_all(&archive, &world.file("1.jsonl", rows)).await;
    archive.close().await.unwrap();
    let archive = world.open().await.unwrap();
    let keys = fs::read(world.archive_folder().join(layout::KEYS)).unwrap();
    for path in ["log/tile/0/000", "log/tile/0/001", "log/tile/entries/000"] {
        let path = world.archive_folder().join(path);
        for damage in [flip as fn(&Path) -> Vec<u8>, |path| {
            fs::read(path).and_then(|whole| fs::remove_file(path).map(|()| whole)).unwrap()
        }] {
            let whole = damage(&path);
            for seq in 1..600 {
                let receipt = archive.prove(seq).await.unwrap();
                let verdict = verify_receipt(receipt.as_bytes(), &keys, None, None);
                assert_eq!(verdict.outcome, verify::Outcome::Incomplete, "{}", verdict.english);
            }
            assert!(fs::read(&path).unwrap() == whole, "{} was not made again", path.display());
        }
    }
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_blesses_no_key_that_was_slipped_in() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let nothing = Refreshed { entry: None, restored: Vec::new() };
    assert_eq!(archive.refresh().await.unwrap(), nothing, "nothing is new, so nothing is recorded");
    let keys = world.archive_folder().join(layout::KEYS);
    let whole = fs::read(&keys).unwrap();
    fs::write(&keys, [&whole[..], &whole[..]].concat()).unwrap();
    assert!(archive.refresh().await.unwrap_err().to_string().contains(layout::KEYS));
    fs::write(&keys, whole).unwrap();
    fs::write(world.archive_folder().join("verify.sh"), "exit 0").unwrap();
    let restored = Refreshed { entry: None, restored: vec!["verify.sh".into()] };
    assert_eq!(archive.refresh().await.unwrap(), restored, "what was altered is told");
    archive.close().await.unwrap();
    world.check().await;
}

/// Two desks over one place: what one of them is writing, the other does not sweep, though its own dead
/// predecessor had meant to write there too.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_desk_is_writing_is_not_swept() {
    let world = World::founded().await;
    let (objects, other) = (world.objects.clone().unwrap(), folder());
    let live = world.open().await.unwrap();
    world.ingest_all(&live, &world.file("1.jsonl", row("1", "một", r#""text":"một""#))).await;
    let record = live.catalog.by_external_id("1").await.unwrap()[0].record;
    let dead = world.open_over(objects.clone(), other.path()).await.unwrap();
    let _stands = dead.intend(&[record]).await.unwrap();
    dead.close().await.unwrap();
    let writing = live.intend(&[record]).await.unwrap();
    let bytes = bytes::Bytes::from_static(b"a text that no entry names yet");
    let digest = vankho::record::digest::Digest::of(&bytes);
    live.keep_bytes(record, digest, bytes).await.unwrap();
    let text = layout::component(record, digest);
    world.open_over(objects.clone(), other.path()).await.unwrap().close().await.unwrap();
    assert!(world.store().has(&text).await.unwrap(), "it was swept away under a living desk");
    live.fulfil(writing).await.unwrap();
    world.open_over(objects, other.path()).await.unwrap().close().await.unwrap();
    assert!(!world.store().has(&text).await.unwrap(), "nobody writes there any more");
    live.close().await.unwrap();
    world.check().await;
}

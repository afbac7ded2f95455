//! Several writers of one place: the commit object is the lock, and nothing forks.

use crate::world::{PROGRAM, World, folder, row, signer};
use std::{
    path::Path,
    process::{Command, Stdio},
};
use vankho::{archive::place, store::layout};

fn rows(writer: &str, count: usize) -> String {
    (0..count)
        .map(|n| row(&format!("{writer}{n}"), &format!("văn bản {n} của {writer}"), r#""text":"hello""#))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_archives_over_one_memory() {
    let mut world = World::founded().await;
    world.config.ledger.publish_interval_ms = 5;
    world.config.ledger.batch_entries_max = 4;
    let (objects, other) = (world.objects.clone().unwrap(), folder());
    let a = world.open().await.unwrap();
    let b = world.open_over(objects, other.path()).await.unwrap();
    let (x, y) = (world.file("a.jsonl", rows("a", 250)), world.file("b.jsonl", rows("b", 250)));
    tokio::join!(world.ingest_all(&a, &x), world.ingest_all(&b, &y));
    // Whoever committed last knows all; the other learns it with its next commit.
    let last = world.file("last.jsonl", row("last", "cuối", r#""text":"cuối""#));
    let late = world.file("late.jsonl", row("late", "cuối", r#""text":"muộn""#));
    world.ingest_all(&a, &last).await;
    world.ingest_all(&b, &late).await;
    assert_eq!((a.ledger.size(), b.ledger.size()), (502, 503));
    b.close().await.unwrap();
    a.close().await.unwrap();
    let checkpoint = world.store().read(layout::CHECKPOINT).await.unwrap();
    assert!(String::from_utf8_lossy(&checkpoint).contains("\n503\n"), "a smaller checkpoint replaced a larger one");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_over_one_folder() {
    let world = World::on_disk().await;
    // A second machine: its own derived stores and desk, the same place, the same key.
    let other = folder();
    std::os::unix::fs::symlink(world.archive_folder(), other.path().join("archive")).unwrap();
    crate::place::copy(&world.data.path().join("secret"), &other.path().join("secret"));
    let (x, y) = (world.file("a.jsonl", rows("a", 250)), world.file("b.jsonl", rows("b", 250)));
    let start = |data: &Path, manifest: &Path| {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("VANKHO_LEDGER__PUBLISH_INTERVAL_MS", "5").env("VANKHO_LEDGER__BATCH_ENTRIES_MAX", "4");
        command.args(["--json", "--language", "en", "--data"]).arg(data).args(["ingest", "--manifest"]).arg(manifest);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut acknowledged = 0;
    for _ in 0..3 {
        let running = [start(world.data.path(), &x), start(other.path(), &y)];
        for process in running {
            let output = process.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(0), "{}{told}", String::from_utf8_lossy(&output.stderr));
            acknowledged += told.lines().filter(|line| line.contains("\"receipt\"")).count();
        }
    }
    assert_eq!(acknowledged, 1500, "every run answers every row");
    let archive = world.open().await.unwrap();
    assert_eq!((archive.ledger.size(), archive.catalog.counts().await.unwrap().records), (501, 500));
    archive.close().await.unwrap();
    world.check().await;
}

/// A process that starts while another takes in must not take its unfinished work for what a crash left.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_does_not_sweep_what_another_process_is_writing() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let record = archive.new_record().unwrap();
    let intent = archive.intend(&[record]).await.unwrap();
    let digest = vankho::record::digest::Digest::of(b"half");
    archive.keep_bytes(record, digest, "half".into()).await.unwrap();
    let other = folder();
    std::os::unix::fs::symlink(world.archive_folder(), other.path().join("archive")).unwrap();
    crate::place::copy(&world.data.path().join("secret"), &other.path().join("secret"));
    let second = vankho::archive::Archive::open(other.path(), world.config.clone(), world.clock(), &|_| {}).await;
    second.unwrap().close().await.unwrap();
    assert!(archive.store.has(&layout::component(record, digest)).await.unwrap(), "the other is alive");
    drop(intent);
    archive.close().await.unwrap();
    world.check().await;
    assert!(!world.store().has(&layout::component(record, digest)).await.unwrap(), "now it is swept");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_foundings_make_one_archive() {
    let world = World::memory();
    let (store, clock) = (world.store(), world.clock());
    let (a, b) = tokio::join!(place::found(&store, signer(), &clock), place::found(&store, signer(), &clock));
    assert!(a.is_ok() || b.is_ok(), "{a:?} {b:?}");
    world.check().await;
}

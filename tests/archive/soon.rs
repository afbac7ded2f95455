//! How soon a record is found: by its description within a second of its receipt, by its text within a second
//! of having been read. On a disk, as it comes out of the box.

use crate::world::{ORIGIN, PROGRAM, World, docx, pdf, row};
use futures::stream;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use vankho::{
    access,
    archive::{Archive, place},
    characterization,
    config::Config,
    exchange,
    index::query::Query,
    ingest::{self, Fate},
    record::access::Reader,
};

const SOON: Duration = Duration::from_secs(1);

/// An archive on the disk that `target/` lies on, under the configuration that nobody has touched.
async fn out_of_the_box() -> World {
    let mut world = World::memory();
    (world.objects, world.config) = (None, Config::default());
    world.data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    place::init(world.data.path(), &world.config.storage, ORIGIN, &world.clock()).await.unwrap();
    world
}

/// Takes a manifest in; when the last of its rows was answered.
async fn take_in(archive: &Archive, manifest: &Path) -> Instant {
    let packages = exchange::open(manifest, &archive.config.ingest).unwrap();
    let mut last = None;
    let mut hear = |outcome: ingest::Outcome| {
        assert!(matches!(outcome.fate, Fate::Kept { .. }), "{outcome:?}");
        last = Some(Instant::now());
    };
    let source = manifest.display().to_string();
    ingest::receive(archive, &source, stream::iter(packages.collect::<Vec<_>>()), &mut hear).await.unwrap();
    last.expect("a row")
}

/// Asks until something is found; how long after a moment that was.
async fn found(archive: &Archive, words: &str, since: Instant) -> Duration {
    loop {
        let page = access::search(archive, Query::new(words, Reader::Archivist), true).await.unwrap();
        let waited = since.elapsed();
        match page.total {
            0 => assert!(waited < 10 * SOON, "{words:?} is not found at all"),
            1 => return waited,
            many => panic!("{many} records for {words:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn all_soon(what: &str, waits: &[Duration]) {
    let longest = waits.iter().max().unwrap();
    eprintln!("{what}: found after {longest:?} at most, {waits:?}");
    assert!(*longest < SOON, "{what}: found after {longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_found_within_a_second() {
    let world = out_of_the_box().await;
    let archive = world.open().await.unwrap();
    assert_eq!(archive.config.index.commit_interval_ms, 300);
    // Nothing is there before: a search that finds everything would pass too.
    assert_eq!(access::search(&archive, Query::new("riêng8", Reader::Archivist), true).await.unwrap().total, 0);
    // Rows one by one, at every point of the interval; then the last of many.
    let (mut described, mut said) = (Vec::new(), Vec::new());
    for n in 0..8 {
        tokio::time::sleep(Duration::from_millis(n * 67)).await;
        let text = format!(r#""text":"toàn văn chỉ{n}""#);
        let manifest = world.file(&format!("{n}.jsonl"), row(&n.to_string(), &format!("đề tên riêng{n}"), &text));
        let receipt = take_in(&archive, &manifest).await;
        described.push(found(&archive, &format!("riêng{n}"), receipt).await);
        // Text that needs no reading is there with its description.
        said.push(found(&archive, &format!("chỉ{n}"), receipt).await);
    }
    let many = |n: u32| row(&n.to_string(), &format!("hàng loạt l{n}"), r#""text":"quy hoạch sử dụng đất""#);
    let manifest = world.file("many.jsonl", (100..500).map(many).collect::<String>());
    let receipt = take_in(&archive, &manifest).await;
    for n in [100, 300, 499] {
        described.push(found(&archive, &format!("l{n}"), receipt).await);
    }
    all_soon("by its description", &described);
    all_soon("by text that was handed over", &said);
    // Documents: found by their texts as soon as those were read.
    let documents = [("a.docx", docx("Giấy phép mộcmiên")), ("b.pdf", pdf("hello magnolia"))];
    let mut rows = String::new();
    for (name, bytes) in documents {
        world.file(name, bytes);
        rows += &row(name, &format!("tệp {name}"), &format!(r#""components":["{name}"]"#));
    }
    take_in(&archive, &world.file("documents.jsonl", rows)).await;
    let mut read = Vec::new();
    let mut hear = |done: characterization::Characterized| read.push((done.record, Instant::now()));
    characterization::read_waiting(&archive, Path::new(PROGRAM), &mut hear).await.unwrap();
    let mut waits = Vec::new();
    for (name, words) in [("a.docx", "giấy phép mộcmiên"), ("b.pdf", "magnolia")] {
        let record = archive.catalog.by_external_id(name).await.unwrap()[0].record;
        let since = read.iter().find(|(one, _)| *one == record).unwrap().1;
        waits.push(found(&archive, words, since).await);
    }
    all_soon("by its text", &waits);
    archive.close().await.unwrap();
    world.check().await;
}

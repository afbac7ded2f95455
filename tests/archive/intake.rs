//! Taking in and reading: what is kept, what is refused, and that doing it again changes nothing.

use crate::world::{World, docx, pdf, row};
use std::{collections::HashSet, fs};
use vankho::{
    access,
    archive::Archive,
    index::query::Query,
    ingest::{Fate, Outcome},
    record::{access::Reader, component::Unread, finding::Code, id::RecordId},
    store::layout,
};

fn records(outcomes: &[Outcome]) -> Vec<RecordId> {
    let kept = |outcome: &Outcome| match outcome.fate {
        Fate::Kept { record, .. } => Some(record),
        Fate::Refused(_) => None,
    };
    outcomes.iter().filter_map(kept).collect()
}

/// Codes of findings by external identifier.
fn codes(outcomes: &[Outcome], external_id: &str) -> Vec<Code> {
    let outcome = outcomes.iter().find(|outcome| outcome.external_id.as_deref() == Some(external_id)).unwrap();
    let (Fate::Kept { findings, .. } | Fate::Refused(findings)) = &outcome.fate;
    let told = [
        Code::DuplicateContent,
        Code::DuplicateNumber,
        Code::DuplicateExternalId,
        Code::DigestMismatch,
        Code::UnreadableComponent,
    ];
    findings.iter().map(|finding| finding.code).filter(|code| told.contains(code)).collect()
}

async fn found(archive: &Archive, words: &str) -> u64 {
    access::search(archive, Query::new(words, Reader::Archivist), true).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_a_manifest_and_text_rows() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.file("in/a.txt", "toàn văn thứ nhất");
    world.file("in/sâu/b.txt", "toàn văn thứ hai");
    world.file("in/.hidden", "x");
    let by_folder = world.ingest_all(&archive, &world.inbox.path().join("in")).await;
    assert_eq!(by_folder.len(), 2);
    world.file("m/c.txt", "nội dung của tệp c");
    world.file("m/big.bin", vec![5; 9 << 20]);
    let manifest = row("1", "Một văn bản có tệp", r#""components":["c.txt","big.bin"]"#)
        + &row("2", "Một văn bản không tệp", r#""text":"quy hoạch sử dụng đất""#);
    let path = world.file("m/m.jsonl", manifest);
    let by_manifest = world.ingest_all(&archive, &path).await;
    archive.settle().await.unwrap();
    assert_eq!(found(&archive, "toàn văn").await, 2);
    assert_eq!(found(&archive, "quy hoạch sử dụng đất").await, 1);
    assert_eq!(by_manifest.len(), 2);
    let first = archive.catalog.by_external_id("1").await.unwrap()[0].record;
    let described = archive.description(first).await.unwrap().unwrap();
    let sizes: Vec<u64> = described.description.components.iter().map(|component| component.size).collect();
    assert_eq!(sizes, ["nội dung của tệp c".len() as u64, 9 << 20]);
    archive.close().await.unwrap();
    let staged = walk(&world.archive_folder().join("staging"));
    let waits: Vec<_> = staged.iter().filter(|path| !path.ends_with(".lock")).collect();
    assert!(waits.is_empty(), "nothing waits in staging after a run: {waits:?}");
    world.check().await;
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path.display().to_string()) }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_is_handed_over_again_when_it_is_mended() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let wrong = format!(r#""components":[{{"path":"a.txt","sha256":"{}"}}]"#, "0".repeat(64));
    world.file("a.txt", "a");
    let manifest = row("1", "giữ", r#""text":"t1""#)
        + &row("2", "thiếu tệp", r#""components":["missing.txt"]"#)
        + &row("3", "sai mã băm", &wrong)
        + "{not json}\n"
        + &row("5", "", r#""text":"no subject""#);
    let path = world.file("m.jsonl", &manifest);
    let (first, done) = world.ingest(&archive, &path).await;
    done.unwrap();
    assert_eq!((first.len(), records(&first).len()), (5, 1));
    assert_eq!(codes(&first, "2"), [Code::UnreadableComponent]);
    assert_eq!(codes(&first, "3"), [Code::DigestMismatch]);
    world.file("missing.txt", "found again");
    let mended = manifest.replace(&"0".repeat(64), &vankho::record::digest::Digest::of(b"a").to_string());
    world.file("m.jsonl", mended);
    let (second, done) = world.ingest(&archive, &path).await;
    done.unwrap();
    assert_eq!(records(&second).len(), 3);
    let before = |outcome: &Outcome| matches!(outcome.fate, Fate::Kept { before: true, .. });
    assert_eq!(second.iter().filter(|outcome| before(outcome)).count(), 1, "row 1 was kept before");
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_run_twice_is_one_run() {
    let world = World::founded().await;
    let rows: String = (0..200).map(|n| row(&n.to_string(), &format!("văn bản {n}"), r#""text":"như nhau""#)).collect();
    let path = world.file("m.jsonl", rows);
    let archive = world.open().await.unwrap();
    let first = world.ingest_all(&archive, &path).await;
    let size = archive.ledger.size();
    let again = world.ingest_all(&archive, &path).await;
    archive.close().await.unwrap();
    let archive = world.open().await.unwrap();
    let reopened = world.ingest_all(&archive, &path).await;
    for run in [&again, &reopened] {
        let set = |outcomes| records(outcomes).into_iter().collect::<HashSet<_>>();
        assert_eq!(set(&first), set(run));
    }
    assert_eq!((archive.ledger.size(), archive.catalog.counts().await.unwrap().records), (size, 200));
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_kept_and_told() {
    let alike = r#""number":"48/QĐ-UBND","issued":"2026-05-15","agency":"UBND tỉnh""#;
    // Many pairs in one run, so that rows under way at once are among them.
    for concurrency in [1, 16] {
        let mut world = World::founded().await;
        world.config.ingest.concurrency = concurrency;
        let archive = world.open().await.unwrap();
        let pair = |n: usize| {
            let (text, alike) = (format!(r#""text":"cùng nội dung {n}""#), alike.replace("48", &n.to_string()));
            row(&format!("{n}a"), "thứ nhất", &format!("{text},{alike}"))
                + &row(&format!("{n}b"), "thứ hai", &format!("{text},{alike}"))
        };
        let manifest: String = (0..40).map(pair).collect();
        let outcomes = world.ingest_all(&archive, &world.file("m.jsonl", manifest)).await;
        for n in 0..40 {
            let (a, b) = (codes(&outcomes, &format!("{n}a")), codes(&outcomes, &format!("{n}b")));
            for code in [Code::DuplicateContent, Code::DuplicateNumber] {
                assert!(a.contains(&code) || b.contains(&code), "pair {n}, {code:?}: {a:?} {b:?}");
            }
        }
        let path = world.file("later.jsonl", row("later", "ngày hôm sau", r#""text":"cùng nội dung 7""#));
        let later = world.ingest_all(&archive, &path).await;
        assert_eq!(codes(&later, "later"), [Code::DuplicateContent]);
        archive.close().await.unwrap();
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_another_row_has_is_told() {
    let ids = |outcomes: &[Outcome]| -> Vec<(u64, Option<String>)> {
        let told = |outcome: &Outcome| {
            let (Fate::Kept { findings, .. } | Fate::Refused(findings)) = &outcome.fate;
            let told: Vec<_> = findings.iter().filter(|f| f.code == Code::DuplicateExternalId).collect();
            assert!(told.iter().all(|f| f.field.as_deref() == Some("external_id")) && told.len() < 2);
            told.first().map(|finding| (outcome.row, finding.detail.clone()))
        };
        outcomes.iter().filter_map(told).collect()
    };
    for concurrency in [1, 16] {
        let mut world = World::founded().await;
        world.config.ingest.concurrency = concurrency;
        let archive = world.open().await.unwrap();
        // The same text, so that what was handed over under this identifier is one thing.
        let of = |n: usize, subject: &str| row(&n.to_string(), subject, &format!(r#""text":"nội dung {n}""#));
        let manifest: String = (0..40).map(|n| of(n, "thứ nhất") + &of(n, "thứ hai")).collect();
        let path = world.file("m.jsonl", &manifest);
        let first = world.ingest_all(&archive, &path).await;
        let told: HashSet<u64> = ids(&first).iter().map(|(row, _)| row.div_ceil(2)).collect();
        assert_eq!(told.len(), 40, "one of every two rows");
        assert_eq!(ids(&world.ingest_all(&archive, &path).await), [], "the same rows are the same records");
        // A row that was mended, beside one that nobody had and one without identifier.
        let without = r#"{"subject":"không mã","text":"nội dung khác"}"#;
        let path = world.file("later.jsonl", of(7, "sửa") + &of(99, "mới") + without + "\n");
        let later = world.ingest_all(&archive, &path).await;
        let known = archive.catalog.by_external_id("7").await.unwrap();
        assert_eq!(
            (ids(&later), known.len()),
            (vec![(1, Some(known[..2].iter().map(|k| k.record).min().unwrap().to_string()))], 3)
        );
        let described = archive.description(records(&later[..])[0]).await.unwrap().unwrap();
        let marked = described.description.findings.iter().filter(|mark| mark.code == Code::DuplicateExternalId);
        assert!(marked.clone().all(|mark| mark.detail.is_none()), "which other record is not for every reader");
        archive.close().await.unwrap();
        let faults = world.faults().await;
        assert!(faults.iter().all(|fault| fault.contains(" is doubled: ")), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_and_handed_over_again_is_told() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let folder = world.file("in/sâu/a.txt", "thứ nhất").parent().unwrap().parent().unwrap().to_owned();
    world.ingest_all(&archive, &folder).await;
    world.file("in/sâu/a.txt", "thứ hai, dài hơn");
    world.file("in/b.txt", "khác");
    let again = world.ingest_all(&archive, &folder).await;
    assert_eq!(codes(&again, "sâu/a.txt"), [Code::DuplicateExternalId]);
    assert_eq!(codes(&again, "b.txt"), []);
    archive.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_bytes_are_stored_once_a_record() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.file("x.bin", "same bytes");
    let manifest = row("1", "một", r#""components":["x.bin"]"#) + &row("2", "hai", r#""components":["x.bin"]"#);
    let outcomes = world.ingest_all(&archive, &world.file("m.jsonl", manifest)).await;
    let digest = vankho::record::digest::Digest::of(b"same bytes");
    let inodes: HashSet<u64> = records(&outcomes)
        .into_iter()
        .map(|record| {
            let path = world.archive_folder().join(layout::component(record, digest));
            assert_eq!(fs::read(&path).unwrap(), b"same bytes");
            std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap())
        })
        .collect();
    assert_eq!(inodes.len(), 2, "two files, not one with two names");
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_kept_as_they_came() {
    use unicode_normalization::UnicodeNormalization;
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let nfd: String = "Quyết định số 48.txt".nfd().collect();
    world.file(&nfd, "nội dung");
    let nfc: String = nfd.nfc().collect();
    let manifest = row("nfd", "tên NFD", &format!(r#""components":["{nfd}"]"#))
        + &row("nfc", "tên NFC của cùng một tệp", &format!(r#""components":["{nfc}"]"#));
    let outcomes = world.ingest_all(&archive, &world.file("m.jsonl", manifest)).await;
    for (id, name) in [("nfd", &nfd), ("nfc", &nfc)] {
        let outcome = outcomes.iter().find(|outcome| outcome.external_id.as_deref() == Some(id)).unwrap();
        let record = records(std::slice::from_ref(outcome))[0];
        let described = archive.description(record).await.unwrap().unwrap();
        assert_eq!(described.description.components[0].original_name.as_ref(), Some(name));
    }
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_is_read_and_what_cannot_is_marked() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.file("a.docx", docx("Giấy phép xây dựng nhà ở"));
    world.file("b.pdf", pdf("hello from page one"));
    world.file("scan.pdf", pdf(""));
    world.file("broken.pdf", "%PDF-1.4\nnothing more");
    world.file("image.png", [&b"\x89PNG\r\n\x1a\n"[..], &[0; 64]].concat());
    let rows: String = ["a.docx", "b.pdf", "scan.pdf", "broken.pdf", "image.png"]
        .iter()
        .map(|name| row(name, &format!("tệp {name}"), &format!(r#""components":["{name}"]"#)))
        .collect();
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    assert_eq!(archive.catalog.counts().await.unwrap().waiting, 5);
    assert_eq!(world.characterize(&archive).await.unwrap(), 5);
    assert_eq!(archive.catalog.counts().await.unwrap().waiting, 0);
    assert_eq!(world.characterize(&archive).await.unwrap(), 0, "nothing is read twice");
    archive.settle().await.unwrap();
    assert_eq!(found(&archive, "giấy phép xây dựng nhà ở").await, 1);
    assert_eq!(found(&archive, "hello from page one").await, 1);
    for (id, expected) in [
        ("a.docx", None),
        ("b.pdf", None),
        ("scan.pdf", Some(Unread::NoTextLayer)),
        ("broken.pdf", Some(Unread::Corrupt)),
        ("image.png", Some(Unread::FormatNotRead)),
    ] {
        let known = &archive.catalog.by_external_id(id).await.unwrap()[0];
        let description = archive.description(known.record).await.unwrap().unwrap().description;
        assert_eq!(description.components[0].unread, expected, "{id}");
        assert_eq!(description.components.len(), if expected.is_none() { 2 } else { 1 }, "{id}");
    }
    archive.close().await.unwrap();
    world.check().await;
}

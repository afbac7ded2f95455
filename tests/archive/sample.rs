//! The sample archive of `deploy/sample`: it goes in whole, it is found, and its files say what its texts say.

use crate::world::World;
use std::{collections::BTreeSet, fs, path::Path, process::Command};
use vankho::{
    access,
    archive::feed,
    index::query::Query,
    ingest::Fate,
    record::{access::Reader, component::Unread, filecode::FileCode, retention::period::Period, text},
};

fn sample() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/sample"))
}

fn rows() -> Vec<serde_json::Value> {
    let manifest = fs::read_to_string(sample().join("manifest.jsonl")).unwrap();
    manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The paragraphs of every document of `texts/`, by fonds, number and day.
fn paragraphs() -> Vec<([String; 3], Vec<String>)> {
    let mut documents = Vec::new();
    for fonds in ["SNV-LH", "UBND-DM", "UBND-LH", "UBND-SM"] {
        let texts = fs::read_to_string(sample().join(format!("texts/{fonds}.txt"))).unwrap();
        for document in texts.split("=== ").skip(1) {
            let mut lines = document.lines();
            let mut head = lines.next().unwrap().split(' ');
            let (number, issued) = (head.next().unwrap(), head.next().unwrap());
            let is_key =
                |line: &str| line.split_once(':').is_some_and(|(k, _)| k.bytes().all(|b| b.is_ascii_lowercase()));
            let body = lines.filter(|line| !is_key(line) && !line.starts_with('@'));
            let body = body.map(|line| line.trim_start_matches("# ").to_owned()).collect();
            documents.push(([fonds.to_owned(), number.to_owned(), issued.to_owned()], body));
        }
    }
    documents
}

/// Lines and columns are the page's, words are the document's.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_archive_goes_in_without_findings_and_is_found() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let outcomes = world.ingest_all(&archive, &sample().join("manifest.jsonl")).await;
    let rows = rows();
    assert_eq!(outcomes.len(), rows.len());
    assert!((44..=60).contains(&rows.len()), "{}", rows.len());
    world.characterize(&archive).await.unwrap();
    archive.settle().await.unwrap();
    let (mut scans, paragraphs) = (0, paragraphs());
    for outcome in &outcomes {
        let row = &rows[outcome.row as usize - 1];
        let Fate::Kept { record, findings, .. } = &outcome.fate else { panic!("{row}: {:?}", outcome.fate) };
        assert!(findings.is_empty(), "{row}: {findings:?}");
        let number = row["number"].as_str().unwrap();
        for typed in [number.to_owned(), text::fold(&format!("số {}", number.replace(['/', '-'], " ")))] {
            let page = access::search(&archive, Query::new(&typed, Reader::Archivist), true).await.unwrap();
            let same = page.found.iter().take_while(|f| f.known.number.as_deref() == number.split('/').next());
            assert!(same.map(|f| f.known.record).any(|found| found == *record), "{typed} does not lead to {row}");
        }
        let described = archive.description(*record).await.unwrap().unwrap().description;
        if row["origin"] == "Số hóa" {
            assert_eq!(described.components[0].unread, Some(Unread::NoTextLayer), "{row}");
            scans += 1;
            continue;
        }
        let read = words(&feed::texts(&archive.store, &described, 1 << 20).await.unwrap().join(" "));
        let key = ["fonds", "number", "issued"].map(|name| row[name].as_str().unwrap().to_owned());
        let (_, body) = paragraphs.iter().find(|(of, _)| *of == key).unwrap();
        for paragraph in body {
            assert!(read.contains(&words(paragraph)), "{number}: {paragraph:?} is not in\n{read}");
        }
    }
    assert!(scans >= 10, "{scans}");
    let found = access::search(&archive, Query::new("so hoa tai lieu", Reader::Archivist), true).await.unwrap();
    assert!(found.total > 5, "{}", found.total);
    world.check().await;
}

#[test]
fn every_file_of_the_sample_is_in_its_list_and_every_fonds_and_year_is_there() {
    let (mut fonds, mut years) = (BTreeSet::new(), BTreeSet::new());
    for row in rows() {
        let [of, file, issued] = ["fonds", "file", "issued"].map(|name| row[name].as_str().unwrap().to_owned());
        // The lists have the code without what stands before the year.
        let file = file.strip_prefix(&format!("{of}.")).unwrap_or_else(|| panic!("{file} is not of {of}"));
        let list = fs::read_to_string(sample().join(format!("lists/{of}-{}.csv", &file[..4]))).unwrap();
        assert!(list.lines().any(|line| line.starts_with(&format!("{file},"))), "{of} {file}");
        let closed = (of == "UBND-DM").then_some("2025-06-30");
        assert!(closed.is_none_or(|closed| issued.as_str() <= closed), "{row} after its fonds was closed");
        assert!(of != "UBND-SM" || issued.as_str() >= "2025-07-01", "{row} before its agency was there");
        fonds.insert(of);
        years.insert(issued[..4].to_owned());
    }
    assert_eq!(fonds.into_iter().collect::<Vec<_>>(), ["SNV-LH", "UBND-DM", "UBND-LH", "UBND-SM"]);
    assert_eq!(years.len(), 8, "{years:?}");
}

/// `deploy/sample/arrange` gives every file a class of the schedule of 2011; what the list says must not be longer.
#[test]
fn every_file_of_the_sample_has_a_class_that_lives_as_long_as_its_list_says() {
    let schedule = vankho::exchange::shipped::schedules().unwrap().remove(0);
    let files = fs::read_to_string(sample().join("files.tsv")).unwrap();
    let mut seen = 0;
    for line in files.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [of, code, _, listed, _, _, row] = cells[..] else { panic!("{line}") };
        assert!(FileCode::read(&format!("{of}.{code}")).is_ok(), "{line}");
        let class = schedule.classes.iter().find(|class| class.code == row).unwrap_or_else(|| panic!("{line}"));
        let (listed, _) = Period::read(listed).unwrap();
        let shorter = match (class.period, listed) {
            (Period::Years(_), Period::Permanent) => true,
            (Period::Years(class), Period::Years(listed)) => class < listed,
            _ => false,
        };
        assert!(!shorter, "{line}: {}", class.period);
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

/// Another version of the tools compresses otherwise: names, manifest, lists and the parts that Python alone
/// writes are compared byte by byte, of the others that there is one.
#[test]
fn the_generator_makes_the_files_that_are_committed() {
    let made = tempfile::tempdir().unwrap();
    let run = Command::new("/usr/bin/python3").arg(sample().join("make.py")).arg(made.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "apt-get install python3-reportlab python3-pil fonts-liberation2: {said}");
    let mut seen = 0;
    for entry in fs::read_dir(made.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let files = if entry.is_dir() {
            fs::read_dir(&entry).unwrap().map(|f| f.unwrap().path()).collect()
        } else {
            vec![entry]
        };
        for path in files {
            let committed = sample().join(path.strip_prefix(made.path()).unwrap());
            let committed = fs::read(&committed).unwrap_or_else(|e| panic!("{}: {e}", committed.display()));
            let exact = path.extension().is_some_and(|ending| ending != "pdf");
            assert!(!exact || committed == fs::read(&path).unwrap(), "{} differs", path.display());
            seen += 1;
        }
    }
    assert!(seen > rows().len(), "{seen}");
}

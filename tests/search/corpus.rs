//! The real data that search is measured on, read through `gzip` and turned into records.

use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use vankho::config;
use vankho::index::{Document, Index};
use vankho::record::{access::Access, date::PartialDate, id::RecordId, metadata::Metadata, number::Reference};

/// One row of the data as a record.
pub struct Row {
    pub name: String,
    /// The reference number as the data writes it.
    pub number: String,
    pub metadata: Metadata,
    pub text: String,
}

/// The folder of the data, where the test was asked for.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("VANKHO_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        println!("not asked for: set VANKHO_CORPUS to the folder of the real data");
    }
    folder
}

/// The JSON lines of a file, compressed or not.
pub fn lines(name: &str) -> Vec<Value> {
    let path = folder().expect("only called when asked for").join(name);
    let text = if name.ends_with(".gz") {
        let output = Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip is installed");
        assert!(output.status.success(), "gzip -dc {name}");
        String::from_utf8(output.stdout).unwrap()
    } else {
        std::fs::read_to_string(&path).unwrap()
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

fn row(value: &Value, subject: String) -> Row {
    let number = text(value, "number");
    let read = Reference::read(&number);
    let given = |key| Some(text(value, key)).filter(|text: &String| !text.is_empty());
    let metadata = Metadata {
        subject,
        number: read.as_ref().map(|r| r.number.clone()).or_else(|| Some(number.clone())),
        notation: read.map(|r| r.notation),
        agency: given("agency"),
        kind: given("doc_type"),
        issued: given("date").and_then(|date| PartialDate::read(&date).ok()),
        access: Access::Public,
        ..Metadata::default()
    };
    Row { name: text(value, "id"), number, metadata, text: text(value, "text") }
}

pub fn articles() -> Vec<Row> {
    let subject = |v: &Value| format!("{}. Điều {}. {}", text(v, "doc_title"), text(v, "article"), text(v, "title"));
    lines("articles.jsonl.gz").iter().map(|value| row(value, subject(value))).collect()
}

pub fn gazette() -> Vec<Row> {
    lines("gazette.jsonl.gz").iter().map(|value| row(value, text(value, "title"))).collect()
}

pub fn register() -> Vec<Row> {
    lines("registry.jsonl").iter().map(|value| row(value, text(value, "title"))).collect()
}

/// Rows in an index, under identifiers counted up.
pub struct Library {
    pub index: Index,
    pub names: HashMap<RecordId, String>,
    _folder: tempfile::TempDir,
}

impl Library {
    /// Indexes rows in a directory on disk; also tells how many seconds that took, commit included.
    pub fn of(rows: &[Row]) -> (Library, f64) {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(Some(folder.path()), &config::Index::default()).unwrap();
        let mut names = HashMap::new();
        let started = std::time::Instant::now();
        for (seq, row) in rows.iter().enumerate() {
            let mut random = [0; 10];
            random[2..].copy_from_slice(&(seq as u64).to_be_bytes());
            let record = RecordId::new(1_763_877_600_000, random);
            let document = Document { record, seq: seq as u64, metadata: &row.metadata, text: &[&row.text] };
            index.put(&document).unwrap();
            names.insert(record, row.name.clone());
        }
        index.commit(rows.len() as u64).unwrap();
        let seconds = started.elapsed().as_secs_f64();
        (Library { index, names, _folder: folder }, seconds)
    }
}

//! Real data as manifests: the files that `VANKHO_CORPUS` names become what a depositor would hand over.
//!
//! Also included by the benchmarks and by other tests, so it needs nothing but itself.

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

/// The manifests of a corpus: each with the number of its rows.
pub struct Manifests {
    /// Articles of laws: subject, number and text.
    pub articles: (PathBuf, u64),
    /// Whole gazette documents as text.
    pub gazette: (PathBuf, u64),
    /// Rows of a register: descriptions without a component.
    pub register: (PathBuf, u64),
    /// PDF and Word files with what their gazette rows say of them.
    pub documents: (PathBuf, u64),
}

impl Manifests {
    pub fn all(&self) -> [&(PathBuf, u64); 4] {
        [&self.articles, &self.gazette, &self.register, &self.documents]
    }
}

/// The corpus, where one was asked for.
pub fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("VANKHO_CORPUS").filter(|named| !named.is_empty())?;
    let path = PathBuf::from(named);
    assert!(path.join("articles.jsonl.gz").is_file(), "VANKHO_CORPUS is {} and holds no corpus", path.display());
    Some(path)
}

/// Rows of a `.jsonl` or `.jsonl.gz`.
pub fn rows(path: &Path) -> impl Iterator<Item = Value> + use<> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader: Box<dyn BufRead> = match path.extension().is_some_and(|ending| ending == "gz") {
        true => Box::new(BufReader::new(GzDecoder::new(file))),
        false => Box::new(BufReader::new(file)),
    };
    reader.lines().map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
}

/// Writes the manifests into a folder. Components must lie inside it, so files are copied there.
pub fn write(corpus: &Path, to: &Path) -> Manifests {
    fs::create_dir_all(to).expect("the folder of the manifests");
    let gazette: Vec<Value> = rows(&corpus.join("gazette.jsonl.gz")).collect();
    let articles = rows(&corpus.join("articles.jsonl.gz")).map(|row| article(&row));
    let register = rows(&corpus.join("registry.jsonl")).map(|row| registered(&row));
    Manifests {
        articles: manifest(to, "articles.jsonl", articles),
        gazette: manifest(to, "gazette.jsonl", gazette.iter().map(gazetted)),
        register: manifest(to, "register.jsonl", register),
        documents: manifest(to, "documents.jsonl", documents(corpus, to, &gazette).into_iter()),
    }
}

fn manifest(to: &Path, name: &str, rows: impl Iterator<Item = Value>) -> (PathBuf, u64) {
    let path = to.join(name);
    let mut file = BufWriter::new(File::create(&path).expect("a manifest"));
    let mut count = 0;
    for row in rows {
        writeln!(file, "{row}").expect("a row");
        count += 1;
    }
    file.flush().expect("a manifest");
    (path, count)
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// A row without the values that are empty.
fn row(values: &[(&str, &str)]) -> Value {
    let given = values.iter().filter(|(_, value)| !value.is_empty());
    Value::Object(given.map(|(key, value)| (key.to_string(), json!(value))).collect::<Map<_, _>>())
}

fn article(from: &Value) -> Value {
    let part = |key| text(from, key);
    let subject = format!("{}. Điều {}. {}", part("doc_title"), part("article"), part("title"));
    row(&[
        ("external_id", part("id")),
        ("subject", &subject),
        ("number", part("number")),
        ("issued", part("date")),
        ("agency", part("agency")),
        ("type", kind(part("doc_title"))),
        ("text", part("text")),
    ])
}

fn gazetted(from: &Value) -> Value {
    let part = |key| text(from, key);
    row(&[
        ("external_id", part("id")),
        ("subject", part("title")),
        ("number", part("number")),
        ("issued", part("date")),
        ("agency", part("agency")),
        ("type", gazette_kind(part("doc_type"))),
        ("field", part("topic")),
        ("text", part("text")),
    ])
}

fn registered(from: &Value) -> Value {
    let part = |key| text(from, key);
    row(&[
        ("external_id", part("id")),
        ("subject", part("title")),
        ("number", part("number")),
        ("issued", part("date")),
        ("agency", part("agency")),
        ("validity", part("status")),
    ])
}

fn documents(corpus: &Path, to: &Path, gazette: &[Value]) -> Vec<Value> {
    let name = |row: &Value| text(row, "pdf").rsplit('/').next().unwrap_or_default().to_owned();
    let known: HashMap<String, &Value> = gazette.iter().map(|row| (name(row), row)).collect();
    let mut rows = Vec::new();
    for folder in ["pdf", "docx"] {
        fs::create_dir_all(to.join(folder)).expect("a folder for components");
        let files = fs::read_dir(corpus.join(folder)).expect("the corpus's files");
        let mut names: Vec<String> =
            files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        for name in names {
            let inside = format!("{folder}/{name}");
            fs::copy(corpus.join(&inside), to.join(&inside)).expect("a copy of a component");
            let mut row = known.get(&name).map_or_else(|| row(&[("subject", &name)]), |row| gazetted(row));
            let given = row.as_object_mut().expect("an object");
            given.remove("text");
            given.insert("external_id".into(), json!(inside));
            given.insert("components".into(), json!([inside]));
            rows.push(row);
        }
    }
    rows
}

/// The type that a title begins with, where it begins with one.
fn kind(title: &str) -> &'static str {
    let kinds = ["Bộ luật", "Luật", "Nghị định", "Nghị quyết", "Thông tư liên tịch", "Thông tư", "Quyết định"];
    kinds.into_iter().find(|kind| title.starts_with(kind)).unwrap_or_default()
}

fn gazette_kind(short: &str) -> &str {
    match short {
        "NQ" => "Nghị quyết",
        "QĐ" => "Quyết định",
        "VB HN" => "Văn bản hợp nhất",
        "TT Liên tịch" => "Thông tư liên tịch",
        other => other,
    }
}

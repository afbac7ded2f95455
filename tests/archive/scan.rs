//! Is there anything of this left? Every file below a folder is looked through for byte strings: as it lies there, taken
//! out of what is compressed, and, of an index, through its own dictionaries and stores.

use std::{
    collections::BTreeSet,
    fs,
    io::{Cursor, Read},
    path::{Path, PathBuf},
};
use tantivy::{DocAddress, TantivyDocument};

/// What is looked for: its name, and its bytes.
pub type Needle = (String, Vec<u8>);

/// Every file below a folder.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// `needle: where it was found`, for every place where one was, but where `allowed` says that it may be.
pub fn found(root: &Path, needles: &[Needle], allowed: impl Fn(&str, &Path) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let indices: BTreeSet<PathBuf> = files(root)
        .iter()
        .filter(|path| path.ends_with("meta.json"))
        .map(|path| path.parent().unwrap().into())
        .collect();
    let mut look = |path: &Path, bytes: &[u8]| {
        let within = path.strip_prefix(root).unwrap_or(path);
        for (name, needle) in needles {
            if contains(bytes, needle) && !allowed(name, within) {
                found.insert(format!("{name}: {}", within.display()));
            }
        }
    };
    for path in files(root) {
        look(&path, path.display().to_string().as_bytes());
        // It may go away meanwhile, as the log of a database does.
        let Ok(bytes) = fs::read(&path) else { continue };
        look(&path, &bytes);
        for part in unpacked(&bytes) {
            look(&path, &part);
        }
    }
    for index in indices {
        look(&index.join("(terms, columns and store)"), &told_by_index(&index));
    }
    found
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    assert!(needle.len() >= 8, "too short to be told from chance");
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// What is in a zip, and what a gzip is of; both by how they begin.
fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    if bytes.starts_with(b"PK")
        && let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(bytes))
    {
        for n in 0..zip.len() {
            let mut part = Vec::new();
            zip.by_index(n).unwrap().read_to_end(&mut part).unwrap();
            parts.push(part);
        }
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut part = Vec::new();
        // What is cut short is looked at as far as it goes.
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut part).ok();
        parts.push(part);
    }
    parts
}

/// Every term of every segment, every value of every column of text, and every stored document, whether it counts as
/// removed or not. A dictionary shares what its terms have in common, so that reading the bytes would not do.
fn told_by_index(folder: &Path) -> Vec<u8> {
    let index = tantivy::Index::open_in_dir(folder).unwrap();
    let searcher = index.reader().unwrap().searcher();
    let mut told = Vec::new();
    for (ordinal, segment) in searcher.segment_readers().iter().enumerate() {
        for (field, entry) in index.schema().fields() {
            if entry.is_indexed() {
                let inverted = segment.inverted_index(field).unwrap();
                let mut terms = inverted.terms().stream().unwrap();
                while terms.advance() {
                    told.extend_from_slice(terms.key());
                    told.push(b'\n');
                }
            }
            if let Ok(Some(column)) = segment.fast_fields().str(entry.name()) {
                let mut values = column.dictionary().stream().unwrap();
                while values.advance() {
                    told.extend_from_slice(values.key());
                    told.push(b'\n');
                }
            }
        }
        for document in 0..segment.max_doc() {
            let address = DocAddress::new(u32::try_from(ordinal).unwrap(), document);
            let stored: TantivyDocument = searcher.doc(address).unwrap();
            told.extend(format!("{stored:?}\n").into_bytes());
        }
    }
    told
}

/// Segments of which the index still keeps removed documents, and files of segments that are none any more.
pub fn remains_of_segments(folder: &Path) -> Vec<String> {
    let index = tantivy::Index::open_in_dir(folder).unwrap();
    let metas = index.searchable_segment_metas().unwrap();
    let removed = metas.iter().filter(|meta| meta.num_deleted_docs() > 0);
    let mut remains: Vec<String> =
        removed.map(|meta| format!("{} holds removed ones", meta.id().uuid_string())).collect();
    let known: BTreeSet<String> = metas.iter().map(|meta| meta.id().uuid_string()).collect();
    for path in files(folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let segment = name.split('.').next().unwrap_or_default();
        let is_of_one = segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_of_one && !known.contains(segment) {
            remains.push(format!("{name} is of no segment"));
        }
    }
    remains
}

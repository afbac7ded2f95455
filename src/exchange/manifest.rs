//! Manifests in: one row, one package.

use crate::config;
use crate::exchange::{
    ExchangeError, Handed, Packages, Progress,
    components::Place,
    describe,
    given::{self, Values},
    rows::{Broken, Framing, Repeats, Row, Rows},
    sheet::Header,
};
use crate::record::{
    digest::Digest,
    finding::{Code, Finding},
    metadata::Metadata,
    package::Package,
};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const CHUNK_BYTES: usize = 1 << 16;

/// Opens a manifest: `.jsonl` (or `.ndjson`) with one JSON object a line, or `.csv` (or `.tsv`) with a
/// header. Components are looked for in the manifest's own folder.
pub fn open_manifest(path: &Path, limits: &config::Ingest) -> Result<Packages, ExchangeError> {
    let unreadable = |source: io::Error| ExchangeError::Unreadable { path: path.into(), source };
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let is_csv = match extension.as_str() {
        "jsonl" | "ndjson" => false,
        "csv" | "tsv" => true,
        _ => return Err(ExchangeError::NotAManifest { path: path.into() }),
    };
    let told = path.metadata().map_err(unreadable)?;
    if !told.is_file() {
        return Err(ExchangeError::NotAManifest { path: path.into() });
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = Place::new(parent, limits).map_err(unreadable)?;
    if place.is_in_an_archive() {
        return Err(ExchangeError::AnArchive { path: path.into() });
    }
    let progress = Progress::of(Some(told.len()));
    let file = File::open(path).map_err(unreadable)?;
    let Some((mark_bytes, from)) = after_mark(file).map_err(unreadable)? else {
        return Err(ExchangeError::NotText { path: path.into() });
    };
    let mut rows = Rows::new(BufReader::with_capacity(CHUNK_BYTES, from), Framing::Lines, limits.row_bytes_max);
    let header = if is_csv { header(&mut rows, path)? } else { None };
    let (repeats, row, ended) = (Repeats::default(), 0, false);
    let manifest = Manifest { rows, header, place, repeats, row, ended, mark_bytes, progress: progress.clone() };
    Ok(Packages { inner: Box::new(manifest), progress })
}

/// The columns of a CSV manifest; none where it is empty.
fn header(rows: &mut Rows<impl io::BufRead>, path: &Path) -> Result<Option<Header>, ExchangeError> {
    let refused = |why: String| ExchangeError::Header { path: path.into(), why };
    let line = rows.next_row().map_err(|source| ExchangeError::Unreadable { path: path.into(), source })?;
    match line {
        None => return Ok(None),
        Some(Row { broken: Some(_), .. }) => return Err(refused("it is too long".into())),
        Some(_) => {}
    }
    let text = std::str::from_utf8(rows.bytes()).map_err(|_| ExchangeError::NotText { path: path.into() })?;
    let header = Header::read(text).map_err(refused)?;
    rows.framed(Framing::Cells { delimiter: header.delimiter });
    Ok(Some(header))
}

struct Manifest<R> {
    rows: Rows<R>,
    /// For CSV.
    header: Option<Header>,
    place: Place,
    repeats: Repeats,
    row: u64,
    ended: bool,
    /// The byte order mark, which no row has.
    mark_bytes: u64,
    progress: Progress,
}

impl<R: io::BufRead> Iterator for Manifest<R> {
    type Item = Handed;

    fn next(&mut self) -> Option<Handed> {
        if self.ended {
            return None;
        }
        let read = self.rows.next_row();
        self.progress.set_read(self.mark_bytes + self.rows.bytes_read);
        self.row += 1;
        if matches!(read, Ok(Some(_))) {
            self.progress.set_rows(self.row);
        }
        match read {
            Ok(Some(row)) => Some(self.handed(&row)),
            Ok(None) => {
                self.ended = true;
                None
            }
            // A disk that fails in the middle must not look like the end of the manifest.
            Err(error) => {
                self.ended = true;
                let finding = Finding::new(Code::MalformedRow, self.row, "row").with_detail(error);
                let identity = Digest::of(&self.row.to_be_bytes());
                Some(unread(package(self.row, identity, Metadata::default(), vec![finding])))
            }
        }
    }
}

impl<R: io::BufRead> Manifest<R> {
    fn handed(&mut self, read: &Row) -> Handed {
        let identity = self.repeats.identity(&read.digest);
        let mut values = match self.values(read) {
            Ok(values) => values,
            Err((code, why)) => {
                let (first, last) = read.lines;
                let lines = if first == last { format!("line {first}") } else { format!("lines {first} to {last}") };
                let finding = Finding::new(code, self.row, "row").with_detail(format!("{lines}: {why}"));
                return unread(package(self.row, identity, Metadata::default(), vec![finding]));
            }
        };
        let (mut findings, description) = (Vec::new(), self.description(&values));
        let components = self.place.components(&mut values, self.row, &mut findings);
        let metadata = describe::metadata(&mut values, self.row, &mut findings);
        Handed { package: Package { components, ..package(self.row, identity, metadata, findings) }, description }
    }

    /// A row of JSON is posted as it stands; cells become one.
    fn description(&self, values: &Values) -> String {
        match &self.header {
            None => String::from_utf8_lossy(self.rows.bytes()).into_owned(),
            Some(_) => values.to_json(),
        }
    }

    fn values(&self, read: &Row) -> Result<Values, (Code, String)> {
        let malformed = |why: String| (Code::MalformedRow, why);
        match read.broken {
            Some(Broken::TooLong) => return Err((Code::RowTooLong, "longer than ingest.row_bytes_max".into())),
            Some(Broken::TooManyCells) => return Err(malformed("more cells than any header has columns".into())),
            Some(Broken::QuoteOpen) => return Err(malformed("a quote is opened and never closed".into())),
            Some(Broken::QuoteStray) => {
                return Err(malformed("text after a closing quote; double it inside a cell".into()));
            }
            None => {}
        }
        let not_text = |e: std::str::Utf8Error| malformed(format!("byte {} is not UTF-8", e.valid_up_to() + 1));
        let text = std::str::from_utf8(self.rows.bytes()).map_err(not_text)?;
        match &self.header {
            None => given::from_json(text).map_err(malformed),
            Some(_) if text.contains('\0') => Err(malformed("a NUL byte".into())),
            Some(header) => header.values(text).map_err(malformed),
        }
    }
}

fn package(row: u64, identity: Digest, metadata: Metadata, findings: Vec<Finding>) -> Package {
    Package { row, identity, metadata, components: Vec::new(), findings }
}

/// A row that nothing can be posted of: its package says why.
fn unread(package: Package) -> Handed {
    Handed { package, description: String::new() }
}

/// Takes a byte order mark off and tells its length; `None` where it is one of UTF-16 or UTF-32.
fn after_mark<R: Read>(mut from: R) -> io::Result<Option<(u64, impl Read + use<R>)>> {
    let mut start = Vec::with_capacity(3);
    from.by_ref().take(3).read_to_end(&mut start)?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Ok(None);
    }
    let mark = if start == [0xef, 0xbb, 0xbf] { start.len() as u64 } else { 0 };
    if mark > 0 {
        start.clear();
    }
    Ok(Some((mark, io::Cursor::new(start).chain(from))))
}

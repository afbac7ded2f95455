//! Rows out of a stream of bytes, one at a time, with memory bounded by the longest row allowed.
//!
//! A row of a JSON manifest is a line. A row of a CSV manifest (RFC 4180) ends at a line feed outside
//! quotes, so finding its end and taking its cells apart are the same machine, [`Place`].

use crate::record::digest::{Digest, Hasher};
use std::collections::HashMap;
use std::io::{self, BufRead, ErrorKind};

/// Cells in a row of CSV at most; the template has 33.
const CELLS_MAX: usize = 1024;

/// A buffer that grew past this is not kept for the next row.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// What parts rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// Every line feed.
    Lines,
    /// Line feeds outside quotes; cells are parted by the delimiter.
    Cells { delimiter: u8 },
}

/// Why a row has no bytes to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    TooLong,
    TooManyCells,
    /// A quote was opened and the manifest ended.
    QuoteOpen,
    /// Something stands between a closing quote and the end of its cell.
    QuoteStray,
}

/// One row. Its bytes are in [`Rows::bytes`] until the next one is read.
#[derive(Debug)]
pub struct Row {
    /// First and last line in the source, counted from 1.
    pub lines: (u64, u64),
    /// SHA-256 of the row's exact bytes without its line feed, however long it was.
    pub digest: Digest,
    pub broken: Option<Broken>,
}

/// Where a byte of CSV stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: the end of the cell, or half of a doubled quote.
    QuoteSeen,
}

/// Reads rows from `R`.
pub struct Rows<R> {
    from: R,
    framing: Framing,
    row_bytes_max: u64,
    line: u64,
    /// Bytes of the source behind us.
    pub bytes_read: u64,
    buffer: Vec<u8>,
}

/// The row under way.
struct Scan {
    place: Place,
    cells: usize,
    stray: bool,
    /// Past its limit: nothing more is kept, and the next line feed ends it whatever was quoted, so that
    /// one forgotten quote does not swallow the rest of the manifest.
    over: bool,
}

impl<R: BufRead> Rows<R> {
    pub fn new(from: R, framing: Framing, row_bytes_max: u64) -> Rows<R> {
        Rows { from, framing, row_bytes_max, line: 0, bytes_read: 0, buffer: Vec::new() }
    }

    /// From here on rows end as `framing` says: the header of CSV is read as a line to learn the delimiter.
    pub fn framed(&mut self, framing: Framing) {
        self.framing = framing;
    }

    /// The bytes of the last row, without its line feed; empty where it is broken.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer)
    }

    /// The next row that is not blank.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        while let Some(row) = self.read()? {
            if row.broken.is_some() || !self.bytes().iter().all(|b| self.is_blank(*b)) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn is_blank(&self, byte: u8) -> bool {
        byte.is_ascii_whitespace() || matches!(self.framing, Framing::Cells { delimiter } if delimiter == byte)
    }

    fn read(&mut self) -> io::Result<Option<Row>> {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES_MAX);
        let first = self.line + 1;
        let mut scan = Scan { place: Place::CellStart, cells: 1, stray: false, over: false };
        let (mut hasher, mut too_long) = (Hasher::default(), false);
        loop {
            let chunk = match self.from.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            };
            if chunk.is_empty() {
                if hasher.size == 0 {
                    return Ok(None);
                }
                self.line += 1;
                break;
            }
            // One byte more than fits tells a row that is too long from one that fits exactly, wherever
            // the chunks happen to end.
            let room = self.row_bytes_max.saturating_sub(hasher.size).saturating_add(1);
            let room =
                if scan.over { chunk.len() } else { chunk.len().min(usize::try_from(room).unwrap_or(usize::MAX)) };
            let (taken, ended, lines) = scan.take(&chunk[..room], self.framing);
            hasher.update(&chunk[..taken]);
            too_long |= hasher.size > self.row_bytes_max;
            scan.over |= too_long;
            if too_long || scan.cells > CELLS_MAX {
                self.buffer = Vec::new();
            } else {
                self.buffer.extend_from_slice(&chunk[..taken]);
            }
            self.line += lines + u64::from(ended);
            self.from.consume(taken + usize::from(ended));
            self.bytes_read += (taken + usize::from(ended)) as u64;
            if ended {
                break;
            }
        }
        let broken = match scan {
            _ if too_long => Some(Broken::TooLong),
            Scan { cells, .. } if cells > CELLS_MAX => Some(Broken::TooManyCells),
            Scan { place: Place::Quoted, .. } => Some(Broken::QuoteOpen),
            Scan { stray: true, .. } => Some(Broken::QuoteStray),
            _ => None,
        };
        if broken.is_some() {
            self.buffer.clear();
        }
        Ok(Some(Row { lines: (first, self.line.max(first)), digest: hasher.finish(), broken }))
    }
}

impl Scan {
    /// How many bytes of `chunk` belong to the row, whether a line feed then ends it, and how many line
    /// feeds lie inside it.
    fn take(&mut self, chunk: &[u8], framing: Framing) -> (usize, bool, u64) {
        let Framing::Cells { delimiter } = framing else {
            let end = chunk.iter().position(|b| *b == b'\n');
            return (end.unwrap_or(chunk.len()), end.is_some(), 0);
        };
        let mut lines = 0;
        for (n, byte) in chunk.iter().enumerate() {
            if *byte == b'\n' {
                if self.over || self.place != Place::Quoted {
                    return (n, true, lines);
                }
                lines += 1;
            }
            let next = self.place.after(*byte, delimiter);
            self.cells += usize::from(next == Place::CellStart);
            self.stray |= self.place == Place::QuoteSeen && next == Place::Plain;
            self.place = next;
        }
        (chunk.len(), false, lines)
    }
}

impl Place {
    fn after(self, byte: u8, delimiter: u8) -> Place {
        match (self, byte) {
            (Place::Quoted, b'"') => Place::QuoteSeen,
            (Place::Quoted, _) => Place::Quoted,
            (Place::QuoteSeen, b'"') | (Place::CellStart, b'"') => Place::Quoted,
            // The carriage return of a line end after a quoted last cell.
            (Place::QuoteSeen, b'\r') => Place::QuoteSeen,
            (_, byte) if byte == delimiter => Place::CellStart,
            _ => Place::Plain,
        }
    }
}

/// The cells of a row that is not broken: quotes taken off, doubled quotes made single.
pub fn cells(row: &str, delimiter: u8) -> Vec<String> {
    let (mut cells, mut cell, mut place, mut kept) = (Vec::new(), String::new(), Place::CellStart, 0);
    let keep = |cell: &mut String, kept: &mut usize, to: usize, next: usize| {
        cell.push_str(&row[*kept..to]);
        *kept = next;
    };
    for (n, byte) in row.bytes().enumerate() {
        let next = place.after(byte, delimiter);
        match (place, next) {
            (Place::CellStart, Place::Quoted) => keep(&mut cell, &mut kept, n, n + 1),
            (Place::Quoted, Place::QuoteSeen) => keep(&mut cell, &mut kept, n, n + 1),
            // The second of two quotes is the one that is kept.
            (Place::QuoteSeen, Place::Quoted) => kept = n,
            (_, Place::CellStart) => {
                keep(&mut cell, &mut kept, n, n + 1);
                cells.push(std::mem::take(&mut cell));
            }
            _ => {}
        }
        place = next;
    }
    keep(&mut cell, &mut kept, row.len(), row.len());
    cells.push(cell);
    cells
}

/// Tells equal rows of one source apart: the same bytes, and how often they came before.
#[derive(Default)]
pub struct Repeats {
    seen: HashMap<[u8; 16], u32>,
    stretch: u64,
}

/// Rows in one stretch. Repeats are counted within it and a stretch has its own number, so that memory
/// stays bounded (about 60 MB) and two rows never share an identity however long the source is.
const STRETCH_ROWS: usize = 1_800_000;

impl Repeats {
    /// The identity of a row with this digest.
    pub fn identity(&mut self, row: &Digest) -> Digest {
        if self.seen.len() >= STRETCH_ROWS {
            self.seen = HashMap::new();
            self.stretch += 1;
        }
        let mut prefix = [0; 16];
        prefix.copy_from_slice(&row.0[..16]);
        let before = self.seen.entry(prefix).or_default();
        let mut hasher = Hasher::default();
        hasher.update(&row.0);
        hasher.update(&self.stretch.to_be_bytes());
        hasher.update(&before.to_be_bytes());
        *before = before.saturating_add(1);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::prop, prop_assert, prop_assert_eq, proptest};
    use std::io::BufReader;

    /// Bytes, what is broken, first and last line.
    type Told = (Vec<u8>, Option<Broken>, (u64, u64));

    fn read(text: &[u8], framing: Framing, max: u64, chunk: usize) -> Vec<Told> {
        let mut rows = Rows::new(BufReader::with_capacity(chunk, text), framing, max);
        let mut all = Vec::new();
        while let Some(row) = rows.next_row().unwrap() {
            all.push((rows.bytes().to_vec(), row.broken, row.lines));
        }
        all
    }

    #[test]
    fn rows_of_both_kinds_whatever_the_chunks() {
        let csv = Framing::Cells { delimiter: b';' };
        type Expected<'a> = &'a [(&'a str, Option<Broken>, (u64, u64))];
        let cases: [(&str, Framing, u64, Expected); 8] = [
            ("a\n\n \nb\r\nc", Framing::Lines, 9, &[("a", None, (1, 1)), ("b", None, (4, 4)), ("c", None, (5, 5))]),
            ("", Framing::Lines, 9, &[]),
            ("\n\n", csv, 9, &[]),
            (
                "12345\n123456\n1",
                Framing::Lines,
                5,
                &[("12345", None, (1, 1)), ("", Some(Broken::TooLong), (2, 2)), ("1", None, (3, 3))],
            ),
            ("\"a\nb\";c\r\n;;\nd", csv, 9, &[("\"a\nb\";c", None, (1, 2)), ("d", None, (4, 4))]),
            (
                "\"ab\ncd\nef\ngh",
                csv,
                5,
                &[("", Some(Broken::TooLong), (1, 2)), ("ef", None, (3, 3)), ("gh", None, (4, 4))],
            ),
            ("\"ab\n", csv, 9, &[("", Some(Broken::QuoteOpen), (1, 2))]),
            ("\"a\"b;c\nd\"e", csv, 9, &[("", Some(Broken::QuoteStray), (1, 1)), ("d\"e", None, (2, 2))]),
        ];
        for (text, framing, max, expected) in cases {
            for chunk in [1, 2, 3, 7, 64] {
                let read = read(text.as_bytes(), framing, max, chunk);
                let told: Vec<_> = read.iter().map(|(b, x, l)| (std::str::from_utf8(b).unwrap(), *x, *l)).collect();
                assert_eq!(told, expected, "{text:?} in chunks of {chunk}");
            }
        }
    }

    #[test]
    fn more_cells_than_any_template_has() {
        let text = format!("{}\nx", ",".repeat(CELLS_MAX));
        let read = read(text.as_bytes(), Framing::Cells { delimiter: b',' }, 1 << 20, 100);
        assert_eq!((read[0].1, read[1].0.as_slice()), (Some(Broken::TooManyCells), &b"x"[..]));
    }

    #[test]
    fn equal_rows_have_identities_of_their_own_and_keep_them() {
        let all = |rows: &[&[u8]]| {
            let mut repeats = Repeats::default();
            rows.iter().map(|row| repeats.identity(&Digest::of(row))).collect::<Vec<_>>()
        };
        let (first, again) = (all(&[b"a", b"b", b"a", b"a"]), all(&[b"a", b"a", b"a", b"b"]));
        assert_eq!((first[0], first[1], first[2], first[3]), (again[0], again[3], again[1], again[2]));
        assert_eq!(first.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    }

    proptest! {
        /// The `csv` crate reads the same cells, wherever it is as strict about quotes as we are.
        #[test]
        fn cells_as_an_independent_reader_sees_them(rows in prop::collection::vec(prop::collection::vec("[a\"; \n\u{1ec7}]{0,6}", 2..5), 1..6)) {
            let mut writer = csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let text = writer.into_inner().unwrap();
            let ours: Vec<Vec<String>> = read(&text, Framing::Cells { delimiter: b';' }, 1 << 20, 5)
                .iter()
                .map(|(bytes, broken, _)| {
                    assert_eq!(*broken, None);
                    cells(std::str::from_utf8(bytes).unwrap(), b';')
                })
                .collect();
            let blank = |row: &&Vec<String>| row.iter().all(|cell| cell.is_empty() || (!cell.contains(['"', '\n']) && cell.trim().is_empty()));
            let theirs: Vec<Vec<String>> = rows.iter().filter(|row| !blank(row)).cloned().collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(prop::sample::select(b"a\",\n\r\0\xff".to_vec()), 0..80), max in 0u64..40) {
            for framing in [Framing::Lines, Framing::Cells { delimiter: b',' }] {
                for (row, broken, _) in read(&bytes, framing, max, 7) {
                    prop_assert!(row.len() as u64 <= max);
                    if let (None, Ok(text)) = (broken, std::str::from_utf8(&row)) {
                        prop_assert!(!cells(text, b',').is_empty());
                    }
                }
            }
        }
    }
}

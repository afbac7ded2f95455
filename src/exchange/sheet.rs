//! CSV as people save it from a spreadsheet: which delimiter, which column is which field.

use crate::exchange::{
    given::{Given, Values, name_of},
    rows::cells,
};

/// A header longer than this names no columns.
const HEADER_BYTES_MAX: usize = 1 << 16;

/// What the first line of a CSV manifest says.
#[derive(Debug)]
pub struct Header {
    pub delimiter: u8,
    columns: Vec<Column>,
}

#[derive(Debug)]
enum Column {
    Known(&'static str),
    Unknown(String),
}

impl Header {
    /// Reads the header; of the three delimiters the one that makes most columns known is meant.
    pub fn read(line: &str) -> Result<Header, String> {
        if line.len() > HEADER_BYTES_MAX {
            return Err(format!("it has more than {HEADER_BYTES_MAX} bytes"));
        }
        let read = |delimiter: u8| {
            let columns: Vec<Column> = cells(line, delimiter).iter().map(|cell| Column::read(cell)).collect();
            Header { delimiter, columns }
        };
        let known = |header: &Header| header.columns.iter().filter(|c| matches!(c, Column::Known(_))).count();
        let [best, second, third] = [b';', b',', b'\t'].map(read);
        let best = [second, third].into_iter().fold(best, |best, h| if known(&h) > known(&best) { h } else { best });
        best.check().map(|()| best)
    }

    fn check(&self) -> Result<(), String> {
        let names: Vec<&str> = self.columns.iter().filter_map(Column::known).collect();
        match names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
            Some((_, name)) => Err(format!("the column {name} is there twice")),
            None if !names.contains(&"subject") => Err("there is no column subject".into()),
            None => Ok(()),
        }
    }

    /// A row taken apart. A short row lacks its last cells, as spreadsheets save it; a long one is refused,
    /// because nobody can tell which cell is the one too many.
    pub fn values(&self, row: &str) -> Result<Values, String> {
        let mut values = Values { typed: true, ..Values::default() };
        for (n, cell) in cells(row, self.delimiter).into_iter().enumerate() {
            if cell.trim().is_empty() {
                continue;
            }
            match self.columns.get(n) {
                Some(Column::Known(name)) => values.known.push((name, Given::Text(cell))),
                Some(Column::Unknown(key)) => values.note_unknown(key),
                None => return Err(format!("cell {}, but the header has {} columns", n + 1, self.columns.len())),
            }
        }
        Ok(values)
    }
}

impl Column {
    fn read(cell: &str) -> Column {
        let key = cell.trim().to_lowercase();
        name_of(&key).map_or(Column::Unknown(key), Column::Known)
    }

    fn known(&self) -> Option<&str> {
        match self {
            Column::Known(name) => Some(name),
            Column::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_people_save_them() {
        for (line, delimiter) in [
            ("subject;number", b';'),
            ("Number,\"SUBJECT\"", b','),
            ("subject", b';'),
            (" Subject \tissued\tghi chú, khác; khác", b'\t'),
        ] {
            assert_eq!(Header::read(line).unwrap().delimiter, delimiter, "{line}");
        }
        for line in ["", "number;notation", "subject;Subject", "languages,subject,language", "ä"] {
            assert!(Header::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn short_rows_and_long_ones() {
        let header = Header::read("subject;x;number;type").unwrap();
        let mut values = header.values("\"a;\"\"b\"\"\";y").unwrap();
        assert_eq!((values.take("subject"), values.take("number")), (Given::Text("a;\"b\"".into()), Given::Nothing));
        assert_eq!(values.unknown, ["x"]);
        assert_eq!(header.values("a;;;;;").unwrap().known.len(), 1);
        assert!(header.values("a;;;;b").is_err());
    }
}

//! Packages in and out: what depositors hand over becomes a [`Package`] each, what the archive holds
//! becomes plain files again.
//!
//! ```text
//! open ─► Packages ─► Package, Package, …      to the door, which hands them to ingest
//! Description ─► export_names ─► plain files   written by the door
//! ```
//!
//! A manifest is a file with one record a row, JSON lines or CSV; `schemas/README.md` has the template. A
//! folder without a manifest is taken file by file. Rows are read one at a time and checked one at a
//! time; nothing here grows with the length of the source but sixteen bytes a row, and those have a limit.
//!
//! # Why
//! - One thing wrong is a finding at its row. Only a source that cannot be opened at all is an
//!   [`ExchangeError`]: a depositor with one bad row in a million keeps the rest.
//! - A row with an error is still handed on, so that the one who reports findings sees all of them.
//! - Wrong metadata is a warning and the record is kept. A component that is missing, malformed or outside
//!   its folder stops the row: it would be a loss that nobody sees.
//! - Rows are told apart by their bytes and not by their number, so that a mended manifest can be handed
//!   over again and only what changed is new.
//! - Refused: reading whole manifests (they do not fit), guessing a field from a file's name (it would be a
//!   fact that nobody stated), following symbolic links out of the folder (it is how a depositor reads the
//!   archive's own disk), taking an archive into an archive, UTF-16 and other encodings (guessing them breaks names silently).

mod components;
mod describe;
pub mod dossier;
pub mod export;
pub mod folder;
pub mod forms;
mod given;
pub mod lists;
pub mod manifest;
pub mod plain;
pub mod posted;
mod rows;
pub mod schedule;
mod sheet;
pub mod shipped;

use crate::config;
use crate::record::package::Package;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why nothing at all can be read from a source.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("{path}: không đọc được; kiểm tra đường dẫn, quyền và ổ đĩa / cannot be read; check path, permission and disk: {source}", path = path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}: không phải bảng kê; bảng kê là tệp .jsonl hoặc .csv, còn lại thì nộp cả thư mục / no manifest; a manifest is a .jsonl or a .csv file, anything else is handed over as a folder", path = path.display())]
    NotAManifest { path: PathBuf },
    #[error("{path}: không phải văn bản UTF-8; lưu lại dạng CSV UTF-8 / not UTF-8 text; save it as CSV UTF-8", path = path.display())]
    NotText { path: PathBuf },
    #[error("{path}: nằm trong một kho lưu trữ, khóa ký và tài liệu của kho không phải để nộp; chọn thư mục khác / lies inside an archive, whose key and records are not to be handed over; choose another folder", path = path.display())]
    AnArchive { path: PathBuf },
    #[error("{path}: dòng đầu không ghi đúng tên cột như trong schemas/README.md / the first line does not name the columns as schemas/README.md has them: {why}", path = path.display())]
    Header { path: PathBuf, why: String },
}

/// The packages of one source, in its order. Reading goes on as they are taken.
pub struct Packages {
    inner: Box<dyn Iterator<Item = Handed> + Send>,
    progress: Progress,
}

/// A package, and its row as it is posted to a server, which reads it as it reads every description.
pub struct Handed {
    pub package: Package,
    /// One JSON object; empty where the row could not be read.
    pub description: String,
}

impl Iterator for Packages {
    type Item = Package;
    fn next(&mut self) -> Option<Package> {
        self.inner.next().map(|handed| handed.package)
    }
}

impl Packages {
    /// The same with the rows themselves.
    pub fn handed(self) -> impl Iterator<Item = Handed> + Send {
        self.inner
    }

    /// How far reading is; the answer stays true while others take the packages.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

/// How far reading is.
#[derive(Clone, Default)]
pub struct Progress {
    bytes_total: Option<u64>,
    counts: Arc<[AtomicU64; 3]>,
}

impl Progress {
    fn of(bytes_total: Option<u64>) -> Progress {
        Progress { bytes_total, ..Progress::default() }
    }

    /// The size of the manifest; `None` for a folder, which would have to be walked twice to know.
    pub fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }

    /// Bytes of the manifest's rows handed on so far, or bytes of the components seen so far in a folder.
    pub fn bytes_read(&self) -> u64 {
        self.counts[0].load(Ordering::Relaxed)
    }

    /// What was passed over in a folder: hidden and temporary files, symbolic links, devices.
    pub fn skipped(&self) -> u64 {
        self.counts[1].load(Ordering::Relaxed)
    }

    /// How many rows there will be: rows are not counted beforehand, but as long as those so far the rest
    /// of the manifest is likely to be. `None` for a folder, and before the first row.
    pub fn rows_expected(&self) -> Option<u64> {
        let (rows, read) = (self.counts[2].load(Ordering::Relaxed), self.bytes_read());
        let total = self.bytes_total.filter(|_| rows > 0 && read > 0)?;
        Some((u128::from(rows) * u128::from(total) / u128::from(read)) as u64)
    }

    fn add_read(&self, bytes: u64) {
        self.counts[0].fetch_add(bytes, Ordering::Relaxed);
    }

    fn set_read(&self, bytes: u64) {
        self.counts[0].store(bytes, Ordering::Relaxed);
    }

    fn set_rows(&self, rows: u64) {
        self.counts[2].store(rows, Ordering::Relaxed);
    }

    fn add_skipped(&self) {
        self.counts[1].fetch_add(1, Ordering::Relaxed);
    }
}

/// Opens a folder or a manifest, whichever is at the path. One inside an archive is refused, and an archive
/// inside a folder is passed over: what is taken in cannot be given back, a signing key least of all.
pub fn open(path: &Path, limits: &config::Ingest) -> Result<Packages, ExchangeError> {
    if path.is_dir() { folder::open_folder(path, limits) } else { manifest::open_manifest(path, limits) }
}

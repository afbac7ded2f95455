//! A folder without a manifest: every file is a record, and its name is all that is known of it.

use crate::config;
use crate::exchange::{
    ExchangeError, Handed, Packages, Progress,
    components::{Place, is_of_an_archive},
};
use crate::record::{
    digest::{Digest, Hasher},
    fields,
    finding::{Code, Finding},
    metadata::Metadata,
    package::{Package, Source},
    text,
};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Opens a folder: its regular files, recursively, in the order of their names' bytes. Hidden and temporary
/// files, symbolic links, devices and archives are passed over and counted ([`Progress::skipped`]).
pub fn open_folder(path: &Path, limits: &config::Ingest) -> Result<Packages, ExchangeError> {
    let unreadable = |source: io::Error| ExchangeError::Unreadable { path: path.into(), source };
    let place = Place::new(path, limits).map_err(unreadable)?;
    if place.is_in_an_archive() {
        return Err(ExchangeError::AnArchive { path: path.into() });
    }
    let progress = Progress::of(None);
    let mut folder = Folder { place, levels: Vec::new(), row: 0, progress: progress.clone() };
    let top = folder.list(Path::new("")).map_err(unreadable)?;
    folder.levels.push(top);
    Ok(Packages { inner: Box::new(folder), progress })
}

struct Folder {
    place: Place,
    /// From the top to where we are: one listing a level is all that is held.
    levels: Vec<Level>,
    row: u64,
    progress: Progress,
}

struct Level {
    /// Below the root.
    path: PathBuf,
    /// Names not yet taken, the next one last; `true` for a folder.
    names: Vec<(OsString, bool)>,
}

impl Iterator for Folder {
    type Item = Handed;

    fn next(&mut self) -> Option<Handed> {
        while let Some(level) = self.levels.last_mut() {
            let Some((name, is_folder)) = level.names.pop() else {
                self.levels.pop();
                continue;
            };
            let path = level.path.join(&name);
            if !is_folder {
                return Some(handed(self.package(&path, &name)));
            }
            match self.list(&path) {
                Ok(level) => self.levels.push(level),
                // Everything below it would be missing without a word.
                Err(error) => return Some(handed(self.unreadable(&path, &error))),
            }
        }
        None
    }
}

impl Folder {
    fn list(&self, below: &Path) -> io::Result<Level> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.place.root().join(below))? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let is_archive = kind.is_dir() && is_of_an_archive(&entry.path());
            if is_passed_over(&name) || is_archive || !(kind.is_file() || kind.is_dir()) {
                self.progress.add_skipped();
            } else {
                names.push((name, kind.is_dir()));
            }
        }
        names.sort_unstable_by(|a, b| b.0.cmp(&a.0));
        Ok(Level { path: below.to_owned(), names })
    }

    fn package(&mut self, below: &Path, name: &OsStr) -> Package {
        self.row += 1;
        let path = self.place.root().join(below);
        let (mut findings, written) = (Vec::new(), name.to_string_lossy().into_owned());
        if name.to_str().is_none() {
            let finding = Finding::new(Code::MalformedValue, self.row, &written);
            findings.push(finding.with_detail("the file's name is not UTF-8; kept as far as it can be read"));
        }
        let mut hasher = Hasher::default();
        hasher.update(below.as_os_str().as_bytes());
        if let Ok(told) = fs::symlink_metadata(&path) {
            self.progress.add_read(told.len());
            let times = [told.mtime(), told.mtime_nsec()].map(i64::to_be_bytes).concat();
            hasher.update(&[&[0], &told.len().to_be_bytes()[..], &times].concat());
        }
        let mut components = Vec::new();
        match self.place.check(&path) {
            Ok(()) => components.push(Source::File { path, name: written.clone(), expected: None }),
            Err((code, detail)) => findings.push(Finding::new(code, self.row, &written).with_detail(detail)),
        }
        let stem = Path::new(name).file_stem().unwrap_or(name).to_string_lossy();
        let metadata = described(&stem, below);
        findings.extend(fields::check(&metadata, self.row));
        Package { row: self.row, identity: hasher.finish(), metadata, components, findings }
    }

    fn unreadable(&mut self, below: &Path, error: &io::Error) -> Package {
        self.row += 1;
        let name = below.file_name().unwrap_or_default().to_string_lossy();
        let finding = Finding::new(Code::UnreadableComponent, self.row, &name).with_detail(error);
        let identity = Digest::of(below.as_os_str().as_bytes());
        let metadata = described(&name, below);
        Package { row: self.row, identity, metadata, components: Vec::new(), findings: vec![finding] }
    }
}

fn handed(package: Package) -> Handed {
    let Metadata { subject, external_id, .. } = &package.metadata;
    let description = serde_json::json!({"subject": subject, "external_id": external_id}).to_string();
    Handed { package, description }
}

fn described(name: &str, below: &Path) -> Metadata {
    let external_id = Some(text::line(&below.to_string_lossy()));
    Metadata { subject: text::line(name), external_id, ..Metadata::default() }
}

/// What systems and editors leave behind, and what is still being copied.
fn is_passed_over(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let lower = name.to_ascii_lowercase();
    let ends = [&b"~"[..], b".part", b".tmp", b".crdownload"].iter().any(|end| lower.ends_with(end));
    // `~$` begins the lock that Word puts beside an open document.
    let begins = name.starts_with(b".") || name.starts_with(b"~$");
    begins || ends || [&b"thumbs.db"[..], b"desktop.ini"].contains(&&lower[..])
}

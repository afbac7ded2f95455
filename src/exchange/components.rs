//! From paths as a depositor wrote them to files inside the folder that was handed over.

use crate::config;
use crate::exchange::given::{Given, Values};
use crate::record::{
    digest::Digest,
    finding::{Code, Finding},
    package::Source,
};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The folder that was handed over, and what it may hold.
pub struct Place {
    /// Canonical: no symbolic link in it.
    root: PathBuf,
    component_bytes_max: u64,
    components_max: usize,
}

/// A component as given: its path as written and the digest that the depositor stated.
struct Stated {
    path: String,
    sha256: Option<Digest>,
}

impl Place {
    pub fn new(root: &Path, limits: &config::Ingest) -> io::Result<Place> {
        let root = root.canonicalize()?;
        Ok(Place { root, component_bytes_max: limits.component_bytes_max, components_max: limits.components_max })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The components of a row, in order, then its text. What cannot be had is a finding.
    pub fn components(&self, values: &mut Values, row: u64, findings: &mut Vec<Finding>) -> Vec<Source> {
        let (stated, text) = named(values, row, findings);
        let count = stated.len() + usize::from(text.is_some());
        if count > self.components_max {
            let detail = format!("{count} > {}", self.components_max);
            findings.push(Finding::new(Code::TooManyComponents, row, "components").with_detail(detail));
            return Vec::new();
        }
        if count == 0 && !findings.iter().any(|f| f.code == Code::MalformedRow) {
            findings.push(Finding::new(Code::NoComponent, row, "components"));
        }
        let mut sources = Vec::with_capacity(count);
        for Stated { path: written, sha256 } in stated {
            match self.find(&written) {
                Ok((path, name)) => sources.push(Source::File { path, name, expected: sha256 }),
                Err((code, detail)) => {
                    let told: String = written.chars().take(200).collect();
                    findings.push(Finding::new(code, row, &told).with_detail(detail));
                }
            }
        }
        sources.extend(text.map(|text| Source::Text { text }));
        sources
    }

    /// Is this place itself part of an archive?
    pub fn is_in_an_archive(&self) -> bool {
        self.root.ancestors().any(is_of_an_archive)
    }

    /// The file behind a path as written, and its name as written.
    fn find(&self, written: &str) -> Result<(PathBuf, String), (Code, String)> {
        if escapes(written) {
            return Err((Code::NameEscapes, "outside the folder".into()));
        }
        let (found, separators) = self.locate(written).map_err(|e| (Code::UnreadableComponent, e.to_string()))?;
        if !found.starts_with(&self.root) {
            return Err((Code::NameEscapes, "a symbolic link leads outside the folder".into()));
        }
        if found.ancestors().skip(1).take_while(|above| *above != self.root).any(is_of_an_archive) {
            return Err((Code::NameEscapes, "it lies inside an archive".into()));
        }
        self.check(&found)?;
        let name = written.rsplit(separators).next().unwrap_or(written);
        Ok((found, name.to_owned()))
    }

    /// Tries the path as written, then with the slashes of Windows turned; each name as written, NFC and
    /// NFD: folders made on one system and unpacked on another differ in nothing else.
    fn locate(&self, written: &str) -> io::Result<(PathBuf, &'static [char])> {
        let turned = written.replace('\\', "/");
        let forms: [(&str, &'static [char]); 2] = [(written, &['/']), (&turned, &['/', '\\'])];
        let mut missing = io::Error::from(ErrorKind::NotFound);
        for (form, separators) in &forms[..if turned == written { 1 } else { 2 }] {
            match self.root.join(form).canonicalize() {
                Err(error) if error.kind() == ErrorKind::NotFound => missing = error,
                Err(error) => return Err(error),
                Ok(found) => return Ok((found, separators)),
            }
            if let Some(found) = self.respelt(form) {
                return Ok((found.canonicalize()?, separators));
            }
        }
        Err(missing)
    }

    /// The path with each of its names as written, in NFC or in NFD, whichever is there.
    fn respelt(&self, form: &str) -> Option<PathBuf> {
        if form.is_ascii() {
            return None;
        }
        form.split('/').try_fold(self.root.clone(), |at, name| {
            let spellings = [name.to_owned(), name.nfc().collect(), name.nfd().collect()];
            spellings.iter().map(|spelt| at.join(spelt)).find(|path| path.symlink_metadata().is_ok())
        })
    }

    /// Is this a file that can be read, not empty and not too large? Nothing but a regular file is opened:
    /// a pipe or a device would never answer.
    pub fn check(&self, path: &Path) -> Result<(), (Code, String)> {
        let unreadable = |error: io::Error| (Code::UnreadableComponent, error.to_string());
        let told = fs::symlink_metadata(path).map_err(unreadable)?;
        if !told.is_file() {
            return Err((Code::UnreadableComponent, "not a regular file".into()));
        }
        if told.len() == 0 {
            return Err((Code::EmptyComponent, "0 bytes".into()));
        }
        if told.len() > self.component_bytes_max {
            return Err((Code::ComponentTooLarge, format!("{} > {}", told.len(), self.component_bytes_max)));
        }
        File::open(path).map(drop).map_err(unreadable)
    }
}

/// The components and the text that a row names; what is wrong stops the row.
fn named(values: &mut Values, row: u64, findings: &mut Vec<Finding>) -> (Vec<Stated>, Option<String>) {
    let malformed = |name: &str, why: String| Finding::new(Code::MalformedRow, row, name).with_detail(why);
    let stated = stated(values).unwrap_or_else(|(name, why)| {
        findings.push(malformed(name, why));
        Vec::new()
    });
    let text = match values.take("text") {
        Given::Nothing => None,
        // NFC as everything on the way in; its letters stay, so that Ð is not read as Đ here.
        Given::Text(text) => Some(composed(text)).filter(|text| !text.is_empty()),
        // A document left out with a warning would be a document lost: this stops the row.
        _ => {
            findings.push(malformed("text", "neither text nor nothing".into()));
            None
        }
    };
    (stated, text)
}

/// The digests stated for components that arrive beside their description, and its text.
pub fn posted(values: &mut Values, row: u64, findings: &mut Vec<Finding>) -> (Vec<Option<Digest>>, Option<String>) {
    let (stated, text) = named(values, row, findings);
    (stated.into_iter().map(|stated| stated.sha256).collect(), text)
}

fn composed(text: String) -> String {
    if is_nfc(&text) { text } else { text.nfc().collect() }
}

/// Is this an archive's data folder, its tree of files, or the folder of its key?
pub fn is_of_an_archive(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).symlink_metadata().is_ok();
    let named_secret = folder.file_name().is_some_and(|name| name == "secret");
    has("secret/signing.key") || (named_secret && has("signing.key")) || (has("place.json") && has("log/commits"))
}

/// Does a path leave its folder by what is written in it? Both kinds of slash count, whatever the system.
fn escapes(written: &str) -> bool {
    let drive = written.as_bytes().get(1) == Some(&b':') && written.starts_with(|c: char| c.is_ascii_alphabetic());
    if drive || written.starts_with(['/', '\\']) {
        return true;
    }
    let mut depth = 0_i64;
    written.split(['/', '\\']).any(|segment| {
        depth += match segment {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    })
}

/// Paths and digests as given; what is wrong with them stops the row, because a component left out or a
/// digest not compared would be a loss nobody sees.
fn stated(values: &mut Values) -> Result<Vec<Stated>, (&'static str, String)> {
    let mut stated = match values.take("components") {
        Given::Nothing => Vec::new(),
        Given::Text(paths) => paths.split(';').map(str::trim).filter(|path| !path.is_empty()).map(plain).collect(),
        Given::List(list) => {
            let read = |(n, given)| {
                component(given).ok_or_else(|| ("components", format!("number {} is no component", n + 1)))
            };
            list.into_iter().enumerate().map(read).collect::<Result<_, _>>()?
        }
        _ => return Err(("components", "not a list of paths".into())),
    };
    let digests = match values.take("sha256") {
        Given::Nothing => return Ok(stated),
        Given::Text(digests) => digests.split(';').map(|d| d.trim().to_owned()).collect(),
        Given::List(list) => {
            let text = |given| if let Given::Text(text) = given { text } else { String::new() };
            list.into_iter().map(text).collect::<Vec<_>>()
        }
        _ => return Err(("sha256", "not a list of digests".into())),
    };
    if digests.len() != stated.len() {
        return Err(("sha256", format!("{} digests for {} components", digests.len(), stated.len())));
    }
    for (component, digest) in stated.iter_mut().zip(digests).filter(|(_, digest)| !digest.is_empty()) {
        component.sha256 = Some(read_digest(&digest).ok_or_else(|| ("sha256", "not a SHA-256 digest".to_owned()))?);
    }
    Ok(stated)
}

fn plain(path: &str) -> Stated {
    Stated { path: path.to_owned(), sha256: None }
}

/// A path, or `{"path", "sha256"}`.
fn component(given: Given) -> Option<Stated> {
    let fields = match given {
        Given::Text(path) => return Some(plain(&path)),
        Given::Map(fields) => fields,
        _ => return None,
    };
    let (mut path, mut sha256) = (None, None);
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("path", Given::Text(text)) => path = Some(text),
            ("sha256", Given::Text(text)) => sha256 = Some(read_digest(&text)?),
            ("sha256", Given::Nothing) => {}
            _ => return None,
        }
    }
    Some(Stated { path: path?, sha256 })
}

/// Other programs print digests in capitals.
fn read_digest(typed: &str) -> Option<Digest> {
    typed.trim().to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder() {
        for written in ["/a", "\\a", "C:\\a", "c:a", "..", "../a", "a/../../b", "a\\..\\..\\b", "./../a", "a//../.."] {
            assert!(escapes(written), "{written}");
        }
        for written in ["", "a", "a/b", "./a", "a/../b", "a..b/..c", "...", "ab:c"] {
            assert!(!escapes(written), "{written}");
        }
    }

    #[test]
    fn components_as_given() {
        let digest = "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let text = |text: &str| Given::Text(text.into());
        let map = |pairs: &[(&str, Given)]| Given::Map(pairs.iter().map(|(k, v)| (k.to_string(), v.clone())).collect());
        let read = |components: Given, sha256: Given| {
            let known = vec![("components", components), ("sha256", sha256)];
            stated(&mut Values { known, ..Values::default() })
                .map(|all| all.into_iter().map(|s| (s.path, s.sha256.is_some())).collect::<Vec<_>>())
        };
        let nothing = || Given::Nothing;
        let one = |path: &str, told: bool| vec![(path.to_owned(), told)];
        assert_eq!(read(text("a"), nothing()).unwrap(), one("a", false));
        assert_eq!(
            read(text("a; b ;"), text(&format!(";{digest}"))).unwrap(),
            [one("a", false), one("b", true)].concat()
        );
        assert_eq!(read(Given::List(vec![text("a;b")]), nothing()).unwrap(), one("a;b", false));
        let whole = map(&[("path", text("a")), ("sha256", text(digest))]);
        assert_eq!(read(Given::List(vec![whole]), nothing()).unwrap(), one("a", true));
        for (components, sha256) in [
            (Given::Other, nothing()),
            (Given::List(vec![text("a"), Given::Count(5)]), nothing()),
            (Given::List(vec![map(&[("sha256", text(digest))])]), nothing()),
            (Given::List(vec![map(&[("path", text("a")), ("sha256", text("abc"))])]), nothing()),
            (Given::List(vec![map(&[("path", text("a")), ("size", Given::Count(1))])]), nothing()),
            (text("a;b"), text(digest)),
            (text("a"), text("abc")),
            (text("a"), Given::Count(5)),
        ] {
            assert!(read(components.clone(), sha256).is_err(), "{components:?}");
        }
    }
}

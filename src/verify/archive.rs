//! The whole of an archive: log, self-description, every record, and nothing else.
//!
//! `staging/` is passed over, but for its intents: a folder that a living (or just killed) process says it
//! is writing into may hold what nothing names *yet*. Such files are told as notes, by name.

use crate::ledger::{authority::Certificates, checkpoint::Checkpoint, cosignature::WitnessKey, keys::KeyFile};
use crate::record::{
    digest::Digest,
    unit::{self, Unit},
};
use crate::store::{Store, StoreError, layout, local};
use crate::verify::{
    Outcome,
    log::{self, Log},
    policy::Policy,
    records, stubs,
};
use serde::Serialize;
use std::{
    collections::HashSet,
    fmt,
    sync::{Mutex, PoisonError},
};

/// What begins the path of a stub or a certificate.
const STUBS: &str = "stubs/";

/// One thing wrong, with the file's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Fault {
    pub path: String,
    pub kind: Kind,
    /// What exactly, for an engineer; in English.
    pub detail: String,
}

/// What can be wrong with a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Not what the ledger says.
    Altered,
    /// Named by the ledger and not there.
    Missing,
    /// There, and named by nothing.
    Unknown,
    /// Could not be read: the answer is incomplete.
    Unreadable,
    /// Signed by a witness whose key is not at hand: the answer is incomplete.
    Unchecked,
}

impl Kind {
    /// In Vietnamese and in English.
    pub fn text(&self) -> (&'static str, &'static str) {
        match self {
            Kind::Altered => ("đã bị thay đổi", "altered"),
            Kind::Missing => ("bị mất", "missing"),
            Kind::Unknown => ("không thuộc kho", "does not belong here"),
            Kind::Unreadable => ("không đọc được", "cannot be read"),
            Kind::Unchecked => ("chưa kiểm tra được", "cannot be checked"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (vi, en) = self.kind.text();
        // A file's name comes from whoever put it there: it must not look like a line of the answer.
        let shown = |text: &str| -> String {
            text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.into() }).collect()
        };
        write!(f, "{}: {vi} ({en}): {}", shown(&self.path), shown(&self.detail))
    }
}

/// What an audit of the whole archive found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    pub entries: u64,
    /// Those that were not ordered to end.
    pub records: u64,
    /// Those that were.
    pub ended: u64,
    pub components: u64,
    pub bytes: u64,
    pub faults: Vec<Fault>,
    /// Files of a write under way: not part of the archive yet.
    pub under_way: Vec<String>,
}

impl Report {
    /// The answer that the exit code gives.
    pub fn outcome(&self) -> Outcome {
        match &self.faults[..] {
            [] => Outcome::Holds,
            faults if faults.iter().all(|fault| matches!(fault.kind, Kind::Unreadable | Kind::Unchecked)) => {
                Outcome::Incomplete
            }
            _ => Outcome::Tampered,
        }
    }
}

/// Where findings are put while several tasks look.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    report: Mutex<Report>,
    /// Units whose folder a process says it is writing into, and paths of timestamps, stubs and certificates.
    pub intended: HashSet<String>,
}

impl Findings {
    pub fn fault(&self, path: &str, kind: Kind, detail: impl fmt::Display) {
        self.change(|report| report.faults.push(Fault { path: path.into(), kind, detail: detail.to_string() }));
    }

    /// A store error about a path: missing, or unreadable.
    pub fn store(&self, path: &str, error: &StoreError) {
        match error {
            StoreError::Absent(_) => self.fault(path, Kind::Missing, "nothing is there"),
            error => self.fault(path, Kind::Unreadable, error),
        }
    }

    /// A file that nothing names: under way if its unit's folder is intended, else it does not belong.
    pub fn unnamed(&self, path: &str) {
        let unit = layout::unit_of(path).map(layout::intended);
        // A timestamp, a stub or a certificate under way is named by its path.
        let intended = self.intended.contains(unit.as_deref().unwrap_or(path));
        match intended {
            true => self.change(|report| report.under_way.push(path.into())),
            false => self.fault(path, Kind::Unknown, "no entry and no description names it"),
        }
    }

    /// A file that nothing names, unless it is a write under way to a name that can be: `x#1` beside `x`
    /// is what a process leaves that dies while it writes `x`, and the next start removes it.
    pub fn unnamed_or_leftover(&self, path: &str, has_a_name: impl Fn(&str) -> bool) {
        let stem = path.rsplit_once('#').map(|(stem, _)| stem).filter(|_| local::is_leftover(path));
        match stem.is_some_and(has_a_name) {
            true => self.change(|report| report.under_way.push(path.into())),
            false => self.unnamed(path),
        }
    }

    pub fn change(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What whoever asks has from elsewhere than the archive.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// The archive's public keys. Without them those in the place are taken: whoever can change everything there can
    /// change these too.
    pub keys: Option<KeyFile>,
    /// Checkpoints that were kept, and where they are from: the ledger must go on from each of them.
    pub known: Vec<(String, Checkpoint)>,
    /// Keys of witnesses.
    pub witnesses: Vec<WitnessKey>,
    /// Which witnesses must have cosigned the newest checkpoint.
    pub policy: Option<Policy>,
    /// Certificates of timestamping authorities.
    pub authorities: Option<Certificates>,
}

impl Trusted {
    /// Every key of a witness that is at hand.
    pub fn witnesses(&self) -> impl Iterator<Item = &WitnessKey> {
        self.witnesses.iter().chain(self.policy.iter().flat_map(Policy::witnesses))
    }
}

/// How much of a place is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everything but `staging/`.
    Archive,
    /// What lies under `log/`.
    Ledger,
}

/// Hears what is being looked at: how many of how many.
pub type Tell = dyn Fn(u64, u64) + Send + Sync;

/// Audits everything in a place but `staging/`. Reads only, needs no key but the public ones in the place and those of
/// its `witnesses`, and nothing of `derived/`.
pub async fn verify_archive(store: &Store, witnesses: &[WitnessKey], tell: &Tell) -> Report {
    let trusted = Trusted { witnesses: witnesses.to_vec(), ..Trusted::default() };
    audit(store, Scope::Archive, &trusted, tell).await
}

/// The same, or the ledger alone, against what is known from elsewhere.
pub async fn audit(store: &Store, scope: Scope, trusted: &Trusted, tell: &Tell) -> Report {
    let mut findings = Findings::default();
    findings.intended = intended(store, &findings).await;
    let keys = match &trusted.keys {
        Some(keys) => Some(keys.clone()),
        None => keys(store, &findings).await,
    };
    if let Some(keys) = keys {
        let log = log::verify_log(store, &keys, trusted, &findings, tell).await;
        if scope == Scope::Archive {
            verify_documents(store, &log, &findings).await;
            records::verify_records(store, &log, &findings, tell).await;
            stubs::verify_stubs(store, &log, &findings).await;
            excuse_the_living(store, &keys, &log, &mut findings).await;
        }
    }
    let mut report = findings.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.faults.sort();
    report.faults.dedup();
    report.under_way.sort();
    report
}

async fn intended(store: &Store, findings: &Findings) -> HashSet<String> {
    // Whatever is slipped in between them must not end the listing.
    let intents = store.everything(layout::INTENTS).await;
    let mut intended = HashSet::new();
    let intents = intents.unwrap_or_else(|error| {
        findings.store(layout::INTENTS, &error);
        Vec::new()
    });
    for intent in intents.into_iter().filter(|intent| !local::is_leftover(&intent.path)) {
        // An intent that is fulfilled while we look has nothing more to say.
        if let Ok(text) = store.read(&intent.path).await {
            intended.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
        }
    }
    intended
}

/// An archive that is taking in while we look has files that its ledger did not name when we read it, and what has been
/// ordered to end since may be gone.
async fn excuse_the_living(store: &Store, keys: &KeyFile, log: &Log, findings: &mut Findings) {
    let certified = |unit: Unit| {
        let end = unit.record().and_then(|record| log.ended.get(&record.shard())?.get(&record));
        end.is_some_and(|end| end.certificate.is_some())
    };
    let suspect = |fault: &Fault| match (fault.kind, layout::unit_of(&fault.path)) {
        // Whatever a process says: of what was destroyed nothing may be there.
        (Kind::Unknown, Some(unit)) => !certified(unit),
        (Kind::Unknown, None) => fault.path.starts_with(STUBS),
        (Kind::Missing, Some(unit)) => unit.record().is_some(),
        _ => false,
    };
    let size = {
        let report = findings.report.get_mut().unwrap_or_else(PoisonError::into_inner);
        report.faults.iter().any(suspect).then_some(report.entries)
    };
    let Some(size) = size else { return };
    let intended = intended(store, findings).await;
    let since = log::committed_since(store, keys, size).await;
    let living = |Fault { path, kind, .. }: &Fault| match (layout::unit_of(path), kind) {
        (Some(unit), Kind::Missing) => unit.record().is_some_and(|record| since.ended.contains(&record)),
        (Some(unit), _) => since.units.contains(&unit) || intended.contains(&layout::intended(unit)),
        (None, _) => since.stubs.contains(path) || intended.contains(path),
    };
    findings.change(|report| {
        let (excused, faults) = report.faults.drain(..).partition(|fault| suspect(fault) && living(fault));
        report.faults = faults;
        let excused: Vec<Fault> = excused;
        // What is gone is no file of a write under way.
        let there = excused.into_iter().filter(|fault| fault.kind == Kind::Unknown);
        report.under_way.extend(there.map(|fault| fault.path));
    });
}

async fn keys(store: &Store, findings: &Findings) -> Option<KeyFile> {
    match store.read(layout::KEYS).await {
        Ok(bytes) => match std::str::from_utf8(&bytes).map(str::parse) {
            Ok(Ok(keys)) => return Some(keys),
            _ => findings.fault(
                layout::KEYS,
                Kind::Altered,
                "it is no list of public keys; nothing can be checked without it",
            ),
        },
        Err(error) => findings.store(layout::KEYS, &error),
    }
    None
}

/// The two numbers of the place's identity, which are not in the ledger's digest of it.
async fn verify_identity(store: &Store, log: &Log, findings: &Findings) {
    let Ok(Some(identity)) = store.primary().identity().await else { return };
    let (number, epochs) = (store.number(), log.primacy.map_or(1, |primacy| primacy.epoch));
    if identity.replica != number {
        let detail = format!("it says that it is place {}, and this is place {number}", identity.replica);
        findings.fault(layout::PLACE, Kind::Altered, detail);
    }
    let joined = if number == 1 { 1..=1 } else { 1..=epochs };
    if !joined.contains(&identity.epoch) {
        let detail = format!("it says that it joined in epoch {}, and there are {epochs}", identity.epoch);
        findings.fault(layout::PLACE, Kind::Altered, detail);
    }
}

/// The self-description, the keys and the place's identity, against the digests in the ledger; and that
/// nothing else lies beside them.
async fn verify_documents(store: &Store, log: &Log, findings: &Findings) {
    verify_identity(store, log, findings).await;
    for (path, digest) in &log.documents {
        match store.read_document(path).await {
            Ok(bytes) if Digest::of(&bytes) == *digest => {}
            Ok(_) => findings.fault(path, Kind::Altered, "its digest is not the one in the ledger"),
            Err(error) => findings.store(path, &error),
        }
    }
    let is_document = |path: &str| log.documents.contains_key(path);
    let names = match store.names("").await {
        Ok(names) => names,
        Err(error) => return findings.store("", &error),
    };
    for name in names {
        match name.strip_suffix('/') {
            Some("staging" | "log" | layout::STUBS) => {}
            Some(folder) if unit::Kind::ALL.iter().any(|kind| kind.folder() == folder) => {}
            Some(folder) => match store.everything(folder).await {
                Ok(listed) => {
                    let unknown = listed.iter().filter(|listed| !log.documents.contains_key(&listed.path));
                    unknown.for_each(|listed| findings.unnamed_or_leftover(&listed.path, is_document));
                }
                Err(error) => findings.store(folder, &error),
            },
            None if log.documents.contains_key(&name) => {}
            None => findings.unnamed_or_leftover(&name, is_document),
        }
    }
}

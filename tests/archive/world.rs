//! A whole archive for a test, and the question that every test of it ends with: [`World::check`].
//!
//! The bytes that would survive a power cut are in memory or in a folder; catalog and desk are files; the
//! clock is moved by hand.

use bytes::Bytes;
use futures::{TryStreamExt, stream};
use object_store::{ObjectStore, memory::InMemory};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};
use tempfile::TempDir;
use vankho::{
    archive::{Archive, ArchiveError, Clock, Parts, place, timestamps},
    catalog::Catalog,
    characterization,
    config::Config,
    desk::Desk,
    evidence, exchange,
    index::{
        Index,
        query::{Query, Sort},
    },
    ingest::{self, Fate, Outcome},
    ledger::{authority::Certificates, keys::Signer},
    record::{access::Reader, digest::Digest, id::RecordId, package::Source},
    store::{Replica, Replicas, Standing, Store, layout},
    verify::{
        self,
        archive::{Report, Scope, Trusted, audit},
        receipt::verify_receipt,
    },
};
use zeroize::Zeroizing;

pub const ORIGIN: &str = "archive.example.vn/log";
/// The program itself: it is also the reading child.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_vankho");

/// A row for which the archive has taken responsibility.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub external_id: String,
    pub record: RecordId,
    pub receipt: String,
}

pub struct World {
    /// `--data`: `derived/`, `desk/`, and on disk `archive/` and `secret/`.
    pub data: TempDir,
    /// What depositors hand over.
    pub inbox: TempDir,
    /// The bytes of a place in memory; `None` where the place is a folder.
    pub objects: Option<Arc<InMemory>>,
    pub micros: Arc<AtomicI64>,
    pub config: Config,
    pub acknowledged: Mutex<Vec<Acknowledged>>,
    /// The digests of the components that were handed over under an identifier.
    given: Mutex<HashMap<String, Vec<Digest>>>,
}

/// A folder that is gone after the test, in memory where the machine has such a place: what is tested is
/// the order of writes, and `tests/crash/durable.rs` asks for the disk.
pub fn folder() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &Zeroizing::new([7; 32])).unwrap()
}

fn config() -> Config {
    let mut config = Config::default();
    // Tests publish when they say so; small components take the way of large ones.
    config.ledger.publish_interval_ms = 3_600_000;
    config.ingest.held_bytes_max = 64 << 10;
    config.content.processes = 1;
    config.content.seconds_max = 120;
    config.index.writer_bytes = 16 << 20;
    config
}

impl World {
    fn empty(objects: Option<Arc<InMemory>>) -> World {
        World {
            data: folder(),
            inbox: folder(),
            objects,
            micros: Arc::new(AtomicI64::new(1_780_000_000_000_000)),
            config: config(),
            acknowledged: Mutex::default(),
            given: Mutex::default(),
        }
    }

    /// A place in memory; nothing is founded yet.
    pub fn memory() -> World {
        World::empty(Some(Arc::new(InMemory::new())))
    }

    /// A founded archive in memory.
    pub async fn founded() -> World {
        let world = World::memory();
        place::found(&world.store(), signer(), &world.clock()).await.unwrap();
        world
    }

    /// A founded archive in a folder.
    pub async fn on_disk() -> World {
        let world = World::empty(None);
        place::init(world.data.path(), &world.config.storage, ORIGIN, &world.clock()).await.unwrap();
        world
    }

    /// A founded archive in a folder, with two more places beside it, of which so many must hold what counts.
    pub async fn replicated(required: usize) -> World {
        World::in_places(&["archive", "two", "three"], required).await
    }

    /// An archive in so many folders.
    pub async fn in_places(names: &[&str], required: usize) -> World {
        let mut world = World::empty(None);
        world.config.storage.places = names.iter().map(ToString::to_string).collect();
        world.config.storage.required = required;
        world.config.storage.heal_interval_ms = 3_600_000;
        place::init(world.data.path(), &world.config.storage, ORIGIN, &world.clock()).await.unwrap();
        world
    }

    pub fn clock(&self) -> Clock {
        Clock::Moved(self.micros.clone())
    }

    pub fn store(&self) -> Store {
        match &self.objects {
            Some(objects) => Store::over(objects.clone()),
            None => Store::local(&self.archive_folder()).unwrap(),
        }
    }

    pub fn archive_folder(&self) -> PathBuf {
        self.data.path().join("archive")
    }

    /// Opens the archive as a process would that finds what is there.
    pub async fn open(&self) -> Result<Archive, ArchiveError> {
        match &self.objects {
            Some(objects) => self.open_over(objects.clone(), self.data.path()).await,
            None => Archive::open(self.data.path(), self.config.clone(), self.clock(), &|_| {}).await,
        }
    }

    /// Opens the archive over some storage, with catalog and desk in a folder.
    pub async fn open_over(&self, objects: Arc<dyn ObjectStore>, derived: &Path) -> Result<Archive, ArchiveError> {
        self.start(Store::over(objects), signer(), derived).await
    }

    /// The same over a primary and its replicas.
    pub async fn open_store(&self, store: Store, derived: &Path) -> Result<Archive, ArchiveError> {
        self.start(store, signer(), derived).await
    }

    async fn start(&self, store: Store, signer: Signer, derived: &Path) -> Result<Archive, ArchiveError> {
        let parts = Parts {
            store,
            signer,
            catalog: Catalog::open(Some(&derived.join("catalog.db"))).await?,
            index: Index::open(None, &self.config.index)?,
            desk: Desk::open(Some(&derived.join("desk.db"))).await?,
            clock: self.clock(),
            config: self.config.clone(),
            lock: None,
        };
        Archive::start(parts, &|_| {}).await
    }

    /// Another process on the same places, with catalog and desk of its own.
    pub async fn open_beside(&self, name: &str) -> Result<Archive, ArchiveError> {
        let (here, there) = (self.data.path(), self.data.path().join(name));
        fs::create_dir_all(&there).unwrap();
        for one in ["secret", "archive", "two", "three"] {
            std::os::unix::fs::symlink(here.join(one), there.join(one)).ok();
        }
        Archive::open(&there, self.config.clone(), self.clock(), &|_| {}).await
    }

    /// Throws the catalog away; it must come back from the ledger.
    pub fn lose_catalog(&self) {
        for folder in [self.data.path().to_owned(), self.data.path().join("derived")] {
            for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
                fs::remove_file(folder.join(name)).ok();
            }
        }
    }

    /// Throws the desk away: nobody remembers the promises of a half-done ingest.
    pub fn lose_desk(&self) {
        for folder in [self.data.path().to_owned(), self.data.path().join("desk")] {
            for name in ["desk.db", "desk.db-wal", "desk.db-shm"] {
                fs::remove_file(folder.join(name)).ok();
            }
        }
    }

    /// Lets so much time pass that what lies in staging and belongs to a desk that is gone may be discarded.
    /// Objects carry the machine's time, so it counts from theirs.
    pub async fn age(&self) {
        let staged = self.store().list(layout::STAGING).unwrap().try_collect::<Vec<_>>().await.unwrap();
        let newest = staged.iter().map(|staged| staged.modified).max().unwrap_or(0);
        let days = self.config.ingest.staging_age_days_max as i64 + 1;
        self.micros.fetch_max((newest + days * 86_400) * 1_000_000, Ordering::SeqCst);
    }

    /// Writes a file for depositors.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.inbox.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Takes a folder or a manifest in, as far as it goes. What was acknowledged is remembered whatever
    /// comes after.
    pub async fn ingest(&self, archive: &Archive, path: &Path) -> (Vec<Outcome>, Result<(), ArchiveError>) {
        let packages: Vec<_> = exchange::open(path, &self.config.ingest).unwrap().collect();
        for package in &packages {
            let Some(external_id) = package.metadata.external_id.clone() else { continue };
            let digest = |source: &Source| match source {
                Source::File { path, .. } => Digest::of(&fs::read(path).unwrap()),
                Source::Text { text } => Digest::of(text.as_bytes()),
                Source::Page { html, .. } => Digest::of(html.as_bytes()),
            };
            let digests = package.components.iter().map(digest).collect();
            self.given.lock().unwrap().insert(external_id, digests);
        }
        let mut outcomes = Vec::new();
        let mut hear = |outcome: Outcome| {
            if let Fate::Kept { record, receipt, .. } = &outcome.fate {
                let external_id = outcome.external_id.clone().unwrap_or_default();
                let one = Acknowledged { external_id, record: *record, receipt: receipt.clone() };
                self.acknowledged.lock().unwrap().push(one);
            }
            outcomes.push(outcome);
        };
        let source = path.display().to_string();
        let done = ingest::receive(archive, &source, stream::iter(packages), &mut hear).await;
        (outcomes, done)
    }

    /// Takes in what must go in whole: every row is kept.
    pub async fn ingest_all(&self, archive: &Archive, path: &Path) -> Vec<Outcome> {
        let (outcomes, done) = self.ingest(archive, path).await;
        done.unwrap();
        for outcome in &outcomes {
            assert!(matches!(outcome.fate, Fate::Kept { .. }), "{outcome:?}");
        }
        outcomes
    }

    pub async fn characterize(&self, archive: &Archive) -> Result<u64, ArchiveError> {
        let mut read = 0;
        characterization::read_waiting(archive, Path::new(PROGRAM), &mut |_| read += 1).await?;
        Ok(read)
    }

    /// Every promise of the archive, held against what is there. Panics with all that does not hold.
    pub async fn check(&self) {
        let faults = self.faults().await;
        assert!(faults.is_empty(), "the world does not hold:\n  {}", faults.join("\n  "));
    }

    /// The same, as a list.
    pub async fn faults(&self) -> Vec<String> {
        let live = match self.open().await {
            Ok(archive) => archive,
            Err(error) => return vec![format!("the archive cannot be opened: {error}")],
        };
        let fresh = folder();
        let signer = match self.objects {
            Some(_) => signer(),
            None => place::Folders::of(self.data.path()).signer().unwrap(),
        };
        let rebuilt = match self.start(live.store.clone(), signer, fresh.path()).await {
            Ok(archive) => archive,
            Err(error) => return vec![format!("the archive cannot be rebuilt: {error}")],
        };
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let mut faults = examine(&live, &rebuilt, &acknowledged).await;
        faults.extend(self.originals(&live, &acknowledged).await);
        rebuilt.close().await.unwrap();
        live.healing.round(&|_, _| {}).await;
        for replica in live.store.replicas().all().iter().filter(|replica| replica.standing() == Standing::Taking) {
            faults.extend(self.faults_of(replica).await);
        }
        live.close().await.unwrap();
        faults
    }

    /// A replica that has been healed is an archive that holds, with the same entries.
    async fn faults_of(&self, replica: &Replica) -> Vec<String> {
        let store = Store::of(replica.place.clone(), replica.number, Replicas::default());
        let report = audited(&store, &self.config).await;
        let told = |fault: &dyn std::fmt::Display| format!("place {}: {fault}", replica.number);
        let mut faults: Vec<String> = report.faults.iter().map(|fault| told(fault)).collect();
        faults.extend(report.under_way.iter().map(|path| told(&format!("{path} is under way and nobody writes"))));
        faults
    }

    /// What was handed over is what the receipts are for.
    async fn originals(&self, live: &Archive, acknowledged: &[Acknowledged]) -> Vec<String> {
        let keys = live.store.read(layout::KEYS).await.unwrap();
        let mut faults = Vec::new();
        let given = self.given.lock().unwrap().clone();
        for one in acknowledged {
            let Ok(Some(evidence)) = evidence::receipt(live, one.record, false).await else { continue };
            for digest in given.get(&one.external_id).into_iter().flatten() {
                let verdict = verify_receipt(one.receipt.as_bytes(), &keys, Some(&evidence.description), Some(*digest));
                if verdict.outcome != verify::Outcome::Holds {
                    faults.push(format!("{}: what was handed over: {}", one.external_id, verdict.english));
                }
            }
        }
        faults
    }
}

/// Everything in a place, with the certificates of the authorities of a configuration.
async fn audited(store: &Store, config: &Config) -> Report {
    let authorities = timestamps::configured(&config.evidence).unwrap().into_iter().map(|one| one.certificates);
    let trusted = Trusted { authorities: authorities.reduce(Certificates::and), ..Trusted::default() };
    audit(store, Scope::Archive, &trusted, &|_, _| {}).await
}

/// Holds an archive against itself, against one built anew from the same bytes, and against what it promised.
pub async fn examine(live: &Archive, rebuilt: &Archive, acknowledged: &[Acknowledged]) -> Vec<String> {
    let mut faults = Vec::new();
    let report = audited(&live.store, &live.config).await;
    faults.extend(report.faults.iter().map(|fault| format!("verify: {fault}")));
    faults.extend(report.under_way.iter().map(|path| format!("verify: {path} is under way and nobody writes")));
    let known = live.catalog.records(0, u32::MAX).await.unwrap();
    if report.records != known.len() as u64 {
        faults.push(format!("verify sees {} records, the catalog {}", report.records, known.len()));
    }
    faults.extend(compare(live, rebuilt).await);
    let keys = live.store.read(layout::KEYS).await.unwrap();
    for one in &known {
        for latest in [false, true] {
            faults.extend(receipt_opens(live, &keys, one.record, latest).await);
        }
    }
    let mut doubled: BTreeMap<&str, Vec<RecordId>> = BTreeMap::new();
    for one in known.iter().filter(|one| one.external_id.is_some()) {
        doubled.entry(one.external_id.as_deref().unwrap_or_default()).or_default().push(one.record);
    }
    doubled.retain(|_, records| records.len() > 1);
    faults.extend(doubled.iter().map(|(id, records)| format!("{id} is doubled: {records:?}")));
    let there: HashSet<RecordId> = known.iter().map(|one| one.record).collect();
    for one in acknowledged {
        if !there.contains(&one.record) {
            faults.push(format!("{} was acknowledged as {} and is missing", one.external_id, one.record));
            continue;
        }
        let evidence = evidence::receipt(live, one.record, false).await.unwrap();
        let description = evidence.map(|evidence| evidence.description).unwrap_or_default();
        let verdict = verify_receipt(one.receipt.as_bytes(), &keys, Some(&description), None);
        if verdict.outcome != verify::Outcome::Incomplete {
            faults.push(format!("{}: the receipt that was given out: {}", one.external_id, verdict.english));
        }
    }
    faults
}

/// The receipt of a record opens for each of its components, as they lie in the store.
async fn receipt_opens(live: &Archive, keys: &Bytes, record: RecordId, latest: bool) -> Vec<String> {
    let evidence = match evidence::receipt(live, record, latest).await {
        Ok(Some(evidence)) => evidence,
        Ok(None) => return vec![format!("{record} has no receipt")],
        Err(error) => return vec![format!("{record} has no receipt: {error}")],
    };
    let description = vankho::record::description::Description::from_bytes(&evidence.description).unwrap();
    let mut faults = Vec::new();
    for component in &description.components {
        let digest = match live.store.digest(&layout::component(record, component.sha256)).await {
            Ok((digest, _)) => digest,
            Err(error) => {
                faults.push(format!("{record}: {error}"));
                continue;
            }
        };
        let verdict = verify_receipt(evidence.receipt.as_bytes(), keys, Some(&evidence.description), Some(digest));
        if verdict.outcome != verify::Outcome::Holds {
            faults.push(format!("{record}: {}", verdict.english));
        }
    }
    faults
}

/// Two archives over the same bytes must give the same answers to everything.
async fn compare(live: &Archive, rebuilt: &Archive) -> Vec<String> {
    live.settle().await.unwrap();
    rebuilt.settle().await.unwrap();
    let mut faults = Vec::new();
    let mut differ = |what: &str, a: String, b: String| {
        if a != b {
            faults.push(format!("{what}: live says {a}, rebuilt {b}"));
        }
    };
    let (a, b) =
        (live.catalog.records(0, u32::MAX).await.unwrap(), rebuilt.catalog.records(0, u32::MAX).await.unwrap());
    differ("records", format!("{a:?}"), format!("{b:?}"));
    let (x, y) =
        (live.catalog.waiting(0, u32::MAX).await.unwrap(), rebuilt.catalog.waiting(0, u32::MAX).await.unwrap());
    differ("waiting", format!("{x:?}"), format!("{y:?}"));
    differ("applied", format!("{}", live.ledger.size()), format!("{}", rebuilt.catalog.applied()));
    differ("lists", format!("{:?}", live.catalog.plans().await), format!("{:?}", rebuilt.catalog.plans().await));
    differ("work", format!("{:?}", live.catalog.backlogs().await), format!("{:?}", rebuilt.catalog.backlogs().await));
    differ(
        "agencies",
        format!("{:?}", live.catalog.register().await),
        format!("{:?}", rebuilt.catalog.register().await),
    );
    differ("counts", format!("{:?}", live.catalog.counts().await), format!("{:?}", rebuilt.catalog.counts().await));
    for one in &a {
        let lives = (live.catalog.life(one.record).await, rebuilt.catalog.life(one.record).await);
        differ("life", format!("{:?}", lives.0), format!("{:?}", lives.1));
        let described = live.description(one.record).await.ok().flatten();
        for component in described.iter().flat_map(|described| &described.description.components) {
            let of = [component.sha256];
            let twins = (live.catalog.twins(None, None, &of).await, rebuilt.catalog.twins(None, None, &of).await);
            differ("twins", format!("{:?}", twins.0.unwrap()), format!("{:?}", twins.1.unwrap()));
        }
    }
    let mut words: Vec<String> = a.iter().take(20).map(|one| one.subject.clone()).collect();
    words.extend(["", "thủ tục", "thu tuc", "hello", "48/QĐ-UBND"].map(String::from));
    let readers = [Reader::Anyone, Reader::Official { agency: "Sở Nội vụ".into() }, Reader::Archivist, Reader::Cleared];
    for reader in readers {
        for text in &words {
            let mut query = Query::new(text, reader.clone());
            (query.facets, query.sort, query.limit) = (true, Sort::Newest, 1000);
            let (x, y) = (live.index.search(&query).unwrap(), rebuilt.index.search(&query).unwrap());
            let told = |hits: &vankho::index::query::Hits| {
                let records: Vec<_> = hits.hits.iter().map(|hit| hit.record).collect();
                format!("{} {:?} {:?} {}", hits.total, records, hits.facets, hits.applied)
            };
            differ(&format!("search for {text:?} as {reader:?}"), told(&x), told(&y));
        }
    }
    faults
}

/// A row of a JSON manifest: identifier, subject, and what else is to be said as JSON members.
pub fn row(external_id: &str, subject: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!("{{\"external_id\":\"{external_id}\",\"subject\":\"{subject}\"{comma}{more}}}\n")
}

/// The smallest docx that has this text.
pub fn docx(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let types = "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
        <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    let document = format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">\
         <w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    );
    for (name, text) in [("[Content_Types].xml", types), ("word/document.xml", &document)] {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A PDF of one page; without words it is what a scanner would make.
pub fn pdf(words: &str) -> Vec<u8> {
    let content = if words.is_empty() { String::new() } else { format!("BT /F1 12 Tf 72 720 Td ({words}) Tj ET") };
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let (mut out, mut places) = (String::from("%PDF-1.4\n"), Vec::new());
    for (n, object) in (1..).zip(&objects) {
        places.push(out.len());
        out += &format!("{n} 0 obj\n{object}\nendobj\n");
    }
    let table = out.len();
    out += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    places.iter().for_each(|place| out += &format!("{place:010} 00000 n \n"));
    out += &format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    out.into_bytes()
}

/// A small generator of numbers that a seed repeats.
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

//! Acknowledged ingest of small records against bare puts of the same objects.

use crate::{Bars, found, median, noise, runtime};
use futures::{StreamExt, future::join, stream};
use object_store::{ObjectStoreExt, local::LocalFileSystem, path::Path as ObjectPath};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};
use vankho::{
    archive::Archive,
    characterization,
    config::Config,
    ingest::{Fate, receive},
    record::{
        digest::Digest,
        id::RecordId,
        metadata::Metadata,
        package::{Package, Source},
    },
};

pub const COMPONENT_BYTES: usize = 64 << 10;
pub const DESCRIPTION_BYTES: usize = 900;
const ROUNDS: usize = 5;
const ROWS: usize = 600;

/// The words after `ingest` choose among the comparisons: `cargo bench -- ingest 8`.
pub fn small(bars: &mut Bars) {
    let runtime = runtime();
    let chosen: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    // Removed after the last comparison: some file systems look past every inode that was freed in the last
    // minutes whenever a file is made, and what one comparison removes would slow the next.
    let folder = tempfile::tempdir().unwrap();
    let inputs = folder.path().join("inputs");
    fs::create_dir_all(&inputs).unwrap();
    let inputs = write_inputs(&inputs, ROUNDS * ROWS);
    for reading in [false, true] {
        for concurrency in [1, 8, 32] {
            if !chosen.is_empty() && !chosen.contains(&concurrency) {
                continue;
            }
            let at = folder.path().join(format!("{concurrency} {reading}"));
            let ratio = runtime.block_on(compare(&at, &inputs, concurrency, reading));
            let what = format!("ingest / bare puts, {concurrency} at once{}", if reading { ", reading" } else { "" });
            match concurrency {
                // One at a time a commit has nothing to share its fsync with.
                1 => println!("{what}: {ratio:.3}"),
                // Reading takes the processor from the archive and not from the bare loop.
                _ if reading => println!("{what}: {ratio:.3}"),
                _ => bars.at_least(&what, ratio, 0.4),
            }
        }
    }
}

/// The median of the rounds' ratios.
async fn compare(at: &Path, inputs: &[PathBuf], concurrency: usize, reading: bool) -> f64 {
    let config = {
        let mut config = Config::default();
        config.ingest.concurrency = concurrency;
        config
    };
    let bare = at.join("bare");
    for shard in 0..=255u8 {
        fs::create_dir_all(bare.join(format!("records/{shard:02x}"))).unwrap();
    }
    let archive = found(&at.join("kho"), config).await;
    let (mut ours, mut theirs, mut ratios) = (Spent::default(), Spent::default(), Vec::new());
    for (round, files) in inputs.chunks(ROWS).enumerate() {
        let files = if concurrency == 1 { &files[..ROWS / 6] } else { files };
        let began = Spent::begin();
        take_in(&archive, round, files, reading).await;
        let one = began.per(files.len());
        archive.settle().await.unwrap();
        let began = Spent::begin();
        put(&bare, files, concurrency).await;
        let other = began.per(files.len());
        ratios.push(other.wall / one.wall);
        ours.rounds.push(one);
        theirs.rounds.push(other);
    }
    archive.close().await.unwrap();
    println!("  a record: {ours}; bare: {theirs}");
    median(ratios)
}

/// Seconds of the clock and of the processors.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: f64,
    processor: f64,
}

#[derive(Default)]
pub struct Spent {
    pub rounds: Vec<Cost>,
}

pub struct Began {
    at: Instant,
    processor: f64,
}

impl Spent {
    /// Neither pays for what the other, or the writing of inputs, left to be written.
    pub fn begin() -> Began {
        rustix::fs::sync();
        Began { processor: processor(), at: Instant::now() }
    }
}

impl Began {
    pub fn per(self, records: usize) -> Cost {
        let wall = self.at.elapsed().as_secs_f64() / records as f64;
        Cost { wall, processor: (processor() - self.processor) / records as f64 }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let of = |which: fn(&Cost) -> f64| median(self.rounds.iter().map(which).collect());
        write!(f, "{:.0}/s, {:.2} ms of processor", 1.0 / of(|cost| cost.wall), of(|cost| cost.processor) * 1e3)
    }
}

/// Processor time of this process, in seconds; the kernel counts it in hundredths.
fn processor() -> f64 {
    let told = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = told.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

pub fn write_inputs(folder: &Path, count: usize) -> Vec<PathBuf> {
    let write = |n| {
        let path = folder.join(format!("{n}.bin"));
        fs::write(&path, noise(n as u64 + 1, COMPONENT_BYTES)).unwrap();
        path
    };
    (0..count).map(write).collect()
}

pub async fn take_in(archive: &Archive, round: usize, files: &[PathBuf], reading: bool) {
    let package = |(row, path): (u64, &PathBuf)| {
        let subject = format!("Báo cáo kết quả công tác tháng {row} của Ủy ban nhân dân phường");
        let number = Some(format!("{row}"));
        let source = Source::File { path: path.clone(), name: "báo cáo.bin".into(), expected: None };
        Package {
            row,
            identity: Digest::of(path.as_os_str().as_encoded_bytes()),
            metadata: Metadata { subject, number, notation: Some("BC-UBND".into()), ..Metadata::default() },
            components: vec![source],
            findings: Vec::new(),
        }
    };
    let packages: Vec<Package> = (1..).zip(files).map(package).collect();
    let mut kept = 0;
    let mut hear = |outcome: vankho::ingest::Outcome| kept += usize::from(matches!(outcome.fate, Fate::Kept { .. }));
    let source = format!("round {round}");
    let taking = receive(archive, &source, stream::iter(packages), &mut hear);
    if reading {
        let program = Path::new(env!("CARGO_BIN_EXE_vankho"));
        let read = async {
            loop {
                characterization::read_waiting(archive, program, &mut |_| {}).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::select! { taken = taking => taken.unwrap(), () = read => {} }
    } else {
        taking.await.unwrap();
    }
    assert_eq!(kept, files.len(), "every row is acknowledged");
}

/// The same objects under the same keys, fsync'ed, and nothing else.
async fn put(root: &Path, files: &[PathBuf], concurrency: usize) {
    let store = LocalFileSystem::new_with_prefix(root).unwrap().with_fsync(true);
    let store = &store;
    let one = |(n, path): (usize, &PathBuf)| {
        let path = path.clone();
        async move {
            let component = tokio::fs::read(&path).await.unwrap();
            let description = noise(n as u64 + 1, DESCRIPTION_BYTES);
            let mut random = [0; 10];
            random.copy_from_slice(&noise(path.as_os_str().len() as u64 * 31 + n as u64 + component[0] as u64, 10));
            let id = RecordId::new(1_763_877_600_000 + n as u64, random);
            let folder = format!("records/{}/{id}", id.shard());
            let at = |digest: Digest, ending| ObjectPath::from(format!("{folder}/{digest}{ending}"));
            let (component_at, description_at) =
                (at(Digest::of(&component), ""), at(Digest::of(&description), ".json"));
            let (first, second) =
                join(store.put(&component_at, component.into()), store.put(&description_at, description.into())).await;
            first.unwrap();
            second.unwrap();
        }
    };
    stream::iter(files.iter().enumerate()).map(one).buffer_unordered(concurrency).collect::<Vec<()>>().await;
}

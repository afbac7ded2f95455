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

const COMPONENT_BYTES: usize = 64 << 10;
const DESCRIPTION_BYTES: usize = 900;
const ROUNDS: usize = 5;

pub fn small(bars: &mut Bars) {
    let runtime = runtime();
    for reading in [false, true] {
        for concurrency in [1, 8, 32] {
            let ratio = runtime.block_on(compare(concurrency, reading));
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
async fn compare(concurrency: usize, reading: bool) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let config = {
        let mut config = Config::default();
        config.ingest.concurrency = concurrency;
        config
    };
    let archive = found(&dir.path().join("kho"), config).await;
    let bare = dir.path().join("bare");
    for shard in 0..=255u8 {
        fs::create_dir_all(bare.join(format!("records/{shard:02x}"))).unwrap();
    }
    let rows = if concurrency == 1 { 100 } else { 600 };
    let inputs = dir.path().join("inputs");
    fs::create_dir_all(&inputs).unwrap();
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let files = write_inputs(&inputs, round * rows, rows);
        let rate = |seconds: f64| rows as f64 / seconds;
        let archive_rate = rate(take_in(&archive, round, &files, reading).await);
        let bare_rate = rate(put(&bare, &files, concurrency).await);
        ours.push(archive_rate);
        theirs.push(bare_rate);
        ratios.push(archive_rate / bare_rate);
    }
    archive.close().await.unwrap();
    println!("  {:.0} records/s against {:.0}", median(ours), median(theirs));
    median(ratios)
}

fn write_inputs(folder: &Path, from: usize, count: usize) -> Vec<PathBuf> {
    let write = |n| {
        let path = folder.join(format!("{n}.bin"));
        fs::write(&path, noise(n as u64 + 1, COMPONENT_BYTES)).unwrap();
        path
    };
    (from..from + count).map(write).collect()
}

async fn take_in(archive: &Archive, round: usize, files: &[PathBuf], reading: bool) -> f64 {
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
    let began = Instant::now();
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
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(kept, files.len(), "every row is acknowledged");
    seconds
}

/// The same objects under the same keys, fsync'ed, and nothing else.
async fn put(root: &Path, files: &[PathBuf], concurrency: usize) -> f64 {
    let store = LocalFileSystem::new_with_prefix(root).unwrap().with_fsync(true);
    let store = &store;
    let began = Instant::now();
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
    began.elapsed().as_secs_f64()
}

//! The whole ledger of a million entries, judged by the program on one core.

use crate::{Bars, found, median, runtime};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};
use vankho::{
    archive::place::Folders,
    config::Config,
    ledger::{
        commit::Commit,
        edge::Edge,
        keys::Signer,
        merkle::leaf_hash,
        primacy::Primacy,
        tile::{self, Bundle, Tile},
    },
    record::{
        digest::Digest,
        entry::{Entry, Event, Instant as Moment},
        id::{ActorId, RecordId},
    },
    store::layout,
};

const ENTRIES: u64 = 1_000_000;
/// Entries in one commit: a writer that is never idle fills them.
const BATCH: u64 = 1024;
const ROUNDS: usize = 3;

pub fn million(bars: &mut Bars) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("kho");
    runtime().block_on(async { found(&data, Config::default()).await.close().await.unwrap() });
    let folders = Folders::of(&data);
    write(&folders.archive, &folders.signer().unwrap());
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", "0", env!("CARGO_BIN_EXE_vankho"), "verify", "ledger", "--data"]).arg(&data);
        let status = command.stdout(Stdio::null()).status().expect("taskset of util-linux is there");
        assert!(status.success(), "{status}");
        began.elapsed().as_secs_f64()
    });
    let seconds = median(times.collect());
    println!("a ledger of 1,000,000 entries: {:.2} µs an entry", seconds * 1e6 / ENTRIES as f64);
    bars.below("seconds for a ledger of 1,000,000 entries on one core", seconds, 5.0);
}

/// An accession, as nearly all entries are.
fn entry(n: u64) -> Vec<u8> {
    let digest = |of: &str| Digest::of(format!("{of} {n}").as_bytes());
    let Digest(random) = digest("record");
    let record = RecordId::new(1_763_877_600_000 + n, std::array::from_fn(|at| random[at]));
    // Later than the founding, by whatever clock.
    let at = Moment::from_micros(4_000_000_000_000_000 + n as i64);
    let event = Event::Accessioned { record, description: digest("description") };
    Entry { at, by: ActorId::new(0, [2; 10]), request: digest("request"), event, v: 1 }.to_bytes().unwrap()
}

/// Goes on from the founding to a million entries, and publishes the last state.
fn write(archive: &Path, signer: &Signer) {
    fs::remove_dir_all(archive.join("log/tile")).unwrap();
    fs::remove_dir_all(archive.join(layout::CHECKPOINTS)).unwrap();
    let put = |path: &str, bytes: &[u8]| {
        let path = archive.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let founding = fs::read_to_string(archive.join(layout::commit(0))).unwrap();
    let first = founding.lines().next().unwrap().as_bytes().to_vec();
    let (mut edge, mut bundle) = (Edge::default(), vec![first.clone()]);
    edge.append(leaf_hash(&first));
    while edge.size() < ENTRIES {
        let base = edge.size();
        let entries: Vec<Vec<u8>> = (base..ENTRIES.min(base + BATCH)).map(entry).collect();
        for entry in &entries {
            edge.append(leaf_hash(entry));
            bundle.push(entry.clone());
            if bundle.len() == usize::from(tile::TILE_WIDTH) {
                let full = Bundle { n: edge.size() / 256 - 1, width: tile::TILE_WIDTH };
                put(&full.path(), &tile::encode_bundle(&bundle).unwrap());
                bundle.clear();
            }
        }
        for (level, n, hashes) in edge.drain_full_tiles() {
            put(&Tile { level, n, width: tile::TILE_WIDTH }.path(), &tile::encode_hashes(&hashes));
        }
        let commit = Commit { base, size: edge.size(), root: edge.root(), primacy: Primacy::FIRST, entries };
        put(&Commit::path(base), &commit.encode(signer));
    }
    for of in tile::partials(ENTRIES) {
        put(&of.path(), &tile::encode_hashes(edge.tile(of.level, of.n).unwrap()));
        if of.level == 0 {
            put(&Bundle { n: of.n, width: of.width }.path(), &tile::encode_bundle(&bundle).unwrap());
        }
    }
    let note = signer.sign_checkpoint(ENTRIES, edge.root());
    put(&layout::checkpoint(ENTRIES), note.as_bytes());
    put(layout::CHECKPOINT, note.as_bytes());
}

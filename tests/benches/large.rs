//! Large components: speed against a bare loop, and flat memory.

use crate::{Bars, found, median, noise, runtime};
use futures::stream;
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use vankho::{
    archive::Archive,
    config::Config,
    ingest::{Fate, receive},
    record::{
        digest::{Digest, Hasher},
        metadata::Metadata,
        package::{Package, Source},
    },
};

const LARGE_BYTES: usize = 512 << 20;
const PIECE_BYTES: usize = 4 << 20;
const ROUNDS: usize = 3;

/// One large component: hashed in, written, read back, hashed again, against a bare loop that does so.
pub fn ratio(_: &mut Bars) {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("large.bin");
    let mut file = File::create(&input).unwrap();
    for piece in 0..LARGE_BYTES / PIECE_BYTES {
        file.write_all(&noise(piece as u64 + 1, PIECE_BYTES)).unwrap();
    }
    file.sync_all().unwrap();
    let runtime = runtime();
    let archive = runtime.block_on(found(&dir.path().join("kho"), Config::default()));
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let rate = |seconds: f64| LARGE_BYTES as f64 / 1e6 / seconds;
        let archive_rate = rate(runtime.block_on(take_in(&archive, &input, round)));
        let bare_rate = rate(bare(&input, &dir.path().join(format!("bare-{round}"))));
        ours.push(archive_rate);
        theirs.push(bare_rate);
        ratios.push(archive_rate / bare_rate);
    }
    runtime.block_on(archive.close()).unwrap();
    println!("one component of 512 MiB: {:.0} MB/s against {:.0}", median(ours), median(theirs));
    println!("large ingest / bare loop: {:.3}", median(ratios));
}

async fn take_in(archive: &Archive, input: &Path, round: usize) -> f64 {
    let source = Source::File { path: input.into(), name: "large.bin".into(), expected: None };
    let metadata = Metadata { subject: "Bản ghi hình cuộc họp".into(), ..Metadata::default() };
    let identity = Digest::of(&round.to_le_bytes());
    let package = Package { row: 1, identity, metadata, components: vec![source], findings: Vec::new() };
    let mut kept = 0;
    let mut hear = |outcome: vankho::ingest::Outcome| kept += usize::from(matches!(outcome.fate, Fate::Kept { .. }));
    let began = Instant::now();
    receive(archive, &format!("round {round}"), stream::iter([package]), &mut hear).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(kept, 1);
    seconds
}

fn bare(from: &Path, to: &Path) -> f64 {
    let began = Instant::now();
    let (mut input, mut output) = (File::open(from).unwrap(), File::create(to).unwrap());
    let mut piece = vec![0; PIECE_BYTES];
    let (mut written, mut found) = (Hasher::default(), Hasher::default());
    loop {
        match input.read(&mut piece).unwrap() {
            0 => break,
            n => {
                written.update(&piece[..n]);
                output.write_all(&piece[..n]).unwrap();
            }
        }
    }
    output.sync_all().unwrap();
    let mut back = File::open(to).unwrap();
    loop {
        match back.read(&mut piece).unwrap() {
            0 => break,
            n => found.update(&piece[..n]),
        }
    }
    assert_eq!(written.finish(), found.finish());
    let seconds = began.elapsed().as_secs_f64();
    fs::remove_file(to).unwrap();
    seconds
}

/// The real program takes in 2 GiB; its peak memory is compared with that of taking in next to nothing.
pub fn memory(bars: &mut Bars) {
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().join("small");
    let huge = dir.path().join("huge");
    for folder in [&small, &huge] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(small.join("nhỏ.bin"), noise(1, 4096)).unwrap();
    // Sparse: nothing but zeros, which are hashed, written and read back as anything else.
    File::create(huge.join("lớn.bin")).unwrap().set_len(2 << 30).unwrap();
    let data = dir.path().join("kho");
    let vankho = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vankho"));
        command.arg("--data").arg(&data).args(args).stdout(Stdio::null());
        command
    };
    assert!(vankho(&["init", "--origin", "bench.example.vn/log"]).status().unwrap().success());
    let peak = |folder: &Path| peak_kib(&mut vankho(&["ingest", folder.to_str().unwrap()])) as f64 / 1024.0;
    let (idle, loaded) = (peak(&small), peak(&huge));
    println!("peak memory: {idle:.1} MiB for 4 KiB, {loaded:.1} MiB for 2 GiB");
    bars.below("MiB over idle while taking in 2 GiB", loaded - idle, 64.0);
}

/// Runs a command to its end and tells the most memory that it held (VmHWM), in KiB.
fn peak_kib(command: &mut Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let read = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(read.unwrap_or(0));
        std::thread::sleep(Duration::from_micros(300));
    }
    assert!(child.wait().unwrap().success());
    assert!(peak > 0, "the peak of memory was not seen");
    peak
}

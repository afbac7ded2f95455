//! A round of fixity against `sha256sum` over the same files.

use crate::{Bars, found, ingest::take_in, median, noise, runtime};
use std::{fs, path::PathBuf, process::Command, time::Instant};
use vankho::{
    archive::Archive,
    config::Config,
    fixity::{self, Step},
    store::replicas::Pace,
};

/// A scan of some pages.
const COMPONENT_BYTES: usize = 2 << 20;
const COMPONENTS: usize = 128;
const ROUNDS: usize = 5;

pub fn round(bars: &mut Bars) {
    let folder = tempfile::tempdir().unwrap();
    let inputs = folder.path().join("inputs");
    fs::create_dir_all(&inputs).unwrap();
    let write = |n: usize| {
        let path = inputs.join(format!("{n}.bin"));
        fs::write(&path, noise(n as u64 + 1, COMPONENT_BYTES)).unwrap();
        path
    };
    let inputs: Vec<PathBuf> = (0..COMPONENTS).map(write).collect();
    let ratio = runtime().block_on(async {
        let data = folder.path().join("kho");
        let archive = found(&data, Config::default()).await;
        take_in(&archive, 0, &inputs, false).await;
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let records = data.join("archive/records");
            let mut hashed = Command::new("find");
            hashed.arg(records).args(["-type", "f", "-exec", "sha256sum", "{}", "+"]);
            assert!(hashed.output().unwrap().status.success());
            let theirs = began.elapsed().as_secs_f64();
            let began = Instant::now();
            read(&archive).await;
            ratios.push(theirs / began.elapsed().as_secs_f64());
        }
        archive.close().await.unwrap();
        median(ratios)
    });
    bars.at_least("fixity / sha256sum of the same files", ratio, 0.9);
}

async fn read(archive: &Archive) {
    let mut pace = Pace::of(u64::MAX);
    loop {
        match fixity::step(archive, 1, &mut pace).await.unwrap() {
            Step::GoesOn { found, .. } => assert!(found.is_empty(), "{found:?}"),
            Step::Ended { round, .. } => return assert_eq!(round.records, COMPONENTS as u64),
            Step::Away => panic!("the only place does not answer"),
        }
    }
}

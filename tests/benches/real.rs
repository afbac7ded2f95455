//! What needs real texts: search, rebuild, verify. `VANKHO_CORPUS` names them.

use crate::{Bars, convert, open, quantile, runtime};
use futures::{StreamExt, stream};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use vankho::{
    access,
    archive::Archive,
    config::Config,
    evidence,
    index::query::Query,
    record::{access::Reader, digest::Digest},
    verify::{Outcome, receipt::verify_receipt},
};

pub fn corpus(bars: &mut Bars) {
    let Some(from) = convert::corpus() else {
        println!("not asked for; VANKHO_CORPUS=DIR names the data");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (data, manifests) = (dir.path().join("kho"), convert::write(&from, &dir.path().join("manifests")));
    vankho(&data, &["init", "--origin", "bench.example.vn/log"]);
    let (articles, rows) = &manifests.articles;
    let seconds = vankho(&data, &["ingest", "--manifest", articles.to_str().unwrap()]);
    println!("ingest of {rows} articles: {:.0} records/s", *rows as f64 / seconds);
    rebuild(bars, &data, *rows);
    for (path, _) in &manifests.all()[1..] {
        vankho(&data, &["ingest", "--manifest", path.to_str().unwrap()]);
    }
    let questions: Vec<String> =
        convert::rows(&from.join("queries.jsonl")).map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    let runtime = runtime();
    let archive = runtime.block_on(open(&data, Config::default()));
    runtime.block_on(async {
        search(&archive, &questions).await;
        receipts(bars, &archive).await;
        archive.close().await.unwrap();
    });
    verify(&data);
}

/// Runs the program; answers the seconds it took.
fn vankho(data: &Path, args: &[&str]) -> f64 {
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vankho"));
    let status = command.arg("--data").arg(data).args(args).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "vankho {}", args.join(" "));
    began.elapsed().as_secs_f64()
}

fn rebuild(bars: &mut Bars, data: &Path, rows: u64) {
    let mut rates: Vec<f64> = (0..3).map(|_| rows as f64 / vankho(data, &["rebuild"])).collect();
    rates.sort_by(f64::total_cmp);
    bars.at_least("rebuild, records/s", rates[1], 2000.0);
}

async fn search(archive: &Archive, questions: &[String]) {
    for at_once in [1, 8] {
        for facets in [false, true] {
            let ask = |text: &String| {
                let query = Query { limit: 10, facets, ..Query::new(text, Reader::Archivist) };
                async move {
                    let began = Instant::now();
                    access::search(archive, query, false).await.unwrap();
                    began.elapsed()
                }
            };
            let mut times: Vec<Duration> = stream::iter(questions).map(ask).buffer_unordered(at_once).collect().await;
            let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
            let counted = if facets { ", facets counted" } else { "" };
            println!("search, {at_once} at a time{counted}: p50 {p50:.1} ms, p99 {p99:.1} ms");
        }
    }
}

async fn receipts(bars: &mut Bars, archive: &Archive) {
    let known = archive.catalog.records(0, 200).await.unwrap();
    let keys = archive.store.read(vankho::store::layout::KEYS).await.unwrap();
    let mut times = Vec::new();
    for one in known {
        let evidence = evidence::receipt(archive, one.record, false).await.unwrap().unwrap();
        let described = archive.description_of(one.record, one.description).await.unwrap().unwrap();
        let Some(component) = described.description.components.first() else { continue };
        let path = vankho::store::layout::component(one.record, component.sha256);
        let bytes = archive.store.read(&path).await.unwrap();
        let began = Instant::now();
        let file = Some(Digest::of(&bytes));
        let verdict = verify_receipt(evidence.receipt.as_bytes(), &keys, Some(&evidence.description), file);
        times.push(began.elapsed());
        assert_eq!(verdict.outcome, Outcome::Holds, "{}", verdict.english);
    }
    println!("one receipt: p50 {:.3} ms", quantile(&mut times, 0.5));
    bars.below("one receipt, p99 in ms", quantile(&mut times, 0.99), 10.0);
}

/// The whole archive against `sha256sum` over the same files.
fn verify(data: &Path) {
    let archive = data.join("archive");
    let bytes = size(&archive) as f64 / 1e6;
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let ours = vankho(data, &["verify", "archive"]);
        let began = Instant::now();
        let sums = "find . -type f -print0 | xargs -0 -P 2 -n 500 sha256sum > /dev/null";
        assert!(Command::new("sh").args(["-c", sums]).current_dir(&archive).status().unwrap().success());
        let theirs = began.elapsed().as_secs_f64();
        println!("verify archive: {:.0} MB/s against {:.0} of two sha256sum", bytes / ours, bytes / theirs);
        ratios.push(theirs / ours);
    }
    println!("verify archive / sha256sum: {:.3}", crate::median(ratios));
}

fn size(path: &Path) -> u64 {
    let about = fs::symlink_metadata(path).unwrap();
    if !about.is_dir() {
        return about.len();
    }
    fs::read_dir(path).unwrap().map(|entry| size(&entry.unwrap().path())).sum()
}

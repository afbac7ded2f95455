//! The figures: `cargo bench`, or `cargo bench -- ingest memory` for some of them.
//!
//! Machines are noisy, so what matters is a ratio to a bare loop that does the same work in the same run,
//! interleaved, medians of several rounds. A bar that is missed ends the run with an error.

#[path = "../corpus/convert.rs"]
mod convert;
mod door;
mod fixity;
mod ingest;
mod large;
mod ledger;
mod real;
mod retention;
#[path = "../store/server.rs"]
#[allow(dead_code, reason = "the tests of storage use more of it")]
mod server;

use std::{path::Path, process::ExitCode, time::Duration};
use vankho::{
    archive::{Archive, Clock, place},
    config::Config,
};

/// Measured values against what they must reach.
#[derive(Default)]
pub struct Bars {
    missed: Vec<String>,
}

impl Bars {
    /// A value that must be at least `bar`.
    pub fn at_least(&mut self, what: &str, value: f64, bar: f64) {
        self.judge(what, value, &format!("bar ≥ {bar}"), value >= bar);
    }

    /// A value that must be less than `bar`.
    pub fn below(&mut self, what: &str, value: f64, bar: f64) {
        self.judge(what, value, &format!("bar < {bar}"), value < bar);
    }

    /// A bar that another process told of.
    pub fn missed(&mut self, what: &str) {
        self.missed.push(what.to_owned());
    }

    fn judge(&mut self, what: &str, value: f64, bar: &str, holds: bool) {
        println!("{what}: {value:.3} ({bar}) {}", if holds { "holds" } else { "MISSED" });
        if !holds {
            self.missed.push(format!("{what}: {value:.3}, {bar}"));
        }
    }
}

type Bench = (&'static str, fn(&mut Bars));

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        println!("benchmarks: run by cargo bench");
        return ExitCode::SUCCESS;
    }
    // Numbers choose among the comparisons of one part.
    let wanted: Vec<&String> = words.iter().filter(|word| word.starts_with(|c: char| c.is_alphabetic())).collect();
    let benches: [Bench; 9] = [
        ("ingest", ingest::small),
        ("door", door::bars),
        ("s3", door::s3),
        ("fixity", fixity::round),
        ("ledger", ledger::million),
        ("large", large::ratio),
        ("memory", large::memory),
        ("retention", retention::bars),
        ("real", real::corpus),
    ];
    let mut bars = Bars::default();
    for (name, bench) in benches {
        if wanted.is_empty() || wanted.iter().any(|word| name == word.as_str()) {
            println!("\n# {name}");
            bench(&mut bars);
        }
    }
    for missed in &bars.missed {
        println!("missed: {missed}");
    }
    ExitCode::from(u8::from(!bars.missed.is_empty()))
}

/// What the S3 server of the tests needs of its surroundings.
mod world {
    pub fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }
}

/// A new archive in a folder.
pub async fn found(data: &Path, config: Config) -> Archive {
    place::init(data, &Default::default(), "bench.example.vn/log", &Clock::System)
        .await
        .expect("an archive is founded");
    open(data, config).await
}

pub async fn open(data: &Path, config: Config) -> Archive {
    Archive::open(data, config, Clock::System, &|_| {}).await.expect("an archive opens")
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value below which this share of values lies.
pub fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    times[((times.len() as f64 * share) as usize).min(times.len() - 1)].as_secs_f64() * 1e3
}

/// Bytes that no compression and no cache makes cheaper, the same for the same number.
pub fn noise(number: u64, size: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

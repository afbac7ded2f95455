//! Search on real data: how good, how fast. Run only where `VANKHO_CORPUS` names the folder of the data:
//! `VANKHO_CORPUS=… cargo test --release --test search -- --nocapture --test-threads 1`

mod corpus;
mod quality;

use corpus::{Library, Row};
use quality::{Judged, mean};
use std::collections::HashMap;
use std::time::Instant;
use vankho::index::query::Query;
use vankho::record::{access::Reader, number, text};

/// The names that a query finds, best first.
fn names(library: &Library, text: &str, limit: usize) -> Vec<String> {
    let hits = library.index.search(&Query { limit, ..Query::new(text, Reader::Archivist) }).unwrap();
    hits.hits.iter().map(|hit| library.names[&hit.record].clone()).collect()
}

fn report(label: &str, questions: &[Judged], answers: &[Vec<String>]) -> [f64; 2] {
    let mut sources: Vec<&str> = questions.iter().map(|q| q.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    for source in std::iter::once(None).chain(sources.into_iter().map(Some)) {
        let score = mean(questions, answers, source);
        let (name, recall, mrr, ndcg) = (source.unwrap_or("all"), score.recall, score.mrr, score.ndcg);
        println!("{label} {name:<12} R@10 {recall:.4}  MRR@10 {mrr:.4}  nDCG@10 {ndcg:.4}");
    }
    let all = mean(questions, answers, None);
    [all.recall, all.ndcg]
}

#[test]
fn questions_find_their_articles() {
    if corpus::folder().is_none() {
        return;
    }
    let (articles, questions) = (corpus::articles(), corpus::lines("queries.jsonl"));
    let questions: Vec<Judged> = questions.iter().map(Judged::read).collect();
    let (library, seconds) = Library::of(&articles);
    println!("indexed {} articles in {seconds:.2} s: {:.0} records/s", articles.len(), articles.len() as f64 / seconds);
    let run = |change: fn(&str) -> String| -> Vec<Vec<String>> {
        questions.iter().map(|question| names(&library, &change(&question.text), 20)).collect()
    };
    let typed = report("typed   ", &questions, &run(str::to_owned));
    let stripped = report("stripped", &questions, &run(text::fold));
    assert!(typed[0] >= 0.944 && typed[1] >= 0.872, "as typed: R@10 and nDCG@10 {typed:?}");
    assert!(stripped[0] >= 0.929 && stripped[1] >= 0.858, "without diacritics: R@10 and nDCG@10 {stripped:?}");
}

/// The three ways in which a number is typed.
fn typed_ways(number: &str) -> [String; 3] {
    let folded = text::fold(number);
    [number.to_owned(), folded.replace(['/', '-'], " "), format!("so {folded}")]
}

fn everything() -> Vec<Row> {
    let mut rows = corpus::articles();
    rows.extend(corpus::gazette());
    rows.extend(corpus::register());
    rows
}

#[test]
fn reference_numbers_find_their_bearers() {
    if corpus::folder().is_none() {
        return;
    }
    let rows = everything();
    let (library, seconds) = Library::of(&rows);
    println!("indexed {} records in {seconds:.2} s: {:.0} records/s", rows.len(), rows.len() as f64 / seconds);
    let mut bearers: HashMap<String, Vec<&str>> = HashMap::new();
    for row in &rows {
        bearers.entry(number::key(&row.number, "")).or_default().push(&row.name);
    }
    let mut misses = [0; 3];
    let register: Vec<&Row> = rows.iter().filter(|row| row.name.starts_with("bd:")).collect();
    for row in &register {
        let expected = &bearers[&number::key(&row.number, "")];
        for (way, typed) in typed_ways(&row.number).iter().enumerate() {
            let found = names(&library, typed, expected.len());
            if found.len() != expected.len() || !found.iter().all(|name| expected.contains(&name.as_str())) {
                misses[way] += 1;
                println!("missed {typed:?} (of {:?})", row.number);
            }
        }
    }
    let shares = misses.map(|missed| 1.0 - f64::from(missed) / register.len() as f64);
    println!(
        "bearers before all others: as is {:.4}, folded with spaces {:.4}, so … {:.4}",
        shares[0], shares[1], shares[2]
    );
    assert!(shares.iter().all(|share| *share >= 0.99), "{shares:?}");
    latency(&library);
}

/// Time of one search, over the judged questions.
fn latency(library: &Library) {
    let questions = corpus::lines("queries.jsonl");
    for (label, facets) in [("without facets", false), ("with facets", true)] {
        let mut times: Vec<f64> = vec![];
        let (mut total, mut count) = (0, 0);
        for question in &questions {
            let reader = Reader::Official { agency: "UBND tỉnh Bình Dương".into() };
            let query = Query { facets, ..Query::new(&corpus::text(question, "text"), reader) };
            let started = Instant::now();
            let hits = library.index.search(&query).unwrap();
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            (total, count) = (total + hits.total, count + 1);
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!("search {label}: p50 {:.2} ms, p99 {:.2} ms, {} matches on average", at(0.5), at(0.99), total / count);
    }
}

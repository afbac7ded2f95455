//! Recall@10 and nDCG@10 over judged queries. A second copy of a judged document counts as that document, once.

use serde_json::Value;
use std::collections::HashMap;

/// Answers: query to documents, best first.
pub type Run = HashMap<String, Vec<String>>;

#[derive(Clone, Copy, Debug)]
pub struct Score {
    pub recall: f64,
    pub mrr: f64,
    pub ndcg: f64,
}

const K: usize = 10;

pub fn score<'a>(queries: impl Iterator<Item = &'a Value>, run: &Run) -> Score {
    let (mut sum, mut count) = (Score { recall: 0.0, mrr: 0.0, ndcg: 0.0 }, 0.0);
    for query in queries {
        let ids = |key: &str| -> Vec<&str> {
            query[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let (gold, copies) = (ids("qrels"), ids("dup_ids"));
        let (mut seen, mut gains) = (Vec::new(), Vec::new());
        let answer = run.get(query["qid"].as_str().expect("qid")).expect("every query is answered");
        for document in answer.iter().take(2 * K) {
            let judged = match () {
                () if gold.contains(&document.as_str()) => Some(document.as_str()),
                () if copies.contains(&document.as_str()) => Some(gold[0]),
                () => None,
            };
            if judged.is_some_and(|judged| seen.contains(&judged)) {
                continue;
            }
            seen.extend(judged);
            gains.push(judged.is_some());
        }
        gains.truncate(K);
        let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let hits = gains.iter().filter(|gain| **gain).count().min(gold.len());
        sum.recall += hits as f64 / gold.len() as f64;
        sum.mrr += gains.iter().position(|gain| *gain).map_or(0.0, |place| 1.0 / (place as f64 + 1.0));
        let ideal: f64 = (0..K.min(gold.len())).map(discount).sum();
        sum.ndcg += gains.iter().enumerate().filter(|(_, gain)| **gain).map(|(n, _)| discount(n)).sum::<f64>() / ideal;
        count += 1.0;
    }
    Score { recall: sum.recall / count, mrr: sum.mrr / count, ndcg: sum.ndcg / count }
}

//! Scoring of ranked answers against judged questions: the same rules as `score.py` beside the data.

use serde_json::Value;
use std::collections::HashSet;

/// A judged question.
pub struct Judged {
    pub text: String,
    pub source: String,
    right: HashSet<String>,
    /// Other rows with the text of the first right answer; together they count as that answer, once.
    same: HashSet<String>,
    first: String,
}

impl Judged {
    pub fn read(line: &Value) -> Judged {
        let names = |key: &str| -> Vec<String> {
            line[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        let right = names("qrels");
        Judged {
            text: line["text"].as_str().unwrap().to_owned(),
            source: line["source"].as_str().unwrap().to_owned(),
            first: right[0].clone(),
            right: right.into_iter().collect(),
            same: names("dup_ids").into_iter().collect(),
        }
    }

    /// Whether each of the first ten answers is right, copies taken together.
    fn gains(&self, ranked: &[String]) -> Vec<bool> {
        let (mut seen, mut gains) = (HashSet::new(), vec![]);
        for name in ranked.iter().take(20) {
            let judged = match name {
                name if self.right.contains(name) => Some(name),
                name if self.same.contains(name) => Some(&self.first),
                _ => None,
            };
            if judged.is_none_or(|judged| seen.insert(judged.clone())) {
                gains.push(judged.is_some());
            }
        }
        gains.truncate(10);
        gains
    }

    fn score(&self, ranked: &[String]) -> Score {
        let gains = self.gains(ranked);
        let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
        let right = |(_, right): &(usize, &bool)| **right;
        let found = gains.iter().filter(|gain| **gain).count().min(self.right.len());
        let ideal: f64 = (0..self.right.len().min(10)).map(discount).sum();
        Score {
            recall: found as f64 / self.right.len() as f64,
            mrr: gains.iter().position(|gain| *gain).map_or(0.0, |place| 1.0 / (place + 1) as f64),
            ndcg: gains.iter().enumerate().filter(right).map(|(place, _)| discount(place)).sum::<f64>() / ideal,
        }
    }
}

/// Recall@10, MRR@10 and nDCG@10.
#[derive(Clone, Copy, Default, Debug)]
pub struct Score {
    pub recall: f64,
    pub mrr: f64,
    pub ndcg: f64,
}

/// The mean over the questions of a source, or over all.
pub fn mean(questions: &[Judged], answers: &[Vec<String>], source: Option<&str>) -> Score {
    let (mut sum, mut count) = (Score::default(), 0.0);
    for (question, ranked) in questions.iter().zip(answers) {
        if source.is_none_or(|source| source == question.source) {
            let score = question.score(ranked);
            sum = Score { recall: sum.recall + score.recall, mrr: sum.mrr + score.mrr, ndcg: sum.ndcg + score.ndcg };
            count += 1.0;
        }
    }
    Score { recall: sum.recall / count, mrr: sum.mrr / count, ndcg: sum.ndcg / count }
}

//! Reference numbers as keys: of a record's own number, in running text, and in what somebody typed.
//!
//! # Why
//! A number is no phrase: `1234/QĐ-UBND`, `1234 qd ubnd` and `so 01234/qd-ubnd` share no punctuation, so each
//! is reduced to one key ([`number::key`]) and compared whole. A prefix of the groups has a key of its own
//! (`1234/QĐ`, `162/NĐ-CP` for `162/2026/NĐ-CP`), because people leave out what they take for granted.

use crate::index::analysis;
use crate::record::{metadata::Metadata, number};
use std::collections::BTreeSet;

/// Groups behind the leading number that are looked at, in `01/2022/NQLT/CP-UBTƯMTTQVN-TLĐLĐVN` six.
const GROUPS_MAX: usize = 8;
/// Different reference numbers remembered of one text.
const IN_TEXT_MAX: usize = 4096;
/// Numbers looked for in one query.
const RUNS_MAX: usize = 8;
/// Bytes that may stand on either side of the first slash of a number in running text.
const REACH_BYTES: usize = 64;

/// Folded syllables of a text.
fn groups(text: &str) -> Vec<String> {
    let mut groups = vec![];
    analysis::syllables(text, |s| groups.push(s.folded.to_owned()));
    groups
}

/// A leading number: digits, and at most a letter or four (`12a`).
fn leads(group: &str) -> bool {
    let letters = group.trim_start_matches(|c: char| c.is_ascii_digit());
    letters.len() < group.len() && letters.len() <= 4 && group.len() - letters.len() <= 8
}

fn is_year(group: &str) -> bool {
    group.len() == 4
        && (group.starts_with("19") || group.starts_with("20"))
        && group.bytes().all(|b| b.is_ascii_digit())
}

/// The terms under which a record's own number is found: `k:` the whole, `p:` a beginning, `n:` the number alone.
pub fn of_record(metadata: &Metadata) -> BTreeSet<String> {
    let (number, notation) = (metadata.number.as_deref().unwrap_or(""), metadata.notation.as_deref().unwrap_or(""));
    let whole = number::key(number, notation);
    let mut terms = BTreeSet::new();
    if whole.is_empty() {
        return terms;
    }
    let groups = groups(&format!("{number}/{notation}"));
    if let Some(first) = groups.first().filter(|first| leads(first)) {
        terms.insert(format!("n:{}", number::key(first, "")));
        let without_year: Vec<String> =
            groups.iter().enumerate().filter(|(n, g)| *n == 0 || !is_year(g)).map(|(_, g)| g.clone()).collect();
        for groups in [&groups, &without_year] {
            for end in 2..=groups.len().min(GROUPS_MAX) {
                terms.insert(format!("p:{}", number::key(&groups[..end].concat(), "")));
            }
        }
    }
    terms.remove(&format!("p:{whole}"));
    terms.insert(format!("k:{whole}"));
    terms
}

/// Reference numbers that running text names, as keys: a slash with digits before it and a notation after.
pub fn in_text(text: &str, keys: &mut BTreeSet<String>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|b| *b == b'/') {
        let slash = from + found;
        let digits = bytes[from..slash].iter().rev().take(8).take_while(|b| b.is_ascii_alphanumeric()).count();
        from = slash + 1;
        let start = slash - digits;
        if digits == 0 || !leads(&text[start..slash]) {
            continue;
        }
        let end = end_of_notation(text, from);
        let notation = text[from..end].trim_end_matches(['/', '-', '.']);
        if notation.contains(char::is_alphabetic) && keys.len() < IN_TEXT_MAX {
            keys.insert(number::key(&text[start..slash], notation));
            from = end;
        }
    }
}

/// Where a notation ends: at the first character that no notation has.
fn end_of_notation(text: &str, from: usize) -> usize {
    let of_notation = |c: char| c.is_alphanumeric() || matches!(c, '/' | '-' | '&' | '\u{300}'..='\u{36f}');
    let rest = text[from..].char_indices().find(|(at, c)| *at >= REACH_BYTES || !of_notation(*c));
    rest.map_or(text.len(), |(at, _)| from + at)
}

/// A reference number that a query may mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Candidate {
    pub term: String,
    /// Larger means before: the whole number before a beginning of it, a longer one before a shorter.
    pub tier: u8,
    /// The same number, where running text names it.
    pub mentioned: Option<String>,
}

/// What the folded syllables of a query may mean as reference numbers.
pub fn in_query(syllables: &[&str]) -> Vec<Candidate> {
    let mut candidates = vec![];
    let said = |n: usize| n.checked_sub(1).is_some_and(|before| syllables[before] == "so");
    let starts =
        syllables.iter().enumerate().filter(|(_, s)| s.starts_with(|c: char| c.is_ascii_digit())).map(|(n, _)| n);
    for start in starts.take(RUNS_MAX) {
        let opens = start == 0 || (start == 1 && said(1));
        let last = syllables.len().min(start + 1 + GROUPS_MAX);
        for end in start + 1..=last {
            let key = number::key(&syllables[start..end].concat(), "");
            // Without a letter it may be a date or a sum: then it must be all that is asked, or be called a number.
            let told = key.contains(char::is_alphabetic) || said(start) || (opens && end == syllables.len());
            if key.is_empty() || !told {
                continue;
            }
            if end == start + 1 {
                candidates.push(Candidate { term: format!("n:{key}"), tier: 1, mentioned: None });
            }
            let length = (end - start) as u8;
            candidates.push(Candidate { term: format!("p:{key}"), tier: 1 + length, mentioned: None });
            let mentioned = Some(key.clone());
            candidates.push(Candidate { term: format!("k:{key}"), tier: 2 + GROUPS_MAX as u8 + length, mentioned });
        }
    }
    candidates
}

/// The terms of a number typed into a filter: the whole where it is more than a number alone.
pub fn of_filter(typed: &str) -> Vec<String> {
    let mut groups = groups(typed);
    if groups.first().is_some_and(|first| first == "so") {
        groups.remove(0);
    }
    let key = number::key(&groups.concat(), "");
    let kinds: &[&str] = if groups.len() == 1 { &["k:", "n:"] } else { &["k:", "p:"] };
    kinds.iter().map(|kind| format!("{kind}{key}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: &str, notation: &str) -> BTreeSet<String> {
        let (number, notation) = (Some(number.into()), Some(notation.into()));
        of_record(&Metadata { number, notation, ..Metadata::default() })
    }

    fn terms(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|t| t.to_string()).collect()
    }

    #[test]
    fn every_way_to_say_a_number() {
        assert_eq!(record("05", "QĐ-UBND"), terms(&["k:5qdubnd", "n:5", "p:5qd"]));
        assert_eq!(
            record("162", "2026/NĐ-CP"),
            terms(&["k:1622026ndcp", "n:162", "p:1622026", "p:1622026nd", "p:162nd", "p:162ndcp"])
        );
        assert_eq!(record("", ""), terms(&[]));
        assert_eq!(record("", "QĐ-UBND"), terms(&["k:qdubnd"]));
        assert_eq!(record("1234/QĐ-UBND", ""), terms(&["k:1234qdubnd", "n:1234", "p:1234qd"]));
    }

    #[test]
    fn numbers_in_running_text() {
        let text =
            "Căn cứ Luật số 72/2025/QH15; Nghị định 162/2026/NĐ-CP, 05/QÐ-UBND. Ngày 15/5/2026, 1/2, và/hoặc a/b";
        let (mut keys, mut nfd) = (BTreeSet::new(), BTreeSet::new());
        in_text(text, &mut keys);
        assert_eq!(keys, terms(&["722025qh15", "1622026ndcp", "5qdubnd"]));
        in_text(&unicode_normalization::UnicodeNormalization::nfd(text).collect::<String>(), &mut nfd);
        assert_eq!(nfd, keys);
        in_text(&"1/".repeat(100_000), &mut keys);
        in_text(&format!("1/{}", "ế".repeat(100_000)), &mut keys);
    }

    #[test]
    fn numbers_in_a_query() {
        let best = |query: &[&str]| in_query(query).into_iter().max_by_key(|c| c.tier).map(|c| c.term);
        assert_eq!(best(&["so", "1234", "qd", "ubnd"]).as_deref(), Some("k:1234qdubnd"));
        assert_eq!(best(&["01234", "qd"]).as_deref(), Some("k:1234qd"));
        assert_eq!(best(&["1234qdubnd"]).as_deref(), Some("k:1234qdubnd"));
        assert!(in_query(&["so", "48"]).iter().any(|c| c.term == "n:48"));
        assert_eq!(best(&["phat", "bao", "nhieu"]), None);
        assert_eq!(best(&["tu", "ngay", "31", "12", "2022"]), None, "a date");
        assert!(in_query(&["1"; 10_000]).len() <= RUNS_MAX * 2 * (GROUPS_MAX + 2));
    }

    #[test]
    fn numbers_in_a_filter() {
        assert_eq!(of_filter("Số 0048/QĐ-UBND"), ["k:48qdubnd", "p:48qdubnd"]);
        assert_eq!(of_filter("48"), ["k:48", "n:48"]);
    }
}

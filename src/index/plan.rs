//! What a query comes down to: terms that rank, syllables that count, phrases, reference numbers.
//!
//! # Why
//! - A record matches by *how many* of the different syllables it has, never by how rare they are: how rare
//!   a syllable is depends on records that the reader may not see, and what matches must not.
//!   The rarity only ranks.
//! - Exact spellings are asked for only where the query carries diacritics. A plain "exact or folded" query
//!   drowns unaccented queries in chance matches of common words.
//! - Whatever was pasted into the box, a plan has a bounded number of terms.

use crate::index::{analysis, references};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Bytes of a query that are read.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Syllables of a query that are used: the first.
const SYLLABLES_MAX: usize = 64;
/// Phrases of a query that are used: the first.
const PHRASES_MAX: usize = 8;
/// Syllables that hold a question together and name nothing. They rank, but no record must have them.
const FUNCTION_WORDS: &str = "và là của có được không các những nào gì bao nhiêu thế khi thì cho với từ theo tại \
    trong bị do để đến ra sao hay hoặc mà một này đó như về ở đã sẽ phải cần bởi vì nếu ai đâu mấy hỏi tôi em anh chị \
    xin nhưng cũng vẫn còn đang lại vậy ạ trên dưới vào rồi nên bằng";
/// Those that can be told without diacritics too, as `hoi` (hỏi, hồi, hội) cannot.
const FUNCTION_FOLDED: &str =
    "va la cua co duoc khong cac nhung nao gi bao nhieu the khi thi cho voi theo tai trong nhu";

/// Every syllable and pair of a query counts folded, and again exact where it carries diacritics.
const FOLDED: f32 = 0.5;
const EXACT: f32 = 0.5;
/// A word in the subject counts this much again.
const SUBJECT: f32 = 0.4;

/// How many of the different syllables a record must have. When nothing visible matches, the next rule is
/// tried; the cursor remembers which one the first page had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    Most = 0,
    Some = 1,
    Any = 2,
}

impl Rule {
    pub const ALL: [Rule; 3] = [Rule::Most, Rule::Some, Rule::Any];

    /// Out of so many different syllables, how many?
    pub fn required(self, of: usize) -> usize {
        match self {
            Rule::Most => (of * 3).div_ceil(10).max(3).min(of),
            Rule::Some => of.div_ceil(4),
            Rule::Any => of.min(1),
        }
    }
}

/// Where a term is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    Words,
    Pairs,
    Subject,
}

/// A term that ranks; a folded word also counts towards matching.
#[derive(Debug)]
pub struct Scored {
    pub place: Place,
    pub term: String,
    pub weight: f32,
    pub counts: bool,
}

/// What a query comes down to.
#[derive(Debug, Default)]
pub struct Plan {
    pub scored: Vec<Scored>,
    /// Different folded syllables.
    pub syllables: usize,
    /// Terms of each phrase, in order: exact where typed with diacritics.
    pub phrases: Vec<Vec<String>>,
    pub numbers: Vec<references::Candidate>,
}

/// Each as it is spelt: exact where it has diacritics, else folded.
static FUNCTION: LazyLock<[HashSet<String>; 2]> = LazyLock::new(|| {
    [FUNCTION_WORDS, FUNCTION_FOLDED].map(|words| {
        let mut set = HashSet::new();
        analysis::syllables(words, |s| {
            set.insert(s.exact.unwrap_or(s.folded).to_owned());
        });
        set
    })
});

/// A syllable of the query.
pub type Spelling = (String, Option<String>);

/// A syllable of the query that a snippet should show.
pub struct Wanted {
    pub folded: String,
    pub exact: Option<String>,
    /// Typed without diacritics it may only hold the question together, or name something: `tai` is `tại`, and
    /// it is half of `tài liệu`. The text tells which.
    pub doubtful: bool,
}

/// The syllables of a query that a snippet should show: those that name something, if any does.
pub fn wanted(text: &str) -> Vec<Wanted> {
    let mut all: Vec<Spelling> = vec![];
    analysis::syllables(analysis::beginning(text, TEXT_BYTES_MAX), |s| {
        if all.len() < SYLLABLES_MAX {
            all.push((s.folded.to_owned(), s.exact.map(str::to_owned)));
        }
    });
    let plain = all.iter().all(|(_, exact)| exact.is_none());
    let names_something = all.iter().any(|spelling| !is_function(spelling, plain));
    let wanted = all.into_iter().filter_map(|spelling| {
        let function = names_something && is_function(&spelling, plain);
        let (folded, exact) = spelling;
        (plain || !function).then_some(Wanted { folded, exact, doubtful: function })
    });
    wanted.collect()
}

/// Whether a syllable of a text, as it is spelt there, only holds a sentence together.
pub fn holds_together(folded: &str, exact: Option<&str>) -> bool {
    FUNCTION[0].contains(exact.unwrap_or(folded))
}

/// Whether a syllable only holds a question together; `plain` where the query has no diacritics at all.
fn is_function((folded, exact): &Spelling, plain: bool) -> bool {
    FUNCTION[usize::from(plain)].contains(exact.as_ref().unwrap_or(folded))
}

impl Plan {
    pub fn of(text: &str) -> Plan {
        let text = analysis::beginning(text, TEXT_BYTES_MAX);
        let mut plan = Plan::default();
        let mut runs: Vec<Vec<Spelling>> = vec![];
        let mut left = SYLLABLES_MAX;
        // Every second part stood between quotation marks; an unclosed one is ordinary text.
        let parts: Vec<&str> = text.split(['"', '“', '”', '„', '«', '»']).collect();
        for (n, part) in parts.iter().enumerate() {
            let mut run = vec![];
            analysis::syllables(part, |s| {
                if run.len() < left {
                    run.push((s.folded.to_owned(), s.exact.map(str::to_owned)));
                }
            });
            left -= run.len();
            let quoted = n % 2 == 1 && n + 1 < parts.len();
            if quoted && !run.is_empty() && plan.phrases.len() < PHRASES_MAX {
                plan.phrases.push(run.iter().map(|(folded, exact)| exact.as_ref().unwrap_or(folded).clone()).collect());
            }
            runs.push(run);
        }
        let folded: Vec<&str> = runs.iter().flatten().map(|(folded, _)| folded.as_str()).collect();
        plan.numbers = references::in_query(&folded);
        plan.score(&runs);
        plan
    }

    /// Nothing was asked in words: everything matches that the filters leave.
    pub fn is_empty(&self) -> bool {
        self.syllables == 0
    }

    fn score(&mut self, runs: &[Vec<Spelling>]) {
        let mut terms: HashMap<(Place, String), f32> = HashMap::new();
        let mut folded_words = HashSet::new();
        let mut add = |term: String, place: Place, weight: f32| {
            *terms.entry((place, term.clone())).or_default() += weight;
            if place == Place::Words {
                *terms.entry((Place::Subject, term)).or_default() += weight * SUBJECT;
            }
        };
        let plain = runs.iter().flatten().all(|(_, exact)| exact.is_none());
        let function = |spelling: &Spelling| is_function(spelling, plain);
        let names_something = runs.iter().flatten().any(|spelling| !function(spelling));
        for run in runs {
            for spelling in run {
                let (folded, exact) = spelling;
                if !names_something || !function(spelling) {
                    folded_words.insert(folded.clone());
                }
                add(folded.clone(), Place::Words, FOLDED);
                if let Some(exact) = exact {
                    add(exact.clone(), Place::Words, EXACT);
                }
            }
            for pair in run.windows(2) {
                let [(one, one_exact), (two, two_exact)] = pair else { continue };
                add(format!("{one} {two}"), Place::Pairs, FOLDED);
                if one_exact.is_some() || two_exact.is_some() {
                    let exact = format!("{} {}", one_exact.as_ref().unwrap_or(one), two_exact.as_ref().unwrap_or(two));
                    add(exact, Place::Pairs, EXACT);
                }
            }
        }
        self.syllables = folded_words.len();
        self.scored = terms
            .into_iter()
            .map(|((place, term), weight)| {
                let counts = place == Place::Words && folded_words.contains(&term);
                Scored { place, term, weight, counts }
            })
            .collect();
        // One order, whatever the hash map had: sums of floating point numbers depend on it.
        self.scored.sort_by(|a, b| (a.place as u8, &a.term).cmp(&(b.place as u8, &b.term)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str, place: Place) -> Vec<String> {
        Plan::of(text).scored.into_iter().filter(|s| s.place == place).map(|s| s.term).collect()
    }

    #[test]
    fn exact_spellings_only_where_diacritics_were_typed() {
        assert_eq!(terms("dat dai", Place::Words), ["dai", "dat"]);
        assert_eq!(terms("đất dai", Place::Words), ["DAtS", "dai", "dat"]);
        assert_eq!(terms("đất dai", Place::Pairs), ["DAtS dai", "dat dai"]);
    }

    #[test]
    fn what_counts_is_what_names_something() {
        assert_eq!(Plan::of("mức lương là bao nhiêu").syllables, 2);
        assert_eq!(Plan::of("muc luong la bao nhieu").syllables, 2);
        assert_eq!(Plan::of("báo cáo").syllables, 2, "not `bao`");
        assert_eq!(Plan::of("là của và").syllables, 3, "nothing else was asked");
        assert_eq!(Plan::of("đất đất đất").syllables, 1);
    }

    #[test]
    fn phrases_stand_between_quotation_marks() {
        let phrases = |text: &str| Plan::of(text).phrases;
        assert_eq!(phrases("a \"thu hoi đất\" b"), [vec!["thu", "hoi", "DAtS"]]);
        assert_eq!(phrases("“thu hồi” «đất»").len(), 2);
        assert!(phrases("5\" ống").is_empty(), "an unclosed mark is no phrase");
        assert!(phrases(&"\"".repeat(10_000)).is_empty());
        assert!(phrases(&"\"a\" ".repeat(10_000)).len() <= PHRASES_MAX);
    }

    #[test]
    fn a_plan_is_bounded() {
        let plan = Plan::of(&(0..1_000_000).map(|n| format!("chữ{n} ")).collect::<String>());
        assert!(plan.syllables <= SYLLABLES_MAX && plan.scored.len() <= 8 * SYLLABLES_MAX);
        assert!(Plan::of("\u{0}\u{1}\u{7f}").is_empty());
    }

    #[test]
    fn how_many_syllables_must_be_there() {
        for (of, most, some, any) in
            [(0, 0, 0, 0), (1, 1, 1, 1), (3, 3, 1, 1), (5, 3, 2, 1), (20, 6, 5, 1), (64, 20, 16, 1)]
        {
            assert_eq!(Rule::ALL.map(|rule| rule.required(of)), [most, some, any], "{of}");
        }
    }
}

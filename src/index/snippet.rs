//! The words around a hit, from a text that the archive hands over.
//!
//! # Why
//! The index keeps no text, so the snippet is cut from the record's own text, after the archive has
//! checked that the reader may see it. The places that are marked are places of that text as it is: NFC
//! or NFD, old or new tone marks.

use crate::index::{
    analysis,
    plan::{self, Wanted},
};
use std::collections::HashMap;

/// Bytes of a text that are looked through.
const TEXT_BYTES_MAX: usize = 8 << 20;
/// How far a cut is moved to fall between words, in characters.
const CUT_CHARS_MAX: usize = 30;
/// Worth of a query's syllable in the window: with its diacritics, with others, and of following its predecessor.
const ALIKE: u32 = 10;
const FOLDED_ONLY: u32 = 2;
const IN_ORDER: u32 = 4;

/// A cut of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snippet {
    /// Page of the text, counted from 1.
    pub page: u32,
    /// At most the characters asked for; line breaks and control characters are spaces.
    pub text: String,
    /// Byte ranges of `text` to be marked, in order, apart from each other.
    pub highlights: Vec<(usize, usize)>,
}

/// A syllable of the text that the query has too.
#[derive(Clone, Copy)]
struct Found {
    start: usize,
    end: usize,
    page: u32,
    /// Place in the query's different syllables.
    term: usize,
    /// Its diacritics agree with those typed, or one of the two has none.
    alike: bool,
    /// What comes before it here comes before it in the query.
    in_order: bool,
    /// It may be another word than the one that was meant.
    doubtful: bool,
}

/// The part of the text that has most of the query's words, nearest together; `None` where it has none.
pub fn snippet(query: &str, text: &str, max_chars: usize) -> Option<Snippet> {
    let text = analysis::beginning(text, TEXT_BYTES_MAX);
    let found = find(&plan::wanted(query), text);
    let (first, last) = best(&found, max_chars)?;
    let page = found[first].page;
    let (start, end) = cut(text, found[first].start, found[last].end, max_chars);
    let only_folded = !found[first..=last].iter().any(|f| f.alike);
    let mut highlights: Vec<(usize, usize)> = vec![];
    let inside = found.iter().filter(|f| f.start >= start && f.end <= end && (f.alike || only_folded));
    for Found { start: from, end: to, .. } in inside {
        match highlights.last_mut() {
            Some(before) if text[start + before.1..*from].chars().all(|c| c == ' ') => before.1 = to - start,
            _ => highlights.push((from - start, to - start)),
        }
    }
    let text = text[start..end].chars().map(|c| if c.is_ascii_control() { ' ' } else { c }).collect();
    Some(Snippet { page, text, highlights })
}

/// Every syllable of the text that is wanted, in order. A doubtful one is wanted where its spelling is none that
/// only holds a sentence together, and it stands beside one that names something, as in the query.
fn find(wanted: &[Wanted], text: &str) -> Vec<Found> {
    let mut terms: HashMap<&str, Vec<usize>> = HashMap::new();
    for (n, one) in wanted.iter().enumerate() {
        terms.entry(&one.folded).or_default().push(n);
    }
    // What the text leaves out between the two may be what is doubtful.
    let follows = |before: usize, n: usize| n > before && wanted[before + 1..n].iter().all(|one| one.doubtful);
    let (mut found, mut page, mut read, mut before) = (vec![], 1, 0, None);
    analysis::syllables(text, |s| {
        let places = terms.get(s.folded);
        let Some(places) = places.filter(|p| !wanted[p[0]].doubtful || !plan::holds_together(s.folded, s.exact)) else {
            before = None;
            return;
        };
        page += text.as_bytes()[read..s.start].iter().filter(|b| **b == b'\x0c').count() as u32;
        read = s.start;
        let alike = |n: &&usize| match (&wanted[**n].exact, s.exact) {
            (Some(typed), Some(exact)) => typed == exact,
            _ => true,
        };
        let like = places.iter().find(alike);
        let in_order = before.is_some_and(|before| places.iter().any(|n| follows(before, *n)));
        before = Some(*like.unwrap_or(&places[0]));
        let (term, doubtful) = (places[0], wanted[places[0]].doubtful);
        found.push(Found { start: s.start, end: s.end, page, term, alike: like.is_some(), in_order, doubtful });
    });
    let together = found.chunk_by(|_, next| next.in_order).filter(|run| run.iter().any(|f| !f.doubtful));
    together.flatten().copied().collect()
}

/// First and last of the findings in the best window: one page, and no more bytes than characters are wanted.
fn best(found: &[Found], max_chars: usize) -> Option<(usize, usize)> {
    let terms = found.iter().map(|f| f.term + 1).max()?;
    let worth = |f: &Found| if f.alike { ALIKE } else { FOLDED_ONLY };
    // How often each syllable stands in the window, by worth, and what the window is worth.
    let mut counts = vec![[0u32; 2]; terms];
    let (mut sum, mut first, mut best) = (0, 0, (0, 0, 0));
    for (last, f) in found.iter().enumerate() {
        let value = |counts: &[u32; 2]| {
            if counts[1] > 0 {
                ALIKE
            } else if counts[0] > 0 {
                FOLDED_ONLY
            } else {
                0
            }
        };
        let before = value(&counts[f.term]);
        counts[f.term][usize::from(worth(f) == ALIKE)] += 1;
        sum += value(&counts[f.term]) - before + u32::from(f.in_order) * IN_ORDER;
        while found[first].page != f.page || (f.end - found[first].start > max_chars && first < last) {
            let gone = &found[first];
            let before = value(&counts[gone.term]);
            counts[gone.term][usize::from(worth(gone) == ALIKE)] -= 1;
            sum -= before - value(&counts[gone.term]) + u32::from(gone.in_order) * IN_ORDER;
            first += 1;
        }
        if sum > best.0 {
            best = (sum, first, last);
        }
    }
    Some((best.1, best.2))
}

/// Widens a range to so many characters, within its page and between words.
fn cut(text: &str, first: usize, last: usize, max_chars: usize) -> (usize, usize) {
    let page = text[..first].rfind('\x0c').map_or(0, |at| at + 1);
    let page_end = text[last..].find('\x0c').map_or(text.len(), |at| last + at);
    let room = max_chars.saturating_sub(text[first..last].chars().take(max_chars + 1).count());
    let back =
        |chars: usize| text[page..first].char_indices().rev().take(chars).last().map_or(first, |(at, _)| page + at);
    let mut start = back(room / 3);
    let used = text[start..first].chars().count();
    let ahead = |chars: usize| text[last..page_end].char_indices().nth(chars).map_or(page_end, |(at, _)| last + at);
    let mut end = ahead(room - used.min(room));
    if start > page {
        let moved = text[start..first].char_indices().take(CUT_CHARS_MAX).find(|(_, c)| c.is_whitespace());
        start = moved.map_or(first, |(at, c)| start + at + c.len_utf8());
    }
    if end < page_end {
        let moved = text[last..end].char_indices().rev().take(CUT_CHARS_MAX).find(|(_, c)| c.is_whitespace());
        end = moved.map_or(last, |(at, _)| last + at);
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    fn marked(query: &str, text: &str, max_chars: usize) -> Option<(u32, Vec<String>)> {
        let cut = snippet(query, text, max_chars)?;
        assert!(cut.text.chars().count() <= max_chars.max(1), "{}", cut.text);
        Some((cut.page, cut.highlights.iter().map(|(from, to)| cut.text[*from..*to].nfc().collect()).collect()))
    }

    #[test]
    fn the_best_place_is_cut_and_marked() {
        let filler = "những điều khác không liên quan gì đến việc này cả ".repeat(50);
        let text = format!("{filler} đất \x0c{filler} thu hồi đất nông nghiệp để xây trường {filler}");
        let words = vec!["thu hồi đất nông nghiệp".to_owned()];
        assert_eq!(marked("thu hồi đất nông nghiệp", &text, 120), Some((2, words.clone())));
        assert_eq!(marked("thu hoi dat nong nghiep", &text, 120), Some((2, words.clone())));
        let nfd: String = text.nfd().collect();
        assert_eq!(marked("thu hồi đất nông nghiệp", &nfd, 200), Some((2, words)));
        assert_eq!(marked("hàng hải", &text, 120), None);
        assert_eq!(marked("", &text, 120), None);
    }

    #[test]
    fn other_diacritics_are_marked_only_where_there_is_nothing_better() {
        assert_eq!(marked("đường", "dương và đường", 100), Some((1, vec!["đường".into()])));
        assert_eq!(marked("đường", "dương", 100), Some((1, vec!["dương".into()])));
        assert_eq!(marked("hoà", "HÒA bình", 100), Some((1, vec!["HÒA".into()])));
        assert_eq!(
            marked("1234/QĐ-UBND", "Số: 1234/QÐ-UBND.", 100),
            Some((1, vec!["1234".into(), "QÐ".into(), "UBND".into()]))
        );
    }

    #[test]
    fn what_may_be_a_word_of_two_is_marked_beside_the_other() {
        let text = "tại kho này có tài liệu lưu trữ và tái định cư";
        for (query, expected) in [
            ("tai lieu", vec!["tài liệu"]),
            ("tai", vec!["tại", "tài", "tái"]),
            ("tại kho", vec!["kho"]),
            ("tai kho", vec!["kho"]),
            ("tài liệu", vec!["tài liệu"]),
            ("va tai dinh cu", vec!["tái định cư"]),
            ("luu tai tru", vec!["lưu trữ"]),
        ] {
            assert_eq!(
                marked(query, text, 100),
                Some((1, expected.iter().map(|w| w.to_string()).collect())),
                "{query}"
            );
        }
        let words = vec!["co the thu hoi dat".to_owned()];
        assert_eq!(marked("co the thu hoi dat", "the nao, co the thu hoi dat", 100), Some((1, words)));
    }

    #[test]
    fn hostile_texts_take_little_time() {
        let started = std::time::Instant::now();
        let long = "luật đất đai ".repeat(100_000);
        assert!(snippet("luật đất đai", &long, 200).is_some());
        assert!(snippet("a", &"a".repeat(2 << 20), 200).is_none());
        assert!(snippet("ế", &"ế ".repeat(500_000).nfd().collect::<String>(), 10).is_some());
        assert!(snippet("a", "a", 0).is_some());
        assert!(snippet("a", "\u{301}a\u{301}\u{0}", 1).is_some());
        assert!(started.elapsed().as_secs() < 5);
    }
}

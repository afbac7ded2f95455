//! From glyphs with places to lines of text: where a word ends and where a line does.
//!
//! Glyphs stay in the order in which the page draws them, which for programs that write text is the
//! reading order.

use std::collections::HashMap;
use unicode_normalization::char::is_combining_mark;

/// A gap wider than this, in font sizes, parts two words.
const WORD_GAP: f64 = 0.13;
/// Going back further than this, in font sizes, begins a new line.
const BACK_MAX: f64 = 0.5;
/// A baseline further off than this, in font sizes, is another line; a raised number is not.
const BASELINE_MAX: f64 = 0.5;
/// A glyph smaller than this, against its neighbour, and higher than this, in font sizes, is raised.
const SMALL_MAX: f64 = 0.85;
const RAISED_MIN: f64 = 0.15;
/// The same text nearer than this, in font sizes, was drawn twice to look bold.
const TWICE_MAX: f64 = 0.12;

/// Where a glyph stands on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Beginning and end on the baseline.
    pub from: (f64, f64),
    pub to: (f64, f64),
    /// Direction of writing, of length 1.
    pub along: (f64, f64),
    /// Font size as it appears.
    pub size: f64,
}

impl Place {
    /// How far a point lies from the end of this place: along the line and across it, in font sizes.
    fn distance(&self, point: (f64, f64), size: f64) -> (f64, f64) {
        let (dx, dy) = (point.0 - self.to.0, point.1 - self.to.1);
        let (x, y) = self.along;
        ((dx * x + dy * y) / size, (dy * x - dx * y) / size)
    }

    fn goes_back_to(&self, next: &Place) -> bool {
        self.distance(next.from, self.size.max(f64::MIN_POSITIVE)).0 < -TWICE_MAX
    }
}

/// Gathers the text of one page.
#[derive(Default)]
pub(super) struct Layout {
    text: String,
    /// The last glyph that was taken.
    last: Option<Place>,
    /// White space was drawn after it.
    spaced: bool,
    /// The last glyph was there already: what follows is likely to be so, too.
    twice: bool,
    /// First character and beginning of every glyph, in cells of a part of the font size.
    drawn: HashMap<(i32, i32), (char, f64, f64)>,
    /// Marked text that replaces the glyphs it is drawn with, and the room they take.
    instead: Option<(String, Option<Place>)>,
}

impl Layout {
    /// One glyph.
    pub fn glyph(&mut self, text: &str, place: Place) {
        match &mut self.instead {
            Some((_, Some(span))) => span.to = place.to,
            Some((_, span)) => *span = Some(place),
            None => self.put(text, place),
        }
    }

    /// From here on this text stands instead of what is drawn, until `instead_ends`.
    pub fn instead(&mut self, text: String) {
        self.instead = Some((text, None));
    }

    pub fn instead_ends(&mut self) {
        if let Some((text, Some(place))) = self.instead.take() {
            self.spaced |= text.starts_with(char::is_whitespace);
            self.put(text.split_whitespace().collect::<Vec<_>>().join(" ").as_str(), place);
            self.spaced |= text.ends_with(char::is_whitespace);
        }
    }

    fn put(&mut self, text: &str, place: Place) {
        let Some(first) = text.chars().find(|c| !c.is_whitespace()) else {
            // A space is white space wherever it stands; a glyph without text says nothing.
            self.spaced |= !text.is_empty() && !self.twice;
            return;
        };
        let parting = self.last.and_then(|last| parting(&self.text, &last, &place, first));
        // Only what goes back can be there already.
        let back = self.twice || parting == Some('\n') || self.last.is_some_and(|last| last.goes_back_to(&place));
        self.twice = back && self.was_drawn(first, &place);
        if self.twice {
            return;
        }
        let parting = parting.or((self.spaced && !is_combining_mark(first)).then_some(' '));
        if !self.text.is_empty() {
            self.text.extend(parting);
        }
        self.text.push_str(text);
        self.drawn.insert(cell(&place), (first, place.from.0, place.from.1));
        (self.last, self.spaced) = (Some(place), false);
    }

    fn was_drawn(&self, first: char, place: &Place) -> bool {
        let (x, y) = cell(place);
        let mut near = (-1..=1).flat_map(|i| (-1..=1).map(move |j| (x.saturating_add(i), y.saturating_add(j))));
        let close = |a: f64, b: f64| (a - b).abs() < TWICE_MAX * place.size;
        near.any(|cell| {
            let same = |(c, x, y): &(char, f64, f64)| *c == first && close(*x, place.from.0) && close(*y, place.from.1);
            self.drawn.get(&cell).is_some_and(same)
        })
    }

    /// Bytes of text so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// The text of the page.
    pub fn finish(mut self) -> String {
        self.instead_ends();
        self.text
    }
}

/// Casting saturates, so that no place is too far away.
fn cell(place: &Place) -> (i32, i32) {
    let side = TWICE_MAX * place.size.max(f64::MIN_POSITIVE);
    ((place.from.0 / side) as i32, (place.from.1 / side) as i32)
}

/// What stands between the text so far, whose last glyph is `last`, and the next: nothing, a space or a
/// line end.
fn parting(text: &str, last: &Place, next: &Place, first: char) -> Option<char> {
    let (larger, smaller) = (last.size.max(next.size), last.size.min(next.size));
    let (gap, up) = last.distance(next.from, larger.max(f64::MIN_POSITIVE));
    let turned = last.along.0 * next.along.0 + last.along.1 * next.along.1 < 0.99;
    if turned || up.abs() > BASELINE_MAX || (gap < -BACK_MAX && !is_combining_mark(first)) {
        // Vietnamese does not part words at line ends: a hyphen there belongs to the number or name.
        let mut before = text.chars().rev();
        let hyphenated = before.next() == Some('-') && before.next().is_some_and(char::is_alphanumeric);
        let next_line = !turned && up < 0.0 && gap < 0.0;
        return (!(hyphenated && next_line && first.is_alphanumeric())).then_some('\n');
    }
    // Where the sizes differ, the smaller one tells what a gap is.
    let gap = last.distance(next.from, smaller.max(f64::MIN_POSITIVE)).0;
    let note = smaller < SMALL_MAX * larger && is_note(text, first, up);
    ((gap > WORD_GAP || note) && !is_combining_mark(first)).then_some(' ')
}

/// The number of a footnote is raised and is no part of the word before it, nor of the one after it;
/// the 2 of a square metre is.
fn is_note(text: &str, first: char, up: f64) -> bool {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let unit = matches!(word.trim_start_matches(|c: char| !c.is_alphabetic()), "m" | "km" | "cm" | "dm" | "mm");
    let begins = up > RAISED_MIN && first.is_ascii_digit() && !unit;
    let ends = up < -RAISED_MIN && first.is_alphabetic() && text.ends_with(|c: char| c.is_ascii_digit());
    begins || ends
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws each text from x on the line y, each letter half its size of 10 wide.
    fn page(runs: &[(&str, f64, f64)]) -> String {
        let mut layout = Layout::default();
        for (text, x, y) in runs {
            let mut x = *x;
            for c in text.chars() {
                let width = if is_combining_mark(c) { 0.0 } else { 5.0 };
                layout
                    .glyph(&c.to_string(), Place { from: (x, *y), to: (x + width, *y), along: (1.0, 0.0), size: 10.0 });
                x += width;
            }
        }
        layout.finish()
    }

    #[test]
    fn words_and_lines_by_place() {
        assert_eq!(page(&[("Số", 0.0, 90.0), ("12", 13.0, 90.0), ("Điều", 0.0, 75.0)]), "Số 12\nĐiều");
        assert_eq!(page(&[("Lu", 0.0, 0.0), ("ật", 10.5, 0.0)]), "Luật", "kerning is no gap");
        assert_eq!(page(&[("m", 0.0, 0.0), ("2", 5.0, 4.0), ("đất ", 12.0, 0.0), (" ở", 35.0, 0.0)]), "m2 đất ở");
        assert_eq!(page(&[("e", 0.0, 0.0), ("\u{302}", 0.0, 0.0), ("\u{301}t", 1.0, 0.0)]), "e\u{302}\u{301}t");
        assert_eq!(page(&[("a", 50.0, 0.0), ("b", 0.0, 0.0)]), "a\nb", "back on the same line");
    }

    #[test]
    fn raised_numbers_and_hyphens_at_line_ends() {
        let place =
            |x: f64, y: f64, size: f64| Place { from: (x, y), to: (x + size / 2.0, y), along: (1.0, 0.0), size };
        let text = |glyphs: &[(&str, f64, f64, f64)]| {
            let mut layout = Layout::default();
            glyphs.iter().for_each(|(text, x, y, size)| layout.glyph(text, place(*x, *y, *size)));
            layout.finish()
        };
        let note = [("bản", 0.0, 0.0, 10.0), ("3", 5.0, 4.0, 6.0), ("Căn", 8.0, 0.0, 10.0)];
        assert_eq!(text(&note), "bản 3 Căn");
        assert_eq!(text(&[("m", 0.0, 0.0, 10.0), ("2", 5.0, 4.0, 6.0), (",", 8.0, 0.0, 10.0)]), "m2,");
        assert_eq!(text(&[("CO", 0.0, 0.0, 10.0), ("2", 5.0, -2.0, 6.0)]), "CO2");
        let number = [("18/2022/TT", 90.0, 20.0, 10.0), ("-", 95.0, 20.0, 10.0), ("BTC", 0.0, 8.0, 10.0)];
        assert_eq!(text(&number), "18/2022/TT-BTC");
        assert_eq!(text(&[("a", 90.0, 20.0, 10.0), ("-", 0.0, 8.0, 10.0), ("b", 0.0, -4.0, 10.0)]), "a\n-\nb");
    }

    #[test]
    fn bold_that_is_drawn_twice_is_read_once() {
        assert_eq!(page(&[("Điều 1", 0.0, 9.0), ("Điều 1", 0.3, 9.0), (". Phạm", 30.3, 9.0)]), "Điều 1. Phạm");
        assert_eq!(page(&[("Đ", 0.0, 9.0), ("Đ", 0.3, 9.0), ("i", 5.0, 9.0), ("i", 5.3, 9.0)]), "Đi");
        assert_eq!(page(&[("aa aa", 0.0, 0.0)]), "aa aa");
    }

    #[test]
    fn marked_text_stands_instead_of_its_glyphs() {
        let place = |x: f64| Place { from: (x, 0.0), to: (x + 5.0, 0.0), along: (1.0, 0.0), size: 10.0 };
        let mut layout = Layout::default();
        layout.glyph("a", place(0.0));
        layout.instead("hai từ".into());
        layout.glyph("?", place(8.0));
        layout.glyph("?", place(13.0));
        layout.instead_ends();
        layout.glyph("z", place(18.0));
        assert_eq!(layout.finish(), "a hai từz");
    }
}

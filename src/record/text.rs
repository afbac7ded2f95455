//! Vietnamese text in one form: NFC, Đ for its look-alike Ð, and the folded form that officials type.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// NFC, with `Ð` (U+00D0, Icelandic) read as `Đ` (U+0110), which looks the same and is what was meant.
pub fn nfc(text: &str) -> String {
    let composed = if is_nfc(text) { text.to_owned() } else { text.nfc().collect() };
    if composed.contains(['Ð', 'ð']) { composed.replace('Ð', "Đ").replace('ð', "đ") } else { composed }
}

/// Lower case without diacritics, `đ` as `d`: what is left when a Vietnamese keyboard is missing.
pub fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if matches!(c, 'đ' | 'ð') { 'd' } else { c })
        .collect()
}

/// One line of text: NFC, with every run of white space (and every control character) as one space.
pub fn line(text: &str) -> String {
    let spaced = nfc(text).replace(|c: char| c.is_control() || c == '\u{feff}' || c == '\u{200b}', " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_what_looks_the_same() {
        let nfd: String = "Quyết định".nfd().collect();
        assert_eq!(nfc(&nfd), "Quyết định");
        assert_eq!(nfc("48/QÐ-UBND"), "48/QĐ-UBND");
        assert_eq!(line(" a\u{a0}\n\tb\u{0}c "), "a b c");
    }

    #[test]
    fn folding_leaves_letters_and_digits() {
        for (text, folded) in
            [("Quyết định", "quyet dinh"), ("ĐƯỜNG", "duong"), ("Ðà Nẵng", "da nang"), ("1234/QĐ", "1234/qd")]
        {
            assert_eq!(fold(text), folded);
            assert_eq!(fold(&text.nfd().collect::<String>()), folded);
        }
    }
}

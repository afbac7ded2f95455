//! Fonts, as far as text needs them: from the bytes of a string to Unicode and widths.

use crate::content::pdf::cmap::CMap;
use crate::content::pdf::{STREAM_BYTES_MAX, number};
use lopdf::{Dictionary, Document, Object};
use std::collections::BTreeMap;

/// One glyph that is shown.
pub(super) struct Shown<'a> {
    pub text: &'a str,
    /// In thousandths of the font size.
    pub width: f64,
    /// The one-byte code 32, to which word spacing applies.
    pub is_space_code: bool,
}

/// A font.
pub(super) struct Font {
    to_unicode: Option<CMap>,
    kind: Kind,
    /// From glyph space to thousandths of text space: 1, but for Type 3 fonts.
    width_scale: f64,
    /// Text of codes already asked for.
    known: BTreeMap<u32, Box<str>>,
}

enum Kind {
    /// One byte a glyph.
    Simple {
        texts: Vec<Box<str>>,
        widths: Vec<f64>,
    },
    Composite {
        encoding: Encoding,
        widths: Widths,
    },
}

enum Encoding {
    /// Two bytes a glyph, and the code is the glyph.
    Identity,
    /// Two bytes a glyph that are themselves UTF-16.
    Utf16,
    Embedded(CMap),
}

/// Widths of a composite font: by first glyph, last glyph and width.
struct Widths {
    ranges: BTreeMap<u32, (u32, f64)>,
    default: f64,
}

impl Font {
    /// Reads a font dictionary; what is missing in it is taken as its default.
    pub fn read(dictionary: &Dictionary, document: &Document) -> Font {
        let to_unicode = stream(dictionary, b"ToUnicode", document).map(|bytes| CMap::parse(&bytes));
        let name = |key: &[u8]| dictionary.get_deref(key, document).and_then(Object::as_name).unwrap_or_default();
        let subtype = name(b"Subtype");
        let width_scale = match dictionary.get_deref(b"FontMatrix", document).and_then(Object::as_array) {
            Ok(matrix) if subtype == b"Type3" => {
                matrix.first().and_then(number).map_or(1.0, |scale| scale.abs() * 1000.0)
            }
            _ => 1.0,
        };
        let descendant = dictionary
            .get_deref(b"DescendantFonts", document)
            .and_then(Object::as_array)
            .ok()
            .and_then(|fonts| document.dereference(fonts.first()?).ok()?.1.as_dict().ok());
        let kind = match descendant {
            Some(descendant) => Kind::Composite {
                encoding: composite_encoding(dictionary, document),
                widths: Widths::read(descendant, document),
            },
            None => Kind::Simple {
                texts: simple_texts(dictionary, document, subtype == b"TrueType"),
                widths: simple_widths(dictionary, document),
            },
        };
        Font { to_unicode, kind, width_scale, known: BTreeMap::new() }
    }

    /// Hands over the glyphs of a string, one by one.
    pub fn show(&mut self, mut bytes: &[u8], mut each: impl FnMut(Shown)) {
        while !bytes.is_empty() {
            let (code, length) = self.first_code(bytes);
            bytes = &bytes[length..];
            let width = self.width(code) * self.width_scale;
            if !self.known.contains_key(&code) {
                let text = self.text(code);
                self.known.insert(code, text);
            }
            let text = self.known.get(&code).map_or("", |text| &**text);
            each(Shown { text, width, is_space_code: length == 1 && code == 32 });
        }
    }

    fn first_code(&self, bytes: &[u8]) -> (u32, usize) {
        match &self.kind {
            Kind::Simple { .. } => (u32::from(bytes[0]), 1),
            Kind::Composite { encoding: Encoding::Embedded(cmap), .. } => cmap.first_code(bytes),
            Kind::Composite { .. } => match bytes {
                [high, low, ..] => (u32::from(*high) << 8 | u32::from(*low), 2),
                _ => (u32::from(bytes[0]), 1),
            },
        }
    }

    fn width(&self, code: u32) -> f64 {
        match &self.kind {
            Kind::Simple { widths, .. } => widths[code as usize & 255],
            Kind::Composite { encoding: Encoding::Embedded(cmap), widths } => {
                widths.of(cmap.glyph_of(code).unwrap_or(0))
            }
            Kind::Composite { widths, .. } => widths.of(code),
        }
    }

    fn text(&self, code: u32) -> Box<str> {
        if let Some(text) = self.to_unicode.as_ref().and_then(|cmap| cmap.text_of(code)) {
            return visible(text);
        }
        match &self.kind {
            Kind::Simple { texts, .. } => texts[code as usize & 255].clone(),
            Kind::Composite { encoding: Encoding::Utf16, .. } => {
                char::from_u32(code).map(String::from).unwrap_or_default().into()
            }
            Kind::Composite { .. } => "".into(),
        }
    }
}

/// Word maps the hyphen it draws to U+00AD, which is invisible everywhere else: `NĐ-CP` would not be found.
fn visible(text: String) -> Box<str> {
    if text.contains('\u{ad}') { text.replace('\u{ad}', "-").into() } else { text.into() }
}

/// The plain bytes of a stream named in a dictionary.
fn stream(dictionary: &Dictionary, key: &[u8], document: &Document) -> Option<Vec<u8>> {
    let stream = dictionary.get_deref(key, document).ok()?.as_stream().ok()?;
    stream.get_plain_content_with_limit(STREAM_BYTES_MAX).ok()
}

fn composite_encoding(dictionary: &Dictionary, document: &Document) -> Encoding {
    match dictionary.get_deref(b"Encoding", document) {
        Ok(Object::Name(name)) if name.starts_with(b"Uni") => Encoding::Utf16,
        Ok(Object::Stream(_)) => match stream(dictionary, b"Encoding", document).map(|bytes| CMap::parse(&bytes)) {
            Some(cmap) if cmap.has_codespaces() => Encoding::Embedded(cmap),
            _ => Encoding::Identity,
        },
        _ => Encoding::Identity,
    }
}

impl Widths {
    fn read(descendant: &Dictionary, document: &Document) -> Widths {
        let default = descendant.get_deref(b"DW", document).ok().and_then(number).unwrap_or(1000.0);
        let mut widths = Widths { ranges: BTreeMap::new(), default };
        let empty = Vec::new();
        let list = descendant.get_deref(b"W", document).and_then(Object::as_array).unwrap_or(&empty);
        let at = |index: usize| list.get(index).and_then(|object| Some(document.dereference(object).ok()?.1));
        let mut index = 0;
        // Either `first [width width ...]` or `first last width`.
        while let Some(first) = at(index).and_then(number) {
            let first = first as u32;
            match at(index + 1) {
                Some(Object::Array(each)) => {
                    for (glyph, width) in (first..=u32::MAX).zip(each) {
                        widths.ranges.insert(glyph, (glyph, number(width).unwrap_or(default)));
                    }
                    index += 2;
                }
                Some(last) => {
                    let (Some(last), Some(width)) = (number(last), at(index + 2).and_then(number)) else { break };
                    widths.ranges.insert(first, (last as u32, width));
                    index += 3;
                }
                None => break,
            }
        }
        widths
    }

    fn of(&self, glyph: u32) -> f64 {
        match self.ranges.range(..=glyph).next_back() {
            Some((_, (last, width))) if glyph <= *last => *width,
            _ => self.default,
        }
    }
}

fn simple_widths(dictionary: &Dictionary, document: &Document) -> Vec<f64> {
    let descriptor = dictionary.get_deref(b"FontDescriptor", document).and_then(Object::as_dict);
    let missing = descriptor.ok().and_then(|d| d.get_deref(b"MissingWidth", document).ok()).and_then(number);
    let list = dictionary.get_deref(b"Widths", document).and_then(Object::as_array);
    // The 14 standard fonts may leave their widths out: half the size is near enough to tell words apart.
    let mut widths = vec![missing.unwrap_or(if list.is_ok() { 0.0 } else { 500.0 }); 256];
    let first = dictionary.get_deref(b"FirstChar", document).ok().and_then(number).unwrap_or(0.0) as usize;
    for (slot, width) in widths.iter_mut().skip(first).zip(list.into_iter().flatten()) {
        if let Some(width) = document.dereference(width).ok().and_then(|(_, width)| number(width)) {
            *slot = width;
        }
    }
    widths
}

/// The text of the 256 codes of a simple font, from its encoding and the differences to it.
fn simple_texts(dictionary: &Dictionary, document: &Document, is_true_type: bool) -> Vec<Box<str>> {
    let encoding = dictionary.get_deref(b"Encoding", document).ok();
    let (base, differences) = match encoding {
        Some(Object::Name(name)) => (Some(&name[..]), None),
        Some(Object::Dictionary(encoding)) => (
            encoding.get_deref(b"BaseEncoding", document).and_then(Object::as_name).ok(),
            encoding.get_deref(b"Differences", document).and_then(Object::as_array).ok(),
        ),
        _ => (None, None),
    };
    let base = match base {
        Some(name @ (b"MacRomanEncoding" | b"MacExpertEncoding" | b"StandardEncoding" | b"WinAnsiEncoding")) => name,
        _ if is_true_type => b"WinAnsiEncoding",
        _ => b"StandardEncoding",
    };
    let mut texts = encoded(Object::Name(base.to_vec()), document);
    let mut code = 0usize;
    for difference in differences.into_iter().flatten() {
        match document.dereference(difference) {
            Ok((_, Object::Name(name))) => {
                if let Some(slot) = texts.get_mut(code) {
                    *slot = visible(glyph_text(name, document));
                }
                code = code.saturating_add(1);
            }
            Ok((_, object)) => code = number(object).unwrap_or(0.0) as usize,
            Err(_) => {}
        }
    }
    texts
}

/// The 256 texts of an encoding that lopdf knows. Its tables are its own: a font made for asking opens them.
fn encoded(encoding: Object, document: &Document) -> Vec<Box<str>> {
    let mut font = Dictionary::new();
    font.set("Type", "Font");
    font.set("Encoding", encoding);
    let texts = font.get_font_encoding(document).map(|encoding| {
        let text = |code: u8| encoding.bytes_to_string(&[code]).unwrap_or_default().into_boxed_str();
        (0..=255).map(text).collect()
    });
    texts.unwrap_or_else(|_| vec!["".into(); 256])
}

/// The text of a glyph by its name in Adobe's list, or by a name that spells Unicode (`uni1EBF`, `u1EBF`).
fn glyph_text(name: &[u8], document: &Document) -> String {
    let name = name.split(|b| *b == b'.').next().unwrap_or_default();
    let spelled = std::str::from_utf8(name).ok().and_then(|name| {
        let digits = name.strip_prefix("uni").or_else(|| name.strip_prefix('u'))?;
        let digits = digits.get(..if name.starts_with("uni") { 4 } else { digits.len() })?;
        (4..=6).contains(&digits.len()).then(|| u32::from_str_radix(digits, 16).ok()).flatten().and_then(char::from_u32)
    });
    if let Some(c) = spelled {
        return c.to_string();
    }
    let mut encoding = Dictionary::new();
    encoding.set("Differences", vec![Object::Integer(0), Object::Name(name.to_vec())]);
    encoded(Object::Dictionary(encoding), document).swap_remove(0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyph_names_of_vietnamese() {
        let document = Document::new();
        for (name, text) in [
            ("dcroat", "đ"),
            ("ecircumflexacute", "ế"),
            ("uhorndotbelow", "ự"),
            ("abrevehookabove", "ẳ"),
            ("uni1EBF", "ế"),
            ("u1ED9", "ộ"),
            ("A.alt", "A"),
            ("g123", ""),
            ("union", "∪"),
        ] {
            assert_eq!(glyph_text(name.as_bytes(), &document), text, "{name}");
        }
    }

    #[test]
    fn widths_of_ranges_and_lists() {
        let mut document = Document::new();
        let list = document.add_object(vec![Object::Real(7.5), 8.into()]);
        let mut font = Dictionary::new();
        font.set(
            "W",
            vec![
                3.into(),
                Object::Reference(list),
                10.into(),
                i64::from(u32::MAX).into(),
                4.into(),
                i64::from(u32::MAX).into(),
                vec![1.into(), 2.into()].into(),
            ],
        );
        let widths = Widths::read(&font, &document);
        assert_eq!([2, 3, 4, 5, 10, 99_999].map(|glyph| widths.of(glyph)), [1000.0, 7.5, 8.0, 1000.0, 4.0, 4.0]);
    }
}

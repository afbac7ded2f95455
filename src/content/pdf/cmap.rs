//! CMaps: from the codes of a string to Unicode (ToUnicode) or to the glyphs of a font (an embedded encoding).

use crate::content::pdf::lexer::{Lexer, Operand};
use std::collections::{BTreeMap, HashMap};

/// Single mappings kept of one CMap; the codes of two bytes are 65,536.
const MAPPINGS_MAX: usize = 1 << 17;

/// A CMap, as far as text needs it.
#[derive(Default)]
pub(super) struct CMap {
    /// Length of a code in bytes, first and last code.
    codespaces: Vec<(usize, u32, u32)>,
    texts: HashMap<u32, Box<str>>,
    /// By first code: last code and the text of the first, whose last unit counts on.
    text_ranges: BTreeMap<u32, (u32, Vec<u16>)>,
    /// By first code: last code and first glyph.
    glyph_ranges: BTreeMap<u32, (u32, u32)>,
}

impl CMap {
    /// Reads what can be read.
    pub fn parse(bytes: &[u8]) -> CMap {
        let mut cmap = CMap::default();
        let (mut lexer, mut operands) = (Lexer::new(bytes), Vec::new());
        // Operands of a section pile up before its `end` operator; 100 a section is the rule, so the lexer
        // is asked for sections rather than for operators.
        while let Some(operator) = lexer.next_section(&mut operands) {
            match operator {
                b"endcodespacerange" => operands.chunks_exact(2).for_each(|pair| cmap.codespace(pair)),
                b"endbfchar" => operands.chunks_exact(2).for_each(|pair| cmap.text(pair)),
                b"endbfrange" => operands.chunks_exact(3).for_each(|triple| cmap.texts(triple)),
                b"endcidchar" => operands.chunks_exact(2).for_each(|pair| cmap.glyph(pair)),
                b"endcidrange" => operands.chunks_exact(3).for_each(|triple| cmap.glyphs(triple)),
                _ => {}
            }
        }
        cmap
    }

    fn codespace(&mut self, pair: &[Operand]) {
        let [Operand::Text(low), Operand::Text(high)] = pair else { return };
        if (1..=4).contains(&low.len()) && low.len() == high.len() && self.codespaces.len() < 256 {
            self.codespaces.push((low.len(), code(low), code(high)));
        }
    }

    fn text(&mut self, pair: &[Operand]) {
        let [Operand::Text(from), Operand::Text(to)] = pair else { return };
        self.insert(code(from), &units(to));
    }

    fn texts(&mut self, triple: &[Operand]) {
        let [Operand::Text(low), Operand::Text(high), to] = triple else { return };
        let (low, high) = (code(low), code(high));
        match to {
            Operand::Text(to) if low <= high && self.text_ranges.len() < MAPPINGS_MAX => {
                self.text_ranges.insert(low, (high, units(to)));
            }
            Operand::Array(list) => {
                for (code, to) in (low..=high).zip(list.iter().filter_map(Operand::text)) {
                    self.insert(code, &units(to));
                }
            }
            _ => {}
        }
    }

    fn insert(&mut self, code: u32, units: &[u16]) {
        if self.texts.len() < MAPPINGS_MAX {
            self.texts.insert(code, String::from_utf16_lossy(units).into());
        }
    }

    fn glyph(&mut self, pair: &[Operand]) {
        let [Operand::Text(from), Operand::Number(to)] = pair else { return };
        self.glyph_ranges.insert(code(from), (code(from), *to as u32));
    }

    fn glyphs(&mut self, triple: &[Operand]) {
        let [Operand::Text(low), Operand::Text(high), Operand::Number(to)] = triple else { return };
        self.glyph_ranges.insert(code(low), (code(high), *to as u32));
    }

    /// The text of a code, unless the map is silent or says nothing of use.
    pub fn text_of(&self, code: u32) -> Option<String> {
        let text = match self.texts.get(&code) {
            Some(text) => text.to_string(),
            None => {
                let (low, (high, units)) = self.text_ranges.range(..=code).next_back()?;
                let (last, before) = units.split_last().filter(|_| code <= *high)?;
                // In a pair of surrogates the low one counts on, within the 16 bits that it has.
                let last = last.wrapping_add((code - low) as u16);
                String::from_utf16_lossy(&[before, &[last]].concat())
            }
        };
        (!text.is_empty() && !text.contains(['\0', '\u{fffd}'])).then_some(text)
    }

    /// The glyph of a code.
    pub fn glyph_of(&self, code: u32) -> Option<u32> {
        let (low, (high, glyph)) = self.glyph_ranges.range(..=code).next_back()?;
        (code <= *high).then(|| glyph.wrapping_add(code - low))
    }

    /// Takes the first code of a string: its value and its length in bytes.
    pub fn first_code(&self, bytes: &[u8]) -> (u32, usize) {
        for length in 1..=bytes.len().min(4) {
            let value = code(&bytes[..length]);
            // Each byte has its own range; comparing the whole number is wider only for rare East Asian maps.
            if self.codespaces.iter().any(|(size, low, high)| *size == length && (*low..=*high).contains(&value)) {
                return (value, length);
            }
        }
        let length = self.codespaces.iter().map(|(size, ..)| *size).min().unwrap_or(2).min(bytes.len()).max(1);
        (code(&bytes[..length.min(bytes.len())]), length)
    }

    pub fn has_codespaces(&self) -> bool {
        !self.codespaces.is_empty()
    }
}

fn code(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |code, b| code << 8 | u32::from(*b))
}

/// UTF-16 as ToUnicode writes it; a single byte stands for itself.
fn units(bytes: &[u8]) -> Vec<u16> {
    match bytes {
        [one] => vec![u16::from(*one)],
        _ => bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_text() {
        let cmap = CMap::parse(
            b"/CIDInit /ProcSet findresource begin 1 begincodespacerange <00> <7f> <8000> <ffff> endcodespacerange\n\
              2 beginbfchar <01> <1EBF> <02> <0066006C> endbfchar\n\
              2 beginbfrange <8000> <8002> <0041> <8010> <8011> [<1ED9> <D835DC00>] endbfrange\n\
              1 begincidrange <8000> <80ff> 5 endcidrange endcmap",
        );
        for (code, text) in [(1, "ế"), (2, "fl"), (0x8002, "C"), (0x8010, "ộ"), (0x8011, "𝐀")] {
            assert_eq!(cmap.text_of(code).as_deref(), Some(text));
        }
        assert_eq!((cmap.text_of(0x8003), cmap.glyph_of(0x8003), cmap.glyph_of(1)), (None, Some(8), None));
        assert_eq!(cmap.first_code(b"\x01\x80\x00"), (1, 1));
        assert_eq!(cmap.first_code(b"\x80\x00\x01"), (0x8000, 2));
    }

    #[test]
    fn a_section_of_many_and_a_range_over_everything() {
        let many: String = (0..5000).map(|i| format!("<{i:04x}> <{:04x}>\n", 0x4e00 + i)).collect();
        let cmap = CMap::parse(
            format!("9 beginbfchar {many} endbfchar 1 beginbfrange <ffff0000> <ffffffff> <0041> endbfrange").as_bytes(),
        );
        assert_eq!(cmap.text_of(4999).as_deref(), Some("\u{6187}"));
        assert_eq!(cmap.text_of(0xffff_0001).as_deref(), Some("B"));
    }
}

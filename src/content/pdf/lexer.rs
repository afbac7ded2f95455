//! The words of a content stream and of a CMap: numbers, names, strings, arrays, dictionaries, operators.
//!
//! Lenient: what cannot be a token is passed over, so that one bad byte does not lose the page.

use std::borrow::Cow;

/// How deep arrays and dictionaries may nest before what is inside is passed over.
const DEPTH_MAX: usize = 32;
/// Operands that may wait for an operator; no operator takes as many.
const OPERANDS_MAX: usize = 64;

/// One operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand<'a> {
    Number(f64),
    Name(Cow<'a, [u8]>),
    Text(Cow<'a, [u8]>),
    Array(Vec<Operand<'a>>),
    Dictionary(Vec<(Cow<'a, [u8]>, Operand<'a>)>),
    Other,
}

impl Operand<'_> {
    pub fn number(&self) -> Option<f64> {
        match self {
            Operand::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Operand::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn name(&self) -> Option<&[u8]> {
        match self {
            Operand::Name(name) => Some(name),
            _ => None,
        }
    }
}

enum Token<'a> {
    Operand(Operand<'a>),
    Operator(&'a [u8]),
    Open(u8),
    Close(u8),
}

/// Reads operators with their operands, one after the other.
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\n' | b'\r' | b'\t' | 0x0c | 0)
}

fn is_regular(b: u8) -> bool {
    !is_space(b) && !b"()<>[]{}/%".contains(&b)
}

impl<'a> Lexer<'a> {
    pub fn new(bytes: &'a [u8]) -> Lexer<'a> {
        Lexer { rest: bytes }
    }

    /// The next operator; its operands are left in `operands`.
    pub fn next(&mut self, operands: &mut Vec<Operand<'a>>) -> Option<&'a [u8]> {
        operands.clear();
        loop {
            match self.token()? {
                Token::Operand(operand) => operands.push(operand),
                Token::Open(kind) => operands.push(self.nested(kind, 0)),
                Token::Close(_) => {}
                Token::Operator(b"ID") => {
                    self.skip_image();
                    operands.clear();
                }
                Token::Operator(operator) => return Some(operator),
            }
            if operands.len() > OPERANDS_MAX {
                operands.remove(0);
            }
        }
    }

    /// Like `next`, for CMaps: operands gather without a limit until an operator that ends a section.
    pub fn next_section(&mut self, operands: &mut Vec<Operand<'a>>) -> Option<&'a [u8]> {
        operands.clear();
        loop {
            match self.token()? {
                Token::Operand(operand) => operands.push(operand),
                Token::Open(kind) => operands.push(self.nested(kind, 0)),
                Token::Close(_) => {}
                Token::Operator(operator) if operator.starts_with(b"end") => return Some(operator),
                Token::Operator(_) => operands.clear(),
            }
        }
    }

    /// What stands between an opening and its closing; a missing closing is read in.
    fn nested(&mut self, kind: u8, depth: usize) -> Operand<'a> {
        let mut items = Vec::new();
        while let Some(token) = self.token() {
            match token {
                Token::Operand(operand) => items.push(operand),
                Token::Open(kind) if depth < DEPTH_MAX => items.push(self.nested(kind, depth + 1)),
                Token::Close(closing) if closing == kind => break,
                // `true`, `null`; and an `R` after two numbers, which only makes the pairs of a dictionary uneven.
                Token::Operator(_) => items.push(Operand::Other),
                Token::Open(_) | Token::Close(_) => {}
            }
        }
        if kind == b'[' { Operand::Array(items) } else { Operand::Dictionary(pairs(items)) }
    }

    fn token(&mut self) -> Option<Token<'a>> {
        loop {
            let (&first, after) = self.rest.split_first()?;
            match first {
                _ if is_space(first) => self.rest = after,
                b'%' => {
                    self.rest = &after[after.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(after.len())..]
                }
                b'/' => {
                    self.rest = after;
                    let name = self.regular();
                    return Some(Token::Operand(Operand::Name(unescape_name(name))));
                }
                b'(' => {
                    self.rest = after;
                    return Some(Token::Operand(Operand::Text(self.literal())));
                }
                b'<' | b'>' if after.first() == Some(&first) => {
                    self.rest = &after[1..];
                    return Some(if first == b'<' { Token::Open(b'<') } else { Token::Close(b'<') });
                }
                b'<' => {
                    self.rest = after;
                    return Some(Token::Operand(Operand::Text(Cow::Owned(self.hexadecimal()))));
                }
                b'[' | b']' => {
                    self.rest = after;
                    return Some(if first == b'[' { Token::Open(b'[') } else { Token::Close(b'[') });
                }
                b')' | b'>' | b'{' | b'}' => self.rest = after,
                _ => {
                    let word = self.regular();
                    return Some(number(word).map_or(Token::Operator(word), |n| Token::Operand(Operand::Number(n))));
                }
            }
        }
    }

    fn regular(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|b| !is_regular(*b)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// A string in parentheses, which may nest; borrowed where nothing in it is escaped.
    fn literal(&mut self) -> Cow<'a, [u8]> {
        let (mut depth, mut at, mut escaped) = (1, 0, false);
        while let Some(b) = self.rest.get(at) {
            match b {
                b'\\' => {
                    escaped = true;
                    at += 1;
                }
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            at += 1;
        }
        let end = at.min(self.rest.len());
        let raw = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        if escaped { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        let end = self.rest.iter().position(|b| *b == b'>').unwrap_or(self.rest.len());
        let digits = self.rest[..end].iter().filter_map(|b| (*b as char).to_digit(16).map(|d| d as u8));
        let mut bytes = Vec::with_capacity(end / 2 + 1);
        let mut high = None;
        for digit in digits {
            match high.take() {
                None => high = Some(digit << 4),
                Some(high) => bytes.push(high | digit),
            }
        }
        bytes.extend(high);
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        bytes
    }

    /// The bytes of an inline image end with `EI` between white space, followed by something that is text.
    fn skip_image(&mut self) {
        let mut at = 1;
        while at + 2 < self.rest.len() {
            let found = is_space(self.rest[at - 1]) && self.rest[at..].starts_with(b"EI");
            let after = &self.rest[at + 2..];
            let plain = |b: &u8| is_space(*b) || b.is_ascii_graphic();
            if found && is_space(after[0]) && after.iter().take(12).all(plain) {
                self.rest = after;
                return;
            }
            at += 1;
        }
        self.rest = &[];
    }
}

fn pairs<'a>(items: Vec<Operand<'a>>) -> Vec<(Cow<'a, [u8]>, Operand<'a>)> {
    let mut pairs = Vec::new();
    let mut key = None;
    for item in items {
        match (key.take(), item) {
            (None, Operand::Name(name)) => key = Some(name),
            (Some(name), value) => pairs.push((name, value)),
            (None, _) => {}
        }
    }
    pairs
}

/// A number as PDF writes it; also `--5`, `5-3` and `.`, which exist in the wild and mean -5, 5 and 0.
fn number(word: &[u8]) -> Option<f64> {
    let first = *word.first()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    let negative = first == b'-';
    let (mut value, mut scale, mut fraction) = (0f64, 1f64, false);
    for b in word.iter().skip_while(|b| matches!(b, b'+' | b'-')) {
        match b {
            b'0'..=b'9' => {
                value = value * 10.0 + f64::from(b - b'0');
                if fraction {
                    scale *= 10.0;
                }
            }
            b'.' if !fraction => fraction = true,
            b'-' => break,
            _ => return None,
        }
    }
    let value = value / scale;
    // Too many digits for a number are no position on any page.
    if value.is_finite() { Some(if negative { -value } else { value }) } else { Some(0.0) }
}

fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied().peekable();
    while let Some(b) = rest.next() {
        if b != b'\\' {
            bytes.push(b);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'b') => bytes.push(8),
            Some(b'f') => bytes.push(0x0c),
            Some(b'\n') | None => {}
            Some(b'\r') => {
                rest.next_if_eq(&b'\n');
            }
            Some(first @ b'0'..=b'7') => {
                let mut code = u32::from(first - b'0');
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|b| matches!(b, b'0'..=b'7')) else { break };
                    code = code * 8 + u32::from(digit - b'0');
                }
                bytes.push(code as u8);
            }
            Some(other) => bytes.push(other),
        }
    }
    bytes
}

fn unescape_name(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'#') {
        return Cow::Borrowed(name);
    }
    let hex = |b: Option<&u8>| b.and_then(|b| (*b as char).to_digit(16)).map(|d| d as u8);
    let (mut bytes, mut at) = (Vec::with_capacity(name.len()), 0);
    while at < name.len() {
        match (name[at], hex(name.get(at + 1)), hex(name.get(at + 2))) {
            (b'#', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                at += 3;
            }
            (other, ..) => {
                bytes.push(other);
                at += 1;
            }
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let (mut lexer, mut operands, mut seen) = (Lexer::new(bytes), Vec::new(), Vec::new());
        while let Some(operator) = lexer.next(&mut operands) {
            seen.push(format!("{} {}", operator.escape_ascii(), operands.len()));
        }
        seen
    }

    #[test]
    fn operators_and_their_operands() {
        assert_eq!(
            all(b"q 1 0 0 1 -.5 +7 cm/F1 12 Tf[(a)-120<41>]TJ(x)'% end\nT*"),
            ["q 0", "cm 6", "Tf 2", "TJ 1", "\\' 1", "T* 0"]
        );
        assert_eq!(all(b"/P <</MCID 0 /A [true null]>> BDC ) > } EMC"), ["BDC 2", "EMC 0"]);
        assert_eq!(all(b"BI /W 1 ID \xff EI\x80 EIx EI\n(a) Tj"), ["BI 0", "Tj 1"]);
        assert_eq!(all(b"(never closed"), Vec::<String>::new());
        assert_eq!(all(&[b'['; 100_000]), Vec::<String>::new());
    }

    #[test]
    fn strings_names_and_numbers() {
        let (mut operands, text) = (
            Vec::new(),
            br"(a\(b\)\101\8(c)\
\n) <4 1 5> /A#42 .5 -3 4-2 --6 x",
        );
        Lexer::new(text).next(&mut operands);
        assert_eq!(operands[0].text().unwrap(), b"a(b)A8(c)\n");
        assert_eq!(operands[1].text().unwrap(), b"\x41\x50");
        assert_eq!(operands[2].name().unwrap(), b"AB");
        let numbers: Vec<f64> = operands[3..].iter().filter_map(Operand::number).collect();
        assert_eq!(numbers, [0.5, -3.0, 4.0, -6.0]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes: Vec<u8>) {
            all(&bytes);
        }
    }
}

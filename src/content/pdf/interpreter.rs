//! Runs the content stream of a page as far as it moves and shows text.

use crate::content::pdf::font::Font;
use crate::content::pdf::layout::{Layout, Place};
use crate::content::pdf::lexer::{Lexer, Operand};
use crate::content::pdf::{STREAM_BYTES_MAX, number};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Forms within forms.
const FORM_DEPTH_MAX: usize = 12;
/// Graphics states that may wait on the stack.
const STATES_MAX: usize = 256;

/// Six numbers that move and scale: a point (x, y) becomes (ax + cy + e, bx + dy + f).
pub(super) type Matrix = [f64; 6];
pub(super) const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `m`, then `n`.
pub(super) fn then(m: &Matrix, n: &Matrix) -> Matrix {
    let (x, y) = (|i: usize| m[i] * n[0] + m[i + 1] * n[2], |i: usize| m[i] * n[1] + m[i + 1] * n[3]);
    [x(0), y(0), x(2), y(2), x(4) + n[4], y(4) + n[5]]
}

/// The fonts of a document, read once.
pub(super) type Fonts = HashMap<ObjectId, Rc<RefCell<Font>>>;

#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<RefCell<Font>>>,
    size: f64,
    character_spacing: f64,
    word_spacing: f64,
    /// Horizontal scaling, 1 for 100 %.
    scaling: f64,
    leading: f64,
    rise: f64,
}

/// What is being drawn, and the text found so far.
pub(super) struct Interpreter<'d> {
    document: &'d Document,
    fonts: &'d mut Fonts,
    pub layout: Layout,
    text_bytes_max: usize,
    state: State,
    stack: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// Marked content: for each level, whether it replaces its text.
    marks: Vec<bool>,
    depth: usize,
}

impl<'d> Interpreter<'d> {
    /// `text_bytes_max`: once a page has given this much text, the rest of it is not read.
    pub fn new(document: &'d Document, fonts: &'d mut Fonts, text_bytes_max: usize) -> Interpreter<'d> {
        let state = State {
            matrix: IDENTITY,
            font: None,
            size: 1.0,
            character_spacing: 0.0,
            word_spacing: 0.0,
            scaling: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        let (layout, stack, marks) = (Layout::default(), Vec::new(), Vec::new());
        Interpreter {
            document,
            fonts,
            layout,
            text_bytes_max,
            state,
            stack,
            text: IDENTITY,
            line: IDENTITY,
            marks,
            depth: 0,
        }
    }

    /// Runs a content stream with the resources that its names are looked up in.
    pub fn run(&mut self, content: &[u8], resources: &Dictionary) {
        let (mut lexer, mut operands) = (Lexer::new(content), Vec::new());
        while let Some(operator) = lexer.next(&mut operands) {
            if self.layout.len() > self.text_bytes_max {
                return;
            }
            self.operate(operator, &operands, resources);
        }
    }

    fn operate(&mut self, operator: &[u8], operands: &[Operand], resources: &Dictionary) {
        let n = |index: usize| operands.get(index).and_then(Operand::number).unwrap_or(0.0);
        let matrix = || [n(0), n(1), n(2), n(3), n(4), n(5)];
        match operator {
            b"q" if self.stack.len() < STATES_MAX => self.stack.push(self.state.clone()),
            b"Q" => self.state = self.stack.pop().unwrap_or_else(|| self.state.clone()),
            b"cm" => self.state.matrix = then(&matrix(), &self.state.matrix),
            b"BT" => (self.text, self.line) = (IDENTITY, IDENTITY),
            b"Tc" => self.state.character_spacing = n(0),
            b"Tw" => self.state.word_spacing = n(0),
            b"Tz" => self.state.scaling = n(0) / 100.0,
            b"TL" => self.state.leading = n(0),
            b"Ts" => self.state.rise = n(0),
            b"Tf" => {
                self.state.size = n(1);
                self.state.font = operands.first().and_then(Operand::name).and_then(|name| self.font(name, resources));
            }
            b"Td" => self.next_line(n(0), n(1)),
            b"TD" => {
                self.state.leading = -n(1);
                self.next_line(n(0), n(1));
            }
            b"Tm" => (self.text, self.line) = (matrix(), matrix()),
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tj" => self.show(operands.first()),
            b"TJ" => self.show_array(operands.first()),
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                self.show(operands.first());
            }
            b"\"" => {
                (self.state.word_spacing, self.state.character_spacing) = (n(0), n(1));
                self.next_line(0.0, -self.state.leading);
                self.show(operands.get(2));
            }
            b"BDC" => self.mark(operands.get(1), resources),
            b"BMC" => self.mark(None, resources),
            b"EMC" if self.marks.pop() == Some(true) => self.layout.instead_ends(),
            b"Do" => self.draw(operands.first().and_then(Operand::name).unwrap_or_default(), resources),
            b"gs" => self.graphics_state(operands.first().and_then(Operand::name).unwrap_or_default(), resources),
            _ => {}
        }
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = then(&[1.0, 0.0, 0.0, 1.0, x, y], &self.line);
        self.text = self.line;
    }

    fn font(&mut self, name: &[u8], resources: &Dictionary) -> Option<Rc<RefCell<Font>>> {
        let named = dictionary(resources, b"Font", self.document)?.get(name).ok()?;
        self.font_of(named)
    }

    fn font_of(&mut self, named: &Object) -> Option<Rc<RefCell<Font>>> {
        let (id, font) = self.document.dereference(named).ok()?;
        if let Some(known) = id.and_then(|id| self.fonts.get(&id)) {
            return Some(known.clone());
        }
        let font = Rc::new(RefCell::new(Font::read(font.as_dict().ok()?, self.document)));
        if let Some(id) = id {
            self.fonts.insert(id, font.clone());
        }
        Some(font)
    }

    fn graphics_state(&mut self, name: &[u8], resources: &Dictionary) {
        let found =
            dictionary(resources, b"ExtGState", self.document).and_then(|all| dictionary(all, name, self.document));
        let Some(Ok([font, size])) = found.and_then(|state| {
            let list = state.get_deref(b"Font", self.document).ok()?.as_array().ok()?;
            Some(<&[Object; 2]>::try_from(&list[..]))
        }) else {
            return;
        };
        self.state.font = self.font_of(font);
        self.state.size = number(size).unwrap_or(1.0);
    }

    fn show_array(&mut self, operand: Option<&Operand>) {
        let Some(Operand::Array(items)) = operand else { return self.show(operand) };
        for item in items {
            match item {
                Operand::Number(back) => self.advance(-back / 1000.0 * self.state.size * self.state.scaling),
                text => self.show(Some(text)),
            }
        }
    }

    fn advance(&mut self, by: f64) {
        self.text = then(&[1.0, 0.0, 0.0, 1.0, by, 0.0], &self.text);
    }

    fn show(&mut self, operand: Option<&Operand>) {
        let (Some(bytes), Some(font)) = (operand.and_then(Operand::text), self.state.font.clone()) else { return };
        // Text that the page shows is shown whether or not it is painted: the hidden layer of a scan is.
        let State { matrix, size, character_spacing, word_spacing, scaling, rise, .. } = self.state;
        let mut page = then(&self.text, &matrix);
        let (right, up) = ((page[0], page[1]), (page[2], page[3]));
        let height = size.abs() * up.0.hypot(up.1);
        let length = right.0.hypot(right.1);
        // A negative size or scaling writes backwards.
        let sign = if size * scaling < 0.0 { -1.0 } else { 1.0 };
        let along = if length > 0.0 { (sign * right.0 / length, sign * right.1 / length) } else { (1.0, 0.0) };
        let (mut moved, layout) = (0.0, &mut self.layout);
        font.borrow_mut().show(bytes, |shown| {
            let wide = shown.width / 1000.0 * size * scaling;
            let at = |x: f64| (page[0] * x + page[2] * rise + page[4], page[1] * x + page[3] * rise + page[5]);
            let place = Place { from: at(moved), to: at(moved + wide), along, size: height };
            layout.glyph(shown.text, place);
            let spacing = character_spacing + if shown.is_space_code { word_spacing } else { 0.0 };
            moved += wide + spacing * scaling;
        });
        page = IDENTITY;
        page[4] = moved;
        self.text = then(&page, &self.text);
    }

    /// Marked content that brings its own text, such as a ligature or a word parted at a line end.
    fn mark(&mut self, properties: Option<&Operand>, resources: &Dictionary) {
        let text = match properties {
            Some(Operand::Dictionary(pairs)) => {
                let found = pairs.iter().find(|(key, _)| **key == *b"ActualText");
                found.and_then(|(_, value)| value.text()).map(text_string)
            }
            Some(Operand::Name(name)) => dictionary(resources, b"Properties", self.document)
                .and_then(|all| dictionary(all, name, self.document))
                .and_then(|found| found.get_deref(b"ActualText", self.document).ok()?.as_str().ok())
                .map(text_string),
            _ => None,
        };
        let replaces = text.is_some() && !self.marks.contains(&true);
        if let Some(text) = text.filter(|_| replaces) {
            self.layout.instead(text);
        }
        if self.marks.len() < STATES_MAX {
            self.marks.push(replaces);
        }
    }

    fn draw(&mut self, name: &[u8], resources: &Dictionary) {
        let form =
            dictionary(resources, b"XObject", self.document).and_then(|all| all.get_deref(name, self.document).ok());
        if let Some(form) = form.and_then(|form| form.as_stream().ok()) {
            self.form(form, &IDENTITY, resources);
        }
    }

    /// Runs a form, moved by `place`, and comes back to where the page was.
    pub fn form(&mut self, form: &Stream, place: &Matrix, resources: &Dictionary) {
        let subtype = form.dict.get_deref(b"Subtype", self.document).and_then(Object::as_name);
        let is_form = subtype.is_ok_and(|name| name == b"Form");
        if !is_form || self.depth >= FORM_DEPTH_MAX {
            return;
        }
        let Ok(content) = form.get_plain_content_with_limit(STREAM_BYTES_MAX) else { return };
        let own = dictionary(&form.dict, b"Resources", self.document).map_or(Cow::Borrowed(resources), Cow::Borrowed);
        let (state, stack) = (self.state.clone(), std::mem::take(&mut self.stack));
        let (text, line, marks) = (self.text, self.line, self.marks.len());
        let matrix = form.dict.get_deref(b"Matrix", self.document).map_or(IDENTITY, matrix_of);
        self.state.matrix = then(&then(&matrix, place), &state.matrix);
        self.depth += 1;
        self.run(&content, &own);
        self.depth -= 1;
        self.marks.truncate(marks);
        (self.state, self.stack, self.text, self.line) = (state, stack, text, line);
    }
}

/// A matrix as an object; what is no matrix moves nothing.
pub(super) fn matrix_of(object: &Object) -> Matrix {
    let numbers: Vec<f64> = object.as_array().map(|list| list.iter().filter_map(number).collect()).unwrap_or_default();
    numbers.try_into().unwrap_or(IDENTITY)
}

/// A dictionary in a dictionary.
pub(super) fn dictionary<'a>(all: &'a Dictionary, key: &[u8], document: &'a Document) -> Option<&'a Dictionary> {
    all.get_deref(key, document).ok()?.as_dict().ok()
}

/// A text string of PDF: UTF-16 or UTF-8 with a mark in front, else one byte a character.
fn text_string(bytes: &[u8]) -> String {
    if let Some(wide) = bytes.strip_prefix(b"\xfe\xff") {
        let units: Vec<u16> = wide.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16_lossy(&units);
    }
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(narrow) => String::from_utf8_lossy(narrow).into_owned(),
        None => bytes.iter().map(|b| char::from(*b)).collect(),
    }
}

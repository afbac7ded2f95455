//! What does this PDF say? Its text layer, page by page, hidden or not.
//!
//! lopdf opens the file (cross-references, object streams, filters, decryption, repair); what stands on
//! a page is read here: `lexer` cuts the content stream into operators, `interpreter` runs those that
//! move and show text, `font` and `cmap` turn codes into Unicode, `layout` puts words and lines together.
//!
//! # Why
//! - On 60 gazette documents with 292,355 words, against pdftotext: lopdf's own text extraction finds 76.6 %
//!   of the words (it parts them where the font changes); pdf_oxide 0.3 finds 99.4 % in 4.1 s and takes most
//!   of 10 minutes of processor time to compile; what stands here finds 99.8 % in about 1 s. The rest is
//!   mostly deliberate: footnote numbers are parted from words, and numbers broken after a hyphen at a line
//!   end are whole (pdftotext makes `18/2022/TTBLĐTBXH` of them). `tests/content/corpus.rs` measures it.
//! - Not read: text that is drawn as shapes, legacy Vietnamese fonts (their letters come out as the Latin
//!   ones that they sit on), fonts that say nowhere what their glyphs mean, and encodings that stand only
//!   inside a Type 1 font program. Columns come in the order in which they were drawn.

mod cmap;
mod font;
mod interpreter;
mod layout;
mod lexer;

use crate::content::wire::{Sender, Stop};
use crate::record::component::Unread;
use interpreter::{Fonts, IDENTITY, Interpreter, dictionary};
use lopdf::{DecompressError, Dictionary, Document, Error, LoadOptions, Object, ObjectId};

/// The program that reads, for `made_by`.
pub(crate) const MADE_BY: &str = "lopdf 0.47";

/// What one stream, and one page, may be when it is unpacked.
const STREAM_BYTES_MAX: usize = 64 << 20;
/// Steps from a page up to the root of its tree.
const TREE_DEPTH_MAX: usize = 64;

/// Reads a PDF that lies in memory.
pub(crate) fn read(bytes: Vec<u8>, sender: &mut Sender) -> Result<(), Stop> {
    let document = open(bytes)?;
    let (mut fonts, mut damaged) = (Fonts::new(), false);
    let mut pages = document.page_iter();
    for page in pages.by_ref().take(sender.pages_max) {
        let text = page_text(&document, page, &mut fonts, sender.text_bytes_left())?;
        sender.page(&text)?;
        damaged |= is_damaged(&document, page);
    }
    let left = pages.count();
    match (sender.any_text, damaged || sender.pages == 0) {
        (true, _) => sender.end(left),
        (false, true) => Err(Unread::Corrupt.into()),
        (false, false) => Err(Unread::NoTextLayer.into()),
    }
}

/// A page that is not there, or whose content is not: there may have been text. Such a document is read as
/// far as it goes, but without any text it is not taken for a scan.
fn is_damaged(document: &Document, page: ObjectId) -> bool {
    let is_stream = |id: &ObjectId| document.get_object(*id).and_then(Object::as_stream).is_ok();
    document.get_dictionary(page).is_err() || !document.get_page_contents(page).iter().all(is_stream)
}

fn open(bytes: Vec<u8>) -> Result<Document, Stop> {
    // Images are most of a scan and say nothing here: without them a large file fits the child's memory.
    let without_images = |id: ObjectId, object: &mut Object| {
        let subtype = object.as_stream().and_then(|stream| stream.dict.get(b"Subtype")).and_then(Object::as_name);
        let is_image = subtype.is_ok_and(|name| name == b"Image");
        // lopdf looks at what is handed back only for members of object streams, which are never streams.
        let kept = if object.as_stream().is_ok() { Object::Null } else { object.clone() };
        (!is_image).then_some((id, kept))
    };
    let options = |force_reconstruct| LoadOptions {
        filter: Some(without_images),
        max_decompressed_size: Some(STREAM_BYTES_MAX),
        force_reconstruct,
        ..LoadOptions::default()
    };
    let mut document = Document::load_mem_with_options(&bytes, options(false)).map_err(unread);
    let no_pages = |document: &Document| !document.is_encrypted() && document.page_iter().next().is_none();
    if document.as_ref().is_ok_and(no_pages) {
        // Cross-references that read but lead nowhere: look for the objects themselves. lopdf does so of its
        // own accord only where nothing is filtered.
        document = Document::load_mem_with_options(&bytes, options(true)).map_err(unread);
    }
    let document = document?;
    // lopdf has tried the empty password, which opens what is only kept from being printed.
    if document.is_encrypted() { Err(Unread::Encrypted.into()) } else { Ok(document) }
}

fn unread(error: Error) -> Unread {
    match error {
        Error::Decompress(DecompressError::MemoryLimitExceeded { .. }) => Unread::TookTooMuchMemory,
        Error::InvalidPassword | Error::Decryption(_) | Error::UnsupportedSecurityHandler(_) => Unread::Encrypted,
        _ => Unread::Corrupt,
    }
}

fn page_text(document: &Document, id: ObjectId, fonts: &mut Fonts, text_bytes_max: usize) -> Result<String, Stop> {
    let Ok(page) = document.get_dictionary(id) else { return Ok(String::new()) };
    let content = document.get_page_content_with_limit(id, STREAM_BYTES_MAX).map_err(unread)?;
    let empty = Dictionary::new();
    let mut interpreter = Interpreter::new(document, fonts, text_bytes_max);
    interpreter.run(&content, inherited_resources(document, page).unwrap_or(&empty));
    drop(content);
    let text = interpreter.layout.finish();
    // From the start again: whatever the page left turned or scaled is not so for what lies on top of it.
    let mut interpreter = Interpreter::new(document, fonts, text_bytes_max.saturating_sub(text.len()));
    annotations(document, page, &mut interpreter, &empty);
    let notes = interpreter.layout.finish();
    Ok(if notes.is_empty() { text } else { format!("{text}\n{notes}") })
}

/// The resources of a page, or of the nearest node above it that has some.
fn inherited_resources<'d>(document: &'d Document, page: &'d Dictionary) -> Option<&'d Dictionary> {
    let mut node = page;
    for _ in 0..TREE_DEPTH_MAX {
        if let Some(resources) = dictionary(node, b"Resources", document) {
            return Some(resources);
        }
        node = dictionary(node, b"Parent", document)?;
    }
    None
}

/// Stamps, filled fields and signatures: they are drawn over the page, and among them is the number
/// that the registry stamps on.
fn annotations(document: &Document, page: &Dictionary, interpreter: &mut Interpreter, empty: &Dictionary) {
    let list = page.get_deref(b"Annots", document).and_then(Object::as_array);
    for annotation in list.into_iter().flatten() {
        let Some(annotation) = document.dereference(annotation).ok().and_then(|(_, object)| object.as_dict().ok())
        else {
            continue;
        };
        let flags = annotation.get_deref(b"F", document).ok().and_then(number).unwrap_or(0.0) as u32;
        let (hidden, no_view) = (flags & 2 != 0, flags & 32 != 0);
        let subtype = annotation.get_deref(b"Subtype", document).and_then(Object::as_name).unwrap_or_default();
        if hidden || no_view || !matches!(subtype, b"Widget" | b"Stamp" | b"FreeText") {
            continue;
        }
        let shown = dictionary(annotation, b"AP", document).and_then(|ap| ap.get_deref(b"N", document).ok());
        let shown = match shown {
            // A field with states, such as a tick box, names the one it shows.
            Some(Object::Dictionary(states)) => annotation
                .get_deref(b"AS", document)
                .and_then(Object::as_name)
                .and_then(|state| states.get_deref(state, document))
                .ok(),
            other => other,
        };
        if let Some(Ok(form)) = shown.map(Object::as_stream) {
            let mut place = IDENTITY;
            let rect = annotation.get_deref(b"Rect", document).and_then(Object::as_array);
            for (at, side) in rect.into_iter().flatten().take(2).enumerate() {
                place[4 + at] = number(side).unwrap_or(0.0);
            }
            interpreter.form(form, &place, empty);
        }
    }
}

/// A number, whole or not.
fn number(object: &Object) -> Option<f64> {
    match object {
        Object::Integer(number) => Some(*number as f64),
        Object::Real(number) => Some(f64::from(*number)),
        _ => None,
    }
}

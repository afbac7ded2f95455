//! What does this text say? It is its own text; here it becomes UTF-8 and NFC, parted at form feeds.

use crate::content::wire::{Sender, Stop};
use crate::record::component::Unread;
use std::io::Read;

/// Reads UTF-8.
pub(crate) fn read_utf8(input: impl Read, sender: &mut Sender) -> Result<(), Stop> {
    let text = String::from_utf8(bounded(input, sender)?).map_err(|_| Unread::Corrupt)?;
    pages(&text, sender)
}

/// Reads UTF-16, whose first character says in which order its bytes stand.
pub(crate) fn read_utf16(input: impl Read, sender: &mut Sender) -> Result<(), Stop> {
    let bytes = bounded(input, sender)?;
    let unit = if bytes.starts_with(b"\xfe\xff") { u16::from_be_bytes } else { u16::from_le_bytes };
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Unread::Corrupt.into());
    }
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    let text = text.map_err(|_| Unread::Corrupt)?;
    // Text has no such characters: these are other bytes that began like a byte-order mark.
    if text.contains(|c: char| c < ' ' && !"\t\n\r\u{c}".contains(c)) {
        return Err(Unread::Corrupt.into());
    }
    pages(&text, sender)
}

fn bounded(input: impl Read, sender: &Sender) -> Result<Vec<u8>, Stop> {
    // Twice the text, because UTF-16 needs two bytes for what may be one.
    let most = sender.text_bytes_left().saturating_mul(2).saturating_add(4);
    let mut bytes = Vec::new();
    input.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most { Err(Unread::TooMuchText.into()) } else { Ok(bytes) }
}

fn pages(text: &str, sender: &mut Sender) -> Result<(), Stop> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pages = text.split('\u{c}');
    for page in pages.by_ref().take(sender.pages_max) {
        sender.page(page)?;
    }
    sender.end(pages.count())
}

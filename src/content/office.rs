//! What is in this container? Word's documents, Excel's workbooks, and what else comes as ZIP or as a compound file.

use crate::content::format;
use crate::content::wire::{Sender, Stop};
use crate::content::{docx, xlsx};
use crate::record::component::Unread;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use std::io::{BufReader, Read, Seek, SeekFrom};
use zip::ZipArchive;
use zip::result::ZipError;

/// Members of one ZIP; a document has dozens.
const MEMBERS_MAX: usize = 20_000;
/// How much of a compound file is searched for its directory.
const DIRECTORY_BYTES: u64 = 64 << 10;
/// XML is larger than the text in it; unpacked parts together may be this many times the text allowed.
pub(crate) const XML_PER_TEXT: u64 = 8;
/// From here on what is unpacked may be at most `RATIO_MAX` times what is packed.
const RATIO_FROM_BYTES: u64 = 8 << 20;
const RATIO_MAX: u64 = 200;

/// Reads a ZIP if it is a Word document or an Excel workbook. `begin` is told the format before anything else happens.
pub(crate) fn read_zip(
    input: impl Read + Seek,
    guess: &'static str,
    sender: &mut Sender,
    begin: impl Fn(&mut Sender, &str) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut archive = match ZipArchive::new(input) {
        Ok(archive) => archive,
        Err(error) => {
            begin(sender, guess)?;
            return Err(unread(error));
        }
    };
    let has = |member: &[u8]| archive.file_names_raw().any(|name| name == member);
    let mime = match () {
        () if has(b"word/document.xml") || has(b"word/document2.xml") => format::DOCX,
        () if has(b"xl/workbook.xml") || has(b"xl/workbook.bin") => format::XLSX,
        () if has(b"ppt/presentation.xml") => format::PPTX,
        // A member in the folder of an office program does not make the document.
        () if [format::DOCX, format::XLSX, format::PPTX].contains(&guess) => format::ZIP,
        () => guess,
    };
    begin(sender, mime)?;
    if ![format::DOCX, format::XLSX].contains(&mime) {
        return Err(Unread::FormatNotRead.into());
    }
    if archive.len() > MEMBERS_MAX {
        return Err(Unread::Corrupt.into());
    }
    if mime == format::XLSX { xlsx::read(&mut archive, sender) } else { docx::read(&mut archive, sender) }
}

/// Takes the XML of a member to its end, an event at a time. What is unpacked is counted as it comes out, whatever the
/// archive claims, and taken off the budget.
pub(crate) fn read_xml<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    budget: &mut u64,
    mut take: impl FnMut(Event) -> Result<(), Unread>,
) -> Result<(), Stop> {
    let member = archive.by_name(name).map_err(unread)?;
    let packed = member.compressed_size();
    let allowed = (*budget).min(packed.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES));
    let mut reader = Reader::from_reader(BufReader::with_capacity(64 << 10, Counted { inner: member, left: allowed }));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut buffer = Vec::new();
    let outcome = loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break Ok(()),
            Ok(event) => {
                if let Err(unread) = take(event) {
                    break Err(unread);
                }
            }
            Err(quick_xml::Error::Io(error)) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                break Err(Unread::TooMuchText);
            }
            Err(_) => break Err(Unread::Corrupt),
        }
    };
    let left = reader.into_inner().into_inner().left;
    *budget -= allowed - left;
    Ok(outcome?)
}

/// The character that a reference in XML stands for; there are no entities but the five of XML itself.
pub(crate) fn referred(name: &BytesRef) -> Option<char> {
    let named = match &*name.xml10_content() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    };
    // A form feed parts pages, and is not for an entity to write.
    named.filter(|c| !c.is_control())
}

/// Lets so many bytes through and then fails, which `Read::take` does not.
struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        match self.left.checked_sub(length as u64) {
            Some(left) => self.left = left,
            None => return Err(std::io::ErrorKind::FileTooLarge.into()),
        }
        Ok(length)
    }
}

/// What a ZIP that cannot be read says about itself.
pub(crate) fn unread(error: ZipError) -> Stop {
    match error {
        ZipError::Io(error) if error.kind() == std::io::ErrorKind::OutOfMemory => Unread::TookTooMuchMemory.into(),
        ZipError::UnsupportedArchive(why) if why == ZipError::PASSWORD_REQUIRED => Unread::Encrypted.into(),
        _ => Unread::Corrupt.into(),
    }
}

/// Refines a compound file by the names in its directory, and says why it is not read.
pub(crate) fn compound(input: &mut (impl Read + Seek)) -> (&'static str, Unread) {
    let Ok(names) = directory(input) else { return (format::OLE, Unread::Corrupt) };
    let has = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        // Entries of the directory are 128 bytes and begin with their name.
        names.chunks(128).any(|entry| entry.starts_with(&wide))
    };
    match () {
        // An encrypted docx or xlsx is a compound file around it.
        () if has("EncryptedPackage") => (format::OLE, Unread::Encrypted),
        () if has("WordDocument") => (format::DOC, Unread::FormatNotRead),
        () if has("Workbook") || has("Book") => (format::XLS, Unread::FormatNotRead),
        () if has("PowerPoint Document") => (format::PPT, Unread::FormatNotRead),
        () => (format::OLE, Unread::FormatNotRead),
    }
}

/// The directory from its first sector on. It may go on elsewhere, but the names asked for come early.
fn directory(input: &mut (impl Read + Seek)) -> std::io::Result<Vec<u8>> {
    let mut header = [0; 52];
    input.seek(SeekFrom::Start(0))?;
    input.read_exact(&mut header)?;
    let shift = u16::from_le_bytes([header[30], header[31]]).clamp(9, 12);
    let sector = u32::from_le_bytes([header[48], header[49], header[50], header[51]]);
    input.seek(SeekFrom::Start((u64::from(sector) + 1) << shift))?;
    let mut bytes = Vec::new();
    input.take(DIRECTORY_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

//! What is in this container? Word's documents, and what else comes as ZIP or as a compound file.

use crate::content::docx;
use crate::content::format;
use crate::content::wire::{Sender, Stop};
use crate::record::component::Unread;
use std::io::{Read, Seek, SeekFrom};
use zip::ZipArchive;
use zip::result::ZipError;

/// Members of one ZIP; a document has dozens.
const MEMBERS_MAX: usize = 20_000;
/// How much of a compound file is searched for its directory.
const DIRECTORY_BYTES: u64 = 64 << 10;

/// Reads a ZIP if it is a Word document. `begin` is told the format before anything else happens.
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
    if mime != format::DOCX {
        return Err(Unread::FormatNotRead.into());
    }
    if archive.len() > MEMBERS_MAX {
        return Err(Unread::Corrupt.into());
    }
    docx::read(&mut archive, sender)
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

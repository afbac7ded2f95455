//! What is this bitstream, and what does it say?
//!
//! `format` tells what it is: by its content, never by its name. `read` tells what it says: text by page.
//! Parsers of foreign bytes run in a child process (`child`), this very program with a hidden word on its
//! command line, with limits on time, memory and output (`fence`) and one file that was opened for it.
//! It answers in frames (`wire`), which the parent reads as strictly as any foreign bytes.
//! The readers: `plain` text, `docx` and `xlsx` (in `office` containers), `pdf`.
//!
//! This module knows nothing of the archive: a component that cannot be read is kept all the same, and why
//! it was not is a word of `record`, not an error.
//!
//! # Why
//! - A process and not a thread: a parser that loops, recurses or allocates without end can be stopped only
//!   from outside, and it has no secrets to lose. It starts in about 2 ms.
//! - The child decides the format again by itself. What the caller believes serves only to spare the
//!   process where nothing here could read the answer.
//! - The child does not die with its parent's thread (`PR_SET_PDEATHSIG` is bound to the thread, and the
//!   runtime ends threads as it likes): one that is left alone meets a closed pipe or its limit of time.
//! - More pages than allowed give the first ones and the number left out; more text than allowed gives none,
//!   because it is a bomb far more often than a document.
//! - Left for later: OCR, signatures, legacy Vietnamese encodings, `doc`, `xls`, `odt`, `rtf`, HTML, XML.

pub mod child;
mod docx;
mod fence;
pub mod format;
mod office;
mod pdf;
mod plain;
mod process;
mod wire;
mod xlsx;

use crate::config;
use crate::record::component::{Format, PLAIN_TEXT, Unread};
use process::{Broken, Running};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use wire::{Receiver, Violation};

/// What came of reading one component.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The format, as precisely as reading found it out.
    pub format: Format,
    /// The software that read, with its version.
    pub made_by: String,
    pub outcome: Outcome,
}

/// The text, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Read {
        /// NFC, pages parted by U+000C, no other control but tab and line feed.
        text: String,
        pages: u32,
        /// Pages after these, which were not read because of `pages_max`.
        pages_left: u32,
    },
    Unread(Unread),
}

/// The reading itself could not be set up; nothing was learned about the component.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    #[error("the reading process could not be started: {0}")]
    Start(std::io::Error),
    #[error("the reading process could not be followed: {0}")]
    Follow(std::io::Error),
}

/// Whether anything here reads this format, or could find out more about it.
pub fn is_read(format: &Format) -> bool {
    use format::{DOCX, OLE, PDF, UTF16_TEXT, XLSX, ZIP};
    [PDF, DOCX, XLSX, ZIP, OLE, PLAIN_TEXT, UTF16_TEXT].contains(&format.mime.as_str())
}

/// Reads a bitstream in a child process. `program` is this program: `/proc/self/exe`, which is the running
/// one also after an upgrade has replaced its file, or `std::env::current_exe()`.
///
/// `input` is opened for reading and read from its beginning. Dropping the future ends the child.
/// How many run at once (`processes`) is the caller's to keep.
pub async fn read(
    program: &Path,
    input: File,
    format: &Format,
    limits: &config::Content,
) -> Result<Reading, ContentError> {
    if !is_read(format) {
        return Ok(not_read(format, Unread::FormatNotRead));
    }
    let mut running = Running::start(program, input, limits).map_err(ContentError::Start)?;
    let mut receiver = Receiver::new(limits);
    let time = Duration::from_secs(limits.seconds_max);
    let ended = tokio::time::timeout(time, running.follow(&mut receiver)).await;
    let found = receiver.format().unwrap_or(format).clone();
    let unread = match ended {
        Ok(Ok(ended)) if ended.in_order() => match receiver.finish() {
            Some(reading) => return Ok(reading),
            None => Unread::ReaderDied,
        },
        Ok(Ok(ended)) => ended.why(),
        Ok(Err(Broken::Io(error))) => return Err(ContentError::Follow(error)),
        Ok(Err(Broken::Violation(Violation::TooMuchText))) => Unread::TooMuchText,
        Ok(Err(Broken::Violation(Violation::Protocol))) => Unread::ReaderDied,
        Err(_) => Unread::TookTooLong,
    };
    Ok(not_read(&found, unread))
}

fn not_read(format: &Format, unread: Unread) -> Reading {
    Reading { format: format.clone(), made_by: child::ME.to_owned(), outcome: Outcome::Unread(unread) }
}

/// Bytes that lie in memory as an input for `read`, without touching a disk.
pub fn input(bytes: &[u8]) -> std::io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("vankho-content", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file)
}

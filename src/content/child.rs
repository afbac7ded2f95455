//! The reading child: a process of its own for one bitstream, which it gets on standard input.
//!
//! `main` is called before anything else in the program: no runtime, no thread, no log.

use crate::config;
use crate::content::format::{self, HEAD_BYTES, Utf8Check};
use crate::content::wire::{Sender, Stop};
use crate::content::{fence, office, pdf, plain};
use crate::record::component::{PLAIN_TEXT, Unread};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::process::ExitCode;

/// The hidden subcommand that makes the program a reading child.
pub const WORD: &str = "read-content";

/// This program, for `made_by`.
pub(crate) const ME: &str = concat!("vankho ", env!("CARGO_PKG_VERSION"));

/// Runs the child with what follows `WORD` on its command line: its limits, as JSON.
pub fn main(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let limits = args.next().and_then(|json| serde_json::from_str::<config::Content>(json.to_str()?).ok());
    let (Some(limits), Ok(input)) = (limits, std::io::stdin().as_fd().try_clone_to_owned()) else {
        return ExitCode::FAILURE;
    };
    if fence::close(&limits).is_err() {
        return ExitCode::FAILURE;
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut sender = Sender::new(&mut out, &limits);
    let told = match read(File::from(input), &limits, &mut sender) {
        Err(Stop::Unread(why)) => sender.unread(why),
        other => other,
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        // Without its last frame an answer is none; the words are for whoever runs this by hand.
        Err(stop) => {
            match stop {
                Stop::Unread(why) => eprintln!("stopped: {}", why.as_str()),
                Stop::Io(error) => eprintln!("stopped: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

fn read(mut input: File, limits: &config::Content, sender: &mut Sender) -> Result<(), Stop> {
    let size = input.seek(SeekFrom::End(0))?;
    let format = identify(&mut input)?;
    input.seek(SeekFrom::Start(0))?;
    match format {
        format::PDF => {
            begin(sender, format, Some(pdf::MADE_BY))?;
            pdf::read(whole(input, size, limits)?, sender)
        }
        format::ZIP | format::DOCX | format::XLSX | format::PPTX => {
            let begin = |sender: &mut Sender, mime: &str| begin(sender, mime, Some("zip 9, quick-xml 0.42"));
            office::read_zip(BufReader::new(input), format, sender, begin)
        }
        format::OLE => {
            let (format, why) = office::compound(&mut input);
            begin(sender, format, None)?;
            Err(why.into())
        }
        PLAIN_TEXT => {
            begin(sender, format, None)?;
            plain::read_utf8(input, sender)
        }
        format::UTF16_TEXT => {
            begin(sender, format, None)?;
            plain::read_utf16(input, sender)
        }
        _ => {
            begin(sender, format, None)?;
            Err(Unread::FormatNotRead.into())
        }
    }
}

fn begin(sender: &mut Sender, mime: &str, with: Option<&str>) -> Result<(), Stop> {
    sender.begin(mime, &with.map_or(ME.to_owned(), |with| format!("{ME} ({with})")))
}

/// The format by all of the content: whether a text is one is known at its end.
fn identify(input: &mut File) -> Result<&'static str, Stop> {
    input.seek(SeekFrom::Start(0))?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    input.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let by_head = format::mime(&head, false);
    if by_head != format::UNKNOWN && by_head != format::PDF {
        return Ok(by_head);
    }
    let (mut check, mut piece) = (Utf8Check::default(), vec![0; 64 << 10]);
    check.push(&head);
    while check.may_be_text() {
        match input.read(&mut piece)? {
            0 => break,
            length => check.push(&piece[..length]),
        }
    }
    Ok(format::mime(&head, check.is_text()))
}

/// All of the input. A file that cannot fit is told so before it is tried.
fn whole(input: File, size: u64, limits: &config::Content) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    let fits =
        size < limits.memory_bytes_max && usize::try_from(size).is_ok_and(|size| bytes.try_reserve_exact(size).is_ok());
    if !fits {
        return Err(Unread::TookTooMuchMemory.into());
    }
    input.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

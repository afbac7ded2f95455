//! A component (tệp): one bitstream of a record, named by its SHA-256.

use crate::record::digest::Digest;
use serde::{Deserialize, Serialize};

/// What a component is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// As it was handed over; never altered.
    Original,
    /// The text of another component: UTF-8, NFC, pages parted by a form feed (U+000C).
    Text,
}

/// Format by content, never by name: a MIME type, with a charset where text is not UTF-8.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    pub mime: String,
}

/// Why a component could not be read. It is archived all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// No reader for this format here.
    FormatNotRead,
    /// A scan: pages without a text layer; waits for OCR.
    NoTextLayer,
    /// Locked with a password.
    Encrypted,
    /// The content contradicts its own format.
    Corrupt,
    /// Reading took longer than allowed.
    TookTooLong,
    /// Reading needed more memory than allowed.
    TookTooMuchMemory,
    /// The text is larger than allowed.
    TooMuchText,
    /// The reading process died.
    ReaderDied,
}

impl Unread {
    /// The code as it is stored.
    pub fn as_str(&self) -> &'static str {
        match self {
            Unread::FormatNotRead => "format_not_read",
            Unread::NoTextLayer => "no_text_layer",
            Unread::Encrypted => "encrypted",
            Unread::Corrupt => "corrupt",
            Unread::TookTooLong => "took_too_long",
            Unread::TookTooMuchMemory => "took_too_much_memory",
            Unread::TooMuchText => "too_much_text",
            Unread::ReaderDied => "reader_died",
        }
    }
}

/// One component in a description. `ordinal` counts from 1 in a record and is never used again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub ordinal: u32,
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
    pub format: Format,
    pub role: Role,
    /// The file name as it came: neither trimmed nor normalised. Absent for renditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_name: Option<String>,
    /// For renditions: the ordinal of the component that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_from: Option<u32>,
    /// For renditions: the software that made it, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    /// Set where reading was tried and gave no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
}

/// The MIME type of UTF-8 text that was checked to be UTF-8: it is its own text.
pub const PLAIN_TEXT: &str = "text/plain";
/// The format of pages that the archive makes.
pub const PAGE: &str = "text/html";

impl Component {
    /// Is this text as it stands: an original that is UTF-8, or a text rendition?
    pub fn is_text(&self) -> bool {
        self.role == Role::Text || (self.format.mime == PLAIN_TEXT && self.unread.is_none())
    }
}

//! What is this bitstream? By its first bytes and by whether it is UTF-8, never by its name.

use crate::record::component::{Format, PLAIN_TEXT};

/// How much of the beginning `identify` wants to see; more does no harm.
pub const HEAD_BYTES: usize = 4096;

pub const PDF: &str = "application/pdf";
pub const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
pub const ZIP: &str = "application/zip";
pub const DOC: &str = "application/msword";
pub const XLS: &str = "application/vnd.ms-excel";
pub const PPT: &str = "application/vnd.ms-powerpoint";
/// Microsoft's compound file, before its directory was read. The only name here that IANA does not list.
pub const OLE: &str = "application/x-ole-storage";
/// Text in UTF-16 with its byte-order mark. Not `text/plain` alone: that is UTF-8 and its own text.
pub const UTF16_TEXT: &str = "text/plain;charset=utf-16";
pub const UNKNOWN: &str = "application/octet-stream";

/// Beginnings that decide by themselves: offset, bytes, type. The first that fits is taken.
const BEGINNINGS: [(usize, &[u8], &str); 19] = [
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"II+\0", "image/tiff"),
    (0, b"MM\0+", "image/tiff"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP8", "image/webp"),
    (8, b"WAVEfmt ", "audio/vnd.wave"),
    (4, b"ftypqt  ", "video/quicktime"),
    (4, b"ftypM4A ", "audio/mp4"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftyp", "video/mp4"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
];

/// The format of a bitstream, from its first bytes (`HEAD_BYTES` of them, or all there are) and from
/// `is_text`, the verdict of a `Utf8Check` over all of it.
///
/// A Word document may be called `application/zip` here, where its head does not show what is in it:
/// reading it refines that.
pub fn identify(head: &[u8], is_text: bool) -> Format {
    Format { mime: mime(head, is_text).to_owned() }
}

pub(crate) fn mime(head: &[u8], is_text: bool) -> &'static str {
    // Readers accept a PDF whose header begins anywhere in the first 1024 bytes.
    if find(&head[..head.len().min(1029)], b"%PDF-").is_some() && !is_text_that_mentions_pdf(head, is_text) {
        return PDF;
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return in_zip(head);
    }
    let fits = |(at, bytes, _): &&(usize, &[u8], &str)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes));
    if let Some((_, _, mime)) = BEGINNINGS.iter().find(fits) {
        return mime;
    }
    if is_mpeg_audio(head) {
        return "audio/mpeg";
    }
    if (head.starts_with(b"\xff\xfe") && !head.starts_with(b"\xff\xfe\0\0")) || head.starts_with(b"\xfe\xff") {
        return UTF16_TEXT;
    }
    markup(head).unwrap_or(if is_text { PLAIN_TEXT } else { UNKNOWN })
}

/// A text that quotes `%PDF-` further on is still a text: pure UTF-8 that does not begin with it.
fn is_text_that_mentions_pdf(head: &[u8], is_text: bool) -> bool {
    is_text && !head.starts_with(b"%PDF-")
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// HTML and XML say so in their first tag.
fn markup(head: &[u8]) -> Option<&'static str> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
    if begins("<!doctype html") || begins("<html") {
        return Some("text/html");
    }
    begins("<?xml").then_some("application/xml")
}

/// A ZIP shows what it is by the names of its first members.
fn in_zip(head: &[u8]) -> &'static str {
    let mut rest = head;
    while let Some(at) = find(rest, b"PK\x03\x04") {
        rest = &rest[at + 4..];
        let length = rest.get(22..24).map_or(0, |b| usize::from(u16::from_le_bytes([b[0], b[1]])));
        let extra = rest.get(24..26).map_or(0, |b| usize::from(u16::from_le_bytes([b[0], b[1]])));
        let name = rest.get(26..26 + length).unwrap_or_default();
        if name == b"mimetype" {
            let content = rest.get(26 + length + extra..).unwrap_or_default();
            if content.starts_with(b"application/vnd.oasis.opendocument.text") {
                return "application/vnd.oasis.opendocument.text";
            }
        }
        if let Some(mime) = member(name) {
            return mime;
        }
    }
    ZIP
}

/// What a member of this name makes of the ZIP around it.
pub(crate) fn member(name: &[u8]) -> Option<&'static str> {
    let table: [(&[u8], &str); 3] = [(b"word/", DOCX), (b"xl/", XLSX), (b"ppt/", PPTX)];
    table.iter().find(|(folder, _)| name.starts_with(folder)).map(|(_, mime)| *mime)
}

/// The header of an MPEG layer III frame, with every reserved value refused.
fn is_mpeg_audio(head: &[u8]) -> bool {
    let [0xff, b, c, ..] = *head else { return false };
    let (layer_three, version, rate) = (b & 0b1110_0110 == 0b1110_0010, b >> 3 & 3, c >> 2 & 3);
    layer_three && version != 1 && rate != 3 && !matches!(c >> 4, 0 | 15)
}

/// Is a stream UTF-8 text? Valid UTF-8 with no control characters but tab, line ends and form feed.
///
/// Fed piece by piece while the bytes pass by; pieces may cut a character in two.
#[derive(Clone, Debug, Default)]
pub struct Utf8Check {
    /// The beginning of a character whose end is still to come.
    cut: Vec<u8>,
    broken: bool,
    any: bool,
}

impl Utf8Check {
    /// The next piece.
    pub fn push(&mut self, mut piece: &[u8]) {
        self.any |= !piece.is_empty();
        while !self.broken && !self.cut.is_empty() && !piece.is_empty() {
            self.cut.push(piece[0]);
            piece = &piece[1..];
            match std::str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(e) => self.broken = e.error_len().is_some(),
            }
        }
        if self.broken || piece.is_empty() {
            return;
        }
        // Branch-free, so that the compiler makes vector code of it: ingest runs this over every byte.
        let control = |b: u8| ((b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r') & (b != 0x0c)) | (b == 0x7f);
        if piece.chunks(4096).any(|chunk| chunk.iter().fold(false, |bad, b| bad | control(*b))) {
            self.broken = true;
        } else if let Err(e) = std::str::from_utf8(piece) {
            self.broken = e.error_len().is_some();
            self.cut.extend_from_slice(
                &piece[e.valid_up_to()..][..if self.broken { 0 } else { piece.len() - e.valid_up_to() }],
            );
        }
    }

    /// The verdict, when everything was pushed. Nothing at all is not a text.
    pub fn is_text(&self) -> bool {
        self.any && !self.broken && self.cut.is_empty()
    }

    /// Whether it can still become a text; when it cannot, there is no need to push more.
    pub fn may_be_text(&self) -> bool {
        !self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], piece: usize) -> bool {
        let mut check = Utf8Check::default();
        bytes.chunks(piece).for_each(|piece| check.push(piece));
        check.is_text()
    }

    #[test]
    fn formats_by_their_beginning() {
        let odt =
            [b"PK\x03\x04".as_slice(), &[0; 22], &[8, 0, 0, 0], b"mimetypeapplication/vnd.oasis.opendocument.text"]
                .concat();
        let docx = [
            b"PK\x03\x04".as_slice(),
            &[0; 22],
            &[19, 0, 0, 0],
            b"[Content_Types].xml...PK\x03\x04",
            &[0; 22],
            &[11, 0, 0, 0],
            b"word/a.xml.",
        ]
        .concat();
        let cases: [(&[u8], bool, &str); 26] = [
            (b"%PDF-1.4\n", true, PDF),
            (b"\0\0junk%PDF-1.4", false, PDF),
            (b"how to write %PDF- files", true, PLAIN_TEXT),
            (b"PK\x03\x04", false, ZIP),
            (b"PK\x05\x06", false, ZIP),
            (&odt, false, "application/vnd.oasis.opendocument.text"),
            (&docx, false, DOCX),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", false, OLE),
            (b"{\\rtf1", true, "application/rtf"),
            (b"\x89PNG\r\n\x1a\n", false, "image/png"),
            (b"\xff\xd8\xff\xe0", false, "image/jpeg"),
            (b"MM\0*", false, "image/tiff"),
            (b"GIF89a", false, "image/gif"),
            (b"\0\0\0\x20ftypisom", false, "video/mp4"),
            (b"\0\0\0\x20ftypqt  ", false, "video/quicktime"),
            (b"ID3\x03", false, "audio/mpeg"),
            (b"\xff\xfb\x90\x64", false, "audio/mpeg"),
            (b"\xff\xff\xff\xff", false, UNKNOWN),
            (b"\xff\xfeA\0", false, UTF16_TEXT),
            (b"\xfe\xff\0A", false, UTF16_TEXT),
            (b"\xff\xfe\0\0A\0\0\0", false, UNKNOWN),
            (b"\xef\xbb\xbf <!DOCTYPE html>", true, "text/html"),
            (b"<?xml version='1.0'?>", true, "application/xml"),
            ("Quyết định".as_bytes(), true, PLAIN_TEXT),
            (b"Quy\xe9t", false, UNKNOWN),
            (b"", false, UNKNOWN),
        ];
        for (head, is_text, mime) in cases {
            assert_eq!(identify(head, is_text).mime, mime, "{}", head.escape_ascii());
        }
    }

    #[test]
    fn text_is_utf8_without_controls_however_it_is_cut() {
        let good = "\u{feff}Căn cứ\tLuật\r\n\u{c}số 33/2024/QH15 🇻🇳 \u{309}";
        for (bytes, text) in [
            (good.as_bytes(), true),
            (b"a\0b", false),
            (b"a\x1bb", false),
            (b"a\x7fb", false),
            (b"Quy\xe9t", false),
            (&good.as_bytes()[..5], false),
            (b"\xed\xa0\x80", false),
            (b"\xc0\xaf", false),
            (b"", false),
        ] {
            for piece in 1..9 {
                assert_eq!(check(bytes, piece), text, "{} by {piece}", bytes.escape_ascii());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn cutting_changes_nothing(bytes: Vec<u8>, text: String, piece in 1usize..20) {
            for bytes in [bytes, text.into_bytes()] {
                let control = |b: &u8| (*b < 0x20 && !b"\t\n\r\x0c".contains(b)) || *b == 0x7f;
                let expected = !bytes.is_empty() && std::str::from_utf8(&bytes).is_ok() && !bytes.iter().any(control);
                assert_eq!(check(&bytes, piece), expected);
                identify(&bytes, expected);
            }
        }
    }
}

//! Plain files out: under which names a record's components lie on somebody's disk.
//!
//! # Why
//! A name inside the archive is whatever it was on the depositor's disk. On the reader's disk it must be a
//! name on every usual system (Windows is the narrowest), must not lead out of the folder, must not pass
//! for an option of a command or for another type of file, and must not overwrite its neighbour. The
//! name as it came stays in the description beside the files.

use crate::record::{
    component::{Component, Role},
    description::Description,
    text,
};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// Bytes of a file name at most: the limit of ext4, XFS and APFS, and below the one of NTFS.
const NAME_BYTES_MAX: usize = 255;

/// An ending longer than this is not an ending that has to stay whole.
const ENDING_BYTES_MAX: usize = 32;

/// Names that the exporter itself writes into a record's folder.
pub const RESERVED: [&str; 3] = ["description.json", "receipt.txt", "findings.json"];

/// Names that Windows keeps for devices, whatever ending follows.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// A safe file name for each component, in order: unique in the folder whatever the case and the form.
pub fn export_names(description: &Description) -> Vec<(u32, String)> {
    let mut taken: HashSet<String> = RESERVED.iter().map(|name| key(name)).collect();
    let mut names: Vec<(u32, String)> = Vec::new();
    for component in &description.components {
        let wanted = safe(&wanted(component, &names), &format!("component-{}", component.ordinal));
        let name = (1..).map(|n| numbered(&wanted, n)).find(|name| taken.insert(key(name))).unwrap_or(wanted);
        names.push((component.ordinal, name));
    }
    names
}

/// The folder of a record: number and notation for people, the identifier so that no two are the same.
pub fn export_folder(description: &Description) -> String {
    let metadata = &description.metadata;
    let parts = [metadata.number.as_deref(), metadata.notation.as_deref()];
    let reference = parts.into_iter().flatten().collect::<Vec<_>>().join("-").replace(['/', '\\', ' '], "-");
    let id = description.record.to_string();
    match reference.is_empty() {
        true => id,
        false => format!("{}_{id}", cut(&safe(&text::line(&reference), "record"), 80)),
    }
}

/// A rendition is named after what it was made from.
fn wanted(component: &Component, before: &[(u32, String)]) -> String {
    if let Some(name) = &component.original_name {
        return name.clone();
    }
    let made_from = before.iter().find(|(ordinal, _)| Some(*ordinal) == component.made_from);
    let base = made_from.map_or_else(|| format!("component-{}", component.ordinal), |(_, name)| name.clone());
    let is_text = component.role == Role::Text || component.is_text();
    if is_text { format!("{base}.txt") } else { base }
}

/// A name that every usual system takes as the name of one file in one folder.
fn safe(name: &str, otherwise: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !matches!(part.trim(), "" | "." | "..")).unwrap_or("");
    let plain = last.replace(|c: char| c.is_control() || is_unsafe(c), "_");
    let trimmed = plain.trim_end_matches(['.', ' ']).trim_start();
    if trimmed.is_empty() {
        return otherwise.to_owned();
    }
    let stem = trimmed.split('.').next().unwrap_or(trimmed).trim_end().to_lowercase();
    let is_port = |kind| stem.strip_prefix(kind).is_some_and(|n| n.chars().count() == 1 && "0123456789¹²³".contains(n));
    let is_device = DEVICES.contains(&stem.as_str()) || is_port("com") || is_port("lpt");
    let led = trimmed.starts_with(['.', '-', '~']) || is_device;
    shortened(&if led { format!("_{trimmed}") } else { trimmed.to_owned() }, "")
}

/// Reserved on Windows, or turning the direction of writing, which makes `fdp.exe` look like `exe.pdf`.
fn is_unsafe(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The n-th of several files with one name: ` (2)` before the ending.
fn numbered(name: &str, n: u32) -> String {
    if n == 1 { name.to_owned() } else { shortened(name, &format!(" ({n})")) }
}

/// Stem, mark and ending in 255 bytes; the stem gives way.
fn shortened(name: &str, mark: &str) -> String {
    let ending = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= ENDING_BYTES_MAX);
    let (stem, ending) = name.split_at(ending.unwrap_or(name.len()));
    format!("{}{mark}{ending}", cut(stem, NAME_BYTES_MAX - mark.len() - ending.len()))
}

/// At most this many bytes, without half a character or a trailing space.
fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let end = (0..=bytes_max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].trim_end()
}

/// Under which two names are one on a system that minds neither case nor form.
fn key(name: &str) -> String {
    name.to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{component::Format, description::SCHEMA, digest::Digest, id::RecordId, metadata::Metadata};

    fn described(names: &[Option<&str>]) -> Description {
        let component = |(n, name): (usize, &Option<&str>)| Component {
            ordinal: n as u32 + 1,
            sha256: Digest::of(b"x"),
            size: 1,
            format: Format { mime: "application/pdf".into() },
            role: Role::Original,
            original_name: name.map(str::to_owned),
            made_from: None,
            made_by: None,
            unread: None,
        };
        Description {
            schema: SCHEMA.into(),
            record: RecordId::new(1_763_877_600_000, [7; 10]),
            replaces: None,
            salt: "00".repeat(32),
            metadata: Metadata::default(),
            components: names.iter().enumerate().map(component).collect(),
            findings: vec![],
            reasons: Vec::new(),
            secrecy: None,
        }
    }

    fn names(names: &[Option<&str>]) -> Vec<String> {
        export_names(&described(names)).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn names_made_safe() {
        let nfd: String = "Quyết định.pdf".nfd().collect();
        let long = format!("{}.pdf", "ệ".repeat(200));
        for (original, expected) in [
            ("Quyết định 48.pdf", "Quyết định 48.pdf"),
            (nfd.as_str(), nfd.as_str()),
            ("../../etc/passwd", "passwd"),
            ("/etc/passwd", "passwd"),
            ("C:\\scan\\a.pdf", "a.pdf"),
            ("a/..", "a"),
            ("..", "component-1"),
            ("", "component-1"),
            (" . ", "component-1"),
            ("a\0b\n.pdf", "a_b_.pdf"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("com10.txt", "com10.txt"),
            ("control.txt", "control.txt"),
            (".bashrc", "_.bashrc"),
            ("-rf", "_-rf"),
            ("a. ", "a"),
            ("48:QĐ*?.pdf", "48_QĐ__.pdf"),
            ("x\u{202e}fdp.exe", "x_fdp.exe"),
            ("description.json", "description (2).json"),
            ("Receipt.TXT", "Receipt (2).TXT"),
            (&long, &format!("{}.pdf", "ệ".repeat(83))),
        ] {
            assert_eq!(names(&[Some(original)]), [expected], "{original:?}");
        }
    }

    #[test]
    fn no_two_files_have_one_name() {
        let (nfc, nfd) = ("ệ.pdf", "ệ.pdf".nfd().collect::<String>());
        assert_eq!(
            names(&[Some("a.pdf"), Some("A.pdf"), Some("a (2).pdf"), Some("a.pdf")]),
            ["a.pdf", "A (2).pdf", "a (2) (2).pdf", "a (3).pdf"]
        );
        assert_eq!(
            names(&[Some(nfc), Some(&nfd), None, None])[1..],
            [format!("{} (2).pdf", &nfd[..nfd.len() - 4]), "component-3".into(), "component-4".into()]
        );
        let long = "x".repeat(300);
        let cut = names(&[Some(&long), Some(&long)]);
        assert!(cut.iter().all(|name| name.len() <= NAME_BYTES_MAX) && cut[0] != cut[1], "{cut:?}");
    }

    #[test]
    fn renditions_and_folders_are_named_after_what_they_belong_to() {
        let mut description = described(&[Some("a.pdf"), None]);
        description.components[1].role = Role::Text;
        description.components[1].made_from = Some(1);
        assert_eq!(export_names(&description)[1], (2, "a.pdf.txt".into()));
        let id = description.record.to_string();
        assert_eq!(export_folder(&description), id);
        description.metadata.number = Some("162".into());
        description.metadata.notation = Some("2026/NĐ-CP".into());
        assert_eq!(export_folder(&description), format!("162-2026-NĐ-CP_{id}"));
        description.metadata.number = Some("../..".into());
        description.metadata.notation = None;
        assert_eq!(export_folder(&description), format!("_..-.._{id}").replace("-.._", "-_"));
    }

    proptest::proptest! {
        #[test]
        fn any_names_become_safe_and_unique(given in proptest::collection::vec("[a./\\\\\\-: (2)\\u{0}\\u{1ec7}A]{0,8}|.{0,300}", 1..6)) {
            let given: Vec<Option<&str>> = given.iter().map(|s| Some(s.as_str())).collect();
            let names = names(&given);
            let keys: HashSet<String> = names.iter().map(|n| key(n)).collect();
            proptest::prop_assert_eq!(keys.len(), names.len());
            for name in names {
                proptest::prop_assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX);
                proptest::prop_assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with(['.', '-']));
            }
        }
    }
}

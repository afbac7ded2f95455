//! Real documents, where `VANKHO_CORPUS` names them: all are read, and what is known of them is found.

use crate::{program, text};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use vankho::config;
use vankho::content::format::{HEAD_BYTES, identify};
use vankho::content::read;
use vankho::record::text::{fold, nfc};

/// Of the words that pdftotext finds, so many must be found here. The rest is where the two differ on
/// purpose (footnote numbers, hyphens at line ends) or on what a gap is.
const RECALL_MIN: f64 = 0.995;

fn files(kind: &str) -> Option<Vec<PathBuf>> {
    let Some(corpus) = std::env::var_os("VANKHO_CORPUS") else {
        println!("VANKHO_CORPUS is not set: the corpus was not asked for");
        return None;
    };
    let folder = std::fs::read_dir(Path::new(&corpus).join(kind)).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no {kind} in the corpus");
    Some(files)
}

async fn text_of(path: &Path, mime: &str) -> String {
    let bytes = std::fs::read(path).unwrap();
    let format = identify(&bytes[..bytes.len().min(HEAD_BYTES)], false);
    let limits = config::Content::default();
    let reading = read(program(), File::open(path).unwrap(), &format, &limits).await.unwrap();
    assert_eq!(reading.format.mime, mime);
    text(&reading).to_owned()
}

fn words(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    // The two write the hyphen that Word draws differently.
    for word in nfc(text).replace('\u{ad}', "-").split_whitespace() {
        *words.entry(word.to_owned()).or_default() += 1;
    }
    words
}

#[tokio::test]
async fn gazette_documents_are_read_as_well_as_pdftotext_reads_them() {
    let Some(files) = files("pdf") else { return };
    let (mut theirs, mut ours, mut both) = (0, 0, 0);
    let (mut our_time, mut their_time) = (0.0, 0.0);
    for path in &files {
        let began = Instant::now();
        let text = text_of(path, "application/pdf").await;
        our_time += began.elapsed().as_secs_f64();
        let began = Instant::now();
        let reference = Command::new("pdftotext").arg(path).arg("-").output();
        their_time += began.elapsed().as_secs_f64();
        let reference = reference.expect("pdftotext is missing: apt-get install poppler-utils").stdout;
        let (reference, found) = (words(&String::from_utf8(reference).unwrap()), words(&text));
        theirs += reference.values().sum::<usize>();
        ours += found.values().sum::<usize>();
        both += reference.iter().map(|(word, count)| found.get(word).unwrap_or(&0).min(count)).sum::<usize>();
        the_number_in_the_name_is_in_the_text(path, &text);
    }
    let (recall, precision) = (both as f64 / theirs as f64, both as f64 / ours as f64);
    println!("{} files, {theirs} words: recall {recall:.4}, precision {precision:.4}", files.len());
    println!("{our_time:.2} s here, {their_time:.2} s in pdftotext");
    assert!(recall >= RECALL_MIN && precision >= RECALL_MIN, "recall {recall:.4}, precision {precision:.4}");
}

/// `…-so-145-2026-nd-cp-469483.pdf` is number 145/2026/NĐ-CP.
fn the_number_in_the_name_is_in_the_text(path: &Path, text: &str) {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let (_, number) = name.split_once("-so-").unwrap();
    let parts: Vec<&str> = number.split('-').collect();
    let letters = |text: &str| fold(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let number = letters(&parts[..parts.len() - 1].concat());
    assert!(letters(text).contains(&number), "{name}: {number} is not in the text");
}

#[tokio::test]
async fn forms_of_word_are_read() {
    let Some(files) = files("docx") else { return };
    let mut headed = 0;
    for path in &files {
        let text = text_of(path, vankho::content::format::DOCX).await;
        assert!(text.split_whitespace().count() > 200, "{}: {text}", path.display());
        // Forms begin with it; guides to forms do not.
        headed += usize::from(fold(&text).starts_with("cong hoa xa hoi chu nghia viet nam\ndoc lap"));
    }
    println!("{} documents, {headed} of them with the national heading first", files.len());
    assert!(headed > 0, "none has its heading on its first lines");
}

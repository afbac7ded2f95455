//! Input that means harm: there is always a verdict, in time, and the parent's memory does not grow.

use crate::build::{self, docx, paragraph, pdf, stream, word};
use crate::{format_of, limits, program, reading, text, unread};
use std::io::Write;
use vankho::content::{Outcome, input, read};
use vankho::record::component::Unread;

/// The most the parent may grow by while it reads: the text allowed, twice, and some room to work in.
const GROWTH_KIB_MAX: u64 = (16 + 24) << 10;

fn kib(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let found = status.lines().find_map(|l| l.strip_prefix(line)).unwrap();
    found.trim().trim_end_matches(" kB").parse().unwrap()
}

fn zeros(out: &mut dyn Write, mebibytes: usize) {
    let piece = vec![0; 1 << 20];
    (0..mebibytes).for_each(|_| out.write_all(&piece).unwrap());
}

/// A page tree of so many pages that all show the same text.
fn many_pages(count: usize, claimed: usize) -> Vec<u8> {
    let mut objects = build::pages(&[&["trang"]]);
    let kids: String = (0..count).map(|i| format!("{} 0 R ", 8 + i)).collect();
    objects[1] = format!("<</Type /Pages /Kids [{kids}] /Count {claimed} /Resources <</Font <</F 3 0 R>>>>>>");
    objects.extend((0..count).map(|_| "<</Type /Page /Parent 2 0 R /Contents 7 0 R>>".to_owned()));
    pdf(&objects)
}

/// Forms that each draw the next one ten times.
pub fn form_bomb() -> Vec<u8> {
    let mut objects = build::pages(&[&[]]);
    objects[6] = stream("", "/X Do");
    objects[5] = "<</Type /Page /Parent 2 0 R /Contents 7 0 R /Resources <</XObject <</X 8 0 R>>>>>>".into();
    for level in 0..11 {
        let entries = format!("/Type /XObject /Subtype /Form /Resources <</XObject <</X {} 0 R>>>>", 9 + level);
        objects.push(stream(&entries, &"/X Do ".repeat(10)));
    }
    pdf(&objects)
}

fn deflated(entries: &str, write: impl Fn(&mut dyn Write)) -> Vec<u8> {
    // The packed bytes of a ZIP member are what a Flate stream holds but for two bytes in front and a sum behind.
    let archive = build::zip(&[("x", &write)]);
    let mut reader = zip::ZipArchive::new(std::io::Cursor::new(&archive)).unwrap();
    let mut packed = vec![0x78, 0x01];
    std::io::copy(&mut reader.by_index_raw(0).unwrap(), &mut packed).unwrap();
    let mut object = format!("<<{entries} /Filter /FlateDecode /Length {}>>\nstream\n", packed.len()).into_bytes();
    object.extend_from_slice(&packed);
    object.extend_from_slice(b"\nendstream");
    object
}

/// A PDF whose last object is given as bytes; readers find it by looking for objects.
fn with_object(mut objects: Vec<String>, last: Vec<u8>) -> Vec<u8> {
    let place = format!("(placeholder {})", objects.len());
    objects.push(place.clone());
    let bytes = pdf(&objects);
    let at = bytes.windows(place.len()).position(|w| w == place.as_bytes()).unwrap();
    [&bytes[..at], &last, &bytes[at + place.len()..]].concat()
}

/// A page whose content is so many mebibytes when it is unpacked.
pub fn pdf_bomb(mebibytes: usize) -> Vec<u8> {
    let mut objects = build::pages(&[&[]]);
    objects[5] = "<</Type /Page /Parent 2 0 R /Contents 8 0 R>>".into();
    with_object(objects, deflated("", |out| zeros(out, mebibytes)))
}

/// A sound document whose cross-references name themselves as the ones before.
fn own_predecessor() -> Vec<u8> {
    let mut bytes = pdf(&build::pages(&[&["vòng"]]));
    let find = |word: &str| bytes.windows(word.len()).rposition(|w| w == word.as_bytes()).unwrap();
    let (table, root) = (find("xref\n0 "), find("/Root"));
    let prev = format!("/Prev {table} ");
    bytes.splice(root..root, prev.into_bytes());
    bytes
}

fn cases() -> Vec<(&'static str, Vec<u8>, Option<Unread>)> {
    let sound = pdf(&build::pages(&[&["một", "hai"], &["ba"]]));
    let entities = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><x>&b;</x>";
    let mut looped = build::pages(&[&["x"]]);
    looped[1] = "<</Type /Pages /Kids [2 0 R 2 0 R 6 0 R] /Count 3 /Parent 2 0 R>>".into();
    let mut own_form = build::pages(&[&[]]);
    own_form[5] = "<</Type /Page /Parent 2 0 R /Contents 7 0 R /Resources 8 0 R>>".into();
    own_form[6] = stream("", "/X Do BT /F 9 Tf (y) Tj ET");
    own_form.push("<</XObject <</X 9 0 R>> /Font <</F 10 0 R>>>>".into());
    own_form.push(stream("/Subtype /Form /Resources 8 0 R", "/X Do /X Do"));
    own_form.push("<</Type /Font /DescendantFonts [10 0 R] /ToUnicode 10 0 R /Encoding 10 0 R /W 10 0 R>>".into());
    let mut own_object = build::pages(&[&["x"]]);
    own_object[6] = "7 0 R".into();
    let deep = |out: &mut dyn Write| (0..10_000_000).for_each(|_| out.write_all(b"<w:p>").unwrap());
    let many = format!("<a {}/>", "q='\"' ".repeat(1_000_000));
    vec![
        ("nothing", Vec::new(), Some(Unread::FormatNotRead)),
        ("PDF, only its header", b"%PDF-1.7\n".to_vec(), Some(Unread::Corrupt)),
        ("PDF, cut in the middle", sound[..sound.len() / 2].to_vec(), Some(Unread::Corrupt)),
        ("PDF, page tree loop", pdf(&looped), None),
        ("PDF, object that is itself", pdf(&own_object), Some(Unread::NoTextLayer)),
        ("PDF, cross-reference loop", own_predecessor(), None),
        ("PDF, form that draws itself", pdf(&own_form), Some(Unread::NoTextLayer)),
        ("PDF, forms beyond number", form_bomb(), Some(Unread::TookTooLong)),
        ("PDF, deflate bomb", pdf_bomb(300), Some(Unread::TookTooMuchMemory)),
        ("docx, 1 GiB of zeros", word(&|out| zeros(out, 1024)), Some(Unread::TooMuchText)),
        ("docx, 10 million nested tags", word(&deep), Some(Unread::Corrupt)),
        ("docx, entities", word(&|out| out.write_all(entities.as_bytes()).unwrap()), Some(Unread::Corrupt)),
        ("docx, a million attributes", docx(&many), None),
        ("docx, one tag without end", word(&|out| out.write_all(&vec![b'<'; 30 << 20]).unwrap()), None),
        ("text, more than allowed", vec![b'a'; 40 << 20], Some(Unread::TooMuchText)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn harm_gets_a_verdict() {
    for (name, bytes, expected) in cases() {
        let (file, format) = (input(&bytes).unwrap(), format_of(&bytes));
        drop(bytes);
        // Begin to count the peak again.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let (before, began) = (kib("VmRSS:"), std::time::Instant::now());
        let reading = read(program(), file, &format, &limits()).await.unwrap();
        let (grown, took) = (kib("VmHWM:").saturating_sub(before), began.elapsed());
        println!("{name}: {:?} in {took:?}, {grown} KiB", unread(&reading));
        if let Some(why) = expected {
            assert_eq!(unread(&reading), Some(why), "{name}");
        }
        assert!(took.as_secs() <= limits().seconds_max, "{name} took {took:?}");
        assert!(grown < GROWTH_KIB_MAX, "{name}: the parent grew by {grown} KiB");
    }
    let before = kib("VmRSS:");
    let held = std::hint::black_box(vec![1u8; 128 << 20]);
    assert!(kib("VmHWM:") - before > GROWTH_KIB_MAX, "{} bytes more would have been seen", held.len());
}

#[tokio::test]
async fn a_hundred_thousand_pages_are_read_as_far_as_allowed() {
    for (there, claimed) in [(100_000, 100_000), (3, 100_000), (3, i32::MAX as usize), (3, 0)] {
        let reading = reading(&many_pages(there, claimed)).await;
        let Outcome::Read { pages, pages_left, .. } = reading.outcome else { panic!("{:?}", reading.outcome) };
        assert_eq!(((pages + pages_left) as usize, pages as usize), (there, there.min(limits().pages_max)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_documents_always_get_a_verdict() {
    let sound_pdf = pdf(&build::pages(&[&["Quyết định số 12", "Điều 1"], &["Điều 2"]]));
    let sound_docx = docx(&(0..20).map(|i| paragraph(&format!("Điều {i}"))).collect::<String>());
    assert!(text(&reading(&sound_docx).await).contains("Điều 19"));
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let (mut read_all_the_same, mut died) = (0, 0);
    for round in 0..600 {
        let sound = if round % 2 == 0 { &sound_pdf } else { &sound_docx };
        let mut bytes = sound.clone();
        for _ in 0..=random(6) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = random(256) as u8,
                2 => bytes[at] ^= 1 << random(8),
                _ => {
                    let to = (at + random(40)).min(bytes.len());
                    bytes.drain(at..to);
                    bytes.push(b' ');
                }
            }
        }
        let found = crate::reading_as(&bytes, &format_of(sound)).await;
        read_all_the_same += usize::from(unread(&found).is_none());
        died += usize::from(unread(&found) == Some(Unread::ReaderDied));
    }
    println!("{read_all_the_same} of 600 damaged documents were read all the same, {died} readers died");
    assert!((50..550).contains(&read_all_the_same), "{read_all_the_same}: the damage should be of both kinds");
}

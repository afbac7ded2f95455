//! Hostile and broken things through the real program: a finding or a mark, never a crash, and memory that
//! does not follow the input.

use crate::{
    place::vankho,
    world::{ORIGIN, PROGRAM, World, docx, pdf, row},
};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use vankho::record::finding::Code;

/// How much memory the program itself may ever hold; the reading child has its own limit.
const MEMORY_KIB_MAX: u64 = 256 << 10;

/// The same while rows of 5 MB come one after the other: each must be whole to be read, and
/// `ingest.concurrency` of them are under way at once.
const MEMORY_OF_LONG_ROWS_KIB_MAX: u64 = 500 << 10;

struct Ended {
    code: Option<i32>,
    lines: Vec<Value>,
    errors: String,
    memory_kib: u64,
}

impl Ended {
    /// The codes of a row's findings.
    fn codes(&self, row: u64) -> Vec<String> {
        let line = self.lines.iter().find(|line| line["row"].as_u64() == Some(row));
        let line = line.unwrap_or_else(|| panic!("row {row} has no answer: {} {:?}", self.errors, self.lines));
        let findings = line["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }

    fn kept(&self) -> usize {
        self.lines.iter().filter(|line| line.get("receipt").is_some()).count()
    }
}

/// Hears a pipe out beside whatever else is done.
fn read(mut from: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        from.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Takes a manifest in and watches the program's memory while it does.
fn ingest(data: &Path, manifest: &Path) -> Ended {
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(["--json", "--language", "en", "--data"]).arg(data).args(["ingest", "--manifest"]);
    let mut child = command.arg(manifest).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (stdout, stderr) = (read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap()));
    let mut memory_kib = 0;
    let code = loop {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let peak = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        memory_kib = memory_kib.max(peak.unwrap_or(0));
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let (stdout, errors) = (stdout.join().unwrap(), stderr.join().unwrap());
    let lines = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!errors.contains("panicked"), "{errors}");
    Ended { code, lines, errors, memory_kib }
}

/// A page tree that is its own child.
fn looping_pdf() -> Vec<u8> {
    let text = String::from_utf8(pdf("hello")).unwrap();
    text.replace("/Kids [3 0 R] /Count 1", "/Kids [2 0 R] /Count 1").into_bytes()
}

/// A docx whose text is a gigabyte of one letter.
fn bomb() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    let whole = docx("");
    let mut parts = zip::ZipArchive::new(std::io::Cursor::new(&whole)).unwrap();
    zip.raw_copy_file(parts.by_name("[Content_Types].xml").unwrap()).unwrap();
    zip.start_file("word/document.xml", options).unwrap();
    zip.write_all(b"<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r><w:t>").unwrap();
    let piece = vec![b'a'; 1 << 20];
    (0..1024).for_each(|_| zip.write_all(&piece).unwrap());
    zip.write_all(b"</w:t></w:r></w:p></w:body></w:document>").unwrap();
    zip.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_rows_and_files() {
    let world = World::on_disk().await;
    let nfd = "Quye\u{302}\u{301}t d\u{323}i\u{323}nh.txt";
    let files: [(&str, Vec<u8>); 9] = [
        ("zero.pdf", Vec::new()),
        ("truncated.pdf", pdf("hello")[..200].to_vec()),
        ("looping.pdf", looping_pdf()),
        ("bomb.docx", bomb()),
        ("really-a-docx.pdf", docx("đội tên khác")),
        ("program.docx", [&b"\x7fELF\x02\x01\x01"[..], &[0; 500]].concat()),
        (nfd, "tên NFD".into()),
        ("half.docx", docx("một nửa")[..300].to_vec()),
        ("good.txt", "vẫn được nhận".into()),
    ];
    let mut manifest = Vec::new();
    for (name, bytes) in &files {
        world.file(name, bytes);
        manifest.extend(row(name, &format!("tệp {name}"), &format!(r#""components":["{name}"]"#)).into_bytes());
    }
    let text = "văn ".repeat(1 << 20);
    let rows: [Vec<u8>; 8] = [
        row("escape", "ra ngoài", r#""components":["../../etc/passwd"]"#).into_bytes(),
        row("absolute", "tuyệt đối", r#""components":["/etc/passwd"]"#).into_bytes(),
        row("device", "thiết bị", r#""components":["."]"#).into_bytes(),
        row("long", "năm triệu", &format!(r#""text":"{text}""#)).into_bytes(),
        [&b"{\"subject\":\"\xff\xfe\",\"text\":\"x\"}\n"[..]].concat(),
        row("type", "sai kiểu", r#""components":{"a":[1,2,{"b":null}]},"pages":"many""#).into_bytes(),
        b"{\"subject\":\"deep\",\"keywords\":".iter().copied().chain([b'['; 100_000]).chain(*b"\n").collect(),
        row("nul", "nul \\u0000 \\u202e", r#""text":"a\u0000b""#).into_bytes(),
    ];
    rows.iter().for_each(|row| manifest.extend(row));
    let manifest = world.file("m.jsonl", manifest);
    let ended = ingest(world.data.path(), &manifest);
    assert_eq!(ended.code, Some(1), "refused rows are 1, not 2: {}", ended.errors);
    for (row, code) in [
        (1, Code::EmptyComponent),
        (10, Code::NameEscapes),
        (11, Code::NameEscapes),
        (12, Code::UnreadableComponent),
        (14, Code::MalformedRow),
        (15, Code::MalformedRow),
        (16, Code::MalformedRow),
    ] {
        assert!(ended.codes(row).contains(&code.as_str().to_owned()), "row {row}: {:?}", ended.codes(row));
    }
    assert_eq!((ended.lines.len(), ended.kept()), (17, 10));
    assert!(ended.memory_kib > 0 && ended.memory_kib < MEMORY_KIB_MAX, "{} KiB", ended.memory_kib);
    eprintln!("hostile rows: {} KiB at most", ended.memory_kib);
    let archive = world.open().await.unwrap();
    for (name, read) in [
        ("truncated.pdf", false),
        ("looping.pdf", false),
        ("bomb.docx", false),
        ("program.docx", false),
        ("half.docx", false),
        ("really-a-docx.pdf", true),
    ] {
        let known = archive.catalog.by_external_id(name).await.unwrap().remove(0);
        let description = archive.description(known.record).await.unwrap().unwrap().description;
        let marked = description.components[0].unread.is_some();
        assert_eq!(marked, !read, "{name}: {:?}", description.components[0]);
    }
    let known = archive.catalog.by_external_id(nfd).await.unwrap();
    assert_eq!(known.len(), 0, "an identifier is one line of NFC");
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_ten_million_columns() {
    let world = World::on_disk().await;
    let commas = ",".repeat(10_000_000);
    let wide = world.file("wide.csv", format!("external_id,subject,text\n1,một,x\n2,hai{commas}\n3,ba,y\n"));
    let ended = ingest(world.data.path(), &wide);
    assert_eq!((ended.code, ended.kept()), (Some(1), 2), "{}", ended.errors);
    assert_eq!(ended.codes(2), [Code::MalformedRow.as_str()]);
    assert!(ended.memory_kib < MEMORY_KIB_MAX, "{} KiB", ended.memory_kib);
    // A header that cannot be read is no row that is refused: nothing can be taken in at all.
    let header = world.file("header.csv", format!("subject{commas}\nx\n"));
    let ended = ingest(world.data.path(), &header);
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains("does not name the columns"), "{}", ended.errors);
    assert!(ended.memory_kib < MEMORY_KIB_MAX, "{} KiB", ended.memory_kib);
    world.check().await;
}

/// Rows of 5 MB, more of them than are promised, read ahead and under way at once: what is in memory follows
/// none of those numbers.
#[tokio::test(flavor = "multi_thread")]
async fn long_rows_one_after_the_other() {
    const ROWS: usize = 150;
    let world = World::on_disk().await;
    let manifest = world.inbox.path().join("m.jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&manifest).unwrap());
    // Some words, so that there is something to find, and one endless one.
    let text = "văn bản dài ".repeat(10_000) + &"x".repeat(4_840_000);
    for n in 0..ROWS {
        file.write_all(row(&n.to_string(), "năm triệu", &format!(r#""text":"{n} {text}""#)).as_bytes()).unwrap();
    }
    file.into_inner().unwrap();
    let ended = ingest(world.data.path(), &manifest);
    eprintln!("{ROWS} rows of 5 MB: {} KiB at most", ended.memory_kib);
    assert_eq!((ended.code, ended.kept()), (Some(0), ROWS), "{}", ended.errors);
    assert!(ended.memory_kib < MEMORY_OF_LONG_ROWS_KIB_MAX, "{} KiB", ended.memory_kib);
    fs::remove_file(manifest).unwrap();
    world.check().await;
}

/// One record of 300 components, each just too small to wait on disk.
#[tokio::test(flavor = "multi_thread")]
async fn many_components_of_one_record() {
    let world = World::on_disk().await;
    let mut names = Vec::new();
    for n in 0..300u16 {
        world.file(&format!("{n}.bin"), n.to_le_bytes().repeat(450_000));
        names.push(format!(r#""{n}.bin""#));
    }
    let manifest = world.file("m.jsonl", row("1", "ba trăm tệp", &format!(r#""components":[{}]"#, names.join(","))));
    let ended = ingest(world.data.path(), &manifest);
    eprintln!("300 components of 900 KB: {} KiB at most", ended.memory_kib);
    assert_eq!((ended.code, ended.kept()), (Some(0), 1), "{}", ended.errors);
    assert!(ended.memory_kib < MEMORY_KIB_MAX, "{} KiB", ended.memory_kib);
    let archive = world.open().await.unwrap();
    let known = archive.catalog.by_external_id("1").await.unwrap().remove(0);
    let description = archive.description(known.record).await.unwrap().unwrap().description;
    assert_eq!(description.components.len(), 300);
    archive.close().await.unwrap();
    world.check().await;
}

/// A file system of its own, unmounted when dropped.
struct Small<'a>(&'a Path);

impl Small<'_> {
    fn mount(at: &Path, options: &str) {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(at).output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "a full disk is tried on a tmpfs, which needs the right to mount (root): {told}"
        );
    }

    fn grow(&self) {
        Small::mount(self.0, "remount,size=256m");
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0).status().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing() {
    // The whole data folder on the small disk, then the archive's bytes alone.
    for whole in [true, false] {
        let world = World::on_disk().await;
        let data = tempfile::tempdir().unwrap();
        let at = if whole { data.path().to_owned() } else { data.path().join("archive") };
        fs::create_dir_all(&at).unwrap();
        Small::mount(&at, "size=12m");
        let small = Small(&at);
        assert_eq!(vankho(data.path(), &["init", "--origin", ORIGIN]).status.code(), Some(0));
        let mut rows = String::new();
        for n in 0..40 {
            let large = if n % 4 == 0 { 2 << 20 } else { 300 << 10 };
            world.file(&format!("{n}.bin"), vec![n as u8; large]);
            rows += &row(&n.to_string(), &format!("tệp {n}"), &format!(r#""components":["{n}.bin"]"#));
        }
        let manifest = world.file("m.jsonl", rows);
        let first = ingest(data.path(), &manifest);
        let refused = first.lines.iter().filter(|line| line.get("receipt").is_none()).count();
        eprintln!(
            "whole {whole}: {} kept, {refused} not, exit {:?}, {}",
            first.kept(),
            first.code,
            first.errors.trim()
        );
        assert!(matches!(first.code, Some(1 | 2)), "{:?} {}", first.code, first.errors);
        assert!(first.kept() < 40);
        for line in first.lines.iter().filter(|line| line.get("receipt").is_none()) {
            assert_eq!(line["findings"][0]["code"], Code::NotKept.as_str(), "{line}");
        }
        let told = first.errors.to_lowercase() + &first.lines.iter().map(|line| line.to_string()).collect::<String>();
        assert!(told.contains("space") || told.contains("full"), "it says why: {told}");
        let audit = vankho(data.path(), &["verify", "archive"]);
        assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stdout));
        small.grow();
        let second = ingest(data.path(), &manifest);
        assert_eq!((second.code, second.kept()), (Some(0), 40), "{}", second.errors);
        for line in first.lines.iter().filter(|line| line.get("receipt").is_some()) {
            let again = second.lines.iter().find(|again| again["row"] == line["row"]).unwrap();
            assert_eq!(again["record"], line["record"], "what was acknowledged is the same record");
        }
        let audit = vankho(data.path(), &["verify", "archive"]);
        assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stdout));
        let status = vankho(data.path(), &["status", "--json"]);
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(status["records"], 40);
        world.check().await;
    }
}

//! Manifests and folders in, as a depositor would hand them over: good, wrong and hostile.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization;
use vankho::config::Ingest;
use vankho::exchange::{self, ExchangeError, folder::open_folder, manifest::open_manifest};
use vankho::record::finding::{Code, Severity};
use vankho::record::package::{Package, Source};

fn limits() -> Ingest {
    Ingest { row_bytes_max: 4096, components_max: 3, component_bytes_max: 1000, ..Ingest::default() }
}

fn read(path: &Path, limits: &Ingest) -> Vec<Package> {
    exchange::open(path, limits).unwrap_or_else(|e| panic!("{e}")).collect()
}

fn codes(package: &Package) -> BTreeSet<&'static str> {
    package.findings.iter().map(|f| f.code.as_str()).collect()
}

/// A manifest in a folder of its own.
fn manifest(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// A row with nothing wrong but its components.
fn row(components: &str) -> String {
    format!(
        r#"{{"subject":"s","type":"02","issued":2026,"agency":"a","language":"vi","pages":1,"components":{components}}}"#
    )
}

#[test]
fn the_name_of_a_bad_manifest_is_the_code_it_causes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifest/invalid");
    let mut seen = HashSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            continue;
        }
        let expected = Code::ALL.iter().filter(|c| name.starts_with(c.as_str())).max_by_key(|c| c.as_str().len());
        let expected = expected.unwrap_or_else(|| panic!("{name} is named after no code"));
        let packages = read(&path, &limits());
        assert!(!packages.is_empty(), "{name}");
        for package in packages {
            let found = codes(&package);
            assert_eq!(
                found,
                BTreeSet::from([expected.as_str()]),
                "{name} row {}: {:?}",
                package.row,
                package.findings
            );
            assert!(package.findings.iter().all(|f| f.row == Some(package.row) && f.field.is_some()), "{name}");
        }
        seen.insert(*expected);
    }
    // These need an archive, or the bytes.
    let beyond = [
        Code::DuplicateNumber,
        Code::DuplicateContent,
        Code::DuplicateExternalId,
        Code::DigestMismatch,
        Code::SecrecyMark,
        Code::NotKept,
    ];
    for code in Code::ALL {
        assert!(seen.contains(code) != beyond.contains(code), "{code:?}");
    }
}

#[test]
fn good_rows_of_both_kinds_say_the_same() {
    let digest = "9d6f965ac832e40a5df6c06afe983e3b449c07b843ff51ce76204de05c690d11";
    let json = format!(
        r#"{{"external_id":"7","subject":"Quyết định; về việc \"A\"","number":"48/QĐ-UBND","issued":"2026-05-15",
            "agency":"UBND tỉnh","type":"Quyết định","language":["vi","en"],"pages":2,"access":"public",
            "keywords":["đất","nhà"],"components":[{{"path":"a/b.pdf","sha256":"{digest}"}},"c.pdf"],"note":"x"}}"#
    )
    .replace('\n', " ");
    let csv = format!(
        "\u{feff}External_ID,SUBJECT,number,issued,agency,type,languages,pages,access,keywords,components,sha256,note\r\n\
         \r\n,,,,,,,,,,,,\r\n\
         7,\"Quyết định; về việc \"\"A\"\"\",48/QĐ-UBND,15/5/2026,UBND tỉnh,Quyết định,vi;en,2,công khai,đất;nhà,a/b.pdf; c.pdf,{digest};,x\r\n"
    );
    let mut all = Vec::new();
    for (name, text) in [("m.jsonl", json), ("m.csv", csv.clone()), ("m.tsv", csv.replace(',', "\t"))] {
        let (folder, path) = manifest(name, text);
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b.pdf"), "b").unwrap();
        fs::write(folder.path().join("c.pdf"), "c").unwrap();
        let packages = read(&path, &limits());
        assert_eq!((packages.len(), packages[0].row), (1, 1), "{name}");
        assert_eq!(packages[0].findings, vec![], "{name}");
        let names: Vec<(String, bool)> = packages[0]
            .components
            .iter()
            .map(|c| match c {
                Source::File { name, expected, path } if path.is_file() => (name.clone(), expected.is_some()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names, [("b.pdf".into(), true), ("c.pdf".into(), false)]);
        all.push(packages[0].metadata.clone());
    }
    assert_eq!((&all[0], &all[0]), (&all[1], &all[2]));
    assert_eq!((all[0].number.as_deref(), all[0].notation.as_deref()), (Some("48"), Some("QĐ-UBND")));
}

#[test]
fn text_in_a_row_becomes_nfc_and_nothing_else() {
    let text = "  Quyết định của Ðà Nẵng\r\n\u{0}";
    let nfd: String = text.nfd().collect();
    assert_ne!(nfd, text);
    let whole = row("[]").replace("\"components\":[]", &format!("\"text\":{}", serde_json::to_string(&nfd).unwrap()));
    let (_folder, path) = manifest("m.ndjson", whole);
    let packages = read(&path, &limits());
    assert!(matches!(&packages[0].components[..], [Source::Text { text: given }] if given == text));
    assert_eq!(packages[0].findings, vec![]);
}

#[test]
fn a_name_is_found_in_either_form_and_kept_as_written() {
    let (nfc, nfd): (String, String) = ("Quyết định.pdf".nfc().collect(), "Quyết định.pdf".nfd().collect());
    for (written, on_disk) in [(&nfc, &nfd), (&nfd, &nfc), (&nfd, &nfd)] {
        let (folder, path) = manifest("m.jsonl", row(&format!(r#"["thư/{written}","thư\\{written}"]"#)));
        fs::create_dir(folder.path().join("thư")).unwrap();
        fs::write(folder.path().join("thư").join(on_disk), "x").unwrap();
        let packages = read(&path, &limits());
        assert_eq!(packages[0].findings, vec![]);
        for component in &packages[0].components {
            assert!(matches!(component, Source::File { name, path, .. } if name == written && path.is_file()));
        }
    }
}

#[test]
fn what_is_no_plain_file_inside_the_folder_is_refused_without_waiting() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.txt"), "x").unwrap();
    let rows =
        [r#"["link.txt"]"#, r#"["folder/secret.txt"]"#, r#"["pipe"]"#, r#"["broken"]"#, r#"["loop"]"#, r#"["inside"]"#];
    let (folder, path) = manifest("m.jsonl", rows.map(row).join("\n"));
    let at = |name: &str| folder.path().join(name);
    fs::write(at("real.txt"), "x").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.txt"), at("link.txt")).unwrap();
    std::os::unix::fs::symlink(outside.path(), at("folder")).unwrap();
    std::os::unix::fs::symlink(at("nowhere"), at("broken")).unwrap();
    std::os::unix::fs::symlink(at("loop"), at("loop")).unwrap();
    std::os::unix::fs::symlink("real.txt", at("inside")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(made.success());
    let found: Vec<Vec<&str>> = read(&path, &limits()).iter().map(|p| codes(p).into_iter().collect()).collect();
    let (escapes, unreadable) = (vec!["name_escapes"], vec!["unreadable_component"]);
    assert_eq!(found, [&escapes, &escapes, &unreadable, &unreadable, &unreadable, &vec![]].map(Clone::clone));
}

#[test]
fn what_is_no_manifest() {
    let (folder, csv) = manifest("m.csv", "number;notation\n1;2\n");
    let refused = |path: &Path| open_manifest(path, &limits()).map(|_| ()).unwrap_err();
    assert!(matches!(refused(&csv), ExchangeError::Header { .. }));
    assert!(matches!(refused(&folder.path().join("none.jsonl")), ExchangeError::Unreadable { .. }));
    fs::create_dir(folder.path().join("folder.jsonl")).unwrap();
    assert!(matches!(refused(&folder.path().join("folder.jsonl")), ExchangeError::NotAManifest { .. }));
    fs::write(folder.path().join("m.xlsx"), "x").unwrap();
    assert!(matches!(refused(&folder.path().join("m.xlsx")), ExchangeError::NotAManifest { .. }));
    let utf16: Vec<u8> = "\u{feff}subject\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&csv, utf16).unwrap();
    assert!(matches!(refused(&csv), ExchangeError::NotText { .. }));
    fs::write(&csv, b"subject;ghi ch\xfa\n").unwrap();
    assert!(matches!(refused(&csv), ExchangeError::NotText { .. }));
    for name in ["empty.csv", "empty.jsonl"] {
        for text in ["", "\n\r\n  \n", "\u{feff}"] {
            let (_folder, path) = manifest(name, text);
            assert_eq!(read(&path, &limits()).len(), 0, "{name} {text:?}");
        }
    }
    assert!(matches!(open_folder(&csv, &limits()).map(|_| ()), Err(ExchangeError::Unreadable { .. })));
}

#[test]
fn a_mended_manifest_keeps_the_identity_of_its_other_rows() {
    let rows = [row("[]"), "{broken".into(), row("[ ]"), row("[]"), "x".repeat(9000), row("[]")];
    let identities = |rows: &[String]| {
        let (_folder, path) = manifest("m.jsonl", rows.join("\n"));
        let identities: Vec<_> = read(&path, &limits()).iter().map(|p| p.identity).collect();
        assert_eq!(identities.iter().collect::<HashSet<_>>().len(), rows.len(), "each its own");
        identities
    };
    let before = identities(&rows);
    assert_eq!(before, identities(&rows));
    let mut mended = rows.clone();
    mended[1] = row("[  ]");
    let after = identities(&mended);
    let changed: Vec<usize> = (0..rows.len()).filter(|n| before[*n] != after[*n]).collect();
    assert_eq!(changed, [1]);
}

#[test]
fn a_folder_file_by_file_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("b/c")).unwrap();
    fs::create_dir(at(".git")).unwrap();
    let nfd: String = "Tờ trình_01.tar.gz".nfd().collect();
    for name in ["z.pdf", "b/c/2.pdf", "b/c/10.pdf", "a", ".git/x", "b/x~", "b/x.PART", "Thumbs.db", ".DS_Store"] {
        fs::write(at(name), "x").unwrap();
    }
    fs::write(at("b").join(&nfd), "x").unwrap();
    fs::write(at("b/empty.pdf"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", at("link")).unwrap();
    let raw: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&b"y\xff.pdf"[..]);
    fs::write(folder.path().join(raw), "x").unwrap();

    let packages = open_folder(folder.path(), &limits()).unwrap();
    let progress = packages.progress();
    let packages: Vec<Package> = packages.collect();
    let told: Vec<(&str, &str)> =
        packages.iter().map(|p| (p.metadata.external_id.as_deref().unwrap(), p.metadata.subject.as_str())).collect();
    assert_eq!(
        told,
        [
            ("a", "a"),
            ("b/Tờ trình_01.tar.gz", "Tờ trình_01.tar"),
            ("b/c/10.pdf", "10"),
            ("b/c/2.pdf", "2"),
            ("b/empty.pdf", "empty"),
            ("y\u{fffd}.pdf", "y\u{fffd}"),
            ("z.pdf", "z"),
        ]
    );
    assert_eq!((progress.skipped(), progress.bytes_total(), progress.bytes_read()), (6, None, 6));
    let errors = |p: &Package| p.findings.iter().filter(|f| f.severity == Severity::Error).count();
    assert_eq!(packages.iter().map(errors).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 0, 0]);
    assert!(codes(&packages[4]).contains("empty_component") && codes(&packages[5]).contains("malformed_value"));
    assert!(matches!(&packages[1].components[..], [Source::File { name, .. }] if *name == nfd), "the raw name");

    let again: Vec<Package> = read(folder.path(), &limits());
    assert!(packages.iter().zip(&again).all(|(a, b)| a.identity == b.identity));
    fs::write(at("a"), "xy").unwrap();
    let changed = read(folder.path(), &limits());
    assert_eq!(packages.iter().zip(&changed).filter(|(a, b)| a.identity != b.identity).count(), 1);
}

#[test]
fn a_folder_of_real_documents() {
    let Some(corpus) = std::env::var_os("VANKHO_CORPUS") else {
        println!("VANKHO_CORPUS is not set: the corpus was not asked for");
        return;
    };
    for (folder, files) in [("pdf", 60), ("docx", 5)] {
        let packages = read(&Path::new(&corpus).join(folder), &Ingest::default());
        assert_eq!(packages.len(), files, "{folder}");
        for package in packages {
            assert!(package.findings.iter().all(|f| f.severity == Severity::Warning), "row {}", package.row);
            assert_eq!(package.components.len(), 1);
        }
    }
}

/// The most memory this process ever had, in bytes.
fn memory_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// Reads a manifest package by package, holding none; codes of each row's findings.
fn streamed(path: &Path, limits: &Ingest) -> Vec<BTreeSet<&'static str>> {
    open_manifest(path, limits).unwrap().map(|p| codes(&p)).collect()
}

fn rows_written(path: &Path, rows: &[&[u8]]) {
    let mut file = std::io::BufWriter::new(fs::File::create(path).unwrap());
    for row in rows {
        file.write_all(row).unwrap();
        file.write_all(b"\n").unwrap();
    }
    file.flush().unwrap();
}

#[test]
fn hostile_manifests_cost_neither_memory_nor_the_next_row() {
    let folder = tempfile::tempdir().unwrap();
    let (json, csv) = (folder.path().join("m.jsonl"), folder.path().join("m.csv"));
    let (good, none) = (row("[]").replace("\"components\":[]", "\"text\":\"x\""), BTreeSet::new());
    let (malformed, too_long) = (BTreeSet::from(["malformed_row"]), BTreeSet::from(["row_too_long"]));
    let (small, large) = (limits(), Ingest { row_bytes_max: 16 << 20, ..limits() });
    // The test's own rows are written first: what follows is the reader's.
    let five = vec![b'x'; 5 << 20];
    let deep = format!("{{\"keywords\":{}", "[".repeat(100_000));
    let deep_unknown = good.replacen('{', &format!("{{\"zzz\":{}{},", "[".repeat(100_000), "]".repeat(100_000)), 1);
    let many = format!("{{\"subject\":\"s\",\"keywords\":[{}1]}}", "[],".repeat(2_000_000));
    let keys = format!("{{{}\"k\":1}}", (0..500_000).map(|n| format!("\"k{n}\":1,")).collect::<String>());
    let wide = ",".repeat(10_000_000);
    let header = "subject,type,issued,agency,language,pages,text";
    let plain = "s,02,2026,a,vi,1,x";
    // The peak is counted anew from here, where the system allows it.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let before = memory_peak();

    rows_written(&json, &[good.as_bytes(), &five, good.as_bytes(), b"\0\0", good.as_bytes()]);
    assert_eq!(streamed(&json, &small), [&none, &too_long, &none, &malformed, &none].map(Clone::clone));
    rows_written(&json, &[deep.as_bytes(), many.as_bytes(), keys.as_bytes(), good.as_bytes()]);
    let found = streamed(&json, &large);
    assert_eq!((&found[0], &found[1], &found[3]), (&malformed, &malformed, &none));
    assert!(found[2].contains("unknown_field") && found[2].contains("no_subject"));
    rows_written(&json, &[deep_unknown.as_bytes()]);
    assert_eq!(streamed(&json, &large), [BTreeSet::from(["unknown_field"])]);

    rows_written(&csv, &[header.as_bytes(), plain.as_bytes(), wide.as_bytes(), b"a\0", plain.as_bytes()]);
    assert_eq!(streamed(&csv, &large), [&none, &malformed, &malformed, &none].map(Clone::clone));
    rows_written(&csv, &[header.as_bytes(), b"\"", &[b"x\n".repeat(2048), b"x".to_vec()].concat(), plain.as_bytes()]);
    let found = streamed(&csv, &small);
    assert_eq!((found.first(), found.last()), (Some(&too_long), Some(&none)), "a forgotten quote ends at the limit");
    rows_written(&csv, &[wide.as_bytes(), plain.as_bytes()]);
    assert!(matches!(open_manifest(&csv, &large), Err(ExchangeError::Header { .. })));

    let endless = fs::File::create(&json).unwrap();
    endless.set_len(300 << 20).unwrap();
    assert_eq!(streamed(&json, &large), [too_long]);

    let grown = memory_peak() - before;
    println!("hostile manifests: {} MiB more than before", grown >> 20);
    assert!(grown < 64 << 20, "{grown} bytes");
}

#[test]
fn a_hundred_thousand_rows_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (json, whole) = (folder.path().join("m.jsonl"), row("[]").replace("\"components\":[]", "\"text\":\"x\""));
    let mut file = std::io::BufWriter::new(fs::File::create(&json).unwrap());
    (0..100_000).for_each(|n| writeln!(file, "{}", whole.replacen("\"s\"", &format!("\"{}\"", n / 2), 1)).unwrap());
    file.into_inner().unwrap().sync_all().unwrap();
    let started = std::time::Instant::now();
    let packages = open_manifest(&json, &limits()).unwrap();
    let progress = packages.progress();
    let mut identities = HashSet::new();
    assert_eq!(progress.rows_expected(), None, "nothing has been read");
    for (n, package) in packages.enumerate() {
        assert!(package.findings.is_empty() && identities.insert(package.identity));
        // Rows of nearly one length, and nothing is counted that was only read ahead.
        let expected = progress.rows_expected().unwrap();
        assert!((90_000..=110_000).contains(&expected), "{expected} after row {n}");
    }
    assert_eq!(progress.rows_expected(), Some(100_000));
    assert_eq!((identities.len(), Some(progress.bytes_read())), (100_000, progress.bytes_total()));
    println!("100,000 rows in {:.2} s", started.elapsed().as_secs_f64());
}

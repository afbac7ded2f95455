//! The command line as people and scripts meet it.

use crate::place::vankho;
use crate::world::{PROGRAM, World, docx, row};
use std::{
    fs,
    process::{Command, Output, Stdio},
};
use vankho::store::layout;

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// An archive on disk that holds these rows.
async fn holding(rows: &str) -> World {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    archive.close().await.unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_leaves_what_lies_beside_it_alone() {
    let of = |id: &str, notation: &str| {
        row(id, "văn bản", &format!(r#""number":"48","notation":"{notation}","text":"nội dung {id}""#))
    };
    let world = holding(&(of("1", "QĐ.UBND") + &of("2", "QĐ.SNV"))).await;
    let out = tempfile::tempdir().unwrap();
    // What both would be called if their names were cut at the last dot.
    let strangers = out.path().join("48-QĐ.part/theirs.txt");
    fs::create_dir(strangers.parent().unwrap()).unwrap();
    fs::write(&strangers, "theirs").unwrap();
    let exported = vankho(world.data.path(), &["export", "--all", out.path().to_str().unwrap()]);
    assert_eq!(exported.status.code(), Some(0), "{}", told(&exported));
    assert_eq!(fs::read(&strangers).unwrap(), b"theirs");
    let names: Vec<String> =
        fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_depositors_identifier_may_look_like_ours_and_be_typed_in_nfd() {
    use unicode_normalization::UnicodeNormalization;
    let theirs = "019aaf1c-9b00-7707-8707-070707070707";
    let world = holding(&(row(theirs, "một", r#""text":"một""#) + &row("Số 48", "hai", r#""text":"hai""#))).await;
    let data = world.data.path();
    let nfd: String = " Số  48".nfd().collect();
    let out = tempfile::tempdir().unwrap();
    for (n, typed) in [theirs, &nfd].into_iter().enumerate() {
        let receipt = vankho(data, &["receipt", typed]);
        assert_eq!(receipt.status.code(), Some(0), "{typed}: {}", told(&receipt));
        let exported = vankho(data, &["export", typed, out.path().to_str().unwrap()]);
        assert_eq!(exported.status.code(), Some(0), "{typed}: {}", told(&exported));
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), n + 1, "{typed}");
    }
    let nobodys = vankho(data, &["receipt", "019aaf1c-9b00-7707-8707-070707070708"]);
    assert_eq!(nobodys.status.code(), Some(3), "{}", told(&nobodys));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_passed_over_in_a_folder_is_told_in_both_languages() {
    let world = World::on_disk().await;
    world.file("in/a.txt", "a");
    for (n, name) in ["in/.hidden", "in/b.docx~", "in/c.pdf.part"].into_iter().enumerate() {
        let folder = world.file(name, "x");
        let folder = folder.parent().unwrap();
        for (language, words) in [("vi", "Bỏ qua "), ("en", " passed over")] {
            let mut command = Command::new(PROGRAM);
            command
                .env_clear()
                .args(["--language", language, "--data"])
                .arg(world.data.path())
                .arg("ingest")
                .arg(folder);
            let ingested = told(&command.output().unwrap());
            let line = ingested.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{ingested}"));
            assert!(line.contains(&format!("{} ", n + 1)), "{line}");
        }
    }
    let whole =
        vankho(world.data.path(), &["ingest", world.file("whole/b.txt", "b").parent().unwrap().to_str().unwrap()]);
    assert!(!told(&whole).contains("passed over"), "{}", told(&whole));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_questions_blank_lines_and_a_reader_that_goes_away() {
    let world = holding(&row("1", "quy hoạch sử dụng đất", r#""text":"đất""#)).await;
    let data = world.data.path();
    let one = |qid: usize| format!("{{\"qid\":\"q{qid}\",\"text\":\"quy hoạch\"}}\n");
    let questions = world.file("q.jsonl", format!("{}\n  \r\n{}\n", one(1), one(2)));
    let answered = vankho(data, &["search", "--queries", questions.to_str().unwrap()]);
    assert_eq!(told(&answered), "{\"qid\":\"q1\",\"ids\":[\"1\"]}\n{\"qid\":\"q2\",\"ids\":[\"1\"]}\n");
    let broken = world.file("broken.jsonl", format!("{}\n[]\n", one(1)));
    let refused = vankho(data, &["search", "--queries", broken.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(told(&refused).contains("line 3") && told(&refused).contains("dòng 3"), "{}", told(&refused));

    // More answers than a pipe holds, and nobody reads them.
    let many = world.file("many.jsonl", (0..5000).map(one).collect::<String>());
    let mut command = Command::new(PROGRAM);
    command.env_clear().arg("--data").arg(data).args(["search", "--queries"]).arg(many);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), told(&ended).as_str()), (Some(0), ""));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_shown_or_refused_with_advice() {
    let more = r#""field":"Đất đai","access":"public","fonds":"UBND","issued":"2026-05-15","agency":"Sở Nội vụ","type":"Quyết định","text":"x""#;
    let world = holding(&row("1", "quy hoạch", more)).await;
    let data = world.data.path();
    let search = |arguments: &[&str]| vankho(data, &[&["search"], arguments].concat());
    let counted = told(&search(&["--facets", "--from", "15/5/2026", "--to", "05/2026"]));
    for line in [
        "Agency: Sở Nội vụ (1)",
        "Type: Quyết định (1)",
        "Year: 2026 (1)",
        "Fonds: UBND (1)",
        "Field: Đất đai (1)",
        "Access: public (1)",
    ] {
        assert!(counted.lines().any(|told| told == line), "{line}: {counted}");
    }
    assert_eq!(search(&["--limit", "1000"]).status.code(), Some(0));
    let nowhere = data.join("nowhere").display().to_string();
    for (arguments, advice) in [
        (&["search", "--limit", "1001"][..], ["nhiều nhất là 1000", "at most 1000"]),
        (&["search", "--from", "hôm qua"], ["không phải là ngày", "a date is"]),
        (&["search", "--access", "nội bộ"], ["công khai", "public"]),
        (&["search", "--cursor", "x"], ["cursor phải là", "a cursor is"]),
        (&["receipt", "nobody"], ["không có tài liệu", "no record nobody"]),
        (&["export", "1"], ["hoặc", "or vankho export --all DIR"]),
        (&["verify", "receipt", &nowhere, &nowhere, &nowhere], ["kiểm tra đường dẫn", "check path"]),
    ] {
        let refused = vankho(data, arguments);
        assert_eq!(refused.status.code(), Some(3), "{arguments:?}: {}", told(&refused));
        for words in advice {
            assert!(told(&refused).contains(words), "{arguments:?}: {words}: {}", told(&refused));
        }
    }
    for arguments in [&["search", "--queries", &nowhere][..], &["ingest", &nowhere]] {
        let refused = vankho(data, arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        let told = told(&refused);
        assert!(told.contains("kiểm tra đường dẫn") && told.contains("check path"), "{told}");
    }
    world.check().await;
}

/// What lies in a folder, by name.
fn holds(folder: &std::path::Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let read = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_there_is_compared_and_brought_up_to_date() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.file("a.docx", docx("Giấy phép"));
    let rows = row("1", "một", r#""components":["a.docx"],"number":"7","notation":"QĐ""#)
        + &row("2", "hai", r#""text":"nội dung""#);
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    let record = archive.catalog.by_external_id("1").await.unwrap()[0].record;
    archive.close().await.unwrap();
    let (out, data) = (tempfile::tempdir().unwrap(), world.data.path());
    let export = |code: i32, written: u64, there: u64| {
        let exported = vankho(data, &["--json", "export", "--all", out.path().to_str().unwrap()]);
        assert_eq!(exported.status.code(), Some(code), "{}", told(&exported));
        let answer: serde_json::Value = serde_json::from_slice(&exported.stdout).unwrap();
        assert_eq!((&answer["records"], &answer["already_there"]), (&written.into(), &there.into()), "{answer}");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 2, "nothing lies beside the records");
        answer
    };
    export(0, 2, 0);
    let folder = out.path().join(format!("7-QĐ_{record}"));
    let first = holds(&folder);
    export(0, 0, 2);
    let people = vankho(data, &["export", "--all", out.path().to_str().unwrap()]);
    assert!(told(&people).contains("Exported 0; 2 already there"), "{}", told(&people));

    // Read since: a newer description is in force, and a text is there.
    let archive = world.open().await.unwrap();
    world.characterize(&archive).await.unwrap();
    archive.close().await.unwrap();
    export(0, 1, 1);
    let second = holds(&folder);
    assert!(second.contains_key("a.docx.txt") && first["description.json"] != second["description.json"]);
    for (name, bytes) in [("a.docx", "altered"), ("a.docx.txt", ""), ("receipt.txt", "altered")] {
        fs::write(folder.join(name), bytes).unwrap();
        let whole = name == "receipt.txt";
        export(0, u64::from(!whole), 1 + u64::from(whole));
        assert_eq!(holds(&folder), second, "{name}");
    }
    fs::remove_file(folder.join("a.docx")).unwrap();
    export(0, 1, 1);
    assert_eq!(holds(&folder), second);
    // What a kill left under the other name.
    fs::create_dir(out.path().join(format!("7-QĐ_{record}.part"))).unwrap();
    fs::write(folder.join("a.docx"), "altered").unwrap();
    export(0, 1, 1);
    assert_eq!(holds(&folder), second);

    // Nobody can tell any more that this is ours.
    fs::write(folder.join("description.json"), r#"{"record":"another"}"#).unwrap();
    let answer = export(1, 0, 1);
    assert_eq!(answer["left_out"][0]["record"], record.to_string());
    assert_eq!(fs::read(folder.join("a.docx")).unwrap(), second["a.docx"], "it is left alone");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_everything_goes_past_what_is_damaged() {
    let world =
        holding(&(0..4).map(|n| row(&n.to_string(), "văn bản", &format!(r#""text":"t{n}""#))).collect::<String>())
            .await;
    let archive = world.open().await.unwrap();
    let known = archive.catalog.records(0, 9).await.unwrap();
    archive.close().await.unwrap();
    let of = |n: usize| fs::read_dir(world.archive_folder().join(layout::unit(known[n].record))).unwrap();
    let is_description = |path: &std::path::PathBuf| path.extension().is_some();
    let paths: Vec<_> = (0..3)
        .map(|n| of(n).map(|entry| entry.unwrap().path()).find(|path| is_description(path) == (n == 1)).unwrap())
        .collect();
    let whole: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    fs::write(&paths[0], "altered").unwrap();
    fs::write(&paths[1], "altered").unwrap();
    fs::remove_file(&paths[2]).unwrap();
    let out = tempfile::tempdir().unwrap();
    let exported = vankho(world.data.path(), &["--json", "export", "--all", out.path().to_str().unwrap()]);
    assert_eq!(exported.status.code(), Some(1), "{}", told(&exported));
    let answer: serde_json::Value = serde_json::from_slice(&exported.stdout).unwrap();
    assert_eq!(answer["records"], 1, "{answer}");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1, "one record, and no half of another");
    let said = String::from_utf8(exported.stderr).unwrap();
    for n in 0..3 {
        let path = paths[n].strip_prefix(world.archive_folder()).unwrap().to_str().unwrap();
        assert_eq!(answer["left_out"][n]["record"], known[n].record.to_string(), "{answer}");
        assert_eq!(answer["left_out"][n]["path"], path, "{answer}");
        let named = |line: &str| line.contains(&known[n].record.to_string()) && line.contains(path);
        assert!(said.lines().any(named), "{said}");
        fs::write(&paths[n], &whole[n]).unwrap();
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_into_the_archive_itself_is_refused() {
    let world = holding(&row("1", "văn bản", r#""text":"t""#)).await;
    let data = world.data.path();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(data, &link).unwrap();
    let name = data.file_name().unwrap();
    for to in [
        data.to_owned(),
        data.join("archive/records"),
        data.join("not/there/yet"),
        link.join("x"),
        elsewhere.path().join("nowhere/..").join(&link),
        data.join("..").join(name).join("x"),
    ] {
        for record in ["--all", "1"] {
            let refused = vankho(data, &["export", record, to.to_str().unwrap()]);
            assert_eq!(refused.status.code(), Some(3), "{}: {}", to.display(), told(&refused));
        }
    }
    let beside = elsewhere.path().join("a/../b");
    assert_eq!(vankho(data, &["export", "1", beside.to_str().unwrap()]).status.code(), Some(0));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_written_is_told() {
    let world = holding(&row("1", "quy hoạch", r#""text":"đất""#)).await;
    let data = world.data.path();
    let of = |name: &str| world.file(name, "x").display().to_string();
    let questions = world.file("q.jsonl", "{\"qid\":\"q1\",\"text\":\"quy hoạch\"}\n").display().to_string();
    let manifest = world.file("m.jsonl", row("1", "quy hoạch", r#""text":"đất""#)).display().to_string();
    let out = world.inbox.path().join("out").display().to_string();
    let (receipt, file, keys) = (of("receipt"), of("file"), of("keys"));
    let run = |arguments: &[&str], to: Stdio| {
        let mut command = Command::new(PROGRAM);
        command.env_clear().arg("--data").arg(data).args(arguments).stdout(to).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    for arguments in [
        &["receipt", "1"][..],
        &["search"],
        &["--json", "search"],
        &["search", "--queries", &questions],
        &["--json", "ingest", "--manifest", &manifest],
        &["ingest", "--manifest", &manifest],
        &["characterize"],
        &["export", "1", &out],
        &["verify", "archive"],
        &["verify", "receipt", &receipt, &file, &keys],
        &["init", "--refresh"],
        &["status"],
        &["rebuild"],
        &["completions", "bash"],
        &["--help"],
        &["search", "--help"],
        &["--version"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = run(arguments, full.into()).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("stdout") && !said.contains("panicked"), "{arguments:?}: {said}");
        // A reader that has gone away is nobody's concern.
        let mut child = run(arguments, Stdio::piped());
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(said, "", "{arguments:?}");
        assert_ne!(ended.status.code(), Some(2), "{arguments:?}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_laxer_than_the_law_are_told() {
    let world = holding(&row("1", "một", r#""text":"một""#)).await;
    let status = |years: &str, language: &str| {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("VANKHO_RETENTION__YEARS_MAX", years).arg("--data").arg(world.data.path());
        let output = command.args(["--language", language, "status"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!status("70", "en").contains("WARNING"));
    let (vi, en) = (status("99", "vi"), status("99", "en"));
    assert!(vi.contains("retention.years_max lỏng hơn quy định (Luật Lưu trữ 33/2024/QH15 điều 15)"), "{vi}");
    assert!(en.contains("retention.years_max is laxer than the law"), "{en}");
}

#[tokio::test(flavor = "multi_thread")]
async fn which_rows_have_a_finding_is_told() {
    let world = World::on_disk().await;
    let wrong = |n: usize, more: &str| row(&n.to_string(), "văn bản", &format!(r#""text":"t{n}"{more}"#));
    let manifest =
        (1..=30).map(|n| wrong(n, if n % 2 == 0 { r#","issued":"hôm qua""# } else { "" })).collect::<String>()
            + &wrong(31, r#","colour":"red","issued":"2026-01-01""#)
            + &row("32", "", r#""text":"x","issued":"2026-01-01""#);
    let path = world.file("m.jsonl", manifest);
    let ingested = vankho(world.data.path(), &["ingest", "--manifest", path.to_str().unwrap()]);
    assert_eq!(ingested.status.code(), Some(1), "{}", told(&ingested));
    let summary = String::from_utf8(ingested.stdout).unwrap();
    for line in [
        "  15 × malformed_date (rows 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, …): the date",
        "  1 × unknown_field (rows 31): the template",
        "  1 × no_subject (rows 32): the subject",
    ] {
        assert!(summary.lines().any(|told| told.starts_with(line)), "{line}: {summary}");
    }
    let refused = String::from_utf8(ingested.stderr).unwrap();
    assert!(refused.lines().count() == 1 && refused.contains("[no_subject]"), "the reason and no warning: {refused}");
    // A file of a folder is known by its path.
    let folder = world.file("in/sâu/a.txt", "").parent().unwrap().parent().unwrap().to_owned();
    let ingested = vankho(world.data.path(), &["ingest", folder.to_str().unwrap()]);
    assert!(told(&ingested).contains(" empty_component (files sâu/a.txt): "), "{}", told(&ingested));
}

//! The command line as people and scripts meet it.

use crate::place::vankho;
use crate::world::{PROGRAM, World, row};
use std::{
    fs,
    process::{Command, Output},
};

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

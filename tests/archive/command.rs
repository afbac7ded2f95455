//! The command line as people and scripts meet it.

use crate::place::vankho;
use crate::world::{World, row};
use std::{fs, process::Output};

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

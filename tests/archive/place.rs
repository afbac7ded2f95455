//! The place as a whole: founding, opening, refusing, bringing up to date, giving out.

use crate::world::{ORIGIN, PROGRAM, World, docx, folder, row};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use vankho::{
    archive::{Archive, place},
    config::Config,
    store::layout,
};

/// Runs the program in English.
pub fn vankho(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(["--language", "en", "--data"]).arg(data).args(arguments);
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Copies a folder and everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

async fn refusal(world: &World) -> String {
    world.open().await.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn derived_belongs_to_one_process() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    assert!(refusal(&world).await.contains("another vankho process"));
    let told = vankho(world.data.path(), &["search", "x"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("another vankho process owns"), "{}", stderr(&told));
    let verified = vankho(world.data.path(), &["verify", "archive"]);
    assert_eq!(verified.status.code(), Some(0), "an audit needs nothing of derived/");
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_archive_is_not_opened() {
    let world = World::on_disk().await;
    let empty = tempfile::tempdir().unwrap();
    let opened = Archive::open(empty.path(), Config::default(), world.clock(), &|_| {}).await;
    assert!(opened.err().unwrap().to_string().contains("there is no archive"));
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0, "and nothing is made of it");
    assert_eq!(vankho(empty.path(), &["verify", "archive"]).status.code(), Some(3));
    // A founding that was interrupted before its first entry is told, and completed.
    fs::remove_dir_all(world.archive_folder().join("log")).unwrap();
    fs::write(world.archive_folder().join("README.txt#1"), "half").unwrap();
    fs::write(world.archive_folder().join("schemas/README.md#2"), "half").unwrap();
    assert!(refusal(&world).await.contains("interrupted"));
    let other = place::init(world.data.path(), &world.config.storage, "other.example.vn/log", &world.clock()).await;
    assert!(other.err().unwrap().to_string().contains("was made for origin"), "a name never changes");
    place::init(world.data.path(), &world.config.storage, ORIGIN, &world.clock()).await.unwrap();
    let again = place::init(world.data.path(), &world.config.storage, ORIGIN, &world.clock()).await;
    assert!(again.err().unwrap().to_string().contains("already"));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_holds_less_than_was_committed_is_not_written_to() {
    let world = World::on_disk().await;
    let (archive, older) = (world.open().await.unwrap(), tempfile::tempdir().unwrap());
    world.ingest_all(&archive, &world.file("1.jsonl", row("1", "một", r#""text":"một""#))).await;
    archive.close().await.unwrap();
    copy(&world.archive_folder(), older.path());
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("2.jsonl", row("2", "hai", r#""text":"hai""#))).await;
    archive.close().await.unwrap();
    let newer = tempfile::tempdir().unwrap();
    copy(&world.archive_folder(), newer.path());
    fs::remove_dir_all(world.archive_folder()).unwrap();
    copy(older.path(), &world.archive_folder());
    assert!(refusal(&world).await.contains("rollback"), "the catalog is ahead");
    world.lose_catalog();
    fs::remove_dir_all(world.data.path().join("derived/index")).unwrap();
    assert!(refusal(&world).await.contains("rollback"), "the desk knows a larger checkpoint");
    // Another history of the same length, signed by the same key.
    let desk = world.data.path().join("desk");
    fs::rename(&desk, world.data.path().join("desk-away")).unwrap();
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("other.jsonl", row("other", "khác", r#""text":"khác""#))).await;
    archive.close().await.unwrap();
    world.acknowledged.lock().unwrap().pop();
    fs::remove_dir_all(&desk).unwrap();
    fs::rename(world.data.path().join("desk-away"), &desk).unwrap();
    let told = refusal(&world).await;
    assert!(told.contains("does not go on from"), "a fork of the same length: {told}");
    fs::remove_dir_all(world.archive_folder()).unwrap();
    copy(newer.path(), &world.archive_folder());
    world.lose_catalog();
    fs::remove_dir_all(world.data.path().join("derived/index")).unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_self_description_is_brought_up_to_date() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("1.jsonl", row("1", "một", r#""text":"một""#))).await;
    archive.close().await.unwrap();
    fs::write(world.archive_folder().join("verify.sh"), "of another time").unwrap();
    assert!(!world.faults().await.is_empty());
    let refreshed = vankho(world.data.path(), &["init", "--refresh"]);
    assert_eq!(refreshed.status.code(), Some(1), "{}", stderr(&refreshed));
    assert!(String::from_utf8_lossy(&refreshed.stdout).contains("verify.sh: was gone or altered"));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_come_out_under_their_own_names() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    for (name, bytes) in [("a/x.txt", "one"), ("b/x.txt", "two"), ("b/X.TXT", "three"), ("receipt.txt", "four")] {
        world.file(name, bytes);
    }
    world.file("k.docx", docx("văn bản"));
    let names =
        r#""components":["a/x.txt","b/x.txt","b/X.TXT","receipt.txt","k.docx"],"number":"../..","notation":"x""#;
    world.ingest_all(&archive, &world.file("m.jsonl", row("1", "năm tệp", names))).await;
    // No manifest lets `../x` in; a record of another time may still have such a name.
    let known = archive.catalog.by_external_id("1").await.unwrap().remove(0);
    let mut described = (*archive.description(known.record).await.unwrap().unwrap().description).clone();
    described.components[1].original_name = Some("../x".into());
    described.replaces = Some(known.description);
    let kept = archive.keep_description(described).await.unwrap();
    let event = vankho::record::entry::Event::Described {
        unit: known.record.into(),
        description: kept.digest,
        replaces: known.description,
    };
    let request = vankho::archive::request(archive.operator, &[9; 32]);
    let description = Some(kept.description.into());
    archive.commit(vankho::archive::Proposal { by: archive.operator, request, event, description }).await.unwrap();
    world.characterize(&archive).await.unwrap();
    archive.close().await.unwrap();
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("out");
    let exported = vankho(world.data.path(), &["export", "--all", to.to_str().unwrap()]);
    assert_eq!(exported.status.code(), Some(0), "{}", stderr(&exported));
    let folders: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), 1);
    let mut names: Vec<_> =
        fs::read_dir(&folders[0]).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let expected =
        ["X (2).TXT", "description.json", "k.docx", "k.docx.txt", "receipt (2).txt", "receipt.txt", "x", "x.txt"];
    assert_eq!(names, expected);
    assert_eq!(fs::read(folders[0].join("x")).unwrap(), b"two");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1, "nothing lies beside the folder");
    let keys = world.archive_folder().join(layout::KEYS);
    let at = |name: &str| folders[0].join(name).display().to_string();
    for name in ["x", "x.txt", "k.docx", "k.docx.txt", "receipt (2).txt"] {
        let description = at("description.json");
        let arguments =
            ["verify", "receipt", &at("receipt.txt"), &at(name), keys.to_str().unwrap(), "--description", &description];
        assert_eq!(vankho(world.data.path(), &arguments).status.code(), Some(0), "{name}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_of_a_damaged_record_is_not_swept() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("1.jsonl", row("1", "một", r#""text":"một""#))).await;
    let record = archive.catalog.by_external_id("1").await.unwrap()[0].record;
    // A round of reading had promised to clean up after itself, and the description is gone by accident.
    let _stands = archive.intend(&[record]).await.unwrap();
    archive.close().await.unwrap();
    let folder = world.archive_folder().join(layout::unit(record));
    let description = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let description = description.into_iter().find(|path| path.extension().is_some()).unwrap();
    let bytes = fs::read(&description).unwrap();
    fs::remove_file(&description).unwrap();
    world.open().await.unwrap().close().await.unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "the component of a committed record stays");
    fs::write(&description, bytes).unwrap();
    world.lose_catalog();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_derived_stores_are_told_and_rebuilt() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let rows: String = (0..50).map(|n| row(&n.to_string(), &format!("văn bản số {n}"), r#""text":"t""#)).collect();
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    archive.close().await.unwrap();
    let (data, derived) = (world.data.path(), world.data.path().join("derived"));
    let index = derived.join("index");
    let damages: [(&str, &dyn Fn()); 6] = [
        ("an empty catalog", &|| fs::write(derived.join("catalog.db"), "").unwrap()),
        ("a garbage catalog", &|| fs::write(derived.join("catalog.db"), "garbage".repeat(999)).unwrap()),
        ("no index", &|| fs::remove_dir_all(&index).unwrap()),
        ("a garbage index", &|| {
            for entry in fs::read_dir(&index).unwrap() {
                fs::write(entry.unwrap().path(), "garbage").unwrap();
            }
        }),
        ("half an index", &|| {
            let longest = |path: &std::path::PathBuf| fs::metadata(path).unwrap().len();
            let files = fs::read_dir(&index).unwrap().map(|entry| entry.unwrap().path());
            let file = files.filter(|path| path.extension().is_some_and(|e| e != "json")).max_by_key(longest).unwrap();
            fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(longest(&file) / 2).unwrap();
        }),
        ("no derived at all", &|| fs::remove_dir_all(&derived).unwrap()),
    ];
    for (what, damage) in damages {
        damage();
        let asked = vankho(data, &["search", "văn bản số 7", "--json"]);
        match asked.status.code() {
            Some(0) => assert!(String::from_utf8_lossy(&asked.stdout).contains("văn bản số 7"), "{what}"),
            code => {
                assert_eq!(code, Some(2), "{what}: {}", stderr(&asked));
                assert!(stderr(&asked).contains("vankho rebuild"), "{what}: {}", stderr(&asked));
                assert!(!stderr(&asked).contains("panicked"), "{what}: {}", stderr(&asked));
            }
        }
        let rebuilt = vankho(data, &["rebuild"]);
        assert_eq!(rebuilt.status.code(), Some(0), "{what}: {}", stderr(&rebuilt));
        let asked = vankho(data, &["search", "văn bản số 7", "--json"]);
        assert!(String::from_utf8_lossy(&asked.stdout).contains("văn bản số 7"), "{what}: {}", stderr(&asked));
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_the_archives_signs_nothing() {
    let world = World::on_disk().await;
    let key = world.data.path().join("secret/signing.key");
    let whole = fs::read(&key).unwrap();
    for origin in [ORIGIN, "other.example.vn/log"] {
        let other = folder();
        assert_eq!(vankho(other.path(), &["init", "--origin", origin]).status.code(), Some(0));
        fs::copy(other.path().join("secret/signing.key"), &key).unwrap();
        let refused = vankho(world.data.path(), &["status"]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("bring this archive's own secret/ back"), "{}", stderr(&refused));
    }
    fs::write(&key, whole).unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_was_there_is_not_founded_again() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.file("1.jsonl", row("1", "một", r#""text":"một""#))).await;
    archive.close().await.unwrap();
    let root = world.archive_folder();
    for lost in ["log", "log/commits/00000000000000000000", "place.json"] {
        let away = world.data.path().join("away");
        fs::rename(root.join(lost), &away).unwrap();
        for derived in [true, false] {
            if !derived {
                world.lose_catalog();
                world.lose_desk();
            }
            for command in [&["status"][..], &["init", "--origin", ORIGIN]] {
                let refused = vankho(world.data.path(), command);
                assert_eq!(refused.status.code(), Some(2), "{lost}, {command:?}: {}", stderr(&refused));
                assert!(!stderr(&refused).contains("make one"), "{lost}, {command:?}: {}", stderr(&refused));
            }
        }
        fs::rename(&away, root.join(lost)).unwrap();
    }
    fs::remove_dir_all(root.join("staging")).unwrap();
    assert_eq!(vankho(world.data.path(), &["status"]).status.code(), Some(0), "backups leave staging out");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_not_taken_into_an_archive() {
    let world = World::on_disk().await;
    let data = world.data.path();
    for inside in ["", "archive", "archive/records", "secret", "derived"] {
        let refused = vankho(data, &["ingest", data.join(inside).to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(2), "{inside}: {}", stderr(&refused));
        assert!(stderr(&refused).contains("inside an archive"), "{inside}: {}", stderr(&refused));
    }
    // A folder that holds an archive, as where everything has its default.
    let home = folder();
    fs::write(home.path().join("a.txt"), "a").unwrap();
    fs::write(home.path().join("m.jsonl"), row("1", "khóa", r#""components":["vankho-data/secret/signing.key"]"#))
        .unwrap();
    assert_eq!(vankho(&home.path().join("vankho-data"), &["init", "--origin", ORIGIN]).status.code(), Some(0));
    let taken = vankho(data, &["--json", "ingest", home.path().to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&taken.stdout).lines().count(), 2, "{}", stderr(&taken));
    let refused = vankho(data, &["--json", "ingest", "--manifest", home.path().join("m.jsonl").to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&refused.stdout).contains("name_escapes"), "{}", stderr(&refused));
    world.check().await;
}

//! The signing key is changed: by plan, because it was stolen, because it was lost; and where that is interrupted.

use crate::world::{PROGRAM, World};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use vankho::{
    archive::{
        Archive,
        rotate::{Rotated, Rotation},
    },
    evidence,
    ledger::keys::{KeyFile, Signer},
    record::digest::Digest,
    store::layout,
    verify::{Outcome, receipt::verify_receipt},
};

/// An archive in two places, both required, that has taken something in.
async fn taken_in() -> World {
    let world = World::in_places(&["archive", "two"], 2).await;
    let archive = world.open().await.unwrap();
    hand_over(&world, &archive, "một").await;
    archive.close().await.unwrap();
    world
}

async fn hand_over(world: &World, archive: &Archive, name: &str) {
    world.file(&format!("{name}/{name}.txt"), format!("Quyết định {name} về việc phê duyệt kế hoạch"));
    world.ingest_all(archive, &world.inbox.path().join(name)).await;
}

async fn rotate(world: &World, old_is_lost: bool) -> Result<Rotated, String> {
    let clock = world.clock();
    let rotation = Rotation { data: world.data.path(), config: &world.config, clock: &clock, old_is_lost };
    rotation.run().await.map_err(|error| error.to_string())
}

fn key_file(world: &World) -> String {
    fs::read_to_string(world.archive_folder().join(layout::KEYS)).unwrap()
}

fn secret(world: &World) -> PathBuf {
    world.data.path().join("secret")
}

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn old_receipts_hold_new_ones_hold_and_the_old_key_signs_nothing_more() {
    let world = taken_in().await;
    let (old_keys, thief) = (key_file(&world), stolen(&world));
    let before = world.acknowledged.lock().unwrap()[0].clone();
    let archive = world.open().await.unwrap();
    let evidence = evidence::receipt(&archive, before.record, false).await.unwrap().unwrap();
    let root = archive.ledger.tip_checkpoint().root;
    archive.close().await.unwrap();
    let Rotated { size, keys } = rotate(&world, false).await.unwrap();
    assert_eq!(key_file(&world), keys);
    assert!(!secret(&world).join("next.key").exists(), "one secret is left, and it is the new one");
    assert_ne!(*stolen(&world).verifying_key(), *thief.verifying_key());
    let archive = world.open().await.unwrap();
    hand_over(&world, &archive, "hai").await;
    let after = world.acknowledged.lock().unwrap()[1].clone();
    let newer = evidence::receipt(&archive, after.record, false).await.unwrap().unwrap();
    archive.close().await.unwrap();

    let judged = |receipt: &str, keys: &str, description: &[u8]| {
        verify_receipt(receipt.as_bytes(), keys.as_bytes(), Some(description), None).outcome
    };
    // Incomplete: all holds, and no file was given.
    for keys in [&old_keys, &keys] {
        assert_eq!(judged(&before.receipt, keys, &evidence.description), Outcome::Incomplete, "{keys}");
    }
    assert_eq!(judged(&newer.receipt, &keys, &newer.description), Outcome::Incomplete);
    // What the thief signs after the change is refused by whoever has the new keys; the old file alone would take it.
    let forged = resigned(&newer.receipt, &thief);
    assert_eq!(judged(&forged, &old_keys, &newer.description), Outcome::Incomplete);
    for program in [verifier(), script("bash", "verify.sh"), script("python3", "verify.py")] {
        for (receipt, keys, expected) in [
            (&before.receipt, &keys, 0),
            (&before.receipt, &old_keys, 0),
            (&newer.receipt, &keys, 0),
            (&forged, &keys, 1),
        ] {
            let (of, description) = match receipt == &before.receipt {
                true => ("một", &evidence.description),
                false => ("hai", &newer.description),
            };
            let told = asked(&world, &program, (receipt, keys), of, description);
            assert_eq!(told, Some(expected), "{program:?} {of}");
        }
    }
    let public: KeyFile = keys.parse().unwrap();
    assert!(public.open_checkpoint(&thief.sign_checkpoint(size + 1, root)).is_err(), "a checkpoint past the change");
    let commit = thief.sign_commit(size + 1, root, vankho::ledger::primacy::Primacy::FIRST);
    assert!(public.open_commit(&commit).is_err(), "and a commit");
    // The checkpoint of the change carries both.
    let note = fs::read_to_string(world.archive_folder().join(layout::checkpoint(size))).unwrap();
    assert_eq!(note.lines().filter(|line| line.starts_with('\u{2014}')).count(), 2, "{note}");
    let old: KeyFile = old_keys.parse().unwrap();
    assert!(old.open_checkpoint(&note).is_ok(), "the old key vouches for what comes after it");
    world.check().await;
}

/// The secret as a thief has it who was here.
fn stolen(world: &World) -> Signer {
    Signer::from_secret_text(fs::read_to_string(secret(world).join("signing.key")).unwrap().trim_end()).unwrap()
}

/// The same receipt with its checkpoint signed by somebody else.
fn resigned(receipt: &str, by: &Signer) -> String {
    let (head, note) = receipt.split_once("\n\n").unwrap();
    let lines: Vec<&str> = note.lines().collect();
    let root = vankho::ledger::note::decode_hash(lines[2]).unwrap();
    format!("{head}\n\n{}", by.sign_checkpoint(lines[1].parse().unwrap(), root))
}

fn verifier() -> Vec<String> {
    vec![PROGRAM.into(), "verify".into(), "receipt".into()]
}

fn script(by: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/archive/place").join(name);
    vec![by.into(), path.display().to_string(), "receipt".into()]
}

fn asked(
    world: &World,
    program: &[String],
    (receipt, keys): (&str, &str),
    of: &str,
    description: &[u8],
) -> Option<i32> {
    let folder = world.inbox.path();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).unwrap();
        folder.join(name)
    };
    let (receipt, keys) = (write("r", receipt.as_bytes()), write("k", keys.as_bytes()));
    let (file, description) = (folder.join(of).join(format!("{of}.txt")), write("d", description));
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args([&receipt, &file, &keys]).arg("--description").arg(description);
    command.output().unwrap().status.code()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_changed_again_and_again() {
    let world = taken_in().await;
    for name in ["hai", "ba", "bốn"] {
        rotate(&world, false).await.unwrap();
        let archive = world.open().await.unwrap();
        hand_over(&world, &archive, name).await;
        archive.close().await.unwrap();
    }
    let keys: KeyFile = key_file(&world).parse().unwrap();
    assert_eq!(keys.lines().len(), 4);
    assert!(keys.lines().windows(2).all(|two| two[0].to == Some(two[1].from)));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_lost_is_replaced_when_somebody_says_so() {
    let world = taken_in().await;
    let old_keys = key_file(&world);
    assert!(rotate(&world, true).await.unwrap_err().contains("--old-is-lost"), "it is there");
    fs::remove_file(secret(&world).join("signing.key")).unwrap();
    assert!(rotate(&world, false).await.unwrap_err().contains("--old-is-lost"), "it is gone");
    let Rotated { size, keys } = rotate(&world, true).await.unwrap();
    let archive = world.open().await.unwrap();
    hand_over(&world, &archive, "hai").await;
    archive.close().await.unwrap();
    let note = fs::read_to_string(world.archive_folder().join(layout::checkpoint(size))).unwrap();
    assert!(keys.parse::<KeyFile>().unwrap().open_checkpoint(&note).is_ok());
    assert!(old_keys.parse::<KeyFile>().unwrap().open_checkpoint(&note).is_err(), "nobody vouches for the new key");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_interrupted_goes_on_when_the_archive_is_opened() {
    let before = taken_in().await;
    // What each step leaves, out of an archive in which all were taken.
    let after = tempfile::tempdir().unwrap();
    let old_secret = after.path().join("secret-before");
    copied(&secret(&before), &old_secret);
    let archive_before = after.path().join("archive-before");
    copied(&before.data.path().join("archive"), &archive_before);
    let two_before = after.path().join("two-before");
    copied(&before.data.path().join("two"), &two_before);
    let Rotated { keys, .. } = rotate(&before, false).await.unwrap();
    let next = fs::read(secret(&before).join("signing.key")).unwrap();
    let whole = (before.data.path().join("archive"), before.data.path().join("two"));
    let (archive_after, two_after) = (after.path().join("archive-after"), after.path().join("two-after"));
    copied(&whole.0, &archive_after);
    copied(&whole.1, &two_after);

    let restore = |archive: &Path, two: &Path, next_key: bool| {
        for name in ["archive", "two", "secret", "derived"] {
            fs::remove_dir_all(before.data.path().join(name)).ok();
        }
        copied(archive, &whole.0);
        copied(two, &whole.1);
        copied(&old_secret, &secret(&before));
        if next_key {
            fs::write(secret(&before).join("next.key"), &next).unwrap();
        }
    };
    for step in ["nothing", "next key", "key file", "key file at one place", "commit", "no checkpoint", "checkpoint"] {
        restore(&archive_before, &two_before, step != "nothing");
        let file = archive_after.join(layout::KEYS);
        match step {
            "nothing" | "next key" => {}
            "key file" => {
                fs::copy(&file, whole.0.join(layout::KEYS)).unwrap();
                fs::copy(&file, whole.1.join(layout::KEYS)).unwrap();
            }
            "key file at one place" => drop(fs::copy(&file, whole.0.join(layout::KEYS)).unwrap()),
            _ => {
                restore(&archive_after, &two_after, true);
                if step != "checkpoint" {
                    fs::copy(archive_before.join(layout::CHECKPOINT), whole.0.join(layout::CHECKPOINT)).unwrap();
                }
                if step == "commit" {
                    fs::copy(archive_before.join(layout::KEYS), whole.0.join(layout::KEYS)).unwrap();
                }
            }
        }
        let archive = before.open().await.unwrap_or_else(|error| panic!("{step}: {error}"));
        archive.close().await.unwrap();
        assert!(!secret(&before).join("next.key").exists(), "{step}");
        let lines = key_file(&before).parse::<KeyFile>().unwrap().lines().len();
        assert_eq!(lines, if step == "nothing" { 1 } else { 2 }, "{step}");
        if step != "nothing" {
            assert_eq!(
                Digest::of(&fs::read(secret(&before).join("signing.key")).unwrap()),
                Digest::of(&next),
                "{step}"
            );
        }
        if ["commit", "no checkpoint", "checkpoint"].contains(&step) {
            assert_eq!(key_file(&before), keys, "{step}: the size stands in the ledger");
        }
        before.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_elsewhere_that_has_the_old_key_stops() {
    let world = World::on_disk().await;
    let beside = world.open_beside("beside").await.unwrap();
    // It shares the place, and has the secret of before.
    let there = world.data.path().join("beside/secret");
    fs::remove_file(&there).ok();
    copied(&secret(&world), &there);
    rotate(&world, false).await.unwrap();
    let archive = world.open().await.unwrap();
    hand_over(&world, &archive, "hai").await;
    for _ in 0..200 {
        if beside.has_stopped() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(beside.has_stopped(), "it must not sign what nobody accepts");
    drop(beside);
    let again = world.open_beside("beside").await.err().map(|error| error.to_string());
    assert!(again.as_deref().is_some_and(|why| why.contains("signing key")), "{again:?}");
    archive.close().await.unwrap();
    world.check().await;
}

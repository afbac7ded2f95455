//! Archives in which records ended, each with one rule of what is left of them broken: one answer from two verifiers.

use crate::{
    disposing::{decided, forget, order, order_all, settled, years_pass},
    mutate::{Tally, on_two},
    mutations::{Change, Done, Must, judge},
    world::{World, folder},
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};
use vankho::{disposition::execution, record::id::RecordId, store::layout};

/// The folder of a record below one of these at the top.
fn folder_of(root: &Path, top: &str, record: RecordId) -> PathBuf {
    root.join(top).join(record.shard()).join(record.to_string())
}

/// The stub or the certificate of a record.
fn kept_of(root: &Path, record: RecordId, schema: &str) -> PathBuf {
    let all = fs::read_dir(folder_of(root, layout::STUBS, record)).unwrap().map(|entry| entry.unwrap().path());
    let is = |path: &PathBuf| fs::read_to_string(path).unwrap().contains(&format!("\"schema\":\"{schema}\""));
    all.into_iter().find(is).unwrap()
}

/// A process says that it is writing these.
fn intend(root: &Path, lines: &str) {
    fs::create_dir_all(root.join(layout::INTENTS)).unwrap();
    fs::write(root.join(layout::INTENTS).join("one"), lines).unwrap();
}

/// A file with its folders.
fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Of what was destroyed nothing is left, of what was ordered to be some may be, and stub and certificate are there.
#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_agree_on_what_ended() {
    let (world, kept) = (World::on_disk().await, folder());
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    years_pass(&world, 11);
    let case = decided(&archive, &settled.units()).await;
    let [file, loose] = settled.units();
    order_all(&archive, case, &[file]).await;
    order(&archive, case, loose).await.unwrap();
    archive.publish().await.unwrap();
    archive.close().await.unwrap();
    let now = kept.path().join("archive");
    crate::place::copy(&world.archive_folder(), &now);
    let (destroyed, other, ordered, stays) = (settled.inside[0], settled.inside[1], settled.loose, settled.stays);
    let stub = |root: &Path, record| kept_of(root, record, "stub.v1");
    let certificate = |root: &Path, record| kept_of(root, record, "certificate.v1");
    let left = |root: &Path| folder_of(root, layout::RECORDS, destroyed).join("5a".repeat(32));
    let stray = |root: &Path| folder_of(root, layout::STUBS, destroyed).join(format!("{}.json", "5a".repeat(32)));
    let files = |root: &Path, record| {
        let all = fs::read_dir(folder_of(root, layout::RECORDS, record)).unwrap();
        all.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let within = |path: &Path, root: &Path| path.strip_prefix(root).unwrap().display().to_string();
    let swap = |one: &Path, other: &Path| {
        let [a, b] = [one, other].map(|path| fs::read(path).unwrap());
        fs::write(one, b).unwrap();
        fs::write(other, a).unwrap();
    };
    let all: [(&str, Must, Change); 29] = [
        ("nothing", Must::Hold, &|_| {}),
        ("what was ordered to end is gone", Must::Hold, &|root| {
            fs::remove_dir_all(folder_of(root, layout::RECORDS, ordered)).unwrap();
        }),
        ("a part of it is gone", Must::Hold, &|root| fs::remove_file(&files(root, ordered)[0]).unwrap()),
        ("all of it is altered", Must::Hold, &|root| {
            files(root, ordered).iter().for_each(|path| fs::write(path, "x").unwrap());
        }),
        ("more lies beside it", Must::Agree, &|root| {
            put(&folder_of(root, layout::RECORDS, ordered).join("stray"), "x");
        }),
        ("its stub is gone", Must::NotHold, &|root| fs::remove_file(stub(root, ordered)).unwrap()),
        ("it has the certificate of another", Must::NotHold, &|root| {
            let from = certificate(root, destroyed);
            put(&folder_of(root, layout::STUBS, ordered).join(from.file_name().unwrap()), fs::read(&from).unwrap());
        }),
        ("an empty folder is left of what was destroyed", Must::Hold, &|root| {
            fs::create_dir_all(folder_of(root, layout::RECORDS, destroyed)).unwrap();
        }),
        ("a file is left", Must::NotHold, &|root| put(&left(root), "x")),
        ("a file is left deeper", Must::NotHold, &|root| put(&left(root).join("deep"), "x")),
        ("a half-written file is left", Must::NotHold, &|root| put(&left(root).with_extension("json#1"), "x")),
        ("a file is left, and a process says that it writes there", Must::NotHold, &|root| {
            put(&left(root), "x");
            intend(root, &format!("{destroyed}\n{}\n", within(&left(root), root)));
        }),
        ("a stub is gone", Must::NotHold, &|root| fs::remove_file(stub(root, destroyed)).unwrap()),
        ("a certificate is gone", Must::NotHold, &|root| fs::remove_file(certificate(root, destroyed)).unwrap()),
        ("all stubs are gone", Must::NotHold, &|root| fs::remove_dir_all(root.join(layout::STUBS)).unwrap()),
        ("a stub is altered", Must::NotHold, &|root| {
            let path = stub(root, destroyed);
            let told = fs::read_to_string(&path).unwrap().replace("\"components\":", "\"components\":1");
            fs::write(&path, told).unwrap();
        }),
        ("a certificate is altered", Must::NotHold, &|root| {
            let path = certificate(root, destroyed);
            let told = fs::read_to_string(&path).unwrap().replace("\"entry\":", "\"entry\":1");
            fs::write(&path, told).unwrap();
        }),
        ("stub and certificate exchanged", Must::NotHold, &|root| {
            swap(&stub(root, destroyed), &certificate(root, destroyed));
        }),
        ("stubs of two records exchanged", Must::NotHold, &|root| swap(&stub(root, destroyed), &stub(root, other))),
        ("a stub is a link", Must::NotHold, &|root| {
            let (path, aside) = (stub(root, destroyed), root.join("staging/aside"));
            fs::create_dir_all(root.join("staging")).unwrap();
            fs::rename(&path, &aside).unwrap();
            symlink(&aside, &path).unwrap();
        }),
        ("a stub that nothing names", Must::NotHold, &|root| put(&stray(root), "{}")),
        ("a stub that nothing names is under way", Must::Hold, &|root| {
            put(&stray(root), "{}");
            intend(root, &format!("{}\n", within(&stray(root), root)));
        }),
        ("a stub that nothing names, and its record is under way", Must::NotHold, &|root| {
            put(&stray(root), "{}");
            intend(root, &format!("{destroyed}\n"));
        }),
        ("a stub half-written", Must::Hold, &|root| put(&stray(root).with_extension("json#1"), "{")),
        ("something else half-written among stubs", Must::NotHold, &|root| {
            put(&stray(root).with_extension("x#1"), "{")
        }),
        ("a stub of a record that is here", Must::NotHold, &|root| {
            let from = stub(root, destroyed);
            put(&folder_of(root, layout::STUBS, stays).join(from.file_name().unwrap()), fs::read(&from).unwrap());
        }),
        ("a file directly among stubs", Must::NotHold, &|root| put(&root.join(layout::STUBS).join("stray"), "x")),
        ("a file in no shard of stubs", Must::NotHold, &|root| put(&root.join(layout::STUBS).join("zz/stray"), "x")),
        ("what was not ordered to end is gone", Must::NotHold, &|root| {
            fs::remove_dir_all(folder_of(root, layout::RECORDS, stays)).unwrap();
        }),
    ];
    let tally = Tally::default();
    on_two(all.len(), |n| {
        let (what, must, change) = all[n];
        let copy = folder();
        let root = copy.path().join("archive");
        crate::place::copy(&now, &root);
        change(&root);
        judge(&tally, &root, &Done::new(what, must), "archive", n);
    });
    tally.tell("archives in which records ended");
    let archive = world.open().await.unwrap();
    execution::resume(&archive).await.unwrap();
    archive.close().await.unwrap();
    forget(&world, &settled.going());
    world.check().await;
}

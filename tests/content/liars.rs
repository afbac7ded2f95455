//! Children that are killed, that lie, that go on for ever or that do not end alone.

use crate::hostile::{form_bomb, pdf_bomb};
use crate::{limits, program};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use vankho::config;
use vankho::content::format::identify;
use vankho::content::{ContentError, Outcome, input, read};
use vankho::record::component::Unread;

/// What comes of reading with a shell script for a child.
async fn verdict(script: &str) -> (Unread, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let child = script_in(folder.path(), script);
    let began = Instant::now();
    loop {
        let file = input(b"%PDF-1.7").unwrap();
        match read(&child, file, &identify(b"%PDF-1.7", true), &limits()).await {
            // Another test forked while the script was being written, and still holds it for a moment.
            Err(ContentError::Start(error)) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
            other => match other.unwrap().outcome {
                Outcome::Unread(why) => return (why, began.elapsed()),
                Outcome::Read { .. } => panic!("believed a liar"),
            },
        }
    }
}

fn script_in(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("child");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test]
async fn a_child_that_dies_or_lies_is_a_verdict() {
    for script in [
        "kill -9 $$",
        "kill -11 $$",
        "exit 0",
        "exit 3",
        "/bin/cat /dev/zero",
        "printf 'F\\0\\0\\0\\017application/pdfM\\0\\0\\0\\001xE\\0\\0\\0\\0010'; exit 1",
        "printf 'F\\0\\0\\0\\017application/pdfM\\0\\0\\0\\001xE\\0\\0\\0\\001'",
        "printf 'F\\0\\0\\0\\017application/pdfM\\0\\0\\0\\001xU\\0\\0\\0\\004evil'",
    ] {
        assert_eq!(verdict(script).await.0, Unread::ReaderDied, "{script}");
    }
    let long = "printf 'F\\0\\0\\0\\017application/pdfM\\0\\0\\0\\001xP\\377\\0\\0\\0'; /bin/cat /dev/zero";
    assert_eq!(verdict(long).await.0, Unread::TooMuchText);
}

#[tokio::test]
async fn a_child_that_does_not_end_is_ended_with_all_it_started() {
    let note = tempfile::NamedTempFile::new().unwrap();
    let script = format!("/bin/sleep 1000 & echo $! > {}; wait", note.path().display());
    let (why, took) = verdict(&script).await;
    assert_eq!(why, Unread::TookTooLong);
    assert!(took < Duration::from_secs(limits().seconds_max + 1), "{took:?}");
    let grandchild: String = std::fs::read_to_string(note.path()).unwrap().trim().into();
    for _ in 0..100 {
        let status = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
        if status.is_empty() || status.contains(") Z") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the grandchild is still there");
}

#[tokio::test]
async fn a_reading_that_is_no_longer_wanted_is_ended() {
    let (note, folder) = (tempfile::NamedTempFile::new().unwrap(), tempfile::tempdir().unwrap());
    let child = script_in(folder.path(), &format!("echo $$ > {}; exec /bin/sleep 1000", note.path().display()));
    let process = || std::fs::read_to_string(note.path()).unwrap().trim().to_owned();
    while process().is_empty() {
        let (format, limits) = (identify(b"%PDF-1.7", true), limits());
        let reading = read(&child, input(b"%PDF-1.7").unwrap(), &format, &limits);
        let _ = tokio::time::timeout(Duration::from_millis(300), reading).await;
    }
    for _ in 0..100 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process())).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the child is still there");
}

#[tokio::test]
async fn too_little_memory_is_a_verdict() {
    let (bytes, format) = (pdf_bomb(60), identify(b"%PDF-1.7", true));
    let small = config::Content { memory_bytes_max: 64 << 20, ..limits() };
    let reading = read(program(), input(&bytes).unwrap(), &format, &small).await.unwrap();
    assert_eq!(reading.outcome, Outcome::Unread(Unread::TookTooMuchMemory));
}

/// The reading child of this process that reads under these limits.
fn child_with(limits: &config::Content) -> Option<PathBuf> {
    let limits = serde_json::to_string(limits).unwrap();
    let folders = std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let is_it = |path: &PathBuf| std::fs::read_to_string(path.join("cmdline")).is_ok_and(|line| line.contains(&limits));
    folders.into_iter().find(is_it)
}

#[tokio::test]
async fn a_child_at_work_is_fenced() {
    let (bytes, format) = (form_bomb(), identify(b"%PDF-1.7", true));
    let mine = config::Content { memory_bytes_max: 345_678_912, ..limits() };
    let watch = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let child = child_with(&mine).expect("no child at work");
        let read = |name: &str| std::fs::read_to_string(child.join(name)).unwrap();
        (read("status"), read("limits"), child.join("cwd").read_link().unwrap(), read("environ"))
    };
    let (_, (status, bounds, folder, environment)) =
        tokio::join!(read(program(), input(&bytes).unwrap(), &format, &mine), watch);
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "Threads:\t1"] {
        assert!(status.contains(line), "{line}:\n{status}");
    }
    let bound = |name: &str| {
        let line = bounds.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().take(2).map(|n| n.parse().unwrap()).collect::<Vec<u64>>()
    };
    assert_eq!(bound("Max address space"), [345_678_912; 2]);
    assert_eq!(bound("Max cpu time"), [limits().seconds_max + 1; 2]);
    assert_eq!((bound("Max file size"), bound("Max core file size")), (vec![0; 2], vec![0; 2]));
    assert_eq!((bound("Max open files"), folder, environment.as_str()), (vec![8; 2], PathBuf::from("/"), ""));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error_and_no_verdict() {
    let format = identify(b"%PDF-1.7", true);
    let reading = read(Path::new("/nowhere"), input(b"%PDF-1.7").unwrap(), &format, &limits()).await;
    assert!(matches!(reading, Err(ContentError::Start(_))));
}

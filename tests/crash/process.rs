//! The real process, and what is checked after it is gone.

use crate::world::{Acknowledged, PROGRAM, docx, examine, folder, pdf, row};
use serde_json::Value;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use vankho::{
    archive::{Archive, Clock, Parts, place::Folders},
    catalog::Catalog,
    config::Config,
    desk::Desk,
    index::Index,
    store::Store,
};

pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(["--json", "--language", "en", "--data"]).arg(data).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

pub fn run(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

/// Runs what must succeed.
pub fn succeeds(data: &Path, arguments: &[&str]) -> Output {
    let output = run(data, arguments);
    let told = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told:?}");
    output
}

pub fn init(data: &Path) {
    succeeds(data, &["init", "--origin", crate::world::ORIGIN]);
}

/// Ends a process as nothing else does, and gives what it had said.
pub fn kill(mut child: Child) -> Output {
    child.kill().unwrap();
    child.wait_with_output().unwrap()
}

/// A manifest of every kind of row, made once.
pub fn manifest(inbox: &Path, rows: usize) -> PathBuf {
    fs::write(inbox.join("large.bin"), vec![9; 20 << 20]).unwrap();
    let mut manifest = String::new();
    for n in 0..rows {
        let (name, bytes) = match n % 25 {
            0 => (format!("{n}.docx"), docx(&format!("Giấy phép số {n}"))),
            1 => (format!("{n}.pdf"), pdf(&format!("hello {n}"))),
            k if k % 2 == 0 => (format!("{n}.bin"), vec![(n % 251) as u8; 1000 + n]),
            _ => {
                manifest += &row(&n.to_string(), &format!("văn bản {n}"), &format!(r#""text":"toàn văn số {n}""#));
                continue;
            }
        };
        fs::write(inbox.join(&name), bytes).unwrap();
        let components = if n == rows / 2 { format!(r#""large.bin","{name}""#) } else { format!(r#""{name}""#) };
        manifest += &row(&n.to_string(), &format!("tệp {n}"), &format!(r#""components":[{components}]"#));
    }
    let path = inbox.join("manifest.jsonl");
    fs::write(&path, manifest).unwrap();
    path
}

/// What standard output acknowledges: whole lines with a receipt.
pub fn acknowledged(stdout: &[u8]) -> Vec<Acknowledged> {
    let text = String::from_utf8_lossy(stdout);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| Some(line.get(name)?.as_str()?.to_owned());
        let record = text("record")?.parse().unwrap();
        Some(Acknowledged { external_id: text("external_id").unwrap_or_default(), record, receipt: text("receipt")? })
    };
    whole.lines().filter_map(read).collect()
}

/// Holds everything that was acknowledged against the archive in a data folder.
pub async fn check(data: &Path, acknowledged: &[Acknowledged]) {
    let live = Archive::open(data, Config::default(), Clock::System, &|_| {}).await.unwrap();
    let (folders, fresh) = (Folders::of(data), folder());
    let parts = Parts {
        store: Store::local(&folders.archive).unwrap(),
        signer: folders.signer().unwrap(),
        catalog: Catalog::open(Some(&fresh.path().join("catalog.db"))).await.unwrap(),
        index: Index::open(None, &Config::default().index).unwrap(),
        desk: Desk::open(None).await.unwrap(),
        clock: Clock::System,
        config: Config::default(),
        lock: None,
    };
    let rebuilt = Archive::start(parts, &|_| {}).await.unwrap();
    let mut faults = examine(&live, &rebuilt, acknowledged).await;
    let mut records = HashMap::new();
    for one in acknowledged {
        let before = records.insert(&one.external_id, one.record);
        if before.is_some_and(|before| before != one.record) {
            faults.push(format!("{} was acknowledged as two records", one.external_id));
        }
    }
    rebuilt.close().await.unwrap();
    live.close().await.unwrap();
    assert!(faults.is_empty(), "after {} acknowledgements:\n  {}", acknowledged.len(), faults.join("\n  "));
}

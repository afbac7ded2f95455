//! What a server says of a failure: the record and the kind of failure, and never a digest, by which somebody who has
//! a file could tell that it is here.

use crate::service::{Service, key};
use serde_json::Value;
use std::{fs, io, path::PathBuf, time::Duration};

/// Every file of a record, by its name.
fn files(service: &Service, record: &str) -> Vec<PathBuf> {
    let folder = service.data.path().join("archive/records").join(&record[record.len() - 2..]).join(record);
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_names_the_record_and_no_digest() {
    let mut service = Service::start().await;
    let lan = service.actor("lan", "archivist", "Sở Nội vụ");
    let row = r#"{"external_id":"1","subject":"kế hoạch"}"#;
    let answer = lan.deposit(&service.address, &key(1), row, &[("a.bin", b"\0 n\xe1\xbb\x99i dung")]).await.unwrap();
    let told: Value = answer.json().await.unwrap();
    let record = told["record"].as_str().unwrap();
    while lan.json(&service.address, "/api/v1/status").await["waiting"] != 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let named = files(&service, record);
    assert!(named.len() >= 2, "a component and its descriptions: {named:?}");
    let mut told = String::new();
    let ruins: [fn(&PathBuf) -> io::Result<()>; 3] = [
        |path| fs::write(path, b"x"),
        |path| fs::remove_file(path).and_then(|()| fs::create_dir(path)),
        |path| fs::remove_dir(path),
    ];
    // In turn: everything is altered, is something that cannot be read, and is gone.
    for ruin in ruins {
        named.iter().for_each(|path| ruin(path).unwrap());
        for path in ["", "/components/1", "/receipt", "/descriptions"] {
            let asked = lan.get(&service.address, &format!("/api/v1/records/{record}{path}"));
            // A body that is not what it should be is broken off.
            let Ok(answer) = asked.send().await else { continue };
            let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
            if status.is_server_error() {
                told += &text;
            }
        }
        told += &lan.json(&service.address, "/api/v1/status").await.to_string();
    }
    service.terminate();
    let log = service.log();
    let shown = format!("{record}/…");
    assert!(log.contains("a request failed") && log.contains(&shown), "the failures are told: {log}");
    assert!(told.contains("\"code\":\"damaged\""), "{told}");
    for path in named {
        let digest = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
        assert_eq!(digest.len(), 64);
        assert!(!log.contains(&digest), "the log names {digest}:\n{log}");
        assert!(!told.contains(&digest), "an answer names {digest}: {told}");
    }
}

//! The OpenAPI document held against the server that serves it, by schemathesis: requests made from the document, good
//! and bad, and every answer compared with it.
//!
//! `tests/run` makes the Python environment it runs in, `target/python`.

use crate::service::{Service, Visitor, key};
use serde_json::Value;
use std::{path::Path, process::Command};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/schemathesis");

/// What an answer must keep to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,allow_header_conformance,\
                      missing_required_header,ignored_auth,unsupported_method";

/// A record with a component, and its address.
async fn record(at: &str, visitor: &Visitor, n: u64) -> String {
    let text =
        format!(r#"{{"external_id":"{n}","subject":"kế hoạch {n}","agency":"Sở Nội vụ","text":"toàn văn {n}"}}"#);
    let kept = visitor.deposit(at, &key(n), &text, &[("a.txt", b"noi dung")]).await.unwrap();
    let kept: Value = kept.json().await.unwrap();
    kept["record"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_the_document_has_and_none_is_a_failure() {
    assert!(
        Path::new(PROGRAM).exists(),
        "schemathesis is missing: tests/run installs it, or: \
         python3 -m venv target/python && target/python/bin/pip install -r tests/requirements.txt"
    );
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse::<u32>().ok()).unwrap_or(1);
    let full = std::env::var("VANKHO_FULL").is_ok_and(|full| full == "1");
    let service = Service::with(&[("VANKHO_SERVER__REQUEST_TIMEOUT_SECONDS", "10")]).await;
    let (at, lan) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"));
    let mut known = String::new();
    for n in 0..5 {
        known = record(at, &lan, n).await;
    }
    let life = lan.json(at, &format!("/api/v1/records/{known}/descriptions")).await;
    let sha256 = life[0]["sha256"].as_str().unwrap();
    let work = crate::world::folder();
    // What is made up names no record; so most requests are about one that is there.
    let known = format!("[parameters]\nrecord = \"{known}\"\nsha256 = \"{sha256}\"\nordinal = 1\n");
    for (what, config, seconds) in
        [("made up", "", if full { 300 } else { 18 }), ("known", known.as_str(), if full { 300 } else { 18 })]
    {
        std::fs::write(work.path().join("schemathesis.toml"), config).unwrap();
        let mut command = Command::new(PROGRAM);
        command.current_dir(work.path()).args(["run", &format!("{at}/api/v1/openapi.json")]);
        command.args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--workers", "1"]);
        command.args(["--header", &format!("Authorization: Bearer {}", lan.token)]);
        command.args(["--max-time", &format!("{seconds}"), "--seed", &seed.to_string(), "--no-color"]);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{what}: again: VANKHO_SEED={seed} cargo test --release --test http openapi\n{told}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let tail: Vec<&str> = told.lines().rev().take(12).collect();
        eprintln!("{what}: {}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
    assert_eq!(lan.get(at, "/healthz/ready").send().await.unwrap().status(), 200);
}

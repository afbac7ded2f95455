//! What is not understood, too large, or too much.

use crate::service::{Service, key, vankho};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_in_the_language_that_is_asked_for() {
    let service = Service::start().await;
    let (at, lan, client) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"), Client::new());
    let ask = |method: Method, path: &str, token: &str| {
        client.request(method, format!("{at}{path}")).bearer_auth(token.to_owned())
    };
    let none = "/api/v1/records/019aaf1c-9b00-7707-8707-070707070707";
    let cases = [
        (ask(Method::GET, "/api/v1/status", "wrong"), 401),
        (client.get(format!("{at}/api/v1/search")), 401),
        (ask(Method::GET, "/nowhere", &lan.token), 404),
        (ask(Method::GET, none, &lan.token), 404),
        (ask(Method::GET, "/api/v1/records/x/components/y", &lan.token), 404),
        (ask(Method::DELETE, none, &lan.token), 405),
        (ask(Method::POST, "/api/v1/records", &lan.token).header("idempotency-key", key(1)).body("x"), 415),
        (ask(Method::GET, "/api/v1/search?limit=1001", &lan.token), 400),
        (ask(Method::GET, "/api/v1/search?from=yesterday", &lan.token), 400),
        (ask(Method::GET, "/api/v1/search?cursor=x", &lan.token), 400),
        (ask(Method::GET, "/api/v1/search?qq=x", &lan.token), 400),
        (ask(Method::GET, "/api/v1/search?limit=-1", &lan.token), 400),
    ];
    for (request, status) in cases {
        for (wanted, language) in [("en", "en"), ("vi", "vi")] {
            let answer = request.try_clone().unwrap().header("accept-language", wanted).send().await.unwrap();
            let path = answer.url().path().to_owned();
            assert_eq!(answer.status().as_u16(), status, "{path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
            assert_eq!(answer.headers()["content-language"], language);
            assert!(answer.headers().contains_key("x-request-id"));
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["status"], status);
            assert!(problem["detail"].as_str().unwrap().len() > 4, "{problem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_refused_says_everything_that_is_wrong() {
    let service =
        Service::with(&[("VANKHO_INGEST__COMPONENT_BYTES_MAX", "100000"), ("VANKHO_SERVER__BODY_BYTES_MAX", "300000")])
            .await;
    let (at, lan) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"));
    let good: (&str, &[u8]) = ("a.txt", b"text");
    for (n, (description, components, status, code)) in [
        ("{", &[good][..], 422, "malformed_row"),
        (r#"{"number":"1"}"#, &[good], 422, "no_subject"),
        (r#"{"subject":"x"}"#, &[("a.txt", b"")], 422, "empty_component"),
        (r#"{"subject":"x"}"#, &[("a.bin", &[1; 100_001])], 422, "component_too_large"),
        (
            r#"{"subject":"x"}"#,
            &[("a.bin", &[1; 90_000]), ("b.bin", &[1; 90_000]), ("c.bin", &[1; 90_000]), ("d.bin", &[1; 90_000])],
            413,
            "",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        // Who sends too much may find the connection closed before the answer is read.
        let Ok(answer) = lan.deposit(at, &key(n as u64), description, components).await else {
            assert_eq!(status, 413);
            continue;
        };
        assert_eq!(answer.status().as_u16(), status, "{description}");
        let problem: Value = answer.json().await.unwrap();
        let codes: Vec<&str> =
            problem["findings"].as_array().into_iter().flatten().map(|one| one["code"].as_str().unwrap()).collect();
        assert!(code.is_empty() || codes.contains(&code), "{description}: {problem}");
    }
    let wrong = Client::new().post(format!("{at}/api/v1/records")).bearer_auth(&lan.token);
    let part = reqwest::multipart::Part::bytes(b"text".to_vec()).file_name("a.txt");
    let part = part.headers(
        [(
            "content-digest".parse().unwrap(),
            "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:".parse().unwrap(),
        )]
        .into_iter()
        .collect(),
    );
    let form = reqwest::multipart::Form::new().text("description", r#"{"subject":"x"}"#).part("component", part);
    let answer = wrong.header("idempotency-key", key(99)).multipart(form).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("digest_mismatch"));
    let keyless = Client::new().post(format!("{at}/api/v1/records")).bearer_auth(&lan.token);
    let form = reqwest::multipart::Form::new().text("description", "{}");
    assert_eq!(keyless.multipart(form).send().await.unwrap().status(), 400);
    let status = lan.json(at, "/api/v1/status").await;
    assert_eq!(status["records"], 0, "nothing of it was kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_at_once_none_is_lost_and_late_ones_are_told_to_wait() {
    let service = Service::with(&[
        ("VANKHO_SERVER__INTAKE_CONCURRENCY", "8"),
        ("VANKHO_SERVER__INTAKE_QUEUE", "32"),
        ("MALLOC_ARENA_MAX", "2"),
    ])
    .await;
    let lan = service.actor("lan", "archivist", "Sở Nội vụ");
    let deposit = |n: u64| {
        let (at, lan) = (service.address.clone(), lan.clone());
        async move {
            let text = format!(r#"{{"external_id":"{n}","subject":"văn bản {n}"}}"#);
            let mut told = 0;
            loop {
                let answer = lan.deposit(&at, &key(n), &text, &[("a.bin", &[n as u8 | 1; 60_000])]).await;
                match answer.as_ref().map(|answer| answer.status()) {
                    Ok(StatusCode::CREATED | StatusCode::OK) => return told,
                    Ok(StatusCode::TOO_MANY_REQUESTS) => {
                        let wait = answer.unwrap().headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
                        told += 1;
                        tokio::time::sleep(Duration::from_millis(wait * 1000 + n % 500)).await;
                    }
                    // Refused before all of it was read.
                    Err(_) => tokio::time::sleep(Duration::from_millis(500 + n % 500)).await,
                    Ok(other) => panic!("{other}"),
                }
            }
        }
    };
    let (mut told, mut memory) = (0, Vec::new());
    // A usual run has fewer: its other tests want the machine too.
    let many = if std::env::var("VANKHO_FULL").is_ok_and(|full| full == "1") { 1000 } else { 400 };
    for crowd in 0..4 {
        told +=
            futures::future::join_all((crowd * many..(crowd + 1) * many).map(deposit)).await.into_iter().sum::<u64>();
        memory.push(service.memory() >> 20);
    }
    assert!(told > 0, "somebody was told to wait");
    // Caches of catalog and index fill at first; from then on a crowd finds room in the same memory.
    assert!(memory[3] < memory[2] + 48, "MiB after each crowd: {memory:?}");
    let status = lan.json(&service.address, "/api/v1/status").await;
    assert_eq!(status["records"], 4 * many);
    eprintln!("{many} at once, four times: told to wait {told} times, MiB after each: {memory:?}");
}

#[tokio::test]
async fn another_address_than_this_machine_is_refused() {
    let data = crate::world::folder();
    assert_eq!(vankho(data.path(), &[], &["init", "--origin", crate::world::ORIGIN]).status.code(), Some(0));
    let refused = vankho(data.path(), &[], &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("only loopback"));
}

/// Every address of the document answers, and none of them with a failure.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_names_every_address() {
    let service = Service::start().await;
    let (at, lan) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"));
    let document = lan.json(at, "/api/v1/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 64, "{:?}", paths.keys().collect::<Vec<_>>());
    for (path, methods) in paths {
        if !methods.as_object().unwrap().contains_key("get") {
            continue;
        }
        for value in ["0", "019aaf1c-9b00-7707-8707-070707070707", "%00", "%F0%9F%98%80", "..%2F..", &"9".repeat(4000)]
        {
            let filled = path
                .split('/')
                .map(|part| if part.starts_with('{') { value } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let answer = lan.get(at, &filled).send().await.unwrap();
            assert!(answer.status().as_u16() < 500, "{filled}: {}", answer.status());
        }
    }
}

//! What goes wrong around a server: a full disk, storage that lets nobody in, a clock that is put back, derived files
//! that are gone, connections that say nothing. It says so, loses nothing, and goes on without a new process.

use crate::{
    server::Server,
    service::{Service, Visitor, key},
    small::Small,
    world::folder,
};
use reqwest::StatusCode;
use serde_json::Value;
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};
use vankho::{
    archive::Clock,
    config::Config,
    http::{
        serve::serve,
        state::{Door, Open},
    },
};

fn row(n: u64) -> String {
    format!(r#"{{"external_id":"{n}","subject":"kế hoạch {n}","text":"toàn văn {n}"}}"#)
}

/// Hands one record over; its status and what was said.
async fn deposit(at: &str, lan: &Visitor, n: u64, bytes: &[u8]) -> (StatusCode, Value) {
    let components: &[(&str, &[u8])] = if bytes.is_empty() { &[] } else { &[("a.bin", bytes)] };
    let answer = lan.deposit(at, &key(n), &row(n), components).await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// The same until it is taken in; what it was refused with meanwhile.
async fn until_taken(at: &str, lan: &Visitor, n: u64) -> Vec<(StatusCode, Value)> {
    let (began, mut before) = (Instant::now(), Vec::new());
    loop {
        match deposit(at, lan, n, b"").await {
            (StatusCode::CREATED | StatusCode::OK, _) => return before,
            told => before.push(told),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{before:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Asks until it is answered; meanwhile the client is told to come again, and nothing else.
async fn until_answered(at: &str, lan: &Visitor, path: &str) -> Value {
    let began = Instant::now();
    loop {
        let answer = lan.get(at, path).send().await.unwrap();
        match answer.status() {
            StatusCode::OK => return answer.json().await.unwrap(),
            status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.text().await.unwrap()),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{path}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// All of these are found by their texts.
async fn found(at: &str, lan: &Visitor, records: u64) {
    let began = Instant::now();
    loop {
        let answer = lan.get(at, "/api/v1/search?q=kế+hoạch&limit=1").send().await.unwrap();
        let page: Value = answer.json().await.unwrap_or_default();
        if page["total"] == records {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn verifies(service: &mut Service) {
    assert_eq!(service.terminate(), Some(0));
    let verified = service.command(&["verify", "archive"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_as_one_and_room_is_all_it_needs() {
    let disk = folder();
    let small = Small(disk.path());
    small.mount("size=24m");
    let place = disk.path().join("kho").display().to_string();
    let mut service = Service::with(&[("VANKHO_STORAGE__PLACES", &place)]).await;
    let (at, lan) = (service.address.clone(), service.actor("lan", "archivist", "Sở Nội vụ"));
    let bytes = vec![7; 900_000];
    let mut kept = 0;
    let problem = loop {
        match deposit(&at, &lan, kept, &bytes).await {
            (StatusCode::CREATED, _) => kept += 1,
            (StatusCode::INSUFFICIENT_STORAGE, problem) => break problem,
            // The writer gave up, and the archive is opened again.
            (StatusCode::SERVICE_UNAVAILABLE, _) => tokio::time::sleep(Duration::from_millis(100)).await,
            other => panic!("{other:?}"),
        }
        assert!(kept < 40, "a small disk holds all of it");
    };
    assert_eq!(problem["code"], "full");
    assert!(problem["detail"].as_str().unwrap().contains("Idempotency-Key"), "{problem}");
    assert!(kept > 3);
    // Reading goes on.
    found(&at, &lan, kept).await;
    small.mount("remount,size=256m");
    until_taken(&at, &lan, kept).await;
    found(&at, &lan, kept + 1).await;
    verifies(&mut service);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_expire_are_a_pause_and_not_a_loss() {
    let mut storage = Server::start();
    let [id, secret] = Server::keys();
    let places = storage.address("kho");
    let mut service = Service::with(&[id, secret, ("VANKHO_STORAGE__PLACES", &places)]).await;
    let (at, lan) = (service.address.clone(), service.actor("lan", "archivist", "Sở Nội vụ"));
    for n in 0..3 {
        assert_eq!(deposit(&at, &lan, n, b"").await.0, StatusCode::CREATED);
    }
    storage.stop();
    storage.expire();
    let (status, problem) = deposit(&at, &lan, 3, b"").await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"away".into()), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("Retry-After"), "{problem}");
    storage.stop();
    storage.resume();
    until_taken(&at, &lan, 3).await;
    found(&at, &lan, 4).await;
    assert_eq!(service.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn derived_files_that_go_while_it_runs_come_back_by_themselves() {
    for (what, break_it) in [
        ("an empty catalog", &(|derived: &Path| fs::write(derived.join("catalog.db"), "").unwrap()) as &dyn Fn(&Path)),
        ("no index", &|derived: &Path| fs::remove_dir_all(derived.join("index")).unwrap()),
        ("no catalog", &|derived: &Path| {
            for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
                fs::remove_file(derived.join(name)).ok();
            }
        }),
    ] {
        let mut service = Service::start().await;
        let (at, lan) = (service.address.clone(), service.actor("lan", "archivist", "Sở Nội vụ"));
        for n in 0..5 {
            assert_eq!(deposit(&at, &lan, n, b"").await.0, StatusCode::CREATED);
        }
        found(&at, &lan, 5).await;
        break_it(&service.data.path().join("derived"));
        for n in 5..10 {
            for (status, told) in until_taken(&at, &lan, n).await {
                assert!(matches!(status.as_u16(), 500 | 503), "{what}: {status} {told}");
                assert!(told["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{what}: {told}");
            }
        }
        found(&at, &lan, 10).await;
        for n in 0..10 {
            let named = until_answered(&at, &lan, &format!("/api/v1/records?external_id={n}")).await;
            assert_eq!(named["records"].as_array().unwrap().len(), 1, "{what}: {n}");
        }
        verifies(&mut service);
        // And so do those that are gone when it starts.
        break_it(&service.data.path().join("derived"));
        service.resume().await;
        found(&service.address.clone(), &lan, 10).await;
        verifies(&mut service);
    }
}

/// In this process, for its clock can be moved.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_put_back_an_hour_stops_nothing_and_the_ledger_goes_forward() {
    let mut service = Service::start().await;
    let lan = service.actor("lan", "archivist", "Sở Nội vụ");
    let auditor = service.actor("minh", "auditor", "Sở Nội vụ");
    assert_eq!(service.terminate(), Some(0));
    let now = Arc::new(AtomicI64::new(Clock::System.now().micros()));
    let config = Config {
        server: vankho::config::Server { listen: "127.0.0.1:0".into(), ..Default::default() },
        ..Config::default()
    };
    let rounds: vankho::http::state::Rounds = Arc::new(|_: Arc<Open>| Box::pin(std::future::pending()));
    let door = Door::new(service.data.path().to_owned(), config, Clock::Moved(now.clone()), rounds);
    let (stop, stopped) = oneshot::channel::<()>();
    let (told, heard) = oneshot::channel();
    let serving = tokio::spawn(serve(door, async move { drop(stopped.await) }, move |address| {
        told.send(format!("http://{address}")).unwrap()
    }));
    let at = heard.await.unwrap();
    for n in 0..6 {
        let hour = 3_600_000_000;
        match n {
            2 => now.fetch_sub(hour, Ordering::SeqCst),
            4 => now.fetch_add(2 * hour, Ordering::SeqCst),
            _ => now.fetch_add(1_000_000, Ordering::SeqCst),
        };
        assert_eq!(deposit(&at, &lan, n, b"").await.0, StatusCode::CREATED, "{n}");
    }
    found(&at, &lan, 6).await;
    let mut times = Vec::new();
    for n in 0..6 {
        let named = lan.json(&at, &format!("/api/v1/records?external_id={n}")).await;
        let record = named["records"][0].as_str().unwrap().to_owned();
        times.push(
            lan.json(&at, &format!("/api/v1/records/{record}")).await["accessioned"].as_str().unwrap().to_owned(),
        );
    }
    assert!(times.is_sorted(), "an entry is never earlier than the one before: {times:?}");
    assert_eq!(auditor.json(&at, "/api/v1/status").await["records"], 6);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let verified = service.command(&["verify", "archive"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// Whether the other side closes within this time.
async fn closed_within(mut stream: TcpStream, patience: Duration) -> bool {
    let mut all = Vec::new();
    tokio::time::timeout(patience, stream.read_to_end(&mut all)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_are_closed_and_others_are_served() {
    let service = Service::with(&[("VANKHO_SERVER__REQUEST_TIMEOUT_SECONDS", "1")]).await;
    let (at, lan) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"));
    let host = at.trim_start_matches("http://");
    let mut silent = Vec::new();
    for n in 0..200 {
        let mut stream = TcpStream::connect(host).await.unwrap();
        match n % 3 {
            // Nothing at all, the head without its end, and a body that does not come.
            0 => {}
            1 => stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap(),
            _ => {
                let head = format!(
                    "POST /api/v1/findings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
                    lan.token
                );
                stream.write_all(head.as_bytes()).await.unwrap();
            }
        }
        silent.push(stream);
    }
    let began = Instant::now();
    assert_eq!(lan.get(at, "/api/v1/search").send().await.unwrap().status(), 200);
    assert!(began.elapsed() < Duration::from_secs(1), "others are served meanwhile");
    let closed = silent.into_iter().map(|stream| closed_within(stream, Duration::from_secs(10)));
    let closed = futures::future::join_all(closed).await;
    assert!(closed.iter().all(|closed| *closed), "{} stay open", closed.iter().filter(|closed| !**closed).count());
    assert_eq!(lan.get(at, "/api/v1/search").send().await.unwrap().status(), 200);
}

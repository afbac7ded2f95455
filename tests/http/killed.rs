//! The server killed, asked to end, or without its storage, while sixteen connections hand records over.

use crate::{
    server::Server,
    service::{Service, Visitor, key},
    world::Chance,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

const CONNECTIONS: u64 = 16;

fn full() -> bool {
    std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1")
}

/// Hands records over without end, each until it is acknowledged, under one key each.
struct Load {
    address: Arc<RwLock<String>>,
    kept: Arc<Mutex<BTreeMap<u64, String>>>,
    enough: Arc<AtomicBool>,
    at_work: JoinSet<()>,
}

impl Load {
    fn start(service: &Service, lan: &Visitor) -> Load {
        let (address, kept, enough): (_, Arc<Mutex<BTreeMap<u64, String>>>, _) =
            (Arc::new(RwLock::new(service.address.clone())), Arc::default(), Arc::new(AtomicBool::new(false)));
        let (next, mut at_work) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
        for _ in 0..CONNECTIONS {
            let (address, kept, enough, next, lan) =
                (address.clone(), Arc::clone(&kept), enough.clone(), next.clone(), lan.clone());
            at_work.spawn(async move {
                while !enough.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let record = one(&address, &lan, n).await;
                    let before: Option<String> = kept.lock().unwrap().insert(n, record);
                    assert_eq!(before, None);
                }
            });
        }
        Load { address, kept, enough, at_work }
    }

    fn moved(&self, service: &Service) {
        *self.address.write().unwrap() = service.address.clone();
    }

    async fn end(mut self) -> BTreeMap<u64, String> {
        self.enough.store(true, Ordering::SeqCst);
        while let Some(done) = self.at_work.join_next().await {
            done.unwrap();
        }
        std::mem::take(&mut *self.kept.lock().unwrap())
    }
}

/// One record, until it is acknowledged.
async fn one(address: &RwLock<String>, lan: &Visitor, n: u64) -> String {
    let text = format!(r#"{{"external_id":"{n}","subject":"văn bản {n}","text":"toàn văn {n}"}}"#);
    loop {
        let at = address.read().unwrap().clone();
        if let Ok(answer) = lan.deposit(&at, &key(n), &text, &[]).await {
            let status = answer.status().as_u16();
            match answer.json::<Value>().await {
                Ok(told) if matches!(status, 200 | 201) => return told["record"].as_str().unwrap().to_owned(),
                told => assert!(matches!(status, 200 | 201 | 409 | 429 | 503), "{status}: {told:?}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Everything acknowledged is there once, and the archive holds.
async fn check(service: &mut Service, lan: &Visitor, kept: &BTreeMap<u64, String>) {
    for (n, record) in kept {
        let told = lan.json(&service.address, &format!("/api/v1/records/{record}")).await;
        assert_eq!(told["description"]["metadata"]["external_id"], n.to_string());
    }
    let status = lan.json(&service.address, "/api/v1/status").await;
    assert_eq!(status["records"].as_u64().unwrap(), kept.len() as u64, "nothing is doubled");
    assert_eq!(service.terminate(), Some(0));
    let verified = service.command(&["verify", "archive"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    assert_eq!(service.command(&["rebuild"]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_missing_after_kills() {
    let mut service = Service::start().await;
    let lan = service.actor("lan", "archivist", "Sở Nội vụ");
    let load = Load::start(&service, &lan);
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (mut chance, kills) = (Chance(seed), if full() { 50 } else { 10 });
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(50 + chance.below(400))).await;
        service.kill();
        service.resume().await;
        load.moved(&service);
    }
    let kept = load.end().await;
    assert!(kept.len() > 16);
    check(&mut service, &lan, &kept).await;
    eprintln!(
        "{} records over {CONNECTIONS} connections, {kills} kills, seed {seed}: none missing, none doubled",
        kept.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_end_answers_what_is_under_way() {
    let mut service = Service::start().await;
    let lan = service.actor("lan", "archivist", "Sở Nội vụ");
    let load = Load::start(&service, &lan);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(service.terminate(), Some(0));
    service.resume().await;
    load.moved(&service);
    let kept = load.end().await;
    check(&mut service, &lan, &kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_goes_away_and_comes_back_needs_no_new_process() {
    let mut storage = Server::start();
    let [key_id, secret] = Server::keys();
    let places = storage.address("kho");
    let mut service = Service::with(&[key_id, secret, ("VANKHO_STORAGE__PLACES", &places)]).await;
    let lan = service.actor("lan", "archivist", "Sở Nội vụ");
    let load = Load::start(&service, &lan);
    tokio::time::sleep(Duration::from_millis(500)).await;
    storage.stop();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    storage.resume();
    service.ready(Duration::from_secs(60)).await;
    let before = load.kept.lock().unwrap().len();
    let began = std::time::Instant::now();
    while load.kept.lock().unwrap().len() < before + 16 {
        assert!(began.elapsed() < Duration::from_secs(60), "it goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let kept = load.end().await;
    for (n, record) in &kept {
        let told = lan.json(&service.address, &format!("/api/v1/records/{record}")).await;
        assert_eq!(told["description"]["metadata"]["external_id"], n.to_string());
    }
    assert_eq!(service.terminate(), Some(0));
}

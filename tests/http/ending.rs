//! The server killed in the middle of a disposition: while files are ordered, and while they are destroyed. In the end each
//! record that was ordered is destroyed and certified once, nothing of it is left, and nothing else is gone.
//!
//! 12 kills, 120 when `VANKHO_FULL=1`; `VANKHO_SEED` says when.

use crate::{
    arrangement::{AGENCY, about, done, fonds},
    disposition::{PASSWORD, account, schedule},
    kept::events,
    scan::{self, Needle},
    service::{Service, Visitor, key},
    world::{Chance, folder},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use vankho::{
    archive::{Archive, Clock},
    config::Config,
    record::{digest::Digest, entry::Event, id::RecordId},
    store::layout,
    verify::{Outcome, receipt::verify_receipt},
};

const VERIFIERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/archive/place");
/// Records of each file.
const INSIDE: usize = 2;
/// How long anything may take that goes on by itself: a round that failed begins again after half a minute.
const PATIENCE: Duration = Duration::from_secs(180);

fn full() -> bool {
    std::env::var("VANKHO_FULL").is_ok_and(|value| value == "1")
}

/// A file that is closed and due, with what lies in it.
struct Due {
    file: String,
    records: Vec<String>,
}

/// A word that nobody else has.
fn canary(chance: &mut Chance) -> String {
    (0..24).map(|_| char::from(b'a' + chance.below(26) as u8)).collect()
}

/// A file whose period has ended; what is planted in its records is added to the needles.
async fn due(
    service: &Service,
    clerk: &Visitor,
    (fonds, schedule): (&str, &str),
    n: usize,
    (chance, needles): (&mut Chance, &mut Vec<Needle>),
) -> Due {
    let code = format!("{AGENCY}.2015.{}", 100 + n);
    let mut said = about(&code);
    said["class"] = json!({"schedule": schedule, "version": 1, "class": "1.01"});
    let file = done(service, clerk, &format!("/api/v1/fonds/{fonds}/files"), &said).await;
    let mut records = Vec::new();
    for inside in 0..INSIDE {
        let [text, note] = [canary(chance), canary(chance)];
        let description = json!({
            "subject": format!("kế hoạch {n}.{inside}"), "agency": AGENCY, "access": "conditional", "fonds": "P1",
            "file": code, "issued": "2015-03-01", "note": note, "text": format!("toàn văn {text}")
        });
        let key = key((n * INSIDE + inside) as u64);
        let kept = clerk.deposit(&service.address, &key, &description.to_string(), &[]).await.unwrap();
        let (status, kept): (u16, Value) = (kept.status().as_u16(), kept.json().await.unwrap());
        assert_eq!(status, 201, "{kept}");
        records.push(kept["record"].as_str().unwrap().to_owned());
        needles.extend([(format!("text {n}"), text.into_bytes()), (format!("note {n}"), note.into_bytes())]);
    }
    done(service, clerk, &format!("/api/v1/files/{file}/acts"), &json!({"act": "close"})).await;
    Due { file, records }
}

/// A case in which all of these are decided and handed over, by people who do not do each other's part.
async fn decided(service: &Service, [lan, minh, hoa]: [&Visitor; 3], files: &[Due]) -> String {
    let case = done(service, lan, "/api/v1/cases", &json!({"agency": "Sở Nội vụ", "to_historical": false})).await;
    let acts = format!("/api/v1/cases/{case}/acts");
    let units: Vec<Value> = files.iter().map(|due| json!({"file": due.file})).collect();
    for unit in &units {
        done(service, lan, &acts, &json!({"act": "list", "unit": unit})).await;
    }
    let [chair, member, second] = ["lan", "thu", "minh"].map(|name| account(service, name));
    let paper = json!({"number": "3/QĐ-SNV", "day": "2026-01-05"});
    let council = json!({"paper": paper, "chair": chair, "members": [member, second]});
    done(service, lan, &acts, &json!({"act": "set_up_council", "council": council})).await;
    let destroy = json!({"kind": "destroy"});
    for unit in &units {
        let opinion = json!({"act": "opine", "unit": unit, "outcome": destroy, "reason": "hết giá trị"});
        done(service, lan, &acts, &opinion).await;
        done(service, minh, &acts, &opinion).await;
    }
    done(service, lan, &acts, &json!({"act": "end_review", "minutes": {"day": "2026-01-10"}})).await;
    let votes = json!({"agree": 3, "against": 0, "abstained": 0});
    for unit in &units {
        let propose =
            json!({"act": "propose", "unit": unit, "outcome": destroy, "reason": "hết giá trị", "votes": votes});
        done(service, lan, &acts, &propose).await;
    }
    let paper = json!({"number": "20/QĐ-SNV", "day": "2026-01-15"});
    done(service, hoa, &acts, &json!({"act": "decide", "paper": paper, "password": PASSWORD})).await;
    done(service, lan, &acts, &json!({"act": "hand_over", "minutes": {"day": "2026-01-16"}})).await;
    case
}

/// Orders a file until it is ordered, whoever is killed meanwhile.
async fn ordered(address: Arc<RwLock<String>>, who: Visitor, case: String, file: String) {
    let (body, began) = (json!({"unit": {"file": file}}), Instant::now());
    loop {
        let at = address.read().unwrap().clone();
        let post = who.client.post(format!("{at}/api/v1/cases/{case}/orders")).bearer_auth(&who.token).json(&body);
        if let Ok(answer) = post.send().await {
            let status = answer.status().as_u16();
            let told: Value = answer.json().await.unwrap_or_default();
            match (status, told["code"].as_str().unwrap_or_default()) {
                // What a stop left unordered was ordered by the process after it.
                (200, _) | (409, "already_ordered" | "already_gone" | "nothing_inside") => return,
                (409 | 429 | 503, _) if began.elapsed() < PATIENCE => {}
                _ => panic!("{status}: {told}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until every file of a case is told to be destroyed.
async fn destroyed(service: &Service, who: &Visitor, case: &str) {
    let began = Instant::now();
    loop {
        let told = who.json(&service.address, &format!("/api/v1/cases/{case}")).await;
        if told["units"].as_array().unwrap().iter().all(|unit| unit["status"][1] == "Destroyed") {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "it is not finished: {told}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ordered_ends_once_after_kills() {
    let mut service = Service::start().await;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let minh = service.actor("minh", "head", AGENCY);
    let hoa = service.actor("hoa", "head", AGENCY);
    let schedule = schedule(&service, &thu, &hoa).await;
    let fonds = fonds(&service, &thu).await;
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (mut chance, mut needles, mut staying) = (Chance(seed), Vec::new(), Vec::new());
    let mut files = Vec::new();
    let count = if full() { 60 } else { 6 };
    for n in 0..count {
        files.push(due(&service, &lan, (&fonds, &schedule), n, (&mut chance, &mut needles)).await);
    }
    // Due too, and on no list.
    let stays = due(&service, &lan, (&fonds, &schedule), count, (&mut chance, &mut staying)).await;
    while thu.json(&service.address, "/api/v1/status").await["waiting"] != 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let case = decided(&service, [&lan, &minh, &hoa], &files).await;
    assert_eq!(service.terminate(), Some(0));
    let there = scan::found(service.data.path(), &needles, |_, _| false);
    assert!(needles.iter().all(|(name, _)| there.iter().any(|one| one.starts_with(name.as_str()))), "{there:?}");
    service.resume().await;
    let (address, mut at_work, mut kills) = (Arc::new(RwLock::new(service.address.clone())), JoinSet::new(), 0);
    for due in &files {
        at_work.spawn(ordered(address.clone(), lan.clone(), case.clone(), due.file.clone()));
        // Once while it is ordered, once while what is ordered is destroyed.
        for within in [60, 500] {
            tokio::time::sleep(Duration::from_millis(chance.below(within))).await;
            service.kill();
            service.resume().await;
            *address.write().unwrap() = service.address.clone();
            kills += 1;
        }
    }
    while let Some(done) = at_work.join_next().await {
        done.unwrap();
    }
    // A process begins with a round; this one does what the orders came too late for.
    service.kill();
    service.resume().await;
    destroyed(&service, &thu, &case).await;
    let close = json!({"act": "close", "minutes": {"day": "2026-01-20"}});
    done(&service, &lan, &format!("/api/v1/cases/{case}/acts"), &close).await;
    for record in files.iter().flat_map(|due| &due.records) {
        let path = format!("/api/v1/records/{record}");
        assert_eq!(thu.get(&service.address, &path).send().await.unwrap().status(), 404, "{record}");
        thu.json(&service.address, &format!("{path}/certificate")).await;
    }
    for record in &stays.records {
        let told = thu.json(&service.address, &format!("/api/v1/records/{record}")).await;
        assert!(told["description"]["metadata"]["note"].is_string(), "{told}");
    }
    assert_eq!(service.terminate(), Some(0));
    let left = scan::found(service.data.path(), &needles, |_, _| false);
    assert!(left.is_empty(), "there is still: {left:?}");
    assert!(!scan::found(service.data.path(), &staying, |_, _| false).is_empty(), "what stays is there");
    verified(&service).await;
    ended_once(service.data.path(), &files).await;
    assert_eq!(service.command(&["rebuild"]).status.code(), Some(0));
    eprintln!("{} files of {INSIDE} records, {kills} kills, seed {seed}: each ended once", files.len());
}

/// By the program and by the verifier that needs nothing of it.
async fn verified(service: &Service) {
    let verified = service.command(&["verify", "archive"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    let mut python = Command::new("python3");
    python.arg(Path::new(VERIFIERS).join("verify.py")).arg("archive").arg(service.data.path().join("archive"));
    let output = python.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Every record of these was ordered once and ended once, and no other; its certificate is proved.
async fn ended_once(data: &Path, files: &[Due]) {
    let archive = Archive::open(data, Config::default(), Clock::System, &|_| {}).await.unwrap();
    archive.publish().await.unwrap();
    let told = events(&archive).await;
    let orders = told.iter().filter(|event| event.ends().is_some()).count();
    assert_eq!(orders, files.len() * INSIDE, "nothing else was ordered to end");
    for due in files {
        for record in &due.records {
            let id: RecordId = record.parse().unwrap();
            let times = told.iter().filter(|event| event.ends() == Some(id)).count();
            let ends = |event: &&Event| matches!(event, Event::Destroyed { record, .. } if *record == id);
            assert_eq!((times, told.iter().filter(ends).count()), (1, 1), "{record}");
            let ended = archive.catalog.ended(id).await.unwrap().unwrap();
            assert!(archive.store.everything(&layout::unit(id)).await.unwrap().is_empty(), "{record}: its folder");
            let document = archive.store.read(&layout::stub(id, ended.certificate.unwrap())).await.unwrap();
            let keys = archive.store.read(layout::KEYS).await.unwrap();
            let receipt = archive.ledger.prove(ended.certified.unwrap()).await.unwrap().encode();
            let verdict = verify_receipt(receipt.as_bytes(), &keys, Some(&document), Some(Digest::of(&document)));
            assert_eq!(verdict.outcome, Outcome::Holds, "{record}: {}", verdict.english);
        }
    }
    // The two that need nothing of the program say the same, of one record.
    let id: RecordId = files[0].records[0].parse().unwrap();
    let ended = archive.catalog.ended(id).await.unwrap().unwrap();
    let document = archive.store.read(&layout::stub(id, ended.certificate.unwrap())).await.unwrap();
    let receipt = archive.ledger.prove(ended.certified.unwrap()).await.unwrap().encode();
    archive.close().await.unwrap();
    let there = folder();
    let path = |name: &str| there.path().join(name);
    fs::write(path("receipt"), receipt).unwrap();
    fs::write(path("certificate.json"), &document).unwrap();
    for (program, verifier) in [("bash", "verify.sh"), ("python3", "verify.py")] {
        let mut command = Command::new(program);
        command.arg(Path::new(VERIFIERS).join(verifier)).arg("receipt").arg(path("receipt"));
        command.arg(path("certificate.json")).arg(data.join("archive").join(layout::KEYS));
        command.arg("--description").arg(path("certificate.json"));
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{verifier}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

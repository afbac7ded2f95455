//! Every address by every role, on records of one's own and of another agency, of every access level.

use crate::service::{Service, Visitor, key};
use serde_json::Value;
use vankho::{desk::Desk, record::digest::Digest};

const ROLES: [&str; 7] = ["depositor", "records_clerk", "archivist", "official", "auditor", "head", "administrator"];

/// May this role read a record of this level, of its own agency or of another?
fn may_read(role: &str, level: &str, own: bool) -> bool {
    match (level, role) {
        ("public", _) => true,
        ("conditional", "archivist" | "auditor") => true,
        ("conditional", "administrator") => false,
        ("conditional", _) => own,
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_what() {
    let service = Service::start().await;
    let at = &service.address;
    let visitors: Vec<(&str, Visitor)> =
        ROLES.iter().map(|role| (*role, service.actor(role, role, "Sở Nội vụ"))).collect();
    let archivist = &visitors[2].1;
    let mut records = Vec::new();
    for (n, (level, agency)) in ["public", "conditional", "secret"]
        .iter()
        .flat_map(|level| [(level, "Sở Nội vụ"), (level, "Sở Y tế")])
        .enumerate()
    {
        let text =
            format!(r#"{{"subject":"kế hoạch {n}","agency":"{agency}","access":"{level}","text":"toàn văn {n}"}}"#);
        let kept = archivist.deposit(at, &key(n as u64), &text, &[]).await.unwrap();
        assert_eq!(kept.status(), 201);
        let kept: Value = kept.json().await.unwrap();
        records.push((*level, agency == "Sở Nội vụ", kept["record"].as_str().unwrap().to_owned()));
    }
    let mut asked = 0;
    for (role, visitor) in &visitors {
        let mut seen = 0;
        for (n, (level, own, record)) in records.iter().enumerate() {
            let may = may_read(role, level, *own);
            seen += u64::from(may);
            // Whether a file is kept is told to those who may see what keeps it, and not told to others.
            let sha256 = Digest::of(format!("toàn văn {n}").as_bytes()).to_string();
            let asked_for = visitor.client.post(format!("{at}/api/v1/holdings")).bearer_auth(&visitor.token);
            let held = asked_for.json(&serde_json::json!({"sha256": sha256})).send().await.unwrap();
            let held: Value = held.json().await.unwrap();
            let told: Vec<&str> =
                held["holdings"].as_array().unwrap().iter().map(|one| one["record"].as_str().unwrap()).collect();
            assert_eq!(told, if may { vec![record.as_str()] } else { vec![] }, "{role} {level} own {own}");
            let record = format!("/api/v1/records/{record}");
            let digest = archivist_digest(archivist, at, &record).await.unwrap_or_else(|| "0".repeat(64));
            for path in [
                record.clone(),
                format!("{record}/descriptions"),
                format!("{record}/receipt"),
                format!("{record}/components/1"),
                format!("{record}/descriptions/{digest}"),
            ] {
                let answer = visitor.get(at, &path).send().await.unwrap();
                let status = answer.status().as_u16();
                assert_eq!(status, if may { 200 } else { 404 }, "{role} {level} own {own}: {path}");
                if !may {
                    let refused: Value = answer.json().await.unwrap();
                    let none =
                        visitor.get(at, "/api/v1/records/019aaf1c-9b00-7707-8707-070707070707").send().await.unwrap();
                    let without = |mut problem: Value| {
                        problem["request"].take();
                        problem
                    };
                    let none = without(none.json::<Value>().await.unwrap());
                    assert_eq!(without(refused), none, "it looks like a record that is not there");
                }
                asked += 1;
            }
        }
        let began = std::time::Instant::now();
        loop {
            let page = visitor.json(at, "/api/v1/search?q=kế+hoạch&facets=true&limit=100").await;
            if page["total"] == seen {
                let counted: u64 =
                    page["facets"]["access"].as_array().unwrap().iter().map(|one| one[1].as_u64().unwrap()).sum();
                assert_eq!(counted, seen, "{role}: facets count what may be seen");
                break;
            }
            assert!(began.elapsed().as_secs() < 10, "{role}: {page}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let may_deposit = matches!(*role, "depositor" | "records_clerk" | "archivist");
        let answer = visitor.deposit(at, &key(100 + asked), r#"{"subject":"x","text":"y"}"#, &[]).await.unwrap();
        assert_eq!(answer.status(), if may_deposit { 201 } else { 403 }, "{role}");
        let entries = visitor.get(at, "/log/tile/entries/000.p/1").send().await.unwrap().status().as_u16();
        assert_eq!(entries == 403, *role != "auditor", "{role}: {entries}");
    }
    eprintln!("{asked} questions by {} roles", ROLES.len());
}

async fn archivist_digest(archivist: &Visitor, at: &str, record: &str) -> Option<String> {
    let answer = archivist.get(at, record).send().await.unwrap();
    let told: Value = answer.json().await.unwrap();
    Some(told["description_sha256"].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shown_what_is_not_public_is_noted() {
    let mut service = Service::start().await;
    let at = service.address.clone();
    let (lan, archivist) =
        (service.actor("lan", "official", "Sở Nội vụ"), service.actor("an", "archivist", "Sở Nội vụ"));
    let mut records = Vec::new();
    for (n, level) in ["public", "conditional"].iter().enumerate() {
        let told = format!(r#"{{"subject":"kế hoạch","agency":"Sở Nội vụ","access":"{level}","text":"toàn văn"}}"#);
        let kept = archivist.deposit(&at, &key(n as u64), &told, &[]).await.unwrap();
        let kept: Value = kept.json().await.unwrap();
        records.push(format!("/api/v1/records/{}", kept["record"].as_str().unwrap()));
    }
    let (public, conditional) = (&records[0], &records[1]);
    let digest = archivist_digest(&archivist, &at, public).await.unwrap();
    for path in [
        public.clone(),
        format!("{public}/components/1"),
        format!("{public}/descriptions/{digest}"),
        format!("{conditional}/receipt"),
        format!("{conditional}/descriptions"),
        "/api/v1/search?q=kế+hoạch".into(),
        conditional.clone(),
        format!("{conditional}/components/1"),
        format!("{conditional}/components/2"),
    ] {
        let answer = lan.get(&at, &path).send().await.unwrap();
        assert_eq!(answer.status() == 404, path.ends_with("/2"), "{path}");
    }
    assert_eq!(service.terminate(), Some(0));
    let desk = Desk::open(Some(&service.data.path().join("desk/desk.db"))).await.unwrap();
    let (day, _) = desk.day_before("9999").await.unwrap().unwrap();
    let noted: Vec<_> = day.consultations.iter().map(|one| (one.record.to_string(), one.component)).collect();
    let record = conditional.rsplit('/').next().unwrap().to_owned();
    assert_eq!(
        noted,
        [(record.clone(), None), (record, Some(1))],
        "what was shown of it, and nothing of the public one"
    );
    assert_eq!(day.consultations[0].by, day.consultations[1].by);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_disabled_stays_out() {
    let service = Service::start().await;
    let (at, lan) = (&service.address, service.actor("lan", "official", "Sở Nội vụ"));
    assert_eq!(lan.get(at, "/api/v1/search").send().await.unwrap().status(), 200);
    assert_eq!(service.command(&["actor", "disable", "lan"]).status.code(), Some(0));
    let refused = lan.get(at, "/api/v1/search").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key("www-authenticate"));
}

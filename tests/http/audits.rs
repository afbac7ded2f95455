//! Audits through the door: who may ask, what is answered, the pages, and a command line elsewhere.

use crate::service::{Service, Visitor, key};
use crate::world::{PROGRAM, folder};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Command, Output},
    time::{Duration, Instant},
};

const PASSWORD: &str = "một mật khẩu dài";

async fn deposit(service: &Service, visitor: &Visitor, n: u64, access: &str) -> String {
    let text = format!(r#"{{"subject":"kế hoạch {n}","access":"{access}","text":"toàn văn {n}"}}"#);
    let kept = visitor.deposit(&service.address, &key(n), &text, &[]).await.unwrap();
    assert_eq!(kept.status(), 201);
    let kept: Value = kept.json().await.unwrap();
    kept["record"].as_str().unwrap().to_owned()
}

async fn ask(service: &Service, visitor: &Visitor, asked: &Value) -> (u16, Value) {
    let post = visitor.client.post(format!("{}/api/v1/audits", service.address)).bearer_auth(&visitor.token);
    let answer = post.json(asked).send().await.unwrap();
    let (status, place) = (answer.status().as_u16(), answer.headers().get("location").cloned());
    let told: Value = answer.json().await.unwrap();
    if status == 202 {
        let expected = format!("/api/v1/audits/{}", told["audit"]);
        assert_eq!(place.unwrap().to_str().unwrap(), expected);
    }
    (status, told)
}

async fn ended(service: &Service, visitor: &Visitor, audit: u64) -> Value {
    let began = Instant::now();
    loop {
        let told = visitor.json(&service.address, &format!("/api/v1/audits/{audit}")).await;
        if told["state"] == "ended" {
            return told;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{told}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_ask_for_an_audit_and_read_what_came_of_it() {
    let service = Service::start().await;
    let roles = ["depositor", "records_clerk", "archivist", "official", "auditor", "head", "administrator"];
    let visitors = roles.map(|role| (role, service.actor(role, role, "Sở Nội vụ")));
    let archivist = &visitors[2].1;
    let open = deposit(&service, archivist, 1, "conditional").await;
    let secret = deposit(&service, archivist, 2, "secret").await;
    let stranger = service.client.post(format!("{}/api/v1/audits", service.address)).json(&json!({}));
    assert_eq!(stranger.send().await.unwrap().status(), 401);
    let mut asked = 0;
    for (role, visitor) in &visitors {
        let (status, answer) = ask(&service, visitor, &json!({"nonce": format!("của {role}")})).await;
        let may = matches!(*role, "archivist" | "auditor");
        assert_eq!(status, if may { 202 } else { 403 }, "{role}: {answer}");
        if may {
            asked += 1;
            assert_eq!((&answer["nonce_by"], &answer["share_ppm"]), (&json!("auditor"), &json!(10_000)));
            let audit = answer["audit"].as_u64().unwrap();
            let told = ended(&service, visitor, audit).await;
            assert_eq!((&told["outcome"]["faults"], told["outcome"]["record"].is_string()), (&json!(0), true));
        }
    }
    let newest = ended(&service, archivist, visitors_newest(&service, archivist).await).await;
    for (role, visitor) in &visitors {
        let path = format!("/api/v1/audits/{}", newest["audit"]);
        let watches = matches!(*role, "archivist" | "auditor" | "administrator");
        let reads = watches && *role != "administrator";
        for (path, may) in [("/api/v1/audits", watches), (&path, watches), (&format!("{path}/report"), reads)] {
            let answer = visitor.get(&service.address, path).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), if may { 200 } else { 403 }, "{role} {path}");
        }
        if watches {
            let list = visitor.json(&service.address, "/api/v1/audits").await;
            let list = list["audits"].as_array().unwrap();
            assert_eq!(list.len(), asked);
            assert!(list.iter().all(|one| one["outcome"]["record"].is_string() == reads), "{role}: {list:?}");
        }
        if reads {
            let report = visitor.get(&service.address, &format!("{path}/report")).send().await.unwrap();
            let report = report.text().await.unwrap();
            assert!(report.contains(&open) && !report.contains(&secret), "{role}: nobody learns of what is secret");
        }
    }
    let auditor = &visitors[4].1;
    for path in ["/api/v1/audits/0", "/api/v1/audits/x", "/api/v1/audits/9999999", "/api/v1/audits/0/report"] {
        assert_eq!(auditor.get(&service.address, path).send().await.unwrap().status(), 404, "{path}");
    }
    for wrong in [
        json!({"nonce": ""}),
        json!({"nonce": "x".repeat(201)}),
        json!({"nonce": 5}),
        json!({"share_ppm": 0}),
        json!({"share_ppm": 1}),
        json!({"confidence_ppm": 1_000_000}),
        json!({"more": 1}),
        json!([]),
    ] {
        assert_eq!(ask(&service, auditor, &wrong).await.0, 400, "{wrong}");
    }
    for wrong in ["limit=0", "limit=1001"] {
        let answer = auditor.get(&service.address, &format!("/api/v1/audits?{wrong}")).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{wrong}");
    }
    let metrics = service.client.get(format!("{}/metrics", service.address)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for name in ["vankho_audits_total 2", "vankho_audits_open", "vankho_audit_age_seconds"] {
        assert!(metrics.contains(name), "{name}");
    }
}

async fn visitors_newest(service: &Service, visitor: &Visitor) -> u64 {
    visitor.json(&service.address, "/api/v1/audits?limit=1").await["audits"][0]["audit"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_outlives_the_server_that_pledged_it() {
    let mut service = Service::with(&[("VANKHO_FIXITY__BYTES_PER_SECOND_MAX", "2000")]).await;
    let minh = service.actor("minh", "auditor", "Sở Nội vụ");
    let thu = service.actor("thu", "archivist", "Sở Nội vụ");
    for n in 0..12 {
        deposit(&service, &thu, n, "public").await;
    }
    let asked = json!({"nonce": "n"});
    let (_, pledged) = ask(&service, &minh, &asked).await;
    let (_, again) = ask(&service, &minh, &asked).await;
    assert_eq!(pledged["audit"], again["audit"], "while it is open, the same is the same");
    let began = Instant::now();
    let audit = pledged["audit"].as_u64().unwrap();
    loop {
        let told = minh.json(&service.address, &format!("/api/v1/audits/{audit}")).await;
        if told["state"] == "under_way" && told["done"].as_u64() > Some(0) {
            break;
        }
        assert!(told["state"] != "ended" && began.elapsed() < Duration::from_secs(20), "{told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    service.kill();
    service.resume().await;
    let told = ended(&service, &minh, audit).await;
    assert_eq!(told["outcome"]["faults"], 0);
    assert_eq!(service.terminate(), Some(0));
    assert_eq!(service.command(&["verify", "archive"]).status.code(), Some(0));
}

/// What a browser sends of a form.
fn filled(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_ask_for_an_audit_and_print_its_report() {
    let service = Service::start().await;
    for (name, role) in [("thu", "archivist"), ("quan", "administrator"), ("lan", "official")] {
        service.actor(name, role, "Sở Nội vụ");
    }
    let thu = service.actor("thu2", "archivist", "Sở Nội vụ");
    deposit(&service, &thu, 1, "public").await;
    let (client, at) = (Client::builder().redirect(Policy::none()).build().unwrap(), &service.address);
    let log_in = async |name: &str| {
        let form = filled(&[("name", name), ("password", PASSWORD), ("next", "/audits")]);
        let login = client.post(format!("{at}/login")).header("origin", at);
        let answer = login.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
        answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    };
    let page = async |cookie: &str, path: &str| {
        let asked = client.get(format!("{at}{path}")).header("cookie", cookie).header("accept", "text/html");
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (cookie, watcher, official) = (log_in("thu").await, log_in("quan").await, log_in("lan").await);
    let (status, empty) = page(&cookie, "/audits").await;
    assert!(status == 200 && empty.contains("<form class=\"card\"") && empty.contains("Chưa có lần kiểm tra nào"));
    assert!(page(&cookie, "/bench").await.1.contains("href=\"/audits\""), "it is reached from the bench");
    let (status, watched) = page(&watcher, "/audits").await;
    assert!(status == 200 && !watched.contains("<form class=\"card\""), "who may not ask is shown no form");
    assert_eq!(page(&official, "/audits").await.0, 403);
    let send = async |cookie: &str, origin: &str| {
        let form = filled(&[("nonce", "xúc xắc 3 5 1"), ("share_ppm", "10000"), ("confidence_ppm", "950000")]);
        let post = client.post(format!("{at}/audits")).header("cookie", cookie).header("origin", origin);
        post.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap()
    };
    assert_eq!(send(&cookie, "https://evil.example").await.status(), 403);
    assert_eq!(send(&watcher, at).await.status(), 403);
    let led = send(&cookie, at).await;
    assert_eq!(led.status(), 303);
    let place = led.headers()["location"].to_str().unwrap().to_owned();
    let audit: u64 = place.strip_prefix("/audits/").unwrap().parse().unwrap();
    ended(&service, &thu, audit).await;
    let (status, report) = page(&cookie, &place).await;
    assert_eq!(status, 200);
    for words in [
        "Không phát hiện lỗi trong mẫu",
        "Lần kiểm tra này không chứng minh",
        "Chưa bên chứng kiến nào ký",
        "người kiểm tra đưa ra",
        "vankho audit recheck",
        "Đại diện kho lưu trữ",
        &format!("/api/v1/audits/{audit}/report"),
    ] {
        assert!(report.contains(words), "{words}");
    }
    assert!(!report.contains("http-equiv=\"refresh\""), "it has ended");
    let english = format!("{cookie}; language=en");
    let (_, report) = page(&english, &place).await;
    assert!(report.contains("Nothing wrong was found") && report.contains("What this does not show"));
    let (status, outside) = page(&watcher, &place).await;
    assert!(status == 200 && !outside.contains("không chứng minh"), "who may not read the report sees how it stands");
    assert!(page(&cookie, "/audits").await.1.contains(&format!("href=\"{place}\"")));
    assert_eq!(page(&cookie, "/audits/0").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_afar_and_here_the_report_is_rechecked_without_the_archive() {
    let mut service = Service::start().await;
    let minh = service.actor("minh", "auditor", "Sở Nội vụ");
    let thu = service.actor("thu", "archivist", "Sở Nội vụ");
    for n in 0..3 {
        deposit(&service, &thu, n, if n == 2 { "secret" } else { "public" }).await;
    }
    let place = folder();
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    fs::copy(service.data.path().join("archive/keys/archive.keys"), at("keys")).unwrap();
    let mut afar = Command::new(PROGRAM);
    afar.env_clear().env("VANKHO_TOKEN", &minh.token).current_dir(place.path());
    afar.args(["--json", "--server", &service.address, "audit", "--nonce", "n"]);
    let done = afar.args(["--report", &at("afar.json"), "--with-bytes", &at("afar")]).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let mut list = Command::new(PROGRAM);
    list.env_clear().env("VANKHO_TOKEN", &minh.token).args(["--json", "--server", &service.address, "audit", "list"]);
    let listed: Value = serde_json::from_slice(&list.output().unwrap().stdout).unwrap();
    assert_eq!(listed["audits"].as_array().unwrap().len(), 1);
    let lan = service.actor("lan", "official", "Sở Nội vụ");
    let refused = Command::new(PROGRAM)
        .env_clear()
        .env("VANKHO_TOKEN", &lan.token)
        .args(["--server", &service.address, "audit"])
        .output()
        .unwrap();
    assert!(refused.status.code() == Some(2) && told(&refused).contains("The role may not"), "{}", told(&refused));
    assert_eq!(service.terminate(), Some(0));
    let here = service.command(&["audit", "--nonce", "n", "--report", &at("here.json"), "--with-bytes", &at("here")]);
    assert_eq!(here.status.code(), Some(0), "{}", told(&here));
    let recheck = |report: &str, more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.env_clear().current_dir(place.path()).args(["--language", "en", "audit", "recheck", report, "keys"]);
        command.args(more).output().unwrap()
    };
    for (report, bytes) in [("afar.json", "afar"), ("here.json", "here")] {
        for more in [&[][..], &["--bytes", bytes], &["--bytes", bytes, "--nonce", "n"]] {
            let done = recheck(report, more);
            assert_eq!(done.status.code(), Some(0), "{report} {more:?}: {}", told(&done));
        }
        assert_eq!(recheck(report, &["--nonce", "m"]).status.code(), Some(1));
        assert_eq!(recheck(report, &["--bytes", "."]).status.code(), Some(3), "there are no bytes");
    }
    assert_eq!(recheck("here.json", &["--bytes", "afar"]).status.code(), Some(2), "the second sample is larger");
    assert_eq!(recheck("keys", &[]).status.code(), Some(3));
    let told_again = service.command(&["audit", "list"]);
    let listed: Value = serde_json::from_slice(&told_again.stdout).unwrap();
    assert_eq!(listed["audits"].as_array().unwrap().len(), 2);
    let number = listed["audits"][1]["audit"].to_string();
    let again = service.command(&["audit", "report", &number, "--report", &at("again.json")]);
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    assert_eq!(fs::read(at("again.json")).unwrap(), fs::read(at("afar.json")).unwrap());
    assert_eq!(service.command(&["audit", "report", "0"]).status.code(), Some(3));
    assert_eq!(service.command(&["audit", "--share", "0.00001"]).status.code(), Some(3));
    assert_eq!(service.command(&["audit", "--share", "viel"]).status.code(), Some(3));
    // Damage that nobody can repair: found, told, and the exit code says so.
    let component = fs::read_dir(service.data.path().join("archive/records")).unwrap().flat_map(|shard| {
        let folders = fs::read_dir(shard.unwrap().path()).unwrap().map(|one| one.unwrap().path());
        folders.flat_map(|record| fs::read_dir(record).unwrap().map(|one| one.unwrap().path())).collect::<Vec<_>>()
    });
    let component =
        component.filter(|path| path.extension().is_none()).min_by_key(|path| path.metadata().unwrap().len());
    fs::write(component.unwrap(), "changed").unwrap();
    let found = service.command(&["audit", "--nonce", "o", "--report", &at("found.json")]);
    assert_eq!(found.status.code(), Some(1), "{}", told(&found));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((&found["audit"]["outcome"]["lost"], &found["totals"]["faults"]), (&json!(1), &json!(1)));
    assert_eq!(recheck("found.json", &[]).status.code(), Some(0), "the report holds: it tells of the damage");
}

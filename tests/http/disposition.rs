//! Schedules, due dates, holds and cases through the door: by people who do not do each other's part.

use crate::arrangement::{AGENCY, about, done, fonds, record, refused, send};
use crate::service::{Service, Visitor};
use serde_json::{Value, json};

pub const PASSWORD: &str = "một mật khẩu dài";
pub const TABLE: &str =
    "code\tgroup\ttitle\tperiod\n1.01\t1\tKế hoạch công tác\t5 năm\n1.02\t1\tQuyết định\tVĩnh viễn\n";
const HEAD: [(&str, &str); 7] = [
    ("title", "Bảng thời hạn lưu trữ"),
    ("number", "10/2022/TT-BNV"),
    ("source", "Thông tư quy định thời hạn bảo quản tài liệu"),
    ("issued", "2022-12-19"),
    ("agency", "Bộ Nội vụ"),
    ("from", "2023-02-15"),
    ("incomplete", "false"),
];

/// Hands a table over; the status and the answer.
async fn import(service: &Service, who: &Visitor, path: &str, table: &str) -> (u16, Value) {
    let head = form_urlencoded::Serializer::new(String::new()).extend_pairs(HEAD).finish();
    let post = who.client.post(format!("{}{path}?{head}", service.address)).bearer_auth(&who.token);
    let answer = post.header("content-type", "text/tab-separated-values").body(table.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// An approved schedule.
pub async fn schedule(service: &Service, archivist: &Visitor, head: &Visitor) -> String {
    let (status, told) = import(service, archivist, "/api/v1/schedules", TABLE).await;
    assert_eq!(status, 201, "{told}");
    let schedule = told["unit"].as_str().unwrap().to_owned();
    let decision = json!({"decision": "15/QĐ-SNV", "on": "2024-01-02"});
    done(service, head, &format!("/api/v1/schedules/{schedule}/approve"), &decision).await;
    schedule
}

/// A file whose period has ended, with a record in it.
async fn expired(service: &Service, clerk: &Visitor, fonds: &str, schedule: &str, n: u64) -> String {
    let code = format!("H49.64.33.2015.{n}");
    let mut said = about(&code);
    said["class"] = json!({"schedule": schedule, "version": 1, "class": "1.01"});
    let file = done(service, clerk, &format!("/api/v1/fonds/{fonds}/files"), &said).await;
    record(service, clerk, n, &code).await;
    done(service, clerk, &format!("/api/v1/files/{file}/acts"), &json!({"act": "close"})).await;
    file
}

/// The identifier of an account.
pub fn account(service: &Service, name: &str) -> String {
    let listed = service.command(&["actor", "list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut accounts = serde_json::Deserializer::from_str(&listed).into_iter::<Value>().flat_map(|read| match read {
        Ok(Value::Array(all)) => all,
        Ok(one) => vec![one],
        Err(error) => panic!("{error}: {listed}"),
    });
    let found = accounts.find(|account| account["name"] == name).unwrap();
    found["actor"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_imported_approved_and_followed() {
    let service = Service::start().await;
    let at = &service.address;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let hoa = service.actor("hoa", "head", AGENCY);
    let stranger = service.actor("binh", "official", "H49.64.34");
    let depositor = service.actor("an", "depositor", AGENCY);
    assert_eq!(import(&service, &depositor, "/api/v1/schedules", TABLE).await.0, 403);
    let (status, told) = import(&service, &thu, "/api/v1/schedules", "title\tperiod\nKế hoạch\tkhông rõ\n").await;
    assert_eq!((status, told["code"].as_str().unwrap()), (422, "flawed"), "{told}");
    let found = told["findings"].as_array().unwrap();
    assert!(found.iter().any(|one| one["code"] == "unread_period" && one["field"] == "row 2"), "{told}");
    let (status, told) = import(&service, &thu, "/api/v1/schedules", TABLE).await;
    assert_eq!(status, 201, "{told}");
    let schedule = told["unit"].as_str().unwrap();
    let approve = format!("/api/v1/schedules/{schedule}/approve");
    let decision = json!({"decision": "15/QĐ-SNV", "on": "2024-01-02"});
    assert_eq!(refused(&service, &thu, &approve, &decision).await, "not_your_role");
    assert_eq!(refused(&service, &hoa, &approve, &json!({"decision": " ", "on": "2024-01-02"})).await, "no_decision");
    let listed = thu.json(at, "/api/v1/schedules").await;
    assert_eq!((&listed["schedules"][0]["approved"], &listed["schedules"][0]["rules"]), (&Value::Null, &json!(false)));
    done(&service, &hoa, &approve, &decision).await;
    let listed = thu.json(at, "/api/v1/schedules").await;
    assert_eq!((&listed["schedules"][0]["classes"], &listed["schedules"][0]["rules"]), (&json!(2), &json!(true)));
    let version = depositor.json(at, &format!("/api/v1/schedules/{schedule}/versions/1")).await;
    assert_eq!(version["schedule"]["classes"][0]["code"], "1.01", "who opens files sees classes");
    assert_eq!(thu.get(at, &format!("/api/v1/schedules/{schedule}/versions/9")).send().await.unwrap().status(), 404);
    let shipped = thu.json(at, "/api/v1/schedules/shipped").await;
    assert_eq!(shipped["shipped"].as_array().unwrap().len(), 2);
    let taken = done(&service, &thu, "/api/v1/schedules/shipped/1", &json!({})).await;
    let (status, told) = send(&service, &hoa, "POST", &format!("/api/v1/schedules/{taken}/approve"), &decision).await;
    assert!(status == 409 || status == 422, "what is incomplete is not approved: {told}");

    let fonds = fonds(&service, &thu).await;
    let file = expired(&service, &lan, &fonds, schedule, 160).await;
    let due = lan.json(at, "/api/v1/due?kind=file&fonds=P1&held=false").await;
    assert_eq!((&due["due"][0]["unit"], &due["due"][0]["due"]), (&json!(file), &json!("on:2021-01-01")), "{due}");
    assert!(due["due"][0]["title"].is_string());
    assert_eq!(stranger.json(at, "/api/v1/due").await["due"][0]["title"], Value::Null);
    assert_eq!(lan.json(at, "/api/v1/due?until=2020-12-31").await["due"], json!([]));
    let why = lan.json(at, &format!("/api/v1/due/file/{file}")).await;
    assert_eq!((&why["due"], &why["derivation"]["terms"][0]["class"]), (&json!("on:2021-01-01"), &json!("1.01")));
    assert!(why["lines"].to_string().contains("01/01/2021"), "{why}");
    assert_eq!(stranger.get(at, &format!("/api/v1/due/file/{file}")).send().await.unwrap().status(), 404);
    for wrong in ["/api/v1/due?until=soon", "/api/v1/due?cursor=x", "/api/v1/due?kind=fonds", "/api/v1/due?limit=0"] {
        assert_eq!(lan.get(at, wrong).send().await.unwrap().status(), 400, "{wrong}");
    }
    assert_eq!(depositor.get(at, "/api/v1/due").send().await.unwrap().status(), 403);
    let forecast = lan.json(at, "/api/v1/due/forecast").await;
    assert!(forecast["falling"].as_array().unwrap().iter().any(|one| one["year"] == 2021), "{forecast}");
    let csv = lan.get(at, "/api/v1/due/forecast?format=csv").send().await.unwrap().text().await.unwrap();
    assert!(csv.starts_with("\u{feff}year,due,schedule,class") && csv.contains("2021,on,"), "{csv}");
    assert_eq!(lan.json(at, "/api/v1/due/transfers").await["transfers"], json!([]));
    let simulate = format!("{at}/api/v1/schedules/{schedule}/simulate");
    let longer = TABLE.replace("5 năm", "20 năm");
    let post = |path: String| thu.client.post(path).bearer_auth(&thu.token).body(longer.clone());
    let moved: Value = post(simulate.clone()).send().await.unwrap().json().await.unwrap();
    assert_eq!(moved["totals"]["due_no_more"]["records"], 1, "{moved}");
    let csv = post(format!("{simulate}?format=csv")).send().await.unwrap().text().await.unwrap();
    assert!(csv.contains("1.01,1.01,on:2021-01-01,on:2036-01-01,1,"), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_placed_by_one_and_released_by_another() {
    let service = Service::start().await;
    let at = &service.address;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let hoa = service.actor("hoa", "head", AGENCY);
    let schedule = schedule(&service, &thu, &hoa).await;
    let fonds = fonds(&service, &thu).await;
    let file = expired(&service, &lan, &fonds, &schedule, 160).await;
    let scope = json!({"of": "file", "file": file});
    let asked = |scope: &Value, authority: &str| json!({"authority": authority, "reason": "litigation", "reason_text": "vụ án 12/2026", "scope": scope});
    assert_eq!(refused(&service, &thu, "/api/v1/holds", &asked(&scope, " ")).await, "no_authority");
    let empty = json!({"of": "search", "query": "q=", "later_arrivals": false});
    assert_eq!(refused(&service, &thu, "/api/v1/holds", &asked(&empty, "Tòa án")).await, "empty_search");
    let unknown = json!({"of": "search", "query": "agencies=x", "later_arrivals": false});
    assert_eq!(send(&service, &thu, "POST", "/api/v1/holds", &asked(&unknown, "Tòa án")).await.0, 400);
    let hold = done(&service, &thu, "/api/v1/holds", &asked(&scope, "Tòa án nhân dân tỉnh")).await;
    assert_eq!(lan.json(at, "/api/v1/due").await["due"][0]["held"], true);
    let told = lan.json(at, &format!("/api/v1/holds/{hold}")).await;
    assert_eq!((&told["hold"]["reason"], &told["placements"][0]["unit"]), (&json!("litigation"), &json!(file)));
    let release = format!("/api/v1/holds/{hold}/release");
    assert_eq!(refused(&service, &thu, &release, &json!({"reason": "xong"})).await, "same_person");
    assert_eq!(refused(&service, &hoa, &release, &json!({"reason": ""})).await, "no_release_reason");
    done(&service, &hoa, &release, &json!({"reason": "bản án có hiệu lực"})).await;
    assert_eq!(refused(&service, &hoa, &release, &json!({"reason": "xong"})).await, "already_released");
    assert_eq!(lan.json(at, "/api/v1/due").await["due"][0]["held"], false);
    let search = json!({"of": "search", "query": "kế hoạch", "later_arrivals": false});
    let hold = done(&service, &thu, "/api/v1/holds", &asked(&search, "Thanh tra tỉnh")).await;
    let told = lan.json(at, &format!("/api/v1/holds/{hold}")).await;
    assert_eq!((told["placements"].as_array().unwrap().len(), &told["placements"][0]["kind"]), (1, &json!("record")));
    let all = hoa.json(at, "/api/v1/holds").await;
    assert_eq!((all["holds"].as_array().unwrap().len(), &all["holds"][0]["scope"]), (2, &json!("search")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_decided_by_a_head_who_never_reviewed() {
    let service = Service::start().await;
    let at = &service.address;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let minh = service.actor("minh", "head", AGENCY);
    let hoa = service.actor("hoa", "head", AGENCY);
    let auditor = service.actor("tam", "auditor", AGENCY);
    let schedule = schedule(&service, &thu, &hoa).await;
    let fonds = fonds(&service, &thu).await;
    let file = expired(&service, &lan, &fonds, &schedule, 160).await;
    let opened = json!({"agency": "Sở Nội vụ", "to_historical": false});
    let case = done(&service, &lan, "/api/v1/cases", &opened).await;
    let acts = format!("/api/v1/cases/{case}/acts");
    let unit = json!({"file": file});
    let list = json!({"act": "list", "unit": unit});
    done(&service, &lan, &acts, &list).await;
    assert_eq!(refused(&service, &lan, &acts, &list).await, "already_listed");
    assert_eq!(lan.json(at, "/api/v1/due?considered=true").await["due"][0]["case"], case);
    let [chair, member, second] = ["lan", "thu", "minh"].map(|name| account(&service, name));
    let council = |people: &[&String]| {
        let paper = json!({"number": "3/QĐ-SNV", "day": "2026-01-05"});
        json!({"act": "set_up_council", "council": {"paper": paper, "chair": chair, "members": people}})
    };
    assert_eq!(refused(&service, &lan, &acts, &council(&[&member])).await, "no_council");
    done(&service, &lan, &acts, &council(&[&member, &second])).await;
    let destroy = json!({"kind": "destroy"});
    let opinion = json!({"act": "opine", "unit": unit, "outcome": destroy, "reason": "hết giá trị"});
    assert_eq!(refused(&service, &hoa, &acts, &opinion).await, "not_of_the_council");
    done(&service, &lan, &acts, &opinion).await;
    let minutes = json!({"act": "end_review", "minutes": {"day": "2026-01-10"}});
    assert_eq!(refused(&service, &lan, &acts, &minutes).await, "not_reviewed");
    done(&service, &minh, &acts, &opinion).await;
    done(&service, &lan, &acts, &minutes).await;
    let propose = |agree: u16| {
        let votes = json!({"agree": agree, "against": 0, "abstained": 3 - agree});
        json!({"act": "propose", "unit": unit, "outcome": destroy, "reason": "hết giá trị", "votes": votes})
    };
    assert_eq!(refused(&service, &lan, &acts, &propose(1)).await, "no_votes");
    done(&service, &lan, &acts, &propose(3)).await;
    let decide = |password: &str| json!({"act": "decide", "paper": {"number": "20/QĐ-SNV", "day": "2026-01-15"}, "password": password});
    assert_eq!(refused(&service, &minh, &acts, &decide(PASSWORD)).await, "reviewer");
    assert_eq!(refused(&service, &thu, &acts, &decide(PASSWORD)).await, "not_yours");
    let (status, wrong) = send(&service, &hoa, "POST", &acts, &decide("một mật khẩu khác")).await;
    assert_eq!((status, wrong["code"].as_str().unwrap()), (403, "wrong_password"));
    let without = json!({"act": "decide", "paper": {"number": "20/QĐ-SNV", "day": "2026-01-15"}});
    assert_eq!(send(&service, &hoa, "POST", &acts, &without).await.0, 400, "a token alone decides nothing");
    done(&service, &hoa, &acts, &decide(PASSWORD)).await;
    let order = format!("/api/v1/cases/{case}/orders");
    assert_eq!(refused(&service, &thu, &order, &json!({"unit": unit})).await, "no_handover");
    let told = auditor.json(at, &format!("/api/v1/cases/{case}")).await;
    assert_eq!(
        (&told["case"]["stage"], &told["units"][0]["status"][1]),
        (&json!("decided"), &json!("To be destroyed"))
    );
    assert!(told["units"][0]["title"].is_string() && told["case"].get("salt").is_none());
    let paper = auditor.get(at, &format!("/api/v1/cases/{case}/papers/6-quyet-dinh-huy")).send().await.unwrap();
    assert!(paper.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let paper = paper.text().await.unwrap();
    assert!(paper.contains("20/QĐ-SNV"), "{paper}");
    assert_eq!(auditor.get(at, &format!("/api/v1/cases/{case}/papers/other")).send().await.unwrap().status(), 404);
    assert_eq!(thu.json(at, "/api/v1/cases").await["cases"][0]["stage"], "decided");
    assert!(!service.log().contains(PASSWORD) && !service.log().contains("Kế hoạch"), "logs hold no such thing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_deposit_takes_two_people_and_a_mark_of_secrecy_hides() {
    let service = Service::start().await;
    let at = &service.address;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let stranger = service.actor("binh", "official", "H49.64.34");
    fonds(&service, &thu).await;
    let kept = record(&service, &lan, 1, "H49.64.33.2015.160").await;
    let path = format!("/api/v1/records/{kept}/withdrawal");
    assert_eq!(refused(&service, &lan, &path, &json!({"mistake": "twice", "reason": " "})).await, "no_reason");
    let asked = json!({"mistake": "twice", "reason": "nộp hai lần"});
    assert_eq!(send(&service, &stranger, "POST", &path, &asked).await.0, 404, "who may not read it may not ask");
    assert_eq!(send(&service, &lan, "POST", &path, &asked).await.0, 202);
    let waiting = thu.json(at, "/api/v1/withdrawals").await;
    assert_eq!(
        (&waiting["withdrawals"][0]["record"], &waiting["withdrawals"][0]["mistake"]),
        (&json!(kept), &json!("twice"))
    );
    assert_eq!(stranger.json(at, "/api/v1/withdrawals").await["withdrawals"], json!([]));
    let (status, wrong) = send(&service, &thu, "POST", &format!("{path}/confirm"), &json!({"password": "x"})).await;
    assert_eq!((status, wrong["code"].as_str().unwrap()), (403, "wrong_password"));
    for gone in ["certificate", "stub"] {
        let answer = thu.get(at, &format!("/api/v1/records/{kept}/{gone}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{gone}: it is here");
    }
    let secrecy = format!("/api/v1/records/{kept}/secrecy");
    let level = |act: &str| json!({"act": act, "level": "secret"});
    assert_eq!(refused(&service, &thu, &secrecy, &level("confirm")).await, "not_suspected");
    assert_eq!(send(&service, &stranger, "POST", &secrecy, &level("suspect")).await.0, 404);
    done(&service, &lan, &secrecy, &level("suspect")).await;
    assert_eq!(
        lan.get(at, &format!("/api/v1/records/{kept}")).send().await.unwrap().status(),
        404,
        "nobody is shown it"
    );
    assert_eq!(refused(&service, &thu, &secrecy, &json!({"act": "refute", "reason": ""})).await, "no_reason");
    done(&service, &thu, &secrecy, &json!({"act": "refute", "reason": "không phải dấu độ mật"})).await;
    assert_eq!(lan.get(at, &format!("/api/v1/records/{kept}")).send().await.unwrap().status(), 200);
}

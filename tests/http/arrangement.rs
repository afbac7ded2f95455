//! Fonds, files and corrections through the door: from the opening of a file to its acceptance by another person.

use crate::service::{Service, Visitor, key};
use serde_json::{Value, json};

/// The agency whose records they are, as the accounts and the fonds name it.
pub const AGENCY: &str = "H49.64.33";

/// Sends a body; the status and the answer.
pub async fn send(service: &Service, who: &Visitor, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = who.client.request(method, format!("{}{path}", service.address)).bearer_auth(&who.token);
    let answer = request.header("accept-language", "en").json(body).send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {status}: {text}")))
}

/// The same, where it must be done: the unit that it was done to.
pub async fn done(service: &Service, who: &Visitor, path: &str, body: &Value) -> String {
    let (status, told) = send(service, who, "POST", path, body).await;
    assert!(status == 200 || status == 201, "{path}: {status}: {told}");
    told["unit"].as_str().unwrap().to_owned()
}

/// The same, where a rule refuses it: the code of the rule.
pub async fn refused(service: &Service, who: &Visitor, path: &str, body: &Value) -> String {
    let (status, told) = send(service, who, "POST", path, body).await;
    assert_eq!(status, 409, "{path}: {told}");
    assert!(told["detail"].as_str().unwrap().contains("; "), "it says what to do next: {told}");
    told["code"].as_str().unwrap().to_owned()
}

/// A fonds of the agency.
pub async fn fonds(service: &Service, archivist: &Visitor) -> String {
    let about = json!({"code": "P1", "name": "Phông Sở Nội vụ", "kind": "fonds", "creator": AGENCY});
    done(service, archivist, "/api/v1/fonds", &about).await
}

/// What is said of a file with a code.
pub fn about(code: &str) -> Value {
    json!({
        "code": code, "title": format!("Hồ sơ {code}"), "retention_code": "05", "access": "conditional",
        "languages": ["01"], "started": "2015-01-05", "ended": "2015-12-31", "maker": "Trần Thị Lan"
    })
}

/// A record in a file.
pub async fn record(service: &Service, who: &Visitor, n: u64, file: &str) -> String {
    let text = json!({
        "subject": format!("kế hoạch {n}"), "agency": AGENCY, "access": "conditional", "fonds": "P1", "file": file,
        "issued": "2015-03-01", "text": format!("toàn văn {n}")
    });
    let kept = who.deposit(&service.address, &key(n), &text.to_string(), &[]).await.unwrap();
    let (status, kept): (u16, Value) = (kept.status().as_u16(), kept.json().await.unwrap());
    assert_eq!(status, 201, "{kept}");
    kept["record"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_from_its_opening_to_its_acceptance_by_another_person() {
    let service = Service::start().await;
    let at = &service.address;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let stranger = service.actor("binh", "official", "H49.64.34");
    let admin = service.actor("quan", "administrator", AGENCY);
    let asked = json!({"code": "P1", "name": "Phông", "kind": "fonds", "creator": AGENCY});
    assert_eq!(refused(&service, &lan, "/api/v1/fonds", &asked).await, "not_your_role");
    assert_eq!(send(&service, &admin, "POST", "/api/v1/fonds", &asked).await.0, 403);
    let fonds = fonds(&service, &thu).await;
    let (status, twice) = send(&service, &thu, "POST", "/api/v1/fonds", &asked).await;
    assert_eq!((status, twice["code"].as_str().unwrap()), (422, "flawed"));
    assert_eq!(twice["findings"][0]["code"], "duplicate_code");
    let files = format!("/api/v1/fonds/{fonds}/files");
    let (status, untitled) = send(&service, &lan, "POST", &files, &json!({"title": "", "access": "public"})).await;
    assert_eq!(status, 422);
    let told = untitled["findings"].as_array().unwrap();
    assert!(told.iter().any(|one| one["code"] == "title_missing"), "{untitled}");
    let code = "H49.64.33.2015.160";
    let file = done(&service, &lan, &files, &about(code)).await;
    let (path, acts) = (format!("/api/v1/files/{file}"), format!("/api/v1/files/{file}/acts"));
    let empty = send(&service, &lan, "POST", &acts, &json!({"act": "close"})).await;
    assert_eq!((empty.0, empty.1["code"].as_str().unwrap()), (422, "flawed"), "nothing lies in it");
    let kept = record(&service, &lan, 1, code).await;
    let mut again = about(code);
    again["title"] = json!("Hồ sơ kế hoạch năm 2015");
    assert_eq!(send(&service, &lan, "PUT", &path, &again).await.0, 200);
    done(&service, &lan, &acts, &json!({"act": "close"})).await;
    assert_eq!(refused(&service, &lan, &acts, &json!({"act": "close"})).await, "not_now");
    let told = lan.json(at, &path).await;
    assert_eq!((&told["file"]["state"], &told["records"][0]["record"]), (&json!("closed"), &json!(kept)));
    assert!(told["file"].get("salt").is_none() && told["file"]["about"]["closed"].is_string());
    // Nobody of another agency learns what it is called.
    let listed = stranger.json(at, &files).await;
    assert_eq!((&listed["files"][0]["code"], &listed["files"][0]["title"]), (&json!(code), &Value::Null));
    assert_eq!(stranger.get(at, &path).send().await.unwrap().status(), 404);
    assert_eq!(lan.json(at, &files).await["files"][0]["title"], "Hồ sơ kế hoạch năm 2015");
    done(&service, &lan, &acts, &json!({"act": "submit"})).await;
    assert_eq!(refused(&service, &lan, &acts, &json!({"act": "accept"})).await, "not_your_role");
    assert_eq!(refused(&service, &thu, &acts, &json!({"act": "return", "reasons": [" "]})).await, "no_reason");
    done(&service, &thu, &acts, &json!({"act": "return", "reasons": ["thiếu số trang"]})).await;
    done(&service, &thu, &acts, &json!({"act": "submit"})).await;
    assert_eq!(refused(&service, &thu, &acts, &json!({"act": "accept"})).await, "same_person");
    let second = service.actor("mai", "archivist", AGENCY);
    done(&service, &second, &acts, &json!({"act": "accept"})).await;
    let history = lan.json(at, &format!("{path}/history")).await;
    let events: Vec<&str> = history.as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events[..3], ["opened", "described", "closed"], "{history}");
    assert!(history[1]["changes"][0].as_str().unwrap().contains("Hồ sơ kế hoạch năm 2015"), "{history}");
    assert!(history.as_array().unwrap().iter().any(|one| one["reasons"] == json!(["thiếu số trang"])), "{history}");
    for wrong in [json!({"act": "burn"}), json!({}), json!([]), json!({"act": "close", "reason": "x"})] {
        assert_eq!(send(&service, &thu, "POST", &acts, &wrong).await.0, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_corrected_and_moved() {
    let service = Service::start().await;
    let at = &service.address;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let files = format!("/api/v1/fonds/{}/files", fonds(&service, &thu).await);
    let (one, other) = ("H49.64.33.2015.160", "H49.64.33.2015.161");
    let (first, second) =
        (done(&service, &lan, &files, &about(one)).await, done(&service, &lan, &files, &about(other)).await);
    let kept = record(&service, &lan, 1, one).await;
    let path = format!("/api/v1/records/{kept}/description");
    let said = json!({"subject": "Kế hoạch công tác", "access": "conditional", "agency": AGENCY, "file": other});
    let (status, told) = send(&service, &lan, "PUT", &path, &said).await;
    assert_eq!(status, 200, "{told}");
    assert!(told["findings"].as_array().unwrap().iter().any(|one| one["severity"] == "warning"), "{told}");
    let (status, told) = send(&service, &lan, "PUT", &path, &json!({"subject": " ", "access": "public"})).await;
    assert_eq!((status, told["findings"][0]["code"].as_str().unwrap()), (422, "title_missing"));
    assert_eq!(
        lan.json(at, &format!("/api/v1/files/{first}")).await["records"][0]["record"],
        kept,
        "it lies there still"
    );
    let moving = format!("/api/v1/records/{kept}/move");
    assert_eq!(refused(&service, &lan, &moving, &json!({"file": second, "reason": ""})).await, "no_reason");
    assert_eq!(refused(&service, &lan, &moving, &json!({"file": first, "reason": "x"})).await, "already_there");
    done(&service, &lan, &format!("/api/v1/files/{first}/acts"), &json!({"act": "close"})).await;
    assert_eq!(refused(&service, &lan, &moving, &json!({"file": second, "reason": "x"})).await, "not_now");
    let (status, told) = send(&service, &lan, "PUT", &path, &said).await;
    assert_eq!((status, told["code"].as_str().unwrap()), (409, "not_now"), "it is in a closed file");
    assert_eq!(send(&service, &thu, "PUT", &path, &said).await.0, 200, "an archivist mends it there too");
    let reopen = json!({"act": "reopen", "reason": "xếp nhầm hồ sơ"});
    done(&service, &lan, &format!("/api/v1/files/{first}/acts"), &reopen).await;
    done(&service, &lan, &moving, &json!({"file": second, "reason": "xếp nhầm"})).await;
    assert_eq!(lan.json(at, &format!("/api/v1/files/{first}")).await["records"], json!([]));
    assert_eq!(lan.json(at, &format!("/api/v1/files/{second}")).await["records"][0]["record"], kept);
    let changes = lan.json(at, &format!("/api/v1/records/{kept}/changes")).await;
    let last = changes.as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["reasons"]), (&json!("moved"), &json!(["xếp nhầm"])), "{changes}");
    assert!(last["changes"].to_string().contains(other), "{last}");
}

const REGISTER: &str = "code\tname\tlevel\tparent\tfrom\tuntil\tsuccessors\n\
    H49\tỦy ban nhân dân tỉnh\tcấp tỉnh\t\t\t\t\n\
    H49.64.33\tSở Nội vụ\tcấp tỉnh\tH49\t\t\t\n\
    H49.70\tỦy ban nhân dân huyện Đồng Mơ\tcấp huyện\tH49\t\t30/6/2025\tH49.80\n\
    H49.80\tỦy ban nhân dân xã Sông Mơ\tcấp xã\tH49\t1/7/2025\t\t\n";
const FILES: &str = "code\ttitle\tretention\tmaker\n\
    VTLT\tVăn thư, lưu trữ\t\t\n\
    H49.64.33.2015.01\tHồ sơ kế hoạch lưu trữ\t5 năm\tlan\n\
    H49.64.33.2015.02\tHồ sơ giao nhận tài liệu\tVĩnh viễn\tlan\n";

/// Hands a table over; the status and the answer.
async fn table(service: &Service, who: &Visitor, method: &str, path: &str, table: &str) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = who.client.request(method, format!("{}{path}", service.address)).bearer_auth(&who.token);
    let request = request.header("content-type", "text/plain").header("accept-language", "en");
    let answer = request.body(table.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Agencies by day, the list of a year from its table to its files, and what of it is late.
#[tokio::test(flavor = "multi_thread")]
async fn agencies_lists_of_files_and_what_is_overdue() {
    let service = Service::start().await;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let head = service.actor("long", "head", AGENCY);
    let reader = service.actor("doc", "official", AGENCY);
    let stranger = service.actor("binh", "records_clerk", "H49.70");
    let of = fonds(&service, &thu).await;
    let at = &service.address;
    // The register.
    let broken = table(&service, &thu, "PUT", "/api/v1/agencies", &REGISTER.replace("cấp xã", "cấp thôn")).await;
    assert_eq!((broken.0, broken.1["findings"][0]["code"].as_str()), (422, Some("unread")), "{}", broken.1);
    assert_eq!(table(&service, &lan, "PUT", "/api/v1/agencies", REGISTER).await.0, 409, "archivists do");
    assert_eq!(table(&service, &thu, "PUT", "/api/v1/agencies", "{\"agencies\": 1}").await.0, 422);
    assert_eq!(table(&service, &thu, "PUT", "/api/v1/agencies", REGISTER).await.0, 200);
    let less = REGISTER.lines().take(4).collect::<Vec<_>>().join("\n");
    assert_eq!(table(&service, &thu, "PUT", "/api/v1/agencies", &less).await.0, 422, "no code is left out");
    for (day, codes) in [("2025-06-30", ["H49", AGENCY, "H49.70"]), ("2025-07-01", ["H49", AGENCY, "H49.80"])] {
        let told = lan.json(at, &format!("/api/v1/agencies?on={day}")).await;
        let there: Vec<&str> =
            told["agencies"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
        assert_eq!(there, codes, "{day}");
    }
    let custodians = lan.json(at, &format!("/api/v1/fonds/{of}/custodians?on=2025-07-01")).await;
    assert_eq!(
        (&custodians["permanent"]["agency"], &custodians["limited"]["because"]),
        (&json!(AGENCY), &json!("creator"))
    );
    // The list of a year.
    let path = format!("/api/v1/fonds/{of}/plans?year=2015");
    let broken = table(&service, &lan, "POST", &path, &FILES.replace("5 năm", "5 trang")).await;
    assert_eq!(broken.0, 422);
    assert!(broken.1["findings"][0]["detail"].as_str().unwrap().contains("row 3"), "{}", broken.1);
    assert_eq!(table(&service, &stranger, "POST", &path, FILES).await.0, 404);
    assert_eq!(table(&service, &reader, "POST", &path, FILES).await.0, 403);
    let (status, opened) = table(&service, &lan, "POST", &path, FILES).await;
    assert_eq!(status, 201, "{opened}");
    assert_eq!(table(&service, &lan, "POST", &path, FILES).await.0, 409, "one for a year");
    let plan = format!("/api/v1/plans/{}", opened["unit"].as_str().unwrap());
    let (acts, files) = (format!("{plan}/acts"), format!("{plan}/files"));
    refused(&service, &lan, &files, &json!({})).await;
    let approve = json!({"act": "approve", "decision": "12/QĐ-SNV", "on": "2015-01-05"});
    refused(&service, &lan, &acts, &approve).await;
    done(&service, &head, &acts, &approve).await;
    let (_, told) = send(&service, &lan, "POST", &files, &json!({})).await;
    assert_eq!((told["opened"].as_array().map(Vec::len), told["left"].as_array().map(Vec::len)), (Some(2), Some(0)));
    let (_, again) = send(&service, &lan, "POST", &files, &json!({})).await;
    assert_eq!((again["opened"].as_array().map(Vec::len), &again["there"]), (Some(0), &told["opened"]));
    let copy = done(&service, &lan, &acts, &json!({"act": "copy", "year": 2016})).await;
    let copied = lan.json(at, &format!("/api/v1/plans/{copy}")).await;
    assert_eq!(copied["plan"]["files"][0]["code"], "H49.64.33.2016.01");
    assert!(copied["plan"].get("salt").is_none());
    let years = lan.json(at, "/api/v1/plans").await;
    let years: Vec<_> = years["plans"].as_array().unwrap().iter().map(|one| one["year"].clone()).collect();
    assert_eq!(years, [2016, 2015]);
    assert_eq!(stranger.json(at, "/api/v1/plans").await, json!({"plans": []}));
    for path in [plan.clone(), format!("{plan}/acts"), files.clone(), format!("{plan}/table")] {
        let method = if path.ends_with("table") {
            "PUT"
        } else if path == plan {
            "GET"
        } else {
            "POST"
        };
        let (status, _) = send(&service, &stranger, method, &path, &json!({"act": "copy", "year": 2017})).await;
        assert_eq!(status, 404, "{method} {path}");
    }
    let table_of = format!("{plan}/table");
    assert_eq!(table(&service, &lan, "PUT", &table_of, &FILES.replace("giao nhận", "tiêu hủy")).await.0, 200);
    assert!(lan.json(at, &plan).await["plan"].get("approval").is_none(), "described anew it is a draft again");
    // What is late.
    done(&service, &lan, &format!("/api/v1/fonds/{of}/files"), &about("H49.64.33.2015.03")).await;
    let late = lan.json(at, "/api/v1/overdue").await;
    let debt = &late["debts"][0];
    assert_eq!(
        (&debt["maker"], &debt["overdue"][0]["code"]),
        (&json!("Trần Thị Lan"), &json!("H49.64.33.2015.03")),
        "{late}"
    );
    assert!(debt["overdue"][0]["late_days"].as_i64().unwrap() > 3000, "{late}");
    assert_eq!(stranger.json(at, "/api/v1/overdue").await, json!({"debts": []}));
    assert_eq!(reader.json(at, "/api/v1/overdue").await, late, "of the same agency");
}

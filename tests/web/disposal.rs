//! Holds and cases by their forms, as several people send them: over plain HTTP, without a script.

use crate::service::{Service, Visitor, key};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

const PASSWORD: &str = "một mật khẩu dài";
const AGENCY: &str = "H49.64.33";
const TABLE: &str = "code\tgroup\ttitle\tperiod\n1.01\t1\tKế hoạch công tác\t5 năm\n";

/// Somebody at a browser.
struct Sat {
    client: Client,
    address: String,
    cookie: String,
}

impl Sat {
    async fn down(service: &Service, name: &str) -> Sat {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let mut sat = Sat { client, address: service.address.clone(), cookie: String::new() };
        let login = sat.post("/login", &[("name", name), ("password", PASSWORD), ("next", "/")]).await;
        sat.cookie = login.2;
        sat
    }

    /// Sends a form: the status, where it leads or what it shows, and the cookie that it sets.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, String, String) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let post = self.client.post(format!("{}{path}", self.address)).header("origin", &self.address);
        let post = post.header("cookie", &self.cookie).header("accept", "text/html");
        let post = post.header("accept-language", "vi").header("content-type", "application/x-www-form-urlencoded");
        let answer = post.body(body).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (status, place, cookie) = (answer.status().as_u16(), header("location"), header("set-cookie"));
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        (status, if place.is_empty() { answer.text().await.unwrap() } else { place }, cookie)
    }

    /// Sends a form that does something: where it leads.
    async fn does(&self, path: &str, form: &[(&str, &str)]) -> String {
        let (status, place, _) = self.post(path, form).await;
        assert_eq!(status, 303, "{path} {form:?}: {place}");
        place
    }

    /// Sends a form that is refused on its page: what the page says.
    async fn is_refused(&self, path: &str, form: &[(&str, &str)], says: &str) {
        let (status, page, _) = self.post(path, form).await;
        assert!(status == 200 && page.contains("role=\"alert\"") && page.contains(says), "{path} {form:?}: {page}");
    }

    async fn reads(&self, path: &str) -> (u16, String) {
        let get = self.client.get(format!("{}{path}", self.address)).header("cookie", &self.cookie);
        let answer = get.header("accept", "text/html").header("accept-language", "vi").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

async fn done(service: &Service, who: &Visitor, path: &str, body: &Value) -> String {
    let post = who.client.post(format!("{}{path}", service.address)).bearer_auth(&who.token);
    let told: Value = post.json(body).send().await.unwrap().json().await.unwrap();
    told["unit"].as_str().unwrap_or_else(|| panic!("{path}: {told}")).to_owned()
}

/// A file whose period has ended, and the record in it.
async fn expired(service: &Service, lan: &Visitor, thu: &Visitor, hoa: &Visitor) -> (String, String) {
    let head = [("title", "Bảng"), ("number", "10/2022/TT-BNV"), ("source", "TT"), ("issued", "2022-12-19")];
    let head = head.into_iter().chain([("agency", "Bộ Nội vụ"), ("from", "2023-02-15"), ("incomplete", "false")]);
    let head = form_urlencoded::Serializer::new(String::new()).extend_pairs(head).finish();
    let post = thu.client.post(format!("{}/api/v1/schedules?{head}", service.address)).bearer_auth(&thu.token);
    let post = post.header("content-type", "text/tab-separated-values").body(TABLE);
    let told: Value = post.send().await.unwrap().json().await.unwrap();
    let schedule = told["unit"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    let decision = json!({"decision": "15/QĐ-SNV", "on": "2024-01-02"});
    done(service, hoa, &format!("/api/v1/schedules/{schedule}/approve"), &decision).await;
    let fonds = json!({"code": "P1", "name": "Phông Sở Nội vụ", "kind": "fonds", "creator": AGENCY});
    let fonds = done(service, thu, "/api/v1/fonds", &fonds).await;
    let code = "H49.64.33.2015.160";
    let about = json!({
        "code": code, "title": "Kế hoạch năm 2015", "retention_code": "05", "access": "conditional",
        "languages": ["01"], "started": "2015-01-05", "ended": "2015-12-31", "maker": "Trần Thị Lan",
        "class": {"schedule": schedule, "version": 1, "class": "1.01"}
    });
    let file = done(service, lan, &format!("/api/v1/fonds/{fonds}/files"), &about).await;
    let text = json!({
        "subject": "kế hoạch", "agency": AGENCY, "access": "conditional", "fonds": "P1", "file": code,
        "issued": "2015-03-01", "text": "toàn văn"
    });
    let kept = lan.deposit(&service.address, &key(1), &text.to_string(), &[]).await.unwrap();
    let kept: Value = kept.json().await.unwrap();
    done(service, lan, &format!("/api/v1/files/{file}/acts"), &json!({"act": "close"})).await;
    (file, kept["record"].as_str().unwrap_or_else(|| panic!("{kept}")).to_owned())
}

/// The identifier that a page gives an account, by its name in a list to choose from.
fn account(page: &str, name: &str) -> String {
    let (before, _) = page.split_once(&format!("\">{name} (")).unwrap_or_else(|| panic!("{name}: {page}"));
    before.rsplit_once("value=\"").unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_released_by_another_person_than_who_asked() {
    let service = Service::start().await;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let hoa = service.actor("hoa", "head", AGENCY);
    service.actor("binh", "depositor", AGENCY);
    let (_, record) = expired(&service, &lan, &thu, &hoa).await;
    let (thu, hoa) = (Sat::down(&service, "thu").await, Sat::down(&service, "hoa").await);
    let form = |what: &'static str| {
        [("authority", "Tòa án"), ("reason", "litigation"), ("reason_text", "Vụ 45"), ("of", "file"), ("what", what)]
    };
    thu.is_refused("/holds", &form("không có"), "Không tìm thấy").await;
    let hold = thu.does("/holds", &form("H49.64.33.2015.160")).await;
    let (_, page) = thu.reads(&hold).await;
    assert!(page.contains("Kế hoạch năm 2015") && !page.contains("id=\"release\""), "{page}");
    thu.is_refused(&format!("{hold}/release"), &[("reason", "xong")], "không được tự gỡ").await;
    let (_, page) = hoa.reads(&format!("/records/{record}")).await;
    assert!(page.contains("Tạm dừng hủy") && page.contains(&hold), "{page}");
    hoa.is_refused(&format!("{hold}/release"), &[("reason", " ")], "chưa nêu lý do").await;
    hoa.does(&format!("{hold}/release"), &[("reason", "Án đã thi hành")]).await;
    let (_, page) = thu.reads("/holds").await;
    assert!(page.contains("đã gỡ"), "{page}");
    assert_eq!(Sat::down(&service, "binh").await.reads("/holds").await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_from_its_list_to_the_decision_by_four_people() {
    let service = Service::start().await;
    let lan = service.actor("lan", "records_clerk", AGENCY);
    let thu = service.actor("thu", "archivist", AGENCY);
    let hoa = service.actor("hoa", "head", AGENCY);
    service.actor("minh", "head", AGENCY);
    let (file, _) = expired(&service, &lan, &thu, &hoa).await;
    let unit = format!("file:{file}");
    let (lan, thu) = (Sat::down(&service, "lan").await, Sat::down(&service, "thu").await);
    let (minh, hoa) = (Sat::down(&service, "minh").await, Sat::down(&service, "hoa").await);
    let case = lan.does("/cases", &[("agency", "Sở Nội vụ")]).await;
    let act = format!("{case}/act");
    lan.does(&act, &[("act", "list"), ("unit", &unit)]).await;
    let (_, page) = lan.reads(&case).await;
    assert!(
        page.contains("Xem xét hủy") && page.contains("Kế hoạch năm 2015") && page.contains("01/01/2021"),
        "{page}"
    );
    let [chair, second, third] = ["lan", "thu", "minh"].map(|name| account(&page, name));
    let paper = [("act", "set_up_council"), ("number", "3/QĐ-SNV"), ("day", "5/1/2026"), ("chair", chair.as_str())];
    lan.is_refused(&act, &paper, "Hội đồng xét hủy chưa đủ người").await;
    lan.does(&act, &[&paper[..], &[("member", &second), ("member", &third)]].concat()).await;
    let opinion = [("act", "opine"), ("unit", unit.as_str()), ("outcome", "destroy"), ("reason", "hết giá trị")];
    hoa.is_refused(&act, &opinion, "thành viên Hội đồng").await;
    lan.is_refused(&act, &[("act", "opine"), ("outcome", "destroy")], "Chưa đánh dấu").await;
    for member in [&lan, &thu, &minh] {
        member.does(&act, &opinion).await;
    }
    lan.is_refused(&act, &[("act", "end_review"), ("day", "hôm qua")], "ngày viết").await;
    lan.does(&act, &[("act", "end_review"), ("day", "10/1/2026")]).await;
    let propose = [("act", "propose"), ("unit", &unit), ("outcome", "destroy"), ("reason", "hết giá trị")];
    lan.does(&act, &[&propose[..], &[("agree", "3")]].concat()).await;
    let decide = |password: &'static str| {
        [("act", "decide"), ("number", "50/QĐ-SNV"), ("day", "15/1/2026"), ("password", password)]
    };
    minh.is_refused(&act, &decide(PASSWORD), "đã tham gia xem xét").await;
    hoa.is_refused(&act, &decide("not the password"), "Mật khẩu không đúng").await;
    hoa.does(&act, &decide(PASSWORD)).await;
    let (_, page) = hoa.reads(&case).await;
    assert!(page.contains("Chờ hủy") && page.contains("50/QĐ-SNV") && page.contains("8-bien-ban-huy"), "{page}");
}

//! Files from their opening to their acceptance, schedules from their table to their approval, and what is due by them.

use crate::{
    browser::Browser,
    manners::{client, filled, header, log_in},
    service::{Service, key},
};
use reqwest::{Client, Response, multipart};
use serde_json::{Value, json};

const PASSWORD: &str = "một mật khẩu dài";
/// The agency, as the accounts and the fonds name it.
const AGENCY: &str = "H49.64.33";
const CODE: &str = "H49.64.33.2015.160";
const TABLE: &str = "code\tgroup\ttitle\tperiod\n1.01\t1\tKế hoạch công tác\t5 năm\n1.02\t1\tQuyết định\tVĩnh viễn\n";
const LONGER: &str = "code\tgroup\ttitle\tperiod\n1.01\t1\tKế hoạch công tác\t20 năm\n1.02\t1\tQuyết định\tVĩnh viễn\n";

/// Somebody with a browser that has no script.
struct Person<'a> {
    service: &'a Service,
    client: Client,
    cookie: String,
}

impl<'a> Person<'a> {
    async fn come(service: &'a Service, name: &str, role: &str, agency: &str) -> Person<'a> {
        service.actor(name, role, agency);
        let client = client();
        let cookie = log_in(&client, service, name).await;
        Person { service, client, cookie }
    }

    async fn ask(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.service.address)).header("cookie", &self.cookie);
        request.header("accept", "text/html").header("accept-language", "en").send().await.unwrap()
    }

    /// A page that is there.
    async fn read(&self, path: &str) -> String {
        let answer = self.ask(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.client.post(format!("{}{path}", self.service.address)).header("cookie", &self.cookie);
        let request = request.header("origin", &self.service.address).header("accept", "text/html");
        filled(request.header("accept-language", "en"), form).send().await.unwrap()
    }

    /// A form that does what it says: where it leads.
    async fn does(&self, path: &str, form: &[(&str, &str)]) -> String {
        let answer = self.post(path, form).await;
        let (status, led) = (answer.status().as_u16(), header(&answer, "location").to_owned());
        assert_eq!(status, 303, "{path}: {}", answer.text().await.unwrap());
        led
    }

    /// A form that is refused: the page that comes again.
    async fn refused(&self, path: &str, form: &[(&str, &str)]) -> String {
        let answer = self.post(path, form).await;
        assert_eq!(answer.status(), 200, "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("role=\"alert\""), "{path}: {page}");
        page
    }

    /// A form with a table in a file.
    async fn hand(&self, path: &str, fields: &[(&str, &str)], table: &str) -> Response {
        let file = multipart::Part::bytes(table.as_bytes().to_vec()).file_name("bảng.tsv");
        let form = fields
            .iter()
            .fold(multipart::Form::new(), |form, (name, value)| form.text((*name).to_owned(), (*value).to_owned()));
        let request = self.client.post(format!("{}{path}", self.service.address)).header("cookie", &self.cookie);
        let request = request.header("origin", &self.service.address).header("accept-language", "en");
        request.multipart(form.part("file", file)).send().await.unwrap()
    }
}

const HEAD: [(&str, &str); 6] = [
    ("title", "Bảng thời hạn lưu trữ"),
    ("source_number", "10/2022/TT-BNV"),
    ("source_title", "Thông tư quy định thời hạn bảo quản tài liệu"),
    ("source_issued", "19/12/2022"),
    ("source_agency", "Bộ Nội vụ"),
    ("from", "15/02/2023"),
];

fn to(act: &'static str) -> Vec<(&'static str, &'static str)> {
    HEAD.into_iter().chain([("do", act)]).collect()
}

/// A schedule that one person imports and another approves.
async fn schedule(thu: &Person<'_>, head: &Person<'_>) -> String {
    let looked = thu.hand("/schedules", &to("look"), TABLE).await;
    assert_eq!(looked.status(), 200);
    assert!(looked.text().await.unwrap().contains("2 classes were read"));
    let broken = thu.hand("/schedules", &to("open"), &TABLE.replace("5 năm", "5 trang")).await;
    let broken = broken.text().await.unwrap();
    assert!(broken.contains("row 2") && broken.contains("role=\"alert\""), "{broken}");
    let opened = thu.hand("/schedules", &to("open"), TABLE).await;
    assert_eq!(opened.status(), 303);
    let path = header(&opened, "location").to_owned();
    let page = thu.read(&path).await;
    assert!(page.contains("not approved") && page.contains("1.02") && !page.contains("/approve\""), "{page}");
    assert!(!thu.read(&format!("{path}?q=ke+hoach")).await.contains("1.02"), "the filter knows no diacritics");
    let decision = [("decision", "15/QĐ-SNV"), ("on", "02/01/2024")];
    thu.refused(&format!("{path}/approve"), &decision).await;
    head.refused(&format!("{path}/approve"), &[("decision", " "), ("on", "02/01/2024")]).await;
    head.does(&format!("{path}/approve"), &decision).await;
    assert!(head.read(&path).await.contains("15/QĐ-SNV"));
    path
}

/// A file with a record in it.
async fn file(lan: &Person<'_>, visitor: &crate::service::Visitor, fonds: &str) -> String {
    let title = "Hồ sơ <b>đất</b> & nhà";
    let file = lan
        .does(
            &format!("{fonds}/files"),
            &[("title", title), ("code", CODE), ("started", "5/1/2015"), ("access", "conditional")],
        )
        .await;
    let text = json!({
        "subject": "kế hoạch một", "agency": AGENCY, "access": "conditional", "fonds": "P1", "file": CODE,
        "issued": "2015-03-01", "text": "toàn văn"
    });
    let kept = visitor.deposit(&lan.service.address, &key(1), &text.to_string(), &[]).await.unwrap();
    assert_eq!(kept.status(), 201);
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_closed_submitted_and_accepted_by_another_person_and_falls_due() {
    let service = Service::start().await;
    let clerk = service.actor("clerk", "records_clerk", AGENCY);
    let lan = Person::come(&service, "lan", "records_clerk", AGENCY).await;
    let thu = Person::come(&service, "thu", "archivist", AGENCY).await;
    let head = Person::come(&service, "long", "head", AGENCY).await;
    let stranger = Person::come(&service, "binh", "official", "H49.64.34").await;
    let asked = [("code", "P1"), ("name", "Phông Sở Nội vụ"), ("creator", AGENCY), ("kind", "fonds")];
    lan.refused("/fonds", &asked).await;
    let fonds = thu.does("/fonds", &asked).await;
    assert!(thu.refused("/fonds", &asked).await.contains("used already"));
    let (schedule, file) = (schedule(&thu, &head).await, file(&lan, &clerk, &fonds).await);
    let id = schedule.rsplit('/').next().unwrap();
    let act = format!("{file}/act");
    // Without a class it is not closed, and the page says what to do.
    assert!(lan.read(&file).await.contains("class of retention is missing"));
    assert!(lan.refused(&act, &[("act", "close")]).await.contains("class of retention is missing"));
    let class = format!("{id}/1/1.01");
    let mut said = vec![("title", "Hồ sơ <b>đất</b> & nhà"), ("code", CODE), ("maker", "lan"), ("language", "01")];
    said.extend([("started", "5/1/2015"), ("ended", "hôm qua"), ("access", "conditional"), ("class", class.as_str())]);
    let edit = format!("{file}/edit");
    assert!(lan.refused(&edit, &said).await.contains("hôm qua"), "what was typed is still there");
    said[5].1 = "31/12/2015";
    lan.does(&edit, &said).await;
    let late = lan.read("/overdue").await;
    assert!(late.contains(CODE) && late.contains(file.as_str()) && late.contains("badge ended"), "{late}");
    lan.does(&act, &[("act", "close")]).await;
    lan.does(&act, &[("act", "submit")]).await;
    assert!(lan.refused(&act, &[("act", "accept")]).await.contains("your role"));
    thu.refused(&act, &[("act", "return"), ("reason", " ")]).await;
    thu.does(&act, &[("act", "return"), ("reason", "thiếu số trang\nthiếu chữ ký")]).await;
    assert!(lan.read(&file).await.contains("thiếu chữ ký"));
    lan.does(&act, &[("act", "submit")]).await;
    thu.does(&act, &[("act", "accept")]).await;
    let page = thu.read(&file).await;
    for part in ["accepted", "01/01/2021", "kế hoạch một", "1.01", "31/12/2015"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<b>đất"), "a title is text");
    printed(&lan, &file).await;
    due(&thu, &schedule).await;
    // Nobody of another agency learns that it is there.
    assert_eq!(stranger.ask(&file).await.status(), 404);
    assert!(!stranger.read(&fonds).await.contains("đất") && !stranger.read("/due").await.contains("đất"));
    assert!(lan.read(&fonds).await.contains("2015"));
}

/// The list of documents and the minutes, as they are printed.
async fn printed(lan: &Person<'_>, file: &str) {
    for (form, part) in [("documents", "MỤC LỤC VĂN BẢN TRONG HỒ SƠ"), ("minutes", "BIÊN BẢN")] {
        let answer = lan.ask(&format!("{file}/{form}")).await;
        assert!(header(&answer, "content-security-policy").contains("style-src 'unsafe-inline'"));
        let page = answer.text().await.unwrap();
        assert!(page.contains(part) && !page.contains("<script"), "{page}");
    }
}

/// What is due, how much falls due when, and what another version would move.
async fn due(thu: &Person<'_>, schedule: &str) {
    let page = thu.read("/due").await;
    assert!(page.contains("01/01/2021") && page.contains("name=\"unit\"") && !page.contains("<b>đất"), "{page}");
    assert!(!thu.read("/due?until=2020").await.contains("name=\"unit\""));
    assert!(!thu.read("/due?held=yes").await.contains("name=\"unit\""));
    assert!(thu.read("/due?until=never").await.contains("role=\"alert\""));
    assert!(thu.refused("/due", &[("unit", "file:019aaf1c-9b00-7707-8707-070707070707")]).await.contains("No case"));
    assert!(thu.read("/due/forecast").await.contains("<svg"));
    let table = thu.ask("/due/forecast.csv").await;
    assert!(header(&table, "content-type").starts_with("text/csv"));
    assert!(table.text().await.unwrap().contains("\"2021\""));
    let figures: Value = thu.ask("/due/forecast.json").await.json().await.unwrap();
    assert!(figures.as_array().unwrap().iter().any(|one| one["year"] == 2021 && one["records"] == 1), "{figures}");
    thu.read("/due/transfers").await;
    let moved = thu.hand(&format!("{schedule}/next"), &[("do", "simulate")], LONGER).await.text().await.unwrap();
    assert!(moved.contains("01/01/2021") && moved.contains("01/01/2036"), "{moved}");
    let moves = thu.hand(&format!("{schedule}/next"), &[("do", "csv")], LONGER).await.text().await.unwrap();
    assert!(moves.contains("\"on:2021-01-01\",\"on:2036-01-01\",\"1\""), "{moves}");
    let revise = [("do", "revise"), ("from", "01/01/2026")];
    assert_eq!(thu.hand(&format!("{schedule}/next"), &revise, LONGER).await.status(), 303);
    let page = thu.read(schedule).await;
    assert!(page.contains("20 years") && page.contains("version=1"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_shown_no_way_and_finds_none() {
    let service = Service::start().await;
    let admin = Person::come(&service, "quan", "administrator", AGENCY).await;
    let an = Person::come(&service, "an", "depositor", AGENCY).await;
    for path in ["/fonds", "/schedules", "/due", "/due/forecast", "/due/forecast.csv", "/due/transfers"] {
        assert_eq!(admin.ask(path).await.status(), 403, "{path}");
    }
    assert!(!admin.read("/").await.contains("href=\"/due\""));
    let page = an.read("/fonds").await;
    assert!(page.contains("href=\"/fonds\"") && !page.contains("href=\"/due\""), "{page}");
    for path in ["/files/nonsense", "/fonds/019aaf1c-9b00-7707-8707-070707070707"] {
        assert_eq!(an.ask(path).await.status(), 404, "{path}");
    }
    // A form on a stranger's page.
    for path in ["/fonds", "/schedules/take", "/due"] {
        let sent = admin.client.post(format!("{}{path}", service.address)).header("cookie", &admin.cookie);
        let sent = filled(sent.header("origin", "https://evil.example"), &[("number", "0")]);
        assert_eq!(sent.send().await.unwrap().status(), 403, "{path}");
    }
}

/// In a browser, in both languages: nothing is refused by the page's own policy, and nothing goes off sideways.
const REGISTER: &str = "code\tname\tlevel\tparent\tfrom\tuntil\tsuccessors\n\
    H49\tỦy ban nhân dân tỉnh\tcấp tỉnh\t\t\t\t\n\
    H49.64.33\tSở Nội vụ\tcấp tỉnh\tH49\t\t\t\n\
    H49.70\tỦy ban nhân dân huyện Đồng Mơ\tcấp huyện\tH49\t\t30/6/2025\tH49.80\n\
    H49.80\tỦy ban nhân dân xã Sông Mơ\tcấp xã\tH49\t1/7/2025\t\t\n";
const FILES: &str = "code\ttitle\tretention\tmaker\n\
    VTLT\tVăn thư, lưu trữ\t\t\n\
    H49.64.33.2026.01\tHồ sơ <b>kế hoạch</b> lưu trữ\t5 năm\tlan\n\
    H49.64.33.2026.02\tHồ sơ giao nhận tài liệu\tVĩnh viễn\tlan\n";

/// Agencies are told by day, and the list of a year goes from a table to the files that it opens.
#[tokio::test(flavor = "multi_thread")]
async fn agencies_are_told_by_day_and_a_list_of_files_is_issued_opened_and_copied() {
    let service = Service::start().await;
    let lan = Person::come(&service, "lan", "records_clerk", AGENCY).await;
    let thu = Person::come(&service, "thu", "archivist", AGENCY).await;
    let head = Person::come(&service, "long", "head", AGENCY).await;
    let stranger = Person::come(&service, "binh", "records_clerk", "H49.70").await;
    let asked = [("code", "P1"), ("name", "Phông Sở Nội vụ"), ("creator", AGENCY), ("kind", "fonds")];
    let fonds = thu.does("/fonds", &asked).await;
    let broken = thu.hand("/agencies", &[], &REGISTER.replace("cấp xã", "cấp thôn")).await.text().await.unwrap();
    assert!(broken.contains("role=\"alert\"") && broken.contains("row 5") && broken.contains("cấp thôn"), "{broken}");
    assert!(
        lan.hand("/agencies", &[], REGISTER).await.text().await.unwrap().contains("role=\"alert\""),
        "archivists do"
    );
    assert_eq!(thu.hand("/agencies", &[], REGISTER).await.status(), 303);
    let before = lan.read("/agencies?on=30/6/2025").await;
    assert!(before.contains("Đồng Mơ") && before.contains("cấp huyện"), "{before}");
    // It goes on with the work of the district, and is not there yet.
    assert!(!before.contains("<th scope=\"row\">Ủy ban nhân dân xã Sông Mơ"), "{before}");
    let after = lan.read("/agencies?on=1/7/2025").await;
    assert!(after.contains("<th scope=\"row\">Ủy ban nhân dân xã Sông Mơ") && !after.contains("cấp huyện"), "{after}");
    assert!(after.contains("Phông Sở Nội vụ") && after.contains("the creator"), "who manages it: {after}");
    assert!(lan.read("/agencies?on=tomorrow").await.contains("role=\"alert\""));
    // The list of a year.
    let id = fonds.rsplit('/').next().unwrap();
    let about = [("fonds", id), ("year", "2026")];
    let broken = lan.hand("/plans", &about, &FILES.replace("5 năm", "5 trang")).await.text().await.unwrap();
    assert!(broken.contains("row 3") && broken.contains("5 trang"), "{broken}");
    assert_eq!(stranger.hand("/plans", &about, FILES).await.status(), 404, "of another agency");
    let opened = lan.hand("/plans", &about, FILES).await;
    assert_eq!(opened.status(), 303, "{}", opened.text().await.unwrap());
    let plan = header(&opened, "location").to_owned();
    assert!(lan.hand("/plans", &about, FILES).await.text().await.unwrap().contains("role=\"alert\""), "one for a year");
    let act = format!("{plan}/act");
    lan.refused(&act, &[("act", "open")]).await;
    let decision = [("act", "approve"), ("decision", "12/QĐ-SNV"), ("on", "05/01/2026")];
    lan.refused(&act, &decision).await;
    head.refused(&act, &[("act", "approve"), ("decision", " "), ("on", "05/01/2026")]).await;
    head.does(&act, &decision).await;
    let told = lan.post(&act, &[("act", "open")]).await.text().await.unwrap();
    assert!(told.contains("2 files were opened") && told.contains("href=\"/files/"), "{told}");
    assert!(told.contains("Văn thư, lưu trữ") && !told.contains("<b>kế hoạch"), "a title is text: {told}");
    let again = lan.post(&act, &[("act", "open")]).await.text().await.unwrap();
    assert!(again.contains("0 files were opened; 2 were there before"), "{again}");
    assert!(lan.read(&fonds).await.contains("H49.64.33.2026.02"));
    let printed = lan.ask(&format!("{plan}/print")).await;
    assert!(header(&printed, "content-security-policy").contains("style-src 'unsafe-inline'"));
    assert!(printed.text().await.unwrap().contains("DANH MỤC HỒ SƠ"));
    let copy = lan.does(&act, &[("act", "copy"), ("year", "2027")]).await;
    let copied = lan.read(&copy).await;
    assert!(copied.contains("H49.64.33.2027.01") && copied.contains("draft"), "{copied}");
    assert!(!head.read(&plan).await.contains("value=\"approve\""), "it is issued");
    // Described anew it is a draft again.
    let renamed = FILES.replace("giao nhận", "tiêu hủy");
    assert_eq!(lan.hand(&format!("{plan}/table"), &[], &renamed).await.status(), 303);
    assert!(head.read(&plan).await.contains("value=\"approve\""));
    for path in [plan.clone(), format!("{plan}/print")] {
        assert_eq!(stranger.ask(&path).await.status(), 404, "{path}");
    }
    assert_eq!(stranger.post(&act, &[("act", "open")]).await.status(), 404);
    assert!(!stranger.read("/plans").await.contains("2026"), "of another agency's fonds nothing is told");
    assert_eq!(lan.post(&act, &[("act", "burn")]).await.status(), 400);
}

/// Loose records become files: placed or taken out in a draft, approved by a head in one act, carried out.
#[tokio::test(flavor = "multi_thread")]
async fn backlog_work_is_drafted_approved_and_carried_out() {
    let service = Service::start().await;
    let clerk = service.actor("clerk", "records_clerk", AGENCY);
    let thu = Person::come(&service, "thu", "archivist", AGENCY).await;
    let head = Person::come(&service, "long", "head", AGENCY).await;
    let stranger = Person::come(&service, "binh", "records_clerk", "H49.70").await;
    let asked = [("code", "P1"), ("name", "Phông Sở Nội vụ"), ("creator", AGENCY), ("kind", "fonds")];
    let fonds = thu.does("/fonds", &asked).await;
    let mut records = Vec::new();
    for n in 0..3 {
        let text = json!({
            "subject": format!("kế hoạch rời {n}"), "agency": AGENCY, "access": "conditional", "fonds": "P1",
            "loose_reason": "tài liệu tồn đọng", "issued": "2015-03-01", "text": format!("toàn văn {n}")
        });
        let kept = clerk.deposit(&service.address, &key(n), &text.to_string(), &[]).await.unwrap();
        let kept: Value = kept.json().await.unwrap();
        records.push(kept["record"].as_str().unwrap_or_else(|| panic!("{kept}")).to_owned());
    }
    let of = fonds.rsplit('/').next().unwrap();
    thu.refused("/backlog", &[("fonds", of), ("title", " ")]).await;
    let work = thu.does("/backlog", &[("fonds", of), ("title", "Chỉnh lý <b>phông</b>")]).await;
    let act = format!("{work}/act");
    let page = thu.read(&work).await;
    assert!(records.iter().all(|record| page.contains(record.as_str())) && !page.contains("<b>phông"), "{page}");
    let about = [("act", "place"), ("code", "H49.64.33.2015.01"), ("title", "Hồ sơ kế hoạch"), ("retention", "05")];
    let pairs: Vec<(&str, &str)> = records[..2].iter().map(|record| ("record", record.as_str())).chain(about).collect();
    thu.refused(&act, &pairs[2..]).await;
    thu.does(&act, &pairs).await;
    let decision = [("act", "approve"), ("decision", "12/QĐ-SNV"), ("on", "05/01/2016")];
    assert!(head.refused(&act, &decision).await.contains(&records[2]), "it is in no file, and nobody took it out");
    let out = [("act", "reject"), ("record", records[2].as_str()), ("because", "reference"), ("reason", "bản nháp")];
    thu.refused(&act, &[out[0], out[1], out[2], ("reason", " ")]).await;
    thu.does(&act, &out).await;
    thu.does(&act, &[("act", "describe"), ("history", "Lịch sử phông"), ("scheme", "Theo năm")]).await;
    thu.refused(&act, &decision).await;
    head.does(&act, &decision).await;
    let page = thu.read(&work).await;
    assert!(page.contains("reference material: bản nháp") && page.contains("value=\"carry_out\""), "{page}");
    let done = thu.post(&act, &[("act", "carry_out")]).await.text().await.unwrap();
    assert!(done.contains("1 files were opened, 2 records were moved"), "{done}");
    assert!(!done.contains("value=\"carry_out\""), "it is done: {done}");
    assert!(thu.read(&fonds).await.contains("H49.64.33.2015.01"));
    assert!(thu.read("/backlog").await.contains("carried out"));
    assert_eq!(stranger.ask(&work).await.status(), 404);
    assert_eq!(stranger.post(&act, &[("act", "reopen")]).await.status(), 404);
    assert!(!stranger.read("/backlog").await.contains("Chỉnh lý &#60;b"), "of another agency's fonds nothing is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_calm_in_a_browser() {
    let service = Service::start().await;
    service.actor("thu", "archivist", AGENCY);
    let browser = Browser::open().await;
    browser.go(&service.address).await;
    browser.until("document.querySelector('.login')").await;
    browser.fill("input[name=name]", "thu").await;
    browser.fill("input[name=password]", PASSWORD).await;
    browser.click(".login button.main").await;
    browser.until("document.querySelector('.hits')").await;
    browser.go(&format!("{}/schedules", service.address)).await;
    browser.until("document.querySelector(\"form[action='/schedules/take']\")").await;
    browser.click("form[action='/schedules/take'] button").await;
    browser.until("document.querySelector('.audits tbody tr')").await;
    browser.go(&format!("{}/fonds", service.address)).await;
    browser.fill("form[action='/fonds'] input[name=code]", "P1").await;
    browser.fill("form[action='/fonds'] input[name=name]", "Phông Sở Nội vụ").await;
    browser.fill("form[action='/fonds'] input[name=creator]", AGENCY).await;
    browser.click("form[action='/fonds'] button.main").await;
    browser.until("document.querySelector(\"input[name=title]\")").await;
    browser.fill("input[name=title]", "Hồ sơ xây dựng kế hoạch").await;
    browser.click("form[action$='/files'] button.main").await;
    browser.until("document.querySelector('.history li')").await;
    browser.look("file").await;
    for language in ["first", "other"] {
        for page in
            ["fonds", "plans", "backlog", "agencies", "overdue", "schedules", "due", "due/forecast", "due/transfers"]
        {
            browser.resize(420, 900).await;
            browser.go(&format!("{}/{page}", service.address)).await;
            browser.until("document.querySelector('main h1')").await;
            browser.look(&format!("{language}-{}", page.replace('/', "-"))).await;
            assert_eq!(browser.run("return document.documentElement.scrollWidth <= innerWidth").await, true, "{page}");
        }
        browser.click("form[action='/language'] button").await;
        browser.until("document.querySelector('main h1')").await;
    }
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
}

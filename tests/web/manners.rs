//! What the pages do for strangers, for those who may not, and with what does not belong in a page.

use crate::service::{Service, key};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use serde_json::json;

const PASSWORD: &str = "một mật khẩu dài";

pub fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// What a browser sends of a form.
pub fn filled(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

pub fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub async fn log_in(client: &Client, service: &Service, name: &str) -> String {
    let form = [("name", name), ("password", PASSWORD), ("next", "/verify")];
    let login = filled(client.post(format!("{}/login", service.address)).header("origin", &service.address), &form);
    let answer = login.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, "/verify"));
    let cookie = header(&answer, "set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_led_to_the_login_and_from_there_nowhere_else() {
    let (service, client) = (Service::start().await, client());
    service.actor("thu", "archivist", "Sở Nội vụ");
    let address = &service.address;
    for path in ["/", "/?q=a%20b", "/records/x", "/deposit", "/verify"] {
        let answer = client.get(format!("{address}{path}")).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        assert!(header(&answer, "location").starts_with("/login?next=%2F"), "{path}");
    }
    for next in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let form = [("name", "thu"), ("password", PASSWORD), ("next", next)];
        let login = filled(client.post(format!("{address}/login")).header("origin", address), &form);
        assert_eq!(header(&login.send().await.unwrap(), "location"), "/", "{next}");
        let form = [("language", "en"), ("next", next)];
        let choice = filled(client.post(format!("{address}/language")).header("origin", address), &form);
        assert_eq!(header(&choice.send().await.unwrap(), "location"), "/", "{next}");
    }
    // A form on a stranger's page.
    let cookie = log_in(&client, &service, "thu").await;
    for path in ["/login", "/logout", "/language", "/verify"] {
        for origin in ["https://evil.example", "null", ""] {
            let mut sent = client.post(format!("{address}{path}")).header("cookie", &cookie);
            sent = filled(sent, &[("name", "thu"), ("password", PASSWORD), ("language", "en")]);
            if !origin.is_empty() {
                sent = sent.header("origin", origin);
            }
            assert_eq!(sent.send().await.unwrap().status(), 403, "{path} {origin}");
        }
    }
    // Still logged in, until it is said from here.
    let page = client.get(format!("{address}/")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let out = client.post(format!("{address}/logout")).header("origin", address).header("cookie", &cookie);
    assert_eq!(out.send().await.unwrap().status(), 303);
    let page = client.get(format!("{address}/")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(page.status(), 303, "the login has ended for the server, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_a_password_is_slowed_down() {
    let (service, client) = (Service::start().await, client());
    service.actor("thu", "archivist", "Sở Nội vụ");
    let mut told = String::new();
    for _ in 0..30 {
        let form = [("name", "thu"), ("password", "a wrong password"), ("next", "/")];
        let login = filled(client.post(format!("{}/login", service.address)).header("origin", &service.address), &form);
        let answer = login.header("accept-language", "en").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "set-cookie")), (200, ""));
        told = answer.text().await.unwrap();
        if told.contains("Too many attempts") {
            return;
        }
    }
    panic!("nobody was told to wait: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_shows_to_those_who_may_read_it_and_its_words_are_words() {
    let (service, client) = (Service::start().await, client());
    let archivist = service.actor("thu", "archivist", "Sở Nội vụ");
    service.actor("an", "official", "Sở Tài chính");
    let subject = "<script>alert(1)</script> & \"thu hồi\"";
    let description = json!({"subject": subject, "agency": "Sở Nội vụ", "note": "<img src=x onerror=alert(1)>",
        "text": "thu hồi <b>đất</b>\u{c}trang hai"});
    let kept = archivist.deposit(&service.address, &key(1), &description.to_string(), &[]).await;
    let record = kept.unwrap().json::<serde_json::Value>().await.unwrap()["record"].as_str().unwrap().to_owned();
    let (thu, an) = (log_in(&client, &service, "thu").await, log_in(&client, &service, "an").await);
    let get = async |path: String, cookie: &str| {
        let request = client.get(format!("{}{path}", service.address)).header("cookie", cookie);
        request.header("accept", "text/html").header("accept-language", "en").send().await.unwrap()
    };
    for path in ["/?q=thu+hoi".to_owned(), format!("/records/{record}?q=thu+hoi"), "/?q=%3Cscript%3E".into()] {
        let page = get(path.clone(), &thu).await;
        assert_eq!(page.status(), 200, "{path}");
        let text = page.text().await.unwrap();
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x") && !text.contains("<b>đất"), "{text}");
    }
    let page = get(format!("/records/{record}?q=thu+hoi"), &thu).await.text().await.unwrap();
    assert!(page.contains("<mark>thu hồi"), "{page}");
    assert!(page.contains("Page</span>") || page.contains("1 / 2"), "{page}");
    let second = get(format!("/records/{record}?text=1&page=2"), &thu).await.text().await.unwrap();
    assert!(second.contains("trang hai") && second.contains("2 / 2"), "{second}");
    // Another agency's official: as if it were not there.
    let hidden = get(format!("/records/{record}"), &an).await;
    let absent = get("/records/019aaf1c-9b00-7707-8707-070707070707".into(), &an).await;
    assert_eq!((hidden.status().as_u16(), absent.status().as_u16()), (404, 404));
    assert_eq!(hidden.text().await.unwrap(), absent.text().await.unwrap());
    assert!(!get("/?q=thu+hoi".into(), &an).await.text().await.unwrap().contains("alert(1)"));
    let verified = get(format!("/verify?record={record}"), &an).await;
    assert_eq!(verified.status(), 404);
    // An official hands nothing over, and is not shown the way.
    assert!(!get("/".into(), &an).await.text().await.unwrap().contains("/deposit"));
    let refused = get("/deposit".into(), &an).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "content-type")), (403, "text/html; charset=utf-8"));
    for path in ["/records/nonsense", "/assets/nothing.css", "/?sort=sideways", "/?cursor=x", "/?from=x", "/nowhere"] {
        let answer = get(path.into(), &thu).await;
        assert!([200, 404].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
        assert!(answer.text().await.unwrap().contains("style.css"), "{path} has the face of a page");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn style_and_script_come_from_here_and_are_asked_for_once() {
    let (service, client) = (Service::start().await, client());
    for name in ["style.css", "deposit.js", "mark.svg"] {
        let address = format!("{}/assets/{name}", service.address);
        let first = client.get(&address).send().await.unwrap();
        assert_eq!(first.status(), 200);
        let etag = header(&first, "etag").to_owned();
        assert!(!first.text().await.unwrap().contains("http://") || name == "mark.svg", "nothing from elsewhere");
        let again = client.get(&address).header("if-none-match", etag).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.text().await.unwrap().len()), (304, 0));
    }
    let page = client.get(format!("{}/login", service.address)).send().await.unwrap();
    let policy = header(&page, "content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}

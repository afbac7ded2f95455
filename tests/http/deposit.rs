//! A record on its way in and out again.

use crate::service::{Service, key};
use serde_json::Value;
use std::{fs, time::Duration};
use vankho::{
    record::digest::Digest,
    verify::{Outcome, receipt::verify_receipt},
};

const DESCRIPTION: &str = r#"{"external_id":"hs-1","subject":"Quyết định công bố danh mục thủ tục hành chính","number":"48","notation":"QĐ-UBND","agency":"Sở Nội vụ","access":"public"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_is_answered_with_a_receipt_and_comes_out_as_it_went_in() {
    let service = Service::start().await;
    let (at, lan) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"));
    let large: Vec<u8> = (0..5_000_000u32).map(|n| (n >> 7) as u8).collect();
    let components: [(&str, &[u8]); 2] =
        [("../../tờ trình \"1\".bin", &large), ("b.txt", "nội dung đính kèm".as_bytes())];
    let answer = lan.deposit(at, &key(1), DESCRIPTION, &components).await.unwrap();
    assert_eq!(answer.status(), 201);
    let kept: Value = answer.json().await.unwrap();
    let record = kept["record"].as_str().unwrap();
    // The same request, also while it is told twice at once.
    for _ in 0..2 {
        let again = lan.deposit(at, &key(1), DESCRIPTION, &components).await.unwrap();
        assert_eq!(again.status(), 200);
        assert_eq!(again.json::<Value>().await.unwrap()["record"], record);
    }
    let told = lan.json(at, &format!("/api/v1/records/{record}")).await;
    assert_eq!(told["description"]["metadata"]["notation"], "QĐ-UBND");
    assert_eq!(told["description"]["components"][0]["original_name"], "tờ trình \"1\".bin", "a name, and no path");
    let first = format!("/api/v1/records/{record}/components/1");
    let whole = lan.get(at, &first).send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "application/octet-stream");
    assert_eq!(whole.headers()["x-content-type-options"], "nosniff");
    let name = "attachment; filename=\"t_ tr_nh _1_.bin\"; filename*=UTF-8''t%E1%BB%9D%20tr%C3%ACnh%20%221%22.bin";
    assert_eq!(whole.headers()["content-disposition"], name);
    let tag = whole.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(whole.bytes().await.unwrap(), large);
    let part = lan.get(at, &first).header("range", "bytes=4999990-").send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), part.headers()["content-range"].to_str().unwrap()),
        (206, "bytes 4999990-4999999/5000000")
    );
    assert_eq!(part.bytes().await.unwrap(), large[4_999_990..]);
    let middle = lan.get(at, &first).header("range", "bytes=4194300-4194310").send().await.unwrap();
    assert_eq!(middle.bytes().await.unwrap(), large[4_194_300..=4_194_310], "over the edge of a piece");
    assert_eq!(lan.get(at, &first).header("range", "bytes=5000000-").send().await.unwrap().status(), 416);
    assert_eq!(lan.get(at, &first).header("if-none-match", &tag).send().await.unwrap().status(), 304);
    // Checked by what anybody has: receipt, description, file, public keys.
    let receipt =
        lan.get(at, &format!("/api/v1/records/{record}/receipt")).send().await.unwrap().bytes().await.unwrap();
    let life = lan.json(at, &format!("/api/v1/records/{record}/descriptions")).await;
    let digest = life[0]["sha256"].as_str().unwrap();
    let described = lan.get(at, &format!("/api/v1/records/{record}/descriptions/{digest}")).send().await.unwrap();
    let described = described.bytes().await.unwrap();
    assert_eq!(Digest::of(&described).to_string(), digest);
    let keys = fs::read(service.data.path().join("archive/keys/archive.keys")).unwrap();
    for one in [&receipt[..], kept["receipt"].as_str().unwrap().as_bytes()] {
        let verdict = verify_receipt(one, &keys, Some(&described), Some(Digest::of(&large)));
        assert_eq!(verdict.outcome, Outcome::Holds, "{}", verdict.english);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_read_in_the_background_and_found() {
    let service = Service::start().await;
    let (at, lan) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"));
    let docx = crate::world::docx("Phê duyệt kế hoạch kiểm tra công tác văn thư");
    assert_eq!(lan.deposit(at, &key(1), DESCRIPTION, &[("a.docx", &docx)]).await.unwrap().status(), 201);
    let began = std::time::Instant::now();
    loop {
        let page = lan.json(at, "/api/v1/search?q=cong+tac+van+thu&facets=true&snippets=true").await;
        // Its subject has one of the words; the rest is known when its text has been read.
        if page["hits"][0]["snippet"].is_object() {
            let snippet = page["hits"][0]["snippet"]["text"].as_str().unwrap_or_else(|| panic!("{page}"));
            assert!(snippet.contains("văn thư"));
            assert_eq!(page["facets"]["agency"][0][0], "Sở Nội vụ");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let status = lan.json(at, "/api/v1/status").await;
    assert_eq!((&status["records"], &status["waiting"]), (&1.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_followed_as_others_do_it() {
    let service = Service::with(&[("VANKHO_LEDGER__PUBLISH_INTERVAL_MS", "50")]).await;
    let (at, lan) = (&service.address, service.actor("lan", "archivist", "Sở Nội vụ"));
    let auditor = service.actor("minh", "auditor", "Sở Nội vụ");
    for n in 0..3 {
        let text = format!(r#"{{"subject":"văn bản {n}","text":"nội dung {n}"}}"#);
        assert_eq!(lan.deposit(at, &key(n), &text, &[]).await.unwrap().status(), 201);
    }
    let client = reqwest::Client::new();
    let checkpoint = loop {
        let text = client.get(format!("{at}/log/checkpoint")).send().await.unwrap().text().await.unwrap();
        if text.lines().nth(1) == Some("4") {
            break text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let tile = client.get(format!("{at}/log/tile/0/000.p/4")).send().await.unwrap();
    assert!(tile.headers()["cache-control"].to_str().unwrap().contains("no-cache"), "a part of a tile is superseded");
    let hashes = tile.bytes().await.unwrap();
    assert_eq!(hashes.len(), 4 * 32);
    // The tree by hand: RFC 6962, 2.1.
    let node = |a: &[u8], b: &[u8]| Digest::of(&[&[1], a, b].concat()).0.to_vec();
    let root = node(&node(&hashes[..32], &hashes[32..64]), &node(&hashes[64..96], &hashes[96..]));
    use base64::{Engine, engine::general_purpose::STANDARD};
    assert_eq!(checkpoint.lines().nth(2), Some(STANDARD.encode(root).as_str()));
    let entries = format!("{at}/log/tile/entries/000.p/4");
    assert_eq!(client.get(&entries).send().await.unwrap().status(), 401);
    let bundle = auditor.get(at, "/log/tile/entries/000.p/4").send().await.unwrap().bytes().await.unwrap();
    let first = usize::from(u16::from_be_bytes([bundle[0], bundle[1]]));
    assert_eq!(Digest::of(&[&[0], &bundle[2..2 + first]].concat()).0[..], hashes[..32]);
    for wrong in
        ["/log/tile/0/..%2f..%2fcheckpoint", "/log/tile/9/9/9", "/log/tile/0/000.p/5", "/log/commits/0", "/log/tile/"]
    {
        assert_eq!(lan.get(at, wrong).send().await.unwrap().status(), 404, "{wrong}");
    }
}

//! What people do, from the login to a verified receipt, in both languages.

use crate::{browser::Browser, service::Service, world};
use std::path::{Path, PathBuf};

const PASSWORD: &str = "một mật khẩu dài";

fn sample() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/sample"))
}

/// The sample archive, served.
async fn served() -> Service {
    let mut service = Service::start().await;
    service.terminate();
    let manifest = sample().join("manifest.jsonl");
    let taken = service.command(&["ingest", "--manifest", manifest.to_str().unwrap()]);
    assert_eq!(taken.status.code(), Some(0), "{}", String::from_utf8_lossy(&taken.stderr));
    service.resume().await;
    service
}

struct Words {
    language: &'static str,
    wrong: &'static str,
    records: &'static str,
    kept: &'static str,
    holds: &'static str,
    broken: &'static str,
    empty: &'static str,
}

const VI: Words = Words {
    language: "vi",
    wrong: "không đúng",
    records: "tài liệu",
    kept: "Đã tiếp nhận",
    holds: "Đúng",
    broken: "Không đúng: có dấu hiệu bị thay đổi",
    empty: "tệp rỗng",
};
const EN: Words = Words {
    language: "en",
    wrong: "are wrong",
    records: "records",
    kept: "Taken in",
    holds: "It holds",
    broken: "It does not hold: evidence of tampering",
    empty: "component is empty",
};

async fn log_in(browser: &Browser, service: &Service, words: &Words) {
    browser.go(&service.address).await;
    browser.until("document.querySelector('.login')").await;
    if browser.run("return document.documentElement.lang").await != words.language {
        browser.click("form[action='/language'] button").await;
    }
    browser.until(&format!("document.documentElement.lang === '{}'", words.language)).await;
    for (password, picture) in [("not the password", "login"), (PASSWORD, "")] {
        browser.fill("input[name=name]", "thu").await;
        browser.fill("input[name=password]", password).await;
        browser.click(".login button.main").await;
        if !picture.is_empty() {
            browser.until("document.querySelector('.notice.bad')").await;
            assert!(browser.text(".notice.bad").await.contains(words.wrong));
            browser.look(&format!("{}-{picture}", words.language)).await;
        }
    }
    browser.until("document.querySelector('.hits')").await;
}

async fn search(browser: &Browser, words: &Words) {
    let all = browser.text(".summary").await;
    assert!(all.starts_with("5") && all.contains(words.records), "{all}");
    assert!(browser.count(".facet a").await > 10);
    browser.fill("input[name=q]", "so hoa tai lieu").await;
    browser.click(".ask button.main").await;
    browser.until("location.search.includes('q=so') && document.querySelector('.hits mark')").await;
    // Without diacritics, found with them.
    let marks =
        "[...document.querySelectorAll('.hits mark')].map((mark) => mark.innerText.normalize('NFC').toLowerCase())";
    browser.until(&format!("{marks}.some((text) => text.includes('số hóa'))")).await;
    browser.look(&format!("{}-search", words.language)).await;
    // Narrowed by a facet, and back.
    let before = browser.text(".summary b").await;
    browser.click(".facet a").await;
    browser.until("document.querySelector('.chip')").await;
    assert_ne!(browser.text(".summary b").await, "");
    browser.click(".chip").await;
    browser.until("!document.querySelector('.chip')").await;
    assert_eq!(browser.text(".summary b").await, before);
    // By number, as people type it.
    browser.fill("input[name=q]", "1502 qd ubnd").await;
    browser.click(".ask button.main").await;
    browser.until("document.querySelector('.hits .told')?.innerText.includes('1502/QĐ-UBND')").await;
    // A question that is none is told in words.
    browser.run("document.querySelector('.ask details').open = true").await;
    browser.fill("input[name=from]", "hôm qua").await;
    browser.click(".ask button.main").await;
    browser.until("document.querySelector('.notice.bad')").await;
}

async fn read(browser: &Browser, service: &Service, words: &Words) {
    browser.go(&format!("{}/?q=1502+qd+ubnd", service.address)).await;
    browser.click(".hits h3 a").await;
    browser.until("document.querySelector('.record')").await;
    assert!(browser.text(".record .told").await.contains("1502/QĐ-UBND"));
    assert!(browser.text(".sheet").await.contains("QUYẾT ĐỊNH"));
    assert!(browser.count(".history li").await >= 2, "accessioned, and read");
    browser.look(&format!("{}-record", words.language)).await;
    browser.click("a[href^='/verify?record=']").await;
    browser.until("document.querySelector('.verdict')").await;
    assert!(browser.text(".outcome-0 h2").await.contains(words.holds), "{}", browser.text("main").await);
}

/// Hands four files over at once: a scan, a Word file whose name is decomposed, one that is empty, one that a
/// manifest could not tell from markup.
async fn hand_over(browser: &Browser, service: &Service, words: &Words, folder: &Path) -> PathBuf {
    let scan = folder.join(format!("Biên bản {}.pdf", words.language));
    // Bytes of its own: the same scan in two languages is two documents.
    let mut bytes = std::fs::read(sample().join("UBND-DM/2019-0031-TTr.pdf")).unwrap();
    bytes.extend_from_slice(format!("\n% {}\n", words.language).as_bytes());
    std::fs::write(&scan, bytes).unwrap();
    // "Tờ trình" in NFD.
    let decomposed = folder.join("To\u{31b}\u{300} tri\u{300}nh.docx");
    std::fs::write(&decomposed, world::docx(&format!("Kính trình ủy ban {}", words.language))).unwrap();
    let (empty, odd) = (folder.join("rỗng.txt"), folder.join("<b>&amp;.txt"));
    std::fs::write(&empty, "").unwrap();
    std::fs::write(&odd, format!("lạ {}", words.language)).unwrap();
    browser.go(&format!("{}/deposit", service.address)).await;
    browser.choose("#files", &[&scan, &decomposed, &empty, &odd]).await;
    browser.until("document.querySelectorAll('.row').length === 4").await;
    assert_eq!(browser.run("return document.querySelectorAll('[name=subject]')[1].value").await, "Tờ trình");
    browser.fill("#common input[name=fonds]", "UBND-DM").await;
    browser.fill("#common input[name=type]", "Biên bản").await;
    browser.fill(".row input[name=number]", "64/BB-UBND").await;
    browser.fill(".row input[name=issued]", "15/5/2019").await;
    browser.click("#send").await;
    browser.until("document.querySelectorAll('.row[data-state=kept]').length === 3").await;
    browser.until("document.querySelector('.row[data-state=refused]')").await;
    assert!(browser.text(".row[data-state=refused] .findings").await.contains(words.empty));
    assert_eq!(browser.count(".row[data-state=refused] .findings .error").await, 1, "that it is empty, and no more");
    assert!(browser.text(".row[data-state=kept] .state").await.contains(words.kept));
    browser.look(&format!("{}-deposit", words.language)).await;
    // Once more: what was taken in stays as it is, what was refused is refused again.
    browser.click("#send").await;
    browser.until("!document.querySelector('#send').disabled && document.querySelector('#stop').hidden").await;
    assert!(browser.text("#overall").await.starts_with("3 / 4"));
    scan
}

async fn verify(browser: &Browser, service: &Service, words: &Words, scan: &Path, folder: &Path) {
    let row = "[...document.querySelectorAll('.row')].find((row) => row.innerText.includes('.pdf'))";
    let record = browser.run(&format!("return {row}.querySelector('.links a').pathname")).await;
    let record = record.as_str().unwrap();
    browser.go(&format!("{}{record}", service.address)).await;
    browser.click("a[href$='/receipt']").await;
    browser.click("a[download$='.description.json']").await;
    let id = record.rsplit('/').next().unwrap();
    let receipt = browser.kept(&format!("{id}.receipt.txt")).await;
    let description = browser.kept(&format!("{id}.description.json")).await;
    let other = folder.join("other.pdf");
    std::fs::write(&other, "other bytes").unwrap();
    for (file, outcome, title) in [(scan, 0, words.holds), (&other, 1, words.broken)] {
        browser.go(&format!("{}/verify", service.address)).await;
        browser.choose("input[name=receipt]", &[&receipt]).await;
        browser.choose("input[name=description]", &[&description]).await;
        browser.choose("input[name=file]", &[file]).await;
        browser.click("main button.main").await;
        browser.until("document.querySelector('.verdict')").await;
        assert_eq!(browser.text(&format!(".outcome-{outcome} h2")).await, title, "{}", browser.text("main").await);
        browser.look(&format!("{}-verify-{outcome}", words.language)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_login_to_a_verified_receipt_in_both_languages() {
    let service = served().await;
    service.actor("thu", "archivist", "Sở Nội vụ tỉnh Lam Hải");
    for words in [VI, EN] {
        let (browser, folder) = (Browser::open().await, world::folder());
        log_in(&browser, &service, &words).await;
        search(&browser, &words).await;
        read(&browser, &service, &words).await;
        let scan = hand_over(&browser, &service, &words, folder.path()).await;
        verify(&browser, &service, &words, &scan, folder.path()).await;
        browser.resize(420, 900).await;
        browser.go(&format!("{}/?q=thủ+tục", service.address)).await;
        browser.look(&format!("{}-narrow", words.language)).await;
        assert_eq!(browser.run("return document.documentElement.scrollWidth <= innerWidth").await, true, "no sideways");
        browser.click("form[action='/logout'] button").await;
        browser.until("document.querySelector('.login')").await;
        browser.go(&format!("{}/deposit", service.address)).await;
        browser.until("document.querySelector('.login')").await;
        let mut complaints = browser.complaints().await;
        // The empty file was refused twice; the browser calls that a failure.
        complaints.retain(|line| !line.contains("status of 422"));
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

/// The server goes away while files are handed over, and comes back: nothing is lost or doubled.
#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_goes_on_after_the_server_was_gone() {
    let mut service = Service::start().await;
    service.actor("thu", "archivist", "Sở Nội vụ");
    let (browser, folder) = (Browser::open().await, world::folder());
    log_in(&browser, &service, &VI).await;
    browser.go(&format!("{}/deposit", service.address)).await;
    let files: Vec<PathBuf> = (0..5).map(|n| folder.path().join(format!("văn bản {n}.txt"))).collect();
    for (n, file) in files.iter().enumerate() {
        std::fs::write(file, format!("nội dung {n}")).unwrap();
    }
    browser.choose("#files", &files.iter().map(PathBuf::as_path).collect::<Vec<_>>()).await;
    let address = service.address.clone();
    service.kill();
    browser.click("#send").await;
    browser.until("document.querySelector('.row[data-state=waiting], .row[data-state=refused]')").await;
    service.resume_at(&address).await;
    browser.until("!document.querySelector('#send').disabled || document.querySelectorAll('.row[data-state=kept]').length === 5").await;
    if browser.count(".row[data-state=kept]").await < 5 {
        browser.click("#send").await;
    }
    browser.until("document.querySelectorAll('.row[data-state=kept]').length === 5").await;
    // Five and not six, when the index has seen them all.
    browser.until("(await (await fetch('/api/v1/search')).json()).total >= 5").await;
    browser.go(&service.address).await;
    browser.until("document.querySelector('.summary b')").await;
    assert_eq!(browser.text(".summary b").await, "5");
}

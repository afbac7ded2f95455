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
    locally(browser, service, words, [&receipt, &description, scan, &other], folder).await;
    bench(browser, service, words, scan, &other).await;
}

/// The browser judges by itself, with a key file from elsewhere, and says what the server says.
async fn locally(browser: &Browser, service: &Service, words: &Words, files: [&Path; 4], folder: &Path) {
    let [receipt, description, scan, other] = files;
    let keys = service.data.path().join("archive/keys/archive.keys");
    let changed = |name: &str, from: &Path, change: &dyn Fn(String) -> String| {
        let (path, text) = (folder.join(name), std::fs::read_to_string(from).unwrap());
        std::fs::write(&path, change(text)).unwrap();
        path
    };
    // Another index, one more signature line of ours that is wrong, a key that is not in use at this size.
    let moved = changed("moved.txt", receipt, &|text| text.replacen("\nindex ", "\nindex 1", 1));
    let forged = changed("forged.txt", receipt, &|text| {
        let line = text.lines().last().unwrap().to_owned();
        let (name, signature) = line.rsplit_once(' ').unwrap();
        let mut letters: Vec<char> = signature.chars().collect();
        letters[20] = if letters[20] == 'A' { 'B' } else { 'A' };
        format!("{text}{name} {}\n", letters.into_iter().collect::<String>())
    });
    let retired = changed("retired.keys", &keys, &|text| text.replace(" 0 -", " 0 1"));
    let garbage = changed("garbage.keys", &keys, &|text| text.replace(" 0 -", " 00 -"));
    for (receipt, description, file, keys, outcome) in [
        (receipt, description, scan, Some(&keys), 0),
        (receipt, description, scan, None, 0),
        (receipt, description, other, Some(&keys), 1),
        (&moved, description, scan, Some(&keys), 1),
        (&forged, description, scan, Some(&keys), 1),
        (receipt, description, scan, Some(&retired), 1),
        (receipt, receipt, scan, Some(&keys), 1),
        (receipt, description, scan, Some(&garbage), 3),
        (description, description, scan, Some(&keys), 3),
    ] {
        browser.go(&format!("{}/verify", service.address)).await;
        browser.until("document.getElementById('locally').offsetParent").await;
        browser.choose("input[name=receipt]", &[receipt]).await;
        browser.choose("input[name=description]", &[description]).await;
        browser.choose("input[name=file]", &[file]).await;
        if let Some(keys) = keys {
            browser.choose("input[name=keys]", &[keys]).await;
        }
        browser.click("#locally").await;
        browser.until("document.querySelector('#verdict .verdict')").await;
        let told = browser.text("#verdict").await;
        assert_eq!(browser.count(&format!("#verdict .outcome-{outcome}")).await, 1, "{outcome}: {told}");
    }
    browser.look(&format!("{}-verify-locally", words.language)).await;
}

/// A file is found by its digest, hashed in the browser; how the archive stands is shown to whoever may see it.
async fn bench(browser: &Browser, service: &Service, words: &Words, scan: &Path, other: &Path) {
    for (file, links) in [(scan, 1), (other, 0)] {
        browser.go(&format!("{}/bench", service.address)).await;
        browser.choose("#holding input[name=file]", &[file]).await;
        browser.click("#holding button.main").await;
        browser.until("document.querySelector('#held .notice') && !document.querySelector('#held .notice').innerText.endsWith('…')").await;
        assert!(browser.count("#held a").await.min(1) == links, "{}", browser.text("#held").await);
    }
    browser.fill("#holding input[name=sha256]", "xyz").await;
    browser.run("document.querySelector('#holding').elements.file.value = ''").await;
    browser.click("#holding button.main").await;
    browser.until("document.querySelector('#held .notice.bad')").await;
    assert!(browser.count(".standing li").await >= 1, "an archivist sees how it stands");
    assert_eq!(browser.count("a[href='/ledger']").await, 0, "and is no auditor");
    browser.look(&format!("{}-bench", words.language)).await;
}

/// An auditor reads the ledger from the newest entry back to the first; nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_the_ledger() {
    let service = served().await;
    for (name, role, reads) in [("thu", "auditor", true), ("lan", "official", false)] {
        service.actor(name, role, "Thanh tra tỉnh Lam Hải");
        let browser = Browser::open().await;
        browser.go(&service.address).await;
        browser.until("document.querySelector('.login')").await;
        browser.fill("input[name=name]", name).await;
        browser.fill("input[name=password]", PASSWORD).await;
        browser.click(".login button.main").await;
        browser.until("document.querySelector('.hits')").await;
        browser.go(&format!("{}/bench", service.address)).await;
        assert_eq!(browser.count("a[href='/ledger']").await, u64::from(reads));
        browser.go(&format!("{}/ledger", service.address)).await;
        if !reads {
            browser.until("document.querySelector('main') && !document.querySelector('.entries')").await;
            continue;
        }
        let mut seen = 0;
        loop {
            browser.until("document.querySelector('.entries')").await;
            seen += browser.count(".entries > li").await;
            if browser.count(".pager a[href*='before']:last-child").await == 0
                || browser
                    .run("return [...document.querySelectorAll('.entries > li')].some((li) => li.value === 0)")
                    .await
                    == true
            {
                break;
            }
            browser.run("document.querySelector('.pager a:last-child').click()").await;
            browser.until("true").await;
        }
        assert!(seen > 50, "{seen}");
        browser.look("en-ledger").await;
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
    service.pin();
    service.kill();
    browser.click("#send").await;
    browser.until("document.querySelector('.row[data-state=waiting], .row[data-state=refused]')").await;
    service.resume().await;
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

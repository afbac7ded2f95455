//! The command line with `--server`: what it does and says is what it does and says where the archive is.

use crate::arrangement::{AGENCY, record};
use crate::disposition::{PASSWORD, TABLE, account};
use crate::service::{Service, Visitor};
use crate::world::{PROGRAM, docx, folder};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Somebody at another machine: a token and a place for state.
struct Afar {
    state: TempDir,
    token: String,
}

impl Afar {
    fn new(visitor: &Visitor) -> Afar {
        Afar { state: folder(), token: visitor.token.clone() }
    }

    fn command(&self, address: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("VANKHO_TOKEN", &self.token).env("VANKHO_STATE", self.state.path());
        // No archive is here.
        command.current_dir(self.state.path()).args(["--server", address]).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, address: &str, arguments: &[&str]) -> Output {
        self.command(address, arguments).output().unwrap()
    }
}

/// Somebody who works from afar, with the server that they ask.
struct Worker<'a> {
    afar: Afar,
    address: &'a str,
}

impl<'a> Worker<'a> {
    fn new(service: &'a Service, visitor: &Visitor) -> Worker<'a> {
        Worker { afar: Afar::new(visitor), address: &service.address }
    }

    /// The exit code, and the answers that scripts read; each shell word of `line` is one, `~` in it is a space.
    fn ask(&self, line: &str, password: &str) -> (Option<i32>, Vec<Value>, String) {
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace('~', " ")).collect();
        let words: Vec<&str> = ["--json"].into_iter().chain(words.iter().map(String::as_str)).collect();
        let mut command = self.afar.command(self.address, &words);
        let output = command.env("VANKHO_PASSWORD", password).output().unwrap();
        let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        let answers: Vec<Value> = answers.map(|answer| answer.unwrap()).collect();
        (output.status.code(), answers, format!("{line}: {}", told(&output)))
    }

    /// What is answered where it is done.
    fn done(&self, line: &str) -> Vec<Value> {
        let (code, answers, said) = self.ask(line, PASSWORD);
        assert_eq!(code, Some(0), "{said}");
        answers
    }

    /// The unit of a kind that something was done to.
    fn unit(&self, kind: &str, line: &str) -> String {
        let answers = self.done(line);
        let unit = answers.last().unwrap()["unit"][kind].as_str();
        unit.unwrap_or_else(|| panic!("{line}: {answers:?}")).to_owned()
    }

    /// The code of the rule by which it is refused, as where the archive is.
    fn refused(&self, line: &str) -> String {
        let (code, answers, said) = self.ask(line, PASSWORD);
        assert_eq!(code, Some(1), "{said}");
        let answer = answers.last().unwrap();
        if answer["refused"] != "flawed" {
            let texts = ["vi", "en"].map(|language| answer[language].as_str().unwrap());
            assert!(texts[0] != texts[1] && texts.iter().all(|text| text.contains("; ")), "{said}");
        }
        answer["refused"].as_str().unwrap().to_owned()
    }

    /// That it cannot be done from here, and what to do instead.
    fn not_from_here(&self, line: &str, words: [&str; 2]) {
        let (code, _, said) = self.ask(line, PASSWORD);
        assert_eq!(code, Some(3), "{said}");
        assert!(words.iter().all(|words| said.contains(words)), "{said}");
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn sample() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/sample/manifest.jsonl").to_owned()
}

/// Every file below a folder with its bytes.
fn holds(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                files.insert(entry.strip_prefix(folder).unwrap().to_owned(), fs::read(&entry).unwrap());
            }
        }
    }
    files
}

/// Questions that are asked here and from afar; where one writes into a folder or file, it is the last word.
fn questions(receipt: &str, file: &str, keys: &str, nowhere: &str) -> Vec<Vec<String>> {
    let many = [
        "search số hóa tài liệu",
        "search so hoa tai lieu --facets --limit 3",
        "search --facets --limit 1000 --sort issued-newest",
        "search --number 1502/QĐ-UBND",
        "search --from 2024 --to 31/12/2025 --limit 5 --fonds UBND-LH --access public",
        "search --from hôm-qua",
        "search --limit 1001",
        "search --limit 0",
        "search --access nội-bộ",
        "search --cursor x",
        "show LH-2025-1502-QD",
        "show LH-2025-1502-QD --history",
        "show nobody",
        "receipt LH-2025-1502-QD",
        "receipt LH-2025-1502-QD --latest",
        "receipt nobody",
        "receipt 019aaf1c-9b00-7707-8707-070707070707",
        "status",
        "verify log",
        "export nobody /tmp/none",
    ];
    let mut all: Vec<Vec<String>> =
        many.iter().map(|line| line.split(' ').map(|word| word.replace("hôm-qua", "hôm qua")).collect()).collect();
    let verify = ["verify", "receipt", receipt, file, keys].map(str::to_owned);
    all.push(verify.to_vec());
    all.push(["verify", "log", "--keys", keys, "--known", receipt].map(str::to_owned).to_vec());
    all.push(["verify", "log", "--keys", nowhere].map(str::to_owned).to_vec());
    all.push(["search", "--queries", nowhere].map(str::to_owned).to_vec());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_byte_for_byte_the_one_that_is_given_where_the_archive_is() {
    let mut service = Service::start().await;
    let minh = Afar::new(&service.actor("minh", "auditor", "Sở Nội vụ"));
    let thu = Afar::new(&service.actor("thu", "archivist", "Sở Nội vụ"));
    assert_eq!(service.terminate(), Some(0));
    let taken = service.command(&["ingest", "--manifest", &sample()]);
    assert_eq!(taken.status.code(), Some(0), "{}", told(&taken));
    let place = folder();
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let evidence = service.command(&["receipt", "LH-2025-1502-QD"]);
    let evidence: Value = serde_json::from_slice(&evidence.stdout).unwrap();
    fs::write(at("receipt.txt"), evidence["receipt"].as_str().unwrap()).unwrap();
    fs::write(at("description.json"), evidence["description"].as_str().unwrap()).unwrap();
    let file = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/sample/UBND-LH")).unwrap();
    let file = file.map(|entry| entry.unwrap().path()).min().unwrap().to_str().unwrap().to_owned();
    let keys = service.data.path().join("archive/keys/archive.keys").to_str().unwrap().to_owned();
    let lines = (0..40).map(|n| format!("{{\"qid\":\"{n}\",\"text\":\"quyết định {n}\"}}\n")).collect::<String>();
    fs::write(at("questions.jsonl"), format!("\n{lines}")).unwrap();
    let mut all = questions(&at("receipt.txt"), &file, &keys, &at("nowhere"));
    all.push(["search", "--queries", &at("questions.jsonl"), "--limit", "7"].map(str::to_owned).to_vec());

    let forms = [&["--language", "vi"][..], &["--language", "en"], &["--json", "--language", "en"]];
    let data = service.data.path().to_owned();
    let ask = |afar: Option<(&Afar, &str)>| {
        let mut answers = Vec::new();
        for question in &all {
            for form in forms {
                let words: Vec<&str> = form.iter().copied().chain(question.iter().map(String::as_str)).collect();
                let output = match afar {
                    Some((afar, address)) => afar.run(address, &words),
                    None => {
                        let mut command = Command::new(PROGRAM);
                        command.env_clear().arg("--data").arg(&data).args(&words);
                        command.output().unwrap()
                    }
                };
                answers.push((words.join(" "), output));
            }
        }
        answers
    };
    let here = ask(None);
    let exported = service.command(&["export", "--all", &at("here")]);
    assert_eq!(exported.status.code(), Some(0), "{}", told(&exported));
    let one = service.command(&["export", "LH-2025-1502-QD", &at("one-here")]);
    service.resume().await;
    // The auditor reads the entries of the log, and all that the archivist reads.
    let afar = ask(Some((&minh, &service.address)));
    for ((question, here), (_, afar)) in here.iter().zip(&afar) {
        assert_eq!(told(here), told(afar), "{question}");
        assert_eq!((here.status.code(), &here.stdout), (afar.status.code(), &afar.stdout), "{question}");
    }
    let codes: Vec<Option<i32>> = afar.iter().map(|(_, output)| output.status.code()).collect();
    for code in [0, 2, 3] {
        assert!(codes.contains(&Some(code)), "{code} of {codes:?}");
    }
    for (arguments, here) in
        [(["export", "--all", &at("afar")], &exported), (["export", "LH-2025-1502-QD", &at("one-afar")], &one)]
    {
        let afar = minh.run(&service.address, &[&["--json"], &arguments[..]].concat());
        let named = |output: &Output| told(output).replace("one-here", "one-afar").replace("/here", "/afar");
        assert_eq!((afar.status.code(), named(&afar)), (here.status.code(), named(here)));
    }
    assert_eq!(holds(Path::new(&at("here"))), holds(Path::new(&at("afar"))));
    assert_eq!(holds(Path::new(&at("one-here"))), holds(Path::new(&at("one-afar"))));
    let again = minh.run(&service.address, &["--json", "export", "--all", &at("afar")]);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["records"], 0, "what is there is compared and left");

    // Without keys of one's own, and without the right to read entries.
    let receipt = at("receipt.txt");
    let verified = thu.run(&service.address, &["--language", "en", "verify", "receipt", &receipt, &file]);
    assert_eq!(verified.status.code(), Some(2), "no description: incomplete: {}", told(&verified));
    let log = thu.run(&service.address, &["--json", "verify", "log", "--known", &receipt]);
    let log: Value = serde_json::from_slice(&log.stdout).unwrap();
    assert_eq!((&log["outcome"], &log["report"]["entries_seen"]), (&0.into(), &0.into()));
    assert_eq!(log["report"]["known"], 1);
    let here = all.iter().filter(|words| words.iter().any(|word| word == "/tmp/none")).count();
    assert!(here == 1 && !Path::new("/tmp/none").exists());
}

/// Rows that are wrong in every way that a row can be, beside good ones.
const CSV: &str = "external_id;subject;number;issued;type;ghi chú khác;pages;language;components;sha256\n\
    1;Công văn một;7/SNV-VP;15/5/2026;Công văn;x;1;vi;a.docx;\n\
    2;Công văn hai;8/SNV-VP;hôm qua;;;không;klingon;a.docx;0000000000000000000000000000000000000000000000000000000000000000\n\
    3;;9;2026;Quyết định;;2;vi;b.bin;\n\
    4;Không có tệp;10;06/2026;Quyết định;;2;vi;;\n\
    5;Tệp không có ở đây;11;2026;Quyết định;;2;vi;nowhere.pdf;\n\
    6;Tệp rỗng;12;2026;Quyết định;;2;vi;empty.txt;\n\
    7;Ra ngoài;13;2026;Quyết định;;2;vi;../../etc/passwd;\n\
    8;Tệp lớn;14;2026;Quyết định;;2;vi;\"b.bin; a.docx\";\n\
    1;Trùng mã;7/SNV-VP;15/5/2026;Công văn;;1;vi;a.docx;\n\
    9;\"Dấu nháy\"x;14;2026;;;;;;\n";

const JSON: &str = r#"{"external_id":"10","subject":"Thông báo","number":"15","notation":"TB-UBND","issued":"2026-06","text":"nội dung","la":[1],"issue":"x"}
{"external_id":"11","subject":"Ngày sai","issued":"15/5/2026","access":"nội bộ","components":["a.docx",{"path":"b.bin"}]}
{"external_id":"12","subject":"Mật","access":"secret","text":"mật"}
not json
[]
{"subject":"Không mã","components":5}
{"external_id":"13","subject":"Chỉ mô tả"}
"#;

/// What is told of rows, each record under the number of its row, without what no two archives share.
fn rows(output: &Output) -> Vec<Value> {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        if let Some(record) = line["record"].as_str() {
            text = text.replace(record, &format!("record of row {}", line["row"]));
        }
    }
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &mut lines {
        line["receipt"] = line["receipt"].is_string().into();
        for finding in line["findings"].as_array_mut().into_iter().flatten() {
            // Of several twins any is named.
            if finding["code"].as_str().unwrap().starts_with("duplicate") {
                finding["detail"] = finding["detail"].is_string().into();
            }
        }
    }
    lines.sort_by_key(|line| line["row"].as_u64());
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_to_the_same_whichever_way_they_go_in() {
    // One row at a time: which of two alike is the later one is then no matter of chance.
    let here = Service::with(&[("VANKHO_INGEST__CONCURRENCY", "1"), ("VANKHO_INGEST__HELD_BYTES_MAX", "100000")]).await;
    let mut here = here;
    assert_eq!(here.terminate(), Some(0));
    let service =
        Service::with(&[("VANKHO_SERVER__CHARACTERIZE", "false"), ("VANKHO_INGEST__HELD_BYTES_MAX", "100000")]).await;
    let thu = Afar::new(&service.actor("thu", "archivist", "Sở Nội vụ"));
    let inputs = folder();
    let write = |name: &str, bytes: &[u8]| fs::write(inputs.path().join(name), bytes).unwrap();
    fs::create_dir(inputs.path().join("in")).unwrap();
    write("m.csv", CSV.as_bytes());
    write("m.jsonl", JSON.as_bytes());
    for prefix in ["", "in/"] {
        write(&format!("{prefix}a.docx"), &docx("Giấy phép xây dựng"));
        write(&format!("{prefix}b.bin"), &(0..3_000_000u32).map(|n| (n >> 5) as u8).collect::<Vec<u8>>());
        write(&format!("{prefix}empty.txt"), b"");
    }
    write("in/.hidden", b"x");
    write("in/tờ trình \"1\" 100%.txt", "một".as_bytes());
    let at = |name: &str| inputs.path().join(name).to_str().unwrap().to_owned();
    let (csv, json, in_folder) = (at("m.csv"), at("m.jsonl"), at("in"));
    let sources = [&["--manifest", &csv][..], &["--manifest", &json], &[&in_folder], &["--manifest", &sample()]];
    for (n, source) in sources.iter().enumerate() {
        let words = [&["--json", "ingest", "--no-read"], *source].concat();
        let mut direct = Command::new(PROGRAM);
        direct.env_clear().env("VANKHO_INGEST__CONCURRENCY", "1").env("VANKHO_INGEST__HELD_BYTES_MAX", "100000");
        let direct = direct.arg("--data").arg(here.data.path()).args(&words).output().unwrap();
        let afar = thu.run(&service.address, &[&words[..], &["--connections", "1"]].concat());
        for (direct, afar) in rows(&direct).iter().zip(&rows(&afar)) {
            assert_eq!(direct, afar, "{source:?}");
        }
        assert_eq!(rows(&direct).len(), rows(&afar).len(), "{source:?}");
        assert_eq!(direct.status.code(), afar.status.code(), "{}", told(&afar));
        assert_eq!(direct.status.code(), Some(if n == 3 { 0 } else { 1 }));
        assert!(rows(&afar).iter().filter(|row| row["receipt"] == true).count() > 0, "{source:?}");
        // Again, for people: the same request has the same answer, and nothing is doubled.
        for language in ["vi", "en"] {
            let words = [&["--language", language, "ingest", "--no-read"], *source].concat();
            let mut direct = Command::new(PROGRAM);
            let direct = direct.env_clear().arg("--data").arg(here.data.path()).args(&words).output().unwrap();
            let afar = thu.run(&service.address, &words);
            let sorted = |output: &Output| {
                let text = told(output);
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(&direct), sorted(&afar), "{source:?}");
        }
    }
    let (here, afar) = (here.command(&["status"]), thu.run(&service.address, &["--json", "status"]));
    let count = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap()["records"].as_u64().unwrap();
    assert!(count(&here) > 50 && count(&here) == count(&afar), "{} {}", told(&here), told(&afar));
}

/// Both sides killed again and again: every row is acknowledged in the end, and none is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_neither_lost_nor_doubled_when_both_sides_are_killed() {
    let mut service = Service::start().await;
    let thu = Afar::new(&service.actor("thu", "archivist", "Sở Nội vụ"));
    let inputs = folder();
    let rows: u64 = if std::env::var("VANKHO_FULL").is_ok_and(|full| full == "1") { 20_000 } else { 2_000 };
    let line = |n| format!("{{\"external_id\":\"{n}\",\"subject\":\"văn bản {n}\",\"text\":\"toàn văn {n}\"}}\n");
    let manifest = inputs.path().join("m.jsonl").to_str().unwrap().to_owned();
    fs::write(&manifest, (0..rows).map(line).collect::<String>()).unwrap();
    let words = ["--json", "ingest", "--manifest", &manifest, "--patience", "60"];
    let log = inputs.path().join("told.jsonl");
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    eprintln!("VANKHO_SEED={seed} cargo test --release --test http rows_are_neither");
    let mut chance = crate::world::Chance(seed);
    service.pin();
    for kill_client in [false, true, false, true, true, false] {
        let out = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut client = thu.command(&service.address, &words).stdout(out).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(100 + chance.below(400))).await;
        if kill_client {
            client.kill().unwrap();
        }
        service.kill();
        tokio::time::sleep(Duration::from_millis(chance.below(300))).await;
        service.resume().await;
        if kill_client {
            client.wait().unwrap();
        } else {
            // It waits for the server and goes on by itself.
            tokio::time::sleep(Duration::from_millis(300)).await;
            client.kill().ok();
            client.wait().unwrap();
        }
    }
    let done = thu.run(&service.address, &words);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let mut answered: BTreeMap<u64, String> = BTreeMap::new();
    let before = fs::read_to_string(&log).unwrap();
    let lines = before.lines().chain(std::str::from_utf8(&done.stdout).unwrap().lines());
    // The last line of a client that was killed may be cut off.
    for line in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let (row, record) = (line["row"].as_u64().unwrap(), line["record"].as_str().unwrap().to_owned());
        assert_eq!(answered.entry(row).or_insert(record.clone()), &record, "row {row} has one record");
    }
    assert_eq!(answered.len() as u64, rows);
    let status: Value = serde_json::from_slice(&thu.run(&service.address, &["--json", "status"]).stdout).unwrap();
    assert_eq!(status["records"], rows, "nothing is doubled");
    assert_eq!(service.terminate(), Some(0));
    assert_eq!(service.command(&["verify", "archive"]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_from_afar_says_why_in_both_languages() {
    let service = Service::start().await;
    let at = service.address.as_str();
    let lan = Afar::new(&service.actor("lan", "official", "Sở Nội vụ"));
    let stranger = Afar { state: folder(), token: "wrong".into() };
    let place = folder();
    fs::write(place.path().join("a.txt"), "a").unwrap();
    let inputs = place.path().to_str().unwrap();
    let dead = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", free.local_addr().unwrap())
    };
    for (who, address, arguments, code, words) in [
        (
            &lan,
            at,
            &["init", "--origin", "x.example.vn/log"][..],
            3,
            ["chỉ chạy trên máy có kho", "runs where the archive is"],
        ),
        (&lan, at, &["rebuild"], 3, ["vankho rebuild chỉ chạy", "vankho rebuild runs where"]),
        (&lan, at, &["heal"], 3, ["chỉ chạy", "runs where"]),
        (&lan, at, &["promote", "--place", "2"], 3, ["chỉ chạy", "runs where"]),
        (&lan, at, &["characterize"], 3, ["chỉ chạy", "runs where"]),
        (&lan, at, &["serve"], 3, ["chỉ chạy", "runs where"]),
        (&lan, at, &["actor", "list"], 3, ["chỉ chạy", "runs where"]),
        (&lan, at, &["verify", "archive"], 3, ["vankho verify archive chỉ", "vankho verify archive runs"]),
        (&lan, at, &["search", "--public"], 3, ["theo quyền của mã truy cập", "rights of the token"]),
        (&lan, at, &["status"], 2, ["Vai trò không có quyền", "The role may not"]),
        (&lan, at, &["export", "--all", inputs], 2, ["Vai trò không có quyền", "The role may not"]),
        (&lan, at, &["ingest", inputs], 2, ["Vai trò không có quyền", "The role may not"]),
        (&stranger, at, &["search", "x"], 2, ["VANKHO_TOKEN", "vankho actor token"]),
        (&lan, &dead, &["search", "x"], 2, ["không kết nối được", "cannot be reached"]),
        (&lan, &dead, &["ingest", inputs], 2, ["không kết nối được", "cannot be reached"]),
        (&lan, "http://luutru.example.vn", &["status"], 3, ["không mã hóa", "use https://"]),
    ] {
        let began = Instant::now();
        let refused = who.run(address, arguments);
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {}", told(&refused));
        for words in words {
            assert!(told(&refused).contains(words), "{arguments:?}: {words}: {}", told(&refused));
        }
        assert!(!told(&refused).contains(&who.token), "{arguments:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{arguments:?}");
    }
}

const ONLY_HERE: [&str; 2] = ["chỉ chạy trên máy có kho", "runs where the archive is"];
const OPEN_FONDS: &str = "fonds open P1 --name Phông~Sở~Nội~vụ --creator H49.64.33";
const OPEN_FILE: &str = "file open H49.64.33.2015.160 --fonds P1 --title Kế~hoạch~năm~2015 --retention 05 \
                         --started 05/01/2015 --ended 2015-12-31 --maker Trần~Thị~Lan";
const FILE: &str = "H49.64.33.2015.160";

#[tokio::test(flavor = "multi_thread")]
async fn fonds_and_files_are_arranged_from_afar() {
    let mut service = Service::start().await;
    let clerk = service.actor("lan", "records_clerk", AGENCY);
    let (lan, thu) = (Worker::new(&service, &clerk), service.actor("thu", "archivist", AGENCY));
    let thu = Worker::new(&service, &thu);
    assert_eq!(lan.refused(OPEN_FONDS), "not_your_role");
    let fonds = thu.unit("fonds", OPEN_FONDS);
    assert_eq!(thu.refused(OPEN_FONDS), "flawed");
    let (_, flawed, _) = thu.ask(OPEN_FONDS, "");
    assert_eq!(flawed[0]["flaws"][0]["code"], "duplicate_code");
    assert_ne!(flawed[0]["flaws"][0]["vi"], flawed[0]["flaws"][0]["en"], "told as here: {flawed:?}");
    let listed = lan.done("fonds list");
    assert_eq!((&listed[0]["fonds"], &listed[0]["code"]), (&fonds.as_str().into(), &"P1".into()));
    thu.not_from_here(&format!("{OPEN_FONDS} --agencies agencies.json"), ONLY_HERE);
    thu.not_from_here("file list P9", ["không có phông nào mang mã P9", "no fonds has the code P9"]);

    let file = lan.unit("file", OPEN_FILE);
    let listed = lan.done("file list P1");
    let row = &listed[0];
    assert_eq!((&row["file"], &row["code"], &row["state"]), (&file.as_str().into(), &FILE.into(), &"open".into()));
    assert_eq!(lan.refused(&format!("file close {FILE}")), "flawed", "nothing lies in it");
    let kept = record(&service, &clerk, 1, FILE).await;
    let other = OPEN_FILE.replace(FILE, "H49.64.33.2015.161");
    lan.unit("file", &other);
    let inside = |code: &str| lan.done(&format!("file show {code}"))[0]["records"].clone();
    assert_eq!(lan.refused(&format!("move {kept} {FILE} --reason xếp~nhầm")), "already_there");
    assert_eq!(lan.unit("record", &format!("move {kept} H49.64.33.2015.161 --reason xếp~nhầm")), kept);
    assert_eq!((inside(FILE), inside("H49.64.33.2015.161")), (serde_json::json!([]), serde_json::json!([kept])));
    lan.done(&format!("move {kept} {file} --reason xếp~lại"));
    let mut said = lan.done(&format!("show {kept}"))[0]["description"]["metadata"].clone();
    said["subject"] = "Kế hoạch công tác".into();
    let place = folder();
    let metadata = place.path().join("metadata.json");
    fs::write(&metadata, said.to_string()).unwrap();
    lan.unit("record", &format!("describe {kept} {}", metadata.display()));
    assert_eq!(lan.done(&format!("show {kept}"))[0]["description"]["metadata"]["subject"], "Kế hoạch công tác");
    lan.done(&format!("file close {FILE}"));
    assert_eq!(lan.refused(&format!("file close {file}")), "not_now", "it is named by its identifier, too");
    let shown = lan.done(&format!("file show {FILE}"));
    assert_eq!((&shown[0]["file"]["state"], &shown[0]["records"][0]), (&"closed".into(), &kept.as_str().into()));
    lan.done(&format!("file reopen {FILE} --reason thiếu~tài~liệu"));
    lan.done(&format!("file close {FILE}"));
    lan.done(&format!("file submit {FILE}"));
    assert_eq!(lan.refused(&format!("file accept {FILE}")), "not_your_role");
    thu.done(&format!("file return {FILE} --reason thiếu~số~trang"));
    thu.not_from_here("file show nothing", ["không có hồ sơ nào mang mã nothing", "no file has the code nothing"]);
    thu.done("fonds close P1 --on 31/12/2025 --reason cơ~quan~giải~thể");
    let refused = |language: &str| {
        let words = ["--language", language, "file", "accept", FILE];
        thu.afar.run(thu.address, &words)
    };
    // The same refusal as where the archive is: text, code and exit code.
    let accept = format!("file accept {FILE}");
    let (code, afar, _) = thu.ask(&accept, "");
    let (vi, en) = (refused("vi"), refused("en"));
    drop((lan, thu));
    assert_eq!(service.terminate(), Some(0));
    let here = service.command(&["file", "accept", FILE]);
    assert_eq!((here.status.code(), code), (Some(1), Some(1)), "{}", told(&here));
    let here: Value = serde_json::from_slice(&here.stdout).unwrap();
    assert_eq!(here, afar[0]);
    for (output, language) in [(vi, "vi"), (en, "en")] {
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), here[language].as_str().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_approved_and_holds_are_released_from_afar() {
    let service = Service::start().await;
    let clerk = service.actor("lan", "records_clerk", AGENCY);
    let lan = Worker::new(&service, &clerk);
    let thu = Worker::new(&service, &service.actor("thu", "archivist", AGENCY));
    let hoa = Worker::new(&service, &service.actor("hoa", "head", AGENCY));
    let inputs = folder();
    let table = |name: &str, text: &str| {
        fs::write(inputs.path().join(name), text).unwrap();
        inputs.path().join(name).to_str().unwrap().to_owned()
    };
    let head = "--title Bảng~thời~hạn~lưu~trữ --source 10/2022/TT-BNV --source-title Thông~tư --issued 2022-12-19 \
                --agency Bộ~Nội~vụ --from 2023-02-15";
    let (code, flawed, said) =
        thu.ask(&format!("schedule import {} {head}", table("bad.tsv", "title\tperiod\nKế hoạch\tkhông rõ\n")), "");
    assert_eq!(code, Some(1), "{said}");
    assert!(flawed.iter().any(|one| one["flaw"]["code"] == "unread_period" && one["flaw"]["row"] == 2), "{said}");
    let import = format!("schedule import {} {head}", table("table.tsv", TABLE));
    assert_eq!(thu.refused(&import.replace("Bảng~thời~hạn~lưu~trữ", "~")), "flawed");
    let schedule = thu.unit("schedule", &import);
    let listed = thu.done("schedule list");
    assert_eq!((&listed[0]["schedule"], &listed[0]["approved"]), (&schedule.as_str().into(), &Value::Null));
    let approve = format!("schedule approve {schedule} --decision 15/QĐ-SNV --on 2024-01-02");
    assert_eq!(thu.refused(&approve), "not_your_role");
    hoa.not_from_here(&format!("{approve} --as hoa"), ["bỏ --as", "leave --as out"]);
    hoa.done(&approve);
    let shown = lan.done("schedule show 10/2022/TT-BNV");
    assert_eq!(shown[0]["schedule"]["classes"].as_array().unwrap().len(), 2);
    assert_eq!(shown[0]["schedule"]["approved"]["decision"], "15/QĐ-SNV");
    assert_eq!(thu.done("schedule shipped").len(), 2);

    thu.unit("fonds", OPEN_FONDS);
    let file = lan.unit("file", OPEN_FILE);
    lan.done(&format!("file classify {FILE} --schedule 10/2022/TT-BNV --class 1.01"));
    record(&service, &clerk, 1, FILE).await;
    lan.done(&format!("file close {FILE}"));
    let due = thu.done("due list --fonds P1 --held false");
    assert_eq!((&due[0]["unit"]["file"], &due[0]["due"]), (&file.as_str().into(), &"on:2021-01-01".into()));
    assert_eq!(thu.done("due list --until 2020-12-31"), [] as [Value; 0]);
    let why = thu.done(&format!("due explain {FILE}"));
    assert_eq!((&why[0]["due"], &why[0]["terms"][0]["class"]), (&"on:2021-01-01".into(), &"1.01".into()));
    assert!(thu.done("due forecast").iter().any(|row| row["year"] == 2021));
    assert_eq!(thu.done("due transfers").len(), 0);
    thu.not_from_here("due transfers --limit 1001", ["giảm --limit", "lower --limit"]);
    let longer = table("longer.tsv", &TABLE.replace("5 năm", "20 năm"));
    let moved = thu.done(&format!("schedule simulate {schedule} {longer}"));
    assert_eq!(moved.last().unwrap()["totals"]["due_no_more"]["records"], 1, "{moved:?}");
    let revised = thu.unit("schedule", &format!("schedule revise {schedule} {longer} --note dài~hơn"));
    assert_eq!(revised, schedule);
    let newest = thu.done(&format!("schedule show {schedule}"));
    assert_eq!(newest[0]["schedule"]["classes"][0]["period"], "years:20");
    assert_eq!(newest[0]["schedule"]["title"], "Bảng thời hạn lưu trữ", "what is not told stays");

    let place = format!("hold place --authority Tòa~án~tỉnh --reason litigation --text vụ~án~12/2026 --file {FILE}");
    assert_eq!(thu.refused(&place.replace("Tòa~án~tỉnh", "~")), "no_authority");
    let hold = thu.unit("hold", &place);
    assert_eq!(thu.done("due list")[0]["held"], true);
    let shown = thu.done(&format!("hold show {hold}"));
    assert_eq!(
        (&shown[0]["hold"]["reason"], &shown[1]["placed"]["file"]),
        (&"litigation".into(), &file.as_str().into())
    );
    let release = format!("hold release {hold} --reason bản~án~có~hiệu~lực");
    assert_eq!(thu.refused(&release), "same_person");
    thu.not_from_here(&format!("{release} --as hoa"), ["bỏ --as", "leave --as out"]);
    hoa.done(&release);
    assert_eq!((thu.done("hold list").len(), thu.done("hold list --all").len()), (0, 1));
    thu.not_from_here("file overdue", ONLY_HERE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_decided_from_afar_with_the_password_once_more() {
    let service = Service::start().await;
    let clerk = service.actor("lan", "records_clerk", AGENCY);
    let lan = Worker::new(&service, &clerk);
    let thu = Worker::new(&service, &service.actor("thu", "archivist", AGENCY));
    let minh = Worker::new(&service, &service.actor("minh", "head", AGENCY));
    let hoa = Worker::new(&service, &service.actor("hoa", "head", AGENCY));
    let inputs = folder();
    let table = inputs.path().join("table.tsv");
    fs::write(&table, TABLE).unwrap();
    let head = "--title Bảng --source 10/2022/TT-BNV --source-title Thông~tư --issued 2022-12-19 --agency Bộ~Nội~vụ";
    let schedule = thu.unit("schedule", &format!("schedule import {} {head} --from 2023-02-15", table.display()));
    hoa.done(&format!("schedule approve {schedule} --decision 15/QĐ-SNV --on 2024-01-02"));
    thu.unit("fonds", OPEN_FONDS);
    lan.unit("file", OPEN_FILE);
    lan.done(&format!("file classify {FILE} --schedule {schedule} --class 1.01"));
    record(&service, &clerk, 1, FILE).await;
    lan.done(&format!("file close {FILE}"));

    let case = lan.unit("case", "case open --agency Sở~Nội~vụ");
    let add = format!("case add {case} {FILE}");
    lan.done(&add);
    assert_eq!(lan.refused(&add), "already_listed");
    let council = |people: [&str; 3]| {
        let [chair, one, two] = people;
        format!("case council {case} --number 3/QĐ-SNV --day 05/01/2026 --chair {chair} --member {one} --member {two}")
    };
    lan.not_from_here(&council(["lan", "thu", "minh"]), ["ghi mã của tài khoản", "identifier of the account"]);
    let people = ["lan", "thu", "minh"].map(|name| account(&service, name));
    lan.done(&council([&people[0], &people[1], &people[2]]));
    let opine = format!("case opine {case} {FILE} --outcome destroy --reason hết~giá~trị");
    assert_eq!(hoa.refused(&opine), "not_of_the_council");
    lan.done(&opine);
    minh.done(&opine);
    lan.done(&format!("case end-review {case} --day 2026-01-10"));
    lan.done(&format!("case propose {case} {FILE} --outcome destroy --reason hết~giá~trị --agree 3"));
    let decide = format!("case decide {case} --number 20/QĐ-SNV --day 2026-01-15");
    assert_eq!(minh.refused(&decide), "reviewer");
    let (code, _, said) = hoa.ask(&decide, "một mật khẩu khác");
    assert!(
        code == Some(2) && said.contains("Mật khẩu không đúng") && said.contains("The password is wrong"),
        "{said}"
    );
    hoa.done(&decide);
    assert_eq!(thu.refused(&format!("case order {case}")), "no_handover");
    let shown = thu.done(&format!("case show {case}"));
    assert_eq!(shown[0]["case"]["stage"], "decided", "{shown:?}");
    assert_eq!(thu.done("case list")[0]["stage"], "decided");
    let papers = inputs.path().join("papers");
    assert_eq!(thu.done(&format!("case papers {case} {}", papers.display())).len(), 8);
    assert!(fs::read_to_string(papers.join("6-quyet-dinh-huy.html")).unwrap().contains("20/QĐ-SNV"));
    thu.not_from_here("case resume", ONLY_HERE);
    thu.done(&format!("case hand-over {case} --number 02/BB-BG --day 2026-01-16"));
    assert_eq!(thu.unit("case", &format!("case order {case}")), case);
    assert!(!service.log().contains(PASSWORD), "logs hold no such thing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_deposit_and_a_mark_of_secrecy_are_told_from_afar() {
    let service = Service::start().await;
    let clerk = service.actor("lan", "records_clerk", AGENCY);
    let lan = Worker::new(&service, &clerk);
    let thu = Worker::new(&service, &service.actor("thu", "archivist", AGENCY));
    thu.unit("fonds", OPEN_FONDS);
    let kept = record(&service, &clerk, 1, "H49.64.33.2015.161").await;
    let ask = format!("withdrawal ask {kept} --mistake twice --reason");
    assert_eq!(lan.refused(&format!("{ask} ~")), "no_reason");
    assert_eq!(lan.done(&format!("{ask} nộp~hai~lần"))[0]["asked"], kept);
    let waiting = thu.done("withdrawal list");
    assert_eq!((&waiting[0]["record"], &waiting[0]["mistake"]), (&kept.as_str().into(), &"twice".into()));
    assert_eq!(lan.refused(&format!("withdrawal confirm {kept}")), "not_yours");
    thu.not_from_here(&format!("withdrawal forget {kept}"), ONLY_HERE);
    assert_eq!(thu.refused(&format!("secret confirm {kept} --level secret")), "not_suspected");
    assert_eq!(lan.unit("record", &format!("secret suspect {kept}")), kept);
    assert_eq!(thu.refused(&format!("secret refute {kept} --reason ~")), "no_reason");
    thu.done(&format!("secret refute {kept} --reason không~phải~dấu~độ~mật"));
    thu.unit("record", &format!("withdrawal confirm {kept}"));
}

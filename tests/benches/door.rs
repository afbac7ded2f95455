//! Ingest over HTTP against ingest in the process, and ingest on an S3 server against bare puts of the same objects there.

use crate::{
    Bars, found,
    ingest::{COMPONENT_BYTES, DESCRIPTION_BYTES, Spent, take_in, write_inputs},
    median, noise, runtime,
    server::Server,
};
use futures::{StreamExt, future::join, stream};
use object_store::{ObjectStoreExt, aws::AmazonS3Builder, path::Path as ObjectPath};
use reqwest::{
    Client,
    multipart::{Form, Part},
};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use vankho::{
    archive::{Archive, Clock, place},
    config::Config,
    record::{digest::Digest, id::RecordId},
};

const ROUNDS: usize = 5;
const ROWS: usize = 400;

pub fn bars(bars: &mut Bars) {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let inputs = folder.path().join("inputs");
    std::fs::create_dir_all(&inputs).unwrap();
    let inputs = write_inputs(&inputs, ROUNDS * ROWS);
    for concurrency in [8, 32] {
        let at = folder.path().join(format!("http {concurrency}"));
        let ratio = runtime.block_on(over_http(&at, &inputs, concurrency));
        bars.at_least(&format!("ingest over HTTP / in the process, {concurrency} at once"), ratio, 0.8);
    }
}

/// An archive takes the keys of its storage from the environment alone: this program begins itself anew with them.
pub fn s3(bars: &mut Bars) {
    let [id, secret] = Server::keys();
    if std::env::var_os(id.0).is_none() {
        let program = std::env::current_exe().unwrap();
        let ended = Command::new(program).args(["--bench", "s3"]).envs([id, secret]).status().unwrap();
        return if !ended.success() {
            bars.missed("s3, as told above")
        };
    }
    let folder = tempfile::tempdir().unwrap();
    let inputs = folder.path().join("inputs");
    std::fs::create_dir_all(&inputs).unwrap();
    let inputs = write_inputs(&inputs, ROUNDS * ROWS / 2);
    let ratio = runtime().block_on(on_s3(&folder.path().join("kho"), &inputs));
    // Server and archive share the processors here, and everything is read back: the bar of the issue is 0.5.
    bars.at_least("ingest on an S3 server / bare puts there, 32 at once", ratio, 0.25);
}

fn config(concurrency: usize) -> Config {
    let mut config = Config::default();
    config.ingest.concurrency = concurrency;
    config
}

/// The program as a server, and somebody who may hand over.
struct Served {
    child: Child,
    url: String,
    token: String,
    client: Client,
}

impl Served {
    fn start(data: &Path) -> Served {
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_vankho"));
            command.env("VANKHO_PASSWORD", "một mật khẩu dài").args(["--json", "--data"]).arg(data);
            let output = command.args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        run(&["init", "--origin", "bench.example.vn/log"]);
        run(&["actor", "add", "lan", "--role", "archivist", "--agency", "Sở Nội vụ"]);
        let token: serde_json::Value = serde_json::from_slice(&run(&["actor", "token", "lan"])).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vankho"));
        // Reading takes the processor; the other side does not read either.
        command.env("VANKHO_SERVER__CHARACTERIZE", "false").args(["--json", "--data"]).arg(data);
        let mut child = command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = format!("{}api/v1/records", said["url"].as_str().unwrap());
        Served { child, url, token: token["token"].as_str().unwrap().into(), client: Client::new() }
    }

    async fn hand_over(&self, round: usize, files: &[PathBuf], concurrency: usize) {
        let one = |(n, path): (usize, &PathBuf)| {
            let path = path.clone();
            async move {
                let subject = format!("Báo cáo kết quả công tác tháng {n} của Ủy ban nhân dân phường");
                let row = serde_json::json!({"subject": subject, "number": n.to_string(), "notation": "BC-UBND"});
                let bytes = tokio::fs::read(&path).await.unwrap();
                let form = Form::new().text("description", row.to_string());
                let form = form.part("component", Part::bytes(bytes).file_name("báo cáo.bin"));
                let request = self.client.post(&self.url).bearer_auth(&self.token).multipart(form);
                let key = format!("{round:032x}{n:032x}");
                let answer = request.header("Idempotency-Key", key).send().await.unwrap();
                assert_eq!(answer.status(), 201, "every row is acknowledged");
                assert!(answer.text().await.unwrap().contains("receipt"));
            }
        };
        stream::iter(files.iter().enumerate()).map(one).buffer_unordered(concurrency).collect::<Vec<()>>().await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn over_http(at: &Path, inputs: &[PathBuf], concurrency: usize) -> f64 {
    let archive = found(&at.join("kho"), config(concurrency)).await;
    let served = Served::start(&at.join("served"));
    let (mut ours, mut theirs, mut ratios) = (Spent::default(), Spent::default(), Vec::new());
    for (round, files) in inputs.chunks(ROWS).enumerate() {
        let began = Spent::begin();
        served.hand_over(round, files, concurrency).await;
        let one = began.per(files.len());
        let began = Spent::begin();
        take_in(&archive, round, files, false).await;
        let other = began.per(files.len());
        archive.settle().await.unwrap();
        ratios.push(other.wall / one.wall);
        ours.rounds.push(one);
        theirs.rounds.push(other);
    }
    archive.close().await.unwrap();
    println!("  a record over HTTP: {ours} of the client; in the process: {theirs}");
    median(ratios)
}

async fn on_s3(at: &Path, inputs: &[PathBuf]) -> f64 {
    let concurrency = 32;
    let server = Server::start();
    let [(_, id), (_, secret)] = Server::keys();
    let config = {
        let mut config = config(concurrency);
        config.storage.places = vec![server.address("kho")];
        config
    };
    place::init(at, &config.storage, "bench.example.vn/log", &Clock::System).await.expect("an archive is founded");
    let archive = Archive::open(at, config, Clock::System, &|_| {}).await.expect("an archive opens");
    let bare = AmazonS3Builder::new().with_endpoint(server.endpoint()).with_bucket_name("kho").with_region("hn");
    let bare = bare.with_access_key_id(id).with_secret_access_key(secret).with_allow_http(true);
    let bare = bare.with_virtual_hosted_style_request(false).build().unwrap();
    let (mut ours, mut theirs, mut ratios) = (Spent::default(), Spent::default(), Vec::new());
    for (round, files) in inputs.chunks(ROWS / 2).enumerate() {
        let began = Spent::begin();
        take_in(&archive, round, files, false).await;
        let one = began.per(files.len());
        archive.settle().await.unwrap();
        let began = Spent::begin();
        put(&bare, round, files, concurrency).await;
        let other = began.per(files.len());
        ratios.push(other.wall / one.wall);
        ours.rounds.push(one);
        theirs.rounds.push(other);
    }
    archive.close().await.unwrap();
    println!("  a record on S3: {ours}; bare: {theirs}");
    median(ratios)
}

/// Component and description of each record under keys of the same form, and nothing else.
async fn put(store: &impl object_store::ObjectStore, round: usize, files: &[PathBuf], concurrency: usize) {
    let one = |(n, path): (usize, &PathBuf)| {
        let path = path.clone();
        async move {
            let component = tokio::fs::read(&path).await.unwrap();
            assert_eq!(component.len(), COMPONENT_BYTES);
            let description = noise((round * ROWS + n) as u64 + 1, DESCRIPTION_BYTES);
            let id = RecordId::new(1_763_877_600_000 + (round * ROWS + n) as u64, [7; 10]);
            let folder = format!("bare/records/{}/{id}", id.shard());
            let at = |digest: Digest, ending| ObjectPath::from(format!("{folder}/{digest}{ending}"));
            let (component_at, description_at) =
                (at(Digest::of(&component), ""), at(Digest::of(&description), ".json"));
            let (first, second) =
                join(store.put(&component_at, component.into()), store.put(&description_at, description.into())).await;
            first.unwrap();
            second.unwrap();
        }
    };
    stream::iter(files.iter().enumerate()).map(one).buffer_unordered(concurrency).collect::<Vec<()>>().await;
}

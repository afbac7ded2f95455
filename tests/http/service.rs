//! A server process on a data folder, and a client with somebody's token.

use crate::world::{ORIGIN, PROGRAM, folder};
use reqwest::{Client, RequestBuilder, Response, multipart::Form, multipart::Part};
use serde_json::Value;
use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Beside the archive, in the data folder.
const LOG: &str = "server.log";

pub struct Service {
    pub data: TempDir,
    environment: Vec<(String, String)>,
    child: Option<Child>,
    listen: String,
    pub address: String,
    pub client: Client,
}

pub fn vankho(data: &Path, environment: &[(String, String)], arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.env_clear().envs(environment.iter().cloned()).args(["--json", "--language", "en", "--data"]).arg(data);
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

impl Service {
    /// A new archive, served.
    pub async fn start() -> Service {
        Service::with(&[]).await
    }

    /// The same with something in the environment of every process.
    pub async fn with(environment: &[(&str, &str)]) -> Service {
        let mut service = Service::on(folder(), environment);
        let made = service.command(&["init", "--origin", ORIGIN]);
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        service.resume().await;
        service
    }

    /// A process for a data folder, not started yet.
    pub fn on(data: TempDir, environment: &[(&str, &str)]) -> Service {
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let (listen, client) = ("127.0.0.1:0".into(), Client::new());
        Service { data, environment, child: None, listen, address: String::new(), client }
    }

    pub fn command(&self, arguments: &[&str]) -> Output {
        vankho(self.data.path(), &self.environment, arguments)
    }

    /// Starts the process; it says where it listens.
    pub async fn resume(&mut self) {
        let mut command = Command::new(PROGRAM);
        command.env_clear().envs(self.environment.iter().cloned()).args(["--json", "--data"]).arg(self.data.path());
        let log = OpenOptions::new().create(true).append(true).open(self.data.path().join(LOG)).unwrap();
        command.args(["serve", "--listen", &self.listen]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it says where it listens: {line:?}"));
        self.address = said["url"].as_str().unwrap().trim_end_matches('/').to_owned();
        self.child = Some(child);
        self.ready(Duration::from_secs(20)).await;
    }

    /// From here on it listens where it listens now.
    pub fn pin(&mut self) {
        self.listen = self.address.trim_start_matches("http://").to_owned();
    }

    /// Waits until it is ready.
    pub async fn ready(&self, patience: Duration) {
        let began = Instant::now();
        while !self.is_ready().await {
            assert!(began.elapsed() < patience, "the server is not ready after {patience:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn is_ready(&self) -> bool {
        let answer = self.client.get(format!("{}/healthz/ready", self.address)).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// What its processes have said so far on their standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join(LOG)).unwrap_or_default()
    }

    /// Gone as nothing else ends it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asked to end; its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap().code()
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let id = self.child.as_ref().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Makes an account and comes in with a token of it.
    pub fn actor(&self, name: &str, role: &str, agency: &str) -> Visitor {
        let mut environment = self.environment.clone();
        environment.push(("VANKHO_PASSWORD".into(), "một mật khẩu dài".into()));
        let arguments = ["actor", "add", name, "--role", role, "--agency", agency];
        let made = vankho(self.data.path(), &environment, &arguments);
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        let token: Value = serde_json::from_slice(&self.command(&["actor", "token", name]).stdout).unwrap();
        Visitor { token: token["token"].as_str().unwrap().into(), client: self.client.clone() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("what the server said:\n{}", self.log());
        }
    }
}

/// Somebody with a token; the address is given each time, for a server that is started again has another.
#[derive(Clone)]
pub struct Visitor {
    pub token: String,
    pub client: Client,
}

impl Visitor {
    pub fn get(&self, address: &str, path: &str) -> RequestBuilder {
        self.client.get(format!("{address}{path}")).bearer_auth(&self.token)
    }

    pub async fn json(&self, address: &str, path: &str) -> Value {
        let answer = self.get(address, path).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Hands a record over: its description, and components with their names.
    pub async fn deposit(
        &self,
        address: &str,
        key: &str,
        description: &str,
        components: &[(&str, &[u8])],
    ) -> reqwest::Result<Response> {
        let mut form = Form::new().text("description", description.to_owned());
        for (name, bytes) in components {
            form = form.part("component", Part::bytes(bytes.to_vec()).file_name(name.to_string()));
        }
        let post = self.client.post(format!("{address}/api/v1/records")).bearer_auth(&self.token);
        post.header("Idempotency-Key", key).multipart(form).send().await
    }
}

/// An idempotency key that is this number's own.
pub fn key(n: u64) -> String {
    format!("{n:064x}")
}

//! Chromium, driven over WebDriver (W3C) by ChromeDriver: Debian's packages `chromium` and `chromium-driver`.

use crate::world::folder;
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a page may take to show what is waited for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// The name of an element's identifier in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Ends with the test that began it, whatever becomes of the test.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked, it ends its browser too.
        let id = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).ok();
        self.0.wait().ok();
    }
}

pub struct Browser {
    _driver: Driver,
    session: String,
    client: Client,
    /// What it keeps: its profile, and what it downloads.
    folder: TempDir,
}

impl Browser {
    pub async fn open() -> Browser {
        let missing = "chromedriver is not here; as root: apt-get install chromium chromium-driver";
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = Driver(command.spawn().expect(missing));
        let mut lines = BufReader::new(driver.0.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| Some(line.ok()?.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned()));
        // What it says later must find an open pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let (folder, client) = (folder(), Client::new());
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let quiet =
            ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"];
        let plain = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"];
        let arguments: Vec<&str> =
            plain.into_iter().chain(quiet).chain([&*profile, "--window-size=1280,900"]).collect();
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": arguments, "prefs": {"download.default_directory": folder.path().join("kept")}},
        }}});
        let address = format!("http://127.0.0.1:{}/session", port.expect("chromedriver says its port"));
        let begun = client.post(&address).json(&capabilities).send().await.unwrap().json::<Value>().await.unwrap();
        let id = begun["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {begun}"));
        Browser { _driver: driver, session: format!("{address}/{id}"), client, folder }
    }

    async fn tell(&self, path: &str, body: Value) -> Result<Value, String> {
        let address = format!("{}/{path}", self.session);
        let answer = self.client.post(address).json(&body).send().await.unwrap().json::<Value>().await.unwrap();
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    pub async fn go(&self, address: &str) {
        self.tell("url", json!({"url": address})).await.unwrap();
    }

    /// What a script comes to in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.tell("execute/sync", json!({"script": script, "args": []})).await.unwrap()
    }

    /// The element that a selector names, as soon as it is there.
    async fn element(&self, css: &str) -> String {
        let began = Instant::now();
        loop {
            match self.tell("element", json!({"using": "css selector", "value": css})).await {
                Ok(found) => return found[ELEMENT].as_str().unwrap().to_owned(),
                Err(error) if began.elapsed() > PATIENCE => panic!("{error}\n{}", self.text("main").await),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub async fn click(&self, css: &str) {
        let element = self.element(css).await;
        self.tell(&format!("element/{element}/click"), json!({})).await.unwrap();
    }

    /// Types over what is in a field.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        self.tell(&format!("element/{element}/clear"), json!({})).await.unwrap();
        self.tell(&format!("element/{element}/value"), json!({"text": text})).await.unwrap();
    }

    /// Chooses files in a field for files.
    pub async fn choose(&self, css: &str, files: &[&Path]) {
        let element = self.element(css).await;
        let paths: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        self.tell(&format!("element/{element}/value"), json!({"text": paths.join("\n")})).await.unwrap();
    }

    /// The text that is seen in the first element that a selector names; nothing where there is none.
    pub async fn text(&self, css: &str) -> String {
        let text = self.run(&format!("return document.querySelector({css:?})?.innerText ?? ''")).await;
        text.as_str().unwrap().to_owned()
    }

    pub async fn count(&self, css: &str) -> u64 {
        self.run(&format!("return document.querySelectorAll({css:?}).length")).await.as_u64().unwrap()
    }

    /// Waits until a script of the page comes to true.
    pub async fn until(&self, script: &str) {
        let began = Instant::now();
        while self.run(&format!("return (async () => Boolean({script}))()")).await != true {
            assert!(began.elapsed() < PATIENCE, "never came true: {script}\n{}", self.text("main").await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A file that was downloaded, once it is there whole.
    pub async fn kept(&self, ends_with: &str) -> PathBuf {
        let (began, folder) = (Instant::now(), self.folder.path().join("kept"));
        loop {
            let files = std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path());
            if let Some(found) = files.into_iter().find(|path| path.to_str().unwrap().ends_with(ends_with)) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "nothing was downloaded that ends with {ends_with}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The page as it looks, for people to look at: target/web/NAME.png.
    pub async fn look(&self, name: &str) {
        let answer = self.client.get(format!("{}/screenshot", self.session)).send().await.unwrap();
        let picture = answer.json::<Value>().await.unwrap()["value"].as_str().unwrap().to_owned();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../web");
        std::fs::create_dir_all(&folder).unwrap();
        let picture = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// What the browser complained of: refused scripts and styles, errors of ours.
    pub async fn complaints(&self) -> Vec<String> {
        let logged = self.tell("se/log", json!({"type": "browser"})).await.unwrap();
        let severe = logged.as_array().unwrap().iter().filter(|line| line["level"] == "SEVERE");
        severe.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub async fn resize(&self, width: u32, height: u32) {
        self.tell("window/rect", json!({"width": width, "height": height})).await.unwrap();
    }
}

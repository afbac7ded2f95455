//! A real timestamping authority: `openssl ts` behind a small server on this machine, with the test's own clock.

use crate::world::folder;
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};
use tempfile::TempDir;
use vankho::config;

/// What the authority does with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    Answers,
    /// The answer to the request before this one.
    Repeats,
    Refuses,
    Babbles,
    Down,
    /// Its clock is an hour behind.
    Behind,
}

pub struct Authority {
    pub address: String,
    inner: Arc<Inner>,
}

struct Inner {
    dir: TempDir,
    /// Microseconds since 1970; the archive's clock.
    micros: Arc<AtomicI64>,
    mood: Mutex<Mood>,
    last: Mutex<Vec<u8>>,
}

const CONFIG: &str = "
[tsa]
default_tsa = here
[here]
serial = serial
signer_cert = tsa.pem
certs = root.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
clock_precision_digits = 0
ess_cert_id_alg = sha256
[ca]
default_ca = us
[us]
database = index
crlnumber = crlnumber
crl_extensions = list
default_md = sha256
[list]
authorityKeyIdentifier = keyid
[purpose]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[other]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
";

/// Certificates are good from an hour ago: making one takes a while, and its clock goes on.
const BEFORE: i64 = -3600;

impl Authority {
    /// An authority whose key is of this kind (`rsa:2048`, `ec`) and whose certificate lasts so many days.
    pub fn start(micros: &Arc<AtomicI64>, kind: &str, days: u32) -> Authority {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let inner =
            Inner { dir: folder(), micros: micros.clone(), mood: Mutex::new(Mood::Answers), last: Mutex::default() };
        let authority = Authority { address, inner: Arc::new(inner) };
        let dir = authority.inner.dir.path();
        for (name, text) in
            [("tsa.cnf", CONFIG), ("serial", "01\n"), ("index", ""), ("index.attr", ""), ("crlnumber", "01\n")]
        {
            fs::write(dir.join(name), text).unwrap();
        }
        let root =
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem -days 9000";
        authority.inner.openssl(&format!("{root} -subj /O=Root"), BEFORE);
        authority.certify(kind, days, "purpose");
        let serving = authority.inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.serve(stream.unwrap());
            }
        });
        authority
    }

    /// Another key and certificate, good from now on.
    pub fn certify(&self, kind: &str, days: u32, purpose: &str) {
        let curve = if kind == "ec" { "-pkeyopt ec_paramgen_curve:P-384" } else { "" };
        let request = format!("req -newkey {kind} {curve} -nodes -keyout tsa.key -out tsa.csr -subj /O=Authority");
        self.inner.openssl(&request, BEFORE);
        let sign = "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -out tsa.pem -extfile tsa.cnf";
        self.inner.openssl(&format!("{sign} -extensions {purpose} -days {days}"), BEFORE);
    }

    pub fn mood(&self, mood: Mood) {
        *self.inner.mood.lock().unwrap() = mood;
    }

    /// Takes the certificate back.
    pub fn revoke(&self) {
        self.inner.openssl("ca -config tsa.cnf -cert root.pem -keyfile root.key -revoke tsa.pem", 0);
    }

    pub fn root(&self) -> PathBuf {
        self.inner.dir.path().join("root.pem")
    }

    /// What signs now.
    pub fn leaf(&self) -> PathBuf {
        self.inner.dir.path().join("tsa.pem")
    }

    pub fn configured(&self, code: &str) -> config::Authority {
        config::Authority {
            code: code.into(),
            url: format!("{}/tsa", self.address),
            certificates: self.root().display().to_string(),
            revocations: vec![format!("{}/crl", self.address)],
        }
    }
}

/// What `openssl ts` says of a token by itself.
pub fn openssl_verifies(token: &Path, checkpoint: &Path, root: &Path, at: i64) -> bool {
    let mut command = Command::new("openssl");
    command.args(["ts", "-verify", "-attime", &at.to_string(), "-in"]).arg(token).arg("-data").arg(checkpoint);
    command.arg("-CAfile").arg(root).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

impl Inner {
    /// Runs a command of openssl at the test's time, or so many seconds off.
    fn openssl(&self, arguments: &str, off: i64) -> Vec<u8> {
        let at = self.micros.load(Ordering::SeqCst) / 1_000_000 + off;
        let mut command = Command::new("faketime");
        command.arg(format!("@{at}")).arg("openssl").args(arguments.split_whitespace());
        let done = command.env("OPENSSL_CONF", "/etc/ssl/openssl.cnf").current_dir(self.dir.path()).output();
        let done = done.expect("faketime and openssl; tests/run installs them");
        assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut read = Vec::new();
        let (head, body) = loop {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).unwrap_or(0);
            read.extend_from_slice(&piece[..count]);
            let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
                if count == 0 {
                    return;
                }
                continue;
            };
            let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            let length: usize = length.unwrap_or(0);
            if read.len() >= end + 4 + length {
                break (head, read[end + 4..].to_vec());
            }
        };
        let mood = *self.mood.lock().unwrap();
        let answer = if head.starts_with("get /crl ") { Some(self.list()) } else { self.stamp(&body, mood) };
        let status = if answer.is_some() { "200 OK" } else { "503 Service Unavailable" };
        let answer = answer.unwrap_or_default();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
        stream.write_all(&[head.as_bytes(), &answer].concat()).ok();
    }

    fn list(&self) -> Vec<u8> {
        self.openssl("ca -config tsa.cnf -cert root.pem -keyfile root.key -gencrl -crldays 1 -out crl.pem", 0);
        fs::read(self.dir.path().join("crl.pem")).unwrap()
    }

    fn stamp(&self, request: &[u8], mood: Mood) -> Option<Vec<u8>> {
        let request = match mood {
            Mood::Down => return None,
            Mood::Repeats => return Some(self.last.lock().unwrap().clone()),
            Mood::Babbles => return Some(request.to_vec()),
            Mood::Refuses => b"not a request",
            Mood::Answers | Mood::Behind => request,
        };
        fs::write(self.dir.path().join("query"), request).unwrap();
        let off = if mood == Mood::Behind { -3600 } else { 0 };
        let answer = self.openssl("ts -reply -config tsa.cnf -queryfile query -out reply", off);
        drop(answer);
        let answer = fs::read(self.dir.path().join("reply")).unwrap();
        *self.last.lock().unwrap() = answer.clone();
        Some(answer)
    }
}

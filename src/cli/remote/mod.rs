//! `--server URL`: the same commands, asked of a server over HTTP and not of an archive on this disk.
//!
//! Reading order: this file (one request, and when to try again), `records` (questions, receipts, parts of the log),
//! `acts` (what people do with fonds, files, schedules, holds and cases), `audits`, `export`, `keys` and `handing` (packages,
//! each under a key of its own).
//!
//! # Why
//! *The door's own words.* What a problem means and what to do is said by its code, from the same list that the
//! server has, in both languages; a server that knows more says it in its own words.
//!
//! *What is told to come again comes again*, as Retry-After says. What has changed nothing (a question), and what
//! carries an idempotency key, may also be asked again when the connection broke. An act is sent once: whether one whose
//! answer was lost was done is looked up by who sent it.
//!
//! *No token in the clear*: over plain HTTP only this machine is spoken to.

pub mod acts;
mod audits;
pub mod export;
pub mod handing;
mod keys;
pub mod records;

use crate::archive::keep::random;
use crate::cli::CommandError;
use crate::http::{error::Kind, language::Language};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a question waits for a server that says to come later.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT_SECONDS_MAX: u64 = 10;
/// An answer, or a piece of one, that does not come for so long does not come.
const SILENCE_SECONDS_MAX: u64 = 120;
const BACKOFF_FIRST: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// A server, and who we are to it.
#[derive(Clone)]
pub struct Server {
    url: Url,
    client: Client,
    token: Option<Zeroizing<String>>,
}

/// What a server said in the place of an answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    pub code: String,
    pub title: String,
    pub detail: String,
    pub findings: Vec<Told>,
    pub request: String,
}

/// One thing wrong with what was handed over or worked on, as a server tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    pub code: String,
    pub severity: String,
    pub field: Option<String>,
    pub detail: Option<String>,
    pub text: String,
}

/// Why a server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error(
        "{url}: không kết nối được ({why}); kiểm tra địa chỉ và máy chủ rồi chạy lại lệnh này / cannot be reached ({why}); check the address and the server, then run the same command again"
    )]
    Unreachable { url: String, why: String },
    #[error("{url}: {}", .problem.told())]
    Refused { url: String, problem: Box<Problem> },
    #[error(
        "{url}: câu trả lời không đúng dạng ({why}); kiểm tra địa chỉ có phải máy chủ Vankho cùng phiên bản / not an answer that this program knows ({why}); check that this is a Vankho server of the same version"
    )]
    NotUnderstood { url: String, why: String },
}

impl Problem {
    /// Title and advice, in both languages where the code is known.
    fn told(&self) -> String {
        let request = if self.request.is_empty() { String::new() } else { format!(" [{}]", self.request) };
        match Kind::of_code(&self.code) {
            Some(Kind::Unknown) => format!(
                "chưa đăng nhập; đặt VANKHO_TOKEN là mã truy cập mà quản trị hệ thống cấp bằng `vankho actor token` / nobody is logged in; set VANKHO_TOKEN to a token that an administrator made with `vankho actor token`{request}"
            ),
            Some(kind) => {
                let said = |language| format!("{}. {}", kind.title(language), kind.next(language));
                format!("{} / {}{request}", said(Language::Vi), said(Language::En))
            }
            None => format!("{}. {}{request}", self.title, self.detail),
        }
    }
}

impl RemoteError {
    /// Is there no such thing, or none that we may see?
    pub fn is_absent(&self) -> bool {
        matches!(self, RemoteError::Refused { problem, .. } if problem.code == Kind::NotFound.code())
    }

    /// Was it there, and is damaged or gone?
    pub fn is_lost(&self) -> bool {
        let lost = [Kind::Damaged.code(), Kind::NotFound.code()];
        matches!(self, RemoteError::Refused { problem, .. } if lost.contains(&problem.code.as_str()))
    }

    /// Is it there, and not for us?
    pub fn is_withheld(&self) -> bool {
        let withheld = [Kind::Forbidden.code(), Kind::Unknown.code()];
        matches!(self, RemoteError::Refused { problem, .. } if withheld.contains(&problem.code.as_str()))
    }
}

impl Server {
    /// A server by its address; the token comes from VANKHO_TOKEN.
    pub fn new(address: &str) -> Result<Server, CommandError> {
        let refused = |vi: &str, en: &str| CommandError::usage(format!("{address}: {vi}"), format!("{address}: {en}"));
        let url = Url::parse(&format!("{}/", address.trim_end_matches('/')));
        let url = url.ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| {
            refused(
                "không phải là địa chỉ, ví dụ https://luutru.example.vn",
                "no address; for example https://archive.example.vn",
            )
        })?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if url.scheme() == "http" && !here {
            return Err(refused(
                "mã truy cập sẽ đi qua mạng không mã hóa; dùng https://",
                "the token would cross the network readable by all; use https://",
            ));
        }
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
            .read_timeout(Duration::from_secs(SILENCE_SECONDS_MAX))
            .redirect(reqwest::redirect::Policy::none())
            // The server closes what is silent; we are first.
            .pool_idle_timeout(Duration::from_secs(20));
        // What speaks to this machine goes past every proxy.
        let client = if here { client.no_proxy() } else { client };
        let client =
            client.build().map_err(|error| RemoteError::NotUnderstood { url: address.into(), why: why(&error) })?;
        let token = std::env::var("VANKHO_TOKEN").ok().filter(|token| !token.is_empty()).map(Zeroizing::new);
        Ok(Server { url, client, token })
    }

    /// What is said about a failure names the server, and nothing that was asked.
    fn at(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    /// A path below the server's own, its parts escaped.
    fn address(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header(header::ACCEPT_LANGUAGE, "en");
        match &self.token {
            Some(token) => request.bearer_auth(token.as_str()),
            None => request,
        }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.authorised(self.client.get(self.address(path)))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.authorised(self.client.post(self.address(path)))
    }

    pub fn put(&self, path: &str) -> RequestBuilder {
        self.authorised(self.client.put(self.address(path)))
    }

    /// Asks until there is an answer, for as long as a server that is there says to come later.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Response, RemoteError> {
        let mut waiting = Waiting::new(PATIENCE);
        loop {
            let once = request.try_clone().ok_or_else(|| self.not_understood("the request cannot be sent twice"))?;
            match self.once(once).await {
                Ok(response) => return Ok(response),
                Err(Failure { error, again: Some(after), .. }) if waiting.pause(after).await => {
                    tracing::info!(%error, "asking again");
                }
                Err(failure) => return Err(failure.error),
            }
        }
    }

    /// One request: its answer, or why there is none and when to come again.
    async fn once(&self, request: RequestBuilder) -> Result<Response, Failure> {
        match request.send().await {
            Err(error) => Err(self.broken(&error)),
            Ok(response) if response.status().is_success() => Ok(response),
            Ok(response) => Err(self.refused(response).await),
        }
    }

    fn broken(&self, error: &reqwest::Error) -> Failure {
        let error = RemoteError::Unreachable { url: self.at(), why: why(error) };
        Failure { error, again: None, broken: true }
    }

    async fn refused(&self, response: Response) -> Failure {
        let status = response.status();
        let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let later = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::BAD_GATEWAY
                | StatusCode::GATEWAY_TIMEOUT
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::CONFLICT
        );
        let again = later.then(|| seconds.map_or(Duration::ZERO, Duration::from_secs));
        let url = self.at();
        let error = match response.json::<Problem>().await {
            Ok(problem) if !problem.code.is_empty() => RemoteError::Refused { url, problem: Box::new(problem) },
            // A machine in between that speaks for a server that is not there.
            _ => RemoteError::NotUnderstood { url, why: status.to_string() },
        };
        Failure { error, again, broken: false }
    }

    fn not_understood(&self, why: &str) -> RemoteError {
        RemoteError::NotUnderstood { url: self.at(), why: why.into() }
    }

    /// An answer in JSON.
    pub async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, RemoteError> {
        let bytes = self.bytes(request).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.not_understood(&error.to_string()))
    }

    /// An answer as it is.
    pub async fn bytes(&self, request: RequestBuilder) -> Result<bytes::Bytes, RemoteError> {
        self.ask(request).await?.bytes().await.map_err(|error| self.broken(&error).error)
    }

    /// An answer in text.
    pub async fn text(&self, request: RequestBuilder) -> Result<String, RemoteError> {
        let bytes = self.bytes(request).await?;
        String::from_utf8(bytes.into()).map_err(|_| self.not_understood("not UTF-8"))
    }
}

/// Why a request has no answer.
struct Failure {
    error: RemoteError,
    /// The server says to come again, after this long at least.
    again: Option<Duration>,
    /// The connection was not made, or broke.
    broken: bool,
}

/// The innermost cause, without the address: it may hold what was asked.
fn why(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Pauses that grow, until patience ends.
struct Waiting {
    until: Instant,
    next: Duration,
}

impl Waiting {
    fn new(patience: Duration) -> Waiting {
        Waiting { until: Instant::now() + patience, next: BACKOFF_FIRST }
    }

    /// Pauses for what was asked for, or for longer than before; false where patience has ended. Those who were sent
    /// away together do not come back together.
    async fn pause(&mut self, asked: Duration) -> bool {
        let share = random::<1>().map_or(0, |[byte]| u32::from(byte));
        let pause = asked.max(self.next);
        let pause = pause + pause * share / 512;
        self.next = BACKOFF_MAX.min(self.next * 2);
        if Instant::now() + pause > self.until {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_leave_this_machine_readable() {
        for address in
            ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:8080", "https://luutru.example.vn/kho"]
        {
            assert!(Server::new(address).is_ok(), "{address}");
        }
        for address in ["http://luutru.example.vn", "ftp://127.0.0.1", "127.0.0.1:8080", "", "http://"] {
            assert!(matches!(Server::new(address), Err(CommandError::Usage(_))), "{address}");
        }
    }

    #[test]
    fn paths_lie_below_the_address_and_are_escaped() {
        let server = Server::new("https://a.example.vn/kho/").unwrap();
        assert_eq!(server.address("api/v1/records/a b").as_str(), "https://a.example.vn/kho/api/v1/records/a%20b");
    }

    #[test]
    fn a_problem_is_told_in_both_languages_as_the_server_has_it() {
        let problem = Problem { code: "busy".into(), title: "x".into(), ..Problem::default() };
        let told = problem.told();
        assert!(told.contains(Kind::Busy.next(Language::Vi)) && told.contains(Kind::Busy.next(Language::En)), "{told}");
        let newer = Problem { code: "newer".into(), title: "Something new".into(), ..Problem::default() };
        assert!(newer.told().starts_with("Something new"));
    }
}

//! A real S3 server on a loopback port and a folder, on a runtime of its own: it can be stopped and started again.
//!
//! By itself it looks whether an object is there and then writes, so that of several who create one all succeed:
//! that is [`Server::lax`], which an archive must refuse as its primary. With conditional writes one after the
//! other it keeps the promise that S3 gives.

#[path = "shelf.rs"]
mod shelf;

use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use shelf::Shelf;
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::Mutex};

const BUCKET: &str = "kho";
const KEY: &str = "archivist";
const SECRET: &str = "a secret of tests";

pub struct Server {
    folder: TempDir,
    at: SocketAddr,
    runtime: Option<Runtime>,
    strict: bool,
}

impl Server {
    pub fn start() -> Server {
        Server::new(true)
    }

    /// One that keeps no create-if-absent.
    pub fn lax() -> Server {
        Server::new(false)
    }

    fn new(strict: bool) -> Server {
        let folder = crate::world::folder();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut server = Server { folder, at: ([127, 0, 0, 1], 0).into(), runtime: None, strict };
        server.resume();
        server
    }

    /// Goes on where it stopped, under the same address.
    pub fn resume(&mut self) {
        self.begin(SECRET);
    }

    /// The same, and nobody's keys are good any more.
    pub fn expire(&mut self) {
        self.begin("another secret");
    }

    fn begin(&mut self, secret: &'static str) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = bind(self.at);
        self.at = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        runtime.spawn(serve(listener, self.folder.path().to_owned(), self.strict, secret));
        self.runtime = Some(runtime);
    }

    /// Gone in the middle of whatever it was doing.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// What it really holds.
    pub fn folder(&self, prefix: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(prefix)
    }

    /// The address of a place in its bucket.
    pub fn address(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}?endpoint=http://{}&region=hn&path_style=true&keys=VANKHO_TEST", self.at)
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.at)
    }

    /// What a process needs in its environment to be let in.
    pub fn keys() -> [(&'static str, &'static str); 2] {
        [("VANKHO_TEST_ACCESS_KEY_ID", KEY), ("VANKHO_TEST_SECRET_ACCESS_KEY", SECRET)]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bind(at: SocketAddr) -> std::net::TcpListener {
    let began = Instant::now();
    loop {
        match std::net::TcpListener::bind(at) {
            Ok(listener) => return listener,
            // Connections of the one before may not be gone yet.
            Err(error) => assert!(began.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn serve(listener: std::net::TcpListener, folder: PathBuf, strict: bool, secret: &str) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut builder = S3ServiceBuilder::new(Shelf::of(folder));
    builder.set_auth(SimpleAuth::from_single(KEY, secret));
    let (service, one) = (builder.build(), Arc::new(Mutex::new(())));
    while let Ok((socket, _)) = listener.accept().await {
        // An answer is a head and a body: without this the second waits 40 ms for word that the first has arrived.
        socket.set_nodelay(true).ok();
        let (service, one) = (service.clone(), one.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (service, one) = (service.clone(), one.clone());
            async move {
                let conditional =
                    ["if-none-match", "if-match"].iter().any(|name| request.headers().contains_key(*name));
                let _turn = if strict && conditional { Some(one.lock().await) } else { None };
                service.call(request.map(s3s::Body::from)).await
            }
        });
        tokio::spawn(async move {
            Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await.ok();
        });
    }
}

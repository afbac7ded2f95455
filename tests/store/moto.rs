//! Another S3 server, in another language and by other people: moto, which `tests/run` installs into
//! `target/python`. It keeps what it holds in memory.

use object_store::{ObjectStore, aws::AmazonS3Builder, prefix::PrefixStore};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/moto_server");

pub struct Moto {
    child: Child,
    at: SocketAddr,
}

impl Moto {
    /// Started, with an empty bucket.
    pub fn start() -> Moto {
        // Nothing takes the port between the two: the tests of one binary are the only ones that ask now.
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["-H", "127.0.0.1", "-p", &at.port().to_string()]).stdin(Stdio::null());
        let missing = "moto is missing: tests/run installs it, or: \
                       python3 -m venv target/python && target/python/bin/pip install -r tests/requirements.txt";
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect(missing);
        let (moto, began) = (Moto { child, at }, Instant::now());
        while !moto.has_a_bucket() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto does not answer on {at}");
            std::thread::sleep(Duration::from_millis(100));
        }
        moto
    }

    fn has_a_bucket(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.at) else { return false };
        let asked = format!("PUT /kho HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", self.at);
        let mut answer = String::new();
        let told = stream.write_all(asked.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
        told.is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    pub fn objects(&self, prefix: &str) -> Arc<dyn ObjectStore> {
        let builder = AmazonS3Builder::new().with_bucket_name("kho").with_endpoint(format!("http://{}", self.at));
        let builder = builder.with_allow_http(true).with_region("us-east-1");
        let builder = builder.with_access_key_id("anybody").with_secret_access_key("is let in");
        let prefix = object_store::path::Path::parse(prefix).unwrap();
        Arc::new(PrefixStore::new(builder.build().unwrap(), prefix))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

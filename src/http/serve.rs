//! Start and stop of the server.
//!
//! # Why
//! *Loopback only*: accounts are local, there is no encryption and no agency's sign-on yet. A reverse proxy that
//! has them may stand in front.
//!
//! *Stopping is in order*: no new connections, running requests end within their limit, then the archive
//! closes. Whoever was not answered by then sends the same key again.

use crate::archive::ArchiveError;
use crate::http::{router, state::Door};
use axum::{Router, extract::ConnectInfo};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// After a connection that could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the door does not open, or did not stay open.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("{0}: không phải là địa chỉ, ví dụ 127.0.0.1:8080 / no address; for example 127.0.0.1:8080")]
    NotAnAddress(String),
    #[error(
        "{0}: chỉ được phục vụ trên địa chỉ nội bộ của máy này (127.0.0.1, ::1); đặt máy chủ trung gian có mã hóa và đăng nhập phía trước / only loopback is served (127.0.0.1, ::1); put a proxy with encryption and sign-on in front"
    )]
    BeyondLoopback(SocketAddr),
    #[error(
        "{address}: {source} / đổi server.listen hoặc dừng chương trình đang dùng cổng / change server.listen, or stop what holds the port"
    )]
    Listen { address: SocketAddr, source: io::Error },
}

/// Serves until `stop` is done. `tell` hears the address once requests are answered.
pub async fn serve(
    door: Arc<Door>,
    stop: impl Future<Output = ()> + Send + 'static,
    tell: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let listen = &door.config.server.listen;
    let address = listen.to_socket_addrs().ok().and_then(|mut found| found.next());
    let address = address.ok_or_else(|| ServeError::NotAnAddress(listen.clone()))?;
    if !address.ip().is_loopback() {
        return Err(ServeError::BeyondLoopback(address));
    }
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // A second server in one process (a test) is counted with the first.
    metrics::set_global_recorder(recorder).ok();
    let rounds = door.start().await?;
    let supervisor = tokio::spawn({
        let door = door.clone();
        async move { door.supervise(rounds).await }
    });
    let routes = router::router(door.clone(), handle);
    tell(bound);
    let connections =
        accept(listener, routes, Duration::from_secs(door.config.server.request_timeout_seconds), stop).await;
    let most = Duration::from_secs(door.config.server.stop_seconds_max);
    tokio::time::timeout(most, connections.shutdown()).await.ok();
    door.stop();
    supervisor.await.ok();
    Ok(())
}

/// Takes connections until `stop` is done. One that does not bring the head of a request in time is closed: there is
/// room for those who speak.
async fn accept(
    listener: TcpListener,
    routes: Router,
    silence: Duration,
    stop: impl Future<Output = ()> + Send + 'static,
) -> GracefulShutdown {
    let (connections, mut stop) = (GracefulShutdown::new(), std::pin::pin!(stop));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return connections,
        };
        let Ok((stream, peer)) = accepted else {
            // Too many open files, or a client that was gone at once.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        stream.set_nodelay(true).ok();
        let routes = TowerToHyperService::new(routes.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            routes.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(silence);
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        // Who hangs up has no use for our opinion of it.
        tokio::spawn(async move { connection.await.ok() });
    }
}

/// Is the process alive, and can it work?
pub mod health {
    use crate::http::{error, state::Door};
    use axum::{
        extract::State,
        http::header,
        response::{IntoResponse, Response},
    };
    use std::sync::Arc;

    pub async fn live() -> &'static str {
        "alive\n"
    }

    pub async fn ready(State(door): State<Arc<Door>>) -> Response {
        match door.open() {
            Some(_) => ([(header::CONTENT_TYPE, "text/plain")], "ready\n").into_response(),
            None => error::trouble(error::Kind::Away).into_response(),
        }
    }

    /// Alive is who answers at all.
    pub async fn both(state: State<Arc<Door>>) -> Response {
        ready(state).await
    }
}

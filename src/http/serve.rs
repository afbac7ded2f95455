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
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

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
    let routes = router::router(door.clone(), handle).into_make_service_with_connect_info::<SocketAddr>();
    let (stopped, mut stopping) = tokio::sync::watch::channel(false);
    let asked = async move {
        stop.await;
        stopped.send(true).ok();
    };
    let serving = axum::serve(listener, routes).with_graceful_shutdown(asked);
    tell(bound);
    let most = Duration::from_secs(door.config.server.stop_seconds_max);
    let late = async {
        stopping.wait_for(|stopping| *stopping).await.ok();
        tokio::time::sleep(most).await;
    };
    let served = tokio::select! {
        served = serving => served.map_err(failed),
        () = late => Ok(()),
    };
    door.stop();
    supervisor.await.ok();
    served
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

//! The two addresses of a witness (C2SP tlog-witness): `POST /add-checkpoint`, and `GET /<origin hash>/checkpoint`.
//!
//! Everything has a limit: connections, the head and the body of a request, and how long either may take.

use crate::ledger::offer::OFFER_BYTES_MAX;
use crate::witness::{Now, Witness, WitnessError, judge::Refusal};
use bytes::{Bytes, BytesMut};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Frame, Incoming, SizeHint},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{
    convert::Infallible,
    future::poll_fn,
    net::{SocketAddr, ToSocketAddrs},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore};

/// Connections at once; more wait to be taken.
const CONNECTIONS_MAX: usize = 256;
/// How long the head or the body of a request may take.
const SILENCE: Duration = Duration::from_secs(10);
/// After a connection that could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Running requests are waited for when the program stops.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Serves until `stop` is done. `tell` hears the address once requests are answered.
pub async fn serve(
    witness: Arc<Witness>,
    listen: &str,
    now: Now,
    stop: impl Future<Output = ()> + Send,
    tell: impl FnOnce(SocketAddr),
) -> Result<(), WitnessError> {
    let unusable = |why: String| WitnessError::Listen(format!("{listen}: {why}"));
    let address = listen.to_socket_addrs().ok().and_then(|mut found| found.next());
    let address = address.ok_or_else(|| unusable("no address".into()))?;
    if !address.ip().is_loopback() {
        return Err(unusable("only loopback; put a proxy with encryption in front".into()));
    }
    let listener = TcpListener::bind(address).await.map_err(|error| unusable(error.to_string()))?;
    tell(listener.local_addr().map_err(|error| unusable(error.to_string()))?);
    let (connections, room, mut stop) =
        (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)), std::pin::pin!(stop));
    loop {
        let accepted = async {
            let room = room.clone().acquire_owned().await.ok();
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (witness, now) = (witness.clone(), now.clone());
        let service = service_fn(move |request| {
            let (witness, now) = (witness.clone(), now.clone());
            async move { Ok::<_, Infallible>(answer(&witness, &now, request).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(SILENCE);
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Who hangs up has no use for our opinion of it.
            connection.await.ok();
            drop(room);
        });
    }
    tokio::time::timeout(STOP_MAX, connections.shutdown()).await.ok();
    Ok(())
}

async fn answer(witness: &Witness, now: &Now, request: Request<Incoming>) -> Response<Text> {
    let path = request.uri().path().to_owned();
    let origin_hash = path.strip_prefix('/').and_then(|rest| rest.strip_suffix("/checkpoint"));
    match (request.method(), path.as_str(), origin_hash) {
        (&Method::POST, "/add-checkpoint", _) => add(witness, now, request.into_body()).await,
        (_, "/add-checkpoint", _) => text(StatusCode::METHOD_NOT_ALLOWED, "POST\n".into()),
        (&Method::GET, _, Some(origin_hash)) => match witness.newest(origin_hash).await {
            Some(note) => text(StatusCode::OK, note),
            None => text(StatusCode::NOT_FOUND, "nothing was cosigned of such a log\n".into()),
        },
        _ => text(StatusCode::NOT_FOUND, "add-checkpoint, or <origin hash>/checkpoint\n".into()),
    }
}

async fn add(witness: &Witness, now: &Now, body: Incoming) -> Response<Text> {
    let body = match tokio::time::timeout(SILENCE, read(body)).await {
        Ok(Some(body)) => body,
        Ok(None) => return text(StatusCode::PAYLOAD_TOO_LARGE, "too long, or cut off\n".into()),
        Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "too slow\n".into()),
    };
    let Ok(body) = std::str::from_utf8(&body) else {
        return text(StatusCode::BAD_REQUEST, "not UTF-8\n".into());
    };
    match witness.add(body, now()).await {
        Ok(line) => text(StatusCode::OK, line),
        Err(Refusal::Malformed(what)) => text(StatusCode::BAD_REQUEST, format!("not in form: {what}\n")),
        Err(Refusal::UnknownLog) => text(StatusCode::NOT_FOUND, "this log is not followed here\n".into()),
        Err(Refusal::NotSigned) => text(StatusCode::FORBIDDEN, "no signature of this log holds\n".into()),
        Err(Refusal::DoesNotFollow(why)) => text(StatusCode::UNPROCESSABLE_ENTITY, format!("{why}\n")),
        Err(Refusal::OtherSize(size)) => {
            let mut response = text(StatusCode::CONFLICT, format!("{size}\n"));
            response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/x.tlog.size"));
            response
        }
        Err(Refusal::Failed) => text(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot cosign now\n".into()),
    }
}

/// The whole body; `None` where it is too long or breaks off.
async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            all.extend_from_slice(&data);
        }
        if all.len() > OFFER_BYTES_MAX {
            return None;
        }
    }
    Some(all.freeze())
}

fn text(status: StatusCode, text: String) -> Response<Text> {
    let mut response = Response::new(Text(Some(text.into())));
    *response.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// A body that is all here.
struct Text(Option<Bytes>);

impl Body for Text {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

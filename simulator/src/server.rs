//! The HTTP server: one listener for all platforms and the admin API, whose
//! connections can be cut without an answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::call::{Answer, Call};
use crate::ledger::Platform;
use crate::pipeline::{self, Outcome};
use crate::recording::Recorder;
use crate::sites::SITES;
use crate::world::Shared;

/// The largest body that is read at all; the platforms' own limits are lower.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// The platforms' part of the server.
pub(crate) fn platforms(shared: Arc<Shared>, recorder: Recorder) -> Router {
    Router::new()
        .route("/{site}/{*path}", any(serve))
        .with_state(Served { shared, recorder })
}

/// What every call needs.
#[derive(Clone)]
struct Served {
    shared: Arc<Shared>,
    recorder: Recorder,
}

async fn serve(
    State(served): State<Served>,
    Path((site, _)): Path<(String, String)>,
    ConnectInfo(wire): ConnectInfo<WireCutter>,
    request: Request,
) -> Response {
    match SITES.iter().find(|one| one.name == site) {
        Some(site) => answer(served, site.platform, &wire, request).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn answer(
    served: Served,
    platform: Platform,
    wire: &WireCutter,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    // A body that breaks off is a caller that went away: nothing happens.
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Served { shared, recorder } = served;
    let asked = recorder.ask(&parts.method, &parts.uri, &parts.headers, &body);
    let call = Call::new(parts.method, &parts.uri, &parts.headers, body);
    match pipeline::serve(shared, platform, call).await {
        Outcome::Answer(answer) => {
            recorder.write(asked, Some(&answer));
            response(answer)
        }
        Outcome::Drop => {
            recorder.write(asked, None);
            wire.cut();
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

fn response(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Cuts the connection it belongs to, before one byte of the answer is written.
#[derive(Clone, Default)]
pub(crate) struct WireCutter(Arc<AtomicBool>);

impl WireCutter {
    fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::ConnectionReset));
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for WireCutter {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cutter.clone()
    }
}

/// A TCP listener whose connections carry a [`WireCutter`].
pub(crate) struct CuttableListener(pub(crate) TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Without it, answers wait for the peer's delayed
                    // acknowledgement; a refusal costs only that speed.
                    stream.set_nodelay(true).ok();
                    return (
                        CuttableStream {
                            stream,
                            cutter: WireCutter::default(),
                        },
                        address,
                    );
                }
                // Out of file descriptors, or a peer that left at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that fails every write once it has been cut.
pub(crate) struct CuttableStream {
    stream: TcpStream,
    cutter: WireCutter,
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cutter.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cutter.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

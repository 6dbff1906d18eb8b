//! The one outgoing HTTP client.
//!
//! It retries nothing and follows no redirects, apart from [`Http::download`]: a job decides what happens next. A failed call says whether a byte of
//! its body can have left ([`HttpError`]), because a publish that may have been sent is resolved, never repeated.
//! A call with [`Call::send_by`] is gated: the moment before its body is handed to the connection, the clock is read
//! once more, and a late or untrusted clock ends the call unsent.
//!
//! No trace header goes out, and no URL, query, header or body goes into a log, a span or an error. Private and
//! loopback addresses are refused unless `http.allow_private_addresses` is set, also when a name resolves to them.

mod address;
mod call;
mod download;
mod error;
mod gate;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::{HeaderMap, Method, StatusCode};
use bytes::{Bytes, BytesMut};
use tracing::field::Empty;
use tracing::{Instrument, Span};

pub use address::is_public;
pub use call::{Body, Call};
pub use download::{Download, DownloadError};
pub use error::{Cause, HttpError};

use crate::clock::Clock;
use crate::config::HttpConfig;
use crate::metrics::Metrics;
use address::PublicResolver;
use error::{Sending, answer_lost};
use gate::{Gate, GatedBody};

/// The outgoing client. Clones share its connections.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    timeout: Duration,
    body_cap: usize,
    allow_private: bool,
}

/// What a platform answered, whatever the status.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, at most `http.body_cap_bytes` long.
    pub body: Bytes,
}

impl Answer {
    /// A header as text, when it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl std::fmt::Debug for Answer {
    /// Status and length only: a body may hold tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Http {
    /// Builds the client. Install a TLS provider first ([`crate::boot::install_tls`]).
    ///
    /// # Errors
    /// [`Cause::Setup`] when the platform's root certificates or the TLS provider cannot be used.
    pub fn new(
        config: &HttpConfig,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Cause> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("mooring/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .pool_idle_timeout(Duration::from_secs(config.idle_s))
            .tcp_nodelay(true)
            .dns_resolver(PublicResolver {
                allow_private: config.allow_private_addresses,
            })
            .build()
            .map_err(Cause::Setup)?;
        Ok(Self {
            client,
            clock,
            metrics,
            timeout: Duration::from_millis(config.timeout_ms),
            body_cap: config.body_cap_bytes,
            allow_private: config.allow_private_addresses,
        })
    }

    /// Makes one call, once.
    ///
    /// # Errors
    /// An [`HttpError`], which says whether the request can have been received. A status of 4xx or 5xx is an
    /// [`Answer`].
    pub async fn send(&self, call: Call) -> Result<Answer, HttpError> {
        let (provider, operation) = (call.provider, call.operation);
        let span = span(&call);
        let started = Instant::now();
        let outcome = self.attempt(call).instrument(span.clone()).await;
        let status = outcome.as_ref().ok().map(|answer| answer.status);
        let error_type = match &outcome {
            Ok(answer) if answer.status.as_u16() < 400 => "",
            Ok(_) => "http_status",
            Err(error) => error.kind(),
        };
        span.in_scope(|| {
            record(&span, status, error_type);
            self.metrics.provider_call(
                provider,
                operation,
                status.map(|s| s.as_u16()),
                error_type,
                started.elapsed(),
            );
        });
        outcome
    }

    async fn attempt(&self, call: Call) -> Result<Answer, HttpError> {
        let answer = self.answered(call).await?;
        self.read(answer).await
    }

    /// Sends a call and waits for the head of its answer.
    async fn answered(&self, call: Call) -> Result<reqwest::Response, HttpError> {
        self.check(&call)?;
        let timeout = call.timeout.unwrap_or(self.timeout);
        let mut request = reqwest::Request::new(call.method, call.url);
        *request.headers_mut() = call.headers;
        *request.timeout_mut() = Some(timeout);
        let gate = call.send_by.map(|by| Gate {
            by,
            clock: Arc::clone(&self.clock),
        });
        let mut sending = Sending::without_body();
        if let Some((content_type, bytes)) = call.body.encode().map_err(HttpError::NotSent)? {
            request
                .headers_mut()
                .insert(::http::header::CONTENT_TYPE, content_type);
            let (body, progress) = GatedBody::new(bytes, gate);
            *request.body_mut() = Some(reqwest::Body::wrap(body));
            sending = Sending::with_body(progress);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that sends a request"
        )]
        let answer = self.client.execute(request).await;
        answer.map_err(|error| sending.failed(error))
    }

    /// What can be refused before a connection is opened.
    fn check(&self, call: &Call) -> Result<(), HttpError> {
        if !matches!(call.url.scheme(), "http" | "https") {
            return Err(HttpError::NotSent(Cause::Scheme));
        }
        if call.bad_header {
            return Err(HttpError::NotSent(Cause::Header));
        }
        if !self.allow_private && !address::literal_is_public(&call.url) {
            return Err(HttpError::NotSent(Cause::PrivateAddress));
        }
        let Some(by) = call.send_by else {
            return Ok(());
        };
        let safe = matches!(call.method, Method::GET | Method::HEAD);
        if call.body.is_empty() && !safe {
            return Err(HttpError::NotSent(Cause::NothingToGate));
        }
        Gate {
            by,
            clock: Arc::clone(&self.clock),
        }
        .check()
        .map_err(HttpError::NotSent)
    }

    async fn read(&self, mut answer: reqwest::Response) -> Result<Answer, HttpError> {
        let too_long = || {
            HttpError::Unknown(Cause::AnswerTooLong {
                cap_bytes: self.body_cap,
            })
        };
        let announced = answer.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |length| length > self.body_cap) {
            return Err(too_long());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(answer_lost)? {
            if body.len() + chunk.len() > self.body_cap {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Answer {
            status: answer.status(),
            headers,
            body: body.freeze(),
        })
    }
}

/// The client span: the stable HTTP attributes, the endpoint's template, and nothing that names an account.
fn span(call: &Call) -> Span {
    tracing::info_span!(
        "http.request",
        otel.name = format!("{} {}", call.method, call.operation),
        otel.kind = "client",
        otel.status_code = Empty,
        mooring.provider = call.provider,
        http.request.method = call.method.as_str(),
        url.template = call.operation,
        server.address = call.url.host_str().unwrap_or_default(),
        server.port = i64::from(call.url.port_or_known_default().unwrap_or_default()),
        http.response.status_code = Empty,
        "error.type" = Empty,
    )
}

fn record(span: &Span, status: Option<StatusCode>, error_type: &'static str) {
    if let Some(status) = status {
        span.record("http.response.status_code", i64::from(status.as_u16()));
    }
    if !error_type.is_empty() {
        let error_type = status.map_or(error_type.to_owned(), |s| s.as_u16().to_string());
        span.record("error.type", error_type);
        span.record("otel.status_code", "ERROR");
    }
}

#[cfg(test)]
mod tests;

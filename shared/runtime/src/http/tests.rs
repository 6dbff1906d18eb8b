//! Every outcome of a call, against a real socket.

mod download;
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tokio::net::TcpListener;
use tracing_subscriber::layer::SubscriberExt;
use url::Url;

use super::*;
use crate::clock::ManualClock;
use server::{Server, Then, complete};

const TOKEN: &str = "EAABsecretcanary";
const OPERATION: &str = "/{page-id}/feed";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-usage: 7\r\n\r\nok";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn client_with(clock: Arc<dyn Clock>, config: &HttpConfig) -> Http {
    crate::boot::install_tls();
    Http::new(config, clock, Arc::new(Metrics::new("test"))).unwrap()
}

fn local() -> HttpConfig {
    HttpConfig {
        allow_private_addresses: true,
        body_cap_bytes: 64,
        ..HttpConfig::default()
    }
}

fn client() -> Http {
    client_with(Arc::new(ManualClock::new(now())), &local())
}

fn post(url: Url) -> Call {
    Call::new("facebook", OPERATION, Method::POST, url)
        .bearer(TOKEN)
        .form([("message", "hello world")])
}

fn get(url: Url) -> Call {
    Call::new("facebook", OPERATION, Method::GET, url)
}

/// No part of an outcome may repeat the token of the call.
fn holds_no_token(outcome: &Result<Answer, HttpError>) {
    let mut text = format!("{outcome:?}");
    if let Err(error) = outcome {
        text.push_str(&crate::lifecycle::chain(error));
    }
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn a_call_arrives_as_written_and_without_trace_headers() {
    let server = Server::start(Then::Answer(OK)).await;
    let call = post(server.url())
        .send_by(now())
        .header(::http::header::ACCEPT, "application/json")
        .query("a", "b c");
    assert!(!format!("{call:?}").contains(TOKEN));
    let outcome = client().send(call).await;
    holds_no_token(&outcome);
    let answer = outcome.unwrap();
    assert_eq!(
        (answer.status, &answer.body[..], answer.header("x-usage")),
        (StatusCode::OK, &b"ok"[..], Some("7"))
    );
    let request = server.seen().remove(0);
    assert!(
        request.starts_with("POST /123/feed?access_token=EAABsecretcanary&a=b+c HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with("\r\n\r\nmessage=hello+world"),
        "{request}"
    );
    assert!(
        request.contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{request}"
    );
    assert!(
        !request.contains("traceparent") && !request.contains("referer"),
        "{request}"
    );
}

#[tokio::test]
async fn json_and_bytes_carry_their_content_types() {
    let server = Server::start(Then::Answer(OK)).await;
    let http = client();
    let json = Call::new("bluesky", "x", Method::POST, server.url())
        .json(&serde_json::json!({"a": 1}))
        .unwrap();
    http.send(json).await.unwrap();
    let bytes =
        Call::new("bluesky", "x", Method::PUT, server.url()).bytes("image/png", &b"png"[..]);
    http.send(bytes).await.unwrap();
    let seen = server.seen();
    assert!(
        seen[0].contains("application/json") && seen[0].ends_with("{\"a\":1}"),
        "{}",
        seen[0]
    );
    assert!(
        seen[1].contains("image/png") && seen[1].ends_with("png"),
        "{}",
        seen[1]
    );
    assert_eq!(
        server.connections.load(Ordering::SeqCst),
        1,
        "the connection is used again"
    );
    let header = Call::new("bluesky", "x", Method::PUT, server.url()).bytes("a\nb", &b"png"[..]);
    let token = Call::new("bluesky", "x", Method::PUT, server.url()).bearer("a\nb");
    assert!(matches!(
        http.send(token).await,
        Err(HttpError::NotSent(Cause::Header))
    ));
    assert!(matches!(
        http.send(header).await,
        Err(HttpError::NotSent(Cause::Header))
    ));
}

#[tokio::test]
async fn an_answer_lost_after_the_body_is_unknown() {
    let server = Server::start(Then::Close).await;
    let outcome = client().send(post(server.url()).send_by(now())).await;
    holds_no_token(&outcome);
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, HttpError::Unknown(Cause::Transport(_))) && error.may_have_been_received(),
        "{error:?}"
    );
    assert_eq!(server.seen().len(), 1);
    assert!(matches!(
        client().send(get(server.url())).await,
        Err(HttpError::Unknown(_))
    ));
}

#[tokio::test]
async fn a_call_is_made_once_only() {
    let server = Server::start(Then::Close).await;
    client().send(post(server.url())).await.unwrap_err();
    client().send(get(server.url())).await.unwrap_err();
    assert_eq!(
        (
            server.seen().len(),
            server.connections.load(Ordering::SeqCst)
        ),
        (2, 2)
    );
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/x?access_token={TOKEN}",
        listener.local_addr().unwrap()
    );
    drop(listener);
    for call in [
        post(Url::parse(&url).unwrap()),
        get(Url::parse(&url).unwrap()),
    ] {
        let outcome = client().send(call).await;
        holds_no_token(&outcome);
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, HttpError::NotSent(Cause::Transport(_))),
            "{error:?}"
        );
        assert_eq!(
            (error.kind(), error.may_have_been_received()),
            ("connect", false)
        );
    }
}

#[tokio::test]
async fn a_call_whose_moment_has_passed_opens_no_connection() {
    let server = Server::start(Then::Answer(OK)).await;
    for call in [post(server.url()), get(server.url())] {
        let outcome = client()
            .send(call.send_by(now() - TimeDelta::milliseconds(1)))
            .await;
        assert!(
            matches!(outcome, Err(HttpError::NotSent(Cause::SendByPassed))),
            "{outcome:?}"
        );
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

/// A clock that jumps after its first reading: the pause between the first check and the release of the body.
struct Jumping {
    readings: AtomicUsize,
    loses_trust: bool,
}

impl Clock for Jumping {
    fn now(&self) -> DateTime<Utc> {
        let late = self.readings.fetch_add(1, Ordering::SeqCst) > 0 && !self.loses_trust;
        now() + TimeDelta::seconds(if late { 90 } else { 0 })
    }

    fn trusted(&self) -> bool {
        !self.loses_trust || self.readings.load(Ordering::SeqCst) == 0
    }
}

#[tokio::test]
async fn the_gate_closes_at_the_last_moment_and_no_complete_request_is_seen() {
    for loses_trust in [false, true] {
        let server = Server::start(Then::Answer(OK)).await;
        let http = client_with(
            Arc::new(Jumping {
                readings: AtomicUsize::new(0),
                loses_trust,
            }),
            &local(),
        );
        let outcome = http.send(post(server.url()).send_by(now())).await;
        let refused = match &outcome {
            Err(HttpError::NotSent(Cause::SendByPassed)) => !loses_trust,
            Err(HttpError::NotSent(Cause::ClockUntrusted)) => loses_trust,
            _ => false,
        };
        assert!(refused, "{outcome:?}");
        assert_eq!(
            server.connections.load(Ordering::SeqCst),
            1,
            "the gate is after the connect"
        );
        server.ended(1).await;
        assert!(!server.seen().iter().any(|request| complete(request)));
    }
}

#[tokio::test]
async fn a_gated_call_needs_a_body_unless_it_changes_nothing() {
    let server = Server::start(Then::Answer(OK)).await;
    let empty = Call::new("facebook", OPERATION, Method::POST, server.url()).send_by(now());
    assert!(matches!(
        client().send(empty).await,
        Err(HttpError::NotSent(Cause::NothingToGate))
    ));
    assert!(
        client()
            .send(get(server.url()).send_by(now()))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_time_out_says_whether_the_body_has_left() {
    let server = Server::start(Then::Hang).await;
    for call in [post(server.url()), get(server.url())] {
        let error = client()
            .send(call.timeout(Duration::from_millis(300)))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HttpError::Timeout { sent: true }),
            "{error:?}"
        );
    }
    assert_eq!(server.saw(2).await.len(), 2);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unknown() {
    let server = Server::start(Then::Answer(
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nok",
    ))
    .await;
    let call = post(server.url()).timeout(Duration::from_millis(300));
    let error = client().send(call).await.unwrap_err();
    assert!(error.may_have_been_received(), "{error:?}");
}

#[tokio::test]
async fn an_answer_beyond_the_cap_is_refused_announced_or_not() {
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n41\r\n\
                   aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n0\r\n\r\n";
    for answer in [announced, chunked] {
        let server = Server::start(Then::Answer(answer)).await;
        let error = client().send(post(server.url())).await.unwrap_err();
        assert!(
            matches!(
                error,
                HttpError::Unknown(Cause::AnswerTooLong { cap_bytes: 64 })
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    // 303 is the one that a client may follow for any method, because it becomes a GET without a body.
    let answer = "HTTP/1.1 303 See\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(Then::Answer(answer)).await;
    for call in [post(server.url()), get(server.url())] {
        let answer = client().send(call).await.unwrap();
        assert_eq!(answer.status.as_u16(), 303);
        assert_eq!(answer.header("location"), Some("/elsewhere"));
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn private_addresses_and_names_of_private_addresses_are_refused() {
    let server = Server::start(Then::Answer(OK)).await;
    let config = HttpConfig {
        allow_private_addresses: false,
        ..local()
    };
    let http = client_with(Arc::new(ManualClock::new(now())), &config);
    let named = Url::parse(&format!("http://localhost:{}/", server.address.port())).unwrap();
    for url in [
        server.url(),
        named,
        Url::parse("http://169.254.169.254/latest/meta-data").unwrap(),
    ] {
        let outcome = http.send(post(url)).await;
        assert!(
            matches!(outcome, Err(HttpError::NotSent(Cause::PrivateAddress))),
            "{outcome:?}"
        );
    }
    let file = http
        .send(get(Url::parse("file:///etc/passwd").unwrap()))
        .await;
    assert!(
        matches!(file, Err(HttpError::NotSent(Cause::Scheme))),
        "{file:?}"
    );
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn span_and_metric_tell_the_call_and_hold_no_secret_and_no_id() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = crate::telemetry::span_layer(provider.tracer("test"));
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let good = Server::start(Then::Answer(OK)).await;
    let bad = Server::start(Then::Answer(
        "HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let lost = Server::start(Then::Close).await;
    let http = client();
    http.send(post(good.url())).await.unwrap();
    http.send(post(bad.url())).await.unwrap();
    http.send(post(lost.url())).await.unwrap_err();
    drop(guard);

    let spans = exporter.get_finished_spans().unwrap();
    let value = |span: usize, key: &str| {
        spans[span]
            .attributes
            .iter()
            .find(|kv| kv.key.as_str() == key)
            .map(|kv| kv.value.to_string())
    };
    for span in &spans {
        assert_eq!(span.name, "POST /{page-id}/feed");
        assert_eq!(span.span_kind, opentelemetry::trace::SpanKind::Client);
        let mut keys: Vec<&str> = span.attributes.iter().map(|kv| kv.key.as_str()).collect();
        keys.sort_unstable();
        let all = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), all, "duplicate keys: {keys:?}");
        let text = format!("{span:?}");
        assert!(!text.contains(TOKEN) && !text.contains("/123/"), "{text}");
    }
    assert_eq!(
        value(0, "http.response.status_code").as_deref(),
        Some("200")
    );
    assert_eq!(
        (value(0, "error.type"), value(1, "error.type").as_deref()),
        (None, Some("429"))
    );
    assert_eq!(value(2, "error.type").as_deref(), Some("transport"));
    assert_eq!(spans[0].status, opentelemetry::trace::Status::Unset);
    assert!(matches!(
        spans[1].status,
        opentelemetry::trace::Status::Error { .. }
    ));
    assert!(matches!(
        spans[2].status,
        opentelemetry::trace::Status::Error { .. }
    ));

    let metrics = http.metrics.render();
    for labels in [
        "status_class=\"2xx\",error_type=\"\"",
        "status_class=\"4xx\",error_type=\"http_status\"",
        "status_class=\"none\",error_type=\"transport\"",
    ] {
        assert!(metrics.contains(labels), "{labels} is not in {metrics}");
    }
}

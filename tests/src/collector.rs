//! An OTLP collector inside a test: the spans of processes under test, as somebody outside of them sees them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, span::Link, status::StatusCode},
};
use tonic::{
    Request, Response, Status,
    codec::CompressionEncoding,
    transport::{Server, server::TcpIncoming},
};

pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::background;

/// Receives spans over gRPC for as long as the test's process lives. Clones are the same one.
#[derive(Clone)]
pub struct Collector {
    received: Received,
    address: SocketAddr,
}

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

/// A span with its ids and values as text.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedSpan {
    /// `service.name` of the process that it comes from.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: SpanKind,
    /// The trace id, in hex.
    pub trace: String,
    /// The span id, in hex.
    pub id: String,
    /// The parent's span id; `None` = a root.
    pub parent: Option<String>,
    /// Attributes in the order in which they were sent, repeated keys included.
    pub attributes: Vec<(String, String)>,
    /// Links.
    pub links: Vec<ExportedLink>,
    /// Whether its status is an error.
    pub failed: bool,
    /// How many span events it carries.
    pub events: usize,
}

/// A link of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedLink {
    /// The trace id, in hex.
    pub trace: String,
    /// The span id, in hex.
    pub id: String,
    /// What our attribute `link.kind` says.
    pub kind: Option<String>,
}

impl ExportedSpan {
    /// An attribute's value; the first where a key is repeated.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }

    /// The link of a kind.
    #[must_use]
    pub fn link(&self, kind: &str) -> Option<&ExportedLink> {
        self.links
            .iter()
            .find(|link| link.kind.as_deref() == Some(kind))
    }
}

impl Collector {
    /// Starts to listen on a free port.
    #[must_use]
    pub fn start() -> Self {
        let received = Received::default();
        let service =
            TraceServiceServer::new(received.clone()).accept_compressed(CompressionEncoding::Gzip);
        let (tell, told) = mpsc::channel();
        background::serve("collector", async move {
            let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
            tell.send(incoming.local_addr().expect("an address"))
                .expect("the test waits for it");
            let served = Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await;
            served.expect("the collector serves");
        });
        let address = told.recv().expect("the collector listens");
        Self { received, address }
    }

    /// What to set `telemetry.otlp_endpoint` to.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span so far, in the order of arrival.
    #[must_use]
    pub fn spans(&self) -> Vec<ExportedSpan> {
        let requests = self.received.all();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let mut spans = Vec::new();
        for resource in resources {
            let attributes = resource
                .resource
                .iter()
                .flat_map(|resource| &resource.attributes);
            let mut named = attributes.filter(|pair| pair.key == "service.name");
            let service = named.next().map(|pair| text(pair.value.as_ref()));
            let service = service.unwrap_or_default();
            let scopes = resource.scope_spans.iter();
            spans.extend(
                scopes
                    .flat_map(|scope| &scope.spans)
                    .map(|span| exported(&service, span)),
            );
        }
        spans
    }

    /// Everything that was received as one text, resources and all, for looking for what must not be in it.
    #[must_use]
    pub fn everything(&self) -> String {
        let everything = format!("{:?}", self.received.all());
        // Bytes are printed as numbers, and a search for a text would pass over them.
        assert!(
            !everything.contains("BytesValue"),
            "a span carries bytes, which a search for text does not see"
        );
        everything
    }
}

impl Received {
    fn all(&self) -> Vec<ExportTraceServiceRequest> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn exported(service: &str, span: &Span) -> ExportedSpan {
    let failed = span
        .status
        .as_ref()
        .is_some_and(|status| status.code == StatusCode::Error as i32);
    ExportedSpan {
        service: service.to_owned(),
        name: span.name.clone(),
        kind: SpanKind::try_from(span.kind).unwrap_or(SpanKind::Unspecified),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
        attributes: pairs(&span.attributes),
        links: span.links.iter().map(link).collect(),
        failed,
        events: span.events.len(),
    }
}

fn link(link: &Link) -> ExportedLink {
    let kind = pairs(&link.attributes)
        .into_iter()
        .find(|(key, _)| key == "link.kind");
    ExportedLink {
        trace: hex(&link.trace_id),
        id: hex(&link.span_id),
        kind: kind.map(|(_, value)| value),
    }
}

fn pairs(attributes: &[KeyValue]) -> Vec<(String, String)> {
    attributes
        .iter()
        .map(|pair| (pair.key.clone(), text(pair.value.as_ref())))
        .collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(yes)) => yes.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes every write");
            text
        })
}

//! Rules that hold for every span of every process.

use std::collections::HashSet;

use mooring_tests::{ExportedSpan, SpanKind};

use super::Spans;

/// Names that the conventions have given up, and names that would carry a URL's query or an error's text.
const FORBIDDEN: [&str; 24] = [
    "messaging.operation",
    "messaging.destination",
    "messaging.message_id",
    "messaging.conversation_id",
    "messaging.protocol",
    "messaging.url",
    "messaging.consumer_id",
    "messaging.kafka.client_id",
    "http.method",
    "http.url",
    "http.target",
    "http.host",
    "http.scheme",
    "http.status_code",
    "http.user_agent",
    "net.peer.name",
    "net.peer.port",
    "peer.service",
    "db.system",
    "db.statement",
    "db.operation",
    "url.full",
    "url.query",
    "exception.message",
];

/// Holds every rule against every span.
pub(crate) fn hold(spans: &Spans) {
    assert!(!spans.0.is_empty(), "nothing was exported");
    let mut wrong = Vec::new();
    for span in &spans.0 {
        wrong.extend(
            broken(spans, span)
                .into_iter()
                .map(|rule| format!("{} ({}): {rule}", span.name, span.service)),
        );
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn broken(spans: &Spans, span: &ExportedSpan) -> Vec<String> {
    let mut wrong = identity(spans, span);
    wrong.extend(attributes(span));
    wrong.extend(links(spans, span));
    if span
        .attributes
        .iter()
        .any(|(key, _)| key.starts_with("messaging."))
    {
        wrong.extend(messaging(span));
    }
    if span.kind == SpanKind::Client && span.attribute("db.system.name").is_none() {
        wrong.extend(http(span));
    }
    wrong
}

fn identity(spans: &Spans, span: &ExportedSpan) -> Vec<String> {
    let mut wrong = Vec::new();
    if span.trace.len() != 32 || span.id.len() != 16 || is_zero(&span.trace) || is_zero(&span.id) {
        wrong.push("its ids are not valid".to_owned());
    }
    let parent = span.parent.as_deref().map(|id| spans.by_id(id));
    if let Some(parent) = parent
        && parent.is_none_or(|parent| parent.trace != span.trace)
    {
        wrong.push("its parent was not exported in its trace".to_owned());
    }
    wrong
}

fn attributes(span: &ExportedSpan) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut keys = HashSet::new();
    for (key, value) in &span.attributes {
        if !keys.insert(key) {
            wrong.push(format!("{key} stands on it twice"));
        }
        if FORBIDDEN.contains(&key.as_str()) {
            wrong.push(format!("{key} must not be used"));
        }
        if key.starts_with("otel.") {
            wrong.push(format!(
                "{key} is an instruction to the exporter, no attribute"
            ));
        }
        if value.is_empty() {
            wrong.push(format!("{key} is empty"));
        }
    }
    if span.events > 0 {
        wrong.push("it carries span events; those are log lines".to_owned());
    }
    if span.failed != span.attribute("error.type").is_some() {
        wrong.push(format!(
            "error.type is {:?} and failed is {}",
            span.attribute("error.type"),
            span.failed
        ));
    }
    wrong
}

/// Every link says what it is and leads to a span that was exported.
fn links(spans: &Spans, span: &ExportedSpan) -> Vec<String> {
    let mut wrong = Vec::new();
    for link in &span.links {
        let kind = link.kind.as_deref().unwrap_or("without a kind");
        if is_zero(&link.trace) || is_zero(&link.id) {
            wrong.push(format!(
                "its link ({kind}) leads to no span: the ids are zero"
            ));
        } else if spans
            .by_id(&link.id)
            .is_none_or(|target| target.trace != link.trace)
        {
            wrong.push(format!(
                "its link ({kind}) leads to a span that was not exported"
            ));
        }
        if link.kind.is_none() {
            wrong.push("a link does not say its kind".to_owned());
        }
    }
    wrong
}

fn messaging(span: &ExportedSpan) -> Vec<String> {
    let mut wrong = Vec::new();
    let value = |key| span.attribute(key).unwrap_or_default();
    for key in [
        "messaging.system",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.destination.name",
    ] {
        if value(key).is_empty() {
            wrong.push(format!("{key} is missing"));
        }
    }
    let kind = match value("messaging.operation.type") {
        // Our sends are the creation context of what is processed, hence producers.
        "create" | "send" => SpanKind::Producer,
        "process" => SpanKind::Consumer,
        other => return vec![format!("{other:?} is no operation type of ours")],
    };
    if span.kind != kind {
        wrong.push(format!("it is {:?} and should be {kind:?}", span.kind));
    }
    if !span
        .name
        .starts_with(&format!("{} ", value("messaging.operation.name")))
    {
        wrong.push("its name does not begin with its operation".to_owned());
    }
    wrong
}

fn http(span: &ExportedSpan) -> Vec<String> {
    let mut wrong = Vec::new();
    let method = span.attribute("http.request.method").unwrap_or_default();
    let template = span.attribute("url.template").unwrap_or_default();
    if method.is_empty() || span.name != format!("{method} {template}") {
        wrong.push("its name is not method and template".to_owned());
    }
    for key in ["server.address", "server.port"] {
        if span.attribute(key).is_none() {
            wrong.push(format!("{key} is missing"));
        }
    }
    if span.attribute("http.response.status_code").is_none() && !span.failed {
        wrong.push("it has neither a status code nor an error".to_owned());
    }
    if span.attributes.iter().any(|(_, value)| value.contains('?')) || span.name.contains('?') {
        wrong.push("it shows a URL's query".to_owned());
    }
    wrong
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}

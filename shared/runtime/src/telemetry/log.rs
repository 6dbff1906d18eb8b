//! One JSON object per line: `timestamp, severity, event.name, message, trace_id, span_id, service.name`, then the
//! fields of the surrounding spans, outermost first, then the fields of the event.

use std::fmt;

use chrono::{DateTime, SecondsFormat};
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::scrub;
use crate::clock::system_ms;

/// The log format.
pub(super) struct JsonLines {
    service: String,
}

impl JsonLines {
    pub(super) fn new(service: String) -> Self {
        Self { service }
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let now = DateTime::from_timestamp_millis(system_ms()).unwrap_or_default();
        line.insert(
            "timestamp".into(),
            now.to_rfc3339_opts(SecondsFormat::Millis, true).into(),
        );
        line.insert(
            "severity".into(),
            severity(*event.metadata().level()).into(),
        );
        line.insert("target".into(), event.metadata().target().into());
        line.insert("service.name".into(), self.service.as_str().into());
        opentelemetry::Context::map_current(|current| {
            let span = current.span();
            let context = span.span_context();
            if context.is_valid() {
                line.insert("trace_id".into(), context.trace_id().to_string().into());
                line.insert("span_id".into(), context.span_id().to_string().into());
            }
        });
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                let fields: Map<String, Value> =
                    serde_json::from_str(fields.as_str()).unwrap_or_default();
                line.extend(
                    fields
                        .into_iter()
                        .filter(|(key, _)| !key.starts_with("otel."))
                        .map(scrubbed),
                );
            }
        }
        event.record(&mut Fields(&mut line));
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The names of OpenTelemetry's severity levels.
fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

fn scrubbed((key, value): (String, Value)) -> (String, Value) {
    match value {
        Value::String(text) => (key, scrub(&text).into_owned().into()),
        other => (key, other),
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let (key, value) = scrubbed((field.name().to_owned(), value.into()));
        self.0.insert(key, value);
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::fmt::writer::BoxMakeWriter;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::telemetry::{log_layer, span_layer};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, body: impl FnOnce()) -> Vec<Value> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let provider = SdkTracerProvider::builder().build();
        let format = JsonLines::new("mooring-worker".to_owned());
        let writer = BoxMakeWriter::new(move || writer.clone());
        let logs = log_layer(format, filter.parse().unwrap(), writer);
        let subscriber = tracing_subscriber::registry()
            .with(span_layer(provider.tracer("t")))
            .with(logs);
        tracing::subscriber::with_default(subscriber, body);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_carries_the_required_keys_the_span_fields_and_its_own() {
        let mut trace_id = String::new();
        let lines = logged("info", || {
            let span = tracing::info_span!(
                "process",
                otel.kind = "consumer",
                job.kind = "publish",
                late = tracing::field::Empty
            );
            span.in_scope(|| {
                tracing::Span::current().record("late", true);
                trace_id = crate::trace::current().trace_id().to_string();
                tracing::warn!(event.name = "publish.retry", attempt = 2, error = %"line\nbreak", "trying again");
            });
            tracing::info!(event.name = "outside", "no span");
        });
        let [inside, outside] = lines.as_slice() else {
            panic!("two lines expected: {lines:?}")
        };
        assert_eq!(inside["severity"], "WARN");
        assert_eq!(inside["event.name"], "publish.retry");
        assert_eq!(inside["message"], "trying again");
        assert_eq!(inside["service.name"], "mooring-worker");
        assert_eq!(inside["job.kind"], "publish");
        assert_eq!(inside["late"], true);
        assert_eq!(inside["attempt"], 2);
        assert_eq!(inside["error"], "line\nbreak");
        assert_eq!(inside["trace_id"], trace_id);
        assert_eq!(inside["span_id"].as_str().unwrap().len(), 16);
        assert!(DateTime::parse_from_rfc3339(inside["timestamp"].as_str().unwrap()).is_ok());
        assert!(inside.get("otel.kind").is_none());
        assert!(outside.get("trace_id").is_none());
    }

    #[test]
    fn tokens_that_reach_a_log_by_mistake_are_scrubbed() {
        let lines = logged("info", || {
            let span = tracing::info_span!("call", url = "https://h/me?access_token=hunter2&x=1");
            span.in_scope(|| {
                tracing::info!(header = "Bearer hunter2", "GET /me?access_token=hunter2");
            });
        });
        let line = lines[0].to_string();
        assert!(!line.contains("hunter2"), "{line}");
        assert!(line.contains("x=1"), "{line}");
    }

    #[test]
    fn a_quiet_log_keeps_the_spans_and_their_fields() {
        let lines = logged("warn,mooring_runtime=error", || {
            tracing::info_span!("process", job.kind = "publish").in_scope(|| {
                assert!(crate::trace::current().is_valid());
                tracing::warn!("too quiet to be written");
                tracing::error!("written");
            });
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "written");
        assert_eq!(lines[0]["job.kind"], "publish");
    }
}

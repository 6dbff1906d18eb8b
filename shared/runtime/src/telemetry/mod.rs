//! JSON logs on standard output, spans to an OTLP collector.
//!
//! The exporter is built inside the tokio runtime, sends over gRPC with gzip from a thread of its own, and drops
//! spans instead of slowing the work when the collector is away. `OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER=none`,
//! `OTEL_TRACES_SAMPLER[_ARG]`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and the `OTEL_EXPORTER_OTLP_*`
//! variables are honoured.

mod log;
mod sampling;
mod scrub;

use std::time::Duration;

use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    Compression, ExporterBuildError, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, TracerProviderBuilder,
};
use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};
use uuid::Uuid;

use crate::config::TelemetryConfig;
use crate::trace::{KeyValue, StoryIds, TRACER};

pub use sampling::HeadSampling;
pub use scrub::scrub;

/// How long an export may take before its batch is dropped.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the last spans may take at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTo {
    /// Standard output: for roles, whose output is their log.
    Stdout,
    /// Standard error: for commands, whose output is their result.
    Stderr,
}

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The exporter refuses its configuration.
    #[error(
        "cannot export traces: check telemetry.otlp_endpoint and the OTEL_EXPORTER_OTLP_* variables"
    )]
    Exporter(#[source] ExporterBuildError),
    /// The log filter cannot be read.
    #[error("telemetry.log is no log filter: write for example info,mooring_workers=debug")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// Something else has installed a subscriber in this process.
    #[error("logging is already set up in this process: install telemetry once")]
    Installed(#[source] tracing_subscriber::util::TryInitError),
}

/// The installed telemetry of a process. Flush it as the last act.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Installs logs and traces for the whole process. Call it once, inside the tokio runtime.
    ///
    /// # Errors
    /// See [`TelemetryError`]. An unreachable collector is no error.
    pub fn install(
        config: &TelemetryConfig,
        role: &str,
        process: Uuid,
        to: LogTo,
    ) -> Result<Self, TelemetryError> {
        let service = variable("OTEL_SERVICE_NAME")
            .unwrap_or_else(|| format!("{}-{role}", config.service_name));
        let filter: EnvFilter = config.log.parse().map_err(TelemetryError::Filter)?;
        let provider =
            build_provider(config, &service, process).map_err(TelemetryError::Exporter)?;
        let spans = provider
            .as_ref()
            .map(|provider| span_layer(provider.tracer(TRACER)));
        let writer = match to {
            LogTo::Stdout => BoxMakeWriter::new(std::io::stdout),
            LogTo::Stderr => BoxMakeWriter::new(std::io::stderr),
        };
        registry()
            .with(spans)
            .with(log_layer(log::JsonLines::new(service), filter, writer))
            .try_init()
            .map_err(TelemetryError::Installed)?;
        if let Some(provider) = &provider {
            global::set_tracer_provider(provider.clone());
        }
        log_panics();
        Ok(Self { provider })
    }

    /// Sends what is still buffered and stops exporting; at most five seconds. Exporting blocks, so it happens on
    /// a thread for blocking work.
    pub async fn flush(self) {
        let Some(provider) = self.provider else {
            return;
        };
        let flushed =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT))
                .await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(event.name = "telemetry.flush_failed", %error, "the last spans may be lost");
        }
    }
}

/// A provider as every process has it, apart from its exporter: it samples by story and knows story ids. For tests
/// that look at spans themselves.
#[must_use]
pub fn provider_builder(sampling: HeadSampling) -> TracerProviderBuilder {
    SdkTracerProvider::builder()
        .with_sampler(sampling)
        .with_id_generator(StoryIds::default())
}

/// The layer that turns `tracing` spans into exported spans. It carries no events: those are log lines, and a span
/// event would be a second, unfiltered copy of them.
#[must_use]
pub fn span_layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_span))
}

/// Spans of level info and above exist whatever the log filter says, so that a quiet log costs neither the traces
/// nor the span fields in the lines that remain.
fn is_span(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= tracing::Level::INFO
}

fn log_layer<S>(format: log::JsonLines, filter: EnvFilter, writer: BoxMakeWriter) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .event_format(format)
        .fmt_fields(JsonFields::new())
        .with_writer(writer)
        .with_filter(filter_fn(is_span).or(filter))
}

fn build_provider(
    config: &TelemetryConfig,
    service: &str,
    process: Uuid,
) -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    let by_variable = variable("OTEL_EXPORTER_OTLP_ENDPOINT")
        .or_else(|| variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
    let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true"))
        || variable("OTEL_TRACES_EXPORTER").is_some_and(|v| v == "none");
    if disabled || (config.otlp_endpoint.is_none() && by_variable.is_none()) {
        return Ok(None);
    }
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_compression(Compression::Gzip)
        .with_timeout(EXPORT_TIMEOUT);
    if let Some(endpoint) = &config.otlp_endpoint {
        exporter = exporter.with_endpoint(endpoint);
    }
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(8_192)
        .with_max_export_batch_size(512)
        .with_scheduled_delay(Duration::from_secs(1))
        .build();
    let processor = BatchSpanProcessor::builder(exporter.build()?)
        .with_batch_config(batches)
        .build();
    let provider = provider_builder(HeadSampling::in_force(config, variable))
        .with_resource(resource(config, service, process))
        .with_span_processor(processor)
        .build();
    Ok(Some(provider))
}

fn resource(config: &TelemetryConfig, service: &str, process: Uuid) -> Resource {
    let mut attributes = vec![
        KeyValue::new("service.name", service.to_owned()),
        KeyValue::new("service.namespace", config.service_name.clone()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", process.to_string()),
        KeyValue::new("deployment.environment.name", config.environment.clone()),
    ];
    attributes.extend(variable("POD_NAME").map(|pod| KeyValue::new("k8s.pod.name", pod)));
    Resource::builder().with_attributes(attributes).build()
}

/// Panics become log lines too, with the place and without a backtrace.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let location = panic.location().map(ToString::to_string);
        tracing::error!(
            event.name = "process.panic",
            location,
            error = message,
            "a panic"
        );
    }));
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

//! Labels and histogram bounds. Every label is a `&'static str`, apart from the exemplar's trace id.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::MetricConstructor;
use prometheus_client::metrics::histogram::Histogram;

/// Bounds in seconds: OpenTelemetry's advice for durations, extended for media publishing.
const SECONDS: [f64; 19] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    120.0, 300.0, 600.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Finished {
    pub(super) kind: &'static str,
    pub(super) platform: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Hook {
    pub(super) platform: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Told {
    pub(super) platform: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Kind {
    pub(super) kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct KindPlatform {
    pub(super) kind: &'static str,
    pub(super) platform: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Reason {
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct What {
    pub(super) what: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Lane {
    pub(super) lane: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ProviderCall {
    pub(super) provider: &'static str,
    pub(super) operation: &'static str,
    pub(super) status_class: &'static str,
    pub(super) error_type: &'static str,
}

/// The exemplar of a histogram: the trace in which the value was seen.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct TraceLabel {
    pub(super) trace_id: String,
}

/// Makes histograms of seconds; a type of its own because a family of closures has no name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds;

impl MetricConstructor<HistogramWithExemplars<TraceLabel>> for Seconds {
    fn new_metric(&self) -> HistogramWithExemplars<TraceLabel> {
        HistogramWithExemplars::new(SECONDS.into_iter())
    }
}

/// A commit takes a few milliseconds; beyond a second the database is in trouble.
pub(super) fn persist_histogram() -> Histogram {
    Histogram::new([
        0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0,
    ])
}

/// Makes histograms of attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempts;

impl MetricConstructor<Histogram> for Attempts {
    fn new_metric(&self) -> Histogram {
        Histogram::new([1.0, 2.0, 3.0, 5.0, 10.0])
    }
}

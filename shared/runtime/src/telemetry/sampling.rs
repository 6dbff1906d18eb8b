//! Which traces are exported: decided once per trace, from its id alone.

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::config::TelemetryConfig;
use crate::trace::is_story;

/// The head sampler. A span under an ordinary parent follows it; a root span and a span under a
/// [story](crate::trace::story) are judged by their trace id, so every process reaches the same answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeadSampling {
    /// Every trace.
    On,
    /// No trace, whatever a parent says.
    Off,
    /// This share of traces, from 0 to 1.
    Ratio(f64),
}

impl HeadSampling {
    /// Reads `always_on`, `always_off` or a ratio.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "always_on" => Some(Self::On),
            "always_off" => Some(Self::Off),
            ratio => ratio
                .parse()
                .ok()
                .filter(|r| (0.0..=1.0).contains(r))
                .map(Self::Ratio),
        }
    }

    /// What the standard variables ask for, else what the configuration says.
    pub(super) fn in_force(
        config: &TelemetryConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let argument = || variable("OTEL_TRACES_SAMPLER_ARG").and_then(|ratio| Self::parse(&ratio));
        let by_variable = variable("OTEL_TRACES_SAMPLER").and_then(|name| {
            match name.trim_start_matches("parentbased_") {
                "traceidratio" => Some(argument().unwrap_or(Self::On)),
                other => Self::parse(other),
            }
        });
        by_variable
            .or_else(|| Self::parse(&config.sampler))
            .unwrap_or(Self::On)
    }

    fn takes(self, trace_id: TraceId) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
            Self::Ratio(ratio) => {
                // The last four bytes: the rest of a UUID of version 7 is time, constants and a counter, which
                // consecutive ids share.
                let [.., a, b, c, d] = trace_id.to_bytes();
                f64::from(u32::from_be_bytes([a, b, c, d])) < ratio * (f64::from(u32::MAX) + 1.0)
            }
        }
    }
}

impl ShouldSample for HeadSampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        _name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let parent = parent
            .map(|context| context.span().span_context().clone())
            .filter(SpanContext::is_valid);
        let sampled = match (&parent, self) {
            (_, Self::Off) => false,
            (Some(parent), _) if !is_story(parent) => parent.is_sampled(),
            _ => self.takes(trace_id),
        };
        SamplingResult {
            decision: if sampled {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            },
            attributes: Vec::new(),
            trace_state: parent.map_or_else(TraceState::default, |p| p.trace_state().clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplers_are_read() {
        assert_eq!(HeadSampling::parse("always_on"), Some(HeadSampling::On));
        assert_eq!(
            HeadSampling::parse(" 0.25 "),
            Some(HeadSampling::Ratio(0.25))
        );
        for bad in ["", "sometimes", "-0.1", "1.1", "NaN"] {
            assert_eq!(HeadSampling::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_standard_variables_win() {
        let config = TelemetryConfig {
            sampler: "0.5".to_owned(),
            ..TelemetryConfig::default()
        };
        let with = |sampler: &'static str, argument: &'static str| {
            HeadSampling::in_force(&config, move |name| {
                let value = if name == "OTEL_TRACES_SAMPLER" {
                    sampler
                } else {
                    argument
                };
                (!value.is_empty()).then(|| value.to_owned())
            })
        };
        assert_eq!(with("", ""), HeadSampling::Ratio(0.5));
        assert_eq!(with("always_off", ""), HeadSampling::Off);
        assert_eq!(with("parentbased_always_on", ""), HeadSampling::On);
        assert_eq!(
            with("parentbased_traceidratio", "0.1"),
            HeadSampling::Ratio(0.1)
        );
        assert_eq!(with("traceidratio", ""), HeadSampling::On);
        assert_eq!(with("jaeger_remote", ""), HeadSampling::Ratio(0.5));
    }

    #[test]
    fn the_ends_of_the_ratio_take_none_and_all() {
        for id in [
            TraceId::from(0x0190_0000_0000_7000_8000_0000_0000_0000_u128),
            TraceId::from(u128::MAX),
        ] {
            assert!(!HeadSampling::Ratio(0.0).takes(id));
            assert!(HeadSampling::Ratio(1.0).takes(id));
        }
    }
}

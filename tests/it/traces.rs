//! What a collector sees: one publish is one trace from its order to its proof, and every span keeps the rules.
//!
//! The spans come from real processes over OTLP. Facts: OpenTelemetry's messaging and HTTP conventions.

mod publish;
mod refresh;
mod rules;

use mooring_tests::ExportedSpan;

/// Exported spans, to be asked.
pub(crate) struct Spans(pub(crate) Vec<ExportedSpan>);

impl Spans {
    /// The spans of one trace.
    pub(crate) fn of_trace(&self, trace: &str) -> Self {
        Self(
            self.0
                .iter()
                .filter(|span| span.trace == trace)
                .cloned()
                .collect(),
        )
    }

    /// All spans of that name.
    pub(crate) fn named(&self, name: &str) -> Vec<&ExportedSpan> {
        self.0.iter().filter(|span| span.name == name).collect()
    }

    /// The one span of that name.
    pub(crate) fn one(&self, name: &str) -> &ExportedSpan {
        let named = self.named(name);
        assert_eq!(named.len(), 1, "{name} among {:?}", self.names());
        named[0]
    }

    /// The span with that id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&ExportedSpan> {
        self.0.iter().find(|span| span.id == id)
    }

    /// The children of a span.
    pub(crate) fn children(&self, parent: &ExportedSpan) -> Vec<&ExportedSpan> {
        let children = self
            .0
            .iter()
            .filter(|span| span.parent.as_deref() == Some(&parent.id));
        children.filter(|span| span.trace == parent.trace).collect()
    }

    /// Names, for messages.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|span| span.name.as_str()).collect()
    }
}

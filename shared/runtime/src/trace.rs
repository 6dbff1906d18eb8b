//! Trace contexts: the story of a job, what travels in an envelope, and how a span gets parent and links.
//!
//! **A story is a trace whose ids follow from a UUID of ours.** Whoever knows a target's id knows the trace that
//! tells all about it, so nothing has to be stored or carried for schedule, publish and verify to end up in one
//! trace, and a lost envelope cannot tear it apart. [`start_story`] exports the root span once, at the cause;
//! [`story`] is the same context as a remote parent, wherever the story goes on.
//!
//! Spans of jobs and calls are made in this order, which [`adopt`] keeps: create, set the parent, add links, and
//! only then enter or instrument; a span that was entered can no longer change its parent.

use std::borrow::Cow;
use std::cell::Cell;

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer,
};
use opentelemetry::{Context, global};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing_opentelemetry::{OpenTelemetrySpanExt, SetParentError};
use uuid::Uuid;

pub use opentelemetry::KeyValue;
pub use opentelemetry::trace::SpanContext;

/// The length of a W3C `traceparent` of version 00.
pub const TRACEPARENT_BYTES: usize = 55;

/// The name of the instrumentation scope of all our spans.
pub(crate) const TRACER: &str = "mooring";

thread_local! {
    /// The ids of the story that is being started on this thread, for the span that is created next.
    static NEXT_IDS: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// The remote, sampled parent context of a story: the trace id is the UUID, the span id its last eight bytes.
///
/// Whether spans under it are exported is decided by the configured sampler from the trace id, everywhere alike.
/// The nil UUID is no story; spans under it begin a trace of their own.
#[must_use]
pub fn story(id: Uuid) -> SpanContext {
    let (trace_id, span_id) = story_ids(id);
    SpanContext::new(
        trace_id,
        span_id,
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    )
}

/// Exports the root span of a story: a producer span with exactly the ids of [`story`]. Call it once, where the
/// cause is stored. `links` name their kind, for example `("scheduler.tick", tick)`. Returns the story.
pub fn start_story(
    name: impl Into<Cow<'static, str>>,
    id: Uuid,
    attributes: Vec<KeyValue>,
    links: &[(&'static str, SpanContext)],
) -> SpanContext {
    start_story_on(&global::tracer(TRACER), name.into(), id, attributes, links)
}

fn start_story_on<T: Tracer>(
    tracer: &T,
    name: Cow<'static, str>,
    id: Uuid,
    attributes: Vec<KeyValue>,
    links: &[(&'static str, SpanContext)],
) -> SpanContext {
    let links = links
        .iter()
        .map(|(kind, context)| Link::new(context.clone(), vec![link_kind(kind)], 0))
        .collect();
    let builder = SpanBuilder::from_name(name)
        .with_kind(SpanKind::Producer)
        .with_attributes(attributes)
        .with_links(links);
    let ids = story_ids(id);
    if ids.0 != TraceId::INVALID {
        NEXT_IDS.set(Some(ids));
    }
    // An empty context makes it a root, and the SDK asks for both ids on this thread before it returns.
    let mut span = tracer.build_with_context(builder, &Context::new());
    NEXT_IDS.set(None);
    span.end();
    story(id)
}

/// True for a context that [`story`] has made.
pub(crate) fn is_story(context: &SpanContext) -> bool {
    context.is_remote() && context.trace_id().to_bytes()[8..] == context.span_id().to_bytes()
}

fn story_ids(id: Uuid) -> (TraceId, SpanId) {
    let bytes = *id.as_bytes();
    let (_, low) = bytes.split_at(8);
    let span_id = low.try_into().expect("a UUID has sixteen bytes");
    (TraceId::from_bytes(bytes), SpanId::from_bytes(span_id))
}

/// Gives a fresh span its remote parent and its links, and returns it ready to be entered or instrumented. Each link
/// names its kind, for example `("previous_attempt", attempt)`.
#[must_use]
pub fn adopt(
    span: tracing::Span,
    parent: &SpanContext,
    links: &[(&'static str, SpanContext)],
) -> tracing::Span {
    if parent.is_valid() {
        let context = Context::new().with_remote_span_context(parent.clone());
        // Without telemetry there is nothing to adopt; a span that was entered before is a mistake of the caller.
        if let Err(SetParentError::AlreadyStarted) = span.set_parent(context) {
            debug_assert!(false, "a span was entered before it got its parent");
            tracing::warn!(
                event.name = "trace.parent_lost",
                "a span was entered before it got its parent"
            );
        }
    }
    for (kind, context) in links.iter().filter(|(_, context)| context.is_valid()) {
        span.add_link_with_attributes(context.clone(), vec![link_kind(kind)]);
    }
    span
}

fn link_kind(kind: &'static str) -> KeyValue {
    KeyValue::new("link.kind", kind)
}

/// The context of the span this code runs in; invalid outside of any exported span.
#[must_use]
pub fn current() -> SpanContext {
    Context::map_current(|context| context.span().span_context().clone())
}

/// The W3C form of a context for an envelope: 55 ASCII characters. `None` when there is nothing to carry.
#[must_use]
pub fn traceparent(context: &SpanContext) -> Option<String> {
    if !context.is_valid() {
        return None;
    }
    let flags = context.trace_flags() & TraceFlags::SAMPLED;
    Some(format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        flags.to_u8()
    ))
}

/// Reads a W3C `traceparent` as a remote context. Anything else than a well-formed one of version 00 is `None`, and
/// the reader begins a new trace: a broken context never stops a job.
#[must_use]
pub fn parse_traceparent(text: &str) -> Option<SpanContext> {
    let lower_hex = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    if text.len() != TRACEPARENT_BYTES || !text.is_ascii() {
        return None;
    }
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
    if version != "00"
        || !lengths
        || parts.next().is_some()
        || ![trace, span, flags].into_iter().all(lower_hex)
    {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

/// Random ids, except for the root span of a story.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoryIds(RandomIdGenerator);

impl IdGenerator for StoryIds {
    fn new_trace_id(&self) -> TraceId {
        NEXT_IDS
            .get()
            .map_or_else(|| self.0.new_trace_id(), |(trace_id, _)| trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT_IDS
            .get()
            .map_or_else(|| self.0.new_span_id(), |(_, span_id)| span_id)
    }
}

#[cfg(test)]
mod tests;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::telemetry::{HeadSampling, provider_builder, span_layer};

/// A provider as in production, but with an exporter that keeps the spans.
fn exporting(sampling: HeadSampling) -> (SdkTracerProvider, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let provider = provider_builder(sampling)
        .with_simple_exporter(exporter.clone())
        .build();
    (provider, exporter)
}

fn finished(exporter: &InMemorySpanExporter) -> Vec<SpanData> {
    exporter.get_finished_spans().unwrap()
}

#[test]
fn a_story_is_started_with_exactly_its_ids() {
    let (provider, exporter) = exporting(HeadSampling::On);
    let tracer = provider.tracer(TRACER);
    let id = Uuid::now_v7();
    let tick =
        parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let attributes = vec![KeyValue::new("mooring.job.kind", "publish")];
    let returned = start_story_on(
        &tracer,
        "send publish".into(),
        id,
        attributes,
        &[("scheduler.tick", tick.clone())],
    );

    let spans = finished(&exporter);
    let [root] = spans.as_slice() else {
        panic!("one span expected: {spans:?}")
    };
    assert_eq!(
        root.span_context.trace_id(),
        TraceId::from_bytes(*id.as_bytes())
    );
    assert_eq!(root.span_context.span_id().to_bytes(), id.as_bytes()[8..]);
    assert_eq!(root.parent_span_id, SpanId::INVALID);
    assert_eq!(
        (root.span_kind.clone(), root.name.as_ref()),
        (SpanKind::Producer, "send publish")
    );
    assert_eq!(root.links.links[0].span_context, tick);
    assert_eq!(
        root.links.links[0].attributes,
        [KeyValue::new("link.kind", "scheduler.tick")]
    );
    assert_eq!(returned, story(id));

    tracer.start("another").end();
    let another = &finished(&exporter)[1];
    assert_ne!(
        another.span_context.trace_id(),
        root.span_context.trace_id()
    );
}

#[test]
fn a_process_that_only_knows_the_id_continues_the_story() {
    let (provider, exporter) = exporting(HeadSampling::On);
    let subscriber = tracing_subscriber::registry().with(span_layer(provider.tracer(TRACER)));
    let id = Uuid::now_v7();
    let previous = story(Uuid::now_v7());
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!(
            "process",
            otel.name = "process publish",
            otel.kind = "consumer"
        );
        let span = adopt(
            span,
            &story(id),
            &[
                ("previous_attempt", previous.clone()),
                ("none", SpanContext::NONE),
            ],
        );
        span.in_scope(|| {
            assert_eq!(current().trace_id(), story(id).trace_id());
            assert!(traceparent(&current()).is_some());
            tracing::info!("events stay out of spans");
        });
    });
    let spans = finished(&exporter);
    let [process] = spans.as_slice() else {
        panic!("one span expected: {spans:?}")
    };
    assert_eq!(process.span_context.trace_id(), story(id).trace_id());
    assert_eq!(process.parent_span_id, story(id).span_id());
    assert!(process.parent_span_is_remote);
    assert_eq!(process.span_kind, SpanKind::Consumer);
    assert_eq!(process.links.links.len(), 1);
    assert_eq!(process.links.links[0].span_context, previous);
    assert_eq!(process.events.len(), 0);
}

#[tokio::test]
async fn an_instrumented_future_and_its_children_are_in_the_story() {
    let (provider, exporter) = exporting(HeadSampling::On);
    let subscriber = tracing_subscriber::registry().with(span_layer(provider.tracer(TRACER)));
    let guard = tracing::subscriber::set_default(subscriber);
    let id = Uuid::now_v7();
    let span = adopt(tracing::info_span!("outer"), &story(id), &[]);
    async {
        async { tokio::task::yield_now().await }
            .instrument(tracing::info_span!("inner"))
            .await;
    }
    .instrument(span)
    .await;
    drop(guard);
    let spans = finished(&exporter);
    assert_eq!(spans.len(), 2);
    assert!(
        spans
            .iter()
            .all(|s| s.span_context.trace_id() == story(id).trace_id())
    );
    assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
}

#[test]
fn sampling_is_decided_by_the_story_alone() {
    let (provider, exporter) = exporting(HeadSampling::Ratio(0.5));
    let tracer = provider.tracer(TRACER);
    let mut taken = 0;
    for _ in 0..400 {
        let id = Uuid::now_v7();
        exporter.reset();
        start_story_on(&tracer, "send".into(), id, vec![], &[]);
        let context = Context::new().with_remote_span_context(story(id));
        tracer
            .build_with_context(SpanBuilder::from_name("process"), &context)
            .end();
        let spans = finished(&exporter).len();
        assert!(spans == 0 || spans == 2, "a torn story: {spans} spans");
        taken += usize::from(spans == 2);
    }
    assert!(
        (120..=280).contains(&taken),
        "{taken} of 400 sampled at 0.5"
    );
}

#[test]
fn always_off_exports_nothing_and_keeps_no_parent_waiting() {
    let (provider, exporter) = exporting(HeadSampling::Off);
    let tracer = provider.tracer(TRACER);
    let id = Uuid::now_v7();
    start_story_on(&tracer, "send".into(), id, vec![], &[]);
    let context = Context::new().with_remote_span_context(story(id));
    tracer
        .build_with_context(SpanBuilder::from_name("process"), &context)
        .end();
    assert!(finished(&exporter).is_empty());
}

#[test]
fn without_telemetry_nothing_happens() {
    let id = Uuid::now_v7();
    assert_eq!(start_story("send", id, vec![], &[]), story(id));
    adopt(
        tracing::info_span!("process"),
        &story(id),
        &[("x", story(id))],
    )
    .in_scope(|| ());
    assert_eq!(traceparent(&current()), None);
}

#[test]
fn a_traceparent_survives_the_way() {
    let id = Uuid::now_v7();
    let text = traceparent(&story(id)).unwrap();
    assert_eq!(text.len(), TRACEPARENT_BYTES);
    assert_eq!(parse_traceparent(&text), Some(story(id)));
    assert!(is_story(&parse_traceparent(&text).unwrap()));
    let unsampled =
        parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap();
    assert!(!unsampled.is_sampled() && !is_story(&unsampled));
}

#[test]
fn a_corrupt_traceparent_is_none() {
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert!(parse_traceparent(good).is_some());
    let corrupt = [
        String::new(),
        "x".repeat(55),
        good.to_uppercase(),
        good.replace("00-4b", "01-4b"),
        good.replace("00-4b", "ff-4b"),
        good.replacen('-', "_", 1),
        format!("{good}0"),
        format!("{good}{}", "0".repeat(100_000)),
        good[..54].to_owned(),
        good.replace("4bf9", "4bg9"),
        good.replace("4bf9", "4é9"),
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01".to_owned(),
        "00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01".to_owned(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7--1".to_owned(),
    ];
    for text in corrupt {
        assert_eq!(
            parse_traceparent(&text),
            None,
            "{}",
            &text[..text.len().min(60)]
        );
    }
}

#[test]
fn the_nil_id_is_no_story() {
    assert!(!story(Uuid::nil()).is_valid());
    assert_eq!(traceparent(&story(Uuid::nil())), None);
}

//! refresh: a trace of its own.

use mooring_domain::{Platform, time::minutes};
use mooring_tests::{Rig, SpanKind};

use super::{Spans, rules};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_a_refresh_is_sent_processed_and_called_in_one_trace() {
    let mut rig = Rig::start("renewal", "info").await;
    // Due at once: an access token lives for two hours, and a quarter before its end it is renewed.
    let account = rig.account(Platform::Bluesky, minutes(10));
    rig.import(&[&account]);
    rig.settle().await;
    rig.stop().await;

    let spans = Spans(rig.collector.spans());
    rules::hold(&spans);
    let sent = spans.one("send refresh");
    assert_eq!(
        (sent.kind, sent.parent.as_ref()),
        (SpanKind::Producer, None)
    );
    assert!(sent.link("scheduler.tick").is_some());
    let run = spans.one("process refresh");
    assert_eq!(
        (run.kind, run.parent.as_ref()),
        (SpanKind::Consumer, Some(&sent.id))
    );
    assert_eq!(run.attribute("mooring.outcome"), Some("success"));
    let call = spans.one("POST com.atproto.server.refreshSession");
    assert_eq!(
        (call.kind, call.parent.as_ref()),
        (SpanKind::Client, Some(&run.id))
    );
    let apply = spans.one("apply refresh");
    assert_eq!(
        (apply.kind, apply.parent.as_ref()),
        (SpanKind::Client, Some(&run.id))
    );
    let traces = [sent, run, call, apply].map(|span| &span.trace);
    assert!(traces.iter().all(|trace| *trace == traces[0]), "{traces:?}");
    let events = rig
        .store
        .events(rig.workspace, 1_000)
        .await
        .expect("the books answer");
    let told = events
        .iter()
        .any(|event| event.trace_id.as_ref() == Some(&run.trace));
    assert!(told, "the books name the trace that brought new tokens");

    let everything = rig.collector.everything();
    for (name, secret) in &account.secrets {
        assert!(!everything.contains(secret), "the {name} was exported");
    }
}

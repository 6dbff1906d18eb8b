//! publish → verify: one trace, whose id is the target's.

use mooring_domain::{
    Platform, TargetId,
    time::{days, hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_tests::{ExportedSpan, Rig, RigAccount, SpanKind};

use super::{Spans, rules};

const LOG: &str = "info";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_one_publish_is_one_trace_from_its_order_to_its_proof() {
    let mut rig = Rig::start("story", LOG).await;
    let accounts = [
        rig.account(Platform::Facebook, days(60)),
        rig.account(Platform::Bluesky, hours(2)),
    ];
    rig.import(&[&accounts[0], &accounts[1]]);
    rig.settle().await;
    let mut targets = Vec::new();
    for account in &accounts {
        targets.push(rig.post(account, "one story").await);
    }
    rig.advance(minutes(2)).await;
    rig.stop().await;

    let spans = Spans(rig.collector.spans());
    rules::hold(&spans);
    let calls = [
        ("POST /{page-id}/feed", "GET /{page-post-id}"),
        (
            "POST com.atproto.repo.putRecord",
            "GET com.atproto.repo.getRecord",
        ),
    ];
    for ((target, account), (publish, read_back)) in targets.iter().zip(&accounts).zip(calls) {
        let story = spans.of_trace(&trace_of(*target));
        let root = begins(&story, *target, account.platform);
        let sent = sent(&spans, &story, root, "publish");
        let called = processed(&story, sent[0], publish);
        assert_eq!(
            called.attribute("mooring.provider"),
            Some(account.platform.as_str())
        );
        assert_eq!(sent.len(), 1, "it was published at the first try");
        let looks = self::sent(&spans, &story, root, "verify");
        assert!(
            looks.len() >= 2,
            "at once and a minute later: {:?}",
            story.names()
        );
        for look in looks {
            processed(&story, look, read_back);
        }
        everything_is_told(&rig, &spans, &story, *target).await;
    }
    ticks_are_no_parents(&spans);
    nothing_leaves(&rig, &accounts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_a_second_try_is_told_in_the_same_trace() {
    let mut rig = Rig::start("second-try", LOG).await;
    let account = rig.account(Platform::Bluesky, hours(2));
    rig.import(&[&account]);
    rig.settle().await;
    rig.sim()
        .add_fault(Fault::new(Sim::Bluesky, "publish", FaultKind::DroppedRequest).times(1))
        .expect("a fault");
    let target = rig.post(&account, "once more").await;
    rig.advance(hours(1)).await;
    rig.stop().await;

    let spans = Spans(rig.collector.spans());
    rules::hold(&spans);
    let story = spans.of_trace(&trace_of(target));
    let root = begins(&story, target, Platform::Bluesky);
    let sent = sent(&spans, &story, root, "publish");
    assert!(
        sent.len() >= 3,
        "send, look, send again: {:?}",
        story.names()
    );
    let calls = story.named("POST com.atproto.repo.putRecord");
    let failed: Vec<_> = calls.iter().map(|call| call.failed).collect();
    assert_eq!(
        failed.iter().filter(|failed| **failed).count(),
        1,
        "one call failed: {failed:?}"
    );
    assert_eq!(calls.len(), 2, "and was repeated once");
    let runs = story.named("process publish");
    let failed = runs
        .iter()
        .find(|run| run.failed)
        .expect("the first run failed");
    assert_eq!(failed.attribute("error.type"), Some("indeterminate"));
    everything_is_told(&rig, &spans, &story, target).await;
    ticks_are_no_parents(&spans);
    nothing_leaves(&rig, &[account]);
}

/// A target's trace: its own id.
fn trace_of(target: TargetId) -> String {
    target.uuid().simple().to_string()
}

/// The root, made by the command that ordered the post.
fn begins(story: &Spans, target: TargetId, platform: Platform) -> &ExportedSpan {
    let roots: Vec<_> = story
        .0
        .iter()
        .filter(|span| span.parent.is_none())
        .collect();
    assert_eq!(roots.len(), 1, "one root: {:?}", story.names());
    let root = roots[0];
    assert_eq!(
        (root.name.as_str(), root.kind),
        ("create publish", SpanKind::Producer)
    );
    assert_eq!(
        root.id,
        trace_of(target)[16..],
        "whoever knows the target knows its story"
    );
    assert!(
        root.service.ends_with("-post"),
        "the command told it: {}",
        root.service
    );
    assert_eq!(
        root.attribute("mooring.target.id"),
        Some(target.to_string().as_str())
    );
    assert_eq!(root.attribute("mooring.platform"), Some(platform.as_str()));
    root
}

/// The sends of a kind: producers right below the root, each linked to the tick that claimed it.
fn sent<'a>(
    all: &Spans,
    story: &'a Spans,
    root: &ExportedSpan,
    kind: &str,
) -> Vec<&'a ExportedSpan> {
    let sent = story.named(&format!("send {kind}"));
    assert!(!sent.is_empty(), "no send {kind}: {:?}", story.names());
    for span in &sent {
        assert_eq!(span.kind, SpanKind::Producer, "{}", span.name);
        assert_eq!(
            span.parent.as_ref(),
            Some(&root.id),
            "{} is part of the story",
            span.name
        );
        let link = span.link("scheduler.tick").expect("a link to the tick");
        let tick = all.by_id(&link.id).expect("the tick is exported");
        assert_eq!(
            (tick.name.as_str(), tick.kind),
            ("scheduler.tick", SpanKind::Internal)
        );
        assert_ne!(tick.trace, root.trace, "the tick is no part of the story");
    }
    sent
}

/// The one run that a send led to: a consumer, its child and linked to it, with that call below it. Returns the call.
fn processed<'a>(story: &'a Spans, sent: &ExportedSpan, call: &str) -> &'a ExportedSpan {
    let runs = story.children(sent);
    assert_eq!(runs.len(), 1, "one run for one send: {:?}", story.names());
    let run = runs[0];
    assert_eq!(run.name, sent.name.replace("send ", "process "));
    assert_eq!(run.kind, SpanKind::Consumer);
    assert_eq!(
        run.link("sent").map(|link| &link.id),
        Some(&sent.id),
        "parent and link are the same span"
    );
    assert_eq!(run.attribute("mooring.outcome"), Some("success"));
    let (applies, calls): (Vec<_>, Vec<_>) = story
        .children(run)
        .into_iter()
        .filter(|span| span.kind == SpanKind::Client)
        .partition(|span| span.attribute("db.system.name").is_some());
    let written: Vec<_> = applies.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(
        written,
        [sent.name.replace("send ", "apply ")],
        "the decision is applied once"
    );
    let names: Vec<_> = calls.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, [call], "the platform is called once");
    calls[0]
}

/// No span about the target is in another trace, and the books name the same trace.
async fn everything_is_told(rig: &Rig, all: &Spans, story: &Spans, target: TargetId) {
    let trace = trace_of(target);
    let subject = target.uuid().to_string();
    let about = |span: &&ExportedSpan| span.attribute("mooring.job.subject") == Some(&subject);
    let elsewhere: Vec<_> = all
        .0
        .iter()
        .filter(about)
        .filter(|span| span.trace != trace)
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(story.0.iter().any(|span| about(&span)));
    let events = rig
        .store
        .events(rig.workspace, 1_000)
        .await
        .expect("the books answer");
    let mut named = events
        .iter()
        .filter(|event| event.subject == target.uuid())
        .filter_map(|event| event.trace_id.as_ref());
    assert_eq!(
        named.next(),
        Some(&trace),
        "an event names the trace of its cause"
    );
    assert!(named.all(|named| *named == trace));
}

fn ticks_are_no_parents(spans: &Spans) {
    let ticks = spans.named("scheduler.tick");
    assert!(!ticks.is_empty());
    for tick in ticks {
        assert!(
            spans.children(tick).is_empty(),
            "ten thousand jobs of a tick are no one's children"
        );
        assert_eq!(tick.parent, None);
    }
}

/// No trace header goes to a platform, and no token to the collector.
fn nothing_leaves(rig: &Rig, accounts: &[RigAccount]) {
    let requests = rig.wire.requests().to_ascii_lowercase();
    assert!(
        requests.contains("authorization: bearer "),
        "the tap hears headers"
    );
    for header in [
        "traceparent:",
        "tracestate:",
        "baggage:",
        "b3:",
        "x-b3-traceid:",
    ] {
        assert!(
            !requests.contains(&format!("\n{header}")),
            "{header} was sent to a platform"
        );
    }
    let exported = rig.collector.everything();
    let app = ("app secret".to_owned(), rig.app.secret.to_string());
    for (name, secret) in accounts
        .iter()
        .flat_map(|account| &account.secrets)
        .chain([&app])
    {
        assert!(!exported.contains(secret), "the {name} was exported");
    }
}

//! Each defect that was measured on apalis-redis 1.0.0, by its number, and that it is not here.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apalis::prelude::WorkerBuilderExt;
use apalis_core::error::BoxDynError;
use apalis_core::monitor::Monitor;
use apalis_core::worker::builder::WorkerBuilder;
use mooring_domain::job::JobKind;
use mooring_domain::time::{from_ms, seconds};
use mooring_queue::{Delivery, Envelope, LaneBackend, Popped, Queue, worker_name};
use mooring_runtime::{Lifecycle, SystemClock};

use crate::rig::{LANE, Owner, Rig};
use crate::server::{Server, both, eventually, in_time, process, publish, publishes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_twenty_thousand_due_at_once_are_all_delivered_once() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let rig = Rig::open(Arc::clone(&queue), 256);
        queue.push(LANE, &publishes(20_000)).await.unwrap();
        rig.until_done(20_000).await;
        assert_eq!(queue.depth(LANE).await.unwrap(), 0, "{name}");
        let (jobs, ..) = rig.stop().await;
        assert_eq!(jobs.subjects().len(), 20_000, "{name}");
    }
}

/// 100 pops of 64: the server's own time per pop in microseconds, and the commands it ran meanwhile.
async fn measure(
    server: &Server,
    queue: &dyn Queue,
    prefix: &str,
    backlog: usize,
) -> (f64, Vec<String>) {
    let fill = "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], 1e12 + i, '{\"v\":1,' .. i) end";
    let key = format!("{{{prefix}:lane:publish}}");
    for _ in 0..backlog.div_ceil(100_000) {
        let count = backlog.min(100_000).to_string();
        let offset = fill.replace(".. i)", &format!(".. i .. '{}')", rand::random::<u64>()));
        server
            .ask::<()>(&["EVAL", &offset, "1", &key, &count])
            .await;
    }
    assert_eq!(queue.depth(LANE).await.unwrap(), backlog as u64);
    server.ask::<()>(&["CONFIG", "RESETSTAT"]).await;
    for _ in 0..100 {
        assert!(!queue.pop(LANE, 64, Duration::from_secs(1)).await.is_empty());
        if backlog < 100_000 {
            queue.push(LANE, &publishes(64)).await.unwrap();
        }
    }
    let text: String = server.ask(&["INFO", "commandstats"]).await;
    let pop = text
        .lines()
        .find(|line| line.starts_with("cmdstat_bzmpop:"))
        .unwrap();
    assert!(
        pop.contains("calls=100,"),
        "one command for each pop: {pop}"
    );
    let per_call = pop
        .split("usec_per_call=")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    let names = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("cmdstat_")?.split(':').next()?.to_owned()));
    (per_call.parse().unwrap(), names.collect())
}

#[tokio::test]
async fn b2_a_backlog_of_a_million_does_not_slow_the_pop() {
    let server = Server::start().await;
    let (queue, prefix) = server.queue();
    let (small, _) = measure(&server, &*queue, &prefix, 1_000).await;
    let (queue, prefix) = server.queue();
    let (large, commands) = measure(&server, &*queue, &prefix, 1_000_000).await;
    println!("one pop of 64: {small} us at a backlog of a thousand, {large} us at a million");
    assert!(large < small * 20.0 + 200.0, "{small} us became {large} us");
    // Setting up a connection and asking for these numbers aside, a pop is the only thing that happens.
    let known = HashSet::from([
        "bzmpop",
        "info",
        "config|resetstat",
        "client|setinfo",
        "client|setname",
        "hello",
    ]);
    assert!(
        commands.iter().all(|name| known.contains(name.as_str())),
        "{commands:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b4_waiting_envelopes_keep_their_lease_and_never_outnumber_the_slots() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        // The worker accepts one job at a time, so three of four envelopes wait between lane and handler.
        let rig = Rig::gated(Arc::clone(&queue), 4, 1);
        queue.push(LANE, &publishes(10)).await.unwrap();
        for done in 0..10 {
            eventually("the slots are full", async || {
                rig.stats.delivered() == 10.min(done as u64 + 4)
            })
            .await;
            rig.until_begun(done + 1).await;
            // The handler itself refuses what was not held before.
            assert_eq!(
                rig.owner.held.lock().unwrap().len(),
                10.min(done + 4),
                "{name}"
            );
            assert_eq!(
                queue.depth(LANE).await.unwrap(),
                6_u64.saturating_sub(done as u64),
                "{name}"
            );
            rig.jobs.open(1);
            rig.until_done(done + 1).await;
        }
        rig.stop().await;
    }
}

#[tokio::test]
async fn b5_redis_holds_no_attempts_so_a_killed_process_cannot_lose_them() {
    let server = Server::start().await;
    let (queue, prefix) = server.queue();
    queue.push(LANE, &[publish(1, 7)]).await.unwrap();
    // A process takes it and is killed: nothing is given back, nothing is written down.
    let victim = queue.pop(LANE, 1, Duration::from_secs(1)).await;
    drop(queue);
    assert!(matches!(&victim[..], [Popped::Envelope(envelope)] if envelope.generation == 7));
    let left: Vec<String> = server.ask(&["KEYS", &format!("*{prefix}*")]).await;
    assert!(left.is_empty(), "{left:?}");

    // The lease ends, the scheduler claims again with the next generation, and that is what arrives.
    let (queue, prefix) = server.queue();
    let rig = Rig::open(queue.clone(), 1);
    queue.push(LANE, &[publish(1, 8)]).await.unwrap();
    rig.until_done(1).await;
    let (jobs, ..) = rig.stop().await;
    assert_eq!(jobs.seen.lock().unwrap()[0].generation, 8);
    let left: Vec<String> = server.ask(&["KEYS", &format!("*{prefix}*")]).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_poison_envelope_is_counted_reported_and_passed_by() {
    let server = Server::start().await;
    let (queue, prefix) = server.queue();
    let good = publish(1, 1);
    let newer = good.encode().replace("\"v\":1", "\"v\":2");
    let stranger = good.encode().replace("publish", "astrology");
    let key = format!("{{{prefix}:lane:publish}}");
    for poison in ["\u{0}\u{7f}", "null", &newer, &stranger] {
        server.ask::<()>(&["ZADD", &key, "0", poison]).await;
    }
    let elsewhere = Envelope {
        kind: JobKind::Check,
        ..publish(2, 1)
    };
    queue.push(LANE, &[good, elsewhere]).await.unwrap();
    let rig = Rig::open(queue, 2);
    rig.until_done(1).await;
    eventually("all poison is counted", async || {
        rig.stats.undecodable() == 5
    })
    .await;
    rig.jobs.subjects();
    let reasons = rig.owner.reasons.lock().unwrap().clone();
    assert_eq!(reasons.len(), 5);
    assert!(
        reasons.iter().all(|reason| !reason.contains("astrology")),
        "{reasons:?}"
    );
    assert!(!rig.worker.is_finished());
    rig.stop().await;
}

#[tokio::test]
async fn rule_4_4_an_envelope_past_its_lease_is_dropped_and_counted() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let late = Envelope {
            lease_until: from_ms(1),
            ..publish(1, 1)
        };
        let fresh = publish(2, 1);
        let fresh = Envelope {
            due: fresh.due + seconds(1),
            ..fresh
        };
        let rig = Rig::open(Arc::clone(&queue), 1);
        queue.push(LANE, &[late, fresh]).await.unwrap();
        rig.until_done(1).await;
        assert_eq!(rig.stats.late(), 1, "{name}");
        assert_eq!(rig.jobs.subjects(), HashSet::from([2]), "{name}");
        rig.stop().await;
    }
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

async fn panic_on_odd_subjects(delivery: Delivery) -> Result<(), BoxDynError> {
    RUNS.fetch_add(1, Ordering::SeqCst);
    assert!(
        delivery.envelope.subject.as_u128().is_multiple_of(2),
        "an odd subject"
    );
    Ok(())
}

#[tokio::test]
async fn monitor_builder_and_layers_run_on_it_and_a_panic_frees_its_slot() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        RUNS.store(0, Ordering::SeqCst);
        let lifecycle = Lifecycle::new();
        let (source, life) = (Arc::clone(&queue), lifecycle.clone());
        let monitor = Monitor::new().register(move |_| {
            let (owner, clock) = (Arc::new(Owner::default()), Arc::new(SystemClock::new()));
            let backend = LaneBackend::new(Arc::clone(&source), LANE, 2, owner, clock, &life);
            WorkerBuilder::new(worker_name(LANE, process()))
                .backend(backend)
                .catch_panic()
                .layer(tower::limit::ConcurrencyLimitLayer::new(2))
                .build(panic_on_odd_subjects)
        });
        let soft = lifecycle.soft().clone();
        let signal = async move {
            soft.cancelled().await;
            Ok(())
        };
        let running = lifecycle.spawn_short(async move { monitor.run_with_signal(signal).await });
        queue.push(LANE, &publishes(20)).await.unwrap();
        eventually("all have run on two slots", async || {
            RUNS.load(Ordering::SeqCst) == 20
        })
        .await;
        assert!(!running.is_finished(), "{name}");
        lifecycle.stop();
        in_time("the monitor ends", running).await.unwrap().unwrap();
    }
}

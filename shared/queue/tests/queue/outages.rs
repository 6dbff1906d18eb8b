//! Redis stalls, drops connections, dies and comes back empty: the same worker goes on.

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use mooring_queue::{MAX_POP, MemoryQueue, Queue, QueueError, RedisOptions, RedisQueue};
use mooring_runtime::Lifecycle;
use tokio::time::Instant;

use crate::rig::{LANE, Rig};
use crate::server::{Server, eventually, free_port, in_time, publish, publishes};

#[tokio::test]
async fn a_stall_of_700_ms_ends_nothing_and_loses_nothing() {
    let server = Arc::new(Server::start().await);
    let (queue, _) = server.queue();
    let rig = Rig::open(queue.clone(), 4);
    queue.push(LANE, &[publish(0, 1)]).await.unwrap();
    rig.until_done(1).await;
    let asleep = Arc::clone(&server);
    let stall = Lifecycle::new()
        .spawn_short(async move { asleep.ask::<()>(&["DEBUG", "SLEEP", "0.7"]).await });
    let began = Instant::now();
    while !stall.is_finished() {
        // Some of these meet the stall; none is an error.
        queue.push(LANE, &publishes(50)).await.unwrap();
    }
    assert!(
        began.elapsed() >= Duration::from_millis(600),
        "the server did stall"
    );
    queue.push(LANE, &[publish(1_000, 1)]).await.unwrap();
    eventually("the last one arrives", async || {
        rig.jobs
            .seen
            .lock()
            .unwrap()
            .iter()
            .any(|e| e.subject.as_u128() == 1_000)
    })
    .await;
    assert_eq!(queue.reconnects(), 0, "a stall is no lost connection");
    assert!(!rig.worker.is_finished());
    rig.stop().await;
}

#[tokio::test]
async fn killed_connections_end_nothing_and_nothing_is_delivered_twice() {
    let server = Server::start().await;
    let (queue, _) = server.queue();
    queue.woken(Duration::from_secs(5)).await;
    let rig = Rig::open(queue.clone(), 8);
    let mut pushed = 0;
    for _ in 0..10 {
        let batch: Vec<_> = (pushed..pushed + 100)
            .map(|subject| publish(subject, 1))
            .collect();
        queue.push(LANE, &batch).await.unwrap();
        pushed += 100;
        for kind in ["normal", "pubsub"] {
            server
                .ask::<u64>(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"])
                .await;
        }
        eventually("the lane is empty", async || {
            queue.depth(LANE).await.unwrap() == 0
        })
        .await;
    }
    eventually("the worker is quiet", async || {
        rig.jobs.done() as u64 == rig.stats.delivered()
    })
    .await;
    // An answer that was on its way in a killed connection is lost, by design: its lease ends and it comes again.
    let arrived = rig.jobs.subjects();
    let lost: Vec<_> = (0..pushed)
        .filter(|subject| !arrived.contains(subject))
        .collect();
    println!(
        "{} of {pushed} answers were lost in 10 kills and come again",
        lost.len()
    );
    assert!(lost.len() <= 10 * MAX_POP);
    let again: Vec<_> = lost.iter().map(|subject| publish(*subject, 2)).collect();
    if !again.is_empty() {
        queue.push(LANE, &again).await.unwrap();
    }
    rig.until_done(1_000).await;
    assert!(queue.reconnects() > 0);
    queue.wake().await.unwrap();
    assert!(in_time("hints arrive again", queue.woken(Duration::from_secs(20))).await);
    let (jobs, ..) = rig.stop().await;
    assert_eq!(jobs.subjects(), (0..pushed).collect::<HashSet<_>>());
}

#[tokio::test]
async fn after_redis_comes_back_empty_the_same_worker_goes_on_and_the_epoch_is_gone() {
    let mut server = Server::start().await;
    let (queue, _) = server.queue();
    queue.set_epoch(LANE, "first life").await.unwrap();
    queue.woken(Duration::from_secs(5)).await;
    let rig = Rig::open(queue.clone(), 4);
    queue.push(LANE, &publishes(10)).await.unwrap();
    rig.until_done(10).await;

    server.kill();
    let refused = queue.push(LANE, &[publish(99, 1)]).await.unwrap_err();
    assert!(refused.to_string().contains("redis"), "{refused}");
    assert!(!rig.worker.is_finished());
    server.restart().await;

    assert_eq!(queue.epoch(LANE).await.unwrap(), None);
    assert_eq!(
        queue.set_epoch(LANE, "second life").await.unwrap(),
        "second life"
    );
    let later: Vec<_> = (100..200).map(|subject| publish(subject, 1)).collect();
    queue.push(LANE, &later).await.unwrap();
    rig.until_done(110).await;
    eventually("a hint is heard", async || {
        queue.wake().await.unwrap();
        queue.woken(Duration::from_millis(200)).await
    })
    .await;
    assert!(queue.reconnects() > 0);
    let (jobs, ..) = rig.stop().await;
    assert_eq!(jobs.subjects().len(), 110);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_one_clear_error_at_the_start() {
    let options = RedisOptions::new(format!("redis://user:hunter2@127.0.0.1:{}", free_port()));
    let Err(error) = in_time("connect gives up", RedisQueue::connect(&options)).await else {
        panic!("connected to nothing");
    };
    assert!(matches!(error, QueueError::Redis { .. }), "{error:?}");
    assert!(
        error
            .source()
            .is_some_and(|cause| cause.to_string().contains("refused")),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?} {options:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_wiped_queue_in_memory_is_as_empty_as_a_restarted_redis() {
    let queue = Arc::new(MemoryQueue::new());
    queue.set_epoch(LANE, "first life").await.unwrap();
    let rig = Rig::gated(queue.clone(), 1, 1);
    queue.push(LANE, &publishes(3)).await.unwrap();
    rig.until_begun(1).await;
    queue.wipe();
    assert_eq!(
        (
            queue.depth(LANE).await.unwrap(),
            queue.epoch(LANE).await.unwrap()
        ),
        (0, None)
    );
    queue.push(LANE, &[publish(7, 1)]).await.unwrap();
    rig.jobs.open(2);
    rig.until_done(2).await;
    let (jobs, ..) = rig.stop().await;
    assert_eq!(jobs.subjects(), HashSet::from([0, 7]));
}

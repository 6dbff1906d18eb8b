//! Stopping: running handlers finish, everything else goes back, and nothing waits for anything else.

use std::sync::Arc;

use mooring_queue::Queue;

use crate::rig::{LANE, Rig};
use crate::server::{Server, both, eventually, in_time, publish, publishes};

#[tokio::test]
async fn b3_a_stop_with_500_in_flight_finishes_them_and_leaves_the_rest_on_the_lane() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let rig = Rig::gated(Arc::clone(&queue), 500, 500);
        queue.push(LANE, &publishes(800)).await.unwrap();
        rig.until_begun(500).await;
        rig.lifecycle.stop();
        rig.jobs.open(500);
        let (jobs, owner, _) = rig.stop().await;
        assert_eq!(jobs.done(), 500, "{name}");
        assert!(owner.given_back.lock().unwrap().is_empty(), "{name}");
        assert_eq!(queue.depth(LANE).await.unwrap(), 300, "{name}");
    }
}

#[tokio::test]
async fn b3_what_no_handler_has_is_given_back_while_the_500_still_run() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let rig = Rig::gated(Arc::clone(&queue), 600, 500);
        queue.push(LANE, &publishes(700)).await.unwrap();
        rig.until_begun(500).await;
        eventually("the slots are full", async || rig.stats.delivered() == 600).await;
        rig.lifecycle.stop();
        eventually("the rest is given back", async || {
            rig.stats.given_back() == 100
        })
        .await;
        assert_eq!(rig.jobs.done(), 0, "{name}: the 500 still run");
        assert!(!rig.worker.is_finished(), "{name}");
        rig.jobs.open(500);
        let (jobs, owner, _) = rig.stop().await;
        assert_eq!(jobs.done(), 500, "{name}");
        let back: Vec<_> = owner
            .given_back
            .lock()
            .unwrap()
            .iter()
            .map(|fence| fence.subject.as_u128())
            .collect();
        let ran = jobs.subjects();
        assert_eq!((back.len(), ran.len()), (100, 500), "{name}");
        assert!(back.iter().all(|subject| !ran.contains(subject)), "{name}");
        assert_eq!(queue.depth(LANE).await.unwrap(), 100, "{name}");
    }
}

#[tokio::test]
async fn what_the_last_pop_brings_after_the_stop_is_given_back() {
    let server = Server::start().await;
    let (queue, _) = server.queue();
    let rig = Rig::open(queue.clone(), 4);
    eventually("a pop waits on the server", async || {
        server.info("clients", "blocked_clients").await == 1
    })
    .await;
    rig.lifecycle.stop();
    queue.push(LANE, &[publish(1, 1)]).await.unwrap();
    let (jobs, owner, stats) = rig.stop().await;
    assert_eq!((jobs.begun(), stats.given_back()), (0, 1));
    assert_eq!(owner.given_back.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_that_is_dropped_gives_back_what_no_handler_had() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let rig = Rig::gated(Arc::clone(&queue), 4, 1);
        queue.push(LANE, &publishes(4)).await.unwrap();
        rig.until_begun(1).await;
        eventually("the slots are full", async || rig.stats.delivered() == 4).await;
        rig.worker.abort();
        eventually("the rest is given back", async || {
            rig.stats.given_back() == 3
        })
        .await;
        assert!(
            in_time("the worker is gone", rig.worker).await.is_err(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_stop_before_the_start_ends_at_once() {
    let (queues, _server) = both().await;
    for (_, queue) in queues {
        let rig = Rig::open(queue, 1);
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_stop_while_redis_is_away_does_not_hang() {
    let mut server = Server::start().await;
    let (queue, _) = server.queue();
    let rig = Rig::open(queue.clone(), 1);
    queue.push(LANE, &[publish(1, 1)]).await.unwrap();
    rig.until_done(1).await;
    server.kill();
    rig.stop().await;
    server.restart().await;
}

//! What both implementations promise.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use mooring_domain::job::Lane;
use mooring_domain::time::from_ms;
use mooring_queue::{Beat, Consumers, Envelope, Popped, Queue};
use mooring_runtime::Lifecycle;
use tokio::time::Instant;

use crate::server::{SHORT_TTL, both, eventually, in_time, process, publish, publishes};

const LANE: Lane = Lane::Publish;
const SHORT: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(20);

async fn pop(queue: &dyn Queue, max: usize) -> Vec<Envelope> {
    let popped = queue.pop(LANE, max, SHORT).await;
    let envelope = |one| match one {
        Popped::Envelope(envelope) => envelope,
        Popped::Undecodable { reason } => panic!("undecodable: {reason}"),
    };
    popped.into_iter().map(envelope).collect()
}

#[tokio::test]
async fn the_most_urgent_comes_first_and_then_the_longest_due() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let at = |subject, priority, ms| Envelope {
            priority,
            due: from_ms(ms),
            ..publish(subject, 1)
        };
        let sent = [
            at(1, 5, 3_000),
            at(2, 899, 1),
            at(3, 5, 2_000),
            at(4, 0, 9_000),
            at(5, 5, 2_001),
        ];
        queue.push(LANE, &sent).await.unwrap();
        let order: Vec<_> = pop(&*queue, 10)
            .await
            .iter()
            .map(|envelope| envelope.subject.as_u128())
            .collect();
        assert_eq!(order, [4, 3, 5, 1, 2], "{name}");
    }
}

#[tokio::test]
async fn an_envelope_arrives_as_it_was_sent_and_pushing_it_twice_is_pushing_it_once() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let traceparent =
            Some("00-019ab2f47c0071aa91bb0123456789ab-00f067aa0ba902b7-01".to_owned());
        let sent = Envelope {
            traceparent,
            ..publish(1, 1)
        };
        for _ in 0..3 {
            queue
                .push(LANE, &[sent.clone(), sent.clone()])
                .await
                .unwrap();
        }
        assert_eq!(queue.depth(LANE).await.unwrap(), 1, "{name}");
        assert_eq!(pop(&*queue, 10).await, [sent], "{name}");
    }
}

#[tokio::test]
async fn rule_4_4_a_pop_takes_at_most_what_was_asked_and_from_its_own_lane() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        queue.push(LANE, &publishes(10)).await.unwrap();
        assert!(queue.pop(Lane::Check, 5, SHORT).await.is_empty(), "{name}");
        assert!(pop(&*queue, 0).await.is_empty(), "{name}");
        assert_eq!(pop(&*queue, 3).await.len(), 3, "{name}");
        assert_eq!(queue.depth(LANE).await.unwrap(), 7, "{name}");
        assert_eq!(pop(&*queue, 64).await.len(), 7, "{name}");
        assert!(pop(&*queue, 64).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_waiting_pop_wakes_within_100_ms_of_a_push() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let mut fastest = LONG;
        for round in 0..5 {
            let waiting = Arc::clone(&queue);
            let waiter =
                Lifecycle::new().spawn_short(async move { waiting.pop(LANE, 1, LONG).await });
            tokio::task::yield_now().await;
            let pushed = Instant::now();
            queue.push(LANE, &[publish(round, 1)]).await.unwrap();
            assert_eq!(
                in_time("the pop returns", waiter).await.unwrap().len(),
                1,
                "{name}"
            );
            fastest = fastest.min(pushed.elapsed());
        }
        assert!(fastest < Duration::from_millis(100), "{name}: {fastest:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_share_a_lane_and_nobody_gets_what_another_got() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        queue.push(LANE, &publishes(2_500)).await.unwrap();
        let lifecycle = Lifecycle::new();
        let consumer = |_| {
            let queue = Arc::clone(&queue);
            lifecycle.spawn_short(async move {
                let mut got = Vec::new();
                loop {
                    let more = pop(&*queue, 7).await;
                    if more.is_empty() {
                        return got;
                    }
                    got.extend(more.into_iter().map(|envelope| envelope.subject));
                }
            })
        };
        let mut all = Vec::new();
        for consumer in (0..4).map(consumer).collect::<Vec<_>>() {
            all.extend(in_time("a consumer ends", consumer).await.unwrap());
        }
        assert_eq!(all.len(), 2_500, "{name}");
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 2_500, "{name}");
    }
}

#[tokio::test]
async fn the_first_epoch_stays_in_force() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        assert_eq!(queue.epoch(LANE).await.unwrap(), None, "{name}");
        assert_eq!(queue.set_epoch(LANE, "one").await.unwrap(), "one", "{name}");
        assert_eq!(queue.set_epoch(LANE, "two").await.unwrap(), "one", "{name}");
        assert_eq!(
            queue.epoch(LANE).await.unwrap().as_deref(),
            Some("one"),
            "{name}"
        );
        assert_eq!(queue.epoch(Lane::Check).await.unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn beats_are_added_up_and_end_with_their_time_or_on_purpose() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        let (one, two) = (process(), process());
        let beat = |process, lane, slots| Beat {
            process,
            lane,
            slots,
        };
        for beat in [
            beat(one, LANE, 4),
            beat(one, LANE, 6),
            beat(two, LANE, 10),
            beat(one, Lane::Check, 1),
        ] {
            queue.beat(&beat).await.unwrap();
        }
        assert_eq!(
            queue.consumers(LANE).await.unwrap(),
            Consumers {
                workers: 2,
                slots: 16
            },
            "{name}"
        );
        queue.retire(two).await.unwrap();
        assert_eq!(
            queue.consumers(LANE).await.unwrap(),
            Consumers {
                workers: 1,
                slots: 6
            },
            "{name}"
        );

        let until = Instant::now() + 2 * SHORT_TTL;
        while Instant::now() < until {
            queue.beat(&beat(two, LANE, 3)).await.unwrap();
            assert!(
                queue.consumers(LANE).await.unwrap().slots >= 3,
                "{name}: a living worker is seen"
            );
        }
        assert_eq!(
            queue.consumers(LANE).await.unwrap(),
            Consumers {
                workers: 1,
                slots: 3
            },
            "{name}"
        );
        eventually("silence ends a beat", async || {
            queue.consumers(LANE).await.unwrap() == Consumers::default()
        })
        .await;
        assert_eq!(
            queue.consumers(Lane::Check).await.unwrap(),
            Consumers::default(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_hint_wakes_the_scheduler_once() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        // The first call subscribes, and says so by returning early.
        queue.woken(SHORT).await;
        eventually("old hints are used up", async || !queue.woken(SHORT).await).await;
        for _ in 0..3 {
            queue.wake().await.unwrap();
        }
        assert!(in_time("a hint arrives", queue.woken(LONG)).await, "{name}");
        eventually("many hints are few", async || !queue.woken(SHORT).await).await;

        let waiting = Arc::clone(&queue);
        let waiter = Lifecycle::new().spawn_short(async move { waiting.woken(LONG).await });
        tokio::task::yield_now().await;
        queue.wake().await.unwrap();
        assert!(
            in_time("the waiter hears it", waiter).await.unwrap(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_queue_answers_pings() {
    let (queues, _server) = both().await;
    for (name, queue) in queues {
        queue.ping().await.unwrap();
        assert_eq!(queue.reconnects(), 0, "{name}");
    }
}

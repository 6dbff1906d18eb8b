//! Rule 4.1: creating and poking a job is one upsert that takes the earlier time and disturbs nobody.

use mooring_domain::{
    Decision, JobKind, Next,
    decision::{Outcome, ParkReason},
    time::{hours, minutes, seconds},
};
use uuid::Uuid;

use super::{
    desk::{after_leases, done},
    on_both, start,
};

const KIND: JobKind = JobKind::Check;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_1_a_poke_takes_the_earlier_time() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        for (at, due) in [(60, 60), (30, 30), (90, 30)] {
            desk.poke(KIND, id, now + minutes(at)).await;
            let row = desk.row(KIND, id).await;
            assert_eq!(
                (row.run_at, row.visible_at),
                (now + minutes(due), now + minutes(due))
            );
        }
        assert_eq!(desk.number("SELECT count(*) FROM jobs", []).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_1_a_poke_leaves_a_leased_job_alone() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let held = desk.take(KIND, id, now).await;
        let before = desk.row(KIND, id).await;
        for (at, wish) in [(20, 20), (-5, -5), (40, -5)] {
            desk.poke(KIND, id, now + minutes(at)).await;
            let mut row = desk.row(KIND, id).await;
            assert_eq!(row.wanted_at, Some(now + minutes(wish)));
            row.wanted_at = None;
            assert_eq!(row, before, "a poke changes nothing but the wish");
        }
        assert!(
            desk.claim(KIND, 10, now).await.is_empty(),
            "the lease holds"
        );
        assert!(
            desk.apply(held.fence, done(), now).await.fenced,
            "its holder may still act"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_1_apply_takes_the_earlier_of_next_and_wish() {
    on_both(async |desk| {
        let now = start();
        for (wish, due) in [(5, 5), (120, 60)] {
            let id = Uuid::now_v7();
            desk.poke(KIND, id, now).await;
            let held = desk.take(KIND, id, now).await;
            desk.poke(KIND, id, now + minutes(wish)).await;
            let next = Decision::new(Next::At(now + hours(1)), Outcome::Success);
            assert!(desk.apply(held.fence, next, now).await.fenced);
            let row = desk.row(KIND, id).await;
            assert_eq!(
                (row.run_at, row.visible_at),
                (now + minutes(due), now + minutes(due))
            );
            assert_eq!((row.wanted_at, row.lease_until), (None, None));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_1_a_wish_survives_done() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let held = desk.take(KIND, id, now).await;
        desk.poke(KIND, id, now + minutes(5)).await;
        assert!(desk.apply(held.fence, done(), now).await.fenced);
        let row = desk.row(KIND, id).await;
        assert_eq!(row.visible_at, now + minutes(5));
        assert_eq!((row.wanted_at, row.lease_until), (None, None));
        // Nobody wishes for it any more: now it ends.
        let held = desk.take(KIND, id, now + minutes(5)).await;
        assert!(
            desk.apply(held.fence, done(), now + minutes(5))
                .await
                .fenced
        );
        assert_eq!(desk.job(KIND, id).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_1_a_claim_takes_along_the_wish_that_is_due() {
    on_both(async |desk| {
        let now = start();
        let later = after_leases(now);
        for (wish, kept) in [
            (now + seconds(1), None),
            (later + hours(1), Some(later + hours(1))),
        ] {
            let id = Uuid::now_v7();
            desk.poke(KIND, id, now).await;
            desk.take(KIND, id, now).await;
            desk.poke(KIND, id, wish).await;
            desk.take(KIND, id, later).await;
            assert_eq!(desk.row(KIND, id).await.wanted_at, kept);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_1_a_poke_ends_no_rate_limit_and_no_poison() {
    on_both(async |desk| {
        let now = start();
        let until = now + minutes(10);
        let parks = [
            (Some(until), ParkReason::RateLimited, false),
            (Some(until), ParkReason::BackingOff, false),
            (None, ParkReason::Poison, false),
            (Some(until), ParkReason::AwaitingRefresh, true),
            (None, ParkReason::AwaitingConnection, true),
        ];
        for (until, why, ends) in parks {
            for wish_comes_first in [false, true] {
                let id = Uuid::now_v7();
                desk.poke(KIND, id, now).await;
                let held = desk.take(KIND, id, now).await;
                if wish_comes_first {
                    desk.poke(KIND, id, now).await;
                }
                let park = Decision::new(Next::Park(until, why), Outcome::Waiting(why));
                assert!(desk.apply(held.fence, park, now).await.fenced);
                if !wish_comes_first {
                    desk.poke(KIND, id, now).await;
                }
                let row = desk.row(KIND, id).await;
                let claimable = row.visible_at <= now;
                let story = format!("{why:?}, wished for before: {wish_comes_first}: {row:?}");
                assert_eq!(claimable, ends, "{story}");
                assert_eq!(row.parked.is_none(), ends, "{story}");
                // What may run runs, so that the next round is alone.
                assert_eq!(
                    desk.claim(KIND, 10, now).await.len(),
                    usize::from(ends),
                    "{story}"
                );
            }
        }
    })
    .await;
}

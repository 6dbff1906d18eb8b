//! Rule 4.6: a worker renews what it still holds, and learns what it does not.

use mooring_domain::{
    JobKind,
    job::Fence,
    time::{minutes, seconds},
};
use uuid::Uuid;

use super::{desk::done, on_both, start};

const KIND: JobKind = JobKind::Check;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_extend_renews_what_is_held_and_names_the_survivors() {
    on_both(async |desk| {
        let now = start() + seconds(1);
        let jobs = desk.checks(desk.workspace, 4, start()).await;
        let claimed = desk.claim(KIND, 10, now).await;
        let fence = |i: usize| {
            let found = claimed
                .iter()
                .find(|one| one.claim.fence.subject == jobs[i]);
            found.expect("all were claimed").claim.fence
        };
        // One ended, one was given back, one was never ours.
        desk.apply(fence(0), done(), now).await;
        desk.store
            .release(&[fence(1)])
            .await
            .expect("the books answer");
        let forged = Fence {
            generation: fence(2).generation + 1_000_000,
            ..fence(2)
        };
        let unknown = Fence {
            subject: Uuid::now_v7(),
            ..fence(2)
        };
        let until = now + minutes(1);
        let held = [fence(0), fence(1), forged, unknown, fence(3)];
        let survivors = desk
            .store
            .extend(&held, desk.me, until)
            .await
            .expect("the books answer");
        assert_eq!(survivors, [fence(3)]);
        assert_eq!(desk.row(KIND, jobs[3]).await.lease_until, Some(until));
        assert_eq!(desk.row(KIND, jobs[1]).await.lease_until, None);
        let untouched = claimed[0].claim.lease_until;
        assert_eq!(desk.row(KIND, jobs[2]).await.lease_until, Some(untouched));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_what_ran_out_and_was_not_taken_over_is_renewed() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let held = desk.take(KIND, id, now).await;
        let later = held.lease_until + minutes(1);
        // The database was away until after the lease's end; nobody has claimed it since.
        let survivors = desk.store.extend(&[held.fence], desk.me, later).await;
        assert_eq!(survivors.expect("the books answer"), [held.fence]);
        assert_eq!(desk.row(KIND, id).await.lease_until, Some(later));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_a_claim_that_was_taken_over_is_not_extended() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let old = desk.take(KIND, id, now).await;
        let new = desk.take(KIND, id, old.lease_until).await;
        let at = old.lease_until + seconds(1);
        let held = [old.fence, new.fence];
        let survivors = desk.store.extend(&held, desk.me, at + minutes(1)).await;
        assert_eq!(survivors.expect("the books answer"), [new.fence]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_a_worker_with_a_thousand_jobs_keeps_them_all() {
    on_both(async |desk| {
        let now = start() + seconds(2);
        desk.checks(desk.workspace, 1_000, start()).await;
        let claimed = desk.claim(KIND, 1_000, now).await;
        let mut held: Vec<Fence> = claimed.iter().map(|one| one.claim.fence).collect();
        let survivors = desk.store.extend(&held, desk.me, now + minutes(1)).await;
        let mut survivors = survivors.expect("the books answer");
        held.sort();
        survivors.sort();
        assert_eq!(survivors.len(), 1_000);
        assert_eq!(survivors, held);
    })
    .await;
}

//! Rule 4.2: any number of schedulers claim at once, without sharing a job and fairly between tenants.

use std::collections::HashSet;

use futures::future::join_all;
use mooring_domain::{
    JobKind, WorkspaceId,
    time::{from_ms, minutes, seconds},
};
use mooring_store::{Claimed, jobs::ClaimOrder};
use mooring_tests::Engine;
use uuid::Uuid;

use super::{
    Desk, Quay,
    desk::{after_leases, ms, order},
    on_both, start,
};

const KIND: JobKind = JobKind::Check;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_2_concurrent_claimers_never_share_a_job() {
    on_both(async |desk| {
        let now = start() + seconds(10);
        desk.checks(desk.workspace, 500, start()).await;
        let mut shares: Vec<Vec<Claimed>> = vec![Vec::new(); 4];
        let free = "SELECT count(*) FROM jobs WHERE lease_until IS NULL";
        for round in 0.. {
            if desk.number(free, []).await == 0 {
                break;
            }
            // All at once, and each of them is first in its turn.
            let order = (0..4).map(|i| (i + round) % 4);
            let claims = order.clone().map(|_| desk.claim(KIND, 20, now));
            for (claimer, claimed) in order.zip(join_all(claims).await) {
                shares[claimer].extend(claimed);
            }
        }
        let all = || shares.iter().flatten().map(|one| one.claim.fence);
        let jobs: HashSet<Uuid> = all().map(|fence| fence.subject).collect();
        let tokens: HashSet<i64> = all().map(|fence| fence.generation).collect();
        assert_eq!((all().count(), jobs.len(), tokens.len()), (500, 500, 500));
        let busy = shares.iter().filter(|share| !share.is_empty()).count();
        assert!(busy > 1, "nobody competed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_2_a_claim_skips_what_another_one_has_locked() {
    let desk = Desk::new(Engine::Postgres).await;
    let jobs = desk.checks(desk.workspace, 3, start()).await;
    let gate = desk
        .gate("jobs", "subject_id", jobs[0])
        .await
        .expect("a lock");
    let claimed = desk.claim(KIND, 20, start() + seconds(1)).await;
    let got: HashSet<Uuid> = claimed.iter().map(|one| one.claim.fence.subject).collect();
    assert_eq!(
        got,
        HashSet::from([jobs[1], jobs[2]]),
        "it neither waits nor takes"
    );
    gate.commit().await.expect("the lock ends");
    let rest = desk.claim(KIND, 20, start() + seconds(1)).await;
    assert_eq!(rest.len(), 1, "what was skipped is found later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_2_a_flood_of_one_tenant_does_not_hide_another() {
    on_both(async |desk| {
        let small: WorkspaceId = desk.store.mint(start());
        desk.checks(desk.workspace, 400, start()).await;
        desk.checks(small, 3, start() + seconds(5)).await;
        let batch = desk.claim(KIND, 20, start() + seconds(10)).await;
        assert_eq!(batch.len(), 20);
        assert_eq!(batch.iter().filter(|one| one.workspace == small).count(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_2_a_claim_keeps_to_its_limit_and_its_cursor() {
    on_both(async |desk| {
        let now = start() + seconds(10);
        let jobs = desk.checks(desk.workspace, 10, start()).await;
        desk.checks(desk.workspace, 1, now + ms(1)).await;
        let late = ClaimOrder {
            from: start() + ms(8),
            ..order(KIND, 20, now)
        };
        let batch = desk.store.claim(late, now).await.expect("a claim");
        let got: HashSet<Uuid> = batch
            .claimed
            .iter()
            .map(|one| one.claim.fence.subject)
            .collect();
        assert_eq!(
            got,
            HashSet::from([jobs[8], jobs[9]]),
            "the cursor skips what is older"
        );
        let batch = desk
            .store
            .claim(order(KIND, 5, now), now)
            .await
            .expect("a claim");
        assert_eq!(batch.claimed.len(), 5);
        // Where the next scan may start: never behind what was left (SQLite, with its one scheduler, says nothing).
        let left = batch.floor.unwrap_or(from_ms(0));
        assert!(left <= start() + ms(5), "{left}");
        assert_eq!(batch.floor.is_some(), desk.engine == Engine::Postgres);
        assert_eq!(
            desk.claim(KIND, 20, now).await.len(),
            3,
            "what is not due yet waits"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_2_a_lease_that_ran_out_is_claimed_again_and_counts_a_loss() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let first = desk.take(KIND, id, now).await;
        let end = first.lease_until;
        assert!(
            desk.claim(KIND, 10, end - ms(1)).await.is_empty(),
            "it holds to its last moment"
        );
        let mut tokens = HashSet::from([first.fence.generation]);
        let mut at = end;
        for losses in 1..=3 {
            let again = desk.claim(KIND, 10, at).await;
            assert_eq!(again.len(), 1);
            assert_eq!(again[0].losses, losses);
            assert!(
                tokens.insert(again[0].claim.fence.generation),
                "a token of its own"
            );
            at = again[0].claim.lease_until;
        }
        assert_eq!(desk.row(KIND, id).await.attempt, 0, "a loss is no attempt");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_2_a_job_that_lost_five_workers_is_parked_as_poison() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let quay = Quay::open(desk.store.clone(), now).await;
        quay.beat(KIND.lane()).await;
        quay.schedule();
        let mut seen = 0;
        for losses in 0..5 {
            quay.until("it is claimed", async || {
                desk.row(KIND, id).await.generation != seen
            })
            .await;
            let row = desk.row(KIND, id).await;
            assert_eq!((row.losses, row.parked), (losses, None));
            seen = row.generation;
            quay.set(after_leases(quay.now()));
        }
        quay.until("it is parked", async || {
            desk.row(KIND, id).await.parked.is_some()
        })
        .await;
        let row = desk.row(KIND, id).await;
        assert_eq!(
            (row.parked.as_deref(), row.lease_until),
            (Some("poison"), None)
        );
        assert_eq!(desk.told("job_poisoned", id).await, 1);
        desk.poke(KIND, id, quay.now()).await;
        assert!(
            desk.claim(KIND, 10, quay.now() + minutes(60))
                .await
                .is_empty(),
            "and stays so"
        );
        quay.close().await;
    })
    .await;
}

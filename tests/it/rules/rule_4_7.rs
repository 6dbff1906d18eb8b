//! Rule 4.7: apply consumes its claim; one transaction per group, and a bad row costs its own job only.

use futures::future::join_all;
use mooring_domain::{
    BrandId, Change, Decision, Evidence, JobKind, Next, Poke,
    decision::{Outcome, ParkReason},
    post::{Accepted, Verdict},
    time::seconds,
};
use mooring_store::{Applied, BegunPublish, StoreError};
use mooring_tests::Engine;
use uuid::Uuid;

use super::{
    Desk,
    desk::{after_leases, done, job, telling},
    on_both, start,
};

// A kind whose every run is kept in the books.
const KIND: JobKind = JobKind::Verify;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_7_a_second_apply_of_one_claim_is_discarded() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let held = desk.take(KIND, id, now).await;
        assert!(desk.apply(held.fence, telling(now), now).await.fenced);
        let after = desk.row(KIND, id).await;
        let later = now + seconds(5);
        let stranger = Uuid::now_v7();
        for again in [
            telling(later),
            telling(later).poke(job(KIND, stranger, later)),
            done(),
        ] {
            let applied = desk.apply(held.fence, again, later).await;
            assert_eq!(
                applied,
                Applied {
                    fenced: false,
                    tokens: None
                }
            );
        }
        assert_eq!(desk.row(KIND, id).await, after, "the state is untouched");
        assert_eq!(
            desk.told("drift_repaired", Uuid::nil()).await,
            1,
            "one event"
        );
        assert_eq!(desk.runs(KIND).await, 1, "one run");
        assert_eq!(desk.job(KIND, stranger).await, None, "no poke");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_7_two_applies_of_one_claim_at_once_count_once() {
    on_both(async |desk| {
        for round in 0..20 {
            let (id, now) = (Uuid::now_v7(), start());
            desk.poke(KIND, id, now).await;
            let held = desk.take(KIND, id, now).await;
            let gate = desk.gate("jobs", "subject_id", id).await;
            let apply = || desk.apply(held.fence, telling(now), now);
            let (a, b) = desk.meet(gate, apply(), apply()).await;
            assert!(a.fenced ^ b.fenced, "{a:?} {b:?}");
            assert_eq!(desk.told("drift_repaired", Uuid::nil()).await, round + 1);
        }
        assert_eq!(desk.runs(KIND).await, 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_7_a_decision_from_an_older_claim_is_discarded() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let old = desk.take(KIND, id, now).await;
        let later = after_leases(now);
        let new = desk.take(KIND, id, later).await;
        let before = desk.row(KIND, id).await;
        for stale in [telling(later), done()] {
            assert!(!desk.apply(old.fence, stale, later).await.fenced);
        }
        assert_eq!(
            desk.row(KIND, id).await,
            before,
            "the newer claim is untouched"
        );
        assert_eq!(desk.told("drift_repaired", Uuid::nil()).await, 0);
        assert_eq!(desk.runs(KIND).await, 0);
        assert!(desk.apply(new.fence, telling(later), later).await.fenced);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_7_a_token_from_before_a_deletion_never_fits_again() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let old = desk.take(KIND, id, now).await;
        assert!(desk.apply(old.fence, done(), now).await.fenced);
        assert_eq!(desk.job(KIND, id).await, None);
        desk.poke(KIND, id, now).await;
        let new = desk.take(KIND, id, now).await;
        assert_ne!(
            new.fence.generation, old.fence.generation,
            "tokens never start anew"
        );
        assert!(!desk.apply(old.fence, done(), now).await.fenced);
        assert!(desk.apply(new.fence, done(), now).await.fenced);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_7_apply_counts_each_attempt_once() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let retry = Next::Retry(now);
        let park = Next::Park(Some(now), ParkReason::RateLimited);
        let story = [
            (retry, 1),
            (park, 1),
            (retry, 2),
            (Next::At(now), 0),
            (retry, 1),
        ];
        for (step, (next, attempt)) in story.into_iter().enumerate() {
            let held = desk.take(KIND, id, now).await;
            desk.apply(held.fence, Decision::new(next, Outcome::Success), now)
                .await;
            assert_eq!(desk.row(KIND, id).await.attempt, attempt, "step {step}");
        }
        // What has begun was counted by its begin.
        let place = desk.connect("counted").await;
        let (_, target) = desk.post(place, "counted", now).await;
        let held = desk.take(JobKind::Publish, target.uuid(), now).await;
        let begun = desk.begin(&held, desk.me, now).await;
        assert!(matches!(begun, BegunPublish::Attempt(..)), "{begun:?}");
        desk.apply(held.fence, Decision::new(retry, Outcome::Success), now)
            .await;
        assert_eq!(desk.row(JobKind::Publish, target.uuid()).await.attempt, 1);
    })
    .await;
}

/// Applies 50 decisions as one group; `spoilt` is added to the one in the middle.
async fn group(desk: &Desk, spoilt: Option<Decision>) -> Vec<Result<Applied, StoreError>> {
    let now = start() + seconds(1);
    let subjects: Vec<Uuid> = (0..50).map(|_| Uuid::now_v7()).collect();
    for id in &subjects {
        desk.poke(KIND, *id, start()).await;
    }
    let claimed = desk.claim(KIND, 100, now).await;
    assert_eq!(claimed.len(), 50);
    let (applier, committing) = desk.store.applier();
    let results = claimed.iter().enumerate().map(|(i, one)| {
        let decision = spoilt
            .clone()
            .filter(|_| i == 25)
            .unwrap_or_else(|| telling(now));
        desk.result(one.claim.fence, decision, now)
    });
    let hand_over = async {
        // All are handed over before the committing loop runs for the first time.
        let answers = join_all(results.map(|result| applier.apply(result))).await;
        drop(applier);
        answers
    };
    futures::join!(hand_over, committing).0
}

/// In how many transactions the runs in the books were written.
async fn transactions(desk: &Desk) -> i64 {
    desk.number("SELECT count(DISTINCT xmin::text) FROM job_runs", [])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_7_a_group_is_one_commit() {
    on_both(async |desk| {
        let answers = group(&desk, None).await;
        assert!(
            answers
                .iter()
                .all(|answer| answer.as_ref().is_ok_and(|applied| applied.fenced))
        );
        assert_eq!(desk.runs(KIND).await, 50);
        if desk.engine == Engine::Postgres {
            assert_eq!(transactions(&desk).await, 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_7_one_bad_row_in_a_group_costs_only_itself() {
    on_both(async |desk| {
        let brand: BrandId = desk.store.mint(start());
        let taken = Change::BrandCreated {
            brand,
            name: "taken".to_owned(),
        };
        desk.act_in(desk.workspace, &done().change(taken.clone()))
            .await;
        let nowhere = desk.store.mint(start());
        let accepted = Evidence::Accepted {
            attempt: nowhere,
            accepted: Accepted {
                remote_id: "remote".to_owned(),
                permalink: None,
            },
            at: start(),
        };
        let verified = Change::Verified {
            attempt: nowhere,
            target: desk.store.mint(start()),
            verdict: Verdict::Removed,
            at: start(),
        };
        let spoilt = [
            done().change(taken),
            done().evidence(accepted),
            done().change(verified),
        ];
        let mut commits = 0;
        for (bad, spoilt) in (1_i64..).zip(spoilt) {
            let answers = group(
                &desk,
                Some(spoilt.poke(Poke::House {
                    kind: JobKind::Reconcile,
                    at: start(),
                })),
            )
            .await;
            let failed = answers.iter().filter(|answer| answer.is_err()).count();
            assert_eq!(
                (failed, answers[25].is_err()),
                (1, true),
                "{bad}: {answers:?}"
            );
            let runs = 49 * bad.unsigned_abs();
            assert_eq!(desk.runs(KIND).await, runs, "the other 49 are in the books");
            assert_eq!(desk.told("drift_repaired", Uuid::nil()).await as u64, runs);
            assert_eq!(
                desk.job(JobKind::Reconcile, Uuid::nil()).await,
                None,
                "no half decision"
            );
            let leased =
                "SELECT count(*) FROM jobs WHERE kind = 'verify' AND lease_until IS NOT NULL";
            assert_eq!(desk.number(leased, []).await, bad, "its claim still holds");
            if desk.engine == Engine::Postgres {
                // The group really failed: everything was written one by one.
                commits += 49;
                assert_eq!(transactions(&desk).await, commits);
            }
        }
    })
    .await;
}

//! Rule 4.6: a worker renews what it still holds, and learns what it does not.

use std::time::Duration;

use mooring_domain::{
    Decision, JobKind, Next, Time,
    decision::Outcome,
    job::Fence,
    time::{minutes, seconds},
};
use mooring_store::{Applier, Lease};
use mooring_tests::Engine;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    Desk,
    desk::{done, job, ms},
    on_both, start,
};

const KIND: JobKind = JobKind::Check;

/// Leases that shall last until then.
fn wanted(fences: &[Fence], until: Time) -> Vec<Lease> {
    let lease = |fence: &Fence| Lease {
        fence: *fence,
        until,
    };
    fences.iter().map(lease).collect()
}

async fn extend(desk: &Desk, wanted: &[Lease]) -> Vec<Lease> {
    let mut survivors = desk
        .store
        .extend(wanted, desk.me)
        .await
        .expect("the books answer");
    survivors.sort();
    survivors
}

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
        let survivors = extend(&desk, &wanted(&held, until)).await;
        assert_eq!(survivors, wanted(&[fence(3)], until));
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
        let lease = wanted(&[held.fence], later);
        assert_eq!(extend(&desk, &lease).await, lease);
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
        let until = at + minutes(1);
        let survivors = extend(&desk, &wanted(&[old.fence, new.fence], until)).await;
        assert_eq!(survivors, wanted(&[new.fence], until));
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
        held.sort();
        let survivors = extend(&desk, &wanted(&held, now + minutes(1))).await;
        assert_eq!(survivors.len(), 1_000);
        assert_eq!(survivors, wanted(&held, now + minutes(1)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_each_lease_gets_the_end_that_was_asked_for_it() {
    on_both(async |desk| {
        let now = start();
        let mut leases = Vec::new();
        for (kind, end) in [JobKind::Check, JobKind::Publish, JobKind::Reconcile]
            .into_iter()
            .zip([seconds(30), minutes(1), minutes(5)])
        {
            let id = Uuid::now_v7();
            desk.poke(kind, id, now).await;
            let held = desk.take(kind, id, now).await;
            let until = now + ms(1) + end;
            leases.extend(wanted(&[held.fence], until));
        }
        leases.sort();
        assert_eq!(extend(&desk, &leases).await, leases);
        for Lease { fence, until } in leases {
            let row = desk.row(fence.kind, fence.subject).await;
            assert_eq!(row.lease_until, Some(until), "{}", fence.kind);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_a_job_whose_row_is_locked_survives_and_delays_no_other() {
    on_both(async |desk| {
        let now = start() + seconds(1);
        let jobs = desk.checks(desk.workspace, 3, start()).await;
        let claimed = desk.claim(KIND, 10, now).await;
        let held: Vec<Fence> = claimed.iter().map(|one| one.claim.fence).collect();
        let gate = desk.gate("jobs", "subject_id", jobs[1]).await;
        let locked = gate.is_some();
        let until = now + minutes(1);
        let leases = wanted(&held, until);
        let survivors = tokio::time::timeout(Duration::from_secs(5), extend(&desk, &leases)).await;
        let survivors = survivors.expect("an extension waits for nobody");
        let ends = |job: Uuid| {
            let of_job = |lease: &&Lease| lease.fence.subject == job;
            survivors.iter().find(of_job).map(|lease| lease.until)
        };
        let before = claimed[0].claim.lease_until;
        assert_eq!(ends(jobs[0]), Some(until));
        assert_eq!(ends(jobs[1]), Some(if locked { before } else { until }));
        assert_eq!(ends(jobs[2]), Some(until));
        if let Some(gate) = gate {
            gate.commit().await.expect("the gate opens");
        }
        assert_eq!(desk.row(KIND, jobs[1]).await.lease_until, ends(jobs[1]));
        let mut again = wanted(&held, until + ms(1));
        again.sort();
        assert_eq!(extend(&desk, &again).await, again, "it is free again");
    })
    .await;
}

/// How many jobs of each kind the last test has, and how often they come round.
const CROWD: usize = 200;
const ROUNDS: usize = 4;

/// Two workers commit groups of results in key order while everybody extends everything, in any order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_extensions_and_grouped_results_never_deadlock() {
    let desk = Desk::new(Engine::Postgres).await;
    let kinds = [JobKind::Check, JobKind::Publish, JobKind::Verify];
    for _ in 0..CROWD {
        // One by one and by chance: their order on the disk is not that of their keys.
        let id = Uuid::from_u128(Uuid::now_v7().as_u128().reverse_bits());
        let poke = |decision: Decision, kind| decision.poke(job(kind, id, start()));
        let all = kinds.into_iter().fold(done(), poke);
        desk.act_in(desk.workspace, &all).await;
    }
    let (first, committing) = desk.store.applier();
    let (second, committing_too) = desk.store.applier();
    let rounds = async {
        let mut extensions = 0;
        for _ in 0..ROUNDS {
            extensions += round(&desk, &kinds, [&first, &second]).await;
        }
        drop((first, second));
        extensions
    };
    let (extensions, (), ()) = futures::join!(rounds, committing, committing_too);
    assert!(extensions >= 4 * ROUNDS, "only {extensions} extensions");
    println!(
        "{extensions} extensions beside {} results",
        3 * CROWD * ROUNDS
    );
    assert_eq!(desk.deadlocks().await, 0);
}

/// Claims everything, and applies it while four others extend it. Returns how often they did.
async fn round(desk: &Desk, kinds: &[JobKind], appliers: [&Applier; 2]) -> usize {
    let mut held: Vec<Fence> = Vec::new();
    for kind in kinds {
        let claimed = desk.claim(*kind, 1_000, start()).await;
        held.extend(claimed.iter().map(|one| one.claim.fence));
    }
    assert_eq!(held.len(), 3 * CROWD, "everything is due again");
    let (over, running) = watch::channel(false);
    let again = Decision::new(Next::At(start()), Outcome::Success);
    let applying = held.iter().enumerate().map(|(place, fence)| {
        let result = desk.result(*fence, again.clone(), start());
        appliers[place % 2].apply(result)
    });
    let applying = async {
        let applied = futures::future::join_all(applying).await;
        over.send_replace(true);
        applied
    };
    let mut backwards = held.clone();
    backwards.sort();
    backwards.reverse();
    let by_chance = {
        let mut fences = held.clone();
        fences.sort_by_key(|fence| fence.generation.reverse_bits());
        fences
    };
    let (applied, a, b, c, d) = futures::join!(
        applying,
        keep(desk, &held, running.clone()),
        keep(desk, &backwards, running.clone()),
        keep(desk, &backwards, running.clone()),
        keep(desk, &by_chance, running.clone()),
    );
    for one in applied {
        assert!(one.expect("it is applied").fenced, "nobody else held it");
    }
    a + b + c + d
}

/// Extends until everything is applied.
async fn keep(desk: &Desk, held: &[Fence], over: watch::Receiver<bool>) -> usize {
    let mut extensions = 0;
    while !*over.borrow() {
        let until = start() + minutes(1) + ms(i64::try_from(extensions).expect("few"));
        extend(desk, &wanted(held, until)).await;
        extensions += 1;
    }
    extensions
}

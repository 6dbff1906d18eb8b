//! Rule 4.9: what is recovered, by whom, and what is left alone.

use mooring_domain::{
    JobKind, Lane,
    post::Stage,
    time::{minutes, seconds},
};
use mooring_store::{BegunPublish, jobs::ClaimOrder};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use super::{
    Desk, Quay,
    desk::{after_leases, done, ms, order},
    on_both, start,
};

const KIND: JobKind = JobKind::Check;

/// Claims everything due under an epoch.
async fn claim_under(desk: &Desk, kind: JobKind, epoch: &str) -> usize {
    let now = start() + seconds(1);
    let order = ClaimOrder {
        epoch,
        ..order(kind, 100, now)
    };
    desk.store
        .claim(order, now)
        .await
        .expect("a claim")
        .claimed
        .len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_giving_back_spends_no_attempt_and_counts_no_loss() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let old = desk.take(KIND, id, now).await;
        desk.poke(KIND, id, now + minutes(5)).await;
        assert_eq!(
            desk.store
                .release(&[old.fence])
                .await
                .expect("the books answer"),
            1
        );
        assert_eq!(
            desk.store
                .release(&[old.fence])
                .await
                .expect("the books answer"),
            0
        );
        let row = desk.row(KIND, id).await;
        assert_eq!((row.lease_until, row.attempt, row.losses), (None, 0, 0));
        assert_eq!(row.visible_at, now, "it is due at once");
        assert_eq!(row.wanted_at, Some(now + minutes(5)), "a wish is kept");
        assert!(
            !desk.apply(old.fence, done(), now).await.fenced,
            "who gave it back is out"
        );
        let new = desk.take(KIND, id, now).await;
        assert_eq!(desk.row(KIND, id).await.losses, 0);
        assert_eq!(
            desk.store
                .release(&[old.fence])
                .await
                .expect("the books answer"),
            0
        );
        assert_eq!(desk.row(KIND, id).await.lease_until, Some(new.lease_until));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_what_has_begun_is_not_given_back() {
    on_both(async |desk| {
        let place = desk.connect("begun").await;
        let (_, target) = desk.post(place, "begun", start()).await;
        let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
        let begun = desk.begin(&held, desk.me, start()).await;
        assert!(matches!(begun, BegunPublish::Attempt(..)), "{begun:?}");
        let before = desk.row(JobKind::Publish, target.uuid()).await;
        assert_eq!(
            desk.store
                .release(&[held.fence])
                .await
                .expect("the books answer"),
            0
        );
        assert_eq!(desk.row(JobKind::Publish, target.uuid()).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_one_of_two_schedulers_releases_a_lost_lane() {
    on_both(async |desk| {
        let place = desk.connect("lane").await;
        let lane = Lane::Publish;
        let change = |seen: Option<&'static str>, new: &'static str| {
            desk.store.change_epoch(lane, seen, new, start())
        };
        assert_eq!(
            change(None, "first").await.expect("the books answer"),
            Some(0)
        );
        let mut targets = Vec::new();
        for text in ["one", "two", "begun"] {
            targets.push(desk.post(place, text, start()).await.1);
        }
        let begun = desk
            .take(JobKind::Publish, targets[2].uuid(), start() + seconds(1))
            .await;
        let answer = desk.begin(&begun, desk.me, start() + seconds(1)).await;
        assert!(matches!(answer, BegunPublish::Attempt(..)), "{answer:?}");
        let gate = match desk.engine {
            mooring_tests::Engine::Sqlite => None,
            mooring_tests::Engine::Postgres => {
                let tx = sea_orm::TransactionTrait::begin(desk.store.connection()).await;
                let tx = tx.expect("a transaction");
                tx.execute_unprepared("SELECT 1 FROM lanes FOR UPDATE")
                    .await
                    .expect("a lock");
                Some(tx)
            }
        };
        let both = desk.meet(
            gate,
            change(Some("first"), "second"),
            change(Some("first"), "third"),
        );
        let (a, b) = both.await;
        let answers = [a.expect("the books answer"), b.expect("the books answer")];
        assert!(
            answers == [Some(2), None] || answers == [None, Some(2)],
            "{answers:?}"
        );
        for (target, released) in targets.iter().zip([true, true, false]) {
            let row = desk.row(JobKind::Publish, target.uuid()).await;
            assert_eq!((row.lease_until.is_none(), row.losses), (released, 0));
        }
        assert_eq!(desk.target(targets[2]).await.stage, Stage::Begun);
        // What the faster one claims anew is not released by the slower one.
        let epoch = desk
            .store
            .lane_epoch(lane)
            .await
            .expect("the books answer")
            .expect("an epoch");
        assert_eq!(claim_under(&desk, JobKind::Publish, &epoch).await, 2);
        assert_eq!(
            change(Some("first"), "fourth")
                .await
                .expect("the books answer"),
            None
        );
        let free = "SELECT count(*) FROM jobs WHERE kind = 'publish' AND lease_until IS NULL";
        assert_eq!(desk.number(free, []).await, 0);
        assert_eq!(
            desk.store.lane_epoch(lane).await.expect("the books answer"),
            Some(epoch)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_lane_that_comes_back_empty_is_filled_again_at_once() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let quay = Quay::open(desk.store.clone(), now).await;
        quay.beat(KIND.lane()).await;
        quay.schedule();
        quay.until("it is claimed", async || {
            desk.row(KIND, id).await.generation > 0
        })
        .await;
        let first = desk.row(KIND, id).await;
        quay.queue.wipe();
        quay.set(now + seconds(1));
        quay.until("it is claimed again", async || {
            desk.row(KIND, id).await.generation != first.generation
        })
        .await;
        let row = desk.row(KIND, id).await;
        assert!(
            first.lease_until > Some(quay.now()),
            "its first lease would hold for long"
        );
        assert_eq!((row.losses, row.attempt), (0, 0), "nobody is to blame");
        assert_eq!(
            desk.told("lane_lost", Uuid::nil()).await,
            5,
            "once for each lane"
        );
        quay.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_a_claim_respects_leases_that_nobody_could_extend() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let held = desk.take(KIND, id, now).await;
        let later = after_leases(now);
        let respectful = ClaimOrder {
            lost_by: held.lease_until - ms(1),
            ..order(KIND, 10, later)
        };
        let batch = desk.store.claim(respectful, later).await.expect("a claim");
        assert_eq!(batch.claimed, [], "it ended while the database was away");
        let lost = ClaimOrder {
            lost_by: held.lease_until,
            ..respectful
        };
        let batch = desk.store.claim(lost, later).await.expect("a claim");
        assert_eq!(batch.claimed.len(), 1);
        // A time to come never makes a lease that holds a lost one.
        let wild = ClaimOrder {
            lost_by: later + minutes(60),
            ..respectful
        };
        let batch = desk
            .store
            .claim(wild, later + seconds(1))
            .await
            .expect("a claim");
        assert_eq!(batch.claimed, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_after_the_database_was_away_schedulers_wait_one_lease() {
    on_both(async |desk| {
        let (id, now) = (Uuid::now_v7(), start());
        desk.poke(KIND, id, now).await;
        let quay = Quay::open(desk.store.clone(), now).await;
        quay.beat(KIND.lane()).await;
        quay.schedule();
        quay.until("it is claimed", async || {
            desk.row(KIND, id).await.generation > 0
        })
        .await;
        let held = desk.row(KIND, id).await;
        let end = held.lease_until.expect("a lease");

        desk.store
            .connection()
            .execute_unprepared("ALTER TABLE jobs RENAME TO away")
            .await
            .expect("away");
        quay.until("the scheduler notices", async || database_fails(&quay))
            .await;
        quay.set(end + seconds(5));
        // A sweep that began before the clock moved tells nothing about the time after.
        quay.asked_again(2).await;
        desk.store
            .connection()
            .execute_unprepared("ALTER TABLE away RENAME TO jobs")
            .await
            .expect("back");
        marker_is_claimed(&desk, &quay).await;
        let row = desk.row(KIND, id).await;
        assert_eq!(
            row.generation, held.generation,
            "it ended in the gap: its holder has a lease's time"
        );
        let lease = desk.store.policy().lease(KIND.lane()).lease;
        quay.set(quay.now() + lease + seconds(1));
        quay.until("then it is claimed again", async || {
            desk.row(KIND, id).await.generation != held.generation
        })
        .await;
        assert_eq!(desk.row(KIND, id).await.losses, 1);
        quay.close().await;
    })
    .await;
}

/// A fresh job shows that the scheduler claims.
async fn marker_is_claimed(desk: &Desk, quay: &Quay) {
    let marker = Uuid::now_v7();
    desk.poke(KIND, marker, quay.now()).await;
    quay.until("a fresh job is claimed", async || {
        desk.row(KIND, marker).await.generation > 0
    })
    .await;
}

/// Whether the scheduler has told that the database fails.
fn database_fails(quay: &Quay) -> bool {
    let report = quay.context.readiness.ready();
    report
        .checks
        .iter()
        .any(|check| check.name == "database" && check.state.starts_with("failing"))
}

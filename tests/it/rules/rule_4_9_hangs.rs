//! Rule 4.9 when the database hangs: it refuses nothing and answers in the end, but meanwhile no worker could extend.

use std::{
    future::ready,
    time::{Duration, Instant},
};

use mooring_domain::{JobKind, Lane, Policy, Time, job::LeaseRule, time::seconds};
use mooring_tests::{DatabaseTap, Engine, within};
use uuid::Uuid;

use super::{Desk, Quay, desk::ms, start};

const KIND: JobKind = JobKind::Check;

/// Short, so that a test can wait for longer than that, and long beside what a statement takes on a busy machine.
const LEASE: i64 = 3;

/// A scheduler whose database can hang, and a job that it has claimed for somebody.
struct Scene {
    desk: Desk,
    quay: Quay,
    tap: DatabaseTap,
    job: Uuid,
    generation: i64,
    lease_end: Time,
}

impl Scene {
    async fn open() -> Self {
        let desk = Desk::new(Engine::Postgres).await;
        let rule = LeaseRule {
            lease: seconds(LEASE),
            budget: ms(500),
            hard_cap: seconds(60),
        };
        let policy = Policy {
            leases: [rule; Lane::ALL.len()],
            ..Policy::default()
        };
        let (store, tap) = desk.tap(policy).await;
        let job = Uuid::now_v7();
        desk.poke(KIND, job, start()).await;
        let quay = Quay::open(store, start()).await;
        quay.beat(KIND.lane()).await;
        quay.schedule();
        quay.until("it is claimed", async || {
            desk.row(KIND, job).await.generation > 0
        })
        .await;
        let row = desk.row(KIND, job).await;
        Self {
            generation: row.generation,
            lease_end: row.lease_until.expect("a lease"),
            job,
            desk,
            quay,
            tap,
        }
    }

    /// While nothing passes, more than a lease goes by, for everybody's watch and for the system's clock; then the
    /// database answers. Returns the time of the answer.
    async fn hang(&self) -> Time {
        assert!(self.tap.holds());
        let since = Instant::now();
        let silence = Duration::from_secs(LEASE.unsigned_abs()) + Duration::from_millis(200);
        within(silence * 2, "more than a lease goes by", || {
            ready(since.elapsed() > silence)
        })
        .await;
        let back = self.lease_end + seconds(5);
        self.quay.set(back);
        self.tap.release();
        back
    }

    /// A fresh job is claimed: the scheduler has looked. Whether it took the other one meanwhile.
    async fn took_it_away(&self) -> bool {
        let marker = Uuid::now_v7();
        self.desk.poke(KIND, marker, self.quay.now()).await;
        self.quay
            .until("a fresh job is claimed", async || {
                self.desk.row(KIND, marker).await.generation > 0
            })
            .await;
        self.desk.row(KIND, self.job).await.generation != self.generation
    }

    /// For one lease after the answer what ran out in the silence is its holder's; then it is claimed.
    async fn waits_one_lease(self, back: Time) {
        assert!(!self.took_it_away().await, "its holder could not extend");
        let last = back + seconds(LEASE);
        self.quay.set(last);
        assert!(!self.took_it_away().await, "it has a lease's time for that");
        // The clock goes on: a machine so busy that another statement takes long only makes this later.
        self.quay
            .until("then it is claimed again", async || {
                self.quay.set(self.quay.now() + ms(100));
                self.desk.row(KIND, self.job).await.generation != self.generation
            })
            .await;
        let row = self.desk.row(KIND, self.job).await;
        assert_eq!(row.losses, 1);
        self.quay.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_when_the_database_hangs_without_an_error_schedulers_wait_one_lease() {
    let scene = Scene::open().await;
    scene.tap.hold();
    let back = scene.hang().await;
    scene.waits_one_lease(back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_9_when_the_database_hangs_in_a_claim_schedulers_wait_one_lease_too() {
    let scene = Scene::open().await;
    scene.tap.hold_at("nextval('job_generation')");
    let due = Uuid::now_v7();
    scene.desk.poke(KIND, due, start()).await;
    scene
        .quay
        .until("a claim hangs", async || scene.tap.holds())
        .await;
    let back = scene.hang().await;
    scene.waits_one_lease(back).await;
}

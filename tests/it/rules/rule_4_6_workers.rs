//! Rule 4.6 in a worker: what it extends, when, and with how many statements.

use std::{
    cell::RefCell,
    io::{ErrorKind, Read as _},
    net::{TcpListener, TcpStream},
};

use chrono::TimeDelta;
use mooring_domain::{
    JobKind, Lane, Policy, Time,
    job::Fence,
    time::{minutes, seconds},
};
use mooring_gateway::acts::ImportRow;
use mooring_tests::{DatabaseTap, Engine};

use super::{Desk, Quay, start};

/// Three lanes, and how long their leases are.
const CHECKS: (JobKind, TimeDelta) = (JobKind::Check, seconds(30));
const REFRESHES: (JobKind, TimeDelta) = (JobKind::Refresh, minutes(1));
const PUBLISHES: (JobKind, TimeDelta) = (JobKind::Publish, minutes(1));

/// A server that takes every call and answers none, until it is dropped.
struct Deaf {
    listener: TcpListener,
    calls: RefCell<Vec<TcpStream>>,
}

impl Deaf {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        Self {
            listener,
            calls: RefCell::default(),
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().expect("an address"))
    }

    /// How many calls came, and of how many the caller waits no more.
    fn calls(&self) -> (usize, usize) {
        let mut calls = self.calls.borrow_mut();
        while let Ok((call, _)) = self.listener.accept() {
            call.set_nonblocking(true).expect("a socket");
            calls.push(call);
        }
        let given_up = calls.iter().filter(|call| hung_up(call)).count();
        (calls.len(), given_up)
    }
}

/// Whether the other side has closed; takes no notice of what it says.
fn hung_up(mut call: &TcpStream) -> bool {
    loop {
        match call.read(&mut [0; 4_096]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// A worker in the midst of four calls on three lanes: two checks, a refresh and a publish, all claimed at [`start`].
struct Busy {
    desk: Desk,
    quay: Quay,
    tap: DatabaseTap,
    platform: Deaf,
    held: Vec<Fence>,
}

impl Busy {
    async fn start() -> Self {
        let desk = Desk::new(Engine::Postgres).await;
        let (store, tap) = desk.tap(Policy::default()).await;
        let quay = Quay::open(store, start()).await;
        let platform = Deaf::listen();
        let row = |name: &str| ImportRow {
            host: Some(platform.url()),
            ..desk.bluesky_row(&format!("did:plc:{name}"), "access-1", "refresh-1")
        };
        let tired = desk
            .import(ImportRow {
                issued_at: Some(start() - minutes(110)),
                access_expires_at: Some(start() + minutes(10)),
                ..row("tired")
            })
            .await;
        let eager = desk.import(row("eager")).await;
        let (_, target) = desk.post(eager, "at last", start()).await;
        let mut held = Vec::new();
        for (kind, subject) in [
            (JobKind::Refresh, tired.grant.uuid()),
            (JobKind::Publish, target.uuid()),
        ] {
            held.push(desk.take(kind, subject, start()).await);
        }
        for check in desk.claim(JobKind::Check, 10, start()).await {
            let fence = check.claim.fence;
            held.extend(desk.store.held(&fence).await.expect("the books answer"));
        }
        quay.work(&[Lane::Check, Lane::Refresh, Lane::Publish]);
        for claim in &held {
            quay.send(claim).await;
        }
        quay.until("the worker waits for four answers", async || {
            platform.calls() == (4, 0)
        })
        .await;
        Self {
            held: held.iter().map(|one| one.fence).collect(),
            desk,
            quay,
            tap,
            platform,
        }
    }

    /// The lease ends of everything that is held of a kind.
    async fn ends(&self, kind: JobKind) -> Vec<Option<Time>> {
        let mut ends = Vec::new();
        for fence in self.held.iter().filter(|fence| fence.kind == kind) {
            ends.push(self.desk.row(kind, fence.subject).await.lease_until);
        }
        ends
    }

    /// Moves the clock and waits until the leases of some kinds last until so long after it. Returns the statements
    /// that it took to write to jobs.
    async fn extends(&self, now: Time, kinds: &[(JobKind, TimeDelta)]) -> Vec<String> {
        drop(self.tap.executed());
        self.quay.set(now);
        for (kind, lease) in kinds {
            self.quay
                .until("the leases are extended", async || {
                    let ends = self.ends(*kind).await;
                    ends.iter().all(|end| *end == Some(now + *lease))
                })
                .await;
        }
        let mut executed = self.tap.executed();
        executed.retain(|sql| sql.contains("jobs") && sql.contains("UPDATE"));
        executed
    }

    async fn stop(self) {
        // The platform hangs up, so that the calls end.
        drop(self.platform);
        self.quay.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_a_worker_extends_the_jobs_of_all_its_lanes_in_one_statement() {
    let busy = Busy::start().await;
    let now = start() + seconds(21);
    let statements = busy.extends(now, &[CHECKS, REFRESHES, PUBLISHES]).await;
    assert_eq!(statements.len(), 1, "{statements:#?}");
    busy.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_beyond_its_lanes_hard_cap_a_job_is_not_extended() {
    let busy = Busy::start().await;
    let mut now = start();
    for _ in 0..2 {
        now += seconds(21);
        busy.extends(now, &[CHECKS, REFRESHES, PUBLISHES]).await;
    }
    let (checks, refreshes) = (now + seconds(30), now + minutes(1));
    // Checks and refreshes are over after a minute; a publish may take a quarter of an hour.
    for _ in 0..2 {
        now += seconds(21);
        busy.extends(now, &[PUBLISHES]).await;
    }
    assert_eq!(busy.ends(JobKind::Check).await, [Some(checks); 2]);
    assert_eq!(busy.ends(JobKind::Refresh).await, [Some(refreshes)]);
    busy.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_6_a_worker_cancels_what_it_has_lost_and_only_that() {
    let busy = Busy::start().await;
    let taken = "UPDATE jobs SET generation = nextval('job_generation') WHERE kind = 'check' \
                 AND subject_id = (SELECT min(subject_id::text)::uuid FROM jobs WHERE kind = 'check')";
    busy.desk.meddle(taken, []).await;
    let now = start() + seconds(21);
    let extended = Some(now + seconds(30));
    busy.quay.set(now);
    busy.quay
        .until(
            "one check is given up, the other one extended",
            async || {
                busy.platform.calls() == (4, 1)
                    && busy.ends(JobKind::Check).await.contains(&extended)
            },
        )
        .await;
    for kind in [JobKind::Refresh, JobKind::Publish] {
        assert_eq!(busy.ends(kind).await, [Some(now + minutes(1))]);
    }
    assert_eq!(busy.platform.calls(), (4, 1));
    busy.stop().await;
}

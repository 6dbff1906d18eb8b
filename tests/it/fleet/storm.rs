//! A storm of refreshes on grants whose tokens work once: a second use ends the whole family at the platform. The
//! schedule, publishes that need new tokens, and an impatient cron collide on the same grants, and workers are killed
//! in the midst of it.
//!
//! `dev/storm --grants 10000` is this test at full size.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mooring_domain::{
    Decision, JobKind, Next, Platform, Poke, ProcessId,
    decision::Outcome,
    time::{hours, seconds},
};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_providers::BaseUrls;
use mooring_simulator::{
    Fault, FaultKind, Platform as Site,
    x::{NewXApp, NewXUsers},
};
use mooring_store::{Actor, Secrets};
use mooring_tests::{Process, within};
use mooring_vault::Secret;

use super::{Account, Scene, accounts::row, notary, stop, windows::Windows};

/// Grants where nobody says how many.
const GRANTS: usize = 300;
/// Worker processes, and the refreshes that each does at once: 16 workers in 4 processes.
const PROCESSES: usize = 4;
const SLOTS: &str = "4";
/// How long a step may take, apart from what the number of grants asks for.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often the impatient cron pokes a part of the grants.
const CRON: Duration = Duration::from_millis(500);

/// One grant in five has a post due whose publish needs the new token.
const PUBLISHING: usize = 5;

struct Storm {
    scene: Scene,
    accounts: Vec<Account>,
    grants: BTreeMap<String, uuid::Uuid>,
    crew: Vec<(ProcessId, Process)>,
    born: usize,
    kills: usize,
    /// Grants whose refresh a killed worker had begun.
    struck: BTreeSet<uuid::Uuid>,
    /// Pokes that hit a refresh at work.
    collisions: i64,
}

fn wanted_grants() -> usize {
    let told = std::env::var("MOORING_STORM_GRANTS").ok();
    told.map_or(GRANTS, |text| {
        text.parse().expect("MOORING_STORM_GRANTS is a number")
    })
}

/// Kills: now and then.
fn wanted_kills(grants: usize) -> usize {
    (grants / 500).clamp(3, 20)
}

impl Storm {
    async fn brew(grants: usize) -> Self {
        let mut scene = Scene::start(&[
            ("MOORING_POLICY__LEASES_S__REFRESH", "8"),
            ("MOORING_WORKER__SLOTS__REFRESH", SLOTS),
        ])
        .await;
        let base: url::Url = scene.sim.base_url().parse().expect("a URL");
        let mut urls = BaseUrls::simulated(&base);
        for name in BaseUrls::names() {
            let key = format!("MOORING_PLATFORMS__{}_URL", name.to_uppercase());
            let url = urls.get(name).expect("it has a name").to_string();
            scene.fleet.env.insert(key, url);
        }
        notary::open(&scene.store).await;
        let (accounts, grants) = scene.connect_x(grants).await;
        Self {
            scene,
            accounts,
            grants,
            crew: Vec::new(),
            born: 0,
            kills: 0,
            struck: BTreeSet::new(),
            collisions: 0,
        }
    }

    async fn hire(&mut self) {
        let worker = self.scene.worker(&format!("worker-{}", self.born));
        self.born += 1;
        let id = worker.id().await;
        let store = &self.scene.store;
        within(PATIENCE, "the worker is at work", || {
            notary::is_present(store, id)
        })
        .await;
        self.crew.push((id, worker));
    }

    /// Pokes a share of all refreshes, as if nobody knew that they are at work already.
    async fn poke(&mut self, round: usize) {
        let now = self.scene.now();
        let mut decision = Decision::new(Next::Done, Outcome::Success);
        for grant in self.grants.values().skip(round % 10).step_by(10) {
            decision = decision.poke(Poke::Job {
                kind: JobKind::Refresh,
                subject: *grant,
                platform: Platform::X,
                at: now,
                priority: 100,
            });
        }
        let (store, workspace) = (&self.scene.store, self.scene.workspace);
        store
            .apply_act(&Actor::Cli, workspace, &decision, &Secrets::default(), now)
            .await
            .expect("the cron pokes");
        let wished = "SELECT count(*) FROM jobs WHERE kind = 'refresh' AND wanted_at IS NOT NULL";
        self.collisions += notary::number(store, wished, []).await;
    }

    /// SIGKILL to a worker in the midst of a refresh; a new one takes its place.
    async fn kill(&mut self) {
        let place = Cell::new(None);
        let (store, crew) = (&self.scene.store, &self.crew);
        within(PATIENCE, "a worker has begun a refresh", || async {
            for (number, (id, _)) in crew.iter().enumerate() {
                if !begun(store, *id).await.is_empty() {
                    place.set(Some(number));
                }
            }
            place.get().is_some()
        })
        .await;
        let (id, victim) = self.crew.swap_remove(place.get().expect("just found"));
        victim.kill();
        self.kills += 1;
        self.struck.extend(begun(&self.scene.store, id).await);
        self.hire().await;
    }

    /// How many grants are still to be renewed or given up.
    async fn undone(&self) -> i64 {
        let open = "SELECT count(*) FROM grants WHERE state = 'connected' \
                    AND (token_version = 1 OR refresh_begun_at IS NOT NULL)";
        notary::number(&self.scene.store, open, []).await
    }
}

/// The grants whose refresh a process has begun and not ended.
async fn begun(store: &mooring_store::Store, process: ProcessId) -> Vec<uuid::Uuid> {
    let sql = "SELECT j.subject_id FROM jobs j JOIN grants g ON g.id = j.subject_id \
               WHERE j.kind = 'refresh' AND j.begun_at IS NOT NULL AND j.holder = $1 \
               AND g.refresh_begun_at IS NOT NULL";
    notary::ids(store, sql, [process.uuid().into()]).await
}

impl Scene {
    /// Accounts on X, all due for a refresh; the access token of those that publish is over.
    async fn connect_x(&self, count: usize) -> (Vec<Account>, BTreeMap<String, uuid::Uuid>) {
        let admin = self.admin();
        let app = admin.create_x_app(NewXApp::default()).expect("an app");
        let secret = app.secret.expect("a confidential client");
        let new = NewApp {
            workspace: None,
            platform: Platform::X,
            client_id: app.id.clone(),
            client_secret: Secret::from(&*secret),
            base_url: None,
        };
        acts::register_app(&self.store, &Actor::Cli, new, self.now())
            .await
            .expect("the app is registered");
        let mut rows = Vec::new();
        for (share, left_s) in [(count / PUBLISHING, -60), (count - count / PUBLISHING, 600)] {
            let users = admin.create_x_users(&NewXUsers {
                app: app.id.clone(),
                count: share,
                access_life_s: left_s,
                ..NewXUsers::default()
            });
            let ends = self.now() + seconds(left_s);
            rows.extend(users.expect("users").into_iter().map(|user| ImportRow {
                refresh_token: user.refresh_token.as_ref().map(|token| token.to_string()),
                issued_at: Some(ends - hours(2)),
                access_expires_at: Some(ends),
                scopes: Some(user.scope.clone()),
                ..row("x", &user.id, &user.name, &user.access_token)
            }));
        }
        let first: BTreeSet<String> = rows
            .iter()
            .take(count / PUBLISHING)
            .map(|row| row.remote_id.clone())
            .collect();
        let mut accounts = self.import(rows).await;
        accounts.sort_by_key(|account| !first.contains(&account.remote_id));
        let grants = self.store.grants(self.workspace).await.expect("the grants");
        let grants = grants.into_iter().map(|((_, user), id)| (user, id.uuid()));
        (accounts, grants.collect())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_storm_of_refreshes_loses_no_grant_to_concurrency() {
    let started = Instant::now();
    let grants = wanted_grants();
    let patience = PATIENCE + Duration::from_millis(60 * grants as u64);
    let mut storm = Storm::brew(grants).await;
    // Slow enough for collisions and for kills between the platform's answer and our commit.
    for (kind, probability) in [
        (FaultKind::LatencyMs { ms: 150 }, 0.5),
        (FaultKind::LateEffectMs { ms: 150 }, 0.3),
    ] {
        let fault = Fault::new(Site::X, "refresh", kind).probability(probability);
        storm.scene.admin().add_fault(fault).expect("a fault");
    }
    let publishing: Vec<Account> = storm.accounts[..grants / PUBLISHING].to_vec();
    let due = storm.scene.now();
    let wanted = storm
        .scene
        .flood(&publishing, publishing.len(), 1, due, 1)
        .await;
    for _ in 0..PROCESSES {
        storm.hire().await;
    }
    let schedulers = [
        storm.scene.scheduler("scheduler-0"),
        storm.scene.scheduler("scheduler-1"),
    ];

    let kills = wanted_kills(grants);
    let mut round = 0;
    while storm.undone().await > 0 {
        storm.poke(round).await;
        round += 1;
        if storm.kills < kills && round % 2 == 0 {
            storm.kill().await;
        }
        assert!(
            started.elapsed() < patience,
            "the storm does not end: {} undone",
            storm.undone().await
        );
        tokio::time::interval_at(tokio::time::Instant::now() + CRON, CRON)
            .tick()
            .await;
    }
    storm.scene.admin().clear_faults();
    let report = judge(&mut storm, &publishing, &wanted, patience).await;
    println!("{}", report.with(grants, started.elapsed()));
    stop(
        storm
            .crew
            .drain(..)
            .map(|(_, worker)| worker)
            .chain(schedulers),
    )
    .await;
}

/// What came of it.
struct Report(serde_json::Map<String, serde_json::Value>);

impl Report {
    fn with(mut self, grants: usize, took: Duration) -> serde_json::Value {
        self.0.insert("grants".to_owned(), grants.into());
        self.0
            .insert("duration_s".to_owned(), took.as_secs().into());
        self.0.into()
    }
}

async fn judge(
    weather: &mut Storm,
    publishing: &[Account],
    wanted: &[(Account, String)],
    patience: Duration,
) -> Report {
    let store = &weather.scene.store;
    let lost_by_us = notary::ids(
        store,
        "SELECT subject_id FROM events WHERE name = 'rotation_lost'",
        [],
    )
    .await;
    let lost_by_us: BTreeSet<uuid::Uuid> = lost_by_us.into_iter().collect();
    let consents = weather.scene.admin().x_consents();
    let lost_there: BTreeSet<uuid::Uuid> = consents
        .iter()
        .filter(|one| !one.stands)
        .map(|one| weather.grants[&one.user])
        .collect();
    let to_concurrency = lost_there.difference(&weather.struck).count();
    let twice = consents.iter().filter(|one| one.refreshes != 1).count();
    let parked = "SELECT count(DISTINCT subject_id) FROM job_runs WHERE kind = 'publish' AND outcome = 'waiting'";
    let parked = notary::number(store, parked, []).await;

    let alive = posts_of_living_grants(weather, &lost_there, wanted, patience).await;

    let mut windows = Windows::default();
    weather
        .crew
        .iter()
        .for_each(|(_, worker)| windows.read(worker));
    let (p50, p99) = (windows.quantile_ms(0.5), windows.quantile_ms(0.99));
    let report = serde_json::json!({
        "refreshes_due": consents.len(),
        "refreshes_accepted": consents.iter().map(|one| one.refreshes).sum::<u64>(),
        "not_exactly_once": twice,
        "lost_to_concurrency": to_concurrency,
        "lost_rotation": lost_by_us.len(),
        "lost_at_the_platform": lost_there.len(),
        "kills": weather.kills,
        "refreshes_struck": weather.struck.len(),
        "pokes_on_refreshes_at_work": weather.collisions,
        "publishes_that_waited": parked,
        "posts_out": alive,
        "windows_measured": windows.count(),
        "window_ms": {"p50": p50, "p99": p99},
    });
    assert_eq!(
        to_concurrency, 0,
        "grants were lost to concurrency: {report}"
    );
    assert_eq!(lost_there, lost_by_us, "every loss is named: {report}");
    assert_eq!(
        twice, 0,
        "exactly one accepted refresh per due refresh: {report}"
    );
    assert!(
        weather.kills > 0 && !weather.struck.is_empty(),
        "no kill hit a refresh: {report}"
    );
    assert!(
        weather.collisions > 0,
        "no poke hit a refresh at work: {report}"
    );
    assert!(
        parked >= i64::try_from(publishing.len() / 10).expect("some"),
        "too few publishes collided: {report}"
    );
    assert!(windows.count() > 0, "no window was measured: {report}");
    let serde_json::Value::Object(fields) = report else {
        unreachable!("it was made as an object");
    };
    Report(fields)
}

/// Posts on grants that live go out, once each; those on lost grants wait for a person. Returns how many went out.
async fn posts_of_living_grants(
    weather: &Storm,
    lost: &BTreeSet<uuid::Uuid>,
    wanted: &[(Account, String)],
    patience: Duration,
) -> usize {
    let lives = |account: &Account| !lost.contains(&weather.grants[&account.remote_id]);
    let alive: Vec<_> = wanted
        .iter()
        .filter(|(account, _)| lives(account))
        .cloned()
        .collect();
    let scene = &weather.scene;
    within(patience, "posts of living grants are out", || async {
        scene.admin().ledger_groups().len() >= alive.len()
    })
    .await;
    scene.assert_exactly_once(&alive);
    alive.len()
}

//! An hour in which every platform is down: 5xx, 429, time-outs, broken connections. Nobody's connection may end for
//! it, and everything is well again soon after.
//!
//! `dev/outage --connections 10000` is this test at full size.

use std::{collections::BTreeMap, time::Instant};

use mooring_domain::{
    Lane, Platform,
    connection::Health,
    platform::RefreshRule,
    time::{hours, minutes, seconds},
};
use mooring_simulator::{Fault, FaultKind};
use mooring_store::ConnectionRow;
use mooring_tests::{Engine, World, WorldOptions};
use sea_orm::{ConnectionTrait as _, Statement};

/// Connections where nobody says how many.
const CONNECTIONS: usize = 65;
/// Time passes in steps, once everything due has been done.
const STEP: i64 = 60;

fn wanted() -> usize {
    let told = std::env::var("MOORING_OUTAGE_CONNECTIONS").ok();
    told.map_or(CONNECTIONS, |text| {
        text.parse()
            .expect("MOORING_OUTAGE_CONNECTIONS is a number")
    })
}

/// What goes wrong, and how often; the rest of the calls end in another way.
fn troubles() -> [(FaultKind, f64); 5] {
    [
        (FaultKind::LateEffectMs { ms: 3_600_000 }, 0.05),
        (
            FaultKind::Status {
                code: 503,
                body: None,
            },
            0.4,
        ),
        (
            FaultKind::Status {
                code: 500,
                body: None,
            },
            0.3,
        ),
        (FaultKind::RateLimited { reset_s: 60 }, 0.4),
        (FaultKind::DroppedRequest, 1.0),
    ]
}

async fn numbers(world: &World, sql: &str) -> BTreeMap<String, i64> {
    let db = world.store.connection();
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await;
    let rows = rows.expect("the books answer").into_iter();
    rows.map(|row| {
        let name: String = row.try_get_by_index(0).expect("a name");
        (name, row.try_get_by_index(1).expect("a number"))
    })
    .collect()
}

async fn states(world: &World) -> BTreeMap<String, i64> {
    numbers(world, "SELECT state, count(*) FROM grants GROUP BY state").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_without_platforms_ends_no_connection() {
    let started = Instant::now();
    let count = wanted();
    let w = World::with(WorldOptions {
        engine: Engine::Postgres,
        lanes: vec![Lane::Check, Lane::Refresh],
        call_timeout: Some(std::time::Duration::from_millis(1_500)),
        ..WorldOptions::default()
    })
    .await;
    let platforms: Vec<Platform> = Platform::ALL.into_iter().collect();
    let made = w.connect_fleet(&platforms, count).await;
    w.pass_in_steps(minutes(5), seconds(STEP)).await;
    let connected = states(&w).await;
    let due_in_the_hour = refreshes_due(&w, 60).await;

    everything_fails(&w);
    w.pass_in_steps(minutes(60), seconds(STEP)).await;
    let hits = w.sim().faults().hits;
    let calls: u64 = hits.values().sum();
    let during = states(&w).await;
    let ended = numbers(
        &w,
        "SELECT name, count(*) FROM events WHERE name = 'auth_state_changed' GROUP BY name",
    )
    .await;

    w.sim().clear_faults();
    w.pass_in_steps(minutes(30), seconds(STEP)).await;
    let health = w.connections().await;
    let well = health
        .iter()
        .filter(|row| row.health == Health::Healthy)
        .count();
    let report = serde_json::json!({
        "connections": made,
        "grants": connected,
        "grants_after_the_hour": during,
        "state_changes": ended.values().sum::<i64>(),
        "calls_in_the_hour": calls,
        "refreshes_due_in_the_hour": due_in_the_hour,
        "faults": hits,
        "healthy_afterwards": well,
        "duration_s": started.elapsed().as_secs(),
    });
    println!("{report}");
    assert_eq!(connected, during, "a state changed: {report}");
    assert!(ended.is_empty(), "a state changed: {report}");
    for kind in [
        "status",
        "rate_limited",
        "dropped_request",
        "late_effect_ms",
    ] {
        assert!(
            hits.get(kind).is_some_and(|hits| *hits > 0),
            "no {kind}: {report}"
        );
    }
    assert!(
        due_in_the_hour > 0,
        "no refresh was due in the hour: {report}"
    );
    assert!(calls >= made as u64, "nobody looked: {report}");
    // Who may not know that it was the platform's fault has had a whole series fail: that one waits for the next.
    let ill = ill(&health);
    let waits = |one: &Ill| one.2 == ["refresh_exhausted"];
    assert!(
        ill.iter().all(waits),
        "more is wrong than that: {ill:?} {report}"
    );
    // Six hours until the next series; and LinkedIn's limits are said to end at midnight, so whoever met one waits.
    w.pass_in_steps(hours(17), minutes(2)).await;
    let ill = self::ill(&w.connections().await);
    assert!(
        ill.is_empty(),
        "not everything is well again: {ill:?} {report}"
    );
    w.done().await;
}

fn everything_fails(world: &World) {
    for site in mooring_simulator::platforms() {
        for (kind, probability) in troubles() {
            let fault = Fault::new(site, "*", kind).probability(probability);
            world.sim().add_fault(fault).expect("a fault");
        }
    }
}

type Ill = (String, Health, Vec<String>);

/// The connections that are not well: platform, health, reasons.
fn ill(rows: &[ConnectionRow]) -> Vec<Ill> {
    let ill = rows.iter().filter(|row| row.health != Health::Healthy);
    ill.map(|row| (row.platform.clone(), row.health, row.reasons.clone()))
        .collect()
}

/// Refreshes that come due within so many minutes.
async fn refreshes_due(world: &World, within: i64) -> i64 {
    let by = (world.now() + minutes(within)).timestamp_millis();
    let sql = format!(
        "SELECT kind, count(*) FROM jobs WHERE kind = 'refresh' AND run_at <= {by} GROUP BY kind"
    );
    numbers(world, &sql).await.values().sum()
}

#[test]
fn some_platform_renews_within_the_hour() {
    let short = Platform::ALL.into_iter().filter(|platform| {
        let row = platform.capabilities();
        row.refresh != RefreshRule::None
            && row.access_lifetime.is_some_and(|life| life <= minutes(120))
    });
    assert!(short.count() >= 3);
}

//! A process while it serves, and at its end.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use mooring_tests::{Database, Engine, Fleet, within};

use super::{embedded, get, good, json, run, up, with_a_connection};

/// What `mooring up` is given to end: its configured drain, and a little for the last spans.
const DRAIN_S: u64 = 10;

#[tokio::test]
async fn the_admin_port_tells_health_metrics_and_the_signal_for_autoscaling() {
    let (fleet, _) = with_a_connection();
    let (_up, admin) = up(&fleet, "up").await;
    for path in ["/livez", "/readyz", "/startupz"] {
        let (status, body) = get(admin, path).expect("an answer");
        assert_eq!(status, 200, "{path}: {body}");
    }
    let (status, metrics) = get(admin, "/metrics").expect("metrics");
    assert!(
        status == 200 && metrics.contains("role=\"up\""),
        "{metrics}"
    );

    for lane in ["check", "refresh", "publish", "verify", "house"] {
        let (status, body) = get(admin, &format!("/internal/scale?lane={lane}")).expect("a signal");
        assert_eq!(status, 200, "{body}");
        let signal = json(&body);
        assert_eq!(signal["lane"], lane);
        let number = |name: &str| {
            signal[name]
                .as_u64()
                .unwrap_or_else(|| panic!("{name}: {body}"))
        };
        assert_eq!(number("backlog"), number("due") + number("leased"));
    }
    for query in ["?lane=nonsense", "?lane=", ""] {
        let (status, body) = get(admin, &format!("/internal/scale{query}")).expect("an answer");
        assert_eq!(
            (status, body.contains("lane")),
            (400, true),
            "{query}: {body}"
        );
    }
}

#[tokio::test]
async fn up_ends_in_good_order_on_sigterm() {
    let mut fleet = embedded();
    fleet
        .env
        .insert("MOORING_WORKER__DRAIN_S".to_owned(), DRAIN_S.to_string());
    let (mut process, _) = up(&fleet, "up").await;
    process.terminate();
    let mut success = None;
    within(Duration::from_secs(DRAIN_S + 5), "the process ends", || {
        success = process.ended();
        std::future::ready(success.is_some())
    })
    .await;
    assert_eq!(success, Some(true), "{}", process.log());
    let log = process.log();
    for name in ["process.stopping", "process.stopped"] {
        assert!(log.contains(name), "{name} is not in the log:\n{log}");
    }
    assert!(log.contains("\"drained\":true"), "{log}");
    // The right to the database is free again.
    up(&fleet, "again").await;
}

#[tokio::test]
async fn up_makes_the_tables_and_the_key_that_an_empty_server_lacks() {
    let database = Database::empty(Engine::Postgres).await;
    let redis = std::env::var("MOORING_TEST_REDIS_URL").expect("run the tests with dev/test");
    let fleet = Fleet::new([
        ("MOORING_DATABASE_URL", database.url.clone()),
        ("MOORING_REDIS_URL", redis),
        (
            "MOORING_REDIS__PREFIX",
            format!("cli-{}", uuid::Uuid::now_v7().simple()),
        ),
    ]);
    run(&fleet, &["status"]).refused(&["mooring migrate up"]);
    let (process, _) = up(&fleet, "up").await;
    assert_eq!(
        good(&fleet, &["migrate", "status"]),
        "0 migration(s) missing\n"
    );
    assert!(
        process.log().contains("vault.key_made"),
        "{}",
        process.log()
    );

    let file = fleet.folder().join("mooring-data/vault.keys");
    let mode = std::fs::metadata(&file)
        .expect("the key")
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "nobody else may read it: {mode:o}");
    let key = std::fs::read_to_string(&file).expect("the key");
    let told = run(&fleet, &["doctor"]);
    assert!(told.success, "it is found again: {}{}", told.out, told.err);
    assert!(!fleet.logs().contains(key.trim()), "the key is in a log");
    // The next start finds the key and makes no other.
    drop(process);
    up(&fleet, "again").await;
    assert_eq!(std::fs::read_to_string(&file).expect("the key"), key);
}

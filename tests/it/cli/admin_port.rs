//! A process while it serves, and at its end.

use std::time::Duration;

use mooring_tests::within;

use super::{embedded, get, json, serving, with_a_connection};

/// What `mooring up` is given to end: its configured drain, and a little for the last spans.
const DRAIN_S: u64 = 10;

#[tokio::test]
async fn the_admin_port_tells_health_metrics_and_the_signal_for_autoscaling() {
    let (fleet, _) = with_a_connection();
    let (_up, admin) = serving(&fleet, "up", &["up"]).await;
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(
            get(admin, path).map(|(status, _)| status),
            Some(200),
            "{path}"
        );
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
    let (mut up, _) = serving(&fleet, "up", &["up"]).await;
    up.terminate();
    let mut success = None;
    within(Duration::from_secs(DRAIN_S + 5), "the process ends", || {
        success = up.ended();
        std::future::ready(success.is_some())
    })
    .await;
    assert_eq!(success, Some(true), "{}", up.log());
    let log = up.log();
    for name in ["process.stopping", "process.stopped"] {
        assert!(log.contains(name), "{name} is not in the log:\n{log}");
    }
    assert!(log.contains("\"drained\":true"), "{log}");
    // The right to the database is free again.
    serving(&fleet, "again", &["up"]).await;
}

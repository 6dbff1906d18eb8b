use std::sync::Mutex;

use super::*;

fn at(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap()
}

#[test]
fn a_small_offset_is_applied_and_a_large_one_only_takes_trust_away() {
    let clock = SystemClock::new();
    clock.note_offset_ms(-TRUSTED_OFFSET_MS);
    assert!(clock.trusted());
    assert!(clock.now() < clock.raw_now());

    clock.note_offset_ms(TRUSTED_OFFSET_MS + 1);
    assert!(!clock.trusted());
    assert_eq!(clock.offset_ms(), 501);
    assert!((clock.now() - clock.raw_now()).num_milliseconds().abs() < 500);

    clock.note_offset_ms(i64::MIN);
    assert!(!clock.trusted());
}

#[test]
fn readings_are_whole_milliseconds() {
    assert_eq!(
        SystemClock::new().now().timestamp_subsec_nanos() % 1_000_000,
        0
    );
}

#[test]
fn clones_of_a_manual_clock_share_the_time() {
    let clock = ManualClock::new(at(1_000));
    let other = clock.clone();
    clock.advance(TimeDelta::seconds(2));
    assert_eq!(other.ms(), 3_000);
    other.set(at(5));
    assert_eq!(clock.now(), at(5));
    other.note_offset_ms(10_000);
    assert!(clock.trusted());
}

#[test]
fn a_clock_file_holds_milliseconds_or_rfc3339_and_survives_a_half_written_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clock");
    assert!(
        FileClock::open(&path)
            .unwrap_err()
            .to_string()
            .contains("clock")
    );

    std::fs::write(&path, "1700000000000\n").unwrap();
    let clock = FileClock::open(&path).unwrap();
    assert_eq!(clock.ms(), 1_700_000_000_000);
    std::fs::write(&path, "2026-01-02T03:04:05Z").unwrap();
    assert_eq!(clock.now().to_rfc3339(), "2026-01-02T03:04:05+00:00");
    for broken in ["", "2026-01-0", "99999999999999999999"] {
        std::fs::write(&path, broken).unwrap();
        assert_eq!(
            clock.now().to_rfc3339(),
            "2026-01-02T03:04:05+00:00",
            "{broken:?}"
        );
    }
}

#[tokio::test]
async fn waiting_follows_a_simulated_clock() {
    let clock = ManualClock::new(at(0));
    let mover = clock.clone();
    let order = Mutex::new(Vec::new());
    let waiting = async {
        wait_until(&clock, at(86_400_000)).await;
        order.lock().unwrap().push("waited");
    };
    let moving = async {
        tokio::task::yield_now().await;
        order.lock().unwrap().push("moved");
        mover.advance(TimeDelta::days(1));
    };
    tokio::time::timeout(Duration::from_secs(5), async {
        tokio::join!(waiting, moving)
    })
    .await
    .unwrap();
    assert_eq!(*order.lock().unwrap(), ["moved", "waited"]);
}

#[tokio::test]
async fn waiting_for_the_past_ends_at_once() {
    wait_until(&SystemClock::new(), at(0)).await;
}

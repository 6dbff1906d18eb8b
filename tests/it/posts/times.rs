//! Wall times in zones: kept, shown as they were said, and resolved on the days on which clocks are set.

use mooring_domain::{
    Platform, Role,
    time::{days, hours},
};
use mooring_tests::World;
use serde_json::{Value, json};

use super::text;

fn at(account: &mooring_tests::Account, words: &str, due: &Value) -> Value {
    json!({"connections": [account.connection.to_string()], "text": words, "due": due})
}

fn berlin(wall: &str) -> Value {
    json!({"wall": wall, "zone": "Europe/Berlin"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_039_a_wall_time_is_kept_and_a_day_of_clock_changes_neither_doubles_nor_skips() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    let api = w.api(Role::Operator).await;
    for (words, due, instant) in [
        ("winter", berlin("2026-12-01T09:30"), "2026-12-01T08:30:00Z"),
        (
            "half",
            json!({"wall": "2026-12-01T09:30", "zone": "Asia/Kolkata"}),
            "2026-12-01T04:00:00Z",
        ),
        (
            "instant",
            json!({"at": "2026-12-01T08:45:00+01:00", "zone": "America/New_York"}),
            "2026-12-01T07:45:00Z",
        ),
        (
            "later",
            json!({"wall": "2027-03-28T02:30", "zone": "Europe/Berlin", "gap": "later"}),
            "2027-03-28T01:30:00Z",
        ),
        ("twice", berlin("2027-10-31T02:30"), "2027-10-31T00:30:00Z"),
        (
            "second",
            json!({"wall": "2027-10-31T02:30", "zone": "Europe/Berlin", "fold": "second"}),
            "2027-10-31T01:30:00Z",
        ),
    ] {
        let made = api.post("/posts", at(&account, words, &due)).await.ok(201);
        assert_eq!(text(&made["due"], "at"), instant, "{words}");
        assert_eq!(made["due"]["zone"], due["zone"], "{words}");
        assert_eq!(made["due"].get("wall_now"), None, "{words}: {made}");
        if words == "later" {
            assert_eq!(text(&made["due"], "wall"), "2027-03-28T03:30");
        }
        if words == "instant" {
            assert_eq!(text(&made["due"], "wall"), "2026-12-01T02:45");
        }
    }
    let plain = api
        .post(
            "/posts",
            at(&account, "plain", &json!("2026-12-01T08:30:00Z")),
        )
        .await
        .ok(201);
    assert_eq!(plain["due"], json!({"at": "2026-12-01T08:30:00Z"}));
    w.advance(days(6)).await;
    let from = chrono::DateTime::parse_from_rfc3339("2026-12-01T00:00:00Z")
        .expect("a time")
        .to_utc();
    let out = super::minutes_out(&w, from, &["half", "instant", "winter", "plain", "later"]);
    assert_eq!(out, [Some(240), Some(465), Some(510), Some(510), None]);
    // Another time, by the clock of another place; and one without a place.
    let list = api.get("/posts?state=scheduled").await.ok(200);
    let later = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|one| text(one, "text") == "later");
    let path = format!("/posts/{}", text(later.expect("it waits"), "id"));
    let moved = json!({"due": {"wall": "2027-01-01T00:00", "zone": "Pacific/Kiritimati"}});
    let moved = api.patch(&path, moved).await.ok(200);
    assert_eq!(
        moved["due"],
        json!({"at": "2026-12-31T10:00:00Z", "zone": "Pacific/Kiritimati", "wall": "2027-01-01T00:00"})
    );
    let due = w.now() + hours(1);
    let moved = api.patch(&path, json!({"due": due})).await.ok(200);
    assert_eq!(moved["due"], json!({"at": due}));
    w.advance(hours(2)).await;
    assert_eq!(w.copies(&account, "later"), 1);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_time_that_no_clock_shows_is_refused_with_its_neighbours() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    let api = w.api(Role::Operator).await;
    let gap = at(&account, "gap", &berlin("2027-03-28T02:30"));
    let refused = api.post("/posts", gap).await;
    assert_eq!(refused.json["field"], "due.wall");
    let detail = refused.problem(422, "invalid");
    assert!(
        detail.contains("2027-03-28T01:30") && detail.contains("2027-03-28T03:30"),
        "{detail}"
    );
    for (due, part) in [
        (
            json!({"wall": "2027-03-28T02:30", "zone": "Berlin"}),
            "no IANA time zone",
        ),
        (
            json!({"wall": "tomorrow", "zone": "Europe/Berlin"}),
            "is no wall time",
        ),
        (json!({"wall": "2027-03-28T04:30"}), "is no time"),
        (json!("tomorrow"), "is no time"),
        (
            json!({"wall": "2027-03-28T02:30", "zone": "Europe/Berlin", "gap": "both"}),
            "earlier",
        ),
    ] {
        let detail = api
            .post("/posts", at(&account, "wrong", &due))
            .await
            .problem(422, "invalid");
        assert!(detail.contains(part), "{detail}");
    }
    w.done().await;
}

//! Publishing again: a new edition, by a clear word, and never while the last one's fate is open.

use mooring_domain::{
    Platform, Role,
    time::{hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, LedgerFilter, Platform as Sim};
use mooring_tests::World;
use serde_json::json;

use super::{plan, target, text};

const BOTH: [(Platform, Sim); 2] = [
    (Platform::Facebook, Sim::Facebook),
    (Platform::Bluesky, Sim::Bluesky),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_116_a_later_publish_replaces_the_record_of_the_removed_one() {
    for (platform, sim) in BOTH {
        let w = World::start().await;
        let account = w.connect(platform).await;
        let api = w.api(Role::Operator).await;
        let made = api
            .post("/posts", plan(&w, &[&account], "here today", 1))
            .await
            .ok(201);
        let path = format!("/posts/{}", text(&made, "id"));
        w.advance(minutes(5)).await;
        let entry = w.sim().ledger(&LedgerFilter::default()).remove(0);
        w.sim().delete_post(sim, &entry.remote_id).expect("deleted");
        w.advance(hours(25)).await;
        let removed = api.get(&path).await.ok(200);
        assert_eq!(
            (
                text(&removed, "state"),
                text(&removed["targets"][0], "verdict")
            ),
            ("removed", "removed")
        );
        assert_eq!(removed["targets"][0].get("permalink"), None);
        let (id, _) = target(&made, 0);
        let again = api
            .post(&format!("/targets/{id}/publish-again"), json!({}))
            .await
            .ok(200);
        let record = &again["targets"][0];
        assert_eq!(
            (text(&again, "state"), &record["edition"]),
            ("scheduled", &json!(2))
        );
        for gone in ["verdict", "permalink", "reason", "published_at"] {
            assert_eq!(
                record.get(gone),
                None,
                "the removed record is replaced: {record}"
            );
        }
        // The old edition is looked at for the last time a week after it, and that says nothing about the new one.
        w.advance(hours(156)).await;
        let shown = api.get(&path).await.ok(200);
        let record = &shown["targets"][0];
        assert_eq!(
            (text(&shown, "state"), text(record, "verdict")),
            ("published", "live"),
            "{platform}"
        );
        assert!(text(record, "permalink").starts_with("http"), "{record}");
        let editions = record["attempts"].as_array().expect("attempts").iter();
        assert_eq!(
            editions
                .map(|one| one["edition"].clone())
                .collect::<Vec<_>>(),
            [json!(1), json!(2)]
        );
        let ledger = w.sim().ledger(&LedgerFilter::default());
        assert_eq!(ledger.len(), 2, "{platform}");
        assert_ne!(record["attempts"][1]["remote_id"], entry.remote_id.as_str());
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_022_a_published_target_is_settled_and_goes_out_again_only_by_a_clear_word() {
    let w = World::start().await;
    let account = w.connect(Platform::Bluesky).await;
    let api = w.api(Role::Operator).await;
    let made = api
        .post("/posts", plan(&w, &[&account], "once", 1))
        .await
        .ok(201);
    let again = format!("/targets/{}/publish-again", target(&made, 0).0);
    let detail = api
        .post(&again, json!({}))
        .await
        .problem(409, "not_settled");
    assert!(detail.contains("goes out by itself"), "{detail}");
    w.advance(minutes(5)).await;
    let detail = api
        .post(&again, json!({}))
        .await
        .problem(409, "already_published");
    assert!(
        detail.contains("is published (http") && detail.contains("settled"),
        "{detail}"
    );
    w.advance(hours(1)).await;
    assert_eq!(w.copies(&account, "once"), 1);
    let told = api
        .post(&again, json!({"even_if_published": true}))
        .await
        .ok(200);
    assert_eq!(told["targets"][0]["edition"], 2);
    assert_eq!(w.event_counts().await["target_published_again"], 1);
    w.advance(hours(1)).await;
    assert_eq!(w.copies(&account, "once"), 2, "that is what was wanted");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_published_again_while_an_attempt_dangles() {
    let w = World::start().await;
    let account = w.connect(Platform::Facebook).await;
    let api = w.api(Role::Operator).await;
    w.settle().await;
    let lost = Fault::new(Sim::Facebook, "publish", FaultKind::LostAnswer).times(1);
    w.sim().add_fault(lost).expect("a fault");
    let made = api
        .post("/posts", plan(&w, &[&account], "where is it", 0))
        .await
        .ok(201);
    w.settle().await;
    let shown = api
        .get(&format!("/posts/{}", text(&made, "id")))
        .await
        .ok(200);
    assert_eq!(text(&shown, "state"), "publishing");
    let again = format!("/targets/{}/publish-again", target(&made, 0).0);
    let detail = api
        .post(&again, json!({"even_if_published": true}))
        .await
        .problem(409, "attempt_dangles");
    assert!(detail.contains("may be live"), "{detail}");
    w.advance(hours(1)).await;
    assert_eq!(w.copies(&account, "where is it"), 1);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_post_is_planned_anew_and_goes_out_at_its_new_time() {
    let w = World::start().await;
    let account = w.connect(Platform::Bluesky).await;
    w.settle().await;
    let api = w.api(Role::Operator).await;
    let down = FaultKind::Status {
        code: 503,
        body: None,
    };
    let down = w
        .sim()
        .add_fault(Fault::new(Sim::Bluesky, "publish", down))
        .expect("a fault");
    let mut order = plan(&w, &[&account], "in time", 1);
    order["max_lateness_s"] = json!(120);
    let made = api.post("/posts", order).await.ok(201);
    let path = format!("/posts/{}", text(&made, "id"));
    w.advance(minutes(20)).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(
        text(&shown, "state"),
        "missed",
        "two minutes is its own limit: {shown}"
    );
    w.sim().remove_fault(down).expect("removed");
    let again = format!("/targets/{}/publish-again", target(&made, 0).0);
    let due = w.now() + hours(3);
    let _ = api.post(&again, json!({"due": due})).await.ok(200);
    w.advance(hours(2)).await;
    assert_eq!(w.copies(&account, "in time"), 0);
    w.advance(hours(2)).await;
    assert_eq!(w.copies(&account, "in time"), 1);
    assert_eq!(text(&api.get(&path).await.ok(200), "state"), "published");
    w.done().await;
}

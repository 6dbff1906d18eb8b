//! What people are told of a post: each platform by itself, and the whole.

use mooring_domain::{
    Event, Platform, PostId, Role,
    post::PostState,
    time::{hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, LedgerFilter, Platform as Sim};
use mooring_tests::{Account, Api, World};
use serde_json::{Value, json};

use super::{plan, target, text};

/// A world, a Bluesky account and a page of which the next `refused` posts are refused, and a post on both.
async fn on_both(refused: u64) -> (World, Api, [Account; 2], String) {
    let w = World::start().await;
    let (blue, page) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Facebook).await,
    );
    w.settle().await;
    if refused > 0 {
        let error = json!({"error": {"message": "Invalid parameter", "type": "OAuthException", "code": 100}});
        let kind = FaultKind::Status {
            code: 400,
            body: Some(error),
        };
        let fault = Fault::new(Sim::Facebook, "publish", kind).times(refused);
        w.sim().add_fault(fault).expect("a fault");
    }
    let api = w.api(Role::Operator).await;
    let made = api
        .post("/posts", plan(&w, &[&blue, &page], "ahoy", 1))
        .await
        .ok(201);
    let path = format!("/posts/{}", text(&made, "id"));
    (w, api, [blue, page], path)
}

/// What the stream was told of a post as a whole.
async fn settled(w: &World, path: &str) -> Vec<Event> {
    let id: PostId = path.trim_start_matches("/posts/").parse().expect("an id");
    let mut told = w.told(id.uuid()).await;
    told.retain(|event| matches!(event, Event::PostSettled { .. }));
    told
}

fn state(event: &Event) -> PostState {
    match event {
        Event::PostSettled { state, .. } => *state,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_098_what_went_out_has_its_state_and_its_live_links() {
    let (w, api, _, path) = on_both(0).await;
    w.advance(minutes(10)).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(text(&shown, "state"), "published");
    assert_eq!(
        shown["platforms"],
        json!({"bluesky": "published", "facebook": "published"})
    );
    for one in shown["targets"].as_array().expect("targets") {
        assert!(text(one, "permalink").starts_with("http"), "{one}");
        assert!(one["published_at"].is_string(), "{one}");
    }
    let told = settled(&w, &path).await;
    let [Event::PostSettled { state, targets, .. }] = &told[..] else {
        panic!("told once: {told:?}")
    };
    assert_eq!((*state, targets.len()), (PostState::Published, 2));
    assert!(targets.iter().all(|one| one.state == PostState::Published));
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_099_a_refusal_marks_its_own_platform_and_no_other() {
    let (w, api, [blue, page], path) = on_both(1).await;
    w.advance(hours(1)).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(
        shown["platforms"],
        json!({"bluesky": "published", "facebook": "failed"})
    );
    assert_eq!(text(&shown, "state"), "partially_published");
    assert_eq!(text(&shown["targets"][1], "reason"), "content_rejected");
    assert_eq!(shown["targets"][0].get("reason"), None);
    assert_eq!((w.copies(&blue, "ahoy"), w.copies(&page, "ahoy")), (1, 0));
    let told = settled(&w, &path).await;
    assert_eq!(
        told.iter().map(state).collect::<Vec<_>>(),
        [PostState::PartiallyPublished]
    );
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_096_each_platform_is_told_apart_from_the_whole_while_it_goes_on() {
    let (w, api, _, path) = on_both(0).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(
        shown["platforms"],
        json!({"bluesky": "scheduled", "facebook": "scheduled"})
    );
    // One part is given up, the other goes out.
    let (first, _) = target(&shown, 1);
    let shown = api
        .post(&format!("/targets/{first}/cancel"), json!({}))
        .await
        .ok(200);
    assert_eq!(
        shown["platforms"],
        json!({"bluesky": "scheduled", "facebook": "cancelled"})
    );
    assert_eq!(text(&shown, "state"), "scheduled");
    w.advance(minutes(10)).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(
        shown["platforms"],
        json!({"bluesky": "published", "facebook": "cancelled"})
    );
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_108_a_part_that_failed_is_published_again_and_the_whole_moves_forward() {
    let (w, api, [_, page], path) = on_both(1).await;
    w.advance(hours(1)).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(text(&shown, "state"), "partially_published");
    let (failed, _) = target(&shown, 1);
    let again = api
        .post(&format!("/targets/{failed}/publish-again"), json!({}))
        .await
        .ok(200);
    assert_eq!(
        again["platforms"],
        json!({"bluesky": "published", "facebook": "scheduled"})
    );
    assert_eq!(
        text(&again, "state"),
        "partially_published",
        "it never looks less than it is"
    );
    w.advance(hours(1)).await;
    let shown = api.get(&path).await.ok(200);
    assert_eq!(text(&shown, "state"), "published");
    assert_eq!(w.copies(&page, "ahoy"), 1);
    let told: Vec<PostState> = settled(&w, &path).await.iter().map(state).collect();
    assert_eq!(told, [PostState::PartiallyPublished, PostState::Published]);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_106_what_is_settled_is_not_changed_cancelled_or_published_by_an_edit() {
    let (w, api, [blue, _], path) = on_both(0).await;
    w.advance(minutes(10)).await;
    let before: Value = api.get(&path).await.ok(200);
    let old = w.now() - minutes(5);
    for told in [
        json!({"due": old}),
        json!({"text": "other words"}),
        json!({"critical": true}),
    ] {
        let detail = api.patch(&path, told).await.problem(409, "already_begun");
        assert!(detail.contains("can no longer be changed"), "{detail}");
    }
    let _ = api
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .problem(409, "already_begun");
    let (first, _) = target(&before, 0);
    let _ = api
        .post(&format!("/targets/{first}/cancel"), json!({}))
        .await
        .problem(409, "already_begun");
    w.advance(hours(25)).await;
    let after = api.get(&path).await.ok(200);
    assert_eq!(after["state"], before["state"]);
    assert_eq!(w.copies(&blue, "ahoy"), 1);
    assert_eq!(w.sim().ledger(&LedgerFilter::default()).len(), 2);
    w.done().await;
}

//! The same content twice on one connection within a day is refused before it happens, unless somebody wants it.

use mooring_domain::{
    Platform, PostId, Role, TargetId,
    decision::NewPost,
    post::{Content, Overrides},
    time::hours,
};
use mooring_store::{ApplyError, Refusal};
use mooring_tests::World;
use serde_json::json;

use super::{plan, text};
use crate::rules::{Desk, on_both, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_023_the_same_content_within_a_day_is_refused_and_names_the_other_post() {
    let w = World::start().await;
    let (blue, page) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Facebook).await,
    );
    let api = w.api(Role::Operator).await;
    let first = api
        .post("/posts", plan(&w, &[&blue], "good  morning", 60))
        .await
        .ok(201);
    let order = |minutes| plan(&w, &[&page, &blue], "good morning ", minutes);
    for minutes in [60, 60 * 24] {
        let detail = api
            .post("/posts", order(minutes))
            .await
            .problem(409, "duplicate_post");
        assert!(
            detail.contains(text(&first, "id")) && detail.contains("allow the duplicate"),
            "{detail}"
        );
    }
    assert_eq!(
        w.event_counts().await["post_scheduled"],
        1,
        "all of its targets or none"
    );
    // A day later, elsewhere, or said otherwise, it is no double.
    let _ = api.post("/posts", order(60 * 25)).await.ok(201);
    let mut other = order(60);
    other["overrides"] = json!({"bluesky": {"text": "good evening"}});
    let changed = api.post("/posts", other).await.ok(201);
    // An edit must not make one either.
    let path = format!("/posts/{}", text(&changed, "id"));
    let _ = api
        .patch(&path, json!({"overrides": {}}))
        .await
        .problem(409, "duplicate_post");
    let wanted = json!({"overrides": {}, "allow_duplicate": true});
    let _ = api.patch(&path, wanted).await.ok(200);
    let cancel = format!("/posts/{}/cancel", text(&changed, "id"));
    let _ = api.post(&cancel, json!({})).await.ok(200);
    // What went out counts from then on.
    w.advance(hours(2)).await;
    let _ = api
        .post("/posts", order(60 * 2))
        .await
        .problem(409, "duplicate_post");
    let mut wanted = plan(&w, &[&blue], "good morning", 60);
    wanted["allow_duplicate"] = json!(true);
    let _ = api.post("/posts", wanted).await.ok(201);
    w.advance(hours(26)).await;
    assert_eq!(w.copies(&blue, "good  morning"), 1);
    w.done().await;
}

/// Two people schedule the same at the same moment: one of them is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_023_of_two_that_schedule_the_same_at_once_one_is_refused() {
    on_both(async |desk: Desk| {
        let place = desk.connect("quay").await;
        for round in 0..20 {
            let new = || {
                let post: PostId = desk.store.mint(start());
                let target: TargetId = desk.store.mint(start());
                let new = NewPost {
                    post,
                    content: Content::text(format!("round {round}")),
                    overrides: Overrides::default(),
                    due: (start() + hours(1)).into(),
                    max_lateness: None,
                    critical: false,
                    allow_duplicate: false,
                    targets: vec![(target, place.connection, Platform::Bluesky)],
                };
                mooring_domain::acts::schedule_post(new, desk.store.policy(), start())
            };
            let (one, two) = (new(), new());
            let answers = tokio::join!(desk.try_act(&one), desk.try_act(&two));
            let answers = [answers.0, answers.1];
            let made = answers.iter().filter(|answer| answer.is_ok()).count();
            let told = answers.iter().filter(|answer| {
                matches!(answer, Err(ApplyError::Refused(Refusal::Duplicate { .. })))
            });
            assert_eq!((made, told.count()), (1, 1), "{answers:?}");
        }
    })
    .await;
}

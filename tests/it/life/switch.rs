//! Confirming a disconnect, and the kill switch.

use mooring_domain::{
    Platform, Role,
    post::Stage,
    time::{days, hours, minutes},
};
use serde_json::json;

use super::{ENGINES, on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_047_a_disconnect_lists_the_posts_and_wants_exactly_that_confirmed() {
    for engine in ENGINES {
        let w = on(engine).await;
        let account = w.connect(Platform::Facebook).await;
        w.settle().await;
        let first = w.post(&account, "first to go", hours(2)).await;
        for number in 0..60 {
            w.post(&account, &format!("later {number}"), days(1)).await;
        }
        let operator = w.api(Role::Operator).await;
        let path = format!("/connections/{}", account.connection);
        let shown = operator.get(&format!("{path}/disconnect")).await.ok(200);
        assert_eq!(
            (&shown["pending"], &shown["in_flight"]),
            (&61.into(), &0.into())
        );
        let posts = shown["posts"].as_array().unwrap();
        assert_eq!(posts.len(), 50);
        assert_eq!(posts[0]["target"], first.target().to_string(), "by time");
        assert_eq!(posts[0]["text"], "first to go");
        assert!(posts[0]["due"].is_string());

        let before = w.events().await.len();
        let unconfirmed = operator.delete(&path).await;
        assert_eq!(unconfirmed.json["preview"], shown, "the same numbers");
        let detail = unconfirmed.problem(428, "confirmation_needed");
        let confirm = shown["confirm"].as_str().unwrap();
        assert!(detail.contains(confirm), "{detail}");
        // What has changed since must be confirmed anew.
        let late = w.post(&account, "late", hours(3)).await;
        let stale = operator.delete(&format!("{path}?confirm={confirm}")).await;
        let confirm = stale.json["preview"]["confirm"]
            .as_str()
            .unwrap()
            .to_owned();
        let _ = stale.problem(428, "confirmation_needed");
        w.assert_post(&late, Stage::Scheduled, None).await;
        assert_eq!(w.events().await.len(), before + 1, "only the post was told");

        let done = operator
            .delete(&format!("{path}?confirm={confirm}"))
            .await
            .ok(200);
        assert_eq!(done["cancelled"], 62);
        assert_eq!(done["credentials"], "revoked");
        let again = operator.delete(&format!("{path}?confirm={confirm}")).await;
        let _ = again.problem(409, "connection_removed");
        let card = operator.get(&path).await.ok(200);
        for (field, value) in [
            ("health", "removed"),
            ("auth_state", "removed"),
            ("removed_why", "disconnected"),
            ("colour", "amber"),
        ] {
            assert_eq!(card[field], value, "{field}");
        }
        let gone = operator.get("/connections?health=removed").await.ok(200);
        assert_eq!(gone["items"].as_array().unwrap().len(), 1);
        let left = operator.get("/connections").await.ok(200);
        assert_eq!(left["items"], json!([]));
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_057_the_kill_switch_lets_every_connection_go_in_one_act() {
    for engine in ENGINES {
        let w = on(engine).await;
        let mut accounts = Vec::new();
        for platform in [Platform::Facebook, Platform::Bluesky, Platform::Facebook] {
            accounts.push(w.connect(platform).await);
        }
        w.settle().await;
        let mut posts = Vec::new();
        for account in &accounts {
            posts.push(w.post(account, "of the thief", minutes(30)).await);
        }
        let (operator, admin) = (w.api(Role::Operator).await, w.api(Role::Admin).await);
        let path = "/workspaces/disconnect-all";
        let refused = operator.post(path, json!({})).await;
        let _ = refused.problem(403, "role_too_low");
        let shown = admin.post(path, json!({})).await;
        let preview = shown.json["preview"].clone();
        let _ = shown.problem(428, "confirmation_needed");
        assert_eq!(
            (&preview["connections"], &preview["pending"]),
            (&3.into(), &3.into())
        );
        // Whoever broke in goes on scheduling: the switch is not held up by that.
        let more = w.post(&accounts[0], "one more", minutes(20)).await;
        let done = admin
            .post(path, json!({"confirm": preview["confirm"]}))
            .await
            .ok(200);
        assert_eq!(
            (&done["connections"], &done["cancelled"]),
            (&3.into(), &4.into())
        );
        w.advance(hours(3)).await;
        for (account, post) in accounts.iter().zip(&posts) {
            assert_eq!(w.copies(account, "of the thief"), 0);
            w.assert_post(post, Stage::Cancelled, None).await;
        }
        w.assert_post(&more, Stage::Cancelled, None).await;
        mooring_tests::eventually("the platforms are told", || async {
            let told = w.event_counts().await;
            told.get("grant_revoked_at_platform") == Some(&3)
        })
        .await;
        let told = admin
            .get("/audit?event=workspace_disconnected")
            .await
            .ok(200);
        let entry = &told["items"][0];
        assert_eq!(entry["data"]["connections"], 3);
        assert_eq!(entry["origin"], "127.0.0.1");
        let numbers = w.store.counts(Some(w.workspace)).await.unwrap();
        assert_eq!(numbers.connections, [("removed".to_owned(), 3)]);
        w.done().await;
    }
}

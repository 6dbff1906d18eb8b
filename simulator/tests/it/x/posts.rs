//! Posts: made, read, listed, changed, deleted.

use std::time::Duration;

use mooring_simulator::Platform;
use mooring_simulator::x::{NewXUsers, XAccountState, XMissingPosts};
use serde_json::{Value, json};

use super::{X, detail, id_of, problem};
use crate::client::{delete, post_json, send};

#[tokio::test]
async fn a_post_can_be_read_listed_and_deleted() {
    let x = X::new().await;
    let words = "Fish & chips <today> at https://example.com/menu and example.org";
    let reply = x.post(words).await;
    assert_eq!(reply.status, 201);
    let id = id_of(&reply);
    assert!(id.len() == 19, "{id}");
    let read = x
        .own(&format!(
            "tweets/{id}?tweet.fields=created_at,entities,author_id&expansions=author_id"
        ))
        .await
        .json();
    let text = read["data"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("Fish &amp; chips &lt;today&gt; at https://t.co/"),
        "{text}"
    );
    let urls = read["data"]["entities"]["urls"].as_array().unwrap();
    assert_eq!(urls[0]["expanded_url"], "https://example.com/menu");
    assert_eq!(urls[1]["expanded_url"], "http://example.org");
    let range = |u: &Value| {
        let at = |n: &str| usize::try_from(u[n].as_u64().unwrap()).unwrap();
        let (start, end) = (at("start"), at("end"));
        text.chars()
            .skip(start)
            .take(end - start)
            .collect::<String>()
    };
    assert_eq!(urls[0]["url"], range(&urls[0]));
    assert_eq!(read["data"]["created_at"], "2026-11-23T15:00:00.000Z");
    assert_eq!(read["includes"]["users"][0]["username"], x.user.username);
    assert_eq!(x.admin.ledger_summary().posts, 1);

    let removed = send(
        &x.simulator,
        &delete(format!("/x/2/tweets/{id}")).token(&x.user.access_token),
    )
    .await;
    assert_eq!(removed.json(), json!({ "data": { "deleted": true } }));
    let gone = x.own(&format!("tweets/{id}")).await;
    assert_eq!(gone.status, 200);
    let gone = gone.json();
    assert!(gone.get("data").is_none());
    assert_eq!(gone["errors"][0]["resource_id"], id);
    assert_eq!(
        gone["errors"][0]["type"],
        "https://api.x.com/2/problems/resource-not-found"
    );
    x.set(|s| s.missing_posts = XMissingPosts::NotFound);
    let gone = x.own(&format!("tweets/{id}")).await;
    assert_eq!(problem(&gone), (404, "resource-not-found".to_owned()));
    assert_eq!(x.admin.ledger_summary().live, 0);
}

#[tokio::test]
async fn texts_are_weighed_and_duplicates_are_refused() {
    let x = X::new().await;
    let link = "https://example.com/a/path/that/is/much/longer/than/twenty-three/characters";
    let just = format!("{} {link}", "日".repeat(128));
    assert_eq!(x.post(&just).await.status, 201, "256 + 1 + 23 = 280");
    let over = format!("{}a {link}", "日".repeat(128));
    let refused = x.post(&over).await;
    assert_eq!(problem(&refused), (403, "about:blank".to_owned()));
    assert_eq!(
        detail(&refused),
        "You are not permitted to perform this action."
    );

    assert_eq!(x.post("again").await.status, 201);
    let refused = x.post("again").await;
    assert_eq!(refused.status, 403);
    assert!(detail(&refused).contains("duplicate content"));
    assert_eq!(x.admin.ledger_summary().refused_duplicates, 1);
    x.advance(Duration::from_hours(25));
    let users = NewXUsers {
        app: x.app.id.clone(),
        premium: true,
        ..NewXUsers::default()
    };
    let subscriber = x.admin.create_x_users(&users).unwrap().remove(0);
    let long = "words ".repeat(400);
    let call = post_json("/x/2/tweets", &json!({ "text": long })).token(&subscriber.access_token);
    let posted = send(&x.simulator, &call).await;
    assert_eq!(posted.status, 201);
    let id = id_of(&posted);
    let path = format!("tweets/{id}?tweet.fields=note_tweet");
    let read = x.get(&path, &subscriber.access_token).await.json();
    assert!(read["data"]["text"].as_str().unwrap().ends_with('…'));
    assert_eq!(read["data"]["note_tweet"]["text"], long.trim());
}

#[tokio::test]
async fn a_body_with_an_unknown_member_or_nothing_in_it_is_refused() {
    let x = X::new().await;
    for body in [
        json!({ "txt": "hi" }),
        json!({}),
        json!({ "text": "  " }),
        json!("hi"),
    ] {
        let refused = x.json("tweets", &body).await;
        assert_eq!(
            problem(&refused),
            (400, "invalid-request".to_owned()),
            "{body}"
        );
    }
    let refused = x.post("$ABC and $DEF").await;
    assert!(
        refused.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("cashtag")
    );
    let refused = x.own("users/me?fields=id").await;
    assert_eq!(problem(&refused), (400, "invalid-request".to_owned()));
}

#[tokio::test]
async fn a_list_is_newest_first_and_can_be_narrowed_and_paged() {
    let x = X::new().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(x.posted(&format!("post {n}")).await);
        x.advance(Duration::from_mins(1));
    }
    let path = format!("users/{}/tweets", x.user.id);
    let shown = |reply: &Value| -> Vec<String> {
        let data = reply["data"].as_array().cloned().unwrap_or_default();
        data.iter()
            .map(|p| p["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = x
        .own(&format!("{path}?max_results=5&tweet.fields=created_at"))
        .await
        .json();
    assert_eq!(
        shown(&first),
        ids[2..].iter().rev().cloned().collect::<Vec<_>>()
    );
    assert_eq!(first["meta"]["newest_id"], ids[6]);
    let token = first["meta"]["next_token"].as_str().unwrap();
    let rest = x
        .own(&format!("{path}?max_results=5&pagination_token={token}"))
        .await
        .json();
    assert_eq!(shown(&rest), [ids[1].clone(), ids[0].clone()]);
    assert!(rest["meta"].get("next_token").is_none());
    let since = x.own(&format!("{path}?since_id={}", ids[5])).await.json();
    assert_eq!(shown(&since), [ids[6].clone()]);
    let from = x
        .own(&format!("{path}?start_time=2026-11-23T15:05:00Z"))
        .await
        .json();
    assert_eq!(shown(&from), [ids[6].clone(), ids[5].clone()]);
    let none = x
        .own(&format!("{path}?start_time=2026-11-23T16:00:00Z"))
        .await
        .json();
    assert_eq!(none, json!({ "meta": { "result_count": 0 } }));
    let refused = x.own(&format!("{path}?max_results=4")).await;
    assert_eq!(problem(&refused), (400, "invalid-request".to_owned()));
    x.set(|s| s.timeline_delay_ms = 10_000);
    ids.push(x.posted("not listed yet").await);
    assert_eq!(shown(&x.own(&path).await.json()).len(), 7);
    x.advance(Duration::from_secs(10));
    assert_eq!(shown(&x.own(&path).await.json()).len(), 8);
}

#[tokio::test]
async fn several_posts_are_answered_in_part() {
    let x = X::new().await;
    let users = NewXUsers {
        app: x.app.id.clone(),
        count: 2,
        ..NewXUsers::default()
    };
    let others = x.admin.create_x_users(&users).unwrap();
    let mut foreign = Vec::new();
    for other in &others {
        let call =
            post_json("/x/2/tweets", &json!({ "text": "theirs" })).token(&other.access_token);
        foreign.push(id_of(&send(&x.simulator, &call).await));
    }
    let own = x.posted("mine").await;
    x.admin
        .set_x_state(&others[0].id, XAccountState::Suspended)
        .unwrap();
    let reply = x
        .own(&format!("tweets?ids={own},{},{},1", foreign[0], foreign[1]))
        .await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
    let kinds: Vec<&str> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["type"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(kinds, ["not-authorized-for-resource", "resource-not-found"]);
    let list = x
        .own(&format!("users/{}/tweets", others[0].id))
        .await
        .json();
    assert!(
        list["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("suspended")
    );
}

#[tokio::test]
async fn an_edit_makes_a_new_version_and_both_name_each_other() {
    let x = X::new().await;
    let old = x.posted("first words").await;
    x.advance(Duration::from_mins(1));
    x.admin
        .edit_post(Platform::X, &old, "second words")
        .unwrap();
    let read = x.own(&format!("tweets/{old}")).await.json();
    assert_eq!(read["data"]["text"], "first words");
    let history = read["data"]["edit_history_tweet_ids"].as_array().unwrap();
    assert_eq!((history.len(), &history[0]), (2, &old.clone().into()));
    let newest = history[1].as_str().unwrap();
    let read = x.own(&format!("tweets/{newest}")).await.json();
    assert_eq!(read["data"]["text"], "second words");
    let list = x.own(&format!("users/{}/tweets", x.user.id)).await.json();
    assert_eq!(
        (
            list["data"].as_array().unwrap().len(),
            &list["data"][0]["id"]
        ),
        (1, &newest.into())
    );
    x.admin.delete_post(Platform::X, &old).unwrap();
    assert!(
        x.own(&format!("tweets/{newest}"))
            .await
            .json()
            .get("data")
            .is_none()
    );
}

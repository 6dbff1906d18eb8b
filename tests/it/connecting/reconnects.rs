//! Reconnecting: the same connection, the same account, new tokens, and everything that hangs on the grant.

use mooring_domain::{
    Event, GrantId, Platform, Role,
    connecting::{self, Arriving, Connecting, NewConnect},
    connection::Health,
    post::Stage,
    time::{days, hours, minutes},
};
use mooring_simulator::{PageState, RevokeReason, TokenScope};
use mooring_store::{Actor, Secrets};
use mooring_tests::{Api, World};
use mooring_vault::Secret;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;

async fn revoke(w: &World, user: &str, reason: RevokeReason) {
    w.sim()
        .revoke_facebook_tokens(user, reason, TokenScope::All)
        .unwrap();
    w.advance(hours(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_038_a_reconnect_keeps_the_connection_and_heals_all_of_its_grant() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(3);
    let pages: Vec<&str> = user.pages.iter().map(|page| page.id.as_str()).collect();
    let made = w.connect_pages(&api, &user, &pages).await;
    revoke(&w, &user.id, RevokeReason::AppRemoved).await;
    for account in &made {
        assert_eq!(w.connection(account).await.health, Health::Critical);
    }
    let before = w.connection(&made[0]).await;
    let (id, shown) = w.reconnect_as(&api, &made[0], &user.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    // The end of a reconnect is a live look, and its result is shown.
    assert!(
        shown.text.contains("A look at it just now says: healthy"),
        "{}",
        shown.text
    );
    let run = api.get(&format!("/connects/{id}")).await.ok(200);
    assert_eq!(
        (&run["status"], &run["code"]),
        (&json!("done"), &json!("reconnected"))
    );
    let after = w.connection(&made[0]).await;
    assert_eq!(after.id, before.id);
    assert_eq!(after.health, Health::Healthy);
    assert_eq!(after.token_version, before.token_version + 1);
    w.advance(minutes(2)).await;
    for account in &made {
        let row = w.connection(account).await;
        assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
    }
    // Each destination's own token is a new one, too.
    for account in &made {
        let post = w.post(account, "again", minutes(1)).await;
        w.advance(minutes(5)).await;
        w.assert_post(&post, Stage::Accepted, Some("live")).await;
    }
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_031_a_reconnect_stores_a_fresh_end() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let made = w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
    let first = w.connection(&made[0]).await.access_expires_at.unwrap();
    w.advance(days(30)).await;
    let (_, shown) = w.reconnect_as(&api, &made[0], &user.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let second = w.connection(&made[0]).await.access_expires_at.unwrap();
    assert!(second > first + days(29), "{first} {second}");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g20_another_account_is_refused_with_a_clear_choice() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (ann, bob) = (w.facebook_person(1), w.facebook_person(1));
    let made = w.connect_pages(&api, &ann, &[&ann.pages[0].id]).await;
    let before = w.connection(&made[0]).await;
    let (id, shown) = w.reconnect_as(&api, &made[0], &bob.id, &[]).await;
    assert_eq!(shown.status, 409);
    for text in ["account_mismatch", &ann.pages[0].name, &bob.pages[0].name] {
        assert!(shown.text.contains(text), "{text}: {}", shown.text);
    }
    assert_eq!(w.connection(&made[0]).await, before, "nothing was changed");
    let run = api.get(&format!("/connects/{id}")).await.ok(200);
    assert_eq!(
        (&run["status"], &run["code"]),
        (&json!("offered"), &json!("account_mismatch"))
    );
    assert_eq!(run["connection_name"], ann.pages[0].name);
    assert_eq!(run["destinations"][0]["name"], bob.pages[0].name);
    // The choice: log in as the right one, or connect this one as a new account.
    let choice = json!({ "destinations": [bob.pages[0].id] });
    let seen = api
        .post(&format!("/connects/{id}/choose"), choice)
        .await
        .ok(200);
    assert_eq!(seen["connections"][0]["outcome"], "connected");
    assert_ne!(seen["connections"][0]["id"], made[0].connection.to_string());
    let (_, shown) = w.reconnect_as(&api, &made[0], &ann.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_039_a_declined_permission_is_shown_and_publishing_is_off() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(1);
    let made = w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
    let decline = [("decline", "pages_manage_posts")];
    let (_, shown) = w.reconnect_as(&api, &made[0], &user.id, &decline).await;
    assert!(shown.text.contains("scopes_missing"), "{}", shown.text);
    let row = w.connection(&made[0]).await;
    assert_eq!(row.health, Health::Critical);
    assert!(
        row.reasons.iter().any(|reason| reason == "scopes_missing"),
        "{:?}",
        row.reasons
    );
    let told = w.told(made[0].connection.uuid()).await;
    let declined = told.iter().rev().find_map(|event| match event {
        Event::ConnectionReconnected { declined, .. } => Some(declined.clone()),
        _ => None,
    });
    assert_eq!(declined, Some(vec!["pages_manage_posts".to_owned()]));
    let post = w.post(&made[0], "not now", minutes(1)).await;
    w.advance(minutes(5)).await;
    w.assert_post(&post, Stage::Scheduled, None).await;
    // Allowed the next time, it goes out.
    let (_, shown) = w.reconnect_as(&api, &made[0], &user.id, &[]).await;
    assert!(shown.text.contains("healthy"), "{}", shown.text);
    w.advance(minutes(5)).await;
    w.assert_post(&post, Stage::Accepted, Some("live")).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_040_the_reason_for_a_reconnect_is_recorded() {
    let reasons = [
        (Some(RevokeReason::PasswordChanged), "password"),
        (Some(RevokeReason::AppRemoved), "revoked"),
        (Some(RevokeReason::Expired), "expired"),
        (None, "by_choice"),
    ];
    for (reason, expected) in reasons {
        let w = World::start().await;
        let api = w.api(Role::Operator).await;
        let user = w.facebook_person(1);
        let made = w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
        w.settle().await;
        if let Some(reason) = reason {
            revoke(&w, &user.id, reason).await;
        }
        let (_, shown) = w.reconnect_as(&api, &made[0], &user.id, &[]).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let told = w.told(made[0].connection.uuid()).await;
        let why = told.iter().rev().find_map(|event| match event {
            Event::ConnectionReconnected { why, .. } => Some(why.as_str()),
            _ => None,
        });
        assert_eq!(why, Some(expected), "{reason:?}");
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_041_a_deleted_account_cannot_be_reconnected() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let made = w.connect_pages(&api, &user, &[&user.pages[0].id]).await;
    let gone = &user.pages[0].id;
    w.sim()
        .set_facebook_page_state(gone, PageState::Deleted)
        .unwrap();
    w.advance(hours(1)).await;
    let before = w.connection(&made[0]).await;
    let (id, shown) = w.reconnect_as(&api, &made[0], &user.id, &[]).await;
    assert!(shown.text.contains("account_gone"), "{}", shown.text);
    let run = api.get(&format!("/connects/{id}")).await.ok(200);
    assert_eq!(run["code"], "account_gone");
    let after = w.connection(&made[0]).await;
    assert_eq!(after.token_version, before.token_version);
    w.done().await;
}

async fn revoked_with_posts(w: &World, api: &Api) -> (mooring_tests::Account, String) {
    let user = w.facebook_person(1);
    let made = w.connect_pages(api, &user, &[&user.pages[0].id]).await;
    (made[0].clone(), user.id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_054_future_posts_go_out_after_a_reconnect_and_past_ones_stay_missed() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (account, user) = revoked_with_posts(&w, &api).await;
    let past = w.post(&account, "past", hours(1)).await;
    let waiting = w.post(&account, "waiting", hours(5)).await;
    let future = w.post(&account, "future", hours(8)).await;
    let all = TokenScope::All;
    w.sim()
        .revoke_facebook_tokens(&user, RevokeReason::AppRemoved, all)
        .unwrap();
    w.advance(hours(5) + minutes(10)).await;
    w.assert_post(&past, Stage::Missed, None).await;
    w.assert_post(&waiting, Stage::Scheduled, None).await;
    let (_, shown) = w.reconnect_as(&api, &account, &user, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    w.settle().await;
    // It waited within its hour, and goes at once.
    assert_eq!(w.target(&waiting).await.stage, Stage::Accepted);
    w.advance(hours(4)).await;
    w.assert_post(&past, Stage::Missed, None).await;
    assert_eq!(w.copies(&account, "past"), 0);
    w.assert_post(&future, Stage::Accepted, Some("live")).await;
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconnect_of_a_rotating_platform_goes_on_renewing_itself() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let person = w.newcomer(Platform::X);
    let (account, _) = w.connect_in_browser(&api, Platform::X, &person).await;
    let path = format!("/connections/{}/reconnect", account.connection);
    for _ in 0..2 {
        let begun = api.post(&path, json!({})).await.ok(201);
        let shown = w.consent(&begun, &person).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
    }
    let version = w.connection(&account).await.token_version;
    assert_eq!(version, 3);
    w.advance(hours(12)).await;
    let row = w.connection(&account).await;
    assert!(row.token_version > version, "it has renewed itself");
    assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
    w.done().await;
}

async fn number(w: &World, sql: &str) -> i64 {
    let db = w.store.connection();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// Guard 6: a consent that brings no refresh token, and an end in 31 years.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_006_a_reconnect_never_empties_a_refresh_token_and_believes_no_absurd_end() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let person = w.newcomer(Platform::X);
    let (account, _) = w.connect_in_browser(&api, Platform::X, &person).await;
    let (now, store) = (w.now(), &w.store);
    let (connect, grant): (_, GrantId) = (store.mint(now), store.mint(now));
    let begun = connecting::begin(NewConnect {
        connect,
        platform: Platform::X,
        state_digest: "none".to_owned(),
        connection: Some(account.connection),
        copied_from: None,
        link: None,
        app: None,
        redirect_uri: String::new(),
        host: None,
        return_url: None,
    });
    let complete = connecting::complete(
        Connecting {
            connect,
            reconnects: Some(account.connection),
            grant,
            platform: Platform::X,
            app: None,
            remote_user_id: account.user.clone(),
            host: None,
            access_expires_at: Some(now + days(365 * 31)),
            has_refresh_token: false,
            refresh_expires_at: None,
            scopes: None,
            reached: vec![Arriving {
                connection: store.mint(now),
                platform: Platform::X,
                remote_id: account.remote_id.clone(),
                name: "the same".to_owned(),
                chosen: true,
            }],
        },
        now,
    );
    let secrets = Secrets {
        grants: vec![(grant, Secret::from("a new access token"), None)],
        ..Secrets::default()
    };
    for decision in [begun, complete] {
        let applied = store.apply_act(&Actor::Cli, w.workspace, &decision, &secrets, now);
        applied.await.unwrap();
    }
    let row = w.connection(&account).await;
    assert_eq!(row.token_version, 2, "the new access token was kept");
    assert!(
        row.access_expires_at.unwrap() <= now + hours(2),
        "{:?}",
        row.access_expires_at
    );
    let kept = "SELECT count(*) AS n FROM grants WHERE refresh_token IS NOT NULL";
    assert_eq!(number(&w, kept).await, 1);
    let mut w = w;
    w.leave_undone();
    w.done().await;
}

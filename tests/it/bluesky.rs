//! The real Bluesky server (`@atproto/pds` from npm, started by `dev/bluesky`): what we believe about it, and what the
//! simulator imitates, is held against the thing itself. Time is real here.

use mooring_domain::post::{Content, Finding, Sent};
use mooring_domain::{
    Failure, Platform, Policy,
    connection::Health,
    post::Stage,
    time::{minutes, seconds},
};
use mooring_gateway::acts::ImportRow;
use mooring_providers::{Access, Connected, Credentials, Draft, Lost};
use mooring_tests::{Live, Pds, PdsAccount, Wiretap, dump, hex};
use mooring_vault::Secret;

/// Looks at a post every two seconds of its first two minutes.
fn watchful() -> Policy {
    Policy {
        verify_after: (0..60).map(|look| seconds(look * 2)).collect(),
        ..Policy::default()
    }
}

/// A new account with a session of its app password.
async fn connected(live: &Live, pds: &Pds) -> (PdsAccount, Connected) {
    let account = pds.account().await;
    let credentials = Credentials::Password {
        host: None,
        identifier: account.handle.clone(),
        password: Secret::from(account.app_password.as_str()),
        factor: None,
    };
    let session = live.adapter(Platform::Bluesky).connect(credentials).await;
    (account, session.expect("the server takes the app password"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_password_is_used_once_and_stored_nowhere() {
    let pds = Pds::of_environment();
    let wire = Wiretap::before(pds.address());
    let live = Live::start(&wire.url(), Policy::default()).await;
    let (account, session) = connected(&live, &pds).await;
    assert_eq!(session.remote_user_id, account.did);
    assert_eq!(session.destinations[0].name, account.handle);
    let tokens = [
        session.grant_token.clone(),
        session.refresh_token.clone().expect("a refresh token"),
    ];
    let connection = live.import(live.row(Platform::Bluesky, &session)).await;
    live.until(connection, "the connection is healthy", |row| {
        row.health == Health::Healthy
    })
    .await;

    assert_eq!(
        wire.requests().matches(&account.app_password).count(),
        1,
        "the password was sent once"
    );
    let books = dump(&live.store).await;
    assert!(books.contains(&account.did), "the dump holds the account");
    let secrets = tokens
        .iter()
        .map(Secret::expose)
        .chain([account.app_password.as_str()]);
    for secret in secrets {
        let clear = books.contains(secret) || books.contains(&hex(secret.as_bytes()));
        assert!(!clear, "a secret stands in the books in clear");
    }
    live.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_refused_as_such() {
    let pds = Pds::of_environment();
    let wire = Wiretap::before(pds.address());
    let live = Live::start(&wire.url(), Policy::default()).await;
    let account = pds.account().await;
    let credentials = Credentials::Password {
        host: None,
        identifier: account.handle,
        password: Secret::from("aaaa-bbbb-cccc-dddd"),
        factor: None,
    };
    let refused = live
        .adapter(Platform::Bluesky)
        .connect(credentials)
        .await
        .map(|session| session.remote_user_id);
    assert_eq!(refused, Err(Failure::TokenRevoked));
    live.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_brings_tokens_that_work() {
    let pds = Pds::of_environment();
    let wire = Wiretap::before(pds.address());
    let live = Live::start(&wire.url(), watchful()).await;
    let (account, session) = connected(&live, &pds).await;
    let row = live.row(Platform::Bluesky, &session);
    // An access token that the server refuses, and that ends in a minute by our books: only a new one can publish.
    let dead = ImportRow {
        access_token: spoilt(&row.access_token),
        issued_at: Some(live.now() - minutes(119)),
        access_expires_at: Some(live.now() + minutes(1)),
        ..row
    };
    let connection = live.import(dead).await;
    live.until(connection, "new tokens are stored", |row| {
        row.token_version >= 2
    })
    .await;
    live.until(connection, "the new token is healthy", |row| {
        row.health == Health::Healthy
    })
    .await;
    let end = live
        .connection(connection)
        .await
        .access_expires_at
        .expect("an end");
    assert!(
        end > live.now() + minutes(110),
        "the new token lives for two hours"
    );
    let target = live.post(connection, "with a new token").await;
    live.until_target(target, "the post is live", |row| {
        row.verdict.as_deref() == Some("live")
    })
    .await;
    assert_eq!(texts(&pds.posts(&account).await), ["with a new token"]);
    live.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_is_accepted_proven_and_seen_to_be_gone() {
    let pds = Pds::of_environment();
    let wire = Wiretap::before(pds.address());
    let live = Live::start(&wire.url(), watchful()).await;
    let (account, session) = connected(&live, &pds).await;
    let connection = live.import(live.row(Platform::Bluesky, &session)).await;
    live.until(connection, "the connection is healthy", |row| {
        row.health == Health::Healthy
    })
    .await;
    let target = live.post(connection, "moored for real").await;
    live.until_target(target, "the post is live", |row| {
        row.verdict.as_deref() == Some("live")
    })
    .await;
    let posted = live.target(target).await;
    assert_eq!((posted.stage, posted.attempts), (Stage::Accepted, 1));
    let posts = pds.posts(&account).await;
    assert_eq!(texts(&posts), ["moored for real"]);
    let uri = posts[0]["uri"].as_str().expect("a URI");
    let rkey = uri.rsplit('/').next().expect("a key");
    let permalink = format!("https://bsky.app/profile/{}/post/{rkey}", account.did);
    assert_eq!(posted.permalink, Some(permalink));

    pds.delete_post(&account, uri).await;
    live.until_target(target, "the next look says removed", |row| {
        row.verdict.as_deref() == Some("removed")
    })
    .await;
    assert_eq!(live.target(target).await.stage, Stage::Removed);
    assert!(
        pds.posts(&account).await.is_empty(),
        "it was not published again"
    );
    live.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_taken_down_is_critical() {
    let pds = Pds::of_environment();
    let wire = Wiretap::before(pds.address());
    let live = Live::start(&wire.url(), Policy::default()).await;
    let (account, session) = connected(&live, &pds).await;
    let connection = live.import(live.row(Platform::Bluesky, &session)).await;
    live.until(connection, "the connection is healthy", |row| {
        row.health == Health::Healthy
    })
    .await;
    pds.take_down(&account).await;
    live.check_now(connection, Platform::Bluesky).await;
    live.until(connection, "the connection is critical", |row| {
        row.health == Health::Critical
    })
    .await;
    let row = live.connection(connection).await;
    assert_eq!(
        row.reasons[0], "account",
        "the account is the reason: {:?}",
        row.reasons
    );
    let books = dump(&live.store).await;
    let row = books
        .lines()
        .find(|line| line.starts_with("connections:"))
        .expect("the connection's row");
    assert!(row.contains("unavailable"), "the account is unavailable");
    live.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_twice_is_one_post() {
    let pds = Pds::of_environment();
    let wire = Wiretap::before(pds.address());
    let live = Live::start(&wire.url(), Policy::default()).await;
    let (account, session) = connected(&live, &pds).await;
    let adapter = live.adapter(Platform::Bluesky);
    let access = access(&account, &session);
    let draft = Draft {
        content: Content::text("twice the same"),
        reference: adapter.reference(live.now(), 7),
        created_at: live.now(),
        send_by: live.now() + minutes(1),
        media: Vec::new(),
        prepared: None,
    };
    let first = adapter
        .publish(&access, &draft)
        .await
        .expect("the server takes it");
    let second = adapter
        .publish(&access, &draft)
        .await
        .expect("the server takes it again");
    assert_eq!(first, second);
    let Sent::Accepted(first) = first else {
        panic!("{first:?}")
    };
    assert_eq!(pds.posts(&account).await.len(), 1);
    let lost = Lost {
        reference: draft.reference.clone(),
        handle: None,
        prepared: None,
        content: draft.content.clone(),
        not_before: draft.created_at,
        owned: Vec::new(),
    };
    let found = adapter
        .find(&access, &lost)
        .await
        .expect("the server answers");
    assert!(matches!(found, Finding::Found(_)), "{found:?}");
    adapter
        .delete(&access, &first.remote_id)
        .await
        .expect("the server deletes it");
    assert_eq!(adapter.find(&access, &lost).await, Ok(Finding::Absent));
    assert!(pds.posts(&account).await.is_empty());
    live.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_on_the_wire_is_found_and_not_repeated() {
    let pds = Pds::of_environment();
    let wire = Wiretap::before(pds.address());
    let live = Live::start(&wire.url(), watchful()).await;
    let (account, session) = connected(&live, &pds).await;
    let connection = live.import(live.row(Platform::Bluesky, &session)).await;
    live.until(connection, "the connection is healthy", |row| {
        row.health == Health::Healthy
    })
    .await;
    wire.lose_answer_to("com.atproto.repo.putRecord");
    let target = live.post(connection, "lost and found").await;
    live.until_target(target, "the post is live", |row| {
        row.verdict.as_deref() == Some("live")
    })
    .await;
    assert_eq!(wire.lost(), 1, "the answer was really lost");
    assert_eq!(
        live.target(target).await.attempts,
        1,
        "it was looked for, not sent again"
    );
    assert_eq!(texts(&pds.posts(&account).await), ["lost and found"]);
    live.done().await;
}

/// The token with another signature.
fn spoilt(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a JSON Web Token");
    let turned: String = signature.chars().rev().collect();
    format!("{signed}.{turned}")
}

fn texts(posts: &[serde_json::Value]) -> Vec<&str> {
    posts
        .iter()
        .map(|post| post["value"]["text"].as_str().expect("a text"))
        .collect()
}

fn access(account: &PdsAccount, session: &Connected) -> Access {
    Access {
        app: None,
        host: session.host.clone(),
        remote_id: account.did.clone(),
        remote_user_id: account.did.clone(),
        token: session.grant_token.clone(),
        grant_token: session.grant_token.clone(),
        refresh_token: session.refresh_token.clone(),
        binding: None,
    }
}

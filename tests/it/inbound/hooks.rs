//! Webhooks, from the platforms' signatures to the books.

use mooring_domain::{
    Platform, Role,
    post::{Format, Stage},
    time::{hours, minutes, seconds},
};
use mooring_gateway::acts::{self, NewApp};
use mooring_simulator::{
    Delivery, Fault, FaultKind, Platform as Sim, RevokeReason, TokenScope,
    x::{NewXApp, XCallback},
};
use mooring_store::Actor;
use mooring_tests::{Api, World};
use mooring_vault::Secret;

use super::{delete_there, published, remote_id, world};

/// The last call of a platform that carried a signature.
fn last_signed(all: &[Delivery]) -> Delivery {
    let signed = |one: &&Delivery| {
        one.headers
            .iter()
            .any(|(name, _)| name.contains("ignature"))
    };
    all.iter().rfind(signed).expect("a signed call").clone()
}

/// The same with another body under the same signature.
fn tampered(delivery: &Delivery) -> Delivery {
    let mut forged = delivery.clone();
    let digit = forged.body.rfind(|c: char| c.is_ascii_digit());
    let at = digit.expect("a digit");
    let other = if &forged.body[at..=at] == "1" {
        "2"
    } else {
        "1"
    };
    forged.body.replace_range(at..=at, other);
    forged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_handshake_is_answered_for_our_word_alone() {
    let world = world().await;
    let account = world.connect(Platform::Facebook).await;
    let hook = world.hear_facebook(&[&account]).await;
    let asked = world.sim().deliveries();
    assert_eq!(asked.len(), 2, "one handshake for each object");
    for shake in asked {
        assert_eq!(shake.answer.expect("an answer").0, 200);
    }
    let mut wrong = world.sim().deliveries().remove(0);
    let ours = hook.word.expect("a word");
    wrong.url = wrong.url.replace(&ours, "another");
    assert_eq!(world.deliver(&wrong).await.0, 403);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x_is_shown_that_we_know_its_consumer_secret() {
    let world = world().await;
    let app = world
        .sim()
        .create_x_app(NewXApp::default())
        .expect("an app");
    let new = NewApp {
        workspace: None,
        platform: Platform::X,
        client_id: app.id.clone(),
        client_secret: Secret::from(&**app.secret.as_ref().expect("a secret")),
        base_url: None,
    };
    let (store, now) = (&world.store, world.now());
    let id = acts::register_app(store, &Actor::Cli, new, now).await;
    let id = id.expect("registered");
    let hook = world.hook(Platform::X).await;
    let callback = XCallback { url: hook.url };
    let webhook = world.sim().set_x_callback(&app.id, &callback);
    let webhook = webhook.expect("a webhook");
    let mut bodies = Vec::new();
    for told in [false, true] {
        if told {
            let secret = Secret::from(&*app.consumer_secret);
            acts::set_webhook_secret(store, &Actor::Cli, id, secret, now)
                .await
                .expect("kept");
        }
        world
            .sim()
            .check_x_webhook(&app.id, &webhook)
            .expect("asked");
        world.delivered().await;
        let shake = world.sim().deliveries().pop().expect("a handshake");
        bodies.push(shake.answer.expect("an answer"));
    }
    assert_ne!(
        bodies[0].1, bodies[1].1,
        "signed with the secret that we were told"
    );
    assert!(bodies[1].1.contains("sha256="), "{}", bodies[1].1);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_103_what_is_not_signed_by_the_platform_is_refused_counted_and_changes_nothing() {
    let world = world().await;
    let (account, _) = published(&world, "guarded").await;
    world.hear_facebook(&[&account]).await;
    delete_there(&world, "guarded");
    world.delivered().await;
    let genuine = last_signed(&world.sim().deliveries());
    let mut unsigned = genuine.clone();
    unsigned
        .headers
        .retain(|(name, _)| !name.contains("ignature"));
    let mut long = genuine.clone();
    long.body = "x".repeat(300 * 1024);
    let mut elsewhere = genuine.clone();
    elsewhere.url = elsewhere.url.replace("/facebook/", "/tiktok/");
    let mut nobody = genuine.clone();
    nobody.url = format!("http://{}/hooks/facebook/app_nobody", world.gateway);
    let mut no_json = genuine.clone();
    no_json.url = format!("{}/deauthorize", genuine.url);
    let before = world.books().await;
    for (call, status, what) in [
        (unsigned, 401, "unsigned"),
        (tampered(&genuine), 403, "forged"),
        (long, 413, "too long"),
        (elsewhere, 404, "another platform's address"),
        (nobody, 404, "no app of ours"),
        (no_json, 401, "a notification at a callback's address"),
    ] {
        assert_eq!(world.deliver(&call).await.0, status, "{what}");
    }
    world.settle().await;
    assert_eq!(world.books().await, before);
    let told = world.context.metrics.render();
    for outcome in ["unsigned", "forged", "too_long", "nobody"] {
        let counted = format!("outcome=\"{outcome}\"");
        assert!(told.contains(&counted), "{outcome} is not counted: {told}");
    }
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_103_a_signature_that_is_too_old_changes_nothing() {
    // What the house would merge of the first call is left there.
    let world = World::start().await;
    let account = world.connect(Platform::TikTok).await;
    world.settle().await;
    world.hear_tiktok().await;
    world
        .sim()
        .disconnect_tiktok(&account.remote_id, 1)
        .expect("a creator");
    world.delivered().await;
    let genuine = last_signed(&world.sim().deliveries());
    world.advance(hours(74)).await;
    let before = world.books().await;
    assert_eq!(world.deliver(&genuine).await.0, 403);
    world.settle().await;
    assert_eq!(world.books().await, before);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_104_a_delivery_that_is_repeated_has_one_effect() {
    let world = world().await;
    let (account, post) = published(&world, "told often").await;
    world.hear_facebook(&[&account]).await;
    delete_there(&world, "told often");
    world.delivered().await;
    world.advance(seconds(60)).await;
    world
        .assert_post(&post, Stage::Removed, Some("removed"))
        .await;
    let kept = world.inbox().await;
    let before = world.books().await;
    let genuine = last_signed(&world.sim().deliveries());
    for _ in 0..3 {
        assert_eq!(
            world.deliver(&genuine).await.0,
            200,
            "it is taken, and known"
        );
    }
    world.settle().await;
    assert_eq!(world.inbox().await, kept);
    assert_eq!(world.books().await, before);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_105_news_that_comes_late_undoes_nothing() {
    let world = world().await;
    let account = world.connect(Platform::Facebook).await;
    world.hear_facebook(&[&account]).await;
    let post = world
        .post(&account, "first there, then gone", minutes(0))
        .await;
    world.delivered().await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    let appeared = last_signed(&world.sim().deliveries());
    delete_there(&world, "first there, then gone");
    world.delivered().await;
    world.advance(seconds(60)).await;
    world
        .assert_post(&post, Stage::Removed, Some("removed"))
        .await;
    // The news of its birth once more, and news of a change, after it is gone.
    let mut late = appeared.clone();
    late.answer = None;
    assert_eq!(world.deliver(&late).await.0, 200);
    world.advance(minutes(30)).await;
    world
        .assert_post(&post, Stage::Removed, Some("removed"))
        .await;
    let row = world.target(&post).await;
    assert_eq!(row.permalink, None, "a dead link helps nobody");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_102_a_person_who_takes_our_app_away_ends_the_connection_at_once() {
    let world = world().await;
    let pages = world.import_pages(2).await;
    let other = world.connect(Platform::Facebook).await;
    world.settle().await;
    world.hear_facebook(&[&pages[0], &pages[1], &other]).await;
    let before = world.now();
    world
        .sim()
        .revoke_facebook_tokens(&pages[0].user, RevokeReason::AppRemoved, TokenScope::All)
        .expect("revoked");
    world.delivered().await;
    assert_eq!(
        world.now(),
        before,
        "nobody had to wait for the hourly check"
    );
    for page in &pages {
        assert_eq!(world.connection(page).await.auth_state, "revoked");
    }
    assert_eq!(world.connection(&other).await.auth_state, "connected");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_102_a_creator_who_disconnects_us_ends_the_connection_at_once() {
    let world = world().await;
    let account = world.connect(Platform::TikTok).await;
    world.settle().await;
    world.hear_tiktok().await;
    world
        .sim()
        .disconnect_tiktok(&account.remote_id, 1)
        .expect("a creator");
    world.delivered().await;
    // TikTok says the same of a token that has ended and of one that was taken back: the refresh, which the check asks
    // for, tells.
    world.advance(seconds(30)).await;
    let state = world.connection(&account).await.auth_state;
    assert!(matches!(&*state, "expired" | "revoked"), "{state}");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_101_an_order_that_ends_at_the_platform_is_not_scheduled_for_ever() {
    let world = world().await;
    let account = world.connect(Platform::TikTok).await;
    world.settle().await;
    world.hear_tiktok().await;
    world
        .sim()
        .fail_next_tiktok(&account.remote_id, "publish_cancelled")
        .expect("a creator");
    let post = world
        .post_as(&account, Format::Feed, "cancelled there", minutes(0))
        .await;
    world.advance(minutes(10)).await;
    world.delivered().await;
    let row = world.target(&post).await;
    assert_eq!(row.stage, Stage::Failed, "{:?}", row.reason);
    assert!(row.reason.is_some(), "and why");
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_became_a_post_is_believed_where_nobody_can_ask() {
    let world = world().await;
    let account = world.connect(Platform::TikTok).await;
    world.settle().await;
    world.hear_tiktok().await;
    let down = FaultKind::Status {
        code: 503,
        body: None,
    };
    let fault = Fault::new(Sim::TikTok, "status_fetch", down);
    let fault = world.sim().add_fault(fault).expect("a fault");
    let post = world
        .post_as(&account, Format::Feed, "told, not asked", minutes(0))
        .await;
    world.advance(minutes(20)).await;
    world.delivered().await;
    assert_eq!(world.target(&post).await.stage, Stage::Accepted);
    world.sim().remove_fault(fault).expect("a fault");
    assert_eq!(world.copies(&account, "told, not asked"), 1);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_is_removed_there_is_seen_at_once() {
    let world = world().await;
    let (account, post) = published(&world, "soon gone").await;
    world.hear_facebook(&[&account]).await;
    let id = remote_id(&world, "soon gone");
    world
        .sim()
        .edit_post(Sim::Facebook, &id, "other words")
        .expect("edited");
    world.delivered().await;
    world
        .assert_post(&post, Stage::Accepted, Some("altered"))
        .await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_their_data_deleted_is_disconnected_and_can_follow_it() {
    let world = world().await;
    let pages = world.import_pages(2).await;
    let other = world.connect(Platform::Facebook).await;
    world.settle().await;
    world.hear_facebook(&[&pages[0]]).await;
    world
        .sim()
        .request_facebook_data_deletion(&pages[0].user)
        .expect("asked");
    world.delivered().await;
    let receipt = world
        .sim()
        .facebook_data_deletions()
        .pop()
        .expect("answered");
    let url = receipt.url.expect("an address");
    let path = url.split_once(&world.gateway.to_string()).expect("ours").1;
    let page = Api::stranger(world.gateway).browse(path, &[]).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("It was done on"), "{}", page.text);
    for gone in &pages {
        let row = world.connection(gone).await;
        assert!(row.removed_at.is_some());
    }
    assert!(world.connection(&other).await.removed_at.is_none());
    let books = world.books().await;
    let inbox = books.lines().find(|line| line.starts_with("inbox:"));
    let inbox = inbox.expect("the request is kept");
    assert!(
        !inbox.contains(&pages[0].user),
        "and nothing of the person: {inbox}"
    );
    assert_eq!(world.event_counts().await["data_deleted"], 1);
    let api = world.api(Role::Viewer).await;
    let unknown = api.browse("/hooks/deletions?code=none", &[]).await;
    assert_eq!(unknown.status, 404);
    world.done().await;
}

//! What one account may post: its length, its videos, and whether it may post at all.

use mooring_domain::{
    ConnectionId, MediaId, Platform, Role,
    connection::{AccountKind, Health, Publishing},
    post::{Content, Format, Stage},
    time::{hours, minutes},
};
use mooring_gateway::acts::{self, ActError, SchedulePost};
use mooring_simulator::{Account as Person, samples, youtube::NewYoutubeUsers};
use mooring_store::Actor;
use mooring_tests::{Account, World};
use serde_json::json;

/// Tries to schedule a post within the half hour; the refusal, where there is one.
async fn refusal(
    world: &World,
    connection: ConnectionId,
    content: Content,
    media: Vec<MediaId>,
) -> Option<String> {
    let order = SchedulePost {
        connections: vec![connection],
        content,
        media,
        due: world.now() + minutes(30),
        critical: false,
        allow_duplicate: true,
        ..SchedulePost::default()
    };
    let (store, workspace, now) = (&world.store, world.workspace, world.now());
    match acts::schedule_post(store, &Actor::Cli, workspace, order, now).await {
        Ok(_) => None,
        Err(error @ ActError::Invalid { .. }) => Some(error.to_string()),
        Err(other) => panic!("{other}"),
    }
}

async fn premium(world: &World, account: &Account, on: bool) {
    let set = world.sim().set_x_premium(&account.remote_id, on);
    set.expect("subscribed");
    // Reads are billed: the next look is tomorrow's.
    world.advance(hours(25)).await;
}

async fn about(world: &World, account: &Account) -> serde_json::Value {
    let path = format!("/connections/{}", account.connection);
    let viewer = world.api(Role::Viewer).await;
    viewer.get(&path).await.ok(200)["about"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_072_a_post_is_as_long_as_the_accounts_own_subscription_allows() {
    let world = World::start().await;
    let (ordinary, subscriber) = (
        world.connect(Platform::X).await,
        world.connect(Platform::X).await,
    );
    world.settle().await;
    premium(&world, &subscriber, true).await;
    let long = "a".repeat(400);
    let name = world.connection(&ordinary).await.name;
    let refused = refusal(
        &world,
        ordinary.connection,
        Content::text(long.as_str()),
        vec![],
    )
    .await;
    assert_eq!(
        refused,
        Some(format!(
            "text: 400 characters are too many for x (at most 280); shorten it [account: {name}]"
        ))
    );
    let post = world.post(&subscriber, &long, minutes(30)).await;
    // An edit is judged alike.
    let short = world.post(&ordinary, "short", minutes(30)).await;
    let longer = acts::EditPost {
        text: Some(long.clone()),
        ..acts::EditPost::default()
    };
    let edited = acts::edit_post(
        &world.store,
        &Actor::Cli,
        world.workspace,
        short.scheduled.post,
        &longer,
        world.now(),
    )
    .await;
    let told = edited.expect_err("too long").to_string();
    assert!(
        told.contains("at most 280") && told.contains(&name),
        "{told}"
    );
    world.advance(hours(1)).await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    world
        .assert_post(&short, Stage::Accepted, Some("live"))
        .await;
    assert_eq!(world.copies(&subscriber, &long), 1);
    let of = |about: serde_json::Value| (about["tier"].clone(), about["text_max"].clone());
    assert_eq!(
        of(about(&world, &ordinary).await),
        (json!("None"), json!(280))
    );
    assert_eq!(
        of(about(&world, &subscriber).await),
        (json!("Premium"), json!(25_000))
    );
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_072_a_subscription_that_ends_before_the_post_is_due_fails_it_without_a_send() {
    let world = World::start().await;
    let account = world.connect(Platform::X).await;
    world.settle().await;
    premium(&world, &account, true).await;
    let long = "b".repeat(400);
    let post = world.post(&account, &long, hours(30)).await;
    premium(&world, &account, false).await;
    world.assert_post(&post, Stage::Scheduled, None).await;
    world.advance(hours(6)).await;
    let row = world.target(&post).await;
    assert_eq!(
        (row.stage, row.reason.as_deref(), row.attempts),
        (Stage::Failed, Some("account_limit"), 0)
    );
    assert_eq!(world.copies(&account, &long), 0);
    assert_eq!(super::count(&world, "target_failed").await, 1, "told");
    world.done().await;
}

/// A second channel of a person's Google account, which runs as a brand.
fn brand_channel(world: &World, person: &Person) -> Person {
    let (app, _) = person.app.clone().expect("an app");
    let users = world.sim().create_youtube_users(&NewYoutubeUsers {
        app,
        channels: 2,
        ..NewYoutubeUsers::default()
    });
    let user = users.expect("a user").remove(0);
    let brand = user.channels[1].clone();
    Person {
        remote_id: brand.id.clone(),
        // Whom the consent is given as: the channel that was picked on the page.
        remote_user_id: brand.id,
        name: brand.title,
        ..person.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_071_personal_and_brand_channels_connect_and_publish_videos_and_shorts() {
    let world = World::start().await;
    let api = world.api(Role::Operator).await;
    let person = world.newcomer(Platform::YouTube);
    let brand = brand_channel(&world, &person);
    for channel in [&person, &brand] {
        let (account, seen) = world
            .connect_in_browser(&api, Platform::YouTube, channel)
            .await;
        assert_eq!(seen["health"], "healthy", "{seen}");
        world.settle().await;
        assert_eq!(about(&world, &account).await["kind"], "channel");
        for (format, text) in [(Format::Feed, "a video"), (Format::Short, "a short")] {
            let post = world.post_as(&account, format, text, minutes(5)).await;
            world.advance(hours(1)).await;
            world
                .assert_post(&post, Stage::Accepted, Some("live"))
                .await;
            assert_eq!(world.copies(&account, text), 1, "{text}");
        }
    }
    assert_eq!(world.connections().await.len(), 2);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_071_how_long_a_video_may_be_is_judged_by_the_channel_when_it_is_scheduled() {
    let world = World::start().await;
    let channel = world.connect(Platform::YouTube).await;
    world.settle().await;
    let film = world
        .add_media(samples::mp4(1_920, 1_080, 16 * 60 * 1_000), "a film")
        .await;
    let content = || Content {
        title: Some("A film".to_owned()),
        ..Content::text("a film")
    };
    for (status, fits) in [("disallowed", false), ("allowed", true)] {
        world
            .sim()
            .set_youtube_channel_status(&channel.remote_id, true, status)
            .expect("set");
        world.advance(hours(25)).await;
        let refused = refusal(&world, channel.connection, content(), vec![film]).await;
        assert_eq!(refused.is_none(), fits, "{status}: {refused:?}");
        if let Some(told) = refused {
            assert!(told.starts_with("media: "), "{told}");
            assert!(
                told.contains("960 s") && told.contains("at most 900 s"),
                "{told}"
            );
        }
    }
    world.advance(hours(1)).await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_073_how_long_a_video_may_be_and_who_may_see_it_are_the_creators_facts() {
    let world = World::start().await;
    let creator = world.connect(Platform::TikTok).await;
    world.settle().await;
    world
        .sim()
        .set_tiktok_video_max(&creator.remote_id, 60)
        .expect("set");
    world.look(&creator).await;
    let seen = about(&world, &creator).await;
    assert_eq!(seen["video_max_s"], 60);
    assert_eq!(seen["publishing"], "allowed");
    let audiences = seen["audiences"].as_array().expect("a list");
    assert_eq!(audiences[0], "PUBLIC_TO_EVERYONE");
    for (seconds, fits) in [(61, false), (60, true)] {
        let clip = samples::mp4(1_080, 1_920, seconds * 1_000);
        let clip = world.add_media(clip, "a clip").await;
        let refused = refusal(
            &world,
            creator.connection,
            Content::text("a clip"),
            vec![clip],
        )
        .await;
        assert_eq!(refused.is_none(), fits, "{seconds}: {refused:?}");
    }
    world.advance(hours(1)).await;
    assert_eq!(world.copies(&creator, "a clip"), 1);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_073_an_account_that_is_offered_no_posting_is_refused_with_a_reason() {
    let world = World::start().await;
    let api = world.api(Role::Operator).await;
    let offer = |id: &str, offered| {
        let set = world.sim().set_tiktok_offered(id, offered);
        set.expect("set");
    };
    // At connect: a kind of account, or a region, to which the platform offers nothing.
    let person = world.newcomer(Platform::TikTok);
    offer(&person.remote_id, false);
    let begun = world.begin(&api, Platform::TikTok, &person).await;
    world.consent(&begun, &person).await;
    let path = format!("/connects/{}", begun["id"].as_str().expect("an id"));
    let run = api.get(&path).await.ok(200);
    assert_eq!(run["destinations"][0]["refused"], "not_offered", "{run}");
    let chosen = json!({ "destinations": [person.remote_id] });
    let told = api.post(&format!("{path}/choose"), chosen).await;
    let told = told.problem(422, "destination_refused");
    assert!(told.contains("not offered"), "{told}");
    assert!(world.connections().await.is_empty());
    // At a check: the same account, connected while it was offered.
    offer(&person.remote_id, true);
    let (account, seen) = world
        .connect_in_browser(&api, Platform::TikTok, &person)
        .await;
    assert_eq!(seen["health"], "healthy", "{seen}");
    let post = world
        .post_as(&account, Format::Feed, "moored", minutes(5))
        .await;
    offer(&person.remote_id, false);
    world.look(&account).await;
    let row = world.connection(&account).await;
    assert_eq!(row.health, Health::Critical);
    assert_eq!(row.reasons, ["no_publishing"]);
    let facts = world.facts(&account).await;
    assert_eq!(facts.about.publishing, Some(Publishing::NotOffered));
    let path = format!("/connections/{}", account.connection);
    let card = api.get(&path).await.ok(200);
    assert_eq!(card["publish"], "none");
    assert_eq!(card["about"]["publishing"], "not_offered");
    assert_eq!(card["advice"]["code"], "clear_up");
    world.advance(minutes(10)).await;
    world.assert_post(&post, Stage::Scheduled, None).await;
    assert_eq!(world.copies(&account, "moored"), 0);
    // Offered again (it became a business account, say), it goes out.
    offer(&person.remote_id, true);
    world.look(&account).await;
    world.advance(minutes(10)).await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_073_each_account_is_authorized_by_itself() {
    let world = World::start().await;
    let api = world.api(Role::Operator).await;
    let people = [
        world.newcomer(Platform::TikTok),
        world.newcomer(Platform::TikTok),
    ];
    let mut accounts = Vec::new();
    for person in &people {
        let (account, _) = world
            .connect_in_browser(&api, Platform::TikTok, person)
            .await;
        accounts.push(account);
    }
    world.settle().await;
    let grants = [
        world.grant_of(&accounts[0]).await,
        world.grant_of(&accounts[1]).await,
    ];
    assert_ne!(grants[0], grants[1], "one consent reaches one account");
    world
        .sim()
        .disconnect_tiktok(&people[0].remote_id, 1)
        .expect("disconnected");
    world.advance(hours(1)).await;
    assert_ne!(world.connection(&accounts[0]).await.auth_state, "connected");
    let other = world.connection(&accounts[1]).await;
    assert_eq!(other.health, Health::Healthy, "{:?}", other.reasons);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_account_is_is_shown_where_its_platform_tells() {
    let world = World::start().await;
    let account = world.connect(Platform::LinkedInPage).await;
    world.settle().await;
    let seen = about(&world, &account).await;
    assert_eq!(seen["kind"], json!(AccountKind::Page));
    assert_eq!(seen["role"], "admin");
    assert!(seen.get("tier").is_none(), "LinkedIn has none: {seen}");
    world.done().await;
}

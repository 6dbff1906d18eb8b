//! What accounts are, what a person may do there, and what follows for publishing.

use mooring_domain::{
    Event, Platform,
    connection::{AccountKind, AccountRole, AccountState, Health, Publishing},
    platform::Right,
    post::{Content, Stage},
    time::{hours, minutes},
};
use mooring_tests::{Account, World};

use crate::media::desk::jpeg;

fn tasks(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn role(world: &World, page: &Account) -> Option<AccountRole> {
    world.look(page).await;
    world.facts(page).await.about.role
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_065_an_editor_posts_and_a_moderator_does_not() {
    let world = World::start().await;
    let pages = world.import_pages(1).await;
    let page = &pages[0];
    let set = |names: &[&str]| {
        world
            .sim()
            .set_facebook_tasks(&page.remote_id, &page.user, Some(tasks(names)))
            .expect("a role");
    };
    world.settle().await;
    set(&["MANAGE", "CREATE_CONTENT", "MODERATE"]);
    assert_eq!(role(&world, page).await, Some(AccountRole::Admin));
    set(&["CREATE_CONTENT", "MODERATE"]);
    assert_eq!(role(&world, page).await, Some(AccountRole::Editor));
    assert_eq!(world.connection(page).await.health, Health::Healthy);
    set(&["MODERATE"]);
    assert_eq!(role(&world, page).await, Some(AccountRole::Moderator));
    let facts = world.facts(page).await;
    assert_eq!(facts.account, Some(AccountState::RoleLost));
    let off: Vec<_> = facts.rights_off.iter().map(|off| off.right).collect();
    assert!(off.contains(&Right::Publish), "{off:?}");
    let post = world.post(page, "by an editor", minutes(5)).await;
    world.advance(minutes(10)).await;
    world.assert_post(&post, Stage::Scheduled, None).await;
    set(&["CREATE_CONTENT"]);
    world.look(page).await;
    world.advance(minutes(5)).await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_069_an_instagram_accounts_type_decides_whether_it_can_be_published_to() {
    let world = World::start().await;
    let account = world.connect(Platform::Instagram).await;
    world.settle().await;
    assert_eq!(
        world.facts(&account).await.about.kind,
        Some(AccountKind::Business)
    );
    world
        .sim()
        .set_instagram_type(&account.remote_id, "PERSONAL")
        .expect("switched");
    world.look(&account).await;
    let row = world.connection(&account).await;
    assert_eq!(row.health, Health::Critical);
    assert_eq!(row.reasons, ["no_publishing"]);
    let media = world.add_media(jpeg(640, 640), "a ship").await;
    let post = world
        .post_with(&account, Content::text("ahoy"), vec![media], minutes(5))
        .await;
    world.advance(minutes(10)).await;
    world.assert_post(&post, Stage::Scheduled, None).await;
    world
        .sim()
        .set_instagram_type(&account.remote_id, "MEDIA_CREATOR")
        .expect("switched");
    world.look(&account).await;
    world.advance(minutes(10)).await;
    let facts = world.facts(&account).await;
    assert_eq!(facts.about.kind, Some(AccountKind::Creator));
    assert_eq!(facts.about.publishing, Some(Publishing::Allowed));
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    let told = world.told(account.connection.uuid()).await;
    let changed = |event: &Event| matches!(event, Event::AccountChanged { .. });
    assert_eq!(told.iter().filter(|event| changed(event)).count(), 2);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_070_an_account_of_an_old_method_is_flagged_until_a_look_shows_the_new_one() {
    let mut world = World::start().await;
    let account = world
        .connect_but(Platform::Instagram, |row| {
            row.scopes = Some("user_profile user_media".to_owned());
        })
        .await;
    let facts = world.facts(&account).await;
    let why: Vec<_> = facts
        .rights_off
        .iter()
        .filter(|off| off.right == Right::Publish)
        .map(|off| off.why.as_str())
        .collect();
    // Before the first look the stored permissions are all that is known.
    if facts.checked_at.is_none() {
        assert_eq!(why, ["old_method"]);
    }
    world.settle().await;
    assert_eq!(world.connection(&account).await.health, Health::Healthy);
    world.leave_undone();
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_071_a_channel_tells_how_long_its_videos_may_be() {
    let world = World::start().await;
    let (own, brand) = (
        world.connect(Platform::YouTube).await,
        world.connect(Platform::YouTube).await,
    );
    world.settle().await;
    for (channel, status, longest) in [
        (&own, "disallowed", 15 * 60),
        (&brand, "allowed", 12 * 60 * 60),
    ] {
        world
            .sim()
            .set_youtube_channel_status(&channel.remote_id, true, status)
            .expect("set");
        world.look(channel).await;
        // Looks are billed in units: the next one is tomorrow's.
        world.advance(hours(25)).await;
        let about = world.facts(channel).await.about;
        assert_eq!(about.kind, Some(AccountKind::Channel));
        assert_eq!(about.video_max_s, Some(longest));
        assert_eq!(world.connection(channel).await.health, Health::Healthy);
    }
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_072_an_x_accounts_tier_is_a_fact_with_its_length() {
    let world = World::start().await;
    let account = world.connect(Platform::X).await;
    world.settle().await;
    let about = world.facts(&account).await.about;
    assert_eq!(
        (about.tier.as_deref(), about.text_max),
        (Some("None"), Some(280))
    );
    world
        .sim()
        .set_x_premium(&account.remote_id, true)
        .expect("subscribed");
    world.advance(hours(25)).await;
    let about = world.facts(&account).await.about;
    assert_eq!(
        (about.tier.as_deref(), about.text_max, about.verified),
        (Some("Premium"), Some(25_000), Some(true))
    );
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_073_a_tiktok_account_tells_its_limits_and_whether_the_public_sees_it() {
    let world = World::start().await;
    let account = world.connect(Platform::TikTok).await;
    world.settle().await;
    let facts = world.facts(&account).await;
    assert!(facts.about.video_max_s.is_some_and(|longest| longest > 0));
    assert_eq!(facts.account, Some(AccountState::Accessible));
    world
        .sim()
        .set_tiktok_private(&account.remote_id, true)
        .expect("private");
    world.look(&account).await;
    assert_eq!(
        world.facts(&account).await.account,
        Some(AccountState::Hidden)
    );
    assert_eq!(world.connection(&account).await.health, Health::Critical);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_074_a_profile_and_a_company_page_are_connected_at_the_same_time() {
    let world = World::start().await;
    let profile = world.connect(Platform::LinkedIn).await;
    let page = world.connect(Platform::LinkedInPage).await;
    world.settle().await;
    for account in [&profile, &page] {
        let row = world.connection(account).await;
        assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
    }
    let (profile, page) = (world.facts(&profile).await, world.facts(&page).await);
    assert_eq!(profile.about.kind, Some(AccountKind::Personal));
    assert_eq!(page.about.kind, Some(AccountKind::Page));
    assert_eq!(page.about.role, Some(AccountRole::Admin));
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_075_a_threads_profile_names_the_instagram_account_that_it_hangs_on() {
    let world = World::start().await;
    let account = world.connect(Platform::Threads).await;
    world.settle().await;
    let facts = world.facts(&account).await;
    assert_eq!(facts.about.tied_to.as_deref(), Some(facts.name.as_str()));
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_017_an_account_that_has_moved_says_where_to() {
    let world = World::start().await;
    let account = world.connect(Platform::Mastodon).await;
    world.settle().await;
    world
        .sim()
        .move_mastodon_account(&account.remote_id, "nordlicht@elsewhere.example")
        .expect("moved");
    world.look(&account).await;
    let facts = world.facts(&account).await;
    assert_eq!(
        facts.about.moved_to.as_deref(),
        Some("nordlicht@elsewhere.example")
    );
    assert_eq!(facts.account, Some(AccountState::Unavailable));
    assert_eq!(facts.health.health, Health::Critical);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_035_names_and_pictures_are_read_where_the_platform_shows_them() {
    let world = World::start().await;
    for platform in [
        Platform::X,
        Platform::TikTok,
        Platform::Instagram,
        Platform::InstagramFacebook,
        Platform::Threads,
        Platform::LinkedIn,
        Platform::YouTube,
        Platform::Mastodon,
    ] {
        let account = world.connect(platform).await;
        world.settle().await;
        let about = world.facts(&account).await.about;
        assert!(about.avatar.is_some(), "{platform}");
    }
    world.done().await;
}

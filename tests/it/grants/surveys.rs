//! A grant's connections against what it really reaches.

use mooring_domain::{
    Event, Platform,
    connection::{AccountState, Health},
    grant::AuthState,
    post::Stage,
    time::{hours, minutes},
};
use mooring_simulator::PageState;
use mooring_tests::World;

use super::count;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_033_a_survey_of_a_living_grant_changes_nothing_on_any_platform() {
    let world = World::start().await;
    let mut accounts = Vec::new();
    for platform in Platform::ALL {
        accounts.push(world.connect(platform).await);
    }
    world.settle().await;
    for account in &accounts {
        world.survey(account).await;
    }
    for account in &accounts {
        let row = world.connection(account).await;
        assert_eq!(
            row.health,
            Health::Healthy,
            "{}: {:?}",
            row.platform,
            row.reasons
        );
        let facts = world.facts(account).await;
        assert_eq!(
            facts.account,
            Some(AccountState::Accessible),
            "{}",
            row.platform
        );
    }
    for news in ["profile_gone", "connection_relinked", "connection_renamed"] {
        assert_eq!(count(&world, news).await, 0, "{news}");
    }
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_034_a_page_under_a_new_id_goes_on_as_the_same_connection() {
    let world = World::start().await;
    let pages = world.import_pages(2).await;
    world.settle().await;
    let id = world
        .sim()
        .move_facebook_page(&pages[0].remote_id)
        .expect("moved");
    world.survey(&pages[0]).await;
    let row = world.connection(&pages[0]).await;
    assert_eq!(row.remote_id, id);
    assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
    let told = world.told(pages[0].connection.uuid()).await;
    let relinked = told.iter().any(|event| {
        matches!(event, Event::ConnectionRelinked { from, to, .. } if *from == pages[0].remote_id && *to == id)
    });
    assert!(relinked, "{told:?}");
    let post = world.post(&pages[0], "still moored", minutes(5)).await;
    world.advance(minutes(10)).await;
    world
        .assert_post(&post, Stage::Accepted, Some("live"))
        .await;
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_037_a_profile_that_is_gone_is_not_connected_and_told_once() {
    let world = World::start().await;
    let pages = world.import_pages(2).await;
    world.settle().await;
    for page in &pages {
        world
            .sim()
            .set_facebook_tasks(&page.remote_id, &page.user, None)
            .expect("gone");
    }
    world.survey(&pages[0]).await;
    assert_eq!(count(&world, "profile_gone").await, 1);
    for page in &pages {
        let facts = world.facts(page).await;
        assert_eq!(facts.account, Some(AccountState::Gone));
        assert_eq!(facts.token.auth_state, AuthState::Revoked, "not connected");
        assert_eq!(facts.health.health, Health::Critical);
    }
    let critical = |event: &Event| {
        matches!(
            event,
            Event::HealthChanged {
                to: Health::Critical,
                ..
            }
        )
    };
    for page in &pages {
        let told = world.told(page.connection.uuid()).await;
        assert!(!told.iter().any(critical), "the one event says it");
    }
    world.advance(hours(26)).await;
    assert_eq!(count(&world, "profile_gone").await, 1, "told once");
    assert_eq!(
        world.facts(&pages[0]).await.account,
        Some(AccountState::Gone)
    );
    for page in &pages {
        let tasks = vec!["MANAGE".to_owned(), "CREATE_CONTENT".to_owned()];
        world
            .sim()
            .set_facebook_tasks(&page.remote_id, &page.user, Some(tasks))
            .expect("back");
    }
    world.survey(&pages[0]).await;
    for page in &pages {
        let row = world.connection(page).await;
        assert_eq!(row.health, Health::Healthy, "{:?}", row.reasons);
    }
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_033_one_page_that_is_gone_leaves_its_siblings_connected() {
    let world = World::start().await;
    let pages = world.import_pages(3).await;
    world.settle().await;
    world
        .sim()
        .set_facebook_page_state(&pages[1].remote_id, PageState::Deleted)
        .expect("deleted");
    world.survey(&pages[0]).await;
    assert_eq!(world.connection(&pages[1]).await.health, Health::Critical);
    for page in [&pages[0], &pages[2]] {
        assert_eq!(world.connection(page).await.health, Health::Healthy);
    }
    assert_eq!(count(&world, "profile_gone").await, 0);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_035_a_page_with_a_new_name_is_shown_by_it() {
    let world = World::start().await;
    let pages = world.import_pages(1).await;
    world.settle().await;
    world
        .sim()
        .rename_facebook_page(&pages[0].remote_id, "Nordlicht")
        .expect("renamed");
    world.look(&pages[0]).await;
    assert_eq!(world.connection(&pages[0]).await.name, "Nordlicht");
    assert_eq!(count(&world, "connection_renamed").await, 1);
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_014_every_grant_is_compared_daily() {
    let world = World::start().await;
    let pages = world.import_pages(1).await;
    world.settle().await;
    let id = world
        .sim()
        .move_facebook_page(&pages[0].remote_id)
        .expect("moved");
    world.advance(hours(25)).await;
    assert_eq!(world.connection(&pages[0]).await.remote_id, id);
    world.done().await;
}

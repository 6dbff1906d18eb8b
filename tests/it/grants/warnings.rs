//! Warnings before the end of what ends a connection.

use mooring_domain::{Event, Platform, connection::Health, time::days};

use super::{count, patient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_130_a_warning_comes_fourteen_and_seven_days_before_the_end_and_once_each() {
    let world = patient().await;
    let account = world.connect_without_refresh(Platform::LinkedIn).await;
    world.advance(days(45)).await;
    assert_eq!(count(&world, "ends_in").await, 0, "too early");
    world.advance(days(2)).await;
    assert_eq!(count(&world, "ends_in").await, 1);
    assert_eq!(world.connection(&account).await.health, Health::Healthy);
    world.advance(days(7)).await;
    let grant = world.grant_of(&account).await;
    let told = world.told(grant.uuid()).await;
    let warned = told.iter().filter_map(|event| match event {
        Event::EndsIn {
            days, connections, ..
        } => Some((*days, connections.clone())),
        _ => None,
    });
    let of_all = vec![account.connection];
    assert_eq!(
        warned.collect::<Vec<_>>(),
        [(14, of_all.clone()), (7, of_all)]
    );
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_004_health_is_a_warning_in_the_last_seven_days() {
    let world = patient().await;
    let account = world.connect_without_refresh(Platform::LinkedIn).await;
    world.advance(days(54)).await;
    let row = world.connection(&account).await;
    assert_eq!(row.health, Health::Warning);
    assert_eq!(row.reasons, ["ends_soon"]);
    let warned = world.facts(&account).await.token.warned;
    assert_eq!(warned.map(|(_, days)| days), Some(7));
    world.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_032_a_grant_that_renews_itself_calls_nobody() {
    let world = patient().await;
    let pages = world.import_pages(2).await;
    world.advance(days(58)).await;
    assert_eq!(count(&world, "ends_in").await, 0);
    assert_eq!(world.connection(&pages[0]).await.health, Health::Healthy);
    world.done().await;
}

//! Grants that a reconnect leaves without connections, and what a reconnect looks at.

use mooring_domain::{Event, Platform, Role, time::minutes};
use mooring_simulator::FacebookUser;
use mooring_tests::{Account, Api, World};

use super::{ENGINES, on};

/// How often a platform was asked to take a credential back.
fn revocations(w: &World) -> u64 {
    let rows = w.sim().calls().by_account.into_iter();
    let asked = rows.filter(|row| row.operation.as_str() == "disconnect");
    asked.map(|row| row.count.calls).sum()
}

/// Ann's pages, connected by her, and Bob, who has a role on the first.
async fn ann_and_bob(
    w: &World,
    api: &Api,
    pages: usize,
) -> (FacebookUser, FacebookUser, Vec<Account>) {
    let (ann, bob) = (w.facebook_person(pages), w.facebook_person(1));
    let ids: Vec<&str> = ann.pages.iter().map(|page| page.id.as_str()).collect();
    let made = w.connect_pages(api, &ann, &ids).await;
    let tasks = vec!["MANAGE".to_owned(), "CREATE_CONTENT".to_owned()];
    w.sim()
        .set_facebook_tasks(&ann.pages[0].id, &bob.id, Some(tasks))
        .expect("a role");
    w.settle().await;
    (ann, bob, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_049_a_grant_that_a_reconnect_leaves_without_connections_is_given_back() {
    for engine in ENGINES {
        let w = on(engine).await;
        let api = w.api(Role::Operator).await;
        let (_, bob, made) = ann_and_bob(&w, &api, 1).await;
        let left = w.grant_of(&made[0]).await;
        let (_, shown) = w.reconnect_as(&api, &made[0], &bob.id, &[]).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        assert_ne!(w.grant_of(&made[0]).await, left);
        assert_eq!(revocations(&w), 1, "the platform was told");
        let told = w.told(left.uuid()).await;
        assert!(
            told.contains(&Event::GrantRevokedAtPlatform { grant: left }),
            "{told:?}"
        );
        w.advance(minutes(90)).await;
        assert_eq!(w.connection(&made[0]).await.health.as_str(), "healthy");
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_049_a_grant_that_still_serves_a_page_is_not_given_back() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (_, bob, made) = ann_and_bob(&w, &api, 2).await;
    let (_, shown) = w.reconnect_as(&api, &made[0], &bob.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(revocations(&w), 0);
    w.advance(minutes(90)).await;
    for account in &made {
        let row = w.connection(account).await;
        assert_eq!(row.health.as_str(), "healthy", "{:?}", row.reasons);
    }
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_049_a_consent_that_serves_another_grant_outlives_the_one_that_is_left() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let (ann, bob, made) = ann_and_bob(&w, &api, 1).await;
    let left = w.grant_of(&made[0]).await;
    // Ann's consent serves another workspace, too.
    let pier = super::copies::pier(&w, Role::Operator).await;
    assert_eq!(pier.copy_as(&api, &made[0], &ann.id).await.status, 200);
    let (_, shown) = w.reconnect_as(&api, &made[0], &bob.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(revocations(&w), 0);
    let told = w.told(left.uuid()).await;
    let kept = |event: &Event| matches!(event, Event::RevocationFailed { class, .. } if class == "held_elsewhere");
    assert!(told.iter().any(kept), "{told:?}");
    w.advance(minutes(90)).await;
    assert_eq!(pier.connections(&w).await[0].auth_state, "connected");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_034_a_reconnect_sees_at_once_which_pages_have_moved() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let ids: Vec<&str> = user.pages.iter().map(|page| page.id.as_str()).collect();
    let made = w.connect_pages(&api, &user, &ids).await;
    w.settle().await;
    let id = w
        .sim()
        .move_facebook_page(&made[1].remote_id)
        .expect("moved");
    // Only the sibling is reconnected; the daily look is most of a day away.
    let (_, shown) = w.reconnect_as(&api, &made[0], &user.id, &[]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    w.advance(minutes(2)).await;
    let row = w.connection(&made[1]).await;
    assert_eq!(row.remote_id, id, "{:?}", row.reasons);
    assert_eq!(row.platform, Platform::Facebook.as_str());
    assert_eq!(row.health.as_str(), "healthy", "{:?}", row.reasons);
    w.done().await;
}

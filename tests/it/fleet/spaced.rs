//! Spacing among processes: two workers, one page, and posts that are due at once.

use std::time::Duration;

use mooring_domain::time::seconds;
use mooring_simulator::LedgerFilter;

use super::Scene;

/// The least time between two posts, and how many there are.
const SPACING_S: i64 = 3;
const POSTS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_two_workers_keep_the_posts_of_one_connection_apart() {
    let spacing = SPACING_S.to_string();
    let scene = Scene::start(&[("MOORING_POLICY__SPACING_S", &spacing)]).await;
    let accounts = scene.connect(1, 1).await;
    let due = scene.now() + seconds(5);
    for number in 0..POSTS {
        scene
            .post(&[&accounts[0]], &format!("number {number}"), due)
            .await;
    }
    let running = [
        scene.scheduler("scheduler"),
        scene.worker("worker-1"),
        scene.worker("worker-2"),
    ];
    scene.settle(POSTS, Duration::from_mins(2)).await;
    let mut ledger = scene.admin().ledger(&LedgerFilter::default());
    ledger.sort_by_key(|entry| entry.created_at);
    assert_eq!(ledger.len(), POSTS);
    for pair in ledger.windows(2) {
        let gap = pair[1].created_at - pair[0].created_at;
        assert!(gap >= SPACING_S * 1_000, "only {gap} ms between {pair:?}");
    }
    for process in running {
        process.kill();
    }
}

//! What a fleet costs that has nothing to do, and how fast it is when something comes.

use std::{
    future::ready,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use mooring_tests::{eventually, within};

use super::{SLACK, Scene, TENANT, notary, stop};

/// The design's bound for an idle scheduler, in statements per second.
const IDLE: i64 = 5;

/// How long the idle fleet is watched.
const WATCH: Duration = Duration::from_secs(12);

/// Transactions of the database so far; a statement alone is one. Asked through another database, so that the
/// questions are not counted with the answers.
async fn transactions(scene: &Scene) -> i64 {
    let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
    notary::number(
        &scene.elsewhere().await,
        sql,
        [super::name_of(&scene.database).into()],
    )
    .await
}

/// Watches for a while: how many transactions there were, and in how many milliseconds.
async fn watch(scene: &Scene) -> (i64, i64) {
    let (before, since) = (transactions(scene).await, Instant::now());
    within(WATCH * 2, "the watch is over", || {
        ready(since.elapsed() >= WATCH)
    })
    .await;
    let spent = transactions(scene).await - before;
    (
        spent,
        i64::try_from(since.elapsed().as_millis()).expect("seconds"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_two_schedulers_and_idle_cost() {
    let scene = Scene::start(&[]).await;
    let accounts = scene.connect(1, 1).await;
    let schedulers = [scene.scheduler("one"), scene.scheduler("two")];
    let worker = scene.worker("worker");
    // A first post warms everything up.
    let text = "the first one";
    scene
        .post(&[&accounts[0], &accounts[1]], text, scene.now())
        .await;
    scene.settle(2, Duration::from_mins(1)).await;

    // Sessions report what they did up to ten seconds late: what comes in during the first watch is still work.
    watch(&scene).await;
    let (spent, elapsed) = watch(&scene).await;
    println!("idle: {spent} transactions in {elapsed} ms by 2 schedulers and 1 worker");
    let bound = 2 * IDLE * SLACK * elapsed / 1_000;
    assert!(
        spent <= bound,
        "{spent} transactions in {elapsed} ms, more than {bound}"
    );

    hinted(&scene, &accounts[0].connection.to_string()).await;
    stop(schedulers.into_iter().chain([worker])).await;
}

/// `mooring post` sends a hint, and the post is at the platform before a scheduler would have looked by itself.
async fn hinted(scene: &Scene, to: &str) {
    let client = redis::Client::open(scene.redis.url()).expect("an address");
    let mut hints = client
        .get_async_pubsub()
        .await
        .expect("Redis takes a subscription");
    hints
        .subscribe("mooring:wake")
        .await
        .expect("the channel of hints");
    let mut hints = hints.into_on_message();
    let mut waits = Vec::new();
    for number in 0..7 {
        let text = format!("now, number {number}");
        let args = ["post", "--workspace", TENANT, "--to", to, "--text", &text];
        let posted = scene
            .fleet
            .command(&args)
            .output()
            .expect("the command runs");
        assert!(
            posted.status.success(),
            "{}",
            String::from_utf8_lossy(&posted.stderr)
        );
        let heard = tokio::time::timeout(Duration::from_secs(5), hints.next()).await;
        assert!(
            heard.is_ok_and(|hint| hint.is_some()),
            "`mooring post` sent no hint"
        );
        let since = Instant::now();
        eventually("the post is there", || async {
            scene
                .admin()
                .ledger_groups()
                .iter()
                .any(|group| group.text == text)
        })
        .await;
        waits.push(since.elapsed());
        // The hint of its acceptance is not the next one's.
        scene.settle(number + 3, Duration::from_secs(30)).await;
        while tokio::time::timeout(Duration::from_millis(200), hints.next())
            .await
            .is_ok()
        {}
    }
    waits.sort_unstable();
    println!("from hint to platform: {waits:?}");
    // Without hints two schedulers that look once a second would need a third of a second in the middle.
    assert!(
        waits[3] < Duration::from_millis(300),
        "hints are not heard: {waits:?}"
    );
}

//! The verified publish rate, held against what the platforms themselves know.

use mooring_domain::{
    Platform, Role, Time,
    time::{days, hours, minutes},
};
use mooring_gateway::acts;
use mooring_simulator::{Fault, FaultKind, LedgerFilter, Platform as Sim};
use mooring_store::Actor;
use mooring_tests::{Account, Engine, Posted, World, WorldOptions};
use serde_json::{Value, json};

use super::ENGINES;

fn line<'a>(report: &'a Value, of: &str) -> &'a Value {
    let lines = report["lines"].as_array().expect("lines");
    let found = lines
        .iter()
        .find(|line| line["of"] == of || line["name"] == of);
    found.unwrap_or_else(|| panic!("{of} is in it: {report}"))
}

async fn world(engine: Engine) -> World {
    World::with(WorldOptions {
        engine,
        ..WorldOptions::default()
    })
    .await
}

/// Takes a post down at its platform.
fn take_down(world: &World, platform: Sim, text: &str) {
    let all = world.sim().ledger(&LedgerFilter::default());
    let found = all
        .iter()
        .find(|one| one.text == text)
        .expect("it is there");
    world
        .sim()
        .delete_post(platform, &found.remote_id)
        .expect("it is taken down");
}

/// Nine posts that were planned, on three accounts: three that stay and one that is still to come, three of which one is
/// taken down and one more that its platform never takes, and one that nobody can look at; beside a cancelled one.
async fn nine_posts(world: &World) -> (Account, Posted) {
    let facebook = world.connect(Platform::Facebook).await;
    let bluesky = world.connect(Platform::Bluesky).await;
    let telegram = world.connect(Platform::Telegram).await;
    world.settle().await;
    for number in 0..3 {
        for account in [&facebook, &bluesky] {
            let text = format!("{} {number}", account.platform);
            world.post(account, &text, minutes(5)).await;
        }
    }
    world.post(&telegram, "telegram", minutes(5)).await;
    let cancelled = world.post(&bluesky, "cancelled", minutes(6)).await;
    cancel(world, &cancelled).await;
    world.advance(minutes(30)).await;
    // The platform is away for longer than a post may be late.
    let away = FaultKind::Status {
        code: 503,
        body: None,
    };
    let fault = world
        .sim()
        .add_fault(Fault::new(Sim::Facebook, "publish", away))
        .expect("a fault");
    world.post(&facebook, "never", minutes(1)).await;
    world.advance(hours(3)).await;
    world.sim().remove_fault(fault).expect("the fault goes");
    take_down(world, Sim::Facebook, "facebook 0");
    world.advance(days(2)).await;
    let open = world.post(&bluesky, "later", hours(1)).await;
    (facebook, open)
}

async fn cancel(world: &World, post: &Posted) {
    let (actor, target) = (Actor::Cli, post.target());
    acts::cancel_target(&world.store, &actor, world.workspace, target, world.now())
        .await
        .expect("it is cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_125_the_rate_is_what_the_platforms_themselves_would_say() {
    for engine in ENGINES {
        let world = world(engine).await;
        let from = world.now();
        let (facebook, open) = nine_posts(&world).await;
        let stamp = |at: Time| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (from, to) = (stamp(from), stamp(world.now() + hours(2)));
        let period = |by: &str| format!("/reports/verified-rate?from={from}&to={to}&by={by}");
        let api = world.api(Role::Viewer).await;
        let report = api.get(&period("platform")).await.ok(200);
        by_platform(&world, &report);
        by_brand(&world, &facebook, &period("brand")).await;
        cancel(&world, &open).await;
        world.done().await;
    }
}

fn by_platform(world: &World, report: &Value) {
    let created = world.sim().ledger(&LedgerFilter::default());
    for (platform, sim) in [
        (Platform::Facebook, Sim::Facebook),
        (Platform::Bluesky, Sim::Bluesky),
    ] {
        let created = created.iter().filter(|one| one.platform == sim).count();
        let told = line(report, platform.as_str());
        assert_eq!(told["verified"], json!(created), "{platform}: {report}");
    }
    let numbers = |of: &str, names: [&str; 3]| {
        let told = line(report, of);
        names.map(|name| told[name].clone())
    };
    assert_eq!(
        numbers("facebook", ["planned", "verified_removed", "unpublished"]),
        [json!(4), json!(1), json!(1)]
    );
    assert_eq!(line(report, "facebook")["rate"], json!(0.75));
    assert_eq!(
        numbers("bluesky", ["planned", "open", "rate"]),
        [json!(4), json!(1), json!(1.0)],
        "what is cancelled was not planned, what is open is not judged"
    );
    assert_eq!(
        numbers("telegram", ["planned", "unverifiable", "rate"]),
        [json!(1), json!(1), Value::Null]
    );
    assert_eq!(report["total"]["planned"], json!(9));
    assert_eq!(report["total"]["rate"], json!(0.8571));
}

async fn by_brand(world: &World, account: &Account, path: &str) {
    let api = world.api(Role::Operator).await;
    let edit = format!("/connections/{}", account.connection);
    let edited = api.patch(&edit, json!({"brand": "Kiosk"})).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    let report = api.get(path).await.ok(200);
    let told = line(&report, "Kiosk");
    assert_eq!((&told["planned"], &told["rate"]), (&json!(4), &json!(0.75)));
    let lines = report["lines"].as_array().expect("lines");
    assert_eq!(lines.len(), 2, "the others together: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_125_a_period_that_makes_no_sense_is_refused() {
    let world = world(Engine::Sqlite).await;
    let api = world.api(Role::Viewer).await;
    for (query, what) in [
        ("from=yesterday", "from: is no time"),
        (
            "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
            "from: must be before to",
        ),
        (
            "from=2000-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
            "at most 400 days",
        ),
        ("by=colour", "by: must be brand or platform"),
    ] {
        let path = format!("/reports/verified-rate?{query}");
        let detail = api.get(&path).await.problem(422, "invalid");
        assert!(detail.contains(what), "{detail}");
    }
    let empty = api.get("/reports/verified-rate").await.ok(200);
    assert_eq!(
        (&empty["lines"], &empty["total"]["rate"]),
        (&json!([]), &Value::Null)
    );
    world.done().await;
}

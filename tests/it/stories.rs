//! First stories: one account, one post, a platform that misbehaves.

use mooring_domain::{
    JobKind, Platform,
    connection::Health,
    post::{Format, Stage},
    time::{days, hours, minutes},
};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_tests::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_goes_out_on_time_and_is_proven_for_a_week() {
    let of_words = |one: &Platform| one.capabilities().formats[0].must_show().is_none();
    a_week_of_a_post_on(Platform::ALL.into_iter().filter(of_words)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_must_show_something_goes_out_on_time_and_is_proven_for_a_week() {
    let shows = |one: &Platform| one.capabilities().formats[0].must_show().is_some();
    a_week_of_a_post_on(Platform::ALL.into_iter().filter(shows)).await;
}

async fn a_week_of_a_post_on(platforms: impl Iterator<Item = Platform>) {
    for platform in platforms {
        let world = World::start().await;
        let account = world.connect(platform).await;
        world.settle().await;
        assert_eq!(
            world.connection(&account).await.health,
            Health::Healthy,
            "{platform}"
        );
        let row = platform.capabilities();
        let proof = if row.reads_back {
            "live"
        } else {
            "unverifiable"
        };
        let usual = row.formats[0].format;
        let post = world
            .post_as(&account, usual, "all moored", minutes(30))
            .await;
        world.advance(minutes(29)).await;
        world.assert_post(&post, Stage::Scheduled, None).await;
        world.advance(minutes(2)).await;
        world.assert_post(&post, Stage::Accepted, Some(proof)).await;
        assert_eq!(world.copies(&account, "all moored"), 1);
        world.advance(days(8)).await;
        world.assert_post(&post, Stage::Accepted, Some(proof)).await;
        assert_eq!(world.copies(&account, "all moored"), 1);
        world.done().await;
    }
}

/// The platform takes it away by itself, which is no removal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_story_is_proven_while_it_stands_and_its_end_is_no_removal() {
    let passing = Platform::ALL
        .into_iter()
        .filter_map(|platform| Some((platform, platform.lives(Format::Story)?)));
    let mut told = 0;
    for (platform, lives) in passing {
        let world = World::start().await;
        let account = world.connect(platform).await;
        world.settle().await;
        let story = world
            .post_as(&account, Format::Story, "for a day", minutes(1))
            .await;
        world.advance(minutes(2)).await;
        world
            .assert_post(&story, Stage::Accepted, Some("live"))
            .await;
        let looks = async || world.store.runs(JobKind::Verify).await.expect("the books");
        world.advance(lives - minutes(30)).await;
        world
            .assert_post(&story, Stage::Accepted, Some("live"))
            .await;
        let seen = looks().await;
        world.advance(days(8)).await;
        world
            .assert_post(&story, Stage::Accepted, Some("live"))
            .await;
        assert_eq!(
            looks().await,
            seen,
            "{platform}: nobody looks for what is over"
        );
        world.done().await;
        told += 1;
    }
    assert!(told >= 2, "no platform has stories any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lost_after_success_is_found_and_not_repeated() {
    for (platform, sim) in [
        (Platform::Facebook, Sim::Facebook),
        (Platform::Bluesky, Sim::Bluesky),
    ] {
        let world = World::start().await;
        let account = world.connect(platform).await;
        let fault = Fault::new(sim, "publish", FaultKind::LostAnswer).times(1);
        world.sim().add_fault(fault).expect("a fault");
        let post = world.post(&account, "lost and found", minutes(1)).await;
        world.advance(hours(1)).await;
        world
            .assert_post(&post, Stage::Accepted, Some("live"))
            .await;
        assert_eq!(
            world.sim().faults().hits.values().sum::<u64>(),
            1,
            "the answer was really lost"
        );
        assert_eq!(world.copies(&account, "lost and found"), 1);
        world.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_dropped_is_sent_again_once_it_is_surely_absent() {
    for (platform, sim) in [
        (Platform::Facebook, Sim::Facebook),
        (Platform::Bluesky, Sim::Bluesky),
    ] {
        let world = World::start().await;
        let account = world.connect(platform).await;
        let fault = Fault::new(sim, "publish", FaultKind::DroppedRequest).times(1);
        world.sim().add_fault(fault).expect("a fault");
        let post = world.post(&account, "once more", minutes(1)).await;
        world.advance(hours(1)).await;
        world
            .assert_post(&post, Stage::Accepted, Some("live"))
            .await;
        assert_eq!(world.target(&post).await.attempts, 2);
        assert_eq!(world.copies(&account, "once more"), 1);
        world.done().await;
    }
}

/// A person hears of it while it matters: nothing more will ever be known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_can_look_a_lost_answer_is_told_within_minutes() {
    for (platform, sim) in [
        (Platform::LinkedIn, Sim::LinkedIn),
        (Platform::Telegram, Sim::Telegram),
    ] {
        let world = World::start().await;
        let account = world.connect(platform).await;
        world.settle().await;
        let fault = Fault::new(sim, "publish", FaultKind::LostAnswer).times(1);
        world.sim().add_fault(fault).expect("a fault");
        let post = world.post(&account, "out of sight", minutes(1)).await;
        world.advance(minutes(6)).await;
        world.assert_post(&post, Stage::Unconfirmed, None).await;
        world.advance(hours(30)).await;
        world.assert_post(&post, Stage::Unconfirmed, None).await;
        assert_eq!(world.target(&post).await.attempts, 1, "{platform}");
        assert_eq!(world.copies(&account, "out of sight"), 1, "{platform}");
        world.done().await;
    }
}

/// Photos have no id before they are accepted, and are listed only later: that one is not listed proves nothing, but
/// together with a refusal it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn photos_over_a_limit_are_sent_again_and_refused_ones_fail_where_new_posts_are_listed_late()
{
    let refusal = FaultKind::Status {
        code: 403,
        body: Some(serde_json::json!({
            "data": {}, "error": { "code": "spam_risk_text", "message": "refused", "log_id": "1" }
        })),
    };
    for (fault, stage, attempts) in [
        (FaultKind::RateLimited { reset_s: 30 }, Stage::Accepted, 2),
        (refusal, Stage::Failed, 1),
    ] {
        let world = World::start().await;
        let account = world.connect(Platform::TikTok).await;
        world.settle().await;
        let fault = Fault::new(Sim::TikTok, "photo_init", fault).times(1);
        world.sim().add_fault(fault).expect("a fault");
        let post = world
            .post_as(&account, Format::Feed, "in the queue", minutes(1))
            .await;
        world.advance(minutes(30)).await;
        let live = (stage == Stage::Accepted).then_some("live");
        world.assert_post(&post, stage, live).await;
        assert_eq!(world.target(&post).await.attempts, attempts);
        let copies = usize::from(stage == Stage::Accepted);
        assert_eq!(world.copies(&account, "in the queue"), copies);
        world.done().await;
    }
}

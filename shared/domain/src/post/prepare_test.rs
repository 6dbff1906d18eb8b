use serde_json::json;

use super::*;
use crate::{
    platform::Platform,
    post::{
        Stage,
        publish::{PublishStep, before_publish, tests::*},
    },
    time::{minutes, seconds},
};

fn reel() -> PublishWork {
    but(|w| {
        w.platform = Platform::Instagram;
        w.has_media = true;
    })
}

fn after(work: &PublishWork, prepared: Result<Prepared, Failure>, now: Time) -> Decision {
    after_prepare(work, prepared, &Policy::default(), now, Jitter::of(1))
}

fn kept(decision: &Decision) -> Option<Preparation> {
    decision.changes.iter().find_map(|change| match change {
        Change::TargetPrepared {
            preparation,
            revision: 1,
            ..
        } => preparation.clone(),
        _ => None,
    })
}

#[test]
fn a_post_is_prepared_before_it_is_sent_and_goes_on_where_it_stopped() {
    let policy = Policy::default();
    let mut work = reel();
    assert_eq!(before_publish(&work, &policy, t0()), PublishStep::Prepare);
    let pending = Prepared::Pending {
        state: json!({"container": "17"}),
        again: seconds(5),
    };
    let decision = after(&work, Ok(pending), t0());
    assert_eq!(decision.next, Next::At(t0() + seconds(5)));
    work.preparation = kept(&decision);
    assert_eq!(work.preparation.as_ref().map(|p| p.ready), Some(false));
    assert_eq!(before_publish(&work, &policy, t0()), PublishStep::Prepare);
    let decision = after(&work, Ok(Prepared::Ready(json!({"container": "17"}))), t0());
    assert_eq!(decision.next, Next::At(t0()));
    work.preparation = kept(&decision);
    assert_eq!(before_publish(&work, &policy, t0()), PublishStep::Send);
}

#[test]
fn words_alone_need_no_preparation_where_only_media_do() {
    let work = but(|w| w.platform = Platform::Bluesky);
    assert_eq!(
        before_publish(&work, &Policy::default(), t0()),
        PublishStep::Send
    );
}

#[test]
fn what_dangles_is_looked_for_before_anything_is_prepared() {
    let mut work = reel();
    work.attempts = vec![attempt()];
    assert!(matches!(
        before_publish(&work, &Policy::default(), t0()),
        PublishStep::Resolve(_)
    ));
}

#[test]
fn a_refused_file_fails_at_once_and_a_stumble_is_tried_again() {
    let refused = Failure::ContentRejected {
        code: "2207026".to_owned(),
    };
    let decision = after(&reel(), Err(refused), t0());
    assert_eq!(
        (stage(&decision), decision.next),
        (Some(Stage::Failed), Next::Done)
    );
    for failure in [
        Failure::ProviderDown,
        Failure::Indeterminate,
        Failure::NotSent,
    ] {
        let decision = after(&reel(), Err(failure), t0());
        assert_eq!(stage(&decision), None);
        assert!(
            matches!(decision.next, Next::Retry(at) if at > t0()),
            "{decision:?}"
        );
    }
}

#[test]
fn a_preparation_never_waits_beyond_the_posts_time_and_is_then_missed_by_name() {
    let policy = Policy::default();
    let late = t0() + policy.max_lateness - minutes(1);
    let pending = Prepared::Pending {
        state: json!({}),
        again: minutes(30),
    };
    let decision = after(&reel(), Ok(pending), late);
    let Next::At(at) = decision.next else {
        panic!("{decision:?}")
    };
    let mut work = reel();
    work.preparation = kept(&decision);
    let missed = settled(before_publish(&work, &policy, at));
    assert_eq!(stage(&missed), Some(Stage::Missed));
    assert!(
        format!("{missed:?}").contains("media_processing"),
        "{missed:?}"
    );
}

#[test]
fn an_expired_token_sends_for_a_refresh() {
    let decision = after(&reel(), Err(Failure::TokenExpired), t0());
    assert!(
        matches!(
            decision.next,
            Next::Park(Some(_), ParkReason::AwaitingRefresh)
        ),
        "{decision:?}"
    );
}

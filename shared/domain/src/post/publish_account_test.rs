use super::{super::beyond::ACCOUNT_LIMIT, tests::*, *};

fn too_long() -> ContentRefused {
    ContentRefused::TextTooLong {
        platform: Platform::X,
        length: 400,
        max: 280,
    }
}

#[test]
fn row_072_what_the_account_does_not_take_any_more_fails_without_a_call() {
    let decision = settled(before(&but(|w| w.beyond = Some(too_long())), t0()));
    assert_eq!(stage(&decision), Some(Stage::Failed));
    assert_eq!(told(&decision), Some(("target_failed", true)));
    let named = |change: &Change| matches!(change, Change::TargetMoved { reason, .. } if reason.as_deref() == Some(ACCOUNT_LIMIT));
    assert!(decision.changes.iter().any(named));
}

#[test]
fn row_072_what_was_sent_before_is_looked_for_whatever_the_account_takes_now() {
    let sent = but(|w| {
        w.beyond = Some(too_long());
        w.attempts = vec![attempt()];
    });
    assert!(matches!(before(&sent, t0()), PublishStep::Resolve(_)));
}

#[test]
fn row_072_nothing_fails_before_its_time_nor_while_the_connection_is_broken() {
    let early = but(|w| w.beyond = Some(too_long()));
    let before_its_time = settled(before(&early, t0() - minutes(5)));
    assert_eq!(
        stage(&before_its_time),
        None,
        "an edit may still shorten it"
    );
    let broken = but(|w| {
        w.beyond = Some(too_long());
        w.grant.state = AuthState::Revoked;
    });
    assert_eq!(stage(&settled(before(&broken, t0()))), None);
}

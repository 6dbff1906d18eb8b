//! The rows of the product about refreshing.

use super::*;

#[test]
fn row_028_lifetimes_are_data_of_each_platform() {
    let access = |platform: Platform| platform.capabilities().access_lifetime;
    for platform in [Platform::Instagram, Platform::Facebook, Platform::LinkedIn] {
        assert_eq!(access(platform), Some(days(60)), "{platform}");
    }
    // Google's refresh tokens die after six months without use; each access token is short.
    assert_eq!(Platform::YouTube.capabilities().refresh, {
        RefreshRule::Repeatable
    });
    assert_eq!(access(Platform::X), Some(hours(2)));
    assert_eq!(access(Platform::Mastodon), None, "it does not end");
}

#[test]
fn row_029_a_token_of_unknown_age_is_renewed_before_its_usual_life_is_over() {
    let unsaid = session_but(|g| {
        g.access_expires_at = None;
        g.has_refresh_token = false;
        g.refresh_expires_at = None;
    });
    let policy = Policy::default();
    // Instagram tells nothing about a token: after 60 days without use it would be dead.
    let due = refresh_due(&unsaid, Platform::Instagram, &policy);
    assert_eq!(due, Some(t0() + days(53)));
    // Facebook does, so a token without an end has none.
    assert_eq!(refresh_due(&unsaid, Platform::Facebook, &policy), None);
}

#[test]
fn row_027_without_the_means_to_refresh_nothing_is_called() {
    let without = but(|w| {
        w.platform = Platform::LinkedIn;
        w.rule = Platform::LinkedIn.capabilities().refresh;
        w.facts = long_lived();
    });
    let decision = settled(before(&without, t0() + days(55)));
    assert!(decision.changes.is_empty(), "it lives until its end");
    let decision = settled(before(&without, t0() + days(60)));
    assert_eq!(auth_verdict(&decision), Some((4, AuthState::Expired)));
}

#[test]
fn guard_01_a_token_that_does_not_end_is_never_rotated() {
    let endless = but(|w| w.facts.access_expires_at = None);
    for later in [days(0), days(30), days(89)] {
        let decision = settled(before(&endless, t0() + later));
        assert_eq!(decision.next, Next::Done);
        assert!(wakes_waiters(&decision));
    }
}

#[test]
fn guard_02_a_refusal_of_tokens_that_are_not_stored_any_more_is_no_verdict() {
    for failure in [
        Failure::TokenExpired,
        Failure::TokenRevoked,
        Failure::SecurityEvent,
    ] {
        for dangling in [false, true] {
            let superseded = but(|w| {
                w.superseded = true;
                w.dangling = dangling;
            });
            let decision = after(&superseded, Err(failure.clone()));
            assert_eq!(auth_verdict(&decision), None);
            assert!(decision.events.is_empty(), "and no lost rotation");
            assert_eq!(still_begun(&decision), Some(false));
            assert_eq!(decision.next, Next::At(due() + minutes(1)));
            assert!(wakes_waiters(&decision));
        }
    }
}

#[test]
fn row_018_an_answer_that_we_do_not_understand_is_told_once_in_a_series() {
    let detail = "status 299".to_owned();
    let surprise = Failure::Contract { detail };
    let told = |attempt| {
        let decision = after(&but(|w| w.attempt = attempt), Err(surprise.clone()));
        let surprises = decision
            .events
            .into_iter()
            .filter(|event| matches!(event, Event::ProviderChanged { .. }));
        surprises.count()
    };
    assert_eq!([told(0), told(1), told(2)], [1, 0, 0]);
}

#[test]
fn guard_06_tokens_with_an_impossible_end_are_kept_and_the_end_is_not() {
    let years = Renewed {
        access_expires_at: Some(due() + days(11_000)),
        refresh_expires_at: Some(due() + days(90)),
        scopes: None,
    };
    let decision = after(&work(), Ok(years));
    let [Evidence::Renewed { renewed, .. }] = &decision.evidence[..] else {
        panic!("{:?}", decision.evidence)
    };
    assert_eq!(renewed.access_expires_at, Some(due() + hours(2)));
    assert_eq!(decision.next, Next::At(due() + minutes(90)));
    assert!(matches!(
        &decision.events[..],
        [Event::ProviderChanged { class, .. }] if class == "contract"
    ));
}

#[test]
fn what_a_platform_says_is_never_repeated_in_an_event() {
    for (detail, told) in [
        ("status 400 code 77 bearer abc", "status 400"),
        ("status 299", "status 299"),
        ("status 29x token", "an answer that nobody understands"),
        ("Invalid token abc", "an answer that nobody understands"),
    ] {
        let failure = Failure::Contract {
            detail: detail.to_owned(),
        };
        let event = provider_changed(Uuid::nil(), Platform::X, &failure);
        let Some(Event::ProviderChanged { detail, .. }) = event else {
            panic!("{event:?}");
        };
        assert_eq!(detail, told);
    }
}

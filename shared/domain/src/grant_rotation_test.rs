//! Answers that were lost, limits that are long, and series that follow each other.

use super::*;

#[test]
fn third_failure_respects_a_longer_limit() {
    let until = due() + hours(12);
    let decision = after(&but(|w| w.attempt = 2), Err(limited(Some(until))));
    assert!(backs_off_until(&decision) >= until);
}

#[test]
fn a_gateways_answer_does_not_tell_that_a_rotating_token_is_unspent() {
    let detail = "status 504".to_owned();
    for failure in [Failure::ProviderDown, Failure::Contract { detail }] {
        let work = but(|w| w.rule = RefreshRule::SingleUse);
        assert_eq!(still_begun(&after(&work, Err(failure))), Some(true));
    }
}

#[test]
fn event_counts_within_the_series() {
    let decision = after(&but(|w| w.attempt = 3), Err(Failure::ProviderDown));
    assert!(matches!(
        decision.events.as_slice(),
        [Event::RefreshFailed { attempt: 1, .. }]
    ));
}

#[test]
fn the_natural_end_is_no_lost_rotation() {
    let work = but(|w| w.dangling = true);
    let decision = settled(before(&work, t0() + days(91)));
    assert!(!reports_a_lost_rotation(&decision));
}

#[test]
fn a_session_without_a_refresh_token_cannot_refresh() {
    let none = session_but(|g| {
        g.has_refresh_token = false;
        g.refresh_expires_at = None;
    });
    assert!(!can_refresh(&none, Platform::Bluesky, t0()));
}

#[test]
fn a_dangling_answer_stays_dangling_after_an_unsent_repeat() {
    // First answer lost (token perhaps spent), second call never left: still perhaps spent.
    let work = but(|w| {
        w.rule = RefreshRule::SingleUse;
        w.dangling = true;
        w.sender_ended = true;
    });
    for failure in [Failure::NotSent, Failure::ProviderDown, limited(None)] {
        assert_eq!(
            still_begun(&after(&work, Err(failure.clone()))),
            Some(true),
            "{failure}"
        );
    }
}

#[test]
    fn prop_the_delays_of_a_series_are_one_and_five_minutes_within_half(
        step in 0_u16..2, series in 0_u16..200, seed: u64,
    ) {
        let work = but(|w| w.attempt = 3 * series + step);
        let answer = Err(Failure::ProviderDown);
        let decision = after_refresh(&work, answer, &Policy::default(), due(), Jitter::of(seed));
        let pause = backs_off_until(&decision) - due();
        let base = [minutes(1), minutes(5)][usize::from(step)];
        prop_assert!(pause >= base / 2 && pause <= base * 3 / 2);
    }
}

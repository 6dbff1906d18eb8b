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

proptest! {
    #[test]
    fn prop_due_is_the_smaller_of_seven_days_and_a_quarter_before_the_end(
        lifetime in 240_i64..200 * 86_400, platform in prop::sample::select(Platform::ALL.to_vec()),
    ) {
        let end = t0() + seconds(lifetime);
        let facts = session_but(|g| g.access_expires_at = Some(end));
        let row = platform.capabilities();
        let due = refresh_due(&facts, platform, &Policy::default());
        prop_assert_eq!(due.is_none(), row.refresh == RefreshRule::None);
        let Some(due) = due else { return Ok(()) };
        let quarter = end - seconds(lifetime) / 4;
        let old_enough = (t0() + row.refresh_min_age).min(end);
        prop_assert_eq!(due, quarter.max(end - days(7)).max(old_enough));
        prop_assert!(due > t0() && due <= end);
    }

    #[test]
    fn prop_a_token_is_never_called_for_before_it_is_due_and_always_from_then_on(
        lifetime in 240_i64..80 * 86_400, elapsed in 0_i64..80 * 86_400,
    ) {
        let access_expires_at = Some(t0() + seconds(lifetime));
        let work = but(|w| w.facts = session_but(|g| g.access_expires_at = access_expires_at));
        let due = refresh_due(&work.facts, work.platform, &Policy::default()).expect("it ends");
        let now = t0() + seconds(elapsed);
        match before(&work, now) {
            RefreshStep::Call => prop_assert!(now >= due),
            RefreshStep::Settled(decision) => {
                prop_assert!(now < due);
                prop_assert_eq!(decision.next, Next::At(due));
            }
        }
    }

    #[test]
    fn prop_a_transient_failure_never_changes_the_credential(
        failure in transient(), attempt in 0_u16..500, dangling: bool, seed: u64,
    ) {
        let work = but(|w| { w.attempt = attempt; w.dangling = dangling; });
        let decision = after_refresh(&work, Err(failure), &Policy::default(), due(), Jitter::of(seed));
        prop_assert_eq!(auth_verdict(&decision), None);
        prop_assert!(!reports_a_lost_rotation(&decision), "a transient answer proves no lost rotation");
    }

    #[test]
    fn prop_the_pause_after_an_exhausted_series_is_six_hours_within_five_percent(
        failure in transient(), series in 0_u16..200, seed: u64,
    ) {
        let work = but(|w| w.attempt = 3 * series + 2);
        let decision = after_refresh(&work, Err(failure), &Policy::default(), due(), Jitter::of(seed));
        let pause = backs_off_until(&decision) - due();
        prop_assert!(pause >= minutes(342) && pause <= minutes(378), "{pause}");
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

use super::*;
use crate::time::{from_ms, hours, minutes};

fn now() -> Time {
    from_ms(1_800_000_000_000)
}

/// A grant without any means to renew itself that ends after `left`.
fn ending_in(left: TimeDelta) -> GrantFacts {
    GrantFacts {
        state: AuthState::Connected,
        token_version: 1,
        issued_at: now() - days(60) + left,
        access_expires_at: Some(now() + left),
        has_refresh_token: false,
        refresh_expires_at: None,
        refresh_begun: false,
        refresh_exhausted: false,
        probed_at: None,
    }
}

fn past() -> GrantPast {
    GrantPast {
        connected_at: now() - days(100),
        flaps: 0,
        warned: None,
    }
}

fn warned_before(warned: Warned) -> GrantPast {
    GrantPast {
        warned: Some(warned),
        ..past()
    }
}

/// LinkedIn's members: with a refresh token that ends a year after the consent, or with none.
fn due(grant: &GrantFacts, past: &GrantPast) -> Option<Warned> {
    warning_due(grant, past, Platform::LinkedIn, &Policy::default(), now())
}

fn days_of(warned: Option<Warned>) -> Option<i32> {
    warned.map(|warned| warned.days)
}

#[test]
fn row_130_warnings_begin_exactly_fourteen_and_seven_days_before_the_end() {
    let ms = TimeDelta::milliseconds(1);
    let at = |left| days_of(due(&ending_in(left), &past()));
    assert_eq!(at(days(14) + ms), None);
    assert_eq!(at(days(14)), Some(14));
    assert_eq!(at(days(7) + ms), Some(14));
    assert_eq!(at(days(7)), Some(7));
    assert_eq!(at(ms), Some(7));
    assert_eq!(at(TimeDelta::zero()), None, "the end is no warning");
}

#[test]
fn row_130_each_warning_is_given_once_for_each_end() {
    let first = due(&ending_in(days(13)), &past()).expect("a warning");
    let told = warned_before(first);
    assert_eq!(due(&ending_in(days(13)), &told), None, "told already");
    // Some platforms count from each answer: the same end, seconds apart.
    assert_eq!(due(&ending_in(days(13) + minutes(1)), &told), None);
    let near = Warned {
        end: now() + days(6),
        days: 14,
    };
    assert_eq!(
        days_of(due(&ending_in(days(6)), &warned_before(near))),
        Some(7)
    );
    let both = Warned { days: 7, ..near };
    assert_eq!(due(&ending_in(days(6)), &warned_before(both)), None);
}

#[test]
fn row_130_a_new_end_arms_the_warnings_anew() {
    let last_year = Warned {
        end: now() - days(200),
        days: 7,
    };
    let again = warned_before(last_year);
    assert_eq!(days_of(due(&ending_in(days(13)), &again)), Some(14));
    assert_eq!(days_of(due(&ending_in(days(2)), &again)), Some(7));
}

#[test]
fn row_032_a_late_check_warns_of_the_nearer_threshold_only() {
    assert_eq!(days_of(due(&ending_in(hours(3)), &past())), Some(7));
}

#[test]
fn row_032_an_end_that_a_refresh_moves_is_no_reason_to_call_a_person() {
    let facebook = |grant: &GrantFacts| {
        let policy = Policy::default();
        warning_due(grant, &past(), Platform::Facebook, &policy, now())
    };
    let mut grant = ending_in(days(5));
    assert_eq!(facebook(&grant), None, "it is refreshed in time");
    grant.refresh_exhausted = true;
    assert_eq!(days_of(facebook(&grant)), Some(7), "it is not");
}

#[test]
fn row_032_a_refresh_token_with_a_fixed_end_is_warned_of_although_it_refreshes() {
    let mut grant = ending_in(days(50));
    grant.has_refresh_token = true;
    grant.refresh_expires_at = Some(now() + days(10));
    assert!(can_refresh(&grant, Platform::LinkedIn, now()));
    let warned = due(&grant, &past()).expect("a warning");
    assert_eq!((warned.end, warned.days), (now() + days(10), 14));
    let moving = warning_due(
        &grant,
        &past(),
        Platform::Bluesky,
        &Policy::default(),
        now(),
    );
    assert_eq!(moving, None, "there every refresh moves it");
}

#[test]
fn a_dead_grant_is_not_warned_of() {
    let mut grant = ending_in(days(5));
    grant.state = AuthState::Revoked;
    assert_eq!(due(&grant, &past()), None);
}

#[test]
fn row_022_two_revocations_soon_after_connecting_are_flapping() {
    let policy = Policy::default();
    let mut past = GrantPast {
        connected_at: now() - days(3),
        ..past()
    };
    past.flaps = flaps_if_revoked(&past, &policy, now());
    assert_eq!(past.flaps, 1);
    assert!(
        !is_flapping(&past, AuthState::Revoked, &policy, now()),
        "once"
    );
    let reconnected = GrantPast {
        connected_at: now(),
        ..past
    };
    let later = now() + days(2);
    let twice = GrantPast {
        flaps: flaps_if_revoked(&reconnected, &policy, later),
        ..reconnected
    };
    assert!(is_flapping(&twice, AuthState::Revoked, &policy, later));
    let again = GrantPast {
        connected_at: later,
        ..twice
    };
    let flapping = |at| is_flapping(&again, AuthState::Connected, &policy, at);
    assert!(flapping(later + days(1)), "a reconnect alone does not help");
    assert!(!flapping(later + days(15)), "two good weeks do");
}

#[test]
fn row_022_a_revocation_after_a_long_life_begins_the_count_anew() {
    let policy = Policy::default();
    let old = GrantPast {
        connected_at: now() - days(14) - minutes(1),
        flaps: 5,
        warned: None,
    };
    assert_eq!(flaps_if_revoked(&old, &policy, now()), 0);
    let edge = GrantPast {
        connected_at: now() - days(14),
        ..old
    };
    assert_eq!(flaps_if_revoked(&edge, &policy, now()), 6);
}

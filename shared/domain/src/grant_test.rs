use proptest::prelude::*;

use super::*;
use crate::{
    failure::RateScope,
    time::{days, from_ms, hours, seconds},
};

fn t0() -> Time {
    from_ms(1_800_000_000_000)
}

/// A two-hour session with a refresh token of ninety days, issued at `t0`.
fn session() -> GrantFacts {
    GrantFacts {
        state: AuthState::Connected,
        token_version: 4,
        issued_at: t0(),
        access_expires_at: Some(t0() + hours(2)),
        refresh_expires_at: Some(t0() + days(90)),
        refresh_begun: false,
        refresh_exhausted: false,
        probed_at: None,
    }
}

/// The same but for one thing.
fn session_but(change: impl FnOnce(&mut GrantFacts)) -> GrantFacts {
    let mut base = session();
    change(&mut base);
    base
}

/// A sixty-day token that is its own refresh token, issued at `t0`.
fn long_lived() -> GrantFacts {
    session_but(|g| {
        g.access_expires_at = Some(t0() + days(60));
        g.refresh_expires_at = None;
    })
}

fn work() -> RefreshWork {
    RefreshWork {
        grant: GrantId::mint(t0(), [1; 10]),
        platform: Platform::Bluesky,
        facts: session(),
        attempt: 0,
        dangling: false,
        sender_ended: false,
    }
}

/// The same but for one thing.
fn but(change: impl FnOnce(&mut RefreshWork)) -> RefreshWork {
    let mut base = work();
    change(&mut base);
    base
}

/// When `work` is due.
fn due() -> Time {
    t0() + minutes(90)
}

fn before(work: &RefreshWork, now: Time) -> RefreshStep {
    before_refresh(work, &Policy::default(), now, Jitter::of(1))
}

fn after(work: &RefreshWork, answer: Result<Renewed, Failure>) -> Decision {
    after_refresh(work, answer, &Policy::default(), due(), Jitter::of(1))
}

fn settled(step: RefreshStep) -> Decision {
    match step {
        RefreshStep::Settled(decision) => decision,
        RefreshStep::Call => panic!("it calls"),
    }
}

fn auth_verdict(decision: &Decision) -> Option<(i64, AuthState)> {
    decision.changes.iter().find_map(|change| match change {
        Change::GrantState {
            token_version,
            state,
            ..
        } => Some((*token_version, *state)),
        _ => None,
    })
}

fn exhausted(decision: &Decision) -> Option<bool> {
    decision.changes.iter().find_map(|change| match change {
        Change::RefreshEnded { exhausted, .. } => Some(*exhausted),
        _ => None,
    })
}

fn wakes_waiters(decision: &Decision) -> bool {
    decision
        .pokes
        .iter()
        .any(|poke| matches!(poke, Poke::WaitersOf(grant, _) if *grant == work().grant))
}

fn looks_at_connections(decision: &Decision) -> bool {
    decision
        .pokes
        .iter()
        .any(|poke| matches!(poke, Poke::ChecksOf(grant, _) if *grant == work().grant))
}

fn transient() -> impl Strategy<Value = Failure> {
    prop::sample::select(vec![
        Failure::MediaProcessing,
        Failure::RateLimited {
            scope: RateScope::App,
            until: None,
        },
        Failure::RateLimited {
            scope: RateScope::Provider,
            until: Some(t0() + hours(3)),
        },
        Failure::ProviderDown,
        Failure::NotSent,
        Failure::Indeterminate,
        Failure::Contract {
            detail: "status 299".to_owned(),
        },
    ])
}

#[test]
fn row_025_a_sixty_day_token_is_refreshed_when_seven_days_remain() {
    let policy = Policy::default();
    let due = refresh_due(&long_lived(), Platform::Facebook, &policy);
    assert_eq!(due, Some(t0() + days(53)));
}

#[test]
fn guard_01_a_two_hour_token_is_refreshed_in_its_last_half_hour_and_never_hourly() {
    let policy = Policy::default();
    assert_eq!(
        refresh_due(&session(), Platform::Bluesky, &policy),
        Some(due())
    );
    let early = settled(before(&work(), t0() + hours(1)));
    assert_eq!(early.next, Next::At(due()));
    assert!(early.changes.is_empty() && early.events.is_empty());
    assert!(wakes_waiters(&early), "whoever waited for nothing goes on");
}

#[test]
fn a_due_token_is_called_for_and_one_that_does_not_end_has_no_due() {
    assert_eq!(before(&work(), due()), RefreshStep::Call);
    let endless = session_but(|g| g.access_expires_at = None);
    assert_eq!(
        refresh_due(&endless, Platform::Bluesky, &Policy::default()),
        None
    );
}

#[test]
fn what_ends_the_connection_is_the_refresh_token_else_the_access_token() {
    assert_eq!(session().ends_at(), Some(t0() + days(90)));
    assert_eq!(long_lived().ends_at(), Some(t0() + days(60)));
}

#[test]
fn a_token_in_its_last_minute_is_not_usable_for_a_call() {
    let end = t0() + hours(2);
    assert!(session().usable(end - minutes(1) - seconds(1)));
    assert!(!session().usable(end - minutes(1)));
    let endless = session_but(|g| g.access_expires_at = None);
    assert!(endless.usable(end));
}

#[test]
fn only_a_connected_grant_before_its_real_end_can_refresh() {
    let can = |facts: &GrantFacts, now| can_refresh(facts, Platform::Bluesky, now);
    assert!(
        can(&session(), t0() + days(89)),
        "the access token's end does not end the session"
    );
    assert!(!can(&session(), t0() + days(90)));
    for state in [AuthState::Expired, AuthState::Revoked, AuthState::Error] {
        assert!(!can(&session_but(|g| g.state = state), t0()));
    }
}

#[test]
fn the_real_end_makes_a_grant_expired_and_wakes_whoever_waits() {
    let decision = settled(before(&work(), t0() + days(90)));
    assert_eq!(decision.next, Next::Done);
    assert_eq!(auth_verdict(&decision), Some((4, AuthState::Expired)));
    assert!(wakes_waiters(&decision) && looks_at_connections(&decision));
}

#[test]
fn guard_09_a_dead_grant_is_left_alone_and_judged_only_once() {
    let revoked = session_but(|g| g.state = AuthState::Revoked);
    let decision = settled(before(&but(|w| w.facts = revoked), t0() + days(91)));
    assert_eq!(decision.next, Next::Done);
    assert!(decision.changes.is_empty() && decision.events.is_empty());
    assert!(wakes_waiters(&decision));
}

#[test]
fn a_dangling_refresh_that_may_be_repeated_is_repeated_at_once_even_before_it_is_due() {
    let dangling = but(|w| w.dangling = true);
    assert_eq!(before(&dangling, t0() + minutes(1)), RefreshStep::Call);
}

#[test]
fn a_success_keeps_the_new_tokens_as_evidence_wakes_waiters_and_plans_the_next() {
    let renewed = Renewed {
        access_expires_at: Some(due() + hours(2)),
        refresh_expires_at: Some(due() + days(90)),
        scopes: None,
    };
    let decision = after(&work(), Ok(renewed.clone()));
    let grant = work().grant;
    let evidence = Evidence::Renewed {
        grant,
        spent_version: 4,
        renewed,
        at: due(),
    };
    assert_eq!(
        decision.evidence,
        vec![evidence],
        "evidence, not a change: a lapsed lease must not drop tokens"
    );
    assert_eq!(decision.next, Next::At(due() + minutes(90)));
    assert!(wakes_waiters(&decision));
    assert_eq!(auth_verdict(&decision), None);
}

#[test]
fn row_026_three_transient_failures_exhaust_the_series_and_change_no_state() {
    for attempt in [0, 1] {
        let decision = after(&but(|w| w.attempt = attempt), Err(Failure::ProviderDown));
        assert!(matches!(decision.next, Next::Retry(at) if at > due()));
        assert_eq!(exhausted(&decision), Some(false));
        assert!(matches!(
            decision.events.as_slice(),
            [Event::RefreshFailed { attempt: n, .. }] if *n == attempt + 1
        ));
    }
    let last = after(&but(|w| w.attempt = 2), Err(Failure::ProviderDown));
    assert_eq!(exhausted(&last), Some(true));
    assert_eq!(auth_verdict(&last), None);
    assert!(matches!(
        last.events.as_slice(),
        [Event::RefreshExhausted { .. }]
    ));
    assert!(
        looks_at_connections(&last),
        "health turns critical, so it is derived anew"
    );
}

#[test]
fn a_terminal_answer_stops_at_once_whatever_the_attempt() {
    let table = [
        (Failure::TokenExpired, AuthState::Expired),
        (Failure::TokenRevoked, AuthState::Revoked),
        (Failure::SecurityEvent, AuthState::Revoked),
    ];
    for (failure, state) in table {
        for attempt in 0..4 {
            let decision = after(&but(|w| w.attempt = attempt), Err(failure.clone()));
            assert_eq!(decision.next, Next::Done);
            assert_eq!(
                auth_verdict(&decision),
                Some((4, state)),
                "about the tokens that were spent"
            );
            assert!(wakes_waiters(&decision) && looks_at_connections(&decision));
        }
    }
}

#[test]
fn the_refresh_ends_before_its_verdict_because_a_begun_refresh_would_refuse_it() {
    let decision = after(&work(), Err(Failure::TokenRevoked));
    assert!(matches!(
        decision.changes.as_slice(),
        [
            Change::RefreshEnded {
                exhausted: false,
                ..
            },
            Change::GrantState { .. }
        ]
    ));
}

#[test]
fn a_rate_limited_refresh_waits_as_long_as_the_platform_asked() {
    let until = due() + hours(1);
    let failure = Failure::RateLimited {
        scope: RateScope::App,
        until: Some(until),
    };
    assert_eq!(after(&work(), Err(failure)).next, Next::Retry(until));
}

#[test]
fn a_refresh_that_may_be_repeated_and_lost_its_answer_reports_no_lost_rotation() {
    let dangling = but(|w| {
        w.dangling = true;
        w.platform = Platform::Facebook;
    });
    let decision = after(&dangling, Err(Failure::TokenRevoked));
    assert!(decision.events.is_empty(), "{:?}", decision.events);
}

proptest! {
    #[test]
    fn prop_due_is_the_smaller_of_seven_days_and_a_quarter_before_the_end(
        lifetime in 240_i64..200 * 86_400, platform in prop::sample::select(Platform::ALL.to_vec()),
    ) {
        let end = t0() + seconds(lifetime);
        let facts = session_but(|g| g.access_expires_at = Some(end));
        let due = refresh_due(&facts, platform, &Policy::default()).expect("it ends, so it is due");
        let quarter = end - seconds(lifetime) / 4;
        prop_assert_eq!(due, quarter.max(end - days(7)));
        prop_assert!(due > t0() && due < end);
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
        let lost = decision.events.contains(&Event::RotationLost { grant: work.grant });
        prop_assert!(!lost, "a transient answer proves no lost rotation");
    }

    #[test]
    fn prop_the_pause_after_an_exhausted_series_is_six_hours_within_five_percent(
        failure in transient(), attempt in 2_u16..500, seed: u64,
    ) {
        let work = but(|w| w.attempt = attempt);
        let decision = after_refresh(&work, Err(failure), &Policy::default(), due(), Jitter::of(seed));
        let Next::At(at) = decision.next else { panic!("{:?}", decision.next) };
        let pause = at - due();
        prop_assert!(pause >= minutes(342) && pause <= minutes(378), "{pause}");
    }

    #[test]
    fn prop_the_delays_of_a_series_are_one_and_five_minutes_within_half(attempt in 0_u16..2, seed: u64) {
        let work = but(|w| w.attempt = attempt);
        let answer = Err(Failure::ProviderDown);
        let decision = after_refresh(&work, answer, &Policy::default(), due(), Jitter::of(seed));
        let Next::Retry(at) = decision.next else { panic!("{:?}", decision.next) };
        let base = [minutes(1), minutes(5)][usize::from(attempt)];
        prop_assert!(at - due() >= base / 2 && at - due() <= base * 3 / 2);
    }
}

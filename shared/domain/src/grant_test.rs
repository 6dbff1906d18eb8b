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
        has_refresh_token: true,
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
        g.has_refresh_token = false;
        g.refresh_expires_at = None;
    })
}

fn work() -> RefreshWork {
    RefreshWork {
        grant: GrantId::mint(t0(), [1; 10]),
        platform: Platform::Bluesky,
        rule: Platform::Bluesky.capabilities().refresh,
        facts: session(),
        attempt: 0,
        dangling: false,
        sender_ended: false,
        superseded: false,
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

/// Whether the series is exhausted, and whether the refresh counts as begun still.
fn ended(decision: &Decision) -> Option<(bool, bool)> {
    decision.changes.iter().find_map(|change| match change {
        Change::RefreshEnded {
            exhausted,
            still_begun,
            ..
        } => Some((*exhausted, *still_begun)),
        _ => None,
    })
}

fn exhausted(decision: &Decision) -> Option<bool> {
    Some(ended(decision)?.0)
}

fn still_begun(decision: &Decision) -> Option<bool> {
    Some(ended(decision)?.1)
}

fn reports_a_lost_rotation(decision: &Decision) -> bool {
    let grant = work().grant;
    decision.events.contains(&Event::RotationLost { grant })
}

/// Until when the refresh backs off; no wish may end that wait.
fn backs_off_until(decision: &Decision) -> Time {
    match decision.next {
        Next::Park(Some(until), ParkReason::BackingOff) => until,
        other => panic!("it does not back off: {other:?}"),
    }
}

fn limited(until: Option<Time>) -> Failure {
    let scope = RateScope::App;
    Failure::RateLimited { scope, until }
}

/// A rule under which every refresh spends its refresh token.
fn rotating() -> [RefreshRule; 2] {
    [RefreshRule::SingleUse, RefreshRule::Grace(hours(2))]
}

fn wakes_waiters(decision: &Decision) -> bool {
    let wakes = |poke: &Poke| matches!(poke, Poke::WaitersOf(id, _) if *id == work().grant);
    decision.pokes.iter().any(wakes)
}

fn looks_at_connections(decision: &Decision) -> bool {
    let looks = |poke: &Poke| matches!(poke, Poke::ChecksOf(id, _) if *id == work().grant);
    decision.pokes.iter().any(looks)
}

fn transient() -> impl Strategy<Value = Failure> {
    let detail = "status 299".to_owned();
    prop::sample::select(vec![
        Failure::MediaProcessing,
        limited(None),
        limited(Some(t0() + hours(3))),
        Failure::ProviderDown,
        Failure::NotSent,
        Failure::Indeterminate,
        Failure::Contract { detail },
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
    let planned = refresh_due(&session(), Platform::Bluesky, &policy);
    assert_eq!(planned, Some(due()));
    let early = settled(before(&work(), t0() + hours(1)));
    assert_eq!(early.next, Next::At(due()));
    assert!(early.changes.is_empty() && early.events.is_empty());
    assert!(wakes_waiters(&early), "whoever waited for nothing goes on");
}

#[test]
fn a_due_token_is_called_for_and_one_that_does_not_end_has_no_due() {
    assert_eq!(before(&work(), due()), RefreshStep::Call);
    let endless = session_but(|g| g.access_expires_at = None);
    let policy = Policy::default();
    assert_eq!(refresh_due(&endless, Platform::Bluesky, &policy), None);
}

#[test]
fn what_ends_the_connection_is_the_refresh_token_else_the_access_token() {
    assert_eq!(session().ends_at(), Some(t0() + days(90)));
    assert_eq!(long_lived().ends_at(), Some(t0() + days(60)));
}

#[test]
fn a_refresh_token_without_a_stated_end_outlives_its_access_token() {
    let unstated = session_but(|g| g.refresh_expires_at = None);
    assert_eq!(unstated.ends_at(), None);
    assert!(can_refresh(&unstated, Platform::Bluesky, t0() + hours(3)));
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
fn an_unusable_token_is_always_due() {
    for lifetime in [30, 60, 90, 150, 200, 600] {
        let work = but(|w| w.facts.access_expires_at = Some(t0() + seconds(lifetime)));
        let moments = (0..lifetime).map(|s| t0() + seconds(s));
        for now in moments.filter(|now| !work.facts.usable(*now)) {
            assert_eq!(before(&work, now), RefreshStep::Call, "{lifetime}");
        }
    }
}

#[test]
fn only_a_connected_grant_before_its_real_end_can_refresh() {
    let can = |facts: &GrantFacts, now| can_refresh(facts, Platform::Bluesky, now);
    let later = t0() + days(89);
    assert!(can(&session(), later), "the access token's end is not its");
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
    for rule in [RefreshRule::Repeatable, RefreshRule::Grace(hours(2))] {
        let dangling = but(|w| {
            w.rule = rule;
            w.dangling = true;
        });
        assert_eq!(before(&dangling, t0() + minutes(1)), RefreshStep::Call);
    }
}

#[test]
fn a_dangling_refresh_of_a_single_use_token_waits_for_its_senders_end() {
    let mut dangling = but(|w| {
        w.rule = RefreshRule::SingleUse;
        w.dangling = true;
    });
    for now in [t0() + minutes(1), due(), t0() + hours(3)] {
        let decision = settled(before(&dangling, now));
        let until = backs_off_until(&decision);
        assert!(
            until >= now + seconds(48) && until <= now + seconds(72),
            "{until}"
        );
        assert!(decision.changes.is_empty() && decision.events.is_empty());
        assert!(decision.pokes.is_empty(), "nobody can go on yet");
    }
    dangling.sender_ended = true;
    assert_eq!(before(&dangling, t0() + minutes(1)), RefreshStep::Call);
    let clean = but(|w| w.rule = RefreshRule::SingleUse);
    assert_eq!(before(&clean, due()), RefreshStep::Call, "none dangles");
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
        renewed: renewed.clone(),
        at: due(),
    };
    assert_eq!(
        decision.evidence,
        vec![evidence],
        "evidence, not a change: a lapsed lease must not drop tokens"
    );
    assert_eq!(decision.next, Next::At(due() + minutes(90)));
    assert!(wakes_waiters(&decision) && !looks_at_connections(&decision));
    assert_eq!(auth_verdict(&decision), None);
    let exhausted = but(|w| w.facts.refresh_exhausted = true);
    let healed = after(&exhausted, Ok(renewed));
    assert!(looks_at_connections(&healed), "health is critical no more");
}

#[test]
fn an_answer_that_is_over_already_is_not_renewed_in_a_hot_loop() {
    for over in [due() - hours(1), due(), due() + seconds(70)] {
        let renewed = Renewed {
            access_expires_at: Some(over),
            refresh_expires_at: None,
            scopes: None,
        };
        let decision = after(&work(), Ok(renewed));
        assert_eq!(decision.next, Next::At(due() + minutes(1)));
    }
}

#[test]
fn row_026_three_transient_failures_exhaust_the_series_and_change_no_state() {
    for attempt in [0, 1] {
        let decision = after(&but(|w| w.attempt = attempt), Err(Failure::ProviderDown));
        assert!(backs_off_until(&decision) > due());
        assert_eq!(exhausted(&decision), Some(false));
        assert!(matches!(
            decision.events.as_slice(),
            [Event::RefreshFailed { attempt: n, .. }] if *n == attempt + 1
        ));
    }
    let last = after(&but(|w| w.attempt = 2), Err(Failure::ProviderDown));
    assert_eq!(exhausted(&last), Some(true));
    assert!(backs_off_until(&last) >= due() + minutes(342));
    assert_eq!(auth_verdict(&last), None);
    let told = last.events.as_slice();
    assert!(matches!(told, [Event::RefreshExhausted { .. }]));
    assert!(looks_at_connections(&last), "health turns critical");
}

#[test]
fn series_follow_each_other_with_three_attempts_each_and_no_poke_ends_the_pauses() {
    assert!(!ParkReason::BackingOff.ends_by_a_wish());
    for series in 0..4 {
        for (step, longest) in [(0, seconds(90)), (1, seconds(450)), (2, minutes(378))] {
            let attempt = 3 * series + step;
            let decision = after(&but(|w| w.attempt = attempt), Err(Failure::ProviderDown));
            let pause = backs_off_until(&decision) - due();
            assert!(
                pause <= longest && pause >= longest / 3,
                "{attempt}: {pause}"
            );
            assert_eq!(exhausted(&decision), Some(step == 2), "{attempt}");
        }
    }
}

#[test]
fn a_lost_answer_of_a_rotating_token_stays_dangling() {
    for rule in rotating() {
        for attempt in 0..4 {
            let work = but(|w| {
                w.rule = rule;
                w.attempt = attempt;
            });
            let lost = after(&work, Err(Failure::Indeterminate));
            assert_eq!(still_begun(&lost), Some(true), "{rule:?}");
            let unsent = after(&work, Err(Failure::NotSent));
            assert_eq!(still_begun(&unsent), Some(false), "{rule:?}");
        }
    }
    let repeatable = but(|w| w.rule = RefreshRule::Repeatable);
    let lost = after(&repeatable, Err(Failure::Indeterminate));
    assert_eq!(still_begun(&lost), Some(false), "nothing was spent");
}

#[test]
fn a_dead_token_after_a_lost_answer_is_a_lost_rotation_where_tokens_rotate() {
    let answers = [Failure::TokenExpired, Failure::TokenRevoked];
    for rule in [RefreshRule::Repeatable].into_iter().chain(rotating()) {
        for (dangling, answer) in [true, false].into_iter().zip(answers.clone()) {
            let work = but(|w| {
                w.rule = rule;
                w.dangling = dangling;
                w.sender_ended = true;
            });
            let decision = after(&work, Err(answer));
            let expected = dangling && rule != RefreshRule::Repeatable;
            assert_eq!(reports_a_lost_rotation(&decision), expected, "{rule:?}");
            assert_eq!(still_begun(&decision), Some(false), "the verdict ends it");
        }
    }
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
            let verdict = auth_verdict(&decision);
            assert_eq!(verdict, Some((4, state)), "about the spent tokens");
            assert!(wakes_waiters(&decision) && looks_at_connections(&decision));
        }
    }
}

#[test]
fn the_refresh_ends_before_its_verdict_because_a_begun_refresh_would_refuse_it() {
    let decision = after(&work(), Err(Failure::TokenRevoked));
    let [first, second] = decision.changes.as_slice() else {
        panic!("{:?}", decision.changes)
    };
    assert!(matches!(first, Change::RefreshEnded { .. }));
    assert!(matches!(second, Change::GrantState { .. }));
    assert_eq!(ended(&decision), Some((false, false)));
}

#[test]
fn a_rate_limited_refresh_waits_as_long_as_the_platform_asked_and_never_less_than_its_own_pause() {
    let until = due() + hours(1);
    let decision = after(&work(), Err(limited(Some(until))));
    assert_eq!(backs_off_until(&decision), until);
    for over in [None, Some(due() - hours(1)), Some(due())] {
        let decision = after(&work(), Err(limited(over)));
        assert!(
            backs_off_until(&decision) >= due() + seconds(30),
            "{over:?}"
        );
    }
}

#[path = "grant_rotation_test.rs"]
mod rotation;

#[path = "grant_rows_test.rs"]
mod rows;

#[path = "verify_story_test.rs"]
mod stories;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::{
    decision::Poke,
    event::Severity,
    failure::RateScope,
    job::JobKind,
    time::{days, from_ms, hours},
};

/// When the platform took the post.
fn t0() -> Time {
    from_ms(1_800_000_000_000)
}

/// An accepted post that no look has judged yet, on an account that was seen well at acceptance.
fn work() -> VerifyWork {
    VerifyWork {
        attempt_id: AttemptId::mint(t0(), [1; 10]),
        target: TargetId::mint(t0(), [2; 10]),
        edition: 1,
        connection: ConnectionId::mint(t0(), [3; 10]),
        removed: false,
        platform: Platform::Facebook,
        grant_id: GrantId::mint(t0(), [4; 10]),
        grant: GrantFacts {
            state: AuthState::Connected,
            token_version: 5,
            issued_at: t0() - days(1),
            access_expires_at: Some(t0() + days(59)),
            has_refresh_token: false,
            refresh_expires_at: None,
            refresh_begun: false,
            refresh_exhausted: false,
            probed_at: None,
        },
        account: Some(AccountState::Accessible),
        scopes_missing: false,
        reading_declined: false,
        checked_at: Some(t0()),
        format: Format::Feed,
        begun_at: t0() - seconds(2),
        accepted_at: t0(),
        sent_digest: "sent".to_owned(),
        verdict: None,
        attempt: 0,
    }
}

/// The same but for one thing.
fn but(change: impl FnOnce(&mut VerifyWork)) -> VerifyWork {
    let mut base = work();
    change(&mut base);
    base
}

/// A work whose account was checked at `at`, and well.
fn checked(at: Time) -> VerifyWork {
    but(|w| w.checked_at = Some(at))
}

fn verify(work: &VerifyWork, seen: Result<Seen, Failure>, now: Time) -> Decision {
    after_verify(work, seen, &Policy::default(), now, Jitter::of(1))
}

fn live(digest: Option<&str>) -> Seen {
    let permalink = Some("https://example.test/p/1".to_owned());
    Seen::Live {
        permalink,
        digest: digest.map(str::to_owned),
    }
}

fn verdict(decision: &Decision) -> Option<&'static str> {
    decision.changes.iter().find_map(|change| match change {
        Change::Verified { verdict, .. } => Some(verdict.as_str()),
        _ => None,
    })
}

fn told(decision: &Decision) -> Option<(&str, Severity)> {
    decision.events.iter().find_map(|event| match event {
        Event::TargetVerified { verdict, .. } => Some((verdict.as_str(), event.severity())),
        _ => None,
    })
}

fn stage(decision: &Decision) -> Option<Stage> {
    decision.changes.iter().find_map(|change| match change {
        Change::TargetMoved { stage, .. } => Some(*stage),
        _ => None,
    })
}

fn pokes(decision: &Decision, wanted: JobKind) -> bool {
    decision
        .pokes
        .iter()
        .any(|poke| matches!(poke, Poke::Job { kind, .. } if *kind == wanted))
}

fn judges_the_credential(decision: &Decision) -> bool {
    decision
        .changes
        .iter()
        .any(|change| matches!(change, Change::GrantState { .. }))
}

/// When the job runs again, if it does.
fn wakes(decision: &Decision) -> Option<Time> {
    match decision.next {
        Next::At(at) | Next::Retry(at) | Next::Park(Some(at), _) => Some(at),
        Next::Park(None, _) | Next::Done => None,
    }
}

fn transients() -> Vec<Failure> {
    vec![
        Failure::MediaProcessing,
        Failure::RateLimited {
            scope: RateScope::App,
            until: None,
        },
        Failure::RateLimited {
            scope: RateScope::Provider,
            until: Some(t0() + days(9)),
        },
        Failure::ProviderDown,
        Failure::NotSent,
        Failure::Indeterminate,
        Failure::Contract {
            detail: "status 299".to_owned(),
        },
    ]
}

fn every_failure() -> Vec<Failure> {
    let mut all = transients();
    all.extend([
        Failure::TokenExpired,
        Failure::TokenRevoked,
        Failure::SecurityEvent,
        Failure::ScopeMissing { scopes: Vec::new() },
        Failure::AccountUnavailable,
        Failure::Checkpoint,
        Failure::AppAccess,
        Failure::ContentRejected {
            code: "100".to_owned(),
        },
        Failure::DuplicateContent,
    ]);
    all
}

#[test]
fn a_live_post_is_looked_at_when_accepted_then_after_a_minute_a_quarter_a_day_and_a_week() {
    let mut now = t0();
    for after in [minutes(1), minutes(15), hours(24), days(7)] {
        let decision = verify(&work(), Ok(live(Some("sent"))), now);
        assert_eq!(decision.next, Next::At(t0() + after));
        now = t0() + after;
    }
    let last = verify(&work(), Ok(live(Some("sent"))), now);
    assert_eq!(last.next, Next::Done);
}

#[test]
fn looks_that_were_slept_through_are_not_made_up_for() {
    let next = |now| next_look(&work(), &Policy::default(), now);
    assert_eq!(next(t0() + hours(3)), Some(t0() + hours(24)));
    assert_eq!(next(t0() + days(7)), None);
    let just_before = t0() + days(7) - TimeDelta::milliseconds(1);
    assert_eq!(next(just_before), Some(t0() + days(7)));
}

#[test]
fn a_post_that_is_there_as_sent_is_live_and_this_is_told_once() {
    let first = verify(&work(), Ok(live(Some("sent"))), t0());
    assert_eq!(
        (verdict(&first), told(&first)),
        (Some("live"), Some(("live", Severity::Info)))
    );
    let known = but(|w| w.verdict = Some("live".to_owned()));
    let again = verify(&known, Ok(live(Some("sent"))), t0() + minutes(1));
    assert_eq!(
        (verdict(&again), told(&again)),
        (Some("live"), None),
        "a proof, but no news"
    );
    assert_eq!(
        verdict(&verify(&work(), Ok(live(None)), t0())),
        Some("live"),
        "a text that cannot be read"
    );
}

#[test]
fn a_post_with_another_text_is_altered_and_loud() {
    let decision = verify(&work(), Ok(live(Some("edited"))), t0() + minutes(15));
    assert_eq!(told(&decision), Some(("altered", Severity::Critical)));
    assert_eq!(verdict(&decision), Some("altered"));
    assert_eq!(stage(&decision), None, "it is still published");
    assert_eq!(decision.next, Next::At(t0() + hours(24)));
}

#[test]
fn what_nobody_may_look_at_is_unverifiable_and_not_looked_at_again() {
    let decision = verify(&work(), Ok(Seen::Unverifiable), t0());
    assert_eq!(
        (verdict(&decision), decision.next),
        (Some("unverifiable"), Next::Done)
    );
}

#[test]
fn a_gone_post_of_a_well_account_is_removed_loudly_and_looked_at_again() {
    let now = t0() + minutes(15);
    let decision = verify(&checked(now), Ok(Seen::Gone), now);
    assert_eq!(
        (verdict(&decision), stage(&decision)),
        (Some("removed"), Some(Stage::Removed))
    );
    assert_eq!(told(&decision), Some(("removed", Severity::Critical)));
    assert_eq!(
        decision.next,
        Next::At(t0() + hours(24)),
        "it may be restored"
    );
}

#[test]
fn the_newest_observation_is_the_verdict_so_a_restored_post_is_live_again() {
    let removed = but(|w| w.verdict = Some("removed".to_owned()));
    let decision = verify(&removed, Ok(live(Some("sent"))), t0() + hours(24));
    assert_eq!(told(&decision), Some(("live", Severity::Info)));
}

#[test]
fn gone_moments_after_the_acceptance_is_too_young_to_be_believed() {
    let settle = Platform::Facebook.capabilities().settle;
    let decision = verify(&work(), Ok(Seen::Gone), t0() + seconds(1));
    assert_eq!(
        (verdict(&decision), decision.next),
        (None, Next::Retry(t0() + settle))
    );
    assert_eq!(
        verdict(&verify(&work(), Ok(Seen::Gone), t0() + settle)),
        Some("removed")
    );
}

#[test]
fn gone_is_believed_up_to_five_minutes_after_a_check_and_else_asks_for_one() {
    let now = t0() + hours(24);
    let fresh = checked(now - minutes(5));
    assert_eq!(
        verdict(&verify(&fresh, Ok(Seen::Gone), now)),
        Some("removed")
    );
    let old = checked(now - minutes(5) - TimeDelta::milliseconds(1));
    for work in [old, but(|w| w.checked_at = None)] {
        let decision = verify(&work, Ok(Seen::Gone), now);
        assert_eq!((verdict(&decision), stage(&decision)), (None, None));
        assert!(pokes(&decision, JobKind::Check));
        assert!(wakes(&decision).is_some_and(|at| at > now && at <= now + minutes(1)));
    }
}

#[test]
fn gone_on_an_account_that_is_not_well_says_nothing_about_the_post() {
    let now = t0() + minutes(15);
    let accounts = [
        None,
        Some(AccountState::Hidden),
        Some(AccountState::RoleLost),
        Some(AccountState::Unavailable),
        Some(AccountState::Checkpoint),
    ];
    let mut unwell: Vec<_> = accounts
        .map(|account| VerifyWork {
            account,
            ..checked(now)
        })
        .into();
    for state in [AuthState::Expired, AuthState::Revoked, AuthState::Error] {
        let mut work = checked(now);
        work.grant.state = state;
        unwell.push(work);
    }
    unwell.push(VerifyWork {
        scopes_missing: true,
        ..checked(now)
    });
    for work in unwell {
        let decision = verify(&work, Ok(Seen::Gone), now);
        assert_eq!(
            (verdict(&decision), stage(&decision)),
            (None, None),
            "{work:?}"
        );
        assert!(wakes(&decision).is_some(), "{work:?}");
    }
}

#[test]
fn a_look_with_an_expired_token_waits_for_the_refresh() {
    let decision = verify(&work(), Err(Failure::TokenExpired), t0());
    assert!(matches!(
        decision.next,
        Next::Park(Some(_), ParkReason::AwaitingRefresh)
    ));
    assert!(pokes(&decision, JobKind::Refresh));
    let (grant, token_version, at) = (work().grant_id, 5, t0());
    let ended = Change::AccessEnded {
        grant,
        token_version,
        at,
    };
    assert_eq!(decision.changes, [ended], "or the refresh would not be due");
}

#[test]
fn a_rate_limited_look_waits_as_long_as_the_platform_asked() {
    let until = t0() + minutes(30);
    let failure = Failure::RateLimited {
        scope: RateScope::App,
        until: Some(until),
    };
    let decision = verify(&work(), Err(failure), t0());
    assert_eq!(
        decision.next,
        Next::Park(Some(until), ParkReason::RateLimited)
    );
}

#[test]
fn a_limit_that_is_over_or_has_no_end_is_not_asked_again_in_a_hot_loop() {
    for (until, least) in [(Some(t0() - hours(1)), 1), (Some(t0()), 1), (None, 48)] {
        let scope = RateScope::App;
        let decision = verify(&work(), Err(Failure::RateLimited { scope, until }), t0());
        assert!(wakes(&decision) >= Some(t0() + seconds(least)), "{until:?}");
    }
}

#[test]
fn a_refused_look_is_the_connections_trouble_and_asks_for_a_check() {
    for failure in [
        Failure::TokenRevoked,
        Failure::AccountUnavailable,
        Failure::AppAccess,
    ] {
        let decision = verify(&work(), Err(failure), t0());
        assert_eq!((verdict(&decision), stage(&decision)), (None, None));
        assert!(pokes(&decision, JobKind::Check));
    }
}

#[test]
fn after_the_last_look_a_judged_post_rests_and_one_without_verdict_is_looked_for_hourly() {
    let now = t0() + days(8);
    let refused = Err(Failure::AccountUnavailable);
    assert_eq!(
        verify(&work(), refused.clone(), now).next,
        Next::At(now + hours(1))
    );
    let judged = but(|w| w.verdict = Some("live".to_owned()));
    assert_eq!(verify(&judged, refused, now).next, Next::Done);
}

#[test]
fn a_post_without_verdict_is_looked_for_hourly_between_the_looks_too() {
    let now = t0() + hours(25);
    let refused = Err(Failure::AccountUnavailable);
    let hourly = verify(&work(), refused.clone(), now);
    assert_eq!(hourly.next, Next::At(now + hours(1)));
    let judged = but(|w| w.verdict = Some("live".to_owned()));
    let planned = verify(&judged, refused.clone(), now);
    assert_eq!(planned.next, Next::At(t0() + days(7)));
    let sooner = verify(&work(), refused, t0() + minutes(1));
    assert_eq!(sooner.next, Next::At(t0() + minutes(15)));
}

#[test]
fn a_doubtful_gone_backs_off_while_no_check_comes_through() {
    let now = t0() + hours(24);
    let tired = but(|w| w.attempt = 50);
    let decision = verify(&tired, Ok(Seen::Gone), now);
    assert!(wakes(&decision).is_some_and(|at| at > now + minutes(2)));
    let fresh = verify(&work(), Ok(Seen::Gone), now);
    assert!(wakes(&fresh).is_some_and(|at| at >= now + seconds(15)));
}

proptest! {
    #[test]
    fn prop_a_post_without_verdict_is_never_given_up(
        failure in prop::sample::select(every_failure()), elapsed in 0_i64..20 * 86_400, attempt in 0_u16..1_000,
        well: bool, fresh: bool,
    ) {
        let now = t0() + seconds(elapsed);
        let account = Some(if well { AccountState::Accessible } else { AccountState::Unavailable });
        let checked_at = fresh.then_some(now);
        let work = but(|w| { w.account = account; w.checked_at = checked_at; w.attempt = attempt; });
        for seen in [Err(failure), Ok(Seen::Gone)] {
            let decision = verify(&work, seen, now);
            prop_assert!(verdict(&decision).is_some() || wakes(&decision).is_some());
        }
    }

    #[test]
    fn prop_a_failed_look_never_judges_the_post_nor_the_credential(
        failure in prop::sample::select(every_failure()), elapsed in 0_i64..20 * 86_400, attempt in 0_u16..1_000,
    ) {
        let work = but(|w| w.attempt = attempt);
        let decision = verify(&work, Err(failure), t0() + seconds(elapsed));
        prop_assert_eq!((verdict(&decision), stage(&decision)), (None, None));
        prop_assert!(!judges_the_credential(&decision));
    }

    #[test]
    fn prop_a_transient_failure_is_tried_again_soon_and_changes_nothing(
        failure in prop::sample::select(transients()), elapsed in 0_i64..20 * 86_400, attempt in 0_u16..1_000,
    ) {
        let limited = matches!(failure, Failure::RateLimited { .. });
        let now = t0() + seconds(elapsed);
        let decision = verify(&but(|w| w.attempt = attempt), Err(failure), now);
        prop_assert!(decision.changes.is_empty() && decision.events.is_empty());
        prop_assert!(limited || wakes(&decision).is_some_and(|at| at > now && at <= now + seconds(450)));
    }

    #[test]
    fn prop_gone_is_believed_only_of_a_settled_post_on_a_freshly_checked_well_account(
        age in 0_i64..100_000, checked in prop::option::of(0_i64..600), well: bool, connected: bool,
    ) {
        let now = t0() + seconds(age);
        let mut work = but(|w| w.checked_at = checked.map(|s| now - seconds(s)));
        work.account = Some(if well { AccountState::Accessible } else { AccountState::Hidden });
        work.grant.state = if connected { AuthState::Connected } else { AuthState::Revoked };
        let believed = verdict(&verify(&work, Ok(Seen::Gone), now)) == Some("removed");
        let settled = age >= 10;
        prop_assert_eq!(believed, settled && checked.is_some_and(|s| s <= 300) && well && connected);
    }
}

#[test]
fn row_039_without_the_permission_to_read_a_post_is_unverifiable_and_nobody_looks() {
    let policy = Policy::default();
    let declined = but(|w| w.reading_declined = true);
    let decision = before_verify(&declined, &policy, t0()).expect("no look");
    assert_eq!(decision.next, Next::Done);
    let verdict = decision.changes.iter().find_map(|change| match change {
        Change::Verified { verdict, .. } => Some(verdict.clone()),
        _ => None,
    });
    assert_eq!(verdict, Some(Verdict::Unverifiable));
    assert_eq!(before_verify(&but(|_| ()), &policy, t0()), None);
}

#[test]
fn row_050_a_disconnected_connection_keeps_the_verdicts_that_were_found() {
    let policy = Policy::default();
    let verify = |work: &VerifyWork| {
        let seen = Err(Failure::TokenRevoked);
        after_verify(work, seen, &policy, t0() + minutes(2), Jitter::of(1))
    };
    let seen = verify(&but(|work| {
        work.removed = true;
        work.verdict = Some("live".to_owned());
    }));
    assert_eq!((seen.next, seen.changes.len()), (Next::Done, 0));
    let unseen = verify(&but(|work| {
        work.removed = true;
        work.verdict = None;
    }));
    assert_eq!(unseen.next, Next::Done);
    assert!(
        matches!(
            &unseen.changes[..],
            [Change::Verified {
                verdict: Verdict::Unverifiable,
                ..
            }]
        ),
        "{unseen:?}"
    );
}

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::{
    decision::Poke,
    event::Severity,
    failure::RateScope,
    id::AttemptId,
    job::JobKind,
    time::{days, from_ms, hours},
};

/// When the target is due, and its first attempt begins.
fn t0() -> Time {
    from_ms(1_800_000_000_000)
}

fn grant() -> GrantFacts {
    GrantFacts {
        state: AuthState::Connected,
        token_version: 3,
        issued_at: t0() - days(1),
        access_expires_at: Some(t0() + days(59)),
        refresh_expires_at: None,
        refresh_begun: false,
        refresh_exhausted: false,
        probed_at: None,
    }
}

/// A due target on a platform that takes no key of ours.
fn work() -> PublishWork {
    PublishWork {
        target: TargetId::mint(t0(), [1; 10]),
        connection: ConnectionId::mint(t0(), [2; 10]),
        platform: Platform::Facebook,
        progress: Progress::start(),
        due: t0(),
        grant_id: GrantId::mint(t0(), [3; 10]),
        grant: grant(),
        account: Some(AccountState::Accessible),
        attempts: Vec::new(),
        twin_in_flight: false,
        attempt: 0,
    }
}

/// An attempt whose sender was never heard of again.
fn attempt() -> AttemptFacts {
    AttemptFacts {
        id: AttemptId::mint(t0(), [4; 10]),
        edition: 1,
        number: 1,
        reference: None,
        begun_at: t0(),
        send_by: t0() + seconds(50),
        call_ended: None,
        settlement: None,
    }
}

/// An attempt that was answered with `failure` at `t0`.
fn answered_with(failure: Failure) -> AttemptFacts {
    attempt_but(|a| a.call_ended = Some((t0(), Some(failure))))
}

fn accepted() -> Accepted {
    Accepted {
        remote_id: "1_2".to_owned(),
        permalink: None,
    }
}

fn before(work: &PublishWork, now: Time) -> PublishStep {
    before_publish(work, &Policy::default(), now)
}

fn settled(step: PublishStep) -> Decision {
    match step {
        PublishStep::Settled(decision) => decision,
        other => panic!("not settled: {other:?}"),
    }
}

fn send(work: &PublishWork, answer: Result<Accepted, Failure>) -> Decision {
    after_send(
        work,
        &attempt(),
        answer,
        &Policy::default(),
        t0(),
        Jitter::of(1),
    )
}

/// What looking for `attempt` at `now` leads to, when its sender is known to have ended.
fn look(
    work: &PublishWork,
    attempt: &AttemptFacts,
    found: Result<Finding, Failure>,
    now: Time,
) -> Decision {
    after_resolve(
        work,
        attempt,
        found,
        true,
        &Policy::default(),
        now,
        Jitter::of(1),
    )
}

fn settlement(decision: &Decision) -> Option<Settlement> {
    decision.changes.iter().find_map(|change| match change {
        Change::AttemptSettled { settlement, .. } => Some(*settlement),
        _ => None,
    })
}

fn stage(decision: &Decision) -> Option<Stage> {
    decision.changes.iter().find_map(|change| match change {
        Change::TargetMoved { stage, .. } => Some(*stage),
        _ => None,
    })
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

fn pokes(decision: &Decision, wanted: JobKind) -> bool {
    decision
        .pokes
        .iter()
        .any(|poke| matches!(poke, Poke::Job { kind, .. } if *kind == wanted))
}

fn park(decision: &Decision) -> Option<(Option<Time>, ParkReason)> {
    match decision.next {
        Next::Park(until, reason) => Some((until, reason)),
        _ => None,
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
            scope: RateScope::Account,
            until: Some(t0() + minutes(20)),
        },
        Failure::ProviderDown,
        Failure::NotSent,
        Failure::Indeterminate,
        Failure::Contract {
            detail: "status 299".to_owned(),
        },
    ]
}

fn refusals() -> Vec<Failure> {
    vec![
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
    ]
}

fn every_failure() -> Vec<Failure> {
    [transients(), refusals(), vec![Failure::TokenExpired]].concat()
}

fn any_found() -> impl Strategy<Value = Result<Finding, Failure>> {
    let failures = every_failure().into_iter().map(Err);
    let findings = [Finding::Found(accepted()), Finding::Absent, Finding::Unsure].map(Ok);
    prop::sample::select(findings.into_iter().chain(failures).collect::<Vec<_>>())
}

fn platform() -> impl Strategy<Value = Platform> {
    prop::sample::select(Platform::ALL.to_vec())
}

prop_compose! {
    /// An attempt whose call may have ended, in any way and at any time.
    fn any_attempt()(
        send_by in 1_i64..120, ended in prop::option::of(0_i64..240),
        failure in prop::option::of(prop::sample::select(every_failure())),
    ) -> AttemptFacts {
        attempt_but(|a| { a.send_by = t0() + seconds(send_by); a.call_ended = ended.map(|s| (t0() + seconds(s), failure)); })
    }
}

#[test]
fn a_due_target_on_a_well_connection_is_sent() {
    assert_eq!(before(&work(), t0()), PublishStep::Send);
    assert_eq!(
        before(&work(), t0() + minutes(60)),
        PublishStep::Send,
        "the last moment counts"
    );
}

#[test]
fn row_106_a_settled_target_is_never_sent_or_looked_for() {
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_settled()) {
        let progress = Progress { edition: 1, stage };
        let work = but(|w| { w.progress = progress; w.attempts = vec![attempt()]; });
        let decision = settled(before(&work, t0()));
        assert_eq!(
            decision,
            Decision::new(Next::Done, Outcome::Nothing),
            "{stage:?}"
        );
    }
}

#[test]
fn an_early_target_waits_for_its_time() {
    let decision = settled(before(&work(), t0() - seconds(1)));
    assert_eq!(decision, Decision::new(Next::At(t0()), Outcome::Nothing));
}

#[test]
fn row_053_a_target_more_than_an_hour_late_is_missed_and_says_so() {
    let decision = settled(before(
        &work(),
        t0() + minutes(60) + TimeDelta::milliseconds(1),
    ));
    assert_eq!(decision.next, Next::Done);
    assert_eq!(stage(&decision), Some(Stage::Missed));
    assert!(matches!(
        decision.events.as_slice(),
        [event @ Event::TargetMissed { reason, .. }] if reason == "too_late" && event.severity() == Severity::Critical
    ));
}

#[test]
fn a_missed_target_names_what_held_it_up() {
    let late = t0() + minutes(61);
    let failed = AttemptFacts {
        settlement: Some(Settlement::Absent),
        ..answered_with(Failure::ProviderDown)
    };
    let expired = grant_but(|g| g.state = AuthState::Expired);
    let table = [
        (
            but(|w| w.attempts = vec![failed]),
            "provider_down",
        ),
        (
            but(|w| w.grant = expired),
            "connection_not_connected",
        ),
    ];
    for (work, expected) in table {
        let decision = settled(before(&work, late));
        assert!(matches!(
            decision.events.as_slice(),
            [Event::TargetMissed { reason, .. }] if reason == expected
        ));
    }
}

#[test]
fn row_121_nothing_is_sent_over_a_connection_that_cannot_publish() {
    let table = [
        but(|w| w.grant = grant_but(|g| g.state = AuthState::Expired)),
        but(|w| w.grant = grant_but(|g| g.state = AuthState::Revoked)),
        but(|w| w.grant = grant_but(|g| g.state = AuthState::Error)),
        but(|w| w.account = Some(AccountState::Unavailable)),
        but(|w| w.account = Some(AccountState::RoleLost)),
        but(|w| w.account = Some(AccountState::Checkpoint)),
    ];
    for work in table {
        let decision = settled(before(&work, t0()));
        let (until, reason) = park(&decision).expect("it waits");
        assert_eq!(reason, ParkReason::AwaitingConnection);
        let until = until.expect("it wakes up to be missed");
        assert_eq!(stage(&settled(before(&work, until))), Some(Stage::Missed));
    }
}

#[test]
fn an_unusable_token_parks_the_publish_and_asks_for_a_refresh() {
    let grant = grant_but(|g| { g.access_expires_at = Some(t0()); g.refresh_expires_at = Some(t0() + days(90)); });
    let work = but(|w| { w.platform = Platform::Bluesky; w.grant = grant; });
    let decision = settled(before(&work, t0()));
    assert_eq!(
        park(&decision).map(|(_, reason)| reason),
        Some(ParkReason::AwaitingRefresh)
    );
    assert!(pokes(&decision, JobKind::Refresh));
    assert!(
        decision.changes.is_empty(),
        "a publish never refreshes by itself"
    );
}

#[test]
fn a_dangling_attempt_is_looked_for_whatever_the_hour_and_the_grant() {
    let revoked = grant_but(|g| g.state = AuthState::Revoked);
    let dangling = but(|w| w.attempts = vec![attempt()]);
    for work in [
        dangling.clone(),
        PublishWork {
            grant: revoked,
            ..dangling
        },
    ] {
        for now in [t0() - hours(1), t0(), t0() + days(2)] {
            assert_eq!(before(&work, now), PublishStep::Resolve(attempt()));
        }
    }
}

#[test]
fn rule_8_an_acceptance_is_evidence_whatever_the_fence_says() {
    let decision = send(&work(), Ok(accepted()));
    let evidence = Evidence::Accepted {
        attempt: attempt().id,
        accepted: accepted(),
        at: t0(),
    };
    assert_eq!(decision.evidence, vec![evidence]);
    assert_eq!(settlement(&decision), Some(Settlement::Found));
    assert_eq!(stage(&decision), Some(Stage::Accepted));
    assert_eq!(decision.next, Next::Done);
}

#[test]
fn only_not_sent_is_absent_at_once_every_other_answer_is_looked_into_first() {
    let look_at = t0() + Platform::Facebook.capabilities().settle + seconds(1);
    for failure in every_failure() {
        let decision = send(&work(), Err(failure.clone()));
        let ended = Evidence::CallEnded {
            attempt: attempt().id,
            failure: Some(failure.clone()),
            at: t0(),
        };
        assert_eq!(decision.evidence, vec![ended], "{failure}");
        assert_eq!(
            stage(&decision),
            None,
            "{failure}: an answer is a claim, not a proof"
        );
        if failure == Failure::NotSent {
            assert_eq!(settlement(&decision), Some(Settlement::Absent));
            assert!(
                matches!(decision.next, Next::Retry(at) if at > t0() && at <= t0() + seconds(3))
            );
        } else {
            assert_eq!(settlement(&decision), None, "{failure}");
            assert!(
                matches!(decision.next, Next::Retry(at) if at >= look_at),
                "{failure}"
            );
        }
    }
}

#[test]
fn an_unknown_outcome_is_said_at_once() {
    let decision = send(&work(), Err(Failure::Indeterminate));
    assert!(matches!(
        decision.events.as_slice(),
        [Event::OutcomeUnknown { class, .. }] if class == "indeterminate"
    ));
    let refused = send(
        &work(),
        Err(Failure::ContentRejected {
            code: "100".to_owned(),
        }),
    );
    assert!(
        refused.events.is_empty(),
        "a refusal is confirmed before it is told"
    );
}

#[test]
fn a_lost_post_is_absent_only_after_its_last_possible_execution_has_had_time_to_show() {
    let policy = Policy::default();
    // Facebook: 30 s time-out, 10 s to settle; the clocks' margin is 1 s. The attempt's last moment is 50 s.
    let silent = absent_from(Platform::Facebook, &attempt(), &policy);
    assert_eq!(silent, t0() + seconds(50 + 30 + 10 + 1));
    let cut_off = absent_from(
        Platform::Facebook,
        &answered_with(Failure::Indeterminate),
        &policy,
    );
    assert_eq!(cut_off, t0() + seconds(30 + 10 + 1));
    let refused = absent_from(
        Platform::Facebook,
        &answered_with(Failure::DuplicateContent),
        &policy,
    );
    assert_eq!(refused, t0() + seconds(10 + 1));
}

#[test]
fn absent_a_moment_too_early_is_looked_at_again_when_it_may_be_believed() {
    let from = absent_from(Platform::Facebook, &attempt(), &Policy::default());
    let early = look(
        &work(),
        &attempt(),
        Ok(Finding::Absent),
        from - TimeDelta::milliseconds(1),
    );
    assert_eq!(settlement(&early), None);
    assert!(matches!(early.next, Next::Retry(at) if at >= from));
    let believed = look(&work(), &attempt(), Ok(Finding::Absent), from);
    assert_eq!(settlement(&believed), Some(Settlement::Absent));
}

#[test]
fn absent_after_a_transient_answer_is_sent_again_while_there_is_time() {
    let now = t0() + minutes(5);
    for failure in [Failure::Indeterminate, Failure::ProviderDown] {
        let again = look(&work(), &answered_with(failure), Ok(Finding::Absent), now);
        assert_eq!(settlement(&again), Some(Settlement::Absent));
        assert!(matches!(again.next, Next::Retry(at) if at > now));
        assert_eq!(stage(&again), None);
    }
    let late = look(&work(), &attempt(), Ok(Finding::Absent), t0() + minutes(61));
    assert_eq!(
        (settlement(&late), stage(&late)),
        (Some(Settlement::Absent), Some(Stage::Missed))
    );
}

#[test]
fn absent_after_a_rate_limit_waits_as_long_as_the_platform_asked() {
    let until = t0() + minutes(20);
    let limited = Failure::RateLimited {
        scope: RateScope::App,
        until: Some(until),
    };
    let decision = look(
        &work(),
        &answered_with(limited),
        Ok(Finding::Absent),
        t0() + minutes(5),
    );
    assert_eq!(
        park(&decision),
        Some((Some(until), ParkReason::RateLimited))
    );
}

#[test]
fn absent_after_an_expired_token_waits_for_the_refresh() {
    let decision = look(
        &work(),
        &answered_with(Failure::TokenExpired),
        Ok(Finding::Absent),
        t0() + minutes(1),
    );
    assert_eq!(
        park(&decision).map(|(_, reason)| reason),
        Some(ParkReason::AwaitingRefresh)
    );
    assert!(pokes(&decision, JobKind::Refresh));
    assert_eq!(auth_verdict(&decision), None);
}

#[test]
fn absent_after_a_refusal_fails_the_target_and_looks_at_the_account_unless_it_was_the_content() {
    for failure in refusals() {
        let decision = look(
            &work(),
            &answered_with(failure.clone()),
            Ok(Finding::Absent),
            t0() + minutes(1),
        );
        assert_eq!(decision.next, Next::Done, "{failure}");
        assert_eq!(stage(&decision), Some(Stage::Failed));
        assert_eq!(settlement(&decision), Some(Settlement::Absent));
        assert!(matches!(
            decision.events.as_slice(),
            [Event::TargetFailed { class, .. }] if class == failure.class()
        ));
        let content = matches!(
            failure,
            Failure::ContentRejected { .. } | Failure::DuplicateContent
        );
        assert_eq!(pokes(&decision, JobKind::Check), !content, "{failure}");
        let revoked = failure
            .ends_the_credential()
            .then_some((3, AuthState::Revoked));
        assert_eq!(auth_verdict(&decision), revoked, "{failure}");
    }
}

#[test]
fn a_duplicate_that_is_found_is_an_acceptance() {
    let duplicate = answered_with(Failure::DuplicateContent);
    let decision = look(
        &work(),
        &duplicate,
        Ok(Finding::Found(accepted())),
        t0() + seconds(11),
    );
    assert_eq!(stage(&decision), Some(Stage::Accepted));
}

#[test]
fn without_a_key_nothing_found_or_absent_is_believed_while_a_twin_is_in_flight() {
    let now = t0() + minutes(5);
    let twin = but(|w| w.twin_in_flight = true);
    for finding in [Finding::Found(accepted()), Finding::Absent] {
        let decision = look(&twin, &attempt(), Ok(finding.clone()), now);
        assert_eq!((settlement(&decision), stage(&decision)), (None, None));
        let keyed = PublishWork {
            platform: Platform::Bluesky,
            ..twin.clone()
        };
        assert!(
            settlement(&look(&keyed, &attempt(), Ok(finding), now)).is_some(),
            "a key tells twins apart"
        );
    }
}

#[test]
fn what_nobody_can_tell_ends_unconfirmed_and_loudly() {
    let work = but(|w| w.attempt = 59);
    let decision = look(&work, &attempt(), Ok(Finding::Unsure), t0() + hours(24));
    assert_eq!(decision.next, Next::Done);
    assert_eq!(
        (settlement(&decision), stage(&decision)),
        (Some(Settlement::Unsure), Some(Stage::Unconfirmed))
    );
    assert!(matches!(
        decision.events.as_slice(),
        [event @ Event::TargetUnconfirmed { .. }] if event.severity() == Severity::Critical
    ));
}

#[test]
fn without_a_key_and_with_a_sender_that_may_live_absent_ends_unconfirmed_never_repeated() {
    let late = but(|w| w.attempt = 59);
    let resolve = |work: &PublishWork, now| {
        let found = Ok(Finding::Absent);
        after_resolve(
            work,
            &attempt(),
            found,
            false,
            &Policy::default(),
            now,
            Jitter::of(1),
        )
    };
    assert_eq!(
        settlement(&resolve(&work(), t0() + minutes(10))),
        None,
        "it keeps looking"
    );
    assert_eq!(
        stage(&resolve(&late, t0() + hours(24))),
        Some(Stage::Unconfirmed)
    );
}

#[test]
fn looking_respects_the_rate_limit_of_the_platform() {
    let until = t0() + minutes(20);
    let limited = Failure::RateLimited {
        scope: RateScope::App,
        until: Some(until),
    };
    let decision = look(&work(), &attempt(), Err(limited), t0() + minutes(5));
    let wakes = match decision.next {
        Next::Retry(at) | Next::Park(Some(at), _) => at,
        other => panic!("{other:?}"),
    };
    assert!(wakes >= until);
}

proptest! {
    #[test]
    fn prop_nothing_is_sent_while_an_outcome_is_unknown(
        minutes_late in -90_i64..3_000, platform in platform(), dangling in any_attempt(), twin_in_flight: bool,
    ) {
        let attempts = vec![dangling];
        let work = but(|w| { w.platform = platform; w.attempts = attempts; w.twin_in_flight = twin_in_flight; });
        prop_assert_ne!(before(&work, t0() + minutes(minutes_late)), PublishStep::Send);
    }

    #[test]
    fn prop_absent_is_never_believed_too_early_nor_where_the_first_sender_may_still_send(
        attempt in any_attempt(), found in any_found(), sender_ended: bool, twin_in_flight: bool,
        platform in platform(), elapsed in 0_i64..400, tries in 0_u16..70,
    ) {
        let policy = Policy::default();
        let now = t0() + seconds(elapsed);
        let work = but(|w| { w.platform = platform; w.twin_in_flight = twin_in_flight; w.attempt = tries; });
        let decision = after_resolve(&work, &attempt, found.clone(), sender_ended, &policy, now, Jitter::of(1));
        if settlement(&decision) == Some(Settlement::Absent) {
            let row = platform.capabilities();
            let keyed = row.publish_key == PublishKey::Ours;
            prop_assert_eq!(found, Ok(Finding::Absent));
            prop_assert!(keyed || !twin_in_flight);
            prop_assert!(keyed || sender_ended || attempt.call_ended.is_some());
            let shown = row.settle + policy.clock_margin;
            let earliest = match &attempt.call_ended {
                None => attempt.send_by + row.publish_timeout + shown,
                Some((at, None | Some(Failure::Indeterminate))) => *at + row.publish_timeout + shown,
                Some((at, _)) => *at + shown,
            };
            prop_assert!(now >= earliest, "{now} < {earliest}");
        }
    }

    #[test]
    fn prop_an_acceptance_always_wins(
        attempt in any_attempt(), elapsed in -400_i64..400_000, tries in 0_u16..70, keyed: bool, ended: bool,
    ) {
        let now = t0() + seconds(elapsed);
        let platform = if keyed { Platform::Bluesky } else { Platform::Facebook };
        let work = but(|w| { w.platform = platform; w.twin_in_flight = keyed; w.attempt = tries; });
        let policy = Policy::default();
        let found = Ok(Finding::Found(accepted()));
        let found = after_resolve(&work, &attempt, found, ended, &policy, now, Jitter::of(1));
        let sent = after_send(&work, &attempt, Ok(accepted()), &policy, now, Jitter::of(1));
        for decision in [found, sent] {
            prop_assert_eq!(stage(&decision), Some(Stage::Accepted));
            let has_evidence = matches!(decision.evidence.as_slice(), [Evidence::Accepted { .. }]);
            prop_assert!(has_evidence);
        }
    }

    #[test]
    fn prop_a_transient_failure_never_changes_the_credential(
        failure in prop::sample::select(transients()), elapsed in 0_i64..100_000, platform in platform(),
        tries in 0_u16..70, ended: bool,
    ) {
        let policy = Policy::default();
        let now = t0() + seconds(elapsed);
        let work = but(|w| { w.platform = platform; w.attempt = tries; });
        let known = answered_with(failure.clone());
        let sent = after_send(&work, &attempt(), Err(failure.clone()), &policy, now, Jitter::of(1));
        let looked = after_resolve(&work, &attempt(), Err(failure), ended, &policy, now, Jitter::of(1));
        let absent = after_resolve(&work, &known, Ok(Finding::Absent), ended, &policy, now, Jitter::of(1));
        for decision in [sent, looked, absent] {
            prop_assert_eq!(auth_verdict(&decision), None);
            prop_assert_ne!(stage(&decision), Some(Stage::Failed));
        }
    }

    #[test]
    fn prop_a_failed_look_never_settles_absent_or_failed(
        failure in prop::sample::select(every_failure()), elapsed in 0_i64..100_000, tries in 0_u16..70,
    ) {
        let work = but(|w| w.attempt = tries);
        let decision = look(&work, &attempt(), Err(failure), t0() + seconds(elapsed));
        prop_assert_ne!(settlement(&decision), Some(Settlement::Absent));
        prop_assert_ne!(stage(&decision), Some(Stage::Failed));
    }
}

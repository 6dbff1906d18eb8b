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

/// A due target on a platform that takes no key of ours.
fn work() -> PublishWork {
    PublishWork {
        target: TargetId::mint(t0(), [1; 10]),
        connection: ConnectionId::mint(t0(), [2; 10]),
        platform: Platform::Facebook,
        progress: Progress::start(),
        due: t0(),
        grant_id: GrantId::mint(t0(), [3; 10]),
        grant: GrantFacts {
            state: AuthState::Connected,
            token_version: 3,
            issued_at: t0() - days(1),
            access_expires_at: Some(t0() + days(59)),
            refresh_expires_at: None,
            refresh_begun: false,
            refresh_exhausted: false,
            probed_at: None,
        },
        account: Some(AccountState::Accessible),
        attempts: Vec::new(),
        twin_in_flight: false,
        attempt: 0,
    }
}

/// The same but for one thing.
fn but(change: impl FnOnce(&mut PublishWork)) -> PublishWork {
    let mut base = work();
    change(&mut base);
    base
}

fn in_state(state: AuthState) -> PublishWork {
    but(|w| w.grant.state = state)
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
    let mut attempt = attempt();
    attempt.call_ended = Some((t0(), Some(failure)));
    attempt
}

fn accepted() -> Accepted {
    let remote_id = "1_2".to_owned();
    Accepted {
        remote_id,
        permalink: None,
    }
}

fn accepts(decision: &Decision) -> bool {
    matches!(decision.evidence.as_slice(), [Evidence::Accepted { .. }])
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
    let policy = Policy::default();
    after_send(work, &attempt(), answer, &policy, t0(), Jitter::of(1))
}

type Found = Result<Finding, Failure>;

/// What looking for `attempt` at `now` leads to; `ended`: its sender is known to have ended.
fn resolve(w: &PublishWork, a: &AttemptFacts, found: Found, ended: bool, now: Time) -> Decision {
    let policy = Policy::default();
    after_resolve(w, a, found, ended, &policy, now, Jitter::of(1))
}

/// The same where the sender is known to have ended.
fn look(work: &PublishWork, attempt: &AttemptFacts, found: Found, now: Time) -> Decision {
    resolve(work, attempt, found, true, now)
}

/// What follows when a post is not there, `after` its send was answered with `failure`.
fn absent_after(failure: Failure, after: TimeDelta) -> Decision {
    let attempt = answered_with(failure);
    look(&work(), &attempt, Ok(Finding::Absent), t0() + after)
}

fn believed_from(attempt: &AttemptFacts) -> Time {
    absent_from(Platform::Facebook, attempt, &Policy::default())
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

fn auth_verdict(decision: &Decision) -> Option<AuthState> {
    decision.changes.iter().find_map(|change| match change {
        Change::GrantState { state, .. } => Some(*state),
        _ => None,
    })
}

fn pokes(decision: &Decision, wanted: JobKind) -> bool {
    let wanted = |poke: &Poke| matches!(poke, Poke::Job { kind, .. } if *kind == wanted);
    decision.pokes.iter().any(wanted)
}

/// When the job runs again, and what it waits for.
fn wakes(decision: &Decision) -> (Option<Time>, Option<ParkReason>) {
    match decision.next {
        Next::At(at) | Next::Retry(at) => (Some(at), None),
        Next::Park(until, reason) => (until, Some(reason)),
        Next::Done => (None, None),
    }
}

/// The first event, by name, and whether somebody must act.
fn told(decision: &Decision) -> Option<(&'static str, bool)> {
    let event = decision.events.first()?;
    Some((event.name(), event.severity() == Severity::Critical))
}

fn limited(until: Option<Time>) -> Failure {
    let scope = RateScope::App;
    Failure::RateLimited { scope, until }
}

fn every_failure() -> Vec<Failure> {
    let (code, detail) = ("100".to_owned(), "status 299".to_owned());
    vec![
        Failure::TokenExpired,
        Failure::TokenRevoked,
        Failure::SecurityEvent,
        Failure::ScopeMissing { scopes: Vec::new() },
        Failure::AccountUnavailable,
        Failure::Checkpoint,
        Failure::AppAccess,
        Failure::ContentRejected { code },
        Failure::DuplicateContent,
        Failure::MediaProcessing,
        limited(None),
        limited(Some(t0() + minutes(20))),
        Failure::ProviderDown,
        Failure::NotSent,
        Failure::Indeterminate,
        Failure::Contract { detail },
    ]
}

/// All but the first nine: whatever may heal without anybody acting.
fn transients() -> Vec<Failure> {
    every_failure().split_off(9)
}

fn any_found() -> impl Strategy<Value = Result<Finding, Failure>> {
    let failures = every_failure().into_iter().map(Err);
    let findings = [Finding::Found(accepted()), Finding::Absent, Finding::Unsure].map(Ok);
    prop::sample::select(findings.into_iter().chain(failures).collect::<Vec<_>>())
}

prop_compose! {
    /// An attempt whose call may have ended, in any way and at any time.
    fn any_attempt()(
        send_by in 1_i64..120, ended in prop::option::of(0_i64..240),
        failure in prop::option::of(prop::sample::select(every_failure())),
    ) -> AttemptFacts {
        let call_ended = ended.map(|s| (t0() + seconds(s), failure));
        AttemptFacts { send_by: t0() + seconds(send_by), call_ended, ..attempt() }
    }
}

#[test]
fn a_target_waits_for_its_time_and_is_then_sent_up_to_its_last_moment() {
    let early = settled(before(&work(), t0() - seconds(1)));
    assert_eq!(early, Decision::new(Next::At(t0()), Outcome::Nothing));
    for now in [t0(), t0() + minutes(60)] {
        assert_eq!(before(&work(), now), PublishStep::Send);
    }
}

#[test]
fn row_106_a_settled_target_is_never_sent_or_looked_for() {
    let nothing = Decision::new(Next::Done, Outcome::Nothing);
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_settled()) {
        let work = but(|w| {
            w.progress.stage = stage;
            w.attempts = vec![attempt()];
        });
        assert_eq!(settled(before(&work, t0())), nothing, "{stage:?}");
    }
}

#[test]
fn row_053_a_target_more_than_an_hour_late_is_missed_and_names_what_held_it_up() {
    let late = t0() + minutes(60) + TimeDelta::milliseconds(1);
    let mut failed = answered_with(Failure::ProviderDown);
    failed.settlement = Some(Settlement::Absent);
    let table = [
        (work(), "too_late"),
        (but(|w| w.attempts = vec![failed]), "provider_down"),
        (in_state(AuthState::Expired), "connection_not_connected"),
    ];
    for (work, expected) in table {
        let decision = settled(before(&work, late));
        let (target, reason) = (work.target, expected.to_owned());
        assert_eq!(decision.events, [Event::TargetMissed { target, reason }]);
        assert_eq!(told(&decision), Some(("target_missed", true)));
        assert_eq!(stage(&decision), Some(Stage::Missed));
        assert_eq!(decision.next, Next::Done);
    }
}

#[test]
fn row_121_nothing_is_sent_over_a_connection_that_cannot_publish() {
    let table = [
        in_state(AuthState::Expired),
        in_state(AuthState::Revoked),
        in_state(AuthState::Error),
        but(|w| w.account = Some(AccountState::Unavailable)),
        but(|w| w.account = Some(AccountState::RoleLost)),
        but(|w| w.account = Some(AccountState::Checkpoint)),
    ];
    for work in table {
        let decision = settled(before(&work, t0()));
        let (until, reason) = wakes(&decision);
        assert_eq!(reason, Some(ParkReason::AwaitingConnection));
        let until = until.expect("it wakes up to be missed");
        let missed = settled(before(&work, until));
        assert_eq!(stage(&missed), Some(Stage::Missed));
    }
}

#[test]
fn an_unusable_token_parks_the_publish_which_never_refreshes_by_itself() {
    let work = but(|w| {
        w.platform = Platform::Bluesky;
        w.grant.access_expires_at = Some(t0());
        w.grant.refresh_expires_at = Some(t0() + days(90));
    });
    let decision = settled(before(&work, t0()));
    assert_eq!(wakes(&decision).1, Some(ParkReason::AwaitingRefresh));
    assert!(pokes(&decision, JobKind::Refresh));
    assert!(decision.changes.is_empty());
}

#[test]
fn a_dangling_attempt_is_looked_for_whatever_the_hour_and_the_grant() {
    for state in [AuthState::Connected, AuthState::Revoked] {
        let mut work = in_state(state);
        work.attempts = vec![attempt()];
        for now in [t0() - hours(1), t0(), t0() + days(2)] {
            assert_eq!(before(&work, now), PublishStep::Resolve(attempt()));
        }
    }
}

#[test]
fn rule_8_an_acceptance_is_evidence_whatever_the_fence_says() {
    let decision = send(&work(), Ok(accepted()));
    let (attempt, accepted, at) = (attempt().id, accepted(), t0());
    let evidence = Evidence::Accepted {
        attempt,
        accepted,
        at,
    };
    assert_eq!(decision.evidence, vec![evidence]);
    assert_eq!(decision.next, Next::Done);
}

#[test]
fn only_not_sent_is_absent_at_once_every_other_answer_is_looked_into_and_the_unknown_is_told() {
    let look_at = t0() + Platform::Facebook.capabilities().settle + seconds(1);
    for failure in every_failure() {
        let not_sent = failure == Failure::NotSent;
        let unknown = failure.is_transient() && !not_sent;
        let decision = send(&work(), Err(failure.clone()));
        let (attempt, failure, at) = (attempt().id, Some(failure), t0());
        let ended = Evidence::CallEnded {
            attempt,
            failure,
            at,
        };
        assert_eq!(decision.evidence, vec![ended]);
        assert_eq!(stage(&decision), None);
        assert_eq!(
            settlement(&decision),
            not_sent.then_some(Settlement::Absent)
        );
        assert!(not_sent || wakes(&decision).0 >= Some(look_at));
        let told = told(&decision).map(|(event, _)| event);
        assert_eq!(told, unknown.then_some("outcome_unknown"));
    }
}

#[test]
fn a_lost_post_is_absent_only_after_its_last_possible_execution_has_had_time_to_show() {
    // Facebook: 30 s time-out, 10 s to settle; the clocks' margin is 1 s. The last moment to send is 50 s.
    let silent = believed_from(&attempt());
    assert_eq!(silent, t0() + seconds(50 + 30 + 10 + 1));
    let cut_off = believed_from(&answered_with(Failure::Indeterminate));
    assert_eq!(cut_off, t0() + seconds(30 + 10 + 1));
    let refused = believed_from(&answered_with(Failure::DuplicateContent));
    assert_eq!(refused, t0() + seconds(10 + 1));
}

#[test]
fn absent_a_moment_too_early_is_looked_at_again_when_it_may_be_believed() {
    let from = believed_from(&attempt());
    let look = |now| look(&work(), &attempt(), Ok(Finding::Absent), now);
    let early = look(from - TimeDelta::milliseconds(1));
    assert_eq!(settlement(&early), None);
    assert!(wakes(&early).0 >= Some(from));
    assert_eq!(settlement(&look(from)), Some(Settlement::Absent));
}

#[test]
fn absent_after_a_transient_answer_is_sent_again_while_there_is_time_and_missed_later() {
    for failure in [Failure::Indeterminate, Failure::ProviderDown] {
        let again = absent_after(failure.clone(), minutes(5));
        assert_eq!(settlement(&again), Some(Settlement::Absent));
        assert_eq!(stage(&again), None);
        assert!(wakes(&again).0 > Some(t0() + minutes(5)));
        let late = absent_after(failure, minutes(61));
        assert_eq!(settlement(&late), Some(Settlement::Absent));
        assert_eq!(stage(&late), Some(Stage::Missed));
    }
}

#[test]
fn a_limit_is_waited_out_and_an_expired_token_waits_for_its_refresh() {
    let until = Some(t0() + minutes(20));
    let looked = look(&work(), &attempt(), Err(limited(until)), t0());
    assert!(wakes(&looked).0 >= until);
    let paused = absent_after(limited(until), minutes(5));
    assert_eq!(wakes(&paused), (until, Some(ParkReason::RateLimited)));
    let expired = absent_after(Failure::TokenExpired, minutes(1));
    assert_eq!(wakes(&expired).1, Some(ParkReason::AwaitingRefresh));
    assert!(pokes(&expired, JobKind::Refresh));
    assert_eq!(auth_verdict(&expired), None);
}

#[test]
fn absent_after_a_refusal_fails_loudly_and_looks_at_the_account_unless_the_content_was_refused() {
    for failure in &every_failure()[1..9] {
        let content = ["content_rejected", "duplicate_content"].contains(&failure.class());
        let revoked = failure.ends_the_credential().then_some(AuthState::Revoked);
        let decision = absent_after(failure.clone(), minutes(1));
        assert_eq!(decision.next, Next::Done);
        assert_eq!(stage(&decision), Some(Stage::Failed));
        assert_eq!(settlement(&decision), Some(Settlement::Absent));
        assert_eq!(told(&decision), Some(("target_failed", true)));
        assert_eq!(auth_verdict(&decision), revoked);
        assert_eq!(pokes(&decision, JobKind::Check), !content);
    }
}

#[test]
fn without_a_key_nothing_found_or_absent_is_believed_while_a_twin_is_in_flight() {
    let twin = but(|w| w.twin_in_flight = true);
    let mut keyed = twin.clone();
    keyed.platform = Platform::Bluesky;
    for finding in [Finding::Found(accepted()), Finding::Absent] {
        let look = |work| look(work, &attempt(), Ok(finding.clone()), t0() + minutes(5));
        assert!(!accepts(&look(&twin)));
        assert_eq!(settlement(&look(&twin)), None);
        assert!(settlement(&look(&keyed)).is_some() || accepts(&look(&keyed)));
    }
}

#[test]
fn what_nobody_can_tell_ends_unconfirmed_and_loudly_never_repeated() {
    // Unsure; or absent without a key of ours, while the first sender may still live.
    for (found, ended) in [(Finding::Unsure, true), (Finding::Absent, false)] {
        let look = |w: &_, now| resolve(w, &attempt(), Ok(found.clone()), ended, now);
        let patient = look(&work(), t0() + minutes(10));
        assert_eq!((settlement(&patient), stage(&patient)), (None, None));
        assert!(wakes(&patient).0.is_some());
        let end = look(&but(|w| w.attempt = 59), t0() + hours(24));
        assert_eq!(settlement(&end), Some(Settlement::Unsure));
        assert_eq!(stage(&end), Some(Stage::Unconfirmed));
        assert_eq!(told(&end), Some(("target_unconfirmed", true)));
        assert_eq!(end.next, Next::Done);
    }
}

proptest! {
    #[test]
    fn prop_nothing_is_sent_while_an_outcome_is_unknown(
        minutes_late in -90_i64..3_000, platform in prop::sample::select(Platform::ALL.to_vec()), dangling in any_attempt(), twin_in_flight: bool,
    ) {
        let work = but(|w| { w.platform = platform; w.attempts = vec![dangling]; w.twin_in_flight = twin_in_flight; });
        prop_assert_ne!(before(&work, t0() + minutes(minutes_late)), PublishStep::Send);
    }

    #[test]
    fn prop_absent_is_never_believed_too_early_nor_where_the_first_sender_may_still_send(
        attempt in any_attempt(), found in any_found(), sender_ended: bool, twin_in_flight: bool,
        platform in prop::sample::select(Platform::ALL.to_vec()), elapsed in 0_i64..400, tries in 0_u16..70,
    ) {
        let policy = Policy::default();
        let now = t0() + seconds(elapsed);
        let work = but(|w| { w.platform = platform; w.twin_in_flight = twin_in_flight; w.attempt = tries; });
        let decision = resolve(&work, &attempt, found.clone(), sender_ended, now);
        prop_assert!(found.is_ok() || stage(&decision) != Some(Stage::Failed));
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
        let found = resolve(&work, &attempt, Ok(Finding::Found(accepted())), ended, now);
        let sent = after_send(&work, &attempt, Ok(accepted()), &Policy::default(), now, Jitter::of(1));
        for decision in [found, sent] {
            prop_assert!(accepts(&decision));
            prop_assert!(matches!(settlement(&decision), None | Some(Settlement::Found)));
            prop_assert!(matches!(stage(&decision), None | Some(Stage::Accepted)));
            prop_assert_eq!(decision.next, Next::Done);
        }
    }

    #[test]
    fn prop_a_transient_failure_never_changes_the_credential(
        failure in prop::sample::select(transients()), elapsed in 0_i64..100_000, platform in prop::sample::select(Platform::ALL.to_vec()),
        tries in 0_u16..70, ended: bool,
    ) {
        let now = t0() + seconds(elapsed);
        let work = but(|w| { w.platform = platform; w.attempt = tries; });
        let known = answered_with(failure.clone());
        let sent = after_send(&work, &attempt(), Err(failure.clone()), &Policy::default(), now, Jitter::of(1));
        let looked = resolve(&work, &attempt(), Err(failure), ended, now);
        let absent = resolve(&work, &known, Ok(Finding::Absent), ended, now);
        for decision in [sent, looked, absent] {
            prop_assert_eq!(auth_verdict(&decision), None);
            prop_assert_ne!(stage(&decision), Some(Stage::Failed));
        }
    }
}

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::{
    decision::Poke,
    event::Severity,
    failure::RateScope,
    id::AttemptId,
    job::JobKind,
    post::{Finding, resolve::after_resolve},
    time::{days, from_ms, hours},
};

/// When the target is due, and its first attempt begins.
pub(in crate::post) fn t0() -> Time {
    from_ms(1_800_000_000_000)
}

/// A due target on a platform that takes no key of ours.
pub(in crate::post) fn work() -> PublishWork {
    PublishWork {
        target: TargetId::mint(t0(), [1; 10]),
        connection: ConnectionId::mint(t0(), [2; 10]),
        removed: false,
        platform: Platform::Facebook,
        progress: Progress::start(),
        due: t0(),
        max_lateness: None,
        spacing: Spacing::default(),
        grant_id: GrantId::mint(t0(), [3; 10]),
        grant: GrantFacts {
            state: AuthState::Connected,
            token_version: 3,
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
        right_off: false,
        beyond: None,
        attempts: Vec::new(),
        twins: Vec::new(),
        attempt: 0,
        revision: 1,
        has_media: false,
        preparation: None,
    }
}

/// The same but for one thing.
pub(in crate::post) fn but(change: impl FnOnce(&mut PublishWork)) -> PublishWork {
    let mut base = work();
    change(&mut base);
    base
}

pub(in crate::post) fn in_state(state: AuthState) -> PublishWork {
    but(|w| w.grant.state = state)
}

/// An attempt whose sender was never heard of again.
pub(in crate::post) fn attempt() -> AttemptFacts {
    AttemptFacts {
        id: AttemptId::mint(t0(), [4; 10]),
        edition: 1,
        number: 1,
        reference: None,
        handle: None,
        begun_at: t0(),
        send_by: t0() + seconds(50),
        call_ended: None,
        settlement: None,
        looks: 0,
        forgotten: false,
    }
}

/// Another target's attempt with the same words that dangles.
pub(in crate::post) fn twin(keyed: bool) -> Twin {
    Twin {
        attempt: AttemptId::mint(t0(), [5; 10]),
        keyed,
        forgotten: false,
        begun_at: t0(),
    }
}

/// An attempt that was answered with `failure` at `t0`.
pub(in crate::post) fn answered_with(failure: Failure) -> AttemptFacts {
    let mut attempt = attempt();
    attempt.call_ended = Some((t0(), Some(failure)));
    attempt
}

pub(in crate::post) fn accepted() -> Accepted {
    let remote_id = "1_2".to_owned();
    Accepted {
        remote_id,
        permalink: None,
    }
}

pub(in crate::post) fn accepts(decision: &Decision) -> bool {
    matches!(decision.evidence.as_slice(), [Evidence::Accepted { .. }])
}

pub(in crate::post) fn before(work: &PublishWork, now: Time) -> PublishStep {
    before_publish(work, &Policy::default(), now)
}

pub(in crate::post) fn settled(step: PublishStep) -> Decision {
    match step {
        PublishStep::Settled(decision) => decision,
        other => panic!("not settled: {other:?}"),
    }
}

pub(in crate::post) fn send(work: &PublishWork, answer: Result<Accepted, Failure>) -> Decision {
    let policy = Policy::default();
    let answer = answer.map(Sent::Accepted);
    after_send(work, &attempt(), answer, &policy, t0(), Jitter::of(1))
}

pub(in crate::post) type Found = Result<Finding, Failure>;

/// What looking for `attempt` at `now` leads to; `ended`: its sender is known to have ended.
pub(in crate::post) fn resolve(
    w: &PublishWork,
    a: &AttemptFacts,
    found: Found,
    ended: bool,
    now: Time,
) -> Decision {
    let policy = Policy::default();
    after_resolve(w, a, found, ended, &policy, now, Jitter::of(1))
}

/// The same where the sender is known to have ended.
pub(in crate::post) fn look(
    work: &PublishWork,
    attempt: &AttemptFacts,
    found: Found,
    now: Time,
) -> Decision {
    resolve(work, attempt, found, true, now)
}

pub(in crate::post) fn settlement(decision: &Decision) -> Option<Settlement> {
    decision.changes.iter().find_map(|change| match change {
        Change::AttemptSettled { settlement, .. } => Some(*settlement),
        _ => None,
    })
}

pub(in crate::post) fn stage(decision: &Decision) -> Option<Stage> {
    decision.changes.iter().find_map(|change| match change {
        Change::TargetMoved { stage, .. } => Some(*stage),
        _ => None,
    })
}

pub(in crate::post) fn auth_verdict(decision: &Decision) -> Option<AuthState> {
    decision.changes.iter().find_map(|change| match change {
        Change::GrantState { state, .. } => Some(*state),
        _ => None,
    })
}

pub(in crate::post) fn pokes(decision: &Decision, wanted: JobKind) -> bool {
    let wanted = |poke: &Poke| matches!(poke, Poke::Job { kind, .. } if *kind == wanted);
    decision.pokes.iter().any(wanted)
}

/// When the job runs again, and what it waits for.
pub(in crate::post) fn wakes(decision: &Decision) -> (Option<Time>, Option<ParkReason>) {
    match decision.next {
        Next::At(at) | Next::Retry(at) => (Some(at), None),
        Next::Park(until, reason) => (until, Some(reason)),
        Next::Done => (None, None),
    }
}

/// The first event, by name, and whether somebody must act.
pub(in crate::post) fn told(decision: &Decision) -> Option<(&'static str, bool)> {
    let event = decision.events.first()?;
    Some((event.name(), event.severity() == Severity::Critical))
}

pub(in crate::post) fn limited(until: Option<Time>) -> Failure {
    let scope = RateScope::App;
    Failure::RateLimited { scope, until }
}

pub(in crate::post) fn every_failure() -> Vec<Failure> {
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
pub(in crate::post) fn transients() -> Vec<Failure> {
    every_failure().split_off(9)
}

prop_compose! {
    /// An attempt whose call may have ended, in any way and at any time.
    pub(in crate::post) fn any_attempt()(
        send_by in 1_i64..120, ended in prop::option::of(0_i64..240), keyed: bool,
        failure in prop::option::of(prop::sample::select(every_failure())),
    ) -> AttemptFacts {
        let call_ended = ended.map(|s| (t0() + seconds(s), failure));
        let reference = keyed.then(|| "key".to_owned());
        AttemptFacts { reference, send_by: t0() + seconds(send_by), call_ended, ..attempt() }
    }
}

/// None or one twin of any kind, before or after [`attempt`].
pub(in crate::post) fn any_twins() -> impl Strategy<Value = Vec<Twin>> {
    let any =
        (any::<bool>(), any::<bool>(), -120_i64..120).prop_map(|(keyed, forgotten, s)| Twin {
            keyed,
            forgotten,
            begun_at: t0() + seconds(s),
            ..twin(keyed)
        });
    prop::collection::vec(any, 0..2)
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
        but(|w| w.scopes_missing = true),
        but(|w| w.right_off = true),
    ];
    for work in table {
        let decision = settled(before(&work, t0()));
        assert!(pokes(&decision, JobKind::Check), "it may be well again");
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
        w.grant.has_refresh_token = true;
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
    let more = decision.changes.len() + decision.events.len() + decision.pokes.len();
    assert_eq!(
        more, 0,
        "the evidence alone moves the target, fenced or not"
    );
}

#[test]
fn without_a_key_a_post_waits_while_its_twin_is_in_flight() {
    let waiting_for = but(|w| w.twins = vec![twin(false)]);
    let waiting = settled(before(&waiting_for, t0()));
    assert_eq!(waiting.next, Next::Retry(t0() + seconds(15)));
    assert!(waiting.changes.is_empty() && waiting.events.is_empty());
    let late = settled(before(&waiting_for, t0() + minutes(61)));
    assert_eq!(stage(&late), Some(Stage::Missed), "but not for ever");
    let on_bluesky = |keyed| {
        but(|w| {
            w.twins = vec![twin(keyed)];
            w.platform = Platform::Bluesky;
        })
    };
    assert_eq!(before(&on_bluesky(true), t0()), PublishStep::Send);
    // A twin that has no key is looked for by its text: it would find this one.
    assert_ne!(before(&on_bluesky(false), t0()), PublishStep::Send);
}

#[test]
fn the_look_after_a_limit_waits_it_out_too() {
    let until = Some(t0() + minutes(20));
    assert_eq!(wakes(&send(&work(), Err(limited(until)))).0, until);
}

#[test]
fn row_117_a_refusal_that_is_about_the_account_has_it_checked() {
    for failure in every_failure() {
        let content = ["content_rejected", "duplicate_content"].contains(&failure.class());
        let sent = send(&work(), Err(failure.clone()));
        let expected = !failure.is_transient() && !content;
        assert_eq!(pokes(&sent, JobKind::Check), expected, "{failure}");
    }
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

proptest! {
    #[test]
    fn prop_nothing_is_sent_while_an_outcome_is_unknown(
        minutes_late in -90_i64..3_000, platform in prop::sample::select(Platform::ALL.to_vec()), dangling in any_attempt(), forgotten: bool, twins in any_twins(),
    ) {
        let dangling = AttemptFacts { forgotten, ..dangling };
        let work = but(|w| { w.platform = platform; w.attempts = vec![dangling]; w.twins = twins; });
        prop_assert_ne!(before(&work, t0() + minutes(minutes_late)), PublishStep::Send);
    }

    #[test]
    fn prop_an_acceptance_always_wins(
        attempt in any_attempt(), elapsed in -400_i64..400_000, tries in 0_u16..70, keyed: bool, ended: bool,
    ) {
        let now = t0() + seconds(elapsed);
        let platform = if keyed { Platform::Bluesky } else { Platform::Facebook };
        let attempt = AttemptFacts { reference: keyed.then(|| "key".to_owned()), ..attempt };
        let work = but(|w| { w.platform = platform; w.twins = keyed.then(|| twin(true)).into_iter().collect(); w.attempt = tries; });
        let found = resolve(&work, &attempt, Ok(Finding::Found(accepted())), ended, now);
        let sent = after_send(&work, &attempt, Ok(Sent::Accepted(accepted())), &Policy::default(), now, Jitter::of(1));
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

#[test]
fn row_048_a_disconnected_connection_is_sent_nothing_any_more() {
    let policy = Policy::default();
    // Not even what is not due yet, what is too late, or what has been tried before.
    for now in [t0() - hours(1), t0(), t0() + days(1)] {
        let work = but(|work| work.removed = true);
        let PublishStep::Settled(decision) = before_publish(&work, &policy, now) else {
            panic!("something is sent")
        };
        assert_eq!(decision.next, Next::Done);
        let [Change::TargetMoved { stage, reason, .. }] = &decision.changes[..] else {
            panic!("{decision:?}")
        };
        assert_eq!(*stage, Stage::Cancelled);
        assert_eq!(reason.as_deref(), Some("connection_removed"));
        assert!(decision.pokes.is_empty(), "{:?}", decision.pokes);
    }
}

#[test]
fn row_048_what_was_on_its_way_when_its_connection_went_is_still_looked_for() {
    let work = but(|work| {
        work.removed = true;
        work.attempts.push(attempt());
    });
    let step = before_publish(&work, &Policy::default(), t0() + minutes(5));
    assert!(matches!(step, PublishStep::Resolve(_)), "{step:?}");
}

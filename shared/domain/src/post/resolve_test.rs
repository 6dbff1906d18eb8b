//! Looking for a post whose answer was lost, or was an error.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{
    super::{Settlement, Stage, Twin, publish::tests::*},
    *,
};
use crate::{
    decision::Poke,
    grant::AuthState,
    job::JobKind,
    time::{days, hours, seconds},
};

/// The same attempt after `looks` looks for it.
fn looked(looks: u16) -> AttemptFacts {
    AttemptFacts { looks, ..attempt() }
}

/// The tokens whose access token the platform called ended, if it did.
fn access_ended(decision: &Decision) -> Option<i64> {
    decision.changes.iter().find_map(|change| match change {
        Change::AccessEnded { token_version, .. } => Some(*token_version),
        _ => None,
    })
}

/// An answer that no proxy in between can have made up: the call behind it is over.
fn the_platforms_own(failure: &Failure) -> bool {
    let made_up = ["indeterminate", "provider_down", "contract"];
    !made_up.contains(&failure.class())
}

/// What follows when a post is not there, `after` its send was answered with `failure`.
fn absent_after(failure: Failure, after: TimeDelta) -> Decision {
    let attempt = answered_with(failure);
    look(&work(), &attempt, Ok(Finding::Absent), t0() + after)
}

fn believed_from(attempt: &AttemptFacts) -> Time {
    absent_from(Platform::Facebook, attempt, &Policy::default())
}

fn any_found() -> impl Strategy<Value = Result<Finding, Failure>> {
    let failures = every_failure().into_iter().map(Err);
    let findings = [Finding::Found(accepted()), Finding::Absent, Finding::Unsure].map(Ok);
    prop::sample::select(findings.into_iter().chain(failures).collect::<Vec<_>>())
}

#[test]
fn a_lost_post_is_absent_only_after_its_last_possible_execution_has_had_time_to_show() {
    // Facebook: 30 s time-out, 10 s to settle; the clocks' margin is 1 s. The last moment to send is 50 s.
    let silent = believed_from(&attempt());
    assert_eq!(silent, t0() + seconds(50 + 30 + 10 + 1));
    let cut_off = believed_from(&answered_with(Failure::Indeterminate));
    assert_eq!(cut_off, t0() + seconds(30 + 10 + 1));
    // A gateway's own 504, or something that is no answer, does not end the call behind it.
    let detail = "status 504".to_owned();
    for failure in [Failure::ProviderDown, Failure::Contract { detail }] {
        assert_eq!(believed_from(&answered_with(failure)), cut_off);
    }
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
    assert_eq!(wakes(&looked), (until, Some(ParkReason::RateLimited)));
    let paused = absent_after(limited(until), minutes(5));
    assert_eq!(wakes(&paused), (until, Some(ParkReason::RateLimited)));
    let expired = absent_after(Failure::TokenExpired, minutes(1));
    assert_eq!(wakes(&expired).1, Some(ParkReason::AwaitingRefresh));
    assert!(pokes(&expired, JobKind::Refresh));
    assert_eq!(auth_verdict(&expired), None);
    for (expired, looked) in [
        (expired, false),
        (
            look(&work(), &attempt(), Err(Failure::TokenExpired), t0()),
            true,
        ),
    ] {
        assert_eq!(access_ended(&expired), Some(3), "looked: {looked}");
        assert_eq!(stage(&expired), None);
    }
}

#[test]
fn absent_after_a_refusal_fails_loudly_and_judges_the_credential_only_where_that_was_refused() {
    for failure in &every_failure()[1..9] {
        let revoked = failure.ends_the_credential().then_some(AuthState::Revoked);
        let decision = absent_after(failure.clone(), minutes(1));
        assert_eq!(decision.next, Next::Done);
        assert_eq!(stage(&decision), Some(Stage::Failed));
        assert_eq!(settlement(&decision), Some(Settlement::Absent));
        assert_eq!(told(&decision), Some(("target_failed", true)));
        assert_eq!(auth_verdict(&decision), revoked);
        let siblings = Poke::ChecksOf(work().grant_id, t0() + minutes(1));
        assert_eq!(decision.pokes.contains(&siblings), revoked.is_some());
    }
}

#[test]
fn without_a_key_nothing_found_or_absent_is_believed_while_a_twin_is_in_flight() {
    let keyed = AttemptFacts {
        reference: Some("key".to_owned()),
        ..attempt()
    };
    for platform in [Platform::Facebook, Platform::Bluesky] {
        let work = but(|w| {
            w.platform = platform;
            w.twins = vec![twin(false)];
        });
        for finding in [Finding::Found(accepted()), Finding::Absent] {
            let look = |attempt: &_| resolve(&work, attempt, Ok(finding.clone()), true, later());
            assert!(!accepts(&look(&attempt())), "{platform}");
            assert_eq!(settlement(&look(&attempt())), None, "{platform}");
            // A key helps where the platform shows it.
            let told_apart = settlement(&look(&keyed)).is_some() || accepts(&look(&keyed));
            assert_eq!(told_apart, platform == Platform::Bluesky);
        }
    }
}

fn later() -> Time {
    t0() + minutes(5)
}

/// What a restored database may have forgotten: a send at `t0` plus so many seconds.
fn forgotten(after: i64) -> AttemptFacts {
    AttemptFacts {
        begun_at: t0() + seconds(after),
        forgotten: true,
        ..attempt()
    }
}

#[test]
fn forgotten_twins_are_told_apart_by_turns_the_earlier_first() {
    let forgotten_twin = |keyed| Twin {
        forgotten: true,
        ..twin(keyed)
    };
    let found = |attempt: &AttemptFacts, twin: Twin| {
        let work = but(|w| w.twins = vec![twin]);
        let found = Ok(Finding::Found(accepted()));
        accepts(&resolve(&work, attempt, found, true, later()))
    };
    assert!(found(&forgotten(-1), forgotten_twin(false)), "the earlier");
    assert!(!found(&forgotten(1), forgotten_twin(false)), "the later");
    // One of the backup's own attempts that dangles takes its turn too …
    assert!(found(&forgotten(-1), twin(false)));
    assert!(!found(&forgotten(1), twin(false)));
    // … and one with a key is never taken by its text.
    assert!(!found(&forgotten(-1), twin(true)));
}

#[test]
fn of_a_forgotten_send_nothing_is_believed_that_only_a_key_could_tell() {
    let work = but(|w| w.platform = Platform::Bluesky);
    let absent = |ended| resolve(&work, &forgotten(0), Ok(Finding::Absent), ended, later());
    assert_eq!(settlement(&absent(false)), None, "its sender may live");
    assert_eq!(settlement(&absent(true)), Some(Settlement::Absent));
}

#[test]
fn what_nobody_can_tell_ends_unconfirmed_and_loudly_never_repeated() {
    // Unsure; or absent without a key of ours, while the first sender may still live.
    for (found, ended) in [(Finding::Unsure, true), (Finding::Absent, false)] {
        let look = |looks, now| resolve(&work(), &looked(looks), Ok(found.clone()), ended, now);
        let patient = look(0, t0() + minutes(10));
        assert_eq!((settlement(&patient), stage(&patient)), (None, None));
        assert!(wakes(&patient).0.is_some());
        let end = look(59, t0() + hours(24));
        assert_eq!(settlement(&end), Some(Settlement::Unsure));
        assert_eq!(stage(&end), Some(Stage::Unconfirmed));
        assert_eq!(told(&end), Some(("target_unconfirmed", true)));
        assert_eq!(end.next, Next::Done);
    }
}

#[test]
fn what_is_not_listed_is_absent_only_where_the_platform_itself_has_refused_it() {
    let work = but(|w| w.platform = Platform::TikTok);
    for failure in every_failure() {
        let attempt = answered_with(failure.clone());
        let from = absent_from(Platform::TikTok, &attempt, &Policy::default());
        let look = |now| look(&work, &attempt, Ok(Finding::Unlisted), now);
        assert_eq!(settlement(&look(from - seconds(1))), None, "{failure}");
        let refused = the_platforms_own(&failure)
            && !["duplicate_content", "media_processing"].contains(&failure.class());
        let absent = settlement(&look(from)) == Some(Settlement::Absent);
        assert_eq!(absent, refused, "{failure}");
        if !absent {
            assert_eq!(stage(&look(from)), None, "{failure}: it is looked for");
        }
    }
    let limit = answered_with(limited(None));
    let from = absent_from(Platform::TikTok, &limit, &Policy::default());
    let again = look(&work, &limit, Ok(Finding::Unlisted), from);
    assert_eq!(wakes(&again).1, Some(ParkReason::RateLimited), "sent again");
    let silent = look(&work, &attempt(), Ok(Finding::Unlisted), later());
    assert_eq!(settlement(&silent), None, "no answer is no refusal");
}

#[test]
fn lateness_ends_only_what_is_absent_but_whose_sender_may_still_send() {
    let late = t0() + minutes(61);
    let dangling = |finding| resolve(&work(), &attempt(), finding, false, late);
    let end = dangling(Ok(Finding::Absent));
    assert_eq!(stage(&end), Some(Stage::Unconfirmed));
    for failure in every_failure() {
        assert_eq!(stage(&dangling(Err(failure.clone()))), None, "{failure}");
    }
    assert_eq!(stage(&dangling(Ok(Finding::Unsure))), None);
    assert!(accepts(&dangling(Ok(Finding::Found(accepted())))));
    let dead = look(&work(), &attempt(), Ok(Finding::Absent), late);
    assert_eq!(stage(&dead), Some(Stage::Missed), "its sender is dead");
}

#[test]
fn looks_are_counted_per_attempt_and_do_not_run_out_because_sends_were_retried() {
    let tired = but(|w| w.attempt = 60);
    for found in [Ok(Finding::Unsure), Err(Failure::ProviderDown)] {
        let decision = look(&tired, &attempt(), found.clone(), t0() + seconds(1));
        assert_eq!(stage(&decision), None);
        let end = look(&work(), &looked(59), found, t0() + seconds(1));
        assert_eq!(stage(&end), Some(Stage::Unconfirmed));
    }
}

#[test]
fn an_attempt_that_nobody_can_look_for_ends_some_time_whatever_the_reason() {
    let stuck = but(|w| {
        w.platform = Platform::Bluesky;
        w.grant.access_expires_at = Some(t0());
        w.grant.has_refresh_token = true;
        w.grant.refresh_expires_at = Some(t0() + days(90));
    });
    for failure in every_failure() {
        let patient = look(&stuck, &looked(58), Err(failure.clone()), t0() + days(30));
        assert_eq!(stage(&patient), None, "{failure}");
        assert!(wakes(&patient).0 > Some(t0() + days(30)), "{failure}");
        let end = look(&stuck, &looked(59), Err(failure.clone()), t0() + days(30));
        assert_eq!(stage(&end), Some(Stage::Unconfirmed), "{failure}");
        assert_eq!(auth_verdict(&end), None, "{failure}");
    }
}

#[test]
fn row_117_a_look_that_the_account_refuses_waits_for_the_connection_and_has_it_checked() {
    for failure in &every_failure()[1..9] {
        let answered = answered_with(failure.clone());
        let looked = look(&work(), &answered, Err(failure.clone()), t0() + seconds(12));
        assert!(pokes(&looked, JobKind::Check), "{failure}");
        assert_eq!(wakes(&looked).1, Some(ParkReason::AwaitingConnection));
        assert_eq!((settlement(&looked), stage(&looked)), (None, None));
    }
}

#[test]
fn a_limit_never_parks_a_target_beyond_its_deadline_nor_into_the_past() {
    for lateness in [0, 5, 59, 60] {
        let now = t0() + minutes(lateness);
        for until in [None, Some(t0()), Some(t0() + hours(24))] {
            let attempt = AttemptFacts {
                call_ended: Some((t0() - minutes(1), Some(limited(until)))),
                ..attempt()
            };
            let decision = look(&work(), &attempt, Ok(Finding::Absent), now);
            let (wakes, why) = wakes(&decision);
            assert_eq!(why, Some(ParkReason::RateLimited));
            assert!(
                wakes > Some(now) && wakes <= Some(t0() + minutes(61)),
                "{wakes:?}"
            );
        }
    }
}

#[test]
fn an_early_401_does_not_send_the_publish_in_circles() {
    // Bluesky calls a fresh token expired (its signing keys changed): the refresh must run, not say "not due".
    let mut bluesky = but(|w| {
        w.platform = Platform::Bluesky;
        w.grant.issued_at = t0();
        w.grant.access_expires_at = Some(t0() + hours(2));
        w.grant.has_refresh_token = true;
        w.grant.refresh_expires_at = Some(t0() + days(90));
    });
    let answered = answered_with(Failure::TokenExpired);
    let decision = look(&bluesky, &answered, Ok(Finding::Absent), t0() + minutes(1));
    assert!(pokes(&decision, JobKind::Refresh));
    assert_eq!(access_ended(&decision), Some(bluesky.grant.token_version));
    // What the store makes of it.
    bluesky.grant.access_expires_at = Some(t0() + minutes(1));
    let refresh = grant::RefreshWork {
        grant: bluesky.grant_id,
        platform: Platform::Bluesky,
        rule: Platform::Bluesky.capabilities().refresh,
        facts: bluesky.grant,
        attempt: 0,
        dangling: false,
        sender_ended: true,
        superseded: false,
    };
    let (policy, now) = (Policy::default(), t0() + minutes(1));
    let step = grant::before_refresh(&refresh, &policy, now, Jitter::of(1));
    assert_eq!(step, grant::RefreshStep::Call);
}

proptest! {
    #[test]
    fn prop_absent_is_never_believed_too_early_nor_where_the_first_sender_may_still_send(
        dangling in any_attempt(), found in any_found(), sender_ended: bool, twins in any_twins(), forgotten: bool,
        platform in prop::sample::select(Platform::ALL.to_vec()), elapsed in 0_i64..400, looks in 0_u16..70,
    ) {
        let policy = Policy::default();
        let now = t0() + seconds(elapsed);
        let reference = dangling.reference.clone().filter(|_| !forgotten);
        let attempt = AttemptFacts { reference, looks, forgotten, ..dangling };
        let work = but(|w| { w.platform = platform; w.twins = twins.clone(); });
        let decision = resolve(&work, &attempt, found.clone(), sender_ended, now);
        prop_assert!(found.is_ok() || stage(&decision) != Some(Stage::Failed));
        if settlement(&decision) == Some(Settlement::Absent) {
            let row = platform.capabilities();
            let keyed = attempt.reference.is_some();
            prop_assert_eq!(found, Ok(Finding::Absent));
            prop_assert!(keyed || twins.iter().all(|twin| !twin.keyed && (twin.forgotten || forgotten)));
            prop_assert!(keyed || sender_ended || attempt.call_ended.is_some());
            let shown = row.settle + policy.clock_margin;
            let earliest = match &attempt.call_ended {
                None => attempt.send_by + row.publish_timeout + shown,
                Some((at, Some(failure))) if the_platforms_own(failure) => *at + shown,
                Some((at, _)) => *at + row.publish_timeout + shown,
            };
            prop_assert!(now >= earliest, "{now} < {earliest}");
        }
    }
}

/// Looks again and again, each time with this answer; it must go on for about a day.
fn goes_on_for_a_day(work: &PublishWork, answer: impl Fn() -> Result<Finding, Failure>) {
    let mut now = t0() + seconds(10);
    let mut looks = 0;
    while now < t0() + hours(20) {
        let decision = look(work, &looked(looks), answer(), now);
        assert_ne!(
            stage(&decision),
            Some(Stage::Unconfirmed),
            "after {looks} looks"
        );
        now = wakes(&decision).0.expect("goes on");
        looks += 1;
    }
}

#[test]
fn looks_while_the_token_is_renewed_last_about_a_day() {
    let stuck = but(|w| {
        w.platform = Platform::Bluesky;
        w.grant.access_expires_at = Some(t0());
        w.grant.has_refresh_token = true;
        w.grant.refresh_expires_at = Some(t0() + days(90));
    });
    goes_on_for_a_day(&stuck, || Err(Failure::TokenExpired));
}

#[test]
fn looks_into_a_limit_without_an_end_last_about_a_day() {
    goes_on_for_a_day(&work(), || Err(limited(None)));
}

#[test]
fn unsure_looks_last_about_a_day() {
    goes_on_for_a_day(&work(), || Ok(Finding::Unsure));
}

#[test]
fn a_dangling_attempt_of_an_expired_grant_goes_on_being_looked_for() {
    // await_connection in the past: a look with a revoked grant after the deadline, TokenExpired & unrefreshable
    let dead = in_state(AuthState::Expired);
    let d = look(
        &dead,
        &attempt(),
        Err(Failure::TokenExpired),
        t0() + hours(5),
    );
    assert!(wakes(&d).0 > Some(t0() + hours(5)), "{d:?}");
}

#[test]
fn absent_after_expired_token_with_unrefreshable_grant_near_deadline() {
    for m in [1, 59, 60] {
        let d = absent_after(Failure::TokenExpired, minutes(m));
        assert!(wakes(&d).0 > Some(t0() + minutes(m)), "{d:?}");
    }
    let ended = but(|w| w.grant.access_expires_at = Some(t0()));
    let d = look(
        &ended,
        &answered_with(Failure::TokenExpired),
        Ok(Finding::Absent),
        t0() + minutes(1),
    );
    assert!(
        d.pokes.iter().any(|p| matches!(
            p,
            Poke::Job {
                kind: JobKind::Check,
                ..
            }
        )),
        "{d:?}"
    );
}

#[test]
fn row_050_what_was_on_its_way_when_its_connection_went_ends_unconfirmed_at_its_first_look() {
    let gone = but(|work| work.removed = true);
    let at = t0() + minutes(5);
    let decision = look(&gone, &attempt(), Err(Failure::TokenRevoked), at);
    assert_eq!(decision.next, Next::Done);
    let unconfirmed = |change: &Change| matches!(change, Change::TargetMoved { stage, .. } if *stage == Stage::Unconfirmed);
    assert!(decision.changes.iter().any(unconfirmed), "{decision:?}");
    // While somebody may look, one refusal is not the end of it.
    let decision = look(&work(), &attempt(), Err(Failure::TokenRevoked), at);
    assert!(!decision.changes.iter().any(unconfirmed), "{decision:?}");
}

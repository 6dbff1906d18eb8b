use super::*;
use crate::{
    connection::AccountFacts,
    connection::tests::{facts, now},
    grant::{AuthState, GrantFacts, GrantPast},
    id::{ConnectionId, GrantId},
    platform::Platform,
    time::{days, hours},
};

fn work(platform: Platform) -> CheckWork {
    let mut facts = facts();
    facts.paid_probe_every = platform.capabilities().paid_probe_every;
    CheckWork {
        connection: ConnectionId::mint(now(), [1; 10]),
        platform,
        grant_id: GrantId::mint(now(), [2; 10]),
        grant: GrantFacts {
            state: AuthState::Connected,
            token_version: 1,
            issued_at: now(),
            access_expires_at: Some(now() + hours(2)),
            has_refresh_token: true,
            refresh_expires_at: Some(now() + days(90)),
            refresh_begun: false,
            refresh_exhausted: false,
            probed_at: Some(now()),
        },
        past: GrantPast {
            connected_at: now(),
            flaps: 0,
            warned: None,
        },
        facts,
        health: Health::Healthy,
        name: "n".to_owned(),
        about: AccountFacts::default(),
        failed_why: None,
        next_post: None,
        attempt: 0,
    }
}

fn step(work: &CheckWork, later: chrono::TimeDelta) -> CheckStep {
    before_check(work, &Policy::default(), now() + later, Jitter::of(1))
}

#[test]
fn free_probes_are_never_spared() {
    assert_eq!(step(&work(Platform::Bluesky), hours(1)), CheckStep::Look);
}

#[test]
fn a_billed_platform_is_asked_daily_and_stays_healthy_in_between() {
    let x = work(Platform::X);
    for hour in 1..23 {
        let CheckStep::Judged(decision) = step(&x, hours(hour)) else {
            panic!("asked after {hour} hours");
        };
        assert!(
            decision.events.is_empty(),
            "nothing has changed: {decision:?}"
        );
        let [Change::ConnectionSeen { seen, health, .. }] = &decision.changes[..] else {
            panic!("{decision:?}");
        };
        assert_eq!((health.health, seen.checked_at), (Health::Healthy, now()));
    }
    assert_eq!(step(&x, hours(23)), CheckStep::Look);
}

#[test]
fn a_billed_platform_is_asked_before_a_post_once_and_while_something_is_wrong() {
    let mut x = work(Platform::X);
    x.next_post = Some(now() + hours(5));
    assert!(matches!(step(&x, hours(4)), CheckStep::Judged(_)));
    let before = hours(5) - Policy::default().preflight;
    assert_eq!(step(&x, before), CheckStep::Look);
    x.facts.checked_at = Some(now() + before);
    assert!(matches!(
        step(&x, before + minutes(1)),
        CheckStep::Judged(_)
    ));
    x.next_post = None;
    x.health = Health::Critical;
    assert_eq!(step(&x, hours(5)), CheckStep::Look);
}

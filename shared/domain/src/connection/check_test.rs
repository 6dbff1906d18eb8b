use chrono::TimeDelta;
use proptest::prelude::*;

use super::{
    super::{
        Reason,
        tests::{any_facts, facts_but, now},
    },
    *,
};
use crate::{
    decision::ParkReason,
    failure::RateScope,
    time::{days, hours, minutes},
};

/// The version of the tokens in these tests.
const PROBED: i64 = 7;

/// A connection with everything in order, last checked and used an hour ago.
fn work() -> CheckWork {
    CheckWork {
        connection: ConnectionId::mint(now(), [1; 10]),
        platform: Platform::Facebook,
        grant_id: GrantId::mint(now(), [2; 10]),
        grant: GrantFacts {
            state: AuthState::Connected,
            token_version: PROBED,
            issued_at: now() - days(1),
            access_expires_at: Some(now() + days(59)),
            has_refresh_token: false,
            refresh_expires_at: None,
            refresh_begun: false,
            refresh_exhausted: false,
            probed_at: None,
        },
        past: GrantPast {
            connected_at: now() - days(30),
            flaps: 0,
            warned: None,
        },
        facts: facts_but(|f| {
            f.checked_at = Some(now() - hours(1));
            f.used_at = Some(now() - hours(1));
        }),
        health: Health::Healthy,
        name: "Nordlicht".to_owned(),
        about: AccountFacts::default(),
        failed_why: None,
        next_post: None,
        attempt: 0,
    }
}

/// The same but for one thing.
fn but(change: impl FnOnce(&mut CheckWork)) -> CheckWork {
    let mut base = work();
    change(&mut base);
    base
}

fn check(work: &CheckWork, seen: Result<Observation, Failure>) -> Decision {
    after_check(work, seen, &Policy::default(), now(), Jitter::of(1))
}

fn seen(token: TokenSeen, state: AccountState) -> Observation {
    let name = Some("Nordlicht".to_owned());
    Observation {
        token,
        account: Some(AccountSeen::new(state, name)),
    }
}

fn alive() -> TokenSeen {
    TokenSeen::Alive {
        access_expires_at: None,
        scopes: None,
    }
}

fn dead(failure: Failure) -> Observation {
    Observation {
        token: TokenSeen::Dead(failure),
        account: None,
    }
}

fn assessment(decision: &Decision) -> Option<&Assessment> {
    decision.changes.iter().find_map(|change| match change {
        Change::ConnectionSeen { health, .. } => Some(health),
        _ => None,
    })
}

fn health_after(decision: &Decision) -> Option<Health> {
    assessment(decision).map(|assessment| assessment.health)
}

/// The verdict on the credential, if there is one; it must be about the tokens that were probed.
fn auth_verdict(decision: &Decision) -> Option<AuthState> {
    decision.changes.iter().find_map(|change| match change {
        Change::GrantState {
            token_version: v,
            state,
            ..
        } if *v == PROBED => Some(*state),
        Change::GrantState { .. } => panic!("about other tokens: {change:?}"),
        _ => None,
    })
}

/// What the check leaves on the connection's row, if it came to a conclusion.
fn left(decision: &Decision) -> Option<&ConnectionSeen> {
    decision.changes.iter().find_map(|change| match change {
        Change::ConnectionSeen { seen, .. } => Some(seen),
        _ => None,
    })
}

/// The tokens whose access token the platform called ended, if it did.
fn access_ended(decision: &Decision) -> Option<i64> {
    decision.changes.iter().find_map(|change| match change {
        Change::AccessEnded { token_version, .. } => Some(*token_version),
        _ => None,
    })
}

/// Nothing was learnt about the connection: the check only comes back, as another try and within `soon`.
fn says_nothing(decision: &Decision, soon: TimeDelta) -> bool {
    let quiet = only_the_platform_is_blamed(decision);
    let back = matches!(decision.next, Next::Retry(at) if at > now() && at <= now() + soon);
    quiet && decision.pokes.is_empty() && decision.evidence.is_empty() && back
}

/// Whether nothing is said but that a look has failed.
fn only_the_platform_is_blamed(decision: &Decision) -> bool {
    let counts = |change: &Change| matches!(change, Change::LookFailed { .. });
    let tells = |event: &Event| {
        let unsteady = "provider_unsteady".to_owned();
        match event {
            Event::ProviderChanged { .. } => true,
            Event::HealthChanged { to, reasons, .. } => {
                matches!(to, Health::Warning) && reasons.contains(&unsteady)
            }
            _ => false,
        }
    };
    decision.changes.iter().all(counts) && decision.events.iter().all(tells)
}

fn pokes(decision: &Decision, wanted: JobKind) -> bool {
    let wanted = |poke: &Poke| matches!(poke, Poke::Job { kind, .. } if *kind == wanted);
    decision.pokes.iter().any(wanted)
}

fn limited(until: Option<Time>) -> Failure {
    let scope = RateScope::App;
    Failure::RateLimited { scope, until }
}

fn transient() -> impl Strategy<Value = Failure> {
    let detail = "status 299".to_owned();
    prop::sample::select(vec![
        Failure::MediaProcessing,
        limited(None),
        limited(Some(now() + minutes(9))),
        Failure::ProviderDown,
        Failure::NotSent,
        Failure::Indeterminate,
        Failure::Contract { detail },
    ])
}

#[test]
fn row_016_a_check_compares_granted_with_required_scopes_and_names_the_missing_ones() {
    let granted = ["pages_show_list", "pages_read_engagement"];
    let token = TokenSeen::Alive {
        access_expires_at: None,
        scopes: Some(granted.map(str::to_owned).into()),
    };
    let decision = check(&work(), Ok(seen(token, AccountState::Accessible)));
    let scopes = vec!["pages_manage_posts".to_owned()];
    let judged = assessment(&decision).expect("a check leaves its health");
    assert_eq!(judged.health, Health::Critical);
    assert_eq!(judged.reasons, [Reason::ScopesMissing { scopes }]);
}

#[test]
fn a_lost_account_changes_health_with_an_event_and_not_the_credential() {
    let decision = check(&work(), Ok(seen(alive(), AccountState::Unavailable)));
    assert!(matches!(
        decision.events.as_slice(),
        [Event::HealthChanged { from: Health::Healthy, to: Health::Critical, reasons, .. }] if reasons == &["account"]
    ));
    assert_eq!(auth_verdict(&decision), None);
}

#[test]
fn a_check_that_finds_all_as_it_was_tells_nothing() {
    let decision = check(&work(), Ok(seen(alive(), AccountState::Accessible)));
    assert!(decision.events.is_empty() && decision.pokes.is_empty());
    assert_eq!(health_after(&decision), Some(Health::Healthy));
}

#[test]
fn a_renamed_account_is_noticed_once() {
    let renamed = but(|w| w.name = "Südlicht".to_owned());
    let decision = check(&renamed, Ok(seen(alive(), AccountState::Accessible)));
    assert!(matches!(
        decision.events.as_slice(),
        [Event::ConnectionRenamed { name, .. }] if name == "Nordlicht"
    ));
}

#[test]
fn a_revocation_and_a_security_event_are_believed_and_the_siblings_looked_at() {
    for failure in [Failure::TokenRevoked, Failure::SecurityEvent] {
        let decision = check(&work(), Ok(dead(failure)));
        assert_eq!(auth_verdict(&decision), Some(AuthState::Revoked));
        assert_eq!(health_after(&decision), Some(Health::Critical));
        let siblings = Poke::ChecksOf(work().grant_id, now());
        assert!(decision.pokes.contains(&siblings));
    }
}

#[test]
fn guard_09_a_verdict_that_is_known_already_wakes_nobody() {
    let known = but(|w| {
        w.grant.state = AuthState::Revoked;
        w.facts.auth_state = AuthState::Revoked;
    });
    let decision = check(&known, Ok(dead(Failure::TokenRevoked)));
    assert!(decision.pokes.is_empty());
    assert_eq!(auth_verdict(&decision), None);
    assert_eq!(health_after(&decision), Some(Health::Critical));
}

#[test]
fn an_expired_token_that_can_renew_itself_is_a_reason_to_refresh_and_no_verdict() {
    let mut work = work();
    work.facts.renews_itself = true;
    let decision = check(&work, Ok(dead(Failure::TokenExpired)));
    assert!(pokes(&decision, JobKind::Refresh));
    assert_eq!(auth_verdict(&decision), None);
    let ended = access_ended(&decision);
    assert_eq!(ended, Some(PROBED), "or the refresh would not be due");
    assert_eq!(
        left(&decision),
        None,
        "the next look, after the refresh, tells"
    );
}

#[test]
fn an_expired_token_past_its_real_end_is_expired() {
    let mut work = work();
    work.grant.access_expires_at = Some(now());
    let decision = check(&work, Ok(dead(Failure::TokenExpired)));
    assert_eq!(auth_verdict(&decision), Some(AuthState::Expired));
    assert!(!pokes(&decision, JobKind::Refresh));
}

#[test]
fn a_dead_token_while_a_refresh_is_begun_is_no_evidence_and_no_conclusion() {
    use Failure::{AccountUnavailable, Checkpoint, SecurityEvent, TokenExpired, TokenRevoked};
    let begun = but(|w| w.grant.refresh_begun = true);
    for failure in [
        TokenExpired,
        TokenRevoked,
        SecurityEvent,
        Checkpoint,
        AccountUnavailable,
    ] {
        let decision = check(&begun, Ok(dead(failure.clone())));
        assert!(says_nothing(&decision, minutes(1)), "{decision:?}");
        assert_eq!(decision.outcome, Outcome::Retry(failure));
    }
    let alive = check(&begun, Ok(seen(alive(), AccountState::Accessible)));
    assert_eq!(health_after(&alive), Some(Health::Healthy), "an answer is");
}

#[test]
fn checks_that_saw_no_evidence_leave_the_health_to_grow_stale() {
    let begun = but(|w| {
        w.grant.refresh_begun = true;
        w.facts.checked_at = Some(now() - hours(4));
    });
    let decision = check(&begun, Ok(dead(Failure::TokenRevoked)));
    assert_eq!(
        left(&decision),
        None,
        "the last conclusive check stays the old one"
    );
    let health = assess(&begun.facts, &Policy::default(), now()).health;
    assert_eq!(health, Health::Unknown);
}

#[test]
fn our_apps_own_trouble_is_no_news_about_a_connection() {
    let decision = check(&work(), Ok(dead(Failure::AppAccess)));
    assert!(says_nothing(&decision, minutes(1)), "{decision:?}");
}

#[test]
fn a_dead_token_that_no_refresh_heals_is_never_shown_healthy() {
    use Failure::{AccountUnavailable, Checkpoint, SecurityEvent, TokenExpired, TokenRevoked};
    let scopes = vec!["pages_manage_posts".to_owned()];
    let missing = Failure::ScopeMissing { scopes };
    for failure in [
        Checkpoint,
        AccountUnavailable,
        TokenRevoked,
        SecurityEvent,
        TokenExpired,
        missing,
    ] {
        let ended = but(|w| w.grant.access_expires_at = Some(now()));
        let decision = check(&ended, Ok(dead(failure.clone())));
        assert_eq!(health_after(&decision), Some(Health::Critical), "{failure}");
        assert_eq!(
            left(&decision).map(|seen| seen.used),
            Some(false),
            "{failure}"
        );
    }
}

#[test]
fn an_account_that_was_read_with_the_token_is_a_use_of_it() {
    let unused = but(|w| w.facts.used_at = Some(now() - hours(25)));
    let read = seen(TokenSeen::NotProbed, AccountState::Accessible);
    let decision = check(&unused, Ok(read));
    assert_eq!(health_after(&decision), Some(Health::Healthy));
    assert_eq!(left(&decision).map(|seen| seen.used), Some(true));
    let (token, account) = (TokenSeen::NotProbed, None);
    let decision = check(&unused, Ok(Observation { token, account }));
    assert_eq!(
        health_after(&decision),
        Some(Health::Warning),
        "nothing was read"
    );
}

#[test]
fn an_account_that_can_publish_again_wakes_the_publishes_that_wait_for_it() {
    let wake = Poke::PublishesOf(work().connection, now());
    let states = [
        AccountState::Unavailable,
        AccountState::RoleLost,
        AccountState::Checkpoint,
    ];
    for state in states {
        let barred = but(|w| w.facts.account = Some(state));
        let back = check(&barred, Ok(seen(alive(), AccountState::Accessible)));
        assert_eq!(
            back.pokes.as_slice(),
            std::slice::from_ref(&wake),
            "{state:?}"
        );
        let lost = check(&work(), Ok(seen(alive(), state)));
        assert!(lost.pokes.is_empty(), "{state:?}");
    }
}

#[test]
fn scopes_that_come_back_wake_the_publishes_that_wait_for_them() {
    let required = Platform::Facebook.capabilities().required_scopes;
    let granted = |scopes: &[&str]| {
        let token = TokenSeen::Alive {
            access_expires_at: None,
            scopes: Some(scopes.iter().map(|s| (*s).to_owned()).collect()),
        };
        let missing = but(|w| w.facts.scopes_missing = vec!["pages_manage_posts".to_owned()]);
        check(&missing, Ok(seen(token, AccountState::Accessible))).pokes
    };
    let wake = Poke::PublishesOf(work().connection, now());
    assert_eq!(granted(required), [wake]);
    assert!(granted(&required[1..]).is_empty(), "one is missing still");
}

#[test]
fn a_check_that_could_not_look_says_nothing_and_comes_back_soon() {
    let decision = check(&work(), Err(Failure::ProviderDown));
    assert!(says_nothing(&decision, minutes(1)), "{decision:?}");
}

#[test]
fn a_limited_check_waits_out_the_limit_and_never_comes_back_in_the_past() {
    let asked = now() + minutes(9);
    let parked = |until| Next::Park(Some(until), ParkReason::RateLimited);
    let next = |until| check(&work(), Err(limited(until))).next;
    assert_eq!(next(Some(asked)), parked(asked));
    assert_eq!(next(Some(now() - hours(1))), parked(now() + seconds(1)));
    let Next::Park(Some(unsaid), ParkReason::RateLimited) = next(None) else {
        panic!("{:?}", next(None))
    };
    assert!(
        unsaid >= now() + seconds(48) && unsaid <= now() + seconds(72),
        "{unsaid}"
    );
}

#[test]
fn row_015_a_check_runs_ten_minutes_before_a_post() {
    let due = now() + minutes(18);
    let next = next_check(Some(due), &Policy::default(), now(), Jitter::of(3));
    assert_eq!(next, due - minutes(10));
    let at_preflight = next_check(Some(due), &Policy::default(), next, Jitter::of(3));
    assert!(at_preflight > next, "it does not repeat itself at once");
}

proptest! {
    #[test]
    fn prop_a_transient_failure_never_changes_the_credential(
        failure in transient(), facts in any_facts(), as_token: bool, attempt in 0_u16..1_000,
    ) {
        prop_assert!(failure.is_transient());
        let work = but(|w| { w.facts = facts; w.attempt = attempt; });
        let seen = if as_token { Ok(dead(failure)) } else { Err(failure) };
        prop_assert_eq!(auth_verdict(&check(&work, seen)), None);
    }

    #[test]
    fn prop_a_check_that_could_not_look_changes_nothing_and_always_comes_back_later(
        failure in transient(), facts in any_facts(), attempt in any::<u16>(), seed: u64,
    ) {
        let work = but(|w| { w.facts = facts; w.attempt = attempt; });
        let decision = after_check(&work, Err(failure), &Policy::default(), now(), Jitter::of(seed));
        let changed = decision.changes.iter().all(|change| matches!(change, Change::LookFailed { .. }));
        prop_assert!(changed && decision.pokes.is_empty());
        let (Next::Retry(at) | Next::Park(Some(at), ParkReason::RateLimited)) = decision.next else {
            panic!("{:?}", decision.next)
        };
        prop_assert!(at > now(), "{at}");
    }

    #[test]
    fn row_013_prop_the_next_check_is_within_the_hour_or_the_quarter_and_never_past_the_preflight(
        due in prop::option::of(-120_i64..3_000), seed: u64,
    ) {
        let due = due.map(|m| now() + minutes(m));
        let next = next_check(due, &Policy::default(), now(), Jitter::of(seed));
        prop_assert!(next > now() && next <= now() + hours(1));
        if let Some(due) = due.filter(|due| *due <= now() + hours(24)) {
            prop_assert!(next <= now() + minutes(15));
            let preflight = due - minutes(10);
            prop_assert!(preflight <= now() || next <= preflight);
        }
    }
}

#[test]
fn a_dead_token_is_never_shown_healthy() {
    // as in /tmp/domain-red: a dead token that will renew itself
    let work = but(|w| w.facts.renews_itself = true);
    let decision = check(&work, Ok(dead(Failure::TokenExpired)));
    assert_ne!(health_after(&decision), Some(Health::Healthy));
}

#[test]
fn a_scope_missing_without_names_is_not_healthy() {
    let scopes = Vec::new();
    let decision = check(&work(), Ok(dead(Failure::ScopeMissing { scopes })));
    assert_ne!(health_after(&decision), Some(Health::Healthy));
}

#[test]
fn transient_as_token_is_no_conclusion() {
    let decision = check(&work(), Ok(dead(Failure::ProviderDown)));
    assert_eq!(health_after(&decision), None);
}

#[test]
fn unavailable_account_with_unprobed_token_is_no_use() {
    let unused = but(|w| w.facts.used_at = Some(now() - hours(25)));
    let read = seen(TokenSeen::NotProbed, AccountState::Unavailable);
    assert_eq!(left(&check(&unused, Ok(read))).map(|s| s.used), Some(false));
}

#[test]
fn hidden_account_back() {
    // Hidden does not bar publishing, so no wake is needed; only documents.
    let missing = but(|w| w.facts.account = Some(AccountState::Unavailable));
    let decision = check(&missing, Ok(seen(alive(), AccountState::Hidden)));
    assert!(
        decision
            .pokes
            .contains(&Poke::PublishesOf(missing.connection, now()))
    );
}

#[path = "check_rows_test.rs"]
mod rows;

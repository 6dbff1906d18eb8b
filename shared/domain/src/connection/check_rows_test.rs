//! The rows of the product about what a check sees.

use super::*;
use crate::{
    connection::{AccountKind, AccountRole, Declined, Failing, Reason},
    platform::Right,
};

fn with_scopes(granted: &[&str]) -> TokenSeen {
    TokenSeen::Alive {
        access_expires_at: None,
        scopes: Some(granted.iter().map(|one| (*one).to_owned()).collect()),
    }
}

fn told(about: AccountFacts) -> Observation {
    let name = Some("Nordlicht".to_owned());
    let state = AccountState::Accessible;
    Observation {
        token: alive(),
        account: Some(AccountSeen { state, name, about }),
    }
}

fn looks_failed(decision: &Decision) -> Option<(u16, Health)> {
    decision.changes.iter().find_map(|change| match change {
        Change::LookFailed { looks, health, .. } => Some((*looks, health.health)),
        _ => None,
    })
}

fn warned(decision: &Decision) -> Option<i32> {
    decision.changes.iter().find_map(|change| match change {
        Change::EndWarned { warned, .. } => Some(warned.days),
        _ => None,
    })
}

#[test]
fn row_011_an_unsteady_platform_is_a_warning_and_bars_nothing() {
    let first = check(&work(), Err(Failure::ProviderDown));
    assert_eq!(
        looks_failed(&first),
        Some((1, Health::Healthy)),
        "one is none"
    );
    let once = but(|w| w.facts.failed_looks = 1);
    let second = check(&once, Err(Failure::ProviderDown));
    assert_eq!(looks_failed(&second), Some((2, Health::Warning)));
    let unsteady = but(|w| {
        w.facts.failed_looks = 2;
        w.health = Health::Warning;
    });
    assert!(can_publish(&unsteady.facts), "posts go out");
    let healed = check(&unsteady, Ok(seen(alive(), AccountState::Accessible)));
    assert_eq!(health_after(&healed), Some(Health::Healthy));
}

#[test]
fn row_011_only_the_platforms_own_trouble_counts() {
    let scope = RateScope::Account;
    for failure in [
        Failure::RateLimited { scope, until: None },
        Failure::TokenExpired,
    ] {
        let counted = looks_failed(&check(&work(), Err(failure.clone())));
        assert_eq!(counted.map_or(0, |(looks, _)| looks), 0);
        let after_trouble = but(|w| {
            w.facts.failed_looks = 3;
            w.health = Health::Warning;
        });
        let answered = looks_failed(&check(&after_trouble, Err(failure)));
        assert_eq!(answered, Some((0, Health::Healthy)), "it answers again");
    }
}

/// Looks for so long, one every quarter of an hour, at a platform that fails like this; when people were told that it
/// is stuck.
fn stuck_for(span: TimeDelta, failure: &Failure) -> Vec<TimeDelta> {
    let mut work = work();
    let begun = now();
    let mut told = Vec::new();
    let mut at = begun;
    while at <= begun + span {
        let decision = after_check(
            &work,
            Err(failure.clone()),
            &Policy::default(),
            at,
            Jitter::of(1),
        );
        for event in &decision.events {
            if let Event::ConnectionStuck { since, .. } = event {
                assert_eq!(*since, begun);
                told.push(at - begun);
            }
        }
        for change in decision.changes {
            if let Change::LookFailed { looks, failing, .. } = change {
                work.facts.failed_looks = looks;
                work.facts.failing = failing;
            }
        }
        at += minutes(15);
    }
    told
}

#[test]
fn row_012_after_a_day_of_failures_or_rate_limits_it_is_told_once() {
    let limited = |scope| Failure::RateLimited { scope, until: None };
    for failure in [
        Failure::ProviderDown,
        Failure::Indeterminate,
        limited(RateScope::Account),
        limited(RateScope::App),
        limited(RateScope::Provider),
    ] {
        assert_eq!(stuck_for(hours(24) - minutes(15), &failure), []);
        assert_eq!(stuck_for(hours(60), &failure), [hours(24)], "{failure:?}");
    }
    // What is about the credential is no failure of the platform's.
    assert_eq!(stuck_for(hours(60), &Failure::TokenExpired), []);
}

#[test]
fn row_012_one_good_look_ends_the_time_of_failures() {
    let failing = but(|w| {
        w.facts.failed_looks = 9;
        w.facts.failing = Some(Failing {
            since: now() - hours(23),
            last: now() - minutes(15),
        });
    });
    let healed = check(&failing, Ok(seen(alive(), AccountState::Accessible)));
    let kept = |change: &Change| matches!(change, Change::LookFailed { .. });
    assert!(
        !healed.changes.iter().any(kept),
        "the look's facts empty it"
    );
    let answered = check(&failing, Err(Failure::TokenExpired));
    let ended = |change: &Change| matches!(change, Change::LookFailed { failing: None, .. });
    assert!(answered.changes.iter().any(ended));
}

#[test]
fn row_006_failing_looks_turn_a_stale_connection_unknown_and_say_so() {
    let stale = but(|w| w.facts.checked_at = Some(now() - hours(4)));
    let decision = check(&stale, Err(Failure::ProviderDown));
    assert!(matches!(
        decision.events.as_slice(),
        [Event::HealthChanged {
            to: Health::Unknown,
            ..
        }]
    ));
}

#[test]
fn row_018_a_platform_that_behaves_anew_is_told_once_for_each_kind() {
    let surprise = || {
        let detail = "status 299".to_owned();
        Err(Failure::Contract { detail })
    };
    let told = |work: &CheckWork, failure| {
        let events = check(work, failure).events;
        let surprises = events
            .iter()
            .filter(|event| matches!(event, Event::ProviderChanged { .. }));
        surprises.count()
    };
    assert_eq!(told(&work(), surprise()), 1);
    let known = but(|w| w.failed_why = Some("contract".to_owned()));
    assert_eq!(told(&known, surprise()), 0);
    assert_eq!(told(&known, Err(Failure::AppAccess)), 1);
    assert_eq!(told(&work(), Err(Failure::ProviderDown)), 0);
}

#[test]
fn row_003_declined_permissions_are_a_warning_that_names_them() {
    let row = Platform::Threads.capabilities();
    let threads = but(|w| w.platform = Platform::Threads);
    let decision = check(
        &threads,
        Ok(seen(
            with_scopes(row.required_scopes),
            AccountState::Accessible,
        )),
    );
    let judged = assessment(&decision).expect("a check leaves its health");
    let scopes = vec!["threads_delete".to_owned()];
    assert_eq!(judged.health, Health::Warning);
    assert_eq!(judged.reasons, [Reason::ScopesDeclined { scopes }]);
}

#[test]
fn row_039_permissions_that_are_granted_later_bring_their_right_back() {
    let declined = but(|w| {
        w.platform = Platform::Threads;
        let (scope, right) = ("threads_delete".to_owned(), Right::Delete);
        w.facts.scopes_declined = vec![Declined { scope, right }];
        w.health = Health::Warning;
    });
    let row = Platform::Threads.capabilities();
    let all = [row.required_scopes, &["threads_delete"]].concat();
    let decision = check(
        &declined,
        Ok(seen(with_scopes(&all), AccountState::Accessible)),
    );
    assert_eq!(health_after(&decision), Some(Health::Healthy));
}

#[test]
fn row_069_an_account_of_the_wrong_kind_cannot_be_published_to_until_it_changes() {
    let personal = AccountFacts {
        kind: Some(AccountKind::Personal),
        publishing: Some(Publishing::AccountKind),
        ..AccountFacts::default()
    };
    let decision = check(&work(), Ok(told(personal.clone())));
    let judged = assessment(&decision).expect("a check leaves its health");
    let why = Publishing::AccountKind;
    assert_eq!(judged.reasons, [Reason::NoPublishing { why }]);
    assert_eq!(judged.health, Health::Critical);
    let barred = but(|w| {
        w.about = personal;
        w.facts.publishing = Some(why);
        w.health = Health::Critical;
    });
    let business = AccountFacts {
        kind: Some(AccountKind::Business),
        publishing: Some(Publishing::Allowed),
        ..AccountFacts::default()
    };
    let back = check(&barred, Ok(told(business)));
    assert_eq!(health_after(&back), Some(Health::Healthy));
    let wake = Poke::PublishesOf(work().connection, now());
    assert!(back.pokes.contains(&wake));
    assert!(back.events.iter().any(|event| matches!(
        event,
        Event::AccountChanged { what, .. } if what == &["kind", "publishing"]
    )));
}

#[test]
fn row_070_an_old_way_in_is_flagged_until_the_new_permissions_are_there() {
    let instagram = but(|w| w.platform = Platform::Instagram);
    let old = with_scopes(&["user_profile", "user_media"]);
    let decision = check(&instagram, Ok(seen(old, AccountState::Accessible)));
    let judged = assessment(&decision).expect("a check leaves its health");
    let why = Publishing::OldMethod;
    assert!(judged.reasons.contains(&Reason::NoPublishing { why }));
    let flagged = but(|w| {
        w.platform = Platform::Instagram;
        w.facts.publishing = Some(why);
        w.health = Health::Critical;
    });
    let unprobed = seen(TokenSeen::NotProbed, AccountState::Accessible);
    let still = check(&flagged, Ok(unprobed));
    assert_eq!(health_after(&still), Some(Health::Critical));
    let new = with_scopes(Platform::Instagram.capabilities().required_scopes);
    let healed = check(&flagged, Ok(seen(new, AccountState::Accessible)));
    assert_eq!(health_after(&healed), Some(Health::Healthy));
}

#[test]
fn row_065_a_role_that_changed_is_told_and_what_was_not_told_stays() {
    let admin = AccountFacts {
        role: Some(AccountRole::Admin),
        avatar: Some("https://pictures.example/1".to_owned()),
        ..AccountFacts::default()
    };
    let known = but(|w| w.about = admin.clone());
    let editor = AccountFacts {
        role: Some(AccountRole::Editor),
        ..AccountFacts::default()
    };
    let decision = check(&known, Ok(told(editor)));
    let about = left(&decision).and_then(|seen| seen.about.as_ref());
    let about = about.expect("the account was seen");
    assert_eq!(about.role, Some(AccountRole::Editor));
    assert_eq!(about.avatar, admin.avatar);
    assert!(matches!(
        decision.events.as_slice(),
        [Event::AccountChanged { what, .. }] if what == &["role"]
    ));
}

#[test]
fn row_035_a_new_picture_is_stored_and_is_no_event() {
    let with = |url: &str| AccountFacts {
        avatar: Some(url.to_owned()),
        ..AccountFacts::default()
    };
    let known = but(|w| w.about = with("https://pictures.example/1?signed=1"));
    let decision = check(
        &known,
        Ok(told(with("https://pictures.example/1?signed=2"))),
    );
    assert!(decision.events.is_empty());
    let about = left(&decision).and_then(|seen| seen.about.clone());
    assert_eq!(about, Some(with("https://pictures.example/1?signed=2")));
}

#[test]
fn row_037_a_page_that_is_gone_stays_gone_until_it_can_be_reached() {
    let gone = but(|w| {
        w.facts.account = Some(AccountState::Gone);
        w.facts.auth_state = AuthState::Revoked;
        w.health = Health::Critical;
    });
    for state in [AccountState::Unavailable, AccountState::RoleLost] {
        let still = check(&gone, Ok(seen(alive(), state)));
        let account = left(&still).and_then(|seen| seen.account);
        assert_eq!(account, Some(AccountState::Gone), "{state:?}");
    }
    let back = check(&gone, Ok(seen(alive(), AccountState::Accessible)));
    assert_eq!(health_after(&back), Some(Health::Healthy));
    assert!(
        back.pokes
            .contains(&Poke::PublishesOf(work().connection, now()))
    );
}

#[test]
fn row_130_a_check_warns_of_the_end_whether_or_not_it_could_look() {
    let ending = but(|w| {
        w.platform = Platform::LinkedIn;
        w.grant.access_expires_at = Some(now() + days(10));
    });
    let looked = check(&ending, Ok(seen(alive(), AccountState::Accessible)));
    assert_eq!(warned(&looked), Some(14));
    assert_eq!(
        warned(&check(&ending, Err(Failure::ProviderDown))),
        Some(14)
    );
    let dead = check(&ending, Ok(dead(Failure::TokenRevoked)));
    assert_eq!(warned(&dead), None, "it has ended");
    let probed = TokenSeen::Alive {
        access_expires_at: Some(now() + days(50)),
        scopes: None,
    };
    let longer = check(&ending, Ok(seen(probed, AccountState::Accessible)));
    assert_eq!(warned(&longer), None, "the probe knows better");
}

#[test]
fn row_019_a_security_event_is_told_apart_from_a_revocation() {
    for (failure, class) in [
        (Failure::SecurityEvent, "security_event"),
        (Failure::TokenRevoked, "token_revoked"),
    ] {
        let decision = check(&work(), Ok(dead(failure)));
        let why = decision.changes.iter().find_map(|change| match change {
            Change::GrantState { why, .. } => Some(*why),
            _ => None,
        });
        assert_eq!(why, Some(class));
    }
}

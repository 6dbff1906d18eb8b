use proptest::prelude::*;

use super::*;
use crate::time::{days, from_ms, hours};

fn now() -> Time {
    from_ms(1_800_000_000_000)
}

fn facts(account: AccountState) -> Facts {
    Facts {
        auth_state: AuthState::Connected,
        ends_at: Some(now() + days(50)),
        renews_itself: true,
        scopes_missing: Vec::new(),
        scopes_declined: Vec::new(),
        publishing: None,
        account: Some(account),
        checked_at: Some(now()),
        used_at: Some(now()),
        refresh_exhausted: false,
        refreshing_until: None,
        failed_looks: 0,
        failing: None,
        provider: None,
        flapping: false,
        paid_probe_every: None,
    }
}

fn known(id: &str, name: &str) -> Known {
    let mut seed = [0; 10];
    for (place, byte) in seed.iter_mut().zip(id.bytes()) {
        *place = byte;
    }
    Known {
        connection: ConnectionId::mint(now(), seed),
        platform: Platform::Facebook,
        remote_id: id.to_owned(),
        name: name.to_owned(),
        facts: facts(AccountState::Accessible),
        health: Health::Healthy,
    }
}

fn live(id: &str, name: &str) -> Live {
    Live {
        platform: Platform::Facebook,
        remote_id: id.to_owned(),
        name: name.to_owned(),
        has_token: false,
        may_publish: true,
    }
}

fn work(known: Vec<Known>) -> SurveyWork {
    SurveyWork {
        grant: GrantId::mint(now(), [7; 10]),
        platform: Platform::Facebook,
        facts: GrantFacts {
            state: AuthState::Connected,
            token_version: 3,
            issued_at: now(),
            access_expires_at: Some(now() + days(60)),
            has_refresh_token: false,
            refresh_expires_at: None,
            refresh_begun: false,
            refresh_exhausted: false,
            probed_at: None,
        },
        known,
        attempt: 1,
    }
}

fn survey(work: &SurveyWork, list: Result<Vec<Live>, Failure>) -> Decision {
    after_survey(work, list, &Policy::default(), now(), Jitter::of(1))
}

/// What became of which connection.
fn fates(decision: &Decision) -> Vec<(ConnectionId, &Fate)> {
    let of = |change| match change {
        &Change::Surveyed {
            connection,
            token_version,
            ref fate,
            ..
        } => {
            assert_eq!(token_version, 3, "while these tokens are stored");
            Some((connection, fate))
        }
        _ => None,
    };
    decision.changes.iter().filter_map(of).collect()
}

fn looks_at(decision: &Decision, one: &Known) -> bool {
    let check = check_poke(one.connection, one.platform, now());
    decision.pokes.contains(&check)
}

#[test]
fn row_033_what_the_list_shows_is_kept_without_a_word() {
    let work = work(vec![known("1", "Nordlicht"), known("2", "Südlicht")]);
    let list = vec![
        live("2", "Südlicht"),
        live("1", "Nordlicht"),
        live("3", "New"),
    ];
    let decision = survey(&work, Ok(list));
    assert!(decision.changes.is_empty() && decision.events.is_empty() && decision.pokes.is_empty());
    let Next::At(next) = decision.next else {
        panic!("{:?}", decision.next)
    };
    assert!(
        next > now() + hours(20) && next <= now() + hours(24),
        "daily"
    );
}

#[test]
fn row_034_the_same_account_under_a_new_id_is_linked_again() {
    let (moved, stays) = (known("1", "Nordlicht"), known("2", "Südlicht"));
    let work = work(vec![moved.clone(), stays]);
    let list = vec![live("9", "Nordlicht"), live("2", "Südlicht")];
    let decision = survey(&work, Ok(list));
    let new_id = Fate::Relinked {
        remote_id: "9".to_owned(),
    };
    assert_eq!(fates(&decision), [(moved.connection, &new_id)]);
    assert!(
        looks_at(&decision, &moved),
        "and looked at under its new id"
    );
}

#[test]
fn row_034_a_name_that_two_share_links_nothing() {
    let twins = [known("1", "Nordlicht"), known("2", "Nordlicht")];
    let one_left = [live("9", "Nordlicht")];
    assert_eq!(
        compare(&twins, &one_left),
        [None, None],
        "which of them is it?"
    );
    let two_new = [live("8", "Nordlicht"), live("9", "Nordlicht")];
    assert_eq!(
        compare(&twins[..1], &two_new),
        [None],
        "which of them is it?"
    );
    let taken = [live("1", "Nordlicht"), live("2", "Nordlicht")];
    assert_eq!(compare(&twins, &taken), [Some(0), Some(1)], "ids tell");
    let elsewhere = [Live {
        platform: Platform::InstagramFacebook,
        ..live("1", "Nordlicht")
    }];
    assert_eq!(compare(&twins[..1], &elsewhere), [None], "another platform");
}

#[test]
fn row_033_what_is_missing_is_believed_at_the_second_look_only() {
    let gone = known("1", "Nordlicht");
    let mut work = work(vec![gone.clone(), known("2", "Südlicht")]);
    work.attempt = 0;
    let list = || Ok(vec![live("2", "Südlicht")]);
    let doubt = survey(&work, list());
    assert_eq!(doubt.next, Next::Retry(now() + minutes(1)));
    assert!(doubt.changes.is_empty() && doubt.events.is_empty());
    assert!(looks_at(&doubt, &gone), "a look at it may tell more");
    work.attempt = 1;
    let believed = survey(&work, list());
    assert!(matches!(
        fates(&believed)[..],
        [(id, Fate::Gone { health })] if id == gone.connection && health.health == Health::Critical
    ));
    assert!(matches!(
        &believed.events[..],
        [Event::HealthChanged { connection, to: Health::Critical, .. }] if *connection == gone.connection
    ));
}

#[test]
fn row_033_a_list_without_the_permission_to_read_it_says_nothing() {
    let mut blind = known("1", "Nordlicht");
    blind.facts.scopes_missing = vec!["pages_show_list".to_owned()];
    let decision = survey(&work(vec![blind]), Ok(Vec::new()));
    assert!(decision.changes.is_empty() && decision.events.is_empty());
}

#[test]
fn row_037_a_whole_profile_that_is_gone_is_one_event() {
    let work = work(vec![known("1", "Nordlicht"), known("2", "Südlicht")]);
    let decision = survey(&work, Ok(vec![live("3", "Somebody else's")]));
    assert_eq!(fates(&decision).len(), 2, "none is connected any more");
    let connections = work.known.iter().map(|one| one.connection).collect();
    let gone = Event::ProfileGone {
        grant: work.grant,
        connections,
    };
    assert_eq!(decision.events, [gone]);
}

#[test]
fn row_037_what_is_known_to_be_gone_is_not_told_again() {
    let mut gone = known("1", "Nordlicht");
    gone.facts = facts(AccountState::Gone);
    gone.health = Health::Critical;
    let mut work = work(vec![gone.clone()]);
    for attempt in [0, 1] {
        work.attempt = attempt;
        let decision = survey(&work, Ok(Vec::new()));
        assert!(decision.changes.is_empty() && decision.events.is_empty());
        assert!(matches!(decision.next, Next::At(_)), "no second look");
    }
    let back = survey(&work, Ok(vec![live("1", "Nordlicht")]));
    assert!(looks_at(&back, &gone), "a check shows it connected again");
}

#[test]
fn row_065_a_role_that_came_or_went_is_looked_at() {
    let healthy = known("1", "Nordlicht");
    let mut barred = live("1", "Nordlicht");
    barred.may_publish = false;
    let lost = survey(&work(vec![healthy.clone()]), Ok(vec![barred.clone()]));
    assert!(looks_at(&lost, &healthy));
    let mut demoted = healthy;
    demoted.facts = facts(AccountState::RoleLost);
    let still = survey(&work(vec![demoted.clone()]), Ok(vec![barred]));
    assert!(still.pokes.is_empty(), "known already");
    let back = survey(
        &work(vec![demoted.clone()]),
        Ok(vec![live("1", "Nordlicht")]),
    );
    assert!(looks_at(&back, &demoted));
}

#[test]
fn a_destinations_own_token_is_taken_from_the_list() {
    let mut with_token = live("1", "Nordlicht");
    with_token.has_token = true;
    let decision = survey(&work(vec![known("1", "Nordlicht")]), Ok(vec![with_token]));
    assert!(matches!(fates(&decision)[..], [(_, Fate::Kept)]));
}

#[test]
fn nobody_is_asked_with_a_token_that_is_dead_over_or_being_renewed() {
    let step = |change: fn(&mut SurveyWork)| {
        let mut work = work(vec![known("1", "Nordlicht")]);
        change(&mut work);
        before_survey(&work, &Policy::default(), now(), Jitter::of(1))
    };
    assert_eq!(step(|_| ()), SurveyStep::Look);
    let settled: [fn(&mut SurveyWork); 4] = [
        |w| w.facts.state = AuthState::Revoked,
        |w| w.facts.refresh_begun = true,
        |w| w.facts.access_expires_at = Some(now()),
        |w| w.known.clear(),
    ];
    for change in settled {
        assert!(matches!(step(change), SurveyStep::Settled(_)));
    }
}

#[test]
fn a_billed_platform_is_surveyed_on_demand_only() {
    let policy = Policy::default();
    assert_eq!(first_survey(Platform::X, &policy, now()), None);
    let daily = first_survey(Platform::Facebook, &policy, now());
    assert_eq!(daily, Some(now() + days(1)));
    assert_eq!(first_survey(Platform::Telegram, &policy, now()), None);
    let mut telegram = work(vec![known("1", "Nordlicht")]);
    telegram.platform = Platform::Telegram;
    let step = before_survey(&telegram, &policy, now(), Jitter::of(1));
    assert!(matches!(step, SurveyStep::Settled(_)), "it lists nothing");
    let mut x = work(vec![known("1", "Nordlicht")]);
    x.platform = Platform::X;
    let decision = survey(&x, Ok(vec![live("1", "Nordlicht")]));
    assert_eq!(decision.next, Next::Done);
}

#[test]
fn a_dead_credential_is_the_checks_to_judge() {
    let work = work(vec![known("1", "Nordlicht")]);
    let decision = survey(&work, Err(Failure::TokenRevoked));
    assert!(decision.changes.is_empty() && decision.events.is_empty());
    assert_eq!(decision.pokes, [Poke::ChecksOf(work.grant, now())]);
}

proptest! {
    #[test]
    fn row_120_prop_a_platform_that_cannot_be_asked_marks_nothing(
        attempt in 0_u16..5, count in 1_usize..4,
        failure in prop::sample::select(vec![
            Failure::ProviderDown, Failure::NotSent, Failure::Indeterminate, Failure::AppAccess,
            Failure::Contract { detail: "status 299".to_owned() },
            Failure::RateLimited { scope: crate::failure::RateScope::App, until: None },
        ]),
    ) {
        let mut work = work((0..count).map(|n| known(&n.to_string(), "Nordlicht")).collect());
        work.attempt = attempt;
        let decision = survey(&work, Err(failure));
        prop_assert!(decision.changes.is_empty() && decision.events.is_empty());
    }

    #[test]
    fn prop_no_two_connections_share_an_entry_of_the_list(
        known_names in prop::collection::vec(0_usize..3, 0..5),
        live_ids in prop::collection::btree_map(0_usize..6, 0_usize..3, 0..6),
    ) {
        let names = ["Nord", "Süd", "Ost"];
        let known: Vec<_> = known_names.iter().enumerate()
            .map(|(id, name)| known(&id.to_string(), names[*name])).collect();
        let live: Vec<_> = live_ids.iter().map(|(id, name)| live(&id.to_string(), names[*name])).collect();
        let mut taken: Vec<_> = compare(&known, &live).into_iter().flatten().collect();
        let count = taken.len();
        taken.sort_unstable();
        taken.dedup();
        prop_assert_eq!(taken.len(), count);
    }
}

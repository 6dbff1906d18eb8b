use proptest::prelude::*;

use super::*;
use crate::time::{days, from_ms, hours, minutes};

const HOUR_MS: i64 = 3_600_000;

pub(super) fn now() -> Time {
    from_ms(1_800_000_000_000)
}

/// Facts of a connection with everything in order.
pub(super) fn facts() -> Facts {
    Facts {
        auth_state: AuthState::Connected,
        ends_at: Some(now() + days(60)),
        renews_itself: false,
        scopes_missing: Vec::new(),
        scopes_declined: Vec::new(),
        publishing: None,
        account: Some(AccountState::Accessible),
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

/// The same but for one thing.
pub(super) fn facts_but(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut base = facts();
    change(&mut base);
    base
}

fn judge(facts: &Facts) -> Assessment {
    assess(facts, &Policy::default(), now())
}

fn auth_state() -> impl Strategy<Value = AuthState> {
    prop::sample::select(vec![
        AuthState::Connected,
        AuthState::Expired,
        AuthState::Revoked,
        AuthState::Error,
    ])
}

fn account_state() -> impl Strategy<Value = Option<AccountState>> {
    prop::option::of(prop::sample::select(vec![
        AccountState::Accessible,
        AccountState::Hidden,
        AccountState::RoleLost,
        AccountState::Unavailable,
        AccountState::Checkpoint,
    ]))
}

/// A moment within `reach` hours of now, or none; whole hours are likely, so that boundaries are met.
fn moment(reach: i64) -> impl Strategy<Value = Option<Time>> {
    let fine =
        (-reach * HOUR_MS..=reach * HOUR_MS).prop_map(|ms| from_ms(now().timestamp_millis() + ms));
    let whole = (-reach..=reach).prop_map(|h| now() + hours(h));
    prop::option::of(prop_oneof![fine, whole])
}

prop_compose! {
    pub(super) fn any_facts()(
        auth_state in auth_state(),
        ends_at in moment(24 * 30),
        renews_itself: bool,
        scopes_missing in prop::collection::vec("[a-z]{3}", 0..2),
        account in account_state(),
        checked_at in moment(6),
        used_at in moment(48),
        refresh_exhausted: bool,
        refreshing_until in moment(1),
        (declined, denied, failed_looks, unwell, flapping) in
            (any::<bool>(), any::<bool>(), 0_u16..4, any::<bool>(), any::<bool>()),
    ) -> Facts {
        let media = Declined { scope: "media.write".to_owned(), right: crate::platform::Right::Media };
        Facts {
            auth_state, ends_at, renews_itself, scopes_missing, account,
            checked_at, used_at, refresh_exhausted, refreshing_until, paid_probe_every: None,
            scopes_declined: declined.then_some(media).into_iter().collect(),
            publishing: denied.then_some(Publishing::AccountKind),
            failed_looks, failing: None, flapping,
            provider: unwell.then_some(ProviderVerdict::Degraded),
        }
    }
}

#[test]
fn a_connection_with_everything_in_order_is_healthy_without_reasons() {
    let judged = judge(&facts());
    assert_eq!((judged.health, judged.reasons), (Health::Healthy, vec![]));
}

#[test]
fn each_reason_alone_gives_its_health_and_nothing_else() {
    fn alone(health: Health, reason: &str, change: impl FnOnce(&mut Facts)) {
        let judged = judge(&facts_but(change));
        let codes: Vec<_> = judged.reasons.iter().map(Reason::code).collect();
        assert_eq!((judged.health, codes), (health, vec![reason]));
    }
    use Health::{Critical, Unknown, Warning};
    let (state, account) = (AuthState::Revoked, Some(AccountState::RoleLost));
    let (soon, scopes) = (now() + days(3), vec!["publish".to_owned()]);
    alone(Critical, "auth_state", |f| f.auth_state = state);
    alone(Critical, "token_ended", |f| f.ends_at = Some(now()));
    alone(Critical, "scopes_missing", |f| f.scopes_missing = scopes);
    alone(Critical, "account", |f| f.account = account);
    alone(Critical, "refresh_exhausted", |f| {
        f.refresh_exhausted = true;
    });
    alone(Critical, "no_publishing", |f| {
        f.publishing = Some(Publishing::AccountKind);
    });
    alone(Unknown, "stale", |f| f.checked_at = None);
    alone(Warning, "provider", |f| {
        f.provider = Some(ProviderVerdict::Down);
    });
    alone(Warning, "provider_unsteady", |f| f.failed_looks = 2);
    alone(Warning, "flapping", |f| f.flapping = true);
    alone(Warning, "scopes_declined", |f| {
        let (scope, right) = ("media.write".to_owned(), crate::platform::Right::Media);
        f.scopes_declined = vec![Declined { scope, right }];
    });
    alone(Warning, "ends_soon", |f| f.ends_at = Some(soon));
    alone(Warning, "unused", |f| f.used_at = None);
}

#[test]
fn row_002_healthy_needs_a_use_in_the_last_day_a_normal_platform_and_a_week_to_the_end() {
    let with = |change: fn(&mut Facts)| judge(&facts_but(change)).health;
    assert_eq!(judge(&facts()).health, Health::Healthy);
    let normal = with(|f| f.provider = Some(ProviderVerdict::Normal));
    assert_eq!(normal, Health::Healthy);
    for lacking in [
        with(|f| f.used_at = Some(now() - hours(25))),
        with(|f| f.provider = Some(ProviderVerdict::Degraded)),
        with(|f| f.ends_at = Some(now() + days(7))),
    ] {
        assert_eq!(lacking, Health::Warning);
    }
}

#[test]
fn row_004_warning_begins_exactly_seven_days_before_the_end() {
    let ms = TimeDelta::milliseconds(1);
    let at = |end| judge(&facts_but(|f| f.ends_at = Some(end))).health;
    assert_eq!(at(now() + days(7) + ms), Health::Healthy);
    assert_eq!(at(now() + days(7)), Health::Warning);
    assert_eq!(at(now() + ms), Health::Warning);
    assert_eq!(at(now()), Health::Critical, "the end itself is the end");
}

#[test]
fn an_end_that_renews_itself_is_no_warning() {
    let soon = facts_but(|f| {
        f.ends_at = Some(now() + days(3));
        f.renews_itself = true;
    });
    assert_eq!(judge(&soon).health, Health::Healthy);
}

#[test]
fn row_005_an_ended_token_a_missing_scope_and_a_broken_account_are_critical() {
    let broken = [
        facts_but(|f| f.ends_at = Some(now() - minutes(1))),
        facts_but(|f| f.auth_state = AuthState::Expired),
        facts_but(|f| f.scopes_missing = vec!["pages_manage_posts".to_owned()]),
        facts_but(|f| f.account = Some(AccountState::Unavailable)),
        facts_but(|f| f.account = Some(AccountState::Hidden)),
        facts_but(|f| f.account = Some(AccountState::Checkpoint)),
    ];
    for facts in broken {
        assert_eq!(judge(&facts).health, Health::Critical, "{facts:?}");
    }
}

#[test]
fn row_006_unknown_begins_when_the_last_conclusive_check_is_older_than_three_hours() {
    let ms = TimeDelta::milliseconds(1);
    let at = |checked| judge(&facts_but(|f| f.checked_at = checked)).health;
    assert_eq!(at(Some(now() - hours(3))), Health::Healthy);
    assert_eq!(at(Some(now() - hours(3) - ms)), Health::Unknown);
    assert_eq!(at(None), Health::Unknown, "never checked");
}

#[test]
fn a_token_unused_for_more_than_a_day_is_a_warning() {
    let ms = TimeDelta::milliseconds(1);
    let at = |used| judge(&facts_but(|f| f.used_at = Some(used))).health;
    assert_eq!(at(now() - hours(24)), Health::Healthy);
    assert_eq!(at(now() - hours(24) - ms), Health::Warning);
}

#[test]
fn row_001_an_account_that_was_never_seen_is_unknown_and_never_healthy() {
    let judged = judge(&facts_but(|f| f.account = None));
    assert_eq!(judged.health, Health::Unknown);
    assert_eq!(judged.reasons, [Reason::Stale]);
}

#[test]
fn critical_news_stay_critical_however_old_and_staleness_hides_a_warning() {
    let old = facts_but(|f| {
        f.checked_at = Some(now() - days(30));
        f.used_at = None;
    });
    assert_eq!(judge(&old).health, Health::Unknown);
    let mut revoked = old;
    revoked.auth_state = AuthState::Revoked;
    assert_eq!(judge(&revoked).health, Health::Critical);
}

#[test]
fn a_refresh_shows_over_warnings_and_staleness_but_never_hides_what_is_critical() {
    let refreshing = facts_but(|f| {
        f.refreshing_until = Some(now() + minutes(1));
        f.checked_at = None;
    });
    assert_eq!(judge(&refreshing).health, Health::Refreshing);
    let mut revoked = refreshing;
    revoked.auth_state = AuthState::Revoked;
    assert_eq!(judge(&revoked).health, Health::Critical);
}

#[test]
fn row_008_the_credential_is_connected_expired_revoked_or_error() {
    for name in ["connected", "expired", "revoked", "error"] {
        assert_eq!(AuthState::parse(name).map(AuthState::as_str), Some(name));
    }
    assert_eq!(AuthState::parse("pending"), None);
}

#[test]
fn every_stored_name_reads_itself_back() {
    for name in ["healthy", "warning", "critical", "unknown", "refreshing"] {
        assert_eq!(Health::parse(name).as_str(), name);
    }
    assert_eq!(Health::parse("splendid"), Health::Unknown);
    let states = "accessible hidden role_lost unavailable checkpoint gone";
    for name in states.split(' ') {
        let read = AccountState::parse(name);
        assert_eq!(read.map(AccountState::as_str), Some(name));
    }
}

proptest! {
    #[test]
    fn prop_assess_is_deterministic_and_its_health_is_that_of_its_strongest_reason(facts in any_facts()) {
        let judged = judge(&facts);
        prop_assert_eq!(&judged, &judge(&facts));
        let has = |health| judged.reasons.iter().any(|reason| reason.health() == health);
        let refreshing = facts.refreshing_until.is_some_and(|until| until > now());
        let expected = if has(Health::Critical) { Health::Critical }
            else if refreshing { Health::Refreshing }
            else if has(Health::Unknown) { Health::Unknown }
            else if has(Health::Warning) { Health::Warning }
            else { Health::Healthy };
        prop_assert_eq!(judged.health, expected);
    }

    #[test]
    fn prop_reasons_come_strongest_first(facts in any_facts()) {
        let strength = |reason: &Reason| match reason.health() {
            Health::Critical => 0,
            Health::Unknown => 1,
            _ => 2,
        };
        let order: Vec<_> = judge(&facts).reasons.iter().map(strength).collect();
        prop_assert!(order.is_sorted(), "{order:?}");
    }

    #[test]
    fn prop_healthy_only_with_a_valid_token_all_scopes_and_no_trouble_with_the_account(facts in any_facts()) {
        if judge(&facts).health == Health::Healthy {
            prop_assert_eq!(facts.auth_state, AuthState::Connected);
            prop_assert!(facts.ends_at.is_none_or(|end| end > now()));
            prop_assert!(facts.scopes_missing.is_empty());
            prop_assert_eq!(facts.account, Some(AccountState::Accessible));
            prop_assert!(facts.used_at.is_some_and(|at| at >= now() - hours(24)));
            prop_assert!(facts.checked_at.is_some_and(|at| at >= now() - hours(3)));
        }
    }

    #[test]
    fn row_007_prop_refreshing_never_outlives_its_lease(facts in any_facts()) {
        if judge(&facts).health == Health::Refreshing {
            let until = facts.refreshing_until.expect("refreshing has a lease");
            prop_assert!(until > now());
            let later = assess(&facts, &Policy::default(), until);
            prop_assert_ne!(later.health, Health::Refreshing);
        }
    }
}

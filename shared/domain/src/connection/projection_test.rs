use super::*;

fn of(health: Health, reasons: Vec<Reason>) -> Assessment {
    Assessment { health, reasons }
}

fn standing(auth: AuthState, assessment: &Assessment) -> Standing<'_> {
    Standing {
        removed: false,
        auth,
        assessment,
    }
}

fn missing() -> Reason {
    Reason::ScopesMissing {
        scopes: vec!["secret_scope".to_owned()],
    }
}

fn account(state: AccountState) -> Reason {
    Reason::Account { state }
}

const RESTS: [Health; 3] = [Health::Healthy, Health::Warning, Health::Unknown];

#[test]
fn row_009_green_can_publish_and_read_and_amber_needs_somebody() {
    use AccountState::{Checkpoint, Hidden, RoleLost, Unavailable};
    let state = AuthState::Expired;
    for (reason, colour, reconnect) in [
        (Reason::Auth { state }, Colour::Amber, true),
        (Reason::TokenEnded, Colour::Amber, true),
        (missing(), Colour::Amber, true),
        // Three failed refreshes change no state, and still say "please reconnect".
        (Reason::RefreshExhausted, Colour::Amber, true),
        (account(RoleLost), Colour::Amber, true),
        (account(Unavailable), Colour::Amber, false),
        (account(Checkpoint), Colour::Amber, false),
        (account(Hidden), Colour::Green, false),
        (Reason::EndsSoon, Colour::Green, false),
        (Reason::Stale, Colour::Green, false),
        (Reason::Unused, Colour::Green, false),
    ] {
        let assessment = of(Health::Critical, vec![reason.clone()]);
        let seen = standing(AuthState::Connected, &assessment);
        assert_eq!(seen.colour(), colour, "{reason:?}");
        assert_eq!(seen.needs_reconnect(), reconnect, "{reason:?}");
    }
    for health in RESTS {
        let assessment = of(health, Vec::new());
        let seen = standing(AuthState::Connected, &assessment);
        assert_eq!(seen.colour(), Colour::Green);
    }
}

#[test]
fn row_010_three_states_each_with_an_icon_of_its_own() {
    for (health, signal) in [
        (Health::Healthy, Signal::Active),
        (Health::Refreshing, Signal::Active),
        (Health::Warning, Signal::Warning),
        (Health::Unknown, Signal::Warning),
        (Health::Critical, Signal::Error),
    ] {
        let assessment = of(health, Vec::new());
        assert_eq!(standing(AuthState::Connected, &assessment).signal(), signal);
    }
    let all = [Signal::Active, Signal::Warning, Signal::Error];
    let icons: std::collections::HashSet<_> = all.iter().map(|one| one.icon()).collect();
    assert_eq!(icons.len(), 3);
}

#[test]
fn row_008_a_connection_is_connected_expired_revoked_error_or_removed() {
    let assessment = of(Health::Healthy, Vec::new());
    for auth in [
        AuthState::Connected,
        AuthState::Expired,
        AuthState::Revoked,
        AuthState::Error,
    ] {
        let mut seen = standing(auth, &assessment);
        assert_eq!(seen.auth_state(), auth.as_str());
        seen.removed = true;
        assert_eq!((seen.auth_state(), seen.health()), ("removed", "removed"));
        assert_eq!(
            (seen.colour(), seen.signal()),
            (Colour::Amber, Signal::Error)
        );
        assert!(!seen.needs_reconnect(), "nobody waits for it");
    }
}

#[test]
fn row_081_what_needs_attention_comes_first() {
    let reconnect = of(Health::Critical, vec![Reason::TokenEnded]);
    let barred = of(Health::Critical, vec![account(AccountState::Unavailable)]);
    let rest = [
        Health::Unknown,
        Health::Warning,
        Health::Refreshing,
        Health::Healthy,
    ]
    .map(|health| of(health, Vec::new()));
    let order: Vec<u8> = [&reconnect, &barred]
        .into_iter()
        .chain(&rest)
        .map(|one| standing(AuthState::Connected, one).attention())
        .collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn row_070_without_the_permission_there_is_no_publish_capability() {
    let well = of(Health::Healthy, Vec::new());
    let old = of(Health::Critical, vec![missing()]);
    let stale = of(Health::Unknown, vec![Reason::Stale]);
    let publish = |assessment, platform: Platform, granted: Option<&[String]>| {
        standing(AuthState::Connected, assessment).publish(platform, granted)
    };
    let facebook = Platform::Facebook;
    assert_eq!(
        publish(&old, facebook, Some(&[])),
        PublishCapability::None,
        "connected by an old method"
    );
    assert_eq!(publish(&well, facebook, Some(&[])), PublishCapability::Full);
    assert_eq!(publish(&well, facebook, None), PublishCapability::Full);
    assert_eq!(publish(&stale, facebook, None), PublishCapability::Unknown);
    let media = ["media.write".to_owned()];
    assert_eq!(
        publish(&well, Platform::X, Some(&[])),
        PublishCapability::TextOnly
    );
    assert_eq!(
        publish(&well, Platform::X, Some(&media)),
        PublishCapability::Full
    );
    let gone = of(Health::Critical, vec![account(AccountState::RoleLost)]);
    assert_eq!(publish(&gone, facebook, None), PublishCapability::None);
}

#[test]
fn row_083_no_text_for_everybody_names_a_permission() {
    let assessment = of(Health::Critical, vec![missing()]);
    let seen = standing(AuthState::Connected, &assessment);
    let support = support_text(&seen, Platform::Facebook, "conn_1", None);
    for text in [seen.status_text(), &support] {
        assert!(!text.contains("secret_scope"), "{text}");
    }
}

#[test]
fn row_088_support_gets_what_it_would_ask_for() {
    let assessment = of(Health::Critical, vec![Reason::TokenEnded, Reason::Stale]);
    let seen = standing(AuthState::Connected, &assessment);
    let text = support_text(&seen, Platform::Facebook, "conn_1", None);
    for part in [
        "conn_1",
        "Facebook Pages",
        "critical (connected)",
        "token_ended, stale",
        "Last check: never",
        "please reconnect",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

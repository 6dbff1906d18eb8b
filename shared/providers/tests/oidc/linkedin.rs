//! LinkedIn: introspection, a refresh token that stays, and a profile from the server's own `userinfo`.

use mooring_domain::{
    Failure,
    connection::{AccountState, TokenSeen},
};
use mooring_vault::Secret;

use crate::server::{LINKEDIN, Server, renewed};

#[tokio::test]
async fn a_connected_token_is_alive_by_introspection() {
    let Some(server) = Server::of(&LINKEDIN).await else {
        return;
    };
    let app = server.app().await;
    let (person, credentials) = server.consented(&app).await;
    let connected = server.provider.connect(credentials.clone()).await;
    let connected = connected.expect("a grant");
    let urn = format!("urn:li:person:{person}");
    assert_eq!(connected.remote_user_id, urn);
    assert_eq!(connected.destinations[0].name, format!("name of {person}"));
    assert!(connected.destinations[0].may_publish);
    assert!(server.lives(&connected.grant_token).await);

    let again = server.provider.connect(credentials).await.err();
    assert_eq!(again, Some(Failure::TokenRevoked), "a code works once");
    assert!(!server.lives(&connected.grant_token).await);
}

#[tokio::test]
async fn a_check_asks_introspection_and_believes_it() {
    let Some(server) = Server::of(&LINKEDIN).await else {
        return;
    };
    let app = server.app().await;
    let (connected, access) = server.connect(&app).await;
    let seen = server.provider.check(&access, true).await.expect("a check");
    let TokenSeen::Alive { scopes, .. } = seen.token else {
        panic!("the token lives: {:?}", seen.token)
    };
    assert_eq!(scopes, connected.scopes);
    assert_eq!(
        seen.account.map(|account| account.state),
        Some(AccountState::Accessible)
    );
    assert_eq!(server.calls(&app, "introspection").await, 1);

    let revoked = server.provider.revoke(&access).await;
    revoked.expect("given back");
    assert!(!server.lives(&access.grant_token).await);
    let refresh = access.refresh_token.as_ref().expect("a refresh token");
    assert!(!server.lives(refresh).await);
    let again = server.provider.revoke(&access).await;
    again.expect("given back twice");
    let seen = server.provider.check(&access, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenRevoked));
    let refused = server.provider.refresh(&access).await.err();
    assert_eq!(refused, Some(Failure::TokenRevoked));
}

#[tokio::test]
async fn a_refresh_token_stays_and_heals_what_has_ended() {
    let Some(server) = Server::of(&LINKEDIN).await else {
        return;
    };
    let app = server.app_with_tokens_of(2).await;
    let (_, access) = server.connect(&app).await;
    server.until_over(&access.grant_token).await;
    let seen = server.provider.check(&access, true).await.expect("a check");
    assert!(matches!(seen.token, TokenSeen::Dead(_)), "{seen:?}");

    // The same refresh token, twice: LinkedIn's rule, and this server's where it does not rotate.
    for _ in 0..2 {
        let (_, tokens) = server.provider.refresh(&access).await.expect("renewed");
        let healed = renewed(&access, &tokens);
        assert!(server.lives(&healed.grant_token).await);
        assert_eq!(
            healed.refresh_token.as_ref().map(Secret::expose),
            access.refresh_token.as_ref().map(Secret::expose),
        );
        let seen = server.provider.check(&healed, true).await.expect("a check");
        assert!(matches!(seen.token, TokenSeen::Alive { .. }), "{seen:?}");
    }
    assert_eq!(server.calls(&app, "token.refresh_token").await, 2);
}

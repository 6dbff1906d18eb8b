//! X: PKCE, and refresh tokens that work once.

use mooring_domain::{
    Failure, Platform,
    connection::TokenSeen,
    time::{hours, minutes},
};
use mooring_providers::{Access, AppCredentials, Credentials};
use mooring_vault::Secret;

use crate::server::{Server, X, parameter, renewed};

/// Asserts that the server takes neither of the tokens.
async fn assert_over(server: &Server, access: &Access, what: &str) {
    let refresh = access.refresh_token.as_ref().expect("a refresh token");
    assert!(!server.lives(&access.grant_token).await, "{what}: access");
    assert!(!server.lives(refresh).await, "{what}: refresh");
}

#[tokio::test]
async fn connecting_brings_what_was_asked_for_and_tokens_that_live() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let app = server.app().await;
    let (person, credentials) = server.consented(&app).await;
    let connected = server.provider.connect(credentials).await.expect("a grant");
    assert_eq!(connected.remote_user_id, person);
    assert_eq!(connected.destinations[0].remote_id, person);
    let row = Platform::X.capabilities();
    let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
    let mut asked: Vec<_> = row
        .required_scopes
        .iter()
        .copied()
        .chain(optional)
        .collect();
    let mut granted = connected.scopes.expect("the scopes are told");
    asked.sort_unstable();
    granted.sort_unstable();
    assert_eq!(granted, asked);
    let left = connected.access_expires_at.expect("an end") - server.clock.now();
    assert!(left > minutes(119) && left <= hours(2), "{left}");
    assert!(server.lives(&connected.grant_token).await);
    let refresh = connected.refresh_token.expect("a refresh token");
    assert!(server.lives(&refresh).await);
}

#[tokio::test]
async fn consent_without_pkce_is_refused_and_a_wrong_verifier_too() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let app = server.app().await;
    let mut page = server.page(&app).await.url;
    let bare: Vec<_> = page
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| !name.starts_with("code_challenge"))
        .collect();
    page.query_pairs_mut().clear().extend_pairs(bare);
    let back = server.browse(&page, "1").await;
    assert_eq!(
        parameter(&back, "error").as_deref(),
        Some("invalid_request")
    );
    assert_eq!(parameter(&back, "code"), None, "PKCE is demanded");

    let (_, credentials) = server.consented(&app).await;
    let verifier = "a-verifier-of-somebody-who-has-only-seen-the-code";
    let stolen = with_verifier(credentials, verifier);
    let refused = server.provider.connect(stolen).await.err();
    assert_eq!(refused, Some(Failure::TokenRevoked));
    assert_eq!(server.calls(&app, "token.authorization_code").await, 1);
}

/// The same code with another verifier.
fn with_verifier(credentials: Credentials, verifier: &str) -> Credentials {
    let Credentials::Code {
        app,
        code,
        redirect_uri,
        issuer,
        ..
    } = credentials
    else {
        panic!("consent brings a code")
    };
    Credentials::Code {
        app,
        code,
        redirect_uri,
        issuer,
        kept: Some(Secret::from(verifier)),
    }
}

#[tokio::test]
async fn a_code_works_once_and_its_second_use_ends_what_came_of_it() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let (_, credentials) = server.consented(&server.app().await).await;
    let first = server.provider.connect(credentials.clone()).await;
    let first = first.expect("a grant");
    let second = server.provider.connect(credentials).await.err();
    assert_eq!(second, Some(Failure::TokenRevoked));
    assert!(!server.lives(&first.grant_token).await);
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_second_use_ends_the_family() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let app = server.app().await;
    let (_, first) = server.connect(&app).await;
    let (news, tokens) = server.provider.refresh(&first).await.expect("renewed");
    let second = renewed(&first, &tokens);
    assert_ne!(
        first.refresh_token.as_ref().map(Secret::expose),
        second.refresh_token.as_ref().map(Secret::expose),
        "it rotates"
    );
    let left = news.access_expires_at.expect("an end") - server.clock.now();
    assert!(left > minutes(119) && left <= hours(2), "{left}");
    assert!(server.lives(&second.grant_token).await);
    let (_, tokens) = server.provider.refresh(&second).await.expect("again");
    let third = renewed(&second, &tokens);

    let replayed = server.provider.refresh(&first).await.err();
    assert_eq!(replayed, Some(Failure::TokenRevoked));
    for (access, what) in [(&first, "first"), (&second, "second"), (&third, "third")] {
        assert_over(&server, access, what).await;
    }
    let refused = server.provider.refresh(&third).await.err();
    assert_eq!(refused, Some(Failure::TokenRevoked), "the newest, too");
    let seen = server.provider.check(&third, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenExpired));
    assert_eq!(server.calls(&app, "token.refresh_token").await, 4);
}

/// Why only the holder of a grant's refresh job may refresh.
#[tokio::test]
async fn four_refreshes_at_once_cost_the_session() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let (_, access) = server.connect(&server.app().await).await;
    let refresh = || server.provider.refresh(&access);
    let (a, b, c, d) = tokio::join!(refresh(), refresh(), refresh(), refresh());
    let (mut winners, mut losers) = (Vec::new(), Vec::new());
    for answer in [a, b, c, d] {
        match answer {
            Ok((_, tokens)) => winners.push(tokens),
            Err(failure) => losers.push(failure),
        }
    }
    assert!(winners.len() <= 1, "{} won", winners.len());
    assert!(losers.iter().all(|one| *one == Failure::TokenRevoked));
    for tokens in winners {
        assert_over(&server, &renewed(&access, &tokens), "the winner").await;
    }
}

#[tokio::test]
async fn what_is_given_back_is_over() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let app = server.app().await;
    let (_, access) = server.connect(&app).await;
    let (_, other) = server.connect(&app).await;
    let revoked = server.provider.revoke(&access).await;
    revoked.expect("given back");
    assert_over(&server, &access, "given back").await;
    let again = server.provider.revoke(&access).await;
    again.expect("given back twice");
    let refused = server.provider.refresh(&access).await.err();
    assert_eq!(refused, Some(Failure::TokenRevoked));
    let seen = server.provider.check(&access, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenExpired));
    assert!(server.lives(&other.grant_token).await, "nobody else's");
    assert_eq!(server.calls(&app, "revocation").await, 2);
}

#[tokio::test]
async fn an_access_token_that_has_ended_is_healed_by_a_refresh() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let (_, access) = server.connect(&server.app_with_tokens_of(2).await).await;
    server.until_over(&access.grant_token).await;
    let seen = server.provider.check(&access, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenExpired));
    let (_, tokens) = server.provider.refresh(&access).await.expect("renewed");
    assert!(server.lives(&tokens.access).await);
}

#[tokio::test]
async fn a_wrong_secret_is_the_apps_trouble_and_ends_no_session() {
    let Some(server) = Server::of(&X).await else {
        return;
    };
    let app = server.app().await;
    let (_, access) = server.connect(&app).await;
    let mut mistaken = access.clone();
    mistaken.app = Some(AppCredentials {
        client_secret: Secret::from("a secret that was changed"),
        ..app
    });
    let refused = server.provider.refresh(&mistaken).await.err();
    assert_eq!(refused, Some(Failure::AppAccess));
    let (_, tokens) = server.provider.refresh(&access).await.expect("renewed");
    assert!(server.lives(&tokens.access).await);
}

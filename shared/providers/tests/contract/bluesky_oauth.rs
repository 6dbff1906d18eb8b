//! Bluesky's side of the suite, by OAuth.

use std::pin::Pin;

use http::Method;
use mooring_domain::{Failure, Platform};
use mooring_providers::{Access, AppCredentials, Authorize, Credentials, Provider};
use mooring_runtime::{Call, Http};
use mooring_simulator::{Admin, BlueskyGrant};
use mooring_vault::Secret;
use url::Url;

use crate::{
    arena::{Act, Declining, Scene, Shown},
    bluesky::Bluesky,
};

/// The same account, with a session of OAuth beside that of its app password.
pub(crate) struct BlueskyOAuth {
    admin: Admin,
    account: Bluesky,
    grant: BlueskyGrant,
}

impl BlueskyOAuth {
    pub(crate) fn new(admin: Admin) -> Self {
        let account = Bluesky::new(admin.clone());
        let grant = admin.grant_bluesky_oauth(&account.account());
        Self {
            admin,
            grant: grant.expect("an account"),
            account,
        }
    }

    fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.grant.client_id.clone(),
            client_secret: Secret::from(&*self.grant.client_key),
        }
    }

    fn redirect_uri() -> Url {
        Url::parse("https://mooring.example/oauth/bluesky").expect("a URL")
    }

    /// Asks, consents in a browser without the declined permissions, and comes back with a code.
    async fn consent(&self, http: &Http, provider: &dyn Provider, declined: &str) -> Credentials {
        let (app, redirect_uri) = (self.app(), Self::redirect_uri());
        let handle = self.account.handle();
        let request = Authorize {
            app: Some(&app),
            redirect_uri: &redirect_uri,
            state: "state-1",
            host: None,
            login_hint: Some(&handle),
        };
        let consent = provider.authorize(&request).await.expect("an address");
        let consent = consent.expect("a page");
        crate::arena::remember(consent.kept.iter().map(|kept| kept.expose().to_owned()));
        let call = Call::new("browser", "/oauth/authorize", Method::GET, consent.url)
            .query("decline", declined);
        let answer = http.send(call).await.expect("an answer of the page");
        let back = Url::parse(answer.header("location").expect("a redirect")).expect("a URL");
        let value = |name: &str| {
            back.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        assert_eq!(value("state").as_deref(), Some("state-1"));
        let code = Secret::from(value("code").expect("a code"));
        crate::arena::remember([code.expose().to_owned()]);
        Credentials::Code {
            app: Some(app),
            code,
            redirect_uri,
            kept: consent.kept,
            issuer: value("iss"),
        }
    }
}

impl Scene for BlueskyOAuth {
    fn platform(&self) -> Platform {
        Platform::BlueskyOAuth
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        self.account.simulated()
    }

    fn account(&self) -> String {
        self.account.account()
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.grant.access_token);
        Access {
            app: Some(self.app()),
            grant_token: token.clone(),
            token,
            refresh_token: Some(Secret::from(&*self.grant.refresh_token)),
            binding: Some(Secret::from(&*self.grant.binding)),
            ..self.account.access()
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.account(),
            remote_user_id: self.account(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        let grant = &self.grant;
        let own = [
            &grant.access_token,
            &grant.refresh_token,
            &grant.binding,
            &grant.client_key,
        ];
        let mut secrets = self.account.secrets();
        secrets.extend(own.map(|secret| secret.to_string()));
        secrets
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(self.consent(http, provider, ""))
    }

    fn wrong_credentials(&self) -> Credentials {
        Credentials::Code {
            app: Some(self.app()),
            code: Secret::from("cod-that-was-never-given"),
            redirect_uri: Self::redirect_uri(),
            kept: None,
            issuer: None,
        }
    }

    fn act(&self, act: Act) -> Shown {
        let shown = self.account.act(act);
        match act {
            // The session ends, its access token with it; that it was taken back shows at the refresh.
            Act::Revoke => Shown::Token(Failure::TokenExpired),
            Act::ChangePassword => Shown::Nowhere("a session of OAuth outlives the password"),
            Act::Checkpoint => Shown::Nowhere("a person proves it is them when consenting only"),
            _ => shown,
        }
    }

    fn too_long(&self) -> String {
        self.account.too_long()
    }

    fn declining<'a>(&'a self, http: &'a Http, provider: &'a dyn Provider) -> Declining<'a> {
        let scope = "transition:generic";
        Box::pin(async move { Ok((self.consent(http, provider, scope).await, scope.to_owned())) })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        self.account.spoil_media()
    }
}

/// A code that came back from another server than the one that was asked is shown to nobody.
#[tokio::test]
async fn a_code_of_another_server_is_not_exchanged() {
    let arena = crate::arena::Arena::new(Platform::BlueskyOAuth).await;
    let credentials = arena.scene.credentials(&arena.http, &*arena.provider).await;
    let calls = arena.admin.calls().total;
    for other in [None, Some("https://evil.example".to_owned())] {
        let mut swapped = credentials.clone();
        if let Credentials::Code { issuer, .. } = &mut swapped {
            *issuer = other;
        }
        let connected = arena.provider.connect(swapped).await;
        assert!(matches!(connected, Err(Failure::Contract { .. })));
    }
    assert_eq!(arena.admin.calls().total, calls, "nobody was asked");
    assert!(arena.provider.connect(credentials).await.is_ok());
}

/// A nonce that went out of date costs one more call and no post.
#[tokio::test]
async fn a_nonce_out_of_date_is_renewed_and_nothing_is_done_twice() {
    let arena = crate::arena::Arena::new(Platform::BlueskyOAuth).await;
    for (number, minutes) in [(0, 0), (1, 1), (2, 2), (3, 30)] {
        arena.advance(std::time::Duration::from_mins(minutes));
        let draft = arena.draft(&format!("number {number}"));
        arena.publish(&draft).await.expect("published");
        assert_eq!(arena.made(), number + 1);
    }
    let account = arena.scene.account();
    assert_eq!(arena.admin.calls_of(&account, "publish"), 4);
}

/// Tokens without the key that they are bound to are of no use to anybody.
#[tokio::test]
async fn tokens_are_worth_nothing_without_their_key() {
    let arena = crate::arena::Arena::new(Platform::BlueskyOAuth).await;
    let stranger = arena.scene.strangers_access();
    let mut stolen = arena.scene.access();
    stolen.binding = stranger.binding;
    let draft = arena.draft("with a stolen token");
    let sent = arena.provider.publish(&stolen, &draft).await;
    assert!(sent.is_err());
    assert_eq!(
        arena.provider.refresh(&stolen).await.err(),
        Some(Failure::TokenRevoked)
    );
    assert_eq!(arena.made(), 0);
}

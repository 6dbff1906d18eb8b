//! Our app at each server, consent, the token, and giving it back.

use http::Method;
use mooring_domain::{Failure, Platform};
use mooring_vault::Secret;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope, basic::BasicClient,
};
use serde_json::json;
use url::Url;

use super::{
    Mastodon, broken, map,
    wire::{Account, Kept, RegisteredApp, Token},
};
use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    provider::{Access, AppCredentials},
    wire::{Op, join},
};

/// Shown to people on the page where they consent.
const APP_NAME: &str = "Mooring";

impl Mastodon {
    /// Registers our app at the server, unless there is one, and gives the page's address. An app that is registered
    /// twice does no harm: the server forgets those that nobody uses.
    pub(super) async fn consent(&self, request: &Authorize<'_>) -> Result<Consent, Failure> {
        let host = request.host.unwrap_or(&self.base).clone();
        let app = match request.app {
            Some(app) => app.clone(),
            None => self.register(&host, request.redirect_uri).await?,
        };
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let page = join(&host, &["oauth", "authorize"])?;
        let client = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(page))
            .set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(request.state.to_owned()))
            .add_scopes(scopes().map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        let kept = Kept {
            host,
            client_id: app.client_id,
            client_secret: app.client_secret.expose().to_owned(),
            verifier: verifier.into_secret(),
        };
        let kept =
            serde_json::to_string(&kept).map_err(|_| broken("what must be kept is no JSON"))?;
        Ok(Consent {
            url,
            kept: Some(Secret::from(kept)),
        })
    }

    async fn register(&self, host: &Url, redirect_uri: &Url) -> Result<AppCredentials, Failure> {
        let call =
            self.transport
                .call("/api/v1/apps", Method::POST, host, &["api", "v1", "apps"])?;
        let body = json!({
            "client_name": APP_NAME,
            "redirect_uris": [redirect_uri.as_str()],
            "scopes": scopes().collect::<Vec<_>>().join(" "),
        });
        let call = call
            .json(&body)
            .map_err(|_| broken("a body that is no JSON"))?;
        let app: RegisteredApp = self.answer(Op::Connect, call, "registered app").await?;
        Ok(AppCredentials {
            client_id: app.client_id,
            client_secret: app.client_secret,
        })
    }

    pub(super) async fn open_grant(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Code {
            app,
            code,
            redirect_uri,
            kept,
            ..
        } = credentials
        else {
            return Err(broken("Mastodon connects with an authorization code"));
        };
        let kept: Option<Kept> = match kept {
            Some(kept) => Some(
                serde_json::from_str(kept.expose())
                    .map_err(|_| broken("what was kept cannot be read"))?,
            ),
            None => None,
        };
        let (host, verifier, app) = match kept {
            Some(kept) => {
                let app = AppCredentials {
                    client_id: kept.client_id,
                    client_secret: Secret::from(kept.client_secret),
                };
                (kept.host, Some(Secret::from(kept.verifier)), app)
            }
            None => (self.base.clone(), None, app.ok_or(Failure::AppAccess)?),
        };
        let token = self
            .token(&host, &app, &code, &redirect_uri, verifier.as_ref())
            .await?;
        let account = self
            .account(Op::Connect, &host, &token.access_token)
            .await?;
        let granted: Vec<String> = token.scope.split_whitespace().map(str::to_owned).collect();
        let life = token.expires_in.and_then(chrono::TimeDelta::try_seconds);
        Ok(Connected {
            remote_user_id: account.id.clone(),
            grant_token: token.access_token,
            refresh_token: None,
            access_expires_at: life.map(|life| self.transport.now() + life),
            refresh_expires_at: None,
            scopes: Some(granted).filter(|granted| !granted.is_empty()),
            host: Some(host),
            binding: None,
            app: Some(app),
            destinations: vec![destination(account)],
        })
    }

    /// As a form: the document speaks of JSON, too, but not every server takes it.
    async fn token(
        &self,
        host: &Url,
        app: &AppCredentials,
        code: &Secret,
        redirect_uri: &Url,
        verifier: Option<&Secret>,
    ) -> Result<Token, Failure> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("client_id", app.client_id.as_str()),
            ("client_secret", app.client_secret.expose()),
            ("redirect_uri", redirect_uri.as_str()),
        ];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier.expose())));
        let call = self
            .transport
            .call("/oauth/token", Method::POST, host, &["oauth", "token"])?;
        self.answer(Op::Connect, call.form(fields), "token").await
    }

    /// The account behind a token.
    pub(super) async fn account(
        &self,
        op: Op,
        host: &Url,
        token: &Secret,
    ) -> Result<Account, Failure> {
        let template = "/api/v1/accounts/verify_credentials";
        let segments = ["api", "v1", "accounts", "verify_credentials"];
        let call = self
            .transport
            .call(template, Method::GET, host, &segments)?;
        self.answer(op, call.bearer(token.expose()), "account")
            .await
    }

    pub(super) async fn give_back(&self, access: &Access) -> Result<(), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let host = access.host.as_ref().unwrap_or(&self.base);
        let call =
            self.transport
                .call("/oauth/revoke", Method::POST, host, &["oauth", "revoke"])?;
        let call = call.form([
            ("client_id", app.client_id.as_str()),
            ("client_secret", app.client_secret.expose()),
            ("token", access.grant_token.expose()),
        ]);
        let reply = self.transport.send(Op::Revoke, call).await?;
        if reply.is_success() {
            return Ok(());
        }
        match map::failure(Op::Revoke, &reply, self.transport.now()) {
            Failure::TokenRevoked => Ok(()),
            failure => Err(failure),
        }
    }
}

/// Everything that we ask for.
fn scopes() -> impl Iterator<Item = &'static str> {
    let row = Platform::Mastodon.capabilities();
    let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
    row.required_scopes.iter().copied().chain(optional)
}

pub(super) fn destination(account: Account) -> Destination {
    Destination {
        platform: Platform::Mastodon,
        remote_id: account.id,
        may_publish: account.suspended != Some(true) && account.moved.is_none(),
        name: account.acct,
        token: None,
    }
}

//! OAuth 2.0 with PKCE: consent, tokens, refresh, and giving back.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{Failure, Platform, Time, grant::Renewed};
use mooring_runtime::Call;
use mooring_vault::Secret;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope, basic::BasicClient,
};
use url::Url;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    client::{X, broken},
    map,
    wire::{Revoked, Tokens, User},
};
use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    provider::{Access, AppCredentials, NewTokens},
    wire::{Op, join},
};

impl X {
    /// The authorize page's address. The verifier is kept until the code comes back.
    pub(super) fn consent(&self, request: &Authorize<'_>) -> Result<Consent, Failure> {
        let app = request.app.ok_or(Failure::AppAccess)?;
        let page = join(&self.dialog, &["i", "oauth2", "authorize"])?;
        let row = Platform::X.capabilities();
        let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
        let scopes = row.required_scopes.iter().copied().chain(optional);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(page))
            .set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(request.state.to_owned()))
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Consent {
            url,
            kept: Some(Secret::from(verifier.into_secret())),
        })
    }

    /// Code → tokens → whose they are.
    pub(super) async fn open_grant(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Code {
            app: Some(app),
            code,
            redirect_uri,
            kept: Some(verifier),
            ..
        } = credentials
        else {
            return Err(broken("X connects with a code, its verifier and an app"));
        };
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.expose().to_owned()),
            ("redirect_uri", redirect_uri.to_string()),
            ("code_verifier", verifier.expose().to_owned()),
        ];
        let tokens = self.tokens(Op::Connect, None, &app, form).await?;
        let user = self.me(Op::Connect, None, &tokens.access_token).await?;
        let scopes = tokens.scopes();
        let (access_expires_at, refresh_expires_at) = self.ends(&tokens);
        Ok(Connected {
            remote_user_id: user.id.clone(),
            destinations: vec![destination(user)],
            grant_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            access_expires_at,
            refresh_expires_at,
            scopes,
            host: None,
            binding: None,
            app: None,
        })
    }

    /// A new pair for the refresh token, which works once.
    pub(super) async fn renew(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let refresh = access.refresh_token.as_ref().ok_or(Failure::TokenRevoked)?;
        let form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh.expose().to_owned()),
        ];
        let host = access.host.as_ref();
        let tokens = self.tokens(Op::Refresh, host, app, form).await?;
        let (access_expires_at, refresh_expires_at) = self.ends(&tokens);
        let renewed = Renewed {
            access_expires_at,
            refresh_expires_at,
            scopes: tokens.scopes(),
        };
        let tokens = NewTokens {
            access: tokens.access_token,
            refresh: tokens.refresh_token,
        };
        Ok((renewed, tokens))
    }

    /// Ends the consent's tokens. One that is not known any more counts as given back.
    pub(super) async fn give_back(&self, access: &Access) -> Result<(), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let (token, kind) = match &access.refresh_token {
            Some(refresh) => (refresh, "refresh_token"),
            None => (&access.grant_token, "access_token"),
        };
        let form = vec![
            ("token", token.expose().to_owned()),
            ("token_type_hint", kind.to_owned()),
        ];
        let template = "/2/oauth2/revoke";
        let path = ["2", "oauth2", "revoke"];
        let call = self.bare_call(access.host.as_ref(), template, Method::POST, &path)?;
        let reply = self
            .reply(Op::Revoke, authenticated(call, app, form))
            .await?;
        if !reply.is_success() {
            return match map::failure(Op::Revoke, &reply, self.transport.now()) {
                Failure::TokenRevoked => Ok(()),
                failure => Err(failure),
            };
        }
        let answer: Revoked = reply.read("revocation")?;
        if answer.revoked {
            Ok(())
        } else {
            Err(broken("a revocation that says it is none"))
        }
    }

    async fn tokens(
        &self,
        op: Op,
        host: Option<&Url>,
        app: &AppCredentials,
        form: Vec<(&'static str, String)>,
    ) -> Result<Tokens, Failure> {
        let path = ["2", "oauth2", "token"];
        let call = self.bare_call(host, "/2/oauth2/token", Method::POST, &path)?;
        let reply = self.reply(op, authenticated(call, app, form)).await?;
        if reply.is_success() {
            reply.read("pair of tokens")
        } else {
            Err(map::failure(op, &reply, self.transport.now()))
        }
    }

    /// When the tokens of this moment end. The answer tells the access token's life; the refresh token's is nowhere
    /// told.
    fn ends(&self, tokens: &Tokens) -> (Option<Time>, Option<Time>) {
        let now = self.transport.now();
        let row = Platform::X.capabilities();
        let told = tokens.expires_in.and_then(TimeDelta::try_seconds);
        let access = told.or(row.access_lifetime).map(|life| now + life);
        let refresh = row.refresh_lifetime.map(|life| now + life);
        (access, refresh.filter(|_| tokens.refresh_token.is_some()))
    }
}

/// A confidential app proves itself in the header; a public one (without a secret) names itself in the body.
fn authenticated(call: Call, app: &AppCredentials, mut form: Vec<(&'static str, String)>) -> Call {
    if app.client_secret.expose().is_empty() {
        form.push(("client_id", app.client_id.clone()));
        return call.form(form);
    }
    let pair = format!("{}:{}", app.client_id, app.client_secret.expose());
    call.authorization("Basic", &STANDARD.encode(pair))
        .form(form)
}

/// A user is the only destination of its tokens.
pub(super) fn destination(user: User) -> Destination {
    Destination {
        platform: Platform::X,
        remote_id: user.id,
        name: user.username,
        token: None,
        may_publish: true,
    }
}

//! The way in by OAuth (<https://atproto.com/specs/oauth>): pushed requests, PKCE, and tokens that are bound to a key.
//!
//! Facts: a request must be pushed first (RFC 9126), with PKCE (S256); each call carries a proof of possession with a
//! nonce of the server (RFC 9449); a refresh token works once, and its second use ends the whole session; the token
//! before it is over at that moment, too. Access tokens live an hour. Sessions of clients without a key of their own
//! end after two weeks, whatever is refreshed; those of clients with one last two years, if they are refreshed every
//! three months.
//!
//! A client is named by the address of its metadata. Ours has a key when its secret is a private JWK; any other secret
//! means that it has none.

mod client;
mod discover;
mod key;
mod map;
mod proof;
mod wire;

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{Failure, Platform, Time, grant::Renewed};
use mooring_runtime::Call;
use mooring_vault::Secret;
use oauth2::PkceCodeChallenge;
use serde_json::Value;
use url::Url;

pub(super) use client::client_metadata;
pub(super) use discover::Servers;
pub(super) use proof::Nonces;

use self::{
    key::Key,
    wire::{Kept, Metadata, Pushed, Tokens},
};
use super::{Bluesky, broken, jwt, same_account, wire::SessionInfo};
use crate::{
    connect::{Authorize, Connected, Consent, Destination},
    provider::{Access, AppCredentials, NewTokens},
    wire::Op,
};

/// How long a session of a client without a key lasts.
const PUBLIC_SESSION: TimeDelta = TimeDelta::days(14);

/// What came back to our redirect address.
pub(super) struct Answered<'a> {
    pub(super) app: Option<&'a AppCredentials>,
    pub(super) code: &'a Secret,
    pub(super) redirect_uri: &'a Url,
    pub(super) kept: Option<&'a Secret>,
    pub(super) issuer: Option<&'a str>,
}

impl Bluesky {
    /// Finds the account's authorization server, and tells it what will be asked.
    pub(super) async fn ask(&self, request: &Authorize<'_>) -> Result<Consent, Failure> {
        let app = request.app.ok_or(Failure::AppAccess)?;
        let host = match (request.host, request.login_hint) {
            (Some(host), _) => host.clone(),
            (None, Some(name)) => self.home_of(name).await?,
            (None, None) => self.base.clone(),
        };
        let server = self.issuer_of(Op::Connect, &host).await?;
        let key = Key::fresh(self.transport.now());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut form = self.client(app, &server)?;
        form.extend([
            ("response_type", "code".to_owned()),
            ("redirect_uri", request.redirect_uri.to_string()),
            ("scope", scopes().join(" ")),
            ("state", request.state.to_owned()),
            ("code_challenge", challenge.as_str().to_owned()),
            ("code_challenge_method", "S256".to_owned()),
        ]);
        form.extend(
            request
                .login_hint
                .map(|name| ("login_hint", name.to_owned())),
        );
        let target = server.pushed_authorization_request_endpoint.clone();
        let call = self.post("/oauth/par", target, form);
        let reply = self.send_proven(Op::Connect, call, &key, None).await?;
        let pushed: Pushed = self.read(Op::Connect, &reply, "pushed request")?;
        let mut url = server.authorization_endpoint;
        url.query_pairs_mut()
            .append_pair("client_id", &app.client_id)
            .append_pair("request_uri", &pushed.request_uri);
        let kept = Kept {
            issuer: server.issuer,
            verifier: verifier.secret().clone(),
            key: serde_json::from_str(key.to_jwk().expose()).unwrap_or(Value::Null),
        };
        Ok(Consent {
            url,
            kept: Some(kept.seal()?),
        })
    }

    /// Code → tokens → whose they are → where that account lives, and whether its server is the one that was asked.
    pub(super) async fn open_grant(&self, answered: Answered<'_>) -> Result<Connected, Failure> {
        let app = answered.app.ok_or(Failure::AppAccess)?;
        let kept = Kept::open(answered.kept)?;
        // A code of another server must not be shown to this one (RFC 9207).
        if answered.issuer != Some(kept.issuer.as_str()) {
            return Err(broken("the code came from another server than was asked"));
        }
        let key = Key::of_grant(Some(&Secret::from(kept.key.to_string())))?;
        let issuer = Url::parse(&kept.issuer).map_err(|_| broken("an issuer that is no URL"))?;
        let server = self.metadata(Op::Connect, &issuer).await?;
        let mut form = self.client(app, &server)?;
        form.extend([
            ("grant_type", "authorization_code".to_owned()),
            ("code", answered.code.expose().to_owned()),
            ("code_verifier", kept.verifier),
            ("redirect_uri", answered.redirect_uri.to_string()),
        ]);
        let tokens = self.tokens(Op::Connect, &server, form, &key).await?;
        let host = self.home(Op::Connect, &tokens.sub).await?;
        if self.issuer_of(Op::Connect, &host).await?.issuer != kept.issuer {
            return Err(broken("this server issues no tokens for that account"));
        }
        self.connected_by(app, host, tokens, &key).await
    }

    async fn connected_by(
        &self,
        app: &AppCredentials,
        host: Url,
        tokens: Tokens,
        key: &Key,
    ) -> Result<Connected, Failure> {
        let access = Access {
            app: None,
            host: Some(host.clone()),
            remote_id: tokens.sub.clone(),
            remote_user_id: tokens.sub.clone(),
            token: tokens.access_token.clone(),
            grant_token: tokens.access_token.clone(),
            refresh_token: tokens.refresh_token.clone(),
            binding: Some(key.to_jwk()),
        };
        let call = self.call(&access, Method::GET, "com.atproto.server.getSession")?;
        let session: SessionInfo = self
            .answer_as(Op::Connect, &access, call, "session")
            .await?;
        same_account(&access, &session.did)?;
        let destination = Destination {
            platform: Platform::BlueskyOAuth,
            remote_id: session.did,
            name: session.handle,
            token: None,
            may_publish: session.active.unwrap_or(true),
        };
        Ok(Connected {
            access_expires_at: self.access_end(&tokens),
            refresh_expires_at: self.refresh_end(app, key)?,
            scopes: Some(granted(&tokens)),
            remote_user_id: tokens.sub,
            grant_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            host: Some(host),
            binding: access.binding,
            app: None,
            destinations: vec![destination],
        })
    }

    /// New tokens for old. The old refresh token is spent by this, whatever becomes of the answer.
    pub(super) async fn renew_bound(
        &self,
        access: &Access,
    ) -> Result<(Renewed, NewTokens), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let refresh_token = access.refresh_token.as_ref().ok_or(Failure::TokenRevoked)?;
        let key = Key::of_grant(access.binding.as_ref())?;
        let host = access.host.as_ref().unwrap_or(&self.base);
        let server = self.issuer_of(Op::Refresh, host).await?;
        let mut form = self.client(app, &server)?;
        form.extend([
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.expose().to_owned()),
        ]);
        let tokens = self.tokens(Op::Refresh, &server, form, &key).await?;
        if tokens.sub != access.remote_user_id {
            return Err(broken("the new tokens belong to another account"));
        }
        let renewed = Renewed {
            access_expires_at: self.access_end(&tokens),
            refresh_expires_at: self.refresh_end(app, &key)?,
            scopes: Some(granted(&tokens)),
        };
        let new = NewTokens {
            access: tokens.access_token,
            refresh: tokens.refresh_token,
        };
        Ok((renewed, new))
    }

    /// Ends the session (RFC 7009). The server says nothing about a token that is none any more.
    pub(super) async fn give_back(&self, access: &Access) -> Result<(), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let key = Key::of_grant(access.binding.as_ref())?;
        let host = access.host.as_ref().unwrap_or(&self.base);
        let server = self.issuer_of(Op::Revoke, host).await?;
        let Some(target) = server.revocation_endpoint.clone() else {
            return Ok(());
        };
        let token = access.refresh_token.as_ref().unwrap_or(&access.grant_token);
        let mut form = self.client(app, &server)?;
        form.push(("token", token.expose().to_owned()));
        let call = self.post("/oauth/revoke", target, form);
        let reply = self.send_proven(Op::Revoke, call, &key, None).await?;
        if reply.is_success() {
            return Ok(());
        }
        match map::failure(Op::Revoke, &reply, self.transport.now()) {
            Failure::TokenRevoked => Ok(()),
            failure => Err(failure),
        }
    }

    async fn tokens(
        &self,
        op: Op,
        server: &Metadata,
        form: Vec<(&'static str, String)>,
        key: &Key,
    ) -> Result<Tokens, Failure> {
        let call = self.post("/oauth/token", server.token_endpoint.clone(), form);
        let reply = self.send_proven(op, call, key, None).await?;
        let tokens: Tokens = self.read(op, &reply, "token answer")?;
        if !tokens.token_type.eq_ignore_ascii_case("dpop") {
            return Err(broken("a token that is not bound to our key"));
        }
        if !granted(&tokens).iter().any(|scope| scope == "atproto") {
            return Err(broken("a token without the scope atproto"));
        }
        Ok(tokens)
    }

    fn post(&self, template: &'static str, to: Url, form: Vec<(&'static str, String)>) -> Call {
        Call::new(self.platform.as_str(), template, Method::POST, to).form(form)
    }

    fn access_end(&self, tokens: &Tokens) -> Option<Time> {
        let usual = Platform::BlueskyOAuth.capabilities().access_lifetime;
        let told = tokens.expires_in.filter(|seconds| *seconds > 0);
        let life = told.map(TimeDelta::seconds).or(usual);
        jwt::ends_at(&tokens.access_token).or(life.map(|life| self.transport.now() + life))
    }

    /// The server does not say it. A session of a client without a key keeps its end.
    fn refresh_end(&self, app: &AppCredentials, key: &Key) -> Result<Option<Time>, Failure> {
        let now = self.transport.now();
        if Key::of_client(&app.client_secret)?.is_some() {
            let life = Platform::BlueskyOAuth.capabilities().refresh_lifetime;
            return Ok(life.map(|life| now + life));
        }
        let begun = key.begun.and_then(crate::wire::unix).unwrap_or(now);
        Ok(Some(begun + PUBLIC_SESSION))
    }
}

fn scopes() -> &'static [&'static str] {
    Platform::BlueskyOAuth.capabilities().required_scopes
}

fn granted(tokens: &Tokens) -> Vec<String> {
    tokens.scope.split_whitespace().map(str::to_owned).collect()
}

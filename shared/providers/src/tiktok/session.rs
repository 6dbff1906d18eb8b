//! Consent, tokens, and giving them back.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{Failure, Platform, Time, grant::Renewed};
use mooring_vault::Secret;

use super::{
    TikTok, app, broken, map,
    wire::{Tokens, User, UserAnswer},
};
use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    provider::{Access, AppCredentials, NewTokens},
    wire::{Op, join},
};

impl TikTok {
    /// The consent's address. `client_key` and scopes with commas are TikTok's own, so no OAuth library builds it;
    /// PKCE is for apps on phones and desktops only.
    pub(super) fn consent(&self, request: &Authorize<'_>) -> Result<Consent, Failure> {
        let app = request.app.ok_or(Failure::AppAccess)?;
        let mut url = join(&self.dialog, &["v2", "auth", "authorize", ""])?;
        let scopes = Platform::TikTok.capabilities().required_scopes.join(",");
        url.query_pairs_mut()
            .append_pair("client_key", &app.client_id)
            .append_pair("response_type", "code")
            .append_pair("scope", &scopes)
            .append_pair("redirect_uri", request.redirect_uri.as_str())
            .append_pair("state", request.state)
            // Without it a creator who is logged in is connected unasked, and it may be the wrong one.
            .append_pair("disable_auto_auth", "1");
        Ok(Consent { url, kept: None })
    }

    pub(super) async fn open_grant(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Code {
            app,
            code,
            redirect_uri,
            ..
        } = credentials
        else {
            return Err(broken("TikTok connects with an authorization code"));
        };
        let app = app.ok_or(Failure::AppAccess)?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri.as_str()),
        ];
        let tokens = self.tokens(Op::Connect, &app, &fields).await?;
        let scopes = scopes(&tokens.scope);
        let allowed = scopes.iter().any(|scope| scope == "video.publish");
        let user = self.user(Op::Connect, &tokens.access_token).await?;
        if user.open_id != tokens.open_id {
            return Err(broken("the token belongs to another account"));
        }
        let may_publish = allowed && self.is_offered(&tokens.access_token).await;
        let (access_expires_at, refresh_expires_at) = self.ends(&tokens);
        Ok(Connected {
            destinations: vec![destination(&user, may_publish)],
            remote_user_id: tokens.open_id,
            grant_token: tokens.access_token,
            refresh_token: Some(tokens.refresh_token),
            access_expires_at,
            refresh_expires_at,
            scopes: Some(scopes),
            host: None,
            binding: None,
            app: None,
        })
    }

    /// Whether the account is offered posting at all. TikTok tells neither the kind of an account nor where it is; whom it
    /// lets choose no audience, and whom it has barred, it offers nothing. Any other trouble bars nobody: the look after
    /// connecting tells.
    async fn is_offered(&self, token: &Secret) -> bool {
        match self.creator(Op::Connect, token).await {
            Ok(creator) => !creator.privacy_level_options.is_empty(),
            Err(failure) => failure != Failure::AccountUnavailable,
        }
    }

    pub(super) async fn renew(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let refresh_token = access.refresh_token.as_ref().ok_or(Failure::TokenRevoked)?;
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ];
        let tokens = self.tokens(Op::Refresh, app(access)?, &fields).await?;
        if tokens.open_id != access.remote_user_id {
            return Err(broken("the tokens belong to another account"));
        }
        let (access_expires_at, refresh_expires_at) = self.ends(&tokens);
        let renewed = Renewed {
            access_expires_at,
            refresh_expires_at,
            scopes: Some(scopes(&tokens.scope)),
        };
        let new = NewTokens {
            access: tokens.access_token,
            // The one that was sent comes back where TikTok keeps it.
            refresh: Some(tokens.refresh_token).filter(|new| new != refresh_token),
        };
        Ok((renewed, new))
    }

    pub(super) async fn give_back(&self, access: &Access) -> Result<(), Failure> {
        let app = app(access)?;
        let call = self.open_call("/v2/oauth/revoke/", Method::POST)?.form([
            ("client_key", app.client_id.as_str()),
            ("client_secret", app.client_secret.expose()),
            ("token", access.grant_token.expose()),
        ]);
        let reply = self.transport.send(Op::Revoke, call).await?;
        if reply.is_success() && map::code(&reply).is_none() {
            return Ok(());
        }
        match map::failure(Op::Revoke, &reply, self.transport.now()) {
            Failure::TokenRevoked => Ok(()),
            failure => Err(failure),
        }
    }

    /// Whose token it is.
    pub(super) async fn user(&self, op: Op, token: &Secret) -> Result<User, Failure> {
        let call = self.call("/v2/user/info/", Method::GET, token)?;
        let call = call.query("fields", "open_id,display_name");
        self.data::<UserAnswer>(op, call, "user")
            .await
            .map(|answer| answer.user)
    }

    /// An error may come with 200, so it is looked for before the tokens are.
    async fn tokens(
        &self,
        op: Op,
        app: &AppCredentials,
        fields: &[(&str, &str)],
    ) -> Result<Tokens, Failure> {
        let client = [
            ("client_key", app.client_id.as_str()),
            ("client_secret", app.client_secret.expose()),
        ];
        let call = self.open_call("/v2/oauth/token/", Method::POST)?;
        let call = call.form(client.into_iter().chain(fields.iter().copied()));
        let reply = self.transport.send(op, call).await?;
        if !reply.is_success() || map::code(&reply).is_some() {
            return Err(map::failure(op, &reply, self.transport.now()));
        }
        reply.read("set of tokens")
    }

    fn ends(&self, tokens: &Tokens) -> (Option<Time>, Option<Time>) {
        let end = |seconds: i64| {
            let life = TimeDelta::try_seconds(seconds).filter(|life| *life > TimeDelta::zero());
            life.map(|life| self.transport.now() + life)
        };
        (end(tokens.expires_in), end(tokens.refresh_expires_in))
    }
}

pub(super) fn destination(user: &User, may_publish: bool) -> Destination {
    let name = Some(user.display_name.clone()).filter(|name| !name.is_empty());
    Destination {
        platform: Platform::TikTok,
        remote_id: user.open_id.clone(),
        name: name.unwrap_or_else(|| user.open_id.clone()),
        token: None,
        may_publish,
    }
}

fn scopes(text: &str) -> Vec<String> {
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

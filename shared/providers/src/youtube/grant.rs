//! Google's consent and tokens.

use mooring_domain::{Failure, Platform, grant::Renewed};
use mooring_vault::Secret;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope, basic::BasicClient,
};
use url::Url;

use super::{
    client::Youtube,
    map,
    wire::{Channel, TokenAnswer},
};
use crate::{
    connect::{Authorize, Connected, Consent, Destination},
    provider::{Access, AppCredentials, NewTokens},
    wire::{Op, join},
};

impl Youtube {
    /// The consent's address. `access_type=offline` with `prompt=consent`, because without the prompt a person who
    /// consented before gets no refresh token. What is kept is the PKCE verifier.
    pub(super) fn consent(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        let app = request.app.ok_or(Failure::AppAccess)?;
        let dialog = join(&self.dialog, &["o", "oauth2", "v2", "auth"])?;
        let row = Platform::YouTube.capabilities();
        let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
        let scopes = row.required_scopes.iter().copied().chain(optional);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(dialog))
            .set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let mut asked = client
            .authorize_url(|| CsrfToken::new(request.state.to_owned()))
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("access_type", "offline")
            .add_extra_param("prompt", "consent");
        if let Some(hint) = request.login_hint {
            asked = asked.add_extra_param("login_hint", hint);
        }
        let (url, _) = asked.url();
        Ok(Some(Consent {
            url,
            kept: Some(Secret::from(verifier.secret().as_str())),
        }))
    }

    /// Code → tokens → the channel that the person chose.
    pub(super) async fn open_grant(
        &self,
        app: &AppCredentials,
        code: &Secret,
        redirect_uri: &Url,
        verifier: Option<&Secret>,
    ) -> Result<Connected, Failure> {
        let call = self.form(
            "/token",
            "token",
            [
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", redirect_uri.as_str()),
                ("client_id", &app.client_id),
                ("client_secret", app.client_secret.expose()),
                ("code_verifier", verifier.map_or("", |one| one.expose())),
            ],
        )?;
        let now = self.transport.now();
        let answer: TokenAnswer = self.answer(Op::Connect, call, "token").await?;
        let access = Access {
            app: None,
            host: None,
            remote_id: String::new(),
            remote_user_id: String::new(),
            token: answer.access_token.clone(),
            grant_token: answer.access_token.clone(),
            refresh_token: None,
            binding: None,
        };
        let channel = self.own_channel(Op::Connect, &access).await?;
        let channel = channel.ok_or(Failure::AccountUnavailable)?;
        let scopes = answer.scopes();
        Ok(Connected {
            // A grant is for one channel, whoever of its managers gave it.
            remote_user_id: channel.id.clone(),
            access_expires_at: TokenAnswer::end(now, answer.expires_in),
            refresh_expires_at: TokenAnswer::end(now, answer.refresh_token_expires_in),
            destinations: vec![destination(channel, scopes.as_deref())],
            scopes,
            grant_token: answer.access_token,
            refresh_token: answer.refresh_token,
            host: None,
            binding: None,
            app: None,
        })
    }

    /// A new access token. The refresh token stays, so that a repetition does no harm.
    pub(super) async fn renew(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let refresh = access.refresh_token.as_ref().ok_or(Failure::TokenExpired)?;
        let call = self.form(
            "/token",
            "token",
            [
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.expose()),
                ("client_id", &app.client_id),
                ("client_secret", app.client_secret.expose()),
            ],
        )?;
        let now = self.transport.now();
        let answer: TokenAnswer = self.answer(Op::Refresh, call, "token").await?;
        let renewed = Renewed {
            access_expires_at: TokenAnswer::end(now, answer.expires_in),
            refresh_expires_at: TokenAnswer::end(now, answer.refresh_token_expires_in),
            scopes: answer.scopes(),
        };
        let tokens = NewTokens {
            access: answer.access_token,
            refresh: answer.refresh_token,
        };
        Ok((renewed, tokens))
    }

    /// Ends the person's consent to the whole project: every grant of theirs to this app.
    pub(super) async fn give_back(&self, access: &Access) -> Result<(), Failure> {
        let token = access.refresh_token.as_ref().unwrap_or(&access.grant_token);
        let call = self.form("/revoke", "revoke", [("token", token.expose())])?;
        let reply = self.transport.send(Op::Revoke, call).await?;
        if map::is_revoked_already(&reply) {
            return Ok(());
        }
        self.read::<serde_json::Value>(Op::Revoke, &reply, "revocation")
            .map(drop)
    }

    /// What the token says about itself; costs no quota.
    pub(super) async fn token_info(
        &self,
        access: &Access,
    ) -> Result<super::wire::TokenInfo, Failure> {
        let fields = [("access_token", access.grant_token.expose())];
        let call = self.form("/tokeninfo", "tokeninfo", fields)?;
        self.answer(Op::Check, call, "token description").await
    }

    pub(super) async fn reachable(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let channel = self.own_channel(Op::Connect, access).await?;
        Ok(channel
            .map(|channel| destination(channel, None))
            .into_iter()
            .collect())
    }
}

/// A channel as a destination. Without the scope of uploads nothing can be published there.
fn destination(channel: Channel, granted: Option<&[String]>) -> Destination {
    let uploads = Platform::YouTube.capabilities().required_scopes[0];
    let may_upload = granted.is_none_or(|scopes| scopes.iter().any(|scope| scope == uploads));
    let title = channel.snippet.title;
    Destination {
        platform: Platform::YouTube,
        name: if title.is_empty() {
            channel.id.clone()
        } else {
            title
        },
        may_publish: may_upload && channel.status.is_linked != Some(false),
        remote_id: channel.id,
        token: None,
    }
}

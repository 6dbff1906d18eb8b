//! Tokens: introspection, refresh, giving back.

use mooring_domain::{Failure, connection::TokenSeen, grant::Renewed};
use mooring_runtime::Call;
use mooring_vault::Secret;
use url::Url;

use super::{
    client::LinkedIn,
    map,
    wire::{Introspection, TokenAnswer, scopes},
};
use crate::{
    provider::{Access, AppCredentials, NewTokens},
    wire::{Op, unix},
};

impl LinkedIn {
    /// What the platform says about a token, at the price of no permission.
    pub(super) async fn introspect(
        &self,
        host: Option<&Url>,
        app: &AppCredentials,
        token: &Secret,
    ) -> Result<Introspection, Failure> {
        let call = self.oauth(host, "/oauth/v2/introspectToken", "introspectToken");
        let call = call.form(with_app(app, [("token", token.expose())]));
        self.answer(Op::Check, call, "token description").await
    }

    /// The grant's token, as introspection sees it.
    pub(super) async fn probe(
        &self,
        access: &Access,
        app: &AppCredentials,
    ) -> Result<TokenSeen, Failure> {
        let host = access.host.as_ref();
        let seen = self.introspect(host, app, &access.grant_token).await;
        match seen {
            Ok(seen) if seen.active => Ok(TokenSeen::Alive {
                access_expires_at: seen.expires_at.and_then(unix),
                scopes: scopes(seen.scope.as_deref()),
            }),
            Ok(seen) => Ok(TokenSeen::Dead(map::dead_token(&seen))),
            Err(failure) if failure.ends_the_credential() => Ok(TokenSeen::Dead(failure)),
            Err(failure) => Err(failure),
        }
    }

    /// A new access token. The refresh token stays, and so does its end.
    pub(super) async fn renew(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let spent = access.refresh_token.as_ref().ok_or(Failure::TokenExpired)?;
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", spent.expose()),
        ];
        let call = self.token_call(access.host.as_ref(), app, fields);
        let answer: TokenAnswer = match self.answer(Op::Refresh, call, "token").await {
            Ok(answer) => answer,
            Err(Failure::TokenRevoked) => return Err(self.end_of(access, app, spent).await),
            Err(failure) => return Err(failure),
        };
        let now = self.transport.now();
        let after = |seconds: Option<i64>| {
            let seconds = seconds.filter(|seconds| *seconds > 0);
            seconds.map(|seconds| now + chrono::TimeDelta::seconds(seconds))
        };
        let usual = self.platform.capabilities().access_lifetime;
        let renewed = Renewed {
            access_expires_at: after(answer.expires_in).or(usual.map(|life| now + life)),
            refresh_expires_at: after(answer.refresh_token_expires_in),
            scopes: scopes(answer.scope.as_deref()),
        };
        let tokens = NewTokens {
            access: answer.access_token,
            refresh: answer.refresh_token,
        };
        Ok((renewed, tokens))
    }

    /// Why a refresh token is refused: its answer does not say, introspection may.
    async fn end_of(&self, access: &Access, app: &AppCredentials, spent: &Secret) -> Failure {
        match self.introspect(access.host.as_ref(), app, spent).await {
            Ok(seen) if !seen.active => map::dead_token(&seen),
            _ => Failure::TokenRevoked,
        }
    }

    /// Revokes the refresh token, which takes the access tokens along, and the access token for its own sake.
    pub(super) async fn give_back(&self, access: &Access) -> Result<(), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let tokens = access.refresh_token.iter().chain([&access.grant_token]);
        for token in tokens {
            let call = self.oauth(access.host.as_ref(), "/oauth/v2/revoke", "revoke");
            let call = call.form(with_app(app, [("token", token.expose())]));
            let reply = self.reply(Op::Revoke, call).await?;
            if reply.is_success() {
                continue;
            }
            match self.failure(Op::Revoke, &reply) {
                failure if failure.ends_the_credential() => {}
                failure => return Err(failure),
            }
        }
        Ok(())
    }

    /// A call of the token endpoint.
    pub(super) fn token_call<'a>(
        &self,
        host: Option<&Url>,
        app: &'a AppCredentials,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Call {
        let call = self.oauth(host, "/oauth/v2/accessToken", "accessToken");
        call.form(with_app(app, fields))
    }
}

/// The fields, and who we are: LinkedIn takes the app's credentials in the form.
fn with_app<'a>(
    app: &'a AppCredentials,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, String)> {
    let own = [
        ("client_id", app.client_id.as_str()),
        ("client_secret", app.client_secret.expose()),
    ];
    let all = fields.into_iter().chain(own);
    all.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

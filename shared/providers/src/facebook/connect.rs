//! Facebook Login: the dialog's address, the code, and the pages behind it.

use http::Method;
use mooring_domain::{Failure, Platform, Time};
use mooring_vault::Secret;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope, basic::BasicClient};
use url::Url;

use super::{
    client::{Facebook, signed},
    map,
    wire::{Account, DebugAnswer, DebugToken, List, NextPart, TokenAnswer},
};
use crate::{
    connect::{Connected, Destination},
    provider::AppCredentials,
    wire::{Op, join, unix},
};

/// Most parts of a list of pages that are read, 100 pages each.
pub(super) const PARTS: usize = 20;

impl Facebook {
    /// The log-in dialog's address. PKCE is not part of the documented flow, so the secret and `state` protect it.
    pub(super) fn dialog_url(
        &self,
        app: &AppCredentials,
        redirect_uri: &Url,
        state: &str,
    ) -> Option<Url> {
        let dialog = join(&self.dialog, &[&self.version, "dialog", "oauth"]).ok()?;
        let scopes = Platform::Facebook.capabilities().required_scopes.iter();
        let client = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(dialog))
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_scopes(scopes.map(|scope| Scope::new((*scope).to_owned())))
            .url();
        Some(url)
    }

    /// Code → short-lived token → long-lived token → what it is and where it reaches.
    pub(super) async fn open_grant(
        &self,
        app: &AppCredentials,
        code: &Secret,
        redirect_uri: &Url,
    ) -> Result<Connected, Failure> {
        let call = self
            .token_call(None, app)?
            .query("redirect_uri", redirect_uri.as_str());
        let short: TokenAnswer = self
            .answer(Op::Connect, call.query("code", code.expose()), "token")
            .await?;
        let (ends, token) = self
            .exchange(Op::Connect, None, app, &short.access_token)
            .await?;
        let debug = self.debug_token(Op::Connect, None, app, &token).await?;
        if !debug.is_valid {
            return Err(map::dead_token(debug.error.as_ref()));
        }
        let user = debug.user_id.ok_or_else(|| Failure::Contract {
            detail: "a token without a user".to_owned(),
        })?;
        Ok(Connected {
            destinations: self.pages(app, &token).await?,
            remote_user_id: user,
            grant_token: token,
            refresh_token: None,
            access_expires_at: debug.expires_at.and_then(unix).or(ends),
            refresh_expires_at: None,
            scopes: Some(debug.scopes),
            host: None,
            binding: None,
            app: None,
        })
    }

    /// A long-lived token for one that still lives, with its end. Repeatable: the old one keeps its own end.
    ///
    /// The documented form is a GET with the secrets in its query; no query of ours is ever logged.
    pub(super) async fn exchange(
        &self,
        op: Op,
        host: Option<&Url>,
        app: &AppCredentials,
        token: &Secret,
    ) -> Result<(Option<Time>, Secret), Failure> {
        let call = self.token_call(host, app)?;
        let call = call
            .query("grant_type", "fb_exchange_token")
            .query("fb_exchange_token", token.expose());
        let answer: TokenAnswer = self.answer(op, call, "token").await?;
        // Without `expires_in` the documented life of a long-lived token is assumed; the next probe corrects it.
        let usual = Platform::Facebook.capabilities().access_lifetime;
        let life = answer
            .expires_in
            .filter(|seconds| *seconds > 0)
            .map(chrono::TimeDelta::seconds)
            .or(usual);
        Ok((
            life.map(|life| self.transport.now() + life),
            answer.access_token,
        ))
    }

    /// What the platform says about a token. `input_token` is in the query, which nobody logs.
    pub(super) async fn debug_token(
        &self,
        op: Op,
        host: Option<&Url>,
        app: &AppCredentials,
        token: &Secret,
    ) -> Result<DebugToken, Failure> {
        let app_token = Secret::from(format!("{}|{}", app.client_id, app.client_secret.expose()));
        let call = self.call(host, "/debug_token", Method::GET, &["debug_token"])?;
        let call = call
            .bearer(app_token.expose())
            .query("input_token", token.expose());
        let answer: Result<DebugAnswer, Failure> = self.answer(op, call, "token description").await;
        // What is refused here is the app's token, never the one that was asked about.
        answer
            .map(|answer| answer.data)
            .map_err(|failure| match failure {
                failure if failure.ends_the_credential() => Failure::AppAccess,
                failure => failure,
            })
    }

    fn token_call(
        &self,
        host: Option<&Url>,
        app: &AppCredentials,
    ) -> Result<mooring_runtime::Call, Failure> {
        let call = self.call(
            host,
            "/oauth/access_token",
            Method::GET,
            &["oauth", "access_token"],
        )?;
        Ok(call
            .query("client_id", &app.client_id)
            .query("client_secret", app.client_secret.expose()))
    }

    pub(super) async fn pages(
        &self,
        app: &AppCredentials,
        token: &Secret,
    ) -> Result<Vec<Destination>, Failure> {
        let mut pages = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PARTS {
            let call = self.call(None, "/me/accounts", Method::GET, &["me", "accounts"])?;
            let call = signed(
                call.query("fields", "id,name,access_token,tasks"),
                Some(app),
                token,
            );
            let mut list: List<Account> = self.part(Op::Connect, call, after.as_deref()).await?;
            pages.extend(std::mem::take(&mut list.data).into_iter().map(destination));
            match list.next() {
                NextPart::None => return Ok(pages),
                NextPart::After(cursor) => after = Some(cursor.to_owned()),
                NextPart::Unreachable => break,
            }
        }
        Err(Failure::Contract {
            detail: format!(
                "a list of pages that does not end after {} of them",
                pages.len()
            ),
        })
    }
}

fn destination(account: Account) -> Destination {
    Destination {
        platform: Platform::Facebook,
        // Without a token of its own a page cannot be published to, whatever the tasks say.
        may_publish: account.may_publish() && account.access_token.is_some(),
        name: account.name.unwrap_or_else(|| account.id.clone()),
        token: account.access_token,
        remote_id: account.id,
    }
}

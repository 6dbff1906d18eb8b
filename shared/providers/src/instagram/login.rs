//! The log-in of Instagram and of Threads: the consent's address, the code, and tokens that renew themselves.
//!
//! The documented forms of exchange and renewal are GETs with the secrets in their query; no query of ours is ever
//! logged. PKCE is documented for neither, so the app's secret and `state` protect the code.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{Failure, Time, grant::Renewed};
use mooring_vault::Secret;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, basic::BasicClient};
use url::Url;

use super::{
    graph::Graph,
    wire::{LongToken, Me, Permissions, ShortTokens},
    words::LoginWords,
};
use crate::{
    connect::{Authorize, Connected, Consent, Destination},
    provider::{Access, AppCredentials, NewTokens},
    wire::{Op, join},
};

/// Where a log-in is.
pub(crate) struct Login {
    pub(crate) dialog: Url,
    /// Where codes are changed into tokens.
    pub(crate) codes: Url,
    pub(crate) words: &'static LoginWords,
}

/// The consent's address. Scopes are joined by commas, as all of Meta's examples have them.
pub(crate) fn consent(
    dialog: &Url,
    path: &[&str],
    scopes: &[&str],
    request: &Authorize<'_>,
) -> Result<Option<Consent>, Failure> {
    let app = request.app.ok_or(Failure::AppAccess)?;
    let client = BasicClient::new(ClientId::new(app.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(join(dialog, path)?))
        .set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
    let (mut url, _) = client
        .authorize_url(|| CsrfToken::new(request.state.to_owned()))
        .url();
    url.query_pairs_mut()
        .append_pair("scope", &scopes.join(","));
    Ok(Some(Consent { url, kept: None }))
}

impl Login {
    /// Code → short-lived token → long-lived token → whose it is.
    pub(crate) async fn open_grant(
        &self,
        graph: &Graph,
        app: &AppCredentials,
        code: &Secret,
        redirect_uri: &Url,
    ) -> Result<Connected, Failure> {
        // The address that the browser comes back to ends in `#_`, which is no part of the code.
        let code = code.expose().trim_end_matches("#_");
        let path = ["oauth", "access_token"];
        let template = "/oauth/access_token";
        let call = graph
            .transport
            .call(template, Method::POST, &self.codes, &path)?;
        let call = call.form([
            ("client_id", app.client_id.as_str()),
            ("client_secret", app.client_secret.expose()),
            ("grant_type", "authorization_code"),
            ("redirect_uri", redirect_uri.as_str()),
            ("code", code),
        ]);
        let short: ShortTokens = graph.answer(Op::Connect, call, "token").await?;
        let short = short.into_token().ok_or_else(|| Failure::Contract {
            detail: "a list of no tokens".to_owned(),
        })?;
        let call = graph
            .unversioned(None, "/access_token", "access_token")?
            .query("grant_type", self.words.exchange)
            .query("client_secret", app.client_secret.expose())
            .query("access_token", short.access_token.expose());
        let long: LongToken = graph.answer(Op::Connect, call, "token").await?;
        let ends = end(graph, &long);
        let me = self
            .me(graph, Op::Connect, None, &long.access_token)
            .await?;
        let mut scopes = long
            .permissions
            .or(short.permissions)
            .map(Permissions::into_names);
        if scopes.is_none() && self.words.introspects {
            let debug = self.debug(graph, Op::Connect, None, &long.access_token);
            scopes = debug.await?.map(|debug| debug.scopes);
        }
        let user = short.user_id.unwrap_or_else(|| me.id.clone());
        Ok(Connected {
            destinations: vec![destination(graph, &me)],
            remote_user_id: user.0,
            grant_token: long.access_token,
            refresh_token: None,
            access_expires_at: ends,
            refresh_expires_at: None,
            scopes,
            host: None,
            binding: None,
            app: None,
        })
    }

    /// A new long-lived token for one that is a day old and still lives. The old one keeps its own end, so asking
    /// again is harmless.
    pub(crate) async fn renew(
        &self,
        graph: &Graph,
        access: &Access,
    ) -> Result<(Renewed, NewTokens), Failure> {
        let host = access.host.as_ref();
        let call = graph
            .unversioned(host, "/refresh_access_token", "refresh_access_token")?
            .query("grant_type", self.words.refresh)
            .query("access_token", access.grant_token.expose());
        let long: LongToken = graph.answer(Op::Refresh, call, "token").await?;
        let renewed = Renewed {
            access_expires_at: end(graph, &long),
            refresh_expires_at: None,
            scopes: long.permissions.map(Permissions::into_names),
        };
        let tokens = NewTokens {
            access: long.access_token,
            refresh: None,
        };
        Ok((renewed, tokens))
    }

    /// Whose token it is.
    pub(crate) async fn me(
        &self,
        graph: &Graph,
        op: Op,
        host: Option<&Url>,
        token: &Secret,
    ) -> Result<Me, Failure> {
        let call = graph.call(host, "/me", Method::GET, &["me"])?;
        let call = call
            .bearer(token.expose())
            .query("fields", self.words.me_fields);
        graph.answer(op, call, "account").await
    }
}

/// The one destination of such a token.
pub(crate) fn destination(graph: &Graph, me: &Me) -> Destination {
    let id = me.account().to_owned();
    Destination {
        platform: graph.words.platform,
        name: me.username.clone().unwrap_or_else(|| id.clone()),
        remote_id: id,
        token: None,
        may_publish: true,
    }
}

/// Without `expires_in` the documented life is assumed.
fn end(graph: &Graph, token: &LongToken) -> Option<Time> {
    let usual = graph.words.platform.capabilities().access_lifetime;
    let told = token.expires_in.filter(|seconds| *seconds > 0);
    let life = told.map(TimeDelta::seconds).or(usual)?;
    Some(graph.transport.now() + life)
}

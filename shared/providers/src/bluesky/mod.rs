//! Bluesky, over the XRPC methods of an account's personal data server, with app-password sessions.
//!
//! Facts (sources in each lexicon, `bluesky-social/atproto`; behaviour recorded from running servers 0.4.217 and
//! 0.5.35): access tokens live 2 hours, refresh tokens 90 days; a spent refresh token answers with the same
//! successor for 2 hours, so a lost refresh is repeated; `putRecord` with a key of ours is idempotent; sessions have
//! no permissions to lose; a password change ends the refresh token only, and looks like any other revocation.
//! The key of an account is its DID, never its handle.

mod facets;
mod jwt;
mod map;
mod post;
mod tid;
mod wire;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::{AccountSeen, AccountState, Observation, TokenSeen},
    grant::Renewed,
    post::{Accepted, Finding, Seen, text_digest},
};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    connect::{Connected, Credentials, Destination},
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    transport::Transport,
    wire::{Op, Reply},
};
use wire::{CreateSession, DeleteRecord, POSTS, PutRecord, Record, RepoStatus, Session, SessionInfo, Written};

/// The adapter.
pub(crate) struct Bluesky {
    transport: Transport,
    base: Url,
}

#[async_trait]
impl Provider for Bluesky {
    fn platform(&self) -> Platform {
        Platform::Bluesky
    }

    fn reference(&self, now: Time, entropy: u64) -> Option<String> {
        Some(tid::tid(now, entropy))
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        if !probe_token {
            return Ok(Observation { token: TokenSeen::NotProbed, account: Some(self.public_account(access).await?) });
        }
        let call = self.call(access, Method::GET, "com.atproto.server.getSession")?;
        let reply = self.transport.send(Op::Check, call.bearer(access.token.expose())).await?;
        if reply.is_success() {
            return self.live_session(access, &reply).await;
        }
        self.refused_session(access, &reply).await
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let refresh_token = access.refresh_token.as_ref().ok_or(Failure::TokenRevoked)?;
        let call = self.call(access, Method::POST, "com.atproto.server.refreshSession")?;
        let answer = self.answer::<Session>(Op::Refresh, call.bearer(refresh_token.expose()), "session").await;
        let session = answer.map_err(|failure| self.over_or_revoked(failure, refresh_token))?;
        same_account(access, &session.did)?;
        let (access_expires_at, refresh_expires_at) = self.ends(&session);
        let renewed = Renewed { access_expires_at, refresh_expires_at, scopes: None };
        Ok((renewed, NewTokens { access: session.access_jwt, refresh: Some(session.refresh_jwt) }))
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Accepted, Failure> {
        let Some(rkey) = draft.reference.as_deref() else {
            return Err(broken("a post without a record key: take one from reference() first"));
        };
        let record = post::record(&draft.content, draft.created_at);
        let body = PutRecord { repo: &access.remote_id, collection: POSTS, rkey, record };
        let call = self.call(access, Method::POST, "com.atproto.repo.putRecord")?;
        let call = json(call.bearer(access.token.expose()), &body)?;
        let timeout = Platform::Bluesky.capabilities().publish_timeout.to_std().unwrap_or_default();
        let call = call.send_by(draft.send_by).timeout(timeout);
        let written: Written = self.answer(Op::Publish, call, "written record").await?;
        if written.uri != post::uri(&access.remote_id, rkey) {
            return Err(broken("putRecord wrote another record than ours"));
        }
        Ok(post::accepted(written.uri, &access.remote_id, rkey))
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let Some(rkey) = lost.reference.as_deref() else { return Ok(Finding::Unsure) };
        Ok(match self.record(access, rkey).await? {
            None => Finding::Absent,
            Some(record) if record.digest() == lost.content.digest() => {
                Finding::Found(post::accepted(record.uri, &access.remote_id, rkey))
            }
            // Something else under our key: somebody edited it, or it never was ours. A person must look.
            Some(_) => Finding::Unsure,
        })
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        let rkey = post::rkey(remote_id).ok_or_else(|| broken("a remote id that is no post's URI"))?;
        Ok(self.record(access, rkey).await?.map_or(Seen::Gone, |record| Seen::Live {
            permalink: Some(post::permalink(&access.remote_id, rkey)),
            digest: Some(record.digest()),
        }))
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        let rkey = post::rkey(remote_id).ok_or_else(|| broken("a remote id that is no post's URI"))?;
        let body = DeleteRecord { repo: &access.remote_id, collection: POSTS, rkey };
        let call = self.call(access, Method::POST, "com.atproto.repo.deleteRecord")?;
        let call = json(call.bearer(access.token.expose()), &body)?;
        // The second deletion answers `{}`: nothing in the answer matters but that it is one.
        self.answer::<serde_json::Map<_, _>>(Op::Delete, call, "deletion").await.map(drop)
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        // Without a refresh token there is no session that could be ended: the access token runs out by itself.
        let Some(refresh_token) = &access.refresh_token else { return Ok(()) };
        let call = self.call(access, Method::POST, "com.atproto.server.deleteSession")?;
        let reply = self.transport.send(Op::Revoke, call.bearer(refresh_token.expose())).await?;
        if reply.is_success() {
            return Ok(());
        }
        match map::failure(Op::Revoke, &reply, self.transport.now()) {
            Failure::TokenRevoked => Ok(()),
            failure => Err(failure),
        }
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Password { host, identifier, password, factor } = credentials else {
            return Err(broken("Bluesky connects with a handle and an app password"));
        };
        let host = host.unwrap_or_else(|| self.base.clone());
        let method = "com.atproto.server.createSession";
        let call = self.transport.call(method, Method::POST, &host, &["xrpc", method])?;
        let body = CreateSession {
            identifier: &identifier,
            password: password.expose(),
            auth_factor_token: factor.as_ref().map(Secret::expose),
        };
        let session: Session = self.answer(Op::Connect, json(call, &body)?, "session").await?;
        Ok(self.connected(session, host))
    }

    fn authorize_url(&self, _app: &AppCredentials, _redirect_uri: &Url, _state: &str) -> Option<Url> {
        None
    }
}

impl Bluesky {
    pub(crate) fn new(transport: Transport, base: Url) -> Self {
        Self { transport, base }
    }

    /// A call of an XRPC method at the account's server.
    fn call(&self, access: &Access, method: Method, nsid: &'static str) -> Result<Call, Failure> {
        let host = access.host.as_ref().unwrap_or(&self.base);
        self.transport.call(nsid, method, host, &["xrpc", nsid])
    }

    async fn answer<T: DeserializeOwned>(&self, op: Op, call: Call, what: &str) -> Result<T, Failure> {
        let reply = self.transport.send(op, call).await?;
        if reply.is_success() { reply.read(what) } else { Err(map::failure(op, &reply, self.transport.now())) }
    }

    /// The session works; what remains is how the public sees the account.
    async fn live_session(&self, access: &Access, reply: &Reply) -> Result<Observation, Failure> {
        let session: SessionInfo = reply.read("session")?;
        same_account(access, &session.did)?;
        let claimed = account_state(session.active.unwrap_or(true), session.status.as_deref());
        let mut account = match self.public_account(access).await {
            // The account's own word counts where it is the worse one.
            Ok(public) if claimed == AccountState::Accessible => public,
            Ok(_) | Err(_) => AccountSeen { state: claimed, name: None },
        };
        account.name = Some(session.handle);
        let token = TokenSeen::Alive { access_expires_at: jwt::ends_at(&access.token), scopes: None };
        Ok(Observation { token, account: Some(account) })
    }

    /// The session was refused: because of the token, or because of the account.
    async fn refused_session(&self, access: &Access, reply: &Reply) -> Result<Observation, Failure> {
        let failure = map::failure(Op::Check, reply, self.transport.now());
        let public = self.public_account(access).await;
        if failure.ends_the_credential() {
            return Ok(Observation { token: TokenSeen::Dead(failure), account: public.ok() });
        }
        let unavailable = match failure {
            Failure::AccountUnavailable => true,
            // What a taken-down or deleted account gets here; its repository's status tells.
            Failure::Contract { .. } if map::is_invalid_request(reply) => {
                public.is_ok_and(|seen| seen.state == AccountState::Unavailable)
            }
            _ => false,
        };
        if !unavailable {
            return Err(failure);
        }
        // The tokens were not judged, so nothing is said about them.
        let account = AccountSeen { state: AccountState::Unavailable, name: None };
        Ok(Observation { token: TokenSeen::NotProbed, account: Some(account) })
    }

    /// How the public sees the account. Needs no token, so it tells even when the session does not work.
    async fn public_account(&self, access: &Access) -> Result<AccountSeen, Failure> {
        let call = self.call(access, Method::GET, "com.atproto.sync.getRepoStatus")?;
        let answer = self.answer::<RepoStatus>(Op::Check, call.query("did", &access.remote_id), "repository status");
        let state = match answer.await {
            Ok(status) => account_state(status.active, status.status.as_deref()),
            Err(Failure::AccountUnavailable) => AccountState::Unavailable,
            Err(failure) => return Err(failure),
        };
        Ok(AccountSeen { state, name: None })
    }

    /// A post's record; `None` when it is not there. Read without a token: it is public, and a dead token would only
    /// be in the way.
    async fn record(&self, access: &Access, rkey: &str) -> Result<Option<Record>, Failure> {
        let call = self.call(access, Method::GET, "com.atproto.repo.getRecord")?;
        let call = call.query("repo", &access.remote_id).query("collection", POSTS).query("rkey", rkey);
        let reply = self.transport.send(Op::Read, call).await?;
        if map::is_record_missing(&reply) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(map::failure(Op::Read, &reply, self.transport.now()));
        }
        let record: Record = reply.read("record")?;
        if record.uri == post::uri(&access.remote_id, rkey) {
            Ok(Some(record))
        } else {
            Err(broken("getRecord answered with another record"))
        }
    }

    /// A refresh token that was refused: its own end tells whether its time was over or it was taken back.
    fn over_or_revoked(&self, failure: Failure, refresh_token: &Secret) -> Failure {
        let over = jwt::ends_at(refresh_token).is_some_and(|end| end <= self.transport.now());
        if failure == Failure::TokenRevoked && over { Failure::TokenExpired } else { failure }
    }

    /// Ends of access and refresh token: what the tokens say, else what is usual.
    fn ends(&self, session: &Session) -> (Option<Time>, Option<Time>) {
        let row = Platform::Bluesky.capabilities();
        let usual = |lifetime| Some(self.transport.now() + lifetime?);
        (
            jwt::ends_at(&session.access_jwt).or_else(|| usual(row.access_lifetime)),
            jwt::ends_at(&session.refresh_jwt).or_else(|| usual(row.refresh_lifetime)),
        )
    }

    fn connected(&self, session: Session, host: Url) -> Connected {
        let (access_expires_at, refresh_expires_at) = self.ends(&session);
        let destination = Destination {
            remote_id: session.did.clone(),
            name: session.handle.clone(),
            token: None,
            may_publish: true,
        };
        Connected {
            host: Some(session.own_server().unwrap_or(host)),
            remote_user_id: session.did,
            grant_token: session.access_jwt,
            refresh_token: Some(session.refresh_jwt),
            access_expires_at,
            refresh_expires_at,
            scopes: None,
            destinations: vec![destination],
        }
    }
}

/// How an account stands by its `active` and `status`. Relays know two states that take nothing from the account
/// itself but its reach.
fn account_state(active: bool, status: Option<&str>) -> AccountState {
    match (active, status) {
        (true, _) => AccountState::Accessible,
        (false, Some("desynchronized" | "throttled")) => AccountState::Hidden,
        (false, _) => AccountState::Unavailable,
    }
}

/// A session of another account is nobody's success.
fn same_account(access: &Access, did: &str) -> Result<(), Failure> {
    if did == access.remote_id { Ok(()) } else { Err(broken("the session belongs to another account")) }
}

fn json(call: Call, body: &impl serde::Serialize) -> Result<Call, Failure> {
    call.json(body).map_err(|_| broken("a body that cannot be written as JSON"))
}

fn broken(detail: &str) -> Failure {
    Failure::Contract { detail: detail.to_owned() }
}

impl Record {
    fn digest(&self) -> String {
        text_digest(self.value.text.as_deref().unwrap_or_default())
    }
}

impl Session {
    /// The account's own server, from its DID document. A server on this machine names itself by a name that means
    /// another machine everywhere else, so such a document is not followed.
    fn own_server(&self) -> Option<Url> {
        let services = &self.did_doc.as_ref()?.service;
        let server = services.iter().find(|service| service.id.ends_with("#atproto_pds"))?;
        let url = Url::parse(server.service_endpoint.as_str()?).ok()?;
        let public = url.domain().is_some_and(|name| name.contains('.') && !name.ends_with(".localhost"));
        (url.scheme() == "https" && public).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_comes_from_the_did_document_only_where_it_can_be_reached() {
        let server = |endpoint: &str| {
            let text = format!(
                r##"{{"accessJwt":"a","refreshJwt":"r","did":"did:plc:x","handle":"h","didDoc":{{"service":
                    [{{"id":"#atproto_pds","type":"AtprotoPersonalDataServer","serviceEndpoint":"{endpoint}"}}]}}}}"##
            );
            let session: Session = serde_json::from_str(&text).expect("a session");
            session.own_server().map(String::from)
        };
        let pds = "https://shiitake.us-east.host.bsky.network";
        assert_eq!(server(pds), Some(format!("{pds}/")));
        for local in ["https://localhost", "http://pds.example", "https://127.0.0.1:7110", "nowhere"] {
            assert_eq!(server(local), None, "{local}");
        }
    }

    #[test]
    fn a_session_shows_no_token() {
        let session: Session =
            serde_json::from_str(r#"{"accessJwt":"aaa","refreshJwt":"rrr","did":"d","handle":"h"}"#).expect("a session");
        assert!(!format!("{session:?}").contains("aaa"), "{session:?}");
        assert!(serde_json::from_str::<Session>(r#"{"accessJwt":"","refreshJwt":"r","did":"d","handle":"h"}"#).is_err());
    }

    #[test]
    fn an_account_that_is_not_active_is_unavailable_unless_only_a_relay_lags() {
        assert_eq!(account_state(true, None), AccountState::Accessible);
        for status in ["takendown", "suspended", "deleted", "deactivated", "something-new"] {
            assert_eq!(account_state(false, Some(status)), AccountState::Unavailable, "{status}");
        }
        assert_eq!(account_state(false, Some("throttled")), AccountState::Hidden);
    }
}

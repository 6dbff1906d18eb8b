//! Bluesky, over the XRPC methods of an account's personal data server, with app-password sessions.
//!
//! Facts (sources in each lexicon, `bluesky-social/atproto`; behaviour recorded from running servers 0.4.217 and
//! 0.5.35): access tokens live 2 hours, refresh tokens 90 days; a spent refresh token answers with the same
//! successor for 2 hours, so a lost refresh is repeated; `putRecord` with a key of ours is idempotent; sessions have
//! no permissions to lose; a password change ends the refresh token only, and looks like any other revocation.
//! The key of an account is its DID, never its handle.

mod check;
mod facets;
mod find;
mod jwt;
mod map;
mod post;
mod session;
mod tid;
mod wire;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::{AccountState, Observation},
    grant::Renewed,
    post::{Finding, Seen, Sent, text_digest},
};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    connect::{Connected, Credentials, Destination},
    provider::{Access, Draft, Lost, NewTokens, Provider},
    transport::Transport,
    wire::{Op, Reply},
};
use wire::{CreateSession, DeleteRecord, POSTS, PutRecord, Record, Session, Written};

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
        self.observe(access, probe_token).await
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let refresh_token = access.refresh_token.as_ref().ok_or(Failure::TokenRevoked)?;
        let call = self.call(access, Method::POST, "com.atproto.server.refreshSession")?;
        let answer = self
            .answer::<Session>(Op::Refresh, call.bearer(refresh_token.expose()), "session")
            .await;
        let session = answer.map_err(|failure| self.over_or_revoked(failure, refresh_token))?;
        same_account(access, &session.did)?;
        let (access_expires_at, refresh_expires_at) = self.ends(&session);
        let renewed = Renewed {
            access_expires_at,
            refresh_expires_at,
            scopes: None,
        };
        Ok((
            renewed,
            NewTokens {
                access: session.access_jwt,
                refresh: Some(session.refresh_jwt),
            },
        ))
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let Some(rkey) = draft.reference.as_deref() else {
            return Err(broken(
                "a post without a record key: take one from reference() first",
            ));
        };
        let record = post::record(&draft.content, draft.created_at);
        let body = PutRecord {
            repo: &access.remote_id,
            collection: POSTS,
            rkey,
            record,
        };
        let call = self.call(access, Method::POST, "com.atproto.repo.putRecord")?;
        let call = json(call.bearer(access.token.expose()), &body)?;
        let timeout = Platform::Bluesky
            .capabilities()
            .publish_timeout
            .to_std()
            .unwrap_or_default();
        let call = call.send_by(draft.send_by).timeout(timeout);
        let written: Written = self.answer(Op::Publish, call, "written record").await?;
        if written.uri != post::uri(&access.remote_id, rkey) {
            return Err(broken("putRecord wrote another record than ours"));
        }
        Ok(Sent::Accepted(post::accepted(
            written.uri,
            &access.remote_id,
            rkey,
        )))
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let Some(rkey) = lost.reference.as_deref() else {
            return self.search(access, lost).await;
        };
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
        let rkey =
            post::rkey(remote_id).ok_or_else(|| broken("a remote id that is no post's URI"))?;
        Ok(self
            .record(access, rkey)
            .await?
            .map_or(Seen::Gone, |record| Seen::Live {
                permalink: Some(post::permalink(&access.remote_id, rkey)),
                digest: Some(record.digest()),
            }))
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        let rkey =
            post::rkey(remote_id).ok_or_else(|| broken("a remote id that is no post's URI"))?;
        let body = DeleteRecord {
            repo: &access.remote_id,
            collection: POSTS,
            rkey,
        };
        let call = self.call(access, Method::POST, "com.atproto.repo.deleteRecord")?;
        let call = json(call.bearer(access.token.expose()), &body)?;
        // The second deletion answers `{}`: nothing in the answer matters but that it is one.
        self.answer::<serde_json::Map<_, _>>(Op::Delete, call, "deletion")
            .await
            .map(drop)
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        // Without a refresh token there is no session that could be ended: the access token runs out by itself.
        let Some(refresh_token) = &access.refresh_token else {
            return Ok(());
        };
        let call = self.call(access, Method::POST, "com.atproto.server.deleteSession")?;
        let reply = self
            .transport
            .send(Op::Revoke, call.bearer(refresh_token.expose()))
            .await?;
        if reply.is_success() {
            return Ok(());
        }
        match map::failure(Op::Revoke, &reply, self.transport.now()) {
            Failure::TokenRevoked => Ok(()),
            failure => Err(failure),
        }
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Password {
            host,
            identifier,
            password,
            factor,
        } = credentials
        else {
            return Err(broken("Bluesky connects with a handle and an app password"));
        };
        let host = host.unwrap_or_else(|| self.base.clone());
        let method = "com.atproto.server.createSession";
        let call = self
            .transport
            .call(method, Method::POST, &host, &["xrpc", method])?;
        let body = CreateSession {
            identifier: &identifier,
            password: password.expose(),
            auth_factor_token: factor.as_ref().map(Secret::expose),
        };
        let session: Session = self
            .answer(Op::Connect, json(call, &body)?, "session")
            .await?;
        Ok(self.connected(session, host))
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let seen = self.public_account(access).await?;
        Ok(vec![Destination {
            platform: Platform::Bluesky,
            remote_id: access.remote_id.clone(),
            name: seen.name.unwrap_or_else(|| access.remote_id.clone()),
            token: None,
            may_publish: !seen.state.bars_publishing(),
        }])
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

    async fn answer<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.transport.send(op, call).await?;
        if reply.is_success() {
            reply.read(what)
        } else {
            Err(map::failure(op, &reply, self.transport.now()))
        }
    }

    /// Why a record cannot be read: its account was shut, or what the answer says.
    async fn unread(&self, access: &Access, reply: &Reply) -> Failure {
        if map::is_upstream_failure(reply)
            && let Ok(seen) = self.public_account(access).await
            && seen.state == AccountState::Unavailable
        {
            return Failure::AccountUnavailable;
        }
        map::failure(Op::Read, reply, self.transport.now())
    }

    /// A post's record; `None` when it is not there. Read without a token: it is public, and a dead token would only
    /// be in the way.
    async fn record(&self, access: &Access, rkey: &str) -> Result<Option<Record>, Failure> {
        let call = self.call(access, Method::GET, "com.atproto.repo.getRecord")?;
        let call = call
            .query("repo", &access.remote_id)
            .query("collection", POSTS)
            .query("rkey", rkey);
        let reply = self.transport.send(Op::Read, call).await?;
        if map::is_record_missing(&reply) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(self.unread(access, &reply).await);
        }
        let record: Record = reply.read("record")?;
        if record.uri == post::uri(&access.remote_id, rkey) {
            Ok(Some(record))
        } else {
            Err(broken("getRecord answered with another record"))
        }
    }
}

/// A session of another account is nobody's success.
fn same_account(access: &Access, did: &str) -> Result<(), Failure> {
    if did == access.remote_id {
        Ok(())
    } else {
        Err(broken("the session belongs to another account"))
    }
}

fn json(call: Call, body: &impl serde::Serialize) -> Result<Call, Failure> {
    call.json(body)
        .map_err(|_| broken("a body that cannot be written as JSON"))
}

fn broken(detail: &str) -> Failure {
    Failure::Contract {
        detail: detail.to_owned(),
    }
}

impl Record {
    fn digest(&self) -> String {
        text_digest(self.value.text.as_deref().unwrap_or_default())
    }
}

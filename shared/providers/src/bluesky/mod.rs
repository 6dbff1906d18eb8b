//! Bluesky, over the XRPC methods of an account's personal data server. Two ways in: a session of an app password, and
//! OAuth (`oauth/`); apart from the tokens they are the same.
//!
//! Facts (sources in each lexicon, `bluesky-social/atproto`; behaviour recorded from running servers 0.4.217 and
//! 0.5.35): access tokens live 2 hours, refresh tokens 90 days; a spent refresh token answers with the same
//! successor for 2 hours, so a lost refresh is repeated; `putRecord` with a key of ours is idempotent; sessions have
//! no permissions to lose; a password change ends the refresh token only, and looks like any other revocation.
//! The key of an account is its DID, never its handle.

mod check;
mod client;
mod facets;
mod find;
mod jwt;
mod map;
mod media;
mod oauth;
mod post;
mod session;
mod tid;
mod wire;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, Prepared, Seen, Sent},
};
use mooring_vault::Secret;
use serde_json::Value;
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    transport::Transport,
    wire::Op,
};

use client::{broken, json, same_account};
use wire::{CreateSession, DeleteRecord, POSTS, PutRecord, Session, Written};

/// The adapter.
pub(crate) struct Bluesky {
    /// Which way in.
    platform: Platform,
    transport: Transport,
    base: Url,
    /// Where identities of the method `plc` are looked up.
    directory: Url,
    nonces: oauth::Nonces,
    servers: oauth::Servers,
}

#[async_trait]
impl Provider for Bluesky {
    fn platform(&self) -> Platform {
        self.platform
    }

    fn reference(&self, now: Time, entropy: u64) -> Option<String> {
        Some(tid::tid(now, entropy))
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        self.observe(access, probe_token).await
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        if self.is_oauth() {
            return self.renew_bound(access).await;
        }
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

    async fn prepare(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        self.upload_next(access, draft, so_far).await
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let Some(rkey) = draft.reference.as_deref() else {
            return Err(broken(
                "a post without a record key: take one from reference() first",
            ));
        };
        // Not even a call for a nonce is worth making any more.
        if draft.send_by < self.transport.now() {
            return Err(Failure::NotSent);
        }
        let files = media::embed(&draft.content, draft.prepared.as_ref())?;
        let record = post::record(&draft.content, draft.created_at, files);
        let body = PutRecord {
            repo: &access.remote_id,
            collection: POSTS,
            rkey,
            record,
        };
        let call = self.call(access, Method::POST, "com.atproto.repo.putRecord")?;
        let timeout = self
            .platform
            .capabilities()
            .publish_timeout
            .to_std()
            .unwrap_or_default();
        let call = json(call, &body)?.send_by(draft.send_by).timeout(timeout);
        let written: Written = self
            .answer_as(Op::Publish, access, call, "written record")
            .await?;
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
        let call = json(call, &body)?;
        // The second deletion answers `{}`: nothing in the answer matters but that it is one.
        self.answer_as::<serde_json::Map<_, _>>(Op::Delete, access, call, "deletion")
            .await
            .map(drop)
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        if self.is_oauth() {
            return self.give_back(access).await;
        }
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

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        if self.is_oauth() {
            self.ask(request).await.map(Some)
        } else {
            Ok(None)
        }
    }

    fn client_metadata(
        &self,
        app: &AppCredentials,
        name: &str,
        redirect_uri: &Url,
    ) -> Result<Option<Value>, Failure> {
        if !self.is_oauth() {
            return Ok(None);
        }
        oauth::client_metadata(app, name, redirect_uri).map(Some)
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let (host, identifier, password, factor) = match (self.is_oauth(), credentials) {
            (
                false,
                Credentials::Password {
                    host,
                    identifier,
                    password,
                    factor,
                },
            ) => (host, identifier, password, factor),
            (
                true,
                Credentials::Code {
                    app,
                    code,
                    redirect_uri,
                    kept,
                    issuer,
                },
            ) => {
                let answered = oauth::Answered {
                    app: app.as_ref(),
                    code: &code,
                    redirect_uri: &redirect_uri,
                    kept: kept.as_ref(),
                    issuer: issuer.as_deref(),
                };
                return self.open_grant(answered).await;
            }
            (false, Credentials::Code { .. } | Credentials::Bot { .. }) => {
                return Err(broken("Bluesky connects with a handle and an app password"));
            }
            (true, Credentials::Password { .. } | Credentials::Bot { .. }) => {
                return Err(broken("Bluesky (OAuth) connects in a browser"));
            }
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
            platform: self.platform,
            remote_id: access.remote_id.clone(),
            name: seen.name.unwrap_or_else(|| access.remote_id.clone()),
            token: None,
            may_publish: !seen.state.bars_publishing(),
        }])
    }
}

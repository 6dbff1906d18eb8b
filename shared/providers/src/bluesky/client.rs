//! Calls of an account's server, and records read from it.

use http::Method;
use mooring_domain::{Failure, Platform, connection::AccountState, post::text_digest};
use mooring_runtime::Call;
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    Bluesky, map, oauth, post,
    wire::{POSTS, Record},
};
use crate::{
    provider::Access,
    transport::Transport,
    wire::{Op, Reply},
};

impl Bluesky {
    /// The adapter of one way in.
    pub(crate) fn new(platform: Platform, transport: Transport, base: Url, directory: Url) -> Self {
        Self {
            platform,
            transport,
            base,
            directory,
            nonces: oauth::Nonces::default(),
            servers: oauth::Servers::default(),
        }
    }

    pub(super) fn is_oauth(&self) -> bool {
        self.platform == Platform::BlueskyOAuth
    }

    /// A call of an XRPC method at the account's server.
    pub(super) fn call(
        &self,
        access: &Access,
        method: Method,
        nsid: &'static str,
    ) -> Result<Call, Failure> {
        let host = access.host.as_ref().unwrap_or(&self.base);
        self.transport.call(nsid, method, host, &["xrpc", nsid])
    }

    /// What a call that needs no token brings.
    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.transport.send(op, call).await?;
        self.told(op, &reply, what)
    }

    /// The same in the name of the account.
    pub(super) async fn answer_as<T: DeserializeOwned>(
        &self,
        op: Op,
        access: &Access,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.send_as(op, access, call).await?;
        self.told(op, &reply, what)
    }

    fn told<T: DeserializeOwned>(&self, op: Op, reply: &Reply, what: &str) -> Result<T, Failure> {
        if reply.is_success() {
            reply.read(what)
        } else {
            Err(map::failure(op, reply, self.transport.now()))
        }
    }

    /// Why a record cannot be read: its account was shut, or what the answer says.
    pub(super) async fn unread(&self, access: &Access, reply: &Reply) -> Failure {
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
    pub(super) async fn record(
        &self,
        access: &Access,
        rkey: &str,
    ) -> Result<Option<Record>, Failure> {
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
pub(super) fn same_account(access: &Access, did: &str) -> Result<(), Failure> {
    if did == access.remote_id {
        Ok(())
    } else {
        Err(broken("the session belongs to another account"))
    }
}

pub(super) fn json(call: Call, body: &impl serde::Serialize) -> Result<Call, Failure> {
    call.json(body)
        .map_err(|_| broken("a body that cannot be written as JSON"))
}

pub(super) fn broken(detail: &str) -> Failure {
    Failure::Contract {
        detail: detail.to_owned(),
    }
}

impl Record {
    pub(super) fn digest(&self) -> String {
        text_digest(self.value.text.as_deref().unwrap_or_default())
    }
}

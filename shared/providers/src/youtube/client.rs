//! How Google is called: three hosts, the token in its header.

use http::Method;
use mooring_domain::Failure;
use mooring_runtime::Call;
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    map,
    wire::{Channel, List},
};
use crate::{
    provider::Access,
    registry::BaseUrls,
    transport::Transport,
    wire::{Op, Reply},
};

/// The adapter.
pub(crate) struct Youtube {
    pub(super) transport: Transport,
    /// The Data API, uploads included.
    pub(super) base: Url,
    /// Tokens.
    pub(super) oauth: Url,
    /// Where people consent.
    pub(super) dialog: Url,
}

impl Youtube {
    pub(crate) fn new(transport: Transport, urls: &BaseUrls) -> Self {
        Self {
            transport,
            base: urls.youtube.clone(),
            oauth: urls.youtube_oauth.clone(),
            dialog: urls.youtube_dialog.clone(),
        }
    }

    /// A call of the Data API with the grant's token.
    pub(super) fn api(
        &self,
        access: &Access,
        template: &'static str,
        method: Method,
        resource: &str,
    ) -> Result<Call, Failure> {
        let path = ["youtube", "v3", resource];
        let call = self.transport.call(template, method, &self.base, &path)?;
        Ok(call.bearer(access.token.expose()))
    }

    /// A form to the token host. Its fields hold secrets; nobody logs a body.
    pub(super) fn form<const N: usize>(
        &self,
        template: &'static str,
        path: &str,
        fields: [(&'static str, &str); N],
    ) -> Result<Call, Failure> {
        let call = self
            .transport
            .call(template, Method::POST, &self.oauth, &[path])?;
        Ok(call.form(fields))
    }

    /// The body of a success, or what the error means.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        op: Op,
        reply: &Reply,
        what: &str,
    ) -> Result<T, Failure> {
        if reply.is_success() {
            reply.read(what)
        } else {
            Err(self.failure(op, reply))
        }
    }

    /// Makes the call and reads its answer.
    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.transport.send(op, call).await?;
        self.read(op, &reply, what)
    }

    /// What an answer other than a success means.
    pub(super) fn failure(&self, op: Op, reply: &Reply) -> Failure {
        map::failure(op, reply, self.transport.now())
    }

    /// The channel that the grant is for: a person chooses one when they consent. One unit of the day's quota.
    pub(super) async fn own_channel(
        &self,
        op: Op,
        access: &Access,
    ) -> Result<Option<Channel>, Failure> {
        let call = self.api(access, "/youtube/v3/channels", Method::GET, "channels")?;
        let call = call
            .query("part", "id,snippet,contentDetails,status")
            .query("mine", "true");
        let list: List<Channel> = self.answer(op, call, "list of channels").await?;
        list.expect_kind("youtube#channelListResponse")?;
        Ok(list.items.into_iter().next())
    }
}

impl<T> List<T> {
    /// Refuses a body that only looks like the list that was asked for.
    pub(super) fn expect_kind(&self, kind: &str) -> Result<(), Failure> {
        if self.kind == kind {
            return Ok(());
        }
        Err(Failure::Contract {
            detail: "a list of another kind than the one asked for".to_owned(),
        })
    }
}

//! How the APIs are called: base and version, tokens, the watch on versions. Threads' is the same API with another
//! name and one version.

use http::Method;
use mooring_domain::Failure;
use mooring_runtime::Call;
use serde::de::DeserializeOwned;
use url::Url;

use super::{map, words::Words};
use crate::{
    facebook::signed,
    provider::Access,
    registry::{Notice, Observer},
    transport::Transport,
    wire::{Op, Reply},
};

/// One API.
pub(crate) struct Graph {
    pub(crate) transport: Transport,
    pub(crate) words: &'static Words,
    base: Url,
    version: String,
    observer: Observer,
}

impl Graph {
    pub(crate) fn new(
        transport: Transport,
        words: &'static Words,
        base: &Url,
        version: &str,
        observer: &Observer,
    ) -> Self {
        Self {
            transport,
            words,
            base: base.clone(),
            version: version.to_owned(),
            observer: observer.clone(),
        }
    }

    /// A call below the version, without a token.
    pub(crate) fn call(
        &self,
        host: Option<&Url>,
        template: &'static str,
        method: Method,
        path: &[&str],
    ) -> Result<Call, Failure> {
        let mut segments = vec![self.version.as_str()];
        segments.extend(path);
        self.transport
            .call(template, method, host.unwrap_or(&self.base), &segments)
    }

    /// A call of the log-in: those have no version.
    pub(crate) fn unversioned(
        &self,
        host: Option<&Url>,
        template: &'static str,
        segment: &str,
    ) -> Result<Call, Failure> {
        let base = host.unwrap_or(&self.base);
        self.transport.call(template, Method::GET, base, &[segment])
    }

    /// A call with the destination's token and, with Facebook Login, the proof of the app's secret.
    pub(crate) fn own_call(
        &self,
        access: &Access,
        template: &'static str,
        method: Method,
        path: &[&str],
    ) -> Result<Call, Failure> {
        let call = self.call(access.host.as_ref(), template, method, path)?;
        // The other log-ins know no proof.
        let app = access.app.as_ref().filter(|_| self.words.login.is_none());
        Ok(signed(call, app, &access.token))
    }

    /// Makes the call, and looks which version answered.
    pub(crate) async fn reply(&self, op: Op, call: Call) -> Result<Reply, Failure> {
        let reply = self.transport.send(op, call).await?;
        let answered = reply
            .header("facebook-api-version")
            .filter(|answered| *answered != self.version);
        if let Some(answered) = answered {
            let (platform, asked) = (self.words.platform, self.version.as_str());
            tracing::warn!(
                event.name = "provider.version_changed",
                mooring.provider = platform.as_str(),
                asked,
                answered,
                "the platform answers with another version: test it, then change facebook_version"
            );
            (self.observer)(Notice::VersionChanged {
                platform,
                asked,
                answered,
            });
        }
        Ok(reply)
    }

    /// The body of a success, or what the error means.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        op: Op,
        reply: &Reply,
        what: &str,
    ) -> Result<T, Failure> {
        if map::is_error(reply) {
            Err(map::failure(op, reply, self.transport.now()))
        } else {
            reply.read(what)
        }
    }

    /// Both of the above.
    pub(crate) async fn answer<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        // The answers of the log-in name no version.
        let reply = self.reply(op, call).await?;
        self.read(op, &reply, what)
    }
}

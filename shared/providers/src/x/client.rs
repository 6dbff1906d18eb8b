//! The adapter's calls: addresses, tokens, fields, and how an answer is read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::Method;
use mooring_domain::{Failure, Platform};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{
    map,
    problem::ErrorBody,
    wire::{One, Post, User},
};
use crate::{
    provider::Access,
    registry::BaseUrls,
    transport::Transport,
    wire::{Op, Reply},
};

/// The newest name of the parameter that names a post's fields, and the one before it, each with what is wanted of a
/// post: its time is in its id, and of a long one the note has the whole text.
const FIELDS: [(&str, &str); 2] = [
    ("post.fields", "attachments,entities,note_post"),
    ("tweet.fields", "attachments,entities,note_tweet"),
];

/// The adapter.
pub(crate) struct X {
    pub(super) transport: Transport,
    base: Url,
    pub(super) dialog: Url,
    /// Whether the newest name of the fields was refused: then the older one is asked for first.
    older_fields: Arc<AtomicBool>,
}

impl X {
    pub(crate) fn new(transport: Transport, urls: &BaseUrls) -> Self {
        Self {
            transport,
            base: urls.x.clone(),
            dialog: urls.x_dialog.clone(),
            older_fields: Arc::default(),
        }
    }

    /// A call without a token. `template` names the endpoint in spans.
    pub(super) fn bare_call(
        &self,
        host: Option<&Url>,
        template: &'static str,
        method: Method,
        path: &[&str],
    ) -> Result<Call, Failure> {
        let base = host.unwrap_or(&self.base);
        self.transport.call(template, method, base, path)
    }

    /// A call in the user's name.
    pub(super) fn call(
        &self,
        access: &Access,
        template: &'static str,
        method: Method,
        path: &[&str],
    ) -> Result<Call, Failure> {
        let call = self.bare_call(access.host.as_ref(), template, method, path)?;
        Ok(call.bearer(access.token.expose()))
    }

    pub(super) async fn reply(&self, op: Op, call: Call) -> Result<Reply, Failure> {
        self.transport.send(op, call).await
    }

    /// The `data` of a success. `errors` alone are none, whatever the status says.
    pub(super) fn data<T: DeserializeOwned>(
        &self,
        op: Op,
        reply: &Reply,
        what: &str,
    ) -> Result<T, Failure> {
        if !reply.is_success() {
            return Err(map::failure(op, reply, self.transport.now()));
        }
        let body: One<T> = reply.read(what)?;
        body.data
            .ok_or_else(|| map::inside_success(&ErrorBody::read(&reply.body)))
    }

    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.reply(op, call).await?;
        self.data(op, &reply, what)
    }

    /// The user whose token this is. Billed.
    pub(super) async fn me(
        &self,
        op: Op,
        host: Option<&Url>,
        token: &Secret,
    ) -> Result<User, Failure> {
        let path = ["2", "users", "me"];
        let call = self.bare_call(host, "/2/users/me", Method::GET, &path)?;
        let call = call.bearer(token.expose()).query(
            "user.fields",
            "name,profile_image_url,protected,subscription_type,verified_type",
        );
        self.answer(op, call, "user").await
    }

    /// One post; `None` when it is not there. Billed when it is.
    pub(super) async fn post(&self, access: &Access, id: &str) -> Result<Option<Post>, Failure> {
        let call = self.call(access, "/2/tweets/{id}", Method::GET, &["2", "tweets", id])?;
        let reply = self.with_fields(call).await?;
        if map::is_post_missing(&reply, id) {
            return Ok(None);
        }
        let post: Post = self.data(Op::Read, &reply, "post")?;
        if post.id == id {
            Ok(Some(post))
        } else {
            Err(broken("another post than the one asked for"))
        }
    }

    /// A read of posts with the fields that we want, under the name that the platform takes.
    pub(super) async fn with_fields(&self, call: Call) -> Result<Reply, Failure> {
        let first = usize::from(self.older_fields.load(Ordering::Relaxed));
        let ask = |(name, wanted): (&str, &str)| call.clone().query(name, wanted);
        let reply = self.reply(Op::Read, ask(FIELDS[first])).await?;
        if !map::is_unknown_parameter(&reply, FIELDS[first].0) {
            return Ok(reply);
        }
        self.older_fields.store(first == 0, Ordering::Relaxed);
        self.reply(Op::Read, ask(FIELDS[1 - first])).await
    }
}

/// How long the call that publishes may take.
pub(super) fn publish_timeout() -> Duration {
    let row = Platform::X.capabilities();
    row.publish_timeout.to_std().unwrap_or_default()
}

pub(super) fn json(call: Call, body: &impl Serialize) -> Result<Call, Failure> {
    call.json(body)
        .map_err(|_| broken("a body that cannot be written as JSON"))
}

pub(super) fn broken(detail: &str) -> Failure {
    Failure::Contract {
        detail: detail.to_owned(),
    }
}

//! X, over version 2 of its API, with OAuth 2.0 (PKCE).
//!
//! Facts (docs.x.com, its OpenAPI document 2.167, X's own SDK; what is from memory or from other publishers' code is
//! named): an access token lives 2 hours; a refresh token works once, and its second use ends every token of the
//! consent (seen in the field; no official statement), so a refresh is never repeated; scopes are told with the tokens
//! and nowhere else. A post takes no key of ours and is found in the user's list by its media, its words and its time,
//! which its id carries (a snowflake). Texts come back with links shortened to t.co, with a link to their media at the
//! end, and with markup escaped; an edit is a new post that the old one names. A post that is gone is a 200 with
//! `errors` or a 404: X's pages say both. `post.fields` is the newest name of what was `tweet.fields`; the one that is
//! refused is not asked for again. Every user and post that a read returns is billed.
//!
//! A token says nothing about whose it is: a token stored with the wrong connection posts for its owner. Only a check
//! (`users/me`) tells, daily and before a post.

mod check;
mod client;
mod connect;
mod find;
mod map;
mod native;
mod problem;
mod upload;
mod webhook;
mod wire;
mod words;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Accepted, Finding, Prepared, Seen, Sent, text_digest},
};
use serde_json::Value;
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    inbound::{Inbound, InboundRefused, Received},
    native::PostAt,
    provider::{Access, Draft, Lost, NewTokens, Provider},
    wire::Op,
};

pub(crate) use client::X;
use client::broken;
use wire::{Created, Deleted, NewMedia, NewPost};

#[async_trait]
impl Provider for X {
    fn platform(&self) -> Platform {
        Platform::X
    }

    fn reference(&self, _now: Time, _entropy: u64) -> Option<String> {
        None
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        self.observe(access, probe_token).await
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        self.renew(access).await
    }

    async fn prepare(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        self.upload(access, draft, so_far).await
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let media_ids = upload::media_ids(draft)?;
        let body = NewPost {
            text: &draft.content.text,
            media: (!media_ids.is_empty()).then_some(NewMedia { media_ids }),
        };
        let call = self.call(access, "/2/tweets", Method::POST, &["2", "tweets"])?;
        let call = client::json(call, &body)?
            .send_by(draft.send_by)
            .timeout(client::publish_timeout());
        let post: Created = self.answer(Op::Publish, call, "post").await?;
        if !words::is_id(&post.id) {
            return Err(broken("a post without an id"));
        }
        Ok(Sent::Accepted(accepted(post.id)))
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        self.search(access, lost).await
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        let Some(mut post) = self.post(access, remote_id).await? else {
            return Ok(Seen::Gone);
        };
        // An edit is another post; this one still shows the old words.
        if let Some(newest) = post.newest_version().filter(|id| *id != remote_id) {
            let Some(version) = self.post(access, newest).await? else {
                return Ok(Seen::Gone);
            };
            post = version;
        }
        let words = words::plain(&post);
        Ok(Seen::Live {
            permalink: Some(words::permalink(remote_id)),
            digest: words.certain.then(|| text_digest(&words.text)),
        })
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        let path = ["2", "tweets", remote_id];
        let call = self.call(access, "/2/tweets/{id}", Method::DELETE, &path)?;
        let reply = self.reply(Op::Delete, call).await?;
        if map::is_post_missing(&reply, remote_id) {
            return Ok(());
        }
        let answer: Deleted = self.data(Op::Delete, &reply, "deletion")?;
        if answer.deleted {
            Ok(())
        } else {
            Err(broken("a deletion that says it is none"))
        }
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        self.give_back(access).await
    }

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        self.consent(request).map(Some)
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        self.open_grant(credentials).await
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        self.native(access, url).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let user = self
            .me(Op::Check, access.host.as_ref(), &access.grant_token)
            .await?;
        Ok(vec![connect::destination(user)])
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        webhook::receive(call)
    }
}

/// The platform's word for a post under that id.
fn accepted(id: String) -> Accepted {
    Accepted {
        permalink: Some(words::permalink(&id)),
        remote_id: id,
    }
}

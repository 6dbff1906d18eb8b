//! Facebook Pages, over the Graph API.
//!
//! Facts (developers.facebook.com: Pages API, Access Tokens, Debug Token, Handle Errors, Rate Limiting): a page's
//! token publishes and, made from a long-lived user token, does not end; the user's token lives 60 days and can be
//! exchanged while it lives, never after; `debug_token` answers 200 for dead tokens; a post carries nothing of ours
//! and is recognised by its text and its time; "deleted" and "not yours any more" are the same answer (100/33), which
//! only the page's own health tells apart; a retired version does not fail but is answered by a later one.
//!
//! Media (Pages API, Video API "Reels Publishing", "Page Stories API"): photos go up unpublished and are attached to a
//! post, each to one; a video is begun, sent and finished, in chunks for posts and through the host for uploads for
//! reels and stories, and its id is known before it is published; what becomes of it is told by its `status`. Stories
//! show no text, so a text stays with us; they are seen in the page's list for 24 hours and cannot be deleted. There
//! is no `scheduled_publish_time` here: the schedule is ours.
//!
//! Not documented, and relied on: `Authorization: Bearer` for ordinary calls, and the exchange of a user token that
//! is long-lived already (both are what the schedulers in the field do).

mod check;
mod client;
mod connect;
mod find;
mod health;
mod inbound;
mod map;
mod media;
mod multipart;
mod native;
mod stories;
mod table;
mod video;
mod video_status;
mod wire;
mod wire_media;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, Format, Prepared, Seen, Sent, text_digest},
};
use mooring_vault::Secret;
use serde_json::Value;
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    inbound::{Inbound, InboundRefused, Received, word_of},
    native::PostAt,
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    wire::Op,
};

pub(crate) use client::{Facebook, signed};
// Instagram and Threads are the same API behind other names.
pub(crate) use map::reset;
use media::Parts;
pub(crate) use table::{Class, class_of};
pub(crate) use wire::{GraphError, graph_time, role_of};
use wire::{Post, Success};

#[async_trait]
impl Provider for Facebook {
    fn platform(&self) -> Platform {
        Platform::Facebook
    }

    fn reference(&self, _now: Time, _entropy: u64) -> Option<String> {
        None
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        self.observe(access, probe_token).await
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let (access_expires_at, token) = self
            .exchange(Op::Refresh, access.host.as_ref(), app, &access.grant_token)
            .await?;
        let renewed = Renewed {
            access_expires_at,
            refresh_expires_at: None,
            scopes: None,
        };
        Ok((
            renewed,
            NewTokens {
                access: token,
                refresh: None,
            },
        ))
    }

    async fn prepare(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        self.next_step(access, draft, so_far).await
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        self.send_post(access, draft).await
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let parts = lost.prepared.as_ref().map(Parts::read).transpose()?;
        let parts = parts.unwrap_or_default();
        let video = parts.video.as_ref();
        let id = lost
            .handle
            .as_deref()
            .or(video.map(|video| video.id.as_str()));
        match (id, parts.photos.first(), lost.content.format) {
            (Some(id), _, _) => {
                self.look_for_video(access, id, video.map(|v| v.format))
                    .await
            }
            (None, Some(photo), Format::Story) => self.look_for_photo_story(access, photo).await,
            _ => self.search(access, lost, &parts.photos).await,
        }
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        // Posts are called after their page; stories and videos have a number of their own.
        if !remote_id.contains('_') {
            return self.read_back_medium(access, remote_id).await;
        }
        let call = self.page_call(access, "/{page-post-id}", Method::GET, &[remote_id])?;
        let call = call.query(
            "fields",
            "id,created_time,message,permalink_url,is_published,is_hidden",
        );
        let reply = self.reply(Op::Read, call).await?;
        if map::is_gone(&reply) {
            return Ok(Seen::Gone);
        }
        let post: Post = self.read(Op::Read, &reply, "post")?;
        if post.id != remote_id {
            return Err(Failure::Contract {
                detail: "another post than the one asked for".to_owned(),
            });
        }
        if post.is_published == Some(false) {
            // It exists, but nobody sees it: for a proof that is the same as gone.
            return Ok(Seen::Gone);
        }
        // A post without a message has an empty text, which has a fingerprint, too.
        let digest = text_digest(post.message.as_deref().unwrap_or_default());
        let permalink = post
            .permalink_url
            .unwrap_or_else(|| format!("https://www.facebook.com/{remote_id}"));
        Ok(Seen::Live {
            permalink: Some(permalink),
            digest: Some(digest),
        })
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        self.delete_object(access, remote_id).await
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        let path = [access.remote_user_id.as_str(), "permissions"];
        let call = self.user_call(access, "/{user-id}/permissions", Method::DELETE, &path)?;
        match self.answer::<Success>(Op::Revoke, call, "revocation").await {
            Ok(answer) => succeeded(answer),
            Err(Failure::TokenRevoked) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        let app = request.app.ok_or(Failure::AppAccess)?;
        let url = self.dialog_url(app, request.redirect_uri, request.state);
        Ok(url.map(|url| Consent { url, kept: None }))
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Code {
            app: Some(app),
            code,
            redirect_uri,
            ..
        } = credentials
        else {
            return Err(Failure::Contract {
                detail: "Facebook connects with a code of its dialog, for an app".to_owned(),
            });
        };
        self.open_grant(&app, &code, &redirect_uri).await
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        self.native(access, url).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        self.pages(app, &access.grant_token).await
    }

    fn webhook_word(&self, app: &AppCredentials) -> Option<Secret> {
        Some(word_of(app))
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        inbound::receive(call)
    }
}

fn succeeded(answer: Success) -> Result<(), Failure> {
    if answer.success {
        return Ok(());
    }
    Err(Failure::Contract {
        detail: "a success that says it is none".to_owned(),
    })
}

//! Instagram professional accounts, by both log-ins.
//!
//! Facts (developers.facebook.com: Instagram Platform, Content Publishing, Business Login, Error Codes): a token of
//! Instagram Login lives 60 days and is renewed, once it is a day old, while it lives, never after; with Facebook
//! Login the tokens are Facebook's, and the account hangs on a page. A post is a container that is made, fetched and
//! processed by the platform, and then published by a second call; a container publishes at most once, tells whether
//! it has, and expires after a day. Nothing of Instagram Login can be introspected or given back, and posts cannot be
//! deleted through it. There are no posts of words alone.
//!
//! Not documented, and relied on: `Authorization: Bearer` for ordinary calls, and that a second `media_publish` of a
//! container is an error. What the platform answers to a code comes in two shapes; both are read. Which secret signs
//! callbacks is contradictory: an operator enters the one that fits as the app's secret.

mod check;
mod containers;
mod graph;
mod inbound;
mod login;
mod map;
mod pages;
mod posts;
mod table;
mod wire;
mod words;

use async_trait::async_trait;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, Format, MediaKind, Prepared, Seen, Sent},
};
use serde_json::Value;
use url::Url;

pub(crate) use containers::{Field, Forms, step};
pub(crate) use graph::Graph;
pub(crate) use inbound::{answer, text};
pub(crate) use login::{Login, consent, destination};
use mooring_vault::Secret;
pub(crate) use posts::{at as post_at, delete, find, publish, read_back};
pub(crate) use words::THREADS;
use words::{INSTAGRAM, INSTAGRAM_FACEBOOK};

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    facebook::Facebook,
    inbound::{Inbound, InboundRefused, Received, word_of},
    media::Attachment,
    native::PostAt,
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    registry::{BaseUrls, Observer},
    transport::Transport,
    wire::Op,
};

/// The adapter, for one of the ways in.
pub(crate) struct Instagram {
    graph: Graph,
    way: Way,
}

/// What the log-ins do differently.
enum Way {
    Own(Login),
    /// Renewal and withdrawal of consent are Facebook's own.
    Facebook {
        facebook: Box<Facebook>,
        dialog: Url,
        version: String,
    },
}

impl Instagram {
    /// With Instagram Login.
    pub(crate) fn new(transport: Transport, urls: &BaseUrls, observer: &Observer) -> Self {
        let words = &INSTAGRAM;
        let version = urls.facebook_version.as_str();
        let login = words.login.as_ref().map(|words| Login {
            dialog: urls.instagram_dialog.clone(),
            codes: urls.instagram_oauth.clone(),
            words,
        });
        Self {
            graph: Graph::new(transport, words, &urls.instagram, version, observer),
            way: Way::Own(login.expect("its words have a log-in")),
        }
    }

    /// With Facebook Login.
    pub(crate) fn by_facebook(transport: Transport, urls: &BaseUrls, observer: &Observer) -> Self {
        let version = urls.facebook_version.clone();
        let facebook = Facebook::new(transport.clone(), urls, observer.clone());
        let words = &INSTAGRAM_FACEBOOK;
        Self {
            graph: Graph::new(transport, words, &urls.facebook, &version, observer),
            way: Way::Facebook {
                facebook: Box::new(facebook),
                dialog: urls.facebook_dialog.clone(),
                version,
            },
        }
    }
}

#[async_trait]
impl Provider for Instagram {
    fn platform(&self) -> Platform {
        self.graph.words.platform
    }

    fn reference(&self, _now: Time, _entropy: u64) -> Option<String> {
        None
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        match &self.way {
            Way::Own(login) => login.observe(&self.graph, access, probe_token).await,
            Way::Facebook { .. } => pages::observe(&self.graph, access, probe_token).await,
        }
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        match &self.way {
            Way::Own(login) => login.renew(&self.graph, access).await,
            Way::Facebook { facebook, .. } => facebook.refresh(access).await,
        }
    }

    async fn prepare(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        step(&self.graph, &InstagramForms, access, draft, so_far).await
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        publish(&self.graph, access, draft).await
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        find(&self.graph, access, lost).await
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        read_back(&self.graph, access, remote_id).await
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        if !self.platform().capabilities().deletes {
            return Err(Failure::Contract {
                detail: "no post can be deleted through this API: delete it in the app".to_owned(),
            });
        }
        delete(&self.graph, access, remote_id).await
    }

    /// Instagram Login has no call for it: the person removes the app in the settings, and the deauthorize callback
    /// tells. Then nothing is left to be done here.
    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        match &self.way {
            Way::Own(_) => Ok(()),
            Way::Facebook { facebook, .. } => facebook.revoke(access).await,
        }
    }

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        let row = self.platform().capabilities();
        let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
        let scopes: Vec<&str> = row
            .required_scopes
            .iter()
            .copied()
            .chain(optional)
            .collect();
        match &self.way {
            Way::Own(login) => consent(&login.dialog, &["oauth", "authorize"], &scopes, request),
            Way::Facebook {
                dialog, version, ..
            } => consent(dialog, &[version, "dialog", "oauth"], &scopes, request),
        }
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
                detail: "Instagram connects with a code of its dialog, for an app".to_owned(),
            });
        };
        match &self.way {
            Way::Own(login) => {
                login
                    .open_grant(&self.graph, &app, &code, &redirect_uri)
                    .await
            }
            Way::Facebook { .. } => {
                pages::open_grant(&self.graph, &app, &code, &redirect_uri).await
            }
        }
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        posts::at(&self.graph, access, url, &["instagram.com"]).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let host = access.host.as_ref();
        match &self.way {
            Way::Own(login) => {
                let token = &access.grant_token;
                let me = login.me(&self.graph, Op::Connect, host, token).await?;
                Ok(vec![destination(&self.graph, &me)])
            }
            Way::Facebook { .. } => {
                let app: &AppCredentials = access.app.as_ref().ok_or(Failure::AppAccess)?;
                pages::accounts(&self.graph, host, app, &access.grant_token).await
            }
        }
    }

    fn webhook_word(&self, app: &AppCredentials) -> Option<Secret> {
        Some(word_of(app))
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        answer(call, inbound::instagram_news)
    }
}

/// Instagram's containers.
struct InstagramForms;

impl Forms for InstagramForms {
    fn single(&self, draft: &Draft) -> Result<Vec<Field>, Failure> {
        let only = draft.media.first().ok_or_else(|| rejected("no_media"))?;
        let is_video = only.media.kind == MediaKind::Video;
        let mut form = vec![address(only)?];
        match draft.content.format {
            Format::Story => {
                form.push(("media_type", "STORIES".to_owned()));
                return Ok(form);
            }
            // A single video in the feed is a reel that the feed shows, too.
            Format::Feed if is_video => {
                form.push(("media_type", "REELS".to_owned()));
                form.push(("share_to_feed", "true".to_owned()));
            }
            Format::Reel if is_video => form.push(("media_type", "REELS".to_owned())),
            Format::Feed => form.extend(alt(only)),
            Format::Reel | Format::Short => return Err(rejected("format")),
        }
        form.push(("caption", draft.content.text.clone()));
        Ok(form)
    }

    fn part(&self, draft: &Draft, index: usize) -> Result<Vec<Field>, Failure> {
        if draft.content.format != Format::Feed {
            return Err(rejected("format"));
        }
        let one = draft.media.get(index).ok_or_else(|| rejected("no_media"))?;
        let mut form = vec![address(one)?, ("is_carousel_item", "true".to_owned())];
        if one.media.kind == MediaKind::Video {
            form.push(("media_type", "VIDEO".to_owned()));
        } else {
            form.extend(alt(one));
        }
        Ok(form)
    }

    fn around(&self, draft: &Draft) -> Result<Vec<Field>, Failure> {
        Ok(vec![
            ("media_type", "CAROUSEL".to_owned()),
            ("caption", draft.content.text.clone()),
        ])
    }
}

/// Where the platform fetches a file from.
pub(crate) fn address(one: &Attachment) -> Result<Field, Failure> {
    let name = match one.media.kind {
        MediaKind::Image => "image_url",
        MediaKind::Video => "video_url",
    };
    Ok((name, one.public_url()?.to_string()))
}

/// What people who cannot see it are told.
pub(crate) fn alt(one: &Attachment) -> Option<Field> {
    let text = one.media.alt.as_deref().filter(|text| !text.is_empty())?;
    // Both platforms take 1,000 characters.
    Some(("alt_text", text.chars().take(1_000).collect()))
}

/// A content that the platform has no place for.
pub(crate) fn rejected(code: &str) -> Failure {
    Failure::ContentRejected {
        code: code.to_owned(),
    }
}

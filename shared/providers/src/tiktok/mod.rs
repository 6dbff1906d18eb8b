//! TikTok, over the Content Posting API and Login Kit (v2).
//!
//! Facts (developers.tiktok.com: Manage OAuth Access Tokens of 5 Nov 2026, Refresh a User Access Token of 2 Nov 2026,
//! Content Posting API references, Media Transfer Guide, Webhooks): an answer of 200 may hold an error, `error.code`
//! decides. Lives of tokens are told with them; pages of different dates name 24 hours and 365 days, or 2 hours and
//! 180 days. A refresh returns another refresh token, and the old one stops working. Whether an access token ended by
//! time or was taken back is not told: the refresh's `invalid_grant` says that it is over.
//!
//! A post is begun (`init`), its bytes are uploaded or fetched, it is processed, and after moderation, if it is for
//! everybody, it gets an id. What publishes a video is the *last chunk* of its upload: until then the publish id
//! promises nothing, so begin and chunks are preparation, and after a lost answer the status tells. Photos can only be
//! fetched by TikTok, and there the begin itself publishes and takes no key of ours: after a lost answer the post is
//! looked for among the creator's public ones, which show it only after moderation; that it is not there proves
//! nothing. Nothing can be deleted through the API.

mod check;
mod find;
mod map;
mod native;
mod publish;
mod session;
mod webhook;
mod wire;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, Prepared, Seen, Sent},
};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    inbound::{Inbound, InboundRefused, Received},
    native::PostAt,
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    registry::BaseUrls,
    transport::Transport,
    wire::Op,
};
use wire::Envelope;

/// The adapter.
pub(crate) struct TikTok {
    transport: Transport,
    base: Url,
    dialog: Url,
}

#[async_trait]
impl Provider for TikTok {
    fn platform(&self) -> Platform {
        Platform::TikTok
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
        match publish::read_state(so_far) {
            Some(state) => self.go_on(access, draft, state).await,
            None => self.begin(access, draft).await,
        }
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let Some(state) = publish::read_state(draft.prepared.as_ref()) else {
            return Err(broken("a post without its preparation: prepare it first"));
        };
        match &state.upload {
            Some(upload) => self.send_last_chunk(draft, upload).await,
            None => self.send_photos(access, draft, &state).await,
        }
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        self.look_for(access, lost).await
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        self.look_at(access, remote_id).await
    }

    async fn delete(&self, _access: &Access, _remote_id: &str) -> Result<(), Failure> {
        Err(broken(
            "TikTok deletes no post through its API: delete it in the app",
        ))
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
        let user = self.user(Op::Connect, &access.grant_token).await?;
        Ok(vec![session::destination(&user, true)])
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        webhook::receive(call)
    }
}

impl TikTok {
    pub(crate) fn new(transport: Transport, urls: &BaseUrls) -> Self {
        Self {
            transport,
            base: urls.tiktok.clone(),
            dialog: urls.tiktok_dialog.clone(),
        }
    }

    /// A call of an endpoint; their addresses end with a slash.
    fn call(
        &self,
        template: &'static str,
        method: Method,
        token: &Secret,
    ) -> Result<Call, Failure> {
        Ok(self.open_call(template, method)?.bearer(token.expose()))
    }

    fn open_call(&self, template: &'static str, method: Method) -> Result<Call, Failure> {
        let segments: Vec<&str> = template.trim_start_matches('/').split('/').collect();
        self.transport.call(template, method, &self.base, &segments)
    }

    /// What an answer holds, unless it is an error.
    async fn data<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.transport.send(op, call).await?;
        if !reply.is_success() || map::code(&reply).is_some() {
            return Err(map::failure(op, &reply, self.transport.now()));
        }
        reply
            .read::<Envelope<T>>(what)
            .map(|envelope| envelope.data)
    }
}

fn app(access: &Access) -> Result<&AppCredentials, Failure> {
    access.app.as_ref().ok_or(Failure::AppAccess)
}

fn json(call: Call, body: &impl Serialize) -> Result<Call, Failure> {
    call.json(body)
        .map_err(|_| broken("a body that cannot be written as JSON"))
}

fn broken(detail: &str) -> Failure {
    Failure::Contract {
        detail: detail.to_owned(),
    }
}

//! Mastodon, over the client API of the account's own server.
//!
//! Facts (`mastodon/documentation`, methods apps, oauth, accounts, statuses, media and api/rate-limits;
//! `mastodon/mastodon`, `app/services/post_status_service.rb` and `app/controllers/api`): an app is registered at each
//! server; tokens have no end and are revoked; a post takes an `Idempotency-Key`, which the server keeps for an hour
//! and only after the post exists, so that two calls at once may both pass; files are processed after their upload
//! (202, then 206), and a post that comes too early is refused. There are no webhooks for an account's own sake.
//!
//! Servers of other makers speak the same API: `GoToSocial` ignores the key, so a lost post is always looked for before
//! it is sent again, and says "Unauthorized" to a revoked token and to a suspended account alike. Texts come back as
//! HTML with links shortened and mentions without their domain; the source of a post is its text.

mod check;
mod find;
mod map;
mod media;
mod native;
mod session;
mod wire;

use async_trait::async_trait;
use http::{HeaderName, Method};
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Accepted, Finding, Prepared, Seen, Sent},
};
use mooring_runtime::Call;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    native::PostAt,
    provider::{Access, Draft, Lost, NewTokens, Provider},
    transport::Transport,
    wire::Op,
};
use wire::{Files, Status};

/// The adapter.
pub(crate) struct Mastodon {
    transport: Transport,
    base: Url,
}

#[async_trait]
impl Provider for Mastodon {
    fn platform(&self) -> Platform {
        Platform::Mastodon
    }

    fn reference(&self, now: Time, entropy: u64) -> Option<String> {
        Some(format!("mooring-{:x}-{entropy:x}", now.timestamp_micros()))
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        self.observe(access, probe_token).await
    }

    async fn refresh(&self, _access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        // Nothing to refresh with: whoever asks holds a token that is over.
        Err(Failure::TokenRevoked)
    }

    async fn prepare(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        self.next_file(access, draft, so_far).await
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let files: Files = match &draft.prepared {
            Some(state) => serde_json::from_value(state.clone())
                .map_err(|_| broken("a preparation that cannot be read"))?,
            None => Files::default(),
        };
        if files.uploaded.len() != draft.media.len() {
            return Err(broken(
                "a post with media and without its uploads: prepare it first",
            ));
        }
        let mut body = json!({ "status": draft.content.text, "visibility": "public" });
        if !files.uploaded.is_empty() {
            body["media_ids"] = files.uploaded.into();
        }
        let call = self.call(access, Method::POST, "/api/v1/statuses", &["statuses"])?;
        let call = call
            .json(&body)
            .map_err(|_| broken("a body that is no JSON"))?;
        let key = draft.reference.as_deref().unwrap_or_default();
        let timeout = Platform::Mastodon.capabilities().publish_timeout;
        let call = call
            .header(HeaderName::from_static("idempotency-key"), key)
            .send_by(draft.send_by)
            .timeout(timeout.to_std().unwrap_or_default());
        let status: Status = self.answer(Op::Publish, call, "post").await?;
        if status.account.id != access.remote_id {
            return Err(broken("the post went to another account"));
        }
        Ok(Sent::Accepted(accepted(status)))
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        self.look_for(access, lost).await
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        self.look_at(access, remote_id).await
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        let template = "/api/v1/statuses/{id}";
        let call = self.call(access, Method::DELETE, template, &["statuses", remote_id])?;
        let reply = self.transport.send(Op::Delete, call).await?;
        if reply.is_success() {
            // The answer is the deleted post; that it is one is what matters.
            return reply.read::<Status>("deleted post").map(drop);
        }
        if map::is_missing(&reply) {
            return Ok(());
        }
        Err(map::failure(Op::Delete, &reply, self.transport.now()))
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        self.give_back(access).await
    }

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        self.consent(request).await.map(Some)
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        self.open_grant(credentials).await
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        self.native(access, url).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let host = access.host.as_ref().unwrap_or(&self.base);
        let account = self.account(Op::Connect, host, &access.grant_token).await?;
        Ok(vec![session::destination(account)])
    }
}

impl Mastodon {
    pub(crate) fn new(transport: Transport, base: Url) -> Self {
        Self { transport, base }
    }

    /// A call below `/api/v1` at the account's server, with its token.
    fn call(
        &self,
        access: &Access,
        method: Method,
        template: &'static str,
        segments: &[&str],
    ) -> Result<Call, Failure> {
        let host = access.host.as_ref().unwrap_or(&self.base);
        let all = [&["api", "v1"], segments].concat();
        let call = self.transport.call(template, method, host, &all)?;
        Ok(call.bearer(access.token.expose()))
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
}

fn accepted(status: Status) -> Accepted {
    Accepted {
        permalink: status.permalink(),
        remote_id: status.id,
    }
}

fn broken(detail: &str) -> Failure {
    Failure::Contract {
        detail: detail.to_owned(),
    }
}

//! YouTube, over the Data API v3 and Google's OAuth.
//!
//! Facts (developers.google.com: YouTube Data API, its resumable upload guide, its errors, its quota; Google Identity,
//! OAuth 2.0 for web servers): an access token lives an hour; a refresh token is not replaced and dies unused after six
//! months, after seven days where the app is in testing, at revocation, and when a hundred newer ones exist; a changed
//! password does not end it. A refresh token comes with the first consent, or when consent is asked for. A post is a
//! video; it comes to exist with the last byte of an upload session, which tells the same video whenever it is asked
//! again, and it is live when it is processed. A 403 is a spent quota as often as a missing right: the reason decides.
//! Quota belongs to the project and begins anew at midnight in California: 100 uploads, 10,000 units for the rest.
//!
//! Not documented, and relied on: nothing tells an ended access token from a revoked one, so that a check says "ended"
//! and the refresh tells; a session stays askable after its video exists (Google's own clients ask so).

mod check;
mod client;
mod find;
mod grant;
mod hub;
mod map;
mod native;
mod pacific;
mod upload;
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
    inbound::{Inbound, InboundRefused, Received, word_of},
    native::PostAt,
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    wire::Op,
};

pub(crate) use client::Youtube;
pub use hub::youtube_hub_secret;

#[async_trait]
impl Provider for Youtube {
    fn platform(&self) -> Platform {
        Platform::YouTube
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
        self.finish(access, draft).await
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        self.look(access, lost).await
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        self.look_back(access, remote_id).await
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        let call = self.api(access, "/youtube/v3/videos", Method::DELETE, "videos")?;
        let call = call.query("id", remote_id);
        let reply = self.transport.send(Op::Delete, call).await?;
        if map::is_video_missing(&reply) || reply.status == 204 {
            return Ok(());
        }
        if reply.is_success() {
            let detail = format!("status {} to a deletion", reply.status);
            return Err(Failure::Contract { detail });
        }
        Err(self.failure(Op::Delete, &reply))
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        self.give_back(access).await
    }

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        self.consent(request)
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Code {
            app: Some(app),
            code,
            redirect_uri,
            kept,
            ..
        } = credentials
        else {
            let detail = "YouTube connects with an authorization code of a registered app";
            return Err(Failure::Contract {
                detail: detail.to_owned(),
            });
        };
        self.open_grant(&app, &code, &redirect_uri, kept.as_ref())
            .await
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        self.native(access, url).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        self.reachable(access).await
    }

    fn webhook_word(&self, app: &AppCredentials) -> Option<Secret> {
        Some(word_of(app))
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        hub::receive(call)
    }
}

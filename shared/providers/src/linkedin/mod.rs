//! LinkedIn: members ([`Platform::LinkedIn`]) and the pages of organizations ([`Platform::LinkedInPage`]), by one
//! adapter. Destinations are URNs: `urn:li:person:…` and `urn:li:organization:…`.
//!
//! Facts (learn.microsoft.com/linkedin: Authorization Code Flow, Programmatic Refresh Tokens, Token Introspection,
//! Posts API, Images API, Videos API, Multi-Image Posts, little Text Format, Organization Access Control, Webhook
//! Validation, Versioning, Rate Limits):
//!
//! * Access tokens live 60 days. Refresh tokens, which only approved partners' apps get, live 365 days from the
//!   consent; a refresh gives the same one back and does not lengthen it. A refresh token that is dead answers
//!   `invalid_request`, not `invalid_grant`, and does not say whether it expired: introspection does.
//! * Introspection needs no permission and counts against no known quota; it answers 200 for dead tokens.
//! * A consent to other permissions ends the access tokens of the consent before. The consent for pages therefore
//!   asks for the member's permissions, too, and reaches both kinds of destinations.
//! * Every `/rest` call names a version that LinkedIn retires after a year, with 426. URNs in paths and queries are
//!   percent-encoded, brackets and commas of lists are not.
//! * A post is a 201 without a body; its URN is in `x-restli-id`. Nothing of ours travels with it. Posts of members
//!   cannot be read by apps; posts of organizations can, and are listed by author after a moment.
//! * An identical post within ten minutes is a 422 that names the first one. That is no proof that the first one is
//!   ours, and asking that way may publish, so it is never used as a question.
//! * Quotas are per day and end at midnight UTC; no header says anything.
//!
//! Not documented, and relied on: `oauth/v2/revoke` (in use by many), and introspection of refresh tokens; where the
//! second does not work, a dead refresh token counts as revoked.

mod check;
mod client;
mod connect;
mod find;
mod little;
mod map;
mod media;
mod native;
mod post;
mod tokens;
mod webhook;
mod wire;

use async_trait::async_trait;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, Prepared, Seen, Sent},
};
use serde_json::Value;
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    inbound::{Inbound, InboundRefused, Received},
    native::PostAt,
    provider::{Access, Draft, Lost, NewTokens, Provider},
};

pub(crate) use client::LinkedIn;

#[async_trait]
impl Provider for LinkedIn {
    fn platform(&self) -> Platform {
        self.platform
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
        self.post(access, draft).await
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        if self.platform.capabilities().reads_back {
            self.search(access, lost).await
        } else {
            Ok(Finding::Unsure)
        }
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        if self.platform.capabilities().reads_back {
            self.see(access, remote_id).await
        } else {
            Ok(Seen::Unverifiable)
        }
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        self.remove(access, remote_id).await
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
            ..
        } = credentials
        else {
            return Err(Failure::Contract {
                detail: "LinkedIn connects with a code of its consent page, for an app".to_owned(),
            });
        };
        self.open_grant(&app, &code, &redirect_uri).await
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        self.native(access, url).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        self.reach(access.host.as_ref(), &access.grant_token).await
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        webhook::receive(call)
    }
}

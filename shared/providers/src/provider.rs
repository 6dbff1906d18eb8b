//! The one interface between the house and a platform.

use std::fmt;

use async_trait::async_trait;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Content, Finding, Prepared, Seen, Sent},
};
use mooring_vault::Secret;
use serde_json::Value;
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    inbound::{Inbound, InboundRefused, Received},
    media::Attachment,
};

/// A platform, as jobs and acts of people see it.
///
/// Every method makes at most a handful of HTTP calls, retries nothing, sleeps never, and turns whatever the
/// platform says into a domain type or one [`Failure`]. Three rules hold for every implementation, and the
/// contract suite checks them:
///
/// * a mutation ([`publish`](Self::publish), [`refresh`](Self::refresh), [`delete`](Self::delete),
///   [`revoke`](Self::revoke)) whose answer was lost is [`Failure::Indeterminate`], and one of which no byte left
///   us is [`Failure::NotSent`]; a read that did not come through is [`Failure::ProviderDown`];
/// * an answer that cannot be read is [`Failure::Contract`], whatever its status says: never success;
/// * no token, password or secret reaches a log, a span, an error or a URL that somebody logs.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Which platform this is.
    fn platform(&self) -> Platform;

    /// A key that the platform will take for a post of ours (Bluesky: a TID), so that a repeated publish has one
    /// effect; `None` where the platform takes none. `entropy` keeps two keys of one moment apart.
    fn reference(&self, now: Time, entropy: u64) -> Option<String>;

    /// Looks at token, account and the right to publish, as cheaply as the platform allows.
    ///
    /// What the platform says about the credential or the account is an [`Observation`], however bad. `Err` means
    /// that nothing was learnt. With `probe_token` false the token was probed a moment ago for another connection
    /// of its grant; an adapter then leaves that call out unless it needs it to understand what it saw.
    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure>;

    /// New tokens for old. The caller holds the grant's refresh job and does not cancel this call.
    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure>;

    /// Does the next step before the one that publishes: an upload, a container, a question whether the platform has
    /// finished with it. `so_far` is what the step before brought.
    ///
    /// Called only where the platform's row says that posts are prepared. A step may make several calls, for about
    /// 20 seconds; it may be repeated, by another process too, without anything that people see.
    async fn prepare(
        &self,
        _access: &Access,
        _draft: &Draft,
        _so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        Err(Failure::Contract {
            detail: "this platform prepares nothing".to_owned(),
        })
    }

    /// Sends a post, once. Any failure but [`Failure::NotSent`] may mean that the post exists.
    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure>;

    /// Looks for a post whose publish had no trustworthy answer.
    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure>;

    /// Reads an accepted post back, as the proof that it is live.
    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure>;

    /// Deletes a post of ours. A post that is not there (any more) counts as deleted.
    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure>;

    /// Gives the credential back. On Facebook this withdraws the user's consent to the whole app, for every
    /// grant of that user; on Bluesky it ends this session only.
    async fn revoke(&self, access: &Access) -> Result<(), Failure>;

    /// Where a person's browser goes to consent, and what we must keep until it comes back.
    ///
    /// Makes calls only where the platform wants to be asked first (Bluesky's pushed request, Mastodon's
    /// registration of apps). `None` where connecting needs no browser.
    async fn authorize(&self, _request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        Ok(None)
    }

    /// Who we are, where the platform knows a client by the address of its own description (`client_document` in its
    /// row). No secret is in it; [`Failure::AppAccess`] where the app's secret is none.
    fn client_metadata(
        &self,
        _app: &AppCredentials,
        _name: &str,
        _redirect_uri: &Url,
    ) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    /// Opens a grant from what a person gave, and lists the destinations that it reaches.
    ///
    /// A wrong password or a used-up code is [`Failure::TokenRevoked`]; credentials of a kind that the platform
    /// does not know are [`Failure::Contract`].
    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure>;

    /// The pages, profiles, organizations or channels that a grant reaches now, in the platform's order.
    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure>;

    /// Verifies and reads what the platform sent us on its own.
    fn receive(&self, _call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        Err(InboundRefused::NoneExpected)
    }
}

/// Our registration at a platform.
#[derive(Debug, Clone)]
pub struct AppCredentials {
    /// The platform's id for our app.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: Secret,
}

/// What a call to a destination needs. Exists only inside a job's call.
#[derive(Debug, Clone)]
pub struct Access {
    /// Our app, where the platform knows apps.
    pub app: Option<AppCredentials>,
    /// Base URL of the account's own server; `None` = the platform's base URL from the configuration.
    pub host: Option<Url>,
    /// The destination's id at the platform (page id, DID).
    pub remote_id: String,
    /// The provider user behind the grant.
    pub remote_user_id: String,
    /// The token that publishes (page token, access JWT).
    pub token: Secret,
    /// The user's token; equal to `token` where the platform makes no difference.
    pub grant_token: Secret,
    /// The refresh token, where the platform has one.
    pub refresh_token: Option<Secret>,
    /// The key that the tokens are bound to (DPoP), where they are: a private JWK.
    pub binding: Option<Secret>,
}

/// What a refresh brought.
#[derive(Debug, Clone)]
pub struct NewTokens {
    /// The new user or access token, in the place of [`Access::grant_token`]. Facebook's page tokens stay as
    /// they are: they do not end.
    pub access: Secret,
    /// The new refresh token; `None` = the old one stays valid, or there is none.
    pub refresh: Option<Secret>,
}

/// A post to send. What was prepared shows in no `Debug`.
#[derive(Clone)]
pub struct Draft {
    /// What it says.
    pub content: Content,
    /// Our key for it, from [`Provider::reference`].
    pub reference: Option<String>,
    /// The post's own time, the same on every repetition, so that a repetition is byte for byte the same.
    pub created_at: Time,
    /// The last moment at which the request may be written; later it is [`Failure::NotSent`].
    pub send_by: Time,
    /// Its images and videos, in the content's order.
    pub media: Vec<Attachment>,
    /// What the steps before have brought, for [`Provider::publish`].
    pub prepared: Option<Value>,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("content", &self.content)
            .field("reference", &self.reference)
            .field("created_at", &self.created_at)
            .field("send_by", &self.send_by)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

/// A post to look for. What was prepared shows in no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Lost {
    /// Our key for it, where the platform took one.
    pub reference: Option<String>,
    /// The platform's id for the order, where it took one and works on it.
    pub handle: Option<String>,
    /// What its steps before had brought when it was sent.
    pub prepared: Option<Value>,
    /// What it says.
    pub content: Content,
    /// When its first request began: nothing older is it.
    pub not_before: Time,
    /// Remote ids that belong to other attempts of the connection.
    pub owned: Vec<String>,
}

impl fmt::Debug for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lost")
            .field("reference", &self.reference)
            .field("handle", &self.handle)
            .field("content", &self.content)
            .field("not_before", &self.not_before)
            .field("owned", &self.owned)
            .finish_non_exhaustive()
    }
}
